"""Every message of nodes and operations: it names the operation, the shapes or names, and the cure."""

import pickle
import warnings
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy

import symback as sb
from symback import errors
from symback.nodes.contract import Contract, Subscripts
from symback.nodes.labels import Label

x = sb.tensor("x", ("n",))
A = sb.tensor("A", (2, 3))
B = sb.tensor("B", (3, 4))
S = sb.tensor("S", ("n", "m"))
k = sb.tensor("k", (3,), dtype="int64")
u = sb.tensor("u", (3,), dtype="uint8")
p = sb.tensor("p", (3,), dtype="bool")


def _with_sympy(function: Callable[..., Any]) -> Any:
    with warnings.catch_warnings():  # some releases of SymPy warn of arguments that are no Expr, and then fail
        warnings.simplefilter("ignore")
        return function(x, 2)


SHAPE: dict[str, tuple[Callable[[], Any], str]] = {
    "sizes": (lambda: A + B, r"add: cannot broadcast A \(2, 3\) and B \(3, 4\): size 2 against 3 \(sizes must be"),
    "product": (lambda: A * B, r"multiply: cannot broadcast A \(2, 3\) and B"),
    "symbolic": (lambda: x + sb.tensor("y", ("m",)), r"size n against m \(a symbolic size broadcasts only"),
    "map": (lambda: sb.maximum(A, B), "maximum: cannot broadcast"),
    "matmul": (lambda: A @ A, r"matmul: A \(2, 3\) and A \(2, 3\) do not fit: size 3 meets 2; transpose an operand"),
    "matmul scalar": (lambda: A @ sb.tensor("s"), r"matmul: s \(\) has 0 axes, wanted at least 1"),
    "batched": (lambda: sb.tensor("P", (2, 3, 3)) @ sb.tensor("Q", (4, 3, 3)), "matmul: cannot broadcast P .* and Q"),
    "tensordot": (lambda: sb.tensordot(A, B, 2), "do not fit: size 2 meets 3"),
    "tensordot axes": (lambda: sb.tensordot(A, B, ((0, 0), (1, 1))), "tensordot: axis .* out of range or repeated"),
    "vdot": (lambda: sb.vdot(A, B), r"vdot: A \(2, 3\) and B \(3, 4\) do not fit"),
    "trace": (lambda: sb.trace(x), "diagonal: x .* has 1 axes, wanted at least 2"),
    "diagonal": (lambda: sb.diagonal(S), "diagonal: S .* size n meets m"),
    "diag": (lambda: sb.diag(sb.tensor("P", (2, 2, 2))), "diag: P .* has 3 axes, wanted 1 or 2"),
    "axis": (lambda: sb.sum(A, axis=2), r"sum: axis 2 is out of range .* distinct integers from -2 to 1"),
    "axis twice": (lambda: sb.sum(A, axis=(0, -2)), "sum: axis .* repeated"),
    "axis kind": (lambda: sb.max(A, axis="rows"), "max: axis rows is out of range"),
    "transpose": (lambda: sb.transpose(A, (0, 0)), "transpose: axis"),
    "moveaxis": (lambda: sb.moveaxis(A, (0, 1), (0,)), "moveaxis: axis"),
    "expand_dims": (lambda: sb.expand_dims(A, 5), "expand_dims: axis 5"),
    "expand_dims twice": (lambda: sb.expand_dims(A, (0, 0)), "expand_dims: axis"),
    "squeeze": (lambda: sb.squeeze(A, 0), "squeeze: axis 0"),
    "reshape": (lambda: A.reshape(4, 2), r"reshape: A \(2, 3\) cannot become \(4, 2\): the number of entries"),
    "reshape unknown": (lambda: A.reshape(-1, -1), "reshape"),
    "reshape symbolic": (lambda: x.reshape(2, -1), r"reshape: x \(n,\) cannot become"),
    "broadcast_to": (lambda: sb.broadcast_to(A, (3, 3)), "broadcast_to: cannot broadcast"),
    "broadcast_to fewer": (lambda: sb.broadcast_to(A, (3,)), "broadcast_to: cannot broadcast"),
    "concatenate": (lambda: sb.concatenate([A, B]), "concatenate along axis -2: A .* must agree in every other axis"),
    "concatenate none": (lambda: sb.concatenate([]), "concatenate needs at least one operand"),
    "stack none": (lambda: sb.stack([]), "needs at least one operand"),
    "index range": (lambda: A[2], r"indexing A \(2, 3\) with 2: 2 is out of range for an axis of size 2"),
    "index count": (lambda: A[0, 0, 0], "3 indices for 2 axes"),
    "index ellipsis": (lambda: A[..., ...], "an ellipsis may stand once"),
    "index string": (lambda: A["a"], r"only integers, slices, Ellipsis and None .* as x.shape\[0\]"),
    "index bound": (lambda: A[0:1.5], "only integers, slices, Ellipsis and None"),
    "index fraction": (lambda: A[sympy.Rational(1, 2)], "only integers, slices, Ellipsis and None"),
    "index broken step": (lambda: A[::1.5], "the step of a slice must be an integer"),
    "index step": (lambda: A[::0], "the step of a slice cannot be 0"),
    "empty": (lambda: sb.max(sb.tensor("e", (0, 3)), axis=0), r"max: e \(0, 3\) has no entries .* no identity"),
    "size": (lambda: sb.tensor("x", (-1,)), "-1 is no size: use an integer >= 0"),
    "size name": (lambda: sb.tensor("x", ("1n",)), "'1n' is no size"),
    "size fraction": (lambda: sb.tensor("x", (sympy.Symbol("n") / 2,)), "is no size"),
    "no shape": (lambda: sb.ones(None), "None is no size"),
    "float shape": (lambda: sb.zeros(2.5), "2.5 is no size"),
    "broadcast_to float": (lambda: sb.broadcast_to(x, 2.5), "2.5 is no size"),
    "no axes": (lambda: sb.transpose(A, -1), "transpose: -1 is no list or tuple of axes"),
    "concatenate one": (lambda: sb.concatenate(3), "concatenate: 3 is no list or tuple of arrays; put them into one"),
    "stack nothing": (lambda: sb.stack(None), "stack: None is no list or tuple of arrays"),
    "tensordot float": (lambda: sb.tensordot(x, x, 2.5), "tensordot: 2.5 is no list or tuple of axes"),
    "tensordot one": (lambda: sb.tensordot(x, x, (1,)), "tensordot: axis .* out of range"),
    "axis bool": (lambda: sb.sum(A, axis=True), "sum: axis True is out of range"),
    "expand_dims bool": (lambda: sb.expand_dims(x, True), "expand_dims: axis True"),
    "size float": (lambda: sb.tensor("x", (2.0,)), "2.0 is no size"),
    "einsum string": (lambda: sb.einsum(3, A), "give a pattern first, or behind each operand the list of its labels"),
    "einsum groups": (lambda: sb.einsum("ij,j->i", A), "2 groups of labels for 1 operands"),
    "einsum rank": (lambda: sb.einsum("i->i", A), "'i' does not fit an operand with 2 axes"),
    "einsum letters": (lambda: sb.einsum("i1->i", A), "labels are letters"),
    "einsum output": (lambda: sb.einsum("ij->k", A), "an output label repeats or stands in no operand"),
    "einsum sizes": (lambda: sb.einsum("ij,jk->ik", A, A), "einsum 'ij,jk->ik': .* size 3 meets 2"),
    "subs": (lambda: (A + 1).subs(A, B), r"subs: A \(2, 3\) cannot become B \(3, 4\); a replacement has the same"),
    "iteration": (lambda: sb.ones((2, 3)).reshape(7), "reshape"),
}  # fmt: skip

DTYPE: dict[str, tuple[Callable[[], Any], str]] = {
    "dtype": (lambda: sb.tensor("x", (), dtype="complex128"), "dtype 'complex128' is not supported: use float64"),
    "no dtype": (lambda: sb.tensor("x", (), dtype="real"), "dtype 'real' is not supported"),
    "object": (lambda: sb.constant(np.array([None])), "is not supported"),
    "negative": (lambda: -p, "negative: p has dtype bool, wanted a number .*convert with .astype"),
    "subtract": (lambda: p - p, "subtract: p has dtype bool"),
    "matmul": (lambda: p @ p, "matmul: p has dtype bool"),
    "einsum": (lambda: sb.einsum("i->", p), "einsum: p has dtype bool"),
    "power": (lambda: p**2, "power: p has dtype bool"),
    "sign": (lambda: sb.sign(p), "sign: p has dtype bool"),
    "negative power": (lambda: k**-2, "power with exponent -2: k has dtype int64, wanted a float"),
    "reciprocal power": (lambda: k**-1, "power with exponent -1: k has dtype int64"),
    "coefficient": (lambda: u * 300, "multiply: the integer 300 does not fit uint8; use a float"),
    "term": (lambda: u + 300, "add: the integer 300 does not fit uint8"),
    "and": (lambda: (x > 0) & x, "bitwise_and: x has dtype float64, wanted bool, or an integer"),
    "or": (lambda: k | 1.5, "bitwise_or: 3/2 has dtype float64, wanted bool, or an integer"),
    "not": (lambda: ~x, "invert: x has dtype float64, wanted bool, or an integer"),
    "loss": (lambda: sb.grad(sb.tensor("s") > 0, sb.tensor("s")), r"grad: cannot differentiate greater\(s, 0\)"),
    "jacobian": (lambda: sb.jacobian(k, k), "with respect to k: its dtype is int64"),
    "wrt": (lambda: sb.grad(x[0], sb.constant(2.0)), "with respect to 2: a constant is no variable"),
    "too long": (lambda: sb.constant(2**2000), "an integer constant is too large for any dtype"),
}

NAME: dict[str, tuple[Callable[[], Any], str]] = {
    "code": (lambda: sb.tensor("x); import os"), "cannot be used as a name: it is no ASCII identifier"),
    "digit": (lambda: sb.tensor("1x"), "cannot be used as a name"),
    "greek": (lambda: sb.tensor("α"), "give the look in print by latex="),
    "kind": (lambda: sb.let(3, x), "3 cannot be used as a name: it is not a string"),
    "tuple": (lambda: sb.tensor(("a",)), "it is not a string"),
    "tuple of a label": (lambda: sb.tensor(("zz", "\\input{x}", "let")), "it is not a string"),
    "tuple in let": (lambda: sb.let(("zz", None, "weird"), x), "it is not a string"),
    "label": (lambda: Label("a", None, "weird"), "a label is no 'weird'"),
    "latex": (lambda: sb.tensor("x", latex=3), "latex must be a string"),
    "clash": (lambda: sb.lambdify([x], sb.let("x", 2 * x)), "the name 'x' stands for two different things"),
}

USAGE: dict[str, tuple[Callable[[], Any], str]] = {
    "bool": (lambda: bool(x > 0), "has no truth value while the graph is built; use sb.where"),
    "float": (lambda: float(x[0]), "is symbolic and has no float value; evaluate it with sb.lambdify"),
    "int": (lambda: int(x[0]), "no int value"),
    "complex": (lambda: complex(x[0]), "no complex value"),
    "index": (lambda: [1, 2][k[0]], "no integer value"),
    "array": (lambda: np.asarray(x), "x is symbolic and cannot become an array"),
    "iteration": (lambda: list(x), "cannot iterate over x .*: its first axis has no fixed length"),
    "len": (lambda: len(x), "cannot iterate over x"),
    "equality": (lambda: x == 3.0, "x == float is ambiguous: use sb.equal"),
    "inequality": (lambda: x != np.float64(3), "ambiguous: use sb.equal"),
    "equality with a fraction": (lambda: x == Fraction(1), "x == Fraction is ambiguous"),
    "equality with a list": (lambda: x == [1], "x == list is ambiguous"),
    "assignment": (lambda: setattr(x, "shape", (9,)), "nodes cannot be changed: 'shape' of x is set when it is made"),
    "assigned dtype": (lambda: setattr(x, "dtype", None), "nodes cannot be changed: 'dtype'"),
    "assigned args": (lambda: setattr(x + 1, "_args", ()), "nodes cannot be changed: '_args'"),
    "deletion": (lambda: delattr(x, "shape"), "nodes cannot be changed"),
    "modulus": (lambda: pow(x, 2, 3), "pow with a modulus is not supported on symback nodes"),
    "ragged": (lambda: sb.exp([1, [2]]), r"cannot use list in a graph: '\[1, \[2\]\]'"),
    "losses": (lambda: sb.grad([x[0]], x), "grad: what is differentiated is one node, not a list"),
    "no loss": (lambda: sb.hessian([], x), "hessian: what is differentiated is one node"),
    "mixed": (lambda: x * (x.shape[0] * sympy.Symbol("q")), "mixes the symbolic sizes n with symbols for values"),
    "to_sympy": (lambda: sb.to_sympy(3), r"to_sympy: cannot convert int \(3\); give a node"),
    "function": (lambda: np.unique(x), "numpy.unique is not supported on symback nodes; .* sb.where"),
    "ufunc": (lambda: np.nextafter(x, x), "numpy.nextafter is not supported"),
    "reduce": (lambda: np.subtract.reduce(x), "numpy.subtract.reduce is not supported"),
    "out": (lambda: np.exp(x, out=np.ones(3)), "numpy.exp: on symback nodes not all of NumPy's arguments .*out="),
    "keyword": (lambda: np.cumsum(x, out=np.ones(3)), "numpy.cumsum: on symback nodes not all .*out"),
    "value": (lambda: x + "a", "cannot use str in a graph"),
    "nodes in a list": (lambda: sb.add(x, [x]), "cannot use list in a graph"),
    "masked": (lambda: sb.constant(np.ma.masked_array([1.0])), "cannot use MaskedArray"),
    "LambertW": (lambda: x + sympy.LambertW(sympy.Symbol("u")), "cannot convert LambertW"),
    "sympy.Add": (lambda: str(_with_sympy(sympy.Add)), "SymPy's Add, Mul, Pow, functions .* use operators, sb.exp"),
    "sympy.Mul": (lambda: _with_sympy(sympy.Mul), "SymPy's Add, Mul, Pow, functions"),
    "sympy.Pow": (lambda: _with_sympy(sympy.Pow), "SymPy's Add, Mul, Pow, functions"),
    "sympy.sin": (lambda: sympy.sin(x + 1), "SymPy's Add, Mul, Pow, functions"),
    "sympy.log": (lambda: sympy.log(x), "SymPy's Add, Mul, Pow, functions"),
    "sympy.Abs": (lambda: sympy.Abs(x), r"sympy.Abs does not work on symback nodes .* use abs\(node\)"),
    "sympy.simplify": (lambda: sympy.simplify(x + 1), "sympy.simplify does not work .* use sympy.simplify.sb.to_sympy"),
    "expand": (lambda: x.expand(), "here expand"),
    "imaginary": (lambda: x * sympy.I, "only real constants are supported"),
    "infinite": (lambda: x * sympy.zoo, "only real constants are supported"),
    "diff": (lambda: sb.sin(x).diff(x), "node.diff does not work on symback nodes"),
    "lambdify": (lambda: sympy.lambdify([], sb.sin(x)), "use sb.lambdify"),
    "contract": (lambda: Contract(Subscripts((((0,),), (0,))), A), "Contract: i->i does not fit 1 operands"),
}  # fmt: skip


INPUT: dict[str, tuple[Callable[[], Any], str]] = {
    "derive": (lambda: sb.derive(x[0], []), "derive: no variables are given"),
    "check_grad": (lambda: sb.check_grad(x[0], []), "check_grad: no variables are given"),
    "subs by name": (lambda: (A + 1).subs("A", 3), "subs: 'A' is no symbolic size of this graph; it has none"),
    "subs of names": (lambda: (A + 1).subs({"n": 2, "A": 3}), "subs: 'A' is no symbolic size of this graph"),
    "subs of a size": (lambda: x.subs("m", 3), "subs: 'm' is no symbolic size of this graph; it has n"),
    "json": (lambda: sb.loads('{"a":1.5}'), "^this is no symback graph: it holds the float 1.5"),
}


def cases(kind: type, table: dict[str, tuple[Callable[[], Any], str]]) -> list[Any]:
    return [pytest.param(kind, call, text, id=f"{kind.__name__}: {name}") for name, (call, text) in table.items()]


@pytest.mark.parametrize(
    ("kind", "call", "text"),
    cases(errors.ShapeError, SHAPE)
    + cases(errors.DtypeError, DTYPE)
    + cases(errors.InvalidNameError, NAME)
    + cases(errors.UsageError, USAGE)
    + cases(errors.InputError, INPUT),
)
def test_messages(kind: type[Exception], call: Callable[[], Any], text: str) -> None:
    with pytest.raises(kind, match=text) as caught:
        call()
    assert isinstance(caught.value, errors.SymbackError)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


DECLARATIONS: dict[str, tuple[dict[str, Any], str]] = {
    "name": ({"name": "two words"}, "the name must be an ASCII identifier"),
    "taken": ({"name": "sin"}, "primitive 'sin': the name is taken"),
    "doc": ({"doc": ""}, "doc is needed"),
    "domain": ({"domain": ()}, "domain needs an interval for each operand"),
    "dtype": ({"dtype": "complex"}, "dtype must be one of float"),
    "no name": ({"name": None}, "the name must be an ASCII identifier"),
    "function": ({"name": "matmul"}, "primitive 'matmul': the name is taken"),
    "alias": ({"aliases": ("sum",)}, "the name 'sum' is taken"),
    "no function": ({"numpy": "np.nosuch"}, "numpy='np.nosuch' is neither a NumPy function nor a template"),
    "numpy": ({"numpy": "import os"}, "numpy='import os' is neither a NumPy function nor a template"),
}


@pytest.mark.parametrize("name", DECLARATIONS)
def test_malformed_declarations(name: str) -> None:
    changed, text = DECLARATIONS[name]
    given = {"name": "fresh", "derivative": None, "numpy": "np.sin", "latex": "f", "domain": ((0, 1),), "doc": "A."}
    with pytest.raises(errors.UsageError, match=text):
        sb.elementwise(**(given | changed))


def test_structural_declarations_need_examples_and_a_value() -> None:
    given: dict[str, Any] = {"signature": lambda x: (x.shape, x.dtype), "numpy": "np.sort", "latex": "f", "doc": "A."}
    with pytest.raises(errors.UsageError, match="examples are needed"):
        sb.primitive("fresh", examples=(), value=np.sort, **given)
    with pytest.raises(errors.UsageError, match="value is needed"):
        sb.primitive("fresh", examples=(sb.sin,), **given)


STATED: dict[str, tuple[dict[str, Any], str]] = {
    "partials": ({"derivative": lambda y, a: (y, y)}, "derivative gives 2 partial derivatives, not 1"),
    "no node": ({"derivative": lambda y, a: "y"}, "derivative gives str, no node"),
    "partial shape": ({"derivative": lambda y, a: sb.ones((7,))}, r"derivative gives a node of shape \(7,\), no node"),
    "cotangents": ({"vjp": lambda g, node: (g, g)}, "vjp gives 2 values, not a tuple of 1 cotangents"),
    "no cotangent": ({"vjp": lambda g, node: g}, "vjp gives a node of shape .*, not a tuple of 1"),
    "cotangent shape": ({"vjp": lambda g, node: (g[0],)}, r"vjp gives a node of shape \(\), not a cotangent of shape"),
    "signature": ({"vjp": None, "signature": lambda a: None}, "signature gives NoneType, not .shape, dtype."),
    "signature shape": ({"vjp": None, "signature": lambda a: ((2.5,), a.dtype)}, "signature gives 2 values, not"),
}


@pytest.mark.usefixtures("own_registry")
@pytest.mark.parametrize("case", STATED)
def test_a_declaration_is_held_to_what_it_states(case: str) -> None:
    changed, text = STATED[case]
    name = "stated_" + case.replace(" ", "_")
    given: dict[str, Any] = {"numpy": "np.sin", "latex": "f", "doc": "A."}
    v = sb.tensor("v", (3,))
    if "derivative" in changed:
        function = sb.elementwise(name, **given, domain=((0, 1),), **changed)
    else:
        shaped = {
            "signature": lambda a: (a.shape, a.dtype),
            "value": np.sin,
            "examples": (lambda make: make("x", (3,)),),
        }
        function = sb.primitive(name, **(given | shaped | changed))
    with pytest.raises(errors.UsageError, match=f"primitive '{name}': {text}"):
        sb.grad(sb.sum(function(v)), v)


def test_operators_of_booleans_are_logic() -> None:
    q = sb.tensor("q", (3,), dtype="bool")
    assert p & q is sb.logical_and(p, q)
    assert p | q is sb.logical_or(p, q)
    assert ~p is sb.logical_not(p)
    assert True & p is sb.logical_and(True, p)
    assert np.array(True) | p is sb.logical_or(True, p)


def test_sympy_compares_nodes_with_its_own_numbers() -> None:
    assert x != sympy.Integer(0)
    assert sympy.exp(sb.tensor("s")).has(sympy.exp)


def test_a_primitive_takes_as_many_operands_as_it_declares() -> None:
    with pytest.raises(errors.UsageError, match="it takes 1 operands, not 2"):
        sb.sin(x, x)
