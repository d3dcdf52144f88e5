"""Powers of matrices of mpmath numbers and their derivatives, factor by factor: another way than that in float64.

A matrix that moves along directions is a polynomial in numbers whose squares are 0: for each set of directions, as bits
of an integer, the matrix that they are multiplied with.
"""

from collections.abc import Mapping
from functools import reduce
from typing import Any

import numpy as np

from symback.ops.linalg.exact_matrices import each_matrix, inverse

Moved = Mapping[int, Any]


def integer_exponent(mp: Any, n: Any) -> Any:
    """Exponents as they are, if they are integers."""
    for exponent in n.flat:
        if not mp.isint(exponent):
            raise ValueError(f"the exponent of a matrix is {mp.nstr(exponent)}, and no integer")
    return n


def power(mp: Any, a: Any, factor: Any, exponent: Any, *directions: Any) -> Any:
    """A factor times the power of each matrix, or times its derivative along the directions."""
    size = a.shape[-1]

    def one(x: Any, c: Any, n: Any, *along: Any) -> Any:
        zero = np.full((size, size), mp.mpf(0), dtype=object)
        moved: Moved = {0: x, **{1 << place: e for place, e in enumerate(along)}}
        if not c or (not n and along):
            return zero
        if n < 0:
            moved = _inverse(mp, moved, len(along))
        unit = zero + np.array(np.eye(size), dtype=object)
        start: Moved = {0: unit}
        found = reduce(_product, [moved] * abs(int(n)), start)
        return c * found.get((1 << len(along)) - 1, zero)

    return each_matrix(one, (size, size), a, factor, exponent, *directions, cores=(2, 0, 0, *[2] * len(directions)))


def _product(left: Moved, right: Moved) -> Moved:
    found: dict[int, Any] = {}
    for s, x in left.items():
        for t, y in right.items():
            if not s & t:
                found[s | t] = found.get(s | t, 0) + x.dot(y)
    return found


def _inverse(mp: Any, moved: Moved, count: int) -> Moved:
    """Solve for one set of directions after the other: the product with the matrix is the identity."""
    first = inverse(mp, moved[0])
    found = {0: first}
    for s in range(1, 1 << count):
        rest = sum(moved[1 << k].dot(found[s ^ 1 << k]) for k in range(count) if s >> k & 1)
        found[s] = -first.dot(rest)
    return found
