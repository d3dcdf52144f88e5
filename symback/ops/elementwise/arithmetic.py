"""The arithmetic operators, entry by entry: sums and products are nodes of their own, a quotient is a primitive."""

from fractions import Fraction
from typing import Any

import numpy as np

from symback import errors
from symback.nodes.add import add as add_nodes
from symback.nodes.add import split_coefficient
from symback.nodes.dtypes import BOOL, promote
from symback.nodes.exact_numbers import integer_range
from symback.nodes.leaves import Exact, as_node
from symback.nodes.node import METHODS, Node
from symback.nodes.products import hadamard, scale, zeros_of
from symback.op.declare import Function, elementwise
from symback.op.public import public
from symback.ops.elementwise.logic import REAL, astype, logical_and, logical_or

__all__ = [
    "add",
    "conj",
    "conjugate",
    "divide",
    "imag",
    "multiply",
    "negative",
    "positive",
    "real",
    "subtract",
    "true_divide",
]

HALF = Fraction(1, 2)
POSITIVE = ((0.1, 4.0),)


def _of_two(f: Any, make: Any) -> Any:
    return f(make("x", (2, 1)), make("y", (3,), low=0.5, high=2))


def _with_number(f: Any, make: Any) -> Any:
    return f(make("x", (2, 3)), 0.1)


def _of_integers(f: Any, make: Any) -> Any:
    return f(make("k", (0, 3), dtype="int64"), make("x", (3,), low=0.5, high=2))


_OF_TWO = (_of_two, _with_number, _of_integers, lambda f, make: f(make("x", ()), make("x", ()) + 3))
_OF_ONE = (lambda f, make: f(make("x", (2, 3))), lambda f, make: f(make("k", (3,), dtype="int64")))


def _in_range(operation: str, *given: Any) -> list[Node]:
    """Convert operands; as in NumPy, a Python integer must be in the range of the integers it is combined with."""
    operands = [as_node(operand) for operand in given]
    dtype = promote(operands)
    if dtype.kind in "iu" and not all(operand.is_weak for operand in operands):
        low, high = integer_range(dtype)
        for operand in operands:
            if type(operand) is Exact and type(operand.value) is int and not low <= operand.value <= high:
                raise errors.integer_out_of_range(operation, operand.value, dtype)
    return operands


@public("add", examples=_OF_TWO)
def add(x1: Any, x2: Any) -> Node:
    """Add entry by entry, with broadcasting, as `numpy.add` does; booleans are added by or.

    Raises:
        ShapeError: If the shapes do not broadcast.
    """
    x1, x2 = _in_range("add", x1, x2)
    return logical_or(x1, x2) if x1.dtype is BOOL and x2.dtype is BOOL else add_nodes(x1, x2)


@public("negative", examples=_OF_ONE)
def negative(x: Any) -> Node:
    """Change the sign, as `numpy.negative` does.

    Raises:
        DtypeError: If x is boolean.
    """
    x = as_node(x)
    if x.dtype is BOOL:
        raise errors.operand_dtype("negative", x, "a number (use sb.logical_not)")
    return scale(-1, x)


@public("positive", examples=_OF_ONE)
def positive(x: Any) -> Node:
    """Return a number as it is, as `numpy.positive` does.

    Raises:
        DtypeError: If x is boolean.
    """
    node = as_node(x)
    if node.dtype is BOOL:
        raise errors.operand_dtype("positive", node, "a number")
    return node


@public("conjugate", examples=_OF_ONE, aliases=("conj",))
def conjugate(x: Any) -> Node:
    """Return the complex conjugate, which of a real number is itself; as `numpy.conjugate` has it, int8 of booleans."""
    x = as_node(x)
    return astype(x, "int8") if x.dtype is BOOL else x


conj = conjugate


@public("real", examples=_OF_ONE)
def real(val: Any) -> Node:
    """Return the real part, which of a real number is itself."""
    return as_node(val)


def imag(val: Any) -> Node:
    """Return the imaginary part: zeros of the shape and dtype of a real node."""
    return zeros_of(as_node(val))


METHODS["imag"] = imag


@public("subtract", examples=_OF_TWO)
def subtract(x1: Any, x2: Any) -> Node:
    """Subtract entry by entry, with broadcasting, as `numpy.subtract` does.

    Raises:
        ShapeError: If the shapes do not broadcast.
        DtypeError: If both operands are boolean.
    """
    x1, x2 = _in_range("subtract", x1, x2)
    if x2.dtype.kind != "f" and not x2.is_weak:
        wanted = promote([x1, x2])
        if wanted is BOOL:
            raise errors.operand_dtype("subtract", x2, "a number (use sb.not_equal)")
        if x2.dtype.name != "int64":
            # the sign is changed in the dtype of the result: in its own, 0 - uint8(1) is 255
            x2 = astype(x2, wanted)
    return add_nodes(x1, scale(-1, x2))


@public("multiply", examples=_OF_TWO)
def multiply(x1: Any, x2: Any) -> Node:
    """Multiply entry by entry (the Hadamard product), with broadcasting, as `numpy.multiply` does.

    Booleans are multiplied by and.

    Raises:
        ShapeError: If the shapes do not broadcast.
    """
    x1, x2 = _in_range("multiply", x1, x2)
    return logical_and(x1, x2) if x1.dtype is BOOL and x2.dtype is BOOL else hadamard(x1, x2)


divide_nodes: Function = elementwise(
    "divide",
    derivative=lambda y, x1, x2: (divide_nodes(1, x2), negative(divide_nodes(y, x2))),
    numpy="{0} / {1}",
    value=np.divide,
    mpmath=lambda mp, a, b: a / b,
    latex=r"\frac{{{0}}}{{{1}}}",
    domain=(*REAL, *POSITIVE),
    dtype="quotient",
    doc="Quotient, as `numpy.divide` gives it.",
    defined=r"$x_2 \neq 0$",
)


@public("divide", examples=_OF_TWO, aliases=("true_divide",), defined=r"$x_2 \neq 0$")
def divide(x1: Any, x2: Any) -> Node:
    """Divide entry by entry, with broadcasting, as `numpy.divide` does; an exact divisor is a factor.

    Integers are divided to float64.

    Raises:
        ShapeError: If the shapes do not broadcast.

    Example:
        >>> import symback as sb
        >>> sb.divide(sb.tensor("x", ("n",), dtype="int64"), 2).dtype
        dtype('float64')
    """
    x1, x2 = as_node(x1), as_node(x2)
    if isinstance(x2, Exact) and isinstance(x2.value, (int, Fraction)) and x2.value != 0:
        return scale(1 / Fraction(x2.value), x1)
    core, factor = split_coefficient(x2)
    if core is not None and isinstance(factor, (int, Fraction)) and factor not in (0, 1):
        return scale(1 / Fraction(factor), divide_nodes(x1, core))
    return divide_nodes(x1, x2)


true_divide = divide
