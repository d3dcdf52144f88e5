"""Undefined functions and classes of the user's in straight-line code, in checks of gradients and in objectives."""

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy
from sympy import Function, Symbol, cos, sin, symbols
from sympy.core.function import ArgumentIndexError

import symback as sb
from symback import errors
from symback.scalar.accumulate import METHODS

x, y = symbols("x y")
f, g = Function("f"), Function("g")
SINE = (np.sin, np.cos, lambda u: -np.sin(u))
PRODUCT = (
    lambda a, b: a * b**3,
    (lambda a, b: b**3, lambda a, b: 3 * a * b**2),
    ((lambda a, b: np.zeros_like(a), lambda a, b: 3 * b**2), (None, lambda a, b: 6 * a * b)),
)
ALL = {"f": SINE, "g": PRODUCT}
X, Y = np.array([0.3, -0.5, 1.2]), np.array([0.7, 0.4, -0.2])


class Cube(Function):  # type: ignore[misc]
    """x**3, with its derivative and its NumPy spelling."""

    _imp_ = staticmethod(lambda u: u**3)

    def fdiff(self, argindex: int = 1) -> Any:
        return 3 * self.args[0] ** 2


class Rate(Function):  # type: ignore[misc]
    """exp(a b), by its first argument only; its derivative holds it again."""

    nargs = 2

    def fdiff(self, argindex: int = 1) -> Any:
        if argindex != 1:
            raise ArgumentIndexError(self, argindex)
        return self.args[1] * self.func(*self.args)


class Sine(sympy.sin):  # type: ignore[misc]
    """A class of SymPy's function, which is read as that."""


def plain(expr: Any) -> Any:
    """Return an expression with formulas in the place of functions."""
    done = expr.replace(f, sympy.sin).replace(g, lambda a, b: a * b**3).replace(Cube, lambda u: u**3)
    return done.replace(Rate, lambda a, b: sympy.exp(a * b)).doit()


EXPRESSIONS = [
    f(x) ** 2 + y,
    f(f(x * y)) * g(x, f(y)),
    g(x, x) / (2 + f(2 * x)) + sin(f(x)),
    f(2) * x + g(1, y) * x,
    f(x).diff(x) * y + g(x * y, y).diff(y),
    Cube(x * y) + Cube(f(x)) * y,
    Rate(x**2, y) * x,
]


@pytest.mark.parametrize("accumulation", METHODS)
@pytest.mark.parametrize("expr", EXPRESSIONS, ids=str)
def test_values_and_derivatives_at_points_and_at_arrays(expr: Any, accumulation: str) -> None:
    third = {"f": (*SINE, lambda u: -np.cos(u))}
    rate = {(0, 0): lambda a, b: np.exp(a * b), (0, 1): lambda a, b: a * np.exp(a * b)}
    given = {**ALL, **third, "Rate": rate}
    known = plain(expr)
    values, rows = sb.scalar_function([x, y], [expr, 2 * expr], wrt=[x, y], functions=given, accumulation=accumulation)(
        X, Y
    )
    for k, (a, b) in enumerate(zip(X, Y, strict=True)):
        numbers = {x: sympy.Float(a, 30), y: sympy.Float(b, 30)}
        slopes = [float(known.diff(by).subs(numbers)) for by in (x, y)]
        np.testing.assert_allclose(values[:, k], np.array([1, 2]) * float(known.subs(numbers)), rtol=1e-12)
        np.testing.assert_allclose(rows[:, :, k], np.outer([1, 2], slopes), rtol=1e-11)
        run = sb.scalar_function([x, y], expr, wrt=[x, y], functions=given, accumulation=accumulation)
        value, gradient = run(float(a), float(b))
        np.testing.assert_allclose([value, *gradient], [float(known.subs(numbers)), *slopes], rtol=1e-11)


@pytest.mark.parametrize("expr", EXPRESSIONS[:4] + EXPRESSIONS[5:6], ids=str)
def test_second_derivatives(expr: Any) -> None:
    _, _, found = sb.scalar_function([x, y], expr, wrt=[x, y], order=2, functions=ALL)(0.3, 0.7)
    wanted = sympy.hessian(plain(expr), [x, y]).subs({x: 0.3, y: 0.7})
    np.testing.assert_allclose(found, np.array(wanted, dtype=float), rtol=1e-11, atol=1e-14)


def test_an_application_is_called_once_for_value_and_derivatives() -> None:
    calls: list[str] = []
    given = {"f": (lambda u: calls.append("f") or np.sin(u), lambda u: calls.append("df") or np.cos(u))}
    run = sb.scalar_function([x, y], [f(x * y) ** 2, f(x * y) + f(y * x)], wrt=[x, y], functions=given)
    run(0.3, 0.7)
    assert sorted(calls) == ["df", "f"]
    calls.clear()
    run(np.ones((3, 5)), 2.0)
    assert sorted(calls) == ["df", "f"]


def test_shared_parts_below_applications_stay_shared() -> None:
    part = x
    for _ in range(2000):
        part = sympy.Add(sympy.Mul(f(part), y, evaluate=False), part, evaluate=False)
    run = sb.scalar_function(
        [x, y], part, wrt=[x], functions={"f": (lambda u: u / 8, lambda u: np.full_like(u, 0.125))}
    )
    value, slope = run(1.0, 0.001)
    np.testing.assert_allclose([value, *slope], [1.000125**2000] * 2, rtol=1e-10)
    assert run.operations < 5 * 6000


def test_nodes_with_functions_are_taken() -> None:
    node = sb.from_sympy(f(x) * g(x, y))
    found = sb.scalar_function([x, y], node, wrt=[x], functions=ALL)(0.3, 0.7)
    np.testing.assert_allclose(found[0], np.sin(0.3) * 0.3 * 0.7**3)
    np.testing.assert_allclose(found[1], [np.cos(0.3) * 0.3 * 0.7**3 + np.sin(0.3) * 0.7**3])


def test_names_of_functions_meet_no_others() -> None:
    names = ["sin", "choose", "v1", "out", "sigmoid", "max", "special", "at_points", "x"]
    terms = [Function(name)(x) * (k + 1) for k, name in enumerate(names)]
    expr = sum(terms) + sin(x) + sympy.Max(x, y) + sympy.Piecewise((x, x > y), (y, True)) + sin(x) * cos(x) ** sin(x)
    node = sb.from_sympy(expr) + sb.sigmoid(sb.tensor("x"))
    run = sb.scalar_function([x, y], node, functions=dict.fromkeys(names, np.cos))
    wanted = (
        45 * np.cos(0.3) + np.sin(0.3) + 0.7 + 0.7 + np.sin(0.3) * np.cos(0.3) ** np.sin(0.3) + 1 / (1 + np.exp(-0.3))
    )
    np.testing.assert_allclose([run(0.3, 0.7), run(np.array([0.3]), 0.7)[0]], [wanted] * 2)
    assert sb.scalar_function([x], f(x), functions={"f": np.sin}).name == "function"
    assert sb.scalar_function([x, Symbol("f")], f(x) * Symbol("f"), functions={"f": np.sin})(0.5, 2.0) == 2 * np.sin(
        0.5
    )


def test_the_module_makes_the_function_of_given_ones(tmp_path: Path) -> None:
    run = sb.scalar_function([x, y], f(x) * sin(y), wrt=[x, y], functions=ALL, name="slope")
    assert "Calls f; df, the derivative of f." in (run.__doc__ or "")
    assert pickle.loads(pickle.dumps(sb.scalar_function([x], f(x), functions={"f": np.sin})))(0.5) == np.sin(0.5)
    run.save(tmp_path / "slope.py")
    script = "import sys, numpy as np, slope; made = slope.make_slope(np.sin, np.cos); print(*made(0.3, 0.7)[1]); " \
             "assert 'symback' not in sys.modules; slope.make_slope(np.sin, 3)"  # fmt: skip
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    np.testing.assert_allclose([float(word) for word in done.stdout.split()], run(0.3, 0.7)[1])
    assert "InputError: df must be a function, not 3" in done.stderr


@pytest.mark.parametrize(
    ("expr", "functions", "kind", "reason"),
    [
        (f(x), None, errors.InputError, r"scalar_function: f is undefined; .*functions=\{'f': a NumPy function\}"),
        (f(x), {"f": np.sin}, errors.InputError, r"scalar_function: the derivative of f .*\{'f': \(f, df\)\}"),
        (g(x, y), {"g": PRODUCT[:1]}, errors.InputError, "the partial derivative of g by argument 1 is needed"),
        (f(x), {"f": 3}, errors.InputError, "scalar_function: functions=.* cannot be used"),
        (f(x), 3, errors.InputError, "scalar_function: functions=3 cannot be used"),
        (f(x) + f(x, y), ALL, errors.InvalidNameError, "two different functions are called 'f'"),
        (f(), ALL, errors.UsageError, r"f\(\) has no arguments"),
        (Function("a'")(x), ALL, errors.InvalidNameError, "no ASCII identifier"),
        (sympy.elliptic_k(x), ALL, errors.UsageError, "elliptic_k"),
        (Rate(x, y), {"Rate": np.hypot}, errors.InputError, "the partial derivative of Rate by argument 2"),
    ],
    ids=lambda value: str(value)[:20],
)  # fmt: skip
def test_what_is_refused_in_straight_line_code(expr: Any, functions: Any, kind: type[Exception], reason: str) -> None:
    with pytest.raises(kind, match=reason):
        sb.scalar_function([x, y], expr, wrt=[x, y], functions=functions)


def test_a_function_that_is_not_entry_by_entry_is_refused() -> None:
    run = sb.scalar_function([x], f(x), functions={"f": np.sum})
    with pytest.raises(errors.InputError, match="f must work entry by entry"):
        run(np.ones(3))


def test_a_class_of_a_function_of_sympy_is_that_function() -> None:
    assert sb.scalar_function([x], Sine(x))(0.5) == sb.lambdify([x], Sine(x))(0.5) == np.sin(0.5)


# -- checks of gradients ----------------------------------------------------------------------------------


LOSS = f(x * y) ** 2 + g(x, f(y))
THIRD = {
    "f": (*SINE, lambda u: -np.cos(u)),
    "g": (
        *PRODUCT,
        (((lambda a, b: 0 * a, lambda a, b: 0 * a), (None, lambda a, b: 6 * b)), (None, (None, lambda a, b: 6 * a))),
    ),
}


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("expr", [LOSS, Cube(x * y) * f(x), Rate(x * y, 2) + f(y)], ids=str)
def test_gradients_by_given_functions_are_checked(expr: Any, order: int) -> None:
    given = {**THIRD, "Rate": lambda a, b: np.exp(a * b)}
    assert sb.check_grad(expr, [x, y], functions=given, order=order).passed
    assert sb.check_grad(sb.from_sympy(expr), sb.tensor("x"), functions=given, order=order).passed


def test_a_wrong_derivative_of_a_given_function_is_found() -> None:
    for wrong in ({"f": (np.sin, np.sin)}, {"f": {0: np.sin, 1: lambda u: 1.001 * np.cos(u)}}):
        assert not sb.check_grad(f(x) * y, [x, y], functions=wrong).passed
    assert not sb.check_grad(g(x, y), [x, y], functions={"g": (PRODUCT[0], PRODUCT[1][::-1])}).passed


def test_functions_of_arrays_are_checked_and_minimised() -> None:
    n, i = symbols("n i", integer=True, positive=True)
    u = sympy.IndexedBase("u", shape=(n,))
    loss = sb.from_sympy(sympy.Sum(f(u[i]) + u[i] ** 2, (i, 0, n - 1)))
    v = sb.tensor("u", ("n",))
    assert sb.check_grad(loss, v, functions=ALL).passed
    at = np.array([0.3, -0.7])
    problem = sb.objective(loss, v, functions=ALL, sizes={"n": 2})
    np.testing.assert_allclose(problem.fun(at), np.sum(np.sin(at) + at**2))
    np.testing.assert_allclose(problem.jac(at), np.cos(at) + 2 * at)
    np.testing.assert_allclose(problem.hess(at), np.diag(2 - np.sin(at)), atol=1e-15)
    np.testing.assert_allclose(problem.hessp(at, [1.0, 2.0]), (2 - np.sin(at)) * [1.0, 2.0])


def test_what_checks_and_objectives_refuse() -> None:
    with pytest.raises(errors.InputError, match="check_grad: the derivative of f is needed and not given"):
        sb.check_grad(f(x), x, functions={"f": np.sin})
    with pytest.raises(errors.InputError, match="check_grad: the second derivative of f is needed"):
        sb.check_grad(f(x), x, functions={"f": SINE[:2]}, order=2)
    with pytest.raises(errors.UsageError, match=r"g has no value: it is undefined.*likewise in sb.check_grad"):
        sb.check_grad(f(x) * g(x, y), x, functions={"f": SINE})
    with pytest.raises(errors.InputError, match="check_grad: functions=3 cannot be used"):
        sb.check_grad(f(x), x, functions=3)  # type: ignore[arg-type]
    with pytest.raises(errors.UsageError, match="functions= is for a loss"):
        sb.check_grad(fun=np.sum, grad=np.ones_like, at=np.ones(2), functions=ALL)
    with pytest.raises(errors.InputError, match="objective: functions=3 cannot be used"):
        sb.objective(f(x), x, functions=3)  # type: ignore[arg-type]
    problem = sb.objective(f(x), x, functions={"f": SINE[:2]})
    np.testing.assert_allclose(problem.jac([0.5]), [np.cos(0.5)])
    with pytest.raises(errors.InputError, match="objective: the second derivative of f is needed"):
        problem.hess([0.5])
