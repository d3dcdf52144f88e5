"""Scalar SymPy expressions in and out: `from_sympy`, `to_sympy`, and `SympyBridge`, which keeps the symbols.

Both directions read the one table in `symback.interop.correspondence`. Neither recurses over the depth of
an expression, and shared subexpressions stay shared.
"""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import reduce
from itertools import islice
from typing import Any, cast

import sympy
from sympy.core.function import AppliedUndef
from sympy.functions.elementary.piecewise import ExprCondPair
from sympy.logic.boolalg import Boolean, BooleanAtom

from symback import errors
from symback.interop.correspondence import COMPOSED, HINTS, INTO_NODES
from symback.interop.into_sympy import to_sympy
from symback.nodes.add import add
from symback.nodes.leaves import ExactValue, Variable, as_node, exact, exact_from_sympy, variable
from symback.nodes.node import HOOKS, METHODS, Node
from symback.nodes.products import hadamard, scale
from symback.nodes.rows import postorder
from symback.ops.elementwise.arithmetic import divide
from symback.ops.elementwise.logic import where
from symback.ops.elementwise.powers import power
from symback.structure import Nested, Packed, leaves_of, packed_in, refill

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
        self._variables: dict[sympy.Symbol, Variable] = {}
        self._symbols: dict[Variable, sympy.Symbol] = {}

    @property
    def symbols(self) -> Mapping[Variable, sympy.Symbol]:
        """For each variable that a symbol became, that symbol."""
        return self._symbols

    def to_node(self, expr: Any) -> Node:
        """Turn a scalar SymPy expression, a number or a symbol into a node; see `from_sympy`."""
        if isinstance(expr, Node) or not isinstance(expr, sympy.Basic):
            return as_node(expr)
        nodes: dict[int, Node | sympy.Expr | None] = {}
        for part in postorder(expr):
            nodes[id(part)] = self._convert(part, nodes)
        root = nodes[id(expr)]
        if root is None:
            raise _refusal(expr)
        return root if isinstance(root, Node) else exact_from_sympy(root)

    def to_expr(self, node: Node) -> sympy.Basic:
        """Turn a scalar node into a SymPy expression; see `to_sympy`."""
        return to_sympy(node, self._symbols)

    def _convert(self, part: sympy.Basic, nodes: Mapping[int, Any]) -> Node | sympy.Expr | None:
        """Return the node of one subexpression, itself if it is a constant, None for what is only part of another."""
        if isinstance(part, Node):
            if part.shape:
                hint = "SymPy knows no shapes: use sb.exp, sb.sin, … on it"
                raise errors.no_counterpart("a node with axes", part.short(), hint)
            return part
        if isinstance(part, sympy.Symbol):
            return self._variable(part)
        if isinstance(part, BooleanAtom):
            return as_node(bool(part))
        if isinstance(part, (sympy.Number, sympy.NumberSymbol)):
            return part
        if not isinstance(part, (sympy.Expr, Boolean)):
            return None
        if isinstance(part, _ARITHMETIC) and all(isinstance(nodes[id(a)], sympy.Expr) for a in part.args):
            return part
        return _convert_operation(part, nodes)

    def _variable(self, symbol: sympy.Symbol) -> Variable:
        found = self._variables.get(symbol)
        if found is None:
            if symbol.is_extended_real is False or not symbol.is_commutative:
                raise errors.no_counterpart("Symbol", symbol.name, "symbols stand for real numbers")
            found = variable(symbol.name)
            if found in self._symbols:
                raise errors.symbol_clash(symbol.name)
            self._variables[symbol], self._symbols[found] = found, symbol
        return found


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


def _refusal(part: sympy.Basic) -> errors.UsageError:
    kind = type(part).__name__
    if isinstance(part, AppliedUndef):
        hint = "an undefined function has no value; declare it with sb.elementwise and apply that"
    elif isinstance(part, sympy.Function) and kind not in HINTS:
        hint = "there is no such elementwise function; declare it with sb.elementwise and apply that"
    else:
        hint = HINTS.get(kind, "only real scalar expressions of elementary functions are supported")
    text = str(part) if sum(1 for _ in islice(sympy.preorder_traversal(part), 30)) < 30 else ""
    return errors.no_counterpart(kind, text, hint)


def _convert_operation(part: sympy.Basic, nodes: Mapping[int, Any]) -> Node:
    """Return the node of an operation whose arguments have been converted."""

    def node(argument: sympy.Basic) -> Node:
        found = nodes[id(argument)]
        if found is None:
            raise _refusal(argument)
        return found if isinstance(found, Node) else exact_from_sympy(found)

    if isinstance(part, sympy.Add):
        return add(*[node(term) for term in sorted(part.args, key=_place_in_sum)])
    if isinstance(part, sympy.Mul):
        return _product(part, node)
    if isinstance(part, sympy.Pow):
        return _product(part, node) if _is_divisor(part) else power(node(part.base), node(part.exp))
    if isinstance(part, sympy.Piecewise):
        return _piecewise(part, node)
    if isinstance(part, sympy.ITE):
        return where(*map(node, part.args))
    name = INTO_NODES.get(type(part))
    if name is None and type(part) not in COMPOSED:
        raise _refusal(part)
    function: Callable[..., Node] = COMPOSED[type(part)] if name is None else METHODS[name]
    operands = [node(argument) for argument in part.args]
    return reduce(function, operands) if len(operands) > 2 else function(*operands)


def _place_in_sum(term: sympy.Basic) -> int:
    """Order the terms of a sum as one writes them: what is added before what is taken away, numbers last."""
    coefficient = term.args[0] if isinstance(term, sympy.Mul) else term
    negative = coefficient.is_Number and cast(sympy.Expr, coefficient).is_negative
    return 2 * bool(negative) + bool(term.is_Number)


def _is_divisor(factor: sympy.Basic) -> bool:
    """Is this a power with a negative exponent, which one writes under a fraction bar?"""
    return isinstance(factor, sympy.Pow) and factor.exp.is_Number and bool(factor.exp.is_negative)


def _product(part: sympy.Expr, node: Callable[[sympy.Basic], Node]) -> Node:
    """Write a product as one factor, or as one fraction, its sign in front."""
    coefficient: Fraction = Fraction(1)
    above: list[Node] = []
    below: list[Node] = []
    for factor in sympy.Mul.make_args(part):
        if factor.is_Rational:
            coefficient *= Fraction(int(factor.p), int(factor.q))
        elif _is_divisor(factor):
            below.append(power(node(factor.base), exact_from_sympy(-factor.exp)))
        else:
            above.append(node(factor))
    if not below:
        return _scaled(coefficient, hadamard(*above))
    size = abs(coefficient)
    if size.numerator != 1 or not above:
        above.insert(0, exact(size.numerator))
    if size.denominator != 1:
        below.insert(0, exact(size.denominator))
    return _scaled(Fraction(-1 if coefficient < 0 else 1), divide(hadamard(*above), hadamard(*below)))


def _scaled(coefficient: Fraction, node: Node) -> Node:
    value: ExactValue = coefficient.numerator if coefficient.denominator == 1 else coefficient
    return node if value == 1 else scale(value, node)


def _piecewise(part: sympy.Piecewise, node: Callable[[sympy.Basic], Node]) -> Node:
    """Nest the arms from the last; where no condition holds, the value is NaN, as in SymPy."""
    arms = cast(Sequence[ExprCondPair], part.args)
    result: Node = exact(float("nan"))
    for arm in reversed(arms):
        result = node(arm.expr) if arm.cond == sympy.true else where(node(arm.cond), node(arm.expr), result)
    return result


__all__ = ["SympyBridge", "from_sympy", "to_sympy"]

HOOKS["from_sympy"] = from_sympy


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
