"""Naive spellings on a tape become functions that are stable by construction, before anything is differentiated.

The rules are those of `symback.rewrite.stability`. An operation that may begin one is looked at with what lies close
below it: this small formula is rewritten once, as a graph, and copied wherever it occurs again.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import sympy

from symback.nodes.add import add
from symback.nodes.apply import Map, Operation
from symback.nodes.leaves import exact, variable
from symback.nodes.node import Node
from symback.nodes.products import hadamard, scale
from symback.ops.elementwise.arithmetic import divide
from symback.rewrite.stability import stabilise
from symback.scalar.graphs import Graphs
from symback.scalar.rules import appended
from symback.scalar.tape import ADD, ARITHMETIC, DIVIDE, INPUT, MULTIPLY, NEGATIVE, NUMBER, SUBTRACT, Tape

_LOGARITHMS = frozenset({"log", "log2", "log10", "log1p"})
_CLOSE = frozenset({"exp", "expm1", "sigmoid", "softplus", "erf", "erfc", "ndtr"})
_DIFFERENCES = frozenset({"sigmoid", "softplus"})
_BEGIN = _LOGARITHMS | _CLOSE | {"sqrt", "abs"}
_SUMS = frozenset({ADD, SUBTRACT})
_MOST_TERMS = 64
"""Longer sums stay as they are."""
_MOST_KNOWN = 10_000
"""So many formulas are remembered."""
_DEEPEST = 6
"""How many operations deep is looked below one; a sum of several terms counts as one."""

_MADE: dict[str, Callable[..., Node]] = {NEGATIVE: lambda a: scale(-1, a), MULTIPLY: hadamard, DIVIDE: divide}

_EXACT = (int, Fraction, sympy.Expr)
"""What a rule may look into; numbers of other kinds are what a formula is computed from."""

_Line = tuple[Any, ...]
"""An operation: its name and its operands as text; or a number, as text, which tells 1 from True, and itself."""

_rewritten: dict[tuple[_Line, ...], tuple[Tape, int] | None] = {}


def stabilised(tape: Tape, outputs: Sequence[int]) -> tuple[Tape, list[int]]:
    """Return a tape with naive spellings replaced, and for each operation of the given one that is needed its number.

    Args:
        tape: It is left as it is, and returned where there is nothing to replace.
        outputs: What is needed, besides all inputs.
    """
    if _BEGIN.isdisjoint(tape.operations):
        return tape, list(range(len(tape)))
    other, places = Tape(), [-1] * len(tape)
    needed, inner = tape.needed(outputs), _inner_sums(tape, outputs)
    for place, (name, operands) in enumerate(zip(tape.operations, tape.operands, strict=True)):
        if name == INPUT:
            places[place] = other.input(operands[0])
        elif place < len(needed) and needed[place]:
            if name == NUMBER:
                places[place] = other.number(operands[0])
            else:
                found = appended(other, name, [places[operand] for operand in operands])
                places[place] = found if inner[place] else _stable(other, found)
    return other, places


def _inner_sums(tape: Tape, outputs: Sequence[int]) -> bytearray:
    """Tell of each operation whether it is a sum that only sums use: it is looked at with them."""
    marks = bytearray(name in _SUMS for name in tape.operations)
    for name, operands in zip(tape.operations, tape.operands, strict=True):
        if name not in _SUMS and name not in (INPUT, NUMBER):
            for operand in operands:
                marks[operand] = 0
    for place in outputs:
        marks[place] = 0
    return marks


def _stable(tape: Tape, place: int) -> int:
    """Return the number of what stands for an operation: itself, in most cases."""
    if not _begins(tape, place):
        return place
    part = _Part(tape, place)
    if part.shape not in _rewritten:
        if len(_rewritten) >= _MOST_KNOWN:
            _rewritten.clear()
        _rewritten[part.shape] = _template(part.shape)
    found = _rewritten[part.shape]
    return place if found is None else _copied(tape, found, part.leaves)


def _begins(tape: Tape, place: int) -> bool:
    """May a rule begin here?"""
    name, operands = tape.operations[place], tape.operands[place]
    if name in _LOGARITHMS:
        terms = _terms(tape, operands[0])
        return any(_is_close(tape, term, 2) or tape.operations[term] == NUMBER for term in terms)
    if name in ("sqrt", "abs"):
        return any(_is_square(tape, term) for term in _terms(tape, operands[0]))
    if name == MULTIPLY:
        return _is_entropy(tape, *operands) or {tape.operations[x] for x in operands} == {"exp", "sigmoid"}
    if name == DIVIDE:
        return any(_is_close(tape, term, 2) for term in _terms(tape, operands[1]))
    return name in _SUMS and _may_cancel(tape, _terms(tape, place))


def _is_square(tape: Tape, place: int) -> bool:
    """Is this the square of something, or a multiple or fraction of one?"""
    name, operands = tape.operations[place], tape.operands[place]
    if name not in (MULTIPLY, DIVIDE):
        return False
    return (name == MULTIPLY and operands[0] == operands[1]) or any(
        tape.operations[x] == MULTIPLY and tape.operands[x][0] == tape.operands[x][1] for x in operands
    )


def _is_entropy(tape: Tape, a: int, b: int) -> bool:
    """Is one factor the logarithm of the other?"""
    return any(tape.operations[x] == "log" and tape.operands[x][0] == y for x, y in ((a, b), (b, a)))


def _may_cancel(tape: Tape, terms: Sequence[int]) -> bool:
    """Is there an exponential beside a number, or one of the functions that differences are rewritten to?"""
    if any(_is_close(tape, term, 2, _DIFFERENCES) for term in terms):
        return True
    return any(tape.operations[x] == NUMBER for x in terms) and any(tape.operations[x] == "exp" for x in terms)


def _is_close(tape: Tape, place: int, depth: int, names: frozenset[str] = _CLOSE) -> bool:
    """Is this a function that the rules know, or a product or quotient with one?"""
    name = tape.operations[place]
    if depth and name in (MULTIPLY, DIVIDE, NEGATIVE):
        return any(_is_close(tape, operand, depth - 1, names) for operand in tape.operands[place])
    return name in names


def _terms(tape: Tape, place: int) -> list[int]:
    """Return the terms of a sum; of a long one nothing."""
    found, waiting = [], [place]
    while waiting:
        part = waiting.pop()
        if tape.operations[part] in _SUMS:
            waiting += tape.operands[part]
        else:
            found.append(part)
        if len(found) + len(waiting) > _MOST_TERMS:
            return []
    return found


class _Part:
    """What lies close below an operation.

    Attributes:
        shape: Its operations, each with its name and its operands: what is computed, whatever of.
        leaves: The numbers of what it is computed from.
    """

    def __init__(self, tape: Tape, root: int) -> None:
        self._tape = tape
        self._known: dict[int, str] = {}
        self._lines: list[_Line] = []
        self.leaves: list[int] = []
        self._read(root, 0)
        self.shape = tuple(self._lines)

    def _read(self, place: int, depth: int) -> str:
        """Read an operation, to a depth; return what it is called."""
        if place in self._known:
            return self._known[place]
        name, operands = self._tape.operations[place], self._tape.operands[place]
        if name == NUMBER and isinstance(operands[0], _EXACT):
            line: _Line = (NUMBER, repr(operands[0]), operands[0])
        elif depth and not self._matters(place, depth):
            line = (INPUT, f"x{len(self.leaves)}")
            self.leaves.append(place)
        else:
            line = (name, *[self._read(operand, self._below(name, operand, depth)) for operand in operands])
        self._lines.append(line)
        return self._known.setdefault(place, str(len(self._lines) - 1))

    def _below(self, name: str, operand: int, depth: int) -> int:
        """Return how deep an operand is: what a long sum is added from is no deeper than the sum."""
        return depth + (name not in _SUMS or self._tape.operations[operand] not in _SUMS)

    def _matters(self, place: int, depth: int) -> bool:
        """May the rules see into this operation? What they see must be little, or no formula would occur twice."""
        tape, name = self._tape, self._tape.operations[place]
        if depth > _DEEPEST or name not in ARITHMETIC:
            return depth <= _DEEPEST and name in _BEGIN
        if name in _SUMS:
            return any(
                tape.operations[term] == NUMBER or _is_close(tape, term, 1) or _is_square(tape, term)
                for term in _terms(tape, place)
            )
        return name == NEGATIVE or _is_square(tape, place) or _is_close(tape, place, 2) or self._has_number(place)

    def _has_number(self, place: int) -> bool:
        return any(self._tape.exact(operand) is not None for operand in self._tape.operands[place])


def _template(lines: tuple[_Line, ...]) -> tuple[Tape, int] | None:
    """Rewrite a formula as a graph; None if that changes nothing."""
    nodes: list[Node] = []
    terms: list[list[Node]] = []  # of sums as they are written, however long
    for name, *operands in lines:
        if name == INPUT:
            nodes.append(variable(operands[0]))
        elif name == NUMBER:
            nodes.append(exact(operands[1]))
        else:
            given = [nodes[int(operand)] for operand in operands]
            if name in _SUMS:
                one, other = (terms[int(operand)] for operand in operands)
                terms.append([*one, *(other if name == ADD else [scale(-1, term) for term in other])])
                nodes.append(add(*terms[-1]))
                continue
            nodes.append(_MADE[name](*given) if name in _MADE else Map(Operation((name,)), *given))
        terms.append([nodes[-1]])
    (found,) = stabilise([nodes[-1]])
    if found is nodes[-1]:
        return None
    tape = Tape()
    root = Graphs(tape).node(found)
    return tape, root


def _copied(tape: Tape, template: tuple[Tape, int], leaves: Sequence[int]) -> int:
    """Copy a formula onto the tape."""
    source, root = template
    copied: list[int] = []
    for name, operands in zip(source.operations, source.operands, strict=True):
        if name == INPUT:
            copied.append(leaves[int(operands[0][1:])])
        elif name == NUMBER:
            copied.append(tape.number(operands[0]))
        else:
            copied.append(appended(tape, name, [copied[operand] for operand in operands]))
    return copied[root]
