"""Ranges of an array: what is taken, what is spread over zeros, what is written.

`slice_of` takes for each axis an integer or (start, stop, step) with the bounds already resolved; its transpose
`unslice` writes into zeros; `set_slice` writes into a copy. All name axes from the last, so that leading axes do
no harm.
"""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import sympy

from symback import errors
from symback.nodes.add import Plus, add
from symback.nodes.apply import Apply, Named
from symback.nodes.contract import is_zero
from symback.nodes.dtypes import promote
from symback.nodes.looks import latex_size
from symback.nodes.node import Node
from symback.nodes.products import broadcast_to, full, keep_axes, sum_axes
from symback.nodes.shapes import Shape, SizeExpr, as_shape, broadcast_shapes, intern_shape, simplify_size
from symback.op.batch import Operands, aligned, repeated
from symback.op.declare import Function, primitive
from symback.ops.indexing.ranges import APART, Entry, meet
from symback.ops.shaping.reshaping import lead_of

_LETTER = re.compile(r"[A-Za-z]|\\[A-Za-z]+")


def taken(shape: Shape, entries: tuple[Entry, ...]) -> Shape:
    """Return the shape of what the entries take of an array."""
    sizes: list[SizeExpr] = []
    for size, entry in zip(shape, entries, strict=True):
        if not _is_entry(entry, size):
            raise errors.bad_node("slice_of", f"{entry!r} takes nothing of an axis of size {size}")
        if entry is None:
            sizes.append(size)
        elif isinstance(entry, tuple):
            sizes.append(_range_length(*entry))
    return intern_shape(tuple(sizes))


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
    if as_shape(shape) != shape or taken(shape, entries) != g.shape:
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
    """Write an index in print, every bound counted from the start; that of an entry is counted from 1, as in sums."""
    if not any(entry is None or isinstance(entry, tuple) for entry in entries):
        entries = tuple(simplify_size(entry + 1) for entry in entries)  # type: ignore[operator]
    return ",".join(_index_texts(entries, shape, lambda bound, size: latex_size(bound)))


def _part_latex(x: Any, entries: tuple[Entry, ...]) -> str:
    """Write a part of an array, or the whole from its end; a name that has an index of its own is enclosed."""
    if None not in entries and _only_reverses(entries, x.shape):
        return rf"\operatorname{{flip}}\left({x}\right)"
    whole = x if _LETTER.fullmatch(x) else rf"\left({x}\right)"
    return rf"{whole}_{{{_index_latex(entries, x.shape)}}}"


slice_of: Function = primitive(
    "slice_of",
    signature=lambda x, entries: (taken(x.shape, entries), x.dtype),
    vjp=lambda g, node: (_spread(g, lead_of(g, node), node),),
    linear=True,
    batch=lambda node, operands: take_ranges(operands[0], (None, *node.operation.parameters[0])),
    numpy=lambda spell, operands, parameters: (
        f"{operands[0].atom}[{_spell_index(spell, parameters[0], spell.operand_shapes[0])}]"
    ),
    value=lambda x, entries: x[numpy_index(entries)],
    latex=lambda operands, parameters: _part_latex(operands[0], parameters[0]),
    examples=(
        lambda make: make("x", (4, 3))[1:, 0],
        lambda make: make("x", (4, 3))[::2, ::-1],
        lambda make: make("x", (4,))[1:3],
    ),
    doc="Entries at integers and in slices.",
)

unslice: Function = primitive(
    "unslice",
    signature=lambda g, entries, shape: (_embedded(g, entries, shape), g.dtype),
    vjp=lambda h, node: (take_ranges(h, _with_lead(lead_of(h, node), node.operation.parameters[0])),),
    linear=True,
    batch=lambda node, operands: unslice(
        operands[0], (None, *node.operation.parameters[0]), (operands[0].shape[0], *node.shape)
    ),
    numpy=lambda spell, operands, parameters: spell.fill_zeros(
        parameters[1], _spell_index(spell, parameters[0], parameters[1]), operands[0].weak
    ),
    value=lambda g, entries, shape: _spread_value(g, entries, shape),
    latex=lambda operands, parameters: (
        rf"\operatorname{{embed}}_{{{_index_latex(parameters[0], parameters[1])}}}\left({operands[0]}\right)"
    ),
    examples=(
        lambda make: unslice(make("g", (3,)), ((1, 4, 1), 0), (4, 3)),
        lambda make: unslice(make("g", ()), (1,), (4,)),
    ),
    doc="Zeros with an array written at integers and into slices: the transpose of a slice.",
)


def _with_lead(lead: Shape, entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    return (None,) * len(lead) + entries


def _spread(g: Node, lead: Shape, node: Apply) -> Node:
    (entries,) = node.operation.parameters
    inside, shape = _with_lead(lead, entries), lead + node.operands[0].shape
    return take_ranges(g, inside) if _only_reverses(inside, shape) else unslice(g, inside, shape)


def _only_reverses(entries: tuple[Entry, ...], shape: Shape) -> bool:
    """Is everything taken, some axes from the end? Doing so twice is doing nothing, and it is its own transpose."""
    pairs = zip(entries, shape, strict=True)
    return all(entry is None or entry == (simplify_size(size - 1), -1, -1) for entry, size in pairs)


def _spread_value(g: Any, entries: tuple[Entry, ...], shape: tuple[int, ...]) -> Any:
    result = np.zeros(shape, dtype=g.dtype)
    result[numpy_index(entries)] = g
    return result


# -- writing ------------------------------------------------------------------------------------------


class Shaped:
    """A shape that is broadcast with that of a node."""

    def __init__(self, shape: Shape, text: str) -> None:
        self.shape = shape
        self._text = text

    def short(self) -> str:
        """Say what has this shape."""
        return self._text


def written(name: str, x: Node, value: Node, part: Shape) -> tuple[Shape, Any]:
    """Return the shape and dtype of `x` with `value` written to a part, if the value goes into it."""
    if value.dtype != x.dtype and not (value.is_weak and promote([x, value]) == x.dtype):
        raise errors.bad_node(name, f"a value of dtype {value.dtype} is written into {x.dtype}")
    if broadcast_shapes(name, [Shaped(part, "the part written"), value]) != part:
        raise errors.bad_node(name, f"{errors.show_shape(value.shape)} does not go into {errors.show_shape(part)}")
    return x.shape, x.dtype


def shrunk(g: Node, shape: Shape, lead: int) -> Node:
    """Sum a cotangent over the axes along which a value of this shape was broadcast, behind `lead` leading ones."""
    behind = len(g.shape) - len(shape)
    repeated = [k for k, size in enumerate(shape, behind) if size == 1 and g.shape[k] != 1]
    summed = [*range(lead, behind), *repeated]
    if not summed:
        return g
    return keep_axes(sum_axes(g, summed), [k - behind + lead for k in repeated])


def _set_slice_vjp(g: Node, node: Apply) -> tuple[Node, Node]:
    (entries,) = node.operation.parameters
    lead = lead_of(g, node)
    inside = _with_lead(lead, entries)
    return set_slice((g, full((), 0, g)), inside), shrunk(take_ranges(g, inside), node.operands[1].shape, len(lead))


def _set_slice_batch(node: Apply, operands: Operands) -> Node:
    (entries,) = node.operation.parameters
    rank = sum(_is_axis(entry) for entry in entries)
    return set_slice((repeated(node, operands)[0], aligned(node, operands, rank)[1]), (None, *entries))


set_slice: Function = primitive(
    "set_slice",
    signature=lambda x, value, entries: written("set_slice", x, value, taken(x.shape, entries)),
    vjp=_set_slice_vjp,
    linear=True,
    batch=_set_slice_batch,
    arity=2,
    numpy=lambda spell, operands, parameters: spell.into_copy(
        lambda name: f"{name}[{_spell_index(spell, parameters[0], spell.operand_shapes[0])}] = {operands[1].weak}",
    ),
    value=lambda x, value, entries: _set_slice_value(x, value, entries),
    latex=lambda operands, parameters: (
        rf"\operatorname{{set}}_{{{_index_latex(parameters[0], operands[0].shape)}}}"
        rf"\left({operands[0]}, {operands[1]}\right)"
    ),
    examples=(
        lambda make: set_slice((make("x", (4, 3)), make("value", (3,))), ((1, 4, 1), 0)),
        lambda make: set_slice((make("x", (4, 3)), make("value", (2, 1))), ((0, 4, 2), None)),
        lambda make: set_slice((make("x", (3,)), make("value", ())), (1,)),
    ),
    doc="A copy of an array with a value written at integers and into slices.",
)


def _set_slice_value(x: Any, value: Any, entries: tuple[Entry, ...]) -> Any:
    result = np.array(x)
    result[numpy_index(entries)] = value
    return result


# -- a part of what was written to a part ------------------------------------------------------------------

_MOST_STEPS = 64
"""How far back a part is followed through what was written."""


def take_ranges(x: Node, entries: tuple[Entry, ...]) -> Node:
    """Take ranges of an array; of one that is zero but for a part, or was written to, only what they meet of it."""
    for _ in range(_MOST_STEPS):
        node = x.operands[0] if isinstance(x, Named) and x.label.kind != "let" else x
        found = _of_sum(node, entries) if isinstance(node, Plus) else _through(node, entries)
        if found is not APART:
            return slice_of(x, entries) if found is None else found
        x = node.operands[0]
    return slice_of(x, entries)


def _of_sum(node: Plus, entries: tuple[Entry, ...]) -> Node | None:
    """Take ranges of a sum of arrays that are zero but for a part."""
    terms = node.operands
    if len(terms) > _MOST_STEPS or not all(_is_unslice(term) and term.shape == node.shape for term in terms):
        return None
    parts = [part for term in terms if not is_zero(part := take_ranges(term, entries))]
    return add(*parts) if parts else full(taken(node.shape, entries), 0, node)


def _is_unslice(node: Node) -> bool:
    return isinstance(node, Apply) and node.operation.name == "unslice"


def _through(node: Node, entries: tuple[Entry, ...]) -> Any:
    """Take ranges of the value that was written; APART if they do not meet it, None if it is not known how they lie."""
    if not isinstance(node, Apply) or node.operation.name not in ("unslice", "set_slice", "slice_of"):
        return None
    if node.operation.name == "slice_of":
        twice = node.operation.parameters[0] == entries and _only_reverses(entries, node.shape)
        return node.operands[0] if twice else None
    own = node.operation.parameters[0]
    meets = [meet(entry, wanted) for entry, wanted in zip(own, entries, strict=True)]
    if APART in meets:
        return full(taken(node.shape, entries), 0, node) if _is_unslice(node) else APART
    if None in meets:
        return None
    inner = tuple([found for (found, _), entry in zip(meets, own, strict=True) if _is_axis(entry)])
    outer = tuple([found for (_, found), entry in zip(meets, entries, strict=True) if _is_axis(entry)])
    if _is_unslice(node):
        part = _unless_whole(node.operands[0], inner)
        return part if _is_whole(outer) else unslice(part, outer, taken(node.shape, entries))
    value = node.operands[1]
    if value.is_weak or not _is_whole(outer):
        return None
    return _unless_whole(broadcast_to(value, taken(node.shape, own)), inner)


def _is_axis(entry: Entry) -> bool:
    return entry is None or isinstance(entry, tuple)


def _is_whole(entries: tuple[Entry, ...]) -> bool:
    return all(entry is None for entry in entries)


def _unless_whole(x: Node, entries: tuple[Entry, ...]) -> Node:
    return x if _is_whole(entries) else slice_of(x, entries)
