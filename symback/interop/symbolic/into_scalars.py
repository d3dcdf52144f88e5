"""Scalar graphs as SymPy expressions."""

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import TypeAlias

import sympy
from sympy.logic.boolalg import Boolean

from symback import errors
from symback.graph import toposort
from symback.interop.symbolic import functions
from symback.interop.symbolic.correspondence import INTO_SYMPY
from symback.nodes.add import Plus
from symback.nodes.apply import Apply, Map, Named
from symback.nodes.contract import Contract
from symback.nodes.leaves import Constant, Exact, ExactValue, Ones, Size, Variable
from symback.nodes.node import Node
from symback.nodes.rows import postorder
from symback.ops.undefined import UNDEFINED

Factors: TypeAlias = tuple[sympy.Basic, ...]
"""A product that is not multiplied out yet, so that SymPy sees all its factors at once."""

_LOGICAL = {"logical_and", "logical_or", "logical_not", "logical_xor"}

_MOST_FACTORS = 32
"""A product is multiplied out when it has more factors: one that is shared would be copied again and again."""


def to_scalar(node: Node, symbols: Mapping[Variable, sympy.Basic] | None = None) -> sympy.Basic:
    """Turn a scalar node into a SymPy expression (a relation or logic if its dtype is bool).

    Names given by `let` are seen through. SymPy evaluates and orders what it gets. A fraction with a long
    numerator that a float64 holds exactly becomes a Float (0.1), any other a Rational (1/2).

    Args:
        node: Of shape (), made of nodes of shape ().
        symbols: What variables become; the others become ``sympy.Symbol(name)``.

    Raises:
        UsageError: If a node has axes, or no counterpart in SymPy.
        InvalidNameError: If two variables would become one symbol.

    Example:
        >>> import symback as sb
        >>> x = sb.tensor("x")
        >>> to_scalar(sb.where(x > 0, sb.exp(-x), 1))
        Piecewise((exp(-x), x > 0), (1, True))
    """
    if not isinstance(node, Node):
        raise errors.not_convertible("to_sympy", node, "give a node of shape ()")
    given = symbols or {}
    values: dict[Node, Factors] = {}
    taken: dict[sympy.Basic, Variable] = {}
    try:
        for part in toposort([node]):
            if part.shape:
                shape = errors.show_shape(part.shape)
                raise errors.not_convertible("to_sympy", part, f"it has the shape {shape}, not ()")
            if isinstance(part, Variable):
                symbol = given.get(part) or sympy.Symbol(part.name)
                if taken.setdefault(symbol, part) is not part:
                    raise errors.name_clash(part.name, taken[symbol], part)
                values[part] = (symbol,)
            else:
                values[part] = factors_of(part, [values[operand] for operand in part.operands])
        return real(node, multiplied(values[node]))
    except RecursionError:
        raise errors.not_convertible("to_sympy", node, "SymPy recurses over its depth, which is too large") from None


def factors_of(node: Node, operands: list[Factors]) -> Factors:
    """Return the factors of one node, from those of its operands."""
    if isinstance(node, Named):
        return operands[0]
    if isinstance(node, Contract):
        factors = tuple([as_number(factor) for operand in operands for factor in operand])
        return factors if len(factors) <= _MOST_FACTORS else (sympy.Mul(*factors),)
    if isinstance(node, Plus):
        return (sympy.Add(*[as_number(multiplied(operand)) for operand in operands]),)
    if isinstance(node, Map):
        return _function_value(node, operands)
    if isinstance(node, Apply) and node.operation.value == ("astype", "float64"):
        return (as_number(multiplied(operands[0])),)
    return (_leaf(node),)


def _function_value(node: Map, operands: list[Factors]) -> Factors:
    name = node.operation.name
    if name == UNDEFINED:
        return (functions.into_sympy(node, [as_number(multiplied(operand)) for operand in operands]),)
    if name == "divide":
        above, below = ([as_number(factor) for factor in operand] for operand in operands)
        return (*above, *[sympy.Pow(factor, -1) for factor in below])
    values = [multiplied(operand) for operand in operands]
    if name == "where" and node.dtype.kind == "b":
        return (sympy.ITE(*map(as_condition, values)),)
    if name == "where":
        return (_choice(as_condition(values[0]), as_number(values[1]), as_number(values[2])),)
    function = INTO_SYMPY.get(name)
    if function is None:
        raise errors.not_convertible("to_sympy", node, f"SymPy has no counterpart of {name}")
    convert = as_condition if name in _LOGICAL else as_number
    return (function(*map(convert, values)),)


def real(node: Node, value: sympy.Basic) -> sympy.Basic:
    """Refuse what is no real number in SymPy: the square root of a negative number, a division by zero."""
    for part in postorder(value):
        if part is sympy.zoo or part is sympy.I:
            raise errors.not_convertible("to_sympy", node, f"in SymPy it is no real number (it holds {part})")
    return value


def multiplied(factors: Factors) -> sympy.Basic:
    """Return the product of factors."""
    return factors[0] if len(factors) == 1 else sympy.Mul(*factors)


def _choice(condition: sympy.Basic, value: sympy.Basic, other: sympy.Basic) -> sympy.Basic:
    """Write a choice as one Piecewise, with the arms of a choice in the other branch behind it."""
    arms = other.args if isinstance(other, sympy.Piecewise) else () if other is sympy.nan else ((other, True),)
    return sympy.Piecewise((value, condition), *arms)


def _is_logical(value: sympy.Basic) -> bool:
    return isinstance(value, Boolean) and not isinstance(value, sympy.Expr)


def as_number(value: sympy.Basic) -> sympy.Basic:
    """Return 1 or 0 for a truth value."""
    return sympy.Piecewise((1, value), (0, True)) if _is_logical(value) else value


def as_condition(value: sympy.Basic) -> sympy.Basic:
    """Return a truth value: a number is true unless it is 0."""
    return value if _is_logical(value) else sympy.Ne(value, 0)


def _leaf(node: Node) -> sympy.Basic:
    if isinstance(node, Exact):
        return _sympy_number(node, node.value)
    if isinstance(node, Ones):
        return sympy.S.One
    if isinstance(node, Size) and isinstance(node.size, sympy.Expr):
        return node.size
    if isinstance(node, Constant):
        value = node.array.item()
        return sympy.true if value is True else sympy.false if value is False else _sympy_number(node, value)
    raise errors.not_convertible("to_sympy", node, "only scalar elementwise operations have a counterpart")


def _sympy_number(node: Node, value: ExactValue) -> sympy.Expr:
    """Return a number as SymPy writes it: a fraction that is plainly a float64 as a Float."""
    if isinstance(value, float):
        if value == 0 and math.copysign(1, value) < 0:
            raise errors.not_convertible("to_sympy", node, "SymPy has no negative zero")
        if not math.isfinite(value):
            return sympy.Float(value)
        value = Fraction(value)
    if isinstance(value, Fraction):
        if 32 < value.numerator.bit_length() < 1000 and Fraction(float(value)) == value:
            return sympy.Float(float(value))
        return sympy.Rational(value.numerator, value.denominator)
    return sympy.Integer(value) if isinstance(value, int) else value
