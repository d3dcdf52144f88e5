"""Graphs of arrays with up to two axes as matrix expressions of SymPy; vectors become columns."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

import sympy
from sympy.matrices.expressions.diagonal import DiagMatrix

from symback import errors
from symback.errors.symbolic_matrices import no_matrix
from symback.graph import toposort
from symback.interop.symbolic.into_scalars import as_condition, as_number, factors_of, known_sizes, multiplied, real
from symback.interop.symbolic.matrix_functions import FUNCTIONS
from symback.interop.symbolic.matrix_products import Network, applyfunc, entrywise, matmul, plus, trace
from symback.interop.symbolic.symmetry import Symmetric, power_of
from symback.nodes.add import Plus
from symback.nodes.apply import Apply, Map, Named
from symback.nodes.contract import Contract, Labels
from symback.nodes.leaves import Constant, Ones, Variable, constant
from symback.nodes.node import Node
from symback.nodes.shapes import SizeExpr

_ENTRY = sympy.Dummy("d")
"""An entry of the matrix that a function is applied to."""

_ABS = sympy.Lambda(_ENTRY, sympy.Abs(_ENTRY))


class _Value(NamedTuple):
    """What a node becomes.

    Attributes:
        base: The matrix that a function is applied to; None if the node has no axes.
        body: That function of `_ENTRY`; the factors of the scalar if there is no matrix.
    """

    base: sympy.MatrixExpr | None
    body: tuple[sympy.Basic, ...]

    @property
    def matrix(self) -> sympy.MatrixExpr:
        """The matrix as one expression, a number that all entries are multiplied with in front."""
        base, body = cast(sympy.MatrixExpr, self.base), as_number(multiplied(self.body))
        if body is _ENTRY:
            return base
        coefficient, function = body.as_coeff_Mul()
        if not function.has_free(_ENTRY):
            return matmul(body, sympy.OneMatrix(*base.shape))
        return matmul(coefficient, applyfunc(sympy.Lambda(_ENTRY, function), base))


def to_matrix(node: Node, symbols: Mapping[Variable, sympy.Basic] | None = None) -> sympy.Basic:
    """Turn a graph in which nothing has more than two axes into a scalar or a matrix expression of SymPy.

    A vector of shape (n,) becomes a column, of the shape (n, 1), and so does a variable: SymPy has no vectors. Numbers
    that are sums over matrices become traces: of the shape (1, 1), the entry. Functions of the entries become
    `applyfunc`, arrays that NumPy repeats products with OneMatrix, and quotients HadamardProduct and HadamardPower.

    Args:
        node: Of shape (), (n,) or (n, m).
        symbols: What variables become; the others become a Symbol or a MatrixSymbol of their name.

    Raises:
        UsageError: If a node has more axes, or no counterpart among matrices; the message names it.
        InvalidNameError: If two variables would become one symbol.

    Example:
        >>> import symback as sb
        >>> A, x = sb.tensor("A", ("n", "n")), sb.tensor("x", ("n",))
        >>> to_matrix(sb.sum(sb.exp(A @ x)))
        Trace(1*Lambda(_d, exp(_d)).(A*x))
    """
    writer = _Writer(symbols or {})
    values: dict[Node, _Value] = {}
    try:
        for part in toposort([node]):
            if len(part.shape) > 2:
                raise no_matrix(part, "SymPy's matrices have two axes")
            values[part] = writer.value(part, [values[operand] for operand in part.operands])
        found = values[node]
        return writer.symmetric.put_back(found.matrix if node.shape else real(node, multiplied(found.body)))
    except RecursionError:
        hint = "SymPy recurses over its depth, which is too large: pass pairs=True"
        raise errors.not_convertible("to_sympy", node, hint) from None


class _Writer:
    """The rule of each kind of node."""

    def __init__(self, symbols: Mapping[Variable, sympy.Basic]) -> None:
        self._symbols = symbols
        self._taken: dict[sympy.Basic, Variable] = {}
        self._sizes = known_sizes(symbols)
        self.symmetric = Symmetric()

    def shape(self, shape: Sequence[SizeExpr]) -> tuple[sympy.Expr, sympy.Expr]:
        """Return the shape of the matrix that an array of this shape becomes, in the symbols one began with."""
        sizes = [sympy.sympify(size, strict=True).xreplace(self._sizes) for size in shape]
        rows, columns = [*sizes, sympy.S.One, sympy.S.One][:2]
        return rows, columns

    def value(self, node: Node, operands: Sequence[_Value]) -> _Value:
        """Return what a node becomes, from what its operands became."""
        if isinstance(node, Named):
            return operands[0]
        if isinstance(node, Variable):
            return self._symbol(node)
        if not node.shape and all(operand.base is None for operand in operands) and not _special(node):
            return _Value(None, self._resized(factors_of(node, [operand.body for operand in operands])))
        base = _common_base(node, operands)
        if base is not None:
            return _Value(base, factors_of(node, [operand.body for operand in operands]))
        if isinstance(node, Contract):
            return self._product(node, operands)
        if isinstance(node, Map) or (isinstance(node, Apply) and node.operation.name == "astype"):
            return self._applied(node, operands)
        return _whole(self._matrix(node, operands))

    def _resized(self, factors: tuple[sympy.Basic, ...]) -> tuple[sympy.Basic, ...]:
        """Write symbolic sizes as the symbols one began with."""
        return tuple([self._sizes.get(factor, factor) for factor in factors])

    def _symbol(self, node: Variable) -> _Value:
        found = self._symbols.get(node)
        if found is None:
            name = node.name
            found = sympy.MatrixSymbol(name, *self.shape(node.shape)) if node.shape else sympy.Symbol(name)
        if self._taken.setdefault(found, node) is not node:
            raise errors.name_clash(node.name, self._taken[found], node)
        if node.shape and not found.is_Matrix:
            raise no_matrix(node, "it stands for a symbol that is no MatrixSymbol")
        return _whole(self.symmetric.stand_in(found)) if node.shape else _Value(None, (found,))

    def _matrix(self, node: Node, operands: Sequence[_Value]) -> sympy.Basic:
        if isinstance(node, Plus):
            terms = [self.spread(value, operand, node) for value, operand in zip(operands, node.operands, strict=True)]
            return plus(*terms)
        if isinstance(node, Ones):
            return sympy.OneMatrix(*self.shape(node.shape))
        if isinstance(node, Constant):
            entries = [as_number(factors_of(constant(entry), [])[0]) for entry in node.array.ravel()]
            return sympy.ImmutableDenseMatrix(*map(int, self.shape(node.shape)), entries)
        rule = FUNCTIONS.get(node.operation.name) if isinstance(node, Apply) else None
        if rule is None:
            raise no_matrix(node, f"there is no counterpart of {_name(node)}")
        arrays = [value.matrix if value.base is not None else multiplied(value.body) for value in operands]
        return rule(node, arrays, self.shape)

    def spread(self, value: _Value, operand: Node, node: Node) -> sympy.MatrixExpr:
        """Repeat an operand to the shape of a node, as NumPy does."""
        rows, columns = self.shape(node.shape)
        if value.base is None:
            return matmul(as_number(multiplied(value.body)), sympy.OneMatrix(rows, columns))
        if operand.shape == node.shape:
            return value.matrix
        matrix = value.matrix if len(operand.shape) == len(node.shape) else value.matrix.T
        if matrix.shape == (1, 1):
            return matmul(trace(matrix), sympy.OneMatrix(rows, columns))
        if matrix.cols == 1:
            return matmul(matrix, sympy.OneMatrix(1, columns))
        return matmul(sympy.OneMatrix(rows, 1), matrix)

    def _product(self, node: Contract, operands: Sequence[_Value]) -> _Value:
        """Write a product of arrays and numbers as a product of matrices."""
        sizes = {label: self.shape((size,))[0] for label, size in node.label_sizes().items()}
        network = Network(sizes, node.subscripts.out)
        for operand, value, labels in zip(node.operands, operands, node.subscripts.inputs, strict=True):
            if value.base is None:
                network.scalars.extend(map(as_number, value.body))
            elif not isinstance(operand, Ones):
                for matrix in self._opened(value.matrix, labels, node):
                    network.add(matrix, labels)
        if not network.eliminate():
            raise no_matrix(node, "an index is in three factors or more, which no product of matrices sums over")
        kept = [label for label in node.subscripts.out if sizes[label] != 1]
        if not node.shape:
            return _Value(None, tuple(network.scalars) or (sympy.S.One,))
        if not kept:
            return _whole(_single(network.scalars))
        return _whole(matmul(*network.scalars, self._arranged(network, kept, node)))

    def _opened(self, matrix: sympy.MatrixExpr, labels: Labels, node: Contract) -> Sequence[sympy.MatrixExpr]:
        """Take a sum of all entries of a product entry by entry apart, so that it becomes the trace of a product."""
        distinct = len(set(labels)) == len(labels)
        if node.subscripts.out or not distinct or len([o for o in node.operands if o.shape]) > 1:
            return [matrix]
        if isinstance(matrix, sympy.HadamardPower) and matrix.exp == 2:
            return [matrix.base, matrix.base]
        if isinstance(matrix, sympy.HadamardProduct):
            return [entrywise(*matrix.args[:-1]), matrix.args[-1]]
        return [matrix]

    def _arranged(self, network: Network, kept: Sequence[int], node: Contract) -> sympy.MatrixExpr:
        """Put what is left of a product into its place: a column, a row, a diagonal, a matrix."""
        if len(set(kept)) == 2:
            return network.result(kept)
        column = network.result(kept[:1])
        if len(kept) == 2:
            return sympy.Identity(column.rows) if isinstance(column, sympy.OneMatrix) else DiagMatrix(column)
        return column if self.shape(node.shape)[1] == 1 else column.T

    def _applied(self, node: Node, operands: Sequence[_Value]) -> _Value:
        """Apply a function to each entry of one matrix, or of two where SymPy has that."""
        found: list[sympy.MatrixExpr] = []
        for operand, value in zip(node.operands, operands, strict=True):
            if value.base is not None and not any(value.base is base for base in found):
                found.append(value.base)
            if value.base is not None and operand.shape != node.shape:
                found.extend([value.base, value.base])
        if (
            len(found) == 1
            and node.operation.name == "power"
            and operands[0].body == (_ENTRY,)
            and not node.operands[1].shape
        ):
            return _whole(sympy.HadamardPower(found[0], multiplied(operands[1].body)))
        if len(found) == 1:
            return _Value(found[0], factors_of(node, [operand.body for operand in operands]))
        return _whole(self._of_several(node, operands))

    def _of_several(self, node: Any, operands: Sequence[_Value]) -> sympy.MatrixExpr:
        name = node.operation.name
        values = [self._filled(value, operand, node) for value, operand in zip(operands, node.operands, strict=True)]
        if name == "divide":
            return entrywise(values[0].matrix, _to_the(values[1].matrix, sympy.S.NegativeOne))
        if name == "power":
            return cast(sympy.MatrixExpr, power_of(values[0].matrix, values[1].matrix))
        if name in ("maximum", "minimum"):
            sign, (one, other) = (1 if name == "maximum" else -1), [value.matrix for value in values]
            apart = applyfunc(_ABS, plus(one, matmul(sympy.S.NegativeOne, other)))
            return matmul(sympy.Rational(1, 2), plus(one, other, matmul(sympy.Integer(sign), apart)))
        if name == "where":
            return _chosen(*values)
        raise no_matrix(node, f"SymPy has no {name} of two matrices entry by entry")

    def _filled(self, value: _Value, operand: Node, node: Node) -> _Value:
        """Bring an operand to the shape of a node, without writing a truth value as a number."""
        return value if operand.shape == node.shape else _whole(self.spread(value, operand, node))


def _common_base(node: Node, operands: Sequence[_Value]) -> sympy.MatrixExpr | None:
    """Return the one matrix that all terms or factors are functions of, entry by entry, if not all are plain."""
    if not _is_aligned(node) and not isinstance(node, Plus):
        return None
    bases = [value.base for value in operands if value.base is not None]
    plain = all(value.base is None or value.body == (_ENTRY,) for value in operands)
    alike = all(value.base is None or o.shape == node.shape for value, o in zip(operands, node.operands, strict=True))
    numbers = all(value.base is not None or multiplied(value.body).is_number for value in operands)
    return bases[0] if not plain and alike and numbers and all(base is bases[0] for base in bases) else None


def _is_aligned(node: Node) -> bool:
    """Is this a product entry by entry, with no operand transposed?"""
    if not isinstance(node, Contract) or not node.subscripts.distinct:
        return False
    return all(labels in ((), node.subscripts.out) for labels in node.subscripts.inputs)


def _whole(expr: sympy.Basic) -> _Value:
    return _Value(expr, (_ENTRY,)) if expr.is_Matrix else _Value(None, (expr,))


def _special(node: Node) -> bool:
    """Is this a scalar that is no expression of scalars: made of an array without entries, or an entry?"""
    return isinstance(node, Apply) and not isinstance(node, Map) and node.operation.name != "astype"


def _single(scalars: Sequence[sympy.Basic]) -> sympy.MatrixExpr:
    """Return a number as a matrix of the shape (1, 1): the product that it is the trace of, if there is one."""
    for place, factor in enumerate(scalars):
        if isinstance(factor, sympy.Trace) and factor.arg.shape == (1, 1):
            return matmul(*scalars[:place], *scalars[place + 1 :], factor.arg)
    return matmul(*scalars, sympy.OneMatrix(1, 1))


def _to_the(matrix: sympy.MatrixExpr, exponent: sympy.Expr) -> sympy.MatrixExpr:
    return sympy.HadamardPower(matrix, exponent)


def _chosen(condition: _Value, value: _Value, other: _Value) -> sympy.MatrixExpr:
    """Multiply both values with 1 or 0, by the condition."""
    holds = as_condition(multiplied(condition.body))
    yes, no = (
        _Value(condition.base, (sympy.Piecewise((one, holds), (zero, True)),)).matrix for one, zero in ((1, 0), (0, 1))
    )
    terms = [v.matrix if _is_zero(v.matrix) else entrywise(m, v.matrix) for m, v in ((yes, value), (no, other))]
    return plus(*terms)


def _is_zero(matrix: sympy.MatrixExpr) -> bool:
    return isinstance(matrix, sympy.ZeroMatrix)


def _name(node: Node) -> str:
    return node.operation.name if isinstance(node, Apply) else type(node).__name__
