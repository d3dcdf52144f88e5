"""Sums of arrays that are zero but for a diagonal: where it is the same one, their entries are added alone."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from symback.nodes.add import add, fills, with_coefficient
from symback.nodes.contract import Contract, Labels, contract
from symback.nodes.leaves import exact
from symback.nodes.node import Node
from symback.rewrite.pattern import MOST_TERMS, OUTSIDE, Match, Scope


class _Diagonal(NamedTuple):
    """The entries of an array that is zero elsewhere, and which of their axes each axis of the array is."""

    entries: Node
    places: Labels


def diagonals(node: Node, scope: Scope) -> Iterator[Match]:
    """Yield a sum of arrays that have one diagonal."""
    found = [_diagonal(term, scope) for term in node.operands]
    first = found[0]
    if first is not None and all(other is not None and other.places == first.places for other in found):
        entries = [each.entries for each in found if each is not None]
        yield Match({"x": entries[0], "y": add(*entries[1:]), "view": _embedding(first.places)})


def diagonals_among_others(node: Node, scope: Scope) -> Iterator[Match]:
    """Yield a sum of which several terms, but not all, have one diagonal."""
    terms = [with_coefficient(core, factor) for core, factor in OUTSIDE.terms(node)]
    if len(terms) > MOST_TERMS:
        return
    groups: dict[Labels, list[Node]] = {}
    found = [_diagonal(term, scope) for term in terms]
    for each in found:
        if each is not None:
            groups.setdefault(each.places, []).append(each.entries)
    for places, (first, *others) in groups.items():
        rest = [term for term, each in zip(terms, found, strict=True) if each is None or each.places != places]
        if rest and others and fills(rest, node.shape, node.dtype):
            yield Match({"x": first, "y": add(*others), "z": add(*rest), "view": _embedding(places)})


def _diagonal(term: Node, scope: Scope) -> _Diagonal | None:
    bare = scope.bare(term)
    if not isinstance(bare, Contract) or bare in scope.barriers:
        return None
    parts = bare.parts()
    distinct = tuple(dict.fromkeys(parts.out))
    if len(distinct) == len(parts.out) or parts.ones or not parts.cores:
        return None
    entries = contract([(exact(parts.coefficient), ()), *parts.cores], distinct)
    return _Diagonal(entries, tuple(distinct.index(label) for label in parts.out))


def _embedding(places: Labels) -> Callable[[Node], Node]:
    return lambda entry: contract([(entry, tuple(range(len(entry.shape))))], places)
