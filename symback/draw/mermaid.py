"""Pictures as Mermaid flowcharts."""

from symback.draw.picture import Box, Picture

_ENDS = {
    "variable": ("([", "])"),
    "constant": ("[/", "/]"),
    "operation": ("((", "))"),
    "result": ("[", "]"),
    "adjoint": ("{{", "}}"),
}
_CLASSES = {
    "variable": "fill:#dcebfb,stroke:#1f5f9e,color:#111",
    "constant": "fill:#eee,stroke:#666,color:#111",
    "operation": "fill:#fff,stroke:#444,color:#111",
    "result": "fill:#e3f3e1,stroke:#2f7a36,color:#111",
    "adjoint": "fill:#fde6d3,stroke:#b3470f,color:#111",
    "derived": "fill:#fff,stroke:#b3470f,color:#111,stroke-dasharray:4 3",
}
_WIDE = 6
_SPECIAL = frozenset('"#<>&`\\{}|;$%')
_HALVES = (("forward", "forward pass"), ("backward", "backward pass"))


def mermaid_of(picture: Picture) -> str:
    """Return a flowchart, the halves as boxes around their nodes."""
    lines = ["flowchart TB"]
    for (name, caption), half in zip(_HALVES, (False, True), strict=True):
        own = [(number, box) for number, box in enumerate(picture.boxes) if box.backward == half]
        if own and picture.has_backward:
            lines += [f'  subgraph {name}["{caption}"]', *(f"    {_vertex(*pair)}" for pair in own), "  end"]
        else:
            lines += [f"  {_vertex(*pair)}" for pair in own]
    for tail, head in picture.arrows:
        lines.append(f"  n{tail} {'-.->' if picture.crosses((tail, head)) else '-->'} n{head}")
    classes: dict[str, list[str]] = {}
    for number, box in enumerate(picture.boxes):
        kind = "derived" if box.backward and box.kind == "operation" else box.kind
        classes.setdefault(kind, []).append(f"n{number}")
    for kind, members in classes.items():
        lines += [f"  classDef {kind} {_CLASSES[kind]}", f"  class {','.join(members)} {kind}"]
    return "\n".join(lines) + "\n"


def _vertex(number: int, box: Box) -> str:
    first, last = _ENDS[box.kind]
    if box.kind == "operation" and max(map(len, box.lines)) > _WIDE:
        first, last = "(", ")"
    label = "<br/>".join(_escaped(line) for line in [*box.lines, *([box.shape] if box.shape else [])])
    return f'n{number}{first}"{label}"{last}'


def _escaped(text: str) -> str:
    """Write signs that mean something to Mermaid, Markdown or HTML by their numbers."""
    return "".join(f"#{ord(sign)};" if sign in _SPECIAL else sign for sign in text)
