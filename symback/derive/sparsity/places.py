"""Places of entries: which of an array a value holds, and what becomes of them as the array is moved and cut."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from symback.derive.pieces import in_ranges
from symback.nodes.add import add
from symback.nodes.apply import Apply, Operation
from symback.nodes.classify import classify
from symback.nodes.contract import Contract, Labels
from symback.nodes.leaves import Constant, Ones, constant, exact, ones_of, size_of
from symback.nodes.node import METHODS, Node
from symback.nodes.products import full, hadamard
from symback.nodes.shapes import Shape, SizeExpr, simplify_size
from symback.ops.elementwise.logic import where
from symback.ops.indexing.ranges import APART, meet


class NoTerms(Exception):  # noqa: N818  # no error: the matrix is then found by colours
    """There is no short sum of terms."""


class ByIndex(NamedTuple):
    """Places that an array of indices names; its axes are those of the value."""

    indices: Node
    axes: Labels


class Place(NamedTuple):
    """Where along an axis the entries lie: at start + step * base, or all at start.

    The base is the number of an entry along an axis of the value, or an index.
    """

    start: SizeExpr
    step: int
    base: int | ByIndex | None


class Term(NamedTuple):
    """Some entries of an array: their values, and for each axis of the array their places."""

    value: Node
    places: tuple[Place, ...]

    @property
    def is_whole(self) -> bool:
        """Is this the array as it stands?"""
        return self.places == tuple(Place(0, 1, axis) for axis in range(len(self.value.shape)))

    @property
    def is_tied(self) -> bool:
        """Has the value fewer axes than the array?"""
        return len(self.value.shape) < len(self.places)


def whole(node: Node) -> Term:
    """Return an array as it stands."""
    return Term(node, tuple(Place(0, 1, axis) for axis in range(len(node.shape))))


def moved(term: Term, entries: tuple[Any, ...], shape: Any) -> Term:
    """Put what lies in the places of a part into those of the whole."""
    inner = iter(term.places)
    places = []
    for entry in entries:
        if entry is None:
            places.append(next(inner))
        elif isinstance(entry, tuple):
            places.append(_within(entry[0], entry[2], next(inner)))
        else:
            places.append(Place(entry, 0, None))
    return Term(term.value, tuple(places))


def _within(start: SizeExpr, step: int, place: Place) -> Place:
    return Place(simplify_size(start + step * place.start), step * place.step, place.base)


def flipped(term: Term, shape: Shape, axes: Sequence[int]) -> Term:
    """Turn axes round."""
    places = list(term.places)
    for axis in axes:
        start, step, base = places[axis]
        places[axis] = Place(simplify_size(shape[axis] - 1 - start), -step, base)
    return Term(term.value, tuple(places))


def rolled(term: Term, shape: Shape, shifts: Sequence[int], axes: Sequence[int]) -> Term:
    """Move entries round along axes."""
    places = list(term.places)
    for shift, axis in zip(shifts, axes, strict=True):
        start, step, base = places[axis]
        if not isinstance(base, int):
            raise NoTerms
        size, length = shape[axis], term.value.shape[base]
        places[axis] = Place(0, 1, ByIndex(_round(simplify_size(start + shift), step, length, size), (base,)))
    return Term(term.value, tuple(places))


def numbers_below(size: SizeExpr) -> Node:
    """Return 0, 1, ... as a node."""
    return Apply(Operation("arange_to", size, "int64"))


def _round(start: SizeExpr, step: int, length: SizeExpr, size: SizeExpr) -> Node:
    if isinstance(start, int) and isinstance(length, int) and isinstance(size, int):
        return constant((start + step * np.arange(length, dtype=np.int64)) % max(size, 1))
    numbers = add(size_of(start), hadamard(exact(step), numbers_below(length)))
    return METHODS["remainder"](numbers, size_of(size))  # type: ignore[no-any-return]


def sliced(term: Term, shape: Shape, entries: tuple[Any, ...]) -> Term | None:
    """Take ranges of an array of this shape; None if the entries of a term lie elsewhere."""
    for axis in reversed(range(len(entries))):
        if entries[axis] is not None:
            found = _cut(term, axis, entries[axis], shape[axis])
            if found is None:
                return None
            term = found
    return term


def _cut(term: Term, axis: int, entry: Any, size: SizeExpr) -> Term | None:
    start, step, base = term.places[axis]
    if isinstance(base, ByIndex) or (step != 1 and base is not None):
        raise NoTerms
    if base is None:
        found = meet(start, entry, fits=True)
    else:
        length = term.value.shape[base]
        own = None if (start, length) == (0, size) else (start, simplify_size(start + length), 1)
        found = meet(own, entry, fits=True)
    if found is APART:
        return None
    if found is None:
        raise NoTerms
    inner, outer = found
    kept = [Place(0, 1, base)] if isinstance(entry, tuple) else []
    if base is None:
        return Term(term.value, (*term.places[:axis], *(Place(outer, 0, None) for _ in kept), *term.places[axis + 1 :]))
    if isinstance(outer, tuple):
        kept = [Place(outer[0], outer[2], base)]
    places = [*term.places[:axis], *kept, *term.places[axis + 1 :]]
    done = range(axis, axis + len(kept))
    return _narrowed(term.value, places, done, base, inner)


def _narrowed(value: Node, places: Sequence[Place], done: range, base: int, inner: Any) -> Term:
    """Take a range, or one entry, along an axis of the value; places that are `done` are counted in it already."""
    if inner is None:
        return Term(value, tuple(places))
    entries = tuple(inner if axis == base else None for axis in range(len(value.shape)))
    found = []
    for axis, place in enumerate(places):
        if bases_of(place) and base in bases_of(place) and axis not in done:
            if isinstance(place.base, ByIndex):
                raise NoTerms
            place = _within_base(place, inner)
        found.append(place)
    if not isinstance(inner, tuple):
        found = [renumbered(place, {axis: axis - (axis > base) for axis in bases_of(place)}) for place in found]
    return Term(ranges_of(value, entries), tuple(found))


def ranges_of(node: Node, entries: tuple[Any, ...]) -> Node:
    """Take ranges of an array; of one that is filled with a number, fewer entries."""
    part = in_ranges(node, entries)
    if isinstance(node, Ones):
        return ones_of(part.shape, node.dtype)
    if part is not node and isinstance(node, Contract) and classify(node).kind == "fill":
        return full(part.shape, node.parts().coefficient, node)
    return part


def _within_base(place: Place, inner: Any) -> Place:
    first, step = (inner[0], inner[2]) if isinstance(inner, tuple) else (inner, 0)
    start = simplify_size(place.start + place.step * first)
    return Place(start, place.step * step, place.base) if step else Place(start, 0, None)


def indexed(index: Node, size: SizeExpr, inside: Sequence[Place], value: Node) -> Place:
    """Return the places that an index names, of entries that lie at places of the index."""
    rank = len(index.shape)
    there, labels = taken_at(_from_the_start(index, size), inside[len(inside) - rank :], value.shape)
    return Place(0, 1, ByIndex(there, labels))


def _from_the_start(index: Node, size: SizeExpr) -> Node:
    """Count negative indices from the start."""
    if isinstance(index, Constant) and isinstance(size, int):
        array = index.array.astype(np.int64)
        return constant(np.where(array < 0, array + size, array))
    wide = METHODS["astype"](index, "int64")
    return where(METHODS["less"](wide, 0), wide + size_of(size), wide)


def taken_at(node: Node, places: Sequence[Place], sizes: Any) -> tuple[Node, Labels]:
    """Take of an array that broadcasts what lies at these places; say which axis of the value each of its axes is.

    Args:
        node: The array.
        places: For each of its axes.
        sizes: The sizes of the axes of the value, by their numbers.
    """
    entries: list[Any] = []
    bases: list[int | ByIndex] = []
    for size, (start, step, base) in zip(node.shape, places, strict=True):
        if size == 1 and base is not None:
            entries.append(0)
        elif base is None:
            entries.append(start if size != 1 else 0)
        elif isinstance(base, ByIndex):
            if (start, step) != (0, 1):
                raise NoTerms
            entries.append(None)
            bases.append(base)
        else:
            length = sizes[base]
            entries.append(None if (start, step, length) == (0, 1, size) else _range(start, step, length))
            bases.append(base)
    return _gathered(ranges_of(node, tuple(entries)), bases)


def _gathered(node: Node, bases: Sequence[int | ByIndex]) -> tuple[Node, Labels]:
    """Take entries by their indices, along axes that have some."""
    labels: list[int] = []
    for base in bases:
        if isinstance(base, ByIndex):
            node = Apply(Operation("gather", len(labels) - len(node.shape)), node, base.indices)
            labels += base.axes
        else:
            labels.append(base)
    return node, tuple(labels)


def _range(start: SizeExpr, step: int, length: SizeExpr) -> tuple[SizeExpr, SizeExpr, int]:
    if length == 0:
        return (0, 0, 1)
    last = simplify_size(start + step * (length - 1))
    return start, simplify_size(last + (1 if step > 0 else -1)), step


def renumbered(place: Place, axes: Any) -> Place:
    """Number the axes of the value anew."""
    if isinstance(place.base, int):
        return place._replace(base=axes[place.base])
    if place.base is None:
        return place
    return place._replace(base=ByIndex(place.base.indices, tuple(axes[axis] for axis in place.base.axes)))


def bases_of(place: Place) -> tuple[int, ...]:
    """Return the axes of the value that a place depends on."""
    return () if place.base is None else (place.base,) if isinstance(place.base, int) else place.base.axes
