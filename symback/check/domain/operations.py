"""Arithmetic on intervals: sums, products, quotients, powers, extrema, comparisons and choices."""

import math

import numpy as np

from symback.check.domain.interval import NAN, NOTHING, Function, Interval, Limits, at_corners, hull, point

TRUE, FALSE, EITHER = Interval(1.0, 1.0), Interval(0.0, 0.0), Interval(0.0, 1.0)


def times(x: Interval, y: Interval, limits: Limits) -> Interval:
    """Bound a product; that of numbers away from 0 stays away from 0, unless it underflows."""
    found = at_corners(np.multiply, (x, y), limits)
    gap = x.gap * y.gap if x.gap and y.gap else 0.0
    zero = (x.has_zero and (y.up or y.down)) or (y.has_zero and (x.up or x.down))
    return found._replace(nan=found.nan or zero, gap=gap)


def plus(x: Interval, y: Interval, limits: Limits) -> Interval:
    """Bound a sum of two."""
    return at_corners(np.add, (x, y), limits)


def negative(x: Interval) -> Interval:
    """Bound the negative."""
    return Interval(-x.high, -x.low, x.nan, x.down, x.up, x.gap)


def square(x: Interval, limits: Limits) -> Interval:
    """Bound a product with itself."""
    low, high = x.least_size, x.size
    flags = {"nan": x.nan, "up": x.up or x.down}
    return Interval(math.inf, -math.inf, **flags) if x.is_empty else limits.settle(
        Interval(low * low, high * high, gap=low * low, **flags)
    )  # fmt: skip


def divide(x: Interval, y: Interval, limits: Limits) -> Interval:
    """Bound a quotient: by 0 it is infinite, or NaN; zero may have either sign."""
    found = [NAN] if x.nan or y.nan else []
    known = x._replace(nan=False)
    found += [at_corners(np.divide, (known, part), limits) for part in sides(y, limits.smallest)]
    if y.up or y.down:
        found.append(NAN if (x.up or x.down) else NOTHING)
        found.append(NOTHING if x.is_empty else Interval(0.0, 0.0))
    if y.has_zero and not y.is_empty:
        nonzero = x.up or x.down or (not x.is_empty and (x.low != 0 or x.high != 0))
        zero = x.has_zero and not x.is_empty
        found.append(Interval(math.inf, -math.inf, nan=zero, up=nonzero, down=nonzero))
    return hull(found)


def sides(y: Interval, smallest: float) -> list[Interval]:
    """Return the finite values apart from 0: those below it and those above."""
    least = max(y.gap, smallest)
    parts = [Interval(y.low, min(y.high, -least)), Interval(max(y.low, least), y.high)]
    return [part for part in parts if not part.is_empty]


def power(x: Interval, p: Interval, limits: Limits) -> Interval:
    """Bound a power: of what is negative it is NaN, unless the exponent is an integer."""
    if p.low == p.high and p.is_finite:
        return _power_of(x, p.low, limits)
    parts = [at_corners(np.power, (side, p), limits) for side in sides(x, limits.smallest) if side.low > 0]
    if x.has_zero or x.up or x.down or x.nan or p.nan:
        ends = Interval(0.0, 0.0) if x.has_zero else NOTHING
        parts.append(at_corners(np.power, (x._replace(low=ends.low, high=ends.high), p), limits))
    if x.low < 0:
        most = max((part.high for part in [at_corners(np.power, (Interval(1.0, x.size), p), limits)]), default=1.0)
        least = limits.smallest if x.has_zero else max(x.least_size, limits.smallest)
        small = at_corners(np.power, (Interval(min(least, 1.0), max(1.0, least)), p), limits)
        most = max(most, small.high)
        parts.append(
            Interval(-most, most, True, small.up or most >= limits.largest, small.up or most >= limits.largest)
        )
    return hull(parts)


def _power_of(x: Interval, p: float, limits: Limits) -> Interval:
    """Bound a power with a known exponent."""
    whole = p.is_integer()
    parts = [NAN] if x.nan and p else []
    with np.errstate(all="ignore"):
        infinite = [point(np.float64(end) ** p) for end in [math.inf] * x.up + [-math.inf] * x.down]
    parts += infinite
    for side in sides(x, limits.smallest):
        if side.low < 0 and not whole:
            parts.append(NAN)
        else:
            parts.append(at_corners(lambda value: value**p, (side,), limits))
    if x.has_zero and not x.is_empty:
        if p < 0:
            parts.append(Interval(math.inf, -math.inf, up=True, down=whole and p % 2 == 1))
        else:
            parts.append(point(0.0 if p else 1.0))
    found = hull(parts)
    slack = 1e-15 * found.size + 4 * math.ulp(0.0)
    low = found.low if found.low in (0.0, 1.0) or (whole and abs(p) <= 2) else found.low - slack
    high = found.high if found.high in (0.0, 1.0) or (whole and abs(p) <= 2) else found.high + slack
    nonnegative = x.low >= 0 or (whole and p % 2 == 0)
    return limits.settle(found._replace(low=max(low, 0.0) if nonnegative and low <= high else low, high=high))


def extremum(function: Function, x: Interval, y: Interval, limits: Limits, ignores_nan: bool) -> Interval:
    """Bound the greater or the lesser of two."""
    found = at_corners(function, (x._replace(nan=False), y._replace(nan=False)), limits)
    if ignores_nan:  # of NaN and a number it is the number
        parts = [found._replace(nan=x.nan and y.nan)] + [y] * x.nan + [x] * y.nan
        return hull(parts)._replace(nan=x.nan and y.nan)
    return found._replace(nan=x.nan or y.nan)


def choice(condition: Interval, x: Interval, y: Interval) -> Interval:
    """Bound what `where` chooses: either, or one of them if the condition is known."""
    if condition.low > 0 or condition.high < 0:
        return x
    return y if condition.low == condition.high == 0 and not condition.nan else x.either(y)


def compared(name: str, x: Interval, y: Interval) -> Interval:
    """Return whether a comparison holds, where that is known of all values."""
    if not (x.is_finite and y.is_finite) or x.is_empty or y.is_empty:
        return EITHER
    below, above = x.high < y.low, x.low > y.high
    equal = x.low == x.high == y.low == y.high
    apart = below or above or (y.low == y.high == 0 and x.gap > 0)
    known = {
        "less": (below, above or equal), "less_equal": (below or equal or x.high <= y.low, above),
        "greater": (above, below or equal), "greater_equal": (above or equal or x.low >= y.high, below),
        "equal": (equal, apart), "not_equal": (apart, equal),
    }[name]  # fmt: skip
    return TRUE if known[0] else FALSE if known[1] else EITHER
