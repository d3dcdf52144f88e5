"""Identities between derivatives: what reverse mode gives is what forward mode gives, and Hessians are symmetric.

They need no differences: both sides are exact, in many digits where the graph has them and they cost little. They see
what the two ways do not have in common, so a derivative rule that both of them use is not judged by them alone.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from symback.check.ladder.graph import Graph, along, graph_behind
from symback.check.ladder.subject import Options, Subject
from symback.check.ladder.verdict import Comparison, row_of
from symback.check.reports.gradient_report import GradientRow
from symback.errors.checks import no_identity
from symback.nodes.node import Node

_EXACT = 1e-14
_UNITS = 256
_EPS = float(np.finfo(np.float64).eps)


def dot_products(subject: Subject, options: Options) -> GradientRow:
    """Compare <g, v> with the derivative along v that forward mode gives.

    Raises:
        InputError: If the subject is no graph.
    """
    graph = _graph(subject, "dot")
    if not subject.point.size:
        return row_of(subject, "dot", "directions", [])
    slope, direction, value = along(graph, subject.position, "along", options.seed)
    assert graph.calculus is not None
    node = graph.wrt[subject.position]
    (pushed,) = graph.calculus.jvp([graph.loss], [node], [direction])
    posed = Graph(pushed, [node], [slope], {**graph.point, direction: value}, graph.calculus, graph.stops)
    exact = posed.is_exact
    view = posed.view() if exact else posed.wide
    values = view.values([slope, pushed])
    products = np.ravel(subject.claimed).astype(np.float64) * np.ravel(value)
    left = float(np.sum(products)) if subject.given else values[slope]
    allowance = _allowance(exact, products) + (posed.constants[0] if exact else 8 * posed.rounding(0, _EPS))
    if subject.given:
        allowance += subject.rounding * float(np.linalg.norm(value))
    compared = _compared("direction 0", left, values[pushed], allowance)
    return row_of(subject, "dot", "directions", [compared], floor=_floor(subject, exact))


def symmetry(subject: Subject, options: Options) -> GradientRow:
    """Compare <u, H v> with <v, H u> for the blocks of the Hessian that one variable has with itself and later ones.

    Raises:
        InputError: If the subject is no graph, or its gradient was given.
    """
    graph = _graph(subject, "symmetry")
    if subject.given:
        raise no_identity(subject.name, "symmetry")
    if not subject.point.size:
        return row_of(subject, "symmetry", "directions", [])
    found = [_transposed(graph, subject.position, other, options.seed) for other in _later(graph, subject.position)]
    return row_of(subject, "symmetry", "directions", found, floor=max(abs(c.reference) for c in found) + subject.size)


def _later(graph: Graph, position: int) -> list[int]:
    return [other for other in range(position, len(graph.wrt)) if np.size(graph.wide.value(graph.wrt[other]))]


def _transposed(graph: Graph, one: int, other: int, seed: int) -> Comparison:
    """Compare a block of the Hessian with the transpose of its mirror image, along random directions."""
    calculus = graph.calculus
    assert calculus is not None
    slope, u, u_value = along(graph, one, "along", seed)
    other_slope, v, v_value = along(graph, other, "across", seed + 1)
    (by_other,), (by_one,) = calculus.grad(slope, [graph.wrt[other]]), calculus.grad(other_slope, [graph.wrt[one]])
    point = {**graph.point, u: u_value, v: v_value}
    posed = Graph(slope, graph.wrt, [by_other, by_one], point, calculus, graph.stops)
    exact = posed.is_exact
    view = posed.view() if exact else posed.wide
    values = view.values([by_other, by_one])
    left, right = _inner(values[by_other], v_value), _inner(values[by_one], u_value)
    terms = np.ravel(values[by_other]).astype(np.float64) * np.ravel(v_value)
    norms = [float(np.linalg.norm(v_value)), float(np.linalg.norm(u_value))]
    moved = posed.constants if exact else [8 * posed.rounding(k, _EPS) for k in (0, 1)]
    allowance = _allowance(exact, terms) + sum(norm * change for norm, change in zip(norms, moved, strict=True))
    return _compared(_pair(graph.wrt, one, other), left, right, allowance)


def _pair(wrt: Sequence[Node], one: int, other: int) -> str:
    return f"{wrt[one].short()}, {wrt[other].short()}"


def _inner(array: Any, direction: Any) -> Any:
    return sum((a * float(b) for a, b in zip(np.ravel(array), np.ravel(direction), strict=True)), start=0)


def _compared(place: str, left: Any, right: Any, allowance: float) -> Comparison:
    """Compare two numbers of many digits before they are rounded."""
    left, right = (np.asarray(side, dtype=object).item() for side in (left, right))
    reference = float(left) if abs(left - right) <= allowance else float(right)
    return Comparison(place, float(left), reference, 0.0, allowance)


def _allowance(exact: bool, terms: Any) -> float:
    return (_EXACT if exact else _UNITS * _EPS) * float(np.sum(np.abs(terms)))


def _floor(subject: Subject, exact: bool) -> float:
    return subject.size * (1e-15 if exact else 1.0) if not subject.scale else 0.0


def _graph(subject: Subject, method: str) -> Graph:
    graph = graph_behind(subject)
    if graph is None or graph.gradients is None or graph.calculus is None:
        raise no_identity(subject.name, method)
    return graph
