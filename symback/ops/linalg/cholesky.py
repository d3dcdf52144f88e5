"""The Cholesky decomposition. Its convention for symmetric matrices is that of `eigenvalues`."""

from typing import Any

import numpy as np

from symback.nodes.apply import Apply
from symback.nodes.node import Node
from symback.nodes.products import scale
from symback.op.declare import Function, primitive
from symback.op.public import public
from symback.ops.linalg import exact_matrices
from symback.ops.linalg.matrices import HALF, matrix_product, mirrored, of_square, positive_definite, real, square_size
from symback.ops.linalg.solving import solve
from symback.ops.products.axes import matrix_transpose

__all__ = ["cholesky"]


def _cholesky_vjp(g: Node, node: Apply) -> tuple[Node]:
    """Murray, "Differentiation of the Cholesky decomposition", 2016: half of L^-T mirrored(L^T g) L^-1."""
    upper = matrix_transpose(node)
    inner = solve(upper, mirrored(matrix_product(upper, g)))
    return (scale(HALF, solve(upper, matrix_transpose(inner))),)


_cholesky: Function = primitive(
    "cholesky_of", signature=of_square("cholesky"), vjp=_cholesky_vjp, numpy="np.linalg.cholesky",
    value=np.linalg.cholesky, mpmath=exact_matrices.cholesky, latex=r"\operatorname{{chol}}",
    examples=(
        lambda make: _cholesky(positive_definite(make)), lambda make: _cholesky(positive_definite(make, 2)),
    ),
    batch="leading",
    doc="Lower triangular L with L LT = A; LinAlgError where A is not positive definite.",
)  # fmt: skip


@public(
    "linalg.cholesky",
    examples=(
        lambda f, make: f(make("x", (2, 3)) @ make("x", (2, 3)).T),
        lambda f, make: f(make("x", (2, 3)) @ make("x", (2, 3)).T, upper=True),
        lambda f, make: f(make("x", (0, 0))),
    ),
    defined="symmetric, positive definite; the lower triangle is read (the upper one with `upper=True`)",
    kinks="the gradient is symmetric; `LinAlgError` at the call where a matrix is not positive definite",
)
def cholesky(a: Any, /, *, upper: bool = False) -> Node:
    """Lower triangular L with ``L @ L.T == a``, as `numpy.linalg.cholesky` has it; or upper triangular ``L.T``.

    Args:
        a: Shape (..., n, n), symmetric and positive definite. The lower triangle is read (the upper one with
            ``upper=True``), and the gradient is symmetric. Emitted code raises `numpy.linalg.LinAlgError` where a
            matrix is not positive definite.
        upper: Return the upper triangular factor.

    Raises:
        ShapeError: If the matrices are not square.

    Example:
        >>> import symback as sb
        >>> sb.linalg.cholesky(sb.tensor("S", ("n", "n"))).shape
        (n, n)
    """
    x = real(a)
    square_size("cholesky", x)
    return matrix_transpose(_cholesky(matrix_transpose(x))) if upper else _cholesky(x)
