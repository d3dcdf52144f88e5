"""Arrays that are written in parts: what a program writes into an array that is there already."""

from collections import Counter
from collections.abc import Container, Mapping, Sequence
from functools import partial
from typing import Any

from symback.codegen.fresh import is_fresh
from symback.codegen.source.text import Text, assignment, dtype_argument, sum_text
from symback.codegen.speller import Operand, PartSpeller, ViewSpeller
from symback.codegen.structure.diagonals import diagonal_line
from symback.nodes.add import Plus, fills
from symback.nodes.apply import Apply
from symback.nodes.classify import is_diagonal
from symback.nodes.contract import Contract
from symback.nodes.leaves import Constant
from symback.nodes.node import Node
from symback.op.table import primitive_of
from symback.ops.indexing.ranges import PIECES

VALUES = {"unslice": 0, "scatter_add": 0, "set_slice": 1, "set_places": 1}
"""What writes a value into a part of an array, and which operand that is: NumPy broadcasts it there."""

_UPDATES = ("set_slice", "set_places")
_FIRST_INDEX = {"gather": 1, "scatter_add": 1, "set_places": 2}
_MOST_INLINE = 8


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
        uses: dict[Node, int],
        labels: Container[Node],
        texts: Mapping[Node, Text],
        known: Container[Node],
    ) -> None:
        self.indices = inline_indices(order)
        own = {node for node in order if uses[node] == 1 and node not in labels}
        own |= _only_in_parts(order, uses, labels)
        sums = [node for node in order if isinstance(node, Plus)]
        self.pieces = {node: found for node in sums if (found := pieces_of(node, own))}
        self._before = updates_in(order, uses, labels)
        self.parts = {part for several in (*self.pieces.values(), *self._before.values()) for part in several}
        for node in order:
            if node.operands and _places(node) and is_diagonal(node.operands[0]) and node.operands[0] in own:
                self.parts.add(node.operands[0])
                if node not in self.parts:
                    self.pieces[node] = [node]
        self.parts |= {part.operands[0] for part in self.parts if _is_reshaped(part)}
        self._uses, self._texts, self._known = uses, texts, known

    def update(self, builder: Any, node: Node, name: str) -> list[str]:
        """Write a copy of the first operand of an update, and the updates before it, into the array `name`."""
        before = self._before.get(node, [])
        start = assignment(name, self._start([*before, node][0].operands[0]))
        return [*start, *(self._part(builder, part, name) for part in before)]

    def add_pieces(self, builder: Any, node: Node, name: str) -> list[str]:
        """Write what has all entries, or zeros, and add each piece in its place."""
        whole = [term for term in node.operands if term not in self.parts] if isinstance(node, Plus) else []
        total = sum_text([self._texts[term] for term in whole]) if whole else Text("")
        first, *rest = self.pieces[node]
        filled = bool(whole) and fills(whole, node.shape, node.dtype)
        places = isinstance(first, Contract) or _places(first) or _is_reshaped(first)
        pieces = [self._piece(builder, first, name, adds=filled or not places)]
        pieces += [self._piece(builder, piece, name, adds=True) for piece in rest]
        if filled:
            return [*assignment(name, self._start(whole[0]) if len(whole) == 1 else total), *pieces]
        zeros = f"{name} = np.zeros({builder.shape(node.shape)}{dtype_argument(node.dtype)})"
        return [zeros, *pieces, *([f"{name} += {total.signed()}"] if whole else [])]

    def _piece(self, builder: Any, piece: Node, name: str, *, adds: bool) -> str:
        """Return the statement that adds a piece to the array called `name`, or writes it into zeros."""
        if isinstance(piece, Contract):
            return diagonal_line(builder, piece, builder.product_of(piece), name, adds=adds)
        assert isinstance(piece, Apply)
        value = piece.operands[0]
        if isinstance(value, Contract) and _is_reshaped(piece):
            view = f"{name}.reshape({builder.shape(value.shape)})"
            return diagonal_line(builder, value, builder.product_of(value), view, adds=adds)
        if isinstance(value, Contract) and value in self.parts:
            write = partial(diagonal_line, builder, value, builder.product_of(value), adds=adds)
            spelling: Any = primitive_of(piece).numpy
            speller = ViewSpeller(builder, piece, name, write)
            return str(spelling(speller, [Operand.of(Text(""))], piece.operation.parameters))
        return self._part(builder, piece, name, operator="+=" if adds else "=")

    def _start(self, base: Node) -> Text:
        """Write an array that parts are then written into: a copy, unless nothing else holds it."""
        text = self._texts[base]
        owned = self._uses[base] == 1 and base not in self._known and is_fresh(base)
        return text if owned else Text(f"{Operand.of(text).atom}.copy()")

    def _part(self, builder: Any, part: Apply, name: str, operator: str = "+=") -> str:
        """Return the statement that writes a part into the array called `name`."""
        spelling: Any = primitive_of(part).numpy
        operands = [Operand.of(text) for text in builder.operand_texts(part)]
        return str(spelling(PartSpeller(builder, part, name, operator), operands, part.operation.parameters))


def pieces_of(node: Plus, own: Container[Node]) -> list[Node]:
    """Return the terms of a sum that are zeros but for a part, where those are added in place.

    `own` are the nodes that one place uses, and that have no name.
    """
    found = [x for x in node.operands if x in own and (x.shape, x.dtype) == (node.shape, node.dtype)]
    reshaped = [x for x in found if _is_reshaped(x) and x.operands[0] in own]
    pieces = [x for x in found if is_diagonal(x) or x in reshaped or _is_piece(x)]
    filled = _rest_fills(node, pieces)
    if filled and reshaped:  # an array in an order that is not known has no view of another shape
        pieces = [x for x in pieces if x not in reshaped]
        filled = _rest_fills(node, pieces)
    return pieces if len(pieces) > 1 or (pieces and filled) else []


def _rest_fills(node: Plus, pieces: Sequence[Node]) -> bool:
    whole = [term for term in node.operands if term not in pieces]
    return bool(whole) and fills(whole, node.shape, node.dtype)


def _is_piece(node: Node) -> bool:
    return isinstance(node, Apply) and node.operation.name in PIECES


def _is_reshaped(node: Node) -> bool:
    """Is this a diagonal of an array of another shape?"""
    return isinstance(node, Apply) and node.operation.name == "reshape_to" and is_diagonal(node.operands[0])


def _only_in_parts(order: Sequence[Node], uses: dict[Node, int], labels: Container[Node]) -> set[Node]:
    """Return the diagonals that are used more than once, always in a part of zeros; their entries are used as often."""
    users: Counter[Node] = Counter(node.operands[0] for node in order if _places(node))
    found = {x for x, count in users.items() if is_diagonal(x) and 1 < count == uses[x] and x not in labels}
    for node in found:
        for core in node.operands:
            uses[core] += uses[node] - 1
    return found


def _places(node: Node) -> bool:
    """Is this a value at integers and in slices of zeros?"""
    return isinstance(node, Apply) and node.operation.name == "unslice"


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
