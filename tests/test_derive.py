"""The passes: what grad, vjp, jvp, jacobian and hessian return, and what they refuse."""

import numpy as np
import pytest
import sympy

import symback as sb
from networks import two_layers
from symback.check.evaluate import evaluate
from symback.graph import toposort
from symback.nodes.apply import Named, unnamed
from symback.nodes.contract import Contract, contract

x, y = sb.tensor("x", ("n",)), sb.tensor("y", ("n",))
A, B = sb.tensor("A", ("m", "n")), sb.tensor("B", ("n", "k"))
s = sb.tensor("s")


def bare(node):
    return unnamed(node)


def test_the_circuit_of_the_seed_text():
    a, b, c = sympy.symbols("x y z")
    loss = (a + b) * c
    gradient = sb.grad(loss, [a, b, c])
    assert gradient == [c, c, a + b]
    values = sb.lambdify([a, b, c], [loss, *gradient])(-2, 5, -4)
    assert values == [-12, -4, -4, 3]


def test_sympy_goes_in_and_comes_out_for_every_pass():
    p = sympy.Symbol("p", positive=True)
    q = sympy.Symbol("q")
    loss = p**2 * sympy.sin(q) + sympy.log(p)
    assert sympy.simplify(sb.grad(loss, p) - sympy.diff(loss, p)) == 0
    hessian = sb.hessian(loss, [p, q])
    for i, u in enumerate((p, q)):
        for j, v in enumerate((p, q)):
            assert sympy.simplify(hessian[i][j] - sympy.diff(loss, u, v)) == 0
    assert sb.jvp([loss], [p], [1]) == [sb.grad(loss, p)]
    assert sb.grad(loss, {"a": q})["a"] == p**2 * sympy.cos(q)


def test_closed_forms():
    assert sb.grad(sb.sum(x * y), x) is y
    assert sb.jacobian(A @ x, x) is A
    assert sb.jacobian(A @ x, A).shape == (A.shape[0], *A.shape)
    square = sb.tensor("Q", ("n", "n"))
    assert sb.hessian(x @ square @ x, x) is bare(square + square.T)
    assert bare(sb.grad(sb.sum((A @ x) ** 2) / 2, x)) is A.T @ (A @ x)
    assert bare(sb.grad(sb.trace(A @ B @ sb.tensor("C", ("k", "m"))), A)).shape == A.shape


def test_the_structure_of_wrt_is_the_structure_of_the_result():
    loss = sb.sum(x * y) * s
    assert isinstance(sb.grad(loss, [x, y]), list)
    assert isinstance(sb.grad(loss, (x, y)), tuple)
    assert list(sb.grad(loss, {"a": x, "b": {"c": y}})) == ["a", "b"]
    assert sb.grad(loss, x).shape == x.shape
    blocks = sb.hessian(loss, {"a": x, "b": s})
    assert [str(size) for size in blocks["a"]["b"].shape] == ["n"]
    assert [str(size) for size in blocks["b"]["a"].shape] == ["n"]


def test_third_derivatives_are_the_same_pass_again():
    third = sb.grad(sb.grad(sb.grad(sb.sin(s) * s, s), s), s)
    value = evaluate(third, {s: np.float64(0.7)})
    np.testing.assert_allclose(value, -3 * np.sin(0.7) - 0.7 * np.cos(0.7), rtol=1e-14)
    cubic = sb.grad(sb.sum(sb.grad(sb.sum(sb.grad(sb.sum(x**4), x)), x)), x)
    np.testing.assert_allclose(evaluate(cubic, {x: np.array([2.0, -1.0])}), [48.0, -24.0])


def test_derivatives_are_appended_to_the_same_graph():
    network = two_layers()
    before = set(toposort([network.loss]))
    gradients = sb.grad(network.loss, network.parameters)
    shared = before & set(toposort(gradients))
    names = {node.name for node in shared if isinstance(node, Named)}
    assert {"z1", "a1", "z2", "a2"} <= names | {node.name for node in before if isinstance(node, Named)}
    assert network.parameters[2] in shared
    for node in toposort([*gradients, *sb.hessian(network.loss, network.parameters)[0]]):
        assert node.func(*node.args) is node
        if isinstance(node, Contract):
            assert contract(list(zip(node.operands, node.subscripts.inputs, strict=True)), node.subscripts.out) is node


def test_intermediate_nodes_with_and_without_name():
    z = sb.let("z", A @ x)
    a = sb.tanh(z)
    loss = sb.sum(a**2)
    by_z, by_a, by_x = sb.grad(loss, [z, a, x])
    point = {A: np.arange(6.0).reshape(2, 3) / 7, x: np.array([0.1, -0.2, 0.3])}
    value = np.tanh(point[A] @ point[x])
    np.testing.assert_allclose(evaluate(by_a, point), 2 * value)
    np.testing.assert_allclose(evaluate(by_z, point), 2 * value * (1 - value**2))
    np.testing.assert_allclose(evaluate(by_x, point), point[A].T @ (2 * value * (1 - value**2)))


def test_the_same_variable_twice_and_an_output_that_is_the_variable():
    assert sb.grad(s * s, [s, s])[0] is sb.grad(s * s, [s, s])[1]
    assert evaluate(sb.grad(s, s), {s: np.float64(2.0)}) == 1.0


def test_cancelling_terms_are_connected():
    assert evaluate(sb.grad(sb.sum(x - x), x), {x: np.ones(3)}).tolist() == [0.0, 0.0, 0.0]
    assert evaluate(sb.grad(sb.sum(0 * x), x), {x: np.ones(3)}).tolist() == [0.0, 0.0, 0.0]
    assert evaluate(sb.grad(sb.sum(sb.floor(x)), x), {x: np.ones(3)}).tolist() == [0.0, 0.0, 0.0]


def test_disconnected_variables_are_zero_if_asked():
    zero = sb.grad(sb.sum(x), y, disconnected="zero")
    assert zero.shape == y.shape
    assert evaluate(zero, {x: np.ones(2), y: np.ones(2)}).tolist() == [0.0, 0.0]
    assert sb.hessian(sb.sum(x) + sb.sum(y**2), [x, y])[0][1].shape == (*x.shape, *y.shape)


def test_stop_gradient_and_masks():
    point = {x: np.array([0.0, 2.0])}
    assert evaluate(sb.grad(sb.sum(sb.stop_gradient(x) * x), x), point).tolist() == [0.0, 2.0]
    guarded = sb.where(x > 0, sb.log(x), 0)
    with np.errstate(divide="ignore"):
        assert evaluate(sb.grad(sb.sum(guarded), x), point).tolist() == [0.0, 0.5]
        assert evaluate(sb.jvp(guarded, x, sb.ones_like(x)), point).tolist() == [0.0, 0.5]


v = sb.tensor("v", ("n",))
ZERO = np.array([0.0, 2.0])


@pytest.mark.parametrize(
    ("loss", "variable", "point", "wanted"),
    [
        (sb.where(s > 0, sb.log(s), 0), s, 0.0, 0.0),
        (sb.where(s > 0, sb.sqrt(s), 0), s, 0.0, 0.0),
        (sb.where(s > 0, sb.sin(s) / s, 1), s, 0.0, 0.0),
        (sb.where(s < 1, sb.exp(s), s), s, 1000.0, 1.0),
        (sb.relu(sb.log(s)), s, 0.0, 0.0),
        (sb.where(v > 0, sb.log(v), 0), v, ZERO, [0.0, 0.5]),
        (sb.maximum(sb.log(v), 0), v, ZERO, [0.0, 0.5]),
        (sb.minimum(1 / v, 3), v, ZERO, [0.0, -0.25]),
        (sb.max(sb.log(v)), v, ZERO, [0.0, 0.5]),
        (sb.where(s > 0, sb.log(s), sb.zeros((3,))), s, 0.0, 0.0),
        (sb.where(v > 0, sb.sqrt(v), sb.ones(("m", 1))) * sb.ones(("m", 1)), v, np.array([0.0, 4.0]), [0.0, 0.75]),
    ],
)
def test_the_branch_not_taken_leaks_nothing(loss, variable, point, wanted):
    gradient = sb.grad(sb.sum(loss), variable)
    inputs, values = [variable, sb.tensor("rows", ("m",))], [np.asarray(point), np.ones(3)]
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(sb.lambdify(inputs, gradient)(*values), wanted)
        second = sb.lambdify(inputs, sb.grad(sb.sum(gradient), variable))(*values)
    assert np.all(np.isfinite(second))


def test_ties_share_evenly():
    a, b = sb.tensor("a"), sb.tensor("b")
    point = {a: np.float64(1.5), b: np.float64(1.5)}
    for function in (sb.maximum, sb.minimum):
        assert evaluate(sb.grad(function(a, b), [a, b]), point) == [0.5, 0.5]
    assert evaluate(sb.grad(sb.max(v), v), {v: np.array([1.0, 3.0, 3.0])}).tolist() == [0.0, 0.5, 0.5]


def test_powers_at_zero():
    for exponent, first, second in ((0.0, 0.0, 0.0), (1.0, 1.0, 0.0), (2.0, 0.0, 2.0), (3.0, 0.0, 0.0)):
        by = sb.grad(s ** sb.constant(np.float64(exponent)), s)
        with np.errstate(all="ignore"):
            assert evaluate([by, sb.grad(by, s)], {s: np.float64(0.0)}) == [first, second]


def test_tangents_of_repeated_and_nested_variables_add_up():
    loss = sb.sum(v**3)
    z = sb.let("z", v**2)
    one = sb.ones(("n",))
    point = {v: np.array([1.0, 2.0, 3.0])}
    assert evaluate(sb.jvp(loss, [v, v], [v, v]), point) == 216.0
    assert evaluate(sb.jvp(sb.sum(z * v), [v, z], [one, one]), point) == 48.0


def test_gradients_keep_the_dtype_of_their_variable():
    single = sb.tensor("h", ("n",), dtype="float32")
    loss = sb.sum(single * x)
    assert [g.dtype.name for g in sb.grad(loss, [single, x])] == ["float32", "float64"]


def test_vector_products():
    u, v = sb.tensor("u", ("m",)), sb.tensor("v", ("n",))
    assert sb.vjp(A @ x, x, u) is A.T @ u
    assert sb.jvp(A @ x, x, v) is A @ v
    two = sb.vjp([A @ x, sb.sum(x)], x, [u, s])
    point = {A: np.eye(2, 3), x: np.ones(3), u: np.array([1.0, 2.0]), s: np.float64(3.0)}
    np.testing.assert_allclose(evaluate(two, point), [4.0, 5.0, 3.0])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: sb.grad(x * y, x), "DerivativeError", r"grad: the loss .* \(n,\) is not a scalar"),
        (lambda: sb.grad(sb.reshape(s, (1,)), s), "DerivativeError", r"\(1,\) is not a scalar"),
        (lambda: sb.grad(sb.sum(x), y), "DerivativeError", r"does not depend on y \(n,\)"),
        (lambda: sb.hessian(sb.sum(x), [x, y]), "DerivativeError", r"does not depend on y \(n,\)"),
        (lambda: sb.jacobian(x, y), "DerivativeError", r"jacobian: x does not depend on y"),
        (lambda: sb.grad(sb.sum(x), x, disconnected="ignore"), "InputError", "disconnected='ignore' is not known"),
        (lambda: sb.vjp(A @ x, x, x), "ShapeError", r"vjp: the vector for .* \(m,\) is x \(n,\)"),
        (lambda: sb.vjp([x, y], x, [x]), "InputError", "a list of 2 is needed, but a list of 1 was given"),
        (lambda: sb.jvp(A @ x, x, s), "ShapeError", r"jvp: the vector for x \(n,\) is s \(\)"),
        (lambda: sb.grad(s, 3), "DtypeError", "cannot differentiate with respect to 3"),
    ],
)
def test_refusals(call, error, message):
    with pytest.raises(getattr(sb.errors, error), match=message):
        call()


def test_integers_and_booleans_have_no_derivatives():
    k, b = sb.tensor("k", (), dtype="int64"), sb.tensor("b", (), dtype="bool")
    with pytest.raises(sb.errors.DtypeError, match="with respect to k: its dtype is int64"):
        sb.grad(k * s, k)
    with pytest.raises(sb.errors.DtypeError, match="with respect to b: its dtype is bool"):
        sb.grad(sb.where(b, s, 0), b)
    with pytest.raises(sb.errors.DtypeError, match="dtype is int64"):
        sb.grad(k * 2, s, disconnected="zero")
    through = sb.astype(sb.astype(s, "int64"), "float64") * s
    assert evaluate(sb.grad(through, s), {s: np.float64(2.5)}) == 2.0


entries, factor, table = sb.tensor("v", (3,)), sb.tensor("t"), sb.tensor("X", (2, 3))
NAN = np.nan

BRANCHES_NOT_TAKEN = {
    "nansum of a product": (sb.nansum(factor * entries), factor, [1, NAN, 2], 3),
    "nanmean of a product": (sb.nanmean(factor * entries), factor, [1, NAN, 2], 1.5),
    "mean of squares that are finite": (
        sb.sum(sb.where(sb.isfinite(entries), (factor * entries - 1) ** 2, 0)),
        factor,
        [1, NAN, 2],
        14,
    ),
    "a power at 0": (
        sb.sum(sb.where(entries > 0, sb.exp(factor * sb.log(entries)), 0)),
        factor,
        [1, 0, 2],
        4 * np.log(2),
    ),
    "rows": (sb.nansum(entries[:2, None] * table), entries, [1, 2, 7], [4, 6, 0]),
    "a sum of masks, nanvar": (sb.nanvar(entries**2), entries, [1, NAN, 1], [0, 0, 0]),
}


@pytest.mark.parametrize("name", BRANCHES_NOT_TAKEN)
def test_a_branch_not_taken_leaks_into_no_sum_of_products(name):
    loss, wrt, at, wanted = BRANCHES_NOT_TAKEN[name]
    point = {entries: np.array(at, float), factor: np.float64(2), table: np.array([[1, NAN, 3], [NAN, 2, 4.0]])}
    inputs = sorted(loss.atoms(sb.Variable), key=str)
    gradient = sb.grad(loss, wrt)
    with np.errstate(all="ignore"):
        found = sb.lambdify(inputs, gradient)(*[point[variable] for variable in inputs])
    np.testing.assert_allclose(found, wanted, rtol=1e-14)
    np.testing.assert_allclose(evaluate(gradient, {variable: point[variable] for variable in inputs}), wanted)


HESSIANS_BESIDE_A_KINK = {
    "sin of a guarded root": (sb.sin(sb.where(entries > 0, sb.sqrt(entries), 0)), -(np.sin(1) + np.cos(1)) / 4),
    "square of a guarded quotient": (
        sb.where(sb.not_equal(entries, 0), sb.sin(entries) / entries, 1) ** 2,
        2 * (np.cos(1) - np.sin(1)) ** 2 + 2 * np.sin(1) * (np.sin(1) - 2 * np.cos(1)),
    ),
}


@pytest.mark.parametrize("name", HESSIANS_BESIDE_A_KINK)
def test_masks_that_add_up_are_one_mask(name):
    terms, curvature = HESSIANS_BESIDE_A_KINK[name]
    with np.errstate(all="ignore"):
        found = sb.lambdify([entries], sb.hessian(sb.sum(terms), entries))(np.array([1.0, 0, 0]))
    np.testing.assert_allclose(found, np.diag([curvature, 0, 0]), rtol=1e-12, atol=1e-15)


def test_a_mask_of_the_same_condition_is_written_once():
    loss = sb.sum(sb.where(entries > 0, sb.where(entries > 0, sb.sqrt(entries), 0) * entries, 0))
    assert "logical_and" not in sb.lambdify([entries], sb.grad(loss, entries), check=False).source


def test_a_primitive_without_derivative_is_named(own_registry):
    rounded = sb.elementwise(
        "digit_sum", derivative=None, numpy="np.round", mpmath=None, latex=r"\operatorname{{d}}", domain=((0, 1),),
        doc="No derivative was declared.",
    )  # fmt: skip
    with pytest.raises(sb.errors.DerivativeError, match="digit_sum has no derivative: declare one"):
        sb.grad(sb.sum(rounded(x)), x)
    with pytest.raises(sb.errors.DerivativeError, match="digit_sum has no derivative"):
        sb.jvp(rounded(x), x, x)


def test_deep_chains_differentiate():
    first = node = sb.tensor("v")
    for _ in range(5_000):
        node = sb.sin(node) + node
    gradient = sb.grad(node, first)
    assert len(repr(gradient)) < 2000


@pytest.mark.parametrize("disconnected", ["error", "zero"])
@pytest.mark.parametrize("loss", [lambda v: sb.sum(sb.exp(v) * v), lambda v: sb.sum(v * v * v)])
def test_a_multiple_that_products_have_looked_through_is_refused_but_by_its_name(loss, disconnected):
    b = sb.tensor("b", ("n",))
    with pytest.raises(sb.errors.DerivativeError, match=r"2\*b \(n,\) is a multiple .* sb.let"):
        sb.grad(loss(2 * b), 2 * b, disconnected=disconnected)
    v = sb.let("v", 2 * b)
    point = np.array([0.5, -0.25])
    found, wanted = sb.evaluate(sb.grad(loss(v), v), {b: point}), sb.evaluate(sb.grad(loss(b), b), {b: 2 * point})
    np.testing.assert_allclose(found, wanted, rtol=1e-14)


def test_a_multiple_that_the_loss_depends_on_only_as_a_whole_is_differentiated_by():
    b = sb.tensor("b", ("n",))
    assert sb.grad(sb.sum(sb.exp(2 * b)), 2 * b) is sb.exp(2 * b)
