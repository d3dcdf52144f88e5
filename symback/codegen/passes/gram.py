"""Half of a product: X' diag(s) X with s >= 0 as Y'Y with Y = diag(sqrt(s)) X.

NumPy multiplies a matrix by its own transpose with BLAS's syrk, which computes one triangle and copies it to the other:
half of the operations, and a result that is symmetric to the last bit. The Hessian of a generalised linear model has
this form. The fast style writes it; the readable one says what the mathematics says, ``(X.T * s) @ X``.
"""

from collections.abc import Sequence

from symback.graph import count_uses, rebuild
from symback.nodes.add import Plus, split_coefficient
from symback.nodes.apply import Map, Operation, unnamed
from symback.nodes.classify import Product, classify
from symback.nodes.contract import Contract, Labels, contract
from symback.nodes.leaves import exact
from symback.nodes.node import Node
from symback.rewrite.facts import is_nonnegative, name_of

LEAST_ENTRIES = 1024
"""A matrix with fewer entries than this is multiplied faster than the roots are taken."""

_PROBABILITIES = {"sigmoid", "softmax_over"}
"""Functions whose computed value is never above 1."""


def halve_grams(outputs: Sequence[Node]) -> list[Node]:
    """Write products X' diag(s) X of a prepared graph as Y'Y where s is known not to be negative."""
    uses = count_uses(outputs)

    def halved(node: Node, operands: tuple[Node, ...]) -> Node:
        found = _gram_of(node, uses) if type(node) is Contract else None
        return node.with_operands(operands) if found is None else found

    new = rebuild(outputs, halved)
    return [new[output] for output in outputs]


def _gram_of(node: Contract, uses: dict[Node, int]) -> Node | None:
    product = classify(node)
    if product.kind != "matmul" or product.ones or not node.subscripts.distinct or node.dtype.kind != "f":
        return None
    for (matrix, labels), (scaled, others) in (product.cores, product.cores[::-1]):
        if type(scaled) is Contract and uses[scaled] == 1 and scaled.dtype == matrix.dtype == node.dtype:
            found = _rooted(product, matrix, labels, classify(scaled), others)
            if found is not None:
                return found
    return None


def _rooted(product: Product, matrix: Node, labels: Labels, scaled: Product, others: Labels) -> Node | None:
    """Write a matrix times itself, scaled along the summed axis, as a half times itself, if no scale is negative."""
    if scaled.kind != "hadamard" or scaled.ones or not _is_large(matrix):
        return None
    outer = dict(zip(scaled.out, others, strict=True))
    (summed,), (row,), (column,) = set(labels) & set(others), set(labels) - set(others), set(others) - set(labels)
    beside = tuple(column if label == row else label for label in labels)
    cores = [(core, tuple(outer.get(label, -1) for label in own)) for core, own in scaled.cores]
    weights = [term for term in cores if term != (matrix, beside)]
    if len(weights) != len(cores) - 1 or any(own not in ((), (summed,)) for _, own in weights):
        return None
    if not scaled.coefficient > 0 or not all(_is_weight(core) for core, _ in weights):
        return None
    root = Map(Operation("sqrt"), contract([(exact(scaled.coefficient), ()), *weights], (summed,)))
    if root.dtype != matrix.dtype:
        return None
    half = contract([(matrix, beside), (root, (summed,))], others)
    above = tuple(row if label == column else label for label in others)
    return contract([(exact(product.coefficient), ()), (half, above), (half, others)], product.out)


def _is_large(matrix: Node) -> bool:
    """May a matrix be large enough for the roots to be worth it?"""
    rows, columns = matrix.shape
    return columns != 1 and not (isinstance(rows, int) and isinstance(columns, int) and rows * columns < LEAST_ENTRIES)


def _is_weight(node: Node) -> bool:
    """Is no computed value of this negative: by its signs, as 1 - p for a probability p, or as a product of such?"""
    node = unnamed(node)
    if is_nonnegative(node) or (isinstance(node, Plus) and _is_complement(node)):
        return True
    if not isinstance(node, Contract):
        return False
    parts = node.parts()
    return bool(parts.coefficient > 0) and all(_is_weight(core) for core, _ in parts.cores)


def _is_complement(node: Plus) -> bool:
    terms = [split_coefficient(unnamed(term)) for term in node.operands]
    numbers = [coefficient for core, coefficient in terms if core is None]
    functions = [name_of(core) for core, coefficient in terms if core is not None and coefficient == -1]
    return len(terms) == 2 and numbers == [1] and len(functions) == 1 and functions[0] in _PROBABILITIES
