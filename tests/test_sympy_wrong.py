"""What SymPy 1.14 gets wrong or cannot do with matrices: the right derivative of each, checked by differences in NumPy.

The value that is differenced is written in NumPy by hand, so that nothing of symback is in it.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
import sympy
from sympy import MatrixSymbol, OneMatrix, Symbol, Trace, symbols

import symback as sb

Array = np.ndarray[Any, Any]
SIZES = {"n": 3, "m": 4, "h": 2}


def sigmoid(d: Any) -> Any:
    return 1 / (1 + sympy.exp(-d))


class Made(NamedTuple):
    """The matrices of the cases, of symbolic or of fixed sizes."""

    A: Any
    B: Any
    x: Any
    X: Any
    y: Any
    w: Any
    U: Any
    V: Any
    z: Any
    ones: Any


def made(n: Any, m: Any, h: Any) -> Made:
    return Made(
        MatrixSymbol("A", n, n), MatrixSymbol("B", n, n), MatrixSymbol("x", n, 1), MatrixSymbol("X", m, n),
        MatrixSymbol("y", m, 1), MatrixSymbol("w", n, 1), MatrixSymbol("U", m, n), MatrixSymbol("V", h, m),
        MatrixSymbol("z", n, 1), OneMatrix(1, m),
    )  # fmt: skip


def two_layers(s: Made, activation: Any) -> sympy.Expr:
    residual = s.V * (s.U * s.z).applyfunc(activation)
    return Trace(residual.T * residual) / 2


def two_layers_value(activation: Callable[[Any], Any]) -> Callable[..., Any]:
    return lambda U, V, z, **_: ((V @ activation(U @ z)) ** 2).sum() / 2


class Case(NamedTuple):
    """A loss, by what, its value in NumPy, and what SymPy 1.14 says: its answer, or its error."""

    loss: Callable[[Made], Any]
    by: str
    value: Callable[..., Any]
    sympy_says: str


CASES = {
    "trace plus a number": Case(lambda s: Trace(s.A) + 1, "A", lambda A, **_: np.trace(A) + 1, "0"),
    "sum of two traces": Case(
        lambda s: Trace(s.A.T * s.A) + Trace(s.B.T * s.B), "A", lambda A, B, **_: (A**2).sum() + (B**2).sum(), "0"
    ),
    "an entry": Case(lambda s: s.A[1, 1], "A", lambda A, **_: A[1, 1], "0"),
    "an inner product as an entry": Case(
        lambda s: (s.x.T * s.x)[0, 0], "x", lambda x, **_: (x**2).sum(), "0"
    ),
    "log det": Case(
        lambda s: sympy.log(sympy.Determinant(s.A)), "A", lambda A, **_: np.log(np.linalg.det(A)), "0"
    ),
    "trace of a power": Case(
        lambda s: Trace(s.A**4), "A", lambda A, **_: np.trace(np.linalg.matrix_power(A, 4)),
        "4*A.T**3",
    ),
    "trace of a negative power": Case(
        lambda s: Trace(s.A**-2), "A", lambda A, **_: np.trace(np.linalg.inv(A @ A)), "RecursionError"
    ),
    "log-sum-exp": Case(
        lambda s: sympy.log(Trace(OneMatrix(1, s.x.rows) * s.x.applyfunc(sympy.exp))), "x",
        lambda x, **_: np.log(np.exp(x).sum()), "0",
    ),
    "log-sum-exp as an entry": Case(
        lambda s: sympy.log((OneMatrix(1, s.x.rows) * s.x.applyfunc(sympy.exp))[0, 0]), "x",
        lambda x, **_: np.log(np.exp(x).sum()), "0",
    ),
    "logistic loss": Case(
        lambda s: Trace(
            s.ones * (-sympy.HadamardProduct(s.y, s.X * s.w)).applyfunc(lambda d: sympy.log(1 + sympy.exp(d)))
        ),
        "w", lambda y, X, w, **_: np.log1p(np.exp(-y * (X @ w))).sum(), "ValueError",
    ),
    "trace of a Kronecker product": Case(
        lambda s: Trace(sympy.KroneckerProduct(s.A, s.B)), "A", lambda A, B, **_: np.trace(np.kron(A, B)),
        "AttributeError",
    ),
    "diagonal matrix, by the vector": Case(
        lambda s: Trace(sympy.DiagMatrix(s.x) * s.A), "x", lambda x, A, **_: np.trace(np.diag(x[:, 0]) @ A),
        "RecursionError",
    ),
    "diagonal matrix, by the matrix": Case(
        lambda s: Trace(sympy.DiagMatrix(s.x) * s.A), "A", lambda x, A, **_: np.trace(np.diag(x[:, 0]) @ A),
        "RecursionError",
    ),
    "two layers with sigmoid": Case(
        lambda s: two_layers(s, sigmoid), "U", two_layers_value(lambda a: 1 / (1 + np.exp(-a))), "ShapeError"
    ),
    "two layers with tanh": Case(
        lambda s: two_layers(s, sympy.tanh), "U", two_layers_value(np.tanh), "ShapeError"
    ),
}  # fmt: skip


@pytest.mark.parametrize("sizes", [symbols("n m h"), (3, 4, 2)], ids=["symbolic", "fixed"])
@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 4, -2])
def test_a_power_with_a_symbol_for_its_exponent(exponent: int, sizes: Any) -> None:
    """SymPy 1.14 gives the power of the entries."""
    s, k = made(*sizes), Symbol("k")
    values, loss, gradient = point(s), Trace(s.A**k), sb.grad(Trace(s.A**k), s.A)
    assert gradient == k * s.A.T ** (k - 1)
    value = np.linalg.matrix_power
    expected = differences(lambda A, **_: np.trace(value(A, exponent)), values, "A")
    found = sb.lambdify([s.A, k], [loss, gradient])(values["A"], exponent)
    np.testing.assert_allclose(found[0], np.trace(value(values["A"], exponent)), rtol=1e-12)
    np.testing.assert_allclose(found[1], expected, rtol=1e-7, atol=1e-8)
    by_k = sb.lambdify([s.A, s.B, k], sb.grad(sb.from_sympy(Trace(s.B * s.A**k)), sb.from_sympy(s.A)))
    weighted = differences(lambda A, B, **_: np.trace(B @ value(A, exponent)), values, "A")
    np.testing.assert_allclose(by_k(values["A"], values["B"], exponent), weighted, rtol=1e-7, atol=1e-8)


def point(s: Made) -> dict[str, Array]:
    """Draw values; square matrices are close to the identity, so that they have a positive determinant."""
    rng = np.random.default_rng(5)
    values = {}
    for symbol in s[:-1]:
        shape = tuple(int(size.subs(SIZES)) for size in symbol.shape)
        near = np.eye(shape[0]) if shape[0] == shape[1] else 0
        values[symbol.name] = near + 0.3 * rng.standard_normal(shape)
    return values


def differences(value: Callable[..., Any], values: dict[str, Array], name: str, step: float = 1e-5) -> Array:
    """Difference a function by each entry of one argument."""
    slope = np.empty_like(values[name])
    for place in np.ndindex(slope.shape):
        ends = []
        for sign in (1, -1):
            moved = values[name].copy()
            moved[place] += sign * step
            ends.append(value(**{**values, name: moved}))
        slope[place] = (ends[0] - ends[1]) / (2 * step)
    return slope


def run(expr: Any, s: Made, values: dict[str, Array]) -> Any:
    return sb.lambdify(list(s[:-1]), expr)(*[values[symbol.name] for symbol in s[:-1]])


@pytest.mark.parametrize("sizes", [symbols("n m h"), (3, 4, 2)], ids=["symbolic", "fixed"])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_derivative_is_that_of_the_value(case: Case, sizes: Any) -> None:
    s = made(*sizes)
    loss, values = case.loss(s), point(s)
    variable = getattr(s, case.by)
    gradient = sb.grad(loss, variable)
    expected = differences(case.value, values, case.by)
    assert isinstance(gradient, sympy.Basic)
    assert not isinstance(gradient, sb.Node)
    assert tuple(gradient.shape) == tuple(variable.shape)
    np.testing.assert_allclose(run(loss, s, values), case.value(**values), rtol=1e-12)
    np.testing.assert_allclose(run(gradient, s, values), expected, rtol=1e-7, atol=1e-8)
    assert np.abs(expected).max() > 1e-3


OLD = sympy.__version__.startswith(("1.13.", "1.14."))


@pytest.mark.skipif(not OLD, reason="newer versions may be right")
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_sympy_says_what_is_written_here(case: Case) -> None:
    s = made(3, 4, 2)
    try:
        said = str(case.loss(s).diff(getattr(s, case.by)))
    except Exception as error:  # of any kind: its name is held
        said = type(error).__name__
    assert said == case.sympy_says


@pytest.mark.skipif(not OLD, reason="newer versions may be right")
def test_sympy_takes_powers_of_the_entries_and_writes_no_code_for_applyfunc() -> None:
    A = MatrixSymbol("A", 2, 2)
    assert Trace(A ** Symbol("k")).diff(A).has(sympy.HadamardPower)
    with pytest.raises(SyntaxError):
        sympy.lambdify([A], A.applyfunc(sympy.exp))


def test_answers_are_what_one_would_write() -> None:
    n = Symbol("n")
    A, B, x = MatrixSymbol("A", n, n), MatrixSymbol("B", n, n), MatrixSymbol("x", n, 1)
    assert sb.grad(Trace(A) + 1, A) == sympy.Identity(n)
    assert sb.grad(Trace(A.T * A) + Trace(B.T * B), A) == 2 * A
    assert sb.grad(sympy.log(sympy.Determinant(A)), A) == (A.T).I
    assert sb.grad((x.T * x)[0, 0], x) == 2 * x
    assert sb.grad(Trace(A**3), A) == 3 * A.T**2
    assert sb.grad(Trace(A**n), A) == n * A.T ** (n - 1)
    assert sb.grad(Trace(sympy.KroneckerProduct(A, B)), A) == Trace(B) * sympy.Identity(n)
    assert sb.grad(Trace(sympy.DiagMatrix(x) * A), A) == sympy.DiagMatrix(x)
    M = MatrixSymbol("M", 2, 2)
    assert sb.grad(M[1, 1], M) == sympy.Matrix([[0, 0], [0, 1]])


@pytest.mark.parametrize("function", [sympy.exp, sigmoid, lambda d: d**2 + sympy.sin(d)], ids=["exp", "sigmoid", "sum"])
def test_applied_functions_run(function: Any) -> None:
    """sympy.lambdify writes ``Lambda(_d, exp(_d)).(A)``, a SyntaxError."""
    A = MatrixSymbol("A", Symbol("n"), 2)
    at = np.array([[0.5, -1.0], [2.0, 0.0], [1.5, 3.0]])
    d = Symbol("d")
    expected = np.vectorize(sympy.lambdify(d, function(d)))(at)
    np.testing.assert_allclose(sb.lambdify([A], A.applyfunc(function))(at), expected, rtol=1e-14)
