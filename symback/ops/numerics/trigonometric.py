"""Derivatives of arctan2 and sinc, to full precision everywhere."""

import numpy as np


def arctan2_slope(x1: np.ndarray, x2: np.ndarray) -> np.ndarray:
    """Return x2 / (x1**2 + x2**2), without overflow; NaN at the origin."""
    length = np.hypot(x1, x2)
    with np.errstate(under="ignore"):
        return np.where(np.isinf(x2), length.dtype.type(0), x2) / length / length


def sinc_derivative(x: np.ndarray, n: int) -> np.ndarray:
    """Derivative of order n of sin(pi x) / (pi x), 0 at infinity.

    Near 0 it is the power series, far out a recurrence.
    """
    u = np.pi * np.where(np.isinf(x), 1, x)
    near = np.abs(u) < 2 + n / 4
    small, far = np.where(near, u, 0), np.where(near, 1, u)
    first = (n + 1) // 2
    with np.errstate(under="ignore"):
        term = (-1) ** first * (small if n % 2 else np.ones_like(small))
        series = term / (2 * first + 1)
        for k in range(first + 1, first + 25):
            term = -term * small * small / ((2 * k - n - 1) * (2 * k - n))
            series = series + term / (2 * k + 1)
        value = np.sin(far) / far
        for k in range(1, n + 1):
            wave = (np.sin, np.cos)[k % 2](far)
            value = ((1, 1, -1, -1)[k % 4] * wave - k * value) / far
    return np.where(np.isinf(x), 0, np.pi**n * np.where(near, series, value))[()]
