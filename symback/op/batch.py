"""What batch rules are written with: operands for one example, and for a batch of them in a first axis.

A rule gets a node for one example and its operands for a batch. Those that depend on a batched variable have the axis
of the examples in front; the others are what they were.
"""

from collections.abc import Sequence
from typing import Any

from symback.nodes.apply import Operation
from symback.nodes.node import METHODS, Node
from symback.nodes.products import broadcast_to, keep_axes
from symback.nodes.shapes import SizeExpr

Operands = Sequence[Node]


def are_batched(node: Node, operands: Operands) -> list[bool]:
    """Return which operands have the axis of the examples."""
    return [new is not old for new, old in zip(operands, node.operands, strict=True)]


def examples_in(node: Node, operands: Operands) -> SizeExpr:
    """Return the number of examples."""
    pairs = zip(operands, node.operands, strict=True)
    return next(new.shape[0] for new, old in pairs if new is not old)


def repeated(node: Node, operands: Operands) -> list[Node]:
    """Return all operands with the axis of the examples in front: those that lack it are the same for each."""
    size, flags = examples_in(node, operands), are_batched(node, operands)
    return [new if flag else _repeat(new, size, node) for new, flag in zip(operands, flags, strict=True)]


def _repeat(operand: Node, size: SizeExpr, node: Node) -> Node:
    strong: Node = METHODS["astype"](operand, node.dtype) if operand.is_weak else operand
    return broadcast_to(strong, (size, *operand.shape))


def aligned(node: Node, operands: Operands, rank: int | None = None) -> list[Node]:
    """Return operands that broadcast: behind the axis of the examples axes of size 1, so that `rank` others follow."""
    wanted = len(node.shape) if rank is None else rank
    flags = are_batched(node, operands)
    return [with_ones(new, wanted) if flag else new for new, flag in zip(operands, flags, strict=True)]


def with_ones(x: Node, rank: int, lead: int = 1) -> Node:
    """Insert axes of size 1 behind the first `lead` ones, so that there are `rank` behind these."""
    missing = rank + lead - len(x.shape)
    return keep_axes(x, range(lead, lead + missing)) if missing > 0 else x


def applied(node: Any, operands: Operands, *parameters: Any) -> Node:
    """Apply the primitive of a node to other operands, with other parameters."""
    made: Node = node.func(Operation(node.operation.name, *parameters), *operands)
    return made
