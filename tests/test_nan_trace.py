"""`nan_trace`: the first node that makes a non-finite value is named, in emitted and in plain code."""

import functools
import importlib.util
import inspect
import json
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import random_graphs
import symback as sb
from symback.check.nonfinite.memory import Memory
from symback.check.nonfinite.report import UNINITIALISED, Origin

STYLES = "readable", "fast"
ZERO, MIXED = np.array([0.0, 1.0, 2.0]), np.array([1.0, -2.0, 3.0])


# -- emitted code ------------------------------------------------------------------------------------

x = sb.tensor("x", ("n",))
W = sb.tensor("W", ("m", "n"))
s = sb.tensor("s", ("n",), dtype="float32")

EMITTED = {
    "a name": (lambda: sb.sum(sb.let("a", sb.log(x)) * sb.let("b", sb.exp(x))), [x], [MIXED], "a", "invalid", (1,)),
    "an expression": (lambda: 1 + sb.sum(sb.log(x)), [x], [MIXED], "np.log(x)", "invalid", (1,)),
    "a pole": (lambda: sb.let("a", sb.log(x)), [x], [ZERO], "a", "division", (0,)),
    "a division": (lambda: sb.sum(2 / x) ** 2, [x], [ZERO], "2 / x", "division", (0,)),
    "overflow": (lambda: sb.let("e", sb.exp(x)) / (1 + sb.sum(x)), [x], [ZERO * 500], "e", "overflow", (2,)),
    "overflow in float32": (lambda: sb.sum(sb.sinh(s)), [s], [np.float32([1, 99])], "np.sinh(s)", "overflow", (1,)),
    "a product": (lambda: sb.sum(sb.let("z", W @ x)), [W, x], [np.full((2, 3), 1e200), 1e200 * ZERO], "z", "overflow",
                  (0,)),
    "a derivative": (lambda: sb.grad(sb.sum(sb.sqrt(x)), x), [x], [ZERO], None, "division", (0,)),
}  # fmt: skip


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("case", EMITTED)
def test_the_first_node_is_named_in_emitted_code(case: str, style: str) -> None:
    make, inputs, values, name, kind, index = EMITTED[case]
    f = sb.lambdify(inputs, make(), style=style)
    found = sb.nan_trace(f, values)
    first = found.first
    assert found.found
    assert (first.kind, first.index) == (kind, index)
    line = f.source.splitlines()[found.line - 1]
    assert first.event.lines[0] == f"{found.line} | {line}"
    if style == "readable" and name is not None:
        assert found.name == name
    marks = first.event.lines[1]
    start = marks.index("^")
    assert first.event.lines[0][start : len(marks)] == first.event.text
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(found.results, f(*values))


def test_in_blocks_the_entry_of_the_input_is_named() -> None:
    y = sb.tensor("y", (40_000,))
    long = sb.grad(sb.sum(sb.log(y) * sb.exp(y) / sb.tanh(y) * sb.sin(y) + y**3), y)
    f = sb.lambdify([y], long, style="fast")
    assert "block" in f.source
    point = np.full(40_000, 2.0)
    point[20_000] = -1
    del_me = [np.full(40_000, np.nan) for _ in range(20)]
    del del_me  # what np.empty returns may now hold NaN
    found = sb.nan_trace(f, [point])
    assert (found.name, found.kind) == ("log_y", "invalid")
    assert found.first.operands[0].source == "y[20000]"
    point[7] = np.nan
    again = sb.nan_trace(f, [point])
    assert (again.kind, again.name, again.line) == ("input", "y", None)
    assert [origin.name for origin in again.origins] == ["y", "log_y"]


@sb.function
def traced(w, x):
    return np.sum(np.log(w * x) ** 2)


@pytest.mark.parametrize("method", ["value", "grad", "value_and_grad", "hvp"])
def test_traced_functions_and_their_methods(method: str) -> None:
    f = traced if method == "value" else getattr(traced, method)
    inputs = {"w": np.ones(3), "x": MIXED}
    inputs |= {} if method == "value" else {"wrt": "w"}
    inputs |= {"vectors": np.ones(3)} if method == "hvp" else {}
    found = sb.nan_trace(f, inputs)
    assert (found.kind, found.first.index) == ("invalid", (1,))
    assert "log(" in found.first.event.text
    with np.errstate(all="ignore"):
        assert str(found.results) == str(f(**inputs))


@pytest.mark.parametrize("style", STYLES)
def test_saved_modules(tmp_path: Path, style: str) -> None:
    z = sb.let("z", W @ x)
    path = sb.lambdify([W, x], [sb.sum(sb.let("r", sb.sqrt(z))), sb.logsumexp(z)], style=style).save(tmp_path / "m.py")
    spec = importlib.util.spec_from_file_location("saved_for_nan_trace", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = sb.nan_trace(module.f, {"W": [[1.0, 1.0], [-1.0, -1.0]], "x": [1.0, 2.0]})
    assert (found.name, found.kind, found.places) == ("r", "invalid", ("result[0]",))
    assert str(path) in str(found)
    assert "np.sqrt(z" in path.read_text().splitlines()[found.line - 1]


def test_objectives() -> None:
    w, X = sb.tensor("w", (3,)), sb.tensor("X", (5, 3))
    objective = sb.objective(sb.sum(sb.log(X @ w)), [w], data={"X": np.ones((5, 3))})
    for method in (objective.fun, objective.jac):
        found = sb.nan_trace(method, [np.array([1.0, -2.0, 1.0])])
        assert (found.found, found.first.operands[0].high) == (True, 0)


def test_compressed_results_and_masked_arrays() -> None:
    f = sb.lambdify([x], sb.hessian(sb.sum(sb.log(x)), x), structure="compressed")
    found = sb.nan_trace(f, [ZERO])
    assert (found.name, found.places) == ("-1 / x", ("result.terms[0][2][0]",))
    assert not sb.nan_trace(lambda v: v * 2, [np.ma.array([1.0, np.nan], mask=[0, 1])]).found


def test_updates_leave_the_given_arrays_alone() -> None:
    w = sb.tensor("w", ("n",))
    f = sb.lambdify([w, x], sb.sum(w * x), updates={w: w - sb.log(x)})
    value = np.ones(3)
    found = sb.nan_trace(f, [value, MIXED])
    assert not found.found
    assert [origin.name for origin in found.harmless] == ["np.log(x)"]
    np.testing.assert_array_equal(value, np.ones(3))


@pytest.mark.parametrize("style", STYLES)
def test_what_is_computed_stays_the_same(style: str) -> None:
    finite = 0
    for number, program in enumerate(random_graphs.seeded_programs(24, seed=5)):
        f = sb.lambdify(program.variables, program.nodes(), style=style)
        scale = (1, 1e30, 1e200)[number % 3]
        with np.errstate(over="ignore"):
            values = [value * value.dtype.type(scale) for value in program.point().values()]
        with np.errstate(all="ignore"):
            expected = f(*values)
        found = sb.nan_trace(f, values)
        assert [(x.dtype, x.tobytes()) for x in found.results] == [(x.dtype, x.tobytes()) for x in expected]
        bad = [f"result[{k}]" for k, x in enumerate(expected) if not np.isfinite(x).all()]
        assert list(found.places) == bad
        assert bool(found.origins) == bool(bad)
        finite += not bad
    assert 5 < finite < 20


# -- plain functions: formulas that go wrong ------------------------------------------------------------


def hand_written_where(x):
    return np.where(x > 0, 1.0, 0.0) * (0.5 / np.sqrt(np.maximum(x, 0)))


def taken_by_where(x):
    return np.where(x > 0, np.sqrt(x), 0)


def softmax(z):
    e = np.exp(z)
    return e / np.sum(e)


def cross_entropy(z):
    p = softmax(z)
    return -np.log(p)[0], p


def norm_gradient(x):
    n = np.sqrt(np.sum(x * x))
    return x / n


def in_place(x):
    y = x + 1
    y /= x
    return y


def with_out(x):
    y = np.zeros(3)
    np.log(x, out=y)
    return y


def with_out_by_position(x):
    y = np.zeros(3)
    np.log(x, y)
    return y


def procedure(x):
    y = x * 5e307
    np.add.at(y, [2, 2], y[2])
    return y


def entries(x):
    g = np.zeros(3)
    for i in range(3):
        g[i] = np.log(x[i])
    return g * 2


def narrowed(x):
    y = np.zeros(3, np.float32)
    y[:] = x * 1e300
    return y


def by_loop(x):
    total = 0.0
    for i, (a, b) in enumerate(zip(1 / x, x, strict=True)):
        total = total + a + i * b
    return total


def by_comprehension(x):
    return np.array([1 / value for value in x])


def by_generator(x):
    return sum(1 / value for value in x)


def picked(x):
    logs = np.log(x)
    few = logs[[0, 1]]
    return few.sum() * 2


def chosen(x, flag=False):
    return x if flag else 1 / x


def recursive(x, depth=3):
    return x if depth == 0 else recursive(np.exp(x), depth - 1)


def multiline(x):
    return np.sum(x) + np.log(
        x[0] - x[0],
    )


def within(x):
    scale = 2.0

    def inner(y):
        return np.log(y) * scale

    return inner(x) + (lambda z: z * 2)(x)


def to_infinity(x):
    e = np.exp(x)
    return e - e


def decorate(f):
    @functools.wraps(f)
    def call(*args, **named):
        return f(*args, **named)

    return call


@decorate
def decorated(x):
    return np.log(x)


class Layer:
    def __init__(self):
        self.__scale = 2.0

    def __call__(self, x):
        return np.log(x) * self.__scale

    def method(self, x):
        assert super().__repr__()
        return self(x)


def factory(k):
    def scaled(x):
        nonlocal k
        k = k + 0
        return np.log(x * k)

    return scaled


PLAIN = {
    hand_written_where: (ZERO, "0.5 / np.sqrt(np.maximum(x, 0))", "division", (0,)),
    cross_entropy: (np.array([0.0, -800.0, 800.0]), "e", "overflow", (2,)),
    norm_gradient: (0 * ZERO, "x / n", "invalid", (0,)),
    in_place: (ZERO, "y", "division", (0,)),
    with_out: (ZERO, "y", "division", (0,)),
    with_out_by_position: (ZERO, "np.log(x, y)", "division", (0,)),
    procedure: (ZERO, "np.add.at(y, [2, 2], y[2])", "overflow", (2,)),
    entries: (ZERO, "np.log(x[i])", "division", ()),
    narrowed: (ZERO, "y[:]", "overflow", (1,)),
    by_loop: (ZERO, "1 / x", "division", (0,)),
    by_comprehension: (ZERO, "1 / value", "division", ()),
    by_generator: (ZERO[::-1], "1 / value", "division", ()),
    picked: (ZERO, "logs", "division", (0,)),
    chosen: (ZERO, "1 / x", "division", (0,)),
    recursive: (ZERO, "np.exp(x)", "overflow", (2,)),
    multiline: (ZERO, "np.log(x[0] - x[0])", "division", ()),
    within: (ZERO, "np.log(y)", "division", (0,)),
    to_infinity: (500 * ZERO, "e", "overflow", (2,)),
    decorated: (MIXED, "np.log(x)", "invalid", (1,)),
    Layer().method: (MIXED, "np.log(x)", "invalid", (1,)),
    Layer(): (MIXED, "np.log(x)", "invalid", (1,)),
    factory(2.0): (MIXED, "np.log(x * k)", "invalid", (1,)),
    functools.partial(chosen, flag=False): (ZERO, "1 / x", "division", (0,)),
    (lambda x: np.log(x)): (MIXED, "np.log(x)", "invalid", (1,)),
}


@pytest.mark.parametrize("f", PLAIN, ids=lambda f: getattr(f, "__name__", type(f).__name__))
def test_the_first_node_is_named_in_plain_functions(f: Any) -> None:
    point, name, kind, index = PLAIN[f]
    before = point.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = sb.nan_trace(f, [point])
    assert (found.name, found.kind, found.first.index) == (name, kind, index)
    lines = inspect.getsource(sys.modules[__name__]).splitlines()
    assert found.first.event.text[:6] in lines[found.line - 1]
    with np.errstate(all="ignore"):
        assert str(found.results) == str(f(point))
    np.testing.assert_array_equal(point, before)
    assert not found.note


def test_a_branch_that_where_does_not_take_is_harmless() -> None:
    found = sb.nan_trace(taken_by_where, [MIXED])
    assert not found.found
    assert (found.name, found.line, found.kind, found.first) == (None, None, None, None)
    (harmless,) = found.harmless
    assert (harmless.name, harmless.kind) == ("np.sqrt(x)", "invalid")
    assert harmless.dropped.text == "np.where(x > 0, np.sqrt(x), 0)"
    assert "all results are finite" in str(found)
    assert "does not take it: np.where" in str(found)


def test_infinities_that_are_meant_are_harmless() -> None:
    def masked(x):
        mask = np.full(3, -np.inf)
        mask[0] = 0
        e = np.exp(x + mask - np.max(x + mask))
        return e / e.sum()

    found = sb.nan_trace(masked, [ZERO])
    assert (found.found, found.harmless) == (False, ())


def test_where_an_infinity_becomes_nan_is_said() -> None:
    found = sb.nan_trace(hand_written_where, [ZERO])
    assert found.first.became_nan.text == "np.where(x > 0, 1.0, 0.0) * (0.5 / np.sqrt(np.maximum(x, 0)))"
    assert "it becomes NaN in line" in str(found)
    assert sb.nan_trace(to_infinity, [500 * ZERO]).first.became_nan.text == "e - e"


def test_operands_are_given_with_the_values_that_did_it() -> None:
    found = sb.nan_trace(in_place, [np.array([-2.0, 0.0, 5.0])])
    left, right = found.first.operands
    assert (left.text, left.low, left.high, left.value) == ("y", -1, 6, 1)  # as it was before
    assert (right.text, right.low, right.high, right.value, right.source) == ("x", -2, 5, 0, "x[1]")
    first = sb.nan_trace(decorated, [np.array([-1.0, 0.0, -4.0, 2.0])]).first
    assert (first.nan, first.infinite, first.size, first.index) == (2, 1, 4, (0,))


NAN = np.array([1.0, np.nan])


def with_global(x):
    return x * NAN


@pytest.mark.parametrize("container", [list, dict])
def test_nan_that_was_there_before_is_said_so(container: type) -> None:
    def f(params):
        return np.sum(params[1] * 2) + np.log(params[0])

    values = [np.ones(2), NAN]
    found = sb.nan_trace(f, [values if container is list else dict(enumerate(values))])
    assert (found.name, found.kind, found.line) == ("params[1]", "input", None)
    assert "the input params[1]: not finite already in the inputs" in str(found)
    found = sb.nan_trace(with_global, [np.ones(2)])
    assert (found.name, found.kind) == ("NAN", "constant")


def test_a_failure_over_nan_is_traced_back() -> None:
    def eigenvalues(A):
        return np.linalg.eigvals(np.log(A))

    found = sb.nan_trace(eigenvalues, [-np.eye(2)])
    assert (found.found, found.results, found.name) == (True, None, "np.log(A)")
    assert "LinAlgError" in found.error


@pytest.mark.parametrize(("function", "kind"), [(np.exp, "overflow"), (np.log, "invalid"), (np.reciprocal, "division")])
def test_an_error_of_arithmetic_is_traced_back(function: Any, kind: str) -> None:
    def f(x):
        with np.errstate(all="raise"):
            return 2 * function(x)

    point = {"overflow": 1e4, "invalid": -1.0, "division": 0.0}[kind]
    found = sb.nan_trace(f, [np.array([point])])
    assert (found.kind, found.name) == (kind, "function(x)")
    assert "FloatingPointError" in str(found)


def test_other_errors_are_the_functions_own() -> None:
    with pytest.raises(ValueError, match="operands could not be broadcast"):
        sb.nan_trace(lambda x: x + np.ones(5), [ZERO])
    sb.nan_trace(lambda x: x, [ZERO])
    assert np.geterr()["divide"] == "warn"


def test_tracers_stay_as_they_are() -> None:
    def tracer(*_: Any) -> None:
        return None

    before = sys.gettrace()
    try:
        sys.settrace(tracer)
        sb.nan_trace(decorated, [ZERO])
        kept = sys.gettrace()
    finally:
        sys.settrace(before)
    assert kept is tracer


def test_a_function_without_source_says_so() -> None:
    namespace: dict[str, Any] = {"np": np}
    exec(compile("def hidden(x):\n    return np.log(x)", "<nowhere>", "exec"), namespace)
    found = sb.nan_trace(namespace["hidden"], [ZERO])
    assert (found.found, found.kind) == (True, "made")
    assert "hidden was not watched inside: its source is not to be had; define it in a file" in str(found)
    assert sb.nan_trace(namespace["hidden"], [NAN]).kind == "input"
    assert "not written in Python" in sb.nan_trace(np.log, [ZERO]).note


def test_a_source_that_is_not_what_runs_is_not_run(tmp_path: Path) -> None:
    path = tmp_path / "changed.py"
    path.write_text("import numpy as np\ndef f(x):\n    return np.log(x)\n")
    spec = importlib.util.spec_from_file_location("changed", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    path.write_text("import numpy as np\ndef f(x):\n    return np.sqrt(x) + 1\n")
    found = sb.nan_trace(module.f, [ZERO])
    assert found.results[0] == -np.inf
    assert "its source is not what runs" in found.note


def test_memory_that_was_not_filled_is_an_origin_of_last_resort() -> None:
    memory = Memory()
    buffer, unfilled, made = (
        np.full(6, np.nan),
        Origin(kind=UNINITIALISED, name="buffer"),
        Origin(kind="invalid", name="y"),
    )
    memory.remember(buffer, [unfilled])
    assert memory.of(buffer[2:]) == [unfilled]
    assert not memory.is_known(buffer)
    memory.remember(buffer[:3], [made])
    assert memory.of(buffer) == [made]
    buffer[:3] = 0
    memory.forget(buffer[:3])
    assert memory.of(buffer) == [unfilled]


def test_the_report_in_every_form() -> None:
    found = sb.nan_trace(cross_entropy, [np.array([0.0, -800.0, 800.0])])
    assert found.places == ("result[0]", "result[1]")
    data = json.loads(json.dumps(found.to_dict()))
    assert (data["found"], data["name"], data["line"]) == (True, "e", found.line)
    assert data["origins"][0]["operands"][0]["high"] == 800
    text = str(found)
    assert "cross_entropy: result[0], result[1] are not finite; e, line" in text
    assert "in softmax:" in text
    page = sb.nan_trace(lambda x: np.log(x * (1 if x[0] < 1 else 2)), [ZERO])._repr_html_()
    assert "x[0] &lt; 1" in page
    assert "<script" not in page
    assert page.count("<table>") == 1


@pytest.mark.parametrize(
    ("f", "inputs", "error", "message"),
    [
        (x, [ZERO], sb.errors.UsageError, "nan_trace: a Variable cannot be run; give a function, such as sb.lambdify"),
        (decorated, [ZERO, ZERO], sb.errors.InputError, r"do not fit decorated\(x\): too many positional arguments"),
        (chosen, {"y": ZERO}, sb.errors.InputError, r"missing a required argument: 'x'; give a list in the order"),
    ],
)
def test_misuse_is_refused(f: Any, inputs: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        sb.nan_trace(f, inputs)


def test_generators_are_refused() -> None:
    def items(x):
        yield np.log(x)

    with pytest.raises(sb.errors.UsageError, match="items is a generator, whose body does not run"):
        sb.nan_trace(items, [ZERO])


def quiet_log(x):
    with np.errstate(all="ignore"):
        return np.log(x)


def quiet_quotient(x):
    with np.errstate(divide="ignore"):
        return (x + 1) / 0


def quiet_power(x):
    with np.errstate(all="warn"):
        return x**-1.0


def quiet_overflow(x):
    with np.errstate(all="ignore"):
        return np.exp((x + 1) * 1e5)


@pytest.mark.parametrize(
    ("f", "kind"),
    [(quiet_log, "division"), (quiet_quotient, "division"), (quiet_power, "division"), (quiet_overflow, "overflow")],
)
def test_poles_are_told_from_overflow_where_the_function_silences_numpy(f: Any, kind: str) -> None:
    assert sb.nan_trace(f, [np.array([0.0, 2.0])]).kind == kind


def taken_apart(x):
    a, (b, *rest) = np.log(x[0]), np.log(x)
    return a + b + sum(rest)


def in_a_loop(x):
    total = 0.0
    for a, b in np.log(x.reshape(1, 2)):
        total = total + a + b
    return total


@pytest.mark.parametrize("f", [taken_apart, in_a_loop])
def test_parts_of_an_array_come_from_where_it_comes(f: Any) -> None:
    found = sb.nan_trace(f, [np.array([0.0, 2.0])])
    assert found.kind == "division"
    assert "np.log(" in found.first.event.text
    assert {origin.kind for origin in found.origins} == {"division"}
