"""How wide and how high a formula is printed, in em of the font, as TeX sets it in Computer Modern."""

from collections.abc import Sequence
from functools import lru_cache

from symback.page import signs
from symback.page.markup import parse
from symback.page.tree import Accent, Fence, Fraction, Part, Root, Row, Scripts, Sign, Table

_ITALIC = dict(
    zip(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (
            53, 43, 44, 53, 47, 60, 52, 58, 35, 47, 55, 32, 88, 61, 49, 51, 49, 48, 47, 37, 58, 53, 75, 58, 53, 52,
            75, 81, 79, 83, 80, 79, 79, 92, 52, 66, 93, 69, 108, 92, 80, 79, 80, 77, 68, 73, 80, 81, 109, 91, 81, 76,
        ),
        strict=True,
    )
)  # fmt: skip
"""Hundredths of an em, with the correction for slanted letters."""
_WORD, _LETTER, _DIGIT, _OTHER, _WIDE = 53, 62, 50, 78, 100
_OPERATOR_SPACE, _RELATION_SPACE, _THIN_SPACE = 45, 56, 17
_SCRIPT, _TINY = 0.78, 0.66
_LARGE = {"∑": 145, "∏": 128}


@lru_cache(maxsize=16384)
def width(latex: str) -> float:
    r"""Return how wide a formula is printed on a line of its own, in em; rather too much than too little.

    Example:
        >>> width("x") < width("x + y") < width(r"\left(x + y\right) z")
        True
    """
    return _row(parse(latex).parts, 0) / 100


def height(parts: Sequence[Part], style: int = 0) -> int:
    """Return which size of parentheses parts need: 0 as on a line of text, up to 3."""
    found = 0
    for part in parts:
        match part:
            case Fraction():
                found = max(found, 3 if style == 0 else 2)
            case Scripts():
                large = isinstance(part.base, Sign) and part.base.kind == "large"
                found = max(found, 3 if large else 1, height([part.base], style))
            case Fence() | Accent() | Root():
                found = max(found, height(part.body.parts, style), 1)
            case Row():
                found = max(found, height(part.parts, style))
            case Table():
                found = 3
            case Sign(kind="large"):
                found = max(found, 2)
            case _:
                pass
    return found


def _row(parts: Sequence[Part], style: int) -> float:
    """Add up widths; `style` is 0 on a line of its own, 1 in text, 2 in scripts, 3 in scripts of scripts."""
    return sum(_part(part, style) for part in parts)


def _part(part: Part, style: int) -> float:
    match part:
        case Sign():
            return _sign(part, style) * (1, 1, _SCRIPT, _TINY)[style]
        case Row():
            return _row(part.parts, style)
        case Scripts():
            return _scripts(part, style)
        case Fraction():
            return max(_row(part.top.parts, min(style + 1, 3)), _row(part.bottom.parts, min(style + 1, 3))) + 24
        case Root():
            return _row(part.body.parts, style) + 100
        case Fence():
            size = (39, 46, 60, 80)[height(part.body.parts, style)]
            return _row(part.body.parts, style) + size * (bool(part.left) + bool(part.right)) + _THIN_SPACE
        case Accent():
            return _row(part.body.parts, style) + 5
        case Table():
            return _table(part)


def _sign(sign: Sign, style: int) -> float:
    inline = style < 2
    match sign.kind:
        case "operator":
            return _OTHER + _OPERATOR_SPACE * inline
        case "relation":
            return _WIDE + _RELATION_SPACE * inline
        case "letter":
            if sign.alphabet in ("", "mathit"):
                return sum(_ITALIC.get(letter, 66) for letter in sign.text)
            return 85 * len(sign.text)
        case "number":
            return sum(28 if sign == "." else 58 if "BOLD" in sign else _DIGIT for sign in sign.text)
        case "word" | "text":
            return sum(_word(letter) for letter in sign.text) + 2 * _THIN_SPACE * (sign.kind == "word")
        case "large":
            return (_LARGE[sign.text] if style == 0 else 106) + _THIN_SPACE * 2
        case "gap":
            return 0
        case "space":
            return signs.SPACES[sign.text]
        case "comma":
            return 28 + _THIN_SPACE
        case "prefix":
            return _OTHER if sign.text in "−+∓±" else _LETTER
        case "open" | "close" | "bar":
            return 50
        case "unknown":
            return _WORD * len(sign.text)
        case _:
            return 117 if sign.text in "…⋯" else 100 if sign.text == "∞" else 30 if sign.text in "′|.!" else _OTHER


def _word(letter: str) -> int:
    return 30 if letter in "ijlt.,'" else 85 if letter in "mwMWw" else 75 if letter.isupper() else _WORD


def _scripts(part: Scripts, style: int) -> float:
    small = 2 if style < 2 else 3
    below = _row(part.below.parts, small) if part.below else 0
    above = _row(part.above.parts, small) if part.above else 0
    base = _part(part.base, style)
    limits = isinstance(part.base, Sign) and (part.base.kind == "large" or part.base.alphabet == "limits")
    if limits and style == 0:
        return max(base, below, above)
    return base + max(below, above) + 6


def _table(part: Table) -> float:
    """Add up columns; those of a small matrix are set as scripts are."""
    if part.name == "smallmatrix":
        rows = [[_row(cell.parts, 2) + 35 for cell in row] for row in part.rows]
        return max(sum(row) for row in rows) + 60
    columns = max(len(row) for row in part.rows)
    widths = [
        max((_row(row[place].parts, 1) for row in part.rows if place < len(row)), default=0) for place in range(columns)
    ]
    return sum(widths) + (20 if part.name == "aligned" else 100 * columns + 60)
