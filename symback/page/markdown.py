r"""Pages in Markdown with mathematics as GitHub shows it.

Displays are fenced ``math`` blocks and formulas in a line stand between a dollar sign and a back quote where Markdown
would take one of their signs for its own (``_``, ``\{``): inside of those nothing is read as Markdown. GitHub refuses
``\operatorname``, so functions are written by ``\mathop{\mathrm{...}}``.
"""

import re

from symback.page.blocks import Block, Display, Heading, Page, Paragraph
from symback.page.lines import Line, reasons_of
from symback.page.tex import display_lines
from symback.page.words import written

_ROOM = 45.0
_SPECIAL = re.compile(r"[\\`*_\[\]<>|~&$]|^[#+=-]|(?<=^\d)[.)]")
_MARKDOWN = re.compile(r"[_*`<>~|\[\]]|\\[^A-Za-z]")
_OPERATOR = re.compile(r"\\operatorname\s*\{")


def markdown(page: Page) -> str:
    """Return a page in Markdown; the title is its first heading."""
    title = [f"# {words(page.title)}"] if page.title else []
    return "\n\n".join([*title, *(_block(block) for block in page.blocks)]) + "\n"


def words(text: str) -> str:
    r"""Return text in Markdown; every sign of it is escaped, but for mathematics between dollar signs.

    Example:
        >>> print(words("2 * 3, $x_{1}$ and $x$"))
        2 \* 3, $`x_{1}`$ and $x$
    """
    return written(text, escaped, inline)


def escaped(text: str) -> str:
    """Return text in which no sign is read as Markdown or HTML."""
    return _SPECIAL.sub(r"\\\g<0>", text)


def inline(formula: str) -> str:
    """Return a formula in a line of text."""
    formula = allowed(formula)
    return f"$`{formula}`$" if _MARKDOWN.search(formula) else f"${formula}$"


def allowed(formula: str) -> str:
    r"""Return a formula without commands that GitHub refuses.

    Example:
        >>> print(allowed(r"\operatorname{diag}\left(x\right)"))
        \mathop{\mathrm{diag}}\left(x\right)
    """
    while match := _OPERATOR.search(formula):
        end, level = match.end(), 1
        while level and end < len(formula):
            step = 2 if formula[end] == "\\" else 1
            level += {"{": 1, "}": -1}.get(formula[end], 0)
            end += step
        formula = rf"{formula[: match.start()]}\mathop{{\mathrm{{{formula[match.end() : end - 1]}}}}}{formula[end:]}"
    return formula


def _block(block: Block) -> str:
    match block:
        case Heading():
            return f"{'#' * min(block.level + 1, 6)} {words(block.text)}"
        case Paragraph():
            return words(block.text)
        case Display():
            return _display(block)


def _display(block: Display) -> str:
    lines = [text for line in display_lines(block.equations, _ROOM) for text in _lines(line)]
    body = allowed(" \\\\\n".join(lines))
    return f"```math\n\\begin{{aligned}}\n{body}\n\\end{{aligned}}\n```"


def _lines(line: Line) -> list[str]:
    """Write a line with its reason in a column of its own, or below where it is long."""
    beside, below = reasons_of(line)
    why = f" && {in_formula(beside)}" if beside else ""
    return [f"{line.left} &{line.right}{why}".lstrip(), *(rf"&\quad {in_formula(piece)}" for piece in below)]


def in_formula(text: str) -> str:
    """Return text with inline mathematics as part of a formula."""
    return written(text, lambda plain: rf"\text{{{_text(plain)}}}", str)


def _text(text: str) -> str:
    return re.sub(r"([%&#_{}$])", r"\\\1", text.replace("\\", "/").replace("^", " ").replace("~", " "))
