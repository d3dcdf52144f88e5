"""From the graph as written to the graph that is emitted.

An expression gets at most one name, what is literally zero goes, and sums and products that one place uses
are joined; `lowering` does the rest.
"""

from collections import Counter
from collections.abc import Sequence

from symback import errors
from symback.codegen.lowering import MOST_TERMS, lower_all
from symback.graph import count_uses, many_allocations, rebuild, toposort
from symback.nodes.add import Plus, add
from symback.nodes.apply import Map, Named, unnamed
from symback.nodes.classify import classify
from symback.nodes.contract import Contract, Labels, Parts, contract, is_zero
from symback.nodes.dtypes import promote
from symback.nodes.leaves import Label, Ones, Variable, exact, ones_of
from symback.nodes.node import Node
from symback.nodes.products import full
from symback.nodes.shapes import broadcast_shapes


def prepare(outputs: Sequence[Node]) -> list[Node]:
    """Run the passes of this module in their order."""
    with many_allocations():
        for run in (_settle_names, _join, lower_all):
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
    _check_names(order, new)
    return new


def _check_names(order: Sequence[Node], new: dict[Node, Node]) -> None:
    """Refuse a name of the user's that stands for two different things."""
    owners: dict[str, Node] = {}
    for node in order:
        if isinstance(node, Variable) or (isinstance(node, Named) and node.label.kind == "let"):
            owner = owners.setdefault(node.name, node)
            if new[owner] is not new[node]:
                raise errors.name_clash(node.name, unnamed(owner), unnamed(node))


def simplified(node: Node) -> Node:
    """Drop what is literally zero, what only repeats, and what calculus alone needs."""
    if isinstance(node, Contract) and is_zero(node):
        return node if not _has_cores(node) else full(node.shape, 0, node)
    if isinstance(node, Contract):
        return _as_quotient(node)
    if isinstance(node, Plus):
        smaller = _without_zeros(node)
        return _trim(_factored(smaller)) if isinstance(smaller, Plus) else smaller
    if isinstance(node, Map):
        return node.operands[0] if node.operation.name == "stop_gradient" else _trim(node)
    return node


def _as_quotient(node: Contract) -> Node:
    """Write x * (1 / y) as x / y: one node, however it came about."""
    if len(node.operands) == 2 and node.subscripts.aligned:
        for above, below in (node.operands, node.operands[::-1]):
            if isinstance(below, Map) and below.operation.name == "divide" and below.operands[0] is exact(1):
                quotient = below.with_operands((above, below.operands[1]))
                return quotient if quotient.shape == node.shape and quotient.dtype == node.dtype else node
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
    return len(node.operands) < MOST_TERMS and (kind == "hadamard" or (alone and kind == "outer"))
