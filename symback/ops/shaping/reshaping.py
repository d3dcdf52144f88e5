"""The same entries in another shape. Transposes and broadcasts are Contracts (see `products`)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import sympy

from symback import errors
from symback.nodes.apply import Apply
from symback.nodes.contract import contract
from symback.nodes.leaves import as_node, ones_of
from symback.nodes.node import Node
from symback.nodes.products import broadcast_to as broadcast_node
from symback.nodes.products import keep_axes
from symback.nodes.shapes import (
    Shape,
    SizeExpr,
    as_shape,
    as_size,
    broadcast_shapes,
    intern_shape,
    normalize_axes,
    product,
    simplify_size,
)
from symback.op.batch import Operands
from symback.op.declare import Function, primitive
from symback.op.public import public

__all__ = [
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "broadcast_arrays",
    "broadcast_to",
    "expand_dims",
    "ravel",
    "reshape",
    "squeeze",
]


def lead_of(g: Node, y: Node) -> Shape:
    """Return the leading axes that a cotangent has beyond those of the value it belongs to."""
    return g.shape[: len(g.shape) - len(y.shape)]


def as_array(value: Any) -> Node:
    """Make a node of a value as `numpy.asarray` makes an array: Python's numbers are no longer weak."""
    node = as_node(value)
    return contract([(node, ()), (ones_of((), node.dtype), ())], ()) if node.is_weak else node


def axis_argument(axis: int, rank: int, default: int | None = None) -> str:
    """Write ``, axis=k`` for an axis named from the last, counted from 0, or nothing if it is the default."""
    place = axis + rank
    return "" if default is not None and place == default % rank else f", axis={place}"


def _unreshaped(g: Node, node: Apply) -> tuple[Node]:
    return (reshape(g, lead_of(g, node) + node.operands[0].shape),)


def _reshaped_in_batch(node: Apply, operands: Operands) -> Node:
    return reshape(operands[0], (operands[0].shape[0], *node.shape))


_reshape: Function = primitive(
    "reshape_to",
    signature=lambda x, shape: (_same_count(x, shape), x.dtype),
    vjp=_unreshaped,
    linear=True,
    batch=_reshaped_in_batch,
    numpy=lambda spell, operands, parameters: f"{operands[0].atom}.reshape({spell.shape(parameters[0])})",
    value=np.reshape,
    latex=lambda operands, parameters: rf"\operatorname{{reshape}}\left({operands[0]}\right)",
    examples=(lambda make: _reshape(make("x", (2, 3)), (3, 2)), lambda make: _reshape(make("x", ()), (1, 1))),
    doc="The entries in row-major order, in another shape.",
)


def _same_count(x: Node, shape: Shape) -> Shape:
    if as_shape(shape) != shape or product(x.shape) != product(shape):
        raise errors.bad_reshape(x, shape)
    return intern_shape(shape)


@public(
    "reshape",
    examples=(
        lambda f, make: f(make("x", (2, 3)), (3, 2)),
        lambda f, make: f(make("x", (2, 3)), (1, -1, 2)),
        lambda f, make: f(make("x", (0, 3)), (-1, 1)),
        lambda f, make: f(make("x", ()), (1,), order="C"),
    ),
    symbolic=False,
)
def reshape(a: Any, shape: Any = None, order: str = "C", *, newshape: Any = None) -> Node:
    """Change the shape and keep the entries in row-major order, as `numpy.reshape` does; one size may be -1.

    Args:
        a: Any shape.
        shape: A size or a tuple of sizes, integers or symbolic.
        order: ``"C"``: entries are read and written in row-major order.
        newshape: The older name of `shape`.

    Raises:
        ShapeError: If the number of entries differs.
        UsageError: If `order` is another one, or no shape is given.

    Example:
        >>> import symback as sb
        >>> sb.reshape(sb.tensor("x", ("n", 6)), (-1, 2)).shape
        (3*n, 2)
    """
    x = as_node(a)
    _row_major("reshape", order)
    if (shape is None) == (newshape is None):
        raise errors.unsupported_value("reshape", "shape", shape, "give shape or newshape, one of them")
    wanted_shape = newshape if shape is None else shape
    given = list(wanted_shape) if isinstance(wanted_shape, (tuple, list)) else [wanted_shape]
    unknown = [k for k, size in enumerate(given) if hasattr(size, "__index__") and size == -1]
    if len(unknown) > 1:
        raise errors.bad_reshape(x, given)
    if unknown:
        given[unknown[0]] = _quotient(x, given, product(as_size(s) for k, s in enumerate(given) if k != unknown[0]))
    wanted = as_shape(given)
    if isinstance(x, Apply) and x.operation.name == "reshape_to":
        x = x.operands[0]
    if not x.shape and all(size == 1 for size in wanted):
        return keep_axes(x, range(len(wanted)))
    return x if x.shape == wanted else _reshape(x, wanted)


def _row_major(operation: str, order: Any) -> None:
    if order != "C":
        cure = "entries are read in row-major order, order='C'; transpose before and after for column-major order"
        raise errors.unsupported_value(operation, "order", order, cure)


def _quotient(x: Node, shape: Sequence[Any], known: SizeExpr) -> SizeExpr:
    total = product(x.shape)
    whole, part = (sympy.sympify(size, strict=True) for size in (total, known))
    ratio = sympy.cancel(whole / part) if known != 0 else sympy.nan
    if not ratio.is_polynomial() or not ratio.is_integer:
        raise errors.bad_reshape(x, shape)
    return simplify_size(ratio)


@public("ravel", examples=(lambda f, make: f(make("x", (2, 3))), lambda f, make: f(make("x", ()), order="C")))
def ravel(a: Any, order: str = "C") -> Node:
    """All entries in row-major order, as one axis, as `numpy.ravel` has it.

    Raises:
        UsageError: If `order` is not ``"C"``.

    Example:
        >>> import symback as sb
        >>> sb.ravel(sb.tensor("X", ("n", 3))).shape
        (3*n,)
    """
    x = as_node(a)
    _row_major("ravel", order)
    return reshape(x, (product(x.shape),))


@public(
    "expand_dims",
    examples=(
        lambda f, make: f(make("x", (3,)), 0),
        lambda f, make: f(make("x", (2, 3)), axis=(0, -1)),
        lambda f, make: f(make("x", ()), -1),
    ),
)
def expand_dims(a: Any, axis: int | Sequence[int]) -> Node:
    """Insert axes of size 1, as `numpy.expand_dims` does; `axis` says where they stand in the result.

    Raises:
        ShapeError: If an axis is out of range for the result, or named twice.

    Example:
        >>> import symback as sb
        >>> sb.expand_dims(sb.tensor("x", ("n",)), 0).shape
        (1, n)
    """
    x = as_node(a)
    given = axis if isinstance(axis, (tuple, list)) else (axis,)
    rank = len(x.shape) + len(given)
    if not all(_is_integer(k) and -rank <= k < rank for k in given):
        raise errors.bad_axis("expand_dims", x, axis)
    axes = tuple(int(k) % rank for k in given)
    if len(set(axes)) < len(axes):
        raise errors.bad_axis("expand_dims", x, axis)
    return keep_axes(x, axes) if axes else x


def _is_integer(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


@public(
    "squeeze",
    examples=(
        lambda f, make: f(make("x", (1, 3, 1))),
        lambda f, make: f(make("x", (1, 2, 1)), axis=-1),
        lambda f, make: f(make("x", (1, 1)), axis=(0, 1)),
    ),
)
def squeeze(a: Any, axis: int | tuple[int, ...] | None = None) -> Node:
    """Remove axes of size 1, as `numpy.squeeze` does: those in `axis`, or all of them.

    Raises:
        ShapeError: If an axis does not exist, is named twice, or has another size.

    Example:
        >>> import symback as sb
        >>> sb.squeeze(sb.tensor("x", (1, "n"))).shape
        (n,)
    """
    x = as_node(a)
    if axis is None:
        axes = tuple(k for k, size in enumerate(x.shape) if size == 1)
    else:
        axes = normalize_axes("squeeze", x, axis)
    if any(x.shape[k] != 1 for k in axes):
        raise errors.bad_axis("squeeze", x, axis)
    labels = tuple(range(len(x.shape)))
    return contract([(x, labels)], tuple(label for label in labels if label not in axes))


@public(
    "broadcast_to",
    examples=(
        lambda f, make: f(make("x", (3,)), (2, 3)),
        lambda f, make: f(make("x", (2, 1)), (4, 2, 3)),
        lambda f, make: f(make("x", (1,)), (0,)),
        lambda f, make: f(make("x", ()), 3),
    ),
    symbolic=False,
)
def broadcast_to(array: Any, shape: Any) -> Node:
    """Repeat along new axes and axes of size 1, as `numpy.broadcast_to` does; a symbolic size is not 1.

    Raises:
        ShapeError: If the shape does not broadcast to the wanted one.

    Example:
        >>> import symback as sb
        >>> sb.broadcast_to(sb.tensor("x", ("n",)), (2, "n")).shape
        (2, n)
    """
    return broadcast_node(as_array(array), as_shape(shape))


@public(
    "broadcast_arrays",
    examples=(lambda f, make: f(make("x", (3,)), make("z", (2, 1))), lambda f, make: f(make("x", (2,)))),
)
def broadcast_arrays(*args: Any) -> tuple[Node, ...]:
    """Repeat arrays to the shape they have in common, as `numpy.broadcast_arrays` does.

    Raises:
        ShapeError: If the shapes do not broadcast.

    Example:
        >>> import symback as sb
        >>> x, y = sb.broadcast_arrays(sb.tensor("x", ("n",)), sb.tensor("y", (2, 1)))
        >>> x.shape, y.shape
        ((2, n), (2, n))
    """
    nodes = [as_array(arg) for arg in args]
    if not nodes:
        return ()
    common = broadcast_shapes("broadcast_arrays", nodes)
    return tuple(broadcast_node(node, common) for node in nodes)


def _at_least(arys: tuple[Any, ...], expand: Any) -> Node | tuple[Node, ...]:
    """Apply `expand` to each array; one array alone is returned alone."""
    nodes = tuple(expand(as_array(array)) for array in arys)
    return nodes[0] if len(nodes) == 1 else nodes


@public("atleast_1d", examples=(lambda f, make: f(make("x", ())), lambda f, make: f(make("x", (2,)), make("z", ()))))
def atleast_1d(*arys: Any) -> Node | tuple[Node, ...]:
    """Give arrays without axes one, as `numpy.atleast_1d` does; one array alone is returned alone.

    Example:
        >>> import symback as sb
        >>> sb.atleast_1d(sb.tensor("x")).shape
        (1,)
    """
    return _at_least(arys, lambda x: x if x.shape else expand_dims(x, 0))


@public("atleast_2d", examples=(lambda f, make: f(make("x", (3,))), lambda f, make: f(make("x", ()))))
def atleast_2d(*arys: Any) -> Node | tuple[Node, ...]:
    """Give arrays two axes at least, new ones first, as `numpy.atleast_2d` does.

    Example:
        >>> import symback as sb
        >>> sb.atleast_2d(sb.tensor("x", ("n",))).shape
        (1, n)
    """
    return _at_least(arys, lambda x: expand_dims(x, tuple(range(2 - len(x.shape)))))


@public(
    "atleast_3d", examples=(lambda f, make: f(make("x", (3,))), lambda f, make: f(make("x", (2, 3)), make("z", ())))
)
def atleast_3d(*arys: Any) -> Node | tuple[Node, ...]:
    """Give arrays three axes at least, as `numpy.atleast_3d` does: (n,) to (1, n, 1), (m, n) to (m, n, 1).

    Example:
        >>> import symback as sb
        >>> sb.atleast_3d(sb.tensor("x", ("n",))).shape
        (1, n, 1)
    """
    return _at_least(arys, lambda x: expand_dims(x, ((0, 1, 2), (0, 2), (2,))[len(x.shape)]) if x.ndim < 3 else x)
