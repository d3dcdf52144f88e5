"""Sums and products over matrices that depend on an index: term by term, for limits that are integers."""

from collections.abc import Iterator, Mapping
from typing import Any

import sympy
from sympy.concrete.expr_with_intlimits import ExprWithIntLimits
from sympy.matrices.expressions.matexpr import MatrixElement
from sympy.tensor.array.expressions import ArrayElement
from sympy.tensor.array.expressions.array_expressions import _ArrayExpr

from symback.errors import symbolic_sums as errors
from symback.interop.symbolic.ranges import Range
from symback.interop.symbolic.rule import Given
from symback.nodes.node import Node

_WITH_AXES = (sympy.MatrixExpr, sympy.MatrixBase, sympy.NDimArray, _ArrayExpr)

MOST = 1000
"""So many terms are written out."""

FEW = 32
"""So many factors without entries of arrays are written out, so that derivatives have them too."""


def holds_matrices(part: Any) -> bool:
    """Do the terms of a sum have matrices, or entries of what is no name, that depend on an index of the sum?

    Entries of an array have an axis for each index that a sum binds, and matrices have axes of their own.
    """
    indices = {limit[0] for limit in part.limits}
    pending, done = [part.function], set()
    while pending:
        inner = pending.pop()
        if id(inner) in done or isinstance(inner, Node):
            continue
        done.add(id(inner))
        if isinstance(inner, _WITH_AXES) and (inner.free_symbols & indices or inner is part.function):
            return True
        pending.extend(inner.args)
    return False


def is_written_out(part: sympy.Product, ranges: Mapping[sympy.Basic, Range]) -> bool:
    """Has a product a few factors, in number, and none of them an entry of an array, which NumPy multiplies?"""
    if part.function.has(sympy.Indexed, MatrixElement, ArrayElement, ExprWithIntLimits):
        return False
    count = 1
    for found in ranges.values():
        count *= found.size if isinstance(found.size, int) else 0
    return 0 < count <= FEW


def unrolled(part: Any, ranges: Mapping[sympy.Basic, Range], given: Given) -> list[Node]:
    """Return the terms of a sum, one node for each.

    Raises:
        UsageError: If the limits are no integers, or there are no terms or too many.
    """
    if isinstance(part, sympy.Product) and isinstance(part.function, _WITH_AXES):
        raise errors.product_of_matrices(part)
    sizes = [found.size for found in ranges.values()]
    count = 1
    for size in sizes:
        count *= size if isinstance(size, int) else 0
    terms = _values(list(ranges.items()), {}) if 0 < count <= MOST else iter(())
    nodes = [given.inside(part.function.xreplace(values), {}) for values in terms]
    if not nodes:
        raise errors.not_unrolled(part)
    return nodes


def _values(ranges: list[tuple[sympy.Basic, Range]], outer: dict[Any, Any]) -> Iterator[dict[Any, Any]]:
    """Yield the values of the indices, in the order of the terms."""
    if not ranges:
        yield outer
        return
    (index, found), *rest = ranges
    for value in range(int(found.first.xreplace(outer)), int(found.last.xreplace(outer)) + 1):
        yield from _values(rest, {**outer, index: sympy.Integer(value)})
