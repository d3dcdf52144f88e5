"""Reshape, concatenate, and what NumPy makes of them. Transposes and broadcasts are Contracts (see `products`)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import sympy

from symback import errors
from symback.nodes.apply import Apply
from symback.nodes.contract import contract
from symback.nodes.dtypes import promote
from symback.nodes.leaves import as_node
from symback.nodes.node import METHODS, Node
from symback.nodes.products import broadcast_to as broadcast_node
from symback.nodes.products import keep_axes
from symback.nodes.shapes import (
    Shape,
    SizeExpr,
    as_shape,
    as_size,
    intern_shape,
    normalize_axis,
    product,
    sequence_of,
    simplify_size,
)
from symback.op.declare import primitive

__all__ = ["broadcast_to", "concatenate", "expand_dims", "ravel", "reshape", "squeeze", "stack"]


def lead_of(g: Node, y: Node) -> Shape:
    """Return the leading axes that a cotangent has beyond those of the value it belongs to."""
    return g.shape[: len(g.shape) - len(y.shape)]


_reshape = primitive(
    "reshape_to",
    signature=lambda x, shape: (_same_count(x, shape), x.dtype),
    vjp=lambda g, node: (reshape(g, lead_of(g, node) + node.operands[0].shape),),
    linear=True,
    numpy=lambda spell, operands, parameters: f"{operands[0].atom}.reshape({spell.shape(parameters[0])})",
    value=np.reshape,
    latex=lambda operands, parameters: rf"\operatorname{{reshape}}\left({operands[0]}\right)",
    examples=(
        lambda make: reshape(make("x", (2, 3)), (3, 2)),
        lambda make: reshape(make("x", (2, 3)), (6,)),
        lambda make: reshape(make("x", ()), (1, 1)),
    ),
    doc="The entries in row-major order, in another shape.",
)


def _same_count(x: Node, shape: Shape) -> Shape:
    if as_shape(shape) != shape or product(x.shape) != product(shape):
        raise errors.bad_reshape(x, shape)
    return intern_shape(shape)


def reshape(x: Any, shape: Any) -> Node:
    """Change the shape and keep the entries in row-major order, as `numpy.reshape` does; one size may be -1.

    Raises:
        ShapeError: If the number of entries differs.

    Example:
        >>> import symback as sb
        >>> sb.reshape(sb.tensor("x", ("n", 6)), (-1, 2)).shape
        (3*n, 2)
    """
    x = as_node(x)
    given = list(shape) if isinstance(shape, (tuple, list)) else [shape]
    unknown = [k for k, size in enumerate(given) if hasattr(size, "__index__") and size == -1]
    if len(unknown) > 1:
        raise errors.bad_reshape(x, given)
    if unknown:
        given[unknown[0]] = _quotient(x, given, product(as_size(s) for k, s in enumerate(given) if k != unknown[0]))
    wanted = as_shape(given)
    if isinstance(x, Apply) and x.operation.name == "reshape_to":
        x = x.operands[0]
    return x if x.shape == wanted else _reshape(x, wanted)


def _quotient(x: Node, shape: Sequence[Any], known: SizeExpr) -> SizeExpr:
    total = product(x.shape)
    ratio = sympy.cancel(sympy.sympify(total) / sympy.sympify(known)) if known != 0 else sympy.nan
    if not ratio.is_polynomial() or not ratio.is_integer:
        raise errors.bad_reshape(x, shape)
    return simplify_size(ratio)


def ravel(x: Any) -> Node:
    """All entries in row-major order, as one axis.

    Example:
        >>> import symback as sb
        >>> sb.ravel(sb.tensor("X", ("n", 3))).shape
        (3*n,)
    """
    return reshape(x, (-1,))


def expand_dims(x: Any, axis: int | tuple[int, ...]) -> Node:
    """Insert axes of size 1, as `numpy.expand_dims` does; `axis` says where they stand in the result.

    Raises:
        ShapeError: If an axis is out of range for the result, or named twice.

    Example:
        >>> import symback as sb
        >>> sb.expand_dims(sb.tensor("x", ("n",)), 0).shape
        (1, n)
    """
    x = as_node(x)
    given = axis if isinstance(axis, tuple) else (axis,)
    rank = len(x.shape) + len(given)
    if not all(type(a) is int and -rank <= a < rank for a in given):
        raise errors.bad_axis("expand_dims", x, axis)
    axes = tuple(a % rank for a in given)
    if len(set(axes)) < len(axes):
        raise errors.bad_axis("expand_dims", x, axis)
    return keep_axes(x, axes)


def squeeze(x: Any, axis: int | tuple[int, ...] | None = None) -> Node:
    """Remove axes of size 1, as `numpy.squeeze` does: those in `axis`, or all of them.

    Raises:
        ShapeError: If an axis does not exist or has another size.

    Example:
        >>> import symback as sb
        >>> sb.squeeze(sb.tensor("x", (1, "n"))).shape
        (n,)
    """
    x = as_node(x)
    if axis is None:
        axes = [k for k, size in enumerate(x.shape) if size == 1]
    else:
        axes = [normalize_axis("squeeze", x, a) for a in (axis if isinstance(axis, tuple) else (axis,))]
    if any(x.shape[k] != 1 for k in axes):
        raise errors.bad_axis("squeeze", x, axis)
    labels = tuple(range(len(x.shape)))
    return contract([(x, labels)], tuple(label for label in labels if label not in axes))


def broadcast_to(x: Any, shape: Any) -> Node:
    """Repeat along new axes and axes of size 1, as `numpy.broadcast_to` does.

    Raises:
        ShapeError: If the shape does not broadcast to the wanted one.

    Example:
        >>> import symback as sb
        >>> sb.broadcast_to(sb.tensor("x", ("n",)), (2, "n")).shape
        (2, n)
    """
    return broadcast_node(as_node(x), as_shape(shape))


def _joined(*operands: Any) -> tuple[Shape, Any]:
    *nodes, axis = operands
    if type(axis) is not int or not -len(nodes[0].shape) <= axis < 0:
        raise errors.bad_axis("concatenate", nodes[0], axis)
    rest = {(*node.shape[:axis], *node.shape[len(node.shape) + axis + 1 :]) for node in nodes}
    if len(rest) > 1 or len({len(node.shape) for node in nodes}) > 1:
        raise errors.bad_concatenate(nodes, axis)
    total: SizeExpr = 0
    for node in nodes:
        total = total + node.shape[axis]
    shape = list(nodes[0].shape)
    shape[axis] = simplify_size(total)
    return intern_shape(tuple(shape)), promote(nodes)


def _split_cotangent(g: Node, node: Apply) -> tuple[Node, ...]:
    (axis,) = node.operation.parameters
    pieces = []
    start: SizeExpr = 0
    for operand in node.operands:
        stop = simplify_size(start + operand.shape[axis])
        index = [slice(None)] * (len(g.shape) + axis) + [slice(start, stop)]
        pieces.append(g[tuple(index)])
        start = stop
    return tuple(pieces)


def _joined_latex(operands: Sequence[Any], axis: int) -> str:
    """Write rows below each other and the rest side by side; a vector is a column."""
    between = r" \\ " if axis == -2 or len(operands[0].shape) == 1 else " & "
    return rf"\begin{{bmatrix}} {between.join(operands)} \end{{bmatrix}}"


_concatenate = primitive(
    "concatenate_along",
    signature=_joined,
    vjp=_split_cotangent,
    linear=True,
    arity=None,
    numpy=lambda spell, operands, parameters: f"np.concatenate([{', '.join(operands)}], axis={parameters[0]})",
    value=lambda *operands: np.concatenate(operands[:-1], axis=operands[-1]),
    latex=lambda operands, parameters: _joined_latex(operands, *parameters),
    examples=(
        lambda make: concatenate([make("x", (2, 3)), make("z", (1, 3))]),
        lambda make: concatenate([make("x", (2, 3)), make("z", (2, 2))], axis=1),
    ),
    doc="Arrays joined along an existing axis.",
)


def concatenate(arrays: Sequence[Any], axis: int | None = 0) -> Node:
    """Join arrays along an existing axis, as `numpy.concatenate` does; None: all entries, along one axis.

    Raises:
        ShapeError: If the shapes differ in another axis, or there is no array.

    Example:
        >>> import symback as sb
        >>> sb.concatenate([sb.tensor("a", ("n",)), sb.tensor("b", ("m",))]).shape
        (m + n,)
    """
    nodes = [as_node(array) for array in sequence_of("concatenate", arrays, "arrays")]
    if not nodes:
        raise errors.empty_sequence("concatenate")
    if axis is None:
        return concatenate([ravel(node) for node in nodes])
    place = normalize_axis("concatenate", nodes[0], axis) - len(nodes[0].shape)
    return nodes[0] if len(nodes) == 1 else _concatenate(nodes, place)


def stack(arrays: Sequence[Any], axis: int = 0) -> Node:
    """Join arrays of one shape along a new axis, as `numpy.stack` does.

    Raises:
        ShapeError: If the shapes differ, or there is no array.

    Example:
        >>> import symback as sb
        >>> sb.stack([sb.tensor("a", ("n",)), sb.tensor("b", ("n",))], axis=1).shape
        (n, 2)
    """
    return concatenate([expand_dims(array, axis) for array in sequence_of("stack", arrays, "arrays")], axis=axis)


for _function in (reshape, ravel, expand_dims, squeeze, broadcast_to, concatenate, stack):
    METHODS[_function.__name__] = _function
METHODS["shape"] = lambda x: as_node(x).shape
METHODS["ndim"] = lambda x: as_node(x).ndim
