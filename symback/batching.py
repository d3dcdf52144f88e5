"""`batch`: a graph written for one example becomes the graph for many."""

from collections.abc import Mapping, Sequence
from typing import Any

from symback import errors
from symback.derive.batch import batched
from symback.graph import toposort
from symback.interop.symbolic.conversion import Conversion
from symback.interop.symbolic.explicit import is_explicit, variables_in
from symback.nodes.apply import Named
from symback.nodes.contract import Contract, contract
from symback.nodes.dtypes import is_float
from symback.nodes.leaves import Variable, exact
from symback.nodes.node import Node, Param
from symback.nodes.products import broadcast_to
from symback.nodes.shapes import SizeExpr, as_shape, as_size
from symback.ops.reductions.sums import average_of, mean, real
from symback.ops.reductions.sums import sum as total
from symback.structure import Nested, refill

_REDUCE = (None, "mean", "sum")


def batch(expr: Nested, variables: Mapping[Any, Any], reduce: str | None = None) -> Nested:
    """Turn a graph for one example into the graph for a batch of them, without a loop or a copy.

    Args:
        expr: A node, or a list, tuple or dict of nodes, nested at will; SymPy expressions are taken as nodes.
        variables: What differs from example to example, by name or as variables, and how many examples there are:
            an integer or the name of a size, one for all. A variable of shape (...) becomes one of the same name and
            dtype and of shape (N, ...). All others are shared by the examples. An ImmutableMatrix of SymPy symbols
            stands for each of them (a Matrix cannot be the key of a dict).
        reduce: None for the results of all examples, ``"mean"`` for their average, ``"sum"`` for their sum.

    Returns:
        The structure of `expr`: nodes of shape (N, ...) if `reduce` is None, otherwise of the shapes that one example
        gives. Names given by `let` stay; with `reduce`, that of a result is the name of the average or sum.

    Raises:
        InputError: If a key is no variable of the graph, a size is none, sizes differ, or `reduce` is unknown.
        UsageError: If a primitive that was declared without a batch rule cannot be batched.

    Example:
        >>> import symback as sb
        >>> W, x, y = sb.tensor("W", ("m", "n")), sb.tensor("x", ("n",)), sb.tensor("y", ("m",))
        >>> cost = sb.batch(sb.sum((W @ x - y) ** 2) / 2, {"x": "N", "y": "N"}, reduce="mean")
        >>> X, Y = sb.tensor("x", ("N", "n")), sb.tensor("y", ("N", "m"))
        >>> f = sb.lambdify([W, X, Y], sb.grad(cost, W), name="gradient", check=False)
        >>> print(f.source.splitlines()[-2].strip())
        d_W = ((x @ W.T - y) / N).T @ x
    """
    if reduce not in _REDUCE:
        raise errors.bad_option("batch", "reduce", reduce, _REDUCE)
    given = Conversion(expr)
    outputs = given.arrays("batch", expr)
    wider, size = _widened(given, variables, outputs)
    found = batched(outputs, wider, _names_of(outputs) if reduce else ())
    return refill(expr, [_result(output, found[output], size, reduce) for output in outputs])


def _names_of(outputs: Sequence[Node]) -> set[Node]:
    """Return the names that outputs have: they are those of averages or sums, not of what is averaged."""
    names = set()
    for node in outputs:
        while isinstance(node, Named):
            names.add(node)
            node = node.operands[0]
    return names


def _widened(given: Conversion, variables: Any, outputs: Sequence[Node]) -> tuple[dict[Node, Node], SizeExpr]:
    """Return for each batched variable the one with the axis of the examples, and their number."""
    if not isinstance(variables, Mapping) or not variables:
        raise errors.batch_no_mapping(variables)
    order = toposort(outputs)
    sizes = [(key, _size(key, value, order)) for key, value in _one_by_one(variables)]
    first, size = sizes[0]
    for other, second in sizes:
        if second != size:
            raise errors.batch_two_sizes(_shown(first), size, _shown(other), second)
    found = [_variable(given, key, order) for key, _ in sizes]
    return {x: Variable(x.label, Param(as_shape((size, *x.shape))), Param(x.dtype.name)) for x in found}, size


def _one_by_one(variables: Mapping[Any, Any]) -> list[tuple[Any, Any]]:
    """Return keys and values, each symbol of a matrix by itself."""
    return [(one, value) for key, value in variables.items() for one in _parts_of(key)]


def _parts_of(key: Any) -> list[Any]:
    return (variables_in(key) if is_explicit(key) else []) or [key]


def _shown(key: Any) -> str:
    return key.short() if isinstance(key, Node) else str(key)


def _size(key: Any, value: Any, order: Sequence[Node]) -> SizeExpr:
    names = [node.name for node in order if isinstance(node, Variable)]
    try:
        size = as_size(value)
    except errors.ShapeError:
        raise errors.batch_size(_shown(key), value, names) from None
    if isinstance(value, str) and value in names:
        raise errors.batch_size(_shown(key), value, names)
    return size


def _variable(given: Conversion, key: Any, order: Sequence[Node]) -> Variable:
    """Return the variable that a key means: its name, itself, or a SymPy symbol."""
    named = [node for node in order if isinstance(node, (Variable, Named))]
    if isinstance(key, str):
        found = [node for node in named if node.name == key]
    else:
        nodes = () if isinstance(key, tuple) else given.nodes(key)
        found = [node for node in nodes if node in order]
    variables = [node for node in found if isinstance(node, Variable)]
    if len(variables) > 1:
        raise errors.name_clash(variables[0].name, variables[0], variables[1])
    if found and not variables:
        raise errors.batch_of_computed(found[0])
    if not found:
        raise errors.batch_no_variable(_shown(key), [node.name for node in named if isinstance(node, Variable)])
    return variables[0]


def _result(output: Node, found: Node, size: SizeExpr, reduce: str | None) -> Node:
    """Return what is asked for of the values of an output for all examples, or of one value that is that of each."""
    if found is output:
        repeated = broadcast_to(found, (size, *output.shape))
        return mean(found, axis=()) if reduce == "mean" else repeated if reduce is None else total(repeated, axis=0)
    if reduce is None:
        return found
    value = average_of(_total(real(found)), size) if reduce == "mean" else _total(found)
    return Named(output.label, value) if isinstance(output, Named) and value.operands else value


def _total(values: Node) -> Node:
    """Add up the examples; in one sum with the one that a loss is."""
    if not isinstance(values, Contract) or not is_float(values.dtype):
        return total(values, axis=0)
    coefficient, cores, ones, out = values.parts()
    if len(cores) == 1 and not ones and isinstance(cores[0][0], Contract) and cores[0][1] == out:
        inner = cores[0][0].subscripts
        if inner.summed and inner.distinct:
            terms = list(zip(cores[0][0].operands, inner.inputs, strict=True))
            return contract([(exact(coefficient), ()), *terms], inner.out[1:])
    return total(values, axis=0)
