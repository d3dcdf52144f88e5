"""Sets of columns, one for each row: which entries of a variable the entries of a node depend on.

Rows are kept as in compressed sparse rows. A row that holds every column is only marked, so that ``x / sum(x)`` takes
no more memory than x.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from symback import errors

Indices = NDArray[np.int64]

MOST_ENTRIES = 2**28
"""How many entries a pattern may have: their numbers take 2 GiB."""


def check_entries(count: int) -> None:
    """Refuse to hold more entries than a pattern may have."""
    if count > MOST_ENTRIES:
        raise errors.pattern_too_large(count, MOST_ENTRIES)


def ranges(starts: Indices, lengths: Indices) -> Indices:
    """Return ``start, start + 1, ...`` for each start and length, one behind the other."""
    total = int(lengths.sum())
    check_entries(total)
    before = np.cumsum(lengths) - lengths
    numbers: Indices = np.arange(total, dtype=np.int64) + np.repeat(starts - before, lengths)
    return numbers


def distinct(keys: Indices) -> Indices:
    """Return the numbers that there are, each once, in increasing order; by sorting, which beats `numpy.unique`."""
    ordered = np.sort(keys)
    first = np.concatenate([np.ones(min(len(keys), 1), dtype=bool), ordered[1:] != ordered[:-1]])
    kept: Indices = ordered[first]
    return kept


class EntrySets:
    """A set of columns for each row.

    Attributes:
        width: The number of columns.
        pointers: Shape (rows + 1,): row k has ``columns[pointers[k]:pointers[k + 1]]``.
        columns: Increasing in each row; none for a row that is full.
        full: Shape (rows,): the rows that hold every column.
    """

    __slots__ = ("columns", "full", "pointers", "width")

    def __init__(self, width: int, pointers: Indices, columns: Indices, full: NDArray[np.bool_]) -> None:
        self.width, self.pointers, self.columns, self.full = width, pointers, columns, full

    @classmethod
    def identity(cls, width: int) -> "EntrySets":
        """Return the rows whose only column is their own number."""
        numbers = np.arange(width + 1, dtype=np.int64)
        return cls.of_rows(width, numbers, numbers[:-1])

    @classmethod
    def of_rows(
        cls, width: int, pointers: Indices, columns: Indices, full: NDArray[np.bool_] | None = None
    ) -> "EntrySets":
        """Return rows whose columns increase; those that turn out to be full are marked."""
        lengths = np.diff(pointers)
        whole = lengths == width if width else np.zeros(len(lengths), dtype=bool)
        if full is None:
            full = np.zeros(len(lengths), dtype=bool)
        dropped = full | whole
        if lengths[dropped].any():
            columns = columns[np.repeat(~dropped, lengths)]
            pointers = _pointers(np.where(dropped, 0, lengths))
        return cls(width, pointers, columns, dropped)

    @classmethod
    def of_pairs(cls, count: int, width: int, rows: Indices, columns: Indices) -> "EntrySets":
        """Return `count` rows from pairs of row and column, in any order; pairs may repeat."""
        keys = distinct(rows * max(width, 1) + columns)
        found, kept = np.divmod(keys, max(width, 1))
        return cls.of_rows(width, _pointers(np.bincount(found, minlength=count)), kept)

    def __len__(self) -> int:
        return len(self.full)

    @property
    def entries(self) -> int:
        """The number of pairs of row and column."""
        return len(self.columns) + int(self.full.sum()) * self.width

    def rows(self) -> Indices:
        """Return the row of each of `columns`."""
        return np.repeat(np.arange(len(self), dtype=np.int64), np.diff(self.pointers))

    def spelled_out(self) -> tuple[Indices, Indices]:
        """Return row and column of each entry, by rows, those of full rows with them."""
        lengths = np.where(self.full, self.width, np.diff(self.pointers))
        rows = np.repeat(np.arange(len(self), dtype=np.int64), lengths)
        columns = ranges(np.where(self.full, 0, self.pointers[:-1]), lengths)
        sparse = ~self.full[rows]
        columns[sparse] = self.columns
        return rows, columns

    def take(self, places: Indices) -> "EntrySets":
        """Return the rows at `places`; -1 stands for a row without columns."""
        if not len(self):
            return EntrySets.of_rows(self.width, np.zeros(len(places) + 1, np.int64), self.columns)
        missing = places < 0
        starts, lengths = self.pointers[:-1][places], np.diff(self.pointers)[places]
        lengths = np.where(missing, 0, lengths)
        return EntrySets(
            self.width, _pointers(lengths), self.columns[ranges(starts, lengths)], self.full[places] & ~missing
        )

    def grouped(self, groups: Indices, count: int) -> "EntrySets":
        """Return for each of `count` groups the union of its rows; ``groups[k]`` is the group of row k."""
        full = np.zeros(count, dtype=bool)
        full[groups[self.full]] = True
        rows = np.repeat(groups, np.diff(self.pointers))
        kept = ~full[rows]
        united = EntrySets.of_pairs(count, self.width, rows[kept], self.columns[kept])
        return EntrySets(self.width, united.pointers, united.columns, united.full | full)

    def through(self, inner: "EntrySets") -> "EntrySets":
        """Return the union of rows of `inner` that each row names by its columns."""
        named = inner.take(self.columns).grouped(self.rows(), len(self))
        if not self.full.any():
            return named
        everything = inner.grouped(np.zeros(len(inner), np.int64), 1)
        return union([named, everything.take(np.where(self.full, 0, -1))])

    def transposed(self) -> "EntrySets":
        """Return for each column the rows that have it."""
        rows, columns = self.spelled_out()
        return EntrySets.of_pairs(self.width, len(self), columns, rows)


def _pointers(lengths: Indices) -> Indices:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])


def union(several: Sequence[EntrySets]) -> EntrySets:
    """Return the union, row by row, of sets with the same rows and columns."""
    several = list(dict.fromkeys(several))
    if len(several) == 1:
        return several[0]
    full = np.logical_or.reduce([sets.full for sets in several])
    rows = np.concatenate([sets.rows() for sets in several])
    columns = np.concatenate([sets.columns for sets in several])
    kept = ~full[rows]
    first = several[0]
    united = EntrySets.of_pairs(len(first), first.width, rows[kept], columns[kept])
    return EntrySets(first.width, united.pointers, united.columns, united.full | full)
