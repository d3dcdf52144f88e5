"""Exponentials and logarithms that neither overflow nor lose digits.

What underflows is 0, or as close to it as a float is: NumPy counts that as no error.
"""

import numpy as np


def sigmoid(x: np.ndarray) -> np.ndarray:
    """Logistic function 1 / (1 + exp(-x)), without overflow: beyond 40 it is 1."""
    e = np.exp(np.minimum(x, 40))
    e /= 1 + e
    return e


def sigmoid_slope(x: np.ndarray) -> np.ndarray:
    """Return sigmoid(x) * sigmoid(-x), accurate far out on both sides."""
    e = np.exp(-np.abs(x))
    return e / (1 + e) ** 2


def softplus(x: np.ndarray) -> np.ndarray:
    """log(1 + exp(x)), without overflow."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def log1mexp(x: np.ndarray) -> np.ndarray:
    """log(1 - exp(-x)) for x >= 0, accurate near 0 and far out."""
    near = np.log(-np.expm1(-x))
    return np.where(x < 0.7, near, np.log1p(-np.exp(-np.maximum(x, 0.7))))[()]


def bose(x: np.ndarray) -> np.ndarray:
    """Return 1 / (exp(x) - 1), accurate near 0 and far out, without overflow."""
    e = -np.abs(x)
    return np.where(np.signbit(x), -1, np.exp(e)) / -np.expm1(e)


def xlogx(x: np.ndarray) -> np.ndarray:
    """Return x * log(x), and 0 at 0."""
    return x * np.log(np.where(x == 0, 1, x))
