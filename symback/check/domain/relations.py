"""What operands have to do with one another: a part is no more than the whole, an entry no more than the largest."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from symback.check.evaluate import evaluate
from symback.graph import toposort
from symback.nodes.add import Plus, split_coefficient
from symback.nodes.apply import Apply, Map, unnamed
from symback.nodes.contract import Contract
from symback.nodes.leaves import Exact, Size, Variable
from symback.nodes.node import Node

IsNonnegative = Callable[[Node], bool]

_DEPTH = 6
_ABOVE = {"max_over", "logsumexp_over"}
"""Reductions over axes that are no less than any entry."""
_ABOVE_SIZE = {"norm_over"}
"""Reductions that are no less than the absolute value of any entry."""


class Reduction(NamedTuple):
    """A reduction over axes that stands beside the array it is taken of, entry by entry.

    Attributes:
        name: The name of the primitive; ``"sum"`` for a sum.
        of: The array.
        axes: The axes that are reduced.
        node: The reduction, without repetition.
    """

    name: str
    of: Node
    axes: tuple[int, ...]
    node: Node


def reduction(node: Node, rank: int) -> Reduction | None:
    """Return what a node is a reduction of, if it broadcasts so that each entry meets the one of its own row."""
    core, places = _unrepeated(unnamed(node), rank)
    if isinstance(core, Contract):
        coefficient, cores, ones, out = core.parts()
        if coefficient != 1 or len(cores) != 1 or ones or len(set(out)) < len(out):
            return None
        array, labels = cores[0]
        kept = [labels.index(label) if label in labels else -1 for label in out]
        name = "sum"
    elif isinstance(core, Apply) and core.operation.name in (*_ABOVE, *_ABOVE_SIZE, "min_over"):
        (array,) = core.operands
        lost = {axis % len(array.shape) for axis in core.operation.parameters[0]}
        kept = [axis for axis in range(len(array.shape)) if axis not in lost]
        name, labels = core.operation.name, ()
    else:
        return None
    if len(array.shape) != rank or kept != places or len(kept) == rank:
        return None
    return Reduction(name, unnamed(array), tuple(axis for axis in range(rank) if axis not in kept), core)


def _unrepeated(node: Node, rank: int) -> tuple[Node, list[int]]:
    """Return what a node repeats, and at which axis, of so many, each of its axes comes to stand."""
    if isinstance(node, Contract):
        coefficient, cores, ones, out = node.parts()
        if coefficient == 1 and len(cores) == 1 and ones and len(set(out)) == len(out):
            core, labels = cores[0]
            if all(label in out for label in labels):
                return unnamed(core), [out.index(label) + rank - len(out) for label in labels]
    return node, list(range(rank - len(node.shape), rank))


def is_below(a: Node, b: Node) -> bool:
    """Is a <= b known wherever both are numbers?"""
    a, b = unnamed(a), unnamed(b)
    if a is b or (_name(b) == "abs" and unnamed(b.operands[0]) is a):
        return True
    if _name(b) == "maximum" and any(unnamed(operand) is a for operand in b.operands):
        return True
    if _name(a) == "minimum" and any(unnamed(operand) is b for operand in a.operands):
        return True
    above, below = reduction(b, len(a.shape)), reduction(a, len(b.shape))
    if above is not None and above.name in (*_ABOVE, *_ABOVE_SIZE) and above.of is a:
        return True
    return below is not None and below.name == "min_over" and below.of is b


def is_part(a: Node, b: Node, nonnegative: IsNonnegative, depth: int = _DEPTH) -> bool:
    """Is abs(a) <= b known, rounding apart, wherever both are numbers?"""
    a, b = unnamed(a), unnamed(b)
    if depth == 0:
        return False
    if a is b:
        return nonnegative(a)
    if _name(b) == "where":
        return all(_is_infinite(branch) or is_part(a, branch, nonnegative, depth - 1) for branch in b.operands[1:])
    if isinstance(b, Plus) and len(b.operands) <= 8:
        return all(map(nonnegative, b.operands)) and any(
            is_part(a, term, nonnegative, depth - 1) for term in b.operands
        )
    if _name(b) in ("abs", "hypot") and any(unnamed(operand) is _inside(a) for operand in b.operands):
        return nonnegative(b)  # that of the least integer is negative
    if _name(b) == "maximum":
        return any(is_part(a, operand, nonnegative, depth - 1) for operand in b.operands)
    if _name(b) == "sqrt":
        return _is_part_of_root(a, unnamed(b.operands[0]), nonnegative)
    return _is_part_of_reduction(a, b, nonnegative, depth)


def _is_part_of_reduction(a: Node, b: Node, nonnegative: IsNonnegative, depth: int) -> bool:
    found = reduction(b, len(a.shape))
    if found is None:
        return False
    if found.name == "sum":
        return nonnegative(found.of) and is_part(a, found.of, nonnegative, depth - 1)
    if found.name in _ABOVE_SIZE:
        return _inside(a) is _inside(found.of)
    return found.name in _ABOVE and is_part(a, found.of, nonnegative, depth - 1)


def _is_part_of_root(a: Node, b: Node, nonnegative: IsNonnegative) -> bool:
    """Is a**2 a part of b?"""
    terms = b.operands if isinstance(b, Plus) and len(b.operands) <= 8 else (b,)
    if not all(map(nonnegative, terms)):
        return False
    for term in map(unnamed, terms):
        found = reduction(term, len(a.shape))
        of = found.of if found is not None and found.name == "sum" else term
        if _is_square_of(of, _inside(a)):
            return True
        if isinstance(term, Contract) and _is_inner_square(term, _inside(a)):
            return True
    return False


def _is_inner_square(node: Contract, a: Node) -> bool:
    """Is this the sum of all entries squared?"""
    coefficient, cores, ones, out = node.parts()
    same = len(cores) == 2 and cores[0][1] == cores[1][1] and unnamed(cores[0][0]) is unnamed(cores[1][0]) is a
    return same and coefficient == 1 and not ones and not out


def _is_square_of(node: Node, a: Node) -> bool:
    if not isinstance(node, Contract):
        return False
    coefficient, cores, _, out = node.parts()
    return len(cores) == 2 and coefficient == 1 and all(unnamed(core) is a and labels == out for core, labels in cores)


def _inside(node: Node) -> Node:
    """Return what an absolute value or a sign is taken of: it has the same absolute value."""
    core, coefficient = split_coefficient(unnamed(node))
    if core is not None and coefficient == -1:
        node = core
    node = unnamed(node)
    return unnamed(node.operands[0]) if _name(node) == "abs" else node


def _is_infinite(node: Node) -> bool:
    node = unnamed(node)
    return isinstance(node, Exact) and isinstance(node.value, float) and math.isinf(node.value)


def is_slope_at_most_one(a: Node, b: Node) -> bool:
    """Is a a function of b with abs(a) <= abs(b), such as sin(b)?"""
    a = unnamed(a)
    return _name(a) in ("sin", "tanh", "arctan", "arcsinh", "softsign") and unnamed(a.operands[0]) is unnamed(b)


def _name(node: Node) -> str:
    return node.operation.name if isinstance(node, Map) else ""


def averaged(operands: Sequence[Node]) -> Contract | None:
    """Return the sum of which a quotient is the average over its entries."""
    total, count = map(unnamed, operands)
    if not isinstance(total, Contract) or count.shape:
        return None
    sizes = [size for label, size in total.label_sizes().items() if label not in total.subscripts.out]
    number = getattr(count, "size", None) if not isinstance(count, Exact) else count.value
    product = 1
    for size in sizes:
        product = product * size
    return (
        total if sizes and len(set(total.subscripts.out)) == len(total.subscripts.out) and product == number else None
    )


def has_a_one(node: Contract) -> tuple[int, ...] | None:
    """Return over which axes a sum is one of exp(x - max(x)), of which the largest is 1; None for other sums."""
    coefficient, cores, ones, out = node.parts()
    if coefficient != 1 or len(cores) != 1 or ones:
        return None
    core = unnamed(cores[0][0])
    inner = unnamed(core.operands[0]) if _name(core) == "exp" else None
    if not isinstance(inner, Plus) or len(inner.operands) != 2:
        return None
    (a, p), (b, q) = (split_coefficient(unnamed(term)) for term in inner.operands)
    if a is None or b is None or (p, q) not in ((1, -1), (-1, 1)):
        return None
    entries, greatest = (a, b) if p == 1 else (b, a)
    found = reduction(greatest, len(core.shape))
    lost = tuple(axis for axis, label in enumerate(cores[0][1]) if label not in out)
    same = found is not None and found.name == "max_over" and found.of is unnamed(entries) and found.axes == lost
    return lost if same else None


def counts_the_largest(node: Apply) -> tuple[int, ...] | None:
    """Return the axes over which a count is one of entries that equal the largest, or the least; else None."""
    if node.operation.name != "count_nonzero_over":
        return None
    inner = unnamed(node.operands[0])
    if _name(inner) != "equal":
        return None
    axes = {axis % len(inner.shape) for axis in node.operation.parameters[0]}
    for entries, extreme in (inner.operands, inner.operands[::-1]):
        found = reduction(extreme, len(inner.shape))
        if found is not None and found.name in ("max_over", "min_over") and found.of is unnamed(entries):
            return found.axes if set(found.axes) == axes else None
    return None


def masked(node: Apply) -> Node | None:
    """Return what a reduction is taken of where a mask does not put -inf, if the mask leaves an entry of each row.

    Only a mask without variables, of known size, is looked at.
    """
    if node.operation.name not in ("softmax_over", "logsumexp_over", "max_over"):
        return None
    inner = unnamed(node.operands[0])
    if _name(inner) != "where" or not all(isinstance(size, int) for size in inner.shape):
        return None
    mask, *branches = inner.operands
    left = [not _is_infinite(branch) for branch in branches]
    if left[0] == left[1] or any(isinstance(part, (Variable, Size)) for part in toposort([mask])):
        return None
    kept = np.broadcast_to(np.asarray(evaluate(mask, {}), dtype=bool) == left[0], inner.shape)
    return branches[left.index(True)] if kept.any(axis=node.operation.parameters[0]).all() else None
