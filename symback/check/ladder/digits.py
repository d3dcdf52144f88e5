"""The method "mpmath": loss and gradient in 50 digits, so that no rounding and no bad step has a part in the verdict.

The symbolic gradient, evaluated in as many digits, is held against slopes along random directions, which see every
wrong entry however many there are. Numbers from outside are held entry by entry against the gradient that has stood
this test; those that differ by more than rounding, and all of them if it has not, against slopes of their own.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from symback.check.ladder.graph import Graph, graph_behind
from symback.check.ladder.lines import Ray, directions, entries, entry, located
from symback.check.ladder.slopes import Lines, Slopes
from symback.check.ladder.subject import Array, Options, Subject
from symback.check.ladder.verdict import WORST, Comparison, Numbers, place_of, row_of
from symback.check.reports.gradient_report import GradientRow
from symback.errors.checks import no_digits

NAME = "mpmath"

_DIRECTIONS = 2
_EXACT = 1e-14
_LOOKED_AT = 20
_SAMPLE = 5
_ZERO = 1e-15
_LEAST = 1e-40
_FLOOR = 1e-9


def in_digits(subject: Subject, options: Options) -> GradientRow:
    """Compare a gradient in many digits.

    Raises:
        InputError: If the function is not a graph, or the graph cannot be evaluated in many digits.
    """
    graph = graph_behind(subject)
    if graph is None or subject.node is None or not graph.has_digits:
        raise no_digits(subject.name)
    if not subject.point.size:
        return row_of(subject, NAME, "entries", [])
    own = _own_gradient(subject)
    if own is None:
        return _by_slopes(subject, options, _exact(subject, subject.claimed), subject.rounding)
    probe = _Probe(subject, own, graph.constants[subject.position])
    found, along = _tested(subject, options, probe)
    if not subject.given:
        return _own_row(subject, along, found, own)
    if not np.isfinite(_unseen(found, along)):
        return _by_slopes(subject, options, _exact(subject, subject.claimed), subject.rounding)
    return _given_row(subject, own, _unseen(found, along), max(c.steepest for c in found))


def _graph(subject: Subject) -> Graph:
    """Return the graph of a subject that has one."""
    graph = graph_behind(subject)
    assert graph is not None
    return graph


def _own_gradient(subject: Subject) -> Array | None:
    """Return the symbolic gradient in many digits; infinity, which mpmath does not make of 1/0, as floats have it."""
    graph = _graph(subject)
    if graph.gradients is None:
        return None
    gradient = graph.gradients[subject.position]
    own = np.array(graph.view().value(gradient), dtype=object)
    unknown = ~_finite(own)
    if unknown.any():
        own[unknown] = _exact(subject, graph.wide.value(gradient))[unknown]
    return own


def _finite(numbers: Array) -> Array:
    return np.array([np.isfinite(float(x)) for x in numbers.flat], dtype=bool).reshape(numbers.shape)


def _exact(subject: Subject, numbers: Array) -> Array:
    view = _graph(subject).view()
    return np.asarray(view.arithmetic.array(numbers, np.dtype(np.float64)), dtype=object)


class _Probe:
    """Compares numbers in many digits with slopes."""

    def __init__(self, subject: Subject, numbers: Array, rounding: float, beside: Array | None = None) -> None:
        """Take what is claimed, what rounding may have done to each entry, and how far from the point to look."""
        assert subject.node is not None
        self._numbers = numbers
        self._rounding, self._beside = rounding, beside
        self._lines = Lines(_graph(subject).sampler(subject.node), subject.point)

    def __call__(self, ray: Ray) -> Comparison:
        moved = ray.direction != 0
        products = [g * float(v) for g, v in zip(self._numbers[moved], ray.direction[moved], strict=True)]
        claimed, size = sum(products), float(sum(map(abs, products)))
        slopes = self._lines.along(ray.direction, size if np.isfinite(size) else 0.0, self._beside)
        norm = float(np.sqrt(np.sum(ray.direction[moved] ** 2)))
        allowance = _EXACT * size + self._rounding * norm
        return _compared(ray, claimed, slopes, allowance)


def _compared(ray: Ray, claimed: Any, slopes: Slopes, allowance: float) -> Comparison:
    """Compare what is claimed with the slopes: of one entry, each value between those of a kink is a subgradient.

    Where several entries move, what each of them takes at a kink need not add up to a value between the slopes.
    """
    error = float(slopes.error)
    several = not ray.alone and ray.direction.size > 1
    note = slopes.note
    if note and slopes.left != slopes.right:
        note = f"{note}: slopes {float(slopes.left):.6g} and {float(slopes.right):.6g} along {ray.place}"
        note += f", the gradient takes {float(claimed):.6g}"
    if several and (note or not np.isfinite(float(claimed))):
        return Comparison(ray.place, float(claimed), float(slopes.right), np.inf, 0.0, 0.0, note or "not finite")
    if not np.isfinite(float(claimed)):
        return Comparison(ray.place, float(claimed), float(slopes.right), error, 0.0, ray.weight, note, ray.alone)
    nearest = slopes.nearest(claimed)
    # Equal to more digits than a float has: the difference is taken before they are lost.
    reference = float(nearest) if abs(claimed - nearest) > allowance + error else float(claimed)
    steepest = max(abs(float(slopes.left)), abs(float(slopes.right))) if slopes.note else 0.0
    steepest = steepest if np.isfinite(steepest) else 0.0
    return Comparison(ray.place, float(claimed), reference, error, allowance, ray.weight, note, ray.alone, steepest)


def _tested(subject: Subject, options: Options, probe: _Probe) -> tuple[list[Comparison], str]:
    """Hold a gradient against slopes along directions; where one fails or is at a kink, against those of entries.

    At a kink of a variable that is too large for that, the gradient is tested a little beside the kink as well, where
    nothing can hide between two slopes.
    """
    rays = list(directions(subject, options, _DIRECTIONS))
    found = [probe(ray) for ray in rays]
    if all(not c.fails and not c.note and np.isfinite(c.bound) for c in found):
        return found, "directions"
    if subject.point.size <= options.max_entries:
        return [probe(ray) for ray in entries(subject)], "entries"
    wrong = [ray for ray, c in zip(rays, found, strict=True) if c.fails]
    if wrong:
        return found + located(wrong[0], probe, subject), "directions"
    some = options.generator(subject).choice(subject.point.size, _SAMPLE, replace=False)
    alone = [probe(entry(subject, np.unravel_index(int(k), subject.shape))) for k in some]
    return found + [_beside(subject, ray) for ray in rays] + alone, "directions"


def _beside(subject: Subject, ray: Ray) -> Comparison:
    """Compare the symbolic gradient at a point so close that floats cannot tell it from the other."""
    graph, node = _graph(subject), subject.node
    assert graph.gradients is not None
    assert node is not None
    away = np.random.default_rng(1).uniform(-1e-16, 1e-16, subject.shape) * ray.scale
    view = graph.view()
    moved = view.value(node) + view.arithmetic.array(away, node.dtype)
    numbers = np.asarray(view.function(node, graph.gradients[subject.position])(moved), dtype=object)
    probe = _Probe(subject, numbers, graph.constants[subject.position], away)
    return probe(ray._replace(place=f"{ray.place}, beside the kink"))


def _unseen(found: Sequence[Comparison], along: str) -> float:
    """Return what a gradient that has been tested may still be off by; infinite if it has failed, or was not judged."""
    bounds = [c.uncertainty for c in found if c.weight and c.alone == (along == "entries")]
    if not bounds or any(c.fails for c in found):
        return float("inf")
    return max(bounds) if along == "entries" else min(bounds)


def _floor(subject: Subject) -> float:
    """Return what a derivative is measured by that is zero: less than that is not told from zero by any digits."""
    return max(_ZERO * subject.size, _LEAST)


def _own_row(subject: Subject, along: str, found: Sequence[Comparison], own: Array) -> GradientRow:
    """Return the row of the symbolic gradient; beside it what rounding does to it in floats."""
    graph = _graph(subject)
    assert graph.gradients is not None
    floats = graph.plain.value(graph.gradients[subject.position])
    numbers = Numbers(floats, own, max(c.uncertainty for c in found))
    row = row_of(subject, NAME, along, found, numbers=numbers, floor=_floor(subject))
    if row.passed and np.isnan(numbers.largest):
        note = "the formula is right, but in floats, as the graph is written, it is not finite"
        row = replace(row, verdict="undecided", note="; ".join(filter(None, [note, row.note])))
    return row


def _given_row(subject: Subject, own: Array, unseen: float, steepest: float) -> GradientRow:
    """Compare numbers with the gradient in digits that has stood its test."""
    numbers = Numbers(subject.claimed, own, unseen)
    allowed = _allowed(subject, own)
    suspects = np.flatnonzero(~(numbers.errors <= allowed))
    probe = _Probe(subject, _exact(subject, subject.claimed), allowed)
    order = suspects[np.argsort(-np.nan_to_num(numbers.errors[suspects], nan=np.inf), kind="stable")]
    found: list[Comparison] = []
    while len(found) < min(_LOOKED_AT, len(order)) and sum(c.fails for c in found) < WORST:
        k = order[len(found)]
        compared = probe(entry(subject, np.unravel_index(int(k), subject.shape)))
        if not compared.fails:
            numbers.accept(k)
        found.append(compared)
    unknown = 0.0 if any(c.fails for c in found) else np.inf  # where those looked at are at kinks, so may others be
    found += [_of_number(subject, numbers, int(k), allowed + unknown) for k in order[len(found) :]]
    rest = Comparison("", 0.0, 0.0, unseen, allowed, steepest=steepest)
    floor = _floor(subject)
    return row_of(subject, NAME, "entries", [*found, rest], numbers=numbers, checked=subject.point.size, floor=floor)


def _of_number(subject: Subject, numbers: Numbers, k: int, allowed: float) -> Comparison:
    place = place_of(np.unravel_index(k, subject.shape))
    return Comparison(place, float(numbers.values[k]), float(numbers.exact[k]), 0.0, allowed, alone=True)


def _allowed(subject: Subject, own: Array) -> float:
    """Return what rounding explains: units of the largest derivative, and what it does to symback's own gradient."""
    graph = _graph(subject)
    assert graph.gradients is not None
    gradient = graph.gradients[subject.position]
    scale = max((float(abs(g)) for g in own.ravel() if np.isfinite(float(g))), default=0.0)
    plain = Numbers(graph.plain.value(gradient), own, 0.0)
    same = subject.unit / float(np.finfo(gradient.dtype).eps)
    known = 8 * same * plain.largest if np.isfinite(plain.largest) else 0.0
    return max(32 * subject.unit, _FLOOR if subject.unit < _FLOOR else 0.0) * scale + known


def _by_slopes(subject: Subject, options: Options, numbers: Array, rounding: float) -> GradientRow:
    """Compare numbers with slopes alone."""
    probe = _Probe(subject, numbers, rounding)
    if subject.point.size <= options.max_entries:
        return row_of(subject, NAME, "entries", [probe(ray) for ray in entries(subject)], floor=_floor(subject))
    rays = list(directions(subject, options, _DIRECTIONS))
    found = [probe(ray) for ray in rays]
    wrong = [ray for ray, c in zip(rays, found, strict=True) if c.fails]
    named = located(wrong[0], probe, subject) if wrong else []
    return row_of(subject, NAME, "directions", [*found, *named], checked=len(rays), floor=_floor(subject))
