"""Values, gradients and Hessian-vector products against JAX in float64: matrices, scans, sorting, special functions."""

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import symback as sb

jax = pytest.importorskip("jax", reason="the peers need the extra [test-peers]")


class Peer(NamedTuple):
    """A function of arrays, written for two namespaces: NumPy's names and the special functions."""

    name: str
    build: Callable[..., Any]
    shapes: tuple[tuple[int, ...], ...]
    low: float = -2.0
    high: float = 2.0
    tolerance: float = 1e-10

    def __str__(self) -> str:
        return self.name


SQUARE, PAIR, VECTOR = ((3, 3),), ((3, 3), (3,)), ((5,),)


def positive(x: Any) -> Any:
    """Return a positive definite matrix."""
    return x @ x.T + np.eye(3)


def symmetric(x: Any) -> Any:
    """Return a symmetric matrix with eigenvalues far apart."""
    return x + x.T + np.diag([0.0, 5.0, 11.0])


def lower(n: Any, x: Any) -> Any:
    """Return a triangular matrix that is well conditioned."""
    return n.tril(x) + 3 * np.eye(3)


PEERS = [
    Peer("linalg.inv", lambda n, s, x: n.linalg.inv(x + 4 * np.eye(3)), SQUARE),
    Peer("linalg.solve", lambda n, s, a, b: n.linalg.solve(a + 4 * np.eye(3), b), PAIR),
    Peer("linalg.det", lambda n, s, x: n.linalg.det(x), SQUARE),
    Peer("linalg.det batched", lambda n, s, x: n.linalg.det(x), ((2, 3, 3),)),
    Peer("linalg.slogdet", lambda n, s, x: n.linalg.slogdet(x)[1], SQUARE),
    Peer("linalg.cholesky", lambda n, s, x: n.linalg.cholesky(positive(x)), SQUARE),
    Peer("linalg.eigvalsh", lambda n, s, x: n.linalg.eigvalsh(symmetric(x)), SQUARE),
    Peer("linalg.eigh", lambda n, s, x: n.linalg.eigh(symmetric(x))[1] ** 2, SQUARE),
    Peer("linalg.svd values", lambda n, s, x: n.linalg.svd(x, full_matrices=False)[1], ((3, 2),)),
    Peer("linalg.matrix_power", lambda n, s, x: n.linalg.matrix_power(x, 3), SQUARE),
    Peer("linalg.norm", lambda n, s, x: n.linalg.norm(x), VECTOR),
    Peer("linalg.norm of order 3", lambda n, s, x: n.linalg.norm(x, 3), VECTOR, 0.5),
    Peer("linalg.norm of a matrix", lambda n, s, x: n.linalg.norm(x), SQUARE),
    Peer("cumsum", lambda n, s, x: n.cumsum(x, axis=1), ((2, 4),)),
    Peer("cumprod", lambda n, s, x: n.cumprod(x, axis=1), ((2, 4),)),
    Peer("prod", lambda n, s, x: n.prod(x, axis=0), ((3, 2),)),
    Peer("sort", lambda n, s, x: n.sort(x, axis=1) ** 3, ((2, 4),)),
    Peer("max", lambda n, s, x: n.max(x, axis=1) ** 3, ((2, 4),)),
    Peer("std", lambda n, s, x: n.std(x, axis=1), ((2, 4),)),
    Peer("convolve", lambda n, s, x, y: n.convolve(x, y), ((5,), (3,))),
    Peer("kron", lambda n, s, x, y: n.kron(x, y), ((2, 2), (2, 3))),
    Peer("cross", lambda n, s, x, y: n.cross(x, y), ((2, 3), (2, 3))),
    Peer("gather", lambda n, s, x: x[np.array([0, 0, 2, 4, -1])] ** 3, VECTOR),
    Peer("take_along_axis", lambda n, s, x: n.take_along_axis(x, np.array([[0, 0], [2, 1]]), 1) ** 3, ((2, 3),)),
    Peer("pad", lambda n, s, x: n.pad(x, 2, mode="reflect") ** 2, VECTOR),
    Peer("where", lambda n, s, x: n.where(x > 0, n.exp(x), x**2), VECTOR),
    Peer("arctan2", lambda n, s, x, y: n.arctan2(x, y), ((4,), (4,)), 0.5),
    Peer("logaddexp", lambda n, s, x, y: n.logaddexp(x, y), ((4,), (4,))),
    Peer("sinc", lambda n, s, x: n.sinc(x), VECTOR),
    Peer("special.erf", lambda n, s, x: s.erf(x), VECTOR),
    Peer("special.erfc", lambda n, s, x: s.erfc(x), VECTOR),
    Peer("special.erfinv", lambda n, s, x: s.erfinv(x), VECTOR, -0.8, 0.8),
    Peer("special.gammaln", lambda n, s, x: s.gammaln(x), VECTOR, 0.5),
    Peer("special.digamma", lambda n, s, x: s.digamma(x), VECTOR, 0.5),
    Peer("special.logsumexp", lambda n, s, x: s.logsumexp(x, axis=1), ((2, 4),)),
    Peer("special.softmax", lambda n, s, x: s.softmax(x, axis=1), ((2, 4),)),
    Peer("special.expit", lambda n, s, x: s.expit(x), VECTOR),
    Peer("special.logit", lambda n, s, x: s.logit(x), VECTOR, 0.1, 0.9),
    Peer("special.xlogy", lambda n, s, x, y: s.xlogy(x, y), ((4,), (4,)), 0.5),
    Peer("special.entr", lambda n, s, x: s.entr(x), VECTOR, 0.5),
    Peer("special.i0e", lambda n, s, x: s.i0e(x), VECTOR, 0.5),
    Peer("special.ndtr", lambda n, s, x: s.ndtr(x), VECTOR),
    Peer("special.log_ndtr", lambda n, s, x: s.log_ndtr(x), VECTOR),
]  # fmt: skip


def of_symback(peer: Peer, point: list[Any], weights: Any, direction: list[Any]) -> list[Any]:
    """Return value, gradients and Hessian-vector products of the weighted sum, by emitted code."""
    variables = [sb.tensor(f"x{k}", value.shape) for k, value in enumerate(point)]
    loss = sb.sum(peer.build(sb, sb.special, *variables) * weights)
    gradients = sb.grad(loss, variables)
    pushed = sb.jvp(gradients, variables, [sb.constant(v) for v in direction], disconnected="zero")
    return sb.lambdify(variables, [loss, *gradients, *pushed])(*point)


def of_jax(peer: Peer, point: list[Any], weights: Any, direction: list[Any]) -> list[Any]:
    """Return the same by JAX."""
    places = tuple(range(len(point)))

    def loss(*arrays: Any) -> Any:
        return jax.numpy.sum(peer.build(jax.numpy, jax.scipy.special, *arrays) * weights)

    arrays, tangents = tuple(map(jax.numpy.asarray, point)), tuple(map(jax.numpy.asarray, direction))

    def everything(arrays: Any, tangents: Any) -> Any:
        gradients, pushed = jax.jvp(jax.grad(loss, argnums=places), arrays, tangents)
        return [loss(*arrays), *gradients, *pushed]

    return jax.jit(everything)(arrays, tangents)


@pytest.mark.parametrize("peer", PEERS, ids=str)
def test_jax_gives_the_same(peer: Peer) -> None:
    rng = np.random.default_rng(0)
    point = [rng.uniform(peer.low, peer.high, shape) for shape in peer.shapes]
    direction = [rng.uniform(0.5, 1.5, shape) for shape in peer.shapes]
    shape = peer.build(sb, sb.special, *[sb.tensor(f"x{k}", value.shape) for k, value in enumerate(point)]).shape
    weights = rng.uniform(0.5, 1.5, shape)
    with warnings.catch_warnings(), jax.enable_x64(True):
        warnings.simplefilter("ignore")
        wanted = of_jax(peer, point, weights, direction)
    for found, expected in zip(of_symback(peer, point, weights, direction), wanted, strict=True):
        scale = max(float(np.max(np.abs(expected), initial=0)), 1.0)
        np.testing.assert_allclose(found, np.asarray(expected), rtol=0, atol=peer.tolerance * scale)
