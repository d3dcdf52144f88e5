"""Running sums and products along an axis.

What running products pass back is a linear recurrence, and so is what that passes back: their derivatives of every
order need no division, and zeros are entries like any other.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from symback import errors
from symback.nodes.apply import Apply
from symback.nodes.leaves import as_node
from symback.nodes.node import METHODS, Node
from symback.nodes.products import broadcast_to, full, hadamard
from symback.nodes.shapes import Shape, intern_shape, normalize_axis
from symback.op.declare import Function, primitive
from symback.op.public import public
from symback.ops.numerics import scans as numerics
from symback.ops.reductions.sums import summable
from symback.ops.shaping.reshaping import ravel

__all__ = ["cumprod", "cumsum", "cumulative_prod", "cumulative_sum"]

# -- along one axis ------------------------------------------------------------------------------------


def _along(name: str, x: Node, axis: Any) -> tuple[Shape, np.dtype[Any]]:
    """Return shape and dtype of what runs along an axis, a negative number."""
    if type(axis) is not int or not -len(x.shape) <= axis < 0:
        raise errors.bad_axis(name, x, axis)
    return intern_shape(x.shape), x.dtype


def _spelled(function: str) -> Any:
    def write(spell: Any, operands: Sequence[str], parameters: tuple[Any, ...]) -> str:
        rank = len(spell.operand_shapes[0])
        return f"{function}({operands[0]}, axis={parameters[0] % rank})" if rank > 1 else f"{function}({operands[0]})"

    return write


def _running(name: str) -> Any:
    """Write a running reduction with its axis, counted from 0, below."""

    def write(operands: Sequence[Any], parameters: tuple[Any, ...]) -> str:
        rank = len(operands[0].shape)
        below = rf"_{{\text{{axis }}{parameters[0] % rank}}}" if rank > 1 else ""
        return rf"\operatorname{{{name}}}{below}\left({', '.join(operands)}\right)"

    return write


def flip(x: Node, axis: int) -> Node:
    """Reverse the entries along an axis."""
    index: list[Any] = [slice(None)] * len(x.shape)
    index[axis] = slice(None, None, -1)
    return x[tuple(index)]


def _cumsum_vjp(g: Node, node: Apply) -> tuple[Node]:
    (axis,) = node.operation.parameters
    return (flip(_cumsum(flip(g, axis), axis), axis),)


_cumsum: Function = primitive(
    "cumsum_along", signature=lambda x, axis: _along("cumsum", x, axis), vjp=_cumsum_vjp, linear=True,
    numpy=_spelled("np.cumsum"), value=lambda x, axis: np.cumsum(x, axis=axis), latex=_running("cumsum"),
    examples=(
        lambda make: METHODS["cumsum"](make("x", (2, 3)), axis=0),
        lambda make: METHODS["cumsum"](make("x", (3,))),
    ),
    batch="leading",
    doc="Running sums along an axis.",
)  # fmt: skip


def _cumprod_vjp(g: Node, node: Apply) -> tuple[Node]:
    (x,) = node.operands
    (axis,) = node.operation.parameters
    return (hadamard(recurrence(x, g, axis, reverse=True), shifted(node, axis, 1, 1)),)


running_product: Function = primitive(
    "cumprod_along", signature=lambda x, axis: _along("cumprod", x, axis), vjp=_cumprod_vjp,
    numpy=_spelled("np.cumprod"), value=lambda x, axis: np.cumprod(x, axis=axis), latex=_running("cumprod"),
    examples=(
        lambda make: METHODS["cumprod"](make("x", (2, 3)), axis=0),
        lambda make: METHODS["cumprod"](make("x", (3,))),
    ),
    batch="leading",
    doc="Running products along an axis.",
)  # fmt: skip


def _shift_signature(x: Node, axis: Any, by: Any, fill: Any) -> Any:
    if by not in (1, -1) or fill not in (0, 1):
        raise errors.bad_node("shifted_along", f"by={by!r}, fill={fill!r}; by is 1 or -1, fill is 0 or 1")
    return _along("shifted", x, axis)


def _shifted_text(spell: Any, operands: Sequence[str], parameters: tuple[Any, ...]) -> str:
    axis, by, fill = parameters
    more = f", fill={fill}" if fill else ""
    rank = len(spell.operand_shapes[0])
    return f"{spell.helper(numerics.shifted)}({operands[0]}, axis={axis % rank}, by={by}{more})"


shifted: Function = primitive(
    "shifted_along", signature=_shift_signature,
    vjp=lambda g, node: (shifted(g, node.operation.parameters[0], -node.operation.parameters[1], 0),),
    numpy=_shifted_text, value=numerics.shifted, latex=_running("shift"),
    examples=(
        lambda make: shifted(make("x", (2, 3)), -1, 1, 1),
        lambda make: shifted(make("x", (2, 3)), -2, -1, 0),
    ),
    batch="leading",
    doc="Entries moved by one place along an axis, with 0 or 1 at the end that is left.",
)  # fmt: skip


def recurrence(a: Node, b: Node, axis: int, *, reverse: bool) -> Node:
    """Return y with y[k] = b[k] + a[k] y[k-1], or in reverse y[k] = b[k] + a[k+1] y[k+1]; b may have leading axes."""
    return _linear_recurrence((broadcast_to(a, b.shape), b), axis, int(reverse))


def _recurrence_vjp(g: Node, node: Apply) -> tuple[Node, Node]:
    """The recurrence the other way round gives what reaches each b[k]; a[k] has the neighbour of y[k] as its factor."""
    a, _ = node.operands
    axis, reverse = node.operation.parameters
    reaching = recurrence(a, g, axis, reverse=not reverse)
    if reverse:
        return hadamard(shifted(reaching, axis, 1, 0), node), reaching
    return hadamard(reaching, shifted(node, axis, 1, 0)), reaching


def _recurrence_signature(a: Node, b: Node, axis: Any, reverse: Any) -> Any:
    if reverse not in (0, 1) or a.shape != b.shape or a.dtype != b.dtype:
        raise errors.bad_node("linear_recurrence", "it takes two arrays of one shape and dtype, an axis, and 0 or 1")
    return _along("linear_recurrence", a, axis)


def _recurrence_text(spell: Any, operands: Sequence[str], parameters: tuple[Any, ...]) -> str:
    axis, reverse = parameters
    more = ", reverse=True" if reverse else ""
    rank = len(spell.operand_shapes[0])
    return f"{spell.helper(numerics.linear_recurrence)}({', '.join(operands)}, axis={axis % rank}{more})"


_linear_recurrence: Function = primitive(
    "linear_recurrence", arity=2, signature=_recurrence_signature, vjp=_recurrence_vjp, numpy=_recurrence_text,
    value=lambda a, b, axis, reverse: numerics.linear_recurrence(a, b, axis, bool(reverse)),
    latex=_running("recurrence"),
    examples=(
        lambda make: _linear_recurrence((make("a", (2, 3)), make("b", (2, 3))), -1, 0),
        lambda make: _linear_recurrence((make("a", (4, 2)), make("b", (4, 2))), -2, 1),
    ),
    batch="leading",
    doc="y[k] = b[k] + a[k] y[k-1] along an axis, or in reverse y[k] = b[k] + a[k+1] y[k+1].",
)  # fmt: skip

# -- running, as NumPy names it ------------------------------------------------------------------------


def _run(apply: Function, name: str, a: Any, axis: int | None, dtype: Any) -> Node:
    x = summable(name, a, dtype)
    if axis is None:
        x, axis = ravel(x), 0
    return apply(x, normalize_axis(name, x, axis) - len(x.shape))


@public(
    "cumsum",
    examples=(
        lambda f, make: f(make("x", (2, 3))),
        lambda f, make: f(make("x", (2, 3)), 0),
        lambda f, make: f(make("k", (2, 1), dtype="int64"), -1, "float32"),
        lambda f, make: f(make("x", (2, 0)), axis=1),
        lambda f, make: f(make("x", ())),
        lambda f, make: f(make("k", (3,), dtype="uint8", low=0)),
    ),
)
def cumsum(a: Any, axis: int | None = None, dtype: Any = None) -> Node:
    """Running sums along an axis, as `numpy.cumsum` has them; of all entries in row-major order if `axis` is None.

    Args:
        a: Any shape; small integers and booleans are summed in int64 or uint64.
        axis: An axis, or None.
        dtype: In which is summed: float64, float32, int64 or uint64.

    Raises:
        ShapeError: If the axis does not exist.
        DtypeError: If `dtype` is another one.

    Example:
        >>> import symback as sb
        >>> sb.cumsum(sb.tensor("X", ("N", 3)), axis=0).shape
        (N, 3)
    """
    return _run(_cumsum, "cumsum", a, axis, dtype)


@public(
    "cumprod",
    examples=(
        lambda f, make: f(make("x", (2, 3))),
        lambda f, make: f(make("x", (2, 3)), 0),
        lambda f, make: f(make("k", (2, 1), dtype="int64"), -1, "float32"),
        lambda f, make: f(make("x", (0,))),
        lambda f, make: f(make("x", ())),
    ),
)
def cumprod(a: Any, axis: int | None = None, dtype: Any = None) -> Node:
    """Running products along an axis, as `numpy.cumprod` has them; their derivatives are exact where entries are 0.

    Args and errors are those of `cumsum`.

    Raises:
        ShapeError: If the axis does not exist.
        DtypeError: If `dtype` is another one.

    Example:
        >>> import symback as sb
        >>> sb.cumprod(sb.tensor("X", ("N", 3)), axis=1).shape
        (N, 3)
    """
    return _run(running_product, "cumprod", a, axis, dtype)


def _cumulative(name: str, run: Function, first: int, x: Any, axis: int | None, dtype: Any, include: bool) -> Node:
    x = as_node(x)
    if axis is None and len(x.shape) != 1:
        raise errors.axis_needed(name, x)
    place = 0 if axis is None else normalize_axis(name, x, axis)
    result: Node = run(x, place, dtype)
    if not include:
        return result
    shape = tuple(1 if k == place else size for k, size in enumerate(x.shape))
    joined: Node = METHODS["concatenate"]([full(shape, first, result), result], axis=place)
    return joined


@public(
    "cumulative_sum",
    examples=(
        lambda f, make: f(make("x", (3,))),
        lambda f, make: f(make("x", (2, 3)), axis=-1, include_initial=True),
        lambda f, make: f(make("k", (2, 3), dtype="int16"), axis=0, dtype="float32"),
    ),
)
def cumulative_sum(x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False) -> Node:
    """Running sums along an axis, as `numpy.cumulative_sum` has them; `include_initial` puts a 0 before them.

    Raises:
        ShapeError: If the axis does not exist, or is None and x has not one axis.
        DtypeError: If `dtype` is none of float64, float32, int64 and uint64.

    Example:
        >>> import symback as sb
        >>> sb.cumulative_sum(sb.tensor("x", ("n",)), include_initial=True).shape
        (n + 1,)
    """
    return _cumulative("cumulative_sum", cumsum, 0, x, axis, dtype, include_initial)


@public(
    "cumulative_prod",
    examples=(
        lambda f, make: f(make("x", (3,))),
        lambda f, make: f(make("x", (2, 3)), axis=0, include_initial=True),
    ),
)
def cumulative_prod(x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False) -> Node:
    """Running products along an axis, as `numpy.cumulative_prod` has them; `include_initial` puts a 1 before them.

    Raises:
        ShapeError: If the axis does not exist, or is None and x has not one axis.
        DtypeError: If `dtype` is none of float64, float32, int64 and uint64.

    Example:
        >>> import symback as sb
        >>> sb.cumulative_prod(sb.tensor("X", ("n", 3)), axis=0).shape
        (n, 3)
    """
    return _cumulative("cumulative_prod", cumprod, 1, x, axis, dtype, include_initial)
