"""What emitted modules hold the functions to that they are given."""

import numpy as np

from symback.errors import InputError


def entry_by_entry(name: str, function: object) -> object:
    """Hold a function to what it must be: real numbers, entry by entry."""
    if not callable(function):
        raise InputError(f"{name} must be a function, not {function!r}")

    def applied(*arguments):
        dtype = np.result_type(*arguments, 1.0)
        shape = np.broadcast_shapes(*[np.shape(argument) for argument in arguments])
        given = [np.asarray(argument, dtype) for argument in arguments]
        found = np.asarray(function(*[np.broadcast_to(x, shape)[()] for x in given]))
        if found.shape != shape:
            problem = f"it gives the shape {found.shape} of arguments of shape {shape}"
            cure = "of a constant c, return np.full_like(x, c)"
            raise InputError(f"{name} must work entry by entry: {problem}; {cure}")
        if found.dtype.kind not in "fiub":
            raise InputError(f"{name} must give real numbers, not {found.dtype}")
        return np.array(found, dtype)[()]

    return applied
