"""The axes of indices that sums bind, as nodes.

Inside a sum, every expression has an axis for each index it depends on, so that the rules of scalar expressions
serve there too, by broadcasting. The axis of the outermost index is the last one: what does not depend on the
inner ones lacks leading axes, as broadcasting wants it.
"""

from collections.abc import Sequence

import sympy

from symback.interop.symbolic.ranges import Range, never_negative
from symback.nodes.contract import contract
from symback.nodes.dtypes import BOOL, FLOAT64
from symback.nodes.leaves import exact, ones_of, size_of
from symback.nodes.node import METHODS, Node
from symback.nodes.shapes import simplify_size
from symback.op.public import FUNCTIONS


def spread(node: Node, places: Sequence[int]) -> Node:
    """Put each axis at its place, counted from the last; of axes with one place the diagonal is taken."""
    rank = max(places, default=-1) + 1
    missing = tuple(place for place in range(rank) if place not in places)
    fill = [(ones_of((1,) * len(missing), BOOL), missing)] if missing else []
    return contract([(node, tuple(places)), *fill], tuple(reversed(range(rank))))


def counted(found: Range, dtype: str) -> Node:
    """Return the values of an index along its axis."""
    numbers = FUNCTIONS["arange"].function(simplify_size(found.size), dtype=dtype)
    low = found.low
    numbers = numbers if low == 0 else METHODS["add"](numbers, sized(low))
    return spread(numbers, [found.place])


def sized(value: sympy.Expr) -> Node:
    """Return an integer or an expression of sizes as a node, which may be negative."""
    return exact(int(value)) if value.is_Integer else size_of(sympy.expand(value))


def number_of_values(found: Range) -> Node:
    """Return how many values an index has, as a number; none if its limits run backward by the sizes."""
    size = sympy.sympify(found.size, strict=True)
    return sized(size) if never_negative(size) else METHODS["maximum"](sized(size), 0)


def delta(one: Range, other: Range) -> Node:
    """Return 1 where two indices of one range are the same, 0 elsewhere."""
    rank = max(one.place, other.place) + 1
    missing = tuple(place for place in range(rank) if place not in (one.place, other.place))
    out = tuple(one.place if place == other.place else place for place in reversed(range(rank)))
    fill = [(ones_of((1,) * len(missing), BOOL), missing)] if missing else []
    return contract([(ones_of((simplify_size(one.size),), FLOAT64), (one.place,)), *fill], out)


def mask_of(ranges: Sequence[tuple[Range, Node, Node, Node]]) -> Node | None:
    """Return where limits that hold indices of the sums around are kept; None if no limit does.

    Each range comes with the values of its index, of its first and of its last value.
    """
    conditions = []
    for found, values, first, last in ranges:
        if found.first != found.low:
            conditions.append(METHODS["greater_equal"](values, first))
        if found.last != found.high:
            conditions.append(METHODS["less_equal"](values, last))
    result: Node | None = None
    for condition in conditions:
        result = condition if result is None else METHODS["logical_and"](result, condition)
    return result
