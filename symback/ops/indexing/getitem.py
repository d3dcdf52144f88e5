"""NumPy's indexing: integers, slices, Ellipsis, newaxis, arrays of indices and masks, read and written.

Each step of an index (see `index_steps`) is a view or a copy that can also be written through.
"""

from typing import Any

from symback import errors
from symback.nodes.add import add
from symback.nodes.contract import contract
from symback.nodes.leaves import Constant, Exact, as_node
from symback.nodes.node import METHODS, Node
from symback.nodes.products import broadcast_to, full, keep_axes, permute
from symback.nodes.shapes import broadcast_shapes
from symback.op.public import public
from symback.ops.elementwise.logic import astype, where
from symback.ops.indexing.gathering import gather, scatter_add, set_places
from symback.ops.indexing.index_steps import Steps, steps_of
from symback.ops.indexing.slices import Shaped, set_slice, take_ranges, unslice

__all__ = ["add_at", "set_at"]

# -- reading and writing -----------------------------------------------------------------------------------------


def _ranges(x: Node, steps: Steps) -> Node:
    """Take the first two steps."""
    taken = x if all(entry is None for entry in steps.entries) else take_ranges(x, steps.entries)
    return taken if steps.order == tuple(range(len(steps.order))) else permute(taken, steps.order)


def getitem(x: Any, index: Any) -> Node:
    """Take entries, as ``x[index]`` does in NumPy.

    Args:
        x: Any shape.
        index: Integers, slices with steps, Ellipsis, None (newaxis), arrays of integers (lists, NumPy arrays,
            or nodes, whose values may be known only at the call) and masks that are known now. Bounds and
            integers may be symbolic sizes. Negative numbers count from the end. Several arrays are broadcast
            together; where slices stand between them, their axes come first.

    Raises:
        ShapeError: If an index is out of range or of another kind, there are too many, or a mask is a node.
        DtypeError: If an array of indices holds no integers.

    Example:
        >>> import symback as sb
        >>> E, ids = sb.tensor("E", ("n", 3)), sb.tensor("ids", ("N",), dtype="int64")
        >>> E[ids, 1:].shape
        (N, 2)
    """
    node = as_node(x)
    steps = steps_of(node, index)
    taken = _ranges(node, steps)
    if steps.places:
        taken = gather((taken, *steps.places), steps.axis)
    return keep_axes(taken, steps.new_axes) if steps.new_axes else taken


@public(
    "set_at",
    examples=(
        lambda f, make: f(make("x", (3,)), slice(1, None), make("v", (2,))),
        lambda f, make: f(make("x", (3, 2)), ([0, 0, -1], 1), make("v", (3,))),
        lambda f, make: f(make("x", (2, 3)), (Ellipsis, 0), 2.0),
    ),
    symbolic=False,
)
def set_at(x: Any, index: Any, value: Any) -> Node:
    """A copy of an array with a value written at an index: what ``x[index] = value`` leaves in x.

    Args:
        x: Any shape.
        index: As in ``x[index]``; of repeated indices the last one counts. A mask may be a node, if the value
            does not depend on how many entries it takes.
        value: Broadcasts to the shape of ``x[index]``.

    Returns:
        The shape and dtype of x. The gradient by x is 0 where it was overwritten, that by the value is 0 where it
        was overwritten by itself.

    Raises:
        ShapeError: If the value does not broadcast to ``x[index]``, or the index is none.
        DtypeError: If the value is a float and the array is not.

    Example:
        >>> import symback as sb
        >>> x = sb.tensor("x", (3,))
        >>> sb.lambdify([x], sb.set_at(x, 0, 5.0))([1.0, 2.0, 3.0])
        array([5., 2., 3.])
    """
    node = as_node(x)
    mask = _node_mask(index)
    if mask is not None:
        return where(*_under(node, mask, _written_value("set_at", node, value)), node)
    steps = steps_of(node, index)
    inner = _ranges(node, steps)
    new = _fitting("set_at", node, steps, inner, value)
    if steps.places:
        new = set_places((inner, new, *steps.places), steps.axis)
    back = sorted(range(len(steps.order)), key=steps.order.__getitem__)
    if back != list(range(len(back))):
        new = permute(broadcast_to(new, inner.shape), back)
    if all(entry is None for entry in steps.entries):
        return broadcast_to(new, node.shape)
    return set_slice((node, new), steps.entries)


@public(
    "add_at",
    examples=(
        lambda f, make: f(make("x", (3,)), slice(1, None), make("v", (2,))),
        lambda f, make: f(make("x", (3, 2)), ([0, 0, -1], 1), make("v", (3,))),
        lambda f, make: f(make("x", (2, 3)), (Ellipsis, 0), 2.0),
    ),
    symbolic=False,
)
def add_at(x: Any, index: Any, value: Any) -> Node:
    """A copy of an array with a value added at an index, as `numpy.add.at` does: repeated indices add up.

    Args:
        x: Any shape.
        index: As in ``x[index]``. A mask may be a node, if the value does not depend on how many entries it takes.
        value: Broadcasts to the shape of ``x[index]``.

    Returns:
        The shape and dtype of x.

    Raises:
        ShapeError: If the value does not broadcast to ``x[index]``, or the index is none.
        DtypeError: If the value is a float and the array is not.

    Example:
        >>> import symback as sb
        >>> x = sb.tensor("x", (3,))
        >>> sb.lambdify([x], sb.add_at(x, [0, 0, 2], 1.0))([1.0, 2.0, 3.0])
        array([3., 2., 4.])
    """
    node = as_node(x)
    mask = _node_mask(index)
    if mask is not None:
        return add(node, where(*_under(node, mask, _written_value("add_at", node, value)), 0))
    steps = steps_of(node, index)
    inner = _ranges(node, steps)
    part = gather((inner, *steps.places), steps.axis).shape if steps.places else inner.shape
    new = broadcast_to(_fitting("add_at", node, steps, inner, value), part)
    if steps.places:
        new = scatter_add((new, *steps.places), steps.axis, inner.shape)
    back = sorted(range(len(steps.order)), key=steps.order.__getitem__)
    new = new if back == list(range(len(back))) else permute(new, back)
    if any(entry is not None for entry in steps.entries):
        new = unslice(new, steps.entries, node.shape)
    return add(node, new)


def _fitting(operation: str, x: Node, steps: Steps, inner: Node, value: Any) -> Node:
    """Bring a value to the dtype of the array, and to axes that broadcast to those of the last step but one."""
    new = _written_value(operation, x, value)
    part = gather((inner, *steps.places), steps.axis).shape if steps.places else inner.shape
    shape = list(part)
    for axis in steps.new_axes:
        shape.insert(axis, 1)
    while len(new.shape) > len(shape) and new.shape[0] == 1:
        new = _without(new, (0,))
    missing = len(shape) - len(new.shape)
    if missing < 0 or any(a not in (b, 1) for a, b in zip(new.shape, shape[missing:], strict=True)):
        raise errors.bad_write(operation, x, shape, new)
    return _without(new, tuple(axis - missing for axis in steps.new_axes if axis >= missing))


def _without(x: Node, axes: tuple[int, ...]) -> Node:
    """Leave axes of size 1 out."""
    labels = tuple(range(len(x.shape)))
    return contract([(x, labels)], tuple(label for label in labels if label not in axes)) if axes else x


_KIND_ORDER = {"b": 0, "u": 1, "i": 1, "f": 2}
"""What can be written into what: a value into an array that is no further to the left."""


def _written_value(operation: str, x: Node, value: Any) -> Node:
    node = as_node(value)
    if _KIND_ORDER[node.dtype.kind] > _KIND_ORDER[x.dtype.kind]:
        raise errors.write_dtype(operation, x, node)
    if isinstance(node, Exact) and not isinstance(node.value, float):
        return full((), node.value, x)
    return astype(node, x.dtype)


def _node_mask(index: Any) -> Node | None:
    """Return an index that is a mask whose entries are not known now."""
    known = not isinstance(index, Node) or isinstance(index, Constant) or index.dtype.kind != "b"
    return None if known else index


def _under(x: Node, mask: Node, value: Node) -> tuple[Node, Node]:
    """Align a mask for the leading axes with an array, and check that the value does not depend on its count."""
    behind = len(x.shape) - len(mask.shape)
    if behind < 0 or mask.shape != x.shape[: len(mask.shape)]:
        raise errors.mask_shape(x, mask, errors.show_shape(x.shape[: len(mask.shape)]))
    if len(value.shape) > behind:
        raise errors.mask_index("writing", mask)
    part = x.shape[len(mask.shape) :]
    if broadcast_shapes("writing", [Shaped(part, x.short()), value]) != part:
        raise errors.bad_write("writing", x, part, value)
    return (keep_axes(mask, range(len(mask.shape), len(x.shape))) if behind else mask), value


METHODS["getitem"] = getitem
