"""Gradients from several sources side by side, and who is right."""

import json

import numpy as np
import pytest

import symback as sb
from symback import errors
from symback.errors.kinds import UndecidedError

N, H = 4, 3


def network(dtype="float64"):
    """The two-layer network with the logistic function, its variables and a point."""
    x, y = sb.tensor("x", (N,), dtype=dtype), sb.tensor("y", dtype=dtype)
    W1, b1 = sb.tensor("W1", (H, N), dtype=dtype), sb.tensor("b1", (H,), dtype=dtype)
    w2 = sb.tensor("w2", (H,), dtype=dtype)
    loss = (w2 @ sb.sigmoid(W1 @ x + b1) - y) ** 2 / 2
    rng = np.random.default_rng(0)
    drawn = {"W1": (H, N), "b1": (H,), "w2": (H,), "x": (N,), "y": ()}
    return loss, [W1, b1, w2], {name: rng.standard_normal(shape).astype(dtype) for name, shape in drawn.items()}


def backprop(W1, b1, w2, x, y, sign=1):
    a = 1 / (1 + np.exp(-(W1 @ x + b1)))
    d = w2 @ a - y
    dz = d * w2 * a * (1 - a)
    return np.outer(dz, x), sign * dz, d * a


def wrong(W1, b1, w2, x, y):
    return backprop(W1, b1, w2, x, y, sign=-1)


def test_a_sign_that_is_wrong_by_hand_is_found_in_its_column_alone():
    loss, wrt, at = network()
    report = sb.compare(loss, wrt, at, against={"hand": backprop, "sign": wrong})
    assert report.failed
    assert not report.passed
    assert report.wrong == {"sign": ["b1"]}
    assert [column.name for column in report.variables[0].columns] == ["symback", "hand", "sign"]
    (worst, *_) = report.variables[1].worst
    own, hand, sign = worst.values
    assert (own, hand) == pytest.approx((worst.reference,) * 2, rel=1e-14)
    assert sign == pytest.approx(-worst.reference, rel=1e-14)
    with pytest.raises(
        errors.GradientMismatchError, match=r"by b1 is wrong in 'sign'; at \[\d\]: symback .*right: sy.*hand"
    ):
        report.raise_if_failed()


def test_errors_are_given_in_units_of_each_column():
    loss, wrt, at = network()
    single = {"single": lambda *given: [g.astype(np.float32) for g in backprop(*given)]}
    report = sb.compare(loss, wrt, at, against={"hand": backprop, **single})
    assert report.passed
    for compared in report.variables:
        own, hand, rounded = compared.columns
        assert compared.reference == "mpmath"
        assert own.max_ulps < 8
        assert hand.max_ulps < 8
        assert rounded.max_ulps <= 0.51
        assert (own.dtype, rounded.dtype) == ("float64", "float32")
        assert rounded.max_rel_error > 1e-9 > hand.max_rel_error
    report.raise_if_failed()


def test_a_report_prints_side_by_side_and_is_fit_for_json():
    loss, wrt, at = network()
    nan = {"<b>": lambda *given: [np.full_like(g, np.nan) for g in backprop(*given)]}
    report = sb.compare(loss, wrt, at, against={"hand": backprop, **nan})
    header, _, first, *rest = str(report).splitlines()
    assert header.split()[:4] == ["variable", "shape", "column", "dtype"]
    assert first.split()[0] == "W1"
    assert any(line.startswith("WRONG: <b> by W1, b1, w2") for line in rest)
    assert max(map(len, str(report).splitlines())) <= 120
    assert "&lt;b&gt;" in report._repr_html_()
    assert "<b>" not in report._repr_html_()
    found = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert found["wrong"] == {"<b>": ["W1", "b1", "w2"]}
    assert found["variables"][0]["columns"][2]["max_abs_error"] == "nan"


def test_symback_is_not_taken_for_right(own_registry):
    bad = sb.elementwise(
        "bad_cube", derivative=lambda y, x: 2 * x**2, numpy="{0}**3", value=lambda x: x**3,
        mpmath=lambda mp, x: x**3, latex="{0}^3", domain=((-2.0, 2.0),), doc="x cubed.",
    )  # fmt: skip
    x = sb.tensor("x", (2,))
    report = sb.compare(sb.sum(bad(x)), x, {"x": [1.0, 2.0]}, against={"hand": lambda x: 3 * x**2})
    assert report.wrong == {"symback": ["x"]}
    assert report.variables[0].reference == "hand"
    none_right = sb.compare(sb.sum(bad(x)), x, {"x": [1.0, 2.0]}, against={"hand": lambda x: 4 * x**2})
    assert none_right.wrong == {"symback": ["x"], "hand": ["x"]}
    with pytest.raises(errors.GradientMismatchError, match="right: none of them"):
        none_right.raise_if_failed()


@pytest.mark.parametrize(
    "source",
    [
        lambda b, a: (2 * a * b, a**2),  # names in any order
        lambda p, q: (2 * p * q, p**2),  # other names: in the order of at
        lambda *both: (2 * both[0] * both[1], both[0] ** 2),
        lambda **named: {"b": named["a"] ** 2, "a": 2 * named["a"] * named["b"]},
        lambda *, a, b: [2 * a * b, a**2],
        lambda a, b, scale=1.0: [2 * a * b, a**2],
        (np.array([12.0]), np.array([4.0])),
        {"b": [4.0], "a": [12.0]},
        {"b": [4], "a": [12]},
    ],
)
def test_columns_are_functions_by_name_or_position_or_gradients(source):
    a, b = sb.tensor("a", (1,)), sb.tensor("b", (1,))
    report = sb.compare(sb.sum(a**2 * b), [a, b], {"a": [2.0], "b": [3.0]}, against={"hand": source})
    report.raise_if_failed()


def test_functions_of_what_is_differentiated_by_alone():
    loss, wrt, at = network()
    bound = lambda p, q, r: backprop(p, q, r, at["x"], at["y"])  # noqa: E731
    assert sb.compare(loss, {"u": wrt[0], "v": wrt[1], "w": wrt[2]}, at, against={"hand": bound}).passed
    named = {"hand": lambda *given: dict(zip("uvw", bound(*given[:3]), strict=True))}
    assert sb.compare(loss, {"u": wrt[0], "v": wrt[1], "w": wrt[2]}, at, against=named).passed


def test_arrays_of_other_libraries_are_read():
    class Tensor:
        """As torch has them: NumPy may have the values of a tensor that is detached only."""

        def __init__(self, values, detached=False):
            self.values, self.detached = values, detached

        def detach(self):
            return Tensor(self.values, detached=True)

        def __array__(self, dtype=None, copy=None):
            assert self.detached, "Can't call numpy() on Tensor that requires grad"
            return self.values

    x = sb.tensor("x", (2,))
    at = {"x": [1.0, 3.0]}
    for source in (Tensor(np.array([2.0, 6.0])), lambda x: Tensor(2 * x)):
        assert sb.compare(sb.sum(x**2), x, at, against={"torch": source}).passed


def test_jax_is_held_against_symback():
    jax = pytest.importorskip("jax")

    def loss(W1, b1, w2, x, y):
        return (w2 @ jax.nn.sigmoid(W1 @ x + b1) - y) ** 2 / 2

    graph, wrt, at = network("float32")
    report = sb.compare(graph, wrt, at, against={"jax": jax.grad(loss, (0, 1, 2)), "sign": wrong})
    assert report.wrong == {"sign": ["b1"]}
    assert {column.dtype for each in report.variables for column in each.columns} == {"float32"}


def test_at_a_kink_each_subgradient_is_right_and_the_row_says_so():
    x = sb.tensor("x", (3,))
    at = {"x": [0.0, 1.0, -1.0]}
    half, two = {"half": [0.5, 1.0, 0.0]}, {"two": [2.0, 1.0, 0.0]}
    report = sb.compare(sb.sum(sb.relu(x)), x, at, against={**half, **two})
    assert report.wrong == {"two": ["x"]}
    assert "kink" in str(report)


def test_numbers_without_digits_are_held_against_floats(own_registry):
    sine = sb.elementwise(
        "my_sine", derivative=lambda y, x: sb.cos(x), numpy="np.sin", latex=r"\sin", domain=((-2.0, 2.0),), doc="Sine.",
    )  # fmt: skip
    x = sb.tensor("x", (3,))
    report = sb.compare(sb.sum(sine(x)), x, against={"right": np.cos, "wrong": lambda x: np.cos(x) * (1 + 1e-5)})
    assert report.wrong == {"wrong": ["x"]}
    assert report.variables[0].reference == "five-point"
    assert report.variables[0].columns[0].max_ulps is None


def test_what_cannot_be_judged_raises_in_words_of_its_own(own_registry):
    noisy = sb.elementwise(
        "noisy_sine", derivative=lambda y, x: 50 * sb.cos(50 * x), numpy="np.sin", latex=r"\sin", domain=((-2.0, 2.0),),
        value=lambda x: np.sin(50 * x).astype(np.float32).astype(float), doc="sin(50 x) in float32."
    )  # fmt: skip
    x = sb.tensor("x", (3,))
    right = {"hand": lambda x: 50 * np.cos(50 * x)}
    report = sb.compare(sb.sum(noisy(x)), x, {"x": [0.3, 0.5, 0.7]}, against=right)
    assert not report.failed
    assert not report.passed
    with pytest.raises(UndecidedError, match="could not be judged in 'symback', 'hand': errors are seen from"):
        report.raise_if_failed()


def test_sizes_of_zero_and_one_and_intermediate_nodes():
    x, e = sb.tensor("x", (1,)), sb.tensor("e", (0, 2))
    z = sb.let("z", 3 * x)
    loss = sb.sum(z**2) + sb.sum(e)
    given = {"hand": {"z": [6.0], "e": np.ones((0, 2))}}
    report = sb.compare(loss, [z, e], {"x": [1.0], "e": np.ones((0, 2))}, against=given)
    assert report.passed
    assert "(0, 2)" in str(report)


@pytest.mark.parametrize(
    ("source", "kind", "words"),
    [
        ((np.ones(2),), errors.InputError, "'hand' gives 1 gradients, 2 are wanted: one by each of a, B"),
        ({"a": np.ones(2)}, errors.InputError, "'hand' has no gradient by B; it has a"),
        (
            {"a": 1, "B": 2, "c": 3},
            errors.InputError,
            "'hand' has gradients by c, which were not asked for; wrt is a, B",
        ),
        ((np.ones(3), np.ones((2, 3))), errors.ShapeError, r"by a of 'hand' has shape \(3,\), wanted \(2,\)"),
        ((np.ones(2), np.ones((3, 2))), errors.ShapeError, r"by B of 'hand' has shape \(3, 2\), wanted \(2, 3\)"),
        ((np.ones(2, complex), np.ones((2, 3))), errors.DtypeError, "by a of 'hand' is of complex128"),
        ((["p", "q"], np.ones((2, 3))), errors.DtypeError, "by a of 'hand' is of <U1"),
        (([[1.0], 2.0], np.ones((2, 3))), errors.DtypeError, "by a of 'hand' is of object"),
        (lambda p: p, errors.UsageError, r"'hand' takes \(p\); name its parameters after the variables \(a, B\)"),
    ],
)
def test_a_structure_that_does_not_fit_names_the_column(source, kind, words):
    a, B = sb.tensor("a", (2,)), sb.tensor("B", (2, 3))
    at = {"a": np.ones(2), "B": np.ones((2, 3))}
    with pytest.raises(kind, match=words):
        sb.compare(sb.sum(a @ B), [a, B], at, against={"hand": source})


@pytest.mark.parametrize(
    ("against", "words"),
    [
        ({}, "against=... is dict; give a dict with at least one column"),
        ([np.ones(2)], "against=... is list"),
        ({"symback": [1.0]}, "'symback' cannot be the name of a column"),
        ({3: [1.0]}, "3 cannot be the name of a column"),
    ],
)
def test_columns_have_names_of_their_own(against, words):
    x = sb.tensor("x", (2,))
    with pytest.raises(errors.UsageError, match=words):
        sb.compare(sb.sum(x), x, against=against)
