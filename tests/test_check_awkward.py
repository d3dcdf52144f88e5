"""The gradient checker where it was wrong once: rounded values, tiny numbers, zeros, symmetric matrices."""

from typing import Any

import numpy as np
import pytest

import symback as sb
from symback.check.gradient import check_grad
from symback.check.ladder.plateaus import steps_of

DIFFERENCES = ("five-point", "ridders", "central", "forward")


@pytest.mark.parametrize(("factor", "digits"), [(1, 2), (5, 4), (50, 4), (50, 6), (500, 2)])
def test_a_function_rounded_to_digits_fails_no_right_gradient(factor: int, digits: int) -> None:
    def fun(x: Any) -> Any:
        return np.round(np.sum(np.sin(factor * x)), digits)

    for seed in range(3):
        at = np.random.default_rng(seed).standard_normal(5)
        assert not check_grad(fun=fun, grad=lambda x: factor * np.cos(factor * x), at=at).failed
        assert not check_grad(fun=fun, grad=lambda x: -factor * np.cos(factor * x), at=at).passed


def test_steps_are_told_from_bends() -> None:
    found = steps_of(lambda t: np.floor(t + 0.75), 1.0)
    assert (found.height, round(found.distance, 6)) == (1.0, 0.25)
    assert steps_of(lambda t: max(t, 0.1), 1.0).height == steps_of(np.sin, 1.0).height == 0
    at = np.array([-1.0, -2.0])
    assert check_grad(fun=lambda x: np.sum(np.maximum(x, 0)), grad=np.ones_like, at=at).failed


def test_a_solver_that_stops_early_fails_no_gradient() -> None:
    A = np.array([[2.0, 1.0], [1.0, 3.0]])

    def fun(b: Any) -> Any:
        x = np.zeros(2)
        while np.linalg.norm(A @ x - b) > 1e-8:
            x = x + (b - A @ x) / 4
        return b @ x / 2

    at = np.array([1.0, -0.5])
    assert check_grad(fun=fun, grad=lambda b: np.linalg.solve(A, b), at=at).passed
    assert check_grad(fun=fun, grad=lambda b: np.linalg.solve(A, b) * (1 + 2e-6), at=at).failed


@pytest.mark.parametrize("tiny", [1e-9, 1e-30, 1e-100])
@pytest.mark.parametrize("method", ["mpmath", "complex", *DIFFERENCES])
def test_steps_fit_numbers_that_are_tiny(method: str, tiny: float) -> None:
    x = sb.tensor("x", (3,))
    at = {"x": np.array([tiny, 1.0, 2.0])}
    right = 1 / at["x"]
    assert not check_grad(sb.sum(sb.log(x)), x, at=at, methods=method).failed
    assert check_grad(sb.sum(sb.log(x)), x, at=at, methods=method, gradient=1.01 * right).failed


def test_the_slope_of_a_kink_is_taken_at_the_point_however_close_it_is() -> None:
    x = sb.tensor("x", ())
    for value in (1e-30, 1e-300, 5e-324):
        assert check_grad(sb.abs(x), x, at={"x": value}).passed
        assert check_grad(sb.abs(x), x, at={"x": value}, gradient=0.5).failed


@pytest.mark.parametrize("method", ["mpmath", *DIFFERENCES])
def test_a_stationary_point_with_value_zero_is_decided(method: str) -> None:
    x = sb.tensor("x", (4,))
    at = {"x": np.zeros(4)}
    report = check_grad(sb.sum(x**2), x, at=at, methods=method)
    assert report.passed or method == "forward"
    assert "missing" not in str(report)
    assert check_grad(sb.sum(x**2), x, at=at, methods=method, gradient=np.full(4, 1e-3)).failed


def test_large_numbers_beside_small_ones_are_decided() -> None:
    x = sb.tensor("x", (3,))
    assert check_grad(sb.sum(x**2), x, at={"x": [1e150, -1e150, 1.0]}).passed


def test_a_slope_that_falls_to_zero_at_the_end_of_a_domain_is_zero() -> None:
    x = sb.tensor("x", (2,))
    assert check_grad(sb.sum(x**1.5), x, at={"x": [0.0, 1.0]}).passed


def test_the_complex_step_fails_nothing_where_it_has_no_value() -> None:
    x = sb.tensor("x", (2,))
    assert check_grad(sb.sum(sb.sqrt(x)), x, at={"x": [0.0, 1.0]}, methods="complex").undecided
    assert not check_grad(1e-300 * sb.sum(x**2), x, at={"x": [1.0, 2.0]}, methods="complex").failed


@pytest.mark.parametrize("method", ["five-point", "central"])
def test_a_large_variable_all_at_a_kink_is_judged_beside_it_in_float64(method: str) -> None:
    x, c = sb.tensor("x", (300,)), np.random.default_rng(0).standard_normal(300)
    loss = sb.sum(sb.exp(sb.relu(x)) * c)
    assert check_grad(loss, x, at={"x": np.zeros(300)}, methods=method).passed


@pytest.mark.usefixtures("own_registry")
def test_a_wrong_rule_does_not_hide_at_the_kinks_of_a_large_variable() -> None:
    own = sb.elementwise(
        "leaning", numpy=lambda x: np.maximum(x, 0), latex="q", doc="A relu.", domain=((-2, 2),),
        mpmath=lambda mp, x: max(x, mp.mpf(0)), derivative=lambda y, x: sb.where(x > 0, 1.001, 0.0),
    )  # fmt: skip
    x, c = sb.tensor("x", (300,)), np.random.default_rng(0).standard_normal(300)
    loss = sb.sum(sb.exp(own(x)) * c)
    assert check_grad(loss, x, at={"x": np.zeros(300)}, methods="five-point").failed


WEIGHTS = np.arange(16.0).reshape(4, 4)
MATRIX = np.array([[4.0, 1, 0.5, 0.2], [1, 3, 0.3, 0.7], [0.5, 0.3, 5, 0.1], [0.2, 0.7, 0.1, 2]])
OF_SYMMETRIC = {
    "cholesky": lambda S: sb.sum(sb.linalg.cholesky(S + sb.exp(-S * S)) ** 2 * WEIGHTS),
    "eigvalsh": lambda S: sb.sum(sb.linalg.eigvalsh(S) ** 3 * np.arange(4.0)),
}


@pytest.mark.parametrize("method", [None, "five-point", "complex", "taylor"])
@pytest.mark.parametrize("build", OF_SYMMETRIC.values(), ids=OF_SYMMETRIC.keys())
def test_functions_of_symmetric_matrices_are_held_against_symmetric_directions(build: Any, method: str | None) -> None:
    S = sb.tensor("S", (4, 4))
    loss, at = build(S) + sb.sum(S**2), {"S": MATRIX}
    assert check_grad(loss, S, at=at, methods=method).passed or method == "complex"
    right = sb.lambdify([S], sb.grad(loss, S))(MATRIX)
    wrong = right.copy()
    wrong[1, 2] += 1e-3
    assert not check_grad(loss, S, at=at, methods=method, gradient=right).failed
    assert not check_grad(loss, S, at=at, methods=method, gradient=wrong).passed


def test_second_derivatives_by_symmetric_matrices() -> None:
    S = sb.tensor("S", (3, 3))
    assert check_grad(sb.sum(sb.linalg.cholesky(S) ** 3), S, at={"S": MATRIX[:3, :3]}, order=2).passed
