"""Powers and roots, entry by entry. In a derivative `y` is the result."""

from fractions import Fraction
from typing import Any

import numpy as np

from symback import errors
from symback.nodes.dtypes import BOOL
from symback.nodes.leaves import Exact, ExactValue, as_node, exact
from symback.nodes.node import METHODS, Node
from symback.nodes.products import hadamard, scale
from symback.op.declare import Function, elementwise
from symback.ops.arithmetic import HALF, POSITIVE, divide, multiply
from symback.ops.exponential import log
from symback.ops.logic import REAL, equal, greater_equal, logical_and, where

__all__ = ["power", "reciprocal", "sqrt", "square"]

sqrt: Function = elementwise(
    "sqrt", derivative=lambda y, x: divide(HALF, y), numpy="np.sqrt", mpmath="sqrt", latex=r"\sqrt{{{0}}}",
    domain=POSITIVE, doc="Square root; its slope at 0 is infinite.",
)  # fmt: skip


def square(x: Any) -> Node:
    """Square entry by entry, as `numpy.square` does."""
    return multiply(x, x)


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


for _function in (power, square, reciprocal):
    METHODS[_function.__name__] = _function
