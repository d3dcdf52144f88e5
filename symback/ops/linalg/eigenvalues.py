r"""Eigenvalues and eigenvectors of symmetric matrices.

One convention holds for all functions of symmetric matrices: their lower triangle is read, and the gradient is
symmetric, the derivative of the function of :math:`(A + A^\top)/2`.
"""

from typing import Any, Literal, NamedTuple

import numpy as np

from symback import errors
from symback.nodes.add import add
from symback.nodes.apply import Apply
from symback.nodes.node import Node
from symback.nodes.products import hadamard, scale
from symback.nodes.shapes import Shape, intern_shape
from symback.op.declare import Function, primitive
from symback.op.public import public
from symback.ops.linalg import exact_matrices
from symback.ops.linalg.gaps import over_gaps
from symback.ops.linalg.matrices import (
    HALF,
    matrix_product,
    of_square,
    positive_definite,
    projections,
    real,
    square_size,
)
from symback.ops.products.axes import matrix_transpose
from symback.ops.shaping.reshaping import expand_dims

__all__ = ["EighResult", "eigh", "eigvalsh"]


def symmetric_part(x: Node) -> Node:
    """(x + xT) / 2."""
    return scale(HALF, add(x, matrix_transpose(x)))


def _of_triangle(uplo: Literal["L", "U"], values: str, vectors: str) -> tuple[Function, Function]:
    """Declare eigenvalues and eigenvectors of matrices of which one triangle is read."""
    arguments = "{0}" if uplo == "L" else '{0}, "U"'

    def vectors_vjp(g: Node, node: Apply) -> tuple[Node]:
        """V Q VT with Q the cotangent in the basis V over the gaps of the eigenvalues, symmetric."""
        inner = over_gaps((matrix_product(matrix_transpose(node), g), eigenvalues(node.operands[0])))
        return (matrix_product(matrix_product(node, symmetric_part(inner)), matrix_transpose(node)),)

    def values_vjp(g: Node, node: Apply) -> tuple[Node]:
        basis = eigenvectors(node.operands[0])
        return (matrix_product(hadamard(basis, expand_dims(g, -2)), matrix_transpose(basis)),)

    eigenvalues: Function = primitive(
        values, signature=_eigenvalue_shape, vjp=values_vjp, part=(0, 2), numpy=f"np.linalg.eigh({arguments})",
        alone=f"np.linalg.eigvalsh({arguments})", value=lambda a: np.linalg.eigvalsh(a, uplo),
        mpmath=lambda mp, a: exact_matrices.eigh(mp, a)[0], latex=r"\lambda\left({0}\right)",
        examples=(
            lambda make: eigenvalues(positive_definite(make)), lambda make: eigenvalues(positive_definite(make, 2)),
        ),
        batch="leading", doc="Eigenvalues of a symmetric matrix in ascending order.",
    )  # fmt: skip
    eigenvectors: Function = primitive(
        vectors, signature=of_square("eigh"), vjp=vectors_vjp, part=(1, 2), numpy=f"np.linalg.eigh({arguments})",
        value=lambda a: np.linalg.eigh(a, uplo)[1], mpmath=lambda mp, a: exact_matrices.eigh(mp, a)[1],
        latex=r"V\left({0}\right)", examples=(lambda make: projections(eigenvectors(positive_definite(make))),),
        batch="leading", doc="Orthonormal eigenvectors of a symmetric matrix, as columns; LAPACK chooses their signs.",
    )  # fmt: skip
    return eigenvalues, eigenvectors


def _eigenvalue_shape(a: Node) -> tuple[Shape, np.dtype[Any]]:
    square_size("eigh", a)
    return intern_shape(a.shape[:-1]), a.dtype


_PARTS = {
    "L": _of_triangle("L", "eigenvalues", "eigenvectors"),
    "U": _of_triangle("U", "eigenvalues_upper", "eigenvectors_upper"),
}


class EighResult(NamedTuple):
    """What `eigh` returns.

    Attributes:
        eigenvalues: In ascending order, shape (..., n).
        eigenvectors: As columns, shape (..., n, n).
    """

    eigenvalues: Node
    eigenvectors: Node


def _parts(operation: str, a: Any, uplo: Any) -> tuple[Node, Function, Function]:
    """Return a matrix, and the functions for its eigenvalues and eigenvectors."""
    x = real(a)
    square_size(operation, x)
    if not isinstance(uplo, str) or uplo.upper() not in _PARTS:
        raise errors.bad_option(operation, "UPLO", str(uplo), ("L", "U"))
    return x, *_PARTS[uplo.upper()]


def _reconstructed(f: Any, x: Any, **options: Any) -> Any:
    w, v = f(x, **options)
    return w, (v * w * w) @ v.T


@public(
    "linalg.eigh",
    examples=(
        lambda f, make: _reconstructed(f, make("x", (2, 2)) + make("x", (2, 2)).T),
        lambda f, make: _reconstructed(f, make("x", (3, 2)).T @ make("x", (3, 2)), UPLO="U"),
    ),
    defined="symmetric; the lower triangle is read (the upper one with `UPLO='U'`)",
    kinks=(
        "the gradient is symmetric; at equal eigenvalues it is right for what does not mix their eigenvectors, such as "
        "sums of functions of the eigenvalues, and NaN else"
    ),
)
def eigh(a: Any, UPLO: str = "L") -> EighResult:
    r"""Eigenvalues and eigenvectors of symmetric matrices, as `numpy.linalg.eigh` has it.

    With :math:`F_{ij} = 1/(w_j - w_i)` off the diagonal, :math:`\bar A = V (\operatorname{diag} \bar w +
    \operatorname{sym}(F \circ V^\top \bar V)) V^\top` (Giles, "Collected matrix derivative results for forward and
    reverse mode algorithmic differentiation", 2008).

    Args:
        a: Shape (..., n, n), symmetric; one triangle is read, and the gradient is symmetric.
        UPLO: Which one: ``"L"`` or ``"U"``.

    Raises:
        ShapeError: If the matrices are not square.
        UsageError: If UPLO is neither.

    Example:
        >>> import symback as sb
        >>> w, V = sb.linalg.eigh(sb.tensor("S", ("n", "n")))
        >>> w.shape, V.shape
        ((n,), (n, n))
    """
    x, eigenvalues, eigenvectors = _parts("eigh", a, UPLO)
    return EighResult(eigenvalues(x), eigenvectors(x))


@public(
    "linalg.eigvalsh",
    examples=(
        lambda f, make: f(make("x", (2, 2)) + make("x", (2, 2)).T),
        lambda f, make: f(make("x", (2, 3)) @ make("x", (2, 3)).T, UPLO="U"),
        lambda f, make: f(make("x", (0, 0))),
    ),
    defined="symmetric; the lower triangle is read (the upper one with `UPLO='U'`)",
    kinks="the gradient is symmetric; where eigenvalues are equal, their order is that of the computed eigenvectors",
)
def eigvalsh(a: Any, UPLO: str = "L") -> Node:
    """Eigenvalues of symmetric matrices in ascending order, as `numpy.linalg.eigvalsh` has it.

    Raises:
        ShapeError: If the matrices are not square.
        UsageError: If UPLO is neither ``"L"`` nor ``"U"``.

    Example:
        >>> import symback as sb
        >>> sb.linalg.eigvalsh(sb.tensor("S", ("n", "n"))).shape
        (n,)
    """
    x, eigenvalues, _ = _parts("eigvalsh", a, UPLO)
    return eigenvalues(x)
