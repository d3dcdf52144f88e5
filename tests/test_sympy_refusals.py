"""SymPy expressions and nodes that have no counterpart are refused by name, with what works instead."""

from typing import Any

import pytest
import sympy
from sympy import Symbol, symbols

import symback as sb
from symback import errors
from symback.interop.symbolic.bridge import from_sympy
from symback.interop.symbolic.into_sympy import to_sympy
from symback.nodes.leaves import exact
from symback.nodes.node import Node

x, y = symbols("x y")
C = Symbol("c", complex=True)
X = sb.tensor("x")


@pytest.mark.parametrize(
    ("expr", "reason"),
    [
        (sympy.LambertW(x), "cannot convert LambertW .* declare it with sb.elementwise"),
        (sympy.airyai(x), "cannot convert airyai"),
        (sympy.Limit(x, x, y), "cannot convert Limit .* evaluate it with .doit"),
        (sympy.Poly(x**2), r"cannot convert Poly .* write it as an expression, .as_expr\(\)"),
        (sympy.Tuple(x, y), "cannot convert Tuple .* give a list of expressions"),
        (sympy.re(x), "cannot convert re .* symbols stand for real numbers"),
        (sympy.Integral(sympy.exp(-(x**2)), x), "cannot convert Integral .* evaluate it with .doit"),
        (sympy.Derivative(sympy.LambertW(x), x), "cannot convert LambertW"),
        (x * sympy.I, "cannot convert ImaginaryUnit"),
        (sympy.zoo, "cannot convert ComplexInfinity"),
        (sympy.log(-2, evaluate=False), "only real constants are supported"),
        (sympy.Order(x), "cannot convert Order .* no real scalar of elementary functions, and no matrix"),
        (sympy.Lambda(x, x + 1), "cannot convert Lambda"),
        (sympy.Interval(0, 1), "cannot convert Interval"),
        (sympy.Implies(x > 1, y > 1), "cannot convert Implies"),
        (Symbol("i", imaginary=True), "symbols stand for real numbers"),
        (Symbol("M", commutative=False), "symbols stand for real numbers"),
        (sympy.exp(sb.tensor("v", (3,))), "cannot convert a node with axes .*SymPy knows no shapes"),
        ("x + 1", "cannot use str in a graph"),
        (None, "cannot use NoneType in a graph"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_has_no_counterpart_is_refused_by_name(expr: Any, reason: str) -> None:
    with pytest.raises(errors.UsageError, match=reason):
        from_sympy(expr)


def test_a_refusal_of_a_large_expression_is_short() -> None:
    e = x
    for _ in range(60):
        e = sympy.Mul(sympy.sin(e, evaluate=False), e, evaluate=False)
    with pytest.raises(errors.UsageError, match=r"cannot convert LambertW; there is no such"):
        from_sympy(sympy.LambertW(e, evaluate=False))


@pytest.mark.parametrize(
    "expr", [sympy.Abs(C), C * sympy.conjugate(C), sympy.sign(C + x) * x, sympy.Abs(sympy.sin(C)) ** 2], ids=str
)
def test_what_has_no_complex_derivative_is_refused_of_complex_symbols(expr: sympy.Expr) -> None:
    for call in (lambda: sb.grad(expr, C), lambda: sb.scalar_function([C, x], expr, wrt=[C])):
        with pytest.raises(errors.UsageError, match=r"a symbol in it is complex, .* make the symbol with real=True"):
            call()
    assert sb.grad(C**2 * sympy.Abs(x), C) == 2 * C * sympy.Abs(x)


def test_a_size_is_no_input_and_no_variable() -> None:
    n = Symbol("n")
    loss = n * sympy.Trace(sympy.MatrixSymbol("A", n, n))
    with pytest.raises(errors.InputError, match=r"n is a size, .* leave it out of the inputs"):
        sb.lambdify([sympy.MatrixSymbol("A", n, n), n], loss)
    with pytest.raises(errors.DtypeError, match=r"with respect to n: it is a size .* use another symbol for a number"):
        sb.grad(loss, n)


def test_matrices_of_one_name_and_two_shapes_are_refused() -> None:
    loss = sympy.Trace(sympy.MatrixSymbol("A", 2, 2)) + sympy.Trace(sympy.MatrixSymbol("A", 3, 3))
    with pytest.raises(errors.InvalidNameError, match=r"called 'A' \(their kinds, shapes or assumptions differ"):
        sb.from_sympy(loss)


@pytest.mark.parametrize(
    ("node", "reason"),
    [
        (sb.stop_gradient(X) * X, "SymPy has no counterpart of stop_gradient"),
        (
            X.astype("float32"),
            r"SymPy has no counterpart of astype\(float32\); sb.lambdify, sb.dumps and sympy.latex take",
        ),
        (sb.isnan(X), "SymPy has no counterpart of isnan; sb.lambdify, sb.dumps and sympy.latex take"),
        (exact(-0.0), "SymPy has no negative zero"),
        (sb.divide(X, exact(0)), r"no real number \(it holds zoo\)"),
        (sb.sqrt(exact(-1)) * X, r"no real number \(it holds I\)"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_node_without_counterpart_is_refused(node: Node, reason: str) -> None:
    with pytest.raises(errors.UsageError, match=reason):
        to_sympy(node)


def test_a_graph_too_deep_for_sympy_is_refused() -> None:
    node = matrix = sb.tensor("A", (2, 2))
    for _ in range(400):
        node = sb.sin(node) @ matrix
    with pytest.raises(errors.UsageError, match="SymPy recurses over its depth, which is too large: pass pairs=True"):
        to_sympy(node)
