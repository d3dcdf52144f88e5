"""Interning: of each expression there is one object, so that equality is identity.

Each class keeps a table from a key, for a node the tuple of its arguments, which exists anyway, to a
weak reference to the object.
"""

import operator
import threading
import weakref
from typing import Any, ClassVar, Self, cast

from sympy.core.basic import Atom, Basic

Key = tuple[Any, ...]

set_args, _set_mhash, _set_assumptions = (vars(Basic)[name].__set__ for name in ("_args", "_mhash", "_assumptions"))
"""What writes into an object while it is made; afterwards a node refuses (`Node.__setattr__`)."""

_lock = threading.RLock()


class _Entry(weakref.ref["Interned"]):
    """A weak reference that knows its key, so that a dead object leaves its table."""

    __slots__ = ("key", "table")
    key: Key
    table: "dict[Key, _Entry]"


def _forget(entry: Any) -> None:
    table, key = entry.table, entry.key
    with _lock:
        if table.get(key) is entry:
            del table[key]


class Interned(Basic):
    """A SymPy object of which there is one for each key."""

    __slots__ = ("__weakref__",)
    _table: ClassVar[dict[Key, _Entry]]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls._table = {}

    @classmethod
    def find(cls, key: Key) -> Self | None:
        """Return the living object of this key, if there is one."""
        entry = cls._table.get(key)
        return None if entry is None else cast(Self | None, entry())

    @classmethod
    def enter(cls, key: Key, made: Self) -> Self:
        """Make `made` the object of its key, unless another thread was first.

        An entry is added by `dict.setdefault`, which is atomic, and removed under the lock when its object
        is dead; it is never overwritten, so that no two living objects can have one key.
        """
        _set_mhash(made, None)
        _set_assumptions(made, cls.default_assumptions)
        entry = _Entry(made, _forget)
        entry.key = key
        table = entry.table = cls._table
        while True:
            present = table.setdefault(key, entry)
            if present is entry:
                return made
            other = present()
            if other is not None:
                return cast(Self, other)
            _forget(present)

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other

    def __ne__(self, other: object) -> bool:
        return self is not other

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self


class Param(Interned, Atom):
    """A static parameter of a node: what it holds is compared together with its type."""

    __slots__ = ("value",)
    value: Any

    def __new__(cls, value: Any) -> Self:
        """Return the parameter that holds `value`, which is hashable."""
        key = (_typed(value),)
        found = cls.find(key)
        return cls.enter(key, cls._holding(value)) if found is None else found

    @classmethod
    def _holding(cls, value: Any) -> Self:
        """Make the object, complete before any other thread can find it."""
        made = object.__new__(cls)
        made._args = ()
        made.value = value
        return made

    def __reduce_ex__(self, protocol: Any) -> Any:
        return type(self), (self.value,)

    def _sympystr(self, printer: Any) -> str:
        return str(self.value)

    _sympyrepr = _latex = _pretty = _sympystr

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.value!r})"


def _typed(value: Any) -> Any:
    """A key that tells 1 from 1.0 and True, and 0.0 from -0.0."""
    kind = type(value)
    if kind is int or kind is str or value is None:
        return value
    if kind is tuple:
        typed = tuple([_typed(item) for item in value])
        return value if all(map(operator.is_, typed, value)) else typed
    if isinstance(value, float):
        return float, value.hex()
    return kind, value
