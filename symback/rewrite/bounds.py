"""Between which bounds the values of an expression lie, in floating-point arithmetic: exp(x) may be 0."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from symback.nodes.apply import Apply, Map, Named, unnamed
from symback.nodes.contract import Contract
from symback.nodes.leaves import Constant, Exact, Ones, Size
from symback.nodes.node import Node
from symback.rewrite.conditions import Literal, literals

TINY = math.ulp(0.0)
"""The smallest positive number: x > 0 says x >= TINY."""

LARGEST = float(np.finfo(np.float64).max)
_MOST_ENTRIES = 10_000
_SMALLEST_NORMAL = {4: 1.2e-38, 8: 2.3e-308}


class Bounds(NamedTuple):
    """A value is at least `low` and at most `high`, and not 0 if `nonzero`; or it is NaN."""

    low: float
    high: float
    nonzero: bool = False

    def within(self, other: "Bounds") -> bool:
        """Do all values lie within the other bounds?"""
        return other.low <= self.low and self.high <= other.high and (self.is_nonzero or not other.nonzero)

    @property
    def is_nonzero(self) -> bool:
        """Is 0 not among the values?"""
        return self.nonzero or self.low > 0 or self.high < 0

    def both(self, other: "Bounds") -> "Bounds":
        """Return what is known if either is known."""
        return Bounds(max(self.low, other.low), min(self.high, other.high), self.nonzero or other.nonzero)

    def either(self, other: "Bounds") -> "Bounds":
        """Return what is known if it is one or the other."""
        nonzero = self.is_nonzero and other.is_nonzero
        return Bounds(min(self.low, other.low), max(self.high, other.high), nonzero)


ANY = Bounds(-math.inf, math.inf)
_NONNEGATIVE = Bounds(0.0, math.inf)


def bounds_of(node: Node, operands: Sequence[Bounds]) -> Bounds:
    """Return the bounds of a node from those of its operands."""
    if isinstance(node, Named):
        return operands[0]
    if isinstance(node, Exact):
        return _point(float(node.value))
    if isinstance(node, Ones):
        return _point(1.0)
    if isinstance(node, Size):
        return _NONNEGATIVE
    if isinstance(node, Constant):
        return _of_array(node.array)
    if node.dtype.kind == "b":
        return Bounds(0.0, 1.0)
    if node.dtype.kind != "f":
        return ANY  # integers wrap around
    with np.errstate(all="ignore"):
        if isinstance(node, Contract):
            return _of_product(node, operands)
        if isinstance(node, Apply):
            return _of_function(node, operands)
    if not operands:
        return ANY
    low, high = (math.fsum(ends) if _finite(ends) else sum(ends) for ends in _ends(operands))
    return _checked(low, high)


def _point(value: float) -> Bounds:
    return _checked(value, value)


def _checked(low: Any, high: Any, nonzero: bool = False) -> Bounds:
    """Return bounds; NaN bounds nothing."""
    low, high = float(low), float(high)
    return Bounds(-math.inf if low != low else low, math.inf if high != high else high, nonzero)


def _ends(operands: Sequence[Bounds]) -> tuple[list[float], list[float]]:
    return [bounds.low for bounds in operands], [bounds.high for bounds in operands]


def _finite(ends: Sequence[float]) -> bool:
    return all(math.isfinite(end) and abs(end) < 1e300 for end in ends)


def _of_array(array: Any) -> Bounds:
    if not 0 < array.size <= _MOST_ENTRIES or array.dtype.kind not in "biuf":
        return ANY
    return _checked(array.min(), array.max(), bool((array != 0).all()))


# -- products --------------------------------------------------------------------------------------


def _of_product(node: Contract, operands: Sequence[Bounds]) -> Bounds:
    """Multiply; a sum has a sign at most, and what a diagonal is written into is 0 elsewhere."""
    inputs, out = node.subscripts.inputs, node.subscripts.out
    terms = [(unnamed(operand), labels) for operand, labels in zip(node.operands, inputs, strict=True)]
    known = dict(zip(terms, operands, strict=True))
    product = _point(1.0)
    for term, count in Counter(terms).items():
        for _ in range(count // 2):
            product = _times(product, _square(known[term]))
        product = _times(product, known[term]) if count % 2 else product
    if node.subscripts.summed:
        low = 0.0 if product.low >= 0 else -math.inf
        product = Bounds(low, 0.0 if product.high <= 0 else math.inf)
    smallest = _SMALLEST_NORMAL.get(node.dtype.itemsize, math.inf)
    low, high = (0.0 if abs(end) < smallest and len(terms) > 1 else end for end in product[:2])
    return Bounds(low, high) if len(set(out)) == len(out) else Bounds(min(low, 0.0), max(high, 0.0))


def _square(x: Bounds) -> Bounds:
    largest = max(abs(x.low), abs(x.high))
    smallest = 0.0 if x.low <= 0 <= x.high else min(abs(x.low), abs(x.high))
    return Bounds(smallest * smallest, largest * largest)


def _times(x: Bounds, y: Bounds) -> Bounds:
    corners = [a * b for a in x[:2] for b in y[:2]]
    if any(corner != corner for corner in corners):  # 0 times infinity
        if x.low >= 0 and y.low >= 0:
            return _NONNEGATIVE
        return ANY
    return Bounds(min(corners), max(corners))


# -- functions -------------------------------------------------------------------------------------

_RISING = {
    "exp": np.exp, "exp2": np.exp2, "expm1": np.expm1, "log": np.log, "log2": np.log2, "log10": np.log10,
    "log1p": np.log1p, "sqrt": np.sqrt, "cbrt": np.cbrt, "sinh": np.sinh, "tanh": np.tanh, "arctan": np.arctan,
    "arcsinh": np.arcsinh, "arcsin": np.arcsin, "arctanh": np.arctanh, "arccosh": np.arccosh,
}  # fmt: skip
"""Functions that do not fall: their ends are those of their operand."""

_RANGES = {
    "sigmoid": Bounds(0.0, 1.0), "softmax_over": Bounds(0.0, 1.0), "sin": Bounds(-1.0, 1.0), "cos": Bounds(-1.0, 1.0),
    "cosh": Bounds(1.0, math.inf), "softplus": _NONNEGATIVE, "norm_over": _NONNEGATIVE, "hypot": _NONNEGATIVE,
    "var_over": _NONNEGATIVE, "std_over": _NONNEGATIVE, "relu": _NONNEGATIVE,
}  # fmt: skip
_FROM = {"sqrt": 0.0, "log": 0.0, "log2": 0.0, "log10": 0.0, "log1p": -1.0, "arccosh": 1.0}
"""Below which all is NaN."""


def _of_function(node: Apply, operands: Sequence[Bounds]) -> Bounds:
    name = node.operation.name
    if name in _RISING:
        low = max(operands[0].low, _FROM.get(name, -math.inf))
        return _checked(_RISING[name](low), _RISING[name](max(low, operands[0].high)))
    if name in _RANGES:
        return _RANGES[name]
    rule = _RULES.get(name)
    return rule(node, operands) if rule is not None else ANY


def _of_abs(node: Apply, operands: Sequence[Bounds]) -> Bounds:
    x = operands[0]
    smallest = 0.0 if x.low <= 0 <= x.high else min(abs(x.low), abs(x.high))
    return Bounds(smallest, max(abs(x.low), abs(x.high)), x.nonzero)


def _of_quotient(node: Apply, operands: Sequence[Bounds]) -> Bounds:
    x, y = operands
    if y.low <= 0 <= y.high:
        return ANY
    corners = [np.float64(a) / b for a in x[:2] for b in y[:2]]
    return ANY if any(corner != corner for corner in corners) else _checked(min(corners), max(corners))


def _of_power(node: Apply, operands: Sequence[Bounds]) -> Bounds:
    x, p = operands
    if p.low != p.high:
        return _NONNEGATIVE if x.low >= 0 else ANY
    if p.low % 2 == 0 and p.low > 0:
        x = _of_abs(node, operands)
    if x.low < 0:
        return ANY
    ends = [np.float64(end) ** p.low for end in x[:2]]
    return _checked(min(ends), max(ends))


def _of_choice(node: Apply, operands: Sequence[Bounds]) -> Bounds:
    """Take either branch, each with what the condition says of it."""
    branches = [
        given(literals(node.operands[0], holds), branch).both(bounds)
        for holds, branch, bounds in zip((True, False), node.operands[1:], operands[1:], strict=True)
    ]
    return branches[0].either(branches[1])


_RULES: dict[str, Callable[[Apply, Sequence[Bounds]], Bounds]] = {
    "abs": _of_abs,
    "divide": _of_quotient,
    "power": _of_power,
    "where": _of_choice,
    "maximum": lambda node, x: Bounds(max(x[0].low, x[1].low), max(x[0].high, x[1].high)),
    "minimum": lambda node, x: Bounds(min(x[0].low, x[1].low), min(x[0].high, x[1].high)),
    "max_over": lambda node, x: x[0],
    "min_over": lambda node, x: x[0],
    "reshape_to": lambda node, x: x[0],
    "slice_of": lambda node, x: x[0],
}


# -- what a condition says ---------------------------------------------------------------------------

_MIRRORED = {"less": "greater", "less_equal": "greater_equal", "greater": "less", "greater_equal": "less_equal"}
_NEGATED = {
    "less": "greater_equal", "less_equal": "greater", "greater": "less_equal", "greater_equal": "less",
    "equal": "not_equal", "not_equal": "equal", "isfinite": "", "isinf": "isfinite",
}  # fmt: skip


def given(conditions: Sequence[Literal], node: Node) -> Bounds:
    """Return what conditions say of a node: comparisons of it, or of its absolute value, with a number."""
    node = unnamed(node)
    found = ANY
    for literal in conditions:
        test = literal.node
        if isinstance(test, Map) and test.shape == node.shape and _by_entry(literal):
            found = found.both(_said(test, literal.holds, node))
    return found


def _by_entry(literal: Literal) -> bool:
    rank = len(literal.axes)
    return all(axis is None or axis == place - rank for place, axis in enumerate(literal.axes))


def _said(test: Map, holds: bool, node: Node) -> Bounds:
    name, operands = test.operation.name, [unnamed(operand) for operand in test.operands]
    if isinstance(operands[0], Exact):
        name, operands = _MIRRORED.get(name, name), operands[::-1]
    name = name if holds else _NEGATED.get(name, "")
    if name == "isfinite" and operands[0] is node:
        return Bounds(-LARGEST, LARGEST)
    if len(operands) < 2 or not isinstance(operands[1], Exact) or name not in _NEGATED:
        return ANY
    number, subject = float(operands[1].value), operands[0]
    said = _compared(name, number)
    if subject is node:
        return said
    of_size = isinstance(subject, Map) and subject.operation.name == "abs" and unnamed(subject.operands[0]) is node
    return Bounds(-said.high, said.high, said.is_nonzero) if of_size else ANY


def _compared(name: str, number: float) -> Bounds:
    above, below = math.nextafter(number, math.inf), math.nextafter(number, -math.inf)
    return {
        "less": Bounds(-math.inf, below),
        "less_equal": Bounds(-math.inf, number),
        "greater": Bounds(above, math.inf),
        "greater_equal": Bounds(number, math.inf),
        "equal": Bounds(number, number),
        "not_equal": Bounds(-math.inf, math.inf, number == 0),
    }[name]
