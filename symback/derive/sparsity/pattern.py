"""The pattern of a sparse matrix: where entries may differ from zero."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symback import errors
from symback.derive.sparsity.colouring import pointers_of

_MOST_SHOWN = 72


class SparsityPattern:
    """The entries of a matrix that may differ from zero; those left out are zero at every point.

    Attributes:
        shape: Numbers of rows and columns: of entries of the output and of the variable, unravelled in row-major order.
        rows: The row of each entry, in increasing order.
        columns: The column of each entry, increasing within a row.

    Example:
        >>> import symback as sb
        >>> x = sb.tensor("x", (4,))
        >>> pattern = sb.sparsity(x[1:] * x[:-1], x)
        >>> pattern
        SparsityPattern(shape=(3, 4), nnz=6)
        >>> print(pattern)
        xx..
        .xx.
        ..xx
    """

    def __init__(self, shape: tuple[int, int], rows: NDArray[np.int64], columns: NDArray[np.int64]) -> None:
        self.shape = shape
        self.rows, self.columns = rows, columns
        for held in (rows, columns):
            held.flags.writeable = False

    @property
    def nnz(self) -> int:
        """The number of entries."""
        return len(self.rows)

    @property
    def density(self) -> float:
        """The share of the entries of the matrix that are in the pattern; 0 of a matrix without entries."""
        return self.nnz / max(self.shape[0] * self.shape[1], 1)

    @cached_property
    def indptr(self) -> NDArray[np.int64]:
        """Where each row starts, and the last one ends: row i has ``columns[indptr[i]:indptr[i + 1]]``."""
        return pointers_of(self.rows, self.shape[0])

    def toarray(self) -> NDArray[np.bool_]:
        """Return the pattern as a dense boolean array."""
        dense = np.zeros(self.shape, dtype=bool)
        dense[self.rows, self.columns] = True
        return dense

    def toscipy(self) -> Any:
        """Return the pattern as a `scipy.sparse.csr_array` of booleans.

        Raises:
            UsageError: If SciPy is not installed.
        """
        try:
            from scipy import sparse
        except ModuleNotFoundError:
            raise errors.missing_extra("scipy", "SparsityPattern.toscipy") from None
        given = np.ones(self.nnz, dtype=bool), self.columns.copy(), self.indptr.copy()
        return sparse.csr_array(given, shape=self.shape)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SparsityPattern):
            return NotImplemented
        same = self.shape == other.shape and np.array_equal(self.rows, other.rows)
        return same and np.array_equal(self.columns, other.columns)

    def __hash__(self) -> int:
        return hash((self.shape, self.nnz))

    def __repr__(self) -> str:
        return f"SparsityPattern(shape={self.shape}, nnz={self.nnz})"

    def __str__(self) -> str:
        if max(self.shape) > _MOST_SHOWN or not all(self.shape):
            return repr(self)
        return "\n".join("".join("x" if there else "." for there in row) for row in self.toarray())


def joined(blocks: Sequence[Sequence[SparsityPattern]]) -> SparsityPattern:
    """Return the pattern of a matrix from those of its blocks, row by row."""
    heights = [row[0].shape[0] for row in blocks]
    widths = [block.shape[1] for block in blocks[0]]
    tops, lefts = np.cumsum([0, *heights]), np.cumsum([0, *widths])
    placed = [(block, top, left) for row, top in zip(blocks, tops, strict=False)
              for block, left in zip(row, lefts, strict=False)]  # fmt: skip
    rows = np.concatenate([block.rows + top for block, top, _ in placed])
    columns = np.concatenate([block.columns + left for block, _, left in placed])
    order = np.lexsort((columns, rows))
    return SparsityPattern((int(tops[-1]), int(lefts[-1])), rows[order], columns[order])
