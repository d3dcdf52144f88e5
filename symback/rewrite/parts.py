"""How expressions are taken apart: factors, terms, roots, reductions, repetition."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import sympy

from symback.nodes.add import add, with_coefficient
from symback.nodes.apply import Apply
from symback.nodes.classify import classify
from symback.nodes.contract import Contract, Labels, contract
from symback.nodes.dtypes import BOOL
from symback.nodes.leaves import exact_from_sympy, ones_of
from symback.nodes.node import Node
from symback.nodes.products import hadamard, permute


class Factors(NamedTuple):
    """A product entry by entry: its number, and its factors, each so that it broadcasts."""

    coefficient: Any
    cores: list[Node]


def function_of(node: Node) -> str:
    """Return the name of the primitive that a node applies; empty if it applies none."""
    return node.operation.name if isinstance(node, Apply) else ""


def is_product(node: Node) -> bool:
    """Is this a product entry by entry, or a multiple, that repeats nothing?"""
    if not isinstance(node, Contract):
        return False
    product = classify(node)
    return product.kind in ("hadamard", "scale") and not product.ones


def square_root_of(factors: Factors) -> Node | None:
    """Return what a product is the square of, if each factor stands there twice and the number is a square."""
    rest, half = list(factors.cores), []
    while rest:
        factor = rest.pop()
        if factor not in rest:
            return None
        rest.remove(factor)
        half.append(factor)
    root = sympy.sqrt(sympy.Rational(factors.coefficient)) if isinstance(factors.coefficient, (int, Fraction)) else None
    if root is None or not root.is_Rational or not half:
        return None
    return with_coefficient(hadamard(*half[::-1]), exact_from_sympy(root).value)


def aligned(core: Node, labels: Labels, out: Labels) -> Node:
    """Return a factor so that broadcasting puts its axes where the product has them."""
    if labels == out[len(out) - len(labels) :]:
        return core
    missing = tuple(label for label in out if label not in labels)
    return contract([(core, labels), (ones_of((1,) * len(missing), BOOL), missing)], out)


def ratio(above: Any, below: Any) -> Any:
    """Divide exact numbers; None where one is not rational."""
    if type(above) is type(below) is int and below in (1, -1):
        return above * below
    if not isinstance(above, (int, Fraction)) or not isinstance(below, (int, Fraction)) or below == 0:
        return None
    number = Fraction(above) / Fraction(below)
    whole = number.denominator == 1 and isinstance(above, int) and isinstance(below, int)
    return int(number) if whole else number


def sum_of(terms: Sequence[tuple[Node | None, Any]]) -> Node | None:
    """Return the sum of terms with their numbers, None if there are none."""
    return add(*[with_coefficient(node, factor) for node, factor in terms]) if terms else None


def reduction_of(node: Node) -> tuple[Any, Node, tuple[int, ...]] | None:
    """Split a reduction, or another primitive with axes, into what it is, its operand and its axes, counted from 0."""
    if isinstance(node, Contract):
        product = classify(node)
        labels = product.cores[0][1] if product.cores else ()
        alike = all(others == labels for _, others in product.cores) and len(set(labels)) == len(labels)
        if product.coefficient != 1 or product.ones or not alike or not product.summed(labels):
            return None
        core = contract(product.cores, labels)
        gone = [label for label in labels if label not in product.out]
        if tuple(label for label in labels if label in product.out) != product.out:
            return (
                "sum",
                permute(core, [labels.index(label) for label in (*product.out, *gone)]),
                tuple(range(len(product.out), len(labels))),
            )
        return "sum", core, tuple(axis for axis, label in enumerate(labels) if label in gone)
    if isinstance(node, Apply) and len(node.operands) == 1:
        axes, *more = node.operation.parameters or (None,)
        rank = len(node.operands[0].shape)
        if rank and isinstance(axes, tuple) and all(type(axis) is int for axis in axes):
            return (node.operation.name, *more), node.operands[0], tuple(sorted(axis % rank for axis in axes))
    return None


def repetition_of(node: Node) -> tuple[Node, list[int]]:
    """Split off repetition and axes of size 1: return what is repeated, and where its axes are in the node."""
    if isinstance(node, Contract):
        product = classify(node)
        if product.kind == "broadcast" and product.coefficient == 1:
            core, labels = product.cores[0]
            if all(label in product.out for label in labels):
                return core, [product.out.index(label) for label in labels]
    return node, list(range(len(node.shape)))
