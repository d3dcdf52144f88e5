"""Formulas on one line of Unicode, for a terminal: ``∂L/∂z₂ = W₂ᵀ ∂L/∂z₃ ⊙ σ′(z₂)``.

Indices and exponents are small letters where Unicode has all of them, else ``_{…}`` and ``^(…)``; a fraction has
parentheses only where a reader would take it for something else.
"""

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from symback.page import signs
from symback.page.markup import parse
from symback.page.tree import Accent, Fence, Fraction, Part, Root, Row, Scripts, Sign, Table

_BELOW = dict(zip("0123456789+−-=()aehijklmnoprstuvxβγρϕφχ", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵩᵪ", strict=True))
_ABOVE = dict(
    zip(
        "0123456789+−-=()abcdefghijklmnoprstuvwxyzABDEGHIJKLMNOPRTUVWβγδθϕφχ⊤′",
        "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᴬᴮᴰᴱᴳᴴᴵᴶᴷᴸᴹᴺᴼᴾᴿᵀᵁⱽᵂᵝᵞᵟᶿᵠᵠᵡᵀ′",
        strict=True,
    )
)
_VULGAR = {
    ("1", "2"): "½",
    ("1", "3"): "⅓",
    ("2", "3"): "⅔",
    ("1", "4"): "¼",
    ("3", "4"): "¾",
    ("1", "5"): "⅕",
    ("1", "6"): "⅙",
    ("1", "8"): "⅛",
}
_ROOTS = {None: "√", "3": "∛", "4": "∜"}
ATOM, PRODUCT, SUM = range(3)
"""How tightly a text binds: one sign or a call, factors side by side, anything else."""


class Text(NamedTuple):
    """A formula in Unicode.

    Attributes:
        text: The signs.
        level: How tightly it binds.
        slash: Is it a fraction with a slash?
    """

    text: str
    level: int = ATOM
    slash: bool = False


def unicode(latex: str) -> str:
    r"""Return a formula as one line of Unicode.

    Example:
        >>> unicode(r"\frac{\partial L}{\partial z_{2}} = W_{2}^{\top} \left(a - \frac{1}{2} y\right)")
        '∂L/∂z₂ = W₂ᵀ (a − ½ y)'
    """
    return _row(parse(latex).parts).text


def columns(text: str) -> int:
    """Return how many columns of a terminal a text takes: combining characters take none, wide ones two."""
    return sum(
        0 if unicodedata.combining(sign) else 2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text
    )


def _row(parts: Sequence[Part]) -> Text:
    """Write parts side by side, with blanks where a reader expects them."""
    text, level = "", ATOM
    before: tuple[Part, Text] | None = None
    gap, count, inside = False, 0, 0
    for part in parts:
        if isinstance(part, Sign) and part.kind in ("gap", "space"):
            gap = gap or part.kind == "gap"
            text += " " if part.kind == "space" and part.text != "!" and not text.endswith(" ") else ""
            continue
        written = _written(part)
        if before is not None and not text.endswith(" "):
            text += _between(before, (part, written), gap=gap)
        kind = _kind(part)
        inside -= kind == "close"
        signed = kind == "prefix" and written.level == SUM
        if not inside and (signed or kind in ("operator", "relation", "comma", "large")):
            level = SUM
        elif not inside and kind != "close" and before is not None and not _applied(before[0], part, gap=gap):
            level = max(level, PRODUCT)
        inside += kind == "open"
        text += written.text
        before, gap, count = (part, written), False, count + 1
    if count == 1 and before is not None:
        return Text(text, max(before[1].level, level), before[1].slash)
    return Text(text.rstrip(), level)


def _applied(before: Part, part: Part, *, gap: bool) -> bool:
    """Is this a function before its argument, or a sign before its operand?"""
    if _kind(before) == "prefix":
        return (before.base if isinstance(before, Scripts) else before) == Sign("prefix", "∂")
    return (isinstance(part, Fence) or _kind(part) == "open") and not gap and _is_name(before)


def _is_name(part: Part) -> bool:
    base = part.base if isinstance(part, Scripts) else part
    return isinstance(base, Accent) or (isinstance(base, Sign) and base.kind in ("letter", "word", "ordinary"))


def _between(before: tuple[Part, Text], after: tuple[Part, Text], *, gap: bool) -> str:
    """Return what stands between two parts."""
    first, second = _kind(before[0]), _kind(after[0])
    if first in ("open", "prefix") or second in ("close", "comma"):
        return ""
    spaced = ("operator", "relation", "comma")
    if first in spaced or second in spaced:
        return " "
    if first == "bar" or second == "bar":
        return " " if gap else ""
    if first == "large":
        return " "
    if before[1].slash or after[1].slash:
        return " · "
    if second == "large" or (second == "word" and _spaced_word(after[0]) and first != "open"):
        return " "
    if first == "word" and _spaced_word(before[0]) and not isinstance(after[0], Fence) and second != "open":
        return " "
    return " " if gap else ""


def _kind(part: Part) -> str:
    base = part.base if isinstance(part, Scripts) and isinstance(part.base, Sign) else part
    if not isinstance(base, Sign):
        return ""
    if isinstance(part, Scripts) and base.kind == "prefix":
        return "prefix"
    return base.kind


def _spaced_word(part: Part) -> bool:
    base = part.base if isinstance(part, Scripts) else part
    return isinstance(base, Sign) and base.kind == "word" and base.alphabet in ("operatorname", "limits", "mathop")


def _written(part: Part) -> Text:
    match part:
        case Sign():
            return _sign(part)
        case Row():
            return _row(part.parts)
        case Scripts():
            return _scripts(part)
        case Fraction():
            return _fraction(part)
        case Root():
            degree = _row(part.degree.parts).text if part.degree else None
            before = _ROOTS.get(degree) or f"{_small(degree or '', _ABOVE) or f'({degree})'}√"
            return Text(before + _enclosed(_row(part.body.parts), ATOM))
        case Fence():
            return Text(f"{part.left}{_row(part.body.parts).text}{part.right}")
        case Accent():
            return _accent(part)
        case Table():
            return _table(part)


def _sign(sign: Sign) -> Text:
    text = "".join(signs.in_alphabet(letter, sign.alphabet) for letter in sign.text)
    if sign.kind == "large":
        return Text({"∑": "Σ", "∏": "Π"}.get(text, text))
    negative = sign.kind == "prefix" and text in ("−", "+")
    return Text(text, SUM if negative else ATOM)


def _small(text: str, table: dict[str, str]) -> str:
    """Return a text in small signs, empty where Unicode lacks one of them."""
    return "".join(table[sign] for sign in text) if all(sign in table for sign in text) else ""


def _scripts(part: Scripts) -> Text:
    base = _written(part.base)
    single = not isinstance(part.base, Row)
    text = f"({base.text})" if base.slash or (isinstance(part.base, Fraction) and len(base.text) > 1) else base.text
    if part.below:
        text += _script(_row(part.below.parts).text, _BELOW, "_{", "}")
    above = part.above.parts if part.above else ()
    primes = 0
    while primes < len(above) and above[primes] == Sign("ordinary", "′"):
        primes += 1
    text += "′" * primes
    if above[primes:]:
        text += _script(_row(above[primes:]).text, _ABOVE, "^(", ")")
    return Text(text, ATOM if single else base.level)


def _script(text: str, table: dict[str, str], opening: str, closing: str) -> str:
    tight = text.replace(" ", "")
    text = text.replace(", ", ",")
    if small := _small(tight, table):
        return small
    return opening[0] + text if len(text) == 1 else opening + text + closing


def _enclosed(text: Text, most: int) -> str:
    """Put parentheses around what binds less tightly than `most`, or holds a slash."""
    return f"({text.text})" if text.level > most or text.slash else text.text


def _fraction(part: Fraction) -> Text:
    top, bottom = _row(part.top.parts), _row(part.bottom.parts)
    if (top.text, bottom.text) in _VULGAR:
        return Text(_VULGAR[top.text, bottom.text])
    above = _enclosed(top, ATOM if "/" in top.text or _has_word(part.top) else PRODUCT)
    operator = top.text == "∂"  # the derivative of what follows, which it is no factor of
    return Text(f"{above}/{_enclosed(bottom, ATOM)}", ATOM, slash=not operator)


def _has_word(row: Row) -> bool:
    return any(_spaced_word(part) for part in row.parts)


def _accent(part: Accent) -> Text:
    body = _row(part.body.parts)
    mark = signs.ACCENTS[part.name]
    if part.name in ("overline", "underline") or columns(body.text) == 1:
        return Text("".join(sign + (mark if columns(sign) else "") for sign in body.text), body.level)
    return Text(f"{part.name.removeprefix('wide')}({body.text})")


def _table(part: Table) -> Text:
    rows = [[_row(cell.parts).text for cell in row] for row in part.rows]
    if part.name == "cases":
        return Text("{" + "; ".join(_case(cells) for cells in rows) + "}")
    lines = [" ".join(cell for cell in cells if cell) for cells in rows]
    if part.name.startswith("align"):  # one formula on several lines
        return Text(" ".join(line.strip() for line in lines), SUM)
    return Text("; ".join(lines)) if part.name == "smallmatrix" else Text(f"[{'; '.join(lines)}]")


def _case(cells: Sequence[str]) -> str:
    value, *condition = cells
    return value + "".join(f" {cell}" if cell[:9] == "otherwise" else f" if {cell}" for cell in condition)
