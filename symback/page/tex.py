r"""Pages in LaTeX: a fragment for a document of one's own, and a document that compiles by itself with pdflatex."""

from collections.abc import Sequence
from itertools import pairwise

from symback.page import signs
from symback.page.blocks import Block, Display, Equation, Heading, Page, Paragraph
from symback.page.lines import ROOM, Line, lines_of, reasons_of, room_behind
from symback.page.markup import parse
from symback.page.measure import width
from symback.page.tree import Sign
from symback.page.words import written

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "%": r"\%",
    "#": r"\#",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "\u2026": r"\dots{}",
    "\u2212": r"\ensuremath{-}",
    "\u2019": "'",
}
_KNOWN = frozenset("ÄÖÜäöüßÀÁÂÃÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕØÙÚÛÝàáâãåæçèéêëìíîïñòóôõøùúûýÿ–—")
_COMMANDS = {
    sign: command
    for table in (signs.OPERATORS, signs.RELATIONS, signs.PREFIXES, signs.LARGE, signs.UPRIGHT, signs.LETTERS)
    for command, sign in reversed(table.items())
    if not sign.isascii()
}
_HEADINGS = ("section", "subsection", "paragraph")
_WIDEST_WHOLE = 5.0
_PREAMBLE = r"""\documentclass{article}
\usepackage{amsmath,amssymb}
\allowdisplaybreaks
\setlength{\emergencystretch}{5em}
"""


def fragment(page: Page) -> str:
    r"""Return the blocks of a page for a document that loads amsmath (and amssymb, if a look needs it).

    The title is left out, and headings are ``\section*`` and below. Displays are ``align*``; to let them break over
    pages, put ``\allowdisplaybreaks`` into the preamble.
    """
    text = ""
    for before, block in pairwise([None, *page.blocks]):
        assert block is not None
        joined = isinstance(before, Paragraph) and isinstance(block, Display)  # a blank line would part them
        text += ("" if before is None else "\n" if joined else "\n\n") + _block(block)
    return f"{text}\n"


def document(page: Page) -> str:
    """Return a document that compiles with pdflatex and needs no packages but amsmath and amssymb."""
    title = f"\\begin{{center}}\n\\LARGE {words(page.title)}\n\\end{{center}}\n\n" if page.title else ""
    return f"{_PREAMBLE}\\begin{{document}}\n{title}{fragment(page)}\\end{{document}}\n"


def words(text: str) -> str:
    r"""Return text in LaTeX; every sign of it is escaped, but for mathematics between dollar signs.

    Example:
        >>> print(words(r"50 % of x_1, $x_{1}$"))
        50 \% of x\_1, $x_{1}$
    """
    return written(text, escaped, lambda formula: f"${_breaking(formula)}$")


def _breaking(formula: str) -> str:
    """Let a formula in a line of text break behind its commas, where TeX would not break it."""
    if width(formula) <= _WIDEST_WHOLE:
        return formula
    row = parse(formula)
    ends = [span[1] for part, span in zip(row.parts, row.spans, strict=True) if part == Sign("comma", ",")]
    pieces = [formula[start:end] for start, end in pairwise([0, *ends, len(formula)])]
    return r"\allowbreak".join(pieces)


def escaped(text: str) -> str:
    """Return text of which every sign is printed; one that TeX's fonts lack is printed by its number."""
    return "".join(_character(sign) for sign in " ".join(text.split(" ")))


def _character(sign: str) -> str:
    if sign in _SPECIAL:
        return _SPECIAL[sign]
    if sign in _KNOWN or (sign.isascii() and (sign.isprintable() or sign == "\n")):
        return sign
    if sign in _COMMANDS:
        return rf"\ensuremath{{\{_COMMANDS[sign]}}}"
    return " " if sign.isspace() else f"[U+{ord(sign):04X}]"


def aligned(equations: Sequence[Equation], room: float = ROOM) -> str:
    """Return equations as one block for use inside a formula, without the reasons."""
    lines = [f"{line.left} &{line.right}".strip() for line in display_lines(equations, room)]
    return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"


def display_lines(equations: Sequence[Equation], room: float = ROOM) -> list[Line]:
    """Return the lines of equations that are aligned with one another."""
    behind = room_behind(equations, room)
    return [line for equation in equations for line in lines_of(equation, behind)]


def _block(block: Block) -> str:
    match block:
        case Heading():
            return f"\\{_HEADINGS[min(max(block.level, 1), 3) - 1]}*{{{words(block.text)}}}"
        case Paragraph():
            return words(block.text)
        case Display():
            return _display(block)


def _display(block: Display) -> str:
    lines = [text for line in display_lines(block.equations) for text in _lines(line)]
    return "\\begin{align*}\n" + " \\\\\n".join(lines) + "\n\\end{align*}"


def _lines(line: Line) -> list[str]:
    """Write a line with its reason at the right margin, or below where it is long."""
    beside, below = reasons_of(line)
    tag = f" \\tag*{{{words(beside)}}}" if beside else ""
    return [f"{line.left} &{line.right}{tag}".lstrip(), *(rf"&\quad\text{{{words(piece)}}}" for piece in below)]
