"""Plain functions with gradients by hand, as people write them in NumPy, and the mistakes they make in them.

Each family draws a `Problem`: a function of one array, its gradient, and wrong gradients by kind.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Gradient = Callable[[Array], Array]

NODE = "a wrong node"
FACTOR, SIGN, TRANSPOSED = "a factor 1 + k 1e-6", "a sign", "a transposed square matrix"
ENTRY, EXCHANGED, MISSING = "a term missing on one entry", "two entries exchanged", "a missing factor"
BROADCAST, SHIFT, ACTIVATION = "a wrong broadcast sum", "a shift by one", "a wrong activation derivative"


@dataclass(frozen=True)
class Problem:
    """A plain function of one array with its gradient.

    Attributes:
        source: The family, the size and the dtype.
        fun: The function.
        gradient: Its gradient.
        mistakes: Wrong gradients, by kind.
        point: Where it is checked.
    """

    source: str
    fun: Callable[[Array], Any]
    gradient: Gradient
    mistakes: Mapping[str, Gradient]
    point: Array


def quadratic(rng: np.random.Generator, n: int) -> Problem:
    """A quadratic form of a matrix that is not symmetric."""
    A, b = rng.standard_normal((n, n)) / n, rng.standard_normal(n)
    return Problem(
        "quadratic form", lambda x: x @ A @ x / 2 + b @ x, lambda x: (A @ x + x @ A) / 2 + b,
        {TRANSPOSED: lambda x: A @ x + b, MISSING: lambda x: A @ x + x @ A + b,
         SIGN: lambda x: (A @ x + x @ A) / 2 - b},
        rng.standard_normal(n),
    )  # fmt: skip


def least_squares(rng: np.random.Generator, n: int) -> Problem:
    """The mean of squared residuals of a square system."""
    A, b = rng.standard_normal((n, n)), rng.standard_normal(n)

    def gradient(x: Array, factor: float = 2 / n) -> Array:
        return factor * (A.T @ (A @ x - b))

    return Problem(
        "least squares", lambda x: np.mean((A @ x - b) ** 2), gradient,
        {TRANSPOSED: lambda x: 2 / n * (A @ (A @ x - b)), MISSING: lambda x: gradient(x, 1 / n),
         SIGN: lambda x: 2 / n * (A.T @ (A @ x + b))},
        rng.standard_normal(n),
    )  # fmt: skip


def logistic(rng: np.random.Generator, n: int) -> Problem:
    """Logistic regression with an intercept and a penalty."""
    X = rng.standard_normal((3 * n, n))
    y = (rng.random(3 * n) < 0.5).astype(X.dtype)

    def gradient(w: Array, penalty: float = 0.1, factor: float = 1 / (3 * n)) -> Array:
        return factor * (X.T @ (1 / (1 + np.exp(-(X @ w))) - y)) + penalty * w

    return Problem(
        "logistic regression",
        lambda w: np.mean(np.logaddexp(0, X @ w) - y * (X @ w)) + 0.05 * (w @ w), gradient,
        {MISSING: lambda w: gradient(w, 0.05), NODE: lambda w: gradient(w, 0.0),
         ACTIVATION: lambda w: gradient(w) + X.T @ ((1 - y) * np.exp(-np.abs(X @ w))) / (3 * n)},
        rng.standard_normal(n) / np.sqrt(n),
    )  # fmt: skip


def network(rng: np.random.Generator, n: int) -> Problem:
    """A hidden layer with tanh, by its square matrix of weights."""
    k = max(2, int(np.sqrt(n)))
    x, v, b = rng.standard_normal(k), rng.standard_normal(k), rng.standard_normal(k)

    def layer(w: Array) -> Array:
        return np.asarray(np.tanh(w.reshape(k, k) @ x / np.sqrt(k) + b))

    def outer(left: Array, right: Array) -> Array:
        return (np.outer(left, right) / np.sqrt(k)).ravel()

    def delta(w: Array) -> Array:
        return 2 * v * layer(w) * (1 - layer(w) ** 2)

    return Problem(
        "hidden layer", lambda w: v @ layer(w) ** 2, lambda w: outer(delta(w), x),
        {TRANSPOSED: lambda w: outer(x, delta(w)), MISSING: lambda w: np.sqrt(k) * outer(delta(w), x),
         ACTIVATION: lambda w: outer(2 * v * layer(w) * (1 - layer(w)) ** 2, x),
         BROADCAST: lambda w: outer(np.full(k, delta(w).mean()), x)},
        rng.standard_normal(k * k),
    )  # fmt: skip


def softmax(rng: np.random.Generator, n: int) -> Problem:
    """The cross-entropy of a softmax."""
    label = int(rng.integers(n))

    def probabilities(z: Array) -> Array:
        e = np.exp(z - z.max())
        return np.asarray(e / e.sum())

    def loss(z: Array) -> Any:
        return np.log(np.sum(np.exp(z - z.max()))) + z.max() - z[label]

    target = (np.arange(n) == label).astype(float)
    return Problem(
        "softmax", loss, lambda z: probabilities(z) - target,
        {ACTIVATION: lambda z: probabilities(z) * (1 - probabilities(z)) - target,
         SIGN: lambda z: probabilities(z) + target, NODE: probabilities,
         SHIFT: lambda z: probabilities(z) - np.roll(target, 1)},
        2 * rng.standard_normal(n),
    )  # fmt: skip


def neighbours(rng: np.random.Generator, n: int) -> Problem:
    """Rosenbrock's function: neighbours are coupled."""

    def gradient(x: Array, weight: float = 100.0) -> Array:
        g = np.zeros_like(x)
        g[:-1] = -4 * weight * x[:-1] * (x[1:] - x[:-1] ** 2) - 2 * (1 - x[:-1])
        g[1:] += 2 * weight * (x[1:] - x[:-1] ** 2)
        return g

    return Problem(
        "Rosenbrock", lambda x: np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2), gradient,
        {SHIFT: lambda x: np.roll(gradient(x), 1), MISSING: lambda x: gradient(x, 50.0),
         ENTRY: lambda x: np.append(gradient(x)[:-1], 0 * x[-1])},
        rng.uniform(-1.5, 1.5, n),
    )  # fmt: skip


def smoothed(rng: np.random.Generator, n: int) -> Problem:
    """A smoothed total variation."""

    def slope(x: Array) -> Array:
        d = np.diff(x)
        return np.asarray(d / np.sqrt(d**2 + 0.01))

    def gradient(x: Array) -> Array:
        return np.concatenate([[0 * x[0]], slope(x)]) - np.concatenate([slope(x), [0 * x[0]]])

    return Problem(
        "total variation", lambda x: np.sum(np.sqrt(np.diff(x) ** 2 + 0.01)), gradient,
        {SHIFT: lambda x: np.roll(gradient(x), -1), SIGN: lambda x: -gradient(x),
         ENTRY: lambda x: np.concatenate([[0 * x[0]], gradient(x)[1:]])},
        np.cumsum(rng.standard_normal(n)) / 10,
    )  # fmt: skip


def centred(rng: np.random.Generator, n: int) -> Problem:
    """A normalisation: a weighted sum of what is centred and divided by its deviation."""
    w = rng.standard_normal(n)

    def parts(x: Array) -> tuple[Array, Any]:
        c = x - x.mean()
        return c, np.sqrt(np.mean(c**2) + 1e-5)

    def gradient(x: Array) -> Array:
        c, s = parts(x)
        return np.asarray((w - w.mean() - c * np.mean(w * c) / s**2) / s)

    def without(x: Array) -> Array:
        return np.asarray((w - w.mean()) / parts(x)[1])

    def uncentred(x: Array) -> Array:
        c, s = parts(x)
        return np.asarray((w - c * np.mean(w * c) / s**2) / s)

    return Problem(
        "layer normalisation", lambda x: w @ (parts(x)[0] / parts(x)[1]), gradient,
        {NODE: without, BROADCAST: uncentred}, 1 + rng.standard_normal(n),
    )  # fmt: skip


def determinant(rng: np.random.Generator, n: int) -> Problem:
    """The logarithm of a determinant."""
    k = max(2, min(8, int(np.sqrt(n))))

    def inverse(a: Array) -> Array:
        return np.asarray(np.linalg.inv(a.reshape(k, k)))

    return Problem(
        "log-determinant", lambda a: np.linalg.slogdet(a.reshape(k, k))[1], lambda a: inverse(a).T.ravel(),
        {TRANSPOSED: lambda a: inverse(a).ravel(), SIGN: lambda a: -inverse(a).T.ravel()},
        (np.eye(k) + rng.standard_normal((k, k)) / 3).ravel(),
    )  # fmt: skip


def waves(rng: np.random.Generator, n: int) -> Problem:
    """A sum of waves of many frequencies."""
    w = np.sign(rng.standard_normal(n)) * 10 ** rng.uniform(-1, 2, n)
    return Problem(
        "waves", lambda x: np.sum(np.sin(w * x) / w), lambda x: np.cos(w * x),
        {ACTIVATION: lambda x: -np.cos(w * x), MISSING: lambda x: np.cos(w * x) / w,
         NODE: lambda x: np.cos(np.abs(w) * x + 1e-4)},
        rng.standard_normal(n),
    )  # fmt: skip


def growth(rng: np.random.Generator, n: int) -> Problem:
    """Poisson regression: exponentials."""
    X, y = rng.standard_normal((n, n)) / np.sqrt(n), np.floor(rng.uniform(0, 5, n))
    return Problem(
        "Poisson regression", lambda w: np.sum(np.exp(X @ w)) - y @ (X @ w), lambda w: X.T @ (np.exp(X @ w) - y),
        {TRANSPOSED: lambda w: X @ (np.exp(X @ w) - y), NODE: lambda w: X.T @ np.exp(X @ w),
         SIGN: lambda w: X.T @ (np.exp(X @ w) + y)},
        rng.standard_normal(n),
    )  # fmt: skip


def batch(rng: np.random.Generator, n: int) -> Problem:
    """A bias and a gain that a batch shares: their cotangents are summed over the batch."""
    k = max(2, n // 2)
    X = rng.standard_normal((k, k))

    def residual(p: Array) -> Array:
        return np.asarray(np.tanh(X * p[:k] + p[k:]))

    def gradient(p: Array, axis: int = 0) -> Array:
        d = 2 * residual(p) * (1 - residual(p) ** 2) / k
        return np.concatenate([np.sum(d * X, axis=axis), np.sum(d, axis=axis)])

    return Problem(
        "batch", lambda p: np.sum(residual(p) ** 2) / k, gradient,
        {BROADCAST: lambda p: gradient(p, 1), MISSING: lambda p: k * gradient(p)}, rng.standard_normal(2 * k),
    )  # fmt: skip


def separate(rng: np.random.Generator, n: int) -> Problem:
    """Many entries that do not meet: each term counts for itself."""
    return Problem(
        "log cosh", lambda x: np.sum(np.logaddexp(x, -x)), np.tanh,
        {ACTIVATION: lambda x: x / (1 + np.abs(x)), SIGN: lambda x: -np.tanh(x)}, rng.standard_normal(n),
    )  # fmt: skip


FAMILIES: tuple[Callable[[np.random.Generator, int], Problem], ...] = (
    quadratic, least_squares, logistic, network, softmax, neighbours, smoothed, centred, determinant, waves, growth,
    batch, separate,
)  # fmt: skip
LARGE_FAMILIES = separate, neighbours, smoothed, centred, softmax, waves
