"""Where a point is on a kink of a graph, or close to one: abs at 0, ties of max, the bounds of clip, a norm at 0.

For each function with kinks there is one row: how far its operands are from the nearest. An elementwise function that
has no row, such as one of a user's, is tried: its slopes to both sides are compared at each entry.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from symback.check.arithmetic import WIDE
from symback.check.binding import Bindings, resolve
from symback.check.evaluate import Evaluation
from symback.check.reports.gradient_report import Kink
from symback.graph import dependents, toposort
from symback.nodes.apply import Apply, Map
from symback.nodes.dtypes import is_float
from symback.nodes.leaves import Variable, as_node
from symback.nodes.node import Node
from symback.op.table import primitive_of

Array = np.ndarray[Any, Any]

Distance = Callable[..., Any]
"""From the operands and then the parameters to how far each entry, or each group of entries, is from a kink."""

NEAR = 1e-6
"""How close to a kink is worth a word, in parts of the largest entry: differences in float64 take steps like that."""

_MOST_PLACES = 5
_TRIED = 1e-7
_BENDS = 1e-4


def _from_zero(x: Array, *others: Any) -> Array:
    return np.abs(x)


def _tie(x: Array, y: Array) -> Array:
    return np.asarray(np.abs(x - y))


def _bounds(x: Array, low: Array, high: Array) -> Array:
    return np.asarray(np.minimum(np.abs(x - low), np.abs(x - high)))


def _ends(x: Array, *parameters: Any) -> Array:
    return np.asarray(np.abs(1 - np.abs(x)))


def _length(x: Array, y: Array) -> Array:
    return np.asarray(np.hypot(x, y))


def _jump(x: Array, *parameters: Any) -> Array:
    return np.asarray(np.abs(x - np.rint(x)))


def _half_jump(x: Array, *parameters: Any) -> Array:
    return np.asarray(0.5 - np.abs(x - np.rint(x)))


def _remainder(x: Array, y: Array) -> Array:
    return np.asarray(_jump(x / y) * np.abs(y))


def _along_last(x: Array, axes: Sequence[int]) -> Array:
    """Bring axes to the end, as one."""
    kept = [axis for axis in range(x.ndim) if axis - x.ndim not in axes and axis not in axes]
    gone = [axis for axis in range(x.ndim) if axis not in kept]
    return np.transpose(x, [*kept, *gone]).reshape(*[x.shape[axis] for axis in kept], -1)


def _gaps(x: Array) -> Array:
    """Return the least distance between two entries along the last axis."""
    if x.shape[-1] < 2:
        return np.full(x.shape[:-1], np.inf)
    return np.asarray(np.min(np.diff(np.sort(x, axis=-1), axis=-1), axis=-1))


def _largest_two(x: Array, axes: Sequence[int]) -> Array:
    ordered = np.sort(np.nan_to_num(_along_last(x, axes), nan=-np.inf), axis=-1)
    tied = ordered[..., -1] - ordered[..., -2] if ordered.shape[-1] > 1 else np.full(ordered.shape[:-1], np.inf)
    return np.asarray(tied)


def _norm(x: Array, axes: Sequence[int], *parameters: Any) -> Array:
    return np.asarray(np.max(np.abs(_along_last(x, axes)), axis=-1, initial=0.0))


def _spread(x: Array, axes: Sequence[int], *parameters: Any) -> Array:
    return np.asarray(np.ptp(_along_last(x, axes), axis=-1))


def _singular(x: Array, *parameters: Any) -> Array:
    values = np.linalg.svd(x, compute_uv=False)
    return np.asarray(np.minimum(_gaps(values), np.min(values, axis=-1, initial=np.inf)))


def _eigen(x: Array, *parameters: Any) -> Array:
    return _gaps(np.linalg.eigvalsh(x))


_KINKS: Mapping[str, Distance] = {
    **dict.fromkeys(("abs", "fabs", "relu", "sign", "leaky_relu_of", "elu_of", "copysign", "heaviside"), _from_zero),
    **dict.fromkeys(("sqrt", "cbrt", "xlogx", "entr"), _from_zero),
    **dict.fromkeys(("maximum", "minimum", "fmax", "fmin"), _tie),
    **dict.fromkeys(("less", "less_equal", "greater", "greater_equal"), _tie),
    **dict.fromkeys(("arcsin", "arccos", "arctanh", "erfinv"), _ends),
    **dict.fromkeys(("hypot", "arctan2"), _length),
    **dict.fromkeys(("floor", "ceil", "trunc", "modf_fraction", "modf_whole"), _jump),
    **dict.fromkeys(("remainder", "fmod", "floor_divide"), _remainder),
    **dict.fromkeys(("max_over", "nanmax_over"), _largest_two),
    **dict.fromkeys(("min_over", "nanmin_over"), lambda x, axes: _largest_two(-x, axes)),
    **dict.fromkeys(("eigenvalues", "eigenvectors", "eigenvalues_upper", "eigenvectors_upper"), _eigen),
    **dict.fromkeys(("singular_values", "left_vectors", "right_vectors"), _singular),
    "rint": _half_jump,
    "round_to": lambda x, places: _half_jump(x * 10.0**places) / 10.0**places,
    "clip": _bounds,
    "norm_over": _norm,
    "std_over": _spread,
    "sort_along": lambda x, axis: _gaps(np.moveaxis(x, axis, -1)),
    "quantile_over": lambda x, axes, *q: _gaps(_along_last(x, axes)),
}
"""How far operands are from a kink, by primitive. Comparisons are kinks of the `where` that they decide."""

_WORDS = {
    **dict.fromkeys(("less", "less_equal", "greater", "greater_equal"), "the derivative is that of the branch taken"),
    **dict.fromkeys(("max_over", "nanmax_over", "min_over", "nanmin_over"), "entries that tie share the derivative"),
    **dict.fromkeys(("sort_along", "quantile_over"), "entries that tie keep their order"),
    **dict.fromkeys(("floor", "ceil", "trunc", "rint", "round_to"), "derivative 0, at the jumps too"),
    "clip": "at a bound the derivative is shared with it",
    "leaky_relu_of": "the derivative is `negative_slope`",
    "elu_of": "the derivative is alpha",
    "norm_over": "derivative 0 at 0",
    "std_over": "derivative 0 where the standard deviation is 0",
}
"""What comes out there, where the declaration does not say it."""


def kinks_at(loss: Any, at: Bindings, wrt: Sequence[Any] | None = None, *, near: float = NEAR) -> tuple[Kink, ...]:
    """Return the kinks that a point is on, or close to, those nearest to the variables first.

    Args:
        loss: A node or SymPy expression: the graph as differentiated.
        at: A value for each of its variables, by node or name.
        wrt: Only kinks of what depends on these; None for all variables of a float dtype.
        near: How close counts, in parts of the largest entry of what the function is applied to.

    Raises:
        InputError: If a variable has no value.

    Example:
        >>> import symback as sb
        >>> x = sb.tensor("x", (3,))
        >>> (kink,) = kinks_at(sb.sum(sb.relu(x)), {"x": [1.0, 0.0, -2.0]})
        >>> kink.operation, kink.name, kink.entries, kink.convention
        ('relu', 'x', ('[1]',), 'derivative 0 at 0')
    """
    root = as_node(loss)
    given = resolve("kinks_at", [root], at)
    order = toposort([root], stops=given)
    moving = dependents([root], [node for node in order if _moves(node)] if wrt is None else map(as_node, wrt))
    applied = [node for node in order if isinstance(node, Apply) and not moving.isdisjoint(node.operands)]
    evaluation = Evaluation(given, WIDE)
    evaluation.all_of([root])
    found = (_kink(node, evaluation, near) for node in applied if node not in given and _has_kinks(node))
    return tuple(kink for kink in found if kink is not None)


def _moves(node: Node) -> bool:
    return isinstance(node, Variable) and is_float(node.dtype)


def _has_kinks(node: Apply) -> bool:
    """Is there a row for this function, or is it one to be tried?"""
    if len(node.operands) > 1 and len(set(node.operands)) == 1:
        return False  # maximum(x, x) is x
    if node.operation.name in _KINKS:
        return all(is_float(operand.dtype) or operand.is_weak for operand in node.operands)
    own = isinstance(node, Map) and is_float(node.dtype) and primitive_of(node).derivative is not None
    return own and node.operation.name not in ("where", "stop_gradient")


def _kink(node: Apply, evaluation: Evaluation, near: float) -> Kink | None:
    values = evaluation.all_of([node])
    operands = [np.asarray(values[operand], dtype=np.float64) for operand in node.operands]
    if any(operand.size == 0 for operand in operands):
        return None
    scale = _scale(operands)
    with np.errstate(all="ignore"):
        rule = _KINKS.get(node.operation.name)
        if rule is None:
            distance = _tried(node, evaluation, operands, scale)
        else:
            distance = np.asarray(rule(*operands, *node.operation.parameters), dtype=np.float64)
    close = np.argwhere(distance <= near * scale)
    if not len(close):
        return None
    least = float(distance[tuple(close.T)].min()) if distance.ndim else float(distance)
    return Kink(
        operation=_called(node), name=_moved(node).short(), count=len(close), distance=least,
        entries=tuple(str([int(axis) for axis in place]) for place in close[:_MOST_PLACES]) if distance.ndim else (),
        convention=primitive_of(node).kinks or _WORDS.get(node.operation.name, ""),
    )  # fmt: skip


def _moved(node: Apply) -> Node:
    """Return the operand that a message speaks of: the first that is no number."""
    return next((operand for operand in node.operands if not operand.is_weak), node.operands[0])


def _called(node: Apply) -> str:
    """Return the name under which users know a function."""
    name = node.operation.name
    if name in ("less", "less_equal", "greater", "greater_equal"):
        return f"where({node.short()})"
    return name.removesuffix("_over").removesuffix("_along").removesuffix("_of") if name in _KINKS else name


def _scale(operands: Sequence[Array]) -> float:
    sizes = [np.abs(operand[np.isfinite(operand)]).max(initial=0.0) for operand in operands]
    return float(max(sizes, default=0.0)) or 1.0


def _tried(node: Apply, evaluation: Evaluation, operands: list[Array], scale: float) -> Array:
    """Return 0 where the slopes of an elementwise function to both sides differ at any step, else infinity."""
    middle = np.asarray(evaluation.value(node, operands, checked=False), dtype=np.float64)
    bends = np.zeros(middle.shape, dtype=bool)
    for position in range(len(operands)):
        steps = (_TRIED * scale, _TRIED / 16 * scale)
        long, short = (_bend(node, evaluation, operands, position, middle, step) for step in steps)
        bends |= (long != 0) & (np.abs(short - long) <= np.abs(long) / 4)  # of noise a shorter step makes more
    return np.where(bends, 0.0, np.inf)


def _bend(
    node: Apply, evaluation: Evaluation, operands: list[Array], position: int, middle: Array, step: float
) -> Array:
    """Return by how much the slopes to both sides differ; 0 where rounding or a curve may explain it."""
    sides = []
    for sign in (-1.0, 1.0):
        moved = [operand + sign * step if k == position else operand for k, operand in enumerate(operands)]
        sides.append(np.asarray(evaluation.value(node, moved, checked=False), dtype=np.float64))
    left, right = (middle - sides[0]) / step, (sides[1] - middle) / step
    rounding = 1e3 * np.finfo(np.float64).eps * np.abs(middle) / step
    slopes = np.maximum(np.abs(left), np.abs(right))
    seen = np.isfinite(slopes) & (np.abs(right - left) > _BENDS * slopes + rounding)
    return np.where(seen, right - left, 0.0)
