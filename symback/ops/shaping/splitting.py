"""Arrays cut into pieces along an axis, and arrays without or with further entries there."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import sympy

from symback import errors
from symback.nodes.leaves import as_node
from symback.nodes.node import METHODS, Node
from symback.nodes.products import broadcast_to as broadcast_node
from symback.nodes.shapes import SizeExpr, normalize_axis, sequence_of, simplify_size
from symback.op.public import public
from symback.ops.elementwise.logic import astype
from symback.ops.shaping.joining import concatenate
from symback.ops.shaping.reshaping import as_array, expand_dims, ravel

__all__ = ["array_split", "delete", "dsplit", "hsplit", "insert", "split", "unstack", "vsplit"]


def _piece(x: Node, axis: int, start: Any, stop: Any) -> Node:
    return x[(slice(None),) * axis + (slice(start, stop),)]


def _cut(x: Node, axis: int, bounds: Sequence[Any]) -> list[Node]:
    """Cut at positions, each piece from one to the next; the first and the last are 0 and None."""
    return [_piece(x, axis, start, stop) for start, stop in pairwise(bounds)]


def _positions(operation: str, given: Any) -> list[Any]:
    """Return the positions of cuts: integers or symbolic sizes."""
    items = sequence_of(operation, given, "positions")
    if not all(_is_known(item) for item in items):
        raise errors.no_known_integers(operation, "indices_or_sections", given)
    return items


def _is_known(item: Any) -> bool:
    """Is this an integer, or made of symbolic sizes?"""
    if isinstance(item, (bool, np.bool_, Node)):
        return False
    return isinstance(item, (int, np.integer, sympy.Expr))


_MOST_PARTS = 100_000
"""Each part is a node of its own."""


def _count(operation: str, given: Any) -> int | None:
    """Return a number of parts, or None if positions are given."""
    if isinstance(given, bool) or not isinstance(given, (int, np.integer)):
        return None
    if given <= 0:
        raise errors.no_known_integers(operation, "indices_or_sections", given)
    if given > _MOST_PARTS:
        raise errors.bad_node(operation, f"{str(given)[:40]} parts are too many for a graph, at most {_MOST_PARTS}")
    return int(given)


@public(
    "split",
    examples=(
        lambda f, make: f(make("x", (4, 2)), 2),
        lambda f, make: f(make("x", (2, 6)), [1, 4], axis=-1),
        lambda f, make: f(make("x", (3,)), [1, 1, 5]),
    ),
    symbolic=False,
)
def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Node]:
    """Cut an array along an axis, as `numpy.split` does.

    Args:
        ary: Any shape with at least one axis.
        indices_or_sections: A number of equal parts, or the positions of the cuts.
        axis: The axis.

    Raises:
        ShapeError: If the parts are not equal; for a symbolic size, if it is no multiple of the number of parts.

    Example:
        >>> import symback as sb
        >>> n = sb.tensor("x", ("n",)).shape[0]
        >>> [part.shape for part in sb.split(sb.tensor("X", (2 * n, 3)), 2)]
        [(n, 3), (n, 3)]
    """
    x = as_node(ary)
    place = normalize_axis("split", x, axis)
    parts = _count("split", indices_or_sections)
    if parts is None:
        return _cut(x, place, [0, *_positions("split", indices_or_sections), None])
    size = simplify_size(sympy.sympify(x.shape[place], strict=True) / parts)
    if not isinstance(size, int) and (not size.is_integer or not _has_integer_coefficients(size)):
        raise errors.unequal_parts("split", x, place, parts)
    return _cut(x, place, [simplify_size(size * k) for k in range(parts)] + [None])


def _has_integer_coefficients(size: sympy.Expr) -> bool:
    return all(term.as_coeff_Mul()[0].is_Integer for term in sympy.Add.make_args(size))


@public(
    "array_split",
    examples=(lambda f, make: f(make("x", (5, 2)), 3), lambda f, make: f(make("x", (2, 3)), 2, axis=1)),
    symbolic=False,
)
def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Node]:
    """Cut an array along an axis into parts that may differ by one entry, as `numpy.array_split` does.

    Raises:
        ShapeError: If the size of the axis is symbolic and no multiple of the number of parts.

    Example:
        >>> import symback as sb
        >>> [part.shape for part in sb.array_split(sb.tensor("x", (5,)), 2)]
        [(3,), (2,)]
    """
    x = as_node(ary)
    place = normalize_axis("array_split", x, axis)
    parts, size = _count("array_split", indices_or_sections), x.shape[place]
    if parts is None or not isinstance(size, int):
        return split(x, indices_or_sections, place)
    small, larger = divmod(size, parts)
    return _cut(x, place, [k * small + min(k, larger) for k in range(parts)] + [None])


def _split_along(operation: str, ary: Any, given: Any, axis: int, least: int) -> list[Node]:
    x = as_node(ary)
    if len(x.shape) < least:
        raise errors.wrong_rank(operation, x, f"at least {least}")
    return split(x, given, axis)


@public("vsplit", examples=(lambda f, make: f(make("x", (4, 2)), 2),), symbolic=False)
def vsplit(ary: Any, indices_or_sections: Any) -> list[Node]:
    """Cut a matrix into groups of rows, as `numpy.vsplit` does; see `split`.

    Raises:
        ShapeError: If there are fewer than two axes, or the parts are not equal.

    Example:
        >>> import symback as sb
        >>> [part.shape for part in sb.vsplit(sb.tensor("X", ("n", 3)), [1])]
        [(1, 3), (n - 1, 3)]
    """
    return _split_along("vsplit", ary, indices_or_sections, 0, 2)


@public(
    "hsplit",
    examples=(lambda f, make: f(make("x", (2, 4)), 2), lambda f, make: f(make("x", (3,)), [1])),
    symbolic=False,
)
def hsplit(ary: Any, indices_or_sections: Any) -> list[Node]:
    """Cut a matrix into groups of columns, or a vector into parts, as `numpy.hsplit` does; see `split`.

    Raises:
        ShapeError: If there is no axis, or the parts are not equal.

    Example:
        >>> import symback as sb
        >>> [part.shape for part in sb.hsplit(sb.tensor("X", ("n", 4)), 2)]
        [(n, 2), (n, 2)]
    """
    return _split_along("hsplit", ary, indices_or_sections, 1 if len(as_node(ary).shape) > 1 else 0, 1)


@public("dsplit", examples=(lambda f, make: f(make("x", (1, 2, 4)), 2),), symbolic=False)
def dsplit(ary: Any, indices_or_sections: Any) -> list[Node]:
    """Cut an array along its third axis, as `numpy.dsplit` does; see `split`.

    Raises:
        ShapeError: If there are fewer than three axes, or the parts are not equal.

    Example:
        >>> import symback as sb
        >>> [part.shape for part in sb.dsplit(sb.tensor("X", (2, "n", 4)), 2)]
        [(2, n, 2), (2, n, 2)]
    """
    return _split_along("dsplit", ary, indices_or_sections, 2, 3)


@public(
    "unstack",
    examples=(lambda f, make: f(make("x", (2, 3))), lambda f, make: f(make("x", (2, 3)), axis=-1)),
    symbolic=False,
)
def unstack(x: Any, /, *, axis: int = 0) -> tuple[Node, ...]:
    """Take an array apart along an axis, as `numpy.unstack` does.

    Raises:
        ShapeError: If the axis does not exist, or its size is symbolic.

    Example:
        >>> import symback as sb
        >>> [row.shape for row in sb.unstack(sb.tensor("X", (2, "n")))]
        [(n,), (n,)]
    """
    node = as_node(x)
    place = normalize_axis("unstack", node, axis)
    size = node.shape[place]
    if not isinstance(size, int):
        raise errors.unknown_parts("unstack", node, place)
    return tuple(node[(slice(None),) * place + (k,)] for k in range(size))


def _along(operation: str, arr: Any, axis: int | None) -> tuple[Node, int]:
    """Return the array and the axis; without an axis, all entries along one."""
    x = as_array(arr)
    if axis is None and len(x.shape) != 1:
        x = ravel(x)
    return x, 0 if axis is None else normalize_axis(operation, x, axis)


def _places(operation: str, x: Node, axis: int, obj: Any, *, inclusive: bool) -> list[int]:
    """Return positions along an axis, from 0."""
    size = x.shape[axis]
    if isinstance(obj, slice):
        if not isinstance(size, int):
            raise errors.unknown_parts(operation, x, axis)
        return list(range(*obj.indices(size)))
    given = np.asarray(0.5) if isinstance(obj, Node) else np.asarray(obj)
    if given.ndim > 1 or (given.size and given.dtype.kind not in "iu"):
        raise errors.no_known_integers(operation, "obj", obj)
    return [_place(operation, x, axis, int(k), size, inclusive) for k in given.ravel()]


def _place(operation: str, x: Node, axis: int, position: int, size: SizeExpr, inclusive: bool) -> int:
    if not isinstance(size, int):
        if position < 0:
            raise errors.unknown_parts(operation, x, axis)
        return position
    if not -size <= position < size + inclusive:
        raise errors.position_out_of_range(operation, x, axis, position)
    return position + size if position < 0 else position


@public(
    "delete",
    examples=(
        lambda f, make: f(make("x", (4, 2)), 1, axis=0),
        lambda f, make: f(make("x", (5,)), [0, -1, 0]),
        lambda f, make: f(make("x", (2, 4)), slice(1, 3), axis=1),
        lambda f, make: f(make("x", (2, 2)), 3),
    ),
    symbolic=False,
)
def delete(arr: Any, obj: Any, axis: int | None = None) -> Node:
    """The array without some entries along an axis, as `numpy.delete` has it.

    Args:
        arr: Any shape.
        obj: A position, a slice or a sequence of positions, known when the graph is built.
        axis: The axis; None: all entries, along one axis.

    Raises:
        ShapeError: If a position is out of range, or is counted from the end of an axis of symbolic size.
        UsageError: If positions are no integers that are known.

    Example:
        >>> import symback as sb
        >>> sb.delete(sb.tensor("X", ("n", 3)), 0, axis=0).shape
        (n - 1, 3)
    """
    x, place = _along("delete", arr, axis)
    gone = sorted(set(_places("delete", x, place, obj, inclusive=False)))
    size = x.shape[place]
    bounds = [(a, b) for a, b in zip([0, *[k + 1 for k in gone]], [*gone, size], strict=True) if a != b]
    if not gone:
        return x
    pieces = [_piece(x, place, start, stop) for start, stop in bounds]
    return concatenate(pieces, place) if pieces else _piece(x, place, 0, 0)


@public(
    "insert",
    examples=(
        lambda f, make: f(make("x", (4,)), 1, make("s", ())),
        lambda f, make: f(make("x", (2, 3)), 1, make("z", (3,)), axis=0),
        lambda f, make: f(make("x", (3,)), [0, 2], make("z", (2,))),
        lambda f, make: f(make("x", (2, 2)), [1], make("z", (2, 1)), axis=1),
        lambda f, make: f(make("x", (2, 2)), -1, 5),
    ),
    symbolic=False,
)
def insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Node:
    """The array with further entries along an axis, as `numpy.insert` has it.

    Args:
        arr: Any shape.
        obj: A position, or a sequence of positions in increasing order: each value stands before that entry.
        values: What to insert; it broadcasts to the shape of what is inserted, and is converted to the array's dtype.
        axis: The axis; None: all entries, along one axis.

    Raises:
        ShapeError: If a position is out of range or shapes do not fit.
        DtypeError: If the values are floats and the array has none.
        UsageError: If positions are no integers that are known.

    Example:
        >>> import symback as sb
        >>> sb.insert(sb.tensor("x", ("n",)), 0, 1.0).shape
        (n + 1,)
    """
    x, place = _along("insert", arr, axis)
    places = _places("insert", x, place, obj, inclusive=True)
    if places != sorted(places):
        raise errors.unsupported_value("insert", "obj", obj, "give the positions in increasing order")
    value = as_array(values)
    if not np.can_cast(value.dtype, x.dtype, "same_kind"):
        raise errors.lossy_conversion("insert", value, x.dtype)
    value = astype(value, x.dtype)
    if len(places) == 1:
        return _insert_block(x, place, places[0], value, one=not isinstance(obj, slice) and np.ndim(obj) == 0)
    block = broadcast_node(value, (*x.shape[:place], len(places), *x.shape[place + 1 :]))
    pieces = _cut(x, place, [0, *places, None])
    inserted = [_piece(block, place, k, k + 1) for k in range(len(places))]
    mixed = [piece for pair in zip(pieces, inserted, strict=False) for piece in pair] + [pieces[-1]]
    return _joined(mixed, place)


def _insert_block(x: Node, axis: int, position: int, value: Node, *, one: bool) -> Node:
    """Insert at one position: values of as many axes as the array go there as they are, but for broadcasting.

    If the position was given as a number, NumPy moves the values' first axis to where they go.
    """
    rank = len(x.shape)
    value = expand_dims(value, tuple(range(rank - len(value.shape))))
    value = METHODS["moveaxis"](value, 0, axis) if one else value
    wanted = (*x.shape[:axis], value.shape[axis], *x.shape[axis + 1 :])
    pieces = [_piece(x, axis, 0, position), broadcast_node(value, wanted), _piece(x, axis, position, None)]
    return _joined(pieces, axis)


def _joined(pieces: Sequence[Node], axis: int) -> Node:
    """Join pieces, without those that are empty."""
    return concatenate([piece for piece in pieces if piece.shape[axis] != 0] or pieces[:1], axis)
