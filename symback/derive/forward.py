"""Forward mode: one sweep from the variables to the outputs, appending tangent nodes to the graph.

Sums, products and elementwise primitives push tangents directly; a linear primitive is its own tangent;
any other is transposed twice: its vector-Jacobian product is linear in the cotangent.
"""

from collections.abc import Sequence
from itertools import count

from symback.derive.masks import times
from symback.derive.reverse import backpropagate, check_wrt, match_vectors
from symback.derive.rules import partials, refuse_held, transpose_rule
from symback.graph import many_allocations, toposort
from symback.nodes.add import Plus, add
from symback.nodes.apply import Apply, Map, Named
from symback.nodes.contract import Contract, contract, is_zero
from symback.nodes.dtypes import is_float
from symback.nodes.leaves import Variable, variable
from symback.nodes.node import Node
from symback.nodes.products import broadcast_to, zeros_of
from symback.op.table import primitive_of
from symback.ops.elementwise.logic import astype


def jvp(
    outputs: Sequence[Node], wrt: Sequence[Node], tangents: Sequence[Node], *, disconnected: str = "error"
) -> list[Node]:
    """Return the Jacobian-vector product: the derivative of each output along `tangents`."""
    check_wrt("jvp", outputs, wrt, disconnected)
    given: dict[Node, Node] = {}
    for node, tangent in match_vectors("jvp", wrt, tangents):
        given[node] = add(given[node], tangent) if node in given else tangent
    known: dict[Node, Node] = {}
    with many_allocations():
        for node in toposort(outputs):
            pushed = None
            if is_float(node.dtype) and not known.keys().isdisjoint(node.operands):
                pushed = _push(node, known)
            terms = [term for term in (given.get(node), pushed) if term is not None and not is_zero(term)]
            if terms:
                full = broadcast_to(add(*terms) if len(terms) > 1 else terms[0], node.shape)
                known[node] = full if full.dtype == node.dtype or full.is_weak else astype(full, node.dtype)
    results = [known.get(output, zeros_of(output)) for output in outputs]
    return [astype(result, output.dtype) for result, output in zip(results, outputs, strict=True)]


def _push(node: Node, known: dict[Node, Node]) -> Node | None:
    """Return the tangent of a node whose operands have the tangents `known`, or None for zero."""
    if isinstance(node, Named):
        return known[node.operands[0]]
    if isinstance(node, Contract):
        return _push_product(node, known)
    if isinstance(node, Map):
        return _push_map(node, known)
    if isinstance(node, Apply):
        return _push_structural(node, known)
    assert isinstance(node, Plus)
    return _total([broadcast_to(known[operand], node.shape) for operand in node.operands if operand in known])


def _total(terms: Sequence[Node]) -> Node | None:
    return None if not terms else terms[0] if len(terms) == 1 else add(*terms)


def _push_product(node: Contract, known: dict[Node, Node]) -> Node | None:
    terms = list(zip(node.operands, node.subscripts.inputs, strict=True))
    pushed = []
    for position, (operand, labels) in enumerate(terms):
        if operand in known:
            pushed.append(
                contract([*terms[:position], (known[operand], labels), *terms[position + 1 :]], node.subscripts.out)
            )
    return _total(pushed)


def _push_map(node: Map, known: dict[Node, Node]) -> Node | None:
    refuse_held(node, known)
    return _total(
        [
            broadcast_to(times(known[operand], partial), node.shape)
            for operand, partial in zip(node.operands, partials(node), strict=True)
            if partial is not None and operand in known
        ]
    )


def _push_structural(node: Apply, known: dict[Node, Node]) -> Node | None:
    if not primitive_of(node).differentiable:
        return None
    if transpose_rule(node).linear:
        return node.with_operands(tuple(known.get(operand, _held(operand)) for operand in node.operands))
    probe = _fresh_variable(node)
    rule = transpose_rule(node).vjp
    assert rule is not None
    pairs = zip(node.operands, rule(probe, node), strict=True)
    seeds = [(value, known[operand]) for operand, value in pairs if value is not None and operand in known]
    return backpropagate(seeds, [probe]).get(probe) if seeds else None


def _held(operand: Node) -> Node:
    """Return the tangent of an operand that does not move; indices, which have none, stay what they are."""
    return zeros_of(operand) if is_float(operand.dtype) else operand


def _fresh_variable(node: Node) -> Variable:
    """Return a variable of the node's shape and dtype that no graph contains: the transposed pass removes it."""
    names = (f"cotangent_{number}" for number in count())
    return variable(next(names), node.shape, node.dtype)
