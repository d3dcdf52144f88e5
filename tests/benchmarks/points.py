"""Scalar programs with derivatives at many points: symback's straight-line code beside that of its peers."""

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
SYMENGINE, CASADI = "SymEngine LLVM", "CasADi"
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
    rows = in_a_list(outputs)
    if len(rows) > 1 and len(rows) * formula.wrt > _MOST_OUTPUTS:
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


def symengine_call(formula: Formula, points: list[np.ndarray]) -> Call:
    """Set up SymEngine: derivatives by `diff`, common subexpressions, and machine code where it was built with LLVM."""
    engine = installed("symengine")
    symbols = [engine.Symbol(name) for name in formula.names]
    names = SimpleNamespace(sin=engine.sin, cos=engine.cos, sqrt=engine.sqrt)
    rows = in_a_list(formula.program(names, *symbols))
    slopes = [row.diff(symbol) for row in rows for symbol in symbols[: formula.wrt]]
    function = engine.Lambdify(symbols, [*rows, *slopes], cse=True)
    given = np.ascontiguousarray(np.stack(points, axis=-1))
    return lambda: in_rows(np.split(function(given).T, [len(rows)]))


def casadi_call(formula: Formula, points: list[np.ndarray]) -> Call:
    """Set up CasADi: scalar expressions, its Jacobian, and its interpreter mapped over the points."""
    ca = installed("casadi")
    symbols = [ca.SX.sym(name) for name in formula.names]
    names = SimpleNamespace(sin=ca.sin, cos=ca.cos, sqrt=ca.sqrt)
    rows = ca.vertcat(*in_a_list(formula.program(names, *symbols)))
    slopes = ca.jacobian(rows, ca.vertcat(*symbols[: formula.wrt]))
    one = ca.Function("f", [ca.vertcat(*symbols)], [ca.vertcat(rows, ca.vec(slopes.T))])
    mapped, given = one.map(points[0].size), ca.DM(np.stack(points))
    return lambda: in_rows(np.split(np.asarray(mapped(given)), [rows.shape[0]]))


def in_a_list(outputs: Any) -> list[Any]:
    """Return several outputs as they are, and one in a list."""
    return outputs if isinstance(outputs, list) else [outputs]


def contest(formula: Formula, count: int) -> Contest:
    """Return the contest of one program; ratios refer to symback."""
    points = points_of(formula, count)
    builds = {
        SYMBACK: symback_call, SYMPY: sympy_call, JAX: jax_call, SYMENGINE: symengine_call, CASADI: casadi_call,
    }  # fmt: skip
    built = {name: partial(build, formula, points) for name, build in builds.items()}
    return Contest(f"{formula.name}, {count} points", built, tolerance=1e-9)
