"""Array expressions of SymPy to graphs and back: values against SymPy's own entries, one product, nothing expanded."""

from typing import Any

import numpy as np
import pytest
import sympy
from sympy.tensor.array.expressions import (
    ArrayAdd,
    ArrayContraction,
    ArrayDiagonal,
    ArrayElement,
    ArrayElementwiseApplyFunc,
    ArraySymbol,
    ArrayTensorProduct,
    OneArray,
    PermuteDims,
    Reshape,
    ZeroArray,
)

import symback as sb
from symback import errors
from symback.interop.symbolic.bridge import SympyBridge, from_sympy
from symback.nodes.contract import Contract
from symback.nodes.leaves import Variable
from symback.nodes.node import Node

A, B, C, v = (ArraySymbol(name, shape) for name, shape in zip("ABCv", [(2, 3, 4), (4, 5), (3, 3), (3,)], strict=True))
E = ArraySymbol("E", (0, 3))
x, k = sympy.Symbol("x"), sympy.Symbol("k")
M, N = sympy.MatrixSymbol("M", 3, 3), sympy.MatrixSymbol("N", 3, 1)
Product, Contraction, Diagonal = ArrayTensorProduct, ArrayContraction, ArrayDiagonal

AT = {
    symbol: np.random.default_rng(seed).normal(size=symbol.shape) for seed, symbol in enumerate([A, B, C, v, E, M, N])
}


def explicit(expr: Any) -> np.ndarray[Any, Any]:
    """Evaluate an array expression by SymPy itself, entry by entry."""
    entries = {
        symbol[tuple(map(int, place))]: sympy.Float(float(array[place]))
        for symbol, array in AT.items()
        for place in np.ndindex(array.shape)
    }
    written = expr.as_explicit() if hasattr(expr, "as_explicit") else expr
    listed = written.tolist() if hasattr(written, "tolist") else written
    values = np.array(listed, dtype=object)
    numbers = [sympy.sympify(entry).xreplace({**entries, x: sympy.Float(0.5)}) for entry in values.flat]
    return np.array(numbers, dtype=np.float64).reshape(values.shape)


def value(node: Node) -> np.ndarray[Any, Any]:
    """Evaluate a graph at the same point."""
    point = {str(symbol.name): array for symbol, array in AT.items()} | {"x": 0.5}
    names = {leaf.name for leaf in node.free_symbols if isinstance(leaf, Variable)}
    return np.asarray(sb.evaluate(node, {name: point[name] for name in names}))


EXPRESSIONS = [
    A,
    Product(A, B),
    Product(2, v, v),
    Product(x, v, 3, v),
    Contraction(Product(A, B), (2, 3)),
    Contraction(Product(A, A), (0, 3), (1, 4), (2, 5)),
    Contraction(Product(C, C), (0, 1), (2, 3)),
    Contraction(Product(C, C, v), (1, 2, 4)),
    Contraction(Product(C, v), (0,)),
    Contraction(OneArray(2, 3), (0,)),
    Contraction(Contraction(Product(A, B, C), (2, 3)), (1, 3)),
    Contraction(PermuteDims(Product(A, B), [4, 3, 2, 1, 0]), (1, 2)),
    Contraction(Diagonal(Product(A, C), (1, 3)), (3,)),
    Contraction(Product(Contraction(Product(C, C), (1, 2)), C), (1, 2)),
    Diagonal(Product(A, C), (1, 3)),
    Diagonal(Product(A, C, v), (1, 3, 5)),
    Diagonal(Product(C, C), (0, 2), (1, 3)),
    Diagonal(Diagonal(Product(C, C), (0, 2)), (0, 1)),
    PermuteDims(A, [2, 0, 1]),
    PermuteDims(PermuteDims(A, [2, 0, 1]), [1, 0, 2]),
    ArrayAdd(A, Product(2, A), ZeroArray(2, 3, 4), OneArray(2, 3, 4)),
    ArrayElementwiseApplyFunc(sympy.sin, A),
    ArrayElementwiseApplyFunc(sympy.Lambda(k, sympy.Piecewise((k**2, k > x), (x, True))), A),
    ArrayElementwiseApplyFunc(sympy.Lambda(k, sympy.Integer(3)), v),
    ZeroArray(2, 3),
    OneArray(2, 0),
    Reshape(A, (6, 4)),
    Reshape(PermuteDims(A, [1, 0, 2]), (4, 6)),
    A[0, 1, 2],
    A[0, 1, 2] * A[1, 2, 3] + x,
    Contraction(E, (0,)),
    Product(M, v),
    Contraction(Product(M, N, v), (1, 2), (0, 4)),
    sympy.ImmutableDenseNDimArray([[[1, x], [sympy.Rational(1, 3), sympy.pi]], [[x**2, 0], [3, x]]]),
    sympy.ImmutableSparseNDimArray({0: 1, 3: x}, (2, 2)),
    sympy.MutableDenseNDimArray([[1, 2], [3, 4]]),
    Contraction(Product(sympy.ImmutableDenseNDimArray([1, x, 2]), C), (0, 1)),
]


@pytest.mark.parametrize("expr", EXPRESSIONS, ids=str)
def test_an_array_expression_has_the_value_that_sympy_gives_it(expr: Any) -> None:
    node, wanted = from_sympy(expr), explicit(expr)
    assert node.shape == getattr(expr, "shape", ())
    assert node.dtype == np.float64
    np.testing.assert_allclose(value(node), wanted.reshape(node.shape), rtol=1e-12, atol=1e-12)


# -- products ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expr", "text", "operands"),
    [
        (Contraction(Contraction(Product(A, B, C), (2, 3)), (1, 3)), "ijk,kl,jm->ilm", 3),
        (Contraction(Product(PermuteDims(C, [1, 0]), v), (1, 2)), "ij,i->j", 2),
        (Contraction(Product(Contraction(Product(C, C), (1, 2)), C), (1, 2)), "ij,jk,kl->il", 3),
        (Contraction(Diagonal(Product(A, C, v), (1, 3, 5)), (3,)), "ijk,jl,j->ikl", 3),
    ],
    ids=str,
)
def test_nested_products_are_one_product(expr: Any, text: str, operands: int) -> None:
    node = from_sympy(expr)
    assert isinstance(node, Contract)
    assert str(node.subscripts) == text
    assert len(node.operands) == operands
    assert node.count_ops() == 1


def test_an_outer_product_that_is_contracted_twice_is_never_computed() -> None:
    outer = Product(C, M)
    node = from_sympy(ArrayAdd(Contraction(outer, (1, 2)), Contraction(outer, (0, 3))))
    assert max(len(part.shape) for part in node.atoms(Node)) == 2


def test_what_is_shared_is_computed_once() -> None:
    expr = C
    for _ in range(200):
        expr = Contraction(Product(expr, expr), (1, 2))
    node = from_sympy(expr)
    assert node.count_ops() == 200
    assert all(len(part.operands) == 2 for part in node.atoms(Contract))


def test_a_long_product_is_made_in_steps() -> None:
    expr = Contraction(Product(*[C] * 30), *[(place, place + 1) for place in range(1, 59, 2)])
    node = from_sympy(expr)
    assert max(len(part.operands) for part in node.atoms(Contract)) <= 6
    np.testing.assert_allclose(value(node), np.linalg.matrix_power(AT[C], 30), rtol=1e-9)


def test_a_deep_expression_is_converted() -> None:
    expr, outer = C, A
    for _ in range(2_000):
        expr = Contraction(Product(expr, C), (1, 2))
        outer = ArrayAdd(outer, A)
    assert from_sympy(expr).count_ops() == 400
    assert from_sympy(outer) is 2_001 * sb.tensor("A", (2, 3, 4))


def test_sizes_are_symbols_that_come_back() -> None:
    n, m = sympy.symbols("n m")
    S, W = ArraySymbol("S", (n, m, n)), sympy.MatrixSymbol("W", n, m)
    bridge = SympyBridge()
    node = bridge.to_node(Contraction(Product(S, W), (0, 3), (1, 4)))
    assert node.shape == sb.tensor("v", ("n",)).shape
    back = bridge.to_expr(node)
    assert back == Contraction(Product(S, W), (0, 3), (1, 4))
    assert back.shape == (n,)
    total = bridge.to_node(Contraction(Product(S, W, v := ArraySymbol("u", (n,))), (0, 3), (1, 4), (2, 5)))
    gradient = bridge.to_expr(sb.grad(total, bridge.to_node(S)))
    assert gradient.shape == (n, m, n)
    assert gradient == Product(W, v)


def test_an_entry_of_a_product() -> None:
    node = from_sympy(ArrayElement(Contraction(Product(A, B), (2, 3)), (1, 2, 4)))
    np.testing.assert_allclose(value(node), AT[A][1, 2] @ AT[B][:, 4])


def test_an_entry_at_indices_that_a_sum_binds() -> None:
    i, j = sympy.symbols("i j", integer=True)
    node = from_sympy(sympy.Sum(A[i, j, j] ** 2, (i, 0, 1), (j, 0, 2)))
    np.testing.assert_allclose(value(node), np.sum(np.diagonal(AT[A], axis1=1, axis2=2) ** 2))


# -- and back ------------------------------------------------------------------------------------------------

a, b, c, u, s = (
    sb.tensor(name, shape) for name, shape in zip("ABCvx", [(2, 3, 4), (4, 5), (3, 3), 3, ()], strict=True)
)

NODES = [
    a, 2 * a, a + 1, a - u[:, None], a * a, a * u[:, None], sb.sin(a) * s, sb.exp(sb.sum(a)) * a, a / (1 + a * a),
    u / (1 + sb.sum(u * u)), a.sum(axis=1) / b.sum(axis=1)[None], sb.einsum("ijk,kl->lij", a, b),
    sb.einsum("ijk,jj->ik", a, c), sb.einsum("ij,k->kij", sb.diag(u), u), sb.einsum("ij,k->ijk", sb.eye(3), u),
    sb.where(a > 0, a, 0), sb.relu(a) * 2, sb.sigmoid(a), sb.maximum(a, s), (a > 0) * a, sb.reshape(a, (6, 4)),
    a[0, 1, 2] * a, sb.broadcast_to(u, (2, 4, 3)), sb.transpose(a, (2, 0, 1)), sb.ones((2, 2, 3)),
    sb.constant(np.arange(24.0).reshape(2, 3, 4)) * a, sb.let("w", a) * 2, a**2, a - a.sum(), a.sum(),
    sb.jacobian(sb.einsum("ijk,kl->ijl", a, b), b), sb.hessian(sb.sum(u**3) / sb.sum(u), u), sb.grad(sb.sum(a**3), a),
]  # fmt: skip


@pytest.mark.parametrize("node", NODES, ids=str)
def test_a_graph_becomes_an_array_expression_and_comes_back(node: Node) -> None:
    expr = sb.to_sympy(node, arrays=True)
    back = from_sympy(expr)
    assert tuple(expr.shape) == node.shape == back.shape
    np.testing.assert_allclose(value(back), value(node), rtol=1e-12)


def test_more_than_two_axes_need_no_keyword() -> None:
    assert sb.to_sympy(sb.einsum("ijk,k->ij", a, sb.tensor("q", 4))) == Contraction(
        Product(A, ArraySymbol("q", (4,))), (2, 3)
    )
    assert sb.to_sympy(a[0, 1, 2] + s) == A[0, 1, 2] + x


# -- what is refused -----------------------------------------------------------------------------------------

REFUSED = [
    (lambda: sympy.sin(A), errors.UsageError, r"sin of the array A of shape \(2, 3, 4\) has no meaning in SymPy"),
    (lambda: A * A, errors.UsageError, "Pow of the array A .*ArrayElementwiseApplyFunc"),
    (lambda: 2 * A, errors.UsageError, "Mul of the array A .*write ArrayTensorProduct"),
    (lambda: A + 1, errors.UsageError, "Add of the array A"),
    (lambda: Contraction(A, (0,), (0,)), errors.UsageError, "names the axes 0 more than once; put all axes"),
    (lambda: ArrayElement("A", (0, 1)), errors.UsageError, r"ArrayElement .* write ArraySymbol\('A', shape\)\[index"),
    (lambda: A[k, 0, 1], errors.UsageError, "the index k of"),
    (lambda: A[0, 0, 0] + sympy.Symbol("A"), errors.InvalidNameError, "two different SymPy symbols are called A"),
    (
        lambda: ArrayElementwiseApplyFunc(sympy.Lambda((x, k), x + k), A),
        errors.UsageError, "needs a Lambda of one variable, not .*; give it a function of one entry",
    ),
    (lambda: Product(A, sympy.I), errors.UsageError, "cannot convert ImaginaryUnit"),
    (
        lambda: Product(A, sympy.Indexed(sympy.IndexedBase("q", shape=(3,)), 0)),
        errors.ShapeError, r"SymPy gives Indexed 1 axes, but its value has the shape \(\); write it as",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("make", "kind", "reason"), REFUSED, ids=[row[2][:40] for row in REFUSED])
def test_what_has_no_meaning_is_refused(make: Any, kind: type[Exception], reason: str) -> None:
    with pytest.raises(kind, match=reason):
        from_sympy(make())


@pytest.mark.parametrize(
    ("node", "reason"),
    [
        (sb.maximum(a, 2 * a[::-1]), "slice_of"),
        (
            sb.maximum(a, sb.tensor("b", (2, 3, 4))),
            r"no counterpart of maximum of several arrays; write the graph with",
        ),
        (sb.cumsum(a, axis=0), r"\(2, 3, 4\): array expressions of SymPy have no counterpart of"),
    ],
)
def test_a_graph_without_counterpart_is_refused(node: Node, reason: str) -> None:
    with pytest.raises(errors.UsageError, match=reason):
        sb.to_sympy(node)


def test_a_deep_graph_says_how_it_is_written() -> None:
    node = a
    for _ in range(2_000):
        node = sb.sin(node)
    with pytest.raises(errors.UsageError, match="SymPy recurses over its depth: pass pairs=True"):
        sb.to_sympy(node)
    replacements, (reduced,) = sb.to_sympy(node, pairs=True)
    assert len(replacements) > 50
    assert reduced.shape == (2, 3, 4)
