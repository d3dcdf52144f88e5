"""An ordinary NumPy function, unchanged: its graph, the code of its gradient in its own names, and the decorator.

Run it: python examples/from_numpy.py
"""

import numpy as np

import symback as sb


def ridge_loss(w, X, y, strength=0.1):
    """Squared error of a linear model, clipped residuals, and a penalty: plain NumPy."""
    residual = X @ w - y
    residual[residual > 3] = 3
    weights = np.zeros(len(y))
    for i in range(len(y)):
        weights[i] = 1 / (i + 1)
    fit = np.sum(weights * residual**2)
    penalty = strength * np.linalg.norm(w) ** 2
    return fit + penalty


def main() -> None:
    """Trace the function, print the code of its gradient, and minimise it by the decorated function."""
    w, X, y = sb.tensor("w", (2,)), sb.tensor("X", (4, 2)), sb.tensor("y", (4,))
    loss = sb.from_function(ridge_loss, w, X, y)
    print(sb.lambdify([w, X, y], (loss, sb.grad(loss, w)), name="ridge_loss", check=False).source)

    fast = sb.function(ridge_loss)
    rng = np.random.default_rng(0)
    data, truth = rng.normal(size=(4, 2)), np.array([1.0, -2.0])
    point, targets = np.zeros(2), data @ truth
    for _ in range(200):
        point = point - 0.1 * fast.grad(point, data, targets, wrt="w")
    print("minimum at", point.round(3), "of loss", fast(point, data, targets).round(4))
    print("check:", sb.check_grad(loss, w, at={"w": point, "X": data, "y": targets}).passed)


if __name__ == "__main__":
    main()
