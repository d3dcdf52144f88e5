"""Straight-line code passes `ruff check` and `ruff format --check` without settings, and reads as one writes it."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import sympy
from sympy import Abs, Float, Function, Max, Mod, Piecewise, Rational, erf, exp, log, sin, sqrt

import symback as sb
from benchmarks.robots import inverse_dynamics, reprojection, speelpenning
from symback.scalar.function import ScalarFunction
from test_emitted_style import complaints, needs_ruff

x, y, z = sympy.symbols("x y z")


def robots() -> Iterator[tuple[str, ScalarFunction]]:
    """Yield the programs that are measured."""
    for name, formula in (("product", speelpenning(100)), ("camera", reprojection()), ("arm", inverse_dynamics(4))):
        symbols = sympy.symbols(list(formula.names))
        outputs = formula.program(sympy, *symbols)
        yield name, sb.scalar_function(symbols, outputs, wrt=symbols[: formula.wrt], name=name)


def emitted() -> Iterator[tuple[str, ScalarFunction]]:
    """Yield programs: with helpers, with functions of one's own, with long names, of numbers alone."""
    yield from robots()
    choices = Piecewise((sqrt(x), x > 0), (-Rational(7, 3) * y**2, y <= z), (Max(x, y, z) - 10**20 * z, True))
    roots = sqrt(x**2 + y**2 + z**2) + Abs(y) ** Rational(5, 3) + log(1 + exp(x)) + erf(x) + sympy.atan2(x, y)
    yield "helpers", sb.scalar_function([x, y, z], choices + roots, wrt=[x, y, z], order=2)
    f, g = Function("f"), Function("g")
    told = {"f": (np.sin, np.cos), "g": lambda a, b: a + b}
    yield "own", sb.scalar_function([x, y], [f(x * y) ** 2, f(g(x, y)) + 1], functions=told)
    yield "derived", sb.scalar_function([x, y], f(x * y) ** 2, wrt=[x, y], functions=told, name="derived")
    names = sympy.symbols([f"an_input_with_a_name_that_is_rather_long_{k}" for k in range(9)])
    long = sum((sin(a * b) / (1 + exp(b)) for a in names for b in names[:4]), Mod(names[0], 3))
    yield "long", sb.scalar_function(names, [long, *names], wrt=names, name="a_function_with_a_name_that_is_long")
    alike = sympy.symbols([f"an_input_with_a_name_that_is_rather_long_and_still_longer_than_others_{k}" for k in "ab"])
    yield "longer", sb.scalar_function(alike, sin(alike[0] * alike[1]) * (alike[0] - alike[1]) ** 2, wrt=alike)
    yield "numbers", sb.scalar_function([x], [sympy.Integer(1), x, sympy.pi, Float("-1e-20"), Rational(1, 3)], wrt=[x])
    yield "many", sb.scalar_function([x, y], [(x + k) * y**k for k in range(70)], wrt=[x, y], threads=2)


@needs_ruff
def test_ruff_has_nothing_to_say_of_straight_line_code(tmp_path: Path) -> None:
    for name, function in emitted():
        (tmp_path / f"{name}.py").write_text(function.source, encoding="utf-8")
    assert complaints(tmp_path) == ""


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        (x - 10**20 * y, "x - 1e20 * y"),
        (x + Float("1e200") * y, "x + 1e200 * y"),
        (x * y - 3, "x * y - 3"),
        (x - Rational(1, 3), "x - 1 / 3"),
        (x - 3 * y / 7, "x - 3 / 7 * y"),
        (x - (y - 2), "x - y + 2"),
    ],
)
def test_numbers_are_spelled_as_one_writes_them(formula: sympy.Expr, text: str) -> None:
    function = sb.scalar_function([x, y], formula)
    assert f"out[0] = {text}\n" in function.source
    assert function(0.3, 0.7) == pytest.approx(float(formula.subs({x: 0.3, y: 0.7})), rel=1e-15)


def test_the_zeros_of_a_sparse_hessian_take_no_lines() -> None:
    symbols = sympy.symbols("x0:40")
    chain = sum(sin(a * b) for a, b in pairwise(symbols))
    function = sb.scalar_function(symbols, chain, wrt=symbols, order=2)
    assert "] = 0.0\n" not in function.source
    points = [np.linspace(0.1 * k, 2, 20_000) for k in range(40)]
    hessian, point = function(*points)[2], [float(values[-3]) for values in points]
    np.testing.assert_allclose(hessian[:, :, -3], function(*point)[2], rtol=1e-14)
    apart = np.abs(np.subtract.outer(range(40), range(40))) > 1
    assert not hessian[apart].any()
    assert hessian[~apart].any(axis=1).all()


def test_zeros_alone_have_their_lines() -> None:
    function = sb.scalar_function([x], [sympy.Integer(0)] * 20)
    assert function(2.0).tolist() == [0.0] * 20
    assert not function(np.ones((3, 2))).any()
