"""What may be given to derivations and pictures, and what is said of the rest."""

import numpy as np
import pytest

import symback as sb
from symback import errors


def network():
    x, W = sb.tensor("x", ("n",)), sb.tensor("W", ("m", "n"))
    z = sb.let("z", W @ x)
    a = sb.let("a", sb.sigmoid(z))
    return sb.let("L", sb.sum(a**2)), W, z, a


LOSS, WEIGHTS, Z, A = network()


@pytest.mark.parametrize("option", ["notation", "layout", "hadamard", "order", "adjoint"])
@pytest.mark.parametrize("given", [np.array([1, 2]), [], {1}], ids=str)
def test_an_option_of_another_type_is_not_known(option, given):
    with pytest.raises(errors.InputError, match=rf"derive: {option}=.* is not known; use"):
        sb.derive(LOSS, WEIGHTS, **{option: given})


@pytest.mark.parametrize(
    ("loss", "wrt", "kind", "match"),
    [([LOSS], WEIGHTS, errors.UsageError, "derive: what is differentiated is one node, not a list"),
     (Z, WEIGHTS, errors.DerivativeError, "derive: the loss z .* is not a scalar"),
     (LOSS, sb.tensor("q"), errors.DerivativeError, "derive: L does not depend on q .*; check the graph, or leave it"),
     (LOSS, 3.0, errors.DtypeError, "derive: cannot differentiate with respect to 3")],
)  # fmt: skip
def test_messages_name_the_operation(loss, wrt, kind, match):
    with pytest.raises(kind, match=match):
        sb.derive(loss, wrt)
    with pytest.raises(kind, match=match.replace("derive:", "draw:")):
        sb.draw(loss, wrt)


@pytest.mark.parametrize(
    ("adjoint", "match"),
    [({"z": r"\omega", "a": r"\omega"}, r"the derivative by a and the derivative by z both look like \\omega in print"),
     ({"z": "W"}, "W and the derivative by z both look like W in print; give another letter"),
     ({Z: "L"}, "L and the derivative by z both look like L in print"),
     ({"z": "1"}, "gives z the letter '1'; give LaTeX that begins with a letter"),
     ({"z": "_2"}, "gives z the letter '_2'"),
     ({"z": 3}, "gives z the letter 3")],
    ids=str,
)  # fmt: skip
def test_letters_that_mislead_are_refused(adjoint, match):
    with pytest.raises(errors.InvalidNameError, match=f"derive: .*{match}"):
        sb.derive(LOSS, WEIGHTS, adjoint=adjoint)


@pytest.mark.parametrize("style", ["bar", "delta"])
def test_a_name_that_looks_like_an_adjoint_is_refused(style):
    look = {"bar": r"\bar{z}", "delta": r"\delta_{z}"}[style]
    loss = sb.let("L", sb.sum(A * sb.tensor("t", ("m",), latex=look)))
    with pytest.raises(errors.InvalidNameError, match="t and the derivative by z both look like"):
        sb.derive(loss, WEIGHTS, adjoint=style)


@pytest.mark.parametrize("key", ["nope", 3, None, sb.tensor("q")], ids=str)
def test_a_letter_for_what_is_not_there_is_refused(key):
    with pytest.raises(errors.InputError, match="is no name in this graph, nor the stem of one; it has L, W, a, x, z"):
        sb.derive(LOSS, WEIGHTS, adjoint={key: r"\omega"})
    assert sb.derive(LOSS, WEIGHTS, adjoint={key: None}).steps


def test_a_letter_given_by_a_node_holds_where_the_pass_puts_another_in_its_place():
    u = sb.let("u", sb.log(sb.sigmoid(Z)))
    derivation = sb.derive(sb.let("L", sb.sum(u**2)), WEIGHTS, adjoint={u: r"\omega"})
    assert "ω = ∂L/∂u = " in derivation.text()


@pytest.mark.parametrize("seed", [-1, 2.0, "3", None, True])
def test_a_seed_is_an_integer(seed):
    with pytest.raises(errors.InputError, match=r"verify: seed=.* must be an integer that is not negative"):
        sb.derive(LOSS, WEIGHTS).verify(seed=seed)


def test_integers_of_numpy_are_integers():
    report = sb.derive(LOSS, WEIGHTS).verify(digits=np.int64(20), seed=np.int32(1), points=np.int64(1))
    assert report.passed


def test_rows_of_different_lengths_are_no_value():
    with pytest.raises(errors.ShapeError, match=r"verify: x \(n,\) got a value that is no array: its rows"):
        sb.derive(LOSS, WEIGHTS).verify(at={"x": [[1.0, 2.0], [3.0]]})


@pytest.mark.parametrize("given", [None, 3, "yes", np.array([1, 2])], ids=str)
def test_verified_is_a_truth_value_or_a_verification(given):
    with pytest.raises(errors.UsageError, match=r"verified=.* is not known; give True, or what"):
        sb.derive(LOSS, WEIGHTS).latex(verified=given)


def test_verifications_are_compared_as_objects():
    derivation = sb.derive(LOSS, WEIGHTS)
    report = derivation.verify()
    assert report == report
    assert report != derivation.verify()


@pytest.mark.parametrize("path", [None, 3, b"page.html"], ids=str)
def test_a_path_is_a_string_or_a_path(path):
    for made in (sb.derive(LOSS, WEIGHTS), sb.draw(LOSS)):
        with pytest.raises(errors.InputError, match=r"save: .* is no path; give a string or a pathlib"):
            made.save(path)


def test_derivations_are_compared_as_objects_and_can_be_keys():
    derivation = sb.derive(LOSS, WEIGHTS)
    assert {derivation: 1}[derivation] == 1
    assert derivation != sb.derive(LOSS, WEIGHTS)


def test_an_index_is_no_letter_of_an_adjoint():
    text = sb.derive(LOSS, WEIGHTS, adjoint={"z": "i", "a": "j"}, notation="index").text()
    assert "iₖ = " in text
    assert "iᵢ" not in text


def test_a_function_far_from_every_name_is_not_spelled_out_at_length():
    """To write all of it for each step would take minutes; only what one formula can hold is written."""
    value = x = sb.tensor("x", ("n",))
    for _ in range(300):
        value = sb.sin(value) + x
    steps = sb.derive(sb.let("L", sb.sum(value)), [x]).steps
    assert max(len(str(local.equation)) for step in steps for local in step.local) < 1000
