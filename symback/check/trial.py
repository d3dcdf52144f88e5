"""A case under test: its derivatives with their values at its point and beside it, each made once for all checks."""

from functools import cached_property, reduce
from typing import Any

import numpy as np

from symback.check.arithmetic import WIDE, Arithmetic, HighPrecision, has_digits
from symback.check.cases import Case
from symback.check.evaluate import Evaluation, stopped
from symback.derive.reverse import grad, vjp
from symback.graph import toposort
from symback.nodes.add import add
from symback.nodes.dtypes import is_float
from symback.nodes.leaves import constant, variable
from symback.nodes.node import Node
from symback.ops.products.multiplying import vdot

HIGH = HighPrecision(40)
"""The arithmetic in which formulas are shown."""

STEP = HIGH.context.mpf(10) ** -12
"""How far the points beside are: the square of it is beyond what differences are held to."""

EXACT = 1e-25
ROUNDED = 1e-10
"""How far identities may be off that hold to the last digit: of 40, or of float64."""


class Trial:
    """What the checks of one case share.

    Attributes:
        case: The case.
        stacked: A variable of two cotangents.
        rows: Its value; the first of them is the cotangent of the case.
    """

    def __init__(self, case: Case) -> None:
        node = case.node
        self.case = case
        self.stacked = variable("stacked_cotangent", (2, *node.shape), node.dtype)
        other = np.random.default_rng(5).uniform(0.5, 1.5, node.shape).astype(node.dtype)
        self.rows = np.stack([case.cotangent.array, other])
        self._point: dict[Node, Any] = {**case.point, self.stacked: self.rows}

    @cached_property
    def has_derivative(self) -> bool:
        """Whether the case can be differentiated as the graph is written."""
        declared = self.case.declared
        known = declared is None or declared.derivative is not None or declared.vjp is not None
        return is_float(self.case.node.dtype) and (known or (declared is not None and not declared.differentiable))

    @cached_property
    def plain(self) -> Evaluation:
        """The values in NumPy, in the dtypes of the graph."""
        return Evaluation(self.case.point)

    @cached_property
    def digits(self) -> Evaluation:
        """The values in high precision."""
        return Evaluation(self._point, HIGH)

    @cached_property
    def direction(self) -> dict[Node, Any]:
        """A random direction in which all variables move together, in high precision."""
        rng = np.random.default_rng(3)
        return {x: HIGH.array(rng.uniform(-1, 1, x.shape), x.dtype) for x in self.case.wrt}

    @cached_property
    def beside(self) -> tuple[Evaluation, Evaluation]:
        """The values in high precision a step ahead along the direction, and a step behind."""
        here = {x: HIGH.array(value, x.dtype) for x, value in self.case.point.items()}
        there = ({x: here[x] + sign * STEP * along for x, along in self.direction.items()} for sign in (1, -1))
        ahead, behind = (Evaluation({**here, **moved, **self.held}, HIGH) for moved in there)
        return ahead, behind

    @cached_property
    def held(self) -> dict[Node, Any]:
        """What `stop_gradient` returns, at its value at the case's own point: derivatives take it as a constant."""
        stops = stopped(self.case.node)
        return dict(zip(stops, self.plain(stops), strict=True))

    @cached_property
    def value_has_digits(self) -> bool:
        """Whether the value can be computed in high precision."""
        return has_digits(toposort([self.case.node]))

    @cached_property
    def has_digits(self) -> bool:
        """Whether value and gradient can be computed in high precision."""
        return has_digits(toposort([self.case.node, *self.gradients]))

    @cached_property
    def arithmetic(self) -> Arithmetic:
        """The arithmetic for identities that hold to its last digits."""
        return HIGH if self.has_digits else WIDE

    @cached_property
    def exact(self) -> Evaluation:
        """The values in that arithmetic."""
        return self.digits if self.has_digits else Evaluation(self._point, WIDE)

    @cached_property
    def allowed(self) -> float:
        """How far an identity may be off in it."""
        return EXACT if self.has_digits else ROUNDED

    @cached_property
    def tangents(self) -> list[Node]:
        """A random array for each variable."""
        rng = np.random.default_rng(4)
        return [constant(rng.uniform(0.5, 1.5, x.shape).astype(x.dtype)) for x in self.case.wrt]

    @cached_property
    def pulled(self) -> list[Node]:
        """The vector-Jacobian product with the cotangent of the case."""
        return vjp([self.case.node], self.case.wrt, [self.case.cotangent], disconnected="zero")

    @cached_property
    def slope(self) -> Node:
        """The derivative of the loss along the tangents, as the gradient gives it."""
        return reduce(add, [vdot(g, u) for g, u in zip(self.gradients, self.tangents, strict=True)])

    @cached_property
    def gradients(self) -> list[Node]:
        """The gradient of the loss by each variable."""
        return grad(self.case.loss, self.case.wrt, disconnected="zero")

    @cached_property
    def second_gradients(self) -> list[Node]:
        """The gradient of that derivative: the Hessian of the loss times the tangents."""
        return grad(self.slope, self.case.wrt, disconnected="zero")
