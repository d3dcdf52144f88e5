"""Linear algebra: what the generic tests do not reach, at singular matrices, at equal eigenvalues, in emitted code."""

from collections.abc import Callable
from itertools import product
from typing import Any

import mpmath
import numpy as np
import pytest
import scipy.linalg

import symback as sb
from symback.check.evaluate import evaluate
from symback.ops.linalg import exact_matrices
from symback.ops.numerics import linalg as numerics

RNG = np.random.default_rng(0)
A, S, x = sb.tensor("A", ("n", "n")), sb.tensor("S", ("n", "n")), sb.tensor("x", ("n",))


def body(inputs: list[Any], outputs: Any) -> str:
    """Return the statements of the emitted function."""
    return sb.lambdify(inputs, outputs, check=False).source.rpartition('"""')[2]


def symmetric(*eigenvalues: float) -> Any:
    """Return a matrix with these eigenvalues, in a basis of its own."""
    q, _ = np.linalg.qr(np.random.default_rng(len(eigenvalues)).normal(size=(len(eigenvalues),) * 2))
    return (q * np.array(eigenvalues)) @ q.T


# -- against NumPy -----------------------------------------------------------------------------------

FUNCTIONS: dict[str, Callable[[Any, Any], Any]] = {
    "inv": lambda xp, a: xp.linalg.inv(a),
    "det": lambda xp, a: xp.linalg.det(a),
    "slogdet": lambda xp, a: xp.linalg.slogdet(a)[1],
    "cholesky": lambda xp, a: xp.linalg.cholesky(a),
    "cholesky upper": lambda xp, a: xp.linalg.cholesky(a, upper=True),
    "eigh": lambda xp, a: xp.linalg.eigh(a, "U").eigenvectors,
    "eigvalsh": lambda xp, a: xp.linalg.eigvalsh(a, UPLO="l"),
    "svd": lambda xp, a: xp.linalg.svd(a, full_matrices=False).Vh,
    "svd of a square": lambda xp, a: xp.linalg.svd(a).U,
    "svdvals": lambda xp, a: xp.linalg.svdvals(a),
    "qr": lambda xp, a: xp.linalg.qr(a).Q,
    "qr r": lambda xp, a: xp.linalg.qr(a, mode="r"),
    "solve": lambda xp, a: xp.linalg.solve(a, a[0]),
    "solve columns": lambda xp, a: xp.linalg.solve(a, a[:, :2]),
    "power": lambda xp, a: xp.linalg.matrix_power(a, -3),
    "power 0": lambda xp, a: xp.linalg.matrix_power(a, 0) + a,
    "norm": lambda xp, a: xp.linalg.norm(a, axis=0),
}


@pytest.mark.parametrize("dtype", ["float64", "float32", "int32", "uint8"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_and_dtypes(name: str, dtype: str) -> None:
    matrix = np.array([[6, 1, 2], [1, 5, 1], [2, 1, 9]], dtype)
    a = sb.tensor("a", (3, 3), dtype=dtype)
    node, wanted = FUNCTIONS[name](sb, a), FUNCTIONS[name](np, matrix)
    emitted = sb.lambdify([a], node)(matrix)
    for found in (evaluate(node, {a: matrix}), emitted):
        assert (np.shape(found), found.dtype) == (node.shape, node.dtype) == (wanted.shape, wanted.dtype)
        np.testing.assert_allclose(found, wanted, rtol=1e-4 if dtype == "float32" else 1e-12, atol=1e-12)


ORDERS: dict[int, tuple[Any, ...]] = {
    1: (None, 0, 1, 2, 3, 2.5, 0.5, -1, -2.5, np.inf, -np.inf),
    2: (None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf),
}
NORMS = [(axes, order, keepdims) for axes, orders in ORDERS.items() for order in orders for keepdims in (0, 1)]


@pytest.mark.parametrize(("axes", "order", "keepdims"), NORMS)
def test_norms_of_every_order(axes: int, order: Any, keepdims: int) -> None:
    values = RNG.normal(size=(3, 2, 4))
    node = sb.tensor("x", values.shape)
    for axis in ((0, -1), (2, 1)) if axes == 2 else (1, (-1,)):
        wanted = np.linalg.norm(values, order, axis, bool(keepdims))
        found = np.linalg.norm(node, order, axis, bool(keepdims))
        np.testing.assert_allclose(evaluate(found, {node: values}), wanted, rtol=1e-13)
        np.testing.assert_allclose(sb.lambdify([node], found)(values), wanted, rtol=1e-13)


@pytest.mark.parametrize("size", [1e200, 1e-200, 1e308, 5e-324])
@pytest.mark.parametrize("p", [2, 3, 1.5])
def test_norms_neither_overflow_nor_underflow(p: float, size: float) -> None:
    v = sb.tensor("v", (2,))
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        value, gradient = sb.lambdify([v], (n := sb.linalg.norm(v, p), sb.grad(n, v)))(np.array([size, -size]))
    if size < 1e308:
        np.testing.assert_allclose(value, 2 ** (1 / p) * size, rtol=0.5 if size < 1e-300 else 1e-14)
    slope = 2 ** (1 / p - 1) if np.isfinite(value) and size > 1e-300 else gradient[0]
    np.testing.assert_allclose(gradient, [slope, -slope], rtol=1e-14)


@pytest.mark.parametrize(("lower", "trans", "unit"), [*product((False, True), (0, "T"), (False, True))])
def test_triangular_systems_are_those_of_scipy(lower: bool, trans: Any, unit: bool) -> None:
    a, b = sb.tensor("a", (3, 3)), sb.tensor("b", (3, 2))
    matrix, columns = RNG.normal(size=(3, 3)) + 3 * np.eye(3), RNG.normal(size=(3, 2))
    options = {"lower": lower, "trans": trans, "unit_diagonal": unit}
    node = sb.linalg.solve_triangular(a, b, **options)
    wanted = scipy.linalg.solve_triangular(matrix, columns, **options)
    np.testing.assert_allclose(evaluate(node, {a: matrix, b: columns}), wanted, rtol=1e-12)
    (by_a,) = evaluate([sb.grad(sb.sum(node), a)], {a: matrix, b: columns})
    read = np.tril(np.ones((3, 3)), -unit) if lower else np.triu(np.ones((3, 3)), unit)
    assert not by_a[read == 0].any()


def test_nodes_go_through_numpy() -> None:
    assert np.linalg.solve(A, x) is sb.linalg.solve(A, x)
    assert np.linalg.slogdet(A) == sb.linalg.slogdet(A)
    assert np.linalg.eigh(A).eigenvalues is sb.linalg.eigvalsh(A)
    assert np.linalg.norm(x, ord=2) is np.linalg.vector_norm(x) is sb.linalg.norm(x)
    assert np.linalg.matrix_norm(A) is np.linalg.norm(A, "fro") is sb.linalg.norm(A)


def test_symbolic_sizes_whose_order_is_known() -> None:
    tall = sb.tensor("tall", (sb.tensor("m", ("n",)).shape[0] + 2, "n"))
    U, s, Vh = sb.linalg.svd(tall, full_matrices=False)
    assert (U.shape, s.shape, Vh.shape) == (tall.shape, tall.shape[1:], A.shape)
    assert sb.linalg.qr(tall).R.shape == A.shape


# -- determinants ------------------------------------------------------------------------------------


@pytest.mark.parametrize("rank", range(5))
def test_derivatives_of_det_of_every_order_hold_at_every_rank(rank: int) -> None:
    matrix = RNG.normal(size=(4, rank)) @ RNG.normal(size=(rank, 4))
    mp = mpmath.MPContext()
    mp.dps = 30
    high = np.frompyfunc(mp.mpf, 1, 1)
    for count in range(4):
        directions = [RNG.normal(size=(4, 4)) for _ in range(count)]
        wanted = exact_matrices.det_gradient(mp, high(matrix), *map(high, directions)).astype(float)
        found = numerics.det_derivative(matrix, *directions) if count else numerics.cofactors(matrix)
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("n", [2, 3])
def test_small_determinants_are_differentiated_as_polynomials(n: int) -> None:
    matrix = RNG.normal(size=(5, n, n))
    directions = [RNG.normal(size=(n, n)) for _ in range(n - 1)]
    for count in range(1, n):
        by_svd = numerics.det_derivative_by_svd(matrix, *directions[:count])
        np.testing.assert_allclose(numerics.det_derivative(matrix, *directions[:count]), by_svd, rtol=1e-11, atol=1e-13)
    assert not numerics.det_derivative(matrix, *directions, directions[0]).any()


def test_the_hessian_of_a_determinant_by_differences() -> None:
    a = sb.tensor("a", (4, 4))
    gradient, hessian = sb.lambdify([a], [sb.grad(sb.linalg.det(a), a), sb.hessian(sb.linalg.det(a), a)])(
        point := np.diag([1.0, 2.0, 0.0, 0.0])
    )
    f = sb.lambdify([a], sb.grad(sb.linalg.det(a), a))
    for index in np.ndindex(4, 4):
        step = np.zeros((4, 4))
        step[index] = 0.5  # the gradient is a cubic, of which this difference is exact
        ahead, behind = f(point + step), f(point - step)
        np.testing.assert_allclose(hessian[index], ahead - behind, atol=1e-13)
    assert not np.round(gradient, 13).any()


def test_one_singular_matrix_in_a_stack_leaves_the_others_alone() -> None:
    stack = sb.tensor("a", (3, 2, 2))
    values = np.stack([np.eye(2), np.ones((2, 2)), 2 * np.eye(2)])
    found = sb.lambdify([stack], sb.grad(sb.sum(sb.linalg.slogdet(stack).logabsdet), stack))(values)
    np.testing.assert_array_equal(found[[0, 2]], [np.eye(2), np.eye(2) / 2])
    assert np.isinf(found[1]).all()


# -- eigenvalues and singular values -----------------------------------------------------------------


@pytest.mark.parametrize("matrix", [np.eye(3), symmetric(1, 1, 2), symmetric(2, 2, 2)], ids=["I", "two", "three"])
def test_traces_of_functions_of_a_matrix_at_equal_eigenvalues(matrix: Any) -> None:
    a = sb.tensor("a", (3, 3))
    w, V = sb.linalg.eigh(a)
    found = sb.lambdify([a], sb.grad(sb.trace((V * sb.exp(w)) @ V.T), a))(matrix)
    np.testing.assert_allclose(found, scipy.linalg.expm(matrix), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("matrix", [np.eye(3), symmetric(1, 1, 2)], ids=["I", "two"])
def test_what_mixes_eigenvectors_of_equal_eigenvalues_has_no_derivative(matrix: Any) -> None:
    a = sb.tensor("a", (3, 3))
    w, V = sb.linalg.eigh(a)
    for loss in (sb.sum(V[:, 0]), sb.sum((V * sb.exp(w)) @ V.T)):
        assert np.isnan(sb.lambdify([a], sb.grad(loss, a))(matrix)).any()


def test_one_triangle_is_read_and_the_gradient_is_symmetric() -> None:
    a = sb.tensor("a", (2, 2))
    lower, upper = np.array([[4.0, 9.0], [1.0, 3.0]]), np.array([[4.0, 1.0], [9.0, 3.0]])
    symmetrical = np.array([[4.0, 1.0], [1.0, 3.0]])
    for read_lower, read_upper in (
        (sb.linalg.cholesky(a), sb.linalg.cholesky(a, upper=True)),
        (sb.linalg.eigvalsh(a), sb.linalg.eigvalsh(a, "U")),
    ):
        f, g = (sb.lambdify([a], [node, sb.grad(sb.sum(node**2 + node), a)]) for node in (read_lower, read_upper))
        for one, other in zip(f(lower), f(symmetrical), strict=True):
            np.testing.assert_array_equal(one, other)
        np.testing.assert_allclose(g(upper)[1], f(lower)[1], rtol=1e-14)
        np.testing.assert_allclose(f(lower)[1], f(lower)[1].T, rtol=1e-14)


def test_the_nuclear_norm_of_zero_has_a_subgradient() -> None:
    a = sb.tensor("a", (2, 2))
    found = sb.lambdify([a], sb.grad(sb.linalg.norm(a, "nuc"), a))(np.zeros((2, 2)))
    assert np.linalg.norm(found, 2) <= 1 + 1e-15


# -- emitted code ------------------------------------------------------------------------------------


def test_a_decomposition_is_computed_once() -> None:
    w, V = sb.linalg.eigh(A)
    text = body([A], [w, V, sb.grad(sb.sum(w**2) + sb.sum(V[:, 0]), A)])
    assert text.count("np.linalg.") == text.count("w, V = np.linalg.eigh(A)") == 1
    text = body([A], [sb.linalg.norm(A, "nuc"), sb.grad(sb.linalg.norm(A, "nuc"), A)])
    assert text.count("np.linalg.") == text.count("U, s, Vt = np.linalg.svd(A, full_matrices=False)") == 1


def test_values_alone_are_asked_for_alone() -> None:
    assert "np.linalg.eigvalsh(A)" in body([A], sb.linalg.eigh(A).eigenvalues)
    assert "np.linalg.svdvals(A)" in body([A], sb.linalg.svd(A).S)
    assert 'np.linalg.qr(A, "r")' in body([A], sb.linalg.qr(A).R)
    assert "_, logdet = np.linalg.slogdet(A)" in body([A], sb.linalg.slogdet(A).logabsdet + 1)


def test_the_gaussian_likelihood_reads_as_written_by_hand() -> None:
    L = sb.let("L", sb.linalg.cholesky(S))
    z = sb.let("z", sb.linalg.solve_triangular(L, x, lower=True))
    loss = sb.let("loss", z @ z / 2 + sb.sum(sb.log(sb.diagonal(L))))
    text = body([x, S], [loss, *sb.grad(loss, [x])])
    assert text.split("\n    ")[1:] == [
        "L = np.linalg.cholesky(S)",
        "z = np.linalg.solve(L, x)",
        "loss = 0.5 * (z @ z) + np.sum(np.log(L.diagonal()))",
        "d_x = np.linalg.solve(L.T, z)",
        "return [loss, d_x]\n",
    ]


def test_a_jacobian_solves_for_all_columns_at_once() -> None:
    b = sb.tensor("b", ("n",))
    assert body([A, b], sb.jacobian(sb.linalg.solve(A, b), b)).strip() == "return np.linalg.inv(A)"
    text = body([A, b], sb.jacobian(sb.linalg.solve(A, sb.sin(b)), b))
    assert text.count("np.linalg.") == 1
    assert "[..., None]" not in text


def test_a_squared_norm_has_no_quotient() -> None:
    v = sb.tensor("v", (3,))
    r = sb.let("r", sb.linalg.norm(v))
    for square in (r**2, sb.linalg.norm(v) ** 2):
        assert "d_v = 2 * v\n" in body([v], [sb.grad(square, v)]) + "\n"
        np.testing.assert_array_equal(evaluate(sb.hessian(square, v), {v: np.zeros(3)}), 2 * np.eye(3))
    rows = sb.tensor("rows", ("n", 3))
    node = sb.sum(x * sb.linalg.norm(rows, axis=1) ** 2)
    assert "/" not in body([x, rows], sb.grad(node, rows))


# -- refused -----------------------------------------------------------------------------------------

B, wide = sb.tensor("B", (2, 3)), sb.tensor("wide", ("m", "n"))
REFUSED: dict[str, tuple[type[Exception], str, Callable[[], Any]]] = {
    "inv": (sb.errors.ShapeError, r"inv: B \(2, 3\) is no square matrix", lambda: sb.linalg.inv(B)),
    "inv of a vector": (sb.errors.ShapeError, "inv: x", lambda: sb.linalg.inv(x)),
    "solve": (sb.errors.ShapeError, "solve: .*size n meets 3", lambda: sb.linalg.solve(A, sb.tensor("b", (3,)))),
    "solve for a stack": (sb.errors.ShapeError, "solve", lambda: sb.linalg.solve(sb.ones((2, 3, 3)), sb.ones((2, 4)))),
    "solve for a number": (sb.errors.ShapeError, "solve", lambda: sb.linalg.solve(A, 1.0)),
    "trans": (sb.errors.InputError, "trans", lambda: sb.linalg.solve_triangular(A, x, trans=3)),
    "UPLO": (sb.errors.InputError, "UPLO", lambda: sb.linalg.eigh(A, "lower")),
    "full matrices": (sb.errors.InputError, "full_matrices", lambda: sb.linalg.svd(B)),
    "svd": (sb.errors.ShapeError, "which of the last two sizes of wide", lambda: sb.linalg.svdvals(wide)),
    "qr": (sb.errors.ShapeError, "more columns than rows", lambda: sb.linalg.qr(B)),
    "qr unknown": (sb.errors.ShapeError, "which of the last two sizes", lambda: sb.linalg.qr(wide)),
    "qr mode": (sb.errors.InputError, "mode", lambda: sb.linalg.qr(A, "complete")),
    "matrix_power": (sb.errors.UsageError, "exponent is an integer", lambda: sb.linalg.matrix_power(A, 0.5)),
    "order of a matrix": (sb.errors.UsageError, "order 3 is none for matrices", lambda: sb.linalg.norm(A, 3)),
    "order of a vector": (sb.errors.UsageError, "order 'fro' is none for vectors", lambda: sb.linalg.norm(x, "fro")),
    "three axes": (sb.errors.ShapeError, "over 3 axes", lambda: sb.linalg.norm(sb.ones((2, 2, 2)), 2)),
    "axes": (sb.errors.ShapeError, "norm: axis", lambda: sb.linalg.norm(A, axis=(0, -2))),
    "matrix_norm": (sb.errors.ShapeError, "matrix_norm", lambda: sb.linalg.matrix_norm(x)),
    "lstsq": (sb.errors.UsageError, "linalg.lstsq", lambda: np.linalg.lstsq(A, x)),
    "cond": (sb.errors.UsageError, "linalg.cond", lambda: np.linalg.cond(A)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    kind, message, call = REFUSED[name]
    with pytest.raises(kind, match=message):
        call()


@pytest.mark.parametrize(
    "name", ["diag_at", "norm_over", "convolve_along", "cross_of", "kron_of", "over_gaps", "solution", "det_gradient"]
)
def test_parameters_of_a_stranger_are_checked(name: str) -> None:
    from symback.nodes.apply import Apply, Operation

    for parameters in (("?",), (1.5,), ((3, 3),), ((-1,), "?")):
        with pytest.raises((sb.errors.SymbackError, TypeError, ValueError, IndexError)):
            Apply(Operation(name, *parameters), B, wide)


def test_a_factor_of_the_cotangent_of_a_solution_stays_outside_of_it():
    A, b = sb.tensor("A", ("n", "n")), sb.tensor("b", ("n",))
    assert str(sb.grad(b @ sb.linalg.solve(A, b) / 2, b)) == (
        "d_b = 1/2*solution(A, b) + 1/2*solution(transpose('ij->ji', A), b)"
    )


def test_the_logarithm_of_a_determinant_does_not_overflow() -> None:
    """What is written as log(det(A)) is computed without the determinant, and stays NaN where that is negative."""
    M = sb.tensor("M", ("n", "n"))
    loss = sb.log(sb.linalg.det(M))
    f = sb.lambdify([M], [loss, sb.log(abs(sb.linalg.det(M))), sb.grad(loss, M)])
    for scale in (1e-300, 1e300):
        value, size, slope = f(scale * np.eye(3))
        assert value == size == pytest.approx(3 * np.log(scale))
        np.testing.assert_allclose(slope, np.eye(3) / scale)
    value, size, slope = f(np.diag([-2.0, 1.0]))
    assert np.isnan(value)
    assert size == pytest.approx(np.log(2))
    np.testing.assert_allclose(slope, np.diag([-0.5, 1.0]))
    value, size, _ = f(np.ones((2, 2)))
    assert value == size == -np.inf
    assert f(np.zeros((0, 0)))[0] == 0
    Q = sb.tensor("Q", ("N", "m", "m"))
    (stacked,) = sb.lambdify([Q], [sb.log(sb.linalg.det(Q))])(np.stack([np.eye(2), -np.diag([1.0, -3.0])]))
    np.testing.assert_array_equal(stacked, [0.0, np.nan])
