r"""A derivation: its record, its steps, and the page that it prints."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from symback.derivation.adjoints import AdjointLooks, Letters
from symback.derivation.matrices.second import SecondStep
from symback.derivation.proof.verify import Verification, verify
from symback.derivation.record import Record
from symback.derivation.steps import DerivationStep
from symback.derivation.text.narration import Narration
from symback.errors.derivation import not_verified
from symback.nodes.node import Node
from symback.page.blocks import Block, Equation, Page
from symback.page.printed import Printed
from symback.trace import Trace

_MOST_LISTED = 12


class Style(NamedTuple):
    """How a derivation is written: the options of `derive`."""

    notation: str
    adjoint: str | Letters
    layout: str
    hadamard: str


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Derivation(Printed):
    """The equations of a forward pass and of the backward pass that belongs to it.

    Attributes:
        record: What the pass recorded, grouped by quantity.
        style: The notation, the symbols of adjoints, the layout, and the sign of products entry by entry.
        forward: The equations of the named nodes, operands first, and of the loss.
        steps: One for each quantity, from the loss down.
        looks: The symbols of adjoints.
        closing: What the page ends with: an update rule.
        second: The steps of the second pass, with ``order=2``.
        layers: Is what repeats from layer to layer stated once, with an index?
    """

    record: Record
    style: Style
    forward: tuple[Equation, ...]
    steps: tuple[DerivationStep, ...]
    looks: AdjointLooks
    closing: tuple[Block, ...] = ()
    second: tuple[SecondStep, ...] = ()
    layers: bool = True

    @property
    def loss(self) -> Node:
        """The differentiated node, as it was given."""
        return self.record.written

    @property
    def wrt(self) -> tuple[Node, ...]:
        """The variables."""
        return self.record.wrt

    @property
    def gradients(self) -> tuple[Node, ...]:
        """The derivative by each of them."""
        return self.record.gradients

    @property
    def trace(self) -> Trace:
        """The record of the reverse pass."""
        return self.record.trace

    def expanded(self) -> "Derivation":
        """Return this derivation with every layer printed, where the page states once what layers have in common.

        Example:
            >>> import symback as sb
            >>> a = sb.tensor("a_0")
            >>> for layer in range(1, 9):
            ...     a = sb.let(f"a_{layer}", sb.sin(a))
            >>> derivation = sb.derive(a, sb.tensor("a_0"))
            >>> len(derivation.text()) < len(derivation.expanded().text())
            True
        """
        return replace(self, layers=False)

    def page(self, *, verified: bool | Verification = False) -> Page:
        """Return the headings, paragraphs and equations that all forms are made of.

        Args:
            verified: True, or what `verify` returned: print the residual beside each equation.

        Raises:
            VerificationError: If it is to be verified and a line does not hold.
        """
        if not isinstance(verified, (bool, Verification)):
            raise not_verified(verified)
        report = self.verify() if verified is True else verified or None
        if report:
            report.raise_if_failed()
            report.check_of(self)
        style = (self.style.notation, self.style.adjoint, self.style.layout, self.style.hadamard)
        told = Narration(self.record, self.looks, style, self.forward, self.steps, self.closing, self.second)
        return told.page(layers=self.layers, note=report.note if report else None)

    def verify(self, at: Any = None, *, digits: int = 30, seed: int = 0, points: int = 1) -> Verification:
        """Evaluate both sides of every equality at a point, in many digits, and compare them.

        Each formula is evaluated as it is printed; derivatives on either side come from differences, never from a
        derivative rule.

        Args:
            at: Values by name or variable, floats taken exactly; what is missing is drawn at random, with small sizes.
            digits: To how many digits the sides have to agree, in parts of their largest entry.
            seed: Of the random values.
            points: At how many random points; of each line the worst is reported.

        Raises:
            InputError: If a name is unknown, a value does not fit, or the loss is finite at no point that was tried.
            ShapeError: If a value has another shape than its variable.
            DtypeError: If a value would lose by conversion.

        Example:
            >>> import symback as sb
            >>> x = sb.tensor("x", ("n",))
            >>> derivation = sb.derive(sb.let("L", sb.sum(sb.sin(x))), x)
            >>> derivation.verify().passed
            True
        """
        return verify(self, at, digits=digits, seed=seed, points=points)

    def __str__(self) -> str:
        wrt, names = _listed(self.wrt), _listed([step.quantity for step in self.steps])
        return f"Derivation of {self.loss.short()} by {wrt} in {len(self.steps)} steps: {names}"

    __repr__ = __str__


def _listed(nodes: Sequence[Node]) -> str:
    names = [node.short() for node in nodes[:_MOST_LISTED]]
    return ", ".join([*names, "…"] if len(nodes) > _MOST_LISTED else names)
