"""Calls that return several results, each of which is a node of its own."""

from collections.abc import Sequence
from typing import Any

from symback.nodes.apply import Apply
from symback.nodes.node import Node
from symback.op.table import primitive_of


def count_parts(node: Apply) -> int:
    """Return how many results the call has of which this node is one."""
    part = primitive_of(node).part
    assert part is not None
    return part[1]


def parts_in(order: Sequence[Node]) -> dict[Any, dict[int, Node]]:
    """Return the results in a graph that come from one call, by the call and then by their position."""
    found: dict[Any, dict[int, Node]] = {}
    for node in order:
        if isinstance(node, Apply) and (part := primitive_of(node).part) is not None:
            call_text = primitive_of(node).numpy
            found.setdefault((call_text, node.operands, node.operation.parameters), {})[part[0]] = node
    return found
