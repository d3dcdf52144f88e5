"""The graph that a check is about: a loss with its symbolic gradient, a point, and numbers that are claimed."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import sympy

from symback import errors
from symback.check.arithmetic import WIDE
from symback.check.binding import Bindings, as_array, mapping, read_sizes
from symback.check.evaluate import evaluate
from symback.check.ladder.graph import Calculus, Graph
from symback.check.ladder.subject import Array
from symback.check.sample import DRAWS, NO_SYMBOLS, draw_values, exponents_in, small_sizes
from symback.derive import reverse
from symback.errors.checks import computed_binding, gradient_dtype, missing_claim
from symback.errors.kinds import SymbackError
from symback.graph import toposort
from symback.interop.symbolic.explicit import variables_in
from symback.nodes.leaves import Variable, as_node
from symback.nodes.node import Node


def variables_of(wrt: Any, to_node: Callable[[Any], Node]) -> list[Node]:
    """Return the nodes of `wrt`, which may be one of them, a list or a dict."""
    variables = [to_node(leaf) for leaf in variables_in(wrt)]
    if not variables:
        raise errors.no_variables("check_grad")
    return variables


def graph_of(
    loss: Node,
    wrt: Sequence[Node],
    at: Bindings,
    calculus: Calculus,
    *,
    seed: int = 0,
    needed: bool = True,
    symbols: Mapping[Variable, sympy.Basic] = NO_SYMBOLS,
) -> Graph:
    """Return a loss with its symbolic gradient and a point.

    Args:
        loss: A scalar.
        wrt: Variables or intermediate nodes.
        at: Values by node or name; what is missing is drawn where loss and gradient are finite.
        calculus: How to differentiate.
        seed: Of that.
        needed: Whether there must be a symbolic gradient.
        symbols: What variables were in SymPy: what is drawn is what its symbol assumes.
    """
    gradients = _gradient(loss, wrt, calculus, needed=needed)
    point = _point(loss, wrt, gradients or [], at, np.random.default_rng(seed), symbols)
    return Graph(loss, wrt, gradients, point, calculus)


def _gradient(loss: Node, wrt: Sequence[Node], calculus: Calculus, *, needed: bool) -> list[Node] | None:
    """Return the gradient that `sb.grad` gives."""
    try:
        reverse.check_loss(loss, wrt, "error")
        return calculus.grad(loss, wrt)
    except SymbackError:
        if needed:
            raise
        return None


def claims(gradient: Any, graph: Graph) -> list[Array]:
    """Return the claimed gradient as arrays, one for each variable, of its shape."""
    if callable(gradient):
        arguments = {node.name: value for node, value in graph.point.items() if isinstance(node, Variable)}
        gradient = gradient(**arguments)
    listed = _in_order(gradient, graph.wrt)
    if len(listed) != len(graph.wrt):
        raise errors.cotangent_count("check_grad", len(graph.wrt), len(listed))
    arrays = [np.asarray(numbers) for numbers in listed]
    for node, array in zip(graph.wrt, arrays, strict=True):
        wanted = np.shape(graph.wide.value(node))
        if array.shape != wanted:
            raise errors.gradient_shape(node.short(), wanted, array.shape)
        if array.dtype.kind not in "fiub":
            raise gradient_dtype(node.short(), array.dtype)
    return arrays


def _in_order(gradient: Any, wrt: Sequence[Node]) -> list[Any]:
    if not isinstance(gradient, Mapping):
        return list(gradient) if isinstance(gradient, (list, tuple)) and _is_several(gradient, wrt) else [gradient]
    by_name = {getattr(key, "name", key): value for key, value in gradient.items()}
    names = [getattr(node, "name", node) for node in wrt]
    for name in names:
        if name not in by_name:
            raise missing_claim(str(name), by_name)
    return [by_name[name] for name in names]


def _is_several(gradient: Sequence[Any], wrt: Sequence[Node]) -> bool:
    """Is a list one of gradients, rather than the gradient by the only variable?"""
    return len(wrt) != 1 or (len(gradient) == 1 and np.ndim(gradient[0]) == len(wrt[0].shape))


def _point(
    loss: Node,
    wrt: Sequence[Node],
    graphs: Sequence[Node],
    at: Bindings,
    rng: np.random.Generator,
    symbols: Mapping[Variable, sympy.Basic],
) -> dict[Node, Array]:
    """Return a value for each variable: those given, and random ones at which loss and gradient are finite."""
    roots = [loss, *wrt, *graphs]
    variables = {node.name: node for node in toposort(roots) if isinstance(node, Variable)}
    given: dict[Node, Array] = {}
    for key, value in mapping("check_grad", at).items():
        node = variables.get(key) if isinstance(key, str) else as_node(key) if isinstance(key, sympy.Basic) else None
        if node is None:
            raise errors.unknown_binding("check_grad", str(key), sorted(variables))
        if not isinstance(node, Variable):
            raise computed_binding(node)
        given[node] = as_array("check_grad", node, value)
    sizes = small_sizes(roots, read_sizes("check_grad", given))
    missing = [node for node in variables.values() if node not in given]
    whole = exponents_in(roots)
    for draw in DRAWS:
        point = {**given, **draw_values(missing, sizes, rng, draw, symbols, whole)}
        if not missing or _is_finite([loss, *graphs], point):
            return point
    raise errors.no_finite_point(loss)


def _is_finite(nodes: Sequence[Node], point: dict[Node, Array]) -> bool:
    """Are there values at this point? An exponent may be no integer there, or a matrix singular."""
    try:
        return all(np.isfinite(value).all() for value in evaluate(nodes, point, WIDE))
    except ValueError:
        return False
