"""Scalar functions of one operand as monotone pieces: what they are between two numbers follows from the ends.

Bounds of erfcx are those of M. Abramowitz and I. Stegun, *Handbook of Mathematical Functions* (1964), 7.1.13; of the
digamma function, of H. Alzer, *On some inequalities for the gamma and psi functions* (1997).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import TypeAlias

import numpy as np

from symback.check.domain.interval import NAN, Interval, Limits, hull, point, widened

Scalar: TypeAlias = Callable[[float], float]

_INF = math.inf


@dataclass(frozen=True)
class Pieces:
    """A function that is monotone between neighbouring turns, and not defined outside of its domain.

    Attributes:
        below: The function, or what bounds it from below.
        turns: Where its pieces meet, the ends of its domain first and last.
        above: What bounds it from above, if that is another function.
        outside: What it is outside of the domain.
        least: The least value that code returns; ends are rounded outwards, but not beyond.
        most: The greatest.
        exact: Whether its values are correctly rounded, or without rounding.
        loose: Whether its value here is good to six digits only.
        signed: Whether its infinity at 0 has the sign of the zero.
    """

    below: Scalar
    turns: tuple[float, ...] = (-_INF, _INF)
    above: Scalar | None = None
    outside: Interval = NAN
    least: float = -_INF
    most: float = _INF
    exact: bool = False
    loose: bool = False
    signed: bool = False

    def of(self, x: Interval, limits: Limits) -> Interval:
        """Bound the values at `x`."""
        first, last = self.turns[0], self.turns[-1]
        parts = [point(math.nan)] if x.nan else []
        infinite = [_INF] * x.up + [-_INF] * x.down
        parts += [self._between(end, end, limits) if first <= end <= last else self.outside for end in infinite]
        if not x.is_empty:
            if x.low < first or x.high > last:
                parts.append(self.outside)
            for low, high in zip(self.turns, self.turns[1:], strict=False):
                low, high = max(low, x.low), min(high, x.high)
                if low <= high:
                    parts += [self._between(a, b, limits) for a, b in _around_zero(low, high, x.gap)]
        found = limits.settle(hull(parts))
        return found._replace(up=True, down=True) if self.signed and x.has_zero and not x.is_empty else found

    def _between(self, low: float, high: float, limits: Limits) -> Interval:
        """Bound the values on one monotone piece."""
        ends = {low: math.inf, high: -math.inf} if low < high else {low: math.inf}
        found = [self._at(end, towards, limits) for end, towards in ends.items()]
        if any(part.nan for part in found):
            return NAN if low == high else limits.anything(nan=True, infinite=True)
        least, most = min(part.low for part in found), max(part.high for part in found)
        up, down = any(part.up for part in found), any(part.down for part in found)
        if least > most:
            return Interval(least, most, up=up, down=down)
        room = 1 if self.above is None else 1 + 1e-5
        up, down = up or most * room > limits.largest, down or least * room < -limits.largest
        least = max(widened(self._loosened(least, -1), limits, self.exact, False), self.least, -limits.largest)
        most = min(widened(self._loosened(most, 1), limits, self.exact, True), self.most, limits.largest)
        return Interval(min(least, self.most), max(most, self.least), up=up, down=down)

    def _loosened(self, end: float, sign: int) -> float:
        return end + sign * (1e-6 * abs(end) + 1e-15) if self.loose else end

    def _at(self, end: float, towards: float, limits: Limits) -> Interval:
        """Return the value at an end: at a pole beside its infinity the value of the number next to it."""
        with np.errstate(all="ignore"):
            low, high = _value(self.below, end), _value(self.above or self.below, end)
        if low != low or high != high:
            return NAN
        flags = {"up": high == _INF, "down": low == -_INF}
        if math.isfinite(low) and math.isfinite(high):
            return Interval(low, high)
        if math.isinf(end):
            return Interval(_INF, -_INF, **flags)
        beside = math.copysign(limits.smallest, towards) if end == 0 else float(np.nextafter(end, towards))
        with np.errstate(all="ignore"):
            low, high = _value(self.below, beside), _value(self.above or self.below, beside)
        most = limits.largest
        return Interval(min(max(low, -most), most), max(min(high, most), -most), **flags)


def _around_zero(low: float, high: float, gap: float) -> list[tuple[float, float]]:
    """Cut what lies within a gap around 0 out of an interval."""
    if not gap or low > gap or high < -gap:
        return [(low, high)]
    return [(a, b) for a, b in ((low, min(high, -gap)), (max(low, gap), high)) if a <= b]


def _value(function: Scalar, x: float) -> float:
    """Return a value; what Python refuses is infinite, by a pole or an overflow."""
    try:
        return float(function(x))
    except OverflowError:
        return _INF
    except ValueError:
        return math.nan


# -- functions that Python and NumPy lack ------------------------------------------------------------------


def _erfcx_from(constant: float) -> Scalar:
    """Bound exp(x**2) erfc(x): by 2 / (sqrt(pi) (x + sqrt(x**2 + c))) where x >= 0."""

    def bound(x: float) -> float:
        if x >= 0:
            return 2 / (math.sqrt(math.pi) * (x + math.hypot(x, math.sqrt(constant))))
        square = x * x
        return (math.exp(square) if square < 709 else _INF) * (1.0 if constant == 2 else 2.0)

    return bound


_erfcx_low, _erfcx_high = _erfcx_from(2), _erfcx_from(4 / math.pi)


def _log_ndtr_from(erfcx: Scalar) -> Scalar:
    def bound(x: float) -> float:
        if x > -1:
            return math.log(math.erfc(-x / math.sqrt(2)) / 2) if x < 5 else -math.erfc(x / math.sqrt(2)) / 2
        scaled = erfcx(-x / math.sqrt(2))
        return -x * x / 2 + math.log(scaled / 2) if scaled else -_INF

    return bound


_log_ndtr_low, _log_ndtr_high = _log_ndtr_from(_erfcx_low), _log_ndtr_from(_erfcx_high)
_ROOT = math.sqrt(2)
_MILLS = math.sqrt(2 / math.pi)


def _ndtri(p: float) -> float:
    return -_INF if p == 0 else _INF if p == 1 else NormalDist().inv_cdf(p)


def _lgamma(x: float) -> float:
    return _INF if x < 5.57e-309 else math.lgamma(x)  # SciPy takes what 1 / x overflows for 0


def _xlogx(x: float) -> float:
    return x * float(np.log(x)) if x else 0.0


def _sigmoid(x: float) -> float:
    e = float(np.exp(-abs(x)))
    return 1 / (1 + e) if x > 0 else e / (1 + e)


_NONNEGATIVE = (0.0, _INF)
_UNIT = (-1.0, 1.0)
_EVEN = (-_INF, 0.0, _INF)
_LEAST_GAMMA = 1.4616321449683623
_EVERYTHING = Interval(-1.7e308, 1.7e308, nan=True, up=True, down=True)

PIECES: dict[str, Pieces] = {
    **dict.fromkeys(("abs", "fabs"), Pieces(abs, _EVEN, exact=True)),
    **{name: Pieces(getattr(np, name), exact=True) for name in ("ceil", "floor", "rint", "trunc", "sign")},
    **{name: Pieces(getattr(np, name)) for name in ("cbrt", "deg2rad", "rad2deg", "arcsinh", "sinh", "arctan")},
    **{name: Pieces(getattr(np, name), _NONNEGATIVE) for name in ("log", "log2", "log10")},
    **{name: Pieces(getattr(np, name), _UNIT) for name in ("arccos", "arcsin", "arctanh")},
    **{name: Pieces(getattr(np, name), least=0.0) for name in ("exp", "exp2")},
    "expm1": Pieces(np.expm1, least=-1.0),
    "log1p": Pieces(np.log1p, (-1.0, _INF)),
    "sqrt": Pieces(np.sqrt, _NONNEGATIVE, exact=True),
    "arccosh": Pieces(np.arccosh, (1.0, _INF), least=0.0),
    "cosh": Pieces(np.cosh, _EVEN, least=1.0),
    "tanh": Pieces(np.tanh, least=-1.0, most=1.0),
    "sigmoid": Pieces(_sigmoid, least=0.0, most=1.0),
    "sigmoid_slope": Pieces(lambda x: _sigmoid(x) * _sigmoid(-x), _EVEN, least=0.0),
    "bernoulli_variance": Pieces(lambda x: x * (1 - x), (-_INF, 0.5, _INF)),
    "relu": Pieces(lambda x: max(x, 0.0), exact=True),
    "softplus": Pieces(lambda x: max(x, 0.0) + math.log1p(math.exp(-abs(x))), least=0.0),
    "softsign": Pieces(lambda x: x / (1 + abs(x)) if math.isfinite(x) else math.nan, least=-1.0, most=1.0),
    "elu_1": Pieces(lambda x: x if x > 0 else float(np.expm1(x)), least=-1.0),
    "log1mexp": Pieces(lambda x: float(np.log(-np.expm1(-x))), _NONNEGATIVE, most=0.0),
    "xlogx": Pieces(_xlogx, (0.0, math.exp(-1), _INF)),
    "entr": Pieces(lambda x: -_xlogx(x), (0.0, math.exp(-1), _INF), outside=point(-_INF)),
    "logit": Pieces(lambda p: float(np.log(np.float64(p)) - np.log1p(-np.float64(p))), (0.0, 1.0), loose=True),
    "arcsin_slope": Pieces(lambda x: float(1 / np.sqrt(np.float64((1 - x) * (1 + x)))), (-1.0, 0.0, 1.0)),
    "erf": Pieces(math.erf, least=-1.0, most=1.0),
    "erfc": Pieces(math.erfc, least=0.0, most=2.0),
    "ndtr": Pieces(lambda x: math.erfc(-x / _ROOT) / 2, least=0.0, most=1.0),
    "erfcx": Pieces(_erfcx_low, above=_erfcx_high, least=0.0),
    "inverse_erfcx": Pieces(
        lambda x: float(1 / np.float64(_erfcx_high(x))), above=lambda x: float(1 / np.float64(_erfcx_low(x))), least=0.0
    ),
    "inverse_mills": Pieces(
        lambda x: float(_MILLS / np.float64(_erfcx_high(-x / _ROOT))),
        above=lambda x: float(_MILLS / np.float64(_erfcx_low(-x / _ROOT))), least=0.0,
    ),
    "log_ndtr": Pieces(_log_ndtr_low, above=_log_ndtr_high, most=0.0, loose=True),
    "log_erfc": Pieces(
        lambda x: _log_ndtr_low(-x * _ROOT) + math.log(2), above=lambda x: _log_ndtr_high(-x * _ROOT) + math.log(2),
        loose=True,
    ),
    "ndtri": Pieces(_ndtri, (0.0, 1.0), loose=True),
    "erfinv": Pieces(lambda x: _ndtri((1 + x) / 2) / _ROOT, _UNIT, loose=True),
    "erfcinv": Pieces(lambda x: -_ndtri(x / 2) / _ROOT, (0.0, 2.0), loose=True),
    "i0": Pieces(lambda x: float(np.i0(x)), _EVEN, least=1.0),
    "i0e": Pieces(lambda x: 0.0, _EVEN, above=lambda x: 1.0),
    "i1": Pieces(lambda x: 0.0 if x >= 0 else -float(np.i0(x)), above=lambda x: float(np.i0(x)) if x > 0 else 0.0),
    "i1e": Pieces(lambda x: 0.0 if x >= 0 else -0.22, above=lambda x: 0.22 if x > 0 else 0.0),
    "gamma": Pieces(
        lambda x: _INF if x == 0 else math.gamma(x), (0.0, _LEAST_GAMMA, _INF), outside=_EVERYTHING, least=0.88,
        signed=True,
    ),
    "gammaln": Pieces(_lgamma, (0.0, _LEAST_GAMMA, _INF), outside=_EVERYTHING._replace(nan=False), least=-0.13,
                     loose=True),
    "loggamma": Pieces(_lgamma, (0.0, _LEAST_GAMMA, _INF), least=-0.13, loose=True),
    "digamma": Pieces(
        lambda x: float(np.log(x) - 1 / np.float64(x)), (0.0, _INF),
        above=lambda x: float(np.log(x) - 1 / (2 * np.float64(x))), outside=_EVERYTHING, signed=True,
        loose=True,
    ),
}  # fmt: skip
"""Functions by name of the primitive."""
