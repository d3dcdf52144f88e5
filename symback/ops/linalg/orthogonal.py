"""Orthogonal factors of rectangular matrices: singular value decomposition and QR."""

from typing import Any, NamedTuple

import numpy as np

from symback import errors
from symback.nodes.apply import Apply
from symback.nodes.node import Node
from symback.nodes.products import hadamard, scale
from symback.nodes.shapes import Shape, SizeExpr, intern_shape, simplify_size
from symback.op.declare import Function, primitive
from symback.op.public import public
from symback.ops.elementwise.arithmetic import HALF, add, divide, negative, subtract
from symback.ops.linalg import exact_matrices
from symback.ops.linalg.gaps import over_gaps
from symback.ops.linalg.matrices import matrix_product, mirrored, projections, real
from symback.ops.linalg.solving import solve
from symback.ops.products.axes import matrix_transpose
from symback.ops.shaping.reshaping import expand_dims

__all__ = ["QRResult", "SVDResult", "qr", "svd", "svdvals"]


def _excess(operation: str, a: Node) -> int | None:
    """Return how many more rows than columns there are, if that is known."""
    if len(a.shape) < 2:
        raise errors.wrong_rank(operation, a, "at least 2")
    difference = simplify_size(a.shape[-2] - a.shape[-1])
    return difference if isinstance(difference, int) else None


def _smaller(a: Node) -> SizeExpr:
    excess = _excess("svd", a)
    if excess is None:
        raise errors.unknown_rank("svd", a)
    return a.shape[-2] if excess < 0 else a.shape[-1]


def _shape_of(part: str) -> Any:
    def signature(a: Node) -> tuple[Shape, np.dtype[Any]]:
        m, n, k = *a.shape[-2:], _smaller(a)
        last = {"left": (m, k), "values": (k,), "right": (k, n)}[part]
        return intern_shape((*a.shape[:-2], *last)), a.dtype

    return signature


def _values_vjp(g: Node, node: Apply) -> tuple[Node]:
    (a,) = node.operands
    return (matrix_product(hadamard(_left(a), expand_dims(g, -2)), _right(a)),)


def _rotation(x: Node, s: Node, sign: int) -> Node:
    """Return (x - xT)[i, j] / (s[j] - s[i]), half, plus or minus the same over the sum of s."""
    quotient = over_gaps((x, s))
    by_gap = add(quotient, matrix_transpose(quotient))
    by_sum = divide(subtract(x, matrix_transpose(x)), add(expand_dims(s, -2), expand_dims(s, -1)))
    return scale(HALF, add(by_gap, by_sum if sign > 0 else negative(by_sum)))


def _left_vjp(g: Node, node: Apply) -> tuple[Node]:
    """U rotates among the singular vectors, and out of their span where there are more rows than columns."""
    (a,) = node.operands
    s, right = _values(a), _right(a)
    inner = matrix_product(matrix_transpose(node), g)
    total = matrix_product(node, _rotation(inner, s, 1))
    if (_excess("svd", a) or 0) > 0:
        total = add(total, divide(subtract(g, matrix_product(node, inner)), expand_dims(s, -2)))
    return (matrix_product(total, right),)


def _right_vjp(g: Node, node: Apply) -> tuple[Node]:
    """The same for V, whose transpose is the third factor."""
    (a,) = node.operands
    s, left = _values(a), _left(a)
    inner = matrix_product(node, matrix_transpose(g))
    total = matrix_product(_rotation(inner, s, -1), node)
    if (_excess("svd", a) or 0) < 0:
        total = add(total, divide(subtract(g, matrix_product(matrix_transpose(inner), node)), expand_dims(s, -1)))
    return (matrix_product(left, total),)


_CALL = "np.linalg.svd({0}, full_matrices=False)"

_values: Function = primitive(
    "singular_values", signature=_shape_of("values"), vjp=_values_vjp, part=(1, 3), numpy=_CALL,
    alone="np.linalg.svdvals({0})", value=lambda a: np.linalg.svd(a, compute_uv=False),
    mpmath=lambda mp, a: exact_matrices.svd(mp, a)[1], latex=r"\sigma\left({0}\right)",
    examples=(
        lambda make: _values(_distinct(make("x", (2, 3)))), lambda make: _values(_distinct(make("x", (2, 2, 2)))),
    ),
    batch="leading",
    doc="Singular values of a matrix in descending order.",
)  # fmt: skip

_left: Function = primitive(
    "left_vectors", signature=_shape_of("left"), vjp=_left_vjp, part=(0, 3), numpy=_CALL,
    value=lambda a: np.linalg.svd(a, full_matrices=False)[0], mpmath=lambda mp, a: exact_matrices.svd(mp, a)[0],
    latex=r"U\left({0}\right)",
    examples=(lambda make: projections(_left(_distinct(make("x", (3, 2))))),),
    batch="leading",
    doc="Left singular vectors of a matrix, as columns.",
)  # fmt: skip

_right: Function = primitive(
    "right_vectors", signature=_shape_of("right"), vjp=_right_vjp, part=(2, 3), numpy=_CALL,
    value=lambda a: np.linalg.svd(a, full_matrices=False)[2], mpmath=lambda mp, a: exact_matrices.svd(mp, a)[2],
    latex=r"V\left({0}\right)^{{\top}}",
    examples=(lambda make: projections(matrix_transpose(_right(_distinct(make("x", (2, 3)))))),),
    batch="leading",
    doc="Right singular vectors of a matrix, as rows.",
)  # fmt: skip


def _distinct(x: Node) -> Node:
    """An example's matrix, with singular values that differ even if x is of ones."""
    return add(x, np.arange(float(x.shape[-1])).astype(x.dtype) ** 2 * np.array([[0], [1], [0]][-x.shape[-2] :], "i1"))


class SVDResult(NamedTuple):
    """What `svd` returns: factors of ``U @ diag(S) @ Vh``.

    Attributes:
        U: Left singular vectors as columns, shape (..., m, k).
        S: Singular values in descending order, shape (..., k).
        Vh: Right singular vectors as rows, shape (..., k, n).
    """

    U: Node
    S: Node
    Vh: Node


def _squared(f: Any, x: Any, **options: Any) -> Any:
    u, s, vh = f(x, full_matrices=False, **options)
    return s, (u * s * s) @ vh


@public(
    "linalg.svd",
    examples=(
        lambda f, make: _squared(f, make("x", (2, 3))),
        lambda f, make: _squared(f, make("x", (3, 2))),
        lambda f, make: f(make("x", (2, 2)), compute_uv=False),
    ),
    kinks=(
        "at equal singular values the derivative of the vectors is NaN; at a singular value 0 that of the "
        "values is the product of the vectors that NumPy returns, a subgradient"
    ),
    symbolic=False,
)
def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    r"""Thin singular value decomposition, as ``numpy.linalg.svd(a, full_matrices=False)`` has it.

    The rule is that of Townsend, "Differentiating the singular value decomposition", 2016, with
    :math:`1/(s_j^2 - s_i^2)` split into partial fractions.

    Args:
        a: Shape (..., m, n); k is the smaller of m and n.
        full_matrices: False, unless the matrices are square: vectors that belong to no singular value have no
            derivative.
        compute_uv: Return all three factors, not only the singular values.

    Returns:
        U of shape (..., m, k), S of shape (..., k) and Vh of shape (..., k, n); or S.

    Raises:
        ShapeError: If which of two symbolic sizes is smaller is not known.
        UsageError: If all singular vectors are asked for.

    Example:
        >>> import symback as sb
        >>> U, S, Vh = sb.linalg.svd(sb.tensor("A", (5, 3)), full_matrices=False)
        >>> U.shape, S.shape, Vh.shape
        ((5, 3), (3,), (3, 3))
    """
    x = real(a)
    if not compute_uv:
        return _values(x)
    if full_matrices and _excess("svd", x) != 0:
        raise errors.bad_option("svd", "full_matrices", str(full_matrices), ("False",))
    return SVDResult(_left(x), _values(x), _right(x))


@public(
    "linalg.svdvals",
    examples=(lambda f, make: f(make("x", (2, 3))), lambda f, make: f(make("x", (2, 3, 2)))),
    kinks="at a singular value 0 the product of the vectors that NumPy returns, a subgradient",
    symbolic=False,
)
def svdvals(x: Any, /) -> Node:
    """Singular values in descending order, as `numpy.linalg.svdvals` has it.

    Raises:
        ShapeError: If which of two symbolic sizes is smaller is not known.

    Example:
        >>> import symback as sb
        >>> sb.linalg.svdvals(sb.tensor("A", (5, 3))).shape
        (3,)
    """
    return _values(real(x))


# -- QR ----------------------------------------------------------------------------------------------


def _qr_shape(part: int) -> Any:
    def signature(a: Node) -> tuple[Shape, np.dtype[Any]]:
        excess = _excess("qr", a)
        if excess is None:
            raise errors.unknown_rank("qr", a)
        if excess < 0:
            raise errors.wide_matrix("qr", a)
        return (intern_shape((*a.shape[:-2], a.shape[-1], a.shape[-1])) if part else a.shape), a.dtype

    return signature


def _over_r(x: Node, r: Node) -> Node:
    """X R^-T."""
    return matrix_transpose(solve(r, matrix_transpose(x)))


def _q_vjp(g: Node, node: Apply) -> tuple[Node]:
    """(G - Q mirrored(GT Q)) R^-T: Liao et al., "Differentiable programming tensor networks", 2019."""
    (a,) = node.operands
    inner = mirrored(matrix_product(matrix_transpose(g), node))
    return (_over_r(subtract(g, matrix_product(node, inner)), _r_factor(a)),)


def _r_vjp(g: Node, node: Apply) -> tuple[Node]:
    (a,) = node.operands
    return (_over_r(matrix_product(_q_factor(a), mirrored(matrix_product(node, matrix_transpose(g)))), node),)


_q_factor: Function = primitive(
    "orthogonal_factor", signature=_qr_shape(0), vjp=_q_vjp, part=(0, 2), numpy="np.linalg.qr({0})",
    value=lambda a: np.linalg.qr(a)[0], mpmath=lambda mp, a: exact_matrices.qr(mp, a)[0],
    latex=r"Q\left({0}\right)", examples=(lambda make: projections(_q_factor(_distinct(make("x", (3, 2))))),),
    batch="leading",
    doc="Orthonormal columns Q with A = QR.",
)  # fmt: skip

_r_factor: Function = primitive(
    "triangular_factor", signature=_qr_shape(1), vjp=_r_vjp, part=(1, 2), numpy="np.linalg.qr({0})",
    alone='np.linalg.qr({0}, "r")', value=lambda a: np.linalg.qr(a, "r"),
    mpmath=lambda mp, a: exact_matrices.qr(mp, a)[1], latex=r"R\left({0}\right)",
    examples=(lambda make: _without_signs(_r_factor(_distinct(make("x", (2, 2))))),),
    batch="leading",
    doc="Upper triangular R with A = QR.",
)  # fmt: skip


def _without_signs(r: Node) -> Node:
    """Products of the entries of R that do not depend on the signs of its rows."""
    return hadamard(r, r[..., -1:])


class QRResult(NamedTuple):
    """What `qr` returns: factors of ``Q @ R``.

    Attributes:
        Q: Orthonormal columns, shape (..., m, n).
        R: Upper triangular, shape (..., n, n).
    """

    Q: Node
    R: Node


def _joined(f: Any, x: Any) -> Any:
    q, r = f(x)
    return q * q[:1], r.T @ (r * r[:, -1:] ** 2)


@public(
    "linalg.qr",
    examples=(lambda f, make: _joined(f, make("x", (3, 2))), lambda f, make: f(make("x", (2, 2)), mode="r") ** 2),
    defined="full column rank, at least as many rows as columns",
    kinks="`LinAlgError` in the gradient where columns are linearly dependent",
    symbolic=False,
)
def qr(a: Any, mode: str = "reduced") -> Any:
    """QR decomposition of matrices with at least as many rows as columns, as `numpy.linalg.qr` has it.

    Args:
        a: Shape (..., m, n), of full column rank.
        mode: ``"reduced"`` for both factors, ``"r"`` for R alone.

    Raises:
        ShapeError: If there are more columns than rows, or that is not known.
        UsageError: If the mode is another.

    Example:
        >>> import symback as sb
        >>> Q, R = sb.linalg.qr(sb.tensor("A", (5, 3)))
        >>> Q.shape, R.shape
        ((5, 3), (3, 3))
    """
    if mode not in ("reduced", "r"):
        raise errors.bad_option("qr", "mode", str(mode), ("reduced", "r"))
    x = real(a)
    return _r_factor(x) if mode == "r" else QRResult(_q_factor(x), _r_factor(x))
