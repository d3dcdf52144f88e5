"""Which of the nodes that all paths go through are piecewise affine functions of the variables."""

from collections.abc import Container, Sequence

from symback.derive.paths import cuts, passing, probe_of
from symback.derive.rules import contributions, partials
from symback.nodes.add import Plus
from symback.nodes.apply import Map, Named
from symback.nodes.contract import Contract
from symback.nodes.node import Node
from symback.op.table import primitive_of


def affine_cuts(path: Sequence[Node], variables: Sequence[Node]) -> list[Node]:
    """Return those of the `cuts` that are piecewise affine functions of the variables together."""
    inside, ends = set(path), set(variables)
    meeting = set(cuts(path, variables))
    affine: set[Node] = set()
    found = []
    for node in path:
        from_affine = all(x in affine for x in passing(node) if x in inside)
        if node in ends or (from_affine and _is_affine(node, inside)):
            affine.add(node)
            if node in meeting:
                found.append(node)
        elif node in meeting:
            break
    return found


def _is_affine(node: Node, moving: Container[Node]) -> bool:
    """Is the derivative of a node by those of its operands that move constant, wherever it exists?"""
    if isinstance(node, (Named, Plus)):
        return True
    if isinstance(node, Contract):
        return sum(operand in moving for operand in node.operands) == 1
    if isinstance(node, Map):
        found = [part for x, part in zip(node.operands, partials(node), strict=True) if x in moving]
        return not any(part is not None and _moves(part, moving) for part in found)
    if primitive_of(node).linear:
        return True
    return not any(_moves(part.value, moving) for part in contributions(node, probe_of(node), moving))


def _moves(node: Node, moving: Container[Node]) -> bool:
    """Does a derivative of this node by what moves differ from zero?"""
    waiting, seen = [node], set()
    while waiting:
        part = waiting.pop()
        if part in moving:
            return True
        if part not in seen:
            seen.add(part)
            waiting += passing(part)
    return False
