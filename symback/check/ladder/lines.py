"""Lines through a point: along entries and along directions, and differences of a subject along them."""

import heapq
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from symback.check.ladder import differences
from symback.check.ladder.differences import Difference, Line
from symback.check.ladder.plateaus import steps_of
from symback.check.ladder.subject import Array, Options, Subject
from symback.check.ladder.symmetric import mirrored
from symback.check.ladder.verdict import WORST, Comparison, place_of, row_of
from symback.check.reports.gradient_report import GradientRow

Method = Callable[[Subject, Options], GradientRow]
"""From a variable to its row."""

Measure = Callable[..., Difference]
"""A derivative by differences: of a line, its scale and its noise."""

_SMALL = 1.0
_SPLITS = 60
_CONFIRMED = 2
_TINY = 1e-3
_ASIDE = 0.01
_BESIDES = 4
_ENTRIES = 5
_MANY = 30.0
_LEAST = 1e-280
_NEARER = 0.0061, 3.7e-5


class Ray(NamedTuple):
    """A line through the point.

    Attributes:
        place: The entry or the direction.
        direction: How far each entry moves.
        scale: How large the point is along it: a step of that size is a long one.
        weight: How far each entry moves at least; 0 if some stay.
        alone: Whether one entry moves.
    """

    place: str
    direction: Array
    scale: float
    weight: float
    alone: bool = False


def line_of(subject: Subject, direction: Array) -> Line:
    """Return the function along a line, in float64."""
    return lambda distance: float(np.asarray(subject.fun(subject.point + distance * direction)))


def entries(subject: Subject) -> Iterator[Ray]:
    """Yield a line along each entry."""
    for index in np.ndindex(subject.shape):
        if not subject.symmetric or index[-2] <= index[-1]:
            yield entry(subject, index)


def entry(subject: Subject, index: Any) -> Ray:
    """Return the line along one entry; of a symmetric matrix, along the entry and its mirror image."""
    direction = np.zeros(subject.shape)
    direction[index] = 1.0
    direction = mirrored(direction) if subject.symmetric else direction
    return Ray(place_of(index), direction, max(1.0, abs(float(subject.point[index]))), 1.0, alone=True)


def directions(subject: Subject, options: Options, count: int) -> Iterator[Ray]:
    """Yield random directions: signs, with lengths from 1 to 2, so that no two entries can cancel by chance."""
    rng = options.generator(subject)
    size = max(1.0, float(np.max(np.abs(subject.point), initial=0.0)))
    for number in range(count):
        direction = rng.choice([-1.0, 1.0], subject.shape) * rng.uniform(1.0, 2.0, subject.shape)
        direction = mirrored(direction) if subject.symmetric else direction
        yield Ray(f"direction {number}", direction, size / 2, 1.0)


def by_differences(name: str, measure: Measure) -> Method:
    """Return the method that compares with differences in float64: entry by entry, and along directions."""

    def method(subject: Subject, options: Options) -> GradientRow:
        if not subject.point.size:
            return row_of(subject, name, "entries", [])
        probe = Probe(subject, measure)
        by_entry = subject.point.size <= options.max_entries
        rays = list(entries(subject) if by_entry else directions(subject, options, options.directions))
        found = [probe(ray) for ray in rays]
        wrong = [ray for ray, c in zip(rays, found, strict=True) if c.fails]
        if not by_entry and all(c.note and not c.weight for c in found):
            found += _beside_the_kink(subject, options, measure, probe)
        if wrong and not by_entry:
            found += located(wrong[0], probe, subject, probe.quick)
        floor = 0.0 if subject.scale else subject.size
        return row_of(subject, name, "entries" if by_entry else "directions", found, checked=len(rays), floor=floor)

    return method


def _beside_the_kink(subject: Subject, options: Options, measure: Measure, probe: "Probe") -> list[Comparison]:
    """Compare some entries, and the formula of a gradient at a point close by, where no kink hides what is wrong."""
    rng = options.generator(subject)
    if subject.formula is None:
        return []
    length = max(1.0, float(np.max(np.abs(subject.point))))
    point = subject.point + _ASIDE * length * rng.choice([-1.0, 1.0], subject.shape) * rng.uniform(1, 2, subject.shape)
    moved = replace(subject, point=point, claimed=subject.formula(point))
    besides = [Probe(moved, measure)(ray) for ray in directions(moved, options, _BESIDES)]
    some = rng.choice(subject.point.size, _ENTRIES, replace=False)
    alone = [probe(entry(subject, np.unravel_index(int(k), subject.shape))) for k in some]
    return [*(c._replace(place=f"{c.place}, beside the kink") for c in besides), *alone]


class Probe:
    """Compares a subject with differences along lines."""

    def __init__(self, subject: Subject, measure: Measure) -> None:
        """Measure the noise of the function, once for all lines."""
        self._subject = subject
        self._measure = measure
        sign = np.random.default_rng(0).choice([-1.0, 1.0], subject.shape)
        line = line_of(subject, sign * np.maximum(np.abs(subject.point), _SMALL))
        self._noise = differences.noise_of(line, 1.0, eps=subject.precision)
        self._claimed = subject.claimed.astype(np.float64)
        self._confirmed = 0

    def __call__(self, ray: Ray) -> Comparison:
        """Compare along one line; before it fails, the noise is measured along that very line too."""
        line, compared = line_of(self._subject, ray.direction), self.quick(ray)
        if compared.fails and self._confirmed >= _CONFIRMED and not ray.alone:
            return compared
        if compared.fails:
            noise = differences.noise_of(line, ray.scale, eps=self._subject.precision)
            if not noise <= 2 * self._noise:
                self._noise = noise
                compared = self.quick(ray)
            compared = self._nearer(compared, ray)
        if compared.fails and (steps := steps_of(line, ray.scale)).height > self._noise:
            compared = self.quick(ray._replace(scale=min(ray.scale, _MANY * steps.distance)), steps.height)
        if compared.fails or not self._sees_enough(compared):
            compared = self._at_own_size(compared, ray)
        if compared.fails or not self._sees_enough(compared):
            compared = self._beside_a_kink(compared, line, ray)
        self._confirmed += compared.fails
        return compared

    def _sees_enough(self, compared: Comparison) -> bool:
        return compared.bound <= self._subject.resolution * max(self._subject.scale, abs(compared.reference))

    def _nearer(self, compared: Comparison, ray: Ray) -> Comparison:
        """Compare over shorter steps, and believe those that contradict: one near a period sees no wave."""
        for part in _NEARER:
            nearer = self.quick(ray._replace(scale=part * ray.scale))
            compared = _contradicted(compared, nearer)
        return compared

    def _at_own_size(self, compared: Comparison, ray: Ray) -> Comparison:
        """Compare over steps as small as the smallest number of the point: no others see log(x) at 1e-30."""
        numbers = np.abs(self._subject.point[ray.direction != 0])
        least = float(np.min(numbers, where=numbers > 0, initial=np.inf))
        if not _LEAST < least < _TINY * ray.scale:
            return compared
        noise = differences.noise_of(line_of(self._subject, ray.direction), least, eps=self._subject.precision)
        nearer = self.quick(ray._replace(scale=least), noise)
        return nearer if nearer.bound < compared.bound else _contradicted(compared, nearer)

    def quick(self, ray: Ray, noise: float | None = None) -> Comparison:
        """Compare along one line without a second look at what fails."""
        subject = self._subject
        line, enough = line_of(subject, ray.direction), 1e-2 * subject.scale
        noise = self._noise if noise is None else noise
        found = self._measure(line, scale=ray.scale, noise=noise, enough=enough, eps=subject.precision)
        moved = ray.direction != 0
        products = (self._claimed[moved] * ray.direction[moved]).ravel()
        norm = float(np.sqrt(np.sum(ray.direction[moved] ** 2)))
        return Comparison(
            ray.place, float(np.sum(products)), found.value, found.tolerance,
            allowance=subject.rounding * norm + subject.unit * float(np.sum(np.abs(products))) + subject.tolerated,
            weight=ray.weight, alone=ray.alone,
        )  # fmt: skip

    def _beside_a_kink(self, compared: Comparison, line: Line, ray: Ray) -> Comparison:
        """Compare with the slopes on both sides, if they differ; along several entries they decide nothing."""
        ahead, behind = (
            differences.forward(_half(line, sign), scale=ray.scale, noise=self._noise, eps=self._subject.precision)
            for sign in (1.0, -1.0)
        )
        right, left, tolerance = ahead.value, -behind.value, ahead.tolerance + behind.tolerance
        if not abs(right - left) > 2 * tolerance:
            return compared
        note = f"at or near a kink: slopes {left:.6g} and {right:.6g} along {ray.place}"
        if not ray.alone and ray.direction.size > 1:
            return compared._replace(uncertainty=np.inf, weight=0.0, note=note)
        nearest = float(np.clip(compared.gradient, min(left, right), max(left, right)))
        if abs(compared.gradient - nearest) > tolerance + compared.allowance:
            return compared
        return compared._replace(reference=nearest, uncertainty=tolerance, note=note)


def _contradicted(compared: Comparison, nearer: Comparison) -> Comparison:
    """Return what shorter steps say, if it contradicts what longer ones say."""
    apart = abs(nearer.reference - compared.reference)
    return nearer if apart > nearer.uncertainty + compared.uncertainty else compared


def _half(line: Line, sign: float) -> Line:
    """Return a line that ends at the point."""
    return lambda distance: line(sign * distance) if distance >= 0 else np.nan


def located(
    ray: Ray,
    probe: Callable[[Ray], Comparison],
    subject: Subject,
    quick: Callable[[Ray], Comparison] | None = None,
) -> list[Comparison]:
    """Return the entries that make a direction fail, the worst first: halves are looked at until one entry is left."""
    places = np.flatnonzero(np.triu(ray.direction) if subject.symmetric else ray.direction)
    queue: list[tuple[float, int, Array]] = [(0.0, 0, places)]
    found: list[Comparison] = []
    splits = 0
    while queue and len(found) < WORST and splits < _SPLITS:
        _, _, held = heapq.heappop(queue)
        if len(held) == 1:
            single = entry(subject, np.unravel_index(int(held[0]), subject.shape))
            found.append(probe(single._replace(scale=ray.scale)))
            continue
        for half in (held[: len(held) // 2], held[len(held) // 2 :]):
            splits += 1
            compared = (quick or probe)(_part(ray, half, subject))
            if compared.fails:
                heapq.heappush(queue, (-compared.error, splits, half))
    return [c for c in found if c.fails]


def _part(ray: Ray, places: Array, subject: Subject) -> Ray:
    direction = np.zeros(subject.shape)
    direction.flat[places] = ray.direction.flat[places]
    direction = mirrored(direction) if subject.symmetric else direction
    return Ray(f"{len(places)} entries", direction, ray.scale, 0.0)
