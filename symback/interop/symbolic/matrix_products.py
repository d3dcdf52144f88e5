"""Products with labels as products of matrices: a label that is summed over is eliminated, one after the other.

A matrix is an edge between two labels, a vector a weight of one. A label with one edge makes a vector of it, a label
with two edges one edge of both, a label without an edge a number; edges between the same labels are multiplied entry
by entry when nothing else is left to do.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import NamedTuple, cast

import sympy
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction
from sympy.matrices.expressions.diagonal import DiagMatrix, DiagonalOf

from symback.interop.symbolic.symmetry import trace_of
from symback.nodes.contract import Labels


class Edge(NamedTuple):
    """A matrix with the labels of its rows and columns."""

    matrix: sympy.MatrixExpr
    rows: int
    columns: int

    def seen_from(self, label: int) -> sympy.MatrixExpr:
        """Return the matrix with this label for its rows."""
        return self.matrix if self.rows == label else self.matrix.T

    def other(self, label: int) -> int:
        """Return the label at the other end."""
        return self.columns if self.rows == label else self.rows


def matmul(*factors: sympy.Basic) -> sympy.MatrixExpr:
    """Multiply scalars and matrices in one flat product, the scalars in front; identities drop out."""
    scalars: list[sympy.Basic] = []
    matrices: list[sympy.Basic] = []
    for factor in factors:
        for part in factor.args if isinstance(factor, sympy.MatMul) else (factor,):
            (matrices if part.is_Matrix else scalars).append(part)
    kept = [matrix for matrix in matrices if not isinstance(matrix, sympy.Identity)] or matrices[:1]
    scalar = sympy.Mul(*scalars)
    if scalar == 0:
        return sympy.ZeroMatrix(kept[0].rows, kept[-1].cols)
    front = [] if scalar == 1 else [scalar]
    return cast(sympy.MatrixExpr, _product(*front, *kept))


def _is_matrix(factor: sympy.Basic) -> bool:
    return bool(factor.is_Matrix)


def _product(*factors: sympy.Basic) -> sympy.Basic:
    """Multiply as SymPy's operator does."""
    return factors[0] if len(factors) == 1 else sympy.MatMul(*factors).doit(deep=False)


def entrywise(*matrices: sympy.MatrixExpr) -> sympy.MatrixExpr:
    """Multiply matrices of one shape entry by entry; their scalar factors come to the front, and ones drop out."""
    scalars = [part for m in matrices if isinstance(m, sympy.MatMul) for part in m.args if not part.is_Matrix]
    bare = [
        matmul(*[part for part in m.args if part.is_Matrix]) if isinstance(m, sympy.MatMul) else m for m in matrices
    ]
    flat = [part for m in bare for part in (m.args if isinstance(m, sympy.HadamardProduct) else (m,))]
    counts = Counter(part for part in flat if not isinstance(part, sympy.OneMatrix))
    powers = [part if count == 1 else sympy.HadamardPower(part, count) for part, count in counts.items()] or flat[:1]
    return matmul(*scalars, powers[0] if len(powers) == 1 else sympy.HadamardProduct(*powers))


def plus(*terms: sympy.MatrixExpr) -> sympy.MatrixExpr:
    """Add matrices; zeros drop out."""
    counts: dict[sympy.Basic, sympy.Expr] = {}
    for term in terms:
        factors = term.args if isinstance(term, sympy.MatMul) else (term,)
        core = matmul(*[factor for factor in factors if factor.is_Matrix])
        scalar = sympy.Mul(*[factor for factor in factors if not factor.is_Matrix])
        counts[core] = counts.get(core, sympy.S.Zero) + scalar
    kept = [matmul(scalar, core) for core, scalar in counts.items() if not isinstance(core, sympy.ZeroMatrix)]
    kept = [term for term in kept if not isinstance(term, sympy.ZeroMatrix)]
    return (
        kept[0]
        if len(kept) == 1
        else sympy.MatAdd(*kept).doit(deep=False)
        if kept
        else sympy.ZeroMatrix(*terms[0].shape)
    )


def trace(matrix: sympy.MatrixExpr) -> sympy.Expr:
    """Return the trace, its scalar factors in front; of the shape (1, 1) it is the entry."""
    scalars = [part for part in matrix.args if not part.is_Matrix] if isinstance(matrix, sympy.MatMul) else []
    bare = matmul(*[part for part in matrix.args if part.is_Matrix]) if scalars else matrix
    if isinstance(bare, sympy.OneMatrix) and bare.shape == (1, 1):
        return cast(sympy.Expr, sympy.Mul(*scalars))
    if _is_sum(bare):
        return cast(sympy.Expr, sympy.Mul(*scalars, sympy.Add(*bare.args[1])))
    return cast(sympy.Expr, sympy.Mul(*scalars, trace_of(bare)))


def _is_sum(matrix: sympy.MatrixExpr) -> bool:
    """Is this a row of ones times a column that is written entry by entry?"""
    if not isinstance(matrix, sympy.MatMul) or matrix.shape != (1, 1) or len(matrix.args) != 2:
        return False
    return isinstance(matrix.args[0], sympy.OneMatrix) and isinstance(matrix.args[1], sympy.MatrixBase)


def applyfunc(function: sympy.Lambda, matrix: sympy.MatrixExpr) -> sympy.MatrixExpr:
    """Apply a function to each entry; SymPy would apply it to a matrix of the shape (1, 1) as a whole."""
    if matrix.shape != (1, 1):
        return cast(sympy.MatrixExpr, ElementwiseApplyFunction(function, matrix))
    (entry,) = function.variables
    return matmul(function.expr.xreplace({entry: trace(matrix)}), sympy.OneMatrix(1, 1))


class Network:
    """The factors of a product, by the labels that they have; the labels of size 1 are left out."""

    def __init__(self, sizes: Mapping[int, sympy.Expr], out: Labels) -> None:
        self.sizes = sizes
        self.out = set(out)
        self.scalars: list[sympy.Basic] = []
        self._vectors: dict[int, list[sympy.MatrixExpr]] = {label: [] for label in sizes}
        self._edges: list[Edge] = []

    def add(self, matrix: sympy.MatrixExpr, labels: Labels) -> None:
        """Add a factor: a column with one label, or a matrix with two."""
        kept = [label for label in labels if self.sizes[label] != 1]
        if not kept:
            self.scalars.append(trace(matrix))
        elif len(kept) == 2:
            self._edges.append(Edge(matrix, *kept))
        else:
            self._vectors[kept[0]].append(matrix if matrix.cols == 1 else matrix.T)

    def eliminate(self) -> bool:
        """Sum over all labels that are not in the result; say whether that can be written."""
        while self._loops() or self._step():
            pass
        ends = [label for edge in self._edges for label in edge[1:]]
        left = [label for label in self.sizes if label not in self.out and (self._vectors[label] or label in ends)]
        return not left and len(self._edges) < 2

    def vector(self, label: int) -> sympy.MatrixExpr:
        """Return the product of the vectors of a label, as a column."""
        found = self._vectors[label]
        return entrywise(*found) if found else sympy.OneMatrix(self.sizes[label], 1)

    def result(self, labels: Sequence[int]) -> sympy.MatrixExpr:
        """Return what is left for one label as a column, for two as a matrix, without the scalars."""
        if len(labels) == 1:
            return self.vector(labels[0])
        rows, columns = labels
        if not self._edges:
            if not self._vectors[rows] and not self._vectors[columns]:
                return sympy.OneMatrix(self.sizes[rows], self.sizes[columns])
            return matmul(self.vector(rows), self.vector(columns).T)
        middle = self._edges[0].seen_from(rows)
        return matmul(*self._weights(rows), middle, *self._weights(columns))

    def _weights(self, label: int) -> list[sympy.MatrixExpr]:
        found = self._vectors[label]
        return [diagonal(entrywise(*found))] if found else []

    def _loops(self) -> bool:
        """Take away a matrix that has one label twice: a trace, or its diagonal."""
        for place, edge in enumerate(self._edges):
            if edge.rows == edge.columns:
                del self._edges[place]
                alone = edge.rows not in self.out and not self._ends(edge.rows) and not self._vectors[edge.rows]
                if alone:
                    self.scalars.append(trace(edge.matrix))
                else:
                    self._vectors[edge.rows].append(_diagonal_of(edge.matrix))
                return True
        return False

    def _ends(self, label: int) -> list[Edge]:
        return [edge for edge in self._edges if label in edge[1:]]

    def _step(self) -> bool:
        """Eliminate one label, or multiply two matrices entry by entry; False if there is nothing to do."""
        summed = [label for label in self.sizes if label not in self.out]
        for label in summed:
            if self._vectors[label] and not self._ends(label):
                self.scalars.append(self._inner(self._vectors[label], label))
                self._vectors[label] = []
                return True
        by_ends = [(label, self._ends(label)) for label in summed]
        for count, least in ((1, _transposes_of_one), (2, _transposes_of_two)):
            found = [(label, ends) for label, ends in by_ends if len(ends) == count]
            if found:
                self._absorb(*min(found, key=lambda item: least(*item)))
                return True
        return self._merge()

    def _inner(self, vectors: Sequence[sympy.MatrixExpr], label: int) -> sympy.Expr:
        *first, last = vectors
        left = entrywise(*first) if first else sympy.OneMatrix(self.sizes[label], 1)
        return trace(matmul(left.T, last))

    def _absorb(self, label: int, ends: Sequence[Edge]) -> None:
        self._edges = [edge for edge in self._edges if label not in edge[1:]]
        if len(ends) == 1:
            (edge,) = ends
            self._vectors[edge.other(label)].append(matmul(edge.seen_from(edge.other(label)), self.vector(label)))
        else:
            left, right = _in_order(label, ends)
            rows, columns = left.other(label), right.other(label)
            product = matmul(left.seen_from(rows), *self._weights(label), right.seen_from(label))
            self._edges.append(Edge(product, rows, columns))
        self._vectors[label] = []

    def _merge(self) -> bool:
        for one, other in combinations(self._edges, 2):
            if {one.rows, one.columns} == {other.rows, other.columns}:
                self._edges.remove(one)
                self._edges.remove(other)
                self._edges.append(Edge(entrywise(one.matrix, other.seen_from(one.rows)), one.rows, one.columns))
                return True
        return False


def _diagonal_of(matrix: sympy.MatrixExpr) -> sympy.MatrixExpr:
    """Return the diagonal as a column; SymPy's DiagonalOf knows no shape of a matrix that is written down."""
    if isinstance(matrix, sympy.MatrixBase):
        return sympy.ImmutableDenseMatrix(matrix.diagonal().T)
    return DiagonalOf(matrix)


def diagonal(vector: sympy.MatrixExpr) -> sympy.MatrixExpr:
    """Return a column as a diagonal matrix; ones make the identity."""
    return sympy.Identity(vector.rows) if isinstance(vector, sympy.OneMatrix) else DiagMatrix(vector)


def _transposes_of_one(label: int, ends: Sequence[Edge]) -> int:
    return int(ends[0].columns != label)


def _transposes_of_two(label: int, ends: Sequence[Edge]) -> int:
    left, right = _in_order(label, ends)
    return int(left.columns != label) + int(right.rows != label)


def _in_order(label: int, ends: Sequence[Edge]) -> tuple[Edge, Edge]:
    """Return two matrices in the order that transposes fewer of them."""
    one, other = ends
    turned = int(one.columns != label) + int(other.rows != label)
    return (other, one) if int(other.columns != label) + int(one.rows != label) < turned else (one, other)
