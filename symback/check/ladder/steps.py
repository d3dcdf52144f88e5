"""The step of a finite difference: searched for, and what a shorter one contradicts is not believed."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from symback.check.ladder.noise import Line

_SIGMAS = 6.0
_ATTEMPTS = 12
_STRIDE = 16.0
_LONGEST = 2.0
_FALLS = 8.0
_KINK = 2.0

PROBES = (1 / 32, 1 / 1024)
"""Parts of the step that was found, at which nothing may contradict it."""


class Difference(NamedTuple):
    """A derivative by differences, with a bound on its error."""

    value: float
    tolerance: float


NOWHERE = Difference(math.nan, math.inf)
"""What is known of a derivative where a function has no values."""


class Trial(NamedTuple):
    """A derivative by one step.

    Attributes:
        step: The step.
        value: The derivative.
        truncation: A bound on what the rest of Taylor's series amounts to.
        rounding: A bound on what rounding does.
        falling: What falls with the step, once the step is short enough.
    """

    step: float
    value: float
    truncation: float
    rounding: float
    falling: float

    @property
    def difference(self) -> Difference:
        """The derivative with a bound on its error."""
        return Difference(self.value, self.truncation + self.rounding)

    @property
    def tolerance(self) -> float:
        """A bound on the error."""
        return self.truncation + self.rounding


class Samples:
    """A function along a line, each value computed once."""

    def __init__(self, line: Line, noise: float, eps: float) -> None:
        """Take the function, its noise (infinite if that is unknown), and the precision of its dtype."""
        self._line = line
        self._values: dict[float, float] = {}
        self._noise = math.inf if math.isnan(noise) else noise
        self._eps = eps

    def __call__(self, distance: float) -> float:
        """Return the value at a distance."""
        if distance not in self._values:
            self._values[distance] = float(self._line(distance))
        return self._values[distance]

    def slope(self, step: float) -> float:
        """Return the central difference over a step."""
        return (self(step) - self(-step)) / (2 * step)

    def bend(self, step: float) -> float:
        """Return how far second differences fail to fall with the step, as they do where there is no kink."""
        near, far = (self(k) - 2 * self(0.0) + self(-k) for k in (step, 2 * step))
        return _KINK * abs(far / 4 - near) / step

    def rounding(self, step: float) -> float:
        """Return what rounding may do to a quotient of values at a step."""
        return _SIGMAS * max(self._noise, self._eps * abs(self(step))) / step


def believed(trials: Sequence[Trial]) -> Difference:
    """Return the trial with the least bound among those that no shorter step contradicts.

    A shorter step does so by its value, and where it sees more of the function than the longer one did: that was too
    long for what falls with the step to fall.
    """
    best, seen, low, high = NOWHERE, 0.0, -math.inf, math.inf
    for trial in sorted(trials, key=lambda trial: trial.step):
        least, most = trial.value - trial.tolerance, trial.value + trial.tolerance
        blind = seen > _FALLS * (trial.falling + trial.rounding)
        if not blind and least <= high and most >= low:
            low, high = max(low, least), min(high, most)
            best = trial.difference if trial.tolerance < best.tolerance else best
        seen = max(seen, trial.falling - _SIGMAS * trial.rounding)
    return best


def search(attempt: Callable[[float], Trial], *, scale: float, order: int, eps: float, enough: float) -> Difference:
    """Search for the step at which truncation and rounding meet; return the best that was found.

    Args:
        attempt: The derivative by one step.
        scale: The size of the point along the line.
        order: The power of the step with which its truncation grows.
        eps: The precision of the function.
        enough: A derivative below which a relative error is of no interest.
    """
    trials: list[Trial] = []
    step, longest = scale * eps ** (1 / (order + 1)), _LONGEST * scale
    for _ in range(2):
        _narrow(attempt, trials, step, longest, order, lambda trial: _suffices(trial, eps, enough))
        best = believed(trials)
        if not trials or _suffices(trials[-1], eps, enough):
            break
        probes = [attempt(part * trials[-1].step) for part in PROBES]
        trials += probes
        if believed(trials) == best:
            break
        step = longest = min(probes, key=lambda trial: trial.tolerance).step
    return believed(trials)


def _suffices(trial: Trial, eps: float, enough: float) -> bool:
    return trial.tolerance <= good(eps) * max(abs(trial.value), enough)


def _narrow(
    attempt: Callable[[float], Trial],
    trials: list[Trial],
    step: float,
    high: float,
    order: int,
    suffices: Callable[[Trial], bool],
) -> None:
    """Add attempts to the trials, from a step to where the parts of the error meet."""
    low = 0.0
    for _ in range(_ATTEMPTS):
        found = attempt(step)
        if math.isfinite(found.tolerance):
            trials.append(found)
            if suffices(found):
                break
        if found.truncation <= found.rounding < math.inf:
            low = step
        else:
            high = step
        if high <= 2 * low:
            break
        step = _next(found, order, low, high)


def _next(found: Trial, order: int, low: float, high: float) -> float:
    """Return where truncation, which grows with a power of the step, and rounding over the step would meet."""
    step, wanted = found.step, 0.0
    if math.isfinite(found.tolerance):
        ratio = found.rounding / (order * found.truncation) if found.truncation else math.inf
        wanted = step * math.pow(ratio, 1 / (order + 1))
    if step == low:
        wanted = min(max(wanted, _STRIDE / 2 * step), _STRIDE * step)
    else:
        wanted = max(min(wanted, step / 2), step / _STRIDE)
    return wanted if low < wanted < high else math.sqrt(low * high)


def good(eps: float) -> float:
    """Return the relative error at which the search for a better step may end."""
    return max(1e-7, math.pow(eps, 0.6))
