"""Pages as one HTML file: mathematics in MathML, nothing loaded from elsewhere, no script."""

import html as escaping

from symback.page.blocks import Block, Display, Equation, Heading, Page, Paragraph
from symback.page.lines import lines_of
from symback.page.mathml import mathml
from symback.page.unicode import unicode
from symback.page.words import written

_ROOM = 48.0
_EQUATIONS = """\
.equations { overflow-x: auto; overflow-y: hidden; margin: 0.7em 0; padding: 0.3em 0; }
.equations table { border-spacing: 0; margin: 0 auto; }
.equations td { padding: 0.25em 0; white-space: nowrap; text-align: left; vertical-align: baseline; }
.equations td.left { text-align: right; padding-right: 0.3em; }
.equations td.more { padding-left: 2em; }
.equations td.why { padding-left: 2em; font-size: 0.85em; opacity: 0.75; white-space: normal; min-width: 8em; }
"""
_STYLE = """\
:root { color-scheme: light dark; }
body { max-width: 56rem; margin: 2rem auto; padding: 0 1rem; font: 1.05rem/1.55 Georgia, "Times New Roman", serif;
  color: #1b1b1b; background: #fff; }
h1, h2, h3 { line-height: 1.25; font-weight: 600; margin: 1.8em 0 0.6em; }
h1 { font-size: 1.6rem; margin-top: 0; } h2 { font-size: 1.25rem; } h3 { font-size: 1.05rem; }
math { font-family: "Latin Modern Math", "STIX Two Math", "Cambria Math", math; }
@media (prefers-color-scheme: dark) { body { color: #e6e6e6; background: #161616; } }
"""


def html(page: Page) -> str:
    """Return a page as a file that any browser shows, without a network and without a script."""
    title = escaping.escape(written(page.title, str, unicode)) or "Derivation"
    head = '<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    head += f"<title>{title}</title>\n<style>\n{_STYLE}{_EQUATIONS}</style>"
    return f'<!DOCTYPE html>\n<html lang="en">\n<head>\n{head}\n</head>\n<body>\n{body(page)}</body>\n</html>\n'


def embedded(page: Page) -> str:
    """Return a page as a part of another, such as a notebook; its colours are those around it."""
    return f"<div><style>\n{_EQUATIONS}</style>\n{body(page)}</div>"


def body(page: Page) -> str:
    """Return the title and the blocks of a page as HTML."""
    title = f"<h1>{words(page.title)}</h1>\n" if page.title else ""
    return title + "".join(f"{_block(block)}\n" for block in page.blocks)


def words(text: str) -> str:
    """Return text in HTML; every sign of it is escaped, but for mathematics between dollar signs.

    Example:
        >>> words("<b> & $x$")
        '&lt;b&gt; &amp; <math><mi>x</mi></math>'
    """
    return written(text, escaping.escape, mathml)


def _block(block: Block) -> str:
    match block:
        case Heading():
            level = min(block.level + 1, 6)
            return f"<h{level}>{words(block.text)}</h{level}>"
        case Paragraph():
            return f"<p>{words(block.text)}</p>"
        case Display():
            rows = "\n".join(_rows(equation) for equation in block.equations)
            return f'<div class="equations"><table role="presentation">\n{rows}\n</table></div>'


def _rows(equation: Equation) -> str:
    """Return the lines of an equation as rows of a table: left side, right side, reason."""
    rows = []
    for line in lines_of(equation, _ROOM):
        goes_on = line.right.startswith(r"\quad")
        right = mathml(line.right.removeprefix(r"\quad "), display=True)
        left = mathml(line.left, display=True) if line.left else ""
        more = ' class="more"' if goes_on else ""
        why = f'<td class="why">({words(line.reason)})</td>' if line.reason else "<td></td>"
        rows.append(f'<tr><td class="left">{left}</td><td{more}>{right}</td>{why}</tr>')
    return "\n".join(rows)
