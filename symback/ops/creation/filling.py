"""Where graphs begin: variables, names, and arrays that are known."""

from typing import Any

import numpy as np
import sympy

from symback import errors
from symback.nodes.apply import Named
from symback.nodes.dtypes import FLOAT64, as_dtype
from symback.nodes.labels import Label
from symback.nodes.leaves import Exact, Variable, as_node, ones_of, size_of, variable
from symback.nodes.node import METHODS, Node
from symback.nodes.products import broadcast_to as broadcast_node
from symback.nodes.products import full as full_of
from symback.nodes.shapes import Shape, SizeExpr, as_shape, as_size, normalize_axes, product
from symback.op.public import public
from symback.ops.elementwise.logic import astype
from symback.ops.shaping.reshaping import as_array

__all__ = [
    "constant",
    "copy",
    "empty_like",
    "full",
    "full_like",
    "let",
    "ndim",
    "ones",
    "ones_like",
    "shape",
    "size",
    "tensor",
    "zeros",
    "zeros_like",
]


def tensor(name: str, shape: Any = (), *, dtype: Any = "float64", latex: str | None = None) -> Variable:
    """Make an input of a graph.

    The same name, shape, dtype and look give the same node.

    Args:
        name: ASCII letters, digits and underscores, starting with a letter.
        shape: A tuple of sizes: integers, names of symbolic sizes such as ``"n"``, or SymPy polynomials
            of them. ``()`` is a scalar.
        dtype: float64, float32, bool or an integer dtype.
        latex: The look in print; by default it follows from the name (``W1`` is printed W with index 1).

    Raises:
        InvalidNameError: If the name cannot stand in emitted code.
        ShapeError: If a size is none.
        DtypeError: If the dtype is not supported.

    Example:
        >>> import symback as sb
        >>> W1 = sb.tensor("W1", ("h", "n"))
        >>> W1.shape
        (h, n)
    """
    return variable(name, shape, dtype, latex)


def let(name: str, node: Any, *, latex: str | None = None) -> Node:
    """Give an expression a name, which appears in emitted code, in LaTeX and in errors.

    Args:
        name: ASCII letters, digits and underscores, starting with a letter.
        node: The expression, of any shape.
        latex: The look in print.

    Raises:
        InvalidNameError: If the name cannot stand in emitted code.

    Example:
        >>> import symback as sb
        >>> z = sb.let("z", 2 * sb.tensor("x"))
        >>> z.name
        'z'
    """
    value = as_node(node)
    label = Label(name, latex)
    if isinstance(value, Variable) and value.name == name and latex is None:
        return value
    if isinstance(value, Named) and value.label is label:
        return value
    return Named(label, value)


def constant(value: Any) -> Node:
    """Make a node of a number or an array; an array is copied.

    Example:
        >>> import symback as sb
        >>> sb.constant([1.0, 2.0]).shape
        (2,)
    """
    return as_node(value)


def _dtype(dtype: Any) -> np.dtype[Any]:
    return FLOAT64 if dtype is None else as_dtype(dtype)


@public(
    "ones",
    examples=(
        lambda f, make: f((2, 3)) * make("x", (3,)),
        lambda f, make: f(2, dtype="int64"),
        lambda f, make: f((0,)),
    ),
    symbolic=False,
)
def ones(shape: Any, dtype: Any = None) -> Node:
    """Array of ones, as `numpy.ones` has it; sizes may be symbolic.

    Example:
        >>> import symback as sb
        >>> sb.ones(("n", 3)).shape
        (n, 3)
    """
    return ones_of(as_shape(shape), _dtype(dtype))


@public(
    "zeros",
    examples=(lambda f, make: f((2, 3)) + make("x", (3,)), lambda f, make: f(2, dtype="bool"), lambda f, make: f(())),
    symbolic=False,
)
def zeros(shape: Any, dtype: Any = None) -> Node:
    """Array of zeros, as `numpy.zeros` has it; sizes may be symbolic.

    Example:
        >>> import symback as sb
        >>> sb.zeros(("n", 3)).shape
        (n, 3)
    """
    return full(shape, 0, _dtype(dtype))


@public(
    "full",
    examples=(
        lambda f, make: f((2, 3), make("x", ())),
        lambda f, make: f((2, 3), make("x", (3,)), dtype="float32"),
        lambda f, make: f(2, 3),
        lambda f, make: f((2,), 0.5),
    ),
    symbolic=False,
)
def full(shape: Any, fill_value: Any, dtype: Any = None) -> Node:
    """Array of one value, as `numpy.full` has it; sizes may be symbolic.

    Args:
        shape: A size or a tuple of sizes.
        fill_value: A number, or a node that broadcasts to the shape.
        dtype: Of the result; by default that of the value.

    Raises:
        ShapeError: If the value does not broadcast to the shape.

    Example:
        >>> import symback as sb
        >>> sb.full(("n", 3), 0.5).shape
        (n, 3)
    """
    node, wanted = as_node(fill_value), as_shape(shape)
    kind = node.dtype if dtype is None else as_dtype(dtype)
    if isinstance(node, Exact):
        return astype(full_of(wanted, node.value, ones_of(wanted, kind)), kind)
    return astype(broadcast_node(as_array(node), wanted), kind)


def _like(a: Any, fill_value: Any, dtype: Any, shape: Any) -> Node:
    x = as_node(a)
    return full(x.shape if shape is None else shape, fill_value, x.dtype if dtype is None else dtype)


@public(
    "zeros_like",
    examples=(
        lambda f, make: f(make("x", (2, 3))) + make("x", (2, 3)),
        lambda f, make: f(make("x", (2,)), dtype="int64", shape=(2, 1)),
    ),
)
def zeros_like(a: Any, dtype: Any = None, *, shape: Any = None) -> Node:
    """Zeros of the shape and dtype of an array, as `numpy.zeros_like` has them, or of those given.

    Example:
        >>> import symback as sb
        >>> sb.zeros_like(sb.tensor("x", ("n",))).shape
        (n,)
    """
    return _like(a, 0, dtype, shape)


@public(
    "ones_like",
    examples=(
        lambda f, make: f(make("x", (2, 3))) * make("x", (2, 3)),
        lambda f, make: f(make("x", (2,)), "bool", shape=3),
    ),
)
def ones_like(a: Any, dtype: Any = None, *, shape: Any = None) -> Node:
    """Ones of the shape and dtype of an array, as `numpy.ones_like` has them, or of those given.

    Example:
        >>> import symback as sb
        >>> sb.ones_like(sb.tensor("x", ("n",))).shape
        (n,)
    """
    x = as_node(a)
    return ones(x.shape if shape is None else shape, x.dtype if dtype is None else dtype)


@public(
    "full_like",
    examples=(
        lambda f, make: f(make("x", (2, 3)), make("z", ())),
        lambda f, make: f(make("x", (2, 3)), 2, dtype="int64"),
        lambda f, make: f(make("x", ()), make("z", ()), shape=(2, 3)),
    ),
)
def full_like(a: Any, fill_value: Any, dtype: Any = None, *, shape: Any = None) -> Node:
    """An array of one value, of the shape and dtype of an array, as `numpy.full_like` has it, or of those given.

    Raises:
        ShapeError: If the value does not broadcast to the shape.

    Example:
        >>> import symback as sb
        >>> sb.full_like(sb.tensor("x", ("n",)), 0.5).shape
        (n,)
    """
    return _like(a, fill_value, dtype, shape)


def empty_like(prototype: Any, dtype: Any = None, *, shape: Any = None) -> Node:
    """Zeros of the shape and dtype of an array: what `numpy.empty_like` leaves open is zero.

    Example:
        >>> import symback as sb
        >>> sb.empty_like(sb.tensor("x", ("n",))).shape
        (n,)
    """
    return _like(prototype, 0, dtype, shape)


METHODS["empty_like"] = empty_like


@public("copy", examples=(lambda f, make: f(make("x", (2, 3))), lambda f, make: f(make("x", (2, 3)), order="C")))
def copy(a: Any, order: str = "K") -> Node:
    """The same array, as `numpy.copy` has it: nodes never change, so that nothing needs to be copied.

    Args:
        a: Any shape.
        order: Has no effect on values: ``"C"``, ``"F"``, ``"A"`` or ``"K"``.

    Raises:
        InputError: If `order` is another one.

    Example:
        >>> import symback as sb
        >>> x = sb.tensor("x", ("n",))
        >>> sb.copy(x) is x
        True
    """
    if order not in ("K", "A", "C", "F"):
        raise errors.bad_option("copy", "order", order, ("K", "A", "C", "F"))
    return as_array(a)


def shape(a: Any) -> Shape:
    """The sizes of the axes, as `numpy.shape` gives them: integers and symbolic sizes.

    Example:
        >>> import symback as sb
        >>> sb.shape(sb.tensor("X", ("n", 3)))
        (n, 3)
    """
    return as_node(a).shape


def ndim(a: Any) -> int:
    """The number of axes, as `numpy.ndim` gives it.

    Example:
        >>> import symback as sb
        >>> sb.ndim(sb.tensor("X", ("n", 3)))
        2
    """
    return len(as_node(a).shape)


def size(a: Any, axis: int | tuple[int, ...] | None = None) -> Any:
    """A symbolic size used as a value, for example the number of examples in a mean; or the size of an array.

    Args:
        a: The name of a size or a polynomial of sizes; or an array.
        axis: Of an array, the axis or axes; None: all of them.

    Returns:
        For a name a node; for an array its number of entries, as `numpy.size` has it: an integer, or what
        ``x.shape`` holds for a symbolic size.

    Example:
        >>> import symback as sb
        >>> sb.size("n").dtype
        dtype('int64')
        >>> sb.size(sb.tensor("X", ("n", 3)))
        3*n
    """
    if isinstance(a, (str, sympy.Expr)) and not isinstance(a, Node):
        return size_of(as_size(a))
    node = as_node(a)
    return _entries(node, axis) if axis is not None or node.shape else 1


def _entries(node: Node, axis: Any) -> SizeExpr:
    return product(node.shape[place] for place in normalize_axes("size", node, axis))


METHODS["shape"], METHODS["ndim"], METHODS["size"] = shape, ndim, size
