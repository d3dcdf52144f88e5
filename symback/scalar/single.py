"""Functions at a single point, where those for arrays are too slow; their source is written into emitted modules.

Lines are at most 88 characters long, as those of emitted modules are.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from symback.ops.numerics.powers import hypot, hypot_slope
from symback.ops.numerics.trigonometric import arctan2_slope


def slope_of_hypot(x1: float, x2: float) -> float:
    """Return x1 / hypot(x1, x2) at a point; 0 at the origin."""
    length = abs(complex(x1, x2))
    if 1e-300 < length < float("inf"):
        return x1 / length
    return float(hypot_slope(np.asarray(x1), np.asarray(x2)))


def slope_of_arctan2(x1: float, x2: float) -> float:
    """Return x2 / (x1**2 + x2**2) at a point; NaN at the origin."""
    length = abs(complex(x1, x2))
    if 1e-300 < length < float("inf"):
        return x2 / length / length
    return float(arctan2_slope(np.asarray(x1), np.asarray(x2)))


INSTEAD: dict[Callable[..., Any], Callable[..., Any] | str] = {
    hypot: "math.hypot", hypot_slope: slope_of_hypot, arctan2_slope: slope_of_arctan2,
}  # fmt: skip
"""For functions of arrays what a single point takes: a function, or its source."""
