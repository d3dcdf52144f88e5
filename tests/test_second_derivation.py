"""Hessians derived in closed form: lines as in a textbook, each line by numbers, the blocks against `sb.hessian`."""

from dataclasses import replace

import numpy as np
import pytest

import symback as sb
from latex_syntax import check_latex
from symback import errors
from symback.check.evaluate import evaluate
from symback.graph import toposort
from symback.nodes.leaves import Variable
from symback.page.blocks import Display, Heading, Paragraph

SIZES = {"n": 3, "d": 2, "m": 2, "k": 2, "h": 3}


def data(*sizes):
    """Return X, w and y for a linear model."""
    n, d = sizes or ("n", "d")
    return sb.tensor("X", (n, d)), sb.tensor("w", (d,)), sb.tensor("y", (n,))


def logistic():
    X, w, y = data()
    p = sb.let("p", sb.sigmoid(sb.let("z", X @ w)))
    return sb.let("L", -sb.sum(y * sb.log(p) + (1 - y) * sb.log(1 - p))), [w]


def ridge():
    X, w, y = data()
    r = sb.let("r", X @ w - y)
    c = sb.tensor("lambda_")
    return sb.let("L", r @ r / 2 + c / 2 * (w @ w)), [c, w]


def factorisation():
    T, U, V = sb.tensor("T", ("n", "m")), sb.tensor("U", ("n", "k")), sb.tensor("V", ("m", "k"))
    return sb.let("L", sb.sum(sb.let("R", T - U @ V.T) ** 2)), [U, V]


def two_layers():
    x, y = sb.tensor("x", ("d",)), sb.tensor("y", ("m",))
    W1, b1, W2 = sb.tensor("W1", ("h", "d")), sb.tensor("b1", ("h",)), sb.tensor("W2", ("m", "h"))
    a1 = sb.let("a1", sb.sigmoid(sb.let("z1", W1 @ x + b1)))
    return sb.let("L", sb.sum((sb.let("z2", W2 @ a1) - y) ** 2) / 2), [W1, b1, W2]


def without_names():
    X, w, y = data()
    return sb.sum(sb.tanh(X @ w - y) ** 2), w


def through_a_number():
    v, w = sb.tensor("v", ("d",)), sb.tensor("w", ("d",))
    return sb.exp(v @ w), [v, w]


def apart():
    w, y = sb.tensor("w", ("d",)), sb.tensor("y", ("n",))
    return sb.let("L", sb.sum(sb.exp(w)) + y @ y), {"w": w, "y": y}


def nested():
    X, w, _ = data()
    z = sb.let("z", X @ w)
    return sb.let("L", sb.sum(sb.tanh(z) ** 2)), [z, w]


def attention():
    Q, K, V = (sb.tensor(name, ("n", "d")) for name in "QKV")
    return sb.let("L", sb.sum(sb.softmax(Q @ K.T, axis=1) @ V)), Q


def determinant():
    A = sb.tensor("A", ("n", "n"))
    return sb.let("L", sb.linalg.slogdet(A)[1] + sb.trace(A @ A)), A


def batch():
    X, W, b = sb.tensor("X", ("n", "d")), sb.tensor("W", ("h", "d")), sb.tensor("b", ("h",))
    return sb.let("L", sb.mean(sb.tanh(sb.let("Z", X @ W.T + b)) ** 2)), [W, b]


def single(dtype="float32"):
    X, w = sb.tensor("X", (1, 3), dtype=dtype), sb.tensor("w", (3,), dtype=dtype)
    return sb.let("L", sb.sum(sb.sin(X @ w))), w


def nothing():
    X, w, y = data(0, 2)
    return sb.let("L", sb.sum((X @ w - y) ** 2)), w


MODELS = [
    logistic, ridge, factorisation, two_layers, without_names, through_a_number, apart, nested, attention, determinant,
    batch, single, nothing,
]  # fmt: skip
every_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)


def lines(derivation):
    return [str(line) for step in derivation.second for line in step.equations]


def by(one, other):
    return rf"\frac{{\partial {one}}}{{\partial {other}}}"


def twice(row, column=None):
    column = row if column is None else column
    return rf"\frac{{\partial^{{2}} L}}{{\partial {row} \partial {column}^{{\top}}}}"


def vec(look):
    return rf"\operatorname{{vec}}\left({look}\right)"


def chain(*sides):
    return " = ".join(sides)


SLOPE = r"\operatorname{diag}\left(p \odot \left(1 - p\right)\right)"
H1 = twice("z_{1}")
W1 = vec("W_{1}")
TEXTBOOK = {
    logistic: [
        chain(by("z", "w"), "X"),
        chain(by("p", "w"), f"{SLOPE} {by('z', 'w')}", f"{SLOPE} X"),
        chain(twice("z", "w"), by("p", "w"), f"{SLOPE} X"),
        chain(twice("w"), rf"X^{{\top}} {twice('z', 'w')}", rf"X^{{\top}} {SLOPE} X"),
    ],
    ridge: [
        r"\frac{\partial^{2} L}{\partial \lambda^{2}} = 0",
        r"\frac{\partial^{2} L}{\partial w \partial \lambda} = w",
        chain(by("r", "w"), "X"),
        chain(twice("r", "w"), by("r", "w"), "X"),
        chain(twice("w"), rf"\lambda I + X^{{\top}} {twice('r', 'w')}", r"\lambda I + X^{\top} X"),
    ],
    factorisation: [
        chain(by(vec("R"), vec("U")), r"-I \otimes V"),
        chain(twice(vec("R"), vec("U")), rf"2 {by(vec('R'), vec('U'))}", r"-2 I \otimes V"),
        chain(
            twice(vec("U")), rf"-\left(I \otimes V^{{\top}}\right) {twice(vec('R'), vec('U'))}",
            r"\left(I \otimes V^{\top}\right) \left(2 I \otimes V\right)", r"2 I \otimes V^{\top} V",
        ),
    ],
    two_layers: [
        chain(by("z_{1}", W1), r"I \otimes x^{\top}"),
        chain(
            twice(W1), rf"\left({by('z_{1}', W1)}\right)^{{\top}} {H1} {by('z_{1}', W1)}",
            rf"\left(I \otimes x\right) {H1} \left(I \otimes x^{{\top}}\right)", rf"{H1} \otimes x x^{{\top}}",
        ),
        chain(by("z_{2}", vec("W_{2}")), r"I \otimes a_{1}^{\top}"),
        chain(
            twice("b_{1}"), rf"\left({by('z_{1}', 'b_{1}')}\right)^{{\top}} {H1} {by('z_{1}', 'b_{1}')}", H1,
        ),
    ],
}  # fmt: skip


@pytest.mark.parametrize("model", TEXTBOOK, ids=lambda model: model.__name__)
def test_the_lines_are_those_of_a_textbook(model):
    found = lines(sb.derive(*model(), order=2))
    assert [line for line in found if line in TEXTBOOK[model]] == TEXTBOOK[model]


@every_model
def test_every_line_holds_in_30_digits_and_prints_in_every_form(model):
    derivation = sb.derive(*model(), order=2)
    report = derivation.verify()
    assert report.passed
    assert set(report.count) == {"passed"}
    assert len(report.lines) >= sum(len(line.sides) for step in derivation.second for line in step.equations)
    for step in derivation.second:
        for line in step.equations:
            for formula in (line.left, *line.sides):
                assert formula.meaning is not None
                check_latex(formula.text)
    for form in (derivation.latex, derivation.markdown, derivation.html, derivation.text):
        assert form()


@every_model
def test_the_blocks_are_those_of_the_hessian(model):
    loss, wrt = model()
    nodes = list(wrt.values()) if isinstance(wrt, dict) else wrt if isinstance(wrt, list) else [wrt]
    random = np.random.default_rng(0)
    at = {
        leaf: random.normal(size=[SIZES.get(str(size), size) for size in leaf.shape]).astype(leaf.dtype)
        for leaf in toposort([loss])
        if isinstance(leaf, Variable)
    }
    derivation = sb.derive(loss, wrt, order=2)
    found = {(step.row.name, step.column.name): step.value for step in derivation.second}
    wanted = sb.hessian(loss, nodes, disconnected="zero")
    shown = 0
    for one, row in zip(nodes, wanted, strict=True):
        for other, block in zip(nodes, row, strict=True):
            if (one.name, other.name) in found:
                shown += 1
                value = evaluate(found[one.name, other.name], at)
                np.testing.assert_allclose(value, evaluate(block, at), rtol=1e-5, atol=1e-6)
            else:
                assert (other.name, one.name) in found
    assert shown >= len(nodes) * (len(nodes) + 1) / 2


def test_a_wrong_line_is_found():
    derivation = sb.derive(*logistic(), order=2)
    (step,) = derivation.second
    line = step.equation
    wrong = replace(line, sides=(*line.sides[:-1], step.jacobians[0].sides[0]))
    planted = replace(derivation, second=(replace(step, equation=wrong),))
    assert not planted.verify().passed
    with pytest.raises(errors.VerificationError, match="does not hold"):
        planted.latex(verified=True)


def test_what_is_differentiated_twice_must_be_the_gradient():
    derivation = sb.derive(*logistic(), order=2)
    (step,) = derivation.second
    row, column, gradient = step.equation.left.meaning.data
    meaning = step.equation.left.meaning._replace(data=(row, column, 2 * gradient))
    wrong = replace(step.equation, left=step.equation.left._replace(meaning=meaning))
    planted = replace(derivation, second=(replace(step, equation=wrong),))
    with pytest.raises(errors.VerificationError, match="is not the derivative of the loss by w"):
        planted.verify().raise_if_failed()


def test_the_page_says_why_a_block_is_a_congruence_and_what_is_left_out():
    blocks = sb.derive(*two_layers(), order=2).page().blocks
    start = blocks.index(Heading("Second derivatives"))
    words = " ".join(block.text for block in blocks[start:] if isinstance(block, Paragraph))
    assert "$L$ depends on $W_{1}$ and $b_{1}$ through $z_{1}$ alone, which is affine in both:" in words
    assert "the transposes of those that are" in words
    assert "row by row" in words
    assert all(block.equations for block in blocks[start:] if isinstance(block, Display))
    assert Heading("By $b_{1}$ and $W_{2}$", 2) in blocks[start:]


def test_a_number_that_all_goes_through_gets_a_name():
    derivation = sb.derive(*through_a_number(), order=2)
    assert str(derivation.forward[0]) == r"z = v^{\top} w"
    assert any(r"\frac{\partial^{2} \mathcal{L}}{\partial z^{2}}" in line for line in lines(derivation))


def test_the_second_derivatives_have_the_looks_of_the_first_pass():
    X, w, y = data()
    loss = sb.let("L", sb.sum(sb.let("r", X @ w - y) ** 3))
    derivation = sb.derive(loss, w, order=2, adjoint="bar", hadamard=r"\circ")
    assert derivation.verify().passed
    assert not any(r"\odot" in line for line in lines(derivation))


def test_the_gradient_alone_has_no_second_pass():
    derivation = sb.derive(*logistic())
    assert derivation.second == ()
    assert Heading("Second derivatives") not in derivation.page().blocks


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"order": 3}, errors.InputError, "order"),
        ({"order": 2, "notation": "index"}, errors.InputError, "matrix notation only"),
    ],
)
def test_what_is_not_written_is_refused(options, error, words):
    with pytest.raises(error, match=words):
        sb.derive(*logistic(), **options)


def test_an_array_that_is_no_matrix_is_refused():
    T = sb.tensor("T", (2, 2, 2))
    with pytest.raises(errors.DerivativeError, match=r"T of shape \(2, 2, 2\) has more than two axes"):
        sb.derive(sb.sum(T**2), T, order=2)
