"""The complex step: f'(x) = Im f(x + ih) / h, without a difference and so without cancellation.

Squire and Trapp, *Using complex variables to estimate derivatives of real functions*, SIAM Review 40, 1998; Martins,
Sturdza and Alonso, *The complex-step derivative approximation*, ACM Trans. Math. Softw. 29, 2003. The step is so
short that its square is beyond every digit. What depends on the variable is computed in complex numbers, the rest and
every real part as the graph says; linear primitives act on real and imaginary parts alike. A primitive that is not
analytic, a maximum, a comparison, has no such value and is named.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from symback.check.arithmetic import NUMPY, WIDE
from symback.check.binding import Bindings, resolve
from symback.check.evaluate import Evaluation
from symback.check.ladder.continuations import CONTINUATIONS, NATIVE
from symback.errors.methods import not_analytic_at
from symback.graph import toposort
from symback.nodes.apply import Apply
from symback.nodes.dtypes import is_float
from symback.nodes.leaves import ExactValue
from symback.nodes.node import Node
from symback.op.table import primitive_of

_STEP = 2.0**-100

COARSER = 2.0**-70
"""A longer step, at which the derivative must be the same unless numbers are as small as the steps are."""

_SHORTEST = 1e-290
_COMPLEX = np.dtype(np.complex128)


class ComplexArithmetic:
    """NumPy's complex numbers for all floats; only the imaginary part of what a primitive returns is right."""

    def dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        """Return complex128 for floats, other dtypes as they are."""
        return _COMPLEX if is_float(dtype) else dtype

    def array(self, value: Any, dtype: np.dtype[Any]) -> Any:
        """Return the value as an array of that dtype."""
        return np.asarray(value, dtype=self.dtype(dtype))

    def number(self, value: ExactValue) -> Any:
        """Return a Python number."""
        return NUMPY.number(value)

    def apply(self, node: Apply, operands: Sequence[Any], parameters: Sequence[Any]) -> Any:
        """Return the continuation of a primitive; a linear one acts on imaginary parts as on real ones."""
        declared = primitive_of(node)
        if declared.name in CONTINUATIONS or declared.name in NATIVE:
            pairs = zip(operands, node.operands, strict=True)  # what is weak is of the node's dtype by now
            numbers = [value if o.is_weak else self.array(value, o.dtype) for value, o in pairs]
            if declared.name in CONTINUATIONS:
                return self.array(CONTINUATIONS[declared.name](*numbers, *parameters), node.dtype)
            return self.array(declared.evaluate(numbers, parameters), node.dtype)
        parts = [
            np.imag(value) if is_float(o.dtype) else value for value, o in zip(operands, node.operands, strict=True)
        ]
        imaginary = parts[0] if declared.name == "astype" else declared.evaluate(parts, parameters)
        return self.array(1j * np.asarray(imaginary), node.dtype)


def not_analytic(loss: Node, node: Node) -> Node | None:
    """Return the first node on the way from `node` to the loss at which the loss is not analytic; None if it is.

    What `stop_gradient` returns is constant, so nothing behind it counts.

    Example:
        >>> import symback as sb
        >>> x = sb.tensor("x", ("n",))
        >>> not_analytic(sb.sum(sb.sin(x) * sb.exp(x)), x) is None
        True
        >>> not_analytic(sb.sum(sb.relu(sb.sin(x))), x).short()
        'relu(sin(x))'
    """
    return next((current for current in _moving(loss, node) if not _continues(current)), None)


def complex_derivative(loss: Node, node: Node, held: Bindings, point: Any, direction: Any) -> float:
    """Return the derivative of a scalar at a point along a direction, by the complex step.

    Args:
        loss: The scalar.
        node: The variable, or an intermediate node.
        held: The values of all other variables, and of nodes that are taken as constant (`stop_gradient`).
        point: The value of `node`.
        direction: Of the shape of `point`.

    Returns:
        The derivative, exact to a few units in the last place of its largest term; NaN where it does not exist.

    Raises:
        UsageError: If the loss is not analytic; it names the node.

    Example:
        >>> import symback as sb
        >>> x = sb.tensor("x", (2,))
        >>> complex_derivative(sb.sum(x**3), x, {}, [1.0, 2.0], [0.0, 1.0])
        12.0
    """
    return complex_slopes(loss, node, held, point)(direction)


def complex_slopes(
    loss: Node, node: Node, held: Bindings, point: Any, *, step: float = _STEP
) -> Callable[[Any], float]:
    """Return the derivative along a direction as a function of it: what does not move is computed once.

    See `complex_derivative` for arguments and errors.
    """
    broken = not_analytic(loss, node)
    if broken is not None:
        raise not_analytic_at(broken, node)
    narrow = {**held, node: np.asarray(point).astype(node.dtype)}
    given = {**resolve("check_grad", [loss, node], narrow), node: np.asarray(point, dtype=np.float64)}
    evaluation = Evaluation(given, WIDE)
    values = evaluation.all_of([loss, node])
    moving = [current for current in _moving(loss, node) if current not in given]
    complexes = Evaluation(given, ComplexArithmetic())

    def slope(direction: Any) -> float:
        tangents = {node: np.broadcast_to(np.asarray(direction, dtype=np.float64), np.shape(values[node]))}
        numbers = np.abs(given[node])[tangents[node] != 0]
        length = step * float(np.min(numbers, where=numbers > 0, initial=1.0))
        if length < _SHORTEST:
            return np.nan
        for current in moving:
            moved = [values[o] + 1j * length * tangents[o] if o in tangents else values[o] for o in current.operands]
            with np.errstate(all="ignore"):
                value = complexes.value(current, moved)
            tangents[current] = np.imag(value) / length
        real = float(np.asarray(values[loss]))
        return float(tangents[loss]) if loss in tangents and np.isfinite(real) else np.nan if loss in tangents else 0.0

    return slope


def _continues(node: Node) -> bool:
    """Whether a node that moves can be computed beside the real axis."""
    if not is_float(node.dtype):
        return False
    if not isinstance(node, Apply):
        return True
    declared = primitive_of(node)
    return declared.linear or declared.name in CONTINUATIONS or declared.name in NATIVE


def _moving(loss: Node, node: Node) -> list[Node]:
    """Return what moves with the node, operands first."""
    moving = {node}
    found = []
    for current in toposort([loss], stops={node}):
        stopped = isinstance(current, Apply) and current.operation.name == "stop_gradient"
        if current is not node and not stopped and any(operand in moving for operand in current.operands):
            moving.add(current)
            found.append(current)
    return found
