"""Messages about indices, masks and writes to parts of an array."""

from typing import Any

from symback.errors.kinds import DtypeError, InputError, ShapeError
from symback.errors.words import show, show_shape


def index_out_of_range(node: Any, place: int, size: object) -> ShapeError:
    """An index that is known when the graph is built, beyond the end of its axis."""
    return ShapeError(f"indexing {show(node)}: {place} is out of range for an axis of size {size}")


def index_dtype(node: Any, index: Any) -> DtypeError:
    """An array of indices that are no integers."""
    return DtypeError(
        f"indexing {show(node)} with an array of dtype {index.dtype}: indices are integers (convert with "
        ".astype('int64')) or a mask of bools"
    )


def mask_index(operation: str, mask: Any) -> ShapeError:
    """A mask whose entries are not known when the graph is built."""
    return ShapeError(
        f"{operation} with the mask {show(mask)}: how many entries it takes depends on values; use "
        "sb.where(mask, x, 0), and sb.sum(sb.where(mask, x, 0)) for the sum of x[mask]; a NumPy array of bools is fine"
    )


def mask_shape(node: Any, mask: Any, sizes: object) -> ShapeError:
    """A mask that does not have the shape of the axes it stands for."""
    return ShapeError(
        f"indexing {show(node)} with a mask of shape {show_shape(mask.shape)}: the axes it stands for have the sizes "
        f"{sizes}; give the mask that shape"
    )


def bad_write(operation: str, node: Any, shape: Any, value: Any) -> ShapeError:
    """A value that does not go into the part it is written to."""
    return ShapeError(
        f"{operation}: {show(value)} does not broadcast to the part of {show(node)} that is written, which has shape "
        f"{show_shape(shape)}"
    )


def write_dtype(operation: str, node: Any, value: Any) -> DtypeError:
    """A value whose dtype would lose by being written into an array."""
    return DtypeError(
        f"{operation}: a value of dtype {value.dtype} would be cut off in {show(node)} of dtype {node.dtype}; convert "
        f"the array with .astype('{value.dtype}') first"
    )


def unknown_count(operation: str, node: Any, count: object) -> ShapeError:
    """A function of the number of entries, which is not known when the graph is built."""
    return ShapeError(
        f"{operation}: {show(node)} has {count} entries along the axes, and which of them are in the middle is decided "
        "when the graph is built; give these axes integer sizes"
    )


def bad_quantile(level: object) -> InputError:
    """A level that is none."""
    return InputError(f"quantile: the level {level!r} is no number from 0 to 1 (a percentile: from 0 to 100)")
