"""Differences in many digits: the derivative of a function by the entries of one argument, where there is one.

Central differences with a step of 10^-(digits + 5) of the entry; the arithmetic has three times the digits, so
that neither the step nor rounding is seen within `digits`. Where the differences to both sides disagree and a
step a thousand times shorter does not bring them together, or where they grow as the step shrinks, there is no
derivative: a kink, a jump, or an infinite slope.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]

Moved = Callable[[Any], tuple[Array, Array, Array]]
"""Of a factor: the values behind and ahead of the point by that part of the step, and the step."""

_SPARE = 5
_ALSO = 30
_SHORTER = 1000
_ROUNDED = 15


class Sides(NamedTuple):
    """The slopes to the left and to the right, and by the central difference."""

    left: Array
    right: Array
    slope: Array
    change: Array
    size: Array


class Differences:
    """Differences in an mpmath context that have `digits` right digits.

    Attributes:
        context: The context; its precision is for the caller to set, by `working_digits`.
        digits: How many digits derivatives have.
    """

    def __init__(self, context: Any, digits: int) -> None:
        self.context = context
        self.digits = digits
        self._absolute = np.frompyfunc(lambda x: context.mpf(abs(x)), 1, 1)
        self._finite = np.frompyfunc(lambda x: bool(context.isfinite(x)), 1, 1)

    def step(self, value: Any) -> Any:
        """Return the step for each entry of a value: in parts of it, at most of 1; of another where it is rounded."""
        context, sizes = self.context, [abs(x) for x in np.asarray(value, dtype=object).flat]
        unit = context.mpf(10) ** -(self.digits + _SPARE)
        largest = max((size for size in sizes if context.isfinite(size)), default=context.mpf(0))
        rounded = max(largest, context.mpf(1)) * context.mpf(10) ** (_ROUNDED - context.dps)
        usual = largest if largest >= rounded else 1

        def step(x: Any) -> Any:
            return unit * min(abs(x) if abs(x) >= rounded else usual, 1) if x and context.isfinite(x) else unit

        return np.frompyfunc(step, 1, 1)(value)

    def finite(self, values: Any) -> Array:
        """Tell which numbers are finite."""
        return np.asarray(self._finite(values), dtype=bool)

    def numbers(self, values: Any) -> Array:
        """Return floats as numbers of the context."""
        return np.asarray(np.frompyfunc(self.context.mpf, 1, 1)(values), dtype=object)

    def absolute(self, values: Any) -> Array:
        """Return the absolute values of numbers."""
        return np.asarray(self._absolute(values), dtype=object)

    def derivative(self, middle: Array, moved: Moved) -> Array:
        """Return the derivative: NaN at a kink or jump, infinite where the slope is, or the function ends.

        Args:
            middle: The value at the point.
            moved: The values beside it.
        """
        one = self.context.mpf(1)
        with np.errstate(all="ignore"):
            first = self._sides(middle, *moved(one))
            slope = first.slope
            doubtful = self._doubtful(first)
            if not doubtful.any():
                return slope
            second = self._sides(middle, *moved(one / _SHORTER))
            wrong = doubtful & ~self._settled(first, second)
        slope = slope.copy()
        slope[wrong] = self.context.nan
        endless = self._endless(middle, first, second) & wrong
        slope[endless] = self.context.inf
        return slope

    def _sides(self, middle: Array, down: Array, up: Array, step: Array) -> Sides:
        size = self._largest(down, up)
        left, right, change = (middle - down) / step, (up - middle) / step, up - down
        return Sides(*(np.asarray(part, dtype=object) for part in (left, right, change / (2 * step), change, size)))

    def _largest(self, *arrays: Array) -> Array:
        found = self.absolute(arrays[0])
        for other in arrays[1:]:
            found = np.asarray(np.where(self._more(self.absolute(other), found), self.absolute(other), found))
        return found

    @staticmethod
    def _more(one: Any, other: Any) -> Array:
        return np.asarray(np.frompyfunc(lambda a, b: bool(a > b), 2, 1)(one, other), dtype=bool)

    def _doubtful(self, sides: Sides) -> Array:
        """Tell where the two sides disagree, or where the function changes by a sizeable part of itself."""
        part = self.context.mpf(10) ** -(self.digits // 2)
        slopes = self._largest(sides.left, sides.right)
        apart = self._more(self.absolute(sides.right - sides.left), part * slopes)
        jumps = self._more(self.absolute(sides.change), part * sides.size)
        return apart | jumps | ~self.finite(sides.slope) | ~self.finite(slopes)

    def _settled(self, first: Sides, second: Sides) -> Array:
        """Tell where a shorter step shows that there is a derivative: the sides come together, at the same slope."""
        part = self.context.mpf(10) ** -(self.digits // 2)
        noise = self.context.mpf(10) ** -(2 * self.digits + 10) * (1 + self._largest(first.size))
        slopes = self._largest(second.left, second.right)
        before, after = (self.absolute(sides.right - sides.left) for sides in (first, second))
        between = self.absolute(second.slope - first.slope)
        together = ~self._more(after, before / 100) | ~self._more(after, part * slopes) | ~self._more(after, noise)
        steady = (
            ~self._more(between, part * self._largest(first.slope, second.slope))
            | ~self._more(between, before)
            | ~self._more(between, noise)
        )
        return together & steady & self.finite(first.slope) & self.finite(second.slope)

    def _endless(self, middle: Array, first: Sides, second: Sides) -> Array:
        """Tell where the function has a value, and beside it none or an infinite slope."""
        grows = self._more(self.absolute(second.slope), 10 * self._largest(first.slope))
        return self.finite(middle) & (grows | ~self.finite(first.slope))


def working_digits(digits: int, orders: int = 0) -> int:
    """Return how many digits the arithmetic needs, where values range over that many orders of magnitude."""
    return 3 * digits + _ALSO + 2 * orders
