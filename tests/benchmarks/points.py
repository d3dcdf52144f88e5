"""Scalar programs with derivatives at many points: symback's straight-line code, SymPy's lambdify, JAX."""

from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import sympy

import symback as sb

from .contest import AbsentError, Call, Contest
from .peers import installed
from .robots import Formula, inverse_dynamics, points_of, reprojection, speelpenning

SYMPY, SYMBACK, JAX = "SymPy lambdify cse", "symback", "JAX jit"
_MOST_ROWS = 110
_MOST_OUTPUTS = 40
"""Jacobians of more entries of programs of this kind are beyond `sympy.diff`."""


def formulas(scale: str) -> list[tuple[Formula, int]]:
    """Return the programs, with how many points."""
    if scale == "tiny":
        return [(speelpenning(4), 50), (reprojection(), 50)]
    return [(one, 100_000) for one in (speelpenning(10), speelpenning(100), reprojection(), inverse_dynamics())]


def expressions(formula: Formula) -> tuple[Any, Any]:
    """Return the symbols, and the program in SymPy."""
    symbols = sympy.symbols(list(formula.names))
    return symbols, formula.program(sympy, *symbols)


def symback_call(formula: Formula, points: list[np.ndarray]) -> Call:
    """Set up symback."""
    symbols, outputs = expressions(formula)
    function = sb.scalar_function(symbols, outputs, wrt=symbols[: formula.wrt])
    return lambda: in_rows(function(*points))


def in_rows(found: Any) -> list[np.ndarray]:
    """Return values and derivatives one by one, each at all points, or whole if they are many; nothing is copied."""
    arrays = [np.asarray(part).reshape(-1, np.shape(part)[-1]) for part in found]
    few = sum(map(len, arrays)) <= _MOST_ROWS
    return [row for array in arrays for row in array] if few else arrays


def sympy_call(formula: Formula, points: list[np.ndarray]) -> Call:
    """Set up SymPy: derivatives by `diff`, and the code that finds common subexpressions."""
    symbols, outputs = expressions(formula)
    several = isinstance(outputs, list)
    rows = outputs if several else [outputs]
    if several and len(rows) * formula.wrt > _MOST_OUTPUTS:
        raise AbsentError("the derivatives are too large for sympy.diff")
    slopes = [sympy.diff(row, symbol) for row in rows for symbol in symbols[: formula.wrt]]
    function = sympy.lambdify(symbols, [*rows, *slopes], cse=True)
    return lambda: [np.broadcast_to(found, points[0].shape) for found in function(*points)]


def jax_call(formula: Formula, points: list[np.ndarray]) -> Call:
    """Set up JAX: one point, mapped over all of them and compiled."""
    jax, jnp = installed("jax"), installed("jax.numpy")
    jax.config.update("jax_enable_x64", True)
    names = SimpleNamespace(sin=jnp.sin, cos=jnp.cos, sqrt=jnp.sqrt)
    _, outputs = expressions(formula)

    def values(moving: Any, still: Any) -> Any:
        return formula.program(names, *moving, *still)

    def several(moving: Any, still: Any) -> Any:
        def twice(given: Any) -> Any:
            stacked = jnp.stack(values(given, still))
            return stacked, stacked

        slopes, found = jax.jacrev(twice, has_aux=True)(moving)
        return found, slopes

    one = several if isinstance(outputs, list) else jax.value_and_grad(values)
    mapped = jax.jit(jax.vmap(one, in_axes=(1, 1), out_axes=-1))
    given = jnp.stack(points[: formula.wrt])
    still = jnp.stack(points[formula.wrt :]) if len(points) > formula.wrt else jnp.zeros((0, points[0].size))
    return lambda: in_rows(jax.block_until_ready(mapped(given, still)))


def contest(formula: Formula, count: int) -> Contest:
    """Return the contest of one program; ratios refer to symback."""
    points = points_of(formula, count)
    builds = {SYMBACK: symback_call, SYMPY: sympy_call, JAX: jax_call}
    built = {name: partial(build, formula, points) for name, build in builds.items()}
    return Contest(f"{formula.name}, {count} points", built, tolerance=1e-9)
