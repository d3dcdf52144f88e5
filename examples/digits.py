"""A 64-64-10 softmax network learns handwritten digits, with gradient code emitted by symback.

Needs the extra [examples]: pip install 'symback[examples]', then python examples/digits.py.
It prints the emitted code, a progress line for each epoch, the accuracy on a held-back fifth for five seeds,
and writes a picture of the training curves.
"""

import argparse
import statistics
import time
from pathlib import Path

import matplotlib
import numpy as np
from sklearn.datasets import load_digits

import symback as sb

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # after the backend is chosen

RATE, BATCH, EPOCHS, SPREAD = 1.0, 32, 80, 0.3
"""Learning rate, examples in a mini-batch, passes, and the scale of the first weights.

Chosen by five-fold cross-validation within the training examples; the held-back fifth took no part.
"""


def emit() -> tuple[sb.CompiledFunction, sb.CompiledFunction]:
    """Return the training step, which updates the parameters in place, and the classifier, as emitted functions."""
    X, Y = sb.tensor("X", ("N", 64)), sb.tensor("Y", ("N", 10))
    W1, b1 = sb.tensor("W1", (64, 64)), sb.tensor("b1", (64,))
    W2, b2 = sb.tensor("W2", (64, 10)), sb.tensor("b2", (10,))
    Z1 = sb.let("Z1", X @ W1 + b1)
    A1 = sb.let("A1", sb.relu(Z1))
    Z2 = sb.let("Z2", A1 @ W2 + b2)
    loss = sb.let("L", sb.mean(sb.logsumexp(Z2, axis=1) - sb.sum(Y * Z2, axis=1)))
    rule = sb.optim.sgd(loss, [W1, b1, W2, b2], RATE)
    step = sb.lambdify([X, Y, *rule], loss, updates=rule, name="train")
    return step, sb.lambdify([X, *rule], Z2, name="scores")


def split() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Return training and test examples; every fifth of a fixed permutation is held back, before any training."""
    digits = load_digits()
    images, labels = digits.data / 16, digits.target
    order = np.random.default_rng(2024).permutation(len(labels))
    held = np.arange(len(labels)) % 5 == 0
    return (images[order[~held]], labels[order[~held]]), (images[order[held]], labels[order[held]])


def train(step: sb.CompiledFunction, scores: sb.CompiledFunction, seed: int, epochs: int) -> tuple[float, list[float]]:
    """Train from one seed by gradient descent on mini-batches; return test accuracy and the mean loss by epoch."""
    (images, labels), (test_images, test_labels) = split()
    random = np.random.default_rng(seed)
    values = {
        "W1": SPREAD * random.normal(size=(64, 64)),
        "b1": np.zeros(64),
        "W2": random.normal(size=(64, 10)) / 8,
        "b2": np.zeros(10),
    }
    targets = np.eye(10)[labels]
    curve = []
    for epoch in range(epochs):
        order = random.permutation(len(labels))
        losses = []
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            losses.append(float(step(X=images[rows], Y=targets[rows], **values)))
        curve.append(statistics.fmean(losses))
        print(f"\rseed {seed}  epoch {epoch + 1:3d}/{epochs}  loss {curve[-1]:.5f}", end="", flush=True)
    accuracy = float(np.mean(scores(X=test_images, **values).argmax(axis=1) == test_labels))
    print(f"  test accuracy {accuracy:.2%}")
    return accuracy, curve


def draw(curves: list[list[float]], path: Path) -> None:
    """Write a picture of the training curves."""
    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    for seed, curve in enumerate(curves):
        axes.semilogy(range(1, len(curve) + 1), curve, label=f"seed {seed}")
    axes.set(xlabel="epoch", ylabel="mean cross-entropy", title="Digits, 64-64-10 network, emitted gradient code")
    axes.legend()
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main() -> None:
    """Print the code, train from each seed, print the median accuracy and the time."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--picture", type=Path, default=Path("digits_training.png"))
    options = parser.parse_args()
    step, scores = emit()
    print(step.source[step.source.index("def train") :])
    begin = time.perf_counter()
    results = [train(step, scores, seed, options.epochs) for seed in range(options.seeds)]
    median = statistics.median(accuracy for accuracy, _ in results)
    print(f"median test accuracy of {options.seeds} seeds {median:.2%}, {time.perf_counter() - begin:.1f} s")
    draw([curve for _, curve in results], options.picture)
    print(f"training curves in {options.picture}")


if __name__ == "__main__":
    main()
