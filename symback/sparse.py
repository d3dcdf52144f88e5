"""Sparse derivatives: where their entries are, and functions that compute those alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import sympy

from symback import errors
from symback.check.evaluate import Evaluation
from symback.codegen.passes.contraction import size_hints
from symback.derive import reverse
from symback.derive.forward import push
from symback.derive.pieces import in_ranges
from symback.derive.sparsity import compressed
from symback.derive.sparsity.entries import Filled, by_rows, coordinates, filled, is_known
from symback.derive.sparsity.entry_sets import EntrySets, distinct
from symback.derive.sparsity.pattern import SparsityPattern, joined
from symback.derive.sparsity.places import Place, Term
from symback.derive.sparsity.propagation import entry_sets
from symback.derive.sparsity.terms import terms_of
from symback.graph import replaced, toposort
from symback.interop.symbolic.conversion import Conversion
from symback.interop.symbolic.explicit import grouped
from symback.nodes.add import Plus
from symback.nodes.apply import Apply, Map, Named
from symback.nodes.dtypes import is_float
from symback.nodes.labels import Label
from symback.nodes.leaves import Leaf, Size, Variable, constant
from symback.nodes.node import METHODS, Node
from symback.nodes.products import full
from symback.nodes.shapes import Shape, SizeExpr, product, size_symbols
from symback.nodes.substitute import map_sizes, substitute
from symback.ops.elementwise.logic import astype
from symback.ops.numerics.sparse import sizes_as_in_pattern
from symback.rewrite.stability import stabilise
from symback.structure import Nested, Packed, refill

Sizes = Mapping[str, int] | None

_SCIPY = (("scipy", "sparse"),)
_DATA = Label("data", None, "guard")
_BROUGHT = ("concatenate_along", "gather", "scatter_add", "unslice")


@dataclass(frozen=True, eq=False, repr=False)
class SparseMatrix(Packed):
    """A sparse derivative: an output for `lambdify`, whose function returns it as a `scipy.sparse.csr_array`.

    Attributes:
        shape: Numbers of rows and columns, symbolic ones too.
        pattern: Where the entries are; None if that depends on symbolic sizes.
        colours: How many products with the matrix it takes; None if the entries are written directly.
    """

    shape: tuple[SizeExpr, SizeExpr] = (0, 0)
    pattern: SparsityPattern | None = None
    colours: int | None = None

    def __repr__(self) -> str:
        entries = "" if self.pattern is None else f", nnz={self.pattern.nnz}"
        told = "entries written directly" if self.colours is None else f"{self.colours} colours"
        return f"SparseMatrix(shape=({self.shape[0]}, {self.shape[1]}){entries}, {told})"


def sparsity(output: Any, wrt: Nested, *, sizes: Sizes = None) -> Nested:
    """Return which entries of a Jacobian may differ from zero, told from the graph.

    The pattern holds at every point: it has all entries that are not zero anywhere, and for the usual operations no
    others. Conditions, indices and what `stop_gradient` holds carry no derivative. An entry taken at an index that only
    the call gives may be any entry of its axis.

    Args:
        output: A node of a float dtype.
        wrt: Variables or intermediate nodes, one or a structure of them.
        sizes: How large the symbolic sizes are, ``{"n": 100}``: a pattern needs numbers.

    Returns:
        The structure of `wrt` with a `SparsityPattern` of shape (output.size, wrt.size) each; both are unravelled in
        row-major order. A variable that the output does not depend on has no entries.

    Raises:
        InputError: If a symbolic size is not given, or the pattern has more than 2**28 entries.
        UsageError: If the output is a structure of nodes.
        DtypeError: If the output or a variable is not real-valued.

    Example:
        >>> import symback as sb
        >>> x = sb.tensor("x", ("n",))
        >>> print(sb.sparsity(sb.diff(x) ** 2, x, sizes={"n": 4}))
        xx..
        .xx.
        ..xx
    """
    given = Conversion(output)
    node, variables = given.one_node("sparsity", output), given.variables(wrt)
    reverse.check_wrt("sparsity", [node], variables, "zero")
    reverse.check_output("sparsity", node)
    hints = size_hints("sparsity", sizes, toposort([node, *variables]))
    found = _patterns("sparsity", [node], variables, hints)[0]
    return refill(wrt, [joined([row]) for row in grouped(wrt, found)])


def hessian_sparsity(loss: Any, wrt: Nested, *, sizes: Sizes = None) -> Nested:
    """Return which entries of a Hessian may differ from zero: the pattern of the Jacobian of the gradient.

    Args:
        loss: A node of shape ().
        wrt: One variable, or a list (or other structure) of them.
        sizes: How large the symbolic sizes are, as for `sparsity`.

    Returns:
        For one variable a `SparsityPattern`, for a list a list of lists of them.

    Raises:
        InputError, UsageError: As `sparsity` does.
        DerivativeError: If the loss is not scalar.

    Example:
        >>> import symback as sb
        >>> x = sb.tensor("x", (4,))
        >>> print(sb.hessian_sparsity(sb.sum(sb.diff(x) ** 2), x))
        xx..
        xxx.
        .xxx
        ..xx
    """
    given = Conversion(loss)
    node, variables = given.loss("hessian_sparsity", loss), given.variables(wrt)
    if node.shape != ():
        raise errors.not_scalar("hessian_sparsity", node)
    reverse.check_output("hessian_sparsity", node)
    reverse.check_wrt("hessian_sparsity", [node], variables, "zero")
    hints = size_hints("hessian_sparsity", sizes, toposort([node, *variables]))
    rows = _patterns("hessian_sparsity", reverse.grad(node, variables, disconnected="zero"), variables, hints)
    bands = [zip(*[grouped(wrt, row) for row in band], strict=True) for band in grouped(wrt, rows)]
    return refill(wrt, [refill(wrt, map(joined, band)) for band in bands])


def _patterns(
    operation: str, outputs: Sequence[Node], wrt: Sequence[Node], sizes: Mapping[str, int]
) -> list[list[SparsityPattern]]:
    """Return a row of patterns for each output."""
    bound, variables = _bound(operation, outputs, wrt, sizes)
    columns = [[_pattern(sets) for sets in entry_sets(bound, variable)] for variable in variables]
    return [[column[k] for column in columns] for k in range(len(outputs))]


def _pattern(sets: EntrySets) -> SparsityPattern:
    return SparsityPattern((len(sets), sets.width), *sets.spelled_out())


# -- numbers for symbolic sizes, and for what is computed from constants ------------------------------------


def _bound(
    operation: str, outputs: Sequence[Node], wrt: Sequence[Node], sizes: Mapping[str, int]
) -> tuple[list[Node], list[Node]]:
    """Return outputs and variables with numbers for sizes, in which indices that depend on no input are constants."""
    roots = [*outputs, *wrt]
    missing = _missing(roots, sizes)
    if missing:
        raise errors.sizes_needed(operation, missing, outputs[0])
    if sizes:
        roots = [_with_numbers(node, sizes) for node in roots]
    folded = _folded(roots)
    return [folded[node] for node in roots[: len(outputs)]], [folded[node] for node in roots[len(outputs) :]]


def _with_numbers(node: Node, sizes: Mapping[str, int]) -> Node:
    """Put numbers for symbolic sizes; one table may serve graphs that lack some of them."""
    own = {symbol.name for part in toposort([node]) for symbol in _symbols_in(part)}
    return substitute(node, {name: number for name, number in sizes.items() if name in own}) if own else node


def _missing(roots: Sequence[Node], sizes: Mapping[str, int]) -> list[str]:
    """Return the names of symbolic sizes that are not given."""
    return sorted({symbol.name for node in toposort(roots) for symbol in _symbols_in(node)} - sizes.keys())


def _symbols_in(node: Node) -> set[sympy.Symbol]:
    found: set[sympy.Symbol] = set()

    def collect(size: SizeExpr) -> SizeExpr:
        found.update(size_symbols(size))
        return size

    own = node.operation.parameters if isinstance(node, Apply) else ()
    map_sizes((*node.shape, *own, node.size if isinstance(node, Size) else 0), collect)
    return found


def _folded(roots: Sequence[Node]) -> dict[Node, Node]:
    """Map nodes to what they are when indices that no input changes are constants."""
    order = toposort(roots)
    fixed: set[Node] = set()
    for node in order:
        if not isinstance(node, Variable) and all(operand in fixed for operand in node.operands):
            fixed.add(node)
    taking = [node for node in order if isinstance(node, Apply) and not isinstance(node, Map) and node not in fixed]
    wanted = [x for node in taking for x in node.operands if x in fixed and not is_float(x.dtype)]
    computed = [x for x in dict.fromkeys(wanted) if not isinstance(x, Leaf)]
    values = Evaluation({})(computed) if computed else []
    given: dict[Node, Node] = {x: constant(value) for x, value in zip(computed, values, strict=True)}
    return replaced(roots, given)


# -- matrices ------------------------------------------------------------------------------------------------


def sparse_jacobian(
    output: Node, wrt: Sequence[Node], *, disconnected: str = "error", sizes: Sizes = None
) -> list[SparseMatrix]:
    """Return the derivatives of `output` by each of `wrt` as sparse matrices of shape (output.size, wrt.size)."""
    reverse.check_wrt("jacobian", [output], wrt, disconnected)
    reverse.check_output("jacobian", output)
    hints = size_hints("jacobian", sizes, toposort([output, *wrt]))
    (output,) = stabilise([output], wrt)
    return [_sparse("jacobian", output, variable, hints, symmetric=False) for variable in wrt]


def sparse_hessian(
    loss: Node, wrt: Sequence[Node], *, disconnected: str = "error", sizes: Sizes = None
) -> list[list[SparseMatrix]]:
    """Return the second derivatives of a scalar as sparse matrices, a block for each pair of `wrt`."""
    reverse.check_loss(loss, wrt, disconnected)
    hints = size_hints("hessian", sizes, toposort([loss, *wrt]))
    (loss,) = stabilise([loss], wrt)
    gradients = stabilise(reverse.grad(loss, wrt, disconnected="zero"), wrt)
    return [
        [_sparse("hessian", gradient, other, hints, symmetric=other is variable) for other in wrt]
        for gradient, variable in zip(gradients, wrt, strict=True)
    ]


def _sparse(operation: str, output: Node, wrt: Node, sizes: Mapping[str, int], *, symmetric: bool) -> SparseMatrix:
    """Write the entries directly where the closed form shows them, else find them by colours."""
    missing = _missing([output, wrt], sizes)
    given, variable = output, wrt
    if not missing:
        (given,), (variable,) = _bound(operation, [output], [wrt], sizes)
    (closed,) = reverse.jacobian(given, [variable], disconnected="zero")
    made = _written(closed, given.shape, variable)
    if made is None and missing:
        raise errors.sizes_needed(operation, missing, output)
    if made is None:
        made = _coloured(given, variable, closed, symmetric=symmetric)
    return made if missing or made.pattern is None else _of_any_size(made, output, wrt, sizes)


def _written(closed: Node, rows: Shape, variable: Node) -> SparseMatrix | None:
    """Write the entries directly; None if the closed form is dense, or entries of one term meet."""
    terms, columns = terms_of(closed), variable.shape
    if terms is None or (rows and columns and any(term.is_whole for term in terms)):
        return None
    if not terms:
        terms = [Term(full((0,), 0, variable), tuple(Place(0, 0, None) for _ in closed.shape))]
    if is_known(terms, closed.shape):
        found = filled(terms, rows, columns)
        return None if found is None else _filled(found, rows, columns)
    shape = product(rows), product(columns)
    placed = by_rows(terms, rows, columns)
    if placed is not None:
        template = "sparse.csr_array(({0}, {1}, {2}), shape={shape})"
        parts = placed.data, placed.columns, placed.rows
    else:
        template = "sparse.coo_array(({0}, ({1}, {2})), shape={shape}).tocsr()"
        parts = coordinates(terms, rows, columns)
    return SparseMatrix(tuple(parts), template, {"shape": shape}, _SCIPY, shape=shape)


def _coloured(output: Node, wrt: Node, closed: Node, *, symmetric: bool) -> SparseMatrix:
    """Compute the entries by colours, unless there is one for each."""
    pattern = _pattern(entry_sets([output], wrt)[0])
    if symmetric:
        pattern = SparsityPattern(pattern.shape, *_mirrored(pattern.rows, pattern.columns, pattern.shape[0]))
    entries = pattern.rows, pattern.columns
    if not pattern.nnz:
        return _packed(full((0,), 0, wrt), pattern, None)
    if pattern.density == 1:
        return _packed(METHODS["reshape"](closed, (pattern.nnz,)), pattern, None)
    if symmetric:
        chosen = compressed.hessian_colours(entries, pattern.shape[0])
    else:
        chosen = compressed.jacobian_colours(entries, pattern.shape)
    return _packed(compressed.entries_of(_sums(output, wrt, chosen), chosen), pattern, chosen.number)


def _sums(output: Node, wrt: Node, chosen: compressed.Colours) -> Node:
    """Return the sums of all columns, or rows, of one colour, by one sweep with a leading axis for the colours."""
    if chosen.along == "columns":
        (sums,) = push([output], {wrt: compressed.seeds_of(chosen, wrt)}, (chosen.number,))
        return astype(sums, wrt.dtype)
    found = reverse.backpropagate([(output, compressed.seeds_of(chosen, output))], [wrt])
    return reverse.result_of(found.get(wrt), wrt, (chosen.number,))


def _filled(found: Filled, rows: Shape, columns: Shape) -> SparseMatrix:
    height, width = int(product(rows)), int(product(columns))
    return _packed(found.data, SparsityPattern((height, width), *np.divmod(found.keys, max(width, 1))), None)


def _named(data: Node) -> Node:
    """Name entries that were brought into their order; others are something else already."""
    brought = isinstance(data, Plus) or (isinstance(data, Apply) and data.operation.name in _BROUGHT)
    return Named(_DATA, data) if brought else data


def _mirrored(rows: Any, columns: Any, size: int) -> tuple[Any, Any]:
    """Return a pattern with the mirror image of each entry: a graph may be wider on one side."""
    both = distinct(np.concatenate([rows * size + columns, columns * size + rows]))
    found = np.divmod(both, max(size, 1))
    return found[0], found[1]


def _packed(data: Node, pattern: SparsityPattern, colours: int | None) -> SparseMatrix:
    """Return the matrix of a pattern that is known."""
    small = np.int32 if max(pattern.nnz, *pattern.shape) < 2**31 else np.int64
    indices, starts = pattern.columns.astype(small), pattern.indptr.astype(small)
    return SparseMatrix(
        (_named(data),), "sparse.csr_array(({0}, {indices}.copy(), {indptr}.copy()), shape={shape})",
        {"indices": indices, "indptr": starts, "shape": pattern.shape}, _SCIPY,
        shape=pattern.shape, pattern=pattern, colours=colours,
    )  # fmt: skip


def _of_any_size(made: SparseMatrix, output: Node, wrt: Node, sizes: Mapping[str, int]) -> SparseMatrix:
    """Put the inputs of symbolic sizes back; at the call, sizes are held against those of the pattern."""
    given: dict[Node, Node] = {}
    for variable in (node for node in toposort([output, wrt]) if isinstance(node, Variable)):
        fixed = _with_numbers(variable, sizes)
        if fixed is not variable:
            entries = [None if size == whole else (0, size, 1) for size, whole in _pairs(fixed, variable)]
            given[fixed] = in_ranges(variable, tuple(entries))
    if not given:
        return made
    restored = replaced(made.parts, given)
    symbols = sorted({symbol for node in toposort([output, wrt]) for symbol in _symbols_in(node)}, key=str)
    parameters = {
        **made.parameters, "sizes": tuple(symbols), "wanted": tuple(sizes[symbol.name] for symbol in symbols),
    }  # fmt: skip
    return replace(
        made, parts=tuple(restored[part] for part in made.parts), parameters=parameters, helpers=(sizes_as_in_pattern,),
        template=made.template.replace("{shape}", "sizes_as_in_pattern({shape}, {sizes}, {wanted})"),
    )  # fmt: skip


def _pairs(one: Node, other: Node) -> list[tuple[SizeExpr, SizeExpr]]:
    return list(zip(one.shape, other.shape, strict=True))
