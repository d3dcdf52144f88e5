"""`nan_trace`: a function is run, and the first node is named that made a non-finite value out of finite ones."""

import functools
import inspect
import os
import sysconfig
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from types import CellType, FunctionType, MethodType
from typing import Any

import numpy as np

from symback.check.nonfinite import failure
from symback.check.nonfinite.events import made_by
from symback.check.nonfinite.finding import UnreadableError, Watched, watched
from symback.check.nonfinite.recorder import Recorder
from symback.check.nonfinite.report import NanTrace, Origin
from symback.check.nonfinite.values import broken, copied
from symback.errors import nonfinite as messages

_FOREIGN = tuple({sysconfig.get_path(kind) for kind in ("stdlib", "platstdlib", "purelib", "platlib")})
"""Where the libraries are: their functions are not watched, but the operations that they are."""

_OWN = str(Path(__file__).parents[2])


def nan_trace(f: Callable[..., Any], inputs: Any) -> NanTrace:
    """Run a function, and name the first node that made a non-finite value out of finite ones.

    The function runs with each of its sub-expressions watched: its syntax tree is marked, compiled again, and called in
    its own globals, so that what it computes stays the same. Functions of your own that it calls are watched too;
    those of libraries, and the helpers of emitted code, count as one operation. Of the operations that make
    non-finite values of finite ones, those count that the results go back to: a NaN in the branch that `where` does
    not take is mentioned as harmless. Arrays are copied before, so that the function cannot change the given ones, and
    NumPy's warnings are kept back.

    Args:
        f: What `lambdify` or `function` made, a method of the latter (``loss.grad``), a function of a saved module, or
            any Python function of NumPy arrays.
        inputs: Its arguments: a list or tuple in their order, a dict by name, or the only one.

    Returns:
        A `NanTrace`, which prints as the line with a caret under the expression, and the operands there; `found`,
        `name`, `line`, `kind` and `origins` say the same.

    Raises:
        UsageError: If `f` cannot be called, or is a coroutine or a generator.
        InputError: If the inputs do not fit the function.

    Example:
        >>> import symback as sb
        >>> x = sb.tensor("x", ("n",))
        >>> f = sb.lambdify([x], sb.sum(sb.let("logs", sb.log(x)) ** 2))
        >>> found = sb.nan_trace(f, [[1.0, -2.0]])
        >>> found.name, found.kind, found.first.index
        ('logs', 'invalid', (1,))
    """
    if not callable(f):
        raise messages.not_callable(f)
    plain = f.func if isinstance(f, functools.partial) else f
    name = str(getattr(plain, "__name__", type(f).__name__))
    if inspect.iscoroutinefunction(f) or inspect.isgeneratorfunction(f):
        raise messages.not_run(name, "a generator" if inspect.isgeneratorfunction(f) else "a coroutine")
    args, named = _arguments(f, name, inputs)
    return _Run(f, name).report(args, named)


def _arguments(f: Callable[..., Any], name: str, inputs: Any) -> tuple[list[Any], dict[str, Any]]:
    """Return copies of the arguments, as the function takes them."""
    known: dict[int, Any] = {}
    args: list[Any] = []
    named: dict[str, Any] = {}
    if isinstance(inputs, Mapping):
        named = {str(getattr(key, "name", key)): copied(value, known) for key, value in inputs.items()}
    elif isinstance(inputs, (list, tuple)):
        args = [copied(value, known) for value in inputs]
    else:
        args = [copied(inputs, known)]
    try:
        signature = inspect.signature(f)
    except (ValueError, TypeError):
        return args, named
    only = [p.name for p in signature.parameters.values() if p.kind is p.POSITIONAL_ONLY and p.name in named]
    args += [named.pop(each) for each in only]
    try:
        signature.bind(*args, **named)
    except TypeError as reason:
        raise messages.wrong_inputs(name, str(reason), str(signature)) from None
    return args, named


class _Run:
    """One run of a function."""

    def __init__(self, f: Callable[..., Any], name: str) -> None:
        self._f, self._name = f, name
        self._recorder = Recorder(self._step_in)
        self._known: dict[Any, Any] = {}
        self._home = ""
        self._note = ""

    def report(self, args: list[Any], named: dict[str, Any]) -> NanTrace:
        """Run the function, and say what was found."""
        recorder = self._recorder
        results, error = None, ""
        with warnings.catch_warnings(), np.errstate(all="call", call=recorder.signal):
            warnings.simplefilter("ignore", RuntimeWarning)
            try:
                results = self._prepared(args, named)()
            except Exception as raised:
                origin = failure.origin_of(raised, recorder)
                if origin is None:
                    raise
                error = f"{type(raised).__name__}: {raised}"
                recorder.origins.append(origin) if origin not in recorder.origins else None
        places = tuple(f"result{label}" for label, _ in broken(results))
        reached = self._reached(results, places, error)
        made = [origin for origin in recorder.origins if origin.kind in ("invalid", "division", "overflow")]
        harmless = tuple(origin for origin in made if origin not in reached)
        return NanTrace(function=self._name, results=results, error=error, places=places, origins=tuple(reached),
                        harmless=harmless, note=self._note)  # fmt: skip

    def _reached(self, results: Any, places: tuple[str, ...], error: str) -> list[Origin]:
        """Return the origins that results go back to, in the order in which they were made."""
        recorder = self._recorder
        if error:
            return [origin for origin in recorder.origins if origin.dropped is None]
        found = recorder.origins_of(results)
        if places and not found:
            found = [origin for origin in recorder.origins if origin.dropped is None]
        if places and not found:
            leaf = broken(results)[0][1]
            recorder.origins.append(made_by("made", f"{self._name}(...)", leaf))
            found = recorder.origins[-1:]
        return [origin for origin in recorder.origins if origin in found]

    # -- which functions are watched -----------------------------------------------------------------

    def _prepared(self, args: list[Any], named: dict[str, Any]) -> Callable[[], Any]:
        """Return the call, watched if the source can be read; then what is not finite in the inputs is known."""
        f, args, named = _emitted(self._f, args, named)
        function = f.__func__ if isinstance(f, MethodType) else f
        innermost = inspect.unwrap(function) if callable(function) else function
        self._home = _file(innermost)
        own = self._watched(innermost)
        if own is innermost:
            self._recorder.note_inputs(_by_name(f, args, named))
            return functools.partial(f, *args, **named)
        whole = _rebuilt(function, innermost, own)
        return functools.partial(MethodType(whole, f.__self__) if isinstance(f, MethodType) else whole, *args, **named)

    def _watched(self, function: Any) -> Any:
        """Return a function that is watched, or the function itself with a note that says why it is not."""
        if not isinstance(function, FunctionType):
            self._note = self._note or f"{self._name} is not written in Python: only its inputs and results were seen"
            return function
        if function not in self._known:
            try:
                copy, seen = watched(function, self._recorder.enter)
            except UnreadableError as reason:
                self._note = f"{function.__name__} was not watched inside: {reason}"
                copy = function
            else:
                self._recorder.codes |= seen.codes
            self._known[function] = copy
        return self._known[function]

    def _step_in(self, called: Any, caller: Watched) -> Any:
        """Return what is called, watched if it is a function of the user's own."""
        if caller.emitted:
            return called
        if hasattr(type(called), "emitted_call"):
            return functools.partial(self._call_emitted, called)
        if isinstance(called, functools.partial):
            return functools.partial(self._step_in(called.func, caller), *called.args, **called.keywords)
        if isinstance(called, MethodType):
            if hasattr(type(called.__self__), "emitted_call") and called.__name__ in _METHODS:
                return functools.partial(self._call_emitted, called)
            return MethodType(self._step_in(called.__func__, caller), called.__self__)
        method = _method_called(called)
        if not isinstance(called, (FunctionType, type)) and self._is_own(method):
            return MethodType(self._watched(method), called)
        if not self._is_own(called):
            return called
        innermost = inspect.unwrap(called)
        return _rebuilt(called, innermost, self._watched(innermost)) if self._is_own(innermost) else called

    def _call_emitted(self, called: Any, *args: Any, **named: Any) -> Any:
        f, args_, named = _emitted(called, list(args), named)
        innermost = inspect.unwrap(f)
        return _rebuilt(f, innermost, self._watched(innermost))(*args_, **named)

    def _is_own(self, function: Any) -> bool:
        """Whether a function is the user's own and not watched yet; a library's only if that is where `f` is from."""
        if not isinstance(function, FunctionType) or function.__code__ in self._recorder.codes:
            return False
        file = _file(function)
        folder = os.path.dirname(file)
        if file == self._home or (folder and folder == os.path.dirname(self._home)):
            return True
        return not file.startswith((*_FOREIGN, _OWN, "<symback ", "<frozen", "<__array_function__"))


def _emitted(f: Any, args: list[Any], named: dict[str, Any]) -> tuple[Any, list[Any], dict[str, Any]]:
    """Return the emitted function that a call of symback's own ends in, with its arguments; others stay."""
    if isinstance(f, functools.partial):
        inner, args, named = _emitted(f.func, [*f.args, *args], {**f.keywords, **named})
        return inner, args, named
    if isinstance(f, MethodType) and f.__name__ in _METHODS and hasattr(type(f.__self__), "emitted_call"):
        owner: Any = f.__self__
        return _called(owner.emitted_call(args, named, f.__name__))
    if hasattr(type(f), "emitted_call"):
        return _called(f.emitted_call(args, named))
    method = _method_called(f)
    if not isinstance(f, (FunctionType, MethodType, type)) and isinstance(method, FunctionType):
        return MethodType(method, f), args, named
    return f, args, named


def _method_called(value: Any) -> Any:
    """Return what a call of an object runs: the function of its class."""
    return next((vars(kind)["__call__"] for kind in type(value).__mro__ if "__call__" in vars(kind)), None)


def _called(call: tuple[Any, Any, Any]) -> tuple[Any, list[Any], dict[str, Any]]:
    function, args, named = call
    return function, list(args), dict(named)


_METHODS = ("grad", "value_and_grad", "jacobian", "hessian", "hvp")


def _rebuilt(outer: Any, inner: Any, watched_inner: Any) -> Any:
    """Return a decorated function with another function in the place of the one that was decorated."""
    if outer is inner:
        return watched_inner
    if not isinstance(outer, FunctionType) or not outer.__closure__:
        return watched_inner
    below = outer.__wrapped__  # type: ignore[attr-defined]
    cells = [
        CellType(_rebuilt(below, inner, watched_inner)) if _holds(cell, below) else cell for cell in outer.__closure__
    ]
    copy = FunctionType(outer.__code__, outer.__globals__, outer.__name__, outer.__defaults__, tuple(cells))
    copy.__kwdefaults__ = outer.__kwdefaults__
    return copy


def _holds(cell: CellType, value: Any) -> bool:
    try:
        return cell.cell_contents is value
    except ValueError:  # it is empty
        return False


def _by_name(f: Any, args: list[Any], named: dict[str, Any]) -> dict[str, Any]:
    """Return arguments by name, or by number where the function does not say its names."""
    try:
        return dict(inspect.signature(f).bind(*args, **named).arguments)
    except (ValueError, TypeError):
        return {**{f"argument {number}": value for number, value in enumerate(args)}, **named}


def _file(function: Any) -> str:
    return str(function.__code__.co_filename) if isinstance(function, FunctionType) else ""
