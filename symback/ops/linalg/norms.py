"""Norms of vectors and matrices."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from symback import errors
from symback.nodes.apply import Apply, unnamed
from symback.nodes.contract import Contract, contract
from symback.nodes.leaves import exact, ones_of
from symback.nodes.node import METHODS, Node
from symback.nodes.products import hadamard, keep_axes
from symback.nodes.shapes import Shape, intern_shape, normalize_axes
from symback.op.declare import Function, primitive
from symback.op.public import public
from symback.ops.elementwise.arithmetic import divide
from symback.ops.elementwise.kinks import absolute, sign
from symback.ops.elementwise.logic import astype, not_equal, where
from symback.ops.elementwise.powers import power
from symback.ops.linalg.matrices import real
from symback.ops.linalg.orthogonal import svdvals
from symback.ops.numerics import linalg as numerics
from symback.ops.products.axes import moveaxis
from symback.ops.reductions.sums import sum as sum_over

__all__ = ["matrix_norm", "norm", "vector_norm"]

INFINITY = float("inf")

# -- the p-norm --------------------------------------------------------------------------------------


def _norm_shape(x: Node, axes: Any, p: Any) -> tuple[Shape, np.dtype[Any]]:
    rank = len(x.shape)
    if len(set(axes)) < len(axes) or not all(type(axis) is int and -rank <= axis < 0 for axis in axes):
        raise errors.bad_axis("norm", x, axes)
    if type(p) not in (int, Fraction, float) or not 1 < p < INFINITY:
        raise errors.bad_norm_order("norm", x, p, 1)
    gone = {axis % rank for axis in axes}
    return intern_shape(tuple([size for k, size in enumerate(x.shape) if k not in gone])), x.dtype


def _kept(y: Node, axes: tuple[int, ...]) -> Node:
    """Put the reduced axes back with size 1, unless a number is left; they are counted from the last of the operand."""
    if not y.shape:
        return y
    rank = len(y.shape) + len(axes)
    return keep_axes(y, tuple(axis % rank for axis in axes))


def _norm_vjp(g: Node, node: Apply) -> tuple[Node]:
    """The entries over the norm, to the power p - 1 with their signs; 0 for the norm 0, the least of subgradients."""
    (x,) = node.operands
    axes, p = node.operation.parameters
    cancelled = _without_factor(g, node) if p == 2 else None
    if cancelled is not None:
        return (hadamard(_kept(cancelled, axes), x),)
    length = _kept(node, axes)
    ratio = divide(x, where(not_equal(length, 0), length, INFINITY))
    slope = ratio if p == 2 else hadamard(sign(x), power(absolute(ratio), exact(p - 1)))
    return (hadamard(_kept(g, axes), slope),)


def _without_factor(g: Node, node: Node, depth: int = 3) -> Node | None:
    """Return g / node where g is a product with node, a few products deep: 2 |x| times x / |x| is 2 x, at 0 too."""
    bare = unnamed(g)
    if not isinstance(bare, Contract) or not bare.subscripts.distinct or not depth:
        return None
    parts = bare.parts()
    own = parts.out[len(parts.out) - len(node.shape) :]
    for place, (core, labels) in enumerate(parts.cores):
        if labels[len(labels) - len(own) :] != own:
            continue
        rest = ones_of(node.shape, node.dtype) if unnamed(core) is node else _without_factor(core, node, depth - 1)
        if rest is not None:
            others = [*parts.cores[:place], (rest, labels), *parts.cores[place + 1 :]]
            sizes = bare.label_sizes()
            spread = [(ones_of(tuple(sizes[label] for label in parts.ones), node.dtype), parts.ones)]
            return contract([(exact(parts.coefficient), ()), *others, *(spread if parts.ones else [])], parts.out)
    return None


def _spell_norm(spell: Any, operands: list[str], parameters: tuple[Any, ...]) -> str:
    axes, p = parameters
    arguments = [operands[0]]
    if len(axes) < len(spell.operand_shapes[0]):
        arguments.append(f"axis={axes[0] if len(axes) == 1 else axes}")
    if p != 2:
        arguments.append(f"p={p if isinstance(p, int) else repr(float(p)).replace('e+', 'e')}")
    return f"{spell.helper(numerics.euclidean_norm if p == 2 else numerics.p_norm)}({', '.join(arguments)})"


def _norm_look(operands: Sequence[Any], parameters: tuple[Any, ...]) -> str:
    axes, p = parameters
    rank = len(operands[0].shape)
    below = str(p) if len(axes) == 1 else "F" if p == 2 else str(p)
    over = "" if len(axes) == rank else rf",\,\text{{axis }}{', '.join(str(axis % rank) for axis in axes)}"
    return rf"\lVert {operands[0]} \rVert_{{{below}{over}}}"


def _exact_norm(mp: Any, x: Any, axes: tuple[int, ...], p: Any) -> Any:
    power_p = np.frompyfunc(lambda v: abs(v) ** p, 1, 1)
    root = np.frompyfunc(lambda v: mp.sqrt(v) if p == 2 else mp.power(v, mp.mpf(1) / p), 1, 1)
    return root(np.sum(power_p(x), axis=axes) + mp.mpf(0))


_p_norm: Function = primitive(
    "norm_over", signature=_norm_shape, vjp=_norm_vjp, numpy=_spell_norm,
    value=lambda x, axes, p: numerics.p_norm(x, axes, p if isinstance(p, int) else float(p)),
    mpmath=_exact_norm, latex=_norm_look,
    examples=(
        lambda make: _p_norm(make("x", (3,)), (-1,), 2), lambda make: _p_norm(make("x", (2, 1, 3)), (-3, -1), 2),
        lambda make: _p_norm(make("x", (2, 3)), (-2,), 3),
    ),
    batch="leading",
    doc="The p-norm over axes, for p > 1, scaled so that nothing overflows; its derivative at 0 is 0.",
)  # fmt: skip


def _of_vectors(operation: str, x: Node, axes: tuple[int, ...], order: Any) -> Node:
    """Norm over all of the axes together, with the axes left out."""
    if not axes:
        return absolute(x)
    if not isinstance(order, (int, float, Fraction, np.integer, np.floating)) or order != order:
        raise errors.bad_norm_order(operation, x, order, 1)
    if order in (INFINITY, -INFINITY):
        return _extremum(order, absolute(x), axes)
    if order == 0:
        return sum_over(astype(not_equal(x, 0), x.dtype), axis=axes)
    if order == 1:
        return sum_over(absolute(x), axis=axes)
    p = int(order) if order == int(order) else float(order)
    if p < 1:
        return power(sum_over(power(absolute(x), exact(p)), axis=axes), exact(Fraction(1) / Fraction(p)))
    return _p_norm(x, tuple(axis - len(x.shape) for axis in axes), p)


def _extremum(order: Any, x: Node, axes: Any) -> Node:
    found: Node = METHODS["max" if order > 0 else "min"](x, axis=axes)
    return found


def _of_matrices(operation: str, x: Node, axes: tuple[int, int], order: Any) -> Node:
    """Norm over a pair of axes, rows and columns, with the axes left out."""
    if order in (None, "fro"):
        return _of_vectors(operation, x, tuple(sorted(axes)), 2)
    x = moveaxis(x, axes, (-2, -1))
    if order in (2, -2, "nuc"):
        values = svdvals(x)
        return sum_over(values, axis=-1) if order == "nuc" else values[..., 0 if order == 2 else -1]
    if isinstance(order, str) or order not in (1, -1, INFINITY, -INFINITY):
        raise errors.bad_norm_order(operation, x, order, 2)
    sums = sum_over(absolute(x), axis=-2 if abs(order) == 1 else -1)
    return _extremum(order, sums, -1)


# -- what users call ---------------------------------------------------------------------------------


@public(
    "linalg.norm",
    examples=(
        lambda f, make: f(make("x", (3,))),
        lambda f, make: f(make("x", (2, 3)), axis=1, keepdims=True),
        lambda f, make: f(make("x", (3,)), 3),
        lambda f, make: f(make("x", (2, 3)), 1, axis=-1),
        lambda f, make: f(make("x", (2, 3)), float("inf"), axis=0),
        lambda f, make: f(make("x", (3,)), -float("inf")),
        lambda f, make: f(make("x", (3,)), 0.5),
        lambda f, make: f(make("x", (2, 1, 3))),
        lambda f, make: f(make("x", (2, 3)), "fro"),
        lambda f, make: f(make("x", (2, 3)), 1),
        lambda f, make: f(make("x", (2, 3)), -float("inf"), keepdims=True),
        lambda f, make: f(make("x", (2, 3)), "nuc"),
        lambda f, make: f(make("x", (2, 3, 1)), -2, axis=(1, 0)),
        lambda f, make: f(make("i", (3,), dtype="int32")),
    ),
    kinks="0 at 0; ties of the largest entry share evenly",
    symbolic=False,
)
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Node:
    """Norm of a vector or a matrix, or of stacks of them, as `numpy.linalg.norm` has it; it does not overflow.

    Args:
        x: Any shape.
        ord: For vectors a number p, 0 (how many are not 0), inf or -inf; for matrices ``"fro"``, ``"nuc"``, 1, -1, 2,
            -2, inf or -inf. None: the 2-norm of all entries together.
        axis: One axis (vectors), a pair of axes (matrices), or None for all of x.
        keepdims: Keep the reduced axes with size 1.

    Raises:
        ShapeError: If an axis does not exist, or `ord` is given for more than two axes.
        UsageError: If there is no norm of this order.

    Example:
        >>> import symback as sb
        >>> sb.linalg.norm(sb.tensor("X", ("N", "n")), axis=1).shape
        (N,)
    """
    x = real(x)
    if axis is None:
        axes = tuple(range(len(x.shape)))
    else:
        axes = tuple(normalize_axes("norm", x, axis)) if not isinstance(axis, (tuple, list)) else _pair(x, axis)
    if axis is None and (ord is None or (ord == 2 and len(axes) == 1) or (ord == "fro" and len(axes) == 2)):
        found = _p_norm(x, tuple(k - len(axes) for k in axes), 2) if axes else absolute(x)
    elif len(axes) == 1:
        found = _of_vectors("norm", x, axes, 2 if ord is None else ord)
    elif len(axes) == 2:
        found = _of_matrices("norm", x, (axes[0], axes[1]), ord)
    else:
        raise errors.norm_axes("norm", x, len(axes))
    return keep_axes(found, axes) if keepdims else found


def _pair(x: Node, axis: Sequence[Any]) -> tuple[int, ...]:
    """Return axes from 0 in the order given: rows, columns."""
    normalize_axes("norm", x, tuple(axis))
    return tuple(int(a) % len(x.shape) for a in axis)


@public(
    "linalg.vector_norm",
    examples=(
        lambda f, make: f(make("x", (2, 3))),
        lambda f, make: f(make("x", (2, 3)), axis=(0,), ord=3, keepdims=True),
        lambda f, make: f(make("x", (2, 1, 3)), axis=(0, 2), ord=1),
        lambda f, make: f(make("x", (2, 3)), ord=float("inf")),
    ),
    kinks="0 at 0; ties of the largest entry share evenly",
)
def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Node:
    """Norm of all entries along one axis or several, as `numpy.linalg.vector_norm` has it.

    Raises:
        ShapeError: If an axis does not exist.
        UsageError: If there is no norm of this order.

    Example:
        >>> import symback as sb
        >>> sb.linalg.vector_norm(sb.tensor("X", ("N", "n"))).shape
        ()
    """
    x = real(x)
    axes = normalize_axes("vector_norm", x, axis)
    found = _of_vectors("vector_norm", x, axes, ord)
    return keep_axes(found, axes) if keepdims else found


@public(
    "linalg.matrix_norm",
    examples=(
        lambda f, make: f(make("x", (2, 2, 3))),
        lambda f, make: f(make("x", (2, 3)), ord=-1, keepdims=True),
        lambda f, make: f(make("x", (2, 3)), ord=2),
    ),
    kinks="0 at 0; ties of the largest entry share evenly",
    symbolic=False,
)
def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Node:
    """Norm of the matrices in the last two axes, as `numpy.linalg.matrix_norm` has it.

    Raises:
        ShapeError: If there are fewer than two axes.
        UsageError: If there is no norm of this order.

    Example:
        >>> import symback as sb
        >>> sb.linalg.matrix_norm(sb.tensor("X", ("N", "m", "n"))).shape
        (N,)
    """
    x = real(x)
    if len(x.shape) < 2:
        raise errors.wrong_rank("matrix_norm", x, "at least 2")
    return norm(x, ord, axis=(-2, -1), keepdims=keepdims)
