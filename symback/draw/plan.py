"""The coordinates of one picture: of boxes, rows, gaps between rows, gutters beside the halves, and tracks in them."""

from collections.abc import Sequence

from symback.draw.halves import Half, halves_of
from symback.draw.picture import Picture
from symback.draw.rows import rows_of
from symback.draw.tracks import LEFT, MIDDLE, RIGHT, Detour, Key, joined, offset, spread, tracks

_ROW_GAP = 36.0
_GUTTER = 32.0


class Plan:
    """Coordinates, in pixels from the upper left corner.

    Attributes:
        rows: The row of each box.
        halves: The forward and the backward half.
        detours: The arrows that run around boxes.
        x: The middle of each box and of each vertex that a line passes through.
        ends: Where each half begins and ends, from left to right.
        middle: The middle of each row.
        reach: How far each row reaches up and down from its middle.
        gutter_x: For (gutter, tail) where the arrows from that box run.
        gap_y: For (gap, tail) the same in a gap between rows.
        width: Of the whole.
        height: Of the whole.
    """

    def __init__(self, picture: Picture, sizes: Sequence[tuple[float, float]]) -> None:
        self.picture, self.sizes = picture, sizes
        self.rows = rows_of(picture)
        self.halves = halves_of(picture, self.rows, [width for width, _ in sizes])
        arrows = enumerate(picture.arrows)
        self.detours = [self._detour(number, *arrow) for number, arrow in arrows if not self.chain(number)]
        self._rank = self._ranks()
        self._across()
        self._down()

    def half(self, box: int) -> Half:
        """Return the half that a box stands in."""
        return self.halves[self.picture.boxes[box].backward]

    def chain(self, arrow: int) -> list[int] | None:
        """Return the vertices of an arrow that is drawn as a curve."""
        return self.half(self.picture.arrows[arrow][0]).chains.get(arrow)

    def side(self, box: int, gutter: int) -> int:
        """Return on which side of a box a gutter is: -1 for left, 1 for right."""
        return -1 if gutter == LEFT or (gutter == MIDDLE and self.picture.boxes[box].backward) else 1

    def _detour(self, number: int, tail: int, head: int) -> Detour:
        """Decide how an arrow runs around boxes."""
        backward = self.picture.boxes[tail].backward
        across = self.picture.crosses((tail, head))
        gutter = MIDDLE if across else RIGHT if backward else LEFT
        up = backward and not across
        leave = self.rows[tail] + (not up)
        enter = self.rows[head] + up
        return Detour(
            number, tail, head, gutter,
            None if self._is_outermost(tail, gutter) else leave,
            None if self._is_outermost(head, gutter) else enter,
        )  # fmt: skip

    def _is_outermost(self, box: int, gutter: int) -> bool:
        """Is no other box of its row between this one and the gutter?"""
        row = [vertex for vertex in self.half(box).rows[self.rows[box]] if vertex < len(self.sizes)]
        return row[0 if self.side(box, gutter) < 0 else -1] == box

    def _ranks(self) -> dict[int, tuple[int, int]]:
        """Return for each detour which of the arrows that reach its box on that side it is, and of how many."""
        groups: dict[Key, list[int]] = {}
        for detour in sorted(self.detours, key=lambda detour: (self.rows[detour.tail], detour.tail)):
            groups.setdefault((detour.head, detour.gutter), []).append(detour.arrow)
        return {arrow: (place, len(group)) for group in groups.values() for place, arrow in enumerate(group)}

    # -- from left to right --------------------------------------------------------------------

    def _across(self) -> None:
        intervals: list[tuple[Key, float, float]] = []
        for detour in self.detours:
            start = 2 * self.rows[detour.tail] + 1 if detour.leave is None else 2 * detour.leave
            end = 2 * self.rows[detour.head] + 1 if detour.enter is None else 2 * detour.enter
            intervals.append(((detour.gutter, detour.tail), float(start), float(end)))
        spans = joined(intervals)
        found = [tracks({key: span for key, span in spans.items() if key[0] == gutter}) for gutter in range(3)]
        counts = [max(given.values(), default=-1) + 1 for given in found]
        wide = [_GUTTER + spread(count) if count else 0.0 for count in counts]
        if self.picture.has_backward:
            wide[MIDDLE] = max(wide[MIDDLE], _GUTTER)
        forward, backward = self.halves
        middle = wide[LEFT] + forward.width
        right = middle + wide[MIDDLE] + backward.width
        self.ends = (wide[LEFT], middle), (middle + wide[MIDDLE], right)
        starts = (0.0, middle, right)
        self.gutter_x = {
            key: starts[gutter] + wide[gutter] / 2 + offset(track, counts[gutter])
            for gutter in range(3)
            for key, track in found[gutter].items()
        }
        self.width = right + wide[RIGHT]
        pairs = zip(self.halves, self.ends, strict=True)
        self.x = {vertex: x + start for half, (start, _) in pairs for vertex, x in half.x.items()}

    def leave_y(self, detour: Detour) -> float:
        """Return where the arrows from a box leave it to the side: straight to a box of the row, else off its middle.

        The middle is where arrows from elsewhere run to boxes of the row.
        """
        row = self.rows[detour.tail]
        own = [other for other in self.detours if (other.tail, other.gutter) == (detour.tail, detour.gutter)]
        straight = [other for other in own if other.enter is None and self.rows[other.head] == row]
        if straight:
            return self.enter_y(straight[0])
        below = max(self.rows[other.head] for other in own) > row
        return self.middle[row] + (0.3 if below else -0.3) * self.sizes[detour.tail][1]

    def leave_x(self, detour: Detour) -> float:
        """Return where an arrow leaves its box into a gap."""
        return self.x[detour.tail] + self.side(detour.tail, detour.gutter) * 0.3 * self.sizes[detour.tail][0]

    def enter_x(self, detour: Detour) -> float:
        """Return where an arrow reaches its box from a gap."""
        place, count = self._rank[detour.arrow]
        reach = 0.4 - 0.25 * place / max(count, 3)
        return self.x[detour.head] + self.side(detour.head, detour.gutter) * reach * self.sizes[detour.head][0]

    def enter_y(self, detour: Detour) -> float:
        """Return where an arrow reaches its box from the side."""
        place, count = self._rank[detour.arrow]
        height = self.sizes[detour.head][1]
        return self.middle[self.rows[detour.head]] + height * 0.8 * ((place + 1) / (count + 1) - 0.5)

    # -- from top to bottom --------------------------------------------------------------------

    def _down(self) -> None:
        count = len(self.halves[0].rows)
        gaps: list[list[tuple[Key, float, float]]] = [[] for _ in range(count + 1)]
        for detour in self.detours:
            x = self.gutter_x[detour.gutter, detour.tail]
            if detour.leave is not None:
                gaps[detour.leave].append(((detour.leave, detour.tail), self.leave_x(detour), x))
            if detour.enter is not None:
                gaps[detour.enter].append(((detour.enter, detour.tail), x, self.enter_x(detour)))
        self.reach = [0.0] * count
        for box, row in enumerate(self.rows):
            self.reach[row] = max(self.reach[row], self.sizes[box][1] / 2)
        self.middle: list[float] = []
        self.gap_y: dict[Key, float] = {}
        y = 0.0
        for gap, intervals in enumerate(gaps):
            found = tracks(joined(intervals))
            used = max(found.values(), default=-1) + 1
            height = spread(used) + (_ROW_GAP if 0 < gap < count else 14.0 * bool(used))
            self.gap_y |= {key: y + height / 2 + offset(track, used) for key, track in found.items()}
            y += height
            if gap < count:
                self.middle.append(y + self.reach[gap])
                y += 2 * self.reach[gap]
        self.height = y
