"""Array expressions: tensor products, contractions and diagonals as one product with labels; explicit arrays.

An outer product is taken apart where it is contracted, so that it is never computed for that.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any, NamedTuple, cast

import numpy as np
import sympy
from sympy.tensor.array.arrayop import Flatten
from sympy.tensor.array.expressions import (
    ArrayAdd,
    ArrayContraction,
    ArrayDiagonal,
    ArrayElement,
    ArrayElementwiseApplyFunc,
    ArraySymbol,
    ArrayTensorProduct,
    OneArray,
    PermuteDims,
    Reshape,
    ZeroArray,
)
from sympy.tensor.array.expressions.array_expressions import _ArrayExpr, _CodegenArrayAbstract, get_shape
from sympy.tensor.array.ndim_array import ImmutableNDimArray, NDimArray

from symback.errors import symbolic_arrays as errors
from symback.interop.symbolic.entries import entries
from symback.interop.symbolic.rule import Convert, Given, Rule
from symback.nodes.add import add
from symback.nodes.contract import Contract, Labels, contract
from symback.nodes.leaves import constant, exact, ones_of
from symback.nodes.node import METHODS, Node
from symback.nodes.products import full, hadamard
from symback.op.public import FUNCTIONS

_MOST_FACTORS = 6
"""A product of more factors is made in steps: the oracle sums over all labels of a product at once."""

_KINDS = (_ArrayExpr, _CodegenArrayAbstract, NDimArray)
"""What is an array."""

Term = tuple[Node, Labels]


class _Product(NamedTuple):
    """An array as factors with labels, and the label of each of its axes; the others are summed over."""

    terms: list[Term]
    axes: Labels


def _opened(argument: Any, given: Given, fresh: Iterator[int]) -> _Product:
    """Take the node of an argument apart into factors; what is used elsewhere too stays together."""
    node = given.node(argument)
    if len(node.shape) != len(get_shape(argument) or ()):
        raise errors.array_rank(argument, node)
    if not isinstance(node, Contract):
        labels = tuple(next(fresh) for _ in node.shape)
        return _Product([(node, labels)], labels)
    parts, sizes = node.parts(), node.label_sizes()
    names = {label: next(fresh) for label in sizes}
    axes = tuple(names[label] for label in parts.out)
    terms = [(core, tuple(names[label] for label in labels)) for core, labels in parts.cores]
    if len(terms) > _MOST_FACTORS or given.shared(argument):
        terms = [_joined(terms, axes) for terms in _connected(terms)]
    if parts.ones:
        ones = ones_of(tuple(sizes[label] for label in parts.ones), node.dtype)
        terms.append((ones, tuple(names[label] for label in parts.ones)))
    if parts.coefficient != 1:
        terms.insert(0, (exact(parts.coefficient), ()))
    return _Product(terms, axes)


def _connected(terms: Iterable[Term]) -> list[list[Term]]:
    """Group factors that share labels: between the groups the product is an outer one."""
    groups: list[tuple[set[int], list[Term]]] = []
    for term in terms:
        labels, members = set(term[1]), [term]
        apart = []
        for known, others in groups:
            if labels & known:
                labels |= known
                members = [*others, *members]
            else:
                apart.append((known, others))
        groups = [*apart, (labels, members)]
    return [members for _, members in groups]


def _joined(terms: Sequence[Term], axes: Labels) -> Term:
    """Return a group of factors as one factor with the labels that the axes of the whole have."""
    if len(terms) == 1 and set(terms[0][1]) <= set(axes):
        return terms[0]
    kept = tuple(dict.fromkeys(label for _, labels in terms for label in labels if label in axes))
    return contract(terms, kept), kept


def _tied(product: _Product, groups: Iterable[Sequence[int]]) -> _Product:
    """Give the axes of each group one label."""
    alias: dict[int, int] = {}

    def find(label: int) -> int:
        while label in alias:
            label = alias[label]
        return label

    for group in groups:
        first, *others = (product.axes[axis] for axis in group)
        for other in others:
            if find(other) != find(first):
                alias[find(other)] = find(first)
    terms = [(node, tuple(map(find, labels))) for node, labels in product.terms]
    return _Product(terms, tuple(map(find, product.axes)))


def _multiplied(terms: list[Term], out: Labels) -> Node:
    """Multiply and sum over the labels that `out` lacks, many factors label by label."""
    while len(terms) > _MOST_FACTORS:
        label = next((label for _, labels in terms for label in labels if label not in out), None)
        if label is None:
            break
        meeting = [term for term in terms if label in term[1]]
        apart = [term for term in terms if label not in term[1]]
        needed = {*out, *(label for _, labels in apart for label in labels)}
        kept = tuple(dict.fromkeys(label for _, labels in meeting for label in labels if label in needed))
        terms = [(contract(meeting, kept), kept), *apart]
    return contract(terms, out)


def _tensor_product(part: ArrayTensorProduct, given: Given) -> Node:
    fresh = count()
    products = [_opened(argument, given, fresh) for argument in part.args]
    terms = [term for product in products for term in product.terms]
    return contract(terms, tuple(label for product in products for label in product.axes))


def _groups(part: Any) -> list[list[int]]:
    groups = [[int(axis) for axis in group] for group in part.args[1:]]
    axes = [axis for group in groups for axis in group]
    if len(set(axes)) < len(axes):
        raise errors.axis_twice(part, axes)
    return groups


def _contraction(part: ArrayContraction, given: Given) -> Node:
    groups = _groups(part)
    terms, axes = _tied(_opened(part.expr, given, count()), groups)
    summed = {axis for group in groups for axis in group}
    return _multiplied(terms, tuple(label for axis, label in enumerate(axes) if axis not in summed))


def _diagonal(part: ArrayDiagonal, given: Given) -> Node:
    """Take diagonals: their axes come last, in the order in which they are named."""
    groups = _groups(part)
    terms, axes = _tied(_opened(part.expr, given, count()), groups)
    taken = {axis for group in groups for axis in group}
    kept = tuple(label for axis, label in enumerate(axes) if axis not in taken)
    return _multiplied(terms, kept + tuple(axes[group[0]] for group in groups))


def _permutation(part: PermuteDims, given: Given) -> Node:
    terms, axes = _opened(part.expr, given, count())
    return contract(terms, tuple(axes[axis] for axis in part.permutation.array_form))


def _elementwise(part: ArrayElementwiseApplyFunc, given: Given) -> Node:
    node = given.node(part.expr)
    function = part.function
    if len(function.variables) != 1:
        raise errors.not_of_one_entry(function)
    value = given.inside(function.expr, {function.variables[0]: node})
    return value if value.shape == node.shape else hadamard(value, ones_of(node.shape))


def _element(part: ArrayElement, given: Given) -> Node:
    """Return an entry; an index is a number, or one that a sum binds."""
    if get_shape(part.name) is None or len(get_shape(part.name)) != len(part.indices):
        raise errors.element_of_no_array(part)
    return entries(given.node(part.name), part.indices, part, given)


def _explicit(part: ImmutableNDimArray, given: Given) -> Node:
    """Return an array of scalars: a constant if its entries are numbers that float64 has."""
    scalars, shape = _entries(part), tuple(int(size) for size in part.shape)
    values = [_as_float(entry) for entry in scalars]
    if all(value is not None for value in values):
        return constant(np.array(values, dtype=np.float64).reshape(shape))
    stacked = FUNCTIONS["stack"].function([given.node(entry) for entry in scalars])
    return cast(Node, FUNCTIONS["reshape"].function(METHODS["astype"](stacked, "float64"), shape))


def _entries(part: ImmutableNDimArray) -> list[sympy.Basic]:
    return [sympy.sympify(entry, strict=True) for entry in Flatten(part)]


def _as_float(entry: sympy.Basic) -> float | None:
    """Return the float64 that a number is, if it is one."""
    if not isinstance(entry, (sympy.Rational, sympy.Float)):
        return None
    value = float(entry)
    return value if math.isfinite(value) and sympy.Rational(value) == sympy.Rational(entry) else None


def with_arrays(rules: Mapping[type, Rule]) -> dict[type, Rule]:
    """Return rules of scalars that refuse arrays: SymPy builds ``A * B`` and ``sin(A)``, but gives them no meaning."""
    return {kind: Rule(_of_scalars(rule.convert), rule.children) for kind, rule in rules.items()}


def _of_scalars(convert: Convert) -> Convert:
    def converted(part: Any, given: Given) -> Node:
        for argument in part.args:
            if isinstance(argument, _KINDS) and argument.shape != ():
                raise errors.array_as_scalar(part, argument)
        return convert(part, given)

    return converted


def _shape(part: Any, given: Given) -> tuple[Any, ...]:
    return tuple(given.size(size) for size in part.shape)


def _sum(part: ArrayAdd, given: Given) -> Node:
    return add(*map(given.node, part.args))


def _reshaped(part: Reshape, given: Given) -> Node:
    return cast(Node, FUNCTIONS["reshape"].function(given.node(part.expr), _shape(part, given)))


def _first(part: Any) -> Sequence[sympy.Basic]:
    return (part.args[0],)


def _none(part: sympy.Basic) -> Sequence[sympy.Basic]:
    return ()


ARRAYS: Mapping[type, Rule] = {
    ArraySymbol: Rule(lambda part, given: given.variable(part, _shape(part, given)), _none),
    ZeroArray: Rule(lambda part, given: full(_shape(part, given), 0, ones_of(())), _none),
    OneArray: Rule(lambda part, given: ones_of(_shape(part, given)), _none),
    ArrayElement: Rule(_element, _first),
    ArrayTensorProduct: Rule(_tensor_product),
    ArrayContraction: Rule(_contraction, _first),
    ArrayDiagonal: Rule(_diagonal, _first),
    PermuteDims: Rule(_permutation, _first),
    ArrayAdd: Rule(_sum),
    ArrayElementwiseApplyFunc: Rule(_elementwise, lambda part: part.args[1:]),
    Reshape: Rule(_reshaped, _first),
    ImmutableNDimArray: Rule(_explicit, _entries),
}
"""The rule of each class of array expressions."""
