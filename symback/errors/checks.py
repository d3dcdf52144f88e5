"""Messages of the oracle, the gradient checker and the generic tests of a primitive."""

from collections.abc import Iterable
from typing import Any

from symback.errors.kinds import (
    CheckFailedError,
    GradientMismatchError,
    InconsistentGraphError,
    InputError,
    ShapeError,
    SymbackError,
    UsageError,
)
from symback.errors.words import show_shape


def inconsistent_graph(node: Any, shape: object, dtype: object, found_shape: object, found: object) -> SymbackError:
    """A value that has not the declared shape or dtype."""
    return InconsistentGraphError(
        f"evaluate: {node.short()} declares {shape} of {dtype}, but its value is {found_shape} of {found}; "
        "correct the signature or the value of the primitive"
    )


def no_evaluation(kind: str) -> SymbackError:
    """A kind of node that the oracle does not know."""
    return InputError(f"evaluate: no rule for nodes of class {kind}; add one to symback/check/evaluate.py")


def no_high_precision(primitive: str) -> SymbackError:
    """A primitive that was declared without its mpmath function."""
    return InputError(
        f"{primitive} has no value in high precision: declare mpmath=..., "
        "a name in mpmath or a function of (mp, scalars) (in a class of SymPy's, _eval_evalf)"
    )


def gradient_mismatch(name: str, entry: str, given: float, differences: float, tolerance: float) -> SymbackError:
    """A gradient that differs from finite differences by more than their error."""
    return GradientMismatchError(
        f"check_grad: the gradient by {name} is wrong at {entry}: it is {given:.9g}, finite differences "
        f"give {differences:.9g} (tolerance {tolerance:.1e}); look at the derivative rules between it and the loss"
    )


def no_finite_point(loss: Any) -> SymbackError:
    """A loss that is not finite at the points that were drawn."""
    return InputError(
        f"check_grad: {loss.short()} is not finite at any of the random points tried; give a point by at=..."
    )


def check_arguments(reason: str) -> SymbackError:
    """Arguments of check_grad that do not go together."""
    return UsageError(f"check_grad: {reason}; use check_grad(loss, wrt, at=...) or check_grad(fun=f, grad=g, at=array)")


def gradient_shape(name: str, wanted: Iterable[object], found: Iterable[object]) -> ShapeError:
    """A gradient that does not have the shape of its variable."""
    return ShapeError(f"check_grad: the gradient by {name} has shape {show_shape(found)}, wanted {show_shape(wanted)}")


def check_failed(primitive: str, case: str, check: str, detail: str) -> SymbackError:
    """A primitive that fails a generic test."""
    return CheckFailedError(f"primitive {primitive!r} fails the check {check!r} on {case}: {detail}")


def unknown_primitive(name: object) -> SymbackError:
    """A name that is not in the registry."""
    return InputError(f"check_primitive: no primitive {name!r} is declared")


def no_digits(name: str) -> InputError:
    """A variable that the method "mpmath" cannot judge."""
    return InputError(
        f'check_grad: the gradient by {name} cannot be checked by "mpmath": it takes a graph each of whose primitives '
        'has a value in high precision (declare mpmath=...); use methods="five-point"'
    )


def unknown_method(name: object, known: Iterable[str]) -> UsageError:
    """A method that is not in the table."""
    return UsageError(f"check_grad: there is no method {name!r}; choose from {', '.join(known)}")


def bad_order(order: object) -> UsageError:
    """An order of differentiation other than 1 and 2."""
    return UsageError(f"check_grad: order={order!r} is not supported; use order=1 or order=2")


def computed_binding(node: Any) -> InputError:
    """A value for a node that is computed from others."""
    return InputError(
        f"check_grad: at=... gives a value for {node.short()}, which is computed from other nodes; give values of "
        "variables (to check the gradient by an intermediate node name it in wrt)"
    )


def gradient_dtype(name: str, found: object) -> InputError:
    """A gradient that holds no real numbers."""
    return InputError(f"check_grad: the gradient by {name} has dtype {found}; it must hold real numbers")


def missing_claim(name: str, known: Iterable[object]) -> InputError:
    """A gradient given as a dict that lacks a variable."""
    return InputError(f"check_grad: the gradient by {name} is missing; the given dict has {', '.join(map(str, known))}")


def no_identity(name: str, method: str) -> InputError:
    """An identity asked of what is not a graph with a symbolic gradient."""
    return InputError(
        f"check_grad: the gradient by {name} cannot be checked by {method!r}: it takes a graph and its symbolic "
        'gradient; use methods="five-point"'
    )


def order_two(what: str) -> UsageError:
    """Second derivatives of something that is not a graph."""
    return UsageError(f"check_grad: order=2 takes a graph and its symbolic derivatives, not {what}; leave it out")
