"""Values for the variables of a graph: looked up by node or name, checked, and the symbolic sizes read from them."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import sympy

from symback import errors
from symback.errors.calls import binding_ragged
from symback.graph import toposort
from symback.nodes.leaves import Size, Variable
from symback.nodes.node import Node
from symback.nodes.shapes import SizeExpr, size_symbols

Bindings: TypeAlias = Mapping[Any, Any]
"""From nodes (variables, or intermediate nodes whose value is replaced) or names to arrays or numbers."""

Sizes: TypeAlias = dict[sympy.Symbol, int]


def resolve(operation: str, roots: Sequence[Node], bindings: Bindings) -> dict[Node, np.ndarray[Any, Any]]:
    """Return the given arrays by node, each of the dtype and rank of its node.

    Raises:
        InputError: If a name is unknown, or a variable that `roots` need has no value.
        ShapeError: If a value has another number of axes.
        DtypeError: If a value would lose by conversion.
    """
    order = toposort(roots, stops={key for key in mapping(operation, bindings) if isinstance(key, Node)})
    variables = {node.name: node for node in toposort(roots) if isinstance(node, Variable)}
    given: dict[Node, np.ndarray[Any, Any]] = {}
    for key, value in bindings.items():
        node = variables.get(key) if isinstance(key, str) else key
        if not isinstance(node, Node):
            raise errors.unknown_binding(operation, str(key), sorted(variables))
        given[node] = as_array(operation, node, value)
    missing = [node.name for node in order if isinstance(node, Variable) and node not in given]
    if missing:
        raise errors.missing_input(operation, missing)
    return given


def mapping(operation: str, bindings: Any) -> Bindings:
    """Return bindings that are a mapping.

    Raises:
        InputError: If they are something else, such as an array.
    """
    if not isinstance(bindings, Mapping):
        raise errors.no_bindings(operation, bindings)
    return bindings


def as_array(operation: str, node: Node, value: Any) -> np.ndarray[Any, Any]:
    """Convert a value to the dtype of the node, if nothing is lost; numbers of mpmath stay, Python's are weak."""
    try:
        array = np.asarray(value)
    except ValueError:
        raise binding_ragged(operation, node) from None
    if array.dtype == object and all(hasattr(number, "_mpf_") for number in array.flat):
        return _ranked(operation, node, array)
    casting = "safe" if isinstance(value, (np.ndarray, np.generic)) else "same_kind"
    if not np.can_cast(array.dtype, node.dtype, casting):  # type: ignore[arg-type]
        raise errors.binding_dtype(operation, node, array.dtype)
    return _ranked(operation, node, array).astype(node.dtype)


def _ranked(operation: str, node: Node, array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    if array.ndim != len(node.shape):
        raise errors.binding_shape(operation, node, array.shape)
    return array


def read_sizes(operation: str, given: Mapping[Node, np.ndarray[Any, Any]]) -> Sizes:
    """Read the symbolic sizes from the shapes of the arrays, and check that all axes agree.

    Raises:
        ShapeError: If an axis has another length than its node says, or two axes of one size differ.
    """
    sizes: Sizes = {}
    source: dict[sympy.Symbol, Node] = {}
    for node, array in given.items():
        for size, length in zip(node.shape, array.shape, strict=True):
            if isinstance(size, sympy.Symbol):
                if sizes.setdefault(size, length) != length:
                    raise errors.binding_size(operation, node, array.shape, size, sizes[size], source[size])
                source.setdefault(size, node)
    for node, array in given.items():
        if size_symbols_of(node) <= sizes.keys() and bound_shape(operation, node.shape, sizes) != array.shape:
            raise errors.binding_shape(operation, node, array.shape)
    return sizes


def size_symbols_of(node: Node) -> set[sympy.Symbol]:
    """Return the symbolic sizes in the shape of a node, or in the size that it is."""
    own = size_symbols(node.size) if isinstance(node, Size) else set()
    return own.union(*(size_symbols(size) for size in node.shape))


def bound_size(operation: str, size: SizeExpr, sizes: Sizes) -> int:
    """Return a size as an integer.

    Raises:
        InputError: If a symbolic size is not known.
        ShapeError: If the size comes out negative.
    """
    if isinstance(size, int):
        return size
    for symbol in size_symbols(size):
        if symbol not in sizes:
            raise errors.unbound_size(operation, symbol.name)
    return int(size.xreplace({symbol: sympy.Integer(value) for symbol, value in sizes.items()}))


def bound_shape(operation: str, shape: Sequence[SizeExpr], sizes: Sizes) -> tuple[int, ...]:
    """Return a shape as integers."""
    return tuple(size if isinstance(size, int) else bound_size(operation, size, sizes) for size in shape)
