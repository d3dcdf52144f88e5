"""The leaves of a graph: variable, exact number, array constant, ones of a shape, size used as a value."""

import hashlib
import math
from fractions import Fraction
from functools import lru_cache
from typing import Any, Self, cast

import numpy as np
import sympy

from symback.errors import shapes, usage
from symback.nodes.dtypes import FLOAT64, INT64, as_dtype
from symback.nodes.exact_numbers import ExactValue as ExactValue
from symback.nodes.labels import Label
from symback.nodes.node import HOOKS, Node, Param
from symback.nodes.shapes import Shape, SizeExpr, as_shape, as_size, intern_shape, is_size_symbol

_MOST_BITS = 1023
"""Integers up to here have a float64 value."""


class Leaf(Node):
    """A node without operands; its arguments are parameters."""

    __slots__ = ()

    @property
    def operands(self) -> tuple[Node, ...]:
        """No operands."""
        return ()

    def with_operands(self, operands: tuple[Node, ...]) -> Node:
        """Return the leaf itself."""
        return self


class Variable(Leaf):
    """An input: a name, a shape, a dtype."""

    __slots__ = ()
    is_Symbol = True  # noqa: N815  # SymPy asks for it by this name

    def __new__(cls, label: Label, shape: Param, dtype: Param) -> Self:
        """Return the variable of this label, shape and name of a dtype."""
        return cls.make((label, shape, dtype), as_shape(shape.value), as_dtype(dtype.value))

    @property
    def label(self) -> Label:
        """The name with its look in print."""
        return cast(Label, self._args[0])

    @property
    def name(self) -> str:
        """The name, a valid identifier."""
        return self.label.name


def variable(name: str, shape: Any = (), dtype: Any = "float64", latex: str | None = None) -> Variable:
    """Make the input called `name`."""
    return Variable(Label(name, latex), Param(as_shape(shape)), Param(as_dtype(dtype).name))


class Exact(Leaf):
    """An exact number, weak in dtype promotion as Python's numbers are."""

    __slots__ = ()
    is_weak = True
    is_number = True

    def __new__(cls, value: Param) -> Self:
        """Return the number."""
        return cls.make((value,), (), INT64 if type(value.value) is int else FLOAT64)

    @property
    def value(self) -> ExactValue:
        """The number."""
        return cast(ExactValue, cast(Param, self._args[0]).value)


def exact(value: ExactValue) -> Exact:
    """Make an exact number; a finite float is the fraction that it is."""
    if isinstance(value, float) and math.isfinite(value) and (value or math.copysign(1, value) > 0):
        return _rational(value)
    if isinstance(value, (int, Fraction)):
        return _rational(value)
    return Exact(Param(value))


@lru_cache(maxsize=1024, typed=True)
def _rational(value: int | Fraction | float) -> Exact:
    """Make an exact number; one too long to be of use is an error, or rounded if it is a weak float."""
    if isinstance(value, float):
        value = Fraction(value)
    if isinstance(value, int):
        if value.bit_length() > _MOST_BITS:
            raise shapes.integer_overflow(value)
        return Exact(Param(int(value)))
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > 2 * _MOST_BITS:
        try:
            return exact(float(value))
        except OverflowError:
            return exact(math.copysign(math.inf, value))
    return Exact(Param(value))


def exact_from_sympy(value: sympy.Expr) -> Exact:
    """Make an exact number of a real SymPy constant; a Float is the fraction that it is."""
    if value.is_Integer:
        return exact(int(value))
    if value.is_Rational:
        return exact(Fraction(int(value.p), int(value.q)))
    if value.is_Float and value.is_finite:
        return exact_from_sympy(sympy.Rational(value))
    if value is sympy.oo or value is -sympy.oo or value is sympy.nan:
        return exact(float(value))
    if not value.is_extended_real or value.free_symbols:
        raise usage.not_convertible("from_sympy", value, "only real constants are supported")
    return exact(value)


class Constant(Leaf):
    """An array known when the graph is built, held as a read-only copy; NaN equals itself here."""

    __slots__ = ()

    def __new__(cls, data: "ArrayData") -> Self:
        """Return the constant with these contents."""
        return cls.make((data,), as_shape(data.array.shape), as_dtype(data.array.dtype))

    @property
    def array(self) -> np.ndarray[Any, Any]:
        """The read-only array."""
        return cast(ArrayData, self._args[0]).array


class ArrayData(Param):
    """The contents of a constant, compared by dtype, shape and (a digest of) their bytes."""

    __slots__ = ("array",)
    array: np.ndarray[Any, Any]

    def __new__(cls, array: Any) -> Self:
        """Return the contents of an array, copied if they are new."""
        if isinstance(array, np.ma.MaskedArray):
            raise usage.not_a_node(array)
        if isinstance(array, np.matrix):
            raise usage.numpy_matrix(array)
        try:
            given = np.asarray(array)
        except ValueError:  # nested sequences of different lengths
            raise usage.not_a_node(array) from None
        held = np.array(given, dtype=as_dtype(given.dtype), order="C", copy=True)
        held.flags.writeable = False
        value = (held.dtype.name, held.shape, hashlib.sha256(held.tobytes()).hexdigest())
        found = cls.find(value)
        if found is not None:
            return found
        made = cls._holding(value)
        made.array = held
        return cls.enter(value, made)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return ArrayData, (self.array,)


def constant(array: Any) -> Constant:
    """Make an array constant."""
    return Constant(ArrayData(array))


class Ones(Leaf):
    """An array of ones of a shape: what identities, broadcasts and sums of nothing are made of."""

    __slots__ = ()

    def __new__(cls, shape: Param, dtype: Param) -> Self:
        """Return the ones of this shape and name of a dtype."""
        return cls.make((shape, dtype), as_shape(shape.value), as_dtype(dtype.value))


def ones_of(shape: Shape, dtype: np.dtype[Any] = FLOAT64) -> Ones:
    """Make an array of ones."""
    return Ones(Param(intern_shape(shape)), Param(dtype.name))


class Size(Leaf):
    """A symbolic size used as a value, read from the shapes of the inputs when the code runs.

    It is a Python integer there, so it is weak in dtype promotion.
    """

    __slots__ = ()
    is_weak = True

    def __new__(cls, size: Param) -> Self:
        """Return the size as a value."""
        return cls.make((size,), (), INT64)

    @property
    def size(self) -> SizeExpr:
        """The size."""
        return cast(SizeExpr, cast(Param, self._args[0]).value)

    @property
    def own_sizes(self) -> Shape:
        """The size whose value this is."""
        return (self.size,)


def size_of(size: SizeExpr) -> Node:
    """Make a node of a size: an exact number if it is one already."""
    return exact(size) if isinstance(size, int) else Size(Param(size))


def as_node(value: Any) -> Node:
    """Turn a node, number, NumPy scalar or array, scalar SymPy expression, or symbolic size into a node."""
    if isinstance(value, Node):
        return value
    if isinstance(value, np.generic):
        return constant(value)
    if isinstance(value, bool):
        return constant(np.bool_(value))
    if isinstance(value, (int, float, Fraction)):
        return exact(value)
    if isinstance(value, (sympy.Basic, sympy.MatrixBase)):
        return _of_sympy(value)
    if isinstance(value, (np.ndarray, list, tuple)) and not _holds_nodes(value):
        return constant(value)
    raise usage.not_a_node(value)


def _of_sympy(value: sympy.Basic) -> Node:
    """Turn a constant, an expression of symbolic sizes such as ``x.shape[0] - 1``, or of other symbols into a node."""
    if value.is_Matrix:
        return cast(Node, HOOKS["from_sympy"](value))
    if isinstance(value, sympy.Expr) and value.is_number:
        return exact_from_sympy(value)
    symbols = value.free_symbols
    sizes = {s for s in symbols if isinstance(s, sympy.Symbol) and is_size_symbol(s)}
    if sizes and sizes == symbols:
        return size_of(as_size(value))
    if sizes and all(isinstance(symbol, sympy.Symbol) for symbol in symbols):
        raise usage.mixed_symbols(value, sorted(str(size) for size in sizes))
    return cast(Node, HOOKS["from_sympy"](value))


def _holds_nodes(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and any(isinstance(v, Node) or _holds_nodes(v) for v in value)
