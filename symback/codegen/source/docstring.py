"""What an emitted module and its function say of themselves."""

import re
import textwrap
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from symback import errors
from symback.codegen.bound import docstring_lines
from symback.nodes.apply import Named
from symback.nodes.labels import Label
from symback.nodes.leaves import Variable
from symback.nodes.node import Node
from symback.ops.undefined import Partial

_WIDTH = 80
"""The length of a line of a docstring, after the indentation of a function's."""

_MOST_LINES = 16

NO_FUNCTIONS: Mapping[Partial, str] = MappingProxyType({})


def function_docstring(
    inputs: Sequence[Variable],
    outputs: Sequence[Node],
    arguments: dict[Node, str],
    cost: str = "",
    updated: Sequence[Node] = (),
    functions: Mapping[Partial, str] = NO_FUNCTIONS,
) -> list[str]:
    """Say what the function returns, updates and calls, the shapes of what it takes, and its cost if that is given."""
    first = _summary_of_update(outputs, [arguments[node] for node in updated]) if updated else _summary(outputs)
    shapes = [f"{arguments[v]} {errors.show_shape(v.shape)}{_dtype_text(v)}" for v in inputs]
    renamed = [f"{arguments[v]} stands for {v.name}." for v in inputs if arguments[v] != v.name]
    lines = textwrap.wrap(f"Shapes: {', '.join(shapes)}.", _WIDTH, break_long_words=False) if inputs else []
    renamed += docstring_lines(functions, _WIDTH)
    renamed += textwrap.wrap(f"Cost: {cost}.", _WIDTH, break_long_words=False) if cost else []
    if not lines and not renamed:
        return [f'"""{first}"""']
    first_lines = textwrap.wrap(first, _WIDTH, break_long_words=False)
    return [f'"""{first_lines[0]}', *first_lines[1:], "", *lines, *renamed, '"""']


def _dtype_text(variable: Variable) -> str:
    return "" if variable.dtype.name == "float64" else f" {variable.dtype.name}"


def _summary_of_update(outputs: Sequence[Node], updated: Sequence[str]) -> str:
    *others, last = updated
    changed = f"{', '.join(others)} and {last}" if others else last
    if not outputs:
        return f"Update {changed} in place."
    return f"{_summary(outputs)[:-1]}; {changed} {'are' if others else 'is'} updated in place."


def _summary(outputs: Sequence[Node]) -> str:
    labels = [output.label if isinstance(output, Named) else None for output in outputs]
    primal = list(dict.fromkeys(label.name for label in labels if isinstance(label, Label) and label.kind == "let"))
    adjoints = [label.name for label in labels if isinstance(label, Label) and label.kind == "adjoint"]
    by = [name.removeprefix("d_") for name in dict.fromkeys(adjoints)]
    first = f"Compute {', '.join(primal)}" if primal else "Evaluate the outputs"
    if by:
        what = f"{', '.join(primal)} and its gradient" if primal else "Gradient"
        first = f"{what} with respect to {', '.join(by)}"
    if (None in labels or len(adjoints) > len(by)) and (primal or by):
        first += ", and other results"
    return f"{first}."


def module_docstring(name: str, outputs: Sequence[Node]) -> list[str]:
    """Give the formula of what the function computes; of a long one the last lines."""
    rows: list[str] = []
    for output in outputs:
        if isinstance(output, Named) and output.label.kind == "let":
            rows += [row for row in str(output).split("\n") if row not in rows]
    if not rows and len(outputs) == 1 and not isinstance(outputs[0], Named):
        rows = str(outputs[0]).split("\n")
        rows[-1] = f"{name} = {rows[-1]}"
    lines = [line for row in rows for line in _formula_lines(row)]
    if not lines:
        return [f'"""The function {name}, as symback wrote it."""']
    if len(lines) > _MOST_LINES:
        lines = ["…", *lines[-_MOST_LINES:]]
    return [f'"""What {name} computes:', "", *(f"    {line}" for line in lines), "", "Written by symback.", '"""']


def _formula_lines(row: str) -> list[str]:
    """Write a line of a formula without what only the graph needs, broken if it is long."""
    target, equals, value = row.partition(" = ")
    whole = value.startswith("(") and value.endswith(")") and _closes_last(value)
    value = re.sub(r"\bsum\('\w*->', ", "sum(", value[1:-1] if whole else value)
    text = f"{target}{equals}{value}".replace("\\", "\\\\").replace('"', "'")
    return textwrap.wrap(text, _WIDTH, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)


def _closes_last(text: str) -> bool:
    """Does the first bracket of a text close with the last?"""
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return place == len(text) - 1
    return False
