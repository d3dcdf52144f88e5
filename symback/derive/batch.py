"""From one example to a batch: each node that depends on a batched variable gets the axis of the examples in front.

Sums, products and elementwise primitives have one rule each, any other states its own: nothing is looped over or
copied. In a product the axis is one more label, so the gradient of a batch sums over it, in matrix products.
"""

from collections.abc import Container, Mapping, Sequence

from symback import errors
from symback.derive.paths import probe_of
from symback.derive.reverse import backpropagate
from symback.graph import many_allocations, rebuild
from symback.nodes.add import Plus, add
from symback.nodes.apply import Apply, Map, Named
from symback.nodes.contract import Contract, contract
from symback.nodes.dtypes import is_float
from symback.nodes.node import Node
from symback.nodes.products import broadcast_to, zeros_of
from symback.op.batch import Operands, aligned, are_batched, examples_in, repeated
from symback.op.table import primitive_of


def batched(
    outputs: Sequence[Node], variables: Mapping[Node, Node], nameless: Container[Node] = ()
) -> dict[Node, Node]:
    """Map every node of a graph to what it is for a batch.

    Args:
        outputs: What is computed for one example.
        variables: For each variable that differs from example to example one with an axis more, in front.
        nameless: Named nodes whose name is not to be given to values that differ from example to example.

    Returns:
        For each node one with the axis in front, or the node itself if it is the same for all examples.
    """

    def replace(node: Node, operands: tuple[Node, ...]) -> Node:
        new = _for_a_batch(node, operands)
        return operands[0] if node in nameless and new is not node else new

    with many_allocations():
        return rebuild(outputs, replace, dict(variables))


def _for_a_batch(node: Node, operands: tuple[Node, ...]) -> Node:
    if operands == node.operands:
        return node
    if isinstance(node, Named):
        return Named(node.label, operands[0])
    if isinstance(node, Contract):
        found = _product(node, operands)
    elif isinstance(node, Plus):
        found = add(*aligned(node, operands))
    elif isinstance(node, Map):
        found = node.func(node.operation, *aligned(node, operands))
    else:
        found = _structural(node, operands)
    wanted = (examples_in(node, operands), *node.shape)
    if found.shape != wanted or found.dtype != node.dtype:
        name = primitive_of(node).name if isinstance(node, Apply) else type(node).__name__
        reason = f"batch gives {errors.show_shape(found.shape)} {found.dtype}, not {errors.show_shape(wanted)}"
        raise errors.bad_declaration(name, f"{reason} {node.dtype}")
    return found


def _product(node: Contract, operands: Operands) -> Node:
    """Give the examples a label of their own."""
    inputs, out = node.subscripts.inputs, node.subscripts.out
    example = 1 + max((label for labels in inputs for label in labels), default=-1)
    flags = are_batched(node, operands)
    triples = zip(operands, inputs, flags, strict=True)
    terms = [(operand, (example, *labels) if flag else labels) for operand, labels, flag in triples]
    return contract(terms, (example, *out))


def _structural(node: Node, operands: Operands) -> Node:
    declared = primitive_of(node)
    rule = declared.batch
    if callable(rule):
        return rule(node, operands)
    if rule == "leading":
        return node.with_operands(tuple(repeated(node, operands)))
    if rule == "broadcast":
        return node.with_operands(tuple(aligned(node, operands)))
    return _transposed_twice(node, operands)


def _transposed_twice(node: Node, operands: Operands) -> Node:
    """Transpose the transpose of a linear primitive, which takes leading axes; what is no float cannot differ."""
    declared = primitive_of(node)
    pairs = list(zip(operands, node.operands, are_batched(node, operands), strict=True))
    moves = all(is_float(old.dtype) for _, old, flag in pairs if flag)
    if not declared.linear or declared.vjp is None or not moves or not is_float(node.dtype):
        raise errors.no_batch_rule(declared.name, node)
    probe = probe_of(node)
    transposed = zip(declared.vjp(probe, node), repeated(node, operands), strict=True)
    seeds = [(value, operand) for value, operand in transposed if value is not None]
    found = backpropagate(seeds, [probe]).get(probe) if seeds else None
    return broadcast_to(zeros_of(node), (examples_in(node, operands), *node.shape)) if found is None else found
