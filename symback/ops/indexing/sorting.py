"""Order along an axis: sorting, differentiable through its permutation.

Order is stable: entries that tie keep their order, and each has the derivative of its own place. NaN comes last.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from symback import errors
from symback.nodes.apply import Apply
from symback.nodes.dtypes import INT64
from symback.nodes.leaves import as_node
from symback.nodes.node import Node
from symback.nodes.products import keep_axes
from symback.nodes.shapes import Shape, normalize_axis
from symback.op.declare import Function, primitive
from symback.op.public import public
from symback.ops.indexing.along import put_along
from symback.ops.shaping.reshaping import lead_of, ravel

__all__ = ["argsort", "sort"]

_KINDS = ("quicksort", "mergesort", "heapsort", "stable")

# -- sorting ---------------------------------------------------------------------------------------------


def _checked_axis(name: str, x: Node, axis: Any) -> Shape:
    if type(axis) is not int or not -len(x.shape) <= axis < 0:
        raise errors.bad_axis(name, x, axis)
    return x.shape


def _axis_text(axis: int) -> str:
    return f", axis={axis}" if axis != -1 else ""


def _look(function: str) -> Any:
    """Write a function with its axis, counted from 0, below it; with none for the last one."""

    def write(operands: Sequence[Any], parameters: tuple[Any, ...]) -> str:
        (axis,), rank = parameters, len(operands[0].shape)
        below = "" if axis == -1 else rf"_{{\text{{axis }}{rank + axis}}}"
        return rf"\operatorname{{{function}}}{below}\left({operands[0]}\right)"

    return write


_argsort: Function = primitive(
    "argsort_along",
    signature=lambda x, axis: (_checked_axis("argsort", x, axis), INT64),
    differentiable=False,
    numpy=lambda spell, operands, parameters: f'np.argsort({operands[0]}{_axis_text(parameters[0])}, kind="stable")',
    value=lambda x, axis: np.argsort(x, axis=axis, kind="stable"),
    latex=_look("argsort"),
    examples=(lambda make: _argsort(make("x", (2, 3)), -2), lambda make: _argsort(make("x", (4,)), -1)),
    batch="leading",
    doc="The indices that sort along an axis; entries that tie keep their order.",
)


def _sort_vjp(g: Node, node: Apply) -> tuple[Node]:
    (x,) = node.operands
    (axis,) = node.operation.parameters
    lead = lead_of(g, node)
    order = _argsort(x, axis)
    return (put_along((g, keep_axes(order, range(len(lead))) if lead else order), axis, x.shape[axis], True),)


_sort: Function = primitive(
    "sort_along",
    signature=lambda x, axis: (_checked_axis("sort", x, axis), x.dtype),
    vjp=_sort_vjp,
    numpy=lambda spell, operands, parameters: f"np.sort({operands[0]}{_axis_text(parameters[0])})",
    value=lambda x, axis: np.sort(x, axis=axis, kind="stable"),
    latex=_look("sort"),
    examples=(lambda make: _sort(make("x", (2, 3)), -2), lambda make: _sort(make("x", (4,)), -1)),
    batch="leading",
    doc="The entries along an axis in increasing order.",
)


def _sorted_axis(operation: str, a: Any, axis: int | None, kind: str | None, stable: bool | None) -> tuple[Node, int]:
    """Return what is sorted and along which axis, counted from the last."""
    x = as_node(a)
    if kind is not None and kind not in _KINDS:
        raise errors.bad_option(operation, "kind", kind, _KINDS)
    if kind is not None and stable is not None:
        raise errors.bad_option(operation, "stable", stable, (None,))
    x = ravel(x) if axis is None else x
    return x, normalize_axis(operation, x, -1 if axis is None else axis) - len(x.shape)


_CALLS = (
    lambda f, make: f(make("x", (2, 3))),
    lambda f, make: f(make("x", (3, 2)), axis=0),
    lambda f, make: f(make("x", (2, 3)), axis=None),
    lambda f, make: f(make("x", (1, 3)), 0, kind="stable"),
    lambda f, make: f(make("x", (0,)), stable=True),
)


@public("sort", examples=_CALLS, kinks="entries that tie keep their order, each with the derivative of its own place")
def sort(a: Any, axis: int | None = -1, kind: str | None = None, *, stable: bool | None = None) -> Node:
    """Put the entries along an axis in increasing order, as `numpy.sort` does.

    The derivative of the k-th smallest entry goes to where it came from. For decreasing order, flip the result.

    Args:
        a: Any shape and dtype.
        axis: The axis; None for all entries, in row-major order.
        kind: An algorithm of NumPy's; the result is that of a stable one in any case.
        stable: Accepted as NumPy does; likewise.

    Raises:
        ShapeError: If the axis does not exist.

    Example:
        >>> import symback as sb
        >>> x = sb.tensor("x", (3,))
        >>> sb.lambdify([x], sb.grad(sb.sum(sb.sort(x) * [1, 10, 100]), x))([2.0, 1.0, 1.0])
        array([100.,   1.,  10.])
    """
    return _sort(*_sorted_axis("sort", a, axis, kind, stable))


@public("argsort", examples=_CALLS)
def argsort(a: Any, axis: int | None = -1, kind: str | None = None, *, stable: bool | None = None) -> Node:
    """Return the indices that sort along an axis, as a stable `numpy.argsort` does; int64, without a derivative.

    Args:
        a: Any shape and dtype.
        axis: The axis; None for all entries, in row-major order.
        kind: An algorithm of NumPy's; the order is that of a stable one in any case.
        stable: Accepted as NumPy does; likewise.

    Raises:
        ShapeError: If the axis does not exist.

    Example:
        >>> import symback as sb
        >>> sb.argsort(sb.tensor("X", ("N", 3)), axis=0).dtype
        dtype('int64')
    """
    return _argsort(*_sorted_axis("argsort", a, axis, kind, stable))
