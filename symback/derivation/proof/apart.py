"""Forward lines with their names taken apart: does a line use the names that the differentiated graph uses?

A direct derivative by a quantity holds the other quantities. So it is not enough that a line of the forward pass has
the right value: where it prints a name, the graph has to use that name, and not once more the expression behind it.
Here each name gets a value of its own, near to its true one, and the line is held against what was differentiated.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from symback import errors
from symback.derivation.proof.differences import Array
from symback.derivation.proof.values import value_of
from symback.derivation.record import Record
from symback.graph import toposort
from symback.latex.meaning import Meaning
from symback.nodes.apply import Named
from symback.nodes.dtypes import is_float
from symback.nodes.leaves import Variable
from symback.nodes.node import Node
from symback.page.blocks import Equation

_UNFIT = (ArithmeticError, ValueError, errors.SymbackError)


class NamesApart:
    """The names of a derivation with values of their own.

    Args:
        record: What was differentiated.
        point: The point at which the derivation is verified.
        values: The values of the variables there.
        rng: What the other values are drawn from.
    """

    def __init__(self, record: Record, point: Any, values: Mapping[Node, Any], rng: np.random.Generator) -> None:
        self._record = record
        self._point = point
        self._variables = dict(values)
        forms = [*record.forward, *record.forward.values(), *record.differentiated.values()]
        self._names: list[Named] = []
        self._values: dict[str, Array] = {}
        held = {node.name for node in toposort([record.loss]) if isinstance(node, Named)}
        for node in toposort([record.loss, *forms]):
            if isinstance(node, Named) and node.label.kind != "adjoint" and node.name in held:
                try:
                    self._values.setdefault(node.name, self._near(point.array(node), node, rng))
                except errors.KinkError:
                    continue  # it holds a derivative that does not exist here
                self._names.append(node)

    def _near(self, value: Array, node: Node, rng: np.random.Generator) -> Array:
        """Return another value that functions of limited domain still take."""
        if not is_float(node.dtype):
            return value
        shift = rng.uniform(0.5, 1.0, (2, *value.shape)) / 256
        return np.asarray(value * (1 + self._point.numbers(shift[0])) + self._point.numbers(shift[1]), dtype=object)

    def agrees(self, node: Node, equation: Equation) -> bool:
        """Is one side of a forward line what was differentiated, whatever the values of the names in it are?"""
        differentiated = self._record.differentiated.get(node, node)
        inner = differentiated.operands[0] if isinstance(differentiated, Named) else differentiated
        own = node.name if isinstance(node, Named) else ""
        try:
            wanted = self._point.elsewhere(inner, self._bound([inner], own, opened=False))
            expected = wanted.numbers(wanted.array(inner))
            return any(self._is(expected, side.meaning, own) for side in equation.sides if side.meaning is not None)
        except _UNFIT:
            return True  # what takes no such values says nothing about the line

    def _is(self, expected: Array, meaning: Meaning, own: str) -> bool:
        leaves = [leaf for leaf in _nodes(meaning) if not isinstance(leaf, Variable)]
        given = self._bound(leaves, own, opened=True)
        printed = self._point.elsewhere(next(iter(leaves or given)), given)
        found = printed.numbers(value_of(meaning, printed))
        if found.size != expected.size:
            return False
        apart = max(map(abs, (found.reshape(-1) - expected.reshape(-1)).flat), default=0)
        return bool(apart <= max([1, *map(abs, expected.flat)]) * self._point.tolerance)

    def _bound(self, roots: list[Node], own: str, *, opened: bool) -> dict[Node, Any]:
        """Return the values of variables and names; `opened`: of expressions too that are printed by a name."""
        given = dict(self._variables)
        for node in self._names:
            if node.name == own:
                continue
            given[node] = self._values[node.name]
            expression = node.operands[0]
            if opened and expression.operands and not isinstance(expression, Named):
                given[expression] = self._values[node.name]
        reached = set(toposort(roots, stops=given))
        return {node: value for node, value in given.items() if node in reached or node in self._variables}


def _nodes(meaning: Meaning) -> list[Node]:
    """Return the nodes that a formula names, each once."""
    found: dict[Node, None] = {}
    pending = [meaning]
    while pending:
        current = pending.pop()
        inside = current.data if isinstance(current.data, tuple) else ()
        pending += [*current.parts, *(part for part in inside if isinstance(part, Meaning))]
        if current.op == "value":
            found[current.data] = None
    return [*found]
