"""Intervals of floating-point values, with flags for NaN and the two infinities, and arithmetic on them.

R. E. Moore, R. B. Kearfott, M. J. Cloud, *Introduction to Interval Analysis* (2009); that rounding to nearest is
monotone, so that ends computed in the arithmetic of the values bound them, is from Higham, *Accuracy and Stability of
Numerical Algorithms* (2002), section 2.1.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import product
from typing import Any, NamedTuple

import numpy as np

Function = Callable[..., Any]

_ULPS = 8
"""By how many units in the last place a transcendental function of NumPy's may be off, with room to spare."""


class Interval(NamedTuple):
    """What a value can be: a finite number from `low` to `high` (none if `low` > `high`), or what the flags say.

    Attributes:
        low: The least finite value.
        high: The greatest.
        nan: Whether NaN is possible.
        up: Whether infinity is.
        down: Whether minus infinity is.
        gap: No value but an infinity is closer to 0 than this; 0 if nothing is known.
    """

    low: float
    high: float
    nan: bool = False
    up: bool = False
    down: bool = False
    gap: float = 0.0

    @property
    def is_empty(self) -> bool:
        """Is no finite value possible?"""
        return self.low > self.high

    @property
    def is_finite(self) -> bool:
        """Are all values finite numbers?"""
        return not (self.nan or self.up or self.down)

    @property
    def has_zero(self) -> bool:
        """Is 0 possible?"""
        return self.low <= 0 <= self.high and not self.gap

    @property
    def least_size(self) -> float:
        """The least absolute value of the finite ones."""
        return max(self.gap, self.low, -self.high, 0.0)

    @property
    def size(self) -> float:
        """The greatest absolute value of the finite ones; 0 if there is none."""
        return 0.0 if self.is_empty else max(abs(self.low), abs(self.high))

    def finite(self) -> "Interval":
        """Return the finite values alone."""
        return self._replace(nan=False, up=False, down=False)

    def candidates(self) -> tuple[list[float], list[float]]:
        """Return the finite values at which a monotone function is extreme, and the infinite ones."""
        ends = [] if self.is_empty else [self.low, self.high]
        if not self.is_empty and self.low <= 0 <= self.high:
            ends += [0.0] if not self.gap else [z for z in (self.gap, -self.gap) if self.low <= z <= self.high]
        return ends, [math.inf] * self.up + [-math.inf] * self.down

    def either(self, other: "Interval") -> "Interval":
        """Return what is possible if it is one or the other."""
        flags = (self.nan or other.nan, self.up or other.up, self.down or other.down)
        if self.is_empty or other.is_empty:
            low, high, *_, gap = other if self.is_empty else self
            return Interval(low, high, *flags, gap)
        gap = min(self.least_size, other.least_size)
        return Interval(min(self.low, other.low), max(self.high, other.high), *flags, gap)

    def both(self, other: "Interval") -> "Interval":
        """Return what is possible if each is known to hold it."""
        low, high = max(self.low, other.low), min(self.high, other.high)
        flags = (self.nan and other.nan, self.up and other.up, self.down and other.down)
        return Interval(low, high, *flags, max(self.gap, other.gap))

    def within(self, low: float, high: float, gap: float = 0.0) -> "Interval":
        """Return the values that also lie between two numbers, infinities where those are infinite."""
        up, down = self.up and high == math.inf, self.down and low == -math.inf
        return Interval(max(self.low, low), min(self.high, high), self.nan, up, down, max(gap, self.gap))

    def __str__(self) -> str:
        parts = [] if self.is_empty else [f"[{show(self.low)}, {show(self.high)}]"]
        parts += ["inf"] * self.up + ["-inf"] * self.down + ["NaN"] * self.nan
        return " or ".join(parts)


def show(number: float) -> str:
    """Write an end of an interval with few digits."""
    return f"{number + 0.0:.6g}"


NOTHING = Interval(math.inf, -math.inf)
NAN = Interval(math.inf, -math.inf, nan=True)


def point(value: float) -> Interval:
    """Return the interval of one value."""
    value = float(value)
    if value != value:
        return NAN
    if math.isinf(value):
        return Interval(math.inf, -math.inf, up=value > 0, down=value < 0)
    return Interval(value, value)


def hull(intervals: Iterable[Interval]) -> Interval:
    """Return what is possible if it is any of these."""
    found = NOTHING
    for interval in intervals:
        found = found.either(interval)
    return found


class Limits(NamedTuple):
    """What the numbers of a dtype are: the largest, and the smallest apart from 0 that is reckoned with."""

    largest: float
    smallest: float
    epsilon: float
    kind: str
    bits: int

    def settle(self, found: Interval) -> Interval:
        """Round the ends of an interval to the dtype; what lies beyond the largest number is infinite."""
        if found.is_empty:
            return found
        low, high, nan, up, down, gap = found
        if self.bits == 32:
            with np.errstate(all="ignore"):
                low, high, gap = float(np.float32(low)), float(np.float32(high)), float(np.float32(gap))
        up, down = up or high > self.largest, down or low < -self.largest
        low, high = (min(max(end, -self.largest), self.largest) for end in (low, high))
        return Interval(low, high, nan, up, down, gap)

    def anything(self, *, nan: bool = False, infinite: bool = False) -> Interval:
        """Return all finite numbers, with the flags that are asked for."""
        return Interval(-self.largest, self.largest, nan, infinite, infinite)


@cache
def limits_of(dtype: np.dtype[Any], smallest: float | None = None) -> Limits:
    """Return the limits of a dtype; `smallest` replaces its smallest positive number."""
    if dtype.kind == "f":
        info = np.finfo(dtype)
        least = float(info.smallest_subnormal) if smallest is None else smallest
        return Limits(float(info.max), least, float(info.eps), "f", 8 * dtype.itemsize)
    largest = 1.0 if dtype.kind == "b" else float(np.iinfo(dtype).max)
    return Limits(largest, 1.0, 0.0, dtype.kind, 64)


def at_corners(function: Function, operands: Sequence[Interval], limits: Limits) -> Interval:
    """Bound a function that is monotone in each operand, on each side of 0, by its values at the corners."""
    finite, infinite = zip(*(operand.candidates() for operand in operands), strict=True)
    low, high = math.inf, -math.inf
    nan, up, down = any(operand.nan for operand in operands), False, False
    with np.errstate(all="ignore"):
        for corner in product(*([*f, *i] for f, i in zip(finite, infinite, strict=True))):
            value = float(function(*map(np.float64, corner)))
            inside = all(map(math.isfinite, corner))
            nan, up, down = nan or value != value, up or value == math.inf, down or value == -math.inf
            if value == value and (inside or math.isfinite(value)):
                low, high = min(low, value), max(high, value)
    return limits.settle(Interval(low, high, nan, up, down))


def widened(value: float, limits: Limits, exact: bool, up: bool) -> float:
    """Move the end of an interval outwards by a few units, unless it is a value that functions hit exactly."""
    if exact or value in (0.0, 1.0, -1.0) or not math.isfinite(value):
        return value
    slack = _ULPS * limits.epsilon * abs(value) + 4 * math.ulp(0.0)
    return value + slack if up else value - slack
