"""Gradients from outside: arrays of any library, or functions of the variables that return them."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from symback.errors import comparison as messages
from symback.nodes.leaves import Variable
from symback.nodes.node import Node

Array = np.ndarray[Any, Any]


def gradients_of(
    name: str,
    source: Any,
    values: Mapping[str, Array],
    wrt: Sequence[Node],
    shapes: Sequence[tuple[int, ...]],
    keys: Sequence[Any] = (),
) -> list[Array]:
    """Return what one source says: an array of floats for each variable, of its shape.

    Args:
        name: The source, for messages.
        source: Gradients, or a function that returns them (see `compare`).
        values: The variables of the loss, in the order in which functions that name them otherwise get them.
        wrt: What is differentiated by.
        shapes: Their shapes.
        keys: Names under which a dict may have them, in the order of `wrt`.

    Raises:
        UsageError: If a function has parameters that cannot be matched.
        InputError: If there are too few or too many gradients, or one is missing.
        ShapeError: If a gradient has another shape than its variable.
        DtypeError: If a gradient holds no real numbers.
    """
    if callable(source) and not hasattr(source, "__array__"):
        source = _called(name, source, values, [node.name for node in wrt if isinstance(node, Variable)])
    arrays = []
    for node, wanted, found in zip(wrt, shapes, _in_order(name, source, wrt, keys), strict=True):
        array = _as_array(found)
        if array.dtype.kind not in "fiub":
            raise messages.column_dtype(name, node.short(), array.dtype)
        if array.shape != tuple(wanted):
            raise messages.column_shape(name, node.short(), wanted, array.shape)
        arrays.append(array if array.dtype.kind == "f" else array.astype(np.float64))
    return arrays


def _as_array(found: Any) -> Array:
    """Return an array; a tensor that keeps track of its own derivatives is taken out of its graph first."""
    detached = found.detach() if callable(getattr(found, "detach", None)) else found
    try:
        return np.asarray(detached)
    except ValueError:
        return np.asarray(None)  # ragged: an object, which the caller refuses by name


def _in_order(name: str, found: Any, wrt: Sequence[Node], keys: Sequence[Any]) -> list[Any]:
    """Return gradients in the order of the variables: from a dict, a list or tuple, or one array."""
    names = [node.short() for node in wrt]
    if isinstance(found, Mapping):
        by_name = {getattr(key, "name", key): value for key, value in found.items()}
        wanted = keys if keys and set(keys) == set(by_name) else names
        for key in wanted:
            if key not in by_name:
                raise messages.column_missing(name, str(key), by_name)
        if extra := [key for key in by_name if key not in wanted]:
            raise messages.column_extra(name, extra, names)
        return [by_name[key] for key in wanted]
    several = isinstance(found, (list, tuple)) and (
        len(wrt) != 1 or (len(found) == 1 and np.ndim(found[0]) == len(wrt[0].shape))
    )
    listed = list(found) if several else [found]
    if len(listed) != len(wrt):
        raise messages.column_count(name, names, len(listed))
    return listed


def _called(name: str, function: Callable[..., Any], values: Mapping[str, Array], wrt: Sequence[str]) -> Any:
    """Call a function with the variables: by the names of its parameters, else all by position, else those of wrt."""
    ordered = list(values)
    parameters = _parameters(function)
    if parameters is None:
        return function(*[values[key] for key in ordered])
    names = [each.name for each in parameters if each.kind not in _STARRED]
    if any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters) and set(names) <= values.keys():
        return function(**values)
    if names and set(names) <= values.keys():
        positional = [each.name for each in parameters if each.kind in _BY_POSITION]
        others = {key: values[key] for key in names if key not in positional}
        return function(*[values[key] for key in positional], **others)
    needed = [each.name for each in parameters if each.kind in _BY_POSITION and each.default is each.empty]
    any_number = any(each.kind is inspect.Parameter.VAR_POSITIONAL for each in parameters)
    for order in (ordered, wrt):
        if len(needed) == len(order) or (any_number and len(needed) <= len(order)):
            return function(*[values[key] for key in order])
    raise messages.column_arguments(name, [each.name for each in parameters], ordered, wrt)


_BY_POSITION = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_STARRED = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter] | None:
    """Return the parameters of a function; None if it does not tell."""
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return None
