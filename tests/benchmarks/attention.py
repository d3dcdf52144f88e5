"""One block of attention: the mean squared error of a residual block, with its gradient by the four weights."""

from typing import Any

import numpy as np

import symback as sb

from .peers import Task


def attention(X: Any, Y: Any, Wq: Any, Wk: Any, Wv: Any, Wo: Any) -> Any:
    """The error of X + softmax(Q K' / sqrt(h)) V Wo and its gradient, by hand."""
    scale = 1 / np.sqrt(Wq.shape[1])
    Q, K, V = X @ Wq, X @ Wk, X @ Wv
    S = Q @ K.T
    S *= scale
    S -= S.max(axis=1, keepdims=True)
    P = np.exp(S, out=S)
    P /= P.sum(axis=1, keepdims=True)
    H = P @ V
    R = X + H @ Wo - Y
    d_O = (2 / R.size) * R
    d_H = d_O @ Wo.T
    d_P = d_H @ V.T
    d_P -= np.einsum("ij,ij->i", d_P, P)[:, None]
    d_P *= P
    d_P *= scale
    return np.vdot(R, R) / R.size, [X.T @ (d_P @ K), X.T @ (d_P.T @ Q), X.T @ (P.T @ d_H), H.T @ d_O]


def attention_loss(n: Any, X: Any, Y: Any, Wq: Any, Wk: Any, Wv: Any, Wo: Any) -> Any:
    """The error, as the peers read it."""
    P = n.softmax((X @ Wq) @ (X @ Wk).T / Wq.shape[1] ** 0.5, axis=1)
    return n.mean((X + P @ (X @ Wv) @ Wo - Y) ** 2)


def attention_graph() -> tuple[list[Any], Any]:
    """The error in symback."""
    X, Y, Wo = sb.tensor("X", ("T", "d")), sb.tensor("Y", ("T", "d")), sb.tensor("Wo", ("h", "d"))
    Wq, Wk, Wv = (sb.tensor(name, ("d", "h")) for name in ("Wq", "Wk", "Wv"))
    Q, K, V = sb.let("Q", X @ Wq), sb.let("K", X @ Wk), sb.let("V", X @ Wv)
    P = sb.let("P", sb.softmax(Q @ K.T / sb.sqrt(sb.size("h")), axis=1))
    R = sb.let("R", X + P @ V @ Wo - Y)
    return [X, Y, Wq, Wk, Wv, Wo], sb.let("L", sb.mean(R**2))


def tasks(scale: str = "full") -> list[Task]:
    """Return attention on sequences of several lengths."""
    return [task(T, d, h) for T, d, h in ([(64, 64, 64), (512, 128, 64)] if scale == "full" else [(5, 4, 3)])]


def task(T: int, d: int, h: int) -> Task:
    """Return the task of a sequence of T vectors of d entries, and a head of width h."""
    random = np.random.default_rng(0)
    data = [random.normal(size=(T, d)), random.normal(size=(T, d))]
    parameters = [random.normal(size=(d, h)) / np.sqrt(d) for _ in range(3)]
    parameters.append(random.normal(size=(h, d)) / np.sqrt(h))
    name = f"attention, T={T}, d={d}, h={h}"
    return Task(name, attention_loss, attention_graph, attention, data, parameters, {"CasADi": "not written"}, None)
