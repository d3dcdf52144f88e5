"""What entry points do with what they are given: SymPy in gives SymPy out."""

from collections.abc import Sequence
from typing import Any

import sympy

from symback import errors
from symback.interop.symbolic.bridge import SympyBridge
from symback.nodes.node import Node
from symback.structure import Nested, Packed, leaves_of, packed_in, refill


class Conversion:
    """Converts what a call was given; SymPy outputs give SymPy results, with the symbols one began with.

    Attributes:
        plain: Whether an output is a plain SymPy expression.
    """

    def __init__(self, outputs: Nested) -> None:
        self._bridge = SympyBridge()
        self.plain = any(isinstance(leaf, sympy.Basic) and not isinstance(leaf, Node) for leaf in leaves_of(outputs))

    def nodes(self, nested: Nested) -> list[Node]:
        """Return the leaves of a structure as nodes."""
        return [self._bridge.to_node(leaf) for leaf in leaves_of(nested)]

    def one_node(self, operation: str, output: Any) -> Node:
        """Return what must be one node, and no structure of nodes."""
        if isinstance(output, (list, tuple, dict, Packed)):
            raise errors.not_one_node(operation, output)
        return self._bridge.to_node(output)

    def arrays(self, operation: str, nested: Nested) -> list[Node]:
        """Return the leaves of a structure in which nothing is an object made of several arrays."""
        for packed in packed_in(nested):
            raise errors.packed_output(operation, packed)
        return self.nodes(nested)

    def results(self, structure: Nested, nodes: Sequence[Node]) -> Nested:
        """Return results in a structure, as SymPy expressions if that is what went in."""
        return refill(structure, [self._expr(node) for node in nodes] if self.plain else nodes)

    def _expr(self, node: Node) -> sympy.Basic:
        if node.shape:
            raise errors.nodes_in_sympy(node)
        return self._bridge.to_expr(node)
