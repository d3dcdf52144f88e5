"""Walks over expression DAGs.

One iterative topological walk; everything else folds over it. Nothing here recurses, so the depth
of a graph is bounded by memory alone. A graph is anything whose vertices have ``operands``.
"""

import gc
from collections.abc import Callable, Container, Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol, Self, TypeVar


class Vertex(Hashable, Protocol):
    """What a walk needs of a node."""

    @property
    def operands(self) -> tuple[Self, ...]:
        """The nodes this node is computed from, in order."""


class Remade(Vertex, Protocol):
    """What replacing needs of a node."""

    def with_operands(self, operands: Any) -> Any:
        """Return the same on other operands."""


V = TypeVar("V", bound=Vertex)
R = TypeVar("R", bound=Remade)


def toposort(roots: Iterable[V], stops: Container[V] = ()) -> list[V]:
    """Return every node reachable from `roots` once, operands before their users.

    The walk does not look below the nodes in `stops`. The order is that of a depth-first walk from
    left to right, so it depends on the graph alone.
    """
    order: list[V] = []
    opened: set[V] = set()
    placed: set[V] = set()
    stack = list(roots)[::-1]
    while stack:
        node = stack[-1]
        if node not in opened:
            opened.add(node)
            if node not in stops:
                for operand in node.operands[::-1]:
                    if operand not in opened:
                        stack.append(operand)
        else:
            stack.pop()
            if node not in placed:
                placed.add(node)
                order.append(node)
    return order


def rebuild(
    roots: Iterable[V], replace: Callable[[V, tuple[V, ...]], V], given: dict[V, V] | None = None
) -> dict[V, V]:
    """Map every node to its replacement, operands first.

    `replace` gets a node and its new operands. Nodes in `given` are replaced outright and what only
    they need is not visited.
    """
    new: dict[V, V] = dict(given or {})
    for node in toposort(roots, stops=new):
        if node not in new:
            new[node] = replace(node, tuple(new[operand] for operand in node.operands))
    return new


def replaced(roots: Iterable[R], given: Mapping[R, R]) -> dict[R, R]:
    """Map every node to the same with other nodes in the place of those in `given`; each is made by its own class."""
    return rebuild(roots, lambda node, operands: node.with_operands(operands), dict(given))


def dependents(roots: Iterable[V], sources: Iterable[V]) -> set[V]:
    """Return the nodes reachable from `roots` that depend on one of `sources`, these included."""
    found = set(sources)
    for node in toposort(roots):
        if node not in found and any(operand in found for operand in node.operands):
            found.add(node)
    return found


def count_uses(roots: Iterable[V]) -> dict[V, int]:
    """Count how often each node is an operand, plus once for each time it is a root."""
    roots = list(roots)
    uses: dict[V, int] = dict.fromkeys(toposort(roots), 0)
    for root in roots:
        uses[root] += 1
    for node in uses:
        for operand in node.operands:
            uses[operand] += 1
    return uses


@contextmanager
def many_allocations() -> Iterator[None]:
    """Let a pass make many nodes without a garbage collection at every few hundred of them."""
    thresholds: tuple[Any, ...] = gc.get_threshold()
    if thresholds[0] == 0:
        yield
        return
    gc.set_threshold(max(thresholds[0], 50_000), *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
