"""Gradients as textbooks print them, in NumPy: of the models of `models_derived`, by the names of the variables.

Sources, by model: Goodfellow, Bengio and Courville, Deep Learning (2016), algorithm 6.4 and section 10.2.2 for
networks; Bishop, Pattern Recognition and Machine Learning (2006), equations 3.27, 4.91, 4.109 and 9.16 for ridge,
logistic and softmax regression and mixtures; Petersen and Pedersen, The Matrix Cookbook (2012), equations 57, 61 and
86 for determinants, inverses and quadratic forms; Ba, Kiros and Hinton (2016) for layer normalisation; Magnus and
Neudecker, Matrix Differential Calculus (1999), chapter 9 for quotients and products of matrices.
"""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.linalg import inv

Values = SimpleNamespace
Formula = Callable[[Any], list[Any]]


def _logistic(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def _softmax(z: Any) -> Any:
    exps = np.exp(z - z.max(axis=-1, keepdims=True))
    return exps / exps.sum(axis=-1, keepdims=True)


def _two_layer_network(v: Values) -> list[Any]:
    a1 = _logistic(v.W1 @ v.x + v.b1)
    a2 = _logistic(v.W2 @ a1 + v.b2)
    delta2 = (a2 - v.y) * a2 * (1 - a2)
    delta1 = (v.W2.T @ delta2) * a1 * (1 - a1)
    return [np.outer(delta1, v.x), delta1, np.outer(delta2, a1), delta2]


def _batch_of_examples(v: Values) -> list[Any]:
    A1 = np.tanh(v.X @ v.W1.T + v.b1)
    D2 = (A1 @ v.W2.T + v.b2 - v.Y) / len(v.X)
    D1 = (D2 @ v.W2) * (1 - A1**2)
    return [D1.T @ v.X, D1.sum(axis=0), D2.T @ A1, D2.sum(axis=0)]


def _tied_autoencoder(v: Values) -> list[Any]:
    h = _logistic(v.W @ v.x + v.b)
    r = v.W.T @ h + v.c - v.x
    delta = (v.W @ r) * h * (1 - h)
    return [np.outer(h, r) + np.outer(delta, v.x), delta, r]


def _recurrent_network(v: Values) -> list[Any]:
    h = [v.h0]
    for x in (v.x1, v.x2, v.x3):
        h.append(np.tanh(v.W @ h[-1] + v.U @ x + v.b))
    e = v.v @ h[3] - v.y
    delta = [np.zeros_like(v.b)] * 4
    by_h = e * v.v
    for t in (3, 2, 1):
        delta[t] = by_h * (1 - h[t] ** 2)
        by_h = v.W.T @ delta[t]
    xs = [v.x1, v.x2, v.x3]
    by_W = sum(np.outer(delta[t], h[t - 1]) for t in (1, 2, 3))
    by_U = sum(np.outer(delta[t], xs[t - 1]) for t in (1, 2, 3))
    return [by_W, by_U, sum(delta), e * h[3]]


def _layer_normalisation(v: Values) -> list[Any]:
    s = np.sqrt(v.x.var() + v.epsilon)
    u = (v.x - v.x.mean()) / s
    g = v.gamma * u + v.beta - v.t
    d = v.gamma * g
    return [g * u, g, (d - d.mean() - u * (d * u).mean()) / s]


def _attention(v: Values) -> list[Any]:
    Q, K, V = v.X @ v.W_Q, v.X @ v.W_K, v.X @ v.W_V
    P = _softmax(Q @ K.T / np.sqrt(Q.shape[1]))
    dO = P @ V - v.Y
    dP = dO @ V.T
    dS = P * (dP - (dP * P).sum(axis=1, keepdims=True)) / np.sqrt(Q.shape[1])
    return [v.X.T @ dS @ K, v.X.T @ dS.T @ Q, v.X.T @ P.T @ dO]


def _mixture_of_gaussians(v: Values) -> list[Any]:
    responsibilities = _softmax(v.alpha - (v.x - v.mu) ** 2 / 2)
    return [-responsibilities * (v.x - v.mu), _softmax(v.alpha) - responsibilities]


def _gaussian_by_cholesky_factor(v: Values) -> list[Any]:
    C = np.tril(v.C)
    u = inv(C) @ (v.x - v.mu)
    return [-inv(C).T @ u, np.diag(1 / np.diag(C)) - np.tril(np.outer(inv(C).T @ u, u))]


def _gaussian_likelihood(v: Values) -> list[Any]:
    r, precision = v.x - v.mu, inv(v.Sigma)  # Sigma is symmetric
    return [-precision @ r, (precision - precision @ np.outer(r, r) @ precision) / 2]


def _regression_by_normal_equations(v: Values) -> list[Any]:
    A = v.X.T @ v.X + v.lambda_ * np.eye(v.X.shape[1])
    w = inv(A) @ v.X.T @ v.y
    p = inv(A) @ v.Z.T @ (v.Z @ w - v.t)
    return [-p @ w, v.X @ p]


def _layers_by_superscript(v: Values) -> list[Any]:
    W, B, phi = [v.W1, v.W2, v.W3], [v.B1, v.B2, v.B3], [v.phi0]
    for weights, bias in zip(W, B, strict=True):
        phi.append(_logistic(weights @ phi[-1] + bias))
    omega, found = phi[3] - v.y, list[Any]()
    for k in (3, 2, 1):
        lam = omega * phi[k] * (1 - phi[k])
        found = [np.outer(lam, phi[k - 1]), lam, *found]
        omega = W[k - 1].T @ lam
    return found


def _convolution(v: Values) -> list[Any]:
    z = np.correlate(v.x, v.w)
    delta = (np.maximum(z, 0) - v.y) * (z > 0)
    return [np.correlate(v.x, delta), np.convolve(delta, v.w)]


GRADIENTS: dict[str, Formula] = {
    "two_layer_network": _two_layer_network,
    "layers_by_superscript": _layers_by_superscript,
    "batch_of_examples": _batch_of_examples,
    "tied_autoencoder": _tied_autoencoder,
    "recurrent_network": _recurrent_network,
    "convolution": _convolution,
    "layer_normalisation": _layer_normalisation,
    "attention": _attention,
    "ridge_regression": lambda v: [v.X.T @ (v.X @ v.w - v.y) + v.lambda_ * v.w],
    "logistic_regression": lambda v: [
        v.X.T @ (_logistic(v.X @ v.w + v.b) - v.y),
        np.sum(_logistic(v.X @ v.w + v.b) - v.y),
    ],
    "logistic_regression_of_signs": lambda v: [-v.X.T @ (v.y * _logistic(-v.y * (v.X @ v.w)))],
    "softmax_regression": lambda v: [
        np.outer(v.y.sum() * _softmax(v.W @ v.x + v.b) - v.y, v.x),
        v.y.sum() * _softmax(v.W @ v.x + v.b) - v.y,
    ],
    "softmax_of_one_hot": lambda v: [
        np.outer(_softmax(v.W @ v.x + v.b) - v.y, v.x),
        _softmax(v.W @ v.x + v.b) - v.y,
    ],
    "softmax_of_labels": lambda v: [
        v.X.T @ (_softmax(v.X @ v.W + v.b) - np.eye(len(v.b))[v.y]) / len(v.y),
        np.sum(_softmax(v.X @ v.W + v.b) - np.eye(len(v.b))[v.y], axis=0) / len(v.y),
    ],
    "poisson_regression": lambda v: [v.X.T @ (np.exp(v.X @ v.w) - v.y)],
    "regression_by_normal_equations": _regression_by_normal_equations,
    "matrix_factorisation": lambda v: [
        (v.U @ v.V.T - v.M) @ v.V + v.lambda_ * v.U,
        (v.U @ v.V.T - v.M).T @ v.U + v.lambda_ * v.V,
    ],
    "gaussian_likelihood": _gaussian_likelihood,
    "gaussian_by_cholesky_factor": _gaussian_by_cholesky_factor,
    "log_determinant": lambda v: [2 * v.A @ inv(v.A.T @ v.A + v.c * np.eye(v.A.shape[1]))],
    "mixture_of_gaussians": _mixture_of_gaussians,
    "rayleigh_quotient": lambda v: [((v.A + v.A.T) @ v.x - 2 * (v.x @ v.A @ v.x) / (v.x @ v.x) * v.x) / (v.x @ v.x)],
    "circuit": lambda v: [v.z, v.z, v.x + v.y],
}
