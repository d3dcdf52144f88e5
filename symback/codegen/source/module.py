"""The text of an emitted module around its function: imports, constants, helpers."""

import inspect
import re
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from types import FunctionType
from typing import Any

import numpy as np

from symback import errors
from symback.codegen.source import runtime
from symback.codegen.source.constants import constant_lines
from symback.codegen.source.layout import laid_out
from symback.codegen.source.text import Text
from symback.codegen.updating import writing
from symback.ops.numerics.optional import Library
from symback.ops.undefined import Partial

ERRORS = '''class InputError(ValueError):
    """An argument whose shape or size is wrong."""


class DtypeError(TypeError):
    """An argument whose dtype is wrong."""'''

_MEMORY_ERROR = '''class MemoryLimitError(MemoryError):
    """A result that would take more memory than it may."""'''


_EMITTED = {
    "np", "functools", "inspect", "InputError", "DtypeError", "converted", "_slope", "_directions_of",
    "updatable", "all_converted", "kept_apart",
}  # fmt: skip
"""What functions whose source is emitted may use, beside helpers: what the module has then."""


_ASSIGNMENT = re.compile(r"(\w+) = ")
_NAMES = re.compile(r"[^\W\d]\w*")


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
        functions: The functions that the module must be given, with their names.
    """

    lines: list[str] = field(default_factory=list)
    results: list[Text] = field(default_factory=list)
    helpers: dict[str, Callable[..., Any]] = field(default_factory=dict)
    constants: dict[str, np.ndarray[Any, Any]] = field(default_factory=dict)
    sizes: set[str] = field(default_factory=set)
    imports: set[tuple[str, str]] = field(default_factory=set)
    functions: dict[Partial, str] = field(default_factory=dict)

    def helper(self, function: Callable[..., Any]) -> str:
        """Have a function's source written into the module; return its name."""
        name = function.__name__
        if self.helpers.setdefault(name, function) is not function:
            raise errors.bad_declaration(name, "two helper functions of this name are needed in one module")
        return name


def module_text(program: Program, definition: str, *, check: bool, raises: bool, docstring: Sequence[str] = ()) -> str:
    """Put docstring, imports, constants, helpers and the function together; lines are broken where they are long."""
    constants = [line for name, array in program.constants.items() for line in constant_lines(name, array)]
    imports = (["import base64"] if any("base64." in line for line in constants) else []) + (
        ["import functools", "import inspect"] if check else []
    )
    functions = with_helpers(program.helpers)
    libraries = program.imports.union(*map(libraries_of, functions))
    helpers = [source_of(function) for function in functions]
    if check:
        updating = "@checked_updates(" in definition
        checks = writing.FUNCTIONS if updating else (runtime.checked,)
        helpers = [*map(source_of, (runtime.converted, *checks)), *helpers]
    if "MemoryLimitError" in definition:
        helpers.insert(0, _MEMORY_ERROR)
    if check or raises or any("InputError" in helper for helper in helpers):
        helpers.insert(0, ERRORS)
    imports += ["import threading"] if any("threading." in helper for helper in helpers) else []
    head = ["\n".join([*_needs(libraries), *docstring]), "\n".join(imports)]
    imported = ["import numpy as np", *(f"from {package} import {module}" for package, module in sorted(libraries))]
    start = "\n\n".join(part for part in [*head, "\n".join(imported), "\n".join(constants)] if part)
    return "\n\n\n".join([start, *helpers, in_short_lines(definition)]) + "\n"


def without_unused(lines: Sequence[str]) -> list[str]:
    """Leave out assignments to names that no later statement mentions: what uses them was written another way.

    Args:
        lines: The statements of a function, each on one line; what is assigned in a block is left alone.

    Returns:
        The statements that are needed.

    Example:
        >>> without_unused(["n = x.shape[0]", "y = np.ones(n)", "return 2 * x"])
        ['return 2 * x']
    """
    mentioned: set[str] = set()
    kept: list[str] = []
    for line in reversed(lines):
        target = _ASSIGNMENT.match(line)
        if target is None or target[1] in mentioned:
            kept.append(line)
            mentioned.update(_NAMES.findall(line))
    return kept[::-1]


def in_short_lines(definition: str) -> str:
    """Break the long lines of a definition whose statements stand on one line each; its docstring stays."""
    lines: list[str] = []
    within = False
    for line in definition.split("\n"):
        quotes = line.count('"""')
        lines += [line] if within or quotes else laid_out(line)
        within = within != (quotes == 1)
    return "\n".join(lines)


def _needs(libraries: set[tuple[str, str]]) -> list[str]:
    """Say in the first line what must be installed beside NumPy."""
    packages = " ".join(sorted({package for package, _ in libraries}))
    return [f"# This module needs {packages} beside numpy: pip install {packages}"] if packages else []


def with_helpers(needed: dict[str, Callable[..., Any]]) -> list[Callable[..., Any]]:
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


@cache
def _called_helpers(function: Callable[..., Any]) -> dict[str, Callable[..., Any]]:
    """Return the functions and classes of symback's numerics that a helper calls by their own names."""
    return {
        name: value
        for name, value in _outside(function).items()
        if isinstance(value, (FunctionType, type)) and value.__module__.startswith("symback.ops.numerics.")
        if value.__name__ == name and value is not function
    }


def _outside(helper: Callable[..., Any]) -> dict[str, Any]:
    """Return what a function, or the methods of a class, use of what is around them."""
    if isinstance(helper, FunctionType):
        variables = inspect.getclosurevars(helper)
        return {**variables.globals, **variables.nonlocals}
    methods = [getattr(value, "fget", getattr(value, "__func__", value)) for value in vars(helper).values()]
    return {name: value for method in methods if isinstance(method, FunctionType)
            for name, value in _outside(method).items() if name != "__class__"}  # fmt: skip


@cache
def libraries_of(function: Callable[..., Any]) -> set[tuple[str, str]]:
    """Return the modules of optional libraries that a helper uses."""
    return {(value.package, value.module) for value in _outside(function).values() if isinstance(value, Library)}


@cache
def source_of(function: Callable[..., Any]) -> str:
    """Return the source of a helper, which may use nothing but NumPy and other helpers."""
    try:
        text = textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):
        raise errors.bad_declaration(function.__name__, "its source cannot be read; define it in a file") from None
    known = {function.__name__, *_called_helpers(function), *(module for _, module in libraries_of(function))}
    foreign = set(_outside(function)) - known - _EMITTED
    if foreign or "lambda" in text.partition("\n")[0]:
        raise errors.bad_declaration(
            function.__name__, f"an emitted module has only np; the function must not use {', '.join(sorted(foreign))}"
        )
    return text.rstrip("\n")
