"""Matrices that follow from their sizes: identities, shifted ones, triangles of ones."""

from typing import Any

import numpy as np

from symback import errors
from symback.nodes.contract import contract
from symback.nodes.dtypes import FLOAT64, as_dtype
from symback.nodes.leaves import ones_of
from symback.nodes.looks import latex_size
from symback.nodes.node import Node
from symback.nodes.shapes import SizeExpr, as_shape, as_size, intern_shape
from symback.op.declare import Function, primitive
from symback.op.public import public

__all__ = ["eye", "identity", "tri"]


def _shape_of(N: Any, M: Any) -> tuple[SizeExpr, SizeExpr]:
    rows = as_size(N)
    return rows, rows if M is None else as_size(M)


def _of_sizes(rows: Any, columns: Any, k: Any, dtype: Any) -> Any:
    """Check the parameters of a matrix that follows from its sizes; they may come from a stranger's document."""
    if type(k) is not int:
        raise errors.no_known_integers("eye", "k", k)
    if as_shape((rows, columns)) != (rows, columns):
        raise errors.bad_size((rows, columns))
    if not isinstance(dtype, str) or as_dtype(dtype).name != dtype:
        raise errors.bad_dtype(dtype)
    return as_shape((rows, columns)), as_dtype(dtype)


def _matrix_text(function: str) -> Any:
    def write(spell: Any, operands: Any, parameters: Any) -> str:
        rows, columns, k, dtype = parameters
        size = f"{spell.size(rows)}" if rows == columns else f"{spell.size(rows)}, {spell.size(columns)}"
        diagonal = f", k={k}" if k else ""
        of_type = f", dtype=np.{spell.dtype(dtype)}" if dtype != "float64" else ""
        return f"{function}({size}{diagonal}{of_type})"

    return write


def _matrix_look(name: str) -> Any:
    def write(operands: Any, parameters: Any) -> str:
        rows, columns, k, _ = parameters
        above = f"^{{({k})}}" if k else ""
        return rf"{name}{above}_{{{latex_size(rows)} \times {latex_size(columns)}}}"

    return write


_eye: Function = primitive(
    "eye_of", signature=_of_sizes, numpy=_matrix_text("np.eye"), arity=0, linear=True, vjp=lambda g, node: (),
    value=lambda rows, columns, k, dtype: np.eye(rows, columns, k, dtype=dtype), latex=_matrix_look("I"),
    examples=(lambda make: _eye((), 2, 3, 1, "float64"), lambda make: _eye((), 3, 2, -1, "float32")),
    doc="Ones on a diagonal of a matrix, zeros elsewhere.",
)  # fmt: skip
_tri: Function = primitive(
    "tri_of", signature=_of_sizes, numpy=_matrix_text("np.tri"), arity=0, linear=True, vjp=lambda g, node: (),
    value=lambda rows, columns, k, dtype: np.tri(rows, columns, k, dtype=dtype), latex=_matrix_look("L"),
    examples=(lambda make: _tri((), 2, 3, 0, "float64"), lambda make: _tri((), 3, 3, -1, "int64")),
    doc="Ones on and below a diagonal of a matrix, zeros above.",
)  # fmt: skip


def _diagonal(operation: str, k: Any) -> int:
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)):
        raise errors.no_known_integers(operation, "k", k)
    return int(k)


@public(
    "eye",
    examples=(
        lambda f, make: f(3) + make("x", (3,)),
        lambda f, make: f(2, 3, k=1, dtype="float32") * make("x", ()),
        lambda f, make: f(3, 2, -1),
        lambda f, make: f(0),
    ),
    symbolic=False,
)
def eye(N: Any, M: Any = None, k: int = 0, dtype: Any = "float64") -> Node:
    """Matrix with ones on a diagonal, as `numpy.eye` has it; sizes may be symbolic.

    Args:
        N: The number of rows.
        M: The number of columns; by default that of rows.
        k: The number of the diagonal: positive ones above the main one.
        dtype: Of the result.

    Raises:
        ShapeError: If a size is none.
        UsageError: If k is no integer that is known when the graph is built.

    Example:
        >>> import symback as sb
        >>> sb.eye("n").shape
        (n, n)
    """
    rows, columns = _shape_of(N, M)
    wanted = _dtype(dtype)
    if _diagonal("eye", k) == 0 and rows == columns:
        return contract([(ones_of(intern_shape((rows,)), wanted), (0,))], (0, 0))
    return _eye((), rows, columns, int(k), wanted.name)


def _dtype(dtype: Any) -> np.dtype[Any]:
    return FLOAT64 if dtype is None else as_dtype(dtype)


@public("identity", examples=(lambda f, make: f(2) * make("x", ()),), symbolic=False)
def identity(n: Any, dtype: Any = None) -> Node:
    """Identity matrix, as `numpy.identity` has it; the size may be symbolic.

    Example:
        >>> import symback as sb
        >>> sb.identity("n").shape
        (n, n)
    """
    return eye(n, dtype=dtype)


@public(
    "tri", examples=(lambda f, make: f(3) * make("x", (3,)), lambda f, make: f(2, 3, 1, dtype="int64")), symbolic=False
)
def tri(N: Any, M: Any = None, k: int = 0, dtype: Any = "float64") -> Node:
    """Matrix with ones on and below a diagonal, as `numpy.tri` has it; sizes may be symbolic.

    Raises:
        ShapeError: If a size is none.
        UsageError: If k is no integer that is known when the graph is built.

    Example:
        >>> import symback as sb
        >>> sb.tri("n", 3).shape
        (n, 3)
    """
    rows, columns = _shape_of(N, M)
    return _tri((), rows, columns, _diagonal("tri", k), _dtype(dtype).name)
