"""Messages of matrices of SymPy, in and out."""

from collections.abc import Iterable
from typing import Any

from symback.errors.kinds import InvalidNameError, ShapeError, UsageError
from symback.errors.words import show_shape

_MOST_TEXT = 80
"""How much of an expression a message shows."""


def unequal_sizes(kind: str, shapes: Iterable[Iterable[object]]) -> ShapeError:
    """Matrices that are added or multiplied entry by entry, and have different shapes."""
    found = " and ".join(show_shape(shape) for shape in shapes)
    return ShapeError(
        f"from_sympy: {kind} of matrices of the shapes {found}; give them one shape: a row or a column is repeated by "
        "multiplying it with a OneMatrix"
    )


def no_square(kind: str, shape: Iterable[object]) -> ShapeError:
    """A matrix that had to be square."""
    return ShapeError(f"from_sympy: {kind} of a matrix of the shape {show_shape(shape)}; it must be square")


def matrix_as_scalar(kind: str, shape: Iterable[object]) -> ShapeError:
    """A scalar function or sum of a matrix that is not 1x1."""
    return ShapeError(
        f"from_sympy: {kind} of a matrix of the shape {show_shape(shape)}, where only scalars and matrices of the "
        "shape (1, 1) can stand; apply a function to each entry by A.applyfunc(f), multiply entries by HadamardProduct"
    )


def factor_with_axes(kind: str, shape: Iterable[object]) -> ShapeError:
    """A scalar factor that has axes, because it stands for a matrix or for many values."""
    return ShapeError(
        f"from_sympy: the scalar in {kind} has the shape {show_shape(shape)}; inside applyfunc and Sum, scalars cannot "
        "be multiplied with whole matrices: use HadamardProduct or a product of matrices outside"
    )


def no_power(exponent: object) -> UsageError:
    """A power of a matrix that is not an integer."""
    return UsageError(
        f"from_sympy: cannot convert MatPow with the exponent {str(exponent)[:_MOST_TEXT]}; only integers are "
        "supported: give one, or a symbol that stands for one, or use HadamardPower for powers of the entries"
    )


def no_index(index: object) -> UsageError:
    """An index that is no integer and no index of a sum."""
    return UsageError(
        f"from_sympy: cannot convert MatrixElement with the index {str(index)[:_MOST_TEXT]}; an index must be an "
        "integer, or the index of a Sum around it"
    )


def no_bound(bound: object) -> UsageError:
    """A bound of a slice that is no size."""
    return UsageError(
        f"from_sympy: cannot convert MatrixSlice with the bound {str(bound)[:_MOST_TEXT]}; bounds must be integers or "
        "symbolic sizes of matrices in the expression"
    )


def no_entries(kind: str, entry: object) -> UsageError:
    """An explicit matrix whose entries are no scalars."""
    return UsageError(
        f"from_sympy: {kind} holds the entry {str(entry)[:_MOST_TEXT]}, which is no scalar; put matrices together by "
        "BlockMatrix"
    )


class NoMatrixError(UsageError):
    """A node that has no counterpart among the matrices of SymPy."""


def no_matrix(node: Any, reason: str) -> NoMatrixError:
    """A node that has no counterpart among the matrices of SymPy."""
    return NoMatrixError(
        f"to_sympy: cannot write {node.short()} of the shape {show_shape(node.shape)} with matrices of SymPy; {reason}"
        "; sb.lambdify, sb.dumps and sympy.latex take the node as it is"
    )


def not_symbols(given: object) -> UsageError:
    """What says nothing of what variables become."""
    return UsageError(
        f"to_sympy: symbols={str(given)[:_MOST_TEXT]} cannot be used; give a dict from variables (sb.tensor) to "
        "expressions of SymPy"
    )


def cannot_stand_for(variable: Any, expr: object, shape: Iterable[object]) -> ShapeError:
    """An expression of another shape than the variable that it should stand for."""
    return ShapeError(
        f"to_sympy: {variable.name} of the shape {show_shape(variable.shape)} cannot become {str(expr)[:_MOST_TEXT]}, "
        f"which has the shape {show_shape(shape)}; give an expression of its shape, for a vector a column"
    )


def size_clash(name: str) -> InvalidNameError:
    """A symbol that is a size and a variable, or two symbols of one name as sizes."""
    return InvalidNameError(
        f"the SymPy symbol {name!r} is a size (of a matrix, an array or the range of a sum), and elsewhere another "
        "symbol of that name, or a variable; rename one (what is only read from shapes is no input and no variable)"
    )


def no_jacobian(output: Iterable[object], variable: Iterable[object]) -> ShapeError:
    """A matrix of expressions by a whole matrix: four axes."""
    return ShapeError(
        f"jacobian, hessian: a matrix of expressions of the shape {show_shape(output)} by one of the shape "
        f"{show_shape(variable)} has more than two axes; differentiate the expressions one by one, or by a column"
    )


def no_symbols(entry: object) -> UsageError:
    """A matrix that should hold the variables and holds something else."""
    return UsageError(
        f"a matrix of variables must hold a different symbol in each entry, not "
        f"{str(entry)[:_MOST_TEXT]}; give a MatrixSymbol, or the symbols in a list"
    )


def no_vector(operation: str, matrix: Iterable[object], vector: Iterable[object]) -> ShapeError:
    """A vector for a matrix of symbols that has another shape."""
    return ShapeError(
        f"{operation}: a matrix of symbols of the shape {show_shape(matrix)} was given a vector of the shape "
        f"{show_shape(vector)}; give a matrix with an entry for each symbol"
    )


def no_sparse(operation: str, shape: Iterable[object]) -> UsageError:
    """A sparse derivative of a matrix of expressions, or by a matrix of symbols."""
    return UsageError(
        f"{operation}: sparse=True is for arrays, and a matrix of the shape {show_shape(shape)} with its entries "
        "written down was given; use a MatrixSymbol or a node, or leave sparse=True out (sb.sparsity tells the entries)"
    )
