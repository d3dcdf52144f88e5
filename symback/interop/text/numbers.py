"""Arithmetic of the numbers that a formula writes: exact as far as they are, bounded, and finite."""

import math
from collections.abc import Callable
from fractions import Fraction
from operator import add, floordiv, mod, mul, sub
from typing import Any, TypeAlias, TypeGuard

import sympy

from symback.nodes.shapes import is_size_symbol

Number: TypeAlias = int | float | Fraction

_MOST_BITS = 1023
_MOST_TERMS = 100


class NumberError(ArithmeticError):
    """An operation on numbers that has no result, or none that is a number of a graph."""


def is_number(value: Any) -> TypeGuard[Number]:
    """Is this a number as a formula writes it?"""
    return isinstance(value, (int, float, Fraction)) and not isinstance(value, bool)


def is_size(value: Any) -> bool:
    """Is this an integer, or a polynomial of symbolic sizes?"""
    if isinstance(value, int):
        return not isinstance(value, bool)
    return isinstance(value, sympy.Expr) and all(is_size_symbol(symbol) for symbol in value.free_symbols)


def literal(value: Any, text: str) -> Number:
    """Return a number as it is written.

    Raises:
        NumberError: If no float64 is near it, or it is complex.
    """
    if isinstance(value, complex):
        raise NumberError("symback has no complex numbers")
    mantissa = text.lower().partition("e")[0]
    if isinstance(value, float) and (
        math.isinf(value) or (value == 0 and any(sign in "123456789" for sign in mantissa))
    ):
        raise NumberError(
            f"{text[:40]} is {'larger' if value else 'smaller'} than any float64; write it in other units"
        )
    return bounded(value)


def bounded(value: Any) -> Number:
    """Return a number that is finite and not too long, a fraction with denominator 1 as an integer.

    Raises:
        NumberError: If it is not.
    """
    if isinstance(value, complex):
        raise NumberError("a negative number to a fractional power is complex")
    if isinstance(value, float) and not math.isfinite(value):
        raise NumberError("the number is larger than any float64")
    if isinstance(value, Fraction) and value.denominator == 1:
        value = value.numerator
    if (
        isinstance(value, (int, Fraction))
        and max(value.numerator.bit_length(), value.denominator.bit_length()) > _MOST_BITS
    ):
        raise NumberError(f"the number has more than {_MOST_BITS} bits; write a float, or other units")
    return value  # type: ignore[no-any-return]


def _divided(left: Number, right: Number) -> Any:
    if isinstance(left, float) or isinstance(right, float):
        return left / right
    return Fraction(left) / right


def _power(base: Number, exponent: Number) -> Any:
    if isinstance(exponent, int) and not isinstance(base, float):
        exact = Fraction(base)
        bits = max(exact.numerator.bit_length(), exact.denominator.bit_length())
        if bits > 1 and bits * abs(exponent) > 2 * _MOST_BITS:
            raise NumberError(f"the power has more than {_MOST_BITS} bits; write a float, or other units")
        return exact**exponent
    if base < 0 and exponent != int(exponent):
        raise NumberError("a negative number to a fractional power is complex")
    return float(base) ** float(exponent)


NUMBERS: dict[str, Callable[[Any, Any], Any]] = {
    "add": add, "subtract": sub, "multiply": mul, "divide": _divided, "floor_divide": floordiv, "remainder": mod,
    "power": _power,
}  # fmt: skip
"""What is computed with numbers as soon as it is read."""

SIZES: dict[str, Callable[[Any, Any], Any]] = {"add": add, "subtract": sub, "multiply": mul}
"""What is computed with sizes."""


def combined(name: str, left: Number, right: Number) -> Number:
    """Return the result of an operation of `NUMBERS`; that of integers and fractions is exact.

    Raises:
        NumberError: If it has none, or one that is no number of a graph.
    """
    try:
        return bounded(NUMBERS[name](left, right))
    except ZeroDivisionError:
        raise NumberError("division by zero") from None
    except OverflowError:
        raise NumberError("the number is larger than any float64") from None


def combined_sizes(name: str, left: Any, right: Any) -> Any:
    """Return the result of an operation of `SIZES`: a polynomial, or an integer.

    Raises:
        NumberError: If it is too long.
    """
    found = sympy.expand(SIZES[name](sympy.sympify(left, strict=True), sympy.sympify(right, strict=True)))
    if found.is_Integer:
        return bounded(int(found))
    if len(sympy.Add.make_args(found)) > _MOST_TERMS:
        raise NumberError(f"the size has more than {_MOST_TERMS} terms; give it a name of its own in a shape")
    return found
