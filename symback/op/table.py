"""What is known of a primitive, and the table of all primitives."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np

from symback.errors.usage import bad_declaration, missing_extra
from symback.nodes.looks import NAME
from symback.nodes.node import METHODS, Node

Function: TypeAlias = Callable[..., Node]
Derivative = Callable[..., Node | tuple[Node | None, ...]]
Transpose = Callable[[Node, Any], tuple[Node | None, ...]]
Batch = str | Callable[[Any, Sequence[Node]], Node]
Spelling = str | Callable[..., Any]


@dataclass(frozen=True, kw_only=True)
class Primitive:
    r"""All that is known of a primitive.

    Attributes:
        name: Its name; the same as that of the function that applies it.
        kind: ``"elementwise"`` or ``"structural"``.
        arity: The number of operands; None for any number.
        numpy: The NumPy spelling: a function (``"np.sin"``, ``"scipy.special.erf"``), a template
            (``"{0} > {1}"``), a Python function whose source is written into the emitted module, or a function of
            (spell, operand texts, parameters), in which `spell` writes sizes (see `symback.codegen.speller`).
        latex: The look in print: a template with ``{0}`` (its ``\odot`` are left out where operands are numbers),
            the name of a function such as ``\sin``, or a function of (operand texts, parameters); each text has the
            `shape` and the `dtype` of its operand, and is a `factor` or an `atom` with the parentheses it needs there.
        doc: One sentence: what it computes and the source of the formula.
        derivative: Elementwise: from the result ``y`` and the operands to the partial derivatives: one node,
            or a tuple with one for each operand (None for an operand that has none). It serves forward and
            reverse mode. None: no derivative.
        vjp: Structural: from a cotangent (with any number of leading axes) and the node to the
            cotangents of its operands. None: no derivative.
        linear: Whether the result is linear in all operands together; then its tangent is itself.
        batch: Structural: how it is applied to a batch of examples. ``"leading"``: to operands that all have the
            axis of the examples in front; ``"broadcast"``: their leading axes broadcast, so that it does no harm if
            some lack it; or a function of (node, operands), as `symback.op.batch` describes. None: a linear one is
            transposed twice, any other cannot be batched.
        value: The value in NumPy, from the operands and then the parameters, with sizes as integers; None if
            `numpy` says it.
        mpmath: The value in mpmath. Elementwise: a name in mpmath or a function of (mp, scalars). Structural: a
            function of (mp, operands and then parameters), the operands arrays of mpmath numbers; None if `value`
            works on those.
        domain: Elementwise: for each operand the interval from which the generic tests draw.
        examples: Structural: functions from a maker of variables, ``make(name, shape)``, to a small
            instance: what the generic tests run on.
        differentiable: False for a function whose derivative is zero wherever it exists.
        aliases: Further names under which NumPy knows it.
        defined: Where it is defined, in words or LaTeX; empty if everywhere.
        kinks: What comes out where there is no derivative, or at the ends of the domain; empty if there is none.
        held: Elementwise: positions of operands by which no derivative is known; differentiating by them raises.
        part: Structural: (position, count) if the result is one of several that one call of NumPy returns; `numpy`
            is then that call. Primitives that share the call have the same `numpy`.
        alone: Of a part: the spelling of a call that gives this result alone; None if there is none.
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
    batch: Batch | None = None
    value: Callable[..., Any] | None = None
    mpmath: str | Callable[..., Any] | None = None
    domain: tuple[tuple[float, float], ...] = ()
    examples: tuple[Callable[..., Node], ...] = ()
    differentiable: bool = True
    aliases: tuple[str, ...] = ()
    defined: str = ""
    kinks: str = ""
    held: tuple[int, ...] = ()
    part: tuple[int, int] | None = None
    alone: Spelling | None = None

    @property
    def promotes(self) -> bool:
        """Is it one ufunc of NumPy, or made of operators? Elsewhere Python's numbers may become float64."""
        spelling = self.numpy
        if not isinstance(spelling, str) or "{" in spelling:
            return isinstance(spelling, str) and "np." not in spelling
        return isinstance(getattr(np, spelling.removeprefix("np."), None), np.ufunc)

    def evaluate(self, operands: Sequence[Any], parameters: Sequence[Any]) -> Any:
        """Return the value on arrays, by NumPy or, where `numpy` says so, by SciPy."""
        if self.value is not None:
            return self.value(*operands, *parameters)
        return self._function()(*operands)

    def _function(self) -> Any:
        """Return the function that `numpy` names."""
        if not isinstance(self.numpy, str):
            return self.numpy
        module, _, name = self.numpy.replace("np.", "numpy.", 1).rpartition(".")
        try:
            return getattr(import_module(module), name)
        except ModuleNotFoundError:
            raise missing_extra(module.partition(".")[0], self.name) from None


_primitives: dict[str, Primitive] = {}

PRIMITIVES: Mapping[str, Primitive] = MappingProxyType(_primitives)
"""Every declared primitive by name."""


FAMILIES: dict[str, Callable[..., Primitive]] = {}
"""Primitives whose parameters say which function it is: from these to the declaration; no table holds them."""


def primitive_of(node: Any) -> Primitive:
    """Return the declaration of the primitive a node applies."""
    operation = node.operation
    declared = _primitives.get(operation.name)
    return FAMILIES[operation.name](*operation.parameters) if declared is None else declared


def enter(declared: Primitive) -> None:
    """Enter a primitive into the table."""
    _primitives[declared.name] = declared


def check_declaration(declared: Primitive) -> None:
    """Refuse a declaration whose names, doc or NumPy spelling will not do."""
    name, numpy = declared.name, declared.numpy
    for given in (name, *declared.aliases):
        if not isinstance(given, str) or not NAME.match(given):
            raise bad_declaration(name, "the name must be an ASCII identifier")
        if given in PRIMITIVES or given in METHODS:
            raise bad_declaration(name, "the name is taken" if given == name else f"the name {given!r} is taken")
    if not (declared.batch in (None, "leading", "broadcast") or callable(declared.batch)):
        raise bad_declaration(name, 'batch must be "leading", "broadcast", or a function of (node, operands)')
    if not declared.doc:
        raise bad_declaration(name, "doc is needed: what it computes, and the source of the formula")
    if isinstance(numpy, str) and "{" not in numpy and not _is_numpy_function(numpy):
        raise bad_declaration(name, f"numpy={numpy!r} is neither a NumPy function nor a template")


def _is_numpy_function(text: str) -> bool:
    """Does this name a function of NumPy, or look like one of SciPy, which is imported only where it is used?"""
    if not re.fullmatch(r"(np|scipy)(\.[a-z_0-9]+)+", text):
        return False
    module, _, name = text.replace("np.", "numpy.", 1).rpartition(".")
    if module.startswith("scipy"):
        return module != "scipy"
    try:
        return callable(getattr(import_module(module), name, None))
    except ModuleNotFoundError:
        return False
