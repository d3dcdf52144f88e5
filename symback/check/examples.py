"""Several examples of what a case is evaluated at, for a batch of them."""

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

import numpy as np

from symback.check.cases import Case
from symback.nodes.leaves import Variable, variable
from symback.nodes.node import Node


class Examples(NamedTuple):
    """A batch of examples.

    Attributes:
        wider: For each variable that differs the one with the axis of the examples in front.
        points: The values of all variables for each example.
        together: The values for the batch: those that differ stacked, the others as they are.
    """

    wider: dict[Node, Variable]
    points: list[dict[Node, Any]]
    together: dict[Node, Any]


def examples_of(case: Case, chosen: Collection[Variable], count: int = 3) -> Examples:
    """Return examples in which `chosen` variables differ: the entries of the case in other places, and smaller."""
    points = [{x: _other(case.point[x], k) if x in chosen else case.point[x] for x in case.variables} for k in range(3)]
    wider: dict[Node, Variable] = {x: variable(x.name, (count, *x.shape), x.dtype) for x in chosen}
    stacked = {wide: np.stack([point[x] for point in points])[:count] for x, wide in wider.items()}
    shared = {x: case.point[x] for x in case.variables if x not in chosen}
    return Examples(wider, points[:count], {**stacked, **shared})


def _other(value: Any, k: int) -> Any:
    moved = np.roll(np.ravel(value), k).reshape(np.shape(value))
    return (moved * (1 - 0.06 * k)).astype(value.dtype) if value.dtype.kind == "f" else moved


def subsets_of(case: Case) -> Iterator[tuple[Variable, ...]]:
    """Yield each variable alone, and all of them together."""
    yield from [(x,) for x in case.variables]
    if len(case.variables) > 1:
        yield case.variables
