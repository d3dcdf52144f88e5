"""Static values as JSON, by explicit tables: integers, sizes, parameters, exact numbers, arrays.

Nothing here parses text as mathematics. A value is a JSON atom or a list whose first entry names its
kind; integers beyond 53 bits are hexadecimal strings, which Python reads in linear time.
"""

import base64
import binascii
import math
import re
from fractions import Fraction
from typing import Any

import numpy as np
import sympy

from symback import errors
from symback.errors.functions import not_written
from symback.nodes.dtypes import as_dtype
from symback.nodes.shapes import Shape, SizeExpr, as_size, intern_shape, size_symbol

_HEXADECIMAL = re.compile(r"-?0x[0-9a-f]+\Z", re.ASCII)
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z", re.ASCII)
_DTYPE_NAMES = frozenset(
    ("bool", "float32", "float64", *(f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)))
)
_MOST_NESTED = 16
_MOST_AXES = 64
_LARGEST_SIZE = 2**63 - 1
_LARGEST_EXPONENT = 64

NONFINITE = {"-0.0": -0.0, "inf": math.inf, "-inf": -math.inf, "nan": math.nan}
"""The floats an exact number may hold, by the text `repr` gives them."""


# -- integers, names, dtypes ----------------------------------------------------------------------


def write_integer(value: int) -> int | str:
    """Write an integer as a JSON number, or as hexadecimal text where JSON readers would round it."""
    return value if -(2**53) < value < 2**53 else hex(value)


def read_integer(value: Any) -> int:
    """Read what `write_integer` wrote."""
    if type(value) is int:
        return value
    if isinstance(value, str) and _HEXADECIMAL.match(value):
        return int(value, 16)
    raise errors.bad_document(f"{str(value)[:40]!r} is no integer")


def read_word(value: Any) -> str:
    """Read a string that must be a word of ASCII letters, digits and underscores."""
    if not isinstance(value, str) or not _WORD.match(value):
        raise errors.bad_document(f"{str(value)[:40]!r} is no word of letters, digits and underscores")
    return value


def read_dtype(name: Any) -> np.dtype[Any]:
    """Read the name of a supported dtype."""
    if not isinstance(name, str) or name not in _DTYPE_NAMES:
        raise errors.bad_document(f"{str(name)[:40]!r} is no dtype")
    return as_dtype(name)


# -- sizes and shapes -------------------------------------------------------------------------------


def write_size(size: SizeExpr) -> Any:
    """Write a size: an integer, or ``["size", [coefficient, name, exponent, …], …]``, one list for each term."""
    if isinstance(size, int):
        return write_integer(size)
    return ["size", *[_write_term(size, term) for term in sympy.Add.make_args(size)]]


def _write_term(size: sympy.Expr, term: sympy.Expr) -> list[Any]:
    coefficient, rest = term.as_coeff_Mul()
    powers = [factor.as_base_exp() for factor in sympy.Mul.make_args(rest) if factor is not sympy.S.One]
    if not coefficient.is_Integer or not all(base.is_Symbol and power.is_Integer for base, power in powers):
        raise errors.bad_size(size)
    row: list[Any] = [write_integer(int(coefficient))]
    for base, power in powers:
        row += [base.name, int(power)]
    return row


def read_size(value: Any) -> SizeExpr:
    """Read a size that may be negative, as a bound of a slice may be."""
    if not isinstance(value, list):
        return read_integer(value)
    if len(value) < 2 or value[0] != "size":
        raise errors.bad_document(f"{str(value)[:40]} is no size")
    return as_size(sympy.Add(*[_read_term(term) for term in value[1:]]))


def _read_term(term: Any) -> sympy.Expr:
    if not isinstance(term, list) or len(term) % 2 == 0:
        raise errors.bad_document(f"{str(term)[:40]} is no term of a size")
    factors = [sympy.Integer(read_integer(term[0]))]
    for name, exponent in zip(term[1::2], term[2::2], strict=True):
        if type(exponent) is not int or not 1 <= exponent <= _LARGEST_EXPONENT:
            raise errors.bad_document(f"a size has the exponent {str(exponent)[:40]}")
        factors.append(size_symbol(read_word(name)) ** exponent)
    return sympy.Mul(*factors)


def read_shape(values: list[Any]) -> Shape:
    """Read the sizes of a shape."""
    if len(values) > _MOST_AXES:
        raise errors.bad_document(f"a shape has {len(values)} axes; NumPy has at most {_MOST_AXES}")
    sizes = [read_size(value) for value in values]
    for size in sizes:
        if isinstance(size, int) and not 0 <= size <= _LARGEST_SIZE:
            raise errors.bad_document("a size is negative, or larger than any array can have")
    return intern_shape(tuple(sizes))


# -- parameters of primitives -------------------------------------------------------------------------


def write_parameter(value: Any) -> Any:
    """Write a static parameter: None, a bool, number, word, size, or a tuple of these."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str) and _WORD.match(value):
        return value
    if type(value) is int:
        return value if -(2**53) < value < 2**53 else ["int", hex(value)]
    if isinstance(value, float):
        return ["float", value.hex()]
    if isinstance(value, Fraction):
        return ["fraction", write_integer(value.numerator), write_integer(value.denominator)]
    if isinstance(value, tuple):
        return ["tuple", *[write_parameter(item) for item in value]]
    if isinstance(value, sympy.Expr):
        return write_size(value)
    if isinstance(value, type):
        raise not_written(value)
    raise errors.not_convertible("dumps", value, "a parameter is None, a bool, number, word, size or a tuple of these")


def read_parameter(value: Any, nested: int = 0) -> Any:
    """Read what `write_parameter` wrote.

    A word stands alone, never in a tuple: tuples are shapes, axes and index entries.
    """
    if value is None or isinstance(value, bool) or type(value) is int:
        return value
    if isinstance(value, str) and nested == 0:
        return read_word(value)
    if isinstance(value, list) and value and nested < _MOST_NESTED:
        kind, *rest = value
        if kind == "tuple":
            return tuple([read_parameter(item, nested + 1) for item in rest])
        if kind == "size":
            return read_size(value)
        if kind == "fraction" and len(rest) == 2:
            return Fraction(read_integer(rest[0]), read_integer(rest[1]))
        if kind == "int" and len(rest) == 1:
            return read_integer(rest[0])
        if kind == "float" and len(rest) == 1 and isinstance(rest[0], str):
            return float.fromhex(rest[0])
    raise errors.bad_document(f"{str(value)[:40]!r} is no parameter")


# -- arrays ---------------------------------------------------------------------------------------------


def write_array(array: np.ndarray[Any, Any]) -> list[Any]:
    """Write an array: dtype, shape, and its bytes in row-major and little-endian order, in base 64."""
    data = array.astype(array.dtype.newbyteorder("<")).tobytes()
    return [array.dtype.name, list(array.shape), base64.b64encode(data).decode("ascii")]


def read_array(dtype: Any, shape: Any, text: Any) -> np.ndarray[Any, Any]:
    """Read what `write_array` wrote; the shape must fit the bytes."""
    wanted = read_dtype(dtype)
    if not isinstance(shape, list) or not all(type(size) is int for size in shape) or not isinstance(text, str):
        raise errors.bad_document("an array needs a list of integers as its shape, and its bytes as text")
    sizes = read_shape(shape)
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as reason:
        raise errors.bad_document(f"the bytes of an array are not in base 64 ({reason})") from None
    if len(data) != math.prod(sizes) * wanted.itemsize:
        raise errors.bad_document(f"{len(data)} bytes do not make an array of shape {tuple(sizes)} and dtype {wanted}")
    if wanted.kind == "b" and data.strip(b"\0\1"):
        raise errors.bad_document("an array of bools has a byte that is neither 0 nor 1")
    return np.frombuffer(data, dtype=wanted.newbyteorder("<")).reshape(sizes)


# -- exact numbers ----------------------------------------------------------------------------------------

_CONSTANTS = {
    "pi": sympy.pi,
    "E": sympy.E,
    "EulerGamma": sympy.EulerGamma,
    "Catalan": sympy.Catalan,
    "GoldenRatio": sympy.GoldenRatio,
}

_FUNCTIONS = {
    function.__name__: function
    for function in (
        *(sympy.Add, sympy.Mul, sympy.Pow, sympy.exp, sympy.log, sympy.sin, sympy.cos, sympy.tan),
        *(sympy.asin, sympy.acos, sympy.atan, sympy.sinh, sympy.cosh, sympy.tanh, sympy.asinh, sympy.acosh),
        *(sympy.atanh, sympy.erf, sympy.erfc, sympy.gamma, sympy.loggamma, sympy.zeta, sympy.Abs),
    )
}

_NAMES = {constant: name for name, constant in _CONSTANTS.items()}


def write_number(value: sympy.Expr, arguments: list[int]) -> list[Any]:
    """Write one step of a real SymPy constant, whose arguments stand in earlier rows."""
    if value in _NAMES:
        return [_NAMES[value]]
    if value.is_Rational:
        return ["Rational", write_integer(int(value.p)), write_integer(int(value.q))]
    if value.is_Float:
        sign, mantissa, exponent, _ = value._mpf_
        return ["Float", sign, write_integer(int(mantissa)), int(exponent), value._prec]
    if _FUNCTIONS.get(type(value).__name__) is not type(value):
        known = ", ".join([*_CONSTANTS, *_FUNCTIONS])
        raise errors.not_convertible("dumps", value, f"constants are made of rationals, {known}")
    return [type(value).__name__, *arguments]


def read_number(name: Any, rest: list[Any], arguments: list[sympy.Expr]) -> sympy.Expr:
    """Read what `write_number` wrote. Functions are not evaluated, so that no document can start a computation."""
    if name in _CONSTANTS and not rest:
        return _CONSTANTS[name]
    if name == "Rational" and len(rest) == 2:
        fraction = Fraction(*map(read_integer, rest))
        return sympy.Rational(fraction.numerator, fraction.denominator)
    if name == "Float" and len(rest) == 4:
        return _read_float(*map(read_integer, rest))
    if name in _FUNCTIONS and arguments:
        return _FUNCTIONS[name](*arguments, evaluate=False)
    raise errors.bad_document(f"{str(name)[:40]!r} is no constant")


def _read_float(sign: int, mantissa: int, exponent: int, precision: int) -> sympy.Expr:
    if sign not in (0, 1) or mantissa < 0 or abs(exponent) > 2**20 or not 1 <= precision <= 2**20:
        raise errors.bad_document("a Float is out of range")
    return sympy.Float((sign, mantissa, exponent), precision=precision)


def is_numeric_leaf(name: Any) -> bool:
    """Does a constant of this name have numbers as its fields, and not rows?"""
    return name in ("Rational", "Float")
