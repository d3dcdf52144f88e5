"""Nested lists, tuples and dicts of leaves, and objects made of several arrays: taken apart and put together again."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from symback import errors

Nested: TypeAlias = Any
"""A leaf, or a list, tuple, dict or `Packed` of Nested."""


@dataclass(frozen=True, eq=False)
class Packed:
    """An output that is one object made of several arrays: emitted code returns a call, with the parts as arguments.

    Wherever outputs are nodes, lists, tuples and dicts, this is one more structure, whose leaves are the parts.

    Attributes:
        parts: The nodes that the object is made of, in the order of ``{0}``, ``{1}``, ...; none may leave unchanged.
        template: The expression that makes the object, as for `str.format`: ``{0}`` stands for what the first part is
            written as, ``{shape}`` for the parameter of that name. It is source: nothing from outside may be in it.
        parameters: Literals: numbers, strings, booleans, None, sizes (symbolic ones too), slices, tuples of those (an
            index if there are slices among them), and NumPy arrays, which become constants of the module under the name
            of the parameter in capitals.
        imports: Modules that the template uses: ``(("scipy", "sparse"),)`` is ``from scipy import sparse``.
        helpers: Functions and classes that the template uses, whose source is written into the module.

    Example:
        >>> import numpy as np, symback as sb
        >>> x = sb.tensor("x", ("n",))
        >>> template = "sparse.dia_array(({0}[None, :], [0]), shape={shape})"
        >>> made = Packed((2 * x,), template, {"shape": (x.shape[0],) * 2}, imports=(("scipy", "sparse"),))
        >>> print(sb.lambdify([x], {"H": made}, check=False).source.splitlines()[-1].strip())
        return {"H": sparse.dia_array(((2 * x)[None, :], [0]), shape=(n, n))}
    """

    parts: tuple[Any, ...]
    template: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    imports: tuple[tuple[str, str], ...] = ()
    helpers: tuple[Callable[..., Any], ...] = ()


def leaves_of(nested: Nested) -> list[Any]:
    """Return the leaves from left to right."""
    if isinstance(nested, Packed):
        return list(nested.parts)
    if isinstance(nested, (list, tuple)):
        return [leaf for item in nested for leaf in leaves_of(item)]
    if isinstance(nested, dict):
        return [leaf for item in nested.values() for leaf in leaves_of(item)]
    return [nested]


def packed_in(nested: Nested) -> list[Packed]:
    """Return the objects made of several arrays in a structure, from left to right."""
    if isinstance(nested, Packed):
        return [nested]
    if isinstance(nested, dict):
        nested = list(nested.values())
    return [found for item in nested for found in packed_in(item)] if isinstance(nested, (list, tuple)) else []


def with_packed(nested: Nested, outputs: Nested) -> Nested:
    """Return a structure with the objects made of several arrays that `outputs` has in their places."""
    if isinstance(outputs, Packed):
        return outputs
    if isinstance(outputs, dict):
        return {key: with_packed(nested[key], item) for key, item in outputs.items()}
    if isinstance(outputs, (list, tuple)):
        return [with_packed(inner, item) for inner, item in zip(nested, outputs, strict=True)]
    return nested


def refill(nested: Nested, leaves: Iterable[Any]) -> Nested:
    """Return the same structure with other leaves, given from left to right."""
    return _refill(nested, iter(leaves))


def _refill(nested: Nested, leaves: Iterator[Any]) -> Nested:
    if isinstance(nested, Packed):
        return replace(nested, parts=tuple(next(leaves) for _ in nested.parts))
    if isinstance(nested, tuple) and hasattr(nested, "_fields"):
        return type(nested)(*[_refill(item, leaves) for item in nested])
    if isinstance(nested, (list, tuple)):
        return type(nested)([_refill(item, leaves) for item in nested])
    if isinstance(nested, dict):
        return {key: _refill(item, leaves) for key, item in nested.items()}
    return next(leaves)


def leaves_as_in(structure: Nested, nested: Nested, *, operation: str, what: str) -> list[Any]:
    """Return the leaves of what is nested as `structure` is, in the order of its leaves: dicts are matched by key.

    Lists and tuples are the same here.

    Args:
        structure: What tells the order.
        nested: What is taken apart.
        operation: Who asks, for the message.
        what: What `structure` is, for the message: ``"outputs"``.

    Raises:
        InputError: If they are nested differently; the message says where.
    """
    return _leaves_as_in(structure, nested, "", (operation, what))


def _leaves_as_in(structure: Nested, nested: Nested, place: str, asked: tuple[str, str]) -> list[Any]:
    if _kind(structure) != _kind(nested):
        operation, what = asked
        raise errors.other_structure(
            operation, what, f"at {place}, " if place else "", _described(structure), _described(nested)
        )
    if _kind(structure) is None:
        return [nested]
    keys = structure if isinstance(structure, dict) else range(len(structure))
    return [leaf for key in keys for leaf in _leaves_as_in(structure[key], nested[key], f"{place}[{key!r}]", asked)]


def _kind(nested: Nested) -> tuple[type, Any] | None:
    """Return what two structures must have in common here: the keys of a dict, the length of a list or tuple."""
    if isinstance(nested, dict):
        return dict, nested.keys()
    return (list, len(nested)) if isinstance(nested, (list, tuple)) else None


def _described(nested: Nested) -> str:
    if isinstance(nested, dict):
        return f"a dict with the keys {list(nested)}"
    return f"a {type(nested).__name__} of {len(nested)}" if isinstance(nested, (list, tuple)) else "one array"
