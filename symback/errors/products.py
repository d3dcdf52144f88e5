"""Messages about products of tensors and linear algebra."""

from collections.abc import Sequence
from typing import Any

from symback.errors.kinds import ShapeError, UsageError
from symback.errors.words import listed, show


def bad_offset(operation: str, node: Any, offset: object) -> ShapeError:
    """The place of a diagonal that is no integer."""
    return ShapeError(
        f"{operation} of {show(node)}: the diagonal's place is an integer, 0 for the main one, not {offset!r}"
    )


def bad_cross(nodes: Sequence[Any]) -> ShapeError:
    """Operands of a cross product that are no vectors in space or in the plane."""
    return ShapeError(f"cross: {listed(nodes)} must have 3 entries along the axis of the vectors (or both 2)")


def empty_convolution(operation: str, node: Any) -> ShapeError:
    """A convolution with nothing."""
    return ShapeError(f"{operation}: {show(node)} has no entries; NumPy refuses it too")


def bad_mode(operation: str, mode: object) -> UsageError:
    """A mode that convolve and correlate do not have."""
    return UsageError(f"{operation}: mode {mode!r} is none; use 'full', 'same' or 'valid'")


def unknown_lengths(operation: str, nodes: Sequence[Any]) -> ShapeError:
    """A convolution whose shape depends on which of two symbolic sizes is larger."""
    return ShapeError(
        f"{operation}: the shape for {listed(nodes)} depends on which is longer; give sizes whose difference is "
        "known, or use mode='full' and slice"
    )


def not_square(operation: str, node: Any) -> ShapeError:
    """A stack of matrices that are not square."""
    return ShapeError(f"{operation}: {show(node)} is no square matrix (or stack of them): the last two sizes differ")


def unknown_rank(operation: str, node: Any) -> ShapeError:
    """A decomposition whose shape depends on which of two symbolic sizes is smaller."""
    return ShapeError(
        f"{operation}: which of the last two sizes of {show(node)} is smaller is not known; "
        "give one size in terms of the other, or integers"
    )


def wide_matrix(operation: str, node: Any) -> ShapeError:
    """A matrix with more columns than rows where the derivative needs full column rank."""
    return ShapeError(f"{operation}: {show(node)} has more columns than rows; decompose its transpose")


def bad_norm_order(operation: str, node: Any, order: object, axes: int) -> UsageError:
    """An order that the norm of a vector or a matrix does not have."""
    known = "a number, inf or -inf" if axes == 1 else "None, 'fro', 'nuc', 1, -1, 2, -2, inf or -inf"
    kind = "vectors" if axes == 1 else "matrices"
    return UsageError(f"{operation} of {show(node)} over {axes} axes: order {order!r} is none for {kind}; use {known}")


def norm_axes(operation: str, node: Any, axes: int) -> ShapeError:
    """A norm over a number of axes that has none."""
    return ShapeError(
        f"{operation} of {show(node)} over {axes} axes: a norm is over one axis or two; reshape, or leave ord out"
    )


def bad_exponent(operation: str, exponent: object) -> UsageError:
    """A power of a matrix that is no integer."""
    return UsageError(
        f"{operation}: the exponent is an integer, not {exponent!r}; for a symmetric matrix use sb.linalg.eigh: "
        "(V * w**p) @ V.T"
    )
