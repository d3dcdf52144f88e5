r"""Products of matrices, vectors and numbers as formulas: ``X^T diag(s) X``, ``(u ⊙ v) w^T``, ``A ⊗ B``.

A product is read as a network: each label is a point, a matrix joins two points, a vector weighs one. A point that is
summed over goes when at most two matrices meet there: none leaves a number, one a vector at the other end, two a matrix
with the weights between them as ``diag``. What is left of a matrix are its two points, and at most one matrix.

An array of four axes is the matrix with rows (i, a) and columns (j, b), in the order in which NumPy stores them:
``A ⊗ B`` has the entries :math:`A_{ij} B_{ab}`. With A and B across, :math:`A_{ib} B_{aj}`, it is ``(A ⊗ B) K``, with
the commutation matrix K, which transposes (Magnus and Neudecker, *The commutation matrix*, 1979). ``diag(vec A)`` has
the entries of A, row by row, on its diagonal.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from symback.latex.meaning import Meaning
from symback.latex.terms import (
    ATOM,
    HADAMARD,
    POSTFIX,
    PRODUCT,
    SUM,
    Flipped,
    Term,
    applied,
    joined,
    juxtaposed,
    norm_squared,
    ones,
    said,
    transposed,
)
from symback.nodes.contract import Labels
from symback.nodes.node import Node
from symback.nodes.shapes import Shape, SizeExpr

_DERIVATIVE = r"\frac{\partial"


class Factor(NamedTuple):
    """A factor of a product, with its labels."""

    node: Node
    labels: Labels


class Texts(Protocol):
    """Where the texts of operands are."""

    def operand(self, node: Node) -> Term:
        """Return the text of an operand."""


def matrix_term(factors: Sequence[Factor], out: Labels, sizes: Mapping[int, SizeExpr], texts: Texts) -> Term | None:
    """Write a product of numbers, vectors and matrices with up to two axes, or with four; None if it has no such form.

    Args:
        factors: The factors.
        out: The labels of the result; one that repeats makes a diagonal.
        sizes: The size of each label, 1 where it is not given; what has axes of size 1 is left to others.
        texts: The texts of the factors.
    """
    plain = all(len(f.labels) <= 2 and len({*f.labels}) == len(f.labels) for f in factors)
    if not plain or any(sizes.get(label, 1) == 1 for label in (*out, *(k for f in factors for k in f.labels))):
        return None
    network = _Network(factors, sizes, texts)
    if len(out) == 4:
        body = _kronecker(network, out)
    else:
        body = network.between(out) if len(out) < 3 and network.close(out) else None
        if not out and network.numbers:
            body = network.numbers.pop()
    return times(network.numbers, body) if body else None


def turned(term: Term, places: tuple[int, ...], shape: Shape) -> Term | None:
    """Write an array of four axes with its axes put in other places: as a matrix transposed, or its rows or columns.

    Args:
        term: The array as it was.
        places: For each axis of it the place among the axes of the result.
        shape: The shape of the result.
    """
    i, a, j, b = shape
    for flip in (False, True):
        before, behind = (places[2:], places[:2]) if flip else (places[:2], places[2:])
        if {*before} == {0, 1}:
            rows, columns = [commutation(i, a)] * (before == (1, 0)), [commutation(b, j)] * (behind == (3, 2))
            return juxtaposed(*rows, transposed(term) if flip else term, *columns)
    return None


def identity(size: SizeExpr) -> Term:
    """Return the identity matrix."""
    return Term("I", ATOM, meaning=Meaning("identity", data=size)).symmetric()


def commutation(rows: SizeExpr, columns: SizeExpr) -> Term:
    """Return the matrix that takes the entries of a matrix, row by row, from those of its transpose."""
    return Term(r"\mathbf{K}", ATOM, meaning=Meaning("commutation", data=(rows, columns)))


def is_derivative(term: Term) -> bool:
    """Does this look like a derivative? Among numbers it stands behind the others."""
    return term.text.startswith(_DERIVATIVE)


def times(numbers: Iterable[Term], body: Term) -> Term:
    """Put numbers, derivatives behind others and equal ones as powers, before an array or another number."""
    given = sorted(numbers, key=is_derivative)
    before = [power(number, count) for number, count in Counter(n.bare() for n in given).items()]
    if not before:
        return body
    negative = sum(number.negative for number in given) % 2 == 1
    made = _beside(before, body)._replace(negative=negative)
    if body.flipped is None or body.negative:
        return made
    text, level, meaning = body.flipped
    back = _beside(before, Term(text, level, meaning=meaning))
    return made._replace(flipped=Flipped(back.text, back.level, back.meaning))


def _beside(numbers: Sequence[Term], body: Term) -> Term:
    inside = body.within(HADAMARD)
    dot = r"\cdot " if inside.startswith(_DERIVATIVE) else ""  # a fraction beside a letter reads as one of its own
    text = joined([*(number.within(POSTFIX) for number in numbers), dot + inside])
    level = HADAMARD if body.level == HADAMARD else PRODUCT
    return Term(text, level, meaning=said("product", *numbers, body))


def power(term: Term, exponent: int) -> Term:
    """Write a power of a number."""
    if exponent == 1:
        return term
    return Term(rf"{term.within(ATOM)}^{{{exponent}}}", POSTFIX, meaning=said("power", term, data=exponent))


def entrywise(terms: Sequence[Term]) -> Term:
    """Write a product entry by entry, equal factors as powers."""
    made, back = _entry_by_entry(terms), _entry_by_entry([transposed(term) for term in terms])
    return made._replace(flipped=Flipped(back.text, back.level, back.meaning)) if len(terms) > 1 else made


def _entry_by_entry(terms: Sequence[Term]) -> Term:
    powers = [_entrywise_power(term, count) for term, count in Counter(terms).items()]
    if len(powers) == 1:
        return powers[0]
    text = r" \odot ".join(term.within(POSTFIX) for term in powers)
    return Term(text, HADAMARD, meaning=said("entrywise", *powers))


def _entrywise_power(term: Term, exponent: int) -> Term:
    """Write a power; the sign of the product that is meant stands before the exponent."""
    if exponent == 1:
        return term
    meaning = said("entrywise_power", term, data=exponent)
    return Term(rf"{term.within(ATOM)}^{{\odot {exponent}}}", POSTFIX, meaning=meaning)


def diagonal_matrix(vector: Term) -> Term:
    """Write the matrix with a vector on its diagonal."""
    return applied(r"\operatorname{diag}", _enclosed(vector), op="diagonal_matrix").symmetric()


def _enclosed(term: Term) -> Term:
    return Term(term.within(SUM), SUM, meaning=term.says())


class _Network:
    """Numbers, the vectors at each label, and the matrices between two labels, with the rows along the first."""

    def __init__(self, factors: Iterable[Factor], sizes: Mapping[int, SizeExpr], texts: Texts) -> None:
        self.sizes = sizes
        self.numbers: list[Term] = []
        self.vectors: dict[int, list[Term]] = {}
        self.matrices: dict[tuple[int, int], list[Term]] = {}
        for factor in factors:
            term = texts.operand(factor.node)
            if len(factor.labels) == 2:
                self._join(factor.labels[0], factor.labels[1], term)
            elif factor.labels:
                self.vectors.setdefault(factor.labels[0], []).append(term)
            else:
                self.numbers.append(term)

    def _join(self, rows: int, columns: int, term: Term) -> None:
        """Put a matrix between two labels."""
        if (columns, rows) in self.matrices:
            rows, columns, term = columns, rows, transposed(term)
        self.matrices.setdefault((rows, columns), []).append(term)

    def close(self, out: Labels) -> bool:
        """Sum over all labels that are not in `out`; False if there is no formula for that."""
        closed = {label for pair in (*self.matrices, *((label,) for label in self.vectors)) for label in pair} - {*out}
        while closed:
            meeting = {label: [pair for pair in self.matrices if label in pair] for label in sorted(closed)}
            label = min(meeting, key=lambda label: len(meeting[label]))
            if len(meeting[label]) > 2:
                return False
            closed.remove(label)
            if self._is_trace(label, meeting, closed):
                closed -= {*meeting[label][0]}
            else:
                self._remove(label, meeting[label])
        return True

    def _is_trace(self, label: int, meeting: Mapping[int, Sequence[tuple[int, int]]], closed: set[int]) -> bool:
        """Write two matrices between the same two labels, which nothing else meets, as a trace."""
        pair = meeting[label][0] if len(meeting[label]) == 1 else ()
        other = [end for end in pair if end != label]
        if not other or other[0] not in closed or len(meeting[other[0]]) > 1 or len(self.matrices[pair]) != 2:  # type: ignore[index]
            return False
        first, second = self.matrices.pop(pair)  # type: ignore[arg-type]
        if first == second and not any(end in self.vectors for end in pair):
            self.numbers.append(norm_squared(first, 2))
            return True
        rows, columns = (self._diagonal(end) for end in pair)
        inside = juxtaposed(*rows, first, *columns, transposed(second))
        self.numbers.append(applied(r"\operatorname{tr}", inside, op="trace"))
        return True

    def _remove(self, label: int, meeting: Sequence[tuple[int, int]]) -> None:
        """Sum over a label at which up to two matrices meet."""
        if not meeting:
            self.numbers.append(_total(self.vectors.pop(label), self.sizes[label]))
        elif len(meeting) == 1:
            end, matrix = self._towards(label, meeting[0])
            vector = self._weights(label)
            self.vectors.setdefault(end, []).append(juxtaposed(transposed(matrix), vector))
        else:
            (left, before), (right, after) = (self._towards(label, pair) for pair in meeting)
            self._join(left, right, juxtaposed(transposed(before), *self._diagonal(label), after))

    def _towards(self, label: int, pair: tuple[int, int]) -> tuple[int, Term]:
        """Take out the matrix between two labels: return the other one, and the matrix with its rows along `label`."""
        matrix = entrywise(self.matrices.pop(pair))
        return (pair[1], matrix) if pair[0] == label else (pair[0], transposed(matrix))

    def _vector(self, label: int) -> Term | None:
        found = self.vectors.pop(label, None)
        return entrywise(found) if found else None

    def _weights(self, label: int) -> Term:
        return self._vector(label) or ones(self.sizes[label])

    def _diagonal(self, label: int) -> list[Term]:
        vector = self._vector(label)
        return [diagonal_matrix(vector)] if vector else []

    def between(self, out: Labels) -> Term | None:
        """Write what is left along the labels of the result."""
        if len(out) == 1:
            return self._weights(out[0])
        if len(out) != 2:
            return None
        rows, columns = out
        if rows == columns:
            vector = self._vector(rows)
            return diagonal_matrix(vector) if vector else identity(self.sizes[rows])
        pair = next((pair for pair in (out, out[::-1]) if pair in self.matrices), None)
        if pair is None:
            return juxtaposed(self._weights(rows), transposed(self._weights(columns)))
        _, matrix = self._towards(rows, pair)
        return juxtaposed(*self._diagonal(rows), matrix, *self._diagonal(columns))


def _kronecker(network: _Network, out: Labels) -> Term | None:
    """Write an array of four axes as a Kronecker product, if nothing joins one factor with the other."""
    if not network.close(out):
        return None
    i, a, j, b = out
    swap = commutation(network.sizes[b], network.sizes[j])
    for left, right, crossed in (((i, j), (a, b), False), ((i, b), (a, j), True)):
        apart = {*left}.isdisjoint(right)
        if apart and not any({*pair} & {*left} and {*pair} & {*right} for pair in network.matrices):
            first, second = network.between(left), network.between(right)
            assert first
            assert second
            if crossed and first == identity(network.sizes[i]) and second == identity(network.sizes[a]):
                return swap
            text = rf"{first.within(PRODUCT)} \otimes {second.within(PRODUCT)}"
            product = Term(text, HADAMARD, meaning=said("kronecker", first, second))
            return juxtaposed(product, swap) if crossed else product
    if {i, a} == {j, b}:
        matrix = network.between((i, a))
        assert matrix
        entries = applied(r"\operatorname{vec}", _enclosed(matrix), op="vec")
        return juxtaposed(diagonal_matrix(entries), *[swap] * (i == b))
    return None


def _total(vectors: Sequence[Term], size: SizeExpr) -> Term:
    """Write the sum of the entries of a product of vectors."""
    if len(vectors) == 2:
        first, second = vectors
        return norm_squared(first, 1) if first == second else juxtaposed(transposed(first), second)
    return juxtaposed(transposed(ones(size)), entrywise(vectors))
