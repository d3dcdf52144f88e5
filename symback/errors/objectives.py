"""Messages about objectives: their parameters, their data, and the vectors they are called with."""

from collections.abc import Sequence
from typing import Any

from symback.errors.kinds import DtypeError, InputError, MemoryLimitError
from symback.errors.words import listed, show, show_shape


def composed(node: Any, count: int) -> str:
    """Say how many entries of a vector belong to a parameter."""
    return f"{show(node)} = {count}"


def no_value(nodes: Sequence[Any]) -> InputError:
    """Variables of the loss that are neither parameters nor data."""
    verb, kind, them = ("is", "a parameter", "it") if len(nodes) == 1 else ("are", "parameters", "them")
    other = "data" if len(nodes) > 1 else "in the data"
    return InputError(
        f"objective: the loss depends on {listed(nodes)}, which {verb} neither {kind} nor {other}; add {them} to one"
    )


def parameter_and_data(name: str) -> InputError:
    """A variable that is a parameter and has a value among the data."""
    return InputError(f"objective: {name} is a parameter, so the data must not have it; pack its value instead")


def parameter_twice(name: str) -> InputError:
    """A parameter that is listed twice."""
    return InputError(f"objective: the parameter {name} is listed twice")


def no_parameter(node: Any) -> InputError:
    """A parameter that is no variable."""
    return InputError(
        f"objective: {node.short()} is not a variable; give variables made by sb.tensor, SymPy symbols, or names"
    )


def no_data_variable(node: Any) -> InputError:
    """Data for something that is no variable."""
    return InputError(f"objective: {node.short()} is not a variable; data are given for variables, or by their names")


def unused_parameter(node: Any) -> InputError:
    """A parameter that the loss does not depend on."""
    return InputError(f"objective: the loss does not depend on {show(node)}; leave it out of the parameters")


def unknown_parameter_size(size: object, node: Any) -> InputError:
    """A parameter whose shape is not known yet."""
    return InputError(
        f"objective: the size {str(size)!r} of {show(node)} is not known, as no data have it; give it as "
        f"sizes={{{str(size)!r}: ...}}, or pack initial values first"
    )


def compound_size(node: Any, found: Sequence[int], axis: int, size: object, wanted: int) -> InputError:
    """A value with an axis that is not as long as sizes read elsewhere demand."""
    return InputError(
        f"{node.short()} has shape {show_shape(found)}: axis {axis} has size {found[axis]}, wanted {size} = {wanted}"
    )


def vector_shape(name: str, found: Sequence[int], wanted: int, composition: str) -> InputError:
    """A vector of parameters of another length, or with other axes."""
    return InputError(f"{name} has shape {show_shape(found)}, wanted ({wanted},): {composition}")


def no_vector(name: str, reason: object, composition: str) -> InputError:
    """Parameters of which NumPy makes no array, such as ragged lists."""
    return InputError(f"{name} is no vector of numbers: {reason}; wanted {composition}")


def vector_dtype(name: str, kind: str, wanted: object) -> DtypeError:
    """A vector of parameters that does not consist of real numbers."""
    return DtypeError(
        f"{name} is {kind}, wanted a vector of {wanted}; convert it with np.asarray({name}, {str(wanted)!r})"
    )


def wrong_values(given: Sequence[str], wanted: Sequence[str]) -> InputError:
    """Values for other parameters than there are."""
    missing = [name for name in wanted if name not in given]
    unknown = [name for name in given if name not in wanted]
    faults = [f"{', '.join(names)} {what}" for names, what in ((missing, "missing"), (unknown, "unknown")) if names]
    return InputError(f"pack: {'; '.join(faults)}; the parameters are {', '.join(wanted)}")


def wrong_structure(wanted: object, given: object) -> InputError:
    """Values that are not arranged as the parameters are."""
    return InputError(
        f"pack: the values are given as {type(given).__name__}; arrange them as {wanted}, or by the parameters' names"
    )


def large_hessian(size: int, itemsize: int, limit: int) -> MemoryLimitError:
    """A Hessian that the memory does not hold."""
    return MemoryLimitError(
        f"hess: the Hessian of {size} parameters takes {size**2 * itemsize:,} bytes, the limit is {limit:,}; use "
        "hessp, its product with a vector, or give a larger memory_limit"
    )
