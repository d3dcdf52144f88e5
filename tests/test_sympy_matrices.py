"""Matrices of SymPy to graphs and back: values, gradients in plain SymPy, structures of variables, refusals."""

from typing import Any

import numpy as np
import pytest
import sympy
from sympy import HadamardPower, HadamardProduct, Identity, Matrix, MatrixSymbol, Symbol, Trace, symbols
from sympy.assumptions.assume import global_assumptions
from sympy.combinatorics import Permutation
from sympy.matrices.expressions.diagonal import DiagonalMatrix, DiagonalOf
from sympy.matrices.expressions.dotproduct import DotProduct
from sympy.matrices.expressions.permutation import MatrixPermute, PermutationMatrix

import symback as sb
from symback import errors
from symback.interop.symbolic.bridge import SympyBridge, from_sympy

n, m = symbols("n m")
t, u = symbols("t u")
p, q = symbols("p q", positive=True)
A, B = MatrixSymbol("A", n, n), MatrixSymbol("B", n, n)
W, x = MatrixSymbol("W", m, n), MatrixSymbol("x", n, 1)
C = MatrixSymbol("C", 2, 3)
i, j = symbols("i j", integer=True)

RNG = np.random.default_rng(3)
AT = {
    "A": np.eye(3) + 0.3 * RNG.standard_normal((3, 3)), "B": RNG.uniform(0.5, 2, (3, 3)),
    "W": RNG.standard_normal((2, 3)), "x": RNG.uniform(0.5, 2, (3, 1)), "C": RNG.standard_normal((2, 3)),
    "t": np.float64(0.7), "u": np.float64(1.3),
}  # fmt: skip
a, b, w, v, c, s = (AT[name] for name in ("A", "B", "W", "x", "C", "t"))
INV = np.linalg.inv(a)

VALUES = [
    (2 * t * A * B, 2 * s * a @ b),
    (A - B + Identity(n), a - b + np.eye(3)),
    (A**3, a @ a @ a),
    (A**-2, INV @ INV),
    (A**0, np.eye(3)),
    (A.I * x, INV @ v),
    (W.T, w.T),
    (sympy.Adjoint(W), w.T),
    (A.conjugate(), a),
    (Trace(A * B), np.trace(a @ b)),
    (sympy.Determinant(A), np.linalg.det(a)),
    (HadamardProduct(A, B), a * b),
    (HadamardPower(B, t), b**s),
    (HadamardPower(t, A), s**a),
    (HadamardPower(B, A), b**a),
    (sympy.KroneckerProduct(A, C), np.kron(a, c)),
    (sympy.DiagMatrix(x) * A, np.diag(v[:, 0]) @ a),
    (sympy.DiagMatrix(x.T), np.diag(v[:, 0])),
    (DiagonalMatrix(A), np.diag(np.diag(a))),
    (DiagonalMatrix(C), c * np.eye(2, 3)),
    (DiagonalOf(A), np.diag(a)[:, None]),
    (DiagonalOf(C), np.diag(c)[:, None]),
    (DotProduct(x, x), (v**2).sum()),
    (sympy.ZeroMatrix(n, n) + A, a),
    (sympy.OneMatrix(m, 1) * x.T, np.ones((2, 1)) @ v.T),
    (sympy.BlockMatrix([[A, x], [W, W * x]]), np.block([[a, v], [w, w @ v]])),
    (sympy.BlockDiagMatrix(A, C), np.block([[a, np.zeros((3, 3))], [np.zeros((2, 3)), c]])),
    (A[0:2, 1:n], a[0:2, 1:]),
    (C[1:2, 0:3:2], c[1:2, ::2]),
    (A[1, 2] + C[-1, 0], a[1, 2] + c[-1, 0]),
    (A[0, n - 1] * A[n - 2, 1], a[0, -1] * a[1, 1]),
    (A.applyfunc(sympy.sin), np.sin(a)),
    (A.applyfunc(lambda d: t * d**2 + 1), s * a**2 + 1),
    (A.applyfunc(lambda d: sympy.Piecewise((d, d > t), (0, True))), np.where(a > s, a, 0)),
    (MatrixPermute(C, Permutation([1, 0]), 0), c[[1, 0]]),
    (PermutationMatrix(Permutation([1, 2, 0])), np.eye(3)[[1, 2, 0]]),
    (sympy.FunctionMatrix(2, 3, sympy.Lambda((i, j), i + t * j)), np.arange(2)[:, None] + s * np.arange(3)),
    (n * Trace(A) + t / n, 3 * np.trace(a) + s / 3),
    (sympy.exp(x.T * A * x) + t, np.exp((v.T @ a @ v)[0, 0]) + s),
    ((x.T * x) ** t, (v.T @ v) ** s),
    (Matrix([[t, 1], [t**2, sympy.pi]]), np.array([[s, 1], [s**2, np.pi]])),
    (sympy.SparseMatrix(2, 3, {(0, 1): t, (1, 2): 3}), np.array([[0, s, 0], [0, 0, 3]])),
    (sympy.ImmutableSparseMatrix(2, 2, {}), np.zeros((2, 2))),
    (Matrix([[1, sympy.Rational(1, 3)], [0.1, -2]]), np.array([[1, 1 / 3], [0.1, -2]])),
    (Matrix([[1, sympy.Rational(1, 3)]]) * C, np.array([[1, 1 / 3]]) @ c),
    (Matrix(0, 3, []), np.zeros((0, 3))),
    (Matrix([[C[0, 0], t]]), np.array([[c[0, 0], s]])),
]
NAMED = [A, B, W, x, C, t, u]

REFUSED = {
    "MatrixPermute(C, (0 1), 0)": "there is no counterpart of gather; sb.lambdify, sb.dumps and sympy.latex take"
}
"""Which of them have no way back, and what is said of it."""


def value_of(expr: Any) -> Any:
    """Evaluate by emitted code."""
    return sb.lambdify(NAMED, expr)(*[AT[symbol.name] for symbol in NAMED])


@pytest.mark.parametrize(("expr", "expected"), VALUES, ids=[str(expr)[:50] for expr, _ in VALUES])
def test_a_matrix_has_its_value_and_keeps_it_there_and_back(expr: Any, expected: Any) -> None:
    found = value_of(expr)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)
    assert np.shape(found) == np.shape(expected)
    bridge = SympyBridge()
    node = bridge.to_node(expr)
    if str(expr) in REFUSED:
        with pytest.raises(errors.UsageError, match=REFUSED[str(expr)]):
            bridge.to_expr(node)
        return
    np.testing.assert_allclose(value_of(bridge.to_expr(node)), expected, rtol=1e-12, atol=1e-14)


a_, b_, v_, w_, s_ = (sb.tensor(*g) for g in (
    ("A", ("n", "n")), ("B", ("n", "n")), ("v", ("n",)), ("W", ("m", "n")), ("t", ()))
)  # fmt: skip
y_ = sb.tensor("y", ("n",))
V, Y = (MatrixSymbol(name, Symbol("n", integer=True, nonnegative=True), 1) for name in "vy")
N = V.rows
A_, B_ = MatrixSymbol("A", N, N), MatrixSymbol("B", N, N)
W_ = MatrixSymbol("W", Symbol("m", integer=True, nonnegative=True), N)
ONE = sympy.OneMatrix


@pytest.mark.parametrize(
    ("node", "expr"),
    [
        (a_ @ b_.T @ v_, A_ * B_.T * V),
        (v_ @ a_ @ y_, Trace(V.T * A_ * Y)),
        (sb.trace(a_ @ b_), Trace(A_ * B_)),
        (sb.sum(a_ * b_), Trace(A_.T * B_)),
        (sb.sum(a_), Trace(ONE(1, N) * A_ * ONE(N, 1))),
        (sb.sum(w_, axis=1), W_ * ONE(N, 1)),
        (sb.outer(v_, y_), V * Y.T),
        (a_ * v_, A_ * sympy.DiagMatrix(V)),
        (sb.diag(v_), sympy.DiagMatrix(V)),
        (sb.diagonal(a_), DiagonalOf(A_)),
        (a_ + v_, A_ + ONE(N, 1) * V.T),
        (a_ + 1, A_ + ONE(N, N)),
        (2 * s_ * a_, 2 * Symbol("t") * A_),
        (a_ / b_, HadamardProduct(A_, HadamardPower(B_, -1))),
        (a_**3, HadamardPower(A_, 3)),
        (sb.exp(a_), A_.applyfunc(sympy.exp)),
        (sb.linalg.inv(a_) @ v_, A_.I * V),
        (sb.linalg.solve(a_, v_), A_.I * V),
        (sb.linalg.slogdet(a_)[1], sympy.log(sympy.Abs(sympy.Determinant(A_)))),
        (sb.ones((2, 3)), ONE(2, 3)),
        (sb.eye("n") @ a_, A_),
        (sb.eye(2, 3, 1), sympy.ImmutableMatrix([[0, 1, 0], [0, 0, 1]])),
        (sb.arange(3), sympy.ImmutableMatrix([0, 1, 2])),
        (sb.constant([[1.0, 0.1]]), sympy.ImmutableMatrix([[1, sympy.Float(0.1)]])),
        (sb.stack([s_, 2 * s_]), sympy.ImmutableMatrix([Symbol("t"), 2 * Symbol("t")])),
        (sb.concatenate([a_, b_], axis=0), sympy.BlockMatrix([[A_], [B_]])),
        (w_[0], W_[0, :].T),
    ],
    ids=lambda side: str(side)[:40],
)
def test_a_node_becomes_a_matrix_expression(node: Any, expr: Any) -> None:
    found = sb.to_sympy(node)
    assert found == expr or found.dummy_eq(expr) or str(found) == str(expr).replace("_0", "_d")


def test_gradients_are_plain_sympy_with_the_symbols_one_began_with() -> None:
    gradient = sb.grad(Trace(x.T * A * x), [x, {"A": A}])
    assert gradient == [A * x + A.T * x, {"A": x * x.T}]
    assert gradient[0].shape == (n, 1)
    assert sb.grad(n * Trace(A), A) == n * Identity(n)
    assert sb.grad(p * Trace(A), p) == Trace(A)
    assert sb.grad(p * sympy.sqrt(q**2), Matrix([[p, q]])) == Matrix([[q, p]])


def test_jacobians_and_hessians_have_the_shapes_of_sympy() -> None:
    f = Matrix([p * q, p])
    expected = Matrix([[q, p], [1, 0]])
    assert sb.jacobian(f, [p, q]) == sb.jacobian(f, Matrix([p, q])) == f.jacobian([p, q]) == expected
    assert sb.jacobian(f, p) == Matrix([q, 1])
    assert sb.jacobian({"f": f}, {"p": p})["f"] == {"p": Matrix([q, 1])}
    assert sb.hessian(p**2 * q, Matrix([p, q])) == sympy.hessian(p**2 * q, [p, q])
    assert sb.hessian(p**2 * q, [p, q]) == [[2 * q, 2 * p], [2 * p, 0]]
    assert isinstance(sb.jacobian(f.as_immutable(), [p, q]), sympy.ImmutableMatrix)
    assert sb.jacobian(W * x, x) == W
    assert sb.hessian(Trace(x.T * A * x), x) == A + A.T
    assert sb.hessian(Trace(x.T * x) ** 2, x) == 4 * Trace(x.T * x) * Identity(n) + 8 * x * x.T
    assert sb.jacobian(Matrix([Trace(x.T * x), p]), x, disconnected="zero").shape == (2, n)


def test_a_subclass_of_matrix_symbol_is_kept_and_used() -> None:
    class Symmetric(MatrixSymbol):  # type: ignore[misc]
        def _eval_transpose(self) -> Any:
            return self

    S = Symmetric("S", n, n)
    gradient = sb.grad(Trace(x.T * S * x), x)
    assert gradient == 2 * S * x
    assert gradient.atoms(MatrixSymbol) == {S, x}


@pytest.mark.parametrize("fact", [sympy.Q.symmetric, sympy.Q.diagonal])
def test_what_sympy_assumes_to_be_symmetric_has_no_transposes(fact: Any) -> None:
    form = Trace(x.T * A * x)
    likelihood = -sympy.log(sympy.Determinant(A)) - Trace(x.T * A.inv() * x)
    before = set(global_assumptions)
    with sympy.assuming(fact(A)):
        assert sb.grad(form, x) == 2 * A * x
        assert sb.hessian(form, x) == 2 * A
        assert sb.jacobian(A.T * x, x) == A
        assert sb.grad(likelihood, A) == -A.inv() + A.inv() * x * x.T * A.inv()
        assert sb.grad(Trace(A**3) + Trace(A * B), A) == 3 * A**2 + B.T
        assert sb.grad(form, x).atoms(MatrixSymbol) == {A, x}
    assert set(global_assumptions) == before
    assert sb.grad(form, x) == A * x + A.T * x
    with sympy.assuming(fact(B), sympy.Q.positive(t)):
        assert sb.grad(form, x) == A * x + A.T * x


def test_reductions_without_a_name_are_written_as_what_they_mean() -> None:
    vector, table, column = sb.tensor("x", (3,)), sb.tensor("C", (2, 3)), MatrixSymbol("x", 3, 1)
    assert sb.to_sympy(sb.linalg.norm(vector)) == sympy.sqrt(Trace(column.T * column))
    far = sb.lambdify([column], sb.to_sympy(sb.special.logsumexp(vector)))([[1000.0], [1001.0], [999.0]])
    np.testing.assert_allclose(far, 1001.4076059644443)
    softmax, norm = sb.special.softmax, sb.linalg.norm
    cases = [
        (softmax(vector), vector, v), (sb.grad(sb.special.logsumexp(vector), vector), vector, v),
        (norm(vector, ord=3), vector, v), (sb.grad(norm(vector), vector), vector, v), (norm(table, axis=1), table, c),
        (sb.var(table, axis=0, ddof=1), table, c), (sb.std(table), table, c), (softmax(table, axis=0), table, c),
    ]  # fmt: skip
    for node, variable, values in cases:
        found = sb.lambdify([column if variable is vector else C], sb.to_sympy(node))(values)
        wanted = sb.evaluate(node, {variable: values.reshape(variable.shape)})
        np.testing.assert_allclose(np.ravel(found), np.ravel(wanted), rtol=1e-12, err_msg=str(node))


def test_a_variance_of_fewer_entries_than_are_taken_off_is_not_negative() -> None:
    with pytest.raises(errors.UsageError, match="no real number"):
        sb.to_sympy(sb.var(sb.tensor("x", (2,)), ddof=3))
    column, numbers = MatrixSymbol("x", n, 1), sb.tensor("x", ("n",))
    found = sb.lambdify([column], sb.to_sympy(sb.var(numbers, ddof=3), {numbers: column}))
    with np.errstate(divide="ignore"):
        assert found([[1.0], [2.0]]) == np.inf
    np.testing.assert_allclose(found([[1.0], [2.0], [5.0], [7.0]]), np.var([1.0, 2, 5, 7], ddof=3))


def test_a_loss_of_one_entry_has_the_derivation_of_its_trace() -> None:
    A, v = MatrixSymbol("A", n, n), MatrixSymbol("v", n, 1)
    for loss in (v.T * A * v, Trace(v.T * A * v)):
        assert str(sb.derive(loss, v).steps[-1].equation).endswith(r"= A^{\top} v + A v")


def test_a_matrix_of_symbols_is_one_argument() -> None:
    f = sb.lambdify([Matrix([p, q]), t], Matrix([[p * q, t], [1, q]]))
    np.testing.assert_array_equal(f([[2.0], [3.0]], 5.0), [[6, 5], [1, 3]])
    loss = sb.objective((p - 1) ** 2 + p * q**2, Matrix([p, q]))
    np.testing.assert_array_equal(loss.jac([2.0, 3.0]), [11, 12])
    assert sb.check_grad(p**2 * sympy.sin(q), Matrix([p, q])).passed
    assert sb.derive(p**2 * q, Matrix([p, q])).steps


def test_a_matrix_of_one_entry_is_a_loss() -> None:
    form, direction = x.T * A * x, MatrixSymbol("d", n, 1)
    assert sb.grad(form, x) == sb.grad(Trace(form), x) == A * x + A.T * x
    assert sb.grad(Matrix([[p * q]]), [p, q]) == [q, p]
    assert sb.hessian(form, x) == A + A.T
    assert sb.hvp(form, x, direction) == A * direction + A.T * direction
    assert sb.laplacian(x.T * x, x) == 2 * n
    assert sb.check_grad(form, [x, A]).passed
    assert sb.derive(form, x).steps
    np.testing.assert_allclose(sb.objective(form, x, {A: a}).jac(v[:, 0]), ((a + a.T) @ v)[:, 0], rtol=1e-12)
    with pytest.raises(errors.DerivativeError, match=r"the loss A @ x \(n, 1\) is not a scalar"):
        sb.grad(A * x, x)


def test_integers_are_differentiated_as_real_numbers() -> None:
    assert sb.grad(sympy.Integer(2), p, disconnected="zero") == 0
    assert sb.hessian(sympy.Integer(2), [p, q], disconnected="zero") == [[0, 0], [0, 0]]
    assert sb.jacobian(Matrix([1, p]), [p]) == Matrix([0, 1])
    assert sb.jacobian([sympy.Integer(1), p], [p], disconnected="zero") == [[0], [1]]
    with pytest.raises(errors.DerivativeError, match="2 does not depend on p"):
        sb.grad(sympy.Integer(2), p)


def test_a_jacobian_of_no_expressions_has_no_rows() -> None:
    none = Matrix(0, 1, [])
    assert sb.jacobian(none, [p, q]) == sb.jacobian(none, Matrix([p, q])) == Matrix(0, 2, [])
    assert sb.jacobian(none, x) == sympy.ZeroMatrix(0, n)


D = MatrixSymbol("D", n, n)


@pytest.mark.parametrize(
    ("expr", "gradient"),
    [
        (Trace(B.applyfunc(sympy.sin) * D), B.T.applyfunc(sympy.sin)),
        (Trace((2 * B).applyfunc(sympy.exp) * A * D), A.T * (2 * B.T).applyfunc(sympy.exp)),
        (Trace(HadamardPower(A, B) * D), HadamardPower(A.T, B.T)),
        (Trace(A * HadamardPower(A, B) * D), HadamardPower(A.T, B.T) * A.T),
        (Trace((A + HadamardPower(A, B)).I * D), (A.T + HadamardPower(A.T, B.T)).I),
    ],
    ids=str,
)
def test_functions_of_entries_are_transposed_with_their_matrix(expr: Any, gradient: Any) -> None:
    """SymPy leaves the exponents as they are: ``HadamardPower(A, B).T`` is ``HadamardPower(A.T, B)``."""
    found = sb.grad(expr, D)
    values = {"A": b, "B": 0.1 * a, "D": a}
    run = sb.lambdify([A, B, D], [found, gradient, sb.grad(from_sympy(expr), sb.tensor("D", ("n", "n")))])
    first, second, third = run(*values.values())
    np.testing.assert_allclose(first, third, rtol=1e-12)
    np.testing.assert_allclose(second, third, rtol=1e-12)
    assert {type(part) for part in found.atoms(HadamardPower)} <= {HadamardPower}


def test_a_jacobian_transposes_powers_of_entries() -> None:
    base, by = MatrixSymbol("b", n, 1), MatrixSymbol("e", n, 1)
    rows = sb.jacobian(Matrix([DotProduct(HadamardPower(base, by), x), p]), x)
    exponents = np.array([[1.0], [2.0], [0.5]])
    found = sb.lambdify([base, by], rows)(v, exponents)
    np.testing.assert_allclose(found, [(v**exponents)[:, 0], np.zeros(3)], rtol=1e-12)


def test_an_entry_of_a_kronecker_product_is_found() -> None:
    """SymPy writes the row of the first factor as ``floor`` of an index that is an integer."""
    entry = (sympy.KroneckerProduct(A, Matrix([[t]]).as_immutable()) * x)[1, 0]
    assert entry.has(sympy.floor) or entry.has(sympy.Mod)
    np.testing.assert_allclose(value_of(entry), s * (a @ v)[1, 0], rtol=1e-12)


def test_inputs_of_lambdify_are_a_list() -> None:
    for inputs in (p, A, "p", None, sb.tensor("p")):
        with pytest.raises(errors.InputError, match=r"lambdify: the inputs are a .*; give a list of variables, \[x\]"):
            sb.lambdify(inputs, p)
    assert sb.lambdify(Matrix([p, q]), p * q)(2.0, 3.0) == sb.lambdify(sympy.Tuple(p, q), p * q)(2.0, 3.0) == 6


def test_entry_points_take_matrices() -> None:
    assert sb.check_grad(Trace(A.T * A * B), [A, B]).passed
    assert sb.derive(Trace(A.T * A), A).steps
    many = sb.batch(Trace(x.T * A * x), {x: "N"})
    points = np.arange(6.0).reshape(2, 3, 1)
    given = sb.lambdify([sb.tensor("A", ("n", "n")), sb.tensor("x", ("N", "n", 1))], many)(a, points)
    np.testing.assert_allclose(given, [(k.T @ a @ k)[0, 0] for k in points], rtol=1e-12)
    loss = sb.objective(Trace((A * x).T * (A * x)), x, {A: a})
    np.testing.assert_allclose(loss.jac(v[:, 0]), 2 * (a.T @ a @ v)[:, 0], rtol=1e-12)
    assert sb.vdot(sb.tensor("A", ("n", "n")), A).shape == ()


def test_a_long_product_and_a_shared_matrix_are_converted() -> None:
    assert from_sympy(sympy.MatMul(*[A, B] * 1_500)).count_ops() == 2_999
    shared: Any = A
    for _ in range(40):
        shared = sympy.HadamardProduct(shared, shared, evaluate=False)
    assert from_sympy(shared).count_ops() == 40


@pytest.mark.parametrize(
    ("expr", "reason"),
    [
        (sympy.exp(A), r"exp of a matrix of the shape \(n, n\).*A.applyfunc"),
        (A ** sympy.Rational(1, 2), "MatPow with the exponent 1/2; only integers"),
        (A ** Symbol("real", integer=False), "MatPow with the exponent real; only integers"),
        (A[Symbol("k"), 0], "index"),
        (sympy.MatAdd(A, MatrixSymbol("D", n, m)), r"MatAdd of matrices of the shapes \(n, n\) and \(n, m\)"),
        (Trace(A) * Symbol("n", positive=True), "'n' is a size .*, and elsewhere"),
        (Trace(A) + MatrixSymbol("n", 2, 2)[0, 0], "'n' is a size"),
        (Trace(A) + Symbol("A"), "two different SymPy symbols are called 'A'"),
        (sympy.Permanent(C * C.T), "cannot convert Permanent"),
        (A.applyfunc(lambda d: Trace(d * B)), r"scalar in MatMul has the shape \(n, n\)"),
        (MatrixSymbol("a b", 2, 2), "cannot be used as a name"),
        (Matrix([[sympy.I, 1]]), "ImaginaryUnit"),
        (
            sympy.MatrixSlice(A, (0, n / 2), (0, n)),
            r"MatrixSlice with the bound \(0, n/2, 1\); bounds must be integers or",
        ),
        (Trace(W), r"Trace of a matrix of the shape \(m, n\); it must be square"),
        (sympy.Inverse(W), r"Inverse of a matrix of the shape \(m, n\); it must be square"),
        (sympy.Determinant(W), r"Determinant of a matrix of the shape \(m, n\); it must be square"),
        (
            Matrix([[sympy.IndexedBase("y", shape=(3,))]]),
            "ImmutableDenseMatrix holds the entry y, which is no scalar; .*Block",
        ),
    ],
    ids=lambda side: str(side)[:40],
)
def test_what_has_no_meaning_is_refused(expr: Any, reason: str) -> None:
    with pytest.raises(errors.SymbackError, match=reason):
        from_sympy(expr)


def test_matrices_of_variables_hold_different_symbols() -> None:
    with pytest.raises(errors.UsageError, match="a different symbol in each entry, not p"):
        sb.grad(p * q, Matrix([p, p]))
    with pytest.raises(errors.UsageError, match=r"a different symbol in each entry, not p \+ 1"):
        sb.lambdify([Matrix([p + 1])], p)
    with pytest.raises(errors.ShapeError, match="has more than two axes"):
        sb.jacobian(Matrix([Trace(A), p]), A, disconnected="zero")
    with pytest.raises(errors.UsageError, match=r"cannot write .* of the shape .* no counterpart of sort_along"):
        sb.to_sympy(sb.sort(a_))


def test_a_trace_of_matrices_that_are_not_square_is_not_split_on_the_way_out() -> None:
    n, s = sympy.Symbol("n", integer=True, positive=True), sympy.Symbol("s")
    row, column, m = sympy.MatrixSymbol("p", 1, n), sympy.MatrixSymbol("q", n, 1), sympy.MatrixSymbol("M", 2, n)
    both = sympy.KroneckerProduct(row, column)
    loss = sympy.exp(sympy.Trace(sympy.KroneckerProduct(sympy.MatMul(m, s * m.T), both)))
    gradient = sb.grad(loss, s)
    assert gradient.has(sympy.Trace(both))
    values = {
        "M": np.array([[1.0, 2], [3, 4]]) / 8,
        "p": np.array([[0.5, 2]]),
        "q": np.array([[3.0], [0.25]]),
        "s": 0.5,
    }
    run = sb.lambdify([m, row, column, s], gradient)
    weight = np.trace(values["M"] @ values["M"].T) * np.trace(np.kron(values["p"], values["q"]))
    assert run(**values) == pytest.approx(weight * np.exp(weight / 2), rel=1e-12)
