"""Which origins the non-finite values in memory go back to: by object, and for arrays by the memory they share."""

from typing import Any

import numpy as np

from symback.check.nonfinite.report import UNINITIALISED, Origin
from symback.check.nonfinite.values import Array, bounds, is_finite, owner

Layout = tuple[int, tuple[int, ...], tuple[int, ...]]


class Memory:
    """Remembers for each non-finite value where it comes from.

    Views are told apart by the bytes they cover, so that what is written to a part of an array is found again by the
    whole, and the other way round. What is remembered is kept alive: its memory cannot be given to another value.
    """

    def __init__(self) -> None:
        self._numbers: dict[int, tuple[Any, list[Origin]]] = {}
        self._arrays: dict[int, dict[Layout, tuple[Array, list[Origin]]]] = {}

    def __bool__(self) -> bool:
        return bool(self._numbers or self._arrays)

    def remember(self, value: Any, origins: list[Origin]) -> None:
        """Enter where a value comes from, in the place of what was known of the same memory."""
        if isinstance(value, np.ndarray):
            self._arrays.setdefault(id(owner(value)), {})[_layout(value)] = (value, origins)
        else:
            self._numbers[id(value)] = (value, origins)

    def forget(self, array: Array) -> None:
        """Take out what lies within an array that has been written to."""
        known = self._arrays.get(id(owner(array)))
        if known and (array.flags.c_contiguous or array.flags.f_contiguous):
            first, last = bounds(array)
            for layout, (other, _) in list(known.items()):
                low, high = bounds(other)
                if first <= low and high <= last:
                    del known[layout]

    def of(self, value: Any) -> list[Origin]:
        """Return where a value comes from, or from where the parts come that it shares memory with.

        Memory that was not filled is an origin only if there is no other one.
        """
        if not isinstance(value, np.ndarray):
            return self._numbers.get(id(value), (value, []))[1]
        found = self._sharing(value)
        return [origin for origin in found if origin.kind != UNINITIALISED] or found

    def is_known(self, value: Any) -> bool:
        """Whether it is known where a value comes from, other than from memory that was not filled."""
        return any(origin.kind != UNINITIALISED for origin in self.of(value))

    def _sharing(self, value: Array) -> list[Origin]:
        found: list[Origin] = []
        first, last = bounds(value)
        for other, origins in self._arrays.get(id(owner(value)), {}).values():
            low, high = bounds(other)
            if low < last and first < high and not is_finite(other):
                found += [origin for origin in origins if origin not in found]
        return found


def _layout(array: Array) -> Layout:
    return array.__array_interface__["data"][0], array.shape, array.strides
