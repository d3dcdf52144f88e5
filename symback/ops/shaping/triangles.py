"""Triangles of matrices: zero above or below a diagonal."""

from typing import Any

import numpy as np

from symback import errors
from symback.nodes.apply import Apply
from symback.nodes.leaves import as_node
from symback.nodes.node import Node
from symback.nodes.products import broadcast_to as broadcast_node
from symback.op.declare import Function, primitive
from symback.op.public import public

__all__ = ["tril", "triu"]


def _signature(name: str) -> Any:
    def signature(x: Node, k: Any) -> Any:
        if len(x.shape) < 2:
            raise errors.wrong_rank(name, x, "at least 2")
        if type(k) is not int:
            raise errors.no_known_integers(name, "k", k)
        return x.shape, x.dtype

    return signature


def _triangle(name: str, function: Any) -> Function:
    """Declare a triangle: a linear map that is its own transpose."""

    def look(operands: Any, parameters: Any) -> str:
        below = f"_{{{parameters[0]}}}" if parameters[0] else ""
        return rf"\operatorname{{{name}}}{below}\left({operands[0]}\right)"

    def spell(spell: Any, operands: Any, parameters: Any) -> str:
        return f"np.{name}({operands[0]}{f', k={parameters[0]}' if parameters[0] else ''})"

    def again(x: Node, k: int) -> Node:
        """The triangle of a triangle is that triangle."""
        done = isinstance(x, Apply) and (x.operation.name, *x.operation.parameters) == (f"{name}_at", k)
        return x if done else apply(x, k)

    apply: Function = primitive(
        f"{name}_at", signature=_signature(name), vjp=lambda g, node: (again(g, node.operation.parameters[0]),),
        linear=True, batch="leading", numpy=spell, value=function, latex=look,
        examples=(
            lambda make: apply(make("x", (2, 3)), 0),
            lambda make: apply(make("x", (2, 3, 3)), -1),
            lambda make: apply(make("x", (3, 1)), 1),
        ),
        doc=f"The matrix with zeros outside of the triangle that numpy.{name} keeps.",
    )  # fmt: skip
    return again


_tril, _triu = _triangle("tril", np.tril), _triangle("triu", np.triu)


def _cut(name: str, m: Any, k: Any) -> tuple[Node, int]:
    """Return a matrix and the number of a diagonal; NumPy takes a vector as the rows of a square matrix."""
    x = as_node(m)
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)):
        raise errors.no_known_integers(name, "k", k)
    if not x.shape:
        raise errors.wrong_rank(name, x, "at least 1")
    return (broadcast_node(x, x.shape * 2) if len(x.shape) == 1 else x), int(k)


@public(
    "tril",
    examples=(
        lambda f, make: f(make("x", (2, 3))),
        lambda f, make: f(make("x", (2, 3, 3)), k=-1),
        lambda f, make: f(make("x", (3,)), 1),
        lambda f, make: f(make("x", (0, 2))),
    ),
)
def tril(m: Any, k: int = 0) -> Node:
    """Lower triangle of the last two axes, zero elsewhere, as `numpy.tril` has it.

    Args:
        m: Shape (..., m, n).
        k: The number of the last diagonal that is kept: 0 the main one, negative ones below it.

    Raises:
        ShapeError: If there is no axis.
        UsageError: If k is no integer that is known when the graph is built.

    Example:
        >>> import symback as sb
        >>> sb.tril(sb.tensor("A", ("n", "n")), k=-1).shape
        (n, n)
    """
    return _tril(*_cut("tril", m, k))


@public("triu", examples=(lambda f, make: f(make("x", (3, 2))), lambda f, make: f(make("x", (2, 3)), 1)))
def triu(m: Any, k: int = 0) -> Node:
    """Upper triangle of the last two axes, zero elsewhere, as `numpy.triu` has it.

    Args:
        m: Shape (..., m, n).
        k: The number of the first diagonal that is kept: 0 the main one, negative ones below it.

    Raises:
        ShapeError: If there is no axis.
        UsageError: If k is no integer that is known when the graph is built.

    Example:
        >>> import symback as sb
        >>> sb.triu(sb.tensor("A", ("n", "n"))).shape
        (n, n)
    """
    return _triu(*_cut("triu", m, k))
