"""Expressions of SymPy to nodes and back, with the symbols one began with: `SympyBridge`, `from_sympy`.

Rules for the classes of SymPy stand in the tables of `symback.interop.symbolic`. Nothing recurses over the depth of an
expression, and shared subexpressions stay shared.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import sympy
from sympy.logic.boolalg import Boolean, BooleanAtom

from symback import errors
from symback.interop.symbolic.into_scalars import to_sympy
from symback.interop.symbolic.rule import Rule, refusal
from symback.interop.symbolic.scalars import SCALARS
from symback.nodes.leaves import Variable, as_node, exact_from_sympy, variable
from symback.nodes.node import HOOKS, Node
from symback.nodes.shapes import SizeExpr, as_size

__all__ = ["SympyBridge", "from_sympy", "to_sympy"]

RULES: Mapping[type, Rule] = {**SCALARS}
"""The rule of each class; a class without one has that of its nearest base class."""

_ARITHMETIC = (sympy.Add, sympy.Mul, sympy.Pow, sympy.Function)
"""What is a constant if its arguments are."""


class SympyBridge:
    """SymPy expressions to nodes and back, with the symbols one began with.

    Every SymPy symbol becomes one float64 variable of shape () with the symbol's name, and becomes itself
    again on the way back, with its assumptions. Symbols and intermediate values are taken as real.

    Example:
        >>> import sympy
        >>> x = sympy.Symbol("x", positive=True)
        >>> bridge = SympyBridge()
        >>> node = bridge.to_node(sympy.exp(x) / x)
        >>> bridge.to_expr(node * 2)
        2*exp(x)/x
    """

    def __init__(self) -> None:
        self._variables: dict[sympy.Basic, Variable] = {}
        self._symbols: dict[Variable, sympy.Basic] = {}

    @property
    def symbols(self) -> Mapping[Variable, sympy.Basic]:
        """For each variable that a symbol became, that symbol."""
        return self._symbols

    def to_node(self, expr: Any) -> Node:
        """Turn a SymPy expression, a number or a symbol into a node; see `from_sympy`."""
        if isinstance(expr, Node) or not isinstance(expr, sympy.Basic):
            return as_node(expr)
        return self.converted(expr, {})

    def to_expr(self, node: Node) -> sympy.Basic:
        """Turn a scalar node into a SymPy expression; see `to_sympy`."""
        return to_sympy(node, self._symbols)

    def converted(self, expr: sympy.Basic, bound: Mapping[sympy.Basic, Node]) -> Node:
        """Return the node of an expression in which some symbols stand for nodes."""
        walk = _Walk(self, bound)
        for part in walk.order(expr):
            walk.convert(part)
        return walk.node(expr)

    def variable(self, symbol: Any, shape: Sequence[SizeExpr] = ()) -> Variable:
        """Return the variable of a symbol of any kind: a scalar, a matrix, an array.

        Raises:
            UsageError: If it does not stand for a real number.
            InvalidNameError: If its name is no identifier, or that of another symbol.
        """
        found = self._variables.get(symbol)
        if found is None:
            if symbol.is_commutative is False and not shape:
                raise errors.no_counterpart("Symbol", symbol.name, "symbols stand for real numbers")
            if getattr(symbol, "is_extended_real", None) is False:
                raise errors.no_counterpart("Symbol", symbol.name, "symbols stand for real numbers")
            found = variable(str(symbol.name), tuple(shape))
            if found in self._symbols:
                raise errors.symbol_clash(symbol.name)
            self._variables[symbol], self._symbols[found] = found, symbol
        return found

    def size(self, size: sympy.Basic) -> SizeExpr:
        """Return a size: an integer, or an expression of symbolic sizes."""
        return as_size(int(size) if isinstance(size, sympy.Integer) else size)


class _Walk:
    """The conversion of one expression: the nodes of its parts, by their identity."""

    def __init__(self, bridge: SympyBridge, bound: Mapping[sympy.Basic, Node]) -> None:
        self._bridge = bridge
        self._bound = bound
        self._nodes: dict[int, Node | sympy.Expr | None] = {}
        self.variable, self.size = bridge.variable, bridge.size

    def node(self, argument: sympy.Basic) -> Node:
        found = self._nodes[id(argument)]
        if found is None:
            raise refusal(argument)
        return found if isinstance(found, Node) else exact_from_sympy(found)

    def inside(self, expr: sympy.Basic, bound: Mapping[sympy.Basic, Node]) -> Node:
        return self._bridge.converted(expr, {**self._bound, **bound})

    def order(self, root: sympy.Basic) -> list[sympy.Basic]:
        """Return the parts that are converted, children first, each object once."""
        order: list[sympy.Basic] = []
        done: set[int] = set()
        stack: list[tuple[sympy.Basic, bool]] = [(root, False)]
        while stack:
            part, expanded = stack.pop()
            if expanded:
                order.append(part)
            elif id(part) not in done:
                done.add(id(part))
                stack.append((part, True))
                stack.extend((child, False) for child in reversed(self._children(part)) if id(child) not in done)
        return order

    def _children(self, part: sympy.Basic) -> Sequence[sympy.Basic]:
        if isinstance(part, Node) or not part.args or (self._bound and part in self._bound):
            return ()
        rule = rule_of(part)
        return part.args if rule is None else rule.children(part)

    def convert(self, part: sympy.Basic) -> None:
        """Convert one part: to a node, to itself if it is a constant, to None if it is only part of another."""
        self._nodes[id(part)] = self._converted(part)

    def _converted(self, part: sympy.Basic) -> Node | sympy.Expr | None:
        if isinstance(part, Node):
            if part.shape:
                hint = "SymPy knows no shapes: use sb.exp, sb.sin, … on it"
                raise errors.no_counterpart("a node with axes", part.short(), hint)
            return part
        if self._bound and part in self._bound:
            return self._bound[part]
        if isinstance(part, sympy.Symbol):
            return self.variable(part)
        if isinstance(part, BooleanAtom):
            return as_node(bool(part))
        if isinstance(part, (sympy.Number, sympy.NumberSymbol)):
            return part
        if isinstance(part, _ARITHMETIC) and all(isinstance(self._nodes.get(id(a)), sympy.Expr) for a in part.args):
            return part
        rule = rule_of(part)
        if rule is None and not isinstance(part, (sympy.Expr, Boolean)):
            return None
        if rule is None:
            raise refusal(part)
        return rule.convert(part, self)


def rule_of(part: sympy.Basic) -> Rule | None:
    """Return the rule of the class of an expression, or of its nearest base class that has one."""
    for kind in type(part).__mro__:
        if kind in RULES:
            return RULES[kind]
    return None


def from_sympy(expr: Any) -> Node:
    """Turn a scalar SymPy expression into a node of shape ().

    Symbols become float64 variables of shape () with their names. Quotients, differences and square roots
    become what one would have written by hand; a Float becomes the fraction that it is. Scalar nodes inside
    the expression (``sympy.exp(node)``) stay what they are.

    Args:
        expr: Made of symbols, real constants, sums, products, powers, the elementary functions NumPy has,
            Max, Min, Piecewise, relations and logic. Numbers and nodes are accepted too.

    Raises:
        InvalidNameError: If a symbol's name is no identifier, or two different symbols have one name.
        UsageError: If the expression holds something else; the message names it.

    Example:
        >>> import symback as sb, sympy
        >>> x, y = sympy.symbols("x y")
        >>> from_sympy((x - 1) / y) is (sb.tensor("x") - 1) / sb.tensor("y")
        True
    """
    return SympyBridge().to_node(expr)


HOOKS["from_sympy"] = from_sympy
