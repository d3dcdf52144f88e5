"""Pieces of Python text that know how tightly they bind, so that parentheses stand only where they are needed."""

import ast
from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import sympy

from symback import errors
from symback.nodes.leaves import ExactValue
from symback.nodes.shapes import SizeExpr

SUM, WHOLE, MATMUL, PRODUCT, SIGN, POWER, ATOM = 60, 65, 69, 70, 80, 90, 100
"""How tightly an expression binds. Python gives @, // and * one rank; here they differ: so that they can be read, and
because a sign or a factor does not go into a whole quotient."""


LETTERS = "ijklmnopqrstuvwxyzabcdefghIJKLMNOPQRSTUVWXYZABCDEFGH"
"""The letters of einsum's patterns, in the order in which they are taken."""


class Text(NamedTuple):
    """An expression: its text without sign, how tightly that binds, its sign and its depth.

    `reduced` are the axes, counted from 0, that the call reduces which the text is, if it is one that has `keepdims`.
    """

    text: str
    precedence: int = ATOM
    negative: bool = False
    depth: int = 0
    reduced: tuple[int, ...] = ()

    def signed(self) -> str:
        """Return the text with its sign."""
        return f"-{self.wrapped(PRODUCT, signed=False)}" if self.negative else self.text

    def wrapped(self, precedence: int, *, signed: bool = True) -> str:
        """Return the text for a place that binds with `precedence`, in parentheses if it binds less."""
        if self.negative and signed:
            inner = self.signed()
            return inner if precedence <= SUM else f"({inner})"
        return self.text if self.precedence >= precedence else f"({self.text})"


def call(function: str, *arguments: str, depth: int = 0) -> Text:
    """Write a function call."""
    return Text(f"{function}({', '.join(arguments)})", depth=depth + 1)


def dtype_name(dtype: np.dtype[Any]) -> str:
    """Return NumPy's name of a scalar type, without ``np.``."""
    return "bool_" if dtype.kind == "b" else str(dtype.name)


def dtype_argument(dtype: np.dtype[Any]) -> str:
    """Write the dtype behind a shape; nothing for float64, which is NumPy's own choice."""
    return "" if dtype.name == "float64" else f", dtype=np.{dtype_name(dtype)}"


def deepest(texts: Sequence[Text]) -> int:
    """Return the depth of an expression made of these."""
    return 1 + max((text.depth for text in texts), default=0)


def sum_text(terms: Sequence[Text]) -> Text:
    """Write a sum; of two terms the positive one comes first."""
    if len(terms) == 2 and terms[0].negative and not terms[1].negative:
        terms = [terms[1], terms[0]]
    first, *rest = terms
    signed = [f"{'-' if term.negative else '+'} {term.wrapped(SUM + 1, signed=False)}" for term in rest]
    parts = [first.signed(), *signed]
    return Text(" ".join(parts), SUM, False, deepest(terms))


def assignment(name: str, text: Text) -> list[str]:
    """Write an assignment, on one line: long ones are broken by `symback.codegen.source.layout`."""
    return [f"{name} = {text.signed()}"]


def float_text(value: float) -> str:
    """Write a float so that it reads back the same, in an emitted module; no + before an exponent."""
    if value != value:
        return "np.nan"
    if value in (float("inf"), float("-inf")):
        return "np.inf" if value > 0 else "-np.inf"
    return repr(value).replace("e+", "e")


def string_text(value: str) -> str:
    """Write a string in the quotes that need fewer backslashes, double ones if either does.

    Example:
        >>> print(string_text("it's"), string_text('a "b"'))
        "it's" 'a "b"'
    """
    inner = repr("\"'" + value)[4:-1]  # with both quotes in it, in single ones
    if value.count('"') > value.count("'"):
        return f"'{inner}'"
    return '"' + inner.replace("\\'", "'").replace('"', '\\"') + '"'


def exact_text(value: ExactValue) -> Text:
    """Write an exact number as a Python literal, rounded once."""
    if isinstance(value, int):
        return _integer_text(value)
    if isinstance(value, sympy.Expr):
        named = {sympy.pi: "np.pi", sympy.E: "np.e", sympy.EulerGamma: "np.euler_gamma"}.get(value)
        number = float(value.evalf(30))
        return Text(named) if named else Text(float_text(abs(number)), ATOM, number < 0)
    try:
        number = float(value)
    except OverflowError:
        number = float("inf") if value > 0 else float("-inf")
    if number != number:
        return Text("np.nan")
    negative = str(number).startswith("-")
    return Text(float_text(abs(number)), ATOM, negative)


def _integer_text(value: int) -> Text:
    if not -(2**63) <= value < 2**63:
        raise errors.integer_overflow(value)
    return Text(str(abs(value)), ATOM, value < 0)


class Factor(NamedTuple):
    """A coefficient, split for printing: ``negative``, a literal to multiply by, a literal to divide by."""

    negative: bool
    times: str | None
    over: str | None


def coefficient_factor(value: ExactValue) -> Factor:
    """Split a coefficient as a person would write it: 1/2 is 0.5, but 1/3 divides by 3."""
    if isinstance(value, Fraction):
        top, bottom = abs(value.numerator), value.denominator
        if bottom & (bottom - 1) and top < 2**53 and bottom < 2**53:
            return Factor(value < 0, None if top == 1 else str(top), str(bottom))
    text = exact_text(value)
    return Factor(text.negative, None if text.text in ("1", "1.0") else text.text, None)


def size_text(size: SizeExpr, names: dict[str, str]) -> Text:
    """Write a size: an integer, or a polynomial of the Python names of symbolic sizes."""
    if isinstance(size, int):
        return Text(str(size))
    renamed = size.xreplace({symbol: sympy.Symbol(names[symbol.name]) for symbol in size.free_symbols})
    text = str(renamed).replace("*", " * ").replace(" *  * ", "**")
    return Text(text, ATOM if size.is_Symbol else PRODUCT if size.is_Mul else SUM)


_OPERATORS = {
    ast.Add: SUM, ast.Sub: SUM, ast.Mult: PRODUCT, ast.Div: PRODUCT, ast.FloorDiv: WHOLE, ast.Mod: WHOLE,
    ast.MatMult: MATMUL, ast.Pow: POWER,
}  # fmt: skip
_COMPARISON = 50


class _Places(ast.NodeVisitor):
    """Finds how tightly each placeholder of a template must bind."""

    def __init__(self, count: int) -> None:
        self.required = [0] * count

    def _require(self, node: ast.AST, precedence: int) -> None:
        if isinstance(node, ast.Name) and node.id.startswith("operand_"):
            position = int(node.id.removeprefix("operand_"))
            self.required[position] = max(self.required[position], precedence)

    def generic_visit(self, node: ast.AST) -> None:
        if isinstance(node, ast.BinOp):
            own = _OPERATORS.get(type(node.op), ATOM)
            self._require(node.left, own + (own == POWER))
            self._require(node.right, (PRODUCT if own == WHOLE else own) + 1 if own != POWER else SIGN)
        elif isinstance(node, ast.Compare):
            for compared in (node.left, *node.comparators):
                self._require(compared, _COMPARISON + 1)
        elif not isinstance(node, (ast.Call, ast.Expression, ast.Name, ast.List, ast.Tuple)):
            for part in ast.iter_child_nodes(node):
                self._require(part, ATOM)
        super().generic_visit(node)


@cache
def _parsed(template: str, count: int) -> tuple[int, tuple[int, ...]]:
    text = template.format(*(f"operand_{k}" for k in range(count)))
    body = ast.parse(text, mode="eval").body
    places = _Places(count)
    places.visit(body)
    own = _OPERATORS.get(type(body.op), ATOM) if isinstance(body, ast.BinOp) else ATOM
    own = _COMPARISON if isinstance(body, ast.Compare) else SIGN if isinstance(body, ast.UnaryOp) else own
    return own, tuple(places.required)


def template_text(template: str, operands: Sequence[Text]) -> Text:
    """Fill a template such as ``"{0} > {1}"``, with parentheses where the template's operators ask for them."""
    own, required = _parsed(template, len(operands))
    texts = [text.wrapped(need) if need else text.signed() for text, need in zip(operands, required, strict=True)]
    return Text(template.format(*texts), own, False, deepest(operands))
