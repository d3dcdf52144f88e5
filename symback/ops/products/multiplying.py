"""NumPy's products of vectors and matrices: each is one Contract."""

from typing import Any

from symback import errors
from symback.nodes.contract import contract
from symback.nodes.node import Node
from symback.nodes.shapes import integer_of, normalize_axis, sequence_of
from symback.op.public import public
from symback.ops.elementwise.arithmetic import multiply
from symback.ops.products.einsum import arrays, numbers
from symback.ops.products.leading import stacked_product
from symback.ops.shaping.reshaping import ravel

__all__ = ["dot", "inner", "matmul", "matvec", "outer", "tensordot", "vdot", "vecdot", "vecmat"]


@public(
    "matmul",
    examples=(
        lambda f, make: f(make("A", (2, 3)), make("B", (3, 2))),
        lambda f, make: f(make("A", (2, 3)), make("x", (3,))),
        lambda f, make: f(make("x", (2,)), make("A", (3, 2, 1))),
        lambda f, make: f(make("A", (3, 1, 2, 2)), make("B", (2, 2, 3))),
        lambda f, make: f(make("A", (1, 2, 3)), make("x", (3,))),
        lambda f, make: f(make("A", (3, 0)), make("B", (0, 2))),
        lambda f, make: f(make("a", (3,)), make("b", (3,))),
    ),
)
def matmul(x1: Any, x2: Any) -> Node:
    """Matrix product, as `numpy.matmul` has it: vectors are rows on the left and columns on the right.

    Args:
        x1: Shape (..., n) or (..., m, n).
        x2: Shape (n,) or (..., n, k).

    Raises:
        ShapeError: If the contracted sizes differ, or the leading ones do not broadcast.

    Example:
        >>> import symback as sb
        >>> (sb.tensor("A", ("m", "n")) @ sb.tensor("x", ("n",))).shape
        (m,)
    """
    a, b = numbers("matmul", x1, x2)
    for operand in (a, b):
        if not operand.shape:
            raise errors.wrong_rank("matmul", operand, "at least 1")
    return stacked_product("matmul", a, b, min(len(a.shape), 2), min(len(b.shape), 2))


@public(
    "vecdot",
    examples=(
        lambda f, make: f(make("a", (2, 3)), make("b", (3,))),
        lambda f, make: f(make("a", (3, 1)), make("b", (3, 2)), axis=0),
        lambda f, make: f(make("a", (0,)), make("b", (0,))),
    ),
    symbolic=False,
)
def vecdot(x1: Any, x2: Any, axis: int = -1) -> Node:
    """Inner products of the vectors along an axis, as `numpy.vecdot` has it.

    Raises:
        ShapeError: If the sizes along the axis differ, or the others do not broadcast.

    Example:
        >>> import symback as sb
        >>> sb.vecdot(sb.tensor("a", ("N", "n")), sb.tensor("b", ("n",))).shape
        (N,)
    """
    a, b = _vectors("vecdot", axis, *numbers("vecdot", x1, x2))
    return stacked_product("vecdot", a, b, 1, 1)


def _vectors(operation: str, axis: int, *nodes: Node) -> list[Node]:
    """Put the axis of the vectors last."""
    moved = []
    for node in nodes:
        place = normalize_axis(operation, node, axis)
        labels = tuple(range(len(node.shape)))
        moved.append(contract([(node, labels)], (*labels[:place], *labels[place + 1 :], place)))
    return moved


@public(
    "matvec",
    examples=(
        lambda f, make: f(make("A", (2, 3)), make("x", (3,))),
        lambda f, make: f(make("A", (2, 2, 3)), make("x", (2, 3))),
        lambda f, make: f(make("A", (2, 3)), make("x", (2, 1, 3))),
    ),
)
def matvec(x1: Any, x2: Any) -> Node:
    """Matrices times vectors, shape (..., m, n) and (..., n) to (..., m), as `numpy.matvec` has it (NumPy 2.2).

    Raises:
        ShapeError: If the contracted sizes differ, or the leading ones do not broadcast.

    Example:
        >>> import symback as sb
        >>> sb.matvec(sb.tensor("A", ("m", "n")), sb.tensor("X", ("N", "n"))).shape
        (N, m)
    """
    a, b = numbers("matvec", x1, x2)
    _at_least("matvec", (a, 2), (b, 1))
    return stacked_product("matvec", a, b, 2, 1)


@public(
    "vecmat",
    examples=(
        lambda f, make: f(make("x", (2,)), make("A", (2, 3))),
        lambda f, make: f(make("x", (3, 2)), make("A", (2, 3))),
    ),
)
def vecmat(x1: Any, x2: Any) -> Node:
    """Vectors times matrices, shape (..., m) and (..., m, n) to (..., n), as `numpy.vecmat` has it (NumPy 2.2).

    Raises:
        ShapeError: If the contracted sizes differ, or the leading ones do not broadcast.

    Example:
        >>> import symback as sb
        >>> sb.vecmat(sb.tensor("X", ("N", "m")), sb.tensor("A", ("m", "n"))).shape
        (N, n)
    """
    a, b = numbers("vecmat", x1, x2)
    _at_least("vecmat", (a, 1), (b, 2))
    return stacked_product("vecmat", a, b, 1, 2)


def _at_least(operation: str, *wanted: tuple[Node, int]) -> None:
    for node, rank in wanted:
        if len(node.shape) < rank:
            raise errors.wrong_rank(operation, node, f"at least {rank}")


@public(
    "dot",
    examples=(
        lambda f, make: f(make("A", (2, 3)), make("B", (3, 2))),
        lambda f, make: f(make("a", (3,)), make("b", (3,))),
        lambda f, make: f(make("A", (2, 3)), make("B", (2, 3, 1))),
        lambda f, make: f(make("a", ()), make("B", (2,))),
    ),
)
def dot(a: Any, b: Any) -> Node:
    """Return what `numpy.dot` gives: a scaling, an inner product, or a sum over a's last and b's last but one axis.

    Raises:
        ShapeError: If the contracted sizes differ.

    Example:
        >>> import symback as sb
        >>> sb.dot(sb.tensor("a", ("n",)), sb.tensor("b", ("n",))).shape
        ()
    """
    a, b = arrays("dot", a, b)
    if not a.shape or not b.shape:
        return multiply(a, b)
    if len(b.shape) <= 2:
        return matmul(a, b)
    return tensordot(a, b, axes=((len(a.shape) - 1,), (len(b.shape) - 2,)))


@public(
    "vdot",
    examples=(
        lambda f, make: f(make("a", (2, 3)), make("b", (2, 3))),
        lambda f, make: f(make("a", (2, 3)), make("b", (3, 2))),
        lambda f, make: f(make("a", ()), make("b", ())),
    ),
)
def vdot(a: Any, b: Any) -> Node:
    """Sum of the products of all entries of two arrays, in row-major order, as `numpy.vdot` has it for real arrays.

    Raises:
        ShapeError: If the numbers of entries differ.

    Example:
        >>> import symback as sb
        >>> sb.vdot(sb.tensor("A", ("m", "n")), sb.tensor("B", ("m", "n"))).shape
        ()
    """
    a, b = arrays("vdot", a, b)
    if a.shape != b.shape:
        flat_a, flat_b = ravel(a), ravel(b)
        if flat_a.shape != flat_b.shape:
            raise errors.label_mismatch("vdot", [a, b], errors.show_shape(a.shape), errors.show_shape(b.shape))
        a, b = flat_a, flat_b
    labels = tuple(range(len(a.shape)))
    return contract([(a, labels), (b, labels)], ())


@public(
    "inner",
    examples=(
        lambda f, make: f(make("A", (2, 3)), make("B", (1, 2, 3))),
        lambda f, make: f(make("a", (3,)), make("b", (3,))),
        lambda f, make: f(make("a", ()), make("B", (2, 3))),
    ),
)
def inner(a: Any, b: Any) -> Node:
    """Sum of products over the last axes, as `numpy.inner` has it: shape (..., n) and (***, n) to (..., ***).

    Raises:
        ShapeError: If the sizes of the last axes differ.

    Example:
        >>> import symback as sb
        >>> sb.inner(sb.tensor("A", ("m", "n")), sb.tensor("x", ("n",))).shape
        (m,)
    """
    a, b = arrays("inner", a, b)
    if not a.shape or not b.shape:
        return multiply(a, b)
    return tensordot(a, b, axes=((len(a.shape) - 1,), (len(b.shape) - 1,)))


@public(
    "outer",
    examples=(
        lambda f, make: f(make("a", (2,)), make("b", (3,))),
        lambda f, make: f(make("A", (2, 3)), make("b", (2,))),
        lambda f, make: f(make("a", ()), make("b", (0,))),
    ),
)
def outer(a: Any, b: Any) -> Node:
    """Products of all entries of one array with all of another, as `numpy.outer` has it: shape (m,) and (n,) to (m, n).

    Operands that are no vectors are flattened in row-major order.

    Example:
        >>> import symback as sb
        >>> sb.outer(sb.tensor("a", ("m",)), sb.tensor("B", ("n", 2))).shape
        (m, 2*n)
    """
    a, b = numbers("outer", a, b)
    return contract([(ravel(a), (0,)), (ravel(b), (1,))], (0, 1))


@public(
    "tensordot",
    examples=(
        lambda f, make: f(make("A", (2, 3, 2)), make("B", (3, 2, 1))),
        lambda f, make: f(make("A", (2, 3)), make("B", (2, 3)), axes=([0, 1], [0, -1])),
        lambda f, make: f(make("A", (2, 3)), make("B", (3, 2)), 1),
        lambda f, make: f(make("A", (2,)), make("B", (3,)), axes=0),
        lambda f, make: f(make("A", (2, 3)), make("B", (2, 2)), (0, 1)),
    ),
)
def tensordot(a: Any, b: Any, axes: Any = 2) -> Node:
    """Sum of products over the given axes, as `numpy.tensordot` has it.

    Args:
        a: Any shape.
        b: Any shape.
        axes: A number k (a's last k axes against b's first k), or a pair of axes or sequences of axes.

    Raises:
        ShapeError: If an axis does not exist or the paired sizes differ.

    Example:
        >>> import symback as sb
        >>> sb.tensordot(sb.tensor("A", ("m", "n", 3)), sb.tensor("B", ("n", 3, "k"))).shape
        (m, k)
    """
    a, b = arrays("tensordot", a, b)
    left, right = _paired_axes(a, b, axes)
    labels_a = list(range(len(a.shape)))
    labels_b = list(range(len(a.shape), len(a.shape) + len(b.shape)))
    for i, j in zip(left, right, strict=True):
        if a.shape[i] != b.shape[j]:
            raise errors.label_mismatch("tensordot", [a, b], a.shape[i], b.shape[j])
        labels_b[j] = labels_a[i]
    shared = {labels_a[i] for i in left}
    out = tuple(label for label in (*labels_a, *labels_b) if label not in shared)
    return contract([(a, tuple(labels_a)), (b, tuple(labels_b))], out)


def _paired_axes(a: Node, b: Node, axes: Any) -> tuple[list[int], list[int]]:
    count = integer_of(axes)
    if count is not None:
        if not 0 <= count <= min(len(a.shape), len(b.shape)):
            raise errors.bad_axis("tensordot", a, axes)
        return list(range(len(a.shape) - count, len(a.shape))), list(range(count))
    pair = sequence_of("tensordot", axes, "axes")
    if len(pair) != 2:
        raise errors.bad_axis("tensordot", a, axes)
    left, right = (
        [normalize_axis("tensordot", node, axis) for axis in (given if isinstance(given, (list, tuple)) else [given])]
        for node, given in zip((a, b), pair, strict=True)
    )
    if len(left) != len(right) or len(set(left)) != len(left) or len(set(right)) != len(right):
        raise errors.bad_axis("tensordot", a, axes)
    return left, right
