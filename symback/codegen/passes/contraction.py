"""The order in which the operands of a product are multiplied, two at a time.

The order is the cheapest one, counted in operations: by dynamic programming over all subsets of the operands
while they are few, else over those that stand beside one another (the matrix chain), or greedily if that finds
a cheaper one. Among orders of one cost that which the user wrote is taken. A symbolic size counts `GUESS`
unless a hint says how large it is.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache, reduce
from itertools import combinations
from operator import or_
from typing import Any, NamedTuple, TypeAlias

import sympy

from symback import errors
from symback.nodes.contract import Labels, contract
from symback.nodes.node import Node
from symback.nodes.shapes import NO_HINTS, Hints, SizeExpr, integer_of, number_of, size_symbols

Term: TypeAlias = tuple[Node, Labels]

WITHOUT_BLAS = 8
"""What an operation counts for in a product with common axes that stay, which NumPy does not give to BLAS."""

MOST_SUBSETS = 8
"""Up to so many operands all orders are compared."""


def size_hints(operation: str, given: Any, nodes: Iterable[Node]) -> Hints:
    """Return the sizes that the user expects, by name; each must be a symbolic size in the shapes of `nodes`.

    Raises:
        InputError: If a name is that of no size, or a size is no integer from 0.
    """
    if given is None:
        return NO_HINTS
    if not isinstance(given, Mapping):
        raise errors.sizes_no_mapping(operation, given)
    shapes = {node.shape for node in nodes}
    known = {symbol.name for shape in shapes for size in shape for symbol in size_symbols(size)}
    hints = {}
    for key, value in given.items():
        name = key.name if isinstance(key, sympy.Symbol) else key
        number = integer_of(value)
        if not isinstance(name, str) or name not in known:
            raise errors.unknown_size(operation, name, sorted(known))
        if number is None or number < 0:
            raise errors.bad_size_value(operation, name, value)
        hints[name] = number
    return hints


# -- what an order costs ----------------------------------------------------------------------------------

Tree: TypeAlias = Any
"""An operand's position, or a pair of trees whose products are multiplied."""


class Order(NamedTuple):
    """An order of multiplication and its cost at the numbers that sizes count for."""

    cost: int
    tree: Tree


class Chain(NamedTuple):
    """Operands that are multiplied together, without the operands: what their order depends on.

    Attributes:
        masks: For each operand the set of its labels, as bits.
        out: The set of the labels of the result.
        sizes: The size of the label of each bit: what it counts for, or the size itself.
        twins: The pairs of operands whose product is that of a matrix with its own transpose.
    """

    masks: tuple[int, ...]
    out: int
    sizes: tuple[Any, ...]
    twins: frozenset[tuple[int, int]]

    def entries(self, labels: int) -> Any:
        """Multiply the sizes of a set of labels."""
        result: Any = 1
        for bit, size in enumerate(self.sizes):
            if labels >> bit & 1:
                result = result * size
        return result

    def kept(self, subset: int) -> int:
        """Return the labels that the product of a subset of the operands still has."""
        inside = outside = 0
        for position, mask in enumerate(self.masks):
            if subset >> position & 1:
                inside |= mask
            else:
                outside |= mask
        return inside & (outside | self.out)

    def alone(self, position: int) -> Any:
        """Count the sum over the labels that one operand alone has."""
        mask = self.masks[position]
        return self.entries(mask) if self.kept(1 << position) != mask else 0

    def together(self, left: int, right: int) -> Any:
        """Count the product of the products of two subsets: a multiplication and, if it sums, an addition each."""
        a, b, out = self.kept(left), self.kept(right), self.kept(left | right)
        entries = self.entries(a | b)
        if not (a | b) & ~out:
            return entries
        if a & b & out and (a ^ b) & out:
            return 2 * WITHOUT_BLAS * entries
        twins = (left.bit_length() - 1, right.bit_length() - 1) in self.twins
        return entries if twins and left.bit_count() == right.bit_count() == 1 else 2 * entries

    def cost(self, tree: Tree) -> Any:
        """Count all operations of an order."""
        return self._walk(tree)[1]

    def _walk(self, tree: Tree) -> tuple[int, Any]:
        if isinstance(tree, int):
            return 1 << tree, self.alone(tree)
        (left, before), (right, beside) = (self._walk(part) for part in tree)
        return left | right, before + beside + self.together(left, right)


def chain_of(terms: Sequence[Term], out: Labels, number: Callable[[SizeExpr], Any]) -> Chain:
    """Return what the order of a product depends on, each size counted as `number` of it."""
    bits: dict[int, int] = {}
    sizes = []
    for node, labels in terms:
        for label, size in zip(labels, node.shape, strict=True):
            if label not in bits:
                bits[label] = len(bits)
                sizes.append(number(size))
    masks = tuple(reduce(or_, (1 << bits[label] for label in labels), 0) for _, labels in terms)
    kept = reduce(or_, (1 << bits[label] for label in out if label in bits), 0)
    repeats = len({node for node, _ in terms}) < len(terms)
    pairs = combinations(range(len(terms)), 2) if repeats else ()
    return Chain(masks, kept, tuple(sizes), frozenset(pair for pair in pairs if _are_twins(*(terms[k] for k in pair))))


def _are_twins(left: Term, right: Term) -> bool:
    """Are these one matrix twice, with one axis in common, as in A.T @ A and A @ A.T?"""
    same = left[0] is right[0] and len(left[1]) == 2
    return same and sum(a == b for a, b in zip(left[1], right[1], strict=True)) == 1


def best_order(terms: Sequence[Term], out: Labels, hints: Hints, written: Iterable[int] = ()) -> Order:
    """Return the cheapest order of the product of `terms`; of equal ones that whose subsets are most in `written`.

    Args:
        terms: The operands with their labels.
        out: The labels of the result.
        hints: How large symbolic sizes are.
        written: The subsets of operands (as bits) that the user multiplied; if none, from left to right.
    """
    subsets = frozenset(written) or frozenset((1 << k) - 1 for k in range(2, len(terms)))
    return _search(chain_of(terms, out, lambda size: number_of(size, hints)), subsets)


@lru_cache(maxsize=4096)
def _search(chain: Chain, written: frozenset[int]) -> Order:
    count = len(chain.masks)
    if count <= MOST_SUBSETS:
        return _cheapest(chain, written, range(1, 1 << count), _splits)
    runs = [(1 << stop) - (1 << start) for stop in range(1, count + 1) for start in range(stop - 1, -1, -1)]
    found = _cheapest(chain, written, runs, _cuts)
    return min(found, _greedy(chain), key=lambda order: order.cost)


def _cheapest(
    chain: Chain, written: frozenset[int], subsets: Iterable[int], splits: Callable[[int], Iterable[tuple[int, int]]]
) -> Order:
    """Find the cheapest order of each subset from those of its parts, which come before it."""
    best: dict[int, tuple[tuple[int, int, int], Tree]] = {}
    last = 0
    for last in subsets:
        if last.bit_count() == 1:
            position = last.bit_length() - 1
            best[last] = (chain.alone(position), 0, 0), position
            continue
        own = (0, last not in written, chain.entries(chain.kept(last)))
        choices = []
        for left, right in splits(last):
            costs = (best[left][0], best[right][0], own, (chain.together(left, right), 0, 0))
            choices.append(((sum(c[0] for c in costs), sum(c[1] for c in costs), sum(c[2] for c in costs)), left))
        cost, left = min(choices)
        best[last] = cost, (best[left][1], best[last ^ left][1])
    return Order(best[last][0][0], best[last][1])


def _splits(subset: int) -> Iterable[tuple[int, int]]:
    """Yield the ways to part a subset in two; the first has the first operand."""
    first = subset & -subset
    rest = subset ^ first
    right = rest
    while right:
        yield subset ^ right, right
        right = (right - 1) & rest


def _cuts(subset: int) -> Iterable[tuple[int, int]]:
    """Yield the ways to cut a run of operands in two."""
    start, stop = (subset & -subset).bit_length(), subset.bit_length()
    for cut in range(start, stop):
        left = subset & ((1 << cut) - 1)
        yield left, subset ^ left


def _greedy(chain: Chain) -> Order:
    """Multiply again and again the two whose product is smallest, beside what goes into it."""
    parts: list[tuple[int, Tree]] = [(1 << k, k) for k in range(len(chain.masks))]

    def growth(pair: tuple[int, int]) -> tuple[int, int]:
        left, right = (parts[k][0] for k in pair)
        before = chain.entries(chain.kept(left)) + chain.entries(chain.kept(right))
        return chain.entries(chain.kept(left | right)) - before, chain.together(left, right)

    while len(parts) > 1:
        i, j = min(combinations(range(len(parts)), 2), key=growth)
        joined = parts[i][0] | parts[j][0], (parts[i][1], parts[j][1])
        parts = [*parts[:i], joined, *parts[i + 1 : j], *parts[j + 1 :]]
    return Order(chain.cost(parts[0][1]), parts[0][1])


# -- multiplying in an order ------------------------------------------------------------------------------


def multiplied_in_order(terms: Sequence[Term], out: Labels, tree: Tree) -> Term:
    """Multiply operands in the order of a tree, into a product with the labels `out`, which operands have.

    Each factor has its axes as the next product wants them: those of a matrix product stand from left to right.
    """
    if isinstance(tree, int):
        return terms[tree]
    left, right = (_labels_in(terms, part) for part in tree)
    orders = _wanted(left & (right | set(out)), right & (left | set(out)), out)
    factors = [multiplied_in_order(terms, order, part) for part, order in zip(tree, orders, strict=True)]
    if sorted(len(labels) for _, labels in factors) == [1, 2] and _last(tree[0]) > _last(tree[1]):
        factors.reverse()  # A @ x or x @ A, as the user wrote
    return pair_product(factors[0], factors[1], out)


def _labels_in(terms: Sequence[Term], tree: Tree) -> set[int]:
    return set(terms[tree][1]) if isinstance(tree, int) else set().union(*(_labels_in(terms, part) for part in tree))


def _last(tree: Tree) -> int:
    return tree if isinstance(tree, int) else max(map(_last, tree))


def _wanted(left: set[int], right: set[int], out: Labels) -> tuple[Labels, Labels]:
    """Return the order of axes of two factors: common ones that stay, rows, summed; summed, columns."""
    batch = [label for label in out if label in left and label in right]
    summed = sorted((left & right) - set(out))
    rows = [label for label in out if label in left and label not in right]
    columns = [label for label in out if label in right and label not in left]
    if rows and columns and out.index(columns[0]) < out.index(rows[0]):
        return (*batch, *summed, *rows), (*batch, *columns, *summed)
    return (*batch, *rows, *summed), (*batch, *summed, *columns)


def pair_product(left: Term, right: Term, out: Labels) -> Term:
    """Multiply two operands and keep the labels `out`."""
    summed = [label for label in left[1] if label in right[1] and label not in out]
    summed = [label for label in summed if left[0].shape[left[1].index(label)] != 1]
    batch = [label for label in out if label in left[1] and label in right[1]]
    free = [label for label in out if (label in left[1]) != (label in right[1])]
    if summed and batch and not free:
        longer, shorter = (left, right) if len(left[1]) >= len(right[1]) else (right, left)
        axes = tuple(label for label in dict.fromkeys((*longer[1], *shorter[1])) if label in out or label in summed)
        return contract([(contract([left, right], axes), axes)], out), out
    return contract([left, right], out), out
