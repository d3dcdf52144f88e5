import contextlib
import re
import sys
from fractions import Fraction

import numpy as np
import pytest
import sympy

import symback as sb
from latex_syntax import check_latex
from latex_value import as_matrix, latex_value
from symback import errors
from symback.check.evaluate import evaluate
from symback.latex.functions import derivative_term
from symback.latex.printer import Printer, latex
from symback.latex.terms import ATOM, PRODUCT, RELATION, SUM, Term
from symback.nodes.add import add
from symback.nodes.leaves import exact, exact_from_sympy
from symback.nodes.looks import checked_look, latex_name
from symback.nodes.node import METHODS
from symback.op.table import PRIMITIVES

A = sb.tensor("A", ("n", "n"))
B = sb.tensor("B", ("n", "n"))
X = sb.tensor("X", ("N", "n"))
W = sb.tensor("W1", ("m", "n"))
T = sb.tensor("T", ("N", "n", "n"))
U = sb.tensor("U", ("n", "m", "n"))
u = sb.tensor("u", ("n",))
v = sb.tensor("v", ("n",))
w = sb.tensor("w", ("N",))
r = sb.tensor("r", ("n",))
s = sb.tensor("s")
q = sb.tensor("q")
a = sb.let("a", u + v)

KRON = sb.einsum("ik,jl->ijkl", A, B) + sb.einsum("ik,jl->ijkl", B, A)

PRODUCTS = {
    r"W_{1} v": W @ v,
    r"W_{1}^{\top} b": W.T @ sb.tensor("b", ("m",)),
    r"A^{\top} v": v @ A,
    r"A B v": A @ (B @ v),
    r"A B": A @ B,
    r"\left(A B\right)^{\top}": (A @ B).T,
    r"A^{\top} B^{\top}": A.T @ B.T,
    r"A \left(A + B\right)": A @ (A + B),
    r"A \left(u \odot v\right)": A @ (u * v),
    r"\left(A u\right) \odot v": (A @ u) * v,
    r"u \odot v": u * v,
    r"u \odot v \odot r": u * (v * r),
    r"u^{\odot 2}": u * u,
    r"u^{\odot 2} \odot v": (u * v) * u,
    r"\left(u + v\right)^{\odot 2}": (u + v) ** 2,
    r"s q": s * q,
    r"s^{2} q": s * q * s,
    r"\left(s + q\right) q": (s + q) * q,
    r"s v": s * v,
    r"2 s u \odot v": 2 * s * (u * v),
    r"\left(u^{\top} v\right) r": (u @ v) * r,
    r"u^{\top} v": u @ v,
    r"u^{\top} A v": u @ (A @ v),
    r"v^{\top} A u": (v @ A) @ u,
    r"\left(A u\right)^{\top} v": (A @ u) @ v,
    r"\lVert u - v \rVert^{2}": sb.sum((u - v) ** 2),
    r"\lVert r \rVert^{2}": r @ r,
    r"\frac{1}{2} \lVert r \rVert^{2}": sb.sum(r**2) / 2,
    r"\lVert A - B \rVert_F^{2}": sb.sum(sb.sum((A - B) ** 2, axis=1)),
    r"\langle A, B \rangle_F": sb.sum(A * B),
    r"\operatorname{tr}\left(A B\right)": sb.trace(A @ B),
    r"\operatorname{tr}\left(A\right)": sb.trace(A),
    r"\operatorname{diag}\left(A\right)": sb.diagonal(A),
    r"\operatorname{diag}\left(u + v\right)": sb.diag(u + v),
    r"u v^{\top}": sb.outer(u, v),
    r"3 s u v^{\top}": 3 * s * sb.outer(u, v),
    r"v u^{\top}": sb.outer(u, v).T,
    r"a^{\top} v": a @ v,
    r"I": sb.eye("n"),
    r"3 I": 3 * sb.eye("n"),
    r"\mathbf{1}": sb.ones(("n",)),
    r"\mathbf{1} \mathbf{1}^{\top}": sb.ones(("n", "m")),
    r"\mathbf{0}": sb.zeros(("n", "n")),
    r"\mathbf{1}^{\top} v": sb.sum(v),
    r"\mathbf{1}^{\top} X \mathbf{1}": sb.sum(X),
    r"\mathbf{1}^{\top} A^{\odot 3} \mathbf{1}": sb.sum(A * A * A),
    r"X^{\top} \mathbf{1}": sb.sum(X, axis=0),
    r"X \mathbf{1}": sb.sum(X, axis=1),
    r"\mathbf{1}^{\top} X": sb.sum(X, axis=0, keepdims=True),
    r"\frac{1}{3} v": v / 3,
    r"-A v": -(A @ v),
    r"-\left(u + v\right)": -(u + v),
    r"0.1 v": 0.1 * v,
    r"10^{-5} v": 1e-5 * v,
    r"2.5 \cdot 10^{-7} v": 2.5e-7 * v,
    r"n v": sb.size("n") * v,
    r"\frac{2}{N} v": 2 * (v * (1 / sb.size("N"))),
    r"X + \mathbf{1} v^{\top}": X + v,
    r"v + s \mathbf{1}": v + s,
    r"1 - v": 1 - v,
    r"u - 2 v": u - 2 * v,
    r"v - u": -u + v,
    r"u - \left(v + r\right)": u - (v + r),
    r"X \operatorname{diag}\left(v\right)": X * v,
    r"\operatorname{diag}\left(w\right) X": X * w[:, None],
    r"s \left(A \odot B\right) \operatorname{diag}\left(u \odot v\right)": A * B * u * s * v,
    r"X v": sb.sum(X * v, axis=1),
    r"X \operatorname{diag}\left(\left[v > 0\right]\right)": X * (v > 0),
    r"A \odot B": A * B,
    r"X^{\top} \operatorname{diag}\left(w\right) X": sb.einsum("ij,i,ik->jk", X, w, X),
    r"A \operatorname{diag}\left(u \odot v\right) B": sb.einsum("ij,j,j,jk->ik", A, u, v, B),
    r"\operatorname{tr}\left(A \operatorname{diag}\left(u\right) B\right)": sb.einsum("ij,j,ji->", A, u, B),
    r"2 \operatorname{diag}\left(A u\right)": sb.diag(2 * A @ u),
    r"A \otimes B": sb.einsum("ik,jl->ijkl", A, B),
    r"\left(A \otimes B^{\top}\right) \mathbf{K}": sb.einsum("il,kj->ijkl", A, B),
    r"\left(A \otimes B + B \otimes A\right)^{\top}": sb.transpose(KRON, (2, 3, 0, 1)),
    r"\mathbf{K} \left(A \otimes B + B \otimes A\right)": sb.transpose(KRON, (1, 0, 2, 3)),
    r"v \mathbf{1}^{\top} + \mathbf{1} u^{\top}": v[:, None] + u[None, :],
    r"u \odot \left[v > 0\right]": u * (v > 0),
    r"\left[\sum_{l} T_{ijl} T_{ilk}\right]_{ijk}": T @ T,
    r"\left[\sum_{j} U_{jij}\right]_{i}": sb.einsum("iji->j", U),
    r"\left[\sum_{k} U_{iki} \left(W_{1}\right)_{kj}\right]_{ij}": sb.einsum("iki,kj->ij", U, W),
    r"I \otimes I": sb.jacobian(2 * A, A) / 2,
    r"2 A^{\top} A": sb.hessian(sb.sum((A @ v) ** 2), v),
}
FUNCTIONS = {
    r"\sigma\left(W_{1} v\right)": sb.sigmoid(W @ v),
    r"\log\left(s\right)": sb.log(s),
    r"e^{u + v}": sb.exp(u + v),
    r"\left(e^{s}\right)^{3}": sb.exp(s) ** 3,
    r"s^{q}": s**q,
    r"\left(s + q\right)^{3}": (s + q) ** 3,
    r"v^{\odot 3}": v**3,
    r"\frac{u + v}{s}": (u + v) / s,
    r"\frac{X}{\mathbf{1} v^{\top}}": X / v,
    r"\sqrt{s}": s**0.5,
    r"\left|v\right|": abs(v),
    r"\max\left(u, v\right)": sb.maximum(u, v),
    r"\operatorname{relu}\left(v\right)": sb.relu(v),
    r"u + v > 0": u + v > 0,
    r"\left[u > 0\right] \wedge \left[v > 0\right]": sb.logical_and(u > 0, v > 0),
    r"\log\left(1 + \left(-s\right)\right)": sb.log1p(-s),
    r"\left(\begin{cases} u & v > 0 \\ 0 & \text{otherwise} \end{cases}\right) \odot v": sb.where(v > 0, u, 0) * v,
    r"\left(u + v\right)_{1:}": (u + v)[1:],
    r"\operatorname{flip}\left(u + v\right)": (u + v)[::-1],
    r"\left(u + v\right)_{n}": (u + v)[-1],
    r"\max\left(v\right)": sb.max(v),
    r"\begin{bmatrix} u \\ v \end{bmatrix}": sb.concatenate([u, v]),
    r"2 \left(u + v\right)": sb.astype(u + v, "float32") * 2,
    r"v_{1:}": v[1:],
    r"v * \operatorname{flip}\left(W_{1} v\right)": sb.convolve(v, (W @ v)[::-1]),
    r"A^{-\top} u": sb.linalg.solve(A.T, u),
    r"A^{-\top}": sb.linalg.inv(A).T,
    r"A^{-1}": sb.linalg.inv(A.T).T,
    r"\left(A^{-\top} B^{-1}\right)^{\top}": sb.linalg.solve(A.T, sb.linalg.inv(B)).T,
    r"\frac{\lVert v \rVert^{2}}{2 N}": sb.sum(v**2) / (2 * sb.size("N")),
    r"-\frac{s}{3 q}": -s / (3 * q),
    r"\frac{1}{2} \frac{s}{q + r_{1:2}}": s / (2 * (q + r[1:2])),
    r"\frac{1}{2 \left(s + q\right)}": sb.divide(exact(0.5), s + q),
}

NUMBERS = {
    "1": exact(1),
    "-2": exact(-2),
    r"\frac{1}{3}": exact(Fraction(1, 3)),
    r"-\frac{7}{12}": exact(Fraction(-7, 12)),
    "0.1": exact(0.1),
    r"\frac{1}{6.283185307179586}": exact(1 / Fraction(6.283185307179586)),
    r"\frac{1}{2}": exact(0.5),
    "3": exact(3.0),
    r"\infty": exact(float("inf")),
    r"-\infty": exact(float("-inf")),
    r"\mathrm{NaN}": exact(float("nan")),
    "-0.0": exact(-0.0),
    r"\pi": exact_from_sympy(sympy.pi),
    r"-\sqrt{2}": exact_from_sympy(-sympy.sqrt(2)),
    r"2 \pi v": 2 * sympy.pi * v,
    r"\begin{bmatrix} 1 \\ \frac{1}{2} \end{bmatrix}": sb.constant([1.0, 0.5]),
    r"\begin{bmatrix} 1 & 2 \\ 3 & 4 \end{bmatrix}": sb.constant([[1, 2], [3, 4]]),
    r"\mathrm{true}": sb.constant(True),
}


@pytest.mark.parametrize(("text", "node"), [*PRODUCTS.items(), *FUNCTIONS.items(), *NUMBERS.items()])
def test_nodes_print_in_matrix_notation(text, node):
    assert latex(node) == text
    check_latex(text)


def test_the_sign_before_a_sum_is_that_of_the_whole():
    assert Term("a + b", SUM, True).signed() == r"-\left(a + b\right)"
    assert Term("a b", PRODUCT, True).signed() == "-a b"


def test_names_print_by_their_look():
    assert latex(sb.let("z1", u + v)) == "z_{1}"
    assert latex(sb.let("z1", u + v, latex=r"\hat{z}") * 2) == r"2 \hat{z}"
    assert latex(sb.tensor("alpha_out")) == r"\alpha_{\mathrm{out}}"
    assert latex(sb.tensor("x", ("n",), latex="x^{(1)}") @ v) == r"\left(x^{(1)}\right)^{\top} v"


@pytest.mark.parametrize(
    ("name", "look"),
    [
        ("x_1_2", "x_{1,2}"),
        ("theta", r"\theta"),
        ("lambda_", r"\lambda"),
        ("W1b", r"\mathrm{W1b}"),
        ("loss", r"\mathrm{loss}"),
        ("a__b", r"\mathrm{a\_\_b}"),
    ],
)
def test_identifiers_have_a_look(name, look):
    assert latex_name(name) == look
    check_latex(look)


@pytest.mark.parametrize(
    "look",
    [
        r"\hat{\theta}_{1}",
        "W^{(1)}",
        "x'",
        "a_1^2",
        r"\mathcal{L}",
        r"\mathbf{x}_{\text{in}}",
        r"\frac{a}{b}",
        r"100\%",
    ],
)
def test_harmless_looks_are_printed_as_given(look):
    assert latex(sb.tensor("x", latex=look)) == look


@pytest.mark.parametrize(
    ("look", "reason"),
    [
        (r"\input{/etc/passwd}", "is not allowed"),
        (r"\write18{ls}", "is not allowed"),
        (r"\def\x{y}", "is not allowed"),
        (r"\catcode`\%=12", "is not allowed"),
        (r"\csname input\endcsname", "is not allowed"),
        (r"^^5cinput", "is not allowed"),
        (r"\left(x", "is not allowed"),
        (r"\begin{x}", "is not allowed"),
        ("a%b", "is not allowed"),
        ("a&b#c", "is not allowed"),
        ("a#b", "is not allowed"),
        ("$x$", "is not allowed"),
        ("a~b", "is not allowed"),
        ("x\\", "is not allowed"),
        (r"a\\b", "is not allowed"),
        ("a\nb", "is not allowed"),
        ("θ", "is not allowed"),
        ("", "is empty"),
        ("{a", "not closed"),
        ("a}", "not opened"),
        ("a}{b", "not opened"),
        (r"\frac{a}", r"write both arguments of \frac in braces"),
        (r"\frac{\frac{a}}{c}", r"write both arguments of \frac in braces"),
        ("a_", "nothing follows '_'"),
        ("{a_}", "nothing follows '_'"),
        ("a^_b", "nothing follows '^'"),
        ("a^b^c", "twice"),
        ("a_b_c", "twice"),
        ("a'^2", "twice"),
        (r"\hat", "in braces"),
        (r"a^\hat{b}", "in braces"),
        (r"\text{a_b}", "upright text"),
    ],
)
def test_looks_that_could_do_harm_are_refused(look, reason):
    with pytest.raises(errors.InvalidNameError, match=re.escape(reason)) as caught:
        latex(sb.tensor("x", latex=look) + 1)
    assert "latex=" in str(caught.value)
    assert r"\hat{\theta}_{1}" in str(caught.value)


def test_a_checked_look_may_use_its_exponent_again_in_the_next_letter():
    assert checked_look("a^2b^2{c_1}_2") == "a^2b^2{c_1}_2"


def operand(name, shape, *, dtype="float64", low=0, high=0):
    """Make the operand of an example; values are of no interest here."""
    return sb.tensor(name, shape, dtype=dtype)


@pytest.mark.parametrize("name", PRIMITIVES)
def test_every_primitive_prints_balanced(name):
    declared = PRIMITIVES[name]
    if declared.kind == "structural":
        nodes = [example(operand) for example in declared.examples]
    else:
        operands = [sb.tensor(f"x{k}", ("n",)) for k in range(declared.arity)]
        nodes = [
            METHODS[name](*operands),
            METHODS[name](*[x + 1 for x in operands]),
            METHODS[name](*[-x for x in operands]),
        ]
    for node in nodes:
        for shown in (node, 2 * sb.astype(node, "float64") + 1, -sb.astype(node, "float64")):
            check_latex(latex(shown))


def test_derivatives_of_named_functions_have_a_prime():
    z = Term("z", RELATION)
    assert derivative_term(PRIMITIVES["tanh"], z).signed() == r"\tanh'\left(z\right)"
    assert derivative_term(PRIMITIVES["exp"], z) is None
    assert derivative_term(PRIMITIVES["divide"], z) is None
    assert derivative_term(PRIMITIVES["reshape_to"], z) is None


def test_parts_are_enclosed_only_where_they_bind_too_loosely():
    printer = Printer()
    assert printer.within(u + v, ATOM) == r"\left(u + v\right)"
    assert printer.within(v, ATOM) == "v"
    assert printer.within(v > 0, ATOM) == r"\left[v > 0\right]"


def test_an_expression_under_a_name_is_printed_by_it_and_opened_on_request():
    y = sb.sigmoid(u)
    printer = Printer({y: "y"})
    assert printer.write(y * (1 - y)) == r"y \odot \left(1 - y\right)"
    assert printer.define(y) == r"\sigma\left(u\right)"
    assert printer.write(y) == "y"


def test_index_letters_avoid_the_names_in_the_graph():
    i, k = sb.tensor("i", ("N", "n", "n")), sb.tensor("k", ("N", "n", "n"))
    text = latex(i @ k)
    assert text == r"\left[\sum_{p} i_{jlp} k_{jpm}\right]_{jlm}"


def test_a_shared_long_part_gets_a_name_of_its_own():
    long = sb.tanh(A @ (u * v) + B @ sb.sigmoid(A @ u - v) + r)
    text = latex(long * long + sb.exp(long))
    check_latex(text)
    assert text.startswith("\\begin{aligned}\nt_{1} &= \\tanh")
    assert text.endswith("& t_{1}^{\\odot 2} + e^{t_{1}}\n\\end{aligned}")
    taken = sb.tensor("t1", ("n",))
    assert "t_{2} &= " in latex(long * long * taken + sb.exp(long))


def test_a_large_constant_gets_a_name():
    text = latex(sb.constant(np.zeros((100, 3))) @ sb.tensor("x", (3,)))
    check_latex(text)
    assert r"C_{1} &= \text{a constant array of shape } (100, 3)" in text
    assert text.endswith("& C_{1} x\n\\end{aligned}")


def test_a_deep_chain_and_a_deep_diamond_print_short():
    chain, diamond = s, v
    for _ in range(100_000):
        chain = sb.sin(chain)
    for _ in range(1000):
        diamond = diamond * diamond + diamond
    assert sys.getrecursionlimit() < 100_000
    for node in (chain, diamond):
        text = latex(node)
        check_latex(text)
        assert len(text) < 12_000
        assert r"\cdots" in text or r"\vdots" in text


def test_a_long_sum_is_cut_with_dots():
    text = latex(add(*[sb.tensor(f"x{k}") for k in range(100)]))
    assert text.startswith("x_{0} + x_{1} + ")
    assert text.endswith(r" + \cdots + x_{99}")


def test_sympy_prints_nodes_by_the_same_text():
    node = sb.sigmoid(W @ v)
    assert sympy.latex(node) == latex(node)
    assert latex(node) in sympy.latex([node, sympy.Symbol("x")])
    assert node._repr_latex_() == rf"$\displaystyle {latex(node)}$"


@pytest.mark.parametrize(
    "text", ["{", "a_b_c", "a^{2}^{3}", r"\left(a", r"\foo", "a & b", r"\begin{cases} a", "%", r"a^{b_{1}_{2}}"]
)
def test_the_checker_itself_finds_faults(text):
    with pytest.raises(AssertionError):
        check_latex(text)


def products_at_random(seed):
    """A small graph of sums and products of square matrices, vectors and scalars, all of size 3."""
    rng = np.random.default_rng(seed)
    leaves = {
        name: sb.tensor(name, shape) for name, shape in zip("ABuvws", [(3, 3)] * 2 + [(3,)] * 3 + [()], strict=True)
    }
    pool = list(leaves.values())
    for _ in range(rng.integers(1, 6)):
        one, other = (pool[rng.integers(len(pool))] for _ in range(2))
        with contextlib.suppress(errors.ShapeError):
            made = combined(one, other, rng)
            pool += [] if made is None else [made]
    return leaves, pool[-1]


def combined(one, other, rng):
    """Combine two nodes by an operation drawn at random, if it fits."""
    kind = rng.integers(9)
    if kind == 0:
        return one * other if len(one.shape) + len(other.shape) < 5 else None
    if kind == 1:
        return one - 2 * other
    if kind == 2 and one.shape and other.shape:
        return one @ other
    if kind == 3 and one.ndim == other.ndim == 1:
        return sb.outer(one, other)
    if kind == 4 and one.shape:
        return sb.sum(one, axis=int(rng.integers(one.ndim)), keepdims=bool(rng.integers(2)))
    if kind == 5 and one.shape == (3, 3):
        return [sb.trace, sb.diagonal, sb.transpose][rng.integers(3)](one)
    if kind == 6 and one.shape == (3,):
        return sb.diag(one)
    if kind == 7:
        return sb.sum(one * other)
    if kind == 8 and one.shape == other.shape == (3, 3):
        patterns = ["ij,ij->i", "ij,kj->ik", "ii,ij->j", "ij,ji->", "ij,jk->ki", "ij,kl->il", "ii,jk->kj"]
        return sb.einsum(patterns[rng.integers(len(patterns))], one, other)
    return None


def as_columns(value):
    return as_matrix(np.asarray(value, dtype=float))


@pytest.mark.parametrize("seed", range(400))
def test_what_is_printed_has_the_value_of_the_graph(seed):
    leaves, node = products_at_random(seed)
    rng = np.random.default_rng(seed + 1)
    values = {name: rng.normal(size=leaf.shape) for name, leaf in leaves.items()}
    printer = Printer()
    text = printer.write(node)
    check_latex(text)
    if printer.definitions:
        assert all(name.text in text + str(printer.definitions) for name, _ in printer.definitions)
        return
    expected = evaluate(node, {leaf: values[name] for name, leaf in leaves.items()})
    found = latex_value(text, {name: as_columns(value) for name, value in values.items()})
    assert np.shape(expected) == () or found.size in (1, expected.size), text
    expected = as_columns(expected)
    np.testing.assert_allclose(np.broadcast_to(found, expected.shape), expected, rtol=1e-9, atol=1e-9, err_msg=text)
