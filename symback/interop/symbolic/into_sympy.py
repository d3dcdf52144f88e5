"""Nodes as SymPy: scalars, matrices, arrays, and large graphs as pairs."""

from collections.abc import Mapping, Sequence
from typing import Any

import sympy
from sympy.tensor.array.expressions import ArraySymbol

from symback import errors
from symback.errors.symbolic_matrices import NoMatrixError, cannot_stand_for, not_symbols
from symback.graph import toposort
from symback.interop.symbolic.into_arrays import to_array
from symback.interop.symbolic.into_matrices import to_matrix
from symback.interop.symbolic.into_scalars import to_scalar, to_scalars
from symback.interop.symbolic.meant import meant
from symback.interop.symbolic.pairs import to_pairs
from symback.nodes.leaves import Variable
from symback.nodes.node import HOOKS, Node

Symbols = Mapping[Variable, sympy.Basic]


def to_sympy(node: Any, symbols: Symbols | None = None, *, pairs: bool = False, arrays: bool = False) -> Any:
    """Turn a node into a SymPy expression (a relation or logic if it is a scalar of dtype bool).

    A graph of scalars becomes an Expr, one that has matrices a MatrixExpr, one that has more axes an array
    expression. Names given by `let` are seen through. SymPy evaluates and orders what it gets. A fraction with a
    long numerator that a float64 holds exactly becomes a Float (0.1), any other a Rational (1/2).

    Args:
        node: A node; with `pairs`, a list of nodes too.
        symbols: What variables become: an expression for a number, a matrix or an array of the shape of an array (a
            column for a vector). The others become symbols of their names.
        pairs: Return what `sympy.cse` returns: a list of pairs of a symbol and the expression that it stands for,
            in order, and the list of the nodes as expressions of those symbols. What is shared gets a symbol x0,
            x1, … that is not used yet, and so does what nests deeper than 25 levels; scalar sums, products and powers
            stay as they are in the graph. For large graphs: the work is linear, and nothing recurses.
        arrays: Return an array expression, whatever the number of axes.

    Raises:
        UsageError: If a node has no counterpart in SymPy, or `symbols` is no dict from variables to expressions.
        ShapeError: If what a variable becomes has another shape.
        InvalidNameError: If two variables would become one symbol.

    Example:
        >>> import symback as sb
        >>> x = sb.tensor("x")
        >>> sb.to_sympy(sb.where(x > 0, sb.exp(-x), 1))
        Piecewise((exp(-x), x > 0), (1, True))
        >>> y = sb.sin(x)
        >>> sb.to_sympy(y / (1 + y), pairs=True)
        ([(x0, sin(x))], [x0/(x0 + 1)])
        >>> sb.to_sympy(sb.tensor("A", (2, 3, 4)).sum(axis=1))
        ArrayContraction(A, (1,))
    """
    given = _checked(symbols)
    if pairs:
        return to_pairs(_nodes(node), given, to_array if arrays else _one)
    (found,) = _nodes([node])
    return to_array(found, given) if arrays else _one(found, given)


def _checked(symbols: Any) -> dict[Variable, sympy.Basic]:
    """Return what variables become, if they can become that."""
    if symbols is None:
        return {}
    if not isinstance(symbols, Mapping):
        raise not_symbols(symbols)
    found: dict[Variable, sympy.Basic] = {}
    for variable, given in symbols.items():
        expr = given.as_immutable() if isinstance(given, (sympy.MatrixBase, sympy.NDimArray)) else given
        expr = sympy.Integer(expr) if type(expr) is int else sympy.Float(expr) if type(expr) is float else expr
        if not isinstance(variable, Variable) or not isinstance(expr, sympy.Basic) or isinstance(expr, Node):
            raise not_symbols({variable: given})
        if not _fits(variable, getattr(expr, "shape", ())):
            raise cannot_stand_for(variable, expr, getattr(expr, "shape", ()))
        found[variable] = expr
    return found


def _fits(variable: Variable, shape: Any) -> bool:
    """Can something of this shape stand for a variable: is it equal, or a column for a vector?"""
    sizes = tuple(shape or ())
    wanted = variable.shape if len(sizes) == variable.ndim else (*variable.shape, 1)
    pairs = zip(wanted, sizes, strict=False)
    return len(sizes) in {variable.ndim, 2 * (variable.ndim == 1)} and not any(_differ(*pair) for pair in pairs)


def _differ(one: Any, other: Any) -> bool:
    """Are these sizes two different integers?"""
    return all(sympy.sympify(size, strict=True).is_Integer for size in (one, other)) and int(one) != int(other)


def _nodes(given: Any) -> Sequence[Node]:
    nodes = list(given) if isinstance(given, (list, tuple)) else [given]
    for node in nodes:
        if not isinstance(node, Node):
            raise errors.not_convertible("to_sympy", node, "give a node; with pairs=True, a node or a list of nodes")
    return meant(nodes)


def _all(nodes: Sequence[Node], symbols: Symbols) -> list[sympy.Basic]:
    """Turn nodes into expressions; scalar graphs share their parts."""
    nodes = meant(nodes)
    if all(part.ndim == 0 for part in toposort(nodes)):
        return to_scalars(nodes, symbols)
    return [_one(node, symbols) for node in nodes]


def _one(node: Node, symbols: Symbols) -> sympy.Basic:
    """Turn a node into what suits the number of axes of its graph."""
    rank = max(len(part.shape) for part in toposort([node]))
    if rank == 0:
        return to_scalar(node, symbols)
    if rank > 2 or any(isinstance(symbol, ArraySymbol) for symbol in symbols.values()):
        return to_array(node, symbols)
    try:
        return to_matrix(node, symbols)
    except NoMatrixError as refused:
        return _array_or(refused, node, symbols)


def _array_or(refused: NoMatrixError, node: Node, symbols: Symbols) -> sympy.Basic:
    """Write as an array expression what no matrix expression says; if that has no counterpart either, say the first."""
    try:
        return to_array(node, symbols)
    except errors.UsageError:
        raise refused from None


HOOKS["to_sympy"] = _all
