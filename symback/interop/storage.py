"""The memory behind traced arrays: what an array holds now, which arrays share it, and what was written.

An array that code writes to is a sequence of expressions. Entries written at integer places are kept one by one, so
that a loop which fills an array gives a stack of its values; any other write is `set_at`. Arrays that may share memory
with one that was written to (NumPy decides by memory layout) are stale: using one is an error.
"""

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from symback.errors import tracing as messages
from symback.interop.indices import has_node
from symback.nodes.leaves import as_node
from symback.nodes.node import METHODS, Node

Value: TypeAlias = np.ndarray[Any, Any] | Node
Name: TypeAlias = Callable[[str, Node], Node]

_FEW = 2
"""Rows that were not written are put into a stack as constants up to this many for each row that was."""


class Family:
    """Storages that may share memory."""

    __slots__ = ("argument", "stamp")

    def __init__(self, *, argument: bool = False) -> None:
        self.argument = argument
        self.stamp = 0


class Storage:
    """What an array holds now: a NumPy array as long as all is known, else an expression.

    Attributes:
        value: The contents, but for what is in `cells`.
        cells: Values written at integer places of the first axes, by place.
        version: Counts the writes.
        label: The name of the local variable that holds the array.
        origin: The function that gave the array, for messages.
        read_only: Whether NumPy makes such an array read-only.
    """

    __slots__ = ("cells", "family", "label", "name", "origin", "read_only", "seen", "value", "version")

    def __init__(self, value: Value, name: Name, family: Family | None = None, origin: str = "") -> None:
        self.value = value
        self.name = name
        self.family = Family() if family is None else family
        self.seen = self.family.stamp
        self.cells: dict[tuple[int, ...], Node] = {}
        self.version = 0
        self.label = ""
        self.origin = origin
        self.read_only = origin in READ_ONLY

    # -- reading ------------------------------------------------------------------------------

    def check(self, what: str) -> None:
        """Refuse to use an array of which it is not known whether a write to another changed it."""
        if self.seen != self.family.stamp:
            raise messages.stale(what, self.origin or "a view")

    def whole(self) -> Value:
        """Return all contents, with what was written entry by entry."""
        if self.cells:
            self.value, self.cells = self._joined(), {}
        return self.value

    def read(self) -> Value:
        """Return all contents under the name of their local variable."""
        value = self.whole()
        if self.label and isinstance(value, Node):
            self.value = value = self.name(self.label, value)
        return value

    def cell(self, index: Any) -> tuple[Node, tuple[Any, ...]] | None:
        """Return the value written at the first integers of an index, and what is left of the index."""
        if not self.cells:
            return None
        depth = len(next(iter(self.cells)))
        items = index if isinstance(index, tuple) else (index,)
        place = place_of(items[:depth], self.value.shape)
        found = self.cells.get(place) if place is not None and len(place) == depth else None
        return None if found is None else (found, items[depth:])

    def part(self, path: tuple[Any, ...]) -> Value:
        """Return what a view sees: the contents, indexed again and again."""
        value: Value | None
        found = self.cell(path[0])
        if found is not None:
            value = found[0]
            path = ((found[1],) if found[1] else ()) + path[1:]
        else:
            value = self._unwritten(path[0])
        value = self.read() if value is None else value
        for index in path:
            value = taken(value, index)
        return value

    def _unwritten(self, index: Any) -> Value | None:
        """Return the contents without what was written entry by entry, if the index takes nothing of that."""
        items = index if isinstance(index, tuple) else (index,)
        if not self.cells:
            return None
        depth = len(next(iter(self.cells)))
        place = place_of(items[:depth], self.value.shape)
        return self.value if place is not None and len(place) == depth and place not in self.cells else None

    def _joined(self) -> Value:
        """Put the entries written one by one into the array: a stack if they are most of it."""
        depth = len(next(iter(self.cells)))
        outer: Any = self.value.shape[:depth]
        if math.prod(outer) <= _FEW * len(self.cells):
            rows = [self.cells.get(place, None) for place in np.ndindex(*outer)]
            if isinstance(self.value, np.ndarray) or None not in rows:
                places = np.ndindex(*outer)
                known = [
                    to_node(self.value[place]) if row is None else row for place, row in zip(places, rows, strict=True)
                ]
                stacked: Node = METHODS["stack"](known)
                whole: Node = stacked if depth == 1 else METHODS["reshape"](stacked, self.value.shape)
                return whole
        node = to_node(self.value)
        for place, cell in self.cells.items():
            node = METHODS["set_at"](node, place, cell)
        return node

    # -- writing ------------------------------------------------------------------------------

    def write(self, what: str, path: tuple[Any, ...], value: Value) -> None:
        """Replace what a view sees, by a value of its shape and dtype."""
        self.check(what)
        if self.read_only:
            raise messages.read_only(what, self.origin)
        if self.family.argument:
            raise messages.written_argument(what)
        self._replace(path, value)
        self.version += 1
        self.family.stamp += 1
        self.seen = self.family.stamp

    def _replace(self, path: tuple[Any, ...], value: Value) -> None:
        if not path:
            self.value, self.cells = value, {}
        elif len(path) > 1:
            self._replace(path[:1], _written(self.part(path[:1]), path[1:], value))
        elif self.cells or isinstance(value, Node) or isinstance(self.value, Node):
            self._enter(path[0], value)
        else:
            self.value = _written(self.value, path, value)

    def _enter(self, index: Any, value: Value) -> None:
        """Keep a value for the place of integers, or within what is kept there; write any other index at once."""
        found = self.cell(index)
        items = index if isinstance(index, tuple) else (index,)
        if found is not None:
            place: Any = place_of(items[: len(items) - len(found[1])], self.value.shape)
            self.cells[place] = to_node(_written(found[0], (found[1],), value)) if found[1] else to_node(value)
            return
        place = place_of(items, self.value.shape)
        if place is not None and (not self.cells or len(place) == len(next(iter(self.cells)))):
            self.cells[place] = to_node(value)
        else:
            self.value = _written(self.whole(), (index,), value)


READ_ONLY = frozenset({"broadcast_to", "broadcast_arrays", "diagonal", "linalg.diagonal", "diag"})
"""The functions whose result NumPy does not let one write to."""


class Permuted:
    """A step of a path that permutes the axes: what `ndarray.T` and `ndarray.transpose` give is always a view."""

    __slots__ = ("axes",)

    def __init__(self, axes: tuple[int, ...]) -> None:
        self.axes = axes

    def of(self, value: Value) -> Value:
        """Return contents with permuted axes; of a known array, a view."""
        found: Value = METHODS["transpose"](value, self.axes) if isinstance(value, Node) else value.transpose(self.axes)
        return found

    def back(self, value: Value) -> Value:
        """Return contents from those with permuted axes."""
        return Permuted(tuple(sorted(range(len(self.axes)), key=self.axes.__getitem__))).of(value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Permuted) and other.axes == self.axes

    def __hash__(self) -> int:
        return hash(self.axes)


def taken(value: Value, index: Any) -> Value:
    """Return what an index takes."""
    if isinstance(index, Permuted):
        return index.of(value)
    traced = isinstance(value, Node) or has_node(index)
    found: Value = METHODS["getitem"](to_node(value), index) if traced else value[index]
    return found


def _written(base: Value, path: tuple[Any, ...], value: Value) -> Value:
    """Return contents with a value put where a view of them looks; a known array is this storage's own."""
    index = path[0]
    if len(path) > 1:
        value = _written(taken(base, index), path[1:], value)
    if isinstance(index, Permuted):
        return index.back(value)
    if isinstance(base, np.ndarray) and not isinstance(value, Node) and not has_node(index):
        base[index] = value
        return base
    written: Node = METHODS["set_at"](to_node(base), index, to_node(value))
    return written


def under_mask(mask: Node, value: Any, node: Node) -> Node:
    """Return a node with a value where a mask of the first axes holds."""
    axes = (1,) * (len(node.shape) - len(mask.shape))
    chosen = METHODS["reshape"](mask, (*mask.shape, *axes)) if axes else mask
    result: Node = METHODS["where"](chosen, value, node)
    return result


def place_of(items: tuple[Any, ...], shape: Any) -> tuple[int, ...] | None:
    """Return integers as places counted from the start, if all are within known sizes."""
    if not items or len(items) > len(shape):
        return None
    place = []
    for item, size in zip(items, shape, strict=False):
        if isinstance(item, bool) or not isinstance(item, (int, np.integer)) or not isinstance(size, int):
            return None
        if not -size <= item < size:
            return None
        place.append(int(item) % size)
    return tuple(place)


def to_node(value: Any) -> Node:
    """Return contents as a node; an array of one number repeated is written as that."""
    if isinstance(value, np.ndarray) and value.size > 1 and value.dtype.kind == "f":
        first = value.flat[0].item()
        if np.isfinite(first) and (value == first).all() and not (first == 0 and np.signbit(value).any()):
            filled: Node = METHODS["full"](value.shape, first, value.dtype)
            return filled
    return as_node(value)
