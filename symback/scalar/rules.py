"""Local derivatives on a tape: of arithmetic by hand, of functions from the rule that the primitive states."""

from typing import Any, NamedTuple

from symback import errors
from symback.derive.rules import partials
from symback.nodes.apply import Apply, Map, Operation
from symback.nodes.leaves import exact, ones_of, variable
from symback.nodes.node import Node
from symback.op.table import PRIMITIVES, primitive_of
from symback.ops.undefined import Partial, applied
from symback.scalar.graphs import Graphs
from symback.scalar.tape import ADD, DIVIDE, INPUT, MULTIPLY, NEGATIVE, NUMBER, SUBTRACT, Tape


class Template(NamedTuple):
    """The partial derivatives of a function, once and for all: a tape of the result and the arguments.

    Attributes:
        tape: With the inputs ``y``, ``x0``, ``x1``, ...
        partials: For each argument the number of its derivative on that tape, None where there is none.
    """

    tape: Tape
    partials: tuple[int | None, ...]


_templates: dict[tuple[Any, tuple[str, ...], tuple[int, ...]], Template] = {}


def local(tape: Tape, place: int) -> list[int | None]:
    """Return the derivatives of an operation by its operands, appended to the tape; None for zero.

    Raises:
        DerivativeError: If a function has none.
    """
    name, operands = tape.operations[place], tape.operands[place]
    if name == ADD:
        return [tape.number(1)] * 2
    if name == SUBTRACT:
        return [tape.number(1), tape.number(-1)]
    if name == NEGATIVE:
        return [tape.number(-1)]
    if name == MULTIPLY:
        return [operands[1], operands[0]]
    if name == DIVIDE:
        slope = tape.divide(tape.number(1), operands[1])
        return [slope, tape.negative(tape.multiply(slope, place))]
    return _instantiated(tape, template_of(tape, name, operands), place)


def refuse_held(tape: Tape, place: int, moving: bytearray) -> None:
    """Refuse to differentiate by an operand by which no derivative is known."""
    declared = PRIMITIVES.get(tape.operations[place])
    for position in declared.held if declared is not None else ():
        if moving[tape.operands[place][position]]:
            raise errors.no_derivative_by(tape.operations[place], position, variable(f"x{position}"))


def template_of(tape: Tape, name: Any, operands: tuple[int, ...]) -> Template:
    """Return the derivatives of a function as its primitive states them; exact numbers among its arguments count."""
    if name not in PRIMITIVES and not isinstance(name, (Partial, tuple)):
        raise errors.no_derivative(name)
    numbers = tuple(tape.operands[x][0] if tape.operations[x] == NUMBER else None for x in operands)
    which = tuple(map(operands.index, operands))
    key = (name, tuple(map(repr, numbers)), which)
    if key not in _templates:
        _templates[key] = _made(name, numbers, which)
    return _templates[key]


def _made(name: Any, numbers: tuple[Any, ...], which: tuple[int, ...]) -> Template:
    """Differentiate a function of variables and numbers; `which` says where an argument stands for the first time."""
    arguments: list[Node] = [
        variable(f"x{k}") if number is None else exact(number) for k, number in zip(which, numbers, strict=True)
    ]
    node = _node(name, arguments)
    tape = Tape()
    reading = Graphs(tape, {node: tape.input("y")})
    found = [None if part is None else reading.node(part) for part in _partials(node)]
    return Template(tape, tuple(found))


def _node(name: Any, arguments: list[Node]) -> Apply:
    if isinstance(name, Partial):
        return applied(name, arguments)
    if isinstance(name, tuple):
        return Apply(Operation(name), *arguments)
    return Map(Operation((name,)), *arguments)


def _partials(node: Apply) -> tuple[Node | None, ...]:
    """Return the partial derivatives; with parameters the declaration has them as what a cotangent becomes."""
    if isinstance(node, Map):
        return partials(node)
    declared = primitive_of(node)
    if not declared.differentiable:
        return (None,) * len(node.operands)
    if declared.vjp is None:
        raise errors.no_derivative(declared.name)
    return declared.vjp(ones_of((), node.dtype), node)


def _instantiated(tape: Tape, template: Template, place: int) -> list[int | None]:
    """Copy a template onto the tape, with the result and the operands of one operation."""
    source, operands = template.tape, tape.operands[place]
    copied: list[int] = []
    for name, parts in zip(source.operations, source.operands, strict=True):
        if name == INPUT:
            copied.append(place if parts[0] == "y" else operands[int(parts[0][1:])])
        elif name == NUMBER:
            copied.append(tape.number(parts[0]))
        else:
            copied.append(appended(tape, name, [copied[part] for part in parts]))
    return [None if part is None else copied[part] for part in template.partials]


def appended(tape: Tape, name: Any, operands: list[int]) -> int:
    """Append an operation by its name."""
    if name == ADD:
        return tape.add(*operands)
    if name == SUBTRACT:
        return tape.subtract(*operands)
    if name == MULTIPLY:
        return tape.multiply(*operands)
    if name == DIVIDE:
        return tape.divide(*operands)
    if name == NEGATIVE:
        return tape.negative(*operands)
    return tape.apply(name, *operands)
