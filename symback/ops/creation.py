"""Where graphs begin: variables, names, and arrays that are known."""

from typing import Any

from symback.nodes.apply import Named
from symback.nodes.contract import contract
from symback.nodes.dtypes import as_dtype
from symback.nodes.leaves import Exact, Label, Variable, as_node, ones_of, size_of, variable
from symback.nodes.node import METHODS, Node
from symback.nodes.products import broadcast_to as broadcast_node
from symback.nodes.products import full as full_of
from symback.nodes.shapes import as_shape, as_size
from symback.ops.logic import astype

__all__ = ["constant", "eye", "full", "full_like", "let", "ones", "ones_like", "size", "tensor", "zeros", "zeros_like"]


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


def ones(shape: Any, dtype: Any = "float64") -> Node:
    """Array of ones; sizes may be symbolic."""
    return ones_of(as_shape(shape), as_dtype(dtype))


def zeros(shape: Any, dtype: Any = "float64") -> Node:
    """Array of zeros; sizes may be symbolic."""
    return full(shape, 0, dtype)


def full(shape: Any, value: Any, dtype: Any = "float64") -> Node:
    """Array filled with a scalar; sizes may be symbolic."""
    node, wanted = as_node(value), as_shape(shape)
    if isinstance(node, Exact):
        return full_of(wanted, node.value, ones_of(wanted, as_dtype(dtype)))
    return astype(broadcast_node(node, wanted), dtype)


def eye(n: Any, dtype: Any = "float64") -> Node:
    """Identity matrix of shape (n, n); the size may be symbolic."""
    return contract([(ones_of(as_shape((n,)), as_dtype(dtype)), (0,))], (0, 0))


def zeros_like(x: Any) -> Node:
    """Zeros of the shape and dtype of a node."""
    x = as_node(x)
    return zeros(x.shape, x.dtype)


def ones_like(x: Any) -> Node:
    """Ones of the shape and dtype of a node."""
    x = as_node(x)
    return ones(x.shape, x.dtype)


def full_like(x: Any, value: Any) -> Node:
    """An array filled with a scalar, of the shape and dtype of a node."""
    x = as_node(x)
    return full(x.shape, value, x.dtype)


def size(name: Any) -> Node:
    """A symbolic size used as a value, for example the number of examples in a mean.

    Example:
        >>> import symback as sb
        >>> sb.size("n").dtype
        dtype('int64')
    """
    return size_of(as_size(name))


for _function in (zeros_like, ones_like, full_like):
    METHODS[_function.__name__] = _function
