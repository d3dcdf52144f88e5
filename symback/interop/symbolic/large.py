"""Large expressions in SymPy: shared as they are in the graph, and made without its cache.

SymPy looks up what it makes, and compares what has equal hashes as trees: where subexpressions are shared, and two
equal ones are not the same object, that takes time exponential in the depth. It evaluates what is small; what is large
is put into what it made of symbols in its place.
"""

from collections.abc import Callable
from typing import Any

import sympy
from sympy.core.function import Application
from sympy.logic.boolalg import Boolean

from symback.nodes.rows import postorder

_LARGE = 2000
"""An expression of more parts, each counted as often as it stands there, is not evaluated any more."""

_LARGE_CONDITION = 24
"""Nor is a condition of more parts: SymPy simplifies those of a choice, which takes seconds for a hundred parts."""

_LARGE_DIVIDEND = 24
"""Nor is what is divided with a remainder: SymPy looks for the greatest common divisor."""

_DEEP = 50
"""Nor is one that is nested deeper: SymPy's evaluation recurses."""

_DEEP_ARGUMENT = 12
"""Nor are functions and roots of one nested deeper than this: SymPy asks whether it is real, positive, a multiple of
pi, and the time for that can be exponential in the depth."""

_MOST = 10**9


class Maker:
    """Makes expressions of operands; it knows how large what it has seen is."""

    def __init__(self) -> None:
        self._weights: dict[int, int] = {}
        self._heights: dict[int, int] = {}
        self._alive: list[sympy.Basic] = []
        self._symbols: list[sympy.Dummy] = []

    def __call__(self, function: Callable[..., Any], *operands: sympy.Basic) -> Any:
        """Apply a function of SymPy to operands."""
        symbols: dict[int, sympy.Dummy] = {}
        deepest = _deepest(function, operands)
        for operand in operands:
            if self._weight(operand) > _most(function, operand) or self._heights[id(operand)] > deepest:
                symbols.setdefault(id(operand), self._symbol(len(symbols)))
        if not symbols:
            return function(*operands)
        made = function(*[symbols.get(id(operand), operand) for operand in operands])
        large = {symbols[id(operand)]: operand for operand in operands if id(operand) in symbols}
        return _with(made, large)

    def _symbol(self, place: int) -> sympy.Dummy:
        """Return one of the symbols that stand for operands: the same again, as SymPy knows what it made of them."""
        if place == len(self._symbols):
            self._symbols.append(sympy.Dummy())
        return self._symbols[place]

    def _weight(self, expr: sympy.Basic) -> int:
        """Count the parts of an expression as a tree, up to a bound, and note how deep it is."""
        stack = [expr]
        while stack:
            part = stack[-1]
            missing = [argument for argument in part.args if id(argument) not in self._weights]
            if missing:
                stack += missing
                continue
            stack.pop()
            if id(part) not in self._weights:
                weight = 1 + sum(self._weights[id(argument)] for argument in part.args)
                self._weights[id(part)] = min(weight, _MOST)
                self._heights[id(part)] = 1 + max((self._heights[id(argument)] for argument in part.args), default=0)
                self._alive.append(part)
        return self._weights[id(expr)]


def _most(function: Any, operand: sympy.Basic) -> int:
    """Return how many parts an operand may have for SymPy to evaluate the function."""
    if isinstance(operand, Boolean) and not isinstance(operand, sympy.Expr):
        return min(_LARGE, _LARGE_CONDITION)
    return min(_LARGE, _LARGE_DIVIDEND) if function is sympy.Mod else _LARGE


def _deepest(function: Any, operands: tuple[sympy.Basic, ...]) -> int:
    """Return how deep operands may be for SymPy to evaluate the function."""
    plain = function in (sympy.Add, sympy.Mul) or (function is sympy.Pow and operands[1].is_Integer)
    return _DEEP if plain else min(_DEEP, _DEEP_ARGUMENT)


def _with(expr: sympy.Basic, large: dict[sympy.Dummy, sympy.Basic]) -> sympy.Basic:
    """Put large expressions in the place of symbols; nothing is evaluated or looked up."""
    found: dict[int, sympy.Basic] = {}
    for part in postorder(expr):
        arguments = [found[id(argument)] for argument in part.args]
        if isinstance(part, sympy.Dummy):
            found[id(part)] = large.get(part, part)
        elif all(new is old for new, old in zip(arguments, part.args, strict=True)):
            found[id(part)] = part
        else:
            found[id(part)] = _unevaluated(part, arguments)
    return found[id(expr)]


def _unevaluated(part: Any, arguments: list[sympy.Basic]) -> sympy.Basic:
    """Return an expression of the class of `part`, of other arguments."""
    if isinstance(part, (sympy.Add, sympy.Mul)):
        made: Any = type(part)._from_args(arguments)
    else:
        made = sympy.Basic.__new__(type(part), *arguments)
        if isinstance(part, sympy.Pow):
            made.is_commutative = part.is_commutative
        if hasattr(part, "_argset"):
            made._argset = frozenset(arguments)
        if isinstance(part, Application) and "nargs" in vars(part):
            made.nargs = part.nargs
    hash(made)  # both are kept: asked for later, they would recurse over the depth
    made.is_commutative  # noqa: B018
    return made
