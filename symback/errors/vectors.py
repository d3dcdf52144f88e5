"""Messages about products with derivatives, and traces of them."""

from collections.abc import Iterable
from typing import Any

from symback.errors.kinds import DerivativeError, DtypeError, InputError, ShapeError
from symback.errors.words import listed, show


def no_outputs(operation: str) -> InputError:
    """An empty structure of outputs."""
    return InputError(f"{operation}: no outputs are given; name at least one to differentiate")


def other_structure(operation: str, what: str, place: str, wanted: str, given: str) -> InputError:
    """Vectors that are nested otherwise than what they belong to."""
    return InputError(
        f"{operation}: the vectors are nested otherwise than the {what}: {place}{wanted} is needed, but {given} was "
        "given; lists, tuples and dicts must have the same length or the same keys"
    )


def vector_dtype(operation: str, node: Any, vector: Any) -> DtypeError:
    """A vector that would lose digits in the dtype of what it belongs to."""
    return DtypeError(
        f"{operation}: the vector for {node.short()} has dtype {vector.dtype}, which does not go into {node.dtype} "
        f"without loss; convert it with .astype('{node.dtype}')"
    )


def past_the_output(operation: str, loss: Any, node: Any, outputs: Iterable[Any]) -> DerivativeError:
    """A loss that depends on a variable by other ways than the outputs of the model."""
    return DerivativeError(
        f"{operation}: the loss {loss.short()} depends on {show(node)} by other ways than the output "
        f"{listed(outputs)}, so its curvature is not all in the output; compute the loss from the output "
        "alone, without what penalises the variable itself (add sb.hvp of that), or take sb.hvp of all"
    )


def without_the_output(operation: str, loss: Any, output: Any) -> DerivativeError:
    """A loss that is not computed from an output."""
    return DerivativeError(
        f"{operation}: the loss {loss.short()} does not depend on the output {show(output)}; compute the loss from "
        "that very node"
    )


def field_shape(operation: str, field: Any, node: Any) -> ShapeError:
    """A vector field that has not the shape of what it is differentiated by."""
    return ShapeError(
        f"{operation}: the field {show(field)} has another shape than {show(node)}; it has one component for each "
        "coordinate (sb.jacobian takes any shapes)"
    )
