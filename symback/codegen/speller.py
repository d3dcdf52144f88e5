"""What the NumPy spelling of a primitive gets to work with: operand texts, and a way to write sizes and statements."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from symback.codegen.source.text import Text, call, dtype_name
from symback.nodes.classify import Product
from symback.nodes.node import Node
from symback.nodes.shapes import SizeExpr


def as_numpy(node: Node | Product, text: Text) -> Text:
    """Write a Python number as a NumPy number of the dtype of a node, or of the product that it is a factor of."""
    return call(f"np.{dtype_name(node.dtype)}", text.signed(), depth=text.depth)


class Operand(str):
    """The text of an operand, as it stands among arguments.

    Attributes:
        atom: The text before a dot or a bracket.
        weak: The text where NumPy may as well get a Python number.
    """

    __slots__ = ("atom", "weak")
    atom: str
    weak: str

    @classmethod
    def of(cls, text: Text, weak: Text | None = None) -> "Operand":
        """Make the operand of a text; `weak` is the text of a Python number that it makes a NumPy number."""
        made = cls(text.signed())
        made.atom = text.wrapped(100)
        made.weak = (weak or text).signed()
        return made


class Reduction(str):
    """The text of a call that reduces; `axes` are those it reduces, counted from 0."""

    __slots__ = ("axes",)
    axes: tuple[int, ...]


class Speller:
    """What a primitive's NumPy spelling may ask of the program it is written into."""

    def __init__(self, builder: Any, node: Node) -> None:
        self._builder = builder
        self._node = node
        self.operand_nodes = node.operands
        self.operand_shapes = [operand.shape for operand in node.operands]

    def size(self, size: SizeExpr) -> str:
        """Write a size."""
        return str(self._builder.size(size).text)

    def shape(self, shape: Sequence[SizeExpr]) -> str:
        """Write a shape."""
        return str(self._builder.shape(shape))

    def dtype(self, dtype: Any) -> str:
        """Write the name of a NumPy dtype, without ``np.``."""
        return dtype_name(np.dtype(dtype))

    def helper(self, function: Callable[..., Any]) -> str:
        """Have the source of a function written into the module; return its name."""
        return str(self._builder.helper(function))

    def reduction(self, text: str, axes: tuple[int, ...]) -> str:
        """Say that a call reduces axes: where they are put back with size 1, it is written with ``keepdims=True``."""
        made = Reduction(text)
        made.axes = axes
        return made

    def fill_zeros(self, shape: Sequence[SizeExpr], index: str, value: str) -> str:
        """Have zeros made and `value` written to ``[index]``; return the name of the array."""
        return str(self._builder.fill_zeros(self._node, shape, lambda name: f"{name}[{index}] = {value}"))

    def into_zeros(self, shape: Sequence[SizeExpr], write: Callable[[str], str]) -> str:
        """Have zeros made, and then the statement `write` of their name; return the name."""
        return str(self._builder.fill_zeros(self._node, shape, write))

    def into_copy(self, write: Callable[[str], str]) -> str:
        """Have a copy of the first operand made, and then the statement `write` of its name; return the name."""
        return str(self._builder.update(self._node, write))


class PartSpeller(Speller):
    """A speller for what is written into an array that is there already: it returns the statement."""

    def __init__(self, builder: Any, node: Node, name: str, operator: str = "+=") -> None:
        super().__init__(builder, node)
        self._name = name
        self._operator = operator

    def fill_zeros(self, shape: Sequence[SizeExpr], index: str, value: str) -> str:
        """Return the statement that adds to the part: ``d_x[1:] += g``."""
        return f"{self._name}[{index}] {self._operator} {value}"

    def into_zeros(self, shape: Sequence[SizeExpr], write: Callable[[str], str]) -> str:
        """Return the statement alone."""
        return write(self._name)

    def into_copy(self, write: Callable[[str], str]) -> str:
        """Return the statement alone."""
        return write(self._name)


class ViewSpeller(Speller):
    """A speller for what another statement writes into a part of an array that is there already."""

    def __init__(self, builder: Any, node: Node, name: str, write: Callable[[str], str]) -> None:
        super().__init__(builder, node)
        self._name = name
        self._write = write

    def fill_zeros(self, shape: Sequence[SizeExpr], index: str, value: str) -> str:
        """Return the statement that writes into the part."""
        return self._write(f"{self._name}[{index}]")
