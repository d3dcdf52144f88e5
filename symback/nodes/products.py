"""The Contracts that are written so often that they have a name: Hadamard product, scaling, broadcast, sum."""

from collections.abc import Sequence
from functools import cache
from typing import cast

from symback import errors
from symback.nodes.contract import Contract, Labels, Subscripts, bounded, canonical_subscripts, contract, times
from symback.nodes.dtypes import BOOL
from symback.nodes.exact_numbers import fits
from symback.nodes.leaves import Exact, ExactValue, Ones, exact, ones_of
from symback.nodes.node import Node
from symback.nodes.shapes import Shape, SizeExpr, broadcast_shapes, product


def hadamard(*nodes: Node) -> Node:
    """Multiply entry by entry, broadcasting as NumPy does."""
    product = _multiply_alike(nodes)
    if product is not None:
        return product
    shape = broadcast_shapes("multiply", nodes)
    return contract(aligned_terms(nodes, shape), tuple(range(len(shape))))


def _multiply_alike(nodes: Sequence[Node]) -> Node | None:
    """Multiply numbers and arrays of one shape and dtype, if that is all there is: by far the most common case."""
    coefficient: ExactValue = 1
    for node in nodes:
        if type(node) is Exact:
            coefficient = times(coefficient, node.value)
    cores: list[Node] = []
    for node in nodes:
        kind = type(node)
        if kind is Ones:
            return None
        if kind is Contract and not (product := cast(Contract, node)).is_core:
            if product.multiple is None:
                return None
            if bounded(coefficient, product):
                factor, node = product.multiple
                coefficient = times(coefficient, factor)
        if kind is not Exact:
            cores.append(node)
    if not cores or (cores[0].dtype is BOOL and len(cores) < len(nodes)):
        return None
    shape, dtype = cores[0].shape, cores[0].dtype
    for core in cores:
        if core.shape is not shape or core.dtype is not dtype or core.is_weak:
            return None
    return _multiple(coefficient, cores)


def _multiple(coefficient: ExactValue, cores: list[Node]) -> Node | None:
    """Multiply arrays of one shape and dtype by a coefficient, if that changes neither the dtype nor needs rounding."""
    shape, dtype, number = cores[0].shape, cores[0].dtype, len(cores)
    if type(coefficient) is not int or coefficient != 1:
        keeps = dtype.kind == "f" or (type(coefficient) is int and dtype.kind != "b")
        if not keeps or type(coefficient) is float or not fits(coefficient, dtype):
            return None
    if coefficient != 1:
        return Contract.make((_aligned_subscripts(len(shape), number, True), exact(coefficient), *cores), shape, dtype)
    if number == 1:
        return cores[0]
    return Contract.make((_aligned_subscripts(len(shape), number, False), *cores), shape, dtype)


@cache
def _aligned_subscripts(rank: int, count: int, scaled: bool) -> Subscripts:
    labels = tuple(range(rank))
    return canonical_subscripts((*(((),) if scaled else ()), *((labels,) * count)), labels)


def aligned_terms(nodes: Sequence[Node], shape: Shape) -> list[tuple[Node, Labels]]:
    """Label the axes of `nodes` for broadcasting to `shape`, whose axes have the labels 0, 1 and so on.

    An axis of size 1 that broadcasts gets a label of its own.
    """
    fresh = rank = len(shape)
    terms = []
    covered = set()
    for node in nodes:
        offset = rank - len(node.shape)
        labels = []
        for axis, size in enumerate(node.shape, offset):
            if size == 1 and shape[axis] != 1:
                labels.append(fresh)
                fresh += 1
            else:
                labels.append(axis)
                covered.add(axis)
        terms.append((node, tuple(labels)))
    missing = tuple(axis for axis in range(rank) if axis not in covered)
    if missing:
        terms.append((ones_of(tuple(shape[axis] for axis in missing), BOOL), missing))
    return terms


def scale(factor: ExactValue, node: Node) -> Node:
    """Multiply a node by an exact number."""
    product = _multiply_alike((exact(factor), node))
    if product is not None:
        return product
    labels = tuple(range(len(node.shape)))
    return contract([(exact(factor), ()), (node, labels)], labels)


def broadcast_to(node: Node, shape: Shape) -> Node:
    """Repeat a node to `shape`, without changing its dtype (an exact number becomes int64 or float64)."""
    if node.shape == shape:
        return node
    out = tuple(range(len(shape)))
    if len(node.shape) > len(shape) or broadcast_shapes("broadcast_to", [node, ones_of(shape)]) != shape:
        raise errors.no_broadcast("broadcast_to", [node, ones_of(shape)], node.shape[0], shape[0] if shape else 1)
    return contract(aligned_terms([node], shape), out)


def permute(node: Node, order: Sequence[int]) -> Node:
    """Put axis ``order[k]`` of the node in place k."""
    return contract([(node, tuple(range(len(node.shape))))], tuple(order))


def sum_axes(node: Node, axes: Sequence[int], keepdims: bool = False) -> Node:
    """Sum over axes, given from 0; with `keepdims` they stay with size 1."""
    labels = tuple(range(len(node.shape)))
    kept = tuple(label for label in labels if label not in axes)
    if not keepdims:
        return contract([(node, labels)], kept)
    return keep_axes(contract([(node, labels)], kept), axes)


def keep_axes(node: Node, axes: Sequence[int]) -> Node:
    """Insert axes of size 1, so that they stand at the places `axes` of the result."""
    rank = len(node.shape) + len(axes)
    kept = tuple(axis for axis in range(rank) if axis not in axes)
    return contract([(node, kept), (ones_of((1,) * len(axes), BOOL), tuple(axes))], tuple(range(rank)))


def zeros_of(node: Node) -> Node:
    """Return zeros of the shape and dtype of a node."""
    return full(node.shape, 0, node)


def full(shape: Shape, value: ExactValue, like: Node) -> Node:
    """Return an array filled with an exact number, in the dtype of `like`."""
    labels = tuple(range(len(shape)))
    return contract([(exact(value), ()), (ones_of(shape, like.dtype), labels)], labels)


def count_over(node: Node, axes: Sequence[int]) -> SizeExpr:
    """Return the number of entries that a reduction over `axes` takes together."""
    return product(node.shape[axis] for axis in axes)
