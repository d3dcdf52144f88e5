"""Results with structure: written in place when they are dense, kept as their factors when they are asked for so."""

import pickle
import random
import threading
import tracemalloc
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symback as sb
from symback.check.evaluate import evaluate
from symback.codegen.structure.concentrate import concentrated
from symback.codegen.structure.regroup import grouped
from symback.nodes.add import add
from symback.nodes.contract import contract
from symback.nodes.leaves import exact, ones_of
from symback.nodes.node import Node
from symback.structure import Packed, leaves_of, packed_in, refill
from test_emitted_style import complaints, needs_ruff

SIZES = {"n": 4, "k": 3, "m": 5}

x, y, w = (sb.tensor(name, ("n",)) for name in "xyw")
A, U, V = sb.tensor("A", ("n", "n")), sb.tensor("U", ("n", "k")), sb.tensor("V", ("m", "k"))
T, X, b, z = sb.tensor("T", ("n", "m")), sb.tensor("X", ("m", "n")), sb.tensor("b", ("m",)), sb.tensor("z", (12,))
VARIABLES = [x, y, w, A, U, V, T, X, b, z]

factorisation = sb.sum((T - U @ V.T) ** 2)
rosenbrock = sb.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def point(seed: int = 0) -> dict[Node, Any]:
    """Return random values of the variables."""
    rng = np.random.default_rng(seed)
    return {v: rng.normal(size=[SIZES.get(str(size), size) for size in v.shape]) for v in VARIABLES}


def body(outputs: Any, **options: Any) -> str:
    """Return the statements of the emitted function."""
    source = sb.lambdify(VARIABLES, outputs, check=False, **options).source
    return source.split('"""\n')[-1]


# -- dense ---------------------------------------------------------------------------------------------------

DENSE = {
    "diagonal": (sb.sum(sb.sin(x)), x, ["return np.diag(-np.sin(x))"]),
    "identity times a number": (sb.sum(x**2), x, ["return np.diag(np.full(n, 2.0))"]),
    "I (x) A": (factorisation, U, ['np.einsum("ijik->ijk", diagonal)[...] = 2 * (V.T @ V)']),
    "A (x) I": (sb.sum(U * (A @ U)), U, ['"ijkj->ijk", diagonal)[...] = (A.T + A)[:, None]']),
    "diagonal in a dense array": (x @ A @ x + sb.sum(sb.exp(x)), x, ["s = A + A.T", '"ii->i", s)[...] += np.exp(x)']),
    "ridge": (sb.sum((X @ w - b) ** 2) + sb.sum(w**2), w, ["s = 2 * (X.T @ X)", '"ii->i", s)[...] += 2']),
    "two diagonals": (factorisation + sb.sum(sb.exp(U)), U, ['"ijik->ijk", s)[...] = 2', '"ijij->ij", s)[...] += np']),
    "one diagonal of two": (sb.sum(sb.exp(x)) + sb.sum(x**4), x, ["return np.diag(np.exp(x) + 12 * x**2)"]),
    "masks": (sb.sum(sb.where(x > 0, x**3, x**2)), x, ["return np.diag(np.where(greater, 6 * x, 0) + 2.0 * "]),
    "parts": (rosenbrock, x, ['"ii->i", s[1:, 1:])[...] = 200', 's[:-1, 1:])[...] -= 400', 's[1:, :-1])[...] -= 400']),
    "a part alone": (sb.sum(sb.exp(U[0])), U, ['np.einsum("ii->i", padded[0, :, 0])[...] = np.exp(U[0])']),
    "reshaped": (sb.sum(sb.exp(sb.reshape(z, (3, 4)))), z, ['"ijij->ij", diagonal)[...] =', "reshape((12, 12))"]),
    "reshaped sums": (
        sb.sum(sb.reshape(z, (3, 4)) @ sb.reshape(z, (4, 3))), z, ["s.reshape((3, 4, 4, 3)))[...] ="],
    ),
    "flattened": (sb.sum(sb.exp(sb.reshape(U, (-1,)))), U, ["reshape((n, k))", "return diagonal\n"]),
}  # fmt: skip


@pytest.mark.parametrize("case", DENSE)
def test_dense_hessians_are_written_where_they_belong(case: str) -> None:
    loss, by, lines = DENSE[case]
    hessian = sb.hessian(loss, by)
    text = body(hessian)
    assert not [line for line in lines if line not in text], text
    assert "np.eye" not in text
    assert text.count("np.zeros") <= 1
    for style in ("readable", "fast"):
        found = sb.lambdify(VARIABLES, hessian, style=style)(*point().values())
        np.testing.assert_allclose(found, evaluate(hessian, point()), rtol=1e-13, atol=1e-13)


def test_a_diagonal_that_is_used_twice_or_named_keeps_its_array() -> None:
    d = sb.let("D", sb.diag(sb.exp(x)))
    outputs = [d, d + A, A + sb.let("E", A @ A)]
    found = sb.lambdify(VARIABLES, outputs)(*point().values())
    for array, node in zip(found, outputs, strict=True):
        np.testing.assert_allclose(array, evaluate(node, point()), rtol=1e-13)
    found[0][...] = 0
    assert np.any(found[1])


def test_the_first_array_is_copied_where_another_result_needs_it() -> None:
    named = sb.let("S", A @ A)
    one, other = sb.lambdify(VARIABLES, [named, named + sb.diag(x)])(*point().values())
    values = point()
    np.testing.assert_allclose(one, values[A] @ values[A])
    np.testing.assert_allclose(other, values[A] @ values[A] + np.diag(values[x]))


# -- compressed ----------------------------------------------------------------------------------------------

COMPRESSED = {
    "diag(s)": (sb.hessian(sb.sum(sb.exp(x)), x), "diag(s)", 4),
    "I (x) A": (sb.hessian(factorisation, U), "I (x) A", 9),
    "A (x) I": (sb.hessian(sb.sum(U * (A @ U)), U), "A (x) I", 16),
    "I (x) I": (sb.hessian(sb.sum(U**2), U), "I (x) I", 1),
    "diagonal and outer product": (sb.hessian(sb.sum(x * y) ** 2 + sb.sum(x**4), x), "a b^T + diag(s)", 12),
    "softmax": (sb.jacobian(sb.softmax(x), x), "diag(s) + a b^T", 12),
    "inverse": (sb.hessian(sb.linalg.slogdet(A)[1], A), "jk,li->ijkl", 32),
    "third derivative": (sb.jacobian(sb.hessian(sb.sum(sb.sin(x)), x), x), "i->iii", 4),
    "bands": (sb.hessian(rosenbrock, x), "[I] in a part", 10),
    "blocks": (sb.hessian(factorisation, [U, V])[1][0], "A (x) I + ", 47),
    "zero": (sb.hessian(sb.sum(x) * sb.sum(y), x) * 0, "->ij", 1),
}


@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("case", COMPRESSED)
def test_what_is_kept_is_what_a_result_is_made_of(case: str, style: str) -> None:
    node, text, entries = COMPRESSED[case]
    found = sb.lambdify(VARIABLES, {"H": node}, structure="compressed", style=style)(*point().values())["H"]
    assert isinstance(found, sb.StructuredTensor)
    assert text in repr(found)
    assert found.nbytes <= 8 * entries
    agrees(found, evaluate(node, point()), 1e-13)


def agrees(found: Any, wanted: np.ndarray, tolerance: float) -> None:
    """Compare all that a structured result can do with the dense array."""
    scale = max(1.0, float(np.max(np.abs(wanted), initial=0)))
    rng = np.random.default_rng(1)

    def close(one: Any, other: Any) -> None:
        bound = tolerance * scale * max(1, wanted.size)
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=bound)

    assert (found.shape, found.dtype, found.ndim) == (wanted.shape, wanted.dtype, wanted.ndim)
    close(found.todense(), wanted)
    for rank in range(wanted.ndim + 1):
        lead = wanted.ndim - rank
        v, u = rng.normal(size=wanted.shape[lead:]), rng.normal(size=wanted.shape[:lead])
        close(found.matvec(v), np.tensordot(wanted, v, rank))
        close(found.rmatvec(u), np.tensordot(u, wanted, lead))
        several = rng.normal(size=(*wanted.shape[lead:], 2))
        close(found.matmat(several), np.tensordot(wanted, several, rank))
        several = rng.normal(size=(*wanted.shape[:lead], 2))
        by_row = np.tensordot(np.moveaxis(several, -1, 0), wanted, lead)
        close(found.rmatmat(several), np.moveaxis(by_row, 0, -1))
    pytest.importorskip("scipy")
    for lead in range(wanted.ndim + 1):
        matrix = found.toscipy(lead)
        close(matrix.toarray(), wanted.reshape(matrix.shape))


def test_a_product_stays_apart_where_that_takes_less_memory() -> None:
    hessian = sb.hessian(sb.sum(sb.softplus(X @ w) - b * (X @ w)), w)
    wide = sb.lambdify(VARIABLES, hessian, structure="compressed", sizes={"n": 1000, "m": 10})
    small = sb.lambdify(VARIABLES, hessian, structure="compressed", sizes={"n": 10, "m": 1000})
    assert [len(f(*point().values()).terms[0][2]) for f in (wide, small)] == [2, 1]
    for f in (wide, small):
        agrees(f(*point().values()), evaluate(hessian, point()), 1e-13)


def test_compressed_results_never_need_the_dense_memory() -> None:
    f = sb.lambdify([T, U, V], sb.hessian(factorisation, U), structure="compressed")
    rng = np.random.default_rng(0)
    values = [rng.normal(size=shape) for shape in ((500, 20), (500, 10), (20, 10))]
    f(*values)
    tracemalloc.start()
    found = f(*values)
    product = found.matvec(values[1])
    matrix = found.toscipy() if pytest.importorskip("scipy") else None
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.nbytes == 800
    assert peak < 10_000_000 < 8 * 500**2 * 10**2
    np.testing.assert_allclose(product, values[1] @ (2 * values[2].T @ values[2]), rtol=1e-12)
    assert matrix.nnz == 500 * 100


def test_an_iterative_solver_takes_it() -> None:
    linalg = pytest.importorskip("scipy.sparse.linalg")
    f = sb.lambdify(VARIABLES, sb.hessian(factorisation + sb.sum(U**2), U), structure="compressed")
    hessian = f(*point().values())
    operator = hessian.aslinearoperator()
    right = np.random.default_rng(2).normal(size=12)
    found, failed = linalg.cg(operator, right, rtol=1e-12)
    assert not failed
    np.testing.assert_allclose(hessian.todense().reshape(12, 12) @ found, right, rtol=1e-8)
    np.testing.assert_allclose(operator @ np.eye(12), hessian.todense().reshape(12, 12), atol=1e-12)
    np.testing.assert_allclose(operator.T @ right, operator @ right, atol=1e-10)
    g = sb.lambdify([x], sb.hessian(sb.sum(x**3), x), structure="compressed")
    assert (g(np.zeros(0)).aslinearoperator() @ np.zeros((0, 2))).shape == (0, 2)


def test_it_is_an_array_only_where_that_is_said() -> None:
    found = sb.lambdify([x], sb.hessian(sb.sum(sb.exp(x)), x), structure="compressed")(np.ones(3))
    with pytest.raises(TypeError, match=r"call its method todense\(\)"):
        np.asarray(found)
    with pytest.raises(TypeError, match="does not support ufuncs"):
        np.add(found, 1)
    array: Any = np.ones((3, 3))
    for arithmetic in (
        lambda: array + found,
        lambda: found + 1,
        lambda: 2 * found,
        lambda: array @ found,
        lambda: -found,
    ):
        with pytest.raises(TypeError, match=r"no arithmetic; call its method todense\(\)"):
            arithmetic()
    for name, size in (("matvec", 2), ("rmatvec", 2), ("matmat", (2, 2)), ("rmatmat", (2, 2)), ("matvec", (3, 3, 3))):
        with pytest.raises(sb.errors.InputError, match=rf"{name}: .* does not fit an array of \(3, 3\)"):
            getattr(found, name)(np.ones(size))


@pytest.mark.parametrize("name", ["toscipy", "aslinearoperator"])
def test_rows_are_a_number_of_axes(name: str) -> None:
    pytest.importorskip("scipy")
    found = sb.StructuredTensor((3, 3), ("i->ii", np.ones(3)))
    for leading in (-1, 3):
        with pytest.raises(sb.errors.InputError, match=f"{name}: leading={leading} .* of 2 axes, wanted 0 to 2"):
            getattr(found, name)(leading)


def test_a_zero_times_a_matrix_has_no_entries_in_scipy() -> None:
    pytest.importorskip("scipy")
    terms = ("i->ii", np.ones(3)), (",ij->ij", 0.0, np.ones((3, 3)))
    assert sb.StructuredTensor((3, 3), *terms).toscipy().nnz == 3
    assert sb.StructuredTensor((3, 3), ("->ij", 0.0)).toscipy().nnz == 0
    unknown = sb.StructuredTensor((3, 3), (",ij->ij", 0.0, np.full((3, 3), np.nan)))
    assert np.isnan(unknown.toscipy().toarray()).all()


def test_functions_and_results_are_pickled_and_run_in_threads() -> None:
    f = sb.lambdify(VARIABLES, [sb.hessian(factorisation, U)], structure="compressed", style="fast")
    again = pickle.loads(pickle.dumps(f))
    results: list[Any] = []
    calls = [threading.Thread(target=lambda: results.append(again(*point().values())[0])) for _ in range(4)]
    for call in calls:
        call.start()
    for call in calls:
        call.join()
    for found in (*results, pickle.loads(pickle.dumps(results[0]))):
        assert isinstance(found, sb.StructuredTensor)
        agrees(found, evaluate(sb.hessian(factorisation, U), point()), 1e-12)
    factors = [factor for found in results for *_, several in found.terms for factor in several]
    assert not any(np.shares_memory(one, other) for one in factors for other in factors if one is not other)


def test_factors_are_no_views_of_the_arguments() -> None:
    f = sb.lambdify([x, A], sb.jacobian(x[:, None] * A, x), structure="compressed")
    values = np.ones(3), np.ones((3, 3))
    found = f(*values)
    found.terms[0][2][0][...] = 7
    assert np.all(values[1] == 1)


@needs_ruff
def test_modules_are_written_as_formatters_would(tmp_path: Path) -> None:
    loss = sb.let("L", factorisation)
    outputs = {"L": loss, "H": sb.hessian(loss, [U, V]), "R": sb.hessian(rosenbrock, x), "d": sb.grad(loss, U)}
    for structure in ("dense", "compressed"):
        for style in ("readable", "fast"):
            f = sb.lambdify(VARIABLES, outputs, structure=structure, style=style, memory_limit=10**9)
            f.save(tmp_path / f"{structure}_{style}.py")
    assert complaints(tmp_path) == ""


def test_a_saved_module_returns_its_own_class() -> None:
    loss = sb.let("L", factorisation)
    outputs = [loss, sb.grad(loss, U), sb.hessian(loss, U)]
    f = sb.lambdify([T, U, V], outputs, structure="compressed", memory_limit=10**9)
    namespace: dict[str, Any] = {"__name__": "saved"}
    exec(f.module, namespace)
    found = namespace["f"](**namespace["example_arguments"]())
    assert type(found[2]) is namespace["StructuredTensor"] is not sb.StructuredTensor
    assert "check_gradient" not in namespace  # the gradient is no array
    agrees(found[2], f(**namespace["example_arguments"]())[2].todense(), 1e-13)


# -- random ----------------------------------------------------------------------------------------------------


def random_term(rng: random.Random, variables: list[Node], shape: tuple[Any, ...], dtype: str) -> Node:
    """Return a product whose result has this shape, and some of whose labels repeat."""
    labels = list(range(len(shape)))
    for k in labels[:]:
        same = [j for j in range(k) if shape[j] == shape[k]]
        labels[k] = labels[rng.choice(same)] if same and rng.random() < 0.5 else k
    terms: list[Any] = [(exact(rng.choice([2, -1, Fraction(1, 2), Fraction(-1, 3)])), ())] * (rng.random() < 0.5)
    fresh = iter(range(50, 99))
    for core in rng.sample(variables, rng.randint(0, 3)):
        pools = [[label for label, other in zip(labels, shape, strict=True) if other == size] for size in core.shape]
        terms.append((core, tuple(rng.choice(p) if p and rng.random() < 0.8 else next(fresh) for p in pools)))
    covered = {label for _, own in terms for label in own}
    missing = tuple(label for label in dict.fromkeys(labels) if label not in covered)
    terms.append((ones_of(tuple(shape[labels.index(label)] for label in missing), np.dtype(dtype)), missing))
    return contract(terms, tuple(labels))


def random_graph(rng: random.Random, variables: list[Node], shape: tuple[Any, ...], dtype: str) -> Node:
    """Return a sum of such products after a few slices, masks, transposes, reshapes and products."""
    node = add(*[random_term(rng, variables, shape, dtype) for _ in range(rng.randint(1, 3))])
    for operation in rng.choices(["slice", "mask", "transpose", "reshape", "product"], k=rng.randint(0, 3)):
        rank = len(node.shape)
        fits = [v for v in variables if v.shape == node.shape[rank - len(v.shape) :]]
        if operation == "slice" and not {0, 1}.intersection(node.shape):
            node = node[tuple(rng.choice([slice(1, None), slice(None, -1), slice(None)]) for _ in range(rank))]
        elif operation == "mask" and fits:
            parts = (node, 0) if rng.random() < 0.6 else (0, node)
            node = sb.where(rng.choice(fits) > 0, *parts)
        elif operation == "transpose":
            node = sb.transpose(node, rng.sample(range(rank), rank))
        elif operation == "reshape" and rank > 2:
            node = sb.reshape(node, (node.shape[0] * node.shape[1], *node.shape[2:]))
        elif operation == "product" and fits:
            node = node * rng.choice(fits)
    return node


@pytest.mark.parametrize("seed", range(60))
def test_random_structured_graphs(seed: int) -> None:
    rng = random.Random(seed)
    dtype, fixed = rng.choice(["float64", "float64", "float32"]), rng.random() < 0.5
    n, m = (rng.choice([0, 1, 2, 3]), rng.choice([1, 2])) if fixed else (3, 2)
    shapes = [(), ("n",), ("m",), ("n", "n"), ("n", "m"), ("m", "m")]
    given = {"n": n, "m": m}
    variables = [
        sb.tensor(f"v{k}", tuple(given[s] for s in shape) if fixed else shape, dtype=dtype)
        for k, shape in enumerate(shapes)
    ]
    sizes = [variables[1].shape[0], variables[1].shape[0], variables[2].shape[0]]
    node = random_graph(rng, variables, tuple(rng.choices(sizes, k=rng.randint(2, 4))), dtype)
    draw = np.random.default_rng(seed)
    values = [draw.normal(size=[given[s] for s in shape]).astype(dtype)[()] for shape in shapes]
    wanted = evaluate(node, dict(zip(variables, values, strict=True)))
    tolerance = 100 * float(np.finfo(dtype).eps)
    (moved,) = concentrated([node])
    np.testing.assert_allclose(
        evaluate(moved, dict(zip(variables, values, strict=True))), wanted, rtol=tolerance, atol=tolerance * 10
    )
    style = rng.choice(["readable", "fast"])
    dense = sb.lambdify(variables, node, style=style)(*values)
    assert (dense.shape, dense.dtype) == (wanted.shape, wanted.dtype)
    scale = max(1.0, float(np.max(np.abs(wanted), initial=0)))
    np.testing.assert_allclose(dense, wanted, rtol=tolerance, atol=tolerance * scale)
    agrees(sb.lambdify(variables, node, style=style, structure="compressed")(*values), wanted, tolerance)


@pytest.mark.parametrize(
    ("old", "new", "groups"),
    [
        ((2, 3, 4), (6, 4), [((0, 1), (0,)), ((2,), (1,))]),
        ((6, 4), (2, 3, 4), [((0,), (0, 1)), ((1,), (2,))]),
        ((4, 3), (6, 2), None),
        ((0, 3), (3, 0), None),
    ],
)
def test_which_axes_a_reshape_puts_together(old: Any, new: Any, groups: Any) -> None:
    assert grouped(old, new) == groups


# -- memory ----------------------------------------------------------------------------------------------------


def test_a_result_of_known_size_above_the_limit_is_refused_when_compiled() -> None:
    v = sb.tensor("v", (5000,))
    hessian = sb.hessian(sb.sum(v**3), v)
    with pytest.raises(sb.errors.MemoryLimitError) as caught:
        sb.lambdify([v], hessian, memory_limit=10**8)
    assert str(caught.value) == (
        "lambdify: a result of shape (5000, 5000) takes 200,000,000 bytes, memory_limit is 100,000,000; "
        "structure='compressed' returns what it is made of"
    )
    assert isinstance(caught.value, MemoryError)
    assert sb.lambdify([v], hessian, memory_limit=10**8, structure="compressed")(np.ones(5000)).nbytes == 40_000
    with pytest.raises(sb.errors.MemoryLimitError, match="raise memory_limit"):
        sb.lambdify([v], hessian, memory_limit=39_999, structure="compressed")


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_a_result_of_symbolic_size_is_refused_at_the_call_before_it_is_made(style: str) -> None:
    f = sb.lambdify([U], [sb.hessian(sb.sum(sb.exp(U)), U)], memory_limit=10**6, check=False, style=style)
    assert f(np.zeros((10, 3)))[0].shape == (10, 3, 10, 3)
    tracemalloc.start()
    with pytest.raises(sb.errors.MemoryLimitError) as caught:
        f(np.broadcast_to(0.0, (10**6, 10**3)))
    assert tracemalloc.get_traced_memory()[1] < 100_000
    tracemalloc.stop()
    assert str(caught.value) == (
        "a result of shape (n, k, n, k) takes 8,000,000,000,000,000,000 bytes (k = 1000, n = 1000000), "
        "memory_limit is 1,000,000; structure='compressed' returns what it is made of"
    )
    namespace: dict[str, Any] = {}
    exec(f.source, namespace)
    with pytest.raises(MemoryError, match="memory_limit"):
        namespace["f"](np.zeros((100, 10)))


@pytest.mark.parametrize("check", [False, True])
def test_a_size_that_only_the_limit_needs_is_read(check: bool) -> None:
    f = sb.lambdify([x], sb.exp(x), memory_limit=80, check=check)
    assert f(np.zeros(10)).tolist() == [1] * 10
    with pytest.raises(MemoryError, match=r"takes 88 bytes \(n = 11\), memory_limit is 80"):
        f(np.zeros(11))


@pytest.mark.parametrize("limit", [0, -1, True, 1.5, "1 GB"])
def test_a_limit_is_a_number_of_bytes(limit: Any) -> None:
    with pytest.raises(sb.errors.InputError, match=r"memory_limit=.* is no number of bytes; give a positive integer"):
        sb.lambdify([x], x, memory_limit=limit)


def test_a_limit_may_be_an_integer_of_numpy() -> None:
    limit: Any = np.int64(10**6)
    assert sb.lambdify([x], x, memory_limit=limit).module == sb.lambdify([x], x, memory_limit=10**6).module
    assert sb.objective(sb.sum(x**2), x, memory_limit=limit).fun is not None


def test_an_unknown_structure_is_refused() -> None:
    with pytest.raises(sb.errors.InputError, match="structure='sparse' is not known; use 'dense' or 'compressed'"):
        sb.lambdify([x], x, structure="sparse")


# -- objects of several arrays ------------------------------------------------------------------------------------


def test_an_output_may_be_an_object_of_several_arrays() -> None:
    pytest.importorskip("scipy")
    index = np.arange(3)
    v, loss = sb.tensor("v", (3,)), sb.let("L", sb.sum(x**2))
    template = "sparse.csr_array(({0}, {index}.copy(), {ends}.copy()), shape={shape})"
    parameters = {"index": index, "ends": np.arange(4), "shape": (3, 3)}
    matrix = Packed((v,), template, parameters, (("scipy", "sparse"),))
    other = Packed((2 * v, sb.exp(x)), "dict(a={0}[::{step}], b={1}, n={n}, text={text})",
                   {"step": 2, "n": x.shape[0], "text": 'a "b"'})  # fmt: skip
    outputs = {"m": [matrix, other], "again": matrix, "L": loss, "g": sb.grad(loss, x)}
    assert packed_in(outputs) == [matrix, other, matrix]
    assert leaves_of(refill(outputs, range(6))) == list(range(6))
    values = np.ones(4), np.arange(3.0)
    for style in ("readable", "fast"):
        f = sb.lambdify([x, v], outputs, style=style)
        assert f.source.count("\nINDEX") == 1
        for g in (f, pickle.loads(pickle.dumps(f))):
            found = g(*values)
            assert np.array_equal(found["m"][0].toarray(), np.diag(values[1]))
            found["m"][0].data[...] = found["m"][0].indices[...] = 2
            assert np.array_equal(found["again"].toarray(), np.diag(values[1]))
            assert (found["m"][1]["n"], found["m"][1]["text"]) == (4, 'a "b"')
            assert np.array_equal(found["m"][1]["a"], [0, 4])
        assert np.array_equal(values[1], np.arange(3.0))
        assert "gradient by" in f.module


@pytest.mark.parametrize(
    "of",
    [lambda total, mask: sb.where(mask, total, 0), lambda total, mask: total[:, 1:],
     lambda total, mask: total[0], lambda total, mask: sb.reshape(total, (3, 9))],
    ids=["where", "slice", "entry", "reshape"],
)  # fmt: skip
def test_a_diagonal_that_is_broadcast_in_a_sum_is_no_part_of_it(of: Callable[[Node, Node], Node]) -> None:
    v, mask = sb.tensor("v", (3,)), sb.tensor("mask", (3, 3, 3), dtype="bool")
    node = of(sb.diag(v) + sb.jacobian(sb.jacobian(v**3, v), v), mask)
    at = {v: np.array([1.0, 2.0, 3.0]), mask: np.arange(27).reshape(3, 3, 3) % 4 > 0}
    np.testing.assert_array_equal(sb.lambdify([v, mask], node)(*at.values()), evaluate([node], at)[0])
