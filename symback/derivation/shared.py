r"""Derivatives that several quantities use and that nobody has named: they get a name before their first use.

With ``a = sigma(W x + b)`` and no name for ``W x + b``, its derivative is what W, x and b are given a share of. So it
is introduced, as a lecturer does: :math:`\lambda = \frac{\partial L}{\partial a} \odot \sigma'(W x + b)`.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import count
from typing import Any

from symback.derivation.adjoints import split_look
from symback.graph import toposort
from symback.nodes.apply import Named
from symback.nodes.contract import Contract, is_zero
from symback.nodes.labels import Label
from symback.nodes.leaves import Variable
from symback.nodes.node import Node
from symback.trace import Trace

_LETTER = r"\lambda"


def shared(trace: Trace, has_place: Callable[[Node], bool], closed: Collection[Node]) -> list[Node]:
    """Return the unnamed nodes whose derivatives are passed on more than once, in the order of the pass.

    Args:
        trace: What a pass recorded.
        has_place: Is a node a quantity with an adjoint of its own?
        closed: Nodes whose derivatives must not get a name.
    """
    worth = _worth_a_name(trace) - {trace.adjoints.get(node) for node in closed}
    first: dict[Node, Node] = {}
    uses: Counter[Node] = Counter()
    for step in trace.steps:
        adjoint = trace.adjoints[step.node]
        if has_place(step.node) or adjoint not in worth or is_zero(step.contribution):
            continue
        first.setdefault(adjoint, step.node)
        passed = trace.adjoints.get(step.operand) is adjoint and not has_place(step.operand)
        uses[adjoint] += not passed
    return [node for adjoint, node in first.items() if uses[adjoint] > 1]


def _worth_a_name(trace: Trace) -> set[Node]:
    """Return the adjoints that depend on variables and are more than a name, its multiple or its transpose."""
    depends: set[Node] = set()
    for node in toposort(trace.adjoints.values()):
        if isinstance(node, (Variable, Named)) or any(operand in depends for operand in node.operands):
            depends.add(node)
    return {adjoint for adjoint in trace.adjoints.values() if adjoint in depends and not _is_short(adjoint, depends)}


def _is_short(node: Node, depends: Collection[Node]) -> bool:
    if not node.operands or isinstance(node, Named):
        return True
    rest = [operand for operand in node.operands if operand in depends]
    return isinstance(node, Contract) and len(rest) == 1 and isinstance(rest[0], (Named, Variable))


def labels_for(nodes: Collection[Node], trace: Trace, loss: Node, looks: Collection[str]) -> dict[Node, Label]:
    r"""Return a name for the derivative by each node: ``\lambda`` with the indices of the one quantity above it.

    Args:
        nodes: What `shared` has found.
        trace: What the pass recorded.
        loss: What is differentiated.
        looks: Looks that are taken.
    """
    names = _free_names(loss, ())
    above = _names_above(trace)
    taken, labels = set(looks), dict[Node, Label]()
    numbers = count(1)
    for node in nodes:
        scripts = split_look(above[node].label.look)[1] if node in above else ""
        look = _LETTER + scripts
        while not scripts or look in taken:
            scripts, look = "_", f"{_LETTER}_{{{next(numbers)}}}"
        taken.add(look)
        labels[node] = Label(next(names), look, "adjoint")
    return labels


def labels_of_unnamed(nodes: Collection[Node], taken: Collection[str], loss: Node) -> dict[Node, Label]:
    """Return a name for the derivative by each computed node that has none, so that it is not written out elsewhere."""
    names = _free_names(loss, taken)
    computed = [node for node in nodes if node.operands and not isinstance(node, Named) and node is not loss]
    return {node: Label(next(names), None, "adjoint") for node in computed}


def _free_names(loss: Node, taken: Collection[str]) -> Iterator[str]:
    names = {node.name for node in toposort([loss]) if isinstance(node, (Named, Variable))} | {*taken}
    return (name for number in count(1) if (name := f"lambda_{number}") not in names)


def _names_above(trace: Trace) -> Mapping[Node, Any]:
    """Return for each node the name that it is passed on to it from, if all it gets comes from one."""
    above: dict[Node, Any] = {}
    for step in trace.steps:
        source = step.node if isinstance(step.node, Named) else above.get(step.node)
        above[step.operand] = source if above.get(step.operand, source) is source else None
    return {node: source for node, source in above.items() if source is not None}
