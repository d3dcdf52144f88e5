"""Scalar expressions: sums, products, powers, functions, relations, choices."""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import reduce
from typing import Any, cast

import sympy
from sympy.functions.elementary.piecewise import ExprCondPair

from symback.interop.symbolic.correspondence import COMPOSED, INTO_NODES
from symback.interop.symbolic.rule import Given, Rule
from symback.nodes.add import add
from symback.nodes.leaves import ExactValue, exact, exact_from_sympy
from symback.nodes.node import METHODS, Node
from symback.nodes.products import hadamard, scale
from symback.ops.elementwise.arithmetic import divide
from symback.ops.elementwise.logic import where


def _sum(part: sympy.Add, given: Given) -> Node:
    return add(*[given.node(term) for term in sorted(part.args, key=_place_in_sum)])


def _power(part: sympy.Pow, given: Given) -> Node:
    if _is_divisor(part):
        return _product(part, given)
    return cast(Node, METHODS["power"](given.node(part.base), given.node(part.exp)))


def _place_in_sum(term: sympy.Basic) -> int:
    """Order the terms of a sum as one writes them: what is added before what is taken away, numbers last."""
    coefficient = term.args[0] if isinstance(term, sympy.Mul) else term
    negative = coefficient.is_Number and cast(sympy.Expr, coefficient).is_negative
    return 2 * bool(negative) + bool(term.is_Number)


def _is_divisor(factor: sympy.Basic) -> bool:
    """Is this a power with a negative exponent, which one writes under a fraction bar?"""
    return isinstance(factor, sympy.Pow) and factor.exp.is_Number and bool(factor.exp.is_negative)


def _product(part: sympy.Expr, given: Given) -> Node:
    """Write a product as one factor, or as one fraction, its sign in front."""
    coefficient: Fraction = Fraction(1)
    above: list[Node] = []
    below: list[Node] = []
    for factor in sympy.Mul.make_args(part):
        if factor.is_Rational:
            coefficient *= Fraction(int(factor.p), int(factor.q))
        elif _is_divisor(factor):
            below.append(METHODS["power"](given.node(factor.base), exact_from_sympy(-factor.exp)))
        else:
            above.append(given.node(factor))
    if not below:
        return _scaled(coefficient, hadamard(*above))
    size = abs(coefficient)
    if size.numerator != 1 or not above:
        above.insert(0, exact(size.numerator))
    if size.denominator != 1:
        below.insert(0, exact(size.denominator))
    return _scaled(Fraction(-1 if coefficient < 0 else 1), divide(hadamard(*above), hadamard(*below)))


def _scaled(coefficient: Fraction, node: Node) -> Node:
    value: ExactValue = coefficient.numerator if coefficient.denominator == 1 else coefficient
    return node if value == 1 else scale(value, node)


def _piecewise(part: sympy.Piecewise, given: Given) -> Node:
    """Nest the arms from the last; where no condition holds, the value is NaN, as in SymPy."""
    arms = cast(Sequence[ExprCondPair], part.args)
    result: Node = exact(float("nan"))
    for arm in reversed(arms):
        value = given.node(arm.expr)
        result = value if arm.cond == sympy.true else where(given.node(arm.cond), value, result)
    return result


def _applied(function: Callable[..., Node]) -> Rule:
    def convert(part: Any, given: Given) -> Node:
        operands = [given.node(argument) for argument in part.args]
        return reduce(function, operands) if len(operands) > 2 else function(*operands)

    return Rule(convert)


def _named(name: str) -> Rule:
    return _applied(lambda *operands: METHODS[name](*operands))


SCALARS: Mapping[type, Rule] = {
    sympy.Add: Rule(_sum),
    sympy.Mul: Rule(_product),
    sympy.Pow: Rule(_power),
    sympy.Piecewise: Rule(_piecewise, lambda part: [argument for arm in part.args for argument in arm.args]),
    sympy.ITE: Rule(lambda part, given: where(*map(given.node, part.args))),
    **{kind: _named(name) for kind, name in INTO_NODES.items()},
    **{kind: _applied(function) for kind, function in COMPOSED.items()},
}
"""The rule of each class of scalar expressions."""
