"""Sums, products, indices and unevaluated derivatives of SymPy: values and gradients are those of their terms."""

from typing import Any

import numpy as np
import pytest
import sympy
from sympy import (
    Derivative,
    Idx,
    IndexedBase,
    KroneckerDelta,
    Mod,
    Product,
    Subs,
    Sum,
    cos,
    exp,
    factorial,
    sin,
    symbols,
)

import symback as sb
from symback import errors
from symback.graph import toposort
from symback.interop.symbolic.bridge import from_sympy
from symback.nodes.apply import Map
from symback.nodes.leaves import Variable
from symback.nodes.shapes import size_symbol

a, b, t = symbols("a b t")
n, m = symbols("n m", integer=True)
i, j, k = symbols("i j k", integer=True)
p, q = Idx("p", n), Idx("q", m)
x, y, A = IndexedBase("x"), IndexedBase("y", shape=(n,)), IndexedBase("A", shape=(m, n))
z, S = IndexedBase("z", shape=(n + 2,)), IndexedBase("S", shape=(n, n))
T, w = IndexedBase("T", shape=(m, n, n)), IndexedBase("w", shape=(2 * n,))
u = IndexedBase("u", shape=(6,))
M, B = sympy.MatrixSymbol("M", 3, 3), sympy.MatrixSymbol("B", n, n)
SIZES = {n: 4, m: 3}
AS_SIZES = {size_symbol(size.name): number for size, number in SIZES.items()}
ALL, ROWS = (k, 0, n - 1), (j, 0, m - 1)

SUMS = [
    Sum(x[p] ** 2, p),
    Sum(x[k], ALL) / n + n * a,
    Sum(a * x[p], p) + x[2],
    Sum(A[j, k] * y[k] * x[j], ALL, ROWS),
    Sum(Sum(A[j, k] * y[k], ALL) ** 2, ROWS),
    Sum(exp(A[j, k] * y[k] - x[j]), ALL, ROWS),
    Sum(A[q, p] * y[p] + A[q, p] * x[q] - a * y[p], p, q),
    Sum(sympy.log(1 + exp(-x[j] * Sum(A[j, k] * y[k], ALL))), ROWS),
    Sum(T[j, k, i] * y[k] * y[i] * Sum(A[j, i], (i, 0, n - 1)), ROWS, ALL, (i, 0, n - 1)),
    Sum((y[k + 1] - y[k]) ** 2, (k, 0, n - 2)),
    Sum(z[k + 1] * (z[k] - 2 * z[k + 1] + z[k + 2]) * y[k], ALL),
    Sum(z[k - 1] * z[k + 1] * y[k - 1], (k, 1, n)),
    Sum(y[k] * y[n - 1 - k], ALL) + y[n - 1] * y[0],
    Sum(w[2 * k] * w[2 * k + 1] * y[k], ALL) + Sum(u[2 * k] * u[5 - k], (k, 0, 2)),
    Sum(y[Mod(k + 1, n)] * y[k] * y[Mod(2, n)], ALL),
    Sum(S[k, k] * S[k, 0], ALL),
    Sum(S[k, k + 1] * S[k + 1, k], (k, 0, n - 2)),
    Sum(w[j + k] * y[j] * y[k], (j, 0, n - 1), ALL),
    Sum(y[k - j] * y[j] ** 2, (j, 0, k), ALL),
    Sum(S[j, k] / (1 + k - j), (j, 0, k), ALL),
    Sum(S[i, j] * S[j, k] * y[i], (i, 0, j), (j, k, n - 1), ALL),
    Sum(S[j, k] ** 2, (k, j + 1, n - 1), (j, 0, n - 1)),
    Sum((k + 1) * y[k] ** k, ALL),
    Sum(sympy.Piecewise((y[k], k < 2), (y[k] ** 3, True)), ALL),
    Sum(KroneckerDelta(j, k) * S[j, k] * y[k], (j, 0, n - 1), ALL),
    Sum(KroneckerDelta(j, k, (0, n - 1)) * S[j, k] * y[k], (j, 0, n - 1), ALL),
    Sum(KroneckerDelta(j, k + 1) * S[j, k] + KroneckerDelta(k, 2) * y[k], (j, 0, n - 1), ALL),
    Sum(sympy.Max(y[k], x[k]) * a, ALL),
    Sum(a**k / k, (k, 1, 50)),
    Sum(a**k / factorial(k), (k, 0, 12)) + Sum(k**10, (k, 1, 100)),
    Sum(a * b, ALL, (i, 1, n)) + Sum(y[k], ALL),
    Sum(Sum(y[k], ALL) * k, (k, 1, 3)),
    Sum(a, (k, 1, 0)) + a,
    Product(1 + y[k] ** 2, ALL),
    Product(a * y[k], ALL) * Product(a, (k, 0, n)),
    Product(Sum(A[j, k], ROWS), ALL),
    Sum(Product(A[j, k], ALL), ROWS),
    Product(y[j] + k, (j, 0, k), (k, 0, n - 1)),
    Sum(B[j, k] * y[k] * B[k, j], (j, 0, n - 1), ALL),
    Sum(sympy.Trace(M**k) / k, (k, 1, 3)),
]

DERIVATIVES = [
    Derivative(sin(a * b) * x[0], a) + Sum(x[k], ALL),
    Derivative(exp(a * b) * b, (a, 2), (b, 1)),
    Derivative(a**3, (a, 4)) + a,
    Derivative(Derivative(sin(a * b), a) * b, b),
    Subs(Derivative(sin(a * b), a), a, b**2),
    Subs(a * b**2, (a, b), (t, t)),
    Sum(Derivative(sin(a * y[k]), a) * b, ALL),
    Sum(Derivative(sin(a * y[k]) * y[k], y[k], a), ALL),
    Sum(Derivative(sin(y[k]) * y[k + 1] ** 2, y[k + 1]), (k, 0, n - 2)),
    Derivative(Sum(y[k] ** 3 * exp(y[k]), ALL), y[2]),
    Derivative(Sum(S[j, k] * y[j] * y[k], (j, 0, n - 1), ALL), y[1], y[2]),
    Sum(Derivative(Sum(y[k] * exp(y[j] * y[k]), ALL), y[j]) ** 2, (j, 0, n - 1)),
    Sum(Subs(Derivative(cos(a * b), a), a, 2 * y[k]) * y[k], ALL),
    Derivative(Sum(a**k * y[k], ALL), (a, 2)),
    Derivative(y[1] ** 3 * sin(y[2] * y[0]), (y[1], 2), y[2]),
    Sum(Derivative(y[k] ** 2 * y[j] * a, y[k], y[j], a), (j, 0, n - 1), ALL),
    Sum(Derivative(B[j, k] * B[k, j] * y[k], B[j, k]), (j, 0, n - 1), ALL),
    Sum(Derivative(a * b**k, b), (k, 0, 3)),
]


def written_out(e: sympy.Basic) -> sympy.Basic:
    """Replace sums and products by their terms."""
    if isinstance(e, (Sum, Product)):
        *inner, (index, first, last) = e.limits
        rest = e.func(e.function, *inner) if inner else e.function
        terms = [written_out(rest.subs(index, value)) for value in range(first, last + 1)]
        return (sympy.Add if isinstance(e, Sum) else sympy.Mul)(*terms)
    return e.func(*map(written_out, e.args)) if e.has(Sum, Product) else e


def reference(expr: sympy.Expr, given: dict[str, Any]) -> tuple[float, dict[str, Any]]:
    """Return the value and the gradients by SymPy, with a symbol for each entry."""
    M_entries = sympy.Matrix(3, 3, lambda row, column: sympy.Symbol(f"M_{row}_{column}"))
    e = written_out(expr.xreplace({p: i, q: j, M: M_entries}).subs(SIZES)).doit()
    numbers: dict[sympy.Basic, Any] = {}
    symbol: dict[tuple[str, tuple[int, ...]], sympy.Symbol] = {}
    for name, array in given.items():
        for place in np.ndindex(array.shape):
            symbol[name, place] = sympy.Symbol("_".join([name, *map(str, place)]))
            numbers[symbol[name, place]] = sympy.Float(array[place], 30)
    entries = {
        entry: symbol[str(entry.args[0].args[0]), tuple(map(int, entry.indices))]
        for entry in e.atoms(sympy.Indexed, sympy.matrices.expressions.matexpr.MatrixElement)
    }
    e = e.xreplace(entries)
    assert e.free_symbols <= set(numbers)
    slopes = {name: np.empty(array.shape) for name, array in given.items()}
    for (name, place), s in symbol.items():
        slopes[name][place] = e.diff(s).xreplace(numbers).doit().evalf(30)
    return float(e.xreplace(numbers).doit().evalf(30)), slopes


@pytest.mark.parametrize("expr", SUMS + DERIVATIVES, ids=str)
def test_values_and_gradients_are_those_of_sympy(expr: sympy.Expr) -> None:
    node = from_sympy(expr)
    variables = sorted((v for v in toposort([node]) if isinstance(v, Variable)), key=lambda v: v.name)
    random = np.random.default_rng(7)
    shapes = [[int(sympy.sympify(size).subs(AS_SIZES)) for size in v.shape] for v in variables]
    given = {v.name: random.uniform(0.5, 1.5, shape) for v, shape in zip(variables, shapes, strict=True)}
    value, slopes = reference(expr, given)
    results = sb.lambdify(variables, [node, *sb.grad(node, variables)])(*given.values())
    np.testing.assert_allclose(results[0], value, rtol=1e-11)
    for v, found in zip(variables, results[1:], strict=True):
        np.testing.assert_allclose(found, slopes[v.name], rtol=1e-10, atol=1e-12, err_msg=v.name)


@pytest.mark.parametrize(
    ("expr", "text"),
    [
        (Sum(A[j, k] * y[k] * x[j], ALL, ROWS), "return x @ (A @ y)"),
        (Sum((Sum(A[j, k] * y[k], ALL) - x[j]) ** 2, ROWS), "A @ y - x"),
        (Sum(A[j, k] * y[k] - A[j, k] * y[k] ** 2, ALL, ROWS), "y @ "),
        (Sum(S[j, k] * S[i, k] * S[i, j], ALL, (i, 0, n - 1), (j, 0, n - 1)), "@"),
        (Sum((z[k + 1] - z[k]) ** 2, (k, 0, n)) + y[0], "z[1:] - z[:-1]"),
        (Sum(KroneckerDelta(j, k) * S[j, k], (j, 0, n - 1), ALL), "np.trace(S)"),
        (Sum(y[n - 1 - k] * y[k], ALL), "y @ y[::-1]"),
    ],
    ids=str,
)
def test_sums_of_products_are_contractions_and_shifts_are_slices(expr: sympy.Expr, text: str) -> None:
    node = from_sympy(expr)
    variables = sorted((v for v in toposort([node]) if isinstance(v, Variable)), key=lambda v: v.name)
    assert text in sb.lambdify(variables, node).source


@pytest.mark.parametrize("size", [0, 1, 2])
def test_axes_of_few_entries(size: int) -> None:
    """Sums of nothing are 0, products of nothing 1."""
    given = np.arange(1.0, size + 1)
    e = Sum(y[k] * k, ALL) + Product(y[k], ALL) + n * a + Sum(a, (k, 2, n)) + Sum(y[j] * y[k], (j, 0, k), ALL)
    found = sb.lambdify([y, a], e)(given, 3.0)
    triangle = sum(given[row] * given[column] for row in range(size) for column in range(row + 1))
    assert found == np.arange(size) @ given + np.prod(given) + 3 * size + 3 * max(size - 1, 0) + triangle
    fixed = IndexedBase("f", shape=(size,))
    assert sb.lambdify([fixed], Sum(fixed[k], (k, 0, size - 1)) + 1)(given) == given.sum() + 1


def test_indexed_names_are_inputs_and_what_one_differentiates_by() -> None:
    loss = Sum(a * x[p] ** 2, p)
    vector = np.array([1.0, 2.0])
    assert sb.lambdify([x, a], loss)(vector, 3.0) == 15
    gradient = sb.grad(loss, x)
    np.testing.assert_array_equal(sb.lambdify([x, a], gradient)(vector, 3.0), 6 * vector)
    assert sb.grad(sb.from_sympy(loss), sb.tensor("x", ("n",))).shape == sb.tensor("x", ("n",)).shape
    with pytest.raises(
        errors.DerivativeError, match=r"with respect to x\[0\], one entry of x; differentiate .* to x, and"
    ):
        sb.grad(loss + x[0], x[0])


def test_a_sum_of_a_deep_expression_does_not_recurse() -> None:
    e = y[k]
    for _ in range(3_000):
        e = sympy.Mul(sin(e, evaluate=False), a, evaluate=False)
    total = sympy.Basic.__new__(Sum, e, sympy.Tuple(k, 0, n - 1))  # SymPy's own constructor recurses
    assert sum(1 for _ in toposort([from_sympy(total)])) > 6_000


def test_what_is_shared_in_a_sum_stays_shared() -> None:
    e = exp(y[k] * a)
    node = from_sympy(Sum(e + sin(e), ALL) * Sum(e, ALL))
    assert sum(isinstance(part, Map) and part.operation.name == "exp" for part in toposort([node])) == 1


def test_a_derivative_by_a_function_leaves_its_own_derivative_alone() -> None:
    f = sympy.Function("f")(t)
    velocity = Derivative(f, t)
    assert from_sympy(Derivative(f**2 * velocity, f)) is from_sympy(2 * f * velocity)
    assert from_sympy(Derivative(f**2 * velocity**2, velocity)) is from_sympy(2 * f**2 * velocity)


f1 = IndexedBase("f", shape=(3,))


@pytest.mark.parametrize(
    ("expr", "kind", "reason"),
    [
        (
            Sum(a**k, (k, 0, sympy.oo)),
            errors.UsageError,
            "has infinitely many terms; put a number in for oo, or evaluate",
        ),
        (Product(a, (k, -sympy.oo, 3)), errors.UsageError, "Product .* has infinitely many terms"),
        (y[k], errors.UsageError, r"the index k of y\[k\] is not made of .* indices that a Sum binds"),
        (y[p] + p, errors.UsageError, "no Sum or Product binds the index p; sum over it"),
        (Sum(y[k] * y[p], ALL), errors.UsageError, "no Sum or Product binds the index p"),
        (Sum(y[k**2], ALL), errors.UsageError, r"the index k\*\*2 of .* is not made of integers"),
        (Sum(y[y[k]], ALL), errors.UsageError, "is not made of integers"),
        (Sum(y[k / 2], ALL), errors.UsageError, "is not made of integers"),
        (Sum(y[k], (k, 1, n)), errors.ShapeError, r"index k goes from 1 to n, and an axis of size n has .* 0 to n - 1"),
        (Sum(y[k - 1], ALL), errors.ShapeError, r"the index k - 1 goes from -1 to n - 2"),
        (Sum(y[k], (k, 0, m - 1)), errors.ShapeError, "from 0 to m - 1, and an axis of size n"),
        (f1[3], errors.ShapeError, "from 3 to 3, and an axis of size 3"),
        (f1[-1], errors.ShapeError, "from -1 to -1"),
        (y[n], errors.ShapeError, "from n to n"),
        (Sum(y[Mod(k, m)] * A[0, k], ALL), errors.ShapeError, "from 0 to m - 1"),
        (
            x[0] + x[1],
            errors.UsageError,
            r"shape of x is not known \(axis 0: no index runs .*; give it: IndexedBase\('x', s",
        ),
        (Sum(x[k], ALL) + Sum(x[k], (k, 0, m - 1)), errors.UsageError, r"axis 0: m or n\?"),
        (Sum(x[k], ALL) + x[0, 0], errors.ShapeError, "elsewhere x has another number; give each name one number"),
        (
            Sum(a**k, (k, 0, sympy.Rational(5, 2))),
            errors.UsageError,
            r"limits \(k, 0, 5/2\) of Sum .* no range of integers",
        ),
        (Sum(a**k, (k, 0, n / 2)), errors.UsageError, "no range of integers"),
        (
            Sum(y[j], (j, 0, k - 2), ALL),
            errors.UsageError,
            "may run backward, where SymPy counts terms negatively; narrow",
        ),
        (Sum(a, (k, 5, 2)), errors.UsageError, "may run backward"),
        (Sum(y[k], ALL) * sympy.Symbol("n", real=True), errors.InvalidNameError, "symbol 'n' is a size"),
        (Sum(x[k], ALL) + Sum(y[j], (j, 0, k - 1)), errors.InvalidNameError, "symbol 'k' is a size"),
        (Subs(Sum(y[k], ALL), n, 3), errors.InvalidNameError, "symbol 'n' is a size"),
        (
            Sum(sympy.Trace(M**k), (k, 1, n)),
            errors.UsageError,
            "over matrices that depend on the index; give limits that",
        ),
        (Product(k * M, (k, 1, 3)), errors.UsageError, "cannot convert Product .* of matrices; write MatMul"),
        (
            Sum(KroneckerDelta(k, j, (0, 1)), (j, 0, 2), ALL),
            errors.UsageError,
            "has a range of its own; write it with its two indices",
        ),
        (Derivative(sin(a), (a, n)), errors.UsageError, "an order that is not known now; put an integer in"),
        (Derivative(Sum(y[k], ALL) * a, n), errors.DerivativeError, "by n, which is no real scalar; use sb.grad"),
        (Sum(Derivative(k * a, k), ALL), errors.DerivativeError, "by k, which is no real scalar"),
        (Subs(a * b, (a, b), (b, a)), errors.UsageError, "holds a symbol that is substituted; name the substituted"),
        (
            sympy.Integral(Sum(y[k] * a, ALL), (a, 0, 1)),
            errors.UsageError,
            "cannot convert Integral .* evaluate it with",
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_cannot_be_evaluated_is_refused_with_a_cure(expr: sympy.Basic, kind: type[Exception], reason: str) -> None:
    with pytest.raises(kind, match=reason):
        from_sympy(expr)


@pytest.mark.parametrize(
    "limits", [[(k, 0, 0)], [(k, 0, 2), (j, 0, 3)], [(j, 0, 3), (k, 0, 2)], [(k, 0, 2), (j, 1, 1)]]
)
@pytest.mark.parametrize("kind", [Product, Sum])
def test_nothing_is_left_of_the_axes_of_indices(kind: Any, limits: list[Any]) -> None:
    node = from_sympy(kind(IndexedBase("v", shape=(3,))[k] + 2, *limits))
    assert node.shape == ()
    ranges = {index: range(first, last + 1) for index, first, last in limits}
    terms = [2.0 + value for value in ranges[k] for _ in ranges.get(j, [0])]
    total = np.prod(terms) if kind is Product else np.sum(terms)
    assert sb.lambdify([sb.tensor("v", (3,))], node)(np.arange(3.0)) == total


def test_a_sum_is_a_scalar_factor_of_a_matrix_inside_a_sum() -> None:
    Q = sympy.MatrixSymbol("Q", n, n)
    blocks = sympy.BlockMatrix([[sympy.MatMul(3 * Sum(y[k], ALL), Q)], [Q]])
    expr = Sum(blocks[i, j], (i, 0, n - 1), (j, 0, n - 1))
    at, matrix = np.arange(3.0), np.arange(9.0).reshape(3, 3)
    assert sb.lambdify([sb.tensor("y", ("n",)), Q], expr)(at, matrix) == 9 * matrix.sum()


def test_products_of_a_few_factors_have_derivatives_in_sympy() -> None:
    product = sympy.Product(a + k, (k, 1, 3))
    for by_hand, found in ((1, sb.grad), (2, lambda e, v: sb.hessian(e, v))):
        assert sympy.expand(found(product, a) - product.doit().diff(a, by_hand)) == 0
    X = sympy.MatrixSymbol("X", 3, 1)
    loss = sympy.Product(sin(X[k, 0]) * a, (k, 0, 2))
    by_x, by_a = sb.lambdify([X, a], sb.grad(loss, [X, a]))(np.array([[0.0], [0.2], [0.3]]), 2.0)
    np.testing.assert_allclose(by_x[:, 0], [8 * np.sin(0.2) * np.sin(0.3), 0, 0], rtol=1e-14)
    assert by_a == 0
    with pytest.raises(errors.UsageError, match="a product of entries is written for up to 32 entries of a vector"):
        sb.grad(sympy.Product(a + k, (k, 1, 40)), a)
