"""Where a gradient goes wrong: the first node, from the loss downwards, whose adjoint and numbers part."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from symback.check.arithmetic import WIDE
from symback.check.binding import Bindings, resolve
from symback.check.evaluate import Evaluation, function_of, stopped
from symback.check.failure.chain_steps import Step, Values
from symback.check.failure.claims import Claim, Fault, Slopes, finite, random_direction
from symback.check.reports.gradient_report import BadNode
from symback.derive.paths import active_nodes
from symback.derive.reverse import backpropagate, check_loss
from symback.errors import DerivativeError, gradient_shape
from symback.graph import dependents, toposort
from symback.nodes.add import Plus
from symback.nodes.apply import Apply, Named
from symback.nodes.classify import classify
from symback.nodes.contract import Contract
from symback.nodes.dtypes import is_float
from symback.nodes.leaves import as_node, exact
from symback.nodes.node import Node
from symback.op.table import primitive_of
from symback.trace import Trace

Array = np.ndarray[Any, Any]

_GIVEN = 1e-9
"""What numbers that are given may be off by, in parts of what they are sums of."""

_UNITS = 1024


def first_bad(
    loss: Any, wrt: Sequence[Any], at: Bindings, *, gradient: Sequence[Any] | None = None, seed: int = 0
) -> BadNode | None:
    """Return the first node, from the loss downwards, at which a gradient goes wrong.

    Of the symbolic gradient every step of the chain rule is judged by differences of the one node that it belongs to,
    in digits where possible. The first wrong step names the rule that is at fault: the adjoints of all nodes nearer to
    the loss are right. Of a gradient that is given, with intermediate nodes among `wrt`, it is the first of those
    that disagrees with differences of the loss.

    Args:
        loss: A scalar node or SymPy expression, as it is differentiated.
        wrt: The nodes it is differentiated by.
        at: A value for each variable of the loss, by node or name.
        gradient: What to judge instead of the symbolic gradient: an array for each of `wrt`.
        seed: Of the random directions.

    Returns:
        The node, the operation whose derivative rule is at fault, and both values; None if every step is right.

    Raises:
        InputError: If a variable has no value.
        DerivativeError: If the loss does not depend on a variable.

    Example:
        >>> import numpy as np
        >>> import symback as sb
        >>> x = sb.tensor("x", ("n",))
        >>> z = sb.let("z", 3 * x)
        >>> found = first_bad(sb.sum(z**2), [z, x], {"x": np.ones(2)}, gradient=[[6.0, 6.0], [6.0, 6.0]])
        >>> found.name, found.gradient, found.reference
        ('x', 6.0, 18.0)
    """
    loss, nodes = as_node(loss), [as_node(node) for node in wrt]
    if gradient is not None:
        return _first_given(loss, nodes, at, gradient, np.random.default_rng(seed))
    check_loss(loss, nodes, "error")
    given = held(loss, resolve("first_bad", [loss], at))
    return _Search(loss, nodes, given, np.random.default_rng(seed)).found()


def held(loss: Node, given: Mapping[Node, Any]) -> dict[Node, Any]:
    """Add to the values given what `stop_gradient` returns at the point: derivatives take it as a constant."""
    stops = stopped(loss)
    values = Evaluation(given, WIDE).all_of(stops) if stops else {}
    return {**given, **{stop: values[stop] for stop in stops}}


class _Search:
    """The steps of one reverse pass, and their values at a point."""

    def __init__(self, loss: Node, wrt: Sequence[Node], given: dict[Node, Any], rng: np.random.Generator) -> None:
        self.loss, self.given, self.rng = loss, given, rng
        self.order = toposort([loss])
        self.trace, self.active = _traced(loss, wrt, self.order)
        self.received: dict[tuple[Node, Node], list[Node]] = {}
        for step in self.trace.steps:
            self.received.setdefault((step.node, step.operand), []).append(step.contribution)
        passed = [node for received in self.received.values() for node in received]
        self.values = Values(given, [loss, *self.trace.adjoints.values(), *passed])

    def found(self) -> BadNode | None:
        """Return the first node to which a step is wrong; one that is wrong at a kink only if nothing else is."""
        consumers: dict[Node, list[Node]] = {}
        for node in self.trace.adjoints:
            for operand in dict.fromkeys(node.operands):
                if self._counts(node, operand):
                    consumers.setdefault(operand, []).append(node)
        judged, at_kink = 0, None
        for operand in reversed(self.order):
            for node in consumers.get(operand, ()):
                received = self.received.get((node, operand), [])
                fault = Step(self.values, node, operand, self.trace.adjoints[node], received).fault(self.rng)
                judged += 1
                if fault is not None and not fault.at_kink:
                    return self._bad(node, operand, fault, judged)
                if fault is not None and at_kink is None:
                    at_kink = (node, operand, fault, judged)
        return self._bad(*at_kink) if at_kink else None

    def _counts(self, node: Node, operand: Node) -> bool:
        """Can a derivative pass from a node to an operand?"""
        if node in self.given or isinstance(node, Named) or operand not in self.active:
            return False
        return is_float(operand.dtype) and is_float(node.dtype)

    def _bad(self, node: Node, operand: Node, fault: Fault, judged: int) -> BadNode:
        claimed, reference, uncertainty = fault.claimed, fault.reference, fault.uncertainty
        own = np.asarray(self.values.in_floats(self.trace.adjoints[operand]) if operand in self.trace.adjoints else 0.0)
        slopes = _along(self.loss, operand, self.given, self.values)(fault.direction)
        total = float(np.sum(own * fault.direction))
        if finite(slopes.value) and not abs(total - slopes.value) <= slopes.uncertainty + 1e-9 * abs(slopes.value):
            claimed, reference, uncertainty = total, float(slopes.value), float(slopes.uncertainty)
        place, scale = _place(fault.direction, operand.short())
        note = f"steps of the chain rule nearer to the loss that are right: {judged - 1}"
        if fault.at_kink:
            note = f"the point is at a kink of it, and what is passed on is not between the slopes; {note}"
        return BadNode(
            operand.short(), self._rule(node), place, claimed / scale, reference / scale, abs(uncertainty / scale), note
        )

    def _rule(self, node: Node) -> str:
        """Name the operation of a node, and the named node that it is part of."""
        users = {operand: user for user in self.order for operand in user.operands}
        name, current = _operation(node), users.get(node)
        while current is not None and not isinstance(current, Named):
            current = users.get(current)
        return f"{name} in {current.name}" if isinstance(current, Named) else name


def _traced(loss: Node, wrt: Sequence[Node], order: Sequence[Node]) -> tuple[Trace, set[Node]]:
    """Record a reverse pass, and the nodes that it can pass through.

    It goes to functions declared without a derivative too, if it can: they may have one.
    """
    below = dependents([loss], wrt)
    flat = [
        node for node in order
        if isinstance(node, Apply) and not primitive_of(node).differentiable and node.operation.name != "stop_gradient"
        and node in below and is_float(node.dtype)
    ]  # fmt: skip
    for reached in ([*wrt, *flat], wrt):
        trace = Trace()
        try:
            backpropagate([(loss, exact(1))], reached, trace=trace)
        except DerivativeError:
            if not flat or reached is wrt:
                raise
        else:
            break
    return trace, active_nodes(order, reached)


def _operation(node: Node) -> str:
    if isinstance(node, Apply):
        return node.operation.name
    return classify(node).kind if isinstance(node, Contract) else "sum" if isinstance(node, Plus) else "name"


def _along(loss: Node, node: Node, given: Mapping[Node, Any], values: Values) -> Callable[[Array], Slopes]:
    """Return the derivative of the loss by a node along any direction, in digits if there are any."""
    later = dependents([loss], [node])
    digits = values.has_digits(loss) and later.isdisjoint(values.lacking)
    fixed = {each: values.in_floats(each) for each in values.lacking if each not in later} if digits else {}
    fun = function_of(loss, node, {**given, **fixed}, values.high if digits else WIDE)
    point = values.of(node) if digits else values.in_floats(node)

    def slopes(direction: Array) -> Slopes:
        return values.slopes(lambda distance: fun(point + direction * distance)[()], digits=digits)

    return slopes


def _place(direction: Array, name: str) -> tuple[str, float]:
    """Return where a direction points: an entry and how far it goes there, or the whole and 1."""
    places = np.argwhere(direction)
    if len(places) != 1:
        return "along a direction", 1.0
    index = tuple(int(axis) for axis in places[0])
    return (str(list(index)) if index else name), float(direction[index])


def _first_given(
    loss: Node, nodes: Sequence[Node], at: Bindings, gradient: Sequence[Any], rng: np.random.Generator
) -> BadNode | None:
    """Return the first of some nodes, from the loss downwards, whose given gradient disagrees with differences."""
    given = held(loss, resolve("first_bad", [loss, *nodes], at))
    values = Values(given, [loss, *nodes])
    depth = {node: place for place, node in enumerate(toposort([loss]))}
    pairs = sorted(zip(nodes, gradient, strict=True), key=lambda pair: -depth.get(pair[0], -1))
    for count, (node, claimed) in enumerate(pairs):
        point, numbers = values.in_floats(node), np.asarray(claimed)
        if numbers.shape != point.shape:
            raise gradient_shape(node.short(), point.shape, numbers.shape)
        rounded = max(_GIVEN, _UNITS * float(np.finfo(numbers.dtype).eps)) if is_float(numbers.dtype) else _GIVEN
        claim = Claim(numbers, _along(loss, node, given, values), rounded=rounded)
        fault = claim.worst(random_direction(point, rng))
        if fault is not None:
            place, scale = _place(fault.direction, node.short())
            note = f"of the gradients given, {count} nearer to the loss are right" if count else ""
            return BadNode(
                node.short(), "", place, fault.claimed / scale, fault.reference / scale,
                abs(fault.uncertainty / scale), note,
            )  # fmt: skip
    return None
