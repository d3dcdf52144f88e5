"""Differentiation of what is meant: naive spellings become stable functions first.

No rewriting can find the digits again that the derivative of a naive spelling has lost, so the outputs are rewritten
by `symback.rewrite.stability` before the sweep; what is differentiated by stays as it is. Whether an output depends on
a variable is judged on the graph as written.
"""

from collections.abc import Sequence

from symback.derive import reverse
from symback.nodes.node import Node
from symback.rewrite.stability import stabilise
from symback.trace import Trace

__all__ = ["grad", "vjp"]


def grad(loss: Node, wrt: Sequence[Node], *, disconnected: str = "error", trace: Trace | None = None) -> list[Node]:
    """Return the gradient of a scalar by each of `wrt`, of its shape and dtype."""
    reverse.check_loss(loss, wrt, disconnected)
    (loss,) = stabilise([loss], wrt)
    return reverse.grad(loss, wrt, disconnected="zero", trace=trace)


def vjp(
    outputs: Sequence[Node], wrt: Sequence[Node], cotangents: Sequence[Node], *, disconnected: str = "error"
) -> list[Node]:
    """Return the vector-Jacobian product: the sum over outputs of cotangent times derivative, for each of `wrt`."""
    reverse.check_wrt("vjp", outputs, wrt, disconnected)
    return reverse.vjp(stabilise(outputs, wrt), wrt, cotangents, disconnected="zero")
