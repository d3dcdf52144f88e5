"""Parameters laid end to end in one vector, as nodes of the graph."""

from collections.abc import Sequence

from symback.nodes.apply import Named
from symback.nodes.contract import is_zero
from symback.nodes.labels import Label
from symback.nodes.leaves import Variable, variable
from symback.nodes.node import Node
from symback.nodes.products import permute
from symback.objective.parameters import Unrolled, fresh
from symback.ops.creation.filling import zeros
from symback.ops.elementwise.logic import astype
from symback.ops.indexing.slices import set_slice, take_ranges
from symback.ops.shaping.joining import concatenate
from symback.ops.shaping.reshaping import reshape


def vector_for(unrolled: Unrolled, taken: set[str], name: str, latex: str) -> Variable:
    """Return a variable for a vector of parameters, or of a direction."""
    own = unrolled.is_one_vector and name == "theta"
    label = unrolled.variables[0].label if own else Label(fresh(name, taken), latex)
    return variable(label.name, (unrolled.size,), unrolled.dtype, label.latex)


def parts(unrolled: Unrolled, vector: Node, prefix: str = "") -> list[Node]:
    """Return the parts of a vector, under the variables' names, or as tangents of them."""
    if unrolled.is_one_vector:
        return [vector]
    nodes: list[Node] = []
    for node, place in zip(unrolled.variables, unrolled.places, strict=True):
        part = reshape(take_ranges(vector, (_range(node, place),)), node.shape)
        label = Label(prefix + node.name, None, "tangent") if prefix else node.label
        nodes.append(Named(label, astype(part, node.dtype)))
    return nodes


def joined(unrolled: Unrolled, arrays: Sequence[Node]) -> Node:
    """Return one vector of arrays of the variables' shapes."""
    if unrolled.is_one_vector:
        return arrays[0]
    flat = [reshape(array, (place.stop - place.start,)) for array, place in zip(arrays, unrolled.places, strict=True)]
    return astype(concatenate(flat), unrolled.dtype)


def square(unrolled: Unrolled, blocks: Sequence[Sequence[Node]]) -> Node:
    """Return the symmetric matrix of blocks, of which those below the diagonal are read, and those on it."""
    if len(unrolled.variables) == 1:
        return reshape(blocks[0][0], (unrolled.size, unrolled.size))
    matrix: Node = zeros((unrolled.size, unrolled.size), unrolled.dtype)
    ranges = [_range(node, place) for node, place in zip(unrolled.variables, unrolled.places, strict=True)]
    counts = [(place.stop - place.start,) if node.shape else () for node, place in
              zip(unrolled.variables, unrolled.places, strict=True)]  # fmt: skip
    for row, (down, several) in enumerate(zip(ranges, blocks, strict=True)):
        for column, across in enumerate(ranges[: row + 1]):
            shape = counts[row] + counts[column]
            if is_zero(several[column]) or 0 in shape:
                continue
            block = astype(reshape(several[column], shape), unrolled.dtype)
            matrix = set_slice((matrix, block), (down, across))
            if column < row:
                turned = permute(block, (1, 0)) if len(shape) == 2 else block
                matrix = set_slice((matrix, turned), (across, down))
    return matrix


def _range(node: Node, place: slice) -> int | tuple[int, int, int]:
    """Return where in the vector a variable is, as indexing wants it: one place, or a range."""
    return (place.start, place.stop, 1) if node.shape else place.start
