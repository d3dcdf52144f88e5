"""A step of gradient descent behind a derivation: each variable less the learning rate times its gradient."""

from symback.derivation.adjoints import AdjointLooks
from symback.derivation.record import Record
from symback.errors.derivation import bad_learning_rate
from symback.latex.printer import Printer
from symback.latex.terms import PRODUCT
from symback.nodes.dtypes import BOOL
from symback.nodes.leaves import Variable
from symback.nodes.node import Node
from symback.page.blocks import Block, Display, Equation, Formula, Heading, Paragraph


def descent(record: Record, looks: AdjointLooks, rate: Node) -> tuple[Block, ...]:
    r"""Return the lines ``W \leftarrow W - \eta \cdot \frac{\partial L}{\partial W}``, one for each variable.

    Args:
        record: What the pass recorded.
        looks: The symbols of adjoints.
        rate: The learning rate, a scalar.

    Raises:
        InputError: If the learning rate is no number.
    """
    if rate.shape != () or rate.dtype is BOOL:
        raise bad_learning_rate(rate.short())
    step = Printer().term(rate).within(PRODUCT)
    lines = []
    for node in dict.fromkeys(record.wrt):
        if isinstance(node, Variable):
            name = node.label.look
            text = rf"{name} \leftarrow {name} - {step} \cdot {looks.term(node, name).within(PRODUCT)}"
            lines.append(Equation(Formula(text), ()))
    words = f"Gradient descent takes a step against the gradient; its length is set by the learning rate ${step}$."
    return (Heading("Update rule"), Paragraph(words), Display(tuple(lines))) if lines else ()
