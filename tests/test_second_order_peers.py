"""Hessians, Jacobians and Hessian-vector products against JAX in float64, to 1e-12 of the largest entry of each array.

The models use variables again, broadcast them, and reduce over them: each of these has its own way to go wrong twice.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import symback as sb

jax = pytest.importorskip("jax", reason="the peers need the extra [test-peers]")

TOLERANCE = 1e-12
QUICK = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
"""Compiling takes most of the time here; the numbers are needed once."""

DATA = np.random.default_rng(7)
LABELS, ROWS, MASK = (DATA.random(6) < 0.5).astype(float), DATA.normal(size=(6, 3)), DATA.normal(size=(3, 4))
CUBE = DATA.normal(size=(3, 3, 3))


class Model(NamedTuple):
    """A function of arrays, written for two namespaces: NumPy's names and the special functions."""

    name: str
    build: Callable[..., Any]
    shapes: tuple[tuple[int, ...], ...]
    low: float = -1.5
    high: float = 1.5

    def __str__(self) -> str:
        return self.name


def logistic(n: Any, s: Any, w: Any) -> Any:
    z = ROWS @ w
    return n.mean(n.logaddexp(0.0, z) - LABELS * z)


def softmax_regression(n: Any, s: Any, W: Any, b: Any) -> Any:
    Z = ROWS @ W + b
    return n.sum(s.logsumexp(Z, axis=1)) - n.sum(Z[:, 0] * LABELS)


def network(n: Any, s: Any, W1: Any, b1: Any, W2: Any, b2: Any) -> Any:
    return n.sum((n.tanh(n.tanh(ROWS @ W1 + b1) @ W2 + b2) - LABELS[:, None]) ** 2)


def rectified(n: Any, s: Any, W1: Any, W2: Any) -> Any:
    a = n.maximum(W2 @ n.maximum(W2 @ n.maximum(W1 @ ROWS[0], 0), 0), 0)
    z = W2 @ a
    return s.logsumexp(z, axis=0) - z[1]


def attention(n: Any, s: Any, Q: Any, K: Any) -> Any:
    return n.sum((s.softmax(ROWS @ Q @ (ROWS @ K).T, axis=1) @ ROWS) ** 2)


def gaussian_process(n: Any, s: Any, x: Any, t: Any) -> Any:
    K = n.exp(-((x[:, None] - x) ** 2) * n.exp(t)) + np.eye(4)
    return LABELS[:4] @ n.linalg.solve(K, LABELS[:4]) + n.exp(t)


def mixture(n: Any, s: Any, alpha: Any, mu: Any) -> Any:
    distances = n.sum((ROWS[:, None, :] - mu) ** 2, axis=2)
    return n.sum(s.logsumexp(alpha - distances / 2, axis=1)) - 6 * s.logsumexp(alpha, axis=0)


def cosine(n: Any, s: Any, x: Any, y: Any) -> Any:
    return x @ y / (n.sqrt(x @ x) * n.sqrt(y @ y))


VECTOR, SQUARE, TWO = ((4,),), ((3, 3),), ((3,), (4,))
LOSSES = [
    Model("logistic regression", logistic, ((3,),)),
    Model("softmax regression", softmax_regression, ((3, 4), (4,))),
    Model("network of tanh", network, ((3, 4), (4,), (4, 1), (1,))),
    Model("network of ReLU, a matrix thrice", rectified, ((3, 3), (3, 3))),
    Model("attention", attention, ((3, 2), (3, 2))),
    Model("Gaussian process", gaussian_process, ((4,), ())),
    Model("Gaussian mixture", mixture, ((2,), (2, 3))),
    Model("cosine", cosine, ((4,), (4,))),
    Model("factorisation", lambda n, s, U, V: n.sum((MASK - U @ V.T) ** 2), ((3, 2), (4, 2))),
    Model("quadratic form", lambda n, s, x, A: x @ A @ x, ((3,), (3, 3))),
    Model("powers of one vector", lambda n, s, x: n.sum(x**3) + n.sum(x) ** 2 + (x @ x) ** 2, VECTOR),
    Model("matrix with its transpose", lambda n, s, A: n.sum(n.exp(A) * A.T) + n.sum((A @ A.T) ** 2), SQUARE),
    Model("rows beside columns", lambda n, s, x, y: n.sum((x[:, None] + y) ** 3 * MASK), TWO),
    Model("a vector beside itself", lambda n, s, x: n.sum(n.exp(x[:, None] * x - x)), VECTOR),
    Model("axes of size 1", lambda n, s, A, B: n.sum(n.exp(A) * B + n.sin(A * B)), ((3, 1), (1, 4))),
    Model("scalars", lambda n, s, a, b: n.sum(n.tanh(a * ROWS + b) ** 2) * a, ((), ())),
    Model("means of rows", lambda n, s, A: n.sum(n.mean(A, axis=1) ** 3) + n.mean(A * A) ** 2, ((3, 4),)),
    Model("shares of rows", lambda n, s, A: n.sum((A / n.sum(A, axis=1, keepdims=True)) ** 2 * MASK), ((3, 4),), 0.5),
    Model("variance", lambda n, s, A: n.sum(n.log(n.var(A, axis=0))), ((4, 3),)),
    Model("trilinear form", lambda n, s, x, y: n.einsum("ijk,i,j,k->", CUBE, x, y, x), ((3,), (3,))),
    Model("entries again", lambda n, s, x: n.sum(x[np.array([0, 0, 3])] ** 3 * x[np.array([0, 1, 1])]), VECTOR),
    Model("either branch", lambda n, s, x: n.sum(n.where(x > 0, n.exp(x), x**3)) * n.sum(x), VECTOR),
    Model("running sums", lambda n, s, x: n.sum(n.cumsum(x) ** 3) + n.sum(n.sort(x) ** 3 * LABELS[:4]), VECTOR),
    Model("a power of two", lambda n, s, x, y: n.sum(x**y) ** 2, ((3,), (3,)), 0.5),
    Model("convolution with itself", lambda n, s, x: n.sum(n.convolve(x, x) ** 2), VECTOR),
]  # fmt: skip

ARRAYS = [
    Model("softmax", lambda n, s, x: s.softmax(x, axis=0), VECTOR),
    Model("affine", lambda n, s, W, x: n.tanh(W @ x) + x[:3], ((3, 4), (4,))),
    Model("outer product", lambda n, s, x: n.outer(x, x) + n.diag(x), VECTOR),
    Model("unit vector", lambda n, s, x: x / n.sqrt(x @ x), VECTOR),
    Model("inverse", lambda n, s, A: n.linalg.inv(A + 5 * np.eye(3)), SQUARE),
    Model("shares of rows", lambda n, s, A: A / n.sum(A, axis=1, keepdims=True), ((3, 4),), 0.5),
    Model("product of three", lambda n, s, A, B: A @ B @ A.T, ((2, 3), (3, 3))),
    Model("rows beside columns", lambda n, s, x, y: n.exp(x[:, None] * y), TWO),
    Model("running sums", lambda n, s, A: n.cumsum(A**2, axis=0), ((3, 2),)),
]  # fmt: skip


def point_of(model: Model, seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.uniform(model.low, model.high, shape) for shape in model.shapes]


def variables_of(model: Model) -> list[Any]:
    return [sb.tensor(f"x{k}", shape) for k, shape in enumerate(model.shapes)]


def by_jax(transformed: Callable[..., Any], model: Model, points: list[list[np.ndarray]]) -> list[Any]:
    """Return what JAX makes of a model at some points, as nested lists of arrays."""
    with jax.enable_x64(True):

        def program(*arrays: Any) -> Any:
            return model.build(jax.numpy, jax.scipy.special, *arrays)

        function = jax.jit(transformed(program), compiler_options=QUICK)
        return [jax.tree.map(np.asarray, function(*point)) for point in points]


def held_alike(found: Any, wanted: Any, scale: float = 0.0) -> None:
    assert np.shape(found) == np.shape(wanted)
    scale = scale or float(np.max(np.abs(wanted), initial=0.0)) or 1.0
    np.testing.assert_allclose(found, wanted, rtol=0, atol=TOLERANCE * scale)


@pytest.mark.parametrize("model", LOSSES, ids=str)
def test_hessians_and_their_products_are_those_of_jax(model: Model) -> None:
    variables, places = variables_of(model), tuple(range(len(model.shapes)))
    directions = [sb.tensor(f"d{k}", shape) for k, shape in enumerate(model.shapes)]
    loss = model.build(sb, sb.special, *variables)
    results = [sb.hessian(loss, variables), sb.hvp(loss, variables, directions)]
    functions = [sb.lambdify([*variables, *directions], results, style=style) for style in ("readable", "fast")]
    points = [point_of(model, seed) for seed in (0, 1)]
    expected = by_jax(lambda program: jax.hessian(program, places), model, points)
    for point, wanted in zip(points, expected, strict=True):
        along = [np.asarray(array) for array in point_of(model, 2)]
        for function in functions:
            blocks, products = function(*point, *along)
            for row, wanted_row, product in zip(blocks, wanted, products, strict=True):
                for block, wanted_block in zip(row, wanted_row, strict=True):
                    held_alike(block, wanted_block)
                terms = [np.tensordot(H, v, v.ndim) for H, v in zip(wanted_row, along, strict=True)]
                held_alike(product, sum(terms), max(float(np.max(np.abs(term))) for term in terms))


@pytest.mark.parametrize("model", ARRAYS, ids=str)
def test_jacobians_are_those_of_jax(model: Model) -> None:
    variables, places = variables_of(model), tuple(range(len(model.shapes)))
    function = sb.lambdify(variables, sb.jacobian(model.build(sb, sb.special, *variables), variables))
    points = [point_of(model, seed) for seed in (0, 1)]
    expected = by_jax(lambda program: jax.jacfwd(program, places), model, points)
    for point, wanted in zip(points, expected, strict=True):
        for found, jacobian in zip(function(*point), wanted, strict=True):
            held_alike(found, jacobian)
