"""A loss as a graph at its point, in any arithmetic: where the subjects of a check come from."""

from collections.abc import Callable, Collection, Sequence
from fractions import Fraction
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from symback.check.arithmetic import NUMPY, WIDE, Arithmetic, HighPrecision, has_digits
from symback.check.binding import resolve
from symback.check.evaluate import Evaluation, stopped
from symback.check.ladder.subject import Array, Subject
from symback.check.ladder.symmetric import is_to_stay_symmetric
from symback.derive.paths import fresh_names
from symback.graph import replaced, toposort
from symback.nodes.apply import Apply, Map
from symback.nodes.contract import Contract
from symback.nodes.dtypes import is_float
from symback.nodes.leaves import Exact, exact, variable
from symback.nodes.node import Node
from symback.op.table import primitive_of

DIGITS = 50
"""The digits of the first attempt."""

_AFFORDABLE = 1.5e6
_PER_FUNCTION = 30.0
_ROUNDED_BITS = 40


class Calculus(NamedTuple):
    """How graphs are differentiated: made by the entry point, which alone knows the passes.

    Attributes:
        grad: From a scalar and variables to its gradients.
        inner: From two arrays to their inner product.
        jvp: From outputs, variables and tangents to the derivative along them.
    """

    grad: Callable[[Node, Sequence[Node]], list[Node]]
    inner: Callable[[Node, Node], Node]
    jvp: Callable[[Sequence[Node], Sequence[Node], Sequence[Node]], list[Node]]


class Graph:
    """A loss as a graph, with its point; what several methods need is evaluated once.

    Attributes:
        loss: The scalar.
        wrt: What it is differentiated by: variables or intermediate nodes.
        gradients: The symbolic gradient; None if the loss has none and numbers were given.
        point: A value for each variable.
        calculus: How to differentiate more; None where no method needs it.
        stops: The nodes whose value is held, because derivatives take them as constant.
    """

    def __init__(
        self,
        loss: Node,
        wrt: Sequence[Node],
        gradients: Sequence[Node] | None,
        point: dict[Node, Array],
        calculus: Calculus | None = None,
        stops: Collection[Node] | None = None,
    ) -> None:
        """Take a loss; without `stops` what its own `stop_gradient` returns is held."""
        self.loss = loss
        self.wrt = list(wrt)
        self.gradients = None if gradients is None else list(gradients)
        self.point = point
        self.calculus = calculus
        self.stops = set(stopped(loss) if stops is None else stops)
        self._views: dict[int, View] = {}
        self._near: list[Any] | None = None

    @property
    def roots(self) -> list[Node]:
        """Everything that is evaluated."""
        return [self.loss, *self.wrt, *(self.gradients or [])]

    @cached_property
    def wide(self) -> "View":
        """The graph in float64."""
        return View(self, WIDE)

    @cached_property
    def plain(self) -> "View":
        """The graph in the dtypes it declares."""
        return View(self, NUMPY)

    def view(self, digits: int = DIGITS) -> "View":
        """Return the graph in a number of decimal digits."""
        if digits not in self._views:
            self._views[digits] = View(self, HighPrecision(digits))
        return self._views[digits]

    def sampler(self, node: Node) -> Callable[[Array, Array | None, int, int], tuple[Any, list[Any]]]:
        """Return what samples the loss along lines through the value of a node (see `slopes.Sample`)."""
        functions: dict[int, Callable[[Any], Any]] = {}

        def sample(direction: Array, beside: Array | None, digits: int, exponent: int) -> tuple[Any, list[Any]]:
            view = self.view(digits)
            if digits not in functions:
                functions[digits] = view.function(node)
            function = functions[digits]
            step = view.arithmetic.number(10) ** -exponent
            point, moved = view.value(node), view.arithmetic.array(direction, node.dtype)
            if beside is not None:
                point = point + view.arithmetic.array(beside, node.dtype)
            values = [function(point + k * step * moved) for k in (-2, -1, 0, 1, 2)]
            return step, [np.asarray(value, dtype=object).item() for value in values]

        return sample

    @cached_property
    def has_digits(self) -> bool:
        """Whether the loss, and its gradient if there is one, can be evaluated in many digits."""
        if not has_digits(toposort(self.roots)):
            return False
        try:
            self.view().values(self.roots)
        except (TypeError, AttributeError):  # a primitive of a user's whose value takes arrays of floats only
            return False
        return True

    @cached_property
    def operations(self) -> float:
        """About how many operations on numbers one evaluation of the loss and its gradients takes, with many digits."""
        values = self.wide.values(self.roots)
        return sum(_work(node, values) for node in toposort(self.roots))

    @property
    def is_exact(self) -> bool:
        """Whether the check in many digits is to be had, and takes a few seconds at most."""
        return self.operations * (2 + 3 * len(self.wrt)) <= _AFFORDABLE and self.has_digits

    def rounding(self, position: int, unit: float) -> float:
        """Return how far the gradient moves when the point moves by a rounding error, which only rounding explains."""
        if self.gradients is None:
            return 0.0
        if self._near is None:
            self._near = [_evaluated(self.gradients, self._nudged(seed, unit)) for seed in (1, 2)]
        here = self.wide.values(self.gradients)[self.gradients[position]]
        moved = [np.abs(near[position] - here) for near in self._near]
        # The lesser of two: a point that was moved across a kink says nothing of rounding.
        return min(float(np.max(m, where=np.isfinite(m), initial=0.0)) for m in moved)

    @cached_property
    def constants(self) -> list[float]:
        """How far each gradient moves when the numbers that were rounded on the way to it move by one unit."""
        gradients = self.gradients or []
        written = set(toposort([self.loss]))
        moved = [node for node in toposort(gradients) if _is_rounded(node) and node not in written]
        if not moved:
            return [0.0] * len(gradients)
        here, found = self.view().values(gradients), np.zeros(len(gradients))
        for seed in range(3):
            ends = np.random.default_rng(seed).choice([-np.inf, np.inf], len(moved))
            other = {n: exact(float(np.nextafter(float(n.value), e))) for n, e in zip(moved, ends, strict=True)}
            nodes = [replaced(gradients, other)[node] for node in gradients]
            there = self.view().values(nodes)
            pairs = zip(nodes, gradients, strict=True)
            changes = [np.abs(np.asarray(there[a] - here[b], dtype=np.float64)) for a, b in pairs]
            found = np.maximum(found, [np.max(c, where=np.isfinite(c), initial=0.0) for c in changes])
        return [float(change) for change in found]

    def _nudged(self, seed: int, unit: float) -> dict[Node, Array]:
        """Return the point with a relative error of about one rounding in each number."""
        rng = np.random.default_rng(seed)
        return {
            node: value * (1 + unit * rng.choice([-1.0, 1.0], value.shape)) if is_float(node.dtype) else value
            for node, value in self.point.items()
        }


def _evaluated(nodes: Sequence[Node], point: dict[Node, Array]) -> list[Any]:
    widened = {node: value.astype(np.float64) if is_float(node.dtype) else value for node, value in point.items()}
    return list(Evaluation(widened, WIDE)(list(nodes)))


def _is_rounded(node: Node) -> bool:
    """Does a number fill all the digits of a float, as one does that was rounded to it?"""
    if not isinstance(node, Exact) or not isinstance(node.value, (int, float, Fraction)):
        return False
    number = Fraction(node.value) if np.isfinite(float(node.value)) else Fraction(0)
    return number.numerator.bit_length() > _ROUNDED_BITS


def _work(node: Node, values: dict[Node, Any]) -> float:
    """Estimate the operations of one node: sizes, times the length of its sums, dearer for functions."""
    size = float(np.size(values[node]))
    if isinstance(node, Contract):
        lengths: dict[int, int] = {}
        for operand, labels in zip(node.operands, node.subscripts.inputs, strict=True):
            lengths.update(zip(labels, np.shape(values[operand]), strict=True))
        return float(np.prod([float(length) for length in lengths.values()])) * len(node.operands) + size
    if isinstance(node, Map):
        return _PER_FUNCTION * size
    largest = max([size, *(float(np.size(values[operand])) for operand in node.operands)])
    special = isinstance(node, Apply) and primitive_of(node).mpmath is not None
    return 4 * float(largest ** (1.5 if special else 1.0))


class View:
    """A graph at its point in one arithmetic."""

    def __init__(self, graph: Graph, arithmetic: Arithmetic) -> None:
        self.arithmetic = arithmetic
        self._graph = graph
        self._evaluation = Evaluation(resolve("check_grad", graph.roots, graph.point), arithmetic)

    def values(self, roots: Sequence[Node]) -> dict[Node, Any]:
        """Return the values of nodes, and of all that they need."""
        return self._evaluation.all_of(roots)

    def value(self, node: Node) -> Any:
        """Return the value of one node as an array."""
        return self.arithmetic.array(self.values([node])[node], node.dtype)

    def function(self, node: Node, output: Node | None = None) -> Callable[[Any], Any]:
        """Return the loss, or another output, as a function of one node; what `stop_gradient` returns stays."""
        goal = self._graph.loss if output is None else output
        values = self.values([goal, node])
        stops = self._graph.stops
        moving, later = {node}, []
        for current in toposort([goal], stops={*stops, node}):
            if current not in stops and current is not node and any(o in moving for o in current.operands):
                moving.add(current)
                later.append(current)
        evaluate, array = self._evaluation.value, self.arithmetic.array

        def call(value: Any) -> Any:
            new = {node: array(value, node.dtype)}
            for current in later:
                operands = [new[operand] if operand in new else values[operand] for operand in current.operands]
                new[current] = evaluate(current, operands)
            return array(new[goal] if goal in new else values[goal], goal.dtype)

        return call


def subject_of(graph: Graph, position: int, claimed: Array | None) -> Subject:
    """Return one variable of a graph as a subject; without `claimed` its symbolic gradient is judged."""
    node = graph.wrt[position]
    if claimed is None:
        if graph.gradients is None:
            raise AssertionError("a graph without a gradient needs numbers")
        numbers = graph.wide.value(graph.gradients[position])  # of float32 the formula is judged, not its rounding
    else:
        numbers = claimed
    function = graph.wide.function(node)
    point = np.asarray(graph.wide.value(node), dtype=np.float64)
    return Subject(
        name=node.short(),
        point=point,
        claimed=np.asarray(numbers),
        fun=function,
        position=position,
        given=claimed is not None,
        node=node,
        graph=graph,
        noise=lambda unit: graph.rounding(position, unit),
        symmetric=is_to_stay_symmetric(graph.loss, node, point, lambda output: graph.wide.function(node, output)),
        formula=None if claimed is not None or graph.gradients is None else _formula(graph, position),
    )


def _formula(graph: Graph, position: int) -> Callable[[Array], Array]:
    """Return the symbolic gradient as a function of its variable."""
    assert graph.gradients is not None
    node, gradient = graph.wrt[position], graph.gradients[position]
    return lambda value: np.asarray(graph.wide.function(node, gradient)(value))


def graph_behind(subject: Subject) -> Graph | None:
    """Return the graph that a subject comes from; None for a plain function."""
    return subject.graph if isinstance(subject.graph, Graph) else None


def is_exact(subject: Subject) -> bool:
    """Whether many digits are to be had for a subject, and at little cost."""
    graph = graph_behind(subject)
    return graph is not None and graph.is_exact


def along(graph: Graph, position: int, prefix: str, seed: int) -> tuple[Node, Node, Array]:
    """Return the slope of the loss along a random direction of one variable.

    Returns:
        The slope as a scalar node, the variable that stands for the direction, and its value: signs, with lengths
        from 1 to 2.
    """
    assert graph.gradients is not None
    assert graph.calculus is not None
    node = graph.wrt[position]
    direction = variable(next(fresh_names(prefix, graph.roots)), node.shape, node.dtype)
    rng = np.random.default_rng([seed, position])
    shape = np.shape(graph.wide.value(node))
    value = rng.choice([-1.0, 1.0], shape) * rng.uniform(1.0, 2.0, shape)
    return graph.calculus.inner(graph.gradients[position], direction), direction, np.asarray(value).astype(node.dtype)
