r"""Index notation, for products that have no spelling with matrices: ``[\sum_k A_{ik} B_{kj}]_{ij}``."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from symback.latex.terms import ATOM, POSTFIX, PRODUCT, SUM, Term, joined, said
from symback.nodes.classify import Product
from symback.nodes.node import Node
from symback.nodes.shapes import SizeExpr

_LETTERS = "ijklmpqrsuvw"


class Letters(NamedTuple):
    """The indices of an array in brackets, as they are printed; the index 1 has a single value.

    Attributes:
        entries: The indices of each operand.
        deltas: The pairs of indices that are tied by a Kronecker delta.
        out: The indices of the array, in the order of its axes.
        sizes: The size of what each letter runs over.
    """

    entries: tuple[tuple[str, ...], ...]
    deltas: tuple[tuple[str, str], ...]
    out: tuple[str, ...]
    sizes: tuple[tuple[str, SizeExpr], ...]


class Context(Protocol):
    """What index notation is made from."""

    def operand(self, node: Node) -> Term:
        """Return the text of an operand."""

    def index(self, number: int) -> str:
        """Return the letter of an index."""


def index_letter(number: int, taken: frozenset[str]) -> str:
    """Return the letter of an index that is no name in the graph; with a number when letters run out."""
    letters = [letter for letter in _LETTERS if letter not in taken] or ["i"]
    turn, place = divmod(number, len(letters))
    return letters[place] + (f"_{{{turn}}}" if turn else "")


def indexed(p: Product, context: Context) -> Term:
    """Write a product without its coefficient by the entries of its operands.

    An output label that repeats is a Kronecker delta; a size of 1 has the index 1.
    """
    places, ties = _output_letters(p, context)
    summed: list[str] = []
    sizes = {letter: p.sizes[label] for label, letter in zip(p.out, places, strict=True)}
    names = dict(reversed(list(zip(p.out, places, strict=True))))
    for _, labels in p.cores:
        for label in labels:
            if label not in names:
                names[label] = "1" if p.sizes[label] == 1 else context.index(len(places) + len(summed))
                summed += [names[label]] if p.sizes[label] != 1 else []
                sizes[names[label]] = p.sizes[label]
    terms = [context.operand(core) for core, _ in p.cores]
    found = [tuple(names[label] for label in labels) for _, labels in p.cores]
    deltas = [rf"\delta_{{{_subscript(pair)}}}" for pair in ties]
    text = joined([*deltas, *map(_entry, terms, found)]) or "1"
    letters = Letters(tuple(found), tuple(ties), tuple(places), tuple(sizes.items()))
    meaning = said("indexed", *terms, data=letters)
    if summed:
        text = rf"\sum_{{{','.join(summed)}}} {text}"
    if not places:
        return Term(text, SUM if summed else PRODUCT, meaning=meaning)
    return Term(rf"\left[{text}\right]_{{{_subscript(places)}}}", POSTFIX, meaning=meaning)


def _output_letters(p: Product, context: Context) -> tuple[list[str], list[tuple[str, str]]]:
    """Give each axis of the result a letter; axes that share a label are tied by deltas."""
    letters = ["1" if p.sizes[label] == 1 else context.index(k) for k, label in enumerate(p.out)]
    ties = [
        (letters[p.out.index(label)], letters[k])
        for k, label in enumerate(p.out)
        if p.out.index(label) != k and letters[k] != "1"
    ]
    return letters, ties


def _entry(term: Term, letters: Sequence[str]) -> str:
    if not letters:
        return term.within(POSTFIX)
    base = term.within(ATOM)
    if "_" in base and base == term.signed():
        base = rf"\left({base}\right)"
    return rf"{base}_{{{_subscript(letters)}}}"


def _subscript(letters: Sequence[str]) -> str:
    return ("" if all(len(letter) == 1 for letter in letters) else ",").join(letters)
