"""The forward half and the backward half of a picture, each laid out by itself in the rows that both share."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count, pairwise

from symback.draw.order import Edge, ordered
from symback.draw.picture import Picture
from symback.draw.place import centres

_LONGEST_CURVE = 6
_BEND = 8.0


@dataclass(slots=True)
class Half:
    """The rows of one half.

    Attributes:
        rows: The vertices of each row, in order; those numbered past the boxes are where a line passes through.
        chains: For each arrow drawn as a curve its vertices, from the upper row to the lower.
        x: The middle of each vertex, the left end of the half at 0.
        width: Of the half.
        boxes: How many boxes the picture has.
    """

    rows: list[list[int]]
    boxes: int
    chains: dict[int, list[int]] = field(default_factory=dict)
    x: dict[int, float] = field(default_factory=dict)
    width: float = 0.0


def halves_of(picture: Picture, rows: Sequence[int], widths: Sequence[float]) -> tuple[Half, Half]:
    """Return the forward half and the backward half."""
    forward = _half(picture, rows, widths, {}, {})
    place = {vertex: number for row in forward.rows for number, vertex in enumerate(row)}
    beside = {number: place[box.beside] for number, box in enumerate(picture.boxes) if box.beside is not None}
    return forward, _half(picture, rows, widths, beside, forward.x, backward=True)


def _half(
    picture: Picture,
    rows: Sequence[int],
    widths: Sequence[float],
    beside: Mapping[int, int],
    taken: Collection[int],
    *,
    backward: bool = False,
) -> Half:
    """Lay out one half; adjoints begin in the order of their quantities, and no vertex gets a number that is taken."""
    half = Half([[] for _ in range(max(rows, default=-1) + 1)], len(widths))
    own = [number for number, box in enumerate(picture.boxes) if box.backward == backward]
    for number in sorted(own, key=lambda number: beside.get(number, len(widths))):
        half.rows[rows[number]].append(number)
    wide = {**dict.fromkeys(taken, _BEND), **dict(enumerate(widths))}
    edges = _edges(picture, rows, half, wide, backward)
    half.rows = ordered(half.rows, edges)
    half.x = centres(half.rows, edges, wide, {vertex for row in half.rows for vertex in row if vertex >= half.boxes})
    half.width = max((x + wide[vertex] / 2 for vertex, x in half.x.items()), default=0.0)
    return half


def _edges(picture: Picture, rows: Sequence[int], half: Half, wide: dict[int, float], backward: bool) -> list[Edge]:
    """Return edges between neighbouring rows; a line that passes through a row gets a vertex there."""
    edges: list[Edge] = []
    numbers = count(max(wide, default=-1) + 1)
    for arrow, (tail, head) in enumerate(picture.arrows):
        upper, lower = (head, tail) if backward else (tail, head)
        span = rows[lower] - rows[upper]
        if picture.boxes[tail].backward != backward or picture.crosses((tail, head)) or span > _LONGEST_CURVE:
            continue
        chain = [upper]
        for row in range(rows[upper] + 1, rows[lower]):
            chain.append(next(numbers))
            wide[chain[-1]] = _BEND
            half.rows[row].append(chain[-1])
        chain.append(lower)
        half.chains[arrow] = chain
        edges += pairwise(chain)
    return edges
