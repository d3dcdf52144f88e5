"""Comparisons, logic, choice and conversion, entry by entry: where calculus stops or branches."""

from fractions import Fraction
from typing import Any

import numpy as np

from symback import errors
from symback.nodes.dtypes import BOOL, FLOAT64, as_dtype
from symback.nodes.leaves import Exact, Ones, as_node, exact, ones_of
from symback.nodes.node import METHODS, Node
from symback.op.declare import Function, elementwise, primitive

__all__ = [
    "astype",
    "equal",
    "greater",
    "greater_equal",
    "isfinite",
    "isinf",
    "isnan",
    "isneginf",
    "isposinf",
    "less",
    "less_equal",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "not_equal",
    "signbit",
    "stop_gradient",
    "where",
]

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
logical_xor: Function = elementwise(
    "logical_xor", derivative=None, differentiable=False, numpy="np.logical_xor",
    mpmath=lambda mp, a, b: bool(a) != bool(b), latex=r"{0} \oplus {1}", domain=TWO_REAL, dtype="bool",
    doc="Elementwise exclusive or.",
)  # fmt: skip


def _test(name: str, doc: str, mpmath: Any) -> Function:
    return elementwise(
        name, derivative=None, differentiable=False, numpy=f"np.{name}", mpmath=mpmath,
        latex=rf"\operatorname{{{{{name}}}}}", domain=REAL, dtype="bool", doc=doc,
    )  # fmt: skip


isfinite: Function = _test("isfinite", "Whether an entry is neither infinite nor NaN.", "isfinite")
isinf: Function = _test("isinf", "Whether an entry is infinite.", "isinf")
isnan: Function = _test("isnan", "Whether an entry is NaN.", "isnan")
isposinf: Function = _test("isposinf", "Whether an entry is infinite and positive.", lambda mp, x: x == mp.inf)
isneginf: Function = _test("isneginf", "Whether an entry is infinite and negative.", lambda mp, x: x == -mp.inf)
signbit: Function = _test("signbit", "Whether the sign of an entry is minus, of -0.0 too.", lambda mp, x: x < 0)
where: Function = elementwise(
    "where", derivative=lambda y, condition, x1, x2: (None, _holds(condition), logical_not(condition)),
    numpy="np.where", mpmath=lambda mp, c, a, b: a if c else b,
    latex=r"\begin{{cases}} {1} & {0} \\ {2} & \text{{otherwise}} \end{{cases}}",
    domain=(*REAL, *TWO_REAL), dtype="branches",
    doc="Entries of x1 where the condition holds, of x2 elsewhere.",
    kinks="the branch that is not taken has derivative 0, whatever it is there",
)  # fmt: skip


def _holds(condition: Node) -> Node:
    """Return a condition as a boolean."""
    return condition if condition.dtype is BOOL else not_equal(condition, 0)


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


def _cast_look(operand: Any, kind: str) -> str:
    """Write what a conversion changes: floats lose their fractions, and numbers become conditions."""
    if kind == "b" != operand.dtype.kind:
        return rf"\left[{operand.factor} \neq 0\right]"
    if kind in "iu" and operand.dtype.kind == "f":
        return rf"\operatorname{{trunc}}\left({operand}\right)"
    return str(operand)


_cast = primitive(
    "astype",
    signature=lambda x, dtype: (x.shape, _named_dtype(dtype)),
    vjp=lambda g, node: (g,),
    linear=True,
    numpy=lambda spell, operands, parameters: f"{operands[0].atom}.astype(np.{spell.dtype(parameters[0])})",
    value=lambda x, dtype: np.asarray(x).astype(dtype),
    latex=lambda operands, parameters: _cast_look(operands[0], as_dtype(parameters[0]).kind),
    examples=(lambda make: astype(make("x", (2, 3)), "float32"), lambda make: astype(make("x", ()), "float32")),
    batch="leading",
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
    if isinstance(x, Ones):
        return ones_of(x.shape, wanted)
    return x if x.dtype == wanted and not x.is_weak else _cast(x, wanted.name)


METHODS["astype"] = astype
