"""What functions of whole arrays can be: pieces, sums and products of entries, matrices."""

import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from symback.check.domain.interval import Interval, Limits, hull, point
from symback.check.domain.operations import divide, negative, plus, square, times
from symback.check.domain.pieces import PIECES
from symback.check.domain.setting import Setting, summed
from symback.nodes.apply import Apply

Intervals = Sequence[Interval]
Rule: TypeAlias = Callable[[Apply, Intervals, Setting, Limits], Interval]

_ZERO, _UNIT = point(0.0), Interval(0.0, 1.0)


def _axes_count(node: Apply, setting: Setting, operand: int = 0) -> tuple[float, float]:
    """Return how many entries an operation over axes takes together."""
    shape, axes = node.operands[operand].shape, node.operation.parameters[0]
    return setting.count(shape[axis] for axis in ((axes,) if isinstance(axes, int) else axes))


def _first(node: Apply, xs: Intervals, setting: Setting, limits: Limits) -> Interval:
    return xs[0]


def _first_or_zero(node: Apply, xs: Intervals, setting: Setting, limits: Limits) -> Interval:
    return xs[0].either(_ZERO)


def _first_two(node: Apply, xs: Intervals, setting: Setting, limits: Limits) -> Interval:
    return xs[0].either(xs[1])


def _any(node: Apply, xs: Intervals, setting: Setting, limits: Limits) -> Interval:
    return hull(xs)


def _all_added(node: Apply, xs: Intervals, setting: Setting, limits: Limits) -> Interval:
    """Sums of any number of entries of the first operand."""
    most = setting.count(node.operands[0].shape)[1]
    return summed(xs[0], (0.0, max(most, 1.0)), limits)


def _running_sum(node: Apply, xs: Intervals, setting: Setting, limits: Limits) -> Interval:
    most = setting.size(node.operands[0].shape[node.operation.parameters[-1]])[1]
    return summed(xs[0], (1.0, max(most, 1.0)), limits)


def _product(node: Apply, xs: Intervals, setting: Setting, limits: Limits) -> Interval:
    """Products of any number of entries, one of none."""
    (x,), most = xs[:1], setting.count(node.operands[0].shape)[1]
    if x.low >= 0 and x.high <= 1 and x.is_finite:
        return Interval(0.0, 1.0)
    exponent = most * math.log(max(x.size, 1.0))
    largest = math.exp(exponent) if exponent < 709 else math.inf
    many = largest > limits.largest or x.up or x.down
    nan = x.nan or (many and x.has_zero) or (many and x.least_size < 1)
    low = -largest if x.low < 0 or x.down else 0.0
    return limits.settle(Interval(low, max(largest, 1.0), nan, many, many and low < 0))


def _differences(node: Apply, xs: Intervals, setting: Setting, limits: Limits) -> Interval:
    found = xs[0]
    for _ in range(min(int(node.operation.parameters[0]), 2000)):
        found = plus(found, negative(found), limits)
    return found


def _variance(node: Apply, xs: Intervals, setting: Setting, limits: Limits) -> Interval:
    (x,), ddof = xs, float(node.operation.parameters[1])
    fewest, most = _axes_count(node, setting)
    infinite = x.up or x.down
    empty = fewest <= ddof or fewest == 0
    sums = x.size * max(most, 1.0) > limits.largest
    spread = plus(x, negative(x), limits) if not x.is_empty else x
    squares = square(spread.finite() if not spread.is_empty else spread, limits)
    over = fewest / (fewest - ddof) if fewest > ddof else max(most, 1.0)
    high = squares.high * over * (1 + 1e-6) + 1e-300
    found = summed(Interval(0.0, max(high, 0.0)), (1.0, 1.0), limits)
    up = squares.up or squares.high * max(most, 1.0) > limits.largest or infinite or sums
    return limits.settle(Interval(0.0, found.high, x.nan or infinite or empty or sums, up or (empty and ddof > 0)))


def _deviation(node: Apply, xs: Intervals, setting: Setting, limits: Limits) -> Interval:
    return PIECES["sqrt"].of(_variance(node, xs, setting, limits), limits)


def _norm(node: Apply, xs: Intervals, setting: Setting, limits: Limits) -> Interval:
    (x,), (fewest, most) = xs, _axes_count(node, setting)
    with np.errstate(all="ignore"):
        largest = float(np.float64(max(most, 1.0)) ** (1 / float(node.operation.parameters[1])) * x.size)
    infinite = x.up or x.down
    low = x.least_size * (1 - 1e-6) if fewest >= 1 and not x.is_empty else 0.0
    return limits.settle(Interval(low, largest * (1 + 1e-6), x.nan or infinite, infinite))


def _logsumexp(node: Apply, xs: Intervals, setting: Setting, limits: Limits) -> Interval:
    (x,), (fewest, most) = xs[:1], _axes_count(node, setting)
    if x.is_empty:
        return Interval(math.inf, -math.inf, x.nan, x.up, x.down or fewest == 0)
    low = x.low + math.log(max(fewest, 1.0)) * (1 - 1e-6) if not x.down else x.low
    high = x.high + math.log(max(most, 1.0))
    slack = 8 * limits.epsilon
    return limits.settle(Interval(low - slack * abs(low), high + slack * abs(high), x.nan, x.up, x.down or fewest == 0))


def _weighted_logsumexp(node: Apply, xs: Intervals, setting: Setting, limits: Limits) -> Interval:
    x, b = xs
    if b.low < 0 or not b.is_finite or not x.is_finite:
        return limits.anything(nan=True, infinite=True)
    positive = PIECES["log"].of(b.within(limits.smallest, math.inf), limits)
    found = plus(_logsumexp(node, [x], setting, limits), positive, limits)
    most = _axes_count(node, setting)[1]
    low = x.low + positive.low
    high = x.high + math.log(max(most, 1.0)) + max(positive.high, 0.0) + 1e-6 * (1 + abs(x.high))
    return limits.settle(
        Interval(
            min(low - 1e-6 * abs(low), found.low),
            max(high, found.high),
            down=b.has_zero or _is_maybe_empty(node, setting),
        )
    )


def _is_maybe_empty(node: Apply, setting: Setting) -> bool:
    return _axes_count(node, setting)[0] == 0


def _softmax(node: Apply, xs: Intervals, setting: Setting, limits: Limits) -> Interval:
    """Between 0 and 1, and no less than that of the least entry among the greatest."""
    x, most = xs[0], _axes_count(node, setting)[1]
    nan = x.nan or x.up or x.down
    if x.is_empty:
        return _UNIT._replace(nan=nan)
    spread = x.high - x.low
    least = math.exp(-spread) / max(most, 1.0) * (1 - 1e-5) if spread < 700 and not x.down and not x.up else 0.0
    return limits.settle(Interval(least if least > 1e-30 else 0.0, 1.0, nan))


def _nonfinite_replaced(node: Apply, xs: Intervals, setting: Setting, limits: Limits) -> Interval:
    (x,), parameters = xs, node.operation.parameters
    ends = [0.0, limits.largest, -limits.largest]
    given = [end if value is None else float(value) for value, end in zip(parameters, ends, strict=False)]
    flags = (x.nan, x.up, x.down)
    parts = [point(value) for value, happens in zip(given, flags, strict=False) if happens]
    return hull([x.finite(), *parts])


def _fraction(node: Apply, xs: Intervals, setting: Setting, limits: Limits) -> Interval:
    return Interval(-1.0 if xs[0].low < 0 else 0.0, 1.0 if xs[0].high > 0 else 0.0, xs[0].nan)


def _rounded(node: Apply, xs: Intervals, setting: Setting, limits: Limits) -> Interval:
    (x,), decimals = xs, node.operation.parameters[0]
    if x.is_empty or limits.kind != "f":
        return x
    unit = 10.0 ** -min(max(decimals, -300), 300)
    low, high = x.low - unit - 1e-6 * abs(x.low), x.high + unit + 1e-6 * abs(x.high)
    up = x.up or (decimals > 0 and x.high / unit > limits.largest) or (decimals > 300)
    down = x.down or (decimals > 0 and x.low / unit < -limits.largest) or (decimals > 300)
    return limits.settle(Interval(low, high, x.nan or abs(decimals) > 300, up, down))


def _converted(node: Apply, xs: Intervals, setting: Setting, limits: Limits) -> Interval:
    (x,), kind = xs, node.operands[0].dtype.kind
    if limits.kind == "b":
        return _UNIT
    if limits.kind != "f" and kind == "f":
        fits = x.is_finite and not x.is_empty and x.size <= limits.largest
        return Interval(float(math.trunc(x.low)), float(math.trunc(x.high))) if fits else limits.anything()
    return limits.settle(x)


def _sums_of_products(node: Apply, xs: Intervals, setting: Setting, limits: Limits) -> Interval:
    most = min(setting.count(operand.shape)[1] for operand in node.operands[:2])
    return summed(times(xs[0], xs[1], limits), (0.0, max(most, 1.0)), limits)


def _cross(node: Apply, xs: Intervals, setting: Setting, limits: Limits) -> Interval:
    product = times(xs[0], xs[1], limits)
    return plus(product, negative(product), limits)


def _kron(node: Apply, xs: Intervals, setting: Setting, limits: Limits) -> Interval:
    return times(xs[0], xs[1], limits)


def _recurrence(node: Apply, xs: Intervals, setting: Setting, limits: Limits) -> Interval:
    """y[k] = b[k] + a[k] y[k - 1]: a geometric series at most."""
    (a, b), axis = xs, node.operation.parameters[0]
    steps = max(setting.size(node.operands[1].shape[axis])[1], 1.0)
    if not (a.is_finite and b.is_finite):
        return limits.anything(nan=True, infinite=True)
    growth = steps * math.log(max(a.size, 1.0))
    most = b.size * steps * (math.exp(growth) if growth < 700 else math.inf) * 2 if b.size else 0.0
    low = 0.0 if a.low >= 0 and b.low >= 0 else -most
    wild = most > limits.largest
    return limits.settle(Interval(low, most, wild, wild, wild and low < 0))


def _bounded_by(factor: Callable[[float], float], low: float) -> Rule:
    """Entries of a size of at most `factor` of the number of rows, times the largest entry."""

    def rule(node: Apply, xs: Intervals, setting: Setting, limits: Limits) -> Interval:
        x, size = xs[0], max(setting.size(end)[1] for end in node.operands[0].shape[-2:])
        with np.errstate(all="ignore"):
            most = x.size * factor(max(size, 1.0))
        wild = most * 2 > limits.largest
        nan = not x.is_finite or wild
        return limits.settle(Interval(low * most, most, nan, wild, wild and low < 0))

    return rule


def _cholesky(node: Apply, xs: Intervals, setting: Setting, limits: Limits) -> Interval:
    """Anything: what is not positive definite raises, which counts as NaN, unless rounding makes it so."""
    infinite = not xs[0].is_finite
    return limits.anything(nan=True, infinite=infinite or setting.is_extreme)


def _determinant(node: Apply, xs: Intervals, setting: Setting, limits: Limits) -> Interval:
    """Hadamard's bound: n**(n/2) times the n-th power of the largest entry."""
    x, size = xs[0], setting.size(node.operands[0].shape[-1])[1]
    exponent = size * (math.log(max(size, 1.0)) / 2 + math.log(max(x.size, 1.0)))
    most = math.exp(exponent) * (1 + 1e-6) if exponent < 700 else math.inf
    wild = most * 4 > limits.largest
    return limits.settle(Interval(-most, most, not x.is_finite or wild, wild, wild))


def _fixed(low: float, high: float) -> Rule:
    """Values between two numbers; NaN where an operand is not finite."""
    return lambda node, xs, setting, limits: Interval(low, high, any(not x.is_finite for x in xs))


def _index(node: Apply, xs: Intervals, setting: Setting, limits: Limits) -> Interval:
    most = setting.count(node.operands[0].shape)[1]
    return Interval(0.0, max(most, 1.0))


def _places(node: Apply, xs: Intervals, setting: Setting, limits: Limits) -> Interval:
    return Interval(0.0, max(setting.count(node.shape)[1], 1.0))


def _shifted(node: Apply, xs: Intervals, setting: Setting, limits: Limits) -> Interval:
    return xs[0].either(_ZERO).either(point(1.0))


def _quantile(node: Apply, xs: Intervals, setting: Setting, limits: Limits) -> Interval:
    """Between neighbours; where one is infinite their difference may be NaN, and where it overflows infinite."""
    (x,) = xs
    infinite = x.up or x.down
    wild = 2 * x.size > limits.largest
    empty = _is_maybe_empty(node, setting)
    return x._replace(nan=x.nan or infinite or wild or empty, up=x.up or wild, down=x.down or wild, gap=0.0)


def _sinc_derivative(node: Apply, xs: Intervals, setting: Setting, limits: Limits) -> Interval:
    most = math.pi ** min(int(node.operation.parameters[0]), 200)
    return limits.settle(Interval(-most, most, xs[0].nan or 4 * xs[0].size > limits.largest))


def _over_gaps(node: Apply, xs: Intervals, setting: Setting, limits: Limits) -> Interval:
    quotient = divide(xs[0], plus(xs[1], negative(xs[1]), limits), limits).either(_ZERO)
    return quotient._replace(nan=True)  # entries that are equal up to rounding


def _unknown(node: Apply, xs: Intervals, setting: Setting, limits: Limits) -> Interval:
    return limits.anything(nan=True, infinite=True)


def _logabsdet(node: Apply, xs: Intervals, setting: Setting, limits: Limits) -> Interval:
    return limits.anything(nan=any(not x.is_finite for x in xs))._replace(down=True)


def _inverse(node: Apply, xs: Intervals, setting: Setting, limits: Limits) -> Interval:
    return limits.anything(nan=True, infinite=True)


RULES: dict[str, Rule] = {
    **dict.fromkeys(
        ("reshape_to", "slice_of", "flip_along", "gather", "max_over", "min_over", "nanmax_over", "nanmin_over",
         "sort_along", "repeat_along", "roll_along", "take_along", "tile_by"), _first),
    **dict.fromkeys(("unslice", "pad_zeros", "diag_at", "tril_at", "triu_at"), _first_or_zero),
    **dict.fromkeys(("set_places", "set_slice", "pad_constant"), _first_two),
    **dict.fromkeys(("concatenate_along", "stack_along"), _any),
    **dict.fromkeys(("scatter_add", "put_along", "unpad", "sum_runs"), _all_added),
    **dict.fromkeys(("prod_over", "product_of_others", "cumprod_along"), _product),
    **dict.fromkeys(("argmax_over", "argmin_over", "argsort_along", "count_nonzero_over"), _index),
    **dict.fromkeys(("one_hot_of", "eye_of", "tri_of", "all_over", "any_over", "written_last"), _fixed(0.0, 1.0)),
    **dict.fromkeys(("det_sign", "eigenvectors", "eigenvectors_upper", "left_vectors", "right_vectors",
                     "orthogonal_factor"), _fixed(-1.00001, 1.00001)),
    **dict.fromkeys(("eigenvalues", "eigenvalues_upper"), _bounded_by(lambda n: 1.001 * n, -1.0)),
    **dict.fromkeys(("inv_of", "inverse_or_inf", "solution"), _inverse),
    "singular_values": _bounded_by(lambda n: 1.001 * n, 0.0),
    "triangular_factor": _bounded_by(lambda n: 1.001 * n, -1.0),
    "cholesky_of": _cholesky,
    "cumsum_along": _running_sum,
    "pad_border": _first,
    "diff_along": _differences,
    "shifted_along": _shifted,
    "quantile_over": _quantile,
    "var_over": _variance,
    "std_over": _deviation,
    "norm_over": _norm,
    "logsumexp_over": _logsumexp,
    "weighted_logsumexp_over": _weighted_logsumexp,
    "softmax_over": _softmax,
    "replace_nonfinite": _nonfinite_replaced,
    "modf_fraction": _fraction,
    "modf_whole": lambda node, xs, setting, limits: PIECES["trunc"].of(xs[0], limits),
    "round_to": _rounded,
    "astype": _converted,
    "convolve_along": _sums_of_products,
    "cross_of": _cross,
    "kron_of": _kron,
    "linear_recurrence": _recurrence,
    "det_of": _determinant,
    **dict.fromkeys(("det_gradient", "log_det", "power_of_matrix"), _unknown),
    "logabsdet": _logabsdet,
    "arange_to": _places,
    "integer_function": lambda node, xs, setting, limits: limits.anything(),
    "sinc_derivative": _sinc_derivative,
    "over_gaps": _over_gaps,
}  # fmt: skip
"""Functions of whole arrays by name of the primitive."""


def of_structural(node: Apply, operands: Intervals, setting: Setting, limits: Limits) -> Interval | None:
    """Bound a function of whole arrays; None if nothing is known of it."""
    rule = RULES.get(node.operation.name)
    return None if rule is None else rule(node, operands, setting, limits)
