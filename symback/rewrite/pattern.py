"""Patterns: an expression with wildcards, held against the expressions of a graph.

A pattern is what a function makes of wildcards, so it is written in symback's own notation:
``lambda x: log(1 + exp(x))``. The name of a parameter says what it stands for:

========  =======================================================
name      stands for
========  =======================================================
c, d      an exact number
axis      the axes of a reduction, a tuple counted from 0
others    any expression; twice the same name is twice the same
========  =======================================================

Sums and products match in any order. Names (`let`) are looked through. What a pattern says of one expression
it says of arrays entry by entry; ``sum(x, axis, keepdims=True)`` stands for a sum that broadcasts back along
its axes, however that is written.
"""

import inspect
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from fractions import Fraction
from typing import Any, NamedTuple

from symback.nodes.add import Plus, split_coefficient, with_coefficient
from symback.nodes.apply import Apply, Map, Named
from symback.nodes.classify import classify
from symback.nodes.contract import Contract
from symback.nodes.leaves import Exact, Variable, exact, variable
from symback.nodes.node import Node
from symback.nodes.products import hadamard
from symback.nodes.shapes import Shape
from symback.rewrite.parts import (
    Factors,
    aligned,
    is_product,
    ratio,
    reduction_of,
    repetition_of,
    square_root_of,
    sum_of,
)

Found = dict[str, Any]
"""What the wildcards of a pattern stand for, by name."""

_NUMBERS = {"c": Fraction(1000003, 1000033), "d": Fraction(1000037, 1000039)}
"""The wildcards for numbers, and the numbers that stand for them in a pattern."""

_NUMBER_OF = {value: name for name, value in _NUMBERS.items()}
_PREFIX = "wild_"
_MOST_FACTORS = 12

MOST_TERMS = 12
"""How many terms a sum may have for something to be looked for among them."""


class Match(NamedTuple):
    """Where a pattern was found: the wildcards, and what a sum or a product has beside the pattern."""

    found: Found
    scale: Any = 1
    rest: Node | None = None


def pattern_of(left: Callable[..., Node]) -> Node:
    """Return what a function makes of wildcards."""
    return left(**wildcards(list(inspect.signature(left).parameters)))


def wildcards(names: Sequence[str]) -> Found:
    """Return what stands for each wildcard in a pattern."""
    shape = ("wild_n", "wild_m") if "axis" in names else ()
    return {name: _wildcard(name, shape) for name in names}


def _wildcard(name: str, shape: tuple[str, ...]) -> Any:
    if name in _NUMBERS:
        return exact(_NUMBERS[name])
    return (1,) if name == "axis" else variable(f"{_PREFIX}{name}", shape)


class Scope:
    """What a match may look at: not into `barriers`, and into what has a name only if it `opens` names."""

    def __init__(self, barriers: AbstractSet[Node] = frozenset(), *, opens: bool = True) -> None:
        self.barriers = barriers
        self._opens = opens
        self._closed = Scope(barriers, opens=False) if opens else self

    def bare(self, node: Node) -> Node:
        """Look through names, as far as no barrier stands there."""
        while self._opens and isinstance(node, Named) and node not in self.barriers:
            node = node.operands[0]
        return node

    def find(self, pattern: Node, node: Node) -> Iterator[Match]:
        """Yield the ways in which a pattern is (or, of sums and products, is a part of) a node."""
        if node in self.barriers:
            return
        if isinstance(pattern, Plus) and isinstance(node, Plus):
            yield from self._in_sum(pattern, node, {}, whole=False)
        elif is_product(pattern) and isinstance(node, Contract):
            yield from self._in_product(pattern, node, {}, whole=False)
        else:
            for found in self.matches(pattern, node, {}, node.shape):
                yield Match(found)

    def matches(self, pattern: Node, node: Node, found: Found, shape: Shape) -> Iterator[Found]:
        """Yield the wildcards under which a pattern is a node, in a place that broadcasts to `shape`."""
        bare = self.bare(node)
        if isinstance(pattern, Variable):
            yield from self._bind(pattern, node, found)
        elif isinstance(pattern, Exact):
            if isinstance(bare, Exact):
                yield from _number(pattern.value, bare.value, found)
        elif bare in self.barriers:
            return
        elif isinstance(pattern, Plus):
            if isinstance(bare, Plus):
                yield from (match.found for match in self._in_sum(pattern, bare, found, whole=True))
        elif isinstance(pattern, Contract):
            yield from self._contract(pattern, bare, found, shape)
        elif isinstance(pattern, Map) and isinstance(bare, Map) and pattern.operation is bare.operation:
            yield from self._operands(pattern.operands, bare.operands, found, bare.shape)
        elif isinstance(pattern, Apply):
            yield from self._reduced(pattern, bare, found)

    def _bind(self, wildcard: Variable, node: Node, found: Found) -> Iterator[Found]:
        name = wildcard.name.removeprefix(_PREFIX)
        if name not in found:
            yield {**found, name: node}
        elif self.bare(found[name]) is self.bare(node):
            yield found

    def _operands(self, patterns: Sequence[Node], nodes: Sequence[Node], found: Found, shape: Shape) -> Iterator[Found]:
        if len(patterns) != len(nodes):
            return
        if not patterns:
            yield found
            return
        for first in self.matches(patterns[0], nodes[0], found, shape):
            yield from self._operands(patterns[1:], nodes[1:], first, shape)

    # -- products ------------------------------------------------------------------------------

    def _contract(self, pattern: Contract, node: Node, found: Found, shape: Shape) -> Iterator[Found]:
        kind = classify(pattern).kind
        if kind == "sum":
            yield from self._reduced(pattern, node, found)
        elif kind == "broadcast":
            yield from self._spread(pattern, node, found, shape)
        elif isinstance(node, Contract):
            yield from (match.found for match in self._in_product(pattern, node, found, whole=True))

    def _in_product(self, pattern: Node, node: Contract, found: Found, *, whole: bool) -> Iterator[Match]:
        """Yield the ways in which the factors of a pattern are among those of a product, or are all of them."""
        if not is_product(node):
            return
        wanted = self.factors(pattern)
        for factors in _ways(self._closed.factors(node), self.factors(node)):
            yield from self._of_factors(wanted, factors, found, node.shape, whole)

    def _of_factors(
        self, wanted: "Factors", factors: "Factors", found: Found, shape: Shape, whole: bool
    ) -> Iterator[Match]:
        if whole and _is_square(wanted):
            root = square_root_of(factors)
            if root is not None:
                yield from (Match(bound) for bound in self._bind(wanted.cores[0], root, found))
            return
        patterns = sorted(wanted.cores, key=lambda core: isinstance(core, Variable))
        absorbs = whole and isinstance(patterns[-1], Variable) and wanted.coefficient not in _NUMBER_OF
        starts: list[tuple[Any, Found]]
        if wanted.coefficient in _NUMBER_OF and factors.coefficient == 1:
            starts = []
        elif wanted.coefficient not in _NUMBER_OF and (not whole or absorbs):
            starts = [(ratio(factors.coefficient, wanted.coefficient), found)]
        else:
            starts = [(1, bound) for bound in _number(wanted.coefficient, factors.coefficient, found)]
        for scaling, bound in starts:
            if scaling is not None:
                factors = factors._replace(coefficient=scaling if absorbs else 1)
                for match in self._choose(patterns, factors, bound, shape, whole):
                    yield match if absorbs else match._replace(scale=scaling)

    def _choose(
        self, patterns: Sequence[Node], left: "Factors", found: Found, shape: Shape, whole: bool
    ) -> Iterator[Match]:
        """Choose a factor for each pattern; of a whole product the last wildcard takes what is left."""
        if not patterns:
            if not (whole and left.cores):
                yield Match(found, rest=hadamard(*left.cores) if left.cores else None)
            return
        first, *others = patterns
        if whole and isinstance(first, Variable) and not others:
            if left.cores:
                rest = with_coefficient(hadamard(*left.cores), left.coefficient)
                yield from (Match(bound) for bound in self._bind(first, rest, found))
            return
        for place, factor in enumerate(left.cores):
            rest_of = left._replace(cores=left.cores[:place] + left.cores[place + 1 :])
            for bound in self.matches(first, factor, found, shape):
                yield from self._choose(others, rest_of, bound, shape, whole)

    def factors(self, node: Node) -> "Factors":
        """Return the factors of a product entry by entry, of products within it too, each so that it broadcasts."""
        coefficient: Any = 1
        cores: list[Node] = []
        pending = [node]
        while pending:
            core = pending.pop()
            bare = self.bare(core)
            opens = isinstance(bare, Contract) and bare not in self.barriers and is_product(bare)
            if opens and len(cores) + len(pending) < _MOST_FACTORS:
                assert isinstance(bare, Contract)
                parts = bare.parts()
                coefficient = coefficient * parts.coefficient
                pending += [aligned(inner, labels, parts.out) for inner, labels in parts.cores][::-1]
            else:
                cores.append(core)
        return Factors(coefficient, cores)

    # -- sums ------------------------------------------------------------------------------------

    def _in_sum(self, pattern: Plus, node: Plus, found: Found, *, whole: bool) -> Iterator[Match]:
        """Yield the ways in which the terms of a pattern, times a number, are among those of a sum, or are all."""
        patterns = sorted(map(split_coefficient, pattern.operands), key=lambda term: isinstance(term[0], Variable))
        for terms in _ways(self._closed.terms(node), self.terms(node)):
            if len(patterns) <= len(terms) <= MOST_TERMS:
                yield from self._of_terms(patterns, terms, found, node.shape, whole)

    def _of_terms(
        self, patterns: list[Any], terms: list[Any], found: Found, shape: Shape, whole: bool
    ) -> Iterator[Match]:
        lead = patterns[0][1]
        if whole or any(coefficient in _NUMBER_OF for _, coefficient in patterns):
            scales = {1}
        else:
            scales = {number for _, factor in terms if (number := ratio(factor, lead)) not in (None, 0)}
        for scaling in sorted(scales, key=lambda value: (abs(value), value < 0)):
            for match in self._among(patterns, terms, scaling, found, shape, whole):
                yield match._replace(scale=scaling)

    def root(self, node: Node) -> Node | None:
        """Return what a node is the square of; None if it is not written as a square."""
        return square_root_of(self.factors(node)) if is_product(self.bare(node)) else None

    def terms(self, node: Node) -> list[tuple[Node | None, Any]]:
        """Return the terms of a sum with their numbers, of sums within it too."""
        found: list[tuple[Node | None, Any]] = []
        pending: list[tuple[Node, Any]] = [(node, 1)]
        while pending:
            term, factor = pending.pop()
            core, coefficient = split_coefficient(self.bare(term))
            bare = None if core is None else self.bare(core)
            if isinstance(bare, Plus) and bare not in self.barriers and len(found) + len(pending) < MOST_TERMS:
                pending += [(inner, factor * coefficient) for inner in bare.operands[::-1]]
            else:
                found.append((core, factor * coefficient))
        return found

    def _among(
        self, patterns: list[Any], terms: list[Any], scaling: Any, found: Found, shape: Shape, whole: bool
    ) -> Iterator[Match]:
        if not patterns:
            if not (whole and terms):
                yield Match(found, rest=sum_of(terms))
            return
        (core, coefficient), *others = patterns
        if isinstance(core, Variable) and whole and not others:
            rest = sum_of(terms)
            if rest is not None and (inverse := ratio(1, coefficient)) is not None:
                bound_to = with_coefficient(rest, inverse)
                yield from (Match(bound) for bound in self._bind(core, bound_to, found))
            return
        for place, (node, factor) in enumerate(terms):
            left = terms[:place] + terms[place + 1 :]
            for bound in self._term(core, coefficient, node, ratio(factor, scaling), found, shape):
                yield from self._among(others, left, scaling, bound, shape, whole)

    def _term(
        self, core: Node | None, coefficient: Any, node: Node | None, factor: Any, found: Found, shape: Shape
    ) -> Iterator[Found]:
        """Match one term of a sum: its number and the rest of it."""
        if factor is None or (core is None) != (node is None):
            return
        if core is not None and node is not None and isinstance(core, Variable) and coefficient == 1:
            yield from self._bind(core, with_coefficient(node, factor), found)
        elif core is not None and node is not None and coefficient == 1 and _is_square(self.factors(core)):
            yield from self.matches(core, with_coefficient(node, factor), found, shape)
        else:
            for bound in _number(coefficient, factor, found):
                if core is None or node is None:
                    yield bound
                else:
                    yield from self.matches(core, node, bound, shape)

    # -- reductions --------------------------------------------------------------------------------

    def _reduced(self, pattern: Node, node: Node, found: Found) -> Iterator[Found]:
        """Match a reduction over any axes, or another primitive with axes."""
        wanted, given = reduction_of(pattern), reduction_of(node)
        if wanted is None or given is None or wanted[0] != given[0]:
            return
        for bound in _axes(given[2], found):
            yield from self.matches(wanted[1], given[1], bound, given[1].shape)

    def _spread(self, pattern: Contract, node: Node, found: Found, shape: Shape) -> Iterator[Found]:
        """Match a reduction whose result broadcasts back along the reduced axes."""
        inner, places = repetition_of(node)
        given = reduction_of(self.bare(inner))
        wanted = reduction_of(pattern.parts().cores[0][0])
        if wanted is None or given is None or wanted[0] != given[0] or len(given[1].shape) != len(shape):
            return
        offset = len(shape) - len(node.shape)
        kept = [axis for axis in range(len(shape)) if axis not in given[2]]
        if [place + offset for place in places] == kept:
            for bound in _axes(given[2], found):
                yield from self.matches(wanted[1], given[1], bound, given[1].shape)


def _is_square(wanted: Factors) -> bool:
    first = wanted.cores[0]
    return len(wanted.cores) == 2 and wanted.cores[1] is first and isinstance(first, Variable)


def _ways(closed: Any, opened: Any) -> tuple[Any, ...]:
    """Return the parts by their names, so that what no rule touches keeps its name; then those that names stand for."""
    return (closed,) if closed == opened else (closed, opened)


def _number(wanted: Any, given: Any, found: Found) -> Iterator[Found]:
    name = _NUMBER_OF.get(wanted) if isinstance(wanted, Fraction) else None
    if name is None:
        if isinstance(given, (int, Fraction)) and wanted == given:
            yield found
    elif name not in found:
        yield {**found, name: exact(given)}
    elif found[name] is exact(given):
        yield found


def _axes(axes: tuple[int, ...], found: Found) -> Iterator[Found]:
    if found.get("axis", axes) == axes:
        yield {**found, "axis": axes}


OUTSIDE = Scope(opens=False)
"""Where work is saved: around what has a name, which keeps its statement, and not within."""
