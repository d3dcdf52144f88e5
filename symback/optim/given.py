"""What an update rule is given: parameters and constants."""

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import numpy as np

from symback.errors import training as messages
from symback.nodes.dtypes import is_float
from symback.nodes.leaves import Variable, as_node
from symback.nodes.node import Node
from symback.ops.elementwise.logic import astype


def parameters_of(operation: str, nodes: Iterable[Any]) -> list[Variable]:
    """Return the variables to train, none of them twice."""
    found: list[Variable] = []
    for node in nodes:
        parameter = parameter_of(operation, node)
        if parameter in found:
            raise messages.repeated_parameter(operation, parameter.name)
        found.append(parameter)
    return found


def parameter_of(operation: str, node: Any) -> Variable:
    """Return what can be trained: a float variable."""
    if not isinstance(node, Variable):
        raise messages.not_a_parameter(operation, node)
    if not is_float(node.dtype):
        raise messages.parameter_dtype(operation, node)
    return node


def constant_of(
    operation: str, option: str, value: Any, *, least: float | None = None, below: float = math.inf
) -> Node:
    """Return a number of a rule as a node, or a scalar node as it is."""
    least = 0 if below < math.inf else least
    if isinstance(value, Node):
        if value.shape:
            raise messages.rate_shape(operation, option, value)
        if value.dtype.kind == "b":
            raise messages.rate_dtype(operation, option, value)
        return value
    number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or value >= below or (least is not None and value < least):
        wanted = f"a number from 0 to below {below}" if below < math.inf else "a finite number"
        positive = least is not None and below == math.inf
        raise messages.bad_rate(operation, option, value, f"{wanted} from 0" if positive else wanted)
    return as_node(float(value))


def one_minus(decay: Any) -> Node:
    """Return 1 - decay: of a number the decimal that a reader expects, 0.001 for 0.999."""
    return as_node(1 - decay if isinstance(decay, Node) else float(1 - Fraction(repr(float(decay)))))


def as_dtype_of(node: Node, w: Variable) -> Node:
    """Return a node in the dtype of a parameter."""
    return node if node.is_weak or node.dtype == w.dtype else astype(node, w.dtype)
