"""The functions that users call, by the names under which NumPy and SciPy know them.

`public` enters a function that is made of primitives; elementwise primitives enter themselves. The table says
what the documentation prints of a function and what the generic tests run it on.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias, TypeVar

from symback import errors
from symback.nodes.display import HOOKS
from symback.nodes.node import METHODS

Named = TypeVar("Named", bound=Callable[..., Any])

Example: TypeAlias = Callable[[Callable[..., Any], Callable[..., Any]], Any]
"""A call, from the function (symback's, or NumPy's) and a maker of its operands, ``make(name, shape)``."""


@dataclass(frozen=True, kw_only=True)
class PublicFunction:
    """A function that users call.

    Attributes:
        name: NumPy's or SciPy's name for it: ``"sum"``, ``"linalg.solve"``, ``"special.erf"``.
        function: What is called.
        examples: Calls, on nodes or on arrays: what the generic tests run. Of an elementwise primitive they
            follow from its domain.
        aliases: Further names under which NumPy or SciPy know it.
        defined: Where it is defined, in words or LaTeX; empty if everywhere.
        kinks: What comes out where there is no derivative, or at the ends of the domain; empty if there is none.
        symbolic: Whether the examples can be called with symbolic sizes.
        primitive: The declaration (`symback.op.table.Primitive`), of an elementwise primitive; else None.
    """

    name: str
    function: Callable[..., Any]
    examples: tuple[Example, ...] = ()
    aliases: tuple[str, ...] = ()
    defined: str = ""
    kinks: str = ""
    symbolic: bool = True
    primitive: Any = None

    @classmethod
    def of(cls, primitive: Any, function: Callable[..., Any], namespace: str) -> "PublicFunction":
        """Return the entry of an elementwise primitive; `namespace` is ``"special"``, or empty for the top."""
        return cls(
            name=f"{namespace}.{primitive.name}" if namespace else primitive.name, function=function,
            aliases=(primitive.name, *primitive.aliases) if namespace else primitive.aliases,
            defined=primitive.defined, kinks=primitive.kinks, primitive=primitive,
        )  # fmt: skip


_functions: dict[str, PublicFunction] = {}

FUNCTIONS: Mapping[str, PublicFunction] = MappingProxyType(_functions)
"""Every function that users call, by name; aliases are no keys."""


HOOKS["public_names"] = lambda: tuple(FUNCTIONS)


def public(
    name: str,
    *,
    examples: tuple[Example, ...],
    aliases: tuple[str, ...] = (),
    defined: str = "",
    kinks: str = "",
    symbolic: bool = True,
) -> Callable[[Named], Named]:
    """Enter a function into the table and under its names for NumPy's protocols; the decorated function is unchanged.

    Args are the attributes of `PublicFunction`.

    Raises:
        UsageError: If a name is taken, or there is no example.
    """

    def decorate(function: Named) -> Named:
        if not examples:
            raise errors.bad_declaration(name, "examples are needed: what is not tested cannot exist")
        enter_public(
            PublicFunction(
                name=name, function=function, examples=examples, aliases=aliases, defined=defined, kinks=kinks,
                symbolic=symbolic,
            )
        )  # fmt: skip
        return function

    return decorate


def enter_public(entry: PublicFunction) -> None:
    """Enter a function; one that is made of the primitive of its name takes the name over."""
    own = _functions.get(entry.name)
    for name in (entry.name, *entry.aliases):
        mine = own is not None and own.primitive is not None and METHODS.get(name) is own.function
        if name in METHODS and not mine and METHODS[name] is not entry.function:
            raise errors.bad_declaration(entry.name, f"the name {name!r} is taken")
    _functions[entry.name] = entry
    for name in (entry.name, *entry.aliases):
        METHODS[name] = entry.function
