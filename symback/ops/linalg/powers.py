r"""Powers of matrices whose exponent is known when the code runs, with derivatives of every order.

The derivative of :math:`A^n` along :math:`E` is :math:`\sum_k A^k E A^{n-1-k}`, the block above the diagonal of the
power of :math:`\begin{bmatrix} A & E \\ 0 & A \end{bmatrix}`; further directions double the matrix again (N. J. Higham,
*Functions of Matrices*, 2008, theorem 3.6; Higham and Relton, SIAM J. Matrix Anal. Appl. 35, 2014). One primitive, of
A, a factor, an exponent and any number of directions, is closed under differentiation: by A there is one direction
more. Along the identity it is :math:`n A^{n-1}`, written without a direction. Where the factor is 0 it is 0, so that
the derivative of :math:`A^0` is 0 for singular matrices too.
"""

from typing import Any

import numpy as np

from symback import errors
from symback.nodes.add import add
from symback.nodes.apply import Apply
from symback.nodes.contract import Contract, contract
from symback.nodes.dtypes import FLOAT64, promote
from symback.nodes.leaves import Ones, as_node, exact
from symback.nodes.node import METHODS, Node
from symback.nodes.products import broadcast_to, hadamard
from symback.nodes.shapes import Shape, intern_shape
from symback.op.batch import Operands, are_batched, with_ones
from symback.op.declare import Function, primitive
from symback.ops.elementwise.logic import astype
from symback.ops.linalg import exact_powers
from symback.ops.linalg.matrices import identity, real, square_size
from symback.ops.numerics import matrix_powers as numerics
from symback.ops.products.axes import matrix_transpose
from symback.ops.products.leading import broadcast_leading, sum_to
from symback.ops.shaping.reshaping import lead_of

_POWER = "matrix_power"

_whole: Function = primitive(
    "integer_exponent", signature=lambda n: (n.shape, n.dtype),
    numpy=lambda spell, operands, parameters: f"{spell.helper(numerics.integer_exponent)}({operands[0]})",
    value=numerics.integer_exponent, mpmath=exact_powers.integer_exponent,
    latex=lambda operands, parameters: operands[0],
    examples=(lambda make: _whole(astype(make("n", (2,), dtype="int64"), FLOAT64)),),
    batch="leading",
    doc="The exponent of a matrix, a float that must be an integer; there is no derivative by it.",
)  # fmt: skip


def _shape(a: Node, factor: Node, exponent: Node, *directions: Node) -> tuple[Shape, np.dtype[Any]]:
    size = square_size(_POWER, a)
    for direction in directions:
        if square_size(_POWER, direction) != size:
            raise errors.label_mismatch(_POWER, [a, direction], size, direction.shape[-1])
    if any(node.dtype.kind not in "iuf" for node in (factor, exponent)):
        raise errors.bad_node(_POWER, "factor and exponent are numbers")
    matrices = [(node, 2) for node in (a, *directions)]
    lead = broadcast_leading(_POWER, *matrices, (factor, 0), (exponent, 0))
    return intern_shape((*lead, size, size)), promote([a, *directions])


def _vjp(g: Node, node: Apply) -> tuple[Node | None, ...]:
    """The form is symmetric in its directions: g is one more for A, and stands for a direction in the others' place."""
    a, factor, exponent, *directions = node.operands
    lead = len(lead_of(g, node))
    turned, others = matrix_transpose(a), [matrix_transpose(direction) for direction in directions]
    found = [sum_to(_along(turned, factor, exponent, [*others, g]), lead, a), *_undefined(g, lead, factor, exponent)]
    for place, direction in enumerate(directions):
        left = others[:place] + others[place + 1 :]
        found.append(sum_to(_along(turned, factor, exponent, [*left, g]), lead, direction))
    return tuple(found)


def _undefined(g: Node, lead: int, *numbers: Node) -> list[Node | None]:
    """Return what reaches numbers: nothing if they are integers, else what ends in an error at `integer_exponent`."""
    return [
        broadcast_to(astype(as_node(np.nan), x.dtype), g.shape[:lead] + x.shape) if x.dtype.kind == "f" else None
        for x in numbers
    ]


def _along(a: Node, factor: Node, exponent: Node, directions: list[Node]) -> Node:
    """Differentiate a power along directions; those that are multiples of the identity change the exponent."""
    scales: list[Node] = []
    kept: list[Node] = []
    for direction in directions:
        scale = _multiple_of_identity(direction)
        if scale is None:
            kept.append(direction)
        else:
            scales.append(scale)
            factor, exponent = hadamard(factor, exponent), add(exponent, exact(-1))
    found = _power((a, factor, exponent, *kept))
    return hadamard(*scales, found) if scales else found


def _multiple_of_identity(node: Node) -> Node | None:
    """Return the number that the identity is multiplied with to give a matrix; None if it is none."""
    if not isinstance(node, Contract) or len(node.shape) != 2 or len({*node.subscripts.out}) == 2:
        return None
    terms = list(zip(node.operands, node.subscripts.inputs, strict=True))
    if any(labels and not isinstance(operand, Ones) for operand, labels in terms):
        return None
    summed = {label for _, labels in terms for label in labels} - {*node.subscripts.out}
    return None if summed else contract([term for term in terms if not term[1]] or [(exact(1), ())], ())


def _spelled(spell: Any, operands: list[str], parameters: tuple[Any, ...]) -> str:
    if operands[1] in ("1", "np.int64(1)"):
        operands = [operands[0], operands[2]] if len(operands) == 3 else operands
    name = numerics.power_of_each if len(operands) == 2 else numerics.scaled_power
    return f"{spell.helper(name)}({', '.join(operands)})"


def _look(operands: Any, parameters: Any) -> str:
    a, factor, exponent, *along = operands
    power = f"{a.atom}^{{{exponent}}}"
    if along:
        order = f"^{{{len(along)}}}" if len(along) > 1 else ""
        power = rf"\mathrm{{D}}{order} \left({power}\right)\left[{', '.join(along)}\right]"
    return power if factor == "1" else f"{factor.factor} {power}"


def _in_batch(node: Apply, operands: Operands) -> Node:
    """Factors and exponents have no axes of matrices, so that the ones behind the axis of the examples are fewer."""
    ranks = [len(node.shape) - (2 if place in (1, 2) else 0) for place in range(len(operands))]
    flags = are_batched(node, operands)
    return _power([with_ones(x, k) if flag else x for x, k, flag in zip(operands, ranks, flags, strict=True)])


def _near_one(make: Any, *lead: int) -> Node:
    x = make("a", (*lead, 2, 2))
    return add(hadamard(as_node(0.5), x), broadcast_to(identity(2, x), x.shape))


def _exponent(make: Any, *lead: int) -> Node:
    return make("n", lead, dtype="int64", low=0, high=4)  # type: ignore[no-any-return]


_power: Function = primitive(
    "power_of_matrix", signature=_shape, vjp=_vjp, arity=None, numpy=_spelled, value=numerics.scaled_power,
    mpmath=exact_powers.power, latex=_look,
    examples=(
        lambda make: _power((_near_one(make), exact(1), _exponent(make))),
        lambda make: _power((make("a", (2, 2, 2)), exact(3), _exponent(make), make("e", (2, 2)))),
        lambda make: _power((make("a", (2, 2)), make("c", (), dtype="int64"), _exponent(make, 2))),
        lambda make: _power((_near_one(make), exact(1), -_exponent(make), make("e", (2, 2)), make("f", (2, 2)))),
    ),
    batch=_in_batch,
    doc="A factor times a power of a matrix, or its derivative along directions; 0 where the factor is 0.",
)  # fmt: skip


def power_of(a: Any, exponent: Any, factor: Any = 1) -> Node:
    """Return a number times a power of matrices, whose exponent is read when the code runs.

    Args:
        a: Shape (..., m, m).
        exponent: Shape (). Floats must be integers: the code raises ValueError where they are not.
        factor: Shape (). Where it is 0 the result is, also where there is no such power.
    """
    numbers = [node if node.dtype.kind in "iu" else _whole(node) for node in (as_node(factor), as_node(exponent))]
    return _power((real(a), *numbers))


METHODS["scaled_matrix_power"] = power_of
