"""Matrices of SymPy: matrix expressions, and explicit matrices of scalars; all are nodes of rank 2."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import reduce
from typing import Any, cast

import numpy as np
import sympy
from sympy.matrices.expressions import hadamard as of_hadamard
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction
from sympy.matrices.expressions.diagonal import DiagMatrix, DiagonalMatrix, DiagonalOf
from sympy.matrices.expressions.dotproduct import DotProduct
from sympy.matrices.expressions.matexpr import MatrixElement
from sympy.matrices.expressions.permutation import MatrixPermute, PermutationMatrix

from symback.errors import symbolic_matrices as messages
from symback.interop.symbolic.entries import entries
from symback.interop.symbolic.rule import Given, Rule
from symback.interop.symbolic.written_matrices import EXPLICIT, as_float
from symback.nodes.add import add
from symback.nodes.contract import contract
from symback.nodes.leaves import constant, exact, ones_of
from symback.nodes.node import METHODS, Node
from symback.nodes.products import broadcast_to, full, hadamard, permute, sum_axes
from symback.nodes.shapes import SizeExpr
from symback.op.public import FUNCTIONS


def _call(name: str, *operands: Any, **options: Any) -> Node:
    """Apply a public function; they are found by name, so that nothing here depends on where they are defined."""
    return cast(Node, FUNCTIONS[name].function(*operands, **options))


# -- products and sums ---------------------------------------------------------------------------------------


def _product(part: sympy.MatMul, given: Given) -> Node:
    """Multiply from left to right, scalars last; in which order is settled when code is emitted."""
    scalars = [factor for factor in part.args if not factor.is_Matrix]
    matrices = [_power_in_product(factor, scalars, given) for factor in part.args if factor.is_Matrix]
    product = reduce(METHODS["matmul"], matrices) if matrices else exact(1)
    return _times(part, given, scalars, product)


def _power_in_product(factor: sympy.Basic, scalars: list[sympy.Basic], given: Given) -> Node:
    """Take n with A**(n - 1), the derivative of A**n: where n is 0 so is that, though a singular A has no inverse.

    What is taken is no longer among the scalars.
    """
    if not isinstance(factor, sympy.MatPow) or factor.exp.is_number or factor.shape == (1, 1):
        return given.node(factor)
    numbers = [number for scalar in scalars for number in sympy.Mul.make_args(scalar)]
    taken = []
    wanted = factor.exp + 1
    while (found := next((number for number in numbers if number == wanted), None)) is not None:
        numbers.remove(found)
        taken.append(given.node(found))
        wanted += 1
    if not taken:
        return given.node(factor)
    scalars[:] = numbers
    base = _square(factor, given.node(factor.base))
    return cast(Node, METHODS["scaled_matrix_power"](base, given.node(factor.exp), hadamard(*taken)))


def _times(part: sympy.Basic, given: Given, scalars: Iterable[sympy.Basic], matrix: Node) -> Node:
    for factor in scalars:
        node = given.node(factor)
        node = sum_axes(node, range(node.ndim)) if all(size == 1 for size in node.shape) else node
        if node.shape:
            raise messages.factor_with_axes(type(part).__name__, node.shape)
        matrix = hadamard(node, matrix)
    return matrix


def _alike(part: sympy.Basic, nodes: Sequence[Node]) -> Sequence[Node]:
    """Check that matrices have one shape: what NumPy would broadcast is an error in SymPy."""
    shapes = list(dict.fromkeys(node.shape for node in nodes))
    if len(shapes) > 1:
        raise messages.unequal_sizes(type(part).__name__, shapes)
    return nodes


def _square(part: sympy.Basic, node: Node) -> Node:
    if len(node.shape) != 2 or node.shape[0] != node.shape[1]:
        raise messages.no_square(type(part).__name__, node.shape)
    return node


def _sum(part: sympy.MatAdd, given: Given) -> Node:
    return add(*_alike(part, [given.node(term) for term in sorted(part.args, key=_is_taken_away)]))


def _is_taken_away(term: sympy.Basic) -> bool:
    first = term.args[0] if isinstance(term, sympy.MatMul) else term
    return bool(first.is_Number and cast(sympy.Expr, first).is_negative)


def _entrywise(part: sympy.HadamardProduct, given: Given) -> Node:
    matrices = _alike(part, [given.node(factor) for factor in part.args if factor.is_Matrix])
    return _times(part, given, [factor for factor in part.args if not factor.is_Matrix], hadamard(*matrices))


def _entrywise_power(part: sympy.HadamardPower, given: Given) -> Node:
    base, exponent = given.node(part.base), given.node(part.exp)
    if part.base.is_Matrix and part.exp.is_Matrix:
        _alike(part, [base, exponent])
    elif (exponent if part.base.is_Matrix else base).shape:
        raise messages.factor_with_axes("HadamardPower", (exponent if part.base.is_Matrix else base).shape)
    return cast(Node, METHODS["power"](base, exponent))


def _power(part: sympy.MatPow, given: Given) -> Node:
    base, exponent = _square(part, given.node(part.base)), part.exp
    if exponent.is_Integer:
        return _inverse(part, given) if exponent == -1 else _call("linalg.matrix_power", base, int(exponent))
    if base.shape == (1, 1):
        return cast(Node, METHODS["power"](base, given.node(exponent)))
    if exponent.is_number or exponent.is_integer is False or given.node(exponent).shape:
        raise messages.no_power(exponent)
    return _call("linalg.matrix_power", base, given.node(exponent))


def _inverse(part: Any, given: Given) -> Node:
    return _call("linalg.inv", _square(part, given.node(part.args[0])))


def _kronecker(part: sympy.KroneckerProduct, given: Given) -> Node:
    matrices = [given.node(factor) for factor in part.args if factor.is_Matrix]
    product = reduce(lambda left, right: _call("kron", left, right), matrices)
    return _times(part, given, [factor for factor in part.args if not factor.is_Matrix], product)


def _dot(part: DotProduct, given: Given) -> Node:
    left, right = (_vector(given.node(argument)) for argument in part.args)
    return contract([(left, (0,)), (right, (0,))], ())


def _vector(node: Node) -> Node:
    """Return a row or a column as a vector."""
    axis = next((axis for axis in (1, 0) if node.shape[axis] == 1), 1)
    return sum_axes(node, (axis,))


# -- matrices of one another -----------------------------------------------------------------------------------


def _transposed(part: Any, given: Given) -> Node:
    node = given.node(part.args[0])
    return permute(node, (1, 0)) if len(node.shape) == 2 else node


def _trace(part: sympy.Trace, given: Given) -> Node:
    """Sum the diagonal; of a Kronecker product of square matrices that is the product of their traces."""
    matrix, factors = part.arg, part.arg.args
    if isinstance(matrix, sympy.KroneckerProduct) and all(factor.is_Matrix for factor in factors):
        nodes = [given.node(factor) for factor in factors]
        if all(node.shape[0] == node.shape[1] for node in nodes):
            return hadamard(*[contract([(node, (0, 0))], ()) for node in nodes])
    return contract([(_square(part, given.node(matrix)), (0, 0))], ())


def _determinant(part: sympy.Determinant, given: Given) -> Node:
    return _call("linalg.det", _square(part, given.node(part.arg)))


def _diagonal_matrix(part: Any, given: Given) -> Node:
    """DiagMatrix of a row or a column; DiagonalMatrix keeps the diagonal of a matrix, in its shape."""
    node = given.node(part.args[0])
    if isinstance(part, DiagonalMatrix):
        return hadamard(node, _call("eye", *node.shape))
    if 1 not in node.shape:
        return hadamard(node, contract([(ones_of((_square(part, node).shape[0],)), (0,))], (0, 0)))
    return contract([(_vector(node), (0,))], (0, 0))


def _diagonal(part: DiagonalOf, given: Given) -> Node:
    node = given.node(part.arg)
    diagonal = contract([(node, (0, 0))], (0,)) if node.shape[0] == node.shape[1] else _call("diagonal", node)
    return cast(Node, METHODS["expand_dims"](diagonal, 1))


def _applied(part: ElementwiseApplyFunction, given: Given) -> Node:
    """Put the matrix in the place of the argument: functions of scalars act on each entry."""
    node, function = given.node(part.expr), part.function
    if isinstance(function, sympy.Lambda):
        (argument,), body = function.variables, function.expr
    else:
        argument = sympy.Dummy("d")
        body = function(argument)
    return broadcast_to(given.inside(body, {argument: node}), node.shape)


def _entry(part: MatrixElement, given: Given) -> Node:
    node = given.node(part.parent)
    from_start = all(not index.is_Integer or index >= 0 for index in (part.i, part.j))
    if given.ranges or (from_start and {*part.i.free_symbols, *part.j.free_symbols} & given.declared.sizes):
        return entries(node, (part.i, part.j), part, given)
    return cast(Node, METHODS["getitem"](node, tuple(_index(index, given) for index in (part.i, part.j))))


def _index(index: sympy.Basic, given: Given) -> Any:
    """Return an index: an integer, a size, or the values of the index of a sum."""
    if isinstance(index, sympy.Integer):
        return int(index)
    node = given.node(index)
    if node.dtype.kind not in "iu":
        raise messages.no_index(index)
    return node


def _slice(part: sympy.MatrixSlice, given: Given) -> Node:
    node = given.node(part.parent)
    return cast(
        Node, METHODS["getitem"](node, tuple(_range(bounds, given) for bounds in (part.rowslice, part.colslice)))
    )


def _range(bounds: Any, given: Given) -> slice:
    try:
        start, stop = (given.size(sympy.sympify(bound, strict=True)) for bound in bounds[:2])
    except (ValueError, TypeError):
        raise messages.no_bound(bounds) from None
    return slice(start, stop, int(bounds[2]))


def _permuted(part: MatrixPermute, given: Given) -> Node:
    matrix, permutation, axis = part.args
    return _call("take", given.node(matrix), constant(np.array(permutation.array_form)), axis=int(axis))


# -- matrices that are written down ------------------------------------------------------------------------------


def _symbol(part: sympy.MatrixSymbol, given: Given) -> Node:
    return given.variable(part, _shape(part, given))


def _shape(part: Any, given: Given) -> tuple[SizeExpr, ...]:
    return tuple(given.size(sympy.sympify(size, strict=True)) for size in part.shape)


def _filled(value: int) -> Rule:
    return Rule(lambda part, given: full(_shape(part, given), value, ones_of(())), lambda part: ())


def _blocks(part: sympy.BlockMatrix, given: Given) -> Node:
    rows, columns = part.blockshape
    return _call("block", [[given.node(_block(part, i, j)) for j in range(columns)] for i in range(rows)])


def _block(part: sympy.BlockMatrix, row: int, column: int) -> sympy.Basic:
    return cast(sympy.Basic, part.args[0].args[2][row * part.blockshape[1] + column])


def _diagonal_blocks(part: sympy.BlockDiagMatrix, given: Given) -> Node:
    nodes = [given.node(block) for block in part.args]
    rows = [
        [block if i == j else full((block.shape[0], other.shape[1]), 0, ones_of(())) for j, other in enumerate(nodes)]
        for i, block in enumerate(nodes)
    ]
    return _call("block", rows)


def _by_indices(part: sympy.FunctionMatrix, given: Given) -> Node:
    shape = _shape(part, given)
    row, column = part.lamda.variables
    rows, columns = (_call("arange", size) for size in shape)
    places = {row: METHODS["expand_dims"](rows, 1), column: METHODS["expand_dims"](columns, 0)}
    return broadcast_to(as_float(given.inside(part.lamda.expr, places)), shape)


# -- the table -----------------------------------------------------------------------------------------------------


def _first(part: Any) -> Sequence[sympy.Basic]:
    return cast(Sequence[sympy.Basic], part.args[:1])


def _nothing(part: Any) -> Sequence[sympy.Basic]:
    return ()


def _of_trace(part: Any) -> Sequence[sympy.Basic]:
    return (part.arg, *part.arg.args) if isinstance(part.arg, sympy.KroneckerProduct) else (part.arg,)


def _of(convert: Callable[[Any, Given], Node]) -> Rule:
    """Return the rule of a class whose first argument is a matrix, and the others are no expressions."""
    return Rule(convert, _first)


MATRICES: Mapping[type, Rule] = {
    sympy.MatrixSymbol: Rule(_symbol, _nothing),
    sympy.MatMul: Rule(_product),
    sympy.MatAdd: Rule(_sum),
    sympy.MatPow: Rule(
        _power, lambda part: part.args[:1] if part.exp.is_number and part.shape != (1, 1) else part.args
    ),
    sympy.Inverse: _of(_inverse),
    sympy.Transpose: _of(_transposed),
    sympy.Adjoint: _of(_transposed),
    sympy.adjoint: _of(_transposed),
    sympy.transpose: _of(_transposed),
    sympy.conjugate: _of(lambda part, given: given.node(part.args[0])),
    sympy.Trace: Rule(_trace, _of_trace),
    sympy.Determinant: _of(_determinant),
    of_hadamard.HadamardProduct: Rule(_entrywise),
    of_hadamard.HadamardPower: Rule(_entrywise_power),
    sympy.KroneckerProduct: Rule(_kronecker),
    DotProduct: Rule(_dot),
    DiagMatrix: _of(_diagonal_matrix),
    DiagonalMatrix: _of(_diagonal_matrix),
    DiagonalOf: _of(_diagonal),
    ElementwiseApplyFunction: Rule(_applied, lambda part: (part.expr,)),
    MatrixElement: Rule(_entry),
    sympy.MatrixSlice: _of(_slice),
    MatrixPermute: _of(_permuted),
    PermutationMatrix: Rule(lambda part, given: constant(np.eye(part.rows)[part.args[0].array_form]), _nothing),
    sympy.Identity: Rule(lambda part, given: _call("eye", _shape(part, given)[0]), _nothing),
    sympy.ZeroMatrix: _filled(0),
    sympy.OneMatrix: _filled(1),
    sympy.FunctionMatrix: Rule(_by_indices, _nothing),
    sympy.BlockMatrix: Rule(_blocks, lambda part: part.args[0].args[2].args),
    sympy.BlockDiagMatrix: Rule(_diagonal_blocks),
    sympy.MatrixBase: EXPLICIT,
}
"""The rule of each class of matrices; entries are real, so that an adjoint is a transpose."""
