"""Ranges of numbers, and grids of them."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import sympy

from symback import errors
from symback.nodes.dtypes import as_dtype, promote, to_float
from symback.nodes.leaves import Exact, as_node, constant, size_of
from symback.nodes.looks import latex_size
from symback.nodes.node import Node
from symback.nodes.products import broadcast_to as broadcast_node
from symback.nodes.shapes import as_shape, as_size, intern_shape, simplify_size
from symback.op.declare import Function, primitive
from symback.op.public import public
from symback.ops.elementwise.arithmetic import add, multiply
from symback.ops.elementwise.logic import astype
from symback.ops.shaping.joining import stack
from symback.ops.shaping.reshaping import as_array, expand_dims

__all__ = ["arange", "indices", "linspace", "meshgrid"]


# -- ranges ----------------------------------------------------------------------------------------------


def _range(size: Any, dtype: Any) -> Any:
    if as_size(size) != size:
        raise errors.bad_size(size)
    if not isinstance(dtype, str) or as_dtype(dtype).name != dtype:
        raise errors.bad_dtype(dtype)
    return as_shape((size,)), as_dtype(dtype)


_arange: Function = primitive(
    "arange_to", signature=_range, arity=0, linear=True, vjp=lambda g, node: (),
    numpy=lambda spell, operands, parameters: (
        f"np.arange({spell.size(parameters[0])}"
        f"{'' if parameters[1] == 'int64' else f', dtype=np.{spell.dtype(parameters[1])}'})"
    ),
    value=lambda size, dtype: np.arange(size, dtype=dtype),
    latex=lambda operands, parameters: rf"\left(0, \dots, {latex_size(simplify_size(parameters[0] - 1))}\right)",
    examples=(lambda make: _arange((), 3, "int64"), lambda make: _arange((), 0, "float64")),
    doc="The integers from 0 to below a size.",
)  # fmt: skip


def _is_integer(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


@public(
    "arange",
    examples=(
        lambda f, make: f(3) * make("x", (3,)),
        lambda f, make: f(1, 4) + make("x", (3,)),
        lambda f, make: f(0, 1, 0.25) * make("x", ()),
        lambda f, make: f(5, 0, -2),
        lambda f, make: f(3, dtype="float32"),
    ),
    symbolic=False,
)
def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> Node:
    """Numbers from start to below stop, as `numpy.arange` has them.

    Args:
        start: The first number; if it is given alone, it is `stop`, and 0 is the first.
        stop: Where to end.
        step: The distance; 1 if there is a symbolic size.
        dtype: Of the result; by default int64 for integers and symbolic sizes, float64 else.

    Raises:
        UsageError: If a number is not known when the graph is built and no symbolic size.

    Example:
        >>> import symback as sb
        >>> n = sb.tensor("x", ("n",)).shape[0]
        >>> sb.arange(1, n + 1).shape
        (n,)
    """
    begin, end = (0, start) if stop is None else (start, stop)
    bounds = [as_size(bound) if isinstance(bound, str) else bound for bound in (begin, end)]
    if not any(isinstance(bound, sympy.Expr) for bound in bounds):
        numbers = [_number("arange", value) for value in (*bounds, step)]
        wanted = None if dtype is None else as_dtype(dtype)
        values = _filled("arange", lambda: np.arange(*numbers, dtype=wanted))
        if values.size and np.array_equal(values, np.arange(values.size)):
            return _arange((), values.size, as_dtype(values.dtype).name)
        return constant(values)
    if any(isinstance(bound, Node) or not isinstance(bound, (sympy.Expr, int, np.integer)) for bound in bounds):
        raise errors.no_symbolic_number("arange", next(b for b in bounds if not isinstance(b, sympy.Expr)))
    if not _is_integer(step) or step != 1:
        raise errors.no_symbolic_number("arange", step)
    first, size = bounds[0], as_size(sympy.sympify(bounds[1], strict=True) - bounds[0])
    found = _arange((), size, "int64" if dtype is None else as_dtype(dtype).name)
    return found if first == 0 else add(found, size_of(first if isinstance(first, int) else as_size(first)))


def _filled(operation: str, make: Callable[[], Any]) -> Any:
    """Make an array of numbers that are known, if NumPy can."""
    try:
        return make()
    except (ValueError, ArithmeticError, MemoryError) as error:
        raise errors.bad_node(operation, f"NumPy cannot make such an array ({error})") from None


def _number(operation: str, value: Any) -> Any:
    """Return a number that is known when the graph is built."""
    if isinstance(value, Exact):
        value = float(value.value) if not isinstance(value.value, int) else value.value
    if isinstance(value, (Node, str)) or not isinstance(value, (int, float, Fraction, np.generic)):
        raise errors.no_symbolic_number(operation, value)
    return float(value) if isinstance(value, Fraction) else value


@public(
    "linspace",
    examples=(
        lambda f, make: f(0, 1, 5) * make("x", ()),
        lambda f, make: f(0, 2, 4, endpoint=False) + make("x", (4,)),
        lambda f, make: f(make("a", ()), make("b", ()), 4),
        lambda f, make: f(make("a", (2,)), 3, 3, False),
        lambda f, make: f(1, 2, 1),
    ),
    symbolic=False,
)
def linspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, *, dtype: Any = None) -> Node:
    """Numbers at equal distances from start to stop, along a new first axis, as `numpy.linspace` has them.

    Args:
        start: The first number: a number, or a node of any shape.
        stop: The last number, or the one after it.
        num: How many.
        endpoint: Whether `stop` is among them.
        dtype: Of the result; by default a float.

    Raises:
        UsageError: If `num` is no integer >= 0 that is known when the graph is built.

    Example:
        >>> import symback as sb
        >>> sb.linspace(sb.tensor("a"), 1, 5).shape
        (5,)
    """
    if not _is_integer(num) or num < 0:
        raise errors.no_known_integers("linspace", "num", num)
    if not isinstance(start, Node) and not isinstance(stop, Node):
        values = _filled("linspace", lambda: np.linspace(np.asarray(start), np.asarray(stop), num, endpoint))
        return constant(values if dtype is None else values.astype(as_dtype(dtype)))
    first, last = as_node(start), as_node(stop)
    kind = to_float(promote([first, last]))
    parts = _filled("linspace", lambda: np.linspace(0, 1, num, endpoint))
    parts = parts.reshape(-1, *[1] * max(len(first.shape), len(last.shape)))
    weights = parts.astype(kind)
    found = add(multiply(constant(1 - weights), first), multiply(constant(weights), last))
    return found if dtype is None else astype(found, dtype)


# -- grids -----------------------------------------------------------------------------------------------


@public(
    "meshgrid",
    examples=(
        lambda f, make: f(make("x", (2,)), make("y", (3,))),
        lambda f, make: f(make("x", (2,)), make("y", (3,)), make("s", ()), indexing="ij"),
        lambda f, make: f(make("x", (2,)), make("y", (3,)), sparse=True),
        lambda f, make: f(make("x", (2,))),
    ),
)
def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> tuple[Node, ...]:
    """Coordinates of a grid, as `numpy.meshgrid` has them.

    Args:
        xi: Vectors of coordinates; a number is a vector of one.
        copy: Has no effect: nodes never change.
        sparse: Leave axes of size 1 where a coordinate is constant.
        indexing: ``"xy"``: the first two axes are exchanged, as for images; ``"ij"``: they are not.

    Raises:
        ShapeError: If an operand has more than one axis.
        InputError: If `indexing` is another one.

    Example:
        >>> import symback as sb
        >>> X, Y = sb.meshgrid(sb.tensor("x", ("n",)), sb.tensor("y", (3,)))
        >>> X.shape, Y.shape
        ((3, n), (3, n))
    """
    if indexing not in ("xy", "ij"):
        raise errors.bad_option("meshgrid", "indexing", indexing, ("xy", "ij"))
    vectors = [as_array(x) for x in xi]
    rank = len(vectors)
    places = [1, 0, *range(2, rank)] if indexing == "xy" and rank > 1 else list(range(rank))
    spread = []
    for vector, place in zip(vectors, places, strict=True):
        if len(vector.shape) > 1:
            raise errors.wrong_rank("meshgrid", vector, "0 or 1")
        row = vector if vector.shape else expand_dims(vector, 0)
        spread.append(expand_dims(row, tuple(axis for axis in range(rank) if axis != place)))
    if sparse or not spread:
        return tuple(spread)
    sizes = intern_shape(tuple(spread[places.index(axis)].shape[axis] for axis in range(rank)))
    return tuple(broadcast_node(x, sizes) for x in spread)


@public(
    "indices",
    examples=(lambda f, make: f((2, 3)), lambda f, make: f((2,), dtype="float64") * make("x", ())),
    symbolic=False,
)
def indices(dimensions: Any, dtype: Any = "int64") -> Node:
    """The position of each entry of an array of a shape, as `numpy.indices` has it; sizes may be symbolic.

    Args:
        dimensions: The shape (n0, n1, ...).
        dtype: Of the result.

    Returns:
        Shape (number of axes, n0, n1, ...).

    Example:
        >>> import symback as sb
        >>> sb.indices(("n", 3)).shape
        (2, n, 3)
    """
    shape = as_shape(dimensions)
    rank = len(shape)
    if not rank:
        return constant(np.zeros((0,), dtype=as_dtype(dtype)))
    ranges = [expand_dims(arange(size, dtype=dtype), tuple(range(1, rank - k))) for k, size in enumerate(shape)]
    return stack([broadcast_node(x, shape) for x in ranges])
