"""Basic indexing: integers, slices, Ellipsis and newaxis.

`slice_of` takes for each axis an integer or (start, stop, step) with the bounds already resolved; its
transpose `unslice` writes into zeros. Both name axes from the last, so that leading axes do no harm.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import sympy

from symback import errors
from symback.nodes.apply import Apply
from symback.nodes.leaves import as_node
from symback.nodes.looks import latex_size
from symback.nodes.node import METHODS, Node
from symback.nodes.shapes import Shape, SizeExpr, as_shape, intern_shape, simplify_size, size_symbol
from symback.op.declare import Function, primitive
from symback.ops.shaping import expand_dims, lead_of

__all__ = ["getitem"]

Entry: TypeAlias = SizeExpr | tuple[SizeExpr, SizeExpr, int] | None
"""An integer takes one place; (start, stop, step) a range; None the whole axis. stop -1 stands for before the first."""


def _taken(shape: Shape, entries: tuple[Entry, ...]) -> Shape:
    """Return the shape of what the entries take of an array."""
    taken: list[SizeExpr] = []
    for size, entry in zip(shape, entries, strict=True):
        if not _is_entry(entry, size):
            raise errors.bad_node("slice_of", f"{entry!r} takes nothing of an axis of size {size}")
        if entry is None:
            taken.append(size)
        elif isinstance(entry, tuple):
            taken.append(_range_length(*entry))
    return intern_shape(tuple(taken))


def _is_entry(entry: Any, size: SizeExpr) -> bool:
    """Is this an entry, and within the axis as far as integers tell?"""
    if not isinstance(entry, tuple):
        return entry is None or _is_bound(entry, 0, size, inclusive=False)
    if len(entry) != 3 or type(entry[2]) is not int or entry[2] == 0:
        return False
    start, stop, step = entry
    return _is_bound(start, 0, size, inclusive=step > 0) and _is_bound(stop, 0 if step > 0 else -1, size)


def _is_bound(bound: Any, least: int, size: SizeExpr, *, inclusive: bool = True) -> bool:
    if type(bound) is not int:
        return isinstance(bound, sympy.Expr)
    return least <= bound and (not isinstance(size, int) or bound < size or (inclusive and bound == size))


def _embedded(g: Node, entries: tuple[Entry, ...], shape: Shape) -> Shape:
    """Return the shape that `g` is written into, if it is the shape of what the entries take."""
    if as_shape(shape) != shape or _taken(shape, entries) != g.shape:
        raise errors.bad_node("unslice", f"{errors.show_shape(g.shape)} is not what the entries take of {shape}")
    return intern_shape(shape)


def _range_length(start: SizeExpr, stop: SizeExpr, step: int) -> SizeExpr:
    length = simplify_size(stop - start)
    if isinstance(length, int):
        return len(range(0, length, step))
    if abs(step) == 1:
        return simplify_size(length * step)
    raise errors.bad_size(length)


def numpy_index(entries: tuple[Entry, ...]) -> tuple[Any, ...]:
    """Return the index in NumPy's terms, behind an ellipsis for leading axes."""
    index: list[Any] = [Ellipsis]
    for entry in entries:
        if entry is None:
            index.append(slice(None))
        elif isinstance(entry, tuple):
            start, stop, step = entry
            index.append(slice(start, None if step < 0 and stop == -1 else stop, step))
        else:
            index.append(entry)
    return tuple(index)


def _index_texts(entries: tuple[Entry, ...], shape: Shape, write: Callable[[SizeExpr, SizeExpr], str]) -> list[str]:
    """Write an index as a person would, without default bounds, by `write` of a bound and the size of its axis."""
    texts = []
    for entry, size in zip(entries, shape, strict=True):
        if entry is None:
            texts.append(":")
        elif isinstance(entry, tuple):
            start, stop, step = entry
            first, last = (0, size) if step > 0 else (simplify_size(size - 1), -1)
            begin = "" if start == first else write(start, size)
            end = "" if stop == last else write(stop, size)
            texts.append(f"{begin}:{end}" + (f":{step}" if step != 1 else ""))
        else:
            texts.append(write(entry, size))
    return texts


def _spell_index(spell: Any, entries: tuple[Entry, ...], shape: Shape) -> str:
    """Write an index in NumPy, without trailing full slices."""
    texts = _index_texts(entries, shape, lambda bound, size: _spell_bound(spell, bound, size))
    while len(texts) > 1 and texts[-1] == ":":
        texts.pop()
    return ", ".join(texts)


def _spell_bound(spell: Any, bound: SizeExpr, size: SizeExpr) -> str:
    """Write a bound, from the end if that is a number."""
    behind = simplify_size(bound - size)
    return str(behind) if not isinstance(bound, int) and isinstance(behind, int) and behind < 0 else spell.size(bound)


def _index_latex(entries: tuple[Entry, ...], shape: Shape) -> str:
    """Write an index in print, every bound counted from the start."""
    return ",".join(_index_texts(entries, shape, lambda bound, size: latex_size(bound)))


_slice = primitive(
    "slice_of",
    signature=lambda x, entries: (_taken(x.shape, entries), x.dtype),
    vjp=lambda g, node: (_spread(g, lead_of(g, node), node),),
    linear=True,
    numpy=lambda spell, operands, parameters: (
        f"{operands[0].atom}[{_spell_index(spell, parameters[0], spell.operand_shapes[0])}]"
    ),
    value=lambda x, entries: x[numpy_index(entries)],
    latex=lambda operands, parameters: (
        rf"\left({operands[0]}\right)_{{{_index_latex(parameters[0], operands[0].shape)}}}"
    ),
    examples=(
        lambda make: make("x", (4, 3))[1:, 0],
        lambda make: make("x", (4, 3))[::2, ::-1],
        lambda make: make("x", (4,))[1:3],
    ),
    doc="Entries at integers and in slices.",
)

_unslice: Function = primitive(
    "unslice",
    signature=lambda g, entries, shape: (_embedded(g, entries, shape), g.dtype),
    vjp=lambda h, node: (_slice(h, _with_lead(lead_of(h, node), node.operation.parameters[0])),),
    linear=True,
    numpy=lambda spell, operands, parameters: spell.fill_zeros(
        parameters[1], _spell_index(spell, parameters[0], parameters[1]), operands[0]
    ),
    value=lambda g, entries, shape: _unslice_value(g, entries, shape),
    latex=lambda operands, parameters: (
        rf"\operatorname{{embed}}_{{{_index_latex(parameters[0], parameters[1])}}}\left({operands[0]}\right)"
    ),
    examples=(
        lambda make: _unslice(make("g", (3,)), ((1, 4, 1), 0), (4, 3)),
        lambda make: _unslice(make("g", ()), (1,), (4,)),
    ),
    doc="Zeros with an array written at integers and into slices: the transpose of a slice.",
)


def _with_lead(lead: Shape, entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    return (None,) * len(lead) + entries


def _spread(g: Node, lead: Shape, node: Apply) -> Node:
    (entries,) = node.operation.parameters
    return _unslice(g, _with_lead(lead, entries), lead + node.operands[0].shape)


def _unslice_value(g: Any, entries: tuple[Entry, ...], shape: tuple[int, ...]) -> Any:
    result = np.zeros(shape, dtype=g.dtype)
    result[numpy_index(entries)] = g
    return result


def getitem(x: Any, index: Any) -> Node:
    """Basic indexing, as NumPy has it: integers, slices with steps, Ellipsis and newaxis.

    Bounds and integers may be symbolic sizes. Negative bounds count from the end.

    Raises:
        ShapeError: If an integer is out of range, there are too many indices, or an index is of another kind.

    Example:
        >>> import symback as sb
        >>> sb.tensor("X", ("n", 3))[1:, 0].shape
        (n - 1,)
    """
    x = as_node(x)
    if _is_array(index) or (isinstance(index, tuple) and any(map(_is_array, index))):
        raise errors.bad_index(x, index, _NO_ARRAYS)
    items = list(index) if isinstance(index, tuple) else [index]
    if sum(item is Ellipsis for item in items) > 1:
        raise errors.bad_index(x, index, "an ellipsis may stand once")
    used = sum(item is not None and item is not Ellipsis for item in items)
    if used > len(x.shape):
        raise errors.bad_index(x, index, f"{used} indices for {len(x.shape)} axes")
    place = next((k for k, item in enumerate(items) if item is Ellipsis), len(items))
    items[place : place + 1] = [slice(None)] * (len(x.shape) - used)
    return _apply_items(x, index, items)


def _apply_items(x: Node, index: Any, items: list[Any]) -> Node:
    entries: list[Entry] = []
    new_axes: list[int] = []
    rank = 0
    sizes = iter(x.shape)
    for item in items:
        if item is None:
            new_axes.append(rank)
            rank += 1
            continue
        entry = _entry(x, index, item, next(sizes))
        entries.append(entry)
        rank += entry is None or isinstance(entry, tuple)
    result = x if all(entry is None for entry in entries) else _slice(x, tuple(entries))
    for axis in new_axes:
        result = expand_dims(result, axis)
    return result


def _entry(x: Node, index: Any, item: Any, size: SizeExpr) -> Entry:
    if isinstance(item, slice):
        return _slice_entry(x, index, item, size)
    if not _is_place(item):
        raise errors.bad_index(x, index, _BASIC)
    place = _bound(x, index, item, size)
    if isinstance(place, int) and (place < 0 or (isinstance(size, int) and place >= size)):
        raise errors.bad_index(x, index, f"{item} is out of range for an axis of size {size}")
    return place


_BASIC = (
    "only integers, slices, Ellipsis and None (newaxis) are supported; "
    "symbolic sizes are given as x.shape[0] or as a SymPy symbol"
)
_NO_ARRAYS = (
    "arrays of indices and masks are not supported; multiply by a one-hot matrix, use sb.where with a mask, "
    "or sb.stack of x[i]"
)


def _is_array(item: Any) -> bool:
    return isinstance(item, (list, np.ndarray)) and np.ndim(item) > 0


def _is_place(item: Any) -> bool:
    """Is this an integer, or made of symbolic sizes?"""
    return not isinstance(item, (bool, np.bool_)) and (hasattr(item, "__index__") or isinstance(item, sympy.Expr))


def _bound(x: Node, index: Any, item: Any, size: SizeExpr) -> SizeExpr:
    """Resolve an integer, negative ones from the end, or a symbolic size."""
    if isinstance(item, Node):
        raise errors.bad_index(x, index, "an index must be known when the graph is built")
    if not _is_place(item):
        raise errors.bad_index(x, index, _BASIC)
    if isinstance(item, sympy.Expr):
        place = item.xreplace({s: size_symbol(str(s)) for s in item.free_symbols})
        if not place.is_integer:
            raise errors.bad_index(x, index, _BASIC)
        return simplify_size(place)
    number = int(item.__index__())
    return number if number >= 0 else simplify_size(size + number)


def _slice_entry(x: Node, index: Any, item: slice, size: SizeExpr) -> Entry:
    if item.step is not None and (not hasattr(item.step, "__index__") or isinstance(item.step, (bool, Node))):
        raise errors.bad_index(x, index, "the step of a slice must be an integer")
    step = 1 if item.step is None else int(item.step.__index__())
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


METHODS["getitem"] = getitem
