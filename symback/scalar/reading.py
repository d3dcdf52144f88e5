"""Expressions of SymPy, and nodes among them, onto a tape."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import reduce
from typing import Any

import sympy
from sympy.core.function import AppliedUndef

from symback.interop.symbolic.bridge import RULES, SympyBridge, rule_of
from symback.interop.symbolic.correspondence import INTO_NODES
from symback.interop.symbolic.functions import function_of, is_own
from symback.nodes.node import Node
from symback.scalar.graphs import MOST_SQUARED, Graphs
from symback.scalar.tape import Tape

Reader = Callable[["Reading", Any, list[int]], int]


class Reading(Graphs):
    """Puts nodes and SymPy expressions onto one tape; what it has met is there once.

    Args:
        tape: The tape.
    """

    def __init__(self, tape: Tape) -> None:
        super().__init__(tape)
        self.bridge = SympyBridge()
        self._parts: dict[int, tuple[Any, int]] = {}

    def place(self, expr: Any) -> int:
        """Return the number of an expression: a node of shape (), or of SymPy.

        Raises:
            UsageError: If it has axes, or holds what is no scalar.
        """
        if isinstance(expr, sympy.Basic) and not isinstance(expr, Node):
            return self._expression(expr)
        return self.node(self.bridge.to_node(expr))

    # -- SymPy --------------------------------------------------------------------------------------

    def _expression(self, root: sympy.Basic) -> int:
        """Put an expression onto the tape, arguments first, without recursion; parts are told apart by identity."""
        known = self._parts
        stack: list[tuple[sympy.Basic, bool]] = [(root, False)]
        while stack:
            part, expanded = stack.pop()
            if id(part) in known:
                continue
            reader = _READERS.get(type(part)) or _own_reader(part)
            if reader is None:
                known[id(part)] = part, self.node(self.bridge.to_node(part))
            elif expanded or not part.args:
                known[id(part)] = part, reader(self, part, [known[id(argument)][1] for argument in part.args])
            else:
                stack.append((part, True))
                stack += [(argument, False) for argument in part.args if id(argument) not in known]
        self.bridge.hold_real(root)
        return known[id(root)][1]


def _symbol(reading: Reading, part: sympy.Symbol, operands: list[int]) -> int:
    return reading.tape.input(reading.bridge.variable(part).name)


def _sum(reading: Reading, part: sympy.Add, operands: list[int]) -> int:
    """Add the terms, the numbers last, as one writes them."""
    tape = reading.tape
    if tape.operations[operands[0]] == "number":
        operands = [*operands[1:], operands[0]]
    elif tape.operations[operands[0]] == "negative":
        first = next((k for k, place in enumerate(operands) if tape.operations[place] != "negative"), 0)
        operands = [operands[first], *operands[:first], *operands[first + 1 :]]
    return tape.total(operands)


def _product(reading: Reading, part: sympy.Mul, operands: list[int]) -> int:
    """Multiply the factors; those with negative exponents divide."""
    tape = reading.tape
    above, below = [], []
    for factor, place in zip(part.args, operands, strict=True):
        if tape.operations[place] == "/" and tape.exact(tape.operands[place][0]) == 1 and factor.is_Pow:
            below.append(tape.operands[place][1])
        else:
            above.append(place)
    product = reduce(tape.multiply, above) if above else tape.number(1)
    return tape.divide(product, reduce(tape.multiply, below)) if below else product


def _power(reading: Reading, part: sympy.Pow, operands: list[int]) -> int:
    tape, exponent = reading.tape, part.args[1]
    if exponent.is_Integer and abs(int(exponent)) <= MOST_SQUARED:
        return tape.power(operands[0], int(exponent))
    if exponent is sympy.S.Half:
        return tape.apply("sqrt", operands[0])
    if exponent == -sympy.S.Half:
        return tape.divide(tape.number(1), tape.apply("sqrt", operands[0]))
    if part.args[0] is sympy.E:
        return tape.apply("exp", operands[1])
    return tape.apply("power", *operands)


def _called(name: str) -> Reader:
    def read(reading: Reading, part: sympy.Basic, operands: list[int]) -> int:
        if len(operands) > 2:
            return reduce(lambda one, other: reading.tape.apply(name, one, other), operands)
        return reading.tape.apply(name, *operands)

    return read


def _own_reader(part: Any) -> Reader | None:
    """Return what reads a function that SymPy does not define; None of anything else."""
    return _own if is_own(part) and rule_of(part) in _OWN_RULES else None


def _own(reading: Reading, part: Any, operands: Sequence[int]) -> int:
    return reading.tape.apply(function_of(type(part), len(operands)), *operands)


def _number(reading: Reading, part: Any, operands: Sequence[int]) -> int:
    return reading.tape.number(Fraction(int(part.p), int(part.q)))


_OWN_RULES = RULES[sympy.Function], RULES[AppliedUndef]

_PLAIN = {
    kind: name for kind, name in INTO_NODES.items() if isinstance(kind, type) and issubclass(kind, sympy.Function)
}

_READERS: dict[type, Reader] = {
    sympy.Symbol: _symbol,
    sympy.Add: _sum,
    sympy.Mul: _product,
    sympy.Pow: _power,
    **{kind: _called(name) for kind, name in _PLAIN.items()},
    **{
        type(value): _number
        for value in (
            sympy.S.Zero,
            sympy.S.One,
            sympy.S.NegativeOne,
            sympy.S.Half,
            sympy.Integer(2),
            sympy.Rational(2, 3),
        )
    },
}
"""What is read directly; all else becomes a node first."""
