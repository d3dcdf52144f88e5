"""What the names of a formula stand for: the public functions, a few constants, dtypes."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import sympy

from symback.errors.numpy import NEAREST
from symback.nodes.dtypes import as_dtype
from symback.nodes.leaves import as_node
from symback.nodes.operators import METHODS
from symback.op.public import FUNCTIONS

LIBRARIES = ("np", "numpy", "sb", "symback")
FOLDERS = ("linalg", "special")

CONSTANTS: Mapping[str, Any] = {
    "pi": sympy.pi, "inf": math.inf, "nan": math.nan, "newaxis": None,
    **{name: as_dtype(name) for name in ("float32", "float64", "int32", "int64", "bool")},
}  # fmt: skip
"""Names of values, with or without ``np.`` before them; a variable of the name comes first."""

_QUALIFIED = {"e": sympy.E, "euler_gamma": sympy.EulerGamma}
"""Names of values behind ``np.`` only."""

_FURTHER = ("shape", "size", "ndim", "astype", "imag", "amax", "amin", "empty_like")
"""Public functions that the table of public functions does not list."""

_COUNTS: dict[str, tuple[tuple[int, str], ...]] = {
    "arange": (), "linspace": ((2, "num"),), "indices": ((0, "dimensions"),), "identity": ((0, "n"),),
    "eye": ((0, "N"), (1, "M")), "tri": ((0, "N"), (1, "M")), "diff": ((1, "n"),), "repeat": ((1, "repeats"),),
    **dict.fromkeys(("split", "array_split", "hsplit", "vsplit", "dsplit"), ((1, "indices_or_sections"),)),
    **dict.fromkeys(("full", "ones", "zeros"), ((0, "shape"),)), "tile": ((1, "reps"),), "pad": ((1, "pad_width"),),
    "linalg.matrix_power": ((1, "n"),), "special.polygamma": ((0, "n"),),
}  # fmt: skip
"""For each function whose work grows with integers that it is given: where these stand, and what they are called."""

MOST_COUNTED = 10_000
"""The largest of them that a formula may have."""


def _array(value: Any, dtype: Any = None) -> Any:
    node = as_node(value)
    return node if dtype is None else METHODS["astype"](node, dtype)


@cache
def _table(count: int) -> dict[str, Callable[..., Any]]:
    """Return the functions by all their names; `count` is how many there are, and says when the table is old."""
    named = {name: entry.function for entry in FUNCTIONS.values() for name in (entry.name, *entry.aliases)}
    return {**named, **{name: METHODS[name] for name in _FURTHER}, "array": _array, "asarray": _array}


def functions() -> Mapping[str, Callable[..., Any]]:
    """Return the functions that a formula may call, by name."""
    return _table(len(FUNCTIONS))


@cache
def _elementwise(count: int) -> frozenset[str]:
    entries = [entry for entry in FUNCTIONS.values() if entry.primitive is not None]
    return frozenset(name for entry in entries for name in (entry.name, *entry.aliases))


def is_elementwise(name: str) -> bool:
    """Is this a scalar function, applied entry by entry, so that all of its arguments are numbers or arrays?"""
    return name in _elementwise(len(FUNCTIONS))


def bare(path: tuple[str, ...]) -> str:
    """Return a dotted name without the library before it: ``np.linalg.norm`` is ``linalg.norm``."""
    if path[0] == "scipy" and len(path) > 1:
        path = path[1:]
    return ".".join(path[1:] if path[0] in LIBRARIES and len(path) > 1 else path)


def constant(path: tuple[str, ...]) -> tuple[Any] | None:
    """Return the value that a name stands for in a tuple of one, None if it stands for none."""
    name = bare(path)
    if name in CONSTANTS:
        return (CONSTANTS[name],)
    return (_QUALIFIED[name],) if len(path) > 1 and name in _QUALIFIED else None


def nearest(name: str) -> str:
    """Return what to do instead of a function of NumPy's that symback has not; empty if nothing is known."""
    return NEAREST.get(name, "")


def counts_too_far(name: str, given: Sequence[Any], named: Mapping[str, Any]) -> bool:
    """Would making the graph of a call take all memory, or for ever, because of a number in it?"""
    if name == "arange":
        bounds = [value for value in (*given, *named.values()) if isinstance(value, (int, float))]
        start, stop, step = [(0, *bounds, 1), (*bounds, 1), bounds][min(len(bounds), 3) - 1] if bounds else (0, 0, 1)
        return step != 0 and not abs((stop - start) / step) <= MOST_COUNTED
    if name == "unstack":
        return any(
            isinstance(size, int) and size > MOST_COUNTED for item in given for size in getattr(item, "shape", ())
        )
    for place, option in _COUNTS.get(name, ()):
        value = named.get(option, given[place] if place < len(given) else 0)
        for number in _flat(value):
            if isinstance(number, (int, float)) and not abs(number) <= MOST_COUNTED:
                return True
    return False


def _flat(value: Any) -> Iterator[Any]:
    """Yield the items of lists in lists."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, (list, tuple)):
            waiting += item
        else:
            yield item
