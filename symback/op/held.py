"""Declarations are held to their word: when they are made, and what they state as functions where that is used."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import sympy

from symback import errors
from symback.nodes.node import Node
from symback.nodes.shapes import Shape

Derivative: TypeAlias = Callable[..., Any]
Transpose: TypeAlias = Callable[[Node, Any], tuple[Node | None, ...]]
Signature = Callable[[Sequence[Any], Sequence[Node]], tuple[Shape, np.dtype[Any]]]


def checked_derivative(name: str, arity: int, derivative: Derivative) -> Derivative:
    """Return a derivative that checks what it gives: a partial derivative for each operand."""

    def checked(y: Node, *operands: Node) -> tuple[Node | None, ...]:
        found = derivative(y, *operands)
        partials = found if isinstance(found, tuple) else (found,)
        if len(partials) != arity:
            raise errors.bad_declaration(name, f"derivative gives {len(partials)} partial derivatives, not {arity}")
        for partial in partials:
            if partial is not None and not (isinstance(partial, Node) and _broadcasts(partial.shape, y.shape)):
                raise errors.bad_declaration(
                    name, f"derivative gives {_told(partial)}, no node that goes with the result"
                )
        return partials

    return checked


def _broadcasts(shape: Shape, wanted: Shape) -> bool:
    """Does a shape broadcast to the wanted one?"""
    if shape is wanted or not shape:
        return True
    behind = wanted[-len(shape) :]
    return len(shape) <= len(wanted) and all(a in (b, 1) for a, b in zip(shape, behind, strict=True))


def checked_transpose(name: str, vjp: Transpose) -> Transpose:
    """Return a vector-Jacobian product that checks what it gives: a cotangent for each operand."""

    def checked(g: Node, node: Any) -> tuple[Node | None, ...]:
        found = vjp(g, node)
        wanted = len(node.operands)
        if not isinstance(found, tuple) or len(found) != wanted:
            raise errors.bad_declaration(name, f"vjp gives {_told(found)}, not a tuple of {wanted} cotangents")
        lead = g.shape[: len(g.shape) - len(node.shape)]
        for operand, value in zip(node.operands, found, strict=True):
            if value is not None and not (isinstance(value, Node) and value.shape == lead + operand.shape):
                shape = errors.show_shape(lead + operand.shape)
                raise errors.bad_declaration(name, f"vjp gives {_told(value)}, not a cotangent of shape {shape}")
        return found

    return checked


def checked_signature(name: str, arity: int | None, signature: Callable[..., Any]) -> Signature:
    """Return a signature that checks what it gets, operands, and what it gives: a shape and a dtype."""

    def checked(parameters: Sequence[Any], operands: Sequence[Node]) -> tuple[Shape, np.dtype[Any]]:
        if len(operands) != arity and (arity is not None or not operands):
            wanted = "at least 1" if arity is None else arity
            raise errors.bad_node(name, f"{len(operands)} operands where {wanted} are needed")
        found = signature(*operands, *parameters)
        if isinstance(found, tuple) and len(found) == 2:
            shape, dtype = found
            if isinstance(shape, tuple) and isinstance(dtype, np.dtype) and all(map(_is_size, shape)):
                return shape, dtype
        raise errors.bad_declaration(
            name, f"signature gives {_told(found)}, not (shape, dtype): sizes, and a NumPy dtype"
        )

    return checked


def _is_size(size: Any) -> bool:
    return (type(size) is int and size >= 0) or isinstance(size, sympy.Expr)


def _told(value: Any) -> str:
    """Describe what a function of a declaration gave."""
    if isinstance(value, Node):
        return f"a node of shape {errors.show_shape(value.shape)}"
    return f"{len(value)} values" if isinstance(value, (tuple, list)) else f"{type(value).__name__}"
