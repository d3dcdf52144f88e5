"""Second order without matrices: products, traces and blocks agree with the dense Hessian and with differences."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
import sympy

import symback as sb
from random_graphs import LENGTHS, seeded_programs
from symback.check.binding import bound_shape
from symback.check.evaluate import evaluate
from symback.graph import toposort
from symback.nodes.shapes import size_symbol
from symback.structure import leaves_of, refill

SIZES = {"n": 4, "m": 3, "h": 5, "k": 2}
TOLERANCE = {"float64": 1e-11, "float32": 2e-3}


class Model(NamedTuple):
    """A scalar, what it is differentiated by, and all variables it depends on."""

    loss: Any
    wrt: Any
    inputs: list


def logistic(t):
    X, w, y = t("X", "n", "m"), t("w", "m"), t("y", "n")
    return Model(sb.sum(sb.softplus(X @ w) - y * (X @ w)), w, [X, w, y])


def classifier(t):
    x, y = t("x", "n", "m"), t("y", "n", "k")
    layers = {"first": {"W": t("W1", "m", "h"), "b": t("b1", "h")}, "second": [t("W2", "h", "k")]}
    z = sb.tanh(x @ layers["first"]["W"] + layers["first"]["b"]) @ layers["second"][0]
    return Model(-sb.sum(y * sb.log_softmax(z, axis=-1)), layers, [x, y, *leaves_of(layers)])


def rectifier(t):
    x, W, b, u = t("x", "n"), t("W", "h", "n"), t("b", "h"), t("u", "h")
    return Model((u @ sb.relu(W @ x + b)) ** 3, (W, b, u), [x, W, b, u])


def log_det(t):
    A = t("A", "n", "m")
    return Model(sb.linalg.slogdet(A.T @ A + 3 * sb.eye("m"))[1], A, [A])


def solve(t):
    A, b = t("A", "n", "n"), t("b", "n")
    return Model(b @ sb.linalg.solve(A @ A.T + 9 * sb.eye("n"), b), [A, b], [A, b])


def cholesky(t):
    A, b = t("A", "n", "n"), t("b", "n")
    L = sb.linalg.cholesky(A @ A.T + 4 * sb.eye("n"))
    return Model(sb.sum(sb.sin(L @ b)), A, [A, b])


def attention(t):
    Q, K, V = t("Q", "n", "k"), t("K", "m", "k"), t("V", "m", "h")
    return Model(sb.sum((sb.softmax(Q @ K.T, axis=-1) @ V) ** 2), {"q": Q, "k": K, "v": V}, [Q, K, V])


def factorisation(t):
    T, U, V = t("T", "n", "m"), t("U", "n", "k"), t("V", "m", "k")
    return Model(sb.sum((T - U @ V.T) ** 2) / 2, [U, V], [T, U, V])


def mixture(t):
    x, mu, a = t("x", "n"), t("mu", "k"), t("a", "k")
    terms = a - (x[:, None] - mu) ** 2 / 2 - sb.logsumexp(a)
    return Model(-sb.sum(sb.logsumexp(terms, axis=1)), [mu, a], [x, mu, a])


def convolution(t):
    x, w = t("x", 6), t("w", 3)
    return Model(sb.sum(sb.tanh(sb.convolve(x, w, "valid"))), [x, w], [x, w])


def rosenbrock(t):
    x = t("x", 5)
    return Model(sb.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2), x, [x])


def differences(t):
    x = t("x", "n")
    return Model(sb.sum(sb.cosh(sb.diff(x)) + sb.cosh(x[1:]) * x[1:]), x, [x])


def scan(t):
    x = t("x", "n")
    return Model(sb.sum(sb.exp(sb.cumsum(x) / 4)) + sb.prod(x), x, [x])


def rows(t):
    x, y = t("x", "n", "m"), t("y", "m")
    return Model(sb.sum(sb.exp(x[[0, 2, 0]] * y) / (1 + y * y)), (x, y), [x, y])


def broadcast(t):
    a, b, c = t("a", 1, "m"), t("b", "n", 1), t("c")
    return Model(sb.sum(sb.sin(a * b + c) * a) + sb.sum(b**3), [a, b, c], [a, b, c])


def cases(t):
    x, y = t("x", "n"), t("y", "n")
    return Model(sb.sum(sb.where(x > y, x**3 * y, sb.maximum(x, 0) ** 2)) + sb.log(1 + x @ x), [x, y], [x, y])


def apart(t):
    x, y, z = t("x", "n"), t("y", "m"), t("z", "k")
    return Model(sb.sum(x**3) + sb.sum(sb.exp(y)) + sb.sum(z), {"z": z, "x": x, "y": y}, [x, y, z])


MODELS = [
    logistic, classifier, rectifier, log_det, solve, cholesky, attention, factorisation, mixture, convolution,
    rosenbrock, differences, scan, rows, broadcast, cases, apart,
]  # fmt: skip
NEVER_EMPTY = {rows, differences}


def built(make: Callable[..., Model], dtype: str = "float64") -> Model:
    return make(lambda name, *shape: sb.tensor(name, shape, dtype=dtype))


def drawn(nodes: list, sizes: dict[str, int], seed: int = 0) -> list:
    random = np.random.default_rng(seed)
    table = {size_symbol(name): size for name, size in sizes.items()}
    return [np.asarray(random.normal(size=bound_shape("draw", x.shape, table))).astype(x.dtype) for x in nodes]


def beside(wrt: Any) -> Any:
    """Return vectors for variables, in their structure."""
    return refill(wrt, [sb.tensor(f"v{k}", x.shape, dtype=x.dtype) for k, x in enumerate(leaves_of(wrt))])


def flat(values: Any) -> np.ndarray:
    return np.concatenate([np.ravel(value) for value in leaves_of(values)])


def dense(blocks: list[list[Any]], rows: list[Any], columns: list[Any]) -> np.ndarray:
    """Put blocks together as one matrix."""
    return np.concatenate(
        [
            np.concatenate([np.reshape(block, (x.size, y.size)) for block, y in zip(row, columns, strict=True)], axis=1)
            for row, x in zip(blocks, rows, strict=True)
        ]
    )


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("make", MODELS, ids=lambda make: make.__name__)
def test_products_with_the_hessian(make, dtype):
    loss, wrt, inputs = built(make, dtype)
    vectors = beside(wrt)
    point, direction = drawn(inputs, SIZES), drawn(leaves_of(vectors), SIZES, 1)
    bound = dict(zip([*inputs, *leaves_of(vectors)], [*point, *direction], strict=True))
    forward, backward = sb.hvp(loss, wrt, vectors), sb.vhp(loss, wrt, vectors)
    blocks = sb.hessian(loss, leaves_of(wrt))
    values = [bound[x] for x in leaves_of(wrt)]
    wanted = dense(evaluate(blocks, bound), values, values) @ flat(direction)
    scale = 1 + np.abs(wanted).max(initial=0)
    for product in (forward, backward):
        found = evaluate(product, bound)
        assert [leaf.dtype for leaf in leaves_of(found)] == [dtype] * len(values)
        np.testing.assert_allclose(flat(found), wanted, rtol=0, atol=TOLERANCE[dtype] * scale)
    if dtype == "float64":
        gradient = sb.grad(loss, leaves_of(wrt))
        slopes = []
        for step in (1e-3, 5e-4):
            ends = [
                evaluate(
                    gradient, bound | {x: bound[x] + s * v for x, v in zip(leaves_of(wrt), direction, strict=True)}
                )
                for s in (step, -step)
            ]
            slopes.append((flat(ends[0]) - flat(ends[1])) / (2 * step))
        np.testing.assert_allclose(wanted, (4 * slopes[1] - slopes[0]) / 3, rtol=0, atol=1e-7 * scale)


@pytest.mark.parametrize("size", [0, 1])
@pytest.mark.parametrize("make", MODELS, ids=lambda make: make.__name__)
def test_emitted_products_and_traces(make, size):
    """Emitted, with sizes as they are and 0 or 1."""
    loss, wrt, inputs = built(make)
    vectors = beside(wrt)
    arguments = [*inputs, *leaves_of(vectors)]
    blocks = sb.hessian(loss, leaves_of(wrt))
    f = sb.lambdify(arguments, [leaves_of(sb.hvp(loss, wrt, vectors)), sb.laplacian(loss, wrt), blocks])
    for sizes in [SIZES, *([] if make in NEVER_EMPTY else [dict.fromkeys(SIZES, size)])]:
        values = drawn(arguments, sizes)
        with np.errstate(all="ignore"):
            product, laplacian, hessian = f(*values)
        bound = dict(zip(arguments, values, strict=True))
        variables = [bound[x] for x in leaves_of(wrt)]
        matrix = dense(hessian, variables, variables)
        np.testing.assert_allclose(flat(product), matrix @ flat(values[len(inputs) :]), rtol=1e-9, atol=1e-11)
        np.testing.assert_allclose(laplacian, np.trace(matrix), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("make", MODELS, ids=lambda make: make.__name__)
def test_divergence_of_the_gradient_and_directional_derivatives(make):
    loss, wrt, inputs = built(make)
    vectors = beside(wrt)
    bound = dict(zip([*inputs, *leaves_of(vectors)], drawn([*inputs, *leaves_of(vectors)], SIZES), strict=True))
    gradient = sb.grad(loss, wrt)
    slope = sb.directional_derivative(loss, wrt, vectors)
    bend = sb.directional_derivative(slope, wrt, vectors, disconnected="zero")
    pairs = list(zip(leaves_of(sb.hvp(loss, wrt, vectors)), leaves_of(vectors), strict=True))
    divergence = sb.divergence(gradient, wrt, disconnected="zero")
    found = evaluate([divergence, sb.laplacian(loss, wrt), slope, bend], bound)
    along = [sb.vdot(g, v) for g, v in zip(leaves_of(gradient), leaves_of(vectors), strict=True)]
    wanted = evaluate([along, [sb.vdot(product, v) for product, v in pairs]], bound)
    np.testing.assert_allclose(found[0], found[1], rtol=1e-11)
    np.testing.assert_allclose(found[2:], [sum(wanted[0]), sum(wanted[1])], rtol=1e-9, atol=1e-11)


# -- Gauss-Newton -----------------------------------------------------------------------------------------------


def residuals(t):
    x, W, u, y = t("x", "n", "m"), t("W", "m", "h"), t("u", "h"), t("y", "n")
    return sb.tanh(x @ W) @ u - y, None, [W, u], [x, W, u, y]


def cross_entropy(t):
    x, W, y = t("x", "n", "m"), t("W", "m", "k"), t("y", "n", "k")
    z = sb.let("z", sb.sin(x @ W))
    return z, -sb.sum(y * sb.log_softmax(z, axis=-1)), {"W": W}, [x, W, y]


def bernoulli(t):
    X, w, y = t("X", "n", "m"), t("w", "m"), t("y", "n")
    z = X @ (w * w)
    return z, sb.sum(sb.softplus(z) - y * z), w, [X, w, y]


def two_outputs(t):
    x, w = t("x", "n"), t("w", "n")
    mean, spread = sb.tanh(w @ x), sb.exp(w) * x
    return {"mean": mean, "spread": spread}, mean**2 * sb.sum(spread**3), (w,), [x, w]


def output_of_output(t):
    x, w = t("x", "n"), t("w", "n")
    inner = sb.tanh(w * x)
    outer = inner * inner * w
    return [inner, outer], sb.sum(inner**2 * outer) + sb.sum(outer**3), w, [x, w]


@pytest.mark.parametrize("make", [residuals, cross_entropy, bernoulli, two_outputs, output_of_output])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_gauss_newton(make, dtype):
    output, loss, wrt, inputs = make(lambda name, *shape: sb.tensor(name, shape, dtype=dtype))
    vectors = beside(wrt)
    arguments = [*inputs, *leaves_of(vectors)]
    values = drawn(arguments, SIZES)
    bound = dict(zip(arguments, values, strict=True))
    outputs, variables = leaves_of(output), leaves_of(wrt)
    predicted = evaluate(outputs, bound)
    blocks = evaluate(sb.jacobian(outputs, variables, disconnected="zero"), bound)
    J = dense(blocks, predicted, [bound[x] for x in variables])
    H = np.eye(len(J))
    if loss is not None:
        held = [sb.tensor(f"z{k}", z.shape, dtype=z.dtype) for k, z in enumerate(outputs)]
        alone = loss.xreplace(dict(zip(outputs[::-1], held[::-1], strict=True)))
        H = dense(
            evaluate(sb.hessian(alone, held), bound | dict(zip(held, predicted, strict=True))), predicted, predicted
        )
    wanted = J.T @ H @ J @ flat([bound[v] for v in leaves_of(vectors)])
    product = sb.gauss_newton(output, wrt, vectors, loss=loss)
    for found in (evaluate(product, bound), sb.lambdify(arguments, product)(*values)):
        assert [leaf.dtype for leaf in leaves_of(found)] == [dtype] * len(variables)
        np.testing.assert_allclose(flat(found), wanted, rtol=0, atol=TOLERANCE[dtype] * (1 + np.abs(wanted).max()))
    assert sb.ggn is sb.gauss_newton


def test_gauss_newton_of_names_that_are_taken():
    """What stands for an output that is cut off has a name that nothing else has."""
    w, taken = sb.tensor("w", (2,)), sb.tensor("output_1", (2,))
    inner = sb.sin(w * taken)
    outer = inner**2
    loss = sb.sum(inner * outer**2)
    bound = {w: np.array([0.3, -1.2]), taken: np.array([0.7, 0.4])}
    by_inner, by_outer = sb.tensor("p", (2,)), sb.tensor("q", (2,))
    rest = sb.sum(by_inner * by_outer**2)
    (pp, pq), (qp, qq) = sb.hessian(rest, [by_inner, by_outer])
    J, K = sb.jacobian([inner, outer], w)
    dense_product = J.T @ (pp @ J + pq @ K) @ taken + K.T @ (qp @ J + qq @ K) @ taken
    wanted = evaluate(dense_product.xreplace({by_inner: inner, by_outer: outer}), bound)
    np.testing.assert_allclose(evaluate(sb.ggn([inner, outer], w, taken, loss=loss), bound), wanted, rtol=1e-13)


# -- nothing of the size of a matrix, nothing twice ---------------------------------------------------------------

LARGE = {"m": 97, "h": 89, "n": 3, "k": 2}


@pytest.mark.parametrize("make", [logistic, classifier, attention, factorisation, apart])
def test_products_form_no_array_of_the_size_of_the_hessian(make):
    loss, wrt, _ = built(make)
    vectors = beside(wrt)
    table = {size_symbol(name): size for name, size in LARGE.items()}

    def entries(node: Any) -> int:
        return int(np.prod(bound_shape("count", node.shape, table)))

    variables = leaves_of(wrt)
    largest = max(entries(x) for x in variables)
    allowed = max(entries(x) for x in toposort([loss]))
    products = [sb.hvp(loss, wrt, vectors), sb.vhp(loss, wrt, vectors), sb.ggn(loss, wrt, vectors)]
    assert max(entries(node) for node in toposort(leaves_of(products))) <= 3 * allowed < largest**2


def test_the_product_shares_the_forward_pass_with_loss_and_gradient():
    x, W, u, v = sb.tensor("x", ("n",)), sb.tensor("W", ("h", "n")), sb.tensor("u", ("h",)), sb.tensor("V", ("h", "n"))
    loss = u @ sb.tanh(W @ x)
    text = sb.lambdify([x, W, u, v], [loss, sb.grad(loss, W), sb.hvp(loss, W, v)], check=False).source
    assert (text.count("np.tanh("), text.count("W @ x"), text.count("V @ x")) == (1, 1, 1)


def test_a_quadratic_model_of_least_squares_costs_two_products():
    X, w, v = sb.tensor("X", ("N", "d")), sb.tensor("w", ("d",)), sb.tensor("v", ("d",))
    assert str(sb.cost(sb.ggn(X @ w, w, v)).operations) == "4*N*d"


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (lambda x: sb.sum(sb.exp(x) * x), "np.sum(exp_x + (1 + x) * exp_x)"),
        (lambda x: sb.sum(x**4), "12 * (x @ x)"),
        (lambda x: sb.logsumexp(x), "np.sum(p - p**2)"),
        (lambda x: sb.sum(sb.where(x > 0, x**3, 2 * x)), "np.sum(np.where(x > 0, 6 * x, 0))"),
    ],
)
def test_a_laplacian_is_as_long_as_its_variable(build, text):
    x = sb.tensor("x", ("n",))
    source = sb.lambdify([x], sb.laplacian(build(x), x), check=False).source
    assert source.splitlines()[-1].strip() == f"return {text}"


def chain(t):
    x, c = t("x", "n"), t("c")
    steps = (x[1:] - x[:-1] ** 2)[1:]
    return sb.sum(sb.exp(steps)) + sb.sum(x[2:] * x[1:-1] * x[:-2]) + sb.sum(x[::-1] ** 3) * c + x[0] ** 2 * x[1]


def upwind(t):
    x, c = t("x", "n"), t("c")
    return sb.concatenate([x[:1] ** 2, x[1:] * (x[1:] - c * x[:-1])])


def sheet(t):
    X, w = t("X", "n", "m"), t("w", "m")
    return sb.sum((X[1:] - X[:-1]) ** 4 * w) + sb.sum(sb.sin(X[:, 1:] * X[:, :-1])) + sb.sum(X[0] ** 3)


@pytest.mark.parametrize("make", [chain, sheet, upwind])
def test_traces_of_stencils_take_as_long_as_the_variable(make):
    """Neighbours are read by slices: the matrix is banded, and its diagonal is found without it."""
    made: list = []
    node = make(lambda name, *shape: made.append(sb.tensor(name, shape)) or made[-1])
    variable = made[0]
    traced = sb.laplacian(node, variable) if node.shape == () else sb.divergence(node, variable)
    matrix = sb.hessian(node, variable) if node.shape == () else sb.jacobian(node, variable)
    for sizes in ({"n": 5, "m": 4}, {"n": 6, "m": 2}, {"n": 3, "m": 1}):
        values = drawn(made, sizes)
        wanted = evaluate(matrix, dict(zip(made, values, strict=True)))
        found = sb.lambdify(made, traced)(*values)
        np.testing.assert_allclose(found, np.trace(wanted.reshape(2 * (values[0].size,))), rtol=1e-11)
    code = sb.lambdify(made, traced, check=False).source
    assert not any(word in code for word in ("eye", "diag", "trace", "(n, n", "einsum"))


def test_traces_of_products_form_no_matrix():
    x, W, u = sb.tensor("x", ("n",)), sb.tensor("W", ("h", "n")), sb.tensor("u", ("h",))
    for scalar in (u @ sb.tanh(W @ x), sb.sum(sb.softplus(W @ x))):
        nodes = toposort([sb.laplacian(scalar, x), sb.divergence(W.T @ sb.tanh(W @ x), x)])
        assert not [node for node in nodes if node.shape == (x.shape[0],) * 2]
    assert sb.divergence(x, x).shape == ()


# -- structures -------------------------------------------------------------------------------------------------

x, y, s = sb.tensor("x", ("n",)), sb.tensor("y", ("m",)), sb.tensor("s")
A = sb.tensor("A", ("m", "n"))
TREE = {"a": [x, (y,)], "b": {"c": s}}
LOSS = sb.sum(sb.exp(A @ x) * y) * s


def test_structures_go_in_and_come_out():
    tangents = {"b": {"c": sb.tensor("t")}, "a": (sb.tensor("v", ("n",)), [sb.tensor("w", ("m",))])}
    product = sb.hvp(LOSS, TREE, tangents)
    assert list(product) == ["a", "b"]
    assert [leaf.shape for leaf in leaves_of(product)] == [x.shape, y.shape, ()]
    outputs = {"first": A @ x, "more": (LOSS, [y * s])}
    pushed = sb.jvp(outputs, TREE, tangents)
    assert isinstance(pushed["more"], tuple)
    assert [leaf.shape for leaf in leaves_of(pushed)] == [y.shape, (), y.shape]
    pulled = sb.vjp(outputs, [x, {"s": s}], {"more": (s, [y]), "first": y})
    assert pulled[1]["s"].shape == ()
    blocks = sb.jacobian(outputs, {"x": x}, disconnected="zero")
    assert blocks["first"]["x"] is A
    assert blocks["more"][1][0]["x"].shape == (*y.shape, *x.shape)
    second = sb.hessian(LOSS, TREE)
    assert second["a"][1][0]["b"]["c"].shape == y.shape
    assert second["b"]["c"]["a"][0].shape == x.shape


def test_vectors_are_matched_by_key():
    """Two variables of one shape: the order in which a dict was written does not matter."""
    p, q, t, r = (sb.tensor(name) for name in "pqtr")
    assert sb.jvp(p * q, {"p": p, "q": q}, {"q": r, "p": t}) is sb.jvp(p * q, {"p": p, "q": q}, {"p": t, "q": r})
    assert sb.vjp({"p": p, "q": q * q}, q, {"q": r, "p": t}, disconnected="zero") is sb.vjp(q * q, q, r)


@pytest.mark.parametrize("order", ["auto", "reverse", "forward", "mixed"])
def test_the_order_of_a_jacobian_can_be_asked_for(order):
    W, V = sb.tensor("W", ("h", "n")), sb.tensor("V", ("m", "h"))
    found = sb.jacobian([sb.tanh(V @ sb.tanh(W @ x)), W @ x], [x], order=order, sizes={"n": 2, "h": 50})
    bound = dict(zip([W, V, x], drawn([W, V, x], SIZES), strict=True))
    inner = np.tanh(bound[W] @ bound[x])
    slope = (1 - np.tanh(bound[V] @ inner) ** 2)[:, None] * bound[V] * (1 - inner**2) @ bound[W]
    np.testing.assert_allclose(evaluate(found[0][0], bound), slope, rtol=1e-12)
    np.testing.assert_allclose(evaluate(found[1][0], bound), bound[W])


def test_disconnected_variables():
    v, w = sb.tensor("v", ("n",)), sb.tensor("w", ("m",))
    bound = {x: np.array([1.0, 2.0]), y: np.ones(3), v: np.ones(2), w: np.ones(3), A: np.ones((3, 2))}
    cube = sb.sum(x**3)
    for derive in (sb.hvp, sb.vhp):
        by_x, by_y = evaluate(derive(cube, [x, y], [v, w], disconnected="zero"), bound)
        assert (by_x.tolist(), by_y.tolist()) == ([6.0, 12.0], [0.0, 0.0, 0.0])
        assert evaluate(derive(sb.sum(3 * x), x, v), bound).tolist() == [0.0, 0.0]
    assert evaluate(sb.ggn(A @ x, [x, y], [v, w], disconnected="zero")[1], bound).tolist() == [0.0, 0.0, 0.0]
    assert evaluate(sb.laplacian(cube, [x, y], disconnected="zero"), bound) == 18.0
    assert evaluate(sb.laplacian(sb.sum(x), x), bound) == 0.0
    assert evaluate(sb.divergence([x, 2 * x], [x, v], disconnected="zero"), bound) == 2.0


# -- third derivatives --------------------------------------------------------------------------------------------


def two_layers(t):
    z, W, u = t("x", "n"), t("W", "h", "n"), t("u", "h")
    return Model(u @ sb.tanh(W @ sb.tanh(z) + W @ z), z, [z, W, u])


@pytest.mark.parametrize("make", [logistic, two_layers, log_det, factorisation, mixture])
def test_third_derivatives(make):
    """The derivative of the Hessian against differences of it; symmetric in all three places."""
    loss, wrt, inputs = built(make)
    variable = leaves_of(wrt)[0]
    hessian = sb.hessian(loss, variable)
    third = sb.jacobian(hessian, variable, disconnected="zero")
    values = drawn(inputs, {"n": 3, "m": 2, "h": 3, "k": 2})
    bound = dict(zip(inputs, values, strict=True))
    found, emitted = evaluate(third, bound), sb.lambdify(inputs, third)(*values)
    np.testing.assert_allclose(emitted, found, rtol=1e-10, atol=1e-12)
    size = bound[variable].size
    cube = found.reshape(size, size, size)
    np.testing.assert_allclose(cube, cube.transpose(2, 0, 1), atol=1e-11 * (1 + np.abs(cube).max()))
    direction = np.random.default_rng(5).normal(size=size)
    slopes = []
    for step in (1e-3, 5e-4):
        moved = [
            bound | {variable: bound[variable] + (h * direction).reshape(bound[variable].shape)} for h in (step, -step)
        ]
        slopes.append((evaluate(hessian, moved[0]) - evaluate(hessian, moved[1])) / (2 * step))
    wanted = ((4 * slopes[1] - slopes[0]) / 3).reshape(size, size)
    np.testing.assert_allclose(cube @ direction, wanted, atol=1e-8 * (1 + np.abs(cube).max()))


def test_the_third_derivative_of_cubes_is_a_diagonal():
    third = sb.jacobian(sb.hessian(sb.sum(x**3), x), x)
    value = sb.lambdify([x], third)(np.array([1.0, -2.0]))
    assert value.tolist() == [[[6.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 6.0]]]


# -- plain SymPy --------------------------------------------------------------------------------------------------


def test_plain_sympy_expressions_stay_plain():
    a, b, u, v = sympy.symbols("a b u v")
    f = sympy.exp(a * b) * sympy.sin(a) + b**3
    H = sympy.hessian(f, [a, b])
    wanted = list(H * sympy.Matrix([u, v]))
    for derive in (sb.hvp, sb.vhp):
        assert all(sympy.simplify(one - two) == 0 for one, two in zip(derive(f, [a, b], [u, v]), wanted, strict=True))
    assert sb.hvp(a**3, {"a": a}, {"a": 1}) == {"a": 6 * a}
    assert sympy.simplify(sb.laplacian(f, [a, b]) - H.trace()) == 0
    assert sb.divergence([a * b, a * b], [a, b]) == a + b
    assert sb.directional_derivative(a**2, a, u) == 2 * a * u
    assert sb.jacobian([a * b, (a,)], {"a": a}) == [{"a": b}, ({"a": 1},)]
    residuals_of = [a * b, a + b**2]
    J = sympy.Matrix(residuals_of).jacobian([a, b])
    product = sympy.Matrix(sb.gauss_newton(residuals_of, [a, b], [u, v]))
    assert sympy.simplify(product - J.T * J * sympy.Matrix([u, v])) == sympy.zeros(2, 1)
    assert sympy.simplify(sb.gauss_newton(sympy.sin(a), a, u, loss=sympy.exp(sympy.sin(a)))
                          - sympy.exp(sympy.sin(a)) * sympy.cos(a) ** 2 * u) == 0  # fmt: skip


# -- refusals -----------------------------------------------------------------------------------------------------

single = sb.tensor("f", ("n",), dtype="float32")
count = sb.tensor("count", ("n",), dtype="int64")
REFUSALS = [
    (lambda: sb.hvp(x, x, x), "DerivativeError", r"hvp: the loss x \(n,\) is not a scalar .* sum it first"),
    (lambda: sb.hessian(A, x), "DerivativeError", r"hessian: the loss A \(m, n\) is not a scalar"),
    (lambda: sb.laplacian(x * x, x), "DerivativeError", r"laplacian: the loss .* \(n,\) is not a scalar"),
    (lambda: sb.hvp([s], s, s), "UsageError", "hvp: what is differentiated is one node, not a list"),
    (lambda: sb.laplacian({"s": s}, s), "UsageError", "laplacian: .* one node, not a dict"),
    (lambda: sb.hvp(sb.sum(count), x, x), "DtypeError", "hvp: cannot differentiate .* its dtype is int64"),
    (lambda: sb.hvp(LOSS, x, y), "ShapeError", r"hvp: the vector for x \(n,\) is y \(m,\)"),
    (lambda: sb.vhp(LOSS, [x, y], [x]), "InputError", "vhp: .* a list of 2 is needed, but a list of 1 was given"),
    (lambda: sb.hvp(LOSS, TREE, {"a": [x, y], "b": {"c": s}}), "InputError",
     r"otherwise than the variables: at \['a'\]\[1\], a tuple of 1 is needed, but one array was given"),
    (lambda: sb.jvp(LOSS, {"x": x}, {"y": x}), "InputError", r"a dict with the keys \['x'\] is needed, .* \['y'\]"),
    (lambda: sb.jvp(LOSS, [x], {0: x}), "InputError", r"a list of 1 is needed, but a dict with the keys \[0\]"),
    (lambda: sb.vjp([A @ x], x, y), "InputError", "than the outputs: a list of 1 is needed, but one array"),
    (lambda: sb.hvp(sb.sum(single**2), single, x), "DtypeError", r"float64, .* float32 .* \.astype\('float32'\)"),
    (lambda: sb.jvp(single**2, single, count), "DtypeError", "vector for f has dtype int64, .* into float32"),
    (lambda: sb.hvp(LOSS, sb.tensor("q"), s), "DerivativeError", r"hvp: .* does not depend on q \(\)"),
    (lambda: sb.ggn(A @ x, y, y), "DerivativeError", r"gauss_newton: .* does not depend on y"),
    (lambda: sb.ggn(A @ x, x, x, loss=A @ x), "DerivativeError", "gauss_newton: the loss .* is not a scalar"),
    (lambda: sb.ggn(A @ x, x, x, loss=sb.sum(x)), "DerivativeError", r"does not depend on the output .* \(m,\)"),
    (lambda: sb.ggn(A @ x, x, x, loss=sb.sum(A @ x) + x @ x), "DerivativeError",
     r"depends on x \(n,\) by other ways than the output .* \(m,\)"),
    (lambda: sb.ggn(count, x, x, disconnected="zero"), "DtypeError", "gauss_newton: cannot differentiate count"),
    (lambda: sb.divergence(A @ x, x), "ShapeError", r"divergence: the field .* \(m,\) has another shape than x \(n,\)"),
    (lambda: sb.divergence([x], x), "InputError", "one array is needed, but a list of 1 was given"),
    (lambda: sb.divergence(x, single), "DerivativeError", "divergence: x does not depend on f"),
    (lambda: sb.jvp([], x, x), "InputError", "jvp: no outputs are given"),
    (lambda: sb.vjp({}, x, {}), "InputError", "vjp: no outputs are given"),
    (lambda: sb.ggn([], x, x), "InputError", "gauss_newton: no outputs are given"),
    (lambda: sb.laplacian(s, []), "InputError", "laplacian: no variables are given"),
    (lambda: sb.directional_derivative(s, x, x), "DerivativeError", "directional_derivative: s does not depend on x"),
    (lambda: sb.jacobian(A @ x, x, order="sideways"), "InputError", "order='sideways' is not known"),
    (lambda: sb.jacobian(A @ x, x, sizes={"q": 3}), "InputError", "jacobian: no shape has a size called 'q'"),
    (lambda: sb.hessian(LOSS, x, sizes={"n": -3}), "InputError", "hessian: size n must be an integer from 0"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "message"), REFUSALS)
def test_refusals(call, error, message):
    with pytest.raises(getattr(sb.errors, error), match=message):
        call()


def test_vectors_that_fit_are_converted():
    narrow = sb.tensor("narrow", ("n",), dtype="float32")
    bound = {x: np.array([1.0, 2.0]), narrow: np.ones(2, dtype="float32"), count: np.array([1, 2])}
    for vector, wanted in ((narrow, [6.0, 12.0]), (count, [6.0, 24.0]), (np.array([2, 0]), [12.0, 0.0])):
        product = sb.hvp(sb.sum(x**3), x, vector) if isinstance(vector, sb.Node) else sb.hvp(
            sb.sum(sb.tensor("x", (2,)) ** 3), sb.tensor("x", (2,)), vector)  # fmt: skip
        found = evaluate(product, bound if isinstance(vector, sb.Node) else {"x": bound[x]})
        assert (found.dtype, found.tolist()) == (np.float64, wanted)


# -- traced functions ---------------------------------------------------------------------------------------------


@sb.function
def traced_loss(w, layer, scale=2.0):
    v_w = np.tanh(layer["W"] @ w)
    return scale * np.sum(v_w**2) + np.sum(w) ** 3


def test_hvp_of_a_traced_function():
    """Vectors in the structure of the arguments; a local name that a vector would have stays the function's."""
    random = np.random.default_rng(3)
    w, layer = random.normal(size=3), {"W": random.normal(size=(2, 3))}
    v, V = random.normal(size=3), {"W": random.normal(size=(2, 3))}
    found = traced_loss.hvp(w, layer, vectors={"layer": V, "w": v}, wrt=None)
    blocks = traced_loss.hessian(w, layer)
    by_w = blocks["w"]["w"] @ v + np.tensordot(blocks["w"]["layer"]["W"], V["W"], 2)
    np.testing.assert_allclose(found["w"], by_w, rtol=1e-12)
    np.testing.assert_allclose(traced_loss.hvp(w, layer, vectors=v, wrt="w"), blocks["w"]["w"] @ v, rtol=1e-12)
    np.testing.assert_allclose(traced_loss.hvp(w, layer, vectors=[v], wrt=["w"])[0], blocks["w"]["w"] @ v, rtol=1e-12)
    assert traced_loss.hvp(np.float32(w), layer, vectors=np.float32(v), wrt="w").dtype == np.float32
    with pytest.raises(sb.errors.InputError, match="hvp: the vectors are nested otherwise than the variables"):
        traced_loss.hvp(w, layer, vectors={"w": v})
    with pytest.raises(sb.errors.ShapeError, match=r"hvp: the vector for w \(3,\)"):
        traced_loss.hvp(w, layer, vectors=v[:2], wrt="w")
    with pytest.raises(sb.errors.DtypeError, match=r"\.astype\('float32'\)"):
        traced_loss.hvp(np.float32(w), layer, vectors=v, wrt="w")


def test_products_and_traces_of_random_programs():
    """Repeated operands, size-1 axes, slices, diagonals, kinks, names: what the dense matrices give."""
    for program in seeded_programs(10, seed=21):
        loss, point = program.loss(), program.point()
        wrt = [x for x in program.variables if x.dtype.kind == "f"]
        vectors, values = beside(wrt), [point[x] for x in wrt]
        point |= dict(zip(vectors, drawn(vectors, LENGTHS), strict=True))
        outputs = [node for node in program.nodes()[-3:] if node.dtype.kind == "f"]
        fields = [(node, v) for node in outputs for v in wrt if node.shape == v.shape]
        graphs = [
            sb.hessian(loss, wrt, disconnected="zero"),
            sb.hvp(loss, wrt, vectors, disconnected="zero"),
            sb.laplacian(loss, wrt, disconnected="zero"),
            [sb.divergence(*pair, disconnected="zero") for pair in fields],
            [sb.jacobian(*pair, disconnected="zero") for pair in fields],
        ]
        with np.errstate(all="ignore"):
            blocks, product, laplacian, divergences, jacobians = evaluate(graphs, point)
        matrix = dense(blocks, values, values)
        tolerance = {"rtol": 1e-3, "atol": 1e-2} if program.single else {"rtol": 1e-8, "atol": 1e-8}
        np.testing.assert_allclose(flat(product), matrix @ flat([point[v] for v in vectors]), **tolerance)
        np.testing.assert_allclose(laplacian, np.trace(matrix), **tolerance)
        for found, block, (_, v) in zip(divergences, jacobians, fields, strict=True):
            np.testing.assert_allclose(found, np.trace(block.reshape(2 * (point[v].size,))), **tolerance)
