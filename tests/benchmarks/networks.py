"""Value and gradient of feed-forward networks: by hand, and as graphs."""

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

import symback as sb

from .peers import Task


def sigmoid(z: np.ndarray) -> np.ndarray:
    """Return the logistic function: of NumPy's spellings the fastest here."""
    return 1 / (1 + np.exp(-z))


def perceptron(x: Any, y: Any, W1: Any, b1: Any, W2: Any, b2: Any) -> Any:
    """Two layers and one example, by hand: half the squared distance with its gradient."""
    a1 = sigmoid(x @ W1 + b1)
    a2 = sigmoid(a1 @ W2 + b2)
    r = a2 - y
    d_b2 = r * a2 * (1 - a2)
    d_b1 = (W2 @ d_b2) * a1 * (1 - a1)
    return 0.5 * (r @ r), [np.outer(x, d_b1), d_b1, np.outer(a1, d_b2), d_b2]


def squares_value(X: Any, Y: Any, *parameters: Any) -> Any:
    """The value alone, by hand: sigmoid layers, half the mean of the squared distances."""
    A = X
    for W, b in zip(parameters[::2], parameters[1::2], strict=True):
        A = sigmoid(A @ W + b)
    R = A - Y
    return 0.5 * np.vdot(R, R) / len(X)


def squares(X: Any, Y: Any, *parameters: Any) -> Any:
    """Sigmoid layers, half the mean of the squared distances, with its gradient: by hand."""
    weights, A = parameters[::2], [X]
    for W, b in zip(weights, parameters[1::2], strict=True):
        A.append(sigmoid(A[-1] @ W + b))
    R = A[-1] - Y
    value = 0.5 * np.vdot(R, R) / len(X)
    delta = R * A[-1] * (1 - A[-1]) / len(X)
    gradient = []
    for layer in reversed(range(len(weights))):
        gradient += [delta.sum(axis=0), A[layer].T @ delta]
        if layer:
            delta = (delta @ weights[layer].T) * A[layer] * (1 - A[layer])
    return value, gradient[::-1]


def entropy_value(activation: Callable[[Any], Any], X: Any, Y: Any, *parameters: Any) -> Any:
    """The value alone, by hand: hidden layers, then the mean cross-entropy of their softmax."""
    *hidden, (W, b) = zip(parameters[::2], parameters[1::2], strict=True)
    A = X
    for V, c in hidden:
        A = activation(A @ V + c)
    Z = A @ W + b
    Z -= Z.max(axis=1, keepdims=True)
    return (np.log(np.exp(Z).sum(axis=1)).sum() - np.vdot(Y, Z)) / len(X)


def tanh_slope(A: np.ndarray) -> np.ndarray:
    """Return the derivative of tanh by its value."""
    return 1 - A * A


def relu(Z: np.ndarray) -> np.ndarray:
    """Return the positive part."""
    return np.maximum(Z, 0)


def relu_slope(A: np.ndarray) -> np.ndarray:
    """Return the derivative of the positive part by its value."""
    return A > 0


def entropy(activation: Callable[[Any], Any], slope: Callable[[Any], Any], X: Any, Y: Any, *parameters: Any) -> Any:
    """Hidden layers, then the mean cross-entropy of their softmax, with its gradient: by hand."""
    weights, biases, A = parameters[::2], parameters[1::2], [X]
    for W, b in zip(weights[:-1], biases[:-1], strict=True):
        A.append(activation(A[-1] @ W + b))
    Z = A[-1] @ weights[-1] + biases[-1]
    Z -= Z.max(axis=1, keepdims=True)
    E = np.exp(Z)
    total = E.sum(axis=1, keepdims=True)
    value = (np.log(total).sum() - np.vdot(Y, Z)) / len(X)
    delta = (E / total - Y) / len(X)
    gradient = []
    for layer in reversed(range(len(weights))):
        gradient += [delta.sum(axis=0), A[layer].T @ delta]
        if layer:
            delta = (delta @ weights[layer].T) * slope(A[layer])
    return value, gradient[::-1]


def perceptron_loss(n: Any, x: Any, y: Any, W1: Any, b1: Any, W2: Any, b2: Any) -> Any:
    """Two layers and one example: as the peers read it."""
    a2 = n.sigmoid(n.affine(n.sigmoid(n.affine(x, W1, b1)), W2, b2))
    return n.sum((a2 - y) ** 2) / 2


def squares_loss(n: Any, X: Any, Y: Any, *parameters: Any) -> Any:
    """Sigmoid layers, half the mean of the squared distances: as the peers read it."""
    A = X
    for W, b in zip(parameters[::2], parameters[1::2], strict=True):
        A = n.sigmoid(n.affine(A, W, b))
    return n.sum((A - Y) ** 2) / (2 * X.shape[0])


def entropy_loss(activation: str, n: Any, X: Any, Y: Any, *parameters: Any) -> Any:
    """Hidden layers, then the mean cross-entropy of their softmax: as the peers read it."""
    *hidden, (W, b) = zip(parameters[::2], parameters[1::2], strict=True)
    A = X
    for V, c in hidden:
        A = getattr(n, activation)(n.affine(A, V, c))
    Z = n.affine(A, W, b)
    return n.mean(n.logsumexp(Z, axis=1) - n.sum(Y * Z, axis=1))


def variables(widths: int) -> tuple[list[Any], list[Any]]:
    """Return symback's X, Y and the weights and biases of the layers, with symbolic sizes."""
    sizes = [f"n{k}" for k in range(widths)]
    data = [sb.tensor("X", ("N", sizes[0])), sb.tensor("Y", ("N", sizes[-1]))]
    layers = [
        [sb.tensor(f"W{k}", (fan_in, fan_out)), sb.tensor(f"b{k}", (fan_out,))]
        for k, (fan_in, fan_out) in enumerate(pairwise(sizes), 1)
    ]
    return data, [parameter for layer in layers for parameter in layer]


def perceptron_graph() -> tuple[list[Any], Any]:
    """Two layers and one example, in symback."""
    x, y = sb.tensor("x", ("n",)), sb.tensor("y", ("m",))
    W1, b1 = sb.tensor("W1", ("n", "h")), sb.tensor("b1", ("h",))
    W2, b2 = sb.tensor("W2", ("h", "m")), sb.tensor("b2", ("m",))
    a1 = sb.let("a1", sb.sigmoid(x @ W1 + b1))
    a2 = sb.let("a2", sb.sigmoid(a1 @ W2 + b2))
    return [x, y, W1, b1, W2, b2], sb.let("L", sb.sum((a2 - y) ** 2) / 2)


def squares_graph(widths: int) -> tuple[list[Any], Any]:
    """Sigmoid layers, half the mean of the squared distances, in symback."""
    (X, Y), parameters = variables(widths)
    A = X
    for k, (W, b) in enumerate(zip(parameters[::2], parameters[1::2], strict=True), 1):
        A = sb.let(f"A{k}", sb.sigmoid(A @ W + b))
    return [X, Y, *parameters], sb.let("L", sb.sum((A - Y) ** 2) / (2 * sb.size("N")))


def entropy_graph(activation: Callable[[Any], Any], widths: int) -> tuple[list[Any], Any]:
    """Hidden layers, then the mean cross-entropy of their softmax, in symback."""
    (X, Y), parameters = variables(widths)
    *hidden, (W, b) = zip(parameters[::2], parameters[1::2], strict=True)
    A = X
    for k, (V, c) in enumerate(hidden, 1):
        A = sb.let(f"A{k}", activation(A @ V + c))
    Z = sb.let("Z", A @ W + b)
    return [X, Y, *parameters], sb.let("L", sb.mean(sb.logsumexp(Z, axis=1) - sb.sum(Y * Z, axis=1)))


class Kind(NamedTuple):
    """A family of networks: the programs by hand, for the peers, and the graph of so many widths."""

    value: Callable[..., Any]
    by_hand: Callable[..., Any]
    loss: Callable[..., Any]
    graph: Callable[[int], tuple[list[Any], Any]]


KINDS = {
    "sigmoid, squares": Kind(squares_value, squares, squares_loss, squares_graph),
    "tanh, cross-entropy": Kind(
        partial(entropy_value, np.tanh), partial(entropy, np.tanh, tanh_slope),
        partial(entropy_loss, "tanh"), partial(entropy_graph, sb.tanh),
    ),
    "ReLU, cross-entropy": Kind(
        partial(entropy_value, relu), partial(entropy, relu, relu_slope),
        partial(entropy_loss, "relu"), partial(entropy_graph, sb.relu),
    ),
}  # fmt: skip


def arrays(kind: str, N: int, widths: list[int], seed: int = 0) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return random data and parameters; the labels of a cross-entropy are rows of the identity."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(N, widths[0]))
    Y = random.random((N, widths[-1]))
    if "entropy" in kind:
        Y = np.eye(widths[-1])[random.integers(widths[-1], size=N)]
    parameters = []
    for fan_in, fan_out in pairwise(widths):
        parameters += [random.normal(size=(fan_in, fan_out)) / np.sqrt(fan_in), 0.1 * random.normal(size=fan_out)]
    return [X, Y], parameters


def network(kind: str, N: int, widths: list[int], aim: float, title: str = "") -> Task:
    """Return the task of a network on N examples."""
    kind_of = KINDS[kind]
    data, parameters = arrays(kind, N, widths)
    slow = sum(a * b for a, b in pairwise(widths)) * N > 1e6
    return Task(
        f"{title or '-'.join(map(str, widths))}, N={N}, {kind}",
        kind_of.loss,
        partial(kind_of.graph, len(widths)),
        kind_of.by_hand,
        data,
        parameters,
        {"CasADi": "its matrix product is a plain loop: tenfold behind at this size"} if slow else {},
        aim,
        kind_of.value,
    )


def one_example(widths: list[int]) -> Task:
    """Return the task of two layers on one example."""
    (X, Y), parameters = arrays("squares", 1, widths)
    name = "-".join(map(str, widths)) + ", N=1, sigmoid, squares"
    return Task(name, perceptron_loss, perceptron_graph, perceptron, [X[0], Y[0]], parameters, {}, 1.0)


def tasks(scale: str = "full") -> list[Task]:
    """Return the networks of the suite; at scale "tiny" the same ones, with few and small layers."""
    if scale == "tiny":
        return [one_example([4, 3, 2]), *(network(kind, 5, [4, 3, 2], 1.0) for kind in KINDS)]
    return [
        one_example([4, 8, 3]),
        network("sigmoid, squares", 32, [64, 128, 10], 0.9),
        *(network(kind, 128, [784, 256, 128, 10], 0.95) for kind in KINDS),
        network("tanh, cross-entropy", 64, [128] * 21, 0.95, "20 layers of 128"),
    ]
