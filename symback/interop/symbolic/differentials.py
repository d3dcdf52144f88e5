"""Derivatives that SymPy has not evaluated, and values at points: `Derivative`, `Subs`.

They are evaluated by a reverse pass over the nodes of the expression. Inside a sum a symbol is given a value of its own
for each index, and one that is bound by `applyfunc` has those of a matrix: an entry depends on no other, so the
gradient of the sum of all entries holds all the derivatives.
"""

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any, cast

import sympy
from sympy.concrete.expr_with_intlimits import ExprWithIntLimits
from sympy.core.function import AppliedUndef
from sympy.matrices.expressions.matexpr import MatrixElement
from sympy.tensor.array.expressions import ArrayElement

from symback.errors import symbolic_sums as errors
from symback.graph import toposort
from symback.interop.symbolic.entries import entries
from symback.interop.symbolic.rule import Given, Rule
from symback.nodes.leaves import Variable, variable
from symback.nodes.node import HOOKS, Node
from symback.nodes.products import broadcast_to, full, sum_axes
from symback.nodes.rows import postorder
from symback.nodes.shapes import Shape, broadcast_shapes

ENTRIES = (sympy.Indexed, MatrixElement, ArrayElement)
"""The classes of expressions that are one entry of an array."""

_numbers = count()


def _derivative(part: sympy.Derivative, given: Given) -> Node:
    """Differentiate by one after the other; symbols that are variables as they are, anything else by a stand-in."""
    directions = [(direction, _order(part, order)) for direction, order in part.variable_count]
    mixed = any(_among_others(part.expr, of) for of, _ in directions)
    values = {of: _value(part, of, given) for of, _ in directions if not (mixed and isinstance(of, ENTRIES))}
    body = given.node(part.expr)
    many = bool(given.ranges) or any(value.shape for value in values.values())
    plain = not many and all(_is_its_own(of, value) for of, value in values.items())
    stand_ins: dict[sympy.Basic, Variable] = cast(Any, dict(values))
    if not plain:
        shape = _frame(body, list(values.values())) if many else ()
        stand_ins = {of: variable(f"direction_{next(_numbers)}", shape) for of in values}
        body = given.inside(part.expr, {**_apart(part.expr, values, given), **stand_ins})
    for direction, order in directions:
        for _ in range(order):
            if direction in stand_ins:
                body = _by_symbol(body, stand_ins[direction], many)
            else:
                body = _by_entry(part, body, direction, given)
    if plain:
        return body
    exact = {stand_in: broadcast_to(values[of], stand_in.shape) for of, stand_in in stand_ins.items()}
    return cast(Node, HOOKS["substitute"](body, exact))


def _is_its_own(direction: sympy.Basic, value: Node) -> bool:
    """Is this the variable of the symbol itself, and not of another that a bound symbol stands for?"""
    return isinstance(value, Variable) and isinstance(direction, sympy.Symbol) and value.name == direction.name


def _order(part: sympy.Derivative, order: sympy.Basic) -> int:
    if not isinstance(order, sympy.Integer) or order < 0:
        raise errors.bad_order(part)
    return int(order)


def _value(part: sympy.Derivative, direction: sympy.Basic, given: Given) -> Node:
    """Return the node of what one differentiates by."""
    scalar = isinstance(direction, (sympy.Symbol, AppliedUndef, sympy.Derivative, *ENTRIES))
    if not scalar or direction in given.ranges or direction in given.declared.sizes:
        raise errors.not_a_direction(part, direction)
    return given.inside(direction, {})


def _among_others(expr: sympy.Basic, direction: sympy.Basic) -> bool:
    """Is this an entry of an array of which the expression may hold the same one by another index?"""
    if not isinstance(direction, sympy.Indexed):
        return isinstance(direction, ENTRIES)
    for inner in postorder(expr):
        if isinstance(inner, (ExprWithIntLimits, sympy.Subs, sympy.Lambda)):
            return True
        if isinstance(inner, sympy.Indexed) and inner.base == direction.base and not _settled(inner, direction):
            return True
    return False


def _settled(one: sympy.Indexed, other: sympy.Indexed) -> bool:
    """Is it certain whether two entries are the same?"""
    return one == other or any(
        (left - right).is_Integer and left != right for left, right in zip(one.indices, other.indices, strict=False)
    )


def _frame(body: Node, values: Sequence[Node]) -> Shape:
    return broadcast_shapes("from_sympy", [body, *values])


def _apart(expr: sympy.Basic, values: Mapping[sympy.Basic, Node], given: Given) -> dict[sympy.Basic, Node]:
    """Return the derivatives of functions by which one differentiates: f'(t) does not depend on f(t)."""
    functions = {of for of in values if isinstance(of, AppliedUndef)}
    found = [inner for inner in postorder(expr) if isinstance(inner, sympy.Derivative)] if functions else []
    return {inner: given.inside(inner, {}) for inner in found if inner.expr in functions}


def _by_symbol(body: Node, stand_in: Variable, many: bool) -> Node:
    """Return the derivative by a scalar, or entry by entry by one that has many values."""
    loss = sum_axes(body, range(len(body.shape))) if many else body
    return _jacobian(loss, stand_in)


def _jacobian(output: Node, by: Node) -> Node:
    if by not in toposort([output]):
        return broadcast_to(full((), 0, by), (*output.shape, *by.shape))
    return cast(Node, HOOKS["jacobian"](output, [by])[0])


def _by_entry(part: sympy.Derivative, body: Node, entry: Any, given: Given) -> Node:
    """Return the derivative by one entry of an array: the derivatives by all entries, and of them that one."""
    array = given.inside(entry.name if isinstance(entry, ArrayElement) else entry.args[0], {})
    if not isinstance(array, Variable):
        raise errors.not_a_direction(part, entry)
    indices = {found.place: index - found.low for index, found in given.ranges.items()}
    if len(body.shape) > len(indices):
        raise errors.not_a_direction(part, entry)
    lead = [
        sympy.S.Zero if size == 1 else indices[place]
        for place, size in zip(reversed(range(len(body.shape))), body.shape, strict=True)
    ]
    return entries(_jacobian(body, array), [*lead, *entry.indices], part, given)


def _subs(part: sympy.Subs, given: Given) -> Node:
    for point in part.point:
        if point.free_symbols & set(part.variables):
            raise errors.point_of_variables(part, point)
    points = [given.node(point) for point in part.point]
    return given.inside(part.expr, dict(zip(part.variables, points, strict=True)))


DIFFERENTIALS: Mapping[type, Rule] = {
    sympy.Derivative: Rule(_derivative, lambda part: (part.expr,)),
    sympy.Subs: Rule(_subs, lambda part: part.point),
}
"""The rule of derivatives, and of values at points."""
