"""`sb.testing.assert_gradient`: silent on a right gradient, and a message that is enough to find a wrong one."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symback as sb
from symback import errors
from symback.errors.kinds import UndecidedError

ROOT = Path(__file__).parents[1]

x = sb.tensor("x", (3,))
W = sb.tensor("W", (2, 3))
LOSS = sb.sum(sb.tanh(W @ x) ** 2)


def loss(w: Any) -> Any:
    return np.sum(np.tanh(w) ** 2)


def right(w: Any) -> Any:
    return 2 * np.tanh(w) * (1 - np.tanh(w) ** 2)


def wrong(w: Any) -> Any:
    return right(w) * np.array([1.0, -1.0, 1.0])


POINT = np.array([0.5, -0.25, 1.0])


def test_a_right_gradient_passes_and_the_report_comes_back() -> None:
    assert [row.name for row in sb.testing.assert_gradient(LOSS, [W, x]).rows] == ["W", "x"]
    assert sb.testing.assert_gradient(fun=loss, grad=right, at=POINT).passed
    assert sb.testing.assert_gradient(LOSS, x, {"W": np.ones((2, 3))}, order=2).passed


def test_a_wrong_gradient_raises_with_table_worst_entry_and_how_to_repeat_it() -> None:
    with pytest.raises(AssertionError, match="is wrong") as raised:
        sb.testing.assert_gradient(fun=loss, grad=wrong, at=POINT, seed=7, max_entries=50)
    assert isinstance(raised.value, errors.GradientMismatchError)
    text = str(raised.value)
    assert "variable" in text
    assert "FAILED" in text
    assert "[1]" in text
    assert text.endswith(
        "to see it again: sb.check_grad(fun=..., grad=..., at=at, seed=7, max_entries=50)\n"
        "at = array([ 0.5 , -0.25,  1.  ])"
    )
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__


def test_of_a_graph_the_point_is_drawn_again_from_the_seed() -> None:
    def given(**arrays: Any) -> Any:
        return np.array([1.0, 2.0, 3.0])

    with pytest.raises(errors.GradientMismatchError, match=r"sb.check_grad\(loss, wrt, seed=3, gradient=...\), which"):
        sb.testing.assert_gradient(LOSS, x, seed=3, gradient=given)


def test_what_cannot_be_told_raises_in_its_own_words() -> None:
    noise = np.random.default_rng(0)

    def noisy(w: Any) -> Any:
        return loss(w) + 1e-3 * noise.standard_normal()

    with pytest.raises(UndecidedError, match="could not be judged") as raised:
        sb.testing.assert_gradient(fun=noisy, grad=right, at=POINT)
    assert isinstance(raised.value, AssertionError)
    assert "UNDECIDED" in str(raised.value)


def test_misuse_is_no_assertion() -> None:
    with pytest.raises(errors.UsageError):
        sb.testing.assert_gradient(fun=loss, at=POINT)


TEST = """
import numpy as np
import symback as sb

def test_gradient():
    sb.testing.assert_gradient(
        fun=lambda w: np.sum(w**3), grad=lambda w: 3 * w**2 * (1 + 1e-5), at=np.array([1.0, 2.0])
    )
"""


def test_pytest_shows_the_message_at_the_line_of_the_test(tmp_path: Path) -> None:
    (tmp_path / "test_one.py").write_text(TEST, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:hypothesispytest", "test_one.py"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    assert "test_one.py:6: GradientMismatchError" in done.stdout
    assert "E       symback.errors.kinds.GradientMismatchError: check_grad: the gradient by" in done.stdout
    assert "to see it again: sb.check_grad(fun=..., grad=..., at=at, seed=0)" in done.stdout
    assert "symback/testing.py" not in done.stdout
    assert "symback/check" not in done.stdout
