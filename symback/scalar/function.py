"""The entry point: `scalar_function`, from scalar expressions by the thousand to straight-line code."""

import builtins
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import sympy

from symback import errors
from symback.codegen.bound import Functions, bound, checked_functions, docstring_lines
from symback.codegen.function import NO_CALLABLES, load, saved_to
from symback.codegen.source.naming import MODULE_NAMES
from symback.errors.scalar import (
    bad_accumulation,
    bad_inputs,
    bad_order,
    bad_threads,
    not_listed,
    not_scalars,
    unknown_input,
)
from symback.graph import many_allocations
from symback.nodes.dtypes import is_float
from symback.nodes.looks import NAME
from symback.nodes.node import Node
from symback.ops.undefined import Partial
from symback.scalar.accumulate import METHODS, jacobian
from symback.scalar.emission import Emitter
from symback.scalar.module import OWN, module_text
from symback.scalar.reading import Reading
from symback.scalar.stable import stabilised
from symback.scalar.tape import INPUT, Tape

_RESERVED = MODULE_NAMES | {
    "math", "out", "given", "number", "straight_line", "formulas", "at_points", "points_at_once", "points_of",
    "AT_A_POINT", "AT_POINTS", "os", "Callable", "ThreadPoolExecutor", "copy_context", "pairwise",
}  # fmt: skip


class ScalarFunction:
    """A function of scalars, emitted as straight-line code.

    Called with floats it computes with `math`, with arrays of points with NumPy. It prints as its source.

    Attributes:
        name: Its name in the source.
        source: The text of a module that runs wherever NumPy is.
        operations: How many arithmetic operations and calls of functions one point takes.
    """

    def __init__(
        self, name: str, source: str, operations: int, functions: Mapping[str, Callable[..., Any]] = NO_CALLABLES
    ) -> None:
        self.name = self.__name__ = name
        self.source = source
        self.operations = operations
        self._given = functions
        self._function = load(name, source, functions)
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
        return ScalarFunction, (self.name, self.source, self.operations, dict(self._given))


def scalar_function(
    inputs: Sequence[Any], outputs: Any, *, wrt: Sequence[Any] | None = None, order: int = 1,
    accumulation: str = "auto", name: str | None = None, functions: Mapping[str, Any] | None = None,
    threads: int | None = None,
) -> ScalarFunction:  # fmt: skip
    """Emit straight-line code for scalars, with derivatives on request: 100,000 operations take seconds.

    The function takes a float for each input, or arrays of points that broadcast; results have the axes of the points
    behind their own. Nothing is expanded: what expressions and derivatives share is computed once.

    Args:
        inputs: SymPy symbols, or scalar nodes that are variables: the arguments, in this order.
        outputs: A scalar of SymPy or a node of shape (), a list of them (m,), or a SymPy matrix (rows, columns).
        wrt: The inputs to differentiate by. Then a pair comes back: the values, and the gradient (n,) of one
            scalar, the Jacobian (m, n) of a list, or of the entries of a matrix, row by row.
        order: 2 for one scalar: values, gradient and the Hessian (n, n).
        accumulation: ``"reverse"``, ``"forward"``, ``"mixed"`` (Markowitz's rule), ``"auto"``: what needs the fewest
            operations, counted.
        name: The name of the function, by default ``"f"`` (``"function"`` if an input is called f, or what it calls).
        functions: What undefined functions are, ``{"f": (f, df, d2f)}``, as for `lambdify`.
        threads: At most how many threads evaluate arrays, by default one a core; one alone calls `functions`.

    Raises:
        UsageError: If an output is no real scalar expression; the message names what it holds.
        InputError: If an expression has a symbol that is no input, an option is unknown, or a function is missing.
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
    _check_options(accumulation, threads)
    told = checked_functions(functions, "scalar_function")
    with many_allocations():
        return _made(inputs, outputs, wrt, order, accumulation, name, told, threads)


def _check_options(accumulation: str, threads: int | None) -> None:
    if accumulation not in ("auto", *METHODS):
        raise bad_accumulation(accumulation, ["auto", *METHODS])
    if threads is not None and (type(threads) is not int or threads < 1):
        raise bad_threads(threads)


def _made(
    inputs: Sequence[Any], outputs: Any, wrt: Sequence[Any] | None, order: int, accumulation: str, name: str | None,
    functions: Functions, threads: int | None,
) -> ScalarFunction:  # fmt: skip
    tape = Tape()
    reading = Reading(tape)
    arguments = [_argument(reading, given) for given in _listed("inputs", inputs)]
    known = frozenset(arguments)
    if len(known) < max(len(arguments), 1):
        raise bad_inputs(arguments)
    values, shape = _values(reading, outputs)
    by = [_by(reading, given, known) for given in _listed("wrt", () if wrt is None else wrt)]
    if order not in (1, 2) or (order == 2 and (shape != () or wrt is None)):
        raise bad_order(order, shape)
    tape, places = stabilised(tape, values)
    values, by = [places[value] for value in values], [places[entry] for entry in by]
    rows: list[list[int]] = []
    second: list[list[int]] = []
    if wrt is not None:
        tape, rows = jacobian(tape, values, by, accumulation)
        if order == 2:
            tape, second = jacobian(tape, rows[0], by, accumulation)
    return _emitted(tape, arguments, name, _Results(shape, values, rows, second), functions, threads)


class _Results(NamedTuple):
    """What is returned: values of a shape, and derivatives of the first and the second order, row by row."""

    shape: tuple[int, ...]
    values: list[int]
    rows: list[list[int]]
    second: list[list[int]]

    def flat(self) -> list[int]:
        """Return the numbers of all results."""
        return [*self.values, *(entry for row in (*self.rows, *self.second) for entry in row)]

    def lines(self) -> list[str]:
        """Return the lines that put them in shape, from ``out``, and return them."""
        count, columns = len(self.values), len(self.rows[0]) if self.rows else 0
        parts = [_part(0, count, self.shape)]
        if self.rows:
            shape = (columns,) if self.shape == () else (count, columns)
            parts.append(_part(count, count * columns, shape))
        if self.second:
            parts.append(_part(count + count * columns, columns * columns, (columns, columns)))
        if parts == ["out[0]"]:
            return ["return out[0]"]
        names = ("values" if self.shape else "value", "jacobian" if self.shape else "gradient", "hessian")
        named = [f"{name} = {part}" for name, part in zip(names, parts, strict=False)]
        return ["shape = np.shape(out[0])", *named, f"return {', '.join(names[: len(parts)])}"]


def _part(start: int, count: int, shape: tuple[int, ...]) -> str:
    if shape == ():
        return f"out[{start}]"
    axes = "".join(f"{size}, " for size in shape)
    return f"np.reshape(out[{start}:{start + count}], ({axes}*shape))"


def _emitted(
    tape: Tape,
    arguments: Sequence[str],
    name: str | None,
    results: _Results,
    functions: Functions,
    threads: int | None,
) -> ScalarFunction:
    """Write the module and load it."""
    taken, known = {*_RESERVED, *dir(builtins)}, frozenset(arguments)
    called = _called(tape, results.flat())
    name = name or _free_name({*arguments, *(function.name for function in called)})
    for wanted in (name, *arguments):
        if (
            not isinstance(wanted, str)
            or not NAME.match(wanted)
            or wanted in taken
            or (wanted == name and wanted in known)
        ):
            raise errors.bad_name(wanted, "Python or the emitted module uses it")
    flat = results.flat()
    if not results.values:
        raise not_scalars([])
    for operation, operands, mark in zip(tape.operations, tape.operands, tape.needed(flat), strict=False):
        if mark and operation == INPUT and operands[0] not in known:
            raise unknown_input(operands[0], arguments)
    words = _words(called, {*taken, *arguments, name})
    given = bound(words, functions, "scalar_function")
    body = Emitter(tape, flat, {*taken, *arguments, name, *words.values()}, {}, words).body()
    operations = tape.count(flat)
    doc = ["Evaluate scalar formulas at a point, or at arrays of points.", "", f"{operations} operations a point.",
           *docstring_lines(words, 80), "", "Written by symback."]  # fmt: skip
    source = module_text(name, arguments, body, len(flat), results.lines(), doc, words, threads)
    return ScalarFunction(name, source, operations, given)


def _called(tape: Tape, outputs: Sequence[int]) -> list[Partial]:
    """Return the functions without a declaration that a program calls."""
    names = zip(tape.operations, tape.needed(outputs), strict=False)
    return list(dict.fromkeys(name for name, mark in names if mark and isinstance(name, Partial)))


def _words(called: Sequence[Partial], taken: set[str]) -> dict[Partial, str]:
    """Return what functions are called in the text, which nothing else is."""
    taken = {*taken, *OWN}
    words: dict[Partial, str] = {}
    for function in called:
        word = function.word
        while word in taken or word in words.values():
            word += "_"
        words[function] = word
    return words


def _free_name(taken: set[str]) -> str:
    name = "function" if "f" in taken else "f"
    while name in taken:
        name += "_"
    return name


def _listed(what: str, given: Any) -> list[Any]:
    """Return inputs as a list; one alone, and what has no order, is refused."""
    if isinstance(given, (list, tuple, sympy.Tuple, sympy.MatrixBase, np.ndarray)):
        return list(given)
    raise not_listed(what, given)


def _argument(reading: Reading, given: Any) -> str:
    place = reading.place(given)
    if reading.tape.operations[place] != INPUT:
        raise errors.not_an_input(reading.bridge.to_node(given))
    return str(reading.tape.operands[place][0])


def _by(reading: Reading, given: Any, arguments: Collection[str]) -> int:
    tape, place = reading.tape, reading.place(given)
    if tape.operations[place] != INPUT or tape.operands[place][0] not in arguments:
        raise unknown_input(str(given), arguments)
    if isinstance(given, Node) and not is_float(given.dtype):
        raise errors.not_differentiable_dtype(given)
    return place


def _values(reading: Reading, outputs: Any) -> tuple[list[int], tuple[int, ...]]:
    """Return the numbers of the outputs and their shape."""
    if isinstance(outputs, sympy.MatrixBase):
        return [reading.place(entry) for entry in outputs.flat()], tuple(outputs.shape)
    if isinstance(outputs, np.ndarray) and outputs.ndim in (1, 2):
        return [reading.place(entry) for entry in outputs.ravel().tolist()], outputs.shape
    if isinstance(outputs, (list, tuple, sympy.Tuple)):
        if any(isinstance(entry, (list, tuple, dict)) for entry in outputs):
            raise not_scalars(outputs)
        return [reading.place(entry) for entry in outputs], (len(outputs),)
    return [reading.place(outputs)], ()
