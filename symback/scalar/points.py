"""Functions whose source is written into emitted modules: formulas at a point, and at many points block by block.

Lines are at most 88 characters long, as those of emitted modules are.
"""

import numpy as np


def choose(condition: bool, value: float, other: float) -> float:
    """Return `value` where the condition holds, as `numpy.where` does."""
    return value if condition else other


def larger(a: float, b: float) -> float:
    """Return the larger number, NaN if one is, as `numpy.maximum` does."""
    return a if a >= b or a != a else b


def smaller(a: float, b: float) -> float:
    """Return the smaller number, NaN if one is, as `numpy.minimum` does."""
    return a if a <= b or a != a else b


def at_points(function: object, arguments: dict, count: int, block: int) -> np.ndarray:
    """Evaluate formulas at all points, so many at a time that they stay in the cache.

    Arguments are numbers, or arrays that broadcast; results are the rows of one array.
    """
    arrays = {}
    for name, value in arguments.items():
        array = np.asarray(value)
        if array.dtype.kind not in "biuf":
            raise TypeError(f"{name} has dtype {array.dtype}, wanted real numbers")
        arrays[name] = array.astype(np.float64, copy=False)
    shape = np.broadcast_shapes(*(array.shape for array in arrays.values()))
    size = int(np.prod(shape))
    flat = []
    for array in arrays.values():
        whole = array if array.shape == shape else np.broadcast_to(array, shape)
        flat.append(whole.reshape(size) if array.ndim else np.float64(array))
    results = np.empty((count, size))
    for start in range(0, size, block):
        part = slice(start, start + block)
        given = [x[part] if isinstance(x, np.ndarray) else x for x in flat]
        function(*given, results[:, part])
    return results.reshape((count, *shape))
