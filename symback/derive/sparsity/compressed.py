"""Sparse derivatives by colours: several columns, or rows, are computed as one sum, and told apart by the pattern."""

from typing import Any, NamedTuple

import numpy as np

from symback.derive.sparsity.colouring import colour_columns, colour_stars, star_sources
from symback.derive.sparsity.entry_sets import Indices
from symback.nodes.apply import Apply, Operation
from symback.nodes.leaves import constant
from symback.nodes.node import METHODS, Node
from symback.nodes.shapes import product

Entries = tuple[Indices, Indices]
"""Rows and columns of the entries of a pattern, by rows."""


class Colours(NamedTuple):
    """Which columns, or rows, are computed together, and where each entry is found in the sums.

    Attributes:
        along: ``"columns"`` (forward mode) or ``"rows"`` (reverse mode).
        colours: The colour of each column, or row.
        number: The number of colours.
        places: For each entry its place in the sums, of shape (number, rows) or (number, columns), unravelled.
    """

    along: str
    colours: Indices
    number: int
    places: Indices


def jacobian_colours(entries: Entries, shape: tuple[int, int]) -> Colours:
    """Colour columns or rows, whichever needs fewer colours."""
    rows, columns = entries
    by_column, by_row = _longest(rows, shape[0]), _longest(columns, shape[1])
    found = []
    if by_column <= 2 * by_row:
        colours = colour_columns(rows, columns, shape)
        found.append(_coloured("columns", colours, colours[columns], rows, shape[0]))
    if by_row <= 2 * by_column:
        order = np.argsort(columns, kind="stable")
        colours = colour_columns(columns[order], rows[order], (shape[1], shape[0]))
        found.append(_coloured("rows", colours, colours[rows], columns, shape[1]))
    return min(found, key=lambda chosen: chosen.number)


def hessian_colours(entries: Entries, size: int) -> Colours:
    """Colour the columns of a symmetric matrix, for direct recovery of its entries."""
    rows, columns = entries
    colours = colour_stars(rows, columns, size)
    colour, row = star_sources(rows, columns, colours)
    return _coloured("columns", colours, colour, row, size)


def _longest(numbers: Indices, count: int) -> int:
    return int(np.bincount(numbers, minlength=count).max(initial=0))


def _coloured(along: str, colours: Indices, colour: Indices, place: Indices, length: int) -> Colours:
    return Colours(along, colours, int(colours.max(initial=0)) + 1, colour * length + place)


def entries_of(sums: Node, chosen: Colours) -> Node:
    """Take the entries of a matrix, of shape (entries,), from the sums of its columns, or rows, of one colour."""
    flat: Node = METHODS["reshape"](sums, (product(sums.shape),))
    return Apply(Operation("gather", -1), flat, constant(_small(chosen.places)))


def seeds_of(chosen: Colours, node: Node) -> Node:
    """Return a sum of unit vectors for each colour, of shape (colours, *node.shape)."""
    shape = tuple(int(size) for size in node.shape)
    own = constant(_small(chosen.colours).reshape(shape))
    numbers = constant(_small(np.arange(chosen.number)).reshape(-1, *[1] * len(shape)))
    equal: Node = METHODS["equal"](own, numbers)
    seeds: Node = METHODS["astype"](equal, node.dtype)
    return seeds


def _small(numbers: Indices) -> Any:
    """Return numbers in the smallest dtype that holds them: they are written into the module."""
    most = int(numbers.max(initial=0))
    return numbers.astype(next(dtype for dtype in (np.uint8, np.int32, np.int64) if most <= np.iinfo(dtype).max))
