"""The command line over functions that run as they are: loops over values and branches, which cannot be traced."""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from symback.__main__ import main

MODEL = """
import math
import sys

def loss(w, x, power=2):
    print("printed by the function")
    return sum(math.log(a) * b if a > 0 else b * a**power for a, b in zip(w, x))

def gradient(x, w):
    by_w = [b / a if a > 0 else 2 * a * b for a, b in zip(w, x)]
    return {"w": by_w, "x": [math.log(a) if a > 0 else a**2 for a in w]}

def wrong(w, x):
    by_w, by_x = gradient(x, w).values()
    return [by_w[0] * (1 + 1e-5), *by_w[1:]], by_x

def placed(w, /):
    return w[0]

def fails(w, x):
    raise KeyError("mine")

def leaves(w, x):
    sys.exit(0)
"""
CHECK = "check plainmodel:loss --at point.npz --gradient plainmodel"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Work in a folder with the module and two points."""
    monkeypatch.chdir(tmp_path)
    Path("plainmodel.py").write_text(MODEL)
    np.savez("point.npz", w=[1.5, -2.0, 0.3], x=[1.0, 2.0, 3.0])
    np.savez("half.npz", w=[1.5, -2.0, 0.3])
    yield
    sys.modules.pop("plainmodel", None)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (f"{CHECK}:gradient", 0),
        (f"{CHECK}:gradient --wrt w", 0),
        (f"{CHECK}:wrong", 1),
        ("check plainmodel.py:loss --at point.npz --against plainmodel.py:wrong --json", 1),
    ],
)
def test_a_function_that_cannot_be_traced_is_checked_as_it_runs(
    line: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(line.split()) == code
    done = capsys.readouterr()
    assert "printed by the function" in done.err
    assert "printed by the function" not in done.out
    assert ("FAILED" in done.out or '"failed"' in done.out) is bool(code)


REFUSED = {
    f"{CHECK}:gradient --wrt q": "--wrt names q, but the arrays of --at are w, x",
    f"{CHECK}:gradient --size n=3": "--dtype and --size go with --shape",
    f"{CHECK}:fails": "grad raises KeyError at the point",
    f"{CHECK}:leaves": "in leaves: SystemExit: 0",
    "check plainmodel:placed --at half.npz --gradient plainmodel:gradient": "w is passed by place; write one that can",
    "check plainmodel:loss --at half.npz --gradient plainmodel:gradient": "has the arrays w; save x with them",
    "check plainmodel:loss --shape w=n x=n": "give its gradient and a point, and no shapes: --gradient",
}  # fmt: skip


@pytest.mark.parametrize("line", REFUSED)
def test_what_does_not_fit_is_said_in_a_line(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(line.split()) == 2
    done = capsys.readouterr()
    assert done.out == ""
    assert REFUSED[line] in done.err
    assert len([text for text in done.err.splitlines() if text != "printed by the function"]) == 1
