"""Reductions. Sums and means are Contracts; largest, smallest, product and logsumexp are primitives.

Axes are kept as negative numbers, so that a rule also holds for cotangents with leading axes.
"""

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np

from symback import errors
from symback.nodes.apply import Apply
from symback.nodes.dtypes import FLOAT64, INT64, UINT64, to_float
from symback.nodes.leaves import as_node, exact, size_of
from symback.nodes.node import METHODS, Node
from symback.nodes.products import count_over, hadamard, keep_axes, sum_axes
from symback.nodes.shapes import SizeExpr, intern_shape, normalize_axes, simplify_size
from symback.op.declare import Function, primitive
from symback.op.public import public
from symback.ops.arithmetic import divide, divide_nodes, subtract
from symback.ops.exponential import exp
from symback.ops.logic import astype, equal, where
from symback.ops.numerics import exponential as numerics
from symback.ops.powers import sqrt, square

__all__ = ["logsumexp", "max", "mean", "min", "softmax", "std", "sum", "var"]

Axis = int | tuple[int, ...] | None


def _summable(x: Any) -> Node:
    """Convert what NumPy sums in int64 or uint64."""
    node = as_node(x)
    if node.dtype.kind == "f" or node.dtype.itemsize == 8:
        return node
    return astype(node, UINT64 if node.dtype.kind == "u" else INT64)


def _average(total: Node, count: SizeExpr) -> Node:
    """Divide by a number of entries; over none it is 0 / 0, which is NaN, as NumPy has it."""
    return divide_nodes(total, exact(0)) if count == 0 else divide(total, size_of(count))


def sum(x: Any, axis: Axis = None, *, keepdims: bool = False) -> Node:
    """Sum over axes, as `numpy.sum` has it.

    Args:
        x: Any shape.
        axis: An axis, a tuple of axes, or None for all of them.
        keepdims: Keep the reduced axes with size 1.

    Raises:
        ShapeError: If an axis does not exist or is named twice.

    Example:
        >>> import symback as sb
        >>> sb.sum(sb.tensor("X", ("N", "n")), axis=0).shape
        (n,)
    """
    x = _summable(x)
    return sum_axes(x, normalize_axes("sum", x, axis), keepdims)


@public(
    "mean",
    examples=(
        lambda f, make: f(make("x", (2, 3))),
        lambda f, make: f(make("x", (2, 3)), axis=0),
        lambda f, make: f(make("x", (2, 1, 3)), axis=(0, -1), keepdims=True),
        lambda f, make: f(make("x", (1,))),
    ),
    kinks="NaN over no entries",
)
def mean(x: Any, axis: Axis = None, *, keepdims: bool = False) -> Node:
    """Average over axes, as `numpy.mean` has it: the sum divided by the number of entries.

    Args:
        x: Any shape; the average of integers is float64.
        axis: An axis, a tuple of axes, or None for all of them.
        keepdims: Keep the reduced axes with size 1.

    Raises:
        ShapeError: If an axis does not exist or is named twice.

    Example:
        >>> import symback as sb
        >>> sb.mean(sb.tensor("X", ("N", 3)), axis=1).shape
        (N,)
    """
    x = _summable(x)
    axes = normalize_axes("mean", x, axis)
    return _average(sum_axes(x, axes, keepdims), count_over(x, axes))


def var(x: Any, axis: Axis = None, *, ddof: int = 0, keepdims: bool = False) -> Node:
    """Variance over axes, as `numpy.var` has it: the mean square distance from the mean (two passes).

    Args:
        x: Any shape.
        axis: An axis, a tuple of axes, or None for all of them.
        ddof: What is subtracted from the number of entries in the divisor.
        keepdims: Keep the reduced axes with size 1.

    Raises:
        ShapeError: If an axis does not exist or is named twice.

    Example:
        >>> import symback as sb
        >>> sb.var(sb.tensor("X", ("N", 3)), axis=0).shape
        (3,)
    """
    x = _summable(x)
    axes = normalize_axes("var", x, axis)
    squares = sum_axes(square(subtract(x, mean(x, axes, keepdims=True))), axes, keepdims)
    count = simplify_size(count_over(x, axes) - ddof)
    return _average(squares, builtins.max(count, 0) if isinstance(count, int) else count)


def std(x: Any, axis: Axis = None, *, ddof: int = 0, keepdims: bool = False) -> Node:
    """Standard deviation over axes, as `numpy.std` has it; its slope is infinite where it is 0.

    Raises:
        ShapeError: If an axis does not exist or is named twice.

    Example:
        >>> import symback as sb
        >>> sb.std(sb.tensor("X", ("N", 3)), axis=0).shape
        (3,)
    """
    return sqrt(var(x, axis, ddof=ddof, keepdims=keepdims))


def _parameters(operation: str, x: Node, axis: Axis) -> tuple[int, ...]:
    rank = len(x.shape)
    return tuple(a - rank for a in normalize_axes(operation, x, axis))


def _positive(axes: tuple[int, ...], rank: int) -> tuple[int, ...]:
    return tuple(axis % rank for axis in axes)


def _expand(y: Node, axes: tuple[int, ...]) -> Node:
    """Put the reduced axes back with size 1."""
    return keep_axes(y, _positive(axes, len(y.shape) + len(axes)))


def _reduced(name: str, x: Node, axes: tuple[int, ...]) -> Any:
    rank = len(x.shape)
    if len(set(axes)) < len(axes) or not all(type(axis) is int and -rank <= axis < 0 for axis in axes):
        raise errors.bad_axis(name, x, axes)
    gone = _positive(axes, rank)
    return intern_shape(tuple([size for axis, size in enumerate(x.shape) if axis not in gone]))


def _spell(function: str) -> Any:
    def write(spell: Any, operands: list[str], parameters: tuple[Any, ...]) -> str:
        axes = parameters[0]
        if len(axes) == len(spell.operand_shapes[0]):
            return f"{function}({operands[0]})"
        shown = axes[0] if len(axes) == 1 else axes
        return f"{function}({operands[0]}, axis={shown})"

    return write


def _look(function: str) -> Any:
    """Write a reduction with its axes, counted from 0, below the function; with none if all are reduced."""

    def write(operands: Sequence[Any], parameters: tuple[Any, ...]) -> str:
        (axes,), rank = parameters, len(operands[0].shape)
        shown = ", ".join(map(str, _positive(axes, rank)))
        word = "axis" if len(axes) == 1 else "axes"
        below = "" if len(axes) == rank else rf"_{{\text{{{word} }}{shown}}}"
        return rf"{function}{below}\left({operands[0]}\right)"

    return write


def _extremum_vjp(g: Node, node: Apply) -> tuple[Node]:
    """Share the cotangent evenly among the entries that attain the extremum."""
    (x,) = node.operands
    (axes,) = node.operation.parameters
    attained = equal(x, _expand(node, axes))
    share = divide_nodes(g, sum(attained, axis=_positive(axes, len(x.shape))))
    return (where(attained, _expand(share, axes), 0),)


def _no_identity(name: str) -> Any:
    def signature(x: Node, axes: tuple[int, ...]) -> Any:
        shape = _reduced(name, x, axes)
        if count_over(x, _positive(axes, len(x.shape))) == 0:
            raise errors.empty_reduction(name, x)
        return shape, x.dtype

    return signature


_EXAMPLES = {
    name: (
        lambda make, name=name: METHODS[name](make("x", (2, 3)), axis=1),
        lambda make, name=name: METHODS[name](make("x", (2, 3))),
        lambda make, name=name: METHODS[name](make("x", (2, 1, 3)), axis=(0, 1)),
    )
    for name in ("max", "min", "logsumexp")
}

_max = primitive(
    "max_over", signature=_no_identity("max"), vjp=_extremum_vjp, numpy=_spell("np.max"),
    value=lambda x, axes: np.max(x, axis=axes), latex=_look(r"\max"), examples=_EXAMPLES["max"],
    doc="Largest entry over axes; entries that tie share the derivative evenly.",
)  # fmt: skip
_min = primitive(
    "min_over", signature=_no_identity("min"), vjp=_extremum_vjp, numpy=_spell("np.min"),
    value=lambda x, axes: np.min(x, axis=axes), latex=_look(r"\min"), examples=_EXAMPLES["min"],
    doc="Smallest entry over axes; entries that tie share the derivative evenly.",
)  # fmt: skip


def _logsumexp_vjp(g: Node, node: Apply) -> tuple[Node]:
    (x,) = node.operands
    (axes,) = node.operation.parameters
    return (hadamard(_expand(g, axes), exp(subtract(x, _expand(node, axes)))),)


_logsumexp = primitive(
    "logsumexp_over", signature=lambda x, axes: (_reduced("logsumexp", x, axes), to_float(x.dtype)), vjp=_logsumexp_vjp,
    numpy=lambda spell, operands, parameters: _spell(spell.helper(numerics.logsumexp))(spell, operands, parameters),
    value=lambda x, axes: _log_sum_exp_value(x, axes), latex=_look(r"\operatorname{logsumexp}"),
    examples=_EXAMPLES["logsumexp"],
    doc="log(sum(exp(x))) over axes, stable; its derivative is exp(x - y), the softmax.",
)  # fmt: skip


def _log_sum_exp_value(x: Any, axes: tuple[int, ...]) -> Any:
    if x.dtype != object:
        return numerics.logsumexp(x, axis=axes)
    exponentials = np.frompyfunc(lambda v: v.context.exp(v), 1, 1)(x)
    return np.frompyfunc(lambda v: v.context.log(v), 1, 1)(np.sum(exponentials, axis=axes))


def max(x: Any, axis: Axis = None, *, keepdims: bool = False) -> Node:
    """Largest entry over axes, as `numpy.max` has it; ties share the derivative evenly.

    Raises:
        ShapeError: If an axis does not exist, or there are no entries.

    Example:
        >>> import symback as sb
        >>> sb.max(sb.tensor("X", ("N", 3)), axis=1).shape
        (N,)
    """
    return _reduce(_max, "max", x, axis, keepdims)


def min(x: Any, axis: Axis = None, *, keepdims: bool = False) -> Node:
    """Smallest entry over axes, as `numpy.min` has it; ties share the derivative evenly.

    Raises:
        ShapeError: If an axis does not exist, or there are no entries.

    Example:
        >>> import symback as sb
        >>> sb.min(sb.tensor("X", ("N", 3)), axis=1, keepdims=True).shape
        (N, 1)
    """
    return _reduce(_min, "min", x, axis, keepdims)


def logsumexp(x: Any, axis: Axis = None, *, keepdims: bool = False) -> Node:
    """log(sum(exp(x))) over axes, without overflow, as `scipy.special.logsumexp` has it.

    Example:
        >>> import symback as sb
        >>> sb.logsumexp(sb.tensor("Z", ("N", 10)), axis=1).shape
        (N,)
    """
    return _reduce(_logsumexp, "logsumexp", _real(x), axis, keepdims)


def _real(x: Any) -> Node:
    node = as_node(x)
    return node if node.dtype.kind == "f" else astype(node, FLOAT64)


def softmax(x: Any, axis: Axis = -1) -> Node:
    """exp(x) / sum(exp(x)) over axes, without overflow, as `scipy.special.softmax` has it.

    Raises:
        ShapeError: If an axis does not exist or is named twice.

    Example:
        >>> import symback as sb
        >>> sb.softmax(sb.tensor("Z", ("N", 10)), axis=1).shape
        (N, 10)
    """
    x = _real(x)
    return exp(subtract(x, logsumexp(x, axis, keepdims=True)))


def _reduce(apply: Function, name: str, x: Any, axis: Axis, keepdims: bool) -> Node:
    node = as_node(x)
    axes = _parameters(name, node, axis)
    if not axes:
        return node
    reduced = apply(node, axes)
    return _expand(reduced, axes) if keepdims else reduced


for _function in (sum, var, std, max, min, logsumexp, softmax):
    METHODS[_function.__name__] = _function
METHODS["amax"], METHODS["amin"] = max, min
