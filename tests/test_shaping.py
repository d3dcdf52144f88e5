"""Arrays arranged anew: what NumPy refuses, forms of arguments, dtypes, symbolic sizes, emitted code."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symback as sb
from symback.check.evaluate import evaluate
from symback.errors import DtypeError, InputError, ShapeError, SymbackError, UsageError
from symback.nodes.apply import Apply, Operation

x, X, T = sb.tensor("x", (4,)), sb.tensor("X", (2, 3)), sb.tensor("T", (2, 3, 4))
v, V = sb.tensor("v", ("n",)), sb.tensor("V", ("n", 3))
s, i, b = sb.tensor("s"), sb.tensor("i", (4,), dtype="int64"), sb.tensor("b", (2, 2), dtype="bool")
n = v.shape[0]


def draw(shape: tuple[int, ...], dtype: str = "float64") -> Any:
    return np.asarray(np.random.default_rng(1).integers(0, 5, shape)).astype(dtype)


def agree(call: Callable[..., Any], *arrays: Any) -> None:
    """Compare a call on nodes, evaluated and emitted, with NumPy: values, shapes, dtypes."""
    nodes = [sb.tensor(f"x{k}", array.shape, dtype=array.dtype) for k, array in enumerate(arrays)]
    node, wanted = call(sb, *nodes), np.asarray(call(np, *arrays))
    point = dict(zip(nodes, arrays, strict=True))
    for found in (evaluate(node, point), sb.lambdify(nodes, node, check=False)(*arrays)):
        assert (np.shape(found), np.asarray(found).dtype) == (wanted.shape, wanted.dtype)
        np.testing.assert_allclose(found, wanted)


def body(inputs: list[Any], outputs: Any) -> list[str]:
    """Return the statements of the emitted function."""
    source = sb.lambdify(inputs, outputs, check=False).source
    return [line.strip() for line in source[source.rindex('"""') + 3 :].strip().splitlines()]


# -- refusals ----------------------------------------------------------------------------------------

REFUSED: dict[str, tuple[Callable[[], Any], type[SymbackError], str]] = {
    "column-major reshape": (lambda: sb.reshape(X, 6, order="F"), UsageError, "reshape: order='F' is not supported"),
    "column-major ravel": (lambda: np.ravel(X, order="F"), UsageError, "ravel: order='F' is not supported"),
    "reshape to nothing": (lambda: sb.reshape(X), UsageError, "give shape or newshape, one of them"),
    "reshape of another count": (lambda: sb.reshape(X, (4, 2)), ShapeError, "the number of entries differs"),
    "reshape of none by -1": (lambda: sb.reshape(sb.tensor("e", (0, 3)), (0, -1)), ShapeError, "cannot become"),
    "squeeze of 3": (lambda: sb.squeeze(X, 1), ShapeError, "squeeze: axis 1"),
    "a new axis twice": (lambda: sb.expand_dims(x, (0, 0)), ShapeError, "expand_dims: axis"),
    "unlike sizes": (lambda: sb.broadcast_arrays(v, sb.tensor("w", ("m",))), ShapeError, "broadcasts only against"),
    "a size is not 1": (lambda: sb.broadcast_to(v, (5,)), ShapeError, "cannot broadcast"),
    "stack of unlike": (lambda: sb.stack([x, X]), ShapeError, "stack: x .* must have one shape"),
    "stack beyond": (lambda: sb.stack([x, x], axis=2), ShapeError, "stack: axis 2"),
    "stack of none": (lambda: sb.stack([]), ShapeError, "stack needs at least one operand"),
    "float into integer": (lambda: sb.concatenate([x, x], dtype="int64"), DtypeError, "int64 does not hold"),
    "blocks of unlike depth": (lambda: sb.block([[X], X]), ShapeError, "nested to the same depth"),
    "an empty block": (lambda: sb.block([[], []]), ShapeError, "none may be empty"),
    "unequal parts": (lambda: sb.split(x, 3), ShapeError, r"cannot be cut into 3 equal parts; use sb.array_split"),
    "symbolic parts": (lambda: sb.split(v, 2), ShapeError, r"whether 2 divides n is not known .* \(such as 2\*m\)"),
    "symbolic unequal parts": (lambda: sb.array_split(v, 2), ShapeError, "whether 2 divides n"),
    "parts of a float": (lambda: sb.split(x, [0.5]), UsageError, "split: .* integers that are known"),
    "no parts": (lambda: sb.split(x, 0), UsageError, "split: indices_or_sections=0"),
    "dsplit of a matrix": (lambda: sb.dsplit(X, 2), ShapeError, "dsplit: X .* wanted at least 3"),
    "unstack of n": (lambda: sb.unstack(v), ShapeError, "depends on the symbolic size n of axis 0"),
    "delete beyond": (lambda: sb.delete(x, 4), ShapeError, "delete: position 4 is out of range"),
    "delete from the end of n": (lambda: sb.delete(v, -1), ShapeError, "depends on the symbolic size n"),
    "delete at a node": (lambda: sb.delete(x, i), UsageError, "delete: obj=.* integers that are known"),
    "insert a float into integers": (lambda: sb.insert(i, 0, 0.5), DtypeError, "insert: .* int64 does not hold"),
    "insert backwards": (lambda: sb.insert(x, [2, 1], 0.0), UsageError, "increasing order"),
    "fliplr of a vector": (lambda: sb.fliplr(x), ShapeError, "fliplr: x .* at least 2"),
    "flip of no axis": (lambda: sb.flip(x, 1), ShapeError, "flip: axis 1"),
    "roll by a node": (lambda: sb.roll(x, s), UsageError, "roll: shift=.* integers that are known"),
    "roll along one of two": (lambda: sb.roll(X, (1, 2, 3), (0, 1)), ShapeError, "roll: shift has 3 entries"),
    "rot90 in a line": (lambda: sb.rot90(X, axes=(0, 0)), ShapeError, "rot90: axis"),
    "rot90 by half": (lambda: sb.rot90(X, 0.5), UsageError, "rot90: k=0.5"),
    "repeat by floats": (lambda: sb.repeat(x, [0.5] * 4), UsageError, "repeat: repeats="),
    "repeat by too few": (lambda: sb.repeat(x, [1, 2]), ShapeError, "repeat: repeats has 2 entries .* wanted 4"),
    "repeat less than never": (lambda: sb.repeat(x, [1, -1, 0, 0]), ShapeError, "-1 is no size"),
    "tile less than never": (lambda: sb.tile(x, -1), ShapeError, "-1 is no size"),
    "pad by a mean": (lambda: np.pad(x, 1, mode="mean"), InputError, "pad: mode='mean' is not known; use 'constant'"),
    "pad an empty axis": (lambda: sb.pad(sb.tensor("e", (0,)), 1, "edge"), ShapeError, "axis 0 of e .* is empty"),
    "pad by less": (lambda: sb.pad(x, -1), ShapeError, "-1 is no size"),
    "pad three axes of two": (lambda: sb.pad(X, ((1, 1), (2, 2), (3, 3))), ShapeError, "pad: pad_width has"),
    "pad unevenly": (lambda: sb.pad(X, ((1, 1), (2,))), ShapeError, "pad: lists must be nested to the same depth"),
    "pad along no axis": (lambda: sb.pad(X, {2: 1}), ShapeError, "pad: axis 2"),
    "pad integers by a half": (lambda: sb.pad(i, 1, constant_values=0.5), DtypeError, "pad: .* int64 does not hold"),
    "pad bytes by 300": (lambda: sb.pad(b.astype("uint8"), 1, constant_values=300), DtypeError, "not fit uint8"),
    "pad by a vector": (lambda: sb.pad(x, 1, constant_values=(x, x)), ShapeError, "pad: x .*one constant"),
    "constants at an edge": (lambda: sb.pad(x, 1, "edge", constant_values=1), UsageError, "has no constants"),
    "tril of a number": (lambda: sb.tril(s), ShapeError, "tril: s .* wanted at least 1"),
    "tril at a half": (lambda: sb.tril(X, 0.5), UsageError, "tril: k=0.5"),
    "diff of a number": (lambda: sb.diff(s), ShapeError, "diff: axis -1"),
    "diff less than never": (lambda: sb.diff(x, -1), UsageError, "diff: n=-1"),
    "slope of one": (lambda: sb.gradient(sb.tensor("o", (1,))), ShapeError, "needs at least 2 samples"),
    "uneven slope": (lambda: sb.gradient(x, x), ShapeError, "gradient: x .*evenly spaced"),
    "too many distances": (lambda: sb.gradient(x, 1, 2), ShapeError, "gradient: varargs has 2 entries"),
    "a range to a node": (lambda: sb.arange(s), UsageError, "arange: .* known when the graph is built"),
    "a range by halves to n": (lambda: sb.arange(0, n, 0.5), UsageError, "arange: 0.5 must be a number"),
    "so many numbers": (lambda: sb.linspace(0, 1, n), UsageError, "linspace: num=n"),
    "a grid of matrices": (lambda: sb.meshgrid(X, x), ShapeError, "meshgrid: X .* wanted 0 or 1"),
    "a grid in no order": (lambda: sb.meshgrid(x, indexing="yx"), InputError, "meshgrid: indexing='yx'"),
    "eye at a half": (lambda: sb.eye(3, k=0.5), UsageError, "eye: k=0.5"),
    "full of another shape": (lambda: sb.full((3,), X), ShapeError, "cannot broadcast"),
    "resize": (lambda: np.resize(x, (2, 2)), UsageError, "numpy.resize"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_says_why(name: str) -> None:
    call, kind, message = REFUSED[name]
    with pytest.raises(kind, match=message):
        call()


PARAMETERS: dict[str, tuple[str, Any, tuple[Any, ...]]] = {
    "words for counts": ("repeat_along", x, ("n", -1)),
    "counts of another axis": ("repeat_along", x, ((1, 2), -1)),
    "an axis from the first": ("repeat_along", x, (2, 0)),
    "too few repetitions": ("tile_by", X, ((2,),)),
    "words for repetitions": ("tile_by", x, (("n",),)),
    "runs of another length": ("sum_runs", x, ((1, 2), -1)),
    "shifts by halves": ("roll_along", x, ((0.5,), (-1,))),
    "an axis twice": ("flip_along", X, ((-1, -1),)),
    "no axes": ("flip_along", X, (-1,)),
    "one width": ("pad_zeros", X, (((1, 1),),)),
    "no mode": ("pad_border", x, (((1, 1),), "mean")),
    "a border that is not there": ("unpad", x, (((3, 3),), "edge")),
    "no border": ("unpad", x, (((0, 0),), "edge")),
    "half a diagonal": ("tril_at", X, (0.5,)),
    "differences less than never": ("diff_along", x, (0, -1)),
    "no axis": ("diff_along", x, (1, 0)),
    "stack along no axis": ("stack_along", x, (-3,)),
    "another count": ("reshape_to", x, ((5,),)),
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters_that_a_stranger_wrote_are_checked(name: str) -> None:
    primitive, operand, parameters = PARAMETERS[name]
    with pytest.raises(SymbackError):
        Apply(Operation(primitive, *parameters), operand)


@pytest.mark.parametrize(
    "operation", [("eye_of", "n", 2, 0, "float64"), ("arange_to", 3, "text"), ("arange_to", "n", "int64")]
)
def test_parameters_of_what_has_no_operands_are_checked(operation: Any) -> None:
    with pytest.raises(SymbackError):
        Apply(Operation(*operation))
    with pytest.raises(UsageError, match="1 operands where 0 are needed"):
        Apply(Operation("arange_to", 3, "int64"), x)


# -- forms and dtypes ----------------------------------------------------------------------------------

FORMS: dict[str, Callable[..., Any]] = {
    "pad by a number": lambda xp, a: xp.pad(a, 2),
    "pad by a list of one": lambda xp, a: xp.pad(a, [2]),
    "pad by a pair": lambda xp, a: xp.pad(a, (1, 2)),
    "pad by one pair": lambda xp, a: xp.pad(a, ((1, 2),)),
    "pad by one number for each axis": lambda xp, a: xp.pad(a, ((1,), (2,)), mode="wrap"),
    "pad by an array": lambda xp, a: xp.pad(a, np.array([[1, 2], [0, 3]]), mode="symmetric"),
    "pad by nothing": lambda xp, a: xp.pad(a, 0, mode="edge"),
    "pad by constants for each axis": lambda xp, a: xp.pad(a, 1, constant_values=((1,), (2,))),
    "pad by a pair of constants": lambda xp, a: xp.pad(a, ((1, 1), (0, 2)), constant_values=(3, 4)),
    "reflect wider than the array": lambda xp, a: xp.pad(a, 7, mode="reflect"),
    "newshape and order": lambda xp, a: xp.reshape(a, (3, -1), order="C"),
    "concatenate with a list": lambda xp, a: xp.concatenate([a, [[1, 2, 3]]]),
    "hstack with a list": lambda xp, a: xp.hstack([xp.ravel(a), [1, 2], 3]),
    "stack of numbers": lambda xp, a: xp.stack([a[0, 0], 2, a[0, 1]]),
    "append a number": lambda xp, a: xp.append(a, 1),
    "diff behind a number": lambda xp, a: xp.diff(a, prepend=1, axis=0),
    "tril": lambda xp, a: xp.tril(a, np.int64(1)),
    "roll by NumPy's integer": lambda xp, a: xp.roll(a, np.int64(2), axis=np.int64(1)),
    "repeat by an array": lambda xp, a: xp.repeat(a, np.array([1, 0, 2]), axis=1),
    "repeat by a list of one": lambda xp, a: xp.repeat(a, [2], axis=0),
    "insert a number at the end": lambda xp, a: xp.insert(a, 3, a[0, 0], axis=1),
    "insert two rows at one place": lambda xp, a: xp.insert(a, [1], a, axis=0),
    "delete all": lambda xp, a: xp.delete(a, slice(None), axis=1),
    "delete nothing": lambda xp, a: xp.delete(a, [], axis=1),
    "flip of two": lambda xp, a: xp.flip(a, (0, -1)),
    "tile by NumPy's integers": lambda xp, a: xp.tile(a, (np.int64(2), 1, 1)),
    "copy": lambda xp, a: xp.copy(a),
    "full_like": lambda xp, a: xp.full_like(a, 1),
    "ones_like": lambda xp, a: xp.ones_like(a, shape=(2, 2)),
    "squeeze": lambda xp, a: xp.squeeze(a[:1], axis=0),
}


@pytest.mark.parametrize("dtype", ["float32", "int32", "uint8"])
@pytest.mark.parametrize("name", FORMS)
def test_every_form_of_arguments_in_every_dtype(name: str, dtype: str) -> None:
    agree(FORMS[name], draw((2, 3), dtype))


BOOLEANS: dict[str, Callable[..., Any]] = {
    "tril": lambda xp, a: xp.tril(a),
    "pad": lambda xp, a: xp.pad(a, 1, constant_values=True),
    "pad zeros": lambda xp, a: xp.pad(a, 1),
    "diff": lambda xp, a: xp.diff(a, 2),
    "concatenate": lambda xp, a: xp.concatenate([a, a]),
    "concatenate with integers": lambda xp, a: xp.concatenate([a, [[1, 2, 3]]]),
    "roll": lambda xp, a: xp.roll(a, 1),
    "zeros_like": lambda xp, a: xp.zeros_like(a),
}


@pytest.mark.parametrize("name", BOOLEANS)
def test_booleans(name: str) -> None:
    agree(BOOLEANS[name], draw((2, 3)) > 2)


def test_a_border_may_be_a_node() -> None:
    a, c = sb.tensor("a", (2, 2)), sb.tensor("c")
    node = sb.pad(a, ((1, 0), (0, 2)), constant_values=((c, 0), (5, 2 * c)))
    values, number = np.arange(4.0).reshape(2, 2), 3.0
    wanted = np.pad(values, ((1, 0), (0, 2)), constant_values=((number, 0), (5, 2 * number)))
    np.testing.assert_array_equal(evaluate(node, {a: values, c: number}), wanted)
    assert evaluate(sb.grad(sb.sum(node), c), {a: values, c: number}) == 2 + 2 * 6


def test_what_lies_within_a_border_does_not_leak_into_its_derivative() -> None:
    a, c = sb.tensor("a", (2,)), sb.tensor("c")
    loss = sb.sum(sb.pad(a, 1, constant_values=c) * sb.constant([1.0, np.nan, np.inf, 2.0]))
    assert evaluate(sb.grad(loss, c), {a: np.ones(2), c: 1.0}) == 3


def test_a_triangle_holds_back_nan() -> None:
    values = np.array([[1.0, np.nan], [2.0, np.inf]])
    A = sb.tensor("A", (2, 2))
    (found,) = [evaluate(sb.grad(sb.sum(sb.tril(A) * sb.constant(values)), A), {A: np.ones((2, 2))})]
    np.testing.assert_array_equal(found, [[1.0, 0.0], [2.0, np.inf]])


# -- sizes ---------------------------------------------------------------------------------------------

SIZES: dict[str, tuple[Callable[[], Any], str]] = {
    "reshape": (lambda: sb.reshape(V, (-1,)), "(3*n,)"),
    "tile by a size": (lambda: sb.tile(v, ("m", 2)), "(m, 2*n)"),
    "repeat by a size": (lambda: sb.repeat(v, "m"), "(m*n,)"),
    "pad by a size": (lambda: sb.pad(v, (n, 1)), "(2*n + 1,)"),
    "diff": (lambda: sb.diff(v, 2), "(n - 2,)"),
    "diff between ends": (lambda: sb.diff(v, prepend=0, append=0), "(n + 1,)"),
    "concatenate": (lambda: sb.concatenate([v, v, sb.ones(2)]), "(2*n + 2,)"),
    "stack": (lambda: sb.stack([v, v], 1), "(n, 2)"),
    "split of 2*n": (lambda: sb.split(sb.concatenate([v, v]), 2)[1], "(n,)"),
    "split at 1": (lambda: sb.split(v, [1])[1], "(n - 1,)"),
    "delete": (lambda: sb.delete(V, 1, axis=0), "(n - 1, 3)"),
    "insert": (lambda: sb.insert(v, [0, 2], 1.0), "(n + 2,)"),
    "flip": (lambda: sb.flip(V), "(n, 3)"),
    "rot90": (lambda: sb.rot90(V), "(3, n)"),
    "eye": (lambda: sb.eye("n", "m", 1), "(n, m)"),
    "arange": (lambda: sb.arange(2, n + 1), "(n - 1,)"),
    "indices": (lambda: sb.indices(("n", "m")), "(2, n, m)"),
    "trapezoid": (lambda: sb.trapezoid(V), "(n,)"),
    "gradient": (lambda: sb.gradient(v), "(n,)"),
    "meshgrid": (lambda: sb.meshgrid(v, x)[0], "(4, n)"),
    "block": (lambda: sb.block([[V, V], [sb.zeros((1, 6))]]), "(n + 1, 6)"),
}


@pytest.mark.parametrize("name", SIZES)
def test_sizes_of_results_are_written(name: str) -> None:
    call, wanted = SIZES[name]
    assert sb.errors.show_shape(call().shape) == wanted


@pytest.mark.parametrize("call", [lambda: sb.diff(v, 2), lambda: sb.sum(sb.arange(n - 2)) * v])
def test_a_size_that_comes_out_negative_is_refused_at_the_call(call: Any) -> None:
    f = sb.lambdify([v], call())
    f(np.ones(2))
    with pytest.raises(InputError, match="n >= 2"):
        f(np.ones(1))


def test_symbolic_ranges_and_identities_have_values() -> None:
    f = sb.lambdify([v], (sb.arange(1, n + 1), sb.eye("n", 3, -1), sb.tri("n"), sb.indices(("n", 2))))
    wanted = np.arange(1, 3), np.eye(2, 3, -1), np.tri(2), np.indices((2, 2))
    for found, value in zip(f(np.ones(2)), wanted, strict=True):
        assert found.dtype == value.dtype
        np.testing.assert_array_equal(found, value)


def test_shape_ndim_and_size_are_functions() -> None:
    assert np.shape(V) == sb.shape(V) == (n, 3)
    assert np.ndim(V) == sb.ndim(V) == 2
    assert np.size(V) == sb.size(V) == 3 * n
    assert np.size(X, 1) == 3
    assert np.size(T) == 24
    assert np.size(s) == 1
    assert sb.size("n") is sb.constant(n)


THROUGH_NUMPY: list[Callable[..., Any]] = [
    lambda xp: xp.roll(X, 1, axis=0), lambda xp: xp.flip(X), lambda xp: xp.rot90(X), lambda xp: xp.tile(x, 2),
    lambda xp: xp.repeat(x, 2), lambda xp: xp.pad(X, 1, mode="edge"), lambda xp: xp.tril(X),
    lambda xp: xp.diff(x, append=0),
    lambda xp: xp.block([[X, X], [X, X]]), lambda xp: xp.append(x, 1.0), lambda xp: xp.stack([x, x], axis=-1),
    lambda xp: xp.vstack((x, x)), lambda xp: xp.column_stack([x, x]), lambda xp: xp.concatenate([x, v], axis=0),
    lambda xp: xp.split(x, 2)[0], lambda xp: xp.array_split(x, 3)[2], lambda xp: xp.delete(x, 1),
    lambda xp: xp.insert(x, 1, s),
    lambda xp: xp.meshgrid(x, v)[1], lambda xp: xp.linspace(s, 1, 3), lambda xp: xp.trapezoid(x, dx=2),
    lambda xp: xp.gradient(x), lambda xp: xp.ediff1d(x), lambda xp: xp.broadcast_arrays(x, s)[1], lambda xp: xp.copy(x),
    lambda xp: xp.atleast_2d(x), lambda xp: xp.full_like(X, 2.0), lambda xp: xp.zeros_like(X, dtype="float32"),
    lambda xp: xp.expand_dims(x, 0), lambda xp: xp.squeeze(X[:1]), lambda xp: xp.broadcast_to(x, (2, 4)),
    lambda xp: xp.reshape(X, (3, 2)), lambda xp: xp.ravel(X), lambda xp: xp.ones_like(X, shape=(2,)),
]  # fmt: skip


@pytest.mark.parametrize("call", THROUGH_NUMPY)
def test_numpys_functions_give_the_same_nodes(call: Callable[..., Any]) -> None:
    assert call(np) is call(sb)


def test_numpys_older_names() -> None:
    assert np.concatenate([x, x]) is sb.concat([x, x])
    assert sb.reshape(X, newshape=(3, 2)) is sb.reshape(X, (3, 2))
    assert np.empty_like(X) is sb.zeros_like(X)


# -- conventions (rows 83 to 85, 93, 118 of the table of awkward points) -------------------------------------


@pytest.mark.parametrize(
    "shapes", [((1, 3), (4, 1)), ((), (1,), (1, 1), (2, 3)), ((1,), (0,)), ((1,), (4,)), ((2, 1), (3,))]
)
def test_gradients_have_the_shapes_of_what_was_broadcast(shapes: Any) -> None:
    operands = [sb.tensor(f"x{k}", shape) for k, shape in enumerate(shapes)]
    spread = sb.broadcast_arrays(*operands)
    gradients = sb.lambdify(operands, sb.grad(sb.sum(sum(spread)), operands), check=False)(*map(np.ones, shapes))
    entries = np.prod(np.broadcast_shapes(*shapes))
    for found, shape in zip(gradients, shapes, strict=True):
        np.testing.assert_array_equal(found, np.full(shape, entries / max(np.prod(shape), 1)))


def test_a_constant_derivative_has_the_shape_of_the_input() -> None:
    found = sb.lambdify([x], sb.grad(sb.sum(3 * sb.broadcast_to(x, (2, 4))), x))(np.ones(4))
    np.testing.assert_array_equal(found, [6.0, 6.0, 6.0, 6.0])


# -- identities and emitted code --------------------------------------------------------------------------


def test_what_undoes_itself_is_gone() -> None:
    assert sb.flip(sb.flip(X, 1), 1) is X
    assert sb.flip(sb.tensor("o", (1,))) is sb.tensor("o", (1,))
    assert sb.tril(sb.tril(X)) is sb.tril(X)
    assert sb.reshape(sb.reshape(X, 6), (2, 3)) is X
    assert sb.rot90(X, 4) is sb.tile(X, 1) is sb.pad(X, 0) is sb.diff(X, 0) is X


EMITTED: dict[str, tuple[Any, str, str]] = {
    "roll": (sb.roll(x, 1), "np.roll(x, 1)", "np.roll(w, -1)"),
    "flip": (sb.flip(x), "np.array(np.flip(x))", "np.flip(w)"),
    "diff": (sb.diff(x), "np.diff(x)", "-np.diff(np.pad(w, 1))"),
    "pad": (sb.pad(x, (1, 2)), "np.pad(x, (1, 2))", "w[1:5]"),
    "pad by 1": (sb.pad(x, 1, constant_values=1), "np.pad(x, 1, constant_values=1.0)", "w[1:5]"),
    "pad at the edge": (sb.pad(x, 1, "edge"), 'np.pad(x, 1, mode="edge")', 'unpad(w, ((1, 1),), mode="edge")'),
    "repeat": (sb.repeat(x, 2), "np.repeat(x, 2)", "np.sum(w.reshape((4, 2)), axis=1)"),
    "repeat by counts": (
        sb.repeat(x, [1, 0, 2, 1]), "np.repeat(x, [1, 0, 2, 1])", "sum_runs(w, [1, 0, 2, 1], axis=-1)",
    ),
    "tile": (sb.tile(x, 2), "np.tile(x, 2)", "np.sum(w.reshape((2, 4)), axis=0)"),
    "stack": (sb.stack([x, sb.ones(4)]), "np.stack([x, np.ones((4,))])", "w[0]"),
    "append": (sb.append(x, 2.0), "np.concatenate([x, np.full((1,), 2.0)])", "w[:4]"),
}  # fmt: skip


@pytest.mark.parametrize("name", EMITTED)
def test_emitted_code_is_what_one_would_write(name: str) -> None:
    node, value, gradient = EMITTED[name]
    w = sb.tensor("w", node.shape)
    (line,) = body([x, i], node)
    assert line == f"return {value}"
    lines = body([x, w], sb.grad(sb.sum(node * w), x))
    assert lines[0] in (f"d_x = {gradient}", f"return {gradient}")


def test_an_array_of_ones_widens_what_it_repeats() -> None:
    agree(lambda xp, a: xp.ones((2, 3)) * a, draw((3,), "float32"))
    agree(lambda xp, a: xp.eye(3) * a, draw((), "float32"))


def test_a_flip_is_a_view_and_is_copied_when_it_leaves() -> None:
    values = np.arange(4.0)
    found = sb.lambdify([x], sb.flip(x))(values)
    assert not np.shares_memory(found, values)


def test_nothing_is_rolled_by_no_shift_or_along_no_axis() -> None:
    agree(lambda xp, a: xp.roll(a, []), draw((2, 3)))
    agree(lambda xp, a: xp.roll(a, 1, []), draw((2, 3)))


@pytest.mark.parametrize("constant", [0, 1, True, 5])
def test_a_border_of_booleans_is_boolean(constant: int) -> None:
    agree(lambda xp, a: xp.pad(a, 1, constant_values=constant), draw((2,), "bool"))


text = np.array("a")
BARE: dict[str, Callable[[], Any]] = {
    "rot90": lambda: sb.rot90(X, 1, None),
    "arange": lambda: sb.arange(10**30),
    "arange by 0": lambda: sb.arange(0, 1, 0),
    "indices": lambda: sb.indices((10**30,)),
    "linspace": lambda: sb.linspace(0, 1, 10**30),
    "linspace of nodes": lambda: sb.linspace(s, 1, 10**30),
    "array_split": lambda: sb.array_split(X, 10**30),
    "axis": lambda: sb.sum(X, axis=text),
    "axes": lambda: sb.transpose(X, text),
    "offset": lambda: sb.diagonal(X, text),
    "exponent": lambda: sb.linalg.matrix_power(b, text),
    "tensordot": lambda: sb.tensordot(X, X, text),
    "ddof": lambda: sb.var(X, ddof=text),
    "bound": lambda: X[text:],
    "step": lambda: X[::text],
    "labels": lambda: sb.einsum(X, [text, text]),
    "trans": lambda: sb.linalg.solve_triangular(X[:, :2], x[:2], []),
    "cross_entropy": lambda: sb.cross_entropy(X, X, None),
    "cross_entropy along nothing": lambda: sb.cross_entropy(X, X, []),
    "percentile": lambda: sb.percentile(X, None),
    "percentile of text": lambda: sb.percentile(X, "a"),
    "percentile of lists": lambda: sb.percentile(X, [[1], [2, 3]]),
    "polygamma": lambda: sb.special.polygamma(10**30, X),
    "copy": lambda: sb.copy(X, order="Z"),
}


@pytest.mark.parametrize("name", BARE)
def test_arguments_of_another_kind_are_refused_by_name(name: str) -> None:
    with pytest.raises(SymbackError):
        BARE[name]()


@pytest.mark.parametrize("namespace", [sb.linalg, sb.special])
def test_completion_shows_what_is_public(namespace: Any) -> None:
    assert dir(namespace) == sorted(namespace.__all__)
