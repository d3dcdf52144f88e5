"""Second derivatives as steps of a derivation, and what the page says about them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from symback.derivation.adjoints import AdjointLooks
from symback.derivation.text.layers import stated
from symback.nodes.apply import Named
from symback.nodes.leaves import Variable
from symback.nodes.node import Node
from symback.page.blocks import Block, Display, Equation, Heading, Paragraph

_BETWEEN = "\x1f"


@dataclass(frozen=True, slots=True)
class SecondStep:
    r"""One block of second derivatives: the derivative of a gradient.

    Attributes:
        row: What the loss is differentiated by first.
        column: What the gradient is differentiated by.
        row_through: The node by way of which the loss depends on `row`, affine in it; `row` itself if there is none.
        column_through: The same for `column`.
        value: The second derivative, of shape row.shape + column.shape.
        jacobians: Derivatives of quantities that the gradient is made of, printed here for the first time.
        equation: The block, the chain rule, and the result.
        reason: Why the block may be taken from others, in words.
    """

    row: Node
    column: Node
    row_through: Node
    column_through: Node
    value: Node
    jacobians: tuple[Equation, ...]
    equation: Equation
    reason: str = ""

    @property
    def equations(self) -> tuple[Equation, ...]:
        """The equations of this step, in the order in which they are read."""
        return (*self.jacobians, self.equation)


def told(
    steps: Sequence[SecondStep],
    looks: AdjointLooks,
    letter: str | None = None,
    note: Callable[[Sequence[Equation]], str] | None = None,
) -> tuple[Block, ...]:
    """Return the headings, sentences and equations of the second derivatives.

    Args:
        steps: The second derivatives.
        looks: The symbols of adjoints.
        letter: An index for layers (`symback.derivation.text.layers`).
        note: What stands beside an equation that is printed for all of these.
    """
    if not steps:
        return ()
    blocks: list[Block] = [Heading("Second derivatives")]
    blocks.append(Paragraph(_introduction(steps, looks.top)))
    groups = [
        [replace(step.equations[0], note=f"{_title(step)}{_BETWEEN}{step.reason}"), *step.equations[1:]]
        for step in steps
    ]
    for found in stated(groups, letter):
        title, _, reason = found.equations[0].note.partition(_BETWEEN)
        blocks.append(Heading(title, 2))
        blocks += [Paragraph(words) for words in (reason, _by_entries(found.equations)) if words]
        given = zip(*(steps[place].equations for place in found.places), strict=True)
        notes = [note(instances) if note else "" for instances in given]
        lines = [replace(line, note=text) for line, text in zip(found.equations, notes, strict=True)]
        blocks.append(Display(tuple(lines)))
    return tuple(blocks)


def _by_entries(equations: Sequence[Equation]) -> str:
    """Say so where a derivative is written by its entries."""
    texts = [formula.text for line in equations for formula in (*line.sides, *(value for _, value in line.where))]
    if any(r"\right]_" in text for text in texts):
        return "There is no form with matrices for all of it: what is in brackets is written by its entries."
    return ""


def _title(step: SecondStep) -> str:
    names = [node.label.look if isinstance(node, (Named, Variable)) else "" for node in (step.row, step.column)]
    return f"By ${names[0]}$, twice" if step.row is step.column else f"By ${names[0]}$ and ${names[1]}$"


def _introduction(steps: Sequence[SecondStep], top: str) -> str:
    """Say what is differentiated, and how derivatives of and by matrices are arranged."""
    nodes = [node for step in steps for node in (step.row, step.column)]
    words = [
        f"The gradient of ${top}$ is differentiated once more, by the chain rule: first what it is made of, then the "
        "gradient itself. All that depends on a variable moves with it. The derivative of an array with $m$ entries by "
        "one with $n$ has $m$ rows and $n$ columns."
    ]
    if any(len(node.shape) > 1 for node in nodes):
        words.append(r"$\operatorname{vec}$ puts the entries of a matrix in one column, row by row.")
    if any(step.row is not step.column for step in steps):
        words.append("Second derivatives that are not shown are the transposes of those that are.")
    return " ".join(words)
