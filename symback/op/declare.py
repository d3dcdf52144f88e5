"""How a primitive is declared, and the registry of all of them.

One declaration carries everything any part of symback asks of a primitive: what it does to shapes and
dtypes, its derivative, its NumPy spelling, its value in NumPy and in mpmath, its look in LaTeX, and what
the generic tests draw from. `elementwise` declares a scalar function applied entry by entry,
`primitive` anything else that is neither a sum nor a product.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypedDict, Unpack

import numpy as np

from symback import errors
from symback.nodes.apply import SIGNATURES, Apply, Map, Operation, Signature
from symback.nodes.dtypes import BOOL, FLOAT64, promote, to_float
from symback.nodes.leaves import as_node
from symback.nodes.node import METHODS, Node
from symback.nodes.shapes import Shape, broadcast_shapes
from symback.op.held import checked_derivative, checked_signature, checked_transpose
from symback.op.public import PublicFunction, enter_public
from symback.op.table import (
    Batch,
    Derivative,
    Function,
    Primitive,
    Spelling,
    Transpose,
    check_declaration,
    enter,
)

__all__ = ["Function", "elementwise", "primitive"]


def _numbers(name: str, operands: Sequence[Node]) -> np.dtype[Any]:
    """Promote operands that must be numbers: NumPy has no such function of booleans, or has it in int8."""
    for operand in operands:
        if operand.dtype.kind == "b":
            raise errors.operand_dtype(name, operand, "a number")
    return promote(operands)


def _floats(name: str, operands: Sequence[Node]) -> np.dtype[Any]:
    """Promote to a float; NumPy would compute with small integers in a float16 that symback does not have."""
    dtype = promote(operands)
    if dtype.kind == "f":
        return dtype
    if dtype.itemsize < 4:
        raise errors.operand_dtype(name, operands[0], "a float, or an integer of 32 or 64 bits")
    return to_float(dtype)


def _special(name: str, operands: Sequence[Node]) -> np.dtype[Any]:
    """Promote to a float; of small integers some of SciPy's functions make float32, others float64."""
    for operand in operands:
        if operand.dtype.itemsize < 4 and not operand.is_weak:
            raise errors.operand_dtype(name, operand, "a float, or an integer of 32 or 64 bits")
    return to_float(promote(operands))


_DTYPES: dict[str, Callable[[str, Sequence[Node]], np.dtype[Any]]] = {
    "float": _floats,
    "quotient": lambda name, operands: to_float(promote(operands)),
    "same": lambda name, operands: promote(operands),
    "number": _numbers,
    "special": _special,
    "bool": lambda name, operands: BOOL,
    "branches": lambda name, operands: promote(operands[1:]),
}
"""The dtype of an elementwise result: by promotion, to a float, or bool; ``branches`` leaves out the condition."""


def _converted(dtype: str, nodes: list[Node]) -> list[Node]:
    """Convert small integers among floats, and booleans among other numbers."""
    strong = [node for node in nodes if not node.is_weak]
    if dtype not in ("float", "number") or all(node.dtype.kind == "f" for node in strong):
        return nodes
    wanted = promote(strong)
    if dtype == "float" and wanted.kind != "f" and wanted.itemsize < 4:
        return [node if node.is_weak else METHODS["astype"](node, FLOAT64) for node in nodes]
    if dtype == "number" and wanted is not BOOL:
        return [METHODS["astype"](node, wanted) if node.dtype is BOOL else node for node in nodes]
    return nodes


def _alike(nodes: list[Node]) -> list[Node]:
    """Convert all arrays to the float of the result: a function of symback's own does not promote as ufuncs do.

    Of unsigned integers it would take the negative, and of narrow floats what is to be added to wider ones.
    """
    strong = [node for node in nodes if not node.is_weak]
    if not strong or all(node.dtype is strong[0].dtype and node.dtype.kind == "f" for node in strong):
        return nodes
    wanted = to_float(promote(strong))
    return [node if node.is_weak or node.dtype == wanted else METHODS["astype"](node, wanted) for node in nodes]


class _Further(TypedDict, total=False):
    """What a declaration may say beyond what it must: attributes of `Primitive`."""

    mpmath: str | Callable[..., Any] | None
    linear: bool
    batch: Batch | None
    differentiable: bool
    aliases: tuple[str, ...]
    defined: str
    kinks: str
    held: tuple[int, ...]
    part: tuple[int, int] | None
    alone: Spelling | None


def elementwise(
    name: str,
    *,
    derivative: Derivative | None,
    numpy: Spelling,
    latex: str | Callable[..., str],
    domain: tuple[tuple[float, float], ...],
    doc: str,
    value: Callable[..., Any] | None = None,
    dtype: str = "float",
    namespace: str | None = "",
    **further: Unpack[_Further],
) -> Function:
    """Declare a scalar function that is applied entry by entry, and return the function that applies it.

    Args are the attributes of `Primitive`, and ``dtype``, that of the result: ``"float"`` (integers become
    float64), ``"special"`` (but small integers, with which SciPy's functions differ, are refused), ``"quotient"``
    (float64 of small integers too, as NumPy divides), ``"same"`` (promotion), ``"number"`` (the same, without
    booleans), ``"bool"``, or ``"branches"`` (all but the first operand promoted);
    and ``namespace``, where users find it if not at the top (``"special"``); None if it serves derivatives only.

    Raises:
        UsageError: If the declaration is malformed or the name is taken.

    Example:
        >>> import symback as sb
        >>> cube = sb.elementwise("cube", derivative=lambda y, x: 3 * x**2, numpy="{0}**3",
        ...     value=lambda x: x**3, mpmath=lambda mp, x: x**3, latex="{0}^3", domain=((-2, 2),), doc="x cubed.")
        >>> cube(sb.tensor("x", ("n",))).shape
        (n,)
    """
    declared = Primitive(
        name=name, kind="elementwise", arity=len(domain), numpy=numpy, value=value, latex=latex, domain=domain,
        derivative=derivative and checked_derivative(name, len(domain), derivative), doc=doc, **further,
    )  # fmt: skip
    apply = _declare_elementwise(declared, dtype)
    if namespace is not None:
        enter_public(PublicFunction.of(declared, apply, namespace))
    return apply


def _declare_elementwise(declared: Primitive, dtype: str) -> Function:
    name, arity = declared.name, declared.arity
    check_declaration(declared)
    if not declared.domain:
        raise errors.bad_declaration(name, "domain needs an interval for each operand")
    if dtype not in _DTYPES:
        raise errors.bad_declaration(name, f"dtype must be one of {', '.join(_DTYPES)}")
    rule = _DTYPES[dtype]

    def signature(parameters: Sequence[Any], operands: Sequence[Node]) -> tuple[Shape, np.dtype[Any]]:
        if len(operands) != arity:
            raise errors.bad_declaration(name, f"it takes {arity} operands, not {len(operands)}")
        shape = operands[0].shape if len(operands) == 1 else broadcast_shapes(name, operands)
        return shape, rule(name, operands)

    head = _enter(declared, signature)
    convert = _alike if dtype == "float" and not declared.promotes else partial(_converted, dtype)

    def apply(*operands: Any) -> Node:
        return Map(head, *convert([as_node(operand) for operand in operands]))

    return _finish(apply, declared)


def primitive(
    name: str,
    *,
    signature: Callable[..., tuple[Any, Any]],
    numpy: Spelling,
    latex: str | Callable[..., str],
    examples: tuple[Callable[..., Node], ...],
    doc: str,
    vjp: Transpose | None = None,
    value: Callable[..., Any] | None = None,
    arity: int | None = 1,
    **further: Unpack[_Further],
) -> Function:
    """Declare a primitive that is not elementwise, and return the function that applies it.

    The returned function takes the operands (one, or a sequence if `arity` is not 1) and then the
    static parameters: hashable values such as integers, sizes, strings and tuples of them.

    Args are the attributes of `Primitive`, and ``signature``: from (operand, …, parameter, …) to (shape, dtype)
    of the result. It checks the parameters, which may come from a document that a stranger wrote.

    Raises:
        UsageError: If the declaration is malformed or the name is taken.
    """
    declared = Primitive(
        name=name, kind="structural", arity=arity, vjp=vjp and checked_transpose(name, vjp), numpy=numpy,
        value=value, latex=latex, examples=examples, doc=doc, **further,
    )  # fmt: skip
    check_declaration(declared)
    if not examples:
        raise errors.bad_declaration(name, "examples are needed: what is not tested cannot exist")
    if value is None:
        raise errors.bad_declaration(name, "value is needed")
    _enter(declared, checked_signature(name, arity, signature))

    def apply(operands: Any, *parameters: Any) -> Node:
        several = operands if arity != 1 else (operands,)
        return Apply(Operation(name, *parameters), *[as_node(operand) for operand in several])

    return _finish(apply, declared)


def _enter(declared: Primitive, signature: Signature) -> Operation:
    """Enter a primitive into the tables; return its operation without parameters."""
    enter(declared)
    SIGNATURES[declared.name] = signature
    return Operation(declared.name)


def _finish(apply: Function, declared: Primitive) -> Function:
    apply.__name__ = apply.__qualname__ = declared.name
    apply.__doc__ = declared.doc
    for name in (declared.name, *declared.aliases):
        METHODS.setdefault(name, apply)
    return apply
