"""Running products and recurrences along an axis, without division.

Zeros are entries like any other.
"""

import numpy as np


def shifted(x: np.ndarray, axis: int, by: int, fill: int = 0) -> np.ndarray:
    """Move entries by one place, forward (by=1) or back (by=-1), and fill the gap."""
    result = np.full_like(x, fill)
    into, out_of = np.swapaxes(result, axis, -1), np.swapaxes(x, axis, -1)
    if by == 1:
        into[..., 1:] = out_of[..., :-1]
    else:
        into[..., :-1] = out_of[..., 1:]
    return result


def product_of_others(
    x: np.ndarray,
    axis: int | tuple[int, ...] | None = None,
) -> np.ndarray:
    """For each entry the product of all others: those before times those behind it."""
    if axis is None:
        axis = tuple(range(x.ndim))
    axes = axis if isinstance(axis, tuple) else (axis,)
    last = tuple(range(-len(axes), 0))
    moved = np.moveaxis(x, axes, last)
    kept = moved.shape[: x.ndim - len(axes)]
    flat = moved.reshape(*kept, np.prod(moved.shape[len(kept) :], dtype=int))
    with np.errstate(under="ignore"):
        before = shifted(np.cumprod(flat, axis=-1), -1, 1, fill=1)
        behind = shifted(np.cumprod(flat[..., ::-1], axis=-1), -1, 1, fill=1)[..., ::-1]
        return np.moveaxis((before * behind).reshape(moved.shape), last, axes)


def linear_recurrence(
    a: np.ndarray,
    b: np.ndarray,
    axis: int,
    reverse: bool = False,
) -> np.ndarray:
    """y[k] = b[k] + a[k] * y[k - 1] along an axis, in log2(n) steps.

    In reverse it is y[k] = b[k] + a[k + 1] * y[k + 1].
    """
    a, y = np.swapaxes(a, axis, -1).copy(), np.swapaxes(b, axis, -1).copy()
    if reverse:
        a, y = shifted(a[..., ::-1], -1, 1), y[..., ::-1]
    step = 1
    with np.errstate(under="ignore"):
        while step < y.shape[-1]:
            y[..., step:] += a[..., step:] * y[..., :-step]
            a[..., step:] = a[..., step:] * a[..., :-step]
            step *= 2
    return np.swapaxes(y[..., ::-1] if reverse else y, axis, -1)
