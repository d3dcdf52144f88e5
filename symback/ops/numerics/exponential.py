"""Exponentials and logarithms that neither overflow nor lose digits."""

import numpy as np


def sigmoid(x: np.ndarray) -> np.ndarray:
    """Logistic function 1 / (1 + exp(-x)), without overflow."""
    with np.errstate(under="ignore"):
        e = np.exp(-np.abs(x))
        return np.where(x >= 0, 1, e) / (1 + e)


def softplus(x: np.ndarray) -> np.ndarray:
    """log(1 + exp(x)), without overflow."""
    with np.errstate(under="ignore"):
        return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def logsumexp(x: np.ndarray, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> np.ndarray:
    """log(sum(exp(x))), without overflow; -inf for an empty sum."""
    top = np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    shift = np.where(np.isfinite(top), top, 0)
    with np.errstate(under="ignore"):
        total = np.sum(np.exp(x - shift), axis=axis, keepdims=True)
    result = np.full_like(total, -np.inf)
    np.log(total, out=result, where=total != 0)
    result = result + shift
    return result if keepdims else np.squeeze(result, axis=axis)[()]
