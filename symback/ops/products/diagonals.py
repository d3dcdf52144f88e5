"""Diagonals of matrices, and matrices made of diagonals."""

from typing import Any

import numpy as np

from symback import errors
from symback.nodes.contract import contract
from symback.nodes.leaves import as_node
from symback.nodes.node import Node
from symback.nodes.products import permute
from symback.nodes.shapes import SizeExpr, integer_of, intern_shape, normalize_axis, simplify_size
from symback.op.batch import Operands
from symback.op.declare import Function, primitive
from symback.op.public import public
from symback.ops.reductions.sums import sum as sum_over
from symback.ops.shaping.padding import pad
from symback.ops.shaping.reshaping import ravel

__all__ = ["diag", "diagflat", "diagonal", "trace"]


def _checked_offset(operation: str, x: Node, offset: Any) -> int:
    place = integer_of(offset)
    if place is None:
        raise errors.bad_offset(operation, x, offset)
    return place


@public(
    "diagonal",
    examples=(
        lambda f, make: f(make("x", (3, 3))),
        lambda f, make: f(make("x", (2, 3)), offset=1),
        lambda f, make: f(make("x", (2, 3, 2)), 0, axis1=2, axis2=-3),
        lambda f, make: f(make("x", (3, 3)), -2),
        lambda f, make: f(make("x", (2, 3)), offset=7),
        lambda f, make: f(make("x", (0, 2))),
    ),
    symbolic=False,
)
def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Node:
    """Diagonal of two axes, put last, as `numpy.diagonal` has it.

    Args:
        a: At least two axes.
        offset: How far above the main diagonal; below it if negative.
        axis1: The axis of the rows.
        axis2: The axis of the columns.

    Raises:
        ShapeError: If there are fewer than two axes, an axis does not exist, or symbolic sizes cannot be compared.

    Example:
        >>> import symback as sb
        >>> sb.diagonal(sb.tensor("A", (2, 3)), offset=1).shape
        (2,)
    """
    x = as_node(a)
    if len(x.shape) < 2:
        raise errors.wrong_rank("diagonal", x, "at least 2")
    first, second = normalize_axis("diagonal", x, axis1), normalize_axis("diagonal", x, axis2)
    if first == second:
        raise errors.bad_axis("diagonal", x, (axis1, axis2))
    rest = [axis for axis in range(len(x.shape)) if axis not in (first, second)]
    x = _square_part(permute(x, [*rest, first, second]), _checked_offset("diagonal", x, offset))
    labels = tuple(range(len(rest)))
    last = len(rest)
    return contract([(x, (*labels, last, last))], (*labels, last))


def _square_part(x: Node, offset: int) -> Node:
    """Cut matrices down to squares whose main diagonal is the diagonal at an offset."""
    rows, columns = x.shape[-2:]
    top, left = (_within(start, size) for start, size in ((max(-offset, 0), rows), (max(offset, 0), columns)))
    height, width = simplify_size(rows - top), simplify_size(columns - left)
    excess = simplify_size(height - width)
    if not isinstance(excess, int):
        raise errors.label_mismatch("diagonal", [x], rows, columns)
    length = width if excess > 0 else height
    if (top, left, excess) == (0, 0, 0):
        return x
    return x[..., top : top + length, left : left + length]


def _within(start: int, size: SizeExpr) -> int:
    return min(start, size) if isinstance(size, int) else start


@public(
    "trace",
    examples=(
        lambda f, make: f(make("x", (2, 3))),
        lambda f, make: f(make("x", (3, 3)), offset=-1),
        lambda f, make: f(make("x", (2, 3, 2)), 0, 0, 2),
        lambda f, make: f(make("i", (2, 2), dtype="int32")),
        lambda f, make: f(make("x", (0, 0))),
    ),
    symbolic=False,
)
def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Node:
    """Sum of the diagonal over two axes, as `numpy.trace` has it; small integers are summed in 64 bits.

    Raises:
        ShapeError: If there are fewer than two axes, or their sizes cannot be compared.

    Example:
        >>> import symback as sb
        >>> sb.trace(sb.tensor("A", ("n", "n"))).shape
        ()
    """
    return sum_over(diagonal(a, offset, axis1, axis2), axis=-1)


def _diag_in_batch(node: Any, operands: Operands) -> Node:
    """Put each vector on a main diagonal, and rows and columns of zeros around it."""
    (k,) = node.operation.parameters
    below, above = max(-k, 0), max(k, 0)
    return pad(contract([(operands[0], (0, 1))], (0, 1, 1)), ((0, 0), (below, above), (above, below)))


_diag_at: Function = primitive(
    "diag_at",
    signature=lambda x, k: (intern_shape(_matrix_shape(x, k)), x.dtype),
    vjp=lambda g, node: (diagonal(g, node.operation.parameters[0], -2, -1),),
    linear=True,
    batch=_diag_in_batch,
    numpy=lambda spell, operands, parameters: f"np.diag({operands[0]}, k={parameters[0]})",
    value=np.diag,
    mpmath=lambda mp, x, k: np.diag(x, k) + mp.mpf(0),
    latex=lambda operands, parameters: rf"\operatorname{{diag}}_{{{parameters[0]}}}\left({operands[0]}\right)",
    examples=(lambda make: _diag_at(make("x", (2,)), 1), lambda make: _diag_at(make("x", (2,)), -2)),
    doc="Matrix with a vector on the diagonal that is k above the main one.",
)


def _matrix_shape(x: Node, k: Any) -> tuple[Any, ...]:
    if type(k) is not int or len(x.shape) != 1:
        raise errors.bad_node("diag_at", "it puts a vector on a diagonal whose place is an integer")
    return (simplify_size(x.shape[0] + abs(k)),) * 2


@public(
    "diag",
    examples=(
        lambda f, make: f(make("x", (3,))),
        lambda f, make: f(make("x", (2,)), k=-1),
        lambda f, make: f(make("x", (2, 3)), 1),
        lambda f, make: f(make("x", (0,))),
    ),
    symbolic=False,
)
def diag(v: Any, k: int = 0) -> Node:
    """Matrix with a vector on its diagonal, shape (n,) to (n + |k|, n + |k|), or diagonal of a matrix.

    Args:
        v: One or two axes.
        k: How far above the main diagonal; below it if negative.

    Raises:
        ShapeError: If there are neither one nor two axes.

    Example:
        >>> import symback as sb
        >>> sb.diag(sb.tensor("x", ("n",))).shape
        (n, n)
    """
    x = as_node(v)
    if len(x.shape) not in (1, 2):
        raise errors.wrong_rank("diag", x, "1 or 2")
    place = _checked_offset("diag", x, k)
    if len(x.shape) == 2:
        return diagonal(x, place)
    if place:
        return _diag_at(x, place)
    return contract([(x, (0,))], (0, 0))


@public(
    "diagflat",
    examples=(lambda f, make: f(make("x", (2, 2))), lambda f, make: f(make("x", ()), 1)),
)
def diagflat(v: Any, k: int = 0) -> Node:
    """Matrix with all entries of an array on its diagonal, as `numpy.diagflat` has it.

    Raises:
        ShapeError: If the place of the diagonal is no integer.

    Example:
        >>> import symback as sb
        >>> sb.diagflat(sb.tensor("X", ("n", 2))).shape
        (2*n, 2*n)
    """
    return diag(ravel(v), k)
