"""Conventions, section 8: linear algebra where matrices are singular, values repeat, or half of a matrix is read."""

from typing import Any

import numpy as np
import pytest

import symback as sb
from conventions import INF, NAN, Either, Row, check, convention, row, same

A = np.array([[2.0, 1.0], [1.0, 3.0]])
EYE = np.eye(2)
INVERSE = np.array([[3.0, -1.0], [-1.0, 2.0]]) / 5
NEGATIVE = np.array([[0.0, 2.0], [3.0, 0.0]])
SINGULAR = np.array([[1.0, 2.0], [2.0, 4.0]])
RANK_1 = np.ones((3, 3))
MINORS = np.array([[0.0, 0, 0, 1], [0, 0, -1, 0], [0, -1, 0, 0], [1, 0, 0, 0]]).reshape(2, 2, 2, 2)
"""The Hessian of a determinant of two rows, wherever it is taken."""

R5 = float(np.sqrt(2.5))
CHOLESKY = [0.5 / 2**0.5 - 0.5 / 2**1.5 + 1 / (8 * R5), 1 / 2**0.5 - 1 / (2 * R5), 1 / (2 * R5)]
"""The derivatives of the sum of the factor of [[a, b], [b, c]] by a, b and c, at A."""


def squared_by_eigenvectors(x: Any) -> Any:
    """Trace of V w**2 V'."""
    w, v = sb.linalg.eigh(x)
    return sb.trace((v * w**2) @ v.T)


ROWS = [
    row("121", "det at rank n - 1", lambda x: sb.linalg.det(x), SINGULAR, value=0, gradient=[[4, -2], [-2, 1]],
        hessian=MINORS, scale=4),
    row("122", "det at zero", lambda x: sb.linalg.det(x), np.zeros((2, 2)), value=0, gradient=np.zeros((2, 2)),
        second=[[1, -1], [-1, 1]], hessian=MINORS),
    row("122", "det of three rows at rank 1", lambda x: sb.linalg.det(x), RANK_1, value=0, gradient=np.zeros((3, 3)),
        second=np.zeros((3, 3)), scale=1),
    row("123", "slogdet of a negative determinant", lambda x: sb.linalg.slogdet(x)[1], NEGATIVE,
        value=float(np.log(6)), gradient=np.array([[0, 1 / 2], [1 / 3, 0]])),
    row("123", "the sign of a negative determinant", lambda x: sb.linalg.slogdet(x)[0], NEGATIVE, value=-1),
    row("123", "slogdet of a singular matrix", lambda x: sb.linalg.slogdet(x)[1], np.zeros((2, 2)), value=-INF,
        gradient=np.full((2, 2), INF)),
    row("124", "log of a negative determinant", lambda x: sb.log(sb.linalg.det(x)), NEGATIVE, value=NAN),
    row("126", "cholesky: the gradient is symmetric", lambda x: sb.linalg.cholesky(x), A,
        gradient=[[CHOLESKY[0], CHOLESKY[1] / 2], [CHOLESKY[1] / 2, CHOLESKY[2]]]),
    row("126", "eigh: the gradient is symmetric", lambda x: sb.linalg.eigvalsh(x)[-1], [[0, 1], [1, 0]], value=1,
        gradient=[[0.5, 0.5], [0.5, 0.5]]),
    row("128", "sum(w**2) of eigh at the identity", lambda x: sb.linalg.eigh(x)[0] ** 2, EYE, gradient=2 * EYE),
    row("128", "sum(w**2) of eigvalsh at the identity", lambda x: sb.linalg.eigvalsh(x) ** 2, EYE, gradient=2 * EYE),
    row("128", "trace(V w**2 V') at the identity", squared_by_eigenvectors, EYE, gradient=2 * EYE),
    row("128", "trace(V w**2 V') where values differ", squared_by_eigenvectors, A, gradient=2 * A),
    row("132", "trace of 2 by 3", lambda x: sb.trace(x), np.arange(6.0).reshape(2, 3), value=4,
        gradient=np.eye(2, 3)),
    row("133", "logdet of a symmetric matrix", lambda x: sb.linalg.slogdet(x)[1], A, gradient=INVERSE),
]  # fmt: skip


@pytest.mark.parametrize("found", ROWS, ids=str)
def test_row(found: Row) -> None:
    check(found)


@convention("120", "125", "130")
@pytest.mark.parametrize("build", [
    lambda x: sb.linalg.inv(x), lambda x: sb.linalg.solve(x, np.ones(2)), lambda x: sb.linalg.cholesky(x),
], ids=["inv", "solve", "cholesky"])  # fmt: skip
def test_120_125_130_what_does_not_exist_is_numpys_error(build: Any) -> None:
    x = sb.tensor("x", (2, 2))
    node = build(x)
    emitted = sb.lambdify([x], node)
    with pytest.raises(np.linalg.LinAlgError):
        emitted(-SINGULAR)
    with pytest.raises(np.linalg.LinAlgError):
        sb.evaluate(node, {x: -SINGULAR})


@convention("128")
def test_128_a_single_eigenvector_has_no_derivative_where_values_repeat() -> None:
    x = sb.tensor("x", (2, 2))
    gradient = sb.grad(sb.sum(sb.linalg.eigh(x)[1][:, 0]), x)
    with np.errstate(all="ignore"):
        assert np.isnan(sb.lambdify([x], gradient)(EYE)).any()


@convention("128")
def test_128_what_eigenvectors_give_is_never_wrong_in_silence() -> None:
    """A sum of V w**2 V' with any weights is smooth: the exact gradient at the identity, or NaN."""
    x, weights = sb.tensor("x", (2, 2)), np.array([[1.0, 2.0], [5.0, 3.0]])
    w, v = sb.linalg.eigh(x)
    gradient = sb.grad(sb.sum(((v * w**2) @ v.T) * weights), x)
    with np.errstate(all="ignore"):
        found = sb.lambdify([x], gradient)(EYE)
    wanted = weights + weights.T
    assert np.isclose(found, wanted).all() or np.isnan(found).any()


@convention("129")
def test_129_singular_values_at_zero() -> None:
    """The subgradient that the factors NumPy returns give: U V', the identity."""
    x = sb.tensor("x", (2, 2))
    node = sb.sum(sb.linalg.svd(x, full_matrices=False)[1])
    with np.errstate(all="ignore"):
        assert same(sb.lambdify([x], sb.grad(node, x))(np.zeros((2, 2))), EYE)


@convention("131")
@pytest.mark.parametrize("lower", [True, False])
def test_131_the_half_that_a_triangular_solve_ignores_has_no_gradient(lower: bool) -> None:
    x, b = sb.tensor("x", (3, 3)), np.array([1.0, 3.0, 4.0])
    gradient = sb.grad(sb.sum(sb.linalg.solve_triangular(x, b, lower=lower)), x)
    found = sb.lambdify([x], gradient)(np.arange(1.0, 10.0).reshape(3, 3))
    ignored = np.triu(np.ones((3, 3), bool), 1) if lower else np.tril(np.ones((3, 3), bool), -1)
    assert (found[ignored] == 0).all()
    assert (found[~ignored] != 0).all()


UPSTREAM = [
    row("U18", "cholesky reads the lower half", lambda x: sb.linalg.cholesky(x), A + np.array([[0, 8], [0, 0]]),
        value=np.linalg.cholesky(A)),
    row("U41", "det of no rows, second order", lambda x: sb.linalg.det(x), np.ones((0, 0)), value=1,
        hessian=np.ones((0, 0, 0, 0))),
    row("U16", "Frobenius norm at 0", lambda x: sb.linalg.norm(x), np.zeros((2, 2)), value=0,
        gradient=np.zeros((2, 2))),
    row("U33", "det by a scalar inside", lambda a: sb.linalg.det(a * A), 2, value=20, gradient=20, second=10),
    row("U19", "the trace by eigenvalues", lambda x: sb.sum(sb.linalg.eigvalsh(x)), EYE, gradient=EYE,
        second=Either((np.zeros((2, 2)), np.full((2, 2), NAN)))),
]  # fmt: skip


@pytest.mark.parametrize("found", UPSTREAM, ids=str)
def test_upstream(found: Row) -> None:
    check(found)
