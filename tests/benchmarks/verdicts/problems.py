"""Plain functions at all scales and offsets, in float64 and float32, with right and wrong gradients."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from . import functions
from .functions import Array, Gradient, Problem
from .mutants import LEAST, factor_near_one
from .settings import ENTRIES, RedrawError, change


@dataclass(frozen=True)
class Claim:
    """A gradient that somebody claims of a plain function.

    Attributes:
        problem: The function and its right gradient.
        kind: What is wrong; empty if nothing is.
        gradient: The gradient that is claimed.
        change: How far it is from the right one at the point, in parts of the largest entry.
    """

    problem: Problem
    kind: str
    gradient: Gradient
    change: float


class _Draws:
    """A generator whose floats are of a dtype."""

    def __init__(self, rng: np.random.Generator, dtype: Any) -> None:
        self._rng, self._dtype = rng, dtype

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def draw(*arguments: Any) -> Any:
            drawn = np.asarray(getattr(self._rng, name)(*arguments))
            return drawn.astype(self._dtype)[()] if drawn.dtype.kind == "f" else drawn[()]

        return draw


def draw_problem(rng: np.random.Generator, number: int) -> Problem:
    """Draw a problem; `number` goes through the families in turn."""
    dtype = np.float32 if number % 5 == 4 else np.float64
    large = number % 37 == 36
    families = functions.LARGE_FAMILIES if large else functions.FAMILIES
    n = ENTRIES if large else int(rng.choice([1, 2, 3, 5, 10, 30, 60], p=[0.04, 0.1, 0.2, 0.26, 0.2, 0.1, 0.1]))
    family = families[(number // 37 if large else number) % len(families)]
    drawn: Any = _Draws(rng, dtype)
    problem = family(drawn, n)
    moved = _moved(problem, rng, dtype) if rng.random() < 0.8 else _of_dtype(problem, dtype)
    return replace(moved, source=f"{problem.source}, {problem.point.size} entries, {np.dtype(dtype).name}")


def _of_dtype(problem: Problem, dtype: Any) -> Problem:
    return _composed(problem, dtype, (1.0, 0.0), (1.0, 0.0), problem.point)


def _moved(problem: Problem, rng: np.random.Generator, dtype: Any) -> Problem:
    """Write x = s u - o and c f + d for the point and the function: the same function at other scales."""
    s = float(10 ** rng.uniform(-6, 6)) if rng.random() < 0.7 else 1.0
    most = float(np.max(np.abs(problem.point)))
    o = float(rng.choice([-1, 1]) * most * 10 ** rng.uniform(0, 3)) if rng.random() < 0.3 else 0.0
    c = float(10 ** rng.uniform(-6, 6)) if rng.random() < 0.7 else 1.0
    d = 0.0
    if rng.random() < 0.3:
        d = float(rng.choice([-1, 1]) * abs(c * float(problem.fun(problem.point))) * 10 ** rng.uniform(0, 4))
    point = (problem.point.astype(np.float64) + o) / s
    return _composed(problem, dtype, (s, o), (c, d), point)


def _composed(
    problem: Problem, dtype: Any, inner: tuple[float, float], outer: tuple[float, float], point: Array
) -> Problem:
    """Return c f(s u - o) + d, computed in a dtype throughout."""
    (s, o), (c, d) = inner, outer

    def place(u: Array) -> Array:
        return np.asarray(s * np.asarray(u, dtype=dtype) - o)

    def fun(u: Array) -> Any:
        with np.errstate(all="ignore"):
            return np.asarray(c * problem.fun(place(u)) + d).astype(dtype)[()]

    def scaled(gradient: Gradient) -> Gradient:
        return lambda u: np.asarray(c * s * gradient(place(u))).astype(dtype)

    mistakes = {kind: scaled(wrong) for kind, wrong in problem.mistakes.items()}
    return Problem(problem.source, fun, scaled(problem.gradient), mistakes, np.asarray(point, dtype=dtype))


def right_claim(problem: Problem) -> Claim:
    """Claim the right gradient."""
    if not np.isfinite(problem.gradient(problem.point)).all() or not np.isfinite(problem.fun(problem.point)):
        raise RedrawError("not finite")
    return Claim(problem, "", problem.gradient, 0.0)


def wrong_claim(problem: Problem, rng: np.random.Generator, number: int) -> Claim:
    """Draw a mistake of the family, or one that anyone makes; one that changes too little gives way to another."""
    right = right_claim(problem).gradient(problem.point)
    kinds = list(GENERIC) * (number % 2) + list(problem.mistakes) or list(GENERIC)
    first = int(rng.integers(len(kinds)))
    for kind in kinds[first:] + kinds[:first]:
        by_family = kind in problem.mistakes and (number % 2 == 0 or kind not in GENERIC or rng.random() < 0.5)
        wrong = problem.mistakes[kind] if by_family else _generic(problem.gradient, GENERIC[kind], rng)
        found = wrong(problem.point)
        if found.shape != right.shape or not np.isfinite(found).all():
            continue
        size = change([right.astype(np.float64)], [found.astype(np.float64)])
        if LEAST < size < np.inf:
            if rng.random() < 0.3:
                wrong = _diluted(problem.gradient, wrong, 10 ** rng.uniform(np.log10(1.01 * LEAST), 0) / size)
                size = change([right.astype(np.float64)], [wrong(problem.point).astype(np.float64)])
            if size > LEAST:
                return Claim(problem, kind, wrong, size)
    raise RedrawError("no mistake applies")


def _diluted(right: Gradient, wrong: Gradient, part: float) -> Gradient:
    """Make a mistake as small as it may be: it lies in a term of little weight."""
    return lambda u: np.asarray(right(u) + part * (wrong(u) - right(u))).astype(right(u).dtype)


def _generic(
    gradient: Gradient, mistake: Callable[[Array, np.random.Generator], Array], rng: np.random.Generator
) -> Gradient:
    seed = int(rng.integers(2**31))
    return lambda u: np.asarray(mistake(gradient(u), np.random.default_rng(seed))).astype(gradient(u).dtype)


def _entry(g: Array, rng: np.random.Generator) -> Array:
    g = g.copy()
    g[rng.integers(g.size)] *= rng.choice([0.0, 0.5, 0.9])
    return g


def _exchanged(g: Array, rng: np.random.Generator) -> Array:
    g = g.copy()
    one, other = rng.integers(g.size, size=2)
    g[[one, other]] = g[[other, one]]
    return g


GENERIC: dict[str, Callable[[Array, np.random.Generator], Array]] = {
    functions.FACTOR: lambda g, rng: g * factor_near_one(rng),
    functions.SIGN: lambda g, rng: -g,
    functions.ENTRY: _entry,
    functions.EXCHANGED: _exchanged,
    functions.MISSING: lambda g, rng: g * float(rng.choice([2, 0.5, g.size, 1 / g.size])),
    functions.SHIFT: lambda g, rng: np.roll(g, 1),
}
