"""Functions that go on from one another: what an earlier one has computed, a later one is given.

The value of a loss, its gradient and a product with its Hessian are cuts through one graph. Each node belongs to the
first function that needs it, and what a later one uses of it is kept: the gradient does no forward work again, and a
product with the Hessian only what depends on the vector. The cut is made in the graph as it is emitted, so that the
order of products is that of a single function.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from symback.codegen.passes.prepare import prepare
from symback.codegen.structure.concentrate import concentrated
from symback.graph import dependents, replaced, toposort
from symback.nodes.apply import Apply, Named, unnamed
from symback.nodes.classify import classify
from symback.nodes.contract import Contract
from symback.nodes.labels import Label
from symback.nodes.leaves import Variable
from symback.nodes.node import Node, Param
from symback.nodes.shapes import Hints
from symback.objective.parameters import fresh
from symback.op.table import primitive_of

_VIEWS = {"reshape_to", "slice_of", "flip_along"}
_VIEWING = {"transpose", "broadcast", "diagonal", "fill"}


@dataclass(frozen=True)
class Stage:
    """One of several functions, each of which goes on from those before it.

    Attributes:
        result: What it is for.
        wants: What earlier stages have kept for it.
        keeps: What it returns beside its result, for later stages.
        kept: The variables that stand for that in later stages.
    """

    result: Node
    wants: tuple[Variable, ...]
    keeps: tuple[Node, ...]
    kept: tuple[Variable, ...]


def staged(results: Sequence[Node], last: Sequence[Node], hints: Hints, taken: set[str]) -> list[Stage]:
    """Divide a graph into functions, one for each result.

    Args:
        results: What the functions are for, in the order in which they are called.
        last: Variables that the last function alone is given; what does not depend on them is computed before it.
        hints: How large symbolic sizes are expected to be.
        taken: Names that what is kept cannot have.
    """
    results = prepare(concentrated(results), hints)
    places = _places(results, last)
    frontiers = [_frontier(result, places, place) for place, result in enumerate(results)]
    kept: dict[Node, Variable] = {}
    names = set(taken)
    for node in (node for frontier in frontiers for node in frontier):
        if unnamed(node) not in kept:
            name = fresh(node.name if isinstance(node, Named) else "kept", names)
            kept[unnamed(node)] = Variable(Label(name), Param(node.shape), Param(node.dtype.name))
    return [_stage(result, place, frontiers, places, kept) for place, result in enumerate(results)]


def _places(results: Sequence[Node], last: Sequence[Node]) -> dict[Node, int]:
    """Return for each node the first function that computes it."""
    places: dict[Node, int] = {}
    for place, result in enumerate(results):
        for node in toposort([result]):
            places.setdefault(node, place)
    final = len(results) - 1
    if last:
        late = dependents(results, last)
        places = {node: place if node in late else min(place, final - 1) for node, place in places.items()}
    return _with_twins(places)


def _with_twins(places: dict[Node, int]) -> dict[Node, int]:
    """Compute results of one call together, by the function that is first to need one of them."""
    calls: dict[object, int] = {}
    keys = {node: key for node in places if (key := _call_of(node)) is not None}
    for node, key in keys.items():
        calls[key] = min(places[node], calls.get(key, places[node]))
    own = {node: calls[keys[node]] if node in keys else place for node, place in places.items()}
    return {node: own[unnamed(node)] for node in own}


def _call_of(node: Node) -> object:
    """Return what is common to the results of one call that gives several."""
    if not isinstance(node, Apply) or primitive_of(node).part is None:
        return None
    return primitive_of(node).numpy, node.operands, node.operation.parameters


def _frontier(result: Node, places: dict[Node, int], place: int) -> list[Node]:
    """Return what a function uses of earlier ones; views are taken anew, of what they are views of."""
    found: dict[Node, Node] = {}
    moving = dependents([result], (node for node in places if isinstance(node, Variable)))
    used = [x for node, own in places.items() if own == place for x in node.operands]
    waiting = list(dict.fromkeys(node for node in (*used, result) if places[node] < place))
    seen = set(waiting)
    for node in waiting:
        if _is_remade(node) or (not node.shape and node not in moving):
            more = [x for x in unnamed(node).operands if x not in seen]
            seen.update(more)
            waiting += more
        elif not isinstance(found.get(unnamed(node)), Named):
            found[unnamed(node)] = node
    return list(found.values())


def _is_remade(node: Node) -> bool:
    """Is a node had again for nothing: a leaf, a number that does not widen others, a view?"""
    node = unnamed(node)
    if not node.operands or node.is_weak:
        return True
    if isinstance(node, Contract):
        product = classify(node)
        return product.coefficient == 1 and product.kind in _VIEWING
    return isinstance(node, Apply) and node.operation.name in _VIEWS


def _stage(
    result: Node, place: int, frontiers: Sequence[Iterable[Node]], places: dict[Node, int], kept: dict[Node, Variable]
) -> Stage:
    wanted = {node: kept[unnamed(node)] for node in frontiers[place]}
    given: dict[Node, Node] = {form: variable for node, variable in wanted.items() for form in (node, unnamed(node))}
    later = {unnamed(node): node for frontier in frontiers[place + 1 :] for node in frontier if places[node] == place}
    new = replaced([result, *later.values()], given)
    variables = tuple(kept[node] for node in later)
    return Stage(new[result], tuple(wanted.values()), tuple(new[node] for node in later.values()), variables)
