"""Reductions of the entries that are numbers: NaN is left out, and no NaN reaches a derivative."""

from typing import Any

from symback.nodes.dtypes import is_float
from symback.nodes.leaves import as_node
from symback.nodes.node import Node
from symback.nodes.products import keep_axes
from symback.nodes.shapes import normalize_axes
from symback.op.public import public
from symback.ops.elementwise.arithmetic import divide, subtract
from symback.ops.elementwise.logic import astype, equal, greater, isnan, logical_not
from symback.ops.elementwise.logic import where as select
from symback.ops.elementwise.powers import sqrt, square
from symback.ops.reductions.counting import count_nonzero
from symback.ops.reductions.sums import Axis, ddof_of, floating, mean, real, sum

__all__ = ["nanmean", "nanstd", "nansum", "nanvar"]

_EXAMPLES: tuple[Any, ...] = (
    lambda f, make: f(make("x", (2, 3))),
    lambda f, make: f(make("x", (2, 3)), 1, keepdims=True),
    lambda f, make: f(make("k", (2, 3), dtype="int64"), 0, dtype="float32"),
    lambda f, make: f(make("k", (2, 3), dtype="int64"), axis=0),
)
_KINKS = "entries that are NaN have derivative 0"


@public("nansum", examples=_EXAMPLES, kinks=_KINKS)
def nansum(a: Any, axis: Axis = None, dtype: Any = None, *, keepdims: bool = False) -> Node:
    """Sum over axes of the entries that are numbers, as `numpy.nansum` has it; 0 where there is none.

    Args:
        a: Any shape.
        axis: An axis, a tuple of axes, or None for all of them.
        dtype: In which is summed: float64, float32, int64 or uint64.
        keepdims: Keep the reduced axes with size 1.

    Raises:
        ShapeError: If an axis does not exist or is named twice.
        DtypeError: If `dtype` is another one.

    Example:
        >>> import symback as sb
        >>> sb.nansum(sb.tensor("X", ("N", "n")), axis=0).shape
        (n,)
    """
    x = as_node(a)
    return sum(_without_nan(x) if is_float(x.dtype) else x, axis, dtype, keepdims=keepdims)


def _without_nan(x: Node) -> Node:
    return select(isnan(x), 0, x)


def _counted(x: Node, axes: tuple[int, ...]) -> Node:
    """Return how many entries are numbers, in the dtype of x."""
    return astype(count_nonzero(logical_not(isnan(x)), axes), x.dtype)


@public("nanmean", examples=_EXAMPLES, kinks=f"{_KINKS}; the mean of no number is NaN")
def nanmean(a: Any, axis: Axis = None, dtype: Any = None, *, keepdims: bool = False) -> Node:
    """Average over axes of the entries that are numbers, as `numpy.nanmean` has it; NaN where there is none.

    Args:
        a: Any shape; the average of integers is float64.
        axis: An axis, a tuple of axes, or None for all of them.
        dtype: In which is computed: float64 or float32.
        keepdims: Keep the reduced axes with size 1.

    Raises:
        ShapeError: If an axis does not exist or is named twice.
        DtypeError: If `dtype` is no float.

    Example:
        >>> import symback as sb
        >>> sb.nanmean(sb.tensor("X", ("N", 3)), axis=1).shape
        (N,)
    """
    x = floating("nanmean", a, dtype)
    if not is_float(x.dtype):
        return mean(x, axis, keepdims=keepdims)
    axes = normalize_axes("nanmean", x, axis)
    average = divide(nansum(x, axes), _counted(x, axes))
    return keep_axes(average, axes) if keepdims else average


@public("nanvar", examples=(*_EXAMPLES, lambda f, make: f(make("x", (2, 3)), axis=1, ddof=1)), kinks=_KINKS)
def nanvar(
    a: Any, axis: Axis = None, dtype: Any = None, *, ddof: int = 0, keepdims: bool = False, correction: Any = None
) -> Node:
    """Variance over axes of the entries that are numbers, as `numpy.nanvar` has it.

    Args are those of `var`; the variance of at most `ddof` numbers is NaN.

    Raises:
        ShapeError: If an axis does not exist or is named twice.
        DtypeError: If `dtype` is no float.
        UsageError: If `ddof` is no integer, or given under both names.

    Example:
        >>> import symback as sb
        >>> sb.nanvar(sb.tensor("X", ("N", 3)), axis=1).shape
        (N,)
    """
    x = real(floating("nanvar", a, dtype))
    axes = normalize_axes("nanvar", x, axis)
    rest = select(isnan(x), 0, subtract(x, keep_axes(nanmean(x, axes), axes)))
    divisor = subtract(_counted(x, axes), ddof_of("nanvar", ddof, correction))
    variance = divide(sum(square(rest), axes), select(greater(divisor, 0), divisor, float("nan")))
    return keep_axes(variance, axes) if keepdims else variance


@public(
    "nanstd",
    examples=(*_EXAMPLES[:2], lambda f, make: f(make("x", (2, 3)), axis=1, ddof=1)),
    kinks=(f"{_KINKS}; where the standard deviation is 0 its derivative is 0"),
)
def nanstd(
    a: Any, axis: Axis = None, dtype: Any = None, *, ddof: int = 0, keepdims: bool = False, correction: Any = None
) -> Node:
    """Standard deviation over axes of the entries that are numbers, as `numpy.nanstd` has it.

    Args are those of `var`.

    Raises:
        ShapeError: If an axis does not exist or is named twice.
        DtypeError: If `dtype` is no float.
        UsageError: If `ddof` is no integer, or given under both names.

    Example:
        >>> import symback as sb
        >>> sb.nanstd(sb.tensor("X", ("N", 3)), axis=1).shape
        (N,)
    """
    variance = nanvar(a, axis, dtype, ddof=ddof, keepdims=keepdims, correction=correction)
    none = equal(variance, 0)
    return select(none, 0, sqrt(select(none, 1, variance)))
