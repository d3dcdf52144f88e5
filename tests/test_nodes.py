"""The nodes: one object for each expression, normal forms, depth, and what SymPy asks of them."""

import gc
import pickle
import threading
import weakref
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
import sympy

import symback as sb
from reference import evaluate
from symback import errors
from symback.errors import SymbackError
from symback.graph import count_uses, dependents, toposort
from symback.nodes.contract import Contract, Subscripts
from symback.nodes.leaves import Exact, Ones, as_node
from symback.nodes.node import Node

# -- one object for each expression --------------------------------------------------------------


def samples() -> list[Node]:
    x, A = sb.tensor("x", ("n",)), sb.tensor("A", ("n", "n"))
    m, flags = sb.tensor("m", (2, 3), dtype="float32"), sb.tensor("flags", (3,), dtype="bool")
    leaves = [
        x,
        A,
        m,
        flags,
        sb.constant(2),
        sb.constant(0.1),
        sb.constant([1.0, np.nan]),
        sb.size("n"),
        sb.ones((2, "n")),
    ]
    products = [
        A @ x,
        A.T,
        -x,
        2 * x,
        x * x,
        sb.eye("n"),
        sb.trace(A),
        sb.diag(x),
        sb.outer(x, x),
        A @ A,
        sb.sum(m, axis=0),
    ]
    sums = [x + 1, x - x, x + x * 2, A + x, sb.mean(m), sb.zeros((3,)), sb.full((2,), 0.5)]
    maps = [sb.sin(x), x / 3, 1 / x, x**3, sb.where(x > 0, x, 0), sb.maximum(m, 0), m.astype("float64"), flags.sum()]
    rest = [
        m[0, ::2],
        x[1:],
        m.reshape(6),
        sb.concatenate([x, x]),
        sb.max(m, axis=1),
        sb.logsumexp(x),
        sb.let("z", A @ x),
    ]
    return leaves + products + sums + maps + rest + [sb.stop_gradient(x), sb.constant(sympy.pi), sb.constant(-0.0)]


@pytest.mark.parametrize("k", range(len(samples())))
def test_a_node_is_that_of_its_parts(k: int) -> None:
    for node in toposort([samples()[k]]):
        assert node.func(*node.args) is node


def test_interning() -> None:
    x = sb.tensor("x", ("n",))
    assert sb.tensor("x", ("n",)) is x
    assert sb.sin(x) is sb.sin(x)
    assert sb.tensor("x", ("m",)) is not x
    assert sb.constant([0.0]) is not sb.constant([-0.0])
    assert sb.constant([np.nan]) is sb.constant([np.nan])
    assert as_node(1) is not as_node(1.0)
    assert as_node(True) is not as_node(1)
    assert as_node(0.0) is not as_node(-0.0)
    assert as_node(0.5) is as_node(Fraction(1, 2))


def test_dead_nodes_leave_their_table() -> None:
    x = sb.tensor("alone", (7,))
    node = sb.sin(sb.cos(x) * x)
    key, kept = node._args, weakref.ref(node)
    del node
    gc.collect()
    assert kept() is None
    assert key not in type(sb.sin(x))._table
    assert sb.sin(sb.cos(x) * x).args == key


def test_threads_get_the_same_nodes() -> None:
    results: list[list[Node]] = []
    barrier = threading.Barrier(8)

    def build() -> None:
        barrier.wait()
        made = []
        for k in range(300):
            x = sb.tensor(f"t{k}", (k,))
            made += [sb.sin(x) * 2 + k, sb.constant(np.full(3, k)), x * x * 0.5]
        results.append(made)

    threads = [threading.Thread(target=build) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(a is b for other in results[1:] for a, b in zip(results[0], other, strict=True))


# -- depth ----------------------------------------------------------------------------------------------


def chain(depth: int) -> tuple[Node, Node]:
    first = node = sb.tensor("v", ("n",))
    for _ in range(depth):
        node = sb.sin(node)
    return first, node


def diamond(depth: int) -> tuple[Node, Node]:
    first = node = sb.tensor("v", ("n",))
    for _ in range(depth):
        node = node * node + node
    return first, node


DEEP = [(chain, 20_000), (diamond, 1_000)]


@pytest.mark.parametrize(("build", "depth"), DEEP)
def test_deep_graphs(build: Callable[[int], tuple[Node, Node]], depth: int) -> None:
    v, node = build(depth)
    w = sb.tensor("w", ("n",))
    assert hash(node) == hash(node)
    assert node == node
    assert len(repr(node)) < 2000
    assert str(node) == repr(node) == sympy.sstr(node)
    assert len(sympy.pretty(node)) < 4000
    assert node.free_symbols == {v, sympy.Symbol("n", integer=True, nonnegative=True)}
    assert node.has(v)
    assert not node.has(w)
    assert node.atoms() == {v}
    assert node.count_ops() == depth * (1 if build is chain else 2)
    other = node.subs(v, w)
    assert other.atoms() == {w}
    assert other.xreplace({w: v}) is node
    assert node.subs("n", 3).shape == (3,)
    assert node.doit() is node
    assert len(count_uses([node])) == len(dependents([node], [v])) == node.count_ops() + 1


def test_deep_graphs_are_freed() -> None:
    v, node = chain(100_000)
    before = len(type(node)._table)
    del node
    gc.collect()
    assert len(type(sb.sin(v))._table) <= before - 99_000


# -- what SymPy and NumPy ask -------------------------------------------------------------------------


def test_sympys_protocol() -> None:
    x, y = sb.tensor("x", (2,)), sb.tensor("y", (2,))
    node = sb.exp(x) * y + 1
    assert isinstance(node, sympy.Basic)
    assert node.atoms(Exact) == {sb.constant(1)}
    assert node.has(type(sb.exp(x)))
    assert node.subs([(x, y), (y, x)]) is sb.exp(y) * x + 1
    assert sympy.sympify(node) is node
    assert {node: 1}[node] == 1
    assert node != x
    assert (node == "x") is False
    assert node.sort_key() == node.sort_key()
    assert node.compare(node) == 0
    assert sorted([x, y], key=lambda n: n.sort_key()) == [x, y]
    assert not hasattr(node, "__dict__")


def test_numpys_protocols() -> None:
    x, A = sb.tensor("x", (3,)), sb.tensor("A", (2, 3))
    array = np.ones(3)
    assert np.exp(x) is sb.exp(x)
    assert array * x is sb.constant(array) * x
    assert np.float64(2) * x is sb.constant(np.float64(2)) * x
    assert (x <= array) is sb.less_equal(x, array)
    assert (array < x) is sb.less(array, x)
    assert np.sum(A, axis=0) is sb.sum(A, axis=0)
    assert np.mean(A, 1, keepdims=True) is sb.mean(A, axis=1, keepdims=True)
    assert np.concatenate([x, x]) is sb.concatenate([x, x])
    assert np.where(x > 0, x, 0) is sb.where(x > 0, x, 0)
    assert np.einsum("ij,j->i", A, x) is A @ x
    assert np.matmul(A, x) is A @ x
    assert np.ones((2, 2)) @ A is sb.constant(np.ones((2, 2))) @ A
    assert np.maximum(x, 0) is sb.maximum(x, 0)
    assert np.reshape(A, (3, 2)) is A.reshape(3, 2)
    assert np.abs(x) is abs(x)
    assert np.transpose(A) is A.T
    assert np.zeros_like(A) is sb.zeros((2, 3))
    assert np.shape(A) == (2, 3)
    assert np.ndim(A) == 2
    assert len(list(A)) == len(A) == 2


def test_sizes_in_shapes_and_indices() -> None:
    X = sb.tensor("X", ("n", 3))
    n = X.shape[0]
    assert X[1:].shape == (n - 1, 3)
    assert X[-1].shape == (3,)
    assert X[:-2].shape == (n - 2, 3)
    assert X[: n - 1] is X[:-1]
    assert X.reshape(-1).shape == (3 * n,)
    assert X.reshape(-1, 1, 3).shape == (n, 1, 3)
    assert sb.concatenate([X, X]).shape == (2 * n, 3)
    values = np.arange(15.0).reshape(5, 3)
    nodes = [X[1:, 0], X[-1], X[::-1], X[:-2, 1:], X.reshape(-1), sb.mean(X)]
    wanted = [values[1:, 0], values[-1], values[::-1], values[:-2, 1:], values.reshape(-1), values.mean()]
    for found, value in zip(evaluate(nodes, {X: values}, {"n": 5}), wanted, strict=True):
        np.testing.assert_allclose(found, value)


def test_substitution_of_sizes() -> None:
    X = sb.tensor("X", ("n", "m"))
    node = sb.sum(X[1:].reshape(-1)) * sb.size("n") + sb.sum(sb.ones(("n",)))
    fixed = node.subs({"n": 4, "m": 2})
    values = np.arange(8.0).reshape(4, 2)
    assert evaluate([fixed], {sb.tensor("X", (4, 2)): values})[0] == values[1:].sum() * 4 + 4
    assert X.subs("n", "m").shape == sb.tensor("X", ("m", "m")).shape


def test_texts() -> None:
    x, A = sb.tensor("x", ("n",)), sb.tensor("A", ("n", "n"))
    z = sb.let("z", A @ x + 1)
    assert repr(sb.exp(z)) == "z = A @ x + 1\nexp(z)"
    assert repr(x @ A.T) in ("A @ x", "x @ A.T")
    assert str(A.T @ x) in ("x @ A", "A.T @ x")
    assert repr(2 * x - 1) == "2*x - 1"
    assert str(Subscripts((((0, 1), (1,)), (0,)))) == "ij,j->i"
    assert isinstance(sb.ones((3,)), Ones)


def test_malformed_arguments_are_refused() -> None:
    A = sb.tensor("A", (2, 2))
    with pytest.raises(SymbackError, match="does not fit"):
        Contract(Subscripts((((0,),), (0,))), A)


def test_labels_are_rebuilt_from_what_they_hold():
    label = sb.let("a", sb.tensor("x") + 1, latex=r"\alpha").label
    assert pickle.loads(pickle.dumps(label)) is label


def test_a_node_keeps_what_it_was_made_with():
    x = sb.tensor("x", (3,))
    for name in ("shape", "dtype", "_args", "other"):
        with pytest.raises(errors.UsageError, match="nodes cannot be changed"):
            setattr(x, name, None)
    assert (x.shape, x.dtype, sb.tensor("x", (3,))) == ((3,), np.float64, x)
    assert x.is_positive is None or x.is_positive is False  # SymPy may keep what it finds out
