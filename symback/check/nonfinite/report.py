"""What `nan_trace` has found; it prints as the guilty line with a caret under the guilty expression."""

import html
from dataclasses import asdict, dataclass
from typing import Any

from symback.check.reports.report import html_table, text_table
from symback.errors.words import show_shape

UNINITIALISED = "uninitialised"

KINDS = {
    "invalid": "NaN out of finite numbers: the operation is not defined there",
    "division": "division by zero, or a pole: the result is infinite there",
    "overflow": "overflow: the result is larger than its dtype can hold",
    "input": "not finite already in the inputs",
    "constant": "not finite already where it comes from, outside of what is watched",
    UNINITIALISED: "memory that was never filled",
    "made": "made inside of a call that is not watched",
}
"""What can be the matter, in words."""


@dataclass(frozen=True, kw_only=True)
class Operand:
    """An operand of the operation that made a non-finite value.

    Attributes:
        text: How the code writes it.
        shape: Its shape.
        dtype: Its dtype.
        low: Its least entry; None if it is empty.
        high: Its largest entry.
        value: What stands where the result is not finite; None where its entries do not belong to those of the result.
        source: The entry of an input that this is: ``x[20000]``; else empty.
    """

    text: str
    shape: tuple[int, ...]
    dtype: str
    low: float | None
    high: float | None
    value: float | None
    source: str


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened at a place in the code.

    Attributes:
        function: The function it happened in.
        filename: Its file.
        line: The number of the line.
        text: The expression.
        lines: The numbered lines that it stands in, each with a line of carets below.
    """

    function: str
    filename: str
    line: int
    text: str
    lines: tuple[str, ...]


@dataclass(kw_only=True, eq=False)
class Origin:
    """A non-finite value that did not come from another one.

    Attributes:
        kind: ``"invalid"`` (NaN), ``"division"`` (also a pole, as log of 0), ``"overflow"``; or ``"input"``,
            ``"constant"`` (a global, a literal), ``"uninitialised"``, ``"made"`` for what was not finite before.
        name: The name the value is assigned to, if the expression is all that is assigned; else the expression.
        event: Where it was made; None for inputs.
        index: The first entry that is not finite.
        nan: How many entries are NaN.
        infinite: How many are infinite.
        size: How many there are.
        operands: What it was made of.
        times: How often the place made such values: more than once in a loop.
        became_nan: Where an infinity became NaN.
        dropped: Where an operation did not take the value: a `where` whose other branch holds.
    """

    kind: str
    name: str
    event: Event | None = None
    index: tuple[int, ...] = ()
    nan: int = 0
    infinite: int = 0
    size: int = 1
    operands: tuple[Operand, ...] = ()
    times: int = 1
    became_nan: Event | None = None
    dropped: Event | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain Python values."""
        return asdict(self)

    def counted(self) -> str:
        """Say how many entries are not finite, and where the first is."""
        again = f", and {self.times - 1:,} times more" if self.times > 1 else ""
        kinds = [f"{count} {word}" for count, word in ((self.nan, "NaN"), (self.infinite, "infinite")) if count]
        if not kinds:
            return "no result"
        if self.size == 1 and not self.index:
            return ("NaN" if self.nan else "infinite") + again
        first = f"[{', '.join(map(str, self.index))}]"
        return f"{' and '.join(kinds)} of {self.size:,} entries, the first at {first}{again}"


@dataclass(frozen=True, kw_only=True)
class NanTrace:
    """Where the non-finite values in the results of a function come from; prints as the line that made the first.

    Attributes:
        function: The name of the function.
        results: What it returned; None if it raised.
        error: What it raised, if anything.
        places: Where the results are not finite: ``result``, ``result[1]``.
        origins: What the non-finite entries of the results go back to, the first made first.
        harmless: Non-finite values that no result goes back to.
        note: What could not be watched, and why.
    """

    function: str
    results: Any
    error: str
    places: tuple[str, ...]
    origins: tuple[Origin, ...]
    harmless: tuple[Origin, ...]
    note: str = ""

    @property
    def found(self) -> bool:
        """Whether a result is not finite, or the function failed over a value that is not."""
        return bool(self.places or self.origins)

    @property
    def first(self) -> Origin | None:
        """The first node that made a non-finite value which a result goes back to."""
        return self.origins[0] if self.origins else None

    @property
    def kind(self) -> str | None:
        """What is the matter with it: see `Origin`."""
        return self.first.kind if self.first else None

    @property
    def name(self) -> str | None:
        """Its name, or the expression if it has none."""
        return self.first.name if self.first else None

    @property
    def line(self) -> int | None:
        """The number of its line in the source; None for an input."""
        return self.first.event.line if self.first and self.first.event else None

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain Python values, without the results."""
        return {
            "function": self.function, "found": self.found, "kind": self.kind, "name": self.name, "line": self.line,
            "error": self.error, "places": list(self.places), "note": self.note,
            "origins": [origin.to_dict() for origin in self.origins],
            "harmless": [origin.to_dict() for origin in self.harmless],
        }  # fmt: skip

    def __str__(self) -> str:
        parts = [self._headline(), *map(_described, self.origins[:1])]
        others = [f"  {_short(origin)}" for origin in self.origins[1:]]
        parts += ["\n".join(["also not finite, of its own:", *others])] if others else []
        if self.harmless:
            parts.append("\n".join(["in no result:", *(f"  {_short(origin)}" for origin in self.harmless)]))
        return "\n\n".join([*parts, self.note] if self.note else parts)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        first = self.first
        table = html_table("operands", _HEADER, _cells(first)) if first and first.operands else ""
        text = "\n\n".join([self._headline(), *([_described(first, table=False)] if first else [])])
        return f"<pre>{html.escape(text)}</pre>{table}"

    def _headline(self) -> str:
        if not self.found:
            return f"{self.function}: all results are finite"
        verb = "are" if len(self.places) > 1 else "is"
        what = f"raised {self.error}" if self.error else f"{', '.join(self.places)} {verb} not finite"
        first = self.first
        if first is None:
            return f"{self.function}: {what}"
        return f"{self.function}: {what}; {_where(first)}: {KINDS[first.kind]}"


_HEADER = ("operand", "shape", "dtype", "min", "max", "there", "")


def _where(origin: Origin) -> str:
    event = origin.event
    if origin.kind == "input" or event is None:
        return f"{'the input ' if origin.kind == 'input' else ''}{origin.name}"
    return f"{origin.name}, line {event.line}"


def _short(origin: Origin) -> str:
    dropped = origin.dropped
    end = f"; line {dropped.line} does not take it: {dropped.text}" if dropped else ""
    text = origin.event.text if origin.event else origin.name
    where = _where(origin) if text == origin.name else f"{text} in {_where(origin)}"
    return f"{where}: {origin.counted()} ({origin.kind}){end}"


def _described(origin: Origin, *, table: bool = True) -> str:
    """Write the line with carets, how many entries it concerns, and the operands."""
    event = origin.event
    head = list(event.lines) if event else []
    if event and not event.filename.startswith("<symback "):
        head.insert(0, f"{event.filename}, in {event.function}:")
    text = event.text if event else origin.name
    lines = [*head, f"{text}: {origin.counted()}"]
    if table and origin.operands:
        lines.append(text_table(_HEADER, _cells(origin)))
    if origin.became_nan:
        lines += [f"it becomes NaN in line {origin.became_nan.line}:", *origin.became_nan.lines]
    return "\n".join(lines)


def _cells(origin: Origin) -> list[list[str]]:
    def number(x: float | None) -> str:
        return "" if x is None else f"{x:.6g}"

    return [
        [x.text, show_shape(x.shape), x.dtype, number(x.low), number(x.high), number(x.value), x.source]
        for x in origin.operands
    ]
