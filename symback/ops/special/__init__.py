"""The functions of `scipy.special` that models use, by SciPy's names: the namespace ``sb.special``.

They are defined in modules of their own, by the part of mathematics they are from; here they are gathered.
"""

from typing import Any

from symback.nodes.node import Node
from symback.op.public import public
from symback.ops.elementwise.exponential import log1mexp, softplus
from symback.ops.losses import huber_penalty
from symback.ops.reductions.softmax import log_softmax, logsumexp, softmax
from symback.ops.special.bessel import hyp1f1, i0, i0e, i1, i1e, iv, j0, j1, jv
from symback.ops.special.entropy import entr, expit, kl_div, log_expit, logit, rel_entr, xlog1py, xlogy
from symback.ops.special.gamma import beta, betaln, digamma, gamma, gammaln, loggamma, polygamma
from symback.ops.special.normal import erf, erfc, erfcinv, erfcx, erfinv, log_erfc, log_ndtr, ndtr, ndtri

__all__ = [
    "beta",
    "betaln",
    "digamma",
    "entr",
    "erf",
    "erfc",
    "erfcinv",
    "erfcx",
    "erfinv",
    "expit",
    "gamma",
    "gammaln",
    "huber",
    "hyp1f1",
    "i0",
    "i0e",
    "i1",
    "i1e",
    "iv",
    "j0",
    "j1",
    "jv",
    "kl_div",
    "log1mexp",
    "log_erfc",
    "log_expit",
    "log_ndtr",
    "log_softmax",
    "loggamma",
    "logit",
    "logsumexp",
    "ndtr",
    "ndtri",
    "polygamma",
    "psi",
    "rel_entr",
    "softmax",
    "softplus",
    "xlog1py",
    "xlogy",
]

psi = digamma

public("special.softplus", examples=(lambda f, make: f(make("x", (2, 3))), lambda f, make: f(make("x", ()))))(softplus)


@public(
    "special.huber",
    examples=(
        lambda f, make: f(1.0, make("r", (2, 3))),
        lambda f, make: f(make("delta", (3,), low=0.5, high=1), make("r", (2, 3))),
    ),
    kinks="infinite where delta is negative; where |r| is delta the second derivative is 1/2",
)
def huber(delta: Any, r: Any) -> Node:
    """Huber function of a residual, as `scipy.special.huber` has it; `sb.huber` is the loss of a prediction.

    Args:
        delta: Where r**2 / 2 goes over into a line; it broadcasts with r.
        r: The residual, of any shape.

    Raises:
        ShapeError: If the shapes do not broadcast.

    Example:
        >>> import symback as sb
        >>> sb.special.huber(1.0, sb.tensor("r", ("n",))).shape
        (n,)
    """
    return huber_penalty(delta, r)


def __dir__() -> list[str]:
    """Return what is public: completion shows no more."""
    return sorted(__all__)
