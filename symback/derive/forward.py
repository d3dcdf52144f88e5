"""Forward mode: one sweep from the variables to the outputs, appending tangent nodes to the graph.

Sums, products and elementwise primitives push tangents directly; a linear primitive is its own tangent;
any other is transposed twice: its vector-Jacobian product is linear in the cotangent. Tangents may have leading
axes, one entry for each direction.
"""

from collections.abc import Mapping, Sequence

from symback.derive.masks import with_dtype
from symback.derive.paths import passing, probe_of
from symback.derive.reverse import backpropagate, check_wrt, match_vectors
from symback.derive.rules import partials, refuse_held, times, transpose_rule
from symback.graph import many_allocations, toposort
from symback.nodes.add import Plus, add
from symback.nodes.apply import Apply, Map, Named
from symback.nodes.contract import Contract, contract, is_zero
from symback.nodes.dtypes import BOOL, is_float
from symback.nodes.leaves import exact, ones_of
from symback.nodes.node import Node
from symback.nodes.products import broadcast_to, zeros_of
from symback.nodes.shapes import Shape
from symback.op.batch import with_ones
from symback.ops.elementwise.logic import astype


def jvp(
    outputs: Sequence[Node], wrt: Sequence[Node], tangents: Sequence[Node], *, disconnected: str = "error"
) -> list[Node]:
    """Return the Jacobian-vector product: the derivative of each output along `tangents`."""
    check_wrt("jvp", outputs, wrt, disconnected)
    given: dict[Node, Node] = {}
    for node, tangent in match_vectors("jvp", wrt, tangents):
        given[node] = add(given[node], tangent) if node in given else tangent
    return push(outputs, given)


def push(outputs: Sequence[Node], given: Mapping[Node, Node], lead: Shape = ()) -> list[Node]:
    """Return the tangents of the outputs, of shape lead + output.shape, from those that are `given`."""
    sweep = _Sweep(len(lead))
    with many_allocations():
        for node in toposort(outputs):
            sweep.visit(node, given.get(node))
    results = [sweep.known.get(output) for output in outputs]
    return [
        broadcast_to(zeros_of(output), lead + output.shape) if result is None else astype(result, output.dtype)
        for result, output in zip(results, outputs, strict=True)
    ]


class _Sweep:
    """The tangents that are known so far, which have `lead` leading axes."""

    def __init__(self, lead: int) -> None:
        self.lead = lead
        self.known: dict[Node, Node] = {}

    def visit(self, node: Node, given: Node | None) -> None:
        """Find the tangent of a node from those of its operands and what is `given`."""
        pushed = None if self.known.keys().isdisjoint(passing(node)) else self._push(node)
        terms = [term for term in (given, pushed) if term is not None and not is_zero(term)]
        if terms:
            full = self._spread(add(*terms) if len(terms) > 1 else terms[0], node.shape)
            self.known[node] = full if full.dtype == node.dtype or full.is_weak else astype(full, node.dtype)

    def _push(self, node: Node) -> Node | None:
        """Return the tangent of a node, or None for zero."""
        if isinstance(node, Named):
            return self.known[node.operands[0]]
        if isinstance(node, Contract):
            return self._push_product(node)
        if isinstance(node, Map):
            return self._push_map(node)
        if isinstance(node, Apply):
            return self._push_structural(node)
        assert isinstance(node, Plus)
        terms = [self._spread(self.known[x], node.shape) for x in node.operands if x in self.known]
        return _total(terms)

    def _push_product(self, node: Contract) -> Node | None:
        subscripts = node.subscripts
        fresh = 1 + max((label for labels in subscripts.inputs for label in labels), default=-1)
        lead = tuple(range(fresh, fresh + self.lead))
        terms = list(zip(node.operands, subscripts.inputs, strict=True))
        pushed = []
        for position, (operand, labels) in enumerate(terms):
            if operand in self.known:
                place = (self.known[operand], lead + labels)
                pushed.append(contract([*terms[:position], place, *terms[position + 1 :]], lead + subscripts.out))
        return _total(pushed)

    def _push_map(self, node: Map) -> Node | None:
        refuse_held(node, self.known)
        pushed = []
        for operand, partial in zip(node.operands, partials(node), strict=True):
            if partial is not None and operand in self.known:
                tangent = self._beside(self.known[operand], max(len(node.shape), len(partial.shape)))
                pushed.append(self._spread(times(tangent, partial), node.shape))
        return _total(pushed)

    def _push_structural(self, node: Apply) -> Node | None:
        if transpose_rule(node).linear and not self.lead:
            return node.with_operands(tuple(self._tangent_of(operand) for operand in node.operands))
        probe = probe_of(node)
        rule = transpose_rule(node).vjp
        assert rule is not None
        pairs = zip(node.operands, rule(probe, node), strict=True)
        seeds = [(value, self.known[x]) for x, value in pairs if value is not None and x in self.known]
        return backpropagate(seeds, [probe]).get(probe) if seeds else None

    def _tangent_of(self, operand: Node) -> Node:
        """Return the tangent of an operand, zero if it does not move; indices, which have none, stay what they are."""
        if operand in self.known:
            return with_dtype(self.known[operand], operand)
        if is_float(operand.dtype):
            return zeros_of(operand)
        return exact(0.0) if operand.is_weak else operand

    def _beside(self, tangent: Node, rank: int) -> Node:
        """Insert axes of size 1 behind the leading ones, so that the others stand where broadcasting wants them."""
        return with_ones(tangent, rank, self.lead) if self.lead else tangent

    def _spread(self, tangent: Node, shape: Shape) -> Node:
        """Repeat a tangent to the shape of its node, behind the leading axes."""
        if not self.lead or tangent.is_weak:
            return broadcast_to(tangent, shape)
        wanted = tangent.shape[: self.lead] + shape
        if tangent.shape == wanted:
            return tangent
        beside = self._beside(tangent, len(shape))
        labels = tuple(range(len(wanted)))
        single = {axis for axis in labels if beside.shape[axis] == 1 and wanted[axis] != 1}
        own = tuple(axis + len(wanted) if axis in single else axis for axis in labels)
        missing = tuple(sorted(single))
        return contract([(beside, own), (ones_of(tuple(wanted[axis] for axis in missing), BOOL), missing)], labels)


def _total(terms: Sequence[Node]) -> Node | None:
    return None if not terms else terms[0] if len(terms) == 1 else add(*terms)
