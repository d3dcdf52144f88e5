"""The slope of the hypotenuse, without overflow or underflow."""

import numpy as np


def hypot_slope(x1: np.ndarray, x2: np.ndarray) -> np.ndarray:
    """Return x1 / hypot(x1, x2), without overflow or underflow; 0 at the origin."""
    size = np.maximum(np.abs(x1), np.abs(x2))
    scale = np.where(np.isfinite(size) & (size != 0), size, 1)
    steep = np.isinf(x1) & np.isfinite(x2)
    with np.errstate(under="ignore"):
        a, b = np.where(steep, np.sign(x1), x1 / scale), np.where(steep, 0, x2 / scale)
        return a / np.where(size == 0, 1, np.hypot(a, b))
