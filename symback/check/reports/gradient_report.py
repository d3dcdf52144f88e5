"""What a gradient check has found: rows for variables and methods, the worst entries, the first bad node, kinks."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from symback.check.reports.plots import Probe, figure_of
from symback.check.reports.report import html_notes, html_table, plain, shortened, text_table, ulps_text
from symback.errors import gradient_report as messages
from symback.errors.words import show_number, show_shape

VERDICTS = ("passed", "failed", "undecided", "not applicable")
"""What a row may say."""


_MOST_KINKS = 5
_MOST_TABLES = 4


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One entry, or one direction, of a gradient beside what it is held against.

    Attributes:
        place: Where it is: ``"[1, 0]"``, ``"direction 3"``, or the name of a variable without axes.
        gradient: What the gradient says there.
        reference: What the method says there.
        uncertainty: The error that the reference may have, with what rounding of the gradient explains.
        error: The absolute difference of the two.
        ulps: The same in units in the last place of the reference, in the dtype of the gradient; None if the
            reference does not have the digits to tell.
    """

    place: str
    gradient: float
    reference: float
    uncertainty: float
    error: float
    ulps: float | None


@dataclass(frozen=True, kw_only=True)
class GradientRow:
    """One variable, compared by one method.

    Attributes:
        name: The variable, or a few words for an intermediate node; two of them for a block of a Hessian.
        shape: Its shape, sizes as integers.
        dtype: The dtype of the numbers that were judged.
        method: The method: ``"mpmath"``, ``"five-point"``, ``"complex"``, ``"taylor"``, ...
        along: ``"entries"``, ``"directions"``, or empty if the method knows neither.
        checked: How many of them were compared.
        max_abs_error: The largest absolute difference between gradient and reference.
        max_rel_error: The same in parts of the largest derivative found.
        max_ulps: The same in units in the last place; None if the method does not have the digits to tell.
        uncertainty: The largest error of the reference, absolute.
        sees: The smallest error that would have been noticed, in parts of the largest derivative.
        worst: Up to five entries, the worst first.
        verdict: One of `VERDICTS`.
        note: What else is to be said: ``"at a kink of relu at z1"``, ``"not analytic: abs at z1"``.
        curve: Of the Taylor test: steps and remainders.
        spread: The error of each entry that was compared: in units in the last place if `max_ulps` is known, else
            in parts of the largest derivative. It is what the histogram shows.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    method: str
    along: str
    checked: int
    max_abs_error: float
    max_rel_error: float
    max_ulps: float | None
    uncertainty: float
    sees: float
    worst: tuple[Entry, ...]
    verdict: str
    note: str = ""
    curve: tuple[tuple[float, float], ...] = ()
    spread: tuple[float, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the gradient agrees, as far as the method was asked to tell."""
        return self.verdict == "passed"


class BadNode(NamedTuple):
    """The first node, from the loss downwards, at which adjoint and numbers part.

    Attributes:
        name: The node: its name, or a few words.
        consumer: The operation whose derivative rule is at fault, and where it stands: ``"swish in h3"``. Empty if
            several are possible.
        place: The entry or direction that shows it.
        gradient: What the adjoint says there.
        reference: What differences say there.
        uncertainty: Their error.
        note: What is known besides: how many nodes were looked at, which other nodes may be at fault.
    """

    name: str
    consumer: str
    place: str
    gradient: float
    reference: float
    uncertainty: float
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Kink:
    """A node whose function has no derivative at the point, or has none close by.

    Attributes:
        operation: The function: ``"relu"``, ``"max"``, ``"sort"``.
        name: The node whose value is on the kink, or close to it: its name, or a few words.
        entries: Up to five of the places: ``"[2]"``; empty for a number.
        count: How many there are.
        distance: How far the nearest is from the kink, in the units of the node's value; 0 on it.
        convention: What symback returns there, in words; empty if nothing is said about it.
    """

    operation: str
    name: str
    entries: tuple[str, ...]
    count: int
    distance: float
    convention: str


@dataclass(frozen=True)
class GradientReport:
    """A gradient compared with numbers; prints as a table.

    Attributes:
        rows: One for each variable and method.
        bad_node: Where the gradient goes wrong, if it does and the loss is a graph.
        kinks: The kinks that the point is on, or close to.
        order: 1 for gradients, 2 for second derivatives.
    """

    rows: tuple[GradientRow, ...]
    bad_node: BadNode | None = None
    kinks: tuple[Kink, ...] = ()
    order: int = 1
    _probe: Callable[[], Probe] | None = field(default=None, repr=False, compare=False)

    @property
    def passed(self) -> bool:
        """Whether every row passed, and every variable was judged by at least one method that applies to it."""
        judged = [row for row in self.rows if row.verdict != "not applicable"]
        return bool(judged) and all(row.passed for row in judged) and not self._unjudged()

    @property
    def failed(self) -> bool:
        """Whether a gradient is wrong."""
        return any(row.verdict == "failed" for row in self.rows)

    @property
    def undecided(self) -> bool:
        """Whether no gradient was found wrong, but some could not be told with the accuracy asked for."""
        return not self.passed and not self.failed

    @property
    def max_error(self) -> float:
        """The largest error, in parts of the largest derivative by its variable; NaN if one is NaN."""
        found = [row.max_rel_error for row in self.rows if row.verdict != "not applicable"]
        return math.nan if any(math.isnan(error) for error in found) else max(found, default=0.0)

    def raise_if_failed(self) -> None:
        """Raise if a gradient is wrong, or could not be judged.

        Raises:
            GradientMismatchError: Naming the variable, the worst entry, both values and the first bad node.
            UndecidedError: If the method cannot see what was asked of it; with what it can see and what to do.
        """
        for row in self.rows:
            if row.verdict == "failed":
                raise messages.mismatch(row, self.bad_node, self.kinks)
        if self.undecided:
            raise messages.undecided([row for row in self.rows if row.verdict == "undecided"], self._unjudged())

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain Python values, fit for JSON: NaN and infinities are the strings of `float`."""
        rows: list[dict[str, Any]] = plain(self.rows, without=("spread",))
        return {
            "verdict": self._word, "passed": self.passed, "order": self.order, "max_error": plain(self.max_error),
            "rows": rows, "bad_node": plain(self.bad_node), "kinks": plain(self.kinks),
        }  # fmt: skip

    def plot(self) -> Any:
        """Draw the errors of differences over their steps, a histogram of the errors, and the Taylor remainders.

        Returns:
            A figure of matplotlib.

        Raises:
            UsageError: If matplotlib is not installed; it comes with ``pip install 'symback[plot]'``.
        """
        return figure_of(self.rows, self._probe() if self._probe else None, self.order)

    def __str__(self) -> str:
        notes = "".join(f"\n{line}" for line in self._notes())
        return f"{text_table(_HEADER, self._cells())}\n{self._verdict()}{notes}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return html_table(self._verdict(), _HEADER, self._cells()) + html_notes(self._notes())

    def _unjudged(self) -> list[str]:
        """Return the variables to which no method applied."""
        judged = {row.name for row in self.rows if row.verdict != "not applicable"}
        return list(dict.fromkeys(row.name for row in self.rows if row.name not in judged))

    @property
    def _word(self) -> str:
        return "passed" if self.passed else "failed" if self.failed else "undecided"

    def _verdict(self) -> str:
        what = "gradient check" if self.order == 1 else "check of second derivatives"
        word = self._word if self.passed else self._word.upper()
        return f"{what} {word}: largest relative error {self.max_error:.1e}"

    def _cells(self) -> list[list[str]]:
        return [
            [
                shortened(row.name, 28), show_shape(row.shape), row.method, _counted(row),
                f"{row.max_abs_error:.1e}", f"{row.max_rel_error:.1e}", ulps_text(row.max_ulps),
                f"{row.sees:.0e}" if row.checked else "-", _shown(row.verdict),
            ]
            for row in self.rows
        ]  # fmt: skip

    def _notes(self) -> list[str]:
        """Write what does not fit into the table, a line each."""
        lines = [f"{row.name}: {row.note}" for row in self.rows if row.note]
        wrong = [row for row in self.rows if row.verdict in ("failed", "undecided") and row.worst]
        wrong.sort(key=lambda row: row.verdict != "failed")
        lines += [line for row in wrong[:_MOST_TABLES] for line in _worst_lines(row)]
        lines += [f"and those of {len(wrong) - _MOST_TABLES} more rows"] if len(wrong) > _MOST_TABLES else []
        if self.bad_node:
            lines += bad_node_lines(self.bad_node)
        lines += [kink_line(kink) for kink in self.kinks[:_MOST_KINKS]]
        more = len(self.kinks) - _MOST_KINKS
        return [*lines, f"and {more} more nodes at kinks"] if more > 0 else lines


_HEADER = ("variable", "shape", "method", "checked", "max abs", "max rel", "ulp", "sees", "verdict")


def _shown(verdict: str) -> str:
    return verdict.upper() if verdict in ("failed", "undecided") else verdict


def _counted(row: GradientRow) -> str:
    words = {"entries": "entry", "directions": "direction"}.get(row.along, "") if row.checked == 1 else row.along
    return f"{row.checked} {words}".strip()


def _worst_lines(row: GradientRow) -> Iterator[str]:
    """Write the worst entries of a row as a small table under a heading."""
    cells = []
    for entry in row.worst:
        gradient, reference = show_number(entry.gradient, entry.reference)
        cells.append([entry.place, gradient, reference, f"{entry.uncertainty:.0e}", ulps_text(entry.ulps)])
    yield ""
    yield f"worst of {row.name} by {row.method}" + (f" ({hint})" if (hint := messages.ratio_hint(row.worst)) else "")
    yield from ("  " + line for line in text_table(("at", "gradient", row.method, "+-", "ulp"), cells).splitlines())


def bad_node_lines(node: BadNode) -> list[str]:
    """Write where a gradient goes wrong."""
    gradient, reference = show_number(node.gradient, node.reference)
    rule = f"; the derivative rule at fault: {node.consumer}" if node.consumer else ""
    lines = ["", f"first bad node: {node.name}{rule}"]
    lines.append(f"  its adjoint at {node.place} is {gradient}, differences give {reference} +- {node.uncertainty:.0e}")
    return lines + ([f"  {node.note}"] if node.note else [])


def kink_line(kink: Kink) -> str:
    """Write where the point is on a kink, and what comes out there."""
    where = (
        f"at a kink of {kink.operation}"
        if kink.distance == 0
        else f"{kink.distance:.0e} from a kink of {kink.operation}"
    )
    more = f" and {kink.count - len(kink.entries)} more" if kink.count > len(kink.entries) else ""
    entries = f" {', '.join(kink.entries)}{more}" if kink.entries else ""
    return f"{where}: {kink.name}{entries}" + (f"; {kink.convention}" if kink.convention else "")
