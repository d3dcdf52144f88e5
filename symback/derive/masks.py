"""Masks: cotangents written where(condition, value, 0).

A mask stays outside of products: 0 times what the branch not taken gives would be NaN where that is infinite.
"""

from typing import NamedTuple

from symback.nodes.apply import Map
from symback.nodes.contract import is_zero
from symback.nodes.dtypes import BOOL
from symback.nodes.leaves import Exact
from symback.nodes.node import Node
from symback.nodes.products import broadcast_to, full, hadamard
from symback.nodes.shapes import Shape
from symback.ops.logic import astype, logical_and, where


class Mask(NamedTuple):
    """A cotangent taken apart; `value` has its shape."""

    condition: Node
    value: Node


def mask_of(cotangent: Node) -> Mask | None:
    """Take a cotangent apart, if it is written as a mask."""
    if isinstance(cotangent, Map) and cotangent.operation.name == "where":
        condition, value, other = cotangent.operands
        if isinstance(other, Exact) and is_zero(other) and condition.dtype is BOOL:
            return Mask(condition, value if value.shape == cotangent.shape else broadcast_to(value, cotangent.shape))
    return None


def masked(condition: Node, value: Node) -> Node:
    """Write a mask; a mask of a mask is one."""
    inner = mask_of(value)
    if inner is not None:
        condition, value = logical_and(condition, inner.condition), inner.value
    return where(condition, value, 0)


def times(cotangent: Node, partial: Node) -> Node:
    """Multiply a cotangent by a local derivative; a boolean derivative is a mask."""
    if partial.dtype is BOOL:
        return masked(partial, cotangent)
    for one, other in ((cotangent, partial), (partial, cotangent)):
        mask = mask_of(one)
        if mask is not None:
            return masked(mask.condition, times(mask.value, other))
    return hadamard(cotangent, partial)


def reaches(condition: Node, shape: Shape) -> bool:
    """Does a condition hold or not for a whole entry of this smaller shape, that is, is it no larger?"""
    missing = len(shape) - len(condition.shape)
    pairs = zip(condition.shape, shape[missing:], strict=True) if missing >= 0 else ()
    return missing >= 0 and all(size == 1 or size == wanted for size, wanted in pairs)


def with_dtype(value: Node, like: Node) -> Node:
    """Bring a cotangent to the dtype of what it belongs to; an exact number becomes an array of that dtype."""
    if value.dtype is like.dtype:
        return value
    if isinstance(value, Exact) and not isinstance(value.value, float):
        return full((), value.value, like)
    return astype(value, like.dtype)
