"""Contract: every product of tensors, in Einstein notation.

``W @ x`` is ``ij,j->i``, a transpose ``ij->ji``, a sum over an axis ``ij->i``, the Hadamard product
``ij,ij->ij``; the identity matrix is ``i->ii`` of ones. Labels are integers, canonical by first
appearance. At most one exact number stands first, at most one `Ones` last, for labels that only the
output has. An axis of literal size 1 that broadcasts has a label of its own, which is summed.

What is inlined when a Contract is built: coefficients, ones, transposes, diagonals and repeated output
labels of its operands. A product or a sum inside stays a node, so that it can be shared.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import count
from typing import Any, NamedTuple, Self, TypeAlias, cast

import numpy as np

from symback import errors
from symback.nodes.dtypes import promote
from symback.nodes.exact_numbers import fits, plus, sympy_value, times
from symback.nodes.leaves import Exact, ExactValue, Ones, exact, ones_of, size_of
from symback.nodes.node import METHODS, Node, Param
from symback.nodes.repeated import repeated_in_order
from symback.nodes.shapes import Shape, SizeExpr, intern_shape

__all__ = [
    "Contract",
    "Labels",
    "Parts",
    "Subscripts",
    "bounded",
    "canonical_subscripts",
    "contract",
    "is_zero",
    "plus",
    "sympy_value",
    "times",
]

Labels: TypeAlias = tuple[int, ...]


class Subscripts(Param):
    """The labels of a Contract: of each operand, and of the output.

    Attributes:
        distinct: No output label repeats.
        summed: Some label of an operand is not in the output.
        aligned: Every operand has the labels of the output, which are distinct.
        scales: So it is but for a coefficient that stands first, before one operand.
    """

    __slots__ = ("aligned", "distinct", "scales", "summed")
    value: tuple[tuple[Labels, ...], Labels]
    aligned: bool
    distinct: bool
    scales: bool
    summed: bool

    @classmethod
    def _holding(cls, value: tuple[tuple[Labels, ...], Labels]) -> Self:
        made = super()._holding(value)
        inputs, out = value
        made.distinct = len(set(out)) == len(out)
        made.summed = any(label not in out for labels in inputs for label in labels)
        made.aligned = made.distinct and all(labels == out for labels in inputs)
        made.scales = made.distinct and inputs == ((), out)
        return made

    @property
    def inputs(self) -> tuple[Labels, ...]:
        """The labels of the operands."""
        return self.value[0]

    @property
    def out(self) -> Labels:
        """The labels of the output; a label that repeats makes a diagonal."""
        return self.value[1]

    def __str__(self) -> str:
        letters = "ijklmnopqrstuvwxyzabcdefgh"
        name = lambda label: letters[label] if label < len(letters) else f"[{label}]"  # noqa: E731
        return ",".join("".join(map(name, labels)) for labels in self.inputs) + "->" + "".join(map(name, self.out))


class Parts(NamedTuple):
    """A Contract taken apart: coefficient, core operands with labels, labels that are ones, output labels."""

    coefficient: ExactValue
    cores: list[tuple[Node, Labels]]
    ones: Labels
    out: Labels


class Contract(Node):
    """A product of tensors, summed over the labels that the output lacks."""

    __slots__ = ()

    def __new__(cls, subscripts: Subscripts, *operands: Node) -> "Contract":
        """Return the product in its normal form."""
        found = cls.find((subscripts, *operands))
        if found is not None:
            return found
        if [len(labels) for labels in subscripts.inputs] != [len(operand.shape) for operand in operands]:
            raise errors.bad_node("Contract", f"{subscripts} does not fit {len(operands)} operands of these ranks")
        return cast(Contract, contract(list(zip(operands, subscripts.inputs, strict=True)), subscripts.out))

    @property
    def subscripts(self) -> Subscripts:
        """The labels."""
        return cast(Subscripts, self._args[0])

    def parts(self) -> Parts:
        """Take the product apart."""
        subscripts, *operands = cast(tuple[Any, ...], self._args)
        labels = list(subscripts.inputs)
        coefficient: ExactValue = 1
        ones: Labels = ()
        if type(operands[0]) is Exact:
            coefficient = operands.pop(0).value
            labels.pop(0)
        if operands and type(operands[-1]) is Ones:
            operands.pop()
            ones = labels.pop()
        return Parts(coefficient, list(zip(operands, labels, strict=True)), ones, subscripts.out)

    def label_sizes(self) -> dict[int, SizeExpr]:
        """Map each label to its size."""
        pairs = zip(self.operands, self.subscripts.inputs, strict=True)
        return {label: size for node, labels in pairs for label, size in zip(labels, node.shape, strict=True)}

    @property
    def is_core(self) -> bool:
        """Is this a product or a sum that stays a node when it becomes an operand of another Contract?

        A multiple in a small integer dtype stays too: it wraps around where a product in a wider dtype does not.
        """
        args = self._args
        subscripts, first = args[0], args[1]
        if type(first) is Exact:
            return self.dtype.itemsize < 4 and self.dtype.kind != "b"
        if not subscripts.distinct:
            return False
        if len(args) > 2:
            return type(args[-1]) is not Ones
        return type(first) is not Ones and subscripts.summed and not _only_squeezes(first, subscripts)

    @property
    def multiple(self) -> tuple[ExactValue, Node] | None:
        """The coefficient and the operand, if this is a coefficient times one operand of the same dtype."""
        args = self._args
        if type(args[1]) is Exact and args[0].scales and args[2].dtype is self.dtype and type(args[2]) is not Ones:
            return args[1].value, args[2]
        return None


def _only_squeezes(node: Node, subscripts: Subscripts) -> bool:
    return all(
        size == 1 or label in subscripts.out for label, size in zip(subscripts.inputs[0], node.shape, strict=True)
    )


def is_zero(node: Node) -> bool:
    """Is this node written as zero: the number 0 or a product with it?"""
    first = node if type(node) is Exact else node.operands[0] if type(node) is Contract else None
    return type(first) is Exact and type(first.value) is not float and first.value == 0


_canonical: dict[tuple[tuple[Labels, ...], Labels], Subscripts] = {}


def canonical_subscripts(inputs: Iterable[Labels], out: Labels) -> Subscripts:
    """Number the labels in the order of their first appearance."""
    key = (tuple(inputs), out)
    found = _canonical.get(key)
    if found is None:
        numbers: dict[int, int] = {}
        renumbered = tuple(tuple(numbers.setdefault(label, len(numbers)) for label in labels) for labels in key[0])
        found = _canonical[key] = Subscripts((renumbered, tuple(numbers[label] for label in out)))
    return found


def contract(terms: Sequence[tuple[Node, Labels]], out: Labels) -> Node:
    """Multiply the operands and sum over the labels that `out` lacks.

    Every label of `out` belongs to an operand (a `Ones`, if to no other).
    """
    for node, _ in terms:
        kind = type(node)
        if kind is Exact or kind is Ones or (kind is Contract and not cast(Contract, node).is_core):
            return _normalise(terms, out)
    return _assemble(terms, out)


def _assemble(terms: Sequence[tuple[Node, Labels]], out: Labels) -> Node:
    """Make the Contract of operands that need no further normalisation."""
    if len(terms) == 1 and terms[0][1] == out and len(set(out)) == len(out):
        return terms[0][0]
    nodes = [node for node, _ in terms]
    several = len(set(nodes)) < len(nodes)
    subscripts = canonical_subscripts([x for _, x in (repeated_in_order(terms, out) if several else terms)], out)
    found = Contract.find((subscripts, *nodes))
    if found is not None:
        return found
    return Contract.make((subscripts, *nodes), _shape_of(terms, subscripts, out), promote(nodes))


def _shape_of(terms: Sequence[tuple[Node, Labels]], subscripts: Subscripts, out: Labels) -> Shape:
    if subscripts.aligned:
        shape = terms[0][0].shape
        for node, _ in terms:
            if node.shape is not shape:
                break
        else:
            return shape
    sizes = _label_sizes(terms)
    return intern_shape(tuple([sizes[label] for label in out]))


def _label_sizes(terms: Sequence[tuple[Node, Labels]]) -> dict[int, SizeExpr]:
    sizes: dict[int, SizeExpr] = {}
    for node, labels in terms:
        for label, size in zip(labels, node.shape, strict=True):
            known = sizes.setdefault(label, size)
            if known is not size and known != size:
                raise errors.label_mismatch("product", [node for node, _ in terms], known, size)
    return sizes


class _Merging:
    """Labels that turn out to be the same, because an identity ties them together."""

    def __init__(self) -> None:
        self.alias: dict[int, int] = {}

    def find(self, label: int) -> int:
        while label in self.alias:
            label = self.alias[label]
        return label

    def unite(self, one: int, other: int) -> None:
        one, other = self.find(one), self.find(other)
        if one != other:
            self.alias[max(one, other)] = min(one, other)


def _normalise(terms: Sequence[tuple[Node, Labels]], out: Labels) -> Node:
    """Inline what is not a product of its own, merge identities, drop ones and rebuild."""
    _label_sizes(terms)
    fresh = count(1 + max((label for _, labels in terms for label in labels), default=0))
    merging = _Merging()
    coefficient: ExactValue = 1
    cores: list[tuple[Node, Labels]] = []
    ones: list[tuple[int, SizeExpr]] = []
    dtype = promote([node for node, _ in terms])
    for node, _ in terms:
        if type(node) is Exact:
            coefficient = times(coefficient, node.value)
    for node, labels in terms:
        if type(node) is Exact:
            continue
        if type(node) is Ones:
            ones.extend(zip(labels, node.shape, strict=True))
        elif type(node) is Contract and not node.is_core and bounded(coefficient, node):
            parts = node.parts()
            coefficient = times(coefficient, parts.coefficient)
            renamed: dict[int, int] = {}
            for inner, outer in zip(parts.out, labels, strict=True):
                merging.unite(renamed.setdefault(inner, outer), outer)
            sizes = node.label_sizes()
            ones.extend((renamed[label], sizes[label]) for label in parts.ones)
            cores.extend(
                (core, tuple(renamed[label] if label in renamed else next(fresh) for label in inner_labels))
                for core, inner_labels in _split_off_core(parts, node.dtype)
            )
        else:
            cores.append((node, labels))
    merged = [(core, tuple(map(merging.find, labels))) for core, labels in cores]
    free = {merging.find(label): size for label, size in ones}
    weak = all(node.is_weak for node, _ in terms)
    return _finish(coefficient, merged, free, tuple(map(merging.find, out)), dtype, weak)


def bounded(coefficient: ExactValue, node: "Contract") -> bool:
    """May the coefficient of `node` be multiplied into `coefficient`, without leaving the range of its dtype?"""
    first = node._args[1]
    return type(first) is not Exact or fits(times(coefficient, first.value), node.dtype)


def _split_off_core(parts: Parts, dtype: np.dtype[Any]) -> list[tuple[Node, Labels]]:
    """Return the one operand of a transpose or diagonal, or the product as a node of `dtype`, with its labels."""
    if len(parts.cores) == 1:
        node, labels = parts.cores[0]
        if all(size == 1 or label in parts.out for label, size in zip(labels, node.shape, strict=True)):
            return parts.cores
    if not parts.cores:
        return []
    out = tuple(dict.fromkeys(label for label in parts.out if label not in parts.ones))
    return [(_assemble(converted(parts.cores, dtype), out), out)]


def converted(terms: Sequence[tuple[Node, Labels]], dtype: np.dtype[Any]) -> Sequence[tuple[Node, Labels]]:
    """Convert one operand to the dtype of the product, if without its coefficient or ones it had a narrower one."""
    strong = [place for place, (node, _) in enumerate(terms) if not node.is_weak]
    if not strong or promote([terms[place][0] for place in strong]) is dtype:
        return terms
    (node, labels), place = terms[strong[0]], strong[0]
    return [*terms[:place], (METHODS["astype"](node, dtype), labels), *terms[place + 1 :]]


def _finish(
    coefficient: ExactValue,
    cores: list[tuple[Node, Labels]],
    free: dict[int, SizeExpr],
    out: Labels,
    dtype: Any,
    weak: bool,
) -> Node:
    """Put a product together: drop the ones that a core covers, keep the dtype."""
    covered = {label for _, labels in cores for label in labels}
    for label, size in free.items():
        if label not in covered and label not in out:
            if isinstance(size, int):
                coefficient = times(coefficient, size)
            else:
                cores = [*cores, (size_of(size), ())]
    spread = tuple(dict.fromkeys(label for label in out if label not in covered))
    if not cores and not spread and weak:
        return exact(coefficient)
    if dtype.kind in "iu" and not fits(coefficient, dtype):
        raise errors.integer_out_of_range("multiply", coefficient, dtype)
    terms = list(cores)
    if spread or not cores:
        terms.append((ones_of(tuple([free[label] for label in spread]), dtype), spread))
    elif not _keeps_dtype(coefficient, terms, dtype):
        if isinstance(coefficient, int) and _keeps_dtype(Fraction(coefficient, 1), terms, dtype):
            coefficient = Fraction(coefficient, 1)
        else:
            terms[0] = (METHODS["astype"](terms[0][0], dtype), terms[0][1])
    if coefficient != 1 or not _keeps_dtype(1, terms, dtype):
        terms.insert(0, (exact(coefficient), ()))
    return _assemble(terms, out)


def _keeps_dtype(coefficient: ExactValue, terms: list[tuple[Node, Labels]], dtype: Any) -> bool:
    nodes = [node for node, _ in terms]
    counted = nodes if type(coefficient) is int and coefficient == 1 else [exact(coefficient), *nodes]
    return promote(counted) is dtype
