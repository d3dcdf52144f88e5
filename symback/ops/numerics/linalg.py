"""Linear algebra that NumPy lacks, or has for regular and moderate matrices only."""

import numpy as np


def inverse(a: np.ndarray) -> np.ndarray:
    """Inverse of each matrix; inf where a matrix is singular."""
    try:
        return np.linalg.inv(a)
    except np.linalg.LinAlgError:
        regular = (np.linalg.slogdet(a)[0] != 0)[..., None, None]
        identity = np.eye(a.shape[-1], dtype=a.dtype)
        inverses = np.linalg.inv(np.where(regular, a, identity))
        return np.where(regular, inverses, a.dtype.type(np.inf))


def log_det(a: np.ndarray) -> np.ndarray:
    """Logarithm of each determinant; -inf where it is 0, NaN where negative."""
    sign, size = np.linalg.slogdet(a)
    return np.where(sign < 0, a.dtype.type(np.nan), size)[()]


def products_of_others(s: np.ndarray) -> np.ndarray:
    """For each entry along the last axis the product of the others."""
    one = np.ones_like(s[..., :1])
    before = np.cumprod(np.concatenate([one, s[..., :-1]], axis=-1), axis=-1)
    after = np.cumprod(np.concatenate([one, s[..., :0:-1]], axis=-1), axis=-1)
    return before * after[..., ::-1]


def crossed_rows(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Row by row of 3 by 3 matrices: the next of a crossed with the one behind of b."""
    return np.cross(np.roll(a, -1, axis=-2), np.roll(b, -2, axis=-2))


def cofactors(a: np.ndarray) -> np.ndarray:
    """Cofactor matrices, by which det changes with the entries, singular or not.

    Small ones are polynomials; larger ones come from the singular value decomposition.
    """
    n = a.shape[-1]
    if n == 2:
        return a[..., ::-1, ::-1] * np.array([[1, -1], [-1, 1]], dtype=a.dtype)
    if n == 3:
        return crossed_rows(a, a)
    finite = np.isfinite(a).all(axis=(-2, -1), keepdims=True)
    u, s, vt = np.linalg.svd(np.where(finite, a, a.dtype.type(0)))
    orientation = np.sign(np.linalg.det(u) * np.linalg.det(vt))[..., None, None]
    found = (orientation * u * products_of_others(s)[..., None, :]) @ vt
    return np.where(finite, found, a.dtype.type(np.nan))


def signed_permutations(count: int) -> list:
    """All permutations of 0, 1, … with their signs."""
    if count == 0:
        return [(1, ())]
    return [
        (sign * (-1) ** (count - 1 - place), (*rest[:place], count - 1, *rest[place:]))
        for sign, rest in signed_permutations(count - 1)
        for place in range(count)
    ]


def det_derivative(a: np.ndarray, *directions: np.ndarray) -> np.ndarray:
    """Gradient of the derivative of det along directions, singular or not."""
    n, order = a.shape[-1], len(directions) + 1
    shape = np.broadcast_shapes(a.shape, *[e.shape for e in directions])
    zeros = np.zeros(shape, dtype=a.dtype)
    if order > n:
        return zeros
    if n == 2:
        return zeros + cofactors(directions[0])
    if n == 3:
        one, other = (a, *directions)[-2:]
        return zeros + crossed_rows(one, other) + crossed_rows(other, one)
    return det_derivative_by_svd(a, *directions)


def det_derivative_by_svd(a: np.ndarray, *directions: np.ndarray) -> np.ndarray:
    """Gradient of the derivative of det along directions.

    In the basis of the singular vectors a is diagonal: a permutation p of the indices i
    of the directions and the result contributes the product of B[i, p(i)], times the
    product of the singular values that no index names.
    """
    finite = np.isfinite(a).all(axis=(-2, -1), keepdims=True)
    u, s, vt = np.linalg.svd(np.where(finite, a, a.dtype.type(0)))
    n, order = a.shape[-1], len(directions) + 1
    ut, v = np.swapaxes(u, -1, -2), np.swapaxes(vt, -1, -2)
    inside = [ut @ direction @ v for direction in directions]
    same = np.eye(n, dtype=bool)
    stack = s.shape[:-1]
    rest = s.reshape(*stack, *[1] * (order - 1), n)
    rest = np.broadcast_to(rest, (*stack, *[n] * order))
    pairs = [(i, j) for j in range(order) for i in range(j)]
    shapes = [[n if k in pair else 1 for k in range(order)] for pair in pairs]
    alike = [same.reshape(shape) for shape in shapes]
    for meets_last in alike[len(alike) - order + 1 :]:
        rest = np.where(meets_last, 1, rest)
    rest = products_of_others(rest)
    for meets in alike:
        rest = np.where(meets, 0, rest)
    total = np.zeros_like(a)
    for sign, image in signed_permutations(order):
        terms = [term for k, b in enumerate(inside) for term in (b, [..., k, image[k]])]
        if image[-1] == order - 1:
            diagonal = np.einsum(rest, [..., *range(order)], *terms, [..., order - 1])
            total = total + sign * diagonal[..., None] * np.eye(n, dtype=a.dtype)
        else:
            out = [..., order - 1, image[-1]]
            total = total + sign * np.einsum(rest, [..., *range(order)], *terms, out)
    orientation = np.sign(np.linalg.det(u) * np.linalg.det(vt))[..., None, None]
    return np.where(finite, orientation * (u @ total @ vt), a.dtype.type(np.nan))


def over_gaps(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """x[i, j] / (w[j] - w[i]); 0 on the diagonal.

    For equal w, up to rounding: 0 where x is 0, else nan.
    """
    gap = w[..., None, :] - w[..., :, None]
    unit = np.finfo(w.dtype).eps
    top_w = np.max(np.abs(w), axis=-1, initial=0)[..., None, None]
    top_x = np.max(np.abs(x), axis=(-2, -1), keepdims=True, initial=0)
    equal = np.abs(gap) <= 8 * unit * top_w
    nothing = np.abs(x) <= 64 * unit * top_x
    diagonal = np.eye(w.shape[-1], dtype=bool)
    limit = np.where(nothing | diagonal, x.dtype.type(0), x.dtype.type(np.nan))
    return np.where(equal, limit, x / np.where(equal, 1, gap))


def p_norm(
    x: np.ndarray,
    axis: int | tuple[int, ...] | None = None,
    p: float = 2,
) -> np.ndarray:
    """(sum of |x|**p)**(1/p), where |x|**p would overflow or underflow too."""
    size = np.abs(x)
    top = np.max(size, axis=axis, keepdims=True, initial=0)
    top = np.where((top > 0) & (top < np.inf), top, x.dtype.type(1))
    with np.errstate(under="ignore"):
        total = np.sum((size / top) ** p, axis=axis, keepdims=True)
        root = np.sqrt(total) if p == 2 else total ** (1 / p)
    return np.squeeze(top * root, axis=axis)[()]


def euclidean_norm(
    x: np.ndarray,
    axis: int | tuple[int, ...] | None = None,
) -> np.ndarray:
    """Root of the sum of squares, also where squares overflow or underflow."""
    with np.errstate(over="ignore"):
        total = np.square(x).sum(axis=axis)
    info = np.finfo(total.dtype)
    least = info.tiny / info.eps**2
    if np.all((total > least) & (total < np.inf)):
        return np.sqrt(total)
    return p_norm(x, axis)
