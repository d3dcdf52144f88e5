"""Substitution of nodes, SymPy expressions and symbolic sizes, over the whole graph and without recursion."""

from collections.abc import Callable, Iterable
from fractions import Fraction
from functools import cached_property
from typing import Any, cast

import sympy

from symback import errors
from symback.errors.calls import no_part
from symback.graph import many_allocations, rebuild, toposort
from symback.nodes.apply import Apply, Map, Operation
from symback.nodes.leaves import Exact, Leaf, Ones, Size, Variable, as_node, exact, ones_of, size_of
from symback.nodes.node import HOOKS, Node, Param
from symback.nodes.shapes import as_shape, as_size, is_size_symbol, simplify_size, size_symbol

SizeMap = Callable[[Any], Any]


def map_sizes(value: Any, replace: SizeMap) -> Any:
    """Replace the symbolic sizes in a static parameter."""
    if isinstance(value, tuple):
        return tuple(map_sizes(item, replace) for item in value)
    return replace(value) if isinstance(value, sympy.Expr) else value


def substitute(node: Node, pairs: dict[Any, Any], *, strict: bool = False) -> Node:
    """Replace nodes and SymPy expressions by others of the same shape, and sizes (names, symbols) by sizes.

    One table may serve many graphs, so what this one lacks is an error only if `strict`.

    Raises:
        InputError: If the name of a variable stands for a size, or a size is missing and `strict`.
        ShapeError: If a replacement has another shape, or the graph's shapes no longer fit.
    """
    given: dict[Node, Node] = {}
    sizes: dict[sympy.Symbol, Any] = {}
    graph = _Graph(node)
    for old, new in pairs.items():
        found = graph.meant(old)
        if isinstance(found, Node):
            given[found] = _same_kind(found, graph.node(new))
        else:
            sizes[found] = as_size(new)
        if strict and not isinstance(old, (Node, str)) and isinstance(found, Node) and found not in graph.nodes:
            raise no_part(old)

    _check_sizes(node, sizes, strict)

    def replace_size(size: sympy.Expr) -> Any:
        return simplify_size(size.xreplace({s: sympy.sympify(v, strict=True) for s, v in sizes.items()}))

    def replace(current: Node, operands: tuple[Node, ...]) -> Node:
        operands = _as_strong(current, operands)
        if not sizes:
            return current.with_operands(operands)
        return _resize(current, operands, replace_size)

    with many_allocations():
        return rebuild([node], replace, given)[node]


class _Graph:
    """What symbols and expressions of SymPy stand for in a graph."""

    def __init__(self, root: Node) -> None:
        self._root = root

    @cached_property
    def nodes(self) -> set[Node]:
        """Every node."""
        return set(toposort([self._root]))

    @cached_property
    def variables(self) -> dict[str, Variable]:
        """The variables by name."""
        return {node.name: node for node in self.nodes if isinstance(node, Variable)}

    def meant(self, old: Any) -> Node | sympy.Symbol:
        """Return the node, or the size, that is to be replaced."""
        if isinstance(old, Node):
            return old
        if isinstance(old, str):
            return size_symbol(old)
        if isinstance(old, sympy.Symbol):
            size = old.name not in self.variables or (is_size_symbol(old) and old in self._root.free_symbols)
            return size_symbol(old.name) if size else self.variables[old.name]
        if isinstance(old, sympy.Basic):
            return self.node(old)
        if isinstance(old, (int, float, Fraction)) and not isinstance(old, bool):
            return exact(old)
        raise errors.not_a_node(old)

    def node(self, value: Any) -> Node:
        """Return a value as a node, in which the variables that the graph has are those of the graph."""
        found = as_node(value)
        if not isinstance(value, sympy.Basic) or isinstance(value, Node):
            return found
        leaves = [leaf for leaf in toposort([found]) if isinstance(leaf, Variable)]
        own = {leaf: self.variables.get(leaf.name, leaf) for leaf in leaves}
        for leaf, mine in own.items():
            if leaf.shape != mine.shape:
                raise errors.replaced_shape(mine, leaf)
        return rebuild([found], lambda node, operands: node.with_operands(operands), dict(own))[found]


def _as_strong(node: Node, operands: tuple[Node, ...]) -> tuple[Node, ...]:
    """Give a number the dtype of what it replaces, where the operation of a node takes arrays of one dtype."""
    if not isinstance(node, Apply) or isinstance(node, Map) or not any(new.is_weak for new in operands):
        return operands
    pairs = zip(node.operands, operands, strict=True)
    return tuple([ones_of((), old.dtype) * new.value if isinstance(new, Exact) and not old.is_weak else new
                  for old, new in pairs])  # fmt: skip


def _check_sizes(node: Node, sizes: Iterable[sympy.Symbol], strict: bool) -> None:
    """Refuse a size that is the name of a variable, or that the graph does not have."""
    if sizes:
        known = _sizes_of(node)
        variables = {leaf.name for leaf in toposort([node]) if isinstance(leaf, Variable)}
        for symbol in sizes:
            if symbol not in known and (strict or symbol.name in variables):
                raise errors.unknown_replaced(symbol.name, sorted(size.name for size in known))


def _sizes_of(node: Node) -> set[sympy.Symbol]:
    """Return the symbolic sizes in all shapes, sizes used as values, and parameters of a graph."""
    found: set[sympy.Symbol] = set()

    def collect(size: sympy.Expr) -> sympy.Expr:
        found.update(size.free_symbols)
        return size

    for current in toposort([node]):
        own = current.operation.parameters if isinstance(current, Apply) else ()
        map_sizes((*current.shape, *own, current.size if isinstance(current, Size) else 0), collect)
    return found


def _same_kind(old: Node, new: Node) -> Node:
    if new.shape != old.shape and not (isinstance(new, Exact) and old.shape == ()):
        raise errors.replaced_shape(old, new)
    return new


def _resize(node: Node, operands: tuple[Node, ...], replace: SizeMap) -> Node:
    """Rebuild a node with other sizes."""
    if isinstance(node, Variable):
        return Variable(node.label, Param(as_shape(map_sizes(node.shape, replace))), node._args[2])
    if isinstance(node, Ones):
        return ones_of(as_shape(map_sizes(node.shape, replace)), node.dtype)
    if isinstance(node, Size):
        return size_of(map_sizes(node.size, replace))
    if isinstance(node, Leaf):
        return node
    if isinstance(node, Apply):
        return cast(Node, node.func(Operation(map_sizes(node.operation.value, replace)), *operands))
    return node.with_operands(operands)


HOOKS["substitute"] = substitute
