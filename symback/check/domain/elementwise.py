"""What functions of several operands, entry by entry, can be: from intervals to an interval."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from symback.check.domain.interval import NAN, NOTHING, Function, Interval, Limits, at_corners, hull, point
from symback.check.domain.operations import (
    EITHER,
    FALSE,
    TRUE,
    choice,
    compared,
    divide,
    extremum,
    negative,
    plus,
    power,
    sides,
    times,
)
from symback.check.domain.pieces import PIECES

Intervals = Sequence[Interval]
Rule = Callable[[Intervals, Limits], Interval]


def _comparison(name: str) -> Rule:
    return lambda xs, limits: compared(name, xs[0], xs[1])


def _times_log(shift: float) -> Rule:
    """X * log(y + shift), and 0 where x is 0."""

    def rule(xs: Intervals, limits: Limits) -> Interval:
        x, y = xs
        if x.low == x.high == 0 and x.is_finite:
            return Interval(0.0, 0.0, nan=y.nan)
        logarithm = PIECES["log1p" if shift else "log"].of(y, limits)
        zero = point(0.0) if x.has_zero else NOTHING
        parts = [times(side, logarithm, limits) for side in sides(x, limits.smallest)]
        parts += [times(x._replace(low=math.inf, high=-math.inf), logarithm, limits)] if not x.is_finite else []
        return hull([*parts, zero])._replace(gap=0.0)

    return rule


def _over(xs: Intervals, limits: Limits) -> Interval:
    """X / y, and 0 where both are 0."""
    x, y = xs
    found = hull([*(divide(side, y, limits) for side in sides(x, limits.smallest)), *_infinite(x, y, limits)])
    return found.either(point(0.0)) if x.has_zero else found


def _infinite(x: Interval, y: Interval, limits: Limits) -> list[Interval]:
    return [] if x.is_finite else [divide(x._replace(low=math.inf, high=-math.inf), y, limits)]


def _trigonometric(name: str) -> Rule:
    low, high = {"sin": (-math.pi / 2, math.pi / 2), "cos": (0.0, math.pi), "tan": (-math.pi / 2, math.pi / 2)}[name]
    most = 1e17 if name == "tan" else 1.0

    def rule(xs: Intervals, limits: Limits) -> Interval:
        (x,) = xs
        nan = x.nan or x.up or x.down
        if x.is_empty:
            return NAN
        if low <= x.low and x.high <= high:
            found = at_corners(getattr(np, name), (x.finite(),), limits)
            slack = 16 * limits.epsilon * found.size
            ends = (max(found.low - slack, -most), min(found.high + slack, most))
            return Interval(*ends, nan)
        return Interval(-most, most, nan)

    return rule


def _between(low: float, high: float, *, infinite: bool = False) -> Rule:
    """A function whose values lie between two numbers; NaN at infinity, unless it is known to have a value there."""

    def rule(xs: Intervals, limits: Limits) -> Interval:
        nan = any(x.nan or (not infinite and (x.up or x.down)) for x in xs)
        return limits.settle(Interval(low, high, nan))

    return rule


def _log_add(base: float) -> Rule:
    def rule(xs: Intervals, limits: Limits) -> Interval:
        found = extremum(np.maximum, xs[0], xs[1], limits, False)
        more = math.log(2) / math.log(base) * (1 + 1e-6)
        return (
            limits.settle(found._replace(high=found.high + more + 1e-6 * abs(found.high)))
            if not found.is_empty
            else found
        )

    return rule


def _logistic_loss(xs: Intervals, limits: Limits) -> Interval:
    """(1 - t) max(z, 0) - t min(z, 0) + log(1 + exp(-abs(z)))."""
    z, t = xs
    zero = point(0.0)
    right = times(plus(point(1.0), negative(t), limits), extremum(np.maximum, z, zero, limits, False), limits)
    left = times(t, negative(extremum(np.minimum, z, zero, limits, False)), limits)
    return plus(plus(right, left, limits), Interval(0.0, 0.7), limits)


def _logistic_residual(xs: Intervals, limits: Limits) -> Interval:
    found = plus(PIECES["sigmoid"].of(xs[0], limits), negative(xs[1]), limits)
    wild = 4 * xs[1].size > limits.largest
    return found._replace(up=found.up or wild, down=found.down or wild, nan=found.nan or xs[1].up or xs[1].down)


def _log_ratio(xs: Intervals, limits: Limits) -> Interval:
    x, y = xs
    if x.low < 0 or y.low < 0:
        return limits.anything(nan=True, infinite=True)
    log = PIECES["log"]
    found = plus(log.of(x, limits), negative(log.of(y, limits)), limits)
    return found._replace(
        low=found.low - 1e-6 * abs(found.low) - 1e-15, high=found.high + 1e-6 * abs(found.high) + 1e-15
    )


def _relative_entropy(least: float) -> Rule:
    """X log(x / y), infinite where y is 0 and x is not, and where one is negative."""

    def rule(xs: Intervals, limits: Limits) -> Interval:
        x, y = xs
        outside = x.low < 0 or y.low < 0 or (y.has_zero and (x.high > 0 or x.up))
        inside = times(
            x, _log_ratio((x.within(limits.smallest, math.inf), y.within(limits.smallest, math.inf)), limits), limits
        )
        found = plus(inside, extremum(np.maximum, y, point(0.0), limits, False), limits) if least == 0 else inside
        low = max(found.low, least) if not found.is_empty else 0.0
        nan = x.nan or y.nan or x.up or y.up or 1e4 * max(x.size, y.size) > limits.largest
        most = max(found.high, y.high if least == 0 else 0.0, 0.0)
        return Interval(min(low, 0.0), most, nan, outside or found.up, found.down and least != 0)

    return rule


def _gap_over(xs: Intervals, limits: Limits) -> Interval:
    x, y = xs
    return (
        divide(plus(y, negative(x), limits), y, limits)
        ._replace(nan=x.nan or y.nan or x.up or y.up or x.down or y.down)
        .either(point(1.0))
    )


def _arctan2_slope(xs: Intervals, limits: Limits) -> Interval:
    x, y = xs
    least = max(x.least_size, y.least_size)
    most = min(1 / least, limits.largest) if least > 1 / limits.largest else limits.largest
    origin = x.has_zero and y.has_zero
    infinite = 1 / max(least, limits.smallest) > limits.largest if limits.smallest * limits.largest < 1 else False
    return Interval(-most, most, x.nan or y.nan or origin, infinite, infinite)


def _remainder(rounded: bool) -> Rule:
    def rule(xs: Intervals, limits: Limits) -> Interval:
        x, y = xs
        nan = x.nan or y.nan or y.has_zero or x.up or x.down
        if rounded:
            return Interval(min(y.low, 0.0), max(y.high, 0.0), nan, (x.low < 0 and y.up) or y.up, y.down)
        return Interval(-min(x.size, y.size) if x.low < 0 else 0.0, min(x.size, y.size), nan)

    return rule


def _floor_divide(xs: Intervals, limits: Limits) -> Interval:
    found = divide(xs[0], xs[1], limits)
    nan = found.nan or xs[0].up or xs[0].down
    if found.is_empty:
        return found._replace(nan=nan)
    return found._replace(low=math.floor(found.low) - 1.0, high=float(math.floor(found.high)), nan=nan, gap=0.0)


def _huber(xs: Intervals, limits: Limits) -> Interval:
    """Delta abs(r) at most; infinite if delta is negative."""
    delta, r = xs
    most = times(delta.within(0.0, math.inf), PIECES["abs"].of(r, limits), limits)
    nan = delta.nan or r.nan or ((delta.up or delta.has_zero) and (r.up or r.down))
    return Interval(0.0, max(most.high, 0.0), nan, most.up or delta.low < 0)


def _copysign(xs: Intervals, limits: Limits) -> Interval:
    x, y = xs
    infinite = x.up or x.down
    return Interval(
        -x.size if y.low <= 0 or y.nan else 0.0, x.size if y.high >= 0 or y.nan else 0.0, x.nan, infinite, infinite
    )


def _clip(xs: Intervals, limits: Limits) -> Interval:
    x, low, high = xs
    return extremum(np.minimum, extremum(np.maximum, x, low, limits, False), high, limits, False)


def _leaky_relu(xs: Intervals, limits: Limits) -> Interval:
    return hull([xs[0].within(0.0, math.inf), times(xs[1], xs[0].within(-math.inf, 0.0), limits)])


def _mills_fraction(xs: Intervals, limits: Limits) -> Interval:
    return Interval(0.0, limits.largest, not (xs[0].is_finite and xs[1].is_finite) or xs[0].low < 1, True)


def _hypot(xs: Intervals, limits: Limits) -> Interval:
    x, y = (PIECES["abs"].of(x, limits) for x in xs)
    found = at_corners(np.hypot, (x, y), limits)
    return found._replace(low=found.low * (1 - 1e-6), gap=max(x.gap, y.gap)) if not found.is_empty else found


def _reciprocal(of: Callable[[Interval, Limits], Interval]) -> Rule:
    return lambda xs, limits: divide(point(1.0), of(xs[0], limits), limits)


def _isnan(xs: Intervals, limits: Limits) -> Interval:
    (x,) = xs
    return FALSE if not x.nan else TRUE if x.is_empty and not (x.up or x.down) else EITHER


def _isinf(xs: Intervals, limits: Limits) -> Interval:
    return EITHER if xs[0].up or xs[0].down else FALSE


def _logical(name: str) -> Rule:
    def rule(xs: Intervals, limits: Limits) -> Interval:
        known = [
            TRUE if x.least_size > 0 and not x.nan else FALSE if x.low == x.high == 0 and x.is_finite else EITHER
            for x in xs
        ]
        ends: list[Any] = [
            function(*[getattr(k, end) for k in known]) for end in ("low", "high") for function in [_LOGIC[name]]
        ]
        return Interval(float(min(ends)), float(max(ends))) if name != "logical_xor" or EITHER not in known else EITHER

    return rule


_LOGIC: dict[str, Function] = {
    name: getattr(np, name) for name in ("logical_and", "logical_or", "logical_not", "logical_xor")
}

RULES: dict[str, Rule] = {
    **{name: _logical(name) for name in _LOGIC},
    **{name: _comparison(name) for name in ("less", "less_equal", "greater", "greater_equal", "equal", "not_equal")},
    **{name: _trigonometric(name) for name in ("sin", "cos", "tan")},
    "divide": lambda xs, limits: divide(xs[0], xs[1], limits),
    "power": lambda xs, limits: power(xs[0], xs[1], limits),
    "where": lambda xs, limits: choice(xs[0], xs[1], xs[2]),
    "maximum": lambda xs, limits: extremum(np.maximum, xs[0], xs[1], limits, False),
    "minimum": lambda xs, limits: extremum(np.minimum, xs[0], xs[1], limits, False),
    "fmax": lambda xs, limits: extremum(np.fmax, xs[0], xs[1], limits, True),
    "fmin": lambda xs, limits: extremum(np.fmin, xs[0], xs[1], limits, True),
    "clip": _clip,
    "copysign": _copysign,
    "floor_divide": _floor_divide,
    "remainder": _remainder(True),
    "fmod": _remainder(False),
    "hypot": _hypot,
    "hypot_slope": lambda xs, limits: Interval(-1.0, 1.0, any(not x.is_finite for x in xs)),
    "arctan2": _between(-math.pi - 1e-6, math.pi + 1e-6, infinite=True),
    "arctan2_slope": _arctan2_slope,
    "arctanh_slope": _reciprocal(lambda x, limits: times(
        plus(point(1.0), negative(x), limits), plus(point(1.0), x, limits), limits)),
    "bose": _reciprocal(lambda x, limits: PIECES["expm1"].of(x, limits)),
    "sinc": lambda xs, limits: Interval(-0.2173, 1.0, not xs[0].is_finite or 4 * xs[0].size > limits.largest),
    "j0": _between(-0.4029, 1.0),
    "j1": _between(-0.582, 0.582),
    "heaviside": lambda xs, limits: hull([FALSE, TRUE, xs[1]])._replace(nan=xs[0].nan or xs[1].nan),
    "isnan": _isnan,
    "isinf": _isinf,
    "isposinf": _isinf,
    "isneginf": _isinf,
    "isfinite": lambda xs, limits: TRUE if xs[0].is_finite else EITHER,
    "signbit": lambda xs, limits: EITHER,
    "stop_gradient": lambda xs, limits: xs[0],
    "logaddexp": _log_add(math.e),
    "logaddexp2": _log_add(2.0),
    "logistic_loss": _logistic_loss,
    "logistic_residual": _logistic_residual,
    "log_ratio": _log_ratio,
    "rel_entr": _relative_entropy(-math.inf),
    "kl_div": _relative_entropy(0.0),
    "gap_over": _gap_over,
    "xlogy": _times_log(0.0),
    "xlog1py": _times_log(1.0),
    "xdivy": _over,
    "huber_penalty": _huber,
    "leaky_relu_of": _leaky_relu,
    "elu_of": lambda xs, limits: hull(
        [xs[0].within(0.0, math.inf), times(xs[1], PIECES["expm1"].of(xs[0].within(-math.inf, 0.0), limits), limits)]
    ),
    "mills_fraction": _mills_fraction,
}  # fmt: skip
"""Functions by name of the primitive, apart from those in `PIECES`."""


def of_elementwise(name: str, operands: Intervals, limits: Limits) -> Interval | None:
    """Bound a function entry by entry; None if nothing is known of it."""
    pieces = PIECES.get(name)
    if pieces is not None:
        return pieces.of(operands[0], limits)
    rule = RULES.get(name)
    return None if rule is None else rule(operands, limits)
