"""Reshapes of diagonals: which axes become which, and a diagonal along one axis as one along several."""

from collections.abc import Sequence

from symback.nodes.contract import Contract, Labels, contract
from symback.nodes.leaves import Ones, ones_of
from symback.nodes.node import METHODS, Node
from symback.nodes.shapes import Shape, SizeExpr, product

Group = tuple[tuple[int, ...], tuple[int, ...]]
"""Axes before a reshape, and those they become; of one of the two there is one axis."""


def grouped(old: Shape, new: Shape) -> list[Group] | None:
    """Return which axes become which, in order; None if that is not one axis for several or several for one.

    Example:
        >>> grouped((2, 3, 4), (6, 4))
        [((0, 1), (0,)), ((2,), (1,))]
    """
    if any(isinstance(size, int) and size < 2 for size in (*old, *new)):
        return None
    groups: list[Group] = []
    first, start = 0, 0
    while first < len(old) and start < len(new):
        found = _next_group(old[first:], new[start:])
        if found is None:
            return None
        many, several = found
        groups.append((tuple(range(first, first + many)), tuple(range(start, start + several))))
        first, start = first + many, start + several
    return groups if first == len(old) and start == len(new) else None


def _next_group(old: Sequence[SizeExpr], new: Sequence[SizeExpr]) -> tuple[int, int] | None:
    """Return how many axes become how many."""
    for count in range(1, len(new) + 1):
        if product(new[:count]) == old[0]:
            return 1, count
    for count in range(2, len(old) + 1):
        if product(old[:count]) == new[0]:
            return count, 1
    return None


def regrouped_diagonal(node: Contract, shape: Shape) -> Node | None:
    """Return a diagonal with axes so that a reshape to `shape` puts some together and takes none apart.

    The diagonal itself becomes one along several axes. None if the reshape is not of that kind.
    """
    groups = grouped(node.shape, shape)
    if groups is None:
        return None
    out = node.parts().out
    opened: dict[int, Shape] = {}
    for old, new in groups:
        if len(new) > 1 and opened.setdefault(out[old[0]], tuple(shape[axis] for axis in new)) != tuple(
            shape[axis] for axis in new
        ):
            return None
    if not opened:
        return node
    return _opened(node, opened)


def _opened(node: Contract, opened: dict[int, Shape]) -> Node:
    """Take labels apart in all operands and in the result."""
    fresh = 1 + max(label for labels in node.subscripts.inputs for label in labels)
    labels_of: dict[int, Labels] = {}
    for label, shape in opened.items():
        labels_of[label] = tuple(range(fresh, fresh + len(shape)))
        fresh += len(shape)

    def taken_apart(labels: Labels) -> Labels:
        return tuple(new for label in labels for new in labels_of.get(label, (label,)))

    terms = []
    for operand, labels in zip(node.operands, node.subscripts.inputs, strict=True):
        pairs = zip(labels, operand.shape, strict=True)
        shape = tuple(new for label, size in pairs for new in opened.get(label, (size,)))
        reshaped = ones_of(shape, operand.dtype) if isinstance(operand, Ones) else operand
        if reshaped.shape != shape:
            reshaped = METHODS["reshape"](operand, shape)
        terms.append((reshaped, taken_apart(labels)))
    return contract(terms, taken_apart(node.subscripts.out))
