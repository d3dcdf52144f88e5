"""Products of many matrices: chains and powers."""

from collections.abc import Sequence
from typing import Any

import sympy

from symback import errors
from symback.nodes.contract import Labels, contract
from symback.nodes.leaves import as_node
from symback.nodes.node import Node
from symback.nodes.products import broadcast_to
from symback.nodes.shapes import integer_of, sequence_of
from symback.op.public import public
from symback.ops.linalg.matrices import identity, square_size
from symback.ops.linalg.powers import power_of
from symback.ops.linalg.solving import inv
from symback.ops.products.einsum import numbers
from symback.ops.products.multiplying import matmul

__all__ = ["matrix_power", "multi_dot"]


@public(
    "linalg.multi_dot",
    examples=(
        lambda f, make: f([make("A", (2, 3)), make("B", (3, 1)), make("C", (1, 2))]),
        lambda f, make: f([make("x", (2,)), make("A", (2, 3)), make("B", (3, 2)), make("y", (2,))]),
        lambda f, make: f((make("A", (2, 3)), make("x", (3,)))),
    ),
)
def multi_dot(arrays: Sequence[Any]) -> Node:
    """Product of matrices in the cheapest order, as `numpy.linalg.multi_dot` has it.

    The first array may be a row, the last a column. The order is chosen when code is emitted.

    Raises:
        ShapeError: If there are fewer than two arrays, one of them is no matrix, or contracted sizes differ.

    Example:
        >>> import symback as sb
        >>> sb.linalg.multi_dot([sb.tensor("A", (9, 2)), sb.tensor("B", (2, 9)), sb.tensor("x", (9,))]).shape
        (9,)
    """
    nodes = numbers("multi_dot", *sequence_of("multi_dot", arrays, "matrices"))
    if len(nodes) < 2:
        raise errors.empty_sequence("multi_dot (of two matrices or more)")
    last = len(nodes) - 1
    terms: list[tuple[Node, Labels]] = []
    for place, node in enumerate(nodes):
        if len(node.shape) != 2 and not (len(node.shape) == 1 and place in (0, last)):
            raise errors.wrong_rank("multi_dot", node, "2 (the first and the last may have 1)")
        if place and nodes[place - 1].shape[-1] != node.shape[0]:
            raise errors.label_mismatch("multi_dot", nodes, nodes[place - 1].shape[-1], node.shape[0])
        row_or_matrix = (place, place + 1) if len(node.shape) == 2 else (1,)
        terms.append((node, row_or_matrix if place == 0 or len(node.shape) == 2 else (last,)))
    out = terms[0][1][:-1] + terms[-1][1][1:]
    return contract(terms, out)


@public(
    "linalg.matrix_power",
    examples=(
        lambda f, make: f(make("A", (3, 3)), 3),
        lambda f, make: f(make("A", (2, 2, 2)), 2),
        lambda f, make: f(make("A", (2, 2)), -2),
        lambda f, make: f(make("A", (2, 2)), 5),
        lambda f, make: f(make("A", (2, 2)), 1),
    ),
)
def matrix_power(a: Any, n: int) -> Node:
    """Power of square matrices, as `numpy.linalg.matrix_power` has it, by repeated squaring.

    Args:
        a: Shape (..., m, m).
        n: An integer; 0 gives the identity, a negative one a power of the inverse. Or a node of shape (), whose
            value is read at each call; emitted code raises ValueError where it is no integer. There is no derivative
            by it; by the matrix there is, and for n = 0 that is 0 where the matrix is singular too.

    Raises:
        ShapeError: If the matrices are not square.
        UsageError: If n is no integer.

    Example:
        >>> import symback as sb
        >>> sb.linalg.matrix_power(sb.tensor("A", ("n", "n")), 3).shape
        (n, n)
    """
    (x,) = numbers("matrix_power", as_node(a))
    size = square_size("matrix_power", x)
    exponent = integer_of(n)
    if exponent is None and _is_number(n):
        return power_of(x, n)
    if exponent is None:
        raise errors.bad_exponent("matrix_power", n)
    if exponent == 0:
        return broadcast_to(identity(size, x), x.shape)
    return _positive_power(inv(x) if exponent < 0 else x, abs(exponent))


def _is_number(n: Any) -> bool:
    """Is this a number that is known when the code runs: a node, or a symbolic size?"""
    if not isinstance(n, (Node, sympy.Expr)) or not n.free_symbols:
        return False
    node = as_node(n)
    return not node.shape and node.dtype.kind in "iuf"


def _positive_power(x: Node, n: int) -> Node:
    """Multiply the squares that the binary digits of n name, the smallest first."""
    result: Node | None = None
    square = x
    while n:
        if n % 2:
            result = square if result is None else matmul(result, square)
        n //= 2
        square = matmul(square, square) if n else square
    assert result is not None
    return result
