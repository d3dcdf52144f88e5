"""Largest and smallest entries, and where they are."""

from collections.abc import Callable
from typing import Any

import numpy as np

from symback import errors
from symback.nodes.apply import Apply
from symback.nodes.dtypes import BOOL, INT64
from symback.nodes.leaves import as_node
from symback.nodes.node import METHODS, Node
from symback.nodes.products import count_over, full, hadamard
from symback.nodes.shapes import normalize_axes, normalize_axis, product
from symback.op.batch import Operands, applied
from symback.op.declare import Function, primitive
from symback.op.public import public
from symback.ops.elementwise.arithmetic import divide_nodes, subtract
from symback.ops.elementwise.kinks import maximum, minimum
from symback.ops.elementwise.logic import astype, equal, not_equal
from symback.ops.elementwise.logic import where as select
from symback.ops.reductions.counting import count_nonzero
from symback.ops.reductions.sums import (
    Axis,
    expand,
    initial_value,
    look,
    positive,
    reduce_over,
    reduced_nonempty,
    spell,
    taken,
)
from symback.ops.shaping.reshaping import reshape

__all__ = ["argmax", "argmin", "max", "min", "nanmax", "nanmin", "ptp"]

_TIES = "Entries that tie share the derivative evenly; it is NaN for all entries where one is NaN."
_TIES_BUT_NAN = "Entries that tie share the derivative evenly; it is 0 for those that are NaN, and where all are."


def _extremum_vjp(g: Node, node: Apply) -> tuple[Node]:
    """Share the cotangent evenly among the entries that attain the extremum; all shares are 0 / 0 if it is NaN."""
    (x,) = node.operands
    (axes,) = node.operation.parameters
    tied = equal(x, expand(node, axes))
    count = count_nonzero(tied, positive(axes, len(x.shape)), keepdims=True)
    shares = astype(divide_nodes(tied, count), x.dtype)
    return (select(not_equal(shares, 0), hadamard(expand(g, axes), shares), 0),)


def _nan_extremum_vjp(g: Node, node: Apply) -> tuple[Node]:
    """The same, of the numbers only."""
    (x,) = node.operands
    (axes,) = node.operation.parameters
    tied = equal(x, expand(node, axes))
    count = maximum(count_nonzero(tied, positive(axes, len(x.shape))), 1)
    return (select(tied, expand(astype(divide_nodes(g, count), x.dtype), axes), 0),)


def _digits_of(name: str) -> Callable[..., Any]:
    """Return the extremum of mpmath numbers: NumPy compares them one by one, and has no NaN of theirs."""
    least, skips = name.endswith("min"), name.startswith("nan")

    def extremum(mp: Any, x: Any, axes: tuple[int, ...]) -> Any:
        none = np.not_equal(x, x).astype(bool)
        found = (np.min if least else np.max)(np.where(none, mp.inf if least else -mp.inf, x), axis=axes)
        return np.where((np.all if skips else np.any)(none, axis=axes), mp.nan, found)

    return extremum


def _extremum(name: str, look_of: str, doc: str) -> Function:
    function = getattr(np, name)
    return primitive(
        f"{name}_over", signature=lambda x, axes: (reduced_nonempty(name, x, axes), x.dtype),
        vjp=_nan_extremum_vjp if name.startswith("nan") else _extremum_vjp, numpy=spell(f"np.{name}"),
        value=lambda x, axes: function(x, axis=axes), mpmath=_digits_of(name),
        latex=look(look_of), doc=doc, batch="leading",
        examples=(
            lambda make: METHODS[name](make("x", (2, 3)), axis=1),
            lambda make: METHODS[name](make("x", (2, 3))),
            lambda make: METHODS[name](make("x", (2, 1, 3)), axis=(0, 1)),
        ),
    )  # fmt: skip


_max = _extremum("max", r"\max", "Largest entry over axes; entries that tie share the derivative evenly.")
_min = _extremum("min", r"\min", "Smallest entry over axes; entries that tie share the derivative evenly.")
_nanmax = _extremum("nanmax", r"\max", "Largest of the entries over axes that are numbers.")
_nanmin = _extremum("nanmin", r"\min", "Smallest of the entries over axes that are numbers.")


def _bounded(
    name: str, a: Any, axis: Axis, keepdims: bool, initial: Any, where: Any, apply: Function, other: Function
) -> Node:
    """Return the extremum of the entries that are taken, and of `initial`."""
    x = as_node(a)
    if initial is None:
        if where is not None:
            raise errors.where_without_initial(name)
        return reduce_over(apply, name, x, axis, keepdims)
    first = initial_value(name, initial, x.dtype)
    axes = normalize_axes(name, x, axis)
    if count_over(x, axes) == 0:
        shape = tuple(1 if k in axes else size for k, size in enumerate(x.shape) if keepdims or k not in axes)
        return astype(hadamard(first, full(shape, 1, x)), x.dtype)
    reduced = reduce_over(apply, name, taken(name, x, where, first), axis, keepdims)
    return other(reduced, first)


@public(
    "max",
    examples=(
        lambda f, make: f(make("x", (2, 3))),
        lambda f, make: f(make("x", (2, 1, 3)), (0, -1), keepdims=True),
        lambda f, make: f(make("x", (2, 3)), axis=0, where=make("m", (3,), dtype="bool", low=0), initial=-3),
        lambda f, make: f(make("x", (0, 3)), axis=1),
        lambda f, make: f(make("x", ())),
        lambda f, make: f(make("k", (2, 3), dtype="int32"), axis=0),
    ),
    kinks=_TIES,
)
def max(a: Any, axis: Axis = None, *, keepdims: bool = False, initial: Any = None, where: Any = None) -> Node:
    """Largest entry over axes, as `numpy.max` has it; ties share the derivative evenly.

    Args:
        a: Any shape and dtype.
        axis: An axis, a tuple of axes, or None for all of them.
        keepdims: Keep the reduced axes with size 1.
        initial: A number; the result is at least that.
        where: A boolean mask that broadcasts to the shape of a: which entries are taken. It needs `initial`.

    Raises:
        ShapeError: If an axis does not exist, or there are no entries and no `initial`.
        UsageError: If `where` is given without `initial`.

    Example:
        >>> import symback as sb
        >>> sb.max(sb.tensor("X", ("N", 3)), axis=1).shape
        (N,)
    """
    return _bounded("max", a, axis, keepdims, initial, where, _max, maximum)


@public(
    "min",
    examples=(
        lambda f, make: f(make("x", (2, 3))),
        lambda f, make: f(make("x", (2, 1, 3)), (0, -1), keepdims=True),
    ),
    kinks=_TIES,
)
def min(a: Any, axis: Axis = None, *, keepdims: bool = False, initial: Any = None, where: Any = None) -> Node:
    """Smallest entry over axes, as `numpy.min` has it; ties share the derivative evenly.

    Args and errors are those of `max`; with `initial` the result is at most that.

    Raises:
        ShapeError: If an axis does not exist, or there are no entries and no `initial`.
        UsageError: If `where` is given without `initial`.

    Example:
        >>> import symback as sb
        >>> sb.min(sb.tensor("X", ("N", 3)), axis=1, keepdims=True).shape
        (N, 1)
    """
    return _bounded("min", a, axis, keepdims, initial, where, _min, minimum)


@public(
    "nanmax",
    examples=(lambda f, make: f(make("x", (2, 3))), lambda f, make: f(make("x", (2, 3)), 1, keepdims=True)),
    kinks=_TIES_BUT_NAN,
)
def nanmax(a: Any, axis: Axis = None, *, keepdims: bool = False) -> Node:
    """Largest entry over axes that is a number, as `numpy.nanmax` has it; NaN where there is none.

    Raises:
        ShapeError: If an axis does not exist, or there are no entries.

    Example:
        >>> import symback as sb
        >>> sb.nanmax(sb.tensor("X", ("N", 3)), axis=1).shape
        (N,)
    """
    return reduce_over(_nanmax, "nanmax", as_node(a), axis, keepdims)


@public(
    "nanmin",
    examples=(lambda f, make: f(make("x", (2, 3))), lambda f, make: f(make("x", (2, 3)), 1, keepdims=True)),
    kinks=_TIES_BUT_NAN,
)
def nanmin(a: Any, axis: Axis = None, *, keepdims: bool = False) -> Node:
    """Smallest entry over axes that is a number, as `numpy.nanmin` has it; NaN where there is none.

    Raises:
        ShapeError: If an axis does not exist, or there are no entries.

    Example:
        >>> import symback as sb
        >>> sb.nanmin(sb.tensor("X", ("N", 3)), axis=1).shape
        (N,)
    """
    return reduce_over(_nanmin, "nanmin", as_node(a), axis, keepdims)


@public(
    "ptp",
    examples=(lambda f, make: f(make("x", (2, 3))), lambda f, make: f(make("x", (2, 3)), -1, keepdims=True)),
    kinks=_TIES,
)
def ptp(a: Any, axis: Axis = None, *, keepdims: bool = False) -> Node:
    """Largest minus smallest entry over axes, as `numpy.ptp` has it (peak to peak).

    Raises:
        ShapeError: If an axis does not exist, or there are no entries.
        DtypeError: If a is boolean.

    Example:
        >>> import symback as sb
        >>> sb.ptp(sb.tensor("X", ("N", 3)), axis=0).shape
        (3,)
    """
    x = as_node(a)
    if x.dtype is BOOL:
        raise errors.operand_dtype("ptp", x, "a number")
    return subtract(max(x, axis, keepdims=keepdims), min(x, axis, keepdims=keepdims))


# -- where they are ----------------------------------------------------------------------------------


def _places_in_batch(node: Any, operands: Operands) -> Node:
    """Join the axes of which an index counts all entries, so that it does not count the examples."""
    (x,), (axes,) = operands, node.operation.parameters
    if len(axes) != 1:
        return applied(node, [reshape(x, (x.shape[0], product(x.shape[1:])))], (-1,))
    return applied(node, [x], axes)


def _place(name: str) -> Function:
    function = getattr(np, name)

    def shape(x: Node, axes: tuple[int, ...]) -> Any:
        if len(axes) not in (1, len(x.shape)):
            raise errors.bad_axis(name, x, axes)
        return reduced_nonempty(name, x, axes), INT64

    return primitive(
        f"{name}_over", signature=shape, differentiable=False, numpy=spell(f"np.{name}"), batch=_places_in_batch,
        value=lambda x, axes: np.asarray(function(x, axis=axes[0] if len(axes) < x.ndim else None), INT64),
        latex=look(rf"\arg\{name[3:]}"), doc=f"Index of the first {name[3:]}imum over an axis, or over all entries.",
        examples=(
            lambda make: METHODS[name](make("x", (2, 3)), axis=1),
            lambda make: METHODS[name](make("x", (2, 3))),
        ),
    )  # fmt: skip


_argmax, _argmin = _place("argmax"), _place("argmin")


def _place_over(apply: Function, name: str, a: Any, axis: int | None, keepdims: bool) -> Node:
    x = as_node(a)
    if axis is not None:
        axis = normalize_axis(name, x, axis)
    return reduce_over(apply, name, x, axis, keepdims, trivial=False)


@public(
    "argmax",
    examples=(
        lambda f, make: f(make("x", (2, 3))),
        lambda f, make: f(make("x", (2, 3)), 1),
        lambda f, make: f(make("k", (2, 4), dtype="int64"), axis=-1, keepdims=True),
        lambda f, make: f(make("x", ())),
    ),
)
def argmax(a: Any, axis: int | None = None, *, keepdims: bool = False) -> Node:
    """Index of the first largest entry along an axis, as `numpy.argmax` has it; of all entries if `axis` is None.

    The result is int64 and has no derivative; a NaN counts as largest.

    Raises:
        ShapeError: If the axis does not exist or is a tuple, or there are no entries.

    Example:
        >>> import symback as sb
        >>> sb.argmax(sb.tensor("Z", ("N", 10)), axis=1).dtype
        dtype('int64')
    """
    return _place_over(_argmax, "argmax", a, axis, keepdims)


@public(
    "argmin",
    examples=(
        lambda f, make: f(make("x", (2, 3))),
        lambda f, make: f(make("k", (2, 4), dtype="int64"), axis=-1, keepdims=True),
    ),
)
def argmin(a: Any, axis: int | None = None, *, keepdims: bool = False) -> Node:
    """Index of the first smallest entry along an axis, as `numpy.argmin` has it; of all entries if `axis` is None.

    The result is int64 and has no derivative; a NaN counts as smallest.

    Raises:
        ShapeError: If the axis does not exist or is a tuple, or there are no entries.

    Example:
        >>> import symback as sb
        >>> sb.argmin(sb.tensor("Z", ("N", 10)), axis=1).shape
        (N,)
    """
    return _place_over(_argmin, "argmin", a, axis, keepdims)


METHODS["amax"], METHODS["amin"] = max, min  # NumPy has them as functions of their own
