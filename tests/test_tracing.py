"""Plain NumPy code is accepted: the zoo traced, compiled and differentiated, in-place code, names, refusals."""

import functools
import sys
import threading
from typing import Any

import numpy as np
import pytest

import symback as sb
from numpy_zoo import ZOO, Case
from symback.interop.naming import safe_name
from symback.structure import leaves_of, refill


def given(case: Case) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return case.arguments(np.random.default_rng(1)), dict(case.named)


def same(left: Any, right: Any) -> None:
    """Structures and arrays agree."""
    assert type(left) is type(right) or not isinstance(right, (list, tuple, dict))
    assert len(leaves_of(left)) == len(leaves_of(right))
    for a, b in zip(leaves_of(left), leaves_of(right), strict=True):
        assert np.shape(a) == np.shape(b)
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)


def variables(arguments: Any) -> Any:
    """Return the arguments with a variable for each float array."""
    leaves = leaves_of(list(arguments))
    new = [
        sb.tensor(f"v{k}", np.shape(leaf)) if isinstance(leaf, (float, np.ndarray)) else leaf
        for k, leaf in enumerate(leaves)
    ]
    return refill(list(arguments), new)


every_function = pytest.mark.parametrize("case", ZOO.values(), ids=list(ZOO))


@every_function
def test_a_traced_function_compiles_to_the_same_values(case: Case) -> None:
    arguments, named = given(case)
    wanted = case.function(*arguments, **named)
    nodes = variables(arguments)
    traced = sb.from_function(case.function, *nodes, **named)
    inputs = [leaf for leaf in leaves_of(nodes) if isinstance(leaf, sb.Node)]
    values = [leaf for leaf in leaves_of(list(arguments)) if isinstance(leaf, (float, np.ndarray))]
    same(sb.lambdify(inputs, traced, check=False)(*values), wanted)


@every_function
def test_a_decorated_function_gives_the_same_values_and_right_gradients(case: Case) -> None:
    arguments, named = given(case)
    decorated = sb.function(case.function)
    same(decorated(*arguments, **named), case.function(*arguments, **named))
    rng = np.random.default_rng(2)
    loss = sb.function(_weighed(case.function))
    names = [name for name in loss.trace(*arguments, **named)._arguments if name not in named][: len(arguments)]
    floats = {n: a for n, a in zip(names, arguments, strict=True) if any(map(_is_float, leaves_of(a)))}
    point = list(floats.values())
    gradients = loss.grad(*arguments, **named, wrt=list(floats))
    same([np.zeros(np.shape(leaf)) for leaf in leaves_of(point)], [0 * g for g in leaves_of(gradients)])
    direction = refill(point, [rng.normal(size=np.shape(leaf)) for leaf in leaves_of(point)])

    def along(t: float) -> Any:
        moved = [a + t * d for a, d in zip(leaves_of(point), leaves_of(direction), strict=True)]
        new = dict(zip(floats, refill(point, moved), strict=True))
        return loss(*[new.get(n, a) for n, a in zip(names, arguments, strict=True)], **named)

    slope = (-along(2e-4) + 8 * along(1e-4) - 8 * along(-1e-4) + along(-2e-4)) / 12e-4
    expected = sum(float(np.sum(d * g)) for d, g in zip(leaves_of(direction), leaves_of(gradients), strict=True))
    assert expected == pytest.approx(slope, rel=1e-6, abs=1e-7)


def _is_float(leaf: Any) -> bool:
    return isinstance(leaf, (float, np.ndarray))


def _weighed(f: Any) -> Any:
    """Return a scalar function: the results of `f`, weighed."""

    @functools.wraps(f)
    def loss(*arguments: Any, **named: Any) -> Any:
        return sum(np.sum(np.sin(part)) for part in leaves_of(f(*arguments, **named)))

    return loss


# -- memory: what NumPy's arrays share ------------------------------------------------------------------


def same_object(x):
    a = x * 1
    b = a
    b += 1
    return a


def rebound_number(x):
    a = x.sum()
    b = a
    b += 1
    return a


def rebound_entry(x):
    a = x * 1
    e = a[0]
    a[0] = 5.0
    e += 1
    return e + a


def view_sees_write(x):
    a = x * 1
    b = a[1:]
    a[2] = 7.0
    return b


def write_through_view(x):
    a = x * 1
    b = a[1:]
    b[0] = 7.0
    b += x[:-1]
    return a


def view_of_view(x):
    a = x * 1
    b = a[1:][::2]
    b *= 10
    return a


def row_of_matrix(x):
    M = np.outer(x, x)
    row = M[1]
    row[0] = -1.0
    M[1, 2] = 3.0
    return M + row


def ellipsis_view_of_one(x):
    a = x * 1
    b = a[0, ...]
    a[0] = 9.0
    return b + 0.0


def zero_dimensional_array(x):
    a = np.zeros(())
    b = a
    b += x[0]
    return a + 0.0


def fancy_copies(x):
    a = x * 1
    b = a[[0, 2]]
    a[0] = 4.0
    return b


def copy_is_its_own(x):
    a = x * 1
    b = a.copy()
    b[0] = 3.0
    return a - b


def array_copies_asarray_does_not(x):
    a = x * 1
    b, c = np.array(a), np.asarray(a)
    c[1] = 0.5
    return b - a


def entries_then_slices(x):
    out = np.zeros(4)
    out[0] = x[0]
    out[2:] = x[1:3]
    out[1] = out[0] * out[3]
    return out


def rows_then_entries(x):
    out = np.zeros((2, 4))
    out[0] = x
    out[0, 1] = 1.5
    out[1, 2:] = x[:2]
    out[-1, 0] += x[3]
    return out


def repeated_writes(x):
    out = np.ones(2)
    for k in range(4):
        out[k % 2] *= x[k]
    return out


def augmented_slices(x):
    a = x * 1
    a[1:] -= a[:-1]
    a[::2] /= 2
    a[[0, 0]] += 1
    return a


def every_row(x):
    M = np.outer(x, x)
    for row in M:
        row /= 2
    return M


def integer_array(x):
    k = np.zeros(3, dtype=int)
    k[1] = 2
    return x[k]


def truncating(x):
    k = np.zeros(4, dtype=int)
    k[:] = 10 * x
    return k * 1.0


def broadcast_assignment(x):
    out = np.empty((3, 4))
    out[...] = x
    out[1] = 0
    return out


def out_option(x):
    y = np.empty_like(x)
    np.multiply(x, 2, out=y)
    np.cumsum(y, out=y)
    return y


def copyto(x):
    y = np.zeros((2, 4))
    np.copyto(y, x)
    return y


def filled_diagonal(x):
    M = np.outer(x, x)
    np.fill_diagonal(M, 1.0)
    N = np.zeros((4, 4))
    np.fill_diagonal(N, x)
    return M + N


def subtract_at(x):
    y = x.copy()
    np.subtract.at(y, np.array([1, 1, 3]), x[:3])
    return y


def masked_scalar(x):
    y = x.copy()
    y[x < 0.5] = 0
    return y


def masked_same(x):
    y = np.ones_like(x)
    mask = x > 0
    y[mask] = np.sqrt(np.abs(x[mask])) + 1
    return y


def reshaped_base_dies(x):
    y = np.zeros(4).reshape(2, 2)
    y[0] = x[:2]
    return y


def filled(x):
    y = x * 1
    y.fill(2.0)
    y[0] = x[1]
    return y


def sorted_in_place(x):
    y = x * 1
    y.sort()
    return y


def row_of_entries(x):
    K = np.zeros((2, 2))
    K[0, 0] = x[0]
    return K[0] * 1


def entry_of_row_of_entries(x):
    o = np.zeros((3, 2))
    o[1, 1] = x[1]
    o[1][0] = x[2]
    r = o[1]
    r *= 2
    o[2] += x[:2]
    return o


def normalized_rows(x):
    K = np.zeros((2, 4))
    for i in range(2):
        for j in range(4):
            K[i, j] = np.exp(x[j] * i)
        K[i] /= K[i].sum()
    return K @ x


def explicit_copy(x):
    z = x * 1
    y = np.asarray(z, copy=True)
    y += 1
    return z


def array_that_shares(x):
    z = x * 1
    y = np.array(z, copy=None, ndmin=2)
    y += 1
    return z


def contiguous_number(x):
    return np.ascontiguousarray(x.sum())


def zero_step_difference_is_copied(x):
    z = x * 1
    y = np.diff(z, n=0).copy()
    y[0] = 9.0
    return z - y


def array_type(x):
    return x if type(x) is np.ndarray and isinstance(type(x), type) else -x


def one_hot(x):
    k = np.floor(np.abs(x)).astype(int)
    t = np.zeros((4, 3))
    t[np.arange(4), k] = 1
    t[0, k[1]] = 5.0
    return t


def looked_up(x):
    k = np.floor(np.abs(x)).astype(int)
    C = np.arange(12.0).reshape(4, 3)
    return C[np.arange(4), k] + np.eye(3)[k][:, 0]


def lists_of_entries(x):
    joined = np.concatenate([[x[0]], x, [0.0]])
    rows = np.vstack([[x[0], 1.0], x[:2]])
    return joined.sum() + rows @ (x[:2] + [x[0], x[1]])  # noqa: RUF005


def leading_axes_of_one(x):
    o = np.zeros((2, 4))
    o[0] = x[None] * 2
    o[1] = np.outer(x, x)[1:2]
    return o


def divided_where(x):
    o = np.zeros(4)
    np.divide(1, x, out=o, where=x > 0.5)
    p = x * 1
    np.log(x, out=p, where=x > 0)
    np.copyto(p, 7.0, where=p < -1)
    return o + p


def positional_out(x):
    o = np.empty(4)
    np.add(x, 1, o)
    np.negative(o, o)
    return o


def masked_columns(x):
    A = np.outer(x, x)
    A[:, x < 0] = 7.0
    A[x < 0.5, 1:] = 0
    return A


def transposed_view(x):
    A = np.outer(x, x + 1)
    B = np.zeros((2, 3))
    B.T[0] = 9.0
    for column in A.T:
        column -= column.mean()
    A.swapaxes(0, 1)[1, 0] = 4.0
    return A.transpose(1, 0) + B.T[0, 0]


def bytes_and_text(x):
    return x * x.nbytes + len(f"{x[0]:.3f}") * 0 + np.isscalar(x[0])


def short_diagonal(x):
    A = np.outer(x, x)
    np.fill_diagonal(A, [1.0, 2.0])
    return A


def rejected_as_by_numpy(x):
    try:
        y = float(x)
    except TypeError:
        y = x.sum()
    return x * y


LIKE_NUMPY = [
    same_object, rebound_number, rebound_entry, view_sees_write, write_through_view, view_of_view, row_of_matrix,
    ellipsis_view_of_one, zero_dimensional_array, fancy_copies, copy_is_its_own, array_copies_asarray_does_not,
    entries_then_slices, rows_then_entries, repeated_writes, augmented_slices, every_row, integer_array, truncating,
    broadcast_assignment, out_option, copyto, filled_diagonal, subtract_at, masked_scalar, masked_same,
    reshaped_base_dies, filled, sorted_in_place, row_of_entries, entry_of_row_of_entries, normalized_rows,
    explicit_copy, array_that_shares, contiguous_number, zero_step_difference_is_copied, array_type, one_hot, looked_up,
    lists_of_entries, leading_axes_of_one, divided_where, positional_out, masked_columns, transposed_view,
    bytes_and_text, short_diagonal, rejected_as_by_numpy,
]  # fmt: skip

POINT = np.array([0.3, 1.25, -0.7, 2.0])


@pytest.mark.parametrize("f", LIKE_NUMPY, ids=lambda f: f.__name__)
def test_in_place_code_means_what_it_means_in_numpy(f: Any) -> None:
    wanted = f(POINT.copy())
    found = sb.function(f)(POINT)
    assert (np.shape(found), found.dtype) == (np.shape(wanted), wanted.dtype)
    np.testing.assert_allclose(found, wanted, rtol=1e-12)


def write_to(view: Any) -> Any:
    """Return a function that makes a possible view, writes to the base, and reads the view; and the reverse."""

    def base(x):
        a = np.outer(x, x)
        v = view(a)
        a[0] = 1.0
        return np.sum(v)

    return base


def read_base(view: Any) -> Any:
    def f(x):
        a = np.outer(x, x)
        v = view(a)
        v[0] = 1.0
        return np.sum(a)

    return f


VIEWS = {
    "reshape": lambda a: a.reshape(2, -1), "ravel": lambda a: a.ravel(), "np.ravel": np.ravel,
    "np.transpose": np.transpose,
    "np.swapaxes": lambda a: np.swapaxes(a, 0, 1), "expand_dims": lambda a: np.expand_dims(a, 0), "flip": np.flip,
    "moveaxis": lambda a: np.moveaxis(a, 0, 1), "split": lambda a: np.split(a, 2)[0], "real": lambda a: a.real,
    "einsum": lambda a: np.einsum("ij->ji", a), "squeeze": np.squeeze, "atleast": np.atleast_3d,
    "conj": lambda a: a.conj(), "rot90": np.rot90, "reshape of a view": lambda a: a[1:].reshape(-1),
    "contiguous": np.ascontiguousarray, "fortran": np.asfortranarray, "order": lambda a: np.asarray(a, order="F"),
    "diff": lambda a: np.diff(a, n=0), "einsum of lists": lambda a: np.einsum(a, [0, 1], [1, 0]),
    "second of several": lambda a: np.atleast_2d(a * 2, a)[1],
}  # fmt: skip


@pytest.mark.parametrize("make", [write_to, read_base])
@pytest.mark.parametrize("view", VIEWS.values(), ids=list(VIEWS))
def test_what_may_share_memory_with_a_written_array_is_not_read(make: Any, view: Any) -> None:
    with pytest.raises(sb.errors.UsageError, match="may share memory"):
        sb.function(make(view))(POINT)


KNOWN_VIEWS = {
    "diff": lambda z: np.diff(z, n=0), "meshgrid": lambda z: np.meshgrid(z, z, copy=False)[0],
    "windows": lambda z: np.lib.stride_tricks.sliding_window_view(z, 3), "real_if_close": np.real_if_close,
    "trim_zeros": np.trim_zeros, "einsum": lambda z: np.einsum(z, [0], [0]),
}  # fmt: skip


@pytest.mark.parametrize("view", KNOWN_VIEWS.values(), ids=list(KNOWN_VIEWS))
def test_a_view_of_known_numbers_is_found_by_its_memory(view: Any) -> None:
    def f(x):
        z = np.arange(1.0, 5.0)
        v = view(z)
        z[0] = x[0]
        return np.sum(v)

    with pytest.raises(sb.errors.UsageError, match="may share memory"):
        sb.function(f)(POINT)


def test_what_is_left_out_by_where_has_no_derivative() -> None:
    @sb.function
    def f(x):
        o = np.zeros(3)
        np.divide(1, x, out=o, where=x != 0)
        return np.sum(o)

    np.testing.assert_allclose(f.grad(np.array([0.0, 2.0, -1.0])), [0.0, -0.25, -1.0])


def test_an_array_without_axes_is_an_array_and_a_number_is_none() -> None:
    @sb.function
    def f(x):
        return x * 3 if isinstance(x, np.ndarray) else x * 5

    assert [float(f(x)) for x in (np.array(2.0), np.float64(2.0), 2.0, np.array(2.0))] == [6, 10, 10, 6]


def test_a_copy_of_a_view_may_be_written() -> None:
    def f(x):
        a = np.outer(x, x)
        v = a.T.copy()
        v[0] = 1.0
        return np.sum(a * v)

    assert sb.function(f)(POINT) == pytest.approx(f(POINT))


# -- what is refused --------------------------------------------------------------------------------------

OUTSIDE = np.zeros(3)
GENERATOR = np.random.default_rng(0)
COUNT = 0


def _assign_argument(x):
    x[0] = 1.0
    return x


def _add_to_argument(x):
    x += 1
    return x


def _write_view_of_argument(x):
    y = x.reshape(-1)
    y[0] = 1.0
    return y


def _branch(x):
    return x if x[0] > 0 else -x


def _loop(x):
    while x[0] > 0:
        x = x - 1
    return x


def _biggest(x):
    return max(x[0], x[1])


def _python_float(x):
    return float(x[0])


def _math(x):
    import math

    return math.exp(x[0])


def _outside_array(x):
    OUTSIDE[0] = x[0]
    return OUTSIDE


def _outside_add(x):
    y = OUTSIDE
    y += x
    return y


HELD = [np.zeros(3)]


def _held_array(x):
    y = HELD[0]
    y[0] = x[0]
    return y


def _held_add(x):
    y = HELD[0]
    y += x
    return y


def _enlarged(x):
    a = x[:1] * 1
    a += x
    return a


def _integer_in_place(x):
    k = np.zeros(3, dtype=int)
    k += x
    return k


def _integer_divided(x):
    k = np.arange(3)
    k /= x
    return k


def _read_only(x):
    y = np.broadcast_to(x, (2, 3))
    y[0] = 1.0
    return y


def _put(x):
    k = np.zeros(3)
    flat = k.reshape(-1)
    np.put(k, 0, 1.0)
    return flat + x


def _known_reshaped(x):
    k = np.zeros((1, 3))
    flat = k.reshape(-1)
    np.fill_diagonal(k, 1.0)
    return flat + x


def _random(x):
    return x + np.random.normal(size=3)


def _generator(x):
    return x + GENERATOR.normal(size=3)


def _global(x):
    global COUNT
    COUNT += 1
    return x


def _mask_size(x):
    return np.sum(x[x > 0])


def _mask_array(x):
    y = x.copy()
    y[y > 0] = np.ones(2)
    return y


def _item(x):
    return x.sum().item()


def _text(x):
    return "text"


def _interp(x):
    return np.interp(x, [0.0, 1.0], [0.0, 1.0])


def _number_written(x):
    s = x.sum()
    s[...] = 1.0
    return s


def _generator_function(x):
    yield x


def _all(x):
    assert np.all(x > 0)
    return x


def _stats(x):
    import scipy.stats

    return scipy.stats.norm.logpdf(x)


class Holder:
    def __init__(self) -> None:
        self.buffer = np.zeros(3)
        self.plain: Any = 1.0


HOLDER = Holder()
NAMED_ARRAYS: dict[str, Any] = {"w": np.zeros(3)}
EMPTY: list[Any] = []


def _caught(x):
    try:
        y = float(x[0])
    except TypeError:
        y = 0.0
    return x * y


def _caught_branch(x):
    try:
        return x if x[0] > 0 else -x
    except Exception:
        return x * 0


def _type_of_number(x):
    return x if type(x[0]) is float else -x


def _held_entry(x):
    HELD[0][0] += 1
    return x + HELD[0]


def _attribute(x):
    HOLDER.buffer += 1
    return x + HOLDER.buffer


def _attribute_stored(x):
    HOLDER.plain = x * 2
    return x


def _dict_stored(x):
    NAMED_ARRAYS["w"] = x * 1
    return x


def _list_stored(x):
    EMPTY.append(x * 2)
    return x


def _nonlocal():
    total = 0.0

    def accumulated(x):
        nonlocal total
        total = total + x[0]
        return x * total

    return accumulated


def _default_stored(x, seen=[]):  # noqa: B006
    seen.append(x * 2)
    return x * len(seen)


@sb.function
def _inner(x):
    return np.sum(x**2)


def _inner_gradient(x):
    return _inner.grad(x)


def _iterator(x):
    return sum(v for v in np.nditer(x))


def _shape_set(x):
    y = x * 1
    y.shape = (3, 1)
    return y


def _strides(x):
    return x * x.strides[0]


def _flat(x):
    y = x * 1
    y.flat[2] = 7.0
    return y


def _mask_beside(x):
    return np.outer(x, x)[:, x > 0]


def _where_alone(x):
    return np.log(x, where=x > 0)


def _factor(x):
    import scipy.linalg

    return scipy.linalg.cho_factor(np.outer(x, x))[0]


def _close(x):
    return np.isclose(x, 1.0)


def _required(x):
    return np.require(x, float)


def _drawdown(x):
    return x - np.maximum.accumulate(x)


REFUSED = {
    _assign_argument: r"x is an argument .*x = x.copy\(\)",
    _add_to_argument: r"x is an argument .*x = x.copy\(\)",
    _write_view_of_argument: r"is an argument or",
    _branch: "has no truth value .*np.where",
    _loop: "has no truth value .*np.where",
    _biggest: r"max\(\).*np.maximum",
    _python_float: r"has no float value .*use NumPy's functions",
    _math: "has no float value",
    _outside_array: "is an argument",
    _outside_add: "is an argument",
    _held_array: "is an argument or a global array",
    _held_add: "is an argument or a global array",
    _enlarged: "does not fit into",
    _integer_in_place: r"does not cast to int64; .*astype\('float64'\)",
    _integer_divided: "does not cast",
    _read_only: "broadcast_to gave, which NumPy makes read-only",
    _put: r"numpy.put is not recorded .*x\[index\] = value",
    _known_reshaped: "may share memory",
    _random: "draw them outside and pass them",
    _generator: "draw them outside and pass them",
    _global: "assigns the global name 'COUNT'",
    _mask_size: r"no fixed size .*np.where\(mask, x, other\)",
    _mask_array: "no fixed size",
    _item: "has no item value",
    _text: "returns str",
    _interp: "numpy.interp is not supported .*sb.where",
    _number_written: "is a number and cannot be assigned to",
    _generator_function: "generators",
    _all: "has no truth value",
    _stats: "scipy.stats.*sb.special.ndtr",
    _caught: "caught what symback refused.*has no float value",
    _caught_branch: "caught what symback refused.*truth value",
    _type_of_number: r"isinstance\(x, float\)",
    _held_entry: "is an argument or a global array",
    _attribute: "outside of the traced function",
    _attribute_stored: "outside of the traced function",
    _dict_stored: "outside of the traced function",
    _nonlocal(): "a nonlocal variable",
    _list_stored: "outside of the traced function",
    _default_stored: "outside of the traced function",
    _inner_gradient: r"sb.grad\(y, x\)",
    _iterator: "loop over x",
    _shape_set: "x = x.reshape",
    _strides: "memory layout",
    _flat: "np.unravel_index",
    _mask_beside: "no fixed size",
    _where_alone: r"np.where\(mask, result, other\)",
    _factor: "sb.linalg.cholesky",
    _close: "sb.abs",
    _required: "no memory layout",
    _drawdown: "running maximum",
}


@pytest.mark.parametrize(("f", "message"), REFUSED.items(), ids=[f.__name__ for f in REFUSED])
def test_what_cannot_be_recorded_is_refused_with_the_cure(f: Any, message: str) -> None:
    with pytest.raises(sb.errors.SymbackError, match=message):
        sb.from_function(f, sb.tensor("x", (3,)))
    assert not OUTSIDE.any()
    assert not HELD[0].any()
    assert not HOLDER.buffer.any()
    assert HOLDER.plain == 1.0
    assert type(NAMED_ARRAYS["w"]) is np.ndarray
    assert not EMPTY
    assert not _default_stored.__defaults__[0]


@pytest.mark.parametrize("function", [lambda x: np.meshgrid(x, x, copy=False)[0]])
def test_an_option_that_shares_memory_is_named(function: Any) -> None:
    with pytest.raises(sb.errors.UsageError, match="copy=False"):
        sb.from_function(function, sb.tensor("x", (3,)))


def test_an_array_in_a_container_is_copied_and_read() -> None:
    def f(x):
        w = NAMED_ARRAYS["w"].copy()
        w[0] = x[0]
        return w + NAMED_ARRAYS["w"]

    np.testing.assert_array_equal(sb.function(f)(POINT), [0.3, 0, 0])


def test_what_only_counts_or_caches_may_be_stored() -> None:
    seen = []

    def f(x):
        seen.append(len(x))
        HOLDER.__dict__.setdefault("cached", 3.0)
        return x * HOLDER.cached

    np.testing.assert_array_equal(sb.function(f)(POINT), 3 * POINT)
    assert seen == [4]


def test_symbolic_sizes_reckon_but_do_not_branch() -> None:
    x = sb.tensor("x", ("n", 3))

    def scaled(x):
        out = np.zeros(x.shape)
        out[1:] = x[1:] / x.shape[0]
        return np.sum(out) + 2 * x.shape[0] - np.ones((x.shape[0], 1)).sum()

    value = np.arange(6.0).reshape(2, 3)
    assert sb.lambdify([x], sb.from_function(scaled, x), check=False)(value) == pytest.approx(scaled(value))
    for f in (lambda x: x / len(x), lambda x: sum(x[i] for i in range(x.shape[0])), lambda x: sum(row for row in x)):
        with pytest.raises(sb.errors.UsageError, match="symbolic"):
            sb.from_function(f, x)
    for g in (lambda x: x if x.shape[0] in {3, 5} else -x, lambda x: {3: x}.get(x.shape[0], -x)):
        with pytest.raises(sb.errors.UsageError, match="a set or the key of a dict"):
            sb.from_function(g, x)
    with pytest.raises(sb.errors.UsageError, match="depends on a symbolic size"):
        sb.from_function(lambda x: x if x.shape[0] == 2 else -x, x)


# -- names ----------------------------------------------------------------------------------------------------


def test_local_names_are_those_of_the_code() -> None:
    def loss(x, W):
        hidden = np.tanh(W @ x)
        for _ in range(2):
            hidden = np.tanh(W @ hidden)
        alias = hidden
        θ = alias + x
        total = np.sum(θ**2)
        return total  # noqa: RET504

    x, W = sb.tensor("x", (2,)), sb.tensor("W", (2, 2))
    source = sb.lambdify([x, W], sb.from_function(loss, x, W), name="loss", check=False).source
    assert source[source.index("    hidden = np") :] == (
        "    hidden = np.tanh(W @ x)\n"
        "    hidden_2 = np.tanh(W @ hidden)\n"
        "    hidden_3 = np.tanh(W @ hidden_2)\n"
        "    theta = hidden_3 + x\n"
        "    total = theta @ theta\n"
        "    return total\n"
    )


def test_latex_shows_the_names_of_the_code() -> None:
    import sympy

    def f(x):
        σ = np.sqrt(x)
        return σ + 1 / σ

    assert r"\sigma" in sympy.latex(sb.from_function(f, sb.tensor("x")))


@pytest.mark.parametrize(
    ("given", "safe"),
    [("x", "x"), ("θ", "theta"), ("Δx", "Deltax"), ("_y", "y"), ("é", "e"), ("ж", ""), ("λ1", "lambda1")],
)
def test_names_that_code_cannot_have_are_spelled(given: str, safe: str) -> None:
    assert safe_name(given) == safe


def test_the_trace_function_of_a_debugger_is_told_and_put_back() -> None:
    seen = []

    def debugger(frame, event, argument):
        seen.append((frame.f_code.co_name, event))
        return debugger

    def plain(x):
        y = x + 1
        return y * y

    before = sys.gettrace()
    sys.settrace(debugger)
    try:
        node = sb.from_function(plain, sb.tensor("x"))
        assert sys.gettrace() is debugger
        with pytest.raises(ZeroDivisionError):
            sb.from_function(lambda x: x + 1 / 0, sb.tensor("x"))
        assert sys.gettrace() is debugger
    finally:
        sys.settrace(before)
    assert ("plain", "line") in seen
    assert "y = " in str(node)


# -- @sb.function ------------------------------------------------------------------------------------------------


@sb.function
def quadratic(w, x, k=2):
    r = w @ x
    return np.sum(r**k)


def test_derivatives_are_one_line() -> None:
    w, x = np.array([[1.0, 2.0], [0.5, -1.0]]), np.array([0.3, 0.7])
    r = w @ x
    np.testing.assert_allclose(quadratic.grad(w, x, wrt="x"), 2 * w.T @ r)
    value, gradient = quadratic.value_and_grad(w, x)
    assert value == pytest.approx(np.sum(r**2))
    assert list(gradient) == ["w", "x"]
    np.testing.assert_allclose(gradient["w"], 2 * np.outer(r, x))
    _, second = quadratic.grad(w, x, wrt=("x", "w"))
    np.testing.assert_allclose(second, gradient["w"])
    np.testing.assert_allclose(quadratic.hessian(w, x, wrt="x"), 2 * w.T @ w)
    blocks = quadratic.hessian(w, x, wrt=["x", "w"])
    assert [[b.shape for b in row] for row in blocks] == [[(2, 2), (2, 2, 2)], [(2, 2, 2), (2, 2, 2, 2)]]
    np.testing.assert_allclose(sb.function(lambda w, x: w @ x).jacobian(w, x, wrt="x"), w)
    assert sb.function(lambda t: t**3).grad(2.0) == pytest.approx(12.0)


def test_traces_are_kept_by_shape_dtype_and_static_values() -> None:
    calls = []

    @sb.function(static=("mode",))
    def f(x, k=2, mode=("a",)):
        calls.append(k)
        return x**k if mode == ("a",) else x

    x = np.ones(3)
    for arguments in ((x,), (2 * x,), (x, 3), (x, 2, ("b",)), (np.ones(2),), (x.astype("float32"),), (x,)):
        f(*arguments)
    assert len(calls) == 5
    assert f(x, mode=("b",)) is not x
    assert f.__name__ == "f"
    assert [v.name for v in f.trace(x).inputs] == ["x"]
    assert "def f(x):" in f.trace(x).source()


def test_static_values_of_different_types_have_their_own_traces() -> None:
    @sb.function(static="k")
    def f(x, k):
        first = k[0] if isinstance(k, tuple) else k
        weight = {int: 1, bool: 10, float: 100}[type(first)]
        return x * np.copysign(weight, first)

    x = np.ones(1)
    assert [f(x, k)[0] for k in ((1,), (1.0,), (True,), 0.0, -0.0, (0.0,), (-0.0,))] == [
        1, 100, 10, 100, -100, 100, -100,
    ]  # fmt: skip


def test_arguments_may_be_nested() -> None:
    @sb.function
    def loss(params, data):
        return np.sum((params["W"] @ data[0] + params["layers"][0] - data[1]) ** 2)

    params = {"W": np.eye(2), "layers": [np.ones(2)]}
    data = (np.array([1.0, 2.0]), np.zeros(2))
    gradient = loss.grad(params, data, wrt="params")
    np.testing.assert_allclose(gradient["layers"][0], [4.0, 6.0])
    assert [v.name for v in loss.trace(params, data).inputs] == ["params_W", "params_layers_0", "data_0", "data_1"]


def test_a_decorated_function_may_be_called_in_another_and_on_nodes() -> None:
    @sb.function
    def layer(W, x):
        return np.tanh(W @ x)

    def network(W, x):
        return np.sum(layer(W, layer(W, x)))

    W, x = np.array([[0.2, -0.4], [0.1, 0.9]]), np.array([1.0, 2.0])
    assert sb.function(network)(W, x) == pytest.approx(network(W, x))
    assert isinstance(layer(sb.tensor("W", (2, 2)), sb.tensor("x", (2,))), sb.Node)


def _unused(x, y):
    return np.sum(x)


MISUSED = {
    "not scalar": (lambda: sb.function(lambda x: np.sin(x)).grad(np.ones(2)), "scalar"),
    "several outputs": (lambda: sb.function(lambda x: (x, x)).grad(np.ones(())), "one node"),
    "integers": (lambda: quadratic.grad(np.ones((2, 2), int), np.ones(2), wrt="w"), "float arrays"),
    "only integers": (lambda: sb.function(lambda x: np.sum(x)).grad(np.ones(2, int)), "no argument is a float array"),
    "static": (lambda: quadratic.grad(np.ones((2, 2)), np.ones(2), wrt="k"), "it is int"),
    "unknown": (lambda: quadratic.grad(np.ones((2, 2)), np.ones(2), wrt="z"), "'z' is no argument .* w, x"),
    "disconnected": (lambda: sb.function(_unused).grad(np.ones(2), np.ones(2), wrt="y"), "y"),
    "unknown static": (lambda: sb.function(_unused, static="z"), "static='z' is no parameter"),
    "unhashable": (lambda: sb.function(_unused, static="y")(np.ones(2), []), "cannot be hashed"),
    "object": (lambda: sb.function(_unused)(np.ones(2), object()), "neither an array nor a number"),
    "masked": (lambda: sb.function(_unused)(np.ma.ones(2), 1.0), "MaskedArray"),
    "no names": (lambda: quadratic.grad(np.ones((2, 2)), np.ones(2), wrt=[]), "no variables"),
    "text": (lambda: sb.from_function("text", 1), "traces Python functions"),
}


@pytest.mark.parametrize(("call", "message"), MISUSED.values(), ids=list(MISUSED))
def test_misuse_is_named(call: Any, message: str) -> None:
    with pytest.raises(sb.errors.SymbackError, match=message):
        call()


def test_an_unused_argument_has_zeros_unless_it_is_named() -> None:
    found = sb.function(_unused).grad(np.ones(2), np.ones(3))
    np.testing.assert_array_equal(found["y"], np.zeros(3))


def test_a_method_is_refused_and_a_static_method_is_not() -> None:
    class Model:
        @sb.function
        def loss(self, x):
            return np.sum(x)

        @staticmethod
        @sb.function
        def square(x):
            return np.sum(x**2)

    with pytest.raises(sb.errors.UsageError, match="staticmethod"):
        Model().loss(np.ones(2))
    assert Model.square(np.ones(2)) == 2


def test_a_bound_method_is_traced() -> None:
    class Model:
        rate = 0.5

        def step(self, x):
            out = np.zeros_like(x)
            out[0] = x[1] * self.rate
            return out

    x = sb.tensor("x", (2,))
    node = sb.from_function(Model().step, x)
    np.testing.assert_allclose(sb.lambdify([x], node, check=False)(np.array([1.0, 2.0])), [1.0, 0.0])


def test_threads_share_a_function() -> None:
    traced = []

    @sb.function
    def f(x):
        traced.append(1)
        y = np.sin(x)
        return np.sum(y * y)

    found: list[Any] = []
    threads = [threading.Thread(target=lambda k=k: found.append(f.grad(np.full(2, float(k % 2))))) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(traced) == 1


def test_numpy_is_left_alone() -> None:
    zeros, exp = np.zeros, np.exp
    sb.from_function(same_object, sb.tensor("x", (4,)))
    assert (np.zeros, np.exp) == (zeros, exp)
    assert type(np.zeros(2)) is np.ndarray
