"""Quantiles over axes, medians among them: entries at ranks, differentiable through the order of the others.

Order is stable: entries that tie keep their order, and each has the derivative of its own place.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from symback import errors
from symback.nodes.apply import Apply
from symback.nodes.dtypes import FLOAT64
from symback.nodes.leaves import as_node, exact
from symback.nodes.node import Node
from symback.nodes.products import count_over, keep_axes, permute, scale
from symback.nodes.shapes import Shape, normalize_axes, product
from symback.op.batch import Operands
from symback.op.declare import Function, primitive
from symback.op.public import public
from symback.ops.elementwise.logic import astype
from symback.ops.indexing.along import put_along
from symback.ops.indexing.sorting import argsort
from symback.ops.reductions.sums import Axis, reduced_shape
from symback.ops.shaping.joining import concatenate, stack
from symback.ops.shaping.reshaping import lead_of, reshape

__all__ = ["median", "percentile", "quantile"]


def _quantile_shape(x: Node, axes: Any, q: Any) -> tuple[Shape, Any]:
    if x.dtype.kind == "b":
        raise errors.operand_dtype("quantile", x, "a number")
    shape = reduced_shape("quantile", x, axes)
    count = product(x.shape[axis] for axis in axes)
    if not isinstance(count, int):
        raise errors.unknown_count("quantile", x, count)
    if not count:
        raise errors.empty_reduction("quantile", x)
    if type(q) is not float or not 0 <= q <= 1:
        raise errors.bad_quantile(q)
    return shape, x.dtype


def _ranks(count: int, q: float) -> list[tuple[int, float]]:
    """Return the ranks between which a quantile lies, with their weights."""
    at = q * (count - 1)
    low = min(math.floor(at), count - 1)
    part = at - low
    return [(low, 1 - part), (low + 1, part)] if part else [(low, 1.0)]


def _together(x: Node, axes: Sequence[int]) -> tuple[Node, tuple[int, ...]]:
    """Put axes behind the others, as one; return the order of axes too."""
    rank = len(x.shape)
    gone = [axis + rank for axis in sorted(axes)]
    order = (*(axis for axis in range(rank) if axis not in gone), *gone)
    moved = x if order == tuple(range(rank)) else permute(x, order)
    kept = rank - len(gone)
    return reshape(moved, (*moved.shape[:kept], product(moved.shape[kept:]))) if len(gone) > 1 else moved, order


def _quantile_vjp(g: Node, node: Apply) -> tuple[Node]:
    """Pass the cotangent to the entries of the ranks in question, by their weights."""
    (x,) = node.operands
    axes, q = node.operation.parameters
    lead = lead_of(g, node)
    flat, order = _together(x, axes)
    ranks = _ranks(int(flat.shape[-1]), q)
    chosen = argsort(flat, -1)[..., ranks[0][0] : ranks[-1][0] + 1]
    shares = concatenate([scale(exact(weight).value, g[..., None]) for _, weight in ranks], axis=-1)
    chosen = keep_axes(chosen, range(len(lead))) if lead else chosen
    spread = reshape(put_along((shares, chosen), -1, flat.shape[-1], True), (*lead, *[x.shape[k] for k in order]))
    back = [len(lead) + order.index(k) for k in range(len(order))]
    whole = [*range(len(lead)), *back]
    return (spread if whole == sorted(whole) else permute(spread, whole),)


def _spell_quantile(spell: Any, operands: Sequence[str], parameters: tuple[Any, ...]) -> str:
    axes, q = parameters
    function, level = ("np.median", "") if q == 0.5 else ("np.quantile", f", {q!r}")
    shown = axes[0] if len(axes) == 1 else tuple(axes)
    along = "" if len(axes) == len(spell.operand_shapes[0]) else f", axis={shown}"
    return f"{function}({operands[0]}{level}{along})"


def _quantile_value(x: Any, axes: tuple[int, ...], q: float) -> Any:
    if x.dtype != object:
        return np.median(x, axis=axes) if q == 0.5 else np.quantile(x, q, axis=axes)
    flat = np.moveaxis(x, axes, range(-len(axes), 0))
    flat = np.sort(flat.reshape(*flat.shape[: flat.ndim - len(axes)], -1), axis=-1)
    return sum(flat[..., rank] * weight for rank, weight in _ranks(flat.shape[-1], q))


def _quantile_in_batch(node: Any, operands: Operands) -> Node:
    """Over one axis: of no examples NumPy has no quantiles over several."""
    axes, q = node.operation.parameters
    return _quantile(_together(operands[0], axes)[0], (-1,), q)


_quantile: Function = primitive(
    "quantile_over",
    signature=_quantile_shape,
    vjp=_quantile_vjp,
    numpy=_spell_quantile,
    value=_quantile_value,
    latex=lambda operands, parameters: rf"\operatorname{{quantile}}_{{{parameters[1]}}}\left({operands[0]}\right)",
    examples=(
        lambda make: _quantile(make("x", (2, 3)), (-1,), 0.25),
        lambda make: _quantile(make("x", (4, 3)), (-2,), 0.5),
        lambda make: _quantile(make("x", (2, 2, 3)), (-3, -1), 0.7),
    ),
    batch=_quantile_in_batch,
    doc="The quantile of level q over axes, by linear interpolation (Hyndman and Fan, 1996, type 7).",
)


@public(
    "quantile",
    examples=(
        lambda f, make: f(make("x", (2, 3)), 0.3),
        lambda f, make: f(make("x", (4, 3)), 0.25, axis=0),
        lambda f, make: f(make("x", (2, 2, 3)), 1, axis=(0, -1), keepdims=True),
        lambda f, make: f(make("x", (1,)), 0.5),
    ),
    symbolic=False,
    kinks="entries that tie keep their order, and the derivative goes to those of the ranks in question",
)
def quantile(a: Any, q: Any, axis: Axis = None, *, keepdims: bool = False) -> Node:
    """Quantiles over axes, by linear interpolation, as `numpy.quantile` has them.

    Args:
        a: Any shape; the number of entries over the axes must be known when the graph is built.
        q: A level from 0 to 1, or a list of levels: then the result has them along a new first axis.
        axis: An axis, a tuple of axes, or None for all of them.
        keepdims: Keep the reduced axes with size 1.

    Raises:
        ShapeError: If an axis does not exist, or the number of entries is 0 or not known.
        InputError: If a level is not from 0 to 1.

    Example:
        >>> import symback as sb
        >>> sb.quantile(sb.tensor("X", ("N", 5)), [0.25, 0.75], axis=1).shape
        (2, N)
    """
    return _quantiles("quantile", a, q, axis, keepdims)


def _levels(q: Any) -> Any:
    """Return a level or a list of levels as an array."""
    ragged = isinstance(q, (list, tuple)) and any(np.ndim(level) for level in q)
    levels = np.asarray(None if ragged else q)
    if levels.ndim > 1 or levels.dtype.kind not in "iuf":
        raise errors.bad_quantile(q)
    return levels


def _quantiles(operation: str, a: Any, q: Any, axis: Axis, keepdims: bool) -> Node:
    x = as_node(a)
    levels = _levels(q)
    if x.dtype.kind != "f" or not isinstance(q, (int, float)):  # an array of levels is no weak number
        x = astype(x, FLOAT64)
    axes = normalize_axes(operation, x, axis)
    count = count_over(x, axes)
    if not isinstance(count, int):
        raise errors.unknown_count(operation, x, count)
    found = [_reduced(x, float(level), axes, keepdims) for level in levels.ravel()]
    return stack(found) if levels.ndim else found[0]


def _reduced(x: Node, q: float, axes: tuple[int, ...], keepdims: bool) -> Node:
    if not axes:
        return x
    result = _quantile(x, tuple(axis - len(x.shape) for axis in axes), q)
    return keep_axes(result, axes) if keepdims else result


@public(
    "percentile",
    examples=(
        lambda f, make: f(make("x", (5,)), 30),
        lambda f, make: f(make("x", (4, 3)), 50.0, axis=0),
    ),
    symbolic=False,
)
def percentile(a: Any, q: Any, axis: Axis = None, *, keepdims: bool = False) -> Node:
    """Quantiles whose levels are given in percent, as `numpy.percentile` has them; see `quantile`.

    Raises:
        ShapeError: If an axis does not exist, or the number of entries is 0 or not known.
        InputError: If a level is not from 0 to 100.

    Example:
        >>> import symback as sb
        >>> sb.percentile(sb.tensor("X", ("N", 5)), 90, axis=1).shape
        (N,)
    """
    return _quantiles("percentile", a, np.true_divide(_levels(q), 100)[()], axis, keepdims)


@public(
    "median",
    examples=(
        lambda f, make: f(make("x", (2, 3))),
        lambda f, make: f(make("x", (4, 3)), axis=0),
        lambda f, make: f(make("x", (3, 1)), axis=-1, keepdims=True),
    ),
    symbolic=False,
    kinks="entries that tie keep their order, and the derivative goes to those in the middle",
)
def median(a: Any, axis: Axis = None, *, keepdims: bool = False) -> Node:
    """Median over axes, as `numpy.median` has it: the entry in the middle, or the mean of the two there.

    Args:
        a: Any shape; the number of entries over the axes must be known when the graph is built.
        axis: An axis, a tuple of axes, or None for all of them.
        keepdims: Keep the reduced axes with size 1.

    Raises:
        ShapeError: If an axis does not exist, or the number of entries is 0 or not known.

    Example:
        >>> import symback as sb
        >>> sb.median(sb.tensor("X", ("N", 5)), axis=1).shape
        (N,)
    """
    return _quantiles("median", a, 0.5, axis, keepdims)
