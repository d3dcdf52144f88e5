"""What the NumPy spelling of a primitive gets to work with: operand texts, and a way to write sizes and statements."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from symback.codegen.text import Text, call, dtype_name
from symback.nodes.node import Node
from symback.nodes.shapes import SizeExpr


def as_numpy(node: Node, text: Text) -> Text:
    """Write a Python number as a NumPy number of the node's dtype."""
    return call(f"np.{dtype_name(node.dtype)}", text.signed(), depth=text.depth)


class Operand(str):
    """The text of an operand, as it stands among arguments; `atom` is its text before a dot or a bracket."""

    __slots__ = ("atom",)
    atom: str

    @classmethod
    def of(cls, text: Text) -> "Operand":
        """Make the operand of a text."""
        made = cls(text.signed())
        made.atom = text.wrapped(100)
        return made


class Speller:
    """What a primitive's NumPy spelling may ask of the program it is written into."""

    def __init__(self, builder: Any, node: Node) -> None:
        self._builder = builder
        self._node = node
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

    def fill_zeros(self, shape: Sequence[SizeExpr], index: str, value: str) -> str:
        """Have zeros made and `value` written to ``[index]``; return the name of the array."""
        return str(self._builder.fill_zeros(self._node, shape, lambda name: f"{name}[{index}] = {value}"))


class PieceSpeller(Speller):
    """A speller for an array that is written into a larger one: it keeps the index and the value apart."""

    def fill_zeros(self, shape: Sequence[SizeExpr], index: str, value: str) -> str:
        """Return the assignment without the array's name: ``[1:] += g``."""
        return f"[{index}] += {value}"
