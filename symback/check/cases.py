"""Small instances of a primitive, with points from its domain: what the generic tests run on."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, cast

import numpy as np

from symback import errors
from symback.derive.reverse import grad
from symback.nodes.apply import Map, Operation
from symback.nodes.dtypes import as_dtype, is_float
from symback.nodes.leaves import Constant, Variable, constant, exact, ones_of, variable
from symback.nodes.node import Node
from symback.nodes.shapes import Shape, as_shape
from symback.op import Primitive
from symback.ops.elementwise import multiply
from symback.ops.reduction import sum as sum_of

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
        declared: The primitive.
        label: The dtype and the shapes.
        node: The instance.
        variables: Its operands, or what they are made of.
        point: A value for each variable, from the domain.
        held: Operands without a derivative, such as a condition: their values may lie on a jump.
    """

    declared: Primitive
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
        return sum_of(multiply(self.node, self.cotangent))

    @cached_property
    def gradients(self) -> list[Node]:
        """The gradient of the loss by each of `wrt`."""
        return grad(self.loss, self.wrt, disconnected="zero")


def cases_of(declared: Primitive, dtype: str, seed: int) -> Iterator[Case]:
    """Yield every case of a primitive for one dtype."""
    rng = np.random.default_rng(seed)
    if declared.kind == "structural":
        for number, example in enumerate(declared.examples):
            yield _from_example(declared, example, number, dtype, rng)
            yield from _of_constants(declared, example, number, dtype)
        return
    arity = declared.arity or 1
    for shapes in SHAPES.get(arity, (((3,),) * arity,)):
        yield _elementwise(declared, shapes, dtype, rng)
    if arity > 1:
        yield _repeated(declared, dtype, rng)


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


def _repeated(declared: Primitive, dtype: str, rng: np.random.Generator) -> Case:
    """One variable in all places, from what the domains have in common."""
    x = variable("x", (2, 3), dtype)
    node = Map(Operation(declared.name), *[x] * len(declared.domain))
    common = (max(low for low, _ in declared.domain), min(high for _, high in declared.domain))
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


def _of_constants(declared: Primitive, example: Any, number: int, dtype: str) -> Iterator[Case]:
    """The example on what needs no input: an array, ones, and where there are no axes an exact number."""
    makers: dict[str, Callable[[Shape], Node]] = {
        "constant": lambda shape: constant(np.full(shape, 1.5, dtype)),
        "ones": lambda shape: ones_of(shape, as_dtype(dtype)),
        "exact": lambda shape: ones_of(shape, as_dtype(dtype)) if shape else exact(Fraction(3, 2)),
        "integer": lambda shape: ones_of(shape, as_dtype(dtype)) if shape else exact(2),
    }
    for kind, make in makers.items():
        shapes: list[Shape] = []

        def operand(name: str, shape: Any, make: Any = make, shapes: list[Shape] = shapes) -> Node:
            shapes.append(as_shape(shape))
            return cast(Node, make(shapes[-1]))

        node = example(operand)
        if kind in ("constant", "ones") or not all(shapes):
            label = f"{dtype} example {number} of {kind} {' '.join(map(errors.show_shape, shapes))}"
            yield Case(declared=declared, label=label, node=node, variables=(), point={})


def _from_example(declared: Primitive, example: Any, number: int, dtype: str, rng: np.random.Generator) -> Case:
    made: dict[str, Variable] = {}

    def make(name: str, shape: Any) -> Variable:
        return made.setdefault(name, variable(name, as_shape(shape), dtype))

    node = example(make)
    variables = tuple(made.values())
    point: dict[Node, Any] = {x: np.asarray(rng.uniform(-2, 2, x.shape)).astype(x.dtype) for x in variables}
    label = f"{dtype} example {number} {' '.join(errors.show_shape(x.shape) for x in variables)}"
    return Case(declared=declared, label=label, node=node, variables=variables, point=point)
