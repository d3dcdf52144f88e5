"""Large expressions of SymPy through the entry points: shared parts stay shared, and nothing walks trees."""

import random
from typing import Any

import pytest
import sympy

import symback as sb
from symback.interop.symbolic import bridge
from symback.nodes.rows import postorder

X = sympy.symbols("x0:6")


def program(operations: int) -> sympy.Expr:
    """Return a sum of values that are used again and again, none of them large; each call gives other objects."""
    choice = random.Random(operations)
    values: list[sympy.Expr] = [x + sympy.Rational(k, 7) for k, x in enumerate(X)]
    with sympy.evaluate(False):
        for k in range(operations):
            a, b = (choice.choice(values[-20:]) for _ in range(2))
            values.append([sympy.sin(a) * b, (a + b) / 2, sympy.sin(a + b), a - b / 2, a / (2 + sympy.cos(b))][k % 5])
        return sympy.Add(*[sympy.tanh(value) for value in values[-20:]])


def together(exprs: Any) -> int:
    """Count the objects that expressions are made of."""
    return len(postorder(sympy.Tuple(*exprs)))


def numbers(exprs: Any) -> list[float]:
    """Evaluate expressions at one point."""
    values = sb.scalar_function(X, list(exprs))(0.3, -0.4, 0.5, 0.6, -0.7, 0.2)
    return [float(value) for value in values]


def test_a_gradient_of_a_thousand_shared_operations_is_shared_itself_and_can_be_made_again() -> None:
    first, again = program(1200), program(1200)
    gradient = sb.grad(first, list(X))
    assert together(gradient) < 8 * together([first])
    _, slopes = sb.scalar_function(X, first, wrt=X)(0.3, -0.4, 0.5, 0.6, -0.7, 0.2)
    assert numbers(gradient) == pytest.approx(list(slopes), rel=1e-9)
    assert numbers(sb.grad(again, list(X))) == pytest.approx(list(slopes), rel=1e-9)


def test_many_outputs_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    shared = program(300)
    with sympy.evaluate(False):
        outputs = [sympy.Add(shared, k, X[k % 6]) for k in range(60)]
    read = []
    monkeypatch.setattr(bridge._Walk, "convert", lambda walk, part, real=bridge._Walk.convert: (
        read.append(part), real(walk, part)))  # fmt: skip
    sb.lambdify(X, outputs)
    assert len(read) < together([shared]) + 60 * 4


LARGE = {
    "maximum": (sb.maximum, sympy.Max),
    "where": (lambda a, b: sb.where(sb.logical_and(a > 0, b > a), a, b), sympy.Piecewise),
    "power": (lambda a, b: (2 + sb.cos(a)) ** b, sympy.Pow),
    "arctan2": (sb.arctan2, sympy.atan2),
    "hypot": (sb.hypot, sympy.Pow),
}


@pytest.mark.parametrize("name", LARGE)
def test_what_is_made_of_large_operands_has_its_class_and_its_value(name: str) -> None:
    function, kind = LARGE[name]
    node = function(sb.sin(sb.from_sympy(program(500))), sb.cos(sb.from_sympy(program(501))))
    expr = sb.to_sympy(node)
    found = type(expr)
    assert found is kind
    assert numbers([expr]) == pytest.approx(numbers([node]), rel=1e-9)


def test_equal_large_operands_still_cancel() -> None:
    node = sb.sin(sb.from_sympy(program(700)))
    assert sb.to_sympy(sb.exp(node - node)) == 1


def test_a_chain_of_many_thousand_operations_is_no_recursion() -> None:
    node = sb.tensor("x")
    for _ in range(3_000):
        node = sb.sin(node) + 1
    assert together([sb.to_sympy(node)]) == 6_003


def test_choices_in_the_other_branch_stay_one_piecewise_up_to_a_number() -> None:
    x = sb.tensor("x")
    few, many = 0 * x, 0 * x
    for k in range(10):
        few = sb.where(x > k, k, few)
    for k in range(40):
        many = sb.where(sb.sin(x) < -k, k, many)
    assert len(sb.to_sympy(few).args) == 10  # the first value is that of the last arm
    back = sb.from_sympy(sb.to_sympy(many))
    for value in (-78.5, -40.2, 3.0):
        assert sb.evaluate(back, {"x": value}) == sb.evaluate(many, {"x": value})
