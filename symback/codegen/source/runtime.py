"""Functions whose source is written into emitted modules: what checks the arguments.

Emitted modules define `InputError` and `DtypeError` themselves, so that they run where symback is not installed. Lines
are at most 88 characters long, as those of emitted modules are.
"""

import functools
import inspect

import numpy as np

from symback.errors import DtypeError, InputError


def converted(
    name: str,
    value: object,
    dtype: str,
    shape: tuple,
    sizes: dict,
) -> np.ndarray | np.generic:
    """Return an argument as an array of its dtype, or say what is wrong with it.

    Its sizes are collected by name.
    """
    if isinstance(value, np.ma.MaskedArray):
        raise DtypeError(f"{name} is a masked array; fill it first")
    if value is None:
        raise DtypeError(f"{name} is None, wanted an array of {dtype}")
    kind = np.dtype(dtype).kind
    number = kind != "b" and type(value) in ((int,) if kind in "iu" else (int, float))
    try:
        array = np.asarray(value, dtype if number else None)
    except (ValueError, TypeError, OverflowError) as reason:
        raise InputError(f"{name} is no array of {dtype}: {reason}") from None
    given, own = array.dtype, hasattr(value, "dtype")
    if array.size == 0 and not own:  # NumPy calls an empty list float64
        array, given = array.astype(dtype), np.dtype(dtype)
    if given.kind not in "biuf" or not (number or np.can_cast(given, dtype, "safe")):
        cure = f".astype({dtype!r})" if own else f"np.array({name}, {dtype!r})"
        cure = f"convert it with {cure}" if given.kind in "biuf" else "it must be real"
        raise DtypeError(f"{name} has dtype {given}, wanted {dtype}; {cure}")
    found, axes = f"{name} has shape {array.shape}", ", ".join(map(str, shape))
    if array.ndim != len(shape):
        raise InputError(f"{found}, wanted {len(shape)} axes: ({axes})")
    for axis, (size, wanted) in enumerate(zip(array.shape, shape, strict=True)):
        known, first, origin = wanted, name, ""
        if isinstance(wanted, str):
            known, first = sizes.setdefault(wanted, (size, name))
            origin = f" ({wanted} = {known} by {first})"
        if wanted is not None and size != known:
            where = f"axis {axis} has size {size}"
            raise InputError(f"{found}: {where}, wanted {wanted}{origin}")
    return array.astype(dtype, copy=False)[()]


def checked(**declared: tuple) -> object:
    """Check the arguments of a function: dtype and shape of each, and equal sizes.

    Arguments of types, dtypes and shapes that have passed before are known to be right.
    """

    def decorate(function):
        signature = inspect.signature(function)
        accepted: list = []

        @functools.wraps(function)
        def call(*arguments, **named):
            nonlocal accepted
            seen: list = []
            try:
                for value in arguments:
                    seen += type(value), value.dtype, value.shape
            except AttributeError:
                seen.clear()
            if named or seen not in accepted:
                given = signature.bind(*arguments, **named).arguments
                sizes: dict = {}
                right = []
                for name, (dtype, shape) in declared.items():
                    right.append(converted(name, given[name], dtype, shape, sizes))
                arguments = tuple(right)
                parts = [(type(x), x.dtype, x.shape) for x in arguments]
                if seen == [part for several in parts for part in several]:
                    accepted = [seen, *accepted[:7]]
            return function(*arguments)

        return call

    return decorate
