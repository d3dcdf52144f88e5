"""What belongs to the code outside of a traced function: containers and objects that it must leave as they are.

A change would happen once, when the function is traced, and leave proxies or frozen numbers behind. Arrays that traced
code finds by itself are proxies, which refuse to be written to; those within objects are compared at the end.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import CellType, ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import sympy

from symback.errors import tracing as messages
from symback.interop.recording import has_proxy

_MOST = 1000
"""Containers of more items, and more things within one another, are not looked into."""

_VALUES = (str, bytes, int, float, complex, type(None), type, np.generic, sympy.Basic, ModuleType)


_LIBRARIES = sys.stdlib_module_names | {"numpy", "scipy", "sympy", "symback"}
"""Libraries whose objects keep their state to themselves."""


class Outside:
    """Remembers what outer things held, and puts back what was changed."""

    def __init__(self) -> None:
        self._seen: dict[int, tuple[Any, Any, bool]] = {}

    def watch(self, value: Any, *, copied: bool = False) -> None:
        """Remember what a container or an object holds; one that was copied for the trace must not grow either."""
        pending = [(value, copied)]
        while pending and len(self._seen) < _MOST:
            held, own = pending.pop()
            if id(held) in self._seen or isinstance(held, _VALUES):
                continue
            state = _state(held)
            if state is not None:
                self._seen[id(held)] = held, state, own
                pending.extend((item, False) for item in _items(state))

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Refuse a traced function that changed what is watched, and undo what it did."""
        try:
            yield
        except BaseException:
            self._undone()
            raise
        changed = self._undone()
        if changed is not None:
            raise messages.changed_outside(changed)

    def _undone(self) -> str | None:
        """Put everything back, and name what was changed."""
        found = None
        for held, state, own in self._seen.values():
            now = _state(held)
            if _is_changed(state, now, own):
                _restore(held, state)
                found = found or ("a nonlocal variable" if type(held) is CellType else f"a {type(held).__name__}")
        return found


def _state(held: Any) -> Any:
    """Return a shallow copy of what is held; None of what holds nothing that is known."""
    if type(held) is np.ndarray:
        return held.copy() if held.dtype != object else None
    if type(held) in (dict, list, set):
        return held.copy() if len(held) <= _MOST else None
    if type(held) is CellType:
        return _contents(held)
    if type(held) is tuple:
        return held if len(held) <= _MOST else None
    if type(held).__module__.partition(".")[0] in _LIBRARIES and type(held) is not SimpleNamespace:
        return None
    own = getattr(held, "__dict__", None)
    return dict(own) if type(own) is dict else None


def _contents(cell: CellType) -> Any:
    """Return what a variable of an enclosing function holds; None if nothing was assigned to it yet."""
    try:
        return [cell.cell_contents]
    except ValueError:
        return None


def _items(state: Any) -> list[Any]:
    if isinstance(state, np.ndarray):
        return []
    return list(state.values()) if isinstance(state, dict) else list(state)


def _is_changed(before: Any, now: Any, own: bool) -> bool:
    """Was an entry exchanged or lost, or a traced value put in?"""
    if isinstance(before, np.ndarray):
        return bool(before.shape != now.shape or before.tobytes() != now.tobytes())
    if now is None or (own and len(now) != len(before)):
        return True
    if isinstance(before, dict):
        kept = all(key in now and now[key] is value for key, value in before.items())
        return not kept or has_proxy([value for key, value in now.items() if key not in before])
    if isinstance(before, set):
        return not before <= now or has_proxy(list(now - before))
    kept = len(now) >= len(before) and all(new is old for new, old in zip(now, before, strict=False))
    return not kept or has_proxy(list(now[len(before) :]))


def _restore(held: Any, state: Any) -> None:
    if isinstance(held, np.ndarray):
        held[...] = state
    elif isinstance(held, list):
        held[:] = state
    elif isinstance(held, CellType):
        (held.cell_contents,) = state
    elif isinstance(held, (dict, set)):
        held.clear()
        held.update(state)
    else:
        held.__dict__.clear()
        held.__dict__.update(state)
