"""Emitted NumPy code: what it looks like, that it stands alone, and what it refuses."""

import inspect
import pickle
import re
import subprocess
import sys

import numpy as np
import pytest

import symback as sb
from golden import check_golden
from networks import NETWORKS, two_layers
from symback.check.evaluate import evaluate

ALONE = """
import sys
for name in ("sympy", "symback", "scipy", "mpmath"):
    sys.modules[name] = None
import numpy as np
namespace = {"__name__": "emitted"}
exec(compile(open(sys.argv[1]).read(), sys.argv[1], "exec"), namespace)
data = np.load(sys.argv[2])
values = namespace[sys.argv[3]](*[data[key] for key in sorted(data, key=lambda k: int(k[4:]))])
np.savez(sys.argv[4], *values)
"""


def compiled(network, **options):
    return sb.lambdify(
        network.inputs,
        (network.loss, *sb.grad(network.loss, network.parameters)),
        name="loss_and_gradient",
        **options,
    )


def body_of(function):
    """The lines of the function without its docstring."""
    text = function.source[function.source.rindex("\ndef ") :]
    return text.split('"""')[2].strip("\n")


@pytest.mark.parametrize("name", NETWORKS)
def test_emitted_module_is_the_golden_one(name):
    check_golden(f"{name}.py.txt", compiled(NETWORKS[name]()).source)


@pytest.mark.parametrize("name", NETWORKS)
def test_emitted_code_agrees_with_the_oracle(name):
    network = NETWORKS[name]()
    outputs = [network.loss, *sb.grad(network.loss, network.parameters)]
    point = network.point()
    wanted = evaluate(outputs, dict(zip(network.inputs, point, strict=True)))
    for value, expected in zip(compiled(network)(*point), wanted, strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("name", NETWORKS)
def test_same_graph_gives_the_same_text(name):
    assert compiled(NETWORKS[name]()).source == compiled(NETWORKS[name]()).source


def test_two_layer_network_takes_at_most_twelve_assignments_and_no_einsum():
    body = body_of(compiled(two_layers()))
    assert len(re.findall(r"^\s+\w+ = ", body, flags=re.MULTILINE)) <= 12
    assert "einsum" not in body
    names = set(re.findall(r"^\s+(\w+) = ", body, flags=re.MULTILINE))
    assert names == {"z1", "a1", "z2", "a2", "r", "L", "d_z2", "d_z1", "d_W1", "d_W2"}


@pytest.mark.parametrize("check", [True, False])
def test_source_runs_where_only_numpy_is(tmp_path, check):
    network = two_layers()
    function = compiled(network, check=check)
    (tmp_path / "alone.py").write_text(ALONE)
    function.save(tmp_path / "backprop.py")
    point = network.point()
    np.savez(tmp_path / "in.npz", *point)
    arguments = [tmp_path / "alone.py", tmp_path / "backprop.py", tmp_path / "in.npz", function.name]
    subprocess.run([sys.executable, *map(str, arguments), str(tmp_path / "out.npz")], check=True)
    result = np.load(tmp_path / "out.npz")
    for key, expected in zip(sorted(result), function(*point), strict=True):
        np.testing.assert_array_equal(result[key], expected)


def test_structure_of_outputs_is_kept():
    x, y = sb.tensor("x", (2,)), sb.tensor("y", (2,))
    f = sb.lambdify([x, y], {"sum": x + y, "rest": [x * y, (sb.sum(x),), {"deep": (x, [y])}]})
    result = f([1.0, 2.0], [3.0, 4.0])
    assert list(result) == ["sum", "rest"]
    product, single, deep = result["rest"]
    assert isinstance(single, tuple)
    assert isinstance(deep["deep"], tuple)
    assert isinstance(deep["deep"][1], list)
    np.testing.assert_array_equal(product, [3.0, 8.0])
    assert single == (3.0,)
    np.testing.assert_array_equal(deep["deep"][1][0], [3.0, 4.0])
    assert sb.lambdify([x], sb.sum(x))([1.0, 2.0]) == 3.0


def test_keys_are_escaped():
    x = sb.tensor("x", ())
    key = 'a"\n\\ {x}'
    assert sb.lambdify([x], {key: x + 1})(1.0) == {key: 2.0}


def test_outputs_share_no_memory():
    x, A = sb.tensor("x", (3,)), sb.tensor("A", (3, 3))
    y = sb.exp(A)
    outputs = [x, x, A.T, A[1:], y, y.T, y[0], sb.reshape(y, (9,)), sb.diagonal(A), sb.broadcast_to(x, (3, 3))]
    f = sb.lambdify([x, A], outputs)
    given = [np.arange(3.0), np.arange(9.0).reshape(3, 3)]
    results = f(*given)
    for k, result in enumerate(results):
        assert result.flags.writeable
        assert not any(np.shares_memory(result, other) for other in [*given, *results[:k]])


def test_constants_of_every_kind_come_back():
    random = np.random.default_rng(1)
    large = random.normal(size=(40, 30))
    special = np.array([np.nan, np.inf, -np.inf, -0.0, 0.1])
    x = sb.tensor("x", (30,))
    outputs = [sb.constant(large) @ x, sb.constant(special), sb.constant(np.float32(0.1)), sb.constant([True, False]),
               sb.constant(np.zeros((0, 2)))]  # fmt: skip
    values = sb.lambdify([x], outputs)(np.ones(30))
    np.testing.assert_array_equal(values[0], large @ np.ones(30))
    np.testing.assert_array_equal(values[1], special)
    assert np.signbit(values[1][3])
    assert values[2].dtype == np.float32
    assert values[3].dtype == bool
    assert values[4].shape == (0, 2)


def test_real_signature_and_keyword_calls():
    x, y = sb.tensor("x", ()), sb.tensor("y", ())
    f = sb.lambdify([x, y], x - y, name="difference")
    assert str(inspect.signature(f)) == "(x, y)"
    assert f(y=1, x=3) == 2.0
    assert f.__name__ == "difference"
    with pytest.raises(TypeError, match="missing a required argument: 'y'"):
        f(1.0)


def test_check_false_leaves_the_checks_out():
    x = sb.tensor("x", ("n",))
    source = sb.lambdify([x], sb.exp(x), check=False).source
    assert "checked" not in source
    assert "InputError" not in source


def test_compiled_functions_pickle_and_save(tmp_path):
    function = compiled(two_layers())
    copy = pickle.loads(pickle.dumps(function))
    point = two_layers().point()
    assert copy(*point)[0] == function(*point)[0]
    path = function.save(tmp_path / "f.py")
    assert path.read_text() == function.module
    assert function.save(path, complete=False).read_text() == function.source
    with pytest.raises(sb.errors.InputError, match=r"cannot save to .*\.py"):
        function.save(tmp_path / "f.txt")
    with pytest.raises(sb.errors.InputError, match="there is no folder"):
        function.save(tmp_path / "none" / "f.py")
    with pytest.raises(sb.errors.InputError, match="cannot save to 'None': it is no path"):
        function.save(None)
    (tmp_path / "folder.py").mkdir()
    with pytest.raises(sb.errors.InputError, match=r"cannot save to .*folder\.py"):
        function.save(tmp_path / "folder.py")
    (tmp_path / "folder.py").rmdir()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["f.py"]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([1.0, 2.0], [1.0]), "InputError", r"y has shape \(1,\): axis 0 has size 1, wanted n \(n = 2 by x\)"),
        (([[1.0]], [1.0]), "InputError", r"x has shape \(1, 1\), wanted 1 axes: \(n\)"),
        (([1j], [1.0]), "DtypeError", "x has dtype complex128, wanted float64; it must be real"),
        (([1.0, [2.0]], [1.0]), "InputError", "x is no array of float64: .*inhomogeneous"),
        ((["a"], [1.0]), "DtypeError", "x has dtype <U1, wanted float64"),
        (([None], [1.0]), "DtypeError", "x has dtype object, wanted float64; it must be real"),
        ((None, [1.0]), "DtypeError", "x is None, wanted an array of float64"),
        ((np.ma.masked_array([1.0]), [1.0]), "DtypeError", "x is a masked array"),
    ],
)
def test_arguments_are_checked_by_name(arguments, error, message):
    x, y = sb.tensor("x", ("n",)), sb.tensor("y", ("n",))
    with pytest.raises(getattr(sb.errors, error), match=message):
        sb.lambdify([x, y], x * y)(*arguments)


def test_empty_lists_are_arrays_of_any_dtype_and_cures_fit_what_was_given():
    x, i = sb.tensor("x", ("n",)), sb.tensor("i", ("k",), dtype="int64")
    f = sb.lambdify([x, i], x[i])
    assert f([1.0], []).shape == (0,)
    with pytest.raises(sb.errors.DtypeError, match=r"i has dtype float64, wanted int64; .* np.array\(i, 'int64'\)"):
        f([1.0], [0.0])
    with pytest.raises(sb.errors.DtypeError, match=r"wanted int64; convert it with .astype\('int64'\)"):
        f([1.0], np.zeros(0))


def test_float64_is_refused_for_float32_and_python_numbers_are_taken():
    x, s = sb.tensor("x", (2,), dtype="float32"), sb.tensor("s", (), dtype="float32")
    f = sb.lambdify([x, s], x * s)
    assert f(np.ones(2, np.float32), 0.5).dtype == np.float32
    with pytest.raises(sb.errors.DtypeError, match="x has dtype float64, wanted float32"):
        f(np.ones(2), 0.5)


def test_numbers_that_do_not_fit_are_refused_by_name():
    k, s = sb.tensor("k", (), dtype="int64"), sb.tensor("s")
    with pytest.raises(sb.errors.InputError, match="k is no array of int64"):
        sb.lambdify([k], k)(10**30)
    with pytest.raises(sb.errors.InputError, match="s is no array of float64"):
        sb.lambdify([s], s)(10**400)


def test_scalar_results_are_numpy_numbers():
    s, v = sb.tensor("s"), sb.tensor("v", ("n",))
    outputs = [s, 2 * s, sb.sum(v), sb.where(s > 0, s, 0), sb.logsumexp(v), sb.max(v), sb.size("n"), sb.sigmoid(s),
               v[0], s > 0, sb.constant(3)]  # fmt: skip
    for value in sb.lambdify([s, v], outputs)(1.5, [1.0, 2.0]):
        assert isinstance(value, np.generic)


@pytest.mark.parametrize("name", ["len", "type", "isinstance", "int", "zip", "str", "np", "lambda", "checked"])
def test_names_that_emitted_code_needs_are_refused_for_functions(name):
    with pytest.raises(sb.errors.InvalidNameError, match="Python or the emitted module uses it"):
        sb.lambdify([sb.tensor("s")], sb.tensor("s"), name=name)


def test_literals_have_no_methods():
    s, n = sb.tensor("s"), sb.size("n")
    v = sb.tensor("v", ("n",), dtype="float32")
    outputs = [sb.grad(1.5 * s, s), sb.hessian(1.5 * s * s, s), sb.astype(sb.constant(2), "float32"),
               sb.astype(sb.constant(2.7), "int64"), sb.reshape(sb.constant(3), (1,)) * s, sb.expand_dims(0.5 * n, 0),
               sb.broadcast_to(n, (2, 2)), sb.astype(s - s, "float32") + 1, v * (0.5 * n)]  # fmt: skip
    values = sb.lambdify([s, v], outputs)(2.0, np.ones(3, np.float32))
    for node, value in zip(outputs, values, strict=True):
        wanted = evaluate(node, {s: 2.0, v: np.ones(3, np.float32)})
        assert np.asarray(value).dtype == node.dtype
        np.testing.assert_array_equal(value, wanted)


def agrees(node, bindings):
    function = sb.lambdify(list(bindings), node)
    with np.errstate(all="ignore"):
        value, wanted = function(*bindings.values()), evaluate(node, bindings)
    assert np.asarray(value).dtype == node.dtype
    np.testing.assert_allclose(value, wanted, rtol=1e-12)
    return function.source


def test_diagonals_keep_new_axes():
    A, B, C = sb.tensor("A", ("n", "n")), sb.tensor("B", ("n", "n")), sb.tensor("C", ("n", "n", "n"))
    point = {A: np.arange(9.0).reshape(3, 3), B: np.ones((3, 3)), C: np.arange(27.0).reshape(3, 3, 3)}
    for node in (sb.diagonal(A)[:, None] + B, sb.diagonal(A)[:, None], sb.einsum("iij->ij", C)[:, None],
                 sb.einsum("iji->j", C)[:, None] * B):  # fmt: skip
        agrees(node, point)


def test_signs_stay_off_unsigned_and_boolean_factors():
    u, k = sb.tensor("u", (3,), dtype="uint8"), sb.tensor("k", (3,), dtype="uint8")
    s, b = sb.tensor("s"), sb.tensor("b", (), dtype="bool")
    point = {u: np.array([3, 2, 1], np.uint8), k: np.array([1, 2, 3], np.uint8), s: np.float64(0.3), b: np.True_}
    for node in (-(u * s), -(u * k), -(3 * u), -(b * s), -1 * ((s > 0) * sb.sin(s)), b * s * b):
        agrees(node, point)


def test_sums_of_small_integers_do_not_widen_products():
    f, k = sb.tensor("f", (), dtype="float32"), sb.tensor("k", (3,), dtype="uint8")
    agrees(sb.sum(f * k), {f: np.float32(0.5), k: np.array([1, 2, 3], np.uint8)})


def test_empty_axes():
    v = sb.tensor("v", ("n",))
    for node in (sb.grad(sb.mean(v), v), sb.sum(v), sb.grad(sb.logsumexp(v) + sb.sum(v**2) + sb.mean(v), v)):
        agrees(node, {v: np.zeros(0)})


def test_sliding_sums_are_added_in_place():
    x, k = sb.tensor("x", (10,)), sb.tensor("k", (3,))
    y = k[0] * x[:-2] + k[1] * x[1:-1] + k[2] * x[2:]
    point = {x: np.linspace(-1, 1, 10), k: np.array([0.1, 0.5, -0.3])}
    source = agrees(sb.grad(sb.sum(y**2) + sb.sum(x), x), point)
    assert source.count("np.zeros") == 1
    assert "d_x[2:] = " in source
    assert "d_x[1:9] += " in source


@pytest.mark.parametrize("shared", range(3))
def test_a_piece_that_is_used_elsewhere_too_keeps_its_own_array(shared):
    x, y = sb.tensor("x", (6,)), sb.tensor("y", (5,))
    pieces = [sb.vjp(x[k : k + 3], x, y[k : k + 3]) for k in range(3)]
    order = [*pieces[:shared], *pieces[shared + 1 :], pieces[shared]]
    point = {x: np.linspace(0.1, 1.0, 6), y: np.linspace(1.0, 2.0, 5)}
    for first, second, third in (order, order[::-1]):
        agrees((first + second + third) * sb.exp(pieces[shared]), point)


def test_long_sums_are_broken_into_lines():
    x = sb.tensor("x", ("n",))
    total = sb.exp(x)
    for k in range(2, 12):
        total = total + sb.exp(k * x) * sb.sin(k * x)
    source = agrees(sb.let("total", total), {x: np.array([0.1, 0.2])})
    assert max(map(len, source.splitlines())) <= 120


def test_strange_arrays_are_read_right():
    x = sb.tensor("x", (2, 3))
    f = sb.lambdify([x], 2 * x)
    plain = np.arange(6.0).reshape(2, 3)
    for given in (plain.astype(">f8"), np.asfortranarray(plain), plain[::-1][::-1], plain.astype(np.float32),
                  plain.astype(int), plain.tolist()):  # fmt: skip
        np.testing.assert_array_equal(f(given), 2 * plain)


def test_compound_sizes_and_slices_are_checked_at_the_call():
    n = sb.size("n").size
    x, y = sb.tensor("x", (n,)), sb.tensor("y", (n + 1,))
    f = sb.lambdify([x, y], x + y[1:])
    np.testing.assert_array_equal(f([1.0], [2.0, 3.0]), [4.0])
    with pytest.raises(sb.errors.InputError, match=r"y: axis 0 has size \d+, wanted n \+ 1 \(n = \d+\)"):
        f([1.0], [2.0])
    g = sb.lambdify([x], x[2:5])
    with pytest.raises(sb.errors.InputError, match=r"a slice needs n >= 5 \(n = \d\)"):
        g(np.ones(4))


@pytest.mark.parametrize("name", ["lambda", "np", "class", "match", "checked", "InputError"])
def test_reserved_names_are_renamed_and_said_so(name):
    x = sb.tensor(name, ())
    f = sb.lambdify([x], sb.let("twice", 2 * x))
    assert f(**{f"{name}_": 2.0}) == 4.0
    assert f"{name}_ stands for {name}." in f.source


def test_names_of_the_users_own_come_first():
    x, r = sb.tensor("x", (2,)), sb.tensor("r", (2,))
    loss = sb.sum(sb.exp(sb.let("d_z", 3 * x)) + sb.sin(sb.let("z", x * r) - r) ** 2)
    source = sb.lambdify([x, r], [loss, *sb.grad(loss, [x, r])], check=False).source
    assert "    d_z = 3 * x" in source
    assert "    z = x * r" in source


def test_a_let_that_has_the_name_of_an_input_is_refused():
    x = sb.tensor("x", (2,))
    with pytest.raises(sb.errors.InvalidNameError, match="'x' stands for two different things"):
        sb.lambdify([x], sb.let("x", sb.exp(x)) + x)


def test_let_names_cannot_shadow_helpers():
    x = sb.tensor("x", (2,))
    f = sb.lambdify([x], sb.let("sigmoid", sb.sigmoid(x)) + sb.sigmoid(2 * x))
    np.testing.assert_allclose(f([0.0, 0.0]), [1.0, 1.0])


@pytest.mark.parametrize("name", ["x); import os", "1x", "x y", "", "x\n", "é", "_x", "a.b", "𝐱", None, 3])
def test_bad_names_are_refused(name):
    with pytest.raises(sb.errors.InvalidNameError, match="cannot be used as a name"):
        sb.tensor(name, ())
    with pytest.raises(sb.errors.InvalidNameError, match="cannot be used as a name"):
        sb.let(name, sb.tensor("x") + 1)
    if name is not None:
        with pytest.raises(sb.errors.InvalidNameError, match="cannot be used as a name"):
            sb.lambdify([], sb.constant(1), name=name)


def test_graphs_that_do_not_fit_their_inputs_are_refused():
    x, y = sb.tensor("x", ("n",)), sb.tensor("y", ("n",))
    other = sb.tensor("x", ("m",))
    cases = [
        (lambda: sb.lambdify([x], x * y), sb.errors.InputError, "depend on y, which is not among the inputs"),
        (lambda: sb.lambdify([x, x], x), sb.errors.InputError, "'x' is listed twice"),
        (lambda: sb.lambdify([x, other], x), sb.errors.InvalidNameError, "'x' stands for two different things"),
        (lambda: sb.lambdify([x], sb.sum(x) * sb.sum(other)), sb.errors.InvalidNameError, "two different things"),
        (lambda: sb.lambdify([x + y], x), sb.errors.InputError, "is not a variable"),
        (lambda: sb.lambdify([x], sb.size("k") * x), sb.errors.InputError, "the size 'k' cannot be read"),
        (lambda: sb.lambdify([x], x, target="fortran"), sb.errors.InputError, "no target 'fortran'"),
        (lambda: sb.lambdify([x], x, style="slow"), sb.errors.InputError, "style='slow' is not known"),
        (lambda: sb.lambdify([x], {(1, 2): x}), sb.errors.UsageError, "the key .* of an outputs dict"),
        (lambda: sb.lambdify([x], sb.let("z", x + 1) * sb.let("z", x + 2)), sb.errors.InvalidNameError, "'z' stands"),
    ]
    for make, error, message in cases:
        with pytest.raises(error, match=message):
            make()


def test_integers_that_no_dtype_holds_are_refused():
    x = sb.tensor("x", (), dtype="int64")
    with pytest.raises(sb.errors.DtypeError, match="does not fit int64"):
        sb.lambdify([x], x + 10**20)


def test_unused_inputs_bind_their_sizes():
    x, y = sb.tensor("x", ("n",)), sb.tensor("y", ("m",))
    f = sb.lambdify([x, y], sb.ones(("m", "n")))
    assert f(np.ones(2), np.ones(3)).shape == (3, 2)
    assert sb.lambdify([x, y], sb.sum(x))(np.ones(2), np.ones(3)) == 2.0


def test_results_have_the_declared_dtype():
    x, f, i = sb.tensor("x", (2,)), sb.tensor("f", (2,), dtype="float32"), sb.tensor("i", (2,), dtype="int64")
    outputs = [x, f, i, f * 0.1, f + i, i / 1, 2 * i, x > 0, sb.sum(i), sb.zeros((2,), "float32"), sb.ones((), "int64"),
               sb.grad(sb.sum(f * 3), f), sb.grad(3 * sb.tensor("s"), sb.tensor("s")), sb.size("n"),
               sb.full((2,), 3, "int64"), sb.mean(f), sb.sqrt(i)]  # fmt: skip
    values = sb.lambdify([x, f, i, sb.tensor("v", ("n",))], outputs)(
        np.ones(2), np.ones(2, np.float32), np.ones(2, np.int64), np.ones(3)
    )
    for node, value in zip(outputs, values, strict=True):
        assert np.asarray(value).dtype == node.dtype
        assert np.shape(value) == tuple(3 if str(s) == "n" else s for s in node.shape)


def test_deep_and_wide_graphs_compile():
    x = deep = wide = sb.tensor("x", ("n",))
    for _ in range(5_000):
        deep = sb.sin(deep) + deep
    wide = sb.add(*[sb.sin(k * x) for k in range(1, 3001)][:2])
    for k in range(3, 3001):
        wide = wide + sb.sin(k * x)
    f = sb.lambdify([x], [deep, wide])
    expected = value = np.array([0.1])
    for _ in range(5_000):
        expected = np.sin(expected) + expected
    np.testing.assert_allclose(f(value)[0], expected, rtol=1e-9)
    np.testing.assert_allclose(f(value)[1], sum(np.sin(k * value) for k in range(1, 3001)), rtol=1e-9, atol=1e-9)


def test_functions_are_reentrant():
    function = compiled(two_layers())
    point = two_layers().point()
    first = [np.copy(value) for value in function(*point)]
    again = function(*point)
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, other)


def test_clean_under_raising_floating_point_errors():
    network = NETWORKS["softmax_classifier"]()
    function = compiled(network)
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        values = function(*[800 * value for value in network.point()])
    assert all(np.all(np.isfinite(value)) for value in values)
