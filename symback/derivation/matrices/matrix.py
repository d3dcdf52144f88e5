r"""The derivation in matrix notation: each adjoint by the chain rule, the local derivatives, and the result."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from symback.derivation.adjoints import AdjointLooks, partial
from symback.derivation.emitted import Names
from symback.derivation.matrices.rows import row_term
from symback.derivation.record import Local, Quantity, Record
from symback.derivation.steps import DerivationStep, LocalDerivative
from symback.derivation.text.remarks import remark
from symback.graph import replaced, toposort
from symback.latex.functions import derivative_term
from symback.latex.meaning import Meaning
from symback.latex.printer import MOST_NESTED, Printer, formula_of
from symback.latex.terms import ATOM, POSTFIX, PRODUCT, RELATION, SUM, Term, added, said
from symback.nodes.apply import Apply, Map, Named
from symback.nodes.leaves import Variable
from symback.nodes.node import Node
from symback.op.table import primitive_of
from symback.page.blocks import Equation

_LONGEST_SUBSTITUTED = 160
_LONGEST_DEFINED = 60
_LONGEST_LINKED = 150
_MOST_LOCAL = 8

_MOST_SPELLED = 250
"""A function is spelled out of at most so many nodes: more never fit into one formula, and take long to write."""

_SPELLINGS = frozenset({"quotient"})
"""Rules that matter in code alone: in print 1/n times x is no worse than x/n."""


class Side(NamedTuple):
    """One side of an equation, with the reason why it is equal to the one before."""

    term: Term
    reason: str = ""


class MatrixWriter:
    """Writes the equations of one derivation; the expression under a name is printed by that name.

    Args:
        record: What the pass recorded.
        looks: The symbols of adjoints.
    """

    def __init__(self, record: Record, looks: AdjointLooks) -> None:
        self.record = record
        self.looks = looks
        self._settled = {q.node: q.settled for q in record.quantities}
        self._owners: dict[Node, Node] = {}
        self._looks = self._names()
        nested = MOST_NESTED if _depth(record.written) < MOST_NESTED else 1
        self.printer = Printer(self._looks, self._taken(), most_nodes=None, most_nested=nested)
        for node in record.symmetric:
            self.printer.call(node, self.printer.term(node).symmetric())
        for node, owner in self._owners.items():
            self.printer.call(node, self._adjoint(owner))
        self._written = 0
        self._derived: set[Node] = set()

    def _names(self) -> dict[Node, str | Term]:
        """Return how names are printed: the expressions under them too, and adjoints by their symbols."""
        record = self.record
        labels = {q.adjoint.label: q.node for q in record.quantities if isinstance(q.adjoint, Named)}
        settled = [q.settled for q in record.quantities]
        names: dict[Node, str | Term] = {}
        for node in toposort([record.written, record.loss, *record.forward.values(), *self._adjoints(), *settled]):
            if not isinstance(node, Named):
                continue
            owner = labels.get(node.label) if node.label.kind == "adjoint" else None
            if owner is not None:
                self._owners[node] = owner
            elif node.operands[0].operands and not isinstance(node.operands[0], Named):
                names.setdefault(node.operands[0], node.label.look)
        for forms in (record.differentiated, record.forward):
            for node, now in forms.items():
                if isinstance(node, Named) and now.operands and not isinstance(now, Named):
                    names.setdefault(now, node.label.look)
        return names

    def _adjoints(self) -> list[Node]:
        return [q.adjoint for q in self.record.quantities]

    def _taken(self) -> list[str]:
        nodes = toposort([self.record.written])
        looks = [node.label.look for node in nodes if isinstance(node, (Named, Variable))]
        return [*looks, *(label.latex or "" for label in self.record.labels.values())]

    # -- the forward pass ------------------------------------------------------------------------

    def forward(self) -> tuple[Equation, ...]:
        """Write what each name stands for, and what rewriting made of it, with the rules; and the loss."""
        return tuple(self._forward(node, settled) for node, settled in self.record.forward.items())

    def _forward(self, node: Node, settled: Node) -> Equation:
        sides = [Side(self.printer.defined_term(form), reason) for form, reason in self.forms(node, settled)]
        return self._equation(Term(self.look(node), ATOM, meaning=Meaning("value", data=node)), sides)

    def forms(self, node: Node, settled: Node) -> list[tuple[Node, str]]:
        """Return a node as it is written, differentiated and emitted, with the rules that led from each to the next."""
        rules = self.record.rules_in(node.name if isinstance(node, Named) else "-")
        forms = [(node, "")]
        between = self.record.differentiated.get(node)
        if between is not None and rules:
            forms.append((between, _reason([rule for rule in rules if rule in self.record.stable])))
        return [*forms, (settled, _reason(rules))] if rules else forms

    # -- the backward pass -----------------------------------------------------------------------

    def step(self, q: Quantity) -> DerivationStep:
        """Write the equations of one quantity."""
        self.name_slopes(q.value)
        functions = q.local if len(q.local) <= _MOST_LOCAL else ()
        local = tuple(found for item in functions if (found := self._local(item)))
        sides = self._defining(q.node)
        sides += [Side(self._chain(q))] if self._has_chain(q) else []
        sides.append(Side(self._shown(q, q.value)))
        substituted, settled = q.value, q.settled
        inner = self.opened(q.value, q.consumers[0]) if q.single else None
        if inner is not None:
            term = self._shown(q, inner)
            if len(term.text) <= _LONGEST_SUBSTITUTED:
                sides.append(Side(term))
                emitted = self.opened(settled, q.consumers[0])
                substituted, settled = inner, settled if emitted is None else emitted
        if not q.rewrites or not _SPELLINGS.issuperset(q.rewrites):
            sides.append(Side(self._shown(q, settled), _reason(q.rewrites)))
        equation = self._equation(self.looks.printed(q.node, self.look(q.node)), sides)
        said = remark(settled, self.printer, lambda value: self._shown(q, value).signed())
        return DerivationStep(
            q.node, q.adjoint, q.consumers, q.contributions, local, substituted, settled, q.rules, q.rewrites,
            q.label is not None and q.label.latex is not None, equation, remark=said,
        )  # fmt: skip

    def _shown(self, q: Quantity, value: Node) -> Term:
        """Write the adjoint of a quantity in the layout that is wanted."""
        return row_term(value, self.printer, self._has_adjoint) if self._is_row(q.node) else self.printer.term(value)

    def _has_adjoint(self, node: Node) -> bool:
        return any(part in self._owners for part in toposort([node], stops=Names()))

    def _defining(self, node: Node) -> list[Side]:
        """Say what the letter of an adjoint stands for."""
        if not self.looks.is_letter(node):
            return []
        look = self.look(node)
        if len(look) > _LONGEST_DEFINED:
            return []
        plain = Term(self.looks.leibniz(look), POSTFIX, meaning=Meaning("adjoint", data=node))
        return [Side(plain._replace(meaning=said("transpose", plain)) if self._is_row(node) else plain)]

    def name_slopes(self, value: Node) -> None:
        """Say how the slopes in a formula are printed."""
        for symbol in toposort([value], stops=Names()):
            node = self.record.slopes.get(symbol) if isinstance(symbol, Variable) else None
            term = self._slope(node) if node is not None else None
            if term is not None and isinstance(symbol, Variable):
                self.printer.call(symbol, term)

    def _slope(self, node: Map) -> Term | None:
        return derivative_term(primitive_of(node), self.printer.term(node.operands[0]), node)

    def _local(self, item: Local) -> LocalDerivative | None:
        """Write the derivative of a function at its argument, once."""
        slope = self._slope(item.node)
        if slope is None or item.node in self._derived:
            return None
        self._derived.add(item.node)
        sides = [Side(self.printer.term(item.partial))]
        inside = toposort([item.partial], stops=Names())
        if len(inside) <= _MOST_SPELLED:
            spelled = Printer(self._spelled_out(item, inside), most_nodes=None)
            term = spelled.term(item.partial)
            if not spelled.definitions:
                sides.insert(0, Side(term))
        equation = self._equation(slope, sides)
        return LocalDerivative("function", item.node, item.operand, item.partial, equation)

    def _spelled_out(self, item: Local, inside: Collection[Node]) -> dict[Node, str | Term]:
        """Return how names are printed where a function is spelled out that has one."""
        names = {node: self._looks[node] for node in inside if node in self._looks and node is not item.node}
        return {**names, **{node: self._adjoint(self._owners[node]) for node in inside if node in self._owners}}

    def _adjoint(self, node: Node) -> Term:
        """Return the derivative of the loss by a node, by its symbol."""
        return self.looks.term(node, "" if self.looks.is_given(node) else self.look(node))

    def opened(self, value: Node, consumer: Node) -> Node | None:
        """Put the value of the consumer's adjoint in the place of its symbol; other names stay closed."""
        names = {node: node for node in toposort([value], stops=Names()) if isinstance(node, Named)}
        symbols = [node for node in names if self._owners.get(node) is consumer]
        if not symbols or isinstance(self._settled[consumer], Named):
            return None
        if value in symbols:
            return self._settled[consumer]
        given = {**names, **dict.fromkeys(symbols, self._settled[consumer])}
        found = replaced([value], given)
        return found[value]

    def _has_chain(self, q: Quantity) -> bool:
        """Is there something between the loss and a quantity, and all that is differentiated of a readable length?"""
        looks = [self.look(node) for node in (q.node, *q.consumers) if node is not self.record.loss]
        between = any(consumer is not self.record.loss for consumer in q.consumers)
        return between and all(len(look) <= _LONGEST_LINKED for look in looks)

    def _chain(self, q: Quantity) -> Term:
        """Write the sum over the consumers: their adjoints times their derivatives by this quantity."""
        return added([self._link(consumer, q.node) for consumer in q.consumers])

    def _link(self, consumer: Node, node: Node) -> Term:
        if consumer is self.record.loss:
            text = rf"\left.{self.looks.leibniz(self.look(node))}\right|_{{\text{{direct}}}}"
            term = Term(text, POSTFIX, meaning=Meaning("partial", data=(consumer, node)))
        else:
            inner = partial(self.look(consumer), self.look(node))
            adjoint = self.looks.printed(consumer, self.look(consumer))
            text = f"{adjoint.within(PRODUCT)} {inner}"
            term = Term(text, PRODUCT, meaning=Meaning("chain", data=(consumer, node)))
        return term._replace(meaning=said("transpose", term)) if self._is_row(node) else term

    # -- what all of them need ---------------------------------------------------------------------

    def _equation(self, left: Term, sides: Sequence[Side]) -> Equation:
        """Put an equation together with the definitions of auxiliary names that its writing has made."""
        made = tuple(self.printer.definitions[self._written :])
        self._written = len(self.printer.definitions)
        kept: dict[str, Side] = {}
        for side in (_in_brackets(side) for side in sides):
            if side.term.signed() != left.signed():
                kept.setdefault(side.term.signed(), side)
        formulas = tuple(formula_of(side.term) for side in kept.values())
        return Equation(formula_of(left), formulas, made, tuple(side.reason for side in kept.values()))

    def _is_row(self, node: Node) -> bool:
        return self.looks.layout == "row" and 1 <= len(node.shape) <= 2

    def look(self, node: Node) -> str:
        """Return what a quantity looks like."""
        if isinstance(node, (Named, Variable)):
            return node.label.look
        return r"\mathcal{L}" if node in (self.record.loss, self.record.written) else self.printer.within(node, POSTFIX)


def _depth(root: Node) -> int:
    """Return how many functions are applied one to another in an expression with no name between them."""
    depth: dict[Node, int] = {}
    for node in toposort([root]):
        inside = max((depth[operand] for operand in node.operands if not isinstance(operand, Named)), default=0)
        depth[node] = inside + (isinstance(node, Apply) and bool(node.operands))
    return max(depth.values())


def _in_brackets(side: Side) -> Side:
    """Write a condition that is a number as such."""
    term = side.term
    return side._replace(term=term._replace(text=term.within(SUM), level=ATOM)) if term.level == RELATION else side


def _reason(rules: Sequence[str]) -> str:
    return ", ".join(rules)
