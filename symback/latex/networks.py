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

from symback.latex.terms import (
    ATOM,
    HADAMARD,
    ONES,
    POSTFIX,
    PRODUCT,
    SUM,
    Term,
    applied,
    joined,
    juxtaposed,
    norm_squared,
    transposed,
)
from symback.nodes.contract import Labels
from symback.nodes.node import Node
from symback.nodes.shapes import SizeExpr

IDENTITY = Term("I", ATOM, flipped=("I", ATOM))
COMMUTATION = Term(r"\mathbf{K}", ATOM)
_DERIVATIVE = r"\frac{\partial"


class Factor(NamedTuple):
    """A factor of a product, with its labels."""

    node: Node
    labels: Labels


class Texts(Protocol):
    """Where the texts of operands are."""

    def term(self, node: Node) -> Term:
        """Return the text of an operand."""


def matrix_term(factors: Sequence[Factor], out: Labels, sizes: Mapping[int, SizeExpr], texts: Texts) -> Term | None:
    """Write a product of numbers, vectors and matrices with up to two axes, or with four; None if it has no such form.

    Args:
        factors: The factors.
        out: The labels of the result; one that repeats makes a diagonal.
        sizes: The size of each label; what has axes of size 1 is left to others.
        texts: The texts of the factors.
    """
    plain = all(len(f.labels) <= 2 and len({*f.labels}) == len(f.labels) for f in factors)
    if not plain or any(sizes[label] == 1 for label in (*out, *(k for f in factors for k in f.labels))):
        return None
    network = _Network(factors, texts)
    if len(out) == 4:
        body = _kronecker(network, out)
    else:
        body = network.between(out) if len(out) < 3 and network.close(out) else None
        if not out and network.numbers:
            body = network.numbers.pop()
    return times(network.numbers, body) if body else None


def turned(term: Term, places: tuple[int, ...]) -> Term | None:
    """Write an array of four axes with its axes put in other places: as a matrix transposed, or its rows or columns."""
    swaps: dict[tuple[int, ...], list[Term]] = {(0, 1): [], (1, 0): [COMMUTATION]}
    for flip in (False, True):
        before, behind = (places[2:], places[:2]) if flip else (places[:2], places[2:])
        rows, columns = swaps.get(before), swaps.get((behind[0] - 2, behind[1] - 2))
        if rows is not None and columns is not None:
            return juxtaposed(*rows, transposed(term) if flip else term, *columns)
    return None


def times(numbers: Iterable[Term], body: Term) -> Term:
    """Put numbers, equal ones as powers, before an array or another number."""
    given = list(numbers)
    before = [power(number, count, "").within(POSTFIX) for number, count in Counter(n.bare() for n in given).items()]
    if not before:
        return body
    inside = body.within(HADAMARD)
    dot = r"\cdot " if inside.startswith(_DERIVATIVE) else ""  # a fraction beside a letter reads as one of its own
    negative = sum(number.negative for number in given) % 2 == 1
    return Term(joined([*before, dot + inside]), HADAMARD if body.level == HADAMARD else PRODUCT, negative)


def power(term: Term, exponent: int, sign: str) -> Term:
    """Write a power; the sign of the product that is meant stands before the exponent."""
    return term if exponent == 1 else Term(rf"{term.within(ATOM)}^{{{sign}{exponent}}}", POSTFIX)


def entrywise(terms: Sequence[Term]) -> Term:
    """Write a product entry by entry, equal factors as powers."""
    powers = [power(term, count, r"\odot ") for term, count in Counter(terms).items()]
    if len(powers) == 1:
        return powers[0]
    return Term(r" \odot ".join(term.within(POSTFIX) for term in powers), HADAMARD)


def diagonal_matrix(vector: Term) -> Term:
    """Write the matrix with a vector on its diagonal."""
    made = applied(r"\operatorname{diag}", Term(vector.within(SUM), SUM))
    return made._replace(flipped=(made.text, made.level))


class _Network:
    """Numbers, the vectors at each label, and the matrices between two labels, with the rows along the first."""

    def __init__(self, factors: Iterable[Factor], texts: Texts) -> None:
        self.numbers: list[Term] = []
        self.vectors: dict[int, list[Term]] = {}
        self.matrices: dict[tuple[int, int], list[Term]] = {}
        for factor in factors:
            term = texts.term(factor.node)
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
        self.numbers.append(applied(r"\operatorname{tr}", juxtaposed(*rows, first, *columns, transposed(second))))
        return True

    def _remove(self, label: int, meeting: Sequence[tuple[int, int]]) -> None:
        """Sum over a label at which up to two matrices meet."""
        if not meeting:
            self.numbers.append(_total(self.vectors.pop(label)))
        elif len(meeting) == 1:
            end, matrix = self._towards(label, meeting[0])
            vector = self._vector(label) or ONES
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

    def _diagonal(self, label: int) -> list[Term]:
        vector = self._vector(label)
        return [diagonal_matrix(vector)] if vector else []

    def between(self, out: Labels) -> Term | None:
        """Write what is left along the labels of the result."""
        if len(out) == 1:
            return self._vector(out[0]) or ONES
        if len(out) != 2:
            return None
        rows, columns = out
        if rows == columns:
            vector = self._vector(rows)
            return diagonal_matrix(vector) if vector else IDENTITY
        pair = next((pair for pair in (out, out[::-1]) if pair in self.matrices), None)
        if pair is None:
            return juxtaposed(self._vector(rows) or ONES, transposed(self._vector(columns) or ONES))
        _, matrix = self._towards(rows, pair)
        return juxtaposed(*self._diagonal(rows), matrix, *self._diagonal(columns))


def _kronecker(network: _Network, out: Labels) -> Term | None:
    """Write an array of four axes as a Kronecker product, if nothing joins one factor with the other."""
    if not network.close(out):
        return None
    i, a, j, b = out
    for left, right, crossed in (((i, j), (a, b), False), ((i, b), (a, j), True)):
        apart = {*left}.isdisjoint(right)
        if apart and not any({*pair} & {*left} and {*pair} & {*right} for pair in network.matrices):
            first, second = network.between(left), network.between(right)
            assert first
            assert second
            if crossed and first == second == IDENTITY:
                return COMMUTATION
            product = Term(rf"{first.within(PRODUCT)} \otimes {second.within(PRODUCT)}", HADAMARD)
            return juxtaposed(product, COMMUTATION) if crossed else product
    if {i, a} == {j, b}:
        matrix = network.between((i, a)) or ONES
        entries = applied(r"\operatorname{vec}", Term(matrix.within(SUM), SUM))
        return juxtaposed(diagonal_matrix(entries), *[COMMUTATION] * (i == b))
    return None


def _total(vectors: Sequence[Term]) -> Term:
    """Write the sum of the entries of a product of vectors."""
    if len(vectors) == 2:
        first, second = vectors
        return norm_squared(first, 1) if first == second else juxtaposed(transposed(first), second)
    return juxtaposed(transposed(ONES), entrywise(vectors))
