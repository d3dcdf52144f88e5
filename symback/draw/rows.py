"""Which row each box stands in: the forward pass runs down, the backward pass up, adjoints beside their quantities."""

from collections.abc import Sequence

from symback.draw.picture import Picture


def rows_of(picture: Picture) -> list[int]:
    """Return the row of each box, from 0 at the top.

    An operand stands above its users in the forward half, below them in the backward half; an adjoint stands in the row
    of its quantity, wherever that leaves an order at all. Rows are those of the longest path; then boxes move down
    towards their users, so that weights stand at their layer.
    """
    count = len(picture.boxes)
    leader = _leaders(picture)
    while True:
        above = _above(picture, leader)
        order = _ordered(above, leader)
        if len(order) == len(set(leader)):
            break
        placed = set(order)
        stuck = [box for box in range(count) if leader[box] != box and leader[box] not in placed]
        for box in stuck:
            leader[box] = box
    rows = _longest(above, order, count)
    return [rows[leader[box]] for box in range(count)]


def _leaders(picture: Picture) -> list[int]:
    """Return for each box the one whose row it takes: an adjoint that of its quantity, if no other adjoint has it."""
    leader = list(range(len(picture.boxes)))
    taken: set[int] = set()
    for number, box in enumerate(picture.boxes):
        if box.beside is not None and box.beside not in taken:
            taken.add(box.beside)
            leader[number] = box.beside
    return leader


def _above(picture: Picture, leader: Sequence[int]) -> dict[int, list[int]]:
    """Return for each leader those that must stand above it."""
    above: dict[int, list[int]] = {leader[box]: [] for box in range(len(picture.boxes))}
    for tail, head in picture.arrows:
        if not picture.crosses((tail, head)):
            upper, lower = (head, tail) if picture.boxes[tail].backward else (tail, head)
            above[leader[lower]].append(leader[upper])
    return {box: list(dict.fromkeys(others)) for box, others in above.items()}


def _ordered(above: dict[int, list[int]], leader: Sequence[int]) -> list[int]:
    """Return leaders from the top down; those on a cycle, and what hangs below it, are missing."""
    below: dict[int, list[int]] = {box: [] for box in above}
    waiting = {box: len(others) for box, others in above.items()}
    for box, others in above.items():
        for other in others:
            below[other].append(box)
    order = [box for box in sorted(above) if not waiting[box]]
    for box in order:
        for other in below[box]:
            waiting[other] -= 1
            if not waiting[other]:
                order.append(other)
    return order


def _longest(above: dict[int, list[int]], order: Sequence[int], count: int) -> list[int]:
    """Return rows by the longest path, boxes then moved down where no arrow gets longer in sum."""
    rows = [0] * count
    below: dict[int, list[int]] = {box: [] for box in above}
    for box in order:
        rows[box] = max((rows[other] + 1 for other in above[box]), default=0)
        for other in above[box]:
            below[other].append(box)
    for box in reversed(order):
        if below[box] and len(below[box]) >= len(above[box]):
            rows[box] = min(rows[other] for other in below[box]) - 1
    first = min((rows[box] for box in order), default=0)
    return [row - first for row in rows]
