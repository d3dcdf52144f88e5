"""The functions that rules are written with: those of the public namespace, looked up when they are called."""

from collections.abc import Callable
from typing import Any

import sympy

from symback.nodes.leaves import Exact, exact, exact_from_sympy
from symback.nodes.node import METHODS, Node


def _function(name: str) -> Callable[..., Node]:
    def apply(*operands: Any, **options: Any) -> Node:
        node: Node = METHODS[name](*operands, **options)
        return node

    return apply


absolute, exp, expm1, hypot = map(_function, ("absolute", "exp", "expm1", "hypot"))
log, log1p, logaddexp = map(_function, ("log", "log1p", "logaddexp"))
bose, sigmoid, sigmoid_slope, softplus = map(_function, ("bose", "sigmoid", "sigmoid_slope", "softplus"))
logistic_loss, logistic_residual = map(_function, ("logistic_loss", "logistic_residual"))
log2, log10 = map(_function, ("log2", "log10"))
sqrt, tanh, xlogx = map(_function, ("sqrt", "tanh", "xlogx"))

where, zeros_like = map(_function, ("where", "zeros_like"))
maximum, minimum, relu = map(_function, ("maximum", "minimum", "relu"))
mean, sum, var = map(_function, ("mean", "sum", "var"))
logsumexp, log_softmax, softmax = map(_function, ("special.logsumexp", "special.log_softmax", "special.softmax"))

erf, erfc, log_erfc, log1mexp = map(_function, ("special.erf", "special.erfc", "special.log_erfc", "special.log1mexp"))
log_ndtr, ndtr = map(_function, ("special.log_ndtr", "special.ndtr"))
det, log_abs_det, log_det = map(_function, ("linalg.det", "logabsdet", "log_det"))


def norm(x: Node, axis: tuple[int, ...]) -> Node:
    """Return the root of the sum of squares over axes, however many."""
    length: Node = METHODS["norm_over"](x, tuple([place - x.ndim for place in axis]), 2)
    return length


_SMALL = 10**6
"""Numerators and denominators up to here stay exact under roots and logarithms; others are rounded."""


def _of_number(function: Callable[[sympy.Expr], sympy.Expr], number: Node) -> Exact:
    assert isinstance(number, Exact)
    value = number.value if isinstance(number.value, sympy.Expr) else sympy.Rational(number.value)
    small = value.is_Rational and max(abs(value.p), value.q) < _SMALL
    return exact_from_sympy(function(value)) if small else exact(float(function(value.evalf(40))))


def root_of_number(number: Node) -> Exact:
    """Return the square root of a positive number, exactly or rounded once."""
    return _of_number(sympy.sqrt, number)


def log_of_number(number: Node) -> Exact:
    """Return the logarithm of a positive number, exactly or rounded once."""
    return _of_number(sympy.log, number)


def dropped(node: Node, axes: tuple[int, ...], rank: int) -> Node:
    """Return what is constant along axes of an array of this rank without these axes."""
    offset = rank - len(node.shape)
    gone = tuple(axis - offset for axis in axes if axis >= offset)
    if isinstance(node, Exact) or not gone:
        return node
    kept = tuple(axis for axis in range(len(node.shape)) if axis not in gone)
    entries: Node = METHODS["getitem"](
        node, tuple(slice(None) if axis in kept else 0 for axis in range(len(node.shape)))
    )
    return entries
