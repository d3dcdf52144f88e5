"""What a derivative is asked for with: one scalar, or vectors in the structure of what they belong to."""

from itertools import chain
from typing import Any

import numpy as np

from symback import errors
from symback.derive.reverse import check_output
from symback.errors.symbolic_matrices import no_vector
from symback.interop.symbolic.conversion import Conversion
from symback.interop.symbolic.explicit import is_explicit
from symback.nodes.node import Node
from symback.ops.elementwise.logic import astype
from symback.structure import Nested, leaves_as_in, leaves_of


def one_scalar(operation: str, loss: Any, given: Conversion) -> Node:
    """Return what must be one scalar node, and no structure of nodes."""
    node = given.loss(operation, loss)
    if node.shape != ():
        raise errors.not_scalar(operation, node)
    check_output(operation, node)
    return node


def outputs_of(operation: str, outputs: Nested, given: Conversion) -> list[Node]:
    """Return the nodes that are differentiated, at least one."""
    nodes = given.arrays(operation, outputs)
    if not nodes:
        raise errors.no_outputs(operation)
    return nodes


def entries_of_outputs(operation: str, outputs: Nested, given: Conversion) -> list[Node]:
    """Return the nodes that are differentiated, of an explicit matrix its entries."""
    nodes = list(chain(*given.entries(operation, outputs)))
    if not nodes:
        raise errors.no_outputs(operation)
    return nodes


def vectors_for(operation: str, what: str, given: Conversion, structure: Nested, vectors: Nested) -> list[Node]:
    """Return one vector for each leaf of a structure: of its shape, and brought to its dtype."""
    nodes = given.nodes(structure)
    found = given.nodes(leaves_as_in(structure, vectors, operation=operation, what=what))
    return [fitting(operation, node, vector) for node, vector in zip(nodes, found, strict=True)]


def vectors_along(operation: str, given: Conversion, wrt: Nested, vectors: Nested) -> list[Node]:
    """Return one vector for each variable; of a matrix of symbols those of its entries, from a matrix of its shape."""
    found: list[Node] = []
    told = leaves_as_in(wrt, vectors, operation=operation, what="variables")
    for leaf, vector in zip(leaves_of(wrt), told, strict=True):
        found += by_entry(operation, given, leaf, vector) if is_explicit(leaf) else given.nodes(vector)
    pairs = zip(given.variables(wrt), found, strict=True)
    return [fitting(operation, node, vector) for node, vector in pairs]


def by_entry(operation: str, given: Conversion, matrix: Any, vector: Any) -> list[Node]:
    """Return what belongs to each entry of a matrix of symbols."""
    if is_explicit(vector):
        if vector.shape != matrix.shape:
            raise no_vector(operation, matrix.shape, vector.shape)
        return given.nodes(list(vector.flat()))
    (node,) = given.nodes(vector)
    if node.shape != matrix.shape:
        raise no_vector(operation, matrix.shape, node.shape)
    return [node[divmod(place, matrix.cols)] for place in range(matrix.rows * matrix.cols)]


def fitting(operation: str, node: Node, vector: Node) -> Node:
    """Return a vector in the dtype of its node, or refuse it: another shape, or a dtype that would lose digits."""
    if node.shape != vector.shape:
        raise errors.cotangent_mismatch(operation, node, vector)
    if vector.is_weak or vector.dtype == node.dtype:
        return vector
    if not np.can_cast(vector.dtype, node.dtype, "safe"):
        raise errors.vector_dtype(operation, node, vector)
    return astype(vector, node.dtype)
