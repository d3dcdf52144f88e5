"""Derivations of graphs that a textbook has not: each line holds, and a name stands for one thing."""

import mpmath
import numpy as np
import pytest

import symback as sb
from symback.derivation.proof.differences import Differences
from symback.derivation.proof.verify import FAILED, UNCHECKED
from symback.graph import toposort
from symback.nodes.apply import Named

DIGITS = 15


def held(loss, wrt, **options):
    """Derive, and hold every line against numbers."""
    derivation = sb.derive(loss, wrt, **options)
    report = derivation.verify(digits=DIGITS)
    report.raise_if_failed()
    assert not report.count[UNCHECKED]
    return derivation


NOTATIONS = ("matrix", "index")

# -- what is differentiated by ----------------------------------------------------------------------------


@pytest.mark.parametrize("notation", NOTATIONS)
def test_an_expression_is_differentiated_by_under_its_name(notation):
    s, b = sb.tensor("s"), sb.tensor("b", ("n",))
    inside = sb.exp(s)
    loss = sb.let("w", inside) * sb.sum(b)
    derivation = held(loss, [b, inside], notation=notation)
    assert [node.short() for node in derivation.wrt] == ["b", "w"]
    assert r"\partial \mathcal{L}}{\partial }" not in derivation.latex()


@pytest.mark.parametrize("notation", NOTATIONS)
def test_an_expression_with_two_names_is_differentiated_by_where_it_has_either(notation):
    x = sb.tensor("x", ("n",))
    inside = sb.sin(x)
    loss = sb.sum(sb.let("a", inside) ** 2 * sb.let("b", inside))
    derivation = held(loss, [inside, x], notation=notation)
    point = {"x": np.array([0.3, 0.7])}
    (found, _) = (np.asarray(sb.lambdify([x], g)(point["x"])) for g in derivation.gradients)
    assert np.allclose(found, 3 * np.sin(point["x"]) ** 2)


@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize("named", [True, False])
def test_the_loss_and_what_it_is_made_of_are_differentiated_by(notation, named):
    x = sb.tensor("x", ("n",))
    inside = sb.sum(x**3)
    loss = sb.let("L", inside) if named else inside
    held(loss, [loss, inside, x], notation=notation)


def test_what_is_rewritten_is_rewritten_in_what_is_differentiated_by_too():
    x = sb.tensor("x", ("n",))
    w = sb.let("w", sb.log(1 + x**2))
    stacked = sb.let("s", sb.stack([w * x, 2 * w]))
    derivation = held(sb.let("L", sb.sum(stacked**2) + sb.sum(sb.exp(w))), [x, stacked])
    named = {node for node in toposort([derivation.record.loss]) if isinstance(node, Named) and node.name == "w"}
    assert len(named) == 1


# -- derivatives of derivatives ---------------------------------------------------------------------------


@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize("adjoint", ["leibniz", "bar", "delta"])
def test_the_derivatives_of_another_pass_are_quantities_like_others(notation, adjoint):
    x = sb.tensor("x", ("n",))
    z = sb.let("z1", sb.sin(x))
    gradient = sb.grad(sb.let("L", sb.sum(z**3)), x)
    derivation = held(sb.let("P", sb.sum(gradient**2)), [x, gradient], notation=notation, adjoint=adjoint)
    names = [step.quantity.short() for step in derivation.steps]
    assert {"g_x", "g_z1", "z1", "x"} == {*names}
    assert r"g_{z_{1}}" in derivation.latex()


def test_the_derivatives_of_two_other_passes_have_names_of_their_own():
    x, g = sb.tensor("x", ("n",)), sb.tensor("g_x", ("n",))
    one, other = sb.grad(sb.sum(sb.sin(x)), x), sb.grad(sb.sum(x**3), x)
    derivation = held(sb.sum(one * other * g), [x])
    assert {"g_x_2", "g_x_3"} == {node.name for node in toposort([derivation.record.loss]) if isinstance(node, Named)}


# -- names that hide what moves ----------------------------------------------------------------------------


def test_a_name_is_not_held_in_the_derivative_of_what_it_is_part_of():
    B = sb.tensor("B", ("m", "n"))
    loss = sb.let("L", sb.sum(sb.let("q", sb.let("r", (B @ B.T).T))))
    text = held(loss, B, notation="index").text()
    assert "∂/∂Bᵢⱼ rₗₖ" not in text


def test_a_quantity_without_a_name_is_not_printed_for_what_moves_with_it():
    x = sb.tensor("x", ("n",))
    largest = sb.exp(sb.sin(x))
    held(sb.cumprod(largest) @ largest + sb.sum(largest**2) + sb.sum(x), x, notation="index")


@pytest.mark.parametrize("notation", NOTATIONS)
def test_every_symbol_that_is_printed_is_a_name(notation):
    A = sb.tensor("A", ("n", "n"))
    loss = sb.let("L", sb.sum(sb.sin(sb.softmax(sb.sort(A), axis=0))))
    assert "slope" not in held(loss, A, notation=notation).latex()


# -- second derivatives --------------------------------------------------------------------------------------


def test_blocks_of_zeros_have_a_row_and_a_column_for_each_entry():
    e, B, s, U = sb.tensor("e", (3,)), sb.tensor("B", ("m", "n")), sb.tensor("s"), sb.tensor("U", (1, "n"))
    loss = sb.let("L", sb.sum(sb.exp(e)) + sb.sum(B**3) + s**2 + sb.sum(U))
    derivation = held(loss, [e, B, s, U], order=2)
    assert r"= \mathbf{0}" in derivation.latex().replace("&", "")


def test_what_is_held_is_held_in_second_derivatives():
    e = sb.tensor("e", (3,))
    held(sb.let("L", sb.sum(sb.let("h", sb.stop_gradient(e) * e))), e, order=2)


# -- verification ----------------------------------------------------------------------------------------------


def test_what_is_held_is_held_in_formulas_of_matrices_with_indices():
    C = sb.tensor("C", ("n", 1))
    held(sb.mean(sb.linalg.inv(sb.stop_gradient(C) * C + 4 * sb.eye("n"))), C, notation="index")


def test_truth_values_are_added_up():
    u, mask = sb.tensor("u"), sb.tensor("mask", ("n",), dtype="bool")
    held(sb.sum(u * sb.stop_gradient(mask)), u, notation="index")


def test_an_entry_that_is_zero_but_for_rounding_is_moved_as_far_as_others():
    u = sb.tensor("u", ("n",))
    t = u[:, None] * sb.linalg.eigvalsh(u[:, None] + u)
    report = sb.derive(sb.sum(t) + sb.sum(sb.exp(t)), u).verify({"u": np.array([0.1, -0.1, 0.6])}, digits=DIGITS)
    assert not report.count[FAILED]


def test_a_tie_at_every_point_is_said_after_a_few():
    x = sb.tensor("x", ("n",))
    report = sb.derive(sb.let("L", sb.max(sb.let("c", sb.concatenate([x, x])))), x).verify()
    assert report.count[UNCHECKED]
    assert not report.count[FAILED]


# -- remarks ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("layout", "wanted"), [("column", "p - y$."), ("row", r"\left(p - y\right)^{\top}$.")])
def test_a_remark_is_in_the_layout_of_the_line_that_it_is_on(layout, wanted):
    z, y = sb.tensor("z", ("n",)), sb.tensor("y", ("n",))
    p = sb.let("p", sb.softmax(z))
    (step,) = [step for step in sb.derive(sb.let("L", -sb.sum(y * sb.log(p))), z, layout=layout).steps if step.remark]
    assert step.remark.endswith(wanted)


def test_what_is_zero_but_for_rounding_is_moved_by_a_step_that_counts():
    context = mpmath.MPContext()
    context.dps = 120
    tiny, small, one = context.mpf(10) ** -118, context.mpf(10) ** -60, context.mpf(1)
    step = Differences(context, 30).step
    assert [*step(np.array([tiny, tiny]))] == [*step(np.array([one, one]))]
    assert step(np.array([small]))[0] == small * step(np.array([one]))[0]
    assert step(np.array([tiny, small]))[0] == step(np.array([small]))[0]
