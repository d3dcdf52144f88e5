"""Products and sums of derivatives on a tape, in which masks, where(condition, value, 0), stay outside.

0 times the slope of a branch that is not taken would be NaN where that slope is infinite; `symback.derive.masks` does
the same for graphs.
"""

from functools import reduce
from typing import NamedTuple

from symback.scalar.tape import DIVIDE, Tape

WHERE, _AND, _NOT = "where", "logical_and", "logical_not"

_MOST_CONJUNCTS = 16
"""Conditions that are told apart; of more the rest counts as one."""


class Mask(NamedTuple):
    """A derivative taken apart."""

    condition: int
    value: int


def mask_of(tape: Tape, place: int) -> Mask | None:
    """Take a derivative apart, if it is written as a mask."""
    if tape.operations[place] != WHERE:
        return None
    condition, value, other = tape.operands[place]
    return Mask(condition, value) if tape.exact(other) == 0 else None


def masked(tape: Tape, condition: int, value: int) -> int:
    """Append a mask; a mask of a mask is one, and a mask of zero is zero."""
    if tape.exact(value) == 0:
        return value
    inner = mask_of(tape, value)
    if inner is not None:
        known = _conjuncts(tape, inner.condition)
        new = [part for part in _conjuncts(tape, condition) if part not in known]
        condition, value = _all(tape, [*new, inner.condition]), inner.value
    return tape.apply(WHERE, condition, value, tape.number(0))


def slopes_of_choice(tape: Tape, place: int) -> list[int | None]:
    """Return the derivatives of a choice: none by the condition, and masks by the branches."""
    condition, one = tape.operands[place][0], tape.number(1)
    return [None, masked(tape, condition, one), masked(tape, tape.apply(_NOT, condition), one)]


def product(tape: Tape, a: int, b: int) -> int:
    """Append a product of derivatives."""
    for one, other in ((a, b), (b, a)):
        mask = mask_of(tape, one)
        if mask is not None:
            return masked(tape, mask.condition, product(tape, mask.value, other))
    return tape.multiply(a, b)


def times(tape: Tape, factor: int, slope: int) -> int:
    """Append a derivative times a slope; into a fraction of one by dividing."""
    if tape.operations[slope] == DIVIDE and tape.exact(tape.operands[slope][0]) == 1:
        return over(tape, factor, tape.operands[slope][1])
    return product(tape, factor, slope)


def over(tape: Tape, a: int, b: int) -> int:
    """Append a derivative divided by a value."""
    mask = mask_of(tape, a)
    return tape.divide(a, b) if mask is None else masked(tape, mask.condition, over(tape, mask.value, b))


def minus(tape: Tape, a: int) -> int:
    """Append the negative of a derivative."""
    mask = mask_of(tape, a)
    return tape.negative(a) if mask is None else masked(tape, mask.condition, minus(tape, mask.value))


def plus(tape: Tape, a: int, b: int) -> int:
    """Append a sum of derivatives; what two masks have in common stays outside."""
    one, other = mask_of(tape, a), mask_of(tape, b)
    if one is None or other is None:
        return tape.add(a, b)
    first, second = _conjuncts(tape, one.condition), _conjuncts(tape, other.condition)
    common = [part for part in first if part in second]
    if not common:
        return tape.add(a, b)
    values = []
    for mask, parts in ((one, first), (other, second)):
        rest = [part for part in parts if part not in common]
        values.append(masked(tape, _all(tape, rest), mask.value) if rest else mask.value)
    return masked(tape, _all(tape, common), tape.add(*values))


def _conjuncts(tape: Tape, condition: int) -> list[int]:
    """Return the conditions that must all hold for this one to hold, each once."""
    found: dict[int, None] = {}
    waiting = [condition]
    while waiting:
        part = waiting.pop()
        if tape.operations[part] == _AND and len(found) < _MOST_CONJUNCTS:
            waiting += reversed(tape.operands[part])
        else:
            found[part] = None
    return list(found)


def _all(tape: Tape, conditions: list[int]) -> int:
    return reduce(lambda one, other: tape.apply(_AND, one, other), conditions)
