"""Which SymPy class is which elementwise function: one table, read in both directions."""

from collections.abc import Callable
from typing import Any

import sympy

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
    (sympy.tanh, "tanh"),
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
)
"""SymPy's class and the name of our function; a class with more arguments than the function is applied pairwise."""

INTO_NODES: dict[Any, str] = dict(_PAIRS)

INTO_SYMPY: dict[str, Callable[..., sympy.Basic]] = {name: kind for kind, name in _PAIRS} | {
    "power": sympy.Pow,
    "sqrt": sympy.sqrt,
    "sigmoid": lambda x: 1 / (1 + sympy.exp(-x)),
    "softplus": lambda x: sympy.log(1 + sympy.exp(x)),
    "expm1": lambda x: sympy.exp(x) - 1,
    "log1p": lambda x: sympy.log(1 + x),
    "relu": lambda x: sympy.Max(x, 0),
}
"""The same table the other way, and what SymPy has no name for."""

HINTS = {
    "Derivative": "evaluate it with .doit() first, or build the function as a graph and use sb.grad",
    "Integral": "evaluate it with .doit() first",
    "Sum": "evaluate it with .doit() first, or use sb.sum on a tensor",
    "Product": "evaluate it with .doit() first",
    "Heaviside": "write Piecewise((0, x < 0), (1, True)), which also says what it is at 0",
    "sec": "write 1/cos(x)",
    "csc": "write 1/sin(x)",
    "cot": "write 1/tan(x)",
    "asinh": "write log(x + sqrt(x**2 + 1))",
    "acosh": "write log(x + sqrt(x**2 - 1))",
    "atanh": "write log((1 + x)/(1 - x))/2",
    "MatrixSymbol": "make it with sb.tensor(name, (rows, columns)) and use @, .T, sb.trace",
}
"""What to do about an expression that has no counterpart, by the name of its class."""
