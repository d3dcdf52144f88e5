"""What is printed has the value of what it is printed of: texts and meanings are made together, and say the same."""

import re

import numpy as np
import pytest

import symback as sb
from latex_value import SIZE, as_matrix, latex_value
from random_graphs import draw_point, seeded_programs
from symback import errors
from symback.check.arithmetic import HighPrecision
from symback.check.cases import cases_of
from symback.check.evaluate import Evaluation, evaluate
from symback.derivation.proof import values
from symback.graph import toposort
from symback.latex.functions import derivative_term
from symback.latex.meaning import Meaning
from symback.latex.networks import diagonal_matrix, entrywise, times
from symback.latex.printer import Printer
from symback.latex.terms import added, juxtaposed, look_term, scaled, transposed
from symback.nodes.add import Plus
from symback.nodes.apply import Map, Operation
from symback.op.table import PRIMITIVES
from test_latex import products_at_random
from test_printed_hessians import LEAVES, network_at_random

DIGITS = 25


class Given:
    """Values of variables, and the derivatives that a test gives."""

    def __init__(self, bindings, slopes=None):
        self._arithmetic = HighPrecision(DIGITS + 10)
        self.context = self._arithmetic.context
        self._evaluation = Evaluation(bindings, self._arithmetic)
        self._slopes = slopes or {}

    def array(self, node):
        return np.asarray(self._arithmetic.array(self._evaluation.all_of([node])[node], node.dtype))

    def size(self, size):
        return self._evaluation.size(size)

    def apply(self, node, operands):
        return np.asarray(self._evaluation.value(node, operands, checked=False))

    def slope(self, node):
        return self.array(self._slopes[node])


def same(one, other, context):
    """Are two arrays of one shape equal to 25 digits?"""
    if one.shape != other.shape:
        return False
    most = context.mpf(10) ** -DIGITS
    pairs = zip(one.flat, other.flat, strict=True)
    return all(a == b or (a != a and b != b) or abs(a - b) <= most * max(1, abs(a), abs(b)) for a, b in pairs)


def check_printed(node, bindings):
    """Hold a node, and the auxiliary names that its text needs, against the graph; return the text."""
    printer, point = Printer(most_nodes=None), Given(bindings)
    written = printer.formula(node)
    lines = [(node, written), *[(name.meaning.data, formula) for name, formula in printer.definitions]]
    for left, formula in lines:
        found = values.value_of(formula.meaning, point)
        assert same(found, values.as_matrix(point.array(left), point), point.context), formula.text
    return written.text


@pytest.mark.parametrize("name", PRIMITIVES)
def test_every_primitive_says_its_value(name):
    for case in cases_of(PRIMITIVES[name], "float64", 0):
        check_printed(case.node, case.point)


@pytest.mark.parametrize("name", PRIMITIVES)
def test_the_gradient_of_every_primitive_says_its_value(name):
    cases = [case for case in cases_of(PRIMITIVES[name], "float64", 0) if case.wrt and case.cotangent.shape != (0,)]
    if PRIMITIVES[name].derivative or PRIMITIVES[name].vjp:
        for case in cases[1:2]:
            for gradient in sb.grad(case.loss, case.wrt, disconnected="zero"):
                check_printed(gradient, case.point)


def test_graphs_at_random_and_their_derivatives_say_their_values():
    checked = 0
    for program in seeded_programs(25, seed=3):
        *_, node = program.nodes()
        point = draw_point(program.variables)
        check_printed(node, point)
        for variable in {*program.variables} & {*toposort([node])}:
            loss = sb.sum(node * node)
            for derivative in (sb.grad(loss, variable), sb.jacobian(node, variable), sb.hessian(loss, variable)):
                checked += len(check_printed(derivative, point)) > 20
    assert checked > 30


@pytest.mark.parametrize("draw", [products_at_random, lambda seed: (LEAVES, network_at_random(seed))])
def test_text_and_meaning_say_the_same(draw):
    compared = 0
    for seed in range(120):
        leaves, node = draw(seed)
        arrays = {name: np.random.default_rng(seed).normal(size=leaf.shape) for name, leaf in leaves.items()}
        printer = Printer()
        formula = printer.formula(node)
        found = values.value_of(formula.meaning, Given({leaves[name]: array for name, array in arrays.items()}))
        if not printer.definitions:
            read = latex_value(formula.text, {name: as_matrix(array) for name, array in arrays.items()})
            np.testing.assert_allclose(np.broadcast_to(read, found.shape), found.astype(float), rtol=1e-9, atol=1e-9)
            compared += 1
    assert compared > 60


m, n, k = 2, 3, 4
A, B, S = sb.tensor("A", (m, n)), sb.tensor("B", (m, n)), sb.tensor("S", (n, n))
C, D = sb.tensor("C", (n, k)), sb.tensor("D", (k, k))
a, x, y, s = sb.tensor("a", (m,)), sb.tensor("x", (n,)), sb.tensor("y", (n,)), sb.tensor("s")
AT_A_POINT = {v: np.random.default_rng(5).uniform(0.2, 2, v.shape) for v in (A, B, S, C, D, a, x, y, s)}
PRINTED = [
    A @ x - 2 * a, A.T @ a, S.T @ x, S - S.T, s * s * x, -x / y, sb.outer(a, x), A.T * s, A * x, (A * a[:, None]).T @ B,
    sb.trace(S), sb.diagonal(S), sb.diag(x), sb.sum(A * B), x @ x, sb.sum(A, axis=0), sb.sum(A, axis=1), A + x,
    sb.einsum("ik,jl->ijkl", S, D), sb.einsum("il,jk->ijkl", C, S), sb.einsum("ij,ik,i->jk", A, B, a), x**3 * y,
    sb.einsum("ij,ij,ij->j", A, B, A * A), sb.linalg.solve(S, x), sb.sigmoid(S.T @ x + y), sb.where(x > y, x, -y),
    sb.einsum("ij,jk,kl->il", A, C, D), sb.einsum("ij,il->ijl", A, B), sb.einsum("ij,jk->ijk", S, C), sb.kron(S, D),
    sb.linalg.det(S),
]  # fmt: skip


def mutants(meaning):
    """Yield what a misprint makes of a meaning: a sign, a transpose or a part left out, another operation."""
    op, parts, data = meaning
    if op in ("negative", "transpose", "diagonal_matrix"):
        yield parts[0]
    elif op in ("product", "entrywise", "sum", "kronecker"):
        yield Meaning(op, parts[:-1], data) if len(parts) > 2 else parts[0]
        yield Meaning("sum" if op != "sum" else "entrywise", parts, data)
        yield Meaning(op, (*parts[:-1], Meaning("negative", parts[-1:])), data)
    if op == "product" and parts[-1].op != "diagonal_matrix" and parts[0].op != "number":
        yield Meaning(op, (*parts[:-1], Meaning("transpose", parts[-1:])), data)
    if op in ("number", "power", "entrywise_power"):
        yield Meaning(op, parts, data + 1)
    if op == "indexed" and len({*data.entries[0]}) == 2:
        yield Meaning(op, parts, data._replace(entries=(data.entries[0][::-1], *data.entries[1:])))
    for place, part in enumerate(parts):
        for other in mutants(part):
            yield Meaning(op, (*parts[:place], other, *parts[place + 1 :]), data)


@pytest.mark.parametrize("node", PRINTED, ids=lambda node: Printer().write(node))
def test_misprints_are_noticed(node):
    point, formula = Given(AT_A_POINT), Printer().formula(node)
    wanted = values.as_matrix(point.array(node), point)
    assert same(values.value_of(formula.meaning, point), wanted, point.context)
    for mutant in mutants(formula.meaning):
        try:
            found = values.value_of(mutant, point)
        except errors.VerificationError:
            continue
        assert not same(found, wanted, point.context), mutant


def test_misprints_of_every_kind_were_tried():
    assert sum(len(list(mutants(Printer().formula(node).meaning))) for node in PRINTED) > 100


def row(name, node):
    """Return what is printed as a row by that name, as a derivative in row layout is: the transpose of a column."""
    return transposed(look_term(name, Meaning("transpose", (Meaning("value", data=node),))))


def column(name, node):
    return look_term(name, Meaning("value", data=node))


ROWS = [
    (entrywise([row("g", x), column("y", y)]), r"g \odot y^{\top}"),
    (juxtaposed(transposed(column("S", S)), row("h", x)), "h S"),
    (
        juxtaposed(transposed(column("S", S)), entrywise([row("g", x), column("y", y)])),
        r"\left(g \odot y^{\top}\right) S",
    ),
    (juxtaposed(column("S", S), column("x", x)), r"\left(S x\right)^{\top}"),
    (juxtaposed(diagonal_matrix(column("y", y)), row("g", x)), r"g \operatorname{diag}\left(y\right)"),
    (diagonal_matrix(column("y", y)), r"\operatorname{diag}\left(y\right)"),
    (scaled(2, row("g", x)), "2 g"),
    (times([column("s", s)], row("g", x)), "s g"),
    (added([row("g", x), scaled(-2, row("h", y))]), "g - 2 h"),
    (added([scaled(-1, row("g", x)), juxtaposed(transposed(column("S", S)), row("h", y))]), "h S - g"),
    (entrywise([row("g", x)] * 2), r"g^{\odot 2}"),
    (entrywise([column("x", x), column("y", y)]), r"\left(x \odot y\right)^{\top}"),
]


@pytest.mark.parametrize(("term", "text"), ROWS, ids=lambda value: value if isinstance(value, str) else "")
def test_transposes_are_carried_to_the_factors_where_that_needs_no_more_of_them(term, text):
    point, turned = Given(AT_A_POINT), transposed(term)
    assert turned.signed() == text
    value = values.value_of(turned.says(), point)
    assert same(value, values.value_of(term.says(), point).T, point.context)
    assert same(values.value_of(transposed(turned).says(), point), value.T, point.context)


READABLE = [
    "exp", "exp2", "log", "log1p", "log1mexp", "bose", "xlogx", "logaddexp", "sqrt", "abs", "sin", "cos", "tanh",
    "divide", "hypot", "hypot_slope", "arctan2_slope", "arctanh_slope", "arcsin_slope", "bernoulli_variance",
    "log_ratio", "gap_over", "logistic_loss", "power", "xdivy",
]  # fmt: skip


@pytest.mark.parametrize("name", READABLE)
@pytest.mark.parametrize("shape", [(SIZE,), ()], ids=["vector", "scalar"])
@pytest.mark.filterwarnings("ignore:invalid value", "ignore:divide by zero")
def test_functions_are_read_as_they_are_meant(name, shape):
    u, v, q = sb.tensor("u", shape), sb.tensor("v", shape), sb.tensor("q")
    M = sb.tensor("M", (SIZE, SIZE))
    arrays = {node: np.random.default_rng(2).uniform(0.1, 0.4, node.shape) for node in (u, v, q, M)}
    inner = [u + v, -u, u * v, M @ u if shape else q * u, 2 * u, -(u / v), u**2, sb.exp(v), q + v]
    for first, second in zip(inner, inner[1:] + inner[:1], strict=True):
        node = Map(Operation(name), *[first, second][: PRIMITIVES[name].arity])
        for whole in (node, -v * node, 2 - node, node**2):
            wanted = as_matrix(np.asarray(evaluate(whole, arrays)))
            found = latex_value(Printer().write(whole), {k.name: as_matrix(a) for k, a in arrays.items()})
            np.testing.assert_allclose(found, wanted, rtol=1e-9, err_msg=Printer().write(whole))


def test_a_derivative_with_a_prime_means_the_slope_at_its_argument():
    z = S @ x
    node, partial = sb.tanh(z), 1 - sb.tanh(z) ** 2
    point = Given(AT_A_POINT, {node: partial})
    printed = derivative_term(PRIMITIVES["tanh"], Printer().term(z), node)
    assert printed.signed() == r"\tanh'\left(S x\right)"
    assert same(values.value_of(printed.says(), point), values.as_matrix(point.array(partial), point), point.context)
    wrong = derivative_term(PRIMITIVES["tanh"], Printer().term(S.T @ x), node)
    with pytest.raises(errors.VerificationError, match="at another argument than that of the function"):
        values.value_of(wrong.says(), point)


@pytest.mark.parametrize(
    ("op", "parts", "what"),
    [
        ("product", (A, x, x), r"a product in a printed formula has parts of shapes (2, 1) and (3, 1)"),
        ("entrywise", (A, A.T), "a product entry by entry in a printed formula has parts of shapes (2, 3) and (3, 2)"),
        ("sum", (x, s), "a sum in a printed formula has parts of shapes (3, 1) and (1, 1)"),
        ("inner", (A, S), "an inner product in"), ("power", (x,), "a power in"), ("trace", (A,), "a trace in"),
        ("diagonal_matrix", (A,), "diag of a vector in"), ("diagonal", (A,), "diag of a matrix in"),
        ("transpose", (sb.einsum("ij,il->ijl", A, B),), "a transpose in"),
        ("kronecker", (S, sb.einsum("ij,il->ijl", A, B)), "a Kronecker product in"),
    ],
)  # fmt: skip
def test_shapes_that_do_not_fit_are_refused(op, parts, what):
    meaning = Meaning(op, tuple(Meaning("value", data=part) for part in parts), 2)
    with pytest.raises(errors.VerificationError, match=re.escape(what)):
        values.value_of(meaning, Given(AT_A_POINT))
    with pytest.raises(errors.VerificationError, match="a transpose may be missing"):
        values.value_of(meaning, Given(AT_A_POINT))


def test_operands_of_functions_have_the_shapes_of_the_function():
    meaning = Meaning("apply", (Meaning("transpose", (Meaning("value", data=A),)),), sb.tanh(A))
    with pytest.raises(
        errors.VerificationError, match=re.escape("an array in a printed formula has parts of shapes (3, 2)")
    ):
        values.value_of(meaning, Given(AT_A_POINT))


def test_nothing_is_cut_where_everything_is_to_be_checked():
    long_sum = Plus(*(k * sb.tensor(f"v_{k}") for k in range(1, 60)))
    deep = x
    for k in range(1000):
        deep = sb.sin(deep + k)
    for node in (long_sum, deep):
        point = {v: np.full(v.shape, 0.3) for v in toposort([node]) if not v.operands and not v.is_weak}
        assert r"\cdots" not in check_printed(node, point)
        printer = Printer()
        formulas = [printer.formula(node), *(value for _, value in printer.definitions)]
        assert any(formula.meaning is None and r"\cdots" in formula.text for formula in formulas)


def test_a_large_constant_and_an_auxiliary_name_mean_what_they_stand_for():
    constant = np.arange(40.0).reshape(20, 2)
    node = sb.sum(constant @ sb.tensor("w", (2,)) * 0.5)
    assert "C_{1}" in check_printed(node, {sb.tensor("w", (2,)): np.ones(2)})


@pytest.mark.parametrize("size", [0, 1])
def test_empty_and_single_axes(size):
    w, M = sb.tensor("w", (size,)), sb.tensor("M", (size, 2))
    point = {w: np.full(size, 0.5), M: np.full((size, 2), 1.5)}
    for node in (
        sb.sum(w),
        M.T @ w,
        w @ w,
        sb.outer(w, w) @ M,
        sb.sum(M * w[:, None], axis=0),
        sb.sin(w),
        sb.trace(M @ M.T),
    ):
        check_printed(node, point)


@pytest.mark.parametrize(
    ("node", "text"),
    [
        (sb.astype(x + y, "int64"), r"\operatorname{trunc}\left(x + y\right)"),
        (sb.astype(x + y, "bool"), r"\left[\left(x + y\right) \neq 0\right]"),
        (sb.astype(x + y, "float32"), "x + y"),
        (2 * sb.astype(x > y, "float64"), r"2 \left[x > y\right]"),
    ],
)  # fmt: skip
def test_a_conversion_is_printed_where_it_changes_values(node, text):
    assert check_printed(node, AT_A_POINT) == text
