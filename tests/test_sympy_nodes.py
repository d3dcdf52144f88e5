"""What SymPy's methods and functions do with nodes: pairs, digits, substitution, assumptions, refusals."""

import math
import random
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
from sympy import Rational, Symbol, symbols

import symback as sb
from symback import errors
from symback.nodes.node import Node

x, y = symbols("x y")
X, Y = sb.tensor("x"), sb.tensor("y")
A, v = sb.tensor("A", ("n", "n")), sb.tensor("v", ("n",))


def chain(length: int) -> Node:
    """Return a chain in which nothing is shared."""
    node: Node = X
    for _ in range(length):
        node = sb.sin(node)
    return node


def diamonds(length: int) -> Node:
    """Return a graph with 2**length paths."""
    node: Node = X
    for _ in range(length):
        node = sb.sin(node) * node + node
    return node


# -- pairs -------------------------------------------------------------------------------------------------


def computed(pairs: Any, reduced: sympy.Basic, point: dict[str, float]) -> float:
    """Evaluate pairs in order, and then the expression of their symbols."""
    values = dict(point)
    for symbol, expr in [*pairs, (Symbol("result"), reduced)]:
        values[symbol.name] = float(sympy.lambdify([Symbol(name) for name in values], expr, "math")(*values.values()))
    return values["result"]


UNARY: list[Callable[[Any], Any]] = [
    *(sb.sin, sb.exp, sb.sigmoid, sb.arctan, sb.softplus, sb.tanh, sb.abs, lambda e: e**2, lambda e: 1 / (2 + e * e)),
    *(lambda e: sb.sqrt(1 + e * e), lambda e: -e, lambda e: 3 * e / 7, lambda e: sb.where(e > 1, e, e - 1)),
    *(lambda e: sb.clip(e, -1, 2), lambda e: (e > 0) * e, lambda e: sb.where(sb.logical_and(e > 0, e < 1), e, 2.5)),
]
BINARY: list[Callable[[Any, Any], Any]] = [
    *(lambda a, b: a + b, lambda a, b: a * b, lambda a, b: a - 2 * b, sb.maximum, sb.hypot, sb.logaddexp),
    *(lambda a, b: a / (1 + b * b), lambda a, b: sb.where(a < b, a, b)),
]


@pytest.mark.parametrize("seed", range(6))
def test_pairs_compute_what_the_graph_does(seed: int) -> None:
    chance = random.Random(seed)
    pool: list[Node] = [X, Y, sb.from_sympy(sympy.pi)]
    for _ in range(25):
        pool.append(
            chance.choice(UNARY)(chance.choice(pool[-6:]))
            if chance.random() < 0.5
            else chance.choice(BINARY)(chance.choice(pool[-6:]), chance.choice(pool))
        )
    node = sb.tanh(pool[-1]) + sb.tanh(pool[-2]) * sb.tanh(pool[-1]) + X * Y
    pairs, (reduced,) = sb.to_sympy(node, pairs=True)
    point = {"x": 0.4, "y": -1.3}
    assert computed(pairs, reduced, point) == pytest.approx(float(sb.evaluate(node, point)), rel=1e-12)


def test_pairs_look_as_those_of_sympy() -> None:
    shared = sb.sin(X * Y)
    assert str(sb.to_sympy(shared / (1 + shared), pairs=True)) == "([(x0, sin(x*y))], [x0/(x0 + 1)])"
    assert sb.to_sympy([X, Y], pairs=True) == ([], [x, y])
    pairs, reduced = sb.to_sympy([shared, shared + 1], pairs=True)
    assert pairs == [(Symbol("x0"), sympy.sin(x * y))]
    assert str(reduced) == "[x0, x0 + 1]"


def test_pairs_of_undefined_functions() -> None:
    applied = sympy.Function("g")(x + y)
    node = sb.from_sympy(applied * sympy.sin(applied))
    pairs, (reduced,) = sb.to_sympy(node, pairs=True)
    assert reduced.xreplace(dict(pairs)) == applied * sympy.sin(applied)


def test_names_of_pairs_are_new() -> None:
    x0, x2 = sb.tensor("x0"), sb.tensor("x2")
    pairs, _ = sb.to_sympy(diamonds(2) + x0 * x2, pairs=True)
    assert [symbol.name for symbol, _ in pairs] == ["x1"]
    held = Symbol("x1", positive=True)
    pairs, _ = sb.to_sympy(diamonds(2), {X: held}, pairs=True)
    assert [symbol.name for symbol, _ in pairs] == ["x0"]
    assert str(pairs[0][1]) == "x1*sin(x1) + x1"
    assert pairs[0][1].free_symbols == {held}


def test_sums_and_products_of_pairs_are_not_expanded() -> None:
    _, (reduced,) = sb.to_sympy(2 * (X + Y) * X, pairs=True)
    assert sympy.count_ops(reduced) == 3
    _, (power,) = sb.to_sympy((X * Y) ** 3.5, pairs=True)
    assert power == sympy.Pow(x * y, Rational(7, 2), evaluate=False)


def test_a_truth_value_that_is_shared_is_a_number() -> None:
    condition = X > 0
    pairs, (reduced,) = sb.to_sympy(sb.where(condition, X, 1) + sb.where(condition, Y, 2), pairs=True)
    assert pairs == [(Symbol("x0"), sympy.Piecewise((1, x > 0), (0, True)))]
    assert reduced.subs({Symbol("x0"): 1, x: 3, y: 4}) == 7
    assert reduced.subs({Symbol("x0"): 0, x: 3, y: 4}) == 3


@pytest.mark.parametrize(("build", "length"), [(chain, 10_000), (diamonds, 2_500)])
def test_pairs_of_large_graphs_are_shallow(build: Callable[[int], Node], length: int) -> None:
    node = build(length)
    pairs, (reduced,) = sb.to_sympy(node, pairs=True)
    sizes = [sympy.count_ops(expr) for _, expr in pairs]
    assert max(sizes) <= 26
    assert sum(sizes) + sympy.count_ops(reduced) == node.count_ops()


def test_pairs_of_matrices_have_matrix_symbols() -> None:
    shared = A @ A
    pairs, (reduced,) = sb.to_sympy(sb.trace(shared @ shared), pairs=True)
    n = Symbol("n", integer=True, nonnegative=True)
    M, held = sympy.MatrixSymbol("A", n, n), sympy.MatrixSymbol("x0", n, n)
    assert pairs == [(held, M**2)] or pairs == [(held, M * M)]
    assert reduced.has(held)


@pytest.mark.parametrize(
    ("node", "reason"),
    [
        (X / sb.constant(0.0), "no real number|zoo"),
        (sb.sqrt(sb.from_sympy(sympy.Integer(-2))) * X, "no real number"),
        (sb.stop_gradient(X) * 2, "SymPy has no counterpart of stop_gradient"),
        ("x", "give a node; with pairs=True, a node or a list"),
    ],
)
def test_pairs_of_what_has_no_counterpart(node: Any, reason: str) -> None:
    with pytest.raises(errors.UsageError, match=reason):
        sb.to_sympy(node, pairs=True)


# -- digits ------------------------------------------------------------------------------------------------


def test_a_graph_in_many_digits() -> None:
    node = sb.exp(X) - 1
    for key in (x, X, "x"):
        assert node.evalf(40, subs={key: Rational(1, 3)}) == (sympy.exp(Rational(1, 3)) - 1).evalf(40)
    assert node.evalf(40, subs={x: sympy.Float("0.1", 50)}) == sympy.Float(mpmath_expm1("0.1", 45), 40)
    assert sympy.N(sb.exp(sb.constant(1.0)), 50) == sympy.E.evalf(50)
    assert (X > 1).evalf(subs={"x": 2}) is sympy.true
    assert (sb.size("n") * X).evalf(30, subs={"n": 3, "x": sympy.pi}) == (3 * sympy.pi).evalf(30)


def mpmath_expm1(number: str, digits: int) -> Any:
    """Return exp(number) - 1."""
    with mpmath.workdps(digits):
        return mpmath.expm1(mpmath.mpf(number))


def test_arrays_in_many_digits() -> None:
    M = sympy.Matrix([[1, sympy.pi], [sympy.sqrt(2), 3]])
    product = (A @ v).evalf(30, subs={"A": M, "v": [1, Rational(1, 3)]})
    assert isinstance(product, sympy.ImmutableDenseNDimArray)
    assert list(product) == [(1 + sympy.pi / 3).evalf(30), (sympy.sqrt(2) + 1).evalf(30)]
    assert (A + 1).evalf(5, {A: np.eye(2)}) == sympy.ImmutableMatrix([[2, 1], [1, 2]]).evalf(5)


@pytest.mark.parametrize(
    ("call", "kind", "reason"),
    [
        (lambda: X.evalf(), errors.InputError, "evalf: the outputs depend on x"),
        (lambda: X.evalf(5, {"x": 1, "q": 2}), errors.InputError, "'q' is no variable of this graph; it has x"),
        (lambda: X.evalf(5, {"x": y}), errors.UsageError, r"cannot convert Symbol \(y\); only real constants"),
        (lambda: X.evalf(5, {"x": sympy.I}), errors.UsageError, "only real constants"),
        (lambda: v.evalf(5, {"v": [[1.0]]}), errors.ShapeError, "evalf"),
    ],
)
def test_digits_that_cannot_be_had(call: Callable[[], Any], kind: type[Exception], reason: str) -> None:
    with pytest.raises(kind, match=reason):
        call()


# -- substitution ------------------------------------------------------------------------------------------

f = sb.sin(X * Y) + X


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (f.subs(x, 2), sb.sin(2 * Y) + 2),
        (f.subs(x, y), sb.sin(Y * Y) + Y),
        (f.subs({x: y, y: x}), sb.sin(Y * X) + Y),
        (f.subs([(x, y), (y, x)]), sb.sin(Y * X) + Y),
        (f.subs(x * y, 3), sb.sin(3) + X),
        (f.xreplace({sympy.sin(x * y): x}), X + X),
        (f.subs(x, sympy.sqrt(x + 1)), sb.sin(sb.sqrt(X + 1) * Y) + sb.sqrt(X + 1)),
        (f.subs(Symbol("x", positive=True), 2), sb.sin(2 * Y) + 2),
        (f.subs({X: Rational(1, 3)}), sb.sin(Y / 3) + sb.from_sympy(Rational(1, 3))),
        ((2 * X).subs(2, 3), 3 * X),
        (f.subs({sympy.cos(x): 1, Symbol("q"): 2}), f),
        ((A @ v).subs(Symbol("n"), 3), sb.tensor("A", (3, 3)) @ sb.tensor("v", 3)),
        ((v * sb.size("n")).subs({Symbol("n"): 3}), 3 * sb.tensor("v", 3)),
        (sympy.Tuple(f, x).subs(x, 2)[0], sb.sin(2 * Y) + 2),
        (sympy.Tuple(f, x).xreplace({x: y})[0], sb.sin(Y * Y) + Y),
        ((A @ v).subs(v, 2 * v), A @ (2 * v)),
    ],
    ids=str,
)
def test_symbols_and_expressions_are_replaced(found: Node, wanted: Node) -> None:
    assert found is wanted


def test_a_value_speaks_of_the_variables_of_the_graph() -> None:
    single = sb.tensor("x", (), dtype="float32")
    assert (single * Y).subs(y, sympy.exp(x)).free_symbols == {single}


@pytest.mark.parametrize(
    ("call", "kind", "reason"),
    [
        (lambda: f.subs(Symbol("q"), 1), errors.InputError, "'q' is no symbolic size of this graph"),
        (lambda: f.subs(sympy.cos(x), 1), errors.InputError, r"cos\(x\) is no part of this graph as a whole; replace"),
        (lambda: (A @ v).subs(Symbol("v"), 1), errors.ShapeError, r"v \(n,\) cannot become 1 \(\)"),
        (lambda: (v * X).subs(x, Symbol("v")), errors.ShapeError, r"v \(n,\) cannot become v \(\)"),
        (lambda: f.subs(None, 1), errors.UsageError, "cannot use NoneType in a graph"),
    ],
)
def test_what_cannot_be_replaced(call: Callable[[], Any], kind: type[Exception], reason: str) -> None:
    with pytest.raises(kind, match=reason):
        call()


# -- large graphs, and what is refused -----------------------------------------------------------------------


@pytest.mark.parametrize(("build", "length"), [(chain, 10_000), (diamonds, 200)])
def test_methods_are_linear_in_the_graph(build: Callable[[int], Node], length: int) -> None:
    node = build(length)
    value = -0.01
    for _ in range(length):
        value = math.sin(value) if build is chain else math.sin(value) * value + value
    assert float(node.evalf(20, subs={x: -0.01})) == pytest.approx(value, rel=1e-12)
    assert node.subs(x, sympy.cos(y)).free_symbols == {Y}
    assert node.xreplace({x: y}).count_ops() == node.count_ops()
    assert node.free_symbols == {X}
    assert 0 < len(sympy.latex(node)) < 200_000


def test_the_free_symbols_are_variables_and_sizes() -> None:
    n, m = (Symbol(name, integer=True, nonnegative=True) for name in "nm")
    assert (A @ v).free_symbols == {A, v, n}
    assert (sb.size("m") * X).free_symbols == {X, m}


@pytest.mark.parametrize(
    ("call", "cure"),
    [
        (lambda node: sympy.lambdify(x, node), r"use sb.lambdify\(inputs, outputs\).source"),
        (lambda node: sympy.lambdify([X], [node], "math"), "use sb.lambdify"),
        (lambda node: sympy.printing.pycode(node), "use sb.lambdify"),
        (lambda node: sympy.ccode(node), "use sb.lambdify"),
        (lambda node: sympy.cxxcode(node), "use sb.lambdify"),
        (lambda node: sympy.srepr(node), r"use sb.dumps\(node\), which sb.loads reads, or str\(node\)"),
    ],
)
@pytest.mark.parametrize("node", [f, diamonds(200)], ids=["small", "large"])
def test_what_has_no_sharing_is_refused(call: Callable[[Node], Any], cure: str, node: Node) -> None:
    with pytest.raises(errors.UsageError, match=cure):
        call(node)


# -- assumptions ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_what_a_symbol_assumes_holds_where_a_gradient_is_checked(seed: int) -> None:
    p, q = Symbol("p", positive=True), Symbol("q", negative=True)
    k, m = Symbol("k", integer=True, positive=True), Symbol("m", integer=True)
    loss = sympy.log(p) * sympy.sqrt(-q) + p**k * sympy.cos(sympy.pi * m) + sympy.exp(x)
    loss += sympy.Piecewise((0, sympy.Eq(sympy.floor(k), k) & sympy.Eq(sympy.floor(m), m)), (sympy.nan, True))
    assert sb.check_grad(loss, [p, q, x], seed=seed).passed
    one = sympy.Piecewise((p, p > 0), (sympy.nan, True)) * sympy.Piecewise((q, q < 0), (sympy.nan, True))
    assert sb.check_grad(one, [p, q], seed=seed).passed
    assert sb.compare(one, [p, q], against={"hand": lambda p, q: (q, p)}).passed


def test_what_a_symbol_assumes_holds_in_the_domain_report() -> None:
    p = Symbol("p", positive=True)
    assert not sb.verify(sympy.log(p)).hazards
    assert sb.verify(sympy.log(x)).hazards
