"""The methods of the gradient checker: differences whose bounds hold, the complex step, Taylor's test, functions."""

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import mpmath
import numpy as np
import pytest

import symback as sb
from symback import errors
from symback.check.cases import Case, cases_of
from symback.check.gradient import check_grad
from symback.check.ladder import differences
from symback.check.ladder.callables import subjects_of
from symback.check.ladder.complex_step import complex_derivative, complex_slopes, not_analytic
from symback.check.ladder.continuations import CONTINUATIONS, NATIVE
from symback.check.ladder.differences import EPS, Difference, Line, derivative, forward, noise_of
from symback.check.ladder.taylor import taylor
from symback.check.trial import Trial
from symback.nodes.node import Node
from symback.op.table import PRIMITIVES

METHODS = ["forward", "central", "five_points", "ridders", "derivative"]
SINGLE = float(np.finfo(np.float32).eps)

# -- differences: the error is within the bound -------------------------------------------------------

Smooth = Callable[[Any, Any], Any]
SMOOTH: list[Smooth] = [
    lambda m, u: m.sin(u), lambda m, u: m.exp(u), lambda m, u: m.tanh(u), lambda m, u: u * u * u - 2 * u,
    lambda m, u: m.log(u * u + 1), lambda m, u: m.cos(u) * m.exp(-u * u), lambda m, u: u, lambda m, u: u**7 - u * u,
]  # fmt: skip

NAMES = "sin", "cos", "exp", "log", "sqrt", "tanh", "arcsin"


def library(dtype: Any) -> SimpleNamespace:
    """Return functions that round to a dtype after each operation."""

    def rounded(function: Any) -> Any:
        return lambda u: dtype(function(dtype(u)))

    return SimpleNamespace(**{name: rounded(getattr(np, name)) for name in NAMES}, where=lambda c, a, b: a if c else b)


EXACT = SimpleNamespace(
    **{name: getattr(mpmath, {"arcsin": "asin"}.get(name, name)) for name in NAMES},
    where=lambda c, a, b: a if c else b,
)


def awkward(rng: np.random.Generator, dtype: Any) -> list[tuple[str, Smooth, float]]:
    """Return functions with a point: scaled, beside a large constant, turning fast, near kinks and near ends."""

    def number(value: float) -> float:
        return float(dtype(value))

    def power(low: float, high: float) -> float:
        return number(10.0 ** rng.uniform(low, high))

    f, g = (SMOOTH[k] for k in rng.integers(len(SMOOTH), size=2))
    x, scale, size, fast = number(rng.uniform(-2, 2)), power(-6, 6), power(-6, 6), power(1, 4)
    offset, jump, near = power(1, 6 if dtype is np.float64 else 3), power(-3, 1), power(-5, -1)
    kink = number(x + near * rng.choice([-1, 1]))
    return [
        ("ordinary", f, x),
        ("scaled", lambda m, t: size * f(m, t / scale), number(scale * x)),
        ("offset", lambda m, t: f(m, t) + offset, x),
        ("fast", lambda m, t: m.sin(fast * t), x),
        ("ripple", lambda m, t: f(m, t) + m.sin(fast * t) / 64, x),
        ("kink", lambda m, t: f(m, t) + jump * m.where(t > kink, t - kink, kink - t), x),
        ("bent", lambda m, t: m.where(t > kink, g(m, t - kink) - g(m, 0 * t), (t - kink) * (t - kink)), x),
        ("end", lambda m, t: m.log(t) + m.sqrt(t), near),
        ("pole", lambda m, t: 1 / t, number(near * rng.choice([-1, 1]))),
        ("arcsin", lambda m, t: m.arcsin(t), number(1 - near)),
        ("cancels", lambda m, t: (offset * m.exp(t) + f(m, t)) - offset * m.exp(t), x),
        ("far", lambda m, t: m.sin(t), number(100 * x)),
    ]  # fmt: skip


def slope_of(function: Smooth, x: float) -> float:
    with mpmath.workdps(80):
        step = mpmath.mpf(10) ** -30
        return float((function(EXACT, mpmath.mpf(x) + step) - function(EXACT, mpmath.mpf(x) - step)) / (2 * step))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("method", METHODS)
def test_the_error_is_within_its_bound(method: str, dtype: Any) -> None:
    rng = np.random.default_rng(METHODS.index(method))
    eps, numbers = float(np.finfo(dtype).eps), library(dtype)
    wrong, seen = [], []
    with np.errstate(all="ignore"):
        for _ in range(8):
            for name, function, x in awkward(rng, dtype):

                def line(t: float, function: Smooth = function, x: float = x) -> float:
                    return float(function(numbers, dtype(x + t)))

                scale, exact = max(1.0, abs(x)), slope_of(function, x)
                noise = noise_of(line, scale, eps=eps)
                found: Difference = getattr(differences, method)(line, scale=scale, noise=noise, eps=eps)
                if not abs(found.value - exact) <= found.tolerance:
                    wrong.append((name, x, exact, found))
                seen.append(found.tolerance / (abs(exact) or 1))
    assert not wrong, wrong
    coarse = {"forward": 1e-6, "ridders": 1e-8}.get(method, 1e-7)
    assert np.median(seen) < (coarse if dtype is np.float64 else 0.05)


@pytest.mark.parametrize("method", ["central", "five_points", "ridders", "derivative"])
@pytest.mark.parametrize("smooth", SMOOTH)
def test_an_ordinary_function_is_seen_to_one_part_in_a_million(smooth: Smooth, method: str) -> None:
    numbers = library(np.float64)
    for x in (-1.3, 0.4, 1.7):

        def line(t: float, x: float = x) -> float:
            return float(smooth(numbers, np.float64(x + t)))

        found = getattr(differences, method)(line, scale=max(1.0, abs(x)), noise=noise_of(line, 1.0), enough=1e-2)
        assert found.tolerance < 1e-7 * max(abs(slope_of(smooth, x)), 1.0)


def test_a_kink_between_the_points_is_within_the_bound() -> None:
    for place in (0.0, 1e-13, 1e-9, 1e-7):
        for method in METHODS:
            found = getattr(differences, method)(lambda t, p=place: abs(t - p), scale=1.0, noise=EPS)
            assert abs(found.value + 1) <= found.tolerance, (method, place, found)


def test_one_side_is_enough_for_forward_differences_only() -> None:
    def half(t: float) -> float:
        return math.exp(2 * t) if t >= 0 else math.nan

    noise = noise_of(half, 1.0)
    found = forward(half, scale=1.0, noise=noise)
    assert abs(found.value - 2) <= found.tolerance < 1e-5
    assert derivative(half, scale=1.0, noise=noise).tolerance == math.inf
    endless = forward(lambda t: math.sqrt(t) if t >= 0 else math.nan, scale=1.0, noise=noise)
    assert endless.tolerance == math.inf


def test_a_function_without_values_has_no_derivative() -> None:
    def nowhere(t: float) -> float:
        return math.nan

    assert math.isnan(noise_of(nowhere, 1.0))
    for method in METHODS:
        assert getattr(differences, method)(nowhere, scale=1.0, noise=math.nan).tolerance == math.inf


def single(t: float) -> float:
    return float(np.sin(np.float32(1 + t)))


@pytest.mark.parametrize(
    ("line", "low", "high"),
    [
        (lambda t: math.sin(1 + t), EPS / 2, 2 * EPS),
        (single, SINGLE / 16, SINGLE),
        (lambda t: (1e9 + math.sin(t)) - 1e9, 1e-8, 2e-7),
        (lambda t: math.sin(1e6 * t), 0, 1e-9),
        (lambda t: abs(t - 1e-6), 0, 1e-14),
        (lambda t: 1 / (1e-9 + t), 0, 1e-5),
        (lambda t: 3.0, 0, 1e-15),
    ],
    ids=["float64", "hidden float32", "quantised", "fast", "kink", "pole", "constant"],
)
def test_noise_is_neither_the_function_nor_a_kink(line: Line, low: float, high: float) -> None:
    assert low <= noise_of(line, 1.0) <= high


# -- the complex step ---------------------------------------------------------------------------------

REFUSED = {
    "abs", "fabs", "relu", "maximum", "minimum", "fmax", "fmin", "copysign", "heaviside", "clip", "huber_penalty",
    "leaky_relu_of", "elu_1", "elu_of", "softsign", "modf_fraction", "remainder", "fmod", "replace_nonfinite",
    "sort_along", "quantile_over", "max_over", "min_over", "nanmax_over", "nanmin_over",
    "over_gaps", "eigenvalues", "eigenvectors", "eigenvalues_upper", "eigenvectors_upper", "singular_values",
    "left_vectors", "right_vectors", "orthogonal_factor", "triangular_factor",
    "i0", "i1", "j0", "j1", "iv", "jv", "hyp1f1", "i0e", "i1e", "gammaln", "zeta", "beta", "betaln", "log_erfc",
    "erfinv", "erfcinv", "ndtri", "log_ndtr", "inverse_erfcx", "inverse_mills", "mills_fraction",
}  # fmt: skip
"""Primitives with a derivative that are not continued: kinks, choices, conjugates, what SciPy has for reals only."""


def continued(name: str) -> bool:
    return name in NATIVE or name in CONTINUATIONS or PRIMITIVES[name].linear


def test_each_primitive_with_a_derivative_is_continued_or_known_to_be_refused() -> None:
    own = {name for name, p in PRIMITIVES.items() if p.doc and (p.derivative or p.vjp) and not name.startswith("test")}
    assert {name for name in own if not continued(name)} == REFUSED
    assert not {name for name in (*NATIVE, *CONTINUATIONS) if name not in PRIMITIVES}


def gradient_by_complex_step(case: Case, x: Node) -> Any:
    slope, value = complex_slopes(case.loss, x, case.point, case.point[x]), np.zeros(x.shape)
    for index in np.ndindex(value.shape):
        unit = np.zeros(value.shape)
        unit[index] = 1
        value[index] = slope(unit)
    return value


@pytest.mark.parametrize("name", [name for name in PRIMITIVES if continued(name)])
def test_the_complex_step_is_exact(name: str) -> None:
    """To a few units in the last place of the largest entry, at every case of the generic tests."""
    for case in cases_of(PRIMITIVES[name], "float64", 1):
        trial = Trial(case)
        if not case.wrt or not trial.has_derivative:
            continue
        evaluation = trial.digits if trial.has_digits else trial.plain
        for x, gradient in zip(case.wrt, evaluation(trial.gradients), strict=True):
            exact = np.asarray(gradient).astype(float)
            error = np.max(np.abs(gradient_by_complex_step(case, x) - exact), initial=0)
            assert error <= 256 * EPS * (np.max(np.abs(exact), initial=0) or 1), (case.label, x)


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_is_not_analytic_is_refused_by_its_name(name: str) -> None:
    case = next(case for case in cases_of(PRIMITIVES[name], "float64", 1) if case.wrt)
    x = case.wrt[-1]
    broken = not_analytic(case.loss, x)
    assert broken is not None
    with pytest.raises(
        errors.UsageError, match=r"complex step by .* is not analytic; ask for another method"
    ) as caught:
        complex_derivative(case.loss, x, case.point, case.point[x], np.ones(x.shape))
    assert broken.short() in str(caught.value)


def test_the_complex_step_goes_through_every_kind_of_node() -> None:
    X, W, v = sb.tensor("X", ("n", 3), dtype="float32"), sb.tensor("W", (3, 3)), sb.tensor("v", (3,))
    z = sb.let("z", sb.tanh(X @ W) + v)
    solved = sb.linalg.solve(W @ W.T + sb.eye(3), z[0])
    loss = sb.sum(sb.stop_gradient(z) * z**2) + sb.sum(solved) + sb.sum(sb.reshape(sb.concatenate([z, z[::-1]]), (-1,)))
    rng = np.random.default_rng(0)
    at = {X: rng.standard_normal((2, 3)).astype(np.float32), W: rng.standard_normal((3, 3)), v: rng.standard_normal(3)}
    report = check_grad(loss, [X, W, v, z], at=at, methods="complex")
    assert report.passed
    assert all(row.sees < 1e-12 for row in report.rows if row.name in ("W", "v"))


def test_what_does_not_move_may_have_kinks() -> None:
    x, y = sb.tensor("x", (3,)), sb.tensor("y", (3,))
    loss = sb.sum(sb.where(y > 0, x**2, sb.abs(y) * x))
    at = {"y": np.array([1.0, -2.0, 0.0])}
    assert complex_derivative(loss, x, at, np.array([3.0, 4.0, 5.0]), np.ones(3)) == 8.0
    assert not_analytic(loss, y) is not None
    assert complex_derivative(loss, sb.tensor("q"), {**at, "x": np.ones(3)}, 1.0, 1.0) == 0.0


def test_where_there_is_no_derivative_the_complex_step_has_none() -> None:
    x = sb.tensor("x", (2,))
    for loss in (sb.sum(sb.sqrt(x)), sb.sqrt(sb.sum(x**2)), sb.sum(sb.cbrt(x))):
        assert math.isnan(complex_derivative(loss, x, {}, np.zeros(2), np.ones(2)))


# -- Taylor's test ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "slopes", "verdict", "power"),
    [
        (math.exp, (1.0,), "passed", 2),
        (math.exp, (1.0, 1.0), "passed", 3),
        (math.exp, (1 + 1e-6,), "failed", 1),
        (math.exp, (-1.0,), "failed", 1),
        (math.exp, (1.0, 1.001), "failed", 2),
        (lambda t: 3 - 2 * t, (-2.0,), "passed", math.inf),
        (lambda t: 3 - 2 * t, (-2.0 - 1e-6,), "failed", 1),
        (lambda t: t * t + t, (1.0, 2.0), "passed", math.inf),
        (lambda t: abs(t - 1e-4) + t * t, (-1.0,), "passed", 2),
        (lambda t: math.sin(1e6 * t), (1e6,), "passed", 3),
        (lambda t: 1e6 + math.sin(1 + t), (math.cos(1),), "passed", 2),
        (lambda t: mpmath.exp(t), (mpmath.mpf(1) + mpmath.mpf(10) ** -11,), "failed", 1),
        (lambda t: math.nan, (1.0,), "undecided", math.nan),
        (math.exp, (math.nan,), "undecided", math.nan),
    ],
)
def test_the_remainder_falls_with_the_power_that_a_right_gradient_gives(
    line: Line, slopes: tuple[Any, ...], verdict: str, power: float
) -> None:
    with mpmath.workdps(55):
        found = taylor(line, slopes, digits=isinstance(slopes[0], mpmath.mpf))
    assert found.verdict == verdict
    assert found.slope == pytest.approx(power, abs=0.2, nan_ok=True)
    assert len(found.steps) == len(found.remainders)


@pytest.mark.parametrize("error", [1e-3, 1e-5, 1e-7, 1e-8, 1e-10])
def test_what_passes_taylors_test_is_no_further_off_than_it_says(error: float) -> None:
    for slope, line in ((1.0, math.exp), (math.cos(2), lambda t: math.sin(2 + t)), (1e3, lambda t: math.log(1e-3 + t))):
        for sign in (1, -1):
            found = taylor(line, (slope * (1 + sign * error),))
            assert found.verdict != "passed" or error * abs(slope) <= 2 * found.sees


# -- plain functions ----------------------------------------------------------------------------------

POINT = np.array([0.5, -1.5, 2.0])


def loss_of(x: Any) -> Any:
    return np.sum(np.sin(x) * x)


def slope_by_hand(x: Any) -> Any:
    return np.cos(x) * x + np.sin(x)


def spoiling(x: Any) -> Any:
    x *= np.sin(x)
    return x.sum()


@pytest.mark.parametrize(
    ("fun", "grad", "at"),
    [
        (loss_of, slope_by_hand, POINT),
        (loss_of, slope_by_hand(POINT), POINT),
        (lambda x: (loss_of(x), slope_by_hand(x)), True, POINT),
        (lambda x: loss_of(x).reshape(1), slope_by_hand, POINT),
        (spoiling, slope_by_hand, POINT),
        (lambda a, b: np.sum(a) * b, lambda a, b: (np.full_like(a, b), np.sum(a)), [POINT, 3]),
        (lambda a, k: np.sum(a[k]), lambda a, k: (np.array([1.0, 0, 2]), None), (POINT, np.array([0, 2, 2]))),
        (lambda a, b: np.sum(a) * b, lambda a, b: {"b": np.sum(a), "a": [b] * 3}, {"a": POINT, "b": 2.0}),
        (math.sin, math.cos, 0.7),
        (lambda x: np.sum(x**2), lambda x: (2 * x,), POINT.astype(np.float32)),
        (lambda x: float(np.sum(np.float32(x) ** 2)), lambda x: 2 * x, POINT),
        (lambda x: np.sum(x**2), lambda x: 2 * x, np.zeros((0, 3))),
    ],
)
def test_a_right_gradient_of_a_function_passes_and_a_wrong_one_fails(fun: Any, grad: Any, at: Any) -> None:
    assert check_grad(fun=fun, grad=grad, at=at).passed
    subjects = subjects_of(fun, grad, at)
    if subjects[0].claimed.size:
        wrong: Any = [1.01 * subject.claimed + 0.01 for subject in subjects]
        wrong = dict(zip([s.name for s in subjects], wrong, strict=True)) if isinstance(at, dict) else wrong
        pair = (lambda *a: fun(*a)[0]) if grad is True else fun
        assert check_grad(fun=pair, grad=wrong if isinstance(at, (dict, list, tuple)) else wrong[0], at=at).failed


def test_the_precision_of_a_function_is_that_of_its_numbers() -> None:
    def precision(fun: Any, at: Any) -> float:
        return subjects_of(fun, np.zeros_like, at)[0].precision

    assert precision(loss_of, POINT) == EPS
    assert precision(loss_of, POINT.astype(np.float32)) == SINGLE
    assert precision(lambda x: np.float32(loss_of(x)), POINT) == SINGLE
    assert precision(lambda x: float(np.float32(loss_of(x))), POINT) == SINGLE
    assert precision(lambda x: 0.5, POINT) in (EPS, SINGLE)


def test_jax_in_float32_is_held_to_what_float32_carries() -> None:
    jax = pytest.importorskip("jax")
    numbers = jax.numpy

    def fun(W: Any, b: Any) -> Any:
        return numbers.sum(numbers.tanh(numbers.asarray(W, "float32") @ numbers.ones(3, "float32") + b) ** 2)

    at = [np.random.default_rng(0).standard_normal(shape).astype(np.float32) for shape in ((4, 3), (4,))]
    gradients = [np.asarray(g) for g in jax.grad(fun, argnums=(0, 1))(*at)]
    assert check_grad(fun=fun, grad=gradients, at=at).passed
    assert check_grad(fun=fun, grad=[gradients[0], 1.01 * gradients[1]], at=at).failed


@pytest.mark.parametrize(
    ("fun", "grad", "at", "kind", "words"),
    [
        (loss_of, slope_by_hand, np.array([1, 2]), errors.InputError, "x has dtype int64.*float64 or float32"),
        (loss_of, slope_by_hand, "abc", errors.InputError, "x has dtype str"),
        (loss_of, slope_by_hand, POINT * 1j, errors.InputError, "x has dtype complex128"),
        (loss_of, slope_by_hand, [np.array([1, 2])], errors.InputError, "argument 0, and none is a float"),
        (np.sin, slope_by_hand, POINT, errors.ShapeError, r"fun returns shape \(3,\).*single number"),
        (lambda x: None, slope_by_hand, POINT, errors.InputError, "fun returns NoneType"),
        (lambda x: 1j, slope_by_hand, POINT, errors.InputError, "fun returns complex128"),
        (lambda x: np.nan, slope_by_hand, POINT, errors.InputError, "fun is nan at the point"),
        (lambda x: [][0], slope_by_hand, POINT, errors.InputError, "fun raises IndexError at the point: list index"),
        (loss_of, lambda x: [][0], POINT, errors.InputError, "grad raises IndexError"),
        (loss_of, True, POINT, errors.InputError, r"\(value, gradient\), but it returns float64"),
        (loss_of, np.ones(2), POINT, errors.ShapeError, r"gradient by x has shape \(2,\), wanted \(3,\)"),
        (loss_of, np.ones(3) * 1j, POINT, errors.InputError, "gradient by x is complex128; it must hold real"),
        (loss_of, "no", POINT, errors.InputError, "gradient by x is str; it must hold real"),
        (lambda a, b: a * b, [1.0, 1.0, 1.0], [1.0, 2.0], errors.InputError, "3 parts, and 2 arguments.*argument 1"),
        (lambda a, b: a * b, 1.0, [1.0, 2.0], errors.InputError, "has 1 part, and 2 arguments"),
        (
            lambda a, b: a * b,
            {"a": 2.0},
            {"a": 1.0, "b": 2.0},
            errors.InputError,
            "by b is missing; it has parts for a",
        ),
    ],
)
def test_functions_that_cannot_be_checked_say_why(fun: Any, grad: Any, at: Any, kind: Any, words: str) -> None:
    with pytest.raises(kind, match=words):
        check_grad(fun=fun, grad=grad, at=at)


def test_a_function_that_fails_near_the_point_is_not_a_number_there() -> None:
    report = check_grad(fun=lambda x: math.log(x), grad=lambda x: 1 / x, at=1e-7)
    assert report.passed
