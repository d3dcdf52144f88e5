"""Graphs as rows, pickles and JSON documents: what comes back, and what is refused."""

import copy
import pickle
import subprocess
import sys
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy

import symback as sb
from symback.interop.serialize import dumps, loads
from symback.nodes.leaves import as_node, exact
from symback.nodes.node import Node
from symback.nodes.rows import to_rows


def network() -> dict[str, Any]:
    """Every kind of node, static parameter and structure in one small value."""
    n = sympy.Symbol("n")
    x, W = sb.tensor("x", ("n",)), sb.tensor("W", ("h", "n"), latex=r"\mathbf{W}")
    z = sb.let("z1", W @ x + sb.constant(np.arange(3.0))[0], latex="z_{1}")
    a = sb.let("a1", sb.tanh(z))
    loss = sb.let("L", sb.sum((a - 1) ** 2) / 2 + sb.logsumexp(x) * Fraction(1, 3))
    picked = sb.concatenate([x[1 : n - 1], a]).reshape((1, -1))
    mean = sb.mean(sb.where(x > 0, x, sb.exp(-x)))
    return {"loss": loss, "list": [z, (picked, mean)], "eye": sb.eye("n"), "size": sb.size(n * n + 3), "none": []}


def flat(value: Any) -> list[Node]:
    """Return the nodes of a structure."""
    if isinstance(value, dict):
        value = list(value.values())
    return [node for item in value for node in flat(item)] if isinstance(value, (list, tuple)) else [value]


# -- there and back -------------------------------------------------------------------------------


def test_a_structure_of_nodes_comes_back_as_the_same_nodes() -> None:
    nodes = network()
    back = loads(dumps(nodes))
    assert list(back) == list(nodes)
    assert type(back["list"]) is list
    assert type(back["list"][1]) is tuple
    assert back["none"] == []
    assert all(new is old for new, old in zip(flat(back), flat(nodes), strict=True))


def test_a_single_node_comes_back_without_a_structure() -> None:
    x = sb.tensor("x")
    assert loads(dumps(x)) is x


def test_what_is_shared_is_written_once() -> None:
    x = sb.tensor("x")
    for _ in range(200):
        x = sb.sin(x) * x
    assert len(to_rows([x, x])) < 410


def test_the_same_graph_gives_the_same_text_and_the_text_is_a_fixed_point() -> None:
    assert dumps(network()) == dumps(network())
    assert dumps(loads(dumps(network()))) == dumps(network())


NUMBERS = [
    *(0, -1, 2**53, -(10**200), Fraction(1, 3), Fraction(2, 1), Fraction(-7, 2**200), -0.0, 0.1),
    *(float("inf"), -float("inf"), float("nan"), sympy.pi, sympy.E, sympy.sqrt(2), sympy.log(2), sympy.EulerGamma),
    *(
        sympy.exp(2) * sympy.sin(1) - sympy.sqrt(3) / 7,
        2.5 * sympy.Catalan,
        sympy.Float("-2.7", 40) * sympy.GoldenRatio,
    ),
]


@pytest.mark.parametrize("value", NUMBERS, ids=lambda value: str(value)[:24])
def test_exact_numbers_stay_exact(value: Any) -> None:
    node = exact(value)
    assert loads(dumps(node)) is node


@pytest.mark.parametrize("dtype", ["bool", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint64"])
def test_arrays_keep_dtype_shape_and_every_bit(dtype: str) -> None:
    array = np.array([[0, 1, 1], [1, 0, 1]]).astype(dtype)
    node = as_node(array)
    assert loads(dumps(node)) is node
    assert loads(dumps(as_node(array[:, :0]))).shape == (2, 0)


def test_nan_payloads_and_signed_zeros_in_arrays_are_kept() -> None:
    node = as_node(np.array([np.nan, -np.nan, -0.0, np.inf, 5e-324]))
    assert loads(dumps(node)) is node


@pytest.mark.parametrize("byte_order", ["<", ">"])
def test_array_bytes_are_little_endian_whatever_the_array_was(byte_order: str) -> None:
    text = dumps(as_node(np.array([1, 258], dtype=f"{byte_order}i4")))
    assert '"AQAAAAIBAAA="' in text


def test_a_new_process_reads_equal_text_shape_and_dtype() -> None:
    text = dumps(network())
    program = (
        "import sys, symback as sb\n"
        "from symback.interop.serialize import dumps, loads\n"
        "text = sys.stdin.read(); nodes = loads(text); assert dumps(nodes) == text\n"
        "print(nodes['loss'], nodes['list'][1][0].shape, nodes['loss'].dtype)"
    )
    answer = subprocess.run([sys.executable, "-c", program], input=text, capture_output=True, text=True, check=True)
    nodes = network()
    assert answer.stdout.rstrip("\n") == f"{nodes['loss']} {nodes['list'][1][0].shape} {nodes['loss'].dtype}"


# -- pickle and copy ----------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_come_back_as_the_same_nodes(protocol: int) -> None:
    nodes = network()
    back = pickle.loads(pickle.dumps(nodes, protocol))
    assert all(new is old for new, old in zip(flat(back), flat(nodes), strict=True))


def test_a_new_process_reads_a_pickle() -> None:
    loss = network()["loss"]
    program = "import pickle, sys; node = pickle.load(sys.stdin.buffer); print(node, node.shape, node.dtype)"
    answer = subprocess.run([sys.executable, "-c", program], input=pickle.dumps(loss), capture_output=True, check=True)
    assert answer.stdout.decode().rstrip("\n") == f"{loss} {loss.shape} {loss.dtype}"


def test_a_chain_of_100_000_nodes_pickles_in_few_bytes() -> None:
    node = sb.tensor("x", ("n",))
    for _ in range(100_000):
        node = sb.sin(node)
    written = pickle.dumps(node)
    assert len(written) < 20 * 100_000
    assert pickle.loads(written) is node


def test_a_dropped_chain_is_rebuilt() -> None:
    def chain() -> Node:
        node = sb.tensor("x")
        for _ in range(1000):
            node = sb.cos(node) * node + 1
        return node

    text = dumps(chain())
    assert loads(text) is chain() or dumps(chain()) == text


def test_copies_are_the_node_itself() -> None:
    loss = network()["loss"]
    assert copy.copy(loss) is loss
    assert copy.deepcopy([loss])[0] is loss
