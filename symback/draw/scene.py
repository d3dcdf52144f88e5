"""What there is to draw: the nodes of a forward pass, those of the backward pass that belongs to it, and adjoints."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from symback.graph import toposort
from symback.nodes.apply import Named
from symback.nodes.leaves import Variable
from symback.nodes.node import Node
from symback.trace import Trace


class Adjoint(NamedTuple):
    """A derivative that has a box although it is no node of its own: it is known already under another name.

    Attributes:
        quantity: What it is the derivative by.
        value: The node that it is.
        source: The quantity next to it that has the same adjoint, None if there is none.
    """

    quantity: Node
    value: Node
    source: Node | None


@dataclass(slots=True)
class Scene:
    """The nodes of a picture.

    Attributes:
        outputs: What was asked for.
        order: Every node, operands before their users.
        forward: The nodes of the forward pass.
        adjoints: For each node that is an adjoint the quantity it belongs to.
        extra: Adjoints that are no nodes of their own, in the order of the reverse pass.
        wrt: The variables that were asked for.
        wanted: Those, and their adjoints.
        loss: What is differentiated, None if nothing is.
    """

    outputs: tuple[Node, ...]
    order: list[Node]
    forward: Collection[Node]
    adjoints: Mapping[Node, Node] = field(default_factory=dict)
    extra: tuple[Adjoint, ...] = ()
    wrt: tuple[Node, ...] = ()
    wanted: Collection[Node] = ()
    loss: Node | None = None

    @property
    def roots(self) -> set[Node]:
        """The nodes that have a box in any case."""
        return {*self.outputs, *self.wrt}


def scene_of(outputs: Sequence[Node]) -> Scene:
    """Return the scene of a graph; what comes with named adjoints is their backward pass."""
    order = toposort(outputs)
    named = {node.name: node for node in order if isinstance(node, (Named, Variable))}
    derived: set[Node] = set()
    adjoints: dict[Node, Node] = {}
    for node in order:
        if isinstance(node, Named) and node.label.kind == "adjoint":
            derived.add(node)
            if node.name[2:] in named:
                adjoints[node] = named[node.name[2:]]
        elif any(operand in derived for operand in node.operands):
            derived.add(node)
    roots = [node for node in outputs if node not in derived] or outputs
    return Scene(tuple(outputs), order, set(toposort(roots)), adjoints)


def differentiated(loss: Node, wrt: Sequence[Node], gradients: Sequence[Node], trace: Trace) -> Scene:
    """Return the scene of a loss with its gradient.

    Args:
        loss: A scalar.
        wrt: What it is differentiated by.
        gradients: The derivative by each of them.
        trace: What the reverse pass recorded.
    """
    order = toposort([loss, *gradients])
    forward = toposort([loss])
    quantities = {node: found for node, found in trace.adjoints.items() if isinstance(node, Named) or node in wrt}
    quantities |= dict(zip(wrt, gradients, strict=True))
    quantities.pop(loss, None)
    present, users = set(order), _Users(forward, quantities)
    adjoints: dict[Node, Node] = {}
    extra = []
    for node, value in quantities.items():
        own = isinstance(value, Named) and value.label.kind == "adjoint"
        if own and value in present and value not in adjoints:
            adjoints[value] = node
        elif not own or value in present:
            source = next((user for user in users.of(node) if quantities[user] is value), None)
            extra.append(Adjoint(node, value, source))
    return Scene((loss,), order, set(forward), adjoints, tuple(extra), tuple(wrt), {*wrt, *gradients}, loss)


class _Users:
    """Which quantities are computed from a node with no other quantity between."""

    def __init__(self, order: Sequence[Node], quantities: Collection[Node]) -> None:
        self._quantities = quantities
        self._users: dict[Node, list[Node]] = {}
        for node in order:
            for operand in dict.fromkeys(node.operands):
                self._users.setdefault(operand, []).append(node)

    def of(self, node: Node) -> list[Node]:
        """Return the nearest quantities, in the order of a search."""
        found, seen, pending = [], {node}, [node]
        while pending:
            for user in self._users.get(pending.pop(), []):
                if user in seen:
                    continue
                seen.add(user)
                if user in self._quantities:
                    found.append(user)
                else:
                    pending.append(user)
        return found
