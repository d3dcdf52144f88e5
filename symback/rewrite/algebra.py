"""Algebra: what saves work or digits whatever the values are, at zero, at infinity and for empty axes too.

Constants, like terms, double transposes and identities are folded exactly where nodes are built (`symback.nodes`);
here is what needs a look at more than one node. One rule has a licence: a literal zero annihilates what it
multiplies, also where that is infinite or NaN.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, NamedTuple

from symback.nodes.add import Plus, add, fills, split_coefficient, with_coefficient
from symback.nodes.contract import Contract, Labels, Parts, contract, is_zero
from symback.nodes.leaves import exact
from symback.nodes.node import Node
from symback.nodes.products import full, hadamard, permute
from symback.rewrite.diagonals import diagonals, diagonals_among_others
from symback.rewrite.engine import Rule
from symback.rewrite.facts import is_nonnegative
from symback.rewrite.notation import sqrt, where, zeros_like
from symback.rewrite.outer import common_outer_factors
from symback.rewrite.parts import Factors, function_of, is_product, ratio, sum_of
from symback.rewrite.pattern import MOST_TERMS, OUTSIDE, Match, Scope
from symback.rewrite.symmetric import transposes

__all__ = ["SIMPLIFY"]


def _zero_products(node: Node, scope: Scope) -> Iterator[Match]:
    """Yield a product with a literal zero."""
    if is_zero(node) and isinstance(node, Contract) and node.parts().cores:
        yield Match({"x": node, "y": node})


def _zero_terms(node: Node, scope: Scope) -> Iterator[Match]:
    """Yield a sum of which terms are literally zero, if the others have its shape and dtype."""
    kept = [term for term in node.operands if not is_zero(scope.bare(term))]
    if not kept:
        yield Match({"x": full(node.shape, 0, node), "y": node})
    elif len(kept) < len(node.operands) and fills(kept, node.shape, node.dtype):
        yield Match({"x": add(*kept), "y": node})


def _quotients(node: Node, scope: Scope) -> Iterator[Match]:
    """Yield a product of two factors, one of them a reciprocal."""
    if isinstance(node, Contract) and len(node.operands) == 2 and node.subscripts.aligned:
        for above, below in (node.operands, node.operands[::-1]):
            bare = OUTSIDE.bare(below)
            if function_of(bare) == "divide" and bare.operands[0] is exact(1):
                yield Match({"x": above, "y": bare.operands[1]})


def _common_factors(node: Node, scope: Scope) -> Iterator[Match]:
    """Yield a sum of products that all have a sign, a whole number or a factor in common: multiplied by once."""
    if len(node.operands) > MOST_TERMS:
        return
    terms = [OUTSIDE.factors(term) for term in node.operands]
    number = _common_number([found.coefficient for found in terms])
    if number != 1:
        rests = [_product(found._replace(coefficient=ratio(found.coefficient, number))) for found in terms]
        yield from _multiple(exact(number), rests, node)
    for factor in terms[0].cores:
        spreads = factor.shape in ((), node.shape) and factor.dtype == node.dtype
        if spreads and all(factor in found.cores and len(found.cores) > 1 for found in terms):
            yield from _multiple(factor, [_rest_of(found, factor) for found in terms], node)


def _common_number(coefficients: list[Any]) -> int:
    """Return the whole number that all are multiples of by 1 or -1, negative if all are; 1 if there is none."""
    if not all(isinstance(number, (int, Fraction)) for number in coefficients):
        return 1
    size = abs(coefficients[0])
    alike = size.denominator == 1 and size > 0 and all(abs(number) == size for number in coefficients)
    sign = -1 if all(number < 0 for number in coefficients) else 1
    return sign * (int(size) if alike else 1)


def _multiple(factor: Node, rests: list[Node], node: Node) -> Iterator[Match]:
    """Yield a sum as a factor times what is left, if that has the shape and the dtype of the sum."""
    first, *others = rests
    rest = add(*others)
    same = all(part.is_weak or part.dtype == node.dtype for part in rests)
    if same and fills([factor, first, rest], node.shape, node.dtype):
        yield Match({"x": factor, "y": first, "z": rest})


def _product(found: Factors) -> Node:
    return with_coefficient(hadamard(*found.cores), found.coefficient)


def _rest_of(found: Factors, factor: Node) -> Node:
    cores = list(found.cores)
    cores.remove(factor)
    return _product(found._replace(cores=cores))


def _common_matrices(node: Node, scope: Scope) -> Iterator[Match]:
    """Yield a sum of products of one matrix with several operands, which are added up first."""
    if len(node.operands) > MOST_TERMS:
        return
    terms = [split_coefficient(OUTSIDE.bare(term)) for term in node.operands]
    products = [
        core.parts()._replace(coefficient=number)
        for core, number in terms
        if isinstance(core, Contract) and not is_product(core) and core.parts().coefficient == 1
    ]
    if len(products) < len(terms):
        return
    for matrix, _ in products[0].cores:
        beside = [found for product in products if (found := _beside(matrix, product, node)) is not None]
        if len(beside) == len(terms) and len({(frozenset(found.labels), found.out) for found in beside}) == 1:
            like = beside[0]
            first, *others = [permute(each, [labels.index(k) for k in like.labels]) for each, labels, _ in beside]

            def multiply(rest: Node, matrix: Node = matrix, like: _Beside = like) -> Node:
                factors: list[tuple[Node, Labels]] = [(matrix, (0, 1)), (rest, like.labels)]
                return contract(factors if products[0].cores[0][0] is matrix else factors[::-1], like.out)

            yield Match({"x": first, "y": add(*others), "view": multiply})


class _Beside(NamedTuple):
    """What a matrix with the labels 0 and 1 is multiplied by; other labels are 2 more than their place."""

    operand: Node
    labels: Labels
    out: Labels


def _beside(matrix: Node, product: Parts, node: Node) -> _Beside | None:
    others = [(core, labels) for core, labels in product.cores if core is not matrix]
    if len(matrix.shape) != 2 or len(product.cores) != 2 or len(others) != 1 or product.ones:
        return None
    ((operand, labels),) = others
    (own,) = [found for core, found in product.cores if core is matrix]
    if len({*own}) < 2 or len({*labels}) < len(labels) or len({*product.out}) < len(product.out):
        return None
    if operand.dtype != node.dtype or matrix.dtype != node.dtype or not {*labels} <= {*own, *product.out}:
        return None
    number = {**{label: 2 + place for place, label in enumerate(product.out)}, own[0]: 0, own[1]: 1}
    scaled = with_coefficient(operand, product.coefficient)
    return _Beside(scaled, tuple([number[label] for label in labels]), tuple([number[label] for label in product.out]))


def _nested_sums(node: Node, scope: Scope) -> Iterator[Match]:
    """Yield a sum with sums within it, if terms meet that are alike."""
    if any(isinstance(OUTSIDE.bare(term), Plus) for term in node.operands):
        terms = OUTSIDE.terms(node)
        if len({core for core, _ in terms}) < len(terms):
            yield Match({"x": sum_of(terms), "y": node})


def _doubled_roots(node: Node, scope: Scope) -> Iterator[Match]:
    """Yield a product in which a square root stands twice."""
    if isinstance(node, Contract) and node.subscripts.aligned:
        parts = node.parts()
        cores = [core for core, _ in parts.cores]
        bare = [scope.bare(core) for core in cores]
        for place, core in enumerate(bare):
            if function_of(core) == "sqrt" and bare.index(core) < place:
                rest = [exact(parts.coefficient), *(c for c, b in zip(cores, bare, strict=True) if b is not core)]
                if bare.count(core) == 2 and is_nonnegative(core.operands[0]):
                    yield Match({"x": core.operands[0]}, rest=hadamard(*rest))


SIMPLIFY = [
    Rule("zero annihilates", lambda x, y: 0 * (x * y), lambda x, y: zeros_like(x),
         find=_zero_products, at=("product",)),
    Rule("zero terms", lambda x, y: x + 0 * y, lambda x, y: x, find=_zero_terms, at=("add",)),
    Rule("like terms", lambda x, y: (x + y) - y, lambda x, y: x, find=_nested_sums, at=("add",)),
    Rule("common factor", lambda x, y, z: x * y + x * z, lambda x, y, z: x * (y + z),
         find=_common_factors, at=("add",)),
    Rule("common matrix", lambda x, y, view: view(x) + view(y), lambda x, y, view: view(x + y),
         find=_common_matrices, at=("add",)),
    Rule("common outer factor", lambda x, y, view: view(x) + view(y), lambda x, y, view: view(x + y),
         find=common_outer_factors, at=("add",)),
    Rule("diagonals", lambda x, y, view: view(x) + view(y), lambda x, y, view: view(x + y),
         find=diagonals, at=("add",)),
    Rule("diagonals among others", lambda x, y, z, view: view(x) + view(y) + z, lambda x, y, z, view: view(x + y) + z,
         find=diagonals_among_others, at=("add",)),
    Rule("symmetric matrix", lambda x, view: view(x), lambda x, view: x, find=transposes, at=("product",)),
    Rule("quotient", lambda x, y: x * (1 / y), lambda x, y: x / y, find=_quotients, at=("product",)),
    Rule("reciprocal of a reciprocal", lambda x: 1 / (1 / x), lambda x: x),
    Rule("square of a root", lambda x: sqrt(x) * sqrt(x), lambda x: x, find=_doubled_roots, at=("product",)),
    Rule("both branches alike", lambda x, y: where(y > 0, x, x), lambda x, y: x),
]  # fmt: skip
"""What `lambdify` applies to every graph, besides `STABILISE`."""
