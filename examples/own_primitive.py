"""A primitive of one's own, by the declaration that symback's own primitives have: the Huber function and cumsum.

Run it: python examples/own_primitive.py
"""

from collections.abc import Sequence

import numpy as np

import symback as sb


def soft_abs_value(x: np.ndarray) -> np.ndarray:
    """Huber function: x**2 / 2 near 0, |x| - 1/2 elsewhere."""
    size = np.abs(x)
    return np.where(size <= 1, size * size / 2, size - 0.5)


# Elementwise: one line of derivative serves reverse mode, forward mode and the derivation.
soft_abs = sb.elementwise(
    "soft_abs",
    derivative=lambda y, x: sb.maximum(-1, sb.minimum(x, 1)),
    numpy=soft_abs_value,
    mpmath=lambda mp, x: x * x / 2 if abs(x) <= 1 else abs(x) - mp.mpf(1) / 2,
    latex=r"\operatorname{{softabs}}",
    domain=((-0.9, 0.9),),
    doc="Huber function with threshold 1 (Huber, Annals of Mathematical Statistics 35, 1964).",
)

# Structural and linear: the vector-Jacobian product is the transpose, a cumulative sum from the other end.
running = sb.primitive(
    "running_sum",
    signature=lambda x: (x.shape, x.dtype),
    vjp=lambda g, node: (running(g[..., ::-1])[..., ::-1],),
    linear=True,
    batch="leading",
    numpy=lambda spell, operands, parameters: f"np.cumsum({operands[0]}, axis=-1)",
    value=lambda x: np.cumsum(x, axis=-1),
    latex=r"\operatorname{{cumsum}}\left({0}\right)",
    examples=(lambda make: running(make("x", (4,))), lambda make: running(make("x", (2, 3)))),
    doc="Cumulative sum along the last axis.",
)


def main(names: Sequence[str] = ("soft_abs", "running_sum")) -> None:
    """Run the generic tests on both primitives, then use them in a loss."""
    for name in names:
        report = sb.check_primitive(name)
        print(report)
        report.raise_if_failed()

    steps, target = sb.tensor("steps", ("n",)), sb.tensor("target", ("n",))
    path = sb.let("path", running(steps))
    loss = sb.let("L", sb.sum(soft_abs(path - target)))
    print(sb.lambdify([steps, target], (loss, sb.grad(loss, steps)), name="fit").source)
    print(sb.derive(loss, steps).latex())


if __name__ == "__main__":
    main()
