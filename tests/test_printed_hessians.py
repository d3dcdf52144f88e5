"""Second derivatives as they are printed: in LaTeX and in code, letter by letter, and in LaTeX by their value too."""

import itertools

import numpy as np
import pytest
import sympy

import symback as sb
from latex_syntax import check_latex
from latex_value import SIZE, as_matrix, latex_value
from symback.check.evaluate import evaluate
from symback.latex.printer import Printer, latex
from symback.latex.update import update_latex
from symback.nodes.contract import contract
from symback.nodes.leaves import exact, ones_of

SLOPE = r"\sigma\left(X w\right) \odot \left(1 - \sigma\left(X w\right)\right)"
HESSIAN = rf"X^{{\top}} \operatorname{{diag}}\left({SLOPE}\right) X"
NAMED = HESSIAN.replace("X w", "z")

CROSS_ENTROPIES = {
    "logarithms": lambda y, z: -sb.sum(y * sb.log(sb.sigmoid(z)) + (1 - y) * sb.log(1 - sb.sigmoid(z))),
    "quotients": lambda y, z: -sb.sum(y * sb.log(1 / (1 + sb.exp(-z))) + (1 - y) * sb.log(1 - 1 / (1 + sb.exp(-z)))),
    "negated terms": lambda y, z: sb.sum(-y * sb.log(sb.sigmoid(z)) - (-y + 1) * sb.log1p(-sb.sigmoid(z))),
    "inner products": lambda y, z: -(y @ sb.log(sb.sigmoid(z)) + (1 - y) @ sb.log(1 - sb.sigmoid(z))),
    "two sums": lambda y, z: -sb.sum(sb.log(1 - sb.sigmoid(z)) * (1 - y)) - sb.sum(y * sb.log(sb.sigmoid(z))),
    "named": lambda y, z: _named(sb.let("p", sb.sigmoid(z)), y),
    "softplus": lambda y, z: sb.sum(sb.softplus(z) - y * z),
    "log of 1 + exp": lambda y, z: sb.sum(sb.log(1 + sb.exp(z))) - y @ z,
    "logaddexp": lambda y, z: sb.sum(sb.logaddexp(0, z) - y * z),
    "two branches": lambda y, z: sb.sum(sb.maximum(z, 0) - y * z + sb.log1p(sb.exp(-abs(z)))),
    "loss function": lambda y, z: sb.binary_cross_entropy(z, y, reduction="sum"),
}
MEANS = {
    "logarithms": lambda y, z: -sb.mean(y * sb.log(sb.sigmoid(z)) + (1 - y) * sb.log(1 - sb.sigmoid(z))),
    "two means": lambda y, z: -sb.mean(y * sb.log(sb.sigmoid(z))) - sb.mean((1 - y) * sb.log(1 - sb.sigmoid(z))),
    "sum by size": lambda y, z: (
        -sb.sum(y * sb.log(sb.sigmoid(z)) + (1 - y) * sb.log(1 - sb.sigmoid(z))) / sb.size(z.shape[0])
    ),
    "factor": lambda y, z: (
        (-1 / sb.size("n")) * (y @ sb.log(sb.sigmoid(z)) + (1 - y) @ sb.log(1 - sb.sigmoid(z)))
    ),
    "softplus": lambda y, z: sb.mean(sb.softplus(z) - y * z),
    "loss function": lambda y, z: sb.binary_cross_entropy(z, y),
}  # fmt: skip


def _named(p, y):
    return -sb.sum(y * sb.log(p) + (1 - y) * sb.log(1 - p))


def model(n="n", d="d"):
    return sb.tensor("X", (n, d)), sb.tensor("w", (d,)), sb.tensor("y", (n,))


def body(inputs, output, **options):
    """Return the statements of the emitted function."""
    source = sb.lambdify(inputs, output, check=False, **options).source
    return [line.strip() for line in source.split('"""')[-1].strip().splitlines()]


@pytest.mark.parametrize("spelling", CROSS_ENTROPIES)
@pytest.mark.parametrize("sizes", [("n", "d"), (7, 4)], ids=["symbolic", "fixed"])
def test_the_hessian_of_logistic_regression_reads_as_in_the_textbook(spelling, sizes):
    X, w, y = model(*sizes)
    hessian = sb.hessian(CROSS_ENTROPIES[spelling](y, X @ w), w)
    assert sympy.latex(hessian) == HESSIAN
    assert body([X, w, y], hessian) == [
        "sigmoid_ = sigmoid(X @ w)",
        "return (X.T * (sigmoid_ * (1 - sigmoid_))) @ X",
    ]
    assert body([X, w, y], hessian, tails="relative") == ["return (X.T * sigmoid_slope(X @ w)) @ X"]


@pytest.mark.parametrize("spelling", MEANS)
def test_a_mean_divides_the_hessian_once_and_where_that_is_least_work(spelling):
    X, w, y = model()
    hessian = sb.hessian(MEANS[spelling](y, X @ w), w)
    assert latex(hessian) == rf"\frac{{1}}{{n}} {HESSIAN}"
    assert body([X, w, y], hessian)[-1] == "return (X.T * (sigmoid_ * (1 - sigmoid_) / n)) @ X"


@pytest.mark.parametrize("spelling", CROSS_ENTROPIES)
def test_names_are_printed_and_emitted(spelling):
    X, w, y = model()
    z = sb.let("z", X @ w)
    hessian = sb.hessian(CROSS_ENTROPIES[spelling](y, z), w)
    assert latex(hessian) == NAMED
    assert body([X, w, y], hessian)[-1] == "return (X.T * (sigmoid_z * (1 - sigmoid_z))) @ X"


@pytest.mark.parametrize("spelling", CROSS_ENTROPIES)
def test_the_gradient_of_logistic_regression_reads_as_in_the_textbook(spelling):
    X, w, y = model()
    gradient = sb.grad(CROSS_ENTROPIES[spelling](y, X @ w), w)
    assert Printer().define(gradient) in {
        r"X^{\top} \left(\sigma\left(X w\right) - y\right)",
        r"X^{\top} \left(-y + \sigma\left(X w\right)\right)",
    }
    assert body([X, w, y], gradient)[0] == "d_w = X.T @ (sigmoid(X @ w) - y)"


@pytest.mark.parametrize("spelling", CROSS_ENTROPIES)
def test_digits_far_out(spelling):
    """With ``tails="relative"`` all digits of the derivatives, else those of 1."""
    X, w, y = model(1, 1)
    loss = CROSS_ENTROPIES[spelling](y, X @ w)
    outputs = [loss, sb.grad(loss, w), sb.hessian(loss, w)]
    textbook, sharp = (sb.lambdify([X, w, y], outputs, tails=tails) for tails in ("absolute", "relative"))
    first = 0 if spelling in FORGIVING else 1
    for logit, label in itertools.product((-700.0, -40.0, -3.0, 0.0, 1e-9, 3.0, 40.0, 700.0), (0.0, 1.0)):
        near = np.exp(-abs(logit)) / (1 + np.exp(-abs(logit)))  # the distance of sigmoid to the nearer label
        right = (logit > 0) == (label == 1)
        miss = near if right else 1 - near
        exact = [
            np.log1p(np.exp(-abs(logit))) + abs(logit) * (not right),
            (1 - 2 * label) * miss,
            near * (1 - near),
        ]
        found = [
            [float(np.squeeze(value)) for value in f(np.ones((1, 1)), np.array([logit]), np.array([label]))]
            for f in (textbook, sharp)
        ]
        np.testing.assert_allclose(found[0], exact, rtol=4e-16, atol=4e-16)
        np.testing.assert_allclose(found[1][first:], exact[first:], rtol=1e-15)


FORGIVING = {*CROSS_ENTROPIES} - {"softplus", "log of 1 + exp", "logaddexp", "two branches"}
"""Spellings that say that labels weigh logarithms: in the others a difference is written, whose terms may cancel."""


@pytest.mark.parametrize("target", [0.3, 1 - 1e-10, 1e-12])
def test_a_cross_entropy_with_probabilities_cancels_nowhere(target):
    X, w, y = model(1, 1)
    loss = sb.lambdify([X, w, y], CROSS_ENTROPIES["logarithms"](y, X @ w))
    for logit in (-600.0, -1.0, 2.0, 600.0):
        rest = 1 - target
        wanted = target * np.logaddexp(0, -logit) + rest * np.logaddexp(0, logit)
        assert loss(np.ones((1, 1)), np.array([logit]), np.array([target])) == pytest.approx(wanted, rel=1e-15)


def test_what_is_only_alike_is_no_cross_entropy():
    X, w, y = model()
    z, v = X @ w, sb.tensor("v", ("n",))
    log = [sb.log(sb.sigmoid(z)), sb.log(1 - sb.sigmoid(z)), sb.log(1 - sb.sigmoid(v))]
    for loss in (
        y * log[0] + (2 - y) * log[1],
        y * log[0] + (1 - v) * log[1],
        y * log[0] + (1 - y) * log[2],
        2 * y * log[0] + (1 - y) * log[1],
        y * log[0] - (1 - y) * log[1],
        y * log[0] + (1 - y) * log[0],
        v * y * log[0] + (1 - y) * log[1],
    ):
        assert "cross-entropy of logits" not in [reason.rule for reason in sb.explain(sb.sum(loss))]


def test_a_diagonal_is_no_cross_entropy_with_the_whole():
    Z, Q = sb.tensor("Z", (3, 3)), sb.tensor("Q", (3, 3))
    first, second = Q * sb.softplus(-Z), (1 - Q) * sb.softplus(Z)
    for loss in (sb.sum(first, axis=0) + sb.diagonal(second), sb.sum(first) + sb.trace(second), first + second.T):
        assert "cross-entropy of logits" not in [reason.rule for reason in sb.explain(loss)]


def test_what_is_differentiated_by_stays_in_a_cross_entropy():
    X, w, y = model()
    part = sb.softplus(X @ w)
    loss = sb.sum(y * sb.softplus(-(X @ w)) + (1 - y) * part)
    assert str(sb.grad(loss, part)) == "1 - y"


@pytest.mark.parametrize("labels", ["int64", "bool", "float32", "float64"])
@pytest.mark.parametrize("shape", [(3, 4), (4,), ()], ids=str)
@pytest.mark.parametrize("weigh", [lambda v: 1, lambda v: v, lambda v: 3 * v])
def test_a_cross_entropy_has_its_value_and_dtype_however_its_operands_broadcast(labels, shape, weigh):
    z, y, v = sb.tensor("z", (3, 4)), sb.tensor("y", shape, dtype=labels), sb.tensor("v", (4,))
    t = y if labels != "bool" else y.astype("float64")
    first, second = (weigh(v) * term for term in (t * sb.log(sb.sigmoid(z)), (1 - t) * sb.log(1 - sb.sigmoid(z))))
    random = np.random.default_rng(0)
    at = {z: random.normal(size=(3, 4)), y: random.integers(0, 2, shape).astype(labels), v: random.normal(size=4)}
    for node in (first + second, sb.sum(first, axis=0) + sb.sum(second, axis=0), sb.mean(first) + sb.mean(second)):
        assert "cross-entropy of logits" in [reason.rule for reason in sb.explain(node)]
        found, wanted = sb.lambdify([z, y, v], node)(*at.values()), evaluate(node, at)
        assert found.dtype == wanted.dtype
        np.testing.assert_allclose(found, wanted, rtol=1e-14, atol=1e-14)


A, B, C = sb.tensor("A", ("n", "n")), sb.tensor("B", ("m", "p")), sb.tensor("C", ("q", "n"))
x, v = sb.tensor("x", ("n",)), sb.tensor("v", ("n",))
Y, T, U, V = (
    sb.tensor("Y", ("n", "m")),
    sb.tensor("T", ("n", "m")),
    sb.tensor("U", ("n", "k")),
    sb.tensor("V", ("m", "k")),
)
W, t, y = sb.tensor("W", ("k", "n")), sb.tensor("t", ("k",)), sb.tensor("y", ("k",))
rate = sb.tensor("lambda_")
FACTORISED = sb.sum((T - U @ V.T) ** 2)
P = r"\operatorname{softmax}\left(W x\right)"
OF_SOFTMAX = rf"\operatorname{{diag}}\left({P}\right) - {P} \left({P}\right)^{{\top}}"

PRINTED = {
    r"A + A^{\top}": sb.hessian(x @ A @ x, x),
    r"2 I \otimes V^{\top} V": sb.hessian(FACTORISED, U),
    r"2 I \otimes U^{\top} U": sb.hessian(FACTORISED, V),
    r"\frac{2}{m n} I \otimes V^{\top} V": sb.hessian(sb.mean((T - U @ V.T) ** 2), U),
    r"2 I": sb.hessian(x @ x, x),
    r"x x^{\top}": sb.hessian((v @ x) ** 2 / 2, v),
    r"\operatorname{diag}\left(e^{x}\right)": sb.hessian(sb.sum(sb.exp(x)), x),
    r"\operatorname{diag}\left(v \odot e^{x}\right)": sb.hessian(v @ sb.exp(x), x),
    r"W^{\top} W + \lambda I": sb.hessian(sb.sum((W @ x - y) ** 2) / 2 + rate / 2 * (x @ x), x),
    OF_SOFTMAX.replace("W x", "y"): sb.hessian(sb.cross_entropy(y, t), y),
    rf"\left({OF_SOFTMAX}\right) \otimes x x^{{\top}}": sb.hessian(sb.cross_entropy(W @ x, t), W),
    r"\operatorname{diag}\left(\operatorname{vec}\left(e^{Y}\right)\right)": sb.hessian(sb.sum(sb.exp(Y)), Y),
    r"I \otimes I": sb.jacobian(Y, Y),
    r"\mathbf{K}": sb.jacobian(Y.T, Y),
    r"C \otimes B^{\top}": sb.jacobian(C @ Y @ B, Y),
    r"\left(B^{\top} \otimes C\right) \mathbf{K}": sb.jacobian((C @ Y @ B).T, Y),
    r"I \otimes Y + \left(Y \otimes I\right) \mathbf{K}": sb.jacobian(Y @ Y.T, Y),
    r"-\left(A^{-\top} \otimes A^{-1}\right) \mathbf{K}": sb.hessian(sb.linalg.slogdet(A)[1], A),
}


@pytest.mark.parametrize(("text", "node"), PRINTED.items(), ids=PRINTED)
def test_derivatives_print_as_matrices(text, node):
    assert sympy.latex(node) == latex(node) == text
    check_latex(text)


@pytest.mark.parametrize("form", [x @ A @ x, x @ (A @ x), sb.sum((A @ x) * x), sb.einsum("i,ij,j->", x, A, x)])
def test_a_matrix_stands_before_its_transpose(form):
    assert latex(sb.hessian(form, x)) == r"A + A^{\top}"
    assert body([x, A], sb.hessian(form, x)) == ["return A + A.T"]
    assert latex(sb.hessian(3 * form + v @ x + (v @ x) ** 2 / 2, x)) in {
        r"3 A + 3 A^{\top} + v v^{\top}",
        r"v v^{\top} + 3 A + 3 A^{\top}",
    }


def test_the_code_of_closed_forms():
    assert body([x, A], sb.hessian(x @ A @ x, x)) == ["return A + A.T"]
    lines = body([T, U, V], sb.hessian(FACTORISED, U))
    assert lines[-2:] == ['np.einsum("ijik->ijk", diagonal)[...] = 2 * (V.T @ V)', "return diagonal"]


LEAVES = {name: sb.tensor(name, (SIZE,) * rank) for names, rank in (("suv", 1), ("ABC", 2), ("q", 0)) for name in names}


def network_at_random(seed):
    """A product of numbers, vectors and matrices along labels at random, with up to four axes that may repeat."""
    random = np.random.default_rng(seed)
    terms = [(exact(int(random.integers(1, 4))), ())]
    for _ in range(random.integers(1, 6)):
        node = LEAVES["suvABCABCq"[random.integers(10)]]
        terms.append((node, tuple(int(k) for k in random.choice(6, size=node.ndim, replace=False))))
    used = [label for _, labels in terms for label in labels] or [0]
    out = tuple(int(random.choice(used)) for _ in range(random.choice([0, 1, 2, 2, 4, 4, 4])))
    missing = sorted({*out} - {label for _, labels in terms for label in labels})
    node = contract([*terms, *[(ones_of((SIZE,), np.dtype(float)), (label,)) for label in missing]], out)
    if node.ndim == 4 and random.integers(2):
        return sb.transpose(node + sb.einsum("ik,jl->ijkl", LEAVES["A"], LEAVES["B"]), random.permutation(4).tolist())
    return node


def test_products_at_random_have_the_value_that_is_printed():
    values = {name: np.random.default_rng(1).normal(size=leaf.shape) for name, leaf in LEAVES.items()}
    indexed = 0
    for seed in range(300):
        node = network_at_random(seed)
        text = latex(node)
        check_latex(text)
        indexed += r"\right]_{" in text
        wanted = as_matrix(np.asarray(evaluate(node, {LEAVES[name]: value for name, value in values.items()})))
        found = latex_value(text, {name: as_matrix(value) for name, value in values.items()})
        assert found.size in (1, wanted.size), text
        np.testing.assert_allclose(np.broadcast_to(found, wanted.shape), wanted, rtol=1e-9, atol=1e-9, err_msg=text)
    assert 0 < indexed < 150


def combined_at_random(seed):
    """A few products and sums of vectors and matrices, broadcast and transposed."""
    random = np.random.default_rng(seed)
    pool = list(LEAVES.values())
    for _ in range(random.integers(1, 5)):
        one, other = (pool[random.integers(len(pool))] for _ in range(2))
        if one.ndim == other.ndim == 0 or random.integers(2):
            pool.append([one * other, one + 2 * other, -other * one][random.integers(3)])
        elif one.ndim and other.ndim:
            pool.append([one @ other, other.T @ one, one.T * other, one[:, None] * other][random.integers(4)])
    return pool[-1]


def test_the_text_of_a_node_is_what_numpy_computes():
    values = {name: np.random.default_rng(1).normal(size=leaf.shape) for name, leaf in LEAVES.items()}
    read = 0
    for seed in range(200):
        node = combined_at_random(seed)
        if "'" not in (text := str(node)) and "…" not in text:
            wanted = evaluate(node, {LEAVES[name]: value for name, value in values.items()})
            np.testing.assert_allclose(eval(text, dict(values)), wanted, rtol=1e-9, atol=1e-12, err_msg=text)
            read += 1
    assert read > 100
    X, w, y = model()
    hessian = sb.hessian(CROSS_ENTROPIES["logarithms"](y, sb.let("z", X @ w)), w)
    assert str(hessian) == "z = X @ w\n(X.T*sigmoid(z)*(1 - sigmoid(z))) @ X"


W1, eta, beta = sb.tensor("W1", ("m", "n")), sb.tensor("eta"), sb.tensor("beta")
state = sb.tensor("v", ("m", "n"))
LOSS = sb.sum(sb.tanh(W1 @ x) ** 2)
SLOPE_OF_W1 = r"\frac{\partial \mathcal{L}}{\partial W_{1}}"


def test_an_update_is_printed_with_an_arrow_and_the_name_of_the_gradient():
    gradient = sb.grad(LOSS, W1)
    assert update_latex({W1: W1 - eta * gradient}) == rf"W_{{1}} \leftarrow W_{{1}} - \eta \cdot {SLOPE_OF_W1}"
    assert update_latex({W1: gradient}) == rf"W_{{1}} \leftarrow {SLOPE_OF_W1}"
    named = sb.grad(sb.let("L", LOSS), W1)
    assert update_latex({W1: W1 - named / 10}).endswith(r"- \frac{1}{10} \frac{\partial L}{\partial W_{1}}")


def lines_of(updates):
    text = update_latex(updates)
    check_latex(text)
    return [line.removesuffix(r" \\") for line in text.splitlines()[1:-1]]


def test_states_stand_before_what_needs_their_new_value():
    gradient = sb.grad(LOSS, W1)
    new = beta * state + gradient
    momentum = [rf"v &\leftarrow \beta v + {SLOPE_OF_W1}", r"W_{1} &\leftarrow W_{1} - \eta v"]
    for updates in ({W1: W1 - eta * new, state: new}, {state: new, W1: W1 - eta * new}):
        assert lines_of(updates) == momentum
    hat = sb.let("v_hat", new / (1 - beta), latex=r"\hat{v}")
    defined = [momentum[0], r"\hat{v} &= \frac{v}{1 - \beta}", r"W_{1} &\leftarrow W_{1} - \eta \hat{v}"]
    assert lines_of({W1: W1 - eta * hat, state: new}) == defined


def test_no_line_needs_a_value_that_is_gone():
    new = beta * state + sb.grad(LOSS, W1)
    first, second = lines_of({state: new, W1: W1 - eta * (new - state)})
    assert first == rf"W_{{1}} &\leftarrow W_{{1}} - \eta \left(\beta v + {SLOPE_OF_W1} - v\right)"
    assert second == rf"v &\leftarrow \beta v + {SLOPE_OF_W1}"
    assert update_latex({W1: state, state: W1}) == r"\left(W_{1}, v\right) \leftarrow \left(v, W_{1}\right)"
