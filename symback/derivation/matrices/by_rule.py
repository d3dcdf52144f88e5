r"""The reverse pass once more, as a lecturer writes it: with the symbols of adjoints, and ``\sigma'(z)`` for a slope.

The record of a pass has the derivative of each function multiplied in already. Here each quantity's adjoint is made
from those of its consumers alone, by the same rules, and the slope of a function that has a name is a symbol.
"""

from collections.abc import Mapping
from typing import NamedTuple

from symback.derivation.emitted import Names
from symback.derive.rules import contributions, partials, times, undo_broadcast
from symback.graph import many_allocations, replaced, toposort
from symback.latex.functions import derivative_term
from symback.latex.terms import DOTS
from symback.nodes.add import add
from symback.nodes.apply import Map, Named
from symback.nodes.contract import is_zero
from symback.nodes.leaves import Variable, exact, variable
from symback.nodes.node import Node
from symback.nodes.products import broadcast_to
from symback.op.table import primitive_of
from symback.trace import Trace


class ByRule(NamedTuple):
    """What quantities receive.

    Attributes:
        adjoints: For each quantity its adjoint, made from those of its consumers.
        slopes: The symbols of slopes, with the functions at their arguments.
    """

    adjoints: dict[Node, Node]
    slopes: dict[Variable, Map]


def by_rule(loss: Node, quantities: set[Node], trace: Trace, *, with_slopes: bool = True) -> ByRule:
    """Make the adjoint of each quantity from those of its consumers.

    Args:
        loss: What was differentiated.
        quantities: The nodes that have adjoints of their own.
        trace: What the pass recorded.
        with_slopes: Let the slopes of functions that have a name be symbols.
    """
    order = toposort([loss])
    found = ByRule({}, {})
    symbols = _Symbols(order, found.slopes if with_slopes else None)
    pending: dict[Node, list[Node]] = {loss: [exact(1)]}
    with many_allocations():
        for node in reversed(order):
            received = pending.pop(node, None)
            if received is None or node not in trace.adjoints:
                continue
            total = received[0] if len(received) == 1 else add(*received)
            if node in quantities:
                found.adjoints[node] = total
                total = trace.adjoints[node]
            for operand, value in symbols.passed_on(node, total, trace):
                if not is_zero(value):
                    pending.setdefault(operand, []).append(value)
    return found


class _Symbols:
    """Makes symbols for slopes."""

    def __init__(self, order: list[Node], slopes: dict[Variable, Map] | None) -> None:
        self._taken = {node.name for node in order if isinstance(node, (Named, Variable))}
        self._slopes = slopes
        self._number = 0

    def passed_on(self, node: Node, total: Node, trace: Trace) -> list[tuple[Node, Node]]:
        """Return what a node passes on to its operands."""
        if self._slopes is not None and isinstance(node, Map) and derivative_term(primitive_of(node), DOTS) is not None:
            (operand,) = node.operands
            if operand not in trace.adjoints:
                return []
            return [(operand, undo_broadcast(times(total, self._slope(node, self._slopes)), operand, 0))]
        return [
            (operand, undo_broadcast(given.value, operand, 0))
            for given in contributions(node, total, trace.adjoints)
            for operand in [node.operands[given.position]]
        ]

    def _slope(self, node: Map, slopes: dict[Variable, Map]) -> Variable:
        self._number += 1
        while f"slope_{self._number}" in self._taken:
            self._number += 1
        made = variable(f"slope_{self._number}", node.shape, node.dtype)
        slopes[made] = node
        return made


def spelled(value: Node, slopes: Mapping[Variable, Map]) -> Node:
    """Put the derivatives of functions in the place of the symbols of slopes; names stay closed."""
    inside = toposort([value], stops=Names())
    given: dict[Node, Node] = {node: node for node in inside if isinstance(node, Named)}
    for node in inside:
        if isinstance(node, Variable) and node in slopes:
            (partial,) = partials(slopes[node])
            assert partial is not None, node
            given[node] = broadcast_to(partial, node.shape)
    found = replaced([value], given)
    return found[value]
