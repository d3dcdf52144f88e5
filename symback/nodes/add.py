"""Add: the n-ary sum, with NumPy broadcasting."""

from collections import Counter
from collections.abc import Sequence
from functools import reduce
from typing import Any, cast

import numpy as np

from symback import errors
from symback.nodes.contract import Contract, canonical_subscripts, contract
from symback.nodes.dtypes import promote
from symback.nodes.exact_numbers import fits, plus, times
from symback.nodes.leaves import Exact, ExactValue, exact
from symback.nodes.node import METHODS, Node
from symback.nodes.shapes import Shape, broadcast_shapes


class Plus(Node):
    """A sum of nodes; like terms are collected, nested sums stay nested.

    (SymPy's printers dispatch on the name of a class: one called Add would be printed as SymPy's.)
    """

    __slots__ = ()

    def __new__(cls, *terms: Node) -> "Plus":
        """Return the sum."""
        found = cls.find(terms)
        return found if found is not None else cast(Plus, add(*terms))

    @property
    def operands(self) -> tuple[Node, ...]:
        """The terms."""
        return cast(tuple[Node, ...], self._args)

    def with_operands(self, operands: tuple[Node, ...]) -> Node:
        """Return the sum of other terms."""
        return self if operands == self._args else add(*operands)


def add(*terms: Node) -> Node:
    """Add nodes, broadcasting their shapes."""
    first = terms[0] if type(terms[0]) is not Exact else terms[-1]
    shape, dtype = first.shape, first.dtype
    keys: set[Any] = set()
    for term in terms:
        if type(term) is Exact:
            if not _is_absorbed(term, dtype):
                return _collect(terms)
            keys.add(None)
        elif term.shape is shape and term.dtype is dtype and not term.is_weak:
            keys.add(_core_key(term))
        else:
            return _collect(terms)
    if len(keys) == 1 or len(keys) < len(terms):
        return _collect(terms)
    return Plus.make(terms, shape, dtype)


def _is_absorbed(number: Exact, dtype: np.dtype[Any]) -> bool:
    """Does this number stay as a term of a sum of this dtype, without changing the dtype?"""
    value = number.value
    return value != 0 and (dtype.kind == "f" or (type(value) is int and dtype.kind != "b" and fits(value, dtype)))


def _core_key(term: Node) -> Any:
    """What like terms have in common: all but the coefficient."""
    if type(term) is not Contract:
        return term
    args = term._args
    if type(args[1]) is not Exact:
        return args
    if args[0].scales:
        core = args[2]
        return core._args if type(core) is Contract else core
    subscripts = args[0]
    return (canonical_subscripts(subscripts.inputs[1:], subscripts.out), *args[2:])


def _collect(terms: Sequence[Node]) -> Node:
    """Add with like terms collected and numbers added up; a sum that cancels keeps its shape, as 0 times its term."""
    shape, dtype = broadcast_shapes("add", terms), promote(terms)
    kept = _like_terms(terms)
    if len(kept) > 1:
        trimmed = [node for node in kept if type(node) is not Exact or not _is_plain_zero(node)]
        if trimmed and (len(trimmed) == len(kept) or (fills(trimmed, shape, dtype))):
            kept = trimmed
    if dtype.kind in "iu":
        for node in kept:
            if type(node) is Exact and not fits(node.value, dtype) and not fits(times(-1, node.value), dtype):
                raise errors.integer_out_of_range("add", node.value, dtype)
    if len(kept) == 1:
        return _with_type(kept[0], shape, dtype)
    if promote(kept) is not dtype:
        kept[0] = METHODS["astype"](kept[0], dtype)
    return Plus.make(tuple(kept), shape, dtype)


def _like_terms(terms: Sequence[Node]) -> list[Node]:
    """Collect the terms that differ in their coefficient only; a term that is alone stays as it is."""
    collected: dict[Node | None, list[tuple[Node, ExactValue]]] = {}
    for term in terms:
        core, coefficient = split_coefficient(term)
        collected.setdefault(core, []).append((term, coefficient))
    kept: list[Node] = []
    for core, group in collected.items():
        total = reduce(plus, [coefficient for _, coefficient in group])
        if len(group) == 1:
            kept.append(group[0][0])
        elif core is None or fits(total, core.dtype):
            kept.append(with_coefficient(core, total))
        else:
            counts = Counter(term for term, _ in group)
            kept.extend(with_coefficient(term, count) for term, count in counts.items())
    return kept


def _is_plain_zero(node: Exact) -> bool:
    return type(node.value) is not float and node.value == 0


def fills(nodes: Sequence[Node], shape: Shape, dtype: np.dtype[Any]) -> bool:
    """Has the sum of these nodes this shape and this dtype?"""
    return broadcast_shapes("add", nodes) == shape and promote(nodes) == dtype


def with_coefficient(core: Node | None, coefficient: ExactValue) -> Node:
    """Return a term of this core and this number: what `split_coefficient` splits."""
    if core is None:
        return exact(coefficient)
    if type(coefficient) is int and coefficient == 1:
        return core
    labels = tuple(range(len(core.shape)))
    return contract([(exact(coefficient), ()), (core, labels)], labels)


def _with_type(node: Node, shape: Shape, dtype: np.dtype[Any]) -> Node:
    node = node if node.shape == shape else METHODS["broadcast_to"](node, shape)
    return node if node.dtype == dtype or node.is_weak else cast(Node, METHODS["astype"](node, dtype))


def split_coefficient(node: Node) -> tuple[Node | None, ExactValue]:
    """Split a term into its core and its exact coefficient; the core of a number is None."""
    if type(node) is Exact:
        return None, node.value
    if type(node) is Contract and type(node._args[1]) is Exact:
        if node.multiple is not None:
            coefficient, core = node.multiple
            return core, coefficient
        if len(node.operands) > 1:
            rest = list(zip(node.operands, node.subscripts.inputs, strict=True))[1:]
            core = contract(rest, node.subscripts.out)
            if core.dtype is node.dtype and core.shape == node.shape:
                return core, node._args[1].value
    return node, 1
