"""What traced code finds under NumPy's and SciPy's names: the functions themselves, until a traced value is involved.

Nothing of NumPy is changed: a copy of the traced function is given other globals, in which modules are `Module`s and
functions are `Function`s.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from symback.errors import numpy as numpy_messages
from symback.errors import tracing as messages
from symback.interop.creation import made
from symback.interop.recording import (
    Selection,
    argument,
    has_node,
    has_proxy,
    is_traced,
    stacked,
    traced_ufunc,
    unwrapped,
    wrapped,
    written_out,
)
from symback.interop.storage import Name
from symback.interop.tracer import Tracer
from symback.nodes.display import HOOKS
from symback.nodes.node import METHODS, Node
from symback.nodes.protocols import call_bound, counterpart, qualified_name

Convert = Callable[[Any], Any]

RANDOM = (np.random.Generator, np.random.RandomState)
"""What draws random numbers."""


class Module:
    """A module as traced code sees it: its functions record, its modules are such modules."""

    def __init__(self, module: ModuleType, convert: Convert) -> None:
        self.__dict__.update(_module=module, _convert=convert, __name__=module.__name__)

    def __getattr__(self, name: str) -> Any:
        value = self._convert(getattr(self._module, name))
        if not isinstance(value, Module) or not name.startswith("__"):
            self.__dict__[name] = value
        return value

    def __dir__(self) -> list[str]:
        return dir(self._module)

    def __repr__(self) -> str:
        return f"<traced {self._module!r}>"


class Function:
    """A function of NumPy, SciPy or symback as traced code sees it."""

    def __init__(self, function: Any, label: Name) -> None:
        self._function = function
        self._label = label
        self._library, self._name = qualified_name(function)
        self.__name__ = getattr(function, "__name__", "function")

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Call the function, or what records it."""
        return call_named(self._library, self._name, self._function, args, options, self._label)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._function, name)
        if isinstance(self._function, np.ufunc) and name in ("reduce", "accumulate", "outer", "at", "reduceat"):
            return lambda *args, **options: _ufunc_method(self._function, name, args, options, self._label)
        return found

    def __eq__(self, other: object) -> bool:
        return self._function is getattr(other, "_function", other)

    def __hash__(self) -> int:
        return hash(self._function)

    def __repr__(self) -> str:
        return repr(self._function)


class Random:
    """A source of random numbers, which traced code must not use."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise messages.random_numbers(f"{self._name}.{name}")

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Refuse."""
        raise messages.random_numbers(self._name)


def _ufunc_method(ufunc: Any, method: str, args: Sequence[Any], options: Mapping[str, Any], label: Name) -> Any:
    """Call a method of a ufunc; a known array that is changed by ``at`` must be the traced code's own."""
    if has_proxy((list(args), dict(options))):
        names = {"axis": 1, "dtype": 2, "out": 3}
        places = [option for option, place in names.items() if method != "at" and place < len(args)]
        if method in ("reduce", "accumulate") and places:
            options = {**dict(zip(names, args[1:], strict=False)), **options}
            args = args[:1]
        return traced_ufunc(ufunc, method, args, options, label)
    return wrapped(getattr(ufunc, method)(*args, **options), label, ufunc.__name__)


def call_named(
    library: str, name: str, function: Any, args: Sequence[Any], options: Mapping[str, Any], label: Name
) -> Any:
    """Call a function: the thing itself if nothing is traced, else the function of symback for it."""
    proxies = has_proxy((list(args), dict(options)))
    if library == "numpy" and name.startswith("random."):
        raise messages.random_numbers(f"np.{name}")
    if not proxies:
        return _held(function(*args, **options), args, label, name)
    if isinstance(function, np.ufunc):
        return traced_ufunc(function, "__call__", args, options, label)
    if library == "numpy":
        array = made(name, args, options, label)
        if array is not None:
            return array
    if any(type(value) is Selection for value in (*args, *options.values())):
        raise messages.masked_selection(f"{library}.{name}")
    options = dict(options)
    out = options.pop("out", None)
    result = _called(library, name, function, args, options, label)
    return result if out is None else written_out(out, result, name)


def _held(result: Any, args: Sequence[Any], label: Name, name: str) -> Any:
    """Return a result of known arguments; one that shares memory with them belongs to the caller."""
    arrays = [value for value in args if isinstance(value, np.ndarray)]
    if isinstance(result, np.ndarray) and any(np.may_share_memory(result, array) for array in arrays):
        return argument(result, label)
    return wrapped(result, label, name)


def _called(
    library: str, name: str, function: Any, args: Sequence[Any], options: Mapping[str, Any], label: Name
) -> Any:
    plain, given = [unwrapped(value) for value in args], unwrapped(dict(options))
    if library == "numpy" and name in _IN_PLACE:
        return _IN_PLACE[name](*args, **options)
    if library == "numpy" and (name in _NOT_IN_PLACE or (name == "nan_to_num" and given.get("copy") is False)):
        raise messages.not_recorded(f"numpy.{name}", _NOT_IN_PLACE.get(name, "leave copy=False out"))
    if library == "numpy" and name == "isscalar":
        return type(args[0]) is Tracer and args[0].is_number
    if not is_traced((plain, given)):
        return wrapped(function(*plain, **given), label, name, list(args))
    if library == "symback":
        return wrapped(function(*plain, **given), label, name, list(args))
    if name in _OF_SEQUENCES:
        plain = [[stacked(item) if _mixed(item) else item for item in v] if type(v) in _LISTS else v for v in plain]
    else:
        plain = [stacked(value) if _mixed(value) else value for value in plain]
    if name == "meshgrid" and given.get("copy") is False:
        raise numpy_messages.not_supported_option(name, ["copy=False"])
    if name == "diff" and (given.get("n", plain[1] if len(plain) > 1 else 1)) == 0:
        return wrapped(plain[0], label, "diff with n=0", list(args))
    if library == "scipy" and name in _ADAPTED:
        return wrapped(_ADAPTED[name](*plain, **given), label, name, list(args))
    ours = counterpart(name, library=library)
    return wrapped(call_bound(ours, function, name, plain, given, library=library), label, name, list(args))


_LISTS = (list, tuple)

_OF_SEQUENCES = frozenset({
    "concatenate", "stack", "vstack", "hstack", "dstack", "column_stack", "block", "select", "linalg.multi_dot",
    "einsum", "meshgrid", "row_stack", "concat", "einsum_path", "choose",
})  # fmt: skip
"""The functions that take lists as lists."""


def _mixed(value: Any) -> bool:
    """Is this a list in place of an array, with traced values in it?"""
    return type(value) in (list, tuple) and has_node(value)


def _copy_to(dst: Any, src: Any, casting: str = "same_kind", where: Any = True) -> None:
    """Record `numpy.copyto`."""
    if casting != "same_kind":
        raise numpy_messages.not_supported_option("copyto", ["casting="])
    if not hasattr(dst, "store"):
        raise messages.outside_array("numpy.copyto")
    new = HOOKS["traced_call"]("broadcast_to", (src, unwrapped(dst).shape), {}, dst.name())
    if where is not True:
        new = HOOKS["traced_call"]("where", (where, new, dst), {}, dst.name())
    dst.store(new, "numpy.copyto")


def _fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    """Record `numpy.fill_diagonal`."""
    if wrap or np.ndim(a) != 2:
        raise numpy_messages.not_supported_option("fill_diagonal", ["wrap=, or an array that is no matrix"])
    if not hasattr(a, "store"):
        raise messages.outside_array("numpy.fill_diagonal")
    places = np.arange(min(a.shape))
    value = stacked(val) if type(val) in _LISTS else unwrapped(val)
    if np.ndim(value) and value.shape != places.shape:  # NumPy repeats what is too short
        if isinstance(value, Node):
            raise messages.not_recorded("numpy.fill_diagonal by values of another number", "repeat them by np.tile")
        value = np.resize(value, places.shape)
    a[places, places] = value


_IN_PLACE: dict[str, Callable[..., None]] = {"copyto": _copy_to, "fill_diagonal": _fill_diagonal}
"""The functions that write into their first argument, as they are recorded."""

_NOT_IN_PLACE = {
    "put": "write x[index] = value, with np.unravel_index(index, x.shape) for more than one axis",
    "place": "write x[mask] = value, or x[...] = np.where(mask, values, x)",
    "putmask": "write x[mask] = value, or x[...] = np.where(mask, values, x)",
    "put_along_axis": "write x[rows, index] = value, with index arrays for all axes",
}
"""Those that are not recorded, and what to write."""


def _cholesky(a: Any, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """Answer `scipy.linalg.cholesky`, which gives the upper factor, of the upper half, by default."""
    factor = counterpart("linalg.cholesky")
    return factor(a) if lower else METHODS["transpose"](factor(METHODS["transpose"](a)))


_ADAPTED: dict[str, Callable[..., Any]] = {"linalg.cholesky": _cholesky}
"""SciPy's functions that mean something else than NumPy's of the same name."""


def library_of(value: Any) -> str:
    """Return the library that a module or a function belongs to."""
    name = value.__name__ if inspect.ismodule(value) else getattr(value, "__module__", None) or ""
    if not name and isinstance(value, np.ufunc):
        return qualified_name(value)[0]
    return str(name).partition(".")[0]


HOOKS["traced_named"] = call_named
