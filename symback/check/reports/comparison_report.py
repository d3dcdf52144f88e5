"""What a comparison of gradients has found: for each variable a column for each source, and who is right."""

from dataclasses import dataclass
from typing import Any

from symback.check.reports.report import html_notes, html_table, plain, shortened, text_table, ulps_text
from symback.errors import comparison as messages
from symback.errors.words import show_number, show_shape


@dataclass(frozen=True, kw_only=True)
class Column:
    """The gradient by one variable as one source has it, held against the reference.

    Attributes:
        name: The source.
        dtype: The dtype of its numbers.
        max_abs_error: The largest absolute difference from the reference.
        max_rel_error: The same in parts of the largest derivative by the variable.
        max_ulps: The same in units in the last place of its dtype; None if the reference does not have the digits.
        sees: The smallest error that would have been noticed, in parts of the largest derivative.
        verdict: ``"passed"``, ``"failed"`` or ``"undecided"``.
        note: What else is to be said, such as that the point is at a kink.
    """

    name: str
    dtype: str
    max_abs_error: float
    max_rel_error: float
    max_ulps: float | None
    sees: float
    verdict: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class SideBySide:
    """One entry as all sources have it.

    Attributes:
        place: The entry.
        values: What each column says.
        reference: What the reference says.
    """

    place: str
    values: tuple[float, ...]
    reference: float


@dataclass(frozen=True, kw_only=True)
class Compared:
    """The gradients by one variable.

    Attributes:
        name: The variable, or a few words for an intermediate node.
        shape: Its shape, sizes as integers.
        reference: What the columns are held against: ``"mpmath"`` (the derivative in 50 digits), or the method.
        columns: One for each source, symback's first.
        worst: The entries at which sources are furthest from the reference, the worst first.
    """

    name: str
    shape: tuple[int, ...]
    reference: str
    columns: tuple[Column, ...]
    worst: tuple[SideBySide, ...]

    def named(self, verdict: str) -> list[str]:
        """Return the names of the columns with a verdict."""
        return [column.name for column in self.columns if column.verdict == verdict]


@dataclass(frozen=True)
class ComparisonReport:
    """Gradients side by side; prints as tables.

    Attributes:
        variables: One for each variable.
    """

    variables: tuple[Compared, ...]

    @property
    def passed(self) -> bool:
        """Whether all columns are right."""
        return all(column.verdict == "passed" for each in self.variables for column in each.columns)

    @property
    def failed(self) -> bool:
        """Whether a column is wrong."""
        return any(each.named("failed") for each in self.variables)

    @property
    def wrong(self) -> dict[str, list[str]]:
        """From each column that is wrong to the variables by which it is."""
        found: dict[str, list[str]] = {}
        for each in self.variables:
            for name in each.named("failed"):
                found.setdefault(name, []).append(each.name)
        return found

    def raise_if_failed(self) -> None:
        """Raise at the first variable by which a column is wrong, or could not be judged.

        Raises:
            GradientMismatchError: Naming the columns that are wrong and those that are right, the worst entry and what
                each column has there.
            UndecidedError: If columns could not be judged, and none is wrong.
        """
        for each in self.variables:
            if wrong := each.named("failed"):
                columns = [column.name for column in each.columns]
                worst = each.worst[0] if each.worst else None
                raise messages.compared_wrong(each.name, wrong, each.named("passed"), worst, columns)
        for each in self.variables:
            if unknown := [column for column in each.columns if column.verdict != "passed"]:
                sees = max(column.sees for column in unknown)
                raise messages.compared_undecided(each.name, [column.name for column in unknown], sees)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain Python values, fit for JSON: NaN and infinities are the strings of `float`."""
        return {
            "passed": self.passed, "failed": self.failed, "wrong": self.wrong, "variables": plain(self.variables),
        }  # fmt: skip

    def __str__(self) -> str:
        return "\n".join([text_table(_HEADER, self._cells()), self._verdict(), *self._notes()])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return html_table(self._verdict(), _HEADER, self._cells()) + html_notes(self._notes())

    def _verdict(self) -> str:
        if self.passed:
            return "all gradients are right"
        lines = [f"WRONG: {name} by {', '.join(by)}" for name, by in self.wrong.items()]
        return "; ".join(lines) or "UNDECIDED: some gradients could not be judged"

    def _cells(self) -> list[list[str]]:
        return [
            [
                shortened(each.name, 24), show_shape(each.shape), column.name, column.dtype,
                f"{column.max_abs_error:.1e}", f"{column.max_rel_error:.1e}", ulps_text(column.max_ulps),
                each.reference,
                column.verdict if column.verdict == "passed" else column.verdict.upper(),
            ]
            for each in self.variables
            for column in each.columns
        ]  # fmt: skip

    def _notes(self) -> list[str]:
        lines = [
            f"{each.name} of {column.name}: {column.note}"
            for each in self.variables
            for column in each.columns
            if column.note
        ]
        for each in self.variables:
            if each.worst:
                header = ["at", *[column.name for column in each.columns], each.reference]
                cells = [[entry.place, *show_number(*entry.values, entry.reference)] for entry in each.worst]
                lines += ["", f"{each.name}, where they are furthest apart"]
                lines += ["  " + line for line in text_table(header, cells).splitlines()]
        return lines


_HEADER = ("variable", "shape", "column", "dtype", "max abs", "max rel", "ulp", "reference", "verdict")
