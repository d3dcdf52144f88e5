"""Random points at which a graph is checked."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from symback.check.binding import Sizes, bound_shape, size_symbols_of
from symback.graph import toposort
from symback.nodes.leaves import Variable
from symback.nodes.node import Node

Draw = Callable[[np.random.Generator, tuple[int, ...]], Any]

DRAWS: tuple[Draw, ...] = (
    lambda rng, shape: rng.standard_normal(shape),
    lambda rng, shape: rng.uniform(0.2, 1.5, shape),
    lambda rng, shape: rng.uniform(-0.7, 0.7, shape),
    lambda rng, shape: rng.uniform(1.2, 3.0, shape),
)
"""Where to look for a point at which a loss is finite: everywhere, then where logarithms, inverse sines … are real."""


def small_sizes(nodes: Sequence[Node], known: Sizes) -> Sizes:
    """Return a small size for each symbolic one, all distinct, so that axes cannot be confused."""
    symbols = {symbol for node in toposort(nodes) for symbol in size_symbols_of(node)}
    sizes = dict(known)
    free = (size for size in range(2, 2 + len(symbols) + len(known)) if size not in known.values())
    for symbol in sorted(symbols - known.keys(), key=lambda s: s.name):
        sizes[symbol] = next(free)
    return sizes


def draw_values(
    variables: Sequence[Variable], sizes: Sizes, rng: np.random.Generator, draw: Draw
) -> dict[Node, np.ndarray[Any, Any]]:
    """Draw a value for each variable: floats by `draw`, integers from 0 to 2, booleans evenly."""
    values: dict[Node, np.ndarray[Any, Any]] = {}
    for variable in variables:
        shape = bound_shape("check_grad", variable.shape, sizes)
        kind = variable.dtype.kind
        drawn = draw(rng, shape) if kind == "f" else rng.integers(0, 2 if kind == "b" else 3, shape)
        values[variable] = np.asarray(drawn).astype(variable.dtype)
    return values
