"""One step of the chain rule at a time: what a node passes on to an operand, held against differences of that node.

The adjoint of an operand is the sum of what its consumers pass on to it. If each step is right, so is every adjoint;
so the first wrong step, from the loss downwards, is where a gradient goes wrong. A step is judged by its own node
alone: with the adjoint a of the node held, the derivative of <a, node(operand)> along a direction must be what is
passed on along it. That takes a few evaluations of one node, however large the graph is.

In digits the differences have neither noise nor a bad step; where a function has none, they are taken in float64.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from symback.check.arithmetic import WIDE, HighPrecision
from symback.check.evaluate import Evaluation
from symback.check.failure.claims import Claim, Fault, Slopes, chosen, fault_of, finite, random_direction
from symback.check.ladder.differences import five_points
from symback.check.ladder.noise import EPS, noise_of
from symback.check.ladder.symmetric import SYMMETRIC
from symback.graph import toposort
from symback.nodes.apply import Apply, Map
from symback.nodes.contract import Contract
from symback.nodes.node import Node

Array = np.ndarray[Any, Any]

DIGITS = 60
_STEP = 24
_MOST_IN_DIGITS = 300_000
"""How many multiplications of numbers of mpmath are worth the wait: about a second."""

_ROUNDED = 1e-14
"""What a rule may be off by in parts of what it passes on: constants in it are numbers of float64."""

_ROUNDED_SUM = 1024 * EPS


class Values:
    """The values of graphs at a point: in digits where every function has them, else as float64 has them.

    A node whose function has no digits takes its value in float64, exactly, so that what is made of it has digits.
    """

    def __init__(self, given: Mapping[Node, Any], roots: Sequence[Node]) -> None:
        """Take the value of every variable of `roots`, and of nodes that are to be taken as given."""
        self.wide = Evaluation(given, WIDE)
        in_digits = _multiplications(self.wide.all_of(roots)) <= _MOST_IN_DIGITS
        self.high = HighPrecision(DIGITS)
        self.unit = self.high.context.mpf(10) ** -_STEP
        self._exact: Evaluation | None = Evaluation(given, self.high) if in_digits else None
        exact_given = given.items() if in_digits else ()
        self._digits: dict[Node, Any] = {node: self.high.array(value, node.dtype) for node, value in exact_given}
        self.lacking: set[Node] = set()

    def of(self, node: Node) -> Any:
        """Return the value of a node, in digits if there are any."""
        return self._in_digits(node) if self._exact is not None else self.in_floats(node)

    def in_floats(self, node: Node) -> Any:
        """Return the value of a node in float64."""
        return self.wide.all_of([node])[node]

    def has_digits(self, node: Node) -> bool:
        """Can this node be computed in digits from its operands?"""
        if self._exact is not None:
            self._in_digits(node)
        return self._exact is not None and node not in self.lacking

    def applied(self, node: Node, operands: list[Any], *, digits: bool) -> Any:
        """Return the value of one node on other operands; NaN where it has none."""
        evaluation = self._exact if digits and self._exact is not None else self.wide
        try:
            return evaluation.value(node, operands, checked=False)
        except (np.linalg.LinAlgError, ArithmeticError, ValueError):
            return np.nan

    def slopes(self, line: Callable[[Any], Any], *, digits: bool, blur: Any = 0.0) -> Slopes:
        """Return the slopes of a function at 0 of a line; in digits nothing is lost by a tiny step.

        Args:
            line: The function, of a distance in the arithmetic.
            digits: Whether it is one of numbers of mpmath.
            blur: What rounding adds to the error.
        """
        if digits:
            unit = self.unit
            middle, behind, ahead = line(0 * unit), line(-unit), line(unit)
            blur = blur + abs(middle) * unit
            return Slopes((middle - behind) / unit, (ahead - middle) / unit, (ahead - behind) / (2 * unit), blur)
        with np.errstate(all="ignore"):
            found = five_points(line, scale=1.0, noise=noise_of(line, 1.0))
        return Slopes(found.value, found.value, found.value, found.tolerance + blur)

    def _in_digits(self, node: Node) -> Any:
        assert self._exact is not None
        known = self._digits
        for current in toposort([node], stops=known):
            if current not in known:
                known[current] = self._computed(current)
        return known[node]

    def _computed(self, node: Node) -> Any:
        assert self._exact is not None
        if not isinstance(node, Apply):
            return self._exact.value(node, [self._digits[operand] for operand in node.operands])
        try:
            found = self._exact.value(node, [self._digits[operand] for operand in node.operands])
        except Exception:  # a function written for float64 may raise anything on numbers of mpmath
            self.lacking.add(node)
            return self.high.array(self.in_floats(node), node.dtype)
        return found


class Step:
    """One step: a node, its adjoint, an operand, and what that receives."""

    def __init__(self, values: Values, node: Node, operand: Node, adjoint: Node, received: Sequence[Node]) -> None:
        """Take a node, one of its operands, the adjoint of the node, and what it passes on to the operand."""
        self._digits = values.has_digits(node)
        read = values.of if self._digits else values.in_floats
        self._node, self._operand, self._values = node, operand, values
        self._adjoint, self._value = np.asarray(read(adjoint)), np.asarray(read(node))
        self._operands = [read(each) for each in node.operands]
        self._point = np.asarray(read(operand))
        zero = np.zeros(self._point.shape, dtype=object if self._digits else np.float64)
        self._passed: Array = np.asarray(sum([np.asarray(read(each)) for each in received], zero))

    def fault(self, rng: np.random.Generator) -> Fault | None:
        """Return how the step is wrong, narrowed down to one entry if it can be; None if it is not."""
        if self._point.size == 0 or not all(finite(x).all() for x in (self._adjoint, self._value, self._point)):
            return None
        symmetric = isinstance(self._node, Apply) and self._node.operation.name in SYMMETRIC
        rounded = _ROUNDED if self._digits else _ROUNDED_SUM
        claim = Claim(self._passed, self._slopes, rounded=rounded, symmetric=symmetric)
        direction = random_direction(self._point, rng)
        if self._digits and isinstance(self._node, Map):
            return chosen(self._by_entries(claim, direction))
        found = claim.worst(direction)
        # Where several entries tie, what one of them gets need not lie between its own two slopes.
        return None if found is not None and found.at_kink else found

    def _by_entries(self, claim: Claim, direction: Array) -> list[Fault]:
        """Return the entries that are wrong: an elementwise function shows the slopes by all entries at once."""
        unit = self._values.unit
        behind, ahead = self._moved(direction * -unit), self._moved(direction * unit)
        left = self._summed(self._adjoint * (self._value - behind) / unit)
        right = self._summed(self._adjoint * (ahead - self._value) / unit)
        blur = self._blur()
        found = []
        for index in np.ndindex(*direction.shape):
            claimed = self._passed[index] * direction[index]
            slopes = Slopes(left[index], right[index], (left[index] + right[index]) / 2, blur)
            verdict, slopes = claim.judged(claimed, abs(claimed), slopes)
            if verdict in ("wrong", "outside"):
                along = np.zeros(direction.shape)
                along[index] = direction[index]
                found.append(fault_of(along, claimed, slopes, verdict))
        return found

    def _summed(self, terms: Any) -> Array:
        """Sum over the axes along which the operand was broadcast."""
        shape, values = self._point.shape, np.asarray(terms)
        lead = values.ndim - len(shape)
        axes = [axis for axis, size in enumerate(shape, lead) if size == 1 and values.shape[axis] != 1]
        return np.asarray(values.sum(axis=(*range(lead), *axes)), dtype=object).reshape(shape)

    def _moved(self, change: Any) -> Any:
        operands = [
            np.asarray(self._point + change) if each is self._operand else value
            for each, value in zip(self._node.operands, self._operands, strict=True)
        ]
        return self._values.applied(self._node, operands, digits=self._digits)

    def _slopes(self, direction: Array) -> Slopes:
        """Return the derivative of <adjoint, node> along a direction."""

        def line(distance: Any) -> Any:
            return np.sum(self._adjoint * self._moved(direction * distance))

        return self._values.slopes(line, digits=self._digits, blur=self._blur())

    def _blur(self) -> Any:
        """Return what rounding of the value of the node does to a slope."""
        return np.sum(np.abs(self._adjoint * self._value)) * (self._values.unit if self._digits else EPS)


def _multiplications(values: Mapping[Node, Any]) -> float:
    """Estimate how many multiplications of numbers it takes to compute nodes of these values."""
    count = 0.0
    for node, value in values.items():
        if any(operand not in values for operand in node.operands):
            continue  # its own value was given
        if isinstance(node, Contract):
            sizes = {
                label: size
                for operand, labels in zip(node.operands, node.subscripts.inputs, strict=True)
                for label, size in zip(labels, np.shape(values[operand]), strict=True)
            }
            count += math.prod(sizes.values())
        elif isinstance(node, Apply):
            largest = max([np.size(value), *[np.size(values[each]) for each in node.operands]])
            count += 10.0 * (largest if isinstance(node, Map) else largest**1.5)
        else:
            count += np.size(value)
    return count
