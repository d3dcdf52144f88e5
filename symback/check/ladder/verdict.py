"""From comparisons to a row of the report: what was found, what it could have seen, and the verdict."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from symback.check.ladder.subject import Array, Subject
from symback.check.reports.gradient_report import Entry, GradientRow
from symback.nodes.dtypes import is_float

WORST = 5
"""How many entries a row shows."""

_NOTES = 3


class Comparison(NamedTuple):
    """A claimed derivative along a line beside its reference.

    Attributes:
        place: The entry or the direction; empty for what stands for many, and is not shown.
        gradient: What is claimed.
        reference: What the method says.
        uncertainty: The error that the reference may have.
        allowance: What rounding explains of the claimed value.
        weight: How far the line moves each entry: an error of one entry is multiplied by it. 0 if it moves some only.
        note: What else is to be said.
        alone: Whether one entry moves.
        steepest: The size of the steeper slope at a kink.
    """

    place: str
    gradient: float
    reference: float
    uncertainty: float
    allowance: float = 0.0
    weight: float = 1.0
    note: str = ""
    alone: bool = False
    steepest: float = 0.0

    @property
    def error(self) -> float:
        """The difference of the two."""
        return 0.0 if self.gradient == self.reference else abs(self.gradient - self.reference)

    @property
    def bound(self) -> float:
        """The error that says nothing; without a reference, any."""
        return float("inf") if np.isnan(self.reference) else self.uncertainty + self.allowance

    @property
    def fails(self) -> bool:
        """Whether the two differ for certain; a claim that is not finite beside a derivative that is does."""
        if not np.isfinite(self.bound):
            return False
        return not self.error <= self.bound

    @property
    def excess(self) -> float:
        """The error in parts of what says nothing."""
        if self.error == 0:
            return 0.0
        return self.error / self.bound if self.bound > 0 and self.error == self.error else float("inf")


def row_of(
    subject: Subject,
    method: str,
    along: str,
    found: Sequence[Comparison],
    *,
    numbers: "Numbers | None" = None,
    checked: int | None = None,
    note: str = "",
    floor: float = 0.0,
) -> GradientRow:
    """Return the row of one variable by a method.

    Args:
        subject: The variable.
        method: Its name.
        along: Whether entries or directions were compared.
        found: The comparisons that carry the verdict.
        numbers: The claimed numbers beside exact ones entry by entry, where they are known: for information.
        checked: How many were compared, if not as many as found.
        note: What is to be said besides what the comparisons say.
        floor: The least that a derivative is measured by: where all are zero there is no largest one.
    """
    slopes = [abs(c.reference) / c.weight for c in found if c.weight and np.isfinite(c.reference)]
    scale = max([floor, subject.scale, *slopes, *(c.steepest for c in found)])
    telling = [c for c in found if c.alone == (along == "entries") or not c.place]
    sees = _sees(telling, along, scale) if found else 0.0
    verdict = "failed" if any(c.fails for c in found) else "passed" if sees <= subject.resolution else "undecided"
    worst = sorted([c for c in found if c.place], key=lambda c: (c.fails, c.alone, c.excess), reverse=True)
    seen = _Lines(found, worst, scale) if numbers is None or verdict == "failed" else numbers
    largest = seen.largest
    return GradientRow(
        name=subject.name, shape=subject.shape, dtype=str(subject.dtype if numbers is None else numbers.dtype),
        method=method, along=along, checked=len(found) if checked is None else checked,
        max_abs_error=largest, max_rel_error=largest / scale if scale else largest, max_ulps=seen.max_ulps,
        uncertainty=max((c.uncertainty for c in found), default=0.0), sees=sees, worst=tuple(seen.worst()[:WORST]),
        verdict=verdict, note=_notes([note, *(c.note for c in worst)]), spread=tuple(seen.spread),
    )  # fmt: skip


def _notes(notes: Sequence[str]) -> str:
    """Join what is to be said, each once, and not too much of it."""
    said = list(dict.fromkeys(filter(None, notes)))
    more = [f"and {len(said) - _NOTES} more like these"] if len(said) > _NOTES else []
    return "; ".join(said[:_NOTES] + more)


class _Lines:
    """The errors along lines, where there are no exact numbers to show."""

    max_ulps = None

    def __init__(self, found: Sequence[Comparison], worst: Sequence[Comparison], scale: float) -> None:
        errors = [c.error / c.weight for c in found if c.weight]
        self.largest = float(np.max(errors, initial=0.0))
        self.spread = [error / scale if scale else error for error in errors]
        self._worst = worst

    def worst(self) -> list[Entry]:
        """Return them, the worst first."""
        return [_entry(c) for c in self._worst]


def _sees(found: Sequence[Comparison], along: str, scale: float) -> float:
    """Return the smallest error of an entry, in parts of the scale, that goes beyond what says nothing.

    Each entry must be seen by itself; a direction sees all of them, so the best direction counts.
    """
    bounds = [c.bound / c.weight if np.isfinite(c.bound) else float("inf") for c in found if c.weight]
    if not bounds:
        return float("inf")
    bound = max(bounds) if along == "entries" else min(bounds)
    if bound == 0:
        return 0.0
    return bound / scale if scale else float("inf")


def _entry(c: Comparison) -> Entry:
    return Entry(
        place=c.place, gradient=c.gradient, reference=c.reference, uncertainty=c.bound, error=c.error, ulps=None
    )


class Numbers:
    """Claimed numbers beside exact ones, entry by entry."""

    def __init__(self, claimed: Array, exact: Any, bound: float) -> None:
        """Take the numbers as they were computed, and the same in many digits."""
        self.dtype = claimed.dtype if is_float(np.asarray(claimed).dtype) else np.dtype(np.float64)
        pairs = [(float(a), b) for a, b in zip(np.ravel(claimed), np.ravel(exact), strict=True)]
        self._shape = np.shape(claimed)
        self.values = np.array([a for a, _ in pairs])
        self.exact = np.array([float(b) for _, b in pairs])
        self.errors = np.array([_distance(a, b) for a, b in pairs])
        self._spacing = np.spacing(np.abs(self.exact).astype(self.dtype)).astype(np.float64)
        self._bound = bound

    def accept(self, place: Any) -> None:
        """Take the claimed number for right: at a kink each value between the slopes is."""
        self.exact[place], self.errors[place] = self.values[place], 0.0

    @property
    def largest(self) -> float:
        """The largest error; NaN if one is."""
        return float(np.max(self.errors, initial=0.0))

    @property
    def ulps(self) -> Any:
        """The errors in units in the last place."""
        with np.errstate(all="ignore"):
            return np.where(self.errors == 0, 0.0, self.errors / self._spacing)

    @property
    def max_ulps(self) -> float:
        """The largest of them."""
        return float(np.max(self.ulps, initial=0.0))

    @property
    def spread(self) -> list[float]:
        """All of them."""
        return [float(u) for u in self.ulps[:10_000]]

    def worst(self) -> list[Entry]:
        """Return the entries with the largest errors."""
        order = np.argsort(-np.nan_to_num(self.errors, nan=np.inf), kind="stable")[:WORST]
        return [
            Entry(
                place=place_of(np.unravel_index(int(k), self._shape)) if self._shape else place_of(()),
                gradient=float(self.values[k]), reference=float(self.exact[k]), uncertainty=self._bound,
                error=float(self.errors[k]), ulps=float(self.ulps[k]),
            )
            for k in order
        ]  # fmt: skip


def _distance(claimed: float, exact: Any) -> float:
    if np.isfinite(claimed):
        return float(abs(exact - claimed))
    return 0.0 if claimed == float(exact) else float("nan")


def place_of(index: Any) -> str:
    """Write the place of an entry."""
    return f"[{', '.join(str(int(k)) for k in index)}]" if len(index) else "the value"
