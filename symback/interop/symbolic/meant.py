"""Reductions that SymPy has no name for, as what they mean: a softmax as a quotient of exponentials.

symback computes them so that nothing overflows; SymPy has the formula alone.
"""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from symback.graph import rebuild, toposort
from symback.nodes.add import add
from symback.nodes.apply import Apply
from symback.nodes.leaves import exact, size_of
from symback.nodes.node import Node
from symback.nodes.products import count_over, hadamard, scale, sum_axes
from symback.ops.elementwise.arithmetic import divide
from symback.ops.elementwise.exponential import exp, log
from symback.ops.elementwise.kinks import absolute, maximum
from symback.ops.elementwise.powers import power, sqrt
from symback.ops.reductions.statistics import divisor_of
from symback.ops.reductions.sums import average_of, positive

Meaning = Callable[..., Node]
"""From operands and parameters of a primitive to the same by others."""


def meant(nodes: Sequence[Node]) -> list[Node]:
    """Return nodes with such reductions written by functions that SymPy has, and sums."""
    if not any(_meaning(node) for node in toposort(nodes)):
        return list(nodes)

    def written(node: Node, operands: tuple[Node, ...]) -> Node:
        meaning = _meaning(node)
        if meaning is None or not isinstance(node, Apply):
            return node.with_operands(operands)
        return meaning(*operands, *node.operation.parameters)

    found = rebuild(nodes, written, {})
    return [found[node] for node in nodes]


def _meaning(node: Node) -> Meaning | None:
    return _MEANINGS.get(node.operation.name) if isinstance(node, Apply) else None


def _total(x: Node, axes: Sequence[int]) -> Node:
    return sum_axes(x, tuple(axis % len(x.shape) for axis in axes))


def _spread(x: Node, axes: Sequence[int]) -> Node:
    """Return sums that meet the entries they are of: a number, or with axes of size 1."""
    some = len(axes) < len(x.shape)
    return sum_axes(x, tuple(axis % len(x.shape) for axis in axes), keepdims=some)


def _softmax(x: Node, axes: Sequence[int]) -> Node:
    return divide(exp(x), _spread(exp(x), axes))


def _norm(x: Node, axes: Sequence[int], p: Any) -> Node:
    if p == 2:
        return sqrt(_total(hadamard(x, x), axes))
    return power(_total(power(absolute(x), exact(p)), axes), exact(1 / Fraction(p)))


def _variance(x: Node, axes: Sequence[int], ddof: int) -> Node:
    mean = average_of(_spread(x, axes), count_over(x, positive(tuple(axes), len(x.shape))))
    apart = add(x, scale(-1, mean))
    total, count = _total(hadamard(apart, apart), axes), divisor_of(x, tuple(axes), ddof)
    if ddof < 2 or isinstance(count, int):
        return average_of(total, count)
    return divide(total, maximum(size_of(count), exact(0)))  # as in NumPy, where entries are fewer than that


_MEANINGS: Mapping[str, Meaning] = {
    "logsumexp_over": lambda x, axes: log(_total(exp(x), axes)),
    "weighted_logsumexp_over": lambda x, b, axes: log(_total(hadamard(b, exp(x)), axes)),
    "softmax_over": _softmax,
    "norm_over": _norm,
    "var_over": _variance,
    "std_over": lambda x, axes, ddof: sqrt(_variance(x, axes, ddof)),
}
