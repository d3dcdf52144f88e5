"""What is checked: a function of one variable at a point, with a claimed gradient."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from symback.nodes.dtypes import is_float
from symback.nodes.node import Node

Array = np.ndarray[Any, Any]

_UNCONVERGED = 1e-7


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the methods are asked for.

    Attributes:
        seed: Of the random directions.
        max_entries: Up to how many entries a variable is checked entry by entry.
        directions: How many random directions are taken through a larger one.
    """

    seed: int = 0
    max_entries: int = 200
    directions: int = 20

    def generator(self, subject: "Subject") -> np.random.Generator:
        """Return the source of directions for one variable."""
        return np.random.default_rng([self.seed, subject.position])


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A scalar function of one variable at a point, with what claims to be its gradient there.

    Attributes:
        name: The variable, or a few words for an intermediate node.
        point: Its value, in float64.
        claimed: The gradient as numbers, in the dtype in which they were computed, of the shape of the point.
        fun: The function of the variable alone, in float64; nothing else moves, and what `stop_gradient` returns stays.
        position: Which of the variables of one check it is.
        given: Whether the gradient was given from outside, as numbers alone.
        node: The variable in the graph, if there is one.
        graph: The graph, for the methods that take graphs (`symback.check.ladder.graph.graph_behind`).
        precision: The distance from 1 to the next number in the arithmetic of `fun`.
        noise: How far the gradient moves when the point moves by a rounding error of the given unit.
        formula: The gradient at other values of the variable; None if it was given as numbers.
        symmetric: Whether mirror images among the entries move together, as the function takes symmetric matrices.
    """

    name: str
    point: Array
    claimed: Array
    fun: Callable[[Array], Any]
    position: int = 0
    given: bool = True
    node: Node | None = None
    graph: object = None
    precision: float = float(np.finfo(np.float64).eps)
    noise: Callable[[float], float] = lambda unit: 0.0
    formula: Callable[[Array], Array] | None = None
    symmetric: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the variable."""
        return tuple(self.point.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the numbers that are judged; integers count as float64."""
        return self.claimed.dtype if is_float(self.claimed.dtype) else np.dtype(np.float64)

    @property
    def unit(self) -> float:
        """The distance from 1 to the next number of that dtype."""
        return float(np.finfo(self.dtype).eps)

    @cached_property
    def scale(self) -> float:
        """The largest claimed derivative; NaN does not count."""
        sizes = np.abs(self.claimed.astype(np.float64))
        return float(np.max(sizes, where=np.isfinite(sizes), initial=0.0))

    @cached_property
    def size(self) -> float:
        """The size of the function over that of the point: what a derivative that is zero is measured by."""
        length = max(1.0, float(np.max(np.abs(self.point), initial=0.0)))
        value = abs(float(np.asarray(self.fun(self.point))))
        if value == 0:  # as x**2 is at 0
            away = np.random.default_rng(0).choice([-length, length], self.shape)
            value = max(abs(float(np.asarray(self.fun(self.point + side * away)))) for side in (1, -1))
        return value / length if np.isfinite(value) else 0.0

    @property
    def tolerated(self) -> float:
        """What is no mistake in a gradient of a plain function: a solver in it may stop a little before the end."""
        return _UNCONVERGED * self.scale if self.graph is None else 0.0

    @property
    def resolution(self) -> float:
        """The smallest error, in parts of the largest derivative, that a verdict must be able to see."""
        return max(1e-6, 64 * self.unit, 4 * float(np.sqrt(self.precision)))

    @cached_property
    def rounding(self) -> float:
        """What rounding may have done to a claimed entry: units of its dtype, and what a point moved by one does."""
        return 32 * self.unit * self.scale + 8 * self.noise(self.unit)
