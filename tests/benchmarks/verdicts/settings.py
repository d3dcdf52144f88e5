"""Losses at points: the whole registry, random programs, models and large graphs, at all scales and offsets."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

import symback as sb
from models_derived import MODELS
from random_graphs import SIZES, draw_program
from symback.check.arithmetic import WIDE, HighPrecision
from symback.check.binding import bound_shape, size_symbols_of
from symback.check.cases import DTYPES, Case, cases_of
from symback.check.evaluate import Evaluation, evaluate
from symback.check.sample import DRAWS, draw_values, small_sizes
from symback.graph import toposort
from symback.nodes.apply import Apply
from symback.nodes.dtypes import is_float
from symback.nodes.leaves import Variable
from symback.nodes.node import Node
from symback.nodes.substitute import substitute
from symback.op.table import PRIMITIVES

Array = np.ndarray[Any, Any]
Point = dict[Node, Array]

DIGITS = HighPrecision(40)


class RedrawError(Exception):
    """What was drawn will not do: another is drawn."""


@dataclass(frozen=True)
class Setting:
    """A loss at a point: what is differentiated.

    Attributes:
        source: Where it is from: a primitive, a program, a model.
        loss: The scalar.
        wrt: The variables; all are of a float dtype.
        point: A value for every variable.
        large: Whether it has 100,000 entries: it is not computed in many digits here.
    """

    source: str
    loss: Node
    wrt: tuple[Variable, ...]
    point: Point
    large: bool = False

    def gradient(self) -> list[Node]:
        """Return the symbolic gradient."""
        return list(sb.grad(self.loss, list(self.wrt), disconnected="zero"))

    def values(self, nodes: Sequence[Node]) -> list[Array]:
        """Return values in float64, whatever the dtypes."""
        return [np.asarray(value, dtype=np.float64) for value in evaluate(list(nodes), self.point, WIDE)]

    def numbers(self, nodes: Sequence[Node]) -> list[Array]:
        """Return what emitted code computes, in the dtypes of the graph."""
        inputs = list(self.point)
        with np.errstate(all="ignore"):
            return [np.asarray(v) for v in sb.lambdify(inputs, list(nodes))(*[self.point[x] for x in inputs])]

    @property
    def is_rounding(self) -> bool:
        """Whether a rounding error of the point changes the gradient beyond recognition: it is nothing but rounding."""
        rng = np.random.default_rng(0)
        gradient = self.gradient()
        moved = Evaluation({x: _nudged(value, rng) for x, value in self.point.items()}, WIDE)
        return not change(self.values(gradient), [np.asarray(value) for value in moved(gradient)]) < 1e-3

    @property
    def has_kinks(self) -> bool:
        """Whether a function with kinks is in the graph."""
        applied = {node.operation.name for node in toposort([self.loss]) if isinstance(node, Apply)}
        return any(PRIMITIVES[name].kinks for name in applied)

    def is_at_a_kink(self, gradient: Sequence[Node]) -> bool:
        """Does the gradient jump between two points on both sides, at a distance that no other number sees?"""
        if self.large or not self.has_kinks:
            return False
        rng = np.random.default_rng(0)
        exact = {x: DIGITS.array(v, x.dtype) for x, v in self.point.items()}
        along = {x: DIGITS.array(rng.uniform(0.5, 1.5, np.shape(self.point[x])), x.dtype) for x in self.wrt}
        step = DIGITS.context.mpf(10) ** -25
        sides = [
            evaluate(list(gradient), {**exact, **{x: exact[x] + s * step * along[x] for x in self.wrt}}, DIGITS)
            for s in (1, -1)
        ]
        ahead, behind = ([np.asarray(v).astype(np.float64) for v in side] for side in sides)
        return change(behind, ahead) > 1e-12


def changes(right: Sequence[Array], wrong: Sequence[Array]) -> list[float]:
    """Return by how much the gradient of each variable changes, in parts of its largest entry."""
    return [_change(r, w) if r.size else 0.0 for r, w in zip(right, wrong, strict=True)]


def change(right: Sequence[Array], wrong: Sequence[Array]) -> float:
    """Return the largest of these changes."""
    return max(changes(right, wrong), default=0.0)


def _change(right: Array, wrong: Array) -> float:
    moved, size = float(np.max(np.abs(wrong - right))), float(np.max(np.abs(right)))
    return moved / size if size else (float("inf") if moved else 0.0)


def _nudged(value: Array, rng: np.random.Generator) -> Array:
    if value.dtype.kind != "f":
        return value
    return value.astype(np.float64) * (1 + 1e-15 * rng.uniform(-1, 1, value.shape))


def draw_setting(rng: np.random.Generator, number: int) -> Setting:
    """Draw a setting; `number` goes through the registry and the models in turn."""
    large = number % 37 == 36
    families = (_primitive, _program, _primitive, _model)
    setting = _large(rng, number // 37) if large else families[number % 4](rng, number // 4 * 2 + number % 4 // 2)
    return _finite(setting if number % 5 == 4 else _moved(setting, rng))


def _finite(setting: Setting) -> Setting:
    if not setting.wrt:
        raise RedrawError("no variable")
    values = setting.values([setting.loss, *setting.gradient()])
    if not all(np.isfinite(value).all() for value in values):
        raise RedrawError("not finite")
    return setting


@cache
def _differentiable() -> list[tuple[str, str]]:
    return [
        (declared.name, dtype)
        for declared in PRIMITIVES.values()
        for dtype in DTYPES
        if any(_is_of_use(case) for case in cases_of(declared, dtype, 0))
    ]


def _is_of_use(case: Case) -> bool:
    declared = case.declared
    assert declared is not None
    known = declared.derivative is not None or declared.vjp is not None or not declared.differentiable
    return bool(case.wrt) and is_float(case.node.dtype) and known and all(np.size(case.point[x]) for x in case.wrt)


def _primitive(rng: np.random.Generator, number: int) -> Setting:
    pairs = _differentiable()
    name, dtype = pairs[number % len(pairs)]
    cases = [case for case in cases_of(PRIMITIVES[name], dtype, int(rng.integers(1000))) if _is_of_use(case)]
    case = cases[rng.integers(len(cases))]
    weights = sb.constant(rng.uniform(0.5, 1.5, case.node.shape).astype(case.node.dtype))
    loss = sb.sum(case.node * weights)
    if rng.random() < 0.3:
        loss = sb.sum(sb.sin(case.node) * weights)
    point: Point = dict(case.point)
    if PRIMITIVES[name].kinks and PRIMITIVES[name].kind == "elementwise" and rng.random() < 0.3:
        point = {x: np.round(v) if x in case.wrt else v for x, v in point.items()}
    return _of(f"primitive {name} {dtype}", loss, case.wrt, point)


def _program(rng: np.random.Generator, number: int) -> Setting:
    program = draw_program(random.Random(int(rng.integers(2**31))).choice)
    shapes = [bound_shape("point", x.shape, SIZES) for x in program.variables]
    point: Point = {
        x: np.asarray(rng.uniform(-1.5, 1.5, shape)).astype(x.dtype)
        for x, shape in zip(program.variables, shapes, strict=True)
    }
    return _of("program", program.loss(), program.variables, point)


def _model(rng: np.random.Generator, number: int) -> Setting:
    model = MODELS[number % len(MODELS)]
    loss, wrt = model()
    setting = Setting(model.__name__, loss, tuple(wrt), _drawn(loss, rng))
    return _with_fixed_sizes(setting) if rng.random() < 0.5 else setting


def _drawn(loss: Node, rng: np.random.Generator) -> Point:
    """Return a point at which the loss is finite."""
    variables = [node for node in toposort([loss]) if isinstance(node, Variable)]
    sizes = small_sizes([loss], {})
    for draw in DRAWS:
        point = draw_values(variables, sizes, rng, draw)
        if np.isfinite(evaluate(loss, point, WIDE)):
            return point
    raise RedrawError("no finite point")


def _with_fixed_sizes(setting: Setting) -> Setting:
    """Write the sizes of a point into the graph, so that constants fit its gradient."""
    sizes: dict[Any, Any] = {}
    for x, value in setting.point.items():
        sizes |= {str(s): n for s, n in zip(x.shape, np.shape(value), strict=True) if not isinstance(s, int)}
    known = {symbol.name for node in toposort([setting.loss]) for symbol in size_symbols_of(node)}
    sizes = {name: n for name, n in sizes.items() if name in known}
    loss = substitute(setting.loss, sizes)
    named = {node.name: node for node in toposort([loss]) if isinstance(node, Variable)}
    return Setting(
        setting.source, loss, tuple(named[x.name] for x in setting.wrt),
        {named[x.name]: value for x, value in setting.point.items() if x.name in named},
    )  # fmt: skip


def _of(source: str, loss: Node, wrt: Sequence[Variable], point: Point) -> Setting:
    """Keep the variables that the loss depends on."""
    reached = set(toposort([loss]))
    return Setting(
        source, loss, tuple(x for x in wrt if x in reached), {x: v for x, v in point.items() if x in reached}
    )


# -- scales and offsets ----------------------------------------------------------------------------------


def _moved(setting: Setting, rng: np.random.Generator) -> Setting:
    """Write x = s u - c for some variables and c L + d for the loss: the same function at other scales."""
    pairs: dict[Any, Any] = {}
    point: Point = dict(setting.point)
    chosen = [x for x in setting.wrt if rng.random() < 0.6]
    for x in chosen:
        factor = float(10 ** rng.uniform(-6, 6)) if rng.random() < 0.7 else 1.0
        most = float(np.max(np.abs(point[x]), initial=0.0))
        offset = float(rng.choice([-1, 1]) * most * 10 ** rng.uniform(0, 3)) if rng.random() < 0.4 else 0.0
        moved = x * factor - offset if offset else x * factor
        pairs[x] = moved
        point[x] = np.asarray((point[x].astype(np.float64) + offset) / factor).astype(x.dtype)
    loss = substitute(setting.loss, pairs) if pairs else setting.loss
    factor = float(10 ** rng.uniform(-6, 6)) if rng.random() < 0.6 else 1.0
    loss = loss * factor
    if rng.random() < 0.4:
        (value,) = replace(setting, loss=loss, point=point).values([loss])
        loss = loss + float(rng.choice([-1, 1]) * abs(value) * 10 ** rng.uniform(0, 4))
    return replace(setting, loss=loss, point=point)


# -- large graphs ----------------------------------------------------------------------------------------

Large = Callable[[np.random.Generator, str], tuple[Node, Point]]
ENTRIES = 100_000


def _large(rng: np.random.Generator, number: int) -> Setting:
    build = LARGE[number % len(LARGE)]
    dtype = DTYPES[number // len(LARGE) % 2]
    loss, drawn = build(rng, dtype)
    point = {x: np.asarray(value, dtype=x.dtype) for x, value in drawn.items()}
    wrt = [x for x in point if is_float(x.dtype) and x.name != "data"]
    return replace(_of(f"large {build.__name__.strip('_')} {dtype}", loss, wrt, point), large=True)


def _elementwise(rng: np.random.Generator, dtype: str) -> tuple[Node, Point]:
    x = sb.tensor("x", (ENTRIES,), dtype=dtype)
    function = (sb.tanh, sb.sigmoid, sb.exp, sb.softplus)[rng.integers(4)]
    return sb.sum(function(x) ** 2), {x: rng.standard_normal(ENTRIES)}


def _neighbours(rng: np.random.Generator, dtype: str) -> tuple[Node, Point]:
    x = sb.tensor("x", (ENTRIES,), dtype=dtype)
    return sb.sum((x[1:] - x[:-1] ** 2) ** 2) / ENTRIES, {x: rng.uniform(-1, 1, ENTRIES)}


def _network(rng: np.random.Generator, dtype: str) -> tuple[Node, Point]:
    W, b = sb.tensor("W", (250, 400), dtype=dtype), sb.tensor("b", (250,), dtype=dtype)
    data = sb.tensor("data", (400,), dtype=dtype)
    a = sb.let("a", sb.tanh(sb.let("z", W @ data + b)))
    return sb.sum(a**3) / 2, {W: rng.standard_normal((250, 400)) / 20, b: rng.standard_normal(250),
                              data: rng.standard_normal(400)}  # fmt: skip


def _square(rng: np.random.Generator, dtype: str) -> tuple[Node, Point]:
    A, data = sb.tensor("A", (316, 316), dtype=dtype), sb.tensor("data", (316,), dtype=dtype)
    return sb.sum(sb.sin(A @ data) * data) + sb.sum(A * A.T) / 2, {
        A: rng.standard_normal((316, 316)), data: rng.standard_normal(316) / 18,
    }  # fmt: skip


def _softmax(rng: np.random.Generator, dtype: str) -> tuple[Node, Point]:
    Z, data = sb.tensor("Z", (2000, 50), dtype=dtype), sb.tensor("data", (2000,), dtype="int64")
    return sb.cross_entropy(Z, data), {Z: 3 * rng.standard_normal((2000, 50)), data: rng.integers(0, 50, 2000)}


LARGE: tuple[Large, ...] = (_elementwise, _neighbours, _network, _square, _softmax)
