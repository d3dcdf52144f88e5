"""Products with Hessians and Gauss-Newton matrices, as nodes: no matrix is derived.

A Hessian is the Jacobian of the gradient, so its product with a vector is a sweep along (or against) the gradient.
The Gauss-Newton matrix J' H J takes three: along the model, along the gradient of the loss, against the model.
"""

from collections.abc import Sequence

from symback import errors
from symback.derive import forward, reverse
from symback.derive.kept import kept
from symback.derive.paths import active_nodes, fresh_names
from symback.derive.reverse import check_output, check_wrt
from symback.graph import replaced, toposort
from symback.nodes.leaves import Variable, variable
from symback.nodes.node import Node
from symback.rewrite.stability import stabilise


def _meant(outputs: Sequence[Node], wrt: Sequence[Node], written: bool) -> Sequence[Node]:
    """Return what is differentiated: the outputs as written, as SymPy does, or with naive spellings replaced."""
    return outputs if written else stabilise(outputs, wrt)


def _gradients(loss: Node, wrt: Sequence[Node], disconnected: str, written: bool) -> Sequence[Node]:
    reverse.check_loss(loss, wrt, disconnected)
    (loss,) = _meant([loss], wrt, written)
    return _meant(reverse.grad(loss, wrt, disconnected="zero"), wrt, written)


def jvp(outputs: Sequence[Node], wrt: Sequence[Node], tangents: Sequence[Node], *, written: bool = False) -> list[Node]:
    """Return the derivative of each output along `tangents`, zeros where it does not depend on `wrt`."""
    return forward.jvp(_meant(outputs, wrt, written), wrt, tangents, disconnected="zero")


def hvp(
    loss: Node, wrt: Sequence[Node], vectors: Sequence[Node], *, disconnected: str = "error", written: bool = False
) -> list[Node]:
    """Return the Hessian-vector product, forward over reverse: the derivative of the gradient along the vectors."""
    (loss,), wrt, release = kept([loss], wrt)
    return release(forward.jvp(_gradients(loss, wrt, disconnected, written), wrt, vectors, disconnected="zero"))


def vhp(
    loss: Node, wrt: Sequence[Node], vectors: Sequence[Node], *, disconnected: str = "error", written: bool = False
) -> list[Node]:
    """Return the vector-Hessian product, reverse over reverse: the vectors pulled back through the gradient."""
    (loss,), wrt, release = kept([loss], wrt)
    return release(reverse.vjp(_gradients(loss, wrt, disconnected, written), wrt, vectors, disconnected="zero"))


def gauss_newton(
    outputs: Sequence[Node],
    wrt: Sequence[Node],
    vectors: Sequence[Node],
    *,
    loss: Node | None = None,
    disconnected: str = "error",
    written: bool = False,
) -> list[Node]:
    """Return J' H J times the vectors: J of the outputs by `wrt`, H of the loss by the outputs, or the identity."""
    check_wrt("gauss_newton", outputs, wrt, disconnected)
    for output in outputs:
        check_output("gauss_newton", output)
    if loss is not None:
        _check_factored("gauss_newton", loss, outputs, wrt)
        outputs = list(dict.fromkeys(outputs))
    curved = jvp(outputs, wrt, vectors, written=written)
    if loss is not None:
        curved = _curved(loss, outputs, curved, written)
    return reverse.vjp(_meant(outputs, wrt, written), wrt, curved, disconnected="zero")


def _curved(loss: Node, outputs: Sequence[Node], tangents: Sequence[Node], written: bool) -> list[Node]:
    """Return the Hessian of the loss by the outputs times their tangents; outputs that depend on others are cut off."""
    reached = set(toposort([operand for output in outputs for operand in output.operands]))
    if reached.isdisjoint(outputs):
        return hvp(loss, outputs, tangents, written=written)
    apart = dict(zip(outputs, _standing_for(outputs, [loss, *tangents]), strict=True))
    alone = replaced([loss], apart)[loss]
    curved = hvp(alone, [apart[output] for output in outputs], tangents, written=written)
    back = replaced(curved, {probe: output for output, probe in apart.items()})
    return [back[node] for node in curved]


def _standing_for(outputs: Sequence[Node], users: Sequence[Node]) -> list[Variable]:
    """Return variables in the place of outputs, with names that nothing has among what uses them."""
    names = fresh_names("output", users)
    return [variable(name, output.shape, output.dtype) for name, output in zip(names, outputs, strict=False)]


def _check_factored(operation: str, loss: Node, outputs: Sequence[Node], wrt: Sequence[Node]) -> None:
    """Refuse a loss that is not computed from the outputs, or not from them alone."""
    order = toposort([loss], stops=set(outputs))
    for output in outputs:
        if output not in order:
            raise errors.without_the_output(operation, loss, output)
    past = [node for node in order if node not in outputs]
    for node in wrt:
        if node in past and loss in active_nodes(past, [node]):
            raise errors.past_the_output(operation, loss, node, outputs)
