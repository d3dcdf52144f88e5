"""Logarithms of sums of exponentials, and the softmax functions made of them: stable by construction."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from symback import errors
from symback.nodes.apply import Apply
from symback.nodes.dtypes import promote, to_float
from symback.nodes.leaves import as_node
from symback.nodes.node import METHODS, Node
from symback.nodes.products import broadcast_to, hadamard, sum_axes
from symback.nodes.shapes import Shape, broadcast_shapes, intern_shape
from symback.op.declare import primitive
from symback.op.public import public
from symback.ops.elementwise.arithmetic import subtract
from symback.ops.elementwise.exponential import exp
from symback.ops.elementwise.logic import astype
from symback.ops.numerics import softmax as numerics
from symback.ops.reductions.sums import Axis, expand, look, real, reduce_over, reduced_shape, spell

__all__ = ["log_softmax", "logsumexp", "softmax"]


def _exponentials(mp: Any, x: Any) -> Any:
    return np.frompyfunc(mp.exp, 1, 1)(x)


def _logarithm(mp: Any, x: Any) -> Any:
    return np.frompyfunc(mp.log, 1, 1)(x)


def _both(speller: Any, operands: Sequence[str], parameters: tuple[Any, ...]) -> str:
    """Spell the call that returns the log-sum-exp and the softmax."""
    return spell(speller.helper(numerics.logsumexp_and_softmax))(speller, operands, parameters)


def _logsumexp_vjp(g: Node, node: Apply) -> tuple[Node]:
    (x,) = node.operands
    (axes,) = node.operation.parameters
    return (hadamard(expand(g, axes), _softmax(x, axes)),)


_logsumexp = primitive(
    "logsumexp_over", signature=lambda x, axes: (reduced_shape("logsumexp", x, axes), to_float(x.dtype)),
    vjp=_logsumexp_vjp,
    part=(0, 2), numpy=_both, alone=lambda speller, *texts: spell(speller.helper(numerics.logsumexp))(speller, *texts),
    value=lambda x, axes: numerics.logsumexp(x, axis=axes), latex=look(r"\operatorname{logsumexp}"),
    mpmath=lambda mp, x, axes: _logarithm(mp, np.sum(_exponentials(mp, x), axis=axes)),
    examples=(
        lambda make: METHODS["special.logsumexp"](make("x", (2, 3)), axis=1),
        lambda make: METHODS["special.logsumexp"](make("x", (2, 3))),
        lambda make: METHODS["special.logsumexp"](make("x", (2, 1, 3)), axis=(0, 1)),
    ),
    batch="leading",
    doc="log(sum(exp(x))) over axes, stable; its derivative is the softmax of x.",
)  # fmt: skip


def _weighted_vjp(g: Node, node: Apply) -> tuple[Node, Node]:
    x, b = node.operands
    (axes,) = node.operation.parameters
    by_weight = hadamard(expand(g, axes), exp(subtract(x, expand(node, axes))))
    return hadamard(by_weight, b), by_weight


def _weighted_signature(x: Node, b: Node, axes: Any) -> tuple[Shape, np.dtype[Any]]:
    if b.shape != x.shape:
        raise errors.no_broadcast("logsumexp", [x, b], "of a", "of b")
    return reduced_shape("logsumexp", x, axes), to_float(promote([x, b]))


_weighted = primitive(
    "weighted_logsumexp_over", arity=2, signature=_weighted_signature, vjp=_weighted_vjp,
    numpy=lambda speller, *texts: spell(speller.helper(numerics.weighted_logsumexp))(speller, *texts),
    value=lambda x, b, axes: numerics.weighted_logsumexp(x, b, axis=axes), latex=look(r"\operatorname{logsumexp}"),
    mpmath=lambda mp, x, b, axes: _logarithm(mp, np.sum(b * _exponentials(mp, x), axis=axes)),
    examples=(
        lambda make: METHODS["special.logsumexp"](make("x", (2, 3)), axis=1, b=make("b", (2, 3), low=0.1)),
        lambda make: METHODS["special.logsumexp"](make("x", (2, 3)), b=make("b", (2, 3), low=0.1)),
    ),
    batch="leading",
    doc="log(sum(b * exp(x))) over axes, stable; its derivative by b is exp(x - y).",
)  # fmt: skip


@public(
    "special.logsumexp",
    examples=(
        lambda f, make: f(make("x", (2, 3))),
        lambda f, make: f(make("x", (2, 1, 3)), (0, -1), keepdims=True),
        lambda f, make: f(make("x", (2, 3)), 1, make("b", (3,), low=0.1)),
        lambda f, make: f(make("x", (3,)), b=make("b", (2, 1), low=0.1), axis=0, keepdims=True),
        lambda f, make: f(make("x", ())),
    ),
    defined=r"$\sum b e^a > 0$; it is NaN where the sum is negative, $-\infty$ where it is 0 or has no terms",
    kinks=(
        r"The derivative is NaN for all entries if all are $-\infty$ or one is $\infty$. "
        r"With $b = 0$ it is NaN if $e^{a - y}$ is no float."
    ),
    aliases=("logsumexp",),
)
def logsumexp(a: Any, axis: Axis = None, b: Any = None, keepdims: bool = False) -> Node:
    """log(sum(b * exp(a))) over axes, without overflow, as `scipy.special.logsumexp` has it.

    Args:
        a: Any shape; integers become float64.
        axis: An axis, a tuple of axes, or None for all of them.
        b: Weights, with which `a` broadcasts; 1 by default. They may be 0 or negative, their sum may not.
        keepdims: Keep the reduced axes with size 1.

    Raises:
        ShapeError: If an axis does not exist or is named twice, or the shapes do not broadcast.

    Example:
        >>> import symback as sb
        >>> sb.logsumexp(sb.tensor("Z", ("N", 10)), axis=1).shape
        (N,)
    """
    x = real(a)
    if b is None:
        return reduce_over(_logsumexp, "logsumexp", x, axis, keepdims)
    weights = as_node(b)
    shape = broadcast_shapes("logsumexp", [x, weights])
    dtype = promote([x, weights])
    x, weights = (astype(broadcast_to(node, shape), dtype) for node in (x, weights))
    return reduce_over(
        lambda x, axes: _weighted((x, weights), axes), "logsumexp", x, axis, keepdims, trivial=False
    )  # fmt: skip


def _softmax_vjp(g: Node, node: Apply) -> tuple[Node]:
    (axes,) = node.operation.parameters
    weighted = hadamard(node, g)
    total = sum_axes(weighted, tuple(axis % len(g.shape) for axis in axes), keepdims=True)
    return (subtract(weighted, hadamard(node, total)),)


def _softmax_signature(x: Node, axes: Any) -> tuple[Shape, np.dtype[Any]]:
    reduced_shape("softmax", x, axes)
    return intern_shape(x.shape), to_float(x.dtype)


def _softmax_high(mp: Any, x: Any, axes: Any) -> Any:
    e = _exponentials(mp, x)
    return e / np.sum(e, axis=axes, keepdims=True)


_softmax = primitive(
    "softmax_over", signature=_softmax_signature, vjp=_softmax_vjp,
    part=(1, 2), numpy=_both,
    alone=lambda speller, *texts: spell(speller.helper(numerics.softmax), reduces=False)(speller, *texts),
    value=lambda x, axes: numerics.softmax(x, axis=axes), mpmath=_softmax_high,
    latex=look(r"\operatorname{softmax}"),
    examples=(
        lambda make: METHODS["special.softmax"](make("x", (2, 3)), axis=1),
        lambda make: METHODS["special.softmax"](make("x", (2, 3))),
        lambda make: METHODS["special.softmax"](make("x", (2, 1, 3)), axis=(0, 1)),
    ),
    batch="leading",
    doc="exp(x) / sum(exp(x)) over axes, stable; its transposed derivative is y * (g - sum(y * g)).",
)  # fmt: skip


@public(
    "special.softmax",
    examples=(
        lambda f, make: f(make("x", (2, 3))),
        lambda f, make: f(make("x", (2, 3)), axis=-1),
        lambda f, make: f(make("x", (2, 1, 3)), (0, 2)),
        lambda f, make: f(make("x", (0, 2)), axis=1),
        lambda f, make: f(make("x", ())),
        lambda f, make: f(make("k", (2, 3), dtype="int64"), axis=0),
    ),
    kinks="NaN where an entry is infinite, or all are $-\\infty$",
    aliases=("softmax",),
)
def softmax(x: Any, axis: Axis = None) -> Node:
    """exp(x) / sum(exp(x)) over axes, without overflow, as `scipy.special.softmax` has it.

    Args:
        x: Any shape; integers become float64.
        axis: An axis, a tuple of axes, or None (SciPy's default) for all of them: these entries sum to 1.

    Raises:
        ShapeError: If an axis does not exist or is named twice.

    Example:
        >>> import symback as sb
        >>> sb.softmax(sb.tensor("Z", ("N", 10)), axis=1).shape
        (N, 10)
    """
    return reduce_over(_softmax, "softmax", real(x), axis, keepdims=False, trivial=False)


@public(
    "special.log_softmax",
    examples=(
        lambda f, make: f(make("x", (2, 3))),
        lambda f, make: f(make("x", (2, 3)), axis=-1),
        lambda f, make: f(make("x", (2, 1, 3)), (0, 2)),
        lambda f, make: f(make("k", (2, 3), dtype="int64"), axis=0),
    ),
    kinks="NaN where an entry is infinite, or all are $-\\infty$",
    aliases=("log_softmax",),
)
def log_softmax(x: Any, axis: Axis = None) -> Node:
    """log(softmax(x)) over axes, as `scipy.special.log_softmax` has it: x - logsumexp(x), exact far from the maximum.

    Args:
        x: Any shape; integers become float64.
        axis: An axis, a tuple of axes, or None (SciPy's default) for all of them.

    Raises:
        ShapeError: If an axis does not exist or is named twice.

    Example:
        >>> import symback as sb
        >>> sb.log_softmax(sb.tensor("Z", ("N", 10)), axis=1).shape
        (N, 10)
    """
    x = real(x)
    return subtract(x, logsumexp(x, axis, keepdims=True))
