"""The operation of one node at a point, and its derivative by differences of that operation alone."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from symback import errors
from symback.check.evaluate import Evaluation
from symback.derivation.proof.differences import Array, Differences
from symback.errors.derivation import not_symmetric
from symback.nodes.apply import Apply, Map
from symback.nodes.node import Node
from symback.op.table import primitive_of

_OF_ONE_HALF = frozenset({"cholesky_of", "eigenvalues", "eigenvectors", "eigenvalues_upper", "eigenvectors_upper"})
"""What reads one half of a matrix and takes it as symmetric: differences move both halves, as the gradient does."""

_UP_TO_SIGN = {"eigenvectors": -2, "eigenvectors_upper": -2, "left_vectors": -2, "right_vectors": -1}
"""What returns vectors whose signs the algorithm chooses, with the axis along a vector."""


class Operations:
    """Applies the operations of nodes, and differences them.

    Attributes:
        evaluation: The oracle.
    """

    def __init__(self, evaluation: Evaluation, differences: Differences) -> None:
        self.evaluation = evaluation
        self._differences = differences

    def beside(self, node: Node, operands: Sequence[Any], here: Any) -> Any:
        """Return the value of a node beside the point; vectors without a sign of their own keep the one they have here.

        Raises:
            InputError: If a primitive has no value in high precision.
        """
        found = self.value(node, operands)
        axis = _UP_TO_SIGN.get(node.operation.name) if isinstance(node, Apply) else None
        if axis is None:
            return found
        turned = np.sum(found * here, axis=axis, keepdims=True) < 0
        return np.where(np.asarray(turned, dtype=bool), -found, found)

    def value(self, node: Node, operands: Sequence[Any], *, checked: bool = True) -> Any:
        """Return the value of a node on operands.

        Raises:
            InputError: If a primitive has no value in high precision.
        """
        if isinstance(node, Apply) and node.operation.name in _OF_ONE_HALF:
            operands = [(operands[0] + np.swapaxes(operands[0], -1, -2)) / 2]
        try:
            return self.evaluation.value(node, operands, checked=checked)
        except (TypeError, AttributeError):
            if isinstance(node, Apply) and not isinstance(node, Map) and primitive_of(node).mpmath is None:
                raise errors.no_high_precision(node.operation.name) from None
            raise

    def check_symmetric(self, node: Node, operand: Array) -> None:
        """Refuse a matrix that is not symmetric where one half of it is read: differences would be of another function.

        Raises:
            InputError: If it is not symmetric.
        """
        if isinstance(node, Apply) and node.operation.name in _OF_ONE_HALF:
            apart = self._differences.absolute(operand - np.swapaxes(operand, -1, -2))
            most = max(self._differences.absolute(operand).flat, default=0)
            if any(
                entry > most * self._differences.context.mpf(10) ** -(2 * self._differences.digits)
                for entry in apart.flat
            ):
                raise not_symmetric(node.operation.name, node.operands[0].short())

    def entrywise(self, node: Node, by: Node, values: Mapping[Node, Any]) -> Array:
        """Return the derivative of an elementwise operation by one operand, entry by entry of its value."""
        middle = np.asarray(values[node], dtype=object)
        operand = np.asarray(values[by], dtype=object)
        step = np.asarray(self._differences.step(operand), dtype=object)

        def beside(step: Array) -> Array:
            there = np.asarray(operand + step, dtype=object)
            return np.asarray(self.value(node, _moved(node, by, there, values)))

        def moved(part: Any) -> tuple[Array, Array, Array]:
            return beside(-part * step), beside(part * step), np.broadcast_to(part * step, middle.shape)

        return self._differences.derivative(middle, moved)

    def jacobian(self, node: Node, by: Node, values: Mapping[Node, Any]) -> Array:
        """Return the derivative of any operation by one operand: node.shape + by.shape."""

        def function(value: Array) -> Array:
            return np.asarray(self.beside(node, _moved(node, by, value, values), values[node]))

        return self.by_entry(function, np.asarray(values[by], dtype=object), np.asarray(values[node]))

    def by_entry(self, function: Callable[[Array], Array], value: Array, middle: Array) -> Array:
        """Return the derivative of a function by each entry of its argument, in axes behind those of its value.

        It is NaN where the slopes by entries are not those along a line through the point: the median of four equal
        numbers has slope 0 by each, and rises by 1 with all of them.
        """
        step = np.asarray(self._differences.step(value), dtype=object)
        columns = np.empty((*middle.shape, *value.shape), dtype=object)
        for index in np.ndindex(value.shape):

            def moved(part: Any, index: tuple[int, ...] = index) -> tuple[Array, Array, Array]:
                down, up = value.copy(), value.copy()
                down[index] -= part * step[index]
                up[index] += part * step[index]
                return function(down), function(up), np.asarray(part * step[index], dtype=object)

            columns[(..., *index)] = self._differences.derivative(middle, moved)
        if value.size > 1:
            columns[self._bends(function, value, middle, columns)] = self._differences.context.nan
        return columns

    def _bends(self, function: Callable[[Array], Array], value: Array, middle: Array, columns: Array) -> Array:
        """Tell for which entries of a function its slope along a line is not what its slopes by entries make."""
        differences, one = self._differences, self._differences.context.mpf(1)
        along = np.asarray(differences.step(value) * differences.numbers(_direction(value.shape)), dtype=object)
        length = max(differences.absolute(along).flat)

        def moved(part: Any) -> tuple[Array, Array, Array]:
            return function(value - part * along), function(value + part * along), np.asarray(part * length)

        terms, axes = columns * (along / length), tuple(range(middle.ndim, columns.ndim))
        apart = differences.absolute(differences.derivative(middle, moved) - np.sum(terms, axis=axes))
        sizes = np.sum(differences.absolute(terms), axis=axes)
        noise = one / 10 ** (2 * differences.digits) * (1 + differences.absolute(middle))
        within = np.frompyfunc(lambda a, limit: bool(a <= limit), 2, 1)
        return ~np.asarray(within(apart, noise + one / 10 ** (differences.digits // 2) * sizes), dtype=bool)


def _direction(shape: tuple[int, ...]) -> Array:
    return np.random.default_rng(0).uniform(0.5, 1.0, shape)


def summed_to(terms: Array, shape: tuple[int, ...]) -> Array:
    """Undo broadcasting: sum over what was repeated."""
    front = terms.ndim - len(shape)
    axes = (*range(front), *(front + axis for axis, size in enumerate(shape) if size == 1 != terms.shape[front + axis]))
    return np.asarray(np.sum(terms, axis=axes, initial=0) if axes else terms, dtype=object).reshape(shape)


def _moved(node: Node, by: Node, value: Any, values: Mapping[Node, Any]) -> list[Any]:
    """Return the operands, one of them with another value wherever it stands: ``max(a, a)`` has no kink."""
    return [value if operand is by else values[operand] for operand in node.operands]
