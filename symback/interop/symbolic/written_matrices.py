"""Explicit matrices of SymPy, dense and sparse: their entries, put into one array."""

import math
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import sympy

from symback.errors import symbolic_matrices as messages
from symback.interop.symbolic.rule import Given, Rule
from symback.nodes.leaves import constant, exact, ones_of
from symback.nodes.node import METHODS, Node
from symback.nodes.products import full
from symback.op.public import FUNCTIONS

_MOST_EXACT = 2**53
"""Integers up to here are float64 numbers."""


def _entries(part: Any) -> Sequence[sympy.Basic]:
    """Return the entries that an explicit matrix holds, the same objects each time."""
    held = part.args[2]
    return tuple(held.values()) if isinstance(held, sympy.Dict) else cast(Sequence[sympy.Basic], held.args)


def _explicit(part: Any, given: Given) -> Node:
    rows, columns = part.shape
    entries = _entries(part)
    if any(entry.is_Matrix for entry in entries):
        raise messages.no_entries(type(part).__name__, next(entry for entry in entries if entry.is_Matrix))
    if not rows or not columns:
        return full((rows, columns), 0, ones_of(()))
    dense = entries
    if isinstance(part.args[2], sympy.Dict):
        held = {(int(i), int(j)): entry for (i, j), entry in zip(part.args[2].keys(), entries, strict=True)}
        dense = [held.get((i, j), sympy.S.Zero) for i in range(rows) for j in range(columns)]
    numbers = _numbers(dense, (rows, columns))
    if numbers is not None:
        return numbers
    nodes = [_scalar_entry(part, given.node(entry) if not entry.is_zero else exact(0)) for entry in dense]
    return as_float(METHODS["reshape"](FUNCTIONS["stack"].function(nodes), (rows, columns)))


def _scalar_entry(part: sympy.Basic, node: Node) -> Node:
    if node.shape:
        raise messages.no_entries(type(part).__name__, node)
    return node


def _numbers(entries: Sequence[sympy.Basic], shape: tuple[int, int]) -> Node | None:
    """Return a matrix of rational numbers as one constant, over their common denominator; None if that is inexact."""
    if not all(isinstance(entry, (sympy.Rational, sympy.Float)) and entry.is_finite for entry in entries):
        return None
    exactly = [sympy.Rational(entry) for entry in entries]
    if all(sympy.Rational(float(entry)) == entry for entry in exactly):
        return constant(np.array([float(entry) for entry in exactly]).reshape(shape))
    below = math.lcm(*[int(entry.q) for entry in exactly])
    above = [int(entry.p) * (below // int(entry.q)) for entry in exactly]
    if below >= _MOST_EXACT or max(map(abs, above)) >= _MOST_EXACT:
        return None
    return cast(Node, METHODS["divide"](constant(np.array(above, dtype="float64").reshape(shape)), exact(below)))


def as_float(node: Node) -> Node:
    """Return a node as float64, if it is of no float dtype."""
    return node if node.dtype.kind == "f" else cast(Node, METHODS["astype"](node, "float64"))


EXPLICIT = Rule(_explicit, _entries)
"""The rule of explicit matrices."""
