"""Random graphs over the registry: the result of one step, brought into the domain, is an operand of the next.

A graph is drawn with its point: values decide what is in the domain of what. Everything is drawn by one `Pick`, so
that Hypothesis can shrink it and a seed repeats it.
"""

import random
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import hypothesis.strategies as st
import numpy as np

import symback as sb
from symback.check.arithmetic import WIDE
from symback.check.evaluate import Evaluation
from symback.errors import SymbackError
from symback.nodes.leaves import Variable, constant, variable
from symback.nodes.node import Node
from symback.nodes.shapes import as_shape, size_symbol

from .menu import Item, Pick, menu
from .points import draw

LENGTHS = (2, 3, 4, 5, 6)
MOST_ENTRIES = 40
LARGEST = 20.0
"""Beyond it, values are most often brought back before they are operands of what takes any number."""

Point = dict[Node, np.ndarray[Any, Any]]


@dataclass
class Graph:
    """A loss with what it is made of, and a point.

    Attributes:
        variables: All inputs, in the order in which they were made.
        point: A value for each.
        nodes: The results of the steps.
        steps: What was applied, in text.
        made: The results by the name of the menu.
        loss: A scalar that depends on the last results.
        symbolic: Whether sizes are symbolic.
        refused: Steps that symback refused, with the error.
    """

    variables: list[Variable] = field(default_factory=list)
    point: Point = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    made: list[tuple[str, Node]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    loss: Any = None
    symbolic: bool = False

    @property
    def wrt(self) -> list[Variable]:
        """The variables that derivatives can have."""
        return [x for x in self.variables if x.dtype.kind == "f"]

    def __repr__(self) -> str:
        lines = [f"{x.name} {x.dtype} {x.shape} = {self.point[x].tolist()!r}" for x in self.variables]
        return "\n".join([*lines, *self.steps, f"loss = {self.loss}"])


class Builder:
    """Draws one graph."""

    def __init__(self, pick: Pick, seed: int) -> None:
        self.pick = pick
        self.seed = seed
        self.dtypes = pick([("float64",)] * 5 + [("float32",)] * 2 + [("float64", "float32")])
        self.graph = Graph(symbolic=pick(range(4)) == 0)
        self.lengths = {size: size for size in LENGTHS}
        if self.graph.symbolic and pick(range(4)) == 0:
            self.lengths = {size: pick([0, 1, 2, 3, 5]) for size in LENGTHS}
        self.sizes = {size_symbol(f"n{size}"): length for size, length in self.lengths.items()}
        self.values: dict[Node, Any] = {}
        self.names = 0

    def build(self, steps: int) -> Graph:
        """Return a graph of so many steps, or fewer where some are refused or grow too large."""
        names = sorted(name for name, items in menu().items() if not self.graph.symbolic or items[0].symbolic)
        for _ in range(steps):
            self.step(self.pick(menu()[self.pick(names)]))
        self.graph.loss = self.loss()
        return self.graph

    def step(self, item: Item) -> None:
        """Apply an item of the menu to operands made of what is there."""
        if self.graph.symbolic and not item.symbolic:
            return
        try:
            users = item.symbolic or item.name.startswith("function")
            results = item.apply(Operands(self, integers=users), self.pick)
        except SymbackError as refusal:
            self.graph.refused.append(f"{item.name}: {type(refusal).__name__}: {refusal}")
            return
        kept = [node for node in results if not node.is_weak and self.known(node)]
        if kept:
            self.graph.steps.append(f"{item.name} -> {', '.join(str(node) for node in kept)}")
            self.graph.made += [(item.name, node) for node in kept]
            self.graph.nodes += [self.named(node) for node in kept]

    def named(self, node: Node) -> Node:
        """Put a name on some of the results."""
        if self.pick(range(4)):
            return node
        self.names += 1
        named: Node = sb.let(f"v{self.names}", node)
        return named if self.known(named) else node

    def known(self, node: Node) -> bool:
        """Evaluate a node at the point; no if it is too large, or cannot be evaluated: an index beyond the end."""
        evaluation = Evaluation({**self.values, **self.graph.point}, WIDE, self.sizes)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # statistics of no numbers: NumPy's NaN is what we have
                value = evaluation(node)
        except (SymbackError, ValueError, IndexError, ArithmeticError, np.linalg.LinAlgError):
            return False
        self.values[node] = value
        return bool(value.size <= MOST_ENTRIES)

    def shape(self, shape: Any) -> tuple[Any, ...]:
        """Return a shape of the examples as this graph has it: with names for sizes above 1."""
        wanted = as_shape(shape)
        if not self.graph.symbolic:
            return wanted
        return tuple(size_symbol(f"n{size}") if size in self.lengths else size for size in wanted)

    def array_shape(self, shape: Sequence[Any]) -> tuple[int, ...]:
        """Return a shape as integers."""
        return tuple(size if isinstance(size, int) else self.sizes[size] for size in shape)

    def new(self, shape: tuple[Any, ...], dtype: str, low: float, high: float) -> Node:
        """Return a new variable, with a value between `low` and `high`; sometimes a constant."""
        count = len(self.graph.variables)
        value = draw(self.pick, [self.seed, count], self.array_shape(shape), dtype, low, high)
        if not self.graph.symbolic and self.pick(range(12)) == 0:
            return constant(value)
        made = variable(f"x{count}", shape, dtype)
        self.graph.variables.append(made)
        self.graph.point[made] = self.values[made] = value
        return made

    def loss(self) -> Node:
        """Return a scalar that depends on the last float results, and on a variable at least."""
        floats = [node for node in self.graph.nodes if node.dtype.kind == "f"][-self.pick([1, 2, 3]) :]
        floats = floats or [self.new(self.shape((3,)), self.dtypes[0], -2, 2)]
        terms = [self.term(node) for node in floats]
        total = terms[0]
        for term in terms[1:]:
            total = total + term
        return sb.let("loss", total) if self.pick(range(3)) == 0 else total

    def term(self, node: Node) -> Any:
        """Return the sum of the entries, of a function of them, or of them with weights."""
        kind = self.pick(["sum", "sine", "square", "weights", "weights"])
        if kind == "weights" and not self.graph.symbolic:
            weights = np.random.default_rng([self.seed, 7]).uniform(0.5, 1.5, node.shape)
            return sb.sum(node * weights.astype(node.dtype))
        return sb.sum({"sine": sb.sin, "square": sb.square}.get(kind, lambda x: x)(node))


class Operands:
    """Makes the operands of one call: each of a name once."""

    def __init__(self, builder: Builder, *, integers: bool) -> None:
        self.builder = builder
        self.integers = integers  # what users call converts them; primitives that serve it alone get floats
        self.made: dict[str, Any] = {}

    def __call__(self, name: str, shape: Any, *, dtype: str | None = None, low: float = -2, high: float = 2) -> Any:
        """Return an operand of this shape, with values in the interval: an earlier result, or something new."""
        if name not in self.made:
            self.made[name] = self.make(self.builder.shape(shape), dtype, low, high)
        return self.made[name]

    def make(self, shape: tuple[Any, ...], dtype: str | None, low: float, high: float) -> Any:
        """Choose what the operand is."""
        builder, pick = self.builder, self.builder.pick
        if dtype is not None:
            return builder.new(shape, dtype, low, high)
        if low == high:  # a parameter: the derivatives hold for this number alone
            return low
        if not shape and pick(range(12)) == 0:
            return pick([low, high, (low + high) / 2])
        if self.integers and low < 0 < high and pick(range(30)) == 0:
            return builder.new(shape, pick(["int64", "int32", "bool"]), 0, 3)
        there = [*builder.graph.variables, *builder.graph.nodes]
        there = [node for node in there if node.dtype.kind == "f"]
        if there and pick(range(5)):
            fitting = [node for node in there if node.shape == shape]
            node = pick(fitting[-4:]) if fitting and pick(range(4)) else self.adapted(pick(there[-5:]), shape)
            return self.inside(node, low, high)
        return builder.new(shape, pick(builder.dtypes), low, high)

    def adapted(self, node: Node, shape: tuple[Any, ...]) -> Node:
        """Return a node of the shape that is wanted, made of one of another."""
        pick = self.builder.pick
        if not self.builder.graph.symbolic and pick(range(2)) and (size := int(np.prod(node.shape))) > 0:
            places = np.arange(int(np.prod(shape))) % size
            return sb.reshape(sb.ravel(node)[places], shape)
        scalar = pick([sb.sum, sb.mean])(node) if node.shape else node
        if not self.builder.graph.symbolic and pick(range(2)):  # a size must be read from some variable's shape
            return sb.broadcast_to(scalar, shape)
        return scalar * self.builder.new(shape, pick(self.builder.dtypes), -2, 2)

    def inside(self, node: Any, low: float, high: float) -> Any:
        """Bring a value into the domain, unless it is there; once in a while leave it where it is."""
        builder, pick = self.builder, self.builder.pick
        if not builder.known(node):
            return node
        value = np.asarray(builder.values[node])
        most = LARGEST if low == -high else high
        least = -LARGEST if low == -high else low
        if np.all((value >= least) & (value <= most)) and pick(range(3)):
            return node
        if pick(range(25)) == 0:
            return node
        middle, half = (low + high) / 2, (high - low) / 2
        return pick([
            lambda x: middle + half * sb.tanh(x),
            lambda x: low + (high - low) * sb.sigmoid(x),
            lambda x: middle + half * sb.sin(x),
            lambda x: sb.clip(x, low, high),
            lambda x: low + (high - low) / (1 + x * x),
        ])(node)  # fmt: skip


def draw_graph(pick: Pick, seed: int, most_steps: int = 5) -> Graph:
    """Draw a graph of one to `most_steps` steps."""
    return Builder(pick, seed).build(pick(range(1, most_steps + 1)))


def seeded_graph(seed: int, most_steps: int = 5) -> Graph:
    """Return the graph of a seed."""
    return draw_graph(random.Random(seed).choice, seed, most_steps)


@st.composite
def graphs(draw: st.DrawFn, most_steps: int = 4) -> Graph:
    """A Hypothesis strategy of graphs; it shrinks to fewer steps, and to ordinary points."""
    seed = draw(st.integers(0, 2**32 - 1))
    return draw_graph(lambda options: draw(st.sampled_from(options)), seed, most_steps)
