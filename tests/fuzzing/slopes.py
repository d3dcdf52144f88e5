"""Gradients and Hessians in digits against differences in digits; at kinks, against the slopes on both sides."""

from collections.abc import Sequence
from typing import Any

import numpy as np

import symback as sb
from symback.nodes.leaves import variable
from symback.nodes.node import Node

from .corners import bent_operations
from .digits import HIGH, HIGHER, Excluded, Line, all_finite, floats, is_finite, numbers, values_at
from .subject import Subject, Wrong

_MOST_ENTRIES = 16
"""In all variables together, where the whole Hessian is evaluated in digits."""
_IDENTITY = 1e-18
"""How far derivatives may be off their differences, in parts of the largest term: both have 60 digits."""


def gradient(subject: Subject) -> None:
    """The gradient in digits is that of differences in digits, or a subgradient between one-sided slopes."""
    if not subject.graph.wrt:
        raise Excluded("no variable")
    values, direction = subject.digits, subject.direction
    terms = [np.asarray(values[g]) * direction[x] for g, x in zip(subject.gradients, subject.graph.wrt, strict=True)]
    line = Line([subject.graph.loss], subject.graph.point, direction)
    slope = sum((term for array in terms for term in numbers(array)), HIGH.context.mpf(0))
    scale = sum((abs(term) for array in terms for term in numbers(array)), HIGH.context.mpf(0))
    _hold(line, subject.gradients, values, [np.asarray(slope, dtype=object)], scale)


def hessian_product(subject: Subject) -> None:
    """The Hessian times a vector is the difference of gradients."""
    graph = subject.graph
    if not graph.wrt:
        raise Excluded("no variable")
    if not all_finite(subject.digits[g] for g in subject.gradients):
        raise Excluded("infinite slope")
    vectors = [variable(f"along_{x.name}", x.shape, x.dtype) for x in graph.wrt]
    products = list(sb.hvp(graph.loss, graph.wrt, vectors, disconnected="zero"))
    point = {**graph.point, **{u: subject.direction[x] for u, x in zip(vectors, graph.wrt, strict=True)}}
    values = values_at(point, products)
    claimed = [np.asarray(values[product], dtype=object) for product in products]
    scale = max((abs(value) for array in claimed for value in numbers(array)), default=HIGH.context.mpf(0))
    _hold(Line(subject.gradients, graph.point, subject.direction), products, values, claimed, scale, point)


def hessian(subject: Subject) -> None:
    """The Hessian is symmetric, and its product with a vector is the difference of gradients."""
    graph = subject.graph
    if not graph.wrt or sum(graph.point[x].size for x in graph.wrt) > _MOST_ENTRIES:
        raise Excluded("too many entries")
    if not all_finite(subject.digits[g] for g in subject.gradients):
        raise Excluded("infinite slope")
    blocks = sb.hessian(graph.loss, graph.wrt, disconnected="zero")
    nodes = [block for row in blocks for block in row]
    values = values_at(graph.point, nodes)
    sizes = [graph.point[x].size for x in graph.wrt]
    rows = [
        [np.asarray(values[block], dtype=object).reshape(sizes[i], sizes[j]) for j, block in enumerate(row)]
        for i, row in enumerate(blocks)
    ]
    whole = np.block(rows) if sum(sizes) else np.zeros((0, 0), dtype=object)
    scale = max((abs(entry) for entry in whole.flat), default=HIGH.context.mpf(0))
    vector = np.concatenate([np.ravel(subject.direction[x]) for x in graph.wrt])
    split = np.split(whole @ vector, np.cumsum(sizes)[:-1])
    claimed = [part.reshape(graph.point[x].shape) for part, x in zip(split, graph.wrt, strict=True)]
    _hold(Line(subject.gradients, graph.point, subject.direction), nodes, values, claimed, scale * _largest(vector))
    lopsided = any(abs(entry) > scale * _IDENTITY for entry in (whole - whole.T).flat)
    if lopsided and not _settled(nodes, values, graph.point):
        raise Excluded("rounding decides")
    if lopsided:
        raise Wrong(f"not symmetric\n{floats(whole)}")


def _largest(vector: Any) -> Any:
    return max((abs(entry) for entry in vector), default=HIGH.context.mpf(0))


def _hold(
    line: Line, nodes: Sequence[Node], values: Any, claimed: list[Any], scale: Any, point: Any = None
) -> None:  # fmt: skip
    """Hold claimed slopes against differences; where they part, look closer, and for kinks."""
    finite = all_finite(claimed)
    if finite and (_agree(*line.slopes(), claimed, scale) or _agree(*line.slopes(HIGHER), claimed, scale)):
        return
    if finite and not _settled(nodes, values, point or line.point):
        raise Excluded("rounding decides")
    kinks = line.kinks()
    shown = f"claimed {_floats(claimed)}\nslopes  {[_floats(pair) for pair in kinks.slopes]}\nat {kinks.where}"
    bent = bent_operations(line)
    if kinks.count == 0 and bent:
        raise Excluded("along a kink")
    if kinks.count == 0:
        raise Wrong(shown)
    if not finite:
        raise Excluded("infinite slope")
    if kinks.jumps:
        raise Excluded("at a jump")
    if kinks.count > 1 or bent > 1:
        raise Excluded("several kinks")
    if kinks.ranks:
        raise Excluded("ranks of ties")
    if kinks.touched:
        raise Excluded("a kink is touched")
    for value, (behind, ahead) in zip(claimed, kinks.slopes, strict=True):
        triples = zip(numbers(value), numbers(behind), numbers(ahead), strict=True)
        if not all(_between(*triple, scale) for triple in triples):
            raise Wrong(f"at a kink\n{shown}")
    raise Excluded("subgradient")


def _between(number: Any, one: Any, other: Any, scale: Any) -> bool:
    """Is a number between two slopes?"""
    room = _IDENTITY * max(abs(one), abs(other), scale)
    return is_finite(one) and is_finite(other) and min(one, other) - room <= number <= max(one, other) + room


def _settled(nodes: Sequence[Node], values: Any, point: Any) -> bool:
    """Are the claimed values the same in more digits? The deviations of three equal numbers from their mean are not."""
    more = values_at(point, nodes, HIGHER)
    pairs = [pair for node in nodes for pair in zip(numbers(values[node]), numbers(more[node]), strict=True)]
    return all(abs(one - other) <= _IDENTITY * abs(other) for one, other in pairs)


def _agree(slopes: list[Any], noise: Any, claimed: list[Any], scale: Any) -> bool:
    for slope, value in zip(slopes, claimed, strict=True):
        for one, other in zip(numbers(slope), numbers(value), strict=True):
            if not is_finite(one) or abs(one - other) > _IDENTITY * max(abs(other), scale) + noise:
                return False
    return True


def _floats(arrays: Sequence[Any]) -> str:
    return str([floats(array).tolist() for array in arrays])
