"""The hypotenuse and its slope, without overflow or underflow."""

import numpy as np


def are_exact_squares(total: np.ndarray) -> bool:
    """Are sums of squares floats of full precision, none of them out of range?"""
    ranges = {"d": (1e-280, 1e300), "f": (1e-30, 1e37)}
    low, high = ranges.get(total.dtype.char, (1, 0))
    return total.ndim > 0 and total.min(initial=1) > low and total.max(initial=1) < high


def hypot(x1: np.ndarray, x2: np.ndarray) -> np.ndarray:
    """Return sqrt(x1**2 + x2**2), without overflow or underflow.

    Where a plain root will do it is taken: np.hypot takes ten times as long.
    """
    with np.errstate(over="ignore", under="ignore"):
        total = np.asarray(x1 * x1 + x2 * x2)
    return np.sqrt(total, out=total) if are_exact_squares(total) else np.hypot(x1, x2)


def hypot_slope(x1: np.ndarray, x2: np.ndarray) -> np.ndarray:
    """Return x1 / hypot(x1, x2), without overflow or underflow; 0 at the origin."""
    with np.errstate(over="ignore", under="ignore"):
        total = np.asarray(x1 * x1 + x2 * x2)
    if are_exact_squares(total):
        return np.divide(x1, np.sqrt(total, out=total), out=total)
    x1, x2 = np.asarray(x1, total.dtype), np.asarray(x2, total.dtype)
    size = np.maximum(np.abs(x1), np.abs(x2))
    scale = np.where(np.isfinite(size) & (size != 0), size, 1)
    steep = np.isinf(x1) & np.isfinite(x2)
    with np.errstate(under="ignore"):
        a, b = np.where(steep, np.sign(x1), x1 / scale), np.where(steep, 0, x2 / scale)
        return a / np.where(size == 0, 1, np.hypot(a, b))
