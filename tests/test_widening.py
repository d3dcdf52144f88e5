"""Products and sums whose result has a wider dtype than operands: nothing is computed in the narrower one."""

import numpy as np
import pytest

import symback as sb
from symback.check.evaluate import evaluate
from symback.nodes.leaves import size_of

b, c = (sb.tensor(name, ("n",), dtype=bool) for name in "bc")
i, j = (sb.tensor(name, ("n",), dtype="int8") for name in "ij")
k = sb.tensor("k", ("n",), dtype="int64")
u = sb.tensor("u", ("n",), dtype="uint8")
h = sb.tensor("h", ("n",), dtype="int16")
s = sb.tensor("s", (), dtype=bool)
x, z = sb.tensor("x", ("n",)), sb.tensor("z", ("n", "n"))
B = sb.tensor("B", ("n", "n"), dtype=bool)
M = sb.tensor("M", ("n", "n"), dtype="int8")
U = sb.tensor("U", ("n", "n"), dtype="uint64")

POINT = {
    b: np.ones(4, bool), c: np.array([True, False, True, True]), s: np.True_,
    i: np.full(4, 100, np.int8), j: np.array([100, -128, 90, 3], np.int8), k: np.full(4, 2**62),
    u: np.full(4, 200, np.uint8), h: np.full(4, 300, np.int16), x: np.linspace(0.5, 2.0, 4),
    z: np.ones((4, 4)), B: np.ones((4, 4), bool), M: np.full((4, 4), 100, np.int8),
    U: np.full((4, 4), 2**63, np.uint64),
}  # fmt: skip

CASES = {
    "sums": [sb.sum(0.5 * node) for node in (i, b, k, u, M, U)],
    "sums over an axis": [sb.sum(0.5 * M, axis=0, keepdims=True), sb.sum(3 * B, axis=1) * 2, -sb.sum(U / 3.0, axis=1)],
    "negated sums": [-sb.sum(-1 * b), -sb.sum(-1 * B, axis=0), -sb.sum(0.5 * i), sb.sum(0.5 * i) * sb.sum(0.5 * j)],
    "inner products": [(0.5 * i) @ (2.0 * i), (2 * b) @ (b * 0.5), sb.sum((b / 4) * (b / 2)), (0.5 * k) @ (0.5 * k)],
    "matrix products": [(0.5 * M) @ (0.5 * i), sb.trace(0.5 * M), sb.trace((0.5 * M) @ (0.5 * M)), sb.trace(2 * B)],
    "entry by entry": [
        (0.5 * i) * (2.0 * i),
        (0.5 * k) * (0.5 * k),
        x * i * i,
        x * i * j,
        h * i * j,
        (2 * i) * i * 0.5,
    ],
    "outer products": [sb.outer(0.5 * i, 0.5 * j), sb.outer(-1 * b, c), sb.outer(-1 * b, -1 * c)],
    "diagonals": [sb.diag((0.5 * i) * (1.0 * j)), sb.diag(sb.sum(0.5 * M, axis=0)), -1 * sb.diagonal(B)],
    "many operands": [sb.einsum("i,i,i->", 0.5 * i, j, x), sb.einsum("ij,j,k->ik", 0.5 * M, i, j)],
    "sums of terms": [(i + j) + x, x + (i + j), (i + j) + 1.5, (b | c) + x, i + j + h, x + (-u), x + (-j), -u / 3],
    "views of masks": [-1 * B.T, sb.broadcast_to(s, (4,)) * -1, sb.outer(sb.broadcast_to(s, (4,)) * -1, s * -1)],
    "sizes": [sb.hessian(sb.sum((x + 2 * sb.sum(z)) ** 2), z)],
}


@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("case", CASES)
def test_emitted_code_is_as_wide_as_the_graph(case, style):
    outputs = CASES[case]
    wanted = evaluate(outputs, POINT)
    for value, expected, output in zip(sb.lambdify(list(POINT), outputs, style=style)(*POINT.values()), wanted, outputs,
                                       strict=True):  # fmt: skip
        assert value.dtype == output.dtype
        np.testing.assert_allclose(value, expected, rtol=1e-14)


def test_graph_itself_sums_in_the_wide_dtype():
    assert evaluate(-sb.sum(-1 * b), POINT) == 4
    assert evaluate(sb.sum(3 * B, axis=1) * 2, POINT).tolist() == [24] * 4
    assert evaluate(-sb.sum(0.5 * i), POINT) == -200
    assert evaluate(sb.sum(0.5 * i), POINT) == 200


def test_exact_sums_and_products_need_no_conversion():
    source = sb.lambdify([i, b, c, B], [sb.sum(0.5 * i), 2 * sb.sum(B, axis=0), 0.5 * (b & c), -1 * B.T]).source
    assert "astype(np.float64)" not in source


def test_reciprocals_of_sizes_are_spread_as_numpy_numbers():
    m, n = map(size_of, z.shape)
    outputs = [sb.outer(sb.broadcast_to(1 / n, (3,)), sb.broadcast_to(1 / (2 * m), (2,)))]
    for style in ("readable", "fast"):
        np.testing.assert_allclose(sb.lambdify([z], outputs, style=style)(POINT[z])[0], np.full((3, 2), 1 / 32))


def test_functions_that_keep_their_axes_are_not_asked_to():
    one = sb.tensor("o", (1,))
    outputs = [sb.special.softmax(one)[None], sb.grad(sb.sum(sb.prod(one)[None] * one), one)[None]]
    values = sb.lambdify([one], outputs)(np.ones(1))
    assert [value.tolist() for value in values] == [[[1.0]], [[2.0]]]
