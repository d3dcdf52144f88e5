"""Reverse mode: one sweep from the outputs to the variables, appending adjoint nodes to the graph."""

from collections.abc import Mapping, Sequence

from symback import errors
from symback.derive.paths import active_nodes
from symback.derive.rules import contributions, identity_seed, undo_broadcast
from symback.graph import many_allocations, toposort
from symback.nodes.add import add
from symback.nodes.apply import Named
from symback.nodes.contract import Contract, is_zero
from symback.nodes.dtypes import is_float
from symback.nodes.labels import Label
from symback.nodes.leaves import Constant, Exact, Ones, Size, Variable, exact
from symback.nodes.looks import latex_name
from symback.nodes.node import HOOKS, Node
from symback.nodes.products import broadcast_to, zeros_of
from symback.ops.elementwise.logic import astype
from symback.trace import Step, Trace


def backpropagate(
    seeds: Sequence[tuple[Node, Node]],
    wrt: Sequence[Node],
    *,
    named: bool = False,
    trace: Trace | None = None,
    labels: Mapping[Node, Label] | None = None,
) -> dict[Node, Node]:
    """Return the adjoint of each node of `wrt` that an output depends on.

    Args:
        seeds: The outputs with their cotangents, all with the same leading axes.
        wrt: Leaves or intermediate nodes, of a float dtype.
        named: Give adjoints of named nodes names (``d_z1``).
        trace: Where to record each step.
        labels: Names for the adjoints of nodes that have none, for `named`.
    """
    order = toposort([output for output, _ in seeds])
    active = active_nodes(order, wrt)
    lead = len(seeds[0][1].shape) - len(seeds[0][0].shape)
    loss = seeds[0][0]
    pending: dict[Node, list[Node]] = {}
    for output, seed in seeds:
        pending.setdefault(output, []).append(seed)
    wanted = set(wrt)
    found: dict[Node, Node] = {}
    with many_allocations():
        for node in reversed(order):
            received = pending.pop(node, None)
            if received is None or node not in active:
                continue
            total = received[0] if len(received) == 1 else add(*received)
            if named and (isinstance(node, Named) or node in wanted or (labels and node in labels)):
                total = _name_adjoint(total, node, loss, labels or {})
            if node in wanted:
                found[node] = total
            if trace is not None:
                trace.adjoints[node] = total
            _pass_on(node, total, active, lead, pending, trace)
    return found


def _pass_on(
    node: Node, total: Node, active: set[Node], lead: int, pending: dict[Node, list[Node]], trace: Trace | None
) -> None:
    for contribution in contributions(node, total, active):
        operand = node.operands[contribution.position]
        value = undo_broadcast(contribution.value, operand, lead)
        if trace is not None:
            trace.steps.append(
                Step(node, contribution.position, operand, total, value, contribution.rule, contribution.partial)
            )
        if not is_zero(value):
            pending.setdefault(operand, []).append(value)


def _name_adjoint(total: Node, node: Node, loss: Node, labels: Mapping[Node, Label]) -> Node:
    """Name the adjoint of a named node or variable after it, another by its label; leaves keep theirs."""
    if node in labels and total.operands:
        return Named(labels[node], total)
    if not isinstance(node, (Named, Variable)) or not total.operands or node is loss:
        return total
    look = node.label.latex or latex_name(node.name)
    top = (loss.label.latex or latex_name(loss.name)) if isinstance(loss, (Named, Variable)) else r"\mathcal{L}"
    return Named(Label(f"d_{node.name}", rf"\frac{{\partial {top}}}{{\partial {look}}}", "adjoint"), total)


def check_wrt(operation: str, outputs: Sequence[Node], wrt: Sequence[Node], disconnected: str) -> None:
    """Refuse variables that are not real-valued, or that no output depends on as the graph is written."""
    if disconnected not in ("error", "zero"):
        raise errors.bad_option(operation, "disconnected", disconnected, ("error", "zero"))
    reached = set(toposort(outputs))
    for node in wrt:
        if isinstance(node, (Exact, Constant, Ones, Size)):
            raise errors.constant_variable(operation, node)
        if not is_float(node.dtype):
            raise errors.not_differentiable_dtype(node)
        if isinstance(node, Contract) and not node.is_core and _is_past(node, outputs):
            raise errors.dissolved(operation, outputs[0], node)
        if node not in reached and disconnected == "error":
            raise errors.disconnected(operation, outputs[0], node)


def _is_past(node: Contract, outputs: Sequence[Node]) -> bool:
    """Do outputs depend on what a multiple or a view is of, past it? Products look through those that have no name."""
    beyond = set(toposort(outputs, stops={node}))
    return any(operand in beyond for operand in node.operands if not isinstance(operand, (Exact, Constant, Ones, Size)))


def check_loss(loss: Node, wrt: Sequence[Node], disconnected: str, *, operation: str = "grad") -> None:
    """Refuse a loss that is no real number, and what `check_wrt` refuses."""
    if loss.shape != ():
        raise errors.not_scalar(operation, loss)
    check_output(operation, loss)
    check_wrt(operation, [loss], wrt, disconnected)


def check_output(operation: str, output: Node) -> None:
    """Refuse to differentiate what is no real number."""
    if not is_float(output.dtype):
        raise errors.output_dtype(operation, output)


def grad(
    loss: Node,
    wrt: Sequence[Node],
    *,
    disconnected: str = "error",
    trace: Trace | None = None,
    labels: Mapping[Node, Label] | None = None,
) -> list[Node]:
    """Return the gradient of a scalar by each of `wrt`, of its shape and dtype."""
    check_loss(loss, wrt, disconnected)
    found = backpropagate([(loss, exact(1))], wrt, named=True, trace=trace, labels=labels)
    return [result_of(found.get(node), node, ()) for node in wrt]


def vjp(
    outputs: Sequence[Node], wrt: Sequence[Node], cotangents: Sequence[Node], *, disconnected: str = "error"
) -> list[Node]:
    """Return the vector-Jacobian product: the sum over outputs of cotangent times derivative, for each of `wrt`."""
    check_wrt("vjp", outputs, wrt, disconnected)
    seeds = match_vectors("vjp", outputs, cotangents)
    found = backpropagate(seeds, wrt)
    return [result_of(found.get(node), node, ()) for node in wrt]


def jacobian(output: Node, wrt: Sequence[Node], *, disconnected: str = "error") -> list[Node]:
    """Return the derivatives of `output` by each of `wrt`, of shape output.shape + wrt.shape."""
    check_wrt("jacobian", [output], wrt, disconnected)
    check_output("jacobian", output)
    found = backpropagate([(output, identity_seed(output.shape, output))], wrt)
    return [result_of(found.get(node), node, output.shape) for node in wrt]


def hessian(loss: Node, wrt: Sequence[Node], *, disconnected: str = "error") -> list[list[Node]]:
    """Return the second derivatives of a scalar, a block for each pair of `wrt`; unconnected blocks are zero."""
    gradients = grad(loss, wrt, disconnected=disconnected)
    return [jacobian(gradient, wrt, disconnected="zero") for gradient in gradients]


def result_of(found: Node | None, node: Node, lead: tuple[object, ...]) -> Node:
    """Return what a sweep has found for a node, in the dtype of the node; zeros if it has found nothing."""
    shape = (*lead, *node.shape)
    if found is None:
        return broadcast_to(zeros_of(node), shape)
    return found if found.dtype == node.dtype and not found.is_weak else astype(found, node.dtype)


def match_vectors(operation: str, nodes: Sequence[Node], vectors: Sequence[Node]) -> list[tuple[Node, Node]]:
    """Pair nodes with vectors of the same shape."""
    if len(nodes) != len(vectors):
        raise errors.cotangent_count(operation, len(nodes), len(vectors))
    for node, vector in zip(nodes, vectors, strict=True):
        if node.shape != vector.shape:
            raise errors.cotangent_mismatch(operation, node, vector)
    return list(zip(nodes, vectors, strict=True))


HOOKS["jacobian"] = lambda output, wrt: jacobian(output, wrt, disconnected="zero")
