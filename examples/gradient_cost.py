"""What a gradient costs: a million and one forward passes by finite differences, about two by backpropagation.

Networks of 10^2 to 10^6 weights: the time of one forward pass, of the gradient by finite differences (one pass for each
weight and one more), and of the gradient that symback emits. Where all differences would take more than a few seconds,
some are timed and multiplied, and the table says so. One thread; the plot goes to gradient_cost.png.

Run it: python examples/gradient_cost.py [weights ...]
"""

import os
import sys
import time
from typing import NamedTuple

# Before NumPy is imported: all passes run on one thread.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"
os.environ["VECLIB_MAXIMUM_THREADS"] = "1"

import numpy as np

import symback as sb

SIZES = (10**2, 10**3, 10**4, 10**5, 10**6)
EXAMPLES = 64
STEP = 1e-6
WHOLE = 4.0  # seconds: differences that take longer are sampled
SAMPLE = 24  # weights
BUDGET = 0.4  # seconds: so long each function is timed


class Row(NamedTuple):
    """One network: seconds, and the largest difference of both gradients in parts of the largest derivative."""

    weights: int
    forward: float
    differences: float
    sampled: bool
    backprop: float
    disagreement: float


def network():
    """Return the variables, the loss and its gradient: two layers, the mean squared error of all examples."""
    X, Y = sb.tensor("X", ("N", "k")), sb.tensor("Y", ("N", "k"))
    W1, b1 = sb.tensor("W1", ("k", "k")), sb.tensor("b1", ("k",))
    W2, b2 = sb.tensor("W2", ("k", "k")), sb.tensor("b2", ("k",))
    a1 = sb.let("a1", sb.tanh(X @ W1.T + b1))
    a2 = sb.let("a2", sb.sigmoid(a1 @ W2.T + b2))
    loss = sb.let("L", sb.sum((a2 - Y) ** 2) / (2 * sb.size("N")))
    weights = [W1, b1, W2, b2]
    return [*weights, X, Y], loss, sb.grad(loss, weights)


def arrays(count, rng):
    """Return values for a network of about so many weights."""
    k = round((count / 2 + 0.25) ** 0.5 - 0.5)
    weights = [rng.normal(size=shape) / k**0.5 for shape in ((k, k), (k,), (k, k), (k,))]
    return [*weights, rng.normal(size=(EXAMPLES, k)), rng.uniform(size=(EXAMPLES, k))]


def seconds(run):
    """Return the time of one call: the shortest of as many as fit the budget, five at least."""
    times, end = [], time.perf_counter() + BUDGET
    while len(times) < 5 or time.perf_counter() < end:
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times[1:])


def by_differences(forward, values, places):
    """Return the derivatives by some weights, one forward pass for each and one more."""
    base = forward(*values)
    found = []
    for array, index in places:
        entry = values[array].flat[index]
        values[array].flat[index] = entry + STEP
        found.append((forward(*values) - base) / STEP)
        values[array].flat[index] = entry
    return np.array(found)


def measure(count, forward, gradient, rng):
    """Time one network."""
    values = arrays(count, rng)
    places = [(array, index) for array in range(4) for index in range(values[array].size)]
    one_pass = seconds(lambda: forward(*values))
    sampled = one_pass * (len(places) + 1) > WHOLE
    chosen = rng.choice(len(places), SAMPLE, replace=False) if sampled else range(len(places))
    timed = [places[i] for i in chosen]
    start = time.perf_counter()
    differences = by_differences(forward, values, timed)
    spent = (time.perf_counter() - start) * (len(places) + 1) / (len(timed) + 1)
    _, *slopes = gradient(*values)
    exact = np.array([slopes[array].flat[index] for array, index in timed])
    error = float(np.abs(differences - exact).max() / np.abs(exact).max())
    return Row(len(places), one_pass, spent, sampled, seconds(lambda: gradient(*values)), error)


def spelled(duration):
    """Write a duration with a unit."""
    for unit, length in (("h", 3600), ("min", 60), ("s", 1), ("ms", 1e-3)):
        if duration >= length:
            return f"{duration / length:.3g} {unit}"
    return f"{duration * 1e6:.3g} us"


def table(rows):
    """Return the table as lines of Markdown."""
    header = (
        "weights",
        "forward pass",
        "finite differences",
        "measured",
        "backprop",
        "backprop / forward",
        "differ by",
    )
    lines = [f"| {' | '.join(header)} |", "|---:|---:|---:|---|---:|---:|---:|"]
    for row in rows:
        how = f"{SAMPLE} weights, times {row.weights / SAMPLE:,.0f}" if row.sampled else "whole"
        cells = (f"{row.weights:,}", spelled(row.forward), spelled(row.differences), how, spelled(row.backprop),
                 f"{row.backprop / row.forward:.1f}", f"{row.disagreement:.0e}")  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def draw(rows, path):
    """Draw the times over the number of weights."""
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        print("no plot: matplotlib is not installed")
        return
    weights = [row.weights for row in rows]
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.add_subplot()
    axes.loglog(weights, [row.differences for row in rows], "o-", label="finite differences, n + 1 passes")
    sampled = [(row.weights, row.differences) for row in rows if row.sampled]
    if sampled:
        axes.loglog(*zip(*sampled, strict=True), "o", mfc="white", color="C0", label="... from a sample of weights")
    axes.loglog(weights, [row.backprop for row in rows], "s-", label="backprop")
    axes.loglog(weights, [row.forward for row in rows], "^--", label="one forward pass")
    axes.set(xlabel="weights", ylabel="seconds", title=f"The gradient of a network, {EXAMPLES} examples, one thread")
    axes.legend()
    figure.savefig(path, dpi=150)
    print(f"drawn to {path}")


def main(sizes):
    """Measure, print, draw."""
    variables, loss, slopes = network()
    forward = sb.lambdify(variables, loss, name="forward")
    gradient = sb.lambdify(variables, [loss, *slopes], name="gradient")
    rng = np.random.default_rng(0)
    rows = [measure(count, forward, gradient, rng) for count in sizes]
    print("\n".join(table(rows)))
    draw(rows, "gradient_cost.png")


if __name__ == "__main__":
    typed = sys.argv[1:]
    if not all(text.isdecimal() and 4 <= int(text) <= 10**8 for text in typed):
        sys.exit("weights are integers from 4 to 100000000")
    main([int(text) for text in typed] or SIZES)
