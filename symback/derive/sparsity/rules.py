"""How sets of entries go through sums, products and those primitives whose own rules do not tell."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from symback.derive.sparsity.entry_sets import EntrySets, Indices, check_entries, ranges
from symback.nodes.apply import Apply
from symback.nodes.contract import Labels
from symback.nodes.leaves import Constant
from symback.nodes.node import Node

Sets = EntrySets | None
Parts = Sequence[Sets] | None
Rule = Callable[[Apply, Sequence[Sets]], Parts]


def numbers_of(shape: Sequence[Any]) -> Indices:
    """Return an array of this shape that holds the numbers of its entries."""
    return np.arange(int(np.prod(shape, dtype=np.int64)), dtype=np.int64).reshape(tuple(shape))


def repeated(sets: EntrySets, shape: Sequence[Any], wanted: Sequence[Any]) -> EntrySets:
    """Broadcast."""
    return sets if shape == wanted else sets.take(np.broadcast_to(numbers_of(shape), tuple(wanted)).ravel())


def contracted(
    sets: EntrySets, shape: Sequence[Any], labels: Labels, out: Labels, out_shape: Sequence[Any]
) -> EntrySets:
    """Return the sets of a product from those of one factor: unions over the labels that the result lacks.

    Labels that only the result has repeat what there is; where one repeats in the result, other places are empty.
    """
    if labels == out and len({*out}) == len(out):
        return sets
    sizes = dict(zip(out, out_shape, strict=True)) | dict(zip(labels, shape, strict=True))
    own, kept = list(dict.fromkeys(labels)), [label for label in dict.fromkeys(out) if label in labels]
    if len(own) < len(labels):
        sets = sets.take(np.einsum(numbers_of(shape), list(labels), own).ravel())
    inner = numbers_of([sizes[label] for label in kept])
    if len(kept) < len(own):
        spread = _placed(inner, kept, own, sizes)
        sets = sets.grouped(spread.ravel(), inner.size)
        places = inner
    else:
        places = _placed(numbers_of([sizes[label] for label in own]), own, kept, sizes)
    distinct = list(dict.fromkeys(out))
    spread = _placed(places, kept, distinct, sizes)
    if len(distinct) == len(out):
        return sets.take(spread.ravel())
    whole = np.full(tuple(out_shape), -1, dtype=np.int64)
    np.einsum(whole, list(out), distinct)[...] = spread
    return sets.take(whole.ravel())


def _placed(array: Indices, labels: Sequence[int], wanted: Sequence[int], sizes: dict[int, Any]) -> Indices:
    """Bring the axes of an array into the order of the labels that are wanted, and repeat it along the others."""
    order = [labels.index(label) for label in wanted if label in labels]
    shown = tuple(sizes[label] if label in labels else 1 for label in wanted)
    whole = tuple(sizes[label] for label in wanted)
    return np.broadcast_to(np.transpose(array, order).reshape(shown), whole)


def along(sets: EntrySets, shape: Sequence[Any], axis: int, length: int, pairs: tuple[Indices, Indices]) -> EntrySets:
    """Return the sets of a result of another length along an axis, from pairs of places: in it, in the operand."""
    check_entries(len(pairs[0]) * (len(sets) // max(int(shape[axis]), 1)))
    inside = np.moveaxis(numbers_of(shape), axis, -1)
    other = list(shape)
    other[axis] = length
    outside = np.moveaxis(numbers_of(other), axis, -1)
    rows, entries = outside[..., pairs[0]].ravel(), inside[..., pairs[1]].ravel()
    return sets.take(entries).grouped(rows, outside.size)


# -- rules -----------------------------------------------------------------------------------------------


def _entrywise(node: Apply, given: Sequence[Sets]) -> Parts:
    return given


def _differences(node: Apply, given: Sequence[Sets]) -> Parts:
    order, axis = node.operation.parameters
    (sets,), (x,), length = given, node.operands, int(node.shape[axis])
    assert sets is not None
    steps = np.arange(order + 1)
    firsts = np.repeat(np.arange(length), order + 1)
    return [along(sets, x.shape, axis, length, (firsts, firsts + np.tile(steps, length)))]


def _running(node: Apply, given: Sequence[Sets]) -> Parts:
    """Everything before an entry, or for a recurrence in reverse everything behind it, and the entry itself."""
    axis, *rest = node.operation.parameters
    length = int(node.shape[axis])
    behind = ranges(np.arange(length), np.arange(length, 0, -1))
    own = np.repeat(np.arange(length), np.arange(length, 0, -1))
    pairs = (own, behind) if rest == [1] else (behind, own)
    return [None if sets is None else along(sets, node.shape, axis, length, pairs) for sets in given]


def _shifted(node: Apply, given: Sequence[Sets]) -> Parts:
    axis, by, _ = node.operation.parameters
    (sets,), length = given, int(node.shape[axis])
    assert sets is not None
    inner = np.arange(max(length - 1, 0))
    return [along(sets, node.shape, axis, length, (inner + 1, inner) if by == 1 else (inner, inner + 1))]


def _crossed(node: Apply, given: Sequence[Sets]) -> Parts:
    """Each component depends on the other two of either factor."""
    pairs = np.array([0, 0, 1, 1, 2, 2]), np.array([1, 2, 0, 2, 0, 1])
    spread = [
        None if sets is None else repeated(sets, x.shape, node.shape)
        for sets, x in zip(given, node.operands, strict=True)
    ]
    return [None if sets is None else along(sets, node.shape, -1, 3, pairs) for sets in spread]


def _others(node: Apply, given: Sequence[Sets]) -> Parts:
    (axes,), rank = node.operation.parameters, len(node.shape)
    labels = tuple(range(rank))
    own = tuple(label + rank if label - rank in axes or label in axes else label for label in labels)
    assert given[0] is not None
    return [contracted(given[0], node.shape, own, labels, node.shape)]


def _convolution(node: Apply, given: Sequence[Sets]) -> Parts:
    (mode,) = node.operation.parameters
    a, v = node.operands
    length, n, m = int(node.shape[-1]), int(a.shape[-1]), int(v.shape[-1])
    check_entries(n * m)
    i, j = (place.ravel() for place in np.meshgrid(np.arange(n), np.arange(m), indexing="ij"))
    k = i + j - (0 if mode == "full" else m - 1)
    inside = (k >= 0) & (k < length)
    found: list[Sets] = []
    for sets, x, places in ((given[0], a, i), (given[1], v, j)):
        whole = (*node.shape[:-1], x.shape[-1])
        pairs = k[inside], places[inside]
        found.append(None if sets is None else along(repeated(sets, x.shape, whole), whole, -1, length, pairs))
    return found


def _solution(node: Apply, given: Sequence[Sets]) -> Parts:
    """Every entry of a column depends on the whole matrix and on the same column of the right side."""
    a, b = node.operands
    column = () if len(b.shape) == 1 else (-1,)
    rank = len(node.shape) - len(column)
    lead = tuple(range(rank - 1))
    out = (*lead, rank, *column)
    found: list[Sets] = []
    for sets, x, core in ((given[0], a, (rank + 1, rank + 2)), (given[1], b, (rank + 1, *column))):
        stacks = len(x.shape) - len(core)
        whole = (*node.shape[: len(lead)], *x.shape[stacks:])
        found.append(
            None if sets is None else contracted(repeated(sets, x.shape, whole), whole, (*lead, *core), out, node.shape)
        )
    return found


# -- places that are not known -----------------------------------------------------------------------------


def _at_unknown(x: Sequence[Any], axis: int, count: int, block: int) -> tuple[Labels, Labels]:
    """Return labels of an array of this shape, and of what is taken of `count` axes by a block of so many axes."""
    rank = len(x)
    first = rank + axis
    labels = tuple(range(rank))
    return labels, (*labels[:first], *range(rank, rank + block), *labels[first + count :])


def _are_known(indices: Sequence[Node]) -> bool:
    return all(isinstance(index, Constant) for index in indices)


def _gathered(node: Apply, given: Sequence[Sets]) -> Parts:
    x, *indices = node.operands
    if _are_known(indices):
        return None
    (axis,) = node.operation.parameters
    inside, outside = _at_unknown(x.shape, axis, len(indices), len(node.shape) - len(x.shape) + len(indices))
    assert given[0] is not None
    return [contracted(given[0], x.shape, inside, outside, node.shape)]


def _scattered(node: Apply, given: Sequence[Sets]) -> Parts:
    g, *indices = node.operands
    if _are_known(indices):
        return None
    axis, shape = node.operation.parameters
    inside, outside = _at_unknown(shape, axis, len(indices), len(g.shape) - len(shape) + len(indices))
    assert given[0] is not None
    return [contracted(given[0], g.shape, outside, inside, node.shape)]


def _written(node: Apply, given: Sequence[Sets]) -> Parts:
    x, value, *indices = node.operands
    if _are_known(indices):
        return None
    (axis,) = node.operation.parameters
    block = np.broadcast_shapes(*[index.shape for index in indices])
    inside, outside = _at_unknown(x.shape, axis, len(indices), len(block))
    sizes = dict(zip(inside, x.shape, strict=True)) | dict(zip(range(len(inside), 99), block, strict=False))
    part = tuple(sizes[label] for label in outside)
    if given[1] is None:
        return [given[0]]
    return [given[0], contracted(repeated(given[1], value.shape, part), part, outside, inside, node.shape)]


def _taken_along(node: Apply, given: Sequence[Sets]) -> Parts:
    x, indices = node.operands
    axis = node.operation.parameters[0]
    if _are_known([indices]):
        return None
    assert given[0] is not None
    length, own = int(node.shape[axis]), int(x.shape[axis])
    check_entries(length * own)
    pairs = np.repeat(np.arange(length), own), np.tile(np.arange(own), length)
    return [along(given[0], x.shape, axis, length, pairs)]


RULES: dict[str, Rule] = {
    "astype": _entrywise,
    "diff_along": _differences,
    "cumsum_along": _running,
    "linear_recurrence": _running,
    "shifted_along": _shifted,
    "cross_of": _crossed,
    "product_of_others": _others,
    "convolve_along": _convolution,
    "solution": _solution,
    "gather": _gathered,
    "scatter_add": _scattered,
    "set_places": _written,
    "take_along": _taken_along,
    "put_along": _taken_along,
}
"""By name: from a node and the sets of its operands to what the result has of each; None where its own rule tells."""
