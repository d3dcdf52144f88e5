"""The networks of the seed texts, built once for all tests."""

from dataclasses import dataclass

import numpy as np

import symback as sb


@dataclass
class Network:
    """A loss with its variables, its parameters and a random point."""

    inputs: list
    parameters: list
    loss: object
    sizes: dict

    def point(self, seed=0):
        random = np.random.default_rng(seed)
        shapes = [[s if isinstance(s, int) else self.sizes[str(s)] for s in v.shape] for v in self.inputs]
        return [0.7 * random.normal(size=shape) for shape in shapes]


def two_layers(activation=sb.sigmoid):
    """The network of the first seed text."""
    x, y = sb.tensor("x", ("n",)), sb.tensor("y", ("m",))
    W1, b1 = sb.tensor("W1", ("h", "n")), sb.tensor("b1", ("h",))
    W2, b2 = sb.tensor("W2", ("m", "h")), sb.tensor("b2", ("m",))
    z1 = sb.let("z1", W1 @ x + b1)
    a1 = sb.let("a1", activation(z1))
    z2 = sb.let("z2", W2 @ a1 + b2)
    a2 = sb.let("a2", activation(z2))
    loss = sb.let("L", sb.sum((a2 - y) ** 2) / 2)
    return Network([x, y, W1, b1, W2, b2], [W1, b1, W2, b2], loss, {"n": 3, "h": 4, "m": 2})


def three_layers():
    """Depth 3, with other names and sizes."""
    u, t = sb.tensor("u", ("n",)), sb.tensor("t", ("m",))
    layers = [(sb.tensor(f"V{k}", shape), sb.tensor(f"c{k}", shape[:1])) for k, shape in
              enumerate([("p", "n"), ("q", "p"), ("m", "q")], 1)]  # fmt: skip
    signal = u
    for k, (V, c) in enumerate(layers, 1):
        s = sb.let(f"s{k}", V @ signal + c)
        signal = sb.let(f"h{k}", sb.sigmoid(s))
    loss = sb.let("E", sb.sum((signal - t) ** 2) / 2)
    parameters = [parameter for layer in layers for parameter in layer]
    return Network([u, t, *parameters], parameters, loss, {"n": 3, "p": 5, "q": 4, "m": 2})


def batch():
    """N examples at once, with the mean squared error."""
    X, Y = sb.tensor("X", ("N", "n")), sb.tensor("Y", ("N", "m"))
    W1, b1 = sb.tensor("W1", ("h", "n")), sb.tensor("b1", ("h",))
    W2, b2 = sb.tensor("W2", ("m", "h")), sb.tensor("b2", ("m",))
    Z1 = sb.let("Z1", X @ W1.T + b1)
    A1 = sb.let("A1", sb.sigmoid(Z1))
    Z2 = sb.let("Z2", A1 @ W2.T + b2)
    A2 = sb.let("A2", sb.sigmoid(Z2))
    loss = sb.let("L", sb.sum((A2 - Y) ** 2) / (2 * sb.size("N")))
    return Network([X, Y, W1, b1, W2, b2], [W1, b1, W2, b2], loss, {"N": 6, "n": 3, "h": 4, "m": 2})


def softmax_classifier():
    """Cross-entropy of a linear classifier, by logsumexp."""
    X, Y = sb.tensor("X", ("N", "n")), sb.tensor("Y", ("N", "m"))
    W, b = sb.tensor("W", ("n", "m")), sb.tensor("b", ("m",))
    Z = sb.let("Z", X @ W + b)
    loss = sb.let("L", sb.mean(sb.logsumexp(Z, axis=1) - sb.sum(Y * Z, axis=1)))
    return Network([X, Y, W, b], [W, b], loss, {"N": 5, "n": 3, "m": 4})


NETWORKS = {
    "two_layers": two_layers,
    "two_layers_tanh": lambda: two_layers(sb.tanh),
    "three_layers": three_layers,
    "batch": batch,
    "softmax_classifier": softmax_classifier,
}
