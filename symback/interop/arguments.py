"""Arguments of a traced function: the arrays in them are inputs, all else is part of the key of the trace."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from symback.errors import tracing as messages
from symback.interop.naming import safe_name
from symback.nodes.dtypes import as_dtype
from symback.nodes.leaves import Variable

_STATIC = (bool, int, str, bytes, complex, type(None), np.integer, np.bool_)
"""What is no input of the compiled function: `f` is traced for each value of it."""


class Arguments:
    """Reads arguments: the arrays in them, and a key for all else."""

    def __init__(self, static: frozenset[str]) -> None:
        self.values: list[Any] = []
        self.names: list[str] = []
        self.numbers: set[str] = set()
        self.boxed: set[int] = set()
        self.kinds: list[tuple[str, tuple[int, ...], str]] = []
        self.taken: set[str] = set(static)

    def read(self, name: str, value: Any, static: bool = False) -> Any:
        """Return a hashable description of an argument, in which arrays are numbers of places."""
        if static:
            return self._static(name, value)
        if isinstance(value, (list, tuple)):
            items = [self.read(f"{name}_{place}", item) for place, item in enumerate(value)]
            return (type(value), *items)
        if isinstance(value, dict):
            return (dict, *[(_exact(key), self.read(f"{name}_{key}", item)) for key, item in value.items()])
        if isinstance(value, _STATIC) or _is_code(value):
            return self._static(name, value)
        return self._array(name, value)

    def _static(self, name: str, value: Any) -> Any:
        try:
            hash(value)
        except TypeError:
            raise messages.unhashable_static(name, value) from None
        return _exact(value)

    def _array(self, name: str, value: Any) -> int:
        plain = isinstance(value, (np.ndarray, np.generic, float)) and not isinstance(value, np.ma.MaskedArray)
        if not plain or np.asarray(value).dtype.kind not in "biuf":
            raise messages.bad_argument(name, value)
        array = np.asarray(value)
        array = array.astype(as_dtype(array.dtype), copy=False)
        self.values.append(array[()])
        self.kinds.append((name, array.shape, array.dtype.name))
        if isinstance(value, np.ndarray) and not value.ndim:
            self.boxed.add(len(self.values) - 1)
        self.names.append(self._own(name))
        if type(value) is float:
            self.numbers.add(self.names[-1])
        return len(self.values) - 1

    def _own(self, wanted: str) -> str:
        """Return a name that can stand in code and that no other array has."""
        stem = safe_name("".join(c if c.isalnum() or c == "_" else "_" for c in wanted)) or "x"
        name, number = stem, 1
        while name in self.taken:
            number += 1
            name = f"{stem}_{number}"
        self.taken.add(name)
        return name


def filled(value: Any, pending: Iterator[Variable]) -> Any:
    """Return an argument with variables in the place of its arrays."""
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*[filled(item, pending) for item in value])
    if isinstance(value, (list, tuple)):
        return type(value)([filled(item, pending) for item in value])
    if isinstance(value, dict):
        return {key: filled(item, pending) for key, item in value.items()}
    return value if isinstance(value, _STATIC) or _is_code(value) else next(pending)


def _exact(value: Any) -> Any:
    """Return a key for a static value, with the types of what is in it: 1, 1.0, True are equal, as are 0.0 and -0.0."""
    if isinstance(value, (tuple, frozenset)):
        items = map(_exact, value)
        return type(value), tuple(items) if isinstance(value, tuple) else frozenset(items)
    if isinstance(value, (float, complex, np.inexact)):
        return type(value), repr(value)
    if is_dataclass(value) and not isinstance(value, type):
        return type(value), value, tuple(_exact(getattr(value, field.name)) for field in fields(value) if field.compare)
    return type(value), value


def _is_code(value: Any) -> bool:
    return callable(value) and not isinstance(value, np.ndarray)
