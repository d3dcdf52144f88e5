"""Entries of arrays at indices that sums bind: views where they are ranges of an axis, gathers elsewhere."""

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import sympy

from symback.errors import symbolic_sums as errors
from symback.interop.symbolic.axes import counted, sized, spread
from symback.interop.symbolic.ranges import Range, Ranges, extremes, in_sizes, is_size, never_negative, slope
from symback.interop.symbolic.rule import Given
from symback.nodes.node import METHODS, Node
from symback.nodes.products import sum_axes
from symback.nodes.shapes import as_size


class Place(NamedTuple):
    """An index of one axis, and where it lies.

    Attributes:
        index: A sum of multiples of bound indices; with a period, what is taken modulo it.
        period: By what `index` is reduced; None if it is not.
        ranges: The ranges of the bound indices in it.
        low: The lowest value.
        high: The highest value.
        size: The size of the axis.
    """

    index: sympy.Expr
    period: sympy.Expr | None
    ranges: Ranges
    low: sympy.Expr
    high: sympy.Expr
    size: sympy.Expr

    @property
    def range(self) -> Range:
        """The one range."""
        (found,) = self.ranges.values()
        return found

    @property
    def factor(self) -> int:
        """By what the one bound index is multiplied, if the entries are a range of the axis; else 0."""
        if len(self.ranges) != 1 or self.period is not None:
            return 0
        (index,) = self.ranges
        factor = slope(self.index, index) or 0
        known = all(value.is_Integer for value in (self.low, self.high, self.size))
        return factor if known or factor == 1 or (factor == -1 and self.low.is_Integer) else 0


def entries(array: Node, indices: Sequence[sympy.Basic], part: Any, given: Given) -> Node:
    """Return the entry of an array at indices, with an axis for each index of a sum that they hold.

    Args:
        array: Of as many axes as there are indices.
        indices: Integers, sizes and indices of the sums around, added and multiplied by integers; one ``Mod`` by a
            size around all that.
        part: The expression, for messages.
        given: What the rule got.

    Raises:
        UsageError: If an index is something else.
        ShapeError: If an index may be outside of its axis.
    """
    single = [axis for axis, size in enumerate(array.shape) if size == 1 and indices[axis] == 0]
    array, indices = sum_axes(array, single), [index for axis, index in enumerate(indices) if axis not in single]
    places = [_place(part, index, size, given) for index, size in zip(indices, array.shape, strict=True)]
    if any(place.ranges and not place.factor for place in places):
        return cast(
            Node,
            METHODS["getitem"](array, tuple(_numbers(place) if place.ranges else _fixed(place) for place in places)),
        )
    views = tuple(_slice(place) if place.ranges else _fixed(place) for place in places)
    whole = slice(None)
    taken = array if all(view == whole for view in views) else METHODS["getitem"](array, views)
    return spread(taken, [place.range.place for place in places if place.ranges])


def _place(part: Any, index: sympy.Basic, size: object, given: Given) -> Place:
    """Find where an index lies, and that this is within its axis."""
    if not isinstance(index, sympy.Expr):
        raise errors.bad_index(part, index)
    inner, period = index.args if isinstance(index, sympy.Mod) else (index, None)
    inner = inner.args[0] if isinstance(inner, sympy.floor) else inner  # of a sum of indices, it is that itself
    ranges = {symbol: found for symbol, found in given.ranges.items() if symbol in inner.free_symbols}
    inner, whole = in_sizes(inner, given.declared), in_sizes(period or sympy.S.One, given.declared)
    ends = extremes(inner, given.ranges)
    if ends is None or not all(is_size(end) for end in (*ends, whole)):
        raise errors.free_index(index) if isinstance(index, sympy.Idx) else errors.bad_index(part, index)
    low, high = ends if period is None else (sympy.S.Zero, sympy.expand(whole - 1))
    place = Place(inner, None if period is None else whole, ranges, low, high, sympy.sympify(size, strict=True))
    inside = never_negative(low) and never_negative(place.size - 1 - high)
    if not inside and (ranges or not _may_be_within(place)):
        raise errors.beyond_the_ends(part, index, low, high, place.size)
    return place


def _may_be_within(place: Place) -> bool:
    """Is a single entry one that NumPy refuses where the axis is too short?"""
    behind = sympy.expand(place.size - 1 - place.low)
    if place.low.is_Integer:
        return bool(place.low >= 0) and behind.is_negative is not True
    return bool(behind >= 0) if behind.is_Integer else never_negative(place.low)


def _fixed(place: Place) -> Any:
    """Return one entry's index; one that is counted from the end is an error where NumPy would go round."""
    from_end = sympy.expand(place.low - place.size)
    if place.period is not None:
        return METHODS["remainder"](sized(place.index), sized(place.period))
    if place.low.is_Integer:
        return int(place.low)
    return int(from_end) if from_end.is_Integer else as_size(place.low)


def _slice(place: Place) -> slice:
    factor, low, high = place.factor, place.low, place.high
    if place.range.size == 0:
        return slice(0, 0)
    if factor == 1 and low == 0 and sympy.expand(place.size - 1 - high) == 0:
        return slice(None)
    if factor > 0:
        return slice(_bound(low), _bound(high + 1), factor)
    return slice(_bound(high), int(low) - 1 if low > 0 else None, factor)


def _bound(value: sympy.Expr) -> Any:
    return as_size(int(value) if value.is_Integer else sympy.expand(value))


def _numbers(place: Place) -> Node:
    """Return the index as an array of integers, within the axis also where limits mask it."""
    rest = place.index.xreplace(dict.fromkeys(place.ranges, sympy.S.Zero))
    numbers = sized(rest)
    for index, found in place.ranges.items():
        term = METHODS["multiply"](slope(place.index, index) or 0, counted(found, "int64"))
        numbers = METHODS["add"](numbers, term)
    if place.period is not None:
        return cast(Node, METHODS["remainder"](numbers, sized(place.period)))
    if not any(found.masked for found in place.ranges.values()):
        return numbers
    return cast(Node, METHODS["minimum"](METHODS["maximum"](numbers, 0), sized(sympy.expand(place.size - 1))))
