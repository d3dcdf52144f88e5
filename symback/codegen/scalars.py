"""Which expressions of a program are plain Python numbers, which have no axes, no dtype and no methods."""

from collections.abc import Collection, Mapping, Sequence

from symback.nodes.add import Plus
from symback.nodes.apply import Map, Named
from symback.nodes.classify import Product
from symback.nodes.contract import Contract, is_zero
from symback.nodes.dtypes import FLOAT32
from symback.nodes.leaves import Ones
from symback.nodes.node import Node
from symback.op.table import primitive_of


def python_numbers(order: Sequence[Node], products: Mapping[Node, Product]) -> set[Node]:
    """Return the nodes whose text gives a Python number: exact numbers, sizes, and arithmetic on them alone."""
    found: set[Node] = set()
    for node in order:
        named = isinstance(node, Named) and node.operands[0] in found
        if node.is_weak or named or (node.shape == () and _is_arithmetic(node, products, found)):
            found.add(node)
    return found


def _is_arithmetic(node: Node, products: Mapping[Node, Product], found: set[Node]) -> bool:
    if isinstance(node, Contract):
        product = products[node]
        if product.kind == "fill":
            return node.dtype.name == "float64"
        return product.kind in ("scale", "hadamard") and all(core in found for core, _ in product.cores)
    if isinstance(node, Ones):
        return node.dtype.name == "float64"
    if isinstance(node, Map):
        spelling = primitive_of(node).numpy
        if not isinstance(spelling, str) or "{" not in spelling or "np." in spelling:
            return False
    elif not isinstance(node, Plus):
        return False
    return all(operand in found for operand in node.operands)


def terms_of(node: Plus, python: Collection[Node]) -> Sequence[Node]:
    """Return the terms, floats first where an integer and a Python number would make float64 of float32."""
    weak = any(operand in python for operand in node.operands)
    if node.dtype != FLOAT32 or not weak or all(x.dtype.kind == "f" for x in node.operands if not x.is_weak):
        return node.operands
    return sorted(node.operands, key=lambda x: x in python or x.dtype != FLOAT32)


def may_join(quotient: Node, python: Collection[Node]) -> bool:
    """Can a factor be written into a quotient? Not into one of Python numbers that may be by 0: Python raises there."""
    below = quotient.operands[1]
    return not all(x in python for x in quotient.operands) or (below.is_weak and not is_zero(below))
