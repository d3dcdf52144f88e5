"""Sums and products over indices, and what is indexed: `IndexedBase`, `Indexed`, `Idx`, `KroneckerDelta`."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import sympy
from sympy.tensor.array.expressions import ArraySymbol

from symback.errors import symbolic_sums as errors
from symback.interop.symbolic.axes import counted, delta, mask_of, number_of_values
from symback.interop.symbolic.entries import entries
from symback.interop.symbolic.ranges import Range, depth, extremes, in_sizes, is_size, never_negative
from symback.interop.symbolic.rule import Given, Rule
from symback.interop.symbolic.summation import summed
from symback.interop.symbolic.unrolled import holds_matrices, is_written_out, unrolled
from symback.nodes.add import add
from symback.nodes.dtypes import FLOAT64
from symback.nodes.leaves import exact
from symback.nodes.node import METHODS, Node
from symback.nodes.products import hadamard, sum_axes
from symback.op.public import FUNCTIONS

Plan = dict[sympy.Basic, Range]
"""The ranges of the indices of one sum, the outermost first."""


# -- limits --------------------------------------------------------------------------------------------------------


def _plan(part: Any, given: Given) -> Plan:
    """Return the ranges of the indices of a sum, outermost first, each with an axis of its own.

    Raises:
        UsageError: If they are infinite, no integers, or may run backward.
    """
    plan: Plan = {}
    for limit in reversed(part.limits):
        index, *ends = limit
        if any(end.is_infinite for end in ends):
            raise errors.infinite(part)
        around = {symbol: found for symbol, found in {**given.ranges, **plan}.items() if symbol != index}
        first, last = (in_sizes(end, given.declared) for end in ends) if len(ends) == 2 else (sympy.nan, sympy.nan)
        lowest, highest = extremes(first, around), extremes(last, around)
        if lowest is None or highest is None or not is_size(lowest[0]) or not is_size(highest[1]):
            raise errors.bad_limits(part, limit)
        if not _forward(sympy.expand(last - first + 1), around):
            raise errors.backward_limits(part, limit)
        plan[index] = Range(first, last, lowest[0], highest[1], depth(given.ranges) + len(plan))
    return plan


def _forward(count: sympy.Expr, around: Mapping[sympy.Basic, Range]) -> bool:
    """Is a number of terms never negative, whatever the indices around are? Of sizes alone, numbers are judged only."""
    if not any(count.has(index) for index in around):
        return not count.is_negative
    ends = extremes(count, around)
    return ends is not None and never_negative(ends[0])


# -- sums and products ---------------------------------------------------------------------------------------------


def _body(part: Any, given: Given, plan: Plan, neutral: int) -> Node:
    """Return the terms along the axes of the indices; what the limits leave out is `neutral`."""
    bound = {index: counted(found, "float64") for index, found in plan.items()}
    body = given.inside(part.function, bound, plan)
    masked = [
        (plan[index], bound[index], given.inside(first, bound, plan), given.inside(last, bound, plan))
        for index, first, last in part.limits
        if plan[index].masked
    ]
    mask = mask_of(masked)
    return body if mask is None else METHODS["where"](mask, body, exact(neutral))


def _sum(part: sympy.Sum, given: Given) -> Node:
    plan = _plan(part, given)
    if holds_matrices(part):
        return add(*unrolled(part, plan, given))
    return summed(_body(part, given, plan, 0), list(plan.values()))


def _product(part: sympy.Product, given: Given) -> Node:
    plan = _plan(part, given)
    if holds_matrices(part) or is_written_out(part, plan):
        return hadamard(*unrolled(part, plan, given))
    body = _body(part, given, plan, 1)
    for found in reversed(plan.values()):
        first = (0,) if len(body.shape) == found.place + 1 else ()
        if first and body.shape[0] != 1:
            body = FUNCTIONS["prod"].function(body, axis=0)
        else:
            body = METHODS["power"](sum_axes(body, first), number_of_values(found))
    return body


# -- what is indexed -----------------------------------------------------------------------------------------------


def _base(part: sympy.IndexedBase, given: Given) -> Node:
    """Return the variable; on the way back it is an array symbol, since SymPy gives indexed names entries only."""
    shape = given.declared.shape(part)
    return given.variable(ArraySymbol(str(part.name), shape), [given.size(size) for size in shape])


def _indexed(part: sympy.Indexed, given: Given) -> Node:
    array = _base(part.base, given)
    return entries(array, part.indices, part, given)


def _free(part: sympy.Idx, given: Given) -> Node:
    raise errors.free_index(part)


def _kronecker(part: sympy.KroneckerDelta, given: Given) -> Node:
    one, other, *span = part.args
    if span and not any(_stays_within(index, span[0], given) for index in (one, other)):
        raise errors.delta_range(part)
    first, second = given.ranges.get(one), given.ranges.get(other)
    if first and second and (first.low, first.high) == (second.low, second.high):
        return delta(first, second)
    equal = METHODS["equal"](given.inside(one, {}), given.inside(other, {}))
    return cast(Node, METHODS["astype"](equal, FLOAT64))


def _stays_within(index: sympy.Expr, span: Any, given: Given) -> bool:
    """Is it certain that an index lies between two ends, so that the range of a Kronecker delta says nothing?"""
    ends = extremes(in_sizes(index, given.declared), given.ranges)
    low, high = (in_sizes(end, given.declared) for end in span)
    return ends is not None and never_negative(ends[0] - low) and never_negative(high - ends[1])


def _none(part: Any) -> Sequence[sympy.Basic]:
    return ()


SUMS: Mapping[type, Rule] = {
    sympy.Sum: Rule(_sum, _none),
    sympy.Product: Rule(_product, _none),
    sympy.IndexedBase: Rule(_base, _none),
    sympy.Indexed: Rule(_indexed, _none),
    sympy.Idx: Rule(_free, _none),
    sympy.KroneckerDelta: Rule(_kronecker, _none),
    sympy.factorial: Rule(lambda part, given: METHODS["gamma"](add(given.node(part.args[0]), exact(1)))),
}
"""The rule of each class of sums and of what they are over."""
