"""Index notation: both seed texts line by line, and every line of other graphs held against numbers."""

import re

import numpy as np
import pytest

import models_derived as models
import networks
import random_graphs
import symback as sb
from symback.check.cases import cases_of
from symback.derivation.adjoints import AdjointLooks
from symback.derivation.components.index import IndexWriter
from symback.derivation.derive import derive
from symback.derivation.matrices.matrix import MatrixWriter
from symback.derivation.proof.verify import FAILED, UNCHECKED, verify
from symback.graph import toposort
from symback.op.table import PRIMITIVES

DIGITS = 20


def lines_of(derivation):
    """Every equation as one text, in the order of reading."""
    steps = [equation for step in derivation.steps for equation in step.equations]
    return [str(equation) for equation in (*derivation.forward, *steps)]


def check(derivation, at=None):
    """Hold every line against numbers; return how many were checked."""
    found = verify(derivation, at, digits=DIGITS)
    found.raise_if_failed()
    return found.count


# -- the seed texts ----------------------------------------------------------------------------------

TWO_LAYERS = r"""
(z_{1})_{i} = \sum_{j} (W_{1})_{ij} x_{j} + (b_{1})_{i}
(a_{1})_{i} = \sigma\left((z_{1})_{i}\right)
(z_{2})_{i} = \sum_{j} (W_{2})_{ij} (a_{1})_{j} + (b_{2})_{i}
(a_{2})_{i} = \sigma\left((z_{2})_{i}\right)
L = \frac{1}{2} \sum_{i} \left((a_{2})_{i} - y_{i}\right)^{2}
[L/(a_{2})_{j}] = [/(a_{2})_{j}] \left(\frac{1}{2} \sum_{i} \left((a_{2})_{i} - y_{i}\right)^{2}\right)
    = (a_{2})_{j} - y_{j}
[(a_{2})_{k}/(z_{2})_{i}] = [/(z_{2})_{i}] \sigma\left((z_{2})_{k}\right)
    = \delta_{ki} \sigma'\left((z_{2})_{i}\right)
\sigma'\left((z_{2})_{i}\right) = (a_{2})_{i} \left(1 - (a_{2})_{i}\right)
[L/(z_{2})_{i}] = \sum_{k} [L/(a_{2})_{k}] [(a_{2})_{k}/(z_{2})_{i}]
    = \sum_{k} [L/(a_{2})_{k}] \delta_{ki} \sigma'\left((z_{2})_{i}\right)
    = [L/(a_{2})_{i}] \sigma'\left((z_{2})_{i}\right)
    = \left((a_{2})_{i} - y_{i}\right) \sigma'\left((z_{2})_{i}\right)
    = \left((a_{2})_{i} - y_{i}\right) (a_{2})_{i} \left(1 - (a_{2})_{i}\right)
[(z_{2})_{k}/(W_{2})_{ij}] = [/(W_{2})_{ij}] \left(\sum_{l} (W_{2})_{kl} (a_{1})_{l} + (b_{2})_{k}\right)
    = \delta_{ki} (a_{1})_{j}
[L/(W_{2})_{ij}] = \sum_{k} [L/(z_{2})_{k}] [(z_{2})_{k}/(W_{2})_{ij}]
    = \sum_{k} [L/(z_{2})_{k}] \delta_{ki} (a_{1})_{j} = [L/(z_{2})_{i}] (a_{1})_{j}
[(z_{2})_{k}/(b_{2})_{i}] = [/(b_{2})_{i}] \left(\sum_{j} (W_{2})_{kj} (a_{1})_{j} + (b_{2})_{k}\right) = \delta_{ki}
[L/(b_{2})_{i}] = \sum_{k} [L/(z_{2})_{k}] [(z_{2})_{k}/(b_{2})_{i}] = \sum_{k} [L/(z_{2})_{k}] \delta_{ki}
    = [L/(z_{2})_{i}]
[(z_{2})_{k}/(a_{1})_{i}] = [/(a_{1})_{i}] \left(\sum_{j} (W_{2})_{kj} (a_{1})_{j} + (b_{2})_{k}\right) = (W_{2})_{ki}
[L/(a_{1})_{i}] = \sum_{k} [L/(z_{2})_{k}] [(z_{2})_{k}/(a_{1})_{i}] = \sum_{k} [L/(z_{2})_{k}] (W_{2})_{ki}
[(a_{1})_{k}/(z_{1})_{i}] = [/(z_{1})_{i}] \sigma\left((z_{1})_{k}\right)
    = \delta_{ki} \sigma'\left((z_{1})_{i}\right)
\sigma'\left((z_{1})_{i}\right) = (a_{1})_{i} \left(1 - (a_{1})_{i}\right)
[L/(z_{1})_{i}] = \sum_{k} [L/(a_{1})_{k}] [(a_{1})_{k}/(z_{1})_{i}]
    = \sum_{k} [L/(a_{1})_{k}] \delta_{ki} \sigma'\left((z_{1})_{i}\right)
    = [L/(a_{1})_{i}] \sigma'\left((z_{1})_{i}\right)
    = \sum_{k} (W_{2})_{ki} [L/(z_{2})_{k}] \sigma'\left((z_{1})_{i}\right)
    = \sum_{k} (W_{2})_{ki} [L/(z_{2})_{k}] (a_{1})_{i} \left(1 - (a_{1})_{i}\right)
[(z_{1})_{k}/(W_{1})_{ij}] = [/(W_{1})_{ij}] \left(\sum_{l} (W_{1})_{kl} x_{l} + (b_{1})_{k}\right)
    = \delta_{ki} x_{j}
[L/(W_{1})_{ij}] = \sum_{k} [L/(z_{1})_{k}] [(z_{1})_{k}/(W_{1})_{ij}] = \sum_{k} [L/(z_{1})_{k}] \delta_{ki} x_{j}
    = [L/(z_{1})_{i}] x_{j}
[(z_{1})_{k}/(b_{1})_{i}] = [/(b_{1})_{i}] \left(\sum_{j} (W_{1})_{kj} x_{j} + (b_{1})_{k}\right) = \delta_{ki}
[L/(b_{1})_{i}] = \sum_{k} [L/(z_{1})_{k}] [(z_{1})_{k}/(b_{1})_{i}] = \sum_{k} [L/(z_{1})_{k}] \delta_{ki}
    = [L/(z_{1})_{i}]
"""
"""What the first seed text derives, by hand; ``[L/x]`` is the derivative of L by x."""


def spelled(text):
    """Spell derivatives out that are written ``[L/x]``, and join continued lines."""
    whole = re.sub(r"\n +=", " =", text.strip())
    return re.sub(r"(?<!left)\[([^\[\]/]*)/([^\[\]]*)\]", _fraction, whole)


def _fraction(match):
    above, below = match.groups()
    return rf"\frac{{\partial{' ' + above if above else ''}}}{{\partial {below}}}"


def test_the_first_seed_is_derived_line_by_line():
    network = networks.two_layers()
    derivation = derive(network.loss, network.parameters, notation="index")
    assert lines_of(derivation) == spelled(TWO_LAYERS).splitlines()
    assert check(derivation)["passed"] == 47


def test_reasons_say_how_a_line_follows():
    network = networks.two_layers()
    step = {str(s.quantity.label.value[0]): s for s in derive(network.loss, network.parameters, notation="index").steps}
    assert step["W2"].equation.reasons == ("chain rule", "local derivative", "elimination of the Kronecker delta")
    assert [local.kind for local in step["z2"].local] == ["entries", "function"]


def test_the_fourth_seed_is_derived_by_its_letters():
    loss, wrt = models.layers_by_superscript()
    lines = lines_of(derive(loss, wrt, notation="index", adjoint={"phi": r"\omega"}))
    for wanted in (
        r"\rho^{2}_{i} = \sum_{j} W^{2}_{ij} \phi^{1}_{j} + B^{2}_{i}",
        r"\omega^{2}_{i} = \sum_{k} \frac{\partial C}{\partial \rho^{3}_{k}} \frac{\partial \rho^{3}_{k}}"
        r"{\partial \phi^{2}_{i}} = \sum_{k} \frac{\partial C}{\partial \rho^{3}_{k}} W^{3}_{ki}",
        r"\frac{\partial \phi^{2}_{k}}{\partial \rho^{2}_{i}} = \frac{\partial}{\partial \rho^{2}_{i}} "
        r"\sigma\left(\rho^{2}_{k}\right) = \delta_{ki} \sigma'\left(\rho^{2}_{i}\right)",
    ):
        assert wanted in lines
    short = next(line for line in lines if line.startswith(r"\frac{\partial C}{\partial \rho^{2}_{i}}"))
    assert r"= \omega^{2}_{i} \sigma'\left(\rho^{2}_{i}\right) =" in short


# -- other graphs ------------------------------------------------------------------------------------


def batch():
    X, W, b = sb.tensor("X", ("N", "d")), sb.tensor("W", ("d", "c")), sb.tensor("b", ("c",))
    Z = sb.let("Z", X @ W + b)
    return sb.let("L", sb.sum((Z - sb.tensor("Y", ("N", "c"))) ** 2)), [W, b]


def cumulative():
    x = sb.tensor("x", (4,))
    return sb.let("L", sb.sum(sb.exp(sb.let("y", sb.cumsum(x))))), [x]


def convolution():
    x, w = sb.tensor("x", (5,)), sb.tensor("w", (3,))
    return sb.let("L", sb.sum(sb.let("y", sb.convolve(x, w, mode="full")) ** 2)), [x, w]


def differences():
    x = sb.tensor("x", (5,))
    return sb.let("L", sb.sum(sb.let("y", x[1:] - x[:-1]) ** 4)), [x]


def gathered():
    E = sb.tensor("E", (5, 2))
    return sb.let("L", sb.sum(sb.let("h", E[np.array([0, 3, 3])]) ** 3)), [E]


def log_determinant():
    A, x = sb.tensor("A", (3, 3)), sb.tensor("x", (3,))
    return sb.let("L", sb.linalg.slogdet(A)[1] + x @ sb.linalg.solve(A, x)), [A]


def several_consumers():
    x = sb.tensor("x", ("n",))
    s = sb.let("s", sb.tanh(x))
    return sb.let("L", sb.sum(sb.let("u", s * s) * sb.exp(s))), [x]


def attention():
    Q, K, V = sb.tensor("Q", ("n", "d")), sb.tensor("K", ("m", "d")), sb.tensor("V", ("m", "p"))
    A = sb.let("A", sb.softmax(sb.let("S", Q @ K.T / sb.sqrt(sb.size("d"))), axis=1))
    return sb.let("L", sb.sum(sb.let("O", A @ V) ** 2) / 2), [Q, K, V]


def cross_entropy():
    z, y = sb.tensor("z", ("n",)), sb.tensor("y", ("n",))
    return sb.let("L", -sb.sum(y * sb.log_softmax(z))), [z]


def unnamed_inside():
    W, x = sb.tensor("W", ("m", "n")), sb.tensor("x", ("n",))
    return sb.let("L", sb.sum(sb.let("a", sb.tanh(W @ x)) ** 2)), [W, x]


def float32_with_a_scalar():
    x, s = sb.tensor("x", ("n", 1), dtype="float32"), sb.tensor("s", (), dtype="float32")
    return sb.let("L", sb.sum(sb.let("y", s * x) ** 3)), [x, s]


def large_constant():
    x = sb.tensor("x", (20,))
    return sb.let("L", sb.sum(sb.let("y", x * np.linspace(1, 2, 20)) ** 2)), [x]


def by_itself_and_by_name():
    x = sb.tensor("x", (3,))
    z = sb.exp(x)
    return sb.let("L", sb.sum(sb.let("v", z) ** 2 + sb.sin(z) + sb.where(x > 0.1, x, 0))), [x]


SAID = [
    (large_constant, r"= \delta_{ki} (C_{1})_{i}"),
    (by_itself_and_by_name, r"\right) = \cos\left(v_{j}\right) + 2 v_{j}"),
    (batch, r"Z_{ij} = \sum_{k} X_{ik} W_{kj} + b_{j}"),
    (batch, r"= \sum_{k,l} [L/Z_{kl}] \delta_{li} = \sum_{k} [L/Z_{ki}]"),
    (cumulative, r"[y_{k}/x_{i}] = [/x_{i}] \left(\sum_{j} x_{j} \left[j \leq k\right]\right) = \left[i \leq k\right]"),
    (convolution, r"= \sum_{k} [L/y_{k}] [y_{k}/x_{i}] = \left("),
    (differences, r"y_{i} = x_{i+1} - x_{i}"),
    (differences, r"= \delta_{i,k+1} - \delta_{ik}"),
    (gathered, r"[h_{kl}/E_{ij}]"),
    (log_determinant, r"= \left(A^{-1}\right)_{kj} - \left(A^{-\top} x\right)_{j} \left(A^{-1} x\right)_{k}"),
    (several_consumers, r"= \left.[L/s_{i}]\right|_{\text{direct}} + \sum_{k} [L/u_{k}] [u_{k}/s_{i}]"),
    (attention, r"A_{ij} = \frac{e^{S_{ij}}}{\sum_{k} e^{S_{ik}}}"),
    (attention, r"= \delta_{ki} \delta_{lj} A_{ij} - \delta_{ki} A_{il} A_{ij}"),
    (cross_entropy, r"\log\left(\sum_{j} e^{z_{j}}\right)"),
    (unnamed_inside, r"(\lambda_{1})_{i} x_{j}"),
    (float32_with_a_scalar, r"y_{i1} = s x_{i1}"),
]


@pytest.mark.parametrize("model", dict.fromkeys(model for model, _ in SAID), ids=lambda model: model.__name__)
def test_each_line_of_a_graph_holds_and_is_what_a_lecturer_writes(model):
    loss, wrt = model()
    derivation = derive(loss, wrt, notation="index")
    text = "\n".join(lines_of(derivation))
    for said in (said for other, said in SAID if other is model):
        assert spelled(said) in text
    assert not check(derivation)[UNCHECKED]


def test_what_has_no_form_by_entries_keeps_its_symbol_and_says_so():
    loss, wrt = convolution()
    derivation = derive(loss, wrt, notation="index")
    assert "keeps its symbol" in derivation.steps[-1].equation.reasons[0]
    assert not derivation.steps[-1].local


@pytest.mark.parametrize("name", sorted(name for name, p in PRIMITIVES.items() if p.differentiable))
def test_every_line_holds_for_each_primitive(name):
    cases = [case for case in cases_of(PRIMITIVES[name], "float64", 0) if case.wrt and case.node.dtype.kind == "f"]
    if not cases:
        pytest.skip("there is nothing to differentiate")
    y = sb.let("y_0", cases[0].node)
    found = verify(derive(sb.let("L", sb.sum(y**2)), list(cases[0].wrt), notation="index"), cases[0].point, digits=12)
    assert found.count["passed"]
    assert not found.count[FAILED], found


@pytest.mark.parametrize("seed", range(1, 9))
def test_every_line_holds_for_random_graphs(seed):
    (program,) = random_graphs.seeded_programs(1, seed)
    loss = sb.let("L", program.loss())
    used = set(toposort([loss]))
    wrt = [x for x in program.variables if x in used]
    found = verify(derive(loss, wrt, notation="index"), {x: program.point()[x] for x in wrt}, digits=DIGITS)
    assert found.count["passed"]
    assert not found.count[FAILED], found


LOOKS = {
    "bar": ("bar", r"(\bar{z}_{2})_{i} = "),
    "delta": ("delta", r"(\delta_{z_{2}})_{i} = "),
    "letters": ({"z": r"\gamma"}, r"(\gamma_{2})_{i} = "),
}


@pytest.mark.parametrize("case", LOOKS)
def test_adjoints_have_the_look_that_was_asked_for(case):
    style, wanted = LOOKS[case]
    network = networks.two_layers()
    derivation = derive(network.loss, network.parameters, notation="index", adjoint=style)
    assert any(line.startswith(wanted) for line in lines_of(derivation))
    check(derivation)


def test_letters_of_indices_are_no_names_and_the_text_is_always_the_same():
    i, j = sb.tensor("i", ("k", "k")), sb.tensor("j", ("k",))
    derivation = derive(sb.let("L", sb.sum(sb.let("l", i @ j) ** 2)), [i, j], notation="index")
    assert lines_of(derivation)[0] == r"l_{m} = \sum_{p} i_{mp} j_{p}"
    assert lines_of(derivation) == lines_of(derive(derivation.loss, [i, j], notation="index"))
    check(derivation)


def test_a_deep_graph_is_written_without_recursion():
    x = sb.tensor("x", ("n",))
    y = x
    for _ in range(1100):
        y = sb.sin(y)
    assert lines_of(derive(sb.let("L", sb.sum(y)), [x], notation="index"))


def test_local_derivatives_are_written_where_they_are_not_zero():
    network = networks.two_layers()
    made = derive(network.loss, network.parameters, notation="index").record
    matrix = MatrixWriter(made, AdjointLooks(made.loss))
    components = IndexWriter(matrix, lambda output, wrt: sb.jacobian(output, wrt)).components
    pairs = [(consumer, q.node) for q in made.quantities for consumer in q.consumers]
    assert [str(components.local_entries(*pair)) for pair in pairs[2:5]] == [
        spelled(r"[(z_{2})_{i}/(W_{2})_{ij}] = (a_{1})_{j}"),
        spelled(r"[(z_{2})_{i}/(b_{2})_{i}] = 1"),
        spelled(r"[(z_{2})_{i}/(a_{1})_{j}] = (W_{2})_{ij}"),
    ]
