"""A copy of a function for tracing: the same code with other globals, so that NumPy's names mean what records.

The functions that it calls are copied with it, as far as they are Python functions of the user's; modules and functions
of NumPy, SciPy and symback are replaced by `symback.interop.namespace`. The originals are left alone, so that other
threads notice nothing.
"""

import builtins
import dis
import functools
import sys
from types import CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any, NoReturn

import numpy as np

from symback.errors import numpy as numpy_messages
from symback.errors import tracing as messages
from symback.interop.namespace import RANDOM, Function, Module, Random, library_of
from symback.interop.naming import codes_of
from symback.interop.outside import Outside
from symback.interop.recording import argument, has_proxy
from symback.interop.storage import Name
from symback.interop.tracer import Tracer
from symback.nodes.node import Node

_RECORDING = frozenset({"numpy", "scipy", "symback"})
_LEFT_ALONE = sys.stdlib_module_names | {"sympy", "mpmath", "pytest", "hypothesis"}


_MOST = 1000
"""Collections of more items are left as they are."""


class _OfTraced(type):
    """Answers `type` in traced code."""

    def __call__(cls, *args: Any, **named: Any) -> Any:
        if len(args) == 1 and type(args[0]) is Tracer:
            if args[0].is_number:
                raise messages.type_of_number(args[0].told())
            return args[0].__class__
        return type(*args, **named)

    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, type)

    def __subclasscheck__(cls, value: Any) -> bool:
        return issubclass(value, type)


class TracedType(type, metaclass=_OfTraced):
    """What traced code finds under the name `type`: of a traced array it is that of arrays."""


def _without_derivatives(copy: Any, decorated: Any) -> Any:
    """Let the copy of a compiled function say that its derivatives are not for traced code."""
    if library_of(type(decorated)) == "symback":
        for name in ("grad", "value_and_grad", "jacobian", "hessian", "trace"):
            setattr(copy, name, functools.partial(_refuse_derivative, copy.__qualname__, name))
    return copy


def _refuse_derivative(function: str, name: str, *args: Any, **named: Any) -> NoReturn:
    raise messages.nested_derivative(function, name)


def _no_iterator(*args: Any, **named: Any) -> Any:
    """Stand for `numpy.nditer`, a class, which asks no argument what to do."""
    if has_proxy([list(args), named]):
        raise numpy_messages.not_supported_numpy("nditer")
    return np.nditer(*args, **named)


class Rebinding:
    """Replaces what code refers to, once for each thing, within one trace."""

    def __init__(self, label: Name) -> None:
        self._label = label
        self._done: dict[int, Any] = {}
        self._kept: list[Any] = []
        self._globals: dict[int, dict[str, Any]] = {}
        self._builtins = {**vars(builtins), "__import__": self._import, "type": TracedType}
        self.outside = Outside()

    def convert(self, value: Any) -> Any:
        """Return what stands for a value in traced code: mostly itself."""
        if id(value) in self._done:
            return self._done[id(value)]
        self._kept.append(value)  # an id is of one thing as long as that lives
        if isinstance(value, FunctionType) and not self._is_recording(value):
            return value if library_of(value) in _LEFT_ALONE else self.function(value)
        self._done[id(value)] = found = self._converted(value)
        return found

    def _is_recording(self, value: Any) -> bool:
        return library_of(value) in _RECORDING

    def _converted(self, value: Any) -> Any:
        if isinstance(value, ModuleType):
            if library_of(value) == "random" or value.__name__ == "numpy.random":
                return Random(value.__name__)
            return Module(value, self.convert) if library_of(value) not in _LEFT_ALONE else value
        if isinstance(value, Node) or type(value) is np.ndarray:
            return argument(value, self._label)
        if isinstance(value, RANDOM) or isinstance(getattr(value, "__self__", None), RANDOM):
            return Random(getattr(value, "__name__", type(value).__name__))
        if isinstance(value, functools.partial):
            given = {key: self.convert(item) for key, item in value.keywords.items()}
            return functools.partial(self.convert(value.func), *map(self.convert, value.args), **given)
        if isinstance(value, MethodType):
            self.outside.watch(value.__self__)
            return MethodType(self.convert(value.__func__), value.__self__)
        if type(value) in (dict, list, tuple):
            return self._container(value)
        wrapped = getattr(value, "__wrapped__", None) if callable(value) else None
        if isinstance(wrapped, FunctionType) and not self._is_recording(wrapped):
            return _without_derivatives(self.convert(wrapped), value)
        if value is np.nditer:
            return _no_iterator
        if isinstance(value, np.ufunc) or (callable(value) and not isinstance(value, type) and self._named(value)):
            return Function(value, self._label)
        self.outside.watch(value)
        return value

    def _named(self, value: Any) -> bool:
        return self._is_recording(value) and hasattr(value, "__name__")

    def _container(self, value: Any) -> Any:
        """Convert a collection of functions and arrays; one without is the same object."""
        items = list(value.values()) if type(value) is dict else list(value)
        self._done[id(value)] = value  # a collection may hold itself
        new = items if len(items) > _MOST else [self.convert(item) for item in items]
        self.outside.watch(value)
        if all(left is right for left, right in zip(new, items, strict=True)):
            return value
        copy = dict(zip(value, new, strict=True)) if type(value) is dict else type(value)(new)
        self.outside.watch(copy, copied=True)
        return copy

    # -- functions ------------------------------------------------------------------------------

    def function(self, f: FunctionType) -> FunctionType:
        """Return a copy of a Python function that refers to what records.

        Raises:
            UsageError: If it assigns a global name.
        """
        for code in codes_of(f.__code__):
            for step in dis.get_instructions(code):
                if step.opname in ("STORE_GLOBAL", "DELETE_GLOBAL"):
                    raise messages.global_assigned(f.__qualname__, str(step.argval))
        outer = f.__closure__ or ()
        closure = tuple(CellType() if _holds_code(cell) else cell for cell in outer) or None
        copy = FunctionType(f.__code__, self._globals_of(f), f.__name__, None, closure)
        self._done[id(f)] = copy
        self._kept.append(f)
        for code in codes_of(f.__code__):
            self._convert_names(code, f.__globals__, copy.__globals__)
        for cell, new in zip(outer, closure or (), strict=True):
            if new is not cell:
                new.cell_contents = self.convert(cell.cell_contents)
            self.outside.watch(new)
        copy.__defaults__ = f.__defaults__ and tuple(map(self.convert, f.__defaults__))
        copy.__kwdefaults__ = f.__kwdefaults__ and {key: self.convert(value) for key, value in f.__kwdefaults__.items()}
        copy.__qualname__ = f.__qualname__
        return copy

    def _globals_of(self, f: FunctionType) -> dict[str, Any]:
        """Return the globals of the copies of a module's functions."""
        known = self._globals.get(id(f.__globals__))
        if known is None:
            known = self._globals[id(f.__globals__)] = {**f.__globals__, "__builtins__": self._builtins}
        return known

    def _convert_names(self, code: CodeType, originals: dict[str, Any], known: dict[str, Any]) -> None:
        for name in code.co_names:
            if name in originals and known[name] is originals[name] and name != "__builtins__":
                known[name] = self.convert(originals[name])

    def _import(self, name: str, *args: Any) -> Any:
        return self.convert(builtins.__import__(name, *args))


def _holds_code(cell: CellType) -> bool:
    """Does a variable of an enclosing function hold something that traced code must see otherwise?

    Other variables are shared with the original, which may change them.
    """
    try:
        value = cell.cell_contents
    except ValueError:  # nothing is assigned yet
        return False
    return callable(value) or isinstance(value, (ModuleType, Node, np.ndarray, dict, list, tuple, *RANDOM))
