"""How a primitive is declared, and the registry of all of them.

One declaration carries everything any part of symback asks of a primitive: what it does to shapes and
dtypes, its derivative, its NumPy spelling, its value in NumPy and in mpmath, its look in LaTeX, and what
the generic tests draw from. `elementwise` declares a scalar function applied entry by entry,
`primitive` anything else that is neither a sum nor a product.
"""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np

from symback import errors
from symback.nodes.apply import SIGNATURES, Apply, Map, Operation
from symback.nodes.dtypes import BOOL, FLOAT64, promote, to_float
from symback.nodes.leaves import as_node
from symback.nodes.node import METHODS, Node
from symback.nodes.shapes import NAME, Shape, broadcast_shapes

Function: TypeAlias = Callable[..., Node]
Derivative = Callable[..., Node | tuple[Node | None, ...]]
Transpose = Callable[[Node, Apply], tuple[Node | None, ...]]
Spelling = str | Callable[..., Any]


@dataclass(frozen=True, kw_only=True)
class Primitive:
    """All that is known of a primitive.

    Attributes:
        name: Its name; the same as that of the function that applies it.
        kind: ``"elementwise"`` or ``"structural"``.
        arity: The number of operands; None for any number.
        derivative: Elementwise: from the result and the operands to the partial derivatives, one each
            (None where there is none). It serves forward and reverse mode.
        vjp: Structural: from a cotangent (with any number of leading axes) and the node to the
            cotangents of its operands.
        linear: Whether the result is linear in all operands together; then its tangent is itself.
        numpy: The NumPy spelling: a function (``"np.sin"``), a template (``"{0} > {1}"``), a Python
            function whose source is written into the emitted module, or a function of
            (spell, parameters, operand texts).
        value: The value in NumPy, from (operands, parameters); None if `numpy` says it.
        mpmath: The value in mpmath, from scalars: a name in mpmath or a function of (mp, scalars).
        latex: The look in print: a template with ``{0}``, or the name of a function.
        domain: Elementwise: an interval for each operand, for the generic tests.
        examples: Structural: functions that build a small instance from a maker of variables.
    """

    name: str
    kind: str
    arity: int | None
    numpy: Spelling
    latex: str | Callable[..., str]
    doc: str
    derivative: Derivative | None = None
    vjp: Transpose | None = None
    linear: bool = False
    value: Callable[..., Any] | None = None
    mpmath: str | Callable[..., Any] | None = None
    domain: tuple[tuple[float, float], ...] = ()
    examples: tuple[Callable[..., Node], ...] = ()
    differentiable: bool = True
    aliases: tuple[str, ...] = field(default=())

    def evaluate(self, operands: Sequence[Any], parameters: Sequence[Any]) -> Any:
        """Return the value on arrays, by NumPy."""
        if self.value is not None:
            return self.value(*operands, *parameters)
        function: Any = self.numpy
        if isinstance(function, str):
            function = reduce(getattr, function.split(".")[1:], np)
        return function(*operands)


_primitives: dict[str, Primitive] = {}

PRIMITIVES: Mapping[str, Primitive] = MappingProxyType(_primitives)
"""Every declared primitive by name."""


def primitive_of(node: Apply) -> Primitive:
    """Return the declaration of the primitive a node applies."""
    return _primitives[node.operation.name]


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
    if dtype.itemsize < 4 and len(operands) == 1:
        raise errors.operand_dtype(name, operands[0], "a float, or an integer of 32 or 64 bits")
    return to_float(dtype)


_DTYPES: dict[str, Callable[[str, Sequence[Node]], np.dtype[Any]]] = {
    "float": _floats,
    "real": _floats,
    "same": lambda name, operands: promote(operands),
    "number": _numbers,
    "bool": lambda name, operands: BOOL,
    "branches": lambda name, operands: promote(operands[1:]),
}
"""The dtype of an elementwise result: by promotion, to a float, or bool; ``branches`` leaves out the condition."""

_AT_LEAST = {"float": 4, "real": 16}
"""Of how many bytes an integer operand must be to need no conversion to float64 first."""


def elementwise(
    name: str,
    *,
    derivative: Derivative | None,
    numpy: Spelling,
    latex: str,
    domain: tuple[tuple[float, float], ...],
    doc: str,
    value: Callable[..., Any] | None = None,
    mpmath: str | Callable[..., Any] | None = None,
    dtype: str = "float",
    linear: bool = False,
    differentiable: bool = True,
    aliases: tuple[str, ...] = (),
) -> Callable[..., Node]:
    r"""Declare a scalar function that is applied entry by entry, and return the function that applies it.

    Args:
        name: A new identifier.
        derivative: From the result ``y`` and the operands to the partial derivatives: one node, or a
            tuple with one for each operand (None for an operand that has none). None: no derivative.
        numpy: The NumPy spelling (see `Primitive`).
        latex: A template with ``{0}`` …, or the name of a function such as ``\sin``.
        domain: For each operand the interval from which the generic tests draw.
        doc: One sentence: what it computes and the source of the formula.
        value: The value in NumPy if the spelling does not give it.
        mpmath: The value in mpmath: a name or a function of (mp, scalars); None: no such function.
        dtype: ``"float"`` (integers become float64), ``"real"`` (they are converted first, where releases of
            NumPy differ), ``"same"`` (promotion), ``"number"`` (the same, without booleans), ``"bool"``, or
            ``"branches"`` (promotion of all but the first operand).
        linear: Whether the function is linear in all its operands together.
        differentiable: False for a function whose derivative is zero wherever it exists.
        aliases: Further names under which NumPy knows it.

    Raises:
        UsageError: If the declaration is malformed or the name is taken.

    Example:
        >>> import symback as sb
        >>> cube = sb.elementwise("cube", derivative=lambda y, x: 3 * x**2, numpy="{0}**3",
        ...     value=lambda x: x**3, mpmath=lambda mp, x: x**3, latex="{0}^3", domain=((-2, 2),), doc="x cubed.")
        >>> cube(sb.tensor("x", ("n",))).shape
        (n,)
    """
    _check_declaration(name, numpy, doc)
    if not domain:
        raise errors.bad_declaration(name, "domain needs an interval for each operand")
    if dtype not in _DTYPES:
        raise errors.bad_declaration(name, f"dtype must be one of {', '.join(_DTYPES)}")
    declared = Primitive(
        name=name, kind="elementwise", arity=len(domain), derivative=derivative, numpy=numpy, value=value,
        mpmath=mpmath, latex=latex, domain=domain, doc=doc, linear=linear, differentiable=differentiable,
        aliases=aliases,
    )  # fmt: skip
    rule = _DTYPES[dtype]

    def signature(parameters: Sequence[Any], operands: Sequence[Node]) -> tuple[Shape, np.dtype[Any]]:
        if len(operands) != declared.arity:
            raise errors.bad_declaration(name, f"it takes {declared.arity} operands, not {len(operands)}")
        shape = operands[0].shape if len(operands) == 1 else broadcast_shapes(name, operands)
        return shape, rule(name, operands)

    _primitives[name] = declared
    SIGNATURES[name] = signature
    head = Operation(name)

    at_least = _AT_LEAST.get(dtype, 0) if len(domain) == 1 else 0

    def apply(*operands: Any) -> Node:
        nodes = [as_node(operand) for operand in operands]
        if at_least and nodes and nodes[0].dtype.kind != "f" and nodes[0].dtype.itemsize < at_least:
            nodes[0] = METHODS["astype"](nodes[0], FLOAT64)
        return Map(head, *nodes)

    return _finish(apply, declared, aliases)


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
    linear: bool = False,
    arity: int | None = 1,
) -> Callable[..., Node]:
    """Declare a primitive that is not elementwise, and return the function that applies it.

    The returned function takes the operands (one, or a sequence if `arity` is not 1) and then the
    static parameters: hashable values such as integers, sizes, strings and tuples of them.

    Args:
        name: A new identifier.
        signature: From (operand, …, parameter, …) to (shape, dtype) of the result.
        numpy: The NumPy spelling, from (spell, operand texts, parameters); `spell` writes sizes (see
            `symback.codegen.numpy`).
        latex: A template with ``{0}``, the name of a function, or a function of (operand texts, parameters).
        examples: Functions from a maker of variables, ``make(name, shape)``, to a small instance: what the
            generic tests run on.
        doc: One sentence: what it computes and the source of the formula.
        vjp: From a cotangent, which may have leading axes, and the node to the cotangents of its
            operands. None: no derivative.
        value: The value in NumPy, from (arrays, parameters) with the sizes as integers.
        linear: Whether the result is linear in all operands together; `vjp` is then its transpose.
        arity: The number of operands; None for any number.

    Raises:
        UsageError: If the declaration is malformed or the name is taken.
    """
    _check_declaration(name, numpy, doc)
    if not examples:
        raise errors.bad_declaration(name, "examples are needed: what is not tested cannot exist")
    if value is None:
        raise errors.bad_declaration(name, "value is needed")
    declared = Primitive(
        name=name, kind="structural", arity=arity, vjp=vjp, numpy=numpy, value=value, latex=latex,
        examples=examples, doc=doc, linear=linear,
    )  # fmt: skip

    def infer(parameters: Sequence[Any], operands: Sequence[Node]) -> tuple[Shape, np.dtype[Any]]:
        return signature(*operands, *parameters)

    _primitives[name] = declared
    SIGNATURES[name] = infer

    def apply(operands: Any, *parameters: Any) -> Node:
        several = operands if arity != 1 else (operands,)
        return Apply(Operation(name, *parameters), *[as_node(operand) for operand in several])

    return _finish(apply, declared, ())


def _check_declaration(name: str, numpy: Spelling, doc: str) -> None:
    if not NAME.match(name):
        raise errors.bad_declaration(name, "the name must be an ASCII identifier")
    if name in _primitives:
        raise errors.bad_declaration(name, "the name is taken")
    if not doc:
        raise errors.bad_declaration(name, "doc is needed: what it computes, and the source of the formula")
    if isinstance(numpy, str) and "{" not in numpy and not re.fullmatch(r"np(\.[a-z_0-9]+)+", numpy):
        raise errors.bad_declaration(name, f"numpy={numpy!r} is neither a NumPy function nor a template")


def _finish(apply: Callable[..., Node], declared: Primitive, aliases: tuple[str, ...]) -> Callable[..., Node]:
    apply.__name__ = apply.__qualname__ = declared.name
    apply.__doc__ = declared.doc
    for name in (declared.name, *aliases):
        METHODS.setdefault(name, apply)
    return apply


def operator_value(symbol: str) -> Callable[[Any, Any], Any]:
    """Return Python's binary operator of that symbol."""
    return {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le, "/": operator.truediv}[symbol]
