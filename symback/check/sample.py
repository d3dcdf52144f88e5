"""Random points at which a graph is checked."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import sympy

from symback.check.binding import Sizes, bound_shape, size_symbols_of
from symback.graph import toposort
from symback.nodes.leaves import Variable
from symback.nodes.node import Node

Draw = Callable[[np.random.Generator, tuple[int, ...]], Any]

NO_SYMBOLS: Mapping[Variable, sympy.Basic] = {}

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
    variables: Sequence[Variable],
    sizes: Sizes,
    rng: np.random.Generator,
    draw: Draw,
    symbols: Mapping[Variable, sympy.Basic] = NO_SYMBOLS,
) -> dict[Node, np.ndarray[Any, Any]]:
    """Draw a value for each variable: floats by `draw`, integers from 0 to 2, booleans evenly.

    `symbols` are what variables were in SymPy: a value is what its symbol assumes.
    """
    values: dict[Node, np.ndarray[Any, Any]] = {}
    for variable in variables:
        shape = bound_shape("check_grad", variable.shape, sizes)
        kind = variable.dtype.kind
        drawn = draw(rng, shape) if kind == "f" else rng.integers(0, 2 if kind == "b" else 3, shape)
        values[variable] = np.asarray(_as_assumed(drawn, symbols.get(variable))).astype(variable.dtype)
    return values


def _as_assumed(drawn: Any, symbol: sympy.Basic | None) -> Any:
    """Move numbers to where a symbol is: among the integers, on one side of zero."""
    if symbol is None:
        return drawn
    if symbol.is_integer:
        drawn = np.rint(3 * drawn)
        drawn = np.where((drawn == 0) & (symbol.is_zero is False), 1.0, drawn)
    if symbol.is_extended_nonnegative:
        return np.abs(drawn)
    return -np.abs(drawn) if symbol.is_extended_nonpositive else drawn
