"""What rounding decides: ties, jumps and singular matrices, of which two right formulas may give two values."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from symback.derivation.proof.differences import Array
from symback.errors.derivation import decided_by_rounding
from symback.nodes.node import Node


def alike(one: Array, other: Array, context: Any, least: int = 0) -> bool:
    """Are two arrays the same but for rounding, in parts of each entry or of `least`, and NaN in the same places?"""
    if one.shape != other.shape:
        return False
    small = context.mpf(10) ** -(context.dps // 2)
    pairs = zip(one.flat, other.flat, strict=True)
    return all(a == b or (a != a and b != b) or abs(a - b) <= small * max(abs(a), abs(b), least) for a, b in pairs)


class Determined:
    """A point that refuses to apply an operation whose value is another one than the node's for rounding alone.

    Args:
        point: The point, which gives everything else.
    """

    def __init__(self, point: Any) -> None:
        self._point = point

    def __getattr__(self, name: str) -> Any:
        return getattr(self._point, name)

    def apply(self, node: Node, operands: Sequence[Any]) -> Array:
        """Return the value of the operation of a node on other operands.

        Raises:
            KinkError: If the operands are those of the node but for rounding, and the value is not.
        """
        found: Array = self._point.apply(node, operands)
        if not self._agree([found], [node]) and self._agree(operands, node.operands):
            raise decided_by_rounding(node.short())
        return found

    def _agree(self, arrays: Iterable[Any], nodes: Iterable[Node]) -> bool:
        context = self._point.context
        for array, node in zip(arrays, nodes, strict=True):
            one, other = (self._point.numbers(np.asarray(value)) for value in (array, self._point.array(node)))
            if _fit(one, other):
                one, other = np.broadcast_arrays(one, other)
                if not alike(one, other, context, least=1):
                    return False
        return True


def _fit(one: Array, other: Array) -> bool:
    return all(a == b or 1 in (a, b) for a, b in zip(one.shape[::-1], other.shape[::-1], strict=False))
