"""Functions whose source is written into emitted modules: what checks the arguments.

Emitted modules define `InputError` and `DtypeError` themselves, so that they run where symback is not installed.
"""

import functools
import inspect

import numpy as np

from symback.errors import DtypeError, InputError


def converted(name: str, value: object, dtype: str, shape: tuple, sizes: dict) -> np.ndarray | np.generic:
    """Return an argument as an array of its dtype, or say what is wrong with it; collect its sizes by name."""
    if isinstance(value, np.ma.MaskedArray):
        raise DtypeError(f"{name} is a masked array; fill it first")
    kind = np.dtype(dtype).kind
    number = kind != "b" and type(value) in ((int,) if kind in "iu" else (int, float))
    try:
        array = np.asarray(value, dtype if number else None)
    except (ValueError, TypeError, OverflowError) as reason:
        raise InputError(f"{name} is no array of {dtype}: {reason}") from None
    if not number and (array.dtype.kind not in "biuf" or not np.can_cast(array.dtype, dtype, "safe")):
        raise DtypeError(f"{name} has dtype {array.dtype}, wanted {dtype}; convert it with .astype({dtype!r})")
    if array.ndim != len(shape):
        raise InputError(f"{name} has shape {array.shape}, wanted {len(shape)} axes: ({', '.join(map(str, shape))})")
    for axis, (size, wanted) in enumerate(zip(array.shape, shape, strict=True)):
        known, first = (wanted, name) if isinstance(wanted, int) else sizes.setdefault(wanted, (size, name))
        if wanted is not None and size != known:
            origin = "" if isinstance(wanted, int) else f" ({wanted} = {known} by {first})"
            raise InputError(f"{name} has shape {array.shape}: axis {axis} has size {size}, wanted {wanted}{origin}")
    return array.astype(dtype, copy=False)[()]


def checked(**declared: tuple) -> object:
    """Check the arguments of a function: dtype and shape of each, and that one name means one size."""

    def decorate(function):
        signature = inspect.signature(function)

        @functools.wraps(function)
        def call(*arguments, **named):
            given = signature.bind(*arguments, **named).arguments
            sizes: dict = {}
            items = declared.items()
            return function(*[converted(name, given[name], dtype, shape, sizes) for name, (dtype, shape) in items])

        return call

    return decorate
