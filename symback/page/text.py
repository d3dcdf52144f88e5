"""Pages as Unicode text, for a terminal."""

import textwrap

from symback.page.blocks import Block, Display, Equation, Heading, Page, Paragraph
from symback.page.lines import lines_of
from symback.page.unicode import columns, unicode
from symback.page.words import written

_WIDTH = 100
_ROOM = 40.0
_MOST_LEFT = 24


def text(page: Page) -> str:
    """Return a page as Unicode text; equations are aligned at the sign of equality."""
    title = [f"{words(page.title)}\n{'=' * columns(words(page.title))}"] if page.title else []
    return "\n\n".join([*title, *(_block(block) for block in page.blocks)]) + "\n"


def words(text: str) -> str:
    """Return text with its inline mathematics in Unicode."""
    return written(text, str, unicode)


def _block(block: Block) -> str:
    match block:
        case Heading():
            title = words(block.text)
            return f"{title}\n{'-' * columns(title)}" if block.level == 1 else title
        case Paragraph():
            return textwrap.fill(words(block.text), _WIDTH, break_long_words=False, break_on_hyphens=False)
        case Display():
            return _display(block)


def _display(block: Display) -> str:
    rows = [row for equation in block.equations for row in _rows(equation)]
    lefts = [columns(left) for left, _, _ in rows if columns(left) <= _MOST_LEFT]
    most = max(lefts, default=0)
    lines = []
    for left, right, reason in rows:
        if columns(left) > most and right:
            lines.append(f"    {left}")
            left = ""
        line = f"    {' ' * (most - columns(left))}{left} {right}"
        if reason and columns(line) + columns(reason) + 3 <= _WIDTH:
            lines.append(f"{line}   {reason}")
        else:
            lines += [line, *(f"{' ' * (most + 11)}{piece}" for piece in textwrap.wrap(reason, _WIDTH - most - 11))]
    return "\n".join(line.rstrip() for line in lines)


def _rows(equation: Equation) -> list[tuple[str, str, str]]:
    """Return left side, right side with its sign, and reason of each line."""
    rows = []
    for line in lines_of(equation, _ROOM):
        goes_on = line.right.startswith(r"\quad")
        right = unicode(line.right.removeprefix(r"\quad "))
        rows.append(
            (unicode(line.left), f"    {right}" if goes_on else right, f"({words(line.reason)})" if line.reason else "")
        )
    return rows
