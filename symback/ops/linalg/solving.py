"""Inverses and solutions of linear systems, over stacks of matrices."""

from typing import Any

import numpy as np

from symback import errors
from symback.nodes.add import add, split_coefficient, with_coefficient
from symback.nodes.apply import Apply, unnamed
from symback.nodes.contract import contract
from symback.nodes.dtypes import promote
from symback.nodes.node import Node
from symback.nodes.products import scale
from symback.nodes.shapes import Shape, intern_shape
from symback.op.batch import Operands, aligned, with_ones
from symback.op.declare import Function, primitive
from symback.op.public import public
from symback.ops.linalg import exact_matrices
from symback.ops.linalg.matrices import identity, matrix_product, of_square, real, square_size
from symback.ops.numerics import linalg as numerics
from symback.ops.products.axes import matrix_transpose
from symback.ops.products.leading import broadcast_leading, sum_to
from symback.ops.shaping.reshaping import expand_dims, lead_of
from symback.ops.shaping.triangles import tril, triu

__all__ = ["inv", "solve", "solve_triangular"]


# -- inverse -----------------------------------------------------------------------------------------


def _inverse_vjp(g: Node, node: Apply) -> tuple[Node]:
    transposed = matrix_transpose(node)
    return (scale(-1, matrix_product(matrix_product(transposed, g), transposed)),)


def _regular(make: Any, *lead: int) -> Node:
    """An example's matrix, with a diagonal that keeps it regular."""
    x = make("a", (*lead, 2, 2))
    return add(x, scale(3, identity(2, x)))


_inverse: Function = primitive(
    "inv_of", signature=of_square("inv"), vjp=_inverse_vjp, numpy="np.linalg.inv", value=np.linalg.inv,
    mpmath=exact_matrices.inverse, latex=lambda operands, parameters: operands[0].inverse,
    examples=(lambda make: _inverse(_regular(make)), lambda make: _inverse(_regular(make, 2))),
    batch="leading",
    doc="Inverse of a matrix; LinAlgError where it is singular.",
)  # fmt: skip

inverse_or_inf: Function = primitive(
    "inverse_or_inf", signature=of_square("inv"), vjp=_inverse_vjp,
    numpy=lambda spell, operands, parameters: f"{spell.helper(numerics.inverse)}({operands[0]})",
    value=numerics.inverse, mpmath=exact_matrices.inverse, latex=lambda operands, parameters: operands[0].inverse,
    examples=(lambda make: inverse_or_inf(_regular(make)),),
    batch="leading",
    doc="Inverse of a matrix; infinite where it is singular, as a slope is.",
)  # fmt: skip

_MATRICES: Any = (
    lambda f, make: f(make("x", (2, 3)) @ make("z", (3, 2))),
    lambda f, make: f(make("x", (2, 2, 2))),
    lambda f, make: f(make("x", (1, 1))),
    lambda f, make: f(make("x", (0, 0))),
)


@public("linalg.inv", examples=_MATRICES, kinks="`LinAlgError` at the call where a matrix is singular")
def inv(a: Any) -> Node:
    r"""Inverse of each square matrix, as `numpy.linalg.inv` has it; :math:`d(A^{-1}) = -A^{-1} \, dA \, A^{-1}`.

    Args:
        a: Shape (..., n, n). Emitted code raises `numpy.linalg.LinAlgError` where a matrix is singular.

    Raises:
        ShapeError: If the matrices are not square.

    Example:
        >>> import symback as sb
        >>> sb.linalg.inv(sb.tensor("A", ("n", "n"))).shape
        (n, n)
    """
    return _inverse(real(a))


# -- solution ----------------------------------------------------------------------------------------


def _solution(a: Node, b: Node) -> tuple[Shape, np.dtype[Any]]:
    size = square_size("solve", a)
    if not b.shape:
        raise errors.wrong_rank("solve", b, "at least 1")
    rows = b.shape[0] if len(b.shape) == 1 else b.shape[-2]
    if rows != size:
        raise errors.label_mismatch("solve", [a, b], size, rows)
    if len(b.shape) == 1:
        return intern_shape((*a.shape[:-2], size)), promote([a, b])
    return intern_shape((*broadcast_leading("solve", (a, 2), (b, 2)), *b.shape[-2:])), promote([a, b])


def solve_vectors(a: Node, g: Node) -> Node:
    """Solve for a stack of vectors, shape (..., n): as columns of one system if there is but one matrix."""
    if len(g.shape) == 1:
        return _solve((a, g))
    if len(g.shape) == len(a.shape) == 2:
        columns = matrix_transpose(g)
        if columns is identity(a.shape[-1], columns) and a.dtype == columns.dtype:
            return _inverse(matrix_transpose(a))
        return matrix_transpose(_solve((a, columns)))
    return _solve((a, expand_dims(g, -1)))[..., 0]


def _solution_vjp(g: Node, node: Apply) -> tuple[Node, Node]:
    """With x = solve(a, b): b gets solve(aT, g), a minus that times x, transposed; a factor of g stays outside."""
    a, b = node.operands
    lead = len(lead_of(g, node))
    core, factor = split_coefficient(g)
    assert core is not None  # no vector is an exact number
    if len(b.shape) == 1:
        w = with_coefficient(solve_vectors(matrix_transpose(a), core), factor)
        rank = len(w.shape) - 1
        row, column = rank, rank + 1
        own = tuple(range(lead, rank))
        return scale(-1, contract([(w, (*range(rank), row)), (node, (*own, column))], (*range(rank), row, column))), (
            sum_to(w, lead, b)
        )
    w = with_coefficient(_solve((matrix_transpose(a), core)), factor)
    return sum_to(scale(-1, matrix_product(w, matrix_transpose(node))), lead, a), sum_to(w, lead, b)


def _solution_in_batch(node: Apply, operands: Operands) -> Node:
    """Solve for columns; one vector for each example is a column, and all are columns of one system if a is shared."""
    a, b = operands
    if len(node.operands[1].shape) > 1:
        return _solve(aligned(node, operands))
    return _solve((a, b)) if b is node.operands[1] else solve_vectors(a, with_ones(b, len(node.shape)))


_solve: Function = primitive(
    "solution", signature=_solution, vjp=_solution_vjp, arity=2, numpy="np.linalg.solve", value=np.linalg.solve,
    mpmath=exact_matrices.solution, batch=_solution_in_batch,
    latex=lambda operands, parameters: f"{operands[0].inverse} {operands[1].factor}",
    examples=(
        lambda make: _solve((_regular(make), make("b", (2,)))),
        lambda make: _solve((_regular(make), make("b", (3, 2, 1)))),
        lambda make: _solve((_regular(make, 2), make("b", (2,)))),
    ),
    doc="Solution x of a x = b; LinAlgError where a is singular.",
)  # fmt: skip


@public(
    "linalg.solve",
    examples=(
        lambda f, make: f(make("x", (2, 3)) @ make("z", (3, 2)), make("b", (2,))),
        lambda f, make: f(make("x", (2, 2)), make("b", (2, 3))),
        lambda f, make: f(make("x", (2, 1, 2, 2)), make("b", (3, 2, 1))),
        lambda f, make: f(make("x", (2, 2, 2)), make("b", (2,))),
        lambda f, make: f(make("x", (0, 0)), make("b", (0, 2))),
    ),
    kinks="`LinAlgError` at the call where a matrix is singular",
)
def solve(a: Any, b: Any) -> Node:
    """Solution x of ``a @ x = b``, as `numpy.linalg.solve` has it since NumPy 2.

    Args:
        a: Shape (..., n, n). Emitted code raises `numpy.linalg.LinAlgError` where a matrix is singular.
        b: Shape (n,), one vector; or (..., n, k), columns. Leading axes broadcast.

    Returns:
        Shape (..., n) or (..., n, k).

    Raises:
        ShapeError: If a's matrices are not square, or the sizes do not fit.

    Example:
        >>> import symback as sb
        >>> sb.linalg.solve(sb.tensor("A", ("n", "n")), sb.tensor("b", ("n",))).shape
        (n,)
    """
    return _solve((real(a), real(b)))


def _is_triangular(x: Node, lower: bool) -> bool:
    """Is the other half zero by construction: a factor of a decomposition, or its transpose?"""
    for node, kind in ((x, lower), (matrix_transpose(x), not lower)):
        bare = unnamed(node)
        if isinstance(bare, Apply) and bare.operation.name == ("cholesky_of" if kind else "triangular_factor"):
            return True
    return False


_TRANSPOSED: dict[Any, bool] = {0: False, 1: True, 2: True, "N": False, "T": True, "C": True}


@public(
    "linalg.solve_triangular",
    examples=(
        lambda f, make: f(make("a", (2, 2)), make("b", (2,))),
        lambda f, make: f(make("a", (3, 3)), make("b", (3, 2)), lower=True),
        lambda f, make: f(make("a", (3, 3)), make("b", (3, 1)), trans="T", lower=True, unit_diagonal=True),
        lambda f, make: f(make("a", (2, 2)), make("b", (2,)), 1),
    ),
    kinks="`LinAlgError` at the call where an entry of the diagonal is 0; exactly 0 by the half that is not read",
)
def solve_triangular(a: Any, b: Any, trans: int | str = 0, lower: bool = False, unit_diagonal: bool = False) -> Node:
    """Solution x of ``a @ x = b`` for triangular a, as `scipy.linalg.solve_triangular` has it.

    Args:
        a: Shape (..., n, n); the other half is not read, and the derivative by it is exactly 0.
        b: Shape (n,) or (..., n, k).
        trans: 0 or ``"N"`` for a, 1 or ``"T"`` (2, ``"C"``) for its transpose.
        lower: The lower half of a is read, not the upper.
        unit_diagonal: The diagonal is taken for ones and not read.

    Raises:
        ShapeError: If a's matrices are not square, or the sizes do not fit.
        UsageError: If `trans` is none of these.

    Example:
        >>> import symback as sb
        >>> L, b = sb.tensor("L", ("n", "n")), sb.tensor("b", ("n",))
        >>> sb.linalg.solve_triangular(L, b, lower=True).shape
        (n,)
    """
    matrix, columns = real(a), real(b)
    size = square_size("solve_triangular", matrix)
    if not isinstance(trans, (int, str)) or trans not in _TRANSPOSED:
        raise errors.bad_option("solve_triangular", "trans", str(trans), ("0", "1", "2", "N", "T", "C"))
    if unit_diagonal:
        half = add(identity(size, matrix), tril(matrix, -1) if lower else triu(matrix, 1))
    else:
        half = matrix if _is_triangular(matrix, lower) else (tril if lower else triu)(matrix)
    return _solve((matrix_transpose(half) if _TRANSPOSED[trans] else half, columns))
