r"""The page of a derivation: headings, short sentences, and the equations of the steps.

Variables that get their share from the same quantity are one step. What repeats from layer to layer is stated once
(`symback.derivation.text.layers`), title and sentence included.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from symback.derivation.adjoints import AdjointLooks
from symback.derivation.matrices.second import SecondStep, told
from symback.derivation.record import Record
from symback.derivation.steps import DerivationStep
from symback.derivation.text import preamble
from symback.derivation.text.layers import Stated, layer_letter, stated
from symback.nodes.apply import Named
from symback.nodes.labels import Label
from symback.nodes.leaves import Leaf, Variable
from symback.nodes.node import Node
from symback.page.blocks import Block, Display, Equation, Heading, Page, Paragraph

Note = Callable[[Sequence[Equation]], str]
"""Of equations that are printed as one: what stands beside them."""

_LONGEST_RECALLED = 90
_LONGEST_SAID = 150
_BETWEEN = "\x1f"
_BY_ENTRIES = re.compile(r"\\right\]_")


@dataclass(frozen=True)
class Narration:
    """What a page is made of.

    Attributes:
        record: What the pass recorded.
        looks: The symbols of adjoints.
        style: The notation, the symbols of adjoints, the layout, and the sign of products entry by entry.
        forward: The equations of the forward pass.
        steps: The steps of the backward pass.
        closing: Headings, paragraphs and equations behind them.
        second: The steps of the second pass, if it was made.
    """

    record: Record
    looks: AdjointLooks
    style: tuple[str, object, str, str]
    forward: tuple[Equation, ...]
    steps: tuple[DerivationStep, ...]
    closing: tuple[Block, ...] = ()
    second: tuple[SecondStep, ...] = ()

    def page(self, *, layers: bool = True, note: Note | None = None) -> Page:
        """Return the page.

        Args:
            layers: State once what repeats from layer to layer.
            note: What stands beside an equation that is printed for all of these.
        """
        backward = [step.equations for group in self._groups() for step in group]
        second = [step.equations for step in self.second]
        last = [block.equations for block in self.closing if isinstance(block, Display)]
        given = [self.forward, *backward, *second, *last]
        texts = [text for group in given for equation in group for text in _texts(equation)]
        letter = layer_letter(texts) if layers else None
        blocks: list[Block] = [Paragraph(text) for text in self._preamble(" ".join(texts), letter) if text]
        blocks.append(Heading("Forward pass"))
        pairs = [pair for equation in self.forward for pair in _opened(equation)]
        noted = [[equation] for _, equation in pairs]
        lines = [
            replace(line, note=text)
            for found in stated([[line] for line, _ in pairs], letter)
            for line, text in zip(found.equations, _notes(found, noted, note), strict=True)
        ]
        blocks.append(Display(tuple(lines)))
        blocks.append(Heading("Backward pass"))
        given = [tuple(equation for step in group for equation in step.equations) for group in self._groups()]
        groups = [self._told(group) for group in self._groups()]
        for number, found in enumerate(stated(groups, letter), 1):
            blocks += _step(number, found.equations, _notes(found, given, note))
        blocks += told(self.second, self.looks, letter, note)
        what = "the gradient and the Hessian" if self.second else "the gradient"
        closing = [_once(block, letter) for block in self.closing]
        return Page(f"Derivation of {what} of ${self.looks.top}$", (*blocks, *closing))

    def _preamble(self, printed: str, letter: str | None) -> list[str]:
        record, (_, adjoint, layout, sign) = self.record, self.style
        looks = preamble.in_rows([self.look(node) for node in dict.fromkeys(record.wrt)])
        wrt = preamble.listed([f"${look}$" for look in looks])
        return [
            f"The gradient of ${self.looks.top}$ with respect to {wrt}, by backpropagation: the chain rule is applied "
            "from the loss down, and each derivative is found from those that are known already.",
            preamble.shapes(record, self.look, letter),
            preamble.layout(layout, self.looks.top),
            preamble.symbols(adjoint, self.looks.top),
            preamble.examples(record),
            preamble.notation(printed, sign, record),
        ]

    # -- steps -----------------------------------------------------------------------------------

    def _groups(self) -> list[list[DerivationStep]]:
        """Put the variables that follow one quantity together."""
        groups: list[list[DerivationStep]] = []
        for step in self.steps:
            before = groups[-1][-1] if groups else None
            alike = before is not None and before.consumers == step.consumers and isinstance(before.quantity, Leaf)
            if alike and isinstance(step.quantity, Leaf):
                groups[-1].append(step)
            else:
                groups.append([step])
        return groups

    def _told(self, group: Sequence[DerivationStep]) -> list[Equation]:
        """Return the equations of a step, with its title and its sentence in the place of the first note."""
        equations = [equation for step in group for equation in step.equations]
        title = preamble.listed([self._title(step) for step in group])
        remark = " ".join(step.remark for step in group if step.remark)
        note = _BETWEEN.join([title, self._sentence(group), remark])
        return [replace(equations[0], note=note), *equations[1:]]

    def _title(self, step: DerivationStep) -> str:
        return f"${self.looks.symbol(step.quantity, '')}$" if step.auxiliary else f"${self.look(step.quantity)}$"

    def _sentence(self, group: Sequence[DerivationStep]) -> str:
        """Say why the equations of a step hold."""
        step = group[0]
        parts = [self._named_for(step)] if step.auxiliary else []
        parts.append(self._reason(step, several=len(group) > 1))
        printed = " ".join(side.text for each in group for equation in each.equations for side in equation.sides)
        if self.style[0] == "matrix" and _BY_ENTRIES.search(printed):
            parts.append("There is no form with matrices for all of it: what is in brackets is written by its entries.")
        return " ".join(part for part in parts if part)

    def _named_for(self, step: DerivationStep) -> str:
        look = self.look(step.quantity)
        what = f"${look}$" if len(look) <= _LONGEST_RECALLED else "an expression without a name"
        symbol = self.looks.symbol(step.quantity, "")
        return f"The derivative by {what} is used more than once: let ${symbol}$ be its name."

    def _reason(self, step: DerivationStep, *, several: bool) -> str:
        consumers, loss = step.consumers, self.record.loss
        if not consumers:
            return "" if step.quantity is loss else f"${self.looks.top}$ does not depend on it."
        if consumers == (loss,):
            return f"From ${self._recalled(loss)}$ directly:"
        if len(consumers) == 1:
            recalled = self._recalled(consumers[0])
            return (
                f"By the chain rule, through ${recalled}$:" if len(recalled) <= _LONGEST_SAID else "By the chain rule:"
            )
        looks = dict.fromkeys(self._said(consumer, "expressions without a name") for consumer in consumers)
        names = preamble.listed([*looks])
        subject = "They are" if several else f"{self._said(step.quantity, 'It')} is"
        return f"{subject} used in {names}; by the chain rule what comes back from each is added up:"

    def _said(self, node: Node, otherwise: str) -> str:
        """Return what a quantity looks like within a sentence; other words where that is long."""
        look = self.look(node)
        return f"${look}$" if len(look) <= _LONGEST_SAID else otherwise

    def _recalled(self, node: Node) -> str:
        """Return the equation of the forward pass that defines a quantity, or its look where that is long."""
        key = node.label if isinstance(node, Named) else None
        equation = self._loss_equation if node is self.record.loss else self._definitions.get(key)
        text = f"{equation.left.text} = {equation.sides[0].text}" if equation and equation.sides else ""
        return text if text and len(text) <= _LONGEST_RECALLED else self.look(node)

    @cached_property
    def _definitions(self) -> dict[Label | None, Equation]:
        pairs = zip(self.record.forward, self.forward, strict=True)
        return {node.label: equation for node, equation in pairs if isinstance(node, Named)}

    @cached_property
    def _loss_equation(self) -> Equation:
        return self.forward[[*self.record.forward].index(self.record.written)]

    @cached_property
    def _unnamed(self) -> dict[Node, str]:
        return {step.quantity: step.look for step in self.steps}

    def look(self, node: Node) -> str:
        """Return what a quantity looks like."""
        if isinstance(node, (Named, Variable)):
            return node.label.look
        return r"\mathcal{L}" if node in (self.record.loss, self.record.written) else self._unnamed[node]


def _opened(equation: Equation) -> list[tuple[Equation, Equation]]:
    """Put the auxiliary names of an equation on lines of their own; each line with what is noted beside it."""
    made = [Equation(name, (value,)) for name, value in equation.where]
    return [*((line, line) for line in made), (replace(equation, where=()), equation)]


def _once(block: Block, letter: str | None) -> Block:
    """State once what equations on lines of their own say of each layer."""
    if not isinstance(block, Display):
        return block
    found = stated([[equation] for equation in block.equations], letter)
    return Display(tuple(equation for each in found for equation in each.equations))


def _step(number: int, equations: Sequence[Equation], notes: Sequence[str]) -> list[Block]:
    title, sentence, remark = equations[0].note.split(_BETWEEN)
    blocks: list[Block] = [Heading(f"Step {number}: {title}", 2)]
    blocks += [Paragraph(sentence)] if sentence else []
    noted = (replace(equation, note=note) for equation, note in zip(equations, notes, strict=True))
    return [*blocks, Display(tuple(noted)), *([Paragraph(remark)] if remark else [])]


def _notes(found: Stated, groups: Sequence[Sequence[Equation]], note: Note | None) -> list[str]:
    """Return what stands beside each equation of a group: what is noted on those that it is stated for."""
    alike = zip(*(groups[place] for place in found.places), strict=True)
    return [note(equations) if note else "" for equations in alike]


def _texts(equation: Equation) -> list[str]:
    return [
        formula.text
        for formula in (equation.left, *equation.sides, *(part for pair in equation.where for part in pair))
    ]
