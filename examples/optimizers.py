"""Three of SciPy's optimisers fit real data, with gradients and Hessians derived by symback.

Needs the extra [examples]: pip install 'symback[examples]', then python examples/optimizers.py.
Each loss is written for one example and turned into that of all of them; the parameters are one vector. L-BFGS-B uses
the gradient, Newton-CG products with the Hessian, trust-exact the Hessian itself. The table counts what each asks for;
accuracy is that on a fifth of the data that took no part.
"""

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import minimize
from sklearn.datasets import load_breast_cancer, load_digits
from threadpoolctl import threadpool_limits  # comes with scikit-learn

import symback as sb

METHODS: dict[str, tuple[str | None, dict[str, float]]] = {
    "L-BFGS-B": (None, {"ftol": 1e-14, "gtol": 1e-7, "maxiter": 2000, "maxfun": 4000}),
    "Newton-CG": ("hessp", {"xtol": 1e-9}),
    "trust-exact": ("hess", {"gtol": 1e-7}),
}
"""What each method needs beside the gradient, and when it stops: at about the same loss."""


def split(inputs: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return training inputs and labels, then test inputs and labels: every fifth of a fixed permutation."""
    order = np.random.default_rng(2024).permutation(len(labels))
    held = np.arange(len(labels)) % 5 == 0
    return inputs[order[~held]], labels[order[~held]], inputs[order[held]], labels[order[held]]


def cancer() -> tuple[sb.Objective, Callable[[Any], float]]:
    """Return logistic regression with a ridge, of 30 standardised features, and its accuracy on the test data."""
    table = load_breast_cancer()
    inputs = (table.data - table.data.mean(axis=0)) / table.data.std(axis=0)
    inputs, labels, test_inputs, test_labels = split(inputs, table.target.astype(float))
    x, y, w, b = sb.tensor("x", ("d",)), sb.tensor("y"), sb.tensor("w", ("d",)), sb.tensor("b")
    score = w @ x + b
    mean = sb.batch(sb.softplus(score) - y * score, {"x": "N", "y": "N"}, reduce="mean")
    loss = sb.let("L", mean + 1e-3 / 2 * (w @ w))
    objective = sb.objective(loss, {"w": w, "b": b}, {"x": inputs, "y": labels})

    def accuracy(theta: np.ndarray) -> float:
        found = objective.unpack(theta)
        return float(np.mean((test_inputs @ found["w"] + found["b"] > 0) == test_labels))

    return objective, accuracy


def digits() -> tuple[sb.Objective, Callable[[Any], float]]:
    """Return softmax regression with a ridge, of images of 64 pixels, and its accuracy on the test data."""
    table = load_digits()
    inputs, labels, test_inputs, test_labels = split(table.data / 16, table.target)
    x, y = sb.tensor("x", (64,)), sb.tensor("y", (10,))
    W, b = sb.tensor("W", (10, 64)), sb.tensor("b", (10,))
    scores = W @ x + b
    mean = sb.batch(sb.logsumexp(scores) - y @ scores, {"x": "N", "y": "N"}, reduce="mean")
    loss = sb.let("L", mean + 1e-3 / 2 * sb.sum(W * W))
    objective = sb.objective(loss, {"W": W, "b": b}, {"x": inputs, "y": np.eye(10)[labels]})

    def accuracy(theta: np.ndarray) -> float:
        found = objective.unpack(theta)
        return float(np.mean((test_inputs @ found["W"].T + found["b"]).argmax(axis=1) == test_labels))

    return objective, accuracy


def fit(objective: sb.Objective, method: str) -> tuple[Any, Counter[str], float]:
    """Minimise from zero; return what SciPy returns, how often each function was called, and the seconds."""
    calls: Counter[str] = Counter()

    def counted(name: str) -> Callable[..., Any]:
        function = getattr(objective, name)

        def call(*arguments: Any) -> Any:
            calls[name] += 1
            return function(*arguments)

        return call

    needs, options = METHODS[method]
    second = {needs: counted(needs)} if needs else {}
    begin = time.perf_counter()
    found = minimize(
        counted("fun"), np.zeros(objective.size), jac=counted("jac"), method=method, options=options, **second
    )
    return found, calls, time.perf_counter() - begin


def main() -> None:
    """Print a table for each problem."""
    for name, make in (("breast cancer, logistic regression", cancer), ("digits, softmax regression", digits)):
        objective, accuracy = make()
        print(f"{name}: {objective}")
        print(f"{'method':12} iterations  fun  jac  hess  hessp  seconds        loss  accuracy")
        for method in METHODS:
            theta = np.full(objective.size, 0.01)
            objective.jac(theta)  # derive and compile before the clock starts
            if METHODS[method][0] == "hess":
                objective.hess(theta)
            elif METHODS[method][0] == "hessp":
                objective.hessp(theta, theta)
            with threadpool_limits(1):  # the matrices are small: threads would only wait for one another
                found, calls, seconds = fit(objective, method)
            counts = f"{calls['fun']:4d} {calls['jac']:4d} {calls['hess']:5d} {calls['hessp']:6d}"
            print(f"{method:12} {found.nit:10d} {counts} {seconds:8.3f} {found.fun:11.8f} {accuracy(found.x):9.2%}")
        print()
    print(objective.source[objective.source.index("def fun_and_jac") :])


if __name__ == "__main__":
    main()
