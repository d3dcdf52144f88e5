"""Messages about update rules, and about functions that write to their arguments."""

from typing import Any

from symback.errors.kinds import DerivativeError, DtypeError, InputError, InvalidNameError, ShapeError, UsageError
from symback.errors.words import show


def not_updates(given: object) -> UsageError:
    """Updates that are no mapping."""
    return UsageError(
        f"lambdify: updates is given as {type(given).__name__}; give a dict from variables to their new values, "
        "such as sb.optim.sgd(loss, parameters) returns"
    )


def not_updated(node: Any) -> InputError:
    """A key of updates that is no variable."""
    return InputError(f"lambdify: {node.short()} cannot be updated: it is no variable; only arguments are written to")


def updated_twice(name: str) -> InputError:
    """One variable with two new values."""
    return InputError(f"lambdify: {name!r} stands twice in updates; give it one new value")


def updated_no_input(name: str) -> InputError:
    """An updated variable that is no argument."""
    return InputError(
        f"lambdify: {name} is updated, but is not among the inputs; add it (inputs=[..., *updates] adds all)"
    )


def updated_shape(node: Any, new: Any) -> ShapeError:
    """A new value of another shape."""
    return ShapeError(
        f"lambdify: {show(node)} is updated with {show(new)}; a new value has the shape of what it replaces"
    )


def updated_dtype(node: Any, new: Any) -> DtypeError:
    """A new value of another dtype."""
    return DtypeError(
        f"lambdify: {show(node)} is {node.dtype}, and its new value {new.dtype}; what is written must not be rounded "
        f"unseen: convert it with .astype({node.dtype.name!r}), or declare the other variables {node.dtype}"
    )


def not_a_parameter(operation: str, node: Any) -> UsageError:
    """What is to be trained and is no variable."""
    what = show(node) if hasattr(node, "short") else repr(node)
    return UsageError(f"{operation}: {what} is no variable; parameters are made by sb.tensor")


def parameter_dtype(operation: str, node: Any) -> DtypeError:
    """A parameter that has no gradient."""
    return DtypeError(f"{operation}: {show(node)} is {node.dtype}; only float variables can be trained")


def no_parameters(operation: str) -> InputError:
    """Nothing to train."""
    return InputError(f"{operation}: there are no parameters; give variables, or a dict from variables to gradients")


def repeated_parameter(operation: str, name: str) -> InputError:
    """A parameter that is listed twice."""
    return InputError(f"{operation}: the parameter {name!r} is listed twice")


def loss_without_parameters(operation: str) -> UsageError:
    """A loss, but not what it is differentiated by."""
    return UsageError(f"{operation}: params is missing; name the variables to train, or give a dict of gradients")


def untrained(operation: str, parameter: Any) -> DerivativeError:
    """A parameter that the loss does not depend on."""
    return DerivativeError(
        f"{operation}: the loss does not depend on {show(parameter)}; leave it out of params, "
        "or give a dict of gradients"
    )


def missing_gradient(operation: str, name: str) -> InputError:
    """A parameter without a gradient among those that are given."""
    return InputError(f"{operation}: there is no gradient for {name!r} among those given")


def rule_gradient_shape(operation: str, node: Any, gradient: Any) -> ShapeError:
    """A gradient of another shape than its parameter."""
    return ShapeError(f"{operation}: the gradient {show(gradient)} is not of the shape of {show(node)}")


def bad_rate(operation: str, option: str, value: object, wanted: str) -> InputError:
    """A constant of an update rule that makes no sense."""
    return InputError(f"{operation}: {option}={value!r} must be {wanted}, or a scalar node")


def rate_shape(operation: str, option: str, node: Any) -> ShapeError:
    """A constant of an update rule that has axes."""
    return ShapeError(f"{operation}: {option} is {show(node)}; it must be a scalar of shape ()")


def rate_dtype(operation: str, option: str, node: Any) -> DtypeError:
    """A constant of an update rule that is no real number."""
    return DtypeError(f"{operation}: {option} is {show(node)} of {node.dtype}; it must be a float scalar")


def state_name_taken(operation: str, name: str, node: Any) -> InvalidNameError:
    """A name that the optimizer needs for its state."""
    return InvalidNameError(
        f"{operation}: {name!r} is the name of a variable of the optimizer's, and of {show(node)} of {node.dtype}; "
        "rename yours"
    )
