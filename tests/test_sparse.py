"""Sparse derivatives: patterns told from the graph, colours, entries written directly; all against dense Jacobians."""

import sys
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
import pytest
from scipy import sparse

import symback as sb
from random_graphs import SIZES, seeded_programs
from symback import errors
from symback.check.cases import Case, cases_of
from symback.derive.sparsity.colouring import colour_columns, colour_stars, star_sources
from symback.derive.sparsity.compressed import hessian_colours, jacobian_colours
from symback.derive.sparsity.entry_sets import EntrySets
from symback.derive.sparsity.propagation import entry_sets
from symback.graph import toposort
from symback.nodes.node import Node
from symback.nodes.shapes import size_symbols

Point = dict[Any, Any]

LARGE = 100_000
RNG = np.random.default_rng(0)


def there(output: Node, wrt: Node) -> Any:
    """Return the pattern of a Jacobian as a dense boolean array."""
    (sets,) = entry_sets([output], wrt)
    dense = np.zeros((len(sets), sets.width), dtype=bool)
    dense[sets.spelled_out()] = True
    return dense


def dense_jacobian(output: Node, wrt: Node, point: Point) -> Any:
    """Return the value of a Jacobian as a matrix."""
    value = sb.evaluate(sb.jacobian(output, wrt, disconnected="zero"), point)
    return np.reshape(value, (int(np.prod(value.shape[: output.ndim])), int(np.prod(value.shape[output.ndim :]))))


# -- patterns of primitives --------------------------------------------------------------------------------------

EXACT = {
    "astype", "concatenate_along", "convolve_along", "cumprod_along", "cumsum_along", "diag_at", "diff_along", "exp",
    "flip_along", "inv_of", "kron_of", "logaddexp", "logsumexp_over", "norm_over", "pad_border", "pad_constant",
    "pad_zeros", "power", "prod_over", "repeat_along", "reshape_to", "roll_along", "set_slice", "shifted_along", "sin",
    "slice_of", "softmax_over", "solution", "stack_along", "sum_runs", "tile_by", "triu_at", "unpad", "unslice",
    "var_over", "det_of", "singular_values", "cross_of",
}  # fmt: skip
"""Primitives whose patterns have no entry too many, at the points that the generic tests draw."""


def cases(name: str) -> Iterator[tuple[Case, Any]]:
    """Yield the cases of a primitive that have a derivative, with a variable each."""
    declared = sb.PRIMITIVES[name]
    if declared.derivative is None and declared.vjp is None:
        return
    found = cases_of(declared, "float64", 0)
    for case in islice(found, 4) if declared.kind == "elementwise" else found:
        if case.node.dtype.kind == "f" and "repeated" not in case.label:
            yield from ((case, x) for x in case.wrt)


@pytest.mark.parametrize("name", sb.PRIMITIVES)
def test_pattern_of_a_primitive_has_all_entries_that_are_not_zero(name: str) -> None:
    for case, x in cases(name):
        pattern, found = there(case.node, x), dense_jacobian(case.node, x, case.point) != 0
        assert not (found & ~pattern).any(), case.label
        if name in EXACT:
            assert (found == pattern).all(), case.label


def test_every_primitive_that_is_said_to_be_exact_is_there() -> None:
    assert sb.PRIMITIVES.keys() >= EXACT


def test_what_an_unknown_primitive_does_is_taken_to_be_dense() -> None:
    x = sb.tensor("x", (3,))
    (sets,) = entry_sets([sb.linalg.eigvalsh(sb.diag(x))], x)
    assert sets.full.all()


X, Y, C = sb.tensor("x", (4,)), sb.tensor("y", (4,)), sb.tensor("c", (4,), dtype="bool")
M = sb.tensor("M", (3, 4))
I = sb.tensor("i", (2,), dtype="int64")  # noqa: E741

PATTERNS: list[tuple[str, Node, Node, str]] = [
    ("a condition carries no derivative", sb.where(X > 0, Y, 0), X, "....\n....\n....\n...."),
    ("a branch does", sb.where(C, X, Y), X, "x...\n.x..\n..x.\n...x"),
    ("stop_gradient", sb.stop_gradient(X) * Y, X, "....\n....\n....\n...."),
    ("steps", sb.floor(X), X, "....\n....\n....\n...."),
    ("a matrix and a vector", sb.tensor("A", (2, 4)) @ X, X, "xxxx\nxxxx"),
    ("rows", sb.sum(M, axis=1), M, "xxxx........\n....xxxx....\n........xxxx"),
    ("a diagonal", sb.diag(sb.tensor("D", (2, 2))), sb.tensor("D", (2, 2)), "x...\n...x"),
    ("a sum of differences", sb.diff(X, n=2), X, "xxx.\n.xxx"),
    ("known indices", X[np.array([3, 0, 3])], X, "...x\nx...\n...x"),
    ("computed indices", X[2 * sb.arange(2)], X, "x...\n..x."),
    ("indices that only the call gives", X[I], X, "xxxx\nxxxx"),
    ("such indices take rows", sb.sum(M[I], axis=1), M, "xxxxxxxxxxxx\nxxxxxxxxxxxx"),
    ("columns apart", M[I], M, "\n".join(["x...x...x...", ".x...x...x..", "..x...x...x.", "...x...x...x"] * 2)),
    ("sums over everything", X / sb.sum(X), X, "xxxx\nxxxx\nxxxx\nxxxx"),
    ("a variable that is not there", sb.sin(Y), X, "....\n....\n....\n...."),
    ("a window", sb.convolve(X, Y, "valid"), X, "xxxx"),
    ("stacks apart", sb.linalg.inv(sb.tensor("S", (2, 1, 1))), sb.tensor("S", (2, 1, 1)), "x.\n.x"),
]  # fmt: skip


@pytest.mark.parametrize(("output", "wrt", "wanted"), [row[1:] for row in PATTERNS], ids=[row[0] for row in PATTERNS])
def test_pattern(output: Node, wrt: Node, wanted: str) -> None:
    assert str(sb.sparsity(output, wrt)) == wanted


def test_pattern_as_an_object() -> None:
    pattern = sb.sparsity(X[1:] * X[:-1], X)
    assert (pattern.nnz, pattern.shape, pattern.density) == (6, (3, 4), 0.5)
    assert repr(pattern) == "SparsityPattern(shape=(3, 4), nnz=6)"
    assert pattern.indptr.tolist() == [0, 2, 4, 6]
    assert (pattern.toscipy().toarray() == pattern.toarray()).all()
    assert pattern == sb.sparsity(X[1:] + X[:-1], X) != sb.sparsity(X, X)
    with pytest.raises(ValueError, match="read-only"):
        pattern.rows[0] = 1


def test_patterns_of_several_variables_and_second_derivatives() -> None:
    found = sb.sparsity(X[:2] * sb.sum(Y), {"x": X, "y": [Y]})
    assert [str(found["x"]), str(found["y"][0])] == ["x...\n.x..", "xxxx\nxxxx"]
    rows = sb.hessian_sparsity(sb.sum(X**2 * Y), [X, Y])
    diagonal = "x...\n.x..\n..x.\n...x"
    assert [[str(block) for block in row] for row in rows] == [
        [diagonal, diagonal],
        [diagonal, "\n".join(["...."] * 4)],
    ]


def test_pattern_through_an_intermediate_node() -> None:
    z = sb.let("z", sb.tanh(X[:2]))
    assert str(sb.sparsity(z[:, None] * Y[None, :2], z)) == "x.\nx.\n.x\n.x"


def test_large_patterns_take_memory_for_their_entries_alone() -> None:
    x = sb.tensor("x", (LARGE,))
    band = sb.sparsity(x[2:] - 2 * x[1:-1] + x[:-2] + sb.exp(x[1:-1]), x)
    assert band.nnz == 3 * (LARGE - 2)
    assert (band.columns.reshape(-1, 3) - np.arange(LARGE - 2)[:, None] == [0, 1, 2]).all()
    (sets,) = entry_sets([x / sb.linalg.norm(x)], x)
    assert sets.entries == LARGE**2
    assert len(sets.columns) == 0


def test_pattern_of_a_deep_graph() -> None:
    x = sb.tensor("x", (3,))
    y = x
    for _ in range(1500):
        y = sb.sin(y) + x
    assert str(sb.sparsity(y, x)) == "x..\n.x.\n..x"


def test_a_set_of_pairs_is_transposed_and_spelled_out() -> None:
    sets = EntrySets.of_pairs(3, 2, np.array([2, 0, 0, 2]), np.array([1, 0, 1, 1]))
    assert sets.full.tolist() == [True, False, False]
    assert [part.tolist() for part in sets.spelled_out()] == [[0, 0, 2], [0, 1, 1]]
    assert [part.tolist() for part in sets.transposed().spelled_out()] == [[0, 1, 1], [0, 0, 2]]


# -- colours -----------------------------------------------------------------------------------------------------


def random_pattern(rows: int, columns: int, share: float) -> tuple[Any, Any]:
    """Return the entries of a random pattern, by rows."""
    return np.nonzero(RNG.random((rows, columns)) < share)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3, 1.0])
def test_columns_of_one_colour_have_no_row_in_common(share: float) -> None:
    for size in (1, 5, 12):
        rows, columns = random_pattern(size + 2, size, share)
        colours = colour_columns(rows, columns, (size + 2, size))
        assert len({*zip(rows, colours[columns], strict=True)}) == len(rows)


@pytest.mark.parametrize("share", [0.0, 0.05, 0.2, 0.5])
def test_each_entry_of_a_symmetric_matrix_is_found_by_its_star(share: float) -> None:
    for size in (1, 2, 7, 12, 12, 12, 20):
        half = RNG.random((size, size)) < share
        rows, columns = np.nonzero(half | half.T)
        values = RNG.normal(size=(size, size))
        matrix = np.where(half | half.T, values + values.T, 0)
        colours = colour_stars(rows, columns, size)
        sums = (matrix @ np.eye(colours.max() + 1)[colours]).T
        assert np.allclose(sums[star_sources(rows, columns, colours)], matrix[rows, columns], rtol=1e-14)


def test_numbers_of_colours() -> None:
    n = 30
    i = np.arange(n)
    arrow = np.nonzero((i[:, None] == 0) | (i == 0) | (i[:, None] == i))
    band = np.nonzero(abs(i[:, None] - i) <= 1)
    grid = i.reshape(5, 6)
    neighbours = np.zeros((n, n), dtype=bool)
    for one, other in ((grid[1:], grid[:-1]), (grid[:, 1:], grid[:, :-1])):
        neighbours[one, other] = neighbours[other, one] = True
    mesh = np.nonzero(neighbours | np.eye(n, dtype=bool))
    assert [hessian_colours(found, n).number for found in (arrow, band, mesh)] == [2, 3, 5]
    assert [jacobian_colours(found, (n, n)).number for found in (arrow, band)] == [n, 3]
    assert jacobian_colours((np.zeros(n, int), i), (1, n)).along == "rows"


def test_colours_of_large_patterns() -> None:
    i = np.arange(LARGE // 4)
    rows, columns = np.concatenate([i, i[1:], i[:-1]]), np.concatenate([i, i[:-1], i[1:]])
    assert colour_columns(rows, columns, (len(i), len(i))).max() == 2
    assert colour_stars(rows, columns, len(i)).max() == 2


# -- matrices ----------------------------------------------------------------------------------------------------

Model = Callable[[Node], Node]


def rosenbrock(x: Node) -> Node:
    """The chain of Rosenbrock's valleys."""
    return sb.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def laplacian_2d(u: Node) -> Node:
    """Five points, zeros around."""
    p = sb.pad(u, 1)
    return p[2:, 1:-1] + p[:-2, 1:-1] + p[1:-1, 2:] + p[1:-1, :-2] - 4 * u


def periodic(u: Node) -> Node:
    """Diffusion on a ring."""
    return sb.roll(u**2, 1) - 2 * u**2 + sb.roll(u**2, -1)


VECTORS: dict[str, Model] = {
    "entry by entry": lambda x: sb.sin(x) * x,
    "masked": lambda x: sb.relu(x[1:] * x[:-1]),
    "differences": lambda x: sb.diff(x**2) * x[1:],
    "differences of second order": lambda x: sb.exp(sb.diff(x, n=2)),
    "inner residual": lambda x: x[2:] - 2 * x[1:-1] + x[:-2] + sb.exp(x[1:-1]),
    "residual with a border": lambda x: (lambda p: p[2:] - 2 * x + p[:-2] + x**3)(sb.pad(x, 1)),
    "ring": periodic,
    "backwards": lambda x: sb.flip(x**2) * x,
    "columns": lambda x: x[:, None] * sb.arange(1, 4),
    "joined": lambda x: sb.concatenate([x[1:] ** 2, sb.sin(x)]),
    "a row": lambda x: sb.sum(x**3),
    "first": lambda x: x[0] * x,
}
SCALARS: dict[str, Model] = {
    "rosenbrock": rosenbrock,
    "bonds": lambda x: sb.sum(sb.diff(x) ** 4) + sb.sum(x**4),
    "separable": lambda x: sb.sum(sb.softplus(x)),
    "linear": lambda x: sb.sum(x),
    "but the last": lambda x: sb.sum(sb.sin(x[:-1])),
    "chain of angles": lambda x: sb.sum(sb.cos(x[2:] - 2 * x[1:-1] + x[:-2])),
}
FEW = {"dense": lambda x: x / sb.sum(x**2), "running": sb.cumsum, "reshaped": lambda x: sb.reshape(x**2, (2, 3)).T}
"""Models that need a pattern."""


def same(matrix: sb.SparseMatrix, dense: Node, inputs: list[Any], point: Point, rows: int) -> Any:
    """Hold what the emitted function returns against the oracle; return the function."""
    function = sb.lambdify(inputs, matrix)
    found = function(*[point[x] for x in inputs])
    wanted = np.asarray(sb.evaluate(dense, point))
    shape = int(np.prod(wanted.shape[:rows])), int(np.prod(wanted.shape[rows:]))
    assert isinstance(found, sparse.csr_array)
    assert found.dtype == wanted.dtype
    assert found.shape == shape
    np.testing.assert_allclose(found.toarray(), wanted.reshape(shape), rtol=1e-12, atol=1e-12)
    assert np.count_nonzero(wanted) <= found.nnz
    return function


@pytest.mark.parametrize("size", [1, 4, "n"])
@pytest.mark.parametrize("name", VECTORS)
def test_sparse_jacobian_is_the_dense_one(name: str, size: Any) -> None:
    length = 7 if size == "n" else size
    if length < {"inner residual": 3, "differences of second order": 3, "differences": 2, "masked": 2}.get(name, 1):
        return
    x = sb.tensor("x", (size,))
    output = VECTORS[name](x)
    matrix = sb.jacobian(output, x, sparse=True)
    assert matrix.colours is None
    same(matrix, sb.jacobian(output, x), [x], {x: RNG.uniform(0.5, 1.5, length)}, output.ndim)


@pytest.mark.parametrize("size", [1, 4, "n"])
@pytest.mark.parametrize("name", SCALARS)
def test_sparse_hessian_is_the_dense_one(name: str, size: Any) -> None:
    length = 7 if size == "n" else size
    if length < {"chain of angles": 3, "rosenbrock": 2, "bonds": 2}.get(name, 1):
        return
    x = sb.tensor("x", (size,))
    loss = SCALARS[name](x)
    same(sb.hessian(loss, x, sparse=True), sb.hessian(loss, x), [x], {x: RNG.normal(size=length)}, 1)


@pytest.mark.parametrize("name", ["residual with a border", "ring"])
def test_sizes_that_are_said_make_a_constant_pattern(name: str) -> None:
    x = sb.tensor("x", ("n",))
    output = VECTORS[name](x)
    matrix = sb.jacobian(output, x, sparse=True, sizes={"n": 6})
    assert matrix.colours is None
    assert matrix.pattern == sb.sparsity(output, x, sizes={"n": 6})
    function = same(matrix, sb.jacobian(output, x), [x], {x: RNG.normal(size=6)}, 1)
    with pytest.raises(ValueError, match=r"pattern is that of sizes \(6,\), not \(7,\)"):
        function(np.ones(7))


def test_a_size_may_have_the_name_of_a_variable() -> None:
    x, n = sb.tensor("x", ("n",)), sb.tensor("m", ())
    matrix = sb.jacobian(sb.cumsum(x) * n, [x, n], sparse=True, sizes={"n": 3})
    assert [part.shape for part in matrix] == [(3, 3), (3, 1)]


@pytest.mark.parametrize("name", FEW)
@pytest.mark.parametrize("symbolic", [False, True])
def test_sparse_jacobian_by_colours(name: str, symbolic: bool) -> None:
    x = sb.tensor("x", ("n" if symbolic and name != "reshaped" else 6,))
    output = FEW[name](x)
    sizes = {"n": 6} if x.shape != (6,) else None
    matrix = sb.jacobian(output, x, sparse=True, sizes=sizes)
    assert matrix.pattern == sb.sparsity(output, x, sizes=sizes)
    function = same(matrix, sb.jacobian(output, x), [x], {x: RNG.normal(size=6)}, output.ndim)
    if sizes:
        for wrong in (5, 7):
            with pytest.raises(ValueError, match=r"slice needs n >= 6|pattern is that of sizes"):
                function(np.ones(wrong))


@pytest.mark.parametrize("shape", [(1, 1), (4, 5), ("n", "m")])
def test_sparse_derivatives_on_a_grid(shape: Any) -> None:
    u = sb.tensor("u", shape)
    at = {u: RNG.normal(size=[size if isinstance(size, int) else k for k, size in zip((4, 5), shape, strict=True)])}
    residual = laplacian_2d(u) + sb.exp(u)
    same(sb.jacobian(residual, u, sparse=True), sb.jacobian(residual, u), [u], at, 2)
    if shape != (1, 1):
        energy = sb.sum(sb.diff(u, axis=0) ** 4) + sb.sum(sb.diff(u, axis=1) ** 4)
        same(sb.hessian(energy, u, sparse=True), sb.hessian(energy, u), [u], at, 2)


def test_block_diagonal_matrices_have_their_blocks_alone() -> None:
    X, W = sb.tensor("X", ("N", "d")), sb.tensor("W", ("d", 3))
    at = {X: RNG.normal(size=(5, 2)), W: RNG.normal(size=(2, 3))}
    matrix = sb.jacobian(sb.tanh(X @ W), X, sparse=True)
    found = same(matrix, sb.jacobian(sb.tanh(X @ W), X), [X, W], at, 2)(at[X], at[W])
    assert found.nnz == 5 * 3 * 2
    by_weights = sb.sum(sb.tanh(X @ W) ** 2)
    same(sb.hessian(by_weights, X, sparse=True), sb.hessian(by_weights, X), [X, W], at, 2)


@pytest.mark.parametrize("known", [True, False])
def test_bundle_adjustment(known: bool) -> None:
    cameras, points = sb.tensor("cameras", (3, 2)), sb.tensor("points", (4, 2))
    seen, of = np.array([0, 2, 1, 0, -1]), np.array([3, 1, 0, 2, 2])
    inputs: list[Any] = [cameras, points]
    at: Point = {cameras: RNG.normal(size=(3, 2)), points: RNG.normal(size=(4, 2))}
    i, j = (seen, of) if known else (sb.tensor("i", (5,), dtype="int64"), sb.tensor("j", (5,), dtype="int64"))
    if not known:
        inputs, at = [*inputs, i, j], {**at, i: seen, j: of}
    residual = sb.sin(cameras[i]) * points[j] + cameras[i][:, ::-1]
    for wrt, matrix in zip((cameras, points), sb.jacobian(residual, [cameras, points], sparse=True), strict=True):
        same(matrix, sb.jacobian(residual, wrt), inputs, at, 2)
    loss = sb.sum(residual**2)
    blocks = sb.hessian(loss, {"c": cameras, "p": points}, sparse=True)
    dense = sb.hessian(loss, {"c": cameras, "p": points})
    for a in "cp":
        for b in "cp":
            same(blocks[a][b], dense[a][b], inputs, at, 2)


@pytest.mark.parametrize("seed", range(3))
def test_random_graphs(seed: int) -> None:
    for program in seeded_programs(4, seed=seed):
        inputs, point = list(program.variables), program.point()
        output, loss = program.nodes()[-1], program.loss()
        wrt = next((x for x in inputs if x.dtype.kind == "f"), None)
        if wrt is None or program.single or output.dtype != np.float64:
            continue
        for node, derivative, rank in ((output, sb.jacobian, output.ndim), (loss, sb.hessian, wrt.ndim)):
            names = {
                symbol.name for part in toposort([node, wrt]) for size in part.shape for symbol in size_symbols(size)
            }
            sizes = {symbol.name: length for symbol, length in SIZES.items() if symbol.name in names}
            matrix = derivative(node, wrt, disconnected="zero", sparse=True, sizes=sizes)
            same(matrix, derivative(node, wrt, disconnected="zero"), inputs, point, rank)


# -- emitted code ------------------------------------------------------------------------------------------------


def body(function: Any) -> str:
    """Return the statements of an emitted function."""
    return str(function.source.split('"""')[-1].strip())


def test_code_of_a_band_is_written_by_hand() -> None:
    x = sb.tensor("x", (5,))
    p = sb.pad(x, 1)
    function = sb.lambdify([x], sb.jacobian(p[2:] - 2 * x + p[:-2] + x**3, x, sparse=True))
    assert body(function).splitlines()[:4] == [
        "data = np.zeros((13,))",
        "    data[::3] = 3 * x**2 - 2",
        "    data[2:12:3] += 1",
        "    data[1:11:3] += 1",
    ]
    assert "needs scipy" in function.source


def test_code_of_a_diagonal_of_any_size() -> None:
    x = sb.tensor("x", ("n",))
    function = sb.lambdify([x], {"loss": sb.sum(sb.cosh(x)), "H": sb.hessian(sb.sum(sb.cosh(x)), x, sparse=True)})
    assert ", np.arange(n), np.arange(n + 1)), shape=(n, n))" in body(function)
    assert "zeros" not in function.source


def test_results_share_no_memory() -> None:
    x = sb.tensor("x", (3,))
    function = sb.lambdify([x], [sb.jacobian(x**2, x, sparse=True)] * 2)
    one, other = function(np.ones(3))
    one.data[:], one.indices[:], one.indptr[:] = 7, 0, 0
    assert (other.toarray() == 2 * np.eye(3)).all()
    assert (function(np.ones(3))[0].toarray() == 2 * np.eye(3)).all()


def test_hessians_by_colours_are_symmetric_to_the_last_bit() -> None:
    x = sb.tensor("x", (8,))
    loss = sb.sum(sb.reshape(sb.sin(x), (2, 4)) ** 3 * sb.flip(sb.reshape(x, (2, 4)), 1))
    matrix = sb.hessian(loss, x, sparse=True)
    found = same(matrix, sb.hessian(loss, x), [x], {x: RNG.normal(size=8)}, 1)(RNG.normal(size=8))
    assert matrix.colours == 2
    assert (found != found.T).nnz == 0


def test_dtype_is_that_of_the_variable() -> None:
    x = sb.tensor("x", (4,), dtype="float32")
    for output in (sb.diff(x) ** 2, sb.cumsum(x)):
        same(sb.jacobian(output, x, sparse=True), sb.jacobian(output, x), [x], {x: np.ones(4, "float32")}, 1)


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_large_matrices(style: str) -> None:
    x = sb.tensor("x", (LARGE,))
    at = RNG.normal(size=LARGE)
    loss = rosenbrock(x)
    found = sb.lambdify([x], [loss, sb.hessian(loss, x, sparse=True)], style=style)(at)[1]
    main = np.zeros(LARGE)
    main[:-1] = 1200 * at[:-1] ** 2 - 400 * at[1:] + 2
    main[1:] += 200
    wanted = sparse.diags_array([-400 * at[:-1], main, -400 * at[:-1]], offsets=[-1, 0, 1], format="csr")
    assert found.nnz == 3 * LARGE - 2
    assert abs(found - wanted).max() < 1e-11


def test_large_matrices_by_colours() -> None:
    x = sb.tensor("x", (LARGE,))
    matrix = sb.jacobian(sb.reshape(sb.diff(x, n=2), (2, -1)).T, x, sparse=True)
    assert matrix.colours == 3
    found = sb.lambdify([x], matrix)(np.ones(LARGE))
    assert (found.nnz, found.sum()) == (3 * (LARGE - 2), 0)


# -- bad input ---------------------------------------------------------------------------------------------------

S = sb.tensor("s", ("n",))
Z = sb.tensor("k", (3,), dtype="int64")

REFUSED: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: sb.sparsity(S, S), errors.InputError, r"symbolic size n; say how large: sizes=\{'n': 100\}"),
    (lambda: sb.jacobian(S / sb.sum(S), S, sparse=True), errors.InputError, "jacobian: the pattern of .* size n"),
    (lambda: sb.hessian(sb.logsumexp(S), S, sparse=True), errors.InputError, "hessian: the pattern of .* size n"),
    (lambda: sb.sparsity(S, S, sizes={"m": 3}), errors.InputError, "no shape has a size called 'm'"),
    (lambda: sb.sparsity(S, S, sizes={"n": -1}), errors.InputError, "size n must be an integer from 0"),
    (lambda: sb.sparsity(Z, X), errors.DtypeError, "its dtype is int64"),
    (lambda: sb.jacobian(Z, X, sparse=True, disconnected="zero"), errors.DtypeError, "its dtype is int64"),
    (lambda: sb.sparsity(X, Z), errors.DtypeError, "its dtype is int64"),
    (lambda: sb.jacobian(Y, X, sparse=True), errors.DerivativeError, "does not depend on x"),
    (lambda: sb.hessian_sparsity(X, X), errors.DerivativeError, "^hessian_sparsity: .* not a scalar"),
    (lambda: sb.sparsity([X, X], X), errors.UsageError, "sparsity: what is differentiated is one node, not a list"),
    (lambda: sb.hessian_sparsity([X, X], X), errors.UsageError, "^hessian_sparsity: .* one node, not a list"),
    *(
        (partial(call, sb.jacobian(X**2, X, sparse=True)), errors.UsageError, f"{name}: a SparseMatrix is made of")
        for name, call in {
            "jvp": lambda matrix: sb.jvp(matrix, X, X),
            "vjp": lambda matrix: sb.vjp([matrix], X, [matrix]),
            "jacobian": lambda matrix: sb.jacobian({"a": matrix}, X),
            "batch": lambda matrix: sb.batch(matrix, {"x": "N"}, reduce="mean"),
            "gauss_newton": lambda matrix: sb.gauss_newton(matrix, X, X),
        }.items()
    ),
    (lambda: sb.hessian(sb.jacobian(X**2, X, sparse=True), X), errors.UsageError, "one node, not a SparseMatrix"),
    (lambda: sb.hessian(X, X, sparse=True), errors.DerivativeError, "not a scalar"),
    (
        lambda: sb.sparsity(sb.cumsum(sb.tensor("x", (LARGE,))), sb.tensor("x", (LARGE,))), errors.InputError,
        "5000050000 entries is needed, more than 268435456",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "message"), REFUSED)
def test_refused(call: Callable[[], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        call()


def test_a_variable_that_is_not_there_gives_an_empty_matrix() -> None:
    matrix = sb.jacobian(Y, X, sparse=True, disconnected="zero")
    found = sb.lambdify([X, Y], matrix)(np.ones(4), np.ones(4))
    assert (found.nnz, found.shape, repr(matrix)) == (0, (4, 4), repr(matrix))
    assert repr(matrix) == "SparseMatrix(shape=(4, 4), nnz=0, entries written directly)"


def test_without_scipy(monkeypatch: pytest.MonkeyPatch) -> None:
    matrix, pattern = sb.jacobian(X**2, X, sparse=True), sb.sparsity(X**2, X)
    monkeypatch.setitem(sys.modules, "scipy", None)
    with pytest.raises(errors.UsageError, match="scipy"):
        sb.lambdify([X], matrix)
    with pytest.raises(errors.UsageError, match="scipy"):
        pattern.toscipy()
