"""The models whose derivations are read: networks, regressions, likelihoods, with the names that textbooks give them.

Each function returns the loss and what it is differentiated by; `OPTIONS` has what else `derive` is told.
"""

from collections.abc import Callable
from typing import Any

import symback as sb
from symback import Node

Model = tuple[Node, list[Any]]


# -- networks --------------------------------------------------------------------------------------------


def two_layer_network() -> Model:
    """The network of a lecture on backpropagation: two affine maps, each followed by the logistic function."""
    x, y = sb.tensor("x", ("n",)), sb.tensor("y", ("m",))
    W1, b1 = sb.tensor("W1", ("h", "n")), sb.tensor("b1", ("h",))
    W2, b2 = sb.tensor("W2", ("m", "h")), sb.tensor("b2", ("m",))
    a1 = sb.let("a1", sb.sigmoid(sb.let("z1", W1 @ x + b1)))
    a2 = sb.let("a2", sb.sigmoid(sb.let("z2", W2 @ a1 + b2)))
    return sb.let("L", sb.sum((a2 - y) ** 2) / 2, latex=r"\mathcal{L}"), [W1, b1, W2, b2]


def layers_by_superscript() -> Model:
    """Three layers whose number is written as an exponent, as in ``\\rho^{L} = W^{L} \\phi^{L-1} + B^{L}``."""
    phi, y = sb.tensor("phi0", (4,), latex=r"\phi^{0}"), sb.tensor("y", (2,))
    wrt = []
    for k, (m, n) in enumerate([(5, 4), (3, 5), (2, 3)], 1):
        W, B = sb.tensor(f"W{k}", (m, n), latex=f"W^{{{k}}}"), sb.tensor(f"B{k}", (m,), latex=f"B^{{{k}}}")
        rho = sb.let(f"rho{k}", W @ phi + B, latex=rf"\rho^{{{k}}}")
        phi = sb.let(f"phi{k}", sb.sigmoid(rho), latex=rf"\phi^{{{k}}}")
        wrt += [W, B]
    return sb.let("C", sb.sum((phi - y) ** 2) / 2), wrt


def twenty_layers() -> Model:
    """A deep network of equal layers."""
    a, y = sb.tensor("a0", (3,)), sb.tensor("y", (3,))
    wrt = []
    for k in range(1, 21):
        W, b = sb.tensor(f"W{k}", (3, 3)), sb.tensor(f"b{k}", (3,))
        a = sb.let(f"a{k}", sb.tanh(sb.let(f"z{k}", W @ a + b)))
        wrt += [W, b]
    return sb.let("L", sb.sum((a - y) ** 2) / 2), wrt


def batch_of_examples() -> Model:
    """A network of two layers on N examples, one in each row, with the mean of the squared errors."""
    X, Y = sb.tensor("X", ("N", "n")), sb.tensor("Y", ("N", "m"))
    W1, b1 = sb.tensor("W1", ("h", "n")), sb.tensor("b1", ("h",))
    W2, b2 = sb.tensor("W2", ("m", "h")), sb.tensor("b2", ("m",))
    A1 = sb.let("A1", sb.tanh(sb.let("Z1", X @ W1.T + b1)))
    Z2 = sb.let("Z2", A1 @ W2.T + b2)
    return sb.let("L", sb.sum((Z2 - Y) ** 2) / (2 * sb.size("N"))), [W1, b1, W2, b2]


def tied_autoencoder() -> Model:
    """An autoencoder that decodes with the transpose of the matrix it encodes with."""
    x, W = sb.tensor("x", ("n",)), sb.tensor("W", ("h", "n"))
    b, c = sb.tensor("b", ("h",)), sb.tensor("c", ("n",))
    h = sb.let("h", sb.sigmoid(sb.let("z", W @ x + b)))
    r = sb.let("r", W.T @ h + c, latex=r"\hat{x}")
    return sb.let("L", sb.sum((r - x) ** 2) / 2), [W, b, c]


def recurrent_network() -> Model:
    """Three steps of a recurrent network, which share their weights."""
    W, U, b = sb.tensor("W", ("h", "h")), sb.tensor("U", ("h", "n")), sb.tensor("b", ("h",))
    v, y = sb.tensor("v", ("h",)), sb.tensor("y")
    h = sb.tensor("h0", ("h",))
    for t in (1, 2, 3):
        x = sb.tensor(f"x{t}", ("n",))
        h = sb.let(f"h{t}", sb.tanh(sb.let(f"s{t}", W @ h + U @ x + b)))
    e = sb.let("e", v @ h - y)
    return sb.let("L", e**2 / 2), [W, U, b, v]


def convolution() -> Model:
    """A filter moved along a signal, rectified, and compared with a target."""
    x, w, y = sb.tensor("x", (8,)), sb.tensor("w", (3,)), sb.tensor("y", (6,))
    z = sb.let("z", sb.correlate(x, w, mode="valid"))
    a = sb.let("a", sb.relu(z))
    return sb.let("L", sb.sum((a - y) ** 2) / 2), [w, x]


def layer_normalisation() -> Model:
    """The entries of a vector brought to mean 0 and variance 1, then scaled and moved."""
    x, t = sb.tensor("x", ("n",)), sb.tensor("t", ("n",))
    gamma, beta = sb.tensor("gamma", ("n",)), sb.tensor("beta", ("n",))
    epsilon, n = sb.tensor("epsilon", latex=r"\varepsilon"), sb.size("n")
    mu = sb.let("mu", sb.sum(x) / n)
    c = sb.let("c", x - mu)
    v = sb.let("v", sb.sum(c**2) / n)
    s = sb.let("s", sb.sqrt(v + epsilon))
    u = sb.let("u", c / s, latex=r"\hat{x}")
    y = sb.let("y", gamma * u + beta)
    return sb.let("L", sb.sum((y - t) ** 2) / 2), [gamma, beta, x]


def attention() -> Model:
    """One head of attention: a softmax in each row of the scores."""
    X, Y = sb.tensor("X", ("n", "d")), sb.tensor("Y", ("n", "k"))
    W_Q, W_K, W_V = sb.tensor("W_Q", ("d", "k")), sb.tensor("W_K", ("d", "k")), sb.tensor("W_V", ("d", "k"))
    Q, K, V = sb.let("Q", X @ W_Q), sb.let("K", X @ W_K), sb.let("V", X @ W_V)
    S = sb.let("S", Q @ K.T / sb.sqrt(sb.size("k")))
    P = sb.let("P", sb.softmax(S, axis=1))
    out = sb.let("O", P @ V)
    return sb.let("L", sb.sum((out - Y) ** 2) / 2), [W_Q, W_K, W_V]


# -- regressions -----------------------------------------------------------------------------------------


def ridge_regression() -> Model:
    """Least squares with a penalty on the squares of the weights."""
    X, w, y, c = sb.tensor("X", ("N", "n")), sb.tensor("w", ("n",)), sb.tensor("y", ("N",)), sb.tensor("lambda_")
    e = sb.let("e", X @ w - y)
    return sb.let("L", sb.sum(e**2) / 2 + c / 2 * sb.sum(w**2)), [w]


def logistic_regression() -> Model:
    """The cross-entropy of labels 0 and 1, written as it is defined."""
    X, w, b, y = sb.tensor("X", ("N", "n")), sb.tensor("w", ("n",)), sb.tensor("b"), sb.tensor("y", ("N",))
    p = sb.let("p", sb.sigmoid(sb.let("z", X @ w + b)))
    return sb.let("L", -sb.sum(y * sb.log(p) + (1 - y) * sb.log(1 - p))), [w, b]


def logistic_regression_of_signs() -> Model:
    """The logistic loss of labels -1 and 1, by the margin."""
    X, w, y = sb.tensor("X", ("N", "n")), sb.tensor("w", ("n",)), sb.tensor("y", ("N",))
    m = sb.let("m", y * (X @ w))
    return sb.let("L", sb.sum(sb.log(1 + sb.exp(-m)))), [w]


def softmax_regression() -> Model:
    """The cross-entropy of a distribution y and a softmax, written as it is defined."""
    x, W, b, y = sb.tensor("x", ("n",)), sb.tensor("W", ("k", "n")), sb.tensor("b", ("k",)), sb.tensor("y", ("k",))
    p = sb.let("p", sb.softmax(sb.let("z", W @ x + b)))
    return sb.let("L", -sb.sum(y * sb.log(p))), [W, b]


def softmax_of_one_hot() -> Model:
    """The cross-entropy of a one-hot vector y, whose entries sum to one: the term of the normalisation is by itself."""
    x, W, b, y = sb.tensor("x", ("n",)), sb.tensor("W", ("k", "n")), sb.tensor("b", ("k",)), sb.tensor("y", ("k",))
    z = sb.let("z", W @ x + b)
    return sb.let("L", sb.logsumexp(z) - y @ z), [W, b]


def softmax_of_labels() -> Model:
    """The mean cross-entropy of N examples with integer labels."""
    X, W, b = sb.tensor("X", ("N", "n")), sb.tensor("W", ("n", "k")), sb.tensor("b", ("k",))
    y = sb.tensor("y", ("N",), dtype="int64")
    Z = sb.let("Z", X @ W + b)
    return sb.let("L", sb.cross_entropy(Z, y)), [W, b]


def poisson_regression() -> Model:
    """Counts whose logarithmic rate is linear."""
    X, w, y = sb.tensor("X", ("N", "n")), sb.tensor("w", ("n",)), sb.tensor("y", ("N",))
    eta = sb.let("eta", X @ w)
    return sb.let("L", sb.sum(sb.exp(eta)) - y @ eta), [w]


def regression_by_normal_equations() -> Model:
    """Weights that solve the normal equations, judged on other examples: the derivative by the penalty."""
    X, y = sb.tensor("X", ("N", "n")), sb.tensor("y", ("N",))
    Z, t, c = sb.tensor("Z", ("M", "n")), sb.tensor("t", ("M",)), sb.tensor("lambda_")
    A = sb.let("A", X.T @ X + c * sb.eye("n"))
    w = sb.let("w", sb.linalg.solve(A, X.T @ y))
    return sb.let("L", sb.sum((Z @ w - t) ** 2) / 2), [c, y]


def matrix_factorisation() -> Model:
    """A matrix approximated by a product of two narrow ones, with penalties."""
    M, c = sb.tensor("M", ("m", "n")), sb.tensor("lambda_")
    U, V = sb.tensor("U", ("m", "r")), sb.tensor("V", ("n", "r"))
    E = sb.let("E", U @ V.T - M)
    return sb.let("L", sb.sum(E**2) / 2 + c / 2 * (sb.sum(U**2) + sb.sum(V**2))), [U, V]


# -- likelihoods and matrix functions --------------------------------------------------------------------


def gaussian_likelihood() -> Model:
    """The negative log-likelihood of one observation, by the mean and the covariance."""
    x, mu, S = sb.tensor("x", ("n",)), sb.tensor("mu", ("n",)), sb.tensor("Sigma", ("n", "n"))
    r = sb.let("r", x - mu)
    _, logdet = sb.linalg.slogdet(S)
    q = sb.let("q", r @ sb.linalg.solve(S, r))
    return sb.let("L", (sb.let("ell", logdet, latex=r"\ell") + q) / 2), [mu, S]


def gaussian_by_cholesky_factor() -> Model:
    """The same by the triangular factor of the covariance."""
    x, mu, C = sb.tensor("x", ("n",)), sb.tensor("mu", ("n",)), sb.tensor("C", ("n", "n"))
    r = sb.let("r", x - mu)
    u = sb.let("u", sb.linalg.solve_triangular(C, r, lower=True))
    return sb.let("L", sb.sum(sb.log(sb.diagonal(C))) + sb.sum(u**2) / 2), [mu, C]


def log_determinant() -> Model:
    """The log-determinant of a Gram matrix with a ridge."""
    A, c = sb.tensor("A", ("m", "n")), sb.tensor("c")
    G = sb.let("G", A.T @ A + c * sb.eye("n"))
    _, logdet = sb.linalg.slogdet(G)
    return sb.let("L", logdet), [A]


def mixture_of_gaussians() -> Model:
    """One observation of a mixture of k Gaussians of variance 1: the softmax is the responsibilities."""
    x, mu, alpha = sb.tensor("x"), sb.tensor("mu", ("k",)), sb.tensor("alpha", ("k",))
    s = sb.let("s", alpha - (x - mu) ** 2 / 2)
    return sb.let("L", sb.logsumexp(alpha) - sb.log(sb.sum(sb.exp(s)))), [mu, alpha]


def rayleigh_quotient() -> Model:
    """The Rayleigh quotient of a matrix, by the vector."""
    A, x = sb.tensor("A", ("n", "n")), sb.tensor("x", ("n",))
    return sb.let("rho", sb.let("q", x @ A @ x) / sb.let("s", x @ x)), [x]


def circuit() -> Model:
    """The circuit that lectures begin with."""
    x, y, z = sb.tensor("x"), sb.tensor("y"), sb.tensor("z")
    return sb.let("f", sb.let("q", x + y) * z), [x, y, z]


OPTIONS: dict[str, dict[str, Any]] = {
    "two_layer_network": {"update": sb.tensor("eta")},
    "layers_by_superscript": {"adjoint": {"phi": r"\omega", "rho": r"\lambda"}, "hadamard": r"\circ"},
}

MODELS: tuple[Callable[[], Model], ...] = (
    two_layer_network,
    layers_by_superscript,
    twenty_layers,
    batch_of_examples,
    tied_autoencoder,
    recurrent_network,
    convolution,
    layer_normalisation,
    attention,
    ridge_regression,
    logistic_regression,
    logistic_regression_of_signs,
    softmax_regression,
    softmax_of_one_hot,
    softmax_of_labels,
    poisson_regression,
    regression_by_normal_equations,
    matrix_factorisation,
    gaussian_likelihood,
    gaussian_by_cholesky_factor,
    log_determinant,
    mixture_of_gaussians,
    rayleigh_quotient,
    circuit,
)
