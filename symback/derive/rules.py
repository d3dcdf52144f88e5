"""The local rules: what a node passes on to its operands, for cotangents with any number of leading axes.

Sums and products have one rule each; elementwise primitives state partial derivatives, the others their
vector-Jacobian product. Broadcasting is undone here, once, and never in a rule.
"""

from collections import Counter
from collections.abc import Container, Iterator
from functools import cache
from typing import Any, NamedTuple

from symback import errors
from symback.derive.masks import mask_of, masked, reaches, times, with_dtype
from symback.nodes.add import Plus
from symback.nodes.apply import Apply, Map
from symback.nodes.contract import Contract, Labels, Subscripts, contract
from symback.nodes.dtypes import BOOL, is_float
from symback.nodes.leaves import Exact, exact, ones_of
from symback.nodes.node import Node
from symback.nodes.products import hadamard, scale
from symback.nodes.shapes import Shape, SizeExpr
from symback.op.table import Primitive, primitive_of


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
    wanted = value.shape[:lead] + operand.shape
    if value.shape == wanted and (value.dtype is operand.dtype or value.is_weak):
        return value
    mask = mask_of(value)
    if mask is not None and reaches(mask.condition, wanted):
        return masked(mask.condition, undo_broadcast(with_dtype(mask.value, operand), operand, lead))
    return with_dtype(value if value.shape == wanted else _summed(value, operand.shape, lead), operand)


def _summed(value: Node, shape: Shape, lead: int) -> Node:
    rank = len(value.shape)
    labels = tuple(range(rank))
    offset = rank - len(shape)
    pairs = list(zip(labels[offset:], shape, value.shape[offset:], strict=True))
    squeezed = tuple(label + rank for label, size, present in pairs if size == 1 and present != 1)
    kept = tuple(label + rank if label + rank in squeezed else label for label, _, _ in pairs)
    terms = [(value, labels)]
    if squeezed:
        terms.append((ones_of((1,) * len(squeezed), BOOL), squeezed))
    return contract(terms, labels[:lead] + kept)


def _of_product(node: Contract, cotangent: Node, wanted: Container[Node]) -> Iterator[Contribution]:
    """Put the cotangent in the place of the operand; operands that repeat with the same labels count together."""
    subscripts, operands = node.subscripts, node.operands
    if subscripts.aligned or (type(operands[0]) is Exact and _aligned_behind_coefficient(subscripts)):
        yield from _of_hadamard(operands, cotangent, wanted)
        return
    lead = len(cotangent.shape) - len(subscripts.out)
    base = 1 + max((label for labels in subscripts.inputs for label in labels), default=-1)
    lead_labels = tuple(range(base, base + lead))
    terms = list(zip(operands, subscripts.inputs, strict=True))
    counted = Counter(terms)
    for position, (operand, labels) in enumerate(terms):
        if operand in wanted and terms.index((operand, labels)) == position:
            value = _replace(terms, position, cotangent, lead_labels + subscripts.out, lead_labels)
            repeated = counted[operand, labels]
            yield Contribution(position, value if repeated == 1 else scale(repeated, value), "product")


@cache
def _aligned_behind_coefficient(subscripts: Subscripts) -> bool:
    return subscripts.distinct and all(labels == subscripts.out for labels in subscripts.inputs[1:])


def _of_hadamard(operands: tuple[Node, ...], cotangent: Node, wanted: Container[Node]) -> Iterator[Contribution]:
    """The same for a product entry by entry, where broadcasting takes care of leading axes."""
    for position, operand in enumerate(operands):
        if operand in wanted and operand not in operands[:position]:
            others = (operands[:position], operands[position + 1 :])
            mask = mask_of(cotangent)
            value = hadamard(*others[0], cotangent if mask is None else mask.value, *others[1])
            value = value if mask is None else masked(mask.condition, value)
            repeated = operands.count(operand)
            yield Contribution(position, value if repeated == 1 else scale(repeated, value), "product")


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

    mask = mask_of(cotangent) if out == given else None
    return product(cotangent) if mask is None else masked(mask.condition, product(mask.value))


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
    if not is_float(node.dtype) or not primitive_of(node).differentiable:
        return
    rule: Any = transpose_rule(node).vjp
    for position, (operand, value) in enumerate(
        zip(node.operands, rule(with_dtype(cotangent, node), node), strict=True)
    ):
        if value is not None and operand in wanted:
            yield Contribution(position, value, node.operation.name)


def identity_seed(shape: Shape, like: Node) -> Node:
    """Return the identity tensor of shape `shape + shape`, the seed of a Jacobian."""
    labels = tuple(range(len(shape)))
    return exact(1) if not shape else contract([(ones_of(shape, like.dtype), labels)], labels + labels)
