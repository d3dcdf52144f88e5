"""How an expression of SymPy becomes a node: what a row of the tables says, and what a rule gets to work with."""

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple, Protocol

import sympy

from symback import errors
from symback.interop.symbolic.correspondence import HINTS
from symback.interop.symbolic.declared import Declared
from symback.interop.symbolic.ranges import NO_RANGES, Ranges
from symback.nodes.leaves import Variable
from symback.nodes.node import Node
from symback.nodes.shapes import SizeExpr


class Given(Protocol):
    """What a rule gets beside the expression."""

    def node(self, argument: sympy.Basic) -> Node:
        """Return the node of one of the children, which have been converted."""

    def shared(self, argument: sympy.Basic) -> bool:
        """Is this child used in more than one place of the expression?"""

    @property
    def ranges(self) -> Ranges:
        """The ranges of the indices that the sums around bind; expressions have axes for them."""

    @property
    def declared(self) -> Declared:
        """What the whole expression says of sizes and of the shapes of indexed names."""

    def inside(self, expr: sympy.Basic, bound: Mapping[sympy.Basic, Node], ranges: Ranges = NO_RANGES) -> Node:
        """Convert an expression in which some symbols stand for nodes: the body of a sum, of a lambda.

        `ranges` are those of the symbols that are indices.
        """

    def variable(self, symbol: sympy.Basic, shape: Sequence[SizeExpr]) -> Variable:
        """Return the variable that a symbol of any kind stands for, one and the same for each symbol."""

    def size(self, size: sympy.Basic) -> SizeExpr:
        """Return a size: an integer, or an expression of symbolic sizes."""


Convert = Callable[[Any, Given], Node]


class Rule(NamedTuple):
    """A row of a table.

    Attributes:
        convert: From the expression and what is given to the node.
        children: The arguments that are converted before; the others are names, sizes, indices, bodies.
    """

    convert: Convert
    children: Callable[[Any], Sequence[sympy.Basic]] = lambda part: part.args


def refusal(part: sympy.Basic) -> errors.UsageError:
    """Return the error for an expression that has no counterpart, with the nearest thing that works."""
    kind = type(part).__name__
    if isinstance(part, sympy.Function) and kind not in HINTS:
        hint = "there is no such elementwise function; declare it with sb.elementwise and apply that"
    else:
        hint = HINTS.get(
            kind, "it is no real scalar of elementary functions, and no matrix or array that has a meaning here"
        )
    return errors.no_counterpart(kind, part_text(part), hint)


def part_text(part: sympy.Basic) -> str:
    """Return an expression as text, and nothing if it is long."""
    return str(part) if sum(1 for _ in islice(sympy.preorder_traversal(part), 30)) < 30 else ""
