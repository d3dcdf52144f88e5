"""What is said of a place in the code where a non-finite value was made: the line, the kind, the operands."""

import ast
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from symback.check.nonfinite.finding import Watched
from symback.check.nonfinite.marking import Site
from symback.check.nonfinite.report import Event, Operand, Origin
from symback.check.nonfinite.values import Array, entry_within, is_number, place_of

_MOST_LINES = 12

_ENTRYWISE = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow)
_POLES = {np.log, np.log2, np.log10, np.log1p, np.arctanh}
"""Infinite at a pole only."""
_DIVISIONS = {np.divide, np.floor_divide, np.remainder, np.fmod, np.reciprocal}


def is_entrywise(site: Site, function: Any) -> bool:
    """Whether each entry of the result belongs to one entry of each operand."""
    if isinstance(function, np.ufunc):
        return function.signature is None and function.nout == 1
    return site.operator in _ENTRYWISE


def text_at(watched: Watched, node: Any) -> str:
    """Return the text of an expression, on one line."""
    lines = watched.lines[node.lineno - 1 : node.end_lineno]
    parts = [line.encode() for line in lines]
    parts[-1] = parts[-1][: node.end_col_offset]
    parts[0] = parts[0][node.col_offset :]
    words = " ".join(part.decode().strip() for part in parts).strip()
    return words.replace("( ", "(").replace(", )", ")").replace(" )", ")")


def event_at(watched: Watched, site: Site) -> Event:
    """Describe a place: its lines with carets below the expression."""
    node, width = site.node, len(str(site.node.end_lineno))
    shown: list[str] = []
    for number in range(node.lineno, min(node.end_lineno, node.lineno + _MOST_LINES - 1) + 1):
        line = watched.lines[number - 1].rstrip("\n")
        start = node.col_offset if number == node.lineno else len(line) - len(line.lstrip())
        end = node.end_col_offset if number == node.end_lineno else len(line.encode())
        before, within = line.encode()[:start].decode(), line.encode()[start:end].decode()
        shown += [f"{number:>{width}} | {line}", f"{'':>{width}} | {' ' * len(before)}{'^' * len(within)}"]
    return Event(function=watched.name, filename=watched.filename, line=node.lineno,
                 text=text_at(watched, node), lines=tuple(shown))  # fmt: skip


def made_by(kind: str, name: str, value: Any, **more: Any) -> Origin:
    """Describe a value that is not finite; `where` limits the entries, the first of which is the one shown."""
    array, where = np.asarray(value), more.pop("where", True)
    nan, infinite = np.isnan(array) & where, np.isinf(array) & where
    first = nan if nan.any() else infinite
    index = tuple(int(i) for i in np.unravel_index(int(np.argmax(first)), array.shape)) if array.ndim else ()
    return Origin(kind=kind, name=name, index=index, nan=int(nan.sum()), infinite=int(infinite.sum()),
                  size=array.size, **more)  # fmt: skip


def kind_of(value: Any, where: Any, site: Site, function: Any, operands: Sequence[Any], flags: set[str]) -> str:
    """Tell NaN, division and overflow apart: by what NumPy signalled, else by the operands.

    Nothing is signalled within ``np.errstate`` of the function's own.
    """
    array = np.asarray(value)
    if (np.isnan(array) & where).any():
        return "invalid"
    if "divide by zero" in flags:
        return "division"
    numbers = [operand for operand in operands if is_number(operand) or isinstance(operand, (int, np.integer))]
    divides = site.operator in (ast.Div, ast.FloorDiv, ast.Mod) or function in _DIVISIONS
    if "overflow" not in flags and divides and numbers and bool(np.any(np.asarray(numbers[-1]) == 0)):
        return "division"
    if not flags and is_entrywise(site, function) and _is_pole(np.isinf(array) & where, site, function, numbers):
        return "division"
    return "overflow" if numbers else "made"


def _is_pole(there: Array, site: Site, function: Any, operands: Sequence[Any]) -> bool:
    """Whether infinite entries are of a pole: no operation of finite numbers overflows where an operand is zero."""
    if function in _POLES or (site.by_zero and (site.operator in (ast.Div, ast.FloorDiv) or function in _DIVISIONS)):
        return True
    zeros = [np.asarray(operand) == 0 for operand in operands]
    return any(bool((np.broadcast_to(zero, there.shape) & there).any()) for zero in zeros if zero.ndim <= there.ndim)


def new_entries(value: Any, operands: Iterable[Any]) -> Array:
    """Return which entries of the result of an entrywise operation are not finite though those of all operands are."""
    array = np.asarray(value)
    fresh: Array = ~np.isfinite(array)
    for operand in operands:
        if is_number(operand):
            fresh &= np.isfinite(operand)
    return fresh


def described(
    text: str, value: Any, index: tuple[int, ...] | None, inputs: Mapping[str, Array], memory: Any
) -> Operand:
    """Describe an operand, with its entry that belongs to one of the result if there is such an entry."""
    array = np.asarray(value)
    finite = array[np.isfinite(array)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size and finite.dtype.kind != "c" else (None, None)
    entry: float | None = None
    own: tuple[int, ...] = ()
    if index is not None and array.ndim <= len(index) and array.dtype.kind != "c":
        places = zip(index[len(index) - array.ndim :], array.shape, strict=True)
        own = tuple(0 if size == 1 else place for place, size in places)
        entry = float(array[own])
    source = ""
    for name, whole in inputs.items() if entry is not None and isinstance(memory, np.ndarray) else ():
        found = entry_within(memory, own, whole)
        if found is not None:
            source = f"{name}{place_of(found)}"
    return Operand(text=text, shape=array.shape, dtype=str(array.dtype), low=low, high=high, value=entry, source=source)
