"""Entries at arrays of indices: `gather` takes them, its transpose `scatter_add` adds into zeros at them.

The indices are operands, integers of any dtype, constants or inputs; they are broadcast together and stand for
neighbouring axes of the array, the first of which is named from the last: leading axes do no harm. What NumPy's
index says beyond that, `symback.ops.indexing.getitem` brings into this form.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from symback import errors
from symback.nodes.apply import Apply
from symback.nodes.dtypes import BOOL
from symback.nodes.leaves import Constant
from symback.nodes.node import Node
from symback.nodes.products import full
from symback.nodes.shapes import Shape, as_shape, broadcast_shapes, intern_shape
from symback.op.declare import Function, primitive
from symback.ops.elementwise.logic import where
from symback.ops.indexing.examples import gather_in_batch, last_in_batch, scatter_in_batch, set_in_batch
from symback.ops.indexing.slices import shrunk, written
from symback.ops.numerics import indexing as numerics
from symback.ops.shaping.reshaping import lead_of

# -- the form of an index -------------------------------------------------------------------------------


def gathered(x: Any, indices: Sequence[Node], axis: Any) -> Shape:
    """Return the shape of what indices take of an array, from axis number `axis` on, which is negative."""
    first = len(x.shape) + axis if type(axis) is int else -1
    if not indices or not 0 <= first <= len(x.shape) - len(indices):
        raise errors.bad_node("gather", f"{len(indices)} indices from axis {axis} of {errors.show_shape(x.shape)}")
    for index, size in zip(indices, x.shape[first:], strict=False):
        if index.dtype.kind not in "iu":
            raise errors.index_dtype(x, index)
        _check_range(x, index, size)
    block = broadcast_shapes("indexing", indices)
    return intern_shape(x.shape[:first] + block + x.shape[first + len(indices) :])


def _check_range(x: Any, index: Node, size: Any) -> None:
    """Refuse known indices that are beyond the ends of an axis of known size; others NumPy refuses at the call."""
    if isinstance(index, Constant) and isinstance(size, int) and index.array.size:
        for place in (int(index.array.min()), int(index.array.max())):
            if not -size <= place < size:
                raise errors.index_out_of_range(x, place, size)


def are_distinct(indices: Sequence[Node], sizes: Sequence[Any]) -> bool:
    """Are these places known, and each another one, or do they have the numbers of rows among them?"""
    block = broadcast_shapes("indexing", indices)
    if len(block) == 1 and any(_is_range(index) and index.shape == block for index in indices):
        return True
    places = []
    for index, size in zip(indices, sizes, strict=False):
        if not isinstance(index, Constant) or not (isinstance(size, int) or np.all(index.array >= 0)):
            return False
        array = index.array.astype(np.int64)
        places.append(array % size if isinstance(size, int) and size else array)
    rows = np.stack([place.ravel() for place in np.broadcast_arrays(*places)])
    return int(np.unique(rows, axis=1).shape[1]) == int(rows.shape[1])


def _is_range(index: Node) -> bool:
    """Is this 0, 1, 2 and so on?"""
    return isinstance(index, Apply) and index.operation.name == "arange_to"


def numpy_places(rank: int, axis: int, indices: Sequence[Any]) -> tuple[Any, ...]:
    """Return the index in NumPy's terms; indices may be numbers of high precision."""
    return (slice(None),) * (rank + axis) + tuple(np.asarray(index).astype(np.intp) for index in indices)


def _index_text(rank: int, axis: int, indices: Sequence[str]) -> str:
    return ", ".join([":"] * (rank + axis) + list(indices))


def _argument_text(rank: int, axis: int, indices: Sequence[str]) -> str:
    """Write an index as an argument of a function."""
    text = _index_text(rank, axis, indices)
    return f"np.s_[{text}]" if rank + axis else f"({text})" if len(indices) > 1 else text


def _index_latex(rank: int, axis: int, indices: Sequence[str]) -> str:
    return ",".join([":"] * (rank + axis) + [rf"\left[{index}\right]" for index in indices])


# -- taking and adding ------------------------------------------------------------------------------------


def _gather_vjp(g: Node, node: Apply) -> tuple[Node | None, ...]:
    x, *indices = node.operands
    (axis,) = node.operation.parameters
    return scatter_add((g, *indices), axis, lead_of(g, node) + x.shape), *[None] * len(indices)


def _index_of(name: str, size: int, shape: Any) -> Any:
    """Return the maker of an index for an example."""
    return lambda make: make(name, shape, dtype="int64", low=-size, high=size)


_i4, _j3, _k2 = _index_of("i", 4, (3,)), _index_of("j", 3, (2, 1)), _index_of("k", 2, ())

gather: Function = primitive(
    "gather",
    signature=lambda x, *rest: (gathered(x, rest[:-1], rest[-1]), x.dtype),
    vjp=_gather_vjp,
    linear=True,
    batch=gather_in_batch,
    arity=None,
    numpy=lambda spell, operands, parameters: (
        f"{operands[0].atom}[{_index_text(len(spell.operand_shapes[0]), parameters[0], operands[1:])}]"
    ),
    value=lambda x, *rest: x[numpy_places(np.ndim(x), rest[-1], rest[:-1])],
    latex=lambda operands, parameters: (
        rf"\left({operands[0]}\right)_{{{_index_latex(len(operands[0].shape), parameters[0], operands[1:])}}}"
    ),
    examples=(
        lambda make: gather((make("x", (4, 2)), _i4(make)), -2),
        lambda make: gather((make("x", (4,)), make("i", (6,), dtype="int32", low=0, high=4)), -1),
        lambda make: gather((make("x", (2, 4, 3, 2)), _i4(make), _j3(make)), -3),
        lambda make: gather((make("x", (2, 2)), _k2(make)), -1),
        lambda make: gather((make("x", (3, 0)), make("i", (0, 2), dtype="int64")), -2),
    ),
    doc="Entries at arrays of indices, which are broadcast together.",
)


def _scattered(g: Node, indices: Sequence[Node], axis: Any, shape: Any) -> Shape:
    """Return the shape that is added into, if the indices take of it what `g` is."""
    if as_shape(shape) != shape or gathered(Whole(shape), indices, axis) != g.shape:
        raise errors.bad_node("scatter_add", f"{errors.show_shape(g.shape)} is not what the indices take of {shape}")
    return intern_shape(shape)


class Whole:
    """The array that is added into, for messages."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape

    def short(self) -> str:
        """Say what has this shape."""
        return "an array"


def _scatter_vjp(h: Node, node: Apply) -> tuple[Node | None, ...]:
    indices = node.operands[1:]
    return gather((h, *indices), node.operation.parameters[0]), *[None] * len(indices)


def _spell_scatter(spell: Any, operands: Sequence[Any], parameters: tuple[Any, ...]) -> Any:
    axis, shape = parameters
    indices = spell.operand_nodes[1:]
    if are_distinct(indices, shape[len(shape) + axis :]):
        return spell.fill_zeros(shape, _index_text(len(shape), axis, operands[1:]), operands[0].weak)
    index = _argument_text(len(shape), axis, operands[1:])
    return spell.into_zeros(shape, lambda name: f"np.add.at({name}, {index}, {operands[0].weak})")


scatter_add: Function = primitive(
    "scatter_add",
    signature=lambda g, *rest: (_scattered(g, rest[:-2], *rest[-2:]), g.dtype),
    vjp=_scatter_vjp,
    linear=True,
    batch=scatter_in_batch,
    arity=None,
    numpy=_spell_scatter,
    value=lambda g, *rest: _scatter_value(g, rest[:-2], *rest[-2:]),
    latex=lambda operands, parameters: (
        rf"\operatorname{{scatter}}_{{{_index_latex(len(parameters[1]), parameters[0], operands[1:])}}}"
        rf"\left({operands[0]}\right)"
    ),
    examples=(
        lambda make: scatter_add((make("g", (3, 2)), _i4(make)), -2, (4, 2)),
        lambda make: scatter_add((make("g", (2, 2, 3, 2)), _i4(make), _j3(make)), -3, (2, 4, 3, 2)),
        lambda make: scatter_add((make("g", (2,)), _k2(make)), -1, (2, 2)),
    ),
    doc="Zeros with an array added at arrays of indices, repeated ones once for each: the transpose of gather.",
)


def _scatter_value(g: Any, indices: Sequence[Any], axis: int, shape: tuple[int, ...]) -> Any:
    total = np.zeros(shape, dtype=g.dtype)
    np.add.at(total, numpy_places(len(shape), axis, indices), g)
    return total


# -- writing ------------------------------------------------------------------------------------------------


def _set_places_vjp(g: Node, node: Apply) -> tuple[Node | None, ...]:
    """Pass on what was not overwritten to the array, and to the value what was not overwritten by itself."""
    x, value, *indices = node.operands
    (axis,) = node.operation.parameters
    lead = lead_of(g, node)
    below = gather((g, *indices), axis)
    sizes = x.shape[len(x.shape) + axis :][: len(indices)]
    if not are_distinct(indices, sizes):
        survives = written_last(indices, sizes)
        behind = len(x.shape) - (len(x.shape) + axis) - len(indices)
        below = where(survives[(..., *[None] * behind)], below, 0)
    kept = set_places((g, full((), 0, g), *indices), axis)
    return kept, shrunk(below, value.shape, len(lead)), *[None] * len(indices)


set_places: Function = primitive(
    "set_places",
    signature=lambda x, value, *rest: written("set_places", x, value, gathered(x, rest[:-1], rest[-1])),
    vjp=_set_places_vjp,
    linear=True,
    batch=set_in_batch,
    arity=None,
    numpy=lambda spell, operands, parameters: spell.into_copy(
        lambda name: (
            f"{name}[{_index_text(len(spell.operand_shapes[0]), parameters[0], operands[2:])}] = {operands[1].weak}"
        ),
    ),
    value=lambda x, value, *rest: _set_places_value(x, value, rest[:-1], rest[-1]),
    latex=lambda operands, parameters: (
        rf"\operatorname{{set}}_{{{_index_latex(len(operands[0].shape), parameters[0], operands[2:])}}}"
        rf"\left({operands[0]}, {operands[1]}\right)"
    ),
    examples=(
        lambda make: set_places((make("x", (4, 2)), make("value", (3, 2)), _i4(make)), -2),
        lambda make: set_places((make("x", (2, 4, 3, 2)), make("value", (3, 1)), _i4(make), _j3(make)), -3),
        lambda make: set_places((make("x", (2, 2)), make("value", ()), _k2(make)), -1),
    ),
    doc="A copy of an array with a value written at arrays of indices; of repeated ones the last counts.",
)


def _set_places_value(x: Any, value: Any, indices: Sequence[Any], axis: int) -> Any:
    result = np.array(x)
    result[numpy_places(np.ndim(x), axis, indices)] = value
    return result


written_last: Function = primitive(
    "written_last",
    signature=lambda *operands: (_survivors(operands[:-1], operands[-1]), BOOL),
    arity=None,
    batch=last_in_batch,
    differentiable=False,
    numpy=lambda spell, operands, parameters: (
        f"{spell.helper(numerics.written_last)}({', '.join([spell.shape(parameters[0]), *operands])})"
    ),
    value=lambda *operands: numerics.written_last(
        operands[-1], *[np.asarray(index).astype(np.intp) for index in operands[:-1]]
    ),
    latex=lambda operands, parameters: rf"\operatorname{{last}}\left({', '.join(operands)}\right)",
    examples=(
        lambda make: written_last((_i4(make),), (4,)),
        lambda make: written_last((_i4(make), _j3(make)), (4, 3)),
    ),
    doc="Which of several writes at indices into an array of this shape is the last one at its place.",
)


def _survivors(indices: Sequence[Node], shape: Any) -> Shape:
    if as_shape(shape) != shape or len(shape) != len(indices):
        raise errors.bad_node("written_last", f"{len(indices)} indices for the sizes {shape}")
    return gathered(Whole(shape), indices, -len(shape))
