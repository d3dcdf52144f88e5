"""Pieces: cotangents that are zero but for a part, as the derivative of an index gives them.

The zeros are no numbers to calculate with: 0 times an infinite derivative outside of the part would be NaN. So a
product with a local derivative is taken on the part alone, which is less work too.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import sympy

from symback.nodes.apply import Apply, Operation, unnamed
from symback.nodes.contract import is_zero
from symback.nodes.node import Node
from symback.nodes.products import broadcast_to
from symback.nodes.shapes import Shape, SizeExpr, intern_shape, size_symbols
from symback.ops.indexing.ranges import PIECES

_MOST_COUNTED = 4096


def is_piece(node: Any) -> bool:
    """Is this an array that is zero but for a part?"""
    return isinstance(node, Apply) and node.operation.name in PIECES


def with_value(piece: Apply, value: Node) -> Node:
    """Return the piece of another value."""
    return Apply(piece.operation, value, *piece.operands[1:])


def at_piece(node: Node, piece: Apply) -> Node:
    """Take of a node, which broadcasts to the shape of a piece, the part where the piece lies."""
    if not node.shape:
        return node
    if piece.operation.name == "unslice":
        return _in_ranges(node, *piece.operation.parameters)
    return _at_places(node, piece)


def in_ranges(node: Node, entries: tuple[Any, ...]) -> Node:
    """Take ranges of a node (see `symback.ops.indexing.slices`)."""
    return node if all(entry is None for entry in entries) else Apply(Operation("slice_of", entries), node)


def among_zeros(value: Node, entries: tuple[Any, ...], shape: Shape) -> Node:
    """Write a value into ranges of zeros."""
    if all(entry is None for entry in entries):
        return value
    return Apply(Operation("unslice", entries, intern_shape(shape)), value)


def _in_ranges(node: Node, entries: tuple[Any, ...], shape: Shape) -> Node:
    rank = len(node.shape)
    own = tuple(
        entry if size == whole else None if isinstance(entry, tuple) or entry is None else 0
        for entry, size, whole in zip(entries[-rank:], node.shape, shape[-rank:], strict=True)
    )
    return in_ranges(node, own)


def _at_places(node: Node, piece: Apply) -> Node:
    axis, shape = piece.operation.parameters
    indices = piece.operands[1:]
    if len(node.shape) <= -axis - len(indices):
        return node
    if len(node.shape) < -axis or node.shape[axis:] != shape[axis:]:
        rank = max(len(node.shape), -axis)
        node = broadcast_to(node, shape[len(shape) - rank :])
    return Apply(Operation("gather", axis), node, *indices)


def rewritten(cotangent: Node) -> Apply | None:
    """Return a cotangent that is an array overwritten with zeros, as what was overwritten passes on."""
    bare = unnamed(cotangent)
    if isinstance(bare, Apply) and bare.operation.name in ("set_slice", "set_places") and is_zero(bare.operands[1]):
        return bare
    return None


# -- do the pieces leave a gap? -----------------------------------------------------------------------------


def fill_all(pieces: Sequence[Apply]) -> bool:
    """Do ranges along one axis fill it? Symbolic sizes are taken to be large."""
    ranges: dict[int, list[tuple[Any, SizeExpr]]] = {}
    for piece in pieces:
        if piece.operation.name == "unslice":
            entries, shape = piece.operation.parameters
            cut = [axis for axis, entry in enumerate(entries) if entry is not None]
            if len(cut) == 1:
                ranges.setdefault(cut[0], []).append((entries[cut[0]], shape[cut[0]]))
    return any(_fills([entry for entry, _ in found], found[0][1]) for found in ranges.values())


def _fills(entries: Sequence[Any], size: SizeExpr) -> bool:
    whole = _large(size)
    if whole > _MOST_COUNTED:
        return False
    seen = np.zeros(whole, dtype=bool)
    for entry in entries:
        if isinstance(entry, tuple):
            start, stop, step = (_large(bound) for bound in entry)
            seen[list(range(start, stop, step))] = True
        else:
            seen[_large(entry)] = True
    return bool(seen.all())


def _large(size: SizeExpr) -> int:
    if isinstance(size, int):
        return size
    return int(size.xreplace({symbol: sympy.Integer(97) for symbol in size_symbols(size)}))
