"""Verification: wrong lines of every kind are found, right ones pass, and what cannot be checked is said so."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

import symback as sb
from models_derived import MODELS, OPTIONS
from random_graphs import seeded_programs
from symback import errors
from symback.derivation.proof.point import Point
from symback.derivation.proof.verify import FAILED, PASSED, UNCHECKED
from symback.graph import toposort
from symback.latex.meaning import Meaning
from symback.page.blocks import Formula

NOTATIONS = ("matrix", "index")
LOOKS = (
    {"adjoint": "bar"}, {"adjoint": "delta"}, {"adjoint": {"z": r"\delta"}}, {"layout": "row"}, {"hadamard": r"\circ"},
)  # fmt: skip


def layer(n=3):
    """A loss of one layer with a square matrix, with what it is made of."""
    x, W, b = sb.tensor("x", (n,)), sb.tensor("W", (n, n)), sb.tensor("b", (n,))
    z = sb.let("z", W @ x + b)
    a = sb.let("a", sb.tanh(z))
    return sb.let("L", sb.sum((a - x) ** 2) / 2), [W, b, x]


def changed(meaning, change):
    """Apply a change to every part of a meaning, from the leaves up."""
    return change(meaning._replace(parts=tuple(changed(part, change) for part in meaning.parts)))


def planted(derivation, name, change, *, side=-1):
    """Change the meaning of one side of the equation of a quantity."""
    steps = list(derivation.steps)
    (place,) = [k for k, step in enumerate(steps) if step.quantity.short() == name]
    equation = steps[place].equation
    sides = list(equation.sides)
    sides[side] = Formula(sides[side].text, changed(sides[side].meaning, change))
    steps[place] = replace(steps[place], equation=replace(equation, sides=tuple(sides)))
    return replace(derivation, steps=tuple(steps))


def only_failure(derivation, **options):
    """Return the one line that fails."""
    report = derivation.verify(**options)
    (line,) = [line for line in report.lines if line.status == FAILED]
    assert not report.passed
    with pytest.raises(errors.VerificationError, match="does not hold to"):
        report.raise_if_failed()
    return line


# -- what is right passes --------------------------------------------------------------------------------


@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_line_of_every_model_holds(model, notation):
    loss, wrt = model()
    report = sb.derive(loss, wrt, notation=notation, **OPTIONS.get(model.__name__, {})).verify()
    assert [str(line) for line in report.lines if line.status != PASSED] == []
    assert report.max_residual < 1e-30


@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize("options", LOOKS, ids=str)
def test_every_look_and_layout_holds(options, notation):
    loss, wrt = layer()
    report = sb.derive(loss, wrt, notation=notation, **options).verify()
    assert [str(line) for line in report.lines if line.status != PASSED] == []


@pytest.mark.parametrize("notation", NOTATIONS)
def test_random_graphs_hold(notation):
    checked = 0
    for program in seeded_programs(12, seed=7):
        loss = program.loss()
        wrt = [x for x in program.variables if _depends(loss, x)]
        if wrt:
            used = {node: value for node, value in program.point().items() if node in toposort([loss])}
            report = sb.derive(loss, wrt, notation=notation).verify(used)
            assert not report.count[FAILED], f"{program}\n{report}"
            checked += report.count[PASSED]
    assert checked > 50


def _depends(loss, variable):
    try:
        sb.grad(loss, variable)
    except errors.DerivativeError:
        return False
    return True


# -- what is wrong is found ------------------------------------------------------------------------------

WRONG = {
    "a sign": ("b", lambda m: Meaning("negative", (m,)) if m.op == "adjoint" else m),
    "a factor of 1 + 1e-20": ("b", lambda m: _times(1 + Fraction(1, 10**20), m) if m.op == "adjoint" else m),
    "a transpose of a square matrix": ("x", lambda m: m.parts[0] if m.op == "transpose" else m),
    "a transpose of a column": ("W", lambda m: m.parts[0] if m.op == "transpose" else m),
    "a term": ("x", lambda m: m.parts[0] if m.op == "sum" else m),
}


def _times(number, meaning):
    return Meaning("product", (Meaning("number", data=number), meaning))


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_side_is_found(kind):
    name, change = WRONG[kind]
    loss, wrt = layer()
    derivation = planted(sb.derive(loss, wrt), name, change)
    (step,) = [step for step in derivation.steps if step.quantity.short() == name]
    line = only_failure(derivation)
    assert line.equation is step.equation
    assert line.right is step.equation.sides[-1]


def test_a_wrong_index_is_found():
    def swapped(m):
        if m.op != "entry" or len(m.data[0]) != 2:
            return m
        return m._replace(data=(m.data[0][::-1], *m.data[1:]))

    loss, wrt = layer()
    derivation = sb.derive(loss, wrt, notation="index")
    line = only_failure(planted(derivation, "x", lambda m: _inside_labelled(m, swapped)))
    assert "W" in str(line)


def _inside_labelled(meaning, change):
    if meaning.op != "labelled":
        return meaning
    body, *rest = meaning.data
    return meaning._replace(data=(changed(body, change), *rest))


def test_a_wrong_meaning_of_an_auxiliary_name_is_found():
    loss, wrt = layer()
    derivation = sb.derive(loss, wrt)
    name = Formula("t_{1}", Meaning("value", data=wrt[1]))
    wrong = Formula("2 b", _times(2, Meaning("value", data=wrt[1])))
    first = derivation.steps[0]
    step = replace(first, equation=replace(first.equation, where=((name, wrong),)))
    line = only_failure(replace(derivation, steps=(step, *derivation.steps[1:])))
    assert (line.left, line.right) == (name, wrong)


def test_a_wrong_forward_line_is_found():
    loss, wrt = layer()
    derivation = sb.derive(loss, wrt)
    first, *others = derivation.forward
    value = Meaning("value", data=wrt[1])
    wrong = replace(first, sides=(Formula("b", value),))
    assert only_failure(replace(derivation, forward=(wrong, *others))).equation is wrong


def test_a_missing_consumer_is_found():
    """``z`` is used twice: of the chain rule one term is left out."""
    x, W = sb.tensor("x", (3,)), sb.tensor("W", (3, 3))
    z = sb.let("z", W @ x)
    loss = sb.let("L", sb.sum(sb.let("a", sb.tanh(z)) * sb.let("c", sb.sin(z))))
    derivation = sb.derive(loss, [W])
    assert derivation.verify().passed
    line = only_failure(planted(derivation, z.short(), lambda m: m.parts[0] if m.op == "sum" else m, side=0))
    assert "+" in str(line)


def test_a_broken_layer_is_found_in_the_recursion_that_states_it():
    loss, wrt = next(model for model in MODELS if model.__name__ == "twenty_layers")()
    derivation = sb.derive(loss, wrt)
    broken = planted(derivation, "W7", lambda m: Meaning("negative", (m,)) if m.op == "transpose" else m)
    assert "W₇" in str(only_failure(broken))


def test_a_wrong_rule_of_a_primitive_is_found(wrong_primitive):
    x, w = sb.tensor("x", (3,)), sb.tensor("w", (3,))
    loss = sb.let("L", sb.sum(sb.let("a", wrong_primitive(sb.let("z", w * x)))))
    report = sb.derive(loss, w).verify()
    assert report.count[FAILED]
    assert all("∂L/∂" in str(line) or "′" in str(line) for line in report.lines if line.status == FAILED)


@pytest.fixture
def wrong_primitive():
    """A cube whose derivative is declared as 2 x**2."""
    return sb.elementwise(
        "wrongly_cubed", derivative=lambda y, x: 2 * x**2, numpy="{0} ** 3", value=lambda x: x**3,
        mpmath=lambda mp, x: x**3, latex=r"\operatorname{{cubed}}", domain=((0.2, 1.0),), doc="A cube, for this test.",
    )  # fmt: skip


# -- where nothing can be checked, and what is refused ---------------------------------------------------


KINKS = {
    "relu at 0": (lambda x: sb.sum(sb.relu(x)), [0.0, 1.0, -1.0]),
    "the larger of two equal entries": (lambda x: sb.max(x), [1.0, 1.0, 0.0]),
    "entries that tie in a sort": (lambda x: sb.sum(sb.sort(x) * np.array([1.0, 2.0, 4.0])), [1.0, 0.0, 1.0]),
    "abs at 0": (lambda x: sb.sum(abs(x)), [0.0, 2.0, -3.0]),
    "a step": (lambda x: sb.sum(sb.sign(x) * x), [0.0, 2.0, -3.0]),
    "a condition at its edge": (lambda x: sb.sum(sb.where(x > 0, x**2, x)), [0.0, 2.0, -3.0]),
    "an infinite slope": (lambda x: sb.sum(sb.sqrt(x)), [0.0, 2.0, 3.0]),
}


@pytest.mark.parametrize("kind", KINKS)
def test_a_kink_is_said_so(kind):
    function, point = KINKS[kind]
    x = sb.tensor("x", (3,))
    report = sb.derive(sb.let("L", function(x)), x).verify({"x": np.array(point)})
    assert not report.count[FAILED]
    assert report.count[UNCHECKED]
    reasons = {line.reason for line in report.lines if line.status == UNCHECKED}
    assert all("does not exist at this point" in reason for reason in reasons)


@pytest.mark.parametrize("kind", KINKS)
def test_drawn_points_are_at_no_kink(kind):
    x = sb.tensor("x", (3,))
    report = sb.derive(sb.let("L", KINKS[kind][0](x)), x).verify()
    assert report.passed
    assert not report.count[UNCHECKED]


SMOOTH = {
    "a maximum with itself": lambda x: sb.sum(sb.maximum(x, x)),
    "a double root": lambda x: sb.sum(sb.relu(x) ** 2),
    "a flat place": lambda x: sb.sum(x**4),
    "cancelled": lambda x: sb.sum(x - x) + sb.sum(x),
}


@pytest.mark.parametrize("kind", SMOOTH)
def test_what_is_smooth_at_zero_is_checked(kind):
    x = sb.tensor("x", (3,))
    loss = sb.let("L", SMOOTH[kind](x))
    point = Point(loss, [x], {}, {x: np.array([0.0, 1.0, -1.0])})
    expected = point.array(sb.grad(loss, x))
    assert max(abs(point.adjoint(x) - expected)) < 1e-30


def test_slopes_by_entries_do_not_make_a_derivative_where_four_numbers_tie():
    """The median of four equal numbers does not move with one of them, and moves with all (seed 300043)."""
    x = sb.tensor("x", (4,))
    report = sb.derive(sb.let("L", sb.median(x) + sb.sum(x**2)), x).verify({"x": np.full(4, 2.0)})
    assert not report.count[FAILED]
    assert report.count[UNCHECKED]
    assert sb.derive(sb.let("L", sb.median(x) + sb.sum(x**2)), x).verify({"x": np.arange(4.0)}).passed


def test_a_function_of_nan_that_the_loss_does_not_read_is_not_checked():
    """No other argument is printed: NaN was unlike NaN (seed 300440)."""
    x = sb.tensor("x", (2,))
    unread = sb.sum(sb.sin(2 * sb.log10(x))[np.zeros(0, dtype=int)])
    report = sb.derive(sb.let("L", unread + sb.sum(x**2)), x).verify({"x": -np.ones(2)})
    assert not report.count[FAILED]


def test_a_slope_far_from_zero_has_all_digits():
    """The step was in parts of the argument: 1e-5 where that is 1e30 (seed 2000974)."""
    x = sb.tensor("x", ())
    report = sb.derive(sb.let("L", sb.sin(x * 1e30)), x).verify({"x": 1.0})
    assert report.passed
    assert report.max_residual < 1e-30


def test_what_rounding_decides_is_not_checked():
    """Equal numbers that are computed in two ways (seed 2000067), the sign of a singular matrix (seed 2001515)."""
    x = sb.tensor("x", (2,))
    tie = sb.min(2 * sb.sigmoid(x) - 1) * 3 + sb.min(sb.tanh(x / 2))
    singular = sb.linalg.slogdet(sb.outer(sb.sin(x), sb.cos(x)) @ (0.3 * np.eye(2)))[0] + sb.sum(x**2)
    for loss in (tie, singular):
        report = sb.derive(sb.let("L", loss), x).verify({"x": np.full(2, 0.7)})
        assert not report.count[FAILED]


def test_a_named_comparison_stands_in_brackets():
    """t = a = b would read as another equation."""
    x, y = sb.tensor("x", (3,)), sb.tensor("y", (3,))
    same = sb.let("m", sb.equal(sb.sin(x), sb.cos(y)))
    text = sb.derive(sb.let("L", sb.sum(sb.where(same, x, x**2))), x).text()
    assert "m = [sin(x) = cos(y)]" in text


def test_singular_values_that_mpmath_does_not_find_are_not_checked(monkeypatch):
    """Its iteration does not converge for some singular matrices (seed 2002802); a raw error of its came out."""

    def endless(self, matrix):
        raise RuntimeError("svd: no convergence to an eigenvalue after 375 iterations")

    monkeypatch.setattr(type(Point(sb.constant(1.0), [], {}, {}).context), "svd_r", endless)
    x = sb.tensor("x", (3, 2))
    derivation = sb.derive(sb.let("L", sb.sum(sb.linalg.svdvals(x))), x)
    with pytest.raises(errors.InputError, match="no finite value"):
        derivation.verify({"x": np.ones((3, 2))})


def test_stop_gradient_is_held():
    x = sb.tensor("x", (3,))
    report = sb.derive(sb.let("L", sb.sum(sb.stop_gradient(x) * x)), x).verify()
    assert report.passed
    assert any("by convention" in line.reason for line in report.lines if line.status == PASSED)


@pytest.mark.parametrize(
    "given",
    [
        {"x": np.zeros(0), "y": np.zeros(1), "W1": np.zeros((2, 0))},
        {"x": np.ones(1), "y": np.ones(1), "W1": np.ones((1, 1)), "b1": np.ones(1)},
    ],
    ids=["no entries", "one entry"],
)
def test_sizes_0_and_1(given):
    loss, wrt = MODELS[0]()
    report = sb.derive(loss, wrt).verify(given)
    assert report.passed
    assert not report.count[UNCHECKED]


def test_single_precision_is_evaluated_as_real_numbers():
    x = sb.tensor("x", (3,), dtype="float32")
    report = sb.derive(sb.let("L", sb.sum(sb.exp(x) / 3)), x).verify()
    assert report.passed
    assert report.max_residual < 1e-30


@pytest.mark.parametrize("digits", [6, 15, 60])
def test_digits_are_an_argument(digits):
    loss, wrt = layer()
    report = sb.derive(loss, wrt).verify(digits=digits, points=2)
    assert report.passed
    assert 0 < report.max_residual < 10.0**-digits


REFUSED = {
    "an unknown name": ({"q": 1.0}, errors.InputError, "'q'"),
    "what is computed": ({"z": np.zeros(3)}, errors.InputError, "'z'"),
    "a rank": ({"x": 1.0}, errors.ShapeError, "x"),
    "a size": ({"x": np.zeros(4)}, errors.ShapeError, "x"),
    "not a number": ({"x": np.full(3, np.nan)}, errors.InputError, "no finite value"),
    "no mapping": ([1.0], errors.UsageError, "give a dict"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_point_that_does_not_fit_is_refused(kind):
    at, error, words = REFUSED[kind]
    loss, wrt = layer()
    with pytest.raises(error, match=words):
        sb.derive(loss, wrt).verify(at)


@pytest.mark.parametrize("options", [{"digits": 3}, {"digits": 2.5}, {"digits": True}, {"points": 0}], ids=str)
def test_numbers_that_make_no_sense_are_refused(options):
    loss, wrt = layer()
    with pytest.raises(errors.InputError, match=r"digits=.*points="):
        sb.derive(loss, wrt).verify(**options)


def test_a_point_may_be_given_by_nodes_and_one_value_is_refused_for_a_computed_node():
    loss, (W, b, x) = layer()
    derivation = sb.derive(loss, [W, b])
    report = derivation.verify({x: np.arange(3.0)})
    assert report.passed
    np.testing.assert_array_equal(report.at["x"], [0.0, 1.0, 2.0])
    with pytest.raises(errors.InputError, match="computed"):
        derivation.verify({loss: 1.0})


def test_a_loss_that_is_nowhere_finite_asks_for_a_point():
    x = sb.tensor("x", (3,))
    derivation = sb.derive(sb.let("L", sb.sum(sb.log(-1 - x**2))), x)
    with pytest.raises(errors.InputError, match="give a point by at="):
        derivation.verify()


def test_a_matrix_that_is_read_by_half_must_be_symmetric():
    A = sb.tensor("A", (2, 2))
    derivation = sb.derive(sb.let("L", sb.sum(sb.linalg.cholesky(A))), A)
    assert derivation.verify().passed
    with pytest.raises(errors.InputError, match="symmetric"):
        derivation.verify({"A": np.array([[2.0, 0.0], [1.0, 2.0]])})


# -- what is printed -------------------------------------------------------------------------------------


def test_a_report_prints_as_a_table():
    loss, wrt = layer()
    report = sb.derive(loss, wrt).verify()
    assert "∂L/∂b = ∂L/∂z" in str(report)
    assert str(report).endswith(f"{len(report.lines)} equalities to 30 digits: {len(report.lines)} passed")
    assert "<table>" in report._repr_html_()


def test_residuals_are_printed_beside_the_lines(tmp_path):
    loss, wrt = layer()
    derivation = sb.derive(loss, wrt)
    for suffix in (".tex", ".md", ".html", ".txt"):
        derivation.save(tmp_path / f"page{suffix}", verified=True)
        derivation.save(tmp_path / f"plain{suffix}")
        text = (tmp_path / f"page{suffix}").read_text(encoding="utf-8")
        assert text.count("residual") == len(derivation.forward) + sum(len(s.equations) for s in derivation.steps)
        assert "residual" not in (tmp_path / f"plain{suffix}").read_text(encoding="utf-8")
    report = derivation.verify(digits=10)
    assert derivation.text(verified=report) != derivation.text()
    with pytest.raises(errors.InputError, match="another derivation"):
        sb.derive(loss, wrt).text(verified=report)


def test_what_does_not_hold_is_not_written(tmp_path):
    loss, wrt = layer()
    wrong = planted(sb.derive(loss, wrt), "b", lambda m: Meaning("negative", (m,)))
    with pytest.raises(errors.VerificationError, match=r"∂L/∂b"):
        wrong.save(tmp_path / "page.tex", verified=True)
    with pytest.raises(errors.VerificationError, match="does not hold"):
        wrong.document(verified=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("notation", ["matrix", "index"])
def test_a_forward_line_that_prints_a_name_where_the_graph_uses_the_expression_again_fails(notation):
    W, x = sb.tensor("W", ("m", "n")), sb.tensor("x", ("n",))
    s = sb.let("s", W @ x)
    loss = sb.let("L", sb.sum(s**2) + sb.sum(sb.exp(s)))
    derivation = sb.derive(loss, W, notation=notation)
    other = sb.let("L", sb.sum(s**2) + sb.sum(sb.exp(W @ x)))
    record = replace(derivation.record, differentiated={**derivation.record.differentiated, loss: other})
    assert derivation.verify().passed
    (line,) = [line for line in replace(derivation, record=record).verify().lines if line.status == "FAILED"]
    assert str(line).startswith("L =")
    assert "does not use the names" in line.reason
