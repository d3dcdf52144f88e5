"""Functions whose source is written into emitted modules that update arguments: what checks those.

Lines are at most 88 characters long, as those of emitted modules are.
"""

import functools
import inspect

import numpy as np

from symback.codegen.source.runtime import converted
from symback.errors import DtypeError, InputError


def updatable(name: str, value: object, dtype: str) -> np.ndarray:
    """Return an argument that can be written to as it is, or say why it cannot."""
    kind = str(type(value)).split("'")[1]
    if not isinstance(value, np.ndarray) or isinstance(value, np.ma.MaskedArray):
        cure = f"make it an array once, np.array({name}, {dtype!r}), and keep that"
        raise DtypeError(f"{name} is updated in place, but is a {kind}; {cure}")
    if value.dtype != dtype:
        cure = f"convert it once with .astype({dtype!r}), and keep that"
        wrong = f"has dtype {value.dtype}, wanted {dtype}"
        raise DtypeError(f"{name} is updated in place and {wrong}; {cure}")
    axes = zip(value.shape, value.strides, strict=True)
    repeats = any(size > 1 and step == 0 for size, step in axes)
    if repeats or not value.flags.writeable:
        fault = "has entries that share memory" if repeats else "is read-only"
        cure = "make it an array of its own once with .copy(), and keep that"
        raise InputError(f"{name} is updated in place, but {fault}; {cure}")
    return np.asarray(value)


def all_converted(given: dict, declared: dict) -> dict:
    """Return all arguments as they are declared; what is updated stays what it is."""
    sizes: dict = {}
    right = {}
    for name, (dtype, shape, *how) in declared.items():
        right[name] = converted(name, given[name], dtype, shape, sizes)
        if how:
            right[name] = updatable(name, given[name], dtype)
    return right


def kept_apart(arguments: dict, updated: list) -> None:
    """Raise if an argument that is updated shares memory with another one."""
    arrays = {name: x for name, x in arguments.items() if isinstance(x, np.ndarray)}
    owners: set = set()
    others: set = set()
    plain = True
    for name, x in arrays.items():
        owner = x if x.base is None else x.base
        plain = plain and type(owner) is np.ndarray and owner.base is None
        (owners if name in updated else others).add(id(owner))
    if plain and len(owners) == len(updated) and owners.isdisjoint(others):
        return  # each array that is updated is all that its memory holds
    for number, name in enumerate(updated):
        for other, x in arrays.items():
            done = other in updated[: number + 1]
            if not done and np.shares_memory(arrays[name], x):
                wrong = f"{name} is updated in place, but shares memory with {other}"
                raise InputError(f"{wrong}; pass a copy of one of them")


def checked_updates(**declared: tuple) -> object:
    """Check the arguments of a function: dtype and shape of each, and equal sizes.

    Those that it updates in place must be arrays already, of their dtype, writeable, and
    share no memory with others. Arguments of types, dtypes and shapes that have passed
    before are known to be right, but for where their memory is.
    """
    updated = [name for name, (_, _, *how) in declared.items() if how]

    def decorate(function):
        signature = inspect.signature(function)
        accepted: list = []

        @functools.wraps(function)
        def call(*arguments, **named):
            nonlocal accepted
            given = dict(zip(declared, arguments, strict=False))
            if named or len(arguments) != len(declared):
                given = signature.bind(*arguments, **named).arguments
            seen: list = []
            try:
                for value in given.values():
                    seen += type(value), value.dtype, value.shape
            except AttributeError:
                seen.clear()
            known = seen in accepted
            right = given
            flags = [given[x].flags for x in updated] if known else []
            if not known or not all(x.writeable and x.forc for x in flags):
                right = all_converted(given, declared)
                parts = [(type(x), x.dtype, x.shape) for x in right.values()]
                if seen == [part for several in parts for part in several]:
                    accepted = [seen, *accepted[:7]]
            kept_apart(right, updated)
            return function(*right.values())

        return call

    return decorate


FUNCTIONS = (updatable, all_converted, kept_apart, checked_updates)
"""What the check of arguments that are updated needs, each behind what it calls."""
