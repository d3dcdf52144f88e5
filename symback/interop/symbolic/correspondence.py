"""Which SymPy class is which elementwise function: one table, read in both directions."""

from collections.abc import Callable
from typing import Any

import sympy

from symback.nodes.operators import METHODS

_PAIRS: tuple[tuple[Any, str], ...] = (
    (sympy.exp, "exp"),
    (sympy.log, "log"),
    (sympy.sin, "sin"),
    (sympy.cos, "cos"),
    (sympy.tan, "tan"),
    (sympy.asin, "arcsin"),
    (sympy.acos, "arccos"),
    (sympy.atan, "arctan"),
    (sympy.sinh, "sinh"),
    (sympy.cosh, "cosh"),
    (sympy.atan2, "arctan2"),
    (sympy.tanh, "tanh"),
    (sympy.asinh, "arcsinh"),
    (sympy.acosh, "arccosh"),
    (sympy.atanh, "arctanh"),
    (sympy.erf, "erf"),
    (sympy.erfc, "erfc"),
    (sympy.erfinv, "erfinv"),
    (sympy.gamma, "gamma"),
    (sympy.loggamma, "loggamma"),
    (sympy.beta, "beta"),
    (sympy.Mod, "remainder"),
    (sympy.Heaviside, "heaviside"),
    (sympy.Abs, "abs"),
    (sympy.sign, "sign"),
    (sympy.floor, "floor"),
    (sympy.ceiling, "ceil"),
    (sympy.Max, "maximum"),
    (sympy.Min, "minimum"),
    (sympy.Eq, "equal"),
    (sympy.Ne, "not_equal"),
    (sympy.StrictLessThan, "less"),
    (sympy.LessThan, "less_equal"),
    (sympy.StrictGreaterThan, "greater"),
    (sympy.GreaterThan, "greater_equal"),
    (sympy.And, "logical_and"),
    (sympy.Or, "logical_or"),
    (sympy.Not, "logical_not"),
    (sympy.Xor, "logical_xor"),
)
"""SymPy's class and the name of our function; a class with more arguments than the function is applied pairwise."""

INTO_NODES: dict[Any, str] = dict(_PAIRS)

COMPOSED: dict[Any, Callable[..., Any]] = {
    sympy.sec: lambda x: 1 / METHODS["cos"](x),
    sympy.csc: lambda x: 1 / METHODS["sin"](x),
    sympy.cot: lambda x: 1 / METHODS["tan"](x),
    sympy.sech: lambda x: 1 / METHODS["cosh"](x),
    sympy.csch: lambda x: 1 / METHODS["sinh"](x),
    sympy.coth: lambda x: 1 / METHODS["tanh"](x),
    sympy.asec: lambda x: METHODS["arccos"](1 / x),
    sympy.acsc: lambda x: METHODS["arcsin"](1 / x),
    sympy.acot: lambda x: METHODS["arctan"](1 / x),
    sympy.asech: lambda x: METHODS["arccosh"](1 / x),
    sympy.acsch: lambda x: METHODS["arcsinh"](1 / x),
    sympy.acoth: lambda x: METHODS["arctanh"](1 / x),
    sympy.frac: lambda x: METHODS["remainder"](x, 1),
    sympy.polygamma: lambda n, x: METHODS["polygamma"](n, x),
}
"""What a class of SymPy that has no function of ours becomes."""

INTO_SYMPY: dict[str, Callable[..., sympy.Basic]] = {name: kind for kind, name in _PAIRS} | {
    "power": sympy.Pow,
    "sqrt": sympy.sqrt,
    "sigmoid": lambda x: 1 / (1 + sympy.exp(-x)),
    "softplus": lambda x: sympy.log(1 + sympy.exp(x)),
    "expm1": lambda x: sympy.exp(x) - 1,
    "log1p": lambda x: sympy.log(1 + x),
    "relu": lambda x: sympy.Max(x, 0),
    "sigmoid_slope": lambda x: 1 / (2 + sympy.exp(x) + sympy.exp(-x)),
    "log1mexp": lambda x: sympy.log(1 - sympy.exp(-x)),
    "bose": lambda x: 1 / (sympy.exp(x) - 1),
    "xlogx": lambda x: x * sympy.log(x),
    "log_erfc": lambda x: sympy.log(sympy.erfc(x)),
    "inverse_erfcx": lambda x: sympy.exp(-(x**2)) / sympy.erfc(x),
    "exp2": lambda x: 2**x,
    "log2": lambda x: sympy.log(x) / sympy.log(2),
    "log10": lambda x: sympy.log(x) / sympy.log(10),
    "logaddexp": lambda x, y: sympy.log(sympy.exp(x) + sympy.exp(y)),
    "logaddexp2": lambda x, y: sympy.log(2**x + 2**y) / sympy.log(2),
    "cbrt": lambda x: sympy.sign(x) * sympy.cbrt(sympy.Abs(x)),
    "hypot": lambda x, y: sympy.sqrt(x**2 + y**2),
    "hypot_slope": lambda x, y: x / sympy.sqrt(x**2 + y**2),
    "arctan2_slope": lambda y, x: x / (x**2 + y**2),
    "arcsin_slope": lambda x: 1 / sympy.sqrt(1 - x**2),
    "arctanh_slope": lambda x: 1 / (1 - x**2),
    "deg2rad": lambda x: sympy.pi * x / 180,
    "rad2deg": lambda x: 180 * x / sympy.pi,
    "sinc": lambda x: sympy.sinc(sympy.pi * x),
    "fabs": sympy.Abs,
    "fmax": sympy.Max,
    "fmin": sympy.Min,
    "clip": lambda x, low, high: sympy.Min(sympy.Max(x, low), high),
    "trunc": lambda x: sympy.sign(x) * sympy.floor(sympy.Abs(x)),
    "floor_divide": lambda x, y: sympy.floor(x / y),
    "digamma": sympy.digamma,
    "zeta": sympy.zeta,
}
"""The same table the other way, and what SymPy has no name for."""

HINTS = {
    "Integral": "evaluate it with .doit() first",
    "sinc": "write Piecewise((sin(x)/x, Ne(x, 0)), (1, True)), or use sb.sinc(x / pi) on nodes",
}
"""What to do about an expression that has no counterpart, by the name of its class."""
