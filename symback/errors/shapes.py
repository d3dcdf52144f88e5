"""Messages about shapes, axes, sizes and dtypes."""

from collections.abc import Iterable, Sequence
from typing import Any

from symback.errors.kinds import DtypeError, ShapeError
from symback.errors.words import listed, show, show_shape


def no_broadcast(operation: str, nodes: Sequence[Any], left: object, right: object) -> ShapeError:
    """Operands whose shapes do not broadcast."""
    hint = (
        "sizes must be equal or literally 1"
        if isinstance(left, int) and isinstance(right, int)
        else "a symbolic size broadcasts only against itself or a literal 1; give both the same size name"
    )
    return ShapeError(f"{operation}: cannot broadcast {listed(nodes)}: size {left} against {right} ({hint})")


def label_mismatch(operation: str, nodes: Sequence[Any], left: object, right: object) -> ShapeError:
    """Contracted axes of different size."""
    return ShapeError(
        f"{operation}: {listed(nodes)} do not fit: size {left} meets {right}; "
        "transpose an operand or give both axes the same size"
    )


def wrong_rank(operation: str, node: Any, wanted: str) -> ShapeError:
    """An operand with the wrong number of axes."""
    return ShapeError(f"{operation}: {show(node)} has {len(node.shape)} axes, wanted {wanted}")


def bad_axis(operation: str, node: Any, axis: object) -> ShapeError:
    """An axis that the operand does not have, or one that is named twice."""
    rank = len(node.shape)
    return ShapeError(
        f"{operation}: axis {axis} is out of range or repeated for {show(node)}; "
        f"axes are distinct integers from {-rank} to {rank - 1}"
    )


def bad_reshape(node: Any, shape: Iterable[object]) -> ShapeError:
    """A reshape that changes the number of entries."""
    return ShapeError(
        f"reshape: {show(node)} cannot become {show_shape(shape)}: the number of entries differs "
        "(or cannot be shown equal for these symbolic sizes)"
    )


def bad_size(size: object) -> ShapeError:
    """Something that is no size."""
    return ShapeError(
        f"{size!r} is no size: use an integer >= 0, the name of a symbolic size such as 'n', "
        "or a polynomial of such sizes with integer coefficients"
    )


def bad_index(node: Any, index: object, reason: str) -> ShapeError:
    """An index that basic slicing cannot take."""
    return ShapeError(f"indexing {show(node)} with {index!r}: {reason}")


def bad_concatenate(nodes: Sequence[Any], axis: int) -> ShapeError:
    """Operands of concatenate that differ outside the joined axis."""
    return ShapeError(f"concatenate along axis {axis}: {listed(nodes)} must agree in every other axis")


def empty_reduction(operation: str, node: Any) -> ShapeError:
    """A reduction without identity over no entries."""
    return ShapeError(
        f"{operation}: {show(node)} has no entries along the reduced axes and {operation} has no identity"
    )


def bad_subscripts(subscripts: object, reason: str) -> ShapeError:
    """An einsum pattern that is malformed."""
    return ShapeError(f"einsum {subscripts!r}: {reason}")


def empty_sequence(operation: str) -> ShapeError:
    """An operation on a list of operands that got none."""
    return ShapeError(f"{operation} needs at least one operand")


def no_sequence(operation: str, given: object, wanted: str) -> ShapeError:
    """One value where several are needed."""
    return ShapeError(f"{operation}: {str(given)[:40]} is no list or tuple of {wanted}; put them into one")


def operand_dtype(operation: str, node: Any, wanted: str) -> DtypeError:
    """An operand whose dtype the operation cannot take."""
    return DtypeError(f"{operation}: {node.short()} has dtype {node.dtype}, wanted {wanted}; convert with .astype(...)")


def integer_overflow(value: int) -> DtypeError:
    """An exact integer that no 64-bit integer holds."""
    if abs(value) < 2**1023:
        return DtypeError(f"the integer {value} does not fit int64; use a float (for example {float(value)!r})")
    return DtypeError("an integer constant is too large for any dtype")


def integer_out_of_range(operation: str, value: object, dtype: object) -> DtypeError:
    """A Python integer that the dtype it is combined with cannot hold (NumPy refuses it too)."""
    return DtypeError(
        f"{operation}: the integer {str(value)[:40]} does not fit {dtype}; use a float, or convert with .astype(...)"
    )
