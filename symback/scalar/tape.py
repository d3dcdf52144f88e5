"""A tape: a straight-line program of scalars, in which each operation has a number and stands once.

Nodes are objects that know shapes and dtypes; of scalars by the hundred thousand there is nothing to know but the
operation and the numbers of its operands. Derivatives append to the same tape, so what they share with the program,
and with each other, is there once.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

INPUT, NUMBER, ADD, SUBTRACT, MULTIPLY, DIVIDE, NEGATIVE = "input", "number", "+", "-", "*", "/", "negative"

ARITHMETIC = frozenset({ADD, SUBTRACT, MULTIPLY, DIVIDE, NEGATIVE})
"""Operations that are no function."""

_LEAVES = frozenset({INPUT, NUMBER})


class Tape:
    """A straight-line program: operation `k` has the name `operations[k]` and the operands `operands[k]`.

    Operands have smaller numbers than what uses them. An input has its name, a number its value, in the place of
    operands; a function that has no declaration stands for its own name. The methods that append return the number of
    what is equal and there already, and leave out what an exact 0 or 1 makes needless.

    Example:
        >>> tape = Tape()
        >>> x = tape.input("x")
        >>> tape.add(tape.multiply(x, x), tape.number(0)) == tape.multiply(x, x)
        True
        >>> tape.count([tape.power(x, 8)])
        3
    """

    def __init__(self) -> None:
        self.operations: list[Any] = []
        self.operands: list[tuple[Any, ...]] = []
        self._places: dict[Any, int] = {}

    def __len__(self) -> int:
        return len(self.operations)

    def copy(self) -> "Tape":
        """Return a tape of its own with the same operations."""
        other = Tape()
        other.operations, other.operands = self.operations.copy(), self.operands.copy()
        other._places = self._places.copy()
        return other

    def apply(self, operation: Any, *operands: int) -> int:
        """Append any operation, without a look at its meaning."""
        key = (operation, operands)
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = len(self.operations)
            self.operations.append(operation)
            self.operands.append(operands)
        return place

    def input(self, name: str) -> int:
        """Append an input; the same name is the same input."""
        return self._leaf(INPUT, name, name)

    def number(self, value: Any) -> int:
        """Append a number: an integer, a fraction, a float, or an exact number of SymPy."""
        if isinstance(value, Fraction) and value.denominator == 1:
            value = value.numerator
        return self._leaf(NUMBER, (type(value), repr(value)), value)

    def _leaf(self, kind: str, key: Any, content: Any) -> int:
        place = self._places.get((kind, key))
        if place is None:
            place = self._places[kind, key] = len(self.operations)
            self.operations.append(kind)
            self.operands.append((content,))
        return place

    def exact(self, place: int) -> int | Fraction | None:
        """Return the value of an exact rational number, None of anything else."""
        if self.operations[place] != NUMBER:
            return None
        value = self.operands[place][0]
        return value if isinstance(value, (int, Fraction)) else None

    def add(self, a: int, b: int) -> int:
        """Append a + b."""
        operations = self.operations
        if operations[a] == NUMBER or operations[b] == NUMBER:
            one, other = self.exact(a), self.exact(b)
            if one is not None and other is not None:
                return self.number(one + other)
            if one == 0:
                return b
            if other == 0:
                return a
        if operations[b] == NEGATIVE:
            return self.subtract(a, self.operands[b][0])
        if operations[a] == NEGATIVE:
            return self.subtract(b, self.operands[a][0])
        return self._commuted(ADD, a, b)

    def subtract(self, a: int, b: int) -> int:
        """Append a - b."""
        operations = self.operations
        if operations[a] == NUMBER or operations[b] == NUMBER:
            one, other = self.exact(a), self.exact(b)
            if one is not None and other is not None:
                return self.number(one - other)
            if one == 0:
                return self.negative(b)
            if other == 0:
                return a
        if operations[b] == NEGATIVE:
            return self.add(a, self.operands[b][0])
        return self.apply(SUBTRACT, a, b)

    def negative(self, a: int) -> int:
        """Append -a."""
        if self.operations[a] == NEGATIVE:
            return int(self.operands[a][0])
        if self.operations[a] == SUBTRACT:
            return self.apply(SUBTRACT, *self.operands[a][::-1])
        value = self.exact(a)
        return self.apply(NEGATIVE, a) if value is None else self.number(-value)

    def multiply(self, a: int, b: int) -> int:
        """Append a * b."""
        operations = self.operations
        if operations[a] == NUMBER or operations[b] == NUMBER:
            one, other = self.exact(a), self.exact(b)
            if one is not None and other is not None:
                return self.number(one * other)
            for value, rest in ((one, b), (other, a)):
                if value == 1:
                    return rest
                if value == -1:
                    return self.negative(rest)
                if value == 0:
                    return self.number(0)
        if operations[a] == NEGATIVE:
            return self.negative(self.multiply(self.operands[a][0], b))
        if operations[b] == NEGATIVE:
            return self.negative(self.multiply(a, self.operands[b][0]))
        return self._commuted(MULTIPLY, a, b)

    def divide(self, a: int, b: int) -> int:
        """Append a / b."""
        one, other = self.exact(a), self.exact(b)
        if other == 1:
            return a
        if one is not None and other:
            return self.number(Fraction(one) / other)
        if self.operations[a] == NEGATIVE:
            return self.negative(self.divide(self.operands[a][0], b))
        if self.operations[b] == NEGATIVE:
            return self.negative(self.divide(a, self.operands[b][0]))
        return self.apply(DIVIDE, a, b)

    def power(self, a: int, exponent: int) -> int:
        """Append the power of an integer exponent by repeated squaring."""
        if exponent < 0:
            return self.divide(self.number(1), self.power(a, -exponent))
        if exponent == 0:
            return self.number(1)
        result, square = None, a
        while True:
            if exponent & 1:
                result = square if result is None else self.multiply(result, square)
            exponent >>= 1
            if not exponent:
                assert result is not None
                return result
            square = self.multiply(square, square)

    def total(self, terms: Iterable[int]) -> int:
        """Append a sum, from the left."""
        result: int | None = None
        for term in terms:
            result = term if result is None else self.add(result, term)
        return self.number(0) if result is None else result

    def _commuted(self, operation: str, a: int, b: int) -> int:
        """Append what commutes; what is there the other way round is the same."""
        place = self._places.get((operation, (b, a)))
        return self.apply(operation, a, b) if place is None else place

    def needed(self, outputs: Sequence[int]) -> bytearray:
        """Tell of each operation whether an output needs it."""
        marks = bytearray(len(self.operations))
        for place in outputs:
            marks[place] = 1
        operations, operands = self.operations, self.operands
        for place in range(max(outputs, default=-1), -1, -1):
            if marks[place] and operations[place] not in _LEAVES:
                for operand in operands[place]:
                    marks[operand] = 1
        return marks

    def moving(self, inputs: Iterable[int]) -> bytearray:
        """Tell of each operation whether it depends on one of the inputs."""
        marks = bytearray(len(self.operations))
        for place in inputs:
            marks[place] = 1
        operations, operands = self.operations, self.operands
        for place in range(len(operations)):
            if not marks[place] and operations[place] not in _LEAVES:
                for operand in operands[place]:
                    if marks[operand]:
                        marks[place] = 1
                        break
        return marks

    def count(self, outputs: Sequence[int]) -> int:
        """Count the operations that outputs need."""
        marks = self.needed(outputs)
        return sum(mark and name not in _LEAVES for mark, name in zip(marks, self.operations, strict=False))
