"""Functions of symmetric matrices: their gradient is symmetric, so only symmetric directions are held against it.

The factor of Cholesky and eigenvalues read one triangle of a matrix. What their gradient says is what happens when
the matrix stays symmetric: each entry moves together with its mirror image.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from symback.graph import dependents, toposort
from symback.nodes.apply import Apply
from symback.nodes.node import Node

Array = np.ndarray[Any, Any]

SYMMETRIC = frozenset({"cholesky_of", "eigenvalues", "eigenvectors", "eigenvalues_upper", "eigenvectors_upper"})
"""The functions of symmetric matrices."""

_MOVED = 1e-3
_ALIKE = 1e-9


def mirrored(direction: Array) -> Array:
    """Return a direction in which mirror images move alike, as the entries of one triangle do, or else the other.

    Example:
        >>> mirrored(np.array([[1.0, 2.0], [3.0, 4.0]])).tolist(), mirrored(np.array([[0, 0], [1, 0]])).tolist()
        ([[1.0, 2.0], [2.0, 4.0]], [[0, 1], [1, 0]])
    """
    upper, lower = np.triu(direction), np.tril(direction)
    above = np.where(upper != 0, upper, np.swapaxes(lower, -1, -2))
    return np.asarray(np.triu(above) + np.swapaxes(np.triu(above, 1), -1, -2))


def is_to_stay_symmetric(
    loss: Node, node: Node, value: Array, function: Callable[[Node], Callable[[Any], Any]]
) -> bool:
    """Tell whether a matrix must stay symmetric for what the loss takes to be symmetric to stay so.

    Args:
        loss: The loss.
        node: What is moved.
        value: Its value.
        function: From another node to the function that it is of `node`.
    """
    if value.ndim < 2 or value.shape[-1] != value.shape[-2] or value.shape[-1] < 2:
        return False
    moving = dependents([loss], [node])
    read = [n.operands[0] for n in toposort([loss]) if isinstance(n, Apply) and n.operation.name in SYMMETRIC]
    read = [operand for operand in read if operand is node or operand in moving]
    if not read:
        return False
    length = _MOVED * (float(np.max(np.abs(value))) or 1.0)
    direction = np.asarray(length * np.random.default_rng(0).uniform(-1, 1, value.shape))
    functions = [function(operand) for operand in read]
    along = [all(_is_symmetric(each(value + d)) for each in functions) for d in (direction, mirrored(direction))]
    return along == [False, True]


def _is_symmetric(matrix: Any) -> bool:
    found = np.asarray(matrix)
    return bool(np.all(np.abs(found - np.swapaxes(found, -1, -2)) <= _ALIKE * np.max(np.abs(found), initial=0.0)))
