"""A Jacobian as a sum of terms whose entries lie where its closed form says: diagonals, bands, blocks, stencils.

A label that repeats in the result of a product ties a row to a column; zeros around a piece move it. Each term is an
array of its entries, and says for each axis of the Jacobian where along it they lie. No array of the shape of the
Jacobian is formed.
"""

from collections.abc import Callable
from typing import Any

from symback.derive.pieces import in_ranges
from symback.derive.sparsity.places import (
    NoTerms,
    Place,
    Term,
    bases_of,
    flipped,
    indexed,
    moved,
    renumbered,
    rolled,
    sliced,
    taken_at,
    whole,
)
from symback.nodes.add import Plus, add
from symback.nodes.apply import Apply, Map, Named
from symback.nodes.contract import Contract, Labels, contract, is_zero
from symback.nodes.dtypes import BOOL
from symback.nodes.leaves import Exact, exact, ones_of
from symback.nodes.node import Node
from symback.nodes.products import broadcast_to, scale
from symback.nodes.shapes import Shape, simplify_size
from symback.ops.elementwise.logic import astype, where

_MOST_TERMS = 64
_MOST_NESTED = 40


def terms_of(node: Node) -> list[Term] | None:
    """Return the terms of an array; None if there is no short sum of them."""
    try:
        return _Terms().of(node, 0)
    except NoTerms:
        return None


class _Terms:
    """Terms of nodes that have been asked for."""

    def __init__(self) -> None:
        self._known: dict[Node, list[Term]] = {}

    def of(self, node: Node, nested: int) -> list[Term]:
        """Return the terms of a node; a node of any other kind is one by itself."""
        if node not in self._known:
            found = [whole(node)] if nested > _MOST_NESTED else self._taken_apart(node, nested + 1)
            if len(found) > _MOST_TERMS:
                raise NoTerms
            self._known[node] = found
        return self._known[node]

    def _taken_apart(self, node: Node, nested: int) -> list[Term]:
        if is_zero(node):
            return []
        if isinstance(node, Named):
            return self.of(node.operands[0], nested)
        if isinstance(node, Plus):
            return self._of_sum(node, nested)
        if isinstance(node, Contract):
            return self._of_product(node, nested)
        name = node.operation.name if isinstance(node, Apply) else ""
        if name in _MOVES:
            shape = node.operands[0].shape
            moves = [_MOVES[name](term, node, shape) for term in self.of(node.operands[0], nested)]
            return [term for term in moves if term is not None]
        if name == "diff_along":
            return self.of(_differences(node), nested)
        if name == "scatter_add":
            return self._of_scattered(node, nested)
        if isinstance(node, Map) and name == "where" and is_zero(node.operands[2]):
            return self._of_mask(node, nested)
        return [whole(node)]

    def _of_sum(self, node: Plus, nested: int) -> list[Term]:
        found = [term for x in node.operands for term in self.of(broadcast_to(x, node.shape), nested)]
        together: dict[tuple[Any, ...], list[Node]] = {}
        for term in found:
            together.setdefault((term.places, term.value.shape), []).append(term.value)
        if len(together) == 1 and found[0].is_whole:
            return [whole(node)]
        return [Term(add(*values), places) for (places, _), values in together.items()]

    def _of_product(self, node: Contract, nested: int) -> list[Term]:
        parts = node.parts()
        for position, (core, labels) in enumerate(parts.cores):
            if len({*labels}) == len(labels) and core.shape:
                inner = self.of(core, nested)
                if any(term.is_tied for term in inner) or not inner:
                    return [_substituted(node, position, term) for term in inner]
        axes = {label: axis for axis, label in enumerate(dict.fromkeys(parts.out))}
        if len(axes) == len(parts.out):
            return [whole(node)]
        value = contract(list(zip(node.operands, node.subscripts.inputs, strict=True)), tuple(axes))
        return [Term(value, tuple(Place(0, 1, axes[label]) for label in parts.out))]

    def _of_scattered(self, node: Any, nested: int) -> list[Term]:
        g, *indices = node.operands
        axis, shape = node.operation.parameters
        first, count = len(shape) + axis, len(indices)
        block = len(g.shape) - len(shape) + count
        found = []
        for term in self.of(g, nested):
            inside = term.places[first : first + block]
            sizes = shape[first : first + count]
            at = [indexed(index, size, inside, term.value) for index, size in zip(indices, sizes, strict=True)]
            found.append(Term(term.value, (*term.places[:first], *at, *term.places[first + block :])))
        return found

    def _of_mask(self, node: Map, nested: int) -> list[Term]:
        condition, value, _ = node.operands
        found = []
        for term in self.of(broadcast_to(value, node.shape), nested):
            if term.is_whole:
                return [whole(node)]
            rank = len(condition.shape)
            there, labels = taken_at(condition, term.places[len(term.places) - rank :], term.value.shape)
            own = tuple(range(len(term.value.shape)))
            missing = tuple(axis for axis in own if axis not in labels)
            ones = [(ones_of(tuple([1] * len(missing)), BOOL), missing)] if missing else []
            found.append(Term(where(contract([(there, labels), *ones], own), term.value, 0), term.places))
        return found


def _substituted(node: Contract, position: int, term: Term) -> Term:
    """Return a term of a product from one of the factor at a position: the other factors are taken at its places."""
    parts = node.parts()
    _, labels = parts.cores[position]
    fresh = 1 + max(label for group in (*node.subscripts.inputs, parts.out) for label in group)
    own = tuple(range(fresh, fresh + len(term.value.shape)))
    at = {label: renumbered(place, own) for label, place in zip(labels, term.places, strict=True)}
    if any(label not in parts.out and label not in at for label in parts.ones):
        raise NoTerms
    sizes = dict(zip(own, term.value.shape, strict=True)) | node.label_sizes()
    operands: list[tuple[Node, Labels]] = [(term.value, own)]
    for place, (other, group) in enumerate(parts.cores):
        if place != position:
            operands.append(taken_at(other, [at.get(label, Place(0, 1, label)) for label in group], sizes))
    places = [at.get(label, Place(0, 1, label)) for label in parts.out]
    kept = tuple(dict.fromkeys(label for place in places for label in bases_of(place)))
    covered = {label for _, group in operands for label in group}
    free = tuple(label for label in kept if label not in covered)
    if free:
        operands.append((ones_of(tuple(sizes[label] for label in free), node.dtype), free))
    if parts.coefficient != 1:
        operands.insert(0, (exact(parts.coefficient), ()))
    value = contract(operands, kept)
    value = value if value.dtype == node.dtype and not isinstance(value, Exact) else astype(value, node.dtype)
    axes = {label: axis for axis, label in enumerate(kept)}
    return Term(value, tuple(renumbered(place, axes) for place in places))


def _differences(node: Any) -> Node:
    """Write differences with slices."""
    (x,) = node.operands
    order, axis = node.operation.parameters
    for _ in range(order):
        size = x.shape[axis]
        ends = [(1, size, 1), (0, simplify_size(size - 1), 1)]
        behind, before = (
            in_ranges(x, tuple(end if k == len(x.shape) + axis else None for k in range(len(x.shape)))) for end in ends
        )
        x = add(behind, scale(-1, before))
    result: Node = x
    return result


def _padded(term: Term, node: Any, shape: Shape) -> Term:
    (widths,) = node.operation.parameters
    entries = [
        None if before == after == 0 else (before, simplify_size(before + size), 1)
        for (before, after), size in zip(widths, shape, strict=True)
    ]
    return moved(term, tuple(entries), node.shape)


_MOVES: dict[str, Callable[[Term, Any, Shape], Term | None]] = {
    "astype": lambda term, node, shape: Term(astype(term.value, node.dtype), term.places),
    "flip_along": lambda term, node, shape: flipped(term, shape, *node.operation.parameters),
    "pad_zeros": _padded,
    "roll_along": lambda term, node, shape: rolled(term, shape, *node.operation.parameters),
    "slice_of": lambda term, node, shape: sliced(term, shape, *node.operation.parameters),
    "unslice": lambda term, node, shape: moved(term, *node.operation.parameters),
}
"""What moves or cuts the entries of an array: from a term, the node and the shape of its operand."""
