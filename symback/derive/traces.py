"""The trace of a Jacobian or Hessian, taken of what the matrix is made of.

The diagonal of a sum is the sum of the diagonals, and that of a product of arrays entry by entry the product of the
diagonals; of any other product, two labels become one. So the matrix is not computed: the trace of
``diag(s) + U.T @ V`` is ``sum(s) + sum(U * V)``. Only at a primitive that mixes entries the diagonal is read off.
"""

from collections.abc import Callable, Sequence
from itertools import count
from typing import NamedTuple

from symback.derive.pieces import among_zeros
from symback.graph import many_allocations
from symback.nodes.add import Plus, add
from symback.nodes.apply import Apply, Map, Named
from symback.nodes.contract import Contract, Labels, contract
from symback.nodes.dtypes import BOOL
from symback.nodes.leaves import Ones, ones_of
from symback.nodes.node import Node
from symback.nodes.products import broadcast_to, full, hadamard
from symback.nodes.shapes import simplify_size
from symback.ops.indexing.ranges import Entry
from symback.ops.indexing.slices import take_ranges, taken


class Request(NamedTuple):
    """The entries of a node along a diagonal: axes with the same label are followed together."""

    node: Node
    labels: Labels

    @property
    def out(self) -> Labels:
        """The labels of the result: each one once."""
        return tuple(dict.fromkeys(self.labels))


class Cut(NamedTuple):
    """What is wanted along an axis: the label, and the range (or the place, of an axis that does not stay)."""

    label: int
    entry: Entry


class Plan(NamedTuple):
    """How a diagonal is made of those of the operands."""

    requests: Sequence[Request]
    build: Callable[[Sequence[Node]], Node]


def trace(node: Node, rank: int) -> Node:
    """Sum the entries at which the first `rank` axes of a node and the last ones have the same indices.

    Args:
        node: Of shape ``shape + shape``, where `shape` has `rank` axes.
        rank: The number of axes of a side.
    """
    labels = tuple(range(rank))
    with many_allocations():
        return _total(diagonal(node, labels + labels))


def _total(node: Node) -> Node:
    """Sum all entries: of a sum term by term, where one is a product that sums already, or zero but for a part."""
    totals: list[Node] = []
    waiting = [node]
    while waiting:
        term = waiting.pop()
        if isinstance(term, Plus) and any(map(_sums_apart, term.operands)):
            waiting += [_spread(part, term) for part in reversed(term.operands)]
        elif isinstance(term, Contract) and _sums_apart(term):
            totals.append(contract(list(zip(term.operands, term.subscripts.inputs, strict=True)), ()))
        elif _sums_apart(term):
            waiting.append(term.operands[0])
        else:
            totals.append(contract([(term, tuple(range(len(term.shape))))], ()))
    return totals[0] if len(totals) == 1 else add(*totals)


def _sums_apart(node: Node) -> bool:
    """Is less summed if this is not computed entry by entry before?"""
    if isinstance(node, Contract):
        return node.subscripts.summed
    return isinstance(node, Apply) and node.operation.name == "unslice"


def _spread(term: Node, whole: Node) -> Node:
    """Repeat a term to the shape of the sum that it stands in."""
    return hadamard(term, ones_of(whole.shape, whole.dtype)) if term.is_weak else broadcast_to(term, whole.shape)


def diagonal(node: Node, labels: Labels) -> Node:
    """Return the entries of a node where axes with the same label have the same index: one axis for each label."""
    root = Request(node, labels)
    found: dict[Request, Node] = {}
    plans: dict[Request, Plan] = {}
    waiting = [root]
    while waiting:
        request = waiting[-1]
        if request not in plans:
            plans[request] = _plan(request)
            waiting += [part for part in plans[request].requests if part not in found]
        else:
            waiting.pop()
            if request not in found:
                plan = plans[request]
                found[request] = plan.build([found[part] for part in plan.requests])
    return found[root]


def _plan(request: Request) -> Plan:
    node, labels = request
    if len(request.out) == len(labels):
        return Plan([], lambda parts: node)
    inner, cut = _behind_slices(node, labels)
    if isinstance(inner, Contract):
        found = _of_product(inner, cut, request)
    elif isinstance(inner, Plus):
        found = _entry_by_entry(inner, cut, request, lambda parts: add(*parts))
    elif isinstance(inner, Map):
        found = _entry_by_entry(inner, cut, request, lambda parts: Map(inner.operation, *parts))
    elif isinstance(inner, Apply) and inner.operation.name == "unslice":
        found = _of_piece(inner, cut, request)
    else:
        found = None
    return found or Plan([], lambda parts: contract([(node, labels)], request.out))


def _behind_slices(node: Node, labels: Labels) -> tuple[Node, list[Cut]]:
    """Return what ranges of are taken, and for each of its axes the label and the range; names are taken off."""
    cut = [Cut(label, None) for label in labels]
    fresh = count(1 + max(labels))
    while True:
        if isinstance(node, Named):
            node = node.operands[0]
        elif isinstance(node, Apply) and node.operation.name == "slice_of":
            entries = node.operation.parameters[0]
            outer = iter(cut)
            combined = [_within(entry, next(outer) if _is_axis(entry) else Cut(next(fresh), None)) for entry in entries]
            if None in combined:
                return node, cut
            node, cut = node.operands[0], [found for found in combined if found is not None]
        else:
            return node, cut


def _within(entry: Entry, cut: Cut) -> Cut | None:
    """Return a range of what an entry takes as a range of the whole axis, None if it is not known."""
    if entry is None:
        return cut
    if cut.entry is None:
        return Cut(cut.label, entry)
    assert isinstance(entry, tuple)
    if not isinstance(cut.entry, tuple):
        return Cut(cut.label, simplify_size(entry[0] + entry[2] * cut.entry))
    start, stop, step = cut.entry
    if entry[2] != 1 or step < 0:
        return None
    return Cut(cut.label, (simplify_size(entry[0] + start), simplify_size(entry[0] + stop), step))


def _is_axis(entry: Entry) -> bool:
    return entry is None or isinstance(entry, tuple)


def _part(node: Node, cut: Sequence[Cut]) -> Request:
    """Return ranges of a node, along the labels of the axes that stay."""
    labels = tuple([label for label, entry in cut if _is_axis(entry)])
    entries = tuple([entry for _, entry in cut])
    if isinstance(node, Ones):
        return Request(ones_of(taken(node.shape, entries), node.dtype), labels)
    return Request(take_ranges(node, entries) if any(entry is not None for entry in entries) else node, labels)


def _entry_by_entry(
    node: Node, cut: Sequence[Cut], request: Request, combine: Callable[[Sequence[Node]], Node]
) -> Plan:
    """The operands broadcast: axes that are repeated along one of the node have labels of their own."""
    rank, fresh = len(node.shape), count(1 + max(label for label, _ in cut))
    requests = []
    for operand in node.operands:
        own = []
        for axis, size in enumerate(operand.shape, rank - len(operand.shape)):
            if size == 1 and node.shape[axis] != 1:
                own.append(Cut(next(fresh), None if _is_axis(cut[axis].entry) else 0))
            else:
                own.append(cut[axis])
        requests.append(_part(operand, own))

    def build(parts: Sequence[Node]) -> Node:
        return combine([_beside(part, one.out, request.out) for part, one in zip(parts, requests, strict=True)])

    return Plan(requests, build)


def _beside(node: Node, own: Labels, out: Labels) -> Node:
    """Bring axes into the order of `out`, with size 1 where the node has no such axis."""
    missing = tuple(label for label in out if label not in own)
    if len(missing) == len(out):
        return contract([(node, own)], ())
    return contract([(node, own), (ones_of((1,) * len(missing), BOOL), missing)], out)


def _of_product(node: Contract, cut: Sequence[Cut], request: Request) -> Plan | None:
    """Labels of the product that stand for one label of the diagonal become one; None if it is not known how."""
    places: dict[int, Cut] = {}
    same: dict[int, int] = {}

    def root(label: int) -> int:
        while label in same:
            label = same[label]
        return label

    for inner, wanted in zip(node.subscripts.out, cut, strict=True):
        label, entry = places.setdefault(inner, wanted)
        if entry != wanted.entry:
            return _nothing(node, request) if label == wanted.label and _never_meet(entry, wanted.entry) else None
        one, other = sorted((root(label), root(wanted.label)))
        if one != other:
            same[other] = one
    fresh = count(1 + max(label for label, _ in cut))
    summed = {inner for labels in node.subscripts.inputs for inner in labels}.difference(places)
    kept = {inner: Cut(root(label), entry) for inner, (label, entry) in places.items()}
    kept |= {inner: Cut(next(fresh), None) for inner in sorted(summed)}
    terms = zip(node.operands, node.subscripts.inputs, strict=True)
    requests = [_part(operand, [kept[inner] for inner in labels]) for operand, labels in terms]
    out = tuple(map(root, request.out))

    def build(parts: Sequence[Node]) -> Node:
        return contract([(part, one.out) for part, one in zip(parts, requests, strict=True)], out)

    return Plan(requests, build)


def _never_meet(one: Entry, other: Entry) -> bool:
    """Do two ranges of the same length and step take different entries at every place?"""
    if not (isinstance(one, tuple) and isinstance(other, tuple)) or one[2] != other[2]:
        return False
    distance = simplify_size(one[0] - other[0])
    return isinstance(distance, int) and distance != 0


def _nothing(node: Node, request: Request) -> Plan:
    sizes = dict(zip(request.labels, request.node.shape, strict=True))
    zeros = full(tuple([sizes[label] for label in request.out]), 0, node)
    return Plan([], lambda parts: zeros)


def _of_piece(node: Apply, cut: Sequence[Cut], request: Request) -> Plan | None:
    """Among zeros: the axes that are followed together are all cut to where the first of them is not zero."""
    if any(entry is not None for _, entry in cut):
        found = take_ranges(node, tuple([entry for _, entry in cut]))
        return None if found is request.node else Plan([Request(found, request.labels)], lambda parts: parts[0])
    entries, shape = node.operation.parameters
    first: dict[int, Entry] = {}
    for label, entry in zip(request.labels, entries, strict=True):
        if first.get(label) is None:
            first[label] = entry
    inside = _part(node, [Cut(label, first[label]) for label in request.labels])
    sizes = dict(zip(request.labels, shape, strict=True))
    wanted, whole = tuple(first[label] for label in request.out), tuple(sizes[label] for label in request.out)
    return Plan([inside], lambda parts: among_zeros(parts[0], wanted, whole))
