"""What is known of a primitive, and the table of all primitives."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import Any, TypeAlias

from symback import errors
from symback.nodes.node import Node

Function: TypeAlias = Callable[..., Node]
Derivative = Callable[..., Node | tuple[Node | None, ...]]
Transpose = Callable[[Node, Any], tuple[Node | None, ...]]
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
        latex: The look in print: a template with ``{0}``, the name of a function such as ``\sin``, or a
            function of (operand texts, parameters); each text has the `shape` of its operand, and is a `factor` or
            an `atom` with the parentheses that it needs there.
        doc: One sentence: what it computes and the source of the formula.
        derivative: Elementwise: from the result ``y`` and the operands to the partial derivatives: one node,
            or a tuple with one for each operand (None for an operand that has none). It serves forward and
            reverse mode. None: no derivative.
        vjp: Structural: from a cotangent (with any number of leading axes) and the node to the
            cotangents of its operands. None: no derivative.
        linear: Whether the result is linear in all operands together; then its tangent is itself.
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
            raise errors.missing_extra(module.partition(".")[0], self.name) from None


_primitives: dict[str, Primitive] = {}

PRIMITIVES: Mapping[str, Primitive] = MappingProxyType(_primitives)
"""Every declared primitive by name."""


def primitive_of(node: Any) -> Primitive:
    """Return the declaration of the primitive a node applies."""
    return _primitives[node.operation.name]


def enter(declared: Primitive) -> None:
    """Enter a primitive into the table."""
    _primitives[declared.name] = declared
