"""The local rules: what a node passes on to its operands, for cotangents with any number of leading axes.

Sums and products have one rule each; elementwise primitives state partial derivatives, the others their
vector-Jacobian product. Broadcasting is undone here, once, and never in a rule.
"""

from collections import Counter
from collections.abc import Container, Iterator
from typing import Any, NamedTuple

from symback import errors
from symback.nodes.add import Plus
from symback.nodes.apply import Apply, Map, Named
from symback.nodes.contract import Contract, Labels, contract, is_zero
from symback.nodes.dtypes import BOOL, is_float
from symback.nodes.leaves import Exact, exact, ones_of
from symback.nodes.node import Node
from symback.nodes.products import hadamard
from symback.nodes.shapes import Shape, SizeExpr
from symback.op import Primitive, primitive_of
from symback.ops.elementwise import astype, where


class Contribution(NamedTuple):
    """What one operand receives, before broadcasting is undone."""

    position: int
    value: Node
    rule: str
    partial: Node | None = None


def contributions(node: Node, cotangent: Node, wanted: Container[Node]) -> Iterator[Contribution]:
    """Yield what `node` passes on to those of its operands that are in `wanted`."""
    if isinstance(node, Contract):
        yield from _of_product(node, cotangent, wanted)
    elif isinstance(node, Map):
        yield from _of_map(node, cotangent, wanted)
    elif isinstance(node, Apply):
        yield from _of_structural(node, cotangent, wanted)
    else:
        rule = "sum" if isinstance(node, Plus) else "name"
        yield from (Contribution(k, cotangent, rule) for k, operand in enumerate(node.operands) if operand in wanted)


def undo_broadcast(value: Node, operand: Node, lead: int) -> Node:
    """Sum a cotangent over the axes along which `operand` was broadcast; bring it to the operand's dtype."""
    shape = operand.shape
    if value.shape[lead:] != shape:
        rank = len(value.shape)
        labels = tuple(range(rank))
        offset = rank - len(shape)
        pairs = list(zip(labels[offset:], shape, value.shape[offset:], strict=True))
        squeezed = tuple(label + rank for label, size, present in pairs if size == 1 and present != 1)
        kept = tuple(label + rank if label + rank in squeezed else label for label, _, _ in pairs)
        terms = [(value, labels)]
        if squeezed:
            terms.append((ones_of((1,) * len(squeezed), BOOL), squeezed))
        value = contract(terms, labels[:lead] + kept)
    return value if value.dtype is operand.dtype or value.is_weak else astype(value, operand.dtype)


def _of_product(node: Contract, cotangent: Node, wanted: Container[Node]) -> Iterator[Contribution]:
    """Put the cotangent in the place of the operand; operands that repeat with the same labels count together."""
    subscripts, operands = node.subscripts, node.operands
    lead = len(cotangent.shape) - len(subscripts.out)
    base = 1 + max((label for labels in subscripts.inputs for label in labels), default=-1)
    lead_labels = tuple(range(base, base + lead))
    terms = list(zip(operands, subscripts.inputs, strict=True))
    times = Counter(terms)
    for position, (operand, labels) in enumerate(terms):
        if operand in wanted and terms.index((operand, labels)) == position:
            value = _replace(terms, position, cotangent, lead_labels + subscripts.out, lead_labels)
            repeated = times[operand, labels]
            yield Contribution(position, value if repeated == 1 else hadamard(exact(repeated), value), "product")


def _replace(
    terms: list[tuple[Node, Labels]], position: int, cotangent: Node, given: Labels, lead_labels: Labels
) -> Node:
    operand, labels = terms[position]
    others = terms[:position] + terms[position + 1 :]
    out = lead_labels + labels
    present = {label for _, other in others for label in other}.union(given)
    free: dict[int, SizeExpr] = {
        label: size for label, size in zip(labels, operand.shape, strict=True) if label not in present
    }
    extra = [(ones_of(tuple(free.values()), operand.dtype), tuple(free))] if free else []

    def product(value: Node) -> Node:
        return contract([*terms[:position], (value, given), *terms[position + 1 :], *extra], out)

    mask = _mask_of(cotangent) if out == given else None
    return product(cotangent) if mask is None else where(mask.operands[0], product(mask.operands[1]), 0)


def _mask_of(cotangent: Node) -> Map | None:
    """Return the cotangent if it is written where(condition, value, 0) with a value of full shape."""
    if isinstance(cotangent, Map) and cotangent.operation.name == "where":
        _, value, other = cotangent.operands
        if isinstance(other, Exact) and is_zero(other) and value.shape == cotangent.shape:
            return cotangent
    return None


def times(cotangent: Node, partial: Node) -> Node:
    """Multiply a cotangent by a local derivative.

    A boolean derivative is a mask, and a mask stays outside of products: 0 times what the branch not taken
    gives would be NaN where that is infinite.
    """
    if partial.dtype is BOOL:
        return where(partial, cotangent, 0)
    mask = _mask_of(cotangent)
    if mask is not None:
        product = hadamard(mask.operands[1], partial)
        if product.shape == cotangent.shape:
            return where(mask.operands[0], product, 0)
    return hadamard(cotangent, partial)


def partials(node: Map) -> tuple[Node | None, ...]:
    """Return the partial derivatives of an elementwise primitive, None where there is none."""
    declared = primitive_of(node)
    if declared.derivative is None:
        if declared.differentiable:
            raise errors.no_derivative(declared.name)
        return (None,) * len(node.operands)
    result = declared.derivative(node, *node.operands)
    return result if isinstance(result, tuple) else (result,)


def _of_map(node: Map, cotangent: Node, wanted: Container[Node]) -> Iterator[Contribution]:
    for position, (operand, partial) in enumerate(zip(node.operands, partials(node), strict=True)):
        if partial is not None and operand in wanted:
            yield Contribution(position, times(cotangent, partial), node.operation.name, partial)


def transpose_rule(node: Apply) -> Primitive:
    """Return the declaration of a structural primitive that has a derivative."""
    declared = primitive_of(node)
    if declared.vjp is None:
        raise errors.no_derivative(declared.name)
    return declared


def _of_structural(node: Apply, cotangent: Node, wanted: Container[Node]) -> Iterator[Contribution]:
    if not is_float(node.dtype):
        return
    rule: Any = transpose_rule(node).vjp
    for position, (operand, value) in enumerate(zip(node.operands, rule(cotangent, node), strict=True)):
        if value is not None and operand in wanted:
            yield Contribution(position, value, node.operation.name)


def is_named(node: Node) -> bool:
    """Is this a node with a name of its own?"""
    return isinstance(node, Named)


def identity_seed(shape: Shape, like: Node) -> Node:
    """Return the identity tensor of shape `shape + shape`, the seed of a Jacobian."""
    labels = tuple(range(len(shape)))
    return exact(1) if not shape else contract([(ones_of(shape, like.dtype), labels)], labels + labels)
