"""Reports that print as tables."""

import html
import math
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np

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


def html_notes(lines: Sequence[str]) -> str:
    """Write lines below a table, escaped."""
    return f"<pre>{html.escape(chr(10).join(lines).strip(chr(10)))}</pre>" if lines else ""


def shortened(text: str, width: int) -> str:
    """Cut a text to a width, three dots at its end."""
    return text if len(text) <= width else text[: width - 3] + "..."


def ulps_text(ulps: float | None) -> str:
    """Write an error in units in the last place; a dash if it is not known."""
    return "-" if ulps is None else f"{ulps:.1f}" if ulps < 1e4 else f"{ulps:.0e}"


def plain(value: Any, without: Container[str] = ()) -> Any:
    """Return a value as JSON can hold it: tuples as lists, dataclasses as dicts, NaN and infinities as texts.

    Args:
        value: Numbers, texts, None, arrays, and nested tuples, lists, dicts and dataclasses of those.
        without: Fields of dataclasses that are left out.
    """
    if is_dataclass(value) or hasattr(value, "_fields"):
        names = [f.name for f in fields(value)] if is_dataclass(value) else value._fields
        return {name: plain(getattr(value, name), without) for name in names if name not in without}
    if isinstance(value, Mapping):
        return {str(key): plain(item, without) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item, without) for item in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return plain(value.tolist(), without)
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


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
