"""Arrays joined to one, along an axis they have or along a new one."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from symback import errors
from symback.nodes.apply import Apply
from symback.nodes.contract import Contract
from symback.nodes.dtypes import as_dtype, promote
from symback.nodes.leaves import ones_of
from symback.nodes.node import Node
from symback.nodes.products import full
from symback.nodes.shapes import Shape, SizeExpr, intern_shape, normalize_axis, sequence_of, simplify_size
from symback.op.declare import Function, primitive
from symback.op.public import public
from symback.ops.elementwise.logic import astype
from symback.ops.shaping.reshaping import as_array, axis_argument, expand_dims, ravel

__all__ = ["concatenate", "stack"]


def _joined(*operands: Any) -> tuple[Shape, Any]:
    *nodes, axis = operands
    if not nodes or type(axis) is not int or not -len(nodes[0].shape) <= axis < 0:
        raise errors.bad_axis("concatenate", nodes[0], axis) if nodes else errors.empty_sequence("concatenate")
    rest = {(*node.shape[:axis], *node.shape[len(node.shape) + axis + 1 :]) for node in nodes}
    if len(rest) > 1 or len({len(node.shape) for node in nodes}) > 1:
        raise errors.bad_concatenate(nodes, axis)
    total: SizeExpr = 0
    for node in nodes:
        total = total + node.shape[axis]
    shape = list(nodes[0].shape)
    shape[axis] = simplify_size(total)
    return intern_shape(tuple(shape)), _common_dtype("concatenate", nodes)


def _split_cotangent(g: Node, node: Apply) -> tuple[Node, ...]:
    (axis,) = node.operation.parameters
    pieces = []
    start: SizeExpr = 0
    for operand in node.operands:
        stop = simplify_size(start + operand.shape[axis])
        pieces.append(g[_at(g, axis, slice(start, stop))])
        start = stop
    return tuple(pieces)


def _common_dtype(operation: str, nodes: Sequence[Node]) -> Any:
    dtype = promote(nodes)
    for node in nodes:
        if dtype.kind == "f" and node.dtype.kind != "f":
            raise errors.operand_dtype(operation, node, "a float, as the others have")
    return dtype


def _of_one_kind(nodes: Sequence[Node]) -> list[Node]:
    """Convert integers that are joined with floats: a tangent takes what is no float for indices, which do not move."""
    dtype = promote(nodes)
    return [_as_float(node, dtype) if dtype.kind == "f" != node.dtype.kind else node for node in nodes]


def _as_float(node: Node, dtype: np.dtype[Any]) -> Node:
    """Convert integers; where a number fills an array, it is one of floats from the start."""
    if isinstance(node, Contract) and not node.parts().cores:
        return full(node.shape, node.parts().coefficient, ones_of((), dtype))
    return astype(node, dtype)


def _at(g: Node, axis: int, item: Any) -> tuple[Any, ...]:
    """Return an index that takes `item` of one axis, named from the last, and all of the others."""
    return (slice(None),) * (len(g.shape) + axis) + (item,)


def _joined_latex(operands: Sequence[Any], axis: int) -> str:
    """Write rows below each other and the rest side by side; a vector is a column."""
    between = r" \\ " if axis == -2 or len(operands[0].shape) == 1 else " & "
    return rf"\begin{{bmatrix}} {between.join(operands)} \end{{bmatrix}}"


def _spell(function: str, new_axes: int) -> Any:
    def write(spell: Any, operands: list[str], parameters: tuple[Any, ...]) -> str:
        axis = axis_argument(parameters[0], len(spell.operand_shapes[0]) + new_axes, 0)
        return f"{function}([{', '.join(operands)}]{axis})"

    return write


_concatenate: Function = primitive(
    "concatenate_along",
    signature=_joined,
    vjp=_split_cotangent,
    linear=True,
    arity=None,
    numpy=_spell("np.concatenate", 0),
    value=lambda *operands: np.concatenate(operands[:-1], axis=operands[-1]),
    latex=lambda operands, parameters: _joined_latex(operands, *parameters),
    examples=(
        lambda make: _concatenate([make("x", (2, 3)), make("z", (1, 3))], -2),
        lambda make: _concatenate([make("x", (2, 3)), make("z", (2, 2))], -1),
        lambda make: _concatenate([make("x", (0,)), make("z", (2,)), make("x", (0,))], -1),
    ),
    batch="leading",
    doc="Arrays joined along an existing axis.",
)


def _stacked(*operands: Any) -> tuple[Shape, Any]:
    *nodes, axis = operands
    if not nodes:
        raise errors.empty_sequence("stack")
    shape = nodes[0].shape
    if type(axis) is not int or not -len(shape) - 1 <= axis < 0:
        raise errors.bad_axis("stack", nodes[0], axis)
    if any(node.shape != shape for node in nodes):
        raise errors.bad_stack(nodes)
    place = len(shape) + 1 + axis
    return intern_shape((*shape[:place], len(nodes), *shape[place:])), _common_dtype("stack", nodes)


def _stacked_latex(operands: Sequence[Any], axis: int) -> str:
    between = r" \\ " if axis < -1 or not operands[0].shape else " & "
    return rf"\begin{{bmatrix}} {between.join(operands)} \end{{bmatrix}}"


_stack: Function = primitive(
    "stack_along",
    signature=_stacked,
    vjp=lambda g, node: tuple(g[_at(g, node.operation.parameters[0], k)] for k in range(len(node.operands))),
    linear=True,
    arity=None,
    numpy=_spell("np.stack", 1),
    value=lambda *operands: np.stack(operands[:-1], axis=operands[-1]),
    latex=lambda operands, parameters: _stacked_latex(operands, *parameters),
    examples=(
        lambda make: _stack([make("x", (2, 3)), make("z", (2, 3))], -3),
        lambda make: _stack([make("x", (3,)), make("z", (3,))], -1),
        lambda make: _stack([make("x", ()), make("z", ()), make("x", ())], -1),
    ),
    batch="leading",
    doc="Arrays of one shape joined along a new axis.",
)


def _in_dtype(operation: str, node: Node, dtype: Any) -> Node:
    """Convert what was joined as NumPy does under ``casting="same_kind"``."""
    if dtype is None:
        return node
    if not np.can_cast(node.dtype, as_dtype(dtype), "same_kind"):
        raise errors.lossy_conversion(operation, node, as_dtype(dtype))
    return astype(node, dtype)


@public(
    "concatenate",
    examples=(
        lambda f, make: f([make("x", (2, 3)), make("z", (1, 3))]),
        lambda f, make: f((make("x", (2, 3)), make("x", (2, 3))), axis=-1),
        lambda f, make: f([make("x", (2, 3)), make("z", (4,)), make("s", ())], axis=None),
        lambda f, make: f([make("x", (2,)), make("i", (3,), dtype="int64")], dtype="float32"),
    ),
    aliases=("concat",),
)
def concatenate(arrays: Sequence[Any], axis: int | None = 0, *, dtype: Any = None) -> Node:
    """Join arrays along an existing axis, as `numpy.concatenate` does; None: all entries, along one axis.

    Args:
        arrays: Arrays of shapes that agree in every other axis.
        axis: The axis.
        dtype: Of the result; by default that of promotion.

    Raises:
        ShapeError: If the shapes differ in another axis, or there is no array.
        DtypeError: If the result does not go into `dtype` (a float into an integer).

    Example:
        >>> import symback as sb
        >>> sb.concatenate([sb.tensor("a", ("n",)), sb.tensor("b", ("m",))]).shape
        (m + n,)
    """
    nodes = [as_array(array) for array in sequence_of("concatenate", arrays, "arrays")]
    if not nodes:
        raise errors.empty_sequence("concatenate")
    if axis is None:
        nodes, axis = [ravel(node) for node in nodes], 0
    place = normalize_axis("concatenate", nodes[0], axis) - len(nodes[0].shape)
    return _in_dtype("concatenate", nodes[0] if len(nodes) == 1 else _concatenate(_of_one_kind(nodes), place), dtype)


@public(
    "stack",
    examples=(
        lambda f, make: f([make("x", (2, 3)), make("z", (2, 3))]),
        lambda f, make: f((make("x", (2,)), make("x", (2,))), axis=-1),
        lambda f, make: f([make("x", ()), 1.5, make("z", ())]),
        lambda f, make: f([make("x", (0, 3))], axis=1),
    ),
)
def stack(arrays: Sequence[Any], axis: int = 0, *, dtype: Any = None) -> Node:
    """Join arrays of one shape along a new axis, as `numpy.stack` does.

    Args:
        arrays: Arrays of one shape.
        axis: Where the new axis stands in the result.
        dtype: Of the result; by default that of promotion.

    Raises:
        ShapeError: If the shapes differ, or there is no array.
        DtypeError: If the result does not go into `dtype`.

    Example:
        >>> import symback as sb
        >>> sb.stack([sb.tensor("a", ("n",)), sb.tensor("b", ("n",))], axis=1).shape
        (n, 2)
    """
    nodes = [as_array(array) for array in sequence_of("stack", arrays, "arrays")]
    if not nodes:
        raise errors.empty_sequence("stack")
    rank = len(nodes[0].shape) + 1
    if isinstance(axis, bool) or not isinstance(axis, (int, np.integer)) or not -rank <= axis < rank:
        raise errors.bad_axis("stack", nodes[0], axis)
    if any(node.shape != nodes[0].shape for node in nodes):
        raise errors.bad_stack(nodes)
    place = int(axis) % rank
    if len(nodes) == 1:
        return _in_dtype("stack", expand_dims(nodes[0], place), dtype)
    return _in_dtype("stack", _stack(_of_one_kind(nodes), place - rank), dtype)
