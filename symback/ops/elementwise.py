"""Scalar functions applied entry by entry, and the arithmetic operators.

In a derivative `y` is the result. What NumPy calls a function, symback calls it too. The rules are those
of Abramowitz and Stegun, *Handbook of Mathematical Functions* (1964), chapters 4 and 6, unless a row
says otherwise; docs/architecture.md tells how to add a row.
"""

from fractions import Fraction
from typing import Any

import numpy as np

from symback import errors
from symback.nodes.add import add as add_nodes
from symback.nodes.add import split_coefficient
from symback.nodes.dtypes import BOOL, promote
from symback.nodes.leaves import Exact, ExactValue, as_node, exact
from symback.nodes.node import METHODS, Node
from symback.nodes.products import hadamard, scale
from symback.op import Function, elementwise
from symback.ops import numerics
from symback.ops.logic import (
    REAL,
    absolute,
    astype,
    ceil,
    equal,
    floor,
    greater,
    greater_equal,
    less,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
    maximum,
    minimum,
    not_equal,
    relu,
    sign,
    stop_gradient,
    where,
)

__all__ = [
    "absolute",
    "add",
    "arccos",
    "arcsin",
    "arctan",
    "astype",
    "ceil",
    "cos",
    "cosh",
    "divide",
    "equal",
    "exp",
    "expm1",
    "floor",
    "greater",
    "greater_equal",
    "less",
    "less_equal",
    "log",
    "log1p",
    "logical_and",
    "logical_not",
    "logical_or",
    "maximum",
    "minimum",
    "multiply",
    "negative",
    "not_equal",
    "power",
    "reciprocal",
    "relu",
    "sigmoid",
    "sign",
    "sin",
    "sinh",
    "softplus",
    "sqrt",
    "square",
    "stop_gradient",
    "subtract",
    "tan",
    "tanh",
    "where",
]

HALF = Fraction(1, 2)
POSITIVE = ((0.1, 4.0),)

# -- arithmetic: sums and products are nodes of their own ---------------------------------------


def add(x1: Any, x2: Any) -> Node:
    """Add entry by entry, with broadcasting, as `numpy.add` does; booleans are added by or.

    Raises:
        ShapeError: If the shapes do not broadcast.
    """
    x1, x2 = as_node(x1), as_node(x2)
    return logical_or(x1, x2) if x1.dtype is BOOL and x2.dtype is BOOL else add_nodes(x1, x2)


def negative(x: Any) -> Node:
    """Change the sign, as `numpy.negative` does.

    Raises:
        DtypeError: If x is boolean.
    """
    x = as_node(x)
    if x.dtype is BOOL:
        raise errors.operand_dtype("negative", x, "a number (use sb.logical_not)")
    return scale(-1, x)


def subtract(x1: Any, x2: Any) -> Node:
    """Subtract entry by entry, with broadcasting, as `numpy.subtract` does.

    Raises:
        ShapeError: If the shapes do not broadcast.
        DtypeError: If both operands are boolean.
    """
    x1, x2 = as_node(x1), as_node(x2)
    if x2.dtype.kind != "f" and not x2.is_weak:
        wanted = promote([x1, x2])
        if wanted is BOOL:
            raise errors.operand_dtype("subtract", x2, "a number (use sb.not_equal)")
        if x2.dtype.name != "int64":
            # the sign is changed in the dtype of the result: in its own, 0 - uint8(1) is 255
            x2 = astype(x2, wanted)
    return add_nodes(x1, scale(-1, x2))


def multiply(x1: Any, x2: Any) -> Node:
    """Multiply entry by entry (the Hadamard product), with broadcasting, as `numpy.multiply` does.

    Booleans are multiplied by and.

    Raises:
        ShapeError: If the shapes do not broadcast.
    """
    x1, x2 = as_node(x1), as_node(x2)
    return logical_and(x1, x2) if x1.dtype is BOOL and x2.dtype is BOOL else hadamard(x1, x2)


def square(x: Any) -> Node:
    """Square entry by entry, as `numpy.square` does."""
    return multiply(x, x)


divide_nodes: Function = elementwise(
    "divide",
    derivative=lambda y, x1, x2: (divide_nodes(1, x2), negative(divide_nodes(y, x2))),
    numpy="{0} / {1}",
    value=np.divide,
    mpmath=lambda mp, a, b: a / b,
    latex=r"\frac{{{0}}}{{{1}}}",
    domain=(*REAL, *POSITIVE),
    doc="Quotient, as `numpy.divide` gives it.",
    aliases=("true_divide",),
)


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


def _power_derivative(y: Node, x: Node, p: Node) -> tuple[Node | None, Node | None]:
    if isinstance(p, Exact):
        return (None if p.value == 0 else p * power(x, p - 1)), None
    constant = equal(p, 0)
    by_base = where(constant, 0, p * power(x, where(constant, 1, p - 1)))
    vanishes = logical_and(equal(x, 0), greater_equal(p, 0))
    return by_base, where(vanishes, 0, y * log(x))


power_nodes = elementwise(
    "power",
    derivative=_power_derivative,
    numpy="{0}**{1}",
    value=np.power,
    mpmath=lambda mp, a, b: a**b,
    latex=r"{0}^{{{1}}}",
    domain=(*POSITIVE, *REAL),
    dtype="number",
    doc="Power, as `numpy.power` gives it; 0**p has derivative 0 by p where p >= 0.",
)


def power(x1: Any, x2: Any) -> Node:
    """Raise to a power entry by entry, as `numpy.power` does; small exact exponents become products and roots.

    Raises:
        ShapeError: If the shapes do not broadcast.
        DtypeError: If an operand is boolean, or an integer is raised to a negative integer.

    Example:
        >>> import symback as sb
        >>> sb.power(sb.tensor("x", ("n",)), 3)
        power(x, 3)
    """
    x1, x2 = as_node(x1), as_node(x2)
    exponent = x2.value if isinstance(x2, Exact) else None
    if exponent is None or isinstance(exponent, float) or x1.dtype is BOOL:
        return power_nodes(x1, x2)
    if isinstance(x1, Exact):
        folded = _exact_power(x1.value, exponent)
        if folded is not None:
            return folded
    elif isinstance(exponent, int) and exponent < 0 and x1.dtype.kind in "iu":
        raise errors.operand_dtype(f"power with exponent {exponent}", x1, "a float")
    if exponent == 1:
        return scale(exponent, x1)
    if exponent == 2:
        return hadamard(x1, x1) if isinstance(exponent, int) else hadamard(scale(Fraction(1), x1), x1)
    if exponent == HALF:
        return sqrt(x1)
    if exponent == -1:
        return divide(1, x1)
    return power_nodes(x1, x2)


def _exact_power(base: ExactValue, exponent: ExactValue) -> Node | None:
    """Fold small integer powers of rational numbers."""
    if not isinstance(base, (int, Fraction)) or not isinstance(exponent, int) or abs(exponent) > 64:
        return None
    if exponent >= 0:
        return exact(base**exponent)
    return exact(Fraction(base) ** exponent) if base != 0 else None


def reciprocal(x: Any) -> Node:
    """Return 1 / x entry by entry."""
    return divide(1, x)


# -- exponentials and logarithms ----------------------------------------------------------------

exp: Function = elementwise(
    "exp", derivative=lambda y, x: y, numpy="np.exp", mpmath="exp", latex="e^{{{0}}}", domain=REAL,
    doc="Exponential function.",
)  # fmt: skip
expm1 = elementwise(
    "expm1", derivative=lambda y, x: exp(x), numpy="np.expm1", mpmath="expm1",
    latex=r"\operatorname{{expm1}}\left({0}\right)", domain=REAL, doc="exp(x) - 1, accurate near 0.",
)  # fmt: skip
log: Function = elementwise(
    "log", derivative=lambda y, x: divide(1, x), numpy="np.log", mpmath="log", latex=r"\log", domain=POSITIVE,
    doc="Natural logarithm.",
)  # fmt: skip
log1p = elementwise(
    "log1p", derivative=lambda y, x: divide(1, 1 + x), numpy="np.log1p", mpmath="log1p",
    latex=r"\log\left(1 + {0}\right)", domain=((-0.9, 4.0),), doc="log(1 + x), accurate near 0.",
)  # fmt: skip
sqrt: Function = elementwise(
    "sqrt", derivative=lambda y, x: divide(HALF, y), numpy="np.sqrt", mpmath="sqrt", latex=r"\sqrt{{{0}}}",
    domain=POSITIVE, doc="Square root; its slope at 0 is infinite.",
)  # fmt: skip
sigmoid = elementwise(
    "sigmoid", derivative=lambda y, x: y * (1 - y), numpy=numerics.sigmoid,
    mpmath=lambda mp, x: 1 / (1 + mp.exp(-x)), latex=r"\sigma", domain=REAL,
    doc="Logistic function 1 / (1 + exp(-x)); its derivative is y (1 - y).",
)  # fmt: skip
softplus = elementwise(
    "softplus", derivative=lambda y, x: sigmoid(x), numpy=numerics.softplus,
    mpmath=lambda mp, x: mp.log1p(mp.exp(x)), latex=r"\operatorname{{softplus}}", domain=REAL,
    doc="log(1 + exp(x)); its derivative is the logistic function.",
)  # fmt: skip

# -- trigonometric and hyperbolic functions -------------------------------------------------------

sin = elementwise(
    "sin", derivative=lambda y, x: cos(x), numpy="np.sin", mpmath="sin", latex=r"\sin", domain=REAL, doc="Sine.",
)  # fmt: skip
cos: Function = elementwise(
    "cos", derivative=lambda y, x: -sin(x), numpy="np.cos", mpmath="cos", latex=r"\cos", domain=REAL, doc="Cosine.",
)  # fmt: skip
tan = elementwise(
    "tan", derivative=lambda y, x: 1 + y**2, numpy="np.tan", mpmath="tan", latex=r"\tan", domain=((-1.2, 1.2),),
    doc="Tangent; its derivative is 1 + y**2.",
)  # fmt: skip
arcsin = elementwise(
    "arcsin", derivative=lambda y, x: divide(1, sqrt((1 - x) * (1 + x))), numpy="np.arcsin", mpmath="asin",
    latex=r"\arcsin", domain=((-0.9, 0.9),), doc="Inverse sine.",
)  # fmt: skip
arccos = elementwise(
    "arccos", derivative=lambda y, x: divide(-1, sqrt((1 - x) * (1 + x))), numpy="np.arccos", mpmath="acos",
    latex=r"\arccos", domain=((-0.9, 0.9),), doc="Inverse cosine.",
)  # fmt: skip
arctan = elementwise(
    "arctan", derivative=lambda y, x: divide(1, 1 + x**2), numpy="np.arctan", mpmath="atan", latex=r"\arctan",
    domain=REAL, doc="Inverse tangent.",
)  # fmt: skip
sinh = elementwise(
    "sinh", derivative=lambda y, x: cosh(x), numpy="np.sinh", mpmath="sinh", latex=r"\sinh", domain=REAL,
    doc="Hyperbolic sine.",
)  # fmt: skip
cosh: Function = elementwise(
    "cosh", derivative=lambda y, x: sinh(x), numpy="np.cosh", mpmath="cosh", latex=r"\cosh", domain=REAL,
    doc="Hyperbolic cosine.",
)  # fmt: skip
tanh = elementwise(
    "tanh", derivative=lambda y, x: 1 - y**2, numpy="np.tanh", mpmath="tanh", latex=r"\tanh", domain=REAL,
    doc="Hyperbolic tangent; its derivative is 1 - y**2.",
)  # fmt: skip

for _function in (add, subtract, multiply, divide, power, negative, square, reciprocal):
    METHODS[_function.__name__] = _function
METHODS["true_divide"] = divide
