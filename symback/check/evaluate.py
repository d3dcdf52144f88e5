"""The oracle: the value of a graph, node by node, as the graph is written.

One function for each kind of node; nothing is rewritten and no code is generated. Every pass and all
emitted code are held against it. It checks the graph as it goes: each value must have exactly the
shape and the dtype that its node declares.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np
import sympy

from symback import errors
from symback.check.arithmetic import NUMPY, Arithmetic, HighPrecision
from symback.check.binding import Bindings, Sizes, bound_shape, bound_size, read_sizes, resolve
from symback.graph import dependents, toposort
from symback.nodes.add import Plus
from symback.nodes.apply import Apply, Map, Named
from symback.nodes.contract import Contract
from symback.nodes.leaves import Constant, Exact, Ones, Size, as_node, exact_from_sympy
from symback.nodes.node import HOOKS, Node
from symback.nodes.shapes import SizeExpr, size_symbol
from symback.nodes.substitute import map_sizes
from symback.structure import Nested, leaves_of, refill


def evaluate(outputs: Nested, bindings: Bindings, arithmetic: Arithmetic = NUMPY) -> Any:
    """Evaluate nodes on arrays, without rewriting and without generating code.

    Args:
        outputs: A node, or a list, tuple or dict of nodes, nested at will, of any shape.
        bindings: From variables, or their names, to arrays or numbers. Symbolic sizes are read from their
            shapes. An intermediate node may be bound too: its value is then taken as given.
        arithmetic: `NUMPY`, `WIDE` (float64 for float32) or `HighPrecision(digits)` of
            `symback.check.arithmetic`.

    Returns:
        Arrays of the shapes and dtypes of the nodes, in the structure of `outputs`.

    Raises:
        InputError: If a variable has no value, a name is unknown, or a size cannot be read from a shape.
        ShapeError: If the shapes of the values do not fit the variables.
        DtypeError: If a value would lose by conversion to the dtype of its variable.
        InconsistentGraphError: If a node's value does not have the shape and dtype it declares.

    Example:
        >>> import numpy as np
        >>> import symback as sb
        >>> from symback.check.evaluate import evaluate
        >>> x = sb.tensor("x", ("n",))
        >>> float(evaluate(sb.sum(x * x), {"x": np.array([1.0, 2.0])}))
        5.0
    """
    roots = [as_node(leaf) for leaf in leaves_of(outputs)]
    return Evaluation(resolve("evaluate", roots, bindings), arithmetic)(outputs)


def evaluate_all(roots: Sequence[Node], bindings: Bindings, arithmetic: Arithmetic = NUMPY) -> dict[Node, Any]:
    """Return the values of all nodes that the roots need; exact numbers are scalars of the arithmetic."""
    return Evaluation(resolve("evaluate", roots, bindings), arithmetic).all_of(roots)


class Evaluation:
    """The values of graphs at one point: what graphs share is computed once, however often it is asked for."""

    def __init__(self, given: Mapping[Node, Any], arithmetic: Arithmetic = NUMPY, sizes: Sizes | None = None) -> None:
        """Take the value of each variable, and of any other node whose value is to be taken as given.

        Symbolic sizes that no shape of a given value shows may be given too.
        """
        self._values: dict[Node, Any] = {node: arithmetic.array(array, node.dtype) for node, array in given.items()}
        self._walk = _Walk({**(sizes or {}), **read_sizes("evaluate", self._values)}, arithmetic)

    def size(self, size: SizeExpr) -> int:
        """Return a size as an integer."""
        return bound_size("evaluate", size, self._walk.sizes)

    def value(self, node: Node, operands: Sequence[Any], *, checked: bool = True) -> Any:
        """Return the value of one node on other operands; `checked` holds it against the shape that it declares."""
        with np.errstate(all="ignore"):
            if checked:
                return self._walk.value(node, list(operands))
            return self._walk.rules[type(node)](node, list(operands))

    def __call__(self, outputs: Nested) -> Any:
        """Return the values of nodes in the structure of `outputs`, as `evaluate` does."""
        roots = [as_node(leaf) for leaf in leaves_of(outputs)]
        values, array = self.all_of(roots), self._walk.arithmetic.array
        return refill(outputs, [array(values[root], root.dtype) for root in roots])

    def all_of(self, roots: Sequence[Node]) -> dict[Node, Any]:
        """Return the value of every node that was needed so far, those of `roots` among them."""
        values = self._values
        # The oracle reports values: what the branch not taken does is no concern of its caller.
        with np.errstate(all="ignore"):
            for node in toposort(roots, stops=values):
                if node not in values:
                    values[node] = self._walk.value(node, [values[operand] for operand in node.operands])
        return values


class _Walk:
    """The rules for each kind of node, for known sizes and an arithmetic."""

    def __init__(self, sizes: Sizes, arithmetic: Arithmetic) -> None:
        self.sizes = sizes
        self.arithmetic = arithmetic
        self.rules: dict[type[Node], Callable[[Any, list[Any]], Any]] = {
            Exact: lambda node, operands: arithmetic.number(node.value),
            Constant: lambda node, operands: arithmetic.array(node.array, node.dtype),
            Ones: lambda node, operands: arithmetic.array(np.ones(self.shape(node)), node.dtype),
            Size: lambda node, operands: arithmetic.number(bound_size("evaluate", node.size, sizes)),
            Named: lambda node, operands: arithmetic.array(operands[0], node.dtype),
            Plus: self.add,
            Contract: self.contract,
            Map: self.apply,
            Apply: self.apply,
        }

    def shape(self, node: Node) -> tuple[int, ...]:
        """Return the shape of a node as integers."""
        return bound_shape("evaluate", node.shape, self.sizes)

    def value(self, node: Node, operands: list[Any]) -> Any:
        """Return the value of a node, checked against its declared shape and dtype."""
        rule = self.rules.get(type(node))
        if rule is None:
            raise errors.no_evaluation(type(node).__name__)
        value = rule(node, operands)
        if node.is_weak:
            return value
        shape, dtype = self.shape(node), self.arithmetic.dtype(node.dtype)
        found = np.asarray(value)
        if found.shape != shape or found.dtype != dtype:
            raise errors.inconsistent_graph(node, shape, dtype, found.shape, found.dtype)
        return found

    def strong(self, node: Node, operands: list[Any]) -> list[Any]:
        """Bring the operands to the node's dtype, exact numbers and sizes excepted: they are weak."""
        dtype = self.arithmetic.dtype(node.dtype)
        pairs = zip(node.operands, operands, strict=True)
        return [
            value if operand.is_weak or value.dtype == dtype else self.arithmetic.array(value, node.dtype)
            for operand, value in pairs
        ]

    def add(self, node: Plus, operands: list[Any]) -> Any:
        """Add the terms from left to right; a number that was subtracted wraps around as the result does."""
        terms = self.strong(node, operands)
        if node.dtype.kind in "iu":
            terms = [np.asarray(term).astype(node.dtype) if type(term) is int else term for term in terms]
        return reduce(np.add, terms)

    def contract(self, node: Contract, operands: list[Any]) -> Any:
        """Multiply and sum by `numpy.einsum`; write to a diagonal where an output label repeats."""
        coefficient, out = node.parts().coefficient, node.subscripts.out
        pairs = list(zip(node.operands, self.strong(node, operands), node.subscripts.inputs, strict=True))
        if type(node.operands[0]) is Exact:
            pairs = pairs[1:]
        distinct = list(dict.fromkeys(out))
        arguments: list[Any] = []
        for operand, value, labels in pairs:
            arguments += [self.arithmetic.array(value, node.dtype) if operand.is_weak else value, list(labels)]
        product = self.arithmetic.array(np.einsum(*arguments, distinct), node.dtype)
        if coefficient == -1:
            product = np.negative(product)
        elif coefficient != 1:
            product = np.multiply(product, self.arithmetic.number(coefficient))
        if len(distinct) == len(out):
            return product
        result = np.zeros(self.shape(node), dtype=product.dtype)
        result[full_index(out, dict(zip(distinct, product.shape, strict=True)))] = product
        return self.arithmetic.array(result, node.dtype)

    def apply(self, node: Apply, operands: list[Any]) -> Any:
        """Apply a primitive; its symbolic sizes are known here."""

        def replace(size: Any) -> int:
            return bound_size("evaluate", size, self.sizes)

        if not isinstance(node, Map):  # scalars are weak in promotion, which only elementwise functions leave to NumPy
            pairs = zip(node.operands, operands, strict=True)
            operands = [self.arithmetic.array(v, node.dtype) if o.is_weak else v for o, v in pairs]
        return self.arithmetic.apply(node, operands, map_sizes(node.operation.parameters, replace))


def stopped(root: Node) -> list[Node]:
    """Return the nodes that hold what `stop_gradient` returns: derivatives take their values as constant."""
    return [node for node in toposort([root]) if isinstance(node, Apply) and node.operation.name == "stop_gradient"]


def full_index(labels: Sequence[int], sizes: dict[int, int]) -> tuple[Any, ...]:
    """Return the index of the places where axes with one label agree: a result axis for each distinct label."""
    distinct = list(dict.fromkeys(labels))
    places = np.ix_(*[np.arange(sizes[label]) for label in distinct])
    return tuple(places[distinct.index(label)] for label in labels)


def function_of(output: Node, node: Node, bindings: Bindings, arithmetic: Arithmetic = NUMPY) -> Callable[[Any], Any]:
    """Return the value of `output` as a function of the value of `node`; only what depends on it is computed again."""
    given = resolve("evaluate", [output], bindings)
    walk = _Walk(read_sizes("evaluate", given), arithmetic)
    values = evaluate_all([output], {key: value for key, value in bindings.items() if key is not output}, arithmetic)
    reached = dependents([output], [node])
    later = [n for n in toposort([output], stops={*given, node}) if n in reached and n is not node and n not in given]

    def call(value: Any) -> Any:
        new = {node: arithmetic.array(value, node.dtype)}
        with np.errstate(all="ignore"):
            for current in later:
                operands = [new[operand] if operand in new else values[operand] for operand in current.operands]
                new[current] = walk.value(current, operands)
        return arithmetic.array(new[output] if output in new else values[output], output.dtype)

    return call


def evalf(node: Node, digits: int, values: Mapping[Any, Any]) -> sympy.Basic:
    """Return the value of a graph in a number of digits, as SymPy writes it; see `Node.evalf`."""
    arithmetic = HighPrecision(digits)
    sizes: Sizes = {}
    given: dict[Any, Any] = {}
    symbols = {symbol.name for symbol in node.free_symbols if isinstance(symbol, sympy.Symbol)}
    for key, value in values.items():
        name = key if isinstance(key, Node) else str(getattr(key, "name", key))
        if name in symbols:
            sizes[size_symbol(str(name))] = int(value)
        else:
            given[name] = _with_digits(value, arithmetic)
    found = Evaluation(resolve("evalf", [node], given), arithmetic, sizes)(node)
    numbers = [_sympy_number(number, node, digits) for number in np.asarray(found).flat]
    if not node.shape:
        return numbers[0]
    if len(node.shape) == 2:
        return sympy.ImmutableDenseMatrix(*found.shape, numbers)
    return sympy.ImmutableDenseNDimArray(numbers, found.shape)


def _with_digits(value: Any, arithmetic: HighPrecision) -> Any:
    """Return a value with numbers of SymPy, alone or in a matrix or an array, to full precision."""
    if isinstance(value, sympy.Expr) and not getattr(value, "shape", ()):
        return arithmetic.number(exact_from_sympy(value).value)
    entries = value.tolist() if isinstance(value, (sympy.MatrixBase, sympy.NDimArray)) else value
    if not isinstance(entries, (list, tuple)):
        return value
    held = np.asarray(entries, dtype=object)
    if not any(isinstance(entry, sympy.Basic) for entry in held.flat):
        return value
    return np.array(
        [arithmetic.number(exact_from_sympy(sympy.sympify(entry, strict=True)).value) for entry in held.flat],
        dtype=object,
    ).reshape(held.shape)


def _sympy_number(number: Any, node: Node, digits: int) -> sympy.Basic:
    if node.dtype.kind == "b":
        return sympy.true if number else sympy.false
    return sympy.Integer(int(number)) if node.dtype.kind in "iu" else sympy.Float(number, digits)


HOOKS["evalf"] = evalf
