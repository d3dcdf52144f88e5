"""Exponentials and logarithms, entry by entry.

In a derivative `y` is the result. The rules are those of Abramowitz and Stegun, *Handbook of Mathematical
Functions* (1964), chapter 4, unless a row says otherwise.
"""

import sympy

from symback.nodes.leaves import as_node
from symback.nodes.node import METHODS
from symback.nodes.products import scale
from symback.op.declare import Function, elementwise
from symback.ops.elementwise.arithmetic import POSITIVE, divide, subtract
from symback.ops.elementwise.logic import REAL, TWO_REAL
from symback.ops.numerics import exponential as numerics

__all__ = [
    "exp",
    "exp2",
    "expm1",
    "log",
    "log1mexp",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "logaddexp2",
    "sigmoid",
    "softplus",
]

_LOG_2, _LOG_10 = as_node(sympy.log(2)), as_node(sympy.log(10))
_AT_ZERO = "infinite slope at 0"

exp: Function = elementwise(
    "exp", derivative=lambda y, x: y, numpy="np.exp", mpmath="exp", latex="e^{{{0}}}", domain=REAL,
    doc="Exponential function.",
)  # fmt: skip
exp2 = elementwise(
    "exp2", derivative=lambda y, x: _LOG_2 * y, numpy="np.exp2", mpmath=lambda mp, x: mp.mpf(2) ** x,
    latex="2^{{{0}}}", domain=REAL, doc="Power of two.",
)  # fmt: skip
expm1 = elementwise(
    "expm1", derivative=lambda y, x: exp(x), numpy="np.expm1", mpmath="expm1",
    latex=r"\operatorname{{expm1}}\left({0}\right)", domain=REAL, doc="exp(x) - 1, accurate near 0.",
)  # fmt: skip
log: Function = elementwise(
    "log", derivative=lambda y, x: divide(1, x), numpy="np.log", mpmath="log", latex=r"\log", domain=POSITIVE,
    doc="Natural logarithm.", defined=r"$x \geq 0$", kinks=_AT_ZERO,
)  # fmt: skip
log2 = elementwise(
    "log2", derivative=lambda y, x: divide(1, _LOG_2 * x), numpy="np.log2",
    mpmath=lambda mp, x: mp.log(x) / mp.log(2), latex=r"\log_{{2}}", domain=POSITIVE, doc="Logarithm to base 2.",
    defined=r"$x \geq 0$", kinks=_AT_ZERO,
)  # fmt: skip
log10 = elementwise(
    "log10", derivative=lambda y, x: divide(1, _LOG_10 * x), numpy="np.log10", mpmath="log10",
    latex=r"\log_{{10}}\left({0}\right)", domain=POSITIVE, doc="Logarithm to base 10.", defined=r"$x \geq 0$",
    kinks=_AT_ZERO,
)  # fmt: skip
log1p = elementwise(
    "log1p", derivative=lambda y, x: divide(1, 1 + x), numpy="np.log1p", mpmath="log1p",
    latex=r"\log\left(1 + {0}\right)", domain=((-0.9, 4.0),), doc="log(1 + x), accurate near 0.",
    defined=r"$x \geq -1$", kinks="infinite slope at -1",
)  # fmt: skip
sigmoid = elementwise(
    "sigmoid", derivative=lambda y, x: y * (1 - y), numpy=numerics.sigmoid,
    mpmath=lambda mp, x: 1 / (1 + mp.exp(-x)), latex=r"\sigma", domain=REAL,
    doc="Logistic function 1 / (1 + exp(-x)); its derivative is y (1 - y).",
)  # fmt: skip
sigmoid_slope: Function = elementwise(
    "sigmoid_slope", derivative=lambda y, x: scale(-1, y * METHODS["tanh"](x / 2)), numpy=numerics.sigmoid_slope,
    mpmath=lambda mp, x: 1 / (2 + mp.exp(x) + mp.exp(-x)), latex=r"\sigma'", domain=REAL, namespace=None,
    doc="sigmoid(x) * sigmoid(-x), accurate far out on both sides; sech(x)**2 is 4 sigmoid_slope(2 x).",
)  # fmt: skip
softplus = elementwise(
    "softplus", derivative=lambda y, x: sigmoid(x), numpy=numerics.softplus,
    mpmath=lambda mp, x: mp.log1p(mp.exp(x)), latex=r"\operatorname{{softplus}}", domain=REAL,
    doc="log(1 + exp(x)); its derivative is the logistic function.",
)  # fmt: skip
log1mexp = elementwise(
    "log1mexp", derivative=lambda y, x: bose(x), numpy=numerics.log1mexp,
    mpmath=lambda mp, x: mp.log(-mp.expm1(-x)), latex=r"\log\left(1 - e^{{-{0}}}\right)", domain=POSITIVE,
    namespace="special", doc="log(1 - exp(-x)), accurate near 0 and far out (Maechler, 2012).",
    defined=r"$x \geq 0$", kinks=_AT_ZERO,
)  # fmt: skip
bose: Function = elementwise(
    "bose", derivative=lambda y, x: y * bose(scale(-1, x)), numpy=numerics.bose, mpmath=lambda mp, x: 1 / mp.expm1(x),
    latex=r"\frac{{1}}{{e^{{{0}}} - 1}}", domain=POSITIVE, namespace=None,
    doc="1 / (exp(x) - 1), Bose's function; its derivative is bose(x) bose(-x), as bose(-x) is -1 - bose(x).",
)  # fmt: skip
xlogx: Function = elementwise(
    "xlogx", derivative=lambda y, x: log(x) + 1, numpy=numerics.xlogx,
    mpmath=lambda mp, x: x * mp.log(x) if x else mp.zero, latex=r"{0} \odot \log\left({0}\right)", domain=POSITIVE,
    namespace=None, doc="x log(x), and 0 at 0.", defined=r"$x \geq 0$", kinks=_AT_ZERO,
)  # fmt: skip
_NAN_ALIKE = "NaN where both operands are the same infinity"
logaddexp = elementwise(
    "logaddexp", derivative=lambda y, x1, x2: (sigmoid(subtract(x1, x2)), sigmoid(subtract(x2, x1))),
    numpy="np.logaddexp", mpmath=lambda mp, a, b: max(a, b) + mp.log1p(mp.exp(-abs(a - b))),
    latex=r"\log\left(e^{{{0}}} + e^{{{1}}}\right)", domain=TWO_REAL,
    doc="log(exp(x1) + exp(x2)), without overflow.", kinks=_NAN_ALIKE,
)  # fmt: skip
logaddexp2 = elementwise(
    "logaddexp2",
    derivative=lambda y, x1, x2: (sigmoid(_LOG_2 * subtract(x1, x2)), sigmoid(_LOG_2 * subtract(x2, x1))),
    numpy="np.logaddexp2", mpmath=lambda mp, a, b: mp.log(mp.mpf(2) ** a + mp.mpf(2) ** b) / mp.log(2),
    latex=r"\log_{{2}}\left(2^{{{0}}} + 2^{{{1}}}\right)", domain=TWO_REAL,
    doc="log2(2**x1 + 2**x2), without overflow.", kinks=_NAN_ALIKE,
)  # fmt: skip
