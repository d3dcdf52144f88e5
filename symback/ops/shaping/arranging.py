"""The same entries in another order: flip, roll, rotate.

Each is linear and named as in NumPy, so that emitted code says what it does; axes are named from the last, so
that leading axes of a cotangent do no harm.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from symback import errors
from symback.nodes.apply import Apply
from symback.nodes.node import METHODS, Node
from symback.nodes.shapes import Shape, normalize_axes, normalize_axis, sequence_of
from symback.op.declare import Function, primitive
from symback.op.public import public
from symback.ops.shaping.reshaping import as_array, ravel, reshape

__all__ = ["flip", "fliplr", "flipud", "roll", "rot90"]


def known_axes(operation: str, x: Node, axes: Any) -> tuple[int, ...]:
    """Return axes named from the last, if they are distinct axes of the operand."""
    rank = len(x.shape)
    known = tuple(axes) if isinstance(axes, tuple) else ()
    good = known == axes and all(type(axis) is int and -rank <= axis < 0 for axis in known)
    if not good or len(set(known)) < len(known):
        raise errors.bad_axis(operation, x, axes)
    return known


def _axes_text(axes: tuple[int, ...], rank: int) -> str:
    """Write the argument ``, axis=…``, or nothing if all axes are meant."""
    shown = tuple(axis + rank for axis in axes)
    return "" if len(axes) == rank else f", axis={shown[0] if len(shown) == 1 else shown}"


def below(axes: Sequence[int], rank: int) -> str:
    """Write axes, counted from 0, below a function in print; nothing if they are all there are."""
    word = "axis" if len(axes) == 1 else "axes"
    return "" if len(axes) == rank else rf"_{{\text{{{word} }}{', '.join(str(axis + rank) for axis in axes)}}}"


# -- flip ----------------------------------------------------------------------------------------------


def _reversed(x: Node, axes: Any) -> tuple[Shape, Any]:
    known_axes("flip", x, axes)
    return x.shape, x.dtype


_flip: Function = primitive(
    "flip_along",
    signature=_reversed,
    vjp=lambda g, node: (_flipped(g, node.operation.parameters[0]),),
    linear=True,
    numpy=lambda spell, operands, parameters: (
        f"np.flip({operands[0]}{_axes_text(parameters[0], len(spell.operand_shapes[0]))})"
    ),
    value=lambda x, axes: np.flip(x, axis=axes),
    latex=lambda operands, parameters: (
        rf"\operatorname{{flip}}{below(parameters[0], len(operands[0].shape))}\left({operands[0]}\right)"
    ),
    examples=(
        lambda make: _flip(make("x", (2, 3)), (-1,)),
        lambda make: _flip(make("x", (2, 3)), (-2, -1)),
        lambda make: _flip(make("x", (2, 3)), (-2,)),
    ),
    batch="leading",
    doc="Entries in reverse order along axes.",
)


def _flipped(x: Node, axes: tuple[int, ...]) -> Node:
    """Reverse axes; twice is not at all, and an axis of one entry stays."""
    axes = tuple(axis for axis in axes if x.shape[axis] != 1)
    if isinstance(x, Apply) and x.operation.name == "flip_along" and x.operation.parameters == (axes,):
        return x.operands[0]
    return _flip(x, axes) if axes else x


@public(
    "flip",
    examples=(
        lambda f, make: f(make("x", (2, 3))),
        lambda f, make: f(make("x", (2, 3)), axis=-1),
        lambda f, make: f(make("x", (2, 1, 3)), (1, 2)),
        lambda f, make: f(make("x", (0,))),
        lambda f, make: f(make("x", ())),
    ),
)
def flip(m: Any, axis: int | tuple[int, ...] | None = None) -> Node:
    """Reverse the order of entries along axes, as `numpy.flip` does; None: along all of them.

    Raises:
        ShapeError: If an axis does not exist or is named twice.

    Example:
        >>> import symback as sb
        >>> sb.flip(sb.tensor("x", ("n",))).shape
        (n,)
    """
    x = as_array(m)
    rank = len(x.shape)
    return _flipped(x, tuple(place - rank for place in normalize_axes("flip", x, axis)))


@public("fliplr", examples=(lambda f, make: f(make("x", (2, 3))),))
def fliplr(m: Any) -> Node:
    """Reverse the columns, as `numpy.fliplr` does.

    Raises:
        ShapeError: If there are fewer than two axes.

    Example:
        >>> import symback as sb
        >>> sb.fliplr(sb.tensor("X", ("n", 3))).shape
        (n, 3)
    """
    return flip(_matrix("fliplr", m), 1)


@public("flipud", examples=(lambda f, make: f(make("x", (2, 3))), lambda f, make: f(make("x", (3,)))))
def flipud(m: Any) -> Node:
    """Reverse the rows, as `numpy.flipud` does.

    Raises:
        ShapeError: If there is no axis.

    Example:
        >>> import symback as sb
        >>> sb.flipud(sb.tensor("X", ("n", 3))).shape
        (n, 3)
    """
    return flip(as_array(m), 0)


def _matrix(operation: str, m: Any) -> Node:
    x = as_array(m)
    if len(x.shape) < 2:
        raise errors.wrong_rank(operation, x, "at least 2")
    return x


@public(
    "rot90",
    examples=(
        lambda f, make: f(make("x", (2, 3))),
        lambda f, make: f(make("x", (2, 3)), k=2),
        lambda f, make: f(make("x", (1, 2, 3)), -1, axes=(2, 1)),
    ),
)
def rot90(m: Any, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Node:
    """Turn the plane of two axes by k right angles, from the first axis towards the second, as `numpy.rot90` does.

    Raises:
        ShapeError: If the axes do not exist or are one.
        UsageError: If k is no integer.

    Example:
        >>> import symback as sb
        >>> sb.rot90(sb.tensor("X", ("n", 3))).shape
        (3, n)
    """
    x = _matrix("rot90", m)
    pair = [normalize_axis("rot90", x, axis) for axis in sequence_of("rot90", axes, "two axes")]
    if len(pair) != 2 or pair[0] == pair[1]:
        raise errors.bad_axis("rot90", x, axes)
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)):
        raise errors.no_known_integers("rot90", "k", k)
    first, second = pair
    if k % 4 == 0:
        return x
    if k % 4 == 2:
        return flip(x, (first, second))
    swapped = METHODS["swapaxes"]
    return swapped(flip(x, second), first, second) if k % 4 == 1 else flip(swapped(x, first, second), second)


# -- roll ----------------------------------------------------------------------------------------------


def _rolled(x: Node, shifts: Any, axes: Any) -> tuple[Shape, Any]:
    known_axes("roll", x, axes)
    if not isinstance(shifts, tuple) or len(shifts) != len(axes) or any(type(shift) is not int for shift in shifts):
        raise errors.no_known_integers("roll", "shift", shifts)
    return x.shape, x.dtype


def _roll_text(x: str, shifts: tuple[int, ...], axes: tuple[int, ...], rank: int) -> str:
    """Write the axes even if they are all: without them, NumPy rolls all entries as along one axis."""
    shown = shifts[0] if len(shifts) == 1 else shifts
    places = tuple(axis + rank for axis in axes)
    return f"np.roll({x}, {shown}{'' if rank == 1 else f', axis={places[0] if len(places) == 1 else places}'})"


_roll: Function = primitive(
    "roll_along",
    signature=_rolled,
    vjp=lambda g, node: (_roll(g, tuple(-s for s in node.operation.parameters[0]), node.operation.parameters[1]),),
    linear=True,
    numpy=lambda spell, operands, parameters: _roll_text(
        operands[0], parameters[0], parameters[1], len(spell.operand_shapes[0])
    ),
    value=lambda x, shifts, axes: np.roll(x, shifts, axis=axes),
    latex=lambda operands, parameters: (
        rf"\operatorname{{roll}}^{{({', '.join(map(str, parameters[0]))})}}"
        rf"{below(parameters[1], len(operands[0].shape))}\left({operands[0]}\right)"
    ),
    examples=(
        lambda make: _roll(make("x", (5,)), (2,), (-1,)),
        lambda make: _roll(make("x", (2, 3)), (1, -1), (-2, -1)),
        lambda make: _roll(make("x", (2, 3)), (7,), (-1,)),
    ),
    batch="leading",
    doc="Entries moved along axes; those that leave at one end come in at the other.",
)


@public(
    "roll",
    examples=(
        lambda f, make: f(make("x", (3,)), 1),
        lambda f, make: f(make("x", (2, 3)), -2),
        lambda f, make: f(make("x", (2, 3)), 1, axis=0),
        lambda f, make: f(make("x", (2, 3)), (1, 2), axis=(0, 0)),
        lambda f, make: f(make("x", (2, 3)), 1, axis=(0, 1)),
        lambda f, make: f(make("x", (0,)), 1),
    ),
)
def roll(a: Any, shift: int | tuple[int, ...], axis: int | tuple[int, ...] | None = None) -> Node:
    """Move entries along axes, those that leave at one end come in at the other, as `numpy.roll` does.

    Args:
        a: Any shape.
        shift: By how many places, or a tuple of these.
        axis: The axis, or a tuple of axes, one for each shift; None: all entries, as along one axis.

    Raises:
        ShapeError: If an axis does not exist, or the numbers of shifts and axes differ.
        UsageError: If a shift is no integer that is known when the graph is built.

    Example:
        >>> import symback as sb
        >>> sb.roll(sb.tensor("x", ("n",)), 1).shape
        (n,)
    """
    x = as_array(a)
    if axis is None and len(x.shape) != 1:
        return reshape(roll(ravel(x), shift, 0), x.shape)
    shifts = shift if isinstance(shift, (tuple, list)) else (shift,)
    axes = (0,) if axis is None else axis if isinstance(axis, (tuple, list)) else (axis,)
    if not all(isinstance(s, (int, np.integer)) and not isinstance(s, bool) for s in shifts):
        raise errors.no_known_integers("roll", "shift", shift)
    if len(shifts) != len(axes) and 1 not in (len(shifts), len(axes)):
        raise errors.wrong_count("roll", x, "shift", len(shifts), len(axes))
    if not shifts or not axes:
        return x
    total: dict[int, int] = {}
    for k in range(max(len(shifts), len(axes))):
        place = normalize_axis("roll", x, axes[k % len(axes)]) - len(x.shape)
        total[place] = total.get(place, 0) + int(shifts[k % len(shifts)])
    return _roll(x, tuple(total.values()), tuple(total))
