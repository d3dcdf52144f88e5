"""In what range numbers and sizes are taken: ordinary ones, with empty axes, or all there are."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sympy

from symback.check.domain.interval import Interval, Limits, limits_of
from symback.nodes.shapes import SizeExpr, size_symbols

LARGEST_ORDINARY = 1e3
SMALLEST_ORDINARY = 1e-3
LONGEST = float(2**63 - 1)


@dataclass(frozen=True)
class Setting:
    """One range of numbers for which a graph is analysed.

    Attributes:
        scale: ``"ordinary"``: numbers up to 1000 that differ from 0 by 1/1000 or are 0, where nothing else is said,
            sizes from 1 to 1000; ``"empty"``: with sizes of 0 too; ``"extreme"``: all numbers of the dtype.
        sizes: For some of the symbolic sizes by name the least and the greatest.
    """

    scale: str
    sizes: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def is_extreme(self) -> bool:
        """Are all numbers of the dtype taken?"""
        return self.scale == "extreme"

    def limits(self, dtype: np.dtype[Any]) -> Limits:
        """Return the limits of a dtype here."""
        return limits_of(dtype, None if self.is_extreme or dtype.kind != "f" else SMALLEST_ORDINARY)

    def size(self, size: SizeExpr) -> tuple[float, float]:
        """Return the least and the greatest value of a size."""
        if isinstance(size, int):
            return float(size), float(size)
        if isinstance(size, sympy.Symbol):
            return self._symbol(size)
        return self._expression(size)

    def _symbol(self, symbol: sympy.Symbol) -> tuple[float, float]:
        low, high = self.sizes.get(symbol.name, (0.0, math.inf))
        least = low if self.scale != "ordinary" else max(low, min(1.0, high))
        return least, min(high, LONGEST if self.is_extreme else max(LARGEST_ORDINARY, low))

    def _expression(self, size: Any) -> tuple[float, float]:
        """Bound a polynomial in sizes term by term; of anything else only that it is no negative number."""
        low = high = 0.0
        for monomial, coefficient in sympy.expand(size).as_coefficients_dict().items():
            factors = monomial.as_powers_dict() if monomial != 1 else {}
            if not all(
                isinstance(base, sympy.Symbol) and power.is_Integer and power > 0 for base, power in factors.items()
            ):
                most = math.prod(1.0 + self._symbol(s)[1] for s in size_symbols(size))
                return 0.0, min(most, LONGEST)
            ends = [
                math.prod(self._symbol(base)[end] ** int(power) for base, power in factors.items()) for end in (0, 1)
            ]
            low += float(coefficient) * ends[0 if coefficient > 0 else 1]
            high += float(coefficient) * ends[1 if coefficient > 0 else 0]
        return max(low, 0.0), max(high, 0.0)

    def count(self, sizes: Iterable[SizeExpr]) -> tuple[float, float]:
        """Return between which numbers the product of sizes lies."""
        ends = [self.size(size) for size in sizes]
        return math.prod(low for low, _ in ends), min(math.prod(high for _, high in ends), LONGEST)


def summed(entry: Interval, count: tuple[float, float], limits: Limits) -> Interval:
    """Bound a sum of so many entries, whatever the order of summation."""
    fewest, most = count
    if fewest == most == 1:
        return entry
    if entry.is_empty and entry.is_finite:
        return entry
    ends = (entry.low, entry.high) if not entry.is_empty else (0.0, 0.0)
    slack = 1 + min(1.0, most * limits.epsilon)
    low = min(ends[0] * most * slack, 0.0) if ends[0] < 0 else ends[0] * fewest / slack
    high = max(ends[1] * most * slack, 0.0) if ends[1] > 0 else ends[1] * fewest / slack
    if fewest == 0:
        low, high = min(low, 0.0), max(high, 0.0)
    up, down = entry.up or high > limits.largest, entry.down or low < -limits.largest
    return limits.settle(Interval(low, high, entry.nan or (up and down), up, down))
