"""Sums of exponentials that do not overflow."""

import numpy as np


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


def weighted_logsumexp(
    x: np.ndarray, b: np.ndarray, axis: int | tuple[int, ...] | None = None, keepdims: bool = False
) -> np.ndarray:
    """log(sum(b * exp(x))), without overflow; entries whose weight is 0 do not count."""
    x = np.where(b == 0, -np.inf, x)
    top = np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    shift = np.where(np.isfinite(top), top, 0)
    with np.errstate(under="ignore"):
        total = np.sum(b * np.exp(x - shift), axis=axis, keepdims=True)
    result = np.full_like(total, -np.inf)
    np.log(total, out=result, where=total != 0)
    result = result + shift
    return result if keepdims else np.squeeze(result, axis=axis)[()]


def softmax(x: np.ndarray, axis: int | tuple[int, ...] | None = None) -> np.ndarray:
    """exp(x) / sum(exp(x)), without overflow."""
    with np.errstate(under="ignore"):
        e = np.exp(x - np.max(x, axis=axis, keepdims=True, initial=-np.inf))
        return e / np.sum(e, axis=axis, keepdims=True)
