"""Where boxes stand within their rows: as near to the middle of their neighbours as the row allows."""

from collections.abc import Iterable, Mapping, Sequence

from symback.draw.order import Edge

Near = dict[int, tuple[list[tuple[int, float]], list[tuple[int, float]]]]
"""The neighbours of each vertex above and below, with weights."""

_SWEEPS = 16
GAP = 22.0
"""Between two boxes of a row, in pixels."""


def centres(
    rows: Sequence[Sequence[int]], edges: Iterable[Edge], widths: Mapping[int, float], bends: set[int]
) -> dict[int, float]:
    """Return the middle of each vertex, from 0 at the left end.

    Args:
        rows: The vertices of each row, in order.
        edges: Between neighbouring rows.
        widths: Of each vertex.
        bends: The vertices that stand for a line that passes through a row: lines are kept straight.
    """
    near: Near = {vertex: ([], []) for row in rows for vertex in row}
    for upper, lower in edges:
        weight = 1.0 + 3.0 * (upper in bends) + 3.0 * (lower in bends)
        near[lower][0].append((upper, weight))
        near[upper][1].append((lower, weight))
    x: dict[int, float] = {}
    for row in rows:
        _settle(row, dict.fromkeys(row, 0.0), dict.fromkeys(row, 1.0), widths, x)
    for sweep in range(_SWEEPS):
        for row in rows if sweep % 2 == 0 else rows[::-1]:
            wanted, weights = _wanted(row, near, x, 2 if sweep >= _SWEEPS - 4 else sweep % 2)
            _settle(row, wanted, weights, widths, x)
    left = min((x[v] - widths[v] / 2 for v in x), default=0.0)
    return {vertex: middle - left for vertex, middle in x.items()}


def _wanted(
    row: Sequence[int],
    near: Near,
    x: Mapping[int, float],
    side: int,
) -> tuple[dict[int, float], dict[int, float]]:
    """Return where each vertex would stand by its neighbours above (0), below (1) or both (2), and with what weight."""
    wanted, weights = {}, {}
    for vertex in row:
        pairs = near[vertex][side] if side < 2 else near[vertex][0] + near[vertex][1]
        total = sum(weight for _, weight in pairs)
        wanted[vertex] = sum(x[other] * weight for other, weight in pairs) / total if pairs else x[vertex]
        weights[vertex] = total if pairs else 0.05
    return wanted, weights


def _settle(
    row: Sequence[int],
    wanted: Mapping[int, float],
    weights: Mapping[int, float],
    widths: Mapping[int, float],
    x: dict[int, float],
) -> None:
    """Place a row nearest to what is wanted in the sense of least squares, in order and without overlap.

    With the widths taken off this is isotonic regression, solved by pooling neighbours that are out of order.
    """
    offsets, offset, before = [], 0.0, 0.0
    for number, vertex in enumerate(row):
        offset += (before + widths[vertex]) / 2 + GAP if number else 0.0
        offsets.append(offset)
        before = widths[vertex]
    pools: list[tuple[float, float, int]] = []
    for vertex, shift in zip(row, offsets, strict=True):
        mean, weight, size = wanted[vertex] - shift, weights[vertex], 1
        while pools and pools[-1][0] > mean:
            other, heavier, more = pools.pop()
            mean = (mean * weight + other * heavier) / (weight + heavier)
            weight, size = weight + heavier, size + more
        pools.append((mean, weight, size))
    means = [mean for mean, _, size in pools for _ in range(size)]
    x.update((vertex, mean + shift) for vertex, mean, shift in zip(row, means, offsets, strict=True))
