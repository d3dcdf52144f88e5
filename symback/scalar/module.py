"""The text of a module around a straight-line program: formulas once, for single points and for arrays of points."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from symback.codegen.source.module import source_of, with_helpers
from symback.scalar import points
from symback.scalar.emission import Body

_CACHE = 2**23
"""Bytes that the values held at once should take; a call of NumPy costs as much as some hundred numbers."""
_FEWEST, _MOST = 4096, 16384
_OWN: dict[str, Callable[..., Any]] = {"choose": points.choose, "larger": points.larger, "smaller": points.smaller}


def block_of(values: int) -> int:
    """Return how many points are computed at once where so many values are held: a power of two."""
    block = _MOST
    while block > _FEWEST and 8 * block * values > _CACHE:
        block //= 2
    return block


def module_text(name: str, inputs: Sequence[str], body: Body, count: int, results: str, doc: Sequence[str]) -> str:
    """Put the module together.

    Args:
        name: The name of the function.
        inputs: The names of its arguments.
        body: The text of the program.
        count: How many results it has.
        results: What the function returns, as text in which ``out`` is the sequence of the results.
        doc: The lines of the docstring.
    """
    used = [*dict.fromkeys(called.point for called in body.called)]
    helpers: list[Callable[..., Any]] = [_OWN[point] for point in used if point in _OWN]
    arguments = ", ".join(inputs)
    given = ", ".join(f'"{name}": {name}' for name in inputs)
    special = any(called.numpy.startswith("special.") for called in body.called)
    imports = ["import math"] * any("math." in point for point in used) + ["", "import numpy as np"]
    lines = [
        *(["# This module needs scipy beside numpy: pip install scipy"] if special else []),
        *imports, *(["from scipy import special"] if special else []), "", "",
        *_sources([*helpers, *body.helpers.values()]),
        *_formulas(inputs, body),
        f"AT_A_POINT = straight_line({', '.join(called.point for called in body.called)})",
        f"AT_POINTS = straight_line({', '.join(called.numpy for called in body.called)})", "", "",
        *_source(points.at_points), "", "",
        f"def {name}({arguments}):",
        '    """', *(f"    {line}".rstrip() for line in doc), '    """',
        f"    if all(type(number) in (float, int) for number in [{arguments}]):",
        f"        out = [0.0] * {count}",
        "        try:",
        f"            AT_A_POINT({arguments}, out)",
        "        except (ArithmeticError, ValueError):  # where NumPy gives inf or NaN",
        f"            AT_POINTS(*map(np.float64, [{arguments}]), out)",
        "        out = np.array(out, dtype=float)",
        "    else:",
        f"        out = at_points(AT_POINTS, {{{given}}}, {count}, {block_of(body.most_alive + len(inputs))})",
        f"    return {results}",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _formulas(inputs: Sequence[str], body: Body) -> list[str]:
    functions = ", ".join(called.name for called in body.called)
    return [
        f"def straight_line({functions}):",
        '    """Return the formulas, for the functions of a library: of floats or of arrays."""', "",
        f"    def formulas({', '.join(inputs)}, out):",
        *(f"        {line}" for line in body.lines), "",
        "    return formulas", "", "",
    ]  # fmt: skip


def _sources(functions: Sequence[Callable[..., Any]]) -> list[str]:
    own = [function for function in functions if function in _OWN.values()]
    found = with_helpers({function.__name__: function for function in functions if function not in own})
    return [line for function in [*own, *found] for line in [*source_of(function).splitlines(), "", ""]]


def _source(function: Callable[..., Any]) -> list[str]:
    return inspect.getsource(function).rstrip().splitlines()
