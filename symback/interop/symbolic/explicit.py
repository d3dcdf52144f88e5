"""Explicit matrices of symbols where variables are asked for: taken apart, and what belongs to each put together."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain, pairwise, starmap
from typing import Any

import sympy

from symback import errors
from symback.errors.symbolic_matrices import no_jacobian, no_sparse, no_symbols
from symback.interop.symbolic.symmetry import transposed
from symback.nodes.node import Node
from symback.structure import Nested, leaves_of, refill


def is_explicit(leaf: Any) -> bool:
    """Is this a matrix of SymPy that is written down, mutable or not?"""
    return isinstance(leaf, sympy.MatrixBase)


def entries_of(leaf: Any) -> list[Any]:
    """Return the entries of an explicit matrix, row by row; of anything else it alone."""
    return list(leaf.flat()) if is_explicit(leaf) else [leaf]


def variables_in(wrt: Nested) -> list[Any]:
    """Return the variables in a structure of variables and matrices of symbols.

    Raises:
        UsageError: If a matrix holds something else than symbols, or one of them twice.
    """
    for leaf in leaves_of(wrt):
        if is_explicit(leaf):
            check_symbols(leaf)
    return [entry for leaf in leaves_of(wrt) for entry in entries_of(leaf)]


def check_symbols(matrix: Any) -> None:
    """Refuse a matrix of variables whose entries are not all different symbols."""
    seen: set[sympy.Basic] = set()
    for entry in matrix.flat():
        if not isinstance(entry, sympy.Symbol) or entry in seen:
            raise no_symbols(entry)
        seen.add(entry)


def grouped(wrt: Nested, found: Iterable[Any]) -> list[list[Any]]:
    """Return for each variable or matrix of symbols what belongs to its entries, of which there must be one."""
    remaining = iter(found)
    groups = [[next(remaining) for _ in entries_of(leaf)] for leaf in leaves_of(wrt)]
    if not all(groups):
        raise errors.no_variables("sparsity")
    return groups


def put_together(wrt: Nested, found: Iterable[Any]) -> Nested:
    """Return a structure of what belongs to each variable, in matrices where the variables are in one."""
    remaining = iter(found)
    return refill(wrt, [_one(leaf, remaining) for leaf in leaves_of(wrt)])


def _one(leaf: Any, found: Iterator[Any]) -> Any:
    if not is_explicit(leaf):
        return next(found)
    return type(leaf)(*leaf.shape, [next(found) for _ in range(leaf.rows * leaf.cols)])


def as_lists(wrt: Nested) -> Nested:
    """Return variables with lists in the place of matrices of symbols, which cannot hold nodes."""
    return refill(wrt, [leaf.tolist() if is_explicit(leaf) else leaf for leaf in leaves_of(wrt)])


def check_arrays(operation: str, *given: Nested) -> None:
    """Refuse explicit matrices where a sparse matrix is asked for."""
    for leaf in [leaf for nested in given for leaf in leaves_of(nested)]:
        if is_explicit(leaf):
            raise no_sparse(operation, leaf.shape)


def jacobian_of(output: Any, wrt: Nested, rows: Sequence[Sequence[Any]]) -> Nested:
    """Put the derivatives of each entry of an output together, from one row for each entry.

    Of a matrix of expressions they are a matrix with a row for each expression and a column for each symbol; by one
    symbol they have the shape of the matrix.
    """
    if not is_explicit(output):
        return put_together(wrt, rows[0])
    kind = type(output)
    leaves = leaves_of(wrt)
    if isinstance(wrt, (list, tuple)) and all(isinstance(leaf, sympy.Symbol) for leaf in leaves):
        return kind(len(rows), len(leaves), list(chain(*rows)))
    columns = iter(zip(*rows, strict=True)) if rows else iter([()] * len(variables_in(wrt)))
    return refill(wrt, [_by_leaf(output, leaf, columns) for leaf in leaves])


def _by_leaf(output: Any, leaf: Any, columns: Iterator[Sequence[Any]]) -> Any:
    """Return the derivative of a matrix of expressions by one symbol, or by a matrix of them."""
    kind = type(output)
    if is_explicit(leaf):
        held = [next(columns) for _ in entries_of(leaf)]
        return kind(len(entries_of(output)), len(held), list(chain(*zip(*held, strict=True))))
    column = next(columns)
    if isinstance(leaf, sympy.MatrixExpr):
        return _by_matrix(output, leaf, column)
    return kind(*output.shape, list(column))


def _by_matrix(output: Any, leaf: sympy.MatrixExpr, column: Sequence[Any]) -> Any:
    if len(column) == 1:
        return column[0]
    if leaf.cols != 1:
        raise no_jacobian(output.shape, leaf.shape)
    if not column:
        return sympy.ZeroMatrix(0, leaf.rows)
    return sympy.BlockMatrix([[transposed(slope)] for slope in column])


def hessian_of(wrt: Nested, rows: Sequence[Sequence[Any]]) -> Nested:
    """Put second derivatives together, a block for each two of the variables or matrices of symbols."""
    leaves = leaves_of(wrt)
    ends = list(accumulate([len(entries_of(leaf)) for leaf in leaves], initial=0))
    sides = list(zip(leaves, starmap(range, pairwise(ends)), strict=True))
    blocks = []
    for one, down in sides:
        held = [[[rows[i][j] for j in across] for i in down] for _, across in sides]
        blocks.append(refill(wrt, [_block(one, other, part) for (other, _), part in zip(sides, held, strict=True)]))
    return refill(wrt, blocks)


def _block(one: Any, other: Any, held: Sequence[Sequence[Any]]) -> Any:
    """Return one block: a matrix as soon as one side of it is a matrix of symbols."""
    if not is_explicit(one) and not is_explicit(other):
        return held[0][0]
    if any(isinstance(side, sympy.MatrixExpr) and not is_explicit(side) for side in (one, other)):
        raise no_jacobian(one.shape, other.shape)
    if any(isinstance(entry, Node) for row in held for entry in row):
        return [list(row) for row in held]
    return type(one if is_explicit(one) else other)([list(row) for row in held])
