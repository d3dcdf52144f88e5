"""What ranges leave of a diagonal: of its axes that go along with one another, and of the operands it is made of."""

from collections.abc import Sequence

from symback.derive.pieces import among_zeros, in_ranges
from symback.nodes.apply import Apply
from symback.nodes.contract import Contract, Labels, contract
from symback.nodes.leaves import Ones, ones_of
from symback.nodes.node import Node
from symback.nodes.products import full
from symback.nodes.shapes import simplify_size
from symback.ops.indexing.ranges import APART, Entry, meet

Entries = tuple[Entry, ...]


def has_axis(cut: dict[int, Entry], label: int) -> bool:
    """Is an axis left of what is cut, which an integer leaves none of?"""
    entry = cut.get(label)
    return entry is None or isinstance(entry, tuple)


def cut_product(node: Contract, cut: dict[int, Entry], out: Labels) -> Node:
    """Return the product of what ranges leave of its operands."""
    terms: list[tuple[Node, Labels]] = []
    for operand, labels in zip(node.operands, node.subscripts.inputs, strict=True):
        entries = tuple(map(cut.get, labels))
        kept = tuple(label for label in labels if has_axis(cut, label))
        if isinstance(operand, Ones):
            terms.append((ones_of(in_ranges(operand, entries).shape, operand.dtype), kept))
        else:
            terms.append((in_ranges(operand, entries), kept))
    return contract(terms, out)


def cut_of(entries: Sequence[Entry]) -> tuple[Entry, list[Entry]] | None:
    """Return what the ranges of axes with one label leave of it, and where that lies in each; APART if nothing."""
    given = list(dict.fromkeys(entry for entry in entries if entry is not None))
    if len(given) == 1:
        whole = None not in entries
        return given[0], [None if whole or entry is not None else given[0] for entry in entries]
    if not given:
        return None, [None] * len(entries)
    if len(entries) != 2:
        return None
    found = meet(entries[0], entries[1])
    if found is APART or found is None:
        return APART if found is APART else None
    both = _within(entries[0], found[0]) if found[0] is not None else entries[0]
    return None if both is APART else (both, list(found))


def within_all(outer: Entries, inner: Entries) -> Entries | None:
    """Return the entries of a part of a part; `inner` has none where `outer` leaves no axis. None if not known."""
    left = iter(inner)
    found = tuple(_within(entry, next(left)) if entry is None or isinstance(entry, tuple) else entry for entry in outer)
    return None if any(entry is APART for entry in found) else found


def _within(outer: Entry, inner: Entry) -> Entry:
    """Return an entry that is counted in a range, counted from the start of the axis; APART if the range has gaps."""
    if outer is None or inner is None:
        return inner if outer is None else outer
    start, _, step = outer  # type: ignore[misc]
    if step != 1:
        return APART
    if not isinstance(inner, tuple):
        return simplify_size(start + inner)
    return simplify_size(start + inner[0]), simplify_size(start + inner[1]), inner[2]


def part_of_piece(node: Apply, entries: Entries) -> Node | None:
    """Take ranges of a value in a part of zeros: what they meet of it; None if it is not known how they lie."""
    own: Entries = node.operation.parameters[0]
    meets = [meet(entry, wanted) for entry, wanted in zip(own, entries, strict=True)]
    shape = in_ranges(node, entries).shape
    if APART in meets:
        return full(shape, 0, node)
    if None in meets:
        return None
    inner = tuple(found[0] for found, entry in zip(meets, own, strict=True) if _is_range(entry))
    outer = tuple(found[1] for found, entry in zip(meets, entries, strict=True) if _is_range(entry))
    return among_zeros(in_ranges(node.operands[0], inner), outer, shape)


def _is_range(entry: Entry) -> bool:
    return entry is None or isinstance(entry, tuple)
