r"""What code computes for each adjoint, as the last line of a derivation: rewritten by the rules of `symback.rewrite`.

The whole graph is settled once, as it is when code is emitted. Where the rules take the symbol of an adjoint apart that
a reader has seen derived already, or make use of one that is derived elsewhere, the same rules are applied with the
symbols closed.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import count
from typing import NamedTuple

from symback.graph import rebuild, replaced, toposort
from symback.nodes.apply import Named
from symback.nodes.labels import Label
from symback.nodes.leaves import Variable, variable
from symback.nodes.node import Node
from symback.rewrite.report import Explanation

Settle = Callable[[Sequence[Node]], tuple[list[Node], Explanation]]
"""`symback.rewrite.settle.settle`."""


class Emitted(NamedTuple):
    """What became of a graph.

    Attributes:
        forward: For each named node of the loss, and the loss, what is emitted.
        adjoints: For each quantity what is emitted for its adjoint, without its name.
        rewrites: For each quantity the names of the rules that led there.
        explanation: Which rules were applied where.
    """

    forward: dict[Node, Node]
    adjoints: dict[Node, Node]
    rewrites: dict[Node, tuple[str, ...]]
    explanation: Explanation


def emitted(
    settle: Settle, forward: Mapping[Node, Node], gradients: Sequence[Node], adjoints: Mapping[Node, Node],
    by_rule: Mapping[Node, Node], labels: Mapping[Node, Label],
) -> Emitted:  # fmt: skip
    """Settle a graph.

    Args:
        settle: What makes the graph that is emitted.
        forward: The named nodes of the loss, and the loss, each with what is settled for it.
        gradients: The derivatives that were asked for.
        adjoints: For each quantity its adjoint as the pass made it.
        by_rule: For each quantity its adjoint, made from the adjoints of its consumers.
        labels: The names of adjoints, by quantity.
    """
    nodes, explanation = settle([*forward.values(), *gradients, *adjoints.values()])
    last = dict(zip(adjoints, nodes[len(forward) + len(gradients) :], strict=True))
    rules = rules_by_place(explanation)
    found = Emitted(dict(zip(forward, nodes, strict=False)), {}, {}, explanation)
    symbols = {adjoint: q for q, adjoint in adjoints.items() if isinstance(adjoint, Named) and q in labels}
    closed = {q: value for q, value in by_rule.items() if q in labels}
    shown = {label: q for q, label in labels.items()}
    for q, node in last.items():
        found.adjoints[q] = _without(labels.get(q), node)
        found.rewrites[q] = rules.get(labels[q].name, ()) if q in labels else ()
    own = {q: _adjoints_in(value, shown) for q, value in closed.items()}
    apart = [q for q in closed if _adjoints_in(found.adjoints[q], shown) != own[q]]
    if apart:
        simpler, reasons = _with_symbols(settle, {q: closed[q] for q in apart}, [*forward.values()], symbols, labels)
        for q, node in simpler.items():
            others = _adjoints_in(found.adjoints[q], shown) - own[q]
            if others or _size(node) < _size(found.adjoints[q]):
                found.adjoints[q], found.rewrites[q] = node, reasons.get(labels[q].name, ())
    return found


def rules_by_place(explanation: Explanation) -> dict[str, tuple[str, ...]]:
    """Return the names of the rules that were applied within each named expression."""
    rules: dict[str, dict[str, None]] = {}
    for reason in explanation:
        rules.setdefault(reason.place, {})[reason.rule] = None
    return {place: tuple(found) for place, found in rules.items()}


def _with_symbols(
    settle: Settle, values: Mapping[Node, Node], forward: Sequence[Node], symbols: Mapping[Node, Node],
    labels: Mapping[Node, Label],
) -> tuple[dict[Node, Node], dict[str, tuple[str, ...]]]:  # fmt: skip
    """Apply the rules to adjoints in which those of the consumers are closed."""
    taken = {node.name for node in toposort([*forward, *values.values()]) if isinstance(node, (Named, Variable))}
    fresh = (name for number in count(1) if (name := f"adjoint_{number}") not in taken)
    stand_ins: dict[Node, Node] = {node: variable(next(fresh), node.shape, node.dtype) for node in symbols}
    closed = replaced(values.values(), stand_ins)
    given = [Named(labels[q], closed[value]) for q, value in values.items()]
    nodes, explanation = settle([*forward, *given])
    back: dict[Node, Node] = {stand_in: node for node, stand_in in stand_ins.items()}
    own = set(labels.values())

    def restore(node: Node, operands: tuple[Node, ...]) -> Node:
        return operands[0] if isinstance(node, Named) and node.label in own else node.with_operands(operands)

    restored: dict[Node, Node] = rebuild(nodes, restore, back)
    last = [restored[node] for node in nodes[len(forward) :]]
    return dict(zip(values, last, strict=True)), rules_by_place(explanation)


def _without(label: Label | None, node: Node) -> Node:
    return node.operands[0] if isinstance(node, Named) and node.label == label else node


def _adjoints_in(value: Node, labels: Mapping[Label, Node]) -> set[Node]:
    """Return the quantities whose adjoints a formula is written with."""
    return {labels[node.label] for node in _printed(value) if isinstance(node, Named) and node.label in labels}


def _size(value: Node) -> int:
    return sum(1 + len(node.operands) for node in _printed(value))


def _printed(value: Node) -> Iterable[Node]:
    return toposort([value], stops=Names())


class Names:
    """Stops a walk at names."""

    def __contains__(self, node: object) -> bool:
        return isinstance(node, Named)
