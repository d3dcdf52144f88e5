"""Products, convolutions, diagonals and the order of axes: what the generic tests do not reach."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symback as sb
from symback.check.evaluate import evaluate

RNG = np.random.default_rng(0)


def agree(function: Callable[..., Any], *arrays: Any) -> None:
    """Compare shape, dtype and value with NumPy's, of the oracle and of emitted code."""
    nodes = [sb.tensor(f"x{k}", array.shape, dtype=array.dtype) for k, array in enumerate(arrays)]
    node, wanted = function(sb, *nodes), np.asarray(function(np, *arrays))
    emitted = sb.lambdify(nodes, node)
    for found in (evaluate(node, dict(zip(nodes, arrays, strict=True))), emitted(*arrays)):
        assert (np.shape(found), np.asarray(found).dtype) == (wanted.shape, wanted.dtype), emitted.source
        np.testing.assert_allclose(found, wanted, rtol=1e-6 if wanted.dtype == "float32" else 1e-13, atol=1e-13)
    assert (node.shape, node.dtype) == (wanted.shape, wanted.dtype)


def draw(*shape: int, dtype: str = "float64") -> Any:
    return RNG.integers(-4, 5, shape).astype(dtype) if dtype[0] in "iu" else RNG.normal(size=shape).astype(dtype)


EINSUM: dict[str, tuple[Callable[..., Any], tuple[int, ...], tuple[int, ...]]] = {
    "lists with an output": (lambda xp, a, b: xp.einsum(a, [0, 1], b, [1, 2], [0, 2]), (2, 3), (3, 4)),
    "lists without": (lambda xp, a, b: xp.einsum(a, [3, 1], b, [1, 0]), (2, 3), (3, 4)),
    "lists with ellipses": (lambda xp, a, b: xp.einsum(a, [..., 0], b, [0, ...], [...]), (2, 3), (3, 2)),
    "a tuple of labels": (lambda xp, a, b: xp.einsum(a, (51, 26), b, (26, 0)), (2, 3), (3, 4)),
    "optimize": (lambda xp, a, b: xp.einsum("ij,jk", a, b, optimize="greedy"), (2, 3), (3, 4)),
    "upper case sorts first": (lambda xp, a, b: xp.einsum("aB,BC", a, b), (2, 3), (3, 4)),
    "spaces": (lambda xp, a, b: xp.einsum("i j ,j k -> k i", a, b), (2, 3), (3, 4)),
    "a size of 1 broadcasts": (lambda xp, a, b: xp.einsum("ij,jk->ik", a, b), (2, 1), (3, 4)),
    "an ellipsis of size 1": (lambda xp, a, b: xp.einsum("...j,...j->...", a, b), (2, 1, 3), (4, 3)),
    "a repeated label": (lambda xp, a, b: xp.einsum("iij,jk->ik", a, b), (2, 2, 3), (3, 4)),
    "an unused ellipsis": (lambda xp, a, b: xp.einsum("ij...,jk...->ik...", a, b), (2, 3), (3, 4)),
}


@pytest.mark.parametrize("form", EINSUM)
def test_einsum_in_every_form(form: str) -> None:
    function, left, right = EINSUM[form]
    agree(function, draw(*left), draw(*right))
    agree(function, draw(*left, dtype="int32"), draw(*right, dtype="int16"))


@pytest.mark.parametrize(
    "operands",
    [
        (), ("ij->ji",), ("ii", (1, 3)), ("i...j...", (2, 3)), ("i,j", (2,)), ("i->ii", (2,)), ("i->j", (2,)),
        ("...i->i", (2, 3)), ("i1", (2, 3)), ((2, 3), [0, 52]), ((2, 3), [0]), ((2, 3), [0, 1.5]),
        ((2, 3), [0, 1], [2]),
        ((2, 3), [..., ...]), ((2,), [0], (3,)), ((2, 3), 1),
    ],
    ids=str,
)  # fmt: skip
def test_einsum_refuses_what_numpy_refuses(operands: tuple[Any, ...]) -> None:
    nodes = [sb.tensor(f"x{k}", given) if type(given) is tuple else given for k, given in enumerate(operands)]
    arrays = [np.ones(given) if type(given) is tuple else given for given in operands]
    with pytest.raises(sb.errors.ShapeError, match="einsum"):
        sb.einsum(*nodes)
    with pytest.raises((ValueError, TypeError, IndexError)):
        np.einsum(*arrays)


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize(("n", "m"), [(1, 1), (2, 5), (5, 2), (4, 4), (5, 3), (3, 6)])
def test_convolve_and_correlate(n: int, m: int, mode: str) -> None:
    a, v = draw(n), draw(m)
    agree(lambda xp, a, v: xp.convolve(a, v, mode), a, v)
    agree(lambda xp, a, v: xp.correlate(a, v, mode), a, v)
    agree(lambda xp, a, v: xp.convolve(a, v, mode=mode), a.astype("float32"), draw(m, dtype="int16"))


@pytest.mark.parametrize("mode", ["full", "valid"])
def test_convolution_of_a_symbolic_length(mode: str) -> None:
    a, v = sb.tensor("a", ("n",)), sb.tensor("v", (3,))
    node = sb.convolve(a, v, mode)
    f = sb.lambdify([a, v], (node, *sb.grad(sb.sum(node**2), [a, v])))
    values, kernel = draw(6), draw(3)
    value, by_a, by_v = f(values, kernel)
    np.testing.assert_allclose(value, np.convolve(values, kernel, mode))
    matrix = np.array([np.convolve(row, kernel, mode) for row in np.eye(6)])
    np.testing.assert_allclose(by_a, 2 * matrix @ value)
    np.testing.assert_allclose(by_v, 2 * np.array([np.convolve(values, e, mode) for e in np.eye(3)]) @ value)


def test_a_valid_convolution_needs_room() -> None:
    a, v = sb.tensor("a", ("n",)), sb.tensor("v", (3,))
    with pytest.raises(sb.errors.InputError, match="n"):
        sb.lambdify([a, v], sb.convolve(a, v, "valid"))(np.ones(1), np.ones(3))


def test_cross_products_in_the_plane() -> None:
    a, b = sb.tensor("a", (4, 2)), sb.tensor("b", (2,))
    found = evaluate(sb.cross(a, b), {a: (u := draw(4, 2)), b: (v := draw(2))})
    np.testing.assert_allclose(found, u[:, 0] * v[1] - u[:, 1] * v[0])
    agree(lambda xp, a, b: xp.linalg.cross(a, b, axis=0), draw(3, 2), draw(3, 2))
    agree(lambda xp, a, b: xp.cross(a, b, axisa=0, axisc=0), draw(3, 2), draw(2, 3))


DIAGONALS: dict[str, Callable[..., Any]] = {
    "diagonal": lambda xp, x, k: xp.diagonal(x, k, axis1=1, axis2=-1),
    "trace": lambda xp, x, k: xp.trace(x, k, 2, 1),
    "linalg.diagonal": lambda xp, x, k: xp.linalg.diagonal(x, offset=k),
    "linalg.trace": lambda xp, x, k: xp.linalg.trace(x, offset=k),
    "diag of a matrix": lambda xp, x, k: xp.diag(x[0], k),
    "diag of a vector": lambda xp, x, k: xp.diag(x[0, 0], k),
    "diagflat": lambda xp, x, k: xp.diagflat(x[0], k),
}


@pytest.mark.parametrize("k", [-5, -2, -1, 0, 1, 2, 5])
@pytest.mark.parametrize("name", DIAGONALS)
def test_diagonals(name: str, k: int) -> None:
    function = DIAGONALS[name]
    for dtype in ("float64", "int8"):
        x = draw(2, 3, 4, dtype=dtype)
        agree(lambda xp, x: function(xp, x, k), x)


def test_diagonals_of_symbolic_sizes() -> None:
    A, B = sb.tensor("A", ("n", "n")), sb.tensor("B", ("n", 3))
    assert sb.diagonal(A, 1).shape == sb.diagonal(A, -1).shape == (A.shape[0] - 1,)
    assert sb.diag(sb.tensor("x", ("n",)), -2).shape == (A.shape[0] + 2,) * 2
    found = sb.lambdify([A], (sb.trace(A, 1), sb.grad(sb.trace(A, 1), A)))(np.arange(9.0).reshape(3, 3))
    np.testing.assert_array_equal(found[0], 6)
    np.testing.assert_array_equal(found[1], np.eye(3, k=1))
    with pytest.raises(sb.errors.ShapeError, match=r"diagonal: .*size n meets 3"):
        sb.diagonal(B)


def test_diag_of_booleans() -> None:
    agree(lambda xp, x: xp.diag(x), np.array([True, False]))
    agree(lambda xp, x: xp.diagonal(x), np.eye(3) > 0)
    agree(lambda xp, x: xp.trace(x), np.eye(3) > 0)


def test_products_of_stacks_broadcast() -> None:
    agree(lambda xp, a, b: xp.vecdot(a, b, axis=0), draw(3, 2), draw(3, 1))
    agree(lambda xp, a, b: xp.linalg.vecdot(a, b), draw(2, 3), draw(3))
    agree(lambda xp, a, b: xp.outer(a, b), draw(2, 2), draw(3, 1))
    agree(lambda xp, a, b: xp.vdot(a, b), draw(2, 3), draw(6))
    agree(lambda xp, a, b: xp.kron(a, b), draw(2), draw(2, 1, 3))
    agree(lambda xp, a, b: xp.rollaxis(a, -1, 1) @ b, draw(3, 2, 4), draw(2, 3))


def test_nodes_go_through_numpy() -> None:
    A, B, x = sb.tensor("A", (3, 3)), sb.tensor("B", (3, 3)), sb.tensor("x", (3,))
    assert np.einsum(A, [0, 1], B, [1, 2], [0, 2]) is sb.einsum("ij,jk->ik", A, B) is A @ B
    assert np.kron(A, B) is sb.kron(A, B)
    assert np.cross(A, x) is sb.cross(A, x)
    assert np.convolve(x, x, mode="same") is sb.convolve(x, x, "same")
    assert np.linalg.multi_dot([A, B, x]) is sb.linalg.multi_dot([A, B, x])
    assert np.linalg.outer(x, x) is np.outer(x, x) is sb.outer(x, x)
    assert np.linalg.trace(A) is np.trace(A) is sb.trace(A)
    assert np.linalg.matrix_transpose(A) is np.permute_dims(A) is A.T


def test_chains_are_multiplied_in_the_cheap_order() -> None:
    A, B, x = sb.tensor("A", (90, 80)), sb.tensor("B", (80, 90)), sb.tensor("x", (90,))
    assert "A @ (B @ x)" in sb.lambdify([A, B, x], sb.linalg.multi_dot([A, B, x])).source


def test_the_gradient_of_a_convolution_is_one() -> None:
    a, v = sb.tensor("a", ("n",)), sb.tensor("v", ("m",))
    g = sb.ones(sb.convolve(a, v).shape)
    text = sb.lambdify([a, v], sb.vjp([sb.convolve(a, v)], [a, v], [g])).source
    assert 'v[::-1], "valid")' in text
    assert "einsum" not in text


x, A, n3 = sb.tensor("x", (3,)), sb.tensor("A", (2, 3)), sb.tensor("n3", ("n",))
REFUSED: dict[str, tuple[type[Exception], str, Callable[[], Any]]] = {
    "offset": (sb.errors.ShapeError, "diagonal of A .*integer", lambda: sb.trace(A, 1.5)),
    "equal axes": (sb.errors.ShapeError, "diagonal: axis", lambda: sb.diagonal(A, 0, 1, -1)),
    "diag of a cube": (sb.errors.ShapeError, "diag: ", lambda: sb.diag(A[None])),
    "cross of four": (sb.errors.ShapeError, "cross: .*3 entries", lambda: sb.cross(sb.tensor("a", (4,)), x)),
    "cross of two and three": (sb.errors.ShapeError, "cross: ", lambda: sb.cross(x, x[:2])),
    "linalg.cross in the plane": (sb.errors.ShapeError, "cross: ", lambda: sb.linalg.cross(x[:2], x[:2])),
    "convolve nothing": (sb.errors.ShapeError, "convolve: .*no entries", lambda: sb.convolve(x, x[:0])),
    "convolve a matrix": (sb.errors.ShapeError, "convolve: A", lambda: sb.convolve(A, x)),
    "mode": (sb.errors.UsageError, "correlate: mode 'half'", lambda: sb.correlate(x, x, "half")),
    "unknown lengths": (sb.errors.ShapeError, "which is longer", lambda: sb.convolve(x, n3, "valid")),
    "unknown middle": (sb.errors.ShapeError, "which is longer", lambda: sb.convolve(n3, x, "same")),
    "multi_dot of one": (sb.errors.ShapeError, "multi_dot", lambda: sb.linalg.multi_dot([A])),
    "multi_dot of a cube": (sb.errors.ShapeError, "multi_dot", lambda: sb.linalg.multi_dot([A, A[None], A])),
    "multi_dot sizes": (sb.errors.ShapeError, "multi_dot", lambda: sb.linalg.multi_dot([A, A])),
    "matvec of vectors": (sb.errors.ShapeError, "matvec: x", lambda: sb.matvec(x, x)),
    "vecdot": (sb.errors.ShapeError, "vecdot", lambda: sb.vecdot(x, x[:2])),
    "tensordot": (sb.errors.ShapeError, "tensordot", lambda: sb.tensordot(A, A, 1)),
    "tensordot axes": (sb.errors.ShapeError, "tensordot", lambda: sb.tensordot(A, A, ([0, 1], [1, 1]))),
    "rollaxis": (sb.errors.ShapeError, "rollaxis", lambda: sb.rollaxis(A, 0, 3)),
    "vdot": (sb.errors.ShapeError, "vdot", lambda: sb.vdot(A, x)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    kind, message, call = REFUSED[name]
    with pytest.raises(kind, match=message):
        call()


@pytest.mark.parametrize("dtype", ["float32", "int32", "bool"])
@pytest.mark.parametrize("number", [2, 2.5])
def test_a_number_is_an_array_where_numpy_makes_one_of_it(dtype: str, number: float) -> None:
    values = np.array([1, 0, 2]).astype(dtype)
    agree(lambda xp, a: xp.dot(a, number), values)
    agree(lambda xp, a: xp.dot(number, a), values)
    agree(lambda xp, a: xp.inner(a, number), values)
    agree(lambda xp, a: xp.vdot(a[:1], number), values)
    agree(lambda xp, a: xp.tensordot(a, number, axes=0), values)
    agree(lambda xp, a: xp.einsum("i,", a, number), values)
    agree(lambda xp, a: xp.einsum(a, [0], number, []), values)
    agree(lambda xp, a: xp.outer(a, number), values)
    agree(lambda xp, a: xp.kron(a, number), values)


@pytest.mark.parametrize("dtype", ["int8", "int32", "uint8"])
def test_small_integers_are_convolved_in_their_dtype(dtype: str) -> None:
    a, v = np.array([1, 2, 100], dtype), np.array([3, 100], dtype)
    agree(lambda xp, a, v: xp.convolve(a, v), a, v)
    agree(lambda xp, a, v: xp.correlate(a, v, "full"), a, v)
