r"""Labelled meanings as LaTeX: ``\sum_{k} \frac{\partial L}{\partial (z_{2})_{k}} \delta_{ki} (a_{1})_{j}``."""

from collections.abc import Callable, Collection
from typing import Any, Protocol

from symback.derivation.components.entries import before_indices
from symback.derivation.components.formulas import Index, Indices, Shifted
from symback.latex.functions import derivative_term, function_term
from symback.latex.meaning import Meaning
from symback.latex.terms import (
    ATOM,
    HADAMARD,
    POSTFIX,
    PRODUCT,
    RELATION,
    SUM,
    Term,
    added,
    joined,
    number_term,
    scaled,
    size_term,
)
from symback.nodes.apply import Apply, Named
from symback.nodes.labels import Label
from symback.nodes.leaves import Exact, Variable, variable
from symback.nodes.looks import latex_size
from symback.nodes.node import Node
from symback.nodes.shapes import SizeExpr, simplify_size
from symback.op.table import primitive_of

_OF_CONDITIONS = frozenset({"where", "logical_and", "logical_or", "logical_not", "logical_xor"})


class Symbols(Protocol):
    """The symbols of adjoints: see `symback.derivation.adjoints.AdjointLooks`."""

    @property
    def loss(self) -> Node:
        """What is differentiated."""

    @property
    def top(self) -> str:
        """The look of the loss."""

    def leibniz(self, look: str) -> str:
        """Return the derivative of the loss by something, as a fraction."""

    def symbol(self, node: Node, look: str) -> str:
        """Return the symbol for the derivative of the loss by a node that looks like this."""


class Components:
    """Writes labelled meanings with the looks of one derivation.

    Args:
        looks: The symbols of adjoints.
        matrix: Writes a node that has no name in matrix notation.
        look_of: Returns the look of a name.
        taken: The looks of all names.
    """

    def __init__(
        self,
        looks: Symbols,
        matrix: Callable[[Node], Term],
        look_of: Callable[[Label], str],
        taken: Collection[str] = (),
    ) -> None:
        self._looks = looks
        self._taken = taken
        self._matrix = matrix
        self._look_of = look_of

    def term(self, meaning: Meaning) -> Term:
        """Write a labelled meaning."""
        write: Callable[[Meaning], Term] = getattr(self, f"_{meaning.op}")
        return write(meaning)

    def look(self, node: Node) -> str:
        """Return the look of a quantity before an index."""
        if isinstance(node, (Named, Variable)):
            return self._look_of(node.label)
        return self._looks.top if node is self._looks.loss else before_indices(self._matrix(node))

    # -- entries --------------------------------------------------------------------------------

    def _entry(self, meaning: Meaning) -> Term:
        (base,), (indices, text, _) = meaning.parts, meaning.data
        if text is not None:
            enclosed = text.endswith(r"\right)")
            return Term(text + _subscript(indices) if enclosed else indexed(text, indices), POSTFIX)
        if base.op == "value":
            look = indexed(self.look(base.data), indices)
            return Term(look, POSTFIX if _is_raised(look) else ATOM)
        write: Callable[[Any, Indices], Term] = getattr(self, f"_entry_of_{base.op}")
        return write(base.data, indices)

    def _entry_of_adjoint(self, node: Node, indices: Indices) -> Term:
        look = self.look(node)
        symbol = self._looks.symbol(node, look)
        if symbol == self._looks.leibniz(look):
            return Term(self._looks.leibniz(indexed(look, indices)), POSTFIX)
        return Term(indexed(symbol, indices), POSTFIX if _is_raised(symbol) else ATOM)

    def _entry_of_partial(self, pair: tuple[Node, Node], indices: Indices) -> Term:
        of, by = pair
        rank = len(of.shape)
        top, bottom = indexed(self.look(of), indices[:rank]), indexed(self.look(by), indices[rank:])
        text = rf"\frac{{\partial {top}}}{{\partial {bottom}}}"
        if of is self._looks.loss:
            text = rf"\left.{text}\right|_{{\text{{direct}}}}"
        return Term(text, POSTFIX)

    def _slope(self, meaning: Meaning) -> Term:
        found = derivative_term(primitive_of(meaning.data), self.term(meaning.parts[0]))
        assert found is not None, meaning.data
        return found

    def _by_entry(self, meaning: Meaning) -> Term:
        node, indices = meaning.data
        below = rf"\frac{{\partial}}{{\partial {indexed(self.look(node), indices)}}}"
        return Term(f"{below} {self.term(meaning.parts[0]).within(POSTFIX)}", PRODUCT)

    # -- operations -----------------------------------------------------------------------------

    def _number(self, meaning: Meaning) -> Term:
        return number_term(meaning.data)

    def _size(self, meaning: Meaning) -> Term:
        return size_term(meaning.data)

    def _delta(self, meaning: Meaning) -> Term:
        return Term(rf"\delta{_subscript(meaning.data[:2])}", ATOM)

    def _at_most(self, meaning: Meaning) -> Term:
        one, other = (_index_text(index) for index in meaning.data)
        return Term(rf"{one} \leq {other}", RELATION)

    def _bracket(self, meaning: Meaning) -> Term:
        return Term(rf"\left[{self.term(meaning.parts[0]).signed()}\right]", ATOM)

    def _sum(self, meaning: Meaning) -> Term:
        letters = ",".join(letter for letter, _ in meaning.data)
        return Term(rf"\sum_{{{letters}}} {self.term(meaning.parts[0]).within(HADAMARD)}", SUM)

    def _times(self, meaning: Meaning) -> Term:
        factors = list(meaning.parts)
        number = factors.pop(0).data if factors[0].op == "number" else 1
        terms = [self.term(factor) for factor in factors]
        negative = sum(term.negative and term.level >= PRODUCT for term in terms) % 2 == 1
        texts = [(term.bare() if term.level >= PRODUCT else term).within(PRODUCT) for term in terms]
        if factors[-1].op == "sum":
            texts[-1] = terms[-1].text
        return scaled(number, Term(joined(texts), PRODUCT, negative))

    def _plus(self, meaning: Meaning) -> Term:
        return added([self.term(part) for part in meaning.parts])

    def _power(self, meaning: Meaning) -> Term:
        return Term(rf"{self.term(meaning.parts[0]).within(ATOM)}^{{{meaning.data}}}", POSTFIX)

    def _map(self, meaning: Meaning) -> Term:
        terms = [self.term(part) for part in meaning.parts]
        if meaning.data.operation.name not in _OF_CONDITIONS:
            terms = [Term(term.within(SUM), ATOM) if term.level == RELATION else term for term in terms]
        return function_term(of_scalars(meaning.data), terms, self._taken)


def of_scalars(node: Apply) -> Apply:
    """Return the same elementwise function of scalars."""
    operands = [
        operand if isinstance(operand, Exact) else variable("x", (), operand.dtype.name) for operand in node.operands
    ]
    made: Apply = node.func(node.operation, *operands)
    return made


def indexed(look: str, indices: Indices) -> str:
    r"""Put indices at a look: ``(W_{2})_{ij}``, ``\phi^{3}_{j}``, ``x_{i+1}``."""
    if not indices:
        return look
    outside = _outside(look)
    enclosed = outside.startswith(r"\left(") and outside.endswith(r"\right)")
    plain = enclosed or ("_" not in outside and not any(sign in outside for sign in "+-=<>"))
    return (look if plain else f"({look})") + _subscript(indices)


def _is_raised(look: str) -> bool:
    """Has a look an exponent or a prime, so that it cannot take another?"""
    return "^" in look or "'" in look


def _outside(look: str) -> str:
    """Return what stands outside of braces."""
    found, depth = "", 0
    for sign in look:
        depth += (sign == "{") - (sign == "}")
        found += sign if depth == 0 else ""
    return found


def _subscript(indices: Indices) -> str:
    if not indices:
        return ""
    texts = [_index_text(index) for index in indices]
    separator = "" if all(len(text) == 1 for text in texts) else ","
    return f"_{{{separator.join(texts)}}}"


def _index_text(index: Index) -> str:
    """Write an index, counted from 1."""
    if isinstance(index, str):
        return index
    if isinstance(index, int):
        return str(index + 1)
    letter, scale, offset = index
    shift = simplify_size(offset + 1 - scale) if letter else simplify_size(offset + 1)
    if not letter:
        return _tight(shift)
    return _shifted_text(Shifted(letter, scale, shift))


def _shifted_text(index: Shifted) -> str:
    letter, scale, shift = index
    multiple = letter if abs(scale) == 1 else f"{abs(scale)}{letter}"
    if scale < 0:
        return f"{_tight(shift)}-{multiple}" if shift != 0 else f"-{multiple}"
    text = _tight(shift)
    return multiple if shift == 0 else multiple + text if text.startswith("-") else f"{multiple}+{text}"


def _tight(size: SizeExpr) -> str:
    """Write a size without gaps, as it stands in an index."""
    return latex_size(size).replace(" + ", "+").replace(" - ", "-")
