"""Nothing is computed twice: sums and products of the same operands in another order become one.

The graph shares what is written in the same way. ``B @ x`` is found as the product of B and x and of x and B,
once operands were put in an order of their own, and ``x + y`` may be written ``y + x`` elsewhere.
"""

from collections.abc import Hashable, Sequence

from symback.graph import rebuild, toposort
from symback.nodes.add import Plus
from symback.nodes.apply import Named
from symback.nodes.contract import Contract, canonical_subscripts
from symback.nodes.node import Node


def merge_equal(outputs: Sequence[Node]) -> dict[Node, Node]:
    """Replace sums and products by the first one of the same operands; return what each node became."""
    order = toposort(outputs)
    places = {node: place for place, node in enumerate(order)}
    keys = [key for node in order if (key := _key(node, node.operands, places)) is not None]
    if len(set(keys)) == len(keys):
        return {node: node for node in order}
    named = {node.operands[0] for node in order if isinstance(node, Named)}
    known: dict[Hashable, Node] = {}
    for node in order:
        if node in named and (key := _key(node, node.operands, places)) is not None:
            known.setdefault(key, node)

    def replace(node: Node, operands: tuple[Node, ...]) -> Node:
        new = node.with_operands(operands)
        if node in named:
            return new
        key = _key(new, new.operands, places)
        return new if key is None else known.setdefault(key, new)

    return rebuild(outputs, replace)


def _key(node: Node, operands: Sequence[Node], places: dict[Node, int]) -> Hashable | None:
    """Return what is the same for sums and products of the same operands; None for what has but one order."""
    if len(operands) < 2 or any(operand not in places for operand in operands):
        return None
    if isinstance(node, Plus):
        return "sum", frozenset(operands), len(operands)
    if isinstance(node, Contract):
        subscripts = node.subscripts
        terms = sorted(zip(map(places.__getitem__, operands), subscripts.inputs, strict=True))
        ordered = canonical_subscripts([labels for _, labels in terms], subscripts.out)
        return ordered, tuple(place for place, _ in terms)
    return None
