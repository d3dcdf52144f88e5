"""The text of an emitted module around its function: imports, constants, helpers."""

import base64
import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

import numpy as np

from symback import errors
from symback.codegen import runtime
from symback.codegen.text import Text, dtype_name, float_text
from symback.ops.numerics.optional import Library

_LITERAL_ENTRIES = 256
"""Constants up to this size are written as numbers, larger ones as base64 of their bytes."""

_ERRORS = '''class InputError(ValueError):
    """An argument whose shape or size is wrong."""


class DtypeError(TypeError):
    """An argument whose dtype is wrong."""'''


@dataclass
class Program:
    """What an emitted function consists of.

    Attributes:
        lines: The statements of its body, in order.
        results: For each output the expression that is returned.
        helpers: The Python functions whose source the module needs.
        constants: Arrays the module defines, by name.
        sizes: The symbolic sizes the body uses.
        imports: The modules of other libraries than NumPy that the body uses, as (package, module).
    """

    lines: list[str] = field(default_factory=list)
    results: list[Text] = field(default_factory=list)
    helpers: dict[str, Callable[..., Any]] = field(default_factory=dict)
    constants: dict[str, np.ndarray[Any, Any]] = field(default_factory=dict)
    sizes: set[str] = field(default_factory=set)
    imports: set[tuple[str, str]] = field(default_factory=set)


def module_text(program: Program, definition: str, *, check: bool, raises: bool) -> str:
    """Put imports, constants, helpers and the function together."""
    constants = [_constant_text(name, array) for name, array in program.constants.items()]
    imports = (["import base64"] if any("base64." in text for text in constants) else []) + (
        ["import functools", "import inspect"] if check else []
    )
    head = ["\n".join(imports)] if imports else []
    functions = _with_helpers(program.helpers)
    libraries = program.imports.union(*map(_libraries_of, functions))
    head = [*_needs(libraries), *head]
    helpers = [_source_of(function) for function in functions]
    if check:
        helpers = [_source_of(runtime.converted), _source_of(runtime.checked), *helpers]
    if check or raises:
        helpers.insert(0, _ERRORS)
    imported = ["import numpy as np", *(f"from {package} import {module}" for package, module in sorted(libraries))]
    blocks = ["\n\n".join([*head, "\n".join(imported), *(["\n".join(constants)] if constants else [])]), *helpers]
    return "\n\n\n".join([*blocks, definition]) + "\n"


def _needs(libraries: set[tuple[str, str]]) -> list[str]:
    """Say in the first line what must be installed beside NumPy."""
    packages = " ".join(sorted({package for package, _ in libraries}))
    return [f"# This module needs {packages} beside numpy: pip install {packages}"] if packages else []


def _with_helpers(needed: dict[str, Callable[..., Any]]) -> list[Callable[..., Any]]:
    """Return the helpers with those they call, each behind what it calls."""
    found: dict[str, Callable[..., Any]] = {}

    def visit(function: Callable[..., Any]) -> None:
        for name, other in _called_helpers(function).items():
            if name not in found:
                visit(other)
        if found.setdefault(function.__name__, function) is not function:
            raise errors.bad_declaration(
                function.__name__, "two helper functions of this name are needed in one module"
            )

    for function in needed.values():
        visit(function)
    return list(found.values())


def _called_helpers(function: Callable[..., Any]) -> dict[str, Callable[..., Any]]:
    """Return the functions of symback's numerics that a helper calls by their own names."""
    if not isinstance(function, FunctionType):
        return {}
    known = inspect.getclosurevars(function).globals
    return {
        name: value
        for name, value in known.items()
        if isinstance(value, FunctionType) and value.__module__.startswith("symback.ops.numerics.")
        if value.__name__ == name and value is not function
    }


def _libraries_of(function: Callable[..., Any]) -> set[tuple[str, str]]:
    """Return the modules of optional libraries that a helper uses."""
    known = inspect.getclosurevars(function).globals.values()
    return {(value.package, value.module) for value in known if isinstance(value, Library)}


def _source_of(function: Callable[..., Any]) -> str:
    """Return the source of a helper, which may use nothing but NumPy and other helpers."""
    try:
        text = textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):
        raise errors.bad_declaration(function.__name__, "its source cannot be read; define it in a file") from None
    outside = inspect.getclosurevars(function)
    foreign = set(outside.nonlocals) | (set(outside.globals) - {"np", "functools", "inspect", "converted"})
    foreign -= {"InputError", "DtypeError", function.__name__, *_called_helpers(function)}
    foreign -= {module for _, module in _libraries_of(function)}
    if foreign or "lambda" in text.partition("\n")[0]:
        raise errors.bad_declaration(
            function.__name__, f"an emitted module has only np; the function must not use {', '.join(sorted(foreign))}"
        )
    return text.rstrip("\n")


def _constant_text(name: str, array: np.ndarray[Any, Any]) -> str:
    if array.size <= _LITERAL_ENTRIES:
        values = repr(array.tolist())
        if array.dtype.kind == "f" and not np.all(np.isfinite(array)):
            values = _nonfinite_list(array.tolist())
        dtype = dtype_name(array.dtype)
        if not array.shape:
            return f"{name} = np.{dtype}({values})"
        suffix = f".reshape({array.shape})" if array.size == 0 else ""
        return f"{name} = np.array({values}, dtype=np.{dtype}){suffix}"
    little = array.astype(array.dtype.newbyteorder("<"))
    encoded = base64.b64encode(little.tobytes()).decode("ascii")
    return (
        f'{name} = np.frombuffer(base64.b64decode("{encoded}"), dtype="{little.dtype.str}")'
        f".reshape({array.shape}).astype(np.{array.dtype.name})"
    )


def _nonfinite_list(values: Any) -> str:
    if isinstance(values, list):
        return f"[{', '.join(_nonfinite_list(value) for value in values)}]"
    return float_text(values)
