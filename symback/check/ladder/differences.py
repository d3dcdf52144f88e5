"""Finite differences that choose their step and know their own error.

Each method returns a derivative with a bound on its error. The bound has two parts. What is left out of Taylor's
series is judged by a second step of twice the length, and by a difference of even order that sees a kink between the
points: twice what a function made of straight lines needs. What rounding does is the noise of the function, which is
measured, over the step. The step is found as the place where the two parts meet: Moré and Wild, *Estimating
derivatives of noisy simulations*, ACM Trans. Math. Softw. 38, 2012. A long step may fail to see how fast a function
turns: what a shorter one contradicts is not believed.

What no bound can cover: a part of the function that is hidden under its noise at every step at which it would show.
"""

import math
from functools import partial

from symback.check.ladder.noise import EPS, Line, noise_of
from symback.check.ladder.steps import NOWHERE, PROBES, Difference, Samples, Trial, believed, good, search

__all__ = [
    "EPS",
    "NOWHERE",
    "Difference",
    "Line",
    "central",
    "derivative",
    "five_points",
    "forward",
    "noise_of",
    "ridders",
]

_LEVELS = 44
_COLUMNS = 6
_LONGEST = 0.1
_ALONE = 4.0


def forward(line: Line, *, scale: float, noise: float, enough: float = 0.0, eps: float = EPS) -> Difference:
    """Return the derivative at 0 from one side: (f(h) - f(0)) / h.

    It needs no value behind the point, so it serves at the end of a domain; where there is one, the difference of
    the two slopes bounds the error. See `derivative` for the arguments.

    Example:
        >>> import math
        >>> found = forward(math.exp, scale=1.0, noise=2e-16)
        >>> abs(found.value - 1) <= found.tolerance < 1e-6
        True
    """
    samples = Samples(line, noise, eps)

    def attempt(step: float) -> Trial:
        middle, near, far, behind = (samples(k * step) for k in (0.0, 1.0, 2.0, -1.0))
        value = (near - middle) / step
        rounding, first = samples.rounding(step), (far - middle) / (2 * step)
        truncation = 2 * abs(first - value)
        if math.isfinite(behind):
            truncation = max(truncation, abs((middle - behind) / step - value))
        else:  # where it does not fall with the step, the slope at the end of the domain may be infinite
            second = (samples(4 * step) - far) / (2 * step)
            truncation = truncation if truncation <= 0.75 * abs(second - first) + rounding else math.inf
            rounding *= _ALONE
        return Trial(step, value, truncation, rounding, truncation)

    return search(attempt, scale=scale, order=1, eps=eps, enough=enough)


def central(line: Line, *, scale: float, noise: float, enough: float = 0.0, eps: float = EPS) -> Difference:
    """Return the derivative at 0 by (f(h) - f(-h)) / 2h; see `derivative` for the arguments.

    Example:
        >>> import math
        >>> found = central(math.exp, scale=1.0, noise=2e-16)
        >>> abs(found.value - 1) <= found.tolerance < 1e-8
        True
    """
    samples = Samples(line, noise, eps)

    def attempt(step: float) -> Trial:
        near, far = samples.slope(step), samples.slope(2 * step)
        truncation = 2 * abs(far - near) + samples.bend(step)
        return Trial(step, near, truncation, samples.rounding(step), truncation)

    return search(attempt, scale=scale, order=2, eps=eps, enough=enough)


def five_points(line: Line, *, scale: float, noise: float, enough: float = 0.0, eps: float = EPS) -> Difference:
    """Return the derivative at 0 by (8 (f(h) - f(-h)) - (f(2h) - f(-2h))) / 12h; see `derivative` for the arguments.

    Abramowitz and Stegun, *Handbook of Mathematical Functions*, 25.3.6.

    Example:
        >>> import math
        >>> found = five_points(math.exp, scale=1.0, noise=2e-16)
        >>> abs(found.value - 1) <= found.tolerance < 1e-8
        True
    """
    samples = Samples(line, noise, eps)
    return search(partial(_by_five, samples), scale=scale, order=2, eps=eps, enough=enough)


def _by_five(samples: Samples, step: float) -> Trial:
    near, far = samples.slope(step), samples.slope(2 * step)
    truncation = abs(far - near) * 4 / 3 + samples.bend(step)
    return Trial(step, near + (near - far) / 3, truncation, samples.rounding(step), truncation)


def ridders(line: Line, *, scale: float, noise: float, enough: float = 0.0, eps: float = EPS) -> Difference:
    """Return the derivative at 0 by Richardson's extrapolation of central differences, the steps halved.

    The entry of the table that differs least from its neighbours is taken, as in Ridders, *Accurate computation of
    F'(x) and F'(x) F''(x)*, Advances in Engineering Software 4, 1982; to that difference comes what rounding does to
    the entry, and what a kink between the points would. See `derivative` for the arguments; all steps down to those
    that rounding spoils are tried, whatever is `enough`.

    Example:
        >>> import math
        >>> found = ridders(math.exp, scale=1.0, noise=2e-16)
        >>> abs(found.value - 1) <= found.tolerance < 1e-10
        True
    """
    samples = Samples(line, noise, eps)
    trials: list[Trial] = []
    table: list[Difference] = []
    for level in range(_LEVELS):
        step = _LONGEST * scale * 2.0**-level
        slope = Difference(samples.slope(step), samples.rounding(step))
        if not math.isfinite(slope.value):
            table = []
            continue
        above, table = table, _extrapolated(slope, table)
        trials += [_entry(samples, step, above, table, column) for column in range(1, len(table))]
        best = believed(trials)
        if slope.tolerance > best.tolerance:
            trials += [_by_five(samples, part * step) for part in PROBES]
            if believed(trials) == best:
                break
    return believed(trials)


def _extrapolated(slope: Difference, above: list[Difference]) -> list[Difference]:
    """Return the next line of the table, slopes and what rounding does to them: the k-th is free of h² to h²ᵏ."""
    line = [slope]
    for column, coarse in enumerate(above[: _COLUMNS - 1], 1):
        weight, fine = 4.0**column, line[-1]
        rounding = (weight * fine.tolerance + coarse.tolerance) / (weight - 1)
        line.append(Difference(fine.value + (fine.value - coarse.value) / (weight - 1), rounding))
    return line


def _entry(samples: Samples, step: float, above: list[Difference], line: list[Difference], column: int) -> Trial:
    value, rounding = line[column]
    truncation = max(abs(value - line[column - 1].value), abs(value - above[column - 1].value))
    bend = samples.bend(step)
    return Trial(step, value, truncation + bend, rounding, abs(line[0].value - above[0].value) + bend)


def derivative(line: Line, *, scale: float, noise: float, enough: float = 0.0, eps: float = EPS) -> Difference:
    """Return the derivative at 0 of a function along a line: by five points, by Ridders's method where they see little.

    Args:
        line: The function.
        scale: The size of the point along the line, 1 for a smaller one: steps are parts of it.
        noise: The noise of the function (see `noise_of`); NaN if it is unknown, and then so is the derivative.
        enough: A derivative below which a relative error is of no interest.
        eps: The precision of the function: that of its dtype.

    Returns:
        The derivative and a bound on its error; NaN and infinity where the function has no values.

    Example:
        >>> import math
        >>> found = derivative(math.sin, scale=1.0, noise=2e-16)
        >>> abs(found.value - 1) <= found.tolerance < 1e-8
        True
    """
    found = five_points(line, scale=scale, noise=noise, enough=enough, eps=eps)
    if found.tolerance <= good(eps) * max(abs(found.value), enough):
        return found
    other = ridders(line, scale=scale, noise=noise, enough=enough, eps=eps)
    return other if other.tolerance < found.tolerance else found
