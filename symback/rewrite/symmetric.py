"""Matrices that are symmetric by the way they are made: their transposes are themselves."""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet

from symback.graph import rebuild
from symback.nodes.add import Plus
from symback.nodes.apply import Apply, Map
from symback.nodes.contract import Contract, Labels, Parts, contract
from symback.nodes.node import Node
from symback.rewrite.pattern import Match, Scope

_DEPTH = 12
"""How far down it is looked for what a matrix is made of."""

_MOST_NODES = 256
_MOST_FACTORS = 16

_PRESERVING = {"inv_of", "inverse_or_inf"}
"""Functions of a matrix whose value is symmetric where that is."""


def transposes(node: Node, scope: Scope) -> Iterator[Match]:
    """Yield the transpose of a matrix, or of each of a stack, that is symmetric."""
    if not isinstance(node, Contract) or len(node.operands) > 2 or not node.subscripts.distinct:
        return  # labels that repeat take a diagonal
    parts = node.parts()
    if len(parts.cores) == 1 and len(parts.out) > 1 and not parts.ones:
        ((matrix, labels),) = parts.cores
        if labels == parts.out[:-2] + parts.out[-2:][::-1] and is_symmetric(matrix, scope):
            yield Match({"x": matrix, "view": None}, scale=parts.coefficient)


def oriented(nodes: Sequence[Node], symmetric: AbstractSet[Node], given: Iterable[Node] = ()) -> list[Node]:
    """Write symmetric matrices in products without transposes, so that equal terms are one.

    Args:
        nodes: What is rewritten.
        symmetric: Variables that are symmetric matrices.
        given: Nodes that stay as they are.
    """
    scope, known = Scope(), dict.fromkeys(symmetric, True)

    def replace(node: Node, operands: tuple[Node, ...]) -> Node:
        new = node.with_operands(operands)
        return _along_the_product(new, scope, known) if isinstance(new, Contract) and new.subscripts.out else new

    found: dict[Node, Node] = rebuild(nodes, replace, {node: node for node in given})
    return [found[node] for node in nodes]


def _along_the_product(node: Contract, scope: Scope, known: dict[Node, bool]) -> Node:
    """Turn each symmetric factor so that its rows are nearer to the rows of the result than its columns."""
    inputs, out = node.subscripts.inputs, node.subscripts.out
    away = _distances(inputs, out[0])
    turned = [
        (operand, labels[:-2] + tuple(sorted(labels[-2:], key=lambda label: (away.get(label, 0), label))))
        if len(labels) > 1 and _is_symmetric(operand, scope, _DEPTH, known)
        else (operand, labels)
        for operand, labels in zip(node.operands, inputs, strict=True)
    ]
    return contract(turned, out) if [labels for _, labels in turned] != [*inputs] else node


def _distances(inputs: Sequence[Labels], start: int) -> dict[int, int]:
    """Return through how many factors each label is reached from the first."""
    away, edge = {start: 0}, {start}
    while edge:
        reached = {label for labels in inputs if edge & {*labels} for label in labels} - {*away}
        away |= dict.fromkeys(reached, max(away.values()) + 1)
        edge = reached
    return away


def is_symmetric(node: Node, scope: Scope) -> bool:
    """Is this its own transpose, by the way it is made: X'X, X' diag(s) X, sums of such, their inverses?"""
    return _is_symmetric(node, scope, _DEPTH, {})


def _is_symmetric(node: Node, scope: Scope, depth: int, known: dict[Node, bool]) -> bool:
    bare = scope.bare(node)
    if bare not in known:
        known[bare] = (
            depth > 0
            and bare.shape[-2:-1] == bare.shape[-1:]
            and len(known) < _MOST_NODES
            and bare not in scope.barriers
            and _made_so(bare, scope, depth - 1, known)
        )
    return known[bare]


def _made_so(node: Node, scope: Scope, depth: int, known: dict[Node, bool]) -> bool:
    if isinstance(node, Contract):
        return _is_symmetric_product(node.parts(), scope, depth, known)
    inner = node.operands
    if isinstance(node, (Plus, Map)):
        inner = tuple(operand for operand in inner if operand.shape)
        return all(x.shape == node.shape and _is_symmetric(x, scope, depth, known) for x in inner) and bool(inner)
    preserves = isinstance(node, Apply) and node.operation.name in _PRESERVING
    return preserves and _is_symmetric(inner[0], scope, depth, known)


def _is_symmetric_product(parts: Parts, scope: Scope, depth: int, known: dict[Node, bool]) -> bool:
    """Is a product the same with the last two labels of its result exchanged?"""
    row, column = parts.out[-2:]
    if (row in parts.ones) != (column in parts.ones):
        return False
    turn = {row: column, column: row}

    def factor(core: Node, labels: Labels) -> Hashable:
        either = len(labels) > 1 and {*labels[-2:]} == {row, column} and _is_symmetric(core, scope, depth, known)
        return core, labels[:-2], frozenset(labels[-2:]) if either else labels[-2:]

    cores = _opened(parts)
    turned = [factor(core, tuple(turn.get(label, label) for label in labels)) for core, labels in cores]
    return Counter(turned) == Counter(factor(core, labels) for core, labels in cores)


def _opened(parts: Parts) -> list[tuple[Node, Labels]]:
    """Return the factors of a product, those of products within it included."""
    found: list[tuple[Node, Labels]] = []
    pending, private = list(parts.cores), -1
    while pending and len(found) + len(pending) < _MOST_FACTORS:
        core, labels = pending.pop()
        inner = core.parts() if isinstance(core, Contract) else None
        if inner is None or inner.ones or len({*inner.out}) < len(inner.out):
            found.append((core, labels))
            continue
        names = dict(zip(inner.out, labels, strict=True))
        for factor, own in inner.cores:
            pending.append((factor, tuple(names.get(label, private - label) for label in own)))
        private -= 1 + max((label for _, own in inner.cores for label in own), default=0)
    return found + pending
