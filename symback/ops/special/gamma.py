r"""The gamma function and its relatives, entry by entry; SciPy's names and meaning.

In a derivative `y` is the result. The rules are those of the NIST *Digital Library of Mathematical Functions*,
chapters 5 and 25: the derivatives of digamma are values of Hurwitz's zeta function, \psi^{(n)}(x) =
(-1)^{n+1} n! \zeta(n + 1, x).
"""

import math
from functools import partial
from typing import Any

from symback import errors
from symback.nodes.leaves import Exact, as_node
from symback.nodes.node import Node
from symback.nodes.products import scale
from symback.op.declare import Function, elementwise
from symback.op.public import public
from symback.ops.elementwise.arithmetic import POSITIVE
from symback.ops.elementwise.logic import equal, where

__all__ = ["beta", "betaln", "digamma", "gamma", "gammaln", "loggamma", "polygamma"]

_special = partial(elementwise, namespace="special", dtype="special")
_POLES = "at 0 its slope is -infinite, at the negative integers NaN"

gamma: Function = _special(
    "gamma", derivative=lambda y, x: y * digamma(x), numpy="scipy.special.gamma", mpmath="gamma", latex=r"\Gamma",
    domain=POSITIVE, doc="Gamma function; its derivative is gamma(x) digamma(x).",
    defined=r"$x \neq 0, -1, -2, \ldots$", kinks="infinite at 0; NaN at the negative integers",
)  # fmt: skip
gammaln = _special(
    "gammaln", derivative=lambda y, x: digamma(x), numpy="scipy.special.gammaln",
    mpmath=lambda mp, x: mp.log(abs(mp.gamma(x))), latex=r"\log \left|\Gamma\left({0}\right)\right|", domain=POSITIVE,
    doc="Logarithm of the absolute value of the gamma function; its derivative is digamma.",
    defined=r"$x \neq 0, -1, -2, \ldots$", kinks=f"infinite at 0 and the negative integers; {_POLES}",
)  # fmt: skip
loggamma = _special(
    "loggamma", derivative=lambda y, x: digamma(x), numpy="scipy.special.loggamma", mpmath="loggamma",
    latex=r"\log \Gamma\left({0}\right)", domain=POSITIVE,
    doc="Logarithm of the gamma function, as gammaln for positive numbers.",
    defined="$x > 0$", kinks="infinite at 0, NaN for negative numbers; at 0 its slope is -infinite",
)  # fmt: skip
digamma: Function = _special(
    "digamma", derivative=lambda y, x: zeta(2, x), numpy="scipy.special.psi", mpmath="digamma", latex=r"\psi",
    domain=POSITIVE, aliases=("psi",), doc="Logarithmic derivative of the gamma function.",
    defined=r"$x \neq 0, -1, -2, \ldots$", kinks="-infinite at 0 (infinite at -0.0); NaN at the negative integers",
)  # fmt: skip
zeta: Function = elementwise(
    "zeta", derivative=lambda y, s, x: (None, scale(-1, s * zeta(s + 1, x))), numpy="scipy.special.zeta",
    mpmath=lambda mp, s, x: _hurwitz(mp, s, x), latex=r"\zeta\left({0}, {1}\right)", domain=((2.0, 2.0), *POSITIVE),
    held=(0,), namespace=None, doc="Hurwitz's zeta function, the sum of (x + k)**-s over k = 0, 1, …",
    defined="$s > 1$",
)  # fmt: skip


def _hurwitz(mp: Any, s: Any, x: Any) -> Any:
    """Return Hurwitz's zeta function in mpmath, where s is an integer by the polygamma function, for negative x too."""
    if not mp.isint(s):
        return mp.zeta(s, x)
    order = int(s) - 1
    return (-1) ** (order + 1) * mp.psi(order, x) / mp.factorial(order)


def _beta_slopes(a: Node, b: Node) -> tuple[Node, Node]:
    """Return the derivatives of log(beta(a, b))."""
    both = digamma(a + b)
    return digamma(a) - both, digamma(b) - both


def _beta_derivative(y: Node, a: Node, b: Node) -> tuple[Node, ...]:
    return tuple(y * slope for slope in _beta_slopes(a, b))


beta = _special(
    "beta", derivative=_beta_derivative, numpy="scipy.special.beta", mpmath=lambda mp, a, b: mp.beta(a, b),
    latex=r"\operatorname{{B}}\left({0}, {1}\right)", domain=(*POSITIVE, *POSITIVE),
    doc="Beta function, gamma(a) gamma(b) / gamma(a + b).", defined="$a, b > 0$",
)  # fmt: skip
betaln = _special(
    "betaln", derivative=lambda y, a, b: _beta_slopes(a, b), numpy="scipy.special.betaln",
    mpmath=lambda mp, a, b: mp.log(abs(mp.beta(a, b))),
    latex=r"\log \operatorname{{B}}\left({0}, {1}\right)", domain=((0.1, 0.8), (0.1, 0.8)),
    doc="Logarithm of the absolute value of the beta function.", defined="$a, b > 0$",
)  # fmt: skip


_MOST_ORDER = 170
"""The factorial of an integer above has no float64 value."""


@public(
    "special.polygamma",
    examples=(
        lambda f, make: f(1, make("x", (2, 3), low=0.2, high=4)),
        lambda f, make: f(0, make("x", (), low=0.2, high=4)),
        lambda f, make: f(3, make("x", (1,), low=0.5, high=4)),
        lambda f, make: f(make("n", (3,), dtype="int64", low=0, high=4), make("x", (2, 3), low=0.5, high=4)),
    ),
    defined=r"$n = 0, 1, 2, \ldots$; $x \neq 0, -1, -2, \ldots$",
    kinks="infinite or NaN at 0 and the negative integers; no derivative by n",
)
def polygamma(n: Any, x: Any) -> Node:
    """Return the derivative of digamma of order n, as `scipy.special.polygamma` does.

    Args:
        n: The order: an integer, or integers of a shape that broadcasts with that of x.
        x: Any shape. The result of a single order has the dtype of x.

    Raises:
        DtypeError: If n is no integer.
        UsageError: If n is a single order above 170.
        ShapeError: If the shapes do not broadcast.

    Example:
        >>> import symback as sb
        >>> sb.special.polygamma(1, sb.tensor("x", ("n",))).shape
        (n,)
    """
    n, x = as_node(n), as_node(x)
    if n.dtype.kind not in "iu" or (isinstance(n, Exact) and n.value < 0):
        raise errors.operand_dtype("polygamma", n, "an order 0, 1, 2, …, an integer")
    if isinstance(n, Exact):
        order = int(n.value)
        if order > _MOST_ORDER:
            raise errors.bad_node("polygamma", f"its order is at most {_MOST_ORDER}: beyond it overflows float64")
        return digamma(x) if order == 0 else scale((-1) ** (order + 1) * math.factorial(order), zeta(order + 1, x))
    is_digamma = equal(n, 0)
    order = where(is_digamma, 1, n) + 1
    return where(is_digamma, digamma(x), (-1) ** order * gamma(order) * zeta(order, x))
