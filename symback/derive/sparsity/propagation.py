"""Which entries of a node depend on which entries of a variable, told from the graph.

What is found holds at every point: a superset of the entries of the Jacobian that are not zero. One walk pushes sets of
entries from the variable to the outputs. Labels tell all about sums and products; what only moves entries is run on
their numbers; any other primitive says itself what depends on what, by its vector-Jacobian product.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from symback.derive.paths import passing, probe_of
from symback.derive.rules import partials, undo_broadcast
from symback.derive.sparsity.entry_sets import EntrySets, Indices, union
from symback.derive.sparsity.rules import RULES, contracted, repeated
from symback.graph import toposort
from symback.nodes.add import Plus
from symback.nodes.apply import Apply, Map, Named
from symback.nodes.contract import Contract, is_zero
from symback.nodes.dtypes import is_float
from symback.nodes.labels import Label
from symback.nodes.leaves import Constant, Variable
from symback.nodes.node import Node, Param
from symback.op.table import primitive_of

_MOST_NESTED = 8
"""How many primitives may ask one another in turn what depends on what."""

Found = dict[Node, EntrySets]
"""What is known of nodes; those that do not depend on the variable are left out."""


def entry_sets(outputs: Sequence[Node], wrt: Node) -> list[EntrySets]:
    """Return for each output which entries of `wrt` its entries depend on, all unravelled in row-major order.

    Sizes must be numbers, and indices that are known constants.
    """
    found = _Walk(wrt, {}, 0).found(outputs)
    width = size_of_shape(wrt.shape)
    return [found[output] if output in found else _nothing(size_of_shape(output.shape), width) for output in outputs]


def size_of_shape(shape: Sequence[Any]) -> int:
    """Return the number of entries of a shape of numbers."""
    return int(np.prod([int(size) for size in shape], dtype=np.int64))


def _nothing(rows: int, width: int) -> EntrySets:
    return EntrySets.of_pairs(rows, width, np.zeros(0, np.int64), np.zeros(0, np.int64))


class _Walk:
    """A walk from one variable; `local` keeps what primitives have said, `depth` how deep they ask one another."""

    def __init__(self, wrt: Node, local: dict[Node, list[EntrySets | None]], depth: int) -> None:
        self.wrt, self.local, self.depth = wrt, local, depth

    def found(self, outputs: Sequence[Node]) -> Found:
        """Return the sets of all nodes that depend on the variable."""
        found: Found = {}
        for node in toposort(outputs, stops={self.wrt}):
            if node is self.wrt:
                found[node] = EntrySets.identity(size_of_shape(node.shape))
            elif not found.keys().isdisjoint(passing(node)):
                sets = self._of(node, found)
                if sets is not None:
                    found[node] = sets
        return found

    def _of(self, node: Node, found: Found) -> EntrySets | None:
        if isinstance(node, Named):
            return found[node.operands[0]]
        if isinstance(node, Contract):
            return _of_product(node, found)
        if isinstance(node, Map):
            return _of_map(node, found)
        if isinstance(node, Apply):
            return self._of_structural(node, found)
        assert isinstance(node, Plus)
        return _united([repeated(found[x], x.shape, node.shape) for x in node.operands if x in found])

    def _of_structural(self, node: Apply, found: Found) -> EntrySets | None:
        given = [found.get(operand) for operand in node.operands]
        rule = RULES.get(node.operation.name)
        parts = None if rule is None else rule(node, given)
        if parts is not None:
            return _united([sets for sets in parts if sets is not None])
        pairs = zip(given, self._local(node), strict=True)
        return _united([own.through(sets) for sets, own in pairs if sets is not None and own is not None])

    def _local(self, node: Apply) -> list[EntrySets | None]:
        """Return for each operand on which of its entries the entries of the result depend; None for none at all."""
        alone = _on_variables(node)
        if alone not in self.local:
            self.local[alone] = _of_moved(alone) or self._of_rule(alone)
        return self.local[alone]

    def _of_rule(self, node: Apply) -> list[EntrySets | None]:
        """Ask the vector-Jacobian product: an operand's entry depends on the cotangents that reach it."""
        declared = primitive_of(node)
        rows = size_of_shape(node.shape)
        dense = [_dense(rows, size_of_shape(x.shape)) if is_float(x.dtype) else None for x in node.operands]
        if declared.vjp is None or self.depth > _MOST_NESTED:
            return dense
        self.local[node] = dense  # for a rule that comes back to this node
        probe = probe_of(node)
        values = [
            None if value is None else undo_broadcast(value, operand, 0)
            for operand, value in zip(node.operands, declared.vjp(probe, node), strict=True)
        ]
        inner = _Walk(probe, self.local, self.depth + 1).found([value for value in values if value is not None])
        return [inner[value].transposed() if value in inner else None for value in values]


def _united(several: Sequence[EntrySets]) -> EntrySets | None:
    return union(several) if several else None


def _dense(rows: int, width: int) -> EntrySets:
    empty = np.zeros(0, np.int64)
    return EntrySets(width, np.zeros(rows + 1, np.int64), empty, np.ones(rows, dtype=bool))


def _of_product(node: Contract, found: Found) -> EntrySets | None:
    if is_zero(node):
        return None
    terms = zip(node.operands, node.subscripts.inputs, strict=True)
    out = node.subscripts.out
    parts = dict.fromkeys((x, labels) for x, labels in terms if x in found)
    return _united([contracted(found[x], x.shape, labels, out, node.shape) for x, labels in parts])


def _of_map(node: Map, found: Found) -> EntrySets | None:
    known = primitive_of(node).derivative is not None
    slopes: Sequence[Node | None] = partials(node) if known else node.operands
    moving = [
        operand
        for operand, slope in zip(node.operands, slopes, strict=True)
        if operand in found and slope is not None and not (known and is_zero(slope))
    ]
    return _united([repeated(found[operand], operand.shape, node.shape) for operand in dict.fromkeys(moving)])


# -- what a primitive does to the entries of its operands --------------------------------------------------


def _on_variables(node: Apply) -> Apply:
    """Return the same operation on variables, so that what is found out serves all its instances."""
    return node.with_operands(tuple(_placeholder(k, operand) for k, operand in enumerate(node.operands)))


def _placeholder(place: int, operand: Node) -> Node:
    if isinstance(operand, Constant) and not is_float(operand.dtype):
        return operand
    if operand.is_weak:
        return operand
    return Variable(
        Param.__new__(Label, (f"(operand {place})", None, "let")), Param(operand.shape), Param(operand.dtype.name)
    )


def _of_moved(node: Apply) -> list[EntrySets | None] | None:
    """Return where the entries of a result come from, if they are zeros and entries of the operands; else None.

    A linear function that maps two unrelated lists of numbers to the same places only moves entries.
    """
    declared = primitive_of(node)
    if not declared.linear or any(not is_float(x.dtype) and not isinstance(x, Constant) for x in node.operands):
        return None
    sizes = [size_of_shape(x.shape) if is_float(x.dtype) else 0 for x in node.operands]
    ends = np.cumsum(sizes)
    total = int(ends[-1]) if sizes else 0
    numbers = np.arange(1, total + 1, dtype=np.float64)
    others = np.random.default_rng(0).permutation(total) + 2.0**40
    places = _run(node, sizes, numbers)
    if not np.isin(places, np.concatenate([np.zeros(1), numbers])).all():
        return None
    places = places.astype(np.int64) - 1
    expected = np.where(places < 0, 0, np.append(others, 0)[places])
    if not np.array_equal(_run(node, sizes, others), expected):
        return None
    return [
        _moved_from(places, int(end) - size, size) if is_float(x.dtype) else None
        for x, size, end in zip(node.operands, sizes, ends, strict=True)
    ]


def _run(node: Apply, sizes: Sequence[int], numbers: Any) -> Any:
    """Return the unravelled value of a primitive on operands that are filled with these numbers."""
    parts = np.split(numbers, np.cumsum(sizes)[:-1])
    operands = [
        part.reshape(x.shape) if is_float(x.dtype) else x.array for x, part in zip(node.operands, parts, strict=True)
    ]
    with np.errstate(all="ignore"):
        return np.ravel(primitive_of(node).evaluate(operands, node.operation.parameters))


def _moved_from(places: Indices, start: int, size: int) -> EntrySets:
    own = (places >= start) & (places < start + size)
    return EntrySets.identity(size).take(np.where(own, places - start, -1))
