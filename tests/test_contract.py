"""Sums and products: their normal forms, and random nested products against the pattern that was asked for."""

import random
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy

import symback as sb
from reference import evaluate, product
from symback.graph import toposort
from symback.nodes.add import Plus, add
from symback.nodes.classify import classify
from symback.nodes.contract import Contract, contract
from symback.nodes.leaves import Exact, Size, as_node, exact, ones_of
from symback.nodes.node import Node


def rebuilt(node: Contract) -> Node:
    """Normalise a product again, past the table of nodes that exist."""
    return contract(list(zip(node.operands, node.subscripts.inputs, strict=True)), node.subscripts.out)


# -- normal forms ----------------------------------------------------------------------------------


def test_identities_are_eliminated() -> None:
    n = "n"
    x, A = sb.tensor("x", (n,)), sb.tensor("A", (n, n))
    eye = sb.eye(n)
    assert eye @ x is x
    assert x @ eye is x
    assert eye @ A @ eye is A
    assert eye @ eye is eye
    assert eye.T is eye
    assert sb.sum(A * eye) is sb.trace(A)
    assert sb.einsum("ij,ij->i", A, eye) is sb.diagonal(A)
    assert evaluate([sb.trace(eye)], {}, {"n": 4})[0] == 4
    assert sb.diagonal(sb.diag(x)) is x
    assert sb.sum(sb.diag(x), axis=0) is x


def test_transposes_and_ones_vanish() -> None:
    A, B = sb.tensor("A", (2, 3)), sb.tensor("B", (4, 2, 3))
    assert A.T.T is A
    assert sb.transpose(sb.transpose(B, (2, 0, 1)), (1, 2, 0)) is B
    assert sb.ones((2, 3)) * A is A
    assert sb.ones((3,)) @ sb.ones((3,)) is sb.ones(()) * 3
    assert sb.squeeze(sb.expand_dims(A, 1)) is A
    assert sb.sum(sb.broadcast_to(A, (5, 2, 3)), axis=0) is 5 * A
    assert sb.sum(sb.broadcast_to(A, ("n", 2, 3)), axis=0) is A * sb.size("n")


def test_ones_keep_their_dtype() -> None:
    single, double = sb.tensor("s", (3,), dtype="float32"), sb.ones((3,))
    assert (single * double).dtype == np.float64
    assert (sb.tensor("i", (3,), dtype="int64") * double).dtype == np.float64
    assert (single * sb.ones((3,), "float32")) is single
    assert (sb.eye(3) @ single).dtype == np.float64


def test_coefficients_are_exact() -> None:
    x = sb.tensor("x", ("n",))
    assert x * 3 / 3 is x * 1.0
    assert -1 * -x is x
    assert (0.1 * x) * 10 is as_node(Fraction(0.1) * 10) * x
    assert 2 * (x * 0.5) is x
    assert (x + x) is 2 * x
    assert (x + x) - 2 * x is 0 * x
    assert 2 * x + 3 * x is 5 * x
    assert sb.constant(sympy.sqrt(2)) * sympy.sqrt(2) * x is 2.0 * x


def test_coefficients_are_bounded() -> None:
    x = sb.tensor("x", (2,))
    doubled, tenth, single = x, x, sb.tensor("f", (2,), dtype="float32")
    wide = single
    for _ in range(2500):
        doubled, tenth, wide = doubled + doubled, tenth * 0.1, wide * 2.0
    for node in toposort([doubled, tenth, wide]):
        if isinstance(node, Exact):
            value = Fraction(node.value)  # type: ignore[arg-type]
            assert max(value.numerator.bit_length(), value.denominator.bit_length()) <= 1001
    tiny = np.array([1e-38, -1e-38], "float32")
    (value,) = evaluate([single * 2.0**100 * 2.0**100 * 2.0**-90], {single: tiny})
    np.testing.assert_allclose(value, tiny.astype("float64") * 2.0**110, rtol=1e-5)


def test_differences_stay_connected() -> None:
    x, y = sb.tensor("x", ("n", 3)), sb.tensor("y", (3,))
    for node in (x - x, 0 * x, x * 0, x + y - x - y):
        assert node.shape == x.shape
        assert x in toposort([node])
    assert (x + 0) is x
    assert (sb.tensor("k", (2,), dtype="int64") + 0.0).dtype == np.float64


def test_sums_do_not_flatten() -> None:
    x, y, z = (sb.tensor(name) for name in "xyz")
    node = (x + y) + z
    assert isinstance(node, Plus)
    assert node.operands == (x + y, z)


def test_symbolic_sizes_become_factors() -> None:
    n = sb.size("n")
    assert isinstance(n, Size)
    total = sb.sum(sb.ones(("n", 3)))
    assert evaluate([total], {}, {"n": 4})[0] == 12
    assert (sb.tensor("s", (), dtype="float32") * n).dtype == np.float32
    assert (sb.tensor("s", (), dtype="float32") / n).dtype == np.float32


# -- random products against the pattern that was asked for --------------------------------------------

Entry = tuple[Node, Any]


def random_product(rng: random.Random, pool: Sequence[Entry]) -> Entry:
    """Draw a pattern on operands of the pool, with repeats, diagonals and size-1 axes."""
    chosen = [rng.choice(pool) for _ in range(rng.choice([1, 1, 2, 2, 3]))]
    if rng.random() < 0.25:
        chosen = [chosen[0]] * len(chosen)
    sizes: dict[int, int] = {}
    offset = rng.choice([0, 3])
    terms = []
    for node, value in chosen:
        labels = []
        for size in np.shape(value):
            known = [label for label in sizes if sizes[label] == size]
            label = rng.choice(known) if known and rng.random() < 0.65 else offset + len(sizes)
            sizes[label] = size
            labels.append(label)
        terms.append((node, tuple(labels), value))
    out = [label for label in sizes if rng.random() < 0.55]
    rng.shuffle(out)
    if out and rng.random() < 0.3:
        out.append(rng.choice(out))
    out = out[:4]
    node = contract([(node, labels) for node, labels, _ in terms], tuple(out))
    return node, product([(value, labels) for _, labels, value in terms], out)


def starting_pool(rng: random.Random, seed: int) -> tuple[list[Entry], dict[Any, Any]]:
    arrays = np.random.default_rng(seed)
    pool: list[Entry] = [(as_node(2), 2), (exact(-1), -1), (as_node(0.5), 0.5), (ones_of((2, 3)), np.ones((2, 3)))]
    pool += [(sb.eye(size), np.eye(size)) for size in (2, 3)]
    values = {}
    for k in range(4):
        shape = tuple(rng.choice([2, 3, 1, 1]) for _ in range(rng.randrange(4)))
        dtype = rng.choice(["float64", "float64", "float32", "int64"])
        variable = sb.tensor(f"v{k}", shape, dtype=dtype)
        values[variable] = np.asarray(arrays.integers(-3, 4, shape).astype(dtype))
        pool.append((variable, values[variable]))
    return pool, values


def check(node: Node, wanted: Any, values: dict[Any, Any]) -> None:
    (found,) = evaluate([node], values)
    assert node.shape == np.shape(wanted) == np.shape(found)
    if type(wanted) not in (int, float):
        assert node.dtype == np.result_type(wanted) == np.result_type(found)
    np.testing.assert_allclose(found, wanted, rtol=1e-5)
    for inner in toposort([node]):
        if isinstance(inner, Contract):
            assert rebuilt(inner) is inner
            assert classify(inner).kind
        if isinstance(inner, Plus):
            assert add(*inner.args) is inner


@pytest.mark.parametrize("seed", range(300))
def test_random_nested_products(seed: int) -> None:
    rng = random.Random(seed)
    pool, values = starting_pool(rng, seed)
    for _ in range(8):
        node, wanted = random_product(rng, pool)
        check(node, wanted, values)
        pool.append((node, wanted))
        mates = [entry for entry in pool if entry[0].shape in (node.shape, ())]
        other, value = rng.choice(mates)
        total = (node + other, wanted + value) if rng.random() < 0.5 else (other - node, value - wanted)
        check(*total, values)
        pool.append(total)


def test_an_outer_product_of_one_operand_is_one_node() -> None:
    w = sb.tensor("w", ("n", "m"))
    assert sb.einsum("kj,il->ijkl", w, w) is sb.einsum("il,kj->ijkl", w, w)
    assert sb.einsum("kj,il->ijkl", w, w) is not sb.einsum("ij,kl->ijkl", w, w)
    assert sb.lambdify([w], sb.hessian(sb.sum((w @ w.T) ** 2), w)).source.count("w[:, None, None]") == 1
