"""A claimed derivative held against slopes along a direction, and what is wrong with it narrowed down to one entry."""

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]

_KINKED = 1e-8
_MOST_PARTS = 64


class Slopes(NamedTuple):
    """A derivative along a direction: to the left, to the right, and with a bound on its error."""

    left: Any
    right: Any
    value: Any
    uncertainty: Any


class Fault(NamedTuple):
    """A claimed derivative that disagrees with slopes.

    Attributes:
        direction: Where the point was moved: an array of its shape.
        claimed: What is claimed along it.
        reference: What the slope is.
        uncertainty: How far the two may be apart.
        at_kink: Whether the slopes to the two sides differ, and what is claimed is not between them.
    """

    direction: Array
    claimed: float
    reference: float
    uncertainty: float
    at_kink: bool


class _Part(NamedTuple):
    """Some of the entries, the verdict along them, and what is wrong if anything is."""

    entries: Array
    verdict: str
    fault: Fault


class Claim:
    """A claimed derivative of a number by an array.

    A random direction sees any entry that is wrong, however many there are; it is halved until one entry is left.
    """

    def __init__(
        self, claimed: Array, slopes: Callable[[Array], Slopes], *, rounded: float, symmetric: bool = False
    ) -> None:
        """Take what is claimed, and what it is held against.

        Args:
            claimed: The claimed derivative by each entry: floats, or numbers of mpmath.
            slopes: The slopes along a direction, an array of the same shape.
            rounded: What the claim may be off by, in parts of what it is made of.
            symmetric: Whether only symmetric directions count.
        """
        self._claimed = claimed
        self._slopes = slopes
        self._rounded = rounded
        self._symmetric = symmetric

    def worst(self, direction: Array) -> Fault | None:
        """Return what is wrong; None if it is nothing, as far as is seen. What is wrong beside a kink counts first."""
        return chosen(list(self._by_parts(direction)))

    def judged(self, claimed: Any, size: Any, slopes: Slopes) -> tuple[str, Slopes]:
        """Judge a number.

        Args:
            claimed: The number.
            size: The sum of the absolute values of what it is the sum of.
            slopes: What it is held against.

        Returns:
            The verdict (empty if it is right, else ``"wrong"``, at a kink ``"kink"`` or, if it is not between the
            slopes there, ``"outside"``; ``"unknown"`` if there is no slope) and the slopes, their uncertainty with what
            rounding explains.
        """
        left, right, value, blur = slopes
        if not finite(np.asarray([left, right, value, blur], dtype=object)).all():
            return "unknown", slopes
        allowed = blur + self._rounded * (abs(value) + (size if finite(size).all() else 0))
        slopes = slopes._replace(uncertainty=allowed)
        if abs(claimed - value) <= allowed:
            return "", slopes
        if abs(right - left) > _KINKED * (abs(left) + abs(right)) + allowed:
            return "kink" if min(left, right) - allowed <= claimed <= max(left, right) + allowed else "outside", slopes
        return "wrong", slopes

    def _by_parts(self, direction: Array) -> Iterator[Fault]:
        """Yield what is wrong along parts of a direction."""
        waiting = [self._along(direction, np.arange(direction.size))] if direction.size else []
        for _ in range(_MOST_PARTS):
            if not waiting:
                return
            part, verdict, fault = waiting.pop()
            if not verdict:
                continue
            size = part.size
            halves = [self._along(direction, half) for half in (part[size // 2 :], part[: size // 2]) if size > 1]
            if verdict == "wrong" and not any(half.verdict for half in halves):
                yield fault
                return
            if verdict == "outside" and size == 1:
                yield fault
            waiting += halves

    def _along(self, direction: Array, part: Array) -> "_Part":
        kept = np.zeros(direction.size)
        kept[part] = direction.reshape(-1)[part]
        kept = kept.reshape(direction.shape)
        if self._symmetric:
            kept = kept + np.swapaxes(kept, -1, -2)
        with np.errstate(all="ignore"):
            terms = self._claimed * kept
            claimed = np.sum(terms)
            verdict, slopes = self.judged(claimed, np.sum(np.abs(terms)), self._slopes(kept))
        return _Part(part, verdict, fault_of(kept, claimed, slopes, verdict))


def fault_of(direction: Array, claimed: Any, slopes: Slopes, verdict: str) -> Fault:
    """Return a fault in floats."""
    return Fault(direction, float(claimed), float(slopes.value), float(slopes.uncertainty), verdict == "outside")


def chosen(faults: list[Fault]) -> Fault | None:
    """Return the largest of the faults beside kinks, else the largest at one."""
    beside = [fault for fault in faults if not fault.at_kink]
    return max(beside or faults, key=_excess, default=None)


def _excess(fault: Fault) -> float:
    error = abs(fault.claimed - fault.reference)
    return math.inf if math.isnan(error) else error / (fault.uncertainty or 1e-300)


def finite(values: Any) -> Array:
    """Tell which numbers are finite, those of mpmath too."""
    array = np.asarray(values)
    if array.dtype != object:
        return np.asarray(np.isfinite(array))
    return np.asarray(np.frompyfunc(lambda x: bool(abs(x) < math.inf), 1, 1)(array), dtype=bool)


def random_direction(point: Any, rng: np.random.Generator) -> Array:
    """Return a direction in which each entry moves by one to two times its own size; a zero by that of the largest."""
    sizes = np.abs(np.asarray(point).astype(np.float64))
    largest = float(sizes[np.isfinite(sizes)].max(initial=0.0)) or 1.0
    lengths = rng.choice([-1.0, 1.0], sizes.shape) * rng.uniform(1.0, 2.0, sizes.shape)
    return np.asarray(lengths * np.where(sizes > 0, sizes, largest))
