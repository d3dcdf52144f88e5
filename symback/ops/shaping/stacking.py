"""Arrays joined as rows, columns and blocks: what NumPy makes of `concatenate` and `stack`."""

from collections.abc import Sequence
from typing import Any

from symback import errors
from symback.nodes.leaves import as_node
from symback.nodes.node import METHODS, Node
from symback.nodes.shapes import sequence_of
from symback.op.public import public
from symback.ops.shaping.joining import concatenate, stack
from symback.ops.shaping.reshaping import as_array, atleast_1d, atleast_2d, atleast_3d, expand_dims

__all__ = ["append", "block", "column_stack", "dstack", "hstack", "vstack"]


def _of_rank(operation: str, tup: Any, rank: int) -> list[Node] | None:
    """Return the arrays if they all have that many axes."""
    nodes = [as_array(array) for array in sequence_of(operation, tup, "arrays")]
    return nodes if nodes and all(len(node.shape) == rank for node in nodes) else None


@public(
    "vstack",
    examples=(
        lambda f, make: f([make("x", (3,)), make("z", (3,))]),
        lambda f, make: f([make("x", (2, 3)), make("z", (3,))]),
    ),
)
def vstack(tup: Sequence[Any], *, dtype: Any = None) -> Node:
    """Join arrays row by row, as `numpy.vstack` does; a vector is a row.

    Raises:
        ShapeError: If the shapes differ in another axis, or there is no array.

    Example:
        >>> import symback as sb
        >>> sb.vstack([sb.tensor("X", ("N", 3)), sb.tensor("x", (3,))]).shape
        (N + 1, 3)
    """
    rows = _of_rank("vstack", tup, 1)
    if rows is not None and all(row.shape == rows[0].shape for row in rows):
        return stack(rows, 0, dtype=dtype)
    return concatenate([atleast_2d(array) for array in sequence_of("vstack", tup, "arrays")], 0, dtype=dtype)


@public(
    "hstack",
    examples=(
        lambda f, make: f([make("x", (3,)), make("s", ())]),
        lambda f, make: f([make("x", (2, 3)), make("z", (2, 1))]),
    ),
)
def hstack(tup: Sequence[Any], *, dtype: Any = None) -> Node:
    """Join arrays column by column, as `numpy.hstack` does; vectors are joined end to end.

    Raises:
        ShapeError: If the shapes differ in another axis, or there is no array.

    Example:
        >>> import symback as sb
        >>> sb.hstack([sb.tensor("X", ("N", 3)), sb.tensor("Z", ("N", 2))]).shape
        (N, 5)
    """
    nodes: list[Any] = [atleast_1d(array) for array in sequence_of("hstack", tup, "arrays")]
    return concatenate(nodes, 0 if nodes and len(nodes[0].shape) == 1 else 1, dtype=dtype)


@public(
    "dstack",
    examples=(
        lambda f, make: f([make("x", (2, 3)), make("z", (2, 3))]),
        lambda f, make: f([make("x", (3,)), make("z", (3,))]),
    ),
)
def dstack(tup: Sequence[Any]) -> Node:
    """Join arrays along the third axis, as `numpy.dstack` does.

    Raises:
        ShapeError: If the shapes differ in another axis, or there is no array.

    Example:
        >>> import symback as sb
        >>> sb.dstack([sb.tensor("X", ("N", 3)), sb.tensor("Z", ("N", 3))]).shape
        (N, 3, 2)
    """
    matrices = _of_rank("dstack", tup, 2)
    if matrices is not None and all(matrix.shape == matrices[0].shape for matrix in matrices):
        return stack(matrices, 2)
    return concatenate([atleast_3d(array) for array in sequence_of("dstack", tup, "arrays")], 2)


@public(
    "column_stack",
    examples=(
        lambda f, make: f([make("x", (3,)), make("z", (3,))]),
        lambda f, make: f([make("x", (2, 3)), make("z", (2,))]),
    ),
)
def column_stack(tup: Sequence[Any]) -> Node:
    """Join vectors and matrices as columns of a matrix, as `numpy.column_stack` does.

    Raises:
        ShapeError: If the numbers of rows differ, or there is no array.

    Example:
        >>> import symback as sb
        >>> sb.column_stack([sb.tensor("x", ("n",)), sb.tensor("y", ("n",))]).shape
        (n, 2)
    """
    columns = _of_rank("column_stack", tup, 1)
    if columns is not None and all(column.shape == columns[0].shape for column in columns):
        return stack(columns, 1)
    nodes = [as_array(array) for array in sequence_of("column_stack", tup, "arrays")]
    return concatenate([expand_dims(node, tuple(range(len(node.shape), 2))) for node in nodes], 1)


@public(
    "append",
    examples=(
        lambda f, make: f(make("x", (2, 3)), make("z", (2,))),
        lambda f, make: f(make("x", (2, 3)), make("z", (1, 3)), axis=0),
        lambda f, make: f(make("x", (2,)), 3),
    ),
)
def append(arr: Any, values: Any, axis: int | None = None) -> Node:
    """Join values to the end of an array, as `numpy.append` does; axis None: all entries, along one axis.

    Raises:
        ShapeError: If the shapes differ in another axis.

    Example:
        >>> import symback as sb
        >>> sb.append(sb.tensor("x", ("n",)), 1.0).shape
        (n + 1,)
    """
    return concatenate([arr, values], axis)


@public(
    "block",
    examples=(
        lambda f, make: f([[make("a", (2, 2)), make("b", (2, 1))], [make("c", (1, 2)), make("s", ())]]),
        lambda f, make: f([make("x", (2,)), make("s", ()), 1.0]),
        lambda f, make: f(make("x", (2,))),
    ),
)
def block(arrays: Any) -> Node:
    """Join nested lists of blocks, as `numpy.block` does: the innermost lists along the last axis, and so on.

    Raises:
        ShapeError: If lists are not nested to one depth or empty, or shapes do not fit.

    Example:
        >>> import symback as sb
        >>> A, B = sb.tensor("A", ("m", "n")), sb.tensor("B", ("m", 2))
        >>> sb.block([[A, B], [A, B]]).shape
        (2*m, n + 2)
    """
    depth = _depth(arrays)
    leaves = _flat(arrays)
    rank = max(depth, *(len(as_node(leaf).shape) for leaf in leaves))
    return _block(arrays, depth, rank)


def _depth(arrays: Any) -> int:
    """Return how deep lists are nested."""
    if not isinstance(arrays, list):
        return 0
    depths = {_depth(item) for item in arrays}
    if len(depths) != 1:
        raise errors.unequal_depth("block")
    return 1 + depths.pop()


def _flat(arrays: Any) -> list[Any]:
    return [leaf for item in arrays for leaf in _flat(item)] if isinstance(arrays, list) else [arrays]


def _block(arrays: Any, depth: int, rank: int) -> Node:
    if depth == 0:
        node = as_array(arrays)
        return expand_dims(node, tuple(range(rank - len(node.shape))))
    return concatenate([_block(item, depth - 1, rank) for item in arrays], axis=-depth)


METHODS["row_stack"] = vstack
