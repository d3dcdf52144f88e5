"""A point at which a derivation is verified: values in many digits, and derivatives by differences alone.

No derivative here comes from a derivative rule or from a symbolic gradient. Adjoints are found by one sweep from the
loss down: each node's own operation is evaluated beside the point, an entry of an operand at a time, so the work is
linear in the depth of the graph. A partial derivative evaluates what lies between two quantities, the others held.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from symback import errors
from symback.check.arithmetic import HighPrecision
from symback.check.binding import Sizes
from symback.check.evaluate import Evaluation
from symback.derivation.proof.differences import Array, Differences, working_digits
from symback.derivation.proof.operations import Operations, summed_to
from symback.errors.derivation import at_kink
from symback.graph import dependents, toposort
from symback.nodes.add import Plus
from symback.nodes.apply import Apply, Map, Named
from symback.nodes.dtypes import is_float
from symback.nodes.leaves import Variable
from symback.nodes.node import Node
from symback.nodes.shapes import SizeExpr

_MOST_ORDERS = 2000


class Point:
    """Values and derivatives at one point, all found by evaluating the graph.

    Args:
        loss: The node that is differentiated; for `partial` and `total` of any shape.
        quantities: Variables, named nodes and others that have a place of their own in the derivation.
        adjoints: For each node that is printed as the adjoint of a quantity, that quantity.
        bindings: A value for each variable.
        digits: How many digits derivatives are to have.
        sizes: Symbolic sizes that no shape of a variable shows.
        slopes: For each variable that stands for the slope of a function, the function at its argument.

    Attributes:
        loss: What adjoints are derivatives of.
        quantities: The nodes that are held while a partial derivative by another is taken.
        digits: How many digits derivatives have.
        context: The mpmath context of all numbers; it has more than three times as many.
        tolerance: How far apart two derivatives may be that are equal, in parts of their largest entry.

    Example:
        >>> import symback as sb
        >>> x = sb.tensor("x", ())
        >>> point = Point(sb.exp(x), [x], {}, {x: 0.0})
        >>> print(point.context.nstr(point.adjoint(x)[()], 30))
        1.0
    """

    def __init__(
        self,
        loss: Node,
        quantities: Sequence[Node],
        adjoints: Mapping[Node, Node],
        bindings: Mapping[Node, Any],
        digits: int = 30,
        sizes: Sizes | None = None,
        slopes: Mapping[Variable, Node] | None = None,
    ) -> None:
        """Take a point."""
        self.loss = loss
        self.quantities = dict.fromkeys([*quantities, loss])
        self.digits = digits
        self._adjoint_of = {
            node: of for node, of in adjoints.items() if isinstance(node, Named) and node.label.kind == "adjoint"
        }
        self._arithmetic = HighPrecision(working_digits(digits))
        self.context = self._arithmetic.context
        self.tolerance = self.context.mpf(10) ** -digits
        self._differences = Differences(self.context, digits)
        self._slope_of = dict(slopes or {})
        self._bindings = dict(bindings)
        self._sizes = sizes
        self._values: dict[Node, Any] = {}
        self._operations = Operations(self._evaluated(), self._differences)
        for node in self._values:
            if node.operands and node not in self._bindings:
                self._operations.check_symmetric(node, self._values[node.operands[0]])
        self._adjoints: dict[Node, Array] = {}
        self._kinks: dict[Node, str] = {}
        self._partials: dict[tuple[Node, Node, bool], Array] = {}
        self._flips: list[Node] | None = None
        self._held = _stops([loss])

    # -- values -------------------------------------------------------------------------------

    def array(self, node: Node) -> Array:
        """Return the value of a node; a node printed as an adjoint has the value that differences give.

        Raises:
            KinkError: If it needs a derivative that does not exist here.
        """
        stops = _Either(self._values, self._adjoint_of)
        for current in toposort([node], stops=stops):
            if current not in self._values:
                self._values[current] = self._value(current)
        return np.asarray(self._arithmetic.array(self._values[node], node.dtype))

    def is_finite(self, node: Node) -> bool:
        """Tell whether all entries of a node are finite."""
        return self.finite(self.array(node))

    def finite(self, array: Array) -> bool:
        """Tell whether all numbers are finite."""
        return bool(self._differences.finite(array).all())

    def numbers(self, array: Array) -> Array:
        """Return an array as numbers of the context; truth values are 0 and 1."""
        plain = np.frompyfunc(lambda x: x.item() if isinstance(x, np.generic) else x, 1, 1)  # sums of truth values
        made = np.frompyfunc(self.context.mpf, 1, 1)(plain(array))
        return np.asarray(made, dtype=object).reshape(np.shape(array))

    def size(self, size: SizeExpr) -> int:
        """Return a size as an integer."""
        return self._operations.evaluation.size(size)

    def apply(self, node: Node, operands: Sequence[Any]) -> Array:
        """Return the value of the operation of a node on other operands, of any shapes that it takes."""
        given = [np.asarray(operand) for operand in operands]
        return np.asarray(self._operations.value(node, given, checked=False))

    def elsewhere(self, root: Node, bindings: Mapping[Node, Any]) -> "Point":
        """Return a point with other values, at which a node is evaluated."""
        return Point(root, [], {}, bindings, self.digits)

    # -- derivatives ----------------------------------------------------------------------------

    def adjoint(self, node: Node) -> Array:
        """Return the derivative of the loss by a node: zeros if the loss does not depend on it.

        Raises:
            KinkError: If there is none at this point.
        """
        if node not in self._adjoints:
            self._sweep([*self.quantities, node])
        found = self._adjoints[node]
        flipped = [flip for flip in self._flipped() if node in _below(flip)]
        if flipped:
            raise at_kink(flipped[0].short(), node.short())
        if not self.finite(found):
            reached = (kink for kink in self._kinks if node in _below(kink))
            raise at_kink(next(reached, node).short(), node.short())
        return found

    def partial(self, of: Node, by: Node) -> Array:
        """Return the derivative of one node by another, the other quantities held: of.shape + by.shape.

        Raises:
            KinkError: If there is none at this point.
        """
        held = [node for node in self.quantities if node is not of and node is not by]
        return self._found(of, by, held)

    def total(self, of: Node, by: Node) -> Array:
        """Return the derivative of one node by another, nothing held: of.shape + by.shape.

        Raises:
            KinkError: If there is none at this point.
        """
        return self._found(of, by, [])

    def slope(self, node: Node) -> Array:
        """Return the derivative of an elementwise function of one argument, at its argument.

        Raises:
            KinkError: If there is none at this point.
        """
        self.array(node)
        found = self._operations.entrywise(node, node.operands[0], self._values)
        if not self.finite(found):
            raise at_kink(node.short(), node.operands[0].short())
        return found

    def conventions(self, node: Node) -> list[Node]:
        """Return what is held by convention, `stop_gradient`, between a node and the loss."""
        return [stop for stop in self._held if node in _below(stop)]

    # -- evaluation -----------------------------------------------------------------------------

    def _evaluated(self) -> Evaluation:
        """Evaluate the loss, with more digits where its values range over many orders of magnitude."""
        evaluation = self._start()
        orders = self._orders()
        if orders > self.digits:
            self._arithmetic.context.dps = working_digits(self.digits, min(orders, _MOST_ORDERS))
            evaluation = self._start()
        return evaluation

    def _start(self) -> Evaluation:
        with np.errstate(all="ignore"):
            evaluation = Evaluation(self._bindings, self._arithmetic, self._sizes)
            self._values = dict(evaluation.all_of([self.loss]))
            for node in self._bindings:
                self._values.setdefault(node, self._arithmetic.array(self._bindings[node], node.dtype))
        return evaluation

    def _orders(self) -> int:
        """Return over how many orders of magnitude the values of float nodes range, from 1 to either side."""
        context, most = self.context, 0
        for node, value in self._values.items():
            for number in np.asarray(value, dtype=object).flat if is_float(node.dtype) else ():
                if number and context.isfinite(number):
                    most = max(most, abs(int(context.mag(number))))
        return int(most * 0.302)

    def _value(self, node: Node) -> Any:
        if node in self._adjoint_of:
            return self.adjoint(self._adjoint_of[node])
        if isinstance(node, Variable) and node in self._slope_of:
            return self.slope(self._slope_of[node])
        if isinstance(node, Variable):
            raise errors.missing_input("verify", [node.name])
        return self._operations.value(node, [self._values[operand] for operand in node.operands])

    # -- the sweep ------------------------------------------------------------------------------

    def _sweep(self, targets: Sequence[Node]) -> None:
        """Find the adjoints of all nodes between the loss and the targets, from the loss down."""
        if self.loss.shape:
            raise errors.not_scalar("verify", self.loss)
        order = toposort([self.loss])
        reached = dependents([self.loss], targets)
        zero = self.context.mpf(0)
        found = {node: np.full(np.shape(self.array(node)), zero, dtype=object) for node in order if node in reached}
        found[self.loss] = np.asarray(self.context.mpf(1), dtype=object)
        for node in reversed(order):
            if node not in reached or not is_float(node.dtype) or _holds(node):
                continue
            for operand in dict.fromkeys(node.operands):
                if operand in reached and is_float(operand.dtype) and found[node].any():
                    received = found[operand] + self._passed_on(node, operand, found[node])
                    found[operand] = np.asarray(received, dtype=object)
        for node in targets:
            if node not in found:
                found[node] = np.full(np.shape(self.array(node)), zero, dtype=object)
        self._adjoints.update(found)

    def _passed_on(self, node: Node, operand: Node, cotangent: Array) -> Array:
        """Return what a node passes on to an operand: its cotangent times differences of its own operation."""
        if isinstance(node, Named):
            return cotangent
        if isinstance(node, (Map, Plus)):
            terms = self._times(node, self._operations.entrywise(node, operand, self._values), cotangent)
            return summed_to(terms, np.shape(self._values[operand]))
        slopes = self._operations.jacobian(node, operand, self._values)
        terms = self._times(node, slopes, cotangent[(...,) + (None,) * (slopes.ndim - cotangent.ndim)])
        zero = self.context.mpf(0)
        return np.asarray(terms.sum(axis=tuple(range(cotangent.ndim)), initial=zero), dtype=object)

    def _times(self, node: Node, slopes: Array, cotangent: Array) -> Array:
        """Multiply slopes by cotangents; a kink does no harm where nothing comes from above."""
        context = self.context
        if not self.finite(slopes):
            self._kinks[node] = node.short()

        def times(slope: Any, received: Any) -> Any:
            if received == 0 and not context.isinf(slope):
                return context.mpf(0)
            return context.mpf(0) if slope == 0 else context.nan if context.isinf(slope) else slope * received

        return np.asarray(np.frompyfunc(times, 2, 1)(slopes, cotangent), dtype=object)

    # -- between two nodes ------------------------------------------------------------------------

    def _found(self, of: Node, by: Node, held: Sequence[Node]) -> Array:
        key = (of, by, bool(held))
        if key not in self._partials:
            self._partials[key] = self._between(of, by, {*held, *_stops([of])} - {of, by})
        if not self.finite(self._partials[key]):
            raise at_kink(of.short(), by.short())
        return self._partials[key]

    def _between(self, of: Node, by: Node, held: set[Node]) -> Array:
        """Difference one node by the entries of another; only what lies between them is evaluated again."""
        value = np.asarray(self.array(by), dtype=object)
        order = toposort([of], stops=held | {by})
        later: list[Node] = []
        reached = {by}
        for node in order:
            if node not in held | {by} and not _holds(node) and not reached.isdisjoint(node.operands):
                reached.add(node)
                later.append(node)
        for node in order:
            self.array(node) if node not in reached else None

        def function(there: Array) -> Array:
            new: dict[Node, Any] = {by: there}
            for node in later:
                operands = [new[o] if o in new else self._values[o] for o in node.operands]
                new[node] = self._operations.beside(node, operands, self.array(node))
            return np.asarray(new[of] if of in new else self.array(of))

        return self._operations.by_entry(function, value, function(value))

    # -- jumps ------------------------------------------------------------------------------------

    def _flipped(self) -> list[Node]:
        """Return the conditions and integers that change beside the point: there branches meet, or entries tie."""
        if self._flips is None:
            order = toposort([self.loss])
            discrete = [node for node in order if node.operands and not is_float(node.dtype)]
            self._flips = self._changing(discrete) if discrete else []
        return self._flips

    def _changing(self, discrete: Sequence[Node]) -> list[Node]:
        rng = np.random.default_rng(0)
        moves: dict[Node, Any] = {}
        for node in self._bindings:
            if is_float(node.dtype):
                step = np.asarray(self._differences.step(self._values[node]), dtype=object)
                moves[node] = step * self._arithmetic.array(rng.uniform(-1, 1, step.shape), node.dtype)
        beside = []
        for sign in (-1, 1):
            there = {n: self._values[n] + sign * moves[n] if n in moves else self._values[n] for n in self._bindings}
            beside.append(Evaluation(there, self._arithmetic, self._sizes).all_of(discrete))
        here = self._values
        return [n for n in discrete if any(not np.array_equal(there[n], here[n]) for there in beside)]


class _Either:
    """What is in one of several containers."""

    def __init__(self, *containers: Any) -> None:
        self._containers = containers

    def __contains__(self, node: object) -> bool:
        return any(node in container for container in self._containers)


def _below(node: Node) -> set[Node]:
    return set(toposort([node]))


def _holds(node: Node) -> bool:
    """Is this `stop_gradient`, whose value derivatives take as a constant?"""
    return isinstance(node, Apply) and node.operation.name == "stop_gradient"


def _stops(roots: Sequence[Node]) -> list[Node]:
    return [node for node in toposort(roots) if _holds(node)]
