"""The two-layer network of a backpropagation lecture: derivation, gradient code, proof by numbers, training.

Run it with nothing but symback installed: python examples/two_layer_network.py
"""

import numpy as np

import symback as sb

# The network: n inputs, h hidden units, m outputs; sizes stay symbolic.
x, y = sb.tensor("x", ("n",)), sb.tensor("y", ("m",))
W1, b1 = sb.tensor("W1", ("h", "n")), sb.tensor("b1", ("h",))
W2, b2 = sb.tensor("W2", ("m", "h")), sb.tensor("b2", ("m",))
z1 = sb.let("z1", W1 @ x + b1)
a1 = sb.let("a1", sb.sigmoid(z1))
z2 = sb.let("z2", W2 @ a1 + b2)
a2 = sb.let("a2", sb.sigmoid(z2))
loss = sb.let("L", sb.sum((a2 - y) ** 2) / 2)
parameters = {"W1": W1, "b1": b1, "W2": W2, "b2": b2}


def train(step, values: dict[str, np.ndarray], data: dict[str, np.ndarray], rate: float, steps: int) -> list[float]:
    """Follow the update rule W <- W - rate * dL/dW, in place; return the losses."""
    losses = []
    for _ in range(steps):
        value, gradient = step(**data, **values)
        for name in values:
            values[name] = values[name] - rate * gradient[name]
        losses.append(float(value))
    return losses


def main() -> None:
    """Print the derivation, the emitted code, the comparison with differences, and a few steps of training."""
    print("The derivation, in LaTeX\n")
    print(sb.derive(loss, list(parameters.values())).latex())

    step = sb.lambdify([x, y, W1, b1, W2, b2], (loss, sb.grad(loss, parameters)), name="loss_and_gradient")
    print("\nThe emitted code\n")
    print(step.source[step.source.index("@checked") :])

    random = np.random.default_rng(0)
    data = {"x": random.normal(size=3), "y": np.array([0.2, 0.9])}
    shapes = {"W1": (4, 3), "b1": (4,), "W2": (2, 4), "b2": (2,)}
    values = {name: random.normal(size=shape) for name, shape in shapes.items()}
    print("The gradient against finite differences\n")
    report = sb.check_grad(loss, parameters, at={**data, **values})
    print(report)
    report.raise_if_failed()

    losses = train(step, values, data, rate=1.0, steps=200)
    print("\nGradient descent\n")
    for k in (0, 1, 2, 5, 10, 50, 199):
        print(f"step {k:3d}  loss {losses[k]:.6f}")


if __name__ == "__main__":
    main()
