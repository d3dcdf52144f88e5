"""Rows of docs/conventions.md as data: a graph, a point, and what must come out of it and of its derivatives there.

Each row is run through emitted code and through the oracle, in reverse mode and, for scalars, in forward mode. Where
all that is wanted is finite, emitted code must not signal overflow, a division by zero or an invalid operation.
"""

import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

import numpy as np

import symback as sb
from symback.structure import leaves_of, refill

NAN, INF = float("nan"), float("inf")

EXACT = 1e-14
"""How far results may be off, in parts of each wanted entry: full precision but for some rounding."""

TESTED: set[str] = set()
"""The numbers of all rows that have a test."""


class Either(tuple[Any, ...]):
    """One of several results, where the row leaves a choice."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row: `build` makes a graph from variables of the shapes and dtypes of the values `at`; the loss is its sum.

    None stands for what the row says nothing of; of several variables `gradient` and `second` are lists.
    `second` is the gradient of the sum of the gradient: for a function applied entry by entry its second derivative.
    `signals` says that the graph as written computes a branch that is not taken where it does not exist; `scale`
    that errors are in parts of it, as where entries come out of a decomposition and zeros are sums that cancel.
    """

    number: str
    case: str
    build: Callable[..., Any]
    at: tuple[Any, ...]
    value: Any = None
    gradient: Any = None
    second: Any = None
    hessian: Any = None
    signals: bool = False
    scale: float = 0.0
    naive: bool = False
    tails: str = "absolute"

    def __str__(self) -> str:
        return f"{self.number}: {self.case}"

    def wanted(self) -> dict[str, Any]:
        """What the row says something of, by name."""
        results = {name: getattr(self, name) for name in ("value", "gradient", "second", "hessian")}
        if not np.shape(self.at[0]) and len(self.at) == 1:
            results["tangent"] = self.gradient
        return {name: wanted for name, wanted in results.items() if wanted is not None}


def row(number: str, case: str, build: Callable[..., Any], *at: Any, **wanted: Any) -> Row:
    """Return a row, and enter its number."""
    TESTED.add(number)
    return Row(number=number, case=case, build=build, at=tuple(map(as_float, at)), **wanted)


def convention(*numbers: str) -> Callable[[Any], Any]:
    """Enter the rows that a test function is about."""
    TESTED.update(numbers)
    return lambda function: function


def as_float(value: Any) -> Any:
    """Make floats of Python's numbers; arrays keep their dtype."""
    return value if isinstance(value, (np.ndarray, np.generic)) else np.asarray(value, dtype=np.float64)


def variables_at(at: Iterable[Any]) -> list[Any]:
    """Return a variable for each value."""
    return [sb.tensor(f"x{k}", value.shape, dtype=value.dtype.name) for k, value in enumerate(at)]


def derivatives(found: Row) -> tuple[list[Any], dict[str, Any]]:
    """Return the variables of a row, and the graphs of what it speaks of."""
    variables = variables_at(found.at)
    node = found.build(*variables)
    loss = sb.sum(node)
    wanted = found.wanted()
    graphs: dict[str, Any] = {"value": node}
    if wanted.keys() & {"gradient", "second"}:
        graphs["gradient"] = sb.grad(loss, variables)
    if "second" in wanted:
        total = reduce(add, [sb.sum(gradient) for gradient in graphs["gradient"]])
        graphs["second"] = sb.grad(total, variables, disconnected="zero")
    if "hessian" in wanted:
        graphs["hessian"] = sb.hessian(loss, variables[0])
    if "tangent" in wanted:
        (graphs["tangent"],) = sb.jvp([loss], variables, [sb.ones_like(variables[0])])
    return variables, {name: graphs[name] for name in wanted}


REWRITTEN = {"absolute": sb.STABILISE, "relative": [*sb.STABILISE, *sb.TAILS, *sb.SIMPLIFY]}


def check(found: Row) -> None:
    """Hold emitted code and the oracle against what the row wants."""
    variables, graphs = derivatives(found)
    emitted = sb.lambdify(variables, graphs, tails=found.tails)
    signals = "raise" if is_finite(found.wanted()) and not found.signals else "ignore"
    with warnings.catch_warnings(), np.errstate(over=signals, divide=signals, invalid=signals, under="ignore"):
        warnings.simplefilter("error" if signals == "raise" else "ignore")
        results = emitted(*found.at)
    agree(found, results, f"emitted code\n{emitted.source.rpartition('@checked')[2]}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of NumPy's own, about empty arrays
        meant = sb.rewrite(leaves_of(graphs), REWRITTEN[found.tails] if found.naive else [])
        values = sb.evaluate(meant, dict(zip(variables, found.at, strict=True)))
    agree(found, refill(graphs, values), "the oracle")


def agree(found: Row, results: dict[str, Any], where: str) -> None:
    """Compare results by name with what the row wants."""
    for name, wanted in found.wanted().items():
        result = results[name]
        if isinstance(result, list) and len(found.at) == 1:
            (result,) = result
        choices = wanted if isinstance(wanted, Either) else (wanted,)
        several = isinstance(result, list)
        assert any(same(result, choice, scale=found.scale, several=several) for choice in choices), (
            f"row {found}: {name} is {result!r}, wanted {wanted!r} by {where}"
        )


def same(result: Any, wanted: Any, *, scale: float = 0.0, several: bool = False) -> bool:
    """Is a result what is wanted, NaN and signs of infinity included? What is None is not asked for."""
    if several:
        return all(one is None or same(value, one, scale=scale) for value, one in zip(result, wanted, strict=True))
    result, wanted = np.asarray(result), np.asarray(wanted)
    if result.shape != wanted.shape:
        return False
    allowed = precision(result.dtype)
    return bool(np.allclose(result, wanted, rtol=allowed, atol=scale * allowed, equal_nan=True))


def precision(dtype: Any) -> float:
    """Return how far a result of a dtype may be off."""
    return EXACT if dtype.kind != "f" else EXACT * float(np.finfo(dtype).eps / np.finfo(float).eps)


def is_finite(wanted: dict[str, Any]) -> bool:
    """Is everything that is wanted finite?"""
    leaves = [leaf for value in wanted.values() for leaf in (value if isinstance(value, (tuple, list)) else [value])]
    return all(np.all(np.isfinite(np.asarray(leaf, dtype=float))) for leaf in leaves if leaf is not None)
