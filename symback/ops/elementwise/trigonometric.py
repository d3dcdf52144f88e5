"""Trigonometric and hyperbolic functions and their inverses, entry by entry.

In a derivative `y` is the result. The rules are those of Abramowitz and Stegun, *Handbook of Mathematical
Functions* (1964), chapter 4, unless a row says otherwise.
"""

from typing import Any

import numpy as np
import sympy

from symback import errors
from symback.nodes.apply import Map
from symback.nodes.dtypes import to_float
from symback.nodes.leaves import as_node, exact
from symback.nodes.node import Node
from symback.nodes.products import hadamard, scale
from symback.op.declare import Function, elementwise, primitive
from symback.op.public import public
from symback.ops.elementwise.arithmetic import divide, negative
from symback.ops.elementwise.logic import REAL, TWO_REAL, where
from symback.ops.elementwise.powers import hypot, sqrt, square
from symback.ops.numerics import trigonometric as numerics

__all__ = [
    "acos",
    "acosh",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cos",
    "cosh",
    "deg2rad",
    "degrees",
    "rad2deg",
    "radians",
    "sin",
    "sinc",
    "sinh",
    "tan",
    "tanh",
]

WITHIN = ((-0.9, 0.9),)

# -- trigonometric functions ----------------------------------------------------------------------------

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
deg2rad = elementwise(
    "deg2rad", derivative=lambda y, x: as_node(sympy.pi / 180), numpy="np.deg2rad", mpmath="radians",
    latex=r"\operatorname{{deg2rad}}", domain=REAL, doc="Angle in radians, of an angle in degrees.",
)  # fmt: skip
rad2deg = elementwise(
    "rad2deg", derivative=lambda y, x: as_node(180 / sympy.pi), numpy="np.rad2deg", mpmath="degrees",
    latex=r"\operatorname{{rad2deg}}", domain=REAL, doc="Angle in degrees, of an angle in radians.",
)  # fmt: skip


@public("radians", examples=(lambda f, make: f(make("x", (2, 3))),))
def radians(x: Any) -> Node:
    """Return angles in radians, of angles in degrees; the same as `deg2rad`."""
    return deg2rad(x)


@public("degrees", examples=(lambda f, make: f(make("x", (2, 3))),))
def degrees(x: Any) -> Node:
    """Return angles in degrees, of angles in radians; the same as `rad2deg`."""
    return rad2deg(x)


# -- their inverses -------------------------------------------------------------------------------------

_ENDS = "infinite slope at -1 and 1"

_arcsin_slope: Function = elementwise(
    "arcsin_slope", derivative=lambda y, x: x * y**3, numpy="1 / np.sqrt((1 - {0}) * (1 + {0}))", namespace=None,
    value=lambda x: 1 / np.sqrt((1 - x) * (1 + x)), mpmath=lambda mp, x: 1 / mp.sqrt((1 - x) * (1 + x)),
    latex=r"\frac{{1}}{{\sqrt{{1 - {0}^{{\odot 2}}}}}}", domain=WITHIN,
    doc="Derivative of arcsin, right at its ends too.",
)  # fmt: skip
arcsin = elementwise(
    "arcsin", derivative=lambda y, x: _arcsin_slope(x), numpy="np.arcsin", mpmath="asin", latex=r"\arcsin",
    domain=WITHIN, doc="Inverse sine.", aliases=("asin",), defined=r"$-1 \leq x \leq 1$", kinks=_ENDS,
)  # fmt: skip
arccos = elementwise(
    "arccos", derivative=lambda y, x: -_arcsin_slope(x), numpy="np.arccos", mpmath="acos", latex=r"\arccos",
    domain=WITHIN, doc="Inverse cosine.", aliases=("acos",), defined=r"$-1 \leq x \leq 1$", kinks=_ENDS,
)  # fmt: skip
arctan = elementwise(
    "arctan", derivative=lambda y, x: square(divide(1, hypot(1, x))), numpy="np.arctan", mpmath="atan",
    latex=r"\arctan", domain=REAL, doc="Inverse tangent; its derivative 1 / (1 + x**2) does not overflow.",
    aliases=("atan",),
)  # fmt: skip


def _slope_derivative(y: Node, x1: Node, x2: Node) -> tuple[Node, Node]:
    other = _arctan2_slope(x2, x1)
    return scale(-2, hadamard(y, other)), (other - y) * (other + y)


_arctan2_slope: Function = elementwise(
    "arctan2_slope", derivative=_slope_derivative, numpy=numerics.arctan2_slope,
    mpmath=lambda mp, a, b: b / (a * a + b * b), latex=r"\frac{{{1}}}{{{0}^{{\odot 2}} + {1}^{{\odot 2}}}}",
    domain=TWO_REAL, namespace=None, doc="Derivative of arctan2 by x1, x2 / (x1**2 + x2**2), without overflow.",
)  # fmt: skip
arctan2 = elementwise(
    "arctan2", derivative=lambda y, x1, x2: (_arctan2_slope(x1, x2), negative(_arctan2_slope(x2, x1))),
    numpy="np.arctan2", mpmath="atan2", latex=r"\operatorname{{arctan2}}\left({0}, {1}\right)", domain=TWO_REAL,
    doc="Angle of the point (x2, x1).", aliases=("atan2",), kinks="derivatives NaN where both are 0",
)  # fmt: skip

# -- hyperbolic functions ---------------------------------------------------------------------------------

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
arcsinh = elementwise(
    "arcsinh", derivative=lambda y, x: divide(1, hypot(1, x)), numpy="np.arcsinh", mpmath="asinh",
    latex=r"\operatorname{{arcsinh}}", domain=REAL, doc="Inverse hyperbolic sine.", aliases=("asinh",),
)  # fmt: skip
arccosh = elementwise(
    "arccosh", derivative=lambda y, x: divide(divide(1, sqrt(x - 1)), sqrt(x + 1)), numpy="np.arccosh", mpmath="acosh",
    latex=r"\operatorname{{arccosh}}", domain=((1.2, 4.0),), doc="Inverse hyperbolic cosine.", aliases=("acosh",),
    defined=r"$x \geq 1$", kinks="infinite slope at 1",
)  # fmt: skip
_arctanh_slope: Function = elementwise(
    "arctanh_slope", derivative=lambda y, x: 2 * x * y**2, numpy="1 / ((1 - {0}) * (1 + {0}))", namespace=None,
    value=lambda x: 1 / ((1 - x) * (1 + x)), mpmath=lambda mp, x: 1 / ((1 - x) * (1 + x)),
    latex=r"\frac{{1}}{{1 - {0}^{{\odot 2}}}}", domain=WITHIN, doc="Derivative of arctanh, right at its ends too.",
)  # fmt: skip
arctanh = elementwise(
    "arctanh", derivative=lambda y, x: _arctanh_slope(x), numpy="np.arctanh", mpmath="atanh",
    latex=r"\operatorname{{arctanh}}", domain=WITHIN, doc="Inverse hyperbolic tangent.", aliases=("atanh",),
    defined=r"$-1 \leq x \leq 1$", kinks=_ENDS,
)  # fmt: skip

acos, asin, atan, acosh, asinh, atanh, atan2 = arccos, arcsin, arctan, arccosh, arcsinh, arctanh, arctan2

# -- sinc ---------------------------------------------------------------------------------------------------


def _order(x: Node, n: Any) -> tuple[Any, Any]:
    if type(n) is not int or not 1 <= n <= 50:
        raise errors.bad_node("sinc_derivative", f"the order must be an integer from 1 to 50, not {str(n)[:40]}")
    return x.shape, to_float(x.dtype)


def _sinc_vjp(g: Node, node: Any) -> tuple[Node]:
    """Multiply by the next derivative; a mask stays outside of the product."""
    (x,), (n,) = node.operands, node.operation.parameters
    slope = sinc_derivative(x, n + 1)
    if isinstance(g, Map) and g.operation.name == "where" and g.operands[2] is exact(0):
        return (where(g.operands[0], hadamard(g.operands[1], slope), 0),)
    return (hadamard(g, slope),)


def _high_sinc(mp: Any, x: Any, n: int) -> Any:
    """Sum the power series, with as many digits more as its terms are larger than their sum."""

    def of_scalar(value: Any) -> Any:
        with mp.extradps(20 + int(2 * abs(value))):
            u, first = mp.pi * value, (n + 1) // 2
            return mp.pi**n * mp.nsum(
                lambda k: (-1) ** int(k) * u ** (2 * k - n) / mp.factorial(2 * k - n) / (2 * k + 1),
                [first, first + 100 + int(10 * abs(value))],
            )

    return np.frompyfunc(of_scalar, 1, 1)(x)


sinc_derivative: Function = primitive(
    "sinc_derivative",
    signature=_order,
    vjp=_sinc_vjp,
    numpy=lambda spell, operands, parameters: (
        f"{spell.helper(numerics.sinc_derivative)}({operands[0]}, {parameters[0]})"
    ),
    value=numerics.sinc_derivative,
    mpmath=_high_sinc,
    latex=lambda operands, parameters: rf"\operatorname{{sinc}}^{{({parameters[0]})}}\left({operands[0]}\right)",
    examples=(
        lambda make: sinc_derivative(make("x", (3,)), 1),
        lambda make: sinc_derivative(make("x", ()), 2),
        lambda make: sinc_derivative(make("x", (1, 0)), 3),
    ),
    batch="leading",
    doc="Derivative of an order of sinc: its power series near 0, a recurrence far out.",
)
sinc = elementwise(
    "sinc", derivative=lambda y, x: sinc_derivative(x, 1), numpy="np.sinc",
    mpmath="sincpi", latex=r"\operatorname{{sinc}}", domain=WITHIN,
    doc="sin(pi x) / (pi x), 1 at 0; derivatives of every order are right near 0.",
)  # fmt: skip
