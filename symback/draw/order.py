"""The order of boxes within rows: few crossings, by barycentres (Sugiyama, Tagawa and Toda 1981)."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

Edge = tuple[int, int]
"""Two vertices in neighbouring rows, the upper one first."""

_SWEEPS = 12


def ordered(rows: Sequence[Sequence[int]], edges: Iterable[Edge]) -> list[list[int]]:
    """Return the vertices of each row in an order with few crossings.

    Args:
        rows: The vertices of each row, in the order to begin with.
        edges: Between neighbouring rows.
    """
    up: dict[int, list[int]] = {vertex: [] for row in rows for vertex in row}
    down: dict[int, list[int]] = {vertex: [] for row in rows for vertex in row}
    for upper, lower in edges:
        up[lower].append(upper)
        down[upper].append(lower)
    current = [list(row) for row in rows]
    best, fewest = [list(row) for row in current], _crossings(current, down)
    for sweep in range(_SWEEPS):
        if not fewest:
            break
        neighbours, sequence = (up, current[1:]) if sweep % 2 == 0 else (down, current[-2::-1])
        _sweep(current, sequence, neighbours)
        found = _crossings(current, down)
        if found < fewest:
            best, fewest = [list(row) for row in current], found
    return best


def _sweep(rows: Sequence[list[int]], sequence: Iterable[list[int]], neighbours: dict[int, list[int]]) -> None:
    """Sort row after row by the mean place of the neighbours; what has none keeps its place."""
    place = {vertex: float(number) for row in rows for number, vertex in enumerate(row)}
    for row in sequence:
        centre = {}
        for vertex in row:
            near = neighbours[vertex]
            centre[vertex] = sum(place[other] for other in near) / len(near) if near else place[vertex]
        row.sort(key=centre.__getitem__)
        place.update((vertex, float(number)) for number, vertex in enumerate(row))


def _crossings(rows: Sequence[Sequence[int]], down: dict[int, list[int]]) -> int:
    """Count the crossings of edges, by a tree of sums over the lower row."""
    total = 0
    for upper, lower in pairwise(rows):
        place = {vertex: number for number, vertex in enumerate(lower)}
        ends = [end for vertex in upper for end in sorted(place[other] for other in down[vertex])]
        sums = [0] * (len(lower) + 1)
        for seen, end in enumerate(ends):
            total += seen - _sum_to(sums, end + 1)
            _count(sums, end + 1)
    return total


def _sum_to(sums: Sequence[int], place: int) -> int:
    total = 0
    while place:
        total += sums[place]
        place &= place - 1
    return total


def _count(sums: list[int], place: int) -> None:
    while place < len(sums):
        sums[place] += 1
        place += place & -place
