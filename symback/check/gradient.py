"""The gradient checker: a symbolic gradient, or any other, against numbers of which the error is known.

By default the loss of a graph is differenced in 50 digits, with a step so short that no choice of it can be wrong,
along random directions that see every wrong entry, and the symbolic gradient is evaluated in as many digits. Where
that would take long, or a primitive has no digits, and for plain functions, differences in float64 decide that measure
the noise of the function. The verdict is "passed", "failed", or "undecided" where the method cannot see an error of
1e-6 of the largest derivative (in float32: what float32 can carry). The methods are listed in `ladder/table.py`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from symback import errors
from symback.check.failure.first_bad import first_bad
from symback.check.failure.kinks import kinks_at
from symback.check.functions import checked_values, with_values
from symback.check.ladder.callables import subjects_of
from symback.check.ladder.graph import Calculus, Graph, subject_of
from symback.check.ladder.lines import directions as directions_of
from symback.check.ladder.lines import line_of
from symback.check.ladder.point import claims, graph_of, variables_of
from symback.check.ladder.remainder import by_second_taylor
from symback.check.ladder.second import blocks_of
from symback.check.ladder.subject import Options, Subject
from symback.check.ladder.table import METHODS, default_method
from symback.check.reports.gradient_report import BadNode, GradientReport, GradientRow, Kink
from symback.check.reports.plots import Probe
from symback.codegen.bound import Functions, checked_functions
from symback.derive import forward, reverse
from symback.errors.checks import bad_order, order_two, unknown_method
from symback.interop.symbolic.bridge import SympyBridge
from symback.nodes.node import Node
from symback.ops.products.multiplying import vdot
from symback.rewrite.stability import stabilise


def _gradient(loss: Node, wrt: Sequence[Node]) -> list[Node]:
    """Return the gradient that `sb.grad` gives, zero where the loss does not depend on a variable."""
    (stable,) = stabilise([loss], wrt)
    return checked_values(reverse.grad(stable, wrt, disconnected="zero"))


CALCULUS = Calculus(_gradient, vdot, partial(forward.jvp, disconnected="zero"))
"""The passes that are checked."""

_ZERO = "it is 0 here in every entry, as where all units are off: another point tells more"


def check_grad(
    loss: Any = None, wrt: Any = None, *, at: Any = None, methods: str | Sequence[str] | None = None, order: int = 1,
    gradient: Any = None, fun: Callable[..., Any] | None = None, grad: Any = None, seed: int = 0,
    max_entries: int = 200, directions: int = 20, functions: Mapping[str, Any] | None = None,
) -> GradientReport:  # fmt: skip
    """Compare a gradient with numbers that know their own error; no step and no tolerance is asked for.

    Args:
        loss: A scalar node or SymPy expression; what `stop_gradient` holds is constant.
        wrt: A node or SymPy symbol, or a list or dict of them: variables or intermediate nodes.
        at: Values by node or name; what is missing is drawn, with small sizes, and as symbols of SymPy assume.
        methods: One or more names of `METHODS`, instead of the one that suits: a row for each variable and method.
        order: 1 for the gradient, 2 for the second derivatives.
        gradient: What to check instead of the symbolic gradient: arrays, or a function of the variables by name.
        fun: A plain function, instead of `loss`; then `at` is an array, or a list or dict of arguments.
        grad: The function that claims to be the gradient of `fun`; True if `fun` returns value and gradient.
        seed: Of the random points and directions.
        max_entries: Up to how many entries a variable is checked entry by entry.
        directions: How many random directions are checked in float64 for a larger one.
        functions: What undefined functions are, ``{"f": (f, df)}``, as for `lambdify`: df is checked by f.

    Raises:
        InputError: If the loss is finite at no point that was tried, a name is unknown, or a function is missing.
        DerivativeError: If the loss is no scalar, or does not depend on a variable.

    Example:
        >>> import symback as sb
        >>> sb.check_grad(sb.sin(x := sb.tensor("x")) ** 2, x).passed
        True
    """
    options = Options(seed=seed, max_entries=max_entries, directions=directions)
    told = checked_functions(functions, "check_grad")
    return _checked(loss, wrt, at, _named(methods), order, gradient, fun, grad, options, told)


def _checked(
    loss: Any, wrt: Any, at: Any, names: Sequence[str], order: int, gradient: Any, fun: Any, grad: Any,
    options: Options, functions: Functions,
) -> GradientReport:  # fmt: skip
    if order not in (1, 2):
        raise bad_order(order)
    if order == 2 and (fun is not None or gradient is not None):
        raise order_two("fun=" if fun is not None else "gradient=")
    if fun is not None and functions:
        raise errors.check_arguments("functions= is for a loss, not for fun=")
    if fun is not None:
        return _function_report(fun, grad, at, loss, names, options)
    if loss is None or wrt is None:
        raise errors.check_arguments("a loss and the variables are needed")
    bridge, seed, point = SympyBridge(), options.seed, {} if at is None else at
    nodes = variables_of(wrt, bridge.to_node)
    output, *nodes = with_values([bridge.to_loss(loss), *nodes], functions)
    graph = graph_of(output, nodes, point, CALCULUS, seed=seed, needed=gradient is None, symbols=bridge.symbols)
    if order == 2:
        return _second_report(graph, names, options)
    claimed = [None] * len(graph.wrt) if gradient is None else claims(gradient, graph)
    subjects = [subject_of(graph, position, claim) for position, claim in enumerate(claimed)]
    rows = _rows(subjects, names, options)
    return GradientReport(rows, _bad_node(graph, subjects, rows, seed), _kinks(graph, rows), _probe=_prober(subjects))


def _function_report(
    fun: Callable[..., Any], grad: Any, at: Any, loss: Any, names: Sequence[str], options: Options
) -> GradientReport:
    """Check the gradient of a plain function."""
    if loss is not None or grad is None or at is None:
        raise errors.check_arguments("fun needs grad and at, and no loss")
    subjects = subjects_of(fun, grad, at)
    return GradientReport(_rows(subjects, names, options), _probe=_prober(subjects))


def _bad_node(graph: Graph, subjects: Sequence[Subject], rows: Sequence[GradientRow], seed: int) -> BadNode | None:
    """Return where a gradient that failed goes wrong: of one that was given, the first of its nodes that does."""
    if all(row.verdict != "failed" for row in rows):
        return None
    given = [subject.claimed for subject in subjects if subject.given]
    if given and len(graph.wrt) < 2:
        return None
    with np.errstate(all="ignore"):
        loss = graph.loss if given else stabilise([graph.loss], graph.wrt)[0]
        return first_bad(loss, graph.wrt, graph.point, gradient=given or None, seed=seed)


def _kinks(graph: Graph, rows: Sequence[GradientRow]) -> tuple[Kink, ...]:
    """Return the kinks that the point is on or close to, where slopes showed one or a gradient could not be passed."""
    if all(row.passed and not row.note for row in rows):
        return ()
    return kinks_at(graph.loss, graph.point, graph.wrt)


def _prober(subjects: Sequence[Subject]) -> Callable[[], Probe]:
    """Return what makes the line that the plot takes differences along: through the largest variable."""

    def probe() -> Probe:
        subject = max(subjects, key=lambda subject: subject.point.size)
        ray = next(directions_of(subject, Options(), 1))
        slope = float(np.sum(subject.claimed.astype(np.float64) * ray.direction))
        return Probe(f"{subject.name} along a random direction", line_of(subject, ray.direction), slope, ray.scale)

    return probe


def _second_report(graph: Graph, names: Sequence[str], options: Options) -> GradientReport:
    """Check the Hessian block by block, and that it is symmetric."""
    positions = range(len(graph.wrt))
    by_block = [name for name in names if name not in ("taylor", "symmetry")]
    blocks = _rows(blocks_of(graph, options.seed), by_block, options) if by_block or not names else ()
    with np.errstate(all="ignore"):
        expanded = [by_second_taylor(graph, k, options) for k in positions if "taylor" in names]
    variables = [subject_of(graph, k, None) for k in positions if not names or "symmetry" in names]
    return GradientReport((*blocks, *expanded, *_rows(variables, ["symmetry"], options)), order=2)


def _rows(subjects: Sequence[Subject], names: Sequence[str], options: Options) -> tuple[GradientRow, ...]:
    with np.errstate(all="ignore"):
        return tuple(
            _with_note(METHODS[name](subject, options), subject)
            for subject in subjects
            for name in names or [default_method(subject)]
        )


def _with_note(row: GradientRow, subject: Subject) -> GradientRow:
    """Say that a gradient of zeros, as of units that are all off, tells little about the rule."""
    if not row.passed or not subject.claimed.size or subject.claimed.any():
        return row
    return replace(row, note="; ".join(filter(None, [row.note, _ZERO])))


def _named(methods: str | Sequence[str] | None) -> list[str]:
    """Return the names of methods, each of them known."""
    names = [] if methods is None else [methods] if isinstance(methods, str) else list(methods)
    for name in names:
        if name not in METHODS:
            raise unknown_method(name, METHODS)
    return names
