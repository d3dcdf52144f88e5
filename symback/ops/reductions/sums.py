"""Sums and means, which are Contracts, and what all reductions have in common: axes, spelling, look, options.

Axes of primitives are kept as negative numbers, so that a rule also holds for cotangents with leading axes.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from symback import errors
from symback.nodes.add import add
from symback.nodes.dtypes import BOOL, FLOAT64, INT64, UINT64, as_dtype, is_float
from symback.nodes.leaves import as_node, exact, size_of
from symback.nodes.node import METHODS, Node
from symback.nodes.products import broadcast_to, count_over, keep_axes, sum_axes
from symback.nodes.shapes import Shape, SizeExpr, broadcast_shapes, integer_of, intern_shape, normalize_axes
from symback.op.declare import Function
from symback.op.public import public
from symback.ops.elementwise.arithmetic import divide, divide_nodes
from symback.ops.elementwise.logic import astype
from symback.ops.elementwise.logic import where as select

__all__ = ["mean", "sum"]

Axis = int | tuple[int, ...] | None

# -- axes --------------------------------------------------------------------------------------------


def positive(axes: tuple[int, ...], rank: int) -> tuple[int, ...]:
    """Return axes counted from 0."""
    return tuple(axis % rank for axis in axes)


def expand(y: Node, axes: tuple[int, ...]) -> Node:
    """Put the reduced axes, which are negative numbers, back with size 1."""
    return keep_axes(y, positive(axes, len(y.shape) + len(axes)))


def reduced_shape(name: str, x: Node, axes: Any) -> Shape:
    """Return the shape without the axes, which must be distinct negative numbers."""
    rank = len(x.shape)
    known = isinstance(axes, tuple) and all(type(axis) is int and -rank <= axis < 0 for axis in axes)
    if not known or len(set(axes)) < len(axes):
        raise errors.bad_axis(name, x, axes)
    gone = positive(axes, rank)
    return intern_shape(tuple([size for axis, size in enumerate(x.shape) if axis not in gone]))


def reduced_nonempty(name: str, x: Node, axes: Any) -> Shape:
    """The same for a reduction that has no value over no entries."""
    shape = reduced_shape(name, x, axes)
    if count_over(x, positive(axes, len(x.shape))) == 0:
        raise errors.empty_reduction(name, x)
    return shape


def reduce_over(
    apply: Function, name: str, x: Node, axis: Axis, keepdims: bool, *parameters: Any, trivial: bool = True
) -> Node:
    """Apply a primitive over axes; over none it is the identity if `trivial`."""
    axes = tuple(a - len(x.shape) for a in normalize_axes(name, x, axis))
    if not axes and trivial:
        return x
    reduced = apply(x, axes, *parameters)
    return expand(reduced, axes) if keepdims else reduced


def spell(function: str, *more: str, reduces: bool = True) -> Callable[..., str]:
    """Return the NumPy spelling of a reduction: a function, further arguments, and `axis` unless it is all of them.

    What works along axes but keeps them does not `reduces`: there is none to put back.
    """

    def write(spell: Any, operands: Sequence[str], parameters: tuple[Any, ...]) -> str:
        rank = len(spell.operand_shapes[0])
        axes = positive(parameters[0], rank)
        arguments = [*operands] if len(axes) == rank else [*operands, f"axis={axes[0] if len(axes) == 1 else axes}"]
        text = f"{function}({', '.join([*arguments, *more])})"
        return str(spell.reduction(text, axes)) if not reduces else spell.reduction(text, axes)

    return write


def look(function: str) -> Callable[..., str]:
    """Write a reduction with its axes, counted from 0, below the function; with none if all are reduced."""

    def write(operands: Sequence[Any], parameters: tuple[Any, ...]) -> str:
        axes, rank = parameters[0], len(operands[0].shape)
        shown = ", ".join(map(str, positive(axes, rank)))
        word = "axis" if len(axes) == 1 else "axes"
        below = "" if len(axes) == rank else rf"_{{\text{{{word} }}{shown}}}"
        return rf"{function}{below}\left({', '.join(operands)}\right)"

    return write


# -- options -----------------------------------------------------------------------------------------


def summable(name: str, a: Any, dtype: Any) -> Node:
    """Convert to `dtype`, or, without one, what NumPy sums in int64 or uint64."""
    node = as_node(a)
    if dtype is not None:
        wanted = as_dtype(dtype)
        if wanted.itemsize < 8 and not is_float(wanted):
            raise errors.no_result_dtype(name, wanted, "float64, float32, int64 or uint64")
        return astype(node, wanted)
    if is_float(node.dtype) or node.dtype.itemsize == 8:
        return node
    return astype(node, UINT64 if node.dtype.kind == "u" else INT64)


def real(a: Any) -> Node:
    """Convert what is no float to float64."""
    node = as_node(a)
    return node if is_float(node.dtype) else astype(node, FLOAT64)


def floating(name: str, a: Any, dtype: Any) -> Node:
    """Convert to `dtype`, which must be a float."""
    node = as_node(a)
    if dtype is None:
        return node
    if not is_float(as_dtype(dtype)):
        raise errors.no_result_dtype(name, as_dtype(dtype), "float64 or float32")
    return astype(node, dtype)


def taken(name: str, x: Node, where: Any, filler: Any) -> Node:
    """Write `filler` where the mask `where` does not hold."""
    if where is None:
        return x
    mask = as_node(where)
    if mask.dtype != BOOL:
        raise errors.operand_dtype(f"{name}: where", mask, "bool")
    if broadcast_shapes(name, [x, mask]) != x.shape:
        raise errors.bad_where(name, x, mask)
    return select(mask, x, filler)


def initial_value(name: str, initial: Any, dtype: np.dtype[Any]) -> Node:
    """Convert what a reduction begins with to the dtype of its result."""
    node = as_node(initial)
    if node.shape != ():
        raise errors.no_scalar_option(name, "initial", node)
    weak = node.is_weak and (is_float(dtype) or not is_float(node.dtype)) and dtype is not BOOL
    return node if weak else astype(node, dtype)


def ddof_of(name: str, ddof: Any, correction: Any) -> int:
    """Return what is subtracted from the number of entries, given under either name."""
    if correction is not None and ddof != 0:
        raise errors.ddof_twice(name)
    given = ddof if correction is None else correction
    number = integer_of(given)
    if number is None:
        raise errors.bad_ddof(name, given)
    return number


# -- sum and mean ------------------------------------------------------------------------------------


def average_of(total: Node, count: SizeExpr) -> Node:
    """Divide by a number of entries; over none it is 0 / 0, which is NaN, as NumPy has it."""
    return divide_nodes(total, exact(0)) if count == 0 else divide(total, size_of(count))


@public(
    "sum",
    examples=(
        lambda f, make: f(make("x", (2, 3))),
        lambda f, make: f(make("x", (2, 1, 3)), axis=(0, -1), keepdims=True),
        lambda f, make: f(make("k", (2, 3), dtype="int32"), 1, "float32"),
        lambda f, make: f(make("x", (2, 3)), axis=0, where=make("m", (3,), dtype="bool", low=0), initial=2.0),
        lambda f, make: f(make("x", (0, 3)), axis=0),
        lambda f, make: f(make("x", ())),
        lambda f, make: f(make("k", (2, 3), dtype="uint8", low=0), axis=0),
        lambda f, make: f(make("b", (2, 3), dtype="bool", low=0), axis=1),
    ),
)
def sum(
    a: Any, axis: Axis = None, dtype: Any = None, *, keepdims: bool = False, initial: Any = None, where: Any = None
) -> Node:
    """Sum over axes, as `numpy.sum` has it.

    Args:
        a: Any shape; small integers and booleans are summed in int64 or uint64.
        axis: An axis, a tuple of axes, or None for all of them.
        dtype: In which is summed: float64, float32, int64 or uint64.
        keepdims: Keep the reduced axes with size 1.
        initial: A number that is added.
        where: A boolean mask that broadcasts to the shape of a: which entries are summed.

    Raises:
        ShapeError: If an axis does not exist or is named twice, or the mask does not broadcast.
        DtypeError: If `dtype` is another one, or the mask is not boolean.

    Example:
        >>> import symback as sb
        >>> sb.sum(sb.tensor("X", ("N", "n")), axis=0).shape
        (n,)
    """
    if dtype is None and where is None and as_node(a).dtype is BOOL:
        total: Node = METHODS["count_nonzero"](a, axis, keepdims=keepdims)
    else:
        x = taken("sum", summable("sum", a, dtype), where, 0)
        total = sum_axes(x, normalize_axes("sum", x, axis), keepdims)
    return total if initial is None else add(total, initial_value("sum", initial, total.dtype))


@public(
    "mean",
    examples=(
        lambda f, make: f(make("x", (2, 3))),
        lambda f, make: f(make("x", (2, 3)), axis=0),
        lambda f, make: f(make("x", (2, 1, 3)), axis=(0, -1), keepdims=True),
        lambda f, make: f(make("x", (1,))),
        lambda f, make: f(make("k", (2, 4), dtype="int64"), 1, "float32"),
        lambda f, make: f(make("k", (2, 3), dtype="int64")),
        lambda f, make: f(make("x", (2, 3)), axis=1, where=make("m", (3,), dtype="bool", low=0), keepdims=True),
    ),
    kinks="NaN over no entries",
)
def mean(a: Any, axis: Axis = None, dtype: Any = None, *, keepdims: bool = False, where: Any = None) -> Node:
    """Average over axes, as `numpy.mean` has it: the sum divided by the number of entries.

    Args:
        a: Any shape; the average of integers is float64.
        axis: An axis, a tuple of axes, or None for all of them.
        dtype: In which is computed: float64 or float32.
        keepdims: Keep the reduced axes with size 1.
        where: A boolean mask that broadcasts to the shape of a: which entries are averaged.

    Raises:
        ShapeError: If an axis does not exist or is named twice, or the mask does not broadcast.
        DtypeError: If `dtype` is no float, or the mask is not boolean.

    Example:
        >>> import symback as sb
        >>> sb.mean(sb.tensor("X", ("N", 3)), axis=1).shape
        (N,)
    """
    x = floating("mean", a, dtype)
    # sums of 64-bit integers can overflow, those of smaller ones cannot
    x = real(x) if x.dtype.itemsize == 8 and not x.is_weak else x
    total = sum(taken("mean", x, where, 0), axis, keepdims=keepdims)
    if where is None:
        return average_of(total, count_over(x, normalize_axes("mean", x, axis)))
    count = METHODS["count_nonzero"](broadcast_to(as_node(where), x.shape), axis, keepdims=keepdims)
    total = real(total)
    return divide_nodes(total, astype(count, total.dtype))
