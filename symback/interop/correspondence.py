"""Which SymPy class is which elementwise function: one table, read in both directions."""

from collections.abc import Callable
from typing import Any

import sympy

from symback.nodes.node import Node
from symback.ops import elementwise as ew

FUNCTIONS: tuple[tuple[Any, Callable[..., Node]], ...] = (
    (sympy.exp, ew.exp),
    (sympy.log, ew.log),
    (sympy.sin, ew.sin),
    (sympy.cos, ew.cos),
    (sympy.tan, ew.tan),
    (sympy.asin, ew.arcsin),
    (sympy.acos, ew.arccos),
    (sympy.atan, ew.arctan),
    (sympy.sinh, ew.sinh),
    (sympy.cosh, ew.cosh),
    (sympy.tanh, ew.tanh),
    (sympy.Abs, ew.absolute),
    (sympy.sign, ew.sign),
    (sympy.floor, ew.floor),
    (sympy.ceiling, ew.ceil),
    (sympy.Max, ew.maximum),
    (sympy.Min, ew.minimum),
    (sympy.Eq, ew.equal),
    (sympy.Ne, ew.not_equal),
    (sympy.StrictLessThan, ew.less),
    (sympy.LessThan, ew.less_equal),
    (sympy.StrictGreaterThan, ew.greater),
    (sympy.GreaterThan, ew.greater_equal),
    (sympy.And, ew.logical_and),
    (sympy.Or, ew.logical_or),
    (sympy.Not, ew.logical_not),
)
"""SymPy's class and our function; a class with more arguments than the function is applied pairwise."""

INTO_NODES = dict(FUNCTIONS)

INTO_SYMPY: dict[str, Callable[..., sympy.Basic]] = {function.__name__: kind for kind, function in FUNCTIONS} | {
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
