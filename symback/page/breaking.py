r"""Formulas broken into lines: at sums, at products, between factors, and inside of parts that are too wide alone.

A break stands before the sign of an operation, as in print. Between ``\left(`` and ``\right)`` nothing can be broken,
so a fence that is broken gets parentheses of a fixed size, and a fraction that is too wide is written with a slash.
What cannot be spread over lines, such as a root, gets lines inside; a wide matrix is transposed, or set small.
"""

import re
from collections.abc import Callable, Sequence

from symback.page.markup import parse
from symback.page.measure import height, width
from symback.page.tree import Accent, Fence, Fraction, Part, Root, Row, Scripts, Sign, Table, sign_of

INDENT = 2.0
"""How far lines that go on are moved to the right, in em."""
_NARROWEST = 8.0
_BODY = re.compile(r"^\\begin\{bmatrix\}|\\end\{bmatrix\}$")
_SIZES = ("", r"\big", r"\Big", r"\bigg")
_RIGHT = re.compile(r"\s*\\right\s*(\\[A-Za-z]+|\\.|.)")
_FIXED = {"(": "(", "[": "[", "⟨": r"\langle ", ")": ")", "]": "]", "⟩": r"\rangle "}


def broken(text: str, room: float) -> list[str]:
    """Break a formula into pieces no wider than `room`, as far as it has places for breaks."""
    if width(text) <= room:
        return [text]
    row = parse(text)
    for places, sign in (
        (_wide_spaces(row), ""),
        (_sums(row), ""),
        (_products(row), ""),
        (_factors(row), r"\cdot "),
        (_inside(row), ""),
    ):
        if places:
            ends = [*places, len(text)]
            return _filled([text[a:b].strip() for a, b in zip([0, *places], ends, strict=True)], room, sign)
    return _opened(text, row, room)


def _filled(pieces: Sequence[str], room: float, sign: str) -> list[str]:
    """Fill lines with pieces, those broken further that are too wide alone; `sign` begins each line but the first."""
    lines = [""]
    for piece in pieces:
        most = room - INDENT * (len(lines) > 1)
        together = f"{lines[-1]} {piece}".strip()
        if width(together) <= most:
            lines[-1] = together
            continue
        led = sign + piece if lines[-1] else piece
        parts = [led] if width(led) <= room - INDENT else _led(led, room - INDENT)
        lines = [*lines, *parts] if lines[-1] else parts
    return lines


def _led(piece: str, room: float) -> list[str]:
    """Break a piece behind the sign it begins with, which stays with its first part."""
    row = parse(piece)
    first = row.parts[0] if row.parts else None
    if not (isinstance(first, Sign) and first.kind in ("prefix", "operator", "relation")):
        return broken(piece, room)
    end = row.spans[0][1]
    before, *others = broken(piece[end:].strip(), room - width(piece[:end]) - 1)
    return [f"{piece[:end]} {before}", *others]


def _wide_spaces(row: Row) -> list[int]:
    parts = zip(row.parts, row.spans, strict=True)
    return [start for part, (start, _) in parts if part in (Sign("space", "quad"), Sign("space", "qquad")) and start]


def _sums(row: Row) -> list[int]:
    return _places(row, lambda part: part.kind in ("operator", "relation") and part.text in "+−=")


def _products(row: Row) -> list[int]:
    return _places(row, lambda part: part.kind in ("operator", "relation"))


def _inside(row: Row) -> list[int]:
    return _places(row, lambda part: part.kind in ("operator", "relation"), within=True)


def _places(row: Row, wanted: Callable[[Sign], bool], *, within: bool = False) -> list[int]:
    """Return where wanted signs stand outside of parentheses, or anywhere; none at the very beginning."""
    places, depth = [], 0
    for part, (start, _) in zip(row.parts, row.spans, strict=True):
        sign = sign_of(part)
        if sign is None:
            continue
        depth += (sign.kind == "open") - (sign.kind == "close")
        if start and (within or depth <= 0) and part == sign and wanted(sign):
            places.append(start)
    return places


def _factors(row: Row) -> list[int]:
    """Return the blanks between factors: not those behind a function, a sum or a sign."""
    places: list[int] = []
    before: Part | None = None
    depth = 0
    for part, (start, _) in zip(row.parts, row.spans, strict=True):
        if part != Sign("gap", ""):
            before, sign = part, sign_of(part)
            depth += (sign.kind == "open") - (sign.kind == "close") if sign else 0
        elif depth <= 0 and before is not None and not _waits(before):
            places.append(start)
    return places


def _waits(part: Part) -> bool:
    """Does a part wait for what it applies to?"""
    if isinstance(part, Fraction):
        return [sign for sign in part.top.parts if sign != Sign("gap", "")] == [Sign("prefix", "∂")]
    sign = sign_of(part)
    return sign is not None and (sign.kind in ("large", "prefix", "open") or _is_function(sign))


def _is_function(sign: Sign) -> bool:
    return sign.kind == "word" and sign.alphabet in ("operatorname", "limits")


# -- parts that have no place for a break of their own ---------------------------------------------------------------


def _opened(text: str, row: Row, room: float) -> list[str]:
    """Break inside the widest part that can be opened; what has none stays as it is."""
    parts = [(part, span) for part, span in zip(row.parts, row.spans, strict=True) if not isinstance(part, Sign)]
    if not parts:
        return [text]
    part, (start, end) = max(parts, key=lambda item: width(text[slice(*item[1])]))
    before, behind = text[:start], text[end:]
    if isinstance(part, Scripts) and part.base == Sign("letter", "e") and part.above and part.above.spans:
        return _opened_again(rf"{before}\exp\left({_source(text, part.above)}\right){behind}", room)
    if not _can_open(part):
        return [before + _within(text, part, (start, end), room - width(before) - width(behind)) + behind]
    most = room - width(before) - 2
    if isinstance(part, Fraction):
        lines = [*_enclosed(text, part.top, "", most), *_enclosed(text, part.bottom, "/ ", most)]
    else:
        lines = _unfenced(text, part, end, most)
    return [before + lines[0], *lines[1:-1], lines[-1] + behind] if len(lines) > 1 else [text]


def _opened_again(text: str, room: float) -> list[str]:
    return _opened(text, parse(text), room)


def _can_open(part: Part) -> bool:
    base = part.base if isinstance(part, Scripts) else part
    if isinstance(base, Fence):
        return base.left in _FIXED and base.right in _FIXED and bool(base.body.spans)
    return isinstance(part, Fraction) and bool(part.top.spans and part.bottom.spans)


def _unfenced(text: str, part: Part, end: int, room: float) -> list[str]:
    r"""Break between ``\left`` and ``\right``; what stands above and below the fence stays at its end."""
    fence = part.base if isinstance(part, Scripts) else part
    assert isinstance(fence, Fence)
    behind = _RIGHT.sub("", text[fence.body.spans[-1][1] : end], count=1)
    first, *others = _enclosed(text, fence.body, "", room, (fence.left, fence.right))
    return [first, *others[:-1], others[-1] + behind] if others else [first]


def _enclosed(text: str, row: Row, sign: str, room: float, pair: tuple[str, str] = ("(", ")")) -> list[str]:
    """Break a part of a formula and put delimiters of a fixed size around it."""
    first, *others = broken(_source(text, row), room)
    size = _SIZES[height(row.parts)]
    left, right = (f"{size}{side}{_FIXED[delimiter]}" for side, delimiter in zip(_sides_of(size), pair, strict=True))
    lines = [f"{sign}{left} {first}", *others]
    return [*lines[:-1], f"{lines[-1]} {right}"]


def _sides_of(size: str) -> tuple[str, str]:
    return ("l", "r") if size else ("", "")


# -- parts that get lines inside ------------------------------------------------------------------------------------


def _within(text: str, part: Part, span: tuple[int, int], room: float) -> str:
    """Return a part that cannot be spread over lines in a narrower form, if there is one."""
    own = text[slice(*span)]
    if isinstance(part, Table) and part.name == "bmatrix":
        return _narrow(own, part, room)
    rows = [row for row in _rows(part) if row.spans]
    if not rows:
        return own
    row = max(rows, key=lambda row: width(_source(text, row)))
    inner = _source(text, row)
    lines = broken(inner, max(room - width(own) + width(inner), _NARROWEST))
    start = row.spans[0][0] - span[0]
    return own[:start] + _stacked(lines) + own[start + len(inner) :]


def _source(text: str, row: Row) -> str:
    return text[row.spans[0][0] : row.spans[-1][1]]


def _rows(part: Part) -> list[Row]:
    """Return the rows directly inside of a part."""
    match part:
        case Root() | Accent() | Fence():
            return [part.body]
        case Row():
            return [part]
        case Table():
            return [cell for row in part.rows for cell in row]
        case Scripts():
            return _rows(part.base)
        case _:
            return []


def _stacked(lines: Sequence[str]) -> str:
    """Put lines one below the other, as one part of a formula."""
    if len(lines) == 1:
        return lines[0]
    return r"\begin{aligned} & " + r" \\ & \quad {} ".join(lines) + r" \end{aligned}"


def _narrow(text: str, table: Table, room: float) -> str:
    """Write a wide matrix as the transpose of a tall one, small if that is still too wide."""
    cells = [[cell.strip() for cell in row.split("&")] for row in _BODY.sub("", text).split(r"\\")]
    sign = ""
    if len(cells[0]) > len(cells) and all(len(row) == len(cells[0]) for row in cells):
        cells, sign = [list(column) for column in zip(*cells, strict=True)], r"^{\top}"
    rows = r" \\ ".join(" & ".join(row) for row in cells)
    tall = rf"\begin{{bmatrix}} {rows} \end{{bmatrix}}{sign}"
    small = rf"\left[\begin{{smallmatrix}} {rows} \end{{smallmatrix}}\right]{sign}"
    return tall if width(tall) <= room else small
