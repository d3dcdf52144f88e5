"""Messages about arrays that are cut, joined, repeated or padded."""

from collections.abc import Sequence
from typing import Any

from symback.errors.kinds import DtypeError, ShapeError, UsageError
from symback.errors.words import listed, show


def unsupported_value(operation: str, keyword: str, value: object, cure: str) -> UsageError:
    """A keyword with a value that NumPy has and symback has not."""
    return UsageError(f"{operation}: {keyword}={str(value)[:40]!r} is not supported; {cure}")


def no_known_integers(operation: str, argument: str, given: object) -> UsageError:
    """An argument that must consist of integers when the graph is built."""
    return UsageError(
        f"{operation}: {argument}={str(given)[:60]} is not made of integers that are known when the graph is built"
    )


def wrong_count(operation: str, node: Any, argument: str, found: object, wanted: object) -> ShapeError:
    """A sequence of another length than the operand asks for."""
    return ShapeError(f"{operation}: {argument} has {found} entries for {show(node)}, wanted {wanted}")


def unequal_parts(operation: str, node: Any, axis: int, parts: int) -> ShapeError:
    """An axis that cannot be cut into equal parts."""
    size = node.shape[axis]
    if isinstance(size, int):
        cure = "use sb.array_split for parts that differ, or give the positions of the cuts"
    else:
        cure = (
            f"whether {parts} divides {size} is not known when the graph is built: write the size as {parts} times "
            f"another (such as {parts}*m), or give the positions of the cuts"
        )
    return ShapeError(f"{operation}: axis {axis} of {show(node)} cannot be cut into {parts} equal parts; {cure}")


def unknown_parts(operation: str, node: Any, axis: int) -> ShapeError:
    """A cut or a count that depends on a symbolic size in a way that no size can be written for."""
    return ShapeError(
        f"{operation}: what comes out depends on the symbolic size {node.shape[axis]} of axis {axis} of {show(node)}; "
        "give the axis an integer size, or write slices x[start:stop] with bounds such as n - 1"
    )


def position_out_of_range(operation: str, node: Any, axis: int, position: object) -> ShapeError:
    """A position outside of an axis."""
    return ShapeError(f"{operation}: position {position} is out of range for axis {axis} of {show(node)}")


def empty_border(node: Any, axis: int, mode: str) -> ShapeError:
    """Padding by entries of an axis that has none."""
    return ShapeError(
        f"pad: axis {axis} of {show(node)} is empty, mode {mode!r} has nothing to repeat; use mode 'constant'"
    )


def lossy_conversion(operation: str, node: Any, dtype: object) -> DtypeError:
    """A conversion that would lose and that NumPy makes silently, or refuses."""
    return DtypeError(
        f"{operation}: {node.short()} has dtype {node.dtype}, which {dtype} does not hold; convert with .astype(...)"
    )


def bad_stack(nodes: Sequence[Any]) -> ShapeError:
    """Operands of stack that differ in shape."""
    return ShapeError(f"stack: {listed(nodes)} must have one shape")


def unequal_depth(operation: str) -> ShapeError:
    """Nested lists that are not all nested to one depth."""
    return ShapeError(f"{operation}: lists must be nested to the same depth everywhere, and none may be empty")


def no_symbolic_number(operation: str, value: object) -> UsageError:
    """A number that must be known when the graph is built."""
    return UsageError(
        f"{operation}: {str(value)[:40]} must be a number known when the graph is built (integers of sb.arange may be "
        "symbolic sizes); for other values give the array as an input, sb.tensor(...)"
    )


def too_few_samples(operation: str, node: Any, axis: int) -> ShapeError:
    """A slope of fewer than two samples."""
    return ShapeError(f"{operation}: axis {axis} of {show(node)} needs at least 2 samples")
