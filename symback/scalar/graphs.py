"""Graphs of scalar nodes onto a tape."""

from collections.abc import Mapping
from functools import reduce

from symback import errors
from symback.graph import toposort
from symback.nodes.add import Plus
from symback.nodes.apply import Apply, Map, Named
from symback.nodes.contract import Contract
from symback.nodes.leaves import Constant, Exact, Ones, Variable
from symback.nodes.node import Node
from symback.op.table import PRIMITIVES
from symback.ops.undefined import UNDEFINED, Partial
from symback.scalar.tape import Tape

WITH_PARAMETERS = frozenset({"sinc_derivative", "round_to", "replace_nonfinite"})
"""Functions of one number that have parameters besides; on a tape their names are tuples with these."""

MOST_SQUARED = 64
"""Powers of larger exponents are left to the library."""


class Graphs:
    """Puts scalar nodes onto a tape; what it has met is there once.

    Args:
        tape: The tape.
        places: What nodes are on it already.
    """

    def __init__(self, tape: Tape, places: Mapping[Node, int] | None = None) -> None:
        self.tape = tape
        self._nodes: dict[Node, int] = dict(places or {})

    def node(self, root: Node) -> int:
        """Return the number of a node."""
        known = self._nodes
        for node in toposort([root], stops=known):
            if node not in known:
                if node.shape:
                    raise errors.no_counterpart("an array", node.short(), "use sb.lambdify, which takes arrays")
                known[node] = self._own(node)
        return known[root]

    def _own(self, node: Node) -> int:
        tape, operands = self.tape, [self._nodes[operand] for operand in node.operands]
        if isinstance(node, Variable):
            return tape.input(node.name)
        if isinstance(node, Exact):
            return tape.number(node.value)
        if isinstance(node, Ones):
            return tape.number(1)
        if isinstance(node, Constant):
            return tape.number(node.array.item())
        if isinstance(node, Named):
            return operands[0]
        if isinstance(node, Plus):
            return tape.total(operands)
        if isinstance(node, Contract):
            return reduce(tape.multiply, operands)
        if isinstance(node, Map):
            return self._function(node, operands)
        if isinstance(node, Apply) and node.operation.value == ("astype", "float64"):
            return operands[0]
        if isinstance(node, Apply) and node.operation.name in WITH_PARAMETERS:
            return tape.apply(node.operation.value, *operands)
        raise errors.no_counterpart(type(node).__name__, node.short(), "use sb.lambdify, which takes arrays")

    def _function(self, node: Map, operands: list[int]) -> int:
        name = node.operation.name
        if name == "divide":
            return self.tape.divide(*operands)
        if name == "power" and isinstance(node.operands[1], Exact):
            exponent = node.operands[1].value
            if isinstance(exponent, int) and abs(exponent) <= MOST_SQUARED:
                return self.tape.power(operands[0], exponent)
        if name == UNDEFINED:
            return self.tape.apply(Partial.of(node), *operands)
        if name not in PRIMITIVES:
            raise errors.no_counterpart("the function", node.short(), "use sb.lambdify, which takes arrays")
        return self.tape.apply(name, *operands)
