"""Transposes of repetition and padding, written with NumPy alone."""

import numpy as np


def sum_runs(x: np.ndarray, counts: tuple, axis: int) -> np.ndarray:
    """Sum runs of entries along an axis: the first counts[0] entries, and so on."""
    sums = np.zeros((len(counts), *np.delete(x.shape, axis)), dtype=x.dtype)
    np.add.at(sums, np.repeat(np.arange(len(counts)), counts), np.moveaxis(x, axis, 0))
    return np.moveaxis(sums, 0, axis)


def unpad(x: np.ndarray, widths: tuple, mode: str) -> np.ndarray:
    """Add the borders to the entries that np.pad repeats there: its transpose."""
    for axis, (before, after) in enumerate(widths):
        if before == after == 0:
            continue
        size = x.shape[axis] - before - after
        options: dict = {"mode": mode}
        source = np.pad(np.arange(size), (before, after), **options)
        border = np.r_[:before, before + size : before + size + after]
        moved = np.moveaxis(x, axis, 0)
        inner = np.array(moved[before : before + size])
        np.add.at(inner, source[border], moved[border])
        x = np.moveaxis(inner, 0, axis)
    return x
