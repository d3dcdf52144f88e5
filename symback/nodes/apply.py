"""Map, Apply and Named: operations that are neither a sum nor a product.

What an operation does to shapes and dtypes is entered in `SIGNATURES` by its declaration (`symback.op`);
the nodes hold only its name and its static parameters.
"""

from collections.abc import Callable, Sequence
from typing import Any, Self, cast

import numpy as np

from symback import errors
from symback.nodes.labels import Label
from symback.nodes.node import Node, Param
from symback.nodes.shapes import Shape

Signature = Callable[[Sequence[Any], Sequence[Node]], tuple[Shape, np.dtype[Any]]]

SIGNATURES: dict[str, Signature] = {}
"""For each primitive: (parameters, operands) to (shape, dtype), or a ShapeError or DtypeError."""

TITLES: dict[str, Callable[..., str]] = {}
"""For each primitive whose parameters say which function it is: from the parameters to the name of that."""


class Operation(Param):
    """The name of a primitive and its static parameters."""

    __slots__ = ()
    value: tuple[Any, ...]

    def __new__(cls, name: Any, *parameters: Any) -> Self:
        """Return the operation of a declared primitive."""
        value = name if isinstance(name, tuple) else (name, *parameters)
        if value[0] not in SIGNATURES:
            raise errors.bad_declaration(value[0], "it is not declared")
        return Param.__new__(cls, value)

    @property
    def name(self) -> str:
        """The name of the primitive."""
        return cast(str, self.value[0])

    @property
    def parameters(self) -> tuple[Any, ...]:
        """The static parameters: axes, sizes, dtypes."""
        return self.value[1:]

    @property
    def text(self) -> tuple[str, tuple[Any, ...]]:
        """What it is called in text, and the parameters that are written behind operands."""
        title = TITLES.get(self.name)
        return (self.name, self.parameters) if title is None else (title(*self.parameters), ())


class Apply(Node):
    """A primitive applied to operands."""

    __slots__ = ()

    def __new__(cls, operation: Operation, *operands: Node) -> Self:
        """Return the node; shape and dtype follow from the declaration."""
        args = (operation, *operands)
        found = cls.find(args)
        if found is not None:
            return found
        name, *parameters = operation.value
        shape, dtype = SIGNATURES[name](parameters, operands)
        return cls.make(args, shape, dtype)

    @property
    def operation(self) -> Operation:
        """The primitive with its parameters."""
        return cast(Operation, self._args[0])


class Map(Apply):
    """A scalar function applied entry by entry, with broadcasting."""

    __slots__ = ()


class Named(Node):
    """A node with a name; transparent to calculus."""

    __slots__ = ()

    def __new__(cls, label: Label, node: Node) -> Self:
        """Return the node under this name."""
        return cls.make((label, node), node.shape, node.dtype)

    @property
    def label(self) -> Label:
        """The name with its look in print."""
        return cast(Label, self._args[0])

    @property
    def name(self) -> str:
        """The name, a valid identifier."""
        return self.label.name


def unnamed(node: Node) -> Node:
    """Return what a named node stands for."""
    while isinstance(node, Named):
        node = node.operands[0]
    return node
