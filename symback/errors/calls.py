"""Messages about inputs, outputs and options of a call, and about emitted code."""

from collections.abc import Iterable, Sequence
from typing import Any

from symback.errors.kinds import DtypeError, InputError, ShapeError, UsageError
from symback.errors.words import show, show_shape


def bad_option(operation: str, option: str, value: object, allowed: Sequence[object]) -> InputError:
    """A keyword with a value that is not among the allowed ones."""
    return InputError(f"{operation}: {option}={value!r} is not known; use {' or '.join(repr(a) for a in allowed)}")


def missing_input(operation: str, names: Sequence[str]) -> InputError:
    """Variables that the outputs need and the inputs lack."""
    verb, them = ("is", "it") if len(names) == 1 else ("are", "them")
    return InputError(
        f"{operation}: the outputs depend on {', '.join(names)}, which {verb} not among the inputs; add {them}"
    )


def unbound_size(operation: str, name: str) -> InputError:
    """A symbolic size that no input's shape determines."""
    return InputError(
        f"{operation}: the size {name!r} cannot be read from the shape of any input; "
        "add an input that has it as an axis, or use an integer size"
    )


def repeated_input(name: str) -> InputError:
    """An input that is listed twice."""
    return InputError(f"lambdify: the input {name!r} is listed twice")


def not_an_input(node: Any) -> InputError:
    """An input that is no variable: an expression, or a size, which emitted code reads from shapes."""
    if node.own_sizes and not node.shape:
        return InputError(
            f"lambdify: {node.short()} is a size, which is read from the shapes of the arguments; leave it out of the "
            "inputs, or use another symbol for a number"
        )
    return InputError(
        f"lambdify: {node.short()} is not a variable; inputs are made by sb.tensor (or are SymPy symbols)"
    )


def not_inputs(given: object) -> InputError:
    """Inputs that are no list."""
    return InputError(f"lambdify: the inputs are a {type(given).__name__}; give a list of variables, [x] for one alone")


def unknown_binding(operation: str, name: str, known: Sequence[str]) -> InputError:
    """A value given for something that is not in the graph."""
    return InputError(f"{operation}: {name!r} is no variable of this graph; it has {', '.join(known) or 'none'}")


def unsupported_target(target: object, known: Sequence[str]) -> InputError:
    """A code generation target that does not exist."""
    return InputError(f"lambdify: no target {target!r}; there is {', '.join(known)}")


def bad_output_key(key: object) -> UsageError:
    """A dict of outputs with keys that cannot be written into source."""
    return UsageError(f"lambdify: the key {key!r} of an outputs dict must be a string, an integer, a bool or None")


def bad_path(path: object, reason: str) -> InputError:
    """A file that cannot be written."""
    return InputError(f"cannot save to {str(path)!r}: {reason}")


def binding_dtype(operation: str, node: Any, found: object) -> DtypeError:
    """A value that cannot be converted to the dtype of its variable without loss."""
    return DtypeError(f"{operation}: {node.short()} has dtype {node.dtype}, its value {found}; convert the value first")


def binding_ragged(operation: str, node: Any) -> ShapeError:
    """A value with rows of different lengths."""
    return ShapeError(f"{operation}: {show(node)} got a value that is no array: its rows have different lengths")


def binding_shape(operation: str, node: Any, found: Iterable[object]) -> ShapeError:
    """A value whose shape is not that of its variable."""
    return ShapeError(f"{operation}: {show(node)} got a value of shape {show_shape(found)}")


def binding_size(
    operation: str, node: Any, found: Iterable[object], size: object, known: int, source: Any
) -> ShapeError:
    """Two axes of one symbolic size and of different length."""
    return ShapeError(
        f"{operation}: {show(node)} got a value of shape {show_shape(found)}, but {size} is {known} in {source.short()}"
    )


def no_bindings(operation: str, given: object) -> UsageError:
    """Values that are not given by variable or name."""
    return UsageError(
        f"{operation}: the values are given as {type(given).__name__}; give a dict from variables, or their names, "
        "to arrays"
    )


def unknown_replaced(name: str, known: Sequence[str]) -> InputError:
    """A name that a substitution is to replace and that the graph does not have."""
    return InputError(
        f"subs: {name!r} is no symbolic size of this graph; it has {', '.join(known) or 'none'} "
        "(variables and expressions are replaced by node, not by name)"
    )


def no_part(old: object) -> InputError:
    """An expression that is to be replaced and that is no node of the graph."""
    return InputError(
        f"subs: {str(old)[:80]} is no part of this graph as a whole; replace a node of it (node.atoms(sb.Node) has "
        "them), or a symbol"
    )


def replaced_shape(old: Any, new: Any) -> ShapeError:
    """A replacement of another shape."""
    return ShapeError(f"subs: {show(old)} cannot become {show(new)}; a replacement has the same shape")
