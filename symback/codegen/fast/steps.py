"""Statements of a program in three-address form: what each computes, of which arrays, and into which memory."""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from symback.codegen.source.text import ATOM, PRODUCT, SUM, Text, template_text
from symback.nodes.apply import Map
from symback.nodes.classify import Product
from symback.nodes.contract import Labels
from symback.nodes.leaves import Exact
from symback.nodes.node import Node
from symback.nodes.shapes import Shape

OPERATORS = {
    "np.add": ("+", SUM), "np.subtract": ("-", SUM), "np.multiply": ("*", PRODUCT), "np.divide": ("/", PRODUCT),
    "np.matmul": ("@", PRODUCT),
}  # fmt: skip
"""The functions that have an operator, with how tightly that binds."""

DOT = "np.dot"
"""The product of two matrices, or of a matrix and a vector: into new memory by `dot`, which takes less time to call."""

MATRIX_PRODUCTS = {"np.matmul", DOT}

COMMUTATIVE = {"np.add", "np.multiply", "np.maximum", "np.minimum"}

ZERO_WHERE_NOT = "zero_where_not"
"""The function of (array, mask) that is the array where the mask holds, and 0 elsewhere."""


@dataclass(eq=False)
class Array:
    """An array that a statement computes.

    Attributes:
        name: The variable it is bound to; its memory may be bound to others before and after.
        shape: Its shape.
        dtype: Its dtype.
        fresh: Nothing else holds its memory when it is made.
        shares: The arrays whose memory it may look into.
    """

    name: str
    shape: Shape
    dtype: np.dtype[Any]
    fresh: bool = True
    shares: frozenset["Array"] = frozenset()


class Operand(NamedTuple):
    """An operand of a statement: its text, the arrays that this reads, and the array it is, if it is a whole one."""

    text: Text
    reads: frozenset[Array] = frozenset()
    array: Array | None = None
    shape: Shape = ()

    @classmethod
    def of(cls, array: Array) -> "Operand":
        """Return a whole array as an operand."""
        return cls(Text(array.name), frozenset([array]), array, array.shape)

    def arrays(self) -> list[Array]:
        """Return the array that this is, in a list; nothing if it is another expression."""
        return [] if self.array is None else [self.array]

    def written(self) -> Text:
        """Return the text; of a whole array it is the name that it has now."""
        return self.text if self.array is None else self.text._replace(text=self.array.name)


@dataclass(eq=False)
class Step:
    """A statement: a function of operands into one target, or lines that are written as they are.

    Attributes:
        targets: The arrays it makes; one, if it has a function.
        operands: What it reads.
        function: NumPy's name of a function that has ``out``, `ZERO_WHERE_NOT`, or a template of an expression that
            makes a new array; empty for `lines`.
        options: Further arguments, such as ``axis=0``.
        lines: The statement as it is written.
        elementwise: Each entry of the target depends on one entry of each operand.
    """

    targets: tuple[Array, ...]
    operands: tuple[Operand, ...]
    function: str = ""
    options: str = ""
    lines: list[str] = field(default_factory=list)
    elementwise: bool = False

    @property
    def has_out(self) -> bool:
        """Can the result be written to memory that is there already?"""
        return bool(self.function) and "{" not in self.function

    @property
    def target(self) -> Array:
        """The array it makes."""
        return self.targets[0]

    @property
    def reads(self) -> frozenset[Array]:
        """The arrays it reads."""
        return frozenset().union(*(operand.reads for operand in self.operands))


def broadcast_shape(shapes: Sequence[Shape]) -> Shape:
    """Return the shape that operands of these shapes are broadcast to; they are known to fit."""
    rank = max(map(len, shapes))
    padded = [(1,) * (rank - len(shape)) + tuple(shape) for shape in shapes]
    return tuple(next((size for size in sizes if size != 1), 1) for sizes in zip(*padded, strict=True))


def aligned_shape(labels: Labels, p: Product, *, full: bool) -> Shape:
    """Return the shape of an operand of a product, as its axes are put to those of the output."""
    first = 0 if full else min((p.out.index(label) for label in labels if label in p.out), default=len(p.out))
    return tuple(p.sizes[label] if label in labels else 1 for label in p.out[first:])


def turned(operand: Operand, shape: Shape) -> Operand:
    """Return a transposed matrix that is read again and again, along a further axis, as a copy in its own order."""
    text = operand.text.text
    if len(operand.shape) < 2 or len(operand.shape) >= len(shape) or not text.endswith(".T"):
        return operand
    copied = operand.text._replace(text=f"np.ascontiguousarray({text})", precedence=ATOM)
    return operand._replace(array=None, text=copied)


def compared_as_floats(mask: Operand, node: Node) -> Operand:
    """Return a mask in which floats are compared with a float, as in ``x > 0.0``: NumPy converts no integer then."""
    number = node.operands[-1] if isinstance(node, Map) and len(node.operands) == 2 else None
    if mask.array is not None or not isinstance(number, Exact) or node.operands[0].dtype.kind != "f":
        return mask
    plain = type(number.value) is int and mask.text.text.endswith(f" {number.value}")
    return mask._replace(text=mask.text._replace(text=f"{mask.text.text}.0")) if plain else mask


def holders(arrays: Iterable[Array]) -> set[Array]:
    """Return the arrays whose memory these may look into, and themselves."""
    found: set[Array] = set()
    stack = list(arrays)
    while stack:
        array = stack.pop()
        if array not in found:
            found.add(array)
            stack.extend(array.shares)
    return found


def last_uses(steps: Sequence[Step], results: Iterable[Array]) -> dict[Array, int]:
    """Return for each array the number of the last statement that needs its memory; results are needed at the end."""
    last: dict[Array, int] = {}
    for number, step in enumerate(steps):
        for array in holders(step.reads):
            last[array] = number
        for array in step.targets:
            last.setdefault(array, number)
    for array in holders(results):
        last[array] = len(steps)
    return last


def early(steps: Sequence[Step]) -> list[Step]:
    """Put what only a result needs right behind what it is computed from.

    So the operands of a gradient's last product are still in the cache, and their memory is free earlier.
    """
    made = {array: step for step in steps for array in step.targets}
    needs = {step: {made[array] for array in step.reads if array in made} for step in steps}
    readers: dict[Step, list[Step]] = {step: [] for step in steps}
    for step in steps:
        for other in needs[step]:
            readers[other].append(step)
    tails: set[Step] = set()
    for step in reversed(steps):
        if step.function and (not readers[step] or (len(readers[step]) == 1 and readers[step][0] in tails)):
            tails.add(step)
    waiting = {step: len(needs[step]) for step in tails if needs[step]}
    moved: list[Step] = []
    for step in steps:
        if step in waiting:
            continue
        ready = [step]
        while ready:
            moved.append(placed := ready.pop(0))
            for reader in readers[placed]:
                if reader in waiting:
                    waiting[reader] -= 1
                    if not waiting[reader]:
                        ready.append(reader)
    return moved


def share_names(
    steps: Sequence[Step], results: Container[Array], fixed: Container[str], sealed: Container[Array] = ()
) -> None:
    """Give an intermediate result the name of what is computed from it alone, so that this goes on in its place.

    Args:
        steps: The statements; a name stays bound to one thing at a time.
        results: Arrays that are needed at the end.
        fixed: The names that stay.
        sealed: Arrays that have memory of their own, where nothing else goes on.
    """
    first: dict[str, int] = {}
    for number, step in enumerate(steps):
        for array in step.targets:
            first.setdefault(array.name, number)
    readers: dict[Array, list[tuple[Step, bool]]] = {}
    for step in steps:
        for array in step.reads:
            whole = bool(step.function) and all(operand.array is array or array not in operand.reads
                                                for operand in step.operands)  # fmt: skip
            readers.setdefault(array, []).append((step, whole and step.elementwise))
    for number, step in reversed(list(enumerate(steps))):
        if not step.function or step.target.name in fixed or len(readers.get(step.target, ())) != 1:
            continue
        array = step.target
        if array in results:
            continue
        reader, whole = readers[array][0]
        target = reader.target
        fits = whole and target not in sealed and (target.shape, target.dtype) == (array.shape, array.dtype)
        if fits and array.name != target.name and first[array.name] == number and steps[first[target.name]] is reader:
            first[target.name] = number
            array.name = target.name


# -- writing -----------------------------------------------------------------------------------------


def expression(step: Step, out: str | None = None) -> str:
    """Write what a statement computes, by an operator if it has one and `out` does not say where to."""
    texts = [operand.written() for operand in step.operands]
    if "{" in step.function:
        return template_text(step.function, texts).signed()
    if step.function == ZERO_WHERE_NOT:
        array, mask = (text.signed() for text in texts)
        return f"np.where({mask}, {array}, 0.0)" if out is None else f"{ZERO_WHERE_NOT}({array}, {mask})"
    if step.function == DOT and out is None:
        return f"{texts[0].wrapped(ATOM)}.dot({texts[1].signed()})"
    if out is None and step.function in OPERATORS and not step.options:
        sign, rank = OPERATORS[step.function]
        return f"{texts[0].wrapped(rank)} {sign} {texts[1].wrapped(rank + 1)}"
    if out is None and step.function == "np.negative":
        return f"-{texts[0].wrapped(ATOM)}"
    if step.function in ("np.maximum", "np.minimum") and step.target.dtype.kind == "f":
        texts = [text._replace(text=f"{text.text}.0") if text.text.isdigit() else text for text in texts]
    options = [step.options] if step.options else []
    target = [] if out is None else [f"out={out}"]
    function = "np.matmul" if step.function == DOT else step.function  # dot wants memory in C order
    return f"{function}({', '.join([*(text.signed() for text in texts), *options, *target])})"


def statement(step: Step, into: str | None, place: int | None = None) -> str:
    """Write a statement that makes an array, or writes into the array of the name `into`: its operand at `place`."""
    name = step.target.name
    if into is None:
        return f"{name} = {expression(step)}"
    if "{" in step.function:
        return f"{into}[...] = {expression(step)}"
    turned = place == 0 or (place == 1 and step.function in COMMUTATIVE)
    if into == name and place is not None and turned and step.function in OPERATORS.keys() - MATRIX_PRODUCTS:
        return f"{name} {OPERATORS[step.function][0]}= {step.operands[1 - place].written().signed()}"
    text = expression(step, into)
    return text if into == name else f"{name} = {text}"
