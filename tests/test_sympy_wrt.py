"""What derivatives are taken by, in plain SymPy: symbols, matrices of symbols, MatrixSymbols, and lists of them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy
from sympy import ImmutableMatrix, Matrix, MatrixSymbol, Trace, cos, sin, symbols

import symback as sb
from symback import errors

x, y, z, u, v, w = symbols("x y z u v w")
n = symbols("n")
A, D = MatrixSymbol("A", n, n), MatrixSymbol("D", n, n)
c, d = MatrixSymbol("c", n, 1), MatrixSymbol("d", n, 1)
P, V = Matrix([x, y]), Matrix([u, v])
LOSS = x**2 * y + sin(x * y)
COLUMN = Matrix([x * y, x**2, sin(y)])
FORM = Trace(c.T * A * c)


def same(found: Any, wanted: Any) -> None:
    """Hold results to expressions, in lists and dicts too."""
    if isinstance(wanted, (list, dict)):
        assert type(found) is type(wanted)
        assert len(found) == len(wanted)
        keys = wanted if isinstance(wanted, dict) else range(len(wanted))
        for key in keys:
            same(found[key], wanted[key])
    elif isinstance(wanted, sympy.MatrixBase):
        assert isinstance(found, type(wanted))
        assert (found - wanted).expand().is_zero_matrix
    elif isinstance(wanted, sympy.MatrixExpr):
        assert found == wanted
    else:
        assert sympy.expand(found - wanted) == 0


def hessian_by(expr: sympy.Expr, *by: sympy.Symbol) -> Matrix:
    return sympy.hessian(expr, by)


@pytest.mark.parametrize("product", [sb.hvp, sb.vhp])
def test_products_with_hessians(product: Callable[..., Any]) -> None:
    times_v = hessian_by(LOSS, x, y) * V
    same(product(LOSS, P, V), times_v)
    same(product(LOSS, [ImmutableMatrix(P)], [V]), [ImmutableMatrix(times_v)])
    same(product(LOSS, Matrix([x]), Matrix([u])), Matrix([[LOSS.diff(x, 2) * u]]))
    same(product(LOSS, P, Matrix([1, 2])), times_v.subs({u: 1, v: 2}))
    q = MatrixSymbol("q", 2, 1)
    same(product(LOSS, P, q), times_v.subs({u: q[0, 0], v: q[1, 0]}))
    whole = hessian_by(LOSS * z, x, y, z) * Matrix([u, v, w])
    same(product(LOSS * z, {"p": P, "z": z}, {"z": w, "p": V}), {"p": Matrix(whole[:2, :]), "z": whole[2]})
    same(product(FORM, [c, A], [d, D]), [A * d + D * c + A.T * d + D.T * c, c * d.T + d * c.T])


def test_products_with_hessians_by_variables_of_both_kinds_are_right() -> None:
    by_c, by_p = sb.hvp(FORM * LOSS, [c, P], [d, V])
    run = sb.lambdify([A, c, d, x, y, u, v], [by_c, by_p])
    rng = np.random.default_rng(0)
    a, at, along = rng.normal(size=(3, 3)), rng.normal(size=(3, 1)), rng.normal(size=(3, 1))
    found_c, found_p = run(a, at, along, 0.5, 0.7, 1.5, -0.3)
    numbers = {x: 0.5, y: 0.7, u: 1.5, v: -0.3}
    slope = Matrix([LOSS]).jacobian(P)
    form, step = (at.T @ a @ at).item(), (at.T @ (a + a.T) @ along).item()
    value, change = float(LOSS.subs(numbers)), float((slope * V).subs(numbers)[0])
    np.testing.assert_allclose(found_c, value * (a + a.T) @ along + change * (a + a.T) @ at)
    wanted = form * (hessian_by(LOSS, x, y) * V) + step * slope.T
    np.testing.assert_allclose(found_p, np.array(wanted.subs(numbers), dtype=float))


@pytest.mark.parametrize("along", [sb.jvp, sb.directional_derivative])
def test_derivatives_along_a_direction(along: Callable[..., Any]) -> None:
    slope, rows = Matrix([LOSS]).jacobian(P) * V, COLUMN.jacobian(P) * V
    same(along(LOSS, P, V), slope[0])
    same(along([LOSS, COLUMN], P, V), [slope[0], rows])
    same(along(ImmutableMatrix(COLUMN), [x, y], [u, v]), ImmutableMatrix(rows))
    same(along(COLUMN, x, u), COLUMN.diff(x) * u)
    same(along(A * c, [c, A], [d, D]), A * d + D * c)
    same(along(x * y * A, P, V), (u * y + v * x) * A)


def test_cotangents_are_pulled_back() -> None:
    weights = Matrix([u, v, w])
    back = COLUMN.jacobian(P).T * weights
    same(sb.vjp(COLUMN, P, weights), back)
    same(sb.vjp(COLUMN, [x, y], weights), list(back))
    same(sb.vjp([COLUMN, LOSS], [P], [weights, z]), [back + z * Matrix([LOSS]).jacobian(P).T])
    same(sb.vjp(A * c, [A, c], d), [d * c.T, A.T * d])


def test_products_of_gauss_and_newton() -> None:
    rows = COLUMN.jacobian(P)
    same(sb.gauss_newton(COLUMN, P, V), rows.T * rows * V)
    same(sb.gauss_newton([x * y, x], P, V), rows[:1, :].T * rows[:1, :] * V + Matrix([u, 0]))
    same(sb.gauss_newton(A * c, c, d), A.T * A * d)
    model = Matrix([sin(x), cos(y)])
    found = sb.gauss_newton(model, P, V, loss=sympy.exp(sin(x)) * cos(y))
    curved = hessian_by(sympy.exp(u) * v, u, v).subs({u: sin(x), v: cos(y)}, simultaneous=True)
    same(found, model.jacobian(P).T * curved * model.jacobian(P) * V)


def test_laplacians() -> None:
    same(sb.laplacian(LOSS, P), hessian_by(LOSS, x, y).trace())
    same(sb.laplacian(LOSS * z**2, [P, z]), hessian_by(LOSS * z**2, x, y, z).trace())
    same(sb.laplacian(FORM, [c, A]), 2 * Trace(A))
    same(sb.laplacian(Trace(A * A), A), 2 * n)


def test_divergences() -> None:
    field = Matrix([x * y, x * y**2])
    for whole, by in ((field, P), (field, [x, y]), (list(field), P), (field.T, [x, y]), (list(field), P.T)):
        same(sb.divergence(whole, by), y + 2 * x * y)
    same(sb.divergence(Matrix([-y, x]), P), sympy.Integer(0))
    same(sb.divergence([field, A * c, z**2], [P, c, z]), y + 2 * x * y + 2 * z + Trace(A))
    q = MatrixSymbol("q", 2, 1)
    same(sb.divergence((x + y) * q, P), q[0, 0] + q[1, 0])
    with pytest.raises(errors.ShapeError, match=r"divergence: a matrix of symbols of the shape \(2, 1\) .*\(1, 2\)"):
        sb.divergence(field.T, P)


def test_nodes_are_differentiated_by_matrices_of_symbols() -> None:
    node = sb.from_sympy(LOSS)
    found = sb.hvp(node, P, V)
    assert [len(row) for row in found] == [1, 1]
    run = sb.lambdify([x, y, u, v], found)
    wanted = (hessian_by(LOSS, x, y) * V).subs({x: 0.5, y: 0.7, u: 1.5, v: -0.3})
    np.testing.assert_allclose(np.array(run(0.5, 0.7, 1.5, -0.3)), np.array(wanted, dtype=float))


def test_patterns_have_a_column_for_each_symbol() -> None:
    assert str(sb.sparsity(COLUMN, P)) == "xx\nx.\n.x"
    assert [str(p) for p in sb.sparsity(COLUMN, [P.T, z])] == ["xx\nx.\n.x", ".\n.\n."]
    blocks = sb.hessian_sparsity(x * y + z * y**2, [P, z])
    assert [[str(p) for p in row] for row in blocks] == [[".x\nxx", ".\nx"], [".x", "."]]
    assert sb.jacobian_order(COLUMN, [P])[0][1][0].start == sb.tensor("y")


def test_a_batch_by_a_matrix_of_symbols() -> None:
    many = sb.batch(LOSS * z, {ImmutableMatrix(P): "N"}, reduce="sum")
    X, Y = sb.tensor("x", ("N",)), sb.tensor("y", ("N",))
    first, second = np.array([0.1, 0.2]), np.array([0.3, 0.4])
    wanted = np.sum(3 * (first**2 * second + np.sin(first * second)))
    np.testing.assert_allclose(sb.lambdify([X, Y, z], many)(first, second, 3.0), wanted)


@pytest.mark.parametrize(
    ("call", "kind", "reason"),
    [
        (lambda: sb.hvp(LOSS, P, Matrix([1, 2, 3])), errors.ShapeError, r"hvp: .*\(2, 1\) was given .*\(3, 1\)"),
        (lambda: sb.jvp(LOSS, P, MatrixSymbol("q", 1, 2)), errors.ShapeError, r"jvp: .*an entry for each symbol"),
        (lambda: sb.vhp(LOSS, P, [u, v]), errors.InputError, "nested otherwise than the variables"),
        (lambda: sb.laplacian(LOSS, Matrix([x, x])), errors.UsageError, "a different symbol in each entry, not x"),
        (lambda: sb.vjp(LOSS, Matrix([x, y, z]), u), errors.DerivativeError, "does not depend on z"),
        (lambda: sb.gauss_newton(Matrix(0, 1, []), P, V), errors.InputError, "gauss_newton"),
        (lambda: sb.sparsity(LOSS, Matrix(0, 1, [])), errors.InputError, "sparsity: no variables are given"),
        (lambda: sb.hessian_sparsity(LOSS, [x, Matrix(0, 0, [])]), errors.InputError, "no variables are given"),
        (lambda: sb.jacobian(COLUMN, P, sparse=True), errors.UsageError, "jacobian: sparse=True .* use a MatrixSymbol"),
        (lambda: sb.hessian(LOSS, P, sparse=True), errors.UsageError, r"hessian: sparse=True .*\(2, 1\)"),
        (lambda: sb.batch(LOSS, {ImmutableMatrix(P): "N", x: "M"}), errors.InputError, "batch"),
        (lambda: sb.batch(LOSS, {ImmutableMatrix([x, z]): "N"}), errors.InputError, "'z' is no variable"),
        (lambda: sb.batch(LOSS, {ImmutableMatrix(0, 1, []): "N"}), errors.InputError, "is no variable"),
        (lambda: sb.batch(LOSS, {ImmutableMatrix([x, 1]): "N"}), errors.UsageError, "a different symbol in each"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(call: Callable[[], Any], kind: type[Exception], reason: str) -> None:
    with pytest.raises(kind, match=reason):
        call()
