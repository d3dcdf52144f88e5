"""The formulas of a value and its gradient, as a page."""

from collections.abc import Sequence

from symback.graph import toposort
from symback.latex.printer import Printer, look_of
from symback.nodes.apply import Named
from symback.nodes.leaves import Variable
from symback.nodes.node import Node
from symback.page.blocks import Block, Display, Equation, Formula, Heading, Page

_LOSS = r"\mathcal{L}"


def formulas(value: Node | None, gradients: Sequence[Node], wrt: Sequence[Variable], loss: Node) -> Page:
    """Return a page with the named quantities, the value, and the gradient by each variable.

    Args:
        value: The loss as it is computed; None leaves it out.
        gradients: What is computed for each of `wrt`.
        wrt: The variables.
        loss: As it was written; its name gives its symbol.
    """
    symbol = look_of(loss.label) if isinstance(loss, Named) else _LOSS
    printer = Printer()
    roots = [*([] if value is None else [value]), *gradients]
    named = [node for node in toposort(roots) if isinstance(node, Named) and node not in roots]
    lines = [_equation(printer, look_of(node.label), node) for node in named]
    blocks: list[Block] = [Heading("Quantities"), Display(tuple(lines))] if lines else []
    if value is not None:
        blocks += [Heading("Value"), Display((_equation(printer, symbol, value),))]
    if gradients:
        pairs = zip(gradients, wrt, strict=True)
        by = [
            _equation(printer, rf"\frac{{\partial {symbol}}}{{\partial {look_of(node.label)}}}", g) for g, node in pairs
        ]
        blocks += [Heading("Gradient"), Display(tuple(by))]
    return Page(f"Formulas of ${symbol}$" if gradients or value is not None else "", tuple(blocks))


def _equation(printer: Printer, left: str, node: Node) -> Equation:
    """Return an equation, with the auxiliary names that it uses for the first time."""
    before = len(printer.definitions)
    side = printer.define(node) if isinstance(node, Named) else printer.write(node)
    where = tuple((Formula(name.text), Formula(text.text)) for name, text in printer.definitions[before:])
    return Equation(Formula(left), (Formula(side),), where)
