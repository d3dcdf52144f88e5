"""The value of a formula as it is printed, in many digits.

Formulas are evaluated in the world of matrices: a scalar has the shape (1, 1), a vector is a column, an array of four
axes is the matrix with its first two axes as rows; arrays of other ranks are as they are. The operations are as strict
about shapes as a reader is, so that a transpose that is missing does not pass unnoticed.
"""

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from symback.derivation.proof.labelled import labelled_value
from symback.derivation.proof.rounding import alike
from symback.errors.derivation import unlike_adjoint
from symback.errors.formulas import unfit_formula, unlike_argument
from symback.latex.indices import Letters
from symback.latex.meaning import Meaning
from symback.nodes.apply import Apply, Map
from symback.nodes.node import Node
from symback.nodes.shapes import SizeExpr

Array: TypeAlias = npt.NDArray[Any]


class Values(Protocol):
    """What the names in a formula stand for: `symback.derivation.proof.point.Point`."""

    context: Any
    tolerance: Any

    def array(self, node: Node) -> Array:
        """Return the value of a node."""

    def adjoint(self, node: Node) -> Array:
        """Return the derivative of the loss by a node."""

    def partial(self, of: Node, by: Node) -> Array:
        """Return the derivative of one node by another."""

    def total(self, of: Node, by: Node) -> Array:
        """Return the derivative of one node by another, nothing held."""

    def slope(self, node: Node) -> Array:
        """Return the derivative of an elementwise function at its argument."""

    def size(self, size: SizeExpr) -> int:
        """Return a size as an integer."""

    def apply(self, node: Node, operands: Sequence[Any]) -> Array:
        """Return the value of the operation of a node on other operands."""


Operation: TypeAlias = Callable[[Any, list[Array], Values], Array]


def value_of(meaning: Meaning, point: Values) -> Array:
    """Evaluate what a formula says.

    Args:
        meaning: What it says.
        point: The values of what its names stand for.

    Returns:
        An array of mpmath numbers: (1, 1) for a scalar, (n, 1) for a vector, else see above.

    Raises:
        VerificationError: If an operation meets shapes that do not fit.
        KinkError: If a derivative does not exist at the point.
    """
    if meaning.op == "apply" and meaning.data.operation.name == "stop_gradient":
        point = getattr(point, "still", point)  # beside a point: what it was there
    parts = [value_of(part, point) for part in meaning.parts]
    return OPERATIONS[meaning.op](meaning.data, parts, point)


def as_matrix(value: Any, point: Values) -> Array:
    """Return an array as it stands in a formula: scalars and vectors as matrices, truth values as 0 and 1."""
    array = np.asarray(value)
    if array.dtype.kind == "b":
        array = np.where(array, point.context.mpf(1), point.context.mpf(0))
    return array.astype(object).reshape(matrix_shape(array.shape))


def matrix_shape(shape: Sequence[int]) -> tuple[int, ...]:
    """Return the shape that an array of another shape has in a formula."""
    if len(shape) == 4:
        return shape[0] * shape[1], shape[2] * shape[3]
    return (*shape, *[1] * (2 - len(shape)))


def as_array(value: Array, shape: Sequence[SizeExpr], point: Values) -> Array:
    """Return what stands in a formula as an array of the shape that a node has."""
    wanted = tuple(point.size(size) for size in shape)
    if value.shape != matrix_shape(wanted):
        raise unfit_formula("an array", [value.shape, matrix_shape(wanted)])
    return value.reshape(wanted)


def _sizes(data: Sequence[SizeExpr], point: Values) -> tuple[int, ...]:
    return tuple(point.size(size) for size in data)


def _number(data: Any, parts: list[Array], point: Values) -> Array:
    context = point.context
    if hasattr(data, "numerator") and hasattr(data, "denominator") and not hasattr(data, "evalf"):
        return as_matrix(context.mpf(int(data.numerator)) / int(data.denominator), point)
    if hasattr(data, "evalf"):
        return as_matrix(context.mpf(data.evalf(context.dps)._mpf_), point)
    return as_matrix(context.mpf(data), point)


def _filled(number: int) -> Operation:
    def value(data: Any, parts: list[Array], point: Values) -> Array:
        return as_matrix(np.full(_sizes(data, point), point.context.mpf(number), dtype=object), point)

    return value


def _identity(data: Any, parts: list[Array], point: Values) -> Array:
    return as_matrix(np.eye(point.size(data), dtype=bool), point)


def _commutation(data: Any, parts: list[Array], point: Values) -> Array:
    rows, columns = _sizes(data, point)
    ties = np.eye(rows, dtype=bool)[:, None, None, :] & np.eye(columns, dtype=bool)[None, :, :, None]
    return as_matrix(ties, point)


def _slope(data: Node, parts: list[Array], point: Values) -> Array:
    """Return the slope of a function, printed with its argument, which has to be the argument that it is meant at."""
    for part in parts:
        if not alike(part, as_matrix(point.array(data.operands[0]), point), point.context):
            raise unlike_argument(data.short())
    return as_matrix(point.slope(data), point)


def _jacobian(data: tuple[Node, Node], parts: list[Array], point: Values) -> Array:
    """Return a derivative with a row for each entry of what is differentiated, and a column for each of what by."""
    of, by = data
    rows, columns = (int(np.prod([point.size(size) for size in node.shape], dtype=int)) for node in (of, by))
    return np.asarray(point.total(of, by), dtype=object).reshape(rows, columns)


def _second(data: tuple[Node, Node, Node], parts: list[Array], point: Values) -> Array:
    """Return the derivative of a gradient, which must be that of the loss: differences say whether it is."""
    row, column, gradient = data
    given, found = as_matrix(point.array(gradient), point), as_matrix(point.adjoint(row), point)
    scale = max([1, *map(abs, found.flat)])
    if given.shape != found.shape or any(abs(x) > scale * point.tolerance for x in (given - found).flat):
        raise unlike_adjoint(row.short())
    return _jacobian((gradient, column), parts, point)


def _product(data: Any, parts: list[Array], point: Values) -> Array:
    return np.asarray(reduce(_times, parts) + point.context.mpf(0), dtype=object)  # sums of nothing are integers


def _times(left: Array, right: Array) -> Array:
    if (1, 1) in (left.shape, right.shape):
        return left.reshape(()) * right if left.shape == (1, 1) else left * right.reshape(())
    if left.ndim != 2 or right.ndim != 2 or left.shape[1] != right.shape[0]:
        raise unfit_formula("a product", [left.shape, right.shape])
    return np.asarray(np.dot(left, right), dtype=object)


def _same(words: str, parts: list[Array], *, scalars: bool = False) -> None:
    shapes = {part.shape for part in parts if not (scalars and part.shape == (1, 1))}
    if len(shapes) > 1:
        raise unfit_formula(words, [part.shape for part in parts])


def _entrywise(data: Any, parts: list[Array], point: Values) -> Array:
    _same("a product entry by entry", parts, scalars=True)
    return reduce(np.multiply, parts)


def _sum(data: Any, parts: list[Array], point: Values) -> Array:
    _same("a sum", parts)
    return reduce(np.add, parts)


def _power(data: int, parts: list[Array], point: Values) -> Array:
    (base,) = parts
    if base.shape != (1, 1):
        raise unfit_formula("a power", [base.shape])
    return np.asarray(base**data, dtype=object)


def _inner(data: Any, parts: list[Array], point: Values) -> Array:
    _same("an inner product", parts)
    return _total(parts[0] * parts[1], point)


def _total(array: Array, point: Values) -> Array:
    return as_matrix(np.asarray(np.sum(array, initial=point.context.mpf(0)), dtype=object), point)


def _diagonal_matrix(data: Any, parts: list[Array], point: Values) -> Array:
    (vector,) = parts
    if vector.ndim != 2 or vector.shape[1] != 1:
        raise unfit_formula("diag of a vector", [vector.shape])
    return np.where(np.eye(len(vector), dtype=bool), vector, point.context.mpf(0))


def _diagonal(data: Any, parts: list[Array], point: Values) -> Array:
    return as_matrix(np.diagonal(_square("diag of a matrix", parts[0])), point)


def _trace(data: Any, parts: list[Array], point: Values) -> Array:
    return _total(np.diagonal(_square("a trace", parts[0])), point)


def _square(words: str, matrix: Array) -> Array:
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise unfit_formula(words, [matrix.shape])
    return matrix


def _vec(data: Any, parts: list[Array], point: Values) -> Array:
    return parts[0].reshape(-1, 1)


def _transpose(data: Any, parts: list[Array], point: Values) -> Array:
    (matrix,) = parts
    if matrix.ndim != 2:
        raise unfit_formula("a transpose", [matrix.shape])
    return matrix.T


def _chain(of: Node, by: Node, point: Values) -> Array:
    """Multiply the adjoint of a quantity by its derivative by another: a sum over all of its entries."""
    adjoint = point.adjoint(of)
    return as_matrix(np.tensordot(adjoint, point.partial(of, by), axes=adjoint.ndim) + point.context.mpf(0), point)


def _kronecker(data: Any, parts: list[Array], point: Values) -> Array:
    left, right = parts
    if left.ndim != 2 or right.ndim != 2:
        raise unfit_formula("a Kronecker product", [left.shape, right.shape])
    entries = left[:, None, :, None] * right[None, :, None, :]
    return entries.reshape(left.shape[0] * right.shape[0], left.shape[1] * right.shape[1])


def _apply(data: Apply, parts: list[Array], point: Values) -> Array:
    """Apply a primitive: an elementwise one to operands as they are spread, another to operands of their shapes."""
    shapes = [data.shape if isinstance(data, Map) else operand.shape for operand in data.operands]
    arrays = [
        as_array(part, shape, point) != 0 if operand.dtype.kind == "b" else as_array(part, shape, point)
        for part, shape, operand in zip(parts, shapes, data.operands, strict=True)
    ]
    return as_matrix(point.apply(data, arrays), point)


def _broadcast(data: Any, parts: list[Array], point: Values) -> Array:
    shape, wanted = data
    return as_matrix(np.broadcast_to(as_array(parts[0], shape, point), _sizes(wanted, point)), point)


def _reshaped(data: Any, parts: list[Array], point: Values) -> Array:
    return as_matrix(parts[0].reshape(_sizes(data, point)), point)


def _indexed(data: Letters, parts: list[Array], point: Values) -> Array:
    """Multiply entries and sum over the letters that the array in brackets lacks."""
    sizes = {letter: point.size(size) for letter, size in data.sizes if letter != "1"} | {"1": 1}
    number = {letter: place for place, letter in enumerate(sizes)}
    arguments: list[Any] = []
    for part, letters in zip(parts, data.entries, strict=True):
        arguments += [as_array(part, [sizes[letter] for letter in letters], point), letters]
    for one, other in data.deltas:
        arguments += [as_array(_identity(sizes[one], [], point), (sizes[one], sizes[other]), point), (one, other)]
    for letter in data.out:
        arguments += [as_array(_filled(1)((sizes[letter],), [], point), (sizes[letter],), point), (letter,)]
    if not arguments:
        return _filled(1)((), [], point)
    arguments = [[number[k] for k in given] if isinstance(given, tuple) else given for given in arguments]
    lettered = list(dict.fromkeys(data.out))
    value = np.einsum(*arguments, [number[letter] for letter in lettered]) + point.context.mpf(0)
    return as_matrix(np.asarray(value, dtype=object).reshape([sizes[letter] for letter in data.out]), point)


OPERATIONS: dict[str, Operation] = {
    "labelled": lambda data, parts, point: labelled_value(data[0], data[1], point, value_of=value_of),
    "value": lambda data, parts, point: as_matrix(point.array(data), point),
    "adjoint": lambda data, parts, point: as_matrix(point.adjoint(data), point),
    "partial": lambda data, parts, point: as_matrix(point.partial(*data), point),
    "by_entries": lambda data, parts, point: as_matrix(parts[0].reshape(_sizes(data, point)), point),
    "jacobian": _jacobian,
    "second": _second,
    "chain": lambda data, parts, point: _chain(data[0], data[1], point),
    "slope": _slope,
    "number": _number,
    "size": lambda data, parts, point: as_matrix(point.context.mpf(point.size(data)), point),
    "ones": _filled(1),
    "zeros": _filled(0),
    "identity": _identity,
    "commutation": _commutation,
    "negative": lambda data, parts, point: -parts[0],
    "transpose": _transpose,
    "product": _product,
    "entrywise": _entrywise,
    "sum": _sum,
    "power": _power,
    "entrywise_power": lambda data, parts, point: np.asarray(parts[0] ** data, dtype=object),
    "norm_squared": lambda data, parts, point: _total(parts[0] * parts[0], point),
    "inner": _inner,
    "diagonal_matrix": _diagonal_matrix,
    "diagonal": _diagonal,
    "trace": _trace,
    "vec": _vec,
    "kronecker": _kronecker,
    "apply": _apply,
    "broadcast": _broadcast,
    "reshaped": _reshaped,
    "indexed": _indexed,
}
"""Each operation of a meaning by its name: a function of what belongs to it, the values of its parts, and the point."""
