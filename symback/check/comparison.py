"""Gradients from several sources side by side: symback's, other libraries', one written by hand; and who is right."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from symback.check.binding import Bindings
from symback.check.gradient import CALCULUS
from symback.check.ladder.graph import Graph, subject_of
from symback.check.ladder.point import graph_of, variables_of
from symback.check.ladder.subject import Options
from symback.check.ladder.table import METHODS, default_method
from symback.check.ladder.verdict import Numbers, place_of
from symback.check.reports.comparison_report import Column, Compared, ComparisonReport, SideBySide
from symback.check.reports.gradient_report import GradientRow
from symback.check.sources import gradients_of
from symback.errors import comparison as messages
from symback.interop.symbolic.bridge import SympyBridge
from symback.nodes.leaves import Variable

Array = np.ndarray[Any, Any]

OWN = "symback"
"""The name of the column of symback's own gradient."""

_WORST = 3


def compare(
    loss: Any, wrt: Any, at: Bindings | None = None, *, against: Mapping[str, Any], seed: int = 0
) -> ComparisonReport:
    """Put gradients of one loss from several sources side by side, and say who is right.

    The reference is the derivative in 50 digits wherever the graph has them. No column is trusted, symback's included.

    Args:
        loss: A scalar node or SymPy expression.
        wrt: A node or SymPy symbol, or a list or dict of them.
        at: Values by node or name; what is missing is drawn at random, with small symbolic sizes.
        against: From the name of a column to gradients (one array, a list or tuple as `wrt`, a dict by name) or to a
            function that returns them. Its parameters are variables of the loss by name; if they have other names,
            all variables in the order of `at`, or else those of `wrt`. Arrays of any library will do.
        seed: Of what is drawn at random.

    Raises:
        UsageError: If `against` is no dict, or a function has parameters that cannot be matched.
        InputError, ShapeError, DtypeError: If the gradients of a column do not fit `wrt`; it is named.

    Example:
        >>> import numpy as np
        >>> import symback as sb
        >>> x = sb.tensor("x", (3,))
        >>> hand = {"hand": lambda x: -np.sin(x), "numpy": lambda x: np.cos(x)}
        >>> sb.compare(sb.sum(sb.sin(x)), x, {"x": np.ones(3)}, against=hand).wrong
        {'hand': ['x']}
    """
    graph, keys, given = _posed(loss, wrt, at, against, seed)
    values = _by_name(graph, given)
    shapes = [np.shape(graph.wide.value(node)) for node in graph.wrt]
    columns = {name: gradients_of(name, source, values, graph.wrt, shapes, keys) for name, source in against.items()}
    return ComparisonReport(tuple(_compared(graph, position, columns) for position in range(len(graph.wrt))))


def _posed(loss: Any, wrt: Any, at: Any, against: Any, seed: int) -> tuple[Graph, list[Any], Bindings]:
    """Return the graph with its point, the keys of `wrt` if it is a dict, and the values that were given."""
    if not isinstance(against, Mapping) or not against:
        raise messages.no_columns(against)
    for name in against:
        if not isinstance(name, str) or name == OWN:
            raise messages.column_name(name)
    keys = list(wrt) if isinstance(wrt, Mapping) else []
    given = {} if at is None else at
    bridge = SympyBridge()
    nodes, output = variables_of(wrt, bridge.to_node), bridge.to_loss(loss)
    return graph_of(output, nodes, given, CALCULUS, seed=seed, symbols=bridge.symbols), keys, given


def _compared(graph: Graph, position: int, given: Mapping[str, list[Array]]) -> Compared:
    """Judge each source's gradient by one variable, and hold it against the reference entry by entry."""
    own = subject_of(graph, position, None)
    subjects = {OWN: own, **{name: subject_of(graph, position, arrays[position]) for name, arrays in given.items()}}
    method = default_method(own)
    with np.errstate(all="ignore"):
        rows = {name: METHODS[method](subject, Options()) for name, subject in subjects.items()}
    arrays = {name: subject.claimed for name, subject in subjects.items()}
    if graph.gradients is not None:  # what its formula comes to in the dtypes of the graph
        arrays[OWN] = np.asarray(graph.plain.value(graph.gradients[position]))
    reference, called = _reference(graph, position, rows, arrays, method)
    numbers = None if reference is None else {name: _numbers(array, reference) for name, array in arrays.items()}
    columns = [
        _column(name, arrays[name], row, None if numbers is None else numbers[name], called)
        for name, row in rows.items()
    ]
    return Compared(
        name=own.name, shape=own.shape, reference=called, columns=tuple(columns),
        worst=_worst(rows, numbers, own.shape),
    )  # fmt: skip


def _reference(
    graph: Graph, position: int, rows: Mapping[str, GradientRow], arrays: Mapping[str, Array], method: str
) -> tuple[Any, str]:
    """Return what the columns are held against: symback's gradient if it has passed, else the first that has."""
    if rows[OWN].passed and graph.gradients is not None:
        gradient = graph.gradients[position]
        return (graph.view().value(gradient) if method == "mpmath" else graph.wide.value(gradient)), method
    right = next((name for name, row in rows.items() if row.passed), None)
    return (None, method) if right is None else (arrays[right], right)


def _numbers(array: Array, reference: Any) -> Numbers:
    return Numbers(array, reference, 0.0)


def _column(name: str, array: Array, row: GradientRow, numbers: Numbers | None, reference: str) -> Column:
    if numbers is None:
        largest, relative, ulps = row.max_abs_error, row.max_rel_error, row.max_ulps
    else:
        scale = float(np.max(np.abs(numbers.exact), where=np.isfinite(numbers.exact), initial=0.0))
        largest, relative = numbers.largest, numbers.largest / (scale or 1.0)
        ulps = numbers.max_ulps if reference == "mpmath" else None
    return Column(
        name=name, dtype=str(array.dtype), max_abs_error=largest, max_rel_error=relative, max_ulps=ulps,
        sees=row.sees, verdict=row.verdict, note=row.note,
    )  # fmt: skip


def _worst(
    rows: Mapping[str, GradientRow], numbers: Mapping[str, Numbers] | None, shape: tuple[int, ...]
) -> tuple[SideBySide, ...]:
    """Return the entries at which a column is furthest from the reference; of columns that failed if there are any."""
    if numbers is None or not math.prod(shape):
        return ()
    failed = [name for name, row in rows.items() if row.verdict == "failed"]
    errors = np.max([np.nan_to_num(numbers[name].errors, nan=np.inf) for name in failed or numbers], axis=0)
    order = [int(k) for k in np.argsort(-errors, kind="stable")[: _WORST if failed else 1] if errors[k] > 0]
    exact = next(iter(numbers.values())).exact
    return tuple(
        SideBySide(
            place=place_of(np.unravel_index(k, shape) if shape else ()),
            values=tuple(float(each.values[k]) for each in numbers.values()),
            reference=float(exact[k]),
        )
        for k in order
    )


def _by_name(graph: Graph, given: Bindings) -> dict[str, Array]:
    """Return the values of the variables by name, in the order in which they were given."""
    values = {node.name: array for node, array in graph.point.items() if isinstance(node, Variable)}
    first = [key if isinstance(key, str) else str(getattr(key, "name", key)) for key in given]
    return {key: values[key] for key in [*first, *(key for key in values if key not in first)]}
