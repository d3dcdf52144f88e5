"""Objectives: the unrolled vector, value, gradient, Hessian and products, what is kept between calls, and refusals."""

import pickle
import threading
import time
from functools import cache

import numpy as np
import pytest
import sympy
from scipy import optimize

import symback as sb
from random_graphs import seeded_programs
from symback import errors
from symback.graph import toposort

X, y, w = sb.tensor("X", ("N", "d")), sb.tensor("y", ("N",)), sb.tensor("w", ("d",))
c = sb.tensor("c")
margins = sb.let("z", X @ w)
RIDGE = sb.let("L", sb.sum((margins - y) ** 2) / 2 + 3 * (w @ w) / 2)
LOGISTIC = sb.let("L", sb.sum(sb.softplus(margins) - y * margins) + (w @ w) / 2)
random = np.random.default_rng(7)
XS, YS = random.normal(size=(20, 3)), (random.random(20) < 0.5).astype(float)
POINT = random.normal(size=3)


def closed_form_ridge(theta):
    r = XS @ theta - YS
    return r @ r / 2 + 1.5 * theta @ theta, XS.T @ r + 3 * theta, XS.T @ XS + 3 * np.eye(3)


def closed_form_logistic(theta):
    z = XS @ theta
    s = 1 / (1 + np.exp(-z))
    value = np.sum(np.logaddexp(0, z) - YS * z) + theta @ theta / 2
    return value, XS.T @ (s - YS) + theta, (XS.T * (s * (1 - s))) @ XS + np.eye(3)


@cache
def network(dtype="float64", style="readable"):
    """Two layers with softmax; the hidden width is known by the values that are packed alone."""
    return new_network(dtype, style)


def new_network(dtype="float64", style="readable"):
    A, Y = sb.tensor("A", ("N", "n"), dtype=dtype), sb.tensor("Y", ("N", "m"), dtype=dtype)
    W1, b1 = sb.tensor("W1", ("n", "h"), dtype=dtype), sb.tensor("b1", ("h",), dtype=dtype)
    W2, b2 = sb.tensor("W2", ("h", "m"), dtype=dtype), sb.tensor("b2", ("m",), dtype=dtype)
    t = sb.tensor("t", dtype=dtype)
    hidden = sb.let("A1", sb.tanh(sb.let("Z1", A @ W1 + b1)))
    scores = sb.let("Z2", hidden @ W2 * sb.exp(t) + b2)
    loss = sb.let("L", sb.mean(sb.logsumexp(scores, axis=1) - sb.sum(Y * scores, axis=1)))
    draw = np.random.default_rng(1)
    data = {"A": draw.normal(size=(9, 5)).astype(dtype), Y: np.eye(3, dtype=dtype)[draw.integers(3, size=9)]}
    shapes = {"W1": (5, 4), "b1": (4,), "W2": (4, 3), "b2": (3,), "t": ()}
    values = {name: draw.normal(size=shape).astype(dtype) for name, shape in shapes.items()}
    params = {"layers": [{"W1": W1, "b1": b1}, {"W2": W2, "b2": b2}], "t": t}
    return sb.objective(loss, params, data, style=style), values


def rosenbrock(size):
    x = sb.tensor("x", ("n",))
    return sb.objective(sb.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2), x, sizes={"n": size})


@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize(
    ("loss", "closed_form"), [(RIDGE, closed_form_ridge), (LOGISTIC, closed_form_logistic)], ids=["ridge", "logistic"]
)
def test_regressions_agree_with_their_closed_forms(loss, closed_form, style):
    f = sb.objective(loss, w, {X: XS, y: YS}, style=style)
    value, gradient, hessian = closed_form(POINT)
    together = f.fun_and_jac(POINT)
    for found, gradient_found in [together, (f.fun(POINT), f.jac(POINT))]:
        np.testing.assert_allclose(found, value, rtol=1e-13)
        np.testing.assert_allclose(gradient_found, gradient, rtol=1e-12)
    np.testing.assert_allclose(f.hess(POINT), hessian, rtol=1e-12)
    np.testing.assert_allclose(f.hessp(POINT, np.arange(3.0)), hessian @ np.arange(3), rtol=1e-12)


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_a_network_agrees_with_the_oracle_and_with_differences(style):
    f, values = network(style=style)
    theta = f.pack(values)
    assert (f.size, f.names, theta.shape) == (40, ("W1", "b1", "W2", "b2", "t"), (40,))
    loss, variables = f._problem.loss, f._problem.parameters
    given = {**values, **f.data}
    bindings = {node: given[node.name] for node in (*variables, *f._problem.data)}
    np.testing.assert_allclose(f.fun(theta), sb.evaluate(loss, bindings), rtol=1e-13)
    gradient = [sb.evaluate(g, bindings) for g in sb.grad(loss, list(variables))]
    np.testing.assert_allclose(f.jac(theta), np.concatenate([np.ravel(g) for g in gradient]), rtol=1e-11, atol=1e-14)
    assert optimize.check_grad(f.fun, f.jac, theta) < 1e-6
    rows = [[sb.evaluate(block, bindings) for block in row] for row in sb.hessian(loss, list(variables))]
    sizes = [g.size for g in map(np.asarray, gradient)]
    matrix = np.block([[np.reshape(b, (i, j)) for j, b in zip(sizes, row, strict=True)]
                       for i, row in zip(sizes, rows, strict=True)])  # fmt: skip
    np.testing.assert_allclose(f.hess(theta), matrix, rtol=1e-10, atol=1e-13)
    p = random.normal(size=40)
    along = (f.jac(theta + 1e-5 * p) - f.jac(theta - 1e-5 * p)) / 2e-5
    np.testing.assert_allclose(f.hessp(theta, p), along, atol=1e-7)
    for p in np.eye(40)[::9], random.normal(size=(3, 40)):
        np.testing.assert_allclose([f.hessp(theta, row) for row in p], p @ matrix, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("program", list(seeded_programs(5, seed=4)), ids=range(5))
def test_random_graphs_agree_with_the_oracle(program):
    point, loss = program.point(), program.loss()
    inside = set(toposort([loss]))
    params = [node for node in program.variables if node in inside]
    f = sb.objective(loss, params)
    theta = f.pack([point[node] for node in params])
    gradient, hessian = sb.evaluate((sb.grad(loss, params), sb.hessian(loss, params)), point)
    sizes = [np.size(point[node]) for node in params]
    matrix = np.block([[np.reshape(b, (i, j)) for j, b in zip(sizes, row, strict=True)]
                       for i, row in zip(sizes, hessian, strict=True)])  # fmt: skip
    wanted = [sb.evaluate(loss, point), np.concatenate([np.ravel(g) for g in gradient]), matrix, matrix @ theta]
    found = [f.fun(theta), f.jac(theta), f.hess(theta), f.hessp(theta, theta)]
    tolerance = 1e-3 if program.single else 1e-9
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(
            one, other, rtol=tolerance, atol=tolerance * max(1, np.max(np.abs(other), initial=0))
        )


def test_the_hessian_is_symmetric_to_the_last_bit():
    f, values = network()
    matrix = f.hess(f.pack(values))
    assert np.array_equal(matrix, matrix.T)
    v = sb.tensor("v", ("k",))
    B = sb.tensor("B", ("M", "k"))
    many = sb.objective(sb.sum(sb.softplus(B @ v)), v, {B: random.normal(size=(50, 300))})
    matrix = many.hess(random.normal(size=300))
    assert np.array_equal(matrix, matrix.T)


METHODS = {
    "L-BFGS-B": {}, "BFGS": {}, "CG": {}, "TNC": {"ftol": 1e-14, "gtol": 1e-9, "maxfun": 4000},
    "Newton-CG": {"xtol": 1e-8}, "trust-ncg": {}, "trust-krylov": {}, "trust-exact": {},
}  # fmt: skip


@pytest.mark.parametrize(("method", "options"), METHODS.items())
def test_methods_of_scipy_find_the_minimum_of_rosenbrock(method, options):
    f = rosenbrock(5)
    start = np.array([1.3, 0.7, 0.8, 1.9, 1.2])
    second = {"Newton-CG": "hessp", "trust-ncg": "hessp", "trust-krylov": "hessp", "trust-exact": "hess"}.get(method)
    more = {second: getattr(f, second)} if second else {}
    for fun, jac in [(f.fun, f.jac), (f.fun_and_jac, True)]:
        found = optimize.minimize(fun, start, method=method, jac=jac, options=options, **more)
        np.testing.assert_allclose(found.x, np.ones(5), atol=1e-4)


# -- the vector ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "values"),
    [
        (w, POINT),
        ([w, c], [POINT, 2.0]),
        ((w, "c"), (POINT, 2.0)),
        ({"slope": w, "offset": c}, {"offset": 2.0, "slope": POINT}),
        ([w, c], {"c": 2.0, w: POINT}),
        ({"first": [w], "rest": {"c": c}}, {"w": POINT, "c": 2.0}),
    ],
)
def test_unpack_gives_the_structure_that_pack_takes(params, values):
    loss = sb.sum(sb.exp(X @ w)) if params is w else sb.sum(sb.exp(X @ w + c))
    f = sb.objective(loss, params, {X: XS})
    theta = f.pack(values)
    assert theta.tolist() == [*POINT, *([] if params is w else [2.0])]
    unpacked = f.unpack(theta)
    assert sb.structure.leaves_of(unpacked)[0].tolist() == POINT.tolist()
    assert isinstance(unpacked, np.ndarray if params is w else type(params))
    assert f.pack(unpacked).tolist() == theta.tolist()
    assert all(np.shares_memory(part, theta) for part in sb.structure.leaves_of(unpacked))


def test_dtypes_of_the_parameters_are_kept():
    f, values = network("float32")
    g, wide = network()
    theta = f.pack(values)
    at = theta.astype("float64")  # as optimisers give it
    outputs = [f.fun(at), f.jac(at), f.hess(at), f.hessp(at, at), f.unpack(at)["t"], theta]
    assert {np.asarray(value).dtype.name for value in outputs} == {"float32"}
    g.pack(wide)
    np.testing.assert_allclose(f.jac(at), g.with_data({k: v.astype("float64") for k, v in f.data.items()}).jac(at),
                               atol=1e-5)  # fmt: skip
    narrow, broad = sb.tensor("a", (2,), dtype="float32"), sb.tensor("b", (2,))
    mixed = sb.objective(sb.sum(sb.exp(narrow * broad)), [narrow, broad])
    a, b = mixed.unpack(mixed.pack([np.float32([1, 2]), [0.5, 0.1]]))
    assert (a.dtype, b.dtype, mixed.jac(np.ones(4)).dtype) == ("float32", "float64", "float64")
    np.testing.assert_allclose(mixed.hess(np.ones(4)) @ np.ones(4), mixed.hessp(np.ones(4), np.ones(4)), rtol=1e-6)


@pytest.mark.parametrize("size", [0, 1, 2])
def test_small_sizes(size):
    u, v = sb.tensor("u", ("k",)), sb.tensor("v", ("k", "j"))
    f = sb.objective(sb.sum(sb.exp(u)) + sb.sum(v * v), [u, v], sizes={"k": size, "j": 1})
    theta = np.linspace(0, 1, 2 * size)
    expected = np.diag([*np.exp(theta[:size]), *np.full(size, 2.0)])
    np.testing.assert_allclose(f.hess(theta), expected.reshape(2 * size, 2 * size))
    np.testing.assert_allclose(f.hessp(theta, theta), expected.reshape(2 * size, 2 * size) @ theta)
    assert f.jac(theta).shape == (2 * size,)


def test_plain_sympy_expressions():
    a, b = sympy.symbols("a b")
    f = sb.objective((a - 1) ** 2 + b**2 * a, {"a": a, "b": b})
    assert f.hess([1.0, 2.0]).tolist() == [[2.0, 4.0], [4.0, 2.0]]
    assert f.jac([1.0, 2.0]).tolist() == [4.0, 4.0]


v3 = sb.tensor("v", (3,))
FALL_TOGETHER = {
    "linear": (v3 @ POINT, np.zeros((3, 3))),
    "the gradient is the loss": (sb.exp(v3[0]), np.diag([np.e, 0, 0])),
    "a constant Hessian": (v3[0] ** 2 + 2 * v3[1] * v3[2], np.array([[2, 0, 0], [0, 0, 2], [0, 2, 0]])),
}


@pytest.mark.parametrize("name", FALL_TOGETHER)
def test_losses_whose_derivatives_need_little(name):
    loss, hessian = FALL_TOGETHER[name]
    f = sb.objective(loss, v3)
    np.testing.assert_allclose(f.hessp(np.ones(3), [1, 2, 3]), hessian @ [1, 2, 3], rtol=1e-14)
    np.testing.assert_allclose(f.hess(np.ones(3)), hessian, rtol=1e-14)
    assert f.jac(np.ones(3)).flags.writeable


# -- what is kept -------------------------------------------------------------------------------------------


def test_a_vector_that_is_changed_in_place_is_seen():
    f = sb.objective(RIDGE, w, {X: XS, y: YS})
    theta = POINT.copy()
    for step in range(4):
        value, _, hessian = closed_form_ridge(theta)
        assert f.fun(theta) == pytest.approx(value)
        theta[0] += 1e-9 if step else 1.0
        np.testing.assert_allclose(f.jac(theta), closed_form_ridge(theta)[1], rtol=1e-12)
        np.testing.assert_allclose(f.hessp(theta, theta), hessian @ theta)
        theta[2] = -theta[2]


def test_zero_and_minus_zero_are_two_points():
    a = sb.tensor("a")
    f = sb.objective(sb.arctan2(a, -1), a)
    assert f.fun([0.0]) == pytest.approx(np.pi)
    assert f.fun([-0.0]) == pytest.approx(-np.pi)


def test_what_is_returned_belongs_to_the_caller():
    f, values = network()
    theta = f.pack(values)
    for call in (f.jac, f.hess, lambda at: f.hessp(at, at), lambda at: f.fun_and_jac(at)[1], f.pack, f.jac):
        first = call(theta) if call != f.pack else f.pack(f.unpack(theta))
        kept = first.copy()
        first[...] = np.nan
        again = call(theta) if call != f.pack else f.pack(f.unpack(theta))
        assert again.tolist() == kept.tolist()
    assert np.array_equal(theta, f.pack(values))


def test_derivatives_that_are_repeated_numbers_can_be_written_to():
    u = sb.tensor("u", (3, 1))
    f = sb.objective(sb.sum(u) ** 3, u)
    for found in (f.jac(POINT), f.hess(POINT), f.hessp(POINT, POINT), f.fun_and_jac(POINT)[1]):
        found += 1
    np.testing.assert_allclose(f.hess(POINT), np.full((3, 3), 6 * POINT.sum()))


def test_forward_work_is_done_once():
    """The functions of the chain are called as often as there is something new to compute."""
    f = sb.objective(LOGISTIC, w, {X: XS, y: YS})
    theta = POINT
    f.hessp(theta, theta)
    functions = f._functions
    calls = []
    counted = [
        link._replace(code=_counting(link.code, calls, k)) for k, link in enumerate(functions.chain_with_products)
    ]
    functions.__dict__["chain_with_products"] = tuple(counted)
    at = theta + 1
    f.fun(at), f.fun(at), f.jac(at.copy()), f.hessp(at, theta), f.hessp(at, at)
    assert calls == [0, 1, 2, 2]
    calls.clear()
    f.hessp(theta, theta), f.fun(theta), f.fun_and_jac(at)
    assert calls == [0, 1, 2, 0, 1]


def _counting(code, calls, place):
    def call(*arguments):
        calls.append(place)
        return code(*arguments)

    return call


def test_the_linear_part_of_a_product_evaluates_nothing_again():
    f, values = network()
    f.pack(values)
    text = f.sources["hessp"]
    assert "tanh" not in text
    assert "softmax" not in text
    assert "A @ W1" not in text
    assert "tanh" not in f.sources["jac"]


def test_branches_that_are_not_taken_stay_silent():
    f = sb.objective(sb.sum(sb.where(v3 > 0, sb.log(v3), v3**2)), v3)
    theta = np.array([-1.0, 0.0, 0.5])
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        assert f.fun(theta) == pytest.approx(1 - np.log(2))
        np.testing.assert_allclose(f.jac(theta), [-2, 0, 2])
        np.testing.assert_allclose(f.hessp(theta, [1, 1, 1]), [2, 2, -4])


def test_threads_share_an_objective():
    f = sb.objective(LOGISTIC, w, {X: XS, y: YS})
    points = random.normal(size=(8, 3))
    wrong = []

    def work(theta):
        for _ in range(50):
            value, gradient, hessian = closed_form_logistic(theta)
            fine = np.isclose(f.fun(theta), value) and np.allclose(f.jac(theta), gradient)
            if not fine or not np.allclose(f.hessp(theta, theta), hessian @ theta):
                wrong.append(theta)
            time.sleep(0)

    threads = [threading.Thread(target=work, args=(theta,)) for theta in points]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


# -- data and code ------------------------------------------------------------------------------------------


def test_data_are_copied_unless_that_is_refused():
    mine = XS.copy()
    f, g = (sb.objective(RIDGE, w, {"X": mine, "y": YS}, copy=copy) for copy in (True, False))
    mine[...] = 0
    assert f.fun(POINT) == pytest.approx(closed_form_ridge(POINT)[0])
    assert g.fun(POINT) == pytest.approx(YS @ YS / 2 + 1.5 * POINT @ POINT)
    with pytest.raises(ValueError, match="read-only"):
        f.data["X"][...] = 1


def test_other_data_need_no_compilation():
    f = sb.objective(RIDGE, w, {X: XS, y: YS})
    f.jac(POINT)
    half = f.with_data({"X": XS[:10], y: YS[:10]})
    assert half._functions is f._functions
    r = XS[:10] @ POINT - YS[:10]
    np.testing.assert_allclose(half.jac(POINT), XS[:10].T @ r + 3 * POINT)
    np.testing.assert_allclose(f.jac(POINT), closed_form_ridge(POINT)[1])
    other = half.with_data({y: 2 * YS[:10]})
    assert other.data["X"] is half.data["X"]
    with pytest.raises(errors.InputError, match=r"X has shape \(20, 2\): axis 1 has size 2, wanted d \(d = 3 by X\)"):
        f.with_data({X: XS[:, :2]})
    with pytest.raises(errors.InputError, match=r"y has shape \(20,\): axis 0 has size 20, wanted N \(N = 4 by X\)"):
        f.with_data({X: XS[:4]})


def test_the_code_is_there_to_read_and_runs_alone():
    f, values = network()
    theta = f.pack(values)
    assert "W1 = theta[:20].reshape((5, 4))" in f.source
    assert "return L, d_theta" in f.source
    assert set(f.sources) == {"fun_and_jac", "fun", "jac", "hessp", "hess"}
    namespace: dict = {}
    exec(f.source, namespace)
    value, gradient = namespace["fun_and_jac"](theta, *f.data.values())
    assert (value, gradient.tolist()) == (f.fun(theta), f.fun_and_jac(theta)[1].tolist())
    assert repr(f) == ("<objective of theta (40,): W1 (5, 4) = 20, b1 (4,) = 4, W2 (4, 3) = 12, b2 (3,) = 3, t () = 1>")


def test_names_that_are_taken_are_avoided():
    theta, p = sb.tensor("theta", (2,)), sb.tensor("p", (2,))
    kept = sb.let("kept", sb.exp(p * theta))
    f = sb.objective(sb.sum(kept * kept * sb.tensor("jac", (2,))), p, {theta: [1.0, 2.0], "jac": [1.0, 1.0]})
    q = sb.tensor("q", (2, 1))
    g = sb.objective(sb.sum(sb.exp(q[:, 0] * theta * p)), q, {theta: [1.0, 2.0], p: [1.0, 1.0]})
    at = np.array([0.1, 0.2])
    np.testing.assert_allclose(f.hessp(at, at), 4 * np.array([1, 4]) * np.exp(2 * at * [1, 2]) * at)
    np.testing.assert_allclose(g.hessp(at, at), np.array([1, 4]) * np.exp(at * [1, 2]) * at)


def test_objectives_are_pickled():
    f, values = network()
    theta = f.pack(values)
    f.hessp(theta, theta)
    g = pickle.loads(pickle.dumps(f))
    assert g.jac(theta).tolist() == f.jac(theta).tolist()
    assert g.hessp(theta, theta).tolist() == f.hessp(theta, theta).tolist()


# -- refusals -----------------------------------------------------------------------------------------------

UNSIZED = sb.sum(sb.exp(w)) + c
REFUSED = {
    "missing": (lambda: sb.objective(RIDGE, w, {X: XS}), "the loss depends on y (N,), which is neither a parameter nor "
                "in the data; add it to one"),
    "several missing": (lambda: sb.objective(RIDGE, w), "the loss depends on X (N, d) and y (N,), which are neither "
                        "parameters nor data; add them to one"),
    "both": (lambda: sb.objective(RIDGE, [w], {X: XS, y: YS, w: POINT}), "w is a parameter, so the data must not have "
             "it; pack its value instead"),
    "twice": (lambda: sb.objective(UNSIZED, [w, c, "w"]), "the parameter w is listed twice"),
    "none": (lambda: sb.objective(UNSIZED, []), "no variables are given"),
    "no variable": (lambda: sb.objective(RIDGE, margins, {X: XS, y: YS}), "z is not a variable; give variables made by "
                    "sb.tensor, SymPy symbols, or names"),
    "data of no variable": (lambda: sb.objective(RIDGE, w, {margins: YS}), "z is not a variable; data are given for"),
    "unknown name": (lambda: sb.objective(RIDGE, "v", {X: XS}), "'v' is no variable of this graph; it has X, w, y"),
    "unknown data": (lambda: sb.objective(RIDGE, w, {"Z": XS}), "'Z' is no variable of this graph; it has X, w, y"),
    "unused": (lambda: sb.objective(UNSIZED, [w, X]), "the loss does not depend on X (N, d); leave it out"),
    "no scalar": (lambda: sb.objective(margins, w, {X: XS}), "the loss z (N,) is not a scalar (shape ())"),
    "list of losses": (lambda: sb.objective([RIDGE], w), "what is differentiated is one node, not a list"),
    "data as a list": (lambda: sb.objective(RIDGE, w, [XS, YS]), "the values are given as list; give a dict"),
    "option": (lambda: sb.objective(UNSIZED, [w], style="neat"), "style='neat' is not known; use 'readable' or 'fast'"),
    "limit": (lambda: sb.objective(UNSIZED, [w, c], memory_limit="1 GB"), "objective: memory_limit='1 GB' is no number "
              "of bytes; give a positive integer, or None"),
    "size": (lambda: sb.objective(UNSIZED, [w, c]).fun([1.0]), "the size 'd' of w (d,) is not known, as no data have "
             "it; give it as sizes={'d': ...}, or pack initial values first"),
    "unknown size": (lambda: sb.objective(UNSIZED, [w, c], sizes={"k": 3}), "no shape has a size called 'k'; there are"
                     " d"),
    "sizes against data": (lambda: sb.objective(RIDGE, w, {X: XS, y: YS}, sizes={"d": 4}), "X has shape (20, 3): axis 1"
                           " has size 3, wanted d (d = 4 by sizes)"),
    "data that disagree": (lambda: sb.objective(RIDGE, w, {X: XS, y: YS[1:]}), "y has shape (19,): axis 0 has size 19, "
                           "wanted N (N = 20 by X)"),
    "data of other rank": (lambda: sb.objective(RIDGE, w, {X: XS[0], y: YS}), "X has shape (3,), wanted 2 axes: "
                           "(N, d)"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name):
    make, message = REFUSED[name]
    with pytest.raises(errors.SymbackError) as refusal:
        make()
    assert message in str(refusal.value)


VECTORS = {
    "length": ([1.0] * 39, errors.InputError, "theta has shape (39,), wanted (40,): W1 (5, 4) = 20, b1 (4,) = 4, "
               "W2 (4, 3) = 12, b2 (3,) = 3, t () = 1"),
    "axes": (np.ones((40, 1)), errors.InputError, "theta has shape (40, 1), wanted (40,): W1 (5, 4) = 20"),
    "complex": (np.ones(40) * 1j, errors.DtypeError, "theta is of dtype complex128, wanted a vector of float64; convert"
                " it with np.asarray(theta, 'float64')"),
    "objects": (np.array([None] * 40), errors.DtypeError, "theta is of dtype object, wanted"),
    "ragged": ([[1], [2, 3]], errors.InputError, " is no vector of numbers: "),
    "masked": (np.ma.ones(40), errors.DtypeError, "theta is a masked array, wanted a vector of float64"),
}  # fmt: skip


@pytest.mark.parametrize("name", VECTORS)
def test_wrong_vectors(name):
    f, values = network()
    f.pack(values)
    given, kind, message = VECTORS[name]
    for call in (f.fun, f.jac, f.fun_and_jac, f.hess, f.unpack, lambda theta: f.hessp(theta, np.ones(40))):
        with pytest.raises(kind) as refusal:
            call(given)
        assert message in str(refusal.value)
    with pytest.raises(kind, match=r"^p "):
        f.hessp(np.ones(40), given)


VALUES = {
    "missing": ({"W1": 0, "b1": 0, "W2": 0, "b2": 0}, "pack: t missing; the parameters are W1, b1, W2, b2, t"),
    "unknown": ({"W1": 0, "b1": 0, "W2": 0, "b2": 0, "b3": 0}, "pack: t missing; b3 unknown"),
    "structure": ([1, 2], "pack: the values are given as list; arrange them as {'layers': [{'W1': 'W1', 'b1': 'b1'}, "),
}


@pytest.mark.parametrize("name", VALUES)
def test_wrong_values(name):
    f, _ = network()
    given, message = VALUES[name]
    with pytest.raises(errors.InputError) as refusal:
        f.pack(given)
    assert message in str(refusal.value)


def test_values_of_wrong_shapes():
    f, values = new_network()
    with pytest.raises(errors.InputError, match=r"b1 has shape \(5,\): axis 0 has size 5, wanted h \(h = 4 by W1\)"):
        f.pack({**values, "b1": np.ones(5)})
    f.pack(values)
    with pytest.raises(errors.InputError, match=r"W1 has shape \(5, 6\): axis 1 has size 6, wanted h \(h = 4 by W1\)"):
        f.pack({**values, "W1": np.ones((5, 6)), "b1": np.ones(6), "W2": np.ones((6, 3))})
    v, V = sb.tensor("v", ("k",)), sb.tensor("V", (sb.tensor("v", ("k",)).shape[0] - 1,))
    other = sb.objective(sb.sum(v) ** 2 + sb.sum(V), [v, V])
    with pytest.raises(errors.InputError, match=r"V has shape \(3,\): axis 0 has size 3, wanted k - 1 = 2"):
        other.pack([np.ones(3), np.ones(3)])


def test_a_hessian_that_memory_does_not_hold_is_refused():
    f = rosenbrock(1000)
    small = sb.objective(f._problem.loss, f._problem.structure, sizes={"n": 1000}, memory_limit=10**6)
    assert f.hess(np.zeros(1000)).shape == (1000, 1000)
    message = (
        "hess: the Hessian of 1000 parameters takes 8,000,000 bytes, the limit is 1,000,000; use hessp, its product "
        "with a vector, or give a larger memory_limit"
    )
    with pytest.raises(errors.MemoryLimitError) as refusal:
        small.hess(np.zeros(1000))
    assert str(refusal.value) == message
    assert small.hessp(np.zeros(1000), np.ones(1000)).shape == (1000,)
    with pytest.raises(errors.MemoryLimitError, match="takes 80,000,000,000,000,000 bytes"):
        rosenbrock(10**8).hess([])
