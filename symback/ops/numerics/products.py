"""Products that NumPy has for single vectors only."""

import numpy as np


def convolve_rows(a: np.ndarray, v: np.ndarray, mode: str = "full") -> np.ndarray:
    """Convolve along the last axis, as np.convolve does; the other axes broadcast."""
    m = v.shape[-1]
    if mode == "full":
        zeros = np.zeros((*a.shape[:-1], m - 1), dtype=a.dtype)
        a = np.concatenate([zeros, a, zeros], axis=-1)
    windows = np.lib.stride_tricks.sliding_window_view(a, m, axis=-1)
    return np.einsum("...ij,...j->...i", windows, v[..., ::-1])
