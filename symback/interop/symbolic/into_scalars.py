"""Scalar graphs as SymPy expressions."""

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any, TypeAlias

import sympy
from sympy.logic.boolalg import Boolean

from symback import errors
from symback.errors.usage import no_expression
from symback.graph import toposort
from symback.interop.symbolic import functions
from symback.interop.symbolic.correspondence import INTO_SYMPY
from symback.interop.symbolic.large import Maker
from symback.nodes.add import Plus
from symback.nodes.apply import Apply, Map, Named
from symback.nodes.contract import Contract
from symback.nodes.leaves import Constant, Exact, ExactValue, Ones, Size, Variable
from symback.nodes.node import Node
from symback.nodes.rows import postorder
from symback.ops.undefined import UNDEFINED

Factors: TypeAlias = tuple[sympy.Basic, ...]
"""A product that is not multiplied out yet, so that SymPy sees all its factors at once."""

Make: TypeAlias = Callable[..., Any]
"""What applies a function of SymPy to operands."""

_LOGICAL = {"logical_and", "logical_or", "logical_not", "logical_xor"}

_MOST_FACTORS = 32
"""A product is multiplied out when it has more factors: one that is shared would be copied again and again."""

_MOST_ARMS = 32
"""A choice with more arms stays one in the other branch: behind every choice, it would be copied again and again."""


def applied(function: Callable[..., Any], *operands: sympy.Basic) -> Any:
    """Apply a function to operands."""
    return function(*operands)


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
    return to_scalars([node], symbols or {})[0]


def to_scalars(nodes: Sequence[Node], given: Mapping[Variable, sympy.Basic]) -> list[sympy.Basic]:
    """Turn scalar nodes into SymPy expressions that share their parts; see `to_scalar`."""
    values: dict[Node, Factors] = {}
    taken: dict[sympy.Basic, Variable] = {}
    make = Maker()
    part = nodes[0] if nodes else None
    try:
        for part in toposort(nodes):
            if part.shape:
                shape = errors.show_shape(part.shape)
                raise errors.not_convertible("to_sympy", part, f"it has the shape {shape}, not ()")
            if isinstance(part, Variable):
                symbol = given.get(part, sympy.Symbol(part.name))
                if taken.setdefault(symbol, part) is not part:
                    raise errors.name_clash(part.name, taken[symbol], part)
                values[part] = (symbol,)
            elif isinstance(part, Size) and isinstance(part.size, sympy.Expr):
                values[part] = (part.size.xreplace(known_sizes(given)),)
            else:
                values[part] = factors_of(part, [values[operand] for operand in part.operands], make)
        return [real(node, multiplied(values[node], make)) for node in nodes]
    except RecursionError:
        raise errors.not_convertible(
            "to_sympy", part, "SymPy recurses over its depth, which is too large: pass pairs=True"
        ) from None


def known_sizes(symbols: Mapping[Variable, sympy.Basic]) -> dict[sympy.Basic, sympy.Basic]:
    """Return the symbols one began with for those that stand for sizes in shapes of variables."""
    return {
        mine: theirs
        for variable, symbol in symbols.items()
        for mine, theirs in zip(variable.shape, getattr(symbol, "shape", ()), strict=False)
        if isinstance(mine, sympy.Symbol)
    }


_NUMBERS_AS_THEY_ARE = (("astype", "float64"), ("integer_exponent",))
"""Operations that a number of SymPy's goes through unchanged."""


def factors_of(node: Node, operands: list[Factors], make: Make = applied) -> Factors:
    """Return the factors of one node, from those of its operands."""
    if isinstance(node, Named):
        return operands[0]
    if isinstance(node, Contract):
        factors = tuple([as_number(factor) for operand in operands for factor in operand])
        return factors if len(factors) <= _MOST_FACTORS else (make(sympy.Mul, *factors),)
    if isinstance(node, Plus):
        return (make(sympy.Add, *[as_number(multiplied(operand, make)) for operand in operands]),)
    if isinstance(node, Map):
        return _function_value(node, operands, make)
    if isinstance(node, Apply) and node.operation.value in _NUMBERS_AS_THEY_ARE:
        return (as_number(multiplied(operands[0], make)),)
    return (_leaf(node),)


def _function_value(node: Map, operands: list[Factors], make: Make) -> Factors:
    name = node.operation.name
    if name == UNDEFINED:
        return (functions.into_sympy(node, [as_number(multiplied(operand, make)) for operand in operands]),)
    if name == "divide":
        above, below = ([as_number(factor) for factor in operand] for operand in operands)
        return (*above, *[make(sympy.Pow, factor, sympy.S.NegativeOne) for factor in below])
    values = [multiplied(operand, make) for operand in operands]
    if name == "where" and node.dtype.kind == "b":
        return (make(sympy.ITE, *map(as_condition, values)),)
    if name == "where":
        return (make(_choice, as_condition(values[0]), as_number(values[1]), *_arms(as_number(values[2]))),)
    function = INTO_SYMPY.get(name)
    if function is None:
        raise no_expression(node, f"SymPy has no counterpart of {name}")
    convert = as_condition if name in _LOGICAL else as_number
    return (make(function, *map(convert, values)),)


def real(node: Node, value: sympy.Basic) -> sympy.Basic:
    """Refuse what is no real number in SymPy: the square root of a negative number, a division by zero."""
    for part in postorder(value):
        if part is sympy.zoo or part is sympy.I:
            raise no_expression(node, f"in SymPy it is no real number (it holds {part})")
    return value


def multiplied(factors: Factors, make: Make = applied) -> sympy.Basic:
    """Return the product of factors."""
    return factors[0] if len(factors) == 1 else make(sympy.Mul, *factors)


def _arms(other: sympy.Basic) -> tuple[sympy.Basic, ...]:
    """Return what follows in a choice: the values and conditions of a choice in the other branch, if it is not long."""
    if isinstance(other, sympy.Piecewise) and len(other.args) <= _MOST_ARMS:
        return tuple([part for arm in other.args for part in arm.args])
    return () if other is sympy.nan else (other, sympy.true)


def _choice(condition: sympy.Basic, value: sympy.Basic, *arms: sympy.Basic) -> sympy.Basic:
    """Write a choice as one Piecewise, with the arms of a choice in the other branch behind it."""
    return sympy.Piecewise((value, condition), *zip(arms[::2], arms[1::2], strict=True))


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
    raise no_expression(node, f"SymPy has no counterpart of {_name(node)}")


def _sympy_number(node: Node, value: ExactValue) -> sympy.Expr:
    """Return a number as SymPy writes it: a fraction that is plainly a float64 as a Float."""
    if isinstance(value, float):
        if value == 0 and math.copysign(1, value) < 0:
            raise no_expression(node, "SymPy has no negative zero")
        if not math.isfinite(value):
            return sympy.Float(value)
        value = Fraction(value)
    if isinstance(value, Fraction):
        if 32 < value.numerator.bit_length() < 1000 and Fraction(float(value)) == value:
            return sympy.Float(float(value))
        return sympy.Rational(value.numerator, value.denominator)
    return sympy.Integer(value) if isinstance(value, int) else value


def _name(node: Node) -> str:
    """Return what a node is called: a primitive with its parameters, or the kind of node."""
    if not isinstance(node, Apply):
        return type(node).__name__
    name, parameters = node.operation.name, node.operation.parameters
    return f"{name}({', '.join(map(str, parameters))})" if parameters else name
