"""How a node prints itself: text in let-form, SymPy's printers, a notebook; and names that could break a form."""

import re
from xml.etree import ElementTree

import pytest
import sympy

import symback as sb
from latex_syntax import check_latex
from networks import two_layers
from symback import errors

x, y = sb.tensor("x", ("n",)), sb.tensor("y", ("n",))
W = sb.tensor("W", ("m", "n"))


@pytest.mark.parametrize(
    ("node", "text"),
    [
        (2 * x - 1, "2*x - 1"),
        (2 * (x - 1), "2*(x - 1)"),
        (x - (y + 1), "x - (y + 1)"),
        ((x + y) * y, "(x + y)*y"),
        (W @ (x + y), "W @ (x + y)"),
        (sb.exp(x + y), "exp(x + y)"),
        (sb.let("z", W @ x + 1), "z = W @ x + 1"),
        (sb.exp(sb.let("z", W @ x + 1)), "z = W @ x + 1\nexp(z)"),
        (sb.let("b", sb.let("a", x)), "a = x\nb = a"),
        (x, "x"),
    ],
)
def test_nodes_print_as_they_are_written(node, text):
    assert str(node) == repr(node) == sympy.sstr(node) == text
    assert [line.rstrip() for line in sympy.pretty(node).splitlines()] == text.splitlines()


def test_lines_stand_in_the_order_of_computing():
    network = two_layers()
    assert str(sb.grad(network.loss, network.parameters)[0]).splitlines() == [
        "z1 = W1 @ x + b1", "a1 = sigmoid(z1)", "z2 = W2 @ a1 + b2", "a2 = sigmoid(z2)", "d_a2 = a2 - y",
        "d_z2 = d_a2*a2*(1 - a2)", "d_a1 = W2.T @ d_z2", "d_z1 = d_a1*a1*(1 - a1)", "d_W1 = outer('i,j->ij', d_z1, x)",
    ]  # fmt: skip


def test_shared_parts_get_names_that_are_free():
    t1 = sb.tensor("t1", ("n",))
    shared = sb.exp(t1) + sb.sin(x) * y
    assert str(shared * sb.cos(shared)) == "t2 = exp(t1) + sin(x)*y\nt2*cos(t2)"


def defined_before_use(text):
    """Check that each auxiliary name of a text stands left before it stands right."""
    known = set()
    for line in text.splitlines():
        left, _, right = line.rpartition(" = ")
        assert set(re.findall(r"\bt\d+\b", right)) <= known
        known.add(left)
    return known


@pytest.mark.parametrize("depth", [10, 30, 1000])
def test_text_is_as_long_as_the_graph_is_large(depth):
    node = x
    for _ in range(depth):
        node = sb.sin(node) * node + node
    assert len(str(node)) < 2000
    if depth < 40:
        assert len(str(node)) < 60 * depth
        assert len(defined_before_use(str(node))) > depth / 3
    else:
        assert str(node).startswith("…\n")


def test_wide_and_unshared_graphs_are_cut_at_a_readable_length():
    node = sum((sb.exp(sb.tensor(f"x{k}", ("n",))) for k in range(300)), start=x)
    assert len(str(node)) < 2000
    assert "…" in str(node)
    assert len(node.short()) <= 60


def test_containers_print_their_nodes():
    node = sb.let("z", x + 1)
    assert str([node, x]) == "[z = x + 1, x]"
    assert sympy.latex([x, 2 * x]) == r"\left[ x, \  2 x\right]"
    assert sympy.latex({x: 1}) == r"\left\{ x : 1\right\}"
    assert sympy.sstr({x: x + 1}) == "{x: x + 1}"
    assert sympy.pretty((x, x + 1)) == "(x, x + 1)"


def test_a_notebook_shows_what_a_name_stands_for():
    assert sb.let("z", W @ x)._repr_latex_() == r"$\displaystyle z = W x$"
    assert (W @ x)._repr_latex_() == r"$\displaystyle W x$"
    node = x
    for _ in range(12):
        node = sb.sin(node) * node + node
    for shown in (node, sb.let("z", node)):
        text = shown._repr_latex_()
        check_latex(text.strip("$"))
        assert text.startswith("$\\displaystyle \\begin{aligned}\nt_{1} &= ")
    assert "\\\\\nz &= " in text


@pytest.mark.parametrize(
    "printer", [sympy.mathml, lambda node: sympy.mathml(node, printer="presentation"), sympy.ccode, sympy.julia_code,
                sympy.maple_code, sympy.mathematica_code, sympy.octave_code, sympy.pycode, sympy.jscode]
)  # fmt: skip
def test_printers_that_know_no_nodes_say_so(printer):
    with pytest.raises(errors.UsageError, match=r"use sb\.lambdify|use sympy\.latex"):
        printer(sb.exp(x))


# -- names that mean something to one form or another -----------------------------------------

HOSTILE = ["a%b", "W^T", "a b", "a&b", "a_{", r"\input{f}", "a<b", 'a"b', "a]b", "end;", "x$y", "#x", "a\nb", "", "_x"]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_that_would_break_a_form_are_refused(name):
    for make in (lambda: sb.tensor(name), lambda: sb.let(name, x), lambda: sb.from_sympy(sympy.Symbol(name))):
        with pytest.raises(errors.InvalidNameError, match="cannot be used as a name"):
            make()
    for make in (lambda: sb.tensor("v", (name,)), lambda: sb.size(name)):
        with pytest.raises(errors.SymbackError, match="is no size"):
            make()


@pytest.mark.parametrize(
    "look", ["%", "a & b", r"\input{f}", r"\def\a{b}", "x_1_2", "W^T^T", "$x$", "a\nb", "~", "é", "{"]
)
def test_looks_that_would_break_a_form_are_refused(look):
    with pytest.raises(errors.InvalidNameError, match="latex="):
        sb.tensor("v", latex=look)


NAMES = {
    "x_1_2": ("x_{1,2}", "x₁,₂"), "theta": (r"\theta", "θ"), "W_out": (r"W_{\mathrm{out}}", "Wₒᵤₜ"),
    "lambda_": (r"\lambda", "λ"), "end": (r"\mathrm{end}", "end"), "learning_rate": (None, None),
}  # fmt: skip
LOOKS = [r"W^{\top}", r"\hat{\theta}_{1}", r"x_{1,2}", r"50\%", r"A \& B", r"\text{a b}", "a < b", r"\#1"]


@pytest.mark.parametrize("name", NAMES)
def test_names_print_in_every_form(name):
    v = sb.tensor(name, ("n",))
    latex, _ = NAMES[name]
    check_latex(sympy.latex(v))
    assert latex is None or sympy.latex(v) == latex
    assert str(v) == name
    forms(v)


@pytest.mark.parametrize("look", LOOKS)
def test_looks_print_in_every_form(look):
    v = sb.tensor("v", ("n",), latex=look)
    assert sympy.latex(v) == look
    assert str(v) == "v"
    forms(v)


def forms(v):
    """Print a loss of a variable in every form, and look whether each is well-formed."""
    loss = sb.let("L", sb.sum(v * v))
    drawing, derivation = sb.draw(loss, wrt=v), sb.derive(loss, v)
    ElementTree.fromstring(drawing.svg())
    assert all(line.count('"') % 2 == 0 for line in drawing.dot().replace('\\"', "").splitlines())
    assert all(line.count('"') in (0, 2) for line in drawing.mermaid().splitlines())
    markup = derivation.html()
    ElementTree.fromstring(re.search(r"<math.*?</math>", markup, re.DOTALL)[0])
    assert derivation.text()
    check_latex(sympy.latex(sb.exp(v)))
    compile(sb.lambdify([v], [loss, sb.grad(loss, v)], check=False).source, "<source>", "exec")
