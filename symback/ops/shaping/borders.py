"""Borders around an array: of constants, or of entries of its own. Each is linear; `pad` names them."""

from typing import Any

import numpy as np

from symback import errors
from symback.nodes.add import add
from symback.nodes.dtypes import BOOL
from symback.nodes.leaves import ones_of
from symback.nodes.looks import latex_size
from symback.nodes.node import METHODS, Node
from symback.nodes.products import full, sum_axes
from symback.nodes.shapes import Shape, SizeExpr, as_size, intern_shape, simplify_size
from symback.op.batch import Operands, applied, repeated, with_ones
from symback.op.declare import Function, primitive
from symback.ops.elementwise.logic import astype, where
from symback.ops.numerics.arranging import unpad

Widths = tuple[tuple[SizeExpr, SizeExpr], ...]
"""How many entries to put before and after, for each axis."""

BORDERS = ("edge", "reflect", "symmetric", "wrap")
"""The modes whose border repeats entries of the array."""


def _are_widths(x: Node, widths: Any) -> bool:
    """Are these widths for each axis? They may come from a document that a stranger wrote."""
    if not isinstance(widths, tuple) or len(widths) != len(x.shape):
        return False
    return all(isinstance(pair, tuple) and len(pair) == 2 and pair == tuple(map(as_size, pair)) for pair in widths)


def _padded(x: Node, widths: Any) -> Shape:
    if not _are_widths(x, widths):
        raise errors.bad_node("pad", f"{widths!r} are no widths for {len(x.shape)} axes")
    pairs = zip(x.shape, widths, strict=True)
    return intern_shape(tuple(simplify_size(before + size + after) for size, (before, after) in pairs))


def _no_border(g: Node, x: Node, widths: Widths) -> Widths:
    """Return the widths for a cotangent: leading axes are not padded."""
    return ((0, 0),) * (len(g.shape) - len(x.shape)) + widths


def _widths_text(spell: Any, widths: Widths) -> str:
    """Write widths as shortly as NumPy reads them."""
    pairs = list(dict.fromkeys(widths))
    if len(pairs) == 1:
        before, after = pairs[0]
        return str(spell.size(before)) if before == after else f"({spell.size(before)}, {spell.size(after)})"
    written = [f"({spell.size(before)}, {spell.size(after)})" for before, after in widths]
    return f"({', '.join(written)})"


def _look(operands: Any, widths: Widths, mode: str = "") -> str:
    shown = ", ".join(f"{latex_size(before)}|{latex_size(after)}" for before, after in dict.fromkeys(widths))
    below = rf"\text{{{mode}}}, {shown}" if mode else shown
    return rf"\operatorname{{pad}}_{{{below}}}\left({', '.join(operands)}\right)"


# -- constants -----------------------------------------------------------------------------------------


def _inner(g: Node, shape: Shape, widths: Widths) -> Node:
    """Cut the border off, leading axes of a cotangent excepted."""
    pairs = zip(shape, widths, strict=True)
    return g[(Ellipsis, *(slice(before, simplify_size(before + size)) for size, (before, after) in pairs))]


def _border_sum(g: Node, shape: Shape, widths: Widths) -> Node:
    """Sum the border, slab by slab: what the inner part holds does not enter."""
    rank, slabs = len(shape), []
    for axis, (before, after) in enumerate(widths):
        inner = tuple(
            slice(b, simplify_size(b + size)) for size, (b, _) in zip(shape[:axis], widths[:axis], strict=True)
        )
        rest = (slice(None),) * (rank - axis - 1)
        end = simplify_size(before + shape[axis])
        slabs += [g[(Ellipsis, *inner, slice(None, before), *rest)]] if before != 0 else []
        slabs += [g[(Ellipsis, *inner, slice(end, None), *rest)]] if after != 0 else []
    axes = tuple(range(len(g.shape) - rank, len(g.shape)))
    lead = g.shape[: len(g.shape) - rank]
    return add(*(sum_axes(slab, axes) for slab in slabs)) if slabs else full(lead, 0, g)


def _in_batch(node: Any, operands: Operands) -> Node:
    """Leave the axis of the examples without a border."""
    widths, *mode = node.operation.parameters
    return applied(node, operands, ((0, 0), *widths), *mode)


zero_border: Function = primitive(
    "pad_zeros",
    signature=lambda x, widths: (_padded(x, widths), x.dtype),
    vjp=lambda g, node: (_inner(g, node.operands[0].shape, node.operation.parameters[0]),),
    linear=True,
    batch=_in_batch,
    numpy=lambda spell, operands, parameters: f"np.pad({operands[0]}, {_widths_text(spell, parameters[0])})",
    value=lambda x, widths: np.pad(x, widths),
    mpmath=lambda mp, x, widths: np.pad(x, widths, constant_values=mp.mpf(0)),
    latex=lambda operands, parameters: _look(operands, *parameters),
    examples=(
        lambda make: zero_border(make("x", (3,)), ((1, 2),)),
        lambda make: zero_border(make("x", (2, 3)), ((1, 1), (0, 2))),
        lambda make: zero_border(make("x", (0,)), ((1, 1),)),
    ),
    doc="An array with a border of zeros.",
)


def _filled(x: Node, c: Node, widths: Any) -> Any:
    if c.shape:
        raise errors.wrong_rank("pad", c, "0 (one constant for a border)")
    if c.dtype.kind != x.dtype.kind and not (c.is_weak and x.dtype.kind == "u"):
        raise errors.lossy_conversion("pad", c, x.dtype)
    return _padded(x, widths), x.dtype


def _constants_in_batch(node: Any, operands: Operands) -> Node:
    """Put a border of one constant for all examples, or select between the array and the constant of each."""
    x, c = repeated(node, operands)
    if operands[1] is node.operands[1]:
        return _in_batch(node, (x, operands[1]))
    (widths,) = node.operation.parameters
    inside = zero_border(ones_of(node.operands[0].shape, BOOL), widths)
    return where(inside, zero_border(x, ((0, 0), *widths)), astype(with_ones(c, len(widths)), x.dtype))


constant_border: Function = primitive(
    "pad_constant",
    signature=_filled,
    vjp=lambda g, node: (
        _inner(g, node.operands[0].shape, node.operation.parameters[0]),
        _border_sum(g, node.operands[0].shape, node.operation.parameters[0]),
    ),
    linear=True,
    batch=_constants_in_batch,
    arity=2,
    numpy=lambda spell, operands, parameters: (
        f"np.pad({operands[0]}, {_widths_text(spell, parameters[0])}, constant_values={operands[1].weak})"
    ),
    value=lambda x, c, widths: np.pad(x, widths, constant_values=c),
    latex=lambda operands, parameters: _look(operands, *parameters),
    examples=(
        lambda make: METHODS["pad"](make("x", (3,)), (1, 2), constant_values=make("c", ())),
        lambda make: METHODS["pad"](make("x", (2, 3)), ((1, 0), (2, 1)), constant_values=make("c", ())),
    ),
    doc="An array with a border of one constant.",
)


# -- entries of its own -----------------------------------------------------------------------------------


def _bordered(x: Node, widths: Any, mode: Any) -> Any:
    shape = _padded(x, widths)
    if mode not in BORDERS:
        raise errors.bad_option("pad", "mode", mode, ("constant", *BORDERS))
    for axis, pair in enumerate(widths):
        if x.shape[axis] == 0 and pair != (0, 0):
            raise errors.empty_border(x, axis, mode)
    return shape, x.dtype


def _unbordered(g: Node, widths: Any, mode: Any) -> Any:
    if mode not in BORDERS or not _are_widths(g, widths) or not any(map(any, widths)):
        raise errors.bad_node("unpad", f"{widths!r} are no widths for {len(g.shape)} axes, or {mode!r} is no mode")
    pairs = zip(g.shape, widths, strict=True)
    shape = tuple(simplify_size(size - before - after) for size, (before, after) in pairs)
    if any(isinstance(size, int) and size < 0 for size in shape):
        raise errors.bad_node("unpad", f"{errors.show_shape(g.shape)} has no borders {widths!r}")
    return intern_shape(shape), g.dtype


own_border: Function = primitive(
    "pad_border",
    signature=_bordered,
    vjp=lambda g, node: (_unpad(g, _no_border(g, node, node.operation.parameters[0]), node.operation.parameters[1]),),
    linear=True,
    batch=_in_batch,
    numpy=lambda spell, operands, parameters: (
        f'np.pad({operands[0]}, {_widths_text(spell, parameters[0])}, mode="{parameters[1]}")'
    ),
    value=lambda x, widths, mode: np.pad(x, widths, mode=mode),
    latex=lambda operands, parameters: _look(operands, *parameters),
    examples=(
        lambda make: own_border(make("x", (3,)), ((1, 2),), "edge"),
        lambda make: own_border(make("x", (2, 3)), ((1, 0), (4, 1)), "reflect"),
        lambda make: own_border(make("x", (2, 3)), ((2, 1), (0, 5)), "symmetric"),
        lambda make: own_border(make("x", (2, 3)), ((2, 1), (0, 5)), "wrap"),
        lambda make: own_border(make("x", (1,)), ((2, 1),), "reflect"),
    ),
    doc="An array with a border of its own entries, as numpy.pad has them in each mode.",
)

_unpad: Function = primitive(
    "unpad",
    signature=_unbordered,
    vjp=lambda h, node: (
        own_border(h, _no_border(h, node, node.operation.parameters[0]), node.operation.parameters[1]),
    ),
    linear=True,
    batch=_in_batch,
    numpy=lambda spell, operands, parameters: (
        f'{spell.helper(unpad)}({operands[0]}, {_pairs_text(spell, parameters[0])}, mode="{parameters[1]}")'
    ),
    value=unpad,
    latex=lambda operands, parameters: (
        rf"\operatorname{{pad}}^{{\top}}_{{\text{{{parameters[1]}}}}}\left({operands[0]}\right)"
    ),
    examples=(
        lambda make: _unpad(make("x", (6,)), ((1, 2),), "edge"),
        lambda make: _unpad(make("x", (3, 8)), ((1, 0), (4, 1)), "reflect"),
    ),
    doc="An array with its border added to the entries that padding repeats there: the transpose of padding.",
)


def _pairs_text(spell: Any, widths: Widths) -> str:
    written = [f"({spell.size(before)}, {spell.size(after)})" for before, after in widths]
    return f"({', '.join(written)}{',' if len(written) == 1 else ''})"
