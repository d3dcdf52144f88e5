"""Derivations: their text against golden files and line by line, and each equation against numbers."""

import re

import numpy as np
import pytest

import symback as sb
from golden import check_golden
from latex_syntax import check_latex
from symback import errors
from symback.check.evaluate import evaluate
from symback.derivation.derive import derive
from symback.derive import reverse
from symback.graph import toposort
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


def lines_of(model, **options):
    loss, wrt = model()
    return [str(equation) for step in derive(loss, wrt, **options).steps for equation in step.equations]


def adjoints_of(model, **options):
    loss, wrt = model()
    return [str(step.equation) for step in derive(loss, wrt, **options).steps]


@named(MODELS)
def test_the_text_is_the_approved_one(model):
    check_golden(f"{model.__name__}.tex", derive(*model()).latex())


def test_other_functions_names_and_sizes():
    lines = lines_of(three_tanh_layers)
    assert r"\frac{\partial E}{\partial o} = -2 \left(t - o\right)" in lines
    squared = r"\left(\tanh\left(g\right)\right)^{\odot 2}"
    assert rf"\tanh'\left(g\right) = 1 - {squared} = 1 - h^{{\odot 2}}" in lines
    assert any(line.endswith(r"1 - \hat{v}^{\odot 2}") for line in lines)
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
    check_latex(derivation._repr_latex_().strip("$"))
    for step in derivation.steps:
        assert step.equation.sides
        for equation in step.equations:
            check_latex(str(equation))


@named(MODELS)
@pytest.mark.parametrize("seed", range(3))
def test_the_sides_of_each_step_agree_in_numbers(model, seed):
    loss, wrt = model()
    values = draw([loss], seed)
    for step in derive(loss, wrt).steps:
        adjoint, substituted, simplified = evaluate([step.adjoint, step.substituted, step.simplified], values)
        parts = evaluate(step.contributions, values)
        np.testing.assert_allclose(sum(parts), adjoint, rtol=1e-13, atol=1e-13)
        np.testing.assert_allclose(substituted, adjoint, rtol=1e-13, atol=1e-13)
        np.testing.assert_allclose(simplified, adjoint, rtol=1e-13, atol=1e-13)


@named(MODELS)
def test_local_derivatives_agree_with_differences(model):
    loss, wrt = model()
    values = draw([loss])
    for step in derive(loss, wrt).steps:
        for local in [found for found in step.local if found.kind == "function"]:
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
    derivation = derive(sb.let("L", sb.sum(long * sb.exp(long))), [x])
    equations = [*derivation.forward, *(line for step in derivation.steps for line in step.equations)]
    made = [name.text for equation in equations for name, _ in equation.where]
    assert made
    assert made == [f"t_{{{k}}}" for k in range(1, len(made) + 1)]
    for place, equation in enumerate(equations):
        later = {name.text for after in equations[place + 1 :] for name, _ in after.where}
        assert not any(name in side.text for side in equation.sides for name in later)


def test_deep_graphs_do_not_recurse():
    x = sb.tensor("x")
    node = x
    for _ in range(1_000):
        node = sb.sin(node)
    for k in range(40):
        node = sb.let(f"v{k}", sb.sin(node))
    derivation = derive(node, [x])
    assert len(derivation.steps) == 40
    assert len(str(derivation)) < 300


def test_unnamed_derivatives_that_are_shared_are_named_each_and_written_once():
    x = node = sb.tensor("x", ("n",))
    for _ in range(12):
        node = sb.sin(sb.exp(node) + sb.cos(node))
    derivation = derive(sb.let("L", sb.sum(node)), [x])
    assert [step.auxiliary for step in derivation.steps] == [True] * 12 + [False]
    assert max(len(str(step.equation)) for step in derivation.steps) < 1200


def test_it_prints_as_a_summary():
    derivation = derive(*two_layer_network())
    assert str(derivation) == "Derivation of L by W1, b1, W2, b2 in 8 steps: a2, z2, W2, b2, a1, z1, W1, b1"
    assert repr(derivation) == str(derivation)
    assert derivation._repr_latex_().startswith("$\\displaystyle \\begin{aligned}\nz_{1} &= W_{1} x + b_{1} \\\\\n")


@pytest.mark.parametrize(
    ("option", "given", "known"),
    [("notation", "tensor", "'matrix'"), ("adjoint", "hat", "'leibniz'"), ("layout", "rows", "'column'"),
     ("hadamard", "*", "odot"), ("order", 3, "1")],
)  # fmt: skip
def test_options_that_are_not_known_are_refused(option, given, known):
    loss, wrt = circuit()
    message = f"derive: {option}={re.escape(repr(given))} is not known; use .*{known}"
    with pytest.raises(errors.InputError, match=message):
        derive(loss, wrt, **{option: given})


@pytest.mark.parametrize("layout", ["column", "row"])
@pytest.mark.parametrize(
    ("adjoint", "symbol"),
    [("leibniz", r"\frac{\partial f}{\partial q}"), ("bar", r"\bar{q}"), ("delta", r"\delta_{q}"), ({"q": "g"}, "g")],
)
def test_the_look_of_adjoints(adjoint, symbol, layout):
    loss, wrt = circuit()
    derivation = derive(loss, wrt, adjoint=adjoint, layout=layout)
    q, x = (next(s for s in derivation.steps if s.quantity.short() == name) for name in "qx")
    assert q.equation.left.text == symbol
    assert f"{symbol} " + r"\frac{\partial q}{\partial x}" in str(x.equation)
    assert derivation.verify().passed


@pytest.mark.parametrize(
    ("look", "adjoint", "symbol"),
    [(r"\phi^{3}", {"u": r"\omega"}, r"\omega^{3}"), ("z_{2}", {"u": r"\delta"}, r"\delta_{2}"),
     (r"\hat{v}", "bar", r"\overline{\hat{v}}"), ("z_{2}'", "bar", r"\bar{z}_{2}'"),
     ("z_{2}", "delta", r"\delta_{z_{2}}"), ("W_{1}", {"u1": "G"}, "G")],
)  # fmt: skip
def test_letters_keep_what_is_written_at_a_name(look, adjoint, symbol):
    x = sb.tensor("x", ("n",))
    u = sb.let("u1", sb.sin(x), latex=look)
    step = derive(sb.let("L", sb.sum(u * u)), [x], adjoint=adjoint).steps[0]
    assert step.equation.left.text == symbol


def test_a_letter_is_defined_at_its_first_use():
    loss, wrt = circuit()
    lines = [str(step.equation) for step in derive(loss, wrt, adjoint={"q": r"\lambda"}).steps]
    assert r"\lambda = \frac{\partial f}{\partial q} = z" in lines


def test_rows_run_from_left_to_right():
    loss, wrt = two_layer_network()
    found = {step.quantity.short(): str(step.equation) for step in derive(loss, wrt, layout="row").steps}
    z2 = r"\frac{\partial L}{\partial z_{2}}"
    assert rf"= {z2} W_{{2}} \operatorname{{diag}}\left(\sigma'\left(z_{{1}}\right)\right) =" in found["z1"]
    assert found["W2"].endswith(rf"= a_{{1}} {z2}")
    assert "numerator layout" in derive(loss, wrt, layout="row").text()


def test_a_shared_derivative_without_a_name_is_introduced_before_its_first_use():
    W, x, b = sb.tensor("W", ("m", "n")), sb.tensor("x", ("n",)), sb.tensor("b", ("m",))
    a = sb.let("a", sb.tanh(W @ x + b))
    derivation = derive(sb.let("L", sb.sum(a * a * a)), [W, b])
    assert [step.auxiliary for step in derivation.steps] == [False, True, False, False]
    defined = r"\lambda_{1} = \frac{\partial L}{\partial \left(W x + b\right)} = "
    assert str(derivation.steps[1].equation).startswith(defined)
    assert str(derivation.steps[2].equation).endswith(r"= \lambda_{1} x^{\top}")
    assert "is used more than once" in derivation.text()


def test_a_derivative_that_is_to_have_no_symbol_is_written_out_and_cannot_be_asked_for():
    loss, wrt = circuit()
    steps = derive(loss, wrt, adjoint={"q": None}).steps
    assert [step.quantity.short() for step in steps] == ["x", "y", "z"]
    (q,) = [node for node in toposort([loss]) if isinstance(node, Named) and node.name == "q"]
    with pytest.raises(errors.InputError, match="gives q no symbol"):
        derive(loss, [q], adjoint={"q": None})


def test_two_names_that_look_alike_are_refused():
    one, other = sb.tensor("a1", ("n",)), sb.tensor("a_1", ("n",))
    with pytest.raises(errors.InvalidNameError, match=r"a1 and a_1 both look like a_\{1\} in print; rename one"):
        derive(sb.sum(one * other), [one])


def softmax_regression(spelling):
    W, x, b, y = sb.tensor("W", ("k", "n")), sb.tensor("x", ("n",)), sb.tensor("b", ("k",)), sb.tensor("y", ("k",))
    z = sb.let("z", W @ x + b)
    p = sb.let("p", sb.softmax(z))
    return {
        "named": lambda: -sb.sum(y * sb.log(p)),
        "not named": lambda: -sb.sum(y * sb.log(sb.softmax(z))),
        "of logits": lambda: sb.cross_entropy(z, y),
        "of a label": lambda: sb.cross_entropy(z, sb.tensor("t", (), dtype="int64")),
        "both": lambda: sb.cross_entropy(z, y) + 0.5 * sb.sum((p - y) ** 2),
    }[spelling](), [W, b]


@pytest.mark.parametrize(
    ("spelling", "wanted"),
    [("named", r"\left(\mathbf{1}^{\top} y\right) p - y"),
     ("not named", r"\left(\mathbf{1}^{\top} y\right) \operatorname{softmax}\left(z\right) - y"),
     ("of logits", r"\operatorname{softmax}\left(z\right) - y")],
)  # fmt: skip
def test_softmax_and_cross_entropy_give_p_minus_y_where_that_is_true(spelling, wanted):
    """The sum of y is not known to be 1, unless the loss says so; that it would be p - y is said in words."""
    loss, wrt = softmax_regression(spelling)
    derivation = derive(sb.let("L", loss), wrt)
    assert derivation.steps[0].equation.sides[-1].text == wanted
    assert derivation.verify().passed
    if "named" in spelling:
        assert "log-softmax" in derivation.forward[-1].reasons
        p = "p" if spelling == "named" else r"\operatorname{softmax}\left(z\right)"
        assert r"Where $\mathbf{1}^{\top} y = 1$" in derivation.latex()
        assert f"this is ${p} - y$" in derivation.latex()


@pytest.mark.parametrize("rate", [sb.tensor("eta"), 0.1, 1])
def test_an_update_rule_behind_it(rate):
    loss, wrt = circuit()
    assert r"x \leftarrow x - " in derive(loss, wrt, update=rate).latex()
    with pytest.raises(errors.InputError, match="is no scalar; give a learning rate"):
        derive(loss, wrt, update=sb.tensor("e", ("n",)))


def test_a_look_that_could_do_harm_is_refused_when_the_tensor_is_made():
    with pytest.raises(errors.InvalidNameError, match="is not allowed in a name"):
        sb.tensor("x", latex=r"\input{secret}")


def evidence_bound():
    """The evidence bound of a variational autoencoder with linear maps; U is used in s alone."""
    x, noise = sb.tensor("x", ("n",)), sb.tensor("epsilon", ("k",))
    W, U, D = sb.tensor("W", ("k", "n")), sb.tensor("U", ("k", "n")), sb.tensor("D", ("n", "k"))
    mu, s = sb.let("mu", W @ x), sb.let("s", U @ x)
    z = sb.let("z", mu + sb.exp(s / 2) * noise)
    divergence = sb.let("K", -sb.sum(1 + s - mu**2 - sb.exp(s)) / 2)
    return sb.let("L", sb.sum((x - D @ z) ** 2) / 2 + divergence), [W, U, D]


def test_a_rule_on_some_terms_leaves_the_names_of_the_others():
    derivation = derive(*evidence_bound())
    step = next(step for step in derivation.steps if step.look == "U")
    assert [consumer.name for consumer in step.consumers] == ["s"]
    slope = next(
        local
        for step in derivation.steps
        for local in step.local
        if local.equation.left.text.startswith(r"\frac{\partial K}{\partial s")
    )
    assert slope.equation.left.text == r"\frac{\partial K}{\partial s_{i}}"
    assert str(slope.equation).endswith(r"= \frac{1}{2} e^{s_{i}} - \frac{1}{2}")
    assert derivation.verify().passed


def test_the_remark_on_labels_is_made_for_a_batch_too():
    X, W, Y = sb.tensor("X", ("N", "n")), sb.tensor("W", ("n", "k")), sb.tensor("Y", ("N", "k"))
    P = sb.let("P", sb.softmax(sb.let("Z", X @ W), axis=1))
    derivation = derive(sb.let("L", -sb.sum(Y * sb.log(P)) / sb.size("N")), [W])
    assert derivation.steps[0].remark == (
        r"Where $Y \mathbf{1} = \mathbf{1}$, as for probabilities and one-hot labels, this is "
        r"$\frac{1}{N} P - \frac{1}{N} Y$."
    )


def test_a_fraction_that_is_differentiated_is_enclosed():
    x, s, m = sb.tensor("x", ("n",)), sb.tensor("s", ("n",)), sb.tensor("m", ("n",))
    u = (x - m) / s
    text = derive(sb.sum(sb.exp(-(u**2)) * u), [m, s]).text()
    assert "∂((x − m)/s)/∂m" in text
    assert "∂(x − m)/s/∂m" not in text


def test_what_is_too_long_to_be_read_is_not_said_in_a_sentence():
    a, y = sb.tensor("a", ("n",)), sb.tensor("y", ("n",))
    looks = [sb.tensor(f"c{k}", ("n",), latex=rf"\mathrm{{coefficient}}_{{{k}}}") for k in range(9)]
    inner = sb.tanh(sum(c * a for c in looks))
    derivation = derive(sb.sum((inner * y + sb.sin(inner)) ** 2), looks)
    sentences = [block.text for block in derivation.page().blocks if hasattr(block, "text")]
    assert all(len(sentence) < 700 for sentence in sentences[5:])
    assert derivation.verify().passed


@pytest.mark.parametrize("notation", ["matrix", "index"])
def test_a_look_with_a_prime_takes_no_second_exponent(notation):
    x, s = sb.tensor("x", ("n",), latex="x'"), sb.tensor("s", latex="s'")
    text = derive(sb.let("L", s**2 * sb.sum(x**2), latex="L'"), [x, s], notation=notation).latex()
    assert r"\left(x'_{i}\right)^{2}" in text
    assert not re.search(r"'(_\{\w+\})?\^", text)
