"""Which arguments a value may be a view of: what writing to them would change."""

from collections.abc import Iterable, Mapping, Sequence

from symback.codegen.fresh import is_fresh
from symback.nodes.add import Plus
from symback.nodes.apply import Map, Named
from symback.nodes.classify import classify
from symback.nodes.contract import Contract
from symback.nodes.leaves import Variable
from symback.nodes.node import Node
from symback.op.table import primitive_of

Memory = frozenset[Variable]


def memory_of(order: Iterable[Node]) -> dict[Node, Memory]:
    """Return for each node, operands first, the variables whose memory its value may look into."""
    memory: dict[Node, Memory] = {}
    for node in order:
        if isinstance(node, Variable):
            memory[node] = frozenset([node])
        else:
            memory[node] = frozenset() if _is_own(node) else _union(memory, node.operands)
    return memory


def _union(memory: Mapping[Node, Memory], nodes: Sequence[Node]) -> Memory:
    return frozenset().union(*(memory[node] for node in nodes))


def _is_own(node: Node) -> bool:
    """Is the value an array of its own, or a number? What is not known to be is taken for a view."""
    if is_fresh(node) or isinstance(node, Plus):
        return True
    if isinstance(node, Contract):
        p = classify(node)
        one = len(p.cores) == 1 and p.coefficient == 1
        return not one or p.kind in ("embed", "sum", "trace") or bool(p.summed(p.cores[0][1]))
    if isinstance(node, Map):
        spelling = primitive_of(node).numpy
        return isinstance(spelling, str) and spelling != "{0}"
    return not isinstance(node, Named) and not node.operands
