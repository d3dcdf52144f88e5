"""Arithmetic of exact numbers, and how far they are folded."""

from fractions import Fraction
from functools import cache
from typing import Any, TypeAlias

import numpy as np
import sympy

ExactValue: TypeAlias = int | Fraction | float | sympy.Expr
"""int is a weak integer; Fraction a weak float, exactly; float only -0.0, inf and nan; Expr a real SymPy constant."""

_MOST_BITS = {8: 1000, 4: 120}
"""Coefficients are folded while they stay well within the range of the dtype (its bytes) they stand before."""

_MOST_DIGITS = 400
"""Fractions are folded while they are short: what a chain of multiplications costs is the length of its numbers."""


def times(left: ExactValue, right: ExactValue) -> ExactValue:
    """Multiply exact numbers exactly (in float64 where inf, nan or -0.0 take part)."""
    if isinstance(left, (int, Fraction)) and isinstance(right, (int, Fraction)):
        return left * right
    if isinstance(left, float) or isinstance(right, float):
        return float(left) * float(right)
    return _from_sympy(sympy_value(left) * sympy_value(right))


def plus(left: ExactValue, right: ExactValue) -> ExactValue:
    """Add exact numbers exactly (in float64 where inf, nan or -0.0 take part)."""
    if isinstance(left, (int, Fraction)) and isinstance(right, (int, Fraction)):
        return left + right
    if isinstance(left, float) or isinstance(right, float):
        return float(left) + float(right)
    return _from_sympy(sympy_value(left) + sympy_value(right))


def sympy_value(value: ExactValue) -> sympy.Expr:
    """Return an exact number as a SymPy number."""
    if isinstance(value, Fraction):
        return sympy.Rational(value.numerator, value.denominator)
    if isinstance(value, sympy.Expr):
        return value
    return sympy.Integer(value) if isinstance(value, int) else sympy.Float(value)


def _from_sympy(value: sympy.Expr) -> ExactValue:
    """Return a rational result as a fraction: a weak float still, as its operands were."""
    return Fraction(int(value.p), int(value.q)) if value.is_Rational else value


def fits(value: ExactValue, dtype: np.dtype[Any]) -> bool:
    """May this number stand before an array of this dtype: is it well in range, and not too long to write?"""
    if type(value) is float or dtype.kind == "b":
        return True
    if dtype.kind != "f":
        low, high = integer_range(dtype)
        return type(value) is not int or low <= value <= high or value == -1
    most = _MOST_BITS[dtype.itemsize]
    if isinstance(value, (int, Fraction)):
        above, below = value.numerator.bit_length(), value.denominator.bit_length()
        return above <= 1000 and (below == 1 or above + below <= _MOST_DIGITS) and -most <= above - below <= most
    _, mantissa, exponent, bits = sympy_value(value).evalf(5)._mpf_
    return not mantissa or -most <= exponent + bits <= most


@cache
def integer_range(dtype: np.dtype[Any]) -> tuple[int, int]:
    """Return the smallest and the largest integer of a dtype."""
    info = np.iinfo(dtype)
    return int(info.min), int(info.max)
