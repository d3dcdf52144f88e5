"""Derivations: their text against golden files and line by line, and each equation against numbers."""

import shutil
import subprocess

import numpy as np
import pytest

import symback as sb
from golden import check_golden
from latex_syntax import check_latex
from symback import errors
from symback.check.evaluate import evaluate
from symback.derive import reverse
from symback.graph import toposort
from symback.latex.derivation import derive
from symback.latex.layout import Equation, width
from symback.nodes.apply import Named
from symback.nodes.leaves import Variable


def two_layer_network():
    x, y = sb.tensor("x", ("n",)), sb.tensor("y", ("m",))
    W1, b1 = sb.tensor("W1", ("h", "n")), sb.tensor("b1", ("h",))
    W2, b2 = sb.tensor("W2", ("m", "h")), sb.tensor("b2", ("m",))
    a1 = sb.let("a1", sb.sigmoid(sb.let("z1", W1 @ x + b1)))
    a2 = sb.let("a2", sb.sigmoid(sb.let("z2", W2 @ a1 + b2)))
    return sb.let("L", sb.sum((a2 - y) ** 2) / 2), [W1, b1, W2, b2]


def three_tanh_layers():
    u, t = sb.tensor("u", (4,)), sb.tensor("t", (2,))
    P, p = sb.tensor("P", (5, 4)), sb.tensor("p", (5,))
    Q, R = sb.tensor("Q", (3, 5)), sb.tensor("R", (2, 3))
    h = sb.let("h", sb.tanh(sb.let("g", P @ u + p)))
    v = sb.let("v", sb.tanh(sb.let("f", Q @ h)), latex=r"\hat{v}")
    o = sb.let("o", R @ v)
    return sb.let("E", sb.sum((t - o) ** 2)), [P, p, Q, R]


def residual_softmax():
    x, y = sb.tensor("x", ("n",)), sb.tensor("y", ("k",))
    W, V = sb.tensor("W", ("n", "n")), sb.tensor("V", ("k", "n"))
    g = sb.let("g", sb.relu(sb.let("r", W @ x)))
    s = sb.let("s", g + sb.tanh(sb.let("q", V.T @ y + g)))
    z = sb.let("z", V @ s)
    return sb.let("J", sb.logsumexp(z) - y @ z), [W, V]


def batch_of_examples():
    X, Y = sb.tensor("X", ("N", "n")), sb.tensor("Y", ("N", "m"))
    W1, b1 = sb.tensor("W1", ("h", "n")), sb.tensor("b1", ("h",))
    W2, b2 = sb.tensor("W2", ("m", "h")), sb.tensor("b2", ("m",))
    A1 = sb.let("A1", sb.sigmoid(sb.let("Z1", X @ W1.T + b1)))
    Z2 = sb.let("Z2", A1 @ W2.T + b2)
    return sb.let("L", sb.mean(sb.sum((Z2 - Y) ** 2, axis=1))), [W1, b1, W2, b2]


def ridge_without_names():
    X, w, y, c = sb.tensor("X", ("N", "n")), sb.tensor("w", ("n",)), sb.tensor("y", ("N",)), sb.tensor("lambda_")
    e = sb.let("e", X @ w - y)
    return e @ e + c * (w @ w), [w, c]


def circuit():
    x, y, z = sb.tensor("x"), sb.tensor("y"), sb.tensor("z")
    return sb.let("f", sb.let("q", x + y) * z), [x, y, z]


MODELS = [two_layer_network, three_tanh_layers, residual_softmax, batch_of_examples, ridge_without_names, circuit]
SIZES = {"n": 3, "h": 4, "m": 2, "k": 5, "N": 6}


def named(model):
    return pytest.mark.parametrize("model", model, ids=lambda make: make.__name__)


def draw(nodes, seed=0):
    """Random values for the variables of a graph; a target of the softmax sums to one like any other."""
    rng = np.random.default_rng(seed)
    variables = [node for node in toposort(nodes) if isinstance(node, Variable)]
    return {v: rng.normal(size=tuple(SIZES.get(str(size), size) for size in v.shape)) for v in variables}


def by(one, other):
    return rf"\frac{{\partial {one}}}{{\partial {other}}}"


def dL_by(name):
    return by("L", name)


def lines_of(model):
    loss, wrt = model()
    steps = derive(loss, wrt).steps
    return [str(found) for step in steps for found in (*(local.equation for local in step.local), step.equation)]


@named(MODELS)
def test_the_text_is_the_approved_one(model):
    check_golden(f"{model.__name__}.tex", derive(*model()).latex())


def test_the_network_of_the_first_text_gives_its_chain_of_equations():
    derivation = derive(*two_layer_network())
    assert [str(equation) for equation in derivation.forward] == [
        r"z_{1} = W_{1} x + b_{1}",
        r"a_{1} = \sigma\left(z_{1}\right)",
        r"z_{2} = W_{2} a_{1} + b_{2}",
        r"a_{2} = \sigma\left(z_{2}\right)",
        r"L = \frac{1}{2} \lVert a_{2} - y \rVert^{2}",
    ]
    z1, a1, z2, a2, W1, W2, b1, b2 = (f"{letter}_{{{k}}}" for letter, k in zip("zazaWWbb", "11221212", strict=True))
    assert lines_of(two_layer_network) == [
        rf"{dL_by(a2)} = a_{{2}} - y",
        r"\sigma'\left(z_{2}\right) = a_{2} \odot \left(1 - a_{2}\right)",
        rf"{dL_by(z2)} = {dL_by(a2)} {by(a2, z2)} = {dL_by(a2)} \odot \sigma'\left(z_{{2}}\right)"
        r" = \left(a_{2} - y\right) \odot a_{2} \odot \left(1 - a_{2}\right)",
        rf"{dL_by(W2)} = {dL_by(z2)} {by(z2, W2)} = {dL_by(z2)} a_{{1}}^{{\top}}",
        rf"{dL_by(b2)} = {dL_by(z2)} {by(z2, b2)} = {dL_by(z2)}",
        rf"{dL_by(a1)} = {dL_by(z2)} {by(z2, a1)} = W_{{2}}^{{\top}} {dL_by(z2)}",
        r"\sigma'\left(z_{1}\right) = a_{1} \odot \left(1 - a_{1}\right)",
        rf"{dL_by(z1)} = {dL_by(a1)} {by(a1, z1)} = {dL_by(a1)} \odot \sigma'\left(z_{{1}}\right)"
        rf" = \left(W_{{2}}^{{\top}} {dL_by(z2)}\right) \odot a_{{1}} \odot \left(1 - a_{{1}}\right)",
        rf"{dL_by(W1)} = {dL_by(z1)} {by(z1, W1)} = {dL_by(z1)} x^{{\top}}",
        rf"{dL_by(b1)} = {dL_by(z1)} {by(z1, b1)} = {dL_by(z1)}",
    ]


def test_other_functions_names_and_sizes():
    lines = lines_of(three_tanh_layers)
    assert r"\frac{\partial E}{\partial o} = -2 \left(t - o\right)" in lines
    assert r"\tanh'\left(g\right) = 1 - h^{\odot 2}" in lines
    assert r"\tanh'\left(f\right) = 1 - \hat{v}^{\odot 2}" in lines
    assert any(line.endswith(r"= \frac{\partial E}{\partial o} \hat{v}^{\top}") for line in lines)


def test_a_quantity_with_two_consumers_has_a_sum():
    lines = lines_of(residual_softmax)
    chain = (
        r"\frac{\partial J}{\partial g} = \frac{\partial J}{\partial s} \frac{\partial s}{\partial g}"
        r" + \frac{\partial J}{\partial q} \frac{\partial q}{\partial g}"
        r" = \frac{\partial J}{\partial s} + \frac{\partial J}{\partial q}"
    )
    assert chain in lines
    assert any(line.startswith(r"\operatorname{relu}'\left(r\right) = \left[r > 0\right]") for line in lines)


def test_a_batch_of_examples():
    lines = lines_of(batch_of_examples)
    assert r"\frac{\partial L}{\partial Z_{2}} = \frac{2}{N} \left(Z_{2} - Y\right)" in lines
    assert any(line.endswith(r"= \left(\frac{\partial L}{\partial Z_{1}}\right)^{\top} X") for line in lines)
    assert any(line.endswith(r"= \left(\frac{\partial L}{\partial Z_{1}}\right)^{\top} \mathbf{1}") for line in lines)


def test_a_loss_without_a_name_is_a_calligraphic_l_and_a_direct_dependence_is_marked():
    derivation = derive(*ridge_without_names())
    assert str(derivation.forward[-1]).startswith(r"\mathcal{L} = \lVert e \rVert^{2} + ")
    (by_w,) = [step for step in derivation.steps if step.quantity.short() == "w"]
    assert r"\left.\frac{\partial \mathcal{L}}{\partial w}\right|_{\text{direct}} + " in str(by_w.equation)


@named(MODELS)
def test_steps_come_in_the_order_of_the_pass_with_variables_behind_their_last_consumer(model):
    loss, wrt = model()
    steps = derive(loss, wrt).steps
    place = {step.quantity: k for k, step in enumerate(steps)}
    assert len(place) == len(steps)
    assert set(place) >= set(wrt)
    for step in steps:
        assert all(consumer is loss or place[consumer] < place[step.quantity] for consumer in step.consumers)
    between = [step.quantity.short() for step in derive(*two_layer_network()).steps]
    assert between == ["a2", "z2", "W2", "b2", "a1", "z1", "W1", "b1"]


@named(MODELS)
def test_every_equation_is_well_formed(model):
    derivation = derive(*model())
    check_latex(derivation.latex())
    check_latex(derivation._repr_latex_().strip("$"))
    for step in derivation.steps:
        check_latex(step.latex())
        assert step.equation.sides


@named(MODELS)
@pytest.mark.parametrize("seed", range(3))
def test_the_sides_of_each_step_agree_in_numbers(model, seed):
    loss, wrt = model()
    values = draw([loss], seed)
    for step in derive(loss, wrt).steps:
        adjoint, substituted = evaluate([step.adjoint, step.substituted], values)
        parts = evaluate(step.contributions, values)
        np.testing.assert_allclose(sum(parts), adjoint, rtol=1e-13, atol=1e-13)
        np.testing.assert_allclose(substituted, adjoint, rtol=1e-13, atol=1e-13)


@named(MODELS)
def test_local_derivatives_agree_with_differences(model):
    loss, wrt = model()
    values = draw([loss])
    for step in derive(loss, wrt).steps:
        for local in step.local:
            at, slope = evaluate([local.operand, local.partial], values)
            shifted = [evaluate(local.node, {**values, local.operand: at + h}) for h in (-1e-6, 1e-6)]
            np.testing.assert_allclose((shifted[1] - shifted[0]) / 2e-6, slope, rtol=1e-7, atol=1e-9)


@named(MODELS)
def test_the_chain_rule_holds_for_the_consumers_that_are_named(model):
    """Each adjoint is the sum over the consumers of their adjoint times the derivative by this quantity alone."""
    loss, wrt = model()
    derivation = derive(loss, wrt)
    values = draw([loss])
    adjoints = {loss: np.ones(()), **{s.quantity: evaluate(s.adjoint, values) for s in derivation.steps}}
    known = {node: evaluate(node, values) for node in toposort([loss]) if isinstance(node, (Named, Variable))}
    stand_ins = {node: sb.tensor(f"value_{node.name}", node.shape) for node in known}
    for step in derivation.steps:
        total = np.zeros_like(adjoints[step.quantity])
        for consumer in step.consumers:
            total = total + pulled_back(consumer, step.quantity, stand_ins, known, adjoints)
        np.testing.assert_allclose(total, adjoints[step.quantity], rtol=1e-12, atol=1e-13)


def pulled_back(consumer, quantity, stand_ins, known, adjoints):
    """The adjoint of a consumer times its derivative by one quantity, all other names held constant."""
    expression = consumer.operands[0] if isinstance(consumer, Named) else consumer
    closed = expression.xreplace({node: stand_ins[node] for node in known if node is not consumer})
    seed = sb.tensor("seed", consumer.shape)
    (result,) = reverse.vjp([closed], [stand_ins[quantity]], [seed])
    bound = {stand_ins[node]: value for node, value in known.items()} | {seed: adjoints[consumer]}
    needed = {node for node in toposort([result]) if isinstance(node, Variable)}
    sizes = {node: value for node, value in bound.items() if node in needed or node in (seed, stand_ins[quantity])}
    return evaluate(result, sizes)


@named(MODELS)
def test_the_gradients_are_those_of_the_pass(model):
    loss, wrt = model()
    assert list(derive(loss, wrt).gradients) == sb.grad(loss, wrt)


def test_the_record_says_which_rules_were_applied():
    steps = {step.quantity.short(): step for step in derive(*two_layer_network()).steps}
    assert steps["a2"].rules == ("sum", "product")
    assert steps["z2"].rules == ("sigmoid",)
    assert steps["W2"].rules == ("product", "sum")
    assert steps["z2"].consumers[0].short() == "a2"
    assert steps["a2"].consumers == (two_layer_network()[0],)


def test_one_variable_a_dict_and_intermediate_nodes():
    loss, wrt = two_layer_network()
    (z1,) = [node for node in toposort([loss]) if isinstance(node, Named) and node.name == "z1"]
    assert [s.quantity.short() for s in derive(loss, wrt[0]).steps] == ["a2", "z2", "a1", "z1", "W1"]
    assert [s.quantity.short() for s in derive(loss, {"z": z1}).steps] == ["a2", "z2", "a1", "z1"]
    x = sb.tensor("x", ("n",))
    unnamed = sb.exp(x)
    (step,) = derive(sb.let("L", sb.sum(unnamed * unnamed)), [unnamed]).steps
    assert str(step.equation) == r"\frac{\partial L}{\partial e^{x}} = 2 e^{x}"


def test_the_loss_itself_and_a_gradient_that_is_zero():
    x = sb.tensor("x", ("n",))
    loss = sb.let("L", sb.sum(x - x))
    by_loss, by_x = derive(loss, [loss, x]).steps
    assert str(by_loss.equation) == r"\frac{\partial L}{\partial L} = 1"
    assert str(by_x.equation) == r"\frac{\partial L}{\partial x} = \mathbf{0}"


def test_a_derivation_of_a_derivative():
    x, y = sb.tensor("x"), sb.tensor("y")
    first = sb.grad(sb.let("L", sb.sin(x) * y), x)
    (step,) = derive(first, [y]).steps
    assert str(step.equation).endswith(r"= \cos\left(x\right)")
    check_latex(derive(first, [x, y]).latex())


def test_long_expressions_are_named_where_they_are_used_first():
    A, x = sb.tensor("A", ("n", "n")), sb.tensor("x", ("n",))
    long = sb.tanh(A @ sb.sigmoid(A @ (x * x) - x) + sb.sigmoid(A @ x) * x)
    text = derive(sb.let("L", sb.sum(long * sb.exp(long))), [x]).latex()
    check_latex(text)
    assert text.count("t_{1} &= ") == 1
    assert text.index("t_{1} &= ") < text.index("L &= ")


def test_deep_graphs_do_not_recurse():
    x = sb.tensor("x")
    node = x
    for _ in range(5_000):
        node = sb.sin(node)
    for k in range(200):
        node = sb.let(f"v{k}", sb.sin(node))
    derivation = derive(node, [x])
    assert len(derivation.steps) == 200
    assert len(str(derivation)) < 300
    check_latex(derivation.latex())


def test_it_prints_as_a_summary():
    derivation = derive(*two_layer_network())
    assert str(derivation) == "Derivation of L by W1, b1, W2, b2 in 8 steps: a2, z2, W2, b2, a1, z1, W1, b1"
    assert repr(derivation) == str(derivation)
    assert derivation._repr_latex_().startswith("$\\displaystyle \\begin{aligned}\nz_{1} &= W_{1} x + b_{1} \\\\\n")


def test_long_chains_of_equalities_are_broken():
    short = Equation("x", ("a + b", "c"))
    assert short.lines() == ["x &= a + b = c"]
    long = Equation("x", ("a + " * 20 + "b", "c + " * 20 + "d"), (("t_{1}", "y"),))
    assert long.lines() == ["t_{1} &= y", "x &= " + "a + " * 20 + "b", "&= " + "c + " * 20 + "d"]
    assert width(r"\frac{\partial L}{\partial z_{2}} \odot \left(1 - a\right)") == len("dz2 o (1-a)".replace(" ", ""))


def test_notations_that_are_not_there_yet_are_refused():
    loss, wrt = circuit()
    with pytest.raises(errors.InputError, match="derive: notation='index' is not known; use 'matrix'"):
        derive(loss, wrt, notation="index")
    with pytest.raises(errors.InputError, match="derive: adjoint='bar' is not known; use 'leibniz'"):
        derive(loss, wrt, adjoint="bar")


def test_a_look_that_could_do_harm_is_refused_when_the_tensor_is_made():
    with pytest.raises(errors.InvalidNameError, match="is not allowed in a name"):
        sb.tensor("x", latex=r"\input{secret}")


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
@named(MODELS)
def test_it_compiles(model, tmp_path):
    head = "\\documentclass{article}\\usepackage{amsmath,amssymb}\\begin{document}\n"
    (tmp_path / "d.tex").write_text(head + derive(*model()).latex() + "\\end{document}\n")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "d.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
