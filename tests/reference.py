"""A node-level evaluator in NumPy, one rule for each kind of node: what the nodes are held against here."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from types import MappingProxyType
from typing import Any

import numpy as np

from symback.graph import toposort
from symback.nodes.apply import Apply, Named
from symback.nodes.contract import Contract
from symback.nodes.leaves import Constant, Exact, Ones, Size, Variable
from symback.nodes.node import Node
from symback.op.table import primitive_of

Sizes = Mapping[str, int]


def concrete(value: Any, sizes: Sizes) -> Any:
    """Put integers for the symbolic sizes of a parameter."""
    if isinstance(value, tuple):
        return tuple(concrete(item, sizes) for item in value)
    if hasattr(value, "free_symbols"):
        return int(value.subs({s: sizes[s.name] for s in value.free_symbols}))
    return value


def number(value: Any) -> Any:
    """Return a Python number, which NumPy takes as weak."""
    return (
        value if isinstance(value, (int, float)) else float(Fraction(value) if isinstance(value, Fraction) else value)
    )


def product(terms: Sequence[tuple[Any, Sequence[int]]], out: Sequence[int]) -> Any:
    """Multiply and sum by np.einsum; repeated output labels go to a diagonal; weak numbers stay weak."""
    weak = [value for value, _ in terms if type(value) in (int, float)]
    arrays = [(value, labels) for value, labels in terms if type(value) not in (int, float)]
    distinct = list(dict.fromkeys(out))
    result: Any = 1
    if arrays:
        dtype = np.result_type(*[value for value, _ in arrays])
        flat = [part for value, labels in arrays for part in (np.asarray(value, dtype), list(labels))]
        result = np.einsum(*flat, distinct)
    for value in weak:
        result = -result if type(value) is int and value == -1 and arrays else result * value
    if len(distinct) == len(out):
        return result
    shape = dict(zip(distinct, np.shape(result), strict=True))
    full = np.zeros([shape[label] for label in out], dtype=result.dtype)
    np.einsum(full, list(out), distinct)[...] = result
    return full


def evaluate(roots: Sequence[Node], values: Mapping[Any, Any], sizes: Sizes = MappingProxyType({})) -> list[Any]:
    """Return the values of nodes, from the values of the variables."""
    done: dict[Node, Any] = {}
    for node in toposort(roots):
        done[node] = value_of(node, [done[operand] for operand in node.operands], values, sizes)
    return [done[root] for root in roots]


def value_of(node: Node, operands: list[Any], values: Mapping[Any, Any], sizes: Sizes) -> Any:
    """Return the value of one node."""
    if isinstance(node, Variable):
        return values[node]
    if isinstance(node, Exact):
        return number(node.value)
    if isinstance(node, Size):
        return concrete(node.size, sizes)
    if isinstance(node, Constant):
        return node.array
    if isinstance(node, Ones):
        return np.ones(concrete(node.shape, sizes), node.dtype)
    if isinstance(node, Named):
        return operands[0]
    if isinstance(node, Contract):
        return product(list(zip(operands, node.subscripts.inputs, strict=True)), node.subscripts.out)
    if isinstance(node, Apply):
        return primitive_of(node).evaluate(operands, concrete(node.operation.parameters, sizes))
    total = operands[0]
    for operand in operands[1:]:
        weak_negative = type(operand) is int and operand < 0
        total = total - -operand if weak_negative else total + operand
    return total
