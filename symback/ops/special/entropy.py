"""Logarithms of odds, and products with a logarithm that are 0 where the factor is 0; SciPy's names and meaning.

In a derivative `y` is the result. All of it is NumPy alone. Where the factor x is 0 the functions are 0 whatever the
other operand is, so their derivative by that operand is 0 there, also where both are 0.
"""

from functools import partial
from typing import Any

from symback.nodes.node import Node
from symback.nodes.products import scale
from symback.op.declare import Function, elementwise
from symback.op.public import public
from symback.ops.elementwise.arithmetic import POSITIVE, divide, negative
from symback.ops.elementwise.exponential import log, log1p, sigmoid, softplus
from symback.ops.elementwise.logic import REAL
from symback.ops.numerics import special as numerics

__all__ = ["entr", "expit", "kl_div", "log_expit", "logit", "rel_entr", "xlog1py", "xlogy"]

_special = partial(elementwise, namespace="special", dtype="special")
_TWO_POSITIVE = (*POSITIVE, *POSITIVE)
_AT_ZERO = "0 where x is 0, with derivative 0 by y"

expit = public("special.expit", aliases=("expit",), examples=(lambda f, make: f(make("x", (2, 3))),))(sigmoid)


@public(
    "special.log_expit",
    aliases=("log_expit",),
    examples=(lambda f, make: f(make("x", (2, 3))), lambda f, make: f(make("x", ()))),
)
def log_expit(x: Any) -> Node:
    """Return log(expit(x)), without overflow or underflow, as `scipy.special.log_expit` does.

    Example:
        >>> import symback as sb
        >>> sb.special.log_expit(sb.tensor("x", ("n",)))
        -softplus(-x)
    """
    return negative(softplus(negative(x)))


logit = _special(
    "logit", derivative=lambda y, x: divide(1, bernoulli_variance(x)), numpy=numerics.logit,
    mpmath=lambda mp, x: mp.log(x / (1 - x)), latex=r"\operatorname{{logit}}", domain=((0.1, 0.9),),
    doc="log(x / (1 - x)), the inverse of expit.", defined=r"$0 \leq x \leq 1$",
    kinks="infinite, with infinite slope, at 0 and 1",
)  # fmt: skip
xlogy = _special(
    "xlogy", derivative=lambda r, x, y: (log(y), xdivy(x, y)), numpy=numerics.xlogy,
    mpmath=lambda mp, x, y: x * mp.log(y), latex=r"\operatorname{{xlogy}}\left({0}, {1}\right)",
    domain=(*REAL, *POSITIVE), doc="x log(y), and 0 where x is 0.",
    defined=r"$y > 0$ or $x = 0$", kinks=_AT_ZERO,
)  # fmt: skip
xlog1py = _special(
    "xlog1py", derivative=lambda r, x, y: (log1p(y), xdivy(x, 1 + y)), numpy=numerics.xlog1py,
    mpmath=lambda mp, x, y: x * mp.log1p(y), latex=r"\operatorname{{xlog1py}}\left({0}, {1}\right)",
    domain=(*REAL, (-0.9, 4.0)), doc="x log(1 + y), and 0 where x is 0.",
    defined=r"$y > -1$ or $x = 0$", kinks=_AT_ZERO,
)  # fmt: skip
entr = _special(
    "entr", derivative=lambda y, x: negative(log(x)) - 1, numpy=numerics.entr, mpmath=lambda mp, x: -x * mp.log(x),
    latex=r"\operatorname{{entr}}", domain=POSITIVE,
    doc="-x log(x), the elementwise entropy; 0 at 0, and -inf where x is negative.", defined=r"$x \geq 0$",
    kinks="infinite slope at 0",
)  # fmt: skip
rel_entr = _special(
    "rel_entr", derivative=lambda r, x, y: (log_ratio(x, y) + 1, negative(xdivy(x, y))), numpy=numerics.rel_entr,
    mpmath=lambda mp, x, y: x * mp.log(x / y), latex=r"\operatorname{{rel\_entr}}\left({0}, {1}\right)",
    domain=_TWO_POSITIVE,
    doc="x log(x / y), the elementwise relative entropy; 0 where x is 0, and inf outside of where it is defined.",
    defined=r"$x \geq 0$, $y > 0$ or $x = y = 0$",
    kinks="where x is 0: slope -inf by x, 0 by y; where both are 0: NaN by x, 0 by y",
)  # fmt: skip
kl_div = _special(
    "kl_div", derivative=lambda r, x, y: (log_ratio(x, y), gap_over(x, y)), numpy=numerics.kl_div,
    mpmath=lambda mp, x, y: x * mp.log(x / y) - x + y, latex=r"\operatorname{{kl\_div}}\left({0}, {1}\right)",
    domain=((0.1, 1.0), (1.6, 4.0)),
    doc="x log(x / y) - x + y, which is never negative; y where x is 0, and inf outside of where it is defined.",
    defined=r"$x \geq 0$, $y > 0$ or $x = y = 0$",
    kinks="where x is 0: slope -inf by x, 1 by y; where both are 0: NaN by x, 1 by y",
)  # fmt: skip

# -- what derivatives need -------------------------------------------------------------------------------

bernoulli_variance: Function = elementwise(
    "bernoulli_variance", derivative=lambda y, x: 1 - 2 * x, numpy="{0} * (1 - {0})", value=lambda x: x * (1 - x),
    mpmath=lambda mp, x: x * (1 - x), latex=r"{0} \odot \left(1 - {0}\right)", domain=((0.1, 0.9),), namespace=None,
    doc="x (1 - x), with the derivative 1 - 2 x in one piece: nothing is 0 times infinity where it is divided by.",
)  # fmt: skip
xdivy: Function = elementwise(
    "xdivy", derivative=lambda r, x, y: (divide(1, y), negative(xdivy(r, y))), numpy=numerics.xdivy,
    mpmath=lambda mp, x, y: x / y, latex=r"\frac{{{0}}}{{{1}}}", domain=(*REAL, *POSITIVE), namespace=None,
    doc="x / y, and 0 where both are 0.",
)  # fmt: skip
log_ratio: Function = elementwise(
    "log_ratio", derivative=lambda r, x, y: (divide(1, x), scale(-1, divide(1, y))), numpy=numerics.log_ratio,
    mpmath=lambda mp, x, y: mp.log(x / y), latex=r"\log\left(\frac{{{0}}}{{{1}}}\right)", domain=_TWO_POSITIVE,
    namespace=None, doc="log(x / y), also where x / y overflows or underflows, and to full precision near x = y.",
)  # fmt: skip
gap_over: Function = elementwise(
    "gap_over", derivative=lambda r, x, y: (scale(-1, divide(1, y)), xdivy(xdivy(x, y), y)), numpy=numerics.gap_over,
    mpmath=lambda mp, x, y: (y - x) / y, latex=r"\left(1 - \frac{{{0}}}{{{1}}}\right)", domain=_TWO_POSITIVE,
    namespace=None, doc="1 - x / y, to full precision near x = y; 1 where both are 0.",
)  # fmt: skip
