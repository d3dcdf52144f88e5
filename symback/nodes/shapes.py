"""Shapes: tuples of sizes, each a Python integer or a polynomial of symbolic sizes with integer coefficients."""

from collections.abc import Iterable, Mapping, Sequence
from operator import index
from typing import Any, TypeAlias

import sympy

from symback.errors.shapes import bad_axis, bad_size, no_broadcast, no_sequence
from symback.nodes.looks import NAME

SizeExpr: TypeAlias = int | sympy.Expr
Shape: TypeAlias = tuple[SizeExpr, ...]
Hints: TypeAlias = Mapping[str, int]

NO_HINTS: Hints = {}

GUESS = 64
"""What a symbolic size counts for if no hint says how large it is."""

_shapes: dict[Shape, Shape] = {(): ()}


def intern_shape(shape: Shape) -> Shape:
    """Return the one tuple that stands for this shape, so that equal shapes are usually identical."""
    return _shapes.setdefault(shape, shape)


def size_symbol(name: str) -> sympy.Symbol:
    """Return the symbolic size called `name`."""
    if not NAME.match(name):
        raise bad_size(name)
    return sympy.Symbol(name, integer=True, nonnegative=True)


def is_size_symbol(symbol: sympy.Symbol) -> bool:
    """Is this a symbolic size, and not a SymPy symbol for a value?"""
    return bool(NAME.match(symbol.name)) and symbol == size_symbol(symbol.name)


def as_size(value: Any) -> SizeExpr:
    """Turn an integer, a name, or a SymPy polynomial of names into a size in its one expanded form."""
    if isinstance(value, bool):
        raise bad_size(value)
    if isinstance(value, str):
        return size_symbol(value)
    if isinstance(value, sympy.Expr):
        return _size_from_sympy(value)
    try:
        number = value.__index__()
    except (AttributeError, TypeError):
        raise bad_size(value) from None
    if number < 0:
        raise bad_size(value)
    return int(number)


def _size_from_sympy(value: sympy.Expr) -> SizeExpr:
    symbols = {symbol: size_symbol(symbol.name) for symbol in value.free_symbols if isinstance(symbol, sympy.Symbol)}
    size = sympy.expand(value.xreplace(symbols))
    if size.is_Integer:
        if size < 0:
            raise bad_size(value)
        return int(size)
    if not size.is_polynomial(*symbols.values()) or not size.is_integer:
        raise bad_size(value)
    return size


def as_shape(shape: Any) -> Shape:
    """Turn a size or an iterable of sizes into an interned shape."""
    if isinstance(shape, (str, int, sympy.Expr)) or hasattr(shape, "__index__"):
        shape = (shape,)
    if not isinstance(shape, Iterable):
        raise bad_size(shape)
    return intern_shape(tuple(as_size(size) for size in shape))


def product(sizes: Iterable[SizeExpr]) -> SizeExpr:
    """Multiply sizes: the number of entries of a shape."""
    result: SizeExpr = 1
    for size in sizes:
        result = result * _checked(size)
    return result if isinstance(result, int) else simplify_size(result)


def simplify_size(size: SizeExpr) -> SizeExpr:
    """Bring the result of arithmetic on sizes to its one expanded form."""
    if isinstance(_checked(size), int):
        return size
    expanded = sympy.expand(size)
    return int(expanded) if expanded.is_Integer else expanded


def _checked(size: SizeExpr) -> SizeExpr:
    """Return a size that is one: text that reached SymPy would be executed."""
    if isinstance(size, bool) or not isinstance(size, (int, sympy.Expr)):
        raise bad_size(size)
    return size


def size_symbols(size: SizeExpr) -> set[sympy.Symbol]:
    """Return the symbolic sizes in a size."""
    return set() if isinstance(size, int) else {s for s in size.free_symbols if isinstance(s, sympy.Symbol)}


def number_of(size: SizeExpr, hints: Hints = NO_HINTS) -> int:
    """Return what a size counts for: by the hints, or by `GUESS`, and at least 1."""
    if isinstance(size, int):
        return max(size, 1)
    values = {symbol: sympy.Integer(hints.get(symbol.name, GUESS)) for symbol in size_symbols(size)}
    return max(int(size.xreplace(values)), 1)


def broadcast_shapes(operation: str, nodes: Sequence[Any]) -> Shape:
    """Broadcast the shapes of `nodes` as NumPy does; a symbolic size goes with itself or a literal 1."""
    shape: Shape = nodes[0].shape
    for node in nodes[1:]:
        if node.shape is not shape:
            shape = _broadcast_two(operation, nodes, shape, node.shape)
    return intern_shape(shape)


def _broadcast_two(operation: str, nodes: Sequence[Any], left: Shape, right: Shape) -> Shape:
    if len(left) < len(right):
        left = (1,) * (len(right) - len(left)) + left
    else:
        right = (1,) * (len(left) - len(right)) + right
    result: list[SizeExpr] = []
    for a, b in zip(left, right, strict=True):
        if a is b or a == b or b == 1:
            result.append(a)
        elif a == 1:
            result.append(b)
        else:
            raise no_broadcast(operation, nodes, a, b)
    return tuple(result)


def integer_of(value: Any) -> int | None:
    """Return an integer as Python's own; None for what is none, a bool among them."""
    if isinstance(value, bool):
        return None
    try:
        return int(index(value))
    except TypeError:
        return None


def normalize_axis(operation: str, node: Any, axis: Any) -> int:
    """Return `axis` as an index from 0, checked against the rank of `node`."""
    rank = len(node.shape)
    place = integer_of(axis)
    if place is None or not -rank <= place < rank:
        raise bad_axis(operation, node, axis)
    return place % rank


def sequence_of(operation: str, given: Any, wanted: str) -> list[Any]:
    """Return the items of a list, tuple or node; `wanted` says of what."""
    without_axes = getattr(given, "ndim", None) == 0  # NumPy's arrays have __iter__ all the same
    if isinstance(given, str) or not hasattr(given, "__iter__") or without_axes:
        raise no_sequence(operation, given, wanted)
    return list(given)


def normalize_axes(operation: str, node: Any, axis: Any) -> tuple[int, ...]:
    """Return the reduced axes in increasing order: all of them for None, else distinct ones."""
    if axis is None:
        return tuple(range(len(node.shape)))
    axes = [normalize_axis(operation, node, a) for a in (axis if isinstance(axis, (tuple, list)) else (axis,))]
    if len(set(axes)) != len(axes):
        raise bad_axis(operation, node, axis)
    return tuple(sorted(axes))
