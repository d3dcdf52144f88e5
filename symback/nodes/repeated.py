"""One order of the places of an operand that stands several times in a product."""

from collections.abc import Sequence

from symback.nodes.node import Node

Factor = tuple[Node, tuple[int, ...]]


def repeated_in_order(terms: Sequence[Factor], out: tuple[int, ...]) -> Sequence[Factor]:
    """Give the places of an operand that stands several times, nowhere summed, in the order of the result."""
    places: dict[Node, list[tuple[int, ...]]] = {}
    for node, labels in terms:
        places.setdefault(node, []).append(labels)
    for several in places.values():
        if len(several) > 1 and all(label in out for labels in several for label in labels):
            several.sort(key=lambda labels: [out.index(label) for label in labels])
    return [(node, places[node].pop(0)) for node, _ in terms]
