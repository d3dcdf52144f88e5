"""The fast style: the same numbers as the readable style and the oracle, in memory that is its own."""

import subprocess
import sys
import threading

import numpy as np
import pytest

import symback as sb
from networks import NETWORKS
from random_graphs import seeded_programs
from symback.check.evaluate import evaluate


def arrays_of(nested):
    return [np.asarray(leaf) for leaf in nested]


def held_alike(found, wanted, tolerance):
    for one, other in zip(found, wanted, strict=True):
        assert one.shape == np.shape(other)
        np.testing.assert_allclose(one, np.asarray(other, float), rtol=tolerance, atol=tolerance)


def alias_nothing(arrays, inputs):
    large = [array for array in arrays if array.size]
    for k, array in enumerate(large):
        assert not any(np.may_share_memory(array, other) for other in [*large[:k], *inputs])


def outputs_with_gradient(program):
    floats = [x for x in program.variables if x.dtype.kind == "f"]
    loss = program.loss()
    return [*program.nodes()[len(program.variables) :], loss, *sb.grad(loss, floats, disconnected="zero")]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("reuse", [False, True])
def test_random_graphs_agree_with_the_oracle_call_after_call(seed, reuse):
    for program in seeded_programs(10, seed=100 + seed):
        outputs, point = outputs_with_gradient(program), program.point()
        given = [point[x] for x in program.variables]
        before = [value.copy() for value in given]
        f = sb.lambdify(program.variables, outputs, style="fast", reuse_buffers=reuse)
        with np.errstate(all="ignore"):
            wanted = evaluate(outputs, point)
            first = arrays_of(f(*given))
            kept = [array.copy() for array in first]
            second = arrays_of(f(*given))
        held_alike(first, wanted, 2e-4 if program.single else 1e-9)
        for one, other, copy in zip(first, second, kept, strict=True):
            assert np.array_equal(one, other, equal_nan=True), "a second call gives the same"
            assert np.array_equal(one, copy, equal_nan=True), "and leaves the first results as they are"
        alias_nothing([*first, *second], given)
        assert all(np.array_equal(value, copy) for value, copy in zip(given, before, strict=True))
        assert f.source == sb.lambdify(program.variables, outputs, style="fast", reuse_buffers=reuse).source


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("reuse", [False, True])
def test_networks_agree_with_the_readable_style(name, reuse):
    network = NETWORKS[name]()
    outputs = [network.loss, *sb.grad(network.loss, network.parameters)]
    readable = sb.lambdify(network.inputs, outputs)
    fast = sb.lambdify(network.inputs, outputs, style="fast", reuse_buffers=reuse)
    for seed in range(2):
        point = network.point(seed)
        held_alike(arrays_of(fast(*point)), readable(*point), 1e-13)


def chain(x, y):
    u = sb.let("u", x * y + x)
    v = sb.let("v", sb.tanh(u) * sb.exp(-u * u) + sb.sigmoid(y))
    return (v - y) * (v + y) / (2 + u * u) + sb.softplus(v)


SHAPES = [(("n",), ("n",)), (("n", "m"), ("n", "m")), (("n", "m"), ("m",)), (("n", "m"), ("n", 1)),
          (("n", "m"), ()), ((40_000,), (40_000,)), ((3,), (3,)), ((1, "m"), (1, "m"))]  # fmt: skip


@pytest.mark.parametrize("shapes", SHAPES, ids=str)
@pytest.mark.parametrize("sizes", [{"n": 20_011, "m": 3}, {"n": 2, "m": 9000}, {"n": 0, "m": 3}, {"n": 1, "m": 1}])
def test_long_chains_run_block_by_block(shapes, sizes):
    x, y = (sb.tensor(name, shape) for name, shape in zip("xy", shapes, strict=True))
    value = chain(x, y)
    loss = sb.sum(value) / 2
    outputs = [value, loss, *sb.grad(loss, [x, y])]
    f = sb.lambdify([x, y], outputs, style="fast")
    lengths = [tuple(sizes.get(size, size) for size in shape) for shape in shapes]
    random = np.random.default_rng(0)
    given = [random.normal(size=length) for length in lengths]
    assert ("for start in" in f.source) == (shapes != SHAPES[6])
    readable = sb.lambdify([x, y], outputs)
    first = arrays_of(f(*given))
    held_alike(first, readable(*given), 1e-11)
    if given[0].ndim == given[1].ndim == 2:
        turned = [np.asfortranarray(value) for value in given]
        held_alike(arrays_of(f(*turned)), first, 1e-11)
    alias_nothing(first, given)


def test_intermediate_results_go_where_nothing_is_needed_any_more():
    X, W, b = sb.tensor("X", ("n", "m")), sb.tensor("W", ("m", "k")), sb.tensor("b", ("k",))
    Z = sb.let("Z", X @ W + b)
    f = sb.lambdify([X, W, b], sb.tanh(Z), style="fast", reuse_buffers=False)
    body = [line.strip() for line in f.source.split("def f(")[1].splitlines()]
    assert [line for line in body if "Z" in line][:3] == ["Z = X.dot(W)", "Z += b", "tanh_Z = np.tanh(Z, out=Z)"]


def test_masks_keep_nan_of_the_branch_not_taken_out():
    x, y = sb.tensor("x", ("n", "m")), sb.tensor("y", ("n", "m"))
    f = sb.lambdify([x, y], sb.where(x > 0, sb.exp(y), 0), style="fast")
    assert "zero_where_not(" in f.source.split("def f(")[1]
    point = np.array([[1.0, -1.0, np.nan]]), np.array([[0.0, np.nan, 1.0]])
    assert f(*point).tolist() == [[1.0, 0.0, 0.0]]


def stacks():
    A, W = sb.tensor("A", ("k", "n", "m")), sb.tensor("W", ("k", "m", "m"))
    loss = sb.sum(sb.tanh(A @ W) ** 2) / 2
    random = np.random.default_rng(0)
    points = [[random.normal(size=(3, n, 4)), random.normal(size=(3, 4, 4))] for n in (5, 5, 2, 0, 5)]
    return [A, W], [loss, *sb.grad(loss, [A, W])], points


def test_threads_have_buffers_of_their_own():
    inputs, outputs, points = stacks()
    f = sb.lambdify(inputs, outputs, style="fast")
    assert "kept_arrays(" in f.source.split("def f(")[1]
    wanted = [arrays_of(f(*point)) for point in points]
    wrong, start = [], threading.Barrier(2)

    def work(k):
        start.wait()
        for _ in range(150):
            found = arrays_of(f(*points[k]))
            if not all(np.array_equal(one, other) for one, other in zip(found, wanted[k], strict=True)):
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_buffers_follow_the_sizes_and_can_be_left_out():
    inputs, outputs, points = stacks()
    f = sb.lambdify(inputs, outputs, style="fast")
    g = sb.lambdify(inputs, outputs, style="fast", reuse_buffers=False)
    assert "kept_arrays(" in f.source
    assert "kept_arrays(" not in g.source
    readable = sb.lambdify(inputs, outputs)
    for point in points:
        held_alike(arrays_of(f(*point)), readable(*point), 1e-13)
        held_alike(arrays_of(g(*point)), readable(*point), 1e-13)


def test_the_source_stands_alone(tmp_path):
    network = NETWORKS["softmax_classifier"]()
    f = sb.lambdify(network.inputs, [network.loss, *sb.grad(network.loss, network.parameters)], style="fast")
    path = f.save(tmp_path / "standalone.py")
    code = "import sys, standalone; assert 'symback' not in sys.modules; print(standalone.f.__name__)"
    done = subprocess.run([sys.executable, "-c", code], cwd=path.parent, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("f\n", "")


def test_the_same_arguments_are_refused():
    x = sb.tensor("x", ("n", 3))
    for style in ("readable", "fast"):
        f = sb.lambdify([x], sb.exp(x), style=style)
        with pytest.raises(sb.errors.InputError, match="axis 1 has size 2, wanted 3"):
            f(np.ones((1, 2)))
    with pytest.raises(sb.errors.InputError, match="style"):
        sb.lambdify([x], x, style="quick")


@pytest.mark.parametrize("shape", [("n",), ("k", "m", "n")])
def test_many_buffers_are_bound_in_lines_of_the_usual_length(shape):
    x, t = sb.tensor("x", shape), sb.tensor("t", shape)
    y = x
    for _ in range(12):
        y = sb.sort(sb.sin(y) * t, axis=0) if len(shape) > 1 else sb.sin(y) * t
    outputs = sb.grad(sb.sum(y), [x, t])
    fast, readable = (sb.lambdify([x, t], outputs, style=style) for style in ("fast", "readable"))
    assert max(map(len, fast.source.splitlines())) <= 88
    assert ("kept[" if len(shape) > 1 else "buffers[4:") in fast.source
    values = np.random.default_rng(7).uniform(0.5, 1.5, (2, 3, 4, 5) if len(shape) > 1 else (2, 20_000))
    for found, wanted in zip(fast(*values), readable(*values), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-12)


def test_masks_compare_floats_with_floats_and_integers_with_integers():
    x, k = sb.tensor("x", (3,)), sb.tensor("k", (3,), dtype="int64")
    f = sb.lambdify([x, k], [sb.where(x > 0, sb.exp(x), 0) * 2, sb.where(k > 2, sb.exp(x), 0) * 3], style="fast")
    assert "x > 0.0" in f.source
    assert "k > 2" in f.source
    assert "k > 2.0" not in f.source
    values = np.array([-1.0, 0.5, 2.0]), np.array([2**53 + 1, 2, 3])
    np.testing.assert_allclose(f(*values)[0], np.where(values[0] > 0, 2 * np.exp(values[0]), 0))
    np.testing.assert_allclose(f(*values)[1], np.where(values[1] > 2, 3 * np.exp(values[0]), 0))
