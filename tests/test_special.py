"""Special functions at awkward points: against mpmath, at zeros, poles and ends of domains, and without SciPy."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
from scipy import special

import symback as sb

INF, NAN = float("inf"), float("nan")

mp = mpmath.MPContext()
mp.dps = 60


def orders(function: Callable[..., Any], *at: float, count: int = 3) -> list[Any]:
    """Return value, derivative, … by the first operand at a point, of emitted code."""
    x = sb.tensor("x", ())
    nodes = [function(x, *at[1:])]
    for _ in range(count - 1):
        nodes.append(sb.grad(nodes[-1], x, disconnected="zero"))
    with np.errstate(all="ignore"):
        return [float(value) for value in sb.lambdify([x], nodes)(at[0])]


# -- values and derivatives of orders 1 and 2 against mpmath -------------------------------------------------


def two_logs(x: Any, y: Any) -> Any:
    return x * mp.log(x / y)


AWKWARD = [
    ("erf", lambda x: mp.erf(x), [1e-300, 0.0, -3.0, 6.0]),
    ("erfc", lambda x: mp.erfc(x), [-5.0, 10.0, 25.0]),
    ("erfcx", lambda x: mp.exp(x * x) * mp.erfc(x), [-4.0, 0.0, 1.3, 1.5, 30.0, 1e3, 1e5]),
    ("erfinv", lambda x: mp.erfinv(x), [1e-200, 0.0, -0.99, 0.999999]),
    ("ndtr", lambda x: mp.ncdf(x), [-20.0, 0.0, 5.0]),
    ("log_ndtr", lambda x: mp.log(mp.ncdf(x)), [-1e5, -1000.0, -30.0, -2.01, -1.99, 0.0, 6.0, 8.0]),
    ("ndtri", lambda p: mp.sqrt(2) * mp.erfinv(2 * p - 1), [1e-4, 0.3, 0.999]),
    ("gamma", lambda x: mp.gamma(x), [1e-3, 0.5, 20.0, 170.0, -0.5, -3.7]),
    ("gammaln", lambda x: mp.log(abs(mp.gamma(x))), [1e-300, 0.5, 1e6, 1e300, -0.5]),
    ("digamma", lambda x: mp.digamma(x), [1e-5, 0.5, 1e8, -0.3]),
    ("i0", lambda x: mp.besseli(0, x), [1e-300, 1e-5, 8.0, 500.0]),
    ("i1", lambda x: mp.besseli(1, x), [1e-300, 1e-5, 8.0, -500.0]),
    ("i0e", lambda x: mp.exp(-abs(x)) * mp.besseli(0, x), [1e-5, 1.0, 1e3, -1e3, 1e5]),
    ("i1e", lambda x: mp.exp(-abs(x)) * mp.besseli(1, x), [1e-5, 1.0, 1e3, -1e3, 1e5]),
    ("j0", lambda x: mp.besselj(0, x), [1e-5, 0.5, -7.5]),
    ("j1", lambda x: mp.besselj(1, x), [1e-5, 0.5, -7.5]),
    ("logit", lambda x: mp.log(x / (1 - x)), [1e-150, 0.25, 0.5 + 2.0**-40, 0.7, 1 - 2.0**-50]),
    ("log_expit", lambda x: -mp.log1p(mp.exp(-x)), [-1000.0, 0.0, 30.0]),
    ("softplus", lambda x: mp.log1p(mp.exp(x)), [-40.0, 0.0, 3.0]),
    ("log1mexp", lambda x: mp.log(-mp.expm1(-x)), [1e-150, 1e-18, 0.69, 0.7, 1.0, 40.0, 700.0]),
    ("log_erfc", lambda x: mp.log(mp.erfc(x)), [-3.0, 1e-300, 1e-18, 0.0, 0.49, 0.51, 1.0, 30.0, 1e3]),
    ("entr", lambda x: -x * mp.log(x), [1e-300, 0.5, 1e100]),
]  # fmt: skip

SINGULAR = ("gamma", "gammaln", "digamma", "logit", "entr", "log1mexp")
"""What changes on the scale of its argument."""

SLOW = ("gamma", "gammaln", "digamma", "beta", "betaln")

CASES = [(name, exact, at) for name, exact, points in AWKWARD for at in points]


@pytest.mark.parametrize(("name", "exact", "at"), CASES, ids=[f"{name} at {at}" for name, _, at in CASES])
def test_value_and_two_derivatives_keep_their_digits(name: str, exact: Any, at: float) -> None:
    with mp.workdps(300 if name in SLOW else 700):
        step = mp.mpf(10) ** -100 * (abs(mp.mpf(at)) if name in SINGULAR else 1)
        low, mid, high = (exact(mp.mpf(at) + k * step) for k in (-1, 0, 1))
        wanted = [mid, (high - low) / (2 * step), (high - 2 * mid + low) / step**2]
    for order, (found, value) in enumerate(zip(orders(getattr(sb.special, name), at), wanted, strict=True)):
        digits = 2e-13 if at < 0 or name == "gammaln" else 1e-14 if order else 5e-14
        assert found == pytest.approx(float(value), rel=digits, abs=1e-300), order


OF_TWO = [
    ("xlogy", lambda x, y: x * mp.log(y), [(1e-300, 1e-300), (3.0, 1 + 1e-10)]),
    ("xlog1py", lambda x, y: x * mp.log1p(y), [(2.0, 1e-20), (2.0, -1 + 2.0**-50)]),
    ("rel_entr", two_logs, [(1e-200, 1e200), (1e200, 1e-100), (1 + 1e-9, 1.0), (1e-320, 1.0)]),
    ("kl_div", lambda x, y: two_logs(x, y) - x + y, [(1 + 1e-9, 1.0), (0.3, 0.7), (1e-200, 1e100), (1.5, 1.0)]),
    ("beta", lambda a, b: mp.beta(a, b), [(0.3, 2.0), (30.0, 20.0), (2000.0, 1000.0)]),
    ("betaln", lambda a, b: mp.log(mp.beta(a, b)), [(0.3, 2.0), (1e-3, 1e-4)]),
]  # fmt: skip

PAIRS = [(name, exact, at) for name, exact, points in OF_TWO for at in points]


@pytest.mark.parametrize(("name", "exact", "at"), PAIRS, ids=[f"{name} at {at}" for name, _, at in PAIRS])
def test_functions_of_two_keep_their_digits(name: str, exact: Any, at: tuple[float, float]) -> None:
    x, y = sb.tensor("x", ()), sb.tensor("y", ())
    node = getattr(sb.special, name)(x, y)
    found = sb.lambdify([x, y], [node, *sb.grad(node, [x, y])])(*at)
    with mp.workdps(300 if name in SLOW else 1000):
        a, b = map(mp.mpf, at)
        h, k = (mp.mpf(10) ** -120 * value for value in (a, b))
        slopes = [(exact(a + h, b) - exact(a - h, b)) / (2 * h), (exact(a, b + k) - exact(a, b - k)) / (2 * k)]
        wanted = [float(value) for value in (exact(a, b), *slopes)]
    np.testing.assert_allclose(found, wanted, rtol=3e-14, atol=1e-300)


def test_third_derivative_of_log_ndtr_far_out() -> None:
    found = orders(sb.special.log_ndtr, -1000.0, count=4)[-1]
    with mp.workdps(300):
        wanted = mp.diff(lambda x: mp.log(mp.ncdf(x)), -1000, 3, h=mp.mpf(10) ** -60)
    assert found == pytest.approx(float(wanted), rel=1e-12)


@pytest.mark.parametrize("order", [0, 1, 2, 5])
@pytest.mark.parametrize("at", [0.5, 30.0, -1.3])
def test_polygamma(order: int, at: float) -> None:
    wanted = [float(mp.psi(order + k, at)) for k in range(3)]
    assert orders(lambda x: sb.special.polygamma(order, x), at) == pytest.approx(wanted, rel=1e-13)


# -- ends of domains, zeros and poles ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "at", "wanted"),
    [
        ("erfinv", (1.0,), (INF, INF, INF)),
        ("erfinv", (-1.0,), (-INF, INF, -INF)),
        ("erfcinv", (0.0,), (INF, -INF, INF)),
        ("ndtri", (0.0,), (-INF, INF, -INF)),
        ("ndtri", (1.0,), (INF, INF, INF)),
        ("logit", (0.0,), (-INF, INF, -INF)),
        ("logit", (1.0,), (INF, INF, INF)),
        ("logit", (1.5,), (NAN, None, None)),
        ("gammaln", (0.0,), (INF, -INF, INF)),
        ("gammaln", (-1.0,), (INF, NAN, None)),
        ("gamma", (-1.0,), (NAN, NAN, None)),
        ("digamma", (0.0,), (-INF, INF, -INF)),
        ("entr", (0.0,), (0, INF, -INF)),
        ("entr", (-1.0,), (-INF, NAN, None)),
        ("xlogy", (0.0, 0.0), (0, -INF, 0)),
        ("xlogy", (0.0, -1.0), (0, NAN, 0)),
        ("xlogy", (0.0, NAN), (NAN, NAN, 0)),
        ("xlog1py", (0.0, -1.0), (0, -INF, 0)),
        ("rel_entr", (0.0, 2.0), (0, -INF, INF)),
        ("rel_entr", (2.0, 0.0), (INF, INF, None)),
        ("rel_entr", (-1.0, 2.0), (INF, NAN, None)),
        ("kl_div", (0.0, 2.0), (2, -INF, INF)),
        ("kl_div", (-1.0, 2.0), (INF, NAN, None)),
        ("i0", (0.0,), (1, 0, 0.5)),
        ("i1", (0.0,), (0, 0.5, 0)),
        ("i0e", (0.0,), (1, 0, 0)),
        ("i1e", (0.0,), (0, 0.5, 0)),
        ("j1", (0.0,), (0, 0.5, 0)),
        ("log_ndtr", (-1e200,), (-INF, 1e200, -1)),
        ("log_ndtr", (50.0,), (0, 0, 0)),
        ("erfcx", (-30.0,), (INF, -INF, INF)),
    ],
)
def test_ends_zeros_and_poles(name: str, at: tuple[float, ...], wanted: tuple[float | None, ...]) -> None:
    found = orders(getattr(sb.special, name), *at)
    for value, hope in zip(found, wanted, strict=True):
        assert hope is None or value == pytest.approx(hope, nan_ok=True, rel=1e-14, abs=1e-300)


@pytest.mark.parametrize(
    ("name", "at", "wanted"),
    [("xlogy", (0, 0), 0), ("xlogy", (0, 3), 0), ("xlog1py", (0, -1), 0), ("xlogy", (2, 0), INF),
     ("rel_entr", (0, 0), 0), ("rel_entr", (0, 2), 0), ("rel_entr", (2, 0), -INF), ("kl_div", (0, 0), 1),
     ("kl_div", (0, 2), 1)],
)  # fmt: skip
def test_slope_by_the_second_operand_at_zeros(name: str, at: tuple[float, float], wanted: float) -> None:
    y = sb.tensor("y", ())
    slope = sb.lambdify([y], sb.grad(getattr(sb.special, name)(float(at[0]), y), y))
    with np.errstate(over="raise", invalid="raise", divide="ignore"):
        assert float(slope(float(at[1]))) == wanted


def test_mixed_derivative_of_xlogy_where_x_is_zero() -> None:
    x, y = sb.tensor("x", ()), sb.tensor("y", ())
    by_x, by_y = sb.grad(sb.special.xlogy(x, y), [x, y])
    both = sb.lambdify([x, y], [sb.grad(by_x, y), sb.grad(by_y, x)])
    assert both(0.0, 4.0) == [0.25, 0.25]


# -- what has no derivative, what is refused -----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["jv", "iv"])
def test_a_derivative_by_the_order_is_refused(name: str) -> None:
    v, x = sb.tensor("v", ()), sb.tensor("x", ())
    node = getattr(sb.special, name)(v, x)
    with pytest.raises(
        sb.errors.DerivativeError, match=rf"{name} has no derivative by its operand 1, v; pass a number"
    ):
        sb.grad(node, v)
    with pytest.raises(sb.errors.DerivativeError, match="operand 1"):
        sb.jvp([node], [v], [sb.constant(1.0)])
    held = sb.grad(getattr(sb.special, name)(sb.stop_gradient(v), x), x)
    assert np.isfinite(sb.evaluate(held, {v: 0.5, x: 1.0}))


@pytest.mark.parametrize("order", [0.5, -1, True])
def test_polygamma_needs_an_order(order: Any) -> None:
    with pytest.raises(sb.errors.DtypeError, match="an order 0, 1, 2"):
        sb.special.polygamma(order, sb.tensor("x", ()))


def test_small_integers_are_refused() -> None:
    with pytest.raises(sb.errors.DtypeError, match="a float, or an integer of 32 or 64 bits"):
        sb.special.erf(sb.tensor("x", (2,), dtype="int8"))


# -- SciPy's own functions on nodes ----------------------------------------------------------------------------------

UFUNCS = [name for name in sb.special.__all__ if isinstance(getattr(special, name, None), np.ufunc)]


@pytest.mark.parametrize("name", UFUNCS)
def test_scipys_ufuncs_build_nodes(name: str) -> None:
    function = getattr(special, name)
    operands = [sb.tensor(f"x{k}", (2,)) for k in range(function.nin)]
    assert function(*operands) is getattr(sb.special, name)(*operands)


def test_every_name_is_a_name_of_scipy_but_three() -> None:
    assert {name for name in sb.special.__all__ if not hasattr(special, name)} <= {"softplus", "log1mexp", "log_erfc"}


# -- with and without SciPy ----------------------------------------------------------------------------------------

x = sb.tensor("x", (3,))
NUMPY_ALONE = [
    "expit",
    "logit",
    "log_expit",
    "log1mexp",
    "softplus",
    "entr",
    "i0",
    "xlogy",
    "xlog1py",
    "rel_entr",
    "kl_div",
]


@pytest.mark.parametrize("name", NUMPY_ALONE)
def test_numpy_alone_is_enough_for(name: str) -> None:
    function = getattr(sb.special, name)
    node = function(x, x) if name in ("xlogy", "xlog1py", "rel_entr", "kl_div") else function(x)
    outputs = [node] if name == "i0" else [node, sb.grad(sb.sum(node), x)]
    assert "scipy" not in sb.lambdify([x], outputs).source


@pytest.mark.parametrize("function", [sb.special.erf, lambda x: sb.grad(sb.sum(sb.special.log_ndtr(x)), x)])
def test_the_head_of_emitted_code_names_scipy(function: Any) -> None:
    source = sb.lambdify([x], function(x)).source
    assert source.startswith("# This module needs scipy beside numpy: pip install scipy\n")
    assert "\nfrom scipy import special\n" in source


@pytest.mark.parametrize("function", [sb.special.erf, lambda x: sb.grad(sb.sum(sb.special.log_ndtr(x)), x)])
def test_a_missing_scipy_is_named_with_its_extra(function: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("scipy", "scipy.special"):
        monkeypatch.setitem(sys.modules, name, None)
    for call in (lambda: sb.lambdify([x], function(x)), lambda: sb.evaluate(function(x), {x: np.ones(3)})):
        with pytest.raises(sb.errors.UsageError, match=r"needs scipy, .*pip install 'symback\[scipy\]'"):
            call()


def test_derivatives_do_without_scipy(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['scipy'] = None; import symback as sb; x = sb.tensor('x', ());"
        "print(sb.lambdify([x], sb.grad(sb.special.xlogy(x, x), x))(1.0), sb.grad(sb.special.erf(x), x))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(sb.__file__).parents[1], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("1.0")


def test_a_variable_called_special_is_renamed() -> None:
    own = sb.tensor("special", ())
    assert sb.lambdify([own], sb.special.erf(own))(0.5) == special.erf(0.5)
