"""The same entries several times: tile, repeat. Each is linear and named as in NumPy."""

from typing import Any

import numpy as np
import sympy

from symback import errors
from symback.nodes.apply import Apply
from symback.nodes.looks import latex_size
from symback.nodes.node import Node
from symback.nodes.products import sum_axes
from symback.nodes.shapes import Shape, SizeExpr, as_size, intern_shape, normalize_axis, product
from symback.op.batch import aligned
from symback.op.declare import Function, primitive
from symback.op.public import public
from symback.ops.numerics.arranging import sum_runs
from symback.ops.shaping.arranging import below, known_axes
from symback.ops.shaping.reshaping import as_array, axis_argument, lead_of, ravel, reshape

__all__ = ["repeat", "tile"]


def _tiled(x: Node, reps: Any) -> tuple[Shape, Any]:
    missing = len(reps) - len(x.shape) if isinstance(reps, tuple) else -1
    if missing < 0 or any(as_size(rep) != rep for rep in reps):
        raise errors.bad_node("tile_by", f"{reps!r} does not say how often to repeat each of {len(x.shape)} axes")
    sizes = (1,) * missing + x.shape
    return intern_shape(tuple(product((rep, size)) for rep, size in zip(reps, sizes, strict=True))), x.dtype


def _untiled(g: Node, node: Apply) -> Node:
    """Sum a cotangent over the copies: the transpose of a repetition."""
    (reps,), x = node.operation.parameters, node.operands[0]
    lead = lead_of(g, node)
    taken_apart: list[SizeExpr] = []
    copies = []
    for rep, size in zip(reps, (None,) * (len(reps) - len(x.shape)) + x.shape, strict=True):
        if rep != 1:
            copies.append(len(lead) + len(taken_apart))
            taken_apart.append(rep)
        taken_apart += [] if size is None else [size]
    return sum_axes(reshape(g, lead + tuple(taken_apart)), copies)


def _reps_text(spell: Any, x: str, reps: tuple[SizeExpr, ...]) -> str:
    return f"np.tile({x}, {spell.size(reps[0]) if len(reps) == 1 else spell.shape(reps)})"


def _reps_latex(reps: tuple[SizeExpr, ...]) -> str:
    return r" \times ".join(map(latex_size, reps))


_tile: Function = primitive(
    "tile_by",
    signature=_tiled,
    vjp=lambda g, node: (_untiled(g, node),),
    linear=True,
    batch=lambda node, operands: _tile(aligned(node, operands)[0], (1, *node.operation.parameters[0])),
    numpy=lambda spell, operands, parameters: _reps_text(spell, operands[0], *parameters),
    value=np.tile,
    latex=lambda operands, parameters: (
        rf"\operatorname{{tile}}_{{{_reps_latex(parameters[0])}}}\left({operands[0]}\right)"
    ),
    examples=(
        lambda make: _tile(make("x", (3,)), (2,)),
        lambda make: _tile(make("x", (2, 3)), (2, 1, 2)),
        lambda make: _tile(make("x", ()), (2, 2)),
    ),
    doc="An array side by side with itself, along each axis so many times.",
)


@public(
    "tile",
    examples=(
        lambda f, make: f(make("x", (3,)), 2),
        lambda f, make: f(make("x", (2, 3)), (2, 1)),
        lambda f, make: f(make("x", (2, 3)), 2),
        lambda f, make: f(make("x", ()), (2,)),
        lambda f, make: f(make("x", (3,)), (2, 0)),
        lambda f, make: f(make("x", (2,)), ()),
    ),
)
def tile(A: Any, reps: Any) -> Node:
    """Put an array side by side with itself, as `numpy.tile` does.

    Args:
        A: Any shape.
        reps: How many times along each axis (the last ones, if they are fewer): integers or symbolic sizes.

    Raises:
        ShapeError: If a number of repetitions is no size.

    Example:
        >>> import symback as sb
        >>> sb.tile(sb.tensor("x", ("n",)), (3, 2)).shape
        (3, 2*n)
    """
    x = as_array(A)
    given = tuple(map(as_size, reps)) if isinstance(reps, (tuple, list)) else (as_size(reps),)
    given = (1,) * (len(x.shape) - len(given)) + given
    return x if given == (1,) * len(x.shape) else _tile(x, given)


# -- repeat ------------------------------------------------------------------------------------------------

Counts = SizeExpr | tuple[int, ...]


def _along_axis(x: Node, axis: Any, size: SizeExpr) -> Shape:
    """Return the shape with another size along an axis named from the last."""
    place = known_axes("repeat", x, (axis,))[0] + len(x.shape)
    return intern_shape((*x.shape[:place], size, *x.shape[place + 1 :]))


def _are_counts(counts: Any) -> bool:
    return isinstance(counts, tuple) and all(type(count) is int and count >= 0 for count in counts)


def _repeated(x: Node, counts: Any, axis: Any) -> tuple[Shape, Any]:
    size = x.shape[known_axes("repeat", x, (axis,))[0]]
    if not isinstance(counts, tuple):
        if as_size(counts) != counts:
            raise errors.bad_size(counts)
        return _along_axis(x, axis, product((as_size(counts), size))), x.dtype
    if not _are_counts(counts) or len(counts) != size:
        raise errors.wrong_count("repeat", x, "repeats", len(counts), size)
    return _along_axis(x, axis, sum(counts)), x.dtype


def _summed_runs(x: Node, counts: Any, axis: Any) -> tuple[Shape, Any]:
    size = x.shape[known_axes("sum_runs", x, (axis,))[0]]
    if not _are_counts(counts) or sum(counts) != size:
        raise errors.wrong_count("sum_runs", x, "counts", counts, size)
    return _along_axis(x, axis, len(counts)), x.dtype


def _unrepeated(g: Node, node: Apply) -> Node:
    """Sum a cotangent over each run of copies: the transpose of a repetition."""
    counts, axis = node.operation.parameters
    if isinstance(counts, tuple):
        return _sum_runs(g, counts, axis)
    place = len(g.shape) + axis
    size = node.operands[0].shape[axis]
    return sum_axes(reshape(g, (*g.shape[:place], size, counts, *g.shape[place + 1 :])), (place + 1,))


def _repeat_text(spell: Any, x: str, counts: Counts, axis: int) -> str:
    rank = len(spell.operand_shapes[0])
    written = f"[{', '.join(map(str, counts))}]" if isinstance(counts, tuple) else spell.size(counts)
    return f"np.repeat({x}, {written}{'' if rank == 1 else axis_argument(axis, rank)})"


_repeat: Function = primitive(
    "repeat_along",
    signature=_repeated,
    vjp=lambda g, node: (_unrepeated(g, node),),
    linear=True,
    numpy=lambda spell, operands, parameters: _repeat_text(spell, operands[0], *parameters),
    value=lambda x, counts, axis: np.repeat(x, counts, axis=axis),
    latex=lambda operands, parameters: (
        rf"\operatorname{{repeat}}^{{({_counts_latex(parameters[0])})}}"
        rf"{below(parameters[1:], len(operands[0].shape))}\left({operands[0]}\right)"
    ),
    examples=(
        lambda make: _repeat(make("x", (3,)), 2, -1),
        lambda make: _repeat(make("x", (2, 3)), (2, 0, 1), -1),
        lambda make: _repeat(make("x", (2, 3)), 2, -2),
    ),
    batch="leading",
    doc="Each entry along an axis several times in a row.",
)


def _counts_latex(counts: Counts) -> str:
    return ", ".join(map(str, counts)) if isinstance(counts, tuple) else latex_size(counts)


_sum_runs: Function = primitive(
    "sum_runs",
    signature=_summed_runs,
    vjp=lambda h, node: (_repeat(h, *node.operation.parameters),),
    linear=True,
    numpy=lambda spell, operands, parameters: (
        f"{spell.helper(sum_runs)}({operands[0]}, {list(parameters[0])}, axis={parameters[1]})"
    ),
    value=sum_runs,
    latex=lambda operands, parameters: (
        rf"\operatorname{{sumruns}}_{{{_counts_latex(parameters[0])}}}\left({operands[0]}\right)"
    ),
    examples=(
        lambda make: _sum_runs(make("x", (4,)), (1, 0, 3), -1),
        lambda make: _sum_runs(make("x", (3, 2)), (2, 1), -2),
    ),
    batch="leading",
    doc="Sums over runs of entries along an axis: the transpose of a repetition by counts.",
)


@public(
    "repeat",
    examples=(
        lambda f, make: f(make("x", (3,)), 2),
        lambda f, make: f(make("x", (2, 3)), 2, axis=0),
        lambda f, make: f(make("x", (2, 3)), 2, axis=-1),
        lambda f, make: f(make("x", (2, 2)), 3),
        lambda f, make: f(make("x", ()), 2),
        lambda f, make: f(make("x", (2,)), 0),
    ),
)
def repeat(a: Any, repeats: Any, axis: int | None = None) -> Node:
    """Repeat each entry along an axis, as `numpy.repeat` does.

    Args:
        a: Any shape.
        repeats: How many times: an integer, a symbolic size, or a sequence with an integer for each entry.
        axis: The axis; None: all entries, along one axis.

    Raises:
        ShapeError: If there is not one count for each entry, or a count is no size.
        UsageError: If counts are no integers that are known when the graph is built.

    Example:
        >>> import symback as sb
        >>> sb.repeat(sb.tensor("X", ("n", 3)), [2, 0, 1], axis=1).shape
        (n, 3)
    """
    x = as_array(a)
    if axis is None:
        x, axis = ravel(x), 0
    place = normalize_axis("repeat", x, axis) - len(x.shape)
    if isinstance(repeats, (int, np.integer, str, sympy.Expr)) and not isinstance(repeats, (bool, Node)):
        return _repeat(x, as_size(repeats), place)
    counts = np.asarray(repeats) if not isinstance(repeats, Node) else np.asarray(0.5)
    if counts.ndim > 1 or (counts.size and counts.dtype.kind not in "iu"):
        raise errors.no_known_integers("repeat", "repeats", repeats)
    if counts.size == 1:
        return _repeat(x, as_size(counts.item()), place)
    if any(count < 0 for count in counts.tolist()):
        raise errors.bad_size(min(counts.tolist()))
    return _repeat(x, tuple(counts.tolist()), place)
