"""Places for boxes and ways for arrows: a layered drawing, with the backward half beside the forward half."""

from collections.abc import Sequence
from dataclasses import dataclass

from symback.draw.lines import Line, Point, angular, curve
from symback.draw.picture import Picture
from symback.draw.plan import Plan
from symback.draw.tracks import Detour

_PORT = 16.0


@dataclass(frozen=True, slots=True)
class Layout:
    """A picture with places.

    Attributes:
        centres: The middle of each box.
        lines: One for each arrow.
        width: Of the whole.
        height: Of the whole.
        ends: Where the forward half and the backward half begin and end, from left to right.
    """

    centres: tuple[Point, ...]
    lines: tuple[Line, ...]
    width: float
    height: float
    ends: tuple[tuple[float, float], tuple[float, float]]


def laid_out(picture: Picture, sizes: Sequence[tuple[float, float]]) -> Layout:
    """Place boxes of given widths and heights."""
    plan = Plan(picture, sizes)
    lines = _curves(plan) | {detour.arrow: angular(_around(plan, detour)) for detour in plan.detours}
    middles = tuple((plan.x[box], plan.middle[row]) for box, row in enumerate(plan.rows))
    return Layout(middles, tuple(lines[arrow] for arrow in sorted(lines)), plan.width, plan.height, plan.ends)


def _curves(plan: Plan) -> dict[int, Line]:
    """Draw the arrows that stay within their half."""
    ports = _ports(plan)
    found = {}
    for half, backward in zip(plan.halves, (False, True), strict=True):
        for arrow, (upper, *bends, lower) in half.chains.items():
            points = [
                (ports[arrow, upper], _edge(plan, upper, 1)),
                (ports[arrow, upper], plan.middle[plan.rows[upper]] + plan.reach[plan.rows[upper]]),
            ]
            for row, bend in enumerate(bends, plan.rows[upper] + 1):
                points += [(plan.x[bend], plan.middle[row] + sign * plan.reach[row]) for sign in (-1, 1)]
            points += [
                (ports[arrow, lower], plan.middle[plan.rows[lower]] - plan.reach[plan.rows[lower]]),
                (ports[arrow, lower], _edge(plan, lower, -1)),
            ]
            found[arrow] = curve(points[::-1] if backward else points)
    return found


def _edge(plan: Plan, box: int, sign: int) -> float:
    """Return the upper (-1) or lower (1) edge of a box."""
    return plan.middle[plan.rows[box]] + sign * plan.sizes[box][1] / 2


def _ports(plan: Plan) -> dict[tuple[int, int], float]:
    """Return where each curve meets its two boxes: side by side, in the order of where they come from."""
    near: dict[tuple[int, int], list[tuple[float, int]]] = {}
    for half in plan.halves:
        for arrow, chain in half.chains.items():
            near.setdefault((chain[0], 1), []).append((plan.x[chain[1]], arrow))
            near.setdefault((chain[-1], -1), []).append((plan.x[chain[-2]], arrow))
    found = {}
    for (box, _), others in near.items():
        step = min(_PORT, 0.5 * plan.sizes[box][0] / len(others))
        for place, (_, arrow) in enumerate(sorted(others)):
            found[arrow, box] = plan.x[box] + step * (place - (len(others) - 1) / 2)
    return found


def _around(plan: Plan, detour: Detour) -> list[Point]:
    """Return the corners of an arrow that runs around boxes."""
    tail, head, key = detour.tail, detour.head, (detour.gutter, detour.tail)
    x = plan.gutter_x[key]
    if detour.leave is None:
        y = plan.leave_y(detour)
        start = [(plan.x[tail] + plan.side(tail, detour.gutter) * plan.sizes[tail][0] / 2, y), (x, y)]
    else:
        out, gap = plan.leave_x(detour), plan.gap_y[detour.leave, tail]
        start = [(out, _edge(plan, tail, 1 if detour.leave > plan.rows[tail] else -1)), (out, gap), (x, gap)]
    if detour.enter is None:
        y = plan.enter_y(detour)
        return [*start, (x, y), (plan.x[head] + plan.side(head, detour.gutter) * plan.sizes[head][0] / 2, y)]
    into, gap = plan.enter_x(detour), plan.gap_y[detour.enter, tail]
    return [*start, (x, gap), (into, gap), (into, _edge(plan, head, 1 if detour.enter > plan.rows[head] else -1))]
