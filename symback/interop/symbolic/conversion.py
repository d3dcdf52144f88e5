"""What entry points do with what they are given: SymPy in gives SymPy out."""

from collections.abc import Sequence
from typing import Any

import sympy

from symback import errors
from symback.errors.symbolic_sums import array_as_variable, entry_as_variable
from symback.interop.symbolic.bridge import SympyBridge
from symback.interop.symbolic.differentials import ENTRIES
from symback.interop.symbolic.explicit import (
    as_lists,
    check_symbols,
    entries_of,
    hessian_of,
    is_explicit,
    jacobian_of,
    put_together,
    variables_in,
)
from symback.interop.symbolic.single_entries import as_real
from symback.interop.symbolic.squeezing import without_unit_axes
from symback.nodes.leaves import Variable, variable
from symback.nodes.node import Node
from symback.structure import Nested, Packed, leaves_of, packed_in, refill


class Conversion:
    """Converts what a call was given; SymPy outputs give SymPy results, with the symbols one began with.

    Attributes:
        plain: Whether an output is a plain SymPy expression or an explicit matrix of them.
    """

    def __init__(self, outputs: Nested) -> None:
        self._bridge = SympyBridge()
        for leaf in leaves_of(outputs):
            self._bridge.read(entries_of(leaf) if _is_sympy(leaf) else ())
        self.plain = any(_is_sympy(leaf) for leaf in leaves_of(outputs))

    # -- in ------------------------------------------------------------------------------------------------

    def nodes(self, nested: Nested) -> list[Node]:
        """Return the leaves of a structure as nodes."""
        return [self._bridge.to_node(leaf) for leaf in leaves_of(nested)]

    def one_node(self, operation: str, output: Any) -> Node:
        """Return what must be one node, and no structure of nodes."""
        return self._bridge.to_node(_one(operation, output))

    def loss(self, operation: str, output: Any) -> Node:
        """Return what must be one node, as the real number that it stands for if it is of SymPy."""
        return self._bridge.to_loss(_one(operation, output))

    def arrays(self, operation: str, nested: Nested) -> list[Node]:
        """Return the leaves of a structure in which nothing is an object made of several arrays."""
        for packed in packed_in(nested):
            raise errors.packed_output(operation, packed)
        return self.nodes(nested)

    def entries(self, operation: str, nested: Nested) -> list[list[Node]]:
        """Return for each leaf its nodes: of an explicit matrix the entries, of anything else it alone."""
        for packed in packed_in(nested):
            raise errors.packed_output(operation, packed)
        return [[self._real(entry) for entry in entries_of(leaf)] for leaf in leaves_of(nested)]

    def _real(self, entry: Any) -> Node:
        return as_real(entry, self._bridge.to_node(entry))

    def variables(self, wrt: Nested) -> list[Node]:
        """Return what is differentiated by: the entries of matrices of symbols, and each other leaf."""
        leaves = variables_in(wrt)
        for leaf in leaves:
            if isinstance(leaf, ENTRIES):
                raise entry_as_variable(leaf)
            if isinstance(leaf, (sympy.NDimArray, sympy.Tuple)):
                raise array_as_variable(leaf)
        return [self._bridge.to_node(leaf) for leaf in leaves]

    def arguments(self, nested: Nested) -> Nested:
        """Return a structure of inputs in which each explicit matrix of symbols is one variable with two axes.

        From then on the symbols are entries of that variable. It has the name ``matrix_1``, ``matrix_2`` and so on.
        """
        leaves = leaves_of(nested)
        taken = {str(getattr(entry, "name", "")) for leaf in leaves for entry in entries_of(leaf)}
        return refill(nested, [self._argument(leaf, taken) if is_explicit(leaf) else leaf for leaf in leaves])

    def _argument(self, matrix: Any, taken: set[str]) -> Variable:
        check_symbols(matrix)
        number = 1
        while f"matrix_{number}" in taken:
            number += 1
        taken.add(f"matrix_{number}")
        made = variable(f"matrix_{number}", matrix.shape)
        for place, symbol in enumerate(matrix.flat()):
            self._bridge.bind(symbol, made[divmod(place, matrix.cols)])
        return made

    # -- out -----------------------------------------------------------------------------------------------

    def results(self, structure: Nested, nodes: Sequence[Node]) -> Nested:
        """Return results in a structure, as SymPy expressions if that is what went in, of a matrix in its class."""
        pairs = zip(leaves_of(structure), self.exprs(nodes), strict=True)
        return refill(
            structure,
            [type(leaf)(found) if is_explicit(leaf) and is_explicit(found) else found for leaf, found in pairs],
        )

    def by_variables(self, wrt: Nested, nodes: Sequence[Node]) -> Nested:
        """Return one result for each variable, in the structure of the variables; in matrices, if they are."""
        return put_together(wrt if self.plain else as_lists(wrt), self.exprs(nodes))

    def jacobians(self, outputs: Nested, wrt: Nested, rows: Sequence[Sequence[Sequence[Any]]]) -> Nested:
        """Return derivatives: for each output, for each of its entries, one for each variable."""
        wrt = wrt if self.plain else as_lists(wrt)
        leaves = leaves_of(outputs)
        found = [jacobian_of(leaf, wrt, held) for leaf, held in zip(leaves, rows, strict=True)]
        return refill(outputs, found)

    def hessians(self, wrt: Nested, rows: Sequence[Sequence[Node]]) -> Nested:
        """Return second derivatives, one for each two variables."""
        return hessian_of(wrt if self.plain else as_lists(wrt), [self.exprs(row) for row in rows])

    def exprs(self, nodes: Sequence[Node]) -> list[Any]:
        """Return nodes as SymPy expressions, if that is what went in.

        Axes of size 1 that are too many for a matrix are left out.
        """
        if not self.plain:
            return list(nodes)
        return self._bridge.to_exprs([without_unit_axes(node) if len(node.shape) > 2 else node for node in nodes])


def _one(operation: str, output: Any) -> Any:
    if isinstance(output, (list, tuple, dict, Packed)):
        raise errors.not_one_node(operation, output)
    return output


def _is_sympy(leaf: Any) -> bool:
    return isinstance(leaf, (sympy.Basic, sympy.MatrixBase)) and not isinstance(leaf, Node)
