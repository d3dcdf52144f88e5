"""Padding: an array with a border of constants, or of entries of its own."""

from fractions import Fraction
from typing import Any

import numpy as np

from symback import errors
from symback.nodes.add import add
from symback.nodes.dtypes import BOOL
from symback.nodes.leaves import Exact, as_node, exact
from symback.nodes.looks import latex_size
from symback.nodes.node import METHODS, Node
from symback.nodes.products import full, sum_axes
from symback.nodes.shapes import Shape, SizeExpr, as_size, intern_shape, simplify_size
from symback.op.declare import Function, primitive
from symback.op.public import public
from symback.ops.elementwise.logic import astype
from symback.ops.numerics.arranging import unpad
from symback.ops.shaping.reshaping import as_array

__all__ = ["pad"]

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


_zeros: Function = primitive(
    "pad_zeros",
    signature=lambda x, widths: (_padded(x, widths), x.dtype),
    vjp=lambda g, node: (_inner(g, node.operands[0].shape, node.operation.parameters[0]),),
    linear=True,
    numpy=lambda spell, operands, parameters: f"np.pad({operands[0]}, {_widths_text(spell, parameters[0])})",
    value=lambda x, widths: np.pad(x, widths),
    mpmath=lambda mp, x, widths: np.pad(x, widths, constant_values=mp.mpf(0)),
    latex=lambda operands, parameters: _look(operands, *parameters),
    examples=(
        lambda make: _zeros(make("x", (3,)), ((1, 2),)),
        lambda make: _zeros(make("x", (2, 3)), ((1, 1), (0, 2))),
        lambda make: _zeros(make("x", (0,)), ((1, 1),)),
    ),
    doc="An array with a border of zeros.",
)


def _filled(x: Node, c: Node, widths: Any) -> Any:
    if c.shape:
        raise errors.wrong_rank("pad", c, "0 (one constant for a border)")
    if c.dtype.kind != x.dtype.kind and not (c.is_weak and x.dtype.kind == "u"):
        raise errors.lossy_conversion("pad", c, x.dtype)
    return _padded(x, widths), x.dtype


_constant: Function = primitive(
    "pad_constant",
    signature=_filled,
    vjp=lambda g, node: (
        _inner(g, node.operands[0].shape, node.operation.parameters[0]),
        _border_sum(g, node.operands[0].shape, node.operation.parameters[0]),
    ),
    linear=True,
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


_border: Function = primitive(
    "pad_border",
    signature=_bordered,
    vjp=lambda g, node: (_unpad(g, _no_border(g, node, node.operation.parameters[0]), node.operation.parameters[1]),),
    linear=True,
    numpy=lambda spell, operands, parameters: (
        f'np.pad({operands[0]}, {_widths_text(spell, parameters[0])}, mode="{parameters[1]}")'
    ),
    value=lambda x, widths, mode: np.pad(x, widths, mode=mode),
    latex=lambda operands, parameters: _look(operands, *parameters),
    examples=(
        lambda make: _border(make("x", (3,)), ((1, 2),), "edge"),
        lambda make: _border(make("x", (2, 3)), ((1, 0), (4, 1)), "reflect"),
        lambda make: _border(make("x", (2, 3)), ((2, 1), (0, 5)), "symmetric"),
        lambda make: _border(make("x", (2, 3)), ((2, 1), (0, 5)), "wrap"),
        lambda make: _border(make("x", (1,)), ((2, 1),), "reflect"),
    ),
    doc="An array with a border of its own entries, as numpy.pad has them in each mode.",
)

_unpad: Function = primitive(
    "unpad",
    signature=_unbordered,
    vjp=lambda h, node: (_border(h, _no_border(h, node, node.operation.parameters[0]), node.operation.parameters[1]),),
    linear=True,
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


# -- the function -----------------------------------------------------------------------------------------


def _pairs(x: Node, argument: str, given: Any) -> list[tuple[Any, Any]]:
    """Bring an argument to a pair for each axis, in every form NumPy takes."""
    rank = len(x.shape)
    if isinstance(given, dict):
        rows: list[Any] = [(0, 0)] * rank
        for axis, value in given.items():
            pair = value if isinstance(value, (tuple, list)) else (value, value)
            rows[_axis(x, axis)] = tuple(pair)
        return rows
    held = np.empty((), dtype=object)
    if isinstance(given, (list, tuple)):
        held = _objects(given)
    elif isinstance(given, np.ndarray):
        held = given.astype(object)
    else:
        held[()] = given
    try:
        pairs = np.broadcast_to(held, (rank, 2))
    except ValueError:
        raise errors.wrong_count("pad", x, argument, held.shape, f"a pair for each axis, {(rank, 2)}") from None
    return [(before, after) for before, after in pairs]


def _axis(x: Node, axis: Any) -> int:
    rank = len(x.shape)
    if isinstance(axis, bool) or not isinstance(axis, int) or not -rank <= axis < rank:
        raise errors.bad_axis("pad", x, axis)
    return axis % rank


def _objects(given: Any) -> Any:
    """Return nested sequences as an array of objects, nodes among them."""
    rows = [list(row) if isinstance(row, (list, tuple, np.ndarray)) else [row] for row in given]
    flat = not any(isinstance(row, (list, tuple, np.ndarray)) for row in given)
    if len({len(row) for row in rows}) > 1:
        raise errors.unequal_depth("pad")
    held = np.empty((len(rows), len(rows[0]) if rows else 0), dtype=object)
    for k, row in enumerate(rows):
        for j, item in enumerate(row):
            held[k, j] = item
    return held[:, 0] if flat and rows else held


def _by_constants(x: Node, widths: Widths, given: Any) -> Node:
    """Pad axis by axis, as NumPy does: the constants of later axes fill the corners."""
    pairs = [tuple(_constant_of(x, c) for c in pair) for pair in _pairs(x, "constant_values", given)]
    used = {
        c for pair, sizes in zip(pairs, widths, strict=True) for c, size in zip(pair, sizes, strict=True) if size != 0
    }
    if len(used) <= 1:
        return _with_constant(x, widths, used.pop() if used else exact(0))
    for axis, (constants, sizes) in enumerate(zip(pairs, widths, strict=True)):
        for side, constant in enumerate(constants):
            pair = (sizes[0], 0) if side == 0 else (0, sizes[1])
            here = tuple(pair if k == axis else (0, 0) for k in range(len(widths)))
            x = _with_constant(x, here, constant) if pair != (0, 0) else x
    return x


def _with_constant(x: Node, widths: Widths, constant: Node) -> Node:
    if all(pair == (0, 0) for pair in widths):
        return x
    return _zeros(x, widths) if constant is exact(0) else _constant([x, constant], widths)


def _constant_of(x: Node, value: Any) -> Node:
    """Return what to fill a border with, in the dtype of the array."""
    c = as_node(value)
    if c.shape:
        raise errors.wrong_rank("pad", c, "0 (one constant for a border)")
    if c is exact(0):
        return c
    if isinstance(c, Exact) and isinstance(c.value, int) and not _holds(x.dtype, c.value):
        raise errors.integer_out_of_range("pad", c.value, x.dtype)
    if isinstance(c, Exact) and (x.dtype.kind == "f" or (isinstance(c.value, int) and x.dtype != BOOL)):
        return c if x.dtype.kind != "f" or not isinstance(c.value, int) else exact(Fraction(c.value))
    if isinstance(c, Exact) and isinstance(c.value, int) and x.dtype == BOOL:
        return as_node(c.value != 0)
    if not c.is_weak and np.can_cast(c.dtype, x.dtype, "same_kind"):
        return astype(c, x.dtype)
    raise errors.lossy_conversion("pad", c, x.dtype)


def _holds(dtype: np.dtype[Any], value: int) -> bool:
    return dtype.kind not in "iu" or np.iinfo(dtype).min <= value <= np.iinfo(dtype).max


@public(
    "pad",
    examples=(
        lambda f, make: f(make("x", (2, 3)), 1),
        lambda f, make: f(make("x", (2, 3)), ((1, 0), (0, 2)), constant_values=((1, 2), (3, 4.5))),
        lambda f, make: f(make("x", (2,)), (2, 1), "constant", constant_values=2),
        lambda f, make: f(make("x", (2, 3)), ((1,), (2,)), mode="edge"),
        lambda f, make: f(make("x", (3,)), [(2, 1)], mode="reflect"),
        lambda f, make: f(make("x", (1, 2)), (1, 2), mode="symmetric"),
        lambda f, make: f(make("x", (3, 1)), 0, mode="wrap"),
        lambda f, make: f(make("x", (0,)), 2),
    ),
)
def pad(array: Any, pad_width: Any, mode: str = "constant", *, constant_values: Any = None) -> Node:
    """Put a border around an array, as `numpy.pad` does.

    Args:
        array: Any shape.
        pad_width: How many entries before and after along each axis: an integer or a symbolic size, a pair, a
            pair for each axis, or a dict of these by axis.
        mode: ``"constant"``, or of entries of the array ``"edge"``, ``"reflect"``, ``"symmetric"``, ``"wrap"``.
        constant_values: What a border of constants holds, in the same forms: numbers or nodes without axes. It is
            converted to the array's dtype.

    Raises:
        ShapeError: If there are not widths for each axis, or an axis without entries is to be repeated.
        DtypeError: If a constant does not go into the array's dtype.
        InputError: If the mode is another one.

    Example:
        >>> import symback as sb
        >>> sb.pad(sb.tensor("x", ("n", 3)), ((1, 1), (0, 0)), mode="edge").shape
        (n + 2, 3)
    """
    x = as_array(array)
    if mode not in ("constant", *BORDERS):
        raise errors.bad_option("pad", "mode", mode, ("constant", *BORDERS))
    widths = tuple((as_size(before), as_size(after)) for before, after in _pairs(x, "pad_width", pad_width))
    if mode == "constant":
        return _by_constants(x, widths, 0 if constant_values is None else constant_values)
    if constant_values is not None:
        raise errors.unsupported_value("pad", "constant_values", constant_values, f"mode {mode!r} has no constants")
    return x if all(pair == (0, 0) for pair in widths) else _border(x, widths, mode)
