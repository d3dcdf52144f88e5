"""Points where an operation has no derivative although the line runs through them smoothly."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from symback.check.evaluate import Evaluation
from symback.graph import toposort
from symback.nodes.apply import Apply
from symback.nodes.node import Node

from .digits import CLOSER, HIGHER, STEPS, UNDEFINED, UNITS, Line, floats, not_smooth, numbers

_EQUAL = 32
"""Units within which eigenvalues count as equal: code says NaN from 8 on."""


def runs_along_kink(line: Line) -> bool:
    """Is some operation at a kink, or singular, in a direction that the line does not take?

    Then the derivative is what the convention of that operation makes of it: NaN for singular vectors of equal
    singular values, which the loss may not depend on.
    """
    here = line.values(HIGHER.context.mpf(0), HIGHER)
    evaluation = Evaluation(line.point, HIGHER)
    rng = np.random.default_rng(0)
    for node in toposort(line.roots, stops=line.held):
        floats = [operand for operand in node.operands if operand.dtype.kind == "f" and not operand.is_weak]
        if isinstance(node, Apply) and floats:
            try:
                columns = list(_nearby(node, here, evaluation, rng))
            except UNDEFINED:
                return True
            noise = max((abs(x) for x in numbers(columns[1]) if x == x), default=0) * HIGHER.context.mpf(10) ** -205
            if not_smooth(columns[:3], columns[3:], node, noise):
                return True
    return False


def _nearby(node: Node, here: Any, evaluation: Evaluation, rng: np.random.Generator) -> Iterator[Any]:
    """Yield the values of an operation beside the point, its operands moved at random: three near, three far."""
    along = [
        HIGHER.array(rng.choice((-1.0, 1.0), x.shape) * rng.uniform(0.5, 1.5, x.shape), operand.dtype)
        if operand.dtype.kind == "f" and not operand.is_weak else None
        for operand in node.operands for x in [np.asarray(here[operand])]
    ]  # fmt: skip
    for step in (STEPS[HIGHER] / CLOSER, STEPS[HIGHER]):
        for sign in (-1, 0, 1):
            pairs = zip(node.operands, along, strict=True)
            moved = [here[o] if way is None else np.asarray(here[o] + sign * step * way) for o, way in pairs]
            yield evaluation.value(node, moved, checked=False)


def has_equal_eigenvalues(node: Node, values: Any) -> bool:
    """Are two eigenvalues equal up to rounding, where their vectors are asked for?"""
    if not isinstance(node, Apply) or node.operation.name != "over_gaps":
        return False
    eigenvalues = floats(values[node.operands[1]])
    gaps = np.abs(eigenvalues[..., None, :] - eigenvalues[..., :, None]) + np.diag([np.inf] * eigenvalues.shape[-1])
    top = np.max(np.abs(eigenvalues), axis=-1, initial=0)[..., None, None]
    return bool(np.any(gaps <= _EQUAL * UNITS[node.dtype.name] * top))
