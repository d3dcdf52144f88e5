"""The indices that sums bind: their ranges, and where expressions of them lie."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

import sympy

from symback.interop.symbolic.declared import Declared
from symback.nodes.shapes import SizeExpr, is_size_symbol, size_symbol


class Range(NamedTuple):
    """The values of an index that a sum or a product binds.

    Attributes:
        first: The lowest value as written; it may hold indices of the sums around.
        last: The highest.
        low: The lowest value there is, whatever the indices of the sums around are; holds sizes only.
        high: The highest.
        place: The number of its axis, counted from the last axis, which is 0.
    """

    first: sympy.Expr
    last: sympy.Expr
    low: sympy.Expr
    high: sympy.Expr
    place: int

    @property
    def size(self) -> SizeExpr:
        """How many values there are, whatever the indices of the sums around are."""
        count = sympy.expand(self.high - self.low + 1)
        return int(count) if count.is_Integer else count

    @property
    def masked(self) -> bool:
        """Do some values count only for some values of the indices around?"""
        return bool(self.first != self.low or self.last != self.high)


Ranges: TypeAlias = Mapping[sympy.Basic, Range]
"""The ranges of the indices that may stand in an expression."""

NO_RANGES: Ranges = MappingProxyType({})


def depth(ranges: Ranges) -> int:
    """Return how many axes the sums around take."""
    return max((found.place + 1 for found in ranges.values()), default=0)


def innermost_first(ranges: Ranges) -> list[sympy.Basic]:
    """Return the indices, those whose limits may hold others first."""
    return sorted(ranges, key=lambda index: -ranges[index].place)


def slope(expr: sympy.Expr, index: sympy.Basic) -> int | None:
    """Return the integer by which an index is multiplied in an expression, 0 if it is not there; None if not linear."""
    factor = expr.coeff(index)
    return int(factor) if factor.is_Integer and not (expr - factor * index).has(index) else None


def extremes(expr: sympy.Expr, ranges: Ranges) -> tuple[sympy.Expr, sympy.Expr] | None:
    """Return between which sizes a sum of multiples of indices lies; None if it is no such sum."""
    low = high = sympy.expand(expr)
    for index in innermost_first(ranges):
        ends = ranges[index].first, ranges[index].last
        rising, falling = slope(high, index), slope(low, index)
        if rising is None or falling is None:
            return None
        high = sympy.expand(high.xreplace({index: ends[rising > 0]}))
        low = sympy.expand(low.xreplace({index: ends[falling < 0]}))
    return low, high


def never_negative(size: sympy.Expr) -> bool:
    """Is this certain for all sizes?"""
    return bool(sympy.expand(size).is_nonnegative)


def in_sizes(expr: sympy.Expr, declared: Declared) -> sympy.Expr:
    """Write an index or a limit with symbolic sizes for the symbols that stand for sizes."""
    names = {s: size_symbol(s.name) for s in expr.free_symbols if s in declared.sizes}
    return sympy.expand(expr.xreplace(names))


def is_size(value: sympy.Expr) -> bool:
    """Is this a sum of multiples of products of sizes?"""
    symbols = value.free_symbols
    if not all(isinstance(symbol, sympy.Symbol) and is_size_symbol(symbol) for symbol in symbols):
        return False
    whole = all(factor.is_Integer for factor in value.as_coefficients_dict().values())
    return whole and bool(value.is_polynomial(*symbols))
