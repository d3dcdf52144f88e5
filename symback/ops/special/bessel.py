"""Bessel functions of the first kind and modified ones, entry by entry; SciPy's names and meaning.

In a derivative `y` is the result. The rules are those of the NIST *Digital Library of Mathematical Functions*,
chapter 10; the recurrence with two neighbours (10.6.1, 10.29.1) has no division by x, so that it also holds at 0.
The scaled functions are confluent hypergeometric ones, exp(-x) I_0(x) = M(1/2, 1, -2x) (13.6.9), whose derivatives
lose no digits where I_0 and I_1 are close.
"""

from fractions import Fraction
from functools import partial
from typing import Any

from symback.nodes.leaves import Exact, as_node, exact
from symback.nodes.node import Node
from symback.nodes.products import scale
from symback.op.declare import Function, elementwise
from symback.ops.elementwise.arithmetic import divide
from symback.ops.elementwise.kinks import absolute, sign
from symback.ops.elementwise.logic import REAL

__all__ = ["i0", "i0e", "i1", "i1e", "iv", "j0", "j1", "jv"]

_special = partial(elementwise, namespace="special", dtype="special")
_HALF = Fraction(1, 2)
_ORDER = "no derivative by the order"

i0: Function = _special(
    "i0", derivative=lambda y, x: i1(x), numpy="np.i0", mpmath=lambda mp, x: mp.besseli(0, x),
    latex=r"I_{{0}}\left({0}\right)", domain=REAL, doc="Modified Bessel function of order 0.",
)  # fmt: skip
i1: Function = _special(
    "i1", derivative=lambda y, x: scale(_HALF, i0(x) + _iv(2, x)), numpy="scipy.special.i1",
    mpmath=lambda mp, x: mp.besseli(1, x), latex=r"I_{{1}}\left({0}\right)", domain=REAL,
    doc="Modified Bessel function of order 1.",
)  # fmt: skip
j0: Function = _special(
    "j0", derivative=lambda y, x: scale(-1, j1(x)), numpy="scipy.special.j0", mpmath=lambda mp, x: mp.besselj(0, x),
    latex=r"J_{{0}}\left({0}\right)", domain=REAL, doc="Bessel function of the first kind of order 0.",
)  # fmt: skip
j1: Function = _special(
    "j1", derivative=lambda y, x: scale(_HALF, j0(x) - _jv(2, x)), numpy="scipy.special.j1",
    mpmath=lambda mp, x: mp.besselj(1, x), latex=r"J_{{1}}\left({0}\right)", domain=REAL,
    doc="Bessel function of the first kind of order 1.",
)  # fmt: skip
iv: Function = _special(
    "iv", derivative=lambda y, v, x: (None, scale(_HALF, _iv(v - 1, x) + _iv(v + 1, x))), numpy="scipy.special.iv",
    mpmath=lambda mp, v, x: mp.besseli(v, x), latex=r"I_{{{0}}}\left({1}\right)", domain=((0.5, 3.0), (0.2, 3.0)),
    held=(0,), doc="Modified Bessel function of real order v.",
    defined=r"$x \geq 0$, for integer $v$ everywhere", kinks=_ORDER,
)  # fmt: skip
jv: Function = _special(
    "jv", derivative=lambda y, v, x: (None, scale(_HALF, _jv(v - 1, x) - _jv(v + 1, x))), numpy="scipy.special.jv",
    mpmath=lambda mp, v, x: mp.besselj(v, x), latex=r"J_{{{0}}}\left({1}\right)", domain=((0.5, 3.0), (0.2, 2.0)),
    held=(0,), doc="Bessel function of the first kind of real order v.",
    defined=r"$x \geq 0$, for integer $v$ everywhere", kinks=_ORDER,
)  # fmt: skip

_I: dict[Any, Function] = {0: i0, 1: i1, -1: i1}
_J: dict[Any, Function] = {0: j0, 1: j1}


def _iv(v: Any, x: Node) -> Node:
    """Return the modified Bessel function, by its own name if the order is 0 or 1."""
    order = as_node(v)
    named = _I.get(order.value) if isinstance(order, Exact) else None
    return iv(order, x) if named is None else named(x)


def _jv(v: Any, x: Node) -> Node:
    """Return the Bessel function, by its own name if the order is 0 or 1."""
    order = as_node(v)
    named = _J.get(order.value) if isinstance(order, Exact) else None
    return jv(order, x) if named is None else named(x)


# -- scaled ------------------------------------------------------------------------------------------

hyp1f1: Function = _special(
    "hyp1f1", derivative=lambda y, a, b, x: (None, None, divide(a, b) * hyp1f1(a + 1, b + 1, x)),
    numpy="scipy.special.hyp1f1", mpmath=lambda mp, a, b, x: mp.hyp1f1(a, b, x), latex=r"M\left({0}, {1}, {2}\right)",
    domain=((0.5, 2.0), (2.0, 3.0), (-3.0, 1.0)), held=(0, 1),
    doc="Kummer's confluent hypergeometric function M(a, b, x).",
    defined=r"$b \neq 0, -1, -2, \ldots$", kinks="no derivative by a and b",
)  # fmt: skip


def _moment(k: int, x: Node) -> Node:
    """Return the mean of (1 - cos t)**k exp(-|x| (1 - cos t)) over the circle: derivatives of i0e, but for a sign."""
    factor = Fraction(1)
    for j in range(1, k + 1):
        factor *= Fraction(2 * j - 1, j)
    return exact(factor) * hyp1f1(exact(k + _HALF), exact(k + 1), scale(-2, absolute(x)))


i0e = _special(
    "i0e", derivative=lambda y, x: scale(-1, sign(x) * _moment(1, x)), numpy="scipy.special.i0e",
    mpmath=lambda mp, x: mp.exp(-abs(x)) * mp.besseli(0, x),
    latex=r"e^{{-\left|{0}\right|}} \odot I_{{0}}\left({0}\right)", domain=((0.2, 4.0),),
    doc="exp(-|x|) i0(x), the scaled modified Bessel function of order 0.",
    kinks="derivative 0 at 0",
)  # fmt: skip
i1e = _special(
    "i1e", derivative=lambda y, x: _moment(2, x) - _moment(1, x), numpy="scipy.special.i1e",
    mpmath=lambda mp, x: mp.exp(-abs(x)) * mp.besseli(1, x),
    latex=r"e^{{-\left|{0}\right|}} \odot I_{{1}}\left({0}\right)", domain=((0.2, 4.0),),
    doc="exp(-|x|) i1(x), the scaled modified Bessel function of order 1.",
    kinks="derivative 1/2 at 0; second derivative 0 there",
)  # fmt: skip
