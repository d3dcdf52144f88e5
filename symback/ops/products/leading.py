"""Leading axes: those of stacks of matrices, which broadcast, and those of cotangents."""

from collections.abc import Sequence
from typing import Any

from symback import errors
from symback.nodes.contract import Labels, contract
from symback.nodes.dtypes import BOOL
from symback.nodes.leaves import ones_of
from symback.nodes.node import Node
from symback.nodes.shapes import Shape, broadcast_shapes


class Leading:
    """The leading axes of a stack, as something whose shape can be broadcast; `core` axes belong to each entry."""

    def __init__(self, node: Node, core: int = 2) -> None:
        self.shape = node.shape[: len(node.shape) - core]
        self.short = node.short


def broadcast_leading(operation: str, *stacks: tuple[Node, int]) -> Shape:
    """Broadcast the leading axes of stacks, each given with the number of axes of an entry."""
    return broadcast_shapes(operation, [Leading(node, core) for node, core in stacks])


def sum_to(value: Node, lead: int, operand: Node) -> Node:
    """Sum a cotangent with `lead` leading axes over the axes along which a rule broadcast the operand."""
    shape: tuple[Any, ...] = operand.shape
    rank = len(value.shape)
    labels = tuple(range(rank))
    offset = rank - len(shape)
    if value.shape[:lead] + shape == value.shape:
        return value
    pairs = zip(labels[offset:], shape, value.shape[offset:], strict=True)
    squeezed = {label: label + rank for label, size, present in pairs if size == 1 and present != 1}
    terms = [(value, labels)]
    if squeezed:
        terms.append((ones_of((1,) * len(squeezed), BOOL), tuple(squeezed.values())))
    return contract(terms, labels[:lead] + tuple(squeezed.get(label, label) for label in labels[offset:]))


def stacked_product(operation: str, a: Node, b: Node, rank_a: int, rank_b: int) -> Node:
    """Multiply stacks of vectors (of rank 1) or matrices, a's last axis with b's first."""
    own_a, own_b = a.shape[-1], b.shape[len(b.shape) - rank_b]
    if own_a != own_b:
        raise errors.label_mismatch(operation, [a, b], own_a, own_b)
    stacks = [stack for stack in (Leading(a, rank_a), Leading(b, rank_b)) if stack.shape]
    shape = broadcast_shapes(operation, stacks) if stacks else ()
    rank = len(shape)
    row, shared, column = rank, rank + 1, rank + 2
    core_a, core_b = ((shared,), (row, shared))[rank_a - 1], ((shared,), (shared, column))[rank_b - 1]
    left = (*_batch_labels(a.shape[: len(a.shape) - rank_a], shape, rank + 3), *core_a)
    right = (*_batch_labels(b.shape[: len(b.shape) - rank_b], shape, 2 * rank + 3), *core_b)
    return contract([(a, left), (b, right)], (*range(rank), *core_a[:-1], *core_b[1:]))


def _batch_labels(sizes: Sequence[Any], shape: Sequence[Any], fresh: int) -> Labels:
    offset = len(shape) - len(sizes)
    return tuple(axis if size == shape[axis] else fresh + axis for axis, size in enumerate(sizes, offset))
