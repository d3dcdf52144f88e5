"""Trigonometric and hyperbolic functions and their inverses, entry by entry.

In a derivative `y` is the result. The rules are those of Abramowitz and Stegun, *Handbook of Mathematical
Functions* (1964), chapter 4, unless a row says otherwise.
"""

from symback.op.declare import Function, elementwise
from symback.ops.arithmetic import divide
from symback.ops.logic import REAL
from symback.ops.powers import sqrt

__all__ = ["arccos", "arcsin", "arctan", "cos", "cosh", "sin", "sinh", "tan", "tanh"]

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
