"""Products in matrix notation, by the one table that classifies them; in index notation where there is no other."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Protocol

from symback.latex.broadcasting import ones_term, placed, reshaped, zeros_term
from symback.latex.indices import indexed
from symback.latex.networks import Factor, entrywise, is_derivative, matrix_term, power, times, turned
from symback.latex.terms import (
    POSTFIX,
    Term,
    applied,
    juxtaposed,
    norm_squared,
    number_term,
    ones,
    said,
    scaled,
    transposed,
)
from symback.nodes.classify import Product, classify
from symback.nodes.contract import Contract
from symback.nodes.node import Node
from symback.nodes.shapes import SizeExpr

_MOST_FACTORS = 16


class Context(Protocol):
    """What the text of a product is made from."""

    def operand(self, node: Node) -> Term:
        """Return the text of an operand."""

    def by_name(self, node: Node) -> bool:
        """Is this node printed by a name, so that nobody looks inside?"""

    def index(self, number: int) -> str:
        """Return the letter of an index."""


def product_term(node: Contract, context: Context) -> Term:
    """Write a product."""
    product = classify(node)
    if product.kind == "fill":
        return _fill(product)
    body = _WRITERS[product.kind](product, context)
    return scaled(product.coefficient, body or indexed(_opened(product, context), context))


def _shape(p: Product) -> tuple[SizeExpr, ...]:
    return tuple(p.sizes[label] for label in p.out)


def _fill(p: Product) -> Term:
    if all(size == 1 for size in _shape(p)):
        return reshaped(number_term(p.coefficient), (), _shape(p))
    return zeros_term(_shape(p)) if p.coefficient == 0 else scaled(p.coefficient, ones_term(_shape(p)))


def _one_operand(p: Product, context: Context) -> Term | None:
    ((core, labels),) = p.cores
    term = context.operand(core)
    if len(p.out) == len(labels) == 4 and not p.ones:
        return turned(term, tuple([p.out.index(label) for label in labels]), _shape(p))
    if any(label in p.out for label in labels):
        return placed(term, labels, p.out, p.sizes)
    repeated = [label for label in p.out if p.sizes[label] != 1]
    if not repeated:
        return reshaped(term, core.shape, _shape(p))
    number = reshaped(term, core.shape, ())
    return juxtaposed(Term(number.within(POSTFIX), POSTFIX, meaning=number.says()), ones_term(_shape(p)))


def _diagonal(p: Product, context: Context) -> Term | None:
    ((core, labels),) = p.cores
    if len(labels) != 2 or len(p.out) != 1:
        return None
    return applied(r"\operatorname{diag}", context.operand(core), op="diagonal")


def _trace(p: Product, context: Context) -> Term | None:
    ((core, labels),) = p.cores
    return applied(r"\operatorname{tr}", context.operand(core), op="trace") if len(labels) == 2 else None


def _sum(p: Product, context: Context) -> Term | None:
    ((core, labels),) = p.cores
    kept = [label for label in labels if label in p.out]
    if not kept:
        return reshaped(written, (), _shape(p)) if (written := _sum_of_all(core, context)) else None
    if len(labels) > 2 or len(p.out) > 2:
        return None
    if _scales(core, context) and (written := _network(p, context)):
        return written
    term = context.operand(core)
    as_column = labels[0] == kept[0]
    column = ones(p.sizes[labels[1] if as_column else labels[0]])
    if len(p.out) == 2 and p.out[1] == kept[0]:
        return juxtaposed(transposed(column), transposed(term) if as_column else term)
    return juxtaposed(term if as_column else transposed(term), column)


def _sum_of_all(core: Node, context: Context) -> Term | None:
    """Write the sum of all entries, also of those that are sums themselves; an axis of size 1 is there already."""
    inner = _unnamed_product(core, context)
    while inner is not None and inner.kind == "sum" and inner.coefficient == 1:
        core = inner.cores[0][0]
        inner = _unnamed_product(core, context)
    term, shape = context.operand(core), core.shape
    pair = _sum_of_products(core, context)
    if pair or len(shape) > 2:
        return pair
    if len(shape) == 1:
        return juxtaposed(transposed(ones(shape[0])), term)
    rows, columns = shape
    return juxtaposed(*[transposed(ones(rows))] * (rows != 1), term, *[ones(columns)] * (columns != 1))


def _sum_of_products(core: Node, context: Context) -> Term | None:
    """Write the sum of all entries of a Hadamard product as a norm or an inner product."""
    inner = _nested(core, context)
    if inner is None:
        return None
    factors = _factors(inner, context)
    if len(factors) != 2 or any(factor.labels != inner.out for factor in factors):
        return None
    return _pair(context, factors[0].node, factors[1].node)


def _pair(context: Context, left: Node, right: Node) -> Term:
    """Write the sum of the products of all entries of two arrays of one shape."""
    rank = len(left.shape)
    if left is right:
        return norm_squared(context.operand(left), rank)
    if rank == 1:
        return juxtaposed(transposed(context.operand(left)), context.operand(right))
    first, second = context.operand(left), context.operand(right)
    text = rf"\langle {first.signed()}, {second.signed()} \rangle_F"
    return Term(text, POSTFIX, meaning=said("inner", first, second))


def _inner(p: Product, context: Context) -> Term | None:
    (left, a), (right, b) = p.cores
    if a == b:
        return _pair(context, left, right)
    if len(a) == 2 and a == b[::-1]:
        return applied(r"\operatorname{tr}", juxtaposed(context.operand(left), context.operand(right)), op="trace")
    return None


def _matrix_product(p: Product, context: Context) -> Term | None:
    """Write the matrix first, or the operand with the rows of the result; transpose what is the other way round."""
    if any(_scales(core, context) for core, _ in p.cores) and (written := _network(p, context)):
        return written
    first, second = p.cores
    if len(first[1]) == 1 or (len(p.out) == 2 and p.out[0] not in first[1]):
        first, second = second, first
    (left, a), (right, b) = first, second
    left_term, right_term = context.operand(left), context.operand(right)
    if a[0] != p.out[0]:
        left_term = transposed(left_term)
    if len(b) == 2 and b[1] != p.out[1]:
        right_term = transposed(right_term)
    return juxtaposed(left_term, right_term)


def _scales(node: Node, context: Context) -> bool:
    """Is this an unnamed array with factors of fewer axes, which are better written outside of it?"""
    inner = _nested(node, context)
    return inner is not None and any(len(labels) < len(inner.out) for _, labels in inner.cores)


def _factors(p: Product, context: Context) -> list[Factor]:
    """Return the factors of a product entry by entry, those of unnamed products inside it included."""
    found: list[Factor] = []
    pending = [Factor(*core) for core in reversed(p.cores)]
    private = -1
    while pending:
        factor = pending.pop()
        inner = _nested(factor.node, context) if len(found) + len(pending) < _MOST_FACTORS else None
        if inner is None:
            found.append(factor)
            continue
        outer = dict(zip(inner.out, factor.labels, strict=True))
        for node, labels in reversed(inner.cores):
            fresh = tuple(outer.get(label, private - label) for label in labels)
            pending.append(Factor(node, fresh))
        private -= 1 + max(inner.sizes, default=0)
    return found


def _opened(p: Product, context: Context) -> Product:
    """Open unnamed products of three axes and more, which have indices as well."""
    if not any(len(labels) > 2 and _nested(core, context) for core, labels in p.cores):
        return p
    cores = [(factor.node, factor.labels) for factor in _factors(p, context)]
    private = {label: 1 for _, labels in cores for label in labels if label < 0}
    return p._replace(cores=cores, sizes={**p.sizes, **private})


def _unnamed_product(node: Node, context: Context) -> Product | None:
    return None if context.by_name(node) or not isinstance(node, Contract) else classify(node)


def _nested(node: Node, context: Context) -> Product | None:
    """Return a product entry by entry that may be written as part of another."""
    inner = _unnamed_product(node, context)
    return inner if inner and inner.kind == "hadamard" and inner.coefficient == 1 and not inner.ones else None


def _hadamard(p: Product, context: Context) -> Term | None:
    factors = _factors(p, context)
    scalars = [reshaped(context.operand(f.node), f.node.shape, ()) for f in factors if not _axes(f, p)]
    tensors = [f for f in factors if _axes(f, p)]
    if not tensors and all(p.sizes[label] == 1 for label in p.out):
        *before, last = (power(term, count) for term, count in Counter(sorted(scalars, key=is_derivative)).items())
        return reshaped(times(before, last), (), _shape(p))
    if len(p.out) == 4 or (len(p.out) == 2 and any(len(f.labels) == 1 for f in tensors)):
        written = matrix_term(factors, p.out, p.sizes, context)
        if written:
            return written
    body = _outer_of(Counter(tensors), p, context)
    if body is None:
        terms = [placed(context.operand(f.node), f.labels, p.out, p.sizes) for f in tensors]
        known = [term for term in terms if term]
        if len(known) < len(terms):
            return None
        body = entrywise(known) if known else ones_term(_shape(p))
    return times(scalars, body)


def _axes(factor: Factor, p: Product) -> bool:
    return any(label in p.out for label in factor.labels)


def _outer_of(tensors: Mapping[Factor, int], p: Product, context: Context) -> Term | None:
    """Write the outer product of a column and a row."""
    if len(p.out) != 2 or len(tensors) != 2 or any(n > 1 for n in tensors.values()):
        return None
    by_axes = {tuple(label for label in factor.labels if label in p.out): factor for factor in tensors}
    column, row = by_axes.get(p.out[:1]), by_axes.get(p.out[1:])
    if column is None or row is None:
        return None
    left = placed(context.operand(column.node), column.labels, p.out[:1], p.sizes)
    below = placed(context.operand(row.node), row.labels, p.out[1:], p.sizes)
    return juxtaposed(left, transposed(below)) if left and below else None


def _outer(p: Product, context: Context) -> Term | None:
    (left, _), (right, _) = p.cores
    return juxtaposed(context.operand(left), transposed(context.operand(right)))


def _network(p: Product, context: Context) -> Term | None:
    return matrix_term(_factors(p, context), p.out, p.sizes, context)


_WRITERS: dict[str, Callable[[Product, Context], Term | None]] = {
    "embed": _network,
    "scale": _one_operand,
    "transpose": _one_operand,
    "broadcast": _one_operand,
    "diagonal": _diagonal,
    "trace": _trace,
    "sum": _sum,
    "hadamard": _hadamard,
    "outer": _outer,
    "inner": _inner,
    "frobenius": _inner,
    "matvec": _matrix_product,
    "vecmat": _matrix_product,
    "matmul": _matrix_product,
    "batched": _network,
    "tensordot": _network,
    "general": _network,
}
"""For each kind of product its writer; what a writer leaves, index notation takes."""
