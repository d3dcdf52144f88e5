"""The rounding noise of a function, measured."""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

__all__ = ["EPS", "Line", "noise_of"]

EPS = float(np.finfo(np.float64).eps)

Line = Callable[[Any], Any]
"""A function along a line: of the distance from the point of interest."""

_POINTS = 17
_DEGREES = range(3, 8)
_PLACES = np.array([k + 0.4 * math.sin(k * k + 1.0) for k in range(-(_POINTS // 2), _POINTS // 2 + 1)])
_BASIS = np.linalg.qr(np.polynomial.legendre.legvander(_PLACES / 9, _POINTS - 1))[0].T
_SIDES = (0.0, 9.0, -9.0)
_SMOOTH = 4.0
_DISTANCES = 4
_GROWN = 8.0


def noise_of(line: Line, scale: float, *, eps: float = EPS) -> float:
    """Return the rounding noise of a function near 0 of a line, at least an ulp of its size.

    It is what polynomials leave over of values at points near each other: of degrees from 3 to 7, for where the
    higher ones leave less the function is not yet smooth. The points are not evenly spaced, or the rounding of the
    points themselves could be as regular as they are. They are taken at several distances, since values that are
    quantised at some step of the calculation are rough only at a distance. Source of the idea: Moré and Wild,
    *Estimating computational noise*, SIAM J. Sci. Comput. 33, 2011.

    Args:
        line: The function.
        scale: The size of the point along the line, 1 for a smaller one.
        eps: The precision of the function: that of its dtype.

    Returns:
        The standard deviation of the noise; NaN if the function has no values around 0.

    Example:
        >>> noise_of(lambda t: 1.0 + t, 1.0) < 1e-15
        True
    """
    first, stride = scale * eps ** (11 / 13), eps ** (-2 / 13)
    noises: list[float] = []
    before = ""
    for further in range(_DISTANCES + 1):
        found, seen = _noise_at(line, first * stride**further, eps)
        if seen in ("nowhere", "wild") or (seen == "smooth" and not noises):
            break
        noises += [found] * (2 if (before, seen) == ("coarse", "smooth") else 1)
        grown = len(noises) > 1 and found > _GROWN * noises[-2]
        if seen == "smooth" or (further == _DISTANCES - 1 and seen != "coarse" and not grown):
            break
        before = seen
    nearest = noises[0] if noises else math.inf
    nearby = _nearby(line, first, stride, eps, nearest)
    if nearby < nearest or math.isnan(nearby):
        return nearby
    # What grows or falls with the distance is no noise: a kink, or a function that turns faster than the points see.
    return max([nearest, *[min(pair) for pair in pairwise(noises) if max(pair) <= _GROWN * min(pair)]])


def _nearby(line: Line, step: float, stride: float, eps: float, noise: float) -> float:
    """Return the noise that is left as the points come nearer to each other, as long as the values resolve them."""
    floor = eps * abs(float(line(0.0)))
    shown = math.isinf(noise)  # less noise is believed of a function that shows, not of values in larger steps
    for nearer in range(1, _DISTANCES + 1):
        if noise <= _GROWN * floor:
            break
        found, seen = _noise_at(line, step / stride**nearer, eps)
        if seen == "coarse" and math.isfinite(noise):
            break
        shown = shown or seen == "smooth"
        if seen != "nowhere" and shown and found * _GROWN < noise:
            noise = found
    return noise if math.isfinite(noise) else math.nan


def _noise_at(line: Line, step: float, eps: float) -> tuple[float, str]:
    """Return the noise as points at a distance show it, and what stands in the way of measuring it there."""
    for side in _SIDES:
        samples = np.array([float(line(float(place) * step)) for place in _PLACES + side])
        if np.isfinite(samples).all():
            return _noise_in(samples, eps)
    return math.nan, "nowhere"


def _noise_in(samples: Any, eps: float) -> tuple[float, str]:
    floor = eps * float(np.abs(samples).max())
    parts = _BASIS @ (samples - samples[0])
    found = [float(np.sqrt(np.mean(parts[degree + 1 :] ** 2))) for degree in _DEGREES]
    if np.unique(samples).size <= _POINTS // 2:
        return max(floor, *found), "coarse"
    if found[0] > _SMOOTH * max(floor, found[-1]):  # of a function higher degrees leave less, of noise as much
        return max(floor, found[-1]), "smooth"
    noise = max(floor, *found)
    wild = noise > max(float(np.std(samples)) / _SMOOTH, math.sqrt(eps) * float(np.abs(samples).max()))
    return noise, "wild" if wild else ""  # as of a function that turns several times between the points
