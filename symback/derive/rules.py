"""The local rules: what a node passes on to its operands, for cotangents with any number of leading axes.

Sums and products have one rule each; elementwise primitives state partial derivatives, the others their
vector-Jacobian product. Broadcasting is undone here, once, and never in a rule.
"""

from collections import Counter
from collections.abc import Container, Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

from symback import errors
from symback.derive.masks import along, mask_of, masked, reaches, with_dtype
from symback.derive.pieces import among_zeros, at_piece, fill_all, in_ranges, is_piece, rewritten, with_value
from symback.nodes.add import Plus, add
from symback.nodes.apply import Apply, Map, unnamed
from symback.nodes.contract import Contract, Labels, Subscripts, contract
from symback.nodes.dtypes import BOOL, is_float
from symback.nodes.leaves import Exact, Ones, exact, ones_of
from symback.nodes.node import Node
from symback.nodes.products import full, hadamard, scale
from symback.nodes.shapes import Shape, SizeExpr
from symback.op.table import Primitive, primitive_of

Terms = Sequence[tuple[Node, Labels]]
"""Factors of a product, with their labels."""


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
    # behind axes that are summed, the leading ones stand elsewhere than in the condition
    kept = wanted if len(value.shape) == len(wanted) else operand.shape
    if mask is not None and reaches(mask.condition, kept):
        return masked(mask.condition, undo_broadcast(with_dtype(mask.value, operand), operand, lead))
    return with_dtype(value if value.shape == wanted else _summed(value, operand.shape, lead), operand)


def _summed(value: Node, shape: Shape, lead: int) -> Node:
    rank = len(value.shape)
    labels = tuple(range(rank))
    offset = rank - len(shape)
    pairs = list(zip(labels[offset:], shape, value.shape[offset:], strict=True))
    squeezed = tuple(label + rank for label, size, present in pairs if size == 1 and present != 1)
    kept = tuple(label + rank if label + rank in squeezed else label for label, _, _ in pairs)
    ones = [(ones_of((1,) * len(squeezed), BOOL), squeezed)] if squeezed else []
    return _product_with([], (value, labels), ones, labels[:lead] + kept)


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
            yield Contribution(position, _repeated(value, repeated), "product")


def _repeated(value: Node, count: int) -> Node:
    """Multiply by how often an operand stands in a product; a mask stays outside."""
    mask = mask_of(value) if count > 1 else None
    if mask is not None:
        return masked(mask.condition, _repeated(mask.value, count))
    return value if count == 1 else scale(count, value)


@cache
def _aligned_behind_coefficient(subscripts: Subscripts) -> bool:
    return subscripts.distinct and all(labels == subscripts.out for labels in subscripts.inputs[1:])


def _of_hadamard(operands: tuple[Node, ...], cotangent: Node, wanted: Container[Node]) -> Iterator[Contribution]:
    """The same for a product entry by entry, where broadcasting takes care of leading axes."""
    for position, operand in enumerate(operands):
        if operand in wanted and operand not in operands[:position]:
            value = _in_place_of(operands, position, cotangent)
            repeated = operands.count(operand)
            yield Contribution(position, _repeated(value, repeated), "product")


def _in_place_of(operands: tuple[Node, ...], position: int, cotangent: Node) -> Node:
    """Multiply the cotangent by the other operands; masks and the zeros around pieces stay outside."""
    before, behind = operands[:position], operands[position + 1 :]
    mask = mask_of(cotangent)
    if mask is not None:
        return masked(mask.condition, _in_place_of(operands, position, mask.value))
    if not before and not behind:
        return cotangent
    if (inner := rewritten(cotangent)) is not None:
        return zeroed(inner, _in_place_of(operands, position, inner.operands[0]))
    pieces = pieces_of(cotangent)
    if not pieces:
        return hadamard(*before, cotangent, *behind)
    parts = []
    for piece in pieces:
        inside = tuple([at_piece(operand, piece) for operand in operands])
        parts.append(with_value(piece, _in_place_of(inside, position, piece.operands[0])))
    return add(*parts)


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
    return _product_with(terms[:position], (cotangent, given), [*terms[position + 1 :], *extra], out)


def _product_with(before: Terms, place: tuple[Node, Labels], behind: Terms, out: Labels) -> Node:
    """Multiply a cotangent by other operands; masks and the zeros around pieces stay outside where they can."""
    cotangent, given = place
    mask = mask_of(cotangent)
    if mask is not None and out == given:
        return masked(mask.condition, _product_with(before, (mask.value, given), behind, out))
    if mask is not None and len({*given}) == len(given) and _is_entrywise(given, (*before, *behind)):
        ones = [(node, labels) for node, labels in (*before, *behind) if isinstance(node, Ones)]
        inside = [(node, labels) for node, labels in (*before, *behind) if not isinstance(node, Ones)]
        return contract([(_product_with([], (cotangent, given), inside, given), given), *ones], out)
    if mask is not None and _is_repeated(given, (*before, *behind), out):
        condition = along(mask.condition, given, out)
        return masked(condition, _product_with(before, (mask.value, given), behind, out))
    pieces = pieces_of(cotangent) if len({*given}) == len(given) and len({*out}) == len(out) else []
    if any(piece.operation.name != "unslice" for piece in pieces) or not (len(pieces) == 1 or {*given} <= {*out}):
        pieces = []
    parts = [_product_of_piece(before, piece, given, behind, out) for piece in pieces]
    return add(*parts) if parts else contract([*before, place, *behind], out)


def _is_entrywise(given: Labels, others: Terms) -> bool:
    """Do the other operands only scale the entries of the cotangent, one of them at least entry by entry?"""
    found = [labels for node, labels in others if not isinstance(node, Ones)]
    return any(found) and all({*labels} <= {*given} for labels in found)


def _is_repeated(given: Labels, others: Terms, out: Labels) -> bool:
    """Is the cotangent only repeated along further axes, as under a sum, or transposed?"""
    distinct = len({*given}) == len(given) and len({*out}) == len(out)
    return distinct and {*given} <= {*out} and all(isinstance(node, Ones) for node, _ in others)


def _product_of_piece(before: Terms, piece: Apply, given: Labels, behind: Terms, out: Labels) -> Node:
    """Multiply where a piece lies, and put what comes out in its place among zeros."""
    entries, shape = piece.operation.parameters
    (value,) = piece.operands
    sizes = dict(zip(given, shape, strict=True))
    sizes |= {
        label: size for node, labels in (*before, *behind) for label, size in zip(labels, node.shape, strict=True)
    }
    cut = {label: entry for label, entry in zip(given, entries, strict=True) if entry is not None}

    def kept(labels: Labels) -> Labels:
        return tuple([label for label in labels if isinstance(cut.get(label, ()), tuple)])

    inside = dict(zip(kept(given), value.shape, strict=True))

    def taken(terms: Terms) -> list[tuple[Node, Labels]]:
        found = []
        for node, labels in terms:
            if isinstance(node, Ones):
                node = ones_of(tuple([inside.get(label, sizes[label]) for label in kept(labels)]), node.dtype)
            else:
                node = in_ranges(node, tuple([cut.get(label) for label in labels]))
            found.append((node, kept(labels)))
        return found

    result = _product_with(taken(before), (value, kept(given)), taken(behind), kept(out))
    return among_zeros(result, tuple([cut.get(label) for label in out]), tuple([sizes[label] for label in out]))


def pieces_of(cotangent: Node) -> list[Apply]:
    """Take a cotangent apart into its pieces; none if it is no sum of them, or if they fill the whole array."""
    bare: Any = unnamed(cotangent)
    if is_piece(bare):
        return [bare]
    if not isinstance(bare, Plus):
        return []
    terms: list[Any] = [unnamed(term) for term in bare.operands]
    if not all(is_piece(term) and term.shape == bare.shape and term.dtype is bare.dtype for term in terms):
        return []
    pieces = _merged(terms)
    return [] if len(pieces) > 1 and fill_all(pieces) else pieces


def _merged(pieces: Sequence[Apply]) -> list[Apply]:
    """Add the values of pieces that lie at one place."""
    values: dict[Any, list[Node]] = {}
    for piece in pieces:
        values.setdefault((piece.operation, piece.operands[1:]), []).append(piece.operands[0])
    return [Apply(op, add(*found), *rest) for (op, rest), found in values.items()]


def times(cotangent: Node, partial: Node) -> Node:
    """Multiply a cotangent by a local derivative; a boolean derivative is a mask."""
    if partial.dtype is BOOL:
        return masked(partial, cotangent)
    for one, other in ((cotangent, partial), (partial, cotangent)):
        mask = mask_of(one)
        if mask is not None:
            return masked(mask.condition, times(mask.value, other))
    if reaches(partial, cotangent.shape):
        if (inner := rewritten(cotangent)) is not None:
            return zeroed(inner, times(inner.operands[0], partial))
        if pieces := pieces_of(cotangent):
            return add(*[with_value(piece, times(piece.operands[0], at_piece(partial, piece))) for piece in pieces])
    return hadamard(cotangent, partial)


def zeroed(inner: Apply, value: Node) -> Node:
    """Write zeros where `inner` has them."""
    return inner.with_operands((value, full((), 0, value), *inner.operands[2:]))


def partials(node: Map, piece: Apply | None = None) -> tuple[Node | None, ...]:
    """Return the partial derivatives of an elementwise primitive, None where there is none; or those at a piece."""
    declared = primitive_of(node)
    if declared.derivative is None:
        if declared.differentiable:
            raise errors.no_derivative(declared.name)
        return (None,) * len(node.operands)
    values = [node, *node.operands]
    result = declared.derivative(*(values if piece is None else [at_piece(value, piece) for value in values]))
    return result if isinstance(result, tuple) else (result,)


def refuse_held(node: Map, wanted: Container[Node]) -> None:
    """Refuse to differentiate by an operand by which no derivative is known."""
    for position in primitive_of(node).held:
        if node.operands[position] in wanted:
            raise errors.no_derivative_by(node.operation.name, position, node.operands[position])


def _of_map(node: Map, cotangent: Node, wanted: Container[Node]) -> Iterator[Contribution]:
    refuse_held(node, wanted)
    pieces = pieces_of(cotangent)
    inside = [partials(node, piece) for piece in pieces]
    for position, (operand, partial) in enumerate(zip(node.operands, partials(node), strict=True)):
        if partial is not None and operand in wanted:
            parts = [
                with_value(piece, times(piece.operands[0], local))
                for piece, found in zip(pieces, inside, strict=True)
                if (local := found[position]) is not None
            ]
            value = add(*parts) if parts else times(cotangent, partial)
            yield Contribution(position, value, primitive_of(node).name, partial)


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
