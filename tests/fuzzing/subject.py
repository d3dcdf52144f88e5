"""A random graph under check: its derivatives and their values in digits, each made once."""

from functools import cached_property
from typing import Any

import numpy as np

import symback as sb
from symback.check.arithmetic import WIDE
from symback.check.evaluate import Evaluation
from symback.nodes.node import Node

from .digits import HIGHER, Excluded, values_at
from .graphs import Graph


class Wrong(Exception):  # noqa: N818
    """What a check found."""


class Subject:
    """A graph with its derivatives and their values, each made once."""

    def __init__(self, graph: Graph, seed: int) -> None:
        self.graph = graph
        self.rng = np.random.default_rng([seed, 1])

    @cached_property
    def gradients(self) -> list[Node]:
        """The gradient by each variable."""
        return list(sb.grad(self.graph.loss, self.graph.wrt, disconnected="zero")) if self.graph.wrt else []

    @cached_property
    def outputs(self) -> list[Node]:
        """What code is emitted for: loss, gradient and the last results."""
        return [self.graph.loss, *self.gradients, *self.graph.nodes[-3:]]

    @cached_property
    def is_finite(self) -> bool:
        """Is every intermediate result of the loss finite in float64? Only then it is evaluated in digits.

        In digits nothing overflows, and towers of exponentials never end.
        """
        point = {x: self.graph.point[x] for x in self.graph.variables}
        values = Evaluation(point, WIDE).all_of([self.graph.loss, *self.graph.nodes[-3:]])
        return all(np.all(np.isfinite(np.asarray(value))) for value in values.values())

    @cached_property
    def digits(self) -> dict[Node, Any]:
        """The values of all outputs and of all they are made of, in digits."""
        if not self.is_finite:
            raise Excluded("not finite")
        return values_at(self.graph.point, self.outputs)

    @cached_property
    def direction(self) -> dict[Node, Any]:
        """Plus or minus 1 for each entry, or plus or minus the entry itself where that is larger, or by chance."""
        found: dict[Node, Any] = {}
        for x in self.graph.wrt:
            size = np.abs(self.graph.point[x].astype(float))
            own = (size > 1) | ((size > 0) & (self.rng.uniform(size=x_shape(size)) < 0.5))
            signs = self.rng.choice((-1.0, 1.0), x_shape(size))
            found[x] = HIGHER.array(np.where(own, size, 1.0) * signs, x.dtype)
        return found


def x_shape(array: Any) -> tuple[int, ...]:
    """Return the shape of an array."""
    return tuple(np.shape(array))
