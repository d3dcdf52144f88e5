"""Views: what only moves, repeats or selects entries, so that functions entry by entry pass through it."""

from collections.abc import Callable

from symback.nodes.apply import Apply
from symback.nodes.classify import classify
from symback.nodes.contract import Contract
from symback.nodes.node import Node

_SELECTING = {"reshape_to", "slice_of", "gather", "take_along", "flip_along", "roll_along", "tile_by", "repeat_along"}
_KINDS = {"transpose", "broadcast", "diagonal"}

View = Callable[[Node], Node]


def is_view(node: Node) -> bool:
    """Has this node the entries of its first operand and nothing else, in whatever order and number?"""
    if isinstance(node, Apply):
        return node.operation.name in _SELECTING
    if not isinstance(node, Contract) or len(node.parts().cores) != 1:
        return False
    product = classify(node)
    return product.kind in _KINDS and product.coefficient == 1


def viewed(node: Node) -> Node:
    """Return the operand of a view."""
    return node.parts().cores[0][0] if isinstance(node, Contract) else node.operands[0]


def same_view(node: Node, core: Node) -> Node:
    """Return the view that a node is, of another array of the same shape."""
    old = viewed(node)
    return node.with_operands(tuple([core if operand is old else operand for operand in node.operands]))


def split_views(node: Node, bare: Callable[[Node], Node]) -> tuple[Node, View]:
    """Look through views and names: return what is seen, and the function that views another array in the same way."""
    found: list[Node] = []
    node = bare(node)
    while is_view(node):
        found.append(node)
        node = bare(viewed(node))

    def view(core: Node) -> Node:
        for one in found[::-1]:
            core = same_view(one, core)
        return core

    return node, view
