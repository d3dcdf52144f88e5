"""Pictures in the language of Graphviz."""

from symback.draw.picture import Box, Picture

_SHAPES = {
    "variable": 'shape=box, style="rounded,filled", fillcolor="#dcebfb", color="#1f5f9e"',
    "constant": 'shape=parallelogram, style="filled", fillcolor="#eeeeee", color="#666666"',
    "operation": 'shape=ellipse, style="filled", fillcolor="#ffffff", color="#444444"',
    "result": 'shape=box, style="filled", fillcolor="#e3f3e1", color="#2f7a36"',
    "adjoint": 'shape=hexagon, style="filled", fillcolor="#fde6d3", color="#b3470f"',
}
_ACROSS = 'style=dashed, color="#76808a", constraint=false'


def dot_of(picture: Picture) -> str:
    """Return a digraph; the halves are drawn side by side, as in the other forms."""
    lines = [
        "digraph {",
        f"  label={_quoted(picture.title)};",
        '  graph [rankdir=TB, fontname="Helvetica", labelloc=t];',
        '  node [fontname="Helvetica"];',
    ]
    halves = [[number for number, box in enumerate(picture.boxes) if box.backward == half] for half in (False, True)]
    for name, half in zip(("forward", "backward"), halves, strict=True):
        if half:
            lines.append(f"  subgraph {name} {{")
            lines += [f"    {_vertex(number, picture.boxes[number])}" for number in half]
            lines.append("  }")
    lines += [f"  {_edge(picture, arrow)}" for arrow in picture.arrows]
    beside: dict[int, list[int]] = {}
    for number, box in enumerate(picture.boxes):
        if box.beside is not None:
            beside.setdefault(box.beside, []).append(number)
    lines += [f"  {{ rank=same; n{of}; {'; '.join(f'n{n}' for n in numbers)}; }}" for of, numbers in beside.items()]
    return "\n".join([*lines, "}"]) + "\n"


def _vertex(number: int, box: Box) -> str:
    label = _quoted("\n".join([*box.lines, *([box.shape] if box.shape else [])]))
    look = _SHAPES[box.kind]
    if box.kind == "operation" and box.backward:
        look = look.replace('"filled"', '"filled,dashed"').replace("#444444", "#b3470f")
    return f"n{number} [label={label}, tooltip={_quoted(box.title)}, {look}{', penwidth=2.2' if box.strong else ''}];"


def _edge(picture: Picture, arrow: tuple[int, int]) -> str:
    """Write an arrow; those of the backward pass are written from head to tail, so that they run upwards."""
    tail, head = arrow
    if picture.crosses(arrow):
        return f"n{tail} -> n{head} [{_ACROSS}];"
    if picture.boxes[tail].backward:
        return f'n{head} -> n{tail} [dir=back, color="#b3470f"];'
    return f"n{tail} -> n{head};"


def _quoted(text: str) -> str:
    """Return a text as a quoted string, in which nothing but quotes and line ends means anything."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
