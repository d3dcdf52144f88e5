"""How a primitive is declared, and the registry of all of them.

One declaration carries everything any part of symback asks of a primitive: what it does to shapes and
dtypes, its derivative, its NumPy spelling, its value in NumPy and in mpmath, its look in LaTeX, and what
the generic tests draw from. `elementwise` declares a scalar function applied entry by entry,
`primitive` anything else that is neither a sum nor a product.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
import sympy

from symback import errors
from symback.nodes.apply import SIGNATURES, Apply, Map, Operation, Signature
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
    r"""All that is known of a primitive.

    Attributes:
        name: Its name; the same as that of the function that applies it.
        kind: ``"elementwise"`` or ``"structural"``.
        arity: The number of operands; None for any number.
        numpy: The NumPy spelling: a function (``"np.sin"``), a template (``"{0} > {1}"``), a Python
            function whose source is written into the emitted module, or a function of
            (spell, operand texts, parameters), in which `spell` writes sizes (see `symback.codegen.numpy`).
        latex: The look in print: a template with ``{0}``, the name of a function such as ``\sin``, or a
            function of (operand texts, parameters); each text has the `shape` of its operand.
        doc: One sentence: what it computes and the source of the formula.
        derivative: Elementwise: from the result ``y`` and the operands to the partial derivatives: one node,
            or a tuple with one for each operand (None for an operand that has none). It serves forward and
            reverse mode. None: no derivative.
        vjp: Structural: from a cotangent (with any number of leading axes) and the node to the
            cotangents of its operands. None: no derivative.
        linear: Whether the result is linear in all operands together; then its tangent is itself.
        value: The value in NumPy, from the operands and then the parameters, with sizes as integers; None if
            `numpy` says it.
        mpmath: The value in mpmath, from scalars: a name in mpmath or a function of (mp, scalars).
        domain: Elementwise: for each operand the interval from which the generic tests draw.
        examples: Structural: functions from a maker of variables, ``make(name, shape)``, to a small
            instance: what the generic tests run on.
        differentiable: False for a function whose derivative is zero wherever it exists.
        aliases: Further names under which NumPy knows it.
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
    aliases: tuple[str, ...] = ()

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
) -> Function:
    """Declare a scalar function that is applied entry by entry, and return the function that applies it.

    Args are the attributes of `Primitive`, and ``dtype``, that of the result: ``"float"`` (integers become
    float64), ``"real"`` (they are converted first, where releases of NumPy differ), ``"same"`` (promotion),
    ``"number"`` (the same, without booleans), ``"bool"``, or ``"branches"`` (all but the first operand promoted).

    Raises:
        UsageError: If the declaration is malformed or the name is taken.

    Example:
        >>> import symback as sb
        >>> cube = sb.elementwise("cube", derivative=lambda y, x: 3 * x**2, numpy="{0}**3",
        ...     value=lambda x: x**3, mpmath=lambda mp, x: x**3, latex="{0}^3", domain=((-2, 2),), doc="x cubed.")
        >>> cube(sb.tensor("x", ("n",))).shape
        (n,)
    """
    rule = derivative and _checked_derivative(name, len(domain), derivative)
    declared = Primitive(
        name=name, kind="elementwise", arity=len(domain), derivative=rule, numpy=numpy, value=value,
        mpmath=mpmath, latex=latex, domain=domain, doc=doc, linear=linear, differentiable=differentiable,
        aliases=aliases,
    )  # fmt: skip
    return _declare_elementwise(declared, dtype)


def _declare_elementwise(declared: Primitive, dtype: str) -> Function:
    name, arity = declared.name, declared.arity
    _check_declaration(declared)
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
    at_least = _AT_LEAST.get(dtype, 0) if arity == 1 else 0

    def apply(*operands: Any) -> Node:
        nodes = [as_node(operand) for operand in operands]
        if at_least and nodes and nodes[0].dtype.kind != "f" and nodes[0].dtype.itemsize < at_least:
            nodes[0] = METHODS["astype"](nodes[0], FLOAT64)
        return Map(head, *nodes)

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
    linear: bool = False,
    arity: int | None = 1,
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
        name=name, kind="structural", arity=arity, vjp=vjp and _checked_transpose(name, vjp), numpy=numpy,
        value=value, latex=latex, examples=examples, doc=doc, linear=linear,
    )  # fmt: skip
    _check_declaration(declared)
    if not examples:
        raise errors.bad_declaration(name, "examples are needed: what is not tested cannot exist")
    if value is None:
        raise errors.bad_declaration(name, "value is needed")
    _enter(declared, _checked_signature(name, signature))

    def apply(operands: Any, *parameters: Any) -> Node:
        several = operands if arity != 1 else (operands,)
        return Apply(Operation(name, *parameters), *[as_node(operand) for operand in several])

    return _finish(apply, declared)


def _check_declaration(declared: Primitive) -> None:
    name, numpy = declared.name, declared.numpy
    for given in (name, *declared.aliases):
        if not isinstance(given, str) or not NAME.match(given):
            raise errors.bad_declaration(name, "the name must be an ASCII identifier")
        if given in _primitives or given in METHODS:
            raise errors.bad_declaration(name, "the name is taken" if given == name else f"the name {given!r} is taken")
    if not declared.doc:
        raise errors.bad_declaration(name, "doc is needed: what it computes, and the source of the formula")
    if isinstance(numpy, str) and "{" not in numpy and not _is_numpy_function(numpy):
        raise errors.bad_declaration(name, f"numpy={numpy!r} is neither a NumPy function nor a template")


def _is_numpy_function(text: str) -> bool:
    if not re.fullmatch(r"np(\.[a-z_0-9]+)+", text):
        return False
    found: Any = np
    for part in text.split(".")[1:]:
        found = getattr(found, part, None)
    return callable(found)


# -- what a declaration states as functions is held to its word where it is used -----------------------------


def _checked_derivative(name: str, arity: int, derivative: Derivative) -> Derivative:
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


def _checked_transpose(name: str, vjp: Transpose) -> Transpose:
    def checked(g: Node, node: Apply) -> tuple[Node | None, ...]:
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


def _checked_signature(name: str, signature: Callable[..., Any]) -> Signature:
    def checked(parameters: Sequence[Any], operands: Sequence[Node]) -> tuple[Shape, np.dtype[Any]]:
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


def _enter(declared: Primitive, signature: Signature) -> Operation:
    """Enter a primitive into the tables; return its operation without parameters."""
    _primitives[declared.name] = declared
    SIGNATURES[declared.name] = signature
    return Operation(declared.name)


def _finish(apply: Function, declared: Primitive) -> Function:
    apply.__name__ = apply.__qualname__ = declared.name
    apply.__doc__ = declared.doc
    for name in (declared.name, *declared.aliases):
        METHODS.setdefault(name, apply)
    return apply
