"""Random graphs over the whole registry against 60 digits: a fixed set, and new ones in every run; what they found.

A larger run is made by hand: ``python -m tests.fuzzing --count 100000 --processes 2``.
"""

import random
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

import symback as sb
from fuzzing.checks import CHECKS, examine
from fuzzing.digits import HIGH, Excluded, floats
from fuzzing.graphs import Graph, graphs, seeded_graph
from fuzzing.menu import menu
from fuzzing.patience import SECONDS, TooSlowError, patience
from fuzzing.subject import Subject, Wrong
from symback.check.evaluate import evaluate
from symback.nodes.leaves import exact, variable
from symback.op.public import FUNCTIONS
from symback.op.table import PRIMITIVES
from symback.ops.indexing.slices import set_slice

FRESH = random.SystemRandom().randrange(2**32)
"""The seed of the graphs that are new in this run."""


def hold(graph: Graph, seed: int) -> None:
    """Make the checks that the seed chooses."""
    try:
        with patience(SECONDS), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what NumPy's functions meet on the way; what code warns of is a check
            outcomes = list(examine(graph, seed))
    except TooSlowError:
        return
    for outcome in outcomes:
        assert outcome.word != "found", f"{outcome.check}\n{graph}\n{outcome.detail}"


@given(graph=graphs())
@settings(max_examples=100)
def test_random_graphs(graph: Graph) -> None:
    hold(graph, len(graph.variables) + 7 * len(graph.steps))


def test_new_random_graphs_in_every_run() -> None:
    """Printed with -s and when it fails: the seed, and how one example is repeated."""
    print(f"random graphs from seed {FRESH} on; one of them: python -m tests.fuzzing --show SEED")
    for seed in range(FRESH, FRESH + 100):
        try:
            hold(seeded_graph(seed), seed)
        except Exception as error:
            raise AssertionError(f"seed {seed}: python -m tests.fuzzing --show {seed}") from error


def test_a_seed_repeats_its_graph() -> None:
    assert repr(seeded_graph(3)) == repr(seeded_graph(3)) != repr(seeded_graph(4))


def test_a_graph_is_drawn_where_a_value_warns() -> None:
    assert "std_over" in repr(seeded_graph(1768355594))  # the deviation of no numbers


def test_the_menu_holds_the_whole_registry() -> None:
    own = {f"function {entry.name}" for entry in FUNCTIONS.values() if entry.primitive is None}
    assert set(menu()) == own | {f"primitive {name}" for name in PRIMITIVES}
    assert all(menu().values())


# -- the checks can fail ---------------------------------------------------------------------------


def subject_of(function: Callable[[Any], Any], value: Any) -> Subject:
    x = variable("x", np.shape(value), "float64")
    node = function(x)
    return Subject(Graph([x], {x: np.asarray(value, float)}, [node], loss=sb.sum(node)), seed=0)


WRONG_SLOPE = {
    "factor": lambda y, x: sb.cos(x) * (1 + 1e-12),
    "sign": lambda y, x: -sb.cos(x),
    "term": lambda y, x: sb.cos(x) + 1e-10,
}


@pytest.mark.parametrize("kind", WRONG_SLOPE)
@pytest.mark.usefixtures("own_registry")
def test_a_wrong_derivative_is_found(kind: str) -> None:
    wrong = sb.elementwise(
        f"wrong_sine_{kind}", derivative=WRONG_SLOPE[kind], numpy="np.sin", mpmath="sin", latex="s", domain=((-2, 2),),
        doc="A sine with a wrong derivative.",
    )  # fmt: skip
    with pytest.raises(Wrong, match="claimed"):
        CHECKS["gradient"][1](subject_of(lambda x: sb.exp(wrong(x)), [0.3, 1.1]))
    right = sb.elementwise(
        f"sine_{kind}", derivative=lambda y, x: wrong(x + np.pi / 2), numpy="np.sin", mpmath="sin", latex="s",
        domain=((-2, 2),), doc="A sine with a wrong second derivative.",
    )  # fmt: skip
    with pytest.raises(Wrong, match="claimed"):
        CHECKS["Hessian times vector"][1](subject_of(right, [0.3, 1.1]))


@pytest.mark.parametrize("style", ["readable code", "fast code"])
@pytest.mark.usefixtures("own_registry")
def test_wrong_code_is_found(style: str) -> None:
    wrong = sb.elementwise(
        "rough_sine", derivative=lambda y, x: sb.cos(x), numpy="np.sin({0}) * (1 + 1e-13)", value=np.sin,
        mpmath="sin", latex="s", domain=((-2, 2),), doc="A sine that loses digits in code.",
    )  # fmt: skip
    with pytest.raises(Wrong, match="wanted"):
        CHECKS[style][1](subject_of(wrong, [0.3, 1.1]))


@pytest.mark.usefixtures("own_registry")
def test_a_warning_is_found() -> None:
    warns = sb.elementwise(
        "careless", derivative=lambda y, x: y, numpy="{0} + 0 * np.log({0} - {0})", value=lambda x: x,
        mpmath=lambda mp, x: x, latex="s", domain=((-2, 2),), doc="Takes the logarithm of 0.",
    )  # fmt: skip
    with pytest.raises(Wrong, match="warns"):
        CHECKS["readable code"][1](subject_of(warns, [0.3]))


@pytest.mark.parametrize(
    ("rule", "function", "value"),
    [
        ("subgradient", lambda x: sb.relu(x), 0.0),
        ("several kinks", lambda x: sb.relu(x) - sb.relu(-x), 0.0),
        ("at a jump", lambda x: sb.sign(x), 0.0),
        ("infinite slope", lambda x: sb.sqrt(x), 0.0),
        ("ranks of ties", lambda x: sb.median(x), [1.0, 1.0, 2.0]),
    ],
)
def test_a_rule_excludes(rule: str, function: Any, value: Any) -> None:
    with pytest.raises(Excluded, match=rule):
        CHECKS["gradient"][1](subject_of(function, value))


@pytest.mark.usefixtures("own_registry")
def test_what_is_no_subgradient_is_found_at_a_kink() -> None:
    wrong = sb.elementwise(
        "steep_abs", derivative=lambda y, x: 2 * sb.cos(x), numpy="np.abs", mpmath="fabs", latex="s",
        domain=((-2, 2),), doc="An absolute value with slope 2.",
    )  # fmt: skip
    with pytest.raises(Wrong, match="at a kink"):
        CHECKS["gradient"][1](subject_of(wrong, 0.0))


# -- what it found ---------------------------------------------------------------------------------

NUMBERS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "arctan2": (sb.arctan2, (0, 0.5)),
    "beta": (sb.special.beta, (2, 1.5)),
    "betaln": (sb.special.betaln, (2, 0.5)),
    "huber": (sb.special.huber, (1, 0.5)),
    "elu": (lambda x, alpha: sb.elu(x, alpha), (2, 1.5)),
}


@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_are_weak_beside_float32_in_every_function(name: str, place: int, style: str) -> None:
    """What is no ufunc of NumPy made float64 of a Python number, in the value or in the gradient."""
    function, values = NUMBERS[name]
    x = sb.tensor("x", (2,), dtype="float32")
    for number in values:
        node = function(*[number if k == place else x for k in range(2)])
        outputs = [node, sb.grad(sb.sum(node), x, disconnected="zero")]
        array = np.array([0.75, 1.5], np.float32)
        found = sb.lambdify([x], outputs, style=style)(array)
        for output, one, wanted in zip(outputs, found, evaluate(outputs, {x: array}), strict=True):
            assert one.dtype == wanted.dtype == output.dtype == np.float32
            np.testing.assert_allclose(one, wanted, rtol=1e-6)


MIXED = {
    "huber": lambda k, x: sb.special.huber(k, x),
    "cross entropy": lambda k, x: sb.binary_cross_entropy(k, sb.sigmoid(x)),
    "power": lambda k, x: sb.power(x + 3, k if k.dtype.kind != "b" else k + x * 0),
    "hypot": lambda k, x: sb.hypot(k, x),
}


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "uint32", "int64"])
@pytest.mark.parametrize("name", MIXED)
def test_integers_beside_floats_give_the_digits_of_floats(name: str, dtype: str) -> None:
    """The negative of an unsigned integer wrapped around, the exponential of a narrow one was a float16."""
    k, x = sb.tensor("k", (3,), dtype=dtype), sb.tensor("x", (3,), dtype="float64")
    point = {k: np.array([0, 1, 1], dtype), x: np.array([0.3, 0.2, 0.9])}
    wide = sb.tensor("k", (3,))
    node, other = MIXED[name](k, x), MIXED[name](wide, x)
    found = sb.lambdify([k, x], [node, sb.grad(sb.sum(node), x)])(*point.values())
    wanted = evaluate([other, sb.grad(sb.sum(other), x)], {wide: point[k].astype(float), x: point[x]})
    for one, two in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-14)


def test_gaps_of_mixed_floats_have_the_wider_one() -> None:
    example = PRIMITIVES["over_gaps"].examples[0]
    x, w = sb.tensor("x", (2, 2), dtype="float32"), sb.tensor("w", (2,))
    node = example(lambda name, shape: {"x": x, "w": w}[name])
    value = sb.lambdify([x, w], node)(np.ones((2, 2), np.float32), np.array([0.5, 1.0]))
    assert node.dtype == value.dtype == np.float64


@pytest.mark.parametrize("number", [2, 2.0])
def test_a_scalar_that_folds_to_a_number_still_makes_float64_of_float32(number: float) -> None:
    """``2.0 + 0.0 * y`` became a weak number, and the maximum with a float32 a float32."""
    x, y = sb.tensor("x", (2,), dtype="float32"), sb.tensor("y", (2,))
    node = sb.maximum(number + 0.0 * sb.sum(y), x)
    value = sb.lambdify([x, y], node)(np.ones(2, np.float32), np.ones(2))
    assert node.dtype == value.dtype == np.float64


def test_a_quantile_of_booleans_is_refused_when_it_is_built() -> None:
    """NumPy refuses it at the call, by a TypeError about a minus sign."""
    b = sb.tensor("b", (2, 3), dtype="bool")
    with pytest.raises(sb.errors.DtypeError, match="quantile: b has dtype bool, wanted a number"):
        PRIMITIVES["quantile_over"].examples[0](lambda name, shape: b)


# -- what the run of a hundred thousand found ------------------------------------------------------


def test_results_in_digits_have_no_more_digits_than_the_context() -> None:
    """The slope of sinc came with guard digits: it did not equal its own copy, and the gradient of a minimum was 0."""
    x = sb.tensor("x", (3,))
    loss = sb.sum(sb.nanmin(PRIMITIVES["sinc_derivative"].examples[0](lambda name, shape: x)) * np.ones(1))
    point = {x: np.array([-0.7, -0.2, 0.4])}
    node = sb.grad(loss, x)
    found = np.asarray(evaluate(node, point, HIGH)).astype(float)
    np.testing.assert_allclose(found, evaluate(node, point), rtol=1e-12)
    assert np.any(found != 0)


def test_deviations_of_booleans_have_digits() -> None:
    b = sb.tensor("b", (3,), dtype="bool")
    found = evaluate(sb.std(b), {b: np.array([True, False, False])}, HIGH)
    assert abs(found[()] ** 2 - HIGH.context.mpf(2) / 9) < 1e-60


def test_equal_numbers_have_no_deviation_in_digits() -> None:
    x = sb.tensor("x", (3,))
    point = {x: np.full(3, 0.1)}
    assert evaluate(sb.std(x), point, HIGH)[()] == 0
    assert np.all(np.asarray(evaluate(sb.grad(sb.std(x), x), point, HIGH)) == 0)


@pytest.mark.parametrize("name", ["svdvals", "inv", "eigvalsh", "cholesky"])
def test_matrices_with_nan_are_nan_in_digits(name: str) -> None:
    """mpmath never converged, or found no pivot."""
    a = sb.tensor("a", (2, 2))
    found = evaluate(getattr(sb.linalg, name)(a), {a: np.full((2, 2), np.nan)}, HIGH)
    assert np.all(np.isnan(floats(found)))


def test_a_solution_with_nan_is_nan_in_digits() -> None:
    a, b = sb.tensor("a", (2, 2)), sb.tensor("b", (2,))
    found = evaluate(sb.linalg.solve(a, b), {a: np.full((2, 2), np.nan), b: np.ones(2)}, HIGH)
    assert np.all(np.isnan(floats(found)))


@pytest.mark.parametrize("name", ["max", "min", "nanmax", "nanmin"])
@pytest.mark.parametrize("values", [[np.nan, 1.0, 2.0], [1.0, np.nan, 2.0], [np.nan] * 3, [3.0, 1.0, 2.0]])
@pytest.mark.filterwarnings("ignore:All-NaN")
def test_extrema_of_nan_in_digits_are_those_of_numpy(name: str, values: list[float]) -> None:
    x = sb.tensor("x", (3,))
    found = float(evaluate(getattr(sb, name)(x), {x: np.array(values)}, HIGH)[()])
    np.testing.assert_array_equal(found, getattr(np, name)(values))


def test_huber_is_infinite_in_digits_where_it_is_in_numpy() -> None:
    """A derivation was verified at a negative delta, and failed."""
    d, r = sb.tensor("d", (3,)), sb.tensor("r", (2, 3))
    assert evaluate(sb.special.huber(d, r), {d: -np.ones(3), r: np.ones((2, 3))}, HIGH)[0, 0] == HIGH.context.inf
    assert sb.derive(sb.sum(sb.special.huber(d, r)), [r]).verify().passed


@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("size", [4, 5])
def test_the_gradient_of_the_determinant_of_nan_is_nan(size: int, style: str) -> None:
    """NumPy's SVD raised that it did not converge."""
    a, u = sb.tensor("a", (size, size)), sb.tensor("u", (size, size))
    slope = sb.grad(sb.linalg.det(a), a)
    second = sb.hvp(sb.linalg.det(a), a, u)
    for value in sb.lambdify([a, u], [slope, second], style=style)(
        np.full((size, size), np.nan), np.ones((size, size))
    ):
        assert np.all(np.isnan(value))


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_booleans_and_numbers_beside_float32_are_float32(style: str) -> None:
    """``b + 1.25 + x`` is a float64 after its first two terms."""
    b, x = sb.tensor("b", (2, 1), dtype="bool"), sb.tensor("x", (2,), dtype="float32")
    node = b + (1.25 + 0.75 * sb.tanh(x))
    value = sb.lambdify([b, x], node, style=style)(np.ones((2, 1), bool), np.ones(2, np.float32))
    assert value.dtype == node.dtype == np.float32


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_a_number_whose_gradient_is_stopped_stays_strong(style: str) -> None:
    x = sb.tensor("x", (2,), dtype="float32")
    nodes = [sb.stop_gradient(3) * x, sb.maximum(sb.stop_gradient(2.5), x)]
    for node, value in zip(nodes, sb.lambdify([x], nodes, style=style)(np.ones(2, np.float32)), strict=True):
        assert value.dtype == node.dtype == np.float64


@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_gradient_through_the_mean_of_nothing_is_no_python_error(style: str) -> None:
    """Python raised ZeroDivisionError of ``2 * 1 / 0``."""
    x = sb.tensor("x", (0,))
    mean = sb.broadcast_to(sb.sum(x) / 0, (2,))
    nodes = sb.grad(sb.sum(2 * mean) + sb.sum(sb.concatenate([x, mean])), x)
    assert sb.lambdify([x], nodes, style=style)(np.zeros(0)).shape == (0,)


@pytest.mark.parametrize(
    ("rule", "function", "value"),
    [
        ("a kink is touched", lambda x: sb.abs(x[0] * x[1]), [0.0, 0.0]),
        ("along a kink", lambda x: sb.clip(x[0], x[1], x[2]), [1.0, 1.0, 1.0]),
        ("along a kink", lambda x: sb.median(x), [2.0, 2.0, 2.0, 2.0]),
        ("along a kink", lambda x: sb.where(x[0], 3 * x[0], x[0]), [0.0, 1.0]),
        ("several kinks", lambda x: sb.fmax(x[0], sb.clip(x[0], -3, 3)), [3.0, 1.0]),
    ],
)
def test_a_rule_excludes_kinks_that_the_line_does_not_cross(rule: str, function: Any, value: Any) -> None:
    subject = subject_of(function, value)
    (x,) = subject.graph.wrt
    direction = {2: [1.0, 1.0], 3: [1.0, -1.0, 1.0], 4: [9.0, 1.0, 2.0, 4.0]}[len(value)]
    subject.direction = {x: HIGH.array(direction, x.dtype)}
    with pytest.raises(Excluded, match=rule):
        CHECKS["Hessian times vector" if "touched" in rule else "gradient"][1](subject)


def test_a_kink_upon_a_kink_counts_as_several() -> None:
    with pytest.raises(Excluded, match="several kinks"):
        CHECKS["gradient"][1](subject_of(lambda x: sb.maximum(x[0], sb.clip(3 * x[1], -1, 0)), [0.0, 0.0]))


def test_a_comparison_of_what_cancels_is_left_to_rounding() -> None:
    subject = subject_of(lambda x: sb.astype(sb.logical_not(sb.sum(x)), "float64") * x, [1.0, 1e-30, -1.0])
    with pytest.raises(Excluded, match="a unit away"):
        CHECKS["readable code"][1](subject)


def test_numbers_stacked_with_float32_are_float32() -> None:
    """Among arrays a Python number was written as float64 (seed 4017010)."""
    x = sb.tensor("x", (), dtype="float32")
    y = sb.tensor("y", (), dtype="float32")
    for number, written in ((0, "0.0"), (0.5, "0.5")):
        replaced = sb.stack([x, y]).subs(x, number)
        function = sb.lambdify([y], replaced)
        value = function(np.float32(2))
        assert value.dtype == replaced.dtype == np.float32
        assert value.tolist() == [number, 2.0]
        assert f"np.float32({written})" in function.source


def test_no_digit_is_certain_where_rounding_changes_all() -> None:
    """Beside a pole of the tangent, far out, the worst of a few roundings is not the worst (seed 4035563)."""
    rules = set()
    for place in range(60):
        try:
            CHECKS["readable code"][1](subject_of(lambda x: sb.tan(1e30 * x) ** 4, 2.0 + place / 64))
        except Excluded as rule:
            rules.add(str(rule))
    assert "no digit is certain" in rules


def test_the_logarithm_of_nearly_one_has_digits() -> None:
    """log(1 - 1e-69) was 0 in digits (seed 4067520)."""
    x = sb.tensor("x", ())
    value = evaluate(sb.special.log_ndtr(x), {x: 17.5}, HIGH)[()]
    assert abs(value / -HIGH.context.ncdf(-17.5) - 1) < 1e-40


def test_a_number_that_is_written_into_an_array_does_not_move() -> None:
    """The tangent of an integer 2 was 2 (seed 4090492)."""
    x, v = sb.tensor("x", (3,)), sb.tensor("v", (3,))
    node = set_slice((x, exact(2)), (1,))
    tangent = sb.lambdify([v], sb.jvp(node, x, v))(np.ones(3))
    assert tangent.tolist() == [1.0, 0.0, 1.0]


def test_an_example_without_end_is_given_up() -> None:
    def endless() -> None:
        while True:
            pass

    with pytest.raises(TooSlowError), patience(0.05):
        endless()
