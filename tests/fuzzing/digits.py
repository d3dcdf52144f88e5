"""Values in many digits: at a point, with roundings drawn at random, and along a line with its kinks.

Nothing here runs the code under test: graphs are evaluated as they are written, by the oracle in mpmath.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from symback.check.arithmetic import HighPrecision
from symback.check.evaluate import Evaluation
from symback.graph import toposort
from symback.nodes.add import Plus
from symback.nodes.apply import Apply, Named
from symback.nodes.contract import Contract
from symback.nodes.leaves import Exact, Ones
from symback.nodes.node import Node
from symback.op.table import primitive_of

HIGH, HIGHER = HighPrecision(60), HighPrecision(220)
STEPS = {HIGH: HIGH.context.mpf(10) ** -25, HIGHER: HIGHER.context.mpf(10) ** -85}
"""How far differences go: what is neglected is of the order of the square of it, what is rounded of 1e-65 / step."""

Values = Mapping[Node, Any]

UNDEFINED = (ArithmeticError, np.linalg.LinAlgError, ValueError)
"""What mpmath and NumPy raise of a matrix that is singular, or not positive definite."""


class Excluded(Exception):  # noqa: N818 - not an error
    """A comparison that a stated rule excludes; the message is the rule's name."""


_EXPONENTS = {"float32": (-125, 127), "float64": (-1020, 1023)}
UNITS = {"float32": 2.0**-24, "float64": 2.0**-53}
_MATRICES = frozenset({
    "inv_of", "inverse_or_inf", "solution", "cholesky_of", "det_gradient", "det_of", "logabsdet", "log_det",
    "power_of_matrix", "eigenvalues", "eigenvectors", "eigenvalues_upper", "eigenvectors_upper", "singular_values",
    "left_vectors", "right_vectors", "orthogonal_factor", "triangular_factor",
})  # fmt: skip
_ADDING = frozenset({"astype", "diff_along", "cumsum_along", "scatter_add", "sum_runs"})
"""What is linear, and yet rounds."""
_CHOICES = frozenset({
    "max_over", "min_over", "nanmax_over", "nanmin_over", "maximum", "minimum", "fmax", "fmin", "sort_along", "clip",
})  # fmt: skip
CLOSER = 1000
_SMOOTH = 3e5
"""The second difference of a smooth function falls by a million when the step falls by a thousand."""


def numbers(values: Any) -> Iterable[Any]:
    """Return the entries of an array of mpmath numbers, or a weak scalar of that kind."""
    return np.asarray(values, dtype=object).flat


def is_finite(value: Any) -> bool:
    """Is a number of mpmath neither infinite nor NaN?"""
    _, mantissa, exponent, _ = value._mpf_
    return bool(mantissa or not exponent)


def floats(value: Any) -> Any:
    """Return numbers of mpmath as floats; NumPy 2.0 warns where NaN is cast."""
    return np.array([float(entry) for entry in numbers(value)]).reshape(np.shape(value))


def all_finite(arrays: Iterable[Any]) -> bool:
    """Are all entries of all arrays finite?"""
    return all(is_finite(value) for array in arrays for value in numbers(array))


def in_range(node: Node, value: Any) -> bool:
    """Would every entry be a normal number, or zero, in the dtype of the node?"""
    if node.is_weak:
        return True
    if node.dtype.kind != "f":
        bits = np.iinfo(node.dtype) if node.dtype.kind in "iu" else None
        return bits is None or all(bits.min <= entry <= bits.max for entry in numbers(value))
    low, high = _EXPONENTS[node.dtype.name]
    for entry in numbers(value):
        _, mantissa, exponent, bits = entry._mpf_
        if (mantissa and not low < exponent + bits < high) or (not mantissa and exponent):
            return False
    return True


def values_at(point: Values, roots: Sequence[Node], arithmetic: HighPrecision = HIGH) -> dict[Node, Any]:
    """Return the values of all nodes of a graph."""
    try:
        return Evaluation(point, arithmetic).all_of(roots)
    except (*UNDEFINED, TypeError) as error:
        if isinstance(error, TypeError) and "NoneType" not in str(error):
            raise
        raise Excluded("undefined") from None  # mpmath finds no pivot, None, among NaNs


# -- rounding --------------------------------------------------------------------------------------


def rounded_at(
    point: Values, roots: Sequence[Node], rng: np.random.Generator, *, inputs: bool = False
) -> dict[Node, Any]:
    """Evaluate a graph in many digits, each result off by about half a unit of its dtype, up or down at random.

    This is Monte Carlo arithmetic (Parker, "Monte Carlo Arithmetic", 1997): how far the results spread is what
    rounding explains, whatever the code that computes them does in what order. `inputs` rounds variables and entries
    that are only moved too: a function may be right for arguments a unit away, as special functions are beside their
    zeros, and the mean of equal numbers.
    """
    evaluation = Evaluation(point, HIGH)
    order = toposort(roots)
    coarsest = max((UNITS[node.dtype.name] for node in order if node.dtype.kind == "f"), default=0.0)
    values: dict[Node, Any] = {node: HIGH.array(array, node.dtype) for node, array in point.items()}
    values = {node: _rounded(node, array, coarsest, rng) if inputs else array for node, array in values.items()}
    with np.errstate(all="ignore"):
        for node in order:
            if node not in values:
                operands = [_narrowed(node, operand, values[operand], rng) for operand in node.operands]
                try:
                    value = evaluation.value(node, operands, checked=False)
                    if inputs and isinstance(node, Apply) and node.operation.name in _MATRICES:
                        operands = [_shaken(operand, UNITS[node.dtype.name], rng) for operand in operands]
                        moved = evaluation.value(node, operands, checked=False)
                        value = _shaken(moved, 1, rng, largest=_largest([moved - value]))
                except UNDEFINED:
                    raise Excluded("undefined within rounding") from None
                if inputs and isinstance(node, Contract | Plus) and node.dtype.kind == "f" and not node.is_weak:
                    value = _cancelled(node, value, operands, evaluation)
                moves = _chooses(node) or _repeats(node) or (not inputs and _only_moves(node))
                kept = value if node.is_weak else np.asarray(value)
                values[node] = kept if moves else _rounded(node, value, coarsest, rng)
    return values


def _narrowed(node: Node, operand: Node, value: Any, rng: np.random.Generator) -> Any:
    """Take a number now and then as float32, as it is in the code of a node of that dtype."""
    narrow = node.dtype == np.float32 and isinstance(operand, Exact) and rng.random() < 0.5
    return HIGH.context.mpf(float(np.float32(float(value)))) if narrow else value


def _rounded(node: Node, value: Any, coarsest: float, rng: np.random.Generator) -> Any:
    if node.is_weak:
        exact = not isinstance(node, Exact) or float(value).is_integer()
        if not exact and rng.random() < 0.3:  # as it is beside numbers of that dtype
            return HIGH.context.mpf(float(np.float32(float(value)) if coarsest == UNITS["float32"] else value))
        return value if exact else value * (1 + HIGH.context.mpf(coarsest) * int(rng.choice((-1, 1))))
    array = np.asarray(value)
    if node.dtype.kind != "f":
        return array
    factored = [operand for operand in node.operands if isinstance(node, Contract) and operand.dtype.kind == "f"]
    units = [UNITS[part.dtype.name] for part in (node, *factored)]  # factors of float32 are multiplied in float32
    unit = HIGH.context.mpf(max(units))
    factors = np.array([1 + unit * int(sign) for sign in rng.choice((-1, 1), array.size)], dtype=object)
    return np.asarray(array * factors.reshape(array.shape), dtype=object)


def _shaken(array: Any, unit: float, rng: np.random.Generator, largest: Any = None) -> Any:
    """Change all entries by a unit of the largest one: what algorithms for matrices are backward stable to."""
    array = np.asarray(array)
    if largest is None:
        largest = max((abs(value) for value in numbers(array)), default=0)
    signs = rng.choice((-1, 1), array.shape).astype(object)
    return np.asarray(array + signs * largest * HIGH.context.mpf(unit), dtype=object)


def _cancelled(node: Node, value: Any, operands: list[Any], evaluation: Evaluation) -> Any:
    """Leave nothing of a sum below a unit of its largest terms: 1 + 1e-30 - 1 is 0, and is compared as that."""
    pairs = zip(node.operands, operands, strict=True)
    absolute = [abs(value) if operand.is_weak else np.asarray(abs(value)) for operand, value in pairs]
    sizes = evaluation.value(node, absolute, checked=False)
    units = np.abs(np.asarray(sizes, dtype=object)) * HIGH.context.mpf(UNITS[node.dtype.name])
    lost = np.abs(np.asarray(value, dtype=object)) < units
    return np.where(lost, HIGH.context.mpf(0), value)


def _chooses(node: Node) -> bool:
    """Is every entry of the result one of the operands', which it is compared with in the derivative?"""
    return isinstance(node, Apply) and node.operation.name in _CHOICES


def _repeats(node: Node) -> bool:
    """Is it broadcasting alone? What is chosen of an array is compared with it after that."""
    if not isinstance(node, Contract):
        return False
    pairs = zip(node.operands, node.subscripts.inputs, strict=True)
    labels = [labels for operand, labels in pairs if not isinstance(operand, Ones)]
    return len(labels) == 1 and set(labels[0]) <= set(node.subscripts.out)


def _only_moves(node: Node) -> bool:
    """Are the entries of the result those of an operand?"""
    if isinstance(node, Contract):
        return _repeats(node) or (
            len(node.operands) == 1 and len(node.subscripts.inputs[0]) <= len(node.subscripts.out)
        )
    if isinstance(node, Apply):
        return primitive_of(node).linear and node.operation.name not in _ADDING
    return isinstance(node, Named)


# -- along a line ----------------------------------------------------------------------------------


class Kinks(NamedTuple):
    """What is not smooth along a line.

    Attributes:
        count: At how many entries of intermediate results the line meets a kink or a jump that no operand has.
        jumps: Whether a result itself jumps.
        slopes: Of each result the slope behind and the slope ahead.
        where: What the entries belong to.
        ranks: Whether ties are put in order there: the derivative goes to the rank, by convention no subgradient.
        touched: Whether a condition holds, or does not, at the point alone: the line does not go through the kink.
    """

    count: int
    jumps: bool
    slopes: list[tuple[Any, Any]]
    where: str
    ranks: bool
    touched: bool


class Line:
    """Graphs along a line through a point, in many digits; what `stop_gradient` returns stays as it is."""

    def __init__(self, roots: Sequence[Node], point: Values, direction: Mapping[Node, Any]) -> None:
        self.roots = list(roots)
        self.point = point
        self.direction = direction

    def values(self, distance: Any, arithmetic: HighPrecision) -> dict[Node, Any]:
        """Return the values of all nodes at a distance from the point."""
        moved = {x: arithmetic.array(value, x.dtype) for x, value in self.point.items()}
        for x, along in self.direction.items():
            moved[x] = arithmetic.array(moved[x] + distance * along, x.dtype)
        if self.held:
            here = values_at(self.point, self.held, arithmetic)
            moved |= {node: here[node] for node in self.held}
        return values_at(moved, self.roots, arithmetic)

    @cached_property
    def held(self) -> list[Node]:
        """The nodes that stop gradients."""
        return [n for n in toposort(self.roots) if isinstance(n, Apply) and n.operation.name == "stop_gradient"]

    def slopes(self, arithmetic: HighPrecision = HIGH) -> tuple[list[Any], Any]:
        """Return central differences of the results, and the error that rounding and neglected terms can have made."""
        step = STEPS[arithmetic]
        found, noise = self._central(step, arithmetic)
        if arithmetic is HIGHER:  # what is neglected falls with the step, where a second derivative jumps; else faster
            wide = found
            found, noise = self._central(step / CLOSER, arithmetic)
            pairs = [(numbers(one), numbers(other)) for one, other in zip(wide, found, strict=True)]
            changes = [abs(a - b) for one, other in pairs for a, b in zip(one, other, strict=True) if is_finite(a - b)]
            noise += 10 * max(changes, default=0) / CLOSER
        return found, noise

    def _central(self, step: Any, arithmetic: HighPrecision) -> tuple[list[Any], Any]:
        ahead, behind = self.values(step, arithmetic), self.values(-step, arithmetic)
        largest = _largest(ahead[root] for root in (self.roots if arithmetic is HIGH else ahead))
        found = [(np.asarray(ahead[root]) - np.asarray(behind[root])) / (2 * step) for root in self.roots]
        return found, largest * arithmetic.context.mpf(10) ** (8 - arithmetic.context.dps) / step

    def kinks(self) -> Kinks:
        """Find the nodes that are not smooth here: their second difference does not fall as the square of the step."""
        step = STEPS[HIGHER]
        near = [self.values(sign * step / CLOSER, HIGHER) for sign in (-1, 0, 1)]
        far = [self.values(sign * step, HIGHER) for sign in (-1, 0, 1)]
        noise = _largest(near[1].values()) * HIGHER.context.mpf(10) ** -205
        rough: dict[Node, int] = {}
        origins: list[tuple[Node, int]] = []
        for node in toposort(self.roots, stops=self.held):
            number = not_smooth([at[node] for at in near], [at[node] for at in far], node, noise)
            if number:
                rough[node] = number
                if any(operand in rough for operand in node.operands):
                    number = self._own(node, near, far, noise)
                if number:
                    origins.append((node, number))
        slopes, jumps = [], False
        for root in self.roots:
            behind, here, ahead = (np.asarray(at[root]) for at in near)
            slopes.append(((here - behind) * CLOSER / step, (ahead - here) * CLOSER / step))
            wide = np.asarray(far[2][root]) - np.asarray(far[0][root])
            pairs = zip(numbers(ahead - behind), numbers(wide), strict=True)
            jumps = jumps or any(_jumps(close, far_apart, noise) for close, far_apart in pairs)
        where = ", ".join(node.short() for node, _ in origins[:4])
        ranks = any(isinstance(n, Apply) and n.operation.name in ("quantile_over", "sort_along") for n, _ in origins)
        touched = any(_touches([at[node] for at in near], far[0][node], noise) for node, _ in origins)
        return Kinks(sum(number for _, number in origins), jumps, slopes, where, ranks, touched)

    def _own(self, node: Node, near: list[Any], far: list[Any], noise: Any) -> int:
        """Count the entries at which a node is not smooth though its operands went straight on."""
        evaluation = Evaluation(self.point, HIGHER)
        columns = []
        for scale, values in ((1, near), (CLOSER, far)):
            for sign, at in zip((-scale, 0, scale), values, strict=True):
                operands = [
                    at[o]
                    if o.is_weak or o.dtype.kind != "f"
                    else np.asarray(near[1][o] + sign * (near[2][o] - near[0][o]) / 2)
                    for o in node.operands
                ]
                columns.append(evaluation.value(node, operands, checked=False))
        return not_smooth(columns[:3], columns[3:], node, noise)


def _largest(arrays: Iterable[Any]) -> Any:
    """Return the largest size of a finite entry."""
    floats = (np.asarray(array) for array in arrays)
    sizes = (abs(value) for array in floats if array.dtype == object for value in array.flat if is_finite(value))
    return max(sizes, default=HIGHER.context.mpf(0))


def not_smooth(near: list[Any], far: list[Any], node: Node, noise: Any) -> int:
    """Count the entries at which a node is not smooth."""
    columns = zip(*map(numbers, [*near, *far]), strict=True)
    if node.dtype.kind != "f":
        return sum(len({*column}) > 1 for column in columns)
    return sum(_bends(column, noise) for column in columns)


def _touches(near: list[Any], far_behind: Any, noise: Any) -> bool:
    """Is a value the same on both sides, and another one between, however near the sides are?"""
    for column in zip(*map(numbers, near), numbers(far_behind), strict=True):
        behind, here, ahead, further = (HIGHER.context.mpf(value) for value in column)
        gap = abs(here - behind)
        if gap > noise and abs(ahead - behind) < gap / 2 < abs(here - further) < 2 * gap:
            return True
    return False


def _bends(column: Sequence[Any], noise: Any) -> bool:
    if not all(map(is_finite, column)):
        return True
    behind, here, ahead, far_behind, _, far_ahead = column
    close, wide = abs(ahead - 2 * here + behind), abs(far_ahead - 2 * here + far_behind)
    return bool(close > noise and wide < _SMOOTH * close) or _jumps(ahead - behind, far_ahead - far_behind, noise)


def _jumps(close: Any, wide: Any, noise: Any) -> bool:
    """Does a difference stay as it is when the step falls by a thousand?"""
    return not is_finite(close) or bool(abs(close) > noise and abs(wide) < 300 * abs(close))
