"""What rewriting did, in words: each application of a rule, with the place where it happened."""

from collections.abc import Iterator, Mapping, Sequence

from symback.nodes.apply import Named
from symback.nodes.node import Node
from symback.nodes.text import Beginnings
from symback.rewrite.report import Explanation, Reason
from symback.trace import Application

_MOST_CHARACTERS = 60
_NOWHERE = "-"


def places_in(order: Sequence[Node]) -> dict[Node, str]:
    """Return for each node of a graph, operands first, the name of the smallest named expression that it is part of."""
    places: dict[Node, str] = {}
    for node in reversed(order):
        place = node.name if isinstance(node, Named) else places.get(node, _NOWHERE)
        places[node] = place
        for operand in node.operands:
            places.setdefault(operand, place)
    return places


def explained(applications: Sequence[Application], places: Mapping[Node, str]) -> Explanation:
    """Put applications into words."""
    shown = Beginnings(_MOST_CHARACTERS)

    def reasons() -> Iterator[Reason]:
        for step in applications:
            yield Reason(step.rule, places.get(step.origin, _NOWHERE), shown(step.before), shown(step.after))

    return Explanation(reasons())
