"""Counts of wrong verdicts with their confidence, as tables."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from symback.check.reports.report import text_table

from .asking import CORRECT, ERROR, FAILED, NOT_TAKEN, PASSED, UNDECIDED, Outcome

CONFIDENCE = 0.95


class Rate(NamedTuple):
    """A number of cases of a number of trials, with the interval of Clopper and Pearson.

    C. J. Clopper, E. S. Pearson, *The use of confidence or fiducial limits illustrated in the case of the binomial*,
    Biometrika 26, 1934.
    """

    found: int
    of: int

    @property
    def interval(self) -> tuple[float, float]:
        """The interval that covers the true rate with a confidence of 95 %."""
        from scipy.special import betaincinv  # the quantile of the beta distribution

        tail = (1 - CONFIDENCE) / 2
        low = float(betaincinv(self.found, self.of - self.found + 1, tail)) if self.found else 0.0
        high = float(betaincinv(self.found + 1, self.of - self.found, 1 - tail)) if self.found < self.of else 1.0
        return low, high

    def __str__(self) -> str:
        if not self.of:
            return "-"
        low, high = self.interval
        return f"{self.found} of {self.of} ({100 * low:.2f} to {100 * high:.2f} %)"


def rate(outcomes: Sequence[Outcome], is_one: Callable[[Outcome], bool]) -> Rate:
    """Count the outcomes that are so."""
    return Rate(sum(map(is_one, outcomes)), len(outcomes))


HEADER = (
    "", "wrong gradients passed", "undecided", "smaller than float32 shows", "right gradients failed", "undecided",
)  # fmt: skip


def table(outcomes: Sequence[Outcome], by: Callable[[Outcome], str], *, total: bool = True) -> str:
    """Return the rates in a table with a row for each group, in order of appearance, and one for all together."""
    taken = [o for o in outcomes if o.verdict != NOT_TAKEN]
    groups: dict[str, list[Outcome]] = {}
    for outcome in taken:
        groups.setdefault(by(outcome), []).append(outcome)
    rows = [_row(name, found) for name, found in groups.items()]
    return text_table(HEADER, [*rows, _row("all", taken)] if total and len(rows) > 1 else rows)


def _row(name: str, outcomes: Iterable[Outcome]) -> tuple[str, ...]:
    listed = list(outcomes)
    wrong, right = [o for o in listed if o.kind != CORRECT], [o for o in listed if o.kind == CORRECT]
    below = [o for o in wrong if o.verdict == PASSED and not o.is_wrong]
    return (
        name, str(rate(wrong, lambda o: o.is_wrong)), str(rate(wrong, lambda o: o.verdict == UNDECIDED)),
        str(len(below)), str(rate(right, lambda o: o.is_wrong)), str(rate(right, lambda o: o.verdict == UNDECIDED)),
    )  # fmt: skip


def by_kind(outcomes: Sequence[Outcome]) -> str:
    """Return the wrong gradients alone, a row for each kind of mistake."""
    kinds: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        if outcome.kind != CORRECT:
            kinds.setdefault(outcome.kind, []).append(outcome)
    rows = [
        (kind, str(rate(found, lambda o: o.is_wrong)), str(rate(found, lambda o: o.verdict == UNDECIDED)),
         str(rate(found, lambda o: o.verdict == FAILED)))
        for kind, found in sorted(kinds.items())
    ]  # fmt: skip
    return text_table(("mistake", "passed", "undecided", "failed"), rows)


def listed(outcomes: Iterable[Outcome], verdicts: Sequence[str] = ()) -> str:
    """Return a line for each wrong verdict, and for each of `verdicts`: what repeats it, and what it is about."""
    lines = []
    for o in outcomes:
        if o.is_wrong or o.verdict in verdicts:
            detail = f": {o.detail}" if o.verdict == ERROR else ""
            lines.append(f"{o.again}  {o.verdict}  {o.kind} ({o.change:.1e}, sees {o.sees:.1e})  {o.source}{detail}")
    return "\n".join(lines)
