"""SymPy scalars to graphs and back: what is kept, how it looks, and what is refused."""

import random
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy
from sympy import Max, Min, Piecewise, Rational, Symbol, pi, sqrt, symbols

import symback as sb
from reference import evaluate
from symback import errors
from symback.interop.symbolic.bridge import SympyBridge, from_sympy
from symback.interop.symbolic.correspondence import INTO_NODES, INTO_SYMPY
from symback.interop.symbolic.into_sympy import to_sympy
from symback.nodes.leaves import as_node, exact
from symback.nodes.node import HOOKS, METHODS, Node

x, y, z = symbols("x y z")
X, Y, Z = sb.tensor("x"), sb.tensor("y"), sb.tensor("z")

# -- what an expression becomes -----------------------------------------------------------------------

LOOKS = [
    ((x + y) * z, Z * (X + Y)),
    (x - 1, X - 1),
    (1 - x, 1 - X),
    (x - y, X - Y),
    (-x, -X),
    (x / 2, X / 2),
    (x / y, X / Y),
    (-x / y, -(X / Y)),
    (1 / x, 1 / X),
    (1 / x**2, 1 / X**2),
    (2 * x / (3 * y), (2 * X) / (3 * Y)),
    (x / (y * z), X / (Y * Z)),
    (sqrt(x), sb.sqrt(X)),
    (1 / sqrt(x), 1 / sb.sqrt(X)),
    (x**2, X * X),
    (x**3, X**3),
    (x**y, X**Y),
    (x ** (-y), X ** (-Y)),
    (2**x, 2**X),
    (x ** Rational(2, 3), X ** Fraction(2, 3)),
    (sympy.exp(-x), sb.exp(-X)),
    (0.1 * x, 0.1 * X),
    (pi * x, exact(pi) * X),
    (sqrt(2) * x, exact(sqrt(2)) * X),
    (x / (1 + sqrt(2)), X / exact(1 + sqrt(2))),
    (sympy.ceiling(x) + sympy.asin(y), sb.arcsin(Y) + sb.ceil(X)),
    (Max(x, y, z), sb.maximum(sb.maximum(X, Y), Z)),
    (Min(x, 0), sb.minimum(0, X)),
    (Piecewise((x, x > 0), (y, x < -1), (z, True)), sb.where(X > 0, X, sb.where(X < -1, Y, Z))),
    (Piecewise((x, x > 0)), sb.where(X > 0, X, exact(float("nan")))),
    (sympy.Ne(x, y) & (x <= z), sb.logical_and(sb.less_equal(X, Z), sb.not_equal(X, Y))),
    (sympy.Not(sympy.And(x > 1, y > 1)), sb.logical_not(sb.logical_and(X > 1, Y > 1))),
    (sympy.Integer(3), exact(3)),
    (Rational(1, 3), exact(Fraction(1, 3))),
    (sympy.Float("0.1"), exact(0.1)),
    (pi, exact(pi)),
    (sympy.log(2) + 1, exact(sympy.log(2) + 1)),
    (sympy.oo, exact(float("inf"))),
    (sympy.true, sb.constant(True)),
    (3, exact(3)),
    (0.5, exact(0.5)),
]


@pytest.mark.parametrize(("expr", "node"), LOOKS, ids=lambda value: str(value))
def test_an_expression_becomes_what_one_would_write(expr: Any, node: Node) -> None:
    assert from_sympy(expr) is node


def test_a_symbol_becomes_a_scalar_variable() -> None:
    assert from_sympy(x) is sb.tensor("x", ())


def test_a_float_of_many_digits_stays_exact() -> None:
    tenth = sympy.Float("0.1", 50)
    assert from_sympy(tenth).value == Fraction(int(Rational(tenth).p), int(Rational(tenth).q))


def test_shared_subexpressions_stay_shared() -> None:
    e = x
    for _ in range(40):
        e = sympy.Mul(sympy.sin(e, evaluate=False), e, evaluate=False)
    assert from_sympy(e).count_ops() == 80


def test_a_deep_expression_is_converted() -> None:
    e, node = x, X
    for _ in range(5_000):
        e, node = sympy.sin(e, evaluate=False), sb.sin(node)
    assert from_sympy(e) is node


# -- there and back ---------------------------------------------------------------------------------------

UNARY = [
    *(sympy.exp, sympy.sin, sympy.cos, sympy.tan, sympy.atan, sympy.sinh, sympy.cosh, sympy.tanh, sympy.Abs),
    *(sympy.sign, sympy.floor, sympy.ceiling, sympy.asin, sympy.acos, sympy.log, sqrt, lambda e: e**2, lambda e: 1 / e),
    *(lambda e: e**3, lambda e: -e / 3, lambda e: e ** Rational(-3, 2), lambda e: sqrt(2) * e, lambda e: 2**e),
]
BINARY = [
    *(lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b, lambda a, b: a / b, lambda a, b: 2 * a - 3 * b),
    *(lambda a, b: Max(a, b), lambda a, b: Min(a, b, 1), lambda a, b: Piecewise((a, a < b), (b, True))),
    *(lambda a, b: Piecewise((a, sympy.Or(a > 1, sympy.Ne(b, 2))), (b, b <= 3)), lambda a, b: a**b),
]


def random_expression(chance: random.Random, names: Any) -> sympy.Expr:
    """Draw an expression of real symbols."""
    pool = [*names, sympy.Integer(chance.randint(-3, 3)), Rational(chance.randint(1, 5), 7), pi]
    for _ in range(chance.randint(1, 7)):
        if chance.random() < 0.5:
            pool.append(chance.choice(UNARY)(chance.choice(pool)))
        else:
            pool.append(chance.choice(BINARY)(*chance.choices(pool, k=2)))
    return pool[-1]


def is_real(e: sympy.Basic) -> bool:
    """Is no part a constant that is infinite, undefined or imaginary, nor a choice that ends in another one?"""
    parts = [part for part in sympy.preorder_traversal(e) if isinstance(part, sympy.Expr)]
    nested = any(isinstance(choice.args[-1].expr, Piecewise) for choice in e.atoms(Piecewise))
    return isinstance(e, sympy.Expr) and not nested and all(part.is_real for part in parts if part.is_number)


def drawn(seed: int, count: int) -> list[sympy.Expr]:
    """Draw expressions that are real."""
    chance = random.Random(seed)
    names = symbols("x y z", real=True) if seed % 2 else (x, y, z)
    found: list[sympy.Expr] = []
    while len(found) < count:
        try:
            e = random_expression(chance, names)
        except (TypeError, ValueError):  # SymPy's Max and relations refuse what they can tell to be complex
            continue
        if is_real(e):
            found.append(e)
    return found


@pytest.mark.parametrize("seed", range(10))
def test_random_expressions_come_back_as_they_were(seed: int) -> None:
    for e in drawn(seed, 40):
        bridge = SympyBridge()
        assert bridge.to_expr(bridge.to_node(e)) == e


@pytest.mark.parametrize("seed", range(10, 14))
def test_random_expressions_keep_their_value(seed: int) -> None:
    point = {"x": 0.7, "y": 1.3, "z": 2.1}
    for e in drawn(seed, 25):
        expected = e.subs({s: Rational(str(point[s.name])) for s in e.free_symbols}).evalf(30, maxn=1000)
        if not (expected.is_Number and expected.is_finite and abs(expected) < 1e100):
            continue
        values = {sb.tensor(name): np.float64(value) for name, value in point.items()}
        with np.errstate(all="ignore"):
            found = float(evaluate([from_sympy(e)], values)[0])
        assert found == pytest.approx(float(expected), rel=1e-9, abs=1e-12), e


def test_every_row_of_the_table_goes_both_ways() -> None:
    a, b = symbols("a b", real=True)
    for kind, name in INTO_NODES.items():
        function = METHODS[name]
        logical = kind in (sympy.And, sympy.Or, sympy.Xor, sympy.Not)
        arguments = [a > 0, b < 0] if logical else [a, b]
        relation = issubclass(kind, sympy.core.relational.Relational)
        binary = relation or kind in (sympy.And, sympy.Or, sympy.Xor, Max, Min) or 1 not in kind.nargs
        e = kind(*arguments) if binary else kind(arguments[0])
        node = from_sympy(e)
        assert node.operation.name == function.__name__ or kind is sympy.Not
        assert to_sympy(node, {sb.tensor("a"): a, sb.tensor("b"): b}) == e
        assert INTO_SYMPY[name] is kind


@pytest.mark.parametrize(
    ("node", "expr"),
    [
        (sb.sigmoid(X), 1 / (1 + sympy.exp(-x))),
        (sb.softplus(X), sympy.log(1 + sympy.exp(x))),
        (sb.expm1(X), sympy.exp(x) - 1),
        (sb.log1p(X), sympy.log(1 + x)),
        (sb.relu(X), Max(0, x)),
        (sb.let("w", X + Y) * 2, 2 * (x + y)),
        (sb.logical_not(X > 0) * Y, y * Piecewise((1, x <= 0), (0, True))),
        ((X > 0).astype("float64"), Piecewise((1, x > 0), (0, True))),
        (sb.where(X, Y, 0), Piecewise((y, sympy.Ne(x, 0)), (0, True))),
        (sb.constant(np.float64(0.5)) * X, x / 2),
        (sb.constant(np.float64(0.1)), sympy.Float(0.1)),
        (sb.constant(np.int32(3)), sympy.Integer(3)),
        (sb.constant(np.float64(0.0)), sympy.Integer(0)),
        (sb.constant(True), sympy.true),
        (sb.constant(False), sympy.false),
        (sb.ones(()), sympy.Integer(1)),
        (sb.size("n") * X, x * Symbol("n", integer=True, nonnegative=True)),
        (exact(0.1), sympy.Float(0.1)),
        (exact(Fraction(1, 1024)), Rational(1, 1024)),
        (exact(float("nan")), sympy.nan),
        (exact(-float("inf")), -sympy.oo),
        (exact(10**30), sympy.Integer(10**30)),
    ],
    ids=lambda value: str(value),
)
def test_a_node_becomes_an_expression(node: Node, expr: sympy.Basic) -> None:
    assert to_sympy(node) == expr


def test_a_choice_that_ends_in_a_choice_is_flattened() -> None:
    nested = Piecewise((x, x > 1), (Piecewise((y, y > 2), (z, True)), True))
    assert to_sympy(from_sympy(nested)) == Piecewise((x, x > 1), (y, y > 2), (z, True))


def test_a_choice_between_truth_values_goes_both_ways() -> None:
    choice = sympy.ITE(x > 1, y > 2, z > 3)
    assert from_sympy(choice) is sb.where(X > 1, Y > 2, Z > 3)
    assert to_sympy(from_sympy(choice)) == choice


def test_a_shared_product_is_not_copied_again_and_again() -> None:
    node = X
    for _ in range(60):
        node = node * node
    assert to_sympy(node) == x ** (2**60)


# -- symbols -----------------------------------------------------------------------------------------------


def test_the_bridge_gives_back_the_original_symbols() -> None:
    p = Symbol("p", positive=True)
    bridge = SympyBridge()
    node = bridge.to_node(sqrt(p**2) + x)
    assert node is X + sb.tensor("p")
    assert bridge.to_expr(node) == p + x
    assert bridge.symbols == {sb.tensor("p"): p, X: x}
    assert bridge.to_node(p) is sb.tensor("p")


def test_the_gradient_of_the_first_example_is_plain_sympy() -> None:
    bridge = SympyBridge()
    loss = bridge.to_node((x + y) * z)
    gradient = sb.grad(loss, [bridge.to_node(s) for s in (x, y, z)])
    assert [bridge.to_expr(g) for g in gradient] == [z, z, x + y]


@pytest.mark.parametrize("seed", range(4))
def test_gradients_agree_with_sympy(seed: int) -> None:
    smooth = [sympy.exp, sympy.sin, sympy.cos, sympy.atan, sympy.tanh, sqrt, sympy.log, lambda e: e**3, lambda e: 1 / e]
    joined = [lambda a, b: a + b, lambda a, b: a - 2 * b, lambda a, b: a * b, lambda a, b: a / b]
    chance = random.Random(seed)
    names = symbols("x y", positive=True)
    point = {names[0]: Rational(7, 10), names[1]: Rational(13, 10)}
    for _ in range(10):
        e = names[0] * names[1]
        for _ in range(4):
            e = chance.choice(smooth)(e) if chance.random() < 0.5 else chance.choice(joined)(e, chance.choice(names))
        bridge = SympyBridge()
        loss = bridge.to_node(e)
        for symbol, g in zip(
            names, sb.grad(loss, [bridge.to_node(s) for s in names], disconnected="zero"), strict=True
        ):
            difference = (bridge.to_expr(g) - sympy.diff(e, symbol)).subs(point).evalf(30)
            assert abs(difference) < 1e-15


def test_two_symbols_of_one_name_are_refused() -> None:
    with pytest.raises(errors.InvalidNameError, match="two different SymPy symbols are called 'x'"):
        from_sympy(x + Symbol("x", positive=True))
    bridge = SympyBridge()
    bridge.to_node(x)
    with pytest.raises(errors.InvalidNameError, match="or one is a Dummy"):
        bridge.to_node(sympy.Dummy("x"))


def test_two_variables_of_one_name_are_refused_on_the_way_back() -> None:
    with pytest.raises(errors.InvalidNameError, match="'x' stands for two different things"):
        to_sympy(X + sb.tensor("x", dtype="float32"))


@pytest.mark.parametrize(
    "name", ["x_{1}", r"\lambda", "x y", "x'", "", "1x", "_x", "__import__('os').system('true')", "𝐱", "x;y", "x\n"]
)
def test_a_symbol_whose_name_is_no_identifier_is_refused(name: str) -> None:
    with pytest.raises(errors.InvalidNameError, match="cannot be used as a name"):
        from_sympy(Symbol(name) + 1 if name else sympy.Symbol(""))


# -- nodes that SymPy got hold of -------------------------------------------------------------------------------


def test_scalar_nodes_inside_sympy_expressions_stay_what_they_are() -> None:
    assert from_sympy(sympy.exp(X) * y + 1) is Y * sb.exp(X) + 1
    assert from_sympy(Piecewise((X, y > 0), (1, True))) is sb.where(Y > 0, X, 1)
    assert sympy.sympify(X) is X
    assert from_sympy(X) is X


def test_the_hook_that_nodes_use_is_set() -> None:
    assert HOOKS["from_sympy"] is from_sympy


def test_a_node_meets_sympy_expressions():
    q = sympy.Symbol("q")
    v = sb.tensor("v", ("n",))
    assert v * q is v * sb.tensor("q")
    assert (q + 1) * v is (sb.tensor("q") + 1) * v
    assert v / v.shape[0] is v / sb.size("n")
    with pytest.raises(errors.ShapeError, match="n/2 is no size"):
        v * (v.shape[0] / 2)


def test_a_long_float_is_the_fraction_that_it_is():
    long = sympy.Float("0.1", 50)
    assert as_node(long).value == from_sympy(long).value == Fraction(*sympy.Rational(long).as_numer_denom())


def test_sympy_builds_no_node_without_a_shape():
    s = sb.tensor("s")
    with pytest.raises(ValueError, match="not comparable"):
        sympy.Max(s, 1)
    assert not hasattr(s, "as_coeff_Mul")
    with pytest.raises(AttributeError, match="'Variable' object has no attribute 'nothing'"):
        _ = s.nothing


def test_symbols_are_checked_and_derived():
    x, y, z = sympy.symbols("x y z")
    assert sb.check_grad((x + y) * z, [x, y, z], at={x: 1.0}).passed
    assert sb.check_grad(x**2, x, at={"x": 2.0}).passed
    assert r"\frac{\partial \mathcal{L}}{\partial z} &= x + y" in sb.derive((x + y) * z, [x, y, z]).latex()
