"""Expressions of emitted code, read back as far as it matters where a line may be broken."""

import re
from collections.abc import Sequence
from typing import NamedTuple

_TOKEN = re.compile(
    r"""\s*(?:(f?"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
    r"""|(\d[\w.]*(?:(?<=[eE])[+-]\d+)?|\.\d+\w*)"""
    r"""|([^\W\d]\w*)"""
    r"""|(\*\*|//|==|!=|<=|>=|<<|>>|[-+*/%@&|^~<>=.,:()\[\]{}]))"""
)
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_LEVELS = ("or", "and"), ("==", "!=", "<", "<=", ">", ">="), ("|",), ("^",), ("&",), ("<<", ">>"), ("+", "-")
_RANKS = {sign: rank for rank, signs in enumerate((*_LEVELS, ("*", "/", "//", "%", "@"))) for sign in signs}
_COMPARISON, _POWER = _RANKS["=="], len(_LEVELS) + 1
_RANKS["and"] = 0.5  # type: ignore[assignment]
_WORDS = {"if", "else", "lambda", "for", "in", "is", "await", "yield", "async", "not"}


class Atom(NamedTuple):
    """A name, a number or a string."""

    text: str


class Brackets(NamedTuple):
    """Brackets around items."""

    opening: str
    items: tuple["Expression", ...]
    listed: bool
    """Are the items separated by commas, so that a comma may follow the last one?"""


class Postfix(NamedTuple):
    """An expression with attributes, calls and indices behind it."""

    base: "Expression"
    trailers: tuple["str | Brackets", ...]


class Binary(NamedTuple):
    """Operators of one rank between operands."""

    operands: tuple["Expression", ...]
    signs: tuple[str, ...]


class Unary(NamedTuple):
    """A sign, or stars, before an operand; nothing may stand behind a lone star."""

    sign: str
    operand: "Expression"


class Pair(NamedTuple):
    """A keyword or a key with its value."""

    key: "Expression"
    sign: str
    value: "Expression"


class Slice(NamedTuple):
    """A slice: up to three bounds, between colons."""

    bounds: tuple["Expression | None", ...]


Expression = Atom | Brackets | Postfix | Binary | Unary | Pair | Slice


class UnknownSyntaxError(Exception):
    """The text is none that symback writes."""


def tokens_of(text: str) -> list[str]:
    """Split a line into tokens.

    Raises:
        UnknownSyntaxError: If a character is none of Python's, or opens a comment.
    """
    tokens, position, text = [], 0, text.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise UnknownSyntaxError(text[position:])
        tokens.append(match.group(match.lastindex or 0))
        position = match.end()
    return tokens


class Parser:
    """Reads expressions from tokens."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self._tokens = [*tokens, ""]
        self._position = 0

    @property
    def ahead(self) -> str:
        """The next token; nothing at the end."""
        return self._tokens[self._position]

    def take(self, wanted: str = "") -> str:
        """Return the next token and go on."""
        token = self.ahead
        if not token or (wanted and token != wanted):
            raise UnknownSyntaxError(f"{token!r} where {wanted!r} was wanted")
        self._position += 1
        return token

    def expression(self, least: float = 0) -> Expression:
        """Read an expression whose operators have at least this rank."""
        operand = self._unary()
        while (rank := _RANKS.get(self.ahead, -1)) >= least:
            operands, signs = [operand], []
            while _RANKS.get(self.ahead) == rank:
                signs.append(self.take())
                operands.append(self.expression(rank + 0.5))
            operand = Binary(tuple(operands), tuple(signs))
        return operand

    def _unary(self) -> Expression:
        if self.ahead in ("-", "+", "~"):
            sign, operand = self.take(), self._unary()
            power = isinstance(operand, Binary) and operand.signs == ("**",)
            return Unary(sign, Brackets("(", (operand,), False) if power else operand)
        base = self._postfix()
        if self.ahead != "**":
            return base
        return Binary((base, self._power()), ("**",))

    def _power(self) -> Expression:
        self.take("**")
        return self._unary()

    def _postfix(self) -> Expression:
        token = self.ahead
        starts = token in _CLOSING or token[:1].isalnum() or token[:1] in ("_", '"', "'", ".")
        if token in _WORDS or not starts:
            raise UnknownSyntaxError(token)
        base: Expression = self._brackets() if token in _CLOSING else Atom(self.take())
        trailers: list[str | Brackets] = []
        while self.ahead in (".", "(", "["):
            if self.ahead == ".":
                self.take()
                trailers.append(f".{self.take()}")
            else:
                called = self._brackets()
                trailers.append(called._replace(listed=called.listed or called.opening == "("))
        return Postfix(base, tuple(trailers)) if trailers else base

    def _brackets(self) -> Brackets:
        opening = self.take()
        closing, items, commas = _CLOSING[opening], [], 0
        while self.ahead != closing:
            items.append(self._item())
            if self.ahead != closing:
                self.take(",")
                commas += 1
        self.take(closing)
        return Brackets(opening, tuple(items), commas > 0 or opening == "{")

    def _item(self) -> Expression:
        if self.ahead in ("*", "**"):
            star = self.take()
            return Unary(star, Atom("") if self.ahead in (",", ")") else self.expression())
        bounds: list[Expression | None] = [None if self.ahead == ":" else self.expression()]
        if self.ahead == "=" and bounds[0] is not None:
            return Pair(bounds[0], self.take(), self.expression())
        while self.ahead == ":":
            self.take()
            bounds.append(None if self.ahead in (":", ",", "]") else self.expression())
        first = bounds[0]
        return first if len(bounds) == 1 and first is not None else Slice(tuple(bounds))


def flat(node: Expression) -> str:
    """Write an expression on one line, with spaces as Python's formatters set them."""
    match node:
        case Atom(text):
            return text
        case Brackets(opening, items, listed):
            inner = ", ".join(_in_dict(item) if opening == "{" else flat(item) for item in items)
            lone = "," if opening == "(" and listed and len(items) == 1 else ""
            return f"{opening}{inner}{lone}{_CLOSING[opening]}"
        case Postfix(base, trailers):
            return flat(base) + "".join(map(_flat_trailer, trailers))
        case Binary(operands, signs):
            texts = [flat(operands[0])]
            texts += [f"{spaced(node, sign)}{flat(right)}" for sign, right in zip(signs, operands[1:], strict=True)]
            return "".join(texts)
        case Unary(sign, operand):
            return f"{sign}{flat(operand)}"
        case Pair(key, sign, value):
            return f"{flat(key)}{sign}{flat(value)}"
        case Slice(bounds):
            return _flat_slice(bounds)


def spaced(node: Binary, sign: str) -> str:
    """Return the sign with the spaces around it: none where names and numbers are raised to a power."""
    close = sign == "**" and all(_is_simple_power(operand) for operand in node.operands)
    return sign if close else f" {sign} "


def _flat_trailer(trailer: str | Brackets) -> str:
    if isinstance(trailer, str):
        return trailer
    alone = trailer.opening == "(" and len(trailer.items) == 1
    return flat(trailer._replace(listed=False) if alone else trailer)


def _in_dict(item: Expression) -> str:
    if isinstance(item, Slice) and len(item.bounds) == 2 and item.bounds[0] and item.bounds[1]:
        return f"{flat(item.bounds[0])}: {flat(item.bounds[1])}"
    return flat(item)


def _flat_slice(bounds: Sequence[Expression | None]) -> str:
    space = "" if all(bound is None or _is_simple_bound(bound) for bound in bounds) else " "
    text = flat(bounds[0]) if bounds[0] is not None else ""
    for bound in bounds[1:]:
        before = space if text and not text.endswith(":") else ""
        text += f"{before}:" if bound is None else f"{before}:{space}{flat(bound)}"
    return text


def _is_simple_power(node: Expression) -> bool:
    if isinstance(node, Unary):
        return _is_simple_power(node.operand)
    if isinstance(node, Postfix):
        return isinstance(node.base, Atom) and all(isinstance(trailer, str) for trailer in node.trailers)
    return isinstance(node, Atom) and node.text[-1] not in "\"'"


def _is_simple_bound(node: Expression) -> bool:
    return _is_simple_bound(node.operand) if isinstance(node, Unary) else isinstance(node, Atom)
