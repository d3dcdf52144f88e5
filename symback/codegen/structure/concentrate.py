"""What is zero but for a diagonal stays so: slices, products, masks and reshapes are taken of the diagonal alone.

A Hessian starts from an identity. Where a slice, a mask or a reshape stands between the identity and what it is
multiplied by, the identity would be written out. Here it is not: the slice of a diagonal is a diagonal in a part of
zeros, the product with an array in a part of zeros is a product of parts, and a reshape is done at the end.

Zeros here are no numbers to calculate with, as in `symback.derive.pieces`.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from symback.codegen.structure.alike import entries_of, one_diagonal, place_of, put_together
from symback.codegen.structure.cutting import Entries, cut_of, cut_product, has_axis, part_of_piece, within_all
from symback.codegen.structure.regroup import grouped, regrouped_diagonal
from symback.derive.pieces import among_zeros, at_piece, in_ranges
from symback.graph import rebuild
from symback.nodes.add import Plus, add
from symback.nodes.apply import Apply, Map, Operation
from symback.nodes.classify import is_diagonal
from symback.nodes.contract import Contract, Labels, contract, is_zero
from symback.nodes.leaves import Exact, exact
from symback.nodes.node import METHODS, Node
from symback.nodes.products import full, keep_axes
from symback.nodes.shapes import Shape
from symback.ops.indexing.ranges import APART, Entry

_MOST_TERMS = 16
"""A product of longer sums than this is not distributed over its terms."""


def concentrated(outputs: Sequence[Node]) -> list[Node]:
    """Return the outputs with what is zero but for diagonals computed on these alone."""
    new = concentrate_all(outputs)
    return [new[output] for output in outputs]


def concentrate_all(outputs: Sequence[Node]) -> dict[Node, Node]:
    """Return what each node becomes."""
    pass_ = _Concentration()
    return rebuild(outputs, lambda node, operands: pass_.moved(node.with_operands(operands)))


class _Concentration:
    """The pass. `found` are the nodes that are zero but for diagonals or parts."""

    def __init__(self) -> None:
        self.found: set[Node] = set()

    def moved(self, node: Node) -> Node:
        """Return a node whose operands are done."""
        if is_diagonal(node):
            self.found.add(node)
        if not any(operand in self.found for operand in node.operands):
            return node
        if isinstance(node, Plus):
            whole = all(x in self.found and x.shape == node.shape for x in node.operands)
            return self.total(node.operands) if whole else node
        if isinstance(node, Contract):
            return self._product(node)
        if isinstance(node, Map):
            return self._masked_by(node)
        rule = self._rules().get(node.operation.name) if isinstance(node, Apply) else None
        return node if rule is None else rule(node)

    def _rules(self) -> dict[str, Callable[[Apply], Node]]:
        return {
            "slice_of": self._slice,
            "unslice": lambda node: self.piece(node.operands[0], *node.operation.parameters),
            "reshape_to": self._reshaped,
        }

    def _note(self, node: Node) -> Node:
        self.found.add(node)
        return node

    def total(self, terms: Sequence[Node]) -> Node:
        """Add what is zero but for a part; such a sum has no sums of the kind among its terms."""
        flat: list[Node] = []
        for term in terms:
            opens = isinstance(term, Plus) and term in self.found
            flat += term.operands if opens else [term]
        kept = [term for term in flat if not is_zero(term)] or flat[:1]
        groups: dict[Any, list[Node]] = {}
        for term in kept:
            groups.setdefault(place_of(term) if term in self.found else term, []).append(term)
        made = add(*[x for group in groups.values() for x in (self._alike(group) if len(group) > 1 else group)])
        return self._note(made) if all(term in self.found for term in kept) else made

    def _alike(self, terms: Sequence[Node]) -> Sequence[Node]:
        """Add terms that are zero in the same places: what is in these is added."""
        first = terms[0]
        if isinstance(first, Contract) and is_diagonal(first):
            return [self._note(one_diagonal([term for term in terms if isinstance(term, Contract)]))]
        if isinstance(first, Apply) and first.operation.name == "unslice":
            values = [term.operands[0] for term in terms]
            inner = self.total(values) if all(value in self.found for value in values) else add(*values)
            several = inner.operands if isinstance(inner, Plus) and inner in self.found else (inner,)
            return [self.piece(value, *first.operation.parameters) for value in several]
        return terms

    # -- parts ----------------------------------------------------------------------------------------------------

    def piece(self, value: Node, entries: Entries, shape: Shape) -> Node:
        """Write a value into a part of zeros."""
        if isinstance(value, Plus) and value in self.found:
            return self.total([self.piece(term, entries, shape) for term in value.operands])
        if isinstance(value, Apply) and value.operation.name == "unslice":
            both = within_all(entries, value.operation.parameters[0])
            if both is not None:
                value, entries = value.operands[0], both
        return self._note(among_zeros(value, entries, shape))

    def _slice(self, node: Apply) -> Node:
        part = self.sliced(node.operands[0], node.operation.parameters[0])
        return node if part is None else part

    def sliced(self, node: Node, entries: Entries) -> Node | None:
        """Take ranges; None if it is not known what they leave of a diagonal."""
        if isinstance(node, Plus) and node in self.found:
            parts = [self.sliced(term, entries) for term in node.operands]
            known = [part for part in parts if part is not None]
            return self.total(known) if len(known) == len(parts) else None
        if is_diagonal(node) and isinstance(node, Contract):
            return self._sliced_diagonal(node, entries)
        if node not in self.found:
            return in_ranges(node, entries)
        if isinstance(node, Apply) and node.operation.name == "unslice":
            part = part_of_piece(node, entries)
            return None if part is None else self._note(part)
        return None

    def _sliced_diagonal(self, node: Contract, entries: Entries) -> Node | None:
        """Take ranges of a diagonal: the range of one axis cuts the others that go along with it."""
        parts = node.parts()
        cut: dict[int, Entry] = {}
        outer: list[Entry] = list(entries)
        for label in dict.fromkeys(parts.out):
            axes = [axis for axis, other in enumerate(parts.out) if other == label]
            found = cut_of([entries[axis] for axis in axes])
            if found is APART:
                return full(in_ranges(node, entries).shape, 0, node)
            if found is None:
                return None
            cut[label], left = found
            for axis, entry in zip(axes, left, strict=True):
                outer[axis] = entry
        stays = [axis for axis, entry in enumerate(entries) if entry is None or isinstance(entry, tuple)]
        inner = self.moved(
            cut_product(node, cut, tuple(parts.out[axis] for axis in stays if has_axis(cut, parts.out[axis])))
        )
        return self.piece(inner, tuple(outer[axis] for axis in stays), in_ranges(node, entries).shape)

    # -- products ---------------------------------------------------------------------------------------------------

    def _product(self, node: Contract) -> Node:
        """Multiply by one operand after the other that is zero but for a part."""
        for place, (core, labels) in enumerate(node.parts().cores):
            if core not in self.found:
                continue
            if isinstance(core, Plus):
                made = self._distributed(node, place, core)
            elif isinstance(core, Apply) and core.operation.name == "unslice":
                made = self._on_part(node, core, labels)
            else:
                made = self._before_reshape(node, place)
            if made is not None:
                return made
        return node

    def _distributed(self, node: Contract, place: int, core: Plus) -> Node | None:
        if len(core.operands) > _MOST_TERMS or any(term.shape != core.shape for term in core.operands):
            return None
        parts = node.parts()
        results = []
        for term in core.operands:
            cores = [(term if k == place else other, labels) for k, (other, labels) in enumerate(parts.cores)]
            results.append(self.moved(put_together(node, cores, parts.out)))
        return self.total(results)

    def _on_part(self, node: Contract, core: Apply, labels: Labels) -> Node | None:
        """Multiply on the part alone; what is left out of the result is zero."""
        entries = core.operation.parameters[0]
        cut: dict[int, Entry] = {}
        for label, entry in zip(labels, entries, strict=True):
            if cut.setdefault(label, entry) != entry:
                return None
        parts = node.parts()
        cores: list[tuple[Node, Labels]] = []
        for other, own in parts.cores:
            part = core.operands[0] if other is core and own == labels else self.sliced(other, tuple(map(cut.get, own)))
            if part is None:
                return None
            cores.append((part, tuple(label for label in own if has_axis(cut, label))))
        out = tuple(label for label in parts.out if has_axis(cut, label))
        inner = self.moved(put_together(node, cores, out))
        outer = tuple(map(cut.get, parts.out))
        return inner if all(entry is None for entry in outer) else self.piece(inner, outer, node.shape)

    # -- masks --------------------------------------------------------------------------------------------------------

    def _masked_by(self, node: Map) -> Node:
        """Put a mask, with zeros where it does not hold, to the diagonal alone."""
        if node.operation.name != "where":
            return node
        mask, array, other = node.operands
        for value, zero, place in ((array, other, 1), (other, array, 2)):
            plain = isinstance(zero, Exact) and zero.value == 0
            if plain and value in self.found and (value.shape, value.dtype) == (node.shape, node.dtype):
                made = self._where(mask, value, place)
                return node if made is None else made
        return node

    def _where(self, mask: Node, value: Node, place: int) -> Node | None:
        if isinstance(value, Plus):
            terms = [self._where(mask, term, place) for term in value.operands]
            known = [term for term in terms if term is not None]
            return self.total(known) if len(known) == len(terms) else None
        if isinstance(value, Apply) and value.operation.name == "unslice":
            inner = value.operands[0]
            part = at_piece(mask, value)
            made = self._where(part, inner, place) if inner in self.found else _chosen(part, inner, place)
            return None if made is None else self.piece(made, *value.operation.parameters)
        if not is_diagonal(value) or not isinstance(value, Contract):
            return None
        parts = value.parts()
        distinct = tuple(dict.fromkeys(parts.out))
        lead = len(parts.out) - len(mask.shape)
        labels = [parts.out[lead + k] if size != 1 else -1 - k for k, size in enumerate(mask.shape)]
        present = tuple(label for label in distinct if label in labels)
        along = contract([(mask, tuple(labels))], present)
        missing = [k for k, label in enumerate(distinct) if label not in present]
        along = keep_axes(along, missing) if missing and present else along
        return self.moved(contract([(_chosen(along, entries_of(value), place), distinct)], parts.out))

    # -- shapes -------------------------------------------------------------------------------------------------------

    def _reshaped(self, node: Apply) -> Node:
        """Reshape a sum term by term, and a diagonal so that each new axis is several of its own."""
        value = node.operands[0]
        if isinstance(value, Plus):
            terms = [self.moved(METHODS["reshape"](term, node.shape)) for term in value.operands]
            return self.total(terms) if all(term in self.found for term in terms) else node
        if isinstance(value, Apply) and value.operation.name == "reshape_to":
            return self.moved(METHODS["reshape"](value, node.shape))
        if not isinstance(value, Contract) or not is_diagonal(value):
            return node
        split = regrouped_diagonal(value, node.shape)
        if split is None:
            return node
        return self._note(METHODS["reshape"](self._note(split), node.shape))

    def _before_reshape(self, node: Contract, place: int) -> Node | None:
        """Multiply before a reshape: its axes are taken apart in all operands."""
        reshaped, labels = node.parts().cores[place]
        if not isinstance(reshaped, Apply) or reshaped.operation.name != "reshape_to":
            return None
        value = reshaped.operands[0]
        groups = grouped(value.shape, reshaped.shape)
        if groups is None or len(set(labels)) < len(labels) or any(len(new) != 1 for _, new in groups):
            return None
        fresh = 1 + max(label for _, own in node.parts().cores for label in (*own, *node.parts().out))
        axes: dict[int, tuple[Labels, Shape]] = {}
        for label, (old, _) in zip(labels, groups, strict=True):
            if len(old) != 1:
                axes[label] = tuple(range(fresh, fresh + len(old))), tuple(value.shape[axis] for axis in old)
                fresh += len(old)
        cores = [
            (
                value if k == place else METHODS["reshape"](core, _opened_shape(core.shape, own, axes)),
                _opened(own, axes),
            )
            for k, (core, own) in enumerate(node.parts().cores)
        ]
        parts = node.parts()
        inner = self.moved(put_together(node, cores, _opened(parts.out, axes), opened=axes))
        result: Node = METHODS["reshape"](inner, node.shape)
        return self._note(result) if inner in self.found else result


def _opened(labels: Labels, axes: dict[int, tuple[Labels, Shape]]) -> Labels:
    return tuple(new for label in labels for new in (axes[label][0] if label in axes else (label,)))


def _opened_shape(shape: Shape, labels: Labels, axes: dict[int, tuple[Labels, Shape]]) -> Shape:
    pairs = zip(labels, shape, strict=True)
    return tuple(new for label, size in pairs for new in (axes[label][1] if label in axes else (size,)))


def _chosen(mask: Node, value: Node, place: int) -> Node:
    """Return a value where a mask holds, or where it does not, and 0 elsewhere."""
    number = value.parts() if isinstance(value, Contract) else None
    if number is not None and not number.cores and place == 1 and value.dtype.name == "float64":
        labels = tuple(range(len(mask.shape)))
        made = contract([(exact(Fraction(number.coefficient)), ()), (mask, labels)], labels)
        if (made.shape, made.dtype) == (value.shape, value.dtype):
            return made
    return Map(Operation("where"), *((mask, value, exact(0)) if place == 1 else (mask, exact(0), value)))
