"""Taylor's test: what the expansion leaves over falls with a power of the step.

With a right gradient f(h) - f(0) - h f'(0) falls as h², with a wrong one as h; with the second derivative taken off
too, as h³ and h². The convention is that of dolfin-adjoint: Farrell, Ham, Funke, Rognes, *Automated derivation of
the adjoint of high-level transient finite element programs*, SIAM J. Sci. Comput. 35, 2013.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from symback.check.ladder.noise import EPS, Line, noise_of

_LEVELS = 38
_WINDOW = 6
_FEWEST = 3
_ABOVE = 16.0
_NEAR = 0.2
_OFF = 0.4
_DIGITS = 1e-45


class Remainders(NamedTuple):
    """What Taylor's expansion leaves over along a line.

    Attributes:
        steps: The steps at which the remainder is more than rounding, longest first.
        remainders: The remainders.
        slope: The power of the step with which they fall at the short end; infinite if there are none.
        verdict: ``"passed"``, ``"failed"``, or ``"undecided"`` where too few remainders stand out of the rounding.
        sees: The largest error of the last derivative, absolute, that could hide in the remainders.
    """

    steps: tuple[float, ...]
    remainders: tuple[float, ...]
    slope: float
    verdict: str
    sees: float


def taylor(
    line: Line,
    slopes: Sequence[Any],
    *,
    digits: bool = False,
    scale: float = 1.0,
    noise: float | None = None,
    eps: float = EPS,
) -> Remainders:
    """Fit the power of the step with which the remainder of Taylor's expansion falls.

    It passes if that is at least the number of `slopes` plus 0.8, or nothing remains; it fails if it is 0.4 less.

    Args:
        line: The function along a line, of the distance from the point.
        slopes: Its derivatives at 0 that are to be tested: (f',) or (f', f'').
        digits: Whether the line returns numbers of some 50 digits; then `slopes` are such numbers too.
        scale: The size of the point along the line; the steps are parts of it, each half of
            the one before, a quarter if there are digits.
        noise: The noise of the line; measured if it is not given.
        eps: The precision of the line, if it has no digits.

    Example:
        >>> import math
        >>> right, wrong = taylor(math.exp, (1.0,)), taylor(math.exp, (1.001,))
        >>> right.verdict, round(right.slope, 1), wrong.verdict, round(wrong.slope, 1)
        ('passed', 2.0, 'failed', 1.0)
    """
    order = len(slopes) + 1
    if digits:
        floor, eps = 0.0, _DIGITS
    else:
        floor = noise_of(line, scale, eps=eps) if noise is None else noise
    here = line(0.0)
    if not math.isfinite(float(here)) or math.isnan(floor) or not all(math.isfinite(float(s)) for s in slopes):
        return Remainders((), (), math.nan, "undecided", math.inf)
    steps = [scale / 4 * (4.0 if digits else 2.0) ** -level for level in range(_LEVELS)]
    measured = [_remainder(line, here, slopes, step, floor, eps) for step in steps]
    return _fitted([found for found in measured if math.isfinite(found[1])], order)


def _fitted(known: Sequence[tuple[float, float, float]], order: int) -> Remainders:
    """Fit the power with which remainders fall, and bound the error that could hide in them."""
    clear = _unbroken(known)
    bounds = [max(rest, least) / step ** (order - 1) * math.factorial(order - 1) for step, rest, least in known]
    # Over four steps in a row, for at one or two of them an error may cancel against the next term.
    sees = min((max(bounds[k : k + 4]) for k in range(len(bounds) - 3)), default=math.inf)
    slope = _slope(clear[-_WINDOW:]) if clear else math.inf
    return Remainders(*_columns(clear), slope, _verdict(clear, known, slope, order), sees)


def _remainder(
    line: Line, here: Any, slopes: Sequence[Any], step: float, noise: float, eps: float
) -> tuple[float, float, float]:
    """Return the step, the remainder, and what it must exceed to be more than rounding."""
    value = line(step)
    terms = [step**k * slope / math.factorial(k) for k, slope in enumerate(slopes, 1)]
    rest = abs(float(value - here - sum(terms)))
    size = max(abs(float(number)) for number in (value, here, *terms))
    return step, rest, _ABOVE * max(noise, eps * size)


def _unbroken(known: Sequence[tuple[float, float, float]]) -> list[tuple[float, float]]:
    """Return steps and remainders from the longest step to where rounding begins: two in a row within it."""
    found: list[tuple[float, float]] = []
    within = 0
    for step, rest, least in known:
        within = 0 if rest > least else within + 1
        if within == 2:
            break
        if rest > least:
            found.append((step, rest))
    return found


def _columns(clear: Sequence[tuple[float, float]]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    return tuple(step for step, _ in clear), tuple(rest for _, rest in clear)


def _slope(points: Sequence[tuple[float, float]]) -> float:
    """Return the slope of the line through the logarithms."""
    if len(points) < 2:
        return math.nan
    steps, rests = np.log(np.array(points)).T
    return float(np.polyfit(steps - steps.mean(), rests, 1)[0])


def _verdict(clear: Sequence[tuple[float, float]], known: Sequence[Any], slope: float, order: int) -> str:
    if len(known) < _FEWEST:
        return "undecided"
    if not clear:
        return "passed"
    if len(clear) < _FEWEST or math.isnan(slope):
        return "undecided"
    if slope >= order - _NEAR:
        return "passed"
    window = clear[-_WINDOW:]
    steepest = max(_slope(pair) for pair in pairwise(window))
    return "failed" if slope <= order - _OFF and steepest <= order - _NEAR else "undecided"
