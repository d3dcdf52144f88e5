"""Operations and memory traffic of sums and products entry by entry, one NumPy call after the other."""

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
import sympy

from symback.codegen.source.text import coefficient_factor
from symback.nodes.classify import Product, classify
from symback.nodes.contract import Contract
from symback.nodes.exact_numbers import times
from symback.nodes.leaves import Exact, ExactValue
from symback.nodes.node import Node
from symback.nodes.shapes import SizeExpr

_FLOAT = np.dtype(np.float64)


class Block(NamedTuple):
    """An array that a call reads or writes; a Python number has no dtype of its own."""

    shape: tuple[SizeExpr, ...]
    dtype: np.dtype[Any] | None

    @property
    def entries(self) -> sympy.Expr:
        """The number of entries."""
        return sympy.Mul(*[sympy.sympify(size, strict=True) for size in self.shape])

    @property
    def bytes(self) -> sympy.Expr:
        """The bytes in memory; numbers without axes count as none."""
        return self.entries * self.dtype.itemsize if self.shape and self.dtype is not None else sympy.Integer(0)


NUMBER = Block((), None)

Totals = tuple[sympy.Expr, sympy.Expr]
"""Operations, and bytes read and written."""


def block_of(node: Node) -> Block:
    """Return what a node is in memory."""
    return Block(node.shape, None if node.is_weak else node.dtype)


def chained(first: Block, rest: Sequence[tuple[Block, bool]], whole: np.dtype[Any]) -> Totals:
    """Count a chain of calls: each combines what is there with one more array; True marks a divisor.

    The results in between have the dtype that NumPy promotes to, the last one has `whole`.
    """
    operations: sympy.Expr = sympy.Integer(0)
    moved: sympy.Expr = sympy.Integer(0)
    for place, (other, divides) in enumerate(rest):
        dtype = whole if place == len(rest) - 1 else _promoted(first.dtype, other.dtype, divides)
        result = Block(_broadcast(first.shape, other.shape), dtype)
        operations += result.entries
        moved += (first.bytes + other.bytes if result.shape else 0) + result.bytes
        first = result
    return operations, moved


def _promoted(one: np.dtype[Any] | None, other: np.dtype[Any] | None, divides: bool) -> np.dtype[Any] | None:
    dtype = other if one is None else one if other is None else np.promote_types(one, other)
    return _FLOAT if divides and dtype is not None and dtype.kind != "f" else dtype


def _broadcast(one: tuple[SizeExpr, ...], other: tuple[SizeExpr, ...]) -> tuple[SizeExpr, ...]:
    longer, shorter = (one, other) if len(one) >= len(other) else (other, one)
    padded = (1,) * (len(longer) - len(shorter)) + shorter
    return tuple(b if a == 1 else a for a, b in zip(longer, padded, strict=True))


def times_entries(node: Contract, p: Product, divides: Callable[[Node], bool]) -> Totals:
    """Count a product entry by entry: squares first, then the coefficient and the factors, then the divisors."""
    out = tuple(dict.fromkeys(p.out))
    over: list[tuple[Block, bool]] = []
    above: list[tuple[Block, bool]] = []
    masks = any(core.dtype.kind == "b" for core, _ in p.cores)
    operations: sympy.Expr = sympy.Integer(0)
    moved: sympy.Expr = sympy.Integer(0)
    for core, labels in p.cores if masks else dict.fromkeys(p.cores):
        below = divides(core)
        source = core.operands[1] if below else core
        block = Block(tuple(p.sizes[x] if x in labels else 1 for x in out) if labels else (), block_of(source).dtype)
        repeats = 1 if masks else p.cores.count((core, labels))
        if below:
            over += [(block, True)] * repeats
            continue
        if repeats == 2:
            operations, moved = operations + block.entries, moved + 2 * block.bytes
        above += [(block, False)] * (1 if repeats == 2 else repeats)
    floats = node.dtype.kind == "f" and not any(core.dtype.kind == "f" for core, _ in p.cores)
    if _coefficient(p, divides) not in (1, -1) or (floats and not over) or not above:
        above.insert(0, (NUMBER, False))
    if floats and not over and above[0][0] is NUMBER:
        above[0] = Block((), node.dtype), False
    (first, _), *rest = [*above, *over]
    chain = chained(first, rest, node.dtype)
    return operations + chain[0], moved + chain[1]


def signed_factors(node: Contract, divides: Callable[[Node], bool]) -> list[Node]:
    """Return what the sign of a product is put to, if it has one of its own; a literal in front takes it in."""
    p = classify(node)
    above = [core for core, _ in p.cores if p.kind != "hadamard" or not divides(core)]
    factor = coefficient_factor(_coefficient(p, divides))
    if not factor.negative or factor.times is not None or not above:
        return []
    return above if p.kind in ("hadamard", "scale", "broadcast") else [node]


def _coefficient(p: Product, divides: Callable[[Node], bool]) -> ExactValue:
    """Return the factor with the numerators of what is written as a division."""
    numerators = [core.operands[0] for core, _ in p.cores if p.kind == "hadamard" and divides(core)]
    return reduce(times, (number.value for number in numerators if isinstance(number, Exact)), p.coefficient)
