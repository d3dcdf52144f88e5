"""Primitives as SymPy and back: all of them, by numbers; what has no counterpart is on a list, and says what to do."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import sympy
from sympy import MatrixSymbol, Symbol

import symback as sb
from symback import errors
from symback.check.cases import cases_of
from symback.interop.symbolic.bridge import from_sympy
from symback.nodes.leaves import Variable
from symback.nodes.node import Node
from symback.op.table import PRIMITIVES

NO_COUNTERPART = {
    "all_over", "any_over", "argmax_over", "argmin_over", "argsort_along", "astype", "cholesky_of",
    "convolve_along", "copysign", "count_nonzero_over", "cross_of", "cumprod_along", "cumsum_along", "det_sign",
    "diag_at", "diff_along", "eigenvalues", "eigenvalues_upper", "eigenvectors", "eigenvectors_upper",
    "flip_along", "gather", "hyp1f1", "integer_function", "isfinite", "isinf", "isnan", "isneginf", "isposinf",
    "left_vectors", "linear_recurrence", "logabsdet", "max_over", "mills_fraction",
    "min_over", "modf_fraction", "modf_whole", "nanmax_over", "nanmin_over", "one_hot_of",
    "orthogonal_factor", "over_gaps", "pad_border", "pad_constant", "pad_zeros", "prod_over",
    "product_of_others", "put_along", "quantile_over", "repeat_along", "replace_nonfinite", "right_vectors",
    "rint", "roll_along", "round_to", "scatter_add", "set_places", "set_slice", "shifted_along", "signbit",
    "sinc_derivative", "singular_values", "sort_along", "stop_gradient", "sum_runs",
    "take_along", "tile_by", "tri_of", "triangular_factor", "tril_at", "triu_at", "unpad",
    "written_last",
}  # fmt: skip
"""What SymPy cannot say in the cases of the generic tests: `det_sign`, for instance, of a stack of matrices."""

WAYS: tuple[Mapping[str, bool], ...] = ({}, {"arrays": True}, {"pairs": True}, {"pairs": True, "arrays": True})


def value_at(node: Node, point: Mapping[str, Any]) -> Any:
    """Evaluate a node where the variables have these values, in the shapes that they have in it."""
    variables = [x for x in node.free_symbols if isinstance(x, Variable)]
    with np.errstate(all="ignore"):
        return np.asarray(sb.evaluate(node, {x: np.reshape(point[x.name], x.shape) for x in variables}), float)


def way_back(node: Node, point: Mapping[str, Any], way: Mapping[str, bool]) -> Any:
    """Write a node as SymPy in one way, read it back, and evaluate it."""
    found = sb.to_sympy(node, **way)
    pairs, (result,) = found if "pairs" in way else ([], [found])
    held = dict(point)
    for symbol, expr in pairs:
        held[str(symbol.name)] = value_at(from_sympy(expr), held)
    return value_at(from_sympy(result), held)


def ways_of(name: str) -> tuple[int, list[str]]:
    """Write and read every case of a primitive in every way; return how many came back right, and what was said."""
    right, said = 0, []
    for case in cases_of(PRIMITIVES[name], "float64", 0):
        if " of " in case.label:  # of constants, which may be singular: their inverse is written all the same
            continue
        point = {x.name: case.point[x] for x in case.variables}
        wanted = value_at(case.node, point)
        for way in WAYS:
            try:
                found = way_back(case.node, point, way)
            except errors.UsageError as refused:
                said.append(str(refused))
                continue
            np.testing.assert_allclose(found.reshape(wanted.shape), wanted, rtol=1e-8, atol=1e-10, err_msg=case.label)
            right += 1
    return right, said


@pytest.mark.parametrize("name", sorted(PRIMITIVES))
def test_a_primitive_comes_back_with_its_value_or_is_refused_with_what_to_do(name: str) -> None:
    right, said = ways_of(name)
    assert bool(right) == (name not in NO_COUNTERPART)
    for reason in said:
        assert reason.startswith("to_sympy: cannot")
        assert "sb.dumps" in reason


@pytest.mark.parametrize(
    "expr",
    [
        sympy.polygamma(0, Symbol("x")),
        sympy.polygamma(2, Symbol("x")),
        sympy.digamma(Symbol("x"), evaluate=False),
        sympy.trigamma(Symbol("x"), evaluate=False),
        sympy.zeta(3, Symbol("x")),
        sympy.zeta(Symbol("x") + 1),
        sympy.sinc(Symbol("x")),
        sympy.sinc(Symbol("x") - sympy.Rational(7, 10)),
        sympy.erfcinv(Symbol("x")),
        sympy.besselj(sympy.Rational(1, 2), Symbol("x")),
        sympy.besseli(1, Symbol("x")),
    ],
    ids=str,
)
def test_special_functions_have_their_value(expr: sympy.Expr) -> None:
    found = value_at(from_sympy(expr), {"x": 0.7})
    wanted = expr.rewrite(sympy.erfinv).doit().subs(Symbol("x"), 0.7).evalf()
    assert float(found) == pytest.approx(float(wanted), rel=1e-12)


# -- matrices of the shape (1, 1), which SymPy takes for numbers ------------------------------------------------

ONE = sb.tensor("x", (1,))
ENTRY = sympy.Trace(MatrixSymbol("x", 1, 1))


@pytest.mark.parametrize(
    ("node", "entry"),
    [
        (sb.floor(ONE), sympy.floor(ENTRY)),
        (sb.relu(ONE), sympy.Max(0, ENTRY)),
        (sb.abs(ONE), sympy.Abs(ENTRY)),
        (sb.special.loggamma(ONE), sympy.loggamma(ENTRY)),
        (sb.exp(2 * ONE), sympy.exp(2 * ENTRY)),
    ],
    ids=str,
)
def test_a_function_of_one_entry_is_a_function_of_the_entry(node: Node, entry: sympy.Expr) -> None:
    assert sb.to_sympy(node) == sympy.MatMul(entry, sympy.OneMatrix(1, 1))


def test_one_entry_changes_its_shape() -> None:
    number, row = sb.tensor("d"), sb.tensor("x", (1, 1))
    assert sb.to_sympy(sb.reshape(row, ())) == ENTRY
    assert sb.to_sympy(sb.grad(sb.sum(3 * sb.reshape(number, (1,))), number)) == 3
    for way in WAYS:
        assert way_back(sb.sin(sb.reshape(row, ())), {"x": 0.3}, way) == np.sin(0.3)


def test_no_rows_of_an_array_are_a_zero_matrix() -> None:
    none = sb.tensor("x", (0,))
    joined = sb.concatenate([none, sb.tensor("y", (2,))])
    assert sb.to_sympy(sb.grad(sb.sum(joined * sb.constant([1.0, 2.0])), none)) == sympy.ZeroMatrix(0, 1)


def test_a_reshaped_array_is_summed_over() -> None:
    table = sb.tensor("A", (2, 3))
    node = sb.sum(sb.reshape(table, (3, 2)), axis=0)
    point = {"A": np.arange(6.0).reshape(2, 3)}
    np.testing.assert_array_equal(way_back(node, point, {"arrays": True}), [6, 9])


# -- what variables become ------------------------------------------------------------------------------------

P, V = sb.tensor("p"), sb.tensor("v", (3,))


def test_variables_become_what_symbols_says() -> None:
    assert sb.to_sympy(P + 2, {P: sympy.S.Zero}) == 2
    assert sb.to_sympy(2 * V, {V: MatrixSymbol("q", 3, 1)}) == 2 * MatrixSymbol("q", 3, 1)
    assert sb.to_sympy(2 * sb.tensor("w", (2,)), {sb.tensor("w", (2,)): sympy.Matrix([1, 2])}) == sympy.Matrix([2, 4])
    shared = sb.sin(P) + 1
    pairs, _ = sb.to_sympy(shared / (2 + shared), {P: Symbol("x0") + Symbol("x2")}, pairs=True)
    assert [symbol.name for symbol, _ in pairs] == ["x1"]


@pytest.mark.parametrize(
    ("symbols", "kind", "reason"),
    [
        ({"p": Symbol("q")}, errors.UsageError, "give a dict from variables .* to expressions of SymPy"),
        ({Symbol("p"): Symbol("q")}, errors.UsageError, "give a dict from variables"),
        ({P: "q"}, errors.UsageError, "give a dict from variables"),
        ({P: None}, errors.UsageError, "give a dict from variables"),
        ([Symbol("p")], errors.UsageError, "give a dict from variables"),
        (
            {P: MatrixSymbol("S", 3, 3)},
            errors.ShapeError,
            r"p of the shape \(\) cannot become S, .* the shape \(3, 3\)",
        ),
        ({V: Symbol("q")}, errors.ShapeError, r"v of the shape \(3,\) cannot become q, which has the shape \(\)"),
        ({V: MatrixSymbol("q", 4, 1)}, errors.ShapeError, r"which has the shape \(4, 1\); .* for a vector a column"),
        ({V: MatrixSymbol("q", 1, 3)}, errors.ShapeError, r"which has the shape \(1, 3\)"),
    ],
    ids=str,
)
def test_what_variables_cannot_become(symbols: Any, kind: type[Exception], reason: str) -> None:
    for node in (P * 2, V * 2):
        with pytest.raises(kind, match=reason):
            sb.to_sympy(node, symbols)
