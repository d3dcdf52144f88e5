r"""The steps of a derivation, as data: what the loss changes by with one quantity, and how that is found."""

from dataclasses import dataclass

from symback.nodes.node import Node
from symback.page.blocks import Equation


@dataclass(frozen=True, slots=True)
class LocalDerivative:
    r"""The derivative of one quantity, or of a function, by what it is computed from, with its own derivation.

    Attributes:
        kind: ``"function"``: of an elementwise function at its argument, ``\sigma'(z) = a \odot (1 - a)``;
            ``"entries"``: of the entries of a quantity by those of another; ``"loss"``: of the loss by the entries of
            a quantity that it contains directly.
        node: The function applied to its argument, or the quantity that is differentiated.
        operand: The argument, or the quantity that it is differentiated by.
        partial: The derivative of a function, as a node; None where the equation alone says it.
        equation: The derivative, and what it is.
    """

    kind: str
    node: Node
    operand: Node
    partial: Node | None
    equation: Equation


@dataclass(frozen=True, slots=True)
class DerivationStep:
    r"""What the loss changes by with one quantity.

    Attributes:
        quantity: A named node, a variable that was asked for, or an unnamed node whose derivative is used more than
            once and has got a name for that.
        adjoint: The derivative of the loss by it, as the pass recorded it.
        consumers: The nearest quantities computed from it, through which the loss depends on it; the loss
            itself where there is none between.
        contributions: What the pass added up to the adjoint.
        local: Local derivatives on the way that are printed here for the first time; none where there are so many
            that names are what is missing.
        substituted: The adjoint by the derivative rules, from the adjoints of the consumers; that of a consumer which
            is used here alone is replaced by what it is made of.
        simplified: The adjoint as it is emitted: rewritten by named rules.
        rules: The names of the derivative rules that were applied on the way.
        rewrites: The names of the rewriting rules that led from `substituted` to `simplified`.
        auxiliary: Has the derivative got a name because it is used more than once?
        equation: The adjoint, the chain rule, and the results.
        look: What the quantity looks like in print.
        remark: What the result becomes under a condition that the graph does not know, in words.
    """

    quantity: Node
    adjoint: Node
    consumers: tuple[Node, ...]
    contributions: tuple[Node, ...]
    local: tuple[LocalDerivative, ...]
    substituted: Node
    simplified: Node
    rules: tuple[str, ...]
    rewrites: tuple[str, ...]
    auxiliary: bool
    equation: Equation
    look: str = ""
    remark: str = ""

    @property
    def equations(self) -> tuple[Equation, ...]:
        """The equations of this step, in the order in which they are read."""
        return (*(local.equation for local in self.local), self.equation)
