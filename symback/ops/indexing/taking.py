"""NumPy's functions that take entries by their number: by arrays of indices, along an axis, by masks that are known."""

from typing import Any

import numpy as np

from symback import errors
from symback.nodes.dtypes import as_dtype
from symback.nodes.leaves import Constant, as_node, constant, ones_of
from symback.nodes.node import METHODS, Node
from symback.nodes.products import broadcast_to
from symback.nodes.shapes import Shape, as_size, broadcast_shapes, intern_shape, normalize_axis
from symback.op.declare import Function, primitive
from symback.op.public import public
from symback.ops.indexing.along import take_along
from symback.ops.indexing.getitem import add_at, getitem, set_at
from symback.ops.numerics import indexing as numerics
from symback.ops.products.axes import moveaxis
from symback.ops.shaping.reshaping import ravel

__all__ = ["compress", "embedding", "extract", "one_hot", "take", "take_along_axis"]

# -- along an axis -----------------------------------------------------------------------------------------------


@public(
    "take_along_axis",
    examples=(
        lambda f, make: f(make("x", (2, 3)), make("i", (2, 4), dtype="int64", low=-3, high=3), axis=1),
        lambda f, make: f(make("x", (4, 2)), make("i", (3, 1), dtype="int64", low=0, high=4), axis=0),
        lambda f, make: f(make("x", (1, 3)), make("i", (2, 1), dtype="int64", low=0, high=3), -1),
        lambda f, make: f(make("x", (2, 3)), make("i", (4,), dtype="int64", low=0, high=6), axis=None),
    ),
)
def take_along_axis(arr: Any, indices: Any, axis: int | None = -1) -> Node:
    """Take entries along an axis, those of each row by its own indices, as `numpy.take_along_axis` does.

    Args:
        arr: Any shape.
        indices: Integers, of as many axes as `arr`; all but `axis` broadcast against those of `arr`.
        axis: The axis; None for the entries in row-major order, with indices of shape (n,).

    Raises:
        ShapeError: If the numbers of axes differ, or the shapes do not broadcast.
        DtypeError: If the indices are no integers.

    Example:
        >>> import symback as sb
        >>> order = sb.argsort(sb.tensor("X", ("N", 3)), axis=1)
        >>> sb.take_along_axis(sb.tensor("Y", ("N", 3)), order, axis=1).shape
        (N, 3)
    """
    x, places = as_node(arr), as_node(indices)
    if axis is None:
        return take_along_axis(ravel(x), places, 0)
    at = normalize_axis("take_along_axis", x, axis)
    if len(places.shape) != len(x.shape):
        raise errors.wrong_rank("take_along_axis", places, f"{len(x.shape)}, as many as {x.short()}")
    if places.dtype.kind not in "iu":
        raise errors.index_dtype(x, places)
    others = [intern_shape((*node.shape[:at], 1, *node.shape[at + 1 :])) for node in (x, places)]
    whole = broadcast_shapes("take_along_axis", [ones_of(shape) for shape in others])
    repeated = broadcast_to(x, (*whole[:at], x.shape[at], *whole[at + 1 :]))
    return take_along((repeated, places), at - len(x.shape), False)


# -- by one array of indices ---------------------------------------------------------------------------------------


@public(
    "take",
    examples=(
        lambda f, make: f(make("x", (2, 3)), make("i", (4,), dtype="int64", low=-6, high=6)),
        lambda f, make: f(make("x", (2, 3)), make("i", (2, 2), dtype="int32", low=0, high=3), axis=1),
        lambda f, make: f(make("x", (3, 2)), [2, 0, 2], axis=0, mode="raise"),
        lambda f, make: f(make("x", (3, 2)), 1, axis=-1),
        lambda f, make: f(make("x", (3, 2)), make("i", (4,), dtype="int64", low=-6, high=6), 0, mode="clip"),
        lambda f, make: f(make("x", (3,)), make("i", (0,), dtype="int64")),
    ),
)
def take(a: Any, indices: Any, axis: int | None = None, *, mode: str = "raise") -> Node:
    """Take entries along an axis by their number, as `numpy.take` does.

    Args:
        a: Any shape.
        indices: Integers of any shape; negative ones count from the end.
        axis: The axis whose place the axes of the indices take; None for the entries in row-major order.
        mode: Of indices out of range: ``"raise"`` refuses them, ``"clip"`` takes the nearest, ``"wrap"`` counts round.

    Raises:
        ShapeError: If the axis does not exist, or an index that is known is out of range.
        DtypeError: If the indices are no integers.
        InputError: If `mode` is another one.

    Example:
        >>> import symback as sb
        >>> sb.take(sb.tensor("X", ("N", 3)), [0, 2], axis=1).shape
        (N, 2)
    """
    x = as_node(a)
    if mode not in ("raise", "clip", "wrap"):
        raise errors.bad_option("take", "mode", mode, ("raise", "clip", "wrap"))
    if axis is None:
        return take(ravel(x), indices, 0, mode=mode)
    places = as_node(indices)
    if places.dtype.kind not in "iu" and not (isinstance(places, Constant) and not places.array.size):
        raise errors.index_dtype(x, places)
    place = normalize_axis("take", x, axis)
    if mode != "raise":
        places, size = METHODS["astype"](places, "int64"), x.shape[place]
        indices = METHODS["clip"](places, 0, size - 1) if mode == "clip" else METHODS["remainder"](places, size)
    return getitem(x, (slice(None),) * place + (indices,))


@public(
    "embedding",
    examples=(
        lambda f, make: f(make("E", (4, 2)), make("i", (3,), dtype="int64", low=0, high=4)),
        lambda f, make: f(make("E", (4, 2)), make("i", (2, 3), dtype="int32", low=0, high=4)),
    ),
)
def embedding(table: Any, indices: Any) -> Node:
    """Look rows of a table up: ``table[indices]``; the gradient adds up what repeated indices receive.

    Args:
        table: Shape (n, ...).
        indices: Integers of any shape, known or not.

    Raises:
        ShapeError: If the table has no axes, or an index that is known is out of range.
        DtypeError: If the indices are no integers.

    Example:
        >>> import symback as sb
        >>> sb.embedding(sb.tensor("E", ("n", 8)), sb.tensor("words", ("N", "T"), dtype="int64")).shape
        (N, T, 8)
    """
    return take(table, indices, 0)


def _one_hot_rows(indices: Node, classes: Any, dtype: Any) -> tuple[Shape, Any]:
    if indices.dtype.kind not in "iu":
        raise errors.operand_dtype("one_hot", indices, "an integer")
    if as_size(classes) != classes or as_dtype(dtype).name != dtype:
        raise errors.bad_node("one_hot", f"{classes!r} classes of dtype {dtype!r}")
    if isinstance(indices, Constant) and isinstance(classes, int):
        for place in np.ravel(indices.array):
            if not 0 <= place < classes:
                raise errors.index_out_of_range(indices, int(place), classes)
    return intern_shape((*indices.shape, classes)), as_dtype(dtype)


def _spell_one_hot(spell: Any, operands: Any, parameters: Any) -> str:
    classes, dtype = parameters
    shown = "" if dtype == "float64" else f", dtype=np.{spell.dtype(dtype)}"
    return f"{spell.helper(numerics.one_hot)}({operands[0]}, {spell.size(classes)}{shown})"


_one_hot_of: Function = primitive(
    "one_hot_of", signature=_one_hot_rows, numpy=_spell_one_hot, differentiable=False,
    value=lambda indices, *given: numerics.one_hot(np.asarray(indices).astype(int), given[0], np.dtype(given[1]).type),
    latex=r"\operatorname{{onehot}}\left({0}\right)",
    examples=(
        lambda make: _one_hot_of(make("i", (3,), dtype="int64", low=0, high=4), 4, "float64"),
        lambda make: _one_hot_of(make("i", (2, 3), dtype="int64", low=0, high=4), 4, "float32"),
    ),
    batch="leading",
    doc="Rows of the identity matrix at indices.",
)  # fmt: skip


@public(
    "one_hot",
    examples=(
        lambda f, make: f(make("i", (3,), dtype="int64", low=0, high=4), 4),
        lambda f, make: f(make("i", (2, 3), dtype="int64", low=0, high=2), 2, axis=0, dtype="float32"),
        lambda f, make: f(make("i", (), dtype="int64", low=0, high=3), 3),
    ),
)
def one_hot(indices: Any, num_classes: Any, *, axis: int = -1, dtype: Any = "float64") -> Node:
    """Rows of the identity matrix: 1 at each index and 0 elsewhere, along a new axis.

    Args:
        indices: Integers from 0 to below `num_classes`, of any shape; another one is an error at the call.
        num_classes: The size of the new axis, an integer or a symbolic size.
        axis: Where the new axis stands in the result.
        dtype: Of the result.

    Raises:
        ShapeError: If the axis does not exist in the result, or an index that is known is out of range.
        DtypeError: If the indices are no integers.

    Example:
        >>> import symback as sb
        >>> sb.one_hot(sb.tensor("y", ("N",), dtype="int64"), 10).shape
        (N, 10)
    """
    rows = _one_hot_of(as_node(indices), as_size(num_classes), as_dtype(dtype).name)
    return moveaxis(rows, -1, axis)


# -- by a mask that is known ----------------------------------------------------------------------------------------


def _known_mask(operation: str, condition: Any) -> np.ndarray[Any, Any]:
    node = as_node(condition)
    if not isinstance(node, Constant):
        raise errors.mask_index(operation, node)
    return np.asarray(node.array, dtype=bool)


@public(
    "compress",
    examples=(
        lambda f, make: f([True, False, True], make("x", (3, 2)), axis=0),
        lambda f, make: f([False, True], make("x", (2, 3)), axis=-1),
        lambda f, make: f([False, True, True], make("x", (2, 3))),
    ),
)
def compress(condition: Any, a: Any, axis: int | None = None) -> Node:
    """Take the slices along an axis where a mask holds, as `numpy.compress` does.

    Args:
        condition: A mask of shape (n,) that is known, at most as long as the axis.
        a: Any shape.
        axis: The axis; None for the entries in row-major order.

    Raises:
        ShapeError: If the mask is a node, has more than one axis, or is longer than the axis.

    Example:
        >>> import symback as sb
        >>> sb.compress([True, False, True], sb.tensor("X", (3, "n")), axis=0).shape
        (2, n)
    """
    mask = _known_mask("compress", condition)
    if mask.ndim != 1:
        raise errors.wrong_rank("compress", constant(mask), "1")
    return take(a, np.flatnonzero(mask), axis)


@public("extract", examples=(lambda f, make: f([[True, False], [True, True]], make("x", (2, 2))),))
def extract(condition: Any, arr: Any) -> Node:
    """Take the entries where a mask holds, in row-major order, as `numpy.extract` does.

    Raises:
        ShapeError: If the mask is a node, or has more entries than the array.

    Example:
        >>> import symback as sb
        >>> sb.extract([True, False, True], sb.tensor("x", (3,))).shape
        (2,)
    """
    return compress(_known_mask("extract", condition).ravel(), arr)


METHODS["set_at"], METHODS["add_at"] = set_at, add_at
