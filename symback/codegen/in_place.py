"""Arrays that are written in parts: what a program writes into an array that is there already."""

from collections.abc import Container, Mapping, Sequence
from typing import Any

from symback.codegen.speller import Operand, PartSpeller
from symback.codegen.text import Text, assignment, dtype_argument, sum_text
from symback.nodes.add import Plus, fills
from symback.nodes.apply import Apply, Map
from symback.nodes.classify import classify
from symback.nodes.contract import Contract
from symback.nodes.leaves import Constant, Ones
from symback.nodes.node import Node
from symback.op.table import primitive_of
from symback.ops.indexing.ranges import PIECES

VALUES = {"unslice": 0, "scatter_add": 0, "set_slice": 1, "set_places": 1}
"""What writes a value into a part of an array, and which operand that is: NumPy broadcasts it there."""

_UPDATES = ("set_slice", "set_places")
_FIRST_INDEX = {"gather": 1, "scatter_add": 1, "set_places": 2}
_MOST_INLINE = 8
_FRESH_PRODUCTS = ("fill", "hadamard", "scale", "matvec", "vecmat", "matmul", "outer")


class InPlace:
    """The arrays of one program that are written in parts.

    Attributes:
        indices: The short arrays of indices that are written where they are used.
        pieces: For sums, the terms that are zeros but for a part, where those are added in place.
        parts: What another expression writes.
    """

    def __init__(
        self,
        order: Sequence[Node],
        uses: Mapping[Node, int],
        labels: Container[Node],
        texts: Mapping[Node, Text],
        known: Container[Node],
    ) -> None:
        self.indices = inline_indices(order)
        sums = [node for node in order if isinstance(node, Plus)]
        self.pieces = {node: found for node in sums if (found := pieces_of(node, uses, labels))}
        self._before = updates_in(order, uses, labels)
        self.parts = {part for several in (*self.pieces.values(), *self._before.values()) for part in several}
        self._uses, self._texts, self._known = uses, texts, known

    def update(self, builder: Any, node: Node, name: str) -> list[str]:
        """Write a copy of the first operand of an update, and the updates before it, into the array `name`."""
        before = self._before.get(node, [])
        start = assignment(name, self._start([*before, node][0].operands[0]))
        return [*start, *(self._part(builder, part, name) for part in before)]

    def add_pieces(self, builder: Any, node: Plus, name: str) -> list[str]:
        """Write what has all entries, or zeros, and add each piece in its place."""
        whole = [term for term in node.operands if term not in self.parts]
        total = sum_text([self._texts[term] for term in whole]) if whole else Text("")
        pieces = [self._part(builder, piece, name) for piece in self.pieces[node]]
        if whole and fills(whole, node.shape, node.dtype):
            return [*assignment(name, self._start(whole[0]) if len(whole) == 1 else total), *pieces]
        zeros = f"{name} = np.zeros({builder.shape(node.shape)}{dtype_argument(node.dtype)})"
        return [zeros, *pieces, *([f"{name} += {total.signed()}"] if whole else [])]

    def _start(self, base: Node) -> Text:
        """Write an array that parts are then written into: a copy, unless nothing else holds it."""
        text = self._texts[base]
        owned = self._uses[base] == 1 and base not in self._known and is_fresh(base)
        return text if owned else Text(f"{Operand.of(text).atom}.copy()")

    def _part(self, builder: Any, part: Apply, name: str) -> str:
        """Return the statement that writes a part into the array called `name`."""
        spelling: Any = primitive_of(part).numpy
        operands = [Operand.of(text) for text in builder.operand_texts(part)]
        return str(spelling(PartSpeller(builder, part, name), operands, part.operation.parameters))


def pieces_of(node: Plus, uses: Mapping[Node, int], named: Container[Node]) -> list[Apply]:
    """Return the terms of a sum that are zeros but for a part, where those are added in place."""
    pieces = [
        term
        for term in node.operands
        if isinstance(term, Apply) and term.operation.name in PIECES and uses[term] == 1 and term not in named
        if term.shape == node.shape and term.dtype == node.dtype
    ]
    whole = [term for term in node.operands if term not in pieces]
    return pieces if len(pieces) > 1 or (pieces and whole and fills(whole, node.shape, node.dtype)) else []


def updates_in(order: Sequence[Node], uses: Mapping[Node, int], named: Container[Node]) -> dict[Node, list[Apply]]:
    """Return for the last of several updates those it goes on from, in order, if nothing else uses their results."""
    found: dict[Node, list[Apply]] = {}
    earlier: set[Node] = set()
    for node in reversed(order):
        if node not in earlier and _is_update(node):
            before: list[Apply] = []
            base = node.operands[0]
            while isinstance(base, Apply) and _is_update(base) and uses[base] == 1 and base not in named:
                before.append(base)
                base = base.operands[0]
            earlier.update(before)
            found[node] = before[::-1]
    return found


def _is_update(node: Node) -> bool:
    return isinstance(node, Apply) and node.operation.name in _UPDATES


def is_fresh(node: Node) -> bool:
    """Does the text of a node make an array that nothing else holds?"""
    if not node.shape:
        return False
    if isinstance(node, Map):
        spelling = primitive_of(node).numpy
        return isinstance(spelling, str) and spelling != "{0}"
    if isinstance(node, Contract):
        product = classify(node)
        copies = product.kind != "scale" or product.coefficient != 1
        return product.kind in _FRESH_PRODUCTS and copies and (product.kind == "fill" or not product.ones)
    return isinstance(node, (Plus, Ones))


def inline_indices(order: Sequence[Node]) -> dict[Node, Text]:
    """Return the short arrays of indices that are written where they are used."""
    elsewhere: set[Node] = set()
    indices: dict[Node, Text] = {}
    for node in order:
        first = _FIRST_INDEX.get(node.operation.name) if isinstance(node, Apply) else None
        for place, operand in enumerate(node.operands):
            if first is None or place < first or not _is_short(operand):
                elsewhere.add(operand)
            elif isinstance(operand, Constant):
                indices[operand] = Text(str(operand.array.tolist()))
    return {node: text for node, text in indices.items() if node not in elsewhere}


def _is_short(node: Node) -> bool:
    return isinstance(node, Constant) and node.array.ndim <= 1 and 0 < node.array.size <= _MOST_INLINE
