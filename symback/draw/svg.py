"""Pictures as SVG: one self-contained element, without scripts, fonts or references to anything outside of it."""

import hashlib
from xml.sax.saxutils import escape

from symback.draw.layout import Layout, laid_out
from symback.draw.lines import Point, number
from symback.draw.measure import SIZE, SMALL, width
from symback.draw.picture import Box, Picture

_LINE = 19.0
_MARGIN = 12.0
_CAPTION = 26.0
_SLANT = 10.0
_CAPTIONS = ("forward pass", "backward pass")

_FONTS = "'Helvetica Neue',Arial,'DejaVu Sans',sans-serif"
_STYLE = """
{scope}{{font-family:{fonts};font-size:{size}px;color:inherit}}
{scope} text{{fill:#111;text-anchor:middle}}
{scope} .dim{{font-size:{small}px;fill:#555}}
{scope} .caption{{font-size:{small}px;fill:currentColor;letter-spacing:.08em}}
{scope} .line{{fill:none;stroke:currentColor;stroke-width:1.2}}
{scope} .head{{fill:currentColor;stroke:none}}
{scope} .ahead,{scope} .caption{{color:#5a6570}}
{scope} .back{{color:#b3470f}}
{scope} .across{{color:#76808a}}
{scope} .across .line{{stroke-dasharray:5 3}}
{scope} .box{{stroke:#444;stroke-width:1.2;fill:#fff}}
{scope} .strong .box{{stroke-width:2.6}}
{scope} .variable .box{{fill:#dcebfb;stroke:#1f5f9e}}
{scope} .constant .box{{fill:#eee;stroke:#666}}
{scope} .operation .box{{fill:#fff}}
{scope} .result .box{{fill:#e3f3e1;stroke:#2f7a36}}
{scope} .adjoint .box{{fill:#fde6d3;stroke:#b3470f}}
{scope} .derived .box{{stroke:#b3470f;stroke-dasharray:4 3}}
@media (prefers-color-scheme:dark){{
{scope} text{{fill:#f2f2f2}}
{scope} .dim{{fill:#bbb}}
{scope} .caption{{fill:currentColor}}
{scope} .ahead,{scope} .caption{{color:#b8c0c8}}
{scope} .back{{color:#f0955a}}
{scope} .across{{color:#98a3ad}}
{scope} .box{{stroke:#bbb;fill:#222}}
{scope} .variable .box{{fill:#17324d;stroke:#6cb0f0}}
{scope} .constant .box{{fill:#333;stroke:#999}}
{scope} .operation .box{{fill:#222}}
{scope} .result .box{{fill:#1c3a20;stroke:#7bc883}}
{scope} .adjoint .box{{fill:#4a2a12;stroke:#f0955a}}
{scope} .derived .box{{stroke:#f0955a}}
}}
"""


def svg_of(picture: Picture) -> str:
    """Return a picture as one ``<svg>`` element, which has a title and a description for those who hear it."""
    sizes = [_size(box) for box in picture.boxes]
    layout = laid_out(picture, sizes)
    top = _MARGIN + (_CAPTION if picture.has_backward else 0.0)
    parts = [f'<g transform="translate({number(_MARGIN)} {number(top)})">', *_captions(picture, layout)]
    parts += [_arrow(picture, place, layout) for place in range(len(picture.arrows))]
    parts += [_box(box, *size, *centre) for box, size, centre in zip(picture.boxes, sizes, layout.centres, strict=True)]
    body = "\n".join([*parts, "</g>"])
    whole = layout.width + 2 * _MARGIN, layout.height + top + _MARGIN
    return _framed(picture, body, *(number(length) for length in whole))


def _framed(picture: Picture, body: str, width_: str, height: str) -> str:
    """Put the element around the body; its name is that of its contents, so that two on one page do not clash."""
    name = "sb-" + hashlib.sha256((picture.title + body).encode()).hexdigest()[:12]
    style = _STYLE.format(scope=f"#{name}", fonts=_FONTS, size=number(SIZE), small=number(SMALL)).strip()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" id="{name}" viewBox="0 0 {width_} {height}" width="{width_}" '
        f'height="{height}" role="img" aria-labelledby="{name}-title {name}-desc" style="max-width:100%;height:auto">\n'
        f'<title id="{name}-title">{_text(picture.title)}</title>\n'
        f'<desc id="{name}-desc">{_text(described(picture))}</desc>\n'
        f"<style>\n{style}\n</style>\n{body}\n</svg>\n"
    )


def described(picture: Picture) -> str:
    """Say in words what a picture shows: each box with what it is computed from."""
    from_: dict[int, list[str]] = {}
    for tail, head in picture.arrows:
        from_.setdefault(head, []).append(_first(picture.boxes[tail]))
    sentences = [
        f"{_first(box)} from {', '.join(from_[place])}" if place in from_ else _first(box)
        for place, box in enumerate(picture.boxes[:200])
    ]
    return "; ".join(sentences) + ("; …" if len(picture.boxes) > 200 else ".")


def _first(box: Box) -> str:
    return box.lines[0].partition(" = ")[0]


def _size(box: Box) -> tuple[float, float]:
    """Return the width and height that a box needs for its text."""
    wide = max([width(line) for line in box.lines] + [width(box.shape, SMALL)])
    high = _LINE * len(box.lines) + (14.0 if box.shape else 0.0)
    if box.kind == "operation":
        return max(wide * 1.15 + 22.0, 44.0), high + 14.0
    return max(wide + {"adjoint": 36.0, "variable": 28.0, "constant": 36.0}.get(box.kind, 22.0), 46.0), high + 12.0


def _captions(picture: Picture, layout: Layout) -> list[str]:
    """Write what the halves are above them."""
    if not picture.has_backward:
        return []
    return [
        f'<text class="caption" x="{number((start + end) / 2)}" y="-14">{caption}</text>'
        for (start, end), caption in zip(layout.ends, _CAPTIONS, strict=True)
        if end > start
    ]


def _arrow(picture: Picture, place: int, layout: Layout) -> str:
    tail, head = picture.arrows[place]
    line = layout.lines[place]
    kind = "across" if picture.crosses((tail, head)) else "back" if picture.boxes[tail].backward else "ahead"
    return f'<g class="{kind}"><path class="line" d="{line.shaft}"/><path class="head" d="{line.head}"/></g>'


def _box(box: Box, wide: float, high: float, x: float, y: float) -> str:
    """Draw a box with its text in the middle."""
    classes = [box.kind]
    classes += ["strong"] if box.strong else []
    classes += ["derived"] if box.backward and box.kind == "operation" else []
    first = y - high / 2 + (high - _LINE * len(box.lines) - (14.0 if box.shape else 0.0)) / 2 + 14.0
    texts = [
        f'<text x="{number(x)}" y="{number(first + _LINE * row)}">{_text(line)}</text>'
        for row, line in enumerate(box.lines)
    ]
    if box.shape:
        below = first + _LINE * len(box.lines) - 4.0
        texts.append(f'<text class="dim" x="{number(x)}" y="{number(below)}">{_text(box.shape)}</text>')
    outline = _outline(box.kind, wide, high, x, y)
    return f'<g class="{" ".join(classes)}"><title>{_text(box.title)}</title>{outline}{"".join(texts)}</g>'


def _outline(kind: str, wide: float, high: float, x: float, y: float) -> str:
    """Return the shape of a kind of box: kinds differ without colour too."""
    left, right, top, bottom = x - wide / 2, x + wide / 2, y - high / 2, y + high / 2
    if kind == "operation":
        return _element("ellipse", cx=x, cy=y, rx=wide / 2, ry=high / 2)
    if kind == "adjoint":
        inner = left + _SLANT, right - _SLANT
        corners = [(left, y), (inner[0], top), (inner[1], top), (right, y), (inner[1], bottom), (inner[0], bottom)]
        return _polygon(corners)
    if kind == "constant":
        return _polygon([(left + _SLANT, top), (right, top), (right - _SLANT, bottom), (left, bottom)])
    return _element("rect", x=left, y=top, width=wide, height=high, rx=high / 2 if kind == "variable" else 0.0)


def _polygon(corners: list[Point]) -> str:
    return f'<polygon class="box" points="{" ".join(f"{number(a)},{number(b)}" for a, b in corners)}"/>'


def _element(name: str, **lengths: float) -> str:
    given = " ".join(f'{key}="{number(length)}"' for key, length in lengths.items())
    return f'<{name} class="box" {given}/>'


def _text(text: str) -> str:
    """Escape a text; signs that XML does not allow at all are shown as a replacement sign."""
    shown = "".join(sign if sign >= " " or sign in "\n\t" else "\N{REPLACEMENT CHARACTER}" for sign in text)
    return escape(shown, {'"': "&quot;"})
