"""Sums over the axes of indices: products become contractions."""

from collections.abc import Sequence

from symback.interop.symbolic.axes import number_of_values
from symback.interop.symbolic.ranges import Range
from symback.nodes.add import Plus, add
from symback.nodes.contract import Contract, Labels, contract
from symback.nodes.leaves import exact, ones_of
from symback.nodes.node import Node
from symback.nodes.products import hadamard


def summed(node: Node, ranges: Sequence[Range]) -> Node:
    """Sum over the axes of indices; what does not depend on one of them counts as often as that has values.

    A sum of products is summed product by product, so that each becomes one contraction.
    """
    terms = node.operands if isinstance(node, Plus) else ()
    products = [term for term in terms if _is_product(term)]
    if products:
        rest = [term for term in terms if not _is_product(term)]
        return add(*[summed(term, ranges) for term in products], *([summed(add(*rest), ranges)] if rest else []))
    axes = tuple(reversed(range(len(node.shape))))
    along = dict(zip(axes, node.shape, strict=True))
    repeated = [found for found in ranges if along.get(found.place, 1) == 1]
    total = _contracted(node, axes, tuple(place for place in axes if place not in {found.place for found in ranges}))
    counts = [number_of_values(found) for found in repeated if found.size != 1]
    return hadamard(*counts, total) if counts else total


def _is_product(node: Node) -> bool:
    return isinstance(node, Contract) and sum(bool(core.shape) for core, _ in node.parts().cores) > 1


def _contracted(node: Node, axes: Labels, out: Labels) -> Node:
    """Sum a product together with its factors, in one Contract."""
    if not isinstance(node, Contract) or not node.subscripts.distinct:
        return contract([(node, axes)], out)
    coefficient, cores, ones, labels = node.parts()
    if any(core.dtype is not node.dtype or core.is_weak for core, _ in cores):
        return contract([(node, axes)], out)
    sizes = node.label_sizes()
    outer = dict(zip(labels, axes, strict=True))
    names = {label: outer.get(label, len(axes) + label) for label in sizes}
    terms = [(core, tuple(names[label] for label in own)) for core, own in cores]
    fill = (ones_of(tuple(sizes[label] for label in ones), node.dtype), tuple(names[label] for label in ones))
    return contract([(exact(coefficient), ()), *terms, *([fill] if ones else [])], out)
