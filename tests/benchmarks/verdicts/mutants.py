"""Wrong gradients of graphs: what people get wrong, planted in a gradient or in the rules it is made by."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import symback as sb
from symback.errors.kinds import SymbackError
from symback.graph import toposort
from symback.nodes.apply import Apply
from symback.nodes.dtypes import is_float
from symback.nodes.node import Node
from symback.nodes.substitute import substitute
from symback.op.table import PRIMITIVES, Primitive, enter

from .settings import RedrawError, Setting, changes

LEAST = 1e-6
"""A mutant changes a gradient at the point by more than this, in parts of its largest entry."""

Mutation = Callable[[Node, np.random.Generator], Node]


@dataclass(frozen=True)
class Mutant:
    """A wrong gradient.

    Attributes:
        kind: What is wrong.
        gradient: The wrong gradient.
        changes: How much, at the point, for each variable in parts of its largest entry.
    """

    kind: str
    gradient: list[Node]
    changes: list[float]


def draw_mutant(setting: Setting, rng: np.random.Generator, number: int) -> Mutant:
    """Draw a mutant of the kind that is next; a kind that does not apply or changes too little gives way to another."""
    right = setting.gradient()
    if setting.is_at_a_kink(right):
        raise RedrawError("at a kink more than one gradient is right")
    if setting.is_rounding:
        raise RedrawError("the gradient is zero but for rounding")
    values = setting.values(right)
    kinds = list(MUTATIONS)
    for attempt in range(2 * len(kinds)):
        kind = kinds[(number + attempt) % len(kinds)]
        try:
            wrong = MUTATIONS[kind](setting, right, rng)
            sizes = changes(values, setting.values(wrong))
            if LEAST < max(sizes) < np.inf and rng.random() < 0.3:
                part = 10 ** rng.uniform(np.log10(1.01 * LEAST), 0) / max(sizes)
                wrong, sizes = _diluted(setting, right, wrong, part)
        except (RedrawError, SymbackError):  # shapes do not fit, a size is not known: no such mutant
            continue
        if all(s < np.inf for s in sizes) and max(sizes) > LEAST:
            return Mutant(kind, wrong, sizes)
    raise RedrawError("no mutation applies")


def _diluted(setting: Setting, right: list[Node], wrong: list[Node], part: float) -> tuple[list[Node], list[float]]:
    """Make a mistake as small as it may be: it lies in a term of little weight."""
    mixed = [r + part * (w - r) for r, w in zip(right, wrong, strict=True)]
    return mixed, changes(setting.values(right), setting.values(mixed))


def factor_near_one(rng: np.random.Generator) -> float:
    """Return 1 + k 1e-6 with k from just above 1 to a million, as often near as far, or less than one as more."""
    return 1 + float(rng.choice([-1, 1]) * 10 ** rng.uniform(np.log10(1.01 * LEAST), 0))


# -- of one array of the gradient ------------------------------------------------------------------------


def _factor(g: Node, rng: np.random.Generator) -> Node:
    return g * factor_near_one(rng)


def _sign(g: Node, rng: np.random.Generator) -> Node:
    return -g


def _transposed(g: Node, rng: np.random.Generator) -> Node:
    if g.ndim < 2 or g.shape[-1] != g.shape[-2] or g.shape[-1] == 1:
        raise RedrawError("no square matrix")
    return sb.swapaxes(g, -1, -2)


def _entry(g: Node, rng: np.random.Generator) -> Node:
    """A term is missing on one entry."""
    (place,) = _places(g, rng, 1)
    part = float(rng.choice([1.0, 0.5, 0.1]))
    return g - part * g * _indicator(g, place)


def _exchanged(g: Node, rng: np.random.Generator) -> Node:
    one, other = _places(g, rng, 2)
    flat = sb.reshape(g, (-1,))
    difference = flat[other] - flat[one]
    return g + difference * _indicator(g, one) - difference * _indicator(g, other)


def _missing_factor(g: Node, rng: np.random.Generator) -> Node:
    sizes = [n for n in map(int, g.shape) if n > 1] if all(isinstance(n, int) for n in g.shape) else []
    return g * float(rng.choice([2, 0.5, *sizes, *(1 / n for n in sizes)]))


def _broadcast(g: Node, rng: np.random.Generator) -> Node:
    """The cotangent is summed over an axis along which it should not be, and broadcast back."""
    axes = [k for k, n in enumerate(g.shape) if n != 1]
    if not axes:
        raise RedrawError("no axis")
    return 0 * g + sb.sum(g, axis=int(rng.choice(axes)), keepdims=True)


def _shifted(g: Node, rng: np.random.Generator) -> Node:
    if g.ndim == 0 or g.shape[0] == 1:
        raise RedrawError("no axis")
    return sb.concatenate([g[1:], g[:1]], axis=0)


def _places(g: Node, rng: np.random.Generator, count: int) -> list[int]:
    if not all(isinstance(n, int) for n in g.shape) or int(np.prod(g.shape)) < count:
        raise RedrawError("too few entries")
    return [int(k) for k in rng.choice(int(np.prod(g.shape)), count, replace=False)]


def _indicator(g: Node, place: int) -> Node:
    array = np.zeros(g.shape, g.dtype)
    array.flat[place] = 1
    return sb.constant(array)


def _of_one(mutation: Mutation) -> Callable[..., list[Node]]:
    def mutate(setting: Setting, right: Sequence[Node], rng: np.random.Generator) -> list[Node]:
        wrong = list(right)
        k = int(rng.integers(len(wrong)))
        wrong[k] = mutation(wrong[k], rng)
        return wrong

    return mutate


# -- of a node, or of a rule ------------------------------------------------------------------------------


def _node(setting: Setting, right: Sequence[Node], rng: np.random.Generator) -> list[Node]:
    """A node of the gradient's graph is wrong by a factor, a sign, or is transposed."""
    forward = set(toposort([setting.loss]))
    nodes = [n for n in toposort(right) if n not in forward and n.operands and is_float(n.dtype) and not n.is_weak]
    if not nodes:
        raise RedrawError("no node")
    node = nodes[rng.integers(len(nodes))]
    mutation = (_factor, _sign, _transposed, _entry)[rng.integers(4)]
    return [substitute(g, {node: mutation(node, rng)}) for g in right]


def _rule(setting: Setting, right: Sequence[Node], rng: np.random.Generator) -> list[Node]:
    """The declared derivative of a primitive is wrong by a factor, or lacks an operand's term."""
    declared = _applied(setting, rng, lambda d: d.derivative is not None or d.vjp is not None)
    factor = factor_near_one(rng) if rng.random() < 0.6 else -1.0
    position = int(rng.integers(3))

    def wrong(parts: Any) -> Any:
        listed = list(parts) if isinstance(parts, tuple) else [parts]
        k = position % len(listed)
        listed[k] = None if listed[k] is None else listed[k] * factor
        return tuple(listed) if isinstance(parts, tuple) else listed[0]

    derivative, vjp = declared.derivative, declared.vjp
    changed = replace(
        declared,
        derivative=derivative and (lambda *operands: wrong(derivative(*operands))),
        vjp=vjp and (lambda g, node: wrong(vjp(g, node))),
    )
    with declared_as(changed):
        return setting.gradient()


def _activation(setting: Setting, right: Sequence[Node], rng: np.random.Generator) -> list[Node]:
    """The derivative of an activation is a misremembered formula."""
    declared = _applied(setting, rng, lambda d: d.name in ACTIVATIONS)
    formulas = ACTIVATIONS[declared.name]
    with declared_as(replace(declared, derivative=formulas[rng.integers(len(formulas))])):
        return setting.gradient()


def _applied(setting: Setting, rng: np.random.Generator, wanted: Callable[[Primitive], bool]) -> Primitive:
    names = sorted({n.operation.name for n in toposort([setting.loss]) if isinstance(n, Apply)})
    found = [PRIMITIVES[name] for name in names if wanted(PRIMITIVES[name])]
    if not found:
        raise RedrawError("no such primitive")
    return found[rng.integers(len(found))]


@contextmanager
def declared_as(declared: Primitive) -> Iterator[None]:
    """Declare a primitive otherwise for a while."""
    right = PRIMITIVES[declared.name]
    enter(declared)
    try:
        yield
    finally:
        enter(right)


ACTIVATIONS: Mapping[str, tuple[Callable[..., Node], ...]] = {
    "tanh": (lambda y, x: (1 - y) ** 2, lambda y, x: 1 - x**2, lambda y, x: 1 - y),
    "sigmoid": (lambda y, x: x * (1 - x), lambda y, x: y, lambda y, x: y * (1 + y)),
    "softplus": (lambda y, x: sb.tanh(x), lambda y, x: sb.sigmoid(-x)),
    "relu": (lambda y, x: y, lambda y, x: sb.ones_like(x)),
    "sin": (lambda y, x: -sb.cos(x), lambda y, x: y),
    "cos": (lambda y, x: sb.sin(x),),
    "exp": (lambda y, x: x * y, lambda y, x: y - 1),
    "log": (lambda y, x: 1 / (x + 1e-3), lambda y, x: 1 / x**2),
    "sqrt": (lambda y, x: 1 / y, lambda y, x: -0.5 / y),
    "abs": (lambda y, x: sb.ones_like(x),),
    "arctan": (lambda y, x: 1 / (1 - x**2), lambda y, x: 1 / sb.sqrt(1 + x**2)),
    "square": (lambda y, x: x,),
}
"""Derivatives that are not those of these functions, from the result and the operand."""

MUTATIONS: Mapping[str, Callable[..., list[Node]]] = {
    "a factor 1 + k 1e-6": _of_one(_factor),
    "a sign": _of_one(_sign),
    "a transposed square matrix": _of_one(_transposed),
    "a term missing on one entry": _of_one(_entry),
    "two entries exchanged": _of_one(_exchanged),
    "a missing factor": _of_one(_missing_factor),
    "a wrong broadcast sum": _of_one(_broadcast),
    "a shift by one": _of_one(_shifted),
    "a wrong node": _node,
    "a wrong rule of a primitive": _rule,
    "a wrong activation derivative": _activation,
}
