"""Colours of columns: those of one colour can be told apart, though their derivatives are computed as one sum.

Columns of a Jacobian may share a colour if no row has entries in two of them (Curtis, Powell and Reid 1974); the
columns of a symmetric matrix already if each entry or its mirror image stands alone: star colouring (Coleman and Moré
1984). Both are greedy. See Gebremedhin, Manne and Pothen, What color is your Jacobian?, SIAM Review 47 (2005), and for
the stars Gebremedhin, Tarafdar, Manne and Pothen, SIAM J. Sci. Comput. 29 (2007).

Sets of colours are the bits of integers, so one column costs as many operations as it has entries.
"""

from itertools import pairwise

import numpy as np

from symback.derive.sparsity.entry_sets import Indices, distinct

_MOST_PERIODS = 24
"""How many periods are tried before the colours that repeat are given up."""


def pointers_of(rows: Indices, count: int) -> Indices:
    """Return where each row starts, of rows in increasing order, and where the last one ends."""
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(np.bincount(rows, minlength=count), dtype=np.int64)])


def colour_columns(rows: Indices, columns: Indices, shape: tuple[int, int]) -> Indices:
    """Give each column a colour, such that no row has entries in two columns of one colour.

    Args:
        rows: The row of each entry.
        columns: Its column.
        shape: The numbers of rows and columns.

    Returns:
        Shape (columns,): numbers from 0. Columns without entries have colour 0.
    """
    lengths = np.bincount(rows, minlength=shape[0])
    fewest = int(lengths.max(initial=0))
    best = _periodic(rows, columns, shape[1], range(fewest, fewest + 1))
    if best is not None:
        return best
    by_column = np.argsort(columns, kind="stable")
    inside, starts = rows[by_column], pointers_of(columns, shape[1])
    weights = np.bincount(columns, weights=lengths[rows], minlength=shape[1])
    found = [_greedy(inside, starts, order, shape[0]) for order in _orders(weights)]
    best = min(found, key=lambda colours: int(colours.max(initial=0)))
    most = min(int(best.max(initial=0)) + 1, fewest + _MOST_PERIODS)
    periodic = _periodic(rows, columns, shape[1], range(fewest + 1, most))
    return best if periodic is None else periodic


def _orders(weights: Indices) -> list[Indices]:
    """Return the columns as they stand, and those first that have most to do with others."""
    largest = np.argsort(-weights, kind="stable")
    natural = np.arange(len(weights))
    return [natural] if np.array_equal(natural, largest) else [natural, largest]


def _periodic(rows: Indices, columns: Indices, count: int, periods: range) -> Indices | None:
    """Return the first colours that repeat along the columns and are right: those of bands and of grids."""
    for period in periods:
        colours = columns % max(period, 1)
        if len(distinct(rows * max(period, 1) + colours)) == len(rows):
            return np.arange(count, dtype=np.int64) % max(period, 1)
    return None


def _greedy(inside: Indices, starts: Indices, order: Indices, height: int) -> Indices:
    """Give each column in its turn the first colour that none of its rows has seen."""
    seen = [0] * height
    colours = [0] * len(order)
    entries, bounds = inside.tolist(), starts.tolist()
    for column in order.tolist():
        own = entries[bounds[column] : bounds[column + 1]]
        taken = 0
        for row in own:
            taken |= seen[row]
        bit = ~taken & (taken + 1)
        colours[column] = bit.bit_length() - 1
        for row in own:
            seen[row] |= bit
    return np.array(colours, dtype=np.int64)


# -- symmetric matrices -------------------------------------------------------------------------------------


def colour_stars(rows: Indices, columns: Indices, size: int) -> Indices:
    """Give each row and column of a symmetric pattern a colour, such that each entry can be told from the others.

    Neighbours differ, and of each entry (i, j) either j is the only one of its colour in row i, or i in row j.
    """
    apart = rows != columns
    rows, columns = rows[apart], columns[apart]
    order = np.lexsort((columns, rows))
    starts, neighbours = pointers_of(rows, size), columns[order]
    degrees = np.diff(starts)
    found = [_Stars(starts, neighbours).colours(turn) for turn in _orders(degrees)]
    return min(found, key=lambda colours: int(colours.max(initial=0)))


class _Stars:
    """The state of a greedy star colouring; sets of colours are bits.

    A vertex with several neighbours of one colour is the hub of a star, which they are leaves of. From the leaf's row
    the hub is read, so a leaf must not get a second neighbour of the colour of its hub.
    """

    def __init__(self, starts: Indices, neighbours: Indices) -> None:
        bounds, entries = starts.tolist(), neighbours.tolist()
        self._neighbours = [entries[a:b] for a, b in pairwise(bounds)]
        count = len(self._neighbours)
        self._bits = [0] * count
        self._seen = [0] * count
        self._several = [0] * count
        self._hubs = [0] * count

    def colours(self, order: Indices) -> Indices:
        """Give each vertex in its turn the first colour that it may have."""
        for vertex in order.tolist():
            taken = self._taken(vertex)
            self._give(vertex, ~taken & (taken + 1))
        return np.array([max(bit.bit_length() - 1, 0) for bit in self._bits], dtype=np.int64)

    def _taken(self, vertex: int) -> int:
        """Return the colours that a vertex cannot have."""
        several, taken = self._several[vertex], self._seen[vertex]
        for other in self._neighbours[vertex]:
            bit = self._bits[other]
            if bit:
                taken |= self._seen[other] if bit & several else self._hubs[other]
        return taken

    def _give(self, vertex: int, bit: int) -> None:
        self._bits[vertex] = bit
        several = self._several[vertex]
        for other in self._neighbours[vertex]:
            own = self._bits[other]
            if own & several:
                self._hubs[other] |= bit
            if self._seen[other] & bit:
                if not self._several[other] & bit:
                    self._several[other] |= bit
                    self._lead(other, bit)
                if own:
                    self._hubs[vertex] |= own
            else:
                self._seen[other] |= bit

    def _lead(self, hub: int, bit: int) -> None:
        """Note that the neighbours of one colour are the leaves of a star."""
        if self._bits[hub]:
            for leaf in self._neighbours[hub]:
                if self._bits[leaf] == bit:
                    self._hubs[leaf] |= self._bits[hub]


def star_sources(rows: Indices, columns: Indices, colours: Indices) -> tuple[Indices, Indices]:
    """Return for each entry of a symmetric pattern the colour and the row where the compressed matrix holds it.

    An entry and its mirror image are read from one place, so that the matrix comes out symmetric.
    """
    low, high = np.minimum(rows, columns), np.maximum(rows, columns)
    keys = rows * (int(colours.max(initial=0)) + 1) + colours[columns]
    _, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    alone = counts[inverse.ravel()] == 1
    width = int(high.max(initial=0)) + 1
    own = distinct(rows[alone] * width + columns[alone])
    upper = np.isin(low * width + high, own)
    return np.where(upper, colours[high], colours[low]), np.where(upper, low, high)
