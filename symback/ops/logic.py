"""Comparisons, logic, selection, kinks and conversion, entry by entry: where calculus stops or branches."""

from fractions import Fraction
from typing import Any

import numpy as np

from symback import errors
from symback.nodes.dtypes import BOOL, FLOAT64, as_dtype, to_float
from symback.nodes.leaves import Exact, as_node, exact
from symback.nodes.node import METHODS, Node
from symback.op.declare import Function, elementwise, primitive

__all__ = [
    "absolute",
    "astype",
    "ceil",
    "equal",
    "floor",
    "greater",
    "greater_equal",
    "less",
    "less_equal",
    "logical_and",
    "logical_not",
    "logical_or",
    "maximum",
    "minimum",
    "not_equal",
    "relu",
    "sign",
    "stop_gradient",
    "where",
]

HALF = Fraction(1, 2)
REAL = ((-3.0, 3.0),)
TWO_REAL = (*REAL, *REAL)

# -- comparisons, logic and selection ----------------------------------------------------------------


def _comparison(name: str, symbol: str, latex: str, function: Any) -> Function:
    return elementwise(
        name, derivative=None, differentiable=False, numpy=f"{{0}} {symbol} {{1}}", value=function,
        mpmath=lambda mp, a, b: bool(function(a, b)), latex=f"{{0}} {latex} {{1}}", domain=TWO_REAL, dtype="bool",
        doc=f"Elementwise comparison x1 {symbol} x2.",
    )  # fmt: skip


equal: Function = _comparison("equal", "==", "=", np.equal)
not_equal: Function = _comparison("not_equal", "!=", r"\neq", np.not_equal)
less = _comparison("less", "<", "<", np.less)
less_equal = _comparison("less_equal", "<=", r"\leq", np.less_equal)
greater: Function = _comparison("greater", ">", ">", np.greater)
greater_equal: Function = _comparison("greater_equal", ">=", r"\geq", np.greater_equal)
logical_and: Function = elementwise(
    "logical_and", derivative=None, differentiable=False, numpy="np.logical_and",
    mpmath=lambda mp, a, b: bool(a) and bool(b), latex=r"{0} \wedge {1}", domain=TWO_REAL, dtype="bool",
    doc="Elementwise and.",
)  # fmt: skip
logical_or: Function = elementwise(
    "logical_or", derivative=None, differentiable=False, numpy="np.logical_or",
    mpmath=lambda mp, a, b: bool(a) or bool(b), latex=r"{0} \vee {1}", domain=TWO_REAL, dtype="bool",
    doc="Elementwise or.",
)  # fmt: skip
logical_not: Function = elementwise(
    "logical_not", derivative=None, differentiable=False, numpy="np.logical_not", mpmath=lambda mp, a: not a,
    latex=r"\neg {0}", domain=REAL, dtype="bool", doc="Elementwise not.",
)  # fmt: skip
where: Function = elementwise(
    "where", derivative=lambda y, condition, x1, x2: (None, _holds(condition), logical_not(condition)),
    numpy="np.where", mpmath=lambda mp, c, a, b: a if c else b,
    latex=r"\begin{{cases}} {1} & {0} \\ {2} & \text{{otherwise}} \end{{cases}}",
    domain=(*REAL, *TWO_REAL), dtype="branches",
    doc="Entries of x1 where the condition holds, of x2 elsewhere; the branch not taken has derivative 0.",
)  # fmt: skip


def _of_booleans(operator: str, function: Function) -> Function:
    """Return a logical function for an operator that NumPy has for booleans, and for the bits of integers."""

    def apply(*operands: Any) -> Node:
        nodes = [as_node(operand) for operand in operands]
        for node in nodes:
            if node.dtype != BOOL:
                raise errors.operand_dtype(operator, node, "bool")
        return function(*nodes)

    return apply


METHODS["bitwise_and"] = _of_booleans("&", logical_and)
METHODS["bitwise_or"] = _of_booleans("|", logical_or)
METHODS["invert"] = _of_booleans("~", logical_not)


def _holds(condition: Node) -> Node:
    """Return a condition as a boolean."""
    return condition if condition.dtype is BOOL else not_equal(condition, 0)


# -- kinks -----------------------------------------------------------------------------------------

sign = elementwise(
    "sign", derivative=None, differentiable=False, numpy="np.sign", mpmath="sign",
    latex=r"\operatorname{{sign}}", domain=((0.2, 3.0),), dtype="number", doc="Sign; its derivative is 0, at 0 too.",
)  # fmt: skip
floor = elementwise(
    "floor", derivative=None, differentiable=False, numpy="np.floor", mpmath="floor",
    latex=r"\left\lfloor {0} \right\rfloor", domain=((0.2, 0.8),), dtype="real",
    doc="Largest integer not above x; derivative 0.",
)  # fmt: skip
ceil = elementwise(
    "ceil", derivative=None, differentiable=False, numpy="np.ceil", mpmath="ceil",
    latex=r"\left\lceil {0} \right\rceil", domain=((0.2, 0.8),), dtype="real",
    doc="Smallest integer not below x; derivative 0.",
)  # fmt: skip
absolute = elementwise(
    "abs", derivative=lambda y, x: sign(x), numpy="np.abs", mpmath="fabs", latex=r"\left|{0}\right|",
    domain=((0.2, 3.0),), dtype="same", doc="Absolute value; its derivative at 0 is 0.", aliases=("absolute",),
)  # fmt: skip
relu = elementwise(
    "relu", derivative=lambda y, x: greater(x, 0), numpy="np.maximum({0}, 0)", value=lambda x: np.maximum(x, 0),
    mpmath=lambda mp, x: max(x, mp.mpf(0)), latex=r"\operatorname{{relu}}", domain=((0.2, 3.0),), dtype="number",
    doc="max(x, 0); its derivative at 0 is 0.",
)  # fmt: skip


def _share(y: Node, mine: Node, other: Node) -> Node:
    """What the larger operand gets of the derivative: all, or half at a tie; written as a mask."""
    tied = astype(where(equal(mine, other), HALF, 1), to_float(y.dtype))
    return where(greater_equal(mine, other), tied, 0)


maximum = elementwise(
    "maximum", derivative=lambda y, x1, x2: (_share(y, x1, x2), _share(y, x2, x1)), numpy="np.maximum",
    mpmath=lambda mp, a, b: max(a, b), latex=r"\max\left({0}, {1}\right)", domain=TWO_REAL, dtype="same",
    doc="Larger of two entries; at a tie each operand has half of the derivative.",
)  # fmt: skip
minimum = elementwise(
    "minimum", derivative=lambda y, x1, x2: (_share(y, x2, x1), _share(y, x1, x2)), numpy="np.minimum",
    mpmath=lambda mp, a, b: min(a, b), latex=r"\min\left({0}, {1}\right)", domain=TWO_REAL, dtype="same",
    doc="Smaller of two entries; at a tie each operand has half of the derivative.",
)  # fmt: skip

# -- what calculus passes by ---------------------------------------------------------------------------

stop_gradient = elementwise(
    "stop_gradient", derivative=None, differentiable=False, numpy="{0}", value=lambda x: x, mpmath=lambda mp, x: x,
    latex=r"\operatorname{{sg}}\left({0}\right)", domain=REAL, dtype="same",
    doc="The value itself, taken as a constant by every derivative.",
)  # fmt: skip


def _named_dtype(name: str) -> np.dtype[Any]:
    if as_dtype(name).name != name:
        raise errors.bad_dtype(name)
    return as_dtype(name)


_cast = primitive(
    "astype",
    signature=lambda x, dtype: (x.shape, _named_dtype(dtype)),
    vjp=lambda g, node: (g,),
    linear=True,
    numpy=lambda spell, operands, parameters: f"{operands[0].atom}.astype(np.{spell.dtype(parameters[0])})",
    value=lambda x, dtype: np.asarray(x).astype(dtype),
    latex=lambda operands, parameters: operands[0],
    examples=(lambda make: astype(make("x", (2, 3)), "float32"), lambda make: astype(make("x", ()), "float32")),
    doc="The same values in another dtype.",
)


def astype(x: Any, dtype: Any) -> Node:
    """Convert to another dtype; derivatives pass through conversions between floats only.

    Example:
        >>> import symback as sb
        >>> sb.astype(sb.tensor("x", (3,)), "float32").dtype
        dtype('float32')
    """
    x, wanted = as_node(x), as_dtype(dtype)
    if isinstance(x, Exact) and wanted == FLOAT64 and isinstance(x.value, int):
        return exact(Fraction(x.value))
    return x if x.dtype == wanted and not x.is_weak else _cast(x, wanted.name)


METHODS["astype"] = astype
