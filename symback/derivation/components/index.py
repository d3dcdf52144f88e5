r"""The derivation in index notation: entries, sums over their indices, Kronecker deltas and their elimination."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from symback.derivation.adjoints import AdjointLooks
from symback.derivation.components.formulas import (
    Bound,
    Indices,
    alike,
    bound_letters,
    delta,
    entries_of,
    entry,
    holds,
    plus,
    renamed,
    summed,
    times,
)
from symback.derivation.components.kronecker import eliminated, with_last_letters
from symback.derivation.components.local import ByComponents
from symback.derivation.record import Local, Quantity, Record
from symback.derivation.steps import DerivationStep, LocalDerivative
from symback.graph import toposort
from symback.latex.functions import derivative_term
from symback.latex.meaning import Meaning
from symback.latex.printer import Printer, look_of
from symback.nodes.apply import Named
from symback.nodes.leaves import Variable
from symback.nodes.node import Node
from symback.op.table import primitive_of
from symback.page.blocks import Equation, Formula

_MOST_LOCAL = 8
_LONGEST_OPENED = 200
_CHAIN = "chain rule"
_LOCAL = "local derivative"
_ELIMINATED = "elimination of the Kronecker delta"
_SYMBOL = "this local derivative has no short form by entries and keeps its symbol"


class Line(NamedTuple):
    """One side of an equation, with the reason why it is equal to the one before."""

    meaning: Meaning
    reason: str = ""


class Link(NamedTuple):
    """How a quantity reaches the loss through one consumer.

    Attributes:
        consumer: The consumer.
        letters: The indices of its entries.
        bound: The letters among them, with their sizes.
        jacobian: The entry of its derivative by the quantity; None if that has no short form.
    """

    consumer: Node
    letters: Indices
    bound: Bound
    jacobian: Meaning | None


class Matrices(Protocol):
    """What is asked of matrix notation: see `symback.derivation.matrices.matrix.MatrixWriter`."""

    record: Record
    looks: AdjointLooks
    printer: Printer

    def forms(self, node: Node, settled: Node) -> list[tuple[Node, str]]:
        """Return a node as it is written, differentiated and emitted."""

    def opened(self, value: Node, consumer: Node) -> Node | None:
        """Put the value of the consumer's adjoint in the place of its symbol."""

    def name_slopes(self, value: Node) -> None:
        """Say how the slopes in a formula are printed."""


class IndexWriter:
    """Writes the equations of one derivation by entries; what has no usual form by entries, as a matrix with indices.

    Args:
        matrix: Writes matrix notation.
        jacobian: Differentiates an expression, the first argument, by the second.
    """

    def __init__(self, matrix: Matrices, jacobian: Callable[[Node, Node], Node]) -> None:
        self.record = matrix.record
        self.printer = matrix.printer
        self.components = ByComponents(self.record, matrix.looks, self.printer.defined_term, look_of, jacobian)
        self.entries = self.components.entries
        self._matrix = matrix
        self._letters = self.components.letters
        self._slopes_written: set[tuple[Node, Node]] = set()
        self._written = 0

    def forward(self) -> tuple[Equation, ...]:
        """Write the entries of what each name stands for, and of what rewriting made of it; and the loss."""
        return tuple(self._forward(node, settled) for node, settled in self.record.forward.items())

    def _forward(self, node: Node, settled: Node) -> Equation:
        left = entry(Meaning("value", data=node), self._indices(node))
        indices = left.data[0]
        sides = [Line(self.entries.opened(form, indices), reason) for form, reason in self._matrix.forms(node, settled)]
        return self._lines(left, sides, node, indices, first=0)

    # -- the backward pass -----------------------------------------------------------------------

    def step(self, q: Quantity) -> DerivationStep:
        """Write the equations of one quantity."""
        self.entries.held = frozenset(self.components.quantities)
        self._matrix.name_slopes(q.value)
        indices = self._indices(q.node, self._first(q))
        links = [self._connected(consumer, q, indices) for consumer in q.consumers]
        local = self._locals(q, links, indices) if len(links) <= _MOST_LOCAL else ()
        substituted, settled = q.value, q.settled
        sides = self._by_chain_rule(q, links, indices) if links else []
        value = Line(self.entries.of(q.value, indices))
        spelled = links and all(link.jacobian for link in links) and not self._has_slope(q.single)
        sides += [] if spelled and holds(value.meaning, "slope") else [value]
        inner = self._matrix.opened(q.value, q.consumers[0]) if q.single else None
        if inner is not None:
            line = Line(self.entries.of(inner, indices))
            if len(self.components.formula(line.meaning, ()).text) <= _LONGEST_OPENED:
                sides.append(line)
                emitted = self._matrix.opened(settled, q.consumers[0])
                substituted, settled = inner, settled if emitted is None else emitted
        sides.append(Line(self.entries.of(settled, indices), ", ".join(q.rewrites)))
        equation = self._lines(entry(Meaning("adjoint", data=q.node), indices), sides, q.node, indices)
        return DerivationStep(
            q.node, q.adjoint, q.consumers, q.contributions, local, substituted, settled, q.rules, q.rewrites,
            q.label is not None and q.label.latex is not None, equation,
        )  # fmt: skip

    def _first(self, q: Quantity) -> int:
        """Return how many letters the only consumer keeps, a number that is written as a sum."""
        if any(consumer.shape for consumer in q.consumers) or not q.consumers:
            return 0
        meanings = [self.entries.opened(consumer, ()) for consumer in q.consumers]
        return max(len(bound_letters(renamed(meaning, {}, self._letters))) for meaning in meanings)

    def _connected(self, consumer: Node, q: Quantity, indices: Indices) -> Link:
        letters, bound = self.components.new_indices(consumer)
        if self._has_slope(q.single):
            found: Meaning | None = self._slope_entry(q.single, letters, indices)  # type: ignore[arg-type]
        else:
            found = self.components.derivative(consumer, q.node, letters, indices)
        return Link(consumer, letters, bound, found and with_last_letters(found, indices))

    def _has_slope(self, item: Local | None) -> bool:
        return item is not None and self._slope_text(item) is not None

    def _slope_text(self, item: Local) -> object:
        return derivative_term(primitive_of(item.node), self.printer.term(item.operand), item.node)

    def _slope_entry(self, item: Local, letters: Indices, indices: Indices) -> Meaning:
        deltas = [
            delta(one, other, size) for one, other, size in zip(letters, indices, item.operand.shape, strict=True)
        ]
        return times([*deltas, self.entries.slope(item.node, indices)])

    def _by_chain_rule(self, q: Quantity, links: Sequence[Link], indices: Indices) -> list[Line]:
        """Write the chain rule, the local derivatives put in, and the deltas eliminated."""
        loss = self.record.loss
        if [link.consumer for link in links] == [loss]:
            direct = links[0].jacobian
            sides = self._differentiated(loss, (), q.node, indices)
            return [*sides, Line(direct)] if direct else sides
        chain = plus([self._product(link, self._partial(link, q.node, indices)) for link in links])
        known = [self._product(link, link.jacobian or self._partial(link, q.node, indices)) for link in links]
        sides = [Line(chain, _CHAIN)]
        kept = any(link.jacobian is None for link in links)
        put_in = plus(known)
        if not alike(chain, put_in):
            sides.append(Line(put_in, _LOCAL if not kept else f"{_LOCAL}; {_SYMBOL}"))
        elif kept:
            sides = [Line(chain, f"{_CHAIN}; {_SYMBOL}")]
        short = plus([eliminated(part) for part in known])
        if holds(put_in, "delta"):
            sides.append(Line(short, _ELIMINATED))
        return sides

    def _product(self, link: Link, derivative: Meaning) -> Meaning:
        if link.consumer is self.record.loss:
            return derivative
        return summed(times([entry(Meaning("adjoint", data=link.consumer), link.letters), derivative]), link.bound)

    def _partial(self, link: Link, by: Node, indices: Indices) -> Meaning:
        return entry(Meaning("partial", data=(link.consumer, by)), (*link.letters, *indices))

    # -- local derivatives -----------------------------------------------------------------------

    def _locals(self, q: Quantity, links: Sequence[Link], indices: Indices) -> tuple[LocalDerivative, ...]:
        found = [
            self._derived_entry(link, q, indices)
            for link in links
            if link.consumer is not self.record.loss and link.jacobian is not None
        ]
        if q.single and self._has_slope(q.single) and (q.single.node, q.node) not in self._slopes_written:
            self._slopes_written.add((q.single.node, q.node))
            found.append(self._function(q.single, indices))
        return tuple(found)

    def _derived_entry(self, link: Link, q: Quantity, indices: Indices) -> LocalDerivative:
        """Derive the entry of a consumer by an entry of the quantity."""
        assert link.jacobian is not None
        sides = [*self._differentiated(link.consumer, link.letters, q.node, indices), Line(link.jacobian)]
        equation = self._lines(self._partial(link, q.node, indices), sides, q.node, indices, link.bound)
        return LocalDerivative("entries", link.consumer, q.node, None, equation)

    def _differentiated(self, of: Node, letters: Indices, by: Node, indices: Indices) -> list[Line]:
        """Write the derivative of an expression by an entry, unless some of the entries in it are hidden."""
        inside = of.operands[0] if isinstance(of, Named) else of
        self.entries.spelled_out = True
        body = self.entries.opened(of, letters)
        self.entries.spelled_out = False
        whole = any(text is not None for _, text, _ in entries_of(body))
        return [] if self._hides(inside, by, whole=whole) else [Line(Meaning("by_entry", (body,), (by, indices)))]

    def _hides(self, inside: Node, by: Node, *, whole: bool) -> bool:
        """Is what an expression is differentiated by opened in print, or a name or quantity that it moves closed?"""
        own = by.operands[0] if isinstance(by, Named) else by
        if by is inside or (whole and not isinstance(by, (Named, Variable))):
            return True
        parts = [node for node in toposort([inside], stops=_Stops(by)) if node not in (inside, by)]
        closed = [
            node
            for node in parts
            if not isinstance(node, (Named, Variable))
            and (node in self.entries.held or (whole and node in self.entries.names))
        ]
        return any(node is own or by in toposort([node]) for node in closed)

    def _function(self, item: Local, indices: Indices) -> LocalDerivative:
        """Write the derivative of a function at its argument, once."""
        left = self.entries.slope(item.node, indices)
        equation = self._lines(left, [Line(self.entries.broadcast(item.partial, indices))], item.operand, indices)
        return LocalDerivative("function", item.node, item.operand, item.partial, equation)

    # -- what all of them need ---------------------------------------------------------------------

    def _indices(self, node: Node, first: int = 0) -> Indices:
        """Return letters for the axes of a node, the place 1 for an axis of size 1."""
        letters = iter(self._letters[first:])
        return tuple(0 if size == 1 else next(letters) for size in node.shape)

    def _lines(
        self, left: Meaning, sides: Sequence[Line], node: Node, indices: Indices, bound: Bound = (), first: int = 2
    ) -> Equation:
        """Put an equation together: bound letters get their names, sides that say the same are left out.

        Args:
            left: What is on the left.
            sides: The sides.
            node: What the free letters are indices of.
            indices: They.
            bound: Further free letters, which have no name yet.
            first: From which letter on names are given; expressions that are derived have the first ones.
        """
        free = [(index, size) for index, size in zip(indices, node.shape, strict=True) if isinstance(index, str)]
        names = {letter: letter for letter, _ in free}
        letters = [*self._letters[first:], *self._letters[:first]]
        for letter, size in bound:
            names[letter] = next(name for name in letters if name not in names.values())
            free.append((names[letter], size))
        kept: dict[str, tuple[Formula, str]] = {}
        meanings: list[Meaning] = []
        for meaning, reason in [Line(left), *sides]:
            named = renamed(meaning, names, self._letters if meaning.op == "by_entry" else letters)
            if not any(alike(named, other) for other in meanings):
                formula = self.components.formula(named, tuple(free))
                kept.setdefault(formula.text, (formula, reason))
                meanings.append(named)
        made = tuple(self.printer.definitions[self._written :])
        self._written = len(self.printer.definitions)
        (head, _), *rest = kept.values()
        rest = rest or [(head, "")]
        return Equation(head, tuple(formula for formula, _ in rest), made, tuple(reason for _, reason in rest))


class _Stops:
    """Stops a walk at names, and at what is differentiated by."""

    def __init__(self, by: Node) -> None:
        self._by = by

    def __contains__(self, node: object) -> bool:
        return node is self._by or isinstance(node, Named)
