r"""Derivatives as rows, as in numerator layout: ``\frac{\partial L}{\partial a} \operatorname{diag}(\sigma'(z))``.

A product entry by entry of columns, transposed, is the row of one of them times a diagonal matrix of the others. The
derivative stays on the left, so that products of the chain rule run from left to right.
"""

from collections.abc import Callable

from symback.latex.networks import diagonal_matrix, entrywise, times
from symback.latex.printer import Printer
from symback.latex.terms import Term, added, juxtaposed, scaled, transposed
from symback.nodes.add import Plus
from symback.nodes.classify import classify
from symback.nodes.contract import Contract
from symback.nodes.node import Node

_DEEPEST = 4


def row_term(node: Node, printer: Printer, has_adjoint: Callable[[Node], bool], depth: int = 0) -> Term:
    """Write the transpose of a node of one or two axes.

    Args:
        node: The node.
        printer: Writes its parts.
        has_adjoint: Is a factor made of the derivative of the loss by something?
        depth: How many sums and products are open around it.
    """
    term = printer.term(node)
    plain = transposed(term.bare())._replace(negative=term.negative)
    if printer.by_name(node) or len(node.shape) != 1 or depth > _DEEPEST:
        return plain
    if isinstance(node, Plus) and all(operand.shape == node.shape for operand in node.operands):
        rows = [row_term(operand, printer, has_adjoint, depth + 1) for operand in node.operands]
        return added(rows) if any(r"\operatorname{diag}" in row.text for row in rows) else plain
    return _product(node, printer, has_adjoint, depth) or plain


def _product(node: Node, printer: Printer, has_adjoint: Callable[[Node], bool], depth: int) -> Term | None:
    """Write the transpose of a product entry by entry of columns with a diagonal matrix."""
    if not isinstance(node, Contract):
        return None
    product = classify(node)
    columns = [core for core, labels in product.cores if labels == product.out]
    numbers = [core for core, labels in product.cores if not labels]
    if product.kind != "hadamard" or len(columns) < 2 or len(columns) + len(numbers) < len(product.cores):
        return None
    first = next((place for place, core in enumerate(columns) if has_adjoint(core)), 0)
    row = row_term(columns.pop(first), printer, has_adjoint, depth + 1)
    rest = diagonal_matrix(entrywise([printer.term(core) for core in columns]))
    return scaled(product.coefficient, times([printer.term(core) for core in numbers], juxtaposed(row, rest)))
