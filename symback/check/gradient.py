"""The gradient checker: a symbolic gradient, or any other, against finite differences."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import sympy

from symback import errors
from symback.check.arithmetic import WIDE
from symback.check.binding import Bindings, as_array, mapping, read_sizes
from symback.check.difference import EPS, Difference, derivative, noise_of
from symback.check.evaluate import evaluate, evaluate_all, function_of
from symback.check.report import GradientReport, GradientRow
from symback.check.sample import DRAWS, draw_values, small_sizes
from symback.derive import reverse
from symback.graph import toposort
from symback.nodes.apply import Apply
from symback.nodes.dtypes import is_float
from symback.nodes.leaves import Variable, as_node
from symback.nodes.node import Node
from symback.rewrite.stability import stabilise
from symback.structure import leaves_of

Array = np.ndarray[Any, Any]

_ROUNDING = 64
"""Units in the last place that a gradient may be off, in parts of its largest entry."""


def check_grad(
    loss: Any = None,
    wrt: Any = None,
    *,
    at: Any = None,
    gradient: Any = None,
    fun: Callable[[Array], Any] | None = None,
    grad: Callable[[Array], Any] | None = None,
    seed: int = 0,
    max_entries: int = 200,
    directions: int = 20,
) -> GradientReport:
    """Compare a gradient with finite differences, which measure their own error: the tolerance follows from it.

    Args:
        loss: A scalar node or SymPy expression; float32 is differenced in float64, what `stop_gradient` holds is
            constant.
        wrt: A node or SymPy symbol, or a list or dict of them: variables or intermediate nodes.
        at: Values by node or name; what is missing is drawn at random, with small symbolic sizes.
        gradient: What to check instead of the symbolic gradient: an array, a list of arrays, or a function
            that takes the variables of the loss by name, such as `sb.lambdify` returns.
        fun: A plain function of one array, instead of `loss`; then `at` is an array.
        grad: The function that claims to be the gradient of `fun`.
        seed: Of the random points and directions.
        max_entries: Up to how many entries a variable is checked entry by entry.
        directions: How many random directions are checked for a larger variable.

    Raises:
        InputError: If the loss is finite at no point that was tried, or a name is unknown.
        DerivativeError: If the loss is no scalar, or does not depend on a variable.
        UsageError: If `fun` comes without `grad` or `at`, or together with `loss`.
    """
    rng = np.random.default_rng(seed)
    compare = partial(_compare, rng=rng, max_entries=max_entries, directions=directions)
    if fun is not None:
        return _check_callable(fun, grad, loss, at, compare)
    if loss is None or wrt is None:
        raise errors.check_arguments("a loss and the variables are needed")
    return _check_graph(as_node(loss), _listed(wrt), {} if at is None else at, gradient, rng, compare)


def _listed(wrt: Any) -> list[Node]:
    variables = [as_node(leaf) for leaf in leaves_of(wrt)]
    if not variables:
        raise errors.no_variables("check_grad")
    return variables


def _check_callable(fun: Any, grad: Any, loss: Any, at: Any, compare: Callable[..., GradientRow]) -> GradientReport:
    if loss is not None or grad is None or at is None:
        raise errors.check_arguments("fun needs grad and at, and no loss")
    point = np.asarray(at, dtype=np.float64)
    return GradientReport((compare("x", fun, point, np.asarray(grad(point))),))


def _check_graph(
    loss: Node,
    wrt: Sequence[Node],
    at: Bindings,
    gradient: Any,
    rng: np.random.Generator,
    compare: Callable[..., GradientRow],
) -> GradientReport:
    graphs = [] if gradient is not None else _gradient(loss, wrt)
    point = _point(loss, wrt, graphs, at, rng)
    given = evaluate(graphs, point, WIDE) if gradient is None else _called(gradient, point, wrt)
    held = _held(loss, point)
    rows = []
    for node, claimed, value in zip(wrt, given, evaluate(wrt, point, WIDE), strict=True):
        rows.append(compare(node.short(), function_of(loss, node, held, WIDE), value, np.asarray(claimed)))
    return GradientReport(tuple(rows))


def _held(loss: Node, point: Bindings) -> dict[Any, Any]:
    """Hold what `stop_gradient` returns at its value: derivatives take it as a constant."""
    stops = [n for n in toposort([loss]) if isinstance(n, Apply) and n.operation.name == "stop_gradient"]
    values = evaluate_all(stops, point) if stops else {}
    return {**point, **{stop: values[stop] for stop in stops}}


def _called(gradient: Any, point: Mapping[Node, Array], nodes: Sequence[Node]) -> list[Any]:
    """Return the claimed gradient as a list of arrays, one for each variable."""
    if callable(gradient):
        gradient = gradient(**{node.name: value for node, value in point.items() if isinstance(node, Variable)})
    if isinstance(gradient, Mapping):
        gradient = list(gradient.values())
    arrays = list(gradient) if isinstance(gradient, (list, tuple)) else [gradient]
    if len(arrays) != len(nodes):
        raise errors.cotangent_count("check_grad", len(nodes), len(arrays))
    return arrays


def _gradient(loss: Node, wrt: Sequence[Node]) -> list[Node]:
    """Return the gradient that `sb.grad` gives."""
    reverse.check_loss(loss, wrt, "error")
    (stable,) = stabilise([loss], wrt)
    return reverse.grad(stable, wrt, disconnected="zero")


def _point(
    loss: Node, wrt: Sequence[Node], graphs: Sequence[Node], at: Bindings, rng: np.random.Generator
) -> dict[Node, Array]:
    """Return a value for each variable: those given, and random ones at which loss and gradient are finite."""
    roots = [loss, *wrt, *graphs]
    variables = {node.name: node for node in toposort(roots) if isinstance(node, Variable)}
    given: dict[Node, Array] = {}
    for key, value in mapping("check_grad", at).items():
        node = variables.get(key) if isinstance(key, str) else as_node(key) if isinstance(key, sympy.Basic) else None
        if node is None:
            raise errors.unknown_binding("check_grad", str(key), sorted(variables))
        given[node] = as_array("check_grad", node, value)
    sizes = small_sizes(roots, read_sizes("check_grad", given))
    missing = [node for node in variables.values() if node not in given]
    for draw in DRAWS:
        point = {**given, **draw_values(missing, sizes, rng, draw)}
        if not missing or all(np.isfinite(value).all() for value in evaluate([loss, *graphs], point, WIDE)):
            return point
    raise errors.no_finite_point(loss)


def _compare(
    name: str,
    fun: Callable[[Array], Any],
    point: Array,
    claimed: Array,
    *,
    rng: np.random.Generator,
    max_entries: int,
    directions: int,
) -> GradientRow:
    """Compare a gradient with differences of `fun` at a point."""
    if claimed.shape != point.shape:
        raise errors.gradient_shape(name, point.shape, claimed.shape)
    by_entry = point.size <= max_entries
    lines = _entries(name, point) if by_entry else _directions(point, rng, directions)
    scale = float(np.max(np.abs(claimed), initial=0.0))
    unit = float(np.finfo(claimed.dtype).eps) if is_float(claimed.dtype) else EPS
    noise = _noise(fun, point, rng) if point.size else 0.0
    found = []
    for place, direction, size in lines:
        line = _line(fun, point, direction)
        difference = derivative(line, scale=size, noise=noise, enough=1e-2 * scale)
        value = float(np.sum(claimed * direction, dtype=np.float64))
        slack = _ROUNDING * unit * float(np.sum(np.abs(claimed * direction)) + scale)
        found.append((place, value, Difference(difference.value, difference.tolerance + slack)))
    return _row(name, point.shape, "entries" if by_entry else "directions", found)


def _line(fun: Callable[[Array], Any], point: Array, direction: Array) -> Callable[[float], float]:
    return lambda distance: float(fun(point + distance * direction))


def _noise(fun: Callable[[Array], Any], point: Array, rng: np.random.Generator) -> float:
    direction = rng.choice([-1.0, 1.0], point.shape) * np.maximum(np.abs(point), 1e-8)
    return noise_of(_line(fun, point, direction), 1.0)


def _entries(name: str, point: Array) -> Iterator[tuple[str, Array, float]]:
    """Yield each entry: its place, the unit vector, the size of the entry."""
    for index in np.ndindex(point.shape):
        direction = np.zeros(point.shape)
        direction[index] = 1.0
        yield f"[{', '.join(map(str, index))}]" if index else name, direction, max(1.0, abs(float(point[index])))


def _directions(point: Array, rng: np.random.Generator, count: int) -> Iterator[tuple[str, Array, float]]:
    """Yield random directions of unit length."""
    size = max(1.0, float(np.abs(point).max()))
    for number in range(count):
        direction = rng.standard_normal(point.shape)
        yield f"direction {number}", np.asarray(direction / np.linalg.norm(direction)), size


def _row(name: str, shape: tuple[int, ...], along: str, found: list[tuple[str, float, Difference]]) -> GradientRow:
    if not found:
        return GradientRow(
            name=name, shape=shape, checked=0, along=along, max_abs_error=0.0, max_rel_error=0.0, worst="",
            given=0.0, differences=0.0, tolerance=0.0, passed=True,
        )  # fmt: skip
    errors_found = np.array([abs(value - difference.value) for _, value, difference in found])
    allowed = np.array([difference.tolerance for _, _, difference in found])
    scale = max(abs(difference.value) for _, _, difference in found)
    with np.errstate(invalid="ignore", divide="ignore"):
        excess = np.where(errors_found == 0, 0, errors_found / allowed)
    worst = int(np.argmax(excess))
    place, value, difference = found[worst]
    return GradientRow(
        name=name, shape=shape, checked=len(found), along=along,
        max_abs_error=float(errors_found.max()),
        max_rel_error=float(errors_found.max() / (scale or 1.0)),
        worst=place, given=value, differences=difference.value, tolerance=difference.tolerance,
        passed=bool(np.all(errors_found <= allowed)) and bool(np.all(np.isfinite(allowed))),
    )  # fmt: skip
