"""Sums of exponentials that do not overflow: the largest is taken out of the sum."""

import numpy as np


def logsumexp(
    x: np.ndarray,
    axis: int | tuple[int, ...] | None = None,
    keepdims: bool = False,
) -> np.ndarray:
    """log(sum(exp(x))), without overflow; -inf for an empty sum."""
    top = x.max(axis=axis, keepdims=True, initial=-np.inf)
    e = np.asarray(x - np.where(np.isfinite(top), top, 0))
    total = np.exp(e, out=e).sum(axis=axis, keepdims=True)
    result = top + np.log(np.maximum(total, 1))
    return result if keepdims else result.squeeze(axis)[()]


def weighted_logsumexp(
    x: np.ndarray,
    b: np.ndarray,
    axis: int | tuple[int, ...] | None = None,
    keepdims: bool = False,
) -> np.ndarray:
    """log(sum(b * exp(x))), without overflow; where b is 0, x does not count."""
    x = np.where(b == 0, -np.inf, x)
    top = x.max(axis=axis, keepdims=True, initial=-np.inf)
    shift = np.where(np.isfinite(top), top, 0)
    total = (b * np.exp(x - shift)).sum(axis=axis, keepdims=True)
    result = np.full_like(total, -np.inf)
    np.log(total, out=result, where=total != 0)
    result += shift
    return result if keepdims else result.squeeze(axis)[()]


def softmax(x: np.ndarray, axis: int | tuple[int, ...] | None = None) -> np.ndarray:
    """exp(x) / sum(exp(x)), without overflow."""
    e = np.asarray(x - x.max(axis=axis, keepdims=True, initial=-np.inf))
    np.exp(e, out=e)
    e /= e.sum(axis=axis, keepdims=True)
    return e[()]


def logsumexp_and_softmax(
    x: np.ndarray,
    axis: int | tuple[int, ...] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Both functions of the same exponentials."""
    top = x.max(axis=axis, keepdims=True, initial=-np.inf)
    e = np.asarray(x - top)
    total = np.exp(e, out=e).sum(axis=axis, keepdims=True)
    e /= total
    value = np.where(np.isfinite(top), top + np.log(total), top)
    return value.squeeze(axis)[()], e[()]
