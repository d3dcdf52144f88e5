"""Helpers and templates of elementwise functions, read as the NumPy calls that they are made of."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

Reference = int | str
"""An operand by its number, a result of a call by minus its number minus one, or a literal."""


class Call(NamedTuple):
    """A call of a function of NumPy's that has ``out``, of references."""

    function: str
    arguments: tuple[Reference, ...]


_BINARY = {
    ast.Add: "np.add", ast.Sub: "np.subtract", ast.Mult: "np.multiply", ast.Div: "np.divide", ast.Pow: "np.power",
}  # fmt: skip

_POWERS: dict[str, tuple[tuple[str, tuple[int, ...]], ...]] = {
    "2": (("np.square", (0,)),),
    "3": (("np.square", (0,)), ("np.multiply", (-1, 0))),
    "4": (("np.square", (0,)), ("np.square", (-1,))),
    "0.5": (("np.sqrt", (0,)),),
    "1.5": (("np.sqrt", (0,)), ("np.multiply", (-1, 0))),
    "-1": (("np.reciprocal", (0,)),),
    "-0.5": (("np.sqrt", (0,)), ("np.reciprocal", (-1,))),
}
"""Powers that are products and roots: a call of `np.power` takes twenty times as long."""


def is_ufunc(name: str) -> bool:
    """Is this NumPy's name of an elementwise function with one result?"""
    found: Any = getattr(np, name.removeprefix("np."), None) if name.startswith("np.") else None
    return isinstance(found, np.ufunc) and found.nout == 1 and found.signature is None


class _UnreadableError(Exception):
    """There is more in the text than calls of elementwise functions."""


class _Reader:
    """Reads straight-line code: assignments and a result."""

    def __init__(self, names: Sequence[str], literals: Sequence[str | None] = ()) -> None:
        self.calls: list[Call] = []
        self._values: dict[str, Reference] = {name: position for position, name in enumerate(names)}
        self._values.update({name: text for name, text in zip(names, literals, strict=False) if text is not None})

    def _call(self, function: str, arguments: Sequence[Reference]) -> Reference:
        if not is_ufunc(function):
            raise _UnreadableError
        if all(isinstance(argument, str) for argument in arguments):
            raise _UnreadableError
        if function == "np.power" and arguments[1] in _POWERS:
            base = arguments[0]
            for step, places in _POWERS[str(arguments[1])]:
                latest = -len(self.calls)
                self.calls.append(Call(step, tuple(base if place == 0 else latest for place in places)))
        else:
            self.calls.append(Call(function, tuple(arguments)))
        return -len(self.calls)

    def read(self, node: ast.expr) -> Reference:
        """Return where the value of an expression is."""
        if isinstance(node, ast.Name) and node.id in self._values:
            return self._values[node.id]
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            return repr(node.value)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            inner = self.read(node.operand)
            return f"-{inner}" if isinstance(inner, str) else self._call("np.negative", [inner])
        if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
            left = self.read(node.left)
            return self._call(_BINARY[type(node.op)], [left, self.read(node.right)])
        if isinstance(node, ast.Call) and not node.keywords:
            return self._call(ast.unparse(node.func), [self.read(argument) for argument in node.args])
        raise _UnreadableError

    def run(self, statement: ast.stmt) -> Reference | None:
        """Follow a statement; return where the result is, if it returns one."""
        if isinstance(statement, ast.Return) and statement.value is not None:
            return self.read(statement.value)
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            self._values[statement.targets[0].id] = self.read(statement.value)
        elif isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
            before = self._values[statement.target.id]
            if not isinstance(before, int) or before >= 0 or type(statement.op) not in _BINARY:
                raise _UnreadableError
            after = self._call(_BINARY[type(statement.op)], [before, self.read(statement.value)])
            self._values[statement.target.id] = after
        elif not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)):
            raise _UnreadableError
        return None


@cache
def calls_of_template(template: str, literals: tuple[str | None, ...]) -> tuple[Call, ...] | None:
    """Return the calls that a template such as ``"{0} * (1 - {0})"`` stands for; None if it holds anything else.

    Args:
        template: The template, or a function's name.
        literals: For each operand its text, if it is a number; else None.
    """
    names = [f"operand_{position}" for position in range(len(literals))]
    text = template if "{" in template else f"{template}({', '.join(names)})"
    reader = _Reader(names, literals)
    try:
        result = reader.read(ast.parse(text.format(*names), mode="eval").body)
    except _UnreadableError:
        return None
    return tuple(reader.calls) if result == -len(reader.calls) < 0 else None


@cache
def calls_of_helper(function: Callable[..., Any]) -> tuple[Call, ...] | None:
    """Return the calls that a helper makes, if it is straight-line code of elementwise functions; else None."""
    if not inspect.isroutine(function):
        return None  # it is given to the module
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    if not isinstance(definition, ast.FunctionDef) or definition.args.kwonlyargs or definition.args.defaults:
        return None
    reader = _Reader([argument.arg for argument in definition.args.args])
    try:
        results = [found for line in definition.body if (found := reader.run(line)) is not None]
    except _UnreadableError:
        return None
    return tuple(reader.calls) if results == [-len(reader.calls)] and reader.calls else None
