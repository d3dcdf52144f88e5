"""Indices of traced arrays: which give a view, which name an entry, which are masks."""

from typing import Any

import numpy as np

from symback.nodes.display import HOOKS
from symback.nodes.node import METHODS, Node


def plain_index(index: Any) -> Any:
    """Return an index without proxies: known arrays as arrays, traced ones as nodes, sizes as sizes."""
    if isinstance(index, slice):
        return slice(*[plain_index(bound) for bound in (index.start, index.stop, index.step)])
    if type(index) is tuple:
        return tuple(plain_index(item) for item in index)
    if type(index) is list:
        return HOOKS["traced_value"](index, None)
    value = HOOKS["traced_plain"](index)
    return value[()] if value is not index and isinstance(value, np.ndarray) and not value.ndim else value


def is_mask(index: Any) -> bool:
    """Is this a mask whose values are traced?"""
    return isinstance(index, Node) and index.dtype.kind == "b"


def is_basic(index: Any) -> bool:
    """Is this an index that gives a view: integers, slices, Ellipsis and newaxis?"""
    items = index if isinstance(index, tuple) else (index,)
    return not any(isinstance(item, (Node, np.ndarray, list, bool, np.bool_)) for item in items)


def has_node(index: Any) -> bool:
    """Is there a traced value in an index?"""
    items = index if isinstance(index, tuple) else (index,)
    return any(isinstance(item, Node) for item in items)


def masked_axes(index: Any) -> tuple[Node, int, tuple[Any, ...]] | None:
    """Return the traced mask among the items of an index, its first axis in a part, and the index of that part.

    In the part, slices stand in the place of the mask. None if there is no mask, or another index array.
    """
    masks = [place for place, item in enumerate(index) if is_mask(item)] if isinstance(index, tuple) else []
    if len(masks) != 1:
        return None
    (place,) = masks
    mask = index[place]
    basic = (*index[:place], *[slice(None)] * len(mask.shape), *index[place + 1 :])
    if not is_basic(basic) or Ellipsis in index[:place]:
        return None
    return mask, sum(isinstance(item, slice) or item is None for item in index[:place]), basic


def is_place(index: Any, ndim: int) -> bool:
    """Does an index name one entry? NumPy then gives a number, which is no view."""
    items = index if isinstance(index, tuple) else (index,)
    return len(items) == ndim and not any(item is None or item is Ellipsis or isinstance(item, slice) for item in items)


def fitted(new: Any, place: Any) -> Any:
    """Return a value in the shape of the place it is written to; leading axes of size 1 are dropped, as NumPy does."""
    while len(new.shape) > len(place.shape) > 0 and new.shape[0] == 1:
        new = METHODS["reshape"](new, new.shape[1:]) if isinstance(new, Node) else new[0, ...]
    if tuple(new.shape) == tuple(place.shape):
        return new
    if isinstance(new, Node) or isinstance(place, Node):
        return METHODS["broadcast_to"](new, place.shape)
    return np.broadcast_to(new, np.shape(place))
