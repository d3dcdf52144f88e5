"""Hessians in closed form and Hessian-vector products: by hand, as graphs, and as the peers compute them.

The programs by hand are the yardstick, so each has its derivation, and is the fastest that was found in NumPy.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

import symback as sb

from . import networks
from .peers import Task

SEED = 1


def logistic(X: Any, y: Any, w: Any) -> Any:
    """The Hessian of the cross-entropy of logistic regression, by hand.

    The gradient of sum_i log(1 + exp(z_i)) - y_i z_i with z = X w is X'(p - y), p = sigmoid(z), and p' = p (1 - p) = s,
    so that H = X' diag(s) X. As s is not negative, H = Y'Y with the rows of X times sqrt(s): NumPy multiplies a matrix
    by its own transpose with BLAS's syrk, which takes half of the operations that a product of two matrices takes.
    """
    p = networks.sigmoid(X @ w)
    Y = X.T * np.sqrt(p * (1 - p))
    return Y @ Y.T


def logistic_loss(n: Any, X: Any, y: Any, w: Any) -> Any:
    """The cross-entropy of logistic regression, labels 0 and 1: as the peers read it."""
    z = X @ w
    return n.sum(n.softplus(z) - y * z)


def logistic_graph() -> tuple[list[Any], Any]:
    """The cross-entropy of logistic regression, in symback."""
    X, y, w = sb.tensor("X", ("N", "d")), sb.tensor("y", ("N",)), sb.tensor("w", ("d",))
    z = X @ w
    return [X, y, w], sb.sum(sb.softplus(z) - y * z)


def factorisation(T: Any, V: Any, U: Any) -> Any:
    """The Hessian of a factorisation by one factor, by hand.

    The gradient of |T - U V'|^2 by U is 2 (U V' - T) V, row by row linear in the same row of U: the Hessian is
    2 I (x) V'V, one block k times k that stands n times on the diagonal of (n k) x (n k) zeros.
    """
    n, k = U.shape
    H = np.zeros((n, k, n, k))
    np.einsum("ijik->ijk", H)[...] = 2 * (V.T @ V)
    return H


def factorisation_loss(n: Any, T: Any, V: Any, U: Any) -> Any:
    """The squared distance of T from U V': as the peers read it."""
    return n.sum((T - U @ V.T) ** 2)


def factorisation_graph() -> tuple[list[Any], Any]:
    """The squared distance of T from U V', in symback."""
    T, V, U = sb.tensor("T", ("n", "m")), sb.tensor("V", ("m", "k")), sb.tensor("U", ("n", "k"))
    return [T, V, U], sb.sum((T - U @ V.T) ** 2)


def rectified(x: Any, y: Any, *weights: Any) -> Any:
    """The Hessian of a network of ReLU layers with softmax cross-entropy by its first layer, by hand.

    The last layer has z = B W1 x with B = W_L D_{L-1} W_{L-1} ... W_2 D_1, where D_l is diagonal, with ones at what is
    positive. Nothing but the softmax has second derivatives, diag(p) - p p', so that H[i, j, k, l] = M[i, k] x[j] x[l]
    with M = B' (diag(p) - p p') B. See Laue, Mitterreiter, Giesen, "Computing Higher Order Derivatives of Matrix and
    Tensor Expressions", NeurIPS 2018, whose benchmark this is. What a layer gives is a column beside B: one product
    is both. Of M x x' the product of n^3 entries is formed first; NumPy forms the other with einsum in two thirds of
    the time that it takes with broadcasting.
    """
    *later, W1 = weights
    n = len(x)
    a, B = W1 @ x, np.empty((n, n + 1))
    positive = a > 0
    np.multiply(later[0], positive, out=B[:, :n])
    np.matmul(later[0], a * positive, out=B[:, n])
    for W in later[1:]:
        B = (W * (B[:, n] > 0)) @ B
    e = np.exp(B[:, n] - B[:, n].max())
    p, B = e / e.sum(), B[:, :n]
    q = p @ B
    M = (B.T * p) @ B
    M -= q[:, None] * q
    return np.einsum("j,ikl->ijkl", x, M[:, :, None] * x)


def rectified_loss(n: Any, x: Any, y: Any, *weights: Any) -> Any:
    """ReLU layers of one width, the first one's weights last, and softmax cross-entropy: as the peers read it."""
    *hidden, W = weights[-1], *weights[:-1]
    a = x
    for V in hidden:
        a = n.relu(V @ a)
    z = W @ a
    return n.logsumexp(z, axis=0) - n.sum(y * z)


def rectified_graph(layers: int) -> tuple[list[Any], Any]:
    """ReLU layers of one width and softmax cross-entropy, in symback."""
    x, y = sb.tensor("x", ("n",)), sb.tensor("y", ("n",))
    first, *hidden, last = (sb.tensor(f"W{k}", ("n", "n")) for k in range(1, layers + 1))
    a = sb.relu(first @ x)
    for W in hidden:
        a = sb.relu(W @ a)
    z = last @ a
    return [x, y, *hidden, last, first], sb.logsumexp(z) - sb.sum(y * z)


class Layer(NamedTuple):
    """An activation: written in place; its slope by its value A; the tangent of that, None where it is zero."""

    activate: Callable[[Any], Any]
    slope: Callable[[Any], Any]
    turn: Callable[[Any, Any], Any] | None


def sigmoid_in_place(Z: np.ndarray) -> None:
    """Write the logistic function over its argument."""
    np.negative(Z, out=Z)
    np.exp(Z, out=Z)
    Z += 1
    np.divide(1, Z, out=Z)


LAYERS = {
    "sigmoid": Layer(sigmoid_in_place, lambda A: A * (1 - A), lambda A, RA: (1 - 2 * A) * RA),
    "tanh": Layer(lambda Z: np.tanh(Z, out=Z), networks.tanh_slope, lambda A, RA: -2 * A * RA),
    "ReLU": Layer(lambda Z: np.maximum(Z, 0, out=Z), np.sign, None),
}


def softmax_seed(Z: Any, RZ: Any, Y: Any, D: Any, RD: Any) -> None:
    """Write the gradient of the mean cross-entropy by the last layer and its tangent: p - y, and p (Rz - p'Rz)."""
    p = np.exp(Z - Z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    np.subtract(p, Y, out=D)
    np.multiply(p, RZ - np.einsum("ij,ij->i", p, RZ)[:, None], out=RD)


def squares_seed(A: Any, RA: Any, Y: Any, D: Any, RD: Any) -> None:
    """Write the gradient of half the mean of the squared distances by the last layer's value, and its tangent."""
    np.subtract(A, Y, out=D)
    RD[...] = RA


def r_operator(layer: Layer, seed: Callable[..., None], X: Any, Y: Any, *arrays: Any) -> list[Any]:
    """The product of the Hessian of a network with a direction, by hand.

    Pearlmutter, "Fast Exact Multiplication by the Hessian", Neural Computation 6, 1994: the operator R differentiates
    along the direction, so that it goes through the forward and the backward pass as the product rule does:
    R(A W + b) = RA W + A RW + Rb, R f(Z) = f'(Z) RZ, R(D W') = RD W' + D RW', R(A'D) = RA'D + A'RD,
    R(E f'(Z)) = RE f'(Z) + E Rf'(Z). Values and tangents lie one above the other, A over RA and RD over D, so that
    those which are multiplied by one matrix are so at once, and RA'D + A'RD is one product.
    """
    half = len(arrays) // 2
    (weights, biases), (R_weights, R_biases) = ((part[::2], part[1::2]) for part in (arrays[:half], arrays[half:]))
    N, last, stacks, slopes = len(X), len(weights) - 1, [], []
    for k, (W, b, RW, Rb) in enumerate(zip(weights, biases, R_weights, R_biases, strict=True)):
        if k:
            Z = stacks[-1] @ W
            Z[N:] += stacks[-1][:N] @ RW
        else:
            Z = np.concatenate([X @ W, X @ RW])
        Z[:N] += b
        Z[N:] += Rb
        if k < last or seed is squares_seed:
            layer.activate(Z[:N])
            slopes.append(layer.slope(Z[:N]))
            Z[N:] *= slopes[-1]
        stacks.append(Z)
    S = np.empty_like(Z)
    seed(Z[:N], Z[N:], Y, S[N:], S[:N])
    S /= N
    product: list[Any] = []
    for k in range(last, -1, -1):
        if k < last:
            S, D = S @ weights[k + 1].T, S[N:]
            S[:N] += D @ R_weights[k + 1].T
        if k < len(slopes):
            S[:N] *= slopes[k]
            if layer.turn is not None:
                S[:N] += layer.turn(stacks[k][:N], stacks[k][N:]) * S[N:]
            if k:
                S[N:] *= slopes[k]
        product += [S[:N].sum(axis=0), stacks[k - 1].T @ S if k else X.T @ S[:N]]
    return product[::-1]


SEEDS = {"squares": squares_seed, "cross-entropy": softmax_seed}


def logistic_task(N: int, d: int) -> Task:
    """Return the task of the Hessian of logistic regression on N examples of d entries."""
    random = np.random.default_rng(SEED)
    X, w = random.normal(size=(N, d)), random.normal(size=d) / np.sqrt(d)
    y = (random.random(N) < networks.sigmoid(X @ w)).astype(float)
    return Task(f"logistic regression, {N} x {d}", logistic_loss, logistic_graph, logistic, [X, y], [w], aim=1.05)


def factorisation_task(n: int, k: int, m: int, without: dict[str, str]) -> Task:
    """Return the task of the Hessian of a factorisation of an (n, m) matrix by its factor of shape (n, k)."""
    random = np.random.default_rng(SEED)
    T, V, U = (random.normal(size=shape) for shape in ((n, m), (m, k), (n, k)))
    programs = factorisation_loss, factorisation_graph, factorisation
    return Task(f"factorisation by U, {n} x {k}", *programs, [T, V], [U], without, 1.05)


def rectified_task(width: int, layers: int, without: dict[str, str]) -> Task:
    """Return the task of the Hessian of a network of ReLU layers by the weights of the first."""
    random = np.random.default_rng(SEED)
    first, *later = (random.normal(size=(width, width)) * np.sqrt(2 / width) for _ in range(layers))
    x, y = random.normal(size=width), np.eye(width)[random.integers(width)]
    programs = rectified_loss, partial(rectified_graph, layers), rectified
    return Task(f"{layers} ReLU layers of {width}", *programs, [x, y, *later], [first], without, 1.05)


def product_task(kind: str, N: int, widths: list[int]) -> Task:
    """Return the task of a Hessian-vector product of a network by all weights and biases; directions come last."""
    of = networks.KINDS[kind]
    data, parameters = networks.arrays(kind, N, widths)
    random = np.random.default_rng(SEED)
    directions = [random.normal(size=array.shape) for array in parameters]
    activation, head = kind.split(", ")
    by_hand = partial(r_operator, LAYERS[activation], SEEDS[head])
    name = f"{'-'.join(map(str, widths))}, N={N}, {kind}"
    return Task(name, of.loss, partial(of.graph, len(widths)), by_hand, data, parameters, {}, 1.05, None, directions)


def hessian_tasks(scale: str = "full") -> list[Task]:
    """Return the Hessians of the suite; at scale "tiny" small ones of each kind."""
    if scale == "tiny":
        return [logistic_task(5, 3), factorisation_task(4, 2, 3, {}), rectified_task(3, 4, {})]
    return [
        *(logistic_task(n, n) for n in (100, 300, 1000)),
        *(factorisation_task(n, k, 100, {}) for n, k in ((100, 5), (100, 10), (200, 10), (500, 10))),
        *(rectified_task(width, 10, {}) for width in (10, 20, 30)),
    ]


def product_tasks(scale: str = "full") -> list[Task]:
    """Return the Hessian-vector products of the suite; at scale "tiny" the same ones, with few and small layers."""
    small, large = ([4, 3, 2], [4, 3, 3, 2]) if scale == "tiny" else ([64, 128, 10], [784, 256, 128, 10])
    batches = (5, 5) if scale == "tiny" else (32, 128)
    return [
        product_task(kind, N, widths)
        for N, widths in zip(batches, (small, large), strict=True)
        for kind in networks.KINDS
    ]


def tasks(scale: str = "full") -> list[Task]:
    """Return the Hessians of the suite, and then the products."""
    return [*hessian_tasks(scale), *product_tasks(scale)]
