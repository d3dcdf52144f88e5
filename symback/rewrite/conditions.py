"""Which conditions hold wherever a value is wanted: what `where` chooses is wanted on one side of it."""

from collections.abc import Iterator, Sequence
from functools import reduce
from typing import NamedTuple, TypeAlias

from symback.graph import toposort
from symback.nodes.apply import Apply, Map, unnamed
from symback.nodes.contract import Contract, contract
from symback.nodes.dtypes import BOOL
from symback.nodes.leaves import ones_of
from symback.nodes.node import METHODS, Node

_MOST = 16
"""Of how many conditions a branch is known to depend; further ones are forgotten, which guards less."""


class Literal(NamedTuple):
    """A condition that holds, or that does not, for each entry of an array.

    Attributes:
        node: The condition, without negations, conjunctions and repetition.
        holds: Whether it holds.
        axes: For each axis of the condition the axis of the array that it runs along, counted from the end
            (-1 is the last), None for an axis of size 1.
    """

    node: Node
    holds: bool
    axes: tuple[int | None, ...]


Wanted: TypeAlias = tuple[Literal, ...]
"""The conditions that hold wherever an entry is wanted; none if it is wanted everywhere."""


def is_where(node: Node) -> bool:
    """Is this a choice between two branches?"""
    return isinstance(node, Map) and node.operation.name == "where"


def literals(condition: Node, holds: bool = True) -> Wanted:
    """Return what is known of single conditions where this one holds, or does not."""
    found: dict[Literal, None] = {}
    waiting = [Literal(condition, holds, tuple(range(-len(condition.shape), 0)))]
    while waiting:
        node, holds, axes = waiting.pop()
        node = unnamed(node)
        name = node.operation.name if isinstance(node, Map) else ""
        inner = _unrepeated(node, axes)
        if name == "logical_not":
            waiting.append(Literal(node.operands[0], not holds, axes))
        elif name == ("logical_and" if holds else "logical_or") and len(found) + len(waiting) < _MOST:
            waiting += [Literal(part, holds, axes[len(axes) - len(part.shape) :]) for part in reversed(node.operands)]
        elif inner is not None:
            waiting.append(Literal(inner[0], holds, inner[1]))
        else:
            pairs = zip(axes, node.shape, strict=True)
            found[Literal(node, holds, tuple(None if size == 1 else axis for axis, size in pairs))] = None
    return tuple(found)


def _unrepeated(node: Node, axes: tuple[int | None, ...]) -> tuple[Node, tuple[int | None, ...]] | None:
    """Return what a condition repeats along further axes, or transposes, and the axes of that."""
    if not isinstance(node, Contract):
        return None
    coefficient, cores, _, out = node.parts()
    if coefficient != 1 or len(cores) != 1 or len(set(out)) < len(out):
        return None
    core, labels = cores[0]
    if any(label not in out and size != 1 for label, size in zip(labels, core.shape, strict=True)):
        return None
    return core, tuple(axes[out.index(label)] if label in out else None for label in labels)


def wanted(outputs: Sequence[Node]) -> dict[Node, Wanted]:
    """Map each node to the conditions under which all that uses it wants its entries."""
    found: dict[Node, Wanted] = dict.fromkeys(outputs, ())
    for node in reversed(toposort(outputs)):
        for operand, conditions in _passed_on(node, found[node]):
            known = found.get(operand)
            both = conditions if known is None else tuple(literal for literal in known if literal in conditions)
            found[operand] = both
    return found


def _passed_on(node: Node, here: Wanted) -> Iterator[tuple[Node, Wanted]]:
    """Yield each operand with the conditions under which this node wants it."""
    if is_where(node):
        condition, *branches = node.operands
        yield condition, _at_operand(node, condition, here)
        for branch, holds in zip(branches, (True, False), strict=True):
            conditions = dict.fromkeys((*here, *literals(condition, holds)))
            yield branch, _at_operand(node, branch, tuple(conditions)[:_MOST])
    elif isinstance(node, Contract):
        inputs, out = node.subscripts.inputs, node.subscripts.out
        for operand, labels in zip(node.operands, inputs, strict=True):
            yield operand, _at_factor(node, operand, labels, out, here) if here else here
    else:
        by_entry = not isinstance(node, Apply) or isinstance(node, Map) or node.operation.name == "astype"
        for operand in node.operands:
            single = tuple(literal for literal in here if all(axis is None for axis in literal.axes))
            yield operand, _at_operand(node, operand, here) if by_entry else single


def _at_operand(node: Node, operand: Node, conditions: Wanted) -> Wanted:
    """Keep the conditions that are the same for all entries that one entry of an operand is broadcast to."""

    def runs_along(axis: int | None) -> bool:
        return axis is None or (-axis <= len(operand.shape) and operand.shape[axis] == node.shape[axis])

    return tuple(literal for literal in conditions if all(map(runs_along, literal.axes)))


def _at_factor(node: Node, operand: Node, labels: tuple[int, ...], out: tuple[int, ...], conditions: Wanted) -> Wanted:
    """Follow the axes of conditions to those of a factor; one that an axis summed over lacks is dropped."""
    places = {label: place - len(labels) for place, label in enumerate(labels)}
    kept = []
    for literal in conditions:
        axes = tuple(None if axis is None else places.get(out[axis], 0) for axis in literal.axes)
        long = [axis for axis in axes if axis is not None]
        sizes = zip(literal.axes, axes, strict=True)
        same = all(a is None or b == 0 or operand.shape[b] == node.shape[a] for a, b in sizes if b is not None)
        if 0 not in long and len(set(long)) == len(long) and same:
            kept.append(literal._replace(axes=axes))
    return tuple(kept)


def condition_on(shape: Sequence[object], conditions: Wanted, new: dict[Node, Node]) -> tuple[Node, bool]:
    """Write the conditions as one for an array, and whether that says where it is wanted or where it is not."""
    parts = [(_along(shape, literal, new[literal.node]), literal.holds) for literal in conditions]
    if not any(holds for _, holds in parts):
        return reduce(METHODS["logical_or"], [node for node, _ in parts]), False
    return reduce(
        METHODS["logical_and"], [node if holds else METHODS["logical_not"](node) for node, holds in parts]
    ), True


def _along(shape: Sequence[object], literal: Literal, node: Node) -> Node:
    """Return a condition with its axes where the array has them."""
    axes = literal.axes
    rank = len(axes)
    if rank <= len(shape) and all(axis is None or axis == place - rank for place, axis in enumerate(axes)):
        return node
    most = max((-axis for axis in axes if axis is not None), default=0)
    labels = tuple(most + place if axis is None else most + axis for place, axis in enumerate(axes))
    missing = tuple(label for label in range(most) if label not in labels)
    terms = [(node, labels)]
    if missing:
        terms.append((ones_of((1,) * len(missing), BOOL), missing))
    return contract(terms, tuple(range(most)))
