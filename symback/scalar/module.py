"""The text of a module around a straight-line program: formulas once, for single points and for arrays of points."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from symback.codegen.bound import maker_text
from symback.codegen.source.module import ERRORS, in_short_lines, libraries_of, source_of, with_helpers
from symback.ops.numerics.bound import entry_by_entry
from symback.ops.undefined import Partial
from symback.scalar import points
from symback.scalar.emission import NO_FUNCTIONS, Body

OWN: dict[str, Callable[..., Any]] = {"choose": points.choose, "larger": points.larger, "smaller": points.smaller}
"""Functions of a module that are called at single points."""

_IMPORTS = [
    "import os", "from collections.abc import Callable", "from concurrent.futures import ThreadPoolExecutor",
    "from contextvars import copy_context", "from itertools import pairwise", "", "import numpy as np",
]  # fmt: skip


def module_text(
    name: str, inputs: Sequence[str], body: Body, count: int, results: Sequence[str], doc: Sequence[str],
    functions: Mapping[Partial, str] = NO_FUNCTIONS, threads: int | None = None,
) -> str:  # fmt: skip
    """Put the module together.

    Args:
        name: The name of the function.
        inputs: The names of its arguments.
        body: The text of the program.
        count: How many results it has.
        results: The last lines of the function, in which ``out`` is the sequence of the results.
        doc: The lines of the docstring.
        functions: The functions that the module must be given, with their names: they are called by one thread.
        threads: How many threads evaluate arrays of points; None for as many as there are cores.
    """
    used = [*dict.fromkeys(called.point for called in body.called)]
    helpers: list[Callable[..., Any]] = [OWN[point] for point in used if point in OWN]
    sources = [*helpers, *body.helpers.values(), *([entry_by_entry] if functions else [])]
    own = [function for function in sources if function in OWN.values()]
    found = with_helpers({function.__name__: function for function in sources if function not in own})
    special = any(called.numpy.startswith("special.") for called in body.called)
    special |= any(libraries_of(function) for function in found)
    imports = ["import math"] * any("math." in point for point in used) + _IMPORTS
    lines = [
        *(["# This module needs scipy beside numpy: pip install scipy"] if special else []),
        *imports, *(["from scipy import special"] if special else []), "", "",
        *([*ERRORS.splitlines(), "", ""] if functions else []),
        *[line for function in [*own, *found] for line in [*source_of(function).splitlines(), "", ""]],
        *in_short_lines("\n".join(_formulas(inputs, body))).split("\n"),
        *_source(points.points_at_once), "", "", *_source(points.points_of), "", "", *_source(points.at_points), "", "",
    ]  # fmt: skip
    call = f"at_points(AT_POINTS, given, {count}, {body.most_alive + len(inputs)}"
    call += f", threads={1 if functions else threads}" if functions or threads else ""
    call += ", zeros=True)" if body.zeros else ")"
    definition = in_short_lines("\n".join(_definition(name, inputs, body, count, call, results, doc)))
    if functions:
        definition = definition.replace("\n\n\n", "\n\n")  # inside of a function a blank line is enough
    return "\n".join([*lines, maker_text(name, definition, functions) if functions else definition]) + "\n"


def _definition(
    name: str, inputs: Sequence[str], body: Body, count: int, call: str, results: Sequence[str], doc: Sequence[str]
) -> list[str]:
    """Return the lines of the function, with the formulas for a library each."""
    given = ", ".join(f'"{name}": {name}' for name in inputs)
    return [
        f"AT_A_POINT = straight_line({', '.join(called.point for called in body.called)})",
        f"AT_POINTS = straight_line({', '.join(called.numpy for called in body.called)})", "", "",
        f"def {name}({', '.join(inputs)}):",
        '    """', *(f"    {line}".rstrip() for line in doc), '    """',
        f"    given = {{{given}}}",
        "    if all(type(number) in (float, int) for number in given.values()):",
        f"        out = [0.0] * {count}",
        "        try:",
        "            AT_A_POINT(*map(float, given.values()), out)",
        "        except (ArithmeticError, ValueError):  # where NumPy gives inf or NaN",
        "            AT_POINTS(*map(np.float64, given.values()), out)",
        "        out = np.array(out, dtype=float)",
        "    else:",
        f"        out = {call}",
        *(f"    {line}" for line in results),
    ]  # fmt: skip


def _formulas(inputs: Sequence[str], body: Body) -> list[str]:
    functions = ", ".join(called.name for called in body.called)
    return [
        f"def straight_line({functions}):",
        '    """Return the formulas, for the functions of a library: of floats or of arrays."""', "",
        f"    def formulas({', '.join(inputs)}, out):",
        *(f"        {line}" for line in body.lines), "",
        "    return formulas", "", "",
    ]  # fmt: skip


def _source(function: Callable[..., Any]) -> list[str]:
    return inspect.getsource(function).rstrip().splitlines()
