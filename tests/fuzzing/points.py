"""The values of variables: ordinary ones, and the awkward ones that derivatives and code go wrong at."""

from collections.abc import Callable
from typing import Any

import numpy as np

from .menu import Pick

AWKWARD = (
    *(0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, 1e-30, -1e-30, 1e-8, -1e-8, 1 + 2**-20, 30.0, -30.0),
    *(np.pi, np.pi / 2, 1e-12, 0.1),
)
EXTREME = (1e30, -1e30, 5e-324, -5e-324, 1e-40, 1e-310, 1e15, 1e8, -1e8, 700.0, -700.0)
"""Within float32's range or not: of 5e-324 float32 makes 0, which is an awkward number as well."""

Drawn = np.ndarray[Any, Any]


def _ordinary(rng: np.random.Generator, shape: tuple[int, ...], low: float, high: float) -> Drawn:
    return rng.uniform(low, high, shape)


def _integers(rng: np.random.Generator, shape: tuple[int, ...], low: float, high: float) -> Drawn:
    return np.clip(np.round(rng.uniform(low, high, shape)), low, high)


def _ties(rng: np.random.Generator, shape: tuple[int, ...], low: float, high: float) -> Drawn:
    return rng.choice(rng.uniform(low, high, 2), shape)


def _awkward(rng: np.random.Generator, shape: tuple[int, ...], low: float, high: float) -> Drawn:
    inside = [value for value in AWKWARD if low <= value <= high] or [low, high]
    return np.where(rng.uniform(size=shape) < 0.6, rng.choice(inside, shape), rng.uniform(low, high, shape))


def _extreme(rng: np.random.Generator, shape: tuple[int, ...], low: float, high: float) -> Drawn:
    """Far out, where the domain is all numbers: it is drawn symmetrically then; tiny numbers where 0 is inside."""
    inside = [value for value in EXTREME if low == -high or low <= value <= high] or [low, high]
    return np.where(rng.uniform(size=shape) < 0.4, rng.choice(inside, shape), rng.uniform(low, high, shape))


KINDS: dict[str, Callable[[np.random.Generator, tuple[int, ...], float, float], Drawn]] = {
    "ordinary": _ordinary, "integers": _integers, "ties": _ties, "awkward": _awkward, "extreme": _extreme,
}  # fmt: skip
_WEIGHTED = ("ordinary",) * 4 + ("awkward",) * 4 + ("integers", "ties", "ties", "extreme")


def draw(pick: Pick, seed: Any, shape: tuple[int, ...], dtype: str, low: float, high: float) -> Drawn:
    """Draw the entries of a variable between `low` and `high`; integers and booleans as the examples ask for them."""
    rng = np.random.default_rng(seed)
    if not dtype.startswith("float"):
        return np.asarray(rng.integers(int(low), max(int(high), int(low) + 1), shape)).astype(dtype)
    with np.errstate(all="ignore"):
        return np.asarray(KINDS[pick(_WEIGHTED)](rng, shape, low, high)).astype(dtype)
