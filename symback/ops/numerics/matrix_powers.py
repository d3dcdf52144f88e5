"""Powers of matrices with exponents that are numbers, and their derivatives."""

import numpy as np


def integer_exponent(n: np.ndarray) -> np.ndarray:
    """Return exponents as they are, if they are integers."""
    if not np.all(np.isfinite(n) & (n == np.rint(n))):
        raise ValueError(f"the exponent of a matrix is {n}, and no integer")
    return n


def power_of_each(a: np.ndarray, n: np.ndarray) -> np.ndarray:
    """The n-th power of each matrix; n may be negative."""
    if np.ndim(n) == 0:
        return np.linalg.matrix_power(a, int(n))
    return scaled_power(a, a.dtype.type(1), n)


def scaled_power(
    a: np.ndarray,
    c: np.ndarray,
    n: np.ndarray,
    *directions: np.ndarray,
) -> np.ndarray:
    """Return c times the n-th power of each matrix, or times its derivative.

    The derivative is that along directions. It is 0 where c is.
    """
    stacks = [x.shape[:-2] for x in (a, *directions)]
    lead = np.broadcast_shapes(*stacks, np.shape(c), np.shape(n))
    dtype = np.result_type(a, *directions)
    found = np.zeros((*lead, *a.shape[-2:]), dtype)
    blocks = a
    for e in directions:
        size = blocks.shape[-1]
        if size != a.shape[-1]:
            e = np.kron(np.eye(size // a.shape[-1]), e)
        rows = np.broadcast_shapes(blocks.shape, e.shape)
        diagonal, corner = np.broadcast_to(blocks, rows), np.broadcast_to(e, rows)
        above = np.concatenate([diagonal, corner], -1)
        below = np.concatenate([np.zeros(rows, dtype), diagonal], -1)
        blocks = np.concatenate([above, below], -2)
    blocks = np.broadcast_to(blocks, (*lead, *blocks.shape[-2:]))
    factors, exponents = np.broadcast_to(c, lead), np.broadcast_to(n, lead)
    rows, columns = a.shape[-2:]
    for k in np.unique(exponents):
        chosen = (exponents == k) & (factors != 0)
        if chosen.any():
            powers = np.linalg.matrix_power(blocks[chosen], int(k))
            corner = powers[..., :rows, powers.shape[-1] - columns :]
            found[chosen] = factors[chosen][:, None, None].astype(dtype) * corner
    return found
