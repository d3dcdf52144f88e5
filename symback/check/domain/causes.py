"""For which operands an operation goes wrong, in words: one row for each, with what comes out."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from symback.check.domain.interval import Interval

Case: TypeAlias = tuple[Callable[[Sequence[Interval]], bool], str]
"""When a case can happen, and how it is said, with {0} for the first operand."""


def _zero(position: int = 0) -> Callable[[Sequence[Interval]], bool]:
    return lambda xs: xs[position].has_zero


def _below(number: float, position: int = 0) -> Callable[[Sequence[Interval]], bool]:
    return lambda xs: xs[position].low < number


def _holds(number: float) -> Callable[[Sequence[Interval]], bool]:
    return lambda xs: xs[0].low <= number <= xs[0].high


def _ever(xs: Sequence[Interval]) -> bool:
    return True


def _is_whole(p: Interval) -> bool:
    return p.low == p.high and float(p.low).is_integer()


def _low_power(xs: Sequence[Interval]) -> bool:
    return xs[0].low < 0 and not _is_whole(xs[1])


_LOG: tuple[Case, ...] = ((_zero(), "{0} = 0 gives -inf"), (_below(0), "{0} < 0 gives NaN"))
_ARC: tuple[Case, ...] = ((lambda xs: xs[0].size > 1, "abs({0}) > 1 gives NaN"),)
_UNIT: tuple[Case, ...] = (
    (lambda xs: xs[0].has_zero or xs[0].high >= 1, "{0} = 0 or 1 gives an infinity"),
    (lambda xs: xs[0].low < 0 or xs[0].high > 1, "{0} < 0 or {0} > 1 gives NaN"),
)
_PERIODIC: tuple[Case, ...] = ((lambda xs: xs[0].up or xs[0].down, "an infinite {0} gives NaN"),)
_ROOT: tuple[Case, ...] = ((_below(0), "{0} < 0 gives NaN"),)
_REST: tuple[Case, ...] = ((_zero(1), "{1} = 0 gives NaN"),)
_GAMMA: tuple[Case, ...] = ((_zero(), "{0} = 0 gives an infinity"), (_below(0), "{0} = -1, -2, ... gives NaN"))
_ENTROPY: tuple[Case, ...] = (
    (lambda xs: xs[0].low < 0 or xs[1].low <= 0, "{0} < 0, {1} < 0, or {1} = 0 with {0} > 0, gives inf"),
)
_SINGULAR: tuple[Case, ...] = (
    (_ever, "a singular {0} raises LinAlgError, one close to that gives an infinity or NaN"),
)
_ENDS: Case = (lambda xs: xs[0].size >= 1, "{0} = 1 or -1 gives an infinity")

CASES: dict[str, tuple[Case, ...]] = {
    **dict.fromkeys(("log", "log2", "log10", "log1mexp"), _LOG),
    **dict.fromkeys(("arcsin", "arccos"), _ARC),
    **dict.fromkeys(("logit", "ndtri"), _UNIT),
    **dict.fromkeys(("sin", "cos", "tan", "sinc"), _PERIODIC),
    **dict.fromkeys(("sqrt", "xlogx"), _ROOT),
    **dict.fromkeys(("remainder", "fmod"), _REST),
    **dict.fromkeys(("gamma", "digamma"), _GAMMA),
    **dict.fromkeys(("rel_entr", "kl_div"), _ENTROPY),
    **dict.fromkeys(("inv_of", "solution"), _SINGULAR),
    **dict.fromkeys(("arctanh", "erfinv"), (_ENDS, *_ARC)),
    "entr": ((_below(0), "{0} < 0 gives -inf"),),
    "log1p": ((_holds(-1), "{0} = -1 gives -inf"), (_below(-1), "{0} < -1 gives NaN")),
    "arccosh": ((_below(1), "{0} < 1 gives NaN"),),
    "arcsin_slope": (_ENDS, *_ARC),
    "arctanh_slope": (_ENDS,),
    "bose": ((_zero(), "{0} = 0 gives an infinity"),),
    "divide": (
        (lambda xs: xs[1].has_zero and xs[0].has_zero, "{1} = 0 gives an infinity, or NaN where {0} = 0"),
        (lambda xs: xs[1].has_zero and not xs[0].has_zero, "{1} = 0 gives an infinity"),
        (lambda xs: (xs[0].up or xs[0].down) and (xs[1].up or xs[1].down), "an infinity over another gives NaN"),
    ),
    "floor_divide": ((_zero(1), "{1} = 0 gives an infinity or NaN"),),
    "power": (
        (lambda xs: xs[0].has_zero and xs[1].low < 0, "{0} = 0 with {1} < 0 gives an infinity"),
        (_low_power, "{0} < 0 with {1} no integer gives NaN"),
    ),
    "arctan2_slope": ((lambda xs: xs[0].has_zero and xs[1].has_zero, "{0} = {1} = 0 gives NaN"),),
    "gammaln": ((lambda xs: xs[0].low <= 0, "{0} = 0, -1, -2, ... gives inf"),),
    "loggamma": ((_zero(), "{0} = 0 gives inf"), (_below(0), "{0} < 0 gives NaN")),
    "xlogy": (
        (_zero(1), "{1} = 0 gives an infinity where {0} is not 0"),
        (_below(0, 1), "{1} < 0 gives NaN where {0} is not 0"),
    ),
    "xlog1py": ((lambda xs: xs[1].low <= -1, "{1} = -1 gives an infinity, {1} < -1 NaN, where {0} is not 0"),),
    "xdivy": ((_zero(1), "{1} = 0 gives an infinity where {0} is not 0"),),
    "log_ratio": ((lambda xs: xs[0].low <= 0 or xs[1].low <= 0, "{0} or {1} that is 0 or negative"),),
    "huber_penalty": ((_below(0), "{0} < 0 gives inf"),),
    "softmax_over": (
        (lambda xs: xs[0].down, "{0} = -inf all along the axis gives NaN"),
        (lambda xs: xs[0].up, "{0} = inf gives NaN"),
    ),
    "cholesky_of": ((_ever, "{0} that is not positive definite raises LinAlgError"),),
    "inverse_or_inf": ((_ever, "a singular {0} gives inf"),),
    "logabsdet": ((_ever, "a singular {0} gives -inf"),),
    "log_det": ((_ever, "a singular {0} gives -inf, a negative determinant NaN"),),
    "over_gaps": ((_ever, "two equal entries of {1} (repeated eigenvalues) give NaN or an infinity"),),
    "weighted_logsumexp_over": (
        (_below(0, 1), "a negative sum of weighted exponentials gives NaN"),
        (_zero(1), "{1} = 0 all along the axis gives -inf"),
    ),
}
"""Operations by name of the primitive."""
