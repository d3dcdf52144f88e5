"""What is known of a derivation before a line of it is written: the pass, by the quantities that have names."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from symback.nodes.apply import Map
from symback.nodes.labels import Label
from symback.nodes.leaves import Variable
from symback.nodes.node import Node
from symback.rewrite.report import Explanation
from symback.trace import Trace


class Local(NamedTuple):
    """The derivative of an elementwise function of one argument, as the pass used it."""

    node: Map
    operand: Node
    partial: Node


class Quantity(NamedTuple):
    """What was recorded of one quantity.

    Attributes:
        node: A named node, a variable, or an unnamed node whose adjoint has got a name.
        adjoint: Its adjoint.
        value: The adjoint by the derivative rules, from the adjoints of the consumers; slopes of functions are symbols.
        settled: The adjoint as it is emitted, its name taken off.
        consumers: The nearest quantities computed from it, in the order of the pass.
        contributions: What was added up to the adjoint.
        local: The elementwise functions of one argument between the quantity and its consumers.
        single: The one function of the quantity that its one consumer names, if that is all there is.
        rules: The names of the rules applied, from the quantity up.
        rewrites: The names of the rewriting rules that led there.
        label: The name that the adjoint of an unnamed node has got; with a look, if it is used more than once.
    """

    node: Node
    adjoint: Node
    value: Node
    settled: Node
    consumers: tuple[Node, ...]
    contributions: tuple[Node, ...]
    local: tuple[Local, ...]
    single: Local | None
    rules: tuple[str, ...]
    rewrites: tuple[str, ...]
    label: Label | None = None

    def last(self, loss: Node) -> Node:
        """Return the consumer that the pass reached last; the loss if there is none."""
        return self.consumers[-1] if self.consumers else loss


@dataclass(frozen=True, slots=True)
class Record:
    """A pass and what became of it.

    Attributes:
        written: The loss as it was given.
        loss: The loss as it was differentiated: rewritten by rules that keep digits, and without the names of
            quantities whose adjoints are written out.
        wrt: The variables.
        gradients: The derivative by each of them.
        trace: What the pass recorded.
        labels: The names of adjoints that are used more than once, and of those by variables that have no name.
        quantities: The quantities, from the loss down; a variable follows the last of its consumers.
        slopes: For each symbol of a slope the function at its argument.
        forward: For each named node of the loss as written, and for the loss, what is emitted for it.
        differentiated: For those of them that are in `loss` too, what stands there.
        explanation: Which rewriting rules were applied where.
        stable: The names of the rules that are applied before differentiation.
        symmetric: The variables that are symmetric matrices.
    """

    written: Node
    loss: Node
    wrt: tuple[Node, ...]
    gradients: tuple[Node, ...]
    trace: Trace
    labels: Mapping[Node, Label]
    quantities: tuple[Quantity, ...]
    slopes: Mapping[Variable, Map]
    forward: Mapping[Node, Node]
    differentiated: Mapping[Node, Node]
    explanation: Explanation
    stable: frozenset[str] = frozenset()
    symmetric: frozenset[Node] = frozenset()

    def rules_in(self, place: str) -> tuple[str, ...]:
        """Return the names of the rewriting rules that were applied within a named expression."""
        return tuple(dict.fromkeys(reason.rule for reason in self.explanation if reason.place == place))
