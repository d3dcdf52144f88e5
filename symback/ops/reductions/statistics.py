"""Variances, standard deviations, weighted averages."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from symback import errors
from symback.nodes.apply import Apply
from symback.nodes.dtypes import promote, to_float
from symback.nodes.leaves import as_node, size_of
from symback.nodes.node import METHODS, Node
from symback.nodes.products import broadcast_to, count_over, full, hadamard, keep_axes, permute, scale, sum_axes
from symback.nodes.shapes import Shape, SizeExpr, normalize_axes, normalize_axis, simplify_size
from symback.op.declare import primitive
from symback.op.public import public
from symback.ops.elementwise.arithmetic import divide, divide_nodes, subtract
from symback.ops.elementwise.logic import astype, equal
from symback.ops.elementwise.logic import where as select
from symback.ops.reductions.sums import (
    Axis,
    average_of,
    ddof_of,
    expand,
    floating,
    look,
    mean,
    positive,
    real,
    reduce_over,
    reduced_shape,
    spell,
)

__all__ = ["average", "std", "var"]


def divisor_of(x: Node, axes: tuple[int, ...], ddof: int) -> SizeExpr:
    """Return the number of entries less `ddof`, not below 0 as far as it is known."""
    count = simplify_size(count_over(x, positive(axes, len(x.shape))) - ddof)
    return max(count, 0) if isinstance(count, int) else count


def _signature(name: str) -> Callable[..., Any]:
    def signature(x: Node, axes: Any, ddof: Any) -> tuple[Shape, np.dtype[Any]]:
        if type(ddof) is not int:
            raise errors.bad_ddof(name, ddof)
        return reduced_shape(name, x, axes), to_float(x.dtype)

    return signature


def _centered(x: Node, axes: tuple[int, ...]) -> Node:
    rank = len(x.shape)
    return subtract(x, mean(x, positive(axes, rank), keepdims=len(axes) < rank))


def _var_vjp(g: Node, node: Apply) -> tuple[Node]:
    (x,) = node.operands
    axes, ddof = node.operation.parameters
    slope = scale(2, hadamard(expand(g, axes), _centered(x, axes)))
    return (average_of(slope, divisor_of(x, axes, ddof)),)


def _std_vjp(g: Node, node: Apply) -> tuple[Node]:
    """Divide by infinity where the deviation is 0: the derivative of least norm there is 0."""
    (x,) = node.operands
    axes, ddof = node.operation.parameters
    deviation = select(equal(node, 0), float("inf"), node)
    slope = hadamard(expand(divide_nodes(g, deviation), axes), _centered(x, axes))
    return (average_of(slope, divisor_of(x, axes, ddof)),)


def _spelled(function: str) -> Callable[..., str]:
    def write(speller: Any, operands: Any, parameters: tuple[Any, ...]) -> str:
        ddof = parameters[1]
        return spell(function, *([f"ddof={ddof}"] if ddof else []))(speller, operands, parameters)

    return write


def _variance(x: Any, axes: tuple[int, ...], ddof: int) -> Any:
    """Return the variance of mpmath numbers, in two passes."""
    count = np.prod([x.shape[axis] for axis in axes], dtype=int)
    if not x.size:
        return np.sum(x, axis=axes) / max(count - ddof, 0)
    first = x[tuple(slice(0, 1) if axis - x.ndim in axes or axis in axes else slice(None) for axis in range(x.ndim))]
    rest = x - first  # equal numbers have no variance, even where their mean rounds
    rest = rest - np.sum(rest, axis=axes, keepdims=True) / count
    return np.sum(rest * rest, axis=axes) / max(count - ddof, 0)


def _deviation(x: Any, axes: tuple[int, ...], ddof: int) -> Any:
    return np.frompyfunc(lambda v: v.context.sqrt(v), 1, 1)(_variance(x, axes, ddof))


_var = primitive(
    "var_over", signature=_signature("var"), vjp=_var_vjp, numpy=_spelled("np.var"),
    value=lambda x, axes, ddof: np.var(x, axis=axes, ddof=ddof), latex=look(r"\operatorname{var}"),
    mpmath=lambda mp, x, axes, ddof: _variance(x, axes, ddof),
    examples=(
        lambda make: METHODS["var"](make("x", (2, 3)), axis=1),
        lambda make: METHODS["var"](make("x", (2, 3)), ddof=1),
        lambda make: METHODS["var"](make("x", (2, 1, 3)), axis=(0, 1)),
    ),
    batch="leading",
    doc="Variance over axes: the mean square distance from the mean (two passes).",
)  # fmt: skip
_std = primitive(
    "std_over", signature=_signature("std"), vjp=_std_vjp, numpy=_spelled("np.std"),
    value=lambda x, axes, ddof: np.std(x, axis=axes, ddof=ddof), latex=look(r"\operatorname{std}"),
    mpmath=lambda mp, x, axes, ddof: _deviation(x, axes, ddof),
    examples=(
        lambda make: METHODS["std"](make("x", (2, 3)), axis=1),
        lambda make: METHODS["std"](make("x", (2, 3)), ddof=1),
    ),
    batch="leading",
    doc="Standard deviation over axes: the root of the variance; its derivative where it is 0 is 0.",
)  # fmt: skip


@public(
    "var",
    examples=(
        lambda f, make: f(make("x", (2, 3))),
        lambda f, make: f(make("x", (2, 1, 3)), (0, -1), keepdims=True),
        lambda f, make: f(make("x", (2, 3)), axis=1, ddof=1),
        lambda f, make: f(make("k", (4, 2), dtype="int32"), 0, "float32"),
        lambda f, make: f(make("k", (2, 3), dtype="int64"), axis=0),
    ),
    kinks="NaN over no entries; NaN or infinite over at most `ddof` entries",
)
def var(
    a: Any, axis: Axis = None, dtype: Any = None, *, ddof: int = 0, keepdims: bool = False, correction: Any = None
) -> Node:
    """Variance over axes, as `numpy.var` has it: the mean square distance from the mean (two passes).

    Args:
        a: Any shape; the variance of integers is float64.
        axis: An axis, a tuple of axes, or None for all of them.
        dtype: In which is computed: float64 or float32.
        ddof: What is subtracted from the number of entries in the divisor, an integer.
        keepdims: Keep the reduced axes with size 1.
        correction: Another name of `ddof`.

    Raises:
        ShapeError: If an axis does not exist or is named twice.
        DtypeError: If `dtype` is no float.
        UsageError: If `ddof` is no integer, or given under both names.

    Example:
        >>> import symback as sb
        >>> sb.var(sb.tensor("X", ("N", 3)), axis=0).shape
        (3,)
    """
    x = floating("var", a, dtype)
    return reduce_over(_var, "var", x, axis, keepdims, ddof_of("var", ddof, correction), trivial=False)


@public(
    "std",
    examples=(
        lambda f, make: f(make("x", (2, 3))),
        lambda f, make: f(make("x", (2, 1, 3)), (0, -1), keepdims=True),
        lambda f, make: f(make("x", (2, 3)), axis=1, ddof=1),
    ),
    kinks="Where the standard deviation is 0 its derivative is 0, at second order too; NaN over no entries.",
)
def std(
    a: Any, axis: Axis = None, dtype: Any = None, *, ddof: int = 0, keepdims: bool = False, correction: Any = None
) -> Node:
    """Standard deviation over axes, as `numpy.std` has it; its derivative where it is 0 is 0, as that of a norm.

    Args and errors are those of `var`.

    Raises:
        ShapeError: If an axis does not exist or is named twice.
        DtypeError: If `dtype` is no float.
        UsageError: If `ddof` is no integer, or given under both names.

    Example:
        >>> import symback as sb
        >>> sb.std(sb.tensor("X", ("N", 3)), axis=0).shape
        (3,)
    """
    x = floating("std", a, dtype)
    return reduce_over(_std, "std", x, axis, keepdims, ddof_of("std", ddof, correction), trivial=False)


@public(
    "average",
    examples=(
        lambda f, make: f(make("x", (2, 3)), axis=1, keepdims=True),
        lambda f, make: f(make("x", (2, 3)), weights=make("w", (2, 3), low=0.5)),
        lambda f, make: f(make("x", (2, 3)), 0, make("w", (2,), low=0.5), keepdims=True),
        lambda f, make: math.prod(f(make("x", (2, 3)), 1, make("w", (3,), low=0.5), returned=True)),
        lambda f, make: f(make("x", (2, 4, 3)), (2, 0), make("w", (3, 2), low=0.5)),
        lambda f, make: math.prod(f(make("x", (2, 3)), axis=0, returned=True)),
        lambda f, make: f(make("k", (3,), dtype="int64"), weights=make("m", (3,), dtype="int8", low=1, high=4)),
    ),
    defined="where the sum of the weights is not 0; it is infinite or NaN there (NumPy raises)",
)
def average(
    a: Any, axis: Axis = None, weights: Any = None, returned: bool = False, *, keepdims: bool = False
) -> Node | tuple[Node, Node]:
    """Weighted average over axes, as `numpy.average` has it: sum(weights * a) / sum(weights).

    Args:
        a: Any shape; integers are averaged in float64.
        axis: An axis, a tuple of axes, or None for all of them.
        weights: Of the shape of a, or of the sizes of the axes `axis`; 1 by default.
        returned: Return the sum of the weights too.
        keepdims: Keep the reduced axes with size 1.

    Returns:
        The average, or with `returned` the pair of it and the sum of the weights, of one shape.

    Raises:
        ShapeError: If an axis does not exist or is named twice, or the weights do not fit.

    Example:
        >>> import symback as sb
        >>> sb.average(sb.tensor("X", ("N", 3)), axis=1, weights=sb.tensor("w", (3,))).shape
        (N,)
    """
    x = as_node(a)
    if weights is None:
        result = mean(x, axis, keepdims=keepdims)
        count = count_over(x, normalize_axes("average", x, axis))
        total = astype(hadamard(size_of(count), full((), 1, result)), result.dtype)
    else:
        w = as_node(weights)
        axes = normalize_axes("average", x, axis)
        dtype = promote([x, w] if x.dtype.kind == "f" else [real(x), w])
        w = astype(_spread(x, w, axis), dtype)
        total = sum_axes(w, axes, keepdims)
        result = divide(sum_axes(hadamard(astype(x, dtype), w), axes, keepdims), total)
    return (result, broadcast_to(total, result.shape)) if returned else result


def _spread(x: Node, w: Node, axis: Axis) -> Node:
    """Put weights along the axes of an average, with axes of size 1 in all other places."""
    if w.shape == x.shape:
        return w
    given = () if axis is None else axis if isinstance(axis, tuple) else (axis,)
    axes = [normalize_axis("average", x, a) for a in given]
    if not axes or w.shape != tuple(x.shape[a] for a in axes):
        raise errors.bad_weights(x, w, axis)
    ordered = permute(w, sorted(range(len(axes)), key=axes.__getitem__))
    return keep_axes(ordered, [k for k in range(len(x.shape)) if k not in axes])
