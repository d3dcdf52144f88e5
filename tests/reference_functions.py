"""What the functions compute that neither NumPy nor SciPy has, each written in the plainest way."""

import numpy as np
from scipy import special


def embedding(table, indices):
    return table[indices]


def one_hot(indices, num_classes, axis=-1, dtype="float64"):
    return np.moveaxis(np.eye(num_classes, dtype=dtype)[indices], -1, axis)


def set_at(x, index, value):
    result = x.copy()
    result[index] = value
    return result


def add_at(x, index, value):
    result = x.copy()
    np.add.at(result, index, value)
    return result


def linalg_solve_triangular(a, b, trans=0, lower=False, unit_diagonal=False):
    half = np.tril(a) if lower else np.triu(a)
    if unit_diagonal:
        np.fill_diagonal(half, 1)
    return np.linalg.solve(half.T if trans in (1, "T") else half, b)


def matvec(x1, x2):
    return np.einsum("...ij,...j->...i", x1, x2)


def vecmat(x1, x2):
    return np.einsum("...i,...ij->...j", x1, x2)


i0 = special.i0  # NumPy has a function of this name, too


def stop_gradient(x):
    return x


def relu(x):
    return np.maximum(x, 0)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softplus(x):
    return np.log1p(np.exp(x))


special_softplus = softplus


def log1mexp(x):
    return np.log(1 - np.exp(-x))


def log_erfc(x):
    return np.log(special.erfc(x))


special_log1mexp, special_log_erfc = log1mexp, log_erfc


def special_polygamma(n, x):
    value = special.polygamma(n, x)
    return value if np.ndim(n) else value.astype(x.dtype)  # SciPy returns float64


def leaky_relu(x, negative_slope=0.01):
    return np.where(x > 0, x, negative_slope * x)


def elu(x, alpha=1.0):
    return np.where(x > 0, x, alpha * (np.exp(x) - 1))


def celu(x, alpha=1.0):
    return np.maximum(x, 0) + np.minimum(0, alpha * (np.exp(x / alpha) - 1))


def selu(x):
    return 1.0507009873554805 * elu(x, 1.6732632423543772)


def gelu(x, approximate="none"):
    if approximate == "none":
        return x * special.ndtr(x)
    return x * (1 + np.tanh(float(np.sqrt(2 / np.pi)) * (x + 0.044715 * x**3))) / 2


def silu(x):
    return x / (1 + np.exp(-x))


swish = silu


def mish(x):
    return x * np.tanh(np.log1p(np.exp(x)))


def hard_tanh(x):
    return np.maximum(-1, np.minimum(x, 1))


def hard_sigmoid(x):
    return np.maximum(0, np.minimum(x / 6 + 0.5, 1))


def softsign(x):
    return x / (1 + np.abs(x))


def reduced(losses, reduction, axis=None):
    return {"mean": np.mean, "sum": np.sum, "none": lambda x, axis: x}[reduction](losses, axis=axis)


def mean_squared_error(prediction, target, *, reduction="mean", axis=None):
    return reduced((prediction - target) ** 2, reduction, axis)


def binary_cross_entropy(logits, target, *, reduction="mean", axis=None):
    p = sigmoid(logits)
    target = target.astype(logits.dtype)
    return reduced(-target * np.log(p) - (1 - target) * np.log(1 - p), reduction, axis)


def hinge(prediction, target, *, reduction="mean", axis=None):
    return reduced(np.maximum(0, 1 - target * prediction), reduction, axis)


def huber(prediction, target, delta=1.0, *, reduction="mean", axis=None):
    return reduced(special.huber(delta, prediction - target), reduction, axis)


def cross_entropy(logits, target, axis=-1, *, reduction="mean"):
    if target.shape != logits.shape:
        target = one_hot(target, logits.shape[axis], axis, logits.dtype)
    e = np.exp(logits)
    log_total = np.log(e.sum(axis=axis))
    return reduced(log_total - (target * logits).sum(axis=axis), reduction)


def kl_divergence(p, q, axis=-1, *, reduction="mean"):
    return reduced((p * np.log(p / q)).sum(axis=axis), reduction)


def cumulative_sum(x, axis=0, dtype=None, include_initial=False):
    sums = np.cumsum(x, axis=axis, dtype=dtype)
    return np.insert(sums, 0, 0, axis=axis) if include_initial else sums


def cumulative_prod(x, axis=0, dtype=None, include_initial=False):
    products = np.cumprod(x, axis=axis, dtype=dtype)
    return np.insert(products, 0, 1, axis=axis) if include_initial else products


def unstack(x, /, *, axis=0):  # NumPy has it from 2.1 on
    return tuple(np.moveaxis(x, axis, 0))
