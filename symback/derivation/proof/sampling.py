"""Where a derivation is verified: the values that are given, and random ones for what is not."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import product
from typing import Any

import numpy as np
import sympy

from symback import errors
from symback.check.binding import Sizes, as_array, bound_shape, mapping, read_sizes
from symback.check.sample import DRAWS, Draw, exponents_in, small_sizes
from symback.errors.derivation import computed_point, no_symmetric_value
from symback.graph import toposort
from symback.nodes.leaves import Variable, as_node
from symback.nodes.node import Node

_INTEGERS = (3, 2, 1)
"""Integers are drawn below these: class labels and positions that small arrays have."""

_MATRICES = (False, True)
"""Whether square matrices are drawn positive definite, as factorisations want them."""

_LARGER = (0, 3)
"""What is added to small sizes: a filter, a difference or a window may need longer axes."""


def given_values(roots: Sequence[Node], at: Any, symmetric: AbstractSet[Node] = frozenset()) -> dict[Node, Any]:
    """Return the values given by name or node, checked.

    Raises:
        InputError: If a key is no variable of the graph, or one of the `symmetric` matrices is not.
        ShapeError: If a value has another shape than its variable.
        DtypeError: If a value would lose by conversion.
    """
    nodes = toposort(roots)
    variables = {node.name: node for node in nodes if isinstance(node, Variable)}
    given: dict[Node, Any] = {}
    for key, value in mapping("verify", {} if at is None else at).items():
        node = variables.get(key) if isinstance(key, str) else as_node(key) if isinstance(key, sympy.Basic) else None
        if isinstance(node, Node) and not isinstance(node, Variable):
            raise computed_point(node.short())
        if node is None or variables.get(node.name) is not node:
            raise errors.unknown_binding("verify", str(key), sorted(variables))
        given[node] = as_array("verify", node, value)
        if node in symmetric and not np.array_equal(given[node], np.swapaxes(given[node], -1, -2)):
            raise no_symmetric_value(node.name)
    read_sizes("verify", given)
    return given


def missing_variables(roots: Sequence[Node], given: Mapping[Node, Any]) -> list[Variable]:
    """Return the variables that have no value yet."""
    return [node for node in toposort(roots) if isinstance(node, Variable) and node not in given]


def candidates(
    roots: Sequence[Node],
    given: Mapping[Node, Any],
    rng: np.random.Generator,
    symmetric: AbstractSet[Node] = frozenset(),
) -> Iterator[tuple[dict[Node, Any], Sizes]]:
    """Yield points, the plain ones first: a value for each variable, and the sizes; some are `symmetric` matrices."""
    missing = missing_variables(roots, given)
    known = read_sizes("verify", dict(given))
    matrices = _MATRICES if any(is_square(node) for node in missing) else _MATRICES[:1]
    whole = exponents_in(roots)
    integers = _INTEGERS if any(node.dtype.kind in "iu" for node in missing) else _INTEGERS[:1]
    for larger, below, definite, draw in product(_LARGER, integers, matrices, DRAWS):
        sizes = small_sizes(roots, known)
        sizes = {symbol: size if symbol in known else size + larger for symbol, size in sizes.items()}
        values = {node: _drawn(node, sizes, rng, draw, below, definite) for node in missing}
        values |= {node: np.rint(3 * values[node]) for node in missing if node in whole}
        halves = {node: (values[node] + np.swapaxes(values[node], -1, -2)) / 2 for node in missing if node in symmetric}
        yield {**given, **values, **halves}, sizes
        if not missing:
            return


def is_square(node: Node) -> bool:
    """Is this a square matrix of floats, or a stack of them?"""
    return node.dtype.kind == "f" and len(node.shape) >= 2 and node.shape[-1] == node.shape[-2]


def _drawn(node: Variable, sizes: Sizes, rng: np.random.Generator, draw: Draw, below: int, definite: bool) -> Any:
    """Draw a value: floats by `draw`, integers from 0, truth values evenly."""
    shape = bound_shape("verify", node.shape, sizes)
    kind = node.dtype.kind
    drawn = np.asarray(draw(rng, shape) if kind == "f" else rng.integers(0, 2 if kind == "b" else below, shape))
    if definite and is_square(node):
        drawn = drawn @ np.swapaxes(drawn, -1, -2)
        drawn = (drawn + np.swapaxes(drawn, -1, -2)) / 2 + np.eye(shape[-1])
    return drawn.astype(node.dtype)
