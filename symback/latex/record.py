"""What a reverse pass recorded, grouped by the quantities that have names."""

from collections.abc import Sequence
from typing import NamedTuple

from symback.graph import rebuild, toposort
from symback.nodes.apply import Map, Named
from symback.nodes.contract import is_zero
from symback.nodes.leaves import Leaf
from symback.nodes.node import Node
from symback.op.table import primitive_of
from symback.trace import Step, Trace


class Local(NamedTuple):
    """The derivative of an elementwise function of one argument, as the pass used it."""

    node: Map
    operand: Node
    partial: Node


class Quantity(NamedTuple):
    """What was recorded of one quantity.

    Attributes:
        node: A named node or a variable.
        adjoint: Its adjoint.
        value: What the adjoint is made of, its name taken off.
        consumers: The nearest quantities computed from it, in the order of the pass.
        contributions: What was added up to the adjoint.
        local: The elementwise functions of one argument between the quantity and its consumers.
        single: The one function of the quantity that its one consumer names, if that is all there is.
        substituted: `value`, with the value of the consumer's adjoint in the place of its name.
        rules: The names of the rules applied, from the quantity up.
    """

    node: Node
    adjoint: Node
    value: Node
    consumers: tuple[Node, ...]
    contributions: tuple[Node, ...]
    local: tuple[Local, ...]
    single: Local | None
    substituted: Node
    rules: tuple[str, ...]

    def last(self, loss: Node) -> Node:
        """Return the consumer that the pass reached last; the loss if there is none."""
        return self.consumers[-1] if self.consumers else loss


def quantities(loss: Node, wrt: Sequence[Node], gradients: Sequence[Node], trace: Trace) -> list[Quantity]:
    """Group a record by quantity, from the loss down; a variable follows the last of its consumers."""
    record = _Record(loss, wrt, trace)
    adjoints = {node: found for node, found in trace.adjoints.items() if record.is_quantity(node)}
    adjoints |= {node: found for node, found in zip(wrt, gradients, strict=True) if node not in adjoints}
    found = {node: record.quantity(node, adjoint) for node, adjoint in adjoints.items()}
    order = [found[loss]] if loss in wrt else []
    leaves = [node for node in dict.fromkeys(wrt) if isinstance(node, Leaf)]
    for stop in [loss, *[node for node in adjoints if node is not loss and not isinstance(node, Leaf)]]:
        order += [found[stop]] if stop is not loss else []
        order += [found[node] for node in leaves if node is not loss and found[node].last(loss) is stop]
    return order


class _Record:
    """The steps of a pass by the operand that receives."""

    def __init__(self, loss: Node, wrt: Sequence[Node], trace: Trace) -> None:
        self.loss = loss
        self.wrt = set(wrt)
        self.adjoints = trace.adjoints
        self.place = {node: place for place, node in enumerate(trace.adjoints)}
        self.received: dict[Node, list[Step]] = {}
        for step in trace.steps:
            if not is_zero(step.contribution):
                self.received.setdefault(step.operand, []).append(step)

    def is_quantity(self, node: Node) -> bool:
        """Does this node have a place of its own in the derivation?"""
        return isinstance(node, Named) or node in self.wrt or node is self.loss

    def quantity(self, node: Node, adjoint: Node) -> Quantity:
        """Collect what was recorded between a quantity and its consumers."""
        steps = self._between(node)
        consumers = tuple(sorted({s.node for s in steps if self.is_quantity(s.node)}, key=self.place.__getitem__))
        local = tuple(Local(s.node, s.operand, s.partial) for s in steps if _is_function(s))
        value = _without_name(adjoint, node)
        single = self._single(node, steps, consumers)
        substituted = value if single is None else self._substituted(value, consumers[0])
        rules = tuple(dict.fromkeys(step.rule for step in steps if step.rule != "name"))
        contributions = tuple(step.contribution for step in self.received.get(node, []))
        return Quantity(node, adjoint, value, consumers, contributions, local, single, substituted, rules)

    def _between(self, node: Node) -> list[Step]:
        """Return the steps from the nearest quantities down to this one, the last of them first."""
        steps: list[Step] = []
        seen = {node}
        pending = [node]
        while pending:
            for step in self.received.get(pending.pop(), []):
                steps.append(step)
                if step.node not in seen and not self.is_quantity(step.node):
                    seen.add(step.node)
                    pending.append(step.node)
        return steps

    def _single(self, node: Node, steps: Sequence[Step], consumers: tuple[Node, ...]) -> Local | None:
        """Return the function, if the only consumer is the name of one function of this quantity."""
        if len(steps) != 2 or len(consumers) != 1 or consumers[0] is self.loss:
            return None
        first, second = steps
        if not _is_function(first) or first.operand is not node or second.rule != "name":
            return None
        return Local(first.node, first.operand, first.partial)

    def _substituted(self, value: Node, consumer: Node) -> Node:
        """Put the value of the consumer's adjoint in the place of its name; other names stay closed."""
        adjoint = self.adjoints[consumer]
        inner = _without_name(adjoint, consumer)
        if value is adjoint:
            return inner
        if inner is adjoint or isinstance(value, Named):
            return value
        names = {node: node for node in toposort([value], stops=_Closed()) if isinstance(node, Named)}
        given = {**names, adjoint: inner}
        replaced: dict[Node, Node] = rebuild([value], Node.with_operands, given)
        return replaced[value]


class _Closed:
    """Stops a walk at names."""

    def __contains__(self, node: object) -> bool:
        return isinstance(node, Named)


def _is_function(step: Step) -> bool:
    """Did this step pass an elementwise function of one argument that has a name in print?"""
    return step.partial is not None and isinstance(step.node, Map) and primitive_of(step.node).arity == 1


def _without_name(adjoint: Node, node: Node) -> Node:
    """Return what an adjoint is made of, if the pass has named it after `node`."""
    name = getattr(node, "name", None)
    if isinstance(adjoint, Named) and adjoint.label.kind == "adjoint" and adjoint.name == f"d_{name}":
        return adjoint.operands[0]
    return adjoint
