r"""The normal distribution and the error function, entry by entry; SciPy's names and meaning.

In a derivative `y` is the result. The rules are those of the NIST *Digital Library of Mathematical Functions*,
chapter 7. What underflows is never divided by: the logarithmic derivative of the distribution is a function of its
own, and so is the continued fraction of Laplace in its derivative (7.9.2),

    K_n(x) = n / (-x + (n + 1) / (-x + (n + 2) / …)),    K_n' = K_n (K_{n+1} - K_n),

so that derivatives of any order keep their relative precision far out.
"""

from functools import partial
from typing import Any

import sympy

from symback.nodes.leaves import as_node
from symback.nodes.node import Node
from symback.nodes.products import scale
from symback.op.declare import Function, elementwise
from symback.ops.elementwise.exponential import exp
from symback.ops.elementwise.logic import REAL
from symback.ops.elementwise.powers import square
from symback.ops.numerics import special as numerics

__all__ = ["erf", "erfc", "erfcinv", "erfcx", "erfinv", "log_erfc", "log_ndtr", "ndtr", "ndtri"]

_special = partial(elementwise, namespace="special", dtype="special")
_ROOT_PI = sympy.sqrt(sympy.pi)
_ROOT_2 = sympy.sqrt(2)
_UNIT = ((0.1, 0.9),)


def _times(factor: sympy.Expr, *nodes: Node) -> Node:
    """Multiply by an exact number."""
    product = as_node(factor)
    for node in nodes:
        product = product * node
    return product


def _bell(factor: sympy.Expr, x: Node) -> Node:
    """Return factor * exp(-x**2)."""
    return _times(factor, exp(scale(-1, square(x))))


def _density(x: Node) -> Node:
    """Return the density of the normal distribution."""
    return _times(1 / sympy.sqrt(2 * sympy.pi), exp(square(x) / -2))


erf = _special(
    "erf", derivative=lambda y, x: _bell(2 / _ROOT_PI, x), numpy="scipy.special.erf", mpmath="erf",
    latex=r"\operatorname{{erf}}", domain=REAL,
    doc="Error function: 2 / sqrt(pi) times the integral of exp(-t**2) from 0 to x.",
)  # fmt: skip
erfc = _special(
    "erfc", derivative=lambda y, x: _bell(-2 / _ROOT_PI, x), numpy="scipy.special.erfc", mpmath="erfc",
    latex=r"\operatorname{{erfc}}", domain=REAL,
    doc="1 - erf(x), to full relative precision.",
)  # fmt: skip
erfcx = _special(
    "erfcx", derivative=lambda y, x: _times(-_ROOT_2, y, mills_fraction(1, _times(-_ROOT_2, x))),
    numpy="scipy.special.erfcx", mpmath=lambda mp, x: mp.exp(x * x) * mp.erfc(x), latex=r"\operatorname{{erfcx}}",
    domain=((-2.0, 4.0),), doc="exp(x**2) * erfc(x), the scaled complementary error function.",
)  # fmt: skip
log_erfc = _special(
    "log_erfc", derivative=lambda y, x: _times(-2 / _ROOT_PI, inverse_erfcx(x)), numpy=numerics.log_erfc,
    mpmath=lambda mp, x: mp.log(mp.erfc(x)), latex=r"\log \operatorname{{erfc}}\left({0}\right)", domain=REAL,
    doc="Logarithm of erfc, without underflow, and to full relative precision near 0.",
)  # fmt: skip
erfinv = _special(
    "erfinv", derivative=lambda y, x: _times(_ROOT_PI / 2, exp(square(y))), numpy="scipy.special.erfinv",
    mpmath="erfinv", latex=r"\operatorname{{erf}}^{{-1}}", domain=((-0.9, 0.9),),
    doc="Inverse of erf.", defined=r"$-1 \leq x \leq 1$", kinks="infinite, with infinite slope, at -1 and 1",
)  # fmt: skip
erfcinv = _special(
    "erfcinv", derivative=lambda y, x: _times(-_ROOT_PI / 2, exp(square(y))), numpy="scipy.special.erfcinv",
    mpmath=lambda mp, x: mp.erfinv(1 - x), latex=r"\operatorname{{erfc}}^{{-1}}", domain=((0.1, 1.9),),
    doc="Inverse of erfc.", defined=r"$0 \leq x \leq 2$",
    kinks="infinite, with infinite slope, at 0 and 2",
)  # fmt: skip
ndtr = _special(
    "ndtr", derivative=lambda y, x: _density(x), numpy="scipy.special.ndtr", mpmath="ncdf", latex=r"\Phi", domain=REAL,
    doc="Probability that a standard normal variable is at most x.",
)  # fmt: skip
ndtri = _special(
    "ndtri", derivative=lambda y, p: _times(sympy.sqrt(2 * sympy.pi), exp(square(y) / 2)),
    numpy="scipy.special.ndtri", mpmath=lambda mp, p: mp.sqrt(2) * mp.erfinv(2 * p - 1), latex=r"\Phi^{{-1}}",
    domain=_UNIT, doc="Inverse of ndtr: the normal quantile function.",
    defined=r"$0 \leq p \leq 1$", kinks="infinite, with infinite slope, at 0 and 1",
)  # fmt: skip
log_ndtr = _special(
    "log_ndtr", derivative=lambda y, x: inverse_mills(x), numpy="scipy.special.log_ndtr",
    mpmath=lambda mp, x: mp.log1p(-mp.ncdf(-x)) if x > 0 else mp.log(mp.ncdf(x)),
    latex=r"\log \Phi\left({0}\right)", domain=REAL,
    doc="Logarithm of ndtr, without underflow; its derivative is the inverse Mills ratio.",
)  # fmt: skip

# -- what derivatives need ----------------------------------------------------------------------------


def _fraction(mp: Any, n: int, x: Any) -> Any:
    """Return K_n(x) in mpmath, by the recurrence from x + inverse_mills(x), with digits to lose."""
    with mp.extradps(40):
        value = x + mp.npdf(x) / mp.ncdf(x)
        for k in range(1, n):
            value = k / value + x
    return value


inverse_erfcx: Function = elementwise(
    "inverse_erfcx", derivative=lambda y, x: _times(_ROOT_2, y, mills_fraction(1, _times(-_ROOT_2, x))),
    numpy=numerics.inverse_erfcx, mpmath=lambda mp, x: mp.exp(-x * x) / mp.erfc(x),
    latex=r"\frac{{1}}{{\operatorname{{erfcx}}\left({0}\right)}}", domain=REAL, namespace=None,
    doc="exp(-x**2) / erfc(x), where erfc(x) underflows too.",
)  # fmt: skip
inverse_mills: Function = elementwise(
    "inverse_mills", derivative=lambda y, x: scale(-1, y * mills_fraction(1, x)), numpy=numerics.inverse_mills,
    mpmath=lambda mp, x: mp.npdf(x) / mp.ncdf(x), latex=r"\frac{{\varphi\left({0}\right)}}{{\Phi\left({0}\right)}}",
    domain=REAL, namespace=None, doc="Density of the normal distribution at x by the probability to be below x.",
)  # fmt: skip
mills_fraction: Function = elementwise(
    "mills_fraction",
    derivative=lambda y, n, x: (None, y * (mills_fraction(n + 1, x) - y)),
    numpy=numerics.mills_fraction,
    mpmath=lambda mp, n, x: _fraction(mp, int(n), x),
    latex=r"K_{{{0}}}\left({1}\right)",
    domain=((1.0, 1.0), (-4.0, 3.0)),
    held=(0,),
    namespace=None,
    doc="Laplace's continued fraction n / (-x + (n + 1) / (-x + …)) for the normal distribution, n = 1, 2, …; "
    "mills_fraction(1, x) is x + inverse_mills(x).",
)
