"""Stability: naive spellings, and what they become before they are differentiated.

Each row is an identity of real numbers, applied from left to right. The right side has the digits that the left side
loses where something overflows, underflows or cancels, and so have its derivatives: they are those of a function that
is stable by construction. A row holds wherever the left side is a number; where the left side is NaN or infinite only
because of rounding, the right side has the value.

The first source of most rows is N. J. Higham, *Accuracy and Stability of Numerical Algorithms* (2002), chapters 1, 2
and 27; of log1mexp, M. Maechler, *Accurately computing log(1 - exp(-|a|))* (2012).
"""

from collections.abc import Iterable, Sequence

from symback.graph import toposort
from symback.nodes.leaves import exact
from symback.nodes.node import Node
from symback.rewrite import notation as sb
from symback.rewrite.engine import Engine, Rule
from symback.rewrite.facts import (
    has_logarithm,
    is_constant_along,
    is_given,
    is_nonnegative,
    is_positive,
    is_sum_of_squares,
    textbook_complements,
)
from symback.rewrite.finders import (
    averages_of_squares,
    cross_entropies,
    logarithm_of_views,
    logarithms_of_determinants,
    logarithms_of_sizes_of_determinants,
    sums_of_exponentials,
    sums_of_squares,
    weighted_exponentials,
)
from symback.rewrite.notation import absolute as abs
from symback.rewrite.notation import (
    bose,
    det,
    erf,
    erfc,
    exp,
    expm1,
    hypot,
    log,
    log1mexp,
    log1p,
    log2,
    log10,
    log_abs_det,
    log_det,
    log_erfc,
    log_ndtr,
    log_of_number,
    log_softmax,
    logaddexp,
    logistic_loss,
    logsumexp,
    mean,
    ndtr,
    norm,
    root_of_number,
    sigmoid,
    softmax,
    softplus,
    sqrt,
    tanh,
    var,
    xlogx,
)  # fmt: skip

COMPLEMENT = "complement of the logistic function"
TWICE = "twice the logistic function"
LOG_2, LOG_10 = log_of_number(exact(2)), log_of_number(exact(10))

__all__ = ["COMPLEMENT", "STABILISE", "TAILS", "TWICE", "stabilise"]

LOGARITHMS = [
    Rule("log of exp", lambda x: log(exp(x)), lambda x: x),
    Rule("softplus", lambda x: log(1 + exp(x)), lambda x: softplus(x)),
    Rule("softplus", lambda x: log1p(exp(x)), lambda x: softplus(x)),
    Rule("softplus in two branches", lambda x: sb.maximum(x, 0) + softplus(-abs(x)), lambda x: softplus(x)),
    Rule("softplus in two branches", lambda x: sb.maximum(0, x) + softplus(-abs(x)), lambda x: softplus(x)),
    Rule("softplus in two branches", lambda x: sb.relu(x) + softplus(-abs(x)), lambda x: softplus(x)),
    Rule("softplus in two branches", lambda x: sb.minimum(x, 0) - softplus(-abs(x)), lambda x: -softplus(-x)),
    Rule("softplus in two branches", lambda x: sb.minimum(0, x) - softplus(-abs(x)), lambda x: -softplus(-x)),
    Rule("log of 1 - exp", lambda x: log(1 - exp(x)), lambda x: log1mexp(-x)),
    Rule("log of 1 - exp", lambda x: log1p(-exp(x)), lambda x: log1mexp(-x)),
    Rule("log of 1 - exp", lambda x: log(-expm1(x)), lambda x: log1mexp(-x)),
    Rule("log of exp - 1", lambda x: log(exp(x) - 1), lambda x: x + log1mexp(x)),
    Rule("log of exp - 1", lambda x: log(expm1(x)), lambda x: x + log1mexp(x)),
    Rule("logaddexp", lambda x, y: log(exp(x) + exp(y)), lambda x, y: logaddexp(x, y)),
    Rule("logaddexp", lambda x, y: log(exp(x) + y), lambda x, y: logaddexp(x, log(y)), find=sums_of_exponentials,
         at=("log",)),
    Rule("logsumexp", lambda x, axis: log(sb.sum(exp(x), axis)), lambda x, axis: logsumexp(x, axis)),
    Rule("weighted logsumexp", lambda x, y, axis: log(sb.sum(y * exp(x), axis)),
         lambda x, y, axis: logsumexp(x, axis, b=y), find=weighted_exponentials, at=("log",)),
    Rule("logarithm to base 2", lambda x: log2(x), lambda x: log(x) / LOG_2, has_logarithm),
    Rule("logarithm to base 10", lambda x: log10(x), lambda x: log(x) / LOG_10, has_logarithm),
    Rule("log of the logistic function", lambda x: log(sigmoid(x)), lambda x: -softplus(-x)),
    Rule("log of the logistic function", lambda x: log(1 - sigmoid(x)), lambda x: -softplus(x)),
    Rule("log of the logistic function", lambda x: log1p(-sigmoid(x)), lambda x: -softplus(x)),
    Rule("log-softmax", lambda x, axis: log(softmax(x, axis)), lambda x, axis: log_softmax(x, axis)),
    Rule("log of erfc", lambda x: log(erfc(x)), lambda x: log_erfc(x)),
    Rule("log of erfc", lambda x: log(1 - erf(x)), lambda x: log_erfc(x)),
    Rule("log of the normal distribution", lambda x: log(ndtr(x)), lambda x: log_ndtr(x)),
    Rule("log of the normal distribution", lambda x: log(1 - ndtr(x)), lambda x: log_ndtr(-x)),
    Rule("log of a determinant", lambda matrix: log(det(matrix)), lambda matrix: log_det(matrix),
         find=logarithms_of_determinants, at=("log",)),
    Rule("log of a determinant", lambda matrix: log(abs(det(matrix))), lambda matrix: log_abs_det(matrix),
         find=logarithms_of_sizes_of_determinants, at=("log",)),
    Rule("log of a view", lambda x, view: log(view(x)), lambda x, view: view(log(x)), find=logarithm_of_views,
         at=("log",)),
    Rule("log of a multiple", lambda c, x: log(c * x), lambda c, x: log_of_number(c) + log(x),
         lambda c, x: is_positive(c) and has_logarithm(x)),
    Rule("log of a product", lambda x, y: log(x * y), lambda x, y: log(x) + log(y),
         lambda x, y: is_nonnegative(x) and is_nonnegative(y) and (has_logarithm(x) or has_logarithm(y))),
    Rule("log of a quotient", lambda x, y: log(x / y), lambda x, y: log(x) - log(y),
         lambda x, y: is_nonnegative(x) and is_nonnegative(y) and (has_logarithm(x) or has_logarithm(y))),
    Rule("log of a power", lambda x, c: log(x**c), lambda x, c: c * log(x),
         lambda x, c: is_positive(x) and has_logarithm(x)),
    Rule("log of a root", lambda x: log(sqrt(x)), lambda x: log(x) / 2, has_logarithm),
    Rule("log1p", lambda x: log(1 + x), lambda x: log1p(x)),
]  # fmt: skip
"""Logarithms of what overflows, underflows, or is close to 1."""

EXPONENTIALS = [
    Rule("quotient of exponentials", lambda x, y: exp(x) * (1 / y), lambda x, y: exp(x) / y,
         lambda x, y: has_logarithm(y)),
    Rule("expm1", lambda x: exp(x) - 1, lambda x: expm1(x)),
    Rule("hyperbolic tangent", lambda x: expm1(x) / (1 + exp(x)), lambda x: tanh(x / 2)),
    Rule("hyperbolic tangent", lambda x: -expm1(x) / (1 + exp(x)), lambda x: -tanh(x / 2)),
    Rule("hyperbolic tangent", lambda x: (exp(x) - exp(-x)) / (exp(x) + exp(-x)), lambda x: tanh(x)),
    Rule("logistic function", lambda x: exp(x) / (1 + exp(x)), lambda x: sigmoid(x)),
    Rule("logistic function", lambda x: exp(x) * sigmoid(-x), lambda x: sigmoid(x)),
    Rule("logistic function", lambda x: exp(x) / ((1 + exp(x)) * (1 + exp(x))), lambda x: sigmoid(x) * sigmoid(-x)),
    Rule("logistic function", lambda x, y: y / (1 + exp(x)), lambda x, y: y * sigmoid(-x)),
    Rule("logistic function", lambda x, y: y / ((1 + exp(x)) * (1 + exp(x))),
         lambda x, y: y * sigmoid(-x) * sigmoid(-x)),
    Rule("logistic function", lambda x, y: exp(x) / (exp(x) + exp(y)), lambda x, y: sigmoid(x - y)),
    Rule("logistic function", lambda c, x: exp(x) / (c + exp(x)), lambda c, x: sigmoid(x - log_of_number(c)),
         lambda c, x: is_positive(c)),
    Rule(COMPLEMENT, lambda x: 1 - sigmoid(x), lambda x: sigmoid(-x)),
    Rule(TWICE, lambda x: 2 * sigmoid(x) - 1, lambda x: tanh(x / 2)),
    Rule("hyperbolic tangent", lambda x: sigmoid(x) - sigmoid(-x), lambda x: tanh(x / 2)),
    Rule("reciprocal of exp", lambda x: 1 / exp(x), lambda x: exp(-x)),
    Rule("Bose's function", lambda x: exp(x) / expm1(x), lambda x: -bose(-x)),
    Rule("Bose's function", lambda x, y: y / expm1(x), lambda x, y: y * bose(x)),
    Rule("log-odds", lambda x: softplus(x) - softplus(-x), lambda x: x),
    Rule("softmax", lambda x, axis: exp(x) / sb.sum(exp(x), axis, keepdims=True), lambda x, axis: softmax(x, axis)),
    Rule("softmax of what is shifted", lambda x, y, axis: softmax(x + y, axis), lambda x, y, axis: softmax(x, axis),
         lambda x, y, axis: is_constant_along(y, x, axis)),
    Rule("logsumexp of what is shifted", lambda x, y, axis: logsumexp(x + y, axis),
         lambda x, y, axis: logsumexp(x, axis) + sb.dropped(y, axis, x.ndim),
         lambda x, y, axis: is_constant_along(y, x, axis)),
    Rule("softmax", lambda x, axis: exp(x - logsumexp(x, axis, keepdims=True)), lambda x, axis: softmax(x, axis)),
    Rule("exp of log", lambda x: exp(log(x)), lambda x: x, is_nonnegative),
    Rule("expm1 of log1p", lambda x: expm1(log1p(x)), lambda x: x, is_nonnegative),
]  # fmt: skip
"""Quotients of what overflows, and differences that cancel."""

ROOTS = [
    Rule("absolute value of what is not negative", lambda x: abs(x), lambda x: x, is_nonnegative),
    Rule("root of a multiple", lambda c, x: sqrt(c * x), lambda c, x: root_of_number(c) * sqrt(x),
         lambda c, x: is_positive(c) and is_sum_of_squares(x)),
    Rule("root of a quotient", lambda x, y: sqrt(x / y), lambda x, y: sqrt(x) / sqrt(y),
         lambda x, y: is_sum_of_squares(x) and is_positive(y)),
    Rule("root of a square", lambda x: sqrt(x * x), lambda x: abs(x)),
    Rule("hypotenuse", lambda x, y: sqrt(x * x + y * y), lambda x, y: hypot(x, y), find=sums_of_squares, at=("sqrt",)),
    Rule("norm", lambda x, axis: sqrt(sb.sum(x * x, axis)), lambda x, axis: norm(x, axis=axis)),
    Rule("square of a norm", lambda x, axis: norm(x, axis=axis) * norm(x, axis=axis),
         lambda x, axis: sb.sum(x * x, axis)),
]  # fmt: skip
"""Roots of sums of squares."""

OTHERS = [
    Rule("cross-entropy of logits", lambda x, y, view: view(y * softplus(-x)) + view((1 - y) * softplus(x)),
         lambda x, y, view: view(logistic_loss(x, y)), find=cross_entropies, at=("add",)),
    Rule("x log x", lambda x: x * log(x), lambda x: xlogx(x)),
    Rule("variance", lambda x, axis, view: view(mean(x * x, axis)) - view(mean(x, axis)) ** 2,
         lambda x, axis, view: view(var(x, axis)), find=averages_of_squares, at=("add",)),
]  # fmt: skip

STABILISE = [*LOGARITHMS, *EXPONENTIALS, *ROOTS, *OTHERS]
"""What `grad` and `lambdify` apply: naive spellings become functions that are stable by construction."""

TAILS = [
    Rule("slope of the logistic function", lambda x: sigmoid(x) * (1 - sigmoid(x)), lambda x: sb.sigmoid_slope(x)),
    Rule("slope of the logistic function", lambda x: sigmoid(x) * sigmoid(-x), lambda x: sb.sigmoid_slope(x)),
    Rule("slope of the hyperbolic tangent", lambda x: 1 - tanh(x) * tanh(x), lambda x: 4 * sb.sigmoid_slope(2 * x)),
    Rule("curvature of the logistic function", lambda x: 1 - 2 * sigmoid(x), lambda x: -tanh(x / 2)),
    Rule(
        "residual of the logistic function",
        lambda x, y: sigmoid(x) - y,
        lambda x, y: sb.logistic_residual(x, y),
        lambda x, y: is_given(y),
    ),
]
"""What ``lambdify(..., tails="relative")`` applies besides: derivatives that keep their digits where they are small."""


def stabilise(nodes: Sequence[Node], barriers: Iterable[Node] = ()) -> list[Node]:
    """Return the nodes with naive spellings replaced, as they are differentiated; `barriers` stay as they are."""
    exempt = {COMPLEMENT: textbook_complements(toposort(nodes))}
    return Engine(STABILISE, frozenset(barriers), exempt).rewrite(nodes)
