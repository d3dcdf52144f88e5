"""Functions of indices that emitted modules may hold."""

import numpy as np


def add_along_axis(
    values: np.ndarray,
    indices: np.ndarray,
    axis: int,
    size: int,
) -> np.ndarray:
    """Add values to zeros at indices along an axis: np.take_along_axis transposed."""
    shape = list(values.shape)
    places = list(np.ogrid[tuple(slice(length) for length in shape)])
    places[axis] = indices
    shape[axis] = size
    total = np.zeros(shape, dtype=values.dtype)
    np.add.at(total, tuple(places), values)
    return total


def written_last(shape: tuple, *indices: np.ndarray) -> np.ndarray:
    """Which write to a place of an array of this shape is the last one there?"""
    places = tuple(np.broadcast_arrays(*indices))
    numbers = np.arange(places[0].size).reshape(places[0].shape)
    last = np.zeros(shape, dtype=np.int64)
    last[places] = numbers
    return np.equal(last[places], numbers)


def one_hot(indices: np.ndarray, classes: int, dtype: type = np.float64) -> np.ndarray:
    """Rows of the identity matrix; no index may be negative or too large."""
    if np.any((indices < 0) | (indices >= classes)):
        raise IndexError(f"one_hot: an index is not from 0 to below {classes}")
    return np.eye(classes, dtype=dtype)[indices]
