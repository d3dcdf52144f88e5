"""From the graph as written to the graph that is emitted.

Sums and products that one place uses are joined, repetition is left to NumPy; `lowering` does the rest.
"""

from collections.abc import Sequence
from functools import partial

from symback.codegen.passes.lowering import MOST_TERMS, lower_all
from symback.codegen.passes.merging import merge_equal
from symback.codegen.passes.reassociate import reassociate
from symback.graph import count_uses, many_allocations, rebuild
from symback.nodes.add import Plus, add
from symback.nodes.apply import Map
from symback.nodes.classify import classify
from symback.nodes.contract import Contract, Labels, contract
from symback.nodes.dtypes import promote
from symback.nodes.leaves import Ones, exact, ones_of
from symback.nodes.node import Node
from symback.nodes.products import hadamard
from symback.nodes.shapes import NO_HINTS, Hints, broadcast_shapes
from symback.rewrite.guards import guard_branches


def prepare(outputs: Sequence[Node], sizes: Hints = NO_HINTS) -> list[Node]:
    """Run the passes of this module in their order; `sizes` say how large symbolic sizes are expected to be."""
    with many_allocations():
        order, lower = partial(reassociate, hints=sizes), partial(lower_all, hints=sizes)
        for run in (_plain, guard_branches, _join, order, lower, merge_equal):
            new = run(outputs)
            outputs = [new[output] for output in outputs]
        return list(outputs)


# -- what NumPy does by itself ---------------------------------------------------------------------


def _plain(outputs: Sequence[Node]) -> dict[Node, Node]:
    """Leave to NumPy's broadcasting what it does by itself, and drop what calculus alone needs."""
    return rebuild(outputs, lambda node, operands: _without_repetition(node.with_operands(operands)))


def _without_repetition(node: Node) -> Node:
    if isinstance(node, Map) and node.operation.name == "stop_gradient":
        (held,) = node.operands
        return hadamard(held, ones_of((), node.dtype)) if held.is_weak else held  # as strong as it was
    return _trim(node) if isinstance(node, (Map, Plus)) else node


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
    terms: list[tuple[Node, Labels]] = [*p.cores]
    if p.coefficient != 1:  # a boolean times 1 would be an integer
        terms.insert(0, (exact(p.coefficient), ()))
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
    dtype = promote(operands)  # a sum of small integers wraps around, which it does not in a wider one
    terms: list[Node] = []
    for operand in operands:
        joinable = isinstance(operand, Plus) and operand in inner and operand.dtype is dtype
        terms.extend(operand.operands if joinable and len(operand.operands) < MOST_TERMS else [operand])
    return add(*terms)


def _join_product(node: Contract, operands: tuple[Node, ...], inner: set[Node]) -> Node:
    """Open entry-by-entry products within one another, and any product within a sum over axes."""
    labels = node.subscripts.inputs
    terms = list(zip(operands, labels, strict=True))
    joinable = any(isinstance(operand, Contract) and operand in inner for operand in operands)
    kind = classify(node).kind if joinable and len(terms) <= MOST_TERMS else ""
    alone = kind == "sum"
    if kind not in ("hadamard", "scale", "sum"):
        return node.with_operands(operands)
    fresh = 1 + max((label for group in labels for label in group), default=0)
    opened: list[tuple[Node, Labels]] = []
    for operand, group in terms:
        if isinstance(operand, Contract) and operand in inner and _opens(operand, node, alone):
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


def _opens(inner: Contract, node: Node, alone: bool) -> bool:
    """Can a product be opened in another one? One of small integers wraps around, which it does not in a wider one."""
    kind = classify(inner).kind
    same = inner.dtype is node.dtype or (not alone and inner.dtype.kind == "b")
    return same and len(inner.operands) < MOST_TERMS and (kind == "hadamard" or (alone and kind == "outer"))
