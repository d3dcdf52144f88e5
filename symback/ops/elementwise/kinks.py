"""Functions with a kink, entry by entry: absolute value and sign, the larger and the smaller of two, clip.

At a kink of a convex function the derivative is the subgradient of smallest norm; at a tie the operands have equal
shares of it, which add up to 1.
"""

from fractions import Fraction
from typing import Any

import numpy as np

from symback import errors
from symback.nodes.dtypes import to_float
from symback.nodes.leaves import Exact, as_node
from symback.nodes.node import Node
from symback.op.declare import Function, elementwise
from symback.op.public import public
from symback.ops.elementwise.logic import (
    REAL,
    TWO_REAL,
    astype,
    equal,
    greater,
    greater_equal,
    isnan,
    less,
    less_equal,
    logical_and,
    logical_or,
    where,
)

__all__ = [
    "absolute",
    "clip",
    "copysign",
    "fabs",
    "fmax",
    "fmin",
    "heaviside",
    "maximum",
    "minimum",
    "relu",
    "sign",
]

HALF = Fraction(1, 2)
NOT_ZERO = ((0.2, 3.0),)

# -- of one operand -----------------------------------------------------------------------------------

sign: Function = elementwise(
    "sign", derivative=None, differentiable=False, numpy="np.sign", mpmath="sign",
    latex=r"\operatorname{{sign}}", domain=NOT_ZERO, dtype="number", doc="Sign: -1, 0 or 1.",
    kinks="derivative 0 at 0",
)  # fmt: skip
absolute = elementwise(
    "abs", derivative=lambda y, x: sign(x), numpy="np.abs", mpmath="fabs", latex=r"\left|{0}\right|",
    domain=NOT_ZERO, dtype="same", doc="Absolute value.", aliases=("absolute",), kinks="derivative 0 at 0",
)  # fmt: skip
fabs = elementwise(
    "fabs", derivative=lambda y, x: sign(x), numpy="np.fabs", mpmath="fabs", latex=r"\left|{0}\right|",
    domain=NOT_ZERO, doc="Absolute value as a float.", kinks="derivative 0 at 0",
)  # fmt: skip
relu = elementwise(
    "relu", derivative=lambda y, x: greater(x, 0), numpy="np.maximum({0}, 0)", value=lambda x: np.maximum(x, 0),
    mpmath=lambda mp, x: max(x, mp.mpf(0)), latex=r"\operatorname{{relu}}", domain=NOT_ZERO, dtype="number",
    doc="max(x, 0).", kinks="derivative 0 at 0",
)  # fmt: skip

# -- of two -----------------------------------------------------------------------------------------------

_TIE = "at a tie each operand has half of the derivative"


def _half_at(tie: Node, y: Node) -> Node:
    """Return 1, or 1/2 at a tie."""
    return astype(where(tie, HALF, 1), to_float(y.dtype))


def _share(y: Node, mine: Node, other: Node) -> Node:
    """What the larger operand gets of the derivative: all, or half at a tie; written as a mask."""
    return where(greater_equal(mine, other), _half_at(equal(mine, other), y), 0)


def _share_unless_nan(y: Node, mine: Node, other: Node, wins: Node) -> Node:
    """The same where an operand that is NaN loses."""
    return where(logical_or(wins, isnan(other)), _half_at(equal(mine, other), y), 0)


def _of_two(name: str, derivative: Any, mpmath: Any, latex: str, doc: str) -> Function:
    return elementwise(
        name, derivative=derivative, numpy=f"np.{name}", mpmath=mpmath, latex=latex, domain=TWO_REAL, dtype="same",
        doc=doc, kinks=_TIE,
    )  # fmt: skip


maximum = _of_two(
    "maximum", lambda y, x1, x2: (_share(y, x1, x2), _share(y, x2, x1)), lambda mp, a, b: max(a, b),
    r"\max\left({0}, {1}\right)", "Larger of two entries; NaN if one is NaN.",
)  # fmt: skip
minimum = _of_two(
    "minimum", lambda y, x1, x2: (_share(y, x2, x1), _share(y, x1, x2)), lambda mp, a, b: min(a, b),
    r"\min\left({0}, {1}\right)", "Smaller of two entries; NaN if one is NaN.",
)  # fmt: skip
fmax = _of_two(
    "fmax",
    lambda y, x1, x2: (
        _share_unless_nan(y, x1, x2, greater_equal(x1, x2)), _share_unless_nan(y, x2, x1, greater_equal(x2, x1))
    ),
    lambda mp, a, b: max(a, b), r"\operatorname{{fmax}}\left({0}, {1}\right)",
    "Larger of two entries; the other one if one is NaN.",
)  # fmt: skip
fmin = _of_two(
    "fmin",
    lambda y, x1, x2: (
        _share_unless_nan(y, x1, x2, less_equal(x1, x2)), _share_unless_nan(y, x2, x1, less_equal(x2, x1))
    ),
    lambda mp, a, b: min(a, b), r"\operatorname{{fmin}}\left({0}, {1}\right)",
    "Smaller of two entries; the other one if one is NaN.",
)  # fmt: skip
copysign: Function = elementwise(
    "copysign", derivative=lambda y, x1, x2: (sign(x1) * copysign(1, x2), None), numpy="np.copysign",
    mpmath=lambda mp, a, b: -abs(a) if b < 0 else abs(a), latex=r"\operatorname{{copysign}}\left({0}, {1}\right)",
    domain=(*NOT_ZERO, *NOT_ZERO), doc="Size of x1 with the sign of x2.",
    kinks="derivative 0 by x1 where x1 is 0; 0 by x2",
)  # fmt: skip
heaviside = elementwise(
    "heaviside", derivative=lambda y, x1, x2: (None, equal(x1, 0)), numpy="np.heaviside",
    mpmath=lambda mp, a, b: mp.mpf(a > 0) if a else b, latex=r"\operatorname{{heaviside}}\left({0}, {1}\right)",
    domain=(*REAL, *NOT_ZERO), doc="Step function: 0 where x1 < 0, x2 where x1 is 0, 1 where x1 > 0.",
    kinks="derivative 0 by x1, at 0 too",
)  # fmt: skip

# -- clip ---------------------------------------------------------------------------------------------------


def _clip_derivative(y: Node, x: Node, low: Node, high: Node) -> tuple[Node, Node, Node]:
    """What lies between the bounds has the derivative; where two of the three meet, each of them has half of it.

    Where the bounds meet, x has none: the result is then their common value, whatever x is.
    """
    ordered = isinstance(low, Exact) and isinstance(high, Exact) and float(low.value) < float(high.value)
    between = logical_and(greater_equal(x, low), less_equal(x, high))
    inside = between if ordered else logical_and(between, less(low, high))
    raised = logical_and(less_equal(x, low), less_equal(low, high))
    return (
        where(inside, _half_at(logical_or(equal(x, low), equal(x, high)), y), 0),
        where(raised, _half_at(logical_or(equal(x, low), equal(low, high)), y), 0),
        _share(y, maximum(x, low), high),
    )


_clip = elementwise(
    "clip",
    derivative=_clip_derivative,
    numpy="np.clip",
    mpmath=lambda mp, x, low, high: min(max(x, low), high),
    latex=r"\operatorname{{clip}}\left({0}, {1}, {2}\right)",
    domain=((-3.0, 3.0), (-2.0, 0.5), (0.4, 2.0)),
    dtype="same",
    doc="Entries below the lower bound raised to it, entries above the upper bound lowered to it.",
)


@public(
    "clip",
    examples=(
        lambda f, make: f(make("x", (2, 3)), -1, 1),
        lambda f, make: f(make("x", (2, 3)), -0.5, a_max=make("high", (3,), low=0.5, high=1)),
        lambda f, make: f(make("x", (3,)), make("low", (2, 1), low=-1, high=0), None),
        lambda f, make: f(make("x", ()), a_min=None, a_max=0.5),
        lambda f, make: f(make("x", (0, 1)), a_min=0, a_max=1),
    ),
    kinks="where x meets a bound, each has half of the derivative",
)
def clip(a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Node:
    """Limit the entries to an interval, as `numpy.clip` does; where the bounds cross, the upper one wins.

    Args:
        a: A node.
        a_min: The lower bound, which broadcasts; None for no bound.
        a_max: The upper bound.
        min: Another name of `a_min`.
        max: Another name of `a_max`.

    Raises:
        UsageError: If a bound is given under both names.
        ShapeError: If the shapes do not broadcast.

    Example:
        >>> import symback as sb
        >>> sb.clip(sb.tensor("x", ("n",)), 0, 1)
        clip(x, 0, 1)
    """
    if (a_min is not None and min is not None) or (a_max is not None and max is not None):
        raise errors.bad_node("clip", "a bound is given twice; leave out min and max, or a_min and a_max")
    low, high = a_min if min is None else min, a_max if max is None else max
    if low is not None and high is not None:
        return _clip(a, low, high)
    if high is not None:
        return minimum(a, high)
    return as_node(a) if low is None else maximum(a, low)
