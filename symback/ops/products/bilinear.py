"""Products that are no single Contract: Kronecker and cross products, convolution and correlation."""

from typing import Any

import numpy as np

from symback import errors
from symback.nodes.apply import Apply
from symback.nodes.contract import contract
from symback.nodes.dtypes import promote
from symback.nodes.node import Node
from symback.nodes.shapes import Shape, intern_shape, simplify_size
from symback.op.batch import Operands, are_batched, examples_in
from symback.op.declare import Function, primitive
from symback.op.public import public
from symback.ops.elementwise.arithmetic import subtract
from symback.ops.numerics import products as numerics
from symback.ops.products.axes import moveaxis
from symback.ops.products.einsum import numbers
from symback.ops.products.leading import broadcast_leading, sum_to
from symback.ops.shaping.reshaping import lead_of, reshape

__all__ = ["convolve", "correlate", "cross", "kron"]

# -- Kronecker product -------------------------------------------------------------------------------


def _kron_shape(a: Node, b: Node) -> tuple[Shape, np.dtype[Any]]:
    if len(a.shape) != len(b.shape):
        raise errors.bad_node("kron_of", "both operands have the same number of axes")
    sizes = [simplify_size(m * n) for m, n in zip(a.shape, b.shape, strict=True)]
    return intern_shape(tuple(sizes)), promote([a, b])


def _kron_vjp(g: Node, node: Apply) -> tuple[Node, Node]:
    """Split each axis of the cotangent in two, and sum over the axes of the other operand."""
    a, b = node.operands
    lead, rank = lead_of(g, node), len(a.shape)
    split = reshape(g, (*lead, *(size for pair in zip(a.shape, b.shape, strict=True) for size in pair)))
    front = tuple(range(2 * rank, 2 * rank + len(lead)))
    of_a, of_b = tuple(range(0, 2 * rank, 2)), tuple(range(1, 2 * rank, 2))
    terms = (split, (*front, *range(2 * rank)))
    return contract([terms, (b, of_b)], (*front, *of_a)), contract([terms, (a, of_a)], (*front, *of_b))


def _kron_in_batch(node: Any, operands: Operands) -> Node:
    """Multiply all entries of one with all of the other, example by example, and join the axes in pairs."""
    rank = len(node.shape)
    axes = tuple(range(1, 2 * rank, 2)), tuple(range(2, 2 * rank + 1, 2))
    flags = are_batched(node, operands)
    terms = [(x, (0, *own) if flag else own) for x, own, flag in zip(operands, axes, flags, strict=True)]
    return reshape(contract(terms, tuple(range(2 * rank + 1))), (examples_in(node, operands), *node.shape))


_kron: Function = primitive(
    "kron_of",
    signature=_kron_shape,
    vjp=_kron_vjp,
    arity=2,
    batch=_kron_in_batch,
    numpy="np.kron",
    value=np.kron,
    latex=r"{0} \otimes {1}",
    examples=(
        lambda make: _kron((make("a", (2,)), make("b", (3,)))),
        lambda make: _kron((make("a", (1, 2)), make("b", (2, 3)))),
    ),
    doc="Kronecker product.",
)


@public(
    "kron",
    examples=(
        lambda f, make: f(make("A", (2, 3)), make("B", (1, 2))),
        lambda f, make: f(make("a", (2,)), make("B", (2, 3))),
        lambda f, make: f(make("a", ()), make("b", (2,))),
        lambda f, make: f(make("a", (0,)), make("b", (2,))),
    ),
)
def kron(a: Any, b: Any) -> Node:
    """Kronecker product, as `numpy.kron` has it: blocks a[i, j] * b, of any number of axes.

    The operand with fewer axes gets axes of size 1 in front.

    Example:
        >>> import symback as sb
        >>> sb.kron(sb.tensor("A", ("m", "n")), sb.tensor("B", (2, 3))).shape
        (2*m, 3*n)
    """
    a, b = numbers("kron", a, b)
    rank = max(len(a.shape), len(b.shape))
    a, b = (reshape(x, (1,) * (rank - len(x.shape)) + x.shape) for x in (a, b))
    return _kron((a, b))


# -- cross product -----------------------------------------------------------------------------------


def _cross_shape(a: Node, b: Node) -> tuple[Shape, np.dtype[Any]]:
    if a.shape[-1:] != (3,) or b.shape[-1:] != (3,):
        raise errors.bad_cross([a, b])
    return intern_shape((*broadcast_leading("cross", (a, 1), (b, 1)), 3)), promote([a, b])


def _cross_vjp(g: Node, node: Apply) -> tuple[Node, Node]:
    """Turn the triple product: g . (a x b) = a . (b x g) = b . (g x a)."""
    a, b = node.operands
    lead = len(lead_of(g, node))
    return sum_to(_cross((b, g)), lead, a), sum_to(_cross((g, a)), lead, b)


_cross: Function = primitive(
    "cross_of",
    signature=_cross_shape,
    vjp=_cross_vjp,
    arity=2,
    numpy="np.cross",
    value=np.cross,
    mpmath=lambda mp, a, b: np.stack(
        [a[..., i] * b[..., j] - a[..., j] * b[..., i] for i, j in ((1, 2), (2, 0), (0, 1))], axis=-1
    ),
    latex=r"{0} \times {1}",
    examples=(
        lambda make: _cross((make("a", (3,)), make("b", (3,)))),
        lambda make: _cross((make("a", (2, 3)), make("b", (2, 1, 3)))),
    ),
    batch="broadcast",
    doc="Cross product of the vectors along the last axis.",
)


@public(
    "cross",
    examples=(
        lambda f, make: f(make("a", (3,)), make("b", (3,))),
        lambda f, make: f(make("a", (2, 3)), make("b", (3,))),
        lambda f, make: f(make("a", (3, 2)), make("b", (2, 3)), axisa=0, axisb=-1, axisc=0),
        lambda f, make: f(make("a", (3, 2)), make("b", (3, 1)), axis=0),
    ),
    symbolic=False,
)
def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Node:
    """Cross product of the vectors along an axis, as `numpy.cross` has it.

    Args:
        a: Vectors with 3 entries; or, if b's have too, with 2: then the result is the third entry alone.
        b: The same; the other axes broadcast.
        axisa: The axis of a's vectors.
        axisb: The axis of b's vectors.
        axisc: The axis of the result's vectors.
        axis: All three at once.

    Raises:
        ShapeError: If the vectors have another number of entries, or the shapes do not broadcast.

    Example:
        >>> import symback as sb
        >>> sb.cross(sb.tensor("a", ("N", 3)), sb.tensor("b", (3,))).shape
        (N, 3)
    """
    a, b = numbers("cross", a, b)
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = moveaxis(a, axisa, -1), moveaxis(b, axisb, -1)
    if a.shape[-1:] == (2,) and b.shape[-1:] == (2,):
        return subtract(a[..., 0] * b[..., 1], a[..., 1] * b[..., 0])
    return moveaxis(_cross((a, b)), -1, axisc)


# -- convolution -------------------------------------------------------------------------------------


def _convolved_shape(a: Node, v: Node, mode: Any) -> tuple[Shape, np.dtype[Any]]:
    if mode not in ("full", "valid") or not a.shape or not v.shape:
        raise errors.bad_node("convolve_along", "its mode is 'full' or 'valid', of vectors")
    n, m = a.shape[-1], v.shape[-1]
    length = simplify_size(n + m - 1 if mode == "full" else n - m + 1)
    if length == 0 or n == 0 or m == 0 or (isinstance(length, int) and length < 0):
        raise errors.empty_convolution("convolve", a if n == 0 else v)
    return intern_shape((*broadcast_leading("convolve", (a, 1), (v, 1)), length)), promote([a, v])


def _convolved_vjp(g: Node, node: Apply) -> tuple[Node, Node]:
    """Correlate: the transpose of the product with a convolution's matrix."""
    a, v = node.operands
    (mode,) = node.operation.parameters
    lead = len(lead_of(g, node))
    by_a = _convolve((g, v[..., ::-1]), "valid" if mode == "full" else "full")
    by_v = _convolve((g, a[..., ::-1]), "valid") if mode == "full" else _valid_kernel(g, a)
    return sum_to(by_a, lead, a), sum_to(by_v, lead, v)


def _valid_kernel(g: Node, a: Node) -> Node:
    return _convolve((a, g[..., ::-1]), "valid")[..., ::-1]


def _spell_convolution(spell: Any, operands: list[str], parameters: tuple[Any, ...]) -> str:
    stacks = any(len(shape) > 1 for shape in spell.operand_shapes)
    function = spell.helper(numerics.convolve_rows) if stacks else "np.convolve"
    mode = "" if parameters[0] == "full" else f', "{parameters[0]}"'
    return f"{function}({', '.join(operands)}{mode})"


_convolve: Function = primitive(
    "convolve_along",
    signature=_convolved_shape,
    vjp=_convolved_vjp,
    arity=2,
    numpy=_spell_convolution,
    value=numerics.convolve_rows,
    latex=r"{0} * {1}",
    examples=(
        lambda make: _convolve((make("a", (4,)), make("v", (2,))), "full"),
        lambda make: _convolve((make("a", (2, 3)), make("v", (2,))), "valid"),
    ),
    batch="broadcast",
    doc="Convolution along the last axis: all of it, or where the second operand fits into the first.",
)

_CONVOLUTIONS: Any = (
    lambda f, make: f(make("a", (4,)), make("v", (2,))),
    lambda f, make: f(make("a", (2,)), make("v", (4,)), mode="same"),
    lambda f, make: f(make("a", (4,)), make("v", (3,)), "same"),
    lambda f, make: f(make("a", (4,)), make("v", (2,)), "valid"),
    lambda f, make: f(make("a", (2,)), make("v", (3,)), "valid"),
    lambda f, make: f(make("a", (1,)), make("v", (1,)), "full"),
)


@public("convolve", examples=_CONVOLUTIONS, symbolic=False)
def convolve(a: Any, v: Any, mode: str = "full") -> Node:
    """Discrete convolution of two vectors, as `numpy.convolve` has it.

    Args:
        a: Shape (n,).
        v: Shape (m,).
        mode: ``"full"``: all n + m - 1 entries; ``"same"``: the max(n, m) in the middle; ``"valid"``: those for which
            the shorter vector fits into the longer one.

    Raises:
        ShapeError: If an operand is no vector or empty, or the lengths of symbolic sizes cannot be compared.
        UsageError: If there is no such mode.

    Example:
        >>> import symback as sb
        >>> sb.convolve(sb.tensor("a", ("n",)), sb.tensor("v", (3,)), mode="valid").shape
        (n - 2,)
    """
    a, v = _two_vectors("convolve", a, v)
    return _of_mode("convolve", a, v, mode)


def _two_vectors(operation: str, a: Any, v: Any) -> list[Node]:
    nodes = numbers(operation, a, v)
    for node in nodes:
        if len(node.shape) != 1:
            raise errors.wrong_rank(operation, node, "1")
        if node.shape == (0,):
            raise errors.empty_convolution(operation, node)
    return nodes


def _of_mode(operation: str, a: Node, v: Node, mode: Any) -> Node:
    if mode not in ("full", "same", "valid"):
        raise errors.bad_mode(operation, mode)
    if mode == "full":
        return _convolve((a, v), mode)
    n, m = a.shape[0], v.shape[0]
    difference = simplify_size(n - m)
    if not isinstance(difference, int):
        if mode == "same" or not isinstance(m, int):
            raise errors.unknown_lengths(operation, [a, v])
        return _convolve((a, v), "full")[m - 1 : n]  # which is checked at the call: there must be room
    if difference < 0:
        a, v, n, m = v, a, m, n
    if mode == "valid":
        return _convolve((a, v), mode)
    if not isinstance(m, int):
        raise errors.unknown_lengths(operation, [a, v])
    return _convolve((a, v), "full")[(m - 1) // 2 : (m - 1) // 2 + n]


@public("correlate", examples=_CONVOLUTIONS, symbolic=False)
def correlate(a: Any, v: Any, mode: str = "valid") -> Node:
    """Cross-correlation of two real vectors, as `numpy.correlate` has it: the convolution with ``v[::-1]``.

    Raises:
        ShapeError: If an operand is no vector or empty, or the lengths of symbolic sizes cannot be compared.
        UsageError: If there is no such mode.

    Example:
        >>> import symback as sb
        >>> sb.correlate(sb.tensor("a", (5,)), sb.tensor("v", (3,))).shape
        (3,)
    """
    a, v = _two_vectors("correlate", a, v)
    longer = simplify_size(v.shape[0] - a.shape[0])
    if mode == "same" and isinstance(longer, int) and longer > 0:
        return _of_mode("correlate", v, a[::-1], mode)[::-1]
    return _of_mode("correlate", a, v[::-1], mode)
