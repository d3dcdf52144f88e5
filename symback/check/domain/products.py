"""What sums and products can be: squares are not negative, and so many terms add up to so much."""

import math
from collections import Counter
from collections.abc import Callable, Sequence

from symback.check.domain.interval import Interval, Limits, point
from symback.check.domain.operations import plus, square, times
from symback.check.domain.setting import Setting, summed
from symback.nodes.add import Plus
from symback.nodes.apply import unnamed
from symback.nodes.contract import Contract
from symback.nodes.node import Node

Intervals = Sequence[Interval]


def of_sum(operands: Intervals, limits: Limits) -> Interval:
    """Bound a sum: added from left to right or otherwise, it overflows where the terms of one sign do."""
    if len(operands) == 2:
        return plus(operands[0], operands[1], limits)
    found = operands[0]
    for operand in operands[1:]:
        found = plus(found, operand, limits)
    if found.is_empty or any(operand.is_empty for operand in operands):
        return found._replace(nan=found.nan or (found.up and found.down))
    high = sum(max(operand.high, 0.0) for operand in operands)
    low = sum(min(operand.low, 0.0) for operand in operands)
    up, down = found.up or high > limits.largest, found.down or low < -limits.largest
    slack = len(operands) * limits.epsilon * max(high, -low)
    least = max((operand.low for operand in operands), default=0.0) if low == 0 else -math.inf
    most = min((operand.high for operand in operands), default=0.0) if high == 0 else math.inf
    ends = max(found.low - slack, least), min(found.high + slack, most)
    return limits.settle(Interval(*ends, found.nan or (up and down), up, down))


def of_product(node: Contract, operands: Intervals, setting: Setting, limits: Limits) -> Interval:
    """Bound a product of tensors, summed over the labels that it lacks."""
    entry = entry_of(node, operands, limits)
    out = node.subscripts.out
    sizes = [size for label, size in node.label_sizes().items() if label not in out]
    found = summed(entry, setting.count(sizes), limits) if sizes else entry
    return found.either(point(0.0)) if len(set(out)) < len(out) else found


def entry_of(node: Contract, operands: Intervals, limits: Limits) -> Interval:
    """Bound one product of entries."""
    keys = [(unnamed(operand), labels) for operand, labels in zip(node.operands, node.subscripts.inputs, strict=True)]
    known = dict(zip(keys, operands, strict=True))
    factors: list[Interval] = []
    for key, count in Counter(keys).items():
        factors += [square(known[key], limits)] * (count // 2) + [known[key]] * (count % 2)
    found = factors[0]
    for factor in factors[1:]:
        found = times(found, factor, limits)
    return found if len(keys) < 3 else _in_any_order(found, operands, limits)


def _in_any_order(found: Interval, factors: Intervals, limits: Limits) -> Interval:
    """Three factors or more, multiplied in any order: a part of them may overflow or underflow."""
    most = math.prod(max(factor.size, 1.0) for factor in factors)
    least = math.prod(min(factor.least_size, 1.0) for factor in factors)
    if least < limits.smallest * 4 and not found.is_empty and limits.kind == "f":
        found = found.either(point(0.0))
    if not most <= limits.largest or any(factor.up or factor.down for factor in factors):
        zero = any(factor.least_size < 1 for factor in factors)
        up, down = found.high > 0 or found.up or zero, found.low < 0 or found.down
        found = found._replace(nan=found.nan or zero, up=found.up or up, down=found.down or down)
    return found


# -- what a sum is known to be from the way it is written ------------------------------------------------


def with_order(
    node: Plus, found: Interval, operands: Intervals, below: Callable[[Node, Node], bool],
    split: Callable[[Node], tuple[Node | None, object]],
) -> Interval:  # fmt: skip
    """Bound a difference of two of which one is known to be no less than the other: x - max(x) <= 0."""
    if len(operands) != 2 or found.is_empty:
        return found
    (a, p), (b, q) = (split(unnamed(term)) for term in node.operands)
    if a is None or b is None or (p, q) not in ((1, -1), (-1, 1)):
        return found
    if p == -1:
        a, b = b, a
    if below(a, b):
        return found.within(-math.inf, 0.0)._replace(up=False)
    return found.within(0.0, math.inf)._replace(down=False) if below(b, a) else found
