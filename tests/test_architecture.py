"""The house keeps its own rules: layers, sizes, documentation, and what it needs at run time."""

import ast
import importlib
import inspect
import statistics
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from graphlib import TopologicalSorter
from importlib.util import resolve_name
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

import symback

PACKAGE = Path(symback.__file__).parent

LAYERS = [
    ["errors", "graph", "structure", "trace", "page"],
    ["nodes"],
    ["op"],
    ["ops"],
    ["rewrite"],
    ["derive"],
    ["codegen", "latex"],
    ["interop", "scalar", "check", "derivation", "draw"],
    ["sparse", "calculus", "fields", "curvature", "transform", "optim", "batching", "api", "function", "objective"],
    ["command", "testing"],
    ["__init__", "__main__"],
]
"""Imports go to a line above, or to the left within a line."""

RANK = {part: rank for rank, part in enumerate(part for layer in LAYERS for part in layer)}
LONGEST_CHAIN = 12
FILE_LINES = 350
FUNCTION_LINES = 40
USUAL_FUNCTION_LINES = 20
RUN_TIME = {"numpy", "sympy", "symback"} | sys.stdlib_module_names
EXTRAS = {"matplotlib", "mpmath", "scipy", "sklearn"}
MARKS = "TODO", "FIXME", "XXX", "HACK"

Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = Function | ast.ClassDef


class Module(NamedTuple):
    """A module of the package: its dotted name, where relative imports start, its text and its tree."""

    name: str
    package: str
    source: str
    tree: ast.Module

    @property
    def part(self) -> str:
        """The part of the house it belongs to."""
        return [*self.name.split("."), "__init__"][1]


@cache
def modules() -> dict[str, Module]:
    """Return every module of the package by its dotted name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        *folders, stem = path.relative_to(PACKAGE.parent).with_suffix("").parts
        name = ".".join(folders if stem == "__init__" else [*folders, stem])
        source = path.read_text(encoding="utf-8")
        found[name] = Module(name, ".".join(folders), source, ast.parse(source, str(path)))
    return found


def imported(module: Module, node: ast.AST) -> list[str]:
    """Return what a statement imports: of ``from package import module``, that module."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    base = resolve_name("." * node.level + (node.module or ""), module.package)
    full = [f"{base}.{alias.name}" for alias in node.names]
    return [name if name in modules() else base for name in full]


def own_imports(module: Module) -> set[str]:
    """Return the modules of the package that a module imports."""
    found = {name for node in ast.walk(module.tree) for name in imported(module, node)}
    return found & set(modules()) - {module.name}


def roots(module: Module, nodes: Iterable[ast.AST]) -> set[str]:
    """Return the distributions that import statements reach for."""
    return {name.split(".")[0] for node in nodes for name in imported(module, node)}


def functions(module: Module) -> list[Function]:
    """Return all functions of a module, nested ones and methods too."""
    return [node for node in ast.walk(module.tree) if isinstance(node, Function)]


def length(function: Function) -> int:
    """Return the number of lines of a function, with its docstring and without its decorators."""
    assert function.end_lineno is not None
    return function.end_lineno - function.lineno + 1


def public_definitions(tree: ast.Module | ast.ClassDef) -> Iterator[Definition]:
    """Yield the public functions, classes and methods."""
    for node in tree.body:
        if isinstance(node, Definition) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from public_definitions(node)


def documented_values(tree: ast.Module) -> Iterator[str]:
    """Yield the names of a module that are assigned with a string below that says what they are."""
    for node, below in pairwise(tree.body):
        said = (
            isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and isinstance(below.value.value, str)
        )
        if said and isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id


def is_annotated(function: Function) -> bool:
    """Whether every parameter but self and cls, and the result, has an annotation."""
    given = function.args
    parameters = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    named = [parameter for parameter in parameters if parameter and parameter.arg not in ("self", "cls")]
    return function.returns is not None and all(parameter.annotation for parameter in named)


every_module = pytest.mark.parametrize("module", modules().values(), ids=list(modules()))


@every_module
def test_imports_go_down_or_left(module: Module) -> None:
    assert module.part in RANK, f"{module.name} has no place in LAYERS"
    wrong = {name for name in own_imports(module) if RANK[modules()[name].part] > RANK[module.part]}
    assert not wrong


def test_imports_have_no_cycle_and_no_long_chain() -> None:
    edges = {name: own_imports(module) for name, module in modules().items()}
    chains: dict[str, list[str]] = {}
    for name in TopologicalSorter(edges).static_order():
        chains[name] = [name, *max((chains[other] for other in sorted(edges[name])), key=len, default=[])]
    longest = max(chains.values(), key=len)
    assert len(longest) - 1 <= LONGEST_CHAIN, " -> ".join(longest)


@every_module
def test_run_time_needs_sympy_and_numpy_only(module: Module) -> None:
    inside = {node for function in functions(module) for node in ast.walk(function)}
    assert roots(module, inside) <= EXTRAS, "an import inside a function is for an optional extra"
    outside = set(ast.walk(module.tree)) - inside
    assert roots(module, outside) <= RUN_TIME, "an optional extra is imported in the function that needs it"


@every_module
def test_files_and_functions_are_short(module: Module) -> None:
    lines = len(module.source.splitlines())
    assert lines <= FILE_LINES
    lengths = {function.name: length(function) for function in functions(module)}
    assert not {name: lines for name, lines in lengths.items() if lines > FUNCTION_LINES}


def test_most_functions_are_very_short() -> None:
    lengths = [length(function) for module in modules().values() for function in functions(module)]
    assert statistics.quantiles(lengths, n=10)[-1] <= USUAL_FUNCTION_LINES


@every_module
def test_public_definitions_are_documented_and_annotated(module: Module) -> None:
    public = list(public_definitions(module.tree))
    assert ast.get_docstring(module.tree), "a module says what it is for"
    assert not [node.name for node in public if not ast.get_docstring(node)]
    assert not [node.name for node in public if isinstance(node, Function) and not is_annotated(node)]


@every_module
def test_nothing_is_left_to_do(module: Module) -> None:
    assert not [line for line in module.source.splitlines() if any(mark in line for mark in MARKS)]


def test_public_names_exist_and_are_documented() -> None:
    names = symback.__all__
    assert len(set(names)) == len(names)
    assert not [name for name in names if not hasattr(symback, name)]
    undocumented = {name for name in names if not inspect.getdoc(getattr(symback, name))}
    assert not undocumented - {name for module in modules().values() for name in documented_values(module.tree)}


def test_the_page_on_architecture_names_every_module_of_the_larger_folders() -> None:
    page = (PACKAGE.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
    folders = ("rewrite", "derive", "codegen", "latex", "derivation", "page", "draw", "check", "command")
    paths = [path for folder in folders for path in (PACKAGE / folder).rglob("*.py")]
    assert not [path for path in paths if path.stem != "__init__" and f"`{path.stem}`" not in page]


def test_every_module_can_be_imported_first() -> None:
    for name in modules():
        if not name.endswith("__main__"):
            importlib.import_module(name)


def test_importing_symback_imports_no_extra() -> None:
    # SymPy itself imports mpmath.
    code = f"import sys, symback; print(sorted({EXTRAS - {'mpmath'}} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=PACKAGE.parent, capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")
