"""Functions of indices that emitted modules may hold."""

import numpy as np


def add_along_axis(values: np.ndarray, indices: np.ndarray, axis: int, size: int) -> np.ndarray:
    """Add values to zeros at indices along an axis: the transpose of np.take_along_axis."""
    shape = list(values.shape)
    places = list(np.ogrid[tuple(slice(length) for length in shape)])
    places[axis] = indices
    shape[axis] = size
    total = np.zeros(shape, dtype=values.dtype)
    np.add.at(total, tuple(places), values)
    return total


def written_last(shape: tuple, *indices: np.ndarray) -> np.ndarray:
    """Of writes to an array of this shape, where several may go to one place: which is the last one there?"""
    places = tuple(np.broadcast_arrays(*indices))
    numbers = np.arange(places[0].size).reshape(places[0].shape)
    last = np.zeros(shape, dtype=np.int64)
    last[places] = numbers
    return np.equal(last[places], numbers)


def one_hot(indices: np.ndarray, classes: int, dtype: type = np.float64) -> np.ndarray:
    """Rows of the identity matrix; an index that is negative or too large is refused, not counted from the end."""
    if np.any((indices < 0) | (indices >= classes)):
        raise IndexError(f"one_hot: an index is not from 0 to below {classes}")
    return np.eye(classes, dtype=dtype)[indices]
