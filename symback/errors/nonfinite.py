"""Messages of `nan_trace`."""

from symback.errors.kinds import InputError, UsageError


def not_callable(value: object) -> UsageError:
    """Something that cannot be called."""
    kind = type(value).__name__
    return UsageError(
        f"nan_trace: a {kind} cannot be run; give a function, such as sb.lambdify makes of a graph, and its inputs"
    )


def not_run(name: str, kind: str) -> UsageError:
    """A function whose body does not run when it is called."""
    return UsageError(f"nan_trace: {name} is {kind}, whose body does not run when it is called; give a function of it")


def wrong_inputs(name: str, reason: str, wanted: str) -> InputError:
    """Inputs that the function does not take."""
    return InputError(
        f"nan_trace: the inputs do not fit {name}{wanted}: {reason}; give a list in the order of the arguments, "
        "or a dict by their names"
    )
