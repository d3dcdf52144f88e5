"""Linear algebra on arrays of mpmath numbers, matrix by matrix: what holds the primitives to 40 digits."""

from collections.abc import Callable
from itertools import permutations
from typing import Any

import numpy as np


def each_matrix(function: Callable[..., Any], shape: tuple[int, ...], *stacks: Any, cores: tuple[int, ...] = ()) -> Any:
    """Apply a function to each entry of stacks that broadcast; `cores` are their axes that belong to an entry (2)."""
    cores = cores or (2,) * len(stacks)
    lead = np.broadcast_shapes(*[stack.shape[: stack.ndim - core] for stack, core in zip(stacks, cores, strict=True)])
    whole = [
        np.broadcast_to(stack, lead + stack.shape[stack.ndim - core :])
        for stack, core in zip(stacks, cores, strict=True)
    ]
    result = np.zeros((*lead, *shape), dtype=object)
    for index in np.ndindex(*lead if result.size else (0,)):
        result[index] = function(*[stack[index] for stack in whole])
    return result


def matrix(mp: Any, array: Any) -> Any:
    """Return an mpmath matrix."""
    return mp.matrix(*array.shape) if 0 in array.shape else mp.matrix(array.tolist())


def array(found: Any, *shape: int) -> Any:
    """Return the array of an mpmath matrix."""
    result = np.empty(shape, dtype=object)
    result.flat[:] = [found[k, j] for k in range(found.rows) for j in range(found.cols)]
    return result


def _has_nan(x: Any) -> bool:
    """Is an entry no number? mpmath finds no pivot there, or never converges."""
    return any(entry != entry for entry in x.flat)


def _nans(mp: Any, *shape: int) -> Any:
    return np.full(shape, mp.nan, dtype=object)


def _or_nans(mp: Any, function: Callable[[Any], Any], shape: tuple[int, ...], a: Any) -> Any:
    """Apply a function to each matrix of numbers; NaN where an entry is none.

    Raises:
        ArithmeticError: If the iteration of mpmath does not converge, as that of some singular matrices.
    """
    try:
        return each_matrix(lambda x: _nans(mp, *shape) if _has_nan(x) else function(x), shape, a)
    except RuntimeError as reason:
        raise ArithmeticError(str(reason)) from None


def inverse(mp: Any, a: Any) -> Any:
    """Inverse of each matrix."""
    return _or_nans(mp, lambda x: array(mp.inverse(matrix(mp, x)), *x.shape), a.shape[-2:], a)


def solution(mp: Any, a: Any, b: Any) -> Any:
    """Solution of each system; b is a vector if it has one axis."""
    columns = b[:, None] if b.ndim == 1 else b

    def solve(x: Any, y: Any) -> Any:
        if _has_nan(x):
            return _nans(mp, *y.shape)
        found = [mp.lu_solve(matrix(mp, x), matrix(mp, y[:, k : k + 1])) for k in range(y.shape[1])]
        return np.stack([array(column, len(x)) for column in found], axis=-1) if found else y

    found = each_matrix(solve, columns.shape[-2:], a, columns)
    return found[..., 0] if b.ndim == 1 else found


def determinant(mp: Any, a: Any) -> Any:
    """Determinant of each matrix, by the Leibniz formula."""
    return each_matrix(lambda x: _alternating(mp, x, ()), (), a)


def _sign(order: tuple[int, ...]) -> int:
    inversions = sum(order[i] > order[j] for i in range(len(order)) for j in range(i + 1, len(order)))
    return -1 if inversions % 2 else 1


def _alternating(mp: Any, x: Any, directions: tuple[Any, ...]) -> Any:
    """Derivative of the determinant along the directions: each stands in one row in the place of x."""
    n = len(x)
    total = mp.mpf(0)
    for order in permutations(range(n)):
        for rows in permutations(range(n), len(directions)):
            factors = [directions[rows.index(i)] if i in rows else x for i in range(n)]
            total += _sign(order) * mp.fprod(factors[i][i, order[i]] for i in range(n))
    return total


def det_gradient(mp: Any, a: Any, *directions: Any) -> Any:
    """Gradient of the determinant, or of its derivative along the directions."""
    n = a.shape[-1]

    def gradient(x: Any, *along: Any) -> Any:
        result = np.empty((n, n), dtype=object)
        for i, j in np.ndindex(n, n):
            unit = np.zeros((n, n), dtype=object)
            unit[i, j] = mp.mpf(1)
            result[i, j] = _alternating(mp, x, (*along, unit))
        return result

    return each_matrix(gradient, (n, n), a, *directions)


def cholesky(mp: Any, a: Any) -> Any:
    """Cholesky factor of each matrix."""
    return _or_nans(mp, lambda x: array(mp.cholesky(matrix(mp, x)), *x.shape), a.shape[-2:], a)


def eigh(mp: Any, a: Any) -> tuple[Any, Any]:
    """Eigenvalues and eigenvectors of each symmetric matrix."""
    n = a.shape[-1]

    def both(x: Any) -> Any:
        w, v = mp.eigsy(matrix(mp, x))
        return np.concatenate([array(w, 1, n), array(v, n, n)])

    found = _or_nans(mp, both, (n + 1, n), a)
    return found[..., 0, :], found[..., 1:, :]


def svd(mp: Any, a: Any) -> tuple[Any, Any, Any]:
    """Thin singular value decomposition of each matrix."""
    m, n = a.shape[-2:]
    k = min(m, n)

    def part(which: int, shape: tuple[int, ...]) -> Any:
        return _or_nans(mp, lambda x: array(mp.svd_r(matrix(mp, x))[which], *shape), shape, a)

    return part(0, (m, k)), part(1, (k,)), part(2, (k, n))


def qr(mp: Any, a: Any) -> tuple[Any, Any]:
    """Reduced QR decomposition of each matrix."""
    m, n = a.shape[-2:]

    def part(which: int, shape: tuple[int, int]) -> Any:
        return _or_nans(mp, lambda x: array(mp.qr(matrix(mp, x), mode="skinny")[which], *shape), shape, a)

    return part(0, (m, n)), part(1, (n, n))
