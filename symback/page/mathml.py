"""Formulas as MathML Core, which browsers set without a script."""

import html
from collections.abc import Sequence

from symback.page import signs
from symback.page.markup import parse
from symback.page.tree import Accent, Fence, Fraction, Part, Root, Row, Scripts, Sign, Table, sign_of

_MARKS = {
    "hat": "^",
    "widehat": "^",
    "bar": "\u00af",
    "overline": "\u203e",
    "tilde": "~",
    "widetilde": "~",
    "vec": "→",
    "dot": "˙",
    "ddot": "¨",
    "check": "ˇ",
    "breve": "˘",
    "acute": "´",
    "grave": "`",
    "underline": "_",
}
_APPLY = "<mo>&#x2061;</mo>"
_THIN = '<mspace width="0.17em"/>'
_NAMES = frozenset({"letter", "word", "ordinary"})


def mathml(latex: str, *, display: bool = False) -> str:
    r"""Return a formula as a ``math`` element; every sign of it is escaped.

    Args:
        latex: A formula without dollar signs.
        display: Set fractions and sums as large as in a formula on a line of its own.

    Example:
        >>> mathml(r"x_{1} < \mathbf{1}")
        '<math><msub><mi>x</mi><mn>1</mn></msub><mo>&lt;</mo><mn>𝟏</mn></math>'
    """
    style = ' displaystyle="true"' if display else ""
    return f"<math{style}>{_items(parse(latex).parts)}</math>"


def _items(parts: Sequence[Part]) -> str:
    """Write parts side by side."""
    text = ""
    before: Part | None = None
    gap = False
    for part in parts:
        if part == Sign("gap", ""):
            gap = True
            continue
        text += _between(before, part, gap=gap) + _element(part) if before else _element(part)
        before, gap = part, False
    return text


def _between(before: Part, part: Part, *, gap: bool) -> str:
    """Return what stands between a function and its argument, and around a function without parentheses."""
    first, second = sign_of(before), sign_of(part)
    if isinstance(part, Fence):
        return _APPLY if not gap and first and first.kind in _NAMES else ""
    signs_between = {sign.kind for sign in (first, second) if sign} - {"letter", "word", "number", "ordinary"}
    words = [sign for sign in (first, second) if sign and sign.kind == "word" and sign.alphabet == "operatorname"]
    return _THIN if words and not signs_between else ""


def _group(row: Row | None) -> str:
    """Write parts as one element."""
    parts = [part for part in (row.parts if row else ()) if part != Sign("gap", "")]
    return _element(parts[0]) if len(parts) == 1 else f"<mrow>{_items(row.parts if row else ())}</mrow>"


def _element(part: Part) -> str:
    match part:
        case Sign():
            return _sign(part)
        case Row():
            return _group(part)
        case Scripts():
            return _scripts(part)
        case Fraction():
            return f"<mfrac>{_group(part.top)}{_group(part.bottom)}</mfrac>"
        case Root():
            if part.degree:
                return f"<mroot>{_group(part.body)}{_group(part.degree)}</mroot>"
            return f"<msqrt>{_items(part.body.parts)}</msqrt>"
        case Fence():
            left, right = _delimiter(part.left, "prefix"), _delimiter(part.right, "postfix")
            return f"<mrow>{left}{_items(part.body.parts)}{right}</mrow>"
        case Accent():
            return _accent(part)
        case Table():
            return _table(part)


def _sign(sign: Sign) -> str:
    """Write a sign; attributes are given where the place alone does not say how it is spaced."""
    text = html.escape("".join(signs.in_alphabet(letter, sign.alphabet) for letter in sign.text))
    match sign.kind:
        case "letter":
            return f"<mi>{text}</mi>"
        case "number":
            return f"<mn>{text}</mn>"
        case "word":
            if sign.alphabet == "limits":
                return f'<mo movablelimits="true" lspace="0" rspace="0.17em">{text}</mo>'
            return f'<mi mathvariant="normal">{text}</mi>' if len(sign.text) == 1 else f"<mi>{text}</mi>"
        case "ordinary":
            return f"<mn>{text}</mn>" if sign.text == "." else f'<mi mathvariant="normal">{text}</mi>'
        case "prefix":
            space = ' lspace="0" rspace="0"' if sign.text in "∂∇" else ""
            return f'<mo form="prefix"{space}>{text}</mo>'
        case "open" | "close":
            return f'<mo form="{"prefix" if sign.kind == "open" else "postfix"}" stretchy="false">{text}</mo>'
        case "bar":
            return f'<mo stretchy="false" lspace="0" rspace="0">{text}</mo>'
        case "text" | "unknown":
            return f"<mtext>{text.replace(' ', '&#xa0;')}</mtext>"
        case "space":
            return f'<mspace width="{signs.SPACES[sign.text] / 100}em"/>'
        case _:
            return f"<mo>{text}</mo>"


def _delimiter(sign: str, form: str) -> str:
    return f'<mo form="{form}" stretchy="true" fence="true">{html.escape(sign)}</mo>' if sign else ""


def _scripts(part: Scripts) -> str:
    base = _element(part.base)
    limits = isinstance(part.base, Sign) and (part.base.kind == "large" or part.base.alphabet == "limits")
    below = _group(part.below) if part.below else ""
    above = _group(part.above) if part.above else ""
    under, over = ("under", "over") if limits else ("sub", "sup")
    name = f"m{under if below else ''}{over if above else ''}"
    return f"<{name}>{base}{below}{above}</{name}>"


def _accent(part: Accent) -> str:
    mark = html.escape(_MARKS[part.name])
    wide = "true" if part.name.startswith(("wide", "over", "under")) else "false"
    sign = f'<mo stretchy="{wide}">{mark}</mo>'
    if part.name == "underline":
        return f"<munder>{_group(part.body)}{sign}</munder>"
    return f'<mover accent="true">{_group(part.body)}{sign}</mover>'


def _table(part: Table) -> str:
    aligned = part.name.startswith("align")
    left = ' style="text-align:left"'
    rows = ""
    for row in part.rows:
        cells = ""
        for place, cell in enumerate(row):
            side = left if part.name == "cases" or (aligned and place % 2) else ""
            side = ' style="text-align:right"' if aligned and not place % 2 else side
            cells += f"<mtd{side}>{_items(cell.parts)}</mtd>"
        rows += f"<mtr>{cells}</mtr>"
    style = ' displaystyle="true"' if aligned else ""
    table = f"<mtable{style}>{rows}</mtable>"
    if aligned or part.name == "smallmatrix":
        return table
    opening, closing = ("{", "") if part.name == "cases" else ("[", "]")
    return f"<mrow>{_delimiter(opening, 'prefix')}{table}{_delimiter(closing, 'postfix')}</mrow>"
