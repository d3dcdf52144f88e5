"""Activations and losses: far out, at kinks, both orders; shapes and labels that are refused; emitted code."""

from typing import Any

import mpmath
import numpy as np
import pytest

import symback as sb
from symback.codegen.function import CompiledFunction

mp = mpmath.MPContext()
mp.dps = 40

x = sb.tensor("x", ())
Z, P = sb.tensor("Z", ("N", 3)), sb.tensor("P", ("N", 3))
labels = sb.tensor("labels", ("N",), dtype="int64")


def orders(node: Any, at: float) -> list[float]:
    """Return value and two derivatives by x at a point, computed without overflow or an invalid operation."""
    by_x = sb.grad(node, x)
    function = sb.lambdify([x], [node, by_x, sb.grad(by_x, x, disconnected="zero")])
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        return [float(value) for value in function(at)]


SELU = 1.0507009873554805 * 1.6732632423543772
FAR_AND_KINKS = [
    ("leaky_relu", {}, {-1000: (-10, 0.01, 0), 0: (0, 0.01, 0), 1000: (1000, 1, 0)}),
    ("leaky_relu", {"negative_slope": 0.5}, {-2: (-1, 0.5, 0)}),
    ("elu", {}, {-1000: (-1, 0, 0), 0: (0, 1, 0.5), 1000: (1000, 1, 0), -1: (np.expm1(-1), np.exp(-1), np.exp(-1))}),
    ("elu", {"alpha": 2.0}, {-1000: (-2, 0, 0), 0: (0, 2, 1), 1000: (1000, 1, 0), -30: (None, 2 * np.exp(-30), None)}),
    ("celu", {"alpha": 2.0}, {-1000: (-2, 0, 0), 0: (0, 1, 0.25), 1000: (1000, 1, 0)}),
    ("selu", {}, {-1000: (-SELU, 0, 0), 0: (0, SELU, SELU / 2), 1: (1.0507009873554805, 1.0507009873554805, 0)}),
    ("gelu", {}, {-1000: (0, 0, 0), 0: (0, 0.5, np.sqrt(2 / np.pi)), 1000: (1000, 1, 0)}),
    ("gelu", {"approximate": "tanh"}, {-1000: (0, 0, 0), 0: (0, 0.5, np.sqrt(2 / np.pi)), 1000: (1000, 1, 0)}),
    ("silu", {}, {-1000: (0, 0, 0), 0: (0, 0.5, 0.5), 1000: (1000, 1, 0)}),
    ("mish", {}, {-1000: (0, 0, 0), 0: (0, 0.6, None), 1000: (1000, 1, 0)}),
    ("hard_tanh", {}, {-1000: (-1, 0, 0), -1: (-1, 0.5, 0), 0: (0, 1, 0), 1: (1, 0.5, 0), 1000: (1, 0, 0)}),
    ("hard_sigmoid", {}, {-1000: (0, 0, 0), -3: (0, 1 / 12, 0), 0: (0.5, 1 / 6, 0), 1000: (1, 0, 0)}),
    ("softsign", {}, {-1e200: (-1, 0, 0), 0: (0, 1, 0), 1e6: (None, 1 / 1000001**2, -2 / 1000001**3)}),
    ("softplus", {}, {-1000: (0, 0, 0), 1000: (1000, 1, 0)}),
    ("sigmoid", {}, {-1000: (0, 0, 0), 1000: (1, 0, 0)}),
]  # fmt: skip
POINTS = [(name, options, at, wanted) for name, options, points in FAR_AND_KINKS for at, wanted in points.items()]


@pytest.mark.parametrize(("name", "options", "at", "wanted"), POINTS, ids=[f"{p[0]} {p[1]} at {p[2]}" for p in POINTS])
def test_far_out_and_at_kinks(name: str, options: dict[str, Any], at: float, wanted: tuple[Any, ...]) -> None:
    for found, hope in zip(orders(getattr(sb, name)(x, **options), at), wanted, strict=True):
        assert hope is None or found == pytest.approx(hope, rel=1e-14, abs=1e-200)


@pytest.mark.parametrize(
    ("name", "exact"),
    [
        ("gelu", lambda v: v * mp.ncdf(v)),
        ("silu", lambda v: v / (1 + mp.exp(-v))),
        ("mish", lambda v: v * mp.tanh(mp.log1p(mp.exp(v)))),
    ],
)
def test_left_tails_keep_their_digits(name: str, exact: Any) -> None:
    value, slope, _ = orders(getattr(sb, name)(x), -30.0)
    assert value == pytest.approx(float(exact(mp.mpf(-30))), rel=1e-13)
    assert slope == pytest.approx(float(mp.diff(exact, -30)), rel=1e-13)


def test_the_slope_of_leaky_relu_can_be_learned() -> None:
    slope = sb.tensor("slope", (3,))
    gradient = sb.lambdify([Z, slope], sb.grad(sb.sum(sb.leaky_relu(Z, slope)), slope))
    np.testing.assert_array_equal(gradient(np.array([[1.0, -2.0, 0.0], [-3.0, -4.0, 5.0]]), np.ones(3)), [-3, -6, 0])


def test_gelu_refuses_an_unknown_approximation() -> None:
    with pytest.raises(sb.errors.InputError, match="gelu: approximate='erf' is not known; use 'none' or 'tanh'"):
        sb.gelu(x, approximate="erf")


# -- losses ------------------------------------------------------------------------------------------------------------


def body(compiled: CompiledFunction) -> str:
    """Return the statements of an emitted function."""
    return compiled.source.split('"""')[-1].strip("\n")


def test_cross_entropy_is_written_as_a_person_would() -> None:
    loss = sb.let("L", sb.cross_entropy(Z, P, reduction="sum"))
    assert body(sb.lambdify([Z, P], (loss, sb.grad(loss, Z)), check=False)) == (
        "    lse, p = logsumexp_and_softmax(Z, axis=1)\n"
        "    L = np.sum(lse - np.sum(P * Z, axis=1))\n"
        "    d_Z = p - P\n"
        "    return L, d_Z"
    )


def test_binary_cross_entropy_is_written_as_a_person_would() -> None:
    z, t = sb.tensor("z", ("N",)), sb.tensor("t", ("N",))
    loss = sb.let("L", sb.binary_cross_entropy(z, t, reduction="sum"))
    assert body(sb.lambdify([z, t], (loss, sb.grad(loss, z)), check=False)) == (
        "    L = np.sum(logistic_loss(z, t))\n    d_z = sigmoid(z) - t\n    return L, d_z"
    )


@pytest.mark.parametrize("axis", [-1, 0])
def test_labels_and_their_one_hot_code_give_one_cross_entropy(axis: int) -> None:
    logits = np.array([[1e3, -1e3, 0.0], [1.0, 2.0, 3.0], [-5.0, 1e3, 1e3]])
    k = np.array([0, 2, 1])
    Z3, k3 = sb.tensor("Z", (3, 3)), sb.tensor("k", (3,), dtype="int64")
    code = np.moveaxis(np.eye(3)[k], -1, axis)
    for reduction in ("mean", "sum", "none"):
        by_label = sb.cross_entropy(Z3, k3, axis, reduction=reduction)
        by_code = sb.cross_entropy(Z3, sb.constant(code), axis, reduction=reduction)
        by_integers = sb.cross_entropy(Z3, sb.constant(code.astype(int)), axis, reduction=reduction)
        nodes = [by_label, by_code, by_integers]
        outputs = [*nodes, *(sb.grad(sb.sum(node), Z3) for node in nodes)]
        found = sb.lambdify([Z3, k3], outputs)(logits, k)
        for one, other in ((found[0], found[1]), (found[0], found[2]), (found[3], found[4]), (found[3], found[5])):
            np.testing.assert_allclose(one, other, rtol=1e-14, atol=1e-300)
        assert np.all(np.isfinite(found[3]))


def test_binary_cross_entropy_keeps_its_digits_far_out() -> None:
    z, t = sb.tensor("z", (4,)), sb.tensor("t", (4,), dtype="bool")
    loss = sb.binary_cross_entropy(z, t, reduction="none")
    at = np.array([40.0, -40.0, 1000.0, -1000.0]), np.array([True, False, False, True])
    tail = float(mp.log1p(mp.exp(-40)))
    np.testing.assert_allclose(sb.lambdify([z, t], loss)(*at), [tail, tail, 1000, 1000], rtol=1e-15)
    np.testing.assert_allclose(sb.evaluate(sb.grad(sb.sum(loss), z), {z: at[0], t: at[1]})[2:], [1, -1])


def test_huber_beyond_and_at_delta() -> None:
    f, y = sb.tensor("f", (5,)), sb.tensor("y", (5,))
    loss = sb.huber(f, y, 2.0, reduction="none")
    slope = sb.grad(sb.sum(loss), f)
    outputs = sb.lambdify([f, y], [loss, slope, sb.grad(sb.sum(slope), f)])
    with np.errstate(all="raise"):
        found = outputs(np.array([1.0, 2.0, -3.0, 1e200, 0.0]), np.zeros(5))
    np.testing.assert_allclose(found[0], [0.5, 2, 4, 2e200, 0])
    np.testing.assert_allclose(found[1], [1, 2, -2, 2, 0])
    np.testing.assert_allclose(found[2], [1, 0.5, 0, 0, 1])


def test_hinge_at_its_kink_and_with_integer_labels() -> None:
    f, y = sb.tensor("f", (3,), dtype="float32"), sb.tensor("y", (3,), dtype="int64")
    loss = sb.hinge(f, y, reduction="none")
    assert loss.dtype == np.float32
    found = sb.lambdify([f, y], [loss, sb.grad(sb.sum(loss), f)])(np.float32([1, 0.5, 0.5]), np.array([1, 1, -1]))
    np.testing.assert_array_equal(found, [[0, 0.5, 1.5], [0, -1, 1]])


def test_kl_divergence_with_zeros() -> None:
    p, q = sb.tensor("p", (1, 3)), sb.tensor("q", (1, 3))
    value = sb.kl_divergence(p, q)
    found = sb.lambdify([p, q], [value, sb.grad(value, q)])(np.array([[0.0, 0.5, 0.5]]), np.array([[0.0, 0.25, 0.75]]))
    assert found[0] == pytest.approx(0.5 * np.log(2) + 0.5 * np.log(2 / 3))
    np.testing.assert_allclose(found[1], [[0, -2, -2 / 3]])


LOSSES = [sb.mean_squared_error, sb.binary_cross_entropy, sb.hinge, sb.huber, sb.cross_entropy, sb.kl_divergence]


@pytest.mark.parametrize("loss", LOSSES)
def test_an_unknown_reduction_is_refused(loss: Any) -> None:
    with pytest.raises(sb.errors.InputError, match=f"{loss.__name__}: reduction='max' is not known; use 'mean' or"):
        loss(Z, P, reduction="max")


@pytest.mark.parametrize("loss", [loss for loss in LOSSES if loss is not sb.cross_entropy])
def test_a_target_that_would_enlarge_the_loss_is_refused(loss: Any) -> None:
    f, column = sb.tensor("f", ("N",)), sb.tensor("y", ("N", 1))
    with pytest.raises(
        sb.errors.ShapeError, match=rf"{loss.__name__}: the target y \(N, 1\) does not go with f \(N,\)"
    ):
        loss(f, column)


def test_labels_of_a_wrong_shape_or_dtype_are_refused() -> None:
    with pytest.raises(sb.errors.ShapeError, match=r"integer labels of shape \(N,\)"):
        sb.cross_entropy(Z, sb.tensor("k", ("N", 1), dtype="int64"))
    with pytest.raises(sb.errors.DtypeError, match="class labels are integers, but k"):
        sb.cross_entropy(Z, sb.tensor("k", ("N",)))


def test_boolean_targets_of_hinge_are_refused() -> None:
    with pytest.raises(sb.errors.DtypeError, match="-1 or 1"):
        sb.hinge(Z, sb.tensor("y", ("N", 3), dtype="bool"))
