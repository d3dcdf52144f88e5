"""Lowering: every sum and product becomes one that has a plain NumPy spelling.

A product of many operands becomes products of two at a time, in the cheapest order; diagonals,
sums within one operand and repetitions are taken apart; a sum of thousands of terms becomes sums of sums.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from symback.codegen.outer import in_blocks, is_outer
from symback.codegen.passes.contraction import Term, best_order, multiplied_in_order
from symback.graph import rebuild
from symback.nodes.add import Plus, add
from symback.nodes.apply import Apply
from symback.nodes.classify import Product, classify
from symback.nodes.contract import Contract, Labels, contract
from symback.nodes.dtypes import promote
from symback.nodes.leaves import Exact, exact, ones_of
from symback.nodes.node import METHODS, Node
from symback.nodes.shapes import NO_HINTS, Hints
from symback.ops.indexing.ranges import PIECES

MOST_TERMS = 12
"""Sums and products longer than this are not joined further: lines stay readable, and passes linear."""


def lower_all(outputs: Sequence[Node], hints: Hints = NO_HINTS) -> dict[Node, Node]:
    """Give every sum and product a plain spelling; return what each node became. `hints` say how large sizes are."""
    return rebuild(outputs, lambda node, operands: _lower(node, operands, hints))


def _lower(node: Node, operands: tuple[Node, ...], hints: Hints) -> Node:
    node = node.with_operands(operands)
    if isinstance(node, (Plus, Contract)) and any(_is_negated(x, node.dtype) for x in node.operands):
        node = node.with_operands(tuple(_signed(x, node.dtype) for x in node.operands))
    if isinstance(node, Plus):
        node = _widened_sum(node)
        pieces = [term for term in node.operands if _is_piece(term)]
        if pieces or len(node.operands) > 2 * MOST_TERMS:
            return _in_groups([term for term in node.operands if not _is_piece(term)], pieces)
        return node
    return lowered(node, hints) if isinstance(node, Contract) else node


def _is_negated(node: Node, dtype: np.dtype[Any]) -> bool:
    """Has this a sign that a wider product or sum must not take over? Unsigned and small integers wrap around under it.

    For int64 ``x + -k`` is what was written ``x - k``, which NumPy computes without wrapping around.
    """
    first = node.operands[0] if isinstance(node, Contract) else None
    negative = isinstance(first, Exact) and isinstance(first.value, int) and first.value < 0
    return negative and node.dtype.kind in "iu" and node.dtype.name != "int64" and node.dtype != dtype


def _signed(node: Node, dtype: np.dtype[Any]) -> Node:
    return METHODS["astype"](node, dtype) if _is_negated(node, dtype) else node


def _widened_sum(node: Plus) -> Plus:
    """Convert the terms of a sum of several, so that no two of them are added in a narrower dtype."""
    narrow = [term for term in node.operands if _is_narrow([term], node.dtype)]
    if len(narrow) < 2 or len(node.operands) < 3:
        return node
    terms = [METHODS["astype"](term, node.dtype) if term in narrow else term for term in node.operands]
    return Plus(*terms)


def _is_piece(term: Node) -> bool:
    return isinstance(term, Apply) and term.operation.name in PIECES


def _in_groups(terms: Sequence[Node], pieces: Sequence[Node]) -> Node:
    """Add in groups of groups, as CPython cannot compile a sum of thousands of terms; `pieces` stay by themselves."""
    while len(terms) > 2 * MOST_TERMS:
        terms = [add(*terms[k : k + MOST_TERMS]) for k in range(0, len(terms), MOST_TERMS)]
    return add(*terms, *pieces)


def lowered(node: Contract, hints: Hints = NO_HINTS) -> Node:
    """Write a product as products of two operands at a time, each with a plain spelling."""
    subscripts = node.subscripts
    aligned = subscripts.distinct and all(labels == subscripts.out or not labels for labels in subscripts.inputs)
    if aligned and not _is_narrow(node.operands, node.dtype):
        return node
    p = classify(node)
    if p.ones and p.cores and _widened_by_ones(p, node.dtype):
        first = (METHODS["astype"](p.cores[0][0], node.dtype), p.cores[0][1])
        widened = _completed(p, [first, *p.cores[1:]], node.dtype)
        return lowered(widened, hints) if isinstance(widened, Contract) else widened
    if _summed_by_numpy(p):
        return node
    p = p._replace(cores=_widened(p))
    if aligned:
        return _completed(p, p.cores, node.dtype) if p.cores else node
    if p.kind == "embed":
        return _lowered_embed(p, node.dtype, hints) if p.cores else node
    cores = [_plain_operand(core, labels, p, index, node.dtype) for index, (core, labels) in enumerate(p.cores)]
    if p.kind in ("batched", "general") or any(old is not new for old, new in zip(p.cores, cores, strict=True)):
        return _lowered_product(p, cores, node.dtype, hints)
    return node


def _is_narrow(nodes: Iterable[Node], dtype: np.dtype[Any]) -> bool:
    """Has an operand another dtype than the product? So the coefficient, ones or the others widen it."""
    return any(node.dtype != dtype and not node.is_weak for node in nodes)


def _summed_by_numpy(p: Product) -> bool:
    """Does NumPy sum small integers or booleans in 64 bits, which is exact, before the coefficient widens the sum?"""
    if p.kind not in ("sum", "trace") or len(p.ones) > len(p.cores[0][1]):
        return False
    core, labels = p.cores[0]
    exact_sum = core.dtype.kind == "b" or (core.dtype.kind == "i" and core.dtype.itemsize < 8)
    wide = p.dtype.name == "float64" or (p.dtype.name == "int64" and core.dtype.kind == "b")
    return exact_sum and wide and (p.kind == "sum" or len(labels) == 2)


def _widened(p: Product) -> list[Term]:
    """Convert operands to the dtype of their product, so that nothing is multiplied or summed in a narrower one.

    The last of several may stay as it is: NumPy converts it when it multiplies it by another one. Booleans stay
    where nothing is summed: their products are exact.
    """
    summed = any(p.summed(labels) for _, labels in p.cores)
    narrow = [core for core, _ in p.cores if _is_narrow([core], p.dtype) and (summed or core.dtype.kind != "b")]
    strong = [core for core, _ in p.cores if not core.is_weak]
    if len(strong) == 1 and not summed:
        return p.cores
    if len(strong) > 1 and narrow and narrow.count(narrow[-1]) == 1:
        narrow.pop()
    if len(strong) == 2 and promote(strong) == p.dtype:
        return p.cores
    return [(METHODS["astype"](core, p.dtype) if core in narrow else core, labels) for core, labels in p.cores]


def _widened_by_ones(p: Product, dtype: np.dtype[Any]) -> bool:
    """Does the dtype come from ones alone, which repetition in NumPy does not multiply by?"""
    cores = [core for core, _ in p.cores]
    if any(core.is_weak or core.dtype == dtype for core in cores):
        return False
    return promote([exact(p.coefficient), *cores] if p.coefficient != 1 else cores) != dtype


def _lowered_embed(p: Product, dtype: np.dtype[Any], hints: Hints) -> Node:
    inner_out = tuple(dict.fromkeys(label for label in p.out if label not in p.ones))
    inner = contract(p.cores, inner_out)
    if isinstance(inner, Contract) and inner.is_core:
        inner = lowered(inner, hints)
    return _completed(p, [(inner, inner_out)], dtype)


def _completed(p: Product, cores: list[tuple[Node, Labels]], dtype: np.dtype[Any]) -> Node:
    """Multiply what the operands became by the coefficient, and repeat it along the axes that only ones have."""
    terms = list(cores)
    if p.coefficient != 1 or promote([core for core, _ in cores]) != dtype:
        terms.insert(0, (exact(p.coefficient), ()))  # once a boolean is an integer
    if p.ones:
        terms.append((ones_of(tuple(p.sizes[label] for label in p.ones), dtype), p.ones))
    return contract(terms, p.out)


def _plain_operand(core: Node, labels: Labels, p: Product, index: int, dtype: np.dtype[Any]) -> tuple[Node, Labels]:
    """Take the diagonal where a label repeats, and sum over labels that no other operand and no output has."""
    if len(p.cores) == 1:
        return core, labels
    others = {label for k, (_, other) in enumerate(p.cores) if k != index for label in other}.union(p.out)
    kept = tuple(dict.fromkeys(label for label in labels if label in others or p.sizes[label] == 1))
    if len(set(labels)) == len(labels) == len(kept):
        return core, labels
    if len(set(labels)) < len(labels):
        distinct = tuple(dict.fromkeys(labels))
        core, labels = contract([(core, labels)], distinct), distinct
    if _is_narrow([core], dtype):
        core = METHODS["astype"](core, dtype)
    return contract([(core, labels)], kept), kept


def _lowered_product(p: Product, cores: list[Term], dtype: np.dtype[Any], hints: Hints) -> Node:
    if len(cores) == 1:
        return _lowered_single(p, *cores[0], dtype)
    scalars = [term for term in cores if not term[1]]
    tensors = [term for term in cores if term[1]]
    if scalars and tensors and promote([core for core, _ in tensors]) != dtype:
        tensors = [(METHODS["astype"](core, dtype), labels) for core, labels in tensors]
    scalars, tensors = _on_the_smallest(scalars, tensors, p)
    if len(tensors) > 2 and is_outer(tensors, p.out):
        return _completed(p, in_blocks(scalars, tensors, p.out), dtype)
    if len(tensors) > 2 or any(label not in p.out for _, labels in tensors for label in labels):
        kept = tuple(label for label in p.out if label not in p.ones)
        tensors = [multiplied_in_order(tensors, kept, best_order(tensors, kept, hints).tree)]
    return _completed(p, [*scalars, *tensors], dtype)


def _on_the_smallest(scalars: list[Term], tensors: list[Term], p: Product) -> tuple[list[Term], list[Term]]:
    """Multiply numbers into factors that have fewer axes than a product entry by entry, and those with one another."""
    least = min((labels for _, labels in tensors), key=len, default=())
    small = [term for term in tensors if term[1] == least]
    whole = len(least) < len({label for label in p.out if label not in p.ones}) == len(p.out)
    if not scalars or not whole or any(label not in p.out for _, labels in tensors for label in labels):
        return scalars, tensors
    rest = [term for term in tensors if term not in small]
    return [], [*rest, (contract([*scalars, *small], least), least)]


def _lowered_single(p: Product, core: Node, labels: Labels, dtype: np.dtype[Any]) -> Node:
    """Take a diagonal, a sum and a repetition apart."""
    distinct = tuple(dict.fromkeys(labels))
    if len(distinct) < len(labels):
        core = contract([(core, labels)], distinct)
    kept = tuple(label for label in p.out if label not in p.ones)
    return _completed(p, [(contract([(core, distinct)], kept), kept)], dtype)
