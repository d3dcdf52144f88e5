"""What an index says: the steps by which entries are taken, and written.

An index becomes at most four steps: ranges of all axes (`slices`), a permutation that makes indexed axes neighbours,
arrays of indices (`gathering`), new axes.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import sympy

from symback import errors
from symback.nodes.leaves import Constant, Exact, Size, constant
from symback.nodes.node import METHODS, Node
from symback.nodes.shapes import Shape, SizeExpr, broadcast_shapes, integer_of, simplify_size, size_symbol
from symback.ops.indexing.ranges import Entry

# -- what may stand in an index ---------------------------------------------------------------------------

_KINDS = (
    "only integers, slices, Ellipsis and None (newaxis), arrays of integers and masks are indices; "
    "symbolic sizes are given as x.shape[0] or as a SymPy symbol"
)


class Places(NamedTuple):
    """Arrays of indices for neighbouring axes: one, or those that stand for a mask."""

    arrays: tuple[Node, ...]
    mask: Any = None


def _item(x: Node, index: Any, item: Any) -> Any:
    """Bring one item to the kinds that `_steps` knows: None, Ellipsis, slice, an integer or size, Places."""
    if item is None or item is Ellipsis or isinstance(item, slice):
        return item
    if isinstance(item, Node):
        return _node_item(x, index, item)
    if isinstance(item, (list, tuple, np.ndarray, range)):
        return _array_item(x, index, item)
    if not _is_place(item):
        raise errors.bad_index(x, index, _KINDS)
    return item


def _node_item(x: Node, index: Any, item: Node) -> Any:
    if isinstance(item, Size):
        return item.size
    if isinstance(item, Exact):
        return _item(x, index, item.value)
    if isinstance(item, Constant):
        return _array_item(x, index, item.array)
    if item.dtype.kind == "b":
        raise errors.mask_index(f"indexing {x.short()}", item)
    if item.dtype.kind not in "iu":
        raise errors.index_dtype(x, item)
    return Places((item,))


def _array_item(x: Node, index: Any, item: Any) -> Any:
    if not isinstance(item, np.ndarray) and any(isinstance(entry, Node) for entry in item):
        return _node_item(x, index, METHODS["stack"](list(item)))
    try:
        array = np.asarray(item)
    except ValueError:  # lists of different lengths
        raise errors.bad_index(x, index, _KINDS) from None
    if array.size == 0 and not isinstance(item, np.ndarray):
        array = array.astype(np.int64)
    if array.dtype.kind == "b" and array.ndim:
        return Places(tuple(constant(places) for places in array.nonzero()), array)
    if array.dtype.kind not in "iu":
        raise errors.index_dtype(x, array) if array.dtype.kind == "f" else errors.bad_index(x, index, _KINDS)
    return Places((constant(array),)) if array.ndim else int(array)


def _is_place(item: Any) -> bool:
    """Is this an integer, or made of symbolic sizes?"""
    return isinstance(item, sympy.Expr) or integer_of(item) is not None


def _is_integer(item: Any) -> bool:
    return hasattr(item, "__index__") and not isinstance(item, sympy.Expr)


def _entry(x: Node, index: Any, item: Any, size: SizeExpr) -> Entry:
    if isinstance(item, slice):
        return _slice_entry(x, index, item, size)
    place = _bound(x, index, item, size)
    if isinstance(place, int) and (place < 0 or (isinstance(size, int) and place >= size)):
        raise errors.bad_index(x, index, f"{item} is out of range for an axis of size {size}")
    return place


def _bound(x: Node, index: Any, item: Any, size: SizeExpr) -> SizeExpr:
    """Resolve an integer, negative ones from the end, or a symbolic size."""
    if isinstance(item, (Exact, Size)):
        item = item.value if isinstance(item, Exact) else item.size
    if isinstance(item, Node):
        raise errors.bad_index(x, index, "the bounds of a slice must be known when the graph is built")
    if not _is_place(item):
        raise errors.bad_index(x, index, _KINDS)
    if isinstance(item, sympy.Expr):
        place = item.xreplace({s: size_symbol(str(s)) for s in item.free_symbols})
        if not place.is_integer:
            raise errors.bad_index(x, index, _KINDS)
        return simplify_size(place)
    number = int(item.__index__())
    return number if number >= 0 else simplify_size(size + number)


def _slice_entry(x: Node, index: Any, item: slice, size: SizeExpr) -> Entry:
    step = 1 if item.step is None else integer_of(item.step)
    if step is None:
        raise errors.bad_index(x, index, "the step of a slice must be an integer")
    if step == 0:
        raise errors.bad_index(x, index, "the step of a slice cannot be 0")
    bounds = [b if b is None else _bound(x, index, b, size) for b in (item.start, item.stop)]
    if isinstance(size, int) and all(b is None or isinstance(b, int) for b in bounds):
        start, stop, step = item.indices(size)
        if not range(start, stop, step):
            return 0, 0, 1
        return None if (start, stop, step) == (0, size, 1) else (start, stop, step)
    if item.start is None and item.stop is None and step == 1:
        return None
    first, last = (0, size) if step > 0 else (simplify_size(size - 1), -1)
    start, stop = (default if b is None else b for b, default in zip(bounds, (first, last), strict=True))
    if start == 0 and stop == size and step == 1:
        return None
    return start, stop, step


# -- from an index to steps -----------------------------------------------------------------------------------


class Steps(NamedTuple):
    """An index, resolved.

    Attributes:
        entries: What is taken of each axis (see `slices`).
        order: The permutation that makes the indexed axes neighbours.
        places: The arrays of indices for them.
        axis: The first of them, counted from the last.
        new_axes: Where the result has axes of size 1 that the index adds.
    """

    entries: tuple[Entry, ...]
    order: tuple[int, ...]
    places: tuple[Node, ...]
    axis: int
    new_axes: tuple[int, ...]


_NEW = -1
"""Stands for an axis of size 1 that the index adds, among the axes of the result."""


def steps_of(x: Node, index: Any) -> Steps:
    """Find the steps of an index into an array.

    Raises:
        ShapeError: If an index is out of range or of another kind, there are too many, or a mask is a node.
        DtypeError: If an array of indices holds no integers.
    """
    items = [_item(x, index, item) for item in (index if isinstance(index, tuple) else (index,))]
    if sum(item is Ellipsis for item in items) > 1:
        raise errors.bad_index(x, index, "an ellipsis may stand once")
    used = sum(_axes_of(item) for item in items)
    if used > len(x.shape):
        raise errors.bad_index(x, index, f"{used} indices for {len(x.shape)} axes")
    apart = _stand_apart(items)
    if not apart and any(isinstance(item, Places) for item in items):
        items = [Places((constant(np.int64(item)),)) if _is_integer(item) else item for item in items]
    at = next((k for k, item in enumerate(items) if item is Ellipsis), len(items))
    items[at : at + 1] = [slice(None)] * (len(x.shape) - used)
    return _laid_out(x, index, items, apart)


def _axes_of(item: Any) -> int:
    """Return how many axes an item stands for."""
    return 0 if item is None or item is Ellipsis else len(item.arrays) if isinstance(item, Places) else 1


def _stand_apart(items: Sequence[Any]) -> bool:
    """Is there something between the arrays and integers? Then NumPy puts the axes of the arrays first."""
    advanced = [k for k, item in enumerate(items) if not (item is None or item is Ellipsis or isinstance(item, slice))]
    return bool(advanced) and advanced[-1] - advanced[0] >= len(advanced)


def _laid_out(x: Node, index: Any, items: Sequence[Any], apart: bool) -> Steps:
    """Find the steps: `rest` holds the axes of the result but for those of the arrays, which go to place `block`."""
    entries: list[Entry] = []
    places: list[Node] = []
    indexed: list[int] = []
    rest: list[int] = []
    block = None
    for item in items:
        rank = len(indexed) + sum(axis != _NEW for axis in rest)
        if item is None:
            rest.append(_NEW)
        elif isinstance(item, slice):
            entries.append(_entry(x, index, item, x.shape[len(entries)]))
            rest.append(rank)
        else:
            block = len(rest) if block is None else block
            if isinstance(item, Places):
                _check_mask(x, item.mask, x.shape[len(entries) :])
                indexed += range(rank, rank + len(item.arrays))
                entries += [None] * len(item.arrays)
                places += item.arrays
            else:
                entries.append(_entry(x, index, item, x.shape[len(entries)]))
    return _ordered(entries, places, indexed, rest, 0 if apart or block is None else block)


def _ordered(entries: list[Entry], places: list[Node], indexed: list[int], rest: list[int], block: int) -> Steps:
    before = [axis for axis in rest[:block] if axis != _NEW]
    behind = [axis for axis in rest[block:] if axis != _NEW]
    wide = len(broadcast_shapes("indexing", places)) if places else 0
    result = [*rest[:block], *[0] * wide, *rest[block:]]
    new_axes = tuple(k for k, axis in enumerate(result) if axis == _NEW)
    order = (*before, *indexed, *behind)
    return Steps(tuple(entries), order, tuple(places), -len(indexed) - len(behind), new_axes)


def _check_mask(x: Node, mask: Any, sizes: Shape) -> None:
    if mask is not None and mask.shape != sizes[: mask.ndim]:
        raise errors.mask_shape(x, mask, errors.show_shape(sizes[: mask.ndim]))
