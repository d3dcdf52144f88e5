"""Graphs as array expressions of SymPy: products with labels become contractions of tensor products."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import sympy
from sympy.tensor.array.expressions import (
    ArrayAdd,
    ArrayContraction,
    ArrayDiagonal,
    ArrayElement,
    ArrayElementwiseApplyFunc,
    ArraySymbol,
    ArrayTensorProduct,
    OneArray,
    PermuteDims,
    Reshape,
)

from symback import errors
from symback.errors.symbolic_arrays import no_array
from symback.graph import toposort
from symback.interop.symbolic.into_scalars import factors_of, known_sizes, multiplied
from symback.nodes.add import Plus
from symback.nodes.apply import Apply, Map, Named
from symback.nodes.contract import Contract, Labels
from symback.nodes.leaves import Constant, Ones, Variable
from symback.nodes.node import Node
from symback.nodes.products import aligned_terms
from symback.nodes.shapes import SizeExpr

_ENTRY = sympy.Dummy("d")
"""An entry of the array that a function is applied to."""


class _Value(NamedTuple):
    """What a node becomes.

    Attributes:
        whole: The expression.
        base: The node of which it is a function entry by entry; None if it is an expression of scalars.
        body: That function of `_ENTRY`; the expression of scalars itself.
    """

    whole: sympy.Basic
    base: Node | None
    body: sympy.Basic


def to_array(node: Node, symbols: Mapping[Variable, sympy.Basic] | None = None) -> sympy.Basic:
    """Turn a graph into an array expression of `sympy.tensor.array.expressions`.

    Products of any kind become a contraction, diagonal and permutation of one tensor product, functions of the
    entries of one array an ArrayElementwiseApplyFunc, and quotients products with reciprocals.

    Args:
        node: Of any shape.
        symbols: What variables become; the others become a Symbol or an ArraySymbol of their name.

    Raises:
        UsageError: If a node has no counterpart in SymPy; the message names it.
        InvalidNameError: If two variables would become one symbol.

    Example:
        >>> import symback as sb
        >>> A, v = sb.tensor("A", (2, 3, 4)), sb.tensor("v", (4,))
        >>> to_array(sb.einsum("ijk,k->ij", A, v))
        ArrayContraction(ArrayTensorProduct(A, v), (2, 3))
    """
    writer = _Writer(symbols or {})
    values: dict[Node, _Value] = {}
    try:
        for part in toposort([node]):
            values[part] = writer.value(part, values)
    except RecursionError:
        raise errors.not_convertible("to_sympy", node, "SymPy recurses over its depth: pass pairs=True") from None
    return values[node].whole


class _Writer:
    """The rules for each kind of node."""

    def __init__(self, symbols: Mapping[Variable, sympy.Basic]) -> None:
        self._symbols = symbols
        self._taken: dict[str, Variable] = {}
        self._sizes = known_sizes(symbols)

    def value(self, node: Node, values: Mapping[Node, _Value]) -> _Value:
        """Return what a node becomes, from what its operands became."""
        if isinstance(node, Named):
            return values[node.operands[0]]
        if isinstance(node, Variable):
            return self._symbol(node)
        operands = [values[operand] for operand in node.operands]
        if not node.shape and all(operand.base is None for operand in operands) and not _is_element(node):
            expr = multiplied(factors_of(node, [(operand.body,) for operand in operands]))
            return _Value(expr, None, expr)
        if _is_element(node):
            found = ArrayElement(operands[0].whole, node.operation.parameters[0])
            return _Value(found, None, found)
        base = _base(node, operands)
        if base is not None:
            body = multiplied(factors_of(node, [(operand.body,) for operand in operands]))
            if isinstance(node, Apply):
                applied = ArrayElementwiseApplyFunc(sympy.Lambda(_ENTRY, body), values[base].whole)
                return _Value(applied, base, body)
            return _Value(self._whole(node, operands), base, body)
        return _Value(self._whole(node, operands), node, _ENTRY)

    def _symbol(self, node: Variable) -> _Value:
        if self._taken.setdefault(node.name, node) is not node:
            raise errors.name_clash(node.name, self._taken[node.name], node)
        found = self._symbols.get(node)
        if not node.shape:
            found = sympy.Symbol(node.name) if found is None else found
            return _Value(found, None, found)
        found = ArraySymbol(node.name, self._shape(node.shape)) if found is None else found
        return _Value(found, node, _ENTRY)

    def _shape(self, shape: Sequence[SizeExpr]) -> tuple[sympy.Expr, ...]:
        return tuple(sympy.sympify(size, strict=True).xreplace(self._sizes) for size in shape)

    def _whole(self, node: Node, operands: Sequence[_Value]) -> sympy.Basic:
        if isinstance(node, Plus):
            return ArrayAdd(*[self._spread(o, value, node) for o, value in zip(node.operands, operands, strict=True)])
        if isinstance(node, Contract):
            return self._contract(node, operands)
        if isinstance(node, Ones):
            return OneArray(*self._shape(node.shape))
        if isinstance(node, Constant):
            return sympy.ImmutableDenseNDimArray(node.array.ravel().tolist(), node.shape)
        if isinstance(node, Map) and node.operation.name == "divide":
            return self._quotient(node, operands)
        if isinstance(node, Apply) and node.operation.name == "reshape_to":
            return self._reshaped(node, operands[0].whole)
        raise no_array(node)

    def _reshaped(self, node: Apply, value: sympy.Basic) -> sympy.Basic:
        """Write an array in another shape; SymPy cannot reshape from and to scalars."""
        (operand,) = node.operands
        if operand.shape and node.shape:
            return Reshape(value, self._shape(node.shape))
        axes = tuple(range(len(operand.shape)))
        ones = {len(axes) + axis: size for axis, size in enumerate(node.shape)}
        return self._product([(value, axes)], tuple(ones), {**dict(enumerate(operand.shape)), **ones})

    def _spread(self, operand: Node, value: _Value, node: Node) -> sympy.Basic:
        """Repeat a term of a sum to the shape of the sum."""
        if operand.shape == node.shape:
            return value.whole if hasattr(value.whole, "shape") else ArrayTensorProduct(value.whole)
        terms = aligned_terms([operand], node.shape)
        return self._product([(value.whole, terms[0][1])], tuple(range(len(node.shape))), dict(enumerate(node.shape)))

    def _contract(self, node: Contract, operands: Sequence[_Value]) -> sympy.Basic:
        pairs = zip(operands, node.subscripts.inputs, strict=True)
        factors = [(value.whole, labels) for value, labels in pairs]
        if isinstance(node.operands[-1], Ones):
            factors.pop()
        return self._product(factors, node.subscripts.out, node.label_sizes())

    def _quotient(self, node: Map, operands: Sequence[_Value]) -> sympy.Basic:
        above, below = operands
        one_over: Callable[[Any], Any] = lambda e: sympy.Pow(e, -1)  # noqa: E731
        inverse = (
            one_over(below.whole)
            if below.base is None
            else ArrayElementwiseApplyFunc(sympy.Lambda(_ENTRY, one_over(_ENTRY)), below.whole)
        )
        labels = [labels for _, labels in aligned_terms(node.operands, node.shape)]
        sizes = dict(enumerate(node.shape))
        return self._product([(above.whole, labels[0]), (inverse, labels[1])], tuple(range(len(node.shape))), sizes)

    def _product(
        self, factors: Sequence[tuple[sympy.Basic, Labels]], out: Labels, sizes: Mapping[int, SizeExpr]
    ) -> sympy.Basic:
        """Multiply, sum over the labels that `out` lacks, and take diagonals of those that factors share."""
        factors = [(expr, labels) for expr, labels in factors if expr is not sympy.S.One]
        fresh = 1 + max([*sizes, *(label for _, labels in factors for label in labels)], default=0)
        axes: list[int] = []
        for label in out:
            if label in axes:  # a diagonal array is a product with an identity matrix
                factors.append((sympy.Identity(*self._shape([sizes[label]])), (label, fresh)))
                label, fresh = fresh, fresh + 1
            axes.append(label)
        known = {label for _, labels in factors for label in labels}
        missing = tuple(label for label in axes if label not in known)
        if missing or not factors:
            factors.append((OneArray(*self._shape([sizes[label] for label in missing])), missing))
        return _arranged(factors, axes)


def _arranged(factors: Sequence[tuple[sympy.Basic, Labels]], axes: Sequence[int]) -> sympy.Basic:
    """Multiply factors whose labels cover the axes, each of which is there once."""
    alone = len(factors) == 1 and not isinstance(factors[0][0], Reshape)  # a Reshape alone cannot be contracted
    found = factors[0][0] if alone else ArrayTensorProduct(*[expr for expr, _ in factors])
    flat = [label for _, labels in factors for label in labels]
    summed = _places([label for label in flat if label not in axes], flat)
    if summed:
        found = ArrayContraction(found, *summed.values())
    flat = [label for label in flat if label in axes]
    shared = {label: places for label, places in _places(flat, flat).items() if len(places) > 1}
    if shared:
        found = ArrayDiagonal(found, *shared.values())
    order = [*(label for label in flat if label not in shared), *shared]
    return found if order == list(axes) else PermuteDims(found, [order.index(label) for label in axes])


def _places(labels: Sequence[int], flat: Sequence[int]) -> dict[int, tuple[int, ...]]:
    return {label: tuple(place for place, other in enumerate(flat) if other == label) for label in labels}


def _is_element(node: Node) -> bool:
    """Is this one entry of an array, all its indices numbers?"""
    if not isinstance(node, Apply) or node.operation.name != "slice_of":
        return False
    index = node.operation.parameters[0]
    return len(index) == len(node.operands[0].shape) and all(isinstance(place, int) and place >= 0 for place in index)


def _base(node: Node, operands: Sequence[_Value]) -> Node | None:
    """Return the one array of whose entries this is a function entry by entry, if there is one."""
    if isinstance(node, Contract):
        alike = node.subscripts.distinct and all(
            labels in ((), node.subscripts.out) for labels in node.subscripts.inputs
        )
        if not alike or isinstance(node.operands[-1], Ones):
            return None
    elif not isinstance(node, (Plus, Map)) and not _is_conversion(node):
        return None
    arrays = [(o, v.base) for o, v in zip(node.operands, operands, strict=True) if v.base is not None]
    first = arrays[0][1] if arrays else None
    return first if all(o.shape == node.shape and base is first for o, base in arrays) else None


def _is_conversion(node: Node) -> bool:
    return isinstance(node, Apply) and node.operation.value == ("astype", "float64")
