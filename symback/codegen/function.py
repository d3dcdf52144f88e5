"""The compiled function: emitted source with the function it defines."""

import builtins
import inspect
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from symback import errors
from symback.codegen.bound import Functions, bound, maker_name
from symback.codegen.fast.builder import FastBuilder
from symback.codegen.numpy import emit_module
from symback.codegen.passes.gram import halve_grams
from symback.codegen.program import Builder
from symback.codegen.source.example import OWN_NAMES, Interface, complete_module, interface_of
from symback.codegen.source.loading import run_module
from symback.codegen.source.naming import MODULE_NAMES
from symback.codegen.updating.plan import NOTHING_NEW, NewValues
from symback.graph import toposort
from symback.nodes.apply import Map
from symback.nodes.leaves import Variable
from symback.nodes.looks import NAME
from symback.nodes.node import Node
from symback.nodes.shapes import NO_HINTS, Hints
from symback.ops.numerics.structured import StructuredTensor
from symback.ops.undefined import UNDEFINED, Partial
from symback.rewrite.report import NOTHING, Explanation
from symback.structure import Nested, leaves_of, with_packed

TARGETS = {"numpy": emit_module}
"""The text of a module for each target: a new target is a sibling of `symback.codegen.numpy`."""

NO_CALLABLES: Mapping[str, Callable[..., Any]] = MappingProxyType({})

_SHARED = (errors.InputError, errors.DtypeError, errors.MemoryLimitError, StructuredTensor)
"""Classes of emitted modules that are symback's own where symback runs them."""


class CompiledFunction:
    """A function emitted from a graph. Calling it runs the emitted code; it prints as its source.

    Attributes:
        source: The text of a module that runs wherever NumPy is.
        name: The name of the function in it.
        interface: What it takes and returns.
    """

    def __init__(
        self, name: str, source: str, interface: Interface, explanation: Explanation = NOTHING,
        functions: Mapping[str, Callable[..., Any]] = NO_CALLABLES,
    ) -> None:  # fmt: skip
        self._explanation = explanation
        self.interface = interface
        self.name = name
        self.source = source
        self.__name__ = name
        self._given = functions
        self._function = load(name, source, functions)
        self.__doc__ = self._function.__doc__
        self.__signature__ = inspect.signature(self._function)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Run the emitted code."""
        return self._function(*arguments, **named)

    def emitted_call(self, args: Sequence[Any], named: dict[str, Any]) -> tuple[Callable[..., Any], Any, Any]:
        """Return what a call ends in: the Python function that was emitted, and its arguments."""
        return self._function, args, named

    def explain(self) -> Explanation:
        """Return which rules made the emitted code of the graph as it was written, and where. It prints as a table."""
        return self._explanation

    @cached_property
    def module(self) -> str:
        """The source, made complete: with random arguments that fit, a check of the gradient, and a run of both.

        ``example_arguments(seed=0)`` draws the arguments, ``check_gradient(**arguments)`` is there if the function
        returns a scalar with its gradient, and run as a program the module does both. To choose the arguments, and the
        scalar that the gradient is of, the function is called a few times. A module that is given functions stays as it
        is: it cannot run without them.
        """
        return self.source if self._given else complete_module(self.source, self.interface)

    def save(self, path: str | os.PathLike[str], *, complete: bool = True) -> Path:
        """Write the module to a file, whole or not at all.

        Args:
            path: A file that ends in ``.py``.
            complete: Write what shows the function at work too, as `module` has it; False writes `source` alone.

        Returns:
            The path.

        Raises:
            InputError: If the name does not end in ``.py``, or the file cannot be written.
        """
        return saved_to(path, lambda: self.module if complete else self.source)

    def __repr__(self) -> str:
        return self.source

    def __reduce__(self) -> Any:
        return CompiledFunction, (self.name, self.source, self.interface, self._explanation, dict(self._given))


def saved_to(path: Any, text: Callable[[], str]) -> Path:
    """Write a module to a file that ends in ``.py``, whole or not at all; the text is made when the path is good.

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
        _write_whole(target, text())
    except OSError as reason:
        raise errors.bad_path(target, reason.strerror or "it cannot be written") from None
    return target


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


def load(name: str, source: str, functions: Mapping[str, Callable[..., Any]]) -> Callable[..., Any]:
    """Run an emitted module and return its function, which calls those given; its errors are symback's."""
    try:
        namespace = run_module(name, source)
    except ModuleNotFoundError as missing:
        raise errors.missing_extra(str(missing.name).partition(".")[0], f"the emitted function {name}") from None
    for shared in _SHARED:
        if shared.__name__ in namespace:
            namespace[shared.__name__] = shared
    function: Callable[..., Any] = namespace[maker_name(name)](**functions) if functions else namespace[name]
    return function


def compile_function(
    inputs: Sequence[Variable],
    outputs: Nested,
    *,
    target: str = "numpy",
    name: str | None = None,
    check: bool = True,
    sizes: Hints = NO_HINTS,
    cost: bool = False,
    style: str = "readable",
    reuse_buffers: bool = True,
    explanation: Explanation = NOTHING,
    written: Nested | None = None,
    updates: NewValues = NOTHING_NEW,
    memory_limit: int | None = None,
    functions: Functions = NO_CALLABLES,
    operation: str = "lambdify",
) -> CompiledFunction:
    """Emit and load the function of `inputs` that returns `outputs`, described as they were `written`."""
    if target not in TARGETS:
        raise errors.unsupported_target(target, tuple(TARGETS))
    if name is None:
        name = "f" if all(other != "f" for other in _names_in(inputs, outputs)) else "function"
    if not isinstance(name, str) or not NAME.match(name):
        raise errors.bad_name(name, "it is no ASCII identifier")
    if name in MODULE_NAMES or name in OWN_NAMES or hasattr(builtins, name):
        raise errors.bad_name(name, "Python or the emitted module uses it")
    build = Builder if style == "readable" else partial(FastBuilder, reuse_buffers=reuse_buffers)
    emit = TARGETS[target]
    written = outputs if written is None else written
    finish: Callable[[Sequence[Node]], list[Node]] = list if style == "readable" else halve_grams
    options: dict[str, Any] = {"check": check, "sizes": sizes, "cost": cost, "build": build, "finish": finish}
    module = emit(name, inputs, outputs, **options, written=written, updates=updates, memory_limit=memory_limit)
    interface = interface_of(name, inputs, with_packed(written, outputs), updates.targets)
    return CompiledFunction(name, module.text, interface, explanation, bound(module.functions, functions, operation))


def _names_in(inputs: Sequence[Variable], outputs: Nested) -> list[str]:
    """Return the names that the function of these inputs must not have itself: of variables, of functions it calls."""
    maps = [node for node in toposort(leaves_of(outputs)) if isinstance(node, Map) and node.operation.name == UNDEFINED]
    return [*(variable.name for variable in inputs), *(Partial.of(node).name for node in maps)]
