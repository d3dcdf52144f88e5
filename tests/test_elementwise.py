"""Elementwise functions beyond the generic tests: every ufunc in every dtype, the ends of the real line, errors."""

import re
from typing import Any

import mpmath
import numpy as np
import pytest

import symback as sb

mp = mpmath.mp.clone()
mp.prec = 2500

X, Y = sb.tensor("x"), sb.tensor("y")
MATRIX = np.ones((1, 1)).view(np.matrix)
INF, NAN = float("inf"), float("nan")
QUIET = {"over": "ignore", "divide": "ignore", "invalid": "ignore", "under": "ignore"}

# -- every ufunc of NumPy ------------------------------------------------------------------------------

UFUNCS = {name: ufunc for name in dir(np) if isinstance(ufunc := getattr(np, name), np.ufunc)}
NAMES = sorted({ufunc.__name__ for ufunc in UFUNCS.values()} - {"matmul", "matvec", "vecdot", "vecmat"})
REFUSED = {"frexp", "isnat", "ldexp", "nextafter", "spacing"}
DTYPES = ("bool", "int8", "int32", "int64", "float32", "float64")
OPERANDS = {1: [(a,) for a in DTYPES], 2: [(a, b) for a in DTYPES for b in DTYPES]}
IN_INT8 = {"divmod", "floor_divide", "fmod", "left_shift", "power", "remainder", "right_shift"}
"""What NumPy computes of two booleans in int8, and symback refuses."""


@pytest.mark.parametrize("name", sorted(set(NAMES) - REFUSED))
def test_a_ufunc_has_its_name_its_dtypes_and_its_values(name: str) -> None:
    ufunc, ours = UFUNCS[name], getattr(sb, name)
    floats_only = name in {"floor", "ceil", "trunc"} and np.lib.NumpyVersion(np.__version__) < "2.1.0"
    for dtypes in OPERANDS[ufunc.nin] if not floats_only else [("float32",), ("float64",)]:
        arrays = [np.asarray(values, dtype) for values, dtype in zip(([0, 1, 5], [1, 2, 3]), dtypes, strict=False)]
        nodes = [sb.tensor(f"x{k}", (3,), dtype=dtype) for k, dtype in enumerate(dtypes)]
        with np.errstate(**QUIET):
            wanted = numpys_answer(ufunc, arrays)
            if wanted is None or is_refused(ufunc.__name__, dtypes):
                with pytest.raises((TypeError, sb.errors.DtypeError)):
                    ours(*nodes)
                continue
            results = ours(*nodes)
            found = sb.lambdify(nodes, results)(*arrays)
        for node, value, expected in zip(*map(as_tuple, (results, found, wanted)), strict=True):
            dtype = expected.dtype if is_small(dtypes) is False or expected.dtype.kind != "f" else np.dtype("float64")
            assert (node.dtype, value.dtype) == (dtype, dtype), (dtypes, expected.dtype)
            np.testing.assert_allclose(
                value.astype(float), expected.astype(float), rtol=2e-3 if dtype != expected.dtype else 0
            )


def numpys_answer(ufunc: Any, arrays: list[Any]) -> Any:
    try:
        return ufunc(*arrays)
    except TypeError:
        return None


def is_refused(name: str, dtypes: tuple[str, ...]) -> bool:
    """What symback refuses although NumPy has an answer."""
    whole_reciprocal = name == "reciprocal" and dtypes[0][:5] != "float"
    return (
        whole_reciprocal
        or (name in IN_INT8 and set(dtypes) == {"bool"})
        or (name, dtypes) == ("bitwise_count", ("bool",))
    )


def is_small(dtypes: tuple[str, ...]) -> bool:
    """Are these dtypes of which NumPy makes float16, which symback does not have?"""
    return set(dtypes) <= {"bool", "int8"}


def as_tuple(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


def test_an_alias_is_the_function_that_it_is_in_numpy() -> None:
    aliases = {name: ufunc.__name__ for name, ufunc in UFUNCS.items() if name != ufunc.__name__}
    assert len(aliases) >= 15
    assert not [alias for alias, name in aliases.items() if getattr(sb, alias) is not getattr(sb, name)]


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_ufunc_that_is_not_there_is_refused_by_name(name: str) -> None:
    x = sb.tensor("x", (3,))
    with pytest.raises(sb.errors.UsageError, match=name):
        UFUNCS[name](*[x] * UFUNCS[name].nin)


@pytest.mark.parametrize("name", sorted(set(NAMES) - REFUSED))
def test_numpys_own_call_gives_the_same_node(name: str) -> None:
    ufunc = UFUNCS[name]
    dtype = "int64" if "bit" in name or name in {"gcd", "lcm", "invert", "left_shift", "right_shift"} else "float64"
    nodes = [sb.tensor(f"x{k}", (3,), dtype=dtype) for k in range(ufunc.nin)]
    assert as_tuple(ufunc(*nodes)) == as_tuple(getattr(sb, name)(*nodes))


# -- the ends of the real line -------------------------------------------------------------------------------

POINTS = (1e-300, 1e-200, 1e-20, 1e-8, 0.3, 1 - 1e-9, 1.5, 1e8, 1e100, 1e200, 1e300)

SLOPES: dict[str, tuple[Any, Any]] = {
    "arctan": (lambda x: 1 / (1 + x * x), lambda x: -2 * x / (1 + x * x) ** 2),
    "arcsinh": (lambda x: 1 / mp.sqrt(1 + x * x), lambda x: -x / mp.sqrt(1 + x * x) ** 3),
    "arccosh": (lambda x: 1 / mp.sqrt(x * x - 1), lambda x: -x / mp.sqrt(x * x - 1) ** 3),
    "arcsin": (lambda x: 1 / mp.sqrt(1 - x * x), lambda x: x / mp.sqrt(1 - x * x) ** 3),
    "arccos": (lambda x: -1 / mp.sqrt(1 - x * x), lambda x: -x / mp.sqrt(1 - x * x) ** 3),
    "arctanh": (lambda x: 1 / (1 - x * x), lambda x: 2 * x / (1 - x * x) ** 2),
    "log1p": (lambda x: 1 / (1 + x), lambda x: -1 / (1 + x) ** 2),
    "log2": (lambda x: 1 / (x * mp.log(2)), lambda x: -1 / (x * x * mp.log(2))),
    "log10": (lambda x: 1 / (x * mp.log(10)), lambda x: -1 / (x * x * mp.log(10))),
    "cbrt": (lambda x: 1 / (3 * mp.cbrt(x) ** 2), lambda x: -2 / (9 * mp.cbrt(x) ** 5)),
    "expm1": (mp.exp, mp.exp),
    "exp2": (lambda x: mp.log(2) * mp.mpf(2) ** x, lambda x: mp.log(2) ** 2 * mp.mpf(2) ** x),
}


def as_float(number: Any) -> float:
    """Round to float64; a complex number is none."""
    return NAN if isinstance(number, mp.mpc) else float(number)


def agree(nodes: Any, variables: Any, point: Any, wanted: Any) -> None:
    """Hold each node against a number, to full precision, and without a warning where the number is finite."""
    for node, number in zip(nodes, wanted, strict=True):
        signals = "raise" if np.isfinite(number) else "ignore"
        with np.errstate(over=signals, divide=signals, invalid=signals, under="ignore"):
            found = sb.lambdify(variables, node, check=False)(*map(np.float64, point))
        np.testing.assert_allclose(found, number, rtol=1e-13, atol=1e-307, err_msg=f"{node} at {point}")


@pytest.mark.parametrize("name", SLOPES)
def test_both_derivatives_are_right_from_the_smallest_to_the_largest_numbers(name: str) -> None:
    node = getattr(sb, name)(X)
    first = sb.grad(node, X)
    second = sb.grad(first, X)
    for point in POINTS:
        wanted = [as_float(slope(mp.mpf(point))) for slope in SLOPES[name]]
        if np.isfinite(sb.evaluate(node, {X: point})) and not np.isnan(wanted[0]):
            agree([first, second], [X], [point], wanted)


AT_ENDS = {
    "arctan": (INF, 0, 0), "arcsinh": (-INF, 0, 0), "arccosh": (INF, 0, 0), "log1p": (INF, 0, 0),
    "log2": (0, INF, -INF), "log10": (0, INF, -INF), "log": (0, INF, -INF), "sqrt": (0, INF, -INF),
    "arcsin": (1, INF, INF), "arccos": (-1, -INF, INF), "arctanh": (-1, INF, -INF), "cbrt": (0, INF, None),
    "reciprocal": (INF, 0, 0), "tanh": (800, 0, 0), "sigmoid": (-INF, 0, 0), "softplus": (-INF, 0, 0),
    "exp": (-INF, 0, 0), "exp2": (-INF, 0, 0), "expm1": (-INF, 0, 0), "sinc": (INF, 0, 0),
}  # fmt: skip


@pytest.mark.parametrize("name", AT_ENDS)
def test_the_ends_of_a_domain_have_the_limits_of_both_derivatives(name: str) -> None:
    point, *wanted = AT_ENDS[name]
    first = sb.grad(getattr(sb, name)(X), X)
    found = [first, sb.grad(first, X)]
    pairs = [(node, number) for node, number in zip(found, wanted, strict=True) if number is not None]
    agree([node for node, _ in pairs], [X], [point], [number for _, number in pairs])


def hypot_derivatives(a: Any, b: Any) -> list[Any]:
    h = mp.hypot(a, b)
    return [a / h, b / h, b * b / h**3, -a * b / h**3, a * a / h**3]


def arctan2_derivatives(a: Any, b: Any) -> list[Any]:
    square = a * a + b * b
    return [b / square, -a / square, -2 * a * b / square**2, (a - b) * (a + b) / square**2, 2 * a * b / square**2]


PLANE = {"hypot": hypot_derivatives, "arctan2": arctan2_derivatives}


@pytest.mark.parametrize("name", PLANE)
def test_functions_of_the_plane_neither_overflow_nor_lose_digits(name: str) -> None:
    node = getattr(sb, name)(X, Y)
    (xx, xy), (yx, yy) = sb.hessian(node, [X, Y])
    nodes = [*sb.grad(node, [X, Y]), xx, xy, yx, yy]
    large = 1e300 if name == "hypot" else 1e150
    for a, b in ((3, -4), (2, 2), (1e-200, 1e-200), (1e-200, 1), (1, 1e-20), (-1e200, 1), (large, large), (0, 3)):
        by_x, by_y, xx, xy, yy = PLANE[name](mp.mpf(a), mp.mpf(b))
        numbers = [as_float(number) for number in (by_x, by_y, xx, xy, xy, yy)]
        wanted = [number for number in numbers if np.isfinite(number)]
        agree([n for n, number in zip(nodes, numbers, strict=True) if np.isfinite(number)], [X, Y], [a, b], wanted)


@pytest.mark.parametrize("point", [(INF, 1.0), (-INF, 1.0), (1.0, INF)])
def test_functions_of_the_plane_at_infinity(point: tuple[float, float]) -> None:
    steep = [float(np.sign(value)) if np.isinf(value) else 0 for value in point]
    agree(sb.grad(sb.hypot(X, Y), [X, Y]), [X, Y], point, steep)
    agree(sb.grad(sb.arctan2(X, Y), [X, Y]), [X, Y], point, [0, 0])


@pytest.mark.parametrize("order", range(1, 7))
def test_every_derivative_of_sinc_is_right_near_zero_and_far_from_it(order: int) -> None:
    node = sb.sinc(X)
    for _ in range(order):
        node = sb.grad(node, X)
    for point in (0, 1e-300, 1e-12, 1e-9, 1e-3, 0.2, 0.6, 0.9, 1.7, 12.3):
        u, first = mp.pi * mp.mpf(point), (order + 1) // 2
        terms = [
            (-1) ** k * u ** (2 * k - order) / mp.factorial(2 * k - order) / (2 * k + 1) for k in range(first, 120)
        ]
        wanted = float(mp.pi**order * mp.fsum(terms))
        found = sb.lambdify([X], node)(point)
        np.testing.assert_allclose(found, wanted, rtol=1e-13, atol=1e-13 * float(mp.pi**order) if point > 0.1 else 0)


def test_masks_stay_outside_of_the_derivatives_of_sinc() -> None:
    node = sb.where(X > 0, sb.sinc(X), 0)
    for _ in range(3):
        node = sb.grad(node, X)
        assert sb.evaluate(node, {X: NAN}) == 0


# -- kinks, jumps and choices ----------------------------------------------------------------------------------

KINKS = {
    "clip below": (lambda x, y: sb.clip(x, y, 9), (0, 1), (0, 1)),
    "clip between": (lambda x, y: sb.clip(x, y, 9), (2, 1), (1, 0)),
    "clip between equal bounds": (lambda x, y: sb.clip(x, y, y), (1, 1), (0, 1)),
    "clip above equal bounds": (lambda x, y: sb.clip(x, y, y), (2, 1), (0, 1)),
    "clip by crossed bounds": (lambda x, y: sb.clip(0, x, y), (3, 1), (0, 1)),
    "clip where all three meet": (lambda x, y: sb.clip(1, x, y), (1, 1), (0.5, 0.5)),
    "clip without a lower bound": (lambda x, y: sb.clip(x, None, y), (1, 1), (0.5, 0.5)),
    "fmax of NaN": (lambda x, y: sb.fmax(x, y), (NAN, 1), (0, 1)),
    "fmin of NaN": (lambda x, y: sb.fmin(x, y), (1, NAN), (1, 0)),
    "fmin at a tie": (lambda x, y: sb.fmin(x, y), (1, 1), (0.5, 0.5)),
    "fabs": (lambda x, y: sb.fabs(x) + 0 * y, (0, 1), (0, 0)),
    "copysign": (lambda x, y: sb.copysign(x, y), (-3, -2), (1, 0)),
    "copysign of 0": (lambda x, y: sb.copysign(x, y), (0, -2), (0, 0)),
    "heaviside at 0": (lambda x, y: sb.heaviside(x, y), (0, 0.5), (0, 1)),
    "heaviside elsewhere": (lambda x, y: sb.heaviside(x, y), (-1, 0.5), (0, 0)),
    "remainder of negative by positive": (lambda x, y: sb.remainder(x, y), (-5, 3), (1, 2)),
    "remainder by negative": (lambda x, y: x % y, (5, -3), (1, 2)),
    "remainder by infinity": (lambda x, y: x % y, (5, INF), (1, 0)),
    "fmod of negative": (lambda x, y: sb.fmod(x, y), (-5, 3), (1, 1)),
    "fmod just below a jump": (lambda x, y: sb.fmod(x, y), (np.nextafter(3, 0), 1), (1, -2)),
    "floor division": (lambda x, y: x // y + y, (5, 3), (0, 1)),
    "divmod": (lambda x, y: divmod(x, y)[1], (5, 3), (1, -1)),
    "modf": (lambda x, y: sb.modf(x)[0] * y + sb.modf(x)[1], (-1.5, 3), (3, -0.5)),
    "select": (lambda x, y: sb.select([x > 0, x > -1], [sb.log(x), y], 7), (-0.5, 3), (0, 1)),
    "select of the first that holds": (lambda x, y: sb.select([x > 0, x > -1], [sb.log(x), 1 / y]), (2, 0), (0.5, 0)),
    "nan_to_num of NaN": (lambda x, y: sb.nan_to_num(sb.log(x)) * y, (-1, 3), (0, 0)),
    "nan_to_num of a number": (lambda x, y: sb.nan_to_num(x) * y, (2, 3), (3, 2)),
    "power where both are one node": (lambda x, y: x**x + y, (2, 0), (4 * (1 + np.log(2)), 1)),
    "power by a negative number at 0": (lambda x, y: x**y, (0, -1), (-INF, NAN)),
    "0 to the 0": (lambda x, y: x**y, (0, 0), (0, 0)),
    "logaddexp with minus infinity": (lambda x, y: sb.logaddexp(x, y), (-INF, 0), (0, 1)),
    "logaddexp2 at a tie": (lambda x, y: sb.logaddexp2(x, y), (2000, 2000), (0.5, 0.5)),
}  # fmt: skip


@pytest.mark.parametrize("name", KINKS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_comes_out_at_kinks_jumps_and_choices(name: str) -> None:
    function, point, wanted = KINKS[name]
    node = function(X, Y)
    gradient = sb.grad(node, [X, Y], disconnected="zero")
    found = sb.lambdify([X, Y], gradient)(*map(float, point))
    np.testing.assert_allclose(found, wanted, rtol=1e-14)
    tangents = [
        sb.jvp([node], [X, Y], list(map(sb.constant, v)), disconnected="zero")[0] for v in ((1.0, 0.0), (0.0, 1.0))
    ]
    if np.all(np.isfinite(wanted)):
        np.testing.assert_allclose([sb.evaluate(t, {X: point[0], Y: point[1]}) for t in tangents], wanted, rtol=1e-14)


# -- emitted code --------------------------------------------------------------------------------------------

QUOTIENTS = {
    "-(x // y)": -(X // Y),
    "2 * (x // y)": 2 * (X // Y),
    "x * (x % y)": X * (X % Y),
    "x // (x * y)": X // (X * Y),
    "x * y // x": X * Y // X,
    "x // (y // x)": X // (Y // X),
    "x // y // x": X // Y // X,
    "(x % y) / x": X % Y / X,
    "x - x % y": X - X % Y,
    "(x + y) % y": (X + Y) % Y,
    "x // (-y)": X // -Y,
}


@pytest.mark.parametrize("text", QUOTIENTS)
def test_whole_quotients_are_written_with_the_parentheses_they_need(text: str) -> None:
    emitted = sb.lambdify([X, Y], QUOTIENTS[text], check=False)
    assert f"return {text}\n" in emitted.source
    x, y = np.float64(5.7), np.float64(-1.3)
    assert emitted(x, y) == eval(text, {"x": x, "y": y}) == sb.evaluate(QUOTIENTS[text], {X: x, Y: y})


# -- arguments, errors -----------------------------------------------------------------------------------------

P, K = sb.tensor("p", (3,), dtype="bool"), sb.tensor("k", (3,), dtype="int64")
V = sb.tensor("v", (3,))

OF_ORDER_0 = sb.dumps([sb.grad(sb.sinc(X), X)]).replace('"sinc_derivative",1', '"sinc_derivative",0')

REFUSALS = {
    "clip twice": (lambda: sb.clip(V, 0, 1, min=2), "clip: a bound is given twice"),
    "select of nothing": (lambda: sb.select([], []), "select: .*not 0 conditions and 0 choices"),
    "select of too few": (lambda: sb.select([V > 0], [1, 2]), "not 1 conditions and 2 choices"),
    "select by numbers": (lambda: sb.select([V], [1]), "select: v has dtype float64, wanted bool"),
    "round of booleans": (lambda: sb.round(P), "round: p has dtype bool, wanted a number"),
    "round by a fraction": (lambda: sb.round(V, 0.5), "round: decimals must be an integer, not 0.5"),
    "nan_to_num by a node": (lambda: sb.nan_to_num(V, nan=V), "nan_to_num: .*must be numbers; use sb.where"),
    "round by a list": (lambda: sb.round(K, []), "round: decimals must be an integer, not"),
    "nan_to_num by a list": (lambda: sb.nan_to_num(V, nan=[]), "nan_to_num: .*must be numbers; use sb.where"),
    "no choices": (lambda: sb.select(V, None), "select: None is no list or tuple of choices"),
    "a matrix": (lambda: V * MATRIX, "numpy.matrix .* np.asarray, and write @"),
    "a matrix on the left": (lambda: MATRIX * V, "numpy.matrix .* np.asarray, and write @"),
    "positive": (lambda: sb.positive(P), "positive: p has dtype bool"),
    "reciprocal": (lambda: sb.reciprocal(K), "reciprocal .*whole.*: k has dtype int64.*1 / x"),
    "floor_divide": (lambda: sb.floor_divide(P, P), "floor_divide: p has dtype bool, wanted a number"),
    "bits of floats": (lambda: V & 1, "bitwise_and: v has dtype float64, wanted bool, or an integer"),
    "shift of booleans": (lambda: sb.left_shift(P, P), "left_shift: p has dtype bool, wanted an integer"),
    "bits beyond the dtype": (lambda: sb.tensor("i", (), dtype="int8") | 300, "a number that int8 can hold"),
    "order of sinc": (lambda: sb.loads(OF_ORDER_0), "the order must be an integer from 1 to 50, not 0"),
    "number of operands": (lambda: sb.gcd(K), "gcd: it takes 2 operands, not 1"),
    "shapes": (lambda: sb.hypot(V, sb.tensor("w", (2,))), "hypot: cannot broadcast"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
def test_what_cannot_be_done_is_refused_with_the_reason(name: str) -> None:
    build, message = REFUSALS[name]
    with pytest.raises(sb.errors.SymbackError, match=re.compile(message)):
        build()


def test_arguments_have_numpys_names_and_order() -> None:
    assert sb.clip(V, 0, 1) is sb.clip(V, a_min=0, a_max=1) is sb.clip(V, min=0, max=1) is np.clip(V, 0, 1)
    assert sb.clip(V) is V
    assert sb.round(V, 2) is sb.round(a=V, decimals=2) is np.round(V, 2) is sb.around(V, 2)
    assert sb.select(condlist=[V > 0], choicelist=[V], default=1) is np.select([V > 0], [V], 1) is sb.where(V > 0, V, 1)
    assert sb.nan_to_num(x=V, nan=1.0) is np.nan_to_num(V, nan=1.0)
    assert sb.floor(K) is sb.ceil(K) is sb.trunc(K) is sb.fix(K) is sb.round(K) is K


def test_exact_numbers_are_divided_exactly() -> None:
    assert sb.floor_divide(7, 2) is sb.constant(3)
    assert sb.remainder(-7, 2) is sb.constant(1)
    assert sb.remainder(7.5, 2) is sb.constant(1.5)
    assert sb.floor_divide(-7, 2.0) is sb.constant(-4.0)


def test_documents_with_the_first_names_can_be_read() -> None:
    nodes = [sb.abs(X), sb.relu(X), sb.maximum(X, Y), sb.sign(X), sb.floor(X)]
    assert [node.operation.name for node in nodes] == ["abs", "relu", "maximum", "sign", "floor"]
    assert sb.loads(sb.dumps(nodes)) == nodes


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int64"])
@pytest.mark.parametrize("number", [2, 0, -1, 127, -128, 128, 256, -129])
def test_a_number_is_added_to_integers_if_they_can_hold_it_and_wraps_around_with_them(dtype: str, number: int) -> None:
    values = np.array([0, 1, 5, 127]).astype(dtype)
    k = sb.tensor("k", (4,), dtype=dtype)
    for function in (lambda x: x + number, lambda x: x - number, lambda x: number - x, lambda x: x * number):
        try:
            wanted = function(values)
        except OverflowError:
            with pytest.raises(sb.errors.DtypeError, match=f"the integer {number} does not fit {dtype}"):
                function(k)
            continue
        found = sb.evaluate(function(k), {"k": values})
        assert found.dtype == wanted.dtype
        np.testing.assert_array_equal(found, wanted)
