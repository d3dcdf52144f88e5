"""Substitution of nodes and of symbolic sizes, over the whole graph and without recursion."""

from collections.abc import Callable, Iterable
from typing import Any, cast

import sympy

from symback import errors
from symback.graph import many_allocations, rebuild, toposort
from symback.nodes.apply import Apply, Map, Operation
from symback.nodes.leaves import Exact, Leaf, Ones, Size, Variable, as_node, ones_of, size_of
from symback.nodes.node import HOOKS, Node, Param
from symback.nodes.shapes import as_shape, as_size, simplify_size, size_symbol

SizeMap = Callable[[Any], Any]


def map_sizes(value: Any, replace: SizeMap) -> Any:
    """Replace the symbolic sizes in a static parameter."""
    if isinstance(value, tuple):
        return tuple(map_sizes(item, replace) for item in value)
    return replace(value) if isinstance(value, sympy.Expr) else value


def substitute(node: Node, pairs: dict[Any, Any], *, strict: bool = False) -> Node:
    """Replace nodes by nodes of the same shape and dtype, and sizes (names, symbols) by sizes.

    One table of sizes may serve many graphs, so a size that this one lacks is an error only if `strict`.

    Raises:
        InputError: If the name of a variable stands for a size, or a size is missing and `strict`.
        ShapeError: If a replacement has another shape, or the graph's shapes no longer fit.
    """
    given: dict[Node, Node] = {}
    sizes: dict[sympy.Symbol, Any] = {}
    for old, new in pairs.items():
        if isinstance(old, Node):
            given[old] = _same_kind(old, as_node(new))
        elif isinstance(old, (str, sympy.Symbol)):
            sizes[size_symbol(str(old))] = as_size(new)
        else:
            raise errors.not_a_node(old)

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
