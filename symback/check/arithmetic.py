"""The arithmetics in which the oracle evaluates a graph: NumPy's, and mpmath's to any number of digits."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any, Protocol

import numpy as np
import sympy

from symback import errors
from symback.nodes.apply import Apply, Map
from symback.nodes.dtypes import FLOAT32, FLOAT64
from symback.nodes.leaves import ExactValue
from symback.nodes.node import Node
from symback.op.table import primitive_of

_GUARD_DIGITS = 5


class Arithmetic(Protocol):
    """What the oracle asks of an arithmetic; values are arrays, exact numbers its weak scalars."""

    def dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        """Return the dtype of the arrays that stand for a graph's `dtype`."""

    def array(self, value: Any, dtype: np.dtype[Any]) -> Any:
        """Bring an array to the representation of a graph's `dtype`."""

    def number(self, value: ExactValue) -> Any:
        """Return an exact number as a weak scalar."""

    def apply(self, node: Apply, operands: Sequence[Any], parameters: Sequence[Any]) -> Any:
        """Return the value of a primitive, its static parameters without symbolic sizes."""


class NumpyArithmetic:
    """NumPy's arithmetic; `widen` computes in float64 what the graph has in float32."""

    def __init__(self, *, widen: bool = False) -> None:
        self._widen = widen

    def dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        """Return the dtype itself, or float64 for float32 if widening."""
        return FLOAT64 if self._widen and dtype == FLOAT32 else dtype

    def array(self, value: Any, dtype: np.dtype[Any]) -> Any:
        """Return the value as an array of that dtype."""
        return np.asarray(value, dtype=self.dtype(dtype))

    def number(self, value: ExactValue) -> Any:
        """Return a Python number, to which NumPy's rules for weak scalars apply (NEP 50)."""
        if isinstance(value, (int, float)):
            return value
        try:
            return float(value)
        except OverflowError:
            return float("inf") if value > 0 else -float("inf")

    def apply(self, node: Apply, operands: Sequence[Any], parameters: Sequence[Any]) -> Any:
        """Return the primitive's value in NumPy."""
        if node.operation.name == "astype":
            return self.array(operands[0], node.dtype)
        if isinstance(node, Map) and node.dtype.kind == "f":
            # NumPy takes transcendental functions of small integers in float16; the declared dtype says otherwise.
            pairs = zip(operands, node.operands, strict=True)
            operands = [
                self.array(value, node.dtype) if _is_strong(operand, node) else value for value, operand in pairs
            ]
        value = primitive_of(node).evaluate(operands, parameters)
        if self._widen and node.dtype == FLOAT32:  # not all are widened by their operands: labels have no floats
            return self.array(value, node.dtype)
        return value if node.operands else self.array(value, node.dtype)


def _is_strong(operand: Node, node: Map) -> bool:
    """Is an operand to be an array of the result's dtype: of integers, or a number for what makes float64 of it?"""
    if operand.is_weak:
        return not primitive_of(node).promotes
    return operand.dtype.kind in "biu"


class HighPrecision:
    """mpmath's arithmetic with a number of decimal digits, in a context of its own.

    Arrays hold mpmath numbers (dtype object), or bool; conversions between floats change nothing.
    """

    def __init__(self, digits: int = 30) -> None:
        import mpmath  # comes with SymPy

        self.context = mpmath.MPContext()
        self.context.dps = digits + _GUARD_DIGITS

    def dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        """Return bool for bool, object for all numbers."""
        return dtype if dtype.kind == "b" else np.dtype(object)

    def array(self, value: Any, dtype: np.dtype[Any]) -> Any:
        """Return an array of mpmath numbers, or of bool."""
        if dtype.kind == "b":
            return np.asarray(value, dtype=bool)
        given = np.asarray(value)
        if given.dtype == object and all(type(number) is self.context.mpf for number in given.flat):
            return given
        with np.errstate(invalid="ignore"):  # raised by Python, of NaN
            numbers = np.frompyfunc(self._number, 1, 1)(given.astype(object))
        return np.asarray(numbers, dtype=object).reshape(given.shape)

    def _number(self, value: Any) -> Any:
        """Return a real number; what is complex is not a number here."""
        if isinstance(value, self.context.mpc):
            return value.real if value.imag == 0 else self.context.nan
        return self.context.mpf(value)

    def number(self, value: ExactValue) -> Any:
        """Return an exact number to full precision."""
        if isinstance(value, Fraction):
            return self.context.mpf(value.numerator) / value.denominator
        if isinstance(value, sympy.Expr):
            return self.context.make_mpf(sympy.Float(value.evalf(self.context.dps), self.context.dps)._mpf_)
        return self.context.mpf(value)

    def apply(self, node: Apply, operands: Sequence[Any], parameters: Sequence[Any]) -> Any:
        """Return the primitive's value by its mpmath function, or by NumPy on arrays of mpmath numbers."""
        declared = primitive_of(node)
        if node.operation.name == "astype":
            value = self._converted(operands[0], node)
        elif declared.kind == "elementwise":
            if declared.mpmath is None:
                raise errors.no_high_precision(declared.name)
            value = np.frompyfunc(self.scalar_function(declared.mpmath), len(operands), 1)(*operands)
        else:
            arrays = [self._numbers_of(operand, node) for operand in operands]
            own: Any = declared.mpmath
            value = own(self.context, *arrays, *parameters) if own else declared.evaluate(arrays, parameters)
        found = self.array(value, node.dtype)
        if declared.mpmath is None or found.dtype != object:
            return found
        return np.asarray(np.positive(found), dtype=object)  # of too many digits: they would equal no copy of theirs

    def _numbers_of(self, operand: Any, node: Apply) -> Any:
        """Return an operand as an array; booleans as numbers where they make a float, as their mean does."""
        array = np.asarray(operand)
        return self.array(array.astype(int), node.dtype) if array.dtype == bool and node.dtype.kind == "f" else array

    def scalar_function(self, function: Any) -> Any:
        """Return a primitive's function of mpmath scalars; NaN stands for what mpmath refuses."""
        context = self.context

        def call(*scalars: Any) -> Any:
            try:
                return (
                    getattr(context, function)(*scalars) if isinstance(function, str) else function(context, *scalars)
                )
            except (ZeroDivisionError, ValueError):
                return context.nan

        return call

    def _converted(self, value: Any, node: Apply) -> Any:
        if node.dtype.kind in "iu" and node.operands[0].dtype.kind == "f":
            return np.frompyfunc(int, 1, 1)(value)
        return np.asarray(value) != 0 if node.dtype.kind == "b" else value


def has_digits(graph: Iterable[Node]) -> bool:
    """Can every elementwise primitive of a graph be evaluated in high precision?"""
    return all(primitive_of(node).mpmath is not None for node in graph if isinstance(node, Map))


NUMPY = NumpyArithmetic()
"""NumPy's arithmetic in the dtypes of the graph."""

WIDE = NumpyArithmetic(widen=True)
"""NumPy's arithmetic, float64 for all floats."""
