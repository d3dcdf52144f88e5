"""The method "taylor": the remainder of Taylor's expansion along a random direction, and the power it falls with."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from symback.check.ladder.differences import derivative
from symback.check.ladder.graph import Graph, along, graph_behind, is_exact, subject_of
from symback.check.ladder.lines import Probe, Ray, directions, line_of
from symback.check.ladder.slopes import Lines
from symback.check.ladder.subject import Options, Subject
from symback.check.ladder.taylor import Remainders, taylor
from symback.check.ladder.verdict import row_of
from symback.check.reports.gradient_report import GradientRow

NAME = "taylor"


def by_taylor(subject: Subject, options: Options) -> GradientRow:
    """Test that f(x + hv) - f(x) - h <g, v> falls as h²."""
    if not subject.point.size:
        return row_of(subject, NAME, "directions", [])
    ray = next(directions(subject, options, 1))
    found = _remainders(subject, ray, [])
    return _row(subject, ray, found)


def by_second_taylor(graph: Graph, position: int, options: Options) -> GradientRow:
    """Test that f(x + hv) - f(x) - h <g, v> - h² <v, H v> / 2 falls as h³."""
    subject = subject_of(graph, position, None)
    if not subject.point.size:
        return row_of(subject, NAME, "directions", [])
    slope, direction, value = along(graph, position, "along", options.seed)
    assert graph.calculus is not None
    node = graph.wrt[position]
    products = graph.calculus.grad(slope, [node])
    sloped = Graph(slope, [node], products, {**graph.point, direction: value}, graph.calculus, graph.stops)
    ray = Ray("direction 0", value.astype(np.float64), max(1.0, float(np.max(np.abs(subject.point)))) / 2, 1.0)
    second = subject_of(sloped, 0, None)
    exact = is_exact(subject) and is_exact(second)
    view = sloped.view() if exact else sloped.wide
    curvature = sum(h * float(v) for h, v in zip(np.ravel(view.value(products[0])), np.ravel(value), strict=True))
    return _row(second, ray, _remainders(subject, ray, [curvature], exact=exact))


def _remainders(subject: Subject, ray: Ray, more: Sequence[Any], *, exact: bool | None = None) -> Remainders:
    """Return the remainders along a line, in many digits where they are affordable."""
    if subject.given or not (is_exact(subject) if exact is None else exact):
        slope = float(np.sum(subject.claimed.astype(np.float64) * ray.direction))
        return taylor(line_of(subject, ray.direction), (slope, *map(float, more)), scale=ray.scale)
    graph, node = graph_behind(subject), subject.node
    assert graph is not None
    assert node is not None
    assert graph.gradients is not None
    view = graph.view()
    function, point, own = view.function(node), view.value(node), view.value(graph.gradients[subject.position])
    moved = view.arithmetic.array(ray.direction, node.dtype)

    def line(distance: Any) -> Any:
        try:
            return np.asarray(function(point + distance * moved), dtype=object).item()
        except (ArithmeticError, ValueError):  # as where a matrix is no longer positive definite
            return np.nan

    slope = sum((g * v for g, v in zip(own.ravel(), moved.ravel(), strict=True)), start=0)
    return taylor(line, (slope, *more), digits=True, scale=ray.scale)


def _doubt(subject: Subject, ray: Ray) -> str:
    """Return why no expansion need hold at the point; empty if one must."""
    graph, node = graph_behind(subject), subject.node
    if graph is None or node is None or not graph.is_exact:
        compared = Probe(subject, derivative)(ray)
        return "" if compared.fails else compared.note or "which differences do not confirm"
    slopes = Lines(graph.sampler(node), subject.point).along(ray.direction, subject.scale)
    if slopes.note or not np.isfinite(float(slopes.error)):
        return slopes.note or "no slope is known"
    claimed = float(np.sum(subject.claimed.astype(np.float64) * ray.direction))
    agree = abs(claimed - float(slopes.left)) <= subject.resolution * subject.scale
    return "and steps that are shorter agree with the gradient" if agree else ""


def _row(subject: Subject, ray: Ray, found: Remainders) -> GradientRow:
    """Return the row; what fails at a kink, where no expansion holds, is not judged."""
    scale = subject.scale or subject.size or 1.0
    verdict, note = found.verdict, f"remainder falls as h^{found.slope:.2f}"
    error = 0.0
    if verdict == "failed":
        error = found.remainders[-1] / found.steps[-1] if found.steps else 0.0
        if doubt := _doubt(subject, ray):
            verdict, note = "undecided", f"{note}, {doubt}"
    elif verdict == "passed" and found.sees > subject.resolution * scale:
        verdict = "undecided"
    row = row_of(subject, NAME, "directions", [], note=note if found.remainders else "no remainder")
    return replace(
        row, checked=1, max_abs_error=error, max_rel_error=error / scale, sees=found.sees / scale, verdict=verdict,
        uncertainty=found.sees, curve=tuple(zip(found.steps, found.remainders, strict=True)),
    )  # fmt: skip
