"""In which intervals the variables lie: as they are given, as SymPy's assumptions say, or all finite numbers.

Intervals are written as in mathematics: ``(0, 1)`` is open, ``[0, 1]`` closed, ``"[0, 1)"`` half open.
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import sympy

from symback.check.domain.interval import Interval, limits_of, show
from symback.check.domain.setting import LARGEST_ORDINARY, SMALLEST_ORDINARY
from symback.errors.domain import bad_interval, bad_size_interval, empty_interval, not_a_domain, unknown_domain
from symback.graph import toposort
from symback.nodes.leaves import Size, Variable
from symback.nodes.node import Node
from symback.nodes.shapes import size_symbols

_WRITTEN = re.compile(r"\s*([\[(\]])\s*([^,\s]+)\s*,\s*([^,\s]+)\s*([\])\[])\s*")


class Range(NamedTuple):
    """An interval of real numbers.

    Attributes:
        low: The lower end; None if there is none, infinity apart.
        high: The upper end.
        open_low: Whether the lower end is left out.
        open_high: Whether the upper end is.
        nonzero: Whether 0 is left out.
    """

    low: float | None = None
    high: float | None = None
    open_low: bool = True
    open_high: bool = True
    nonzero: bool = False

    def __str__(self) -> str:
        if self == Range():
            return "all finite numbers"
        low = "-inf" if self.low is None else show(self.low)
        high = "inf" if self.high is None else show(self.high)
        left, right = "(" if self.open_low else "[", ")" if self.open_high else "]"
        return f"{left}{low}, {high}{right}{' without 0' if self.nonzero else ''}"

    def interval(self, name: str, dtype: np.dtype[Any], *, extreme: bool) -> Interval:
        """Return the numbers of a dtype in this range; if not `extreme`, ordinary ones where it has no bound.

        Raises:
            InputError: If there are none.
        """
        limits, given = limits_of(dtype), [self.low, self.high]
        least = 0.0 if limits.kind in "ub" else -limits.largest - (limits.kind == "i")
        low = max(least if self.low is None else self.low, least)
        high = min(limits.largest if self.high is None else self.high, limits.largest)
        if limits.kind == "f":
            real = np.float32 if limits.bits == 32 else np.float64
            low = _inside(real, low, self.open_low and self.low is not None, math.inf)
            high = _inside(real, high, self.open_high and self.high is not None, -math.inf)
        else:
            low, high = _whole(low, high, self)
        if low > high and not (math.inf in given or -math.inf in given):
            raise empty_interval(name, str(self), dtype)
        up, down = self.high == math.inf and not self.open_high, self.low == -math.inf and not self.open_low
        gap = (limits.smallest if extreme else SMALLEST_ORDINARY) if self.nonzero else 0.0
        if not extreme and limits.kind != "b":
            low, high = self._ordinary(low, high)
        return Interval(low, high, False, up, down, gap)

    def _ordinary(self, low: float, high: float) -> tuple[float, float]:
        """Cut what has no bound at ordinary numbers."""
        if self.low is None or math.isinf(self.low):
            low = max(low, min(-LARGEST_ORDINARY, -LARGEST_ORDINARY * abs(high) if high < 0 else 0.0))
        if self.high is None or math.isinf(self.high):
            high = min(high, max(LARGEST_ORDINARY, LARGEST_ORDINARY * abs(low) if low > 0 else 0.0))
        if self.low == 0 and self.open_low:
            low = max(low, min(SMALLEST_ORDINARY, high * SMALLEST_ORDINARY))
        if self.high == 0 and self.open_high:
            high = min(high, max(-SMALLEST_ORDINARY, low * SMALLEST_ORDINARY))
        return low, high


def _inside(real: Any, end: float, is_open: bool, towards: float) -> float:
    """Return the first number of a float dtype from an end on."""
    with np.errstate(all="ignore"):
        number = real(end)
        outside = number < end if towards > 0 else number > end
        return float(np.nextafter(number, real(towards))) if outside or (is_open and number == end) else float(number)


def _whole(low: float, high: float, given: Range) -> tuple[float, float]:
    """Return the first and the last integer."""
    first = math.ceil(low) + (given.open_low and given.low is not None and math.ceil(low) == low)
    last = math.floor(high) - (given.open_high and given.high is not None and math.floor(high) == high)
    return float(first), float(last)


def read_range(name: str, given: Any) -> Range:
    """Read an interval.

    Raises:
        UsageError: If it is none.
    """
    if isinstance(given, str):
        found = _WRITTEN.fullmatch(given)
        if found is None:
            raise bad_interval(name, given)
        left, low, high, right = found.groups()
        return Range(_end(name, low, given), _end(name, high, given), left != "[", right != "]")
    if isinstance(given, sympy.Interval):
        return Range(
            _end(name, given.start, given), _end(name, given.end, given), bool(given.left_open), bool(given.right_open)
        )
    if given is sympy.S.Reals:
        return Range()
    if isinstance(given, (tuple, list)) and len(given) == 2:
        is_open = isinstance(given, tuple)
        return Range(_end(name, given[0], given), _end(name, given[1], given), is_open, is_open)
    value = _end(name, given, given)
    if value is None or math.isinf(value):
        raise bad_interval(name, given)
    return Range(value, value, False, False)


def _end(name: str, end: Any, given: Any) -> float | None:
    """Return an end as a number; None if there is no bound."""
    if end is None or (isinstance(end, str) and end == "None"):
        return None
    if isinstance(end, (bool, bytes)) or (isinstance(end, sympy.Basic) and not getattr(end, "is_extended_real", False)):
        raise bad_interval(name, given)
    try:
        number = float(end)
    except (TypeError, ValueError, OverflowError):
        raise bad_interval(name, given) from None
    if number != number:
        raise bad_interval(name, given)
    return number


class Domain(NamedTuple):
    """The ranges of the variables, and the least and greatest values of the sizes, by name."""

    variables: dict[Variable, Range]
    sizes: dict[str, tuple[float, float]]

    def intervals(self, *, extreme: bool) -> dict[Node, Interval]:
        """Return what each variable can be."""
        return {x: range_.interval(x.name, x.dtype, extreme=extreme) for x, range_ in self.variables.items()}


def read_domain(given: Any, outputs: Sequence[Node], symbols: Mapping[Variable, sympy.Symbol]) -> Domain:
    """Return the ranges of all variables and sizes of a graph.

    Raises:
        UsageError: If something is no interval.
        InputError: If a name is unknown, or an interval empty.
    """
    if given is not None and not isinstance(given, Mapping):
        raise not_a_domain(given)
    order = toposort(outputs)
    variables = {node.name: node for node in order if isinstance(node, Variable)}
    sizes = sorted({symbol.name for node in order for symbol in _size_symbols(node)})
    found = {node: _assumed(symbols.get(node)) for node in variables.values()}
    read: dict[str, tuple[float, float]] = {}
    for key, value in (given or {}).items():
        name = key.name if isinstance(key, (Variable, sympy.Symbol)) else key
        if not isinstance(name, str) or (name not in variables and name not in sizes):
            raise unknown_domain(str(name), [*variables, *sizes])
        range_ = read_range(name, value)
        if name in variables:
            range_.interval(name, variables[name].dtype, extreme=True)
            found[variables[name]] = range_
        if name in sizes:
            read[name] = _size_range(name, range_)
    return Domain(found, read)


def _size_symbols(node: Node) -> set[sympy.Symbol]:
    own = size_symbols(node.size) if isinstance(node, Size) else set()
    return own.union(*(size_symbols(size) for size in node.shape))


def _size_range(name: str, given: Range) -> tuple[float, float]:
    """Return the least and the greatest size."""
    low = 0.0 if given.low is None else math.ceil(given.low) + (given.open_low and math.ceil(given.low) == given.low)
    high = math.inf
    if given.high is not None and math.isfinite(given.high):
        high = math.floor(given.high) - (given.open_high and math.floor(given.high) == given.high)
    if low < 0 or high < low:
        raise bad_size_interval(name, str(given))
    return float(low), float(high)


def _assumed(symbol: sympy.Symbol | None) -> Range:
    """Return what SymPy's assumptions say of a symbol."""
    if symbol is None:
        return Range()
    if symbol.is_positive:
        return Range(low=0.0)
    if symbol.is_negative:
        return Range(high=0.0)
    if symbol.is_nonnegative:
        return Range(low=0.0, open_low=False)
    if symbol.is_nonpositive:
        return Range(high=0.0, open_high=False)
    return Range(nonzero=bool(symbol.is_nonzero))
