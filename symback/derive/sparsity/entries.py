"""From the terms of a sparse Jacobian to its entries in compressed sparse rows, or by coordinates."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from symback.derive.sparsity.entry_sets import MOST_ENTRIES, Indices, distinct
from symback.derive.sparsity.places import ByIndex, Place, Term, numbers_below
from symback.nodes.add import add
from symback.nodes.apply import Apply, Operation
from symback.nodes.contract import contract
from symback.nodes.dtypes import BOOL
from symback.nodes.leaves import Constant, constant, exact, ones_of, size_of
from symback.nodes.node import METHODS, Node
from symback.nodes.products import broadcast_to, full, hadamard
from symback.nodes.shapes import Shape, product, simplify_size
from symback.ops.elementwise.logic import astype

_MOST_REPEATED = 4


class Filled(NamedTuple):
    """The entries of a matrix whose pattern is known: `data` has a value for each of `keys`, row * columns + column."""

    keys: Indices
    data: Node


# -- patterns that are known -------------------------------------------------------------------------------


def is_known(terms: Sequence[Term], shape: Shape) -> bool:
    """Are the places of all entries known, for a matrix whose axes have these sizes?"""
    return all(isinstance(size, int) for size in shape) and all(_is_known(term) for term in terms)


def filled(terms: Sequence[Term], rows: Shape, columns: Shape) -> Filled | None:
    """Return the entries by rows, if all places `is_known`; None if entries of one term meet, or too many terms do."""
    strides = _strides([int(size) for size in (*rows, *columns)])
    if sum(math.prod([int(size) for size in term.value.shape]) for term in terms) > MOST_ENTRIES:
        return None
    places = [_keys(term, strides) for term in terms]
    keys = distinct(np.concatenate([np.zeros(0, np.int64), *places]))
    total = sum(len(place) for place in places)
    if total > _MOST_REPEATED * max(len(keys), 1) or any(len(distinct(place)) < len(place) for place in places):
        return None
    where = [np.searchsorted(keys, place) for place in places]
    return Filled(keys, _data([_flat(term.value) for term in terms], where, len(keys), terms))


def _strides(shape: Sequence[int]) -> list[int]:
    return [math.prod(shape[axis + 1 :]) for axis in range(len(shape))]


def _is_known(term: Term) -> bool:
    sizes = [*term.value.shape, *(place.start for place in term.places)]
    indices = [place.base.indices for place in term.places if isinstance(place.base, ByIndex)]
    return all(isinstance(size, int) for size in sizes) and all(isinstance(index, Constant) for index in indices)


def _keys(term: Term, strides: Sequence[int]) -> Indices:
    """Return the number of each entry of a term in the unravelled matrix."""
    shape = tuple(int(size) for size in term.value.shape)
    total = np.zeros(shape, dtype=np.int64)
    for place, stride in zip(term.places, strides, strict=True):
        total += stride * (int(place.start) + place.step * _numbers(place, shape))
    return total.ravel()


def _numbers(place: Place, shape: tuple[int, ...]) -> Any:
    if place.base is None:
        return 0
    if isinstance(place.base, int):
        return np.arange(shape[place.base]).reshape([-1 if k == place.base else 1 for k in range(len(shape))])
    indices, axes = place.base
    assert isinstance(indices, Constant)
    order = np.argsort(axes)
    spread = [shape[axis] if axis in axes else 1 for axis in range(len(shape))]
    return np.transpose(indices.array.astype(np.int64), order).reshape(spread)


def _flat(value: Node) -> Node:
    flat: Node = METHODS["reshape"](value, (product(value.shape),))
    return flat


def _data(values: Sequence[Node], places: Sequence[Indices], count: int, terms: Sequence[Term]) -> Node:
    """Return the entries in their order: written in steps where they lie so, else taken from all of them."""
    if not values:
        return full((0,), 0, exact(0))
    pieces = [_in_steps(value, place, count) for value, place in zip(values, places, strict=True)]
    if all(piece is not None for piece in pieces):
        return add(*[piece for piece in pieces if piece is not None])
    if sum(len(place) for place in places) == count:
        joined = values[0] if len(values) == 1 else METHODS["concatenate"](list(values))
        order = np.argsort(np.concatenate(places), kind="stable").astype(np.int32)
        in_order = np.array_equal(order, np.arange(count))
        return joined if in_order else Apply(Operation("gather", -1), joined, constant(order))
    return add(*[
        _scattered(value, place, count) if piece is None else piece
        for piece, value, place in zip(pieces, values, places, strict=True)
    ])  # fmt: skip


def _scattered(value: Node, place: Indices, count: int) -> Node:
    return Apply(Operation("scatter_add", -1, (count,)), value, constant(place.astype(np.int32)))


def _in_steps(value: Node, place: Indices, count: int) -> Node | None:
    """Write an array into zeros at places in equal steps; None if they are not."""
    if not len(place):
        return full((count,), 0, value)
    step = int(place[1] - place[0]) if len(place) > 1 else 1
    if step == 0 or not np.array_equal(place, place[0] + step * np.arange(len(place))):
        return None
    if step == 1 and len(place) == count:
        return value
    first, last = int(place[0]), int(place[-1])
    entry = (first, last + (1 if step > 0 else -1), step)
    return Apply(Operation("unslice", (entry,), (count,)), value)


# -- patterns that are known at the call ---------------------------------------------------------------------


class Coordinates(NamedTuple):
    """The entries of a matrix with their rows and columns, in any order; those that meet are added."""

    data: Node
    rows: Node
    columns: Node


def coordinates(terms: Sequence[Term], rows: Shape, columns: Shape) -> Coordinates:
    """Return the entries with nodes that say where they are, for sizes and indices that the call gives."""
    found = []
    for term in terms:
        places = term.places
        row, column = _number(term, places[: len(rows)], rows), _number(term, places[len(rows) :], columns)
        found.append((_flat(term.value), _flat(row), _flat(column)))
    joined = [part[0] if len(part) == 1 else METHODS["concatenate"](list(part)) for part in zip(*found, strict=True)]
    return Coordinates(*joined)


def by_rows(terms: Sequence[Term], rows: Shape, columns: Shape) -> Coordinates | None:
    """Return the entries in order of their rows, the same number in each, and instead of the rows where each starts.

    None if they do not lie so: there is more than one term, its axes are not those of the rows, or are shorter.
    """
    if len(terms) != 1 or terms[0].places[: len(rows)] != tuple(Place(0, 1, axis) for axis in range(len(rows))):
        return None
    (term,) = terms
    if term.value.shape[: len(rows)] != rows:
        return None
    each = product(term.value.shape[len(rows) :])
    column = _number(term, term.places[len(rows) :], columns)
    starts = hadamard(size_of(each), numbers_below(simplify_size(product(rows) + 1)))
    return Coordinates(_flat(term.value), starts, _flat(column))


def _number(term: Term, places: Sequence[Place], shape: Shape) -> Node:
    """Return the number of each entry among the entries of some axes, in the shape of the value."""
    terms = []
    for axis, place in enumerate(places):
        stride = product(shape[axis + 1 :])
        terms.append(hadamard(size_of(stride), _along(term.value.shape, place)))
    total = add(*terms) if terms else exact(0)
    return broadcast_to(astype(total, "int64") if total.is_weak else total, term.value.shape)


def _along(shape: Shape, place: Place) -> Node:
    """Return the places along one axis, in as many axes as the value has."""
    if place.base is None:
        return size_of(place.start)
    numbers, axes = (numbers_below(shape[place.base]), (place.base,)) if isinstance(place.base, int) else place.base
    missing = tuple(axis for axis in range(len(shape)) if axis not in axes)
    ones = [(ones_of((1,) * len(missing), BOOL), missing)] if missing else []
    spread = contract([(numbers, axes), *ones], tuple(range(len(shape))))
    return add(size_of(place.start), hadamard(exact(place.step), spread))
