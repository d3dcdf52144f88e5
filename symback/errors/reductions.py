"""Messages about reductions and scans."""

from typing import Any

from symback.errors.kinds import DtypeError, ShapeError, UsageError
from symback.errors.words import show, show_shape


def no_result_dtype(operation: str, dtype: object, wanted: str) -> DtypeError:
    """A ``dtype=`` in which a reduction is not computed."""
    return DtypeError(
        f"{operation}: dtype={dtype!s} is not supported, use {wanted}; convert the result with .astype(...)"
    )


def no_scalar_option(operation: str, option: str, node: Any) -> ShapeError:
    """An array where a reduction wants a number."""
    return ShapeError(f"{operation}: {option}= must be a number or a node of shape (), not {show(node)}")


def where_without_initial(operation: str) -> UsageError:
    """``where=`` in a reduction that has no value over no entries."""
    return UsageError(f"{operation}: where= needs initial=, the value where no entry is taken (as in NumPy)")


def bad_where(operation: str, node: Any, mask: Any) -> ShapeError:
    """A mask that does not broadcast to what is reduced."""
    return ShapeError(
        f"{operation}: where={show(mask)} must broadcast to the shape {show_shape(node.shape)} of {node.short()}"
    )


def bad_ddof(operation: str, value: object) -> UsageError:
    """What is subtracted from the number of entries, and is no integer."""
    return UsageError(f"{operation}: ddof={value!r} must be an integer; scale the result for another divisor")


def ddof_twice(operation: str) -> UsageError:
    """Both names of one option."""
    return UsageError(f"{operation}: ddof= and correction= are two names of one option; give one of them")


def bad_weights(node: Any, weights: Any, axis: object) -> ShapeError:
    """Weights that do not belong to the axes of an average."""
    return ShapeError(
        f"average: weights {show(weights)} fit neither the shape of {show(node)} nor its axis={axis}; give weights "
        "of the shape of the array, or axis= and one weight for each place along it"
    )


def axis_needed(operation: str, node: Any) -> ShapeError:
    """A function that takes arrays of several axes only with `axis`."""
    return ShapeError(f"{operation}: {show(node)} has {len(node.shape)} axes; say along which with axis=")
