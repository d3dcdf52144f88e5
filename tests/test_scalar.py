"""Straight-line programs: values and derivatives against SymPy's in digits, counts of operations, and the code."""

import itertools
import math
import pickle
import random
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import sympy

import symback as sb
from benchmarks.robots import inverse_dynamics, reprojection, speelpenning
from symback.scalar.accumulate import METHODS, gradient
from symback.scalar.reading import Reading
from symback.scalar.tape import Tape

x, y, z = sympy.symbols("x y z")

EXPRESSIONS = {
    "a polynomial": x**2 * y - 3 * x * y**3 / 7 + 2,
    "a quotient": (x - y) / (x * y + 2) - 1 / x,
    "roots and powers": sympy.sqrt(x * y) + x**y + y ** sympy.Rational(5, 3) + 2**x + x ** (-3),
    "exponentials": sympy.exp(-x * y) + sympy.log(x + y) + sympy.tanh(x) * sympy.sinh(y),
    "angles": sympy.sin(x) * sympy.cos(y)
    + sympy.tan(x / 3)
    + sympy.atan2(y, x)
    + sympy.asin(x / 4)
    - sympy.acos(y / 4),
    "special functions": sympy.erf(x) + sympy.loggamma(y) + sympy.gamma(x),
    "choices": sympy.Piecewise((x**2, x > y), (sympy.sin(y), True)) + sympy.Max(x, 2 * y) - sympy.Min(x, y, 1),
    "constants": sympy.pi * x + sympy.E**y + sympy.Float("0.1") * x * y,
    "one of the inputs alone": x**4 + 0 * y,
}


def derivatives(expr, order):
    """Return SymPy's derivatives of an expression."""
    first = [sympy.diff(expr, s) for s in (x, y)]
    return first if order == 1 else [[sympy.diff(g, s) for s in (x, y)] for g in first]


@pytest.mark.parametrize("kind", EXPRESSIONS)
def test_value_gradient_and_hessian_are_those_of_sympy(kind):
    expr = EXPRESSIONS[kind]
    f = sb.scalar_function([x, y], expr, wrt=[x, y], order=2)
    for point in ((0.7, 1.9), (1.3, 0.4)):
        given = dict(zip((x, y), map(sympy.Float, point), strict=True))
        value, first, second = f(*point)
        assert value == pytest.approx(float(expr.subs(given)), rel=1e-13)
        np.testing.assert_allclose(first, [float(g.subs(given)) for g in derivatives(expr, 1)], rtol=1e-12, atol=1e-13)
        expected = [[float(g.subs(given)) for g in row] for row in derivatives(expr, 2)]
        np.testing.assert_allclose(second, expected, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("kind", EXPRESSIONS)
def test_points_in_arrays_give_what_single_points_give(kind):
    f = sb.scalar_function([x, y], [EXPRESSIONS[kind], x - y], wrt=[y, x])
    xs, ys = np.linspace(0.3, 1.8, 7)[:, None], np.linspace(0.2, 1.9, 5)
    values, jacobian = f(xs, ys)
    assert values.shape == (2, 7, 5)
    assert jacobian.shape == (2, 2, 7, 5)
    one, slopes = f(float(xs[3, 0]), float(ys[2]))
    np.testing.assert_allclose(values[:, 3, 2], one, rtol=1e-14)
    np.testing.assert_allclose(jacobian[:, :, 3, 2], slopes, rtol=1e-13)


def test_more_points_than_a_block_and_none_at_all():
    f = sb.scalar_function([x, y], sympy.sin(x) * y)
    xs = np.linspace(0, 9, 20_001)
    np.testing.assert_allclose(f(xs, 2.0), 2 * np.sin(xs), rtol=1e-15)
    assert f(np.zeros((0, 3)), 1.0).shape == (0, 3)


def test_integers_and_numpy_scalars_are_points():
    f = sb.scalar_function([x, y], x / y)
    assert f(1, 2) == f(np.float32(1), 2) == f(np.int64(1), np.array(2.0)) == 0.5


def test_where_math_raises_numpy_says_inf_or_nan():
    f = sb.scalar_function([x], [1 / x, sympy.log(x), sympy.sqrt(x - 1)])
    with np.errstate(all="ignore"):
        found = f(0.0)
    assert found[0] == math.inf
    assert found[1] == -math.inf
    assert math.isnan(found[2])


def test_powers_of_negative_numbers_are_nan_and_no_complex_number():
    f = sb.scalar_function([x, y], x**y, wrt=[x])
    with np.errstate(all="ignore"):
        value, slope = f(-8.0, 0.5)
        arrays, _ = f(np.array([-8.0, 4.0]), 0.5)
    assert math.isnan(value)
    assert math.isnan(slope[0])
    np.testing.assert_array_equal(arrays, [np.nan, 2.0])
    assert f(-2.0, 3.0)[0] == -8.0


def test_results_are_floats_where_code_chooses_integers():
    f = sb.scalar_function([x], sympy.Piecewise((1, x > 0), (0, True)) + 0 * x, wrt=[x])
    value, slopes = f(0.5)
    assert isinstance(value, float)
    assert slopes.dtype == np.float64


def test_the_logarithm_of_gamma_is_that_of_scipy_for_negative_numbers():
    f = sb.scalar_function([x], sympy.loggamma(x))
    assert math.isnan(f(-0.5))
    assert math.isnan(f(np.array([-0.5]))[0])


def test_a_matrix_keeps_its_shape_and_its_jacobian_has_a_row_for_each_entry():
    f = sb.scalar_function([x, y], sympy.Matrix([[x * y, 1, x], [y, x**2, 0]]), wrt=[x, y])
    values, jacobian = f(2.0, 3.0)
    np.testing.assert_array_equal(values, [[6, 1, 2], [3, 4, 0]])
    np.testing.assert_array_equal(jacobian, [[3, 2], [0, 0], [1, 0], [0, 1], [4, 0], [0, 0]])


def test_nodes_are_taken_as_expressions_are():
    a, b = sb.tensor("a"), sb.tensor("b")
    node = sb.let("s", sb.sin(a) * b) + sb.where(a > b, a, b**2) / 2
    f = sb.scalar_function([a, b], node, wrt=[a, b])
    value, slopes = f(0.5, 2.0)
    expected = sb.lambdify([a, b], [node, *sb.grad(node, [a, b])])(0.5, 2.0)
    np.testing.assert_allclose([value, *slopes], expected, rtol=1e-14)


def test_every_elementwise_primitive_of_scalars_is_emitted_and_differentiated():
    """The rules are those of the primitives; the values those of lambdify."""
    checked = 0
    for name, function in [(name, getattr(sb, name, None) or getattr(sb.special, name, None)) for name in NAMES]:
        nodes = [sb.tensor("a"), sb.tensor("b")][: 1 if name in UNARY else 2]
        node = function(*nodes)
        f = sb.scalar_function(nodes, node, wrt=nodes)
        point = [0.6, 0.3][: len(nodes)]
        value, slopes = f(*point)
        wanted = sb.lambdify(nodes, [node, *sb.grad(node, nodes, disconnected="zero")])(*point)
        np.testing.assert_allclose([value, *slopes], wanted, rtol=1e-12, err_msg=name)
        arrays, _ = f(*[np.full(3, p) for p in point])
        np.testing.assert_allclose(arrays, np.full(3, wanted[0]), rtol=1e-12, err_msg=name)
        checked += 1
    assert checked == len(NAMES)


UNARY = (
    *("sigmoid", "softplus", "relu", "exp2", "expm1", "log1p", "log2", "log10", "cbrt", "arcsin", "arccos", "arctan"),
    *("arcsinh", "arctanh", "sinh", "cosh", "tan", "erf", "erfc", "gammaln", "digamma", "deg2rad", "rad2deg", "abs"),
    *("square", "reciprocal", "ndtr", "log_ndtr", "silu", "gelu", "softsign"),
)
BINARY = (*("hypot", "arctan2", "logaddexp", "maximum", "minimum", "fmax", "copysign", "xlogy", "power", "divide"),)
NAMES = (*UNARY, *BINARY)


# -- how much work ------------------------------------------------------------------------------------------


def random_program(seed, count, smooth=(sympy.sin, sympy.cos, sympy.exp)):
    """Return symbols and an expression of so many operations that share much; SymPy evaluates none of it."""
    chance, symbols = random.Random(seed), sympy.symbols("a:6")
    pool = list(symbols)
    for _ in range(count):
        one, other, kind = chance.choice(pool[-12:]), chance.choice(pool[-12:]), chance.random()
        if kind < 0.3:
            pool.append(sympy.Add(one, other, evaluate=False))
        elif kind < 0.8:
            pool.append(sympy.Mul(one, other, evaluate=False))
        else:
            pool.append(chance.choice(smooth)(one, evaluate=False))
    return symbols, pool[-1]


@pytest.mark.parametrize("seed", range(40))
def test_a_gradient_takes_at_most_five_times_the_operations_of_the_value(seed):
    """Baur and Strassen, 1983: the value is counted in."""
    symbols, expr = random_program(seed, 10 + 20 * seed)
    tape = Tape()
    reading = Reading(tape)
    output = reading.place(expr)
    slopes = gradient(tape, output, [reading.place(symbol) for symbol in symbols])
    assert tape.count([output, *slopes]) <= 5 * tape.count([output])


@pytest.mark.parametrize("order", METHODS)
@pytest.mark.parametrize("formula", [speelpenning(6), reprojection(), inverse_dynamics(3)], ids=lambda f: f.name)
def test_every_order_of_accumulation_gives_the_same(formula, order):
    symbols = sympy.symbols(list(formula.names))
    outputs = formula.program(sympy, *symbols)
    point = np.random.default_rng(0).uniform(0.5, 1.5, len(symbols)).tolist()
    values, slopes = sb.scalar_function(symbols, outputs, wrt=symbols[: formula.wrt], accumulation=order)(*point)
    np.testing.assert_allclose(values, formula.program(np, *point), rtol=1e-12)
    best = sb.scalar_function(symbols, outputs, wrt=symbols[: formula.wrt])
    np.testing.assert_allclose(slopes, best(*point)[1], rtol=1e-9, atol=1e-12)
    step = 1e-6
    for k in range(formula.wrt):
        ahead, behind = (formula.program(np, *[*point[:k], point[k] + s, *point[k + 1 :]]) for s in (step, -step))
        difference = (np.asarray(ahead) - np.asarray(behind)) / (2 * step)
        np.testing.assert_allclose(np.asarray(slopes)[..., k], difference, rtol=1e-5, atol=1e-6)


def test_the_order_with_the_fewest_operations_is_taken():
    symbols = sympy.symbols(list(reprojection().names))
    outputs = reprojection().program(sympy, *symbols)
    counts = [sb.scalar_function(symbols, outputs, wrt=symbols[:15], accumulation=name).operations for name in METHODS]
    assert sb.scalar_function(symbols, outputs, wrt=symbols[:15]).operations == min(counts)


def test_what_jacobians_share_is_computed_once():
    """All rows need the same sines; the first joint, about the vertical, has none."""
    formula = inverse_dynamics(3)
    symbols = sympy.symbols(list(formula.names))
    source = sb.scalar_function(symbols, formula.program(sympy, *symbols), wrt=symbols).source
    assert source.count("sin(q") == source.count("cos(q") == 2


def test_a_chain_of_30000_operations_is_differentiated_without_recursion():
    expr = x
    for _ in range(15_000):
        expr = sympy.Add(sympy.sin(expr, evaluate=False), y, evaluate=False)
    f = sb.scalar_function([x, y], expr, wrt=[x, y])
    value, slopes = f(0.5, 0.25)
    assert np.isfinite([value, *slopes]).all()
    assert f.operations < 5 * 30_000


# -- the code -------------------------------------------------------------------------------------------------


def test_the_text_is_one_for_floats_and_arrays():
    source = sb.scalar_function([x, y], sympy.sin(x) * y).source
    assert source.count("sin(x)") == 1
    assert "AT_A_POINT = straight_line(math.sin)\nAT_POINTS = straight_line(np.sin)" in source


def test_saved_modules_run_where_symback_is_not(tmp_path):
    f = sb.scalar_function([x, y], sympy.sin(x) * y, wrt=[x, y], name="waves")
    f.save(tmp_path / "waves.py")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import waves; print(waves.waves(0.5, 2.0)[1].tolist())"
    found = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    np.testing.assert_allclose(eval(found.stdout), [2 * np.cos(0.5), np.sin(0.5)], rtol=1e-15)


def test_functions_are_pickled():
    f = pickle.loads(pickle.dumps(sb.scalar_function([x], x**2, wrt=[x])))
    assert f(3.0)[0] == 9.0
    assert f(3.0)[1].tolist() == [6.0]


def test_names_of_functions_and_of_values_do_not_meet_those_of_inputs():
    sin, v1, out = sympy.symbols("sin v1 larger")
    f = sb.scalar_function([sin, v1, out], sympy.sin(sin) * v1 + sympy.Max(out, sympy.sin(sin)) * sympy.sin(sin))
    assert f(0.5, 2.0, 0.1) == pytest.approx(2 * np.sin(0.5) + np.sin(0.5) ** 2)


REFUSED = {
    "a symbol that is no input": (lambda: sb.scalar_function([x], x * y), "y is none of the inputs x; add it"),
    "a derivative by what is no input": (lambda: sb.scalar_function([x], x, wrt=[y]), "y is none of the inputs x"),
    "an unknown accumulation": (
        lambda: sb.scalar_function([x], x, wrt=[x], accumulation="best"),
        "accumulation='best' is not known; it is one of auto, reverse, forward, mixed",
    ),
    "an order that is not known": (lambda: sb.scalar_function([x], x, wrt=[x], order=3), "order=3 is not known"),
    "a Hessian of several": (
        lambda: sb.scalar_function([x], [x, x**2], wrt=[x], order=2), "order=2 is for one scalar, and the outputs",
    ),
    "structures": (lambda: sb.scalar_function([x], [[x], [x]]), "hold structures within one another"),
    "no outputs": (lambda: sb.scalar_function([x], []), "the outputs hold nothing"),
    "an array": (lambda: sb.scalar_function([x], sb.tensor("A", (3,))), "use sb.lambdify, which takes arrays"),
    "a name of Python": (lambda: sb.scalar_function([x], x, name="def"), "'def' cannot be used as a name"),
    "an input that is an expression": (lambda: sb.scalar_function([x + 1], x), "is not a variable"),
    "a function without derivative": (
        lambda: sb.scalar_function([x, y], sympy.zeta(x, y), wrt=[x, y]), "zeta",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_refused(kind):
    call, message = REFUSED[kind]
    with pytest.raises(sb.errors.SymbackError) as refusal:
        call()
    assert message in str(refusal.value)


def test_arguments_that_are_no_numbers_are_refused():
    with pytest.raises(TypeError, match="x has dtype complex128, wanted real numbers"):
        sb.scalar_function([x], x**2)(np.array([1j]))


# -- arrays of points, by several threads ------------------------------------------------------------------


def spied_pools(monkeypatch: pytest.MonkeyPatch, function: Any) -> list[int]:
    """Return a list to which each pool of threads that an emitted function starts appends its size."""
    names, found = function._function.__globals__, []
    real = names["ThreadPoolExecutor"]
    monkeypatch.setitem(names, "ThreadPoolExecutor", lambda threads: found.append(threads) or real(threads))
    return found


@pytest.mark.parametrize("size", [0, 1, 8192, 16384, 16385, 120_000])
def test_blocks_and_threads_give_what_single_points_give(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    x = sympy.symbols("x0:40")
    expr = sympy.Add(*[sympy.sin(a * b) / (1 + b**2) for a, b in itertools.pairwise(x)])
    alone, several = (sb.scalar_function(x, expr, wrt=x, threads=threads) for threads in (1, 3))
    points = [np.linspace(-2 + k / 7, 2 + k / 5, size) for k in range(40)]
    pools = spied_pools(monkeypatch, several)
    for one, other in zip(alone(*points), several(*points), strict=True):
        np.testing.assert_array_equal(one, other)
    assert pools == ([3] if size == 120_000 else [])
    if size:
        value, gradient = alone(*[float(array[-1]) for array in points])
        assert value == pytest.approx(several(*points)[0][-1], rel=1e-14)
        assert gradient == pytest.approx(several(*points)[1][:, -1], rel=1e-14)


def test_threads_heed_what_numpy_was_told_of_warnings(monkeypatch: pytest.MonkeyPatch) -> None:
    x = sympy.Symbol("x")
    f = sb.scalar_function([x], [1 / (x + k) for k in range(40)], threads=2)
    pools = spied_pools(monkeypatch, f)
    with np.errstate(divide="ignore"):
        assert np.isinf(f(np.zeros(400_000))[0]).all()
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        f(np.zeros(400_000))
    assert pools == [2, 2]


@pytest.mark.parametrize("threads", [0, -1, 1.5, True, "2"])
def test_a_number_of_threads_that_is_none_is_refused(threads: object) -> None:
    with pytest.raises(sb.errors.InputError, match="is no number of threads; give 1 or more, or leave it out"):
        sb.scalar_function(sympy.symbols("x y"), 1, threads=threads)


def test_functions_of_ones_own_are_called_by_one_thread() -> None:
    x = sympy.Symbol("x")
    assert "threads=1)" in sb.scalar_function([x], sympy.Function("f")(x), functions={"f": np.sin}, threads=4).source
