"""`verify`: sound over the registry and over models, precise on models that are safe, and readable."""

import functools
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import symback as sb
from random_graphs import draw_point, seeded_programs
from symback.check.cases import cases_of
from symback.check.domain.analysis import Analysis
from symback.check.domain.interval import limits_of
from symback.check.domain.ranges import read_domain
from symback.check.domain.setting import Setting
from symback.check.evaluate import Evaluation
from symback.graph import toposort
from symback.nodes.leaves import Variable
from symback.nodes.node import Node
from symback.op.table import PRIMITIVES

AWKWARD = (0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -2.0, 1e300, -1e300, 1e-300, -1e-300, 1e30, 1e-30, 709.0, 800.0, -800.0, 3.0)

SLOW = ("hyp1f1", "jv", "iv", "mills_fraction", "zeta")
"""Functions that take steps without end at numbers of extreme size."""


def awkward(rng: np.random.Generator, x: Variable, case_value: Any, held: bool = False) -> Any:
    """Draw finite numbers of all sizes, with ties, for a float variable; others keep the values of the case."""
    if x.dtype.kind != "f" or held:
        return case_value
    kind, shape = rng.integers(4), np.shape(case_value)
    if kind == 0:
        drawn = rng.choice(AWKWARD, shape)
    elif kind == 1:
        drawn = rng.standard_normal(shape) * 10.0 ** rng.integers(-6, 7)
    elif kind == 2:
        drawn = np.full(shape, rng.choice(AWKWARD))
    else:
        drawn = np.asarray(case_value) + rng.choice([0.0, 0.0, 1.0], shape)
    limit = float(np.finfo(x.dtype).max)
    return np.clip(drawn, -limit, limit).astype(x.dtype)


def analysed(nodes: list[Node], domain: Any = None) -> Analysis:
    given = read_domain(domain, nodes, {})
    return Analysis(nodes, given.intervals(extreme=True), Setting("extreme", given.sizes))


def unsound(analysis: Analysis, nodes: list[Node], point: dict[Node, Any]) -> Iterator[str]:
    """Yield what an evaluation at a point shows and the analysis had ruled out."""
    try:
        values = Evaluation(point).all_of(nodes)
    except np.linalg.LinAlgError:
        return
    hazards = {one.node for one in analysis.found}
    for node in toposort(nodes):
        if analysis.conditions[node] or (not node.operands and not isinstance(node, Variable)):
            continue  # what a branch that is not taken gives, and what is written as infinite, is no concern
        value = np.asarray(values[node], dtype=float)
        full = analysis.full[node]
        finite = value[np.isfinite(value)]
        slack = 64 * max(limits_of(node.dtype).epsilon, 1e-16)
        if finite.size and not full.is_empty:
            low, high = float(finite.min()), float(finite.max())
            if low < full.low - slack * abs(full.low) - 1e-300 or high > full.high + slack * abs(full.high) + 1e-300:
                yield f"{node.short()}: [{low}, {high}] is not in {full}"
        elif finite.size:
            yield f"{node.short()}: {finite.min()} is not in {full}"
        for flag, happens in ((full.nan, np.isnan(value)), (full.up, value == np.inf), (full.down, value == -np.inf)):
            if happens.any() and not flag and node.dtype.kind == "f":
                yield f"{node.short()}: {value} is not in {full}"
        if np.isfinite(value).all() or node in hazards:
            continue
        operands = [np.asarray(values[operand], dtype=float) for operand in node.operands]
        if all(np.isfinite(operand).all() for operand in operands):
            yield f"{node.short()}: {value} without a hazard, from {operands}"


@functools.cache
def instances(dtype: str) -> list[tuple[str, Node, Any, Analysis]]:
    return [
        (f"{name}: {case.label}", case.node, case, analysed([case.node]))
        for name, declared in PRIMITIVES.items()
        for case in cases_of(declared, dtype, 0)
    ]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_no_primitive_gives_what_its_rule_rules_out(dtype: str) -> None:
    rng = np.random.default_rng(7)
    wrong: dict[str, str] = {}
    for label, node, case, analysis in instances(dtype):
        for trial in range(ROUNDS):
            point = {
                x: awkward(rng, x, value, label.split(":")[0] in SLOW) if trial else value
                for x, value in case.point.items()
            }
            for text in unsound(analysis, [node], point):
                wrong.setdefault(label, f"{text} at { {x.name: v for x, v in point.items()} }")
    assert not wrong, "\n".join(f"{label}: {text}" for label, text in list(wrong.items())[:40])


ROUNDS = 2


def test_nor_within_a_narrow_domain() -> None:
    rng, wrong = np.random.default_rng(5), dict[str, str]()
    for name, declared in PRIMITIVES.items():
        for case in list(cases_of(declared, "float64", 0))[:2]:
            floats = [x for x in case.variables if x.dtype.kind == "f"]
            if name in SLOW or not floats:
                continue
            domain = {x.name: sorted(map(float, rng.choice([*AWKWARD, 0.3, -0.7, 5.0], 2))) for x in floats}
            analysis = analysed([case.node], domain)
            for _ in range(3):
                point = dict(case.point)
                for x in floats:
                    low, high = domain[x.name]
                    drawn = rng.choice([low, high, low + (high / 2 - low / 2)], x.shape)
                    point[x] = np.clip(drawn + rng.random(x.shape), low, high)
                for text in unsound(analysis, [case.node], point):
                    wrong.setdefault(case.label, f"{text} in {domain}")
    assert not wrong, "\n".join(f"{label}: {text}" for label, text in list(wrong.items())[:40])


def test_nor_does_a_random_graph_or_its_gradient() -> None:
    rng, wrong = np.random.default_rng(9), []
    for program in seeded_programs(40, seed=5):
        (output,) = program.nodes()[-1:]
        variables = [x for x in toposort([output]) if isinstance(x, Variable)]
        real = [x for x in variables if x.dtype.kind == "f"]
        nodes = [output]
        if output.dtype.kind == "f" and real:
            nodes += sb.grad(sb.sum(output), real, disconnected="zero")
        analysis = analysed(nodes)
        for _ in range(4):
            point = {x: awkward(rng, x, value) for x, value in fixed(variables).items()}
            wrong += [f"{program}: {text}" for text in unsound(analysis, nodes, point)]
    assert not wrong, "\n".join(wrong[:10])


def fixed(variables: list[Variable]) -> dict[Any, Any]:
    """Return a value for each variable of a random program, its shape in integers."""
    return {x: np.asarray(value) for x, value in draw_point(variables).items()}


def test_whatever_goes_wrong_in_a_model_was_foretold() -> None:
    rng, wrong = np.random.default_rng(3), []
    for label, (nodes, domain) in {**hazardous(), **safe_models()}.items():
        analysis = analysed(nodes, domain)
        given = analysed(nodes, domain)._given
        variables = [node for node in toposort(nodes) if isinstance(node, Variable)]
        for _ in range(12):
            point = {}
            for x in variables:
                shape = tuple(3 if not isinstance(size, int) else size for size in x.shape)
                inside = np.clip(awkward(rng, sb.tensor("t", shape), np.ones(shape)), given[x].low, given[x].high)
                point[x] = inside.astype(x.dtype) if x.dtype.kind == "f" else rng.integers(0, 2, shape).astype(x.dtype)
            wrong += [f"{label}: {text}" for text in unsound(analysis, nodes, point)]
    assert not wrong, "\n".join(wrong)


X, Y, W, V = (
    sb.tensor("X", ("n", "d")),
    sb.tensor("y", ("n",)),
    sb.tensor("W", ("d", "k")),
    sb.tensor("v", ("n",)),
)
LABELS = sb.tensor("T", ("n", "k"))


def hazardous() -> dict[str, tuple[list[Node], Any]]:
    """Models with something to find, as they are written."""
    e = sb.exp(V)
    return {
        "naive softmax": ([e / sb.sum(e)], None),
        "naive logsumexp": ([sb.log(sb.sum(e))], None),
        "naive sigmoid": ([sb.log(1 / (1 + sb.exp(-V)))], None),
        "variance by moments": ([sb.sqrt(sb.mean(V**2) - sb.mean(V) ** 2)], None),
        "unit vector": ([V / sb.linalg.norm(V)], None),
        "entropy": ([-sb.sum(V * sb.log(V))], {"v": [0, 1]}),
        "guarded": ([sb.where(V > 0, sb.log(V), 0), sb.where(V + 1 > 0, sb.sqrt(V + 1), V + 1)], None),
        "masked": ([sb.softmax(sb.where(Y > 0, V, -np.inf))], None),
        "power": ([Y**V], None),
        "ratio": ([sb.tan(Y) / sb.maximum(V, 0), sb.arccos(V / (1 + sb.abs(V)))], None),
    }


def safe_models() -> dict[str, tuple[list[Node], Any]]:
    """Well-known models that come out finite at all numbers of ordinary size."""
    z = X @ W
    mu, sigma, rate = sb.tensor("mu", ()), sb.tensor("sigma", ()), sb.tensor("rate", ())
    positive = {"sigma": (0, None)}
    hidden = sb.tanh(z)
    centred = X - sb.mean(X, axis=1, keepdims=True)
    scores = X @ X.T / np.sqrt(8.0)
    return {
        "linear regression": ([sb.sum((X @ W[:, 0] - Y) ** 2)], None),
        "ridge": ([sb.mean((X @ W[:, 0] - Y) ** 2) + sb.sum(W * W)], None),
        "logistic regression": ([-sb.mean(Y * sb.log(sb.sigmoid(X @ W[:, 0])))], {"y": [0, 1]}),
        "cross-entropy of logits": (
            [-sb.mean(Y * sb.log(sb.sigmoid(V)) + (1 - Y) * sb.log(1 - sb.sigmoid(V)))], {"y": [0, 1]}),
        "softmax cross-entropy": ([-sb.sum(LABELS * sb.log(sb.softmax(z, axis=1)))], {"T": [0, 1]}),
        "naive softmax cross-entropy": (
            [-sb.sum(LABELS * sb.log(sb.exp(z) / sb.sum(sb.exp(z), axis=1, keepdims=True)))], {"T": [0, 1]}),
        "Gaussian log-likelihood": (
            [-sb.sum(((Y - mu) / sigma) ** 2) / 2 - sb.log(sigma) - np.log(2 * np.pi) / 2], positive),
        "Gaussian by its variance": ([-sb.sum((Y - mu) ** 2 / (2 * sigma)) - sb.log(sigma) / 2], positive),
        "Poisson": ([sb.sum(rate - Y * sb.log(rate))], {"rate": (0, None), "y": [0, None]}),
        "Poisson with a softplus": ([sb.sum(sb.softplus(V) - Y * V)], None),
        "layer norm": ([centred / sb.sqrt(sb.mean(centred * centred, axis=1, keepdims=True) + 1e-5)], None),
        "layer norm by var": ([centred / sb.sqrt(sb.var(X, axis=1, keepdims=True) + 1e-5)], None),
        "attention": ([sb.softmax(scores, axis=1) @ X], None),
        "two layers": ([sb.sum((hidden @ W.T - X) ** 2)], None),
        "relu network": ([sb.mean(sb.relu(z) ** 2)], None),
        "huber": ([sb.mean(sb.where(sb.abs(V) < 1, V * V / 2, sb.abs(V) - 0.5))], None),
        "cosine similarity": ([sb.sum(V * Y) / (sb.linalg.norm(V) * sb.linalg.norm(Y) + 1e-8)], None),
        "student t": ([sb.sum(sb.log(1 + V * V / 3))], None),
        "mixture": ([sb.logsumexp(z - sb.log(sigma), axis=1)], positive),
        "stable logsumexp by hand": ([sb.max(V) + sb.log(sb.sum(sb.exp(V - sb.max(V))))], None),
        "gelu": ([V * sb.special.ndtr(V)], None),
        "guarded logarithm": ([sb.where(V > 0, sb.log(V), 0)], None),
        "guarded quotient": ([sb.where(sb.not_equal(V, 0), sb.sin(V) / V, 1)], None),
    }  # fmt: skip


@pytest.mark.parametrize("name", safe_models())
def test_nothing_is_reported_at_ordinary_numbers_of_a_safe_model_and_its_gradient(name: str) -> None:
    nodes, domain = safe_models()[name]
    wrt = [x for x in toposort(nodes) if isinstance(x, Variable) and x.name not in ("T", "y")]
    report = sb.verify(nodes, domain=domain, wrt=wrt)
    assert report.safe_for_ordinary_numbers, str(report)
    assert not [hazard for hazard in report.hazards if hazard.scale == "ordinary"], str(report)


FOUND = {
    "naive softmax": {("exp(v)", "inf")},
    "naive logsumexp": {("exp(v)", "inf")},
    "unit vector": {("divide(v, norm_over(v, (-1,), 2))", "NaN")},
    "entropy": {("log(v)", "-inf")},
    "masked": {("softmax_over(where(…, v, -inf), (-1,))", "NaN")},
}


@pytest.mark.parametrize("name", FOUND)
def test_what_is_wrong_is_named_and_shown(name: str) -> None:
    nodes, domain = hazardous()[name]
    report = sb.verify(nodes, domain=domain, as_written=True)
    shown = {
        (h.node, h.outcome) for h in report.hazards if h.certainty == "does" and h.witness and h.scale == "ordinary"
    }
    assert not report.safe
    assert shown >= FOUND[name], str(report)


def test_a_witness_is_a_point_at_which_it_happens() -> None:
    report = sb.verify(sb.log(V - Y), domain={"n": [1, 9]}, as_written=True)
    (hazard,) = [h for h in report.hazards if h.operation == "log"]
    assert hazard.witness is not None
    with np.errstate(all="ignore"):
        value = np.log(hazard.witness.point["v"] - hazard.witness.point["y"])
    assert not np.isfinite(value).all()


def test_open_and_closed_ends() -> None:
    x = sb.tensor("x", ())
    for given, safe in (
        ((0, None), True),
        ([0, None], False),
        ("(0, 1]", True),
        ("[0, 1)", False),
        (2, True),
        ((-1, 1), False),
    ):
        assert sb.verify(sb.log(x), domain={"x": given}).safe is safe, given


def test_positive_symbols_of_sympy_are_positive() -> None:
    sympy = pytest.importorskip("sympy")
    p, q = sympy.Symbol("p", positive=True), sympy.Symbol("q")
    assert sb.verify(sympy.log(p)).safe
    assert not sb.verify(sympy.log(q)).safe
    assert sb.verify(sympy.log(q), domain={q: sympy.Interval(1, sympy.oo)}).safe


def test_what_is_always_wrong_is_said_to_be() -> None:
    (hazard,) = sb.verify(sb.sqrt(-1 - V * V), domain={"v": [0, 5]}, as_written=True).hazards
    assert (hazard.certainty, hazard.outcome) == ("always", "NaN")


def test_an_empty_axis_is_told_apart_and_ruled_out_by_a_size() -> None:
    report = sb.verify(sb.mean(V), domain={"v": [-1, 1]})
    assert [(h.scale, h.outcome) for h in report.hazards] == [("empty", "NaN")]
    assert sb.verify(sb.mean(V), domain={"v": [-1, 1], "n": [1, 1000]}).safe


def test_the_emitted_code_is_judged_and_the_graph_as_written_on_request() -> None:
    loss = sb.sum(sb.log(sb.sigmoid(V)))
    domain = {"v": [-1e6, 1e6], "n": [1, 1000]}
    assert sb.verify(loss, domain=domain).safe
    assert not sb.verify(loss, domain=domain, as_written=True).safe


def test_infinite_slopes_are_hazards_of_the_derivative() -> None:
    report = sb.verify(sb.sqrt(V), domain={"v": [0, 4]}, wrt=V)
    assert [(h.derivative, h.certainty) for h in report.hazards] == [(True, "does")]
    assert [(k.operation, k.where) for k in report.kinks] == [("sqrt", "v = 0")]


@pytest.mark.parametrize(
    ("output", "where", "convention"),
    [
        (sb.relu(V), "v = 0", "derivative 0 at 0"),
        (sb.maximum(V, Y), "v = y", "at a tie each operand has half of the derivative"),
        (sb.max(V), "ties for the maximum of v", "the entries that tie share the derivative evenly"),
        (sb.floor(V), "integers v", "derivative 0, at the jumps too"),
        (sb.linalg.norm(V), "v = 0", "derivative 0"),
    ],
)
def test_kinks_come_with_their_convention(output: Node, where: str, convention: str) -> None:
    assert [(k.where, k.convention) for k in sb.verify(output).kinks] == [(where, convention)]


def test_a_kink_outside_of_the_domain_is_none() -> None:
    assert not sb.verify(sb.abs(V), domain={"v": (0, None)}).kinks


def test_a_report_is_text_html_and_json() -> None:
    report = sb.verify({"loss": sb.let("z", sb.log(V))}, domain={"v": [0, 1]})
    assert "v = 0 gives -inf" in str(report)
    assert "<table>" in report._repr_html_()
    assert json.loads(json.dumps(report.to_dict()))["safe"] is False


@pytest.mark.parametrize(
    ("domain", "message"),
    [
        ([0, 1], "domain is a list"),
        ({"w": (0, 1)}, "domain names 'w', which is no variable and no size of the outputs; there are: v, n"),
        ({"v": "0 to 1"}, "the domain of v is '0 to 1'"),
        ({"v": (1, 0)}, "holds no number of float64"),
        ({"n": (-3, -1)}, "the size n cannot lie in"),
    ],
)
def test_a_domain_that_is_none_is_refused(domain: Any, message: str) -> None:
    with pytest.raises(sb.errors.SymbackError, match="verify: ") as raised:
        sb.verify(V, domain=domain)
    assert message in str(raised.value)


def test_no_outputs_are_refused() -> None:
    with pytest.raises(sb.errors.InputError, match="there are no outputs"):
        sb.verify([])


def test_a_deep_graph_is_no_matter() -> None:
    node: Node = sb.tensor("x", ())
    for _ in range(600):
        node = sb.sin(node + 1)
    assert sb.verify(node, domain={"x": [-1, 1]}, as_written=True).safe
