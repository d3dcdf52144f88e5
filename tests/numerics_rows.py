"""The spellings of docs/numerics.md: what is typed naively, what it becomes, and where it is measured."""

from dataclasses import dataclass, field
from typing import Any

INF = float("inf")
AT_0 = {0.0: (0.6931471805599453, 0.5, 0.25)}
"""Limits of softplus and its derivatives, where a spelling of it has a kink."""


@dataclass(frozen=True)
class Row:
    """A spelling.

    Attributes:
        text: The spelling, in the names of `symback` and those of `VARIABLES`.
        becomes: What is computed in its place.
        points: Where it is measured: the names of points in `numerics_page`.
        limits: At points where the spelling itself has no value: value, first and second derivative.
        bounds: The errors of value, first and second derivative that the page states and the test holds.
        tails: ``"relative"`` where the derivative is small far out, and only that option keeps its digits.
        without: Points among those named at which it is not defined, or which the page tells of in words.
    """

    text: str
    becomes: str
    points: str = "real"
    limits: dict[float, tuple[float, float, float]] = field(default_factory=dict, hash=False)
    bounds: tuple[int, int, int] = (1, 1, 1)
    tails: str = "absolute"
    without: tuple[Any, ...] = ()

    @property
    def entrywise(self) -> bool:
        """Is this a function of the number x?"""
        return "x" in compile(self.text, self.text, "eval").co_names


SCALAR = [
    Row("log(1 + exp(x))", "softplus(x)", bounds=(1, 2, 4), tails="relative"),
    Row("log(exp(x) + 1) / 2 - 3", "softplus(x) / 2 - 3", bounds=(1, 2, 4), tails="relative"),
    Row("log(1 + exp(3 - 2 * x))", "softplus(3 - 2 * x)", bounds=(1, 1, 4), tails="relative"),
    Row("log(let('s', 1 + exp(x)))", "softplus(x)", bounds=(1, 2, 4), tails="relative"),
    Row("log1p(exp(x))", "softplus(x)", bounds=(1, 2, 4), tails="relative"),
    Row("maximum(x, 0) + log1p(exp(-abs(x)))", "softplus(x)", "real", AT_0, bounds=(1, 2, 4), tails="relative"),
    Row("relu(x) + log(1 + exp(-abs(x)))", "softplus(x)", "real", AT_0, bounds=(1, 2, 4), tails="relative"),
    Row("1 / (1 + exp(-x))", "sigmoid(x)", bounds=(2, 4, 4), tails="relative"),
    Row("exp(x) / (1 + exp(x))", "sigmoid(x)", bounds=(2, 4, 4), tails="relative"),
    Row("1 / (1 + exp(2 * x))", "sigmoid(-2 * x)", bounds=(2, 2, 4), tails="relative"),
    Row("1 / let('s', 1 + exp(-x))", "sigmoid(x)", bounds=(2, 4, 4), tails="relative"),
    Row("(exp(x) - exp(-x)) / (exp(x) + exp(-x))", "tanh(x)", bounds=(1, 2, 4), tails="relative"),
    Row("log(exp(x) + exp(-x))", "logaddexp(x, -x)", bounds=(1, 2, 2), tails="relative"),
    Row("log(sigmoid(x))", "-softplus(-x)", bounds=(1, 2, 4), tails="relative"),
    Row("log(1 / (1 + exp(-x)))", "-softplus(-x)", bounds=(1, 2, 4), tails="relative"),
    Row("log(1 - sigmoid(x))", "-softplus(x)", "real", {INF: (-INF, -1, 0)}, bounds=(1, 2, 4), tails="relative"),
    Row("1 - sigmoid(x)", "sigmoid(-x)", bounds=(2, 4, 4), tails="relative"),
    Row("1 - 1 / (1 + exp(-x))", "sigmoid(-x)", bounds=(2, 4, 4), tails="relative"),
    Row("2 * sigmoid(x) - 1", "tanh(x / 2)", bounds=(1, 4, 4), tails="relative"),
    Row("1 - tanh(x)**2", "4 * sigmoid_slope(2 * x)", bounds=(2, 4, 4), tails="relative"),
    Row("tanh(x)", "itself", bounds=(1, 2, 4), tails="relative"),
    Row("log(1 - exp(-x))", "log1mexp(x)", "positive", {0.0: (-INF, INF, -INF)}, bounds=(2, 1, 4)),
    Row("log(1 - exp(-x / 2))", "log1mexp(x / 2)", "positive", {0.0: (-INF, INF, -INF)}, bounds=(1, 1, 4)),
    Row("log(exp(x) - 1)", "x + log1mexp(x)", "positive", {0.0: (-INF, INF, -INF)}, bounds=(1, 2, 4)),
    Row("exp(x) - 1", "expm1(x)", bounds=(2, 1, 1)),
    Row("(exp(x) - 1) / 2", "expm1(x) / 2", bounds=(2, 1, 1)),
    Row("log(1 + x)", "log1p(x)", "above -1", {INF: (INF, 0, 0)}),
    Row("log(1 + 2 * x)", "log1p(2 * x)", "positive and 0", {INF: (INF, 0, 0)}),
    Row("log(1 + x**2)", "log1p(x**2)", without=(-INF, INF), bounds=(1, 1, 4)),
    Row("sqrt(x**2 + 1)", "hypot(x, 1)", bounds=(1, 2, 4)),
    Row("3 * sqrt(4 + x**2)", "3 * hypot(2, x)", bounds=(1, 1, 2)),
    Row("x * log(x)", "xlogx(x)", "positive", {0.0: (0, -INF, INF), INF: (INF, INF, 0)}),
    Row("-x * log(x) / 3", "-xlogx(x) / 3", "positive", {0.0: (0, INF, -INF), INF: (-INF, -INF, 0)}, bounds=(2, 2, 1)),
    Row("log(erfc(x))", "log_erfc(x)", "moderate", bounds=(2, 4, 8)),
]
"""Functions of a number x, entry by entry."""

ARRAYS = [
    Row("log(sum(exp(z)))", "logsumexp(z)", "vectors"),
    Row("3 - log(sum(exp(2 * z))) / 2", "3 - logsumexp(2 * z) / 2", "vectors", bounds=(1, 1, 4)),
    Row("log(let('t', sum(exp(z))))", "logsumexp(z)", "vectors"),
    Row("log(sum(exp(Z), axis=1))", "logsumexp(Z, axis=1)", "matrices"),
    Row("log(sum(exp(Z), axis=0, keepdims=True))", "logsumexp(Z, axis=0, keepdims=True)", "matrices"),
    Row("log(sum(exp(Z)))", "logsumexp(Z)", "matrices"),
    Row("exp(z) / sum(exp(z))", "softmax(z)", "vectors", bounds=(1, 1, 2)),
    Row("exp(Z) / sum(exp(Z), axis=1, keepdims=True)", "softmax(Z, axis=1)", "matrices"),
    Row("exp(z) / let('t', sum(exp(z)))", "softmax(z)", "vectors", bounds=(1, 1, 2)),
    Row("-log(softmax(z)[1])", "-log_softmax(z)[1]", "vectors"),
    Row("-log((exp(z) / sum(exp(z)))[1])", "-log_softmax(z)[1]", "vectors"),
    Row("-sum(y * log(exp(z) / sum(exp(z))))", "-sum(y * log_softmax(z))", "finite vectors"),
    Row(
        "-sum(Y * log(exp(Z) / sum(exp(Z), axis=1, keepdims=True))) / 2",
        "-sum(Y * log_softmax(Z, axis=1)) / 2",
        "finite matrices",
    ),
    Row(
        "-sum(y * log(sigmoid(z)) + (1 - y) * log(1 - sigmoid(z)))",
        "binary_cross_entropy(z, y, reduction='sum')",
        "finite vectors",
        tails="relative",
    ),
    Row("sqrt(sum(z**2))", "norm(z)", "norms"),
    Row("sqrt(sum(Z**2, axis=1))", "norm(Z, axis=1)", "norms of rows"),
    Row("sqrt(sum((2 * z)**2) + 1)", "hypot(2 * norm(z), 1)", "norms"),
    Row("sqrt(sum(z**2) / 4)", "norm(z) / 2", "norms"),
    Row("sqrt(sum(Z**2, axis=1) / 4)", "norm(Z, axis=1) / 2", "norms of rows"),
    Row("mean(z**2) - mean(z)**2", "var(z)", "shifted"),
    Row("mean(Z**2, axis=1) - mean(Z, axis=1)**2", "var(Z, axis=1)", "shifted rows"),
]
"""Functions of arrays: z has three entries, Z is 2 by 3; y and Y are one-hot codes."""
