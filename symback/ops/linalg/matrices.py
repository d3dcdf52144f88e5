"""What linear algebra on stacks of square matrices is made of."""

from fractions import Fraction
from typing import Any

import numpy as np

from symback import errors
from symback.nodes.add import add
from symback.nodes.contract import contract
from symback.nodes.dtypes import FLOAT64
from symback.nodes.leaves import as_node, constant, ones_of
from symback.nodes.node import Node
from symback.nodes.products import hadamard
from symback.nodes.shapes import Shape, SizeExpr
from symback.ops.elementwise.logic import astype
from symback.ops.products.axes import matrix_transpose
from symback.ops.products.leading import stacked_product
from symback.ops.shaping.triangles import tril

HALF = Fraction(1, 2)


def real(x: Any) -> Node:
    """Convert to a float, as NumPy's linear algebra does: integers and booleans to float64."""
    node = as_node(x)
    return node if node.dtype.kind == "f" else astype(node, FLOAT64)


def identity(size: SizeExpr, like: Node) -> Node:
    """Return the identity matrix, in the dtype of `like`."""
    return contract([(ones_of((size,), like.dtype), (0,))], (0, 0))


def square_size(operation: str, a: Node) -> SizeExpr:
    """Return the number of rows of matrices, which must be square."""
    if len(a.shape) < 2:
        raise errors.wrong_rank(operation, a, "at least 2")
    if a.shape[-1] != a.shape[-2]:
        raise errors.not_square(operation, a)
    return a.shape[-1]


def of_square(operation: str) -> Any:
    """Return a signature: a square matrix or a stack of them, to floats of the same shape."""

    def signature(a: Node) -> tuple[Shape, np.dtype[Any]]:
        square_size(operation, a)
        return a.shape, a.dtype

    return signature


def matrix_product(a: Node, b: Node) -> Node:
    """Multiply matrices, in stacks that broadcast."""
    return stacked_product("matmul", a, b, 2, 2)


def mirrored(x: Node) -> Node:
    """The symmetric matrix with this lower triangle."""
    return add(tril(x), matrix_transpose(tril(x, -1)))


def positive_definite(make: Any, *lead: int) -> Node:
    """An example's symmetric matrix, positive definite with distinct eigenvalues."""
    x = make("x", (*lead, 2, 2))
    diagonal = astype(constant(np.diag([1.0, 3.0])), x.dtype)
    return add(matrix_product(x, matrix_transpose(x)), diagonal)


def projections(v: Node) -> Node:
    """Products of the entries of vectors, given as columns, that do not depend on the vectors' signs."""
    return hadamard(v, v[..., :1, :])
