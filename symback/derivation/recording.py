"""Runs the reverse pass for a derivation, and groups what it records by quantity."""

from collections.abc import Collection, Mapping, Sequence
from itertools import count

from symback.derivation.adjoints import Letters, hidden
from symback.derivation.emitted import Emitted, Names, Settle, emitted
from symback.derivation.matrices.by_rule import by_rule
from symback.derivation.record import Local, Quantity, Record
from symback.derivation.shared import labels_for, labels_of_unnamed, shared
from symback.derive import reverse
from symback.errors.derivation import hidden_variable, same_look
from symback.graph import rebuild, toposort
from symback.nodes.apply import Map, Named
from symback.nodes.contract import is_zero
from symback.nodes.labels import Label
from symback.nodes.leaves import Leaf, Variable
from symback.nodes.looks import latex_name
from symback.nodes.node import Node
from symback.nodes.products import broadcast_to
from symback.op.table import primitive_of
from symback.rewrite.stability import STABILISE, stabilise
from symback.rewrite.symmetric import oriented
from symback.trace import Step, Trace


def recorded(
    written: Node, wrt: Sequence[Node], adjoint: str | Letters, settle: Settle, symmetric: frozenset[Node] = frozenset()
) -> Record:
    """Run the pass, name what it uses more than once, and group what it recorded by quantity.

    Args:
        written: The loss.
        wrt: What it is differentiated by.
        adjoint: The looks of adjoints; None among them leaves one without a name.
        settle: `symback.rewrite.settle.settle`, which makes the graph that is emitted.
        symmetric: Variables that are symmetric matrices; derivatives are written without their transposes.
    """
    reverse.check_loss(written, wrt, "error", operation="derive")
    written, *wrt = _by_names([written, *wrt])
    looks = _checked_looks(written)
    bare = _without_hidden([written, *wrt], adjoint)
    bare = _stable_below(bare, wrt)
    sources = [bare[node] for node in wrt]
    forward = [node for node in toposort([written]) if isinstance(node, Named) or node is written]
    stable = dict(zip(forward, stabilise([bare[node] for node in forward], sources), strict=True))
    loss = stable[written]
    inside = {*toposort([loss])}
    differentiated = {node: now for node, now in stable.items() if now in inside}
    places = {node for node in inside if isinstance(node, Named)} | {*sources, loss}
    closed = [now for node, now in differentiated.items() if hidden(node, adjoint)]
    trace = Trace()
    reverse.grad(loss, sources, disconnected="zero", trace=trace)
    labels = labels_for(shared(trace, places.__contains__, closed), trace, loss, looks)
    labels |= labels_of_unnamed(sources, {label.name for label in labels.values()}, loss)
    trace, gradients = _traced(loss, sources, labels)
    grouped = _Grouping(loss, sources, gradients, trace, places | {*labels})
    grouped.turn(symmetric)
    names, shown = grouped.names(labels), {node: bare[node] for node in forward}
    final = emitted(_turning(settle, symmetric), shown, gradients, grouped.adjoints, grouped.closed, names)
    quantities = grouped.quantities(final, labels)
    return Record(
        written, loss, tuple(sources), tuple(gradients), trace, labels, quantities, grouped.slopes, final.forward,
        differentiated, final.explanation, frozenset(rule.name for rule in STABILISE), symmetric,
    )  # fmt: skip


def _turned(values: Mapping[Node, Node], symmetric: frozenset[Node]) -> dict[Node, Node]:
    """Return adjoints in which symmetric matrices are not transposed; those of consumers stay what they are."""
    named = [node for node in toposort(values.values(), stops=Names()) if isinstance(node, Named)]
    return dict(zip(values, oriented([*values.values()], symmetric, named), strict=True))


def _turning(settle: Settle, symmetric: frozenset[Node]) -> Settle:
    """Return what settles a graph in which symmetric matrices are not transposed."""
    return (lambda nodes: settle(oriented(nodes, symmetric))) if symmetric else settle


def with_ordinary_names(roots: Sequence[Node]) -> list[Node]:
    """Return nodes in which what another pass has named, as the derivative by x, is a quantity like others, g_x."""
    order = toposort(roots)
    taken = {node.name for node in order if isinstance(node, (Named, Variable))}
    labels: dict[Node, Label] = {}
    for node in order:
        if isinstance(node, Named) and node.label.kind == "adjoint":
            labels[node] = _ordinary(node.label, taken)
            taken.add(labels[node].name)
    if not labels:
        return [*roots]
    found: dict[Node, Node] = rebuild(
        roots, lambda node, operands: Named(labels[node], *operands) if node in labels else node.with_operands(operands)
    )
    return [found[root] for root in roots]


def _ordinary(label: Label, taken: Collection[str]) -> Label:
    of = label.name.removeprefix("d_")
    names = (f"g_{of}" if number == 1 else f"g_{of}_{number}" for number in count(1))
    name = next(name for name in names if name not in taken)
    return Label(name, rf"g_{{{latex_name(name.removeprefix('g_'))}}}")


def _traced(loss: Node, sources: Sequence[Node], labels: Mapping[Node, Label]) -> tuple[Trace, list[Node]]:
    """Run the pass with names for what it uses more than once."""
    trace = Trace()
    return trace, reverse.grad(loss, sources, disconnected="zero", trace=trace, labels=labels)


def _by_names(roots: Sequence[Node]) -> list[Node]:
    """Return nodes in which an expression that has a name is used by that name, as it is printed everywhere.

    What is differentiated by is its name too, if it has only one.
    """
    labels: dict[Node, Label] = {}
    several: set[Node] = set()
    for node in toposort(roots):
        if isinstance(node, Named) and node.operands[0].operands and not isinstance(node.operands[0], Named):
            first = labels.setdefault(node.operands[0], node.label)
            several |= {node.operands[0]} if first != node.label else set()

    def replace(node: Node, operands: tuple[Node, ...]) -> Node:
        if not isinstance(node, Named):
            pairs = zip(node.operands, operands, strict=True)
            operands = tuple(Named(labels[old], new) if old in labels else new for old, new in pairs)
        return node.with_operands(operands)

    found: dict[Node, Node] = rebuild(roots, replace)
    single = {root: Named(labels[root], found[root]) for root in roots[1:] if root in labels and root not in several}
    return [found[roots[0]], *(single.get(root, found[root]) for root in roots[1:])]


def _without_hidden(roots: Sequence[Node], adjoint: str | Letters) -> dict[Node, Node]:
    """Return for each node the same without the names of quantities whose adjoints are written out."""
    for node in roots[1:]:
        if hidden(node, adjoint):
            raise hidden_variable(node.short())

    def replace(node: Node, operands: tuple[Node, ...]) -> Node:
        return operands[0] if node is not roots[0] and hidden(node, adjoint) else node.with_operands(operands)

    return rebuild(roots, replace)


def _stable_below(bare: Mapping[Node, Node], wrt: Sequence[Node]) -> dict[Node, Node]:
    """Rewrite what nodes that are differentiated by are made of, as all else will be: a name stands for one thing."""
    sources = {bare[node] for node in wrt}
    done = [node for node in sources if not node.operands]
    if len(done) == len(sources):
        return {**bare}

    def replace(node: Node, operands: tuple[Node, ...]) -> Node:
        if node not in sources:
            return node.with_operands(operands)
        done.append(node.with_operands(tuple(stabilise(operands, done))))
        return done[-1]

    found: dict[Node, Node] = rebuild([*bare.values()], replace)
    return {node: found[now] for node, now in bare.items()}


def _checked_looks(written: Node) -> set[str]:
    """Return all looks of names, if no two names look alike."""
    owners: dict[str, str] = {}
    for node in toposort([written]):
        if isinstance(node, (Named, Variable)):
            look = node.label.look
            if owners.setdefault(look, node.name) != node.name:
                raise same_look(owners[look], node.name, look)
    return set(owners)


class _Grouping:
    """The steps of a pass by the operand that receives."""

    def __init__(
        self, loss: Node, wrt: Sequence[Node], gradients: Sequence[Node], trace: Trace, places: Collection[Node]
    ) -> None:
        self.loss = loss
        self.wrt = list(dict.fromkeys(wrt))
        self.places = places
        self.adjoints = {node: found for node, found in trace.adjoints.items() if node in places}
        self.adjoints |= {node: found for node, found in zip(wrt, gradients, strict=True) if node not in self.adjoints}
        self.place = {node: place for place, node in enumerate(trace.adjoints)}
        made = by_rule(loss, {*self.adjoints}, trace)
        self.slopes, self.values = made.slopes, made.adjoints
        self.closed = by_rule(loss, {*self.adjoints}, trace, with_slopes=False).adjoints
        self.received: dict[Node, list[Step]] = {}
        for step in trace.steps:
            if not is_zero(step.contribution):
                self.received.setdefault(step.operand, []).append(step)

    def turn(self, symmetric: frozenset[Node]) -> None:
        """Write symmetric matrices without transposes."""
        if symmetric:
            self.values, self.closed = _turned(self.values, symmetric), _turned(self.closed, symmetric)

    def names(self, labels: Mapping[Node, Label]) -> dict[Node, Label]:
        """Return the names of adjoints."""
        found = {node: adjoint.label for node, adjoint in self.adjoints.items() if isinstance(adjoint, Named)}
        return {node: label for node, label in found.items() if label == labels.get(node) or _is_after(label, node)}

    def quantities(self, final: Emitted, labels: Mapping[Node, Label]) -> tuple[Quantity, ...]:
        """Return the quantities from the loss down; a variable follows the last of its consumers."""
        found = {node: self._quantity(node, final, labels.get(node)) for node in self.adjoints}
        order = [found[self.loss]] if self.loss in self.wrt else []
        followers: dict[Node, list[Quantity]] = {}
        for node in self.wrt:
            if isinstance(node, Leaf) and node is not self.loss:
                followers.setdefault(found[node].last(self.loss), []).append(found[node])
        inner = [node for node in self.adjoints if node is not self.loss and not isinstance(node, Leaf)]
        for stop in [self.loss, *inner]:
            order += [found[stop]] if stop is not self.loss else []
            order += followers.get(stop, [])
        return tuple(order)

    def _quantity(self, node: Node, final: Emitted, label: Label | None) -> Quantity:
        """Collect what was recorded between a quantity and its consumers."""
        adjoint = self.adjoints[node]
        steps = self._between(node)
        consumers = tuple(sorted({s.node for s in steps if s.node in self.places}, key=self.place.__getitem__))
        local = tuple(Local(s.node, s.operand, broadcast_to(s.partial, s.node.shape)) for s in steps if _is_function(s))
        rules = tuple(dict.fromkeys(step.rule for step in steps if step.rule != "name"))
        contributions = tuple(step.contribution for step in self.received.get(node, []))
        return Quantity(
            node, adjoint, self.values.get(node, adjoint), final.adjoints[node], consumers, contributions, local,
            self._single(node, steps, consumers), rules, final.rewrites[node], label,
        )  # fmt: skip

    def _between(self, node: Node) -> list[Step]:
        """Return the steps from the nearest quantities down to this one, the last of them first."""
        steps: list[Step] = []
        seen = {node}
        pending = [node]
        while pending:
            for step in self.received.get(pending.pop(), []):
                steps.append(step)
                if step.node not in seen and step.node not in self.places:
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


def _is_function(step: Step) -> bool:
    """Did this step pass an elementwise function of one argument that has a name in print?"""
    return step.partial is not None and isinstance(step.node, Map) and primitive_of(step.node).arity == 1


def _is_after(label: Label, node: Node) -> bool:
    """Has the pass named an adjoint after this node?"""
    return label.kind == "adjoint" and isinstance(node, (Named, Variable)) and label.name == f"d_{node.name}"
