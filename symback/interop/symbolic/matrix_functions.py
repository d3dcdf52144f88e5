"""How SymPy writes operations on whole matrices: inverses, determinants, parts, blocks."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sympy
from sympy.matrices.expressions.matexpr import MatrixElement

from symback.errors.symbolic_matrices import no_matrix
from symback.interop.symbolic.matrix_products import matmul, plus, trace
from symback.interop.symbolic.symmetry import determinant_of

Resized = Callable[[Sequence[Any]], tuple[sympy.Expr, sympy.Expr]]
"""From the shape of a node to that of its matrix."""

MOST_FACTORS = 32
"""Of so many entries a product is written out."""

Write = Callable[[Any, Sequence[Any], Resized], sympy.Basic]
"""From a node, its operands as matrices and scalars, and the shapes."""


def _inverse(node: Any, operands: Sequence[Any], shape: Resized) -> sympy.Basic:
    return sympy.Inverse(operands[0])


def _solution(node: Any, operands: Sequence[Any], shape: Resized) -> sympy.Basic:
    return matmul(sympy.Inverse(operands[0]), operands[1])


def _power(node: Any, operands: Sequence[Any], shape: Resized) -> sympy.Basic:
    matrix, factor, exponent, *directions = operands
    if directions:
        raise no_matrix(node, "SymPy has no sum over the places in a power with a symbol for its exponent")
    return matmul(factor, matrix**exponent)


def _determinant(node: Any, operands: Sequence[Any], shape: Resized) -> sympy.Basic:
    return determinant_of(operands[0])


def _det_gradient(node: Any, operands: Sequence[Any], shape: Resized) -> sympy.Basic:
    """Write cofactors by the inverse, which SymPy has, and their derivative along a direction."""
    matrix, *directions = operands
    scale, inverse = determinant_of(matrix), sympy.Inverse(matrix).T
    if not directions:
        return matmul(scale, inverse)
    if len(directions) > 1:
        raise no_matrix(node, "it is a third derivative of a determinant")
    (along,) = directions
    slope = trace(matmul(sympy.Inverse(matrix), along))
    return plus(matmul(scale, slope, inverse), matmul(sympy.S.NegativeOne, scale, inverse, along.T, inverse))


def _slice(node: Any, operands: Sequence[Any], shape: Resized) -> sympy.Basic:
    """Write an entry, or rows and columns with a step."""
    (matrix,), (places,) = operands, node.operation.parameters
    picked = [_resized(place, shape) for place in _of_two(node.operands[0], matrix, places)]
    sizes = matrix.shape
    if all(_is_one(place) for place in picked):
        return MatrixElement(matrix, *picked)
    bounds = [
        (place, place + 1, 1) if _is_one(place) else (0, size, 1) if place is None else place
        for place, size in zip(picked, sizes, strict=True)
    ]
    if all(bound == (0, size, 1) for bound, size in zip(bounds, sizes, strict=True)):
        return matrix
    if 0 in node.shape:
        return sympy.ZeroMatrix(*shape(node.shape))
    if any(bound[2] < 0 for bound in bounds):
        raise no_matrix(node, "SymPy's slices do not go backwards")
    part = sympy.MatrixSlice(matrix, *bounds)
    return part.T if _is_one(picked[0]) and not _is_one(picked[1]) and node.ndim == 1 else part


def _is_one(place: Any) -> bool:
    """Is this one row or column, by a number or a size, and no slice?"""
    return place is not None and not isinstance(place, tuple)


def _resized(place: Any, shape: Resized) -> Any:
    """Write the symbolic sizes in an index or a slice as the symbols one began with."""
    if isinstance(place, tuple):
        return (*shape(place[:2]), place[2])
    return place if place is None or isinstance(place, int) else shape((place,))[0]


def _of_two(operand: Any, matrix: Any, places: Sequence[Any]) -> list[Any]:
    """Return one place for each axis of the matrix; that of a vector has a column."""
    full = [None] * (len(operand.shape) - len(places)) + list(places)
    return full if len(full) == 2 else [*full, 0 if isinstance(full[0], int) else None]


def _unslice(node: Any, operands: Sequence[Any], shape: Resized) -> sympy.Basic:
    """Write what is put into zeros as a block between zeros."""
    places, _ = node.operation.parameters
    rows, columns = shape(node.shape)
    value = operands[0] if operands[0].is_Matrix else sympy.ImmutableDenseMatrix([[operands[0]]])
    spans = []
    taken = [_resized(place, shape) for place in _of_two(node, None, places)]
    for place, size in zip(taken, (rows, columns), strict=True):
        first, stop, step = (0, size, 1) if place is None else (place, place + 1, 1) if _is_index(place) else place
        if step != 1:
            raise no_matrix(node, "it fills every second row or column, or further apart ones")
        spans.append((first, sympy.sympify(stop - first, strict=True), size - stop))
    if value.shape == (spans[1][1], spans[0][1]) != (spans[0][1], spans[1][1]):
        value = value.T
    if all(size.is_Integer for span in spans for size in map(sympy.sympify, span)) and isinstance(
        value, sympy.MatrixBase
    ):
        return _explicit(value, spans, (rows, columns))
    return _between_zeros(value, spans)


def _is_index(place: Any) -> bool:
    return not isinstance(place, tuple)


def _explicit(value: Any, spans: Sequence[Any], shape: tuple[Any, Any]) -> sympy.Basic:
    first = [int(span[0]) for span in spans]
    entries = {(i + first[0], j + first[1]): value[i, j] for i in range(value.rows) for j in range(value.cols)}
    zeros = sympy.zeros(int(shape[0]), int(shape[1]))
    for place, entry in entries.items():
        zeros[place] = entry
    return zeros.as_immutable()


def _between_zeros(value: Any, spans: Sequence[Any]) -> sympy.Basic:
    kept = [[(place, size) for place, size in enumerate(span) if size != 0] for span in spans]
    blocks = [
        [value if row == column == 1 else sympy.ZeroMatrix(height, width) for column, width in kept[1]]
        for row, height in kept[0]
    ]
    return value if len(blocks) == len(blocks[0]) == 1 else sympy.BlockMatrix(blocks)


def _joined(node: Any, operands: Sequence[Any], shape: Resized) -> sympy.Basic:
    """Write arrays in a row or a column as blocks."""
    axis = node.operation.parameters[0] % node.ndim
    return sympy.BlockMatrix([operands]) if axis == 1 else sympy.BlockMatrix([[block] for block in operands])


def _stacked(node: Any, operands: Sequence[Any], shape: Resized) -> sympy.Basic:
    """Write numbers as a column, columns as columns or rows."""
    if not any(operand.is_Matrix for operand in operands):
        return sympy.ImmutableDenseMatrix([[operand] for operand in operands])
    axis = node.operation.parameters[0] % node.ndim
    if axis == 1:
        return sympy.BlockMatrix([operands])
    return sympy.BlockMatrix([[operand.T] for operand in operands])


def _reshaped(node: Any, operands: Sequence[Any], shape: Resized) -> sympy.Basic:
    """Write an explicit matrix in another shape; of others only rows and columns can change into one another."""
    (matrix,), (rows, columns) = operands, shape(node.shape)
    if not node.shape:
        return trace(matrix) if matrix.is_Matrix else matrix
    if not matrix.is_Matrix:
        return matmul(matrix, sympy.OneMatrix(1, 1))
    if isinstance(matrix, sympy.MatrixBase):
        return matrix.reshape(int(rows), int(columns)).as_immutable()
    if matrix.shape == (rows, columns):
        return matrix
    if matrix.shape == (columns, rows) and 1 in (rows, columns):
        return matrix.T
    raise no_matrix(node, "SymPy's matrix expressions have no reshape")


def _eye(node: Any, operands: Sequence[Any], shape: Resized) -> sympy.Basic:
    """Write the ones on a diagonal: as an identity, or entry by entry where the sizes are numbers."""
    (rows, columns), offset = shape(node.shape), node.operation.parameters[2]
    if rows == columns and offset == 0:
        return sympy.Identity(rows)
    return _filled(node, (rows, columns), lambda i, j: int(j - i == offset))


def _arange(node: Any, operands: Sequence[Any], shape: Resized) -> sympy.Basic:
    return _filled(node, shape(node.shape), lambda i, j: i)


def _multiplied(node: Any, operands: Sequence[Any], shape: Resized) -> sympy.Basic:
    """Write the product of the entries of a column, whose size is a number."""
    return sympy.Mul(*_factors(node, operands[0]))


def _others(node: Any, operands: Sequence[Any], shape: Resized) -> sympy.Basic:
    """Write a column: for each entry of another the product of its other entries."""
    factors = _factors(node, operands[0])
    others = [sympy.Mul(*factors[:place], *factors[place + 1 :]) for place in range(len(factors))]
    return sympy.ImmutableDenseMatrix(len(factors), 1, others)


def _factors(node: Any, column: Any) -> list[sympy.Expr]:
    (size, *more) = node.operands[0].shape
    if more or not isinstance(size, int) or size > MOST_FACTORS:
        raise no_matrix(node, f"a product of entries is written for up to {MOST_FACTORS} entries of a vector")
    return [column[place, 0] for place in range(size)]


def _filled(node: Any, sizes: Sequence[Any], entry: Callable[[int, int], int]) -> sympy.Basic:
    if not all(size.is_Integer for size in sizes):
        raise no_matrix(node, "it has entries one by one, and its size is symbolic: put a number in for the size")
    return sympy.ImmutableDenseMatrix(*map(int, sizes), lambda i, j: entry(int(i), int(j)))


FUNCTIONS: Mapping[str, Write] = {
    "inv_of": _inverse,
    "inverse_or_inf": _inverse,
    "solution": _solution,
    "power_of_matrix": _power,
    "integer_exponent": lambda node, operands, shape: operands[0],
    "det_of": _determinant,
    "det_gradient": _det_gradient,
    "det_sign": lambda node, operands, shape: sympy.sign(determinant_of(operands[0])),
    "log_det": lambda node, operands, shape: sympy.log(determinant_of(operands[0])),
    "logabsdet": lambda node, operands, shape: sympy.log(sympy.Abs(determinant_of(operands[0]))),
    "kron_of": lambda node, operands, shape: sympy.KroneckerProduct(*operands),
    "slice_of": _slice,
    "unslice": _unslice,
    "concatenate_along": _joined,
    "stack_along": _stacked,
    "eye_of": _eye,
    "arange_to": _arange,
    "reshape_to": _reshaped,
    "prod_over": _multiplied,
    "product_of_others": _others,
}
"""What operations on whole matrices become, by the name of the primitive."""
