"""Random graphs: the oracle against NumPy, derivatives against 60 digits, emitted code against the oracle."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from hypothesis import given, settings

import symback as sb
from random_graphs import SIZES, Program, programs, seeded_programs
from symback.check.arithmetic import HighPrecision
from symback.check.binding import bound_shape
from symback.check.evaluate import evaluate
from symback.derive.forward import jvp
from symback.derive.reverse import grad, hessian, jacobian, vjp
from symback.graph import toposort
from symback.nodes.contract import Contract, contract
from symback.nodes.leaves import constant
from symback.nodes.node import Node
from symback.ops.products.multiplying import vdot

HIGH = HighPrecision(60)
STEP = HIGH.context.mpf(10) ** -20
EXACT = 1e-40
BY_DIFFERENCES = 1e-20

Point = dict[Node, Any]


def float_error(found: Any, wanted: Any) -> float:
    """Return the largest error in parts of the largest value wanted, at least 1."""
    difference = np.abs(np.asarray(found - wanted, dtype=float))
    return float(np.max(difference, initial=0) / max(1.0, float(np.max(np.abs(np.asarray(wanted, float)), initial=0))))


def random_like(nodes: Sequence[Node], seed: int) -> list[Node]:
    """Return a constant of the shape of each node."""
    rng = np.random.default_rng(seed)
    shapes = [bound_shape("test", node.shape, SIZES) for node in nodes]
    return [
        constant(rng.uniform(0.5, 1.5, shape).astype(node.dtype)) for node, shape in zip(nodes, shapes, strict=True)
    ]


def with_sizes(nodes: Sequence[Node]) -> list[Node]:
    """Put integers for the symbolic sizes, so that constants fit."""
    return [node.subs({symbol.name: length for symbol, length in SIZES.items()}) for node in nodes]


def weighted(nodes: Sequence[Node], seed: int) -> Node:
    """Return the entries of all nodes with random weights, summed."""
    total, *rest = [vdot(node, weight) for node, weight in zip(nodes, random_like(nodes, seed), strict=True)]
    for term in rest:
        total = total + term
    return total


def slope_error(loss: Node, wrt: Sequence[Node], gradients: Sequence[Node], point: Point) -> float:
    """Compare gradients, along a random direction, with differences in high precision."""
    rng = np.random.default_rng(7)
    direction = {x: HIGH.array(rng.uniform(-1, 1, point[x].shape), x.dtype) for x in wrt}
    here = {x: HIGH.array(value, x.dtype) for x, value in point.items()}
    ahead, behind = (
        evaluate(loss, {x: value + sign * STEP * direction.get(x, 0) for x, value in here.items()}, HIGH).item()
        for sign in (1, -1)
    )
    terms = [g * direction[x] for g, x in zip(evaluate(gradients, point, HIGH), wrt, strict=True)]
    scale = max([1, *[abs(value) for term in terms for value in np.ravel(term)]])
    return float(abs(sum(np.sum(term) for term in terms) - (ahead - behind) / (2 * STEP)) / scale)


@cache
def derivatives(program: Program) -> tuple[Node, list[Node], Node, list[Node]]:
    """Return the loss, its gradient, a weighted sum of that gradient, and the gradient of this sum."""
    (loss,) = with_sizes([program.loss()])
    wrt = with_sizes(program.variables)
    first = grad(loss, wrt, disconnected="zero")
    total = weighted(first, 1)
    return loss, first, total, grad(total, wrt, disconnected="zero")


def point_of(program: Program) -> Point:
    """Return the program's point, for the variables with integer sizes."""
    return dict(zip(with_sizes(program.variables), program.point().values(), strict=True))


# -- values -----------------------------------------------------------------------------------------


@given(program=programs())
@settings(max_examples=150)
def test_the_oracle_gives_what_numpy_gives(program: Program) -> None:
    nodes, point = program.nodes(), program.point()
    for node, found, wanted in zip(nodes, evaluate(nodes, point), program.arrays(point), strict=True):
        assert found.shape == np.shape(wanted), node
        assert found.dtype == np.asarray(wanted).dtype, node
        assert float_error(found, wanted) < (1e-4 if program.single else 1e-11), node


def test_seeded_programs_are_the_same_each_time() -> None:
    assert [repr(p) for p in seeded_programs(5, seed=3)] == [repr(p) for p in seeded_programs(5, seed=3)]


# -- derivatives --------------------------------------------------------------------------------------


@given(program=programs())
@settings(max_examples=100)
def test_derivatives_to_second_order(program: Program) -> None:
    loss, first, total, second = derivatives(program)
    point = point_of(program)
    assert slope_error(loss, list(point), first, point) < BY_DIFFERENCES
    assert slope_error(total, list(point), second, point) < BY_DIFFERENCES


@given(program=programs())
@settings(max_examples=60)
def test_gradients_of_symbolic_sizes_are_those_of_integer_sizes(program: Program) -> None:
    symbolic = grad(program.loss(), program.variables, disconnected="zero")
    _, concrete, _, _ = derivatives(program)
    values = evaluate(symbolic, program.point(), HIGH), evaluate(concrete, point_of(program), HIGH)
    for x, found, wanted in zip(program.variables, *values, strict=True):
        assert found.shape == bound_shape("test", x.shape, SIZES)
        assert float_error(found, wanted) < EXACT


@given(program=programs())
@settings(max_examples=60)
def test_gradients_have_the_type_of_their_variables_and_the_digits_of_floats(program: Program) -> None:
    _, first, _, _ = derivatives(program)
    point = point_of(program)
    for x, found, wanted in zip(point, evaluate(first, point), evaluate(first, point, HIGH), strict=True):
        assert (found.shape, found.dtype) == (point[x].shape, x.dtype)
        assert float_error(found, wanted) < (1e-3 if program.single else 1e-10)


@given(program=programs())
@settings(max_examples=60)
def test_tangents_and_cotangents_agree(program: Program) -> None:
    point = point_of(program)
    wrt, output = list(point), float_output(program)
    (cotangent,), tangents = random_like([output], 2), random_like(wrt, 3)
    (pushed,) = jvp([output], wrt, tangents, disconnected="zero")
    pulled = vjp([output], wrt, [cotangent], disconnected="zero")
    left = evaluate(vdot(cotangent, pushed), point, HIGH)
    right = sum(evaluate([vdot(g, v) for g, v in zip(pulled, tangents, strict=True)], point, HIGH))
    assert float_error(left, right) < EXACT


def float_output(program: Program) -> Node:
    """Return the last value that is no integer."""
    return with_sizes([[node for node in program.nodes() if node.dtype.kind == "f"][-1]])[0]


@given(program=programs(most_steps=5))
@settings(max_examples=60)
def test_jacobians_are_stacked_rows(program: Program) -> None:
    point = point_of(program)
    wrt, output = list(point), float_output(program)
    found = evaluate(jacobian(output, wrt, disconnected="zero"), point, HIGH)
    shape = evaluate(output, point).shape
    entries = list(np.ndindex(shape))[:8]
    for entry in entries:
        unit = np.zeros(shape, output.dtype)
        unit[entry] = 1
        rows = vjp([output], wrt, [constant(unit)], disconnected="zero")
        for x, whole, row in zip(wrt, found, evaluate(rows, point, HIGH), strict=True):
            assert whole.shape == shape + point[x].shape
            assert float_error(whole[entry], row) < EXACT


@given(program=programs(most_steps=5))
@settings(max_examples=40)
def test_hessians_are_symmetric_and_agree_with_products(program: Program) -> None:
    loss, _, _, second = derivatives(program)
    point = point_of(program)
    wrt = list(point)
    blocks = hessian(loss, wrt, disconnected="zero")
    values = [evaluate(row, point, HIGH) for row in blocks]
    weights = [evaluate(w, {}, HIGH) for w in random_like(wrt, 1)]
    for i, x in enumerate(wrt):
        products = [np.tensordot(weights[j], values[j][i], point[y].ndim) for j, y in enumerate(wrt)]
        (found,) = evaluate([second[i]], point, HIGH)
        assert float_error(sum(products), found) < EXACT
        for j, y in enumerate(wrt):
            rows = int(np.prod(point[x].shape)), int(np.prod(point[y].shape))
            assert float_error(values[i][j].reshape(rows), values[j][i].reshape(rows[::-1]).T) < EXACT


@given(program=programs())
@settings(max_examples=60)
def test_every_node_follows_the_law_of_sympy(program: Program) -> None:
    _, first, _, second = derivatives(program)
    for node in toposort([*program.nodes(), *first, *second]):
        assert node.func(*node.args) is node
        if isinstance(node, Contract):
            assert contract(list(zip(node.operands, node.subscripts.inputs, strict=True)), node.subscripts.out) is node


# -- emitted code -------------------------------------------------------------------------------------


@given(program=programs())
@settings(max_examples=100)
def test_emitted_code_gives_what_the_oracle_gives(program: Program) -> None:
    loss, wrt = program.loss(), list(program.variables)
    outputs = [loss, *grad(loss, wrt, disconnected="zero"), *program.nodes()]
    assert_emitted(program, wrt, outputs, program.point())


@given(program=programs())
@settings(max_examples=60)
def test_emitted_second_derivatives_give_what_the_oracle_gives(program: Program) -> None:
    _, first, _, second = derivatives(program)
    assert_emitted(program, with_sizes(program.variables), [*first, *second], point_of(program))


@given(program=programs(most_steps=4))
@settings(max_examples=40)
def test_emitted_hessians_give_what_the_oracle_gives(program: Program) -> None:
    loss, wrt = program.loss(), list(program.variables)
    blocks = [block for row in hessian(loss, wrt, disconnected="zero") for block in row]
    assert_emitted(program, wrt, blocks, program.point())


def assert_emitted(program: Program, inputs: list[Any], outputs: list[Node], point: Point) -> None:
    """Compare emitted code with the oracle, in shape, dtype and value."""
    function = sb.lambdify(inputs, outputs)
    try:
        found, failure = function(*[point[x] for x in inputs]), None
    except Exception as error:
        failure = f"{type(error).__name__}: {error}"
    assert failure is None, (failure, function.source)
    for node, value, wanted in zip(outputs, found, evaluate(outputs, point), strict=True):
        assert np.shape(value) == wanted.shape, function.source
        assert np.asarray(value).dtype == wanted.dtype, function.source
        assert float_error(value, wanted) < (1e-3 if program.single else 1e-11), (node, function.source)
