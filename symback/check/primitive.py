"""The generic tests of a primitive: what its declaration says, held against numbers.

The value against mpmath; the derivative against finite differences in float64 and in high precision;
the identity <g, Jv> = <Jᵀg, v>; order 2; cotangents with leading axes; linearity; batches; SymPy's law for nodes.
What has no value in mpmath is held against differences in float64 at both orders, entry by entry; what has one
is held along a random direction, which no wrong entry is orthogonal to.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from symback import errors
from symback.check.cases import DTYPES, Case, cases_of
from symback.check.evaluate import Evaluation
from symback.check.examples import examples_of, subsets_of
from symback.check.ladder.graph import Graph, subject_of
from symback.check.ladder.subject import Options
from symback.check.ladder.table import METHODS
from symback.check.reports.report import CheckRow, PrimitiveReport
from symback.check.trial import EXACT, HIGH, STEP, Trial
from symback.derive.batch import batched
from symback.derive.forward import jvp
from symback.derive.reverse import backpropagate, jacobian, vjp
from symback.graph import toposort
from symback.nodes.dtypes import is_float
from symback.nodes.leaves import constant
from symback.nodes.node import Node
from symback.op.table import PRIMITIVES
from symback.ops.products.multiplying import vdot

_BY_DIFFERENCES = 1e-15

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
    trial = Trial(case)
    differentiable = bool(case.wrt) and trial.has_derivative
    skipped = () if formula else _OF_THE_FORMULA
    for name, check in _CHECKS.items():
        if name not in skipped and (differentiable or name in _WITHOUT_DERIVATIVE):
            for error, tolerance in check(trial):
                yield CheckRow(case.label, name, error, tolerance)


def relative(found: Any, wanted: Any, *, entrywise: bool = False) -> float:
    """Return the largest error in parts of the largest wanted value, or of each wanted value."""
    found, wanted = HIGH.array(found, np.dtype(float)), HIGH.array(wanted, np.dtype(float))
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


# -- the checks -----------------------------------------------------------------------------------


def _law(trial: Trial) -> Iterator[Found]:
    """``node.func(*node.args) is node`` for the instance and its derivatives."""
    roots = [trial.case.node, *(trial.gradients if trial.has_derivative else [])]
    broken = [node for node in toposort(roots) if node.func(*node.args) is not node]
    yield float(len(broken)), 0.0


def _value(trial: Trial) -> Iterator[Found]:
    if not trial.value_has_digits:
        return
    node = trial.case.node
    elementwise = trial.case.declared is not None and trial.case.declared.kind == "elementwise"
    yield relative(trial.plain(node), trial.digits(node), entrywise=elementwise), 16 * _unit(trial.case)


def _differences(trial: Trial) -> Iterator[Found]:
    """The gradient as it is computed, against differences in float64: float32 has the same graph, checked in digits."""
    if trial.case.node.dtype == np.float64 or not trial.has_digits:
        yield from _difference_errors(trial, trial.case.loss, trial.gradients)


def _difference_errors(trial: Trial, loss: Node, gradients: list[Node]) -> Iterator[Found]:
    """Return errors in parts of what the differences allow; what does not depend on the loss has none."""
    reached, by_entry = set(toposort([loss])), 1 if trial.has_digits else 200
    pairs = [(x, g) for x, g in zip(trial.case.wrt, trial.plain(gradients), strict=True) if x in reached]
    if not pairs:
        return
    graph = Graph(loss, [x for x, _ in pairs], None, trial.case.point)
    options = Options(max_entries=by_entry, directions=1)
    for position, (_, given) in enumerate(pairs):
        with np.errstate(all="ignore"):
            row = METHODS["five-point"](subject_of(graph, position, given), options)
        for worst in row.worst[:1]:
            error, allowed = worst.error, worst.uncertainty
            known = row.verdict != "failed" or allowed > 0
            yield (error / allowed if allowed else error) if known else float("inf"), 1.0


def _gradient_digits(trial: Trial) -> Iterator[Found]:
    """The gradient as it is computed, against the same graph in high precision."""
    if not trial.has_digits:
        return
    gradients = trial.gradients
    for found, wanted in zip(trial.plain(gradients), trial.digits(gradients), strict=True):
        yield relative(found, wanted), 256 * max(_unit(trial.case), float(np.finfo(found.dtype).eps))


def _gradient_differences(trial: Trial) -> Iterator[Found]:
    """The gradient graph in high precision, against differences in high precision along a random direction."""
    if trial.has_digits:
        yield _slope_error(trial, trial.case.loss, trial.gradients)


def _second_order(trial: Trial) -> Iterator[Found]:
    """The gradient of <gradient, u> for a random u, against differences of the gradient."""
    if trial.has_digits:
        yield _slope_error(trial, trial.slope, trial.second_gradients)
    else:
        yield from _difference_errors(trial, trial.slope, trial.second_gradients)


def _slope_error(trial: Trial, loss: Node, gradients: list[Node]) -> Found:
    ahead, behind = (values(loss).item() for values in trial.beside)
    products = [g * trial.direction[x] for g, x in zip(trial.digits(gradients), trial.case.wrt, strict=True)]
    size = max([abs(term) for product in products for term in np.ravel(product)], default=0)
    return float(abs(sum(map(np.sum, products)) - (ahead - behind) / (2 * STEP)) / (size or 1)), _BY_DIFFERENCES


def _partial_derivatives(trial: Trial) -> Iterator[Found]:
    """Elementwise: the gradient against mpmath's own numerical derivative of the scalar function."""
    case, declared = trial.case, trial.case.declared
    if declared is None or declared.kind != "elementwise" or declared.mpmath is None:
        return
    if declared.name == "stop_gradient":
        return
    if len(case.variables) != declared.arity or not trial.has_digits:
        return
    function = HIGH.scalar_function(declared.mpmath)
    arrays = [HIGH.array(case.point[x], x.dtype) for x in case.variables]
    weights = HIGH.array(case.cotangent.array, case.node.dtype)
    for x, found in zip(case.wrt, trial.digits(trial.gradients), strict=True):
        order = tuple(int(other is x) for other in case.variables)

        def slope(*scalars: Any, order: tuple[int, ...] = order) -> Any:
            return HIGH.context.diff(function, scalars, order)

        slopes = HIGH.array(np.frompyfunc(slope, len(arrays), 1)(*arrays), case.node.dtype)
        yield relative(found, _sum_to(weights * slopes, found.shape)), 1e-14


def _sum_to(array: Any, shape: tuple[int, ...]) -> Any:
    """Undo broadcasting."""
    array = np.asarray(array)
    extra = array.ndim - len(shape)
    array = np.sum(array, axis=tuple(range(extra))) if extra else array
    axes = tuple(axis for axis, size in enumerate(shape) if size == 1 and np.shape(array)[axis] != 1)
    return np.sum(array, axis=axes, keepdims=True) if axes else array


def _dot_products(trial: Trial) -> Iterator[Found]:
    """<g, Jv> = <Jᵀg, v> for random g and v."""
    case, tangents = trial.case, trial.tangents
    (pushed,) = jvp([case.node], case.wrt, tangents, disconnected="zero")
    both = [vdot(case.cotangent, pushed), *[vdot(g, v) for g, v in zip(trial.pulled, tangents, strict=True)]]
    left, *right = trial.exact(both)
    yield relative(left, sum(right)), trial.allowed


def _leading_axes(trial: Trial) -> Iterator[Found]:
    """A stack of cotangents gives the stack of what each of them gives; the Jacobian is such a stack."""
    case = trial.case
    alone = trial.pulled, vjp([case.node], case.wrt, [constant(trial.rows[1])], disconnected="zero")
    jacobians = jacobian(case.node, case.wrt, disconnected="zero")
    together = backpropagate([(case.node, trial.stacked)], case.wrt)
    for k, x in enumerate(case.wrt):
        graphs = [jacobians[k], *[results[k] for results in alone], *([together[x]] if x in together else [])]
        jacobian_value, first, second, *stack = trial.exact(graphs)
        wanted = np.stack([first, second])
        by_rows = np.tensordot(trial.arithmetic.array(trial.rows, x.dtype), jacobian_value, case.node.ndim)
        for found in (by_rows, *stack):
            yield relative(found, wanted), trial.allowed


def _linearity(trial: Trial) -> Iterator[Found]:
    """f(2x - 3z) = 2f(x) - 3f(z) for a primitive that is declared linear."""
    case = trial.case
    if case.declared is None or not case.declared.linear or not case.wrt:
        return
    rng = np.random.default_rng(6)
    here = {x: HIGH.array(value, x.dtype) for x, value in case.point.items()}
    there = here | {x: HIGH.array(rng.uniform(-1, 1, x.shape), x.dtype) for x in case.wrt}
    between = here | {x: 2 * here[x] - 3 * there[x] for x in case.wrt}
    f_here, f_there, f_between = (Evaluation(point, HIGH)(case.node) for point in (here, there, between))
    yield relative(f_between, 2 * f_here - 3 * f_there), EXACT


def _batches(trial: Trial) -> Iterator[Found]:
    """A batch of three examples gives the stack of what each of them gives, whichever operands differ."""
    case = trial.case
    rule = case.declared is not None and (case.declared.batch is not None or case.declared.linear)
    if case.declared is not None and case.declared.kind == "structural" and not rule:
        return
    for chosen in subsets_of(case):
        examples = examples_of(case, chosen)
        together = batched([case.node], examples.wider)[case.node]
        wanted = np.stack([Evaluation(point)(case.node) for point in examples.points])
        if together is not case.node:
            yield relative(Evaluation(examples.together)(together), wanted), 1024 * _unit(case)


_CHECKS: dict[str, Callable[[Trial], Iterator[Found]]] = {
    "func(*args) is node": _law,
    "value against mpmath": _value,
    "linearity": _linearity,
    "batch against each example": _batches,
    "gradient against differences": _differences,
    "gradient against 40 digits": _gradient_digits,
    "gradient against 40-digit differences": _gradient_differences,
    "partial derivatives against mpmath": _partial_derivatives,
    "<g, Jv> = <Jᵀg, v>": _dot_products,
    "cotangents with leading axes": _leading_axes,
    "second order": _second_order,
}
"""Every check by name: from a case to the errors found and allowed, none where it does not apply."""

_WITHOUT_DERIVATIVE = ("func(*args) is node", "value against mpmath", "linearity", "batch against each example")

_OF_THE_FORMULA = (
    "partial derivatives against mpmath",
    "<g, Jv> = <Jᵀg, v>",
    "cotangents with leading axes",
)
"""What is shown in high precision, where conversions do nothing: what holds for float64 holds for float32."""
