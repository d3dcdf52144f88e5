"""Results that are returned as what they are made of: from a node to the factors of its terms.

A sum becomes its terms, and a product its factors, multiplied together only where the product takes no more memory than
they do. Terms that are one array each, in the same places, are added up.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import Any, NamedTuple

from symback.codegen.source.text import LETTERS
from symback.codegen.structure.concentrate import concentrated
from symback.nodes.add import Plus, add
from symback.nodes.apply import Apply, unnamed
from symback.nodes.classify import classify
from symback.nodes.contract import Contract, Labels, contract, is_zero
from symback.nodes.leaves import exact, ones_of
from symback.nodes.node import METHODS, Node
from symback.nodes.shapes import NO_HINTS, Hints, Shape, number_of, product, simplify_size
from symback.ops.indexing.ranges import Entry
from symback.ops.numerics.structured import StructuredTensor
from symback.structure import Nested, Packed, leaves_of, refill

_MOST_FACTORS = 8
"""Products of more factors are multiplied: patterns stay short, and the search for what to multiply too."""

Factor = tuple[Node, Labels]


class Term(NamedTuple):
    """A product: its factors, the labels of the result, the sizes of labels, and the part of the array it lies in."""

    factors: list[Factor]
    out: Labels
    entries: tuple[Entry, ...]


def compressed(outputs: Nested, hints: Hints = NO_HINTS) -> Nested:
    """Return each output with two or more axes as a `StructuredTensor` of its factors, the others as they are."""
    return _each_packed(refill(outputs, concentrated(leaves_of(outputs))), hints)


def _each_packed(nested: Nested, hints: Hints) -> Nested:
    if isinstance(nested, dict):
        return {key: _each_packed(item, hints) for key, item in nested.items()}
    if isinstance(nested, (list, tuple)):
        items = [_each_packed(item, hints) for item in nested]
        return tuple(items) if isinstance(nested, tuple) else items
    return _packed(nested, hints) if isinstance(nested, Node) and len(nested.shape) > 1 else nested


def _packed(node: Node, hints: Hints) -> Packed:
    terms = _added(_terms_of(node, hints))
    parts = [factor for term in terms for factor, _ in term.factors]
    texts, count = [], 0
    for number, term in enumerate(terms):
        places = [f"{{{count + k}}}" for k in range(len(term.factors))]
        index = f"{{index{number}}}, " if any(entry is not None for entry in term.entries) else ""
        texts.append(f'({index}"{_pattern(term)}", {", ".join(places)})')
        count += len(places)
    indices = {f"index{number}": _index(term.entries, node.shape) for number, term in enumerate(terms)}
    template = f"StructuredTensor({{shape}}, {', '.join(texts)})"
    return Packed(tuple(parts), template, {"shape": node.shape, **indices}, helpers=(StructuredTensor,))


def _index(entries: tuple[Entry, ...], shape: Shape) -> tuple[Any, ...]:
    """Return the index of a part, without bounds that are those of the array, and without full slices at the end."""
    index: list[Any] = []
    for entry, size in zip(entries, shape, strict=True):
        if isinstance(entry, tuple):
            start, stop, step = entry
            first, last = (0, size) if step > 0 else (simplify_size(size - 1), -1)
            bounds = (None if start == first else start), (None if stop == last else stop)
            index.append(slice(*bounds, None if step == 1 else step))
        else:
            index.append(slice(None) if entry is None else entry)
    while index and index[-1] == slice(None):
        index.pop()
    return tuple(index)


def _pattern(term: Term) -> str:
    """Write a product in einsum's notation, with the letters of the result in their order."""
    letters: dict[int, str] = {}
    for label in (*term.out, *(label for _, labels in term.factors for label in labels)):
        letters.setdefault(label, LETTERS[len(letters)])
    groups = ["".join(letters[label] for label in labels) for _, labels in term.factors]
    return f"{','.join(groups)}->{''.join(letters[label] for label in term.out)}"


# -- terms -----------------------------------------------------------------------------------------------------


def _terms_of(node: Node, hints: Hints) -> list[Term]:
    """Return the terms of a sum, also of one in a part of an array; what is no product is one factor."""
    terms: list[Term] = []
    stack = [(node, (None,) * len(node.shape))]
    while stack:
        current, entries = stack.pop()
        bare = unnamed(current)
        if isinstance(bare, Plus) and all(term.shape == bare.shape for term in bare.operands):
            stack += [(term, entries) for term in reversed(bare.operands)]
        elif isinstance(bare, Apply) and bare.operation.name == "unslice" and set(entries) == {None}:
            stack.append((bare.operands[0], bare.operation.parameters[0]))
        elif isinstance(bare, Contract) and (turned := _turned(bare)) is not None:
            stack.append((turned, entries))
        elif isinstance(bare, Contract):
            terms.append(_product_term(bare, entries, hints))
        else:
            terms.append(_dense(current, entries))
    return terms


def _turned(node: Contract) -> Node | None:
    """Return a multiple or a transpose of a sum as the sum of those of its terms."""
    p = classify(node)
    if p.kind not in ("scale", "transpose") or len(set(p.cores[0][1])) < len(p.out):
        return None
    inner, labels = unnamed(p.cores[0][0]), p.cores[0][1]
    if not isinstance(inner, Plus) or inner.dtype != node.dtype or any(x.shape != inner.shape for x in inner.operands):
        return None
    return add(*[contract([(exact(p.coefficient), ()), (term, labels)], p.out) for term in inner.operands])


def _dense(node: Node, entries: tuple[Entry, ...]) -> Term:
    labels = tuple(range(len(node.shape)))
    return Term([(node, labels)], labels, entries)


def _product_term(node: Contract, entries: tuple[Entry, ...], hints: Hints) -> Term:
    p = classify(node)
    if is_zero(node):
        return Term([(contract([(exact(0), ()), (ones_of((), node.dtype), ())], ()), ())], p.out, entries)
    sizes = {label: number_of(size, hints) for label, size in p.sizes.items()}
    factors = _opened(p.cores, sizes, hints)
    factors = [_plain(core, labels, p.out, sizes) for core, labels in factors]
    factors = [factor for factor in factors if factor[1]] + [factor for factor in factors if not factor[1]]
    while (pair := _to_multiply(factors, p.out, sizes)) is not None:
        factors = _multiplied(factors, pair, p.out)
    ones = ones_of((), node.dtype)
    if not factors:
        factors = [(ones, ())]
    smallest = min(range(len(factors)), key=lambda k: _entries(factors[k][1], sizes))
    core, labels = factors[smallest]
    if p.coefficient != 1 or core.dtype != node.dtype:
        core = contract([(exact(p.coefficient), ()), (core, labels)], labels)
        core = core if core.dtype == node.dtype else METHODS["astype"](core, node.dtype)
        factors[smallest] = (core, labels)
    return Term(factors, p.out, entries)


def _opened(factors: Sequence[Factor], sizes: dict[int, int], hints: Hints) -> list[Factor]:
    """Take products among the factors apart that are larger than what they are made of."""
    found: list[Factor] = []
    stack = list(reversed(factors))
    while stack:
        core, labels = stack.pop()
        bare = unnamed(core)
        if not isinstance(bare, Contract) or bare.dtype != core.dtype:
            found.append((core, labels))
            continue
        p = classify(bare)
        made = sum(number_of(product(inner.shape), hints) for inner, _ in p.cores)
        if p.kind == "embed" or p.ones or p.coefficient != 1 or made >= number_of(product(bare.shape), hints):
            found.append((core, labels))
            continue
        fresh = dict(zip(p.out, labels, strict=True))
        for label in p.sizes:
            if label not in fresh:
                fresh[label] = 1 + max(sizes)
                sizes[fresh[label]] = number_of(p.sizes[label], hints)
        stack += [(inner, tuple(fresh[label] for label in own)) for inner, own in reversed(p.cores)]
    return found


def _plain(core: Node, labels: Labels, out: Labels, sizes: dict[int, int]) -> Factor:
    """Return an operand without axes of size 1 that the result does not have."""
    kept = tuple(label for label in labels if label in out or sizes[label] != 1)
    return (core, labels) if len(kept) == len(labels) else (contract([(core, labels)], kept), kept)


def _entries(labels: Labels, sizes: dict[int, int]) -> int:
    count = 1
    for label in set(labels):
        count *= sizes[label]
    return count


def _kept(pair: Sequence[int], factors: Sequence[Factor], out: Labels) -> Labels:
    """Return the labels that the product of some factors keeps: those of the result and of other factors."""
    others = {label for k, (_, labels) in enumerate(factors) if k not in pair for label in labels}.union(out)
    own = [label for k in pair for label in factors[k][1]]
    return tuple(dict.fromkeys(label for label in own if label in others))


def _to_multiply(factors: Sequence[Factor], out: Labels, sizes: dict[int, int]) -> tuple[int, ...] | None:
    """Return the factors whose product takes the least memory beside theirs, if it takes no more."""
    best: tuple[int, tuple[int, ...]] | None = None
    for k, (_, labels) in enumerate(factors):
        if len(_kept((k,), factors, out)) < len(labels):
            return (k,)
    for pair in combinations(range(len(factors)), 2):
        more = _entries(_kept(pair, factors, out), sizes) - sum(_entries(factors[k][1], sizes) for k in pair)
        if (more <= 0 or len(factors) > _MOST_FACTORS) and (best is None or more < best[0]):
            best = (more, pair)
    return None if best is None else best[1]


def _multiplied(factors: Sequence[Factor], pair: Sequence[int], out: Labels) -> list[Factor]:
    labels = _kept(pair, factors, out)
    made = (contract([factors[k] for k in pair], labels), labels)
    return [made if k == pair[0] else factor for k, factor in enumerate(factors) if k not in pair[1:]]


def _added(terms: Sequence[Term]) -> list[Term]:
    """Add up terms that are one array each with its entries in the same places, and leave out zeros."""
    groups: dict[object, list[Term]] = {}
    for number, term in enumerate(terms):
        groups.setdefault(_places_of(term) or number, []).append(term)
    totals = [_total(group) for group in groups.values()]
    return [term for term in totals if not all(is_zero(factor) for factor, _ in term.factors)] or totals[:1]


def _places_of(term: Term) -> object:
    """Return what tells where the entries of one array go; nothing of a product."""
    (_, labels), *more = term.factors
    if more:
        return None
    order = tuple(dict.fromkeys(term.out))
    places = tuple(map(order.index, term.out))
    return places, frozenset(map(order.index, labels)), term.entries


def _total(terms: Sequence[Term]) -> Term:
    if len(terms) == 1:
        return terms[0]
    turned = []
    for term in terms:
        ((factor, labels),) = term.factors
        order = tuple(label for label in dict.fromkeys(term.out) if label in labels)
        turned.append(contract([(factor, labels)], order))
    first = terms[0]
    labels = tuple(label for label in dict.fromkeys(first.out) if label in first.factors[0][1])
    return first._replace(factors=[(add(*turned), labels)])
