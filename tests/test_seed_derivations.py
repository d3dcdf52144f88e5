"""The derivations of two texts, equation by equation, against lists written by hand.

First text: a network of two layers with the logistic function and half the squared distance, in matrix notation with
some lines by entries. Fourth text: the recursion over layers, for the error omega of each layer's output, with and
without lambda, which stands for omega times the slope (there: A1 to A3 and B1 to B3).

Only true equations are listed. Where the first text writes a derivative of a vector by a matrix as ``a_1^T``, by a
vector as 1, it has the true line by entries too, and that is what is printed.
"""

import pytest

import symback as sb


def first_network():
    x, y = sb.tensor("x", ("n",)), sb.tensor("y", ("m",))
    W_1, b_1 = sb.tensor("W_1", ("h", "n")), sb.tensor("b_1", ("h",))
    W_2, b_2 = sb.tensor("W_2", ("m", "h")), sb.tensor("b_2", ("m",))
    z_1 = sb.let("z_1", W_1 @ x + b_1)
    a_1 = sb.let("a_1", sb.sigmoid(z_1))
    z_2 = sb.let("z_2", W_2 @ a_1 + b_2)
    a_2 = sb.let("a_2", sb.sigmoid(z_2))
    loss = sb.let("L", sb.sum((a_2 - y) ** 2) / 2, latex=r"\mathcal{L}")
    return loss, [W_1, b_1, W_2, b_2]


def fourth_network(*, named):
    """Three layers, so that the first and the last are not the only ones."""
    phi = sb.tensor("x", ("n",), latex=r"\phi^{0}")
    y, sizes, wrt = sb.tensor("y", ("m",)), ("n", "h", "k", "m"), []
    for layer in (1, 2, 3):
        W = sb.tensor(f"W{layer}", (sizes[layer], sizes[layer - 1]), latex=f"W^{{{layer}}}")
        B = sb.tensor(f"B{layer}", (sizes[layer],), latex=f"B^{{{layer}}}")
        rho = W @ phi + B
        rho = sb.let(f"rho{layer}", rho, latex=rf"\rho^{{{layer}}}") if named else rho
        phi = sb.let(f"phi{layer}", sb.sigmoid(rho), latex=rf"\phi^{{{layer}}}")
        wrt += [W, B]
    return sb.let("C", sb.sum((phi - y) ** 2) / 2), wrt


def by(one, other):
    return rf"\frac{{\partial {one}}}{{\partial {other}}}"


def pairs(equations):
    """Every equality of a derivation: the left side with each of the others."""
    return {f"{equation.left.text} = {side.text}" for equation in equations for side in equation.sides}


def printed(derivation):
    return pairs([*derivation.forward, *(line for step in derivation.steps for line in step.equations)])


def brackets(text):
    """Round brackets as hands write them: they grow in print."""
    return text.replace("(", r"\left(").replace(")", r"\right)")


def slope(k):
    return brackets(rf"\sigma'(z_{{{k}}})")


L = r"\mathcal{L}"
FORWARD = [
    "z_{1} = W_{1} x + b_{1}",
    brackets(r"a_{1} = \sigma(z_{1})"),
    "z_{2} = W_{2} a_{1} + b_{2}",
    brackets(r"a_{2} = \sigma(z_{2})"),
    rf"{L} = \frac{{1}}{{2}} \lVert a_{{2}} - y \rVert^{{2}}",
]
STEPS = {
    "output activation": [
        rf"{by(L, '(a_{2})_{j}')} = \frac{{\partial}}{{\partial (a_{{2}})_{{j}}}} "
        r"\left(\frac{1}{2} \sum_{i} \left((a_{2})_{i} - y_{i}\right)^{2}\right)",
        rf"{by(L, '(a_{2})_{j}')} = (a_{{2}})_{{j}} - y_{{j}}",
        f"{by(L, 'a_{2}')} = a_{{2}} - y",
    ],
    "output pre-activation": [
        rf"{slope(2)} = {brackets('σ(z_{2})')} \odot {brackets('(1 - σ(z_{2}))')}".replace("σ", r"\sigma"),
        rf"{slope(2)} = a_{{2}} \odot {brackets('(1 - a_{2})')}",
        f"{by(L, 'z_{2}')} = {by(L, 'a_{2}')} {by('a_{2}', 'z_{2}')}",
        rf"{by(L, 'z_{2}')} = {brackets('(a_{2} - y)')} \odot {slope(2)}",
        rf"{by(L, 'z_{2}')} = {brackets('(a_{2} - y)')} \odot a_{{2}} \odot {brackets('(1 - a_{2})')}",
    ],
    "output weights and bias": [
        f"{by('(z_{2})_{i}', '(W_{2})_{ij}')} = (a_{{1}})_{{j}}",
        f"{by(L, 'W_{2}')} = {by(L, 'z_{2}')} {by('z_{2}', 'W_{2}')}",
        rf"{by(L, 'W_{2}')} = {by(L, 'z_{2}')} a_{{1}}^{{\top}}",
        f"{by(L, 'b_{2}')} = {by(L, 'z_{2}')} {by('z_{2}', 'b_{2}')}",
        f"{by('(z_{2})_{i}', '(b_{2})_{i}')} = 1",
        f"{by(L, 'b_{2}')} = {by(L, 'z_{2}')}",
    ],
    "hidden layer": [
        f"{by('(z_{2})_{i}', '(a_{1})_{j}')} = (W_{{2}})_{{ij}}",
        f"{by(L, 'a_{1}')} = {by(L, 'z_{2}')} {by('z_{2}', 'a_{1}')}",
        rf"{by(L, 'a_{1}')} = W_{{2}}^{{\top}} {by(L, 'z_{2}')}",
        rf"{slope(1)} = a_{{1}} \odot {brackets('(1 - a_{1})')}",
        f"{by(L, 'z_{1}')} = {by(L, 'a_{1}')} {by('a_{1}', 'z_{1}')}",
        rf"{by(L, 'z_{1}')} = {by(L, 'a_{1}')} \odot {slope(1)}",
        rf"{by(L, 'z_{1}')} = \left(W_{{2}}^{{\top}} {by(L, 'z_{2}')}\right) \odot {slope(1)}",
    ],
    "hidden weights and bias": [
        f"{by('(z_{1})_{i}', '(W_{1})_{ij}')} = x_{{j}}",
        f"{by(L, 'W_{1}')} = {by(L, 'z_{1}')} {by('z_{1}', 'W_{1}')}",
        rf"{by(L, 'W_{1}')} = {by(L, 'z_{1}')} x^{{\top}}",
        f"{by(L, 'b_{1}')} = {by(L, 'z_{1}')} {by('z_{1}', 'b_{1}')}",
        f"{by(L, 'b_{1}')} = {by(L, 'z_{1}')}",
    ],
}


def test_the_first_text_has_its_forward_pass_and_its_five_steps():
    derivation = sb.derive(*first_network())
    assert [str(equation) for equation in derivation.forward] == FORWARD
    found = printed(derivation)
    assert {step: [line for line in lines if line not in found] for step, lines in STEPS.items()} == {
        step: [] for step in STEPS
    }


def test_the_first_text_prints_nothing_but_its_lines_and_those_between():
    """Two lines more: the slopes put in where the text stops, and the first slope spelled out."""
    found = printed(sb.derive(*first_network()))
    listed = {*FORWARD, *(line for lines in STEPS.values() for line in lines)}
    assert sorted(found - listed) == sorted(
        [
            f"{by('(z_{1})_{i}', '(b_{1})_{i}')} = 1",
            rf"{by(L, 'z_{2}')} = {by(L, 'a_{2}')} \odot {slope(2)}",
            rf"{by(L, 'z_{1}')} = \left(W_{{2}}^{{\top}} {by(L, 'z_{2}')}\right) \odot a_{{1}} \odot "
            + brackets("(1 - a_{1})"),
            rf"{slope(1)} = {brackets('σ(z_{1})')} \odot {brackets('(1 - σ(z_{1}))')}".replace("σ", r"\sigma"),
        ]
    )


BY_COMPONENTS = [
    r"(z_{1})_{i} = \sum_{j} (W_{1})_{ij} x_{j} + (b_{1})_{i}",
    brackets(r"(a_{1})_{i} = \sigma((z_{1})_{i})")
    .replace(r"\left(a_{1}\right)", "(a_{1})")
    .replace(r"\left(z_{1}\right)", "(z_{1})"),
    rf"{L} = \frac{{1}}{{2}} \sum_{{i}} \left((a_{{2}})_{{i}} - y_{{i}}\right)^{{2}}",
    rf"{by(L, '(W_{2})_{ij}')} = \sum_{{k}} {by(L, '(z_{2})_{k}')} {by('(z_{2})_{k}', '(W_{2})_{ij}')}",
    rf"{by(L, '(W_{2})_{ij}')} = \sum_{{k}} {by(L, '(z_{2})_{k}')} \delta_{{ki}} (a_{{1}})_{{j}}",
    f"{by(L, '(W_{2})_{ij}')} = {by(L, '(z_{2})_{i}')} (a_{{1}})_{{j}}",
]


def test_the_first_text_by_components():
    found = printed(sb.derive(*first_network(), notation="index"))
    assert [line for line in BY_COMPONENTS if line not in found] == []


def test_the_first_text_ends_with_gradient_descent():
    page = sb.derive(*first_network(), update=sb.tensor("eta")).page()
    assert [str(line.left.text) for line in page.blocks[-1].equations] == [
        rf"{p} \leftarrow {p} - \eta \cdot {by(L, p)}" for p in ("W_{1}", "b_{1}", "W_{2}", "b_{2}")
    ]


def fourth(layer):
    """The names of a layer, as the text writes them."""
    names = {"W": "W", "B": "B", "phi": r"\phi", "rho": r"\rho", "omega": r"\omega", "lambda": r"\lambda"}
    return {name: f"{look}^{{{layer}}}" for name, look in names.items()}


def slope_of_layer(layer):
    return rf"\sigma'\left(\rho^{{{layer}}}\right)"


@pytest.mark.parametrize("layer", [1, 2, 3])
def test_the_forms_a_of_the_fourth_text(layer):
    """The error is written out wherever it is used; the slope has no symbol of its own."""
    loss, wrt = fourth_network(named=True)
    found = printed(sb.derive(loss, wrt, adjoint={"phi": r"\omega", "rho": None}, hadamard=r"\circ"))
    here, before = fourth(layer), fourth(layer - 1)
    error = rf"\left({here['omega']} \circ {slope_of_layer(layer)}\right)"
    wanted = [
        f"{by('C', here['B'])} = {error[6:-7]}",
        rf"{by('C', here['W'])} = {error} \left({before['phi']}\right)^{{\top}}",
        f"{here['omega']} = {by('C', here['phi'])}",
    ]
    if layer > 1:
        wanted.append(rf"{before['omega']} = \left({here['W']}\right)^{{\top}} {error}")
    assert [line for line in wanted if line not in found] == []


@pytest.mark.parametrize("layer", [1, 2, 3])
@pytest.mark.parametrize("named", [True, False])
def test_the_forms_b_of_the_fourth_text(layer, named):
    """With a name for rho its derivative is lambda; without, lambda is introduced because it is used more than once."""
    loss, wrt = fourth_network(named=named)
    letters = {"phi": r"\omega", "rho": r"\lambda"} if named else {"phi": r"\omega"}
    derivation = sb.derive(loss, wrt, adjoint=letters, hadamard=r"\circ")
    found = printed(derivation)
    here, before = fourth(layer), fourth(layer - 1)
    argument = here["rho"] if named else f"{here['W']} {before['phi']} + {here['B']}"
    wanted = [
        rf"{here['lambda']} = {here['omega']} \circ \sigma'\left({argument}\right)",
        f"{by('C', here['B'])} = {here['lambda']}",
        rf"{by('C', here['W'])} = {here['lambda']} \left({before['phi']}\right)^{{\top}}",
    ]
    if layer > 1:
        wanted.append(rf"{before['omega']} = \left({here['W']}\right)^{{\top}} {here['lambda']}")
    if layer < 3:
        above = fourth(layer + 1)
        product = rf"\left(\left({above['W']}\right)^{{\top}} {above['lambda']}\right)"
        wanted.append(rf"{here['lambda']} = {product} \circ \sigma'\left({argument}\right)")
    assert [line for line in wanted if line not in found] == []
    assert ("used more than once" in derivation.text()) is not named


@pytest.mark.parametrize("options", [{}, {"layout": "row"}, {"adjoint": "bar"}, {"notation": "index"}], ids=str)
def test_every_line_of_the_first_text_holds(options):
    sb.derive(*first_network(), **options).verify().raise_if_failed()


@pytest.mark.parametrize("named", [True, False])
def test_every_line_of_the_fourth_text_holds(named):
    sb.derive(*fourth_network(named=named), adjoint={"phi": r"\omega", "rho": None}).verify().raise_if_failed()
