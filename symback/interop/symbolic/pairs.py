"""Large graphs as SymPy expressions with names for what is shared: the pairs that `sympy.cse` returns."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any, TypeAlias

import sympy

from symback import errors
from symback.graph import count_uses, toposort
from symback.interop.symbolic.correspondence import INTO_SYMPY
from symback.interop.symbolic.into_scalars import as_condition, as_number, factors_of, multiplied, real
from symback.nodes.add import Plus
from symback.nodes.apply import Map, Named
from symback.nodes.contract import Contract
from symback.nodes.leaves import Variable, variable
from symback.nodes.node import Node

Symbols: TypeAlias = Mapping[Variable, sympy.Basic]
Pairs: TypeAlias = tuple[list[tuple[sympy.Basic, sympy.Basic]], list[sympy.Basic]]

_DEEPEST = 25
"""What nests deeper gets a name: SymPy's printers and its hash recurse over the depth of an expression."""

_LOGICAL = {"logical_and", "logical_or", "logical_not", "logical_xor"}


def to_pairs(nodes: Sequence[Node], symbols: Symbols, convert: Callable[[Node, Symbols], sympy.Basic]) -> Pairs:
    """Return what is shared as pairs of a symbol and an expression, and the nodes as expressions of those symbols.

    The work is linear in the number of nodes and nothing recurses. Sums, products and powers of scalars stay as
    they are in the graph: SymPy neither orders nor expands them.

    Args:
        nodes: Of any shapes.
        symbols: What variables become; the others become symbols of their names.
        convert: What turns a small graph that has axes into an expression.

    Raises:
        UsageError: If a node has no counterpart in SymPy.
        InvalidNameError: If two variables would become one symbol.

    Example:
        >>> import symback as sb
        >>> x, y = sb.tensor("x"), sb.tensor("y")
        >>> s = sb.sin(x * y)
        >>> to_pairs([s * s + s], {}, lambda node, symbols: sb.to_sympy(node, symbols))
        ([(x0, sin(x*y))], [x0*x0 + x0])
    """
    order = toposort(nodes)
    names = _free_names(order, symbols)
    if any(node.shape for node in order):
        return _cut(nodes, order, symbols, names, convert)
    scalars = _Scalars(symbols, names)
    uses = count_uses(nodes)
    for node in order:
        scalars.enter(node, uses[node])
    return scalars.pairs, [scalars.values[node] for node in nodes]


def _free_names(order: Sequence[Node], symbols: Symbols) -> Iterator[str]:
    """Yield x0, x1, … without the names that are there."""
    taken = {node.name for node in order if isinstance(node, Variable)}
    taken |= {
        str(size) for node in order for axis in node.shape for size in sympy.sympify(axis, strict=True).free_symbols
    }
    taken |= {
        str(getattr(symbol, "name", symbol)) for expr in symbols.values() for symbol in {expr, *expr.free_symbols}
    }
    return (name for name in (f"x{number}" for number in count()) if name not in taken)


def _is_deep(node: Node, heights: dict[Node, int]) -> bool:
    """Enter how deep the expression of a node nests, and say whether that is too deep."""
    heights[node] = 1 + max((heights[operand] for operand in node.operands), default=0)
    return heights[node] > _DEEPEST


# -- graphs that have axes: each piece between names is converted by itself ---------------------------------


def _cut(
    nodes: Sequence[Node],
    order: Sequence[Node],
    symbols: Symbols,
    names: Iterator[str],
    convert: Callable[[Node, Symbols], sympy.Basic],
) -> Pairs:
    uses, heights = count_uses(nodes), dict[Node, int]()
    pairs: list[tuple[sympy.Basic, sympy.Basic]] = []
    new: dict[Node, Node] = {}
    for node in order:
        new[node] = node.with_operands(tuple(new[operand] for operand in node.operands))
        deep = _is_deep(node, heights)
        if node.operands and not node.is_weak and (uses[node] > 1 or deep):
            held = variable(next(names), node.shape, node.dtype)
            pairs.append((convert(held, symbols), convert(new[node], symbols)))
            new[node], heights[node] = held, 0
    return pairs, [convert(new[node], symbols) for node in nodes]


# -- graphs of scalars ----------------------------------------------------------------------------------------


class _Scalars:
    """The expressions of scalar nodes, operands first."""

    def __init__(self, symbols: Symbols, names: Iterator[str]) -> None:
        self.values: dict[Node, sympy.Basic] = {}
        self.pairs: list[tuple[sympy.Basic, sympy.Basic]] = []
        self._symbols, self._names = symbols, names
        self._taken: dict[sympy.Basic, Variable] = {}
        self._heights: dict[Node, int] = {}
        self._constants: set[Node] = set()

    def enter(self, node: Node, uses: int) -> None:
        """Enter the expression of a node, under a name if it is used more than once."""
        self.values[node] = self._expression(node)
        deep = _is_deep(node, self._heights)
        if (uses > 1 or deep) and node.operands:
            self._name(node)

    def _name(self, node: Node) -> sympy.Basic:
        """Return a symbol for the value of a node; a truth value is held as 1 or 0."""
        value = self.values[node]
        if value.args:
            symbol = sympy.Symbol(next(self._names))
            self.pairs.append((symbol, as_number(value)))
            self.values[node], self._heights[node] = symbol, 0
        return self.values[node]

    def _expression(self, node: Node) -> sympy.Basic:
        if isinstance(node, Variable):
            return self._symbol(node)
        if isinstance(node, Named):
            return self.values[node.operands[0]]
        operands = [self.values[operand] for operand in node.operands]
        if all(operand in self._constants for operand in node.operands):
            self._constants.add(node)
            return real(node, multiplied(factors_of(node, [(operand,) for operand in operands])))
        if isinstance(node, Contract):
            return _flat(sympy.Mul, list(map(as_number, operands)))
        if isinstance(node, Plus):
            return _flat(sympy.Add, list(map(as_number, operands)))
        if isinstance(node, Map):
            return self._function(node, operands)
        return multiplied(factors_of(node, [(operand,) for operand in operands]))

    def _symbol(self, node: Variable) -> sympy.Basic:
        symbol = self._symbols.get(node, sympy.Symbol(node.name))
        if self._taken.setdefault(symbol, node) is not node:
            raise errors.name_clash(node.name, self._taken[symbol], node)
        return symbol

    def _function(self, node: Map, operands: list[sympy.Basic]) -> sympy.Basic:
        name = node.operation.name
        if name == "where":
            return _choice(node, operands)
        function: Any = INTO_SYMPY.get(name)
        if name in ("divide", "power", "sqrt"):
            return _power(node, [as_number(operand) for operand in operands])
        if function is None:
            return multiplied(factors_of(node, [(operand,) for operand in operands]))
        if isinstance(function, type):
            turned = as_condition if name in _LOGICAL else as_number
            return function(*map(turned, operands), evaluate=False)
        # a formula may hold an operand several times, so that it must be a symbol
        return real(node, function(*[as_number(self._name(operand)) for operand in node.operands]))


def _flat(kind: Any, operands: Sequence[sympy.Basic]) -> sympy.Basic:
    """Apply an operation to the arguments of those operands that are of its kind, as one writes it."""
    arguments: list[sympy.Basic] = []
    for operand in operands:
        plain = isinstance(operand, kind) and not operand.args[0].is_Number
        arguments.extend(operand.args if plain else (operand,))
    return arguments[0] if len(arguments) == 1 else kind(*arguments, evaluate=False)


def _power(node: Map, operands: Sequence[sympy.Basic]) -> sympy.Basic:
    """Write a power, a root or a quotient."""
    name, base = node.operation.name, operands[-1] if node.operation.name == "divide" else operands[0]
    exponent = {"divide": sympy.S.NegativeOne, "sqrt": sympy.S.Half}.get(name) or operands[1]
    if base.is_Number and (base.is_zero or not base.is_positive):
        real(node, multiplied(factors_of(node, [(operand,) for operand in operands])))
    power = sympy.Pow(base, exponent, evaluate=False)
    if name != "divide" or operands[0] is sympy.S.One:
        return power
    return _flat(sympy.Mul, [operands[0], power])


def _choice(node: Map, operands: Sequence[sympy.Basic]) -> sympy.Basic:
    condition = as_condition(operands[0])
    if node.dtype.kind == "b":
        return sympy.ITE(condition, *map(as_condition, operands[1:]), evaluate=False)
    arms = [(as_number(operands[1]), condition), (as_number(operands[2]), True)]
    return sympy.Piecewise(*arms, evaluate=False)
