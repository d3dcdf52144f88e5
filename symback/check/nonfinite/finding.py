"""From a function to the syntax tree it was compiled from, and to a copy of it that is watched."""

import ast
import inspect
import linecache
import tokenize
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import CellType, CodeType, FunctionType
from typing import Any

from symback.check.nonfinite.marking import FRAME, Marker, Site

_FACTORY, _RECORDER, _WATCHED = "__watched_factory__", "__recorder__", "__watched__"

_PYTEST = "@pytest_ar"
"""What pytest adds to the modules in which it rewrites assertions."""

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass
class Watched:
    """A function that is watched: its sites, its text, and its code.

    Attributes:
        name: Its name.
        filename: The file it is from.
        lines: The lines of that file.
        sites: Its sub-expressions.
        codes: Its code and that of the functions within it.
        emitted: Whether symback wrote it: then the helpers that it calls count as operations.
    """

    name: str
    filename: str
    lines: list[str]
    sites: list[Site]
    codes: set[CodeType]
    emitted: bool


class UnreadableError(Exception):
    """A function whose source is not to be had, or is not what runs."""


def watched(function: FunctionType, enter: Callable[[Watched, dict[str, Any]], Any]) -> tuple[FunctionType, Watched]:
    """Return a copy of a function that tells a frame the value of each sub-expression.

    Its source is parsed, marked and compiled where it stands, within its module, of which nothing else is run. The
    copy has the globals, the defaults and the closure of the function.

    Args:
        function: The function.
        enter: Makes the frame of a call, of what is watched and the arguments by name.

    Raises:
        UnreadableError: If there is no source, or another one than was compiled.
    """
    code = function.__code__
    inner, lines, sites = _marked(function)
    inner = inner.replace(co_name=code.co_name, co_qualname=code.co_qualname)
    own = Watched(function.__name__, code.co_filename, lines, sites, set(_codes(inner)), _is_emitted(function))
    cells = dict(zip(code.co_freevars, function.__closure__ or (), strict=True))
    cells[_RECORDER] = CellType(lambda arguments: enter(own, arguments))
    closure = tuple(cells[name] for name in inner.co_freevars)
    copy = FunctionType(inner, function.__globals__, function.__name__, function.__defaults__, closure)
    copy.__kwdefaults__ = function.__kwdefaults__
    return copy, own


def _marked(function: FunctionType) -> tuple[CodeType, list[str], list[Site]]:
    """Return the code of a function that is marked, the lines of its file, and its sites."""
    code = function.__code__
    tree, lines = _module(function)
    pairs = ((parent, child) for parent in ast.walk(tree) for child in ast.iter_child_nodes(parent))
    found = [(p, child) for p, child in pairs if isinstance(child, Definition) and _defines(child, code)]
    if len(found) != 1 or not _is_same(tree, function):
        cure = "define it on lines of its own in a file, and import that anew"
        raise UnreadableError(f"its source is not what runs; {cure}")
    marker = Marker()
    try:
        _install(*found[0], marker)
        module = compile(ast.fix_missing_locations(tree), code.co_filename, "exec", dont_inherit=True)
    except RecursionError:
        raise UnreadableError("its expressions are nested too deeply") from None
    return _inner(module), lines, marker.sites


def _is_emitted(function: FunctionType) -> bool:
    """Whether a function stands in a module that symback wrote."""
    said, name = function.__globals__.get("__doc__"), function.__name__
    heads = (f"The function {name}, as symback wrote it", f"What {name} computes:")
    return isinstance(said, str) and said.startswith(heads)


def _module(function: FunctionType) -> tuple[ast.Module, list[str]]:
    filename = function.__code__.co_filename
    linecache.checkcache(filename)
    lines = linecache.getlines(filename, function.__globals__)
    if not lines:
        raise UnreadableError("its source is not to be had; define it in a file")
    first = function.__code__.co_firstlineno
    try:
        tree = ast.parse("".join(lines))
    except (SyntaxError, RecursionError):  # a page of text, say, with code in it
        tree = _alone(lines, first)
    tree.body = [statement for statement in tree.body if _matters(statement, first)]
    return tree, lines


def _alone(lines: list[str], first: int) -> ast.Module:
    """Parse the definition that begins at a line, and nothing around it."""
    try:
        block = inspect.getblock(lines[first - 1 :])
        return ast.parse("\n" * (first - 1) + "".join(block))
    except (SyntaxError, RecursionError, IndexError, tokenize.TokenError):
        raise UnreadableError("its source cannot be parsed") from None


def _matters(statement: ast.stmt, line: int) -> bool:
    """Whether a statement of a module contains a line; calls of what is imported are compiled in their own way."""
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        return True
    return _first_line(statement) <= line <= (statement.end_lineno or line)


def _first_line(node: Any) -> int:
    return min([int(node.lineno), *(int(decorator.lineno) for decorator in getattr(node, "decorator_list", []))])


def _defines(node: Definition, code: CodeType) -> bool:
    """Whether a definition is that of some code: of several lambdas of one line, the one that has its columns."""
    if isinstance(node, ast.Lambda):
        columns = [(p[2], p[3]) for p in code.co_positions() if p[0] and p[2] is not None and p[3]]
        ends = node.body.col_offset, node.body.end_col_offset or 0
        within = node.body.lineno != node.body.end_lineno or (min(columns)[0], max(c[1] for c in columns)) == ends
        return code.co_name == "<lambda>" and node.lineno == code.co_firstlineno and within
    return node.name == code.co_name and _first_line(node) == code.co_firstlineno


def _is_same(tree: ast.Module, function: FunctionType) -> bool:
    """Whether the source, compiled, is what runs; pytest runs its tests with other assertions."""
    code = function.__code__
    if _PYTEST in function.__globals__:
        return True
    module = compile(tree, code.co_filename, "exec", dont_inherit=True)
    same = (c for c in _codes(module) if (c.co_name, c.co_firstlineno) == (code.co_name, code.co_firstlineno))
    return any(c.co_code == code.co_code and c.co_names == code.co_names for c in same)


def _install(parent: ast.AST, definition: Definition, marker: Marker) -> None:
    """Put the marked definition into the tree: behind a function, in the place of a lambda."""
    arguments = _bare(definition.args)
    names = [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    names += [a.arg for a in (arguments.vararg, arguments.kwarg) if a]
    given = ast.Dict([ast.Constant(name) for name in names], [ast.Name(name, ast.Load()) for name in names])
    frame = ast.Call(ast.Name(_RECORDER, ast.Load()), [given], [])
    if isinstance(definition, ast.Lambda):
        value = ast.Call(ast.Lambda(_parameters(FRAME), marker.visit(definition.body)), [frame], [])
        _replace(parent, definition, ast.Lambda(_parameters(_RECORDER), ast.Lambda(arguments, value)))
        return
    body: list[Any] = [ast.Assign([ast.Name(FRAME, ast.Store())], frame), *marker.block(definition.body)]
    inner = type(definition)(name=_WATCHED, args=arguments, body=body, decorator_list=[])
    factory = ast.FunctionDef(name=_FACTORY, args=_parameters(_RECORDER), body=[inner], decorator_list=[])
    (siblings,) = (block for block in _blocks(parent) if definition in block)
    siblings.insert(siblings.index(definition) + 1, factory)


def _bare(arguments: ast.arguments) -> ast.arguments:
    """Return parameters without defaults and annotations: those were evaluated once."""

    def bare(argument: ast.arg | None) -> Any:
        return argument and ast.arg(argument.arg)

    return ast.arguments(
        posonlyargs=[bare(a) for a in arguments.posonlyargs], args=[bare(a) for a in arguments.args],
        vararg=bare(arguments.vararg), kwonlyargs=[bare(a) for a in arguments.kwonlyargs],
        kw_defaults=[None for _ in arguments.kwonlyargs], kwarg=bare(arguments.kwarg), defaults=[],
    )  # fmt: skip


def _parameters(*names: str) -> ast.arguments:
    return ast.arguments(
        posonlyargs=[], args=[ast.arg(name) for name in names], kwonlyargs=[], kw_defaults=[], defaults=[]
    )


def _blocks(node: ast.AST) -> Iterator[list[Any]]:
    """Yield the lists of nodes that a node has."""
    for _, value in ast.iter_fields(node):
        if isinstance(value, list):
            yield value


def _replace(parent: ast.AST, old: ast.AST, new: ast.expr) -> None:
    """Put a node in the place of another one."""
    ast.copy_location(new, old)
    for name, value in ast.iter_fields(parent):
        if value is old:
            setattr(parent, name, new)
    for block in _blocks(parent):
        block[:] = [new if item is old else item for item in block]


def _codes(code: CodeType) -> Iterator[CodeType]:
    """Yield some code and that of all functions within."""
    pending = [code]
    while pending:
        code = pending.pop()
        yield code
        pending += [constant for constant in code.co_consts if isinstance(constant, CodeType)]


def _inner(module: CodeType) -> CodeType:
    """Return the code of the marked function: what the factory holds."""
    (factory,) = (code for code in _codes(module) if _RECORDER in code.co_cellvars)
    (inner,) = (constant for constant in factory.co_consts if isinstance(constant, CodeType))
    return inner
