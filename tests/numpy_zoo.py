"""Ordinary NumPy functions, as people write them: what tracing must accept unchanged.

`ZOO` has for each a function that makes arguments from a random generator. A function returns a float array, or a
structure of them; those in `SCALAR` are losses.
"""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import scipy.special
from numpy import exp, log
from scipy.special import expit, logsumexp

TEMPERATURE = 1.5
KNOTS = np.array([0.0, 1.0, 2.0])
ACTIVATIONS = {"tanh": np.tanh, "relu": lambda z: np.maximum(z, 0)}


def sigmoid(z):
    return 1 / (1 + exp(-z))


def two_layer_network(x, y, W1, b1, W2, b2):
    a1 = sigmoid(W1 @ x + b1)
    a2 = sigmoid(W2 @ a1 + b2)
    return 0.5 * np.sum((a2 - y) ** 2)


def logistic_regression(w, X, y, ridge=0.1):
    margin = y * (X @ w)
    return np.mean(np.log1p(np.exp(-margin))) + ridge * np.dot(w, w)


def batch_norm(X, gamma, beta):
    mu = X.mean(axis=0)
    var = X.var(axis=0)
    X_hat = (X - mu) / np.sqrt(var + 1e-5)
    return gamma * X_hat + beta


def rbf_kernel(X, length):
    squares = np.sum(X**2, axis=1)
    distance = squares[:, None] + squares[None, :] - 2 * X @ X.T
    return np.exp(-distance / (2 * length**2))


def gaussian_likelihood(x, mean, L):
    cov = L @ L.T + np.eye(len(x))
    r = x - mean
    _, logdet = np.linalg.slogdet(cov)
    return 0.5 * (r @ np.linalg.solve(cov, r) + logdet + len(x) * np.log(2 * np.pi))


def running_total(x):
    out = np.zeros(len(x))
    total = 0.0
    for i in range(len(x)):
        total = total + x[i] ** 2
        out[i] = total
    return out


def recurrence(x, decay):
    h = np.zeros_like(x)
    h[0] = x[0]
    for t in range(1, x.shape[0]):
        h[t] = decay * h[t - 1] + x[t]
    return np.sum(h**2)


def tree_sum(values):
    if len(values) == 1:
        return values[0]
    half = len(values) // 2
    return np.tanh(tree_sum(values[:half]) + tree_sum(values[half:]))


def kinks(x):
    return np.sum(np.where(x > 0, x**2, -0.1 * x)) + np.sum(np.abs(x - 0.3))


def laplacian(u):
    v = u.copy()
    v[1:-1] += 0.1 * (u[2:] - 2 * u[1:-1] + u[:-2])
    return np.sum(v**2)


def power_iteration(A, steps=4):
    v = np.ones(A.shape[0]) / np.sqrt(A.shape[0])
    for _ in range(steps):
        v = A @ v
        v /= np.sqrt(np.sum(v**2))
    return v @ A @ v


def attention(Q, K, V):
    scores = Q @ K.T / np.sqrt(Q.shape[-1])
    scores -= np.max(scores, axis=-1, keepdims=True)
    weights = np.exp(scores)
    weights /= np.sum(weights, axis=-1, keepdims=True)
    return weights @ V


def bilinear(A, B, x):
    return np.einsum("ij,jk,k->i", A, B, x)


def moments(x):
    mean = np.mean(x)
    centred = x - mean
    return {"mean": mean, "second": np.mean(centred**2), "third": np.mean(centred**3)}


def with_closure(scale):
    shift = 2 * scale

    def f(x):
        return np.sum((scale * x - shift) ** 2)

    return f


def with_constants(x):
    return np.sum(np.exp(-((x[:, None] - KNOTS) ** 2) / TEMPERATURE))


def nested_helper(x):
    def soft(z):
        return np.log1p(np.exp(z))

    square = lambda z: z * z  # noqa: E731
    return np.sum(square(soft(x)))


def layers(params, x, activation="tanh"):
    h = x
    for W, b in params:
        h = ACTIVATIONS[activation](W @ h + b)
    return np.sum(h**2)


def dictionary(params, x):
    hidden = np.tanh(params["W"] @ x + params["b"])
    return np.sum(params["v"] * hidden)


def augmented(x, y):
    z = x * y
    z += x
    z *= 2
    z -= y
    z /= 3.0
    z **= 2
    return z


def cross_entropy(logits, target):
    import numpy as jnp  # a function's own import

    shifted = logits - jnp.max(logits, axis=1, keepdims=True)
    return -jnp.mean(jnp.sum(target * (shifted - log(jnp.sum(exp(shifted), axis=1, keepdims=True))), axis=1))


def special_functions(x):
    return np.sum(expit(x) * scipy.special.erf(x)) + logsumexp(x)


def local_special(x):
    import scipy.special as sc
    from scipy.special import gammaln

    return np.sum(gammaln(x**2 + 1)) + sc.logsumexp(2 * x, axis=0)


def matrix_from_list(a, b):
    rotation = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
    return np.sum(rotation @ np.array([a, b, a * b])[:2])


def triangle(x):
    M = np.zeros((3, 3))
    k = 0
    for i in range(3):
        for j in range(i + 1):
            M[i, j] = x[k]
            k += 1
    return M @ M.T


def histogram_of_indices(x):
    out = np.zeros(3)
    np.add.at(out, [0, 2, 0, 1], x)
    return out**2


def clamp_in_place(x):
    y = np.array(x)
    y[y < 0] *= 0.1
    y[y > 1] = 1.0
    return y**2


def unpacking(x):
    a, b, c = x
    first, *rest = [a * b, b * c, c * a]
    return first + sum(rest)


def methods(X):
    flat = X.reshape(-1)
    return (flat.clip(-1, 1).cumsum()[::-1].sum() + X.T.dot(X).trace()) / X.size + X.max(axis=0).mean()


def rows(X, w):
    total = 0.0
    for row in X:
        total += np.dot(row, w) ** 2
    return total / len(X)


def keyword_only(x, *, p=3, weight):
    return np.sum(weight * x**p)


def integrate(y0, rate):
    y, path = y0, []
    for _ in range(4):
        k1 = -rate * y
        k2 = -rate * (y + 0.05 * k1)
        y = y + 0.1 * k2
        path.append(y)
    return np.stack(path)


def gram_schmidt(A):
    Q = np.zeros_like(A)
    for j in range(A.shape[1]):
        v = A[:, j].copy()
        for i in range(j):
            v -= (Q[:, i] @ A[:, j]) * Q[:, i]
        Q[:, j] = v / np.linalg.norm(v)
    return Q


def convolution(x, kernel):
    n, k = len(x), len(kernel)
    out = np.empty(n - k + 1)
    for i in range(n - k + 1):
        out[i] = np.sum(x[i : i + k] * kernel)
    return out


def moving(x, steps):
    positions = [x]
    for k in range(steps):
        positions.append(positions[-1] + 0.1 * np.sin(positions[-1] + k))
    return np.concatenate(positions)


class Case(NamedTuple):
    """A function and arguments for it, positional and by name."""

    function: Callable[..., Any]
    arguments: Callable[[np.random.Generator], tuple[Any, ...]]
    named: Mapping[str, Any] = MappingProxyType({})


def _normal(*shapes: tuple[int, ...]) -> Callable[[np.random.Generator], tuple[Any, ...]]:
    return lambda rng: tuple(rng.normal(size=shape) for shape in shapes)


def _params(rng: np.random.Generator) -> Any:
    return [(rng.normal(size=(3, 2)), rng.normal(size=3)), (rng.normal(size=(2, 3)), rng.normal(size=2))]


ZOO: dict[str, Case] = {
    "two_layer_network": Case(two_layer_network, _normal((3,), (2,), (4, 3), (4,), (2, 4), (2,))),
    "logistic_regression": Case(logistic_regression, lambda rng: (*_normal((3,), (5, 3))(rng), np.ones(5))),
    "logistic_regression_ridge": Case(logistic_regression, _normal((3,), (5, 3), (5,)), {"ridge": 0.5}),
    "batch_norm": Case(batch_norm, _normal((4, 3), (3,), (3,))),
    "rbf_kernel": Case(rbf_kernel, lambda rng: (rng.normal(size=(3, 2)), 1.3)),
    "gaussian_likelihood": Case(gaussian_likelihood, _normal((3,), (3,), (3, 3))),
    "running_total": Case(running_total, _normal((4,))),
    "recurrence": Case(recurrence, lambda rng: (rng.normal(size=5), 0.7)),
    "tree_sum": Case(tree_sum, lambda rng: ([rng.normal(size=2) for _ in range(5)],)),
    "kinks": Case(kinks, _normal((4,))),
    "laplacian": Case(laplacian, _normal((6,))),
    "power_iteration": Case(power_iteration, _normal((3, 3))),
    "power_iteration_static": Case(power_iteration, _normal((3, 3)), {"steps": 2}),
    "attention": Case(attention, _normal((2, 3), (4, 3), (4, 2))),
    "bilinear": Case(bilinear, _normal((2, 3), (3, 4), (4,))),
    "moments": Case(moments, _normal((5,))),
    "with_closure": Case(with_closure(0.5), _normal((3,))),
    "with_constants": Case(with_constants, _normal((4,))),
    "nested_helper": Case(nested_helper, _normal((3,))),
    "layers": Case(layers, lambda rng: (_params(rng), rng.normal(size=2))),
    "layers_relu": Case(layers, lambda rng: (_params(rng), rng.normal(size=2)), {"activation": "relu"}),
    "dictionary": Case(
        dictionary,
        lambda rng: (
            {"W": rng.normal(size=(3, 2)), "b": rng.normal(size=3), "v": rng.normal(size=3)}, rng.normal(size=2),
        ),
    ),
    "augmented": Case(augmented, _normal((3,), (3,))),
    "cross_entropy": Case(cross_entropy, lambda rng: (rng.normal(size=(3, 4)), np.eye(4)[[1, 0, 3]])),
    "special_functions": Case(special_functions, _normal((3,))),
    "local_special": Case(local_special, _normal((3,))),
    "matrix_from_list": Case(matrix_from_list, lambda rng: (0.3, 0.8)),
    "triangle": Case(triangle, _normal((6,))),
    "histogram_of_indices": Case(histogram_of_indices, _normal((4,))),
    "clamp_in_place": Case(clamp_in_place, lambda rng: (np.array([-1.5, -0.2, 0.4, 1.7]),)),
    "unpacking": Case(unpacking, _normal((3,))),
    "methods": Case(methods, _normal((3, 2))),
    "rows": Case(rows, _normal((3, 2), (2,))),
    "keyword_only": Case(keyword_only, _normal((3,)), {"weight": 0.5}),
    "integrate": Case(integrate, lambda rng: (rng.normal(size=2), 0.4)),
    "gram_schmidt": Case(gram_schmidt, _normal((3, 2))),
    "convolution": Case(convolution, _normal((6,), (3,))),
    "moving": Case(moving, lambda rng: (rng.normal(size=2), 2)),
    "partial": Case(partial(logistic_regression, ridge=0.2), _normal((3,), (5, 3), (5,))),
}  # fmt: skip
