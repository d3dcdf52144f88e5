"""Points where an operation has no derivative although the line runs through them smoothly."""

from typing import Any

import numpy as np

from symback.check.evaluate import Evaluation
from symback.graph import toposort
from symback.nodes.apply import Apply
from symback.nodes.node import Node

from .digits import CLOSER, HIGHER, STEPS, UNDEFINED, UNITS, Line, floats, not_smooth, numbers

_LINEAR = 1e-20
_TRIES = 6
"""How many directions are tried: along two of them that put ties in the same order slopes do add up."""
_EQUAL = 32
"""Units within which eigenvalues count as equal: code says NaN from 8 on."""


def bent_operations(line: Line) -> int:
    """Count the operations that are at a kink, or singular, in some direction, be it one that the line does not take.

    There the derivative is what the convention of that operation makes of it: NaN for singular vectors of equal
    singular values, which the loss may not depend on. The median of four equal numbers has no second difference, but
    slopes that do not add up.
    """
    here = line.values(HIGHER.context.mpf(0), HIGHER)
    evaluation = Evaluation(line.point, HIGHER)
    rng = np.random.default_rng(0)
    found = 0
    for node in toposort(line.roots, stops=line.held):
        floats = [operand for operand in node.operands if operand.dtype.kind == "f" and not operand.is_weak]
        if isinstance(node, Apply) and floats and node not in line.held:
            try:
                bent = any(_is_bent(node, here, evaluation, rng) for _ in range(_TRIES))
                found += bent or _chooses_here_alone(node, here)
            except UNDEFINED:
                found += 1
    return found


def _chooses_here_alone(node: Apply, here: Any) -> bool:
    """Is the condition a number that is zero here? Then another branch holds than beside the point."""
    number = node.operation.name == "where" and node.operands[0].dtype.kind == "f"
    return number and any(entry == 0 for entry in numbers(here[node.operands[0]]))


def _is_bent(node: Node, here: Any, evaluation: Evaluation, rng: np.random.Generator) -> bool:
    step = STEPS[HIGHER]
    one, other = (_direction(node, here, rng) for _ in range(2))
    both = [None if a is None else a + b for a, b in zip(one, other, strict=True)]

    def at(way: list[Any], distance: Any) -> Any:
        pairs = zip(node.operands, way, strict=True)
        moved = [here[o] if along is None else np.asarray(here[o] + distance * along) for o, along in pairs]
        return evaluation.value(node, moved, checked=False)

    near, far = ([at(one, sign * size) for sign in (-1, 0, 1)] for size in (step / CLOSER, step))
    noise = max((abs(x) for x in numbers(near[1]) if x == x), default=0) * HIGHER.context.mpf(10) ** -205
    if not_smooth(near, far, node, noise):
        return True
    if node.dtype.kind != "f":
        return False
    rises = [np.asarray(at(way, step / CLOSER)) - np.asarray(at(way, -step / CLOSER)) for way in (one, other, both)]
    return any(
        abs(a + b - c) > noise + (abs(a) + abs(b)) * _LINEAR for a, b, c in zip(*map(numbers, rises), strict=True)
    )


def _direction(node: Node, here: Any, rng: np.random.Generator) -> list[Any]:
    """Return a random direction for the operands that are floats, None for the others."""
    return [
        HIGHER.array(rng.choice((-1.0, 1.0), x.shape) * rng.uniform(0.5, 1.5, x.shape), operand.dtype)
        if operand.dtype.kind == "f" and not operand.is_weak else None
        for operand in node.operands for x in [np.asarray(here[operand])]
    ]  # fmt: skip


def has_equal_eigenvalues(node: Node, values: Any) -> bool:
    """Are two eigenvalues equal up to rounding, where their vectors are asked for?"""
    if not isinstance(node, Apply) or node.operation.name != "over_gaps":
        return False
    eigenvalues = floats(values[node.operands[1]])
    gaps = np.abs(eigenvalues[..., None, :] - eigenvalues[..., :, None]) + np.diag([np.inf] * eigenvalues.shape[-1])
    top = np.max(np.abs(eigenvalues), axis=-1, initial=0)[..., None, None]
    return bool(np.any(gaps <= _EQUAL * UNITS[node.dtype.name] * top))
