"""Formulas: LaTeX read into a tree, and turned into Unicode and MathML."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
import sympy

from symback import errors
from symback.check.cases import cases_of
from symback.nodes.looks import _COMMANDS, _ESCAPES, _ONE_ARGUMENT, checked_look, latex_size
from symback.op.table import PRIMITIVES
from symback.page.blocks import Equation, Formula
from symback.page.lines import lines_of
from symback.page.markup import parse
from symback.page.mathml import mathml
from symback.page.measure import width
from symback.page.signs import in_alphabet
from symback.page.tree import Fence, Fraction, Row, Scripts, Sign
from symback.page.unicode import columns, unicode

# -- reading ------------------------------------------------------------------------------------------


def test_a_formula_is_read_into_a_small_tree():
    (fraction,) = parse(r"\frac{\partial L}{x}").parts
    assert isinstance(fraction, Fraction)
    assert [sign.text for sign in fraction.top.parts if sign.kind != "gap"] == ["∂", "L"]
    (scripts,) = parse("W_{12}^{\\top}'").parts
    assert scripts == Scripts(
        Sign("letter", "W"),
        Row((Sign("number", "12"),), ((3, 5),)),
        Row((Sign("ordinary", "⊤"), Sign("ordinary", "′"))),
    )
    fence = parse(r"\left(a - b\right.").parts[0]
    assert isinstance(fence, Fence)
    assert (fence.left, fence.right) == ("(", "")


@pytest.mark.parametrize(
    ("formula", "kinds"),
    [("a - b", "letter operator letter"), ("-b", "prefix letter"), ("a = -b", "letter relation prefix letter")],
)
def test_a_minus_is_a_sign_before_what_follows_where_nothing_stands_before_it(formula, kinds):
    assert [part.kind for part in parse(formula).parts if part.kind != "gap"] == kinds.split()


@pytest.mark.parametrize("wrong", [r"\foo x", "{x", "x}", r"\left(x", r"\frac{x}", "x^", r"\begin{cases} 1"])
def test_what_is_no_formula_is_shown_and_refused_only_if_that_is_asked_for(wrong):
    assert unicode(wrong)
    assert mathml(wrong)
    with pytest.raises(errors.InputError, match="cannot be turned into MathML or Unicode"):
        parse(wrong, strict=True)


def test_an_unknown_command_shows_its_name():
    assert unicode(r"\foo{x}") == r"\foox"
    assert r"\foo" in mathml(r"\foo < x")


@pytest.mark.parametrize("nested", ["{", r"\left(", "^{", r"\hat{", r"\frac{", r"\sqrt{", r"\begin{cases} "])
def test_what_is_nested_beyond_what_tex_allows_ends_in_dots(nested):
    assert "…" in unicode(nested * 20_000)
    assert "…" in mathml(nested * 20_000)


@pytest.mark.parametrize("bare", [r"\hat", r"\frac", r"\sqrt[", "^", r"\mathbf"])
def test_commands_without_braces_nest_no_deeper(bare):
    assert unicode(bare * 5_000 + "x") is not None
    assert mathml(bare * 5_000 + "x")


TOKENS = re.findall(
    r"\S+",
    r"{ } ^ _ ' & \\ \left( \right) \left \right \frac \sqrt [ ] \begin{cases} \end{cases} \begin{bmatrix} \hat \text "
    r"\mathbf a e 12 . + - = , | \| \{ \sum \log \partial \alpha \quad \, \bigl \operatorname \ % é < \odot "
    r"\begin{aligned} \end{aligned}",
)


def test_no_text_is_too_wrong_to_be_shown():
    random = np.random.default_rng(1)
    for length in random.choice([3, 8, 20, 80], size=250):
        latex = " ".join(random.choice(TOKENS, size=length))
        assert isinstance(unicode(latex), str)
        ET.fromstring(mathml(latex))
        assert lines_of(Equation(Formula("y"), (Formula(latex),)), 12.0)


def forms_of(formula):
    parse(formula, strict=True)
    ET.fromstring(mathml(formula, display=True))
    assert width(formula) > 0
    return unicode(formula)


def test_the_looks_of_all_primitives_are_known():
    shown = {}
    for name, declared in PRIMITIVES.items():
        for case in cases_of(declared, "float64", seed=0):
            shown[sympy.latex(case.node)] = name
    assert len(shown) >= len(PRIMITIVES)
    for formula, name in shown.items():
        assert "\\" not in forms_of(formula), (name, formula)


def allowed_looks():
    """One look for each command and escape that a look may hold."""
    for command in sorted(_COMMANDS):
        yield rf"\{command}" + ("{a}" if command in _ONE_ARGUMENT else "{a}{b}" if command == "frac" else " x")
    for sign in sorted(_ESCAPES - {"{", "}"}):
        yield rf"\mathrm{{a\{sign}b}}"
    yield from (r"\{x\}", "x!'", r"a|b:c;d/e?", r"\text{if 1 < 2}_{\mathrm{out}}^{(l)}")


def test_all_that_a_look_may_hold_is_known():
    for look in allowed_looks():
        assert checked_look(look) == look
        assert "\\" not in forms_of(look), look


@pytest.mark.parametrize("look", [r"\text{a {x_1}}", r"\text{{\alpha}}", r"\text{a_1}"])
def test_a_look_with_mathematics_inside_text_is_refused(look):
    with pytest.raises(errors.InvalidNameError, match="stands inside upright text"):
        checked_look(look)


@pytest.mark.parametrize("value", ["sqrt(2)", "pi/3", "E", "log(2)", "2**Rational(1, 3)", "EulerGamma", "GoldenRatio"])
def test_constants_and_sizes_as_sympy_prints_them_are_known(value):
    assert "\\" not in forms_of(sympy.latex(sympy.sympify(value)))
    n, k = sympy.symbols("n k", integer=True, positive=True)
    for size in (n * k - 1, n**2, sympy.floor(n / 2), sympy.Max(n, k), n // 2 + 1, sympy.Min(0, n - k)):
        assert "\\" not in forms_of(latex_size(size))


# -- Unicode and MathML ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "wanted"),
    [
        (r"\frac{\partial L}{\partial z_{2}}", "∂L/∂z₂"),
        (r"W_{2}^{\top} x + b", "W₂ᵀ x + b"),
        (r"\frac{\partial}{\partial x_{i}} \left(\sum_{j} x_{j}\right)", "∂/∂xᵢ (Σⱼ xⱼ)"),
        (r"\frac{1}{2} \lVert a_{2} - y \rVert^{2}", "½ ‖a₂ − y‖²"),
        (r"\sigma'\left(z_{1}\right)", "σ′(z₁)"),
        (r"\frac{\partial L}{\partial a} \frac{\partial a}{\partial z} b", "∂L/∂a · ∂a/∂z · b"),
        (r"\sum_{k=1}^{m} A_{ik} B_{kj}", "Σₖ₌₁ᵐ Aᵢₖ Bₖⱼ"),
        (r"\frac{\partial L}{\partial (W_{2})_{ij}}", "∂L/∂(W₂)ᵢⱼ"),
        (r"\frac{a + b}{c d} - \frac{-1}{x^{2}}", "(a + b)/(c d) − (−1)/x²"),
        (r"e^{-\frac{1}{2} x} + x^{q} + W_{a,b} + R_F", "e^(−½ x) + x^q + W_{a,b} + R_F"),
        (r"\bar{z}_{2} \hat{\theta} \widehat{ab}", "z̄₂ θ̂ hat(ab)"),
        (r"\mathcal{L} \mathbf{1}^{\top} \mathbb{R}^{n} \mathrm{loss}", "ℒ 𝟏ᵀ ℝⁿ loss"),
        (r"x \log x - \log\left(x\right) \operatorname{diag}\left(s\right)", "x log x − log(x) diag(s)"),
        (r"\left.\frac{\partial L}{\partial w}\right|_{\text{direct}}", "∂L/∂w|_{direct}"),
        (r"\begin{cases} x & x > 0 \\ -1 & \text{otherwise} \end{cases}", "{x if x > 0; −1 otherwise}"),
        (r"\begin{bmatrix} 1 & 2 \\ 3 & 0.5 \end{bmatrix}", "[1 2; 3 0.5]"),
        (r"\left[\sum_{k} A_{ik}\right]_{ij}", "[Σₖ Aᵢₖ]ᵢⱼ"),
        (r"\sqrt{1 - x^{2}} \sqrt{x} \sqrt[3]{2}", "√(1 − x²) √x ∛2"),
        (r"\frac{\partial^{2} L}{\partial a \partial b}", "∂²L/(∂a ∂b)"),
        (r"a^{\odot 2} \odot \left(1 - a\right)", "a^(⊙2) ⊙ (1 − a)"),
        (r"\left\lfloor \frac{a}{b} \right\rfloor \left|x\right|", "⌊a/b⌋ |x|"),
    ],
)
def test_formulas_in_unicode(formula, wanted):
    assert unicode(formula) == wanted


@pytest.mark.parametrize(
    ("letter", "alphabet", "wanted"),
    [
        ("A", "mathbf", "𝐀"),
        ("h", "mathbb", "𝕙"),
        ("R", "mathfrak", "ℜ"),
        ("σ", "boldsymbol", "𝝈"),
        ("∑", "mathbf", "∑"),
    ],
)
def test_letters_in_alphabets(letter, alphabet, wanted):
    assert in_alphabet(letter, alphabet) == wanted


def test_columns_of_a_terminal():
    assert columns(unicode(r"\bar{z}_{2}")) == 2
    assert columns("中") == 2


@pytest.mark.parametrize(
    ("formula", "wanted"),
    [
        (r"x^{2}", "<msup><mi>x</mi><mn>2</mn></msup>"),
        (r"a < b", "<mi>a</mi><mo>&lt;</mo><mi>b</mi>"),
        (r"\text{a<b &}", "<mtext>a&lt;b&#xa0;&amp;</mtext>"),
        (r"-x", '<mo form="prefix">−</mo><mi>x</mi>'),
        (r"\sum_{k} x", "<munder><mo>∑</mo><mi>k</mi></munder><mi>x</mi>"),
    ],
)
def test_formulas_in_mathml(formula, wanted):
    assert mathml(formula) == f"<math>{wanted}</math>"
