"""The walk over a graph: what each node can be, and at which nodes something infinite or NaN arises.

Two values are kept for each node. The full one is all that can come out. The other one is what comes out as long as
nothing went wrong before: a hazard is a node that makes NaN or an infinity of operands that hold none, or NaN of
infinities that were written on purpose. So each cause is reported once, at its place, and not wherever it spreads.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symback.check.domain import relations
from symback.check.domain.elementwise import of_elementwise
from symback.check.domain.interval import NOTHING, Interval, Limits, point
from symback.check.domain.operations import choice
from symback.check.domain.products import entry_of, of_product, of_sum, with_order
from symback.check.domain.setting import Setting
from symback.check.domain.structural import of_structural
from symback.graph import toposort
from symback.nodes.add import Plus, split_coefficient
from symback.nodes.apply import Apply, Map, Named, unnamed
from symback.nodes.contract import Contract
from symback.nodes.leaves import Constant, Exact, Leaf, Ones, Size
from symback.nodes.node import Node
from symback.rewrite.bounds import TINY, given
from symback.rewrite.conditions import Literal, Wanted, is_where, literals, wanted

_DEPTH = 6
"""How far below a node its operands are bounded anew where conditions hold at it that do not hold at them."""


@dataclass(frozen=True)
class Found:
    """A node that can make NaN or an infinity: from which operands, and what comes out.

    Attributes:
        passed: Whether it makes none, but is an output that an infinity written in the graph, or given, comes out of.
    """

    node: Node
    operands: tuple[Interval, ...]
    result: Interval
    passed: bool = False

    @property
    def always(self) -> bool:
        """Does nothing finite come out?"""
        return self.result.is_empty


class Analysis:
    """What the nodes of a graph can be, for one range of numbers.

    Attributes:
        clean: For each node what it can be where nothing before it went wrong.
        full: All that it can be.
        found: The nodes at which something goes wrong, in the order of the graph.
    """

    def __init__(self, outputs: Sequence[Node], given: Mapping[Node, Interval], setting: Setting) -> None:
        self.setting = setting
        self.conditions = wanted(outputs)
        self.clean: dict[Node, Interval] = {}
        self.full: dict[Node, Interval] = {}
        self.found: list[Found] = []
        self._given = given
        self._again: dict[tuple[Node, Wanted, bool], Interval] = {}
        self._place = {node: place for place, node in enumerate(toposort(outputs))}
        for node in self._place:
            self._visit(node)
        known = {one.node for one in self.found}
        for node in dict.fromkeys(outputs):
            value = self.clean[node]
            if (value.up or value.down) and node not in known:
                self.found.append(Found(node, self.operands_of(node), value, passed=True))

    def operands_of(self, node: Node) -> tuple[Interval, ...]:
        """Return what the operands of a node can be where it is wanted and nothing went wrong before."""
        return tuple(self._operands(node, self.conditions[node], self.clean))

    def _visit(self, node: Node) -> None:
        if isinstance(node, Leaf):
            self._enter_leaf(node)
            return
        operands = self.operands_of(node)
        if not is_where(node) and any(_is_nothing(operand) for operand in operands):
            self.clean[node] = NOTHING
        else:
            self._judge(node, operands)
        full = tuple(self._operands(node, self.conditions[node], self.full))
        if full == operands and not _is_nothing(self.clean[node]):
            self.full[node] = self._last
        else:
            limits = self.setting.limits(node.dtype)
            filled = [x if not _is_only_nan(x) else limits.anything(nan=True) for x in full]
            self.full[node] = self._bound(node, full if is_where(node) else filled, self.full)
            if not _is_nothing(self.clean[node]) and not _is_only_nan(self.full[node]):
                # an infinity that was made good of, as in 1 / (1 + exp(-x)), leaves numbers of its own
                clean = self.clean[node]
                self.clean[node] = clean.either(self.full[node].finite())

    def _judge(self, node: Node, operands: tuple[Interval, ...]) -> None:
        """Bound a node whose operands are as they should be, and note whether it goes wrong."""
        result = self._last = self._bound(node, operands, self.clean)
        infinite = any(operand.up or operand.down for operand in operands)
        wrong = result.nan or ((result.up or result.down) and not infinite)
        if wrong:
            self.found.append(Found(node, operands, result))
        clean = result._replace(nan=False)
        self.clean[node] = clean if infinite or not wrong else clean.finite()

    def _enter_leaf(self, node: Leaf) -> None:
        value = self._given.get(node)
        value = self._leaf(node) if value is None else value
        self.full[node] = self.clean[node] = value
        if isinstance(node, Constant) and not value.is_finite:
            self.found.append(Found(node, (), value))
            self.clean[node] = value._replace(nan=False)

    def _leaf(self, node: Leaf) -> Interval:
        if isinstance(node, Exact):
            return point(_number(node.value))
        if isinstance(node, Ones):
            return point(1.0)
        if isinstance(node, Size):
            return Interval(*self.setting.size(node.size))
        return _of_array(node.array) if isinstance(node, Constant) else self.setting.limits(node.dtype).anything()

    # -- operands, where conditions hold ------------------------------------------------------------

    def _operands(self, node: Node, here: Wanted, values: dict[Node, Interval], depth: int = _DEPTH) -> list[Interval]:
        """Return what the operands of a node can be under the conditions `here`."""
        limits = self.setting.limits(node.dtype)
        found = []
        for position, operand in enumerate(node.operands):
            conditions = _at_operand(node, operand, here)
            if is_where(node) and position:
                conditions = tuple(dict.fromkeys((*conditions, *literals(node.operands[0], position == 1))))
            value = self._under(operand, conditions, values, depth)
            found.append(limits.settle(value) if operand.is_weak and limits.kind == "f" else value)
        return found

    def _under(self, node: Node, conditions: Wanted, values: dict[Node, Interval], depth: int) -> Interval:
        """Return what a node can be under conditions, some of which may not hold wherever else it is wanted."""
        value = values[node]
        conditions = tuple(literal for literal in conditions if self._may_concern(literal, node))
        if not conditions or isinstance(node, Exact):
            return value
        more = [literal for literal in conditions if literal not in self.conditions[node]]
        if more and depth and not isinstance(node, Leaf) and _is_by_entry(node):
            key = (node, conditions, values is self.clean)
            if key not in self._again:
                left = max(depth - (2 if is_where(node) else 1), 0)  # each choice doubles what is looked at anew
                operands = self._operands(node, conditions, values, left)
                nothing = not is_where(node) and any(map(_is_nothing, operands))
                self._again[key] = NOTHING if nothing else self._bound(node, operands, values)
            anew = self._again[key]
            value = value.both(anew)
        return self._as_said(node, conditions, value)

    def _may_concern(self, literal: Literal, node: Node) -> bool:
        """Can a condition speak of a node, or of what it is computed from? Not of what comes after it."""
        subjects = [unnamed(operand) for operand in literal.node.operands if not isinstance(operand, Exact)]
        subjects += [unnamed(x.operands[0]) for x in subjects if isinstance(x, Map) and x.operation.name == "abs"]
        return any(self._place.get(subject, 0) <= self._place[node] for subject in subjects)

    def _as_said(self, node: Node, conditions: Wanted, value: Interval) -> Interval:
        """Return what conditions leave of the values of a node."""
        said = given(conditions, node)
        smallest = self.setting.limits(node.dtype).smallest
        low = smallest if said.low == TINY else said.low
        high = -smallest if said.high == -TINY else said.high
        value = value.within(low, high, smallest if said.nonzero else 0.0)
        for literal in conditions:
            test = literal.node
            if isinstance(test, Map) and test.shape == node.shape and unnamed(test.operands[0]) is unnamed(node):
                if test.operation.name == "isnan" and not literal.holds:
                    value = value._replace(nan=False)
                if test.operation.name == "isfinite" and literal.holds:
                    value = value.finite()
        return value

    # -- one node -----------------------------------------------------------------------------------

    def _bound(self, node: Node, operands: Sequence[Interval], values: Mapping[Node, Interval]) -> Interval:
        """Bound a node from what its operands can be."""
        limits = self.setting.limits(node.dtype)
        if isinstance(node, Named):
            return operands[0]
        if isinstance(node, Plus):
            found = of_sum(operands, limits)
            if limits.kind == "f":  # differences of integers wrap around
                found = with_order(node, found, operands, relations.is_below, split_coefficient)
        elif isinstance(node, Contract):
            found = self._product(node, operands, limits)
        elif isinstance(node, Map):
            found = self._function(node, operands, values, limits)
        else:
            assert isinstance(node, Apply)
            known = of_structural(node, operands, self.setting, limits)
            found = limits.anything(nan=True, infinite=True) if known is None else known
            axes = relations.counts_the_largest(node)
            if axes is not None and self.setting.count(node.operands[0].shape[axis] for axis in axes)[0] >= 1:
                found = found._replace(low=1.0)
            branch = relations.masked(node) if operands and operands[0].down else None
            if branch is not None and not (values[branch].down or values[branch].up or values[branch].nan):
                found = found._replace(nan=False, down=False)
        return found if limits.kind == "f" else _as_integer(found, limits)

    def _product(self, node: Contract, operands: Sequence[Interval], limits: Limits) -> Interval:
        found = of_product(node, operands, self.setting, limits)
        axes = relations.has_a_one(node)
        if axes is None or found.is_empty:
            return found
        (core,) = (core for core, _ in node.parts().cores)
        filled = self.setting.count(core.shape[axis] for axis in axes)[0] >= 1
        return found._replace(low=max(found.low, 1.0)) if filled and found.high >= 1 else found

    def _function(
        self, node: Map, operands: Sequence[Interval], values: Mapping[Node, Interval], limits: Limits
    ) -> Interval:
        name = node.operation.name
        if name == "where":
            return choice(*operands)
        known = of_elementwise(name, operands, limits)
        found = limits.anything(nan=True, infinite=True) if known is None else known
        return self._quotient(node, found, operands, values, limits) if name == "divide" else found

    def _quotient(
        self, node: Map, found: Interval, operands: Sequence[Interval], values: Mapping[Node, Interval], limits: Limits
    ) -> Interval:
        """Bound a quotient better, if it is an average, or that of a part by the whole."""
        x, y = operands
        total = relations.averaged(node.operands)
        if total is not None and y.high >= 1:
            entry = entry_of(total, self._operands(total, self.conditions[total], self.clean), limits)
            slack = 1 + min(1.0, y.high * limits.epsilon)
            if not entry.is_empty:
                entry = entry._replace(low=min(entry.low * slack, entry.low), high=max(entry.high * slack, entry.high))
                infinite = x.up or x.down
                found = found.within(entry.low, entry.high)._replace(
                    nan=found.nan, up=infinite and found.up, down=infinite and found.down
                )
        if not found.is_empty and relations.is_slope_at_most_one(node.operands[0], node.operands[1]) and x.is_finite:
            slack = 16 * limits.epsilon
            return found.within(-1 - slack, 1 + slack)._replace(nan=found.nan, up=False, down=False)
        if not found.is_empty and relations.is_part(
            node.operands[0], node.operands[1], lambda n: _is_nonnegative(values, n)
        ):
            most = 1 + 16 * limits.epsilon
            underflows = self.setting.is_extreme and y.has_zero and _is_root(node.operands[1])
            infinite = x.up or x.down or underflows
            found = found.within(-most, most)._replace(
                nan=found.nan, up=infinite and found.up, down=infinite and found.down
            )
        return found


def _is_root(node: Node) -> bool:
    node = unnamed(node)
    core = unnamed(node.parts().cores[0][0]) if isinstance(node, Contract) and node.parts().cores else node
    return isinstance(core, Map) and core.operation.name == "sqrt"


def _is_nonnegative(values: Mapping[Node, Interval], node: Node) -> bool:
    value = values.get(node) or values.get(unnamed(node))
    return value is not None and value.low >= 0 and not value.down


def _is_nothing(value: Interval) -> bool:
    return value.is_empty and value.is_finite


def _is_only_nan(value: Interval) -> bool:
    return value.is_empty and not (value.up or value.down)


def _as_integer(found: Interval, limits: Limits) -> Interval:
    """Integers wrap around where they overflow, and have no NaN."""
    if limits.kind == "b":
        return found if found.is_finite and 0 <= found.low <= found.high <= 1 else Interval(0.0, 1.0)
    least = 0.0 if limits.kind == "u" else -limits.largest - 1
    beyond = limits.largest + 1 if limits.largest < 2.0**53 else limits.largest  # 2**63 - 1 as a float is 2**63
    fits = found.is_finite and not found.is_empty and least <= found.low and found.high < beyond
    return found._replace(gap=0.0) if fits else Interval(least, limits.largest)


def _at_operand(node: Node, operand: Node, conditions: Wanted) -> Wanted:
    """Return the conditions at a node that hold at the entries of an operand that it takes."""
    if conditions and _is_by_entry(node) and operand.shape == node.shape:
        return conditions
    return tuple(literal for literal in conditions if all(axis is None for axis in literal.axes))


def _is_by_entry(node: Node) -> bool:
    if isinstance(node, Contract):
        out = node.subscripts.out
        return node.subscripts.distinct and all(labels in (out, ()) for labels in node.subscripts.inputs)
    return isinstance(node, (Map, Plus, Named))


def _number(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _of_array(array: Any) -> Interval:
    if array.size == 0:
        return point(0.0)
    numbers = array[np.isfinite(array)] if array.dtype.kind == "f" else array
    flags = (bool(np.isnan(array).any()), bool((array == np.inf).any()), bool((array == -np.inf).any()))
    if numbers.size == 0:
        return Interval(math.inf, -math.inf, *flags)
    gap = float(np.abs(numbers).min()) if numbers.dtype.kind == "f" else 0.0
    return Interval(float(numbers.min()), float(numbers.max()), *flags, gap)
