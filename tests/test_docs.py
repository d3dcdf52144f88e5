"""What the documentation shows is run, and what it says comes out must come out.

Convention for README.md and docs/*.md: every ``python`` block is run, those of one page in order and in
one namespace. A block that opens with ``text output`` or ``latex output`` holds exactly what the last
``python`` block before it printed; other blocks are left alone. Docstring examples are run by doctest.
"""

import contextlib
import doctest
import importlib
import io
import os
import pkgutil
import re
import subprocess
import sys
import textwrap
from operator import attrgetter
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest

import symback
from symback.op.public import FUNCTIONS

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
MODULES = ["symback", *(found.name for found in pkgutil.walk_packages(symback.__path__, "symback."))]
FENCE = "```"


class Block(NamedTuple):
    """A fenced block: the words after the fence, the line of the fence, and the text under it."""

    info: list[str]
    line: int
    text: str


def blocks_of(page: str) -> list[Block]:
    """Return the fenced blocks of a Markdown page."""
    blocks, start, info = [], None, ""
    lines = page.splitlines()
    for number, line in enumerate(lines):
        if not line.lstrip().startswith(FENCE):
            continue
        if start is None:
            start, info = number + 1, line.lstrip(" `")
        else:
            text = "".join(f"{row}\n" for row in lines[start:number])
            blocks.append(Block(info.split(), start, textwrap.dedent(text)))
            start = None
    if start is not None:
        raise ValueError(f"the block that opens in line {start} is not closed")
    return blocks


def run_page(path: Path, module: ModuleType) -> list[str]:
    """Run a page's blocks in `module`; return a line for each output that is not what the page shows."""
    printed, wrong = None, []
    for block in blocks_of(path.read_text(encoding="utf-8")):
        if block.info[:1] == ["python"]:
            out = io.StringIO()
            code = compile("\n" * block.line + block.text, str(path), "exec")
            with contextlib.redirect_stdout(out):
                exec(code, vars(module))
            printed = out.getvalue()
        elif "output" in block.info and block.text != printed:
            wrong.append(f"{path.name}:{block.line}: the page shows\n{block.text}and what was printed is\n{printed}")
    return wrong


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_registry: None) -> ModuleType:
    """A module to run code in, in a folder that it may write to."""
    monkeypatch.chdir(tmp_path)
    module = ModuleType("page")
    monkeypatch.setitem(sys.modules, "page", module)
    return module


def run_script(name: str, *arguments: str, folder: Path) -> str:
    """Run an example with this package, as a person would; return what it printed."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / name), *arguments],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT), "MPLBACKEND": "Agg"},
        capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_prints_what_it_shows(path: Path, scratch: ModuleType) -> None:
    wrong = run_page(path, scratch)
    assert not wrong, "\n\n".join(wrong)


@pytest.mark.parametrize("name", [name for name in MODULES if not name.endswith("__main__")])
def test_docstring_examples(name: str, scratch: ModuleType) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_the_network_example(tmp_path: Path) -> None:
    printed = run_script("two_layer_network.py", folder=tmp_path)
    assert r"\frac{\partial" in printed
    assert "def " in printed
    assert "np.outer" in printed


def test_the_likelihood_example(tmp_path: Path) -> None:
    printed = run_script("gaussian_likelihood.py", folder=tmp_path)
    by_covariance = r"\frac{1}{2} n \Sigma^{-1} S \Sigma^{-1} - \frac{1}{2} n \Sigma^{-1}"
    assert rf"\frac{{\partial \ell}}{{\partial \Sigma}} &= {by_covariance}" in printed
    assert r"\Sigma^{-\top}" not in printed
    assert r"\Sigma$ is symmetric" in printed
    assert "by Sigma: (-n/2)*Sigma**(-1) + (n/2)*Sigma**(-1)*S*Sigma**(-1)" in printed
    assert "log_det(Sigma)" in printed


def test_the_numpy_example(tmp_path: Path) -> None:
    printed = run_script("from_numpy.py", folder=tmp_path)
    assert "penalty = " in printed
    assert "check: True" in printed


def test_the_rewriting_example(tmp_path: Path) -> None:
    printed = run_script("rewriting.py", folder=tmp_path)
    assert "loss 1000, gradient 1000" in printed
    assert "log of the logistic function" in printed
    assert "1/2*sin(2*t)*t" in printed


def test_the_derivation_example(tmp_path: Path) -> None:
    printed = run_script("derivation.py", folder=tmp_path)
    assert "35 equalities hold to 30 digits" in printed
    written = printed.rpartition("written: ")[2].strip().split(", ")
    assert written[1:] == ["derivation.html", "graph.svg"]
    for name in written:
        assert (tmp_path / name).stat().st_size > 5000


def test_the_digits_example(tmp_path: Path) -> None:
    pytest.importorskip("sklearn", reason="needs the extra [examples]")
    pytest.importorskip("matplotlib", reason="needs the extra [examples]")
    assert "accuracy" in run_script("digits.py", "--epochs", "1", "--seeds", "1", folder=tmp_path)


def test_the_optimizers_example(tmp_path: Path) -> None:
    pytest.importorskip("sklearn", reason="needs the extra [examples]")
    printed = run_script("optimizers.py", folder=tmp_path)
    rows = [line.split() for line in printed.splitlines() if line.startswith(("L-BFGS-B", "Newton-CG", "trust-exact"))]
    losses = [float(row[-2]) for row in rows]
    assert len(rows) == 6
    assert losses == pytest.approx([losses[0]] * 3 + [losses[3]] * 3, abs=1e-6)
    assert all(int(row[1]) < int(rows[0][1]) for row in rows[1:3])
    assert all(float(row[-1].rstrip("%")) > 90 for row in rows)


PAGE = """
```python
x = 2
print("x is", x)
```
words
```text output
x is 2
```
```bash
exit 1
```
```python
print(x + 1)
```
  ```text output
  4
  ```
"""


def test_blocks_share_a_namespace_and_a_wrong_output_is_found(scratch: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text(PAGE, encoding="utf-8")
    assert run_page(path, scratch) == ["page.md:16: the page shows\n4\nand what was printed is\n3\n"]


def test_an_error_names_the_line_of_the_page(scratch: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text("text\n\n```python\na = 1\na / 0\n```\n", encoding="utf-8")
    with pytest.raises(ZeroDivisionError) as failure:
        run_page(path, scratch)
    assert failure.traceback[-1].lineno + 1 == 5


def test_an_open_block_is_an_error() -> None:
    with pytest.raises(ValueError, match="line 2 is not closed"):
        blocks_of("a\n```python\nx = 1\n")


def test_the_operations_page_lists_what_can_be_called() -> None:
    """Every public name that builds nodes has its place on the page, and what the page calls `sb.…` exists."""
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`sb\.([a-zA-Z_0-9.]+)`", text))
    for name in named:
        attrgetter(name)(symback)
    entered = {id(entry.function) for entry in FUNCTIONS.values()}
    missing = [name for name in symback.__all__ if id(getattr(symback, name)) in entered and name not in named]
    assert not missing
    assert len(named) > 100


def test_every_page_is_linked_from_the_readme() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in PAGES[1:] if f"(docs/{path.name})" not in text] == []


def test_the_example_of_what_gradients_cost(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="needs the extra [examples]")
    printed = run_script("gradient_cost.py", "100", "20000", folder=tmp_path)
    rows = [line.split(" | ") for line in printed.splitlines() if line.startswith(("| 1", "| 2"))]
    assert len(rows) == 2
    assert rows[0][3] == "whole"
    assert all(float(row[-1].rstrip(" |")) < 1e-4 for row in rows)
    assert (tmp_path / "gradient_cost.png").stat().st_size > 5000
