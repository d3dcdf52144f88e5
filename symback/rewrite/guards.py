"""Branches that are not taken are guarded: `np.where(x > 0, np.log(x), 0)` takes no logarithm of -1.

A function that is not defined everywhere (a logarithm, a root, a quotient, an exponential that overflows), and that
is used on one side of a `where` alone, gets an operand that is safe where that side is not taken:

    x_safe = np.where(x > 0, x, 1)
    np.where(x > 0, np.log(x_safe), 0)

Value and derivatives share it. Where the side is taken nothing changes, to the last bit; an infinity or a NaN
there comes out as it did. What cannot warn, by the bounds of its operands, gets no guard. Products and sums are
not guarded, which warn of overflow only.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from symback.graph import rebuild, toposort
from symback.nodes.add import Plus
from symback.nodes.apply import Map, Named, unnamed
from symback.nodes.contract import Contract
from symback.nodes.labels import Label
from symback.nodes.leaves import Exact, ExactValue, Variable, exact
from symback.nodes.node import Node
from symback.ops.elementwise.logic import where
from symback.rewrite.bounds import ANY, LARGEST, TINY, Bounds, bounds_of, given
from symback.rewrite.conditions import Wanted, condition_on, is_where, literals, wanted

__all__ = ["guard_branches", "guarded"]

# -- functions that are not defined everywhere -----------------------------------------------------------


class _Partial(NamedTuple):
    """Which operand of a function must lie where, and a number that does."""

    position: int
    domain: Bounds
    safe: ExactValue


_POSITIVE = Bounds(TINY, math.inf)
_NONZERO = Bounds(-math.inf, math.inf, nonzero=True)
_UNIT = Bounds(-1.0, 1.0)
_OPEN_UNIT = Bounds(math.nextafter(-1, 0), math.nextafter(1, 0))

_PARTIAL: dict[str, tuple[_Partial, ...]] = {
    **dict.fromkeys(("log", "log2", "log10"), (_Partial(0, _POSITIVE, 1),)),
    "log1p": (_Partial(0, Bounds(math.nextafter(-1, 0), math.inf), 0),),
    "sqrt": (_Partial(0, Bounds(0.0, math.inf), 1),),
    **dict.fromkeys(("divide", "floor_divide", "remainder", "fmod"), (_Partial(1, _NONZERO, 1),)),
    **dict.fromkeys(("arcsin", "arccos"), (_Partial(0, _UNIT, 0),)),
    **dict.fromkeys(("arctanh", "arcsin_slope", "arctanh_slope"), (_Partial(0, _OPEN_UNIT, 0),)),
    "arccosh": (_Partial(0, Bounds(1.0, math.inf), 2),),
    "logit": (_Partial(0, Bounds(TINY, math.nextafter(1, 0)), Fraction(1, 2)),),
}
"""Functions that warn outside of a domain."""

_OVERFLOWING = {"exp": 1.0, "expm1": 1.0, "exp2": math.log(2), "sinh": 1.0, "cosh": 1.0}
"""Functions that overflow where their operand times this is beyond the logarithm of the largest number."""

_AT_INFINITY = {"sin", "cos", "tan"}
"""Functions that warn of infinities alone: guarded where a condition says that their operand is finite."""

_FINITE = Bounds(-LARGEST, LARGEST)
_TRIALS: tuple[ExactValue, ...] = (1, 0, 2, -1)
_LONGEST_PATH = 8


def _partial(node: Node) -> tuple[_Partial, ...]:
    """Return what a node asks of its operands so that it does not warn."""
    if not isinstance(node, Map):
        return ()
    name = node.operation.name
    if name in _OVERFLOWING:
        most = (88.0 if node.dtype.itemsize == 4 else 709.0) / _OVERFLOWING[name]
        return (_Partial(0, Bounds(-most if name in ("sinh", "cosh") else -math.inf, most), 0),)
    if name in _AT_INFINITY:
        return (_Partial(0, _FINITE, 0),)
    return _of_power(*map(unnamed, node.operands)) if name == "power" else _PARTIAL.get(name, ())


def _of_power(base: Node, exponent: Node) -> tuple[_Partial, ...]:
    """Say where a power is defined; of a power that varies the base is 1 where it is not wanted."""
    if isinstance(exponent, Exact):
        p = float(exponent.value)
        if p >= 0:
            return () if p.is_integer() else (_Partial(0, Bounds(0.0, math.inf), 1),)
        return (_Partial(0, _NONZERO if p.is_integer() else _POSITIVE, 1),)
    if not isinstance(base, Exact):
        return (_Partial(0, Bounds(1.0, 1.0), 1),)
    b = float(base.value)
    if not 0 < b < math.inf or b == 1:
        return (_Partial(1, Bounds(0.0, math.inf), 1),) if b == 0 else ()
    end = 709 / math.log(b)
    return (_Partial(1, Bounds(-math.inf, end) if end > 0 else Bounds(end, math.inf), 0),)


# -- where guards stand ------------------------------------------------------------------------------------


class _Place(NamedTuple):
    """A node that is guarded, and when its entries are wanted."""

    node: Node
    conditions: Wanted


class _Need(NamedTuple):
    """What is asked of a guard: that its number, taken along a path of nodes, comes to lie in a domain."""

    path: tuple[Node, ...]
    partial: _Partial


class _Plan:
    """Finds the operands to guard: as far down as one array alone decides, so that value and derivative share it."""

    def __init__(self, order: Sequence[Node], conditions: dict[Node, Wanted]) -> None:
        self.conditions = conditions
        self.bounds: dict[Node, Bounds] = {}
        self.places: dict[tuple[Node, Node], _Place] = {}
        self._needs: dict[_Place, list[_Need]] = {}
        self._numbers: dict[_Place, Exact] = {}
        for node in order:
            self.bounds[node] = bounds_of(node, [self.bounds[operand] for operand in node.operands])
        for node in order:
            if conditions[node]:
                for partial in _partial(node):
                    self._consider(node, partial)

    def _consider(self, node: Node, partial: _Partial) -> None:
        operand = unnamed(node.operands[partial.position])
        conditions = self.conditions[node]
        if self.bounds[operand].within(partial.domain) or not _can_be_guarded(operand, node, conditions):
            return
        user, core, path = node, operand, list[Node]()
        while len(path) < _LONGEST_PATH and (below := self._only_source(core, conditions)) is not None:
            path.insert(0, core)
            user, core = core, below
        need = _Need(tuple(path), partial)
        conditions, proven = self._enough(_Place(core, conditions), need)
        if not proven and isinstance(node, Map) and node.operation.name in _AT_INFINITY:
            return
        place = _Place(core, conditions)
        known = self.places.get((user, core))
        if known is not None and len(known.conditions) > len(conditions):
            place = known
        elif known is not None and known != place:
            self._needs.setdefault(place, []).extend(self._needs[known])
        self.places[user, core] = place
        self._needs.setdefault(place, []).append(need)

    def _only_source(self, node: Node, conditions: Wanted) -> Node | None:
        """Return the one array that this is computed from entry by entry, if it too is of use here alone."""
        if self.conditions[node] != conditions or not (_is_by_entry(node) and not is_where(node)):
            return None
        sources = {unnamed(operand) for operand in node.operands} - {
            unnamed(operand) for operand in node.operands if isinstance(unnamed(operand), Exact)
        }
        source = sources.pop() if len(sources) == 1 else None
        return source if source is not None and _can_be_guarded(source, node, conditions) else None

    def _enough(self, place: _Place, need: _Need) -> tuple[Wanted, bool]:
        """Return one of the conditions if it is enough by itself, and whether conditions prove the need met."""
        for conditions in [*((literal,) for literal in place.conditions), place.conditions]:
            said = given(conditions, place.node)
            known = said.both(self.bounds[place.node])
            if said != ANY and _along(need.path, place.node, known, self.bounds).within(need.partial.domain):
                return conditions, True
        return place.conditions, False

    def number(self, place: _Place) -> Exact:
        """Return the number for a guard: the first that meets all that is asked of it, or else most."""
        if place in self._numbers:
            return self._numbers[place]
        needs = self._needs[place]
        trials = dict.fromkeys((*(need.partial.safe for need in needs if not need.path), *_TRIALS))
        if any(isinstance(trial, Fraction) for trial in trials) and place.node.dtype.kind != "f":
            trials = dict.fromkeys(_TRIALS)

        def met(trial: ExactValue) -> int:
            at = Bounds(float(trial), float(trial))
            ends = [_along(need.path, place.node, at, self.bounds).within(need.partial.domain) for need in needs]
            return sum(ends)

        return self._numbers.setdefault(place, exact(max(trials, key=met)))


def _can_be_guarded(operand: Node, user: Node, conditions: Wanted) -> bool:
    """Has the operand an entry for each of its user's that differ in the conditions, and a dtype that has numbers?"""
    rank = len(operand.shape)
    axes = [axis for literal in conditions for axis in literal.axes if axis is not None]
    fits = all(-axis <= rank and operand.shape[axis] == user.shape[axis] for axis in axes)
    return fits and not operand.is_weak and operand.dtype.kind != "b"


def _is_by_entry(node: Node) -> bool:
    """Are entries computed each from the entries at its place?"""
    if isinstance(node, Contract):
        out = node.subscripts.out
        return len(set(out)) == len(out) and all(labels in (out, ()) for labels in node.subscripts.inputs)
    return isinstance(node, (Map, Plus, Named))


def _along(path: Sequence[Node], start: Node, at: Bounds, bounds: dict[Node, Bounds]) -> Bounds:
    """Return the bounds at the end of a path whose start has the bounds `at`."""
    for node in path:
        operands = [unnamed(operand) for operand in node.operands]
        at = bounds_of(node, [at if operand is start else bounds[operand] for operand in operands])
        start = node
    return at


# -- the graph with guards -----------------------------------------------------------------------------------


def guarded(outputs: Sequence[Node]) -> list[Node]:
    """Guard the functions that could warn of a branch that is not taken.

    Args:
        outputs: Nodes of any shape.

    Returns:
        Nodes of the same shapes, dtypes and values.

    Example:
        >>> import symback as sb
        >>> from symback.rewrite.guards import guarded
        >>> x = sb.tensor("x", ("n",))
        >>> guarded([sb.where(x > 0, sb.log(x), 0)])[0]
        x_safe = where(greater(x, 0), x, 1)
        where(greater(x, 0), log(x_safe), 0)
    """
    new = guard_branches(outputs)
    return [new[output] for output in outputs]


def guard_branches(outputs: Sequence[Node]) -> dict[Node, Node]:
    """Do so, and return what each node became."""
    order = toposort(outputs)
    if not any(map(is_where, order)):
        return {node: node for node in order}
    conditions = wanted(outputs)
    if not any(conditions[node] and _partial(node) for node in order):
        return {node: node for node in order}
    writer = _Writer(_Plan(order, conditions), order)
    return rebuild(outputs, writer.replace)


class _Writer:
    """Builds the graph anew with its guards; where one does not help all that is computed from it, there is another."""

    def __init__(self, plan: _Plan, order: Sequence[Node]) -> None:
        self._plan = plan
        self._new: dict[Node, Node] = {}
        self._bounds: dict[Node, Bounds] = {}
        self._off: dict[Node, tuple[Wanted, Bounds]] = {}
        self._names = {unnamed(node): node.name for node in order if isinstance(node, (Named, Variable))}
        self._conditions = {frozenset(literals(node.operands[0])): node.operands[0] for node in order if is_where(node)}

    def replace(self, node: Node, operands: tuple[Node, ...]) -> Node:
        """Return a node on its new operands, guarded where the plan says so or where that was not enough."""
        places = [self._plan.places.get((node, unnamed(operand))) for operand in node.operands]
        operands = tuple(
            new if place is None else self._guard(place, new, self._plan.number(place))
            for new, place in zip(operands, places, strict=True)
        )
        made = self._record(node.with_operands(operands))
        conditions = self._plan.conditions[node]
        for partial in _partial(node) if conditions else ():
            operand = node.operands[partial.position]
            warns = not self._is_safe(made.operands[partial.position], partial, conditions)
            of_infinity = isinstance(node, Map) and node.operation.name in _AT_INFINITY
            if warns and not of_infinity and _can_be_guarded(operand, node, conditions):
                place = _Place(unnamed(operand), conditions)
                again = self._guard(place, made.operands[partial.position], exact(partial.safe))
                made = self._record(
                    made.with_operands(
                        (*made.operands[: partial.position], again, *made.operands[partial.position + 1 :])
                    )
                )
        self._new[node] = made
        return made

    def _is_safe(self, operand: Node, partial: _Partial, conditions: Wanted) -> bool:
        off = self._off.get(operand)
        not_taken = off is not None and set(off[0]) == set(conditions) and off[1].within(partial.domain)
        return not_taken or self._bounds[operand].within(partial.domain)

    def _guard(self, place: _Place, operand: Node, number: Exact) -> Node:
        """Write a guard, under the name of what it guards."""
        known = self._conditions.get(frozenset(place.conditions))
        written = self._new.get(known) if known is not None and len(place.conditions) > 1 else None
        if written is not None and len(written.shape) <= len(operand.shape):
            condition, taken = written, True
        else:
            condition, taken = condition_on(operand.shape, place.conditions, self._new)
        made = where(condition, operand, number) if taken else where(condition, number, operand)
        if made.shape != operand.shape or made.dtype is not operand.dtype:
            return operand
        self._record(made)
        self._off[made] = (place.conditions, self._bounds[number])
        name = self._names.get(place.node)
        named = Named(Label("safe" if name is None else f"{name}_safe", kind="guard"), made)
        self._record(named)
        return named

    def _record(self, made: Node) -> Node:
        """Note the bounds of a new node, and those of its entries that are not wanted."""
        for operand in made.operands:
            if operand not in self._bounds:
                self._record(operand)
        self._bounds[made] = bounds_of(made, [self._bounds[operand] for operand in made.operands])
        off = {
            frozenset(self._off[operand][0]): self._off[operand] for operand in made.operands if operand in self._off
        }
        if len(off) == 1 and _is_by_entry(made) and not is_where(made):
            ((conditions, _),) = off.values()
            ends = [self._off[x][1] if x in self._off else self._bounds[x] for x in made.operands]
            self._off[made] = (conditions, bounds_of(made, ends))
        return made
