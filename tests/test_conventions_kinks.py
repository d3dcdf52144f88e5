"""Conventions, sections 1 to 3: kinks and powers, NaN that must not leak, exponentials of large numbers."""

import mpmath
import numpy as np
import pytest

import symback as sb
from conventions import INF, NAN, Either, Row, check, convention, row, same

mp = mpmath.mp.clone()
mp.dps = 40

# -- 1. kinks and powers -------------------------------------------------------------------------------

KINKS = [
    row("1", "sqrt at 0", sb.sqrt, 0, value=0, gradient=INF, second=-INF),
    row("3", "0*sqrt(x) at 0", lambda x: 0 * sb.sqrt(x), 0, value=0, gradient=0),
    row("4", "abs at 0", sb.abs, 0, value=0, gradient=0, second=0),
    row("4", "abs at -0.0", sb.abs, -0.0, value=0, gradient=0, second=0),
    row("5", "sign at 0", lambda x: sb.sign(x) + 0 * x, 0, value=0, gradient=0, second=0),
    row("6", "relu at 0", lambda x: sb.relu(x), 0, value=0, gradient=0, second=0),
    row("7", "maximum(x, 0) at 0", lambda x: sb.maximum(x, 0), 0, value=0, gradient=0.5),
    row("7", "minimum(x, 0) at 0", lambda x: sb.minimum(x, 0), 0, value=0, gradient=0.5),
    row("7", "softplus by max and log1p at 0: the rule", lambda x: sb.maximum(x, 0) + sb.log1p(sb.exp(-sb.abs(x))), 0,
        value=float(mp.log(2)), gradient=0.5),
    row("8", "maximum at a tie", lambda x, y: sb.maximum(x, y), 1, 1, value=1, gradient=[0.5, 0.5]),
    row("8", "minimum at a tie", lambda x, y: sb.minimum(x, y), 1, 1, value=1, gradient=[0.5, 0.5]),
    row("8", "fmax at a tie", lambda x, y: sb.fmax(x, y), 1, 1, value=1, gradient=[0.5, 0.5]),
    row("9", "clip(x, 0, 1) at 0", lambda x: sb.clip(x, 0, 1), 0, value=0, gradient=0.5),
    row("9", "clip(x, 0, 1) at 1", lambda x: sb.clip(x, 0, 1), 1, value=1, gradient=0.5),
    row("9", "clip adds up to 1", lambda x, a: sb.clip(x, a, 9), 0, 0, value=0, gradient=[0.5, 0.5]),
    row("10", "max of [1, 3, 3, 2]", lambda x: sb.max(x), [1, 3, 3, 2], value=3, gradient=[0, 0.5, 0.5, 0],
        hessian=np.zeros((4, 4))),
    row("10", "max over an axis", lambda x: sb.max(x, axis=0), [[1], [3], [3], [2]], value=[3],
        gradient=[[0], [0.5], [0.5], [0]]),
    row("11", "max with a NaN", lambda x: sb.max(x), [1, NAN, 2], value=NAN, gradient=[NAN, NAN, NAN]),
    row("11", "min with a NaN", lambda x: sb.min(x), [1, NAN, 2], value=NAN, gradient=[NAN, NAN, NAN]),
    row("12", "sort with ties", lambda x: sb.sort(x) * [1.0, 10.0, 100.0], [2, 1, 1], value=[1, 10, 200],
        gradient=[100, 1, 10]),
    row("13", "x**2", lambda x: x**2, [0, -2], value=[0, 4], gradient=[0, -4], second=[2, 2]),
    row("13", "x**3", lambda x: x**3, [0, -2], value=[0, -8], gradient=[0, 12], second=[0, -12]),
    row("14", "x**1.0 at 0", lambda x: x**1.0, 0, value=0, gradient=1, second=0),
    row("14", "x**p at 0 for p = 1", lambda x: x ** sb.constant(1.0), 0, value=0, gradient=1, second=0),
    row("15", "x**0.0 at 0", lambda x: x**0.0 + 0 * x, 0, value=1, gradient=0, second=0),
    row("15", "x**p at 0 for p = 0", lambda x: x ** sb.constant(0.0), 0, value=1, gradient=0, second=0),
    row("16", "x**2.5 at -2", lambda x: x**2.5, -2, value=NAN, gradient=NAN, second=NAN),
    row("17", "0**y", lambda y: sb.power(0.0, y), [2, 1, 0], value=[0, 0, 1], gradient=[0, 0, 0]),
    row("17", "x**y at x = 0", lambda x, y: sb.power(x, y), [0, 0, 0], [2, 1, 0], value=[0, 0, 1],
        gradient=[None, [0, 0, 0]]),
    row("17", "0**y at -1", lambda y: sb.power(0.0, y), -1, gradient=NAN),
    row("18", "(-2)**y", lambda y: sb.power(-2.0, y), [2, 3], value=[4, -8], gradient=[NAN, NAN]),
    row("20", "x**x at 0", lambda x: x**x, 0, value=1, gradient=-INF),
    row("21", "x/x at 0", lambda x: x / x, 0, value=NAN, gradient=NAN),
    row("22", "1/x at 0", lambda x: 1 / x, 0, value=INF, gradient=-INF),
    row("22", "reciprocal at 0", lambda x: sb.reciprocal(x), 0, value=INF, gradient=-INF),
    row("23", "mod(5, y) at 3", lambda y: sb.mod(5.0, y), 3, value=2, gradient=-1),
    row("23", "5 % y at 3", lambda y: 5.0 % y, 3, value=2, gradient=-1),
    row("24", "heaviside(x, 0.5) at 0", lambda x: sb.heaviside(x, 0.5) + 0 * x, 0, value=0.5, gradient=0),
]  # fmt: skip


@convention("19")
def test_19_both_orders_of_a_mixed_derivative_of_a_power_agree() -> None:
    x, y = sb.tensor("x", ()), sb.tensor("y", ())
    hessian = sb.hessian(x**y, [x, y])
    (_, xy), (yx, _) = sb.lambdify([x, y], hessian)(23.0, 0.0)
    assert same(xy, 1 / 23)
    assert same(yx, 1 / 23)


# -- 2. NaN that must not leak -----------------------------------------------------------------------------

LEAKS = [
    row("25", "where(x > 0, log(x), 0) at 0", lambda x: sb.where(x > 0, sb.log(x), 0), 0, value=0, gradient=0,
        second=0, signals=True),
    row("26", "where(x > 0, log(x), 0) at -1", lambda x: sb.where(x > 0, sb.log(x), 0), -1, value=0, gradient=0,
        second=0, signals=True),
    row("27", "where(x > 0, sqrt(x), 0) at 0", lambda x: sb.where(x > 0, sb.sqrt(x), 0), 0, value=0, gradient=0,
        second=0, signals=True),
    row("28", "where(x != 0, sin(x)/x, 1) at 0", lambda x: sb.where(sb.not_equal(x, 0), sb.sin(x) / x, 1), 0, value=1,
        gradient=0, second=0, signals=True),
    row("29", "where(x < 1, exp(x), x) at 1000", lambda x: sb.where(x < 1, sb.exp(x), x), 1000, value=1000, gradient=1,
        second=0, signals=True),
    row("30", "double where", lambda x: sb.where(x > 0, sb.log(sb.where(x > 0, x, 1)), 0), 0, value=0, gradient=0,
        second=0),
    row("31", "sqrt([[a, 0*a]])[0, 0] at 1", lambda a: sb.sqrt(sb.stack([sb.stack([a, 0 * a])]))[0, 0], 1, value=1,
        gradient=0.5, second=-0.25, signals=True),
    row("32", "norm at 0", lambda x: sb.linalg.norm(x), [0, 0, 0], value=0, gradient=[0, 0, 0]),
    row("33", "norm squared at 0", lambda x: sb.linalg.norm(x) ** 2, [0, 0, 0], value=0, gradient=[0, 0, 0],
        hessian=2 * np.eye(3)),
    row("34", "std of a constant", lambda x: sb.std(x), [2, 2, 2], value=0, gradient=[0, 0, 0]),
    row("35", "nansum(x**2) with a NaN", lambda x: sb.nansum(x**2), [1, NAN, 2], value=5, gradient=[2, 0, 4]),
    row("36", "x / norm(x) at 0", lambda x: x / sb.linalg.norm(x), [0, 0, 0],
        value=[NAN] * 3, gradient=[NAN] * 3),
    row("37", "select of a branch not taken", lambda x, b: sb.select([sb.zeros_like(x) > 0], [b * x], 1), NAN, 2,
        value=1, gradient=[0, 0]),
]  # fmt: skip


# -- 3. exponentials at large arguments ----------------------------------------------------------------------

SOFTMAX = np.array([float(mp.exp(v) / (2 + mp.exp(-1))) for v in (0, 0, -1)])
ROOT_HALF = float(mp.sqrt(mp.mpf(1) / 2))
AT_40, AT_M40 = float(1 / (1 + mp.exp(-40))), float(1 / (1 + mp.exp(40)))
SILU_2 = float(mp.diff(lambda x: x / (1 + mp.exp(-x)), mp.mpf(40.41), 2))
SLOPE_40 = float(mp.exp(-40) / (1 + mp.exp(-40)) ** 2)
HYPOT_2 = float(mp.sqrt(2) / 4)

EXPONENTIALS = [
    row("38", "logsumexp of [1000, 1000, 999]", lambda x: sb.logsumexp(x), [1000, 1000, 999],
        value=float(1000 + mp.log(2 + mp.exp(-1))), gradient=SOFTMAX,
        hessian=np.diag(SOFTMAX) - np.outer(SOFTMAX, SOFTMAX)),
    row("40", "logsumexp of [-inf, -inf]", lambda x: sb.logsumexp(x), [-INF, -INF], value=-INF, gradient=[NAN, NAN]),
    row("41", "logsumexp of [-inf, 0]", lambda x: sb.logsumexp(x), [-INF, 0], value=0, gradient=[0, 1],
        hessian=np.zeros((2, 2))),
    row("42", "logsumexp of [inf, 0]", lambda x: sb.logsumexp(x), [INF, 0], value=INF, gradient=[NAN, NAN]),
    row("43", "logaddexp(x, x) at 1000", lambda x: sb.logaddexp(x, x), 1000, value=float(1000 + mp.log(2)), gradient=1,
        second=0),
    row("44", "softmax of [1000, 0, -1000]", lambda x: sb.softmax(x)[0], [1000, 0, -1000], value=1,
        gradient=[0, 0, 0]),
    row("44", "log_softmax of [1000, 0, -1000]", lambda x: sb.special.log_softmax(x)[1], [1000, 0, -1000], value=-1000,
        gradient=[-1, 1, 0], hessian=np.zeros((3, 3))),
    row("46", "softplus", lambda x: sb.softplus(x), [1000, 40, -40, -1000], value=[1000, 40, float(mp.exp(-40)), 0],
        gradient=[1, AT_40, AT_M40, 0], second=[0, 0, AT_M40, 0]),
    row("48", "sigmoid", lambda x: sb.sigmoid(x), [1000, -1000], value=[1, 0], gradient=[0, 0], second=[0, 0]),
    row("49", "sigmoid far out", lambda x: sb.sigmoid(x), 40, gradient=0),
    row("51", "tanh far out", lambda x: sb.tanh(x), 20, gradient=0),
    row("54", "log1p of 1e-18", sb.log1p, 1e-18, value=1e-18, gradient=1),
    row("54", "expm1 of 1e-18", sb.expm1, 1e-18, value=1e-18, gradient=1),
    row("56", "arcsinh at 1e200", lambda x: sb.arcsinh(x), 1e200, value=float(mp.asinh(mp.mpf(1e200))),
        gradient=1e-200),
    row("57", "norm of [1e200, 1e200]", lambda x: sb.linalg.norm(x), [1e200, 1e200], value=float(mp.sqrt(2) * 1e200),
        gradient=[ROOT_HALF, ROOT_HALF]),
    row("58", "hypot of large numbers", lambda x, y: sb.hypot(x, y), 1e200, 1e200, value=float(mp.sqrt(2) * 1e200),
        gradient=[ROOT_HALF, ROOT_HALF], second=[0, 0]),
    row("58", "hypot of small numbers", lambda x, y: sb.hypot(x, y), 1e-200, 1e-200, value=float(mp.sqrt(2) * 1e-200),
        gradient=[ROOT_HALF, ROOT_HALF]),
    row("58", "hypot of small numbers: Hessian", lambda x: sb.hypot(x[0], x[1]), [1e-200, 1e-200],
        hessian=HYPOT_2 * np.array([[1e200, -1e200], [-1e200, 1e200]])),
    row("59", "silu'' far out", lambda x: sb.silu(x), 40.41, second=Either((0.0, SILU_2))),
    row("2", "sqrt(x**2) at 0", lambda x: sb.sqrt(x**2), 0, value=0, gradient=0, second=0, naive=True),
    row("39", "log(sum(exp(x))) of [1000, 1000, 999]", lambda x: sb.log(sb.sum(sb.exp(x))), [1000, 1000, 999],
        value=float(1000 + mp.log(2 + mp.exp(-1))), gradient=SOFTMAX,
        hessian=np.diag(SOFTMAX) - np.outer(SOFTMAX, SOFTMAX), naive=True),
    row("45", "log(softmax(x))", lambda x: sb.log(sb.softmax(x))[1], [1000, 0, -1000], value=-1000,
        gradient=[-1, 1, 0], hessian=np.zeros((3, 3)), naive=True),
    row("45", "log(exp(x)/sum(exp(x)))", lambda x: sb.log(sb.exp(x) / sb.sum(sb.exp(x)))[1], [1000, 0, -1000],
        value=-1000, gradient=[-1, 1, 0], hessian=np.zeros((3, 3)), naive=True),
    row("47", "log1p(exp(x)) at 1000", lambda x: sb.log1p(sb.exp(x)), 1000, value=1000, gradient=1, second=0,
        naive=True),
    row("50", "1/(1 + exp(-x)) at -1000", lambda x: 1 / (1 + sb.exp(-x)), -1000, value=0, gradient=0, second=0,
        naive=True),
    row("52", "log(1 - sigmoid(x)) at 40", lambda x: sb.log(1 - sb.sigmoid(x)), 40, value=-40, gradient=-1,
        second=Either((0.0, -SLOPE_40)), naive=True),
    row("53", "log(erfc(x)) at 30", lambda x: sb.log(sb.special.erfc(x)), 30, value=float(mp.log(mp.erfc(30))),
        gradient=float(mp.diff(lambda x: mp.log(mp.erfc(x)), 30)),
        second=float(mp.diff(lambda x: mp.log(mp.erfc(x)), 30, 2)), naive=True),
    row("55", "log(1 + x) at 1e-18", lambda x: sb.log(1 + x), 1e-18, value=1e-18, gradient=1, second=-1, naive=True),
    row("55", "exp(x) - 1 at 1e-18", lambda x: sb.exp(x) - 1, 1e-18, value=1e-18, gradient=1, second=1, naive=True),
    row("49", "sigmoid far out, relative", lambda x: sb.sigmoid(x), 40, gradient=SLOPE_40, second=-SLOPE_40, naive=True,
        tails="relative"),
    row("51", "tanh far out, relative", lambda x: sb.tanh(x), 20, gradient=float(mp.sech(20) ** 2), naive=True,
        tails="relative"),
    row("59", "silu'' far out, relative", lambda x: sb.silu(x), 40.41, second=SILU_2, naive=True, tails="relative"),
    row("60", "exp(-740)", sb.exp, -740, value=4.2e-322, gradient=4.2e-322),
]  # fmt: skip


@pytest.mark.parametrize("found", [*KINKS, *LEAKS, *EXPONENTIALS], ids=str)
def test_row(found: Row) -> None:
    check(found)


UPSTREAM = [
    row("U1", "the slope of cosh is sinh", sb.cosh, 1, gradient=float(mp.sinh(1))),
    row("U3", "sum(x**arange(3)) at 0", lambda x: x ** np.arange(3), 0, gradient=1, second=2),
    row("U3", "sum(x**arange(3.0)) at 0", lambda x: x ** np.arange(3.0), 0, gradient=1, second=2),
    row("U7", "arcsinh in float32 at 1e30", lambda x: sb.arcsinh(x), np.float32(1e30), gradient=np.float32(1e-30)),
    row("U8", "hypot at |x| = |y|", lambda x, y: sb.hypot(x, y), 3, -3, gradient=[ROOT_HALF, -ROOT_HALF]),
    row("U9", "logaddexp at equality", lambda x, y: sb.logaddexp(x, y), 1, 1, gradient=[0.5, 0.5]),
    row("U24", "max of equal entries", lambda x: sb.max(x), [2, 2, 2, 2], gradient=[0.25] * 4),
    row("U25", "forward mode through a branch", lambda x: sb.where(x > 0, sb.sqrt(x), x * x), -1, gradient=-2,
        second=2, signals=True),
    row("U28", "third power at 0, by a float exponent", lambda x: x**3.0, 0, gradient=0, second=0),
    row("U36", "log(x/2) at 2", lambda x: sb.log(x / 2), 2, value=0, gradient=0.5),
    row("U36", "9.0*x", lambda x: 9.0 * x, 0.1, value=0.9, gradient=9),
    row("U36", "reciprocal of a float32", lambda x: 1 / x, np.float32(3), value=np.float32(1) / np.float32(3)),
]  # fmt: skip


@pytest.mark.parametrize("found", UPSTREAM, ids=str)
def test_upstream(found: Row) -> None:
    check(found)
