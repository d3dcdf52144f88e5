"""Scalars that matrices of the shape (1, 1) stand in for, as SymPy has it."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import sympy

from symback.errors import symbolic_matrices as messages
from symback.interop.symbolic.declared import Declared
from symback.interop.symbolic.ranges import NO_RANGES, Ranges
from symback.interop.symbolic.rule import Convert, Given, Rule
from symback.nodes.contract import contract
from symback.nodes.dtypes import FLOAT64
from symback.nodes.leaves import Variable
from symback.nodes.node import METHODS, Node
from symback.nodes.shapes import SizeExpr


class _Scalars:
    """What rules of scalars get where an argument is a matrix: of the shape (1, 1) it is its entry."""

    def __init__(self, part: sympy.Basic, given: Given) -> None:
        self._part = part
        self._given = given

    @property
    def ranges(self) -> Ranges:
        return self._given.ranges

    @property
    def declared(self) -> Declared:
        return self._given.declared

    def node(self, argument: sympy.Basic) -> Node:
        node = self._given.node(argument)
        if not argument.is_Matrix:
            return node
        if node.shape != (1, 1):
            raise messages.matrix_as_scalar(type(self._part).__name__, node.shape)
        return contract([(node, (0, 0))], ())

    def shared(self, argument: sympy.Basic) -> bool:
        return self._given.shared(argument)

    def inside(self, expr: sympy.Basic, bound: Mapping[sympy.Basic, Node], ranges: Ranges = NO_RANGES) -> Node:
        return self._given.inside(expr, bound, ranges)

    def variable(self, symbol: sympy.Basic, shape: Sequence[SizeExpr]) -> Variable:
        return self._given.variable(symbol, shape)

    def size(self, size: sympy.Basic) -> SizeExpr:
        return self._given.size(size)


def as_number(expr: Any, node: Node) -> Node:
    """Return the node of what stands for a real number in SymPy: of a matrix of the shape (1, 1) its entry."""
    single = isinstance(expr, (sympy.MatrixExpr, sympy.MatrixBase)) and node.shape == (1, 1)
    return as_real(expr, contract([(node, (0, 0))], ()) if single else node)


def as_real(expr: Any, node: Node) -> Node:
    """Return the node of an expression that is differentiated: integers are real numbers there."""
    if isinstance(expr, sympy.Basic) and not isinstance(expr, Node) and node.dtype.kind in "iu":
        return cast(Node, METHODS["astype"](node, FLOAT64))
    return node


def with_matrices(rules: Mapping[type, Rule]) -> dict[type, Rule]:
    """Return rules of scalars that take 1x1 matrices for scalars, as SymPy does, and refuse any other matrix."""
    return {kind: Rule(_over_matrices(rule.convert), rule.children) for kind, rule in rules.items()}


def _over_matrices(convert: Convert) -> Convert:
    def converted(part: Any, given: Given) -> Node:
        mixed = any(argument.is_Matrix for argument in part.args)
        return convert(part, _Scalars(part, given) if mixed else given)

    return converted
