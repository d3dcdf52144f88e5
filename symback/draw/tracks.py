"""Lines that run around boxes: down or along the gaps between rows and beside the halves, on tracks of their own.

An arrow from one half to the other, and one that passes many rows, leaves its box into the gap below, runs to a gutter,
along it, and into the gap before its end; out of the first or last box of a row it runs straight to the gutter. No box
stands there, so none is crossed. Arrows from one box share their tracks, as the lines of a bus do.
"""

from collections.abc import Mapping
from dataclasses import dataclass

LEFT, MIDDLE, RIGHT = range(3)
"""The gutters: left of the forward half, between the halves, right of the backward half."""

Key = tuple[int, int]
"""A gutter, or a gap between rows, and the box that the arrows on a track come from."""

_STEP = 7.0


@dataclass(frozen=True, slots=True)
class Detour:
    """The way of an arrow around boxes.

    Attributes:
        arrow: Which arrow.
        tail: Its first box.
        head: Its last box.
        gutter: Where it runs from row to row.
        leave: The gap that it leaves into, None if it leaves straight to the gutter.
        enter: The gap that it comes from, None if it comes straight from the gutter.
    """

    arrow: int
    tail: int
    head: int
    gutter: int
    leave: int | None
    enter: int | None


def tracks(intervals: Mapping[Key, tuple[float, float]]) -> dict[Key, int]:
    """Give each interval a track on which it overlaps no other: the first that is free, from left to right."""
    free: list[float] = []
    found: dict[Key, int] = {}
    for key, (start, end) in sorted(intervals.items(), key=lambda item: (item[1], item[0])):
        track = next((number for number, until in enumerate(free) if until < start), len(free))
        if track == len(free):
            free.append(end)
        free[track] = end
        found[key] = track
    return found


def spread(count: int) -> float:
    """Return how many pixels the tracks of a gap need."""
    return _STEP * count


def offset(track: int, count: int) -> float:
    """Return where a track lies from the middle of its gap."""
    return _STEP * (track - (count - 1) / 2)


def joined(intervals: list[tuple[Key, float, float]]) -> dict[Key, tuple[float, float]]:
    """Return for each key the interval that holds all of its own."""
    found: dict[Key, tuple[float, float]] = {}
    for key, one, other in intervals:
        low, high = min(one, other), max(one, other)
        if key in found:
            low, high = min(low, found[key][0]), max(high, found[key][1])
        found[key] = (low, high)
    return found
