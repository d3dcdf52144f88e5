"""The user's functions: found by ``module:function`` or ``path/file.py:function``, and their exceptions."""

import contextlib
import functools
import importlib
import importlib.util
import inspect
import os
import re
import sys
import sysconfig
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from symback.errors import command as messages
from symback.errors.kinds import SymbackError

_NAME = r"[^\W\d]\w*(?:\.[^\W\d]\w*)*"
_MODULE = re.compile(rf"({_NAME}):({_NAME})\Z")
_FILE = re.compile(rf"([^\n]+\.py):({_NAME})\Z", re.DOTALL)
_PACKAGE = str(Path(__file__).parents[1]) + os.sep
_ELSEWHERE = tuple(str(Path(path)) + os.sep for path in {sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"),
                                                         sysconfig.get_path("platlib")} if path)  # fmt: skip


def names_function(text: str) -> bool:
    """Is a text ``module:function`` or ``path/file.py:function``? No formula is: a colon stands in brackets there.

    Example:
        >>> [names_function(text) for text in ("model:loss", "lib/model.py:Net.loss", "x[1:n]", "model.loss", "a; b")]
        [True, True, False, False, False]
    """
    return bool(_MODULE.match(text) or _FILE.match(text))


@contextlib.contextmanager
def users_code(what: str) -> Iterator[None]:
    """Run code of the user's: what it prints goes to standard error, and its exceptions say where they arose.

    Args:
        what: Named in the place of a file, if no file of the user's is in the traceback.

    Raises:
        UserCodeError: For its exceptions, also for ``sys.exit``.
    """
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    except KeyboardInterrupt:
        raise
    except SymbackError as error:
        place = _place(error)
        if place is None or isinstance(error, messages.UserCodeError):
            raise
        raise type(error)(f"{place}: {error}") from error
    except BaseException as error:
        raise messages.in_user_code(_place(error) or what, error) from error


def _place(error: BaseException) -> str | None:
    """Return the file and the line of the user's code that an exception went through last."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{_short(error.filename)}:{error.lineno}"
    own = None
    for frame in traceback.extract_tb(error.__traceback__):
        if not frame.filename.startswith((_PACKAGE, *_ELSEWHERE, "<")) and "site-packages" not in frame.filename:
            own = f"{_short(frame.filename)}:{frame.lineno} in {frame.name}"
    return own


def _short(path: str) -> str:
    """Return a path from the working directory, if it lies in it."""
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except (ValueError, OSError):
        return path


def load(text: str) -> Any:
    """Return the function that a text names.

    Args:
        text: Of the form that `names_function` knows.

    Raises:
        InputError: If there is no such module, file or function.
        UserCodeError: If the module raises when it is imported.
    """
    match = _FILE.match(text) or _MODULE.match(text)
    assert match is not None
    where, name = match.groups()
    module = _from_file(where) if where.endswith(".py") else _imported(where)
    found: Any = module
    for part in name.split("."):
        if not hasattr(found, part):
            known = [key for key, value in vars(module).items() if inspect.isfunction(value) and key[0] != "_"]
            raise messages.no_function(where, name, known)
        found = getattr(found, part)
    return found


def _imported(name: str) -> ModuleType:
    """Import a module, with the working directory first on the path."""
    folder = _folder(str(Path.cwd()))
    importlib.invalidate_caches()
    try:
        with folder, users_code(name):
            return importlib.import_module(name)
    except messages.UserCodeError as error:
        missing = error.__cause__
        own = isinstance(missing, ModuleNotFoundError) and missing.name and f"{name}.".startswith(f"{missing.name}.")
        if own:
            raise messages.no_module(name, str(Path.cwd())) from None
        raise


def _from_file(text: str) -> ModuleType:
    """Run a file as a module, with its folder first on the path."""
    path = Path(text)
    if not path.is_file():
        raise messages.no_file(text)
    loaded = sys.modules.get(path.stem)
    if loaded is not None and getattr(loaded, "__file__", None) == str(path.resolve()):
        return loaded
    name = path.stem if loaded is None and path.stem.isidentifier() else f"_{path.stem}_of_command"
    spec = importlib.util.spec_from_file_location(name, path.resolve())
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        with _folder(str(path.resolve().parent)), users_code(text):
            spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


@contextlib.contextmanager
def _folder(path: str) -> Iterator[None]:
    sys.path.insert(0, path)
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):
            sys.path.remove(path)


def load_gradient(text: str) -> Callable[..., Any]:
    """Return the function that ``--gradient`` names.

    Raises:
        InputError: If it names none.
    """
    if not names_function(text):
        raise messages.usage(f"--gradient {text!r} is not of the form module:function")
    function: Callable[..., Any] = load(text)
    if not callable(function):
        raise messages.not_callable(text, type(function).__name__)
    return function


def by_names(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that is called with those of the arguments by name that it has."""
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):  # it is not written in Python
        return function
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return function

    @functools.wraps(function)
    def call(*arguments: Any, **named: Any) -> Any:
        return function(*arguments, **{key: value for key, value in named.items() if key in parameters})

    return call


def guarded(function: Callable[..., Any], what: str) -> Callable[..., Any]:
    """Return a function of the user's that is called with the arguments by name that it has; errors say where."""
    called = by_names(function)

    @functools.wraps(called)
    def call(*arguments: Any, **named: Any) -> Any:
        with users_code(what):
            return called(*arguments, **named)

    return call
