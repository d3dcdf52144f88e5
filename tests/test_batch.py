"""`batch`: the graph for one example becomes that for N of them; held against the oracle, example by example."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest
import sympy

import symback as sb
from golden import check_golden
from networks import two_layers
from random_graphs import draw_point, seeded_programs
from symback.check.cases import Case, cases_of
from symback.check.evaluate import evaluate
from symback.check.examples import examples_of, subsets_of
from symback.graph import toposort
from symback.nodes.apply import SIGNATURES
from symback.nodes.dtypes import is_float
from symback.nodes.leaves import Variable, variable
from symback.nodes.node import METHODS, Node
from symback.nodes.shapes import as_size
from symback.op.table import PRIMITIVES, _primitives

DECLARED = dict(PRIMITIVES)
STRUCTURAL = [name for name, declared in DECLARED.items() if declared.kind == "structural" and declared.arity != 0]

Point = dict[Any, Any]


def stacked(expr: Node, points: Sequence[Point]) -> Any:
    """Evaluate each example alone."""
    return np.stack([evaluate(expr, point) for point in points])


def points_of(variables: Sequence[Variable], batched: Sequence[str], sizes: dict[str, int], count: int = 4) -> Any:
    """Return points for single examples, and the one for the batch, by name."""
    rng = np.random.default_rng(0)
    shapes = {x: [size if isinstance(size, int) else sizes[str(size)] for size in x.shape] for x in variables}
    shared = {x.name: rng.normal(size=shapes[x]) for x in variables}
    points = [{**shared, **{name: rng.normal(size=shared[name].shape) for name in batched}} for _ in range(count)]
    return points, {**shared, **{name: np.stack([point[name] for point in points]) for name in batched}}


# -- every primitive -------------------------------------------------------------------------------------------


def test_what_is_not_batched_cannot_exist() -> None:
    assert [name for name in STRUCTURAL if DECLARED[name].batch is None] == []


@pytest.mark.parametrize("name", [*STRUCTURAL, "where", "power"])
def test_any_number_of_examples(name: str) -> None:
    """None, one, or a number that has a name; that three are right for every primitive, test_registry checks."""
    for case in cases_of(DECLARED[name], "float64", 0):
        for chosen in subsets_of(case) if case.variables else ():
            for count in (0, 1):
                examples = examples_of(case, chosen, count)
                found = evaluate(sb.batch(case.node, dict.fromkeys(chosen, count)), examples.together)
                assert found.shape == (count, *case.node.shape)
                if count:
                    np.testing.assert_allclose(found, stacked(case.node, examples.points), rtol=1e-10, atol=1e-12)
            symbolic = sb.batch(case.node, dict.fromkeys(chosen, "N"))
            assert symbolic.shape == (as_size("N"), *case.node.shape)
            assert evaluate(symbolic, {x.name: v for x, v in examples.together.items()}).shape == found.shape


def differentiable(case: Case) -> bool:
    assert case.declared is not None
    has_rule = case.declared.vjp is not None or case.declared.derivative is not None
    return bool(case.wrt) and is_float(case.node.dtype) and has_rule


@pytest.mark.parametrize("name", [*STRUCTURAL, "where", "power", "tanh"])
def test_the_gradient_of_a_batch_is_that_of_each_example(name: str) -> None:
    for case in filter(differentiable, cases_of(DECLARED[name], "float64", 0)):
        examples = examples_of(case, case.variables)
        total = sb.batch(case.loss, dict.fromkeys(case.variables, 3), reduce="sum")
        wide = [examples.wider[x] for x in case.wrt]
        found = evaluate(sb.grad(total, wide, disconnected="zero"), examples.together)
        for x, of_all in zip(case.wrt, found, strict=True):
            wanted = stacked(sb.grad(case.loss, x, disconnected="zero"), examples.points)
            np.testing.assert_allclose(of_all, wanted, rtol=1e-8, atol=1e-9 * np.max(np.abs(wanted), initial=1))


@pytest.mark.parametrize("seed", range(12))
def test_random_graphs(seed: int) -> None:
    (program,) = seeded_programs(1, seed=seed)
    node = next(node for node in reversed(program.nodes()) if toposort([node])[-1].operands and free(node))
    shared_point = draw_point(program.variables)
    chosen = free(node)[: 1 + seed % 2]
    points = [{**shared_point, **{x: shared_point[x] * (1 - 0.2 * k) for x in chosen}} for k in range(3)]
    points = [{x: np.asarray(v, x.dtype) for x, v in point.items() if x in free(node)} for point in points]
    together = {x.name: np.stack([p[x] for p in points]) if x in chosen else points[0][x] for x in free(node)}
    wanted = stacked(node, points)
    tolerance = 1e-4 if program.single else 1e-10
    batched = sb.batch(node, {x.name: "N" for x in chosen})
    np.testing.assert_allclose(evaluate(batched, together), wanted, rtol=tolerance, atol=tolerance)
    emitted = sb.lambdify([x for x in toposort([batched]) if isinstance(x, Variable)], batched)
    np.testing.assert_allclose(emitted(**together), wanted, rtol=tolerance, atol=tolerance)


def free(node: Node) -> list[Variable]:
    return [x for x in toposort([node]) if isinstance(x, Variable)]


# -- models: the emitted text, and the average over examples ---------------------------------------------------


class Model:
    """A loss for one example, its data and its parameters."""

    def __init__(self, loss: Node, data: Sequence[Variable], parameters: Sequence[Variable]) -> None:
        self.loss, self.data, self.parameters = loss, list(data), list(parameters)

    def wide(self) -> list[Variable]:
        return [variable(x.name, ("N", *x.shape), x.dtype) for x in self.data]


def network() -> Model:
    net = two_layers()
    return Model(net.loss, net.inputs[:2], net.parameters)


def classifier(*, indices: bool = False) -> Model:
    x, W, b = sb.tensor("x", ("n",)), sb.tensor("W", ("m", "n")), sb.tensor("b", ("m",))
    z = sb.let("z", W @ x + b)
    if indices:
        label = sb.tensor("label", dtype="int64")
        return Model(sb.let("L", sb.logsumexp(z) - z[label]), [x, label], [W, b])
    y = sb.tensor("y", ("m",))
    return Model(sb.let("L", sb.logsumexp(z) - sb.sum(y * z)), [x, y], [W, b])


def attention() -> Model:
    X = sb.tensor("X", ("T", "d"))
    W_q, W_k, W_v = (sb.tensor(name, ("d", "d")) for name in ("W_q", "W_k", "W_v"))
    Q, K, V = sb.let("Q", X @ W_q), sb.let("K", X @ W_k), sb.let("V", X @ W_v)
    A = sb.let("A", sb.softmax(Q @ K.T, axis=-1))
    return Model(sb.let("L", sb.sum((A @ V) ** 2) / 2), [X], [W_q, W_k, W_v])


def layer_norm() -> Model:
    x, gain, bias = sb.tensor("x", ("n",)), sb.tensor("gain", ("n",)), sb.tensor("bias", ("n",))
    h = sb.let("h", (x - sb.mean(x)) / sb.sqrt(sb.var(x) + 1e-5))
    return Model(sb.let("L", sb.sum((gain * h + bias) ** 2) / 2), [x], [gain, bias])


def convolution() -> Model:
    signal, kernel = sb.tensor("signal", ("T",)), sb.tensor("kernel", (3,))
    s = sb.let("s", sb.convolve(signal, kernel, mode="valid"))
    return Model(sb.let("L", sb.sum(sb.relu(s) ** 2) / 2), [signal], [kernel])


MODELS: dict[str, Callable[[], Model]] = {
    "network": network,
    "classifier": classifier,
    "classifier_of_indices": partial(classifier, indices=True),
    "attention": attention,
    "layer_norm": layer_norm,
    "convolution": convolution,
}
SIZES_OF_MODELS = {"n": 3, "h": 4, "m": 5, "T": 6, "d": 2}


def model_points(model: Model) -> tuple[list[Point], Point]:
    points, together = points_of([*model.data, *model.parameters], [x.name for x in model.data], SIZES_OF_MODELS)
    for x in model.data:
        if x.dtype.kind == "i":
            together[x.name] = np.arange(len(points)) % 3
            for k, point in enumerate(points):
                point[x.name] = together[x.name][k]
    return points, together


@pytest.mark.parametrize("name", MODELS)
def test_the_emitted_gradient_is_what_a_person_writes_for_a_batch(name: str) -> None:
    model = MODELS[name]()
    cost = sb.batch(model.loss, dict.fromkeys([x.name for x in model.data], "N"), reduce="mean")
    compiled = sb.lambdify([*model.wide(), *model.parameters], (cost, *sb.grad(cost, model.parameters)), name="cost")
    check_golden(f"batch/{name}.py.txt", compiled.source[compiled.source.index("def cost") :])
    points, together = model_points(model)
    fast = sb.lambdify(model.wide() + model.parameters, (cost, *sb.grad(cost, model.parameters)), style="fast")
    each = [stacked(node, points) for node in (model.loss, *sb.grad(model.loss, model.parameters))]
    for values in (compiled(**together), fast(**together)):
        for value, wanted in zip(values, each, strict=True):
            np.testing.assert_allclose(value, wanted.mean(axis=0), rtol=1e-12, atol=1e-13)


def test_the_cost_of_a_training_set_is_one_call() -> None:
    """1/(2n) times the sum of squared distances of the outputs from the targets."""
    model = network()
    points, together = model_points(model)
    cost = sb.batch(model.loss, {"x": "N", "y": "N"}, reduce="mean")
    by_hand = sum(float(evaluate(sb.sum((a2_of(model) - model.data[1]) ** 2), point)) for point in points)
    assert float(evaluate(cost, together)) == pytest.approx(by_hand / (2 * len(points)), rel=1e-14)


def a2_of(model: Model) -> Node:
    return next(node for node in toposort([model.loss]) if getattr(node, "name", "") == "a2")


# -- orders ----------------------------------------------------------------------------------------------------


def assert_is_stack(found: Node, one: Node, points: Sequence[Point], together: Point) -> None:
    np.testing.assert_allclose(evaluate(found, together), stacked(one, points), rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("derivative", [sb.grad, sb.hessian])
def test_derivatives_of_each_example(derivative: Callable[..., Node]) -> None:
    model = network()
    points, together = model_points(model)
    for x in (model.data[0], *model.parameters):
        one = derivative(model.loss, x)
        assert_is_stack(sb.batch(one, {"x": "N", "y": "N"}), one, points, together)


def test_the_hessian_of_a_batch_is_the_average_of_hessians() -> None:
    model = classifier()
    points, together = model_points(model)
    cost = sb.batch(model.loss, {"x": "N", "y": "N"}, reduce="mean")
    for parameter in model.parameters:
        found = evaluate([cost, sb.hessian(cost, parameter)], together)[1]
        wanted = np.mean([evaluate([model.loss, sb.hessian(model.loss, parameter)], p)[1] for p in points], axis=0)
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-14)


def test_jacobians_by_the_batched_variable() -> None:
    x, A = sb.tensor("x", ("n",)), sb.tensor("A", ("m", "n"))
    one = sb.jacobian(sb.tanh(A @ x), x)
    points, together = points_of([x, A], ["x"], {"m": 2, "n": 3})
    assert_is_stack(sb.batch(one, {x: "N"}), one, points, together)


def test_a_batch_of_batches_is_every_pair() -> None:
    x, y = sb.tensor("x", ("n",)), sb.tensor("y", ("n",))
    kernel = sb.exp(-sb.sum((x - y) ** 2))
    gram = sb.batch(sb.batch(kernel, {"y": "M"}), {"x": "N"})
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(4, 3)), rng.normal(size=(2, 3))
    wanted = np.exp(-np.sum((X[:, None] - Y[None]) ** 2, axis=-1))
    np.testing.assert_allclose(evaluate(gram, {"x": X, "y": Y}), wanted, rtol=1e-13)


def test_one_size_may_be_used_twice() -> None:
    x, y = sb.tensor("x", ("n",)), sb.tensor("y", ("n",))
    gram = sb.batch(sb.batch(sb.sum(x * y), {"x": "n"}), {"y": "n"})
    X, Y = np.arange(9.0).reshape(3, 3), np.eye(3)
    np.testing.assert_array_equal(sb.lambdify(sorted_inputs(gram), gram)(x=X, y=Y), Y @ X.T)


def sorted_inputs(node: Node) -> list[Variable]:
    return sorted(free(node), key=lambda x: x.name)


def test_a_deep_graph_is_batched_without_recursion() -> None:
    x = node = sb.tensor("x", (2,))
    for _ in range(5_000):
        node = sb.sin(node)
    assert sb.batch(node, {x: "N"}).shape[1:] == (2,)


# -- what is asked for -----------------------------------------------------------------------------------------

x, y, W = sb.tensor("x", ("n",)), sb.tensor("y", ("m",)), sb.tensor("W", ("m", "n"))
X, Y = sb.tensor("x", ("N", "n")), sb.tensor("y", ("N", "m"))


def test_a_structure_keeps_its_form() -> None:
    found = sb.batch({"z": W @ x, "more": [sb.sum(x), (x,)]}, {"x": "N"})
    assert found["more"] == [sb.sum(X, axis=1), (X,)]
    assert (list(found), str(found["z"])) == (["z", "more"], str(X @ W.T))


@pytest.mark.parametrize(
    ("reduce", "wanted"),
    [(None, [[2.0, 4.0], [2.0, 4.0], [2.0, 4.0]]), ("mean", [2.0, 4.0]), ("sum", [6.0, 12.0])],
)
def test_what_is_the_same_for_all_examples(reduce: str | None, wanted: Any) -> None:
    same, _ = sb.batch([2 * y, x], {"x": 3}, reduce=reduce)
    np.testing.assert_array_equal(evaluate(same, {"y": np.array([1.0, 2.0])}), wanted)


@pytest.mark.parametrize(("reduce", "factor"), [(None, 1), ("mean", 1), ("sum", 3)])
def test_a_name_of_what_is_the_same_for_all_examples_stays(reduce: str | None, factor: int) -> None:
    c = sb.let("c", 2 * y)
    found = sb.batch([c, sb.sum(c) * sb.sum(x)], {"x": "N"}, reduce=reduce)
    values = sb.lambdify([X, y], found)(np.ones((3, 2)), np.array([1.0, 2.0]))
    np.testing.assert_array_equal(values[0], np.array([2.0, 4.0]) * factor + np.zeros(values[0].shape))
    np.testing.assert_array_equal(values[1], np.full(values[1].shape, 12.0 * factor))


@pytest.mark.parametrize(("reduce", "wanted"), [("mean", 2.0), ("sum", 6)])
def test_integers_are_averaged_in_floats_and_added_in_integers(reduce: str, wanted: Any) -> None:
    k = sb.tensor("k", dtype="int32")
    found = evaluate(sb.batch([k, k > 0], {k: "N"}, reduce=reduce), {"k": np.array([1, 2, 3], np.int32)})
    assert (found[0] == wanted, found[0].dtype.kind) == (True, "f" if reduce == "mean" else "i")
    assert found[1] == (1 if reduce == "mean" else 3)


def test_the_average_of_no_examples_is_nan() -> None:
    with np.errstate(all="ignore"):
        assert np.isnan(evaluate(sb.batch(sb.sum(x), {x: "N"}, reduce="mean"), {"x": np.ones((0, 2))}))


def test_names_stay_and_the_result_has_that_of_the_loss() -> None:
    z = sb.let("z", W @ x)
    loss = sb.let("L", sb.sum((z - y) ** 2))
    cost, log = sb.batch([loss, sb.log(loss)], {"x": "N", "y": "N"}, reduce="mean")
    source = sb.lambdify([X, Y, W], [cost, log], check=False).source
    assert source[source.index("    N = ") :] == (
        "    N = x.shape[0]\n    z = x @ W.T\n    total = np.sum((z - y) ** 2, axis=1)\n    L = total.sum() / N\n"
        "    return [L, np.sum(np.log(total)) / N]\n"
    )
    apart = sb.batch(loss, {"x": "N", "y": "N"})
    assert (apart.name, str(apart.shape)) == ("L", "(N,)")


@pytest.mark.parametrize("size", [3, np.int64(3), "N", sympy.Symbol("N"), sb.tensor("t", ("N",)).shape[0], "2*N"])
def test_sizes(size: Any) -> None:
    if size == "2*N":
        size = 2 * sb.tensor("t", ("N",)).shape[0]
    assert sb.batch(x, {"x": size}).shape == sb.tensor("x", (size, "n")).shape


def test_latex_and_dtype_of_a_variable_stay() -> None:
    theta = sb.tensor("theta", (2,), dtype="float32", latex=r"\vartheta")
    assert sb.batch(theta, {theta: "N"}) is sb.tensor("theta", ("N", 2), dtype="float32", latex=r"\vartheta")


@pytest.mark.parametrize("reduce", [None, "mean", "sum"])
def test_float32_stays(reduce: str | None) -> None:
    w, v = (sb.tensor(name, (2,), dtype="float32") for name in "wv")
    loss = sb.batch(sb.sum((w * v - 0.5) ** 2) / 3, {"v": "N"}, reduce=reduce)
    assert loss.dtype == sb.grad(sb.sum(loss), w).dtype == np.float32


def test_sympy_expressions_become_nodes() -> None:
    a, b = sympy.symbols("a b")
    found = sb.batch(sympy.exp(a) * b, {a: "N"})
    values = evaluate(found, {"a": np.array([0.0, 1.0]), "b": 2.0})
    np.testing.assert_allclose(values, 2 * np.exp([0.0, 1.0]), rtol=1e-15)


def test_the_same_graph_gives_the_same_nodes() -> None:
    assert sb.batch(sb.sum(W @ x), {"x": "N"}) is sb.batch(sb.sum(W @ x), {x: "N"})


# -- bad input -------------------------------------------------------------------------------------------------

z1 = sb.let("z1", W @ x)


@pytest.mark.parametrize(
    ("variables", "options", "message"),
    [
        ({}, {}, r"maps each variable .* such as \{'x': 'N', 'y': 'N'\}; it is an empty one"),
        (["x"], {}, r"it is list \(\"\['x'\]\"\)"),
        ({"t": "N"}, {}, r"'t' is no variable of this graph; it has W, x. A derivative .*; if so, leave the key out"),
        ({sb.tensor("x", (2,)): "N"}, {}, r"'x' is no variable of this graph; it has W, x. A derivative .* leave the"),
        ({("x", "W"): "N"}, {}, r"\('x', 'W'\).* is no variable of this graph; it has W, x"),
        ({"z1": "N"}, {}, r"z1 \(m,\) is no variable but computed from others; batch those, or put"),
        ({z1: "N"}, {}, r"z1 \(m,\) is no variable but computed from others"),
        ({"x": "no size"}, {}, r"the number of examples of x must be an integer from 0 .* 'no size' is none"),
        ({"x": -1}, {}, r"number of examples of x .* '-1' is none"),
        ({"x": 2.5}, {}, r"number of examples of x .* '2.5' is none"),
        ({"x": None}, {}, r"number of examples of x .* 'None' is none"),
        ({"x": "W"}, {}, r"number of examples of x .* 'W' is a variable of this graph"),
        (
            {"x": "N", "W": "M"}, {},
            r"x has N examples and W has M; .* twice: sb.batch\(sb.batch\(expr, \{'W': 'M'\}\), \{'x': 'N'\}\)",
        ),
        ({"x": "N"}, {"reduce": "max"}, r"batch: reduce='max' is not known; use None or 'mean' or 'sum'"),
    ],
)  # fmt: skip
def test_bad_input(variables: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(sb.errors.InputError, match=message):
        sb.batch(sb.sum(sb.tanh(z1)), variables, **options)


def test_two_variables_of_one_name() -> None:
    with pytest.raises(sb.errors.InvalidNameError, match="the name 'x' stands for two different things"):
        sb.batch([sb.sum(x), sb.sum(X)], {"x": "N"})


# -- primitives of one's own -----------------------------------------------------------------------------------


@pytest.fixture
def declared() -> Any:
    """Declare primitives that are forgotten afterwards."""
    before = dict(PRIMITIVES)
    yield sb.primitive
    for name in set(PRIMITIVES) - set(before):
        del _primitives[name], SIGNATURES[name], METHODS[name]


def own(declared: Any, name: str, **options: Any) -> Callable[..., Node]:
    """Declare the reversed rows of a matrix, or what differs from it by options."""
    given = {
        "signature": lambda x: (x.shape, x.dtype), "numpy": lambda spell, operands, parameters: f"{operands[0]}[::-1]",
        "value": lambda x: x[..., ::-1], "latex": r"\operatorname{{own}}\left({0}\right)", "doc": "Reversed.",
        "examples": (lambda make: apply(make("x", (3,))),),
    }  # fmt: skip
    apply: Callable[..., Node] = declared(name, **{**given, **options})
    return apply


def test_a_linear_primitive_is_transposed_twice(declared: Any) -> None:
    reverse = own(declared, "own_reverse", linear=True, vjp=lambda g, node: (g[..., ::-1],))
    found = sb.batch(reverse(x), {"x": "N"})
    value = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(evaluate(found, {"x": value}), value[:, ::-1])
    assert sb.check_primitive("own_reverse").passed


def test_a_primitive_without_a_rule_is_named(declared: Any) -> None:
    reverse = own(declared, "own_unruly", vjp=lambda g, node: (g[..., ::-1],))
    with pytest.raises(sb.errors.UsageError, match=r"own_unruly .* has no batch rule; declare it with .*'leading'"):
        sb.batch(reverse(x), {"x": "N"})
    assert sb.batch(reverse(y) * sb.sum(x), {"x": "N"}).shape == Y.shape


@pytest.mark.parametrize("rule", ["leading", "broadcast", lambda node, operands: node.func(node.operation, *operands)])
def test_a_rule_of_its_own(declared: Any, rule: Any) -> None:
    own(declared, "own_ruled", vjp=lambda g, node: (g[..., ::-1],), batch=rule)
    report = sb.check_primitive("own_ruled")
    assert report.passed
    assert "batch against each example" in {row.check for row in report.rows}


def test_a_wrong_rule_is_found(declared: Any) -> None:
    reverse = own(declared, "own_wrong", vjp=lambda g, node: (g,), batch=lambda node, operands: operands[0][0])
    with pytest.raises(sb.errors.UsageError, match=r"'own_wrong': batch gives \(n,\) float64, not \(N, n\) float64"):
        sb.batch(reverse(x), {"x": "N"})
    with pytest.raises(sb.errors.UsageError, match="batch must be"):
        own(declared, "own_strange", batch="always")
    own(declared, "own_lie", value=lambda x: x[::-1], vjp=lambda g, node: (g[..., ::-1],), batch="leading")
    assert not sb.check_primitive("own_lie").passed
