r"""Jacobians and second derivatives as matrices, in print.

The entries of a matrix stand in one column, row by row, where it is differentiated or differentiated by; the derivative
of an array with m entries by one with n is an m by n matrix. With W x = (I ⊗ x') vec(W) the derivative of W x by W is
``I \otimes x^{\top}``.
"""

from collections.abc import Callable, Sequence

from symback.latex.broadcasting import zeros_term
from symback.latex.meaning import Meaning
from symback.latex.terms import (
    HADAMARD,
    POSTFIX,
    PRODUCT,
    Flipped,
    Term,
    added,
    applied,
    juxtaposed,
    number_term,
    said,
    scaled,
    transposed,
)
from symback.nodes.add import Plus, split_coefficient
from symback.nodes.contract import Contract, Labels, contract
from symback.nodes.leaves import ExactValue, ones_of
from symback.nodes.node import Node
from symback.nodes.shapes import Shape, product

MOST_AXES = 2
"""Arrays with more axes have no derivative that is a matrix."""

_IDENTITIES = ("I", r"I \otimes I")


def matrix_of(derivative: Node, axes: tuple[int, int], write: Callable[[Node], Term]) -> Term | None:
    """Write a derivative as a matrix; None if it has no such form.

    Args:
        derivative: Of the shape of what is differentiated, and of what by, one behind the other.
        axes: How many axes the one and the other have.
        write: Writes what it is made of.
    """
    if axes in ((1, 2), (2, 1)):
        return _sum_of_products(derivative, axes, write)
    term = write(derivative)
    if r"\right]_" in term.text:
        return None
    if 2 in axes and 0 in axes and len(derivative.shape) == MOST_AXES:
        term = vec(term)
    return transposed(term) if axes[0] == 0 < axes[1] else term


def vec(term: Term) -> Term:
    """Write the entries of a matrix in one column."""
    return applied(r"\operatorname{vec}", Term(term.signed(), POSTFIX, meaning=term.says()), op="vec")


def zero_block(row: Shape, column: Shape) -> Term:
    """Write a block of zeros, with a row for each entry of the one array and a column for each of the other."""
    return zeros_term((product(row), product(column))) if row or column else number_term(0)


def named_jacobian(of: Term, by: Term, data: tuple[Node, Node]) -> Term:
    """Write the derivative of one quantity by another, by its symbol."""
    text = rf"\frac{{\partial {of.text}}}{{\partial {by.text}}}"
    return Term(text, POSTFIX, meaning=Meaning("jacobian", data=data))


def named_second(loss: str, row: Term, column: Term, ranks: tuple[int, int], data: tuple[Node, Node, Node]) -> Term:
    """Write the derivative of a gradient, by its symbol.

    Args:
        loss: The look of what is differentiated.
        row: What it is differentiated by first.
        column: What it is differentiated by second.
        ranks: How many axes these have.
        data: The two nodes, and the gradient.
    """
    if row.text == column.text and ranks == (0, 0):
        below = rf"\partial {row.within(POSTFIX + 1)}^{{2}}"
    else:
        turned = column.text if not ranks[1] else _turned(column)
        below = rf"\partial {row.text} \partial {turned}"
    text = rf"\frac{{\partial^{{2}} {loss}}}{{{below}}}"
    return Term(text, POSTFIX, meaning=Meaning("second", data=data))


def _turned(term: Term) -> str:
    is_vec = term.text.startswith(r"\operatorname{vec}")
    return rf"{term.text}^{{\top}}" if is_vec else transposed(term).text


def multiplied(factor: Term, core: Term | None, coefficient: ExactValue, name: Term) -> Term:
    """Multiply a factor, which is `coefficient` times `core`, or a number, by another; identities are not written."""
    if core is None or (core.text in _IDENTITIES and not core.negative):
        return scaled(coefficient, name)
    if name.text in _IDENTITIES:
        return factor._replace(negative=factor.negative is not name.negative)
    return juxtaposed(factor.bare(), name.bare())._replace(negative=factor.negative is not name.negative)


def congruent(left: Term | None, inner: Term, right: Term | None) -> Term:
    """Write ``J' H J``, without a factor that is None or the identity."""
    factors = [transposed(left.bare())] if left and left.text not in _IDENTITIES else []
    factors += [inner, *([right.bare()] if right and right.text not in _IDENTITIES else [])]
    return juxtaposed(*factors)._replace(negative=(left or inner).negative is not (right or inner).negative)


def _sum_of_products(derivative: Node, axes: tuple[int, int], write: Callable[[Node], Term]) -> Term | None:
    """Write a derivative of three axes as a sum of Kronecker products of a matrix and a vector."""
    parts = derivative.operands if isinstance(derivative, Plus) else (derivative,)
    terms: list[Term] = []
    for part in parts:
        core, coefficient = split_coefficient(part)
        term = _kronecker(core, axes, write) if isinstance(core, Contract) else None
        if term is None or part.shape != derivative.shape:
            return None
        terms.append(scaled(coefficient, term))
    return added(terms) if len(terms) > 1 else terms[0]


def _kronecker(node: Contract, axes: tuple[int, int], write: Callable[[Node], Term]) -> Term | None:
    """Write a product of three axes as a Kronecker product, if a vector along one of them stands apart."""
    out = node.subscripts.out
    for place in (2, 1) if axes == (1, MOST_AXES) else (1, 0):
        along = out[place]
        rest = (*out[:place], *out[place + 1 :])
        apart = _joined_with(along, node.subscripts.inputs)
        if not apart.isdisjoint(rest):
            continue
        vector, matrix = _part(node, apart, (along,)), _part(node, set(node.label_sizes()) - apart, rest)
        column, other = write(vector), write(matrix)
        if any(r"\right]_" in term.text for term in (column, other)):
            return None
        beside = transposed(column) if axes == (1, MOST_AXES) else column
        first, second = (other, beside) if place == axes[1] else (beside, other)
        text = rf"{first.within(PRODUCT)} \otimes {second.within(PRODUCT)}"
        back = transposed(first), transposed(second)
        turned = rf"{back[0].within(PRODUCT)} \otimes {back[1].within(PRODUCT)}"
        flipped = Flipped(turned, HADAMARD, said("kronecker", *back))
        return Term(text, HADAMARD, flipped=flipped, meaning=said("kronecker", first, second))
    return None


def _joined_with(label: int, inputs: Sequence[Labels]) -> set[int]:
    """Return the labels that operands tie to one."""
    found, grows = {label}, True
    while grows:
        tied = {other for labels in inputs if not found.isdisjoint(labels) for other in labels}
        grows = not tied <= found
        found |= tied
    return found


def _part(node: Contract, labels: set[int], out: Labels) -> Node:
    """Return the product of the operands along some of the labels."""
    pairs = zip(node.operands, node.subscripts.inputs, strict=True)
    terms = [(operand, own) for operand, own in pairs if (not own and len(out) > 1) or not labels.isdisjoint(own)]
    sizes, known = node.label_sizes(), {label for _, own in terms for label in own}
    ones = [(ones_of((sizes[k],), node.dtype), (k,)) for k in dict.fromkeys(out) if k not in known]
    return contract([*terms, *ones], out)
