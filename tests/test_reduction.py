"""Reductions and scans at their awkward points: zeros, ties, NaN, infinities, no entries; their options and errors."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symback as sb
from symback import errors

INF, NAN = float("inf"), float("nan")


def derivatives(function: Callable[[Any], Any], at: Any, dtype: str = "float64") -> tuple[Any, Any, Any]:
    """Return value, gradient and Hessian, as emitted code gives them; the oracle has to agree."""
    values = np.asarray(at, dtype)
    x = sb.tensor("x", values.shape, dtype=dtype)
    y = function(x)
    nodes = (y, sb.grad(y, x), sb.hessian(y, x))
    with np.errstate(all="ignore"):
        found: tuple[Any, Any, Any] = sb.lambdify([x], nodes)(values)
    for one, other in zip(found, sb.evaluate(nodes, {x: values}), strict=True):
        np.testing.assert_allclose(one, other, rtol=4 * np.finfo(dtype).eps)
        assert one.dtype == dtype
    return found


def clean(function: Callable[[Any], Any], at: Any) -> Any:
    """Return the gradient that emitted code gives where NumPy raises on every warning but underflow."""
    values = np.asarray(at, "float64")
    x = sb.tensor("x", values.shape)
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        return sb.lambdify([x], sb.grad(function(x), x))(values)


def products_without(values: Any, *left_out: int) -> float:
    return math.prod(v for k, v in enumerate(values) if k not in left_out)


@pytest.mark.parametrize("values", [[2, 0, 4], [0, 3, 0, 2], [0, 0, 0], [1.5, -2, 3, 0.5, 7], [0], [3]])
def test_products_need_no_division(values: list[float]) -> None:
    n = len(values)
    value, gradient, hessian = derivatives(sb.prod, values)
    assert value == math.prod(values)
    np.testing.assert_allclose(gradient, [products_without(values, i) for i in range(n)])
    wanted = [[products_without(values, i, j) if i != j else 0 for j in range(n)] for i in range(n)]
    np.testing.assert_allclose(hessian, wanted)


def test_third_derivatives_of_a_product_between_three_zeros() -> None:
    x = sb.tensor("x", (4,))
    third = sb.jacobian(sb.hessian(sb.prod(x), x), x)
    found = sb.evaluate(third, {x: np.array([0.0, 0.0, 0.0, 5.0])})
    assert found[0, 1, 2] == found[2, 0, 1] == 5
    assert found[0, 1, 3] == found[0, 0, 1] == 0


def test_a_product_over_several_axes_is_that_of_its_entries() -> None:
    values = np.random.default_rng(0).integers(-2, 3, (2, 3, 2)).astype(float)
    x = sb.tensor("x", (2, 3, 2))
    by_axes, flat = sb.prod(x, axis=(0, 2)), sb.prod(x.transpose(1, 0, 2).reshape(3, 4), axis=1)
    for loss in (lambda y: sb.sum(y**2), lambda y: y[1] * y[0]):
        one, other = (sb.evaluate(sb.hessian(loss(y), x), {x: values}) for y in (by_axes, flat))
        np.testing.assert_allclose(one, other)


def test_running_products_pass_by_zeros() -> None:
    """As in row 63 of the conventions, with the Jacobian, and a second derivative against differences."""
    x = sb.tensor("x", (4,))
    values = np.array([50.0, 0.0, 3.0, 2.0])
    jacobian = sb.evaluate(sb.jacobian(sb.cumprod(x), x), {x: values})
    np.testing.assert_array_equal(jacobian, [[1, 0, 0, 0], [0, 50, 0, 0], [0, 150, 0, 0], [0, 300, 0, 0]])
    weights = np.array([1.0, 2.0, 3.0, 4.0])
    hessian = sb.evaluate(sb.hessian(sb.sum(sb.cumprod(x) * weights), x), {x: values})
    assert hessian[0, 1] == 2 + 3 * 3 + 4 * 3 * 2
    assert hessian[1, 3] == 4 * 50 * 3
    assert not hessian.diagonal().any()
    np.testing.assert_array_equal(hessian, hessian.T)


def test_running_products_of_many_entries_take_few_steps() -> None:
    n = 200_000
    x = sb.tensor("x", ("n",))
    gradient = sb.lambdify([x], sb.grad(sb.cumprod(x)[-1] + sb.prod(x), x))
    np.testing.assert_allclose(gradient(np.ones(n)), 2)


@pytest.mark.parametrize(("name", "at", "wanted"), [
    ("max", [1, 3, 3, 2], [0, 0.5, 0.5, 0]),
    ("min", [1, 3, 1, 1], [1 / 3, 0, 1 / 3, 1 / 3]),
    ("max", [1, NAN, 3], [NAN] * 3),
    ("max", [INF, 0, INF], [0.5, 0, 0.5]),
    ("min", [-INF, -INF], [0.5, 0.5]),
    ("nanmax", [1, NAN, 3, 3], [0, 0, 0.5, 0.5]),
    ("nanmin", [NAN, NAN], [0, 0]),
    ("nanmin", [INF, NAN], [1, 0]),
    ("ptp", [1, 5, 5], [-1, 0.5, 0.5]),
    ("nansum", [1, NAN, 2], [1, 0, 1]),
    ("nanmean", [1, NAN, 2], [0.5, 0, 0.5]),
    ("nanprod", [0, NAN, 2], [2, 0, 0]),
    ("std", [2, 2, 2], [0, 0, 0]),
    ("nanstd", [2, NAN, 2], [0, 0, 0]),
    ("mean", [], []),
    ("std", [], []),
])  # fmt: skip
@pytest.mark.filterwarnings("ignore:All-NaN slice", "ignore:Degrees of freedom", "ignore:Mean of empty slice")
def test_gradients_at_awkward_points(name: str, at: list[float], wanted: list[float]) -> None:
    value, gradient, _ = derivatives(getattr(sb, name), at)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(value, getattr(np, name)(np.asarray(at, float)))
    np.testing.assert_allclose(gradient, wanted)


def test_second_derivatives_through_ties_and_missing_entries() -> None:
    _, gradient, hessian = derivatives(lambda x: sb.max(x) ** 2, [3, 1, 3])
    np.testing.assert_allclose(gradient, [3, 0, 3])
    np.testing.assert_allclose(hessian, [[0.5, 0, 0.5], [0, 0, 0], [0.5, 0, 0.5]])
    value, gradient, hessian = derivatives(lambda x: sb.nansum(x**2), [1, NAN, 2])
    assert value == 5
    np.testing.assert_array_equal(gradient, [2, 0, 4])
    np.testing.assert_array_equal(hessian, np.diag([2.0, 0, 2]))
    _, gradient, hessian = derivatives(lambda x: sb.nanvar(x), [1, NAN, 4])
    np.testing.assert_allclose(gradient, [-1.5, 0, 1.5])
    np.testing.assert_allclose(hessian, [[0.5, 0, -0.5], [0, 0, 0], [-0.5, 0, 0.5]])


def test_the_entries_that_are_not_largest_see_no_infinite_slope() -> None:
    """sqrt has infinite slope at the entries that are 0, and at the largest if that is 0."""
    np.testing.assert_array_equal(derivatives(lambda x: sb.max(sb.sqrt(x)), [4, 0])[1], [0.25, 0])
    np.testing.assert_array_equal(derivatives(lambda x: sb.sqrt(sb.max(x)), [0, -1])[1], [INF, 0])


def test_one_symbol_twice_in_a_reduction() -> None:
    _, gradient, _ = derivatives(lambda x: sb.max(sb.concatenate([x, x])), [1, 2])
    np.testing.assert_array_equal(gradient, [0, 1])


def test_variance_takes_two_passes() -> None:
    value, gradient, _ = derivatives(sb.var, [1e9, 1e9 + 1, 1e9 + 2])
    np.testing.assert_allclose(value, 2 / 3)
    np.testing.assert_allclose(gradient, [-2 / 3, 0, 2 / 3])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_logsumexp_and_softmax_far_out(dtype: str) -> None:
    tolerance = {"rtol": 2000 * np.finfo(dtype).eps, "atol": np.finfo(dtype).eps}
    p = np.exp([0, 0, -1]) / np.sum(np.exp([0, 0, -1]))
    value, gradient, hessian = derivatives(sb.logsumexp, [1000, 1000, 999], dtype)
    np.testing.assert_allclose(value, 1000 + np.log(2 + np.exp(-1)), **tolerance)
    np.testing.assert_allclose(gradient, p, **tolerance)
    np.testing.assert_allclose(hessian, np.diag(p) - np.outer(p, p), **tolerance)
    value, gradient, hessian = derivatives(lambda x: sb.softmax(x)[0], [1000, 0, -1000], dtype)
    assert value == 1
    assert not gradient.any()
    assert not hessian.any()
    value, gradient, hessian = derivatives(lambda x: sb.log_softmax(x)[1], [1000, 0, -1000], dtype)
    assert value == -1000
    np.testing.assert_array_equal(gradient, [-1, 1, 0])
    assert not hessian.any()


@pytest.mark.parametrize(("at", "value", "gradient"), [
    ([-INF, 0], 0, [0, 1]), ([-INF, -INF], -INF, [NAN, NAN]), ([INF, 0], INF, [NAN, NAN]), ([], -INF, []),
])  # fmt: skip
def test_logsumexp_of_infinities(at: list[float], value: float, gradient: list[float]) -> None:
    found = derivatives(sb.logsumexp, at)
    assert found[0] == value
    np.testing.assert_array_equal(found[1], gradient)
    if at == [-INF, 0]:
        assert not found[2].any()


def test_weights_of_logsumexp_may_be_0_or_negative() -> None:
    a, b = sb.tensor("a", (3,)), sb.tensor("b", (3,))
    y = sb.logsumexp(a, b=b)
    at = {a: np.array([1000.0, 3.0, 1.0]), b: np.array([0.0, 1.0, -0.5])}
    value, by_a, by_b = sb.evaluate([y, *sb.grad(y, [a, b])], {**at, a: np.array([4.0, 3.0, 1.0])})
    total = np.exp(3) - np.exp(1) / 2
    np.testing.assert_allclose(value, np.log(total))
    np.testing.assert_allclose(by_a, [0, np.exp(3) / total, -np.exp(1) / 2 / total])
    np.testing.assert_allclose(by_b, np.exp([4, 3, 1]) / total)
    np.testing.assert_allclose(sb.evaluate(y, at), np.log(total), err_msg="an entry of weight 0 is not the largest")


@pytest.mark.parametrize("name", ["sum", "mean", "prod", "max", "std", "var", "logsumexp", "nansum", "nanmean"])
def test_gradients_run_clean_where_they_are_finite(name: str) -> None:
    assert np.isfinite(clean(getattr(sb, name), [2.0, 2.0, 2.0])).all()
    if name.startswith("nan"):
        assert np.isfinite(clean(getattr(sb, name), [2.0, NAN, 1.0])).all()


DTYPES = ("float64", "float32", "int64", "int32", "uint8", "bool")
ANY_DTYPE = ("sum", "prod", "mean", "var", "std", "any", "all", "count_nonzero", "cumsum", "cumprod", "argmax", "max",
             "nansum", "nanprod", "nanmean")  # fmt: skip


@pytest.mark.parametrize("name", ANY_DTYPE)
@pytest.mark.parametrize("dtype", DTYPES)
def test_dtypes_are_those_of_numpy(name: str, dtype: str) -> None:
    values = np.array([[1, 0, 3], [2, 2, 1]]).astype(dtype)
    x = sb.tensor("x", (2, 3), dtype=dtype)
    node, wanted = getattr(sb, name)(x, axis=1), getattr(np, name)(values, axis=1)
    assert node.dtype == wanted.dtype
    found = sb.lambdify([x], node)(values)
    assert found.dtype == wanted.dtype
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


def test_the_mean_of_large_integers_does_not_overflow() -> None:
    k = sb.tensor("k", (2,), dtype="int64")
    assert sb.evaluate(sb.mean(k), {k: np.array([2**62, 2**62])}) == 2.0**62


def test_options_of_numpy() -> None:
    values = np.array([[1.0, 5.0], [7.0, 2.0]])
    mask = np.array([True, False])
    x = sb.tensor("x", (2, 2))
    for name in ("sum", "prod", "max", "min"):
        found = sb.evaluate(getattr(sb, name)(x, axis=0, where=mask, initial=3), {x: values})
        np.testing.assert_array_equal(found, getattr(np, name)(values, axis=0, where=mask, initial=3))
    assert sb.evaluate(sb.sum(sb.constant([1, 2]), initial=1.5), {}) == np.sum([1, 2], initial=1.5)
    assert sb.evaluate(sb.max(sb.tensor("e", (0,)), initial=2.0), {}) == 2
    found = sb.evaluate(sb.average(x, axis=0, weights=[1.0, 3.0], returned=True), {x: values})
    for one, other in zip(found, np.average(values, axis=0, weights=[1.0, 3.0], returned=True), strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(np.sum(x, 0).shape, (2,))
    assert np.max(x, axis=1, keepdims=True) is sb.max(x, axis=1, keepdims=True)
    assert np.amax(x) is sb.max(x)
    assert np.cumsum(x, 1) is sb.cumsum(x, axis=1)


def test_positions_have_no_derivative_and_take_the_first() -> None:
    values = np.array([[1.0, 3.0, 3.0], [NAN, 2.0, NAN]])
    x = sb.tensor("x", (2, 3))
    for name in ("argmax", "argmin"):
        for options in ({"axis": 1}, {}, {"axis": 0, "keepdims": True}):
            node = getattr(sb, name)(x, **options)
            assert node.dtype == np.int64
            np.testing.assert_array_equal(sb.lambdify([x], node)(values), getattr(np, name)(values, **options))
    assert sb.grad(sb.sum(x) * sb.argmax(x), x).shape == (2, 3)


X = sb.tensor("x", (2, 3))
B = sb.tensor("b", (2, 3), dtype="bool")
REFUSED: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "no entries": (lambda: sb.max(sb.tensor("e", (0,))), errors.ShapeError, "max: e .* has no entries"),
    "no position": (lambda: sb.argmin(X[:0]), errors.ShapeError, "argmin: .* has no entries"),
    "axis": (lambda: sb.prod(X, axis=2), errors.ShapeError, "prod: axis 2 is out of range"),
    "axis twice": (lambda: sb.any(X, axis=(1, -1)), errors.ShapeError, "any: axis .* repeated"),
    "axis of a scan": (lambda: sb.cumsum(X, axis=-3), errors.ShapeError, "cumsum: axis -3"),
    "two axes": (lambda: sb.argmax(X, axis=(0, 1)), errors.ShapeError, r"argmax: axis \(0, 1\)"),
    "no axis": (lambda: sb.cumulative_sum(X), errors.ShapeError, "cumulative_sum: .* 2 axes; say along which"),
    "where alone": (lambda: sb.max(X, where=B), errors.UsageError, "max: where= needs initial="),
    "where": (lambda: sb.sum(X[0], where=B), errors.ShapeError, r"sum: where=b .* must broadcast to .*\(3,\)"),
    "no mask": (lambda: sb.sum(X, where=X), errors.DtypeError, "sum: where: x has dtype float64, wanted bool"),
    "initial": (lambda: sb.sum(X, initial=X), errors.ShapeError, "sum: initial= must be a number"),
    "dtype": (lambda: sb.sum(X, dtype="int8"), errors.DtypeError, "sum: dtype=int8 is not supported, use float64"),
    "dtype of a mean": (lambda: sb.mean(X, dtype=int), errors.DtypeError, "mean: dtype=int64 is not supported"),
    "ddof": (lambda: sb.var(X, ddof=0.5), errors.UsageError, "var: ddof=0.5 must be an integer"),
    "ddof twice": (lambda: sb.std(X, ddof=1, correction=1), errors.UsageError, "std: ddof= and correction="),
    "weights": (lambda: sb.average(X, weights=[1, 2, 3]), errors.ShapeError, "average: weights .* fit neither"),
    "weights along": (lambda: sb.average(X, 0, [1, 2, 3]), errors.ShapeError, "nor its axis=0"),
    "ptp of bool": (lambda: sb.ptp(B), errors.DtypeError, "ptp: b has dtype bool"),
    "sign of logsumexp": (lambda: sb.logsumexp(X, return_sign=True), TypeError, "return_sign"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_says_why(name: str) -> None:
    call, kind, message = REFUSED[name]
    with pytest.raises(kind, match=message):
        call()


def source(output: Any) -> str:
    y = sb.let("y", output)
    code: str = sb.lambdify([X], (y, sb.grad(y, X)), name="f", check=False).source
    return code[code.index("def f(") :]


@pytest.mark.parametrize(("output", "lines"), [
    (sb.sum(sb.exp(sb.softmax(X, axis=1))), [
        "p = softmax(x, axis=1)", "d_x = p * (exp_p - np.sum(p * exp_p, axis=1, keepdims=True))",
    ]),
    (sb.sum(sb.log_softmax(X, axis=1)), [
        "lse, p = logsumexp_and_softmax(x, axis=1)", "y = np.sum(x - lse[:, None])",
    ]),
    (sb.sum(sb.var(X, axis=0)), ["y = np.sum(np.var(x, axis=0))", "d_x = x - 0.5 * x.sum(axis=0)"]),
    (sb.prod(X), ["y = np.prod(x)", "d_x = product_of_others(x)"]),
    (sb.sum(X * sb.cumsum(X, axis=1)), ["np.cumsum(x, axis=1)", "np.cumsum(x[:, ::-1], axis=1)[:, ::-1]"]),
    (sb.sum(sb.exp(X - sb.max(X, axis=1, keepdims=True))), ["largest = np.max(x, axis=1)", "largest[:, None]"]),
])  # fmt: skip
def test_emitted_code_is_what_one_would_write(output: Any, lines: list[str]) -> None:
    for line in lines:
        assert line in source(output)


@pytest.mark.parametrize("name", ["max", "min"])
@pytest.mark.parametrize("initial", [0, 1, True, -1, 0.5])
def test_an_extremum_of_booleans_is_boolean(name: str, initial: float) -> None:
    mask = sb.tensor("m", (3,), dtype="bool")
    found = sb.evaluate(getattr(sb, name)(mask, initial=initial), {"m": np.array([True, False, True])})
    wanted = getattr(np, name)(np.array([True, False, True]), initial=initial)
    assert (found.dtype, found) == (wanted.dtype, wanted)


@pytest.mark.parametrize("dtype", ["float64", "float32", "int32", "bool"])
@pytest.mark.parametrize("axis", [None, 0, 1])
@pytest.mark.parametrize("name", ["mean", "any", "all"])
def test_reductions_of_the_entries_that_a_mask_takes(name: str, axis: int | None, dtype: str) -> None:
    values, mask = np.array([[0, 1, 3], [0, 2, 0]]).astype(dtype), np.array([[True, False, True], [False, True, True]])
    x, m = sb.tensor("x", (2, 3), dtype=dtype), sb.tensor("m", (2, 3), dtype="bool")
    node = getattr(sb, name)(x, axis, where=m, keepdims=True)
    wanted = getattr(np, name)(values, axis, where=mask, keepdims=True)
    for found in (sb.evaluate(node, {"x": values, "m": mask}), sb.lambdify([x, m], node)(values, mask)):
        assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
        np.testing.assert_array_equal(found, wanted)


def test_no_nan_comes_from_entries_that_a_mean_leaves_out() -> None:
    x, m = sb.tensor("x", (2,)), np.array([True, False])
    gradient = sb.grad(sb.mean(sb.log(x), where=m), x)
    np.testing.assert_array_equal(sb.evaluate(sb.mean(x, where=m), {"x": [2.0, NAN]}), 2.0)
    np.testing.assert_array_equal(sb.evaluate(gradient, {"x": [2.0, 3.0]}), [0.5, 0.0])
