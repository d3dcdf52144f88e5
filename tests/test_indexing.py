"""Indexing, read and written, against NumPy; what repeats, is out of range, or lies next to an infinite slope."""

import numpy as np
import pytest
import sympy

import symback as sb
from symback import errors
from symback.check.evaluate import evaluate
from symback.nodes.apply import Apply, Operation

RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 4, 5, 2))
x4 = sb.tensor("x", X.shape)
x, n3 = sb.tensor("x", (3,)), np.arange(3.0)
ids = sb.tensor("ids", ("N",), dtype="int64")
I4 = np.array([0, 2, 2, -1])
M3 = np.array([True, False, True])
M34 = RNG.random((3, 4)) > 0.5

INDICES = {
    "array": I4,
    "array behind a slice": np.s_[:, I4],
    "integer and array": np.s_[0, I4],
    "array and integer": np.s_[I4, -1],
    "array, slice, integer": np.s_[I4, :, 0],
    "arrays apart": np.s_[I4, :, I4],
    "arrays apart behind a slice": np.s_[:, I4, :, I4 % 2],
    "arrays broadcast": np.s_[:, I4, I4[:, None]],
    "arrays apart by newaxis": np.s_[:, I4, None, I4[:, None]],
    "arrays apart by an empty ellipsis": np.s_[:, [0, 1], [1, 2], ..., [1, 0]],
    "newaxis first": np.s_[None, I4, ..., 1],
    "list at the end": np.s_[..., [1, 0]],
    "slices and list": np.s_[:, 1:3, [0, 1, 1], ::-1],
    "mask": M3,
    "mask behind a slice": np.s_[:, M34[0]],
    "mask of two axes": M34,
    "mask and integer": np.s_[M34, ..., 0],
    "mask and array": np.s_[M3, [0, 1]],
    "integer apart from array": np.s_[0, :, [1, 1], 0],
    "nothing": [],
    "no rows": np.s_[np.zeros((0, 2), int), 1:2],
    "open mesh": np.ix_([0, 2], [1, 3]),
    "open mesh of all axes": np.ix_([0, 2], [1, 3], [0], [1, 0]),
    "array without axes": np.array(1),
    "array of size 1": np.s_[np.array([[1]]), None, 0],
    "many": np.s_[0, None, :, I4, None, 1],
    "range": range(2),
    "small integers": np.array([1, 2], dtype=np.uint8),
    "basic": np.s_[1:, None, ..., -1, ::2],
}
every_index = pytest.mark.parametrize("index", INDICES.values(), ids=list(INDICES))


@every_index
def test_reading_is_numpys_and_its_gradient_adds_at_the_index(index):
    node, wanted = x4[index], X[index]
    assert node.shape == wanted.shape
    np.testing.assert_array_equal(evaluate(node, {"x": X}), wanted)
    np.testing.assert_array_equal(sb.lambdify([x4], node)(X), wanted)
    g = sb.tensor("g", wanted.shape)
    weights = RNG.normal(size=wanted.shape)
    total = np.zeros_like(X)
    np.add.at(total, index, weights)
    np.testing.assert_allclose(sb.lambdify([g], sb.vjp([node], [x4], [g])[0])(weights), total)


@every_index
@pytest.mark.parametrize("kind", ["whole", "row", "number"])
def test_writing_is_numpys(index, kind):
    shape = X[index].shape
    value = {"whole": RNG.normal(size=shape), "row": RNG.normal(size=shape[-1:]), "number": np.float64(2.5)}[kind]
    v = sb.tensor("v", value.shape)
    written, added = X.copy(), X.copy()
    written[index] = value
    np.add.at(added, index, value)
    given = X.copy()
    f = sb.lambdify([x4, v], [sb.set_at(x4, index, v), sb.add_at(x4, index, v)])
    for found, wanted in zip(f(given, value), (written, added), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-14)
    np.testing.assert_array_equal(given, X)


@pytest.mark.parametrize("node", [sb.set_at(x4, INDICES["arrays apart"], 2.0 * x4[INDICES["arrays apart"]]),
                                  sb.add_at(x4, np.s_[:, I4, :, 1], x4[0, 0, :, :1].T)])  # fmt: skip
def test_gradients_through_writing(node):
    assert sb.check_grad(sb.sum(sb.sin(node) * RNG.normal(size=X.shape)), [x4], at={"x": X}).passed


# -- conventions ------------------------------------------------------------------------------------------


def gradient(loss, *at, wrt=x):
    return sb.lambdify([wrt], sb.grad(loss, wrt))(*at)


def test_row_86_repeated_indices_add_up():
    assert gradient(sb.sum(x[[0, 0, 2, 0]] * [1, 10, 100, 1000]), n3).tolist() == [1011, 0, 100]


def test_row_87_negative_indices_are_the_same_places():
    assert gradient(sb.sum(x[[0, -3]] * [1, 10]), n3).tolist() == [11, 0, 0]


def test_row_88_out_of_range_is_an_error_when_built_or_at_the_call():
    for index in (5, -4, [5], np.array([0, -4]), np.s_[[0, 3]]):
        with pytest.raises(errors.ShapeError, match="out of range for an axis of size 3"):
            x[index]
    with pytest.raises(errors.ShapeError, match="5 is out of range for an axis of size 3"):
        sb.take(x, 5)
    loss = sb.sum(x[ids] ** 2)
    for outputs in (loss, sb.grad(loss, x), sb.grad(sb.sum(x[ids]), x), sb.set_at(x, ids, 0.0)):
        with pytest.raises(IndexError, match="out of bounds for axis 0"):
            sb.lambdify([x, ids], outputs)(n3, np.array([0, 3]))


def test_row_89_of_repeated_indices_the_last_write_counts():
    v, y, pair = sb.tensor("v", (2,)), sb.zeros(3), sb.tensor("pair", (2,), dtype="int64")
    for index in ([0, 0], [0, -3], pair):
        loss = sb.sum(sb.set_at(y, index, v) * [1, 10, 100])
        f = sb.lambdify([v, pair], (loss, sb.grad(loss, v)))
        value, slope = f([5.0, 7.0], [0, 0])
        assert value == 7
        assert slope.tolist() == [0, 1]


def test_row_90_a_mask_that_is_known_is_a_gather():
    assert gradient(sb.sum(x[M3] * [1, 10]), n3).tolist() == [1, 0, 10]
    assert gradient(sb.sum(x[sb.constant(M3)]), n3).tolist() == [1, 0, 1]


def test_row_12_entries_that_tie_are_sorted_stably():
    assert gradient(sb.sum(sb.sort(x) * [1, 10, 100]), [2, 1, 1]).tolist() == [100, 1, 10]
    order = sb.lambdify([x], sb.argsort(x))([2.0, 1.0, 1.0])
    assert order.tolist() == [1, 2, 0]


RESIDUES = {
    "row 31": (sb.sqrt(sb.stack([sb.stack([x[0], 0 * x[0]])]))[0, 0], [0.5, 0, 0]),
    "integer": (sb.sqrt(x)[0], [0.5, 0, 0]),
    "array": (sb.sqrt(x)[[0, 0]].sum(), [1, 0, 0]),
    "named": (sb.let("s", sb.sqrt(x))[0], [0.5, 0, 0]),
    "twice": (sb.sqrt(x)[0] + sb.sqrt(x)[0] ** 2, [1.5, 0, 0]),
    "two places": (sb.sqrt(x)[0] * sb.sqrt(x)[2], [1, 0, 0.25]),
    "product": ((sb.sqrt(x) * sb.log(x))[0], [1, 0, 0]),
    "outer product": ((sb.log(x)[:, None] * [2.0, 3.0])[0, 1], [3, 0, 0]),
    "stretched": ((sb.sqrt(x) * sb.ones((2, 3)))[1, :1].sum(), [0.5, 0, 0]),
    "concatenated": (sb.sum(sb.concatenate([sb.sqrt(x), x])[:1]), [0.5, 0, 0]),
    "overwritten": (sb.sum(sb.set_at(sb.sqrt(x), 1, 5.0)), [0.5, 0, 0.25]),
    "overwritten by array": (sb.sum(2 * sb.set_at(sb.sqrt(x), [1, 1], [5.0, 6.0])), [1, 0, 0.5]),
    "named mask": (sb.sum(sb.where(x > 0, sb.let("l", sb.log(x)), 0)), [1, 0, 0.25]),
}


@pytest.mark.parametrize(("loss", "wanted"), RESIDUES.values(), ids=list(RESIDUES))
def test_row_31_what_is_not_taken_cannot_leak(loss, wanted):
    f = sb.lambdify([x], (sb.grad(loss, x), sb.hessian(loss, x)))
    with np.errstate(divide="ignore", invalid="ignore"):
        slope, curvature = f([1.0, 0.0, 4.0])
    np.testing.assert_allclose(slope, wanted, rtol=1e-15)
    assert np.all(np.isfinite(curvature))


# -- symbolic sizes, inputs as indices ---------------------------------------------------------------------


def test_embedding_of_symbolic_sizes_to_second_order():
    table, w = sb.tensor("E", ("n", 3)), sb.tensor("w", (3,))
    loss = sb.sum(sb.tanh(sb.embedding(table, ids) @ w) ** 2)
    point = {"E": RNG.normal(size=(4, 3)), "w": RNG.normal(size=3), "ids": np.array([1, 1, -1, 0, 1])}
    assert sb.check_grad(loss, [table, w], at=point).passed
    (g,) = sb.grad(loss, [table])
    assert sb.check_grad(sb.sum(g**2), [table, w], at=point).passed


def test_no_indices_give_no_gradient():
    f = sb.lambdify([x, ids], (sb.sum(x[ids]), sb.grad(sb.sum(x[ids]), x)))
    value, slope = f(n3, np.zeros(0, dtype=np.int64))
    assert value == 0
    assert slope.tolist() == [0, 0, 0]


def test_one_integer_input_takes_a_copy():
    k = sb.tensor("k", (), dtype="int64")
    given = np.arange(6.0).reshape(2, 3)
    rows = sb.tensor("X", (2, 3))
    f = sb.lambdify([rows, k], rows[k])
    found = f(given, 1)
    found[:] = 0
    assert given.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert sb.lambdify([rows, k], sb.grad(rows[k, 1] ** 2, rows))(given, 1).tolist() == [[0, 0, 0], [0, 8, 0]]


def test_a_jacobian_of_a_gather_has_a_row_for_each_index():
    assert evaluate(sb.jacobian(x[[2, 0]] * 2, x), {}).tolist() == [[0, 0, 2], [2, 0, 0]]


def test_writing_under_a_mask_that_is_a_node():
    rows = sb.tensor("X", (2, 3))
    f = sb.lambdify([rows], [sb.set_at(rows, rows > 0, 0), sb.add_at(rows, rows[:, 0] > 0, [1.0, 2.0, 3.0])])
    written, added = f([[1.0, -1, 2], [-1, 1, 0]])
    assert written.tolist() == [[0, -1, 0], [-1, 0, 0]]
    assert added.tolist() == [[2, 1, 5], [-1, 1, 0]]


def test_updates_of_a_fresh_array_are_written_in_place():
    p, q = sb.tensor("p"), sb.tensor("q")
    out = sb.set_at(sb.set_at(sb.zeros(3), 0, p), 1, p * q)
    source = sb.lambdify([p, q], out, check=False).source
    assert source.count("np.zeros") == 1
    assert "copy" not in source
    assert sb.lambdify([p, q], (out, sb.set_at(out, 2, p)))(2.0, 3.0)[0].tolist() == [2, 6, 0]
    assert sb.set_at(sb.zeros(3), 0, p)[0] is p


def test_a_recurrence_written_entry_by_entry_has_a_plain_gradient():
    out = x
    for j in (1, 2):
        out = sb.set_at(out, j, out[j] + out[j - 1] ** 2)
    f = sb.lambdify([x], sb.grad(sb.sum(out), x), check=False)
    assert "constant" not in f.source
    assert sb.check_grad(sb.sum(out**2), [x], at={"x": n3 + 0.5}).passed


def test_a_read_behind_a_write_goes_past_it():
    u, v = sb.tensor("u", ("n",)), sb.tensor("v", ("n",))
    written = sb.set_at(u, np.s_[1:], v[1:])
    assert written[0] is u[0]
    assert written[1:] is v[1:]
    assert written[0:2].operands == (written,)


def test_emitted_code_of_gather_and_scatter():
    table = sb.tensor("E", ("n", 3))
    source = sb.lambdify([table, ids], [table[:, [0, 2]], table[ids], sb.grad(sb.sum(table[ids] ** 2), table)]).source
    for line in ("E[:, [0, 2]]", "taken = E[ids]", "d_E = np.zeros((n, 3))", "np.add.at(d_E, ids, 2 * taken)"):
        assert line in source
    twice = sb.grad(sb.sum(table[ids]) + sb.sum(table[ids + 1] ** 2) + sb.sum(table**2), table)
    assert sb.lambdify([table, ids], twice).source.count("np.zeros") == 0


def test_latex_of_indices():
    table = sb.tensor("E", ("n", 3))
    assert sympy.latex(table[ids]) == r"\left(E\right)_{\left[\mathrm{ids}\right]}"


def test_one_hot_refuses_what_is_out_of_range_at_the_call():
    coded = sb.lambdify([ids], sb.one_hot(ids, 3))
    for place in (3, -1):
        with pytest.raises(IndexError, match="0 to below 3"):
            coded(np.array([place]))


@pytest.mark.parametrize("place", [3, -1])
def test_one_hot_refuses_a_known_index_that_is_out_of_range(place):
    with pytest.raises(sb.errors.ShapeError, match=f"{place} is out of range"):
        sb.one_hot([place], 3)


def test_quantiles_of_several_levels_are_float64_as_numpys():
    values = RNG.normal(size=(5, 3)).astype(np.float32)
    node = sb.quantile(sb.tensor("x", (5, 3), dtype="float32"), [0.1, 0.5], axis=0)
    wanted = np.quantile(values, [0.1, 0.5], axis=0)
    assert node.dtype == wanted.dtype
    unit = np.finfo(np.float32).eps  # of the entries; only the levels are float64
    np.testing.assert_allclose(evaluate(node, {"x": values}), wanted, rtol=8 * unit, atol=8 * unit)


def test_median_and_quantile_of_nan_are_nan():
    assert np.isnan(sb.lambdify([x], sb.median(x))([1.0, np.nan, 2.0]))


# -- errors --------------------------------------------------------------------------------------------------

k = sb.tensor("k", (), dtype="int64")
MESSAGES = {
    "mask node": (lambda: x[x > 0], errors.ShapeError, r"indexing x with the mask .* use sb.where\(mask, x, 0\)"),
    "float array": (lambda: x[np.array([0.0])], errors.DtypeError, "indices are integers"),
    "float node": (lambda: x[x], errors.DtypeError, "with an array of dtype float64: indices are integers"),
    "mask length": (lambda: x[[True, False]], errors.ShapeError, r"mask of shape \(2,\): the axes .* sizes \(3,\)"),
    "scalar mask": (lambda: x[True], errors.ShapeError, "arrays of integers and masks are indices"),
    "ragged": (lambda: x[[[0], [0, 1]]], errors.ShapeError, "arrays of integers and masks are indices"),
    "shapes": (lambda: x4[[0, 1], [0, 1, 2]], errors.ShapeError, "indexing: cannot broadcast"),
    "node bound": (lambda: x[k:], errors.ShapeError, "the bounds of a slice must be known"),
    "count": (lambda: x[[0], [0]], errors.ShapeError, "2 indices for 1 axes"),
    "value": (lambda: sb.set_at(x, [0, 1], x), errors.ShapeError, r"set_at: x \(3,\) does not broadcast to .* \(2,\)"),
    "value of add": (lambda: sb.add_at(x, 0, x), errors.ShapeError, r"add_at: x \(3,\) does not broadcast .* \(\)"),
    "value dtype": (lambda: sb.set_at(ids, 0, 0.5), errors.DtypeError, r"ids \(N,\) of dtype int64; convert"),
    "value under a mask": (lambda: sb.set_at(x, x > 0, x), errors.ShapeError, "depends on values"),
    "mask to write": (lambda: sb.set_at(x, x4[0, 0, 0] > 0, 0), errors.ShapeError, "with a mask of shape"),
    "take mode": (lambda: sb.take(x, [0], mode="end"), errors.InputError, "mode='end' is not known; use 'raise' or"),
    "take dtype": (lambda: sb.take(x, [0.5]), errors.DtypeError, "indices are integers"),
    "take mask": (lambda: sb.take(x, [True]), errors.DtypeError, "indices are integers"),
    "along rank": (lambda: sb.take_along_axis(x4, ids, 0), errors.ShapeError, "take_along_axis: ids .* wanted 4"),
    "along dtype": (lambda: sb.take_along_axis(x, x), errors.DtypeError, "indices are integers"),
    "compress": (lambda: sb.compress(x > 0, x), errors.ShapeError, "compress with the mask"),
    "compress rank": (lambda: sb.compress([[True]], x), errors.ShapeError, "compress: .* wanted 1"),
    "sort kind": (lambda: sb.sort(x, kind="bubble"), errors.InputError, "sort: kind='bubble' is not known"),
    "sort axis": (lambda: sb.sort(x, axis=1), errors.ShapeError, "sort: axis 1"),
    "median size": (lambda: sb.median(sb.tensor("u", ("n",))), errors.ShapeError, "median: .* n entries"),
    "median of none": (lambda: sb.median(sb.tensor("e", (0,))), errors.ShapeError, "no entries"),
    "level": (lambda: sb.quantile(x, 1.5), errors.InputError, "the level 1.5 is no number from 0 to 1"),
}  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "text"), MESSAGES.values(), ids=list(MESSAGES))
def test_messages(call, kind, text):
    with pytest.raises(kind, match=text):
        call()


def test_documents_cannot_hold_indices_out_of_range():
    text = sb.dumps(x[[0, 2]])
    wrong = text.replace('"int64",[2],"AAAAAAAAAAACAAAAAAAAAA=="', '"int64",[2],"AAAAAAAAAAAJAAAAAAAAAA=="')
    assert sb.loads(text) is x[[0, 2]]
    assert wrong != text
    with pytest.raises(errors.SymbackError):
        sb.loads(wrong)


whole, part = sb.tensor("T", (4, 3)), sb.tensor("g", (2, 3))
two = sb.tensor("two", (2,), dtype="int64")
UNTRUE = {
    "no indices": ("gather", (whole,), (-1,)),
    "an axis from the start": ("gather", (whole, two), (0,)),
    "an axis that is text": ("gather", (whole, two), ("x",)),
    "floats as indices": ("gather", (whole, part), (-1,)),
    "another shape": ("scatter_add", (part, two), (-2, (4, 4))),
    "no shape": ("scatter_add", (part, two), (-2, 4)),
    "another part": ("set_places", (whole, whole, two), (-2,)),
    "another dtype": ("set_places", (whole, two, two), (-1,)),
    "another range": ("set_slice", (whole, part), (((0, 3, 1), None),)),
    "sizes for no indices": ("written_last", (two,), ((4, 3),)),
    "indices of another rank": ("take_along", (whole, two), (-1, False)),
    "another size": ("put_along", (part, sb.tensor("i", (2, 2), dtype="int64")), (-1, 3, False)),
    "an axis beyond": ("sort_along", (whole,), (-3,)),
    "axes twice": ("quantile_over", (whole,), ((-1, -1), 0.5)),
    "no level": ("quantile_over", (whole,), ((-1,), 2)),
}


@pytest.mark.parametrize(("name", "operands", "parameters"), UNTRUE.values(), ids=list(UNTRUE))
def test_signatures_do_not_trust_operands_and_parameters(name, operands, parameters):
    with pytest.raises(errors.SymbackError):
        Apply(Operation(name, *parameters), *operands)


@pytest.mark.parametrize("mode", ["clip", "wrap"])
@pytest.mark.parametrize("axis", [None, 0, 1])
@pytest.mark.parametrize("places", [7, -7, [0, 9, -9], [], np.array([[1, -20]]), np.array([0, 255], "uint8")])
def test_indices_out_of_range_are_clipped_or_counted_round(mode, axis, places):
    values, table = RNG.normal(size=(3, 4)), sb.tensor("T", ("n", 4))
    wanted = np.take(values, np.asarray(places, int if np.size(places) == 0 else None), axis=axis, mode=mode)
    np.testing.assert_array_equal(evaluate(sb.take(table, places, axis, mode=mode), {"T": values}), wanted)


@pytest.mark.parametrize("index", [np.s_[::-1], np.s_[:, ::-1], np.s_[::-1, ::-1]])
def test_what_is_reversed_twice_is_itself_and_reversing_is_its_own_transpose(index):
    x, g = sb.tensor("x", ("n", 3)), sb.tensor("g", ("n", 3))
    assert x[index][index] is x
    assert sb.vjp(x[index], x, g) is g[index]
    assert x[1:][::-1][::-1] is x[1:]
    assert x[:, ::-2][:, ::-2] is not x
