"""Differences of neighbours, and what is made of them: slopes and areas of sampled functions."""

from typing import Any

import numpy as np

from symback import errors
from symback.nodes.apply import Apply
from symback.nodes.dtypes import BOOL
from symback.nodes.leaves import as_node, exact
from symback.nodes.node import Node
from symback.nodes.products import broadcast_to as broadcast_node
from symback.nodes.products import full, scale, sum_axes
from symback.nodes.shapes import Shape, intern_shape, normalize_axes, normalize_axis, sequence_of, simplify_size
from symback.op.declare import Function, primitive
from symback.op.public import public
from symback.ops.elementwise.arithmetic import divide, multiply
from symback.ops.elementwise.logic import astype, not_equal
from symback.ops.shaping.arranging import below
from symback.ops.shaping.joining import concatenate
from symback.ops.shaping.padding import pad
from symback.ops.shaping.reshaping import as_array, axis_argument, expand_dims, ravel

__all__ = ["diff", "ediff1d", "gradient", "trapezoid"]


def _differences(x: Node, n: Any, axis: Any) -> tuple[Shape, Any]:
    if type(axis) is not int or not -len(x.shape) <= axis < 0:
        raise errors.bad_axis("diff", x, axis)
    if type(n) is not int or n < 1:
        raise errors.no_known_integers("diff", "n", n)
    if x.dtype == BOOL:
        raise errors.operand_dtype("diff", x, "a number")
    place = len(x.shape) + axis
    size = simplify_size(x.shape[place] - n)
    size = max(size, 0) if isinstance(size, int) else size
    return intern_shape((*x.shape[:place], size, *x.shape[place + 1 :])), x.dtype


def _diff_vjp(g: Node, node: Apply) -> tuple[Node]:
    """Differences of the cotangent with zeros at both ends; each difference turns the sign."""
    n, axis = node.operation.parameters
    lead = g.shape[: len(g.shape) - len(node.shape)]
    if node.shape[axis] == 0:
        return (full(lead + node.operands[0].shape, 0, g),)
    widths = [(0, 0)] * len(g.shape)
    widths[axis] = (n, n)
    return (scale((-1) ** n, _diff(pad(g, widths), n, axis)),)


def _diff_text(x: str, n: int, axis: int, rank: int) -> str:
    order = f", n={n}" if n > 1 else ""
    return f"np.diff({x}{order}{axis_argument(axis, rank, -1)})"


_diff: Function = primitive(
    "diff_along",
    signature=_differences,
    vjp=_diff_vjp,
    linear=True,
    numpy=lambda spell, operands, parameters: _diff_text(
        operands[0], parameters[0], parameters[1], len(spell.operand_shapes[0])
    ),
    value=lambda x, n, axis: np.diff(x, n, axis),
    latex=lambda operands, parameters: (
        rf"\Delta{f'^{{{parameters[0]}}}' if parameters[0] > 1 else ''}"
        rf"{below(parameters[1:], len(operands[0].shape))}\left({operands[0]}\right)"
    ),
    examples=(
        lambda make: _diff(make("x", (4,)), 1, -1),
        lambda make: _diff(make("x", (4, 2)), 2, -2),
        lambda make: _diff(make("x", (1,)), 2, -1),
    ),
    batch="leading",
    doc="Differences of neighbours along an axis, so many times.",
)


def _order(operation: str, n: Any) -> int:
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 0:
        raise errors.no_known_integers(operation, "n", n)
    return int(n)


@public(
    "diff",
    examples=(
        lambda f, make: f(make("x", (2, 3))),
        lambda f, make: f(make("x", (4, 2)), 2, axis=0),
        lambda f, make: f(make("x", (2, 3)), prepend=0, append=make("z", (2, 1))),
        lambda f, make: f(make("x", (3,)), n=0),
        lambda f, make: f(make("i", (4,), dtype="bool", low=0)),
    ),
)
def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Node:
    """Differences of neighbours along an axis, as `numpy.diff` has them; of booleans, whether they differ.

    Args:
        a: Any shape with at least one axis.
        n: How many times differences are taken.
        axis: The axis.
        prepend: What to put before `a` first: an array, or a number.
        append: What to put behind `a` first.

    Raises:
        ShapeError: If the axis does not exist.
        UsageError: If n is no integer >= 0 that is known when the graph is built.

    Example:
        >>> import symback as sb
        >>> sb.diff(sb.tensor("x", ("n",)), n=2).shape
        (n - 2,)
    """
    x, times = as_array(a), _order("diff", n)
    place = normalize_axis("diff", x, axis)
    if times == 0:
        return x
    ends = [None if end is None else _end(x, place, end) for end in (prepend, append)]
    parts = [part for part in (ends[0], x, ends[1]) if part is not None]
    x = concatenate(parts, place)
    if x.dtype != BOOL:
        return _diff(x, times, place - len(x.shape))
    for _ in range(times):
        before = (slice(None),) * place
        x = not_equal(x[(*before, slice(1, None))], x[(*before, slice(None, -1))])
    return x


def _end(x: Node, axis: int, end: Any) -> Node:
    """Return what is put before or behind an array; a number stands for one layer of it."""
    node = as_array(end)
    return node if node.shape else broadcast_node(node, (*x.shape[:axis], 1, *x.shape[axis + 1 :]))


@public(
    "ediff1d",
    examples=(
        lambda f, make: f(make("x", (2, 2))),
        lambda f, make: f(make("x", (3,)), to_end=make("z", (2,)), to_begin=1.5),
    ),
)
def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Node:
    """Differences of neighbours among all entries, as `numpy.ediff1d` has them.

    Args:
        ary: Any shape; entries are taken in row-major order.
        to_end: What to put behind the differences.
        to_begin: What to put before the differences.

    Raises:
        DtypeError: If what is put there does not go into the array's dtype.

    Example:
        >>> import symback as sb
        >>> sb.ediff1d(sb.tensor("x", ("n",)), to_begin=0.0).shape
        (n,)
    """
    x = as_array(ary)
    ends = [None if end is None else ravel(as_array(end)) for end in (to_begin, to_end)]
    for end in ends:
        if end is not None and not np.can_cast(end.dtype, x.dtype, "same_kind"):
            raise errors.lossy_conversion("ediff1d", end, x.dtype)
    middle = diff(ravel(x))
    parts = [
        part if part is middle else astype(part, x.dtype) for part in (ends[0], middle, ends[1]) if part is not None
    ]
    return concatenate(parts)


@public(
    "trapezoid",
    examples=(
        lambda f, make: f(make("y", (2, 3))),
        lambda f, make: f(make("y", (2, 3)), make("x", (3,))),
        lambda f, make: f(make("y", (3, 2)), dx=0.5, axis=0),
        lambda f, make: f(make("y", (3, 2)), make("x", (3,)), axis=0),
        lambda f, make: f(make("y", (1,))),
    ),
)
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Node:
    """Area under a sampled function by the trapezoidal rule, as `numpy.trapezoid` has it.

    Args:
        y: The samples; any shape with at least one axis.
        x: Where the samples lie: shape (n,), or the shape of y; if not given, `dx` apart.
        dx: The distance between samples.
        axis: The axis along which to integrate.

    Raises:
        ShapeError: If the axis does not exist, or shapes do not fit.

    Example:
        >>> import symback as sb
        >>> sb.trapezoid(sb.tensor("Y", ("N", "n")), dx=0.1).shape
        (N,)
    """
    samples = as_array(y)
    place = normalize_axis("trapezoid", samples, axis)
    behind = len(samples.shape) - place - 1
    step = as_node(dx) if x is None else _steps(as_array(x), place, behind)
    before = (slice(None),) * place
    pairs = samples[(*before, slice(1, None))] + samples[(*before, slice(None, -1))]
    areas = divide(multiply(step, pairs), 2)
    return sum_axes(areas, (len(areas.shape) - behind - 1,))


def _steps(x: Node, place: int, behind: int) -> Node:
    """Return the distances between positions: of a vector, along the axis at hand."""
    if len(x.shape) != 1:
        return diff(x, axis=place)
    steps = diff(x)
    return expand_dims(steps, tuple(range(1, behind + 1)))


@public(
    "gradient",
    examples=(
        lambda f, make: f(make("x", (4,))),
        lambda f, make: f(make("x", (3, 2)), 0.5, axis=0),
        lambda f, make: f(make("x", (2, 3)), 2, 0.5),
    ),
)
def gradient(f: Any, *varargs: Any, axis: int | tuple[int, ...] | None = None) -> Node | tuple[Node, ...]:
    """Slope of a sampled function by central differences, one-sided at the ends, as `numpy.gradient` has it.

    Args:
        f: The samples; any shape with at least one axis.
        varargs: The distance between samples: one for all axes, or one for each; numbers or nodes without axes.
        axis: An axis, or a tuple of axes; None: all of them.

    Returns:
        The slope along each axis, in a tuple if there are several.

    Raises:
        ShapeError: If an axis does not exist or has fewer than two samples, or a distance is no number.

    Example:
        >>> import symback as sb
        >>> sb.gradient(sb.tensor("x", ("n",)), 0.1).shape
        (n,)
    """
    x = as_array(f)
    axes = normalize_axes("gradient", x, None) if axis is None else _given_axes(x, axis)
    spacings = [as_node(spacing) for spacing in (varargs or (1,))] * (len(axes) if len(varargs) < 2 else 1)
    if len(spacings) != len(axes):
        raise errors.wrong_count("gradient", x, "varargs", len(varargs), len(axes))
    for spacing in spacings:
        if spacing.shape:
            raise errors.wrong_rank("gradient", spacing, "0 (evenly spaced samples)")
    x = x if x.dtype.kind == "f" else astype(x, "float64")
    slopes = tuple(_slope(x, place, spacing) for place, spacing in zip(axes, spacings, strict=True))
    return slopes[0] if len(slopes) == 1 else slopes


def _given_axes(x: Node, axis: Any) -> list[int]:
    return [
        normalize_axis("gradient", x, k) for k in (sequence_of("gradient", axis, "axes") if np.ndim(axis) else [axis])
    ]


def _slope(x: Node, axis: int, spacing: Node) -> Node:
    size = x.shape[axis]
    if isinstance(size, int) and size < 2:
        raise errors.too_few_samples("gradient", x, axis)
    steps = diff(x, axis=axis)
    before = (slice(None),) * axis
    inner = divide(x[(*before, slice(2, None))] - x[(*before, slice(None, -2))], multiply(exact(2), spacing))
    first, last = (divide(steps[(*before, end)], spacing) for end in (slice(None, 1), slice(-1, None)))
    return concatenate([first, inner, last], axis)
