"""Update rules, and functions that write new values in place of their arguments."""

import pickle
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy

import symback as sb
from golden import check_golden
from symback.codegen.source.loading import run_module

STYLES = ["readable", "fast"]
DTYPES = ["float64", "float32"]

a, b = sb.tensor("a", ("n",)), sb.tensor("b", ("n",))
c = sb.tensor("c")
eta = sb.tensor("eta")


def network(dtype: str = "float64") -> tuple[list[Any], dict[str, Any], Any]:
    """Return inputs, parameters and loss of two layers."""
    x, y = sb.tensor("x", ("n",), dtype=dtype), sb.tensor("y", ("m",), dtype=dtype)
    W1, b1 = sb.tensor("W1", ("h", "n"), dtype=dtype), sb.tensor("b1", ("h",), dtype=dtype)
    W2, b2 = sb.tensor("W2", ("m", "h"), dtype=dtype), sb.tensor("b2", ("m",), dtype=dtype)
    z1 = sb.let("z1", W1 @ x + b1)
    a1 = sb.let("a1", sb.sigmoid(z1))
    z2 = sb.let("z2", W2 @ a1 + b2)
    a2 = sb.let("a2", sb.sigmoid(z2))
    loss = sb.let("L", sb.sum((a2 - y) ** 2) / 2)
    return [x, y], {"W1": W1, "b1": b1, "W2": W2, "b2": b2}, loss


def start(dtype: str = "float64") -> tuple[list[Any], dict[str, Any]]:
    rng = np.random.default_rng(3)
    shapes = {"W1": (4, 3), "b1": (4,), "W2": (2, 4), "b2": (2,)}
    data = [rng.normal(size=3).astype(dtype), rng.uniform(0, 1, 2).astype(dtype)]
    return data, {name: rng.normal(size=shape).astype(dtype) for name, shape in shapes.items()}


# -- the rules, beside the same rules written by hand -------------------------------------------------------

Array = Any
Rule = Callable[[Array, Array, dict[str, Array], int], Array]


def by_sgd(w: Array, g: Array, state: dict[str, Array], count: int) -> Array:
    return w - 0.3 * g


def by_momentum(w: Array, g: Array, state: dict[str, Array], count: int) -> Array:
    state["v"] = 0.9 * state.get("v", 0 * w) + g
    return w - 0.3 * state["v"]


def by_nesterov(w: Array, g: Array, state: dict[str, Array], count: int) -> Array:
    state["v"] = 0.9 * state.get("v", 0 * w) + g
    return w - 0.3 * (g + 0.9 * state["v"])


def by_adam(w: Array, g: Array, state: dict[str, Array], count: int) -> Array:
    state["m"] = 0.9 * state.get("m", 0 * w) + 0.1 * g
    state["v"] = 0.999 * state.get("v", 0 * w) + 0.001 * g**2
    correction = np.sqrt(1 - 0.999 ** np.int64(count))
    rate, offset = 0.3 * correction / (1 - 0.9 ** np.int64(count)), 1e-8 * correction
    return w - w.dtype.type(rate) * state["m"] / (np.sqrt(state["v"]) + w.dtype.type(offset))


RULES: dict[str, tuple[Callable[..., sb.optim.Updates], Rule]] = {
    "sgd": (lambda loss, params: sb.optim.sgd(loss, params, 0.3), by_sgd),
    "momentum": (lambda loss, params: sb.optim.momentum(loss, params, 0.3), by_momentum),
    "nesterov": (lambda loss, params: sb.optim.momentum(loss, params, 0.3, 0.9, nesterov=True), by_nesterov),
    "adam": (lambda loss, params: sb.optim.adam(loss, params, 0.3), by_adam),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", RULES)
def test_fifty_steps_are_those_written_by_hand_to_the_last_bit(name: str, dtype: str) -> None:
    rule, by_hand = RULES[name]
    inputs, params, loss = network(dtype)
    updates = rule(loss, params)
    train = sb.lambdify([*inputs, *updates], loss, updates=updates)
    slope = sb.lambdify([*inputs, *params.values()], (loss, sb.grad(loss, params)))
    data, here = start(dtype)
    there = {key: value.copy() for key, value in here.items()}
    state = updates.initial(here)
    memory: dict[str, dict[str, Any]] = {key: {} for key in there}
    by_name = dict(zip([node.name for node in inputs], data, strict=True))
    for count in range(1, 51):
        value = train(**by_name, **here, **state)
        wanted, gradients = slope(*data, **there)
        there = {key: by_hand(w, gradients[key], memory[key], count) for key, w in there.items()}
        assert value == wanted
    for key in there:
        assert np.array_equal(here[key], there[key]), key
        assert here[key].dtype == there[key].dtype == dtype


@pytest.mark.parametrize("name", RULES)
def test_the_fast_style_computes_the_same(name: str) -> None:
    inputs, params, loss = network()
    updates = RULES[name][0](loss, params)
    data, values = start()
    results = []
    for style in STYLES:
        train = sb.lambdify([*inputs, *params.values(), *updates.state], loss, updates=updates, style=style)
        here = [*data, *(value.copy() for value in values.values()), *updates.initial(values).values()]
        losses = [train(*here) for _ in range(20)]
        assert losses[-1] < losses[0]
        results.append([*losses, *here])
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-14)


def test_adam_is_algorithm_1_of_the_paper() -> None:
    w = sb.tensor("w", ("n",))
    updates = sb.optim.adam(sb.sum(sb.cos(w) * w), w, 0.01, epsilon=0.5)
    train = sb.lambdify([*updates], [], updates=updates)
    theta = np.array([0.3, -2.0, 1.0])
    here, state = theta.copy(), updates.initial({"w": theta})
    m = v = np.zeros(3)
    for t in range(1, 30):
        g = np.cos(theta) - theta * np.sin(theta)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        theta = theta - 0.01 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 0.5)
        train(w=here, **state)
    np.testing.assert_allclose(here, theta, rtol=1e-13)
    assert state["step_count"] == 29


def test_gradient_descent_on_a_parabola_shrinks_by_a_factor() -> None:
    updates = sb.optim.sgd(2 * c**2, c, 0.1)
    value = np.array(5.0)
    step = sb.lambdify([c], 2 * c**2, updates=updates)
    losses = [step(value) for _ in range(10)]
    np.testing.assert_allclose(losses, [50 * 0.6 ** (2 * k) for k in range(10)], rtol=1e-13)
    np.testing.assert_allclose(value, 5 * 0.6**10, rtol=1e-13)


def test_momentum_on_a_parabola_is_the_power_of_a_matrix() -> None:
    updates = sb.optim.momentum(c**2 / 2, c, 0.1, 0.8)
    value, velocity = np.array(1.0), np.array(0.0)
    step = sb.lambdify([c, *updates.state], [], updates=updates)
    for _ in range(25):
        step(value, velocity)
    power = np.linalg.matrix_power([[0.8, 1.0], [-0.08, 0.9]], 25)  # (v, w) to (μ v + w, w - η (μ v + w))
    np.testing.assert_allclose([velocity, value], power @ [0.0, 1.0], rtol=1e-12)


def test_the_first_step_of_adam_is_the_rate_times_the_sign() -> None:
    updates = sb.optim.adam(sb.sum(a**3), a, eta, epsilon=0)
    value = np.array([2.0, -1.0, 0.5])
    sb.lambdify([*updates, eta], [], updates=updates)(a=value, eta=0.25, **updates.initial({"a": value}))
    np.testing.assert_allclose(value, np.array([2.0, -1.0, 0.5]) - 0.25, rtol=1e-14)


def test_constants_may_be_nodes() -> None:
    mu, two, small = sb.tensor("mu"), sb.tensor("beta2"), sb.tensor("tiny")
    cases = [
        (sb.optim.momentum(sb.sum(a**2), a, eta, mu), sb.optim.momentum(sb.sum(a**2), a, 0.1, 0.75)),
        (sb.optim.adam(sb.sum(a**2), a, eta, mu, two, small), sb.optim.adam(sb.sum(a**2), a, 0.1, 0.75, 0.5, 0.25)),
    ]
    for given, fixed in cases:
        values = [np.array([1.0, 2.0]) for _ in range(2)]
        for rule, value in zip((given, fixed), values, strict=True):
            step = sb.lambdify([*rule, eta, mu, two, small], [], updates=rule)
            state = rule.initial({"a": value})
            for _ in range(3):
                step(a=value, **state, eta=0.1, mu=0.75, beta2=0.5, tiny=0.25)
        np.testing.assert_allclose(*values, rtol=1e-14)


def test_given_gradients_compose() -> None:
    w, x = sb.tensor("w", ("n",), dtype="float32"), sb.tensor("x", ("n",), dtype="float32")
    gradient = sb.grad(sb.sum(sb.sin(w * x)), w)
    length = sb.sqrt(sb.sum(gradient**2))
    clipped = gradient * sb.minimum(1, 0.1 / length) + 0.01 * w
    rule = sb.optim.sgd({w: clipped}, learning_rate=eta)
    value, data = np.array([1, 2, 3], "float32"), np.array([0.5, -1, 2], "float32")
    sb.lambdify([w, x, eta], [], updates=rule)(before := value.copy(), data, 0.5)
    g = np.cos(value * data) * data
    wanted = value - 0.5 * (g * min(1, 0.1 / np.sqrt(np.sum(g**2))) + 0.01 * value)
    assert before.dtype == np.float32
    np.testing.assert_allclose(before, wanted, rtol=1e-6)
    assert sb.optim.sgd({w: gradient, x: x}, w).parameters == [w]


# -- what is emitted ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["sgd", "momentum", "nesterov", "adam"])
def test_emitted_training_step_is_the_golden_one(name: str) -> None:
    inputs, params, loss = network()
    rules = {
        "sgd": lambda: sb.optim.sgd(loss, params, eta),
        "momentum": lambda: sb.optim.momentum(loss, params, eta),
        "nesterov": lambda: sb.optim.momentum(loss, params, eta, nesterov=True),
        "adam": lambda: sb.optim.adam(loss, params, eta),
    }
    updates = rules[name]()
    train = sb.lambdify([*inputs, *params.values(), eta, *updates.state], loss, updates=updates, name="train")
    check_golden(f"train_{name}.py.txt", train.source)


BODIES: dict[str, tuple[Any, dict[Any, Any], list[str]]] = {
    "a swap puts one value aside": ([], {a: b, b: a}, ["new_a = np.array(b)", "b[...] = a", "a[...] = new_a"]),
    "an order without copies": ([], {a: a + b, b: 2 * b}, ["a += b", "b *= 2"]),
    "the other order": ([], {b: 2 * b, a: a + b}, ["a += b", "b *= 2"]),
    "a new value that others need": ([], {a: 0.5 * a + b, c: c - sb.sum(0.5 * a + b)},
                                     ["a *= 0.5", "a += b", "c -= a.sum()"]),
    "with the old value too": ([], {a: a + b, b: (a + b) * a}, ["s = a + b", "b[...] = s * a", "a[...] = s"]),
    "old values leave as copies": ([a, c], {a: a + 1, c: 3 * c},
                                   ["old_a = np.array(a)", "old_c = np.float64(c)", "a += 1", "c *= 3"]),
    "results are computed before": (sb.sum(a), {a: -a}, ["total = a.sum()", "a *= -1"]),
    "results of other arguments stay where they are": (sb.sum(b), {a: a / 3}, ["a /= 3"]),
    "nothing changes": ([], {a: a}, []),
    "one value twice": ([], {a: a * b, b: a * b}, ["product = a * b", "a[...] = product", "b[...] = product"]),
    "a view of another argument": ([], {a: b[::-1], b: a[::-1]},
                                   ["new_a = np.array(b[::-1])", "b[...] = a[::-1]", "a[...] = new_a"]),
    "terms that read what was changed": ([], {a: a + b + a[::-1]},
                                         ["a_term = np.array(a[::-1])", "a += b", "a += a_term"]),
}  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
def test_statements_are_what_one_writes_by_hand(name: str) -> None:
    outputs, updates, wanted = BODIES[name]
    source = sb.lambdify([a, b, c], outputs, updates=updates, check=False).source
    body = [line.strip() for line in source.partition('"""\n    ')[2].rpartition('"""')[2].splitlines() if line.strip()]
    assert body[:-1] == wanted


def test_docstrings_name_what_is_updated() -> None:
    f = sb.lambdify([a, b, c], sb.let("L", sb.sum(a)), updates={a: a + b, c: c + 1})
    assert f.__doc__.startswith("Compute L; a and c are updated in place.\n")
    assert sb.lambdify([a], [], updates={a: 2 * a}).__doc__.startswith("Update a in place.\n")
    assert "Cost: " in sb.lambdify([a], sb.sum(a), updates={a: 2 * a}, cost=True).__doc__


@pytest.mark.parametrize("style", STYLES)
def test_complete_modules_check_gradients_on_copies(style: str) -> None:
    w, x = sb.tensor("w", ("n",)), sb.tensor("x", ("n",))
    loss = sb.let("L", sb.sum(sb.tanh(w * x)))
    rule = sb.optim.adam(loss, w)
    f = sb.lambdify([x, *rule], (loss, sb.grad(loss, w)), updates=rule, name="train", style=style)
    module = run_module("example", f.module)
    arguments = module["example_arguments"]()
    before = {name: np.array(value) for name, value in arguments.items()}
    assert max(module["check_gradient"](**arguments).values()) < 1e-6
    assert all(np.array_equal(before[name], value) for name, value in arguments.items())
    module["train"](**arguments)
    assert arguments["step_count"] == before["step_count"] + 1
    again = pickle.loads(pickle.dumps(f))
    assert again.module == f.module


def test_sympy_symbols_are_updated() -> None:
    s, rate = sympy.symbols("s rate")
    value = np.array(2.0)
    assert sb.lambdify([s, rate], s**2, updates={s: s - rate * 2 * s})(value, 0.25) == 4
    assert value == 1


def test_views_of_one_array_can_be_trained() -> None:
    theta = np.arange(6.0)
    sb.lambdify([a, b], [], updates={a: a + b, b: b - 1})(theta[:3], theta[3:])
    assert theta.tolist() == [3, 5, 7, 2, 3, 4]
    sb.lambdify([a, b], [], updates={a: a + b, b: b - 1})(theta[::2], theta[1::2])
    assert theta.tolist() == [8, 4, 9, 1, 7, 3]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("length", [0, 1, 3000])
def test_any_size_and_call_after_call(length: int, style: str) -> None:
    rule = sb.optim.momentum(sb.sum(sb.tanh(a * b) ** 2), a)
    step = sb.lambdify([a, b, *rule.state], sb.tanh(a * b), updates=rule, style=style)
    value, data, velocity = np.linspace(-1, 1, length), np.full(length, 0.5), np.zeros(length)
    x, v = value.copy(), velocity.copy()
    kept = []
    for _ in range(3):
        y = np.tanh(x * 0.5)
        kept.append((step(value, data, velocity), y))
        v = 0.9 * v + 2 * y * (1 - y**2) * 0.5
        x = x - 0.1 * v
    for found, wanted in [*kept, (value, x), (velocity, v)]:
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-15)


# -- random systems of updates, beside the oracle ----------------------------------------------------------


def draw_system(seed: int) -> tuple[list[Any], dict[Any, Any], list[Any]]:
    """Draw variables of one shape, new values that need one another, and results: views and old values among them."""
    pick = random.Random(seed).choice
    shape, dtype = pick([(), ("n",), ("n", "n"), (3, 3)]), pick(["float64", "float64", "float32"])
    variables = [sb.tensor(name, shape, dtype=dtype) for name in ("p", "q", "r", "s")]
    menu: list[Callable[..., Any]] = [
        lambda x, y: x + y, lambda x, y: x - y, lambda x, y: x * y, lambda x, y: x / (1 + y * y), lambda x, y: x / 3,
        lambda x, y: sb.tanh(x), lambda x, y: -x, lambda x, y: sb.where(x > y, x, y), lambda x, y: sb.sin(x) * sb.sum(y)
    ]  # fmt: skip
    if shape:
        menu += [lambda x, y: x[::-1], lambda x, y: sb.roll(x, 1), lambda x, y: x.reshape(-1).reshape(x.shape)]
    if len(shape) == 2:
        menu += [lambda x, y: x.T, lambda x, y: x @ y / 3, lambda x, y: x * sb.diagonal(y)]
    forms: list[Callable[..., Any]] = [
        lambda t, x, y: x, lambda t, x, y: 0.9 * t + x, lambda t, x, y: t - 0.1 * x, lambda t, x, y: t * x,
        lambda t, x, y: x - t, lambda t, x, y: t / 2, lambda t, x, y: x * t + y, lambda t, x, y: t + x + y,
        lambda t, x, y: x + y + t, lambda t, x, y: t / (2 + x * x), lambda t, x, y: -t - 0.25 * x * y
    ]  # fmt: skip
    pool = list(variables)
    for number in range(pick(range(1, 6))):
        node = pick(menu)(pick(pool), pick(pool))
        pool.append(sb.let(f"l{number}", node) if pick(range(3)) == 0 else node)
    updates: dict[Any, Any] = {}
    for target in variables[: pick([1, 2, 3, 4])]:
        updates[target] = pick(forms)(target, pick(pool), pick(pool))
        pool += [updates[target], pick(menu)(updates[target], pick(pool))]
    return variables, updates, [pick(pool) for _ in range(pick([0, 1, 2, 3]))]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("style", STYLES)
def test_random_systems_agree_with_the_oracle(style: str, seed: int) -> None:
    for number in range(12 * seed, 12 * seed + 12):
        variables, updates, outputs = draw_system(number)
        rng = np.random.default_rng(number)
        shape = tuple(3 for _ in variables[0].shape)
        values = {x: np.asarray(rng.uniform(-1, 1, shape)).astype(x.dtype) for x in variables}
        wanted = sb.evaluate([*outputs, *updates.values()], values)
        f = sb.lambdify(variables, outputs, updates=updates, style=style)
        arguments = [np.array(value) for value in values.values()]
        results = f(*arguments)
        after = [arguments[variables.index(x)] for x in updates]
        near = 1e-5 if variables[0].dtype == np.float32 else 1e-11
        for found, value in zip([*results, *after], wanted, strict=True):
            np.testing.assert_allclose(found, value, rtol=near, atol=near, err_msg=f"{number}\n{f.source}")
            assert found.dtype == value.dtype
        assert not any(np.shares_memory(x, y) for x in arguments for y in results)
        for x, array in zip(variables, arguments, strict=True):
            assert x in updates or np.array_equal(array, values[x])
        if style == "readable":
            plain = sb.lambdify(variables, list(updates.values()))(*values.values())
            assert all(np.array_equal(x, y) for x, y in zip(plain, after, strict=True))


# -- LaTeX ------------------------------------------------------------------------------------------------


def test_rules_print_as_in_textbooks() -> None:
    W, bias, x = sb.tensor("W", ("m", "n")), sb.tensor("b", ("m",)), sb.tensor("x", ("n",))
    loss = sb.sum(sb.tanh(W @ x + bias))
    assert sb.optim.sgd(loss, [W, bias], eta).latex() == (
        "\\begin{aligned}\n"
        r"W &\leftarrow W - \eta \cdot \frac{\partial \mathcal{L}}{\partial W} \\" + "\n"
        r"b &\leftarrow b - \eta \cdot \frac{\partial \mathcal{L}}{\partial b}" + "\n\\end{aligned}"
    )
    rule = sb.optim.momentum(loss, W, eta, sb.tensor("mu"))
    assert rule.latex().splitlines()[1:-1] == [
        r"v_{W} &\leftarrow \mu v_{W} + \frac{\partial \mathcal{L}}{\partial W} \\",
        r"W &\leftarrow W - \eta v_{W}",
    ]
    assert rule._repr_latex_() == f"$\\displaystyle {rule.latex()}$"
    adam = sb.optim.adam(loss, W, eta).latex().splitlines()[1:-1]
    assert [line.removesuffix(r" \\") for line in adam] == [
        r"t &\leftarrow t + 1",
        r"m_{W} &\leftarrow 0.9 m_{W} + 0.1 \frac{\partial \mathcal{L}}{\partial W}",
        r"v_{W} &\leftarrow 0.999 v_{W} + 0.001 \left(\frac{\partial \mathcal{L}}{\partial W}\right)^{\odot 2}",
        r"\hat{m}_{W} &= \frac{m_{W}}{1 - 0.9^{t}}",
        r"\hat{v}_{W} &= \frac{v_{W}}{1 - 0.999^{t}}",
        r"W &\leftarrow W - \frac{\eta \hat{m}_{W}}{\sqrt{\hat{v}_{W}} + 10^{-8}}",
    ]


def test_a_rule_prints_as_its_assignments() -> None:
    assert repr(sb.optim.sgd(sb.sum(a**2), a, eta)) == "a <- a - eta*d_a"


# -- bad input ----------------------------------------------------------------------------------------------

STEP = sb.lambdify([a, b, c], [], updates={a: a + c * b, c: c + 1}, name="step")
ONE = np.ones(3)


def read_only() -> Any:
    array = np.ones(3)
    array.flags.writeable = False
    return array


ARGUMENTS: dict[str, tuple[type[Exception], Callable[[], tuple[Any, ...]], str]] = {
    "a list": (sb.errors.DtypeError, lambda: ([1.0, 2.0, 3.0], ONE, np.zeros(())),
               "a is updated in place, but is a list; make it an array once, np.array(a, 'float64'), and keep that"),
    "a number": (sb.errors.DtypeError, lambda: (np.ones(3), ONE, 1.0),
                 "c is updated in place, but is a float; make it an array once, np.array(c, 'float64'), and keep that"),
    "a scalar of NumPy's": (sb.errors.DtypeError, lambda: (np.ones(3), ONE, np.float64(1)),
                            "c is updated in place, but is a numpy.float64; make it an array once, "
                            "np.array(c, 'float64'), and keep that"),
    "another dtype": (sb.errors.DtypeError, lambda: (np.ones(3, "float32"), ONE, np.zeros(())),
                      "a is updated in place and has dtype float32, wanted float64; convert it once with "
                      ".astype('float64'), and keep that"),
    "another byte order": (sb.errors.DtypeError, lambda: (np.ones(3, ">f8"), ONE, np.zeros(())),
                           "a is updated in place and has dtype >f8, wanted float64; convert it once with "
                           ".astype('float64'), and keep that"),
    "masked": (sb.errors.DtypeError, lambda: (np.ma.ones(3), ONE, np.zeros(())),
               "a is a masked array; fill it first"),
    "read-only": (sb.errors.InputError, lambda: (read_only(), ONE, np.zeros(())),
                  "a is updated in place, but is read-only; make it an array of its own once with .copy(), and keep "
                  "that"),
    "one entry three times": (sb.errors.InputError, lambda: (np.broadcast_arrays(np.ones(1), ONE)[0], ONE, np.ones(())),
                              "a is updated in place, but has entries that share memory; make it an array of its own "
                              "once with .copy(), and keep that"),
    "overlap with what is read": (sb.errors.InputError, lambda: (ONE, ONE[::-1], np.zeros(())),
                                  "a is updated in place, but shares memory with b; pass a copy of one of them"),
    "overlap with what is written": (sb.errors.InputError, lambda: (ONE, np.ones(3), ONE[1:2].reshape(())),
                                     "a is updated in place, but shares memory with c; pass a copy of one of them"),
    "another shape": (sb.errors.InputError, lambda: (np.ones(3), np.ones(2), np.zeros(())),
                      "b has shape (2,): axis 0 has size 2, wanted n (n = 3 by a)"),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:Numpy has detected:DeprecationWarning")
@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments_that_cannot_be_written_to(name: str) -> None:
    kind, arguments, message = ARGUMENTS[name]
    for _ in range(2):
        with pytest.raises(kind) as raised:
            STEP(*arguments())
        assert str(raised.value) == message


def test_arguments_that_were_right_are_checked_again() -> None:
    good = np.ones(3), np.ones(3), np.zeros(())
    STEP(*good)
    STEP(*good)
    with pytest.raises(sb.errors.InputError, match="shares memory with b"):
        STEP(good[0], good[0], good[2])
    good[0].flags.writeable = False
    with pytest.raises(sb.errors.InputError, match="read-only"):
        STEP(*good)
    one_entry = np.lib.stride_tricks.as_strided(np.ones(1), (3,), (0,))
    with pytest.raises(sb.errors.InputError, match="entries that share memory"):
        STEP(one_entry, good[1], good[2])


def test_a_subclass_of_arrays_is_written_to(tmp_path: Any) -> None:
    file = np.memmap(tmp_path / "weights", dtype="float64", shape=(3,), mode="w+")
    STEP(file, ONE, count := np.array(2.0))
    assert file.tolist() == [2, 2, 2]
    assert count == 3


n2 = sb.tensor("k", ("n", 2))
single = sb.tensor("w", ("n",), dtype="float32")
whole = sb.tensor("i", ("n",), dtype="int64")
flag = sb.tensor("flag", (), dtype="bool")
taken = sb.tensor("v_a")

BAD: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "no mapping": (lambda: sb.lambdify([a], a, updates=[a]), sb.errors.UsageError,
                   "lambdify: updates is given as list; give a dict from variables to their new values"),
    "no variable": (lambda: sb.lambdify([a], a, updates={a + 1: a}), sb.errors.InputError,
                    r"lambdify: a \+ 1 cannot be updated: it is no variable; only arguments are written to"),
    "no input": (lambda: sb.lambdify([a], a, updates={b: a}), sb.errors.InputError,
                 "lambdify: b is updated, but is not among the inputs; add it"),
    "twice": (lambda: sb.lambdify([c], c, updates={c: c, sympy.Symbol("c"): c}), sb.errors.InputError,
              "lambdify: 'c' stands twice in updates"),
    "shape": (lambda: sb.lambdify([a], a, updates={a: sb.sum(a)}), sb.errors.ShapeError,
              "lambdify: a .* is updated with .*; a new value has the shape of what it replaces"),
    "dtype": (lambda: sb.lambdify([single, eta], [], updates={single: single * eta}), sb.errors.DtypeError,
              r"w \(n,\) is float32, and its new value float64; .* convert it with .astype\('float32'\)"),
    "missing": (lambda: sb.lambdify([a], a, updates={a: a + b}), sb.errors.InputError, "depend on b, which is not"),
    "no parameters": (lambda: sb.optim.sgd(sb.sum(a), []), sb.errors.InputError, "sgd: there are no parameters"),
    "no params": (lambda: sb.optim.sgd(sb.sum(a)), sb.errors.UsageError, "sgd: params is missing"),
    "computed": (lambda: sb.optim.adam(sb.sum(2 * a), [2 * a]), sb.errors.UsageError, "adam: .* is no variable"),
    "not a node": (lambda: sb.optim.adam(sb.sum(a), [a, "a"]), sb.errors.UsageError, "adam: 'a' is no variable"),
    "integers": (lambda: sb.optim.sgd(sb.sum(whole), whole), sb.errors.DtypeError, "only float variables can be"),
    "listed twice": (lambda: sb.optim.sgd(sb.sum(a), [a, a]), sb.errors.InputError, "'a' is listed twice"),
    "no gradient": (lambda: sb.optim.sgd({a: a}, [b]), sb.errors.InputError, "no gradient for 'b' among those given"),
    "gradient": (lambda: sb.optim.sgd({a: c}), sb.errors.ShapeError, r"the gradient c \(\) is not of the shape of a"),
    "disconnected": (lambda: sb.optim.sgd(sb.sum(a), [a, b]), sb.errors.DerivativeError,
                     r"^sgd: the loss does not depend on b \(n,\); leave it out of params"),
    "no scalar": (lambda: sb.optim.sgd(a, a), sb.errors.DerivativeError, "^sgd: the loss a .* is not a scalar"),
    "rate": (lambda: sb.optim.sgd(sb.sum(a), a, float("nan")), sb.errors.InputError,
             "sgd: learning_rate=nan must be a finite number, or a scalar node"),
    "rate with axes": (lambda: sb.optim.sgd(sb.sum(a), a, b), sb.errors.ShapeError,
                       r"learning_rate is b \(n,\); it must be a scalar of shape \(\)"),
    "rate of a flag": (lambda: sb.optim.sgd(sb.sum(a), a, flag), sb.errors.DtypeError, "must be a float scalar"),
    "momentum": (lambda: sb.optim.momentum(sb.sum(a), a, 0.1, 1), sb.errors.InputError,
                 "momentum: momentum=1 must be a number from 0 to below 1, or a scalar node"),
    "beta": (lambda: sb.optim.adam(sb.sum(a), a, beta2=-0.1), sb.errors.InputError, "adam: beta2=-0.1 must be"),
    "epsilon": (lambda: sb.optim.adam(sb.sum(a), a, epsilon=-1), sb.errors.InputError,
                "adam: epsilon=-1 must be a finite number from 0, or"),
    "a name": (lambda: sb.optim.momentum(sb.sum(a) * taken, a), sb.errors.InvalidNameError,
               r"momentum: 'v_a' is the name of a variable of the optimizer's, and of v_a \(\) of float64; rename"),
    "start": (lambda: sb.optim.momentum(sb.sum(a) * c, [a, c]).initial({"a": ONE}), sb.errors.InputError, "initial: "),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_rules_and_updates(name: str) -> None:
    make, kind, message = BAD[name]
    with pytest.raises(kind, match=message):
        make()


def test_zeros_for_the_state_fit_the_parameters() -> None:
    rule = sb.optim.adam(sb.sum(n2.astype("float32") @ np.ones((2,), "float32")) * sb.sum(single), [n2, single])
    zeros = rule.initial({n2: np.ones((5, 2)), "w": np.ones(5, "float32")})
    found = {name: (array.shape, array.dtype.name, array.any()) for name, array in zeros.items()}
    assert found == {
        "step_count": ((), "int64", False),
        "m_k": ((5, 2), "float64", False), "v_k": ((5, 2), "float64", False),
        "m_w": ((5,), "float32", False), "v_w": ((5,), "float32", False),
    }  # fmt: skip
    assert [x.name for x in rule.state] == list(zeros)
    with pytest.raises(sb.errors.ShapeError, match="initial: "):
        rule.initial({n2: np.ones((5, 2)), "w": np.ones(4, "float32")})
