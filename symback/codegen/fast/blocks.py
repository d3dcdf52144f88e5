"""Long chains of elementwise functions run block by block, so that what is between them stays in the cache.

A chain is a run of statements on arrays of one shape. It becomes a loop over parts of the first axis (of all
entries, if no operand broadcasts), whose intermediate results are written to a few buffers of a block's length. What is
needed behind the loop is written to whole arrays, part by part; sums over all entries are added up from those of the
blocks.
"""

from collections.abc import Callable, Container, Sequence
from dataclasses import replace
from typing import Any

from symback.codegen.fast.buffers import ROOM, Buffer, Planner, unpacked
from symback.codegen.fast.steps import ZERO_WHERE_NOT, Array, Operand, Step, share_names
from symback.codegen.source.text import Text, dtype_argument, dtype_name
from symback.nodes.shapes import Shape

LENGTH = 8192
"""Entries of a block: a few buffers of that length stay in the second-level cache."""

_FEWEST, _FEWEST_UNKNOWN = 5, 12
"""So many intermediate results at least, of a known and of a symbolic size: the loop costs where arrays are short."""

_MANY = 8
"""With more buffers than that, blocks are half as long."""

_LARGE = 4 * LENGTH
"""Arrays of a known size gain from blocks from here on."""

SUMS = ("np.add.reduce", "np.vdot")
"""Functions whose result over all entries is the sum of their results over blocks."""

ShapeText = Callable[[Shape], str]
Claim = Callable[[str], str]


def blocked(steps: Sequence[Step], results: Container[Array], claim: Claim, shape_text: ShapeText) -> list[Step]:
    """Put a loop in place of each long chain among the statements."""
    shapes = dict.fromkeys(step.target.shape for step in steps if _is_entrywise(step))
    for shape in shapes:
        if not _is_long(shape):
            continue
        before, chain, after = _split(steps, shape)
        needed = {array for step in after for array in step.reads}
        outputs = [step.target for step in chain if step.target in needed or step.target in results]
        count = sum(step.elementwise for step in chain)
        fewest = _FEWEST if all(isinstance(size, int) for size in shape) else _FEWEST_UNKNOWN
        if count - len(outputs) >= fewest and count >= 2 * len(outputs):
            _separate(steps, chain, outputs, claim)
            taken = {array.name for step in [*before, *after] for array in step.targets}
            loop = Loop(shape, chain, outputs, taken, claim, shape_text).step()
            return [*before, loop, *blocked(after, results, claim, shape_text)]
    return list(steps)


def _separate(steps: Sequence[Step], chain: Sequence[Step], outputs: Sequence[Array], claim: Claim) -> None:
    """Rename what a loop reads or makes that is on the way to what gets its name in the end."""
    final = {array.name: array for step in steps for array in step.targets}
    within = {array for step in chain for array in step.targets}.difference(outputs)
    for array in dict.fromkeys([*outputs, *(a for s in chain for o in s.operands for a in o.arrays())]):
        if array not in within and final.get(array.name, array) is not array:
            array.name = claim(array.name)


def _is_entrywise(step: Step) -> bool:
    return step.elementwise and step.function != ZERO_WHERE_NOT


def _is_long(shape: Shape) -> bool:
    count = 1
    for size in shape:
        if not isinstance(size, int):
            return True
        count *= size
    return count >= _LARGE


def _split(steps: Sequence[Step], shape: Shape) -> tuple[list[Step], list[Step], list[Step]]:
    """Return what comes before the first chain of this shape, the chain, and what needs its results."""
    before: list[Step] = []
    chain: list[Step] = []
    after: list[Step] = []
    inside: set[Array] = set()
    late: set[Array] = set()
    for step in steps:
        whole = all(not (operand.reads & inside) or operand.array in inside for operand in step.operands)
        summed = step.function in SUMS and step.target.shape == () and whole and bool(step.reads & inside)
        summed = summed and all(operand.array in inside for operand in step.operands)
        entrywise = _is_entrywise(step) and step.target.shape == shape and whole
        of_sum = any(array.shape == () for array in step.reads & inside)
        if (entrywise or summed) and not of_sum and not step.reads & late:
            chain.append(step)
            inside.update(step.targets)
        elif step.reads & (inside | late):
            after.append(step)
            late.update(step.targets)
        else:
            before.append(step)
    return before, chain, after


class _BlockPlanner(Planner):
    """Chooses among the buffers of a block; those of results are theirs alone."""

    def __init__(self, steps: Sequence[Step], own: Container[Array]) -> None:
        self._own = own
        super().__init__(steps, [], [], keep=False)

    def _pays(self, array: Array) -> bool:
        return array.shape != ()

    def _place(self, number: int, step: Step) -> tuple[Any, str | None, int | None]:
        if step.target in self._own or step.target.shape == ():
            buffer = self._enter(step.target, planned=False)
            buffer.until = len(self._last) + number + 1
            return buffer, step.target.name if step.target.shape else None, None
        return super()._place(number, step)

    def _is_given(self, buffer: Buffer) -> bool:
        return buffer.shape != () and buffer.planned

    def buffers(self) -> list[str]:
        """Return the names of the buffers, in the order in which they are first written to."""
        return [buffer.name for buffer in self._all if self._is_given(buffer)]


class Loop:
    """The loop of one chain."""

    def __init__(
        self,
        shape: Shape,
        chain: Sequence[Step],
        outputs: Sequence[Array],
        taken: set[str],
        claim: Claim,
        shape_text: ShapeText,
    ) -> None:
        self._shape, self._outputs = shape, outputs
        self._claim, self._shape_text = claim, shape_text
        self._before: list[str] = []
        self._parts: dict[str, str] = {}
        self._inner: dict[Array, Array] = {}
        made = {step.target for step in chain}
        outside = [operand for step in chain for operand in step.operands if not operand.reads & made]
        self._flat = len(shape) > 1 and all(operand.shape in ((), shape) for operand in outside)
        self._outer: dict[str, Operand] = {}
        names = [array.name for operand in outside for array in operand.reads] + [array.name for array in outputs]
        self._outside = {*names, *(operand.written().text for operand in outside), *taken}
        self._chain = [self._moved(step) for step in chain]
        self._reads = frozenset().union(*(operand.reads for operand in outside))

    # -- operands -----------------------------------------------------------------------------------

    def _moved(self, step: Step) -> Step:
        """Return the statement on parts."""
        operands = tuple(self._operand(operand) for operand in step.operands)
        target = step.target
        name = target.name
        if target.name in self._outside:
            name = self._claim(f"{target.name}_part")
        made = self._inner[target] = Array(name, target.shape, target.dtype)
        return replace(step, targets=(made,), operands=operands, options=step.options)

    def _operand(self, operand: Operand) -> Operand:
        if operand.array in self._inner:
            inner = self._inner[operand.array]
            return Operand(operand.text._replace(text=inner.name), frozenset([inner]), inner, inner.shape)
        text = operand.written()
        name = text.text
        if not operand.shape and not operand.reads and "(" not in name:
            return operand
        if name not in self._parts:
            self._parts[name] = self._part(name, operand)
        return Operand(text._replace(text=self._parts[name], precedence=100), frozenset(), None, operand.shape)

    def _part(self, name: str, operand: Operand) -> str:
        """Return the name of an operand's part in the loop; what is no name is computed once before the loop."""
        whole = name
        if self._flat and operand.shape:
            whole = self._claim(f"{name}_entries" if name.isidentifier() else "entries")
            self._before.append(f"{whole} = {operand.written().wrapped(100, signed=False)}.reshape(-1)")
        elif not name.isidentifier():
            whole = self._claim("operand")
            self._before.append(f"{whole} = {name}")
        if len(operand.shape) < len(self._shape) or operand.shape[0] != self._shape[0]:
            return whole
        part = self._claim(f"{name}_part" if name.isidentifier() else "part")
        self._outer[part] = operand._replace(text=Text(whole))
        return part

    # -- the loop -------------------------------------------------------------------------------------

    def step(self) -> Step:
        """Write the loop as one statement."""
        arrays = [array for array in self._outputs if array.shape]
        sums = [array for array in self._outputs if not array.shape]
        inner = {self._inner[array] for array in arrays}
        share_names(self._chain, inner, (), sealed=inner)
        planner = _BlockPlanner(self._chain, inner)
        body = planner.plan().lines
        length, rows = self._lengths()
        lines = [*self._before, *self._results(arrays)]
        names = planner.buffers()
        step = self._claim("block" if isinstance(rows, int) else "rows")
        if isinstance(rows, int):
            length_is_name = length if length.isidentifier() or length.isdigit() else self._claim("count")
            lines += [f"{length_is_name} = {length}"] if length_is_name != length else []
            length = length_is_name
            rows = rows if len(names) <= _MANY else rows // 2
            rows = f"{rows} if {length} > {2 * LENGTH} else max({length}, 1)"
        lines.append(f"{step} = {rows}")
        if names:
            buffers = self._claim("buffers")
            axes = "" if self._flat or len(self._shape) == 1 else "".join(
                f", {self._shape_text((size,))[1:-2]}" for size in self._shape[1:]
            )  # fmt: skip
            kind = dtype_argument(self._chain[0].target.dtype)
            lines.append(f"{buffers} = np.empty(({len(names)}, min({step}, {length}){axes}){kind})")
        lines += [f"{array.name} = []" for array in sums]
        start, stop = self._claim("start"), self._claim("stop")
        lines.append(f"for {start} in range(0, {length}, {step}):")
        inside = [f"{stop} = min({start} + {step}, {length})"]
        whole = {part: operand.text.text for part, operand in self._outer.items()}
        whole |= {self._inner[array].name: self._entries(array) for array in arrays}
        inside += [f"{part} = {entries}[{start}:{stop}]" for part, entries in whole.items()]
        if names:
            inside += unpacked(names, lambda rows: f"{buffers}[{rows}, : {stop} - {start}]", ROOM - 4)
        inside += body
        inside += [f"{array.name}.append({self._inner[array].name})" for array in sums]
        lines += [f"    {line}" for line in inside]
        lines += [f"{a.name} = np.sum({a.name}, dtype=np.{dtype_name(a.dtype)})" for a in sums]
        return Step(tuple(self._outputs), (Operand(Text(""), self._reads),), lines=lines)

    def _lengths(self) -> tuple[str, int | str]:
        """Return the length of the axis that is cut, and how much of it is a block."""
        sizes = [self._shape_text((size,))[1:-2] for size in self._shape]
        if len(sizes) == 1:
            return sizes[0], LENGTH
        factors = [size if size.isidentifier() or size.isdigit() else f"({size})" for size in sizes]
        if self._flat:
            return " * ".join(factors), LENGTH
        return sizes[0], f"max(1, {LENGTH} // max(1, {' * '.join(factors[1:])}))"

    def _entries(self, array: Array) -> str:
        return f"{array.name}_entries" if self._flat else array.name

    def _results(self, arrays: Sequence[Array]) -> list[str]:
        lines = []
        for array in arrays:
            lines.append(f"{array.name} = np.empty({self._shape_text(array.shape)}{dtype_argument(array.dtype)})")
            if self._flat:
                lines.append(f"{array.name}_entries = {array.name}.reshape(-1)")
        return lines
