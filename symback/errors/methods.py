"""Messages of the methods that a gradient is checked with: the complex step, and plain functions."""

from collections.abc import Iterable, Sequence
from typing import Any

from symback.errors.kinds import InputError, ShapeError, UsageError
from symback.errors.words import show_shape


def not_analytic_at(node: Any, variable: Any) -> UsageError:
    """A complex step through something that is not analytic."""
    return UsageError(
        f"check_grad: the complex step by {variable.short()} needs an analytic function, and {node.short()} is not"
        " analytic; ask for another method: methods='five-point'"
    )


def nothing_moves(names: Sequence[str]) -> InputError:
    """A point without an argument that is a float."""
    return InputError(
        f"check_grad: at=... gives {', '.join(names) or 'no arguments'}, and none is a float or an array of floats; "
        "give the variables as arrays of floats"
    )


def point_dtype(name: str, found: object) -> InputError:
    """An argument that cannot be moved."""
    return InputError(
        f"check_grad: {name} has dtype {found}, and cannot be moved by small steps; give an array of float64 or float32"
    )


def function_fails(which: str, error: Exception) -> InputError:
    """A function that raises at the point itself."""
    return InputError(f"check_grad: {which} raises {type(error).__name__} at the point: {error}")


def function_not_finite(value: object) -> InputError:
    """A function that has no value at the point."""
    return InputError(f"check_grad: fun is {value} at the point; give one by at=... where it is finite")


def function_dtype(found: object) -> InputError:
    """A function that does not return a real number."""
    return InputError(f"check_grad: fun returns {found}; it must return a real number")


def function_shape(found: Iterable[object]) -> ShapeError:
    """A function that returns an array."""
    return ShapeError(f"check_grad: fun returns shape {show_shape(found)}; it must return a single number, as sums do")


def no_pair(found: object) -> InputError:
    """A function that returns no gradient where one was announced."""
    return InputError(f"check_grad: grad=True says that fun returns (value, gradient), but it returns {found}")


def claim_shape(name: str, wanted: Iterable[object], found: Iterable[object]) -> ShapeError:
    """A gradient that does not have the shape of its argument."""
    return ShapeError(f"check_grad: the gradient by {name} has shape {show_shape(found)}, wanted {show_shape(wanted)}")


def claim_dtype(name: str, found: object) -> InputError:
    """A gradient that holds no real numbers."""
    return InputError(f"check_grad: the gradient by {name} is {found}; it must hold real numbers")


def claim_count(names: Sequence[str], found: int) -> InputError:
    """A gradient with another number of parts than there are arguments."""
    return InputError(
        f"check_grad: the gradient has {found} part{'s' if found != 1 else ''}, and {len(names)} arguments can be "
        f"moved: {', '.join(names)}"
    )


def claim_missing(name: str, known: Sequence[str]) -> InputError:
    """A gradient that lacks an argument."""
    return InputError(
        f"check_grad: the gradient by {name} is missing; it has parts for {', '.join(known) or 'nothing'}"
    )
