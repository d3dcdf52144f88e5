"""Which expressions make arrays that nothing else holds."""

from symback.nodes.add import Plus
from symback.nodes.apply import Map
from symback.nodes.classify import classify
from symback.nodes.contract import Contract
from symback.nodes.leaves import Ones
from symback.nodes.node import Node
from symback.op.table import primitive_of

_FRESH_PRODUCTS = ("fill", "hadamard", "scale", "matvec", "vecmat", "matmul", "outer")


def is_fresh(node: Node) -> bool:
    """Does the text of a node make an array that nothing else holds?"""
    if not node.shape:
        return False
    if isinstance(node, Map):
        spelling = primitive_of(node).numpy
        return isinstance(spelling, str) and spelling != "{0}"
    if isinstance(node, Contract):
        product = classify(node)
        copies = product.kind != "scale" or product.coefficient != 1
        return product.kind in _FRESH_PRODUCTS and copies and (product.kind == "fill" or not product.ones)
    return isinstance(node, (Plus, Ones))
