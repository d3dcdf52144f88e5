"""The gradient checker: a right gradient is never failed, a wrong one never passed, and undecided is said."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symback as sb
from symback import errors
from symback.check.evaluate import evaluate
from symback.check.gradient import check_grad
from symback.check.ladder.table import METHODS
from symback.check.reports.gradient_report import GradientReport
from symback.derive.reverse import grad
from symback.nodes.node import Node
from symback.op.declare import elementwise, primitive
from symback.ops.creation import filling as creation
from symback.ops.elementwise import exponential, logic, powers, trigonometric
from symback.ops.products import multiplying as products
from symback.ops.reductions import softmax
from symback.ops.reductions import sums as reduction

tensor, let = creation.tensor, creation.let


# -- check_grad: what is right passes ---------------------------------------------------------------


def network(dtype: str = "float64") -> tuple[Node, list[Node]]:
    x, y = tensor("x", ("n",), dtype=dtype), tensor("y", ("k",), dtype=dtype)
    W1, b1 = tensor("W1", ("h", "n"), dtype=dtype), tensor("b1", ("h",), dtype=dtype)
    W2, b2 = tensor("W2", ("k", "h"), dtype=dtype), tensor("b2", ("k",), dtype=dtype)
    z1 = let("z1", W1 @ x + b1)
    a2 = trigonometric.tanh(W2 @ exponential.sigmoid(z1) + b2)
    return reduction.sum((a2 - y) ** 2) / 2, [W1, b1, W2, b2, x, z1]


def quadratic() -> tuple[Node, list[Node]]:
    A, x = tensor("A", (4, 4)), tensor("x", (4,))
    return x @ (A @ x) + reduction.sum(A**3), [A, x]


def softmax_loss() -> tuple[Node, list[Node]]:
    Z, T = tensor("Z", (5, 3)), tensor("T", (5, 3))
    return reduction.sum(softmax.logsumexp(Z, axis=1)) - products.vdot(T, Z), [Z]


def logistic() -> tuple[Node, list[Node]]:
    X, w, y = tensor("X", (6, 3)), tensor("w", (3,)), tensor("y", (6,))
    return reduction.sum(exponential.log1p(exponential.exp(-(y * (X @ w))))), [w, X]


LOSSES: list[Callable[[], tuple[Node, list[Node]]]] = [network, quadratic, softmax_loss, logistic]


@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1.0, 1e3, 1e6])
@pytest.mark.parametrize("build", LOSSES)
def test_a_right_gradient_passes_at_every_scale_of_the_function(build: Any, scale: float) -> None:
    loss, wrt = build()
    for seed in range(2):
        report = check_grad(scale * loss, wrt, seed=seed)
        assert report.passed, report


@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1e3, 1e6])
def test_a_right_gradient_passes_at_every_scale_of_the_variable(scale: float) -> None:
    x, A = tensor("x", (4,)), tensor("A", (4, 4))
    rng = np.random.default_rng(5)
    loss = reduction.sum(exponential.log(x**2)) + x @ (A @ x) / scale**2 + reduction.sum(trigonometric.sin(x / scale))
    at = {"x": scale * rng.uniform(0.5, 2, 4), "A": rng.standard_normal((4, 4))}
    assert check_grad(loss, [x, A], at=at).passed


@pytest.mark.parametrize("offset", [1e3, 1e6])
def test_a_right_gradient_passes_beside_a_large_constant(offset: float) -> None:
    loss, wrt = network()
    assert check_grad(loss + offset, wrt).passed


def test_of_float32_the_formula_is_judged_and_its_rounding_is_shown() -> None:
    loss, wrt = network("float32")
    assert check_grad(loss, wrt, methods="five-point").max_error < 1e-8
    report = check_grad(loss, wrt)
    assert report.passed
    assert all(row.dtype == "float32" and row.sees < 1e-9 for row in report.rows)
    assert 1e-9 < report.max_error < 1e-5


def test_a_cancelling_loss_passes() -> None:
    x = tensor("x", (5,))
    big = 1e8 * reduction.sum(exponential.exp(x))
    loss = exponential.exp(exponential.log(big)) - big + reduction.sum(x**2)
    reports = [check_grad(loss, x, seed=seed) for seed in range(6)]
    assert not any(report.failed for report in reports)  # a rule has rounded log(1e8): that much is not seen
    assert any(report.passed for report in reports)


def test_what_stop_gradient_holds_is_constant() -> None:
    x = tensor("x", (3,))
    assert check_grad(reduction.sum(x * logic.stop_gradient(x**2)), x).passed


def test_intermediate_nodes_are_checked() -> None:
    x = tensor("x", (3,))
    z = let("z", exponential.exp(x))
    report = check_grad(reduction.sum(z**2 * x), {"by z": z, "by x": x})
    assert report.passed
    assert [row.name for row in report.rows] == ["z", "x"]


def test_large_variables_are_checked_along_directions() -> None:
    W = tensor("W", (20, 15))
    report = check_grad(reduction.sum(trigonometric.tanh(W) ** 2), W, directions=7, methods="five-point")
    assert (report.rows[0].checked, report.rows[0].along) == (7, "directions")
    assert report.passed
    wrong = np.ones((20, 15))
    assert not check_grad(reduction.sum(trigonometric.tanh(W) ** 2), W, gradient=wrong).passed


def test_points_are_drawn_where_the_loss_is_finite() -> None:
    x, c = tensor("x", ("n",)), tensor("c", ("n",), dtype="bool")
    k = tensor("k", ("n",), dtype="int64")
    assert check_grad(reduction.sum(logic.where(c, exponential.log(x), powers.sqrt(x)) * k), x).passed
    assert check_grad(reduction.sum(trigonometric.arcsin(x)), x).passed


def test_variables_without_entries_pass() -> None:
    x = tensor("x", (0, 2))
    report = check_grad(reduction.sum(x**2), x)
    assert report.passed
    assert report.rows[0].checked == 0


# -- check_grad: what is wrong fails ----------------------------------------------------------------


def mutants(right: np.ndarray[Any, Any], rng: np.random.Generator) -> dict[str, np.ndarray[Any, Any]]:
    """Return wrong gradients by what is wrong with them."""
    biggest = np.unravel_index(np.argmax(np.abs(right)), right.shape)
    nudged, dropped = right.copy(), right.copy()
    nudged[biggest] *= 1 + 1e-4
    dropped[biggest] = 0
    found = {"factor": right * (1 + 1e-4), "sign": -right, "entry": nudged, "missing entry": dropped}
    found["missing term"] = right - 1e-3 * np.abs(right).max() * rng.standard_normal(right.shape)
    if right.ndim == 2 and right.shape[0] == right.shape[1]:
        found["transposed"] = right.T
    if right.size > 1:
        found["shifted"] = np.roll(right.reshape(-1), 1).reshape(right.shape)
    return found


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("build", LOSSES)
def test_every_mutant_is_found(build: Any, scale: float) -> None:
    loss, wrt = build()
    loss = scale * loss
    rng = np.random.default_rng(3)
    variables = sorted((s for s in loss.free_symbols if isinstance(s, Node)), key=lambda s: s.name)
    lengths = {"n": 4, "k": 2, "h": 3}
    shapes = {v: tuple(lengths.get(str(size), size) for size in v.shape) for v in variables}
    at = {v: rng.uniform(0.2, 1.2, shape) for v, shape in shapes.items()}
    right = evaluate(grad(loss, wrt), at)
    assert check_grad(loss, wrt, at=at, gradient=right).passed
    for node, exact in zip(wrt, right, strict=True):
        wrong = mutants(exact, rng)
        assert len(wrong) >= 5
        for name, gradient in wrong.items():
            assert not check_grad(loss, node, at=at, gradient=gradient).passed, (node, name)


def test_the_wrong_variable_is_named() -> None:
    a, b = tensor("a", (2,)), tensor("b", (2,))
    at = {"a": [1.0, 2.0], "b": [3.0, 4.0]}
    report = check_grad(products.vdot(a, b), [a, b], at=at, gradient=[[3.0, 4.0], [1.0, 2.5]])
    assert [row.passed for row in report.rows] == [True, False]


def test_a_nan_is_no_agreement() -> None:
    x = tensor("x", (2,))
    assert not check_grad(reduction.sum(x**2), x, at={"x": [1.0, 2.0]}, gradient=np.array([2.0, np.nan])).passed


def test_a_mismatch_names_variable_entry_and_both_values() -> None:
    A = tensor("A", (2, 2))
    report = check_grad(
        reduction.sum(A**2), A, at={"A": [[1.0, 2.0], [3.0, 4.0]]}, gradient=np.array([[2.0, 4.0], [7.0, 8.0]])
    )
    with pytest.raises(errors.GradientMismatchError) as caught:
        report.raise_if_failed()
    message = str(caught.value)
    assert all(word in message for word in ("by A", "[1, 0]", "it is 7,", "differences give 6 ", "tolerance"))


def test_a_gradient_may_be_a_function_of_the_variables_by_name() -> None:
    a, b = tensor("a", (2,)), tensor("b", (2,))
    loss = products.vdot(a, b)
    assert check_grad(loss, [a, b], gradient=lambda a, b: (b, a)).passed
    assert check_grad(loss, [a, b], gradient=lambda a, b: {"a": b, "b": a}).passed
    assert check_grad(loss, a, gradient=lambda a, b: b).passed
    assert not check_grad(loss, [a, b], gradient=lambda a, b: (a, b)).passed


def test_plain_functions_are_checked() -> None:
    at = np.array([[0.5, 1.0], [2.0, 3.0]])
    assert check_grad(fun=lambda v: np.sum(np.sin(v) * v), grad=lambda v: np.cos(v) * v + np.sin(v), at=at).passed
    assert not check_grad(fun=lambda v: np.sum(np.sin(v) * v), grad=lambda v: np.cos(v) * v, at=at).passed


def test_arguments_that_do_not_fit_are_refused() -> None:
    x, y = tensor("x", (2,)), tensor("y", (2,))
    loss = reduction.sum(x * y)
    with pytest.raises(errors.UsageError, match="fun needs grad and at"):
        check_grad(fun=np.sum, at=np.ones(2))
    with pytest.raises(errors.UsageError, match="fun needs grad and at"):
        check_grad(loss, fun=np.sum, grad=np.ones_like, at=np.ones(2))
    with pytest.raises(errors.UsageError, match="a loss and the variables"):
        check_grad(loss)
    with pytest.raises(errors.ShapeError, match=r"by x has shape \(3,\), wanted \(2,\)"):
        check_grad(loss, x, gradient=np.ones(3))
    with pytest.raises(errors.InputError, match="2 vectors are needed"):
        check_grad(loss, [x, y], gradient=[np.ones(2)])
    with pytest.raises(errors.InputError, match="'z' is no variable"):
        check_grad(loss, [x, y], at={"z": 1.0})
    with pytest.raises(errors.InputError, match="not finite at any of the random points"):
        check_grad(reduction.sum(exponential.log(-(x**2))), x)


def test_sizes_come_from_the_values_given_and_others_are_small_and_distinct() -> None:
    loss, wrt = network()
    report = check_grad(loss, wrt[:4], at={"W1": np.ones((3, 5))})
    assert [row.shape for row in report.rows] == [(3, 5), (3,), (2, 3), (2,)]


# -- check_grad: many digits --------------------------------------------------------------------------


def verdicts(report: GradientReport) -> list[str]:
    return [row.verdict for row in report.rows]


@pytest.mark.parametrize("factor", [1 + 1e-6, 1 - 1e-6, -1.0])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_a_factor_just_off_one_is_seen(factor: float, scale: float) -> None:
    x = tensor("x", (4,))
    at = {"x": scale * np.array([0.3, -1.1, 0.7, 2.0])}
    for method in ("mpmath", "five-point"):
        right = 2 * at["x"]
        assert check_grad(reduction.sum(x**2), x, at=at, gradient=right, methods=method).passed
        assert check_grad(reduction.sum(x**2), x, at=at, gradient=factor * right, methods=method).failed


def test_a_term_missing_on_one_entry_of_many_is_found_and_named() -> None:
    x, c = tensor("x", (100_000,)), np.random.default_rng(1).standard_normal(100_000)
    point = np.random.default_rng(2).standard_normal(100_000)
    loss = reduction.sum(x**2 * c) + reduction.sum(x)
    wrong = 2 * c * point + 1
    assert check_grad(loss, x, at={"x": point}, gradient=wrong, directions=2).passed
    wrong[77_777] -= 1
    report = check_grad(loss, x, at={"x": point}, gradient=wrong, directions=2)
    assert report.failed
    assert report.rows[0].worst[0].place == "[77777]"


@pytest.mark.usefixtures("own_registry")
def test_entries_of_a_larger_variable_are_found_by_halving_in_many_digits() -> None:
    own = elementwise(
        "wrong_above_two", derivative=lambda y, x: logic.where(x > 2, 3 * x, 2 * x), numpy="np.square",
        mpmath=lambda mp, x: x * x, latex="q", domain=((-3.0, 3.0),), doc="A square.",
    )  # fmt: skip
    x, at = tensor("x", (300,)), np.linspace(-1, 1, 300)
    assert check_grad(reduction.sum(own(x)), x, at={"x": at}).passed
    at[123] = 2.5
    row = check_grad(reduction.sum(own(x)), x, at={"x": at}).rows[0]
    assert (row.verdict, row.worst[0].place, row.worst[0].gradient, row.worst[0].reference) == (
        "failed", "[123]", 7.5, 5.0,
    )  # fmt: skip


KINKS: list[tuple[Callable[[Any], Any], float, tuple[float, float]]] = [
    (sb.relu, 0.0, (0.0, 1.0)),
    (sb.abs, 0.0, (-1.0, 1.0)),
    (lambda x: sb.maximum(x, 2.0), 2.0, (0.0, 1.0)),
    (lambda x: sb.minimum(x, 2 * x), 0.0, (1.0, 2.0)),
    (lambda x: x * sb.floor(x), 2.0, (1.0, 2.0)),
    (sb.sign, 0.0, (0.0, 0.0)),
]


@pytest.mark.parametrize("size", [1, 3, 12])
@pytest.mark.parametrize(("function", "kink", "slopes"), KINKS)
def test_at_a_kink_what_lies_between_the_slopes_passes(
    function: Any, kink: float, slopes: tuple[float, float], size: int
) -> None:
    x = tensor("x", (size,))
    at = np.linspace(0.3, 0.9, size)
    at[size // 2] = kink
    loss = reduction.sum(function(x))
    report = check_grad(loss, x, at={"x": at}, max_entries=10)
    assert report.passed, report
    right = np.array(evaluate([*grad(loss, [x]), loss], {"x": at})[0])
    for share, verdict in ((0.0, "passed"), (0.5, "passed"), (1.0, "passed"), (1.2, "failed"), (-0.2, "failed")):
        given = right.copy()
        given[size // 2] = slopes[0] + share * ((slopes[1] - slopes[0]) or 1)
        if slopes[0] == slopes[1] and 0 < share <= 1:
            verdict = "failed"
        assert verdicts(check_grad(loss, x, at={"x": at}, gradient=given, max_entries=10)) == [verdict], (share, given)


def test_where_all_of_a_large_variable_is_at_a_kink_the_formula_is_judged_beside_it() -> None:
    x, c = tensor("x", (60,)), np.random.default_rng(0).standard_normal(60)
    loss = reduction.sum(exponential.exp(sb.relu(x)) * c)
    assert check_grad(loss, x, at={"x": np.zeros(60)}, max_entries=20).passed
    assert not check_grad(loss, x, at={"x": np.zeros(60)}, max_entries=20, methods="five-point").failed


def test_a_kink_close_by_fails_nothing() -> None:
    x = tensor("x", ())
    for distance in (1e-3, 1e-9, 1e-15, 5e-324):
        for method in ("mpmath", "five-point", "ridders", "central", "forward"):
            report = check_grad(sb.abs(x) + x, x, at={"x": distance}, methods=method)
            assert not report.failed, report


def test_infinite_slopes_are_told_from_wrong_ones() -> None:
    x = tensor("x", (3,))
    at, loss = {"x": np.array([0.0, 1.0, 4.0])}, reduction.sum(powers.sqrt(x))
    assert check_grad(loss, x, at=at).passed
    assert check_grad(loss, x, at=at, gradient=[np.inf, 0.5, 0.25]).passed
    assert check_grad(loss, x, at=at, gradient=[5.0, 0.5, 0.25]).failed
    assert check_grad(loss, x, at=at, gradient=[np.inf, 0.5, 0.3]).failed


def test_a_gradient_that_is_zero_passes_and_what_should_be_zero_fails() -> None:
    x, y = tensor("x", (3,)), tensor("y", (3,))
    loss = reduction.sum(softmax.softmax(x)) + reduction.sum(y**2)
    for method in (None, "mpmath"):
        assert check_grad(loss, [x, y], methods=method).passed
    assert check_grad(reduction.sum(0 * x), x, methods="five-point").passed
    assert check_grad(loss, x, gradient=np.full(3, 1e-5)).failed


def test_what_differences_cannot_see_is_undecided_and_says_what_can() -> None:
    x = tensor("x", (2,))
    report = check_grad(reduction.sum(x**2) + 1e12, x, at={"x": [1.0, 2.0]}, methods="five-point")
    assert report.undecided
    assert not report.passed
    with pytest.raises(errors.SymbackError, match="mpmath"):
        report.raise_if_failed()
    assert check_grad(reduction.sum(x**2) + 1e12, x, at={"x": [1.0, 2.0]}).passed


def test_a_formula_that_is_right_but_overflows_is_not_passed() -> None:
    x = tensor("x", ())
    loss = (exponential.exp(x) * exponential.exp(-x)) ** 2 + x
    report = check_grad(loss, x, at={"x": 800.0})
    assert report.undecided
    assert "not finite" in report.rows[0].note


# -- methods ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", sorted(METHODS))
def test_every_method_passes_what_is_right(method: str) -> None:
    loss, wrt = network()
    report = check_grad(loss, wrt, methods=method, seed=3)
    assert report.passed, report
    assert {row.method for row in report.rows} == {method}


@pytest.mark.parametrize("method", sorted(set(METHODS) - {"symmetry"}))
def test_every_method_fails_what_is_wrong(method: str) -> None:
    x = tensor("x", (3,))
    at = {"x": [0.5, 1.0, 2.0]}
    report = check_grad(reduction.sum(x**3), x, at=at, gradient=[0.75, 3.0, 12.1], methods=method)
    assert verdicts(report) == ["failed"]


def test_several_methods_give_a_row_for_each_variable_and_method() -> None:
    a, b = tensor("a", (2,)), tensor("b", (2,))
    rows = check_grad(products.vdot(a, sb.relu(b)), [a, b], methods=["mpmath", "complex"]).rows
    found = [(row.name, row.method, row.verdict) for row in rows]
    assert found[:3] == [("a", "mpmath", "passed"), ("a", "complex", "passed"), ("b", "mpmath", "passed")]
    assert found[3] == ("b", "complex", "not applicable")
    assert "relu" in rows[3].note


@pytest.mark.parametrize("methods", [None, "mpmath", "five-point", "complex", "taylor", "symmetry"])
def test_second_derivatives_are_checked_block_by_block(methods: str | None) -> None:
    x, A = tensor("x", ("n",)), tensor("A", ("n", "n"))
    loss = reduction.sum(exponential.exp(A @ x)) + reduction.sum(x)
    report = check_grad(loss, [A, x], order=2, methods=methods)
    assert report.passed, report
    if methods in ("mpmath", "five-point"):
        assert [row.name for row in report.rows] == ["A, A", "A, x", "x, A", "x, x"]
    if methods == "taylor":
        assert all("h^3.0" in row.note for row in report.rows)


@pytest.mark.usefixtures("own_registry")
def test_second_derivatives_that_are_wrong_fail() -> None:
    held = elementwise(
        "held_square", derivative=lambda y, x: 2 * logic.stop_gradient(x), numpy="np.square",
        mpmath=lambda mp, x: x * x, latex="q", domain=((-3.0, 3.0),), doc="A square.",
    )  # fmt: skip
    x = tensor("x", (3,))
    assert check_grad(reduction.sum(held(x)), x).passed
    assert check_grad(reduction.sum(held(x) * x), x, order=2).failed


@pytest.mark.usefixtures("own_registry")
def test_reverse_and_forward_mode_that_differ_are_told_by_the_dot_product() -> None:
    flip = primitive(
        "flip_twice", signature=lambda x: (x.shape, x.dtype), vjp=lambda g, node: (2 * g,), linear=True,
        numpy="np.flip({0})", value=np.flip, latex="{0}", examples=(lambda make: flip(make("x", (3,))),), doc="Turns.",
    )  # fmt: skip
    x = tensor("x", (3,))
    assert check_grad(reduction.sum(flip(x) ** 2), x, methods=["dot"]).failed


# -- arguments ----------------------------------------------------------------------------------------


def test_arguments_of_the_ladder_are_checked() -> None:
    x = tensor("x", (2,))
    z = let("z", exponential.exp(x))
    loss = reduction.sum(z)
    plain: dict[str, Any] = {"fun": np.sum, "grad": np.ones_like, "at": np.ones(2)}
    with pytest.raises(errors.UsageError, match=r"no method 'magic'; choose from .*five-point"):
        check_grad(loss, x, methods="magic")
    with pytest.raises(errors.UsageError, match=r"order=3 is not supported"):
        check_grad(loss, x, order=3)
    with pytest.raises(errors.UsageError, match=r"order=2 takes a graph .* not gradient="):
        check_grad(loss, x, order=2, gradient=np.ones(2))
    with pytest.raises(errors.UsageError, match=r"order=2 takes a graph .* not fun="):
        check_grad(order=2, **plain)
    with pytest.raises(errors.InputError, match="gives a value for z, which is computed"):
        check_grad(loss, x, at={z: np.ones(2)})
    with pytest.raises(errors.InputError, match="dtype complex128"):
        check_grad(loss, x, gradient=np.ones(2) * 1j)
    with pytest.raises(errors.InputError, match="by x is missing; the given dict has y"):
        check_grad(loss, x, gradient={"y": np.ones(2)})
    for method in ("mpmath", "dot", "complex", "symmetry"):
        with pytest.raises(errors.InputError, match=r"it takes a graph .*five-point"):
            check_grad(methods=method, **plain)


@pytest.mark.usefixtures("own_registry")
def test_what_has_no_digits_is_differenced_in_floats() -> None:
    plain = elementwise(
        "plain_square", derivative=lambda y, x: 2 * x, numpy="np.square", latex="c", domain=((-1, 1),),
        doc="A square.",
    )  # fmt: skip
    x = tensor("x", (2,))
    report = check_grad(reduction.sum(plain(x)), x)
    assert (report.passed, report.rows[0].method) == (True, "five-point")
    with pytest.raises(errors.InputError, match=r"declare mpmath=.*five-point"):
        check_grad(reduction.sum(plain(x)), x, methods="mpmath")


def test_a_gradient_of_zeros_passes_with_a_word_on_it():
    """All units are off: a rule that forgot its argument would pass as well."""
    x = sb.tensor("x", (3,))
    dead = sb.check_grad(sb.sum(sb.relu(x)), x, at={"x": -np.ones(3)})
    assert dead.passed
    assert "it is 0 here in every entry" in str(dead)
    assert "it is 0 here" not in str(sb.check_grad(sb.sum(sb.relu(x)), x, at={"x": np.array([-1.0, 1.0, 2.0])}))
