"""Lines as path data of SVG: curves through points, and right angles with round corners."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

Point = tuple[float, float]

_HEAD = 8.0
_RADIUS = 6.0
_SAME = 0.05


class Line(NamedTuple):
    """An arrow that is drawn: the path of its shaft, and that of its head."""

    shaft: str
    head: str


def number(value: float) -> str:
    """Write a coordinate with at most one decimal."""
    text = f"{value:.1f}"
    return text.removesuffix(".0") if text != "-0.0" else "0"


def _at(point: Point) -> str:
    return f"{number(point[0])} {number(point[1])}"


def curve(points: Sequence[Point]) -> Line:
    """Return a line that leaves and reaches each point vertically, with a head at the last one."""
    *others, tip = points
    sign = 1.0 if tip[1] >= others[0][1] else -1.0
    end = (tip[0], tip[1] - sign * _HEAD)
    path = f"M{_at(others[0])}"
    for (x0, y0), (x1, y1) in pairwise([*others, end]):
        middle = number((y0 + y1) / 2)
        bent = f"C{number(x0)} {middle} {number(x1)} {middle} {_at((x1, y1))}"
        path += bent if abs(x0 - x1) >= _SAME else f"V{number(y1)}"
    return Line(path, _head(tip, (0.0, sign)))


def angular(points: Sequence[Point]) -> Line:
    """Return a line of horizontal and vertical pieces with round corners, and a head at the last point."""
    kept = _corners(points)
    (x0, y0), (x1, y1) = kept[-2:]
    long = max(abs(x1 - x0), abs(y1 - y0)) or 1.0
    direction = (x1 - x0) / long, (y1 - y0) / long
    end = (x1 - direction[0] * _HEAD, y1 - direction[1] * _HEAD)
    path = f"M{_at(kept[0])}"
    for before, corner, after in zip(kept, kept[1:], [*kept[2:-1], end], strict=False):
        path += f"L{_at(_towards(corner, before))}Q{_at(corner)} {_at(_towards(corner, after))}"
    return Line(path + f"L{_at(end)}", _head(kept[-1], direction))


def _corners(points: Sequence[Point]) -> list[Point]:
    """Drop points that repeat or lie on a straight line."""
    kept: list[Point] = []
    for point in points:
        if kept and abs(point[0] - kept[-1][0]) + abs(point[1] - kept[-1][1]) < _SAME:
            continue
        if len(kept) > 1 and any(abs(kept[-2][k] - kept[-1][k]) + abs(kept[-1][k] - point[k]) < _SAME for k in (0, 1)):
            kept.pop()
        kept.append(point)
    return kept


def _towards(corner: Point, other: Point) -> Point:
    """Return the point where a round corner begins."""
    dx, dy = other[0] - corner[0], other[1] - corner[1]
    far = abs(dx) + abs(dy)
    share = min(_RADIUS, far / 2) / far if far else 0.0
    return corner[0] + dx * share, corner[1] + dy * share


def _head(tip: Point, direction: Point) -> str:
    """Return a triangle that points to `tip`."""
    (x, y), (dx, dy) = tip, direction
    back = (x - _HEAD * dx, y - _HEAD * dy)
    left = (back[0] - 0.42 * _HEAD * dy, back[1] + 0.42 * _HEAD * dx)
    right = (back[0] + 0.42 * _HEAD * dy, back[1] - 0.42 * _HEAD * dx)
    return f"M{_at(tip)}L{_at(left)}L{_at(right)}Z"
