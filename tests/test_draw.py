"""Pictures of graphs: what is drawn, where it stands, and that all three forms are well-formed and escaped."""

import re
import time
from functools import cache
from itertools import product
from math import comb
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import sympy

import symback as sb
from networks import NETWORKS, two_layers
from symback import errors
from symback.draw import measure
from symback.draw.layout import laid_out
from symback.draw.lines import angular, curve
from symback.draw.order import ordered
from symback.draw.picture import KINDS, Box, Picture
from symback.draw.rows import rows_of
from symback.draw.svg import _size, svg_of

SVG = "{http://www.w3.org/2000/svg}"
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def circuit():
    x, y, z = sb.tensor("x"), sb.tensor("y"), sb.tensor("z")
    return sb.let("f", sb.let("q", x + y) * z), [x, y, z]


def attention():
    X, W = sb.tensor("X", ("n", "d")), [sb.tensor(f"W_{k}", ("d", "k")) for k in "QKV"]
    Q, K, V = (sb.let(name, X @ w) for name, w in zip("QKV", W, strict=True))
    A = sb.let("A", sb.softmax(Q @ K.T / sb.sqrt(sb.size("k")), axis=-1))
    return sb.let("L", sb.sum((A @ V) ** 2)), W


def tied():
    W, x = sb.tensor("W", ("h", "n")), sb.tensor("x", ("n",))
    return sb.let("L", sb.sum((W.T @ sb.tanh(W @ x) - x) ** 2)), [W]


def deep(layers=8):
    a = sb.tensor("x", ("n",))
    weights = [sb.tensor(f"W_{k}", ("n", "n")) for k in range(layers)]
    for k, W in enumerate(weights):
        a = sb.let(f"a_{k}", sb.tanh(W @ a))
    return sb.let("L", a @ a), weights


def residual():
    """Arrows over many rows, which run beside the boxes."""
    c, h = sb.tensor("c", ("n",)), sb.tensor("x", ("n",))
    for k in range(9):
        h = sb.let(f"h_{k}", h + sb.tanh(c * h) + c)
    return sb.let("L", sb.sum(h)), [c]


MODELS = {"circuit": circuit, "attention": attention, "tied": tied, "deep": deep, "residual": residual}
MODELS["batch"] = lambda: (NETWORKS["batch"]().loss, NETWORKS["batch"]().parameters)
CASES = [(name, level, wrt) for name, level, wrt in product(MODELS, ("named", "all"), (True, False))]


@cache
def drawn(name, level, backward):
    loss, wrt = MODELS[name]()
    return sb.draw(loss, wrt=wrt if backward else None, level=level)


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0]}-{case[1]}-{'wrt' if case[2] else 'forward'}")
def drawing(request):
    return drawn(*request.param)


def texts(drawing):
    return [" ".join(box.lines) for box in drawing.picture.boxes]


def box_of(drawing, start):
    return next(number for number, text in enumerate(texts(drawing)) if text.split(" = ")[0] == start)


# -- what is drawn ----------------------------------------------------------------------------


def test_the_circuit_with_its_gradients():
    loss, wrt = circuit()
    drawing = sb.draw(loss, wrt=wrt)
    assert sorted(texts(drawing)) == sorted(
        ["x", "y", "z", "q = x + y", "f = q z", "∂f/∂q = z", "∂f/∂x = ∂f/∂q", "∂f/∂y = ∂f/∂q", "∂f/∂z = q"]
    )
    arrows = {(texts(drawing)[tail], texts(drawing)[head]) for tail, head in drawing.picture.arrows}
    assert ("z", "∂f/∂q = z") in arrows
    assert ("∂f/∂q = z", "∂f/∂x = ∂f/∂q") in arrows
    assert ("q = x + y", "∂f/∂z = q") in arrows


def test_the_network_of_the_first_seed_text():
    network = two_layers()
    drawing = sb.draw(network.loss, wrt=network.parameters)
    assert texts(drawing)[-8:] == [
        "∂L/∂a₂ = a₂ − y", "∂L/∂z₂ = ∂L/∂a₂ ⊙ a₂ ⊙ (1 − a₂)", "∂L/∂a₁ = W₂ᵀ · ∂L/∂z₂",
        "∂L/∂z₁ = ∂L/∂a₁ ⊙ a₁ ⊙ (1 − a₁)",
        "∂L/∂W₁ = ∂L/∂z₁ · xᵀ", "∂L/∂b₁ = ∂L/∂z₁", "∂L/∂W₂ = ∂L/∂z₂ · a₁ᵀ", "∂L/∂b₂ = ∂L/∂z₂",
    ]  # fmt: skip
    kinds = {box.lines[0]: box.kind for box in drawing.picture.boxes}
    assert kinds["W₁"] == kinds["b₁"] == "variable"
    assert kinds["z₁ = W₁ x + b₁"] == "result"
    assert {box.shape for box in drawing.picture.boxes} == {"n", "m", "h", "h × n", "m × h", "scalar"}


def test_operations_have_names():
    A, B, x = sb.tensor("A", ("n", "n")), sb.tensor("B", ("n", "n")), sb.tensor("x", ("n",))
    given = {
        "matmul": A @ B, "⊙": A * B, "+": A + B, "−": A - B, "1 − ·": 1 - x, "· + 1": x + 1, "× 2": 2 * x,
        "transpose": A.T, "outer product": sb.outer(x, 2 + x), "inner product": x @ (x + 1), "‖·‖²": x @ x,
        "square": x * x, "sum": sb.sum(A, axis=0), "trace": sb.trace(A), "diagonal": sb.diagonal(A),
        "diagonal matrix": sb.diag(x), "tanh": sb.tanh(x), "power(·, 3)": x**3, "maximum(·, 0)": sb.maximum(x, 0),
        "matmul ": sb.exp(A) @ x,
    }  # fmt: skip
    for label, node in given.items():
        found = sb.draw(node, level="all").picture.boxes
        assert label.strip() in [line for box in found for line in box.lines], (label, found)


def test_gradients_among_the_outputs_are_a_backward_pass():
    network = two_layers()
    gradients = sb.grad(network.loss, network.parameters)
    with_gradients, with_wrt = sb.draw([network.loss, *gradients]), sb.draw(network.loss, wrt=network.parameters)
    assert sorted(texts(with_gradients)) == sorted(texts(with_wrt))
    beside = {box.lines: box.beside for box in with_gradients.picture.boxes}
    assert beside == {box.lines: box.beside for box in with_wrt.picture.boxes}


def test_long_and_shared_parts_get_names():
    x = sb.tensor("x", ("n",))
    shared = sb.exp(sb.sin(x)) + sb.cos(x) * sb.log(x)
    drawn = sb.draw(sb.let("L", sb.sum(shared * shared * sb.tanh(shared))), level="named")
    assert [text for text in texts(drawn) if text.startswith("t₁ = ")]
    y = x
    for _ in range(40):
        y = sb.sin(y) * y + y
    lines = [line for box in sb.draw(y, level="named").picture.boxes for line in box.lines]
    assert max(map(len, lines)) <= 40


def test_without_names_every_operation_has_a_box():
    x, y, z = sb.tensor("x"), sb.tensor("y"), sb.tensor("z")
    assert texts(sb.draw((x + y) * z)) == ["x", "y", "+", "z", "×"]


def test_a_name_stands_for_its_expression_wherever_that_is_used():
    x, y = sb.tensor("x", ("n",)), sb.tensor("y", ("n",))
    part = sb.exp(x) * y
    drawn = sb.draw([sb.let("b", sb.sin(part)), sb.let("a", part)])
    assert texts(drawn) == ["x", "y", "b = sin(a)", "a = eˣ ⊙ y"]
    assert (3, 2) in drawn.picture.arrows


def test_plain_sympy_expressions_are_drawn():
    a, b = sympy.symbols("a b")
    assert "∂ℒ/∂a" in " ".join(texts(sb.draw(a * b + sympy.sin(a), wrt=[a, b])))


@pytest.mark.parametrize("outputs", [sb.zeros((2, 0)), sb.eye(3), sb.tensor("x"), sb.let("c", sb.ones(("n",)))])
def test_graphs_without_operations_are_drawn(outputs):
    assert ElementTree.fromstring(sb.draw(outputs).svg()).tag == f"{SVG}svg"


# -- where it stands --------------------------------------------------------------------------


@cache
def layout_of(drawing):
    sizes = [_size(box) for box in drawing.picture.boxes]
    return laid_out(drawing.picture, sizes), sizes


def test_boxes_stand_apart_and_within_the_picture(drawing):
    layout, sizes = layout_of(drawing)
    places = [
        (x - w / 2, y - h / 2, x + w / 2, y + h / 2) for (x, y), (w, h) in zip(layout.centres, sizes, strict=True)
    ]
    assert all(
        a >= -0.1 and b >= -0.1 and c <= layout.width + 0.1 and d <= layout.height + 0.1 for a, b, c, d in places
    )
    for number, (a, b, c, d) in enumerate(places):
        for left, top, right, bottom in places[:number]:
            assert c <= left or right <= a or d <= top or bottom <= b


def test_arrows_run_down_in_the_forward_half_and_up_in_the_backward_half(drawing):
    rows = rows_of(drawing.picture)
    for tail, head in drawing.picture.arrows:
        if not drawing.picture.crosses((tail, head)):
            down = rows[head] - rows[tail]
            assert down < 0 if drawing.picture.boxes[tail].backward else down > 0
        else:
            assert drawing.picture.boxes[head].backward


def test_adjoints_stand_beside_their_quantities(drawing):
    rows = rows_of(drawing.picture)
    beside = [(n, box.beside) for n, box in enumerate(drawing.picture.boxes) if box.beside is not None]
    assert all(rows[number] == rows[other] for number, other in beside)
    assert bool(beside) == drawing.picture.has_backward


def test_the_backward_half_is_right_of_the_forward_half(drawing):
    layout, _ = layout_of(drawing)
    half = {False: [], True: []}
    for box, (x, _) in zip(drawing.picture.boxes, layout.centres, strict=True):
        half[box.backward].append(x)
    assert not half[True] or max(half[False]) < min(half[True])


def test_no_arrow_crosses_a_box(drawing):
    layout, sizes = layout_of(drawing)
    half = np.array(sizes) / 2 - 1
    for arrow, line in zip(drawing.picture.arrows, layout.lines, strict=True):
        near = np.abs(np.array(points(line.shaft))[:, None] - np.array(layout.centres)) < half
        assert not set(np.flatnonzero(near.all(axis=2).any(axis=0))) - set(arrow)


def points(path):
    """Return points along a path, close enough to meet any box that it crosses."""
    found, (x, y) = [], (0.0, 0.0)
    t = np.linspace(0, 1, 24)[:, None]
    for sign, rest in re.findall(r"([MLVCQ])([^MLVCQ]*)", path):
        given = [float(number) for number in NUMBER.findall(rest)]
        corners = np.array([x, y, *([x, *given] if sign == "V" else given)]).reshape(-1, 2)
        (x, y), order = corners[-1], len(corners) - 1
        if sign == "M":
            corners, order = corners[-1:], 0
        found += list(sum(comb(order, k) * t**k * (1 - t) ** (order - k) * corner for k, corner in enumerate(corners)))
    return found


def test_arrows_begin_and_end_at_their_boxes(drawing):
    layout, sizes = layout_of(drawing)
    for (tail, head), line in zip(drawing.picture.arrows, layout.lines, strict=True):
        ends = points(line.shaft)[0], tuple(float(number) for number in NUMBER.findall(line.head)[:2])
        for (x, y), box in zip(ends, (tail, head), strict=True):
            dx, dy = abs(x - layout.centres[box][0]), abs(y - layout.centres[box][1])
            w, h = sizes[box]
            assert max(dx - w / 2, dy - h / 2) == pytest.approx(0, abs=0.2)


def test_adjoints_that_cannot_stand_beside_their_quantities_are_drawn_elsewhere():
    boxes = [Box("variable", (name,), "", name) for name in "ab"]
    boxes += [Box("adjoint", (f"d{number}",), "", "", backward=True, beside=number) for number in (0, 1)]
    rows = rows_of(Picture("", tuple(boxes), ((0, 1), (2, 3))))
    assert rows[1] > rows[0]
    assert rows[3] < rows[2]


def test_crossings_that_need_not_be_are_removed():
    assert ordered([[0, 1, 2], [3, 4, 5]], [(0, 5), (1, 4), (2, 3)]) in ([[0, 1, 2], [5, 4, 3]], [[2, 1, 0], [3, 4, 5]])


def test_heads_point_where_arrows_go():
    assert curve([(0, 0), (0, 30)]).head == "M0 30L-3.4 22L3.4 22Z"
    assert curve([(0, 30), (0, 0)]).head == "M0 0L3.4 8L-3.4 8Z"
    assert angular([(0, 0), (10, 0), (10, 20), (40, 20)]).head == "M40 20L32 23.4L32 16.6Z"


def test_lines_are_broken_in_front_of_operators():
    assert measure.wrapped("a = b + c", 20, 2) == ("a = b + c",)
    assert measure.wrapped("abcdefghijk", 5, 2) == ("abcde", "fghi…")
    assert measure.width("WWW") > measure.width("iii")


# -- forms ------------------------------------------------------------------------------------


def test_svg_is_well_formed_and_self_contained(drawing):
    text = drawing.svg()
    root = ElementTree.fromstring(text)
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    assert root.find(f"{SVG}title").text == drawing.picture.title
    assert root.find(f"{SVG}desc").text
    assert not re.search(r"href|url\(|@import|<script|font-face", text)
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(set(ids)) == len(ids) == 3
    assert set(root.get("aria-labelledby").split()) == set(ids[1:])
    outlines = [element for element in root.iter() if element.get("class") == "box"]
    assert len(outlines) == len(drawing.picture.boxes)


def test_two_drawings_of_one_page_do_not_clash():
    first, second = (sb.draw(*build()).svg() for build in (circuit, tied))
    names = [ElementTree.fromstring(text).get("id") for text in (first, second)]
    assert names[0] != names[1]
    style = re.search(r"<style>(.*?)</style>", first, re.DOTALL)[1]
    rules = [line for line in style.splitlines() if "{" in line and not line.startswith("@media")]
    assert all(line.startswith(f"#{names[0]}") for line in rules if line)


def test_drawings_are_the_same_each_time():
    for build in (attention, residual):
        first, second = (sb.draw(*build()) for _ in range(2))
        assert (first.svg(), first.dot(), first.mermaid()) == (second.svg(), second.dot(), second.mermaid())


def test_kinds_differ_in_shape_in_every_form():
    boxes = tuple(Box(kind, (kind,), "n", kind) for kind in KINDS)
    drawing = sb.Drawing(Picture("kinds", boxes, ()))
    elements = [e for e in ElementTree.fromstring(drawing.svg()).iter() if e.get("class") == "box"]
    corners = [(e.tag, len((e.get("points") or "").split()), e.get("rx") not in (None, "0")) for e in elements]
    assert len(set(corners)) == len(KINDS)
    looks = re.findall(r'shape=\w+, style="[\w,]+"', drawing.dot())
    assert len(set(looks)) == len(KINDS)
    brackets = re.findall(r"n\d([^\w\"]+)\"", drawing.mermaid())
    assert len(set(brackets)) == len(KINDS)


HOSTILE = '"]; end <script>alert(1)</script> & `x` # \\" %%{init}%% $$x$$ \x00'


@pytest.mark.parametrize("kind", KINDS)
def test_texts_are_escaped(kind):
    box = Box(kind, (HOSTILE,), HOSTILE, HOSTILE)
    drawing = sb.Drawing(Picture(HOSTILE, (box, box), ((0, 1),)))
    root = ElementTree.fromstring(svg_of(drawing.picture))
    assert root.find(f"{SVG}title").text == HOSTILE.replace("\x00", "\ufffd")
    assert not list(root.iter(f"{SVG}script"))
    for line in drawing.dot().splitlines():
        assert re.fullmatch(r'(?:[^"\\]|"(?:[^"\\]|\\.)*")*', line)
    vertices = [line for line in drawing.mermaid().splitlines() if re.match(r"\s*n\d\W*\"", line)]
    assert len(vertices) == 2
    for line in vertices:
        inside = re.fullmatch(r'\s*n\d[\[({/]+"(.*)"[\])}/]+', line)[1]
        assert not set('"`\\%$&') & set(inside.replace("<br/>", ""))
        assert "<" not in inside.replace("<br/>", "")


def test_mermaid_and_dot_name_every_box_and_arrow(drawing):
    boxes, arrows = drawing.picture.boxes, drawing.picture.arrows
    mermaid, dot = drawing.mermaid(), drawing.dot()
    assert mermaid.startswith("flowchart TB\n")
    assert len(re.findall(r"^ +n\d+\W*\"", mermaid, re.MULTILINE)) == len(boxes)
    assert len(re.findall(r"n\d+ (?:-->|-\.->) n\d+$", mermaid, re.MULTILINE)) == len(arrows)
    assert len(re.findall(r"^ +n\d+ \[label=", dot, re.MULTILINE)) == len(boxes)
    assert len(re.findall(r"n\d+ -> n\d+", dot)) == len(arrows)


def test_the_page_shows_what_mermaid_returns():
    page = (Path(__file__).parents[1] / "docs" / "pictures.md").read_text(encoding="utf-8")
    assert f"```mermaid\n{sb.draw(*circuit()).mermaid()}```" in page
    namespace = {}
    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(block, namespace)
    assert f"```mermaid\n{namespace['network'].mermaid()}```" in page


@pytest.mark.parametrize("suffix", [".svg", ".dot", ".gv", ".mmd", ".md", ".SVG"])
def test_save_writes_the_form_of_the_suffix(suffix, tmp_path):
    drawing = sb.draw(*circuit())
    path = tmp_path / f"picture{suffix}"
    drawing.save(path)
    forms = {".svg": drawing.svg(), ".dot": drawing.dot(), ".gv": drawing.dot(), ".mmd": drawing.mermaid()}
    expected = forms.get(suffix.lower(), f"```mermaid\n{drawing.mermaid()}```\n")
    assert path.read_text(encoding="utf-8") == expected
    assert [found.name for found in tmp_path.iterdir()] == [path.name]


def test_save_refuses_other_suffixes(tmp_path):
    with pytest.raises(errors.InputError, match=r"none of the suffixes \.svg, \.dot, \.gv, \.mmd, \.md"):
        sb.draw(*circuit()).save(tmp_path / "picture.png")


def test_a_drawing_shows_itself():
    drawing = sb.draw(*circuit())
    assert (
        str(drawing)
        == repr(drawing)
        == "The computational graph of f, and its derivative by x, y, z: 9 boxes, 8 arrows"
    )
    assert drawing._repr_svg_() == drawing.svg()


# -- limits -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda f, x: sb.draw(f, level="some"), errors.InputError, "draw: level='some' is not known"),
        (lambda f, x: sb.draw([]), errors.SymbackError, "draw"),
        (lambda f, x: sb.draw(f, wrt=[]), errors.SymbackError, "draw"),
        (lambda f, x: sb.draw([f, f], wrt=x), errors.SymbackError, "draw"),
        (lambda f, x: sb.draw(sb.tensor("v", (2,)), wrt=x), errors.DerivativeError, "scalar"),
        (lambda f, x: sb.draw(f, wrt=sb.tensor("w")), errors.DerivativeError, "w"),
    ],
)
def test_what_cannot_be_drawn_is_refused(call, error, message):
    loss, (x, *_) = circuit()
    with pytest.raises(error, match=message):
        call(loss, x)


def test_too_many_boxes_are_refused_with_the_cure():
    y = x = sb.tensor("x", (3,))
    for _ in range(3000):
        y = sb.sin(y)
    with pytest.raises(errors.InputError, match=r"draw: 3002 boxes are too many .* draw it by level=\"named\""):
        sb.draw(y + x, level="all")


def test_a_graph_of_a_thousand_boxes_is_drawn_soon():
    loss, wrt = deep(160)
    start = time.process_time()
    drawing = sb.draw(loss, wrt=wrt)
    assert len(drawing.svg()) > 100_000
    assert len(drawing.picture.boxes) > 800
    assert time.process_time() - start < 8
