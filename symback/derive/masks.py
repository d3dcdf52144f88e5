"""Masks: cotangents written where(condition, value, 0).

A mask stays outside of products: 0 times what the branch not taken gives would be NaN where that is infinite. So do
the zeros around a piece of an array (see `pieces`).
"""

from collections.abc import Sequence
from functools import reduce
from typing import NamedTuple

from symback.nodes.add import Plus, add
from symback.nodes.apply import Map, unnamed
from symback.nodes.contract import Labels, contract, is_zero
from symback.nodes.dtypes import BOOL
from symback.nodes.leaves import Exact, ones_of
from symback.nodes.node import METHODS, Node
from symback.nodes.products import broadcast_to, full
from symback.nodes.shapes import Shape


class Mask(NamedTuple):
    """A cotangent taken apart; `value` has its shape."""

    condition: Node
    value: Node


def mask_of(cotangent: Node) -> Mask | None:
    """Take a cotangent apart, if it is written as a mask, or as a sum of masks that have a condition in common."""
    cotangent = unnamed(cotangent)
    if isinstance(cotangent, Map) and cotangent.operation.name == "where":
        condition, value, other = cotangent.operands
        if isinstance(other, Exact) and is_zero(other) and condition.dtype is BOOL:
            return Mask(condition, value if value.shape == cotangent.shape else broadcast_to(value, cotangent.shape))
    if isinstance(cotangent, Plus) and all(_looks_masked(term, cotangent.shape) for term in cotangent.operands):
        return _common_mask([mask_of(term) for term in cotangent.operands])
    return None


def _looks_masked(term: Node, shape: Shape) -> bool:
    bare = unnamed(term)
    return isinstance(bare, Map) and bare.operation.name == "where" and bare.shape == shape


def _common_mask(terms: Sequence[Mask | None]) -> Mask | None:
    """Return a sum of masks as the mask of what they have in common."""
    masks = [mask for mask in terms if mask is not None]
    if len(masks) < len(terms):
        return None
    parts = [conjuncts(mask.condition) for mask in masks]
    common = [part for part in parts[0] if all(part in other for other in parts[1:])]
    if not common:
        return None
    values = []
    for mask, found in zip(masks, parts, strict=True):
        rest = [part for part in found if part not in common]
        values.append(_chosen(_all(rest), mask.value) if rest else mask.value)
    return Mask(_all(common), add(*values))


_MOST_CONJUNCTS = 16


def conjuncts(condition: Node) -> list[Node]:
    """Return the conditions that must all hold for this one to hold, each once; of a long list the rest as one."""
    found: dict[Node, None] = {}
    waiting = [condition]
    while waiting:
        part = waiting.pop()
        bare = unnamed(part)
        if isinstance(bare, Map) and bare.operation.name == "logical_and" and len(found) < _MOST_CONJUNCTS:
            waiting += reversed(bare.operands)
        else:
            found[part] = None
    return list(found)


def _all(conditions: Sequence[Node]) -> Node:
    return reduce(METHODS["logical_and"], conditions)


def _chosen(condition: Node, value: Node) -> Node:
    node: Node = METHODS["where"](condition, value, 0)
    return node


def masked(condition: Node, value: Node) -> Node:
    """Write a mask; a mask of a mask is one."""
    inner = mask_of(value)
    if inner is None:
        return _chosen(condition, value)
    known = conjuncts(inner.condition)
    new = [part for part in conjuncts(condition) if part not in known]
    return _chosen(_all([*new, inner.condition]), inner.value)


def reaches(condition: Node, shape: Shape) -> bool:
    """Does a condition, or a factor, broadcast to this shape: does it hold for each entry of it as a whole?"""
    missing = len(shape) - len(condition.shape)
    pairs = zip(condition.shape, shape[missing:], strict=True) if missing >= 0 else ()
    return missing >= 0 and all(size == 1 or size == wanted for size, wanted in pairs)


def along(condition: Node, given: Labels, out: Labels) -> Node:
    """Return a condition on an array with the labels `given` as one on an array that has them among `out`."""
    own = given[len(given) - len(condition.shape) :]
    kept = tuple(label for label, size in zip(own, condition.shape, strict=True) if size != 1)
    places = [out.index(label) for label in kept]
    if len(own) == len(kept) and places == list(range(len(out) - len(kept), len(out))):
        return condition
    labels = out[min(places, default=len(out)) :]
    missing = tuple(label for label in labels if label not in kept)
    spread = [(ones_of((1,) * len(missing), BOOL), missing)] if missing else []
    fresh = 1 + max((*given, *out), default=0)
    terms = tuple(label if label in kept else fresh + place for place, label in enumerate(own))
    return contract([(condition, terms), *spread], labels)


def with_dtype(value: Node, like: Node) -> Node:
    """Bring a cotangent to the dtype of what it belongs to; an exact number becomes an array of that dtype."""
    if value.dtype is like.dtype:
        return value
    if isinstance(value, Exact) and not isinstance(value.value, float):
        return full((), value.value, like)
    converted: Node = METHODS["astype"](value, like.dtype)
    return converted
