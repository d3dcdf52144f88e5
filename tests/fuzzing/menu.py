"""The menu of random graphs: every primitive and every public function of the registry, each with its calls."""

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any, NamedTuple, Protocol

from symback.check.cases import SHAPES
from symback.nodes.apply import Map, Operation
from symback.nodes.leaves import as_node
from symback.nodes.node import METHODS, Node
from symback.op.public import FUNCTIONS, PublicFunction
from symback.op.table import PRIMITIVES, Primitive
from symback.ops.elementwise.logic import stop_gradient
from symback.structure import leaves_of

Pick = Callable[[Sequence[Any]], Any]
"""Chooses one of several."""


class Maker(Protocol):
    """Makes the operands of a call: something of this shape, with values in an interval."""

    def __call__(self, name: str, shape: Any, *, dtype: str | None = None, low: float = -2, high: float = 2) -> Any:
        """Return the operand of this name."""


class Item(NamedTuple):
    """One way of making a step.

    Attributes:
        name: The primitive, or the public function.
        apply: From a maker of operands and a pick to the results.
        symbolic: Whether the sizes may be symbolic.
    """

    name: str
    apply: Callable[[Maker, Pick], list[Node]]
    symbolic: bool


MORE_SHAPES: dict[int, tuple[tuple[tuple[int, ...], ...], ...]] = {
    1: (((2,),), ((2, 2),), ((3, 1),), ((2, 0),), ((2, 1, 3),)),
    2: (((2, 2), (2, 2)), ((3,), ()), ((2, 3), (2, 3)), ((2, 1, 3), (3, 1))),
    3: (((), (), ()), ((2, 2), (2, 2), (2, 2))),
}
"""Shapes of elementwise operands beside those of the generic tests."""


@cache
def menu() -> dict[str, tuple[Item, ...]]:
    """Return the calls of each primitive and of each public function that is made of primitives, by name."""
    found: dict[str, tuple[Item, ...]] = {}
    for declared in PRIMITIVES.values():
        name = f"primitive {declared.name}"
        if declared.kind == "elementwise":
            found[name] = (Item(name, partial(_entry_by_entry, declared), symbolic=True),)
        else:
            found[name] = tuple(Item(name, partial(_example, made), symbolic=False) for made in declared.examples)
    for entry in FUNCTIONS.values():
        if entry.primitive is None:
            name = f"function {entry.name}"
            found[name] = tuple(Item(name, partial(_call, entry, call), entry.symbolic) for call in entry.examples)
    return found


def _entry_by_entry(declared: Primitive, make: Maker, pick: Pick) -> list[Node]:
    """Apply an elementwise primitive to operands that broadcast, or to one operand in all places."""
    arity = len(declared.domain)
    shapes = pick([*SHAPES.get(arity, (((3,),) * arity,)), *MORE_SHAPES.get(arity, ())])
    low, high = max(low for low, _ in declared.domain), min(high for _, high in declared.domain)
    if arity > 1 and low < high and not declared.held and pick(range(8)) == 0:
        return [Map(Operation(declared.name), *[as_node(make("x", shapes[0], low=low, high=high))] * arity)]
    pairs = enumerate(zip(shapes, declared.domain, strict=True))
    operands = [make(f"x{k}", shape, low=interval[0], high=interval[1]) for k, (shape, interval) in pairs]
    held = [stop_gradient(x) if k in declared.held else as_node(x) for k, x in enumerate(operands)]
    dtypes = {x.dtype for x in held if not x.is_weak}
    if len(dtypes) > 1 or any(dtype.kind != "f" for dtype in dtypes):
        return [METHODS[declared.name](*held)]  # the function that users call, which converts
    return [Map(Operation(declared.name), *held)]


def _example(example: Callable[[Maker], Node], make: Maker, pick: Pick) -> list[Node]:
    return [example(make)]


def _call(entry: PublicFunction, example: Any, make: Maker, pick: Pick) -> list[Node]:
    return [leaf for leaf in leaves_of(example(entry.function, make)) if isinstance(leaf, Node)]
