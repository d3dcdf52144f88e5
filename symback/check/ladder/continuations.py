"""The primitives on complex numbers: those that are analytic, each with what continues it beside the real axis.

A continuation is right to first order in the imaginary part, all that the complex step asks of it: it may branch by
the real part. A primitive that is not in the table is not continued, so what is new is refused until it is entered.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from symback.ops.numerics.matrix_powers import scaled_power

Continuation = Callable[..., Any]
"""From the operands, complex or real, and then the static parameters."""


def _same_sign(z: Any) -> Any:
    """Return z or -z: the one whose real part is not negative."""
    return np.where(np.real(z) < 0, -z, z)


def _softplus(z: Any) -> Any:
    return np.where(np.real(z) > 0, z, 0) + np.log1p(np.exp(-_same_sign(z)))


def _sigmoid(z: Any) -> Any:
    e = np.exp(-_same_sign(z))
    return np.where(np.real(z) < 0, e, 1) / (1 + e)


def _sigmoid_slope(z: Any) -> Any:
    e = np.exp(-_same_sign(z))
    return e / (1 + e) ** 2


def _bose(z: Any) -> Any:
    e = np.exp(-_same_sign(z))
    return np.where(np.real(z) < 0, -1, e) / -np.expm1(-_same_sign(z))


def _above(z: Any, w: Any) -> tuple[Any, Any]:
    """Return the greater of two and the other less it."""
    greater = np.real(z) > np.real(w)
    return np.where(greater, z, w), np.where(greater, w - z, z - w)


def _logaddexp(z: Any, w: Any) -> Any:
    top, gap = _above(z, w)
    return top + np.log1p(np.exp(gap))


def _logaddexp2(z: Any, w: Any) -> Any:
    top, gap = _above(z, w)
    return top + np.log1p(np.exp(gap * np.log(2))) / np.log(2)


def _cube_root(z: Any) -> Any:
    return np.where(np.real(z) < 0, -1, 1) * np.exp(np.log(_regular(z, np.real(z) != 0, _same_sign(z))) / 3)


def _regular(z: Any, regular: Any, value: Any = None) -> Any:
    """Return a value, z itself if none is given, and NaN where the function has no derivative."""
    return np.where(regular, z if value is None else value, np.nan)


def _power(z: Any, w: Any) -> Any:
    """Return z to the power w: of a negative number, to whole powers that do not move."""
    base, power = np.real(z), np.real(w)
    whole = (power == np.rint(power)) & (np.imag(w) == 0)
    sign = np.where((base < 0) & (power % 2 == 1), -1, 1)
    regular = (base > 0) | (whole & ((base < 0) | (power >= 0)))
    at_zero = np.where(power == 1, z, np.where(power == 0, 1, 0))
    root = sign * np.power(np.where(base == 0, 1, _same_sign(z)), w)
    return _regular(z, regular, np.where(base == 0, at_zero, root))


def _hypot(z: Any, w: Any) -> Any:
    size = np.maximum(np.abs(np.real(z)), np.abs(np.real(w)))
    size = np.where(size > 0, size, np.nan)
    return size * np.sqrt((z / size) ** 2 + (w / size) ** 2)


def _angle(y: Any, x: Any) -> Any:
    """Return the angle of (x, y) less a constant: of the quotient that is no more than 1."""
    steep = np.abs(np.real(y)) > np.abs(np.real(x))
    return np.where(steep, -np.arctan(x / np.where(steep, y, 1)), np.arctan(y / np.where(steep, 1, x)))


def _sinc(z: Any) -> Any:
    u = np.pi * z
    small = np.where(np.abs(u) < 1, u, 0)
    term = series = np.ones_like(small)
    for k in range(1, 12):
        term = -term * small * small / (2 * k * (2 * k + 1))
        series = series + term
    far = np.where(np.abs(u) < 1, 1, u)
    return np.where(np.abs(u) < 1, series, np.sin(far) / far)


def _log_determinant(a: Any) -> Any:
    phase, size = np.linalg.slogdet(a)
    return size + 1j * np.angle(phase * np.sign(np.real(phase)))


def _cholesky(a: Any) -> Any:
    """Return the factor L of a = L Lᵀ, column by column; the transposed factor is not conjugated."""
    factor = np.zeros_like(a)
    for j in range(a.shape[-1]):
        row = factor[..., j, :j]
        pivot = np.sqrt(a[..., j, j] - np.sum(row * row, axis=-1))
        below = a[..., j + 1 :, j] - np.sum(factor[..., j + 1 :, :j] * row[..., None, :], axis=-1)
        factor[..., j, j], factor[..., j + 1 :, j] = pivot, below / pivot[..., None]
    return factor


def _norm(z: Any, axes: Any, p: Any) -> Any:
    """Return the p-norm; a number on the axis of a power that is not even counts by its size."""
    size = _same_sign(z)
    top = np.max(np.real(size), axis=axes, keepdims=True, initial=0)
    top = np.where(top > 0, top, np.nan)
    total = np.sum(_power(size / top, np.asarray(p, dtype=np.float64)), axis=axes, keepdims=True)
    return np.squeeze(top * np.exp(np.log(total) / p), axis=axes)


def _log_sum(z: Any, axes: Any) -> Any:
    return _weighted_log_sum(z, 1.0, axes)


def _weighted_log_sum(z: Any, b: Any, axes: Any) -> Any:
    top = np.max(np.real(z), axis=axes, keepdims=True)
    total = np.sum(b * np.exp(z - top), axis=axes, keepdims=True)
    return np.squeeze(top + np.log(_same_sign(total)), axis=axes)


def _softmax(z: Any, axes: Any) -> Any:
    e = np.exp(z - np.max(np.real(z), axis=axes, keepdims=True))
    return e / np.sum(e, axis=axes, keepdims=True)


def _variance(z: Any, axes: Any, ddof: Any) -> Any:
    gap = z - np.mean(z, axis=axes, keepdims=True)
    count = np.size(z) / max(1, np.size(np.sum(z, axis=axes)))
    return np.sum(gap * gap, axis=axes) / (count - ddof)


def _deviation(z: Any, axes: Any, ddof: Any) -> Any:
    square = _variance(z, axes, ddof)
    return np.sqrt(_regular(square, np.real(square) != 0))


def _root(z: Any) -> Any:
    return np.sqrt(_regular(z, np.real(z) != 0))


def _x_log_y(z: Any, w: Any) -> Any:
    return z * np.log(_regular(w, np.real(w) != 0))


def _relative_entropy(z: Any, w: Any) -> Any:
    return _x_log_y(z, z) - _x_log_y(z, w)


def _inside(function: Any) -> Continuation:
    """Return a function that has no derivative at the ends of -1 to 1."""
    return lambda z: function(_regular(z, np.abs(np.real(z)) < 1))


NATIVE: tuple[str, ...] = (
    "where", "divide", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "sinh", "cosh",
    "tanh", "arctan", "arcsinh", "arctanh", "arcsin_slope", "arctanh_slope", "bernoulli_variance", "inv_of",
    "solution", "det_of", "det_gradient", "kron_of", "cross_of", "convolve_along", "cumprod_along", "prod_over",
    "product_of_others", "shifted_along", "linear_recurrence", "sinc_derivative", "erf", "erfc", "erfcx", "ndtr",
    "gamma", "loggamma", "digamma",
)  # fmt: skip
"""Primitives whose own value in NumPy takes complex numbers."""

CONTINUATIONS: Mapping[str, Continuation] = MappingProxyType(
    {
        "sigmoid": _sigmoid,
        "sigmoid_slope": _sigmoid_slope,
        "softplus": _softplus,
        "log1mexp": lambda z: np.log(-np.expm1(-z)),
        "bose": _bose,
        "xlogx": lambda z: _x_log_y(z, z),
        "logaddexp": _logaddexp,
        "logaddexp2": _logaddexp2,
        "sqrt": _root,
        "cbrt": _cube_root,
        "power": _power,
        "hypot": _hypot,
        "hypot_slope": lambda z, w: z / _hypot(z, w),
        "logit": lambda z: np.log(z) - np.log1p(-z),
        "xlogy": _x_log_y,
        "xlog1py": lambda z, w: z * np.log1p(w),
        "entr": lambda z: -_x_log_y(z, z),
        "rel_entr": _relative_entropy,
        "kl_div": lambda z, w: _relative_entropy(z, w) - z + w,
        "xdivy": lambda z, w: z / w,
        "log_ratio": lambda z, w: np.log(_same_sign(z)) - np.log(_same_sign(w)),
        "gap_over": lambda z, w: (w - z) / w,
        "logistic_loss": lambda z, t: _softplus(z) - t * z,
        "logistic_residual": lambda z, t: _sigmoid(z) - t,
        "deg2rad": lambda z: z * (np.pi / 180),
        "rad2deg": lambda z: z * (180 / np.pi),
        "arcsin": _inside(np.arcsin),
        "arccos": _inside(np.arccos),
        "arccosh": lambda z: np.arccosh(_regular(z, np.real(z) > 1)),
        "arctan2": _angle,
        "arctan2_slope": lambda y, x: x / (x * x + y * y),
        "sinc": _sinc,
        "inverse_or_inf": np.linalg.inv,
        "logabsdet": _log_determinant,
        "power_of_matrix": lambda a, c, n, *along: scaled_power(a, c, np.real(n), *along),
        "integer_exponent": lambda n: n,
        "log_det": lambda a: np.log(np.linalg.det(a)),
        "cholesky_of": _cholesky,
        "norm_over": _norm,
        "logsumexp_over": _log_sum,
        "weighted_logsumexp_over": _weighted_log_sum,
        "softmax_over": _softmax,
        "var_over": _variance,
        "std_over": _deviation,
    }
)
"""Primitives that are continued by another spelling."""
