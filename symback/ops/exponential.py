"""Exponentials and logarithms, entry by entry.

In a derivative `y` is the result. The rules are those of Abramowitz and Stegun, *Handbook of Mathematical
Functions* (1964), chapter 4, unless a row says otherwise.
"""

from symback.op.declare import Function, elementwise
from symback.ops.arithmetic import POSITIVE, divide
from symback.ops.logic import REAL
from symback.ops.numerics import exponential as numerics

__all__ = ["exp", "expm1", "log", "log1p", "sigmoid", "softplus"]

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
