"""The fast style computes X' diag(s) X as a half times its own transpose, where s is known not to be negative."""

from typing import Any

import numpy as np
import pytest

import symback as sb
from symback.check.evaluate import evaluate
from symback.graph import toposort
from symback.nodes.leaves import Variable

X, w, s, A = sb.tensor("X", ("N", "d")), sb.tensor("w", ("d",)), sb.tensor("s", ("N",)), sb.tensor("A", ("N", "d"))
Z = X @ w
P = sb.softmax(s)


def diagonal(weights: Any, rows: Any = X, columns: Any = X) -> Any:
    return (rows.T * weights) @ columns


HALVED = {
    "logistic regression": sb.hessian(sb.sum(sb.softplus(Z) - s * Z), w),
    "its mean": sb.hessian(sb.mean(sb.softplus(Z) - s * Z), w),
    "Poisson regression": sb.hessian(sb.sum(sb.exp(Z) - s * Z), w),
    "squares": diagonal(3 * s**2),
    "a probability and its complement": diagonal(P * (1 - P)),
    "columns scaled": (A * sb.exp(w)) @ A.T,
    "the other factor scaled": X.T @ (X * sb.exp(s)[:, None]),
    "a negative multiple of all": -2 * diagonal(sb.exp(s)),
}
WHOLE = {
    "an unknown sign": diagonal(s),
    "a negative multiple of the scale": diagonal(-3 * sb.exp(s) - sb.exp(2 * s)),
    "a difference": diagonal(1 - s**2),
    "the complement of an exponential": diagonal(1 - sb.exp(s)),
    "two matrices": diagonal(sb.exp(s), X, A),
    "few entries": diagonal(sb.exp(sb.tensor("t", (20,))), sb.tensor("B", (20, 20)), sb.tensor("B", (20, 20))),
}


def halves(node: Any) -> tuple[np.ndarray, np.ndarray, str]:
    """Return the result of the fast style, that of the oracle, and the line of the last product."""
    inputs = [leaf for leaf in toposort([node]) if isinstance(leaf, Variable)]
    rng, sizes = np.random.default_rng(0), {"N": 7, "d": 4}
    arrays = [rng.normal(size=[sizes.get(str(size), size) for size in leaf.shape]) for leaf in inputs]
    function = sb.lambdify(inputs, node, style="fast")
    wanted = evaluate(node, dict(zip([leaf.name for leaf in inputs], arrays, strict=True)))
    products = [line for line in function.source.splitlines() if ".dot(" in line or "@" in line]
    return function(*arrays), np.asarray(wanted), products[-1]


@pytest.mark.parametrize("name", HALVED)
def test_a_product_scaled_by_what_is_not_negative_is_a_half_times_itself(name: str) -> None:
    found, wanted, line = halves(HALVED[name])
    np.testing.assert_allclose(found, wanted, rtol=1e-13, atol=1e-15)
    np.testing.assert_array_equal(found, found.T)
    left, right = line.strip().removesuffix(")").removeprefix("return ").split(" = ")[-1].split(".dot(")
    assert left in (f"{right}.T", right.removesuffix(".T"))


@pytest.mark.parametrize("name", WHOLE)
def test_any_other_product_stays(name: str) -> None:
    found, wanted, line = halves(WHOLE[name])
    np.testing.assert_allclose(found, wanted, rtol=1e-13, atol=1e-13)
    assert "sqrt" not in line


def test_the_readable_style_says_what_the_mathematics_says() -> None:
    text = sb.lambdify([X, w, s], HALVED["logistic regression"], check=False).source
    assert "(X.T * (sigmoid_ * (1 - sigmoid_))) @ X" in text


@pytest.mark.parametrize("scale", [800.0, -800.0])
def test_scales_that_vanish_give_zeros_and_no_nan(scale: float) -> None:
    function = sb.lambdify([X, w, s], HALVED["logistic regression"], style="fast")
    np.testing.assert_allclose(function(scale * np.ones((5, 3)), np.ones(3), np.zeros(5)), 0, atol=1e-10)
