"""Activation functions of neural networks, entry by entry; `relu`, `sigmoid` and `softplus` are defined elsewhere.

At a kink the derivative is the one of smaller size, as for `relu`, or half of it where `clip` meets a bound.
"""

from fractions import Fraction
from typing import Any

import numpy as np
import sympy

from symback import errors
from symback.nodes.dtypes import to_float
from symback.nodes.leaves import Exact, as_node
from symback.nodes.node import Node
from symback.op.declare import elementwise
from symback.op.public import public
from symback.ops.elementwise.arithmetic import add, divide, multiply
from symback.ops.elementwise.exponential import exp, expm1, sigmoid, softplus
from symback.ops.elementwise.kinks import absolute, clip, minimum
from symback.ops.elementwise.logic import REAL, astype, greater, where
from symback.ops.elementwise.powers import square
from symback.ops.elementwise.trigonometric import tanh
from symback.ops.special.normal import ndtr

__all__ = ["celu", "elu", "gelu", "hard_sigmoid", "hard_tanh", "leaky_relu", "mish", "selu", "silu", "softsign"]

_ARRAY_AND_SCALAR = (lambda f, make: f(make("x", (2, 3))), lambda f, make: f(make("x", ())))
_APART = ((0.2, 3.0), (0.2, 3.0))

_SELU_SCALE, _SELU_ALPHA = 1.0507009873554805, 1.6732632423543772
_GELU_CUBIC = 0.044715


def _right_or(y: Node, x: Node, left: Node) -> Node:
    """Return 1 where x is positive, `left` elsewhere, as a float of the dtype of the result."""
    return astype(where(greater(x, 0), 1, left), to_float(y.dtype))


_leaky_relu = elementwise(
    "leaky_relu_of",
    derivative=lambda y, x, slope: (_right_or(y, x, slope), minimum(x, 0)),
    numpy="np.where({0} > 0, {0}, {1} * {0})",
    value=lambda x, slope: np.where(x > 0, x, slope * x),
    mpmath=lambda mp, x, slope: x if x > 0 else slope * x,
    latex=r"\operatorname{{leaky\_relu}}_{{{1}}}\left({0}\right)",
    domain=_APART,
    namespace=None,
    doc="x where it is positive, slope * x elsewhere.",
)
_elu = elementwise(
    "elu_1",
    derivative=lambda y, x: exp(minimum(x, 0)),
    numpy="np.where({0} > 0, {0}, np.expm1(np.minimum({0}, 0)))",
    value=lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    mpmath=lambda mp, x: x if x > 0 else mp.expm1(x),
    latex=r"\operatorname{{elu}}",
    domain=REAL,
    namespace=None,
    doc="x where it is positive, exp(x) - 1 elsewhere.",
)
_elu_of = elementwise(
    "elu_of",
    derivative=lambda y, x, alpha: (_right_or(y, x, alpha * exp(minimum(x, 0))), expm1(minimum(x, 0))),
    numpy="np.where({0} > 0, {0}, {1} * np.expm1(np.minimum({0}, 0)))",
    value=lambda x, alpha: np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0))),
    mpmath=lambda mp, x, alpha: x if x > 0 else alpha * mp.expm1(x),
    latex=r"\operatorname{{elu}}_{{{1}}}\left({0}\right)",
    domain=_APART,
    namespace=None,
    doc="x where it is positive, alpha * (exp(x) - 1) elsewhere.",
)


@public(
    "leaky_relu",
    examples=(*_ARRAY_AND_SCALAR, lambda f, make: f(make("x", (1, 3)), negative_slope=0.2)),
    kinks="derivative `negative_slope` at 0",
)
def leaky_relu(x: Any, negative_slope: Any = 0.01) -> Node:
    """Return x where it is positive, and a small multiple of it elsewhere (Maas, Hannun, Ng, 2013).

    Args:
        x: Any shape.
        negative_slope: The slope on the left: a number, or a node that broadcasts with x (then it is learned).

    Example:
        >>> import symback as sb
        >>> sb.leaky_relu(sb.tensor("x", ("n",))).shape
        (n,)
    """
    return _leaky_relu(x, negative_slope)


@public(
    "elu",
    examples=(*_ARRAY_AND_SCALAR, lambda f, make: f(make("x", (1, 3)), alpha=0.5)),
    kinks="derivative alpha at 0, which is that of both sides if alpha is 1; second derivative alpha / 2",
)
def elu(x: Any, alpha: Any = 1.0) -> Node:
    """Exponential linear unit: x where it is positive, alpha * (exp(x) - 1) elsewhere (Clevert et al., 2016).

    Args:
        x: Any shape.
        alpha: Minus the limit on the left: a number, or a node that broadcasts with x.

    Example:
        >>> import symback as sb
        >>> sb.elu(sb.tensor("x", ("n",))).shape
        (n,)
    """
    alpha = as_node(alpha)
    return _elu(x) if isinstance(alpha, Exact) and alpha.value == 1 else _elu_of(x, alpha)


@public("celu", examples=(*_ARRAY_AND_SCALAR, lambda f, make: f(make("x", (3,)), alpha=0.5)))
def celu(x: Any, alpha: Any = 1.0) -> Node:
    """Return `elu` with a derivative that is continuous for every alpha: alpha * elu(x / alpha) (Barron, 2017).

    Example:
        >>> import symback as sb
        >>> sb.celu(sb.tensor("x", ("n",)), 2).shape
        (n,)
    """
    return multiply(alpha, _elu(divide(x, alpha)))


@public("selu", examples=_ARRAY_AND_SCALAR, kinks="derivative 1.7581 at 0, that of the left side")
def selu(x: Any) -> Node:
    """Scaled exponential linear unit, with the constants of Klambauer et al. (2017).

    Example:
        >>> import symback as sb
        >>> sb.selu(sb.tensor("x", ("n",))).shape
        (n,)
    """
    return multiply(_SELU_SCALE, _elu_of(x, _SELU_ALPHA))


@public(
    "gelu",
    examples=(*_ARRAY_AND_SCALAR, lambda f, make: f(make("x", (2, 3)), approximate="tanh")),
)
def gelu(x: Any, approximate: str = "none") -> Node:
    """Gaussian error linear unit: x times the probability that a normal variable is below x (Hendrycks, Gimpel, 2016).

    Args:
        x: Any shape.
        approximate: ``"none"``, which needs SciPy in emitted code, or ``"tanh"``, an approximation in NumPy.

    Raises:
        InputError: If `approximate` is neither.

    Example:
        >>> import symback as sb
        >>> sb.gelu(sb.tensor("x", ("n",)), approximate="tanh").shape
        (n,)
    """
    x = as_node(x)
    if approximate == "none":
        return multiply(x, ndtr(x))
    if approximate != "tanh":
        raise errors.bad_option("gelu", "approximate", approximate, ("none", "tanh"))
    # (1 + tanh(z)) / 2 = sigmoid(2 z), which keeps its digits on the left
    cubic = multiply(x, add(1, multiply(_GELU_CUBIC, square(x))))
    return multiply(x, sigmoid(multiply(2 * sympy.sqrt(2 / sympy.pi), cubic)))


@public("silu", aliases=("swish",), examples=_ARRAY_AND_SCALAR)
def silu(x: Any) -> Node:
    """Return x * sigmoid(x), also called swish (Elfwing, Uchibe, Doya, 2018).

    Example:
        >>> import symback as sb
        >>> sb.silu(sb.tensor("x", ("n",)))
        x*sigmoid(x)
    """
    return multiply(x, sigmoid(x))


@public("mish", examples=_ARRAY_AND_SCALAR)
def mish(x: Any) -> Node:
    """Return x * tanh(softplus(x)) (Misra, 2020).

    Example:
        >>> import symback as sb
        >>> sb.mish(sb.tensor("x", ("n",)))
        x*tanh(softplus(x))
    """
    return multiply(x, tanh(softplus(x)))


@public("hard_tanh", examples=_ARRAY_AND_SCALAR, kinks="derivative 1/2 at -1 and 1, as that of clip")
def hard_tanh(x: Any) -> Node:
    """Return x limited to the interval from -1 to 1.

    Example:
        >>> import symback as sb
        >>> sb.hard_tanh(sb.tensor("x", ("n",)))
        clip(x, -1, 1)
    """
    return clip(x, -1, 1)


@public("hard_sigmoid", examples=_ARRAY_AND_SCALAR, kinks="derivative 1/12 at -3 and 3, half of that between them")
def hard_sigmoid(x: Any) -> Node:
    """Return x / 6 + 1 / 2 limited to the interval from 0 to 1.

    Example:
        >>> import symback as sb
        >>> sb.hard_sigmoid(sb.tensor("x", ("n",))).shape
        (n,)
    """
    return clip(add(divide(x, 6), Fraction(1, 2)), 0, 1)


softsign = elementwise(
    "softsign", derivative=lambda y, x: square(divide(1, 1 + absolute(x))), numpy="{0} / (1 + np.abs({0}))",
    value=lambda x: x / (1 + np.abs(x)), mpmath=lambda mp, x: x / (1 + abs(x)),
    latex=r"\operatorname{{softsign}}", domain=REAL, doc="x / (1 + |x|).", kinks="second derivative 0 at 0",
)  # fmt: skip
