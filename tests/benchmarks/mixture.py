"""The log-likelihood of a Gaussian mixture with full covariances, and its gradient.

The precision matrices are given by triangular factors Q with exp(q) on the diagonal and the strict lower part of C, as
in ADBench (Srajer, Kukelova, Fitzgibbon, 2018), without its prior: of every example the logarithm of
sum_k exp(alpha_k + log det Q_k - |Q_k (x - mu_k)|^2 / 2), minus n logsumexp(alpha).
"""

from typing import Any

import numpy as np

import symback as sb

from .peers import Task

NO_BATCHES = "it has no arrays of three axes"


def mixture(X: Any, alpha: Any, mu: Any, q: Any, C: Any) -> Any:
    """The log-likelihood and its gradient, by hand: examples are columns, so that every inner loop is long."""
    n, d = X.shape
    e, diagonal = np.exp(q), np.arange(d)
    Q = np.tril(C, -1)
    Q[:, diagonal, diagonal] = e
    D = X.T - mu[:, :, None]
    U = Q @ D
    P = np.einsum("kin,kin->kn", U, U)
    P *= -0.5
    P += (alpha + q.sum(axis=1))[:, None]
    top = P.max(axis=0)
    P -= top
    np.exp(P, out=P)
    total = P.sum(axis=0)
    P /= total
    highest = alpha.max()
    weights = np.exp(alpha - highest)
    mass = weights.sum()
    value = top.sum() + np.log(total).sum() - n * (highest + np.log(mass))
    counts = P.sum(axis=1)
    U *= P[:, None]
    d_Q = -(U @ D.transpose(0, 2, 1))
    d_mu = (U.sum(axis=2)[:, None] @ Q)[:, 0]
    d_q = d_Q[:, diagonal, diagonal] * e + counts[:, None]
    return value, [counts - n * weights / mass, d_mu, d_q, np.tril(d_Q, -1)]


def mixture_loss(n: Any, X: Any, alpha: Any, mu: Any, q: Any, C: Any) -> Any:
    """The log-likelihood, as the peers read it."""
    Q = n.tril(C, -1) + n.exp(q)[:, :, None] * n.eye(C.shape[1])
    U = Q @ (X.T[None] - mu[:, :, None])
    P = (alpha + n.sum(q, axis=1))[:, None] - 0.5 * n.sum(U * U, axis=1)
    return n.sum(n.logsumexp(P, axis=0)) - X.shape[0] * n.logsumexp(alpha, axis=0)


def mixture_graph() -> tuple[list[Any], Any]:
    """The log-likelihood in symback."""
    X, alpha, mu = sb.tensor("X", ("n", "d")), sb.tensor("alpha", ("k",)), sb.tensor("mu", ("k", "d"))
    q, C = sb.tensor("q", ("k", "d")), sb.tensor("C", ("k", "d", "d"))
    Q = sb.let("Q", sb.tril(C, -1) + sb.exp(q)[:, :, None] * sb.eye("d"))
    U = sb.let("U", Q @ (X.T - mu[:, :, None]))
    P = sb.let("P", (alpha + sb.sum(q, axis=1))[:, None] - sb.sum(U**2, axis=1) / 2)
    return [X, alpha, mu, q, C], sb.let("L", sb.sum(sb.logsumexp(P, axis=0)) - sb.size("n") * sb.logsumexp(alpha))


def tasks(scale: str = "full") -> list[Task]:
    """Return mixtures of several dimensions and numbers of components."""
    sizes = [(2, 5), (2, 100), (10, 5), (10, 50), (32, 25), (64, 10), (64, 100)] if scale == "full" else [(3, 2)]
    n = 1000 if scale == "full" else 7
    return [mixture_task(n, d, k) for d, k in sizes]


def mixture_task(n: int, d: int, k: int) -> Task:
    """Return the task of n examples in d dimensions and k components."""
    random = np.random.default_rng(0)
    X, alpha, mu = random.normal(size=(n, d)), random.normal(size=k), random.normal(size=(k, d))
    q, C = 0.1 * random.normal(size=(k, d)), random.normal(size=(k, d, d)) / d
    parameters = [alpha, mu, q, C]
    name = f"mixture, n={n}, d={d}, k={k}"
    return Task(name, mixture_loss, mixture_graph, mixture, [X], parameters, {"CasADi": NO_BATCHES}, 0.8)
