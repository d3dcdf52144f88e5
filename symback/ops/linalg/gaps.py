"""Quotients by the gaps between eigenvalues, of which the derivatives of eigenvectors are made."""

from typing import Any

import numpy as np

from symback import errors
from symback.nodes.add import add
from symback.nodes.apply import Apply
from symback.nodes.dtypes import promote
from symback.nodes.node import Node
from symback.nodes.products import broadcast_to, hadamard, scale, sum_axes
from symback.nodes.shapes import Shape
from symback.op.batch import Operands, repeated, with_ones
from symback.op.declare import Function, primitive
from symback.ops.linalg.matrices import square_size
from symback.ops.numerics import linalg as numerics
from symback.ops.products.leading import sum_to
from symback.ops.shaping.reshaping import lead_of


def _gaps_signature(x: Node, w: Node) -> tuple[Shape, np.dtype[Any]]:
    size = square_size("over_gaps", x)
    if w.shape[-1:] != (size,) or w.shape[:-1] != x.shape[max(len(x.shape) - len(w.shape) - 1, 0) : -2]:
        raise errors.bad_node("over_gaps", "matrices and their eigenvalues are needed")
    return x.shape, promote((x, w))


def _gaps_vjp(g: Node, node: Apply) -> tuple[Node, Node]:
    """Q(x, w) is linear in x; by w[j] - w[i] its derivative is -Q(x, w) / (w[j] - w[i])."""
    _, w = node.operands
    lead = len(lead_of(g, node))
    rank = len(g.shape)
    slopes = over_gaps((hadamard(g, node), w))
    by_w = add(sum_axes(slopes, (rank - 1,)), scale(-1, sum_axes(slopes, (rank - 2,))))
    return over_gaps((g, w)), sum_to(by_w, lead, w)


def _gaps_in_batch(node: Apply, operands: Operands) -> Node:
    """Repeat eigenvalues that differ from example to example for each of the matrices that share them."""
    x, w = operands
    if w is node.operands[1]:
        return over_gaps((x, w))
    x = repeated(node, operands)[0]
    return over_gaps((x, broadcast_to(with_ones(w, len(node.shape) - 1), x.shape[:-1])))


def _exact_gaps(mp: Any, x: Any, w: Any) -> Any:
    gap = w[..., None, :] - w[..., :, None]
    quotient = np.frompyfunc(lambda a, b: a / b if b else (mp.nan if a else mp.mpf(0)), 2, 1)
    return np.where(np.eye(w.shape[-1], dtype=bool), mp.mpf(0), quotient(x, gap))


over_gaps: Function = primitive(
    "over_gaps", signature=_gaps_signature, vjp=_gaps_vjp, arity=2, batch=_gaps_in_batch,
    numpy=lambda spell, operands, parameters: f"{spell.helper(numerics.over_gaps)}({', '.join(operands)})",
    value=numerics.over_gaps, mpmath=_exact_gaps,
    latex=lambda operands, parameters: rf"\left({operands[0]}\right) \oslash \Delta\left({operands[1]}\right)",
    examples=(lambda make: over_gaps((make("x", (2, 2)), make("w", (2,)) + np.array([0, 9], "int8"))),),
    doc="x[i, j] / (w[j] - w[i]), 0 on the diagonal; where w are equal, 0 for a zero and NaN else.",
)  # fmt: skip
