"""Powers of matrices whose exponent is a symbol: singular matrices, exponents that are no integers, SymPy and back."""

import numpy as np
import pytest
import sympy
from sympy import MatrixSymbol, Symbol, Trace

import symback as sb
from symback import errors
from symback.interop.symbolic.bridge import SympyBridge, from_sympy

n, t = Symbol("n"), Symbol("t")
A, B = MatrixSymbol("A", n, n), MatrixSymbol("B", n, n)
a = np.eye(3) + 0.3 * np.random.default_rng(3).standard_normal((3, 3))
INV = np.linalg.inv(a)


def test_powers_of_singular_matrices_have_derivatives_for_symbolic_exponents() -> None:
    """For k = 0 the derivative is 0, though k A**(k - 1) has no value; so is it read from SymPy."""
    singular = np.array([[1.0, 2.0], [2.0, 4.0]])
    expr = Trace(A**t)
    gradient = sb.grad(expr, A)
    f = sb.lambdify([A, t], [gradient, sb.grad(from_sympy(expr), from_sympy(A))])
    for exponent, expected in ((0, 0 * singular), (1, np.eye(2)), (2, 2 * singular), (3, 3 * singular @ singular)):
        np.testing.assert_allclose(f(singular, exponent), [expected, expected], rtol=1e-14)
    with pytest.raises(np.linalg.LinAlgError):
        f(singular, -1)
    twice = sb.grad(Trace(gradient), A)
    assert twice == t * (t - 1) * A.T ** (t - 2)
    g = sb.lambdify([A, t], twice)
    for exponent, expected in ((0, 0 * singular), (1, 0 * singular), (2, 2 * np.eye(2)), (3, 6 * singular)):
        np.testing.assert_allclose(g(singular, exponent), expected, rtol=1e-14)


def test_an_exponent_of_a_matrix_is_an_integer_at_the_call() -> None:
    f = sb.lambdify([A, t], A**t)
    np.testing.assert_allclose(f(a, -2), INV @ INV)
    for exponent in (2.5, np.nan, np.inf):
        with pytest.raises(ValueError, match=r"the exponent of a matrix is .*, and no integer"):
            f(a, exponent)
    with pytest.raises(errors.DerivativeError, match="integer_exponent has no derivative"):
        sb.grad(Trace(A**t), t)
    with pytest.raises(errors.DerivativeError, match="integer_exponent has no derivative"):
        sb.grad(sb.sum(sb.from_sympy(sb.grad(Trace(A**t), A))), t)
    assert sb.check_grad(Trace(B * A**t), A).passed
    assert sb.check_grad(Trace(B * A**t), A, at={"t": -2, "A": a[:2, :2]}, order=2).passed
    assert sb.derive(Trace(A**t), A).verify().passed
    with pytest.raises(errors.UsageError, match="SymPy has no sum over the places in a power"):
        sb.grad(Trace(B * A**t), A)
    bridge = SympyBridge()
    assert bridge.to_expr(bridge.to_node(B * A ** (2 * t))) == B * A ** (2 * t)
    with pytest.raises(errors.UsageError, match="array expressions of SymPy have no counterpart of"):
        sb.hessian(Trace(A**t), A)
    assert sympy.latex(from_sympy(A**t)) == "A^{t}"


@pytest.mark.parametrize("size", [0, 1, 2])
def test_matrices_without_entries_and_stacks_have_powers(size: int) -> None:
    stack, k = sb.tensor("S", ("N", "m", "m")), sb.tensor("k", (), dtype="int64")
    node = sb.linalg.matrix_power(stack, k)
    loss = sb.sum(sb.sin(node))
    f = sb.lambdify([stack, k], [node, sb.grad(loss, stack)])
    at = np.eye(size) + 0.2 * np.random.default_rng(1).standard_normal((4, size, size))
    for exponent in (0, 1, 3, -2):
        value, slope = f(at, exponent)
        np.testing.assert_allclose(value, np.linalg.matrix_power(at, exponent))
        fixed = sb.sum(sb.sin(sb.linalg.matrix_power(stack, exponent)))
        expected = sb.lambdify([stack], sb.grad(fixed, stack, disconnected="zero"))(at)
        np.testing.assert_allclose(slope, expected, rtol=1e-12, atol=1e-14)
    with pytest.raises(errors.UsageError, match="the exponent is an integer"):
        sb.linalg.matrix_power(stack, sb.tensor("v", (2,), dtype="int64"))


def test_a_check_draws_again_where_an_exponent_is_no_integer() -> None:
    a, k = sb.tensor("A", ("n", "n")), sb.tensor("k", ())
    power = sb.trace(sb.linalg.matrix_power(a, k / 2))
    assert sb.check_grad(power, a, seed=2).passed
    with pytest.raises(errors.InputError, match="give a point by at"):
        sb.check_grad(power, a, seed=1)
