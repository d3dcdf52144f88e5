"""The order of axes: transposes, each one Contract."""

from collections.abc import Sequence
from typing import Any

from symback import errors
from symback.nodes.leaves import as_node
from symback.nodes.node import Node
from symback.nodes.products import permute
from symback.nodes.shapes import normalize_axis, sequence_of
from symback.op.public import public

__all__ = ["matrix_transpose", "moveaxis", "permute_dims", "rollaxis", "swapaxes", "transpose"]


@public(
    "transpose",
    examples=(
        lambda f, make: f(make("x", (2, 3))),
        lambda f, make: f(make("x", (2, 1, 3)), (1, 2, 0)),
        lambda f, make: f(make("x", (2, 0)), axes=(-1, 0)),
        lambda f, make: f(make("x", ())),
    ),
    aliases=("permute_dims",),
)
def transpose(a: Any, axes: Sequence[int] | None = None) -> Node:
    """Permute the axes, reversed if `axes` is None, as `numpy.transpose` does.

    Raises:
        ShapeError: If `axes` is no permutation of the axes.

    Example:
        >>> import symback as sb
        >>> sb.transpose(sb.tensor("A", ("m", "n"))).shape
        (n, m)
    """
    x = as_node(a)
    rank = len(x.shape)
    given = range(rank - 1, -1, -1) if axes is None else sequence_of("transpose", axes, "axes")
    order = [normalize_axis("transpose", x, axis) for axis in given]
    if sorted(order) != list(range(rank)):
        raise errors.bad_axis("transpose", x, axes)
    return permute(x, tuple(order))


permute_dims = transpose


@public(
    "matrix_transpose",
    examples=(lambda f, make: f(make("x", (2, 3))), lambda f, make: f(make("x", (2, 3, 1)))),
)
def matrix_transpose(x: Any) -> Node:
    """Exchange the last two axes: the transpose of each matrix, as `numpy.matrix_transpose` has it.

    Raises:
        ShapeError: If there are fewer than two axes.

    Example:
        >>> import symback as sb
        >>> sb.matrix_transpose(sb.tensor("A", ("N", "m", "n"))).shape
        (N, n, m)
    """
    x = as_node(x)
    if len(x.shape) < 2:
        raise errors.wrong_rank("matrix_transpose", x, "at least 2")
    return swapaxes(x, -2, -1)


@public(
    "swapaxes",
    examples=(lambda f, make: f(make("x", (2, 1, 3)), 0, -1), lambda f, make: f(make("x", (3,)), 0, 0)),
)
def swapaxes(a: Any, axis1: int, axis2: int) -> Node:
    """Exchange two axes, as `numpy.swapaxes` does.

    Raises:
        ShapeError: If an axis does not exist.

    Example:
        >>> import symback as sb
        >>> sb.swapaxes(sb.tensor("x", ("n", 3, 4)), 0, 2).shape
        (4, 3, n)
    """
    x = as_node(a)
    order = list(range(len(x.shape)))
    i, j = normalize_axis("swapaxes", x, axis1), normalize_axis("swapaxes", x, axis2)
    order[i], order[j] = order[j], order[i]
    return permute(x, order)


@public(
    "moveaxis",
    examples=(
        lambda f, make: f(make("x", (2, 1, 3)), 0, -1),
        lambda f, make: f(make("x", (2, 1, 3)), source=(0, 2), destination=[1, 0]),
    ),
)
def moveaxis(a: Any, source: int | Sequence[int], destination: int | Sequence[int]) -> Node:
    """Move axes to other places; the others keep their order, as `numpy.moveaxis` has it.

    Raises:
        ShapeError: If an axis does not exist or is named twice, or the numbers of axes differ.

    Example:
        >>> import symback as sb
        >>> sb.moveaxis(sb.tensor("x", ("n", 3, 4)), 0, -1).shape
        (3, 4, n)
    """
    x = as_node(a)
    origins, targets = (
        [normalize_axis("moveaxis", x, axis) for axis in (given if isinstance(given, (tuple, list)) else [given])]
        for given in (source, destination)
    )
    if len(origins) != len(targets) or len(set(origins)) < len(origins) or len(set(targets)) < len(targets):
        raise errors.bad_axis("moveaxis", x, (source, destination))
    order = [axis for axis in range(len(x.shape)) if axis not in origins]
    for target, origin in sorted(zip(targets, origins, strict=True)):
        order.insert(target, origin)
    return permute(x, order)


@public(
    "rollaxis",
    examples=(lambda f, make: f(make("x", (2, 1, 3)), 2), lambda f, make: f(make("x", (2, 1, 3)), 0, start=3)),
)
def rollaxis(a: Any, axis: int, start: int = 0) -> Node:
    """Move an axis backwards until it stands before position `start`, as `numpy.rollaxis` does.

    Raises:
        ShapeError: If the axis or the position does not exist.

    Example:
        >>> import symback as sb
        >>> sb.rollaxis(sb.tensor("x", ("n", 3, 4)), 2).shape
        (4, n, 3)
    """
    x = as_node(a)
    rank = len(x.shape)
    moved = normalize_axis("rollaxis", x, axis)
    place = rank if start == rank else normalize_axis("rollaxis", x, start)
    order = [k for k in range(rank) if k != moved]
    order.insert(place - (moved < place), moved)
    return permute(x, order)
