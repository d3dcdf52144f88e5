"""One generator of small random programs, which run through NumPy and through symback alike.

A program is a list of variables and a list of steps; each step applies an operation of a menu to earlier
values, in a namespace that is given when the program runs. The menu holds what goes wrong in such
systems: repeated operands, axes of size 1, broadcasting, diagonals, slices, kinks, names, weak numbers.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, NamedTuple

import hypothesis.strategies as st
import numpy as np

from symback.check.binding import Sizes, bound_shape
from symback.nodes.leaves import Variable
from symback.nodes.node import METHODS, Node
from symback.nodes.shapes import size_symbol
from symback.ops.creation import filling as creation
from symback.ops.elementwise import trigonometric
from symback.ops.reductions import sums as reduction

Pick = Callable[[Sequence[Any]], Any]
"""Chooses one of several."""

LENGTHS = {"n": 4, "m": 5}
SIZES: Sizes = {size_symbol(name): length for name, length in LENGTHS.items()}
MOST_ENTRIES = 60
MOST_AXES = 3
LARGEST = 30.0


def symback_namespace() -> SimpleNamespace:
    """Return symback's functions by the names that NumPy has for them."""
    return SimpleNamespace(**{**METHODS, "let": creation.let})


def numpy_namespace() -> SimpleNamespace:
    """Return NumPy's functions, with plain formulas for those it lacks."""
    lacking = {
        "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
        "softplus": lambda x: np.log(1 + np.exp(x)),
        "relu": lambda x: np.where(x > 0, x, x * 0),
        "logsumexp": lambda x, axis, keepdims: np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims)),
        "softmax": lambda x, axis: np.exp(x) / np.sum(np.exp(x), axis=axis, keepdims=True),
        "let": lambda name, x: x,
        "abs": np.abs,
    }
    return SimpleNamespace(**{**vars(np), **lacking})


class Step(NamedTuple):
    """An operation on earlier values: what it is called, a function of (namespace, operands), which operands."""

    label: str
    function: Callable[..., Any]
    operands: tuple[int, ...]


@dataclass(frozen=True)
class Program:
    """Variables and steps; values are numbered through, variables first."""

    variables: tuple[Variable, ...]
    steps: tuple[Step, ...]

    def run(self, namespace: SimpleNamespace, inputs: Sequence[Any]) -> list[Any]:
        """Return every value, for the given values of the variables."""
        values = list(inputs)
        for step in self.steps:
            values.append(step.function(namespace, *[values[k] for k in step.operands]))
        return values

    def nodes(self) -> list[Node]:
        """Return the graph: a node for each value."""
        return self.run(symback_namespace(), self.variables)

    def arrays(self, point: dict[Node, Any]) -> list[Any]:
        """Return NumPy's values."""
        with np.errstate(all="ignore"):
            return self.run(numpy_namespace(), [point[x] for x in self.variables])

    def loss(self) -> Node:
        """Return a scalar that depends on the last values in a way that is not linear."""
        return sum_all([reduction.sum(trigonometric.sin(node)) for node in self.nodes()[-3:] if node.dtype.kind == "f"])

    def point(self) -> dict[Node, Any]:
        """Return a value for each variable."""
        return draw_point(self.variables)

    @property
    def single(self) -> bool:
        """Is anything in float32?"""
        return any(x.dtype == np.float32 for x in self.variables)

    def __repr__(self) -> str:
        lines = [f"v{k} = {x.name} {x.shape} {x.dtype}" for k, x in enumerate(self.variables)]
        for k, step in enumerate(self.steps, len(lines)):
            lines.append(f"v{k} = {step.label}({', '.join(f'v{operand}' for operand in step.operands)})")
        return "\n".join(lines)


def draw_point(variables: Sequence[Variable]) -> dict[Node, Any]:
    """Return a value for each variable, always the same."""
    rng = np.random.default_rng(0)
    shapes = [bound_shape("point", x.shape, SIZES) for x in variables]
    return {x: np.asarray(rng.uniform(-1.5, 1.5, s)).astype(x.dtype) for x, s in zip(variables, shapes, strict=True)}


def sum_all(nodes: Sequence[Node]) -> Node:
    """Add nodes."""
    total = nodes[0]
    for node in nodes[1:]:
        total = total + node
    return total


# -- the menu: for each operation, what it needs of shapes, and how it is drawn -------------------------

Operation = tuple[str, Callable[..., Any]]


def unary(pick: Pick) -> Operation:
    """Draw a function of one operand that keeps its shape; all are defined everywhere."""
    menu: dict[str, Callable[..., Any]] = {
        **{name: call(name) for name in ("sin", "cos", "tanh", "sigmoid", "softplus")},
        **{name: call(name) for name in ("relu", "abs", "arctan", "square")},
        "exp of sine": lambda ns, x: ns.exp(ns.sin(x)),
        "cube": lambda ns, x: x**3,
        "root": lambda ns, x: ns.sqrt(1 + x * x),
        "power 0.5": lambda ns, x: (0.5 + x**2) ** 0.5,
        "power -1.5": lambda ns, x: (0.5 + x**2) ** -1.5,
        "log": lambda ns, x: ns.log(0.5 + x * x),
        "log1p": lambda ns, x: ns.log1p(x * x),
        "expm1": lambda ns, x: ns.expm1(ns.sin(x)),
        "negative": lambda ns, x: -x,
        "scale": lambda ns, x: 0.5 * x,
        "third": lambda ns, x: x / 3,
        "shift": lambda ns, x: x + 1,
        "complement": lambda ns, x: 1 - x,
        "reciprocal": lambda ns, x: 1 / (1 + x * x),
        "double number": lambda ns, x: x * np.float64(0.7),
        "twice": lambda ns, x: x + x,
        "nothing": lambda ns, x: x - x,
        "self product": lambda ns, x: x * x * x,
        "power 2 of number": lambda ns, x: 2 ** ns.sin(x),
    }  # fmt: skip
    name = pick(sorted(menu))
    return name, menu[name]


def call(name: str) -> Callable[..., Any]:
    """Return the function of that name, as a function of the namespace and operands."""
    return lambda ns, *operands: getattr(ns, name)(*operands)


def binary(pick: Pick) -> Operation:
    """Draw a function of two operands that broadcast; kinks are continuous, so that rounding cannot jump."""
    menu: dict[str, Callable[..., Any]] = {
        **{name: call(name) for name in ("add", "subtract", "multiply", "maximum", "minimum")},
        "quotient": lambda ns, x, y: x / (1 + y * y),
        "power": lambda ns, x, y: (0.5 + x * x) ** ns.sin(y),
        "where": lambda ns, x, y: ns.where(x > y, x * x, y * y),
        "mask": lambda ns, x, y: (x > y) * (x - y),
        "difference of products": lambda ns, x, y: x * y - y * x * 2,
    }
    name = pick(sorted(menu))
    return name, menu[name]


def reductions(pick: Pick, x: Node) -> Operation:
    """Draw a reduction over an axis, some axes, or all."""
    axis = pick([None, *range(-x.ndim, x.ndim), *([(0, -1)] if x.ndim > 1 else [])])
    keepdims = pick([False, True])
    name = pick(["sum", "mean", "max", "min", "logsumexp"])
    label = f"{name}[axis={axis}, keepdims={keepdims}]"
    return label, lambda ns, x: getattr(ns, name)(x, axis=axis, keepdims=keepdims)


def reshapings(pick: Pick, x: Node, number: int) -> Operation:
    """Draw a change of shape."""
    axis = pick(range(x.ndim))
    order = pick([tuple(range(x.ndim))[::-1], (*range(1, x.ndim), 0)])
    menu: dict[str, Callable[..., Any]] = {
        "T": lambda ns, x: x.T,
        f"transpose{order}": lambda ns, x: ns.transpose(x, order),
        "ravel": lambda ns, x: ns.reshape(x, -1),
        f"expand_dims[{axis}]": lambda ns, x: ns.expand_dims(x, axis),
        "squeeze": lambda ns, x: ns.squeeze(x),
        "reversed": lambda ns, x: x[..., ::-1],
        "tail": lambda ns, x: x[1:],
        "last": lambda ns, x: x[-1],
        "first of last": lambda ns, x: x[..., 0],
        "new axis": lambda ns, x: x[:, None],
        f"concatenate[{axis}]": lambda ns, x: ns.concatenate([x, 2 * x], axis=axis),
        f"stack[{axis}]": lambda ns, x: ns.stack([x, x * x], axis=axis),
        f"softmax[{axis}]": lambda ns, x: ns.softmax(x, axis=axis),
        "let": lambda ns, x: ns.let(f"v{number}", x),
    }
    name = pick(sorted(menu))
    return name, menu[name]


def patterns(x: Node, y: Node) -> list[str]:
    """Return the einsum patterns that fit two operands (or one, given twice)."""
    fitting = []
    for pattern in (
        "ii->i", "ii->", "ij->ji", "ij->", "ij->j", "i,i->", "i,j->ij", "i,i->i", "i,j->ji", "ij,j->i", "ij,jk->ik",
        "ij,kj->ik", "ij,ij->", "ij,ij->ij", "ij,ij->i", "ij,ji->ij", "ij,j->ji", "ii,ij->j", "ij,ik->jk", "i,ij->ij",
        "ijk,k->ij", "ijk,ij->k", "iij->j", "iji->ij", "ij,kl->jl", "ijk->kij",
    ):  # fmt: skip
        groups = pattern.split("->")[0].split(",")
        operands = (x, y)[: len(groups)]
        sizes: dict[str, set[Any]] = {}
        for group, operand in zip(groups, operands, strict=True):
            if len(group) == operand.ndim:
                for letter, size in zip(group, operand.shape, strict=True):
                    sizes.setdefault(letter, set()).add(size)
            else:
                sizes["misfit"] = {0, 1}
        if all(len(found) == 1 for found in sizes.values()):
            fitting.append(pattern)
    return fitting


def broadcasts(x: Node, y: Node) -> bool:
    """Do the shapes broadcast: sizes equal, or literally 1?"""
    pairs = zip(reversed(x.shape), reversed(y.shape), strict=False)
    return all(a == b or a == 1 or b == 1 for a, b in pairs)


def draw_step(pick: Pick, nodes: Sequence[Node]) -> Step:
    """Draw one step that fits the values so far."""
    k = pick(range(len(nodes)))
    x = nodes[k]
    kind = pick(["unary", "binary", "binary", "einsum", "einsum", "shape", "shape", "reduce", "matmul"])
    if kind == "binary":
        j = pick([j for j, y in enumerate(nodes) if broadcasts(x, y)])
        return Step(*binary(pick), (k, j))
    if kind == "einsum":
        pairs = [(j, pattern) for j, y in enumerate(nodes) for pattern in patterns(x, y)]
        if pairs:
            return _einsum(k, *pick(pairs))
    if kind == "matmul":
        others = [j for j, y in enumerate(nodes) if x.ndim == 2 and y.ndim in (1, 2) and y.shape[0] == x.shape[1]]
        if others:
            return Step("matmul", lambda ns, a, b: a @ b, (k, pick(others)))
    if kind == "shape" and x.ndim:
        return Step(*reshapings(pick, x, len(nodes)), (k,))
    if kind == "reduce" and x.ndim:
        return Step(*reductions(pick, x), (k,))
    return Step(*unary(pick), (k,))


def _einsum(k: int, j: int, pattern: str) -> Step:
    operands = (k, j) if "," in pattern else (k,)
    return Step(f"einsum {pattern}", lambda ns, *values: ns.einsum(pattern, *values), operands)


def _fits(step: Step, x: Node) -> bool:
    """Is the step defined for the size of the first axis: none is empty, none is indexed beyond its end?"""
    if step.label == "new axis":
        return x.ndim >= 1
    if step.label == "tail":
        return x.ndim >= 1 and bound_shape("tail", x.shape, SIZES)[0] > 1
    return True


def draw_program(pick: Pick, most_steps: int = 7) -> Program:
    """Draw a program: one to three variables, and steps whose values stay small."""
    variables = []
    for name in ("a", "b", "c")[: pick([1, 2, 3])]:
        shape = tuple(pick([1, 2, 3, "n", "m"]) for _ in range(pick([0, 1, 1, 2, 2, 3])))
        variables.append(creation.tensor(name, shape, dtype=pick(["float64", "float64", "float64", "float32"])))
    nodes: list[Node] = list(variables)
    arrays = list(draw_point(variables).values())
    steps: list[Step] = []
    namespaces = symback_namespace(), numpy_namespace()
    for _ in range(pick(range(2, most_steps + 1))):
        step = draw_step(pick, nodes)
        if not _fits(step, nodes[step.operands[0]]):
            continue
        node, array = (
            step.function(namespace, *[values[k] for k in step.operands])
            for namespace, values in zip(namespaces, (nodes, arrays), strict=True)
        )
        if np.ndim(array) <= MOST_AXES and np.size(array) <= MOST_ENTRIES and np.all(np.abs(array) < LARGEST):
            nodes.append(node)
            arrays.append(array)
            steps.append(step)
    return Program(tuple(variables), tuple(steps))


@st.composite
def programs(draw: st.DrawFn, most_steps: int = 7) -> Program:
    """A Hypothesis strategy of programs; it shrinks to fewer variables, steps and axes."""
    return draw_program(lambda options: draw(st.sampled_from(options)), most_steps)


def seeded_programs(count: int, seed: int = 0) -> Iterator[Program]:
    """Yield programs from a seed, for use without Hypothesis."""
    generator = random.Random(seed)
    for _ in range(count):
        yield draw_program(generator.choice)
