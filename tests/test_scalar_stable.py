"""Straight-line programs at awkward points: what `sb.grad` says there, `scalar_function` says too."""

import functools
import itertools
import math

import numpy as np
import pytest
import sympy
from sympy import Mod, Ne, Piecewise, exp, log, sin, sqrt

import symback as sb

x, y = sympy.symbols("x y")
ORDERS = ("reverse", "forward", "mixed", "auto")

AWKWARD = {
    "a logarithm that is not taken": (Piecewise((log(x), x > 0), (0, True)), (0.0,)),
    "a root that is not taken": (Piecewise((sqrt(x), x > 0), (0, True)), (0.0,)),
    "a quotient that is not taken": (Piecewise((sin(x) / x, Ne(x, 0)), (1, True)), (0.0,)),
    "an exponential that is not taken": (Piecewise((exp(x), x < 1), (x, True)), (1000.0,)),
    "a branch with NaN": (Piecewise((x * y, x < 1), (1, True)), (math.nan, 3.0)),
    "a mask behind factors": (sin(y) * Piecewise((sqrt(x) * y, x > 0), (y, True)), (0.0, 3.0)),
    "masks that add up": (Piecewise((y, x <= 0), (log(x), x > 1), (2 * log(x), True)), (0.0, 1.0)),
    "softplus": (log(1 + exp(x)), (1000.0,)),
    "softplus far out": (log(1 + exp(x)), (-40.0,)),
    "the logistic function": (1 / (1 + exp(-x)), (-1000.0,)),
    "the logarithm of the logistic function": (log(1 - 1 / (1 + exp(-x))), (40.0,)),
    "log of exponentials": (log(exp(x) + exp(y) + 1), (1000.0, 999.0)),
    "a logarithm with e": (log(exp(x) + sympy.E), (1000.0,)),
    "a logarithm with pi": (log(sympy.pi + exp(x)), (1000.0,)),
    "a root with a number": (sqrt(x**2 + sympy.pi), (1e200,)),
    "log1p": (log(1 + x), (1e-18,)),
    "expm1": (exp(x) - 1, (1e-18,)),
    "the root of a square": (sqrt(x**2), (0.0,)),
    "the hypotenuse": (sqrt(x**2 + y**2), (1e200, 1e200)),
    "a small hypotenuse": (sqrt(x**2 + y**2), (3e-200, 4e-200)),
    "the hypotenuse at the origin": (sqrt(x**2 + y**2), (0.0, 0.0)),
    "the absolute value of a square": (sympy.Abs(x**2), (0.0,)),
    "x log x": (x * log(x), (0.0,)),
    "x to the power of x": (x**x, (0.0,)),
    "the angle far out": (sympy.atan2(y, x), (1e200, math.inf)),
    "sinc at 0": (sympy.sinc(x), (0.0,)),
    "a remainder": (Mod(x, y), (-7.0, 3.0)),
}


@functools.cache
def differentiated(kind):
    """Return value, gradient and Hessian by graphs."""
    expr, point = AWKWARD[kind]
    nodes = [sb.tensor(name) for name in "xy"[: len(point)]]
    node = sb.from_sympy(expr)
    slopes = sb.grad(node, nodes, disconnected="zero")
    second = itertools.chain(*[sb.grad(slope, nodes, disconnected="zero") for slope in slopes])
    with np.errstate(all="ignore"):
        return np.array(sb.lambdify(nodes, [node, *slopes, *second])(*point), dtype=float)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("kind", AWKWARD)
def test_awkward_points_give_what_graphs_give(kind, order):
    expr, point = AWKWARD[kind]
    symbols = [x, y][: len(point)]
    f = sb.scalar_function(symbols, expr, wrt=symbols, order=2, accumulation=order)
    expected = differentiated(kind)
    for given in (point, [np.array([p]) for p in point]):
        with np.errstate(all="ignore"):
            found = np.concatenate([np.ravel(part) for part in f(*given)])
        np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("count", [2, 8, 40])
def test_logarithms_of_sums_of_many_exponentials_do_not_overflow(count):
    symbols = sympy.symbols(f"s:{count}")
    f = sb.scalar_function(symbols, log(sympy.Add(*map(exp, symbols))), wrt=symbols)
    value, slopes = f(*[1000.0] * count)
    assert value == pytest.approx(1000 + math.log(count), rel=1e-14)
    np.testing.assert_allclose(slopes, 1 / count, rtol=1e-12)


@pytest.mark.parametrize("function", [sb.sinc, lambda a: sb.round(a, 1) * a, lambda a: sb.nan_to_num(a) * a])
@pytest.mark.parametrize("point", [0.0, 1e-9, 0.37, 2.0])
def test_functions_with_parameters_are_taken(function, point):
    a = sb.tensor("a")
    node = function(a)
    f = sb.scalar_function([a], node, wrt=[a], order=2)
    (slope,) = sb.grad(node, [a])
    expected = sb.lambdify([a], [node, slope, *sb.grad(slope, [a], disconnected="zero")])(point)
    for given in (point, np.array([point])):
        np.testing.assert_allclose([float(np.squeeze(part)) for part in f(given)], expected, rtol=1e-13, atol=1e-300)


@pytest.mark.parametrize("order", ORDERS)
def test_an_order_of_a_bessel_function_is_not_differentiated_by(order):
    v, a = sb.tensor("v"), sb.tensor("a")
    with pytest.raises(sb.errors.DerivativeError, match="jv has no derivative by its operand 1"):
        sb.scalar_function([v, a], [sb.special.jv(v, a), a], wrt=[v, a], accumulation=order)
    assert sb.scalar_function([v, a], sb.special.jv(v, a), wrt=[a])(1.0, 0.5)[1].shape == (1,)


def test_a_slope_of_the_hypotenuse_at_a_point_takes_no_array():
    source = sb.scalar_function([x, y], sqrt(x**2 + y**2), wrt=[x, y]).source
    assert "AT_A_POINT = straight_line(math.hypot, slope_of_hypot)" in source
    assert "AT_POINTS = straight_line(hypot, hypot_slope)" in source


k = sb.tensor("k", dtype="int64")
REFUSED = {
    "one input twice": (lambda: sb.scalar_function([x, y, x], x), "the input x is given twice"),
    "no inputs": (lambda: sb.scalar_function([], sympy.Integer(3)), "there are no inputs; give at least one"),
    "a symbol for the inputs": (lambda: sb.scalar_function(x, x), "inputs is a Symbol; give a list of symbols"),
    "a symbol to differentiate by": (lambda: sb.scalar_function([x], x, wrt=x), "wrt is a Symbol; give a list"),
    "a number for a name": (lambda: sb.scalar_function([x], x, name=3), "3 cannot be used as a name"),
    "a Hessian by nothing": (lambda: sb.scalar_function([x], x, order=2), "wrt= does not say by what"),
    "an integer too large": (lambda: sb.scalar_function([x], 10**400 * x), "too large for any dtype"),
    "an output too large": (lambda: sb.scalar_function([x], sympy.Integer(10) ** 400), "too large for any dtype"),
    "integers": (lambda: sb.scalar_function([k], k * 1.5, wrt=[k]), "its dtype is int64, derivatives need"),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_refused(kind):
    call, message = REFUSED[kind]
    with pytest.raises(sb.errors.SymbackError) as refusal:
        call()
    assert message in str(refusal.value)


def test_a_gradient_by_many_inputs_takes_time_for_what_it_meets():
    """Each of the sweeps meets three operations, on a tape of thousands."""
    symbols = sympy.symbols("s:300")
    f = sb.scalar_function(symbols, [sin(s) * s for s in symbols], wrt=symbols, accumulation="reverse")
    assert f.operations == 300 * 5
    np.testing.assert_array_equal(np.diag(f(*[0.0] * 300)[1]), np.zeros(300))


def test_arrays_and_tuples_of_outputs_keep_their_shape():
    for outputs in (np.array([[x, y], [1, x * y]]), sympy.ImmutableMatrix([[x, y], [1, x * y]])):
        np.testing.assert_array_equal(sb.scalar_function([x, y], outputs)(2.0, 3.0), [[2, 3], [1, 6]])
    np.testing.assert_array_equal(sb.scalar_function([x, y], sympy.Tuple(x, y))(2.0, 3.0), [2, 3])


def test_a_name_is_found_whatever_the_inputs_are_called():
    f, function = sympy.symbols("f function")
    assert sb.scalar_function([f, function], f * function).name == "function_"


def test_integers_beyond_floats_squared_are_infinite_as_floats_are():
    f = sb.scalar_function([x], x * x)
    with np.errstate(over="ignore"):
        assert f(10**200) == f(np.array([1e200]))[0] == math.inf
    assert f(2**53 + 1) == 2.0**106


def test_the_slope_of_the_smallest_hypotenuse():
    f = sb.scalar_function([x, y], sqrt(x**2 + y**2), wrt=[x, y])
    for point in (5e-324, 5e-324), (1e-310, 3e-310):
        slopes = np.divide(point, np.hypot(*(1e300 * np.array(point)))) * 1e300
        np.testing.assert_allclose(f(*point)[1], slopes, rtol=1e-13)
        np.testing.assert_allclose(f(*map(np.atleast_1d, point))[1][:, 0], slopes, rtol=1e-13)
