"""Nested lists, tuples and dicts of leaves: taken apart and put together again."""

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

Nested: TypeAlias = Any
"""A leaf, or a list, tuple or dict of Nested."""


def leaves_of(nested: Nested) -> list[Any]:
    """Return the leaves from left to right."""
    if isinstance(nested, (list, tuple)):
        return [leaf for item in nested for leaf in leaves_of(item)]
    if isinstance(nested, dict):
        return [leaf for item in nested.values() for leaf in leaves_of(item)]
    return [nested]


def refill(nested: Nested, leaves: Iterable[Any]) -> Nested:
    """Return the same structure with other leaves, given from left to right."""
    return _refill(nested, iter(leaves))


def _refill(nested: Nested, leaves: Iterator[Any]) -> Nested:
    if isinstance(nested, tuple) and hasattr(nested, "_fields"):
        return type(nested)(*[_refill(item, leaves) for item in nested])
    if isinstance(nested, (list, tuple)):
        return type(nested)([_refill(item, leaves) for item in nested])
    if isinstance(nested, dict):
        return {key: _refill(item, leaves) for key, item in nested.items()}
    return next(leaves)
