"""Powers and roots, entry by entry. In a derivative `y` is the result."""

from fractions import Fraction
from typing import Any

import numpy as np

from symback import errors
from symback.nodes.apply import unnamed
from symback.nodes.dtypes import BOOL
from symback.nodes.leaves import Exact, ExactValue, as_node, exact
from symback.nodes.node import Node
from symback.nodes.products import hadamard, scale
from symback.op.declare import Function, elementwise
from symback.op.public import public
from symback.ops.elementwise.arithmetic import HALF, POSITIVE, divide, multiply, negative
from symback.ops.elementwise.exponential import log
from symback.ops.elementwise.logic import REAL, TWO_REAL, astype, equal, logical_and, where
from symback.ops.numerics import powers as numerics

__all__ = ["cbrt", "float_power", "hypot", "pow", "power", "reciprocal", "sqrt", "square"]

_STEEP = "infinite slope at 0"
sqrt: Function = elementwise(
    "sqrt", derivative=lambda y, x: divide(HALF, y), numpy="np.sqrt", mpmath="sqrt", latex=r"\sqrt{{{0}}}",
    domain=POSITIVE, doc="Square root.", defined=r"$x \geq 0$", kinks=_STEEP,
)  # fmt: skip
cbrt = elementwise(
    "cbrt", derivative=lambda y, x: divide(Fraction(1, 3), y * y), numpy="np.cbrt",
    mpmath=lambda mp, x: mp.sign(x) * mp.cbrt(abs(x)), latex=r"\sqrt[3]{{{0}}}", domain=POSITIVE, doc="Cube root.",
    kinks=_STEEP,
)  # fmt: skip


@public("square", examples=(lambda f, make: f(make("x", (2, 3))), lambda f, make: f(make("k", (3,), dtype="int64"))))
def square(x: Any) -> Node:
    """Square entry by entry, as `numpy.square` does, which has the square of a boolean in int8."""
    x = as_node(x)
    return multiply(*[astype(x, "int8") if x.dtype is BOOL else x] * 2)


# -- powers -----------------------------------------------------------------------------------------------


def _power_derivative(y: Node, x: Node, p: Node) -> tuple[Node | None, Node | None]:
    """Return p x**(p - 1) and y log(x); what the logarithm of 0 is multiplied by counts as 0 where it is finite."""
    if isinstance(p, Exact):
        return (None if p.value == 0 else p * power(x, p - 1)), None
    if isinstance(x, Exact):
        return None, y * log(1 if x.value == 0 else x)
    if unnamed(x) is unnamed(p):
        return y, y * log(x)
    if p.dtype.kind == "u":  # p - 1 would wrap around
        p = astype(p, np.promote_types(p.dtype, np.int8))
    flat = logical_and(equal(x, 0), equal(p, 0))
    by_base = where(flat, 0, p * power(x, where(flat, 1, p - 1)))
    return by_base, y * log(where(equal(x, 0), 1, x))


power_nodes = elementwise(
    "power",
    derivative=_power_derivative,
    numpy="{0}**{1}",
    value=np.power,
    mpmath=lambda mp, a, b: a**b,
    latex=r"{0}^{{\odot {1}}}",
    domain=(*POSITIVE, *REAL),
    dtype="number",
    doc="Power, as `numpy.power` gives it.",
    defined=r"$x_1 \geq 0$, or $x_2$ is an integer",
    kinks="0**p has derivative 0 by p where p >= 0, NaN where p < 0; x**0 has derivative 0 by x, at 0 too",
)


@public(
    "power",
    examples=(
        lambda f, make: f(make("x", (2, 3), low=0.5, high=2), 1.5),
        lambda f, make: f(make("x", (2, 3)), 3),
        lambda f, make: f(make("x", (3,), low=0.5, high=2), make("p", (2, 1))),
        lambda f, make: f(make("x", (3,)), make("k", (3,), dtype="int64", low=1, high=4)),
        lambda f, make: f(2.0, make("p", ())),
    ),
    aliases=("pow",),
    defined=r"$x_1 \geq 0$, or $x_2$ is an integer",
    kinks="0**p has derivative 0 by p where p >= 0, NaN where p < 0; x**0 has derivative 0 by x, at 0 too",
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


pow = power


@public(
    "float_power",
    examples=(
        lambda f, make: f(make("x", (2, 3), low=0.5, high=2), 2),
        lambda f, make: f(make("x", (3,), low=0.5, high=2), make("p", (2, 1))),
        lambda f, make: f(make("k", (3,), dtype="int64", low=1, high=4), -2),
    ),
    defined=r"$x_1 \geq 0$, or $x_2$ is an integer",
)
def float_power(x1: Any, x2: Any) -> Node:
    """Raise to a power in float64, as `numpy.float_power` does: integers too, and to negative powers.

    Raises:
        ShapeError: If the shapes do not broadcast.

    Example:
        >>> import symback as sb
        >>> sb.float_power(sb.tensor("k", (3,), dtype="int64"), -1).dtype
        dtype('float64')
    """
    return power(*[x if isinstance(x, Exact) else astype(x, "float64") for x in map(as_node, (x1, x2))])


@public(
    "reciprocal",
    examples=(lambda f, make: f(make("x", (2, 3), low=0.5, high=2)), lambda f, make: f(make("x", ()))),
    defined=r"$x \neq 0$",
)
def reciprocal(x: Any) -> Node:
    """Return 1 / x entry by entry, as `numpy.reciprocal` does.

    Raises:
        DtypeError: If x is no float: NumPy would give whole numbers, 0 for most.
    """
    x = as_node(x)
    if x.dtype.kind != "f":
        raise errors.operand_dtype("reciprocal (which is whole for integers in NumPy)", x, "a float (or write 1 / x)")
    return divide(1, x)


# -- the length of the hypotenuse -----------------------------------------------------------------------------


def _slope_derivative(y: Node, x1: Node, x2: Node) -> tuple[Node, Node]:
    across, length = hypot_slope(x2, x1), hypot(x1, x2)
    return divide(across * across, length), negative(divide(y * across, length))


hypot_slope: Function = elementwise(
    "hypot_slope", derivative=_slope_derivative, numpy=numerics.hypot_slope,
    mpmath=lambda mp, a, b: a / mp.hypot(a, b) if a else a,
    latex=r"\frac{{{0}}}{{\sqrt{{{0}^{{\odot 2}} + {1}^{{\odot 2}}}}}}", domain=TWO_REAL, namespace=None,
    doc="x1 / hypot(x1, x2), the derivative of hypot by x1; 0 at the origin.",
)  # fmt: skip
hypot: Function = elementwise(
    "hypot", derivative=lambda y, x1, x2: (hypot_slope(x1, x2), hypot_slope(x2, x1)), numpy=numerics.hypot,
    mpmath="hypot", latex=r"\sqrt{{{0}^{{\odot 2}} + {1}^{{\odot 2}}}}", domain=TWO_REAL,
    doc="sqrt(x1**2 + x2**2), without overflow or underflow.",
    kinks="derivative 0 where both are 0",
)  # fmt: skip
