r"""Index notation, for products that have no spelling with matrices: ``[\sum_k A_{ik} B_{kj}]_{ij}``."""

from typing import Protocol

from symback.latex.terms import ATOM, POSTFIX, PRODUCT, SUM, Term, joined
from symback.nodes.classify import Product
from symback.nodes.contract import Labels
from symback.nodes.node import Node

_LETTERS = "ijklmpqrsuvw"


class Context(Protocol):
    """What index notation is made from."""

    def term(self, node: Node) -> Term:
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
    places, deltas = _output_letters(p, context)
    summed: list[str] = []
    names = dict(reversed(list(zip(p.out, places, strict=True))))
    for _, labels in p.cores:
        for label in labels:
            if label not in names:
                names[label] = "1" if p.sizes[label] == 1 else context.index(len(places) + len(summed))
                summed += [names[label]] if p.sizes[label] != 1 else []
    entries = [_entry(context.term(core), labels, names) for core, labels in p.cores]
    text = joined([*deltas, *entries]) or "1"
    if summed:
        text = rf"\sum_{{{','.join(summed)}}} {text}"
    if not places:
        return Term(text, SUM if summed else PRODUCT)
    return Term(rf"\left[{text}\right]_{{{_subscript(places)}}}", POSTFIX)


def _output_letters(p: Product, context: Context) -> tuple[list[str], list[str]]:
    """Give each axis of the result a letter; axes that share a label are tied by deltas."""
    letters = ["1" if p.sizes[label] == 1 else context.index(k) for k, label in enumerate(p.out)]
    deltas = [
        rf"\delta_{{{_subscript([letters[p.out.index(label)], letters[k]])}}}"
        for k, label in enumerate(p.out)
        if p.out.index(label) != k and letters[k] != "1"
    ]
    return letters, deltas


def _entry(term: Term, labels: Labels, names: dict[int, str]) -> str:
    if not labels:
        return term.within(POSTFIX)
    base = term.within(ATOM)
    if "_" in base and base == term.signed():
        base = rf"\left({base}\right)"
    return rf"{base}_{{{_subscript([names[label] for label in labels])}}}"


def _subscript(letters: list[str]) -> str:
    return ("" if all(len(letter) == 1 for letter in letters) else ",").join(letters)
