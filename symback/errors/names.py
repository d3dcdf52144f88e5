"""Messages about names and their looks in print."""

from typing import Any

from symback.errors.kinds import InvalidNameError
from symback.errors.words import show


def bad_name(name: object, reason: str) -> InvalidNameError:
    """A name that cannot stand in emitted code."""
    return InvalidNameError(
        f"{name!r} cannot be used as a name: {reason}; use letters, digits and underscores, "
        "starting with a letter (give the look in print by latex=...)"
    )


def name_clash(name: str, first: Any, second: Any) -> InvalidNameError:
    """One name for two different things."""
    return InvalidNameError(
        f"the name {name!r} stands for two different things: {show(first)} of {first.dtype} and "
        f"{show(second)} of {second.dtype}; rename one"
    )


def symbol_clash(name: str) -> InvalidNameError:
    """Two SymPy symbols of one name that differ in their kind, their shape or their assumptions."""
    return InvalidNameError(
        f"two different SymPy symbols are called {name!r} (their kinds, shapes or assumptions differ, or one is a "
        "Dummy); rename one, or make both alike"
    )
