"""NumPy's products and traces: each is one Contract."""

from collections.abc import Sequence
from typing import Any

from symback import errors
from symback.nodes.contract import Labels, contract
from symback.nodes.leaves import as_node
from symback.nodes.node import METHODS, Node
from symback.nodes.products import permute
from symback.nodes.shapes import broadcast_shapes, normalize_axis, sequence_of
from symback.ops.arithmetic import multiply
from symback.ops.einsum import einsum, numbers

__all__ = [
    "diag",
    "diagonal",
    "dot",
    "einsum",
    "inner",
    "matmul",
    "moveaxis",
    "outer",
    "swapaxes",
    "tensordot",
    "trace",
    "transpose",
    "vdot",
]


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
    if a.shape[-1] != b.shape[-2 if len(b.shape) > 1 else 0]:
        raise errors.label_mismatch("matmul", [a, b], a.shape[-1], b.shape[-2 if len(b.shape) > 1 else 0])
    batch_a, batch_b = a.shape[:-2], b.shape[:-2]
    if not batch_a and not batch_b:
        row = (0,) if len(a.shape) > 1 else ()
        column = (2,) if len(b.shape) > 1 else ()
        return contract([(a, (*row, 1)), (b, (1, *column))], (*row, *column))
    return _batched_matmul(a, b)


def _batched_matmul(a: Node, b: Node) -> Node:
    batch = [x for x in (_Leading(a), _Leading(b)) if x.shape]
    shape = broadcast_shapes("matmul", batch)
    rank = len(shape)
    base = 3 * (rank + 1)
    terms: list[tuple[Node, Labels]] = []
    for position, operand in enumerate((a, b)):
        core = [(base, base + 1), (base + 1, base + 2)][position] if len(operand.shape) > 1 else (base + 1,)
        labels = _batch_labels(operand.shape[: len(operand.shape) - len(core)], shape, base + 3 + position * rank)
        terms.append((operand, (*labels, *core)))
    row = (base,) if len(a.shape) > 1 else ()
    column = (base + 2,) if len(b.shape) > 1 else ()
    covered = {label for _, labels in terms for label in labels}
    out = (*range(rank), *row, *column)
    assert all(label in covered for label in out)
    return contract(terms, out)


def _batch_labels(sizes: Sequence[Any], shape: Sequence[Any], fresh: int) -> Labels:
    offset = len(shape) - len(sizes)
    return tuple(axis if size == shape[axis] else fresh + axis for axis, size in enumerate(sizes, offset))


class _Leading:
    """The leading axes of a matrix stack, as something whose shape can be broadcast."""

    def __init__(self, node: Node) -> None:
        self.shape = node.shape[:-2]
        self.short = node.short


def dot(a: Any, b: Any) -> Node:
    """Return what `numpy.dot` gives: a scaling, an inner product, or a sum over a's last and b's last but one axis.

    Raises:
        ShapeError: If the contracted sizes differ.

    Example:
        >>> import symback as sb
        >>> sb.dot(sb.tensor("a", ("n",)), sb.tensor("b", ("n",))).shape
        ()
    """
    a, b = numbers("dot", a, b)
    if not a.shape or not b.shape:
        return multiply(a, b)
    if len(b.shape) <= 2:
        return matmul(a, b)
    return tensordot(a, b, axes=((len(a.shape) - 1,), (len(b.shape) - 2,)))


def vdot(a: Any, b: Any) -> Node:
    """Sum of the products of all entries of two arrays of one shape, as `numpy.vdot` has it for real arrays.

    Raises:
        ShapeError: If the shapes differ.

    Example:
        >>> import symback as sb
        >>> sb.vdot(sb.tensor("A", ("m", "n")), sb.tensor("B", ("m", "n"))).shape
        ()
    """
    a, b = numbers("vdot", a, b)
    if a.shape != b.shape:
        raise errors.label_mismatch("vdot", [a, b], errors.show_shape(a.shape), errors.show_shape(b.shape))
    labels = tuple(range(len(a.shape)))
    return contract([(a, labels), (b, labels)], ())


def inner(a: Any, b: Any) -> Node:
    """Sum of products over the last axes, as `numpy.inner` has it: shape (..., n) and (***, n) to (..., ***).

    Raises:
        ShapeError: If the sizes of the last axes differ.

    Example:
        >>> import symback as sb
        >>> sb.inner(sb.tensor("A", ("m", "n")), sb.tensor("x", ("n",))).shape
        (m,)
    """
    a, b = numbers("inner", a, b)
    if not a.shape or not b.shape:
        return multiply(a, b)
    return tensordot(a, b, axes=((len(a.shape) - 1,), (len(b.shape) - 1,)))


def outer(a: Any, b: Any) -> Node:
    """Products of all entries of a vector with all of another: shape (m,) and (n,) to (m, n).

    Raises:
        ShapeError: If an operand is no vector.

    Example:
        >>> import symback as sb
        >>> sb.outer(sb.tensor("a", ("m",)), sb.tensor("b", ("n",))).shape
        (m, n)
    """
    a, b = numbers("outer", a, b)
    for operand in (a, b):
        if len(operand.shape) != 1:
            raise errors.wrong_rank("outer", operand, "1 (ravel it first)")
    return contract([(a, (0,)), (b, (1,))], (0, 1))


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
    a, b = numbers("tensordot", a, b)
    if hasattr(axes, "__index__"):
        left: Any = tuple(range(len(a.shape) - axes, len(a.shape)))
        right: Any = tuple(range(axes))
    else:
        pair = sequence_of("tensordot", axes, "axes")
        if len(pair) != 2:
            raise errors.bad_axis("tensordot", a, axes)
        left, right = pair
    left_axes = [normalize_axis("tensordot", a, axis) for axis in (left if isinstance(left, (list, tuple)) else [left])]
    right_axes = [
        normalize_axis("tensordot", b, axis) for axis in (right if isinstance(right, (list, tuple)) else [right])
    ]
    if len(left_axes) != len(right_axes) or len(set(left_axes)) != len(left_axes):
        raise errors.bad_axis("tensordot", a, axes)
    labels_a = list(range(len(a.shape)))
    labels_b = list(range(len(a.shape), len(a.shape) + len(b.shape)))
    for i, j in zip(left_axes, right_axes, strict=True):
        labels_b[j] = labels_a[i]
    out = [label for label in labels_a if label not in labels_b] + [
        label for label in labels_b if label not in labels_a
    ]
    return contract([(a, tuple(labels_a)), (b, tuple(labels_b))], tuple(out))


def trace(x: Any) -> Node:
    """Sum of the diagonal over the first two axes, as `numpy.trace` has it: shape (n, n, ...) to (...).

    Raises:
        ShapeError: If there are fewer than two axes, or their sizes cannot be compared.

    Example:
        >>> import symback as sb
        >>> sb.trace(sb.tensor("A", ("n", "n"))).shape
        ()
    """
    (x,) = numbers("trace", x)
    y = diagonal(x)
    rank = len(y.shape)
    return contract([(y, tuple(range(rank)))], tuple(range(rank - 1)))


def diagonal(x: Any) -> Node:
    """Diagonal of the first two axes, put last, as `numpy.diagonal` has it: shape (m, n, ...) to (..., min(m, n)).

    Raises:
        ShapeError: If there are fewer than two axes, or symbolic sizes differ.

    Example:
        >>> import symback as sb
        >>> sb.diagonal(sb.tensor("A", (2, 3))).shape
        (2,)
    """
    x = as_node(x)
    if len(x.shape) < 2:
        raise errors.wrong_rank("diagonal", x, "at least 2")
    rows, columns, *_ = x.shape
    if rows != columns:
        if not isinstance(rows, int) or not isinstance(columns, int):
            raise errors.label_mismatch("diagonal", [x], rows, columns)
        smaller = min(rows, columns)
        x = x[:smaller, :smaller]
    rest = tuple(range(1, len(x.shape) - 1))
    return contract([(x, (0, 0, *rest))], (*rest, 0))


def diag(x: Any) -> Node:
    """Diagonal matrix of a vector, shape (n,) to (n, n), or diagonal of a matrix.

    Raises:
        ShapeError: If there are neither one nor two axes.

    Example:
        >>> import symback as sb
        >>> sb.diag(sb.tensor("x", ("n",))).shape
        (n, n)
    """
    (x,) = numbers("diag", x)
    if len(x.shape) not in (1, 2):
        raise errors.wrong_rank("diag", x, "1 or 2")
    return contract([(x, (0,))], (0, 0)) if len(x.shape) == 1 else diagonal(x)


def transpose(x: Any, axes: Sequence[int] | None = None) -> Node:
    """Permute the axes, reversed if `axes` is None, as `numpy.transpose` does.

    Raises:
        ShapeError: If `axes` is no permutation of the axes.

    Example:
        >>> import symback as sb
        >>> sb.transpose(sb.tensor("A", ("m", "n"))).shape
        (n, m)
    """
    x = as_node(x)
    rank = len(x.shape)
    given = range(rank - 1, -1, -1) if axes is None else sequence_of("transpose", axes, "axes")
    order = [normalize_axis("transpose", x, axis) for axis in given]
    if sorted(order) != list(range(rank)):
        raise errors.bad_axis("transpose", x, axes)
    return permute(x, tuple(order))


def swapaxes(x: Any, axis1: int, axis2: int) -> Node:
    """Exchange two axes, as `numpy.swapaxes` does.

    Raises:
        ShapeError: If an axis does not exist.

    Example:
        >>> import symback as sb
        >>> sb.swapaxes(sb.tensor("x", ("n", 3, 4)), 0, 2).shape
        (4, 3, n)
    """
    x = as_node(x)
    order = list(range(len(x.shape)))
    i, j = normalize_axis("swapaxes", x, axis1), normalize_axis("swapaxes", x, axis2)
    order[i], order[j] = order[j], order[i]
    return permute(x, order)


def moveaxis(x: Any, source: int | Sequence[int], destination: int | Sequence[int]) -> Node:
    """Move axes to other places; the others keep their order, as `numpy.moveaxis` has it.

    Raises:
        ShapeError: If an axis does not exist or is named twice, or the numbers of axes differ.

    Example:
        >>> import symback as sb
        >>> sb.moveaxis(sb.tensor("x", ("n", 3, 4)), 0, -1).shape
        (3, 4, n)
    """
    x = as_node(x)
    origins, targets = (
        [normalize_axis("moveaxis", x, axis) for axis in (given if isinstance(given, (tuple, list)) else [given])]
        for given in (source, destination)
    )
    if len(origins) != len(targets) or len(set(origins)) < len(origins) or len(set(targets)) < len(targets):
        raise errors.bad_axis("moveaxis", x, (source, destination))
    order = [axis for axis in range(len(x.shape)) if axis not in origins]
    for target, origin in sorted(zip(targets, origins, strict=True)):
        order.insert(target, origin)
    return permute(x, order)


_PRODUCTS = (matmul, dot, vdot, inner, outer, tensordot, einsum)
_AXES = (trace, diagonal, diag, transpose, swapaxes, moveaxis)
for _function in (*_PRODUCTS, *_AXES):
    METHODS[_function.__name__] = _function
