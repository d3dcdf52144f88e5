r"""The derivation of a gradient, step by step: the record of the reverse pass, printed.

`derive` runs the pass with a trace and groups what it recorded by quantity: every named node and every
variable that was asked for, in the order in which the pass reached them, variables behind the last
quantity that passes something on to them. Nothing is known here about networks.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from symback import errors
from symback.derive import reverse
from symback.graph import toposort
from symback.latex.functions import derivative_term
from symback.latex.layout import Equation, aligned, body, fragment
from symback.latex.printer import Printer, look_of
from symback.latex.record import Local, Quantity, quantities
from symback.latex.terms import POSTFIX, RELATION, SUM, Term
from symback.nodes.apply import Named
from symback.nodes.leaves import Variable, as_node
from symback.nodes.node import Node
from symback.op.table import primitive_of
from symback.rewrite.stability import stabilise
from symback.structure import Nested, leaves_of
from symback.trace import Trace

_LONGEST_SUBSTITUTED = 160
_MOST_NODES = 2000
_MOST_LOCAL = 8
_MOST_LISTED = 12

_NOTES = (
    (re.compile(r"\\odot"), r"$\odot$ is the product entry by entry"),
    (re.compile(r"\\left\(|e\^\{|\^\{\\odot"), "functions and powers with $\\odot$ are taken entry by entry"),
    (re.compile(r"\\mathbf\{1\}"), r"$\mathbf{1}$ is a column of ones"),
    (re.compile(r"\\otimes"), r"$A \otimes B$ has the entries $A_{ik} B_{jl}$ at the indices $i, j, k, l$"),
    (re.compile(r"\\right\](?!_)"), "a condition in brackets is 1 where it holds and 0 elsewhere"),
    (
        re.compile(r"\\right\]_"),
        "brackets with indices hold an array written by its entries, where matrices have no form",
    ),
    (re.compile(r"_\{\\text\{direct\}\}"), "a direct derivative passes through no other quantity of the list"),
)
"""Remarks on the notation, each for what it explains."""


@dataclass(frozen=True, slots=True)
class LocalDerivative:
    r"""The derivative of an elementwise function at its argument: ``\sigma'(z) = a \odot (1 - a)``.

    Attributes:
        node: The function applied to its argument.
        operand: The argument.
        partial: The derivative, as a node.
        equation: The derivative, and what it is.
    """

    node: Node
    operand: Node
    partial: Node
    equation: Equation


@dataclass(frozen=True, slots=True)
class DerivationStep:
    r"""What the loss changes by with one quantity.

    Attributes:
        quantity: A named node or a variable.
        adjoint: The derivative of the loss by it, as the pass recorded it.
        consumers: The nearest quantities computed from it, through which the loss depends on it; the loss
            itself where there is none between.
        contributions: What the pass added up to the adjoint.
        local: Derivatives of elementwise functions on the way that are printed here for the first time; none
            where there are so many that names are what is missing.
        substituted: The adjoint, with the expression of the consumer's adjoint in the place of its name.
        rules: The names of the rules that were applied on the way.
        equation: The adjoint, the chain rule, and the results.
    """

    quantity: Node
    adjoint: Node
    consumers: tuple[Node, ...]
    contributions: tuple[Node, ...]
    local: tuple[LocalDerivative, ...]
    substituted: Node
    rules: tuple[str, ...]
    equation: Equation

    def latex(self) -> str:
        """Return the equations of this step as one aligned block."""
        return aligned(_equations(self))


@dataclass(frozen=True, slots=True, repr=False)
class Derivation:
    """The equations of a forward pass and of the backward pass that belongs to it.

    Attributes:
        loss: The differentiated node.
        wrt: The variables.
        gradients: The derivative by each of them.
        forward: The equations of the named nodes, operands first.
        steps: One for each quantity, from the loss down.
        trace: What the pass recorded.
    """

    loss: Node
    wrt: tuple[Node, ...]
    gradients: tuple[Node, ...]
    forward: tuple[Equation, ...]
    steps: tuple[DerivationStep, ...]
    trace: Trace

    def latex(self) -> str:
        """Return the derivation as a fragment of LaTeX; it needs the package amsmath."""
        backward = [equation for step in self.steps for equation in _equations(step)]
        printed = body([*self.forward, *backward])
        notes = "; ".join(note for sign, note in _NOTES if sign.search(printed))
        title = "Backward pass, from the loss to the variables, by the chain rule" + (f" ({notes}):" if notes else ":")
        return fragment([("Forward pass:", self.forward), (title, backward)])

    def _repr_latex_(self) -> str:
        backward = [equation for step in self.steps for equation in _equations(step)]
        return f"$\\displaystyle {aligned([*self.forward, *backward])}$"

    def __str__(self) -> str:
        wrt, names = _listed(self.wrt), _listed([step.quantity for step in self.steps])
        return f"Derivation of {self.loss.short()} by {wrt} in {len(self.steps)} steps: {names}"

    __repr__ = __str__


def derive(loss: Any, wrt: Nested, *, notation: str = "matrix", adjoint: str = "leibniz") -> Derivation:
    r"""Derive the gradient of a scalar by backpropagation, and keep each step.

    Args:
        loss: A node of shape () and a float dtype.
        wrt: Variables or intermediate nodes: one, or a list, tuple or dict of them.
        notation: ``"matrix"``.
        adjoint: ``"leibniz"``: adjoints are written as partial derivatives of the loss.

    Raises:
        InputError: If `notation` or `adjoint` is not known.
        DerivativeError: If the loss is not scalar, does not depend on a variable, or meets a primitive
            without derivative.
        DtypeError: If a variable is not real-valued.
        InvalidNameError: If a look given by ``latex=`` is no harmless, well-formed LaTeX.

    Example:
        >>> import symback as sb
        >>> x, w = sb.tensor("x", ("n",)), sb.tensor("w", ("n",))
        >>> a = sb.let("a", sb.tanh(w @ x))
        >>> derivation = derive(sb.let("L", a**2), [a, w])
        >>> print(derivation.steps[0].equation)
        \frac{\partial L}{\partial a} = 2 a
    """
    if notation != "matrix":
        raise errors.bad_option("derive", "notation", notation, ("matrix",))
    if adjoint != "leibniz":
        raise errors.bad_option("derive", "adjoint", adjoint, ("leibniz",))
    node, variables = as_node(loss), [as_node(leaf) for leaf in leaves_of(wrt)]
    if not variables:
        raise errors.no_variables("derive")
    reverse.check_loss(node, variables, "error")
    (node,) = stabilise([node], variables)
    trace = Trace()
    gradients = reverse.grad(node, variables, disconnected="zero", trace=trace)
    writer = _Writer(node)
    forward = writer.forward()
    found = quantities(node, variables, gradients, trace)
    steps = tuple(writer.step(quantity) for quantity in found)
    return Derivation(node, tuple(variables), tuple(gradients), forward, steps, trace)


def _listed(nodes: Sequence[Node]) -> str:
    names = [node.short() for node in nodes[:_MOST_LISTED]]
    return ", ".join([*names, "…"] if len(nodes) > _MOST_LISTED else names)


def _equations(step: DerivationStep) -> list[Equation]:
    return [*(local.equation for local in step.local), step.equation]


class _Writer:
    """Writes the equations of one derivation; the expression under a name is printed by that name."""

    def __init__(self, loss: Node) -> None:
        self.loss = loss
        order = toposort([loss])
        self.named = [node for node in order if isinstance(node, Named)]
        names: dict[Node, str] = {}
        for node in self.named:
            expression = node.operands[0]
            if expression.operands and not isinstance(expression, Named):
                names.setdefault(expression, look_of(node.label))
        looks = [look_of(node.label) for node in order if isinstance(node, (Named, Variable))]
        self.printer = Printer(names, avoid=looks, most_nodes=_MOST_NODES)
        self._written = 0
        self._shown: set[Node] = set()

    def forward(self) -> tuple[Equation, ...]:
        """Write what each name stands for, and the loss if it has no name."""
        nodes = self.named if self.loss in self.named else [*self.named, self.loss]
        return tuple(self._equation(self._look(node), [self.printer.define(node)]) for node in nodes)

    def step(self, q: Quantity) -> DerivationStep:
        """Write the equations of one quantity."""
        functions = q.local if len(q.local) <= _MOST_LOCAL else ()
        local = tuple(found for item in functions if (found := self._local(item)))
        sides = []
        if any(consumer is not self.loss for consumer in q.consumers):
            sides.append(" + ".join(self._chain(consumer, q.node) for consumer in q.consumers))
        shown = q.value
        slope = derivative_term(primitive_of(q.single.node), self._argument(q.node)) if q.single else None
        if slope:
            sign = r" \odot " if q.node.shape else " "
            sides.append(f"{self._derivative(q.consumers[0])}{sign}{slope.signed()}")
            if len(self.printer.write(q.substituted)) <= _LONGEST_SUBSTITUTED:
                shown = q.substituted
        sides.append(self.printer.write(shown))
        equation = self._equation(self._derivative(q.node), sides)
        return DerivationStep(q.node, q.adjoint, q.consumers, q.contributions, local, q.substituted, q.rules, equation)

    def _local(self, item: Local) -> LocalDerivative | None:
        """Write the derivative of a function at its argument, once."""
        slope = derivative_term(primitive_of(item.node), self._argument(item.operand))
        if slope is None or item.node in self._shown:
            return None
        self._shown.add(item.node)
        equation = self._equation(slope.signed(), [self.printer.within(item.partial, SUM)])
        return LocalDerivative(item.node, item.operand, item.partial, equation)

    def _argument(self, node: Node) -> Term:
        return Term(self.printer.write(node), RELATION)

    def _chain(self, consumer: Node, node: Node) -> str:
        if consumer is self.loss:
            return rf"\left.{self._derivative(node)}\right|_{{\text{{direct}}}}"
        inner = rf"\frac{{\partial {self._look(consumer)}}}{{\partial {self._look(node)}}}"
        return f"{self._derivative(consumer)} {inner}"

    def _derivative(self, node: Node) -> str:
        return rf"\frac{{\partial {self._look(self.loss)}}}{{\partial {self._look(node)}}}"

    def _equation(self, left: str, sides: Sequence[str]) -> Equation:
        """Put an equation together with the definitions of auxiliary names that its writing has made."""
        made = tuple(self.printer.definitions[self._written :])
        self._written = len(self.printer.definitions)
        return Equation(left, tuple(dict.fromkeys(side for side in sides if side != left)), made)

    def _look(self, node: Node) -> str:
        if isinstance(node, (Named, Variable)):
            return look_of(node.label)
        return r"\mathcal{L}" if node is self.loss else self.printer.within(node, POSTFIX)
