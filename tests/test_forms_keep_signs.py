"""No sign of a formula is lost on the way from LaTeX to MathML, and Unicode has the parentheses that a line needs."""

import html
import re
import unicodedata
from collections import Counter

import pytest

import models_derived
import symback as sb
from symback.derivation.proof.verify import equations_of
from symback.page import signs
from symback.page.mathml import mathml
from symback.page.unicode import unicode

_TABLES = (signs.RELATIONS, signs.OPERATORS, signs.PREFIXES, signs.LARGE, signs.LETTERS, signs.UPRIGHT)
_SIGNS = {name: sign for table in (*_TABLES, signs.OPENING, signs.CLOSING) for name, sign in table.items()}
_TOKEN = re.compile(r"\\text\{([^}]*)\}|\\(begin|end)\{(\w+)\}|\\([A-Za-z]+)|\\(.)|(\S)")
_FENCES = {("begin", "cases"): "{", ("begin", "bmatrix"): "[", ("end", "bmatrix"): "]"}
_PLAIN = {"-": "\u2212", "*": "∗", "'": "′"}


def _of_latex(text):
    found = ""
    for words, side, table, command, escape, other in _TOKEN.findall(text):
        found += words + _FENCES.get((side, table), "") + _SIGNS.get(command, "")
        found += command if command in signs.FUNCTIONS else ""
        found += escape if escape not in "\\,;:! " else ""
        found += _PLAIN.get(other, other) if other not in "{}^_&." else ""
    return Counter(re.sub(r"\s", "", found))


def _of_mathml(text):
    bare = re.sub(r"<mover accent[^>]*>(.*?)<mo [^>]*>[^<]*</mo></mover>", r"\1", mathml(text))
    bare = html.unescape(re.sub(r"<[^>]*>", "", bare)).replace("\u2061", "")
    plain = (unicodedata.normalize("NFKC", sign) if ord(sign) > 0x1D000 or sign in "ℒℝ" else sign for sign in bare)
    return Counter(re.sub(r"\s", "", "".join(plain)))


@pytest.mark.parametrize("options", [{}, {"notation": "index"}], ids=["matrices", "entries"])
@pytest.mark.parametrize("model", [m for m in models_derived.MODELS if m is not models_derived.twenty_layers])
def test_mathml_has_every_sign_of_the_formula(model, options):
    for equation in equations_of(sb.derive(*model(), **options)):
        for formula in (equation.left, *equation.sides):
            assert _of_mathml(formula.text) == _of_latex(formula.text), formula.text


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"\frac{a + b}{c}", "(a + b)/c"),
        (r"\frac{a}{b + c}", "a/(b + c)"),
        (r"\frac{a}{b c}", "a/(b c)"),
        (r"\frac{1}{2} \left(a + b\right)", "½ (a + b)"),
        (r"x^{n + 1}", "xⁿ⁺¹"),
        (r"\sqrt{a + b}", "√(a + b)"),
        (r"\frac{\frac{a}{b}}{c}", "(a/b)/c"),
    ],
)
def test_a_line_of_unicode_has_the_parentheses_that_it_needs(latex, text):
    assert unicode(latex) == text
