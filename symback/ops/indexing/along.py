"""Entries along an axis, those of each row by its own indices: taken, and added into zeros."""

from typing import Any

import numpy as np

from symback import errors
from symback.nodes.apply import Apply
from symback.nodes.node import Node
from symback.nodes.products import keep_axes
from symback.nodes.shapes import Shape, as_size, intern_shape
from symback.op.declare import Function, primitive
from symback.ops.indexing.examples import along_in_batch
from symback.ops.numerics import indexing as numerics
from symback.ops.shaping.reshaping import lead_of


def _along(name: str, x: Any, indices: Node, axis: Any) -> tuple[int, Shape]:
    """Return the axis from 0 and the sizes of the other axes, if the indices go with an array."""
    rank = len(x.shape)
    if type(axis) is not int or not -rank <= axis < 0 or len(indices.shape) != rank:
        raise errors.bad_node(name, f"indices {errors.show_shape(indices.shape)} along axis {axis} of {x.shape}")
    if indices.dtype.kind not in "iu":
        raise errors.index_dtype(x, indices)
    place = rank + axis
    pairs = zip(indices.shape, x.shape, strict=True)
    if any(index not in (size, 1) for k, (index, size) in enumerate(pairs) if k != place):
        raise errors.bad_node(name, f"indices {errors.show_shape(indices.shape)} for {errors.show_shape(x.shape)}")
    return place, intern_shape(x.shape[:place] + x.shape[place + 1 :])


def _taken_along(x: Node, indices: Node, axis: Any, distinct: Any) -> tuple[Shape, Any]:
    place, rest = _along("take_along", x, indices, axis)
    return intern_shape((*rest[:place], indices.shape[place], *rest[place:])), x.dtype


def _put_along(g: Node, indices: Node, axis: Any, size: Any, distinct: Any) -> tuple[Shape, Any]:
    place, rest = _along("put_along", g, indices, axis)
    if g.shape[place] != indices.shape[place] or as_size(size) != size:
        raise errors.bad_node("put_along", f"{errors.show_shape(g.shape)} is not what the indices take")
    return intern_shape((*rest[:place], size, *rest[place:])), g.dtype


def _with_leading(indices: Node, lead: Shape) -> Node:
    return keep_axes(indices, range(len(lead))) if lead else indices


def _take_along_vjp(g: Node, node: Apply) -> tuple[Node | None, ...]:
    x, indices = node.operands
    axis, distinct = node.operation.parameters
    return put_along((g, _with_leading(indices, lead_of(g, node))), axis, x.shape[axis], distinct), None


def _put_along_vjp(h: Node, node: Apply) -> tuple[Node | None, ...]:
    axis, _, distinct = node.operation.parameters
    return take_along((h, _with_leading(node.operands[1], lead_of(h, node))), axis, distinct), None


def _spell_put(spell: Any, operands: Any, parameters: tuple[Any, ...]) -> Any:
    axis, size, distinct = parameters
    if not distinct:
        return f"{spell.helper(numerics.add_along_axis)}({operands[0]}, {operands[1]}, {axis}, {spell.size(size)})"
    shape = list(spell.operand_shapes[0])
    shape[axis] = size
    return spell.into_zeros(shape, lambda name: f"np.put_along_axis({name}, {operands[1]}, {operands[0]}, axis={axis})")


def _integers(indices: Any) -> Any:
    """Return indices as integers; they may be numbers of high precision."""
    return np.asarray(indices).astype(np.intp)


def _rows(make: Any, size: int, shape: tuple[int, ...]) -> Any:
    return make("i", shape, dtype="int64", low=0, high=size)


take_along: Function = primitive(
    "take_along",
    signature=_taken_along,
    vjp=_take_along_vjp,
    linear=True,
    batch=along_in_batch,
    arity=2,
    numpy=lambda spell, operands, parameters: f"np.take_along_axis({operands[0]}, {operands[1]}, axis={parameters[0]})",
    value=lambda x, indices, axis, distinct: np.take_along_axis(x, _integers(indices), axis=axis),
    latex=lambda operands, parameters: rf"\operatorname{{take}}\left({operands[0]}, {operands[1]}\right)",
    examples=(
        lambda make: take_along((make("x", (2, 3)), _rows(make, 3, (2, 4))), -1, False),
        lambda make: take_along((make("x", (4, 2)), _rows(make, 4, (3, 1))), -2, False),
        lambda make: take_along((make("x", (3,)), make("i", (1,), dtype="int64", low=0, high=3)), -1, True),
    ),
    doc="Entries along an axis, those of each row by its own indices.",
)

put_along: Function = primitive(
    "put_along",
    signature=_put_along,
    vjp=_put_along_vjp,
    linear=True,
    batch=along_in_batch,
    arity=2,
    numpy=_spell_put,
    value=lambda g, indices, axis, size, distinct: numerics.add_along_axis(g, _integers(indices), axis, size),
    latex=lambda operands, parameters: rf"\operatorname{{put}}\left({operands[0]}, {operands[1]}\right)",
    examples=(
        lambda make: put_along((make("g", (2, 4)), _rows(make, 3, (2, 4))), -1, 3, False),
        lambda make: put_along((make("g", (3, 2)), _rows(make, 4, (3, 1))), -2, 4, False),
        lambda make: put_along((make("g", (1,)), make("i", (1,), dtype="int64", low=0, high=3)), -1, 3, True),
    ),
    doc="Zeros with entries added along an axis, those of each row at its own indices: the transpose of take_along.",
)
