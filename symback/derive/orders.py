"""The order in which the factors of a Jacobian are multiplied: forward, reverse, or from the middle to both ends.

By the chain rule a Jacobian is a product of Jacobians, one between each two nodes that all paths go through. Reverse
mode multiplies from the output down, with as many rows as the output has entries; forward mode from the variable up,
with as many columns as the variable has entries. Where the paths meet in a node with fewer entries than both, it is
cheapest to begin there, forward to the output and in reverse to the variable: the outer product of the two factors
is formed last. See Griewank and Walther, Evaluating Derivatives (2nd ed. 2008), chapters 9 and 10.
"""

from typing import NamedTuple

from symback.derive.paths import between, cuts
from symback.errors.words import show
from symback.nodes.contract import Labels
from symback.nodes.node import Node
from symback.nodes.shapes import NO_HINTS, Hints, number_of, product

LEAST_GAIN = 2
"""How many times fewer entries than output and variable a node must have for the order to begin there."""


class Order(NamedTuple):
    """The order chosen for a Jacobian.

    Attributes:
        name: ``"reverse"``, ``"forward"`` or ``"mixed"``.
        start: The node with whose entries the rows or columns begin: the output, the variable, or one between.
    """

    name: str
    start: Node

    def __str__(self) -> str:
        return f"{self.name}, from {show(self.start)}"


def entries(node: Node, hints: Hints = NO_HINTS) -> int:
    """Return what the number of entries of a node counts for."""
    return number_of(product(node.shape), hints)


def order_of(output: Node, variable: Node, order: str = "auto", hints: Hints = NO_HINTS) -> Order:
    """Choose the order of the derivative of `output` by `variable`, or find where the one that is asked for begins."""
    if order == "reverse":
        return Order("reverse", output)
    if order == "forward":
        return Order("forward", variable)
    meeting = cuts(between(output, [variable]), [variable])
    inner = [node for node in meeting if node is not output and node is not variable]
    first, last = entries(variable, hints), entries(output, hints)
    # of several the one nearest to the output: reverse mode is the usual one
    narrowest = min(reversed(inner), key=lambda node: entries(node, hints), default=None)
    if narrowest is not None and (order == "mixed" or entries(narrowest, hints) * LEAST_GAIN <= min(first, last)):
        return Order("mixed", narrowest)
    return Order("forward", variable) if first * LEAST_GAIN <= last else Order("reverse", output)


def labels_of(*nodes: Node) -> list[Labels]:
    """Return labels for the axes of the nodes, all different."""
    found: list[Labels] = []
    first = 0
    for node in nodes:
        found.append(tuple(range(first, first + len(node.shape))))
        first += len(node.shape)
    return found
