"""What NumPy or SciPy call by the name of one of our functions."""

from importlib import import_module
from typing import Any

import numpy

import reference_functions


def counterpart(name: str) -> Any:
    """Return what NumPy or SciPy call by this name, or what this test suite says they would."""
    own = getattr(reference_functions, name.replace(".", "_"), None)
    if own is not None:
        return own
    module, _, function = name.rpartition(".")
    if not module and not hasattr(numpy, function):
        module = "special"  # a ufunc of SciPy answers to its bare name
    return getattr(import_module({"": "numpy", "special": "scipy.special"}.get(module, f"numpy.{module}")), function)


def name_of_counterpart(name: str) -> str:
    """Say what NumPy or SciPy call a function; what they lack has a reference of its own in the tests."""
    module, _, function = name.rpartition(".")
    own = hasattr(reference_functions, name.replace(".", "_"))
    for place in ("numpy", "scipy"):
        path = ".".join(part for part in (place, module) if part)
        if path != "scipy" and (not own or place == "scipy") and hasattr(module_or_none(path), function):
            return f"`{path}.{function}`"
    return "symback's own"


def module_or_none(path: str) -> Any:
    """Return a module, if there is one of this name."""
    try:
        return import_module(path)
    except ModuleNotFoundError:
        return None
