"""Paths along which derivatives pass: the nodes on them, and those at which all of them meet."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import count

from symback.graph import toposort
from symback.nodes.apply import Apply, Named
from symback.nodes.dtypes import is_float
from symback.nodes.labels import Label
from symback.nodes.leaves import Variable
from symback.nodes.node import Node, Param
from symback.op.table import primitive_of


def passing(node: Node) -> tuple[Node, ...]:
    """Return the operands to which a derivative may pass; none where it is zero wherever it exists."""
    if not is_float(node.dtype) or (isinstance(node, Apply) and not primitive_of(node).differentiable):
        return ()
    return node.operands


def active_nodes(order: Iterable[Node], wrt: Sequence[Node]) -> set[Node]:
    """Return the nodes of a topological order that depend on `wrt` by real-valued paths."""
    active = {node for node in wrt if is_float(node.dtype)}
    for node in order:
        if node not in active and not active.isdisjoint(passing(node)):
            active.add(node)
    return active


def between(output: Node, variables: Sequence[Node]) -> list[Node]:
    """Return the nodes on the paths from variables to `output`, both ends with them, operands first."""
    ends = set(variables)
    order = toposort([output], stops=ends)
    active = active_nodes(order, variables)
    reached = {output} & active
    for node in reversed(order):
        if node in reached and node not in ends:
            reached.update(operand for operand in passing(node) if operand in active)
    return [node for node in order if node in reached]


def cuts(path: Sequence[Node], variables: Sequence[Node]) -> list[Node]:
    """Return the nodes that all paths from variables to the output go through, of the nodes `between` them."""
    ends = set(variables)
    places = {node: place for place, node in enumerate(path)}
    furthest = [0] * len(path)
    for place, node in enumerate(path):
        for operand in passing(node) if node not in ends else ():
            if operand in places:
                furthest[places[operand]] = place
    begun = max((places[node] for node in ends if node in places), default=0)
    found = []
    reach = 0
    for place, node in enumerate(path):
        if reach <= place >= begun:
            found.append(node)
        reach = max(reach, furthest[place])
    return found


def fresh_names(prefix: str, users: Iterable[Node]) -> Iterator[str]:
    """Yield names, numbered from 1, that no variable and no `let` has among what `users` are computed from."""
    taken = {node.name for node in toposort(users) if isinstance(node, (Variable, Named))}
    return (name for name in (f"{prefix}_{number}" for number in count(1)) if name not in taken)


_PROBE = Param.__new__(Label, ("(cotangent)", None, "let"))
"""A name that no variable of a user can have."""


def probe_of(node: Node) -> Variable:
    """Return a variable that stands for a cotangent of a node."""
    return Variable(_PROBE, Param(node.shape), Param(node.dtype.name))
