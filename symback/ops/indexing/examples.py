"""Arrays of indices in a batch of examples: where they differ, the number of the example is one index more.

Indices stand for neighbouring axes, so the axis of the examples is moved in front of these, and back afterwards.
"""

from collections.abc import Sequence
from typing import Any

from symback.nodes.node import METHODS, Node
from symback.nodes.products import keep_axes, permute
from symback.op.batch import Operands, aligned, applied, are_batched, examples_in, repeated, with_ones


def moved(x: Node, source: int, target: int) -> Node:
    """Move one axis to another place."""
    order = [axis for axis in range(len(x.shape)) if axis != source]
    order.insert(target, source)
    return x if source == target else permute(x, order)


def with_examples(node: Node, operands: Operands, first: int) -> list[Node]:
    """Return indices, the operands from `first` on, for a batch, and in front of them the numbers of the examples."""
    own = node.operands[first:]
    rank = max(len(index.shape) for index in own)
    numbers = METHODS["arange_to"]((), examples_in(node, operands), "int64")
    return [keep_axes(numbers, range(1, 1 + rank)) if rank else numbers, *aligned(node, operands, rank)[first:]]


def gather_in_batch(node: Any, operands: Operands) -> Node:
    """Take entries of arrays that differ, at indices that differ, or both."""
    x = operands[0]
    (axis,) = node.operation.parameters
    own = node.operands[0]
    place = len(own.shape) + axis
    if not any(are_batched(node, operands)[1:]):
        return applied(node, operands, axis)
    if x is own:
        rank = max(len(index.shape) for index in node.operands[1:])
        return moved(applied(node, [x, *aligned(node, operands, rank)[1:]], axis), place, 0)
    together = applied(node, [moved(x, 0, place), *with_examples(node, operands, 1)], axis - 1)
    return moved(together, place, 0)


def scatter_in_batch(node: Any, operands: Operands) -> Node:
    """Add entries that differ, at indices that differ, or both."""
    axis, shape = node.operation.parameters
    size, place = examples_in(node, operands), len(shape) + axis
    g = repeated(node, operands)[0]
    if not any(are_batched(node, operands)[1:]):
        return applied(node, [g, *operands[1:]], axis, (size, *shape))
    indices = with_examples(node, operands, 1)
    wider = (*shape[:place], size, *shape[place:])
    return moved(applied(node, [moved(g, 0, place), *indices], axis - 1, wider), place, 0)


def set_in_batch(node: Any, operands: Operands) -> Node:
    """Write to places that differ, or values that differ, into a copy for each example."""
    (axis,) = node.operation.parameters
    x, value, *indices = node.operands
    place = len(x.shape) + axis
    part = len(x.shape) - len(indices) + max(len(index.shape) for index in indices)
    into, written = repeated(node, operands)[0], aligned(node, operands, part)[1]
    if not any(are_batched(node, operands)[2:]):
        return applied(node, [into, written, *operands[2:]], axis)
    if written is value:
        written = with_ones(keep_axes(value, (0,)), part) if len(value.shape) > part - place else value
    if len(written.shape) > part:
        written = moved(written, 0, place)
    together = [moved(into, 0, place), written, *with_examples(node, operands, 2)]
    return moved(applied(node, together, axis - 1), place, 0)


def last_in_batch(node: Any, operands: Operands) -> Node:
    """Tell the last of the writes of each example."""
    size = examples_in(node, operands)
    return applied(node, with_examples(node, operands, 0), (size, *node.operation.parameters[0]))


def along_in_batch(node: Any, operands: Sequence[Node]) -> Node:
    """Take or put along an axis: arrays for each example, at their own indices or at indices for all of them."""
    _, indices = operands
    shared = indices is node.operands[1]
    by_row = keep_axes(indices, (0,)) if shared else indices
    return applied(node, [repeated(node, operands)[0], by_row], *node.operation.parameters)
