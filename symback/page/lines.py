"""Lines of displayed equations: a chain is broken at its signs of equality, and a side as `breaking` says."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from symback.page.blocks import Equation
from symback.page.breaking import INDENT, broken
from symback.page.measure import width
from symback.page.words import wrapped

ROOM = 31.0
"""How wide a line may be, in em: the text of a page of LaTeX's class ``article`` is 32.5 to 34.5 em wide."""
_MOST_LEFT = 12.0
_EQUAL = 1.6
_LONGEST_REASON = 60


class Line(NamedTuple):
    """A line of an aligned display.

    Attributes:
        left: LaTeX before the place of alignment; empty on lines that go on.
        right: LaTeX behind it, from the sign of equality on.
        reason: Why it holds, in words, with inline mathematics between dollar signs.
    """

    left: str
    right: str
    reason: str = ""


def lines_of(equation: Equation, room: float = ROOM) -> list[Line]:
    """Return the lines of an equation, those of its auxiliary names first.

    Args:
        equation: A chain of equalities.
        room: How wide a line may be, in em.
    """
    lines = [line for name, value in equation.where for line in _sides(name.text, [value.text], [""], room)]
    reasons = [*equation.reasons, *[""] * (len(equation.sides) - len(equation.reasons))]
    lines += _sides(equation.left.text, [side.text for side in equation.sides], reasons, room)
    if equation.note:
        last = lines[-1]
        lines[-1] = last._replace(reason=f"{last.reason}; {equation.note}" if last.reason else equation.note)
    return lines


def reasons_of(line: Line) -> tuple[str, list[str]]:
    """Return the reason that stands beside a line, in parentheses, and one too long for that as lines of its own."""
    if not line.reason:
        return "", []
    pieces = wrapped(f"({line.reason})", _LONGEST_REASON)
    return (pieces[0], []) if len(pieces) == 1 else ("", pieces)


def room_behind(equations: Iterable[Equation], room: float = ROOM) -> float:
    """Return how much room the left sides of equations leave that are aligned with one another."""
    lefts = [left.text for equation in equations for left in (equation.left, *(name for name, _ in equation.where))]
    widths = [found for left in lefts if (found := width(left)) <= _MOST_LEFT]
    return room - max(widths, default=0.0)


def _sides(left: str, sides: Sequence[str], reasons: Sequence[str], room: float) -> list[Line]:
    """Write a chain; a side with a reason ends its line, as does one behind which the next has no room."""
    lines: list[Line] = []
    if width(left) > _MOST_LEFT:
        first, *others = broken(left, room)
        lines += [Line("", first), *(Line("", rf"\quad {{}} {other}") for other in others)]
        left = ""
    text, used = "", 0.0
    for side, reason in zip(sides, reasons, strict=True):
        first, *others = broken(side, room - _EQUAL - INDENT * bool(text == "" and lines))
        needed = width(first) + _EQUAL
        if text and (others or used + needed > room):
            lines.append(Line(left, text))
            left, text, used = "", "", 0.0
        text, used = f"{text} = {first}".lstrip(), used + needed
        for other in others:
            lines.append(Line(left, text))
            left, text, used = "", rf"\quad {{}} {other}", INDENT + width(other)
        if reason or others:
            lines.append(Line(left, text, reason))
            left, text, used = "", "", 0.0
    if text or left:
        lines.append(Line(left, text))
    return lines
