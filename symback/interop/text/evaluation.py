"""From a syntax tree to nodes: `Source` lets few kinds of syntax through, and a table says how each is read.

Each reader is a generator that yields the parts it needs and returns a value, so that nothing recurses. A value is a
node, a number, a size, a boolean, None, Ellipsis, a dtype, or a list or tuple of values.
"""

import ast
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np
import sympy

from symback.errors import text as messages
from symback.errors.kinds import SymbackError
from symback.interop.text import names
from symback.interop.text.numbers import (
    NUMBERS,
    SIZES,
    NumberError,
    combined,
    combined_sizes,
    is_number,
    is_size,
    literal,
)
from symback.interop.text.syntax import Source, dotted
from symback.nodes.leaves import as_node
from symback.nodes.methods import ArrayMethods
from symback.nodes.node import Node
from symback.nodes.operators import METHODS

Reading: TypeAlias = Generator[ast.AST, Any, Any]

_BINARY = {
    ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.Div: "divide", ast.FloorDiv: "floor_divide",
    ast.Mod: "remainder", ast.Pow: "power", ast.MatMult: "matmul", ast.BitAnd: "bitwise_and", ast.BitOr: "bitwise_or",
    ast.BitXor: "bitwise_xor", ast.LShift: "left_shift", ast.RShift: "right_shift",
}  # fmt: skip
_UNARY = {ast.USub: "negative", ast.UAdd: "positive", ast.Invert: "invert"}
_COMPARISONS = {
    ast.Lt: "less", ast.LtE: "less_equal", ast.Gt: "greater", ast.GtE: "greater_equal", ast.Eq: "equal",
    ast.NotEq: "not_equal",
}  # fmt: skip
_ATTRIBUTES = ("T", "mT", "shape", "size", "ndim", "dtype", "real", "imag")
_METHODS = frozenset(name for name, value in vars(ArrayMethods).items() if not name.startswith("_") and callable(value))
_ERRORS = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RuntimeError, MemoryError)
"""What Python and NumPy raise on arguments that do not fit."""


class Evaluator:
    """Reads the expressions of one formula.

    Args:
        source: The formula.
        values: Variables, and names that the formula has assigned so far; the caller adds to it.
        sizes: Symbolic sizes by name.
    """

    def __init__(self, source: Source, values: Mapping[str, Any], sizes: Mapping[str, sympy.Symbol]) -> None:
        self._source = source
        self._values = values
        self._sizes = sizes

    def __call__(self, expression: ast.expr) -> Any:
        """Return the value of an expression."""
        running = [self._reading(expression)]
        value: Any = None
        while running:
            try:
                part = running[-1].send(value)
            except StopIteration as done:
                running.pop()
                value = done.value
            else:
                running.append(self._reading(part))
                value = None
        return value

    @contextmanager
    def at(self, node: ast.AST) -> Iterator[None]:
        """Let errors say that they arose at a place."""
        try:
            yield
        except NumberError as error:
            raise messages.refused(str(error), self._source.place(node)) from None
        except SymbackError as error:
            raise messages.located(error, self._source.place(node)) from None
        except _ERRORS as error:
            raise messages.failed(error, self._source.place(node)) from None

    def _refuse(self, reason: str, node: ast.AST) -> SymbackError:
        return messages.refused(reason, self._source.place(node))

    def _reading(self, node: ast.AST) -> Reading:
        leaf = _LEAVES.get(type(node))
        if leaf is not None:
            return leaf(self, node)
        return (yield from _READERS[type(node)](self, node))

    # -- leaves --------------------------------------------------------------------------------

    def _constant(self, node: ast.Constant) -> Any:
        value = node.value
        if isinstance(value, (str, bytes)):
            reason = "a string stands for an option of a function only, such as einsum('ij,j->i', A, x)"
            raise self._refuse(reason, node)
        if value is None or value is Ellipsis or isinstance(value, bool):
            return value
        with self.at(node):
            return literal(value, self._source.segment(node))

    def _name(self, node: ast.Name) -> Any:
        name = node.id
        if name in self._values and name in self._sizes:
            raise self._refuse(f"{name} is the name of a variable and of a size; rename one of them", node)
        if name in self._values:
            return self._values[name]
        return self._sizes[name] if name in self._sizes else self._known((name,), node)

    def _known(self, path: tuple[str, ...], node: ast.AST) -> Any:
        """Return the value that a name has in every formula."""
        found = names.constant(path)
        if found is not None:
            value = found[0]
            return as_node(value) if isinstance(value, sympy.Basic) else value
        name = names.bare(path)
        if name in names.functions():
            raise self._refuse(f"{name} is a function; write {name}(...)", node)
        hint = messages.did_you_mean(name, [*self._values, *names.functions(), *names.CONSTANTS])
        raise self._refuse(f"nothing is called {'.'.join(path)!r}{hint}", node)

    # -- operators -----------------------------------------------------------------------------

    def _binary(self, node: ast.BinOp) -> Reading:
        name = _BINARY[type(node.op)]
        left = yield node.left
        right = yield node.right
        with self.at(node):
            if is_number(left) and is_number(right) and name in NUMBERS:
                return combined(name, left, right)
            if is_size(left) and is_size(right) and name in SIZES:
                return combined_sizes(name, left, right)
            return METHODS[name](_operand(left), _operand(right))

    def _unary(self, node: ast.UnaryOp) -> Reading:
        name = _UNARY[type(node.op)]
        value = yield node.operand
        with self.at(node):
            if name != "invert" and is_number(value):
                return value if name == "positive" else -value
            if name != "invert" and is_size(value):
                return combined_sizes("multiply", -1 if name == "negative" else 1, value)
            return METHODS[name](_operand(value))

    def _compare(self, node: ast.Compare) -> Reading:
        if len(node.ops) > 1:
            raise self._refuse("comparisons are not chained in a formula; write logical_and(0 < x, x < 1)", node)
        name = _COMPARISONS[type(node.ops[0])]
        left = yield node.left
        right = yield node.comparators[0]
        with self.at(node):
            return METHODS[name](_operand(left), _operand(right))

    # -- attributes and calls --------------------------------------------------------------------

    def _attribute(self, node: ast.Attribute) -> Reading:
        self._check_attribute(node)
        path = dotted(node)
        if path is not None and not self._is_value(path[0]):
            return self._known(path, node)
        value = yield node.value
        if isinstance(value, tuple) and node.attr in getattr(value, "_fields", ()):
            return getattr(value, node.attr)
        if node.attr in _METHODS:
            raise self._refuse(f"{node.attr} is a method; write .{node.attr}(...)", node)
        if node.attr not in _ATTRIBUTES:
            hint = messages.did_you_mean(node.attr, [*_ATTRIBUTES, *_METHODS])
            raise self._refuse(f"nothing is called .{node.attr}{hint}", node)
        with self.at(node):
            return getattr(_operand(value), node.attr)

    def _check_attribute(self, node: ast.Attribute) -> None:
        if node.attr.startswith("_"):
            raise self._refuse(f".{node.attr} is not read in a formula: names that begin with _ are Python's own", node)

    def _is_value(self, name: str) -> bool:
        return name in self._values or name in self._sizes

    def _call(self, node: ast.Call) -> Reading:
        path = dotted(node.func)
        if isinstance(node.func, ast.Attribute):
            self._check_attribute(node.func)
        owner: list[Any] = []
        if path is not None and (len(path) == 1 or not self._is_value(path[0])):
            name, function = self._function(path, node.func)
        elif isinstance(node.func, ast.Attribute):
            value = yield node.func.value
            owner.append(value)
            name, function = node.func.attr, self._method(value, node.func)
        else:
            raise self._refuse("only functions and methods are called by their names; write * for a product", node.func)
        given, named = yield from self._arguments(node)
        if names.counts_too_far(name, [*owner, *given], named):
            reason = f"{name}: a formula has no counts above {names.MOST_COUNTED:,}; make what is so long a variable"
            raise self._refuse(reason, node)
        with self.at(node):
            exact = names.is_elementwise(name)
            result = function(
                *(_argument(value, exact) for value in given),
                **{key: _argument(value, exact) for key, value in named.items()},
            )
            return as_node(result) if isinstance(result, np.generic) else result

    def _function(self, path: tuple[str, ...], node: ast.AST) -> tuple[str, Callable[..., Any]]:
        name, known = names.bare(path), names.functions()
        if name in known:
            return name, known[name]
        if self._is_value(path[0]):
            raise self._refuse(f"{name} is no function; write {name} * (...) for a product", node)
        raise messages.unknown_function(name, known, names.nearest(name), self._source.place(node))

    def _method(self, owner: Any, node: ast.Attribute) -> Callable[..., Any]:
        if node.attr not in _METHODS:
            hint = messages.did_you_mean(node.attr, _METHODS)
            raise self._refuse(f"no method is called .{node.attr}(){hint}", node)
        with self.at(node):
            found: Callable[..., Any] = getattr(_operand(owner), node.attr)
            return found

    def _arguments(self, node: ast.Call) -> Generator[ast.AST, Any, tuple[list[Any], dict[str, Any]]]:
        given: list[Any] = []
        named: dict[str, Any] = {}
        for part in node.args:
            value = _option(part)
            given.append((yield part) if value is None else value)
        for keyword in node.keywords:
            if keyword.arg is None:
                raise self._refuse("** is not read in a formula; write the options one by one", node)
            value = _option(keyword.value)
            named[keyword.arg] = (yield keyword.value) if value is None else value
        return given, named

    # -- indices and sequences ---------------------------------------------------------------------

    def _subscript(self, node: ast.Subscript) -> Reading:
        value = yield node.value
        index = yield from self._index(node.slice)
        with self.at(node):
            if isinstance(value, (tuple, list)):
                return value[index]
            return METHODS["getitem"](_operand(value), index)

    def _index(self, node: ast.expr) -> Reading:
        if not isinstance(node, ast.Tuple):
            return (yield from self._one_index(node))
        parts: list[Any] = []
        for part in node.elts:
            index = yield from self._one_index(part)
            parts.append(index)
        return tuple(parts)

    def _one_index(self, node: ast.expr) -> Reading:
        if not isinstance(node, ast.Slice):
            return (yield node)
        lower = (yield node.lower) if node.lower else None
        upper = (yield node.upper) if node.upper else None
        step = (yield node.step) if node.step else None
        return slice(lower, upper, step)

    def _sequence(self, node: ast.List | ast.Tuple) -> Reading:
        items: list[Any] = []
        for part in node.elts:
            item = yield part
            items.append(item)
        return items if isinstance(node, ast.List) else tuple(items)


def _option(node: ast.AST) -> str | None:
    """Return a string that is an argument; None if it is none."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _operand(value: Any) -> Node:
    """Return a value as a node; a list is the array that NumPy makes of it."""
    return as_node(_plain(value) if isinstance(value, (list, tuple)) else value)


def _plain(value: Any) -> Any:
    """Return fractions in lists as floats, as NumPy has them."""
    if isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
        return type(value)(map(_plain, value))
    return float(value) if isinstance(value, Fraction) else value


def _argument(value: Any, exact: bool) -> Any:
    """Return an argument: exact numbers stay so as operands, and are floats as options."""
    return as_node(value) if exact and isinstance(value, Fraction) else _plain(value)


_LEAVES: dict[type[ast.AST], Callable[[Evaluator, Any], Any]] = {
    ast.Constant: Evaluator._constant, ast.Name: Evaluator._name,
}  # fmt: skip
_READERS: dict[type[ast.AST], Callable[[Evaluator, Any], Reading]] = {
    ast.BinOp: Evaluator._binary,
    ast.UnaryOp: Evaluator._unary, ast.Compare: Evaluator._compare, ast.Attribute: Evaluator._attribute,
    ast.Call: Evaluator._call, ast.Subscript: Evaluator._subscript, ast.List: Evaluator._sequence,
    ast.Tuple: Evaluator._sequence,
}  # fmt: skip
"""How the expressions that `Source` lets through are read."""
