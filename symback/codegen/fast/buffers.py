"""Which memory each statement of a program writes to: that of an operand it is the last to read, or of a dead array.

What never leaves the function can be kept between calls: `planned` names that memory.
"""

import math
from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any

import numpy as np

from symback.codegen.fast.steps import ZERO_WHERE_NOT, Array, Step, holders, last_uses, statement
from symback.nodes.shapes import Shape

_SMALL = 2048
"""Arrays of fewer entries are made anew: that takes less time than to say where they are to be written to."""

_HUGE = 131_072
"""Arrays of so many entries are worth keeping from one call to the next."""


ROOM = 84
"""The width of a line in a function."""


@dataclass(eq=False)
class Buffer:
    """Memory that one array after the other is written to.

    Attributes:
        shape: The shape of all of them.
        dtype: Their dtype.
        name: The variable that the first one was bound to.
        current: The variable that holds it now.
        until: The number of the last statement that needs what is in it.
        place: Its number among all, in the order in which they are first written to.
        escapes: A result is in it at the end.
        planned: It may be there before the first statement writes to it.
    """

    shape: Shape
    dtype: np.dtype[Any]
    name: str
    current: str
    until: int
    place: int
    escapes: bool = False
    planned: bool = True


@dataclass
class Plan:
    """The lines of a program, the memory that it may keep between calls, and whether it masks arrays in place."""

    lines: list[str] = field(default_factory=list)
    kept: list[Buffer] = field(default_factory=list)
    masks: bool = False


def unpacked(names: Sequence[str], rows: Callable[[str], str], room: int) -> list[str]:
    """Bind names to what an array or a list has one after the other, in lines that have this room if they can.

    `rows` writes what is at a slice of it.
    """
    lines: list[str] = []
    start = 0
    while start < len(names):
        stop = start + 1
        width = len(names[start]) + len(f"{rows(f'{len(names)}:{len(names)}')} = ")
        while stop < len(names) and width + len(names[stop]) + 2 <= room:
            width += len(names[stop]) + 2
            stop += 1
        bounds = f"{start or ''}:{stop if stop < len(names) else ''}"
        lines.append(f"{', '.join(names[start:stop])}{',' if stop == start + 1 else ''} = {rows(bounds)}")
        start = stop
    return lines


def bound_to(buffers: Sequence[Buffer], arrays: str, claim: Callable[[str], str]) -> list[str]:
    """Bind the names of buffers to a list of arrays: at once if they are few, else part by part."""
    names = [buffer.name for buffer in buffers]
    targets = f"{', '.join(names)}{',' if len(names) == 1 else ''}"
    if 2 * len(targets) < ROOM:
        return [f"{targets} = {arrays}"]
    whole = claim("kept")
    return [f"{whole} = {arrays}", *unpacked(names, lambda rows: f"{whole}[{rows}]", ROOM)]


def is_huge(shape: Shape) -> bool:
    """Does memory of this shape come from the system anew at each call? Of a symbolic shape one assumes it from rank 3.

    What is smaller comes from what was freed just now, which is still in the cache.
    """
    if all(isinstance(size, int) for size in shape):
        return math.prod(int(size) for size in shape) >= _HUGE
    return len(shape) > 2


def pays(shape: Shape) -> bool:
    """Is an array of this shape likely large? Vectors of symbolic length seldom are; of others one assumes it."""
    count = 1
    for size in shape:
        if not isinstance(size, int):
            return len(shape) > 1
        count *= size
    return count >= _SMALL


class Planner:
    """Chooses the memory of each statement, in order."""

    def __init__(
        self, steps: Sequence[Step], results: Collection[Array], leaving: Collection[Array], *, keep: bool
    ) -> None:
        self._last = last_uses(steps, results)
        self._escaping = holders(leaving)
        self._keep = keep
        self._buffers: dict[Array, Buffer] = {}
        self._bound: dict[str, Buffer] = {}
        self._all: list[Buffer] = []
        self._ending: dict[int, dict[int, Buffer]] = {}
        self._free: dict[Hashable, list[int]] = {}
        self._placed: list[tuple[Step, Buffer | None, str | None, int | None]] = []
        for number, step in enumerate(steps):
            self._release(number)
            self._placed.append((step, *self._place(number, step)))

    def plan(self) -> Plan:
        """Write the program."""
        plan = Plan()
        if self._keep:
            dtypes = [buffer.dtype for buffer in self._all if self._is_kept(buffer)]
            common = max(dict.fromkeys(dtypes), key=dtypes.count) if dtypes else None
            plan.kept = [buffer for buffer in self._all if self._is_kept(buffer) and buffer.dtype == common]
        kept = set(plan.kept)
        for step, buffer, into, place in self._placed:
            if not step.function:
                plan.lines += step.lines
            elif into is None and buffer is not None and (buffer in kept or self._is_given(buffer)):
                plan.lines.append(statement(step, buffer.name))
            else:
                plan.lines.append(statement(step, into, place))
                plan.masks |= step.function == ZERO_WHERE_NOT and into is not None
        return plan

    def _is_given(self, buffer: Buffer) -> bool:
        """Is there memory under this name before the program begins, beside what is kept?"""
        return False

    @staticmethod
    def _is_kept(buffer: Buffer) -> bool:
        return buffer.planned and not buffer.escapes and is_huge(buffer.shape)

    def _pays(self, array: Array) -> bool:
        return pays(array.shape)

    def _place(self, number: int, step: Step) -> tuple[Buffer | None, str | None, int | None]:
        """Return the memory that a statement writes to, the variable that holds it, and the operand that has it."""
        if not step.function:
            for array in step.targets:
                if array.fresh and array.shape:
                    self._enter(array, planned=False)
            return None, None, None
        if not step.has_out:
            return self._enter(step.target, planned=False), None, None
        operand = self._operand_in_place(number, step)
        target = step.target
        if operand is not None:
            (array,) = step.operands[operand].arrays()
            return self._rebind(self._buffers[array], target), array.name, operand
        if self._pays(target) and step.function != ZERO_WHERE_NOT:
            buffer = self._first_free(target)
            if buffer is not None:
                held = buffer.current
                return self._rebind(buffer, target), held, None
        return self._enter(target, planned=step.function != ZERO_WHERE_NOT), None, None

    def _release(self, number: int) -> None:
        """Set free the memory that the statement before this one was the last to need."""
        for place, buffer in self._ending.pop(number - 1, {}).items():
            if buffer.until < number:
                heappush(self._free.setdefault((buffer.shape, buffer.dtype), []), place)

    def _first_free(self, target: Array) -> Buffer | None:
        """Return the first memory of a shape and dtype that nothing needs any more, and that still has a name."""
        free = self._free.get((target.shape, target.dtype), [])
        while free:
            buffer = self._all[heappop(free)]
            if self._bound.get(buffer.current) is buffer:
                return buffer
        return None

    def _operand_in_place(self, number: int, step: Step) -> int | None:
        if not step.elementwise:
            return None
        target = step.target
        small = not self._pays(target)
        for place, operand in enumerate(step.operands):
            array = operand.array
            if array is None or operand.text.negative or self._buffers.get(array) is None:
                continue
            if self._last[array] != number:
                continue
            if (array.shape, array.dtype) != (target.shape, target.dtype) or self._buffers[array].until != number:
                continue
            if step.function == ZERO_WHERE_NOT and (place or small):
                continue
            written = statement(step, array.name, place)
            if small and "=" in written.partition("(")[2]:
                continue
            return place
        return None

    def _enter(self, array: Array, *, planned: bool) -> Buffer:
        planned = planned and array.name not in self._bound
        place, until = len(self._all), self._last[array]
        buffer = Buffer(array.shape, array.dtype, array.name, array.name, until, place, planned=planned)
        self._all.append(buffer)
        return self._rebind(buffer, array)

    def _rebind(self, buffer: Buffer, array: Array) -> Buffer:
        buffer.current, buffer.until = array.name, self._last[array]
        self._ending.setdefault(buffer.until, {})[buffer.place] = buffer
        buffer.escapes |= array in self._escaping
        self._buffers[array] = self._bound[array.name] = buffer
        return buffer
