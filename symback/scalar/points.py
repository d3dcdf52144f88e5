"""Functions whose source is written into emitted modules: formulas at one point, and at many by blocks.

Lines are at most 88 characters long, as those of emitted modules are.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from itertools import pairwise

import numpy as np


def choose(condition: bool, value: float, other: float) -> float:
    """Return `value` where the condition holds, as `numpy.where` does."""
    return value if condition else other


def larger(a: float, b: float) -> float:
    """Return the larger number, NaN if one is, as `numpy.maximum` does."""
    return a if a >= b else b if b > a else a + b


def smaller(a: float, b: float) -> float:
    """Return the smaller number, NaN if one is, as `numpy.minimum` does."""
    return a if a <= b else b if b < a else a + b


def points_at_once(values: int, threads: int) -> int:
    """Return how many points a thread computes at once where so many values are held.

    One thread alone keeps to what is in its cache. Several wait for one another between
    operations, which therefore are longer; they hold 256 MB together.
    """
    block = 16384
    while block > 4096 and 8 * values * block > 2**23:
        block //= 2
    if threads == 1:
        return block
    longer = min(4 * block, 32768)
    while longer > block and 8 * values * longer * threads > 2**28:
        longer //= 2
    return longer


def points_of(arguments: dict) -> tuple[tuple[int, ...], list]:
    """Return the shape that arguments broadcast to, and each as one axis, or a number."""
    arrays = {}
    for name, value in arguments.items():
        array = np.asarray(value)
        if array.dtype.kind not in "biuf":
            raise TypeError(f"{name} has dtype {array.dtype}, wanted real numbers")
        arrays[name] = array.astype(np.float64, copy=False)
    shape = np.broadcast_shapes(*(array.shape for array in arrays.values()))
    flat = []
    for array in arrays.values():
        whole = array if array.shape == shape else np.broadcast_to(array, shape)
        flat.append(whole.reshape(-1) if array.ndim else np.float64(array))
    return shape, flat


def at_points(
    function: Callable,
    arguments: dict,
    count: int,
    values: int,
    threads: int | None = None,
    zeros: bool = False,
) -> np.ndarray:
    """Evaluate formulas at all points, a block of them at a time, by several threads.

    Arguments are numbers, or arrays that broadcast; results are the rows of one array,
    in which zeros stand already where formulas leave them out.
    """
    shape, flat = points_of(arguments)
    size = int(np.prod(shape))
    results = np.zeros((count, size)) if zeros else np.empty((count, size))
    most = size * (values + count) // 2**22  # a thread is worth it for 32 MB and more
    threads = max(1, min(threads or os.cpu_count() or 1, size // 8192, most))
    blocks = -(-size // points_at_once(values, threads))
    blocks = -(-blocks // threads) * threads  # each thread gets as many
    ends = [size * number // blocks for number in range(blocks + 1)] if size else []

    def evaluate(start: int, stop: int) -> None:
        part = slice(start, stop)
        given = [x[part] if isinstance(x, np.ndarray) else x for x in flat]
        function(*given, results[:, part])

    if threads == 1:
        for start, stop in pairwise(ends):
            evaluate(start, stop)
    else:
        with ThreadPoolExecutor(threads) as pool:
            parts = pairwise(ends)
            tasks = [pool.submit(copy_context().run, evaluate, a, b) for a, b in parts]
        for task in tasks:
            task.result()
    return results.reshape((count, *shape))
