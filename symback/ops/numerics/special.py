"""Special functions that NumPy lacks, or has for some arguments only.

Those that say ``special.`` need SciPy, and so do the emitted modules that hold them.
"""

import numpy as np

from symback.ops.numerics.optional import special


def as_floats(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both as arrays of the float dtype of their quotient."""
    dtype = np.result_type(x, y, 1.0)
    return np.asarray(x, dtype=dtype), np.asarray(y, dtype=dtype)


def logit(x: np.ndarray) -> np.ndarray:
    """log(x / (1 - x)), accurate near 1/2 too."""
    middle = np.abs(x - 0.5) <= 0.25
    near = 2 * np.arctanh(np.where(middle, 2 * x - 1, 0))
    return np.where(middle, near, np.log(np.divide(x, 1 - np.where(middle, 0, x))))


def xlogy(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return x * log(y), and 0 where x is 0."""
    x, y = as_floats(x, y)
    vanishes = (x == 0) & ~np.isnan(y)
    return np.where(vanishes, 0, x * np.log(np.where(vanishes, 1, y)))


def xlog1py(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return x * log(1 + y), and 0 where x is 0."""
    x, y = as_floats(x, y)
    vanishes = (x == 0) & ~np.isnan(y)
    return np.where(vanishes, 0, x * np.log1p(np.where(vanishes, 0, y)))


def xdivy(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return x / y, and 0 where both are 0."""
    x, y = as_floats(x, y)
    return x / np.where((x == 0) & (y == 0), 1, y)


def log_ratio(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """log(x / y), accurate for close x and y, and where the ratio is no float."""
    x, y = as_floats(x, y)
    with np.errstate(all="ignore"):
        ratio = x / y
        close = np.abs(ratio - 1) < 0.5
        in_range = (ratio > np.finfo(ratio.dtype).tiny) & np.isfinite(ratio)
        apart = np.where(in_range, np.log(ratio), np.log(x) - np.log(y))
        return np.where(close, np.log1p((x - y) / y), apart)


def entr(x: np.ndarray) -> np.ndarray:
    """-x * log(x), 0 at 0 and -inf below."""
    return np.where(x < 0, -np.inf, 0 - x * np.log(np.where(x > 0, x, 1)))


def rel_entr(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return x * log(x / y); 0 where x = 0 <= y, else inf outside of x, y > 0."""
    x, y = as_floats(x, y)
    inside = (x > 0) & (y > 0)
    value = x * log_ratio(np.where(inside, x, 1), np.where(inside, y, 1))
    value = np.where(inside | np.isnan(x) | np.isnan(y), value, np.inf)
    return np.where((x == 0) & (y >= 0), 0, value)


def kl_div(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return x * log(x / y) - x + y, accurate for close x and y; inf as rel_entr."""
    x, y = as_floats(x, y)
    inside = (x > 0) & (y > 0)
    a, b = np.where(inside, x, 1), np.where(inside, y, 1)
    r = (a / 2 - b / 2) / (a / 2 + b / 2)
    rest = np.zeros_like(r)
    for k in range(37, 1, -2):  # log(a / b) = 2 r (1 + rest), where abs(r) <= 1/3
        rest = r * r * (rest + 1 / k)
    near, apart = (a - b) * r + 2 * a * r * rest, a * log_ratio(a, b) - a + b
    value = np.where(np.abs(r) <= 1 / 3, near, apart)
    value = np.where(inside, value, np.where(np.isnan(x) | np.isnan(y), x + y, np.inf))
    return np.where((x == 0) & (y >= 0), y, value)


def gap_over(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(y - x) / y, and 1 where both are 0."""
    x, y = as_floats(x, y)
    both = (x == 0) & (y == 0)
    return np.where(both, 1, (y - x) / np.where(both, 1, y))


def inverse_mills(x: np.ndarray) -> np.ndarray:
    """Density of the normal distribution at x by the probability to be below x."""
    return 0.7978845608028654 / special.erfcx(x * -0.7071067811865476)


def log_erfc(x: np.ndarray) -> np.ndarray:
    """log(erfc(x)), accurate near 0, and far out where erfc(x) is no float."""
    left, right = np.minimum(x, 0.5), np.maximum(x, 0.5)
    far = np.log(special.erfcx(np.minimum(right, 1e30))) - right * right
    return np.where(x < 0.5, np.log1p(-special.erf(left)), far)[()]


def inverse_erfcx(x: np.ndarray) -> np.ndarray:
    """Return exp(-x**2) / erfc(x), without underflow of erfc."""
    return 1 / special.erfcx(x)


def mills_fraction(n: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The continued fraction n / (-x + (n + 1) / (-x + ...)), continued to x >= 0.

    Far out it takes 50 steps, from where it varies slowly; near by, n = 1, 2, ... steps
    from what inverse_mills gives.
    """
    n, x = as_floats(n, x)
    s = np.maximum(-x, 2)
    slow = (np.hypot(s, 2 * np.sqrt(n + 50)) - s) / 2
    far = (np.hypot(s, 2 * np.sqrt(n + 50 - slow / (2 * slow + s))) - s) / 2
    for k in range(49, -1, -1):
        far = (n + k) / (s + far)
    near = near_n = np.maximum(x, -2) + inverse_mills(np.maximum(x, -2))
    for k in range(1, int(np.max(n, initial=1))):
        near = k / near + np.maximum(x, -2)
        near_n = np.where(n > k, near, near_n)
    return np.where(x < -2, far, near_n)


def huber(delta: np.ndarray, r: np.ndarray) -> np.ndarray:
    """r**2 / 2 up to delta, a line beyond; inf if delta is negative."""
    least = np.minimum(np.abs(r), delta)
    return np.where(np.less(delta, 0), np.inf, least * (np.abs(r) - least / 2))


def logistic_loss(logits: np.ndarray, target: np.ndarray) -> np.ndarray:
    """log(1 + exp(z)) - target * z; for targets in [0, 1] nothing cancels."""
    line = (1 - target) * np.maximum(logits, 0) - target * np.minimum(logits, 0)
    return line + np.log1p(np.exp(-np.abs(logits)))


def logistic_residual(logits: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return sigmoid(z) - target, accurate where targets 0 and 1 are met."""
    e, miss = np.exp(-np.abs(logits)), 1 - target
    return np.where(logits > 0, miss - target * e, miss * e - target) / (1 + e)
