"""Derivatives by columns without the axes of size 1 that columns have, so that a Hessian is a matrix."""

from symback.graph import toposort
from symback.nodes.add import Plus, add
from symback.nodes.apply import Named
from symback.nodes.contract import Contract, Labels, contract
from symback.nodes.node import Node
from symback.nodes.products import sum_axes


def without_unit_axes(node: Node) -> Node:
    """Return a node without its axes of size 1, and so each sum and product of more than two axes inside it."""
    smaller: dict[Node, Node] = {}
    for part in toposort([node]):
        if len(part.shape) > 2 and any(size == 1 for size in part.shape):
            smaller[part] = _squeezed(part, smaller)
    return smaller.get(node, node)


def kept_axes(node: Node) -> list[int]:
    """Return the axes that are not of size 1."""
    return [axis for axis, size in enumerate(node.shape) if size != 1]


def _squeezed(node: Node, smaller: dict[Node, Node]) -> Node:
    if isinstance(node, Named):
        return smaller[node.operands[0]]
    if isinstance(node, Plus) and all(operand.shape == node.shape or not operand.shape for operand in node.operands):
        return add(*[smaller.get(operand, operand) for operand in node.operands])
    if isinstance(node, Contract):
        terms: list[tuple[Node, Labels]] = []
        for operand, labels in zip(node.operands, node.subscripts.inputs, strict=True):
            held = smaller.get(operand)
            terms.append((operand, labels) if held is None else (held, tuple(labels[a] for a in kept_axes(operand))))
        given = {label for _, labels in terms for label in labels}
        out = tuple(node.subscripts.out[axis] for axis in kept_axes(node))
        if all(label in given for label in out):
            return contract(terms, out)
    return sum_axes(node, [axis for axis, size in enumerate(node.shape) if size == 1])
