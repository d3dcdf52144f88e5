"""Time and memory of building, printing and differentiating large graphs, as a table in Markdown.

Run by hand: ``python tests/benchmarks/graph_scale.py [most nodes]``. The aims are under 12 µs and 500 bytes
for each node built, under 25 µs for each node that differentiation makes (for each step, where it makes
fewer), and both linear.
"""

import gc
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable
from typing import NamedTuple, TypeVar

import symback as sb
from symback.graph import toposort
from symback.nodes.leaves import Variable
from symback.nodes.node import Node

T = TypeVar("T")
RUNS = 5
Step = Callable[[Node, Node], Node]

STEPS: dict[str, Step] = {
    "sin(v)": lambda v, w: sb.sin(v),
    "v + 1": lambda v, w: v + 1,
    "v * w": lambda v, w: v * w,
    "v * 2 (folded)": lambda v, w: v * 2,
    "v[1:]": lambda v, w: v[1:],
    "v*v + v": lambda v, w: v * v + v,
}


def build(step: Step, depth: int) -> tuple[Variable, Node]:
    """Apply a step `depth` times to a variable."""
    size = depth + 2
    first, w = sb.tensor("v", (size,)), sb.tensor("w", (size,))
    node: Node = first
    for _ in range(depth):
        node = step(node, w)
    return first, node


def seconds(work: Callable[[], T]) -> tuple[float, T]:
    """Return how long a piece of work took, with its result."""
    gc.collect()
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def bytes_per_node(step: Step, depth: int) -> float:
    """Return the memory of a graph for each node, measured in a pass of its own, while no such graph exists."""
    build(step, 10)
    gc.collect()
    tracemalloc.start()
    kept = build(step, depth)
    gc.collect()
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return used / len(toposort([kept[1]]))


class Run(NamedTuple):
    """What one run of one graph measured: seconds, and counts."""

    building: float
    printing: float
    differentiating: float
    nodes: int
    made: int
    characters: int


def run(step: Step, depth: int) -> Run:
    """Build, print and differentiate a graph once; it is dropped at the end, so that the next run builds it anew."""
    building, (first, node) = seconds(lambda: build(step, depth))
    nodes = len(toposort([node]))
    printing, text = seconds(lambda: repr(node))
    differentiating, gradient = seconds(lambda: sb.grad(sb.sum(node), first))
    made = len(toposort([node, gradient])) - nodes
    return Run(building, printing, differentiating, nodes, made, len(text))


def row(name: str, depth: int) -> str:
    """Measure one graph: medians of several runs."""
    step = STEPS[name]
    memory = bytes_per_node(step, depth)
    building, printing, differentiating, nodes, made, characters = map(
        statistics.median, zip(*(run(step, depth) for _ in range(RUNS)), strict=True)
    )
    cells = [
        name, f"{depth:,}", f"{nodes:,}", f"{building / max(nodes, depth) * 1e6:.1f}",
        f"{memory:.0f}" if nodes >= depth else "", f"{printing * 1e3:.2f}", str(characters), f"{made:,}",
        f"{differentiating / max(made, depth) * 1e6:.1f}",
    ]  # fmt: skip
    return "| " + " | ".join(cells) + " |"


def main(most: int) -> None:
    """Print the table."""
    heads = [
        "step", "depth", "nodes", "build µs/node", "bytes/node", "repr ms", "repr characters",
        "nodes made by grad", "grad µs/node",
    ]  # fmt: skip
    print("| " + " | ".join(heads) + " |")
    print("|---" + "|---:" * (len(heads) - 1) + "|")
    for name in STEPS:
        for depth in (1_000, 10_000, 100_000):
            if depth <= most:
                print(row(name, depth), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
