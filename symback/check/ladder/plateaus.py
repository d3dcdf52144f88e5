"""Functions made of flat pieces: values rounded to some digits, or computed from an argument that was rounded."""

import math
from collections.abc import Iterator
from typing import NamedTuple

from symback.check.ladder.noise import Line

_NEAREST = 2.0**-46
_STRIDE = 4.0
_BISECTIONS = 50
_BEYOND = 1e-3, 2e-3, 5e-3


class Steps(NamedTuple):
    """Of a function made of flat pieces: how high the next jump is, and how far away."""

    height: float
    distance: float


def steps_of(line: Line, scale: float) -> Steps:
    """Return the steps of a function that is flat around 0 and flat again behind the next jump.

    Such a function has no slope that shows what it was before it was rounded, and the height is its noise. Where it
    bends instead, as a relu does that was at rest, it has none.

    Args:
        line: The function.
        scale: The size of the point along the line.

    Returns:
        The higher of the next jumps to both sides, of two as high the nearer; of height 0 for a function that is
        not flat around 0, or has no jump within reach.

    Example:
        >>> steps_of(lambda t: round(t, 2), 1.0).height
        0.01
        >>> steps_of(lambda t: max(t, 0.1), 1.0).height
        0.0
    """
    jumps = [jump for side in (1.0, -1.0) for jump in _jumps(line, side * scale)]
    return max(jumps, key=lambda jump: (jump.height, -jump.distance), default=Steps(0.0, 0.0))


def _jumps(line: Line, scale: float) -> Iterator[Steps]:
    """Yield the first jump to one side, if there is one."""
    here, near, far = float(line(0.0)), 0.0, _NEAREST * scale
    while float(line(far)) == here:
        near, far = far, _STRIDE * far
        if abs(far) > abs(scale):
            return
    if near == 0 or not math.isfinite(float(line(far))):
        return
    for _ in range(_BISECTIONS):
        middle = (near + far) / 2
        near, far = (middle, far) if float(line(middle)) == here else (near, middle)
    there = float(line(far))
    if all(float(line(far * (1 + part))) == there for part in _BEYOND):
        yield Steps(abs(there - here), abs(far))
