"""A search for points at which something does go wrong: what analysis says can happen is then certain."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from symback.check.binding import bound_shape, size_symbols_of
from symback.check.domain.analysis import Found
from symback.check.domain.interval import Interval
from symback.check.evaluate import Evaluation
from symback.errors.kinds import SymbackError
from symback.graph import toposort
from symback.nodes.apply import Apply
from symback.nodes.leaves import Variable
from symback.nodes.node import Node
from symback.rewrite.conditions import Wanted

Array = np.ndarray[Any, Any]
Draw = Mapping[Variable, Any]

_MOST_NODE_VALUES = 30_000
_FEWEST_POINTS = 8
_MOST_POINTS = 96
_MOST_ENTRIES = 100_000


_ENDLESS = {"hyp1f1", "iv", "jv", "mills_fraction", "zeta"}
"""Functions that take steps without end at numbers of extreme size."""


class Witness(NamedTuple):
    """A point at which a node goes wrong.

    Attributes:
        point: The value of each variable, by name.
        sizes: The symbolic sizes there, by name.
    """

    point: dict[str, Array]
    sizes: dict[str, int]

    def __str__(self) -> str:
        sizes = [f"{name} = {size}" for name, size in self.sizes.items() if size == 0]
        values = [f"{name} = {_shown(value)}" for name, value in self.point.items() if value.size][:4]
        return ", ".join(values + sizes)


def _shown(value: Array) -> str:
    """Write an array in a few characters: one number if all entries are equal."""
    if value.size and (value == value.flat[0]).all():
        return f"{value.flat[0]:.6g}" if value.dtype.kind == "f" else str(value.flat[0])
    text = np.array2string(value, precision=4, separator=", ", threshold=6).replace("\n", "")
    return text if len(text) <= 60 else f"{text[:57]}..."


def search(
    outputs: Sequence[Node],
    found: Sequence[Found],
    intervals: Sequence[Mapping[Node, Interval]],
    sizes: Mapping[str, tuple[float, float]],
    conditions: Mapping[Node, Wanted],
    seed: int = 0,
) -> dict[Node, Witness]:
    """Return points at which some of the nodes that can go wrong do.

    Args:
        outputs: The graph.
        found: What can go wrong.
        intervals: Where the variables lie: at ordinary numbers, and anywhere.
        sizes: For symbolic sizes the least and the greatest.
        conditions: When each node is wanted: what goes wrong in a branch not taken does not count.
        seed: Of the random points.
    """
    order = toposort(outputs)
    if any(isinstance(node, Apply) and node.operation.name in _ENDLESS for node in order):
        intervals = [{x: _cut(interval) for x, interval in known.items()} for known in intervals]
        if any(x.is_empty for known in intervals for x in known.values()):
            return {}
    left = {one.node: one for one in found}
    witnesses: dict[Node, Witness] = {}
    most = min(_MOST_POINTS, max(_FEWEST_POINTS, _MOST_NODE_VALUES // max(len(order), 1)))
    points = _points(order, intervals, sizes, np.random.default_rng(seed))
    for _, (point, bound) in zip(range(most), points, strict=False):
        if not left:
            break
        values = _values(outputs, point, bound)
        if values is None:
            continue
        broken = any(not _is_fine(values[output]) for output in outputs)
        for node in [n for n, one in left.items() if _goes_wrong(one, values) and (broken or not conditions[n])]:
            names = {x.name: value for x, value in point.items()}
            witnesses[node] = Witness(names, {symbol.name: size for symbol, size in bound.items()})
            del left[node]
    return witnesses


def _cut(x: Interval) -> Interval:
    """Keep to numbers of moderate size."""
    return x.within(-20.0, 20.0)


def _values(outputs: Sequence[Node], point: Mapping[Node, Array], sizes: Mapping[Any, int]) -> dict[Node, Any] | None:
    """Return the values of all nodes; None where the oracle refuses, as for a singular matrix."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # NumPy says of empty axes what the report says
            return Evaluation(point, sizes=dict(sizes)).all_of(outputs)
    except (SymbackError, ArithmeticError, ValueError, IndexError, np.linalg.LinAlgError, ImportError):
        return None


def _is_fine(value: Any) -> bool:
    return bool(np.isfinite(np.asarray(value, dtype=float)).all())


def _goes_wrong(one: Found, values: Mapping[Node, Any]) -> bool:
    """Is a value not finite though all it is computed from is as it should be: finite, or infinite on purpose?"""
    value = np.asarray(values[one.node], dtype=float)
    if np.isfinite(value).all():
        return False
    if one.passed:
        return bool(((value == np.inf) & one.result.up | (value == -np.inf) & one.result.down).any())
    operands = [np.asarray(values[operand], dtype=float) for operand in one.node.operands]
    for operand, allowed in zip(operands, one.operands, strict=False):
        if np.isnan(operand).any() or ((operand == np.inf).any() and not allowed.up):
            return False
        if (operand == -np.inf).any() and not allowed.down:
            return False
    return all(np.isfinite(operand).all() for operand in operands) or bool(np.isnan(value).any())


def _points(
    order: Sequence[Node], intervals: Sequence[Mapping[Node, Interval]], sizes: Mapping[str, tuple[float, float]],
    rng: np.random.Generator,
) -> Iterator[tuple[dict[Node, Array], dict[Any, int]]]:  # fmt: skip
    """Yield values for the variables: all alike, one unlike the others, random ones; and with axes of no entries."""
    variables = [node for node in order if isinstance(node, Variable)]
    symbols = sorted({symbol for node in order for symbol in size_symbols_of(node)}, key=lambda symbol: symbol.name)
    plain = {s: _small(sizes.get(s.name, (0.0, np.inf)), 2 + k % 3) for k, s in enumerate(symbols)}
    empties = [{**plain, s: 0} for s in symbols if sizes.get(s.name, (0.0, 0.0))[0] == 0]
    for step in range(_MOST_POINTS):
        bound = empties[step % len(empties)] if empties and step % 5 == 4 else plain
        known = intervals[1 if step % 3 == 2 else 0]
        point: dict[Node, Array] = {}
        for place, x in enumerate(variables):
            shape = _shape(x, bound)
            if shape is None:
                return
            point[x] = _value(known[x], x, shape, step, place, len(variables), rng)
        yield point, bound


def _shape(x: Variable, sizes: Mapping[Any, int]) -> tuple[int, ...] | None:
    shape = bound_shape("verify", x.shape, dict(sizes))
    return shape if np.prod(shape, dtype=float) <= _MOST_ENTRIES and min(shape, default=0) >= 0 else None


def _small(ends: tuple[float, float], wish: int) -> int:
    return int(min(max(ends[0], wish), ends[1]))


_ROUNDS = 12


def _value(
    x: Interval, node: Variable, shape: tuple[int, ...], step: int, place: int, count: int, rng: np.random.Generator
) -> Array:
    """Return a value for one variable: in early steps one number all over, later mixtures."""
    candidates = _candidates(x, node)
    if step < _ROUNDS:
        drawn = np.full(shape, candidates[step % len(candidates)])
    elif step < _ROUNDS + 6 * count and (step - _ROUNDS) % count == place:
        drawn = np.full(shape, candidates[((step - _ROUNDS) // count) % len(candidates)])
    elif step % 2:
        drawn = _spread(x, shape, rng)
    else:
        drawn = rng.choice(candidates, shape)
    with np.errstate(all="ignore"):
        return np.asarray(drawn).astype(node.dtype)


def _candidates(x: Interval, node: Variable) -> list[float]:
    """Return the awkward numbers of an interval: 0, 1, -1 and its ends first."""
    if node.dtype.kind != "f":
        return [
            float(value) for value in (0, 1, 2, -1, x.low, x.high) if x.low <= value <= x.high and abs(value) < 2**53
        ] or [x.low]
    middle = (x.low / 2 + x.high / 2) if not x.is_empty else 0.0
    numbers = [0.0, x.low, x.high, 1.0, -1.0, middle, 0.5, 2.0, -100.0, 100.0, 1e-200, 1e200]
    inside = [value for value in numbers if x.low <= value <= x.high and abs(value) >= x.gap]
    return [*inside, *([np.inf] * x.up), *([-np.inf] * x.down)] or [x.low]


def _spread(x: Interval, shape: tuple[int, ...], rng: np.random.Generator) -> Any:
    """Draw numbers of all sizes within an interval."""
    if x.is_empty:
        return np.full(shape, np.inf if x.up else -np.inf)
    with np.errstate(all="ignore"):
        sizes = rng.choice([-1.0, 1.0], shape) * 10.0 ** rng.uniform(-4, np.log10(max(x.size, 1e-3)), shape)
        inside = np.where(
            (sizes >= x.low) & (sizes <= x.high), sizes, x.low + (x.high / 2 - x.low / 2) * 2 * rng.random(shape)
        )
    return np.clip(np.nan_to_num(inside), x.low, x.high)
