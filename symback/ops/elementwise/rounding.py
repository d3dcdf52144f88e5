"""Rounding, and division with a whole quotient, entry by entry; what is constant between jumps has derivative 0."""

from fractions import Fraction
from math import floor as floor_of
from typing import Any

import numpy as np

from symback import errors
from symback.nodes.dtypes import BOOL, promote, to_float
from symback.nodes.leaves import Exact, as_node, exact
from symback.nodes.node import Node
from symback.nodes.shapes import integer_of
from symback.op.declare import Function, elementwise, primitive
from symback.op.public import public
from symback.ops.elementwise.arithmetic import divide, negative
from symback.ops.elementwise.logic import astype

__all__ = [
    "around",
    "ceil",
    "divmod",
    "fix",
    "floor",
    "floor_divide",
    "fmod",
    "mod",
    "modf",
    "remainder",
    "rint",
    "round",
    "trunc",
]

BETWEEN = ((0.2, 0.8),)
_FLAT = "derivative 0, at the jumps too"

# -- to a whole number ----------------------------------------------------------------------------------


def _rounded(name: str, mpmath: Any, latex: str, doc: str) -> Function:
    """Declare the rounding of floats; integers and booleans are what they are, as in NumPy since 2.1."""
    rounded = elementwise(
        name, derivative=None, differentiable=False, numpy=f"np.{name}", mpmath=mpmath, latex=latex, domain=BETWEEN,
        doc=doc, kinks=_FLAT,
    )  # fmt: skip

    def apply(x: Any) -> Node:
        x = as_node(x)
        return rounded(x) if x.dtype.kind == "f" else x

    apply.__name__ = apply.__qualname__ = name
    apply.__doc__ = f"{doc} Integers and booleans stay what they are."
    return public(name, examples=(lambda f, make: f(make("x", (2, 3)) * 1.7),), kinks=_FLAT)(apply)


def _toward_zero(mp: Any, x: Any) -> Any:
    return mp.floor(x) if x > 0 else mp.ceil(x)


floor = _rounded("floor", "floor", r"\left\lfloor {0} \right\rfloor", "Largest whole number not above x.")
ceil = _rounded("ceil", "ceil", r"\left\lceil {0} \right\rceil", "Smallest whole number not below x.")
trunc = _rounded("trunc", _toward_zero, r"\operatorname{{trunc}}", "Whole part of x: rounded towards zero.")
rint = elementwise(
    "rint", derivative=None, differentiable=False, numpy="np.rint", mpmath="nint", latex=r"\operatorname{{rint}}",
    domain=BETWEEN, doc="Nearest whole number, the even one of two, as a float.", kinks=_FLAT,
)  # fmt: skip


@public("fix", examples=(lambda f, make: f(make("x", (2, 3)) * 1.7),), kinks=_FLAT)
def fix(x: Any) -> Node:
    """Round towards zero, as `numpy.fix` does; the same as `trunc`.

    Example:
        >>> import symback as sb
        >>> sb.fix(sb.tensor("x", (3,)))
        trunc(x)
    """
    return trunc(x)


def _decimals(x: Node, decimals: Any) -> tuple[Any, Any]:
    if type(decimals) is not int or abs(decimals) > 400:
        raise errors.bad_node("round", f"decimals must be an integer, not {str(decimals)[:40]}")
    if x.dtype == BOOL:
        raise errors.operand_dtype("round", x, "a number")
    return x.shape, x.dtype


def _high_round(mp: Any, x: Any, decimals: int) -> Any:
    return np.frompyfunc(lambda value: mp.nint(value * mp.mpf(10) ** decimals) / mp.mpf(10) ** decimals, 1, 1)(x)


_round: Function = primitive(
    "round_to",
    signature=_decimals,
    differentiable=False,
    numpy=lambda spell, operands, parameters: f"np.round({operands[0]}{f', {parameters[0]}' if parameters[0] else ''})",
    value=lambda x, decimals: np.round(x, decimals),
    mpmath=_high_round,
    latex=lambda operands, parameters: rf"\operatorname{{round}}\left({operands[0]}, {parameters[0]}\right)",
    examples=(lambda make: _round(make("x", (2, 3)), 1), lambda make: _round(make("x", ()), 0)),
    batch="leading",
    doc="Rounded to a number of decimals, the even one of two.",
)


@public(
    "round",
    examples=(
        lambda f, make: f(make("x", (2, 3))),
        lambda f, make: f(make("x", (3,)), 2),
        lambda f, make: f(make("k", (3,), dtype="int64", low=-99, high=99), decimals=-1),
    ),
    kinks=_FLAT,
)
def round(a: Any, decimals: int = 0) -> Node:
    """Round to a number of decimals, as `numpy.round` does: to the even one where two are as near.

    Args:
        a: A node.
        decimals: How many; negative for tens, hundreds.

    Raises:
        DtypeError: If a is boolean.
        UsageError: If `decimals` is no integer that is known when the graph is built.

    Example:
        >>> import symback as sb
        >>> sb.round(sb.tensor("x", (3,)), 2).shape
        (3,)
    """
    a, places = as_node(a), integer_of(decimals)
    if places is None:
        raise errors.bad_node("round", f"decimals must be an integer, not {str(decimals)[:40]}")
    return a if a.dtype.kind in "iu" and places >= 0 else _round(a, places)


@public("around", examples=(lambda f, make: f(make("x", (2, 3)), 1),), kinks=_FLAT)
def around(a: Any, decimals: int = 0) -> Node:
    """Round to a number of decimals; another name of `round`, as in NumPy."""
    return round(a, decimals)


# -- whole and fractional part --------------------------------------------------------------------------------


def _part(name: str, position: int, latex: str, doc: str, **further: Any) -> Function:
    return primitive(
        name,
        signature=lambda x: (x.shape, to_float(x.dtype)),
        numpy="np.modf({0})",
        value=lambda x: np.modf(x)[position],
        latex=latex,
        examples=(lambda make: modf(make("x", (2, 3)))[position], lambda make: modf(make("x", ()))[position]),
        part=(position, 2),
        batch="leading",
        doc=doc,
        **further,
    )


_fraction = _part(
    "modf_fraction", 0, r"\operatorname{{frac}}\left({0}\right)", "The fractional part, with the sign of x.",
    vjp=lambda g, node: (g,), mpmath=lambda mp, x: np.frompyfunc(lambda v: v - _toward_zero(mp, v), 1, 1)(x),
)  # fmt: skip
_whole = _part(
    "modf_whole", 1, r"\operatorname{{trunc}}\left({0}\right)", "The whole part, with the sign of x.",
    differentiable=False, mpmath=lambda mp, x: np.frompyfunc(lambda v: _toward_zero(mp, v), 1, 1)(x),
)  # fmt: skip


@public("modf", examples=(lambda f, make: f(make("x", (2, 3))), lambda f, make: f(make("x", (0,)))[0]))
def modf(x: Any) -> tuple[Node, Node]:
    """Return the fractional and the whole part, both with the sign of x, as `numpy.modf` does.

    The fractional part has derivative 1, the whole part derivative 0.

    Example:
        >>> import symback as sb
        >>> fraction, whole = sb.modf(sb.tensor("x", (3,)))
        >>> whole.shape
        (3,)
    """
    x = as_node(x)
    x = x if x.dtype.kind == "f" else astype(x, "float64")
    return _fraction(x), _whole(x)


# -- division with a whole quotient ----------------------------------------------------------------------------

_DIVISION = ((4.3, 4.7), (2.5, 4.4))
_JUMPS = "at a jump the derivative is that of the branch taken"

_floor_divide = elementwise(
    "floor_divide", derivative=None, differentiable=False, numpy="{0} // {1}", value=np.floor_divide,
    mpmath=lambda mp, a, b: mp.floor(a / b), latex=r"\left\lfloor \frac{{{0}}}{{{1}}} \right\rfloor",
    domain=_DIVISION, dtype="number", doc="Largest whole number not above x1 / x2.", kinks=_FLAT,
)  # fmt: skip
_remainder = elementwise(
    "remainder", derivative=lambda y, x1, x2: (exact(1), negative(_floor_divide(x1, x2))), numpy="{0} % {1}",
    value=np.remainder, mpmath=lambda mp, a, b: a - b * mp.floor(a / b),
    latex=r"\operatorname{{mod}}\left({0}, {1}\right)", domain=_DIVISION, dtype="number",
    doc="x1 - floor(x1 / x2) * x2, of the sign of x2.", kinks=_JUMPS,
)  # fmt: skip
fmod = elementwise(
    "fmod", derivative=lambda y, x1, x2: (exact(1), negative(rint(divide(x1 - y, x2)))), numpy="np.fmod",
    mpmath=lambda mp, a, b: a - b * _toward_zero(mp, a / b), latex=r"\operatorname{{fmod}}\left({0}, {1}\right)",
    domain=_DIVISION, dtype="number", doc="x1 - trunc(x1 / x2) * x2, of the sign of x1.", kinks=_JUMPS,
)  # fmt: skip


def _rationals(x1: Node, x2: Node) -> tuple[Fraction, Fraction] | None:
    """Return two numbers that can be divided exactly."""
    if not isinstance(x1, Exact) or not isinstance(x2, Exact):
        return None
    numbers = x1.value, x2.value
    rational = all(isinstance(number, (int, Fraction)) for number in numbers) and numbers[1] != 0
    return (Fraction(numbers[0]), Fraction(numbers[1])) if rational else None


def _like(value: Fraction, x1: Node, x2: Node) -> Node:
    return exact(value if promote([x1, x2]).kind == "f" else int(value))


@public(
    "floor_divide",
    examples=(
        lambda f, make: f(make("x", (2, 3)), 0.7),
        lambda f, make: f(make("k", (3,), dtype="int64", low=-9, high=9), -2),
    ),
    kinks=_FLAT,
)
def floor_divide(x1: Any, x2: Any) -> Node:
    """Return the largest whole number not above x1 / x2, as `numpy.floor_divide` and `//` do.

    Raises:
        ShapeError: If the shapes do not broadcast.
        DtypeError: If both are boolean.

    Example:
        >>> import symback as sb
        >>> sb.tensor("x", ("n",)) // 2
        floor_divide(x, 2)
    """
    x1, x2 = as_node(x1), as_node(x2)
    known = _rationals(x1, x2)
    return _floor_divide(x1, x2) if known is None else _like(Fraction(floor_of(known[0] / known[1])), x1, x2)


@public(
    "remainder",
    examples=(
        lambda f, make: f(make("x", (2, 3)), make("y", (3,), low=0.6, high=0.9)),
        lambda f, make: f(make("x", (2, 1)), -0.7),
        lambda f, make: f(make("k", (3,), dtype="int64", low=-9, high=9), -4),
    ),
    aliases=("mod",),
    kinks=_JUMPS,
)
def remainder(x1: Any, x2: Any) -> Node:
    """Return x1 - floor(x1 / x2) * x2, which has the sign of x2, as `numpy.remainder` and `%` do.

    Raises:
        ShapeError: If the shapes do not broadcast.
        DtypeError: If both are boolean.

    Example:
        >>> import symback as sb
        >>> x = sb.tensor("x", ("n",))
        >>> sb.vjp(x % 2, x, sb.ones("n")).shape
        (n,)
    """
    x1, x2 = as_node(x1), as_node(x2)
    known = _rationals(x1, x2)
    return _remainder(x1, x2) if known is None else _like(known[0] % known[1], x1, x2)


mod = remainder


@public("divmod", examples=(lambda f, make: f(make("x", (2, 3)), make("y", (3,), low=0.6, high=0.9)),), kinks=_JUMPS)
def divmod(x1: Any, x2: Any) -> tuple[Node, Node]:
    """Return `floor_divide` and `remainder`, as `numpy.divmod` does.

    Example:
        >>> import symback as sb
        >>> quotient, rest = sb.divmod(sb.tensor("x", ("n",)), 2)
        >>> rest
        remainder(x, 2)
    """
    return floor_divide(x1, x2), remainder(x1, x2)
