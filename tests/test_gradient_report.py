"""What a gradient check says: the table, the message, the first bad node, the kinks, the plot."""

import json
import math
import sys

import numpy as np
import pytest

import symback as sb
from symback import errors
from symback.check.failure.first_bad import first_bad
from symback.check.failure.kinks import kinks_at
from symback.check.reports.gradient_report import BadNode, Entry, GradientReport, GradientRow, Kink
from symback.check.reports.plots import Probe, errors_of_steps, fitted_slope
from symback.errors.gradient_report import ratio_hint
from symback.errors.kinds import UndecidedError


def entry(gradient, reference, place="[1, 0]"):
    error = abs(gradient - reference)
    return Entry(place=place, gradient=gradient, reference=reference, uncertainty=1e-12, error=error, ulps=None)


def row(**changes):
    usual = {
        "name": "W1", "shape": (3, 4), "dtype": "float64", "method": "mpmath", "along": "directions", "checked": 2,
        "max_abs_error": 1e-17, "max_rel_error": 1e-16, "max_ulps": 0.7, "uncertainty": 1e-30, "sees": 3e-15,
        "worst": (), "verdict": "passed",
    }  # fmt: skip
    return GradientRow(**{**usual, **changes})


FAILED = row(name="b1", verdict="failed", worst=(entry(7.0, 6.0), entry(2.0, 3.0, "[0, 1]")))
BAD = BadNode("z1", "swish in h1", "[2]", 0.25, 0.5, 1e-20, "steps that are right: 3")
KINK = Kink(operation="relu", name="z1", entries=("[2]",), count=3, distance=0.0, convention="derivative 0 at 0")


# -- verdicts -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdicts", "word"),
    [
        (["passed"], "passed"),
        (["passed", "not applicable"], "undecided"),  # by the second variable nothing was judged
        (["passed", "undecided"], "undecided"),
        (["failed", "undecided"], "failed"),
        (["not applicable"], "undecided"),
        ([], "undecided"),
    ],
)
def test_a_report_passes_only_if_each_variable_was_judged_and_passed(verdicts, word):
    report = GradientReport(tuple(row(name=f"x{k}", verdict=verdict) for k, verdict in enumerate(verdicts)))
    assert [report.passed, report.failed, report.undecided] == [
        word == each for each in ("passed", "failed", "undecided")
    ]
    assert report.to_dict()["verdict"] == word


def test_a_method_that_does_not_apply_leaves_the_verdict_to_others():
    report = GradientReport((row(), row(method="complex", verdict="not applicable", note="not analytic: abs at z1")))
    assert report.passed
    assert "W1: not analytic: abs at z1" in str(report)


def test_a_nan_is_the_largest_error():
    report = GradientReport((row(max_rel_error=1.0), row(max_rel_error=math.nan), row(max_rel_error=0.5)))
    assert math.isnan(report.max_error)
    assert GradientReport((row(), row(max_rel_error=0.5))).max_error == 0.5


# -- how it prints ------------------------------------------------------------------------------------


def test_a_report_of_what_failed_shows_entries_bad_node_and_kinks():
    long = row(name="a" * 60, shape=(100000, 100000), checked=123456, max_ulps=1e9)
    report = GradientReport((long, FAILED), BAD, (KINK,) * 7)
    lines = str(report).splitlines()
    assert lines[0].split() == [
        "variable",
        "shape",
        "method",
        "checked",
        "max",
        "abs",
        "max",
        "rel",
        "ulp",
        "sees",
        "verdict",
    ]
    assert max(map(len, lines)) <= 120
    assert lines[3].endswith("FAILED")
    assert lines[4] == "gradient check FAILED: largest relative error 1.0e-16"
    assert "worst of b1 by mpmath" in lines
    assert any(line.split() == ["[1,", "0]", "7", "6", "1e-12", "-"] for line in lines)
    assert "first bad node: z1; the derivative rule at fault: swish in h1" in lines
    assert "  its adjoint at [2] is 0.25, differences give 0.5 +- 1e-20" in lines
    assert lines.count("at a kink of relu: z1 [2] and 2 more; derivative 0 at 0") == 5
    assert lines[-1] == "and 2 more nodes at kinks"
    assert repr(report) == str(report)


def test_close_values_are_shown_with_the_digits_that_tell_them_apart():
    close = row(verdict="failed", worst=(entry(0.1234567890123, 0.1234567890124),))
    assert "0.1234567890123  0.1234567890124" in str(GradientReport((close,)))


def test_a_report_of_many_variables_stays_short():
    rows = tuple(row(name=f"b{k}", verdict="failed", worst=(entry(7.0, 6.0),)) for k in range(90))
    lines = str(GradientReport((row(verdict="undecided", worst=(entry(7.0, 6.0),)), *rows))).splitlines()
    assert [line for line in lines if line.startswith("worst")] == [f"worst of b{k} by mpmath" for k in range(4)]
    assert "and those of 87 more rows" in lines


def test_what_passed_prints_no_more_than_its_rows():
    assert len(str(GradientReport((row(worst=(entry(1.0, 1.0),)), row(name="b")), order=2)).splitlines()) == 5
    assert "check of second derivatives passed" in str(GradientReport((row(),), order=2))


def test_names_are_escaped_in_html():
    shown = GradientReport(
        (row(name="<script>", verdict="failed", note="<i>", worst=(entry(1.0, 2.0),)),), BAD
    )._repr_html_()
    assert "&lt;script&gt;" in shown
    assert "&lt;i&gt;" in shown
    assert "<script>" not in shown
    assert "first bad node: z1" in shown


def test_a_report_is_fit_for_json():
    odd = row(max_abs_error=math.nan, max_rel_error=math.inf, sees=-math.inf, verdict="failed", curve=((0.1, 0.2),))
    numpy_row = row(shape=(np.int64(3),), max_ulps=np.float64("nan"), checked=np.int64(2))
    found = json.loads(json.dumps(GradientReport((odd, numpy_row), BAD, (KINK,)).to_dict(), allow_nan=False))
    assert (found["rows"][0]["max_abs_error"], found["max_error"], found["rows"][0]["sees"]) == ("nan", "inf", "-inf")
    assert (found["rows"][0]["curve"], found["rows"][1]["shape"], found["rows"][1]["max_ulps"]) == (
        [[0.1, 0.2]],
        [3],
        "nan",
    )
    assert (found["bad_node"]["consumer"], found["kinks"][0]["operation"]) == ("swish in h1", "relu")


# -- what it raises -----------------------------------------------------------------------------------


def test_a_mismatch_says_where_by_how_much_and_what_to_look_at():
    with pytest.raises(errors.GradientMismatchError) as caught:
        GradientReport((row(), FAILED), BAD, (KINK,)).raise_if_failed()
    words = (
        "by b1 (3, 4) is wrong at [1, 0]: it is 7, mpmath differences give 6 (tolerance 1.0e-12)",
        "the first bad node is z1: look at the derivative of swish in h1",
        "at or near a kink of relu at z1",
    )
    assert all(part in str(caught.value) for part in words)
    with pytest.raises(errors.GradientMismatchError, match="look at the derivative rules between it and the loss"):
        GradientReport((row(verdict="failed", note="remainder falls as h^1.00"),)).raise_if_failed()


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        ([(-2.0, 2.0), (3.0, -3.0)], "its sign is wrong"),
        ([(-2.0, 2.0)], "its sign is wrong"),
        ([(4.0, 2.0), (-6.0, -3.0)], "it is 2 times what it should be"),
        ([(0.0, 2.0), (0.0, -3.0)], "it is 0 where it should not be: a term is missing"),
        ([(4.0, 2.0), (3.0, -3.0)], ""),
        ([(4.0, 2.0)], ""),
        ([(math.nan, 2.0)], ""),
        ([(1.0, 0.0)], ""),
        ([], ""),
    ],
)
def test_what_the_worst_entries_have_in_common_is_said(pairs, words):
    assert ratio_hint([entry(*pair) for pair in pairs]) == words


def test_what_could_not_be_judged_raises_another_error_with_a_cure():
    unsure = row(verdict="undecided", method="forward", sees=2e-5, note="noise 1e-9")
    with pytest.raises(
        UndecidedError, match=r"by W1 \(3, 4\) could not be judged: forward sees errors from 2e-05 .*noise"
    ):
        GradientReport((unsure,)).raise_if_failed()
    with pytest.raises(UndecidedError, match="no method that was asked for applies to W1; leave out methods"):
        GradientReport((row(verdict="not applicable"),)).raise_if_failed()
    GradientReport((row(),)).raise_if_failed()


# -- the first bad node -------------------------------------------------------------------------------


def tanh(name, **changes):
    right = {
        "derivative": lambda y, x: 1 - y**2, "numpy": "np.tanh", "mpmath": "tanh", "latex": r"\tanh",
        "domain": ((-2.0, 2.0),), "doc": "Hyperbolic tangent.",
    }  # fmt: skip
    return sb.elementwise(name, **{**right, **changes})


WRONG = {
    "square": {"derivative": lambda y, x: (1 - y) ** 2},
    "factor": {"derivative": lambda y, x: (1 + 1e-6) * (1 - y**2)},
    "sign": {"derivative": lambda y, x: y**2 - 1},
    "nothing": {"derivative": None, "differentiable": False},
    "no digits": {"derivative": lambda y, x: (1 + 1e-6) * (1 - y**2), "mpmath": None},
}


def layers(functions, *, named, n=5):
    """A network of 20 layers, each with its function, and a point."""
    rng = np.random.default_rng(0)
    weights = [sb.tensor(f"W{k}", (n, n)) for k in range(len(functions))]
    h = x = sb.tensor("x", (n,))
    for k, (W, function) in enumerate(zip(weights, functions, strict=True)):
        h = function(W @ h)
        h = sb.let(f"h{k}", h) if named else h
    return sb.sum(h**2), weights, {W: rng.standard_normal((n, n)) for W in weights} | {x: rng.standard_normal(n)}


@pytest.mark.usefixtures("own_registry")
@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("wrong", WRONG)
def test_the_rule_at_fault_is_named_twenty_layers_deep(wrong, named):
    good, bad = tanh("good"), tanh("bad", **WRONG[wrong])
    loss, weights, at = layers([bad if k in (3, 11) else good for k in range(20)], named=named)
    found = first_bad(loss, weights, at)
    assert found.consumer == ("bad in h11" if named else "bad")
    assert found.name == ("W11 @ h10" if named else "W11 @ good(…)")
    assert found.reference != 0
    expected = {"factor": 1 + 1e-6, "no digits": 1 + 1e-6, "sign": -1, "nothing": 0}
    if wrong in expected:
        assert found.gradient / found.reference == pytest.approx(expected[wrong], abs=1e-8)
    assert abs(found.gradient - found.reference) > found.uncertainty
    assert "right: 18" in found.note


@pytest.mark.usefixtures("own_registry")
def test_in_sums_with_sharing_and_in_products_the_rule_at_fault_is_named():
    good, bad = tanh("good"), tanh("bad", **WRONG["factor"])
    A, x = sb.tensor("A", ("n", "n")), sb.tensor("x", ("n",))
    at = {"A": np.arange(9.0).reshape(3, 3) / 9 + 0.1, "x": [0.3, -0.2, 0.0]}
    u = sb.let("u", good(A @ x))
    v = sb.let("v", bad(u) + u + good(u))
    loss = sb.sum((A.T @ v) * (A @ (u + v))) + sb.sum(u)
    found = first_bad(loss, [A, x], at)
    assert (found.name, found.consumer) == ("u", "bad in v")
    assert first_bad(sb.sum((A.T @ good(A @ x)) * (A @ x)), [A, x], at) is None
    assert (
        first_bad(
            sb.sum(bad(x) * sb.stop_gradient(x)) - sb.sum(sb.stop_gradient(bad(x))), [x], {"x": [0.3, 1.0, 2.0]}
        ).name
        == "x"
    )
    assert first_bad(sb.sum(sb.stop_gradient(bad(x)) * x), [x], {"x": [0.3, 1.0, 2.0]}) is None


@pytest.mark.usefixtures("own_registry")
@pytest.mark.parametrize(("n", "error"), [(300, 1e-6), (5_000, 1e-4)])
def test_a_rule_that_is_wrong_in_one_entry_of_many_is_found_there(n, error):
    """In digits, and in floats where those would take long."""
    factor = np.ones(n)
    factor[-2] += error

    def vjp(g, node):
        return (g * 2 * node.operands[0] * factor,)

    square = sb.primitive(
        "odd_square", signature=lambda x: (x.shape, x.dtype), vjp=vjp, numpy="np.square", value=lambda x: x * x,
        latex="{0}^2", examples=(lambda make: square(make("x", (3,))),), doc="The square.",
    )  # fmt: skip
    x = sb.tensor("x", (n,))
    point = np.random.default_rng(0).uniform(0.5, 2.0, n)
    found = first_bad(sb.sum(square(x)), [x], {"x": point})
    assert (found.name, found.consumer, found.place) == ("x", "odd_square", f"[{n - 2}]")
    assert found.gradient / found.reference - 1 == pytest.approx(error, rel=1e-2)


@pytest.mark.usefixtures("own_registry")
def test_at_kinks_only_what_is_no_subgradient_is_bad():
    rules = {"half": lambda y, x: (sb.sign(x) + 1) / 2, "two": lambda y, x: sb.where(x > 0, 1, sb.where(x < 0, 0, 2))}
    x = sb.tensor("x", (6,))
    point = {"x": [0.0, 1.0, 0.0, -1.0, 0.0, 0.0]}
    weights = np.array([1.0, 2.0, -1.0, 1.0, 3.0, -2.0])
    for name, rule in rules.items():
        relu = sb.elementwise(
            f"relu_{name}", derivative=rule, numpy="np.maximum({0}, 0)", value=lambda x: np.maximum(x, 0),
            mpmath=lambda mp, x: max(x, mp.mpf(0)), latex="{0}", domain=((1, 2),), doc="Ramp.",
        )  # fmt: skip
        found = first_bad(sb.sum(relu(x) * weights), [x], point)
        assert (found is None) == (name == "half")
    assert found.place in ("[0]", "[2]", "[4]", "[5]")
    assert "at a kink" in found.note
    assert first_bad(sb.sum(sb.sort(x) * weights) + sb.max(x) + sb.linalg.norm(x[[0, 2]]), [x], point) is None


def test_of_given_gradients_the_first_that_is_wrong_is_named():
    x, W = sb.tensor("x", (3,)), sb.tensor("W", (3, 3))
    z = sb.let("z", W @ x)
    a = sb.let("a", sb.tanh(z))
    loss = sb.sum(a**2)
    rng = np.random.default_rng(0)
    at = {"x": rng.standard_normal(3), "W": rng.standard_normal((3, 3))}
    da = 2 * np.tanh(at["W"] @ at["x"])
    dz = da * (1 - (da / 2) ** 2)
    right = [np.outer(dz, at["x"]), dz, da]
    assert first_bad(loss, [W, z, a], at, gradient=right) is None
    late = first_bad(loss, [W, z, a], at, gradient=[right[0].T, dz, da])
    assert (late.name, late.consumer) == ("W", "")
    early = first_bad(loss, [W, a, z], at, gradient=[right[0].T, da, dz * [1, 1, 1 + 1e-5]])
    assert (early.name, early.place) == ("z", "[2]")
    assert early.note == "of the gradients given, 1 nearer to the loss are right"
    with pytest.raises(errors.ShapeError, match=r"by z has shape \(2,\), wanted \(3,\)"):
        first_bad(loss, [z], at, gradient=[np.ones(2)])


@pytest.mark.usefixtures("own_registry")
def test_a_graph_of_five_hundred_nodes_and_what_is_refused():
    good, bad = tanh("good"), tanh("bad", **WRONG["factor"])
    x = sb.tensor("x", (2,))
    h = bad(x)
    for k in range(250):
        h = good(h) * (1 + k / 250)
    assert first_bad(sb.sum(h), [x], {"x": [0.5, -0.3]}).name == "x"
    with pytest.raises(errors.InputError, match="x"):
        first_bad(sb.sum(h), [x], {})
    with pytest.raises(errors.DerivativeError):
        first_bad(sb.sum(h), [sb.tensor("y")], {"x": [0.5, -0.3]})


# -- kinks --------------------------------------------------------------------------------------------

POINT = {"x": [1.0, 0.0, -2.0], "A": [[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]}


@pytest.mark.parametrize(
    ("build", "operation", "entries"),
    [
        (lambda x, A: sb.abs(x), "abs", ["[1]"]),
        (lambda x, A: sb.relu(x - 1), "relu", ["[0]"]),
        (lambda x, A: sb.maximum(x, -2.0), "maximum", ["[2]"]),
        (lambda x, A: sb.clip(x, -2, 1), "clip", ["[0]", "[2]"]),
        (lambda x, A: sb.where(x > 0, x, 2 * x), "where(greater(x, 0))", ["[1]"]),
        (lambda x, A: sb.max(A, axis=1), "max", ["[0]", "[1]"]),
        (lambda x, A: sb.min(A, axis=1), "min", ["[1]"]),
        (lambda x, A: sb.max(A), "max", []),
        (lambda x, A: sb.sort(A, axis=0), "sort", ["[2]"]),
        (lambda x, A: sb.median(A), "quantile", []),
        (lambda x, A: sb.linalg.norm(A, axis=1), "norm", ["[1]"]),
        (lambda x, A: sb.std(A, axis=1), "std", ["[1]"]),
        (lambda x, A: sb.floor(x), "floor", ["[0]", "[1]", "[2]"]),
        (lambda x, A: sb.hypot(x, 2 * x), "hypot", ["[1]"]),
        (lambda x, A: sb.sqrt(A + 1e-320), "sqrt", ["[0, 2]", "[1, 0]", "[1, 1]", "[1, 2]"]),
        (lambda x, A: sb.linalg.svdvals(A), "singular_values", []),
        (lambda x, A: sb.exp(x) + sb.maximum(x, x) + sb.softplus(x) + x**3, None, []),
        (lambda x, A: sb.relu(sb.stop_gradient(x)) * A, "relu", ["[1]"]),
    ],
)
def test_kinks_are_found_by_operation_node_and_entry(build, operation, entries):
    x, A = sb.tensor("x", (3,)), sb.tensor("A", (2, 3))
    loss = sb.sum(build(x, A))
    found = kinks_at(loss, {name: POINT[name] for name in POINT if name in map(str, loss.free_symbols)})
    assert [kink.operation for kink in found] == [operation] * (operation is not None)
    assert [list(kink.entries) for kink in found] == [entries] * (operation is not None)
    assert all(kink.convention or kink.operation == "singular_values" for kink in found)


@pytest.mark.usefixtures("own_registry")
def test_kinks_close_by_and_those_of_own_functions():
    x = sb.tensor("x", (3,))
    (near,) = kinks_at(sb.sum(sb.relu(x + 1e-8)), {"x": POINT["x"]})
    assert near.distance == pytest.approx(1e-8)
    assert kinks_at(sb.sum(sb.relu(x + 1e-3)), {"x": POINT["x"]}) == ()
    size = sb.elementwise(
        "size_of", derivative=lambda y, x: sb.sign(x), numpy="np.abs", latex="{0}", domain=((1, 2),), doc="Size.",
        kinks="derivative 0 at 0",
    )  # fmt: skip
    (own,) = kinks_at(sb.sum(size(sb.let("z", 2 * x))), {"x": POINT["x"]})
    assert (own.operation, own.name, own.entries, own.convention) == ("size_of", "z", ("[1]",), "derivative 0 at 0")
    y = sb.tensor("y", (3,))
    assert kinks_at(sb.sum(sb.relu(x) * y), {"x": POINT["x"], "y": [1.0] * 3}, [y]) == ()


# -- the plot -----------------------------------------------------------------------------------------

PROBE = Probe("x", lambda t: math.exp(1 + t), math.e, 1.0, lambda t: math.exp(1) * math.sin(t))


def test_errors_over_the_step_have_the_orders_of_their_methods():
    found = errors_of_steps(PROBE, [1e-1, 1e-2])
    orders = {kind: round(math.log10(errors[0] / errors[1]), 1) for kind, errors in found.items()}
    assert orders == {"forward": 1.0, "central": 2.0, "five-point": 4.0, "complex step": 2.0}
    assert "complex step" not in errors_of_steps(PROBE._replace(complex_line=None), [1e-2])
    assert errors_of_steps(Probe("x", lambda t: t, 0.0, 1.0), [0.5])["central"] == [1.0]


def test_the_power_of_remainders_is_taken_above_the_floor_of_rounding():
    steps = [2.0**-k for k in range(20)]
    assert fitted_slope([(h, 3 * h**2 + 1e-9) for h in steps[:10]]) == pytest.approx(2.0, abs=1e-3)
    assert fitted_slope([(h, max(h**3, 1e-6)) for h in steps]) == pytest.approx(3.0)
    assert math.isnan(fitted_slope([(0.1, 0.0), (0.2, math.nan)]))


def test_the_plot_shows_what_is_known():
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("Agg")
    rows = (
        row(spread=(0.0, 0.3, 2.5, math.nan)),
        row(method="taylor", max_ulps=None, curve=tuple((10.0**-k, 10.0 ** (-2 * k)) for k in range(1, 5))),
    )
    figure = GradientReport(rows, _probe=lambda: PROBE).plot()
    steps, histogram, remainders = figure.axes
    assert [line.get_label() for line in steps.lines] == ["forward", "central", "five-point", "complex step"]
    assert histogram.get_xlabel() == "units in the last place"
    assert "1 exact, 1 not finite" in histogram.get_legend().get_texts()[0].get_text()
    assert remainders.get_legend().get_texts()[0].get_text() == "W1: falls as h^2.00"
    (alone,) = GradientReport((row(),)).plot().axes
    assert alone.texts[0].get_text() == "nothing was compared"
    pyplot.close("all")


def test_without_matplotlib_the_plot_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(
        errors.UsageError, match=r"needs matplotlib, which is not installed; pip install 'symback\[plot\]'"
    ):
        GradientReport((row(),)).plot()
