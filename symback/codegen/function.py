"""The compiled function: emitted source with the function it defines."""

import ast
import builtins
import inspect
import linecache
import os
import tempfile
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from symback import errors
from symback.codegen.naming import MODULE_NAMES
from symback.codegen.numpy import emit_module
from symback.nodes.leaves import Variable
from symback.nodes.shapes import NAME
from symback.structure import Nested

_numbers = count(1)

TARGETS = {"numpy": emit_module}
"""The text of a module for each target: a new target is a sibling of `symback.codegen.numpy`."""


class CompiledFunction:
    """A function emitted from a graph. Calling it runs the emitted code; it prints as its source.

    Attributes:
        source: The text of a module that runs wherever NumPy is.
        name: The name of the function in it.
    """

    def __init__(self, name: str, source: str) -> None:
        self.name = name
        self.source = source
        self.__name__ = name
        self._function = _load(name, source)
        self.__doc__ = self._function.__doc__
        self.__signature__ = inspect.signature(self._function)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Run the emitted code."""
        return self._function(*arguments, **named)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the source to a file, whole or not at all.

        Args:
            path: A file that ends in ``.py``.

        Returns:
            The path.

        Raises:
            InputError: If the name does not end in ``.py``, or the file cannot be written.
        """
        try:
            target = Path(path)
        except TypeError:
            raise errors.bad_path(path, "it is no path") from None
        if target.suffix != ".py":
            raise errors.bad_path(target, "the name must end in .py")
        if not target.parent.is_dir():
            raise errors.bad_path(target, f"there is no folder {str(target.parent)!r}")
        try:
            _write_whole(target, self.source)
        except OSError as reason:
            raise errors.bad_path(target, reason.strerror or "it cannot be written") from None
        return target

    def __repr__(self) -> str:
        return self.source

    def __reduce__(self) -> Any:
        return CompiledFunction, (self.name, self.source)


def _write_whole(target: Path, text: str) -> None:
    """Write a file beside its place and move it there, so that no half of it is ever seen."""
    descriptor, temporary = tempfile.mkstemp(dir=target.parent, suffix=".part")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _load(name: str, source: str) -> Callable[..., Any]:
    """Compile emitted source; tracebacks show its lines, and its errors are symback's."""
    filename = f"<symback {name} {next(_numbers)}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    namespace: dict[str, Any] = {"__name__": f"symback_{name}"}
    try:
        exec(compile(ast.parse(source, filename), filename, "exec"), namespace)
    except ModuleNotFoundError as missing:
        raise errors.missing_extra(str(missing.name).partition(".")[0], f"the emitted function {name}") from None
    for kind in ("InputError", "DtypeError"):
        if kind in namespace:
            namespace[kind] = getattr(errors, kind)
    function: Callable[..., Any] = namespace[name]
    return function


def compile_function(
    inputs: Sequence[Variable], outputs: Nested, *, target: str = "numpy", name: str | None = None, check: bool = True
) -> CompiledFunction:
    """Emit and load the function of `inputs` that returns `outputs`."""
    if target not in TARGETS:
        raise errors.unsupported_target(target, tuple(TARGETS))
    if name is None:
        name = "f" if all(variable.name != "f" for variable in inputs) else "function"
    if not isinstance(name, str) or not NAME.match(name):
        raise errors.bad_name(name, "it is no ASCII identifier")
    if name in MODULE_NAMES or hasattr(builtins, name):
        raise errors.bad_name(name, "Python or the emitted module uses it")
    return CompiledFunction(name, TARGETS[target](name, inputs, outputs, check=check))
