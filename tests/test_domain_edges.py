"""What `verify` says of infinities on purpose, constant masks, and integers that wrap around."""

import time

import numpy as np
import pytest

import symback as sb
from symback.errors import DtypeError
from symback.nodes.apply import Map, Operation
from test_domain import analysed, unsound


def test_an_infinity_written_on_purpose_counts_where_it_comes_out() -> None:
    x = sb.tensor("x", ())
    report = sb.verify(sb.where(x > 0, x, -np.inf), domain={"x": [-1, 1]})
    assert not report.safe
    assert not report.safe_for_ordinary_numbers
    (hazard,) = report.hazards
    assert (hazard.outcome, hazard.certainty) == ("-inf", "does")
    assert "an infinity that is written in the graph" in hazard.when
    assert "large finite number" in hazard.cure
    assert not sb.verify(x, domain={"x": [0, np.inf]}).safe
    assert sb.verify(sb.exp(sb.where(x > 0, x, -np.inf)), domain={"x": [-1, 1]}).safe


def test_a_constant_mask_that_leaves_an_entry_of_each_row_is_no_hazard() -> None:
    q, ones = sb.tensor("Q", (4, 4)), np.ones((4, 4))
    moderate = {"Q": [-5, 5]}
    for mask in (np.tril(ones) > 0, sb.tril(sb.ones((4, 4))) > 0, sb.logical_not(sb.triu(sb.ones((4, 4)), 1) > 0)):
        report = sb.verify(sb.softmax(sb.where(mask, q, -np.inf), axis=1), domain=moderate, wrt=q)
        assert report.safe
        assert not report.kinks
        assert sb.verify(sb.logsumexp(sb.where(mask, q, -np.inf), axis=1), domain=moderate).safe
    masked = sb.where(np.triu(ones, 1) > 0, q, -np.inf)
    assert not sb.verify(sb.softmax(masked, axis=1), domain=moderate).safe


@pytest.mark.parametrize(("dtype", "value"), [("uint8", 3), ("int64", -(2**63)), ("int32", -(2**31))])
def test_integers_wrap_around(dtype: str, value: int) -> None:
    k = sb.tensor("k", (2,), dtype=dtype)
    outputs = [sb.astype(k - sb.max(k), "float64"), sb.astype(-k, "float64")]
    outputs += [sb.astype(abs(k), "float64"), k / sb.maximum(abs(k), 3), k / abs(k)]
    analysis = analysed(outputs, None)
    assert not list(unsound(analysis, outputs, {k: np.array([value, value + 1], dtype=dtype)}))


def test_a_logarithm_of_gamma_is_infinite_where_one_over_its_operand_is() -> None:
    x = sb.tensor("x", ())
    (output,) = sb.verify(sb.special.gammaln(x), domain={"x": (0, 1)}).outputs
    assert output.infinite


def test_derivatives_need_an_output_that_is_a_float() -> None:
    x = sb.tensor("x", ())
    with pytest.raises(DtypeError, match=r"verify: wrt asks for derivatives, but no output is a float: they are "
                       r"bool; leave wrt out, or convert one by sb.astype"):  # fmt: skip
        sb.verify(x > 0, wrt=x)


def test_a_chain_of_choices_takes_time_in_proportion_to_its_length() -> None:
    h = sb.tensor("x", ("n",))
    for _ in range(300):
        h = sb.where(h > 0, h * 0.9, h * 0.5)
    begun = time.perf_counter()
    assert sb.verify(h, domain={"x": [-5, 5]}).safe
    assert time.perf_counter() - begun < 20


def test_of_many_hazards_the_first_are_printed() -> None:
    report = sb.verify([sb.log(sb.tensor(f"w{k}", ("n",))) for k in range(30)])
    assert len(report.hazards) == len(report.kinks) == 30
    assert "and 10 more, in report.hazards" in str(report)
    assert "and 10 more, in report.kinks" in str(report)


def test_no_point_is_sought_where_a_function_takes_steps_without_end() -> None:
    a, b = sb.tensor("a", ()), sb.tensor("b", ())
    report = sb.verify(Map(Operation("mills_fraction"), a, b), domain={"a": 1e300, "b": [1e299, 1e300]})
    assert [hazard.certainty for hazard in report.hazards] == ["can"]
