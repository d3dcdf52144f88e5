"""Which primitives and functions a graph holds."""

from symback.graph import toposort
from symback.nodes.apply import Apply

from .graphs import Graph


def covered(graph: Graph) -> set[str]:
    """Return the primitives in what is checked: the loss and the last results."""
    order = toposort([graph.loss, *graph.nodes[-3:]])
    return {node.operation.name for node in order if isinstance(node, Apply)}


def functions_of(graph: Graph) -> set[str]:
    """Return the public functions made of primitives whose results are in it."""
    order = set(toposort([graph.loss, *graph.nodes[-3:]]))
    return {name.removeprefix("function ") for name, node in graph.made if node in order and name[0] == "f"}
