"""Padding: an array with a border of constants, or of entries of its own."""

from fractions import Fraction
from typing import Any

import numpy as np

from symback import errors
from symback.nodes.dtypes import BOOL
from symback.nodes.leaves import Exact, as_node, exact
from symback.nodes.node import Node
from symback.nodes.shapes import as_size
from symback.op.public import public
from symback.ops.elementwise.logic import astype
from symback.ops.shaping.borders import BORDERS, Widths, constant_border, own_border, zero_border
from symback.ops.shaping.reshaping import as_array

__all__ = ["pad"]


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
    return zero_border(x, widths) if constant is exact(0) else constant_border([x, constant], widths)


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
    return x if all(pair == (0, 0) for pair in widths) else own_border(x, widths, mode)
