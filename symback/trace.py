"""The record of what a pass did, which derivations are printed from: a reverse pass, or rewriting."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Step:
    """One application of the chain rule: what a node passes on to one of its operands.

    Attributes:
        node: The node whose adjoint is passed on.
        position: Which operand receives it.
        operand: That operand.
        cotangent: The adjoint of `node`.
        contribution: What the operand receives: the adjoint times the local derivative.
        rule: The name of the rule: ``sum``, ``product``, ``name``, or that of a primitive.
        partial: The local derivative, for an elementwise primitive.
    """

    node: Any
    position: int
    operand: Any
    cotangent: Any
    contribution: Any
    rule: str
    partial: Any = None


@dataclass(slots=True)
class Trace:
    """All steps of one pass, from the outputs down, and the adjoint that each node ended with.

    Attributes:
        outputs: The differentiated nodes with their seeds.
        steps: The steps in the order they were made.
        adjoints: For each node the sum of what it received.
    """

    outputs: list[tuple[Any, Any]] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    adjoints: dict[Any, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Application:
    """One application of a rule of rewriting.

    Attributes:
        rule: The name of the rule.
        before: The node as it was.
        after: What the rule made of it.
        origin: The node of the graph as given that this happened in the place of.
    """

    rule: str
    before: Any
    after: Any
    origin: Any


@dataclass(frozen=True, slots=True)
class Second:
    """How a pass has found one block of second derivatives.

    Attributes:
        row: The node that the loss is differentiated by first.
        column: The node by which that gradient is differentiated.
        row_through: The node, affine in `row`, by way of which the pass went from the loss to it; `row` itself if
            there is none.
        column_through: The same for `column`. If neither is its own, the block is a congruence.
        is_zero: Is the loss affine in `row`, or independent of it?
    """

    row: Any
    column: Any
    row_through: Any
    column_through: Any
    is_zero: bool = False
