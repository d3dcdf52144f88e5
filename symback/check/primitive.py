"""The generic tests of a primitive: what its declaration says, held against numbers.

The value against mpmath; the derivative against finite differences in float64 and in high precision;
the identity <g, Jv> = <Jᵀg, v>; order 2; cotangents with leading axes; linearity; SymPy's law for nodes.
What has no value in mpmath is held against differences in float64 at both orders.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from typing import Any

import numpy as np

from symback import errors
from symback.check.arithmetic import WIDE, Arithmetic, HighPrecision
from symback.check.cases import DTYPES, Case, cases_of
from symback.check.evaluate import evaluate
from symback.check.gradient import check_grad
from symback.check.report import CheckRow, PrimitiveReport
from symback.derive.forward import jvp
from symback.derive.reverse import backpropagate, grad, jacobian, vjp
from symback.graph import toposort
from symback.nodes.add import add
from symback.nodes.apply import Apply, Map
from symback.nodes.dtypes import is_float
from symback.nodes.leaves import constant, variable
from symback.nodes.node import Node
from symback.op.table import PRIMITIVES
from symback.ops.products.multiplying import vdot

_HIGH = HighPrecision(40)
_STEP = _HIGH.context.mpf(10) ** -12
_EXACT = 1e-25
_BY_DIFFERENCES = 1e-15
_ROUNDED = 1e-10

Found = tuple[float, float]
"""An error, in parts of the size of what was compared, and the error allowed."""


def check_primitive(name: str, *, dtypes: Sequence[str] = DTYPES, seed: int = 0) -> PrimitiveReport:
    """Run the generic tests on a declared primitive: one of symback's own, or a user's.

    Args:
        name: The name under which it was declared.
        dtypes: The float dtypes of the operands.
        seed: Of the points, which are drawn from the domain of the declaration.

    Returns:
        A report that prints as a table; `report.raise_if_failed()` raises at the first failure.

    Raises:
        InputError: If no primitive has this name.

    Example:
        >>> import symback as sb
        >>> from symback.check.primitive import check_primitive
        >>> check_primitive("tanh").passed
        True
    """
    if name not in PRIMITIVES:
        raise errors.unknown_primitive(name)
    declared = PRIMITIVES[name]
    rows: list[CheckRow] = []
    for dtype in dtypes:
        for case in cases_of(declared, dtype, seed):
            rows.extend(check_case(case, formula=dtype == "float64" or "float64" not in dtypes))
    return PrimitiveReport(name, tuple(rows))


def check_case(case: Case, *, formula: bool = True) -> Iterator[CheckRow]:
    """Run every check that applies to a case; without `formula` not those that another dtype's case passes for it."""
    differentiable = bool(case.wrt) and is_float(case.node.dtype) and _has_derivative(case)
    skipped = () if formula else _OF_THE_FORMULA
    for name, check in _CHECKS.items():
        if name not in skipped and (differentiable or name in _WITHOUT_DERIVATIVE):
            for error, tolerance in check(case):
                yield CheckRow(case.label, name, error, tolerance)


def _has_derivative(case: Case) -> bool:
    declared = case.declared
    if declared is None:
        return True
    return declared.derivative is not None or declared.vjp is not None or not declared.differentiable


def relative(found: Any, wanted: Any, *, entrywise: bool = False) -> float:
    """Return the largest error in parts of the largest wanted value, or of each wanted value."""
    found, wanted = _HIGH.array(found, np.dtype(float)), _HIGH.array(wanted, np.dtype(float))
    if found.shape != wanted.shape:
        return float("inf")
    largest = max((abs(value) for value in wanted.flat), default=0)
    worst = 0.0
    for a, b in zip(found.flat, wanted.flat, strict=True):
        if a == b or (a != a and b != b):
            continue
        worst = max(worst, float(abs(a - b) / (abs(b) if entrywise and b else largest or 1)), key=_nan_last)
    return worst


def _nan_last(value: float) -> float:
    return float("inf") if value != value else value


def _unit(case: Case) -> float:
    return float(np.finfo(case.node.dtype if is_float(case.node.dtype) else np.float64).eps)


def _held(case: Case, point: dict[Node, Any]) -> dict[Node, Any]:
    """Hold what `stop_gradient` returns at its value at the case's own point."""
    stops = [n for n in toposort([case.node]) if isinstance(n, Apply) and n.operation.name == "stop_gradient"]
    return {**point, **dict(zip(stops, evaluate(stops, case.point), strict=True))}


def _moved(case: Case, direction: dict[Node, Any], step: Any) -> dict[Node, Any]:
    """Return the point at a distance along a direction, as numbers of high precision."""
    point = {x: _HIGH.array(value, x.dtype) + step * direction.get(x, 0) for x, value in case.point.items()}
    return _held(case, point)


# -- the checks -----------------------------------------------------------------------------------


def _law(case: Case) -> Iterator[Found]:
    """``node.func(*node.args) is node`` for the instance and its derivatives."""
    roots = [case.node, *(case.gradients if is_float(case.node.dtype) and _has_derivative(case) else [])]
    broken = [node for node in toposort(roots) if node.func(*node.args) is not node]
    yield float(len(broken)), 0.0


def _value(case: Case) -> Iterator[Found]:
    if not _high_precision_value(case):
        return
    found, wanted = evaluate(case.node, case.point), evaluate(case.node, case.point, _HIGH)
    yield relative(found, wanted, entrywise=_is_elementwise(case)), 16 * _unit(case)


def _exact_arithmetic(case: Case) -> tuple[Arithmetic, float]:
    """Return the arithmetic for identities that hold to its last digits, and how far they may be off."""
    return (_HIGH, _EXACT) if _high_precision(case) else (WIDE, _ROUNDED)


def _differences(case: Case) -> Iterator[Found]:
    """The gradient as it is computed, against differences in float64: float32 has the same graph, checked in digits."""
    if case.node.dtype == np.float64 or not _high_precision(case):
        yield from _difference_errors(case, case.loss, case.gradients)


def _difference_errors(case: Case, loss: Node, gradients: list[Node]) -> Iterator[Found]:
    """Return errors in parts of what the differences allow; what does not depend on the loss has none."""
    reached = set(toposort([loss]))
    pairs = [(x, g) for x, g in zip(case.wrt, evaluate(gradients, case.point), strict=True) if x in reached]
    wrt, given = [x for x, _ in pairs], [g for _, g in pairs]
    for row in check_grad(loss, wrt, at=case.point, gradient=given).rows if wrt else ():
        error = abs(row.given - row.differences)
        yield (error / row.tolerance if row.tolerance else error) if row.passed or row.tolerance else float("inf"), 1.0


def _gradient_digits(case: Case) -> Iterator[Found]:
    """The gradient as it is computed, against the same graph in high precision."""
    if not _high_precision(case):
        return
    for found, wanted in zip(
        evaluate(case.gradients, case.point), evaluate(case.gradients, case.point, _HIGH), strict=True
    ):
        yield relative(found, wanted), 256 * max(_unit(case), float(np.finfo(found.dtype).eps))


def _is_elementwise(case: Case) -> bool:
    return case.declared is not None and case.declared.kind == "elementwise"


def _high_precision_value(case: Case) -> bool:
    return _has_digits(toposort([case.node]))


def _high_precision(case: Case) -> bool:
    return _has_digits(toposort([case.node, *case.gradients]))


def _has_digits(graph: Sequence[Node]) -> bool:
    """Can every elementwise primitive of a graph be evaluated in high precision?"""
    return all(PRIMITIVES[node.operation.name].mpmath is not None for node in graph if isinstance(node, Map))


def _gradient_differences(case: Case) -> Iterator[Found]:
    """The gradient graph in high precision, against differences in high precision along a random direction."""
    if not _high_precision(case):
        return
    yield _slope_error(case, case.loss, case.gradients)


def _second_order(case: Case) -> Iterator[Found]:
    """The gradient of <gradient, u> for a random u, against differences of the gradient."""
    total = reduce(add, [vdot(g, u) for g, u in zip(case.gradients, _tangents(case), strict=True)])
    gradients = grad(total, case.wrt, disconnected="zero")
    if _high_precision(case):
        yield _slope_error(case, total, gradients)
    else:
        yield from _difference_errors(case, total, gradients)


def _slope_error(case: Case, loss: Node, gradients: list[Node]) -> Found:
    rng = np.random.default_rng(3)
    direction: dict[Node, Any] = {x: _HIGH.array(rng.uniform(-1, 1, x.shape), x.dtype) for x in case.wrt}
    ahead, behind = (evaluate_high(loss, _moved(case, direction, sign * _STEP)) for sign in (1, -1))
    values = evaluate(gradients, case.point, _HIGH)
    terms = [np.sum(g * direction[x]) for g, x in zip(values, case.wrt, strict=True)]
    size = max(
        [abs(term) for g, x in zip(values, case.wrt, strict=True) for term in np.ravel(g * direction[x])], default=0
    )
    return float(abs(sum(terms) - (ahead - behind) / (2 * _STEP)) / (size or 1)), _BY_DIFFERENCES


def evaluate_high(loss: Node, point: dict[Node, Any]) -> Any:
    """Return a scalar in high precision at a point of high precision."""
    return evaluate(loss, point, _HIGH).item()


def _partial_derivatives(case: Case) -> Iterator[Found]:
    """Elementwise: the gradient against mpmath's own numerical derivative of the scalar function."""
    declared = case.declared
    if declared is None or declared.kind != "elementwise" or declared.mpmath is None:
        return
    if declared.name == "stop_gradient":
        return
    if len(case.variables) != declared.arity or not _high_precision(case):
        return
    function = _HIGH.scalar_function(declared.mpmath)
    arrays = [_HIGH.array(case.point[x], x.dtype) for x in case.variables]
    weights = _HIGH.array(case.cotangent.array, case.node.dtype)
    values = evaluate(case.gradients, case.point, _HIGH)
    for x, found in zip(case.wrt, values, strict=True):
        order = tuple(int(other is x) for other in case.variables)

        def slope(*scalars: Any, order: tuple[int, ...] = order) -> Any:
            return _HIGH.context.diff(function, scalars, order)

        slopes = _HIGH.array(np.frompyfunc(slope, len(arrays), 1)(*arrays), case.node.dtype)
        yield relative(found, _sum_to(weights * slopes, found.shape)), 1e-14


def _sum_to(array: Any, shape: tuple[int, ...]) -> Any:
    """Undo broadcasting."""
    array = np.asarray(array)
    extra = array.ndim - len(shape)
    array = np.sum(array, axis=tuple(range(extra))) if extra else array
    axes = tuple(axis for axis, size in enumerate(shape) if size == 1 and np.shape(array)[axis] != 1)
    return np.sum(array, axis=axes, keepdims=True) if axes else array


def _tangents(case: Case) -> list[Node]:
    rng = np.random.default_rng(4)
    return [constant(rng.uniform(0.5, 1.5, x.shape).astype(x.dtype)) for x in case.wrt]


def _dot_products(case: Case) -> Iterator[Found]:
    """<g, Jv> = <Jᵀg, v> for random g and v."""
    arithmetic, allowed = _exact_arithmetic(case)
    cotangent, tangents = case.cotangent, _tangents(case)
    (pushed,) = jvp([case.node], case.wrt, tangents, disconnected="zero")
    pulled = vjp([case.node], case.wrt, [cotangent], disconnected="zero")
    both = [vdot(cotangent, pushed), *[vdot(g, v) for g, v in zip(pulled, tangents, strict=True)]]
    left, *right = evaluate(both, case.point, arithmetic)
    yield relative(left, sum(right)), allowed


def _leading_axes(case: Case) -> Iterator[Found]:
    """A stack of cotangents gives the stack of what each of them gives; the Jacobian is such a stack."""
    arithmetic, allowed = _exact_arithmetic(case)
    stacked = variable("stacked_cotangent", (2, *case.node.shape), case.node.dtype)
    together = backpropagate([(case.node, stacked)], case.wrt)
    jacobians = jacobian(case.node, case.wrt, disconnected="zero")
    rows = np.random.default_rng(5).uniform(0.5, 1.5, stacked.shape).astype(stacked.dtype)
    point = {**case.point, stacked: rows}
    alone = [vjp([case.node], case.wrt, [constant(row)], disconnected="zero") for row in rows]
    for k, x in enumerate(case.wrt):
        graphs = [jacobians[k], *[results[k] for results in alone], *([together[x]] if x in together else [])]
        jacobian_value, first, second, *stack = evaluate(graphs, point, arithmetic)
        wanted = np.stack([first, second])
        by_rows = np.tensordot(arithmetic.array(rows, x.dtype), jacobian_value, case.node.ndim)
        for found in (by_rows, *stack):
            yield relative(found, wanted), allowed


def _linearity(case: Case) -> Iterator[Found]:
    """f(2x - 3z) = 2f(x) - 3f(z) for a primitive that is declared linear."""
    if case.declared is None or not case.declared.linear or not case.wrt:
        return
    rng = np.random.default_rng(6)
    here = {x: _HIGH.array(value, x.dtype) for x, value in case.point.items()}
    there = here | {x: _HIGH.array(rng.uniform(-1, 1, x.shape), x.dtype) for x in case.wrt}
    between = here | {x: 2 * here[x] - 3 * there[x] for x in case.wrt}
    f_here, f_there, f_between = (evaluate(case.node, point, _HIGH) for point in (here, there, between))
    yield relative(f_between, 2 * f_here - 3 * f_there), _EXACT


_CHECKS: dict[str, Callable[[Case], Iterator[Found]]] = {
    "func(*args) is node": _law,
    "value against mpmath": _value,
    "linearity": _linearity,
    "gradient against differences": _differences,
    "gradient against 40 digits": _gradient_digits,
    "gradient against 40-digit differences": _gradient_differences,
    "partial derivatives against mpmath": _partial_derivatives,
    "<g, Jv> = <Jᵀg, v>": _dot_products,
    "cotangents with leading axes": _leading_axes,
    "second order": _second_order,
}
"""Every check by name: from a case to the errors found and allowed, none where it does not apply."""

_WITHOUT_DERIVATIVE = ("func(*args) is node", "value against mpmath", "linearity")

_OF_THE_FORMULA = (
    "gradient against 40-digit differences",
    "partial derivatives against mpmath",
    "<g, Jv> = <Jᵀg, v>",
    "cotangents with leading axes",
)
"""What is shown in high precision, where conversions do nothing: what holds for float64 holds for float32."""
