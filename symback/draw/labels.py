"""What is written on a box: an operation by the name a reader would say, sizes, and formulas in Unicode."""

from collections.abc import Collection, Sequence
from unicodedata import normalize

import sympy

from symback.nodes.add import Plus
from symback.nodes.apply import Apply
from symback.nodes.classify import Product, classify
from symback.nodes.contract import Contract
from symback.nodes.leaves import Constant, Exact, ExactValue, Ones, Size
from symback.nodes.looks import latex_size
from symback.nodes.node import Node
from symback.nodes.text import exact_text
from symback.page.unicode import unicode

_MOST_SIGNS = 28
_MOST_ENTRIES = 4

_PRODUCTS = {
    "transpose": "transpose",
    "broadcast": "broadcast",
    "diagonal": "diagonal",
    "trace": "trace",
    "outer": "outer product",
    "inner": "inner product",
    "frobenius": "inner product",
    "matvec": "matmul",
    "vecmat": "matmul",
    "matmul": "matmul",
    "batched": "matmul",
}
"""What a product is called, by its kind in `symback.nodes.classify`; the rest depend on more than that."""

FOLDED = (Exact, Size, Ones)
"""What is written into the label of its user, and has no box of its own."""


def plain(latex: str) -> str:
    """Return a formula in Unicode, without the letters of other alphabets that many fonts lack."""
    return "".join(normalize("NFKC", sign) if "\U0001d400" <= sign <= "\U0001d7ff" else sign for sign in unicode(latex))


def shape_text(shape: Sequence[int | sympy.Expr]) -> str:
    """Return a shape as it is said: ``h × n``, ``n``, or ``scalar``."""
    return " × ".join(plain(latex_size(size)) for size in shape) or "scalar"


def number_text(value: ExactValue) -> str:
    """Return an exact number with the sign that formulas have."""
    return exact_text(value).replace("-", "−")


def negated(node: Node) -> Node | None:
    """Return what this is the negative of; None if it is something else."""
    return node.multiple[1] if isinstance(node, Contract) and node.multiple and node.multiple[0] == -1 else None


def is_short(node: Constant) -> bool:
    """Is this an array of few entries, which formulas show?"""
    return node.array.ndim <= 2 and node.array.size <= _MOST_ENTRIES


def signs(node: Node) -> int:
    """Estimate how many signs of a formula a node needs beside its operands."""
    if isinstance(node, Exact):
        return len(exact_text(node.value))
    if isinstance(node, Constant):
        return 4 * node.array.size if is_short(node) else 2
    if isinstance(node, Apply):
        return min(len(node.operation.text[0]), 6) + 2 * len(node.operands)
    return 3 * len(node.operands) - 2 if node.operands else 1


def operation_label(node: Node, negatives: Collection[Node] = ()) -> str:
    """Return the name of an operation, with the numbers among its operands.

    Args:
        node: A node with operands, or an array that is known.
        negatives: The terms of a sum that are written as subtracted.
    """
    if isinstance(node, Contract):
        return _product(classify(node), str(node.subscripts))
    if isinstance(node, Plus):
        return _sum(node, negatives)
    if isinstance(node, Apply):
        return _function(node)
    if isinstance(node, Constant):
        return "constant" if node.array.ndim else number_text(node.array.item())
    if isinstance(node, Exact):
        return number_text(node.value)
    return "ones" if isinstance(node, Ones) else node.short()


def _product(p: Product, subscripts: str) -> str:
    factor = number_text(p.coefficient)
    same = len(p.cores) == 2 and p.cores[0][0] is p.cores[1][0] and p.cores[0][1] == p.cores[1][1]
    if p.kind == "scale":
        return "−" if p.coefficient == -1 else f"× {factor}"
    if p.kind == "fill":
        return factor
    if p.kind == "embed":
        label = "diagonal matrix" if p.cores else "identity"
    elif p.kind == "hadamard":
        label = "square" if same else "⊙" if p.out else "×"
    elif p.kind == "sum":
        label = "sum"
    elif p.kind in ("inner", "frobenius") and same:
        label = "‖·‖²"
    else:
        label = _PRODUCTS.get(p.kind) or f"einsum {subscripts}"
    return label if p.coefficient == 1 else "− " + label if p.coefficient == -1 else f"{factor} × {label}"


def _sum(node: Plus, negatives: Collection[Node]) -> str:
    numbers = [_folded(operand) for operand in node.operands if isinstance(operand, FOLDED)]
    others = [operand for operand in node.operands if not isinstance(operand, FOLDED)]
    minus = sum(operand in negatives for operand in others)
    if not numbers:
        return "+" if not minus else "−" if len(others) == 2 else "+ −"
    text = " + ".join(numbers)
    if len(others) == 1:
        return f"{text} − ·" if minus else f"· + {text}".replace("+ −", "− ")
    return f"+ {text}" if not minus else f"{text} + −"


def _function(node: Apply) -> str:
    operands = [_folded(operand) if isinstance(operand, FOLDED) else "·" for operand in node.operands]
    title, parameters = node.operation.text
    words = [str(parameter) for parameter in parameters]
    if "·" in operands and set(operands) != {"·"}:
        text = f"{title}({', '.join([*operands, *words])})"
    else:
        text = " ".join([title, *words])
    return text if len(text) <= _MOST_SIGNS else text[: _MOST_SIGNS - 1] + "…"


def _folded(node: Node) -> str:
    """Write a number, a size or ones inside the label of an operation."""
    if isinstance(node, Exact):
        return number_text(node.value)
    return plain(latex_size(node.size)) if isinstance(node, Size) else "1"
