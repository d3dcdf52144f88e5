"""Arrays and numbers within values, what of them is not finite, and where in memory they lie."""

import math
from collections.abc import Iterable, Iterator, Mapping
from types import BuiltinFunctionType, FunctionType, GeneratorType, MethodType, ModuleType
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

_DEPTH = 4
"""So deep lists, dicts and objects are looked into."""

_MOST = 10_000
"""So many items of a list or dict that does not hold plain numbers."""

_PLAIN = (bool, int, str, bytes, type(None), type, ModuleType, FunctionType, BuiltinFunctionType, MethodType)
_CLOSED = (GeneratorType, np.dtype, np.ufunc, np.random.Generator, np.random.RandomState, range, slice)


def is_number(value: Any) -> bool:
    """Whether a value is an array or a number that can be non-finite."""
    if isinstance(value, (float, complex)):
        return True
    return isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "fc"


def is_finite(value: Any) -> bool:
    """Whether all entries of an array, or a number, are finite."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, np.ma.MaskedArray):
        return bool(np.ma.filled(np.isfinite(value), True).all())
    return bool(np.isfinite(value).all())


def leaves(value: Any, label: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield the float arrays and numbers within a value, each with where it is: ``[0]``, ``['W']``, ``.scale``."""
    if is_number(value):
        yield label, value
    elif isinstance(value, (*_PLAIN, *_CLOSED)) or depth >= _DEPTH:
        return
    else:
        for place, item in _items(value):
            yield from leaves(item, f"{label}{place}", depth + 1)


def _items(value: Any) -> Iterable[tuple[str, Any]]:
    """Return what a value directly consists of."""
    if isinstance(value, (list, tuple)):
        items = value if len(value) <= _MOST else [x for x in value if is_number(x)]
        return ((f"[{place}]", item) for place, item in enumerate(items))
    if isinstance(value, Mapping):
        return ((f"[{key!r}]", item) for key, item in list(value.items())[:_MOST])
    if isinstance(value, np.ndarray):
        return ()
    return ((f".{name}", item) for name, item in getattr(value, "__dict__", {}).items())


def broken(value: Any) -> list[tuple[str, Any]]:
    """Return the arrays and numbers within a value that are not finite, and where they are."""
    return [(label, leaf) for label, leaf in leaves(value) if not is_finite(leaf)]


def owner(array: Array) -> Array:
    """Return the array that a view is of."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def bounds(array: Array) -> tuple[int, int]:
    """Return the first and the last byte of an array's memory."""
    return np.lib.array_utils.byte_bounds(array)


def place_of(index: tuple[int, ...]) -> str:
    """Write an index as it is written behind an array; a scalar has none."""
    return f"[{', '.join(map(str, index))}]" if index else ""


def entry_within(view: Array, index: tuple[int, ...], whole: Array) -> tuple[int, ...] | None:
    """Return where an entry of a view stands in the array that it is a part of, or None if it is no part."""
    if owner(view) is not owner(whole) or not whole.flags.c_contiguous or view.dtype != whole.dtype:
        return None
    start = view.__array_interface__["data"][0] + sum(i * step for i, step in zip(index, view.strides, strict=True))
    number, rest = divmod(start - whole.__array_interface__["data"][0], whole.itemsize)
    if rest or not 0 <= number < whole.size:
        return None
    return tuple(int(i) for i in np.unravel_index(number, whole.shape))


def copied(value: Any, known: dict[int, Any]) -> Any:
    """Return the same value with copies of its arrays, so that what writes to them leaves the given ones alone."""
    if isinstance(value, np.ndarray):
        if id(value) not in known:
            copy = known[id(value)] = value.copy(order="K")
            copy.flags.writeable = value.flags.writeable
        return known[id(value)]
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*[copied(item, known) for item in value])
    if type(value) in (list, tuple):
        return type(value)([copied(item, known) for item in value])
    if type(value) is dict:
        return {key: copied(item, known) for key, item in value.items()}
    return value
