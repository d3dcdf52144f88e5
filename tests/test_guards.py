"""Branches that are not taken are guarded: emitted code warns of nothing where the value is finite."""

import random

import numpy as np
import pytest

import symback as sb
from symback.check.evaluate import evaluate
from symback.codegen.passes import prepare as prepare_module
from symback.graph import toposort
from symback.nodes.leaves import Variable
from symback.rewrite.conditions import is_where
from symback.rewrite.guards import guarded

N, M = 4, 3
x, y = sb.tensor("x", ("n",)), sb.tensor("y", ("n",))
X, s, t = sb.tensor("X", ("n", 3)), sb.tensor("s", ()), sb.tensor("t", ())
k = sb.tensor("k", ("n",), dtype="int64")
f = sb.tensor("f", ("n",), dtype="float32")
FAR = sb.where(x > 0, x, np.inf)
NAMES = {"x": x, "y": y, "X": X, "s": s, "t": t, "k": k, "f": f}

POINTS = {
    "x": np.array([-2.0, 0.0, 0.5, 3.0]),
    "y": np.array([0.0, 2.0, -1.0, 0.25]),
    "X": np.array([[-1.0, 0.0, 2.0], [0.5, 1.5, 1.0], [3.0, 0.25, 0.5], [1.0, 2.0, 3.0]]),
    "s": np.float64(-2.0),
    "t": np.float64(0.5),
    "k": np.array([0, 1, 2, 3]),
    "f": np.array([-1.0, 0.0, 0.5, 200.0], dtype=np.float32),
}

CASES = {
    "logarithm": (lambda: sb.where(x > 0, sb.log(x), 0), "x"),
    "on the other side": (lambda: sb.where(x <= 0, 0, sb.log(x)), "x"),
    "of minus x": (lambda: sb.where(x >= 0, x, sb.log(-x)), "x"),
    "both sides": (lambda: sb.where(x > 0, sb.log(abs(x)), sb.log(1 - x)), "x"),
    "root": (lambda: sb.where(x > 0, sb.sqrt(x), 0), "x"),
    "quotient": (lambda: sb.where(sb.not_equal(y, 0), x / y, 0), "xy"),
    "sinc": (lambda: sb.where(sb.not_equal(x, 0), sb.sin(x) / x, 1), "x"),
    "finite sine": (lambda: sb.where(sb.isfinite(FAR), sb.sin(FAR), 1), "x"),
    "power": (lambda: sb.where(x > 0, x**1.5 + x**-2, 0), "x"),
    "power of two": (lambda: sb.where(x > 0, x**y, 0), "xy"),
    "number to a power": (lambda: sb.where(x < 1, 2.0 ** (1000 * x), 0), "x"),
    "exponential": (lambda: sb.where(x < 1, sb.exp(400 * x), 0), "x"),
    "float32 exponential": (lambda: sb.where(f < 80, sb.exp(f), 0), "f"),
    "inverse sine": (lambda: sb.where(abs(x) < 1, sb.arcsin(x) / sb.sqrt(1 - x * x), 0), "x"),
    "inverse hyperbolic": (lambda: sb.where(x > 1, sb.arccosh(x), 0) + sb.where(abs(y) < 1, sb.arctanh(y), 0), "xy"),
    "log1p and log2": (lambda: sb.where(x > -1, sb.log1p(x) * sb.log2(2 + x), 0), "x"),
    "logarithm below": (lambda: sb.where(x > 1, 1 / sb.log(x), 0), "x"),
    "nested": (lambda: sb.where(x > 0, sb.where(y > 0, sb.log(x) * sb.sqrt(y), x), 0), "xy"),
    "nested in a condition": (lambda: sb.where(x > 0, sb.where(sb.log(x) > 0, sb.sqrt(sb.log(x)), x), 0), ""),
    "select": (lambda: sb.select([x > 1, x > 0], [sb.log(x), sb.sqrt(x)], 1 / (x - 3)), "x"),
    "by another": (lambda: sb.where(y > 0, sb.log(x + 0.5), 0), "xy"),
    "of a difference": (lambda: sb.where(y > 0, x / (x * x - y), 0), "xy"),
    "let": (lambda: sb.where(x > 0, sb.let("z", sb.log(sb.let("u", x * x * x))), 0), "x"),
    "used outside": (lambda: sb.where(x > -3, sb.exp(x), 0) + sb.exp(x), "x"),
    "remainder": (lambda: sb.where(sb.not_equal(k, 0), 7 % k + 7 // k, 0) * x, "x"),
    "integers": (lambda: sb.where(k > 0, 1 / k, 0) * x, "x"),
    "rows": (lambda: sb.where((x > 0.1)[:, None], sb.log(X), 0), "X"),
    "columns": (lambda: sb.where(sb.sum(X, axis=0) > 4, sb.sqrt(X + 1), 0), "X"),
    "sum of rows": (lambda: sb.where(y > 1, sb.sum(sb.log(X), axis=1), 0), "yX"),
    "scalars": (lambda: sb.where(s > 0, sb.log(s) / t, t), "st"),
    "scalar condition": (lambda: sb.where(s > 0, sb.sum(sb.log(X)), 0), "sX"),
    "ignoring": (lambda: sb.nanmean(sb.where(x > 0, sb.log(x), np.nan)), "x"),
    "guarded by hand": (lambda: sb.where(x > 0, sb.log(sb.where(x > 0, x, 1)), 0), "x"),
}


def outputs_of(name):
    """Return the value of a case, the gradients of its sum and the first Hessian."""
    value, wrt = CASES[name][0](), [NAMES[letter] for letter in CASES[name][1]]
    loss = sb.sum(value)
    first = [sb.hessian(loss, wrt[0])] if wrt and len(wrt[0].shape) < 2 else []
    return [value, *(sb.grad(loss, wrt) if wrt else []), *first]


def compiled(outputs, inputs):
    return sb.lambdify(inputs, outputs, check=False)


def body_of(function):
    return function.source.split('"""')[-1].strip("\n")


def inputs_of(outputs):
    return [node for node in toposort(outputs) if isinstance(node, Variable)]


def without_guards(monkeypatch):
    monkeypatch.setattr(prepare_module, "guard_branches", lambda outputs: {node: node for node in toposort(outputs)})


@pytest.mark.parametrize("name", CASES)
def test_value_gradient_and_hessian_warn_of_nothing_and_are_what_they_were(name, monkeypatch):
    outputs = outputs_of(name)
    inputs = inputs_of(outputs)
    point = [POINTS[variable.name] for variable in inputs]
    with np.errstate(all="raise", under="ignore"):
        found = compiled(outputs, inputs)(*point)
    without_guards(monkeypatch)
    with np.errstate(all="ignore"):
        plain = compiled(outputs, inputs)(*point)
    wanted = evaluate(outputs, dict(zip(inputs, point, strict=True)))
    for one, other, value in zip(found, plain, wanted, strict=True):
        assert np.all(np.isfinite(one))
        np.testing.assert_array_equal(one, other, strict=True)
        np.testing.assert_allclose(one, value, rtol=2e-6 if one.dtype == np.float32 else 1e-13)


LOGARITHM = """\
    greater = x > 0
    x_safe = np.where(greater, x, 1)
    d_x = np.where(greater, 1 / x_safe, 0)
    return [np.sum(np.where(greater, np.log(x_safe), 0)), d_x]"""

INVERSE_SINE = """\
    less = np.abs(x) < 1
    return [np.where(less, np.arcsin(np.where(less, x, 0)), 0)]"""


def test_the_text_is_that_of_a_careful_person():
    loss = sb.sum(sb.where(x > 0, sb.log(x), 0))
    assert body_of(compiled([loss, sb.grad(loss, x)], [x])) == LOGARITHM
    assert body_of(compiled([sb.where(abs(x) < 1, sb.arcsin(x), 0)], [x])) == INVERSE_SINE


UNGUARDED = {
    "1 + x**2": lambda: sb.where(x > 0, sb.log(1 + x * x) / (1 + x**4), 0),
    "falling exponential": lambda: sb.where(x > 0, sb.exp(-x * x) / (1 + sb.exp(-abs(x))), 0),
    "exact": lambda: sb.where(x > 0, x / 3 + sb.log(sb.tensor("m", ())) * 0, 0),
    "no partial function": lambda: sb.where(x > 0, sb.tanh(x) * sb.sin(x) + x**3, 0),
    "guarded by hand": lambda: sb.where(x > 0, sb.log(sb.where(x > 0, x, 1)), 0),
    "wanted outside": lambda: sb.where(x > 0, sb.log(x), 0) + sb.log(x),
    "wanted on both sides": lambda: sb.where(x > 0, sb.log(x), 2 * sb.log(x)),
    "wanted by the condition": lambda: sb.where(sb.isnan(sb.log(x)), 0, sb.log(x)),
    "a sum of rows": lambda: sb.where(y > 0, sb.sum(sb.log(X), axis=(0, 1)), 0),
    "bounded": lambda: sb.where(y > 0, sb.arcsin(sb.sin(x)) + sb.log(sb.maximum(x, 1)) + sb.sqrt(abs(x)), 0),
}


@pytest.mark.parametrize("name", UNGUARDED)
def test_what_cannot_warn_or_is_wanted_everywhere_gets_no_guard(name):
    value = UNGUARDED[name]()
    assert guarded([value])[0] is value


def test_infinities_and_nan_of_the_branch_taken_come_out():
    value = sb.where(x >= 0, sb.log(x), sb.sqrt(x))
    gradient = sb.grad(sb.sum(value), x)
    with np.errstate(all="ignore"):
        found = compiled([value, gradient], [x])(np.array([0.0, -1.0, np.inf, np.nan]))
    np.testing.assert_array_equal(found[0], [-np.inf, np.nan, np.inf, np.nan])
    np.testing.assert_array_equal(found[1], [np.inf, np.nan, 0, np.nan])


def test_deep_graphs_are_guarded():
    node = x
    for _ in range(300):
        node = sb.where(node > 0, sb.log(node), node + 2)
    made = guarded([node])[0]
    assert sum(is_where(node) for node in toposort([made])) == 2 * 300
    np.testing.assert_array_equal(evaluate(made, {x: POINTS["x"]}), evaluate(node, {x: POINTS["x"]}))


# -- random branches -----------------------------------------------------------------------------------

FUNCTIONS = [
    sb.log, sb.sqrt, sb.log1p, sb.exp, sb.arcsin, sb.arctanh, sb.arccosh, sb.tanh, lambda a: 1 / a, lambda a: a**1.5,
    lambda a: a * a, lambda a: 1 - a, lambda a: 30 * a, lambda a: sb.let(f"v{id(a)}", 2 * a),
]  # fmt: skip


def random_branch(pick):
    """Return a graph of choices between functions that are not defined everywhere."""
    values = [x, y, s, x[:, None] * 0.5, X]
    conditions = [lambda a, b: a > 0, lambda a, b: sb.not_equal(a, b), lambda a, b: abs(a) < 1, lambda a, b: b >= 0.5]
    for _ in range(7):
        one, other = pick.choice(values), pick.choice(values)
        try:
            inner = pick.choice(FUNCTIONS)(pick.choice(FUNCTIONS)(one))
            made = inner / other if pick.random() < 0.3 else inner
            made = sb.sum(made, axis=-1, keepdims=True) if made.shape and pick.random() < 0.15 else made
            made = sb.where(pick.choice(conditions)(one, other), made, pick.choice([0, other, pick.choice(values)]))
        except sb.errors.ShapeError:
            continue
        values.append(made)
    return values[-1]


@pytest.mark.parametrize("seed", range(60))
def test_random_branches_keep_every_value(seed, monkeypatch):
    pick = random.Random(seed)
    value = random_branch(pick)
    inputs = inputs_of([value])
    outputs = [value, *sb.grad(sb.sum(value), inputs)]
    point = [POINTS[variable.name] for variable in inputs]
    with np.errstate(all="ignore"):
        found = compiled(outputs, inputs)(*point)
        without_guards(monkeypatch)
        plain = compiled(outputs, inputs)(*point)
    for one, other, wanted in zip(found, plain, evaluate(outputs, dict(zip(inputs, point, strict=True))), strict=True):
        np.testing.assert_array_equal(one, other, strict=True)
        np.testing.assert_allclose(one, wanted, rtol=1e-10)
