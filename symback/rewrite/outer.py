"""Sums of products that have factors in common along axes which nothing else in them has.

``x_i y_j + x_i z_j`` is ``x_i (y + z)_j``: what is left is added up along fewer axes. Second derivatives are full of
such sums, because a cotangent with leading axes passes through a chain of functions of fewer axes.
"""

from collections import Counter
from collections.abc import Iterator
from functools import reduce
from itertools import count
from operator import and_
from typing import Any, NamedTuple, cast

from symback.nodes.add import add, with_coefficient
from symback.nodes.contract import Contract, Labels, contract, times
from symback.nodes.node import Node
from symback.rewrite.parts import aligned
from symback.rewrite.pattern import MOST_TERMS, OUTSIDE, Match, Scope

Placed = tuple[Node, Labels]
"""A factor, and which axes of the product its axes are; what is summed has numbers below zero."""


class _Product(NamedTuple):
    coefficient: Any
    factors: Counter[Placed]


def common_outer_factors(node: Node, scope: Scope) -> Iterator[Match]:
    """Yield a sum of products with factors in common, if what is left of them all has fewer axes."""
    if not 1 < len(node.operands) <= MOST_TERMS or len(node.shape) < 2:
        return
    terms = []
    for operand in node.operands:
        term = _product_of(OUTSIDE.bare(operand), node)
        if term is None:
            return
        terms.append(term)
    common = reduce(and_, (term.factors for term in terms))
    common = Counter({place: count for place, count in common.items() if min(place[1], default=-1) >= 0})
    rests = [term.factors - common for term in terms]
    left = {axis for rest in rests for _, labels in rest.elements() for axis in labels if axis >= 0}
    if not common or not all(rests) or len(left) == len(node.shape):
        return
    kept = tuple(sorted(left))
    first, *others = [_summed(term, rest, kept) for term, rest in zip(terms, rests, strict=True)]
    shared = list(common.elements())
    total = add(first, *others)
    if total.dtype == node.dtype and total.shape == tuple(node.shape[axis] for axis in kept):

        def view(rest: Node) -> Node:
            return contract([*shared, (rest, kept)], tuple(range(len(node.shape))))

        yield Match({"x": first, "y": add(*others), "view": view})


def _product_of(term: Node, node: Node) -> _Product | None:
    """Take a term apart, if it is a product of the shape and dtype of the sum, in which no axis is repeated."""
    if not _is_plain(term, node) or term.shape != node.shape:
        return None
    coefficient: Any = 1
    factors: Counter[Placed] = Counter()
    fresh = count(-1, -1)
    waiting = [(term, tuple(range(len(node.shape))))]
    while waiting:
        part, axes = waiting.pop()
        inner = cast(Contract, part).parts()
        coefficient = times(coefficient, inner.coefficient)
        place = dict(zip(inner.out, axes, strict=True))
        for core, labels in inner.cores:
            placed = tuple(
                [place[label] if label in place else place.setdefault(label, next(fresh)) for label in labels]
            )
            opens = _is_plain(core, node) and (len(inner.cores) == 1 or not cast(Contract, core).subscripts.summed)
            if opens and len(factors) + len(waiting) < MOST_TERMS:
                waiting.append((core, placed))
            else:
                factors[core, placed] += 1
    return None if any(core.dtype != node.dtype for core, _ in factors) else _Product(coefficient, factors)


def _is_plain(term: Node, node: Node) -> bool:
    """Is this a product with distinct axes of the dtype of the sum, in which nothing is broadcast?"""
    if not isinstance(term, Contract) or term.dtype != node.dtype or not term.subscripts.distinct:
        return False
    parts = term.parts()
    sizes = term.label_sizes()
    single = any(sizes[label] == 1 and label not in parts.out for _, labels in parts.cores for label in labels)
    return not parts.ones and bool(parts.cores) and not single


def _summed(term: _Product, rest: Counter[Placed], kept: Labels) -> Node:
    """Multiply what is left of a term, so that it broadcasts along the axes `kept`."""
    own = tuple(axis for axis in kept if any(axis in labels for _, labels in rest))
    return with_coefficient(aligned(contract(list(rest.elements()), own), own, kept), term.coefficient)
