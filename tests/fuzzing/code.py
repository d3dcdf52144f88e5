"""Emitted code against the digits, within what rounding explains; and without a warning where all is in range."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

import symback as sb
from symback.graph import toposort
from symback.nodes.apply import Apply, Map
from symback.nodes.node import Node

from .corners import has_equal_eigenvalues
from .digits import UNITS, Excluded, floats, in_range, numbers, rounded_at, values_at
from .subject import Subject, Wrong

_STRICT = 64
"""Units in the last place within which no question is asked."""
_EXPLAINED = 64
"""By how much an error may exceed what random roundings of the graph as written did to the result."""
_SAMPLES = 4
_APART = 4
"""Units within which floats may come out equal."""
_SQUARING = frozenset({"std_over", "norm_over"})
_OF_NUMPY = ("Degrees of freedom <= 0", "Mean of empty slice", "All-NaN slice")
"""What NumPy's own functions warn of, as they do in the code that one would write."""
_SIGNED = frozenset({"signbit", "copysign", "arctan2", "digamma", "gammaln"})


def code(subject: Subject, style: str) -> None:
    """Emitted code gives what the digits say, within what rounding explains, and warns of nothing in range."""
    graph = subject.graph
    emitted_agrees(subject, graph.variables, graph.point, subject.outputs, style)


def emitted_agrees(subject: Subject, inputs: Any, point: Any, outputs: list[Node], style: str) -> None:
    """Emit, run and compare."""
    function = sb.lambdify(inputs, outputs, style=style)
    try:
        found, warned = _run(function, [point[x] for x in inputs])
    except np.linalg.LinAlgError:
        _refuse_singular(subject, point, outputs)
        raise
    for node, value in zip(outputs, found, strict=True):
        if np.asarray(value).dtype != node.dtype:
            raise Wrong(f"dtype {np.asarray(value).dtype} of {node}\n{function.source}")
    if not subject.is_finite:
        raise Excluded("not finite")
    values = subject.digits if outputs is subject.outputs else values_at(point, outputs)
    if not all(in_range(node, values[node]) and _squares_fit(node, values) for node in toposort(outputs)):
        raise Excluded("out of range")
    if any(_meets_zero(node, values) for node in toposort(outputs)):
        raise Excluded("sign of zero")
    bad = [k for k, node in enumerate(outputs) if _is_off(found[k], values[node], _allowed(node, values[node]))]
    if warned and not any(words in warned for words in _OF_NUMPY):
        _refuse_singular(subject, point, outputs)
        raise Wrong(f"warns: {warned}\n{function.source}")
    if bad:
        _explain(subject, inputs, point, outputs, values, found, bad, function)


def _squares_fit(node: Node, values: Any) -> bool:
    """Are the squares in range that NumPy's functions of this node make on the way?"""
    if not isinstance(node, Apply) or node.operation.name not in _SQUARING:
        return True
    (operand,) = node.operands
    return in_range(operand, [entry * entry for entry in numbers(values[operand])])


def _meets_zero(node: Node, values: Any) -> bool:
    """Does a result depend on the sign of a zero, which numbers of mpmath do not have?"""
    return isinstance(node, Map) and node.operation.name in _SIGNED and any(
        value == 0 for operand in node.operands for value in numbers(values[operand])
    )  # fmt: skip


def _refuse_singular(subject: Subject, point: Any, outputs: list[Node]) -> None:
    """Exclude what is documented to raise: a matrix that is singular, in digits or within rounding."""
    values = values_at(point, outputs)
    moved = [rounded_at(point, outputs, subject.rng, inputs=True) for _ in range(_SAMPLES)]
    for node in toposort(outputs):
        size = _size(values[node])
        for other in moved:
            if not np.max(_distance(other[node], values[node]), initial=0) <= min(size, _size(other[node])):
                raise Excluded("singular within rounding")


def _size(value: Any) -> Any:
    return np.max(_distance(value, 0 * np.asarray(value, dtype=object)), initial=0)


def _run(function: Any, arguments: Sequence[Any]) -> tuple[list[Any], str]:
    """Run emitted code so that it warns of nothing; else return the warning too."""
    try:
        with np.errstate(over="raise", divide="raise", invalid="raise"), warnings.catch_warnings():
            warnings.simplefilter("error")
            return list(function(*arguments)), ""
    except (FloatingPointError, Warning) as problem:
        warned = f"{type(problem).__name__}: {problem}"
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return list(function(*arguments)), warned


def _allowed(node: Node, value: Any) -> Any:
    wanted = np.abs(floats(value))
    if node.dtype.kind != "f":
        return np.zeros(wanted.shape)
    unit = np.finfo(node.dtype)
    return _STRICT * float(unit.eps) / 2 * wanted + 8 * float(unit.smallest_normal)


def _is_off(found: Any, wanted: Any, allowed: Any) -> bool:
    """Is some entry further from the digits than it may be, or of another shape?"""
    if np.shape(found) != np.shape(wanted):
        return True
    error = np.abs(np.asarray(found).astype(float) - floats(wanted))
    return not bool(np.all(error <= allowed))


def _explain(
    subject: Subject, inputs: Any, point: Any, outputs: list[Node], values: Any, found: Any, bad: list[int],
    function: Any,
) -> None:  # fmt: skip
    """Measure what roundings do to the results that are off: of intermediate results, then of the inputs too."""
    roots = [outputs[k] for k in bad]
    if any(_nearly_equal(node, values) for node in toposort(roots)):
        raise Excluded("a comparison within rounding")
    spread = [np.zeros(np.shape(values[root])) for root in roots]
    off, undecided = list(range(len(roots))), False
    for count in range(4 * _SAMPLES):
        moved = rounded_at(point, roots, subject.rng, inputs=count >= 2 * _SAMPLES)
        undecided = undecided or any(_decided_by_rounding(node, moved, values) for node in toposort(roots))
        spread = [np.fmax(s, _distance(moved[root], values[root])) for s, root in zip(spread, roots, strict=True)]
        off = [k for k in off if _is_off(found[bad[k]], values[roots[k]], _room(roots[k], values[roots[k]], spread[k]))]
        if not off and count >= 2 * _SAMPLES:
            raise Excluded("passed, for inputs a unit away")
        if not off:
            raise Excluded("passed, explained by rounding")
    if undecided:
        raise Excluded("a comparison within rounding")
    if all(_knows_nothing(values[roots[k]], spread[k]) for k in off):
        raise Excluded("no digit is certain")
    if any(has_equal_eigenvalues(node, values) for node in toposort(roots)):
        raise Excluded("equal eigenvalues")
    if _underflows(function, [point[x] for x in inputs]):
        raise Excluded("a product underflows")
    node, given, wanted = roots[off[0]], found[bad[off[0]]], values[roots[off[0]]]
    shown = floats(wanted).tolist()
    raise Wrong(f"{node}\nfound  {np.asarray(given).tolist()}\nwanted {shown}\nspread {spread[off[0]].tolist()}\n"
                f"{function.source}")  # fmt: skip


def _knows_nothing(value: Any, spread: Any) -> bool:
    """Does rounding change each entry by half of it, as it does the sine of 1e30?"""
    return bool(np.all(spread >= np.abs(floats(value)) / 2) and np.any(spread > 0))


def _underflows(function: Any, arguments: Sequence[Any]) -> bool:
    """Is a partial product of emitted code, which orders factors anew, too small for its dtype?"""
    try:
        with np.errstate(all="ignore", under="raise"):
            function(*arguments)
    except FloatingPointError:
        return True
    return False


def _decided_by_rounding(node: Node, moved: Any, values: Any) -> bool:
    """Is a comparison another one when intermediate results are rounded, as those of numbers that cancel are?"""
    return node.dtype.kind == "b" and bool(np.any(np.asarray(moved[node]) != np.asarray(values[node])))


def _nearly_equal(node: Node, values: Any) -> bool:
    """Does it compare numbers that floats would not tell apart?"""
    floats_of = [operand for operand in node.operands if operand.dtype.kind == "f"]
    if node.dtype.kind != "b" or len(floats_of) != 2 or len(node.operands) != 2:
        return False
    unit = max(UNITS[operand.dtype.name] for operand in floats_of)
    one, other = np.broadcast_arrays(*[np.asarray(values[operand], dtype=object) for operand in floats_of])
    pairs = zip(one.flat, other.flat, strict=True)
    return any(a != b and abs(a - b) <= _APART * unit * max(abs(a), abs(b)) for a, b in pairs)


def _room(node: Node, value: Any, spread: Any) -> Any:
    return _allowed(node, value) + _EXPLAINED * spread


def _distance(moved: Any, value: Any) -> Any:
    """Return how far entries are apart; booleans by 1."""
    one, other = (np.asarray(array) for array in (moved, value))
    if other.dtype == bool:
        return (one != other).astype(float)
    found = np.abs(floats(one.astype(object) - other.astype(object)))
    return np.where(np.isnan(found), np.inf, found)
