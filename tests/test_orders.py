"""Jacobians in every order are one and the same, and Hessians by congruence are the second derivatives."""

from collections.abc import Callable
from itertools import chain
from typing import Any

import numpy as np
import pytest

import symback as sb
from random_graphs import seeded_programs
from symback.check.cases import cases_of
from symback.check.evaluate import evaluate
from symback.derive import higher, orders, reverse
from symback.derive.affine import affine_cuts
from symback.derive.paths import between, cuts
from symback.graph import toposort
from symback.nodes.dtypes import is_float
from symback.nodes.node import Node
from symback.op.table import PRIMITIVES

W, A, x, t = sb.tensor("W", (5, 4)), sb.tensor("A", (3, 5)), sb.tensor("x", (4,)), sb.tensor("t", (3,))
WITH_DERIVATIVE = [name for name, declared in PRIMITIVES.items() if declared.derivative or declared.vjp]


def agree(found: Node, wanted: Node, point: dict, tolerance: float = 1e-11) -> None:
    with np.errstate(all="ignore"):
        one, other = evaluate([found, wanted], point)
    assert found.shape == wanted.shape
    assert found.dtype == wanted.dtype
    size = max(1.0, float(np.max(np.abs(other[np.isfinite(other)]), initial=0)))
    np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance * size)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", WITH_DERIVATIVE)
def test_forward_mode_takes_leading_axes_for_every_primitive(name: str, dtype: str) -> None:
    for case in cases_of(PRIMITIVES[name], dtype, seed=0):
        if not is_float(case.node.dtype):
            continue
        for variable in case.wrt:
            found = higher.pushed_forward(case.node, variable)
            (wanted,) = reverse.jacobian(case.node, [variable], disconnected="zero")
            agree(found, wanted, case.point, {"float64": 1e-11, "float32": 2e-4}[dtype])


@pytest.mark.parametrize("order", ["auto", "forward", "mixed", "reverse"])
def test_every_order_gives_the_jacobian_of_a_random_graph(order: str) -> None:
    for program in seeded_programs(40, seed=3):
        output = program.nodes()[-1]
        if program.single or not is_float(output.dtype):
            continue
        found = higher.in_order(output, program.variables, order=order)
        wanted = reverse.jacobian(output, program.variables, disconnected="zero")
        for one, other in zip(found, wanted, strict=True):
            agree(one, other, program.point())


def test_hessians_are_the_second_derivatives_of_random_graphs() -> None:
    for program in seeded_programs(100, seed=5):
        if program.single:
            continue
        loss, wrt = program.loss(), program.variables
        found, wanted = higher.hessian(loss, wrt, disconnected="zero"), reverse.hessian(loss, wrt, disconnected="zero")
        for one, other in zip(chain(*found), chain(*wanted), strict=True):
            agree(one, other, program.point())


def hidden(layers: int) -> tuple[Node, list[Node]]:
    """Return the last of some ReLU layers of width 6, and their weights."""
    weights = [sb.tensor(f"W{k}", (6, 4 if k == 0 else 6)) for k in range(layers)]
    a: Node = x
    for weight in weights:
        a = sb.relu(weight @ a)
    return a, weights


def test_all_paths_meet_at_cuts() -> None:
    z = W @ x
    a = sb.tanh(z)
    y = sb.sum(A @ a + A @ (a * a))
    assert cuts(between(y, [x]), [x])[:3] == [x, z, a]
    assert y in cuts(between(y, [x]), [x])
    assert A @ a not in cuts(between(y, [x]), [x])
    assert between(y, [t]) == cuts([], [t]) == []


def test_affine_cuts_end_where_a_derivative_moves() -> None:
    z = W @ x
    r = sb.relu(z) / sb.sum(t)
    assert affine_cuts(between(sb.sum(sb.exp(r)), [x]), [x]) == [x, z, sb.relu(z), r]
    assert affine_cuts(between(sb.sum(z * z), [x]), [x]) == [x, z]
    absolute = sb.sum(sb.sort(sb.abs(z)))
    assert affine_cuts(between(absolute, [x]), [x])[-1] is absolute
    assert affine_cuts(between(sb.logsumexp(z), [x]), [x]) == [x, z]


@pytest.mark.parametrize(
    ("output", "variable", "name", "start"),
    [
        (W @ x, x, "reverse", W @ x),
        (sb.outer(sb.tanh(A @ (W @ x)), x[:3]), x, "forward", x),
        (sb.outer(sb.tanh(A @ (W @ x)), t), W, "mixed", A @ (W @ x)),
        (sb.sum(sb.tanh(W @ x)), W, "reverse", sb.sum(sb.tanh(W @ x))),
        (sb.outer(sb.sum(sb.sin(W)) * t, t), W, "mixed", sb.sum(sb.sin(W))),
    ],
)
def test_the_order_begins_at_the_fewest_entries(output: Node, variable: Node, name: str, start: Node) -> None:
    chosen = orders.order_of(output, variable)
    assert chosen.name == name
    assert orders.entries(chosen.start) == orders.entries(start)


def test_hints_of_sizes_decide_the_order() -> None:
    M, v = sb.tensor("M", ("m", "n")), sb.tensor("v", ("n",))
    assert orders.order_of(sb.tanh(M @ v), v).name == "reverse"
    assert orders.order_of(sb.tanh(M @ v), v, hints={"m": 1000, "n": 10}).name == "forward"
    assert orders.order_of(sb.tanh(M @ v), v, hints={"m": 10, "n": 1000}).name == "reverse"


def test_blocks_below_the_diagonal_are_those_above_transposed() -> None:
    loss = sb.sum(sb.tanh(A @ sb.tanh(W @ x)) * t)
    (ww, wa), (aw, aa) = higher.hessian(loss, [W, A])
    assert wa is aw.transpose(2, 3, 0, 1)
    assert ww.shape == W.shape * 2
    assert aa.shape == A.shape * 2


def test_what_is_affine_has_no_second_derivative() -> None:
    ((found,),) = higher.hessian(sb.sum(sb.abs(W @ x)), [x])
    assert found is sb.zeros((4, 4))


def test_a_chain_of_linear_pieces_is_passed_once_for_a_hessian() -> None:
    a, weights = hidden(10)
    loss = sb.logsumexp(a)
    ((found,),) = higher.hessian(loss, weights[:1])
    ((plain,),) = reverse.hessian(loss, weights[:1])
    _, _, body = sb.lambdify([x, *weights], found).source.rpartition('"""')
    assert body.count(" @ ") <= 10 + 9 + 1  # forward, the Jacobian of the last layer, the congruence
    widest = max(len(node.shape) for node in toposort([found]))
    assert widest == 4
    assert sum(len(node.shape) > 2 for node in toposort([found])) == 1
    rng = np.random.default_rng(1)
    point = {v: rng.normal(size=v.shape) for v in [x, *weights]}
    agree(found, plain, point)
    dense = evaluate([found], point)[0]
    np.testing.assert_allclose(dense, dense.transpose(2, 3, 0, 1), rtol=1e-12, atol=1e-15)


def test_variables_that_reach_the_loss_through_one_node_share_its_second_derivative() -> None:
    b = sb.tensor("b", (5,))
    z = sb.let("z", W @ x + b)
    loss = sb.logsumexp(A @ sb.tanh(z))
    (ww, wb), (bw, bb) = higher.hessian(loss, [W, b])
    assert bw is wb.transpose(2, 0, 1)
    assert affine_cuts(between(z, [W, b]), [W, b]) == [z.operands[0], z]
    text = sb.lambdify([x, W, b, A], [ww, wb, bb]).source
    assert text.count("np.tanh(z)") == 1
    assert text[text.rindex('"""') :].count(" @ ") == 4
    point = {v: np.random.default_rng(2).normal(size=v.shape) for v in (x, W, b, A)}
    for one, other in zip(chain([ww, wb], [bw, bb]), chain(*reverse.hessian(loss, [W, b])), strict=True):
        agree(one, other, point)


def test_what_is_affine_in_each_variable_but_not_in_both_has_mixed_derivatives() -> None:
    u, v = sb.tensor("u", (3,)), sb.tensor("v", (3,))
    loss = sb.sum(sb.exp(sb.sum(u * v) * t))
    found, wanted = higher.hessian(loss, [u, v]), reverse.hessian(loss, [u, v])
    point = {node: np.linspace(0.1, 0.7, 3) for node in (u, v, t)}
    for one, other in zip(chain(*found), chain(*wanted), strict=True):
        agree(one, other, point)


def test_a_variable_that_depends_on_another_one_is_differentiated_by_as_it_is() -> None:
    u = sb.tensor("u", (3,))
    e = sb.exp(u)
    loss = sb.sum(e**2)
    found, wanted = higher.hessian(loss, [u, e]), reverse.hessian(loss, [u, e])
    for one, other in zip(chain(*found), chain(*wanted), strict=True):
        agree(one, other, {u: np.linspace(0.1, 0.7, 3)})


def test_the_order_of_a_jacobian_can_be_asked_for() -> None:
    y = sb.tanh(A @ (W @ x))
    M, v = sb.tensor("M", ("m", "n")), sb.tensor("v", ("n",))
    assert str(sb.jacobian_order(y, x)) == f"reverse, from {y.short()} (3,)"
    assert sb.jacobian_order(sb.outer(y, t), {"W": W})["W"].name == "mixed"
    assert sb.jacobian_order(sb.tanh(M @ v), v, sizes={"m": 1000, "n": 10}).name == "forward"
    with pytest.raises(sb.errors.InputError, match="k"):
        sb.jacobian_order(sb.tanh(M @ v), v, sizes={"k": 3})
    with pytest.raises(sb.errors.DerivativeError, match=r"jacobian_order: .* does not depend on t"):
        sb.jacobian_order(y, t)
    with pytest.raises(sb.errors.SymbackError, match="jacobian_order"):
        sb.jacobian_order([y], x)


TWICE = {"a multiple": lambda v: 2 * v, "a view": lambda v: v[:, None] * np.ones((1, 2)), "a sum": lambda v: v + v}


@pytest.mark.parametrize("of", TWICE.values(), ids=TWICE)
def test_second_derivatives_by_what_dissolves_in_products(of: Callable[[Any], Any]) -> None:
    u = sb.tensor("u", (3,))
    v = of(u)
    loss, tangent = sb.sum(v**3), sb.ones(v.shape)
    wanted = 6 * v
    rows = sb.sum(sb.hessian(loss, v), axis=tuple(range(v.ndim)))
    for found in sb.hvp(loss, v, tangent), sb.vhp(loss, v, tangent), rows:
        agree(found, wanted, {u: np.linspace(0.1, 0.7, 3)})


def test_a_narrow_node_that_dissolves_in_the_gradient_is_still_differentiated_by() -> None:
    M = sb.tensor("M", (2, 5))
    v = sb.sum(M + M, axis=0)
    loss = sb.sum(v**3) + v[0] ** 3
    point = {M: np.linspace(-1, 1, 10).reshape(2, 5)}
    ((found,),) = higher.hessian(loss, [M])
    ((wanted,),) = reverse.hessian(loss, [M])
    agree(found, wanted, point)


def test_equal_terms_on_one_diagonal_are_all_counted() -> None:
    u = sb.tensor("u", ("n",))
    second = sb.hessian(sb.sum((u * u * u) ** 3) + sb.sum(u) ** 2, u)
    np.testing.assert_allclose(sb.lambdify([u], second)(np.array([2.0])), [[72 * 2.0**7 + 2]], rtol=1e-14)


@pytest.mark.parametrize("options", [{}, {"style": "fast"}, {"structure": "compressed"}], ids=str)
def test_emitted_hessians_of_random_graphs_are_those_of_the_graphs_as_written(options: dict[str, str]) -> None:
    for program in seeded_programs(20, seed=17):
        if program.single:
            continue
        inputs, point = list(program.variables), program.point()
        blocks = list(chain(*sb.hessian(program.loss(), inputs, disconnected="zero")))
        written = list(chain(*reverse.hessian(program.loss(), inputs, disconnected="zero")))
        function = sb.lambdify(inputs, blocks, **options)
        for found, wanted in zip(function(*[point[x] for x in inputs]), evaluate(written, point), strict=True):
            dense = found.todense() if isinstance(found, sb.StructuredTensor) else found
            np.testing.assert_allclose(dense, wanted, rtol=1e-9, atol=1e-9 * max(1, np.max(np.abs(wanted), initial=0)))
