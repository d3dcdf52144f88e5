"""Reports that print as tables."""

import html
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from symback import errors


def text_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Align columns: the first to the left, the others to the right."""
    lines = [header, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]

    def write(line: Sequence[str]) -> str:
        first, *rest = zip(line, widths, strict=True)
        return "  ".join([first[0].ljust(first[1]), *[cell.rjust(width) for cell, width in rest]]).rstrip()

    return "\n".join([write(header), write(["-" * width for width in widths]), *map(write, rows)])


def html_table(caption: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write the same table in HTML."""

    def write(cells: Sequence[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    body = "".join(write(row, "td") for row in rows)
    return f"<table><caption>{html.escape(caption)}</caption>{write(header, 'th')}{body}</table>"


@dataclass(frozen=True, kw_only=True)
class GradientRow:
    """The comparison for one variable.

    Attributes:
        name: The variable, or a few words for an intermediate node.
        shape: Its shape, sizes as integers.
        checked: How many entries or directions were compared.
        along: ``"entries"`` or ``"directions"``.
        max_abs_error: The largest absolute difference between gradient and finite differences.
        max_rel_error: The same in parts of the largest derivative found.
        worst: The entry or direction that is furthest out, in parts of its tolerance.
        given: What the gradient says there.
        differences: What finite differences say there.
        tolerance: The error allowed there, from the error model of the differences.
        passed: Whether every entry is within its tolerance.
    """

    name: str
    shape: tuple[int, ...]
    checked: int
    along: str
    max_abs_error: float
    max_rel_error: float
    worst: str
    given: float
    differences: float
    tolerance: float
    passed: bool


@dataclass(frozen=True)
class GradientReport:
    """A gradient compared with finite differences; prints as a table.

    Attributes:
        rows: One for each variable.
    """

    rows: tuple[GradientRow, ...]

    @property
    def passed(self) -> bool:
        """Whether every entry of every gradient agrees."""
        return all(row.passed for row in self.rows)

    @property
    def max_error(self) -> float:
        """The largest error, in parts of the largest derivative by its variable."""
        return max((row.max_rel_error for row in self.rows), default=0.0)

    def raise_if_failed(self) -> None:
        """Raise at the first variable whose gradient disagrees.

        Raises:
            GradientMismatchError: Naming the variable, the worst entry and both values.
        """
        for row in self.rows:
            if not row.passed:
                raise errors.gradient_mismatch(row.name, row.worst, row.given, row.differences, row.tolerance)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain Python values."""
        return {"passed": self.passed, "max_error": self.max_error, "rows": [asdict(row) for row in self.rows]}

    def __str__(self) -> str:
        return f"{text_table(_HEADER, self._cells())}\n{self._verdict()}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return html_table(self._verdict(), _HEADER, self._cells())

    def _verdict(self) -> str:
        return f"gradient check {'passed' if self.passed else 'FAILED'}: largest relative error {self.max_error:.1e}"

    def _cells(self) -> list[list[str]]:
        return [
            [
                row.name, errors.show_shape(row.shape), f"{row.checked} {row.along}", f"{row.max_abs_error:.1e}",
                f"{row.max_rel_error:.1e}", row.worst, f"{row.given:.9g}", f"{row.differences:.9g}",
                f"{row.tolerance:.1e}", "ok" if row.passed else "FAILED",
            ]
            for row in self.rows
        ]  # fmt: skip


_HEADER = (
    "variable", "shape", "checked", "max abs error", "max rel error", "worst", "gradient", "differences",
    "tolerance", "",
)  # fmt: skip


@dataclass(frozen=True)
class CheckRow:
    """One check of a primitive on one case.

    Attributes:
        case: The dtype and the shapes of the operands.
        check: What was compared.
        error: The largest error found, in parts of the size of what was compared.
        tolerance: The error allowed.
    """

    case: str
    check: str
    error: float
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether the error is within the tolerance; NaN is not."""
        return self.error <= self.tolerance

    @property
    def excess(self) -> float:
        """The error in parts of the tolerance; infinite for NaN, or where no error is allowed."""
        if self.error == 0:
            return 0.0
        return self.error / self.tolerance if self.tolerance and self.error == self.error else float("inf")


@dataclass(frozen=True)
class PrimitiveReport:
    """The generic tests of one primitive; prints as a table of the largest error of each check.

    Attributes:
        name: The primitive.
        rows: One for each case and check.
    """

    name: str
    rows: tuple[CheckRow, ...]

    @property
    def passed(self) -> bool:
        """Whether every check passed on every case."""
        return all(row.passed for row in self.rows)

    def raise_if_failed(self) -> None:
        """Raise at the first check that failed.

        Raises:
            CheckFailedError: Naming the primitive, the case, the check and the error.
        """
        for row in self.rows:
            if not row.passed:
                detail = f"error {row.error:.3g}, tolerance {row.tolerance:.1e}"
                raise errors.check_failed(self.name, row.case, row.check, detail)

    def __str__(self) -> str:
        worst: dict[str, CheckRow] = {}
        count: dict[str, int] = {}
        for row in self.rows:
            count[row.check] = count.get(row.check, 0) + 1
            known = worst.setdefault(row.check, row)
            if row.excess > known.excess:
                worst[row.check] = row
        cells = [
            [
                check,
                str(count[check]),
                f"{row.error:.1e}",
                f"{row.tolerance:.1e}",
                row.case,
                "ok" if row.passed else "FAILED",
            ]
            for check, row in worst.items()
        ]
        header = ("check", "cases", "largest error", "tolerance", "at", "")
        return f"{self.name}\n{text_table(header, cells)}"

    __repr__ = __str__
