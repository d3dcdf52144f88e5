"""Random points at which a graph is checked."""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import numpy as np
import sympy
from sympy.assumptions.assume import global_assumptions

from symback.check.binding import Sizes, bound_shape, size_symbols_of
from symback.graph import toposort
from symback.nodes.apply import Apply
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
    whole: AbstractSet[Node] = frozenset(),
) -> dict[Node, np.ndarray[Any, Any]]:
    """Draw a value for each variable: floats by `draw`, integers from 0 to 2, booleans evenly.

    `symbols` are what variables were in SymPy: a value is what its symbol assumes. Those in `whole` are integers.
    """
    values: dict[Node, np.ndarray[Any, Any]] = {}
    for variable in variables:
        shape = bound_shape("check_grad", variable.shape, sizes)
        kind = variable.dtype.kind
        drawn = draw(rng, shape) if kind == "f" else rng.integers(0, 2 if kind == "b" else 3, shape)
        drawn = np.rint(3 * drawn) if variable in whole else drawn
        assumed = _as_assumed(drawn, symbols.get(variable), definite=draw is not DRAWS[0])
        values[variable] = np.asarray(assumed).astype(variable.dtype)
    return values


def exponents_in(nodes: Sequence[Node]) -> set[Node]:
    """Return the variables of which exponents of matrices are made, so that they have to be integers."""
    exponents = [n for n in toposort(nodes) if isinstance(n, Apply) and n.operation.name == "integer_exponent"]
    return {node for node in toposort(exponents) if isinstance(node, Variable)}


def is_own_transpose(symbol: sympy.Basic) -> bool:
    """Is this a symbol for a symmetric matrix, by its class or by what SymPy assumes here and now?"""
    if not isinstance(symbol, sympy.MatrixSymbol):
        return False
    return bool(symbol == symbol.T) or (bool(global_assumptions) and sympy.ask(sympy.Q.symmetric(symbol)) is True)


def _as_assumed(drawn: Any, symbol: sympy.Basic | None, *, definite: bool) -> Any:
    """Move numbers to where a symbol is: among the integers, on one side of zero, equal across the diagonal.

    A symmetric matrix can be `definite`, as logarithms of determinants want it.
    """
    if symbol is None:
        return drawn
    if is_own_transpose(symbol):
        return drawn @ drawn.T + np.eye(len(drawn)) if definite else (drawn + drawn.T) / 2
    if symbol.is_integer:
        drawn = np.rint(3 * drawn)
        drawn = np.where((drawn == 0) & (symbol.is_zero is False), 1.0, drawn)
    if symbol.is_extended_nonnegative:
        return np.abs(drawn)
    return -np.abs(drawn) if symbol.is_extended_nonpositive else drawn
