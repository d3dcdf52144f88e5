"""The oracle and the gradient checker: right where the gradient is right, and never where it is wrong."""

import math
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

import symback as sb
from symback import errors
from symback.check.arithmetic import WIDE, HighPrecision
from symback.check.evaluate import evaluate, evaluate_all, function_of
from symback.check.gradient import check_grad
from symback.check.ladder.differences import EPS, derivative, noise_of
from symback.check.primitive import check_primitive
from symback.check.reports.report import html_table, text_table
from symback.derive.reverse import grad
from symback.nodes.node import Node
from symback.op.declare import elementwise, primitive
from symback.ops.creation import filling as creation
from symback.ops.elementwise import exponential, logic, powers, trigonometric
from symback.ops.indexing import getitem as indexing
from symback.ops.products import diagonals, einsum
from symback.ops.reductions import extrema, softmax
from symback.ops.reductions import sums as reduction
from symback.ops.shaping import joining
from symback.ops.shaping import reshaping as shaping

tensor, let = creation.tensor, creation.let


# -- the oracle ---------------------------------------------------------------------------------


def test_sizes_are_read_from_the_arrays() -> None:
    X, w = tensor("X", ("N", "n")), tensor("w", ("n",))
    mean = reduction.sum(X @ w) / creation.size("N")
    values = np.arange(6.0).reshape(2, 3), np.array([1.0, -1.0, 2.0])
    assert evaluate(mean, {"X": values[0], w: values[1]}) == (values[0] @ values[1]).mean()


def test_static_parameters_with_sizes_become_integers() -> None:
    x = tensor("x", ("n", 2))
    rows = shaping.reshape(x, (-1,))[1:]
    array = np.arange(8.0).reshape(4, 2)
    np.testing.assert_array_equal(evaluate(rows, {"x": array}), array.reshape(-1)[1:])
    (slope,) = grad(reduction.sum(rows), [x])
    np.testing.assert_array_equal(evaluate(slope, {x: array}).reshape(-1), [0, *[1] * 7])


def test_a_list_gives_a_list_and_numbers_become_arrays() -> None:
    x = tensor("x")
    results = evaluate([x, creation.constant(2), x * 0.5], {"x": 3})
    assert [float(r) for r in results] == [3.0, 2.0, 1.5]
    assert [str(r.dtype) for r in results] == ["float64", "int64", "float64"]


def test_exact_numbers_are_weak() -> None:
    x = tensor("x", (2,), dtype="float32")
    value = evaluate(x * 0.1 + 1, {"x": np.ones(2, np.float32)})
    assert value.dtype == np.float32
    np.testing.assert_array_equal(value, np.ones(2, np.float32) * 0.1 + 1)


def test_an_exact_number_beyond_every_float_is_infinite() -> None:
    x = tensor("x")
    assert evaluate(x * sb.constant(2.0**1000) * sb.constant(2.0**1000), {"x": 1.0}) == math.inf


def test_the_branch_not_taken_gives_no_warning() -> None:
    x = tensor("x", (2,))
    np.testing.assert_array_equal(
        evaluate(logic.where(x > 0, exponential.log(x), 0), {"x": np.array([0.0, 1.0])}), [0, 0]
    )


def test_intermediate_nodes_can_be_bound() -> None:
    x = tensor("x")
    z = let("z", exponential.exp(x))
    assert evaluate(z * z, {z: 3.0}) == 9.0
    assert function_of(z * z + x, z, {"x": 1.0})(5.0) == 26.0


def test_a_function_of_a_node_the_output_lacks_is_constant() -> None:
    x, y = tensor("x"), tensor("y")
    assert function_of(x * x, y, {"x": 3.0, y: 0.0})(7.0) == 9.0


def test_deep_graphs_are_walked_without_recursion() -> None:
    x = tensor("x")
    node: Node = x
    for _ in range(5_000):
        node = trigonometric.sin(node) + x
    assert np.isfinite(evaluate(node, {"x": 0.5}))


def test_repeated_output_labels_write_to_a_diagonal() -> None:
    x = tensor("x", ("n",))
    np.testing.assert_array_equal(evaluate(diagonals.diag(x), {"x": [1.0, 2.0]}), [[1, 0], [0, 2]])


def test_high_precision_has_its_digits_and_leaves_the_global_precision_alone() -> None:
    before = mpmath.mp.dps
    x = tensor("x", (2,))
    value = evaluate(exponential.exp(x * creation.constant(1) / 3), {"x": np.array([1.0, 2.0])}, HighPrecision(50))
    with mpmath.workdps(60):
        wanted = [mpmath.exp(mpmath.mpf(1) / 3), mpmath.exp(mpmath.mpf(2) / 3)]
        assert all(abs(mpmath.mpf(a) - b) < mpmath.mpf(10) ** -50 for a, b in zip(value, wanted, strict=True))
    assert mpmath.mp.dps == before


def test_high_precision_covers_every_kind_of_node() -> None:
    X, k = tensor("X", ("m", 3), dtype="float32"), tensor("k", (3,), dtype="int64")
    b = X > 0
    graph = [
        einsum.einsum("ij,kj->ik", X, X), joining.concatenate([X, 2 * X]), X[::-1, 1:], logic.where(b, X, False),
        extrema.max(X, axis=0), softmax.logsumexp(X, axis=1), X * k, logic.astype(X, "int64"),
        logic.astype(b, "float32"), logic.astype(X, "bool"),
        reduction.sum(b, axis=0), creation.size("m") * X, diagonals.diag(X[0]), b, -X / 3,
    ]  # fmt: skip
    point = {"X": np.array([[1.5, -2.25, 0.5], [0.0, 4.0, -0.75]], np.float32), "k": np.array([1, 2, 3])}
    for node, exact, plain in zip(graph, evaluate(graph, point, HighPrecision()), evaluate(graph, point), strict=True):
        assert exact.shape == plain.shape
        assert exact.dtype == (bool if node.dtype == bool else object)
        np.testing.assert_allclose(exact.astype(float), plain, rtol=1e-6)


def test_what_has_no_real_value_is_not_a_number_in_high_precision() -> None:
    x = tensor("x", (2,))
    value = evaluate([powers.sqrt(x), 1 / x], {"x": np.array([-1.0, 0.0])}, HighPrecision())
    assert [mpmath.isnan(v) for v in value[0]] == [True, False]
    assert mpmath.isnan(value[1][1])


def test_wide_arithmetic_computes_float32_in_float64() -> None:
    x = tensor("x", (2,), dtype="float32")
    value = evaluate(
        exponential.exp(logic.astype(logic.astype(x, "float64"), "float32")), {"x": np.float32([0.1, 0.2])}, WIDE
    )
    assert value.dtype == np.float64
    np.testing.assert_array_equal(value, np.exp(np.float32([0.1, 0.2]).astype(float)))


@pytest.mark.parametrize("dtype", ["bool", "int8", "int64"])
def test_functions_of_integers_are_computed_in_the_declared_dtype(dtype: str) -> None:
    x = tensor("x", (2,), dtype=dtype)
    value = evaluate(exponential.exp(x), {"x": np.array([0, 1], dtype)})
    assert value.dtype == np.float64
    np.testing.assert_array_equal(value, np.exp(np.array([0.0, 1.0])))


SIZED = tensor("X", ("n", 3)), tensor("y", ("n",))


@pytest.mark.parametrize(
    ("bindings", "kind", "words"),
    [
        ({"X": np.ones((2, 3))}, errors.InputError, ["y", "not among the inputs"]),
        ({"X": np.ones((2, 3)), "y": np.ones(2), "q": 1}, errors.InputError, ["'q'", "X, y"]),
        ({"X": np.ones((2, 3)), "y": np.ones(4)}, errors.ShapeError, ["y (n,)", "(4,)", "n is 2 in X"]),
        ({"X": np.ones((2, 4)), "y": np.ones(2)}, errors.ShapeError, ["X (n, 3)", "(2, 4)"]),
        ({"X": np.ones(3), "y": np.ones(2)}, errors.ShapeError, ["X (n, 3)", "(3,)"]),
        ({"X": np.ones((2, 3)), "y": np.ones(2) * 1j}, errors.DtypeError, ["y has dtype float64", "complex128"]),
        ({"X": [["a"] * 3] * 2, "y": np.ones(2)}, errors.DtypeError, ["X has dtype float64"]),
    ],
)
def test_bindings_that_do_not_fit_are_named(bindings: Any, kind: type, words: list[str]) -> None:
    X, y = SIZED
    with pytest.raises(kind) as caught:
        evaluate(reduction.sum(X, axis=1) * y, bindings)
    assert all(word in str(caught.value) for word in words), caught.value


def test_a_float64_array_is_not_narrowed_silently() -> None:
    x = tensor("x", (2,), dtype="float32")
    with pytest.raises(errors.DtypeError, match="its value float64"):
        evaluate(x, {"x": np.ones(2)})
    assert evaluate(x, {"x": [1.0, 2.0]}).dtype == np.float32


def test_a_size_that_nothing_binds_is_named() -> None:
    with pytest.raises(errors.InputError, match="size 'n'"):
        evaluate(creation.ones(("n",)), {})


@pytest.mark.usefixtures("own_registry")
@pytest.mark.parametrize("wrong", ["shape", "dtype"])
def test_a_graph_that_declares_the_wrong_thing_is_caught(wrong: str) -> None:
    twice = primitive(
        "twice_wrong",
        signature=lambda x: ((2, *x.shape), x.dtype) if wrong == "shape" else (x.shape, np.dtype("float32")),
        numpy="{0}", value=lambda x: 2 * x, latex="2 {0}", examples=(lambda make: twice(make("x", (2,))),),
        doc="A mistake.",
    )  # fmt: skip
    x = tensor("x", (3,))
    with pytest.raises(errors.InconsistentGraphError, match=r"twice_wrong.*declares"):
        evaluate(twice(x), {"x": np.ones(3)})


def test_a_kind_of_node_without_a_rule_is_refused() -> None:
    class Unheard(Node):
        __slots__ = ()

    node = Unheard.make((creation.constant(1.0),), (), np.dtype("float64"))
    with pytest.raises(errors.InputError, match="Unheard"):
        evaluate_all([Unheard.make((node, node), (), np.dtype("float64"))], {})


@pytest.mark.usefixtures("own_registry")
def test_a_primitive_without_mpmath_is_named_in_high_precision() -> None:
    plain = elementwise("plain_cos", derivative=None, numpy="np.cos", latex=r"\cos", domain=((-1, 1),), doc="Cosine.")
    x = tensor("x")
    assert evaluate(plain(x), {"x": 0.0}) == 1.0
    with pytest.raises(errors.InputError, match=r"plain_cos .*mpmath="):
        evaluate(plain(x), {"x": 0.0}, HighPrecision())


# -- differences ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "slope", "scale"),
    [
        (math.sin, 1.0, 1.0),
        (lambda t: math.exp(3 + t), math.exp(3), 3.0),
        (lambda t: math.sin(1e6 * t), 1e6, 1.0),
        (lambda t: math.log(1e-6 + t) if t > -1e-6 else math.nan, 1e6, 1.0),
        (lambda t: 1e7 + t, 1.0, 1.0),
        (lambda t: (t + 1e6) ** 2, 2e6, 1e6),
        (lambda t: 0.0, 0.0, 1.0),
    ],
)
def test_differences_know_their_error(function: Callable[[float], float], slope: float, scale: float) -> None:
    found = derivative(function, scale=scale, noise=noise_of(function, 1e-9))
    assert abs(found.value - slope) <= found.tolerance
    assert found.tolerance <= 1e-5 * max(slope, 1e-2)


def test_noise_is_measured() -> None:
    rng = np.random.default_rng(0)
    assert 1e-6 / 3 < noise_of(lambda t: math.sin(t) + 1e-6 * rng.standard_normal(), 1.0) < 3e-6
    assert noise_of(lambda t: 5.0 + t, 1.0) <= 20 * EPS
    assert math.isnan(noise_of(lambda t: math.nan, 1.0))


# -- reports ------------------------------------------------------------------------------------------


def test_a_report_prints_as_a_table() -> None:
    x = tensor("x", ("n",))
    report = check_grad(reduction.sum(x**2), x)
    header, rule, row, verdict = str(report).splitlines()
    assert header.startswith("variable")
    assert len(rule) >= len(header.rstrip())
    assert row.startswith("x ")
    assert row.endswith("passed")
    assert "passed" in verdict
    assert repr(report) == str(report)
    assert "<table>" in report._repr_html_()
    assert report.to_dict()["rows"][0]["name"] == "x"
    assert report.to_dict()["passed"] is True
    report.raise_if_failed()


def test_tables_are_aligned_and_escaped() -> None:
    assert text_table(["a", "b"], [["x", "1"], ["long", "22"]]).splitlines() == [
        "a      b", "----  --", "x      1", "long  22",
    ]  # fmt: skip
    assert "&lt;script&gt;" in html_table("c", ["a"], [["<script>"]])


# -- check_primitive --------------------------------------------------------------------------------


def declare(name: str, **changes: Any) -> Callable[..., Node]:
    """Declare a hyperbolic tangent with something changed."""
    right: dict[str, Any] = {
        "derivative": lambda y, x: 1 - y**2, "numpy": "np.tanh", "mpmath": "tanh", "latex": r"\tanh",
        "domain": ((-2.0, 2.0),), "doc": "Hyperbolic tangent.",
    }  # fmt: skip
    return elementwise(name, **{**right, **changes})


@pytest.mark.usefixtures("own_registry")
def test_a_right_primitive_of_a_user_passes() -> None:
    declare("my_tanh")
    report = check_primitive("my_tanh")
    report.raise_if_failed()
    assert "second order" in str(report)
    declare("my_tanh_without_digits", mpmath=None)
    check_primitive("my_tanh_without_digits").raise_if_failed()


@pytest.mark.usefixtures("own_registry")
@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({"derivative": lambda y, x: (1 - y) ** 2}, "gradient against differences"),
        ({"derivative": lambda y, x: (1 + 1e-4) * (1 - y**2)}, "gradient against differences"),
        ({"mpmath": "sinh"}, "value against mpmath"),
        ({"mpmath": lambda mp, x: mp.tanh(x) * (1 + mp.mpf(10) ** -13)}, "value against mpmath"),
        ({"linear": True}, "linearity"),
        ({"derivative": lambda y, x: 1 - logic.stop_gradient(y) ** 2}, "second order"),
        ({"derivative": None, "differentiable": False}, "gradient against differences"),
    ],
)
def test_a_wrong_declaration_is_found(changes: dict[str, Any], check: str) -> None:
    declare("wrong_tanh", **changes)
    report = check_primitive("wrong_tanh", dtypes=["float64"])
    assert not report.passed
    assert check in {row.check for row in report.rows if not row.passed}
    assert "FAILED" in str(report)
    with pytest.raises(errors.CheckFailedError, match="primitive 'wrong_tanh' fails the check"):
        report.raise_if_failed()


@pytest.mark.usefixtures("own_registry")
@pytest.mark.parametrize("wrong", ["lead axes", "transpose", "linear"])
def test_a_wrong_structural_declaration_is_found(wrong: str) -> None:
    rules: dict[str, Any] = {
        "lead axes": lambda g, node: (flip(g, tuple(range(len(g.shape)))),),
        "transpose": lambda g, node: (g,),
        "linear": lambda g, node: (flip(g, (-1,)),),
    }
    flip = primitive(
        "flip_axes", signature=lambda x, axes: (x.shape, x.dtype), vjp=rules[wrong], linear=True,
        numpy=lambda spell, operands, parameters: f"np.flip({operands[0]})",
        value=lambda x, axes: np.flip(x, axes) + (1 if wrong == "linear" else 0), latex="{0}",
        examples=(lambda make: flip(make("x", (3,)), (-1,)), lambda make: flip(make("x", (2, 3)), (-1,))),
        doc="Entries in reverse.",
    )  # fmt: skip
    report = check_primitive("flip_axes")
    check = {"lead axes": "cotangents with leading axes", "transpose": "gradient against differences"}
    assert check.get(wrong, "linearity") in {row.check for row in report.rows if not row.passed}


def test_an_unknown_primitive_is_named() -> None:
    with pytest.raises(errors.InputError, match="'no_such_thing'"):
        check_primitive("no_such_thing")


def test_slices_are_imported_for_getitem() -> None:
    assert evaluate(indexing.getitem(tensor("x", (3,)), 1), {"x": [1.0, 2.0, 3.0]}) == 2.0


def test_the_oracle_takes_any_structure_of_nodes():
    s = sb.tensor("s")
    found = evaluate((s, [s + 1], {"twice": 2 * s, "number": 3}), {"s": 1.5})
    assert found == (1.5, [2.5], {"twice": 3.0, "number": 3})


@pytest.mark.parametrize("given", [None, [], np.ones(2)])
def test_values_are_given_by_variable_or_name(given):
    x = sb.tensor("x", (2,))
    with pytest.raises(errors.UsageError, match=r"evaluate: the values are given as .*; give a dict from variables"):
        evaluate(x, given)
    if given is not None:
        with pytest.raises(errors.UsageError, match="check_grad: the values are given as"):
            sb.check_grad(sb.sum(x), x, at=given)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_oracle_takes_numbers_as_operands_of_structural_primitives(dtype):
    b = sb.tensor("b", (4,), dtype=dtype)
    assert sb.check_grad(sb.exp(b)[0], b).passed
    assert sb.check_grad(sb.sum(sb.stack([b[0], 1.5, b[1]]) ** 2), b).passed
