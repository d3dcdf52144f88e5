"""Every function against NumPy: shape, dtype and value, from tables of calls and from random programs."""

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symback as sb
from reference import evaluate
from symback.nodes.node import Node

DTYPES = ("float64", "float32", "int64", "int32", "int8", "uint8", "bool")


def draw(shape: tuple[int, ...], dtype: str = "float64", seed: int = 0) -> Any:
    """Draw an array whose entries are small integers or, for floats, quarters of them."""
    rng = np.random.default_rng([seed, *shape])
    if dtype == "bool":
        return np.asarray(rng.integers(0, 2, shape), "bool")
    low = 0 if dtype == "uint8" else -6
    return np.asarray(rng.integers(low, 7, shape) / (4 if dtype[0] == "f" else 1), dtype)


def both(function: Callable[..., Any], *arrays: Any) -> tuple[Node, Any, Any]:
    """Apply a function of (namespace, operands) to variables and to arrays; return node, value, NumPy's value."""
    nodes = [sb.tensor(f"x{k}", array.shape, dtype=array.dtype) for k, array in enumerate(arrays)]
    node = function(sb, *nodes)
    with np.errstate(all="ignore"):
        value = evaluate([node], dict(zip(nodes, arrays, strict=True)))[0]
        wanted = function(np, *arrays)
    return node, value, wanted


def agree(function: Callable[..., Any], *arrays: Any) -> None:
    """Check shape, dtype and value against NumPy, and that the node is that of its parts."""
    node, value, wanted = both(function, *arrays)
    assert node.shape == np.shape(wanted)
    assert node.dtype == np.result_type(wanted)
    assert np.result_type(value) == node.dtype
    single = node.dtype == np.float32
    np.testing.assert_allclose(value, wanted, rtol=1e-5 if single else 1e-12, atol=1e-5 if single else 1e-12)
    assert node.func(*node.args) is node


BINARY: dict[str, Callable[..., Any]] = {
    "add": lambda xp, a, b: a + b,
    "subtract": lambda xp, a, b: a - b,
    "multiply": lambda xp, a, b: a * b,
    "divide": lambda xp, a, b: a / (b + 9),
    "less": lambda xp, a, b: a < b,
    "greater_equal": lambda xp, a, b: a >= b,
    "equal": lambda xp, a, b: xp.equal(a, b),
    "not_equal": lambda xp, a, b: xp.not_equal(a, b),
    "maximum": lambda xp, a, b: xp.maximum(a, b),
    "minimum": lambda xp, a, b: xp.minimum(a, b),
    "logical_and": lambda xp, a, b: xp.logical_and(a, b),
    "where": lambda xp, a, b: xp.where(a > b, a, b),
    "twice": lambda xp, a, b: (a + b) + (a + b),
}


@pytest.mark.parametrize("right", DTYPES)
@pytest.mark.parametrize("left", DTYPES)
@pytest.mark.parametrize("name", BINARY)
def test_binary_functions_promote_as_numpy_does(name: str, left: str, right: str) -> None:
    if name == "subtract" and left == right == "bool":
        pytest.skip("NumPy refuses, and so do we: see test_errors")
    agree(BINARY[name], draw((2, 3), left, 1), draw((3,), right, 2))


WEAK: dict[str, Callable[..., Any]] = {
    "x + 1": lambda xp, x: x + 1,
    "1 + x": lambda xp, x: 1 + x,
    "x * 2": lambda xp, x: x * 2,
    "2.5 * x": lambda xp, x: 2.5 * x,
    "x + 0.0": lambda xp, x: x + 0.0,
    "x + 0": lambda xp, x: x + 0,
    "x * 1": lambda xp, x: x * 1,
    "x * 1.0": lambda xp, x: x * 1.0,
    "x / 2": lambda xp, x: x / 2,
    "x / 0.5": lambda xp, x: x / 0.5,
    "1 / x": lambda xp, x: 1 / x,
    "2 - x": lambda xp, x: 2 - x,
    "x - 2": lambda xp, x: x - 2,
    "x * 2 * 0.25": lambda xp, x: x * 2 * 0.25,
    "x * float64": lambda xp, x: x * np.float64(0.5),
    "float32 * x": lambda xp, x: np.float32(0.5) * x,
    "x > 0": lambda xp, x: x > 0,
    "maximum(x, 0)": lambda xp, x: xp.maximum(x, 0),
    "where(x > 1, x, 0)": lambda xp, x: xp.where(x > 1, x, 0),
    "where(x > 1, 0.5, x)": lambda xp, x: xp.where(x > 1, 0.5, x),
    "where(x > 1, 1, 0)": lambda xp, x: xp.where(x > 1, 1, 0),
    "where(x, 1.0, 2.0)": lambda xp, x: xp.where(x, 1.0, 2.0),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", WEAK)
def test_python_numbers_are_weak(name: str, dtype: str) -> None:
    agree(WEAK[name], draw((2, 3), dtype, 3))


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "int32"])
@pytest.mark.parametrize("name", ["exp", "expm1", "sin", "cos", "tan", "tanh", "sinh", "cosh", "arctan", "abs", "sign"])
def test_functions_of_a_real_number(name: str, dtype: str) -> None:
    agree(lambda xp, x: getattr(xp, name if xp is np or name != "abs" else "absolute")(x), draw((2, 3), dtype, 4))


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64"])
@pytest.mark.parametrize("name", ["log", "sqrt", "log1p", "square"])
def test_functions_of_a_positive_number(name: str, dtype: str) -> None:
    agree(lambda xp, x: getattr(xp, name)(x * x + 1), draw((4,), dtype, 5))


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "int32"])
@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 2.0, 0.5, 1.0, -1.0, 2.5, 0.0])
def test_powers_by_numbers(exponent: float, dtype: str) -> None:
    agree(lambda xp, x: (x * x + 1) ** exponent, draw((4,), dtype, 6))


def test_powers() -> None:
    x, p = draw((3, 1), "float64", 7) + 5, draw((2,), "float32", 8)
    agree(lambda xp, x, p: x**p, x, p)
    agree(lambda xp, x: x**-2, x)
    agree(lambda xp, x: 2**x, x)
    agree(lambda xp, x, n: x**n, x, draw((2,), "int64", 9))
    assert sb.power(3, 4) is sb.constant(81)
    assert sb.power(2, -2) is sb.constant(0.25)


SMALL_INTEGERS = ("int8", "int16", "uint8", "uint16", "bool")


@pytest.mark.parametrize("dtype", SMALL_INTEGERS)
def test_small_integers_become_float64(dtype: str) -> None:
    """NumPy has exp(int8) in float16 and exp(int16) in float32; symback has no float16 and says float64."""
    x = draw((3,), dtype, 2)
    node, value, wanted = both(lambda xp, x: xp.exp(x), x)
    assert node.dtype == value.dtype == np.float64
    np.testing.assert_allclose(value, np.asarray(wanted, "float64"), rtol=1e-2)
    assert sb.rint(sb.tensor("i", (3,), dtype=dtype)).dtype == np.float64
    assert sb.arctan2(x, x).dtype == sb.hypot(x, sb.tensor("i", (3,), dtype=dtype)).dtype == np.float64


MATMUL_SHAPES = [
    ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 3), (3, 4)), ((5, 2, 3), (3, 4)), ((5, 2, 3), (5, 3, 4)),
    ((2, 3), (5, 3, 4)), ((1, 2, 3), (5, 3, 4)), ((5, 1, 2, 3), (4, 3, 2)), ((3,), (5, 3, 4)), ((5, 2, 3), (3,)),
    ((0, 3), (3, 2)), ((2, 0), (0, 3)), ((1, 1), (1, 1)), ((6, 1, 2, 3), (1, 5, 3, 1)), ((1,), (1,)),
]  # fmt: skip


@pytest.mark.parametrize(("left", "right"), MATMUL_SHAPES)
@pytest.mark.parametrize("dtypes", [("float64", "float64"), ("float32", "int64"), ("float32", "float32")])
def test_matmul(left: tuple[int, ...], right: tuple[int, ...], dtypes: tuple[str, str]) -> None:
    agree(lambda xp, a, b: a @ b, draw(left, dtypes[0], 1), draw(right, dtypes[1], 2))


DOT_SHAPES = [
    ((), (3,)), ((2, 3), ()), ((3,), (3,)), ((2, 3), (3,)), ((4, 2, 3), (3, 2)), ((2, 3), (4, 3, 5)), ((3,), (4, 3, 5)),
]  # fmt: skip


@pytest.mark.parametrize(("left", "right"), DOT_SHAPES)
def test_dot(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    agree(lambda xp, a, b: xp.dot(a, b), draw(left, seed=1), draw(right, seed=2))


INNER_SHAPES = [((3,), (3,)), ((2, 3), (3,)), ((2, 3), (4, 3)), ((2, 4, 3), (5, 3)), ((), (3,))]


@pytest.mark.parametrize(("left", "right"), INNER_SHAPES)
def test_inner(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    agree(lambda xp, a, b: xp.inner(a, b), draw(left, seed=1), draw(right, seed=2))


@pytest.mark.parametrize("axes", [0, 1, 2, ([0, 1], [1, 0]), (1, 0), ([-1], [-2]), ((0,), (0,))])
def test_tensordot(axes: Any) -> None:
    agree(lambda xp, a, b: xp.tensordot(a, b, axes=axes), draw((3, 3), seed=1), draw((3, 3), seed=2))


EINSUM = [
    ("ij,j->i", (2, 3), (3,)), ("ij,jk", (2, 3), (3, 4)), ("ba", (2, 3)), ("ii", (3, 3)), ("ii->i", (3, 3)),
    ("iij->j", (3, 3, 2)), ("iij,jk->ik", (3, 3, 2), (2, 4)), ("i,i,i->i", (3,), (3,), (3,)), ("i,j->ji", (3,), (2,)),
    ("...ij,...jk->...ik", (5, 2, 3), (3, 4)), ("...ij,...jk", (1, 2, 3), (4, 3, 2)), ("i...->...", (2, 3, 4)),
    ("...ii->...i", (2, 3, 3)), ("...,...", (2, 3), (3,)), ("ij,ij->", (2, 3), (1, 3)), ("ij,kj->ik", (2, 1), (4, 3)),
    ("i->", (0,)), ("ij,jk->ik", (2, 0), (0, 3)), (",i->i", (), (3,)), ("ijk->", (2, 3, 4)),
    ("i...j->j...i", (2, 3, 4)),
    ("ij,jk,kl->il", (2, 3), (3, 4), (4, 2)), ("ij,ij,ij->i", (2, 3), (2, 1), (1, 3)),
    (" i j , j -> i ", (2, 3), (3,)),
    ("bij,bj->bi", (4, 2, 3), (4, 3)), ("ii,jj->ij", (2, 2), (3, 3)), ("aB,Bc->ac", (2, 3), (3, 4)), ("->", ()),
    ("i,i", (1,), (3,)), ("...->...", (2, 3)), ("...a,a...->...", (2, 3), (3, 2)), ("zay->", (2, 3, 4)),
    ("zay", (2, 3, 4)),
]  # fmt: skip


@pytest.mark.parametrize("case", EINSUM, ids=lambda case: str(case[0]))
@pytest.mark.parametrize("dtype", ["float64", "float32", "int64"])
def test_einsum(case: tuple[Any, ...], dtype: str) -> None:
    pattern, *shapes = case
    agree(lambda xp, *xs: xp.einsum(pattern, *xs), *[draw(s, dtype, k) for k, s in enumerate(shapes)])


REARRANGE: dict[str, Callable[..., Any]] = {
    "T": lambda xp, x: x.T,
    "transpose": lambda xp, x: xp.transpose(x, (1, 2, 0)),
    "transpose negative": lambda xp, x: x.transpose(-1, 0, 1),
    "swapaxes": lambda xp, x: xp.swapaxes(x, 0, -1),
    "moveaxis": lambda xp, x: xp.moveaxis(x, 0, -1),
    "moveaxis several": lambda xp, x: xp.moveaxis(x, (0, 2), (1, 0)),
    "moveaxis back": lambda xp, x: xp.moveaxis(x, -1, 0),
    "trace": lambda xp, x: xp.trace(x),
    "diagonal": lambda xp, x: xp.diagonal(x),
    "reshape": lambda xp, x: x.reshape(6, -1),
    "reshape flat": lambda xp, x: xp.reshape(x, -1),
    "reshape twice": lambda xp, x: x.reshape(4, 6).reshape((2, 3, 4)),
    "ravel": lambda xp, x: xp.ravel(x),
    "expand_dims": lambda xp, x: xp.expand_dims(x, 1),
    "expand_dims last": lambda xp, x: xp.expand_dims(x, -1),
    "expand_dims two": lambda xp, x: xp.expand_dims(x, (0, -1)),
    "squeeze": lambda xp, x: xp.squeeze(x[:, None, :1]),
    "squeeze one": lambda xp, x: xp.squeeze(x[:, :1, None], axis=1),
    "broadcast_to": lambda xp, x: xp.broadcast_to(x[:, :1], (5, 2, 3, 4)),
    "concatenate": lambda xp, x: xp.concatenate([x, x[:1]]),
    "concatenate last": lambda xp, x: xp.concatenate((x, 2 * x, x[..., ::2]), axis=-1),
    "concatenate all": lambda xp, x: xp.concatenate([x, x], axis=None),
    "stack": lambda xp, x: xp.stack([x, x + 1], axis=1),
    "stack last": lambda xp, x: xp.stack([x, x], axis=-1),
    "stack one": lambda xp, x: xp.stack([x]),
    "slice": lambda xp, x: x[1:, ::2, 1:-1],
    "reverse": lambda xp, x: x[::-1, ::-2],
    "to the start": lambda xp, x: x[0, 2:0:-1, -1],
    "beyond": lambda xp, x: x[0:9, -9:2],
    "empty": lambda xp, x: x[2:1],
    "integers": lambda xp, x: x[-1, 0, 2],
    "ellipsis": lambda xp, x: x[..., 1],
    "ellipsis amid": lambda xp, x: x[0, ..., 1:],
    "newaxis": lambda xp, x: x[None, :, None, 1],
    "newaxis last": lambda xp, x: x[0, ..., None],
    "numpy integer": lambda xp, x: x[np.int64(1)],
    "everything": lambda xp, x: x[:],
}


@pytest.mark.parametrize("name", REARRANGE)
def test_rearrangements(name: str) -> None:
    agree(REARRANGE[name], draw((2, 3, 4)))


@pytest.mark.parametrize("axis", [None, 0, 1, -1, (0, 2), (1,), (-1, 0), ()])
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize(
    "name",
    ["sum", "mean", "max", "min", "var", "std", "prod", "ptp", "any", "all", "count_nonzero", "nansum", "nanvar"],
)
def test_reductions(name: str, axis: Any, keepdims: bool) -> None:
    agree(lambda xp, x: getattr(xp, name)(x, axis=axis, keepdims=keepdims), draw((2, 3, 4)))


@pytest.mark.parametrize("name", ["sum", "mean", "max", "var"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_reductions_of_every_dtype(name: str, dtype: str) -> None:
    agree(lambda xp, x: getattr(xp, name)(x, axis=1), draw((2, 5), dtype))


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (1, 1), ()])
@pytest.mark.parametrize("name", ["sum", "mean"])
@pytest.mark.filterwarnings("ignore:Mean of empty slice", "ignore:invalid value")
def test_reductions_of_few(name: str, shape: tuple[int, ...]) -> None:
    agree(lambda xp, x: getattr(xp, name)(x), draw(shape))


def test_variance_with_ddof() -> None:
    agree(lambda xp, x: xp.var(x, ddof=1), draw((5,), "float32"))
    assert sb.var(sb.tensor("x", ("n",), dtype="float32"), ddof=1).dtype == np.float32
    assert sb.mean(sb.tensor("x", ("n",), dtype="float32")).dtype == np.float32


def test_logsumexp_and_softmax() -> None:
    x = sb.tensor("x", (2, 3))
    values = draw((2, 3))
    lse, soft = evaluate([sb.logsumexp(x, axis=1), sb.softmax(x, axis=1)], {x: values})
    np.testing.assert_allclose(lse, np.log(np.exp(values).sum(1)))
    np.testing.assert_allclose(soft, np.exp(values) / np.exp(values).sum(1, keepdims=True))


def random_program(seed: int) -> Callable[..., Any]:
    """Return a function of (namespace, operands) that draws the same program for both namespaces."""

    def program(xp: Any, *operands: Any) -> Any:
        rng = random.Random(seed)
        pool = list(operands)
        for _ in range(12):
            a, b = rng.choice(pool), rng.choice(pool)
            step = rng.choice(STEPS)
            if len(b.shape) == len(a.shape) or rng.random() < 0.5:
                pool.append(step(xp, a, b, rng))
        return pool[-1]

    return program


def clipped(xp: Any, a: Any) -> Any:
    return xp.minimum(xp.maximum(a, -3), 3)


STEPS: list[Callable[[Any, Any, Any, random.Random], Any]] = [
    lambda xp, a, b, rng: clipped(xp, a + b),
    lambda xp, a, b, rng: clipped(xp, a - b),
    lambda xp, a, b, rng: clipped(xp, a * b),
    lambda xp, a, b, rng: xp.sin(a) * b,
    lambda xp, a, b, rng: a / (b * b + 1),
    lambda xp, a, b, rng: xp.where(a > b, a, b * 2),
    lambda xp, a, b, rng: xp.tanh(a).T,
    lambda xp, a, b, rng: a - xp.mean(a, axis=0, keepdims=True),
    lambda xp, a, b, rng: xp.max(a, axis=-1, keepdims=True) + b,
    lambda xp, a, b, rng: xp.matmul(a, b.T) / 9,
    lambda xp, a, b, rng: xp.einsum("ij,ij->ji", a, b) / 4,
    lambda xp, a, b, rng: a[::-1, :1] - b * rng.choice([1, 0.5, -2]),
    lambda xp, a, b, rng: xp.concatenate([a, b], axis=0)[: a.shape[0]],
    lambda xp, a, b, rng: xp.reshape(a, (-1,)).reshape(b.shape) if a.shape == b.shape else a,
    lambda xp, a, b, rng: -a + a + a,
]


@pytest.mark.parametrize("seed", range(200))
def test_random_programs(seed: int) -> None:
    rng = random.Random(seed)
    size = rng.choice([1, 2, 3])
    dtypes = [rng.choice(["float64", "float64", "float32", "int64"]) for _ in range(3)]
    agree(random_program(seed + 1), *[draw((size, size), dtype, k) for k, dtype in enumerate(dtypes)])
