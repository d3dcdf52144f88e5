"""Products over axes, whose derivatives of every order need no division.

The derivative by one factor is the product of the others, formed of the running products from both ends.
"""

from typing import Any

import numpy as np

from symback.nodes.add import add
from symback.nodes.apply import Apply
from symback.nodes.dtypes import is_float
from symback.nodes.leaves import as_node
from symback.nodes.node import METHODS, Node
from symback.nodes.products import count_over, hadamard, permute
from symback.nodes.shapes import Shape, intern_shape
from symback.op.declare import Function, primitive
from symback.op.public import public
from symback.ops.elementwise.logic import isnan
from symback.ops.elementwise.logic import where as select
from symback.ops.numerics import scans as numerics
from symback.ops.reductions.scans import flip, recurrence, running_product, shifted
from symback.ops.reductions.sums import (
    Axis,
    expand,
    initial_value,
    look,
    positive,
    reduce_over,
    reduced_shape,
    spell,
    summable,
    taken,
)
from symback.ops.shaping.reshaping import reshape

__all__ = ["nanprod", "prod"]


def _before(x: Node) -> Node:
    """Return for each entry the product of those before it along the last axis."""
    return shifted(running_product(x, -1), -1, 1, 1)


def _flat(x: Node, axes: tuple[int, ...]) -> Node:
    """Join axes, which are negative numbers, to a last one."""
    rank = len(x.shape)
    gone = positive(axes, rank)
    kept = [axis for axis in range(rank) if axis not in gone]
    count = count_over(x, gone)
    return reshape(permute(x, [*kept, *gone]), (*(x.shape[axis] for axis in kept), count))


def _unflat(y: Node, axes: tuple[int, ...], shape: Shape) -> Node:
    """Bring a node with the axes joined back to a shape."""
    rank = len(shape)
    gone = positive(axes, rank)
    order = [*(axis for axis in range(rank) if axis not in gone), *gone]
    split = reshape(y, tuple(shape[axis] for axis in order))
    return permute(split, sorted(range(rank), key=order.__getitem__))


def _others_vjp(g: Node, node: Apply) -> tuple[Node]:
    """Sum over the entries i the products without i and the entry at hand: those with i before it, and behind it."""
    (x,) = node.operands
    (axes,) = node.operation.parameters
    flat, seed = _flat(x, axes), _flat(g, axes)

    def passed_forward(x: Node, g: Node) -> Node:
        return shifted(recurrence(x, hadamard(g, _before(x)), -1, reverse=False), -1, 1, 0)

    def turned(x: Node) -> Node:
        return flip(x, -1)

    behind = turned(_before(turned(flat)))
    from_front = hadamard(passed_forward(flat, seed), behind)
    from_behind = hadamard(turned(passed_forward(turned(flat), turned(seed))), _before(flat))
    return (_unflat(add(from_front, from_behind), axes, g.shape),)


def _others_signature(x: Node, axes: Any) -> tuple[Shape, np.dtype[Any]]:
    reduced_shape("product_of_others", x, axes)
    return intern_shape(x.shape), x.dtype


_others: Function = primitive(
    "product_of_others", signature=_others_signature, vjp=_others_vjp,
    numpy=lambda speller, *texts: spell(speller.helper(numerics.product_of_others), reduces=False)(speller, *texts),
    value=lambda x, axes: numerics.product_of_others(x, axes), latex=look(r"\prod^{\neq}"),
    examples=(
        lambda make: _others(make("x", (2, 3)), (-1,)),
        lambda make: _others(make("x", (2, 1, 3)), (-3, -1)),
    ),
    batch="leading",
    doc="For each entry the product of all others over axes.",
)  # fmt: skip


def _prod_signature(x: Node, axes: Any) -> tuple[Shape, np.dtype[Any]]:
    return reduced_shape("prod", x, axes), x.dtype


def _prod_vjp(g: Node, node: Apply) -> tuple[Node]:
    (x,) = node.operands
    (axes,) = node.operation.parameters
    return (hadamard(expand(g, axes), _others(x, axes)),)


_prod: Function = primitive(
    "prod_over", signature=_prod_signature, vjp=_prod_vjp, numpy=spell("np.prod"),
    value=lambda x, axes: np.prod(x, axis=axes), latex=look(r"\prod"),
    examples=(
        lambda make: METHODS["prod"](make("x", (2, 3)), axis=1),
        lambda make: METHODS["prod"](make("x", (2, 3))),
        lambda make: METHODS["prod"](make("x", (2, 1, 3)), axis=(0, 2)),
    ),
    batch="leading",
    doc="Product over axes; its derivative by one entry is the product of the others, whether or not some are 0.",
)  # fmt: skip


@public(
    "prod",
    examples=(
        lambda f, make: f(make("x", (2, 3))),
        lambda f, make: f(make("x", (2, 1, 3)), (0, -1), keepdims=True),
        lambda f, make: f(make("k", (2, 3), dtype="int32"), 1, "float32"),
        lambda f, make: f(make("x", (2, 3)), axis=0, where=make("m", (3,), dtype="bool", low=0), initial=2.0),
        lambda f, make: f(make("x", (0, 3)), axis=0),
        lambda f, make: f(make("x", ())),
        lambda f, make: f(make("k", (2, 3), dtype="int8"), axis=0),
    ),
)
def prod(
    a: Any, axis: Axis = None, dtype: Any = None, *, keepdims: bool = False, initial: Any = None, where: Any = None
) -> Node:
    """Product over axes, as `numpy.prod` has it; its derivatives of every order are exact where entries are 0.

    Args:
        a: Any shape; small integers and booleans are multiplied in int64 or uint64.
        axis: An axis, a tuple of axes, or None for all of them.
        dtype: In which is multiplied: float64, float32, int64 or uint64.
        keepdims: Keep the reduced axes with size 1.
        initial: A factor.
        where: A boolean mask that broadcasts to the shape of a: which entries are multiplied.

    Raises:
        ShapeError: If an axis does not exist or is named twice, or the mask does not broadcast.
        DtypeError: If `dtype` is another one, or the mask is not boolean.

    Example:
        >>> import symback as sb
        >>> sb.prod(sb.tensor("X", ("N", "n")), axis=0).shape
        (n,)
    """
    x = taken("prod", summable("prod", a, dtype), where, 1)
    total = reduce_over(_prod, "prod", x, axis, keepdims)
    return total if initial is None else hadamard(total, initial_value("prod", initial, total.dtype))


@public(
    "nanprod",
    examples=(lambda f, make: f(make("x", (2, 3))), lambda f, make: f(make("x", (2, 3)), 1, keepdims=True)),
    kinks="entries that are NaN have derivative 0",
)
def nanprod(a: Any, axis: Axis = None, dtype: Any = None, *, keepdims: bool = False) -> Node:
    """Product over axes of the entries that are numbers, as `numpy.nanprod` has it; 1 where there is none.

    Args and errors are those of `prod`.

    Raises:
        ShapeError: If an axis does not exist or is named twice.
        DtypeError: If `dtype` is none of float64, float32, int64 and uint64.

    Example:
        >>> import symback as sb
        >>> sb.nanprod(sb.tensor("X", ("N", "n")), axis=0).shape
        (n,)
    """
    x = as_node(a)
    return prod(select(isnan(x), 1, x) if is_float(x.dtype) else x, axis, dtype, keepdims=keepdims)
