r"""The entries of a node at given indices: ``\sum_k A_{ik} B_{kj}`` for a product, at the indices i and j.

Names are not opened. A product is the product of entries, summed over the labels that its output lacks, with a
Kronecker delta for a label that its output repeats; sums and elementwise functions broadcast: an operand with fewer
axes leaves indices away, an axis of size 1 has the index 1. Slices and the like move indices. What has no usual form by
components is written as a matrix with indices.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import count

from symback.derivation.components.formulas import (
    ONE,
    Index,
    Indices,
    Shifted,
    at_most,
    delta,
    entry,
    holds,
    is_zero,
    number,
    plus,
    summed,
    times,
)
from symback.graph import toposort
from symback.latex.meaning import Meaning
from symback.latex.terms import ATOM, POSTFIX, Term
from symback.nodes.add import Plus
from symback.nodes.apply import Apply, Map, Named
from symback.nodes.classify import is_diagonal
from symback.nodes.contract import Contract
from symback.nodes.labels import Label
from symback.nodes.leaves import Constant, Exact, Ones, Size, Variable, exact, variable
from symback.nodes.node import METHODS, Node
from symback.nodes.shapes import Shape, SizeExpr, simplify_size

_MOST_NODES = 60
_HIGHEST_POWER = 8


class Entries:
    """Writes entries of the nodes of one graph.

    Args:
        matrix: Writes what a node is made of in matrix notation.
        names: The named node of each expression that has a name.
        adjoints: The quantity that each name of an adjoint belongs to.
        slopes: The function at its argument that each symbol of a slope stands for.

    Attributes:
        held: Further nodes that are not opened.
        spelled_out: Are expressions that have a name opened where they stand without it?
        closed: Was every array that holds an identity written by its entries, since this was last set?
    """

    def __init__(
        self,
        matrix: Callable[[Node], Term],
        names: Mapping[Node, Named] | None = None,
        adjoints: Mapping[Label, Node] | None = None,
        slopes: Mapping[Variable, Map] | None = None,
    ) -> None:
        self.names = dict(names or {})
        self.adjoints = dict(adjoints or {})
        self.slopes = dict(slopes or {})
        self.held: frozenset[Node] = frozenset()
        self.spelled_out = False
        self.closed = True
        self._matrix = matrix
        self._fresh: Iterator[int] = count()
        self._weights: dict[Node, int] = {}
        self._wholes: dict[Node, Term] = {}

    def bound(self) -> str:
        """Return a letter that nothing else has; `renamed` in `formulas` gives it its name in print."""
        return f"#{next(self._fresh)}"

    def by_name(self, node: Node) -> bool:
        """Is this node printed by a name?"""
        named = node in self.names and not self.spelled_out
        return named or isinstance(node, (Named, Variable)) or node in self.held

    def of(self, node: Node, indices: Indices) -> Meaning:
        """Write the entry of a node; a name is not opened."""
        indices = at_ones(node, indices)
        if isinstance(node, Named) and node.label in self.adjoints:
            return entry(Meaning("adjoint", data=self.adjoints[node.label]), indices)
        if isinstance(node, Variable) and node in self.slopes:
            return self.slope(self.slopes[node], indices)
        if self.by_name(node):
            return entry(Meaning("value", data=self.names.get(node, node)), indices)
        return self.opened(node, indices)

    def slope(self, node: Map, indices: Indices) -> Meaning:
        """Write the derivative of a function of one argument at an entry of its argument."""
        return Meaning("slope", (self.broadcast(node.operands[0], indices),), node)

    def opened(self, node: Node, indices: Indices) -> Meaning:
        """Write the entry of what a node is made of."""
        node, indices = (node.operands[0], indices) if isinstance(node, Named) else (node, indices)
        indices = at_ones(node, indices)
        if isinstance(node, (Named, Variable)):
            return self.of(node, indices)
        if self.is_long(node):
            return self._whole(node, indices)
        if isinstance(node, Contract):
            return self._product(node, indices)
        if isinstance(node, Plus):
            return plus(self.broadcast(operand, indices) for operand in node.operands)
        if isinstance(node, Map):
            return self._map(node, indices)
        if isinstance(node, Apply):
            write = _COMPONENTS.get(node.operation.name)
            made = write(self, node, indices) if write else None
            return self._whole(node, indices) if made is None else made
        return self._leaf(node, indices)

    def is_long(self, node: Node) -> bool:
        """Is what a node is made of too long to be written by its entries?"""
        return self._weight(node.operands[0] if isinstance(node, Named) else node) > _MOST_NODES

    def _weight(self, root: Node) -> int:
        """Count what is printed of a node, each part as often as it is used."""
        known = self._weights
        for node in toposort([root], stops=_Closed(root, self)):
            if node not in known:
                inner = () if node is not root and self.by_name(node) else node.operands
                known[node] = min(1 + sum(known[operand] for operand in inner), _MOST_NODES + 1)
        return known[root]

    def broadcast(self, operand: Node, indices: Indices) -> Meaning:
        """Write the entry of an operand that is broadcast."""
        return self.of(operand, indices[len(indices) - len(operand.shape) :])

    def _product(self, node: Contract, out: Indices) -> Meaning:
        p, sizes = node.parts(), node.label_sizes()
        places: dict[int, Index] = {}
        factors = [number(p.coefficient)]
        for label, index in zip(p.out, out, strict=True):
            factors.append(delta(places[label], index, sizes[label]) if label in places else ONE)
            places.setdefault(label, index)
        letters: list[tuple[str, SizeExpr]] = []
        for label in (label for _, labels in p.cores for label in labels):
            if label not in places and sizes[label] == 1:
                places[label] = 0
            elif label not in places:
                letter = self.bound()
                places[label] = letter
                letters.append((letter, sizes[label]))
        alike: dict[tuple[Node, Indices], Meaning] = {}
        for core, labels in p.cores:
            at = tuple(places[label] for label in labels)
            factor = alike.get((core, at)) or self.of(core, at)
            if factor.op == "plus":  # twice the same is a square; a sum over indices needs letters of its own
                alike[core, at] = factor
            factors.append(factor)
        return summed(times(factors), tuple(letters))

    def _map(self, node: Map, indices: Indices) -> Meaning:
        parts = [self.broadcast(operand, indices) for operand in node.operands]
        name = node.operation.name
        if name == "where" and (is_zero(parts[2]) or any(holds(part, "delta") for part in parts)):
            condition = Meaning("bracket", (parts[0],))
            otherwise = plus([ONE, times([number(-1), condition])])
            return plus([times([condition, parts[1]]), times([otherwise, parts[2]])])
        if name == "divide" and holds(parts[0], "delta"):
            return times([parts[0], Meaning("map", (ONE, parts[1]), _DIVIDE)])
        if name == "power" and (exponent := _small_power(node.operands[1])):
            return times([Meaning("power", (parts[0],), exponent)])
        return Meaning("map", tuple(parts), node)

    def _whole(self, node: Node, indices: Indices) -> Meaning:
        """Write a node in matrix notation, with indices behind it."""
        if any(is_diagonal(part) for part in toposort([node], stops=_Closed(node, self))):
            self.closed = False
        if node not in self._wholes:
            self._wholes[node] = self._matrix(node)
        term = self._wholes[node]
        base = term.says() or Meaning("unknown")
        text = before_indices(term) if indices else term.within(POSTFIX)
        return entry(base, indices, text, node.shape)

    def _leaf(self, node: Node, indices: Indices) -> Meaning:
        if isinstance(node, Exact):
            return number(node.value)
        if isinstance(node, Ones):
            return ONE
        if isinstance(node, Size):
            return Meaning("size", data=node.size)
        if isinstance(node, Constant) and not node.shape and node.dtype.kind != "b":
            return number(exact(node.array.item()).value)
        return self._whole(node, indices)


def before_indices(term: Term) -> str:
    """Return a formula of matrix notation as it stands before indices."""
    encloses = term.level == POSTFIX and term.text.endswith(r"\right)") and not term.negative
    return term.signed() if encloses else term.within(ATOM)


def at_ones(node: Node, indices: Indices) -> Indices:
    """Put the one place of an axis of size 1 in the place of its index."""
    return tuple(0 if size == 1 else index for size, index in zip(node.shape, indices, strict=True))


def _small_power(node: Node) -> int | None:
    """Return a whole exponent that products can be counted by."""
    value = node.value if isinstance(node, Exact) else None
    return int(value) if value is not None and value in range(2, _HIGHEST_POWER + 1) else None


class _Closed:
    """Stops a walk at what is printed by a name, but for the node it starts from."""

    def __init__(self, root: Node, entries: Entries) -> None:
        self._root, self._entries = root, entries

    def __contains__(self, node: object) -> bool:
        return node is not self._root and self._entries.by_name(node)  # type: ignore[arg-type]


# -- primitives that move indices, one each ------------------------------------------------------------------------


def _cast(entries: Entries, node: Apply, indices: Indices) -> Meaning | None:
    """Conversions between floats, and of integers to floats, change no value."""
    return entries.of(node.operands[0], indices) if node.dtype.kind == "f" else None


def _slice(entries: Entries, node: Apply, indices: Indices) -> Meaning:
    return entries.of(node.operands[0], _places(node.operation.parameters[0], list(indices), node.operands[0].shape))


def _places(given: tuple[object, ...], indices: list[Index], shape: Shape) -> Indices:
    """Return where in an array of this shape the entry of a slice lies."""
    found: list[Index] = []
    for item, size in zip(given, shape, strict=True):
        if item is None or item == (0, size, 1):
            found.append(indices.pop(0))
        elif isinstance(item, tuple):
            found.append(moved(indices.pop(0), item[2], item[0]))
        else:
            found.append(moved(0, 1, item))
    return tuple(found)


def moved(index: Index, scale: int, offset: SizeExpr) -> Index:
    """Return the place ``scale * index + offset``."""
    if isinstance(index, int):
        place = simplify_size(scale * index + offset)
        return place if isinstance(place, int) else Shifted("", 0, place)
    if isinstance(index, Shifted):
        return Shifted(index.letter, scale * index.scale, simplify_size(scale * index.offset + offset))
    return Shifted(index, scale, offset)  # by 0 too: a letter alone takes every place of an axis


def _embedded(entries: Entries, node: Apply, indices: Indices) -> Meaning:
    """Zeros but for a part: a sum over the part, with a delta for each axis."""
    given, shape = node.operation.parameters
    (inner,) = node.operands
    letters: list[Index] = []
    bound: list[tuple[str, SizeExpr]] = []
    for item, index in zip(given, indices, strict=True):
        if item is None:
            letters.append(index)
        elif isinstance(item, tuple):
            size = inner.shape[len(letters)]
            letter = entries.bound()
            bound += [(letter, size)] if size != 1 else []
            letters.append(letter if size != 1 else 0)
    deltas = [
        delta(index, place, size)
        for item, index, place, size in zip(given, indices, _places(given, list(letters), shape), shape, strict=True)
        if item is not None
    ]
    return summed(times([*deltas, entries.of(inner, tuple(letters))]), tuple(bound))


def _flipped(entries: Entries, node: Apply, indices: Indices) -> Meaning:
    (axes,) = node.operation.parameters
    places = list(indices)
    for axis in axes:
        places[axis] = moved(places[axis], -1, simplify_size(node.shape[axis] - 1))
    return entries.of(node.operands[0], tuple(places))


def _running_sum(entries: Entries, node: Apply, indices: Indices) -> Meaning:
    (axis,) = node.operation.parameters
    letter, places = entries.bound(), list(indices)
    order = at_most(letter, places[axis])
    places[axis] = letter
    return summed(times([entries.of(node.operands[0], tuple(places)), order]), ((letter, node.shape[axis]),))


def _summed_over(entries: Entries, node: Apply, indices: Indices, write: Callable[[Indices], Meaning]) -> Meaning:
    """Sum over the axes that a reduction is over; `indices` are those of its operand, at any letters there."""
    (x,), (axes,) = node.operands, node.operation.parameters
    places, bound = list(indices), []
    for axis in axes:
        if x.shape[axis] != 1:
            places[axis] = entries.bound()
            bound.append((str(places[axis]), x.shape[axis]))
    return summed(write(tuple(places)), tuple(bound))


def _softmax(entries: Entries, node: Apply, indices: Indices) -> Meaning:
    (x,) = node.operands

    def exponential(places: Indices) -> Meaning:
        return Meaning("map", (entries.of(x, places),), _EXP)

    total = _summed_over(entries, node, indices, exponential)
    return Meaning("map", (exponential(indices), total), _DIVIDE)


def _logsumexp(entries: Entries, node: Apply, indices: Indices) -> Meaning:
    (x,), (axes,) = node.operands, node.operation.parameters
    kept = iter(indices)
    closed = {axis % len(x.shape) for axis in axes}
    places = tuple(0 if axis in closed else next(kept) for axis in range(len(x.shape)))
    total = _summed_over(entries, node, places, lambda at: Meaning("map", (entries.of(x, at),), _EXP))
    return Meaning("map", (total,), _LOG)


_X, _Y = variable("x"), variable("y")
_EXP, _LOG, _DIVIDE = METHODS["exp"](_X), METHODS["log"](_X), METHODS["divide"](_X, _Y)

_COMPONENTS: dict[str, Callable[[Entries, Apply, Indices], Meaning | None]] = {
    "astype": _cast,
    "slice_of": _slice,
    "unslice": _embedded,
    "flip_along": _flipped,
    "cumsum_along": _running_sum,
    "softmax_over": _softmax,
    "logsumexp_over": _logsumexp,
}
"""The entry of a primitive that has a usual form by components."""
