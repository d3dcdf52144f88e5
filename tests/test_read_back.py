"""What derivations print, read back from the text alone: it says what its meaning is, sign by sign.

Verification evaluates the meaning that is built beside each text; here a reader who knows the usual precedences, and
nothing of the printer, evaluates the text itself.
"""

from collections import Counter

import pytest

import models_derived
import symback as sb
from latex_grammar import AmbiguousError, grammar
from random_graphs import seeded_programs
from reading_derivations import names_of, outcome, point_of, read_back
from symback import errors
from symback.derivation.proof.verify import equations_of
from symback.graph import toposort
from symback.latex.printer import Printer, latex
from symback.nodes.leaves import Variable

STYLES = {
    "matrices": {},
    "entries": {"notation": "index"},
    "rows": {"layout": "row"},
    "bars": {"adjoint": "bar"},
    "deltas": {"adjoint": "delta", "hadamard": r"\circ"},
}

DEEP = (models_derived.twenty_layers, models_derived.layers_by_superscript)
"""Their lines are those of other models, many times over."""

OF_EACH_KIND = (
    models_derived.two_layer_network,
    models_derived.layer_normalisation,
    models_derived.attention,
    models_derived.gaussian_likelihood,
)

UNREAD = {
    "a function of the last axes of an array": "tril or a solution for each of several matrices: an array of four axes "
    "is printed as one matrix, so that a reader cannot see which axes the function is of",
    "an array of three axes without indices": "how it broadcasts is left to the reader",
}
"""What no reader can be sure of, and why; of the derivations of the models only the Hessians through a solution."""

UNREAD_IN_RANDOM = {
    **UNREAD,
    "a derivative of or by what has no name": "a quantity without a name is printed as its expression or by a letter",
    r"the function \operatorname{reshape} of 1": "the shape is not printed",
    r"the function \operatorname{embed}_": "zeros around a part, whose number is not printed",
    "what follows at ',:": "an axis that is kept behind one that is not",
    r"'\\#": "a number of entries that are equal",
    "':": "a slice with a kept axis",
}


def _unread(found, known):
    """Return what came of formulas, without those that were read and the constructs that are known."""
    return [(kind, text) for kind, text in found if kind != "read" and not any(kind.startswith(k) for k in known)]


@pytest.mark.parametrize(
    ("model", "style"),
    [(m, "matrices") for m in models_derived.MODELS]
    + [(m, style) for m in models_derived.MODELS for style in ("entries", "rows") if m not in DEEP]
    + [(m, style) for m in OF_EACH_KIND for style in ("bars", "deltas")],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_every_formula_of_a_gradient_reads_as_it_is_meant(model, style):
    options = {**models_derived.OPTIONS.get(model.__name__, {}), **STYLES[style]}
    found = read_back(sb.derive(*model(), **options))
    assert len(found) > 3
    assert [pair for pair in found if pair[0] != "read"] == []


@pytest.mark.parametrize(
    "model",
    [m for m in models_derived.MODELS if m not in DEEP],
    ids=lambda model: model.__name__,
)
def test_every_formula_of_a_hessian_reads_as_it_is_meant(model):
    found = read_back(sb.derive(*model(), order=2))
    assert _unread(found, UNREAD) == []
    assert sum(kind != "read" for kind, _ in found) <= 8


@pytest.mark.parametrize("options", [{}, {"notation": "index"}, {"layout": "row"}], ids=["matrices", "entries", "rows"])
def test_formulas_of_random_graphs_read_as_they_are_meant(options):
    found = []
    for program in seeded_programs(25, seed=1):
        try:
            derivation = sb.derive(sb.let("L", program.loss()), list(program.variables), **options)
        except errors.SymbackError:
            continue
        found += read_back(derivation)
    count = Counter(kind for kind, _ in found)
    assert _unread(found, UNREAD_IN_RANDOM) == []
    assert count["read"] > 0.7 * len(found) > 100


@pytest.mark.parametrize(
    ("make", "fault"),
    [
        (lambda X, w, y, c: X.T @ y + c * w, r"X y + \lambda w"),
        (lambda X, w, y, c: -(X @ w - y) / 2, r"-\frac{1}{2} X w - y"),
        (lambda X, w, y, c: -(y * y / 2 + y / 2), r"-\frac{1}{2} y^{\odot 2} + \frac{1}{2} y"),
        (lambda X, w, y, c: sb.sum(y**2) - c, r"\lVert y \rVert^{2} + \lambda"),
        (lambda X, w, y, c: X.T @ (X @ w - y), r"X^{\top} X w - y"),
        (lambda X, w, y, c: y * (X @ w + y), r"y \odot X w + y"),
        (lambda X, w, y, c: 2 ** (-(c + 1)), r"2^{-\lambda + 1}"),
        (lambda X, w, y, c: (c + 1) ** 2, r"\lambda + 1^{2}"),
        (lambda X, w, y, c: w @ (X.T @ y) * c, r"w X^{\top} y \lambda"),
    ],
)
def test_a_sign_or_parentheses_or_a_transpose_that_is_lost_in_print_is_found(make, fault):
    loss, (w,) = models_derived.ridge_regression()
    derivation = sb.derive(loss, w)
    variables = {k.name: k for k in toposort([loss]) if isinstance(k, Variable)}
    formula = Printer().formula(make(*(variables[name] for name in ("X", "w", "y", "lambda_"))))
    point = point_of(derivation)
    names = names_of(derivation, point, equations_of(derivation))
    assert outcome(formula.text, formula.meaning, names, point) == "read"
    assert outcome(fault, formula.meaning, names, point) == "differs"


@pytest.mark.parametrize("text", [r"a \odot b \otimes c", r"a 2", r"\frac{a}{b}^{2}", r"a^{2}^{3}", r"a * b * c"])
def test_what_mathematicians_read_in_two_ways_is_refused(text):
    with pytest.raises(AmbiguousError):
        grammar(text, {"a", "b", "c"})


# -- faults that were found by reading ------------------------------------------------------------------------------


def test_a_number_with_an_axis_of_its_own_stands_beside_ones_in_a_sum():
    z = sb.tensor("z", ("n",))
    text = latex(z - sb.logsumexp(z, keepdims=True))
    assert text == r"z - \operatorname{logsumexp}\left(z\right) \mathbf{1}"


def test_no_symbol_of_a_slope_is_printed_by_its_private_name():
    (program,) = [program for k, program in enumerate(seeded_programs(19)) if k == 18]
    derivation = sb.derive(sb.let("L", program.loss()), list(program.variables), notation="index")
    assert "slope" not in derivation.latex()


@pytest.mark.parametrize("notation", ["matrix", "index"])
def test_beside_a_name_that_is_an_e_the_exponential_function_has_its_own_name(notation):
    x = sb.tensor("x", ("n",))
    e = sb.let("e", sb.sin(x))
    derivation = sb.derive(sb.let("L", sb.sum(sb.exp(e) * x)), x, notation=notation)
    assert "e^{" not in derivation.latex()
    assert r"\exp\left(e" in derivation.latex()
    assert {kind for kind, _ in read_back(derivation)} == {"read"}


def test_an_entry_is_counted_from_one_wherever_it_is_printed():
    a = sb.tensor("a", (3,))
    derivation = sb.derive(sb.let("L", sb.sum(sb.sin(a[0] * a))), a, notation="index")
    assert latex(a[0] * a) == "a_{1} a"
    assert "a_{0}" not in derivation.latex()
    assert latex(sb.tensor("B", ("n", 2))[-1, 1]) == "B_{n,2}"
    assert latex(a[1:]) == "a_{1:}"
