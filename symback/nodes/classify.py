"""What a Contract is called: the one table that emitted code, LaTeX, text and cost read."""

from typing import Any, NamedTuple

import numpy as np

from symback.nodes.contract import Contract, Labels
from symback.nodes.leaves import ExactValue
from symback.nodes.node import Node
from symback.nodes.shapes import SizeExpr


class Product(NamedTuple):
    """A Contract with its name.

    Attributes:
        kind: See `classify`.
        coefficient: The exact factor.
        cores: The operands that are neither the coefficient nor ones, with their labels.
        ones: The labels that only the output has.
        out: The labels of the output.
        sizes: The size of each label.
        dtype: The dtype of the product, to which its operands are converted.
    """

    kind: str
    coefficient: ExactValue
    cores: list[tuple[Node, Labels]]
    ones: Labels
    out: Labels
    sizes: dict[int, SizeExpr]
    dtype: np.dtype[Any]

    def summed(self, labels: Labels) -> Labels:
        """Return the labels among `labels` that are summed over more than one place."""
        return tuple(label for label in labels if label not in self.out and self.sizes[label] != 1)


def classify(node: Contract) -> Product:
    """Name a product.

    ========== ==========================================================================
    kind       meaning
    ========== ==========================================================================
    fill       a coefficient times ones
    embed      an output label repeats: entries written to a diagonal, an identity
    scale      a coefficient times one operand
    transpose  one operand with its axes permuted (or squeezed)
    broadcast  one operand repeated along new axes
    diagonal   the diagonal of one operand
    trace      the sum of the diagonal of one operand
    sum        one operand summed over axes
    hadamard   operands multiplied entry by entry, with broadcasting
    outer      the outer product of two vectors
    inner      two vectors multiplied and summed
    frobenius  two arrays of one shape multiplied and summed over all axes
    matvec     matrix times vector
    vecmat     vector times matrix
    matmul     matrix times matrix
    batched    matrix products for each index of common axes
    tensordot  two operands summed over common axes
    general    anything else: several operands with sums, or sums within one operand
    ========== ==========================================================================
    """
    coefficient, cores, ones, out = node.parts()
    product = Product("", coefficient, cores, ones, out, node.label_sizes(), node.dtype)
    return product._replace(kind=_kind(product))


def is_diagonal(node: Node) -> bool:
    """Is this zero but for a diagonal, as a label of the output repeats: an identity, a diagonal matrix?"""
    return isinstance(node, Contract) and not node.subscripts.distinct


def _kind(p: Product) -> str:
    if len(set(p.out)) < len(p.out):
        return "embed"
    if not p.cores:
        return "fill"
    if len(p.cores) == 1:
        return _kind_of_one(p)
    if any(len(set(labels)) < len(labels) for _, labels in p.cores):
        return "general"
    if not any(p.summed(labels) for _, labels in p.cores):
        (_, a), (_, b) = p.cores[0], p.cores[1]
        return "outer" if len(p.cores) == 2 and len(a) == len(b) == 1 and p.out == (*a, *b) else "hadamard"
    return _kind_of_two(p) if len(p.cores) == 2 and not p.ones else "general"


def _kind_of_one(p: Product) -> str:
    _, labels = p.cores[0]
    summed = p.summed(labels)
    if len(set(labels)) < len(labels):
        return "trace" if summed and not p.out and len(set(labels)) == 1 else "general" if summed else "diagonal"
    if summed:
        return "general" if p.ones and any(p.sizes[label] != 1 for label in p.ones) else "sum"
    if p.ones:
        return "broadcast"
    return "scale" if labels == p.out else "transpose"


def _kind_of_two(p: Product) -> str:
    (_, a), (_, b) = p.cores
    if any(label not in b for label in p.summed(a)) or any(label not in a for label in p.summed(b)):
        return "general"
    if any(label in b for label in a if label in p.out):
        return "batched"
    if any(p.sizes[label] == 1 and label not in p.out for label in (*a, *b)):
        return "tensordot"
    if not p.out:
        return "inner" if len(a) == 1 else "frobenius"
    ranks = len(a), len(b)
    if ranks == (2, 2) and len(p.summed(a)) == 1:
        return "matmul"
    return {(2, 1): "matvec", (1, 2): "vecmat"}.get(ranks, "tensordot")
