"""Functions that a module is given: what `functions=` says of them, and the function around the emitted one."""

import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from symback.errors import functions as messages
from symback.ops.numerics.bound import entry_by_entry
from symback.ops.undefined import Partial, implementation

Functions = Mapping[str, Any]
"""For each name a callable, a tuple of it and its derivatives, or a dict from orders to callables."""


def maker_name(name: str) -> str:
    """Return the name of the function that makes the emitted one from the functions that it calls."""
    return f"make_{name}"


def checked_functions(functions: Any, operation: str = "lambdify") -> Functions:
    """Return what `functions=` of an operation gives, if it can be that.

    Raises:
        InputError: If it is no dict from names, or holds something else than callables.
    """
    if functions is None:
        return {}
    if not isinstance(functions, Mapping) or not all(isinstance(name, str) for name in functions):
        raise messages.bad_functions(functions, "it is no dict whose keys are names", operation)
    for name, given in functions.items():
        if not _is_right(given):
            reason = f"what it gives for {name} is no callable, and none of these"
            raise messages.bad_functions(functions, reason, operation)
    return functions


def _is_right(given: Any) -> bool:
    if isinstance(given, Mapping):
        orders = [key if isinstance(key, tuple) else (key,) for key in given]
        counted = all(key and all(type(count) is int and count >= 0 for count in key) for key in orders)
        return counted and all(map(callable, given.values()))
    if isinstance(given, (tuple, list)):
        return all(part is None or _is_right(part) for part in given)
    return callable(given)


def bound(
    needed: Mapping[Partial, str], functions: Functions, operation: str = "lambdify"
) -> dict[str, Callable[..., Any]]:
    """Return the callable for each function that a module needs, by the name that it has there.

    Raises:
        InputError: If one is missing; the message says which derivative of which function.
        InvalidNameError: If two different functions have one name.
    """
    kinds: dict[str, Any] = {}
    for function in needed:
        if kinds.setdefault(function.name, _kind(function)) != _kind(function):
            raise messages.two_functions(function.name)
    return {word: _callable(function, functions, operation) for function, word in _sorted(needed)}


def _kind(function: Partial) -> tuple[Any, ...]:
    return function.head, len(function.orders), function.facts


def _sorted(needed: Mapping[Partial, str]) -> list[tuple[Partial, str]]:
    return sorted(needed.items(), key=lambda pair: (pair[0].name, pair[0].order, pair[0].places))


def _callable(function: Partial, functions: Functions, operation: str) -> Callable[..., Any]:
    found = given_for(function, functions)
    if found is None:
        raise messages.missing(function, operation)
    return found


def given_for(function: Partial, functions: Functions) -> Callable[..., Any] | None:
    """Return the callable for a function: that which is given, else what its class brings along."""
    found = _given(function, functions[function.name]) if function.name in functions else None
    return implementation(function) if found is None else found


def _given(function: Partial, given: Any) -> Callable[..., Any] | None:
    """Find a partial derivative: in a dict by its orders, in a tuple one level deeper for each derivative."""
    if isinstance(given, Mapping):
        keys = (function.orders, function.order) if len(function.orders) == 1 else (function.orders,)
        return next((given[key] for key in keys if key in given), None)
    if not isinstance(given, (tuple, list)):
        return None if function.order else _plain(given)
    found = given[function.order] if function.order < len(given) else None
    for place in function.places if len(function.orders) > 1 else ():
        if callable(found) or found is None or isinstance(found, Mapping) or len(found) != len(function.orders):
            return None
        found = found[place - 1]
    return _plain(found)


def _plain(found: Any) -> Callable[..., Any] | None:
    return found if callable(found) else None


# -- text -----------------------------------------------------------------------------------------------------


def said_of(needed: Mapping[Partial, str]) -> list[str]:
    """Say for each function that a module needs what it must be."""
    return [f"{word}: {_said(function)}" for function, word in _sorted(needed)]


def _said(function: Partial) -> str:
    arguments = len(function.orders)
    if function.order:
        return f"{function.words[:1].upper()}{function.words[1:]}."
    return f"The function {function.name}, of {'one argument' if arguments == 1 else f'{arguments} arguments'}."


def maker_text(name: str, definition: str, needed: Mapping[Partial, str]) -> str:
    """Return the text of the function that makes the emitted one.

    Args:
        name: The name of the emitted function.
        definition: Its text, on lines that are not broken yet.
        needed: The functions that it calls, with their names.
    """
    words = [word for _, word in _sorted(needed)]
    inner = [f"    {line}" if line else "" for line in definition.split("\n")]
    return "\n".join(
        [
            f"def {maker_name(name)}({', '.join(words)}):",
            f'    """Return {name} for given functions, which work entry by entry on arrays.',
            "",
            "    Args:",
            *(_wrapped(line) for line in said_of(needed)),
            '    """',
            *(f'    {word} = {entry_by_entry.__name__}("{word}", {word})' for word in words),
            "",
            *inner,
            "",
            f"    return {name}",
        ]
    )


def _wrapped(line: str) -> str:
    return textwrap.fill(line, 88, initial_indent=" " * 8, subsequent_indent=" " * 12, break_long_words=False)


def docstring_lines(needed: Mapping[Partial, str], width: int) -> Sequence[str]:
    """Say in the docstring of a function which functions it calls."""
    if not needed:
        return []
    said = [word if not function.order else f"{word}, {function.words}" for function, word in _sorted(needed)]
    return textwrap.wrap(f"Calls {'; '.join(said)}.", width, break_long_words=False)
