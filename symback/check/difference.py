"""Finite differences that know their own error.

The derivative is the five-point stencil (8 (f(h) - f(-h)) - (f(2h) - f(-2h))) / 12h: central differences
D(h) and D(2h) with one step of Richardson's extrapolation. Its truncation error is far below
|D(2h) - D(h)| (and the fourth difference over h, which is added in case the first vanishes); its rounding
error is the noise of f over h. The noise is measured, not guessed, by a difference table along a line of
tiny steps (Moré and Wild, *Estimating computational noise*, SIAM J. Sci. Comput. 33, 2011). Of several
steps the one with the smallest error bound is taken.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

EPS = float(np.finfo(np.float64).eps)

_FIRST_STEP = EPS**0.2
_OTHER_STEPS = tuple(16.0**k for k in (1, 0, -1, -2, -3, -4, -5))
_NOISE_STEP = 2.0**-36
_NOISE_POINTS = 17
_NOISE_ORDERS = range(4, 9)
_GOOD_ENOUGH = 1e-6

Line = Callable[[float], float]
"""A function along a line: of the distance from the point of interest."""


class Difference(NamedTuple):
    """A derivative by differences, with a bound on its error."""

    value: float
    tolerance: float


def noise_of(line: Line, scale: float) -> float:
    """Return the rounding noise of a function near 0 of a line, at least an ulp of its size.

    The k-th difference of noise of standard deviation s has the variance (2k)! / (k!)² · s².
    """
    samples = np.array([line((k - _NOISE_POINTS // 2) * _NOISE_STEP * scale) for k in range(_NOISE_POINTS)])
    if not np.isfinite(samples).all():
        return math.nan
    noise = EPS * float(np.abs(samples).max())
    for order in _NOISE_ORDERS:
        differences = np.diff(samples, order)
        noise = max(noise, float(np.sqrt(np.mean(differences**2) / math.comb(2 * order, order))))
    return noise


def derivative(line: Line, *, scale: float, noise: float, enough: float = 0.0) -> Difference:
    """Return the derivative at 0 of a function along a line.

    Args:
        line: The function.
        scale: The size of the point along the line: the first step is a small part of it; where it does not
            do, larger and smaller ones are tried.
        noise: The noise of the function (see `noise_of`).
        enough: A derivative below which a relative error is of no interest.
    """
    first = _FIRST_STEP * scale
    middle = line(0.0)
    best = _five_points(line, middle, first, scale, noise)
    if best.tolerance <= _GOOD_ENOUGH * max(abs(best.value), enough):
        return best
    best = Difference(math.nan, math.inf)
    for factor in _OTHER_STEPS:
        found = _five_points(line, middle, first * factor, scale, noise)
        # A long step may not see how fast the function turns: where a shorter one contradicts it, it is wrong.
        contradicted = abs(found.value - best.value) > found.tolerance + best.tolerance
        if found.tolerance < best.tolerance or contradicted:
            best = found
    return best


def _five_points(line: Line, middle: float, step: float, scale: float, noise: float) -> Difference:
    values = [line(k * step) for k in (1, -1, 2, -2)]
    if not all(map(math.isfinite, values)):
        return Difference(math.nan, math.inf)
    near, far = (values[0] - values[1]) / (2 * step), (values[2] - values[3]) / (4 * step)
    value = near + (near - far) / 3
    rounding = 10 * max(noise, EPS * max(map(abs, values))) + 4 * EPS * scale * abs(value)
    fourth = abs(values[2] + values[3] - 4 * (values[0] + values[1]) + 6 * middle)
    return Difference(value, abs(far - near) / 4 + (rounding + fourth / 16) / step)
