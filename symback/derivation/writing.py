r"""The lines of a derivation: what a writer makes of a record, with the lines by entries that matrix notation needs.

The rule ``\frac{\partial L}{\partial W} = \frac{\partial L}{\partial z} x^{\top}`` is seen by entries,
``\frac{\partial z_{i}}{\partial W_{ij}} = x_{j}``, and so is the derivative that all others start from: of the loss.
"""

from dataclasses import replace
from typing import Any, Protocol

from symback.derivation.emitted import Names
from symback.derivation.matrices.by_rule import spelled
from symback.derivation.record import Quantity, Record
from symback.derivation.steps import DerivationStep, LocalDerivative
from symback.graph import toposort
from symback.nodes.apply import Named
from symback.nodes.leaves import Variable
from symback.nodes.node import Node
from symback.page.blocks import Equation, Formula

_ODOT = r"\odot"
_MOST_CONSUMERS = 3
_MOST_NODES = 40
_LONGEST_ENTRY = 120
_LONGEST_LOSS = 260


class Writer(Protocol):
    """What writes a derivation in one notation."""

    printer: Any

    def forward(self) -> tuple[Equation, ...]:
        """Write the forward pass."""

    def step(self, q: Quantity) -> DerivationStep:
        """Write the equations of one quantity."""


class ByEntries(Writer, Protocol):
    """What writes by entries."""

    components: Any


class Writing:
    """Writes the equations of a derivation.

    Args:
        record: What the pass recorded.
        writer: What writes them.
        entries: What writes the lines by entries between them; None for none.
        sign: The sign of products entry by entry.
    """

    def __init__(self, record: Record, writer: Writer, entries: ByEntries | None, sign: str) -> None:
        self._record = record
        self._writer = writer
        self._entries = entries
        self._sign = sign

    def forward(self) -> tuple[Equation, ...]:
        """Return the equations of the forward pass."""
        return tuple(self.signed(equation) for equation in self._writer.forward())

    def steps(self) -> tuple[DerivationStep, ...]:
        """Return the steps of the backward pass."""
        return tuple(self._step(quantity) for quantity in self._record.quantities)

    def _step(self, q: Quantity) -> DerivationStep:
        step = self._writer.step(q)
        local = [*(self._by_entries(q) if self._entries else ()), *step.local]
        signed = tuple(replace(found, equation=self.signed(found.equation)) for found in local)
        look = self._writer.printer.write(q.node)
        made = spelled(step.substituted, self._record.slopes)
        equation = self.signed(step.equation)
        return replace(
            step,
            local=signed,
            substituted=made,
            equation=equation,
            look=look,
            remark=step.remark.replace(_ODOT, self._sign),
        )

    def _by_entries(self, q: Quantity) -> list[LocalDerivative]:
        """Return the derivatives of the consumers by a quantity, or of the loss, by entries."""
        assert self._entries is not None
        loss = self._record.loss
        inside = toposort([q.value], stops=Names())
        if len(inside) > _MOST_NODES or not q.node.shape or any(node in self._record.slopes for node in inside):
            return []
        if q.consumers == (loss,):
            found = self._entries.step(q).equation
            return [LocalDerivative("loss", loss, q.node, None, found)] if _is_short(found, _LONGEST_LOSS) else []
        consumers = q.consumers if q.single is None and len(q.consumers) <= _MOST_CONSUMERS else ()
        pairs = [(node, q.node) for node in consumers if node is not loss and _has_name(node) and _has_name(q.node)]
        lines = [(of, self._entries.components.local_entries(of, by)) for of, by in pairs]
        return [
            LocalDerivative("entries", of, q.node, None, line)
            for of, line in lines
            if line is not None and _is_short(line, _LONGEST_ENTRY)
        ]

    def signed(self, equation: Equation) -> Equation:
        """Write products entry by entry with the sign that is wanted."""
        if self._sign == _ODOT:
            return equation
        left, *sides = [self._resigned(formula) for formula in (equation.left, *equation.sides)]
        where = tuple((self._resigned(name), self._resigned(value)) for name, value in equation.where)
        return replace(equation, left=left, sides=tuple(sides), where=where)

    def _resigned(self, formula: Formula) -> Formula:
        return formula._replace(text=formula.text.replace(_ODOT, self._sign))


def _has_name(node: Node) -> bool:
    return isinstance(node, (Named, Variable))


def _is_short(equation: Equation, most: int) -> bool:
    formulas = [equation.left, *equation.sides]
    known = not equation.where and all(formula.meaning is not None for formula in formulas)
    return known and bool(equation.sides) and sum(len(formula.text) for formula in formulas) <= most
