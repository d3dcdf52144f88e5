"""Verification: both sides of every equality of a derivation, evaluated at a point in many digits.

What is evaluated is the formula as it is printed. Derivatives on either side come from differences alone
(`symback.derivation.proof.point`), so that a wrong derivative rule is found as surely as a wrong sign.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from symback import errors
from symback.check.reports.report import html_table, text_table
from symback.derivation.proof.apart import NamesApart
from symback.derivation.proof.differences import Array
from symback.derivation.proof.point import Point
from symback.derivation.proof.rounding import Determined
from symback.derivation.proof.sampling import candidates, given_values, missing_variables
from symback.derivation.proof.values import value_of
from symback.errors.derivation import (
    bad_digits,
    bad_seed,
    line_fails,
    not_finite_at,
    nothing_checked,
    other_derivation,
)
from symback.graph import toposort
from symback.latex.meaning import Meaning
from symback.nodes.apply import Named
from symback.nodes.node import Node
from symback.page.blocks import Equation, Formula
from symback.page.unicode import unicode
from symback.page.words import plain

PASSED, FAILED, UNCHECKED = "passed", "FAILED", "not checked"

_UNFIT = (ArithmeticError, ValueError, IndexError, np.linalg.LinAlgError)
LABELLED = "labelled"
"""The operation of a formula in index notation."""

_MOST_SHOWN = 88
_MOST_POINTS = 6
"""How many points may leave as many lines unchecked as the best before them: there is a tie at every point."""
_FEWEST_DIGITS, _MOST_DIGITS = 6, 1000


@dataclass(frozen=True, slots=True)
class Line:
    """One equality of a derivation, and whether it holds.

    Attributes:
        equation: The equation it belongs to.
        left: The formula on the left.
        right: The side that is compared with it, or what an auxiliary name stands for.
        status: ``"passed"``, ``"FAILED"``, or ``"not checked"``.
        residual: The largest difference between entries, in parts of the largest entry; None if there is none.
        reason: Why the line was not checked, or what it fails by besides its residual.
    """

    equation: Equation
    left: Formula
    right: Formula
    status: str
    residual: float | None
    reason: str = ""

    def __str__(self) -> str:
        return unicode(f"{self.left.text} = {self.right.text}")

    @property
    def shown(self) -> str:
        """The residual in a few signs, or the status."""
        if self.residual is None:
            return self.status
        return f"{self.residual:.0e}" if self.residual else "0"


@dataclass(frozen=True, repr=False, eq=False)
class Verification:
    """Every equality of a derivation, checked by numbers; prints as a table.

    Attributes:
        lines: One for each side of each equation, in the order in which they are read.
        digits: To how many digits a line holds that passed.
        at: The values of the variables.
    """

    lines: tuple[Line, ...]
    digits: int
    at: Mapping[str, Any]

    @property
    def passed(self) -> bool:
        """Whether no line fails, and at least one was checked."""
        found = self.count
        return not found[FAILED] and bool(found[PASSED])

    @property
    def count(self) -> Counter[str]:
        """How many lines have each status."""
        return Counter(line.status for line in self.lines)

    @property
    def max_residual(self) -> float:
        """The largest residual of a line that was checked; 0 if there is none."""
        return max((line.residual for line in self.lines if line.residual is not None), default=0.0)

    def raise_if_failed(self) -> None:
        """Raise at the first line that does not hold, or if none could be checked.

        Raises:
            VerificationError: Naming the line, its sides and its residual.
        """
        for line in self.lines:
            if line.status == FAILED:
                raise line_fails(str(line), line.shown, self.digits, line.reason)
        if not self.passed:
            raise nothing_checked(self.lines[0].reason if self.lines else "the derivation has no equation")

    def check_of(self, derivation: Any) -> None:
        """Refuse to be printed beside another derivation.

        Raises:
            InputError: If an equation of the derivation is not among those that were checked.
        """
        if any(id(equation) not in self._by_equation for equation in equations_of(derivation) if equation.sides):
            raise other_derivation()

    def note(self, equations: Iterable[Equation]) -> str:
        """Return what is printed beside equations: their largest residual, and whether some line was not checked."""
        lines = [line for equation in equations for line in self._by_equation.get(id(equation), ())]
        residuals = [line.residual for line in lines if line.residual is not None]
        residual = f"residual {_power(max(residuals))}" if residuals else ""
        unchecked = next((f"not checked: {plain(line.reason)}" for line in lines if line.status == UNCHECKED), "")
        return ", ".join(part for part in (residual, unchecked) if part)

    @cached_property
    def _by_equation(self) -> dict[int, list[Line]]:
        found: dict[int, list[Line]] = {}
        for line in self.lines:
            found.setdefault(id(line.equation), []).append(line)
        return found

    def __str__(self) -> str:
        return f"{text_table(_HEADER, self._cells())}\n{self._verdict()}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return html_table(self._verdict(), _HEADER, self._cells())

    def _verdict(self) -> str:
        found = self.count
        parts = [f"{number} {status}" for status in (PASSED, FAILED, UNCHECKED) if (number := found[status])]
        return f"{len(self.lines)} equalities to {self.digits} digits: {', '.join(parts) or 'none'}"

    def _cells(self) -> list[list[str]]:
        return [
            [_cut(str(line)), "" if line.residual is None else line.shown, line.status, line.reason]
            for line in self.lines
        ]


_OTHER_NAMES = "the differentiated graph does not use the names that the line prints"

_HEADER = ("equality", "residual", "", "")


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_SHOWN else f"{text[: _MOST_SHOWN - 1]}…"


def _power(residual: float) -> str:
    """Write a residual for print."""
    if residual == 0:
        return "$0$"
    number, _, exponent = f"{residual:.0e}".partition("e")
    return rf"${number} \cdot 10^{{{int(exponent)}}}$"


def verify(derivation: Any, at: Any = None, *, digits: int = 30, seed: int = 0, points: int = 1) -> Verification:
    """Evaluate both sides of every equality of a derivation; see `Derivation.verify`."""
    for value, low in ((digits, _FEWEST_DIGITS), (points, 1)):
        if not _is_integer(value) or not low <= value <= _MOST_DIGITS:
            raise bad_digits(digits, points)
    if not _is_integer(seed) or seed < 0:
        raise bad_seed(seed)
    roots = [derivation.loss, *derivation.wrt, *derivation.gradients]
    given = given_values(roots, at, derivation.record.symmetric)
    rng = np.random.default_rng(seed)
    equations = equations_of(derivation)
    found = [_at_one_point(derivation, equations, roots, given, rng, digits) for _ in range(points)]
    return found[0] if points == 1 else _worst(found)


def _is_integer(value: object) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def equations_of(derivation: Any) -> list[Equation]:
    """Return every equation of a derivation, those too that a page states once for several layers."""
    steps = [equation for step in (*derivation.steps, *derivation.second) for equation in step.equations]
    return list({id(equation): equation for equation in [*derivation.forward, *steps]}.values())


def _at_one_point(
    derivation: Any,
    equations: Sequence[Equation],
    roots: Sequence[Node],
    given: Mapping[Node, Any],
    rng: np.random.Generator,
    digits: int,
) -> Verification:
    """Verify at the first point where every line has a value, or where most have."""
    drawn = bool(missing_variables(roots, given))
    best: Verification | None = None
    tried = 0
    refused: errors.InputError | None = None
    for values, sizes in candidates(roots, given, rng, derivation.record.symmetric):
        try:
            point = _point(derivation, values, sizes, digits)
        except errors.InputError as refusal:
            refused = refusal
            continue
        if point is None:
            continue
        lines = tuple(line for equation in equations for line in _lines(equation, point))
        lines = _with_names_apart(lines, derivation, NamesApart(derivation.record, point, values, rng))
        found = Verification(lines, digits, {node.short(): value for node, value in values.items()})
        tried += 1
        if best is None or found.count[UNCHECKED] < best.count[UNCHECKED]:
            best, tried = found, 0
        if not best.count[UNCHECKED] or found.count[FAILED] or tried == _MOST_POINTS:
            break
    if best is None:
        where = "at any of the random points tried" if drawn else "at the given point"
        raise refused or not_finite_at([derivation.loss.short()], where)
    return best


def _point(derivation: Any, values: Mapping[Node, Any], sizes: Any, digits: int) -> Point | None:
    """Return the point, or None if the loss is not finite there."""
    record = derivation.record
    named = [node for node in toposort([record.loss]) if isinstance(node, Named)]
    quantities = [*(q.node for q in record.quantities), *named, *record.wrt]
    adjoints = {q.adjoint: q.node for q in record.quantities}
    try:
        point = Point(record.loss, quantities, adjoints, values, digits, sizes, record.slopes)
        return point if point.is_finite(record.loss) else None
    except errors.SymbackError:
        raise
    except _UNFIT:
        return None


def _lines(equation: Equation, point: Point) -> Iterator[Line]:
    """Compare the sides of an equation with its left side, and auxiliary names with what they stand for."""
    for name, value in equation.where:
        yield _compared(equation, name, value, point)
    for side in equation.sides:
        yield _compared(equation, equation.left, side, point)


def _compared(equation: Equation, left: Formula, right: Formula, point: Point) -> Line:
    def line(status: str, residual: float | None = None, reason: str = "") -> Line:
        return Line(equation, left, right, status, residual, reason)

    if left.meaning is None or right.meaning is None:
        return line(UNCHECKED, reason="there is no way to evaluate this formula")
    try:
        one, other = _values(left.meaning, right.meaning, point)
        if one.shape == other.shape and not _residual(one, other, point) <= point.tolerance:
            _values(left.meaning, right.meaning, Determined(point))  # raises where rounding decides
    except errors.KinkError as kink:
        return line(UNCHECKED, reason=str(kink).removeprefix("verify: "))
    except errors.VerificationError as unfit:
        return line(FAILED, reason=str(unfit).removeprefix("verify: "))
    except errors.SymbackError:
        raise
    except (AssertionError, IndexError):
        return line(FAILED, reason="its indices do not fit the arrays that they are taken of")
    except ArithmeticError:
        return line(UNCHECKED, reason="a side is not finite at this point")
    if one.shape != other.shape:
        return line(FAILED, reason=f"the shapes are {one.shape} and {other.shape}")
    if not (point.finite(one) and point.finite(other)):
        return line(UNCHECKED, reason="a side is not finite at this point")
    residual = _residual(one, other, point)
    return line(PASSED if residual <= point.tolerance else FAILED, float(residual), _convention(left.meaning, point))


def _with_names_apart(lines: tuple[Line, ...], derivation: Any, apart: NamesApart) -> tuple[Line, ...]:
    """Let forward lines fail that hold, but for other uses of names than those of the graph."""
    pairs = zip(derivation.record.forward, derivation.forward, strict=True)
    wrong = {id(equation) for node, equation in pairs if not apart.agrees(node, equation)}
    failing = [id(line.equation) in wrong and line.status == PASSED for line in lines]
    return tuple(
        replace(line, status=FAILED, reason=_OTHER_NAMES) if fails else line
        for line, fails in zip(lines, failing, strict=True)
    )


def _convention(meaning: Meaning, point: Point) -> str:
    """Say where a derivative is what it is by convention: `stop_gradient` returns a constant."""
    nodes = [leaf.data for leaf in _leaves(meaning) if leaf.op == "adjoint"]
    held = [stop.short() for node in nodes for stop in point.conventions(node)]
    return f"by convention: {', '.join(dict.fromkeys(held))} is constant" if held else ""


def _leaves(meaning: Meaning) -> Iterator[Meaning]:
    pending = [meaning]
    while pending:
        current = pending.pop()
        inner = [part for part in current.data if isinstance(part, Meaning)] if isinstance(current.data, tuple) else []
        pending += [*current.parts, *inner]
        if not current.parts and not inner:
            yield current


def _values(left: Meaning, right: Meaning, point: Any) -> list[Array]:
    """Evaluate two sides; in index notation a side has axes of size 1 where it does not depend on an index."""
    found = [point.numbers(value_of(side, point)) for side in (left, right)]
    if left.op == right.op == LABELLED and found[0].ndim == found[1].ndim:
        return list(np.broadcast_arrays(*found))
    return found


def _residual(one: Array, other: Array, point: Point) -> Any:
    """Return the largest difference of entries, in parts of the largest entry."""
    scale = max([*map(abs, one.flat), *map(abs, other.flat), point.context.mpf(10) ** -point.digits])
    apart = (abs(a - b) for a, b in zip(one.flat, other.flat, strict=True))
    return max(apart, default=point.context.mpf(0)) / scale


def _worst(found: Iterable[Verification]) -> Verification:
    """Return of each line the worst of several points."""
    order = (PASSED, UNCHECKED, FAILED)

    def badness(line: Line) -> tuple[int, float]:
        return order.index(line.status), line.residual or 0.0

    found = list(found)
    lines = tuple(max(lines, key=badness) for lines in zip(*(one.lines for one in found), strict=True))
    return replace(found[0], lines=lines)
