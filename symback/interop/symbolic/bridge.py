"""Expressions of SymPy to nodes and back, with the symbols one began with: `SympyBridge`, `from_sympy`.

Rules for the classes of SymPy stand in the tables of `symback.interop.symbolic`. Nothing recurses over the depth of an
expression, and shared subexpressions stay shared.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, cast

import sympy
from sympy.logic.boolalg import Boolean, BooleanAtom

from symback import errors
from symback.errors.symbolic_matrices import size_clash
from symback.interop.symbolic.arrays import ARRAYS, with_arrays
from symback.interop.symbolic.declared import Declared
from symback.interop.symbolic.differentials import DIFFERENTIALS
from symback.interop.symbolic.functions import FUNCTIONS, is_own
from symback.interop.symbolic.matrices import MATRICES
from symback.interop.symbolic.ranges import NO_RANGES, Ranges
from symback.interop.symbolic.rule import Rule, part_text, refusal
from symback.interop.symbolic.scalars import SCALARS
from symback.interop.symbolic.single_entries import as_number, with_matrices
from symback.interop.symbolic.sums import SUMS
from symback.nodes.leaves import Variable, as_node, exact_from_sympy, size_of, variable
from symback.nodes.node import HOOKS, Node
from symback.nodes.rows import postorder
from symback.nodes.shapes import SizeExpr, as_size, is_size_symbol

RULES: Mapping[type, Rule] = {
    **with_arrays({**FUNCTIONS, **with_matrices(SCALARS)}),
    **ARRAYS,
    **MATRICES,
    **SUMS,
    **DIFFERENTIALS,
}
"""The rule of each class; a class without one has that of its nearest base class."""

_ARITHMETIC = (sympy.Add, sympy.Mul, sympy.Pow, sympy.Function)
"""What is a constant if its arguments are."""

_REAL_ONLY = (
    sympy.Abs, sympy.sign, sympy.conjugate, sympy.floor, sympy.ceiling, sympy.Max, sympy.Min, sympy.Heaviside,
    sympy.atan2, sympy.core.relational.Relational,
)  # fmt: skip
"""What has no derivative by a complex number."""

_MAKE_REAL = "a symbol in it is complex, by which it has no derivative: make the symbol with real=True"


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
        self._names: dict[str, sympy.Basic] = {}
        self._complex: set[sympy.Basic] = set()
        self._sizes: dict[str, sympy.Symbol] = {}
        self._entries: dict[sympy.Basic, Node] = {}
        self.declared = Declared(self.size)
        self._walk = _Walk(self, {}, {})
        self._converted: list[sympy.Basic] = []

    @property
    def symbols(self) -> Mapping[Variable, sympy.Basic]:
        """For each variable that a symbol became, that symbol."""
        return self._symbols

    def to_node(self, expr: Any) -> Node:
        """Turn a SymPy expression, a number or a symbol into a node; see `from_sympy`."""
        if isinstance(expr, (sympy.MatrixBase, sympy.NDimArray)) and not isinstance(expr, sympy.Basic):
            expr = expr.as_immutable()
        if isinstance(expr, Node) or not isinstance(expr, sympy.Basic):
            return as_node(expr)
        return self.converted(expr, {})

    def to_loss(self, expr: Any) -> Node:
        """Turn what is differentiated into a node; a matrix of the shape (1, 1) stands for its entry."""
        if isinstance(expr, sympy.MatrixBase) and expr.shape == (1, 1):
            expr = expr[0, 0]
        return as_number(expr, self.to_node(expr))

    def to_expr(self, node: Node) -> sympy.Basic:
        """Turn a scalar node into a SymPy expression; see `to_sympy`."""
        return self.to_exprs([node])[0]

    def to_exprs(self, nodes: Sequence[Node]) -> list[sympy.Basic]:
        """Turn nodes into SymPy expressions; those of scalars share their parts."""
        return cast(list[sympy.Basic], HOOKS["to_sympy"](nodes, self._symbols))

    def converted(self, expr: sympy.Basic, bound: Mapping[sympy.Basic, Node]) -> Node:
        """Return the node of an expression in which some symbols stand for nodes."""
        self.read([expr])
        if bound:
            return self.part(expr, bound, {})
        self._converted.append(expr)  # held, so that no other object gets its id
        node = self._walk.through(expr)
        self.hold_real(expr)
        return node

    def hold_real(self, expr: sympy.Basic) -> None:
        """Refuse functions that have no complex derivative, of symbols that are said to be complex.

        Raises:
            UsageError: For `Abs(z)` say, where z assumes complex=True.
        """
        if not self._complex:
            return
        depending: set[int] = set()
        for part in postorder(expr):
            if part in self._complex or any(id(argument) in depending for argument in part.args):
                depending.add(id(part))
                if isinstance(part, _REAL_ONLY):
                    raise errors.no_counterpart(type(part).__name__, part_text(part), _MAKE_REAL)

    def read(self, exprs: Sequence[sympy.Basic]) -> None:
        """Read what expressions say of sizes and shapes, before any of them is converted."""
        for expr in exprs:
            self.declared.read(expr)

    def part(self, expr: sympy.Basic, bound: Mapping[sympy.Basic, Node], ranges: Ranges) -> Node:
        """Return the node of a part of an expression that has been read."""
        return _Walk(self, bound, ranges).through(expr)

    def variable(self, symbol: Any, shape: Sequence[SizeExpr] = ()) -> Variable:
        """Return the variable of a symbol of any kind: a scalar, a matrix, an array.

        Raises:
            UsageError: If it does not stand for a real number.
            InvalidNameError: If its name is no identifier, or that of another symbol.
        """
        found = self._variables.get(symbol)
        if found is None:
            if str(symbol.name) in self._sizes:
                raise size_clash(symbol.name)
            if not shape and (symbol.is_commutative is False or symbol.is_extended_real is False):
                raise errors.no_counterpart("Symbol", symbol.name, "symbols stand for real numbers")
            found = variable(str(symbol.name), tuple(shape))
            if self._names.setdefault(found.name, symbol) != symbol:
                raise errors.symbol_clash(symbol.name)
            self._variables[symbol], self._symbols[found] = found, symbol
            if not shape and symbol.is_complex and not symbol.is_extended_real:
                self._complex.add(symbol)
        return found

    def size(self, size: sympy.Basic) -> SizeExpr:
        """Return a size: an integer, or an expression of symbolic sizes."""
        for symbol in size.free_symbols:
            known = self._sizes.setdefault(symbol.name, symbol)
            if not _same_size(known, symbol) or symbol.name in self._names:
                raise size_clash(symbol.name)
        return as_size(int(size) if isinstance(size, sympy.Integer) else size)

    def bind(self, symbol: sympy.Symbol, node: Node) -> None:
        """Let a symbol stand for a node: an entry of a matrix of symbols that is one argument."""
        if symbol in self._entries or self._names.setdefault(symbol.name, node) is not node:
            raise errors.symbol_clash(symbol.name)
        self._entries[symbol] = node
        self._walk = _Walk(self, {}, {})

    def value(self, symbol: sympy.Symbol) -> Node:
        """Return what a symbol is as a number: a size of matrices if it is one, else its variable."""
        if symbol in self._entries:
            return self._entries[symbol]
        if symbol.name in self._sizes and _same_size(self._sizes[symbol.name], symbol):
            return size_of(as_size(symbol))
        return self.variable(symbol)


def _same_size(one: sympy.Symbol, other: sympy.Symbol) -> bool:
    """Are these one size: one symbol, or that which a shape has for it?"""
    return one == other or is_size_symbol(one) or is_size_symbol(other)


class _Walk:
    """The conversion of expressions: the nodes of their parts, by their identity."""

    def __init__(self, bridge: SympyBridge, bound: Mapping[sympy.Basic, Node], ranges: Ranges) -> None:
        self._bridge = bridge
        self._bound = bound
        self.ranges, self.declared = ranges, bridge.declared
        self._nodes: dict[int, Node | sympy.Expr | None] = {}
        self._uses: Counter[int] = Counter()
        self.variable, self.size = bridge.variable, bridge.size

    def through(self, root: sympy.Basic) -> Node:
        """Convert an expression and return its node; what was converted before is taken from there."""
        for part in self.order(root):
            self.convert(part)
        return self.node(root)

    def node(self, argument: sympy.Basic) -> Node:
        found = self._nodes[id(argument)]
        if found is None:
            raise refusal(argument)
        return found if isinstance(found, Node) else exact_from_sympy(found)

    def shared(self, argument: sympy.Basic) -> bool:
        return self._uses[id(argument)] > 1

    def inside(self, expr: sympy.Basic, bound: Mapping[sympy.Basic, Node], ranges: Ranges = NO_RANGES) -> Node:
        for symbol in bound:
            if symbol in self.declared.sizes:
                raise size_clash(str(symbol))
        around = {(sympy.Dummy() if index in bound else index): found for index, found in self.ranges.items()}
        return self._bridge.part(expr, {**self._bound, **bound}, {**around, **ranges})

    def order(self, root: sympy.Basic) -> list[sympy.Basic]:
        """Return the parts that are converted, children first, each object once."""
        order: list[sympy.Basic] = []
        done: set[int] = set()
        stack: list[tuple[sympy.Basic, bool]] = [(root, False)]
        while stack:
            part, expanded = stack.pop()
            if expanded:
                order.append(part)
            elif id(part) not in done and id(part) not in self._nodes:
                done.add(id(part))
                stack.append((part, True))
                children = self._children(part)
                self._uses.update(map(id, children))
                stack.extend((child, False) for child in reversed(children) if id(child) not in done)
        return order

    def _children(self, part: sympy.Basic) -> Sequence[sympy.Basic]:
        if isinstance(part, Node) or not part.args or (self._bound and part in self._bound):
            return ()
        rule = rule_of(part)
        if rule is None:
            return () if isinstance(part, (sympy.Expr, Boolean)) else part.args  # the whole is refused, not a part
        return rule.children(part)

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
            return self._bridge.value(part)
        if isinstance(part, BooleanAtom):
            return as_node(bool(part))
        if isinstance(part, (sympy.Number, sympy.NumberSymbol)):
            return part
        if isinstance(part, _ARITHMETIC) and self._is_constant(part):
            return part
        rule = rule_of(part)
        if rule is None and not isinstance(part, (sympy.Expr, Boolean)):
            return None
        if rule is None:
            raise refusal(part)
        return rule.convert(part, self)

    def _is_constant(self, part: sympy.Basic) -> bool:
        """Is this a number of SymPy's: are its arguments constants, and is it no function that has no value?"""
        return all(isinstance(self._nodes.get(id(a)), sympy.Expr) for a in part.args) and not is_own(part)


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
HOOKS["sympy_with"] = lambda expr, bound: SympyBridge().converted(expr, bound)
