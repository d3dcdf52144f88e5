"""Operations and memory traffic of one expression of an emitted program.

An operation is an addition, a multiplication, a comparison or the evaluation of a function, of one entry; the
evaluations of functions that cost more than that are counted by themselves too. The constants of linear algebra
are the textbook's (G. H. Golub and C. F. Van Loan, Matrix Computations, 4th ed. 2013: 3.2 LU, 4.2 Cholesky,
5.2 QR, 8.3 symmetric eigenvalues, 8.6 singular values), terms of lower order left out.
"""

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple, Protocol

import sympy

from symback.codegen.cost.entrywise import block_of, chained, times_entries
from symback.nodes.add import Plus
from symback.nodes.apply import Apply, Map
from symback.nodes.classify import Product, classify
from symback.nodes.contract import Contract, Labels
from symback.nodes.leaves import Exact, Ones
from symback.nodes.node import Node
from symback.nodes.shapes import SizeExpr
from symback.op.table import primitive_of

ZERO = sympy.Integer(0)

_CHEAP = frozenset({
    "abs", "absolute", "fabs", "maximum", "minimum", "fmax", "fmin", "clip", "sign", "signbit", "copysign", "where",
    "isfinite", "isinf", "isnan", "isneginf", "isposinf", "logical_and", "logical_not", "logical_or", "logical_xor",
    "floor", "ceil", "rint", "trunc", "heaviside", "deg2rad", "rad2deg",
})  # fmt: skip
"""NumPy's functions that cost about as much as an addition."""


class Count(NamedTuple):
    """What an expression takes: operations, function evaluations by name, bytes read and written."""

    operations: sympy.Expr = ZERO
    functions: Mapping[str, sympy.Expr] = {}
    bytes: sympy.Expr = ZERO

    @classmethod
    def sum(cls, counts: Iterable["Count"]) -> "Count":
        """Add counts."""
        operations, moved = ZERO, ZERO
        functions: dict[str, sympy.Expr] = {}
        for count in counts:
            operations, moved = operations + count.operations, moved + count.bytes
            for name, number in count.functions.items():
                functions[name] = functions.get(name, ZERO) + number
        return cls(sympy.expand(operations), {k: sympy.expand(n) for k, n in functions.items()}, sympy.expand(moved))


def entries_of(sizes: Iterable[SizeExpr]) -> sympy.Expr:
    """Return the number of entries of a shape."""
    return sympy.Mul(*[sympy.sympify(size, strict=True) for size in sizes])


def memory_of(node: Node) -> sympy.Expr:
    """Return the bytes of an array; numbers without axes count as none."""
    return entries_of(node.shape) * node.dtype.itemsize if node.shape else ZERO


class Spelled(Protocol):
    """What counting must know of how a program is spelled."""

    def divides(self, node: Node) -> bool:
        """Is this ``1 / y``, and written as a division by y where it is a factor?"""

    def vanishes(self, node: Node) -> bool:
        """Is this written as a division wherever it is used, and so nowhere by itself?"""

    def alone(self, node: Apply) -> bool:
        """Is this, of the results of a call that can return several, the only one that is needed?"""

    def in_part(self, node: Node) -> bool:
        """Is this written into a part of an array that is there already?"""


def count_of(node: Node, spelled: Spelled) -> Count:
    """Count what one node of a prepared graph takes, beside its operands."""
    if isinstance(node, Contract):
        return _count_product(node, spelled.divides, in_part=spelled.in_part(node))
    if isinstance(node, Plus):
        return _count_sum(node, [term for term in node.operands if not spelled.in_part(term)])
    if isinstance(node, Map):
        return ZERO_COUNT if spelled.vanishes(node) else _count_map(node)
    if isinstance(node, Apply) and spelled.in_part(node):
        return _count_part(node)
    if isinstance(node, Apply):
        return _count_primitive(node, spelled.alone(node))
    return Count(bytes=memory_of(node)) if isinstance(node, Ones) else ZERO_COUNT


def _count_part(node: Apply) -> Count:
    """Count what is added to a part of an array, or replaces it."""
    replaces = node.operation.name in ("set_slice", "set_places")
    value = node.operands[1 if replaces else 0]
    entries = entries_of(value.shape)
    return Count(ZERO if replaces else entries, {}, (2 if replaces else 3) * node.dtype.itemsize * entries)


ZERO_COUNT = Count()


# -- sums and products ------------------------------------------------------------------------------------


def _count_sum(node: Plus, whole: Sequence[Node]) -> Count:
    """Count the additions of the terms that are not pieces; pieces go into zeros, or into the sum of the others."""
    start = Count(bytes=memory_of(node)) if len(whole) < len(node.operands) else ZERO_COUNT
    if not whole:
        return start
    first, *rest = map(block_of, whole)
    operations, moved = chained(first, [(block, False) for block in rest], node.dtype)
    return Count.sum([start, Count(operations, {}, moved)])


def _count_product(node: Contract, divides: Callable[[Node], bool], *, in_part: bool = False) -> Count:
    p = classify(node)
    scaled = p.coefficient not in (1, -1)
    if p.kind == "embed":
        return _count_diagonal(node, p, in_part)
    if p.kind in ("hadamard", "scale"):
        return _count_factors(node, p, divides)
    operands = [core for core, _ in p.cores]
    result = memory_of(node)
    if p.kind in ("transpose", "broadcast", "diagonal"):
        return Count(entries_of(node.shape), {}, memory_of(operands[0]) + result) if scaled else ZERO_COUNT
    if p.kind == "fill":
        return Count(bytes=result)
    count = Count(_multiplied_and_added(p), {}, sum(map(memory_of, dict.fromkeys(operands)), result))
    again = Count(entries_of(node.shape), {}, 2 * result) if scaled else ZERO_COUNT
    return Count.sum([count, again])


def _count_factors(node: Contract, p: Product, divides: Callable[[Node], bool]) -> Count:
    """Count a product entry by entry."""
    operations, moved = times_entries(node, p, divides if p.kind == "hadamard" else lambda core: False)
    return Count(operations, {}, moved)


def _count_diagonal(node: Contract, p: Product, in_part: bool) -> Count:
    """Count entries that are formed, and then written to a diagonal of zeros, or added to one that is there."""
    entries = entries_of(p.sizes[label] for label in dict.fromkeys(p.out))
    zeros = ZERO if in_part else memory_of(node)
    if not p.cores:
        return Count(ZERO, {}, zeros)
    operations, moved = times_entries(node, p, lambda core: False)
    return Count(operations, {}, moved + zeros + 2 * entries * node.dtype.itemsize)


def _multiplied_and_added(p: Product) -> sympy.Expr:
    """Count a multiplication, and an addition if the product sums, for each combination of labels."""
    labels = list(dict.fromkeys(label for _, group in p.cores for label in group))
    every = entries_of(p.sizes[label] for label in labels)
    if len(p.cores) == 1:
        return every
    if not any(p.summed(group) for _, group in p.cores):
        return every
    if p.kind == "matmul" and p.cores[0][0] is p.cores[1][0] and _same_axis(p.cores[0][1], p.cores[1][1]):
        return every + entries_of(size for label, size in p.sizes.items() if label != p.out[0])
    return (len(p.cores)) * every


def _same_axis(one: Labels, other: Labels) -> bool:
    return any(a == b for a, b in zip(one, other, strict=True))


# -- elementwise functions --------------------------------------------------------------------------------


def _count_map(node: Map) -> Count:
    steps = _steps(primitive_of(node).numpy, node.operation.text[0], len(node.operands))
    if node.operation.name == "power" and isinstance(node.operands[1], Exact) and node.operands[1].value in (-1, 1, 2):
        steps = ((),)
    entries, result = entries_of(node.shape), memory_of(node)
    functions: dict[str, sympy.Expr] = {}
    for names in steps:
        for name in names:
            functions[name] = functions.get(name, ZERO) + entries
    read = sum((memory_of(operand) for operand in dict.fromkeys(node.operands)), ZERO)
    moved = read + result + 2 * result * (len(steps) - 1) if steps else ZERO
    return Count(len(steps) * entries, functions, moved)


@cache
def _steps(spelling: Any, name: str, arity: int) -> tuple[tuple[str, ...], ...]:
    """Return the operations of a spelling, each with the name of the function that it evaluates, if it is one."""
    if not isinstance(spelling, str):
        return ((name,),)
    if "{" not in spelling:
        function = spelling.rpartition(".")[2]
        return ((),) if function in _CHEAP else ((function,),)
    found: list[tuple[str, ...]] = []
    for part in ast.walk(ast.parse(spelling.format(*(f"operand_{k}" for k in range(arity))), mode="eval")):
        if isinstance(part, ast.Call):
            function = ast.unparse(part.func).rpartition(".")[2]
            found.append(() if function in _CHEAP else (function,))
        elif isinstance(part, ast.BinOp):
            found.append(("power",) if isinstance(part.op, ast.Pow) else ())
        elif isinstance(part, (ast.Compare, ast.UnaryOp)):
            found.append(())
    return tuple(found)


# -- other primitives -------------------------------------------------------------------------------------

_VIEWS = frozenset({"reshape_to", "slice_of", "flip_along", "unpad", "stop_gradient"})

_MOVES = frozenset({
    "tril_at", "triu_at", "diag_at", "concatenate_along", "stack_along", "arange_to", "eye_of", "tri_of", "unslice",
    "set_slice", "gather", "set_places", "take_along", "put_along", "one_hot_of", "roll_along", "pad_zeros",
    "pad_constant", "pad_border", "tile_by", "repeat_along", "shifted_along", "written_last", "astype",
})  # fmt: skip
"""Primitives that only write entries elsewhere."""

_PER_ENTRY = {
    "softmax_over": (5, "exp"), "logsumexp_over": (4, "exp"), "weighted_logsumexp_over": (5, "exp"),
    "norm_over": (2, ""), "var_over": (4, ""), "std_over": (4, ""), "linear_recurrence": (2, ""),
    "product_of_others": (3, ""),
    "over_gaps": (2, ""), "cross_of": (3, ""),
}  # fmt: skip
"""Operations for each entry, where it is not one, and the function that is evaluated for each."""

_SORTS = frozenset({"sort_along", "argsort_along", "quantile_over"})


def _count_primitive(node: Apply, alone: bool) -> Count:
    name = node.operation.name
    result = memory_of(node)
    moved = sum((memory_of(operand) for operand in dict.fromkeys(node.operands)), result)
    if name in _VIEWS:
        return ZERO_COUNT
    if name in _MOVES:
        return Count(bytes=moved if name != "gather" else 2 * result + sum(map(memory_of, node.operands[1:]), ZERO))
    if name in _LINALG:
        return Count(_linear_algebra(node, alone), {}, moved)
    largest = _largest([node, *node.operands])
    if name in _SORTS:
        return Count(_comparisons(node), {}, moved)
    if name == "scatter_add":
        return Count(entries_of(node.operands[0].shape), {}, moved)
    if name == "convolve_along":
        return Count(2 * sympy.Mul(*[entries_of(operand.shape) for operand in node.operands]), {}, moved)
    times, function = _PER_ENTRY.get(name, (1, ""))
    return Count(times * largest, {function: largest} if function else {}, moved)


def _comparisons(node: Apply) -> sympy.Expr:
    """Count the comparisons of sorting along the axes that the first parameter names."""
    axes, shape = node.operation.parameters[0], node.operands[0].shape
    along = entries_of(shape[axis] for axis in ((axes,) if isinstance(axes, int) else axes))
    return entries_of(shape) * sympy.log(along, 2) if along != 0 else ZERO


def _largest(nodes: Sequence[Node]) -> sympy.Expr:
    """Return the greatest number of entries; of symbolic ones that of most axes."""
    return max((entries_of(node.shape) for node in nodes), key=lambda n: (sympy.total_degree(n), n.subs(
        dict.fromkeys(n.free_symbols, sympy.Integer(64)))))  # fmt: skip


def _sides(node: Node) -> tuple[sympy.Expr, sympy.Expr, sympy.Expr]:
    """Return the number of matrices in a stack, and their longer and shorter side."""
    *lead, rows, columns = node.shape
    pair = sympy.sympify(rows, strict=True), sympy.sympify(columns, strict=True)
    return entries_of(lead), sympy.Max(*pair), sympy.Min(*pair)


_THIRD = sympy.Rational(1, 3)

_LINALG: dict[str, Callable[[sympy.Expr, sympy.Expr, bool], sympy.Expr]] = {
    "inv_of": lambda m, n, alone: 2 * n**3,
    "inverse_or_inf": lambda m, n, alone: 2 * n**3,
    "det_gradient": lambda m, n, alone: 22 * n**3,  # by singular values
    "power_of_matrix": lambda m, n, alone: 8 * n**3,  # an exponent of some ten
    "solution": lambda m, n, alone: 2 * _THIRD * n**3,
    "cholesky_of": lambda m, n, alone: _THIRD * n**3,
    "singular_values": lambda m, n, alone: 4 * m * n**2 - 4 * _THIRD * n**3 if alone else 14 * m * n**2 + 8 * n**3,
    **dict.fromkeys(("left_vectors", "right_vectors"), lambda m, n, alone: 14 * m * n**2 + 8 * n**3),
    **dict.fromkeys(("det_of", "det_sign", "logabsdet", "log_det"), lambda m, n, alone: 2 * _THIRD * n**3),
    **dict.fromkeys(("eigenvalues", "eigenvalues_upper"), lambda m, n, alone: (4 * _THIRD if alone else 9) * n**3),
    **dict.fromkeys(("eigenvectors", "eigenvectors_upper"), lambda m, n, alone: 9 * n**3),
    "triangular_factor": lambda m, n, alone: (2 if alone else 4) * (m * n**2 - _THIRD * n**3),
    "orthogonal_factor": lambda m, n, alone: 4 * (m * n**2 - _THIRD * n**3),
}
"""Operations on a matrix with the sides m >= n; `alone`, where fewer results than the call can return are needed."""


def _linear_algebra(node: Apply, alone: bool) -> sympy.Expr:
    matrix = node.operands[0]
    stack, longer, shorter = _sides(matrix)
    count = _LINALG[node.operation.name](longer, shorter, alone)
    if node.operation.name == "solution":
        systems = entries_of(node.shape[:-2] if len(node.operands[1].shape) > 1 else node.shape[:-1])
        return systems * count + 2 * longer * entries_of(node.shape)
    return stack * count
