"""From the graph as written to the graph that is emitted.

Names go to a table beside the graph, what is literally zero goes, sums and products that are used once are
joined, and every product becomes one that has a plain NumPy spelling.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import sympy

from symback import errors
from symback.graph import count_uses, many_allocations, rebuild, toposort
from symback.nodes.add import Plus, add
from symback.nodes.apply import Map, Named, unnamed
from symback.nodes.classify import Product, classify
from symback.nodes.contract import Contract, Labels, Parts, contract, is_zero
from symback.nodes.dtypes import promote
from symback.nodes.leaves import Label, Ones, exact, ones_of
from symback.nodes.node import Node
from symback.nodes.products import full
from symback.nodes.shapes import SizeExpr, broadcast_shapes

_MOST_TERMS = 12
"""Sums and products longer than this are not joined further: lines stay readable, and passes linear."""

_GUESS = 64
"""What a symbolic size counts for when the order of a product is chosen."""


def prepare(outputs: Sequence[Node]) -> list[Node]:
    """Run the passes of this module in their order."""
    with many_allocations():
        for run in (_settle_names, _join, _lower_all):
            new = run(outputs)
            outputs = [new[output] for output in outputs]
        return list(outputs)


# -- one name for each expression, zeros out -------------------------------------------------------


def _settle_names(outputs: Sequence[Node]) -> dict[Node, Node]:
    """Give each expression at most one name, simplify, and refuse a name that stands for two things.

    A name stays on the expression itself, so that its named and its unnamed uses are one; what a pass
    named and only one place uses loses the name.
    """
    order = toposort(outputs)
    labels: dict[Node, Label] = {}
    uses: Counter[Node] = Counter({unnamed(output): 2 for output in outputs})
    for node in order:
        if isinstance(node, Named):
            bare = unnamed(node)
            if bare not in labels or (labels[bare].kind != "let" and node.label.kind == "let"):
                labels[bare] = node.label
        else:
            uses.update(map(unnamed, node.operands))

    def replace(node: Node, operands: tuple[Node, ...]) -> Node:
        if isinstance(node, Named):
            return operands[0]
        new = simplified(node.with_operands(operands))
        label = labels.get(node)
        wanted = label is not None and (label.kind == "let" or uses[node] > 1)
        nameless = isinstance(new, Named) or not new.operands or is_zero(new)
        return new if label is None or not wanted or nameless else Named(label, new)

    new = rebuild(outputs, replace)
    _check_names([node for node in order if isinstance(node, Named) and node.label.kind == "let"], new)
    return new


def _check_names(named: Sequence[Named], new: dict[Node, Node]) -> None:
    owners: dict[str, Named] = {}
    for node in named:
        owner = owners.setdefault(node.name, node)
        if new[owner] is not new[node]:
            raise errors.name_clash(node.name, owner.operands[0], node.operands[0])


def simplified(node: Node) -> Node:
    """Drop what is literally zero, what only repeats, and what calculus alone needs."""
    if isinstance(node, Contract) and is_zero(node):
        return node if not _has_cores(node) else full(node.shape, 0, node)
    if isinstance(node, Plus):
        smaller = _without_zeros(node)
        return _trim(_factored(smaller)) if isinstance(smaller, Plus) else smaller
    if isinstance(node, Map):
        return node.operands[0] if node.operation.name == "stop_gradient" else _trim(node)
    return node


def _has_cores(node: Contract) -> bool:
    return bool(node.parts().cores)


def _without_zeros(node: Plus) -> Node:
    kept = [term for term in node.operands if not is_zero(unnamed(term))]
    if len(kept) == len(node.operands):
        return node
    if kept and promote(kept) == node.dtype and broadcast_shapes("add", kept) == node.shape:
        return add(*kept)
    return node if kept else full(node.shape, 0, node)


def _factored(node: Plus) -> Node:
    """Take a scalar factor that every term has out of a sum: one division by N instead of one for each term."""
    terms = [term.parts() if isinstance(term, Contract) else None for term in node.operands]
    first = terms[0]
    shared = [core for core, _ in first.cores if core.shape == ()] if first is not None else []
    for factor in shared:
        if all(parts is not None and (factor, ()) in parts.cores and not parts.ones for parts in terms):
            rest = add(*(_without_factor(parts, factor) for parts in terms if parts is not None))
            labels = tuple(range(len(node.shape)))
            if rest.shape == node.shape and promote([factor, rest]) == node.dtype:
                return contract([(factor, ()), (rest, labels)], labels)
    return node


def _without_factor(parts: Parts, factor: Node) -> Node:
    position = parts.cores.index((factor, ()))
    rest = parts.cores[:position] + parts.cores[position + 1 :]
    return contract([(exact(parts.coefficient), ()), *rest], parts.out)


def _trim(node: Node) -> Node:
    """Leave to broadcasting what NumPy broadcasts by itself: operands that only repeat smaller ones."""
    operands = list(node.operands)
    if len(operands) < 2:
        return node
    for position, operand in enumerate(operands):
        smaller = _unrepeated(operand)
        if smaller is not operand:
            trial = [*operands[:position], smaller, *operands[position + 1 :]]
            if broadcast_shapes("add", trial) == node.shape and promote(trial) == promote(operands):
                operands = trial
    return node if tuple(operands) == node.operands else node.with_operands(tuple(operands))


def _unrepeated(node: Node) -> Node:
    """Return a broadcast without its repetition: leading axes gone, others of size 1."""
    if isinstance(node, Ones):
        return exact(1)
    if not isinstance(node, Contract) or not isinstance(node.operands[-1], Ones):
        return node
    p = classify(node)
    if p.kind == "fill":
        return exact(p.coefficient)
    if p.kind == "embed":
        return node
    out = list(p.out)
    while out and out[0] in p.ones:
        out.pop(0)
    inner = tuple(label for label in out if label in p.ones)
    terms: list[tuple[Node, Labels]] = [(exact(p.coefficient), ()), *p.cores]
    if inner:
        terms.append((ones_of((1,) * len(inner), node.dtype), inner))
    return contract(terms, tuple(out))


# -- joining -----------------------------------------------------------------------------------------


def _join(outputs: Sequence[Node]) -> dict[Node, Node]:
    """Join sums within sums and products within products, where the inner one is used once and has no name."""
    uses = count_uses(outputs)
    inner: set[Node] = set()

    def replace(node: Node, operands: tuple[Node, ...]) -> Node:
        inner.update(new for old, new in zip(node.operands, operands, strict=True) if uses[old] == 1)
        if isinstance(node, Plus):
            return _join_sum(operands, inner)
        if isinstance(node, Contract):
            return _join_product(node, operands, inner)
        return node.with_operands(operands)

    return rebuild(outputs, replace)


def _join_sum(operands: tuple[Node, ...], inner: set[Node]) -> Node:
    terms: list[Node] = []
    for operand in operands:
        joinable = isinstance(operand, Plus) and operand in inner
        terms.extend(operand.operands if joinable and len(operand.operands) < _MOST_TERMS else [operand])
    return add(*terms)


def _join_product(node: Contract, operands: tuple[Node, ...], inner: set[Node]) -> Node:
    """Open entry-by-entry products within one another, and any product within a sum over axes."""
    labels = node.subscripts.inputs
    terms = list(zip(operands, labels, strict=True))
    joinable = any(isinstance(operand, Contract) and operand in inner for operand in operands)
    kind = classify(node).kind if joinable and len(terms) <= _MOST_TERMS else ""
    alone = kind == "sum"
    if kind not in ("hadamard", "scale", "sum"):
        return node.with_operands(operands)
    fresh = 1 + max((label for group in labels for label in group), default=0)
    opened: list[tuple[Node, Labels]] = []
    for operand, group in terms:
        if isinstance(operand, Contract) and operand in inner and _opens(operand, alone):
            bound = dict(zip(operand.subscripts.out, group, strict=True))
            for core, core_labels in zip(operand.operands, operand.subscripts.inputs, strict=True):
                for label in core_labels:
                    if label not in bound:
                        bound[label] = fresh
                        fresh += 1
                opened.append((core, tuple(bound[label] for label in core_labels)))
        else:
            opened.append((operand, group))
    return contract(opened, node.subscripts.out)


def _opens(node: Contract, alone: bool) -> bool:
    kind = classify(node).kind
    return len(node.operands) < _MOST_TERMS and (kind == "hadamard" or (alone and kind == "outer"))


# -- lowering ------------------------------------------------------------------------------------------


def _lower_all(outputs: Sequence[Node]) -> dict[Node, Node]:
    """Give every sum and product a plain spelling."""
    return rebuild(outputs, _lower)


def _lower(node: Node, operands: tuple[Node, ...]) -> Node:
    node = node.with_operands(operands)
    if isinstance(node, Plus) and len(node.operands) > 2 * _MOST_TERMS:
        return _in_groups(node.operands)
    return lowered(node) if isinstance(node, Contract) else node


def _in_groups(terms: Sequence[Node]) -> Node:
    """Add in groups of groups: CPython cannot compile a sum of thousands of terms."""
    while len(terms) > 2 * _MOST_TERMS:
        terms = [add(*terms[k : k + _MOST_TERMS]) for k in range(0, len(terms), _MOST_TERMS)]
    return add(*terms)


def lowered(node: Contract) -> Node:
    """Write a product as products of two operands at a time, each with a plain spelling."""
    subscripts = node.subscripts
    if subscripts.distinct and all(labels == subscripts.out or not labels for labels in subscripts.inputs):
        return node
    p = classify(node)
    if p.kind == "embed":
        return _lowered_embed(p) if p.cores else node
    cores = [_plain_operand(core, labels, p, index) for index, (core, labels) in enumerate(p.cores)]
    if p.kind in ("batched", "general") or any(old is not new for old, new in zip(p.cores, cores, strict=True)):
        return _lowered_product(p, cores)
    return node


def _lowered_embed(p: Product) -> Node:
    inner_out = tuple(dict.fromkeys(label for label in p.out if label not in p.ones))
    inner = contract(p.cores, inner_out)
    if isinstance(inner, Contract) and inner.is_core:
        inner = lowered(inner)
    terms: list[tuple[Node, Labels]] = [(exact(p.coefficient), ()), (inner, inner_out)]
    if p.ones:
        terms.append((ones_of(tuple(p.sizes[label] for label in p.ones), inner.dtype), p.ones))
    return contract(terms, p.out)


def _plain_operand(core: Node, labels: Labels, p: Product, index: int) -> tuple[Node, Labels]:
    """Take the diagonal where a label repeats, and sum over labels that no other operand and no output has."""
    if len(p.cores) == 1:
        return core, labels
    others = {label for k, (_, other) in enumerate(p.cores) if k != index for label in other}.union(p.out)
    kept = tuple(dict.fromkeys(label for label in labels if label in others or p.sizes[label] == 1))
    if len(set(labels)) == len(labels) == len(kept):
        return core, labels
    if len(set(labels)) < len(labels):
        distinct = tuple(dict.fromkeys(labels))
        core, labels = contract([(core, labels)], distinct), distinct
    reduced = contract([(core, labels)], kept)
    return reduced, kept


def _lowered_product(p: Product, cores: list[tuple[Node, Labels]]) -> Node:
    if len(cores) == 1:
        return _lowered_single(p, *cores[0])
    scalars = [term for term in cores if not term[1]]
    tensors = [term for term in cores if term[1]]
    while len(tensors) > 2:
        i, j = _best_pair(tensors, p)
        rest = [term for k, term in enumerate(tensors) if k not in (i, j)]
        needed = {label for _, labels in rest for label in labels}.union(p.out)
        tensors = [*rest[:i], _pair(tensors[i], tensors[j], needed, p.sizes), *rest[i:]]
    if len(tensors) == 2 and any(label not in p.out for _, labels in tensors for label in labels):
        kept = tuple(label for label in p.out if label not in p.ones)
        tensors = [_pair(tensors[0], tensors[1], set(p.out), p.sizes, kept)]
    terms: list[tuple[Node, Labels]] = [(exact(p.coefficient), ()), *scalars, *tensors]
    if p.ones:
        terms.append((ones_of(tuple(p.sizes[label] for label in p.ones), terms[1][0].dtype), p.ones))
    return contract(terms, p.out)


def _lowered_single(p: Product, core: Node, labels: Labels) -> Node:
    """Take a diagonal, a sum and a repetition apart."""
    distinct = tuple(dict.fromkeys(labels))
    if len(distinct) < len(labels):
        core = contract([(core, labels)], distinct)
    kept = tuple(label for label in p.out if label not in p.ones)
    core = contract([(core, distinct)], kept)
    terms: list[tuple[Node, Labels]] = [(exact(p.coefficient), ()), (core, kept)]
    if p.ones:
        terms.append((ones_of(tuple(p.sizes[label] for label in p.ones), core.dtype), p.ones))
    return contract(terms, p.out)


def _pair(
    left: tuple[Node, Labels],
    right: tuple[Node, Labels],
    needed: set[int],
    sizes: dict[int, SizeExpr],
    out: Labels | None = None,
) -> tuple[Node, Labels]:
    """Multiply two operands and keep the labels that are still needed."""
    if out is None:
        both = dict.fromkeys((*left[1], *right[1]))
        shared = [label for label in both if label in left[1] and label in right[1] and label in needed]
        own = [label for label in both if label in needed and label not in shared]
        out = (*shared, *own) if any(label not in needed for label in both) else tuple(l for l in both if l in needed)
    summed = [label for label in left[1] if label in right[1] and label not in out and sizes[label] != 1]
    batch = [label for label in out if label in left[1] and label in right[1]]
    free = [label for label in out if (label in left[1]) != (label in right[1])]
    if summed and batch and not free:
        product = contract([left, right], tuple(dict.fromkeys((*out, *summed))))
        return contract([(product, tuple(dict.fromkeys((*out, *summed))))], out), out
    return contract([left, right], out), out


def _best_pair(terms: list[tuple[Node, Labels]], p: Product) -> tuple[int, int]:
    """Return the two operands whose product is cheapest to form: smallest result, then fewest operations."""
    return min(combinations(range(len(terms)), 2), key=lambda pair: _pair_cost(terms, pair, p))


def _pair_cost(terms: list[tuple[Node, Labels]], pair: tuple[int, int], p: Product) -> tuple[int, int, tuple[int, int]]:
    involved = set(terms[pair[0]][1]) | set(terms[pair[1]][1])
    rest = {label for k, (_, labels) in enumerate(terms) if k not in pair for label in labels}.union(p.out)
    before = sum(_guess(p.sizes, terms[k][1]) for k in pair)
    return _guess(p.sizes, involved & rest) - before, _guess(p.sizes, involved), pair


def _guess(sizes: dict[int, SizeExpr], labels: Any) -> int:
    total = 1
    for label in labels:
        size = sizes[label]
        guessed = size if isinstance(size, int) else int(size.subs(dict.fromkeys(size.free_symbols, sympy.Integer(_GUESS))))
        total *= max(guessed, 1)
    return total
