"""The entry point: `scalar_function`, from scalar expressions by the thousand to straight-line code."""

import builtins
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import sympy

from symback import errors
from symback.codegen.function import saved_to
from symback.codegen.source.loading import run_module
from symback.codegen.source.naming import MODULE_NAMES
from symback.errors.scalar import bad_accumulation, bad_order, not_scalars, unknown_input
from symback.graph import many_allocations
from symback.nodes.looks import NAME
from symback.scalar.accumulate import METHODS, jacobian
from symback.scalar.emission import Emitter
from symback.scalar.module import module_text
from symback.scalar.reading import Reading
from symback.scalar.tape import INPUT, Tape

_RESERVED = MODULE_NAMES | {
    "math", "out", "number", "straight_line", "formulas", "at_points", "AT_A_POINT", "AT_POINTS",
}  # fmt: skip


class ScalarFunction:
    """A function of scalars, emitted as straight-line code.

    Called with floats it computes with `math`, with arrays of points with NumPy. It prints as its source.

    Attributes:
        name: Its name in the source.
        source: The text of a module that runs wherever NumPy is.
        operations: How many arithmetic operations and calls of functions one point takes.
    """

    def __init__(self, name: str, source: str, operations: int) -> None:
        self.name = self.__name__ = name
        self.source = source
        self.operations = operations
        self._function: Callable[..., Any] = run_module(name, source)[name]
        self.__doc__ = self._function.__doc__

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Run the emitted code."""
        return self._function(*arguments, **named)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the module to a file, whole or not at all.

        Raises:
            InputError: If the name does not end in ``.py``, or the file cannot be written.
        """
        return saved_to(path, lambda: self.source)

    def __repr__(self) -> str:
        return self.source

    def __reduce__(self) -> Any:
        return ScalarFunction, (self.name, self.source, self.operations)


def scalar_function(
    inputs: Sequence[Any], outputs: Any, *, wrt: Sequence[Any] | None = None, order: int = 1,
    accumulation: str = "auto", name: str | None = None,
) -> ScalarFunction:  # fmt: skip
    """Emit straight-line code for scalars, with derivatives on request: 100,000 operations take seconds.

    The function takes a float for each input, or arrays of points that broadcast, which it evaluates block by block;
    results have the axes of the points behind their own. Nothing is expanded: what expressions and derivatives share
    is computed once.

    Args:
        inputs: SymPy symbols, or scalar nodes that are variables: the arguments, in this order.
        outputs: A scalar of SymPy or a node of shape (), a list of them (m,), or a SymPy matrix (rows, columns).
        wrt: The inputs to differentiate by. Then a pair comes back: the values, and the gradient (n,) of one
            scalar, the Jacobian (m, n) of a list, or of the entries of a matrix, row by row.
        order: 2 for one scalar: values, gradient and the Hessian (n, n).
        accumulation: ``"reverse"``, ``"forward"``, ``"mixed"`` (Markowitz's rule), ``"auto"``: what needs the fewest
            operations, counted.
        name: The name of the function, by default ``"f"`` (``"function"`` if an input is called f).

    Raises:
        UsageError: If an output is no real scalar expression; the message names what it holds.
        InputError: If an expression has a symbol that is no input, or an option is unknown.
        DerivativeError: If a function has no derivative.
        InvalidNameError: If the name, or that of an input, cannot be used in Python.

    Example:
        >>> import sympy, symback as sb
        >>> x, y = sympy.symbols("x y")
        >>> f = sb.scalar_function([x, y], sympy.sin(x * y) / y, wrt=[x, y])
        >>> value, gradient = f(0.5, 2.0)
        >>> round(float(value), 6), [round(float(g), 6) for g in gradient]
        (0.420735, [0.540302, -0.075292])
    """
    if accumulation not in ("auto", *METHODS):
        raise bad_accumulation(accumulation, ["auto", *METHODS])
    with many_allocations():
        return _made(inputs, outputs, wrt, order, accumulation, name)


def _made(
    inputs: Sequence[Any], outputs: Any, wrt: Sequence[Any] | None, order: int, accumulation: str, name: str | None
) -> ScalarFunction:
    tape = Tape()
    reading = Reading(tape)
    arguments = [_argument(reading, given) for given in inputs]
    name = name or ("function" if "f" in arguments else "f")
    values, shape = _values(reading, outputs)
    rows: list[list[int]] = []
    second: list[list[int]] = []
    if wrt is not None:
        by = [_by(reading, tape, given, arguments) for given in wrt]
        if order not in (1, 2) or (order == 2 and shape != ()):
            raise bad_order(order, shape)
        tape, rows = jacobian(tape, values, by, accumulation)
        if order == 2:
            tape, second = jacobian(tape, rows[0], by, accumulation)
    return _emitted(tape, arguments, name, _Results(shape, values, rows, second))


class _Results(NamedTuple):
    """What is returned: values of a shape, and derivatives of the first and the second order, row by row."""

    shape: tuple[int, ...]
    values: list[int]
    rows: list[list[int]]
    second: list[list[int]]

    def flat(self) -> list[int]:
        """Return the numbers of all results."""
        return [*self.values, *(entry for row in (*self.rows, *self.second) for entry in row)]

    def text(self) -> str:
        """Return how they are put in shape, from ``out``."""
        count, columns = len(self.values), len(self.rows[0]) if self.rows else 0
        parts = [_part(0, count, self.shape)]
        if self.rows:
            shape = (columns,) if self.shape == () else (count, columns)
            parts.append(_part(count, count * columns, shape))
        if self.second:
            parts.append(_part(count + count * columns, columns * columns, (columns, columns)))
        return ", ".join(parts)


def _part(start: int, count: int, shape: tuple[int, ...]) -> str:
    if shape == ():
        return f"out[{start}]"
    axes = "".join(f"{size}, " for size in shape)
    return f"np.reshape(out[{start}:{start + count}], ({axes}*np.shape(out[0])))"


def _emitted(tape: Tape, arguments: Sequence[str], name: str, results: _Results) -> ScalarFunction:
    """Write the module and load it."""
    taken = {*_RESERVED, *dir(builtins)}
    for wanted in (name, *arguments):
        if not NAME.match(wanted) or wanted in taken or (wanted == name and wanted in arguments):
            raise errors.bad_name(wanted, "Python or the emitted module uses it")
    flat = results.flat()
    if not results.values:
        raise not_scalars([])
    for operation, operands, mark in zip(tape.operations, tape.operands, tape.needed(flat), strict=False):
        if mark and operation == INPUT and operands[0] not in arguments:
            raise unknown_input(operands[0], arguments)
    body = Emitter(tape, flat, {*taken, *arguments, name}, {}).body()
    operations = tape.count(flat)
    doc = ["Evaluate scalar formulas at a point, or at arrays of points.", "", f"{operations} operations a point.", "",
           "Written by symback."]  # fmt: skip
    source = module_text(name, arguments, body, len(flat), results.text(), doc)
    return ScalarFunction(name, source, operations)


def _argument(reading: Reading, given: Any) -> str:
    place = reading.place(given)
    if reading.tape.operations[place] != INPUT:
        raise errors.not_an_input(reading.bridge.to_node(given))
    return str(reading.tape.operands[place][0])


def _by(reading: Reading, tape: Tape, given: Any, arguments: Sequence[str]) -> int:
    place = reading.place(given)
    if tape.operations[place] != INPUT or tape.operands[place][0] not in arguments:
        raise unknown_input(str(given), arguments)
    return place


def _values(reading: Reading, outputs: Any) -> tuple[list[int], tuple[int, ...]]:
    """Return the numbers of the outputs and their shape."""
    if isinstance(outputs, sympy.MatrixBase):
        return [reading.place(entry) for entry in outputs.flat()], tuple(outputs.shape)
    if isinstance(outputs, (list, tuple)):
        if any(isinstance(entry, (list, tuple, dict)) for entry in outputs):
            raise not_scalars(outputs)
        return [reading.place(entry) for entry in outputs], (len(outputs),)
    return [reading.place(outputs)], ()
