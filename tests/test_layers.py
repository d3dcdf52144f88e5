"""Layers stated once: each instance is the general equation with a number put in, and what differs stands alone."""

import re
import time

import pytest

import symback as sb
from symback.derivation.text.layers import layer_letter, stated
from symback.page.blocks import Display, Equation, Formula

LETTERS = ("l", r"\ell")


def equation(text):
    left, *sides = text.split(" = ")
    return Equation(Formula(left), tuple(map(Formula, sides)))


def printed(lines, letter="l"):
    """State groups of equations, given as texts with a semicolon between those of one group."""
    groups = [[equation(text) for text in line.split("; ")] for line in lines]
    return ["; ".join(map(str, found.equations)) for found in stated(groups, letter)]


def run(line, numbers):
    """Write a line for each number: ``<l-1>`` is the number before."""
    return [re.sub(r"<(.*?)>", lambda part, at=number: str(eval(part.group(1), {"l": at})), line) for number in numbers]


HOLDS = r", \quad l = "
NETWORK = ["z_{1} = W_{1} x", *run("a_{<l-1>} = s(z_{<l-1>})|z_{<l>} = W_{<l>} a_{<l-1>}", range(2, 6)), "L = a_{6}"]
CASES = {
    "first and last layer": (
        [part for line in NETWORK for part in line.split("|")],
        [rf"z_{{l}} = W_{{l}} a_{{l-1}}{HOLDS}2, \dots, 5", rf"a_{{l}} = s(z_{{l}}){HOLDS}1, \dots, 4"],
    ),
    "backwards": (
        run(r"d_{<l>} = W_{<l+1>}^{\top} d_{<l+1>}", range(9, 0, -1)),
        [rf"d_{{l}} = W_{{l+1}}^{{\top}} d_{{l+1}}{HOLDS}9, \dots, 1"],
    ),
    "several equations in a group, indexed by the last": (
        run("s'(z_{<l>}) = c_{<l>}; d_{<l+1>} = s'(z_{<l>})", range(1, 5)),
        [rf"s'(z_{{l-1}}) = c_{{l-1}}{HOLDS}2, \dots, 5; d_{{l}} = s'(z_{{l-1}}){HOLDS}2, \dots, 5"],
    ),
    "residual network": (
        run("a_{<l>} = a_{<l-1>} + f(a_{<l-1>})", (1, 2, 3)),
        [f"a_{{l}} = a_{{l-1}} + f(a_{{l-1}}){HOLDS}1, 2, 3"],
    ),
    "exponents as looks": (
        run(r"\phi^<l> = W^{(<l>)} \phi^{<l-1>}", range(2, 7)),
        [rf"\phi^{{l}} = W^{{(l)}} \phi^{{l-1}}{HOLDS}2, \dots, 6"],
    ),
    "auxiliary names count on their own": (
        run("a_{<l>} = t_{<21-l>} u_{<2*l>}", range(20, 0, -1)),
        [rf"a_{{l}} = t_{{21-l}} u_{{2 l}}{HOLDS}20, \dots, 1"],
    ),
    "numbers that are none of a layer": (
        run(r"a_{<l>} = \frac{1}{2} W_{<l>}^{2} b_{3} h_{i,<l>} 7", range(4, 8)),
        [rf"a_{{l}} = \frac{{1}}{{2}} W_{{l}}^{{2}} b_{{3}} h_{{i,l}} 7{HOLDS}4, \dots, 7"],
    ),
    "a layer that differs": (
        [line.replace("f(a_{4})", "g(a_{4})") for line in run("a_{<l>} = f(a_{<l-1>})", range(1, 10))],
        [rf"a_{{l}} = f(a_{{l-1}}){HOLDS}1, \dots, 4, 6, \dots, 9", "a_{5} = g(a_{4})"],
    ),
    "every other layer": (
        run("a_{<l>} = f(a_{<l-2>})", range(2, 12, 2)),
        [rf"a_{{l}} = f(a_{{l-2}}){HOLDS}2, 4, \dots, 10"],
    ),
    "two networks": (
        [*run("e_{<l>} = f(e_{<l-1>})", (1, 2, 3)), "m = e_{3}", *run("d_{<l>} = g(d_{<l-1>})", (7, 6, 5))],
        [f"e_{{l}} = f(e_{{l-1}}){HOLDS}1, 2, 3", "m = e_{3}", f"d_{{l}} = g(d_{{l-1}}){HOLDS}7, 6, 5"],
    ),
}  # fmt: skip
ALONE = {
    "two layers": run("a_{<l>} = f(a_{<l-1>})", (1, 2)),
    "factors": run("a_{<l>} = <l> b", (1, 2, 3, 4)),
    "names that end in digits": run(r"\mathrm{a<l>} = b", (1, 2, 3, 4)),
    "numbers with a point": run("a = b_{<l>.5}", (1, 2, 3, 4)),
    "squares": run("a_{<l>} = b_{<l*l>}", (1, 2, 3, 4)),
    "nothing changes": ["a_{1} = b_{1}"] * 4,
}


@pytest.mark.parametrize("case", CASES)
def test_layers_are_stated_once(case):
    given, wanted = CASES[case]
    found = printed(given)
    assert [line for line in found if line in wanted] == wanted
    assert set(found) - set(wanted) <= set(given)


@pytest.mark.parametrize("case", ALONE)
def test_what_is_no_layer_stays_as_it_is(case):
    assert printed(ALONE[case]) == ALONE[case]
    given = CASES["first and last layer"][0]
    assert printed(given, None) == given


def test_what_stands_beside_an_equation_belongs_to_it():
    pairs = [(k, "by the rule" if k < 4 else "otherwise") for k in range(1, 7)]
    lines = [
        Equation(
            Formula(f"a_{{{k}}}"), (Formula("b"),), ((Formula(f"t_{{{k}}}"), Formula("c")),), (why,), f"of $z_{{{k}}}$"
        )
        for k, why in pairs
    ]
    first, second = stated([[line] for line in lines], "l")
    assert [first.places, second.places] == [(0, 1, 2), (3, 4, 5)]
    assert first.equations[0].where == ((Formula("t_{l}"), Formula("c")),)
    assert (first.equations[0].reasons, first.equations[0].note) == (("by the rule",), "of $z_{l}$")


@pytest.mark.parametrize(
    ("texts", "letter"),
    [
        (["z_{1}"], "l"),
        (["a_{kl}"], r"\ell"),
        ([r"\operatorname{l}", r"\lambda", r"\mathrm{l}"], "l"),
        (["l", r"\ell"], "s"),
    ],
)
def test_the_index_is_a_letter_that_nothing_has(texts, letter):
    assert layer_letter(texts) == letter


def test_without_a_free_letter_nothing_is_stated_once():
    assert layer_letter([r"l \ell s r q \nu \tau \iota"]) is None


def test_a_thousand_layers_take_no_time():
    lines = [
        text
        for line in run("z_{<l>} = W_{<l>} a_{<l-1>}|a_{<l>} = s(z_{<l>})", range(1, 3001))
        for text in line.split("|")
    ]
    begun = time.perf_counter()
    assert len(printed(lines)) == 2
    assert time.perf_counter() - begun < 3


def network(layers, residual=False, looks=False):
    """Return the loss and the parameters of a network with as many layers."""
    sizes = ["d"] * (layers + 1) if residual else ["d", *(f"h_{k}" for k in range(1, layers)), "m"]
    a, wrt = sb.tensor("x", (sizes[0],)), []
    for k in range(1, layers + 1):
        look = {name: rf"{name}^{{{k}}}" if looks else None for name in ("W", "B", r"\rho", r"\phi")}
        W = sb.tensor(f"W_{k}", (sizes[k], sizes[k - 1]), latex=look["W"])
        b = sb.tensor(f"b_{k}", (sizes[k],), latex=look["B"])
        h = sb.sigmoid(sb.let(f"rho_{k}", W @ a + b, latex=look[r"\rho"]))
        a = sb.let(f"phi_{k}", a + h if residual else h, latex=look[r"\phi"])
        wrt += [W, b]
    return sb.let("L", sb.sum((a - sb.tensor("y", (sizes[-1],))) ** 2) / 2), wrt


def lines_of(derivation, **options):
    return [
        line for block in derivation.page(**options).blocks if isinstance(block, Display) for line in block.equations
    ]


def put(text, letter, index):
    """Put a number in the place of the index of layers."""
    text = text.partition(r", \quad ")[0]
    place = rf"(?<=[{{(,])(?:(\d+)-)?(?:(\d+) )?{re.escape(letter)}([+-]\d+)?(?=[}}),])"

    def number(found):
        less, times, more = (int(part) if part else None for part in found.groups())
        return str(less - (times or 1) * index if less is not None else (times or 1) * index + (more or 0))

    return re.sub(place, number, text)


LOOKS = [
    {},
    {"adjoint": "bar"},
    {"adjoint": "delta", "layout": "row"},
    {"notation": "index"},
    {"adjoint": {"phi": r"\omega", "rho": r"\lambda"}, "hadamard": r"\circ"},
]


@pytest.mark.parametrize("options", LOOKS, ids=str)
@pytest.mark.parametrize("kind", [{}, {"residual": True}, {"looks": True}], ids=str)
def test_each_layer_is_the_one_that_is_stated_with_its_number(kind, options):
    derivation = sb.derive(*network(5, **kind), **options)
    groups = [[line] for line in derivation.forward] + [step.equations for step in derivation.steps]
    texts = [[part.text for part in (line.left, *line.sides)] for group in groups for line in group]
    letter = layer_letter(text for line in texts for text in line)
    found = stated(groups, letter)
    assert sorted(place for each in found for place in each.places) == list(range(len(groups)))
    assert len(found) < len(groups) / 2
    for each in found:
        for row, line in enumerate(each.equations):
            shown = [part.text for part in (line.left, *line.sides)]
            _, _, holds = shown[-1].partition(rf"{letter} = ")
            first = int(holds.split(",")[0]) if holds else 0
            step = -1 if holds and int(holds.split(",")[-1]) < first else 1
            for count, place in enumerate(each.places):
                given = groups[place][row]
                index = first + step * count
                assert [put(text, letter, index) for text in shown] == [
                    part.text for part in (given.left, *given.sides)
                ]


def test_twenty_layers_are_a_short_text_and_all_of_it_on_request():
    derivation = sb.derive(*network(20), update=0.1)
    short, whole = lines_of(derivation), lines_of(derivation.expanded())
    assert len(short) <= 24
    assert [str(line) for line in whole[: len(derivation.forward)]] == [str(line) for line in derivation.forward]
    backward = [str(line) for step in derivation.steps for line in step.equations]
    assert [str(line) for line in whole[len(derivation.forward) : -40]] == backward
    assert str(short[-2]).endswith(r"\frac{\partial L}{\partial W_{l}}, \quad l = 1, \dots, 20")
    assert len(derivation.latex()) < len(derivation.expanded().latex()) / 4
    assert r"$b_{l} \in \mathbb{R}^{h_{l}}$ for $l = 1, \dots, 19$" in derivation.markdown().replace("`", "")
    for form in (derivation.text, derivation.markdown, derivation.html):
        assert len(form().splitlines()) < 200


def test_the_forms_of_the_fourth_text_hold_for_every_layer():
    derivation = sb.derive(*network(8, looks=True), adjoint={"phi": r"\omega", "rho": r"\lambda"}, hadamard=r"\circ")
    text = "\n".join(str(line) for line in lines_of(derivation))
    top = r"\top"
    for part in (
        r"\rho^{l} = W^{l} \phi^{l-1} + B^{l}, \quad l = 2, \dots, 8",
        rf"\left(W^{{l+1}}\right)^{{{top}}} \lambda^{{l+1}}, \quad l = 7, \dots, 1",
        r"\omega^{l} \circ \sigma'\left(\rho^{l}\right)",
        rf"\lambda^{{l}} \left(\phi^{{l-1}}\right)^{{{top}}}, \quad l = 8, \dots, 2",
    ):
        assert part in text


def test_verification_checks_each_layer_and_notes_the_worst():
    derivation = sb.derive(*network(3))
    report = derivation.verify()
    assert report.passed
    assert len(report.lines) > len(lines_of(derivation))
    assert all(line.note for line in lines_of(derivation, verified=report))


def unnamed(layers, *, residual):
    """A network in which nothing has a name, as one writes it in a loop."""
    a, y = sb.tensor("a0", ("n",)), sb.tensor("y", ("n",))
    wrt = []
    for k in range(1, layers + 1):
        W, b = sb.tensor(f"W{k}", ("n", "n")), sb.tensor(f"b{k}", ("n",))
        step = sb.tanh(W @ a + b)
        a = a + step if residual else step
        wrt += [W, b]
    return sb.sum((a - y) ** 2) / 2, wrt


@pytest.mark.parametrize("residual", [False, True])
def test_a_deep_network_without_names_gets_a_name_for_each_layer(residual):
    derivation = sb.derive(*unnamed(20, residual=residual))
    lines = [str(line) for line in lines_of(derivation)]
    last = r"\mathcal{L} = \frac{1}{2} \lVert " + (r"t_{38} + t_{39} - y" if residual else "t_{20} - y")
    general = r"t_{2 l-1} = \tanh\left(W_{l} t_{2 l-2} + b_{l}\right)" if residual else r"W_{l} t_{l-1} + b_{l}\right)"
    assert any(line.startswith(last) for line in lines)
    assert any(general in line and r"l = 2, \dots, 20" in line for line in lines)
    assert len(derivation.text().splitlines()) < 100
    assert derivation.verify().passed
    assert derivation.text(verified=True).count("residual") >= 8


def test_a_network_that_a_reader_follows_gets_no_names():
    for layers in (2, 3, 4):
        forward = sb.derive(*unnamed(layers, residual=False)).forward
        assert not any(line.where for line in forward), layers


def test_what_stands_between_the_layers_comes_in_its_place():
    x, y = sb.tensor("x", (3,)), sb.tensor("y", (3,))
    a, wrt = x, []
    for k in (1, 2, 3):
        W, b = sb.tensor(f"W{k}", (3, 3)), sb.tensor(f"b{k}", (3,))
        a = sb.let(f"a{k}", sb.tanh(sb.let(f"z{k}", W @ a + b)))
        wrt += [W, b]
    lines = [line.left.text for line in lines_of(sb.derive(sb.let("L", sb.sum((a - y) ** 2) / 2), wrt))]
    assert lines[:7] == ["z_{1}", "a_{1}", "z_{2}", "a_{2}", "z_{3}", "a_{3}", "L"]
