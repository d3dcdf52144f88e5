"""The command line, in one process where it can be: what is printed, written and returned, and what errors say."""

import doctest
import io
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import symback as sb
from symback.__main__ import main
from symback.check.ladder.table import METHODS
from symback.command.arguments import parsed
from symback.command.check import check
from symback.command.loading import names_function
from symback.command.target import target_of
from test_docs import blocks_of

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "command.md"
LOSS = "sum((sigmoid(W@x+b)-y)**2)/2"
SHAPES = "--shape W=h,n b=h x=n y=h"
MODEL = """
import numpy as np
import symback as sb

print("printed by the module")

def loss(W, b, x, y, scale=2.0):
    z = W @ x + b
    return np.sum((np.tanh(z) - y) ** 2) / scale

def gradient(b, W, y, x):
    a = np.tanh(W @ x + b)
    d = (a - y) * (1 - a**2)
    return [np.outer(d, x), d]

def wrong(W, b, x, y):
    return [(1 + 1e-6) * part for part in gradient(b, W, y, x)]

def broken(x):
    return np.sum(x) / nothing

def broken_gradient(x):
    raise ZeroDivisionError("by hand")

def branch(x):
    return np.sum(x) if x.sum() > 0 else -np.sum(x)

def many(*arrays):
    return sum(arrays)

def two(x):
    return x.sum(), x.max()

def vector(x):
    return 2 * x

def flat(x, *, w):
    return np.sum(x * w)

class Net:
    @staticmethod
    def loss(x, /):
        return np.sum(x**2)

graph = sb.sum(sb.tensor("t", ("k",)) ** 3)
number = 3
"""


class Done(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str


Run = Callable[[str], Done]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a line of a shell, in a folder with ``mymodel.py``."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mymodel.py").write_text(MODEL)
    before, path = set(sys.modules), list(sys.path)

    def call(line: str) -> Done:
        try:
            code = main(shlex.split(line))
        except SystemExit as stopped:
            code = stopped.code
        finally:
            for name in [name for name in sys.modules if name not in before and name.startswith(("mymodel", "model"))]:
                del sys.modules[name]
        assert sys.path == path, "the path of Python is as it was"
        return Done(code, *capsys.readouterr())

    return call


# -- the commands ----------------------------------------------------------------------------------------


def test_the_line_of_the_issue_word_for_word() -> None:
    line = 'python -m symback derive "sum((sigmoid(W@x+b)-y)**2)/2" --wrt W,b --shape W=h,n b=h x=n y=h'
    _, *arguments = shlex.split(line)
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, encoding="utf-8", env=environment, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    W, b, x, y = sb.tensor("W", ("h", "n")), sb.tensor("b", "h"), sb.tensor("x", "n"), sb.tensor("y", "h")
    assert done.stdout == sb.derive(sb.sum((sb.sigmoid(W @ x + b) - y) ** 2) / 2, [W, b]).text().rstrip("\n") + "\n"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (f"check '{LOSS}' {SHAPES} --wrt W,b", 0),
        (f"check mymodel:loss {SHAPES} --wrt W --wrt b --against mymodel:gradient", 0),
        (f"check mymodel:loss {SHAPES} --wrt W,b --against mymodel:wrong", 1),
        (f"check mymodel.py:loss {SHAPES} --against mymodel.py:wrong --wrt W,b --json", 1),
        ("check 'sum(exp(x))' --shape x=n --size n=5 --dtype float32 --seed 3", 0),
        ("check 'c**2' --shape c=", 0),
        ("check --wrt W --shape W=h,n x=n 'z = W @ x; sum(z**2, axis=0)'", 0),
        ("check --shape x=n --size n=3 'sum(x, axis=0)'", 0),
        (f"check --wrt W,b --against mymodel:wrong {SHAPES} mymodel:loss", 1),
        ("check '-sum(x**2)' --shape x=0", 0),
        ("check 'sum(x*w)' --shape x=n w=n --dtype w=int64 --method five-point,central", 0),
    ],
)
def test_check_returns_its_verdict(run: Run, line: str, code: int) -> None:
    done = run(line)
    assert done.code == code, done
    if "--json" in line:
        assert json.loads(done.out)["passed"] is (code == 0)
    else:
        assert f"gradient check {'FAILED' if code else 'passed'}" in done.out


def test_check_json_is_the_dict_of_the_report(run: Run) -> None:
    done = run("check 'sum(x**3)' --shape x=4 --json --at point.npz")
    assert (done.code, done.out) == (2, "")
    np.savez("point.npz", x=[1.0, 2.0, 3.0, 4.0])
    done = run("check 'sum(x**3)' --shape x=4 --json --at point.npz")
    x = sb.tensor("x", 4)
    report = sb.check_grad(sb.sum(x**3), [x], at={"x": np.arange(1.0, 5.0)}, seed=0)
    assert json.loads(done.out) == json.loads(json.dumps(report.to_dict()))


@pytest.mark.parametrize(("verdict", "code"), [("passed", 0), ("failed", 1), ("undecided", 3)])
def test_each_verdict_has_its_exit_code(run: Run, verdict: str, code: int, capsys: Any) -> None:
    class Report:
        passed, failed = verdict == "passed", verdict == "failed"

        def to_dict(self) -> dict[str, Any]:
            return {"verdict": verdict, "error": float("nan"), "array": np.arange(2), "sees": np.float64(np.inf)}

    def checker(loss: sb.Node, wrt: list[sb.Node], **options: Any) -> Report:
        assert options == {"seed": 7, "methods": ["mpmath", "taylor"], "order": 2}
        return Report()

    given = parsed(shlex.split("check c**2 --shape c= --seed 7 --method mpmath,taylor --order 2 --json"), "0")
    assert check(given, target_of(given), check_grad=checker) == code
    said = json.loads(capsys.readouterr().out)
    assert said == {"verdict": verdict, "error": "nan", "array": [0, 1], "sees": "inf"}


@pytest.mark.parametrize("what", ["value", "gradient", "both"])
@pytest.mark.parametrize("style", ["readable", "fast"])
def test_emitted_code_computes_what_it_says(run: Run, what: str, style: str) -> None:
    done = run(f"emit mymodel:loss {SHAPES} --wrt W,b --what {what} --style {style} --name model")
    assert (done.code, done.err) == (0, "printed by the module\n"), "what a module prints is no part of the code"
    space: dict[str, Any] = {"__name__": "emitted"}
    exec(done.out, space)
    point = {name: np.random.default_rng(0).standard_normal(shape) for name, shape in
             {"W": (3, 2), "b": 3, "x": 2, "y": 3}.items()}  # fmt: skip
    theirs: dict[str, Any] = {}
    exec(MODEL, theirs)
    value, gradient = theirs["loss"](**point), theirs["gradient"](**point)
    expected = {"value": [value], "gradient": gradient, "both": [value, *gradient]}[what]
    found = space["model"](**point)
    for ours, wanted in zip([found] if what == "value" else found, expected, strict=True):
        np.testing.assert_allclose(ours, wanted, rtol=1e-12)


def test_saved_code_is_complete_and_runs(run: Run) -> None:
    assert run(f"emit '{LOSS}' {SHAPES} --wrt W,b -o saved.py") == Done(0, "", "")
    text = Path("saved.py").read_text()
    assert "def example_arguments" in text
    assert "def check_gradient" in text


@pytest.mark.parametrize("form", ["latex", "html"])
def test_formulas_of_the_gradient(run: Run, form: str) -> None:
    line = f"emit 'z = W @ x; L = sum(z**2)' --shape W=h,n x=n --form {form}"
    done = run(line)
    assert (done.code, done.err) == (0, "")
    if form == "latex":
        assert r"\frac{\partial L}{\partial W} &= 2 z x^{\top} \\" in done.out
        assert r"\frac{\partial L}{\partial x} &= 2 W^{\top} z" in done.out
    else:
        assert "<math" in done.out
        assert "<script" not in done.out
    suffix = {"latex": "tex", "html": "html"}[form]
    assert run(f"{line} -o page.{suffix}") == Done(0, "", "")
    assert "L" in Path(f"page.{suffix}").read_text("utf-8")
    assert json.loads(run(f"{line} --json").out)["form"] == form


@pytest.mark.parametrize("form", ["text", "latex", "document", "markdown", "html"])
def test_derivations_in_every_form(run: Run, form: str) -> None:
    x = sb.tensor("x", "n")
    derivation = sb.derive(sb.sum(sb.sin(x)), [x], notation="index", adjoint="bar", layout="row")
    line = "derive 'sum(sin(x))' --shape x=n --notation index --adjoint bar --layout row"
    done = run(f"{line} --form {form}")
    assert done == Done(0, getattr(derivation, form)().rstrip("\n") + "\n", "")
    suffix = {"text": "txt", "latex": "tex", "document": "tex", "markdown": "md", "html": "html"}[form]
    assert run(f"{line} --form {form} -o page.{suffix}") == Done(0, "", "")
    assert Path(f"page.{suffix}").read_text("utf-8") == getattr(derivation, form)()


def test_derivations_verified_of_order_two_and_as_json(run: Run) -> None:
    done = run("derive 'sum(sin(x))' --shape x=n --order 2 --verify --json")
    said = json.loads(done.out)
    assert done.out.isascii()
    assert said["verified"] is True
    assert "residual" in said["page"]
    assert "∂²ℒ" in said["page"]


def test_sizes_dtypes_and_graphs(run: Run) -> None:
    assert "W (3, n) float32" in run("emit 'sum(W)' --shape W=h,n --size h=3 --dtype float32").out
    assert "w (n,) int64" in run("emit 'sum(x*w)' --shape x=n w=n --dtype w=int64,x=float32").out
    assert "d_t" in run("emit mymodel:graph").out
    assert run("emit mymodel:Net.loss --shape x=n").code == 0
    assert "def f(x, w)" in run("emit mymodel:flat --shape x=n w=n").out
    assert "def f(W, b, x, y, scale)" in run(f"emit mymodel:loss {SHAPES} scale=").out


# -- what is refused ---------------------------------------------------------------------------------------

REFUSED = {
    "": "the following arguments are required: check|emit|derive (--help shows examples)",
    "chek x": "invalid choice: 'chek'",
    "check": "the formula or the function is missing (--help",
    "check --shape x=n 'y = sum(x)'": "--shape took 'y = sum(x)' for a shape: write it first",
    "check -x --shape x=": "arguments: -x; a formula that begins with a minus sign goes into parentheses",
    "check --shape x=n h": "the formula or the function is missing",
    "emit 'sum(x)' --shape x=n --bogus": "unrecognized arguments: --bogus",
    "check 'sum(x)' --shape x": "--shape 'x' is not of the form NAME=SIZES",
    "check 'sum(x)' --shape x=n x=m": "--shape names x twice",
    "check 'sum(x)' --shape x=n,": None,
    "check 'sum(x)' --shape x=n,-1": "an integer >= 0",
    "check 'sum(x)' --shape 'x=n;m'": "the shape 'n;m' cannot be read",
    "check 'sum(x)'": "the shape of x is not given; add it to shapes, or on the command line --shape x=...",
    "check 'sum(x)' --shape x=n xx=n": "--shape names xx, but the formula has x; did you mean 'x'?",
    "check 'sum(x' --shape x=n": "column 4: '(' was never closed",
    "check 'sum(x)' --shape x=n --wrt z": "--wrt names z, but the arrays are x",
    "check 'sum(x)' --shape x=n --wrt x,x": "--wrt names x twice",
    "check 'sum(x)' --shape x=n --size m=3": "--size names m, but the symbolic sizes are n",
    "check 'sum(x)' --shape x=n --size n=-3": "--size 'n=-3' is not of the form n=4, with an integer from 0",
    "check 'sum(x)' --shape x=n --dtype z=float32": "--dtype names z, but the arrays are x",
    "check 'sum(x)' --shape x=n --dtype float32 float64": "--dtype names all arrays twice",
    "check 'sum(x)' --shape x=n --dtype 'x=i4;f8'": "dtype 'i4;f8' is not supported",
    "check 'sum(x)' --shape x=n --seed -3": "'-3' is no integer from 0",
    "check 'sum(x)' --shape x=n --method bogus": "'bogus'",
    "check 'sum(x)' --shape x=n --at mymodel.py": "--at 'mymodel.py': it is no .npz file of plain arrays",
    "check 'sum(x)' --shape x=n --at none.npz": "--at 'none.npz': No such file or directory",
    "check 'sum(x)' --shape x=n --against bogus": "--gradient 'bogus' is not of the form module:function",
    "check 'sum(x)' --shape x=n --against mymodel:broken_gradient":
        "mymodel.py:23 in broken_gradient: ZeroDivisionError: by hand",
    "emit x --shape x=n": "is not a scalar",
    "emit 'sum(x)' --shape x=n --name def": "'def' cannot be used as a name",
    "emit 'sum(x)' --shape x=n -o no/out.py": "there is no folder 'no'",
    "emit 'sum(x)' --shape x=n -o out.c": "-o 'out.c' says no form; the name must end in .py, .tex, .html",
    "emit 'sum(x)' --shape x=n --form html -o out.py": "-o 'out.py' does not go with --form html",
    "derive 'sum(x)' --shape x=n -o out": "-o 'out' says no form",
    "derive 'sum(x)' --shape x=n -o no/out.html": "cannot write 'no/out.html': No such file or directory",
    "derive 'sum(x)' --shape x=n --form latex -o out.html": "-o 'out.html' does not go with --form latex",
    "derive 'sum(x)' --shape x=n --form pdf": "--form pdf needs a file",
    "derive 'sum(x)' --shape x=n --order 2 --notation index": "order=2 is written in matrix notation only",
    "check mymodel.loss": "'mymodel.loss' is no formula; a function of a module is written mymodel:loss",
    "check mymodel:loss --formula": "is not read in a formula",
    "check mymodel:los": "mymodel has no function 'los'; did you mean 'loss'?",
    "check mymodel:zzz": "mymodel has no function 'zzz'; it has loss, gradient, wrong",
    "check mymodel:number": "mymodel:number is of type int",
    "check nomodel:loss": "there is no module 'nomodel' in ",
    "check mymodel.sub:loss": "there is no module 'mymodel.sub' in ",
    "check no/model.py:loss": "there is no file 'no/model.py'",
    "check mymodel:loss": "mymodel:loss: give --shape W=... b=... x=... y=...: sizes are names or integers",
    "check mymodel:loss --shape W=h,n y=h": "the shapes of W, y are known, add --shape b=... x=...",
    f"check mymodel:loss {SHAPES} zz=3": "--shape names zz, but mymodel:loss has the parameters W, b, x, y, scale",
    "check mymodel:many --shape x=n": "mymodel:many takes any number of arguments (*arrays)",
    "check mymodel:two --shape x=n": "mymodel:two returns 2 results, wanted one scalar",
    "check mymodel:vector --shape x=n": "is not a scalar",
    "check mymodel:broken --shape x=n": "mymodel.py:20 in broken: NameError: name 'nothing' is not defined (--trace",
    "check mymodel:branch --shape x=n": "mymodel.py:26 in branch: ",
    "check mymodel:graph --shape t=k": "mymodel:graph is a graph, whose variables have shapes",
    "check badsyntax:f": "badsyntax.py:1: SyntaxError",
    "check badimport.py:f": "badimport.py:2 in <module>: ModuleNotFoundError: No module named 'nosuch'",
    "check leaves:f": "leaves.py:2 in <module>: SystemExit: 0",
}  # fmt: skip


@pytest.mark.parametrize("line", REFUSED)
def test_bad_usage_and_bad_input_are_a_line_or_two_on_standard_error(run: Run, line: str) -> None:
    Path("badsyntax.py").write_text("x = (\n")
    Path("badimport.py").write_text("\nimport nosuch\n")
    Path("leaves.py").write_text("import sys\nsys.exit(0)\n")
    before = set(Path.cwd().iterdir())
    done = run(line)
    said = REFUSED[line]
    if said is None:
        assert done.code == 0
        return
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    lines = done.err.replace("printed by the module\n", "").rstrip("\n").split("\n")
    assert len(lines) <= 3, "a line, and for a formula two that show the place"
    assert lines[0].startswith("symback: ")
    assert not {path for path in set(Path.cwd().iterdir()) - before if path.name != "__pycache__"}, "nothing is left"


def test_traceback_shows_where_an_error_arose(run: Run) -> None:
    said = run("check mymodel:broken --shape x=n --traceback").err
    assert "Traceback" in said
    assert "return np.sum(x) / nothing" in said


@pytest.mark.parametrize(
    ("text", "is_function"),
    [
        ("model:loss", True), ("a.b.model:Net.loss", True), ("lib/model.py:loss", True), (r"C:\my lib\m.py:loss", True),
        ("x[1:n]", False), ("model.loss", False), ("z = x; z", False), ("lib/model.py", False), ("a:b + c", False),
    ],
)  # fmt: skip
def test_no_formula_is_taken_for_a_function(text: str, is_function: bool) -> None:
    assert names_function(text) is is_function
    if is_function:
        with pytest.raises(sb.errors.SymbackError):
            sb.from_text(text, dict.fromkeys(("model", "loss", "a", "b", "x", "n", "lib"), ()))


def test_modules_of_the_folder_and_neighbours_of_a_file_are_found(run: Run) -> None:
    Path("sub").mkdir()
    Path("sub/myneighbour.py").write_text("def square(x):\n    return x**2\n")
    Path("sub/json.py").write_text("from myneighbour import square\ndef loss(x):\n    return square(x).sum()\n")
    try:
        assert run("emit sub/json.py:loss --shape x=n").code == 0
        assert sys.modules["json"] is json, "a file may be called as a module that is there already"
        both = run("check mymodel.py:loss --shape W=h,n b=h x=n y=h --wrt W,b --against ./mymodel.py:gradient")
        assert both.code == 0
        assert both.err == "printed by the module\n", "a file is run once"
    finally:
        for name in ("myneighbour", "_json_of_command"):
            sys.modules.pop(name, None)


# -- terminals, pipes, interruptions --------------------------------------------------------------------------


class _Stream(io.TextIOWrapper):
    def __init__(self, encoding: str, error: OSError | None = None) -> None:
        super().__init__(io.BytesIO(), encoding=encoding)
        self.error = error

    def flush(self) -> None:
        if self.error is not None:
            raise self.error
        super().flush()


def test_a_terminal_that_lacks_signs_gets_no_half_of_a_page(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", stream := _Stream("ascii"))
    done = run("derive 'sum(x**2)' --shape x=n")
    assert (done.code, stream.buffer.getvalue()) == (2, b"")
    assert "has the encoding ascii, which has no '\\u2112'; set PYTHONIOENCODING=utf-8" in done.err
    assert run("derive 'sum(x**2)' --shape x=n --form latex").code == 0
    assert run("check 'sum(x**2)' --shape x=n").code == 0
    assert b"passed" in stream.buffer.getvalue()


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [(BrokenPipeError(32, "Broken pipe"), 0, ""), (OSError(28, "No space left"), 2, "output: No space left")],
)  # fmt: skip
def test_a_closed_pipe_is_no_error_and_a_full_disk_is_one(
    run: Run, monkeypatch: pytest.MonkeyPatch, error: OSError, code: int, said: str
) -> None:
    monkeypatch.setattr(sys, "stdout", stream := _Stream("utf-8", error))
    done = run("emit 'sum(x**2)' --shape x=n")
    stream.error = None
    assert done.code == code
    assert said in done.err
    assert bool(done.err) is bool(said)


def test_without_standard_output_there_is_an_error(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    done = run("emit 'sum(x**2)' --shape x=n")
    assert (done.code, done.err) == (2, "symback: standard output is closed; write to a file with -o\n")


def test_an_interruption_leaves_no_file_and_no_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    done = run("derive 'sum(x**2)' --shape x=n -o page.html")
    assert done == Done(130, "", "symback: interrupted\n")
    assert [path.name for path in Path.cwd().iterdir()] == ["mymodel.py"]


def test_a_fault_of_symback_is_said_as_such(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*arguments: object, **options: object) -> None:
        raise KeyError("inside")

    monkeypatch.setattr("symback.__main__.lambdify", fails)
    done = run("emit 'sum(x**2)' --shape x=n")
    said = "symback: unexpected KeyError: 'inside'; this is a fault of symback (--traceback shows where)\n"
    assert done == Done(2, "", said)


# -- help and documentation ------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", ["--help", "check --help", "emit --help", "derive --help"])
def test_every_help_has_examples_that_can_be_typed(run: Run, line: str) -> None:
    done = run(line)
    assert (done.code, done.err) == (0, "")
    examples = [text.strip() for text in done.out.splitlines() if text.strip().startswith("python -m symback ")]
    assert len(examples) >= 3
    for example in examples:
        given = parsed(shlex.split(example)[3:], "0")
        assert given.shape or (given.at and given.against)


def test_version(run: Run) -> None:
    assert run("--version") == Done(0, f"symback {sb.__version__}\n", "")


def test_importing_symback_does_not_import_the_command_line() -> None:
    package = ROOT / "symback"
    using = [
        path for path in package.rglob("*.py") if re.search(r"\bargparse\b|symback\.command", path.read_text("utf-8"))
    ]
    assert {path.parent.name for path in using} == {"command", "symback"}
    assert {path.name for path in using if path.parent == package} == {"__main__.py"}


def test_the_help_of_check_names_every_method(run: Run) -> None:
    said = run("check --help").out
    assert not [name for name in METHODS if name not in said]


def test_the_page_shows_what_is_printed(run: Run) -> None:
    blocks = blocks_of(PAGE.read_text(encoding="utf-8"))
    Path("model.py").write_text(next(block.text for block in blocks if block.text.startswith("import numpy")))
    console = [block for block in blocks if block.info == ["console"]]
    assert len(console) >= 4
    for block in console:
        line, wanted = block.text.split("\n", 1)
        done = run(line.removeprefix("$ python -m symback "))
        assert doctest.OutputChecker().check_output(wanted, done.out, doctest.ELLIPSIS), done
