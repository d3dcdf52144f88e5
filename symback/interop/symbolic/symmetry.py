"""Transposes on the way out: symmetric matrices have none, and what SymPy gets wrong in others is hidden from it."""

from collections.abc import Mapping
from typing import Any

import sympy
from sympy.assumptions.assume import global_assumptions


class _Symmetric(sympy.MatrixSymbol):  # type: ignore[misc]
    """What stands for a symmetric matrix while an expression is put together, so that SymPy sees its transposes."""

    def _eval_transpose(self) -> "_Symmetric":
        return self


class _Power(sympy.HadamardPower):  # type: ignore[misc]
    """A power entry by entry while an expression is put together: SymPy would leave a matrix of exponents as it is."""

    def _eval_transpose(self) -> "_Power":
        return _Power(self.base.T, self.exp.T)


class _Trace(sympy.Trace):  # type: ignore[misc]
    """A trace while an expression is put together: SymPy would split that of a product of matrices that are not square.

    It evaluates what it transposes, and takes Trace(KroneckerProduct(A, B)) for Trace(A) Trace(B) whatever the shapes.
    """

    def doit(self, **hints: Any) -> "_Trace":
        return self


class _Determinant(sympy.Determinant):  # type: ignore[misc]
    """A determinant while an expression is put together; as for traces."""

    def doit(self, **hints: Any) -> "_Determinant":
        return self


_STAND_INS: dict[Any, Any] = {
    sympy.HadamardPower: _Power, sympy.Trace: _Trace, sympy.Determinant: _Determinant
}  # fmt: skip


def power_of(base: Any, exponent: Any) -> sympy.Basic:
    """Return matrices to the power of one another entry by entry; `Symmetric.put_back` makes it one of SymPy's."""
    return _Power(base, exponent)


def trace_of(matrix: Any) -> sympy.Expr:
    """Return a trace; `Symmetric.put_back` makes it one of SymPy's."""
    return _Trace(matrix)


def determinant_of(matrix: Any) -> sympy.Expr:
    """Return a determinant; `Symmetric.put_back` makes it one of SymPy's."""
    return _Determinant(matrix)


def transposed(matrix: Any) -> Any:
    """Return the transpose of an expression of SymPy; what SymPy would evaluate wrongly on the way stays as it is."""
    return _swapped(_swapped(matrix, _STAND_INS).T, {own: theirs for theirs, own in _STAND_INS.items()})


def _swapped(expr: sympy.Basic, classes: Mapping[Any, Any]) -> sympy.Basic:
    """Return an expression in which parts are of other classes; of powers those of matrices by matrices."""
    if not expr.has(*classes):
        return expr
    found: sympy.Basic = expr.replace(
        lambda part: type(part) in classes and all(argument.is_Matrix for argument in part.args),
        lambda part: classes[type(part)](*part.args),
    )
    return found


class Symmetric:
    """What stands for the matrices that are assumed to be symmetric here and now, ``with assuming(Q.symmetric(A))``.

    The assumptions are SymPy's own, which are read and never changed.
    """

    def __init__(self) -> None:
        self._symbols: dict[sympy.Basic, sympy.Basic] = {}

    def stand_in(self, symbol: Any) -> Any:
        """Return what stands for a symbol: for a matrix that is symmetric one that is its own transpose."""
        if not global_assumptions or type(symbol) is not sympy.MatrixSymbol or symbol.rows != symbol.cols:
            return symbol
        if sympy.ask(sympy.Q.symmetric(symbol)) is not True:
            return symbol
        made = _Symmetric(*symbol.args)
        self._symbols[made] = symbol
        return made

    def put_back(self, expr: sympy.Basic) -> sympy.Basic:
        """Return an expression with the symbols themselves, and with SymPy's own classes."""
        found: sympy.Basic = expr.xreplace(self._symbols) if self._symbols else expr
        return _swapped(found, {own: theirs for theirs, own in _STAND_INS.items()})
