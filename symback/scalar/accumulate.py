"""Derivatives of a tape, appended to it: by reverse sweeps, by forward sweeps, or from the middle, whichever is least.

A reverse sweep gives the gradient of one output by all inputs, in at most about four times the operations of the
program (Baur and Strassen, "The complexity of partial derivatives", 1983; Griewank and Walther, *Evaluating
Derivatives*, 2nd ed., 2008, section 3.3). All sweeps append to the same tape: what two of them need is there once.
"""

from collections.abc import Callable, Sequence
from functools import partial, reduce
from heapq import heapify, heappop, heappush

from symback.scalar.masks import WHERE, minus, over, plus, product, slopes_of_choice, times
from symback.scalar.rules import local, refuse_held
from symback.scalar.tape import ADD, DIVIDE, MULTIPLY, NEGATIVE, SUBTRACT, Tape

Rows = list[list[int]]
"""Of each output the numbers of its derivatives by the inputs."""


def gradient(tape: Tape, output: int, inputs: Sequence[int]) -> list[int]:
    """Return the derivatives of one output by inputs, by one reverse sweep.

    Args:
        tape: What is appended to.
        output: The number of an operation.
        inputs: Numbers of inputs, or of intermediate operations.
    """
    return _pulled_back(tape, output, inputs, tape.moving(inputs))


def _pulled_back(tape: Tape, output: int, inputs: Sequence[int], moving: bytearray) -> list[int]:
    zero = tape.number(0)
    if output >= len(moving) or not moving[output]:
        return [zero] * len(inputs)
    stops = set(inputs)
    found: dict[int, int] = {output: tape.number(1)}
    waiting = [-output]  # a heap, so that a sweep takes time for what it meets, however long the tape is
    while waiting:
        place = -heappop(waiting)
        if place in stops:
            continue
        for operand, value in _passed_on(tape, place, found.pop(place), moving):
            there = found.get(operand)
            if there is None:
                found[operand] = value
                heappush(waiting, -operand)
            else:
                found[operand] = plus(tape, there, value)
    return [found.get(place, zero) for place in inputs]


def _passed_on(tape: Tape, place: int, cotangent: int, moving: bytearray) -> list[tuple[int, int]]:
    """Return what an operation passes back to each operand that moves."""
    name, operands = tape.operations[place], tape.operands[place]
    if name == MULTIPLY:
        a, b = operands
        if a == b:
            return [(a, product(tape, tape.number(2), product(tape, cotangent, a)))]
        return [(x, product(tape, cotangent, other)) for x, other in ((a, b), (b, a)) if moving[x]]
    if name == ADD:
        return [(x, cotangent) for x in operands if moving[x]]
    if name == SUBTRACT:
        a, b = operands
        found = [(a, cotangent)] if moving[a] else []
        return [*found, (b, minus(tape, cotangent))] if moving[b] else found
    if name == NEGATIVE:
        return [(operands[0], minus(tape, cotangent))]
    if name == DIVIDE:
        a, b = operands
        share = over(tape, cotangent, b)
        found = [(a, share)] if moving[a] else []
        return [*found, (b, minus(tape, product(tape, share, place)))] if moving[b] else found
    slopes = zip(operands, _slopes(tape, place, moving), strict=True)
    return [(x, times(tape, cotangent, slope)) for x, slope in slopes if slope is not None and moving[x]]


def _slopes(tape: Tape, place: int, moving: bytearray) -> list[int | None]:
    """Return the derivatives of an operation by its operands; None for zero."""
    refuse_held(tape, place, moving)
    return slopes_of_choice(tape, place) if tape.operations[place] == WHERE else local(tape, place)


def reverse(tape: Tape, outputs: Sequence[int], inputs: Sequence[int]) -> Rows:
    """Return the Jacobian by a reverse sweep for each output."""
    moving = tape.moving(inputs)
    return [_pulled_back(tape, output, inputs, moving) for output in outputs]


def forward(tape: Tape, outputs: Sequence[int], inputs: Sequence[int]) -> Rows:
    """Return the Jacobian by a forward sweep for each input."""
    columns = [_pushed(tape, outputs, entry) for entry in inputs]
    return [list(row) for row in zip(*columns, strict=True)] if columns else [[] for _ in outputs]


def _pushed(tape: Tape, outputs: Sequence[int], entry: int) -> list[int]:
    needed, moving = tape.needed(outputs), tape.moving([entry])
    zero = tape.number(0)
    known = {entry: tape.number(1)}
    for place in range(entry + 1, len(needed)):
        if needed[place] and moving[place]:
            slopes = zip(tape.operands[place], _slopes(tape, place, moving), strict=True)
            terms = [times(tape, known[x], s) for x, s in slopes if s is not None and x in known]
            if terms:
                known[place] = reduce(partial(plus, tape), terms)
    return [known.get(place, zero) for place in outputs]


def eliminated(tape: Tape, outputs: Sequence[int], inputs: Sequence[int]) -> Rows:
    """Return the Jacobian by eliminating operations from the linear graph, those with the fewest neighbours first.

    This is mixed accumulation by Markowitz's rule (Griewank and Reese, "On the calculation of Jacobian matrices by the
    Markowitz rule", 1991).
    """
    graph = _Linear(tape, outputs, inputs)
    graph.eliminate()
    zero = tape.number(0)
    return [[row.get(place, zero) for place in inputs] for row in graph.rows()]


class _Linear:
    """The linear graph: of each operation that moves the slopes by its operands; outputs stand below, one by one."""

    def __init__(self, tape: Tape, outputs: Sequence[int], inputs: Sequence[int]) -> None:
        self._tape = tape
        self._outputs = outputs
        self._inputs = set(inputs)
        needed, moving = tape.needed(outputs), tape.moving(inputs)
        self._slopes: dict[int, dict[int, int]] = {}
        self._users: dict[int, set[int]] = {place: set() for place in inputs}
        for place in range(len(needed)):
            if needed[place] and moving[place] and place not in self._inputs:
                self._users[place] = set()
                self._slopes[place] = {}
                for operand, slope in zip(tape.operands[place], _slopes(tape, place, moving), strict=True):
                    if slope is not None and moving[operand]:
                        self._join(place, operand, slope)
        for number, place in enumerate(outputs):
            self._slopes[~number] = {}
            if place in self._users:
                self._join(~number, place, tape.number(1))

    def _join(self, user: int, operand: int, slope: int) -> None:
        there = self._slopes[user].get(operand)
        self._slopes[user][operand] = slope if there is None else plus(self._tape, there, slope)
        self._users[operand].add(user)

    def _work(self, place: int) -> int:
        return len(self._slopes[place]) * len(self._users[place])

    def eliminate(self) -> None:
        """Eliminate what is neither input nor output."""
        waiting = [(self._work(place), place) for place in self._slopes if place >= 0]
        heapify(waiting)
        while waiting:
            work, place = heappop(waiting)
            if place not in self._slopes:
                continue
            now = self._work(place)
            if now > work:
                heappush(waiting, (now, place))
                continue
            touched = self._without(place)
            for other in touched:
                if other in self._slopes and other >= 0:
                    heappush(waiting, (self._work(other), other))

    def _without(self, place: int) -> list[int]:
        """Eliminate one operation; return those whose neighbours have changed."""
        slopes, users = self._slopes.pop(place), self._users.pop(place)
        for user in users:
            factor = self._slopes[user].pop(place)
            for operand, slope in slopes.items():
                self._join(user, operand, times(self._tape, factor, slope))
        for operand in slopes:
            self._users[operand].discard(place)
        return [*users, *slopes]

    def rows(self) -> list[dict[int, int]]:
        """Return the slopes of the outputs."""
        return [self._slopes[~number] for number in range(len(self._outputs))]


METHODS: dict[str, Callable[[Tape, Sequence[int], Sequence[int]], Rows]] = {
    "reverse": reverse, "forward": forward, "mixed": eliminated,
}  # fmt: skip
"""How a Jacobian is accumulated."""

_MOST_TRIED = 400_000
"""Operations times sweeps up to which all orders are tried."""


def jacobian(tape: Tape, outputs: Sequence[int], inputs: Sequence[int], order: str = "auto") -> tuple[Tape, Rows]:
    """Return a tape with the derivatives of outputs by inputs, in the order of accumulation that needs the least.

    Args:
        tape: What is differentiated; it is left as it is, and its numbers hold on the new one.
        outputs: Numbers of operations.
        inputs: Numbers of inputs.
        order: ``"reverse"``, ``"forward"``, ``"mixed"``, or ``"auto"``, which counts operations.
    """
    names = _worth_trying(tape, outputs, inputs) if order == "auto" else [order]
    best: tuple[int, Tape, Rows] | None = None
    for name in names:
        other = tape.copy()
        rows = METHODS[name](other, outputs, inputs)
        count = other.count([*outputs, *(entry for row in rows for entry in row)]) if len(names) > 1 else 0
        if best is None or count < best[0]:
            best = count, other, rows
    assert best is not None
    return best[1:]


def _worth_trying(tape: Tape, outputs: Sequence[int], inputs: Sequence[int]) -> list[str]:
    if len(outputs) <= 1:
        return ["reverse"]
    if len(tape) * min(len(outputs), len(inputs)) <= _MOST_TRIED:
        return list(METHODS)
    return ["reverse" if len(outputs) <= len(inputs) else "forward"]
