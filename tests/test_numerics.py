"""docs/numerics.md is what comes out: every naive spelling is measured, value and two derivatives."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import symback as sb
from golden import check_golden
from numerics_page import EPS, both, errors, page
from numerics_rows import ARRAYS, SCALAR, Row

DOCS = Path(__file__).parents[1] / "docs"


def test_the_page_is_not_stale() -> None:
    """With --update-golden the page is written anew."""
    check_golden("numerics.md", page(), folder=DOCS)


@pytest.mark.parametrize("row", [*SCALAR, *ARRAYS], ids=lambda row: row.text)
def test_errors_are_within_what_the_page_states(row: Row) -> None:
    for order, ((error, point, found, exact), bound) in enumerate(zip(errors(row), row.bounds, strict=True)):
        assert error <= bound, f"derivative {order} at {point} is {found}, not {float(exact)}"


@pytest.mark.parametrize("row", [row for row in SCALAR if row.tails == "relative"], ids=lambda row: row.text)
def test_without_the_option_tails_are_right_to_the_last_place_of_one(row: Row) -> None:
    for error, point, found, exact in errors(replace(row, tails="absolute"), least=EPS):
        assert error <= 1, f"at {point} it is {found}, not {float(exact)}"


@pytest.mark.parametrize("row", [row for row in (*SCALAR, *ARRAYS) if "let(" not in row.text], ids=lambda row: row.text)
def test_a_spelling_becomes_what_the_page_says(row: Row) -> None:
    found, wanted = both(row)
    assert found == wanted


def test_a_root_of_squares_at_zero_has_the_derivatives_of_a_norm() -> None:
    z = sb.tensor("z", (3,))
    naive = sb.sqrt(sb.sum(z**2))
    value, slope = sb.lambdify([z], [naive, sb.grad(naive, z)])(np.zeros(3))
    assert value == 0
    assert not slope.any()


def test_a_literal_zero_annihilates_and_a_zero_in_data_does_not() -> None:
    x, y = sb.tensor("x", ()), sb.tensor("y", ())
    literal = sb.lambdify([x], [0 * sb.log(x), sb.grad(0 * sb.log(x) + x, x)])(0.0)
    assert list(literal) == [0, 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        assert np.isnan(sb.lambdify([x, y], y * sb.log(x))(0.0, 0.0))


def test_tails_keep_their_digits_only_where_that_is_asked_for() -> None:
    x = sb.tensor("x", ())
    slope = sb.grad(sb.sigmoid(x), x)
    assert sb.lambdify([x], slope)(40.0) == 0
    assert sb.lambdify([x], slope, tails="relative")(40.0) == pytest.approx(np.exp(-40), rel=1e-15)


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_what_shares_exponentials_has_the_values_of_what_stands_alone(value: float) -> None:
    z = sb.tensor("z", (2, 3))
    outputs = [sb.logsumexp(z, axis=1), sb.softmax(z, axis=1)]
    together = sb.lambdify([z], outputs)
    assert together.source.count("np.exp(") == 1
    at = np.array([[1.0, -1e3, 1e3], [0.5, value, 0.0]])
    with np.errstate(invalid="ignore"):
        for found, node in zip(together(at), outputs, strict=True):
            np.testing.assert_array_equal(found, sb.lambdify([z], node)(at))
