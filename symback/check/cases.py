"""Small instances of a primitive, with points from its domain: what the generic tests run on."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, cast

import numpy as np

from symback import errors
from symback.nodes.apply import Map, Operation
from symback.nodes.dtypes import is_float
from symback.nodes.leaves import Constant, Variable, constant, exact, ones_of, variable
from symback.nodes.node import Node
from symback.nodes.shapes import Shape, as_shape
from symback.op.public import PublicFunction
from symback.op.table import Primitive
from symback.structure import leaves_of

DTYPES = ("float64", "float32")

SHAPES: dict[int, tuple[tuple[tuple[int, ...], ...], ...]] = {
    1: (((),), ((3,),), ((2, 3),), ((1,),), ((0,),)),
    2: (
        ((), ()), ((3,), (3,)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((), (2, 3)), ((1, 3), (2, 3)), ((1,), (0,)),
    ),
    3: (
        ((3,), (3,), (3,)), ((2, 3), (3,), ()), ((), (2, 1), (1, 3)), ((2, 1), (), (1, 3)), ((1,), (0,), ()),
    ),
}  # fmt: skip
"""For each number of operands: shapes alone, of no, one and no entries, and pairs that broadcast."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One instance of a primitive.

    Attributes:
        declared: The primitive; None for a call of a function that is made of primitives.
        label: The dtype and the shapes.
        node: The instance.
        variables: Its operands, or what they are made of.
        point: A value for each variable, from the domain.
        held: Operands without a derivative, such as a condition: their values may lie on a jump.
    """

    declared: Primitive | None
    label: str
    node: Node
    variables: tuple[Variable, ...]
    point: dict[Node, np.ndarray[Any, Any]]
    held: frozenset[Variable] = frozenset()

    @property
    def wrt(self) -> list[Variable]:
        """The variables that derivatives can have."""
        return [x for x in self.variables if is_float(x.dtype) and x not in self.held]

    @cached_property
    def cotangent(self) -> Constant:
        """A random array of the shape of the instance."""
        rng = np.random.default_rng(1)
        return constant(rng.uniform(0.5, 1.5, self.node.shape).astype(self.node.dtype))

    @cached_property
    def loss(self) -> Node:
        """The entries of the instance, weighted by the cotangent and summed."""
        return (self.node * self.cotangent).sum()


def cases_of(declared: Primitive, dtype: str, seed: int) -> Iterator[Case]:
    """Yield every case of a primitive for one dtype."""
    rng = np.random.default_rng(seed)
    if declared.kind == "structural":
        for number, example in enumerate(declared.examples):
            yield _from_example(declared, example, number, dtype)
            yield from _of_constants(declared, example, number, dtype)
        return
    arity = declared.arity or 1
    for shapes in SHAPES.get(arity, (((3,),) * arity,)):
        yield _elementwise(declared, shapes, dtype, rng)
    common = (max(low for low, _ in declared.domain), min(high for _, high in declared.domain))
    if arity > 1 and not declared.held and common[0] < common[1]:
        yield _repeated(declared, common, dtype, rng)


def _elementwise(declared: Primitive, shapes: Sequence[tuple[int, ...]], dtype: str, rng: np.random.Generator) -> Case:
    variables = tuple(variable(f"x{k}", shape, dtype) for k, shape in enumerate(shapes))
    node = Map(Operation(declared.name), *variables)
    point: dict[Node, Any] = {}
    discrete = _discrete(declared, node)
    for x, interval, rounded in zip(variables, declared.domain, discrete, strict=True):
        point[x] = _draw(rng, interval, x, rounded)
    held = () if declared.derivative is None else [x for x, is_held in zip(variables, discrete, strict=True) if is_held]
    label = f"{dtype} {' '.join(map(errors.show_shape, shapes))}"
    return Case(declared=declared, label=label, node=node, variables=variables, point=point, held=frozenset(held))


def _repeated(declared: Primitive, common: tuple[float, float], dtype: str, rng: np.random.Generator) -> Case:
    """One variable in all places, from what the domains have in common."""
    x = variable("x", (2, 3), dtype)
    node = Map(Operation(declared.name), *[x] * len(declared.domain))
    label = f"{dtype} (2, 3) repeated"
    return Case(declared=declared, label=label, node=node, variables=(x,), point={x: _draw(rng, common, x, False)})


def _discrete(declared: Primitive, node: Map) -> list[bool]:
    """Which operands have no derivative: for them ties and zeros are as good as any number."""
    if declared.derivative is None:
        return [True] * len(node.operands)
    partials = declared.derivative(node, *node.operands)
    return [partial is None for partial in (partials if isinstance(partials, tuple) else (partials,))]


def _draw(rng: np.random.Generator, interval: tuple[float, float], x: Variable, discrete: bool) -> Any:
    low, high = interval
    values = rng.uniform(low, high, x.shape)
    return np.asarray(np.round(values) if discrete and low < 0 < high else values).astype(x.dtype)


def cases_of_call(entry: PublicFunction, dtype: str) -> Iterator[Case]:
    """Yield a case for each result of each example of a public function, for one dtype."""
    for number, example in enumerate(entry.examples):
        operands = Operands(dtype, number, as_variable)
        results = example(entry.function, operands)
        variables = tuple(operands.made.values())
        point: dict[Node, Any] = {x: operands.values[x.name] for x in variables}
        for k, node in enumerate(leaves_of(results)):
            label = f"{entry.name} {dtype} example {number}{f' result {k}' if results is not node else ''}"
            yield Case(declared=None, label=label, node=node, variables=variables, point=point)


class Operands:
    """Makes the operands of an example, each with a value: variables, constants, or the arrays themselves.

    Calling it with a name and a shape gives an operand of the dtype at hand, with entries drawn between `low` and
    `high`. `dtype` makes it an integer or bool operand, with integers from `low` to below `high`.
    """

    def __init__(self, dtype: str, seed: int, kind: Callable[[str, Any, Shape], Any]) -> None:
        self.values: dict[str, np.ndarray[Any, Any]] = {}
        self.made: dict[str, Any] = {}
        self._dtype = dtype
        self._seed = seed
        self._kind = kind

    @property
    def point(self) -> dict[Any, np.ndarray[Any, Any]]:
        """The value of each operand, by the operand: also of those that a result does not depend on."""
        return {made: self.values[name] for name, made in self.made.items()}

    def __call__(self, name: str, shape: Any, *, dtype: str | None = None, low: float = -2, high: float = 2) -> Any:
        """Return the operand of this name."""
        if name not in self.made:
            sizes = as_shape(shape)
            rng = np.random.default_rng([self._seed, *name.encode()])
            drawn = rng.uniform(low, high, sizes) if dtype is None else rng.integers(int(low), int(high), sizes)
            self.values[name] = np.asarray(drawn).astype(dtype or self._dtype)
            self.made[name] = self._kind(name, self.values[name], sizes)
        return self.made[name]


def as_variable(name: str, value: Any, shape: Shape) -> Variable:
    """Make a variable of the shape and dtype of a value."""
    return variable(name, shape, value.dtype)


def _of_constants(declared: Primitive, example: Any, number: int, dtype: str) -> Iterator[Case]:
    """The example on what needs no input: an array, ones, and where there are no axes an exact number."""
    makers: dict[str, Callable[[Any, Shape], Node]] = {
        "constant": lambda value, shape: constant(value),
        "ones": lambda value, shape: ones_of(shape, value.dtype),
        "exact": lambda value, shape: ones_of(shape, value.dtype) if shape else exact(Fraction(3, 2)),
        "integer": lambda value, shape: ones_of(shape, value.dtype) if shape else exact(2),
    }
    for kind, make in makers.items():

        def operand(name: str, value: Any, shape: Shape, make: Any = make) -> Node:
            return cast(Node, constant(value) if value.dtype.kind != "f" else make(value, shape))

        operands = Operands(dtype, number, operand)
        node = example(operands)
        shapes = [value.shape for value in operands.values.values()]
        if kind in ("constant", "ones") or not all(shapes):
            label = f"{dtype} example {number} of {kind} {' '.join(map(errors.show_shape, shapes))}"
            yield Case(declared=declared, label=label, node=node, variables=(), point={})


def _from_example(declared: Primitive, example: Any, number: int, dtype: str) -> Case:
    operands = Operands(dtype, number, as_variable)
    node = example(operands)
    variables = tuple(operands.made.values())
    point: dict[Node, Any] = {x: operands.values[x.name] for x in variables}
    label = f"{dtype} example {number} {' '.join(errors.show_shape(x.shape) for x in variables)}"
    return Case(declared=declared, label=label, node=node, variables=variables, point=point)
