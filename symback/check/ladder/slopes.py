"""Slopes in many digits: a step so short that it cannot be a bad one.

With 50 digits the step is 1e-20 and central differences have 30 digits. Where the slopes on both sides differ, a step
of 1e-40 in 120 digits and then one of 1e-100 in 300 tell a kink, where they keep differing, from a bend, where they
meet, and from a kink close by, where they meet beyond it. Where numbers of the point are as small or as large as that,
shorter steps decide: the shortest is less than the smallest float.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from symback.check.ladder.subject import Array

Sample = Callable[[Array, Array | None, int, int], tuple[Any, list[Any]]]
"""From a direction, a distance from the point or None, the digits and the exponent k of a step 10^-k to that step and
the values at -2, -1, 0, 1 and 2 steps."""

_STAGES = ((50, 20), (120, 40), (300, 100))
_DEEP = (1100, 345), (1300, 365)
_SMALL = 1e-12
_SETTLED = 1e-9
_NOTHING = 1e-47
_ALIKE = 1e-12
_FALLS = 1e-5
_UNITS = 100


class Slopes(NamedTuple):
    """The derivatives of a function from both sides; they are the same where it has one.

    Attributes:
        left: The slope behind the point.
        right: The slope ahead of it.
        error: How far they may be off; infinite where they are not known.
        note: What is to be said of the point: that it is at a kink, a jump, the end of a domain.
    """

    left: Any
    right: Any
    error: Any
    note: str = ""

    def nearest(self, value: Any) -> Any:
        """Return the value, if it is between the slopes, or else the slope that is nearest to it."""
        low, high = min(self.left, self.right), max(self.left, self.right)
        return low if value < low else high if value > high else value


class _Stage(NamedTuple):
    """Slopes by one step.

    Attributes:
        left: The slope behind the point, not using its value.
        right: The slope ahead.
        value: The slope across it.
        bend: How much the slopes differ, among themselves and with the value at the point.
        rounding: What rounding may do to them.
    """

    left: Any
    right: Any
    value: Any
    bend: Any
    jump: Any
    rounding: Any


class Lines:
    """A function along lines through a point, in as many digits as it takes."""

    def __init__(self, sample: Sample, point: Array) -> None:
        """Take what samples it, and the point."""
        self._sample = sample
        self._point = point

    def along(self, direction: Array, size: float, beside: Array | None = None) -> Slopes:
        """Return the slopes along a direction.

        Args:
            direction: How far each entry moves.
            size: The size of the derivative that is claimed: smaller differences do not matter.
            beside: How far from the point, if not at it.
        """
        before: _Stage | None = None
        numbers = np.abs(self._point[direction != 0])
        deep = bool(np.any((numbers > 0) & (numbers < _SMALL)))  # a kink may be as far away as that
        stages = (*_STAGES, *_DEEP) if deep else _STAGES
        for digits, exponent in stages:
            stage = self._stage(direction, beside, digits, exponent)
            last = exponent == stages[-1][1]
            found = _smooth(before, stage, size, last=last)
            if found is None and before is not None and (last or not deep):
                found = _rough(before, stage, last=last)
            if found is not None:
                return found
            before = stage
        return Slopes(np.nan, np.nan, np.inf, "the slopes do not settle at any step")

    def _stage(self, direction: Array, beside: Array | None, digits: int, exponent: int) -> _Stage:
        step, values = self._sample(direction, beside, digits, exponent)
        far_behind, behind, here, ahead, far_ahead = values
        left, right = (behind - far_behind) / step, (far_ahead - ahead) / step
        value, wide = (ahead - behind) / (2 * step), (far_ahead - far_behind) / (4 * step)
        jump = abs(ahead + behind - 2 * here) / step
        finite = [abs(v) for v in (far_behind, behind, ahead, far_ahead) if _is_finite(v)]
        rounding = _UNITS * step**0 / 10**digits * max(finite, default=0) / step
        return _Stage(left, right, value, max(abs(right - left), abs(value - wide)), jump, rounding)


def _smooth(before: _Stage | None, stage: _Stage, size: float, *, last: bool) -> Slopes | None:
    """Return the slope, if one step or two of them show that there is one."""
    if not _is_finite(stage.bend):
        return None
    largest = max(size, abs(stage.value))
    if max(stage.bend, stage.jump, stage.rounding) <= _ALIKE * largest:
        return Slopes(stage.value, stage.value, stage.bend + stage.rounding)
    if before is None or not _is_finite(before.bend) or not _fell(before, stage):
        return None
    error = stage.bend + stage.jump + stage.rounding
    return Slopes(stage.value, stage.value, error) if last or error <= max(_SETTLED * largest, _NOTHING) else None


def _rough(before: _Stage, stage: _Stage, *, last: bool) -> Slopes | None:
    """Return the slopes at a kink, at the end of a domain, or where they are infinite."""
    sides = [abs(slope) for slope in (stage.left, stage.right) if _is_finite(slope)]
    if not last and stage.rounding > max(_SETTLED * max(sides, default=0), _NOTHING):
        return None
    left, right = (_settled(getattr(before, side), getattr(stage, side), stage) for side in ("left", "right"))
    if last and not left and not right and (infinite := _infinite(before, stage)) is not None:
        return infinite
    if left and right:
        note = "a kink" if stage.jump <= 10 * (stage.bend + stage.rounding) else "a jump"
        return Slopes(stage.left, stage.right, stage.rounding + abs(stage.right) * _ALIKE, f"at {note}")
    if left or right:
        slope, far = (stage.left, before.left) if left else (stage.right, before.right)
        error = stage.rounding + max(abs(slope) * _ALIKE, min(abs(slope), abs(slope - far)))
        return Slopes(slope, slope, error, "on one side of the point only")
    return None


def _infinite(before: _Stage, stage: _Stage) -> Slopes | None:
    """Return infinite slopes, where slopes grow without bound as the step falls."""
    grown = {
        side: float("inf") * (1 if now > 0 else -1)
        for side in ("left", "right")
        if _is_finite(now := getattr(stage, side)) and abs(now) * _FALLS > abs(getattr(before, side))
    }
    if not grown:
        return None
    left = grown.get("left", grown.get("right"))
    return Slopes(left, grown.get("right", left), 0.0, "the slope is infinite")


def _is_finite(value: Any) -> bool:
    return bool(np.isfinite(float(value)))


def _fell(before: _Stage, stage: _Stage) -> bool:
    """Do the differences between the slopes fall with the step, as they do where there is a derivative?"""
    noise = 10 * (before.rounding + stage.rounding)
    return all(now <= _FALLS * then + noise for now, then in ((stage.bend, before.bend), (stage.jump, before.jump)))


def _settled(before: Any, now: Any, stage: _Stage) -> bool:
    """Is a slope from one side the same at two steps?"""
    if not (_is_finite(before) and _is_finite(now)):
        return False
    fell = abs(now) <= _FALLS * abs(before)  # as that of x**1.5, which is 0 at 0
    return bool(fell or abs(now - before) <= _SETTLED * max(abs(now), abs(before)) + 10 * stage.rounding)
