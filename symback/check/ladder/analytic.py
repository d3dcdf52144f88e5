"""The method "complex": derivatives along entries and directions by the complex step, where the graph is analytic."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from symback.check.ladder.complex_step import COARSER, complex_slopes, not_analytic
from symback.check.ladder.graph import graph_behind
from symback.check.ladder.lines import Ray, directions, entries
from symback.check.ladder.subject import Options, Subject
from symback.check.ladder.verdict import Comparison, row_of
from symback.check.reports.gradient_report import GradientRow
from symback.errors.checks import no_identity
from symback.nodes.apply import Apply
from symback.nodes.node import Node

NAME = "complex"

_UNITS = 256
_EPS = float(np.finfo(np.float64).eps)
_TINY = float(np.finfo(np.float64).smallest_subnormal) / COARSER
"""What is lost of a derivative where numbers are the smallest there are."""


def by_complex_step(subject: Subject, options: Options) -> GradientRow:
    """Compare with the complex step; the row says where the graph is not analytic.

    Raises:
        InputError: If the subject is no graph.
    """
    graph, node = graph_behind(subject), subject.node
    if graph is None or node is None:
        raise no_identity(subject.name, NAME)
    broken = not_analytic(graph.loss, node)
    if broken is not None:
        row = row_of(subject, NAME, "", [], note=f"not analytic: {_operation(broken)}")
        return replace(row, verdict="not applicable")
    if not subject.point.size:
        return row_of(subject, NAME, "entries", [])
    by_entry = subject.point.size <= options.max_entries
    rays = entries(subject) if by_entry else directions(subject, options, options.directions)
    slopes = [
        complex_slopes(graph.loss, node, graph.point, subject.point),
        complex_slopes(graph.loss, node, graph.point, subject.point, step=COARSER),
    ]
    found = [_compared(subject, slopes, ray) for ray in rays]
    floor = 0.0 if subject.scale else subject.size
    return row_of(subject, NAME, "entries" if by_entry else "directions", found, floor=floor)


def _compared(subject: Subject, slopes: Sequence[Callable[[Any], float]], ray: Ray) -> Comparison:
    reference, coarse = (slope(ray.direction) for slope in slopes)
    moved = ray.direction != 0
    products = (subject.claimed.astype(np.float64)[moved] * ray.direction[moved]).ravel()
    norm = float(np.sqrt(np.sum(ray.direction[moved] ** 2)))
    size = float(np.sum(np.abs(products)))
    uncertainty = _UNITS * _EPS * max(size, abs(reference)) + 8 * subject.noise(_EPS) * norm
    uncertainty += 2 * abs(coarse - reference) + _TINY
    allowance = subject.rounding * norm + subject.unit * size
    return Comparison(
        ray.place, float(np.sum(products)), reference, uncertainty, allowance, ray.weight, alone=ray.alone
    )


def _operation(node: Node) -> str:
    name = node.operation.name if isinstance(node, Apply) else type(node).__name__
    return f"{name} at {node.short()}"
