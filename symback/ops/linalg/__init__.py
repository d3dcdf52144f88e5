"""Linear algebra, in the names of `numpy.linalg`; stacks of matrices in leading axes throughout.

Three names differ from those at the top: NumPy has `trace`, `diagonal` and `cross` here for the last axes.
"""

from collections.abc import Callable
from typing import Any

from symback import errors
from symback.nodes.leaves import as_node
from symback.nodes.node import Node
from symback.nodes.shapes import normalize_axis
from symback.op.public import Example, public
from symback.ops.linalg.cholesky import cholesky
from symback.ops.linalg.determinants import SlogdetResult, det, slogdet
from symback.ops.linalg.eigenvalues import EighResult, eigh, eigvalsh
from symback.ops.linalg.matrix_chains import matrix_power, multi_dot
from symback.ops.linalg.norms import matrix_norm, norm, vector_norm
from symback.ops.linalg.orthogonal import QRResult, SVDResult, qr, svd, svdvals
from symback.ops.linalg.solving import inv, solve, solve_triangular
from symback.ops.products import bilinear, diagonals
from symback.ops.products.axes import matrix_transpose
from symback.ops.products.multiplying import matmul, outer, tensordot, vecdot

__all__ = [
    "EighResult",
    "QRResult",
    "SVDResult",
    "SlogdetResult",
    "cholesky",
    "cross",
    "det",
    "diagonal",
    "eigh",
    "eigvalsh",
    "inv",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_transpose",
    "multi_dot",
    "norm",
    "outer",
    "qr",
    "slogdet",
    "solve",
    "solve_triangular",
    "svd",
    "svdvals",
    "tensordot",
    "trace",
    "vecdot",
    "vector_norm",
]


@public(
    "linalg.trace",
    examples=(lambda f, make: f(make("x", (2, 3, 3))), lambda f, make: f(make("x", (2, 3)), offset=1)),
    symbolic=False,
)
def trace(x: Any, /, *, offset: int = 0) -> Node:
    """Sum of the diagonal of each matrix, over the last two axes, as `numpy.linalg.trace` has it.

    Raises:
        ShapeError: If there are fewer than two axes, or their sizes cannot be compared.

    Example:
        >>> import symback as sb
        >>> sb.linalg.trace(sb.tensor("A", ("N", "n", "n"))).shape
        (N,)
    """
    return diagonals.trace(x, offset, -2, -1)


@public(
    "linalg.diagonal",
    examples=(lambda f, make: f(make("x", (2, 3, 3))), lambda f, make: f(make("x", (2, 3)), offset=-1)),
    symbolic=False,
)
def diagonal(x: Any, /, *, offset: int = 0) -> Node:
    """Diagonal of each matrix, of the last two axes, as `numpy.linalg.diagonal` has it.

    Raises:
        ShapeError: If there are fewer than two axes, or their sizes cannot be compared.

    Example:
        >>> import symback as sb
        >>> sb.linalg.diagonal(sb.tensor("A", ("N", "n", "n"))).shape
        (N, n)
    """
    return diagonals.diagonal(x, offset, -2, -1)


@public(
    "linalg.cross",
    examples=(
        lambda f, make: f(make("a", (2, 3)), make("b", (2, 3))),
        lambda f, make: f(make("a", (3, 1)), make("b", (3, 1)), axis=0),
    ),
    symbolic=False,
)
def cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Node:
    """Cross product of the vectors along an axis, as `numpy.linalg.cross` has it.

    Raises:
        ShapeError: If the vectors have not 3 entries, or the shapes do not broadcast.

    Example:
        >>> import symback as sb
        >>> sb.linalg.cross(sb.tensor("a", ("N", 3)), sb.tensor("b", ("N", 3))).shape
        (N, 3)
    """
    nodes = [as_node(x1), as_node(x2)]
    if any(node.shape[normalize_axis("cross", node, axis)] != 3 for node in nodes):
        raise errors.bad_cross(nodes)
    return bilinear.cross(nodes[0], nodes[1], axis=axis)


_SAME: dict[Callable[..., Node], tuple[Example, ...]] = {
    matmul: (lambda f, make: f(make("A", (2, 3)), make("B", (3, 2))),),
    matrix_transpose: (lambda f, make: f(make("A", (2, 3))),),
    outer: (lambda f, make: f(make("a", (2,)), make("b", (3,))),),
    tensordot: (lambda f, make: f(make("A", (2, 3)), make("B", (3, 2)), axes=1),),
    vecdot: (lambda f, make: f(make("a", (2, 3)), make("b", (2, 3))),),
}
"""What NumPy has under both names."""

for _function, _examples in _SAME.items():
    public(f"linalg.{_function.__name__}", examples=_examples)(_function)


def __dir__() -> list[str]:
    """Return what is public: completion shows no more."""
    return sorted(__all__)
