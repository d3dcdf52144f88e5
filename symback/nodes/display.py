"""How a node is shown and sorted: the protocols of Python, SymPy and Jupyter, answered by later layers in `HOOKS`."""

from collections.abc import Callable
from typing import Any, cast

import sympy
from sympy.printing.pretty.stringpict import prettyForm

from symback.errors.words import show_shape

HOOKS: dict[str, Callable[..., Any]] = {}
"""What later layers do for a node: print it as text or LaTeX, write it as rows, substitute in it."""


class Displayed:
    """What is shown as text and as LaTeX, in an order that its shape and class decide."""

    __slots__ = ()
    shape: tuple[int | sympy.Expr, ...]

    def __repr__(self) -> str:
        return cast(str, HOOKS["text"](self))

    __str__ = __repr__

    def _sympystr(self, printer: Any) -> str:
        return cast(str, HOOKS["text"](self))

    def _pretty(self, printer: Any) -> Any:
        lines = cast(str, HOOKS["text"](self)).splitlines()
        wide = max(map(len, lines))
        return prettyForm("\n".join(line.ljust(wide) for line in lines))  # it puts shorter lines in the middle

    def _latex(self, printer: Any = None) -> str:
        return cast(str, HOOKS["latex"](self))

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {HOOKS['displayed'](self)}$"

    def sort_key(self, order: Any = None) -> Any:
        """Return a key that depends on this node's own shape and class only."""
        one = sympy.S.One
        return (5, 0, type(self).__name__), (1, (show_shape(self.shape),)), one.sort_key(), one

    def compare(self, other: Any) -> int:
        """Order two nodes by class and address, as SymPy's containers ask."""
        if self is other:
            return 0
        mine, theirs = (type(self).__name__, id(self)), (type(other).__name__, id(other))
        return (mine > theirs) - (mine < theirs)
