r"""Determinants, with derivatives of every order that hold for singular matrices too.

The determinant is a polynomial of the entries, and so are its derivatives: :math:`\det'(A)[E] = \langle
\operatorname{cof} A, E\rangle`, and the derivative of the cofactors along :math:`E_1` is the gradient of
:math:`\det''(A)[E_1, \cdot]`, and so on. One primitive, of A and any number of directions, is closed under
differentiation. It is evaluated by the singular value decomposition, without a division.
"""

from typing import Any, NamedTuple

import numpy as np

from symback import errors
from symback.nodes.add import add
from symback.nodes.apply import Apply
from symback.nodes.dtypes import promote
from symback.nodes.leaves import constant
from symback.nodes.node import Node
from symback.nodes.products import hadamard
from symback.nodes.shapes import Shape, intern_shape
from symback.op.declare import Function, primitive
from symback.op.public import public
from symback.ops.elementwise.logic import astype
from symback.ops.linalg import exact_matrices
from symback.ops.linalg.matrices import real, square_size
from symback.ops.linalg.solving import inverse_or_inf
from symback.ops.numerics import linalg as numerics
from symback.ops.products.axes import matrix_transpose
from symback.ops.products.leading import broadcast_leading, sum_to
from symback.ops.shaping.reshaping import expand_dims, lead_of

__all__ = ["SlogdetResult", "det", "slogdet"]


def _number_of_each(operation: str) -> Any:
    def signature(a: Node) -> tuple[Shape, np.dtype[Any]]:
        square_size(operation, a)
        return intern_shape(a.shape[:-2]), a.dtype

    return signature


def _gradient_shape(*operands: Node) -> tuple[Shape, np.dtype[Any]]:
    for operand in operands:
        if square_size("det", operand) != operands[0].shape[-1]:
            raise errors.label_mismatch("det", operands, operands[0].shape[-1], operand.shape[-1])
    lead = broadcast_leading("det", *[(operand, 2) for operand in operands])
    return intern_shape((*lead, *operands[0].shape[-2:])), promote(operands)


def _gradient_vjp(g: Node, node: Apply) -> tuple[Node, ...]:
    """The form is symmetric in its directions: g is one more for A, and stands for a direction in the others' place."""
    a, *directions = node.operands
    lead = len(lead_of(g, node))
    found = [sum_to(_det_gradient((a, *directions, g)), lead, a)]
    for place, direction in enumerate(directions):
        others = directions[:place] + directions[place + 1 :]
        found.append(sum_to(_det_gradient((a, *others, g)), lead, direction))
    return tuple(found)


def _gradient_value(*operands: Any) -> Any:
    return numerics.cofactors(*operands) if len(operands) == 1 else numerics.det_derivative(*operands)


def _spell_gradient(spell: Any, operands: list[str], parameters: tuple[Any, ...]) -> str:
    function = numerics.cofactors if len(operands) == 1 else numerics.det_derivative
    return f"{spell.helper(function)}({', '.join(operands)})"


def _gradient_look(operands: Any, parameters: Any) -> str:
    if len(operands) == 1:
        return rf"\operatorname{{cof}}\left({operands[0]}\right)"
    a, *along = operands
    order = f"^{{{len(along)}}}" if len(along) > 1 else ""
    return rf"\mathrm{{D}}{order} \operatorname{{cof}}\left({a}\right)\left[{', '.join(along)}\right]"


_det_gradient: Function = primitive(
    "det_gradient", signature=_gradient_shape, vjp=_gradient_vjp, arity=None, numpy=_spell_gradient,
    value=_gradient_value, mpmath=exact_matrices.det_gradient, latex=_gradient_look,
    examples=(
        lambda make: _det_gradient((make("a", (3, 3)),)),
        lambda make: _det_gradient((make("a", (2, 2)), make("e", (2, 2, 2)))),
        lambda make: _det_gradient((make("a", (3, 3)), make("e", (3, 3)))),
    ),
    batch="broadcast",
    doc="Gradient of det, or of its derivative along directions (Jacobi's formula; mixed discriminants).",
)  # fmt: skip

_det: Function = primitive(
    "det_of", signature=_number_of_each("det"), numpy="np.linalg.det", value=np.linalg.det,
    vjp=lambda g, node: (hadamard(expand_dims(g, (-2, -1)), _det_gradient((node.operands[0],))),),
    mpmath=exact_matrices.determinant, latex=r"\det",
    examples=(lambda make: _det(make("a", (3, 3))), lambda make: _det(make("a", (2, 2, 2)))),
    batch="leading",
    doc="Determinant; its gradient is the matrix of cofactors.",
)  # fmt: skip


@public(
    "linalg.det",
    examples=(
        lambda f, make: f(make("x", (2, 3)) @ make("z", (3, 2))),
        lambda f, make: f(make("x", (2, 1, 1))),
        lambda f, make: f(make("x", (0, 0))),
    ),
    kinks="for a singular matrix the gradient is the matrix of cofactors, as elsewhere; so are higher orders",
)
def det(a: Any) -> Node:
    """Determinant of each square matrix, as `numpy.linalg.det` has it; 1 if it has no entries.

    Derivatives of every order are right for singular matrices too.

    Raises:
        ShapeError: If the matrices are not square.

    Example:
        >>> import symback as sb
        >>> sb.linalg.det(sb.tensor("A", ("N", "n", "n"))).shape
        (N,)
    """
    return _det(real(a))


def _regular(make: Any) -> Node:
    x = make("a", (2, 2, 2))
    return add(x, astype(constant(np.array([[3.0, 0.0], [0.0, -3.0]])), x.dtype))


def _positive(make: Any, *lead: int) -> Node:
    x = make("a", (*lead, 2, 2))
    return add(x, astype(constant(np.array([[4.0, 2.0], [-2.0, 4.0]])), x.dtype))


_sign: Function = primitive(
    "det_sign", signature=_number_of_each("slogdet"), differentiable=False, part=(0, 2),
    numpy="np.linalg.slogdet({0})", value=lambda a: np.linalg.slogdet(a)[0],
    mpmath=lambda mp, a: np.frompyfunc(mp.sign, 1, 1)(exact_matrices.determinant(mp, a)),
    latex=lambda operands, parameters: rf"\operatorname{{sign}} \det {operands[0].atom}",
    examples=(lambda make: _sign(_regular(make)),),
    batch="leading",
    doc="Sign of the determinant; derivative 0.",
)  # fmt: skip


def _log_vjp(g: Node, node: Apply) -> tuple[Node]:
    return (hadamard(expand_dims(g, (-2, -1)), matrix_transpose(inverse_or_inf(node.operands[0]))),)


_logabsdet: Function = primitive(
    "logabsdet", signature=_number_of_each("slogdet"), part=(1, 2), numpy="np.linalg.slogdet({0})",
    value=lambda a: np.linalg.slogdet(a)[1],
    mpmath=lambda mp, a: np.frompyfunc(lambda d: mp.log(abs(d)) if d else -mp.inf, 1, 1)(
        exact_matrices.determinant(mp, a)
    ),
    vjp=_log_vjp,
    latex=lambda operands, parameters: rf"\log \left|\det {operands[0].atom}\right|",
    examples=(lambda make: _logabsdet(_regular(make)),),
    batch="leading",
    doc="Logarithm of the absolute value of the determinant.",
)  # fmt: skip

_log_det: Function = primitive(
    "log_det", signature=_number_of_each("log_det"),
    numpy=lambda spell, operands, parameters: f"{spell.helper(numerics.log_det)}({operands[0]})",
    value=numerics.log_det, mpmath=lambda mp, a: np.frompyfunc(
        lambda d: mp.log(d) if d > 0 else mp.nan if d else -mp.inf, 1, 1
    )(exact_matrices.determinant(mp, a)),
    vjp=_log_vjp, latex=r"\log\left(\det\left({0}\right)\right)",
    examples=(
        lambda make: _log_det(_positive(make)), lambda make: _log_det(_positive(make, 2)),
    ),
    batch="leading",
    doc="Logarithm of the determinant, which may overflow; NaN where it is negative.",
)  # fmt: skip


class SlogdetResult(NamedTuple):
    """What `slogdet` returns.

    Attributes:
        sign: Sign of the determinant: 1, -1, or 0 for a singular matrix.
        logabsdet: Logarithm of its absolute value.
    """

    sign: Node
    logabsdet: Node


@public(
    "linalg.slogdet",
    examples=(
        lambda f, make: f(make("x", (2, 3)) @ make("z", (3, 2))),
        lambda f, make: f(make("x", (2, 2, 2))),
        lambda f, make: f(make("x", (0, 0))),
    ),
    kinks=r"by a symmetric matrix the full-matrix convention, $A^{-\top}$; infinite where a matrix is singular",
)
def slogdet(a: Any) -> SlogdetResult:
    r"""Sign and logarithm of the determinant, as `numpy.linalg.slogdet` has it.

    The gradient of the logarithm is :math:`A^{-\top}`, for a symmetric matrix too (all entries vary
    independently); infinite where a matrix is singular.

    Raises:
        ShapeError: If the matrices are not square.

    Example:
        >>> import symback as sb
        >>> sign, logdet = sb.linalg.slogdet(sb.tensor("A", ("n", "n")))
        >>> logdet.shape
        ()
    """
    x = real(a)
    return SlogdetResult(_sign(x), _logabsdet(x))
