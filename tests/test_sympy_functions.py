"""Functions that SymPy does not define: undefined ones and subclasses of Function, in graphs, in print and in code."""

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy
from sympy import Function, Symbol, symbols
from sympy.core.function import ArgumentIndexError
from sympy.printing.precedence import PRECEDENCE
from sympy.utilities.lambdify import implemented_function

import symback as sb
from symback import errors
from symback.interop.symbolic.bridge import SympyBridge, from_sympy
from symback.latex.printer import latex
from symback.nodes.node import Node
from symback.op.public import FUNCTIONS
from symback.op.table import PRIMITIVES
from symback.ops.undefined import UNDEFINED, Partial, applied

x, y, t = symbols("x y t")
X, Y = sb.tensor("x"), sb.tensor("y")
V = sb.tensor("v", ("n",))
f, g = Function("f"), Function("g")

SINE = (np.sin, np.cos, lambda u: -np.sin(u), lambda u: -np.cos(u))
BY_ORDERS = {
    (0, 0): lambda u, v: u * v**3,
    (1, 0): lambda u, v: v**3,
    (0, 1): lambda u, v: 3 * u * v**2,
    (2, 0): lambda u, v: np.zeros_like(u),
    (1, 1): lambda u, v: 3 * v**2,
    (0, 2): lambda u, v: 6 * u * v,
}
NESTED = (
    BY_ORDERS[0, 0],
    (BY_ORDERS[1, 0], BY_ORDERS[0, 1]),
    ((BY_ORDERS[2, 0], BY_ORDERS[1, 1]), (None, BY_ORDERS[0, 2])),
)
ALL = {"f": SINE, "g": NESTED}


class Cube(Function):  # type: ignore[misc]
    """x**3, with its derivative and its NumPy spelling."""

    _imp_ = staticmethod(lambda u: u**3)

    def fdiff(self, argindex: int = 1) -> Any:
        return 3 * self.args[0] ** 2


class Soft(Function):  # type: ignore[misc]
    """log(1 + exp(a b)) / b, with one of its derivatives and digits."""

    nargs = 2

    def fdiff(self, argindex: int = 1) -> Any:
        if argindex != 1:
            raise ArgumentIndexError(self, argindex)
        return 1 / (1 + sympy.exp(-self.args[0] * self.args[1]))

    def _eval_evalf(self, prec: int) -> Any:
        a, b = self.args
        return (sympy.log(1 + sympy.exp(a * b)) / b)._eval_evalf(prec)


class Barred(Cube):
    """A class that prints itself, as SymPy asks it to."""

    def _latex(self, printer: Any) -> str:
        return rf"\overline{{{printer.parenthesize(self.args[0], PRECEDENCE['Mul'], strict=True)}}}"


class Bare(Function):  # type: ignore[misc]
    """A class that says nothing of itself."""


def of_f(*operands: Node) -> Node:
    """Return f of nodes, which may have axes."""
    return applied(Partial("f", (0,) * len(operands)), operands)


def derivatives(expr: Any, symbol: Symbol, order: int) -> Any:
    """Return a derivative of SymPy's expression as symback has it."""
    bridge = SympyBridge()
    node, by = bridge.to_node(expr), bridge.variable(symbol)
    for _ in range(order):
        node = sb.grad(node, by)
    return bridge.to_expr(node)


# -- nodes ------------------------------------------------------------------------------------------------


def test_a_function_of_one_name_is_one_primitive_and_no_table_holds_it() -> None:
    assert from_sympy(f(x)) is from_sympy(Function("f")(x)) is of_f(X)
    assert not {"f", "f'", UNDEFINED} & (PRIMITIVES.keys() | FUNCTIONS.keys())


def test_a_function_called_like_one_of_ours_is_another() -> None:
    node = from_sympy(Function("sin")(x) - sympy.sin(x))
    assert str(node) == "sin(x) - sin(x)"
    assert sb.lambdify([X], node, functions={"sin": np.cos})(0.0) == 1.0


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize(
    "expr", [f(x), f(x**2) * x, f(f(x)), f(2 * x + 1), g(x, y), g(f(x), y), f(g(x, t)), g(2, x), f(x) / g(x, t) + f(2)],
    ids=str,
)  # fmt: skip
def test_derivatives_are_what_sympy_finds(expr: sympy.Expr, order: int) -> None:
    assert sympy.expand(derivatives(expr, x, order) - expr.diff(x, order)) == 0


@pytest.mark.parametrize("expr", [g(x, x), g(x * y, y), g(f(x), x) * x], ids=str)
def test_derivatives_where_arguments_share_a_symbol_are_right(expr: sympy.Expr) -> None:
    bridge = SympyBridge()
    node, by = bridge.to_node(expr), bridge.variable(x)
    twice = sb.grad(sb.grad(node, by), by)
    inputs = [v for v in (X, Y) if v in (by, bridge.variable(y))]
    found = sb.lambdify(inputs, twice, functions=ALL)(0.3, 0.7)
    plain = expr.replace(f, sympy.sin).replace(g, lambda u, v: u * v**3).diff(x, 2)
    np.testing.assert_allclose(found, float(plain.subs({x: 0.3, y: 0.7})), rtol=1e-12)


@pytest.mark.parametrize(
    "expr",
    [f(x), f(2) + g(x, y) ** 2, Function("h", real=True)(x), Function("h", positive=False)(x), Cube(x), Bare(3)],
    ids=str,
)
def test_a_function_comes_back_as_it_was(expr: sympy.Expr) -> None:
    bridge = SympyBridge()
    assert bridge.to_expr(bridge.to_node(expr)) == expr


@pytest.mark.parametrize(
    "expr",
    [
        f(x).diff(x, 2),
        f(x**2).diff(x),
        g(x * y, y).diff(y),
        g(f(t), t).diff(t),
        f(2 * x + 1).diff(x, 3),
        g(x, x).diff(x),
        sympy.cos(f(t)) * f(t).diff(t) ** 2,
    ],
    ids=str,
)
def test_derivatives_that_sympy_has_not_evaluated_come_in_and_go_out(expr: sympy.Expr) -> None:
    bridge = SympyBridge()
    assert sympy.expand(bridge.to_expr(bridge.to_node(expr)) - expr) == 0


def test_functions_in_sums_and_of_matrices_are_elementwise() -> None:
    n, i = symbols("n i", integer=True, positive=True)
    entries, matrix = sympy.IndexedBase("u", shape=(n,)), sympy.MatrixSymbol("A", n, n)
    u = sb.tensor("u", ("n",))
    total = from_sympy(sympy.Sum(f(entries[i]), (i, 0, n - 1)))
    np.testing.assert_allclose(sb.lambdify([u], sb.grad(total, u), functions=ALL)([0.1, 0.2]), np.cos([0.1, 0.2]))
    values = np.array([[0.1, 0.2], [0.3, 0.4]])
    np.testing.assert_allclose(sb.lambdify([matrix], matrix.applyfunc(f), functions=ALL)(values), np.sin(values))


def test_functions_of_arrays_are_elementwise_and_make_floats() -> None:
    node = of_f(V, sb.tensor("w", (3, 1)), sb.tensor("k", (), dtype="int64"))
    assert (node.shape, node.dtype.name) == ((3, *V.shape), "float64")
    assert of_f(sb.tensor("s", ("n",), dtype="float32")).dtype.name == "float32"
    assert of_f(sb.tensor("i", (2,), dtype="int8")).dtype.name == "float64"


def test_graphs_are_pickled_and_written() -> None:
    node = sb.grad(from_sympy(g(x * y, Function("h", positive=True)(x))), X)
    assert pickle.loads(pickle.dumps(node)) is node
    assert sb.loads(sb.dumps(node)) is node


@pytest.mark.parametrize(
    ("wrong", "right"), [('"f"', '"f()"'), ('["tuple",1]', '["tuple",-1]'), ('["tuple",1]', '["tuple",1,0]')]
)
def test_a_document_that_says_no_function_is_refused(wrong: str, right: str) -> None:
    text = sb.dumps(sb.grad(of_f(X), X)).replace(", ", ",")
    assert wrong in text
    with pytest.raises(errors.InputError, match="no symback graph"):
        sb.loads(text.replace(wrong, right))


def test_a_class_is_not_written() -> None:
    for write in (sb.dumps, pickle.dumps):
        with pytest.raises(errors.UsageError, match=r"applies the class Cube .* use sympy.Function\('Cube'\)"):
            write(from_sympy(Cube(x)))


# -- print ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "look", "text", "word"),
    [
        (Partial("f", (0,)), "f", "f", "f"),
        (Partial("f", (1,)), "f'", "f'", "df"),
        (Partial("f", (3,)), "f'''", "f'''", "d3f"),
        (Partial("f", (4,)), "f^{(4)}", "f^(4)", "d4f"),
        (Partial("alpha", (2,)), r"\alpha''", "alpha''", "d2alpha"),
        (Partial("g", (1, 0)), r"\partial_{1} g", "g_1", "g_1"),
        (Partial("g", (2, 1)), r"\partial_{1}^{2} \partial_{2} g", "g_112", "g_112"),
        (Partial("g", (0,) * 10 + (1,)), r"\partial_{11} g", "g_11", "g_11"),
        (Partial("g", (1,) + (0,) * 9 + (1,)), r"\partial_{1} \partial_{11} g", "g_1_11", "g_1_11"),
    ],
)
def test_looks_of_functions_and_their_derivatives(function: Partial, look: str, text: str, word: str) -> None:
    operands = [sb.tensor(f"x{k}") for k in range(len(function.orders))]
    node = applied(function, operands)
    assert latex(node).startswith(look + r"\left(")
    assert str(node).startswith(text + "(")
    assert (function.title, function.word) == (text, word)


def test_a_derivation_shows_the_derivative_of_an_undefined_function() -> None:
    loss = sb.let("E", sb.sum(of_f(sb.let("z", 2 * V)) ** 2))
    shown = sb.derive(loss, V).latex()
    assert r"\frac{\partial E}{\partial z} &= 2 f\left(z\right) \odot f'\left(z\right)" in shown
    assert r"f'\left(z\right) &" not in shown  # a line that says nothing of it


@pytest.mark.parametrize("expr", [Barred(x), Barred(x + y), Barred(x * y), Barred(Barred(x)), Barred(x) * y], ids=str)
def test_a_class_prints_itself(expr: sympy.Expr) -> None:
    assert latex(from_sympy(expr)).replace(" ", "") in (sympy.latex(expr).replace(" ", ""), r"y\overline{x}")


def test_a_class_prints_itself_with_axes_and_in_derivations() -> None:
    v = sb.tensor("v", (3,))
    assert latex(applied(Partial(Barred, (0,)), [2 * v])) == r"\overline{2 v}"
    assert r"\overline{x y}" in sb.derive(sb.let("L", from_sympy(Barred(x * y) ** 2)), X).latex()
    assert sb.derive(sb.let("L", from_sympy(Barred(x * y) ** 2)), X).html()


def test_texts_of_graphs_call_a_function_by_its_name() -> None:
    node = sb.grad(of_f(X), X)
    texts = sb.draw(of_f(X) * Y).svg() + str(sb.cost(node)) + sb.lambdify([X], node, functions=ALL).source
    assert "functions: f': 1" in texts
    assert UNDEFINED not in texts


# -- code -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("size", [0, 1, 40_000])
@pytest.mark.parametrize("style", ["readable", "fast"])
def test_emitted_values_and_gradients(style: str, size: int, dtype: str) -> None:
    v, w = sb.tensor("v", ("n",), dtype=dtype), sb.tensor("w", (), dtype=dtype)
    product = applied(Partial("g", (0, 0)), [v, w])
    loss = sb.sum(of_f(v * w) + product + sb.exp(-(of_f(v) ** 2)))
    run = sb.lambdify([v, w], [loss, *sb.grad(loss, [v, w])], functions=ALL, style=style)
    a, b = np.linspace(-1, 1, size).astype(dtype), np.array(0.7, dtype)
    value, by_v, by_w = run(a, b)
    assert by_v.dtype == by_w.dtype == np.dtype(dtype)
    near = {"rtol": 1e-4, "atol": 1e-2} if dtype == "float32" else {"rtol": 1e-10, "atol": 1e-8}
    bell = np.exp(-(np.sin(a) ** 2))
    np.testing.assert_allclose(value, np.sum(np.sin(a * b) + a * b**3 + bell), **near)
    np.testing.assert_allclose(by_v, b * np.cos(a * b) + b**3 - 2 * np.sin(a) * np.cos(a) * bell, **near)
    np.testing.assert_allclose(by_w, np.sum(a * np.cos(a * b) + 3 * a * b**2), **near)


@pytest.mark.parametrize("partials", [BY_ORDERS, NESTED], ids=["orders", "nested"])
def test_partial_derivatives_are_given_by_orders_or_nested(partials: Any) -> None:
    (hessian,) = [sb.hessian(g(x, y) * y, [x, y])]
    nodes = sb.hessian(from_sympy(g(x, y) * y), [X, Y])
    found = sb.lambdify([X, Y], nodes, functions={"g": partials})(0.3, 0.7)
    wanted = sympy.hessian(x * y**4, [x, y]).subs({x: 0.3, y: 0.7})
    np.testing.assert_allclose(np.array(found), np.array(wanted, dtype=float), rtol=1e-12)
    assert hessian[0][0] == y * sympy.Derivative(g(x, y), (x, 2))


def test_the_module_makes_the_function_of_given_ones_and_says_what_they_are(tmp_path: Path) -> None:
    run = sb.lambdify([x, y], sb.grad(f(x) * g(x, y), [x, y]), functions=ALL, name="slope")
    assert "def make_slope(f, df, g, g_1, g_2):" in run.source
    assert "        df: The derivative of f.\n" in run.source
    assert "        g_2: The partial derivative of g by argument 2.\n" in run.source
    assert "df, the derivative of f" in (run.__doc__ or "")
    module: dict[str, Any] = {}
    exec(run.save(tmp_path / "slope.py").read_text(), module)
    partials = [BY_ORDERS[key] for key in ((0, 0), (1, 0), (0, 1))]
    again = module["make_slope"](np.sin, np.cos, *partials)
    np.testing.assert_array_equal(again(0.3, 0.7), run(0.3, 0.7))
    with pytest.raises(module["InputError"], match="df must be a function, not 3"):
        module["make_slope"](np.sin, 3, *partials)


def test_a_compiled_function_is_pickled_with_the_functions_it_was_given() -> None:
    run = sb.lambdify([X], of_f(X), functions={"f": np.sin})
    assert pickle.loads(pickle.dumps(run))(0.5) == np.sin(0.5)


def test_names_of_arguments_and_of_python_stay_what_they_are() -> None:
    max_of = Function("max")
    run = sb.lambdify([Symbol("f"), x], f(x) * Symbol("f") + max_of(x), functions={"f": np.sin, "max": np.cos})
    assert "def make_function(f_2, max_):" in run.source
    np.testing.assert_allclose(run(2.0, 0.5), 2 * np.sin(0.5) + np.cos(0.5))


def test_a_function_that_returns_its_argument_shares_no_memory() -> None:
    given = np.array([1.0, 2.0])
    for style in ("readable", "fast"):
        sb.lambdify([V], of_f(V), functions={"f": lambda u: u}, style=style)(given)[0] = 9
    np.testing.assert_array_equal(given, [1.0, 2.0])


def test_a_batch_of_examples() -> None:
    many = sb.batch(of_f(X) * Y, {"x": "N"})
    found = sb.lambdify([sb.tensor("x", ("N",)), Y], many, functions=ALL)([0.1, 0.2], 3.0)
    np.testing.assert_allclose(found, 3 * np.sin([0.1, 0.2]))


def test_new_values_are_written_in_place() -> None:
    step = sb.lambdify([V], [], updates={V: V - sb.grad(sb.sum(of_f(V)), V)}, functions=ALL)
    values = np.ones(2)
    step(values)
    np.testing.assert_allclose(values, 1 - np.cos(1.0))


# -- subclasses -------------------------------------------------------------------------------------------


def test_fdiff_states_the_derivative_of_a_class() -> None:
    assert sb.grad(Cube(x * y), x) == 3 * x**2 * y**3
    assert sb.grad(Soft(x, y), x) == 1 / (1 + sympy.exp(-x * y))
    v = sb.tensor("v", (3,))
    node = sb.grad(sb.sum(applied(Partial(Cube, (0,)), [v])), v)
    np.testing.assert_allclose(sb.lambdify([v], node)([1.0, 2.0, 3.0]), [3.0, 12.0, 27.0])


def test_the_spelling_of_a_class_is_its_own_or_given() -> None:
    assert sb.lambdify([x], Cube(x))(2.0) == 8.0
    assert sb.lambdify([x], Cube(x), functions={"Cube": np.cos})(0.0) == 1.0
    run = sb.lambdify([x, y], Soft(x, y), functions={"Soft": lambda a, b: np.log1p(np.exp(a * b)) / b})
    np.testing.assert_allclose(run(0.5, 2.0), np.log1p(np.e) / 2)


def test_an_implemented_function_brings_its_spelling() -> None:
    sine = implemented_function("sine", np.sin)
    assert sb.lambdify([x], sine(x))(0.5) == np.sin(0.5)
    slope = sb.lambdify([X], sb.grad(from_sympy(sine(x)), X), functions={"sine": (None, np.cos)})
    assert slope(0.5) == np.cos(0.5)


def test_gradients_of_classes_with_values_are_checked() -> None:
    assert sb.check_grad(from_sympy(Cube(x) * y), X).passed
    assert sb.check_grad(from_sympy(Soft(x, y) * y), X).passed
    assert sb.derive(sb.let("L", from_sympy(Soft(x, y) * y)), X).verify().passed


# -- what is refused ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outputs", "functions", "reason"),
    [
        (f(x), {}, r"f is undefined; say what it is: functions=\{'f': a NumPy function\}"),
        (f(x).diff(x), {"f": np.sin}, r"the derivative of f is needed and not given; .*\{'f': \(f, df\)\}"),
        (f(x).diff(x, 2), {"f": SINE[:2]}, r"the second derivative of f .*\{'f': \(f, df, d2f\)\}"),
        (f(x).diff(x, 2), {"f": (np.sin, np.cos, None)}, "the second derivative of f is needed"),
        (g(x, y).diff(y), {"g": np.hypot}, r"derivative of g by argument 2 .*\(0, 1\): g_2, \.\.\.\}\}"),
        (g(x, y).diff(x, y), {"g": NESTED[:2]}, "the partial derivative of g by arguments 1, 2 is needed"),
        (g(x, y).diff(y), {"g": (np.hypot, np.hypot)}, "the partial derivative of g by argument 2 is needed"),
        (Soft(x, y), {}, "Soft is undefined; say what it is"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_missing_is_named(outputs: Any, functions: Mapping[str, Any], reason: str) -> None:
    made = {
        f(x).diff(x): lambda: sb.grad(of_f(X), X),
        f(x).diff(x, 2): lambda: sb.grad(sb.grad(of_f(X), X), X),
        g(x, y).diff(y): lambda: sb.grad(from_sympy(g(x, y)), Y),
        g(x, y).diff(x, y): lambda: sb.grad(sb.grad(from_sympy(g(x, y)), X), Y),
    }.get(outputs, lambda: from_sympy(outputs))()
    with pytest.raises(errors.InputError, match=reason):
        sb.lambdify([X, Y], made, functions=functions)


@pytest.mark.parametrize(
    "functions", [3, {"f": 3}, {3: np.sin}, {"f": {-1: np.sin}}, {"f": {(): np.sin}}, {"f": (np.sin, "cos")}], ids=str
)
def test_what_functions_cannot_be_is_refused(functions: Any) -> None:
    with pytest.raises(errors.InputError, match=r"cannot be used: .*give a dict from names of functions"):
        sb.lambdify([x], f(x), functions=functions)


@pytest.mark.parametrize(
    ("expr", "kind", "reason"),
    [
        (Function("f'")(x), errors.InvalidNameError, "no ASCII identifier"),
        (f(), errors.UsageError, r"f\(\) has no arguments"),
        (Function("f", imaginary=True)(x), errors.UsageError, "function f: .*not real numbers"),
        (Function("f", commutative=False)(x), errors.UsageError, "function f: .*do not commute"),
    ],
    ids=["name", "arguments", "imaginary", "order"],
)
def test_functions_that_have_no_counterpart_are_refused(expr: Any, kind: type[Exception], reason: str) -> None:
    with pytest.raises(kind, match=reason):
        from_sympy(expr)


@pytest.mark.parametrize("other", [f(x, y), Function("f", positive=True)(x)], ids=["arity", "assumptions"])
def test_two_functions_of_one_name_are_refused(other: sympy.Expr) -> None:
    with pytest.raises(errors.InvalidNameError, match="two different functions are called 'f'"):
        sb.lambdify([x, y], f(x) + other, functions={"f": np.sin})


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (np.sum, r"f must work entry by entry: it gives the shape \(\) of arguments of shape \(2,\); .*np.full_like"),
        (lambda u: u + 1j, "f must give real numbers, not complex128"),
        (lambda u: u.astype(str), "f must give real numbers"),
    ],
    ids=["shape", "complex", "text"],
)
def test_a_function_that_is_not_elementwise_is_refused(function: Any, reason: str) -> None:
    with pytest.raises(errors.InputError, match=reason):
        sb.lambdify([V], of_f(V), functions={"f": function})([1.0, 2.0])


def test_a_function_that_writes_to_its_argument_raises() -> None:
    def double(u: Any) -> Any:
        u *= 2
        return u

    with pytest.raises(ValueError, match="read-only"):
        sb.lambdify([V], of_f(V), functions={"f": double})([1.0, 2.0])


def test_checks_refuse_an_undefined_function_with_what_to_do() -> None:
    for check in (lambda: sb.check_grad(of_f(X), X), lambda: sb.derive(sb.let("L", of_f(X)), X).verify()):
        with pytest.raises(errors.UsageError, match=r"the function f has no value: .*functions=.*implemented_function"):
            check()


def test_derivatives_of_functions_that_act_on_each_entry_are_read_again() -> None:
    """What `grad` gives holds `Derivative(f(d), d)`, where d stands for a matrix."""
    A, d = sympy.MatrixSymbol("A", 3, 2), sympy.Symbol("d")
    at, given = np.arange(6.0).reshape(3, 2) / 5, {"f": (np.sin, np.cos, lambda x: -np.sin(x))}
    loss = sympy.Trace(A.applyfunc(sympy.Function("f")) * A.T)
    slope = sb.lambdify([A], sb.grad(loss, A), functions=given)(at)
    np.testing.assert_allclose(slope, np.sin(at) + at * np.cos(at), rtol=1e-14)
    inner = sympy.Subs(sympy.Derivative(sympy.Function("f")(x), (x, 2)), x, d**2)
    curve = sb.lambdify([A], A.applyfunc(sympy.Lambda(d, inner)), functions=given)(at)
    np.testing.assert_allclose(curve, -np.sin(at**2), rtol=1e-14)
    mixed = sympy.Lambda(d, sympy.Derivative(sympy.sin(x * d), x, d, evaluate=False))
    found = sb.lambdify([A, x], A.applyfunc(mixed))(at, 0.7)
    np.testing.assert_allclose(found, np.cos(0.7 * at) - 0.7 * at * np.sin(0.7 * at), rtol=1e-14)
    entry = sympy.Lambda(d, sympy.Derivative(sympy.sin(d * A[0, 0]), A[0, 0], evaluate=False))
    with pytest.raises(errors.DerivativeError, match=r"by A\[0, 0\], which is no real scalar"):
        sb.from_sympy(A.applyfunc(entry))


@pytest.mark.parametrize("found", ["3*x", None, sympy.Matrix([[1]]), sympy.true], ids=str)
def test_a_derivative_that_is_no_expression_is_refused(found: Any) -> None:
    kind = type("Odd", (Function,), {"fdiff": lambda self, argindex=1: found})
    with pytest.raises(
        errors.UsageError, match=r"Odd.fdiff gives .*no scalar expression of SymPy; return one of self.args"
    ):
        sb.grad(kind(x), x)
