"""What `verify` returns: hazards, kinks, and what the outputs can be, as a table."""

import html
import textwrap
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import zip_longest
from typing import Any

import numpy as np

from symback.check.domain.interval import show
from symback.check.domain.kinks import Kink
from symback.check.domain.witness import Witness
from symback.check.reports.report import html_table

_SCALES = {
    "ordinary": "",
    "empty": "only where an axis has no entries",
    "extreme": "only with numbers of extreme size",
}


@dataclass(frozen=True, kw_only=True)
class Hazard:
    """A node at which NaN or an infinity can arise of operands that are as they should be.

    Attributes:
        node: The node, by name or in short form.
        operation: The operation it applies.
        outcome: What comes out: ``"NaN"``, ``"inf"``, ``"-inf"``, or several of them.
        when: For which operands.
        argument: Between which bounds its operands lie.
        certainty: ``"can"``: nothing is known that rules it out; ``"does"``: at `witness`; ``"always"``.
        scale: ``"ordinary"``; ``"empty"``: only where an axis has no entries; ``"extreme"``: only with numbers beyond
            1000 or closer to 0 than 1/1000 where the domain leaves that open, or sizes beyond 1000.
        reaches: Whether an output can be NaN or infinite by it; if not, it is made good of on the way.
        derivative: Whether it is part of the derivatives only.
        cure: What helps.
        witness: A point at which it happens; None if the search found none.
    """

    node: str
    operation: str
    outcome: str
    when: str
    argument: str
    certainty: str
    scale: str
    reaches: bool
    derivative: bool
    cure: str
    witness: Witness | None = None


@dataclass(frozen=True, kw_only=True)
class OutputRange:
    """What an output can be: bounds of its finite values, and whether it can be NaN or infinite."""

    name: str
    low: float
    high: float
    nan: bool
    infinite: bool

    def __str__(self) -> str:
        kinds = ["NaN or infinite"] if self.nan and self.infinite else ["NaN"] * self.nan + ["infinite"] * self.infinite
        bounds = f"in [{show(self.low)}, {show(self.high)}]" if self.low <= self.high else "never finite"
        return f"{self.name} {bounds}, {f'can be {chr(32).join(kinds)}' if kinds else 'always a finite number'}"


@dataclass(frozen=True)
class DomainReport:
    """Where a graph can come out as NaN or infinite, and which kinks it has; `str` is a table.

    Attributes:
        domain: For each variable, and each size that was given, the interval that was assumed, as text.
        outputs: What each output can be.
        hazards: Where NaN or an infinity can arise: those at ordinary numbers first.
        kinks: Where there is no derivative, and the convention there.
        as_written: Whether the graph was taken as written, and not as it is emitted.
    """

    domain: dict[str, str]
    outputs: tuple[OutputRange, ...]
    hazards: tuple[Hazard, ...]
    kinks: tuple[Kink, ...]
    as_written: bool = False

    @property
    def safe(self) -> bool:
        """Is every output a finite number wherever the variables lie in the domain, rounding apart?"""
        return not any(hazard.reaches for hazard in self.hazards)

    @property
    def safe_for_ordinary_numbers(self) -> bool:
        """Is it so where numbers are of ordinary size and no axis is empty?"""
        return not any(hazard.reaches and hazard.scale == "ordinary" for hazard in self.hazards)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain data, which JSON can write."""
        return {
            "safe": self.safe,
            "safe_for_ordinary_numbers": self.safe_for_ordinary_numbers,
            "as_written": self.as_written,
            "domain": dict(self.domain),
            "outputs": [
                {**asdict(output), "low": _plain(output.low), "high": _plain(output.high)} for output in self.outputs
            ],
            "hazards": [_hazard_dict(hazard) for hazard in self.hazards],
            "kinks": [kink._asdict() for kink in self.kinks],
        }

    def __str__(self) -> str:
        lines = [self._verdict(), *(f"  {output}" for output in self.outputs)]
        if self.domain:
            lines.append("for " + "; ".join(f"{name} in {text}" for name, text in self.domain.items()))
        for scale, title in _SCALES.items():
            rows = [_cells(hazard) for hazard in self.hazards if hazard.scale == scale]
            if rows:
                lines += ["", f"hazards{f', {title}' if title else ''}", *_blocks(rows[:_MOST])]
                lines += _left(rows, "hazards")
        if self.kinks:
            lines += ["", "kinks", *_blocks([_kink_cells(kink) for kink in self.kinks[:_MOST]])]
            lines += _left(self.kinks, "kinks")
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        parts = [f"<p>{html.escape(self._verdict())}</p>"]
        parts += [f"<p>{html.escape(str(output))}</p>" for output in self.outputs]
        for scale, title in _SCALES.items():
            rows = [_cells(hazard) for hazard in self.hazards if hazard.scale == scale]
            if rows:
                parts.append(html_table(f"hazards{f', {title}' if title else ''}", _HEADER, rows))
        if self.kinks:
            parts.append(
                html_table("kinks", ("node", "at", "derivative there"), [_kink_cells(kink) for kink in self.kinks])
            )
        return "".join(parts)

    def _verdict(self) -> str:
        of = "the graph as written" if self.as_written else "the code that is emitted"
        if self.safe:
            absorbed = f"; {len(self.hazards)} on the way reach no output" if self.hazards else ""
            return f"verify: no NaN and no infinity comes out of {of}{absorbed}"
        if self.safe_for_ordinary_numbers:
            return f"verify: no NaN and no infinity at ordinary numbers comes out of {of}; elsewhere {self._count()}"
        return f"verify: NaN or an infinity can come out of {of}: {self._count()}"

    def _count(self) -> str:
        return f"{len(self.hazards)} hazard{'s' if len(self.hazards) > 1 else ''}"


def _left(rows: Sequence[object], name: str) -> list[str]:
    """Say how many rows are not printed."""
    return [f"and {len(rows) - _MOST} more, in report.{name}"] if len(rows) > _MOST else []


def _blocks(rows: Sequence[Sequence[str]]) -> list[str]:
    """Write each row as a block: what it is about to the left, beside it the other cells one below the other."""
    width = min(max(len(row[0]) for row in rows), _WIDEST)
    lines: list[str] = []
    for first, *rest in rows:
        beside = [
            line for cell in rest if cell for line in textwrap.wrap(cell, _LINE - width - 2, subsequent_indent="  ")
        ]
        names = textwrap.wrap(first, width, break_on_hyphens=False) or [""]
        for name, text in zip_longest(names, beside, fillvalue=""):
            lines.append(f"{name.ljust(width)}  {text}".rstrip())
    return lines


_WIDEST, _LINE = 32, 110
_MOST = 20
"""How many rows of a kind are printed: one cause at the start of a deep graph goes wrong in every layer."""
_HEADER = ("node", "what happens", "how sure", "cure")


def _cells(hazard: Hazard) -> tuple[str, ...]:
    sure = f"{hazard.certainty} happen" if hazard.certainty == "can" else "happens always"
    if hazard.witness is not None:
        sure = f"{'happens' if hazard.certainty == 'does' else sure}, at {hazard.witness}"
    where = " (derivative)" if hazard.derivative else ""
    reach = "" if hazard.reaches else "; reaches no output"
    argument = f" ({hazard.argument})" if hazard.argument else ""
    return hazard.node + where, hazard.when + argument + reach, sure, f"cure: {hazard.cure}"


def _kink_cells(kink: Kink) -> tuple[str, ...]:
    return kink.node, kink.where, kink.convention


def _hazard_dict(hazard: Hazard) -> dict[str, Any]:
    found = {name: getattr(hazard, name) for name in hazard.__dataclass_fields__ if name != "witness"}
    witness = hazard.witness
    if witness is None:
        return {**found, "witness": None}
    return {**found, "witness": {**{n: _plain(v) for n, v in witness.point.items()}, **witness.sizes}}


def _plain(value: Any) -> Any:
    """Return numbers as JSON has them: what is not finite as text."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    return str(value) if isinstance(value, float) and not np.isfinite(value) else value
