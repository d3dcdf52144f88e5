"""Reductions of what holds and what does not: any, all, how many. They are constant between jumps: no derivative."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from symback.nodes.dtypes import BOOL, INT64
from symback.nodes.leaves import as_node
from symback.nodes.node import Node
from symback.op.declare import Function, primitive
from symback.op.public import public
from symback.ops.elementwise.logic import astype
from symback.ops.reductions.sums import Axis, look, positive, reduce_over, reduced_shape, spell, taken

__all__ = ["all", "any", "count_nonzero"]


def _count_text(speller: Any, operands: Sequence[str], parameters: tuple[Any, ...]) -> str:
    """Write a sum of booleans, or a count with all its axes: without them some releases return a Python integer."""
    (operand,) = speller.operand_nodes
    if operand.dtype is BOOL:
        return spell("np.sum")(speller, operands, parameters)
    axes = positive(parameters[0], len(operand.shape))
    text: str = speller.reduction(f"np.count_nonzero({operands[0]}, axis={axes[0] if len(axes) == 1 else axes})", axes)
    return text


def _counting(name: str, dtype: np.dtype[Any], function: Callable[..., Any], latex: str, doc: str) -> Function:
    """Declare a reduction of booleans, or of numbers of which those that are not 0 count as true."""
    return primitive(
        f"{name}_over", signature=lambda x, axes: (reduced_shape(name, x, axes), dtype), differentiable=False,
        numpy=_count_text if name == "count_nonzero" else spell(f"np.{name}"),
        value=lambda x, axes: np.asarray(function(x != 0, axis=axes), dtype),
        latex=look(latex), doc=doc, batch="leading",
        examples=(
            lambda make: _apply[name](make("x", (2, 3)), (-1,)),
            lambda make: _apply[name](make("k", (2, 3), dtype="int64"), (-2, -1)),
        ),
    )  # fmt: skip


_apply = {
    "any": _counting("any", BOOL, np.any, r"\exists", "Whether any entry over axes is true, or not 0."),
    "all": _counting("all", BOOL, np.all, r"\forall", "Whether all entries over axes are true, or not 0."),
    "count_nonzero": _counting("count_nonzero", INT64, np.count_nonzero, r"\#", "Number of entries that are not 0."),
}


@public(
    "any",
    examples=(
        lambda f, make: f(make("b", (2, 3), dtype="bool", low=0)),
        lambda f, make: f(make("k", (2, 3), dtype="int64", low=0), axis=1, keepdims=True),
        lambda f, make: f(make("x", (2, 0)), axis=-1),
        lambda f, make: f(make("x", (2, 3)), axis=0, where=make("m", (2, 1), dtype="bool", low=0)),
        lambda f, make: f(make("x", ())),
    ),
)
def any(a: Any, axis: Axis = None, *, keepdims: bool = False, where: Any = None) -> Node:
    """Whether any entry over axes is true (or not 0), as `numpy.any` has it: bool, False over no entries.

    Args:
        a: Any shape and dtype.
        axis: An axis, a tuple of axes, or None for all of them.
        keepdims: Keep the reduced axes with size 1.
        where: A boolean mask that broadcasts to the shape of a: which entries are taken.

    Raises:
        ShapeError: If an axis does not exist or is named twice, or the mask does not broadcast.
        DtypeError: If the mask is not boolean.

    Example:
        >>> import symback as sb
        >>> sb.any(sb.tensor("X", ("N", 3)) > 0, axis=1).dtype
        dtype('bool')
    """
    x = as_node(a) if where is None else taken("any", astype(as_node(a), BOOL), where, False)
    return reduce_over(_apply["any"], "any", x, axis, keepdims, trivial=False)


@public(
    "all",
    examples=(
        lambda f, make: f(make("b", (2, 3), dtype="bool", low=0), axis=(0, 1)),
        lambda f, make: f(make("k", (2, 3), dtype="int64", low=0), 0),
        lambda f, make: f(make("k", (2, 3), dtype="int64", low=0), where=make("m", (3,), dtype="bool", low=0)),
        lambda f, make: f(make("x", (0,))),
    ),
)
def all(a: Any, axis: Axis = None, *, keepdims: bool = False, where: Any = None) -> Node:
    """Whether all entries over axes are true (or not 0), as `numpy.all` has it: bool, True over no entries.

    Args:
        a: Any shape and dtype.
        axis: An axis, a tuple of axes, or None for all of them.
        keepdims: Keep the reduced axes with size 1.
        where: A boolean mask that broadcasts to the shape of a: which entries are taken.

    Raises:
        ShapeError: If an axis does not exist or is named twice, or the mask does not broadcast.
        DtypeError: If the mask is not boolean.

    Example:
        >>> import symback as sb
        >>> sb.all(sb.tensor("X", ("N", 3)) > 0).shape
        ()
    """
    x = as_node(a) if where is None else taken("all", astype(as_node(a), BOOL), where, True)
    return reduce_over(_apply["all"], "all", x, axis, keepdims, trivial=False)


@public(
    "count_nonzero",
    examples=(
        lambda f, make: f(make("b", (2, 3), dtype="bool", low=0), axis=1),
        lambda f, make: f(make("k", (2, 3), dtype="int64", low=0), axis=(0, 1), keepdims=True),
        lambda f, make: f(make("x", (2, 3))),
    ),
)
def count_nonzero(a: Any, axis: Axis = None, *, keepdims: bool = False) -> Node:
    """Number of entries over axes that are true (or not 0), as `numpy.count_nonzero` has it: int64.

    Raises:
        ShapeError: If an axis does not exist or is named twice.

    Example:
        >>> import symback as sb
        >>> sb.count_nonzero(sb.tensor("X", ("N", 3)) > 0, axis=0).shape
        (3,)
    """
    return reduce_over(_apply["count_nonzero"], "count_nonzero", as_node(a), axis, keepdims, trivial=False)
