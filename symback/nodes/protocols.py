"""NumPy's protocols: which function of symback answers a function, a ufunc or a method of a ufunc of NumPy or SciPy.

Functions are found by their qualified name (`np.linalg.trace` is not `np.trace`). Arguments are bound by NumPy's own
signature, so that the array may be passed by NumPy's name for it; an argument that ours lacks is refused unless it
has NumPy's default.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from inspect import Parameter, Signature, signature
from typing import Any

import numpy as np

from symback.errors import numpy as messages
from symback.nodes.display import HOOKS
from symback.nodes.leaves import as_node
from symback.nodes.operators import METHODS
from symback.nodes.shapes import product

Function = Callable[..., Any]
Call = Callable[..., Any]


def counterpart(name: str, *, library: str = "numpy") -> Function:
    """Return the function of a qualified name, or raise the error that names the nearest.

    Raises:
        UsageError: If there is none.
    """
    function = METHODS.get(name)
    if function is None:
        raise messages.not_supported_numpy(name, HOOKS["public_names"](), library)
    return function


def qualified_name(function: Any) -> tuple[str, str]:
    """Return the library of a function and its name there: (``"numpy"``, ``"linalg.solve"``)."""
    if isinstance(function, np.ufunc):
        name = function.__name__
        if getattr(np, name, None) is function or name not in _scipy_ufuncs():
            return "numpy", name
        return "scipy", f"special.{name}"
    library, *parts = (getattr(function, "__module__", None) or "numpy").split(".")
    path = [part for part in parts if not part.startswith("_") and part != "lib"]
    return library, ".".join([*path[: 1 if library == "scipy" else None], function.__name__])


@lru_cache(maxsize=1)
def _scipy_ufuncs() -> frozenset[str]:
    """Return the names of SciPy's ufuncs; asked for only where a ufunc is not NumPy's."""
    try:
        from scipy import special
    except ModuleNotFoundError:
        return frozenset()
    return frozenset(name for name, value in vars(special).items() if isinstance(value, np.ufunc))


# -- ufuncs -------------------------------------------------------------------------------------------

_REDUCTIONS = {
    "add": "sum", "multiply": "prod", "maximum": "max", "minimum": "min", "logical_and": "all", "logical_or": "any",
    "bitwise_and": "all", "bitwise_or": "any", "logaddexp": "special.logsumexp",
}  # fmt: skip
_ACCUMULATIONS = {"add": "cumsum", "multiply": "cumprod"}
_ANY_CALL = {"where": True, "casting": "same_kind", "order": "K", "subok": True, "dtype": None, "out": None}
"""The options of every ufunc, with their defaults."""


def ufunc_call(ufunc: Any, method: str, inputs: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """Answer `numpy.ndarray.__array_ufunc__` on nodes.

    Raises:
        UsageError: If there is no counterpart, or an option has none.
    """
    library, name = qualified_name(ufunc)
    given = {key: value for key, value in options.items() if not _same(value, _ANY_CALL.get(key, _UNSET))}
    if method == "__call__":
        function = METHODS.get(name) or METHODS.get(name.removeprefix("special.")) or counterpart(name, library=library)
        if given:
            raise messages.not_supported_option(name, [f"{option}=" for option in given], library)
        return function(*inputs)
    if method == "reduce" and name in _REDUCTIONS:
        return _along(f"{name}.reduce", _REDUCTIONS[name], inputs, given)
    if method == "accumulate" and name in _ACCUMULATIONS:
        return _along(f"{name}.accumulate", _ACCUMULATIONS[name], inputs, given)
    if method == "outer" and not given and len(inputs) == 2:
        left, right = map(as_node, inputs)
        return counterpart(name)(METHODS["reshape"](left, (*left.shape, *[1] * len(right.shape))), right)
    raise messages.not_supported_numpy(f"{name}.{method}", HOOKS["public_names"](), library)


def _along(called: str, name: str, inputs: Sequence[Any], given: Mapping[str, Any]) -> Any:
    """Reduce or accumulate: along axis 0 by default, unlike the function of that purpose."""
    names = ("axis", "dtype", "out", "keepdims", "initial", "where")
    options: dict[str, Any] = {"axis": 0, **dict(zip(names, inputs[1:], strict=False)), **given}
    options = {key: value for key, value in options.items() if key == "axis" or not _absent(value)}
    function = METHODS.get(name) or counterpart(name.rpartition(".")[2])
    _check_options(called, function, options)
    return function(inputs[0], **options)


# -- functions ------------------------------------------------------------------------------------------


def function_call(function: Any, args: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """Answer `numpy.ndarray.__array_function__` on nodes.

    Raises:
        UsageError: If there is no counterpart, or an argument has none.
    """
    library, name = qualified_name(function)
    return call_bound(counterpart(name, library=library), function, name, args, options, library=library)


def call_bound(
    ours: Function, theirs: Any, name: str, args: Sequence[Any], options: Mapping[str, Any], *, library: str = "numpy"
) -> Any:
    """Call a function of ours with the arguments given to NumPy's.

    Raises:
        UsageError: If an argument has no counterpart.
    """
    if name == "where" and len(args) + len(options) == 1:
        raise messages.not_supported_numpy("where with one argument")
    form, wanted = signature_of(theirs), signature_of(ours)
    places, named = list(args), {key: value for key, value in options.items() if not _absent(value)}
    try:
        if form is not None and wanted is not None and not _is_variadic(form):
            places, named = _translated(form, wanted, form.bind(*args, **options).arguments)
        if wanted is not None:
            wanted.bind(*places, **named)
    except TypeError as error:
        raise messages.not_supported_option(name, [str(error)], library) from None
    return ours(*places, **named)


def _is_variadic(form: Signature) -> bool:
    return any(p.kind is Parameter.VAR_POSITIONAL for p in form.parameters.values())


def _translated(form: Signature, wanted: Signature, given: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """Return arguments by NumPy's names as arguments of ours: by name where ours has it, else by place."""
    ours = [name for name, p in wanted.parameters.items() if p.kind in _BY_PLACE]
    most = math.inf if _is_variadic(wanted) else len(ours)
    places: list[Any] = []
    named: dict[str, Any] = {}
    for place, (name, parameter) in enumerate(form.parameters.items()):
        if name not in given:
            continue
        nameless = parameter.default is Parameter.empty or parameter.kind is Parameter.POSITIONAL_ONLY
        if place == len(places) < most and nameless:
            places.append(given[name])
        elif name in wanted.parameters or not _is_default(given[name], parameter):
            named[name] = given[name]
    if any(p.kind is Parameter.VAR_KEYWORD for p in form.parameters.values()):
        named.update(given.get(_variable_keywords(form), {}))
        named.pop(_variable_keywords(form), None)
    return places, named


def _variable_keywords(form: Signature) -> str:
    return next(name for name, p in form.parameters.items() if p.kind is Parameter.VAR_KEYWORD)


def _is_default(value: Any, parameter: Parameter) -> bool:
    return _absent(value) or _same(value, parameter.default)


def _absent(value: Any) -> bool:
    """Does an argument say what leaving it out says?"""
    return value is None or value is np._NoValue


def _same(value: Any, default: Any) -> bool:
    """Are an argument and a default one plain value?"""
    if value is default:
        return True
    return type(value) is type(default) and type(value) in (bool, int, float, str) and bool(value == default)


_UNSET = object()
_BY_PLACE = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)


@cache
def signature_of(function: Function) -> Signature | None:
    """Return the signature of a function; None for a function in C that has none, or takes anything."""
    try:
        found = signature(function)
    except (TypeError, ValueError):
        return None
    kinds = [p.kind for p in found.parameters.values()]
    return None if kinds == [Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD] else found


def _check_options(name: str, function: Function, options: Mapping[str, Any]) -> None:
    found = signature_of(function)
    if found is None or any(p.kind is Parameter.VAR_KEYWORD for p in found.parameters.values()):
        return
    unknown = [f"{option}=" for option in options if option not in found.parameters]
    if unknown:
        raise messages.not_supported_option(name, unknown)


# -- methods ---------------------------------------------------------------------------------------------


def method_call(name: str, operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """Answer a method or an operator whose function is missing, or that has options."""
    function = counterpart(name)
    _check_options(name, function, options)
    return function(*operands, **options)


HOOKS.update(ufunc=ufunc_call, array_function=function_call, method=method_call, size=product)
