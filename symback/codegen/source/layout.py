"""Where the lines of emitted code are broken: as Python's formatters would break them, at 88 characters.

A statement that fits its line stays on it. Else its last brackets are opened: what is in them goes on a line of its
own, or, where that is too long, each item on one, with a comma behind the last. What has no brackets to open gets
parentheses, and a line for each operand of its weakest operator.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from symback.codegen.source.syntax import (
    Atom,
    Binary,
    Brackets,
    Expression,
    Pair,
    Parser,
    Postfix,
    Slice,
    Unary,
    UnknownSyntaxError,
    flat,
    spaced,
    tokens_of,
)

WIDTH = 88
"""The length of a line, with its indentation."""

_STEP = 4
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_KEYWORDS = ("return", "raise", "if", "elif", "while", "assert", "del")


# -- documents: text with places for line ends -----------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """The end of a line where the group around it is broken, else its text."""

    text: str


@dataclass(frozen=True)
class Group:
    """A part that stays on one line if it fits."""

    parts: tuple["Document", ...]


@dataclass(frozen=True)
class Indent:
    """A part that is indented."""

    parts: tuple["Document", ...]


@dataclass(frozen=True)
class IfBroken:
    """A text that stands only where the group around it is broken."""

    text: str


Document = str | Line | Group | Indent | IfBroken
_Step = tuple[int, bool, Document]


def _pushed(stack: list[_Step], indent: int, broken: bool, parts: Sequence[Document]) -> None:
    stack.extend((indent, broken, part) for part in reversed(parts))


def _fits(room: int, first: Sequence[_Step], stack: Sequence[_Step] = ()) -> bool:
    """Does the text up to the next end of a line fit, of what comes first and of what is on the stack behind it?"""
    rest, behind = list(first), len(stack)
    while room >= 0:
        if not rest:
            if not behind:
                return True
            behind -= 1
            rest.append(stack[behind])
        indent, broken, part = rest.pop()
        match part:
            case str():
                room -= len(part)
            case Line(text):
                if broken:
                    return True
                room -= len(text)
            case IfBroken(text):
                room -= len(text) if broken else 0
            case Group(parts) | Indent(parts):
                _pushed(rest, indent, broken, parts)
    return False


def _printed(parts: Sequence[Document], indent: int, column: int) -> str:
    """Print a document; groups that do not fit are broken, the outer ones first."""
    written: list[str] = []
    stack: list[_Step] = []
    _pushed(stack, indent, True, parts)
    while stack:
        indent, broken, part = stack.pop()
        match part:
            case Line(text) if broken:
                written.append("\n" + " " * indent)
                column = indent
            case Line(text) | str(text):
                written.append(text)
                column += len(text)
            case IfBroken(text):
                written.append(text if broken else "")
                column += len(text) if broken else 0
            case Indent(inner):
                _pushed(stack, indent + _STEP, broken, inner)
            case Group(inner):
                whole = [(indent, False, part) for part in reversed(inner)]
                _pushed(stack, indent, not _fits(WIDTH - column, whole, stack), inner)
    return "".join(written)


# -- expressions -----------------------------------------------------------------------------------------


def _document(node: Expression, inside: bool) -> tuple[Document, ...]:
    """Return an expression with the places where it may be broken; operators are such only inside of brackets."""
    match node:
        case Brackets():
            return _brackets(node)
        case Postfix():
            return _postfix(node, inside)
        case Binary() if inside:
            return (Group(_operators(node)),)
        case Binary(operands, signs):
            parts = list(_document(operands[0], inside))
            for sign, right in zip(signs, operands[1:], strict=True):
                parts += [spaced(node, sign), *_document(right, inside)]
            return tuple(parts)
        case Unary(sign, operand):
            return (sign, *_document(operand, inside))
        case Pair(key, sign, value):
            return (f"{flat(key)}{sign}", *_document(value, inside))
        case Slice() | Atom():
            return (flat(node),)


def _operators(node: Binary) -> tuple[Document, ...]:
    parts: list[Document] = list(_document(node.operands[0], inside=True))
    for sign, right in zip(node.signs, node.operands[1:], strict=True):
        text = spaced(node, sign)
        parts += [Line(" "), text[1:]] if text != sign else [text]
        parts += _document(right, inside=True)
    return tuple(parts)


def _brackets(node: Brackets, called: bool = False) -> tuple[Document, ...]:
    """Open brackets: arguments may share a line of their own, the items of lists and tuples do not."""
    closing = _CLOSING[node.opening]
    if not node.items:
        return (node.opening + closing,)
    inner: list[Document] = []
    for place, item in enumerate(node.items):
        inner += [",", Line(" ")] if place else []
        inner += _entry(item) if node.opening == "{" else _document(item, inside=True)
    if node.listed and not called:
        lone = node.opening == "(" and len(node.items) == 1
        inner.append("," if lone else IfBroken(","))
    items = (Group((*inner, IfBroken(","))),) if called else tuple(inner)
    return (Group((node.opening, Indent((Line(""), *items)), Line(""), closing)),)


def _entry(item: Expression) -> tuple[Document, ...]:
    if isinstance(item, Slice) and len(item.bounds) == 2 and item.bounds[0] and item.bounds[1]:
        return (f"{flat(item.bounds[0])}: ", *_document(item.bounds[1], inside=True))
    return _document(item, inside=True)


def _postfix(node: Postfix, inside: bool) -> tuple[Document, ...]:
    chained = _is_chain(node)
    parts = list(_document(node.base, inside=False if isinstance(node.base, Atom) else inside))
    behind = isinstance(node.base, Brackets)
    for trailer in node.trailers:
        if isinstance(trailer, str) and behind and chained and inside:
            parts.append(Line(""))
        parts += (trailer,) if isinstance(trailer, str) else _brackets(trailer, called=trailer.opening == "(")
        behind = not isinstance(trailer, str)
    return (Group(tuple(parts)),) if chained and inside else tuple(parts)


def _is_chain(node: Postfix) -> bool:
    """Do at least two attributes stand behind calls, indices or parentheses?"""
    before = [node.base, *node.trailers]
    return sum(isinstance(t, str) and isinstance(b, Brackets) for b, t in zip(before, node.trailers, strict=False)) > 1


# -- statements ------------------------------------------------------------------------------------------


def _ends_in_brackets(node: Expression) -> bool:
    while not isinstance(node, Brackets):
        if isinstance(node, Binary):
            node = node.operands[-1]
        elif isinstance(node, Unary):
            node = node.operand
        elif isinstance(node, Postfix):
            last = node.trailers[-1]
            return isinstance(last, Brackets) and last.opening == "(" and bool(last.items)
        else:
            return False
    return bool(node.items)


def _starts_in_brackets(node: Expression) -> bool:
    while isinstance(node, (Binary, Postfix)):
        node = node.operands[0] if isinstance(node, Binary) else node.base
    return isinstance(node, Brackets) and bool(node.items)


def _value(node: Expression, prefix: str, suffix: str, indent: int) -> str:
    """Write a value behind a prefix, in parentheses if it has no brackets to open that would do."""
    core: Expression = node
    while isinstance(core, Unary):
        core = core.operand
    if not isinstance(core, Brackets) and isinstance(node, Unary):
        core = core if isinstance(core, (Postfix, Atom)) else node
    parts = (prefix, *_document(node, inside=False), suffix)
    wrapped = False
    if isinstance(core, Binary):
        omitted = len(core.signs) == 1 and (_ends_in_brackets(core) or _starts_in_brackets(core))
        wrapped = not omitted or max(map(len, _printed(parts, indent, indent).split("\n"))) > WIDTH
    elif isinstance(core, Postfix) and _is_chain(core):
        wrapped = True
    elif isinstance(core, Atom) or (isinstance(core, Postfix) and all(isinstance(t, str) for t in core.trailers)):
        wrapped = indent + _STEP + len(flat(node)) <= WIDTH
    if wrapped and not _fits(WIDTH - indent, [(indent, False, part) for part in reversed(parts)]):
        inner = (Line(""), *_document(node, inside=True))
        parts = (prefix, Group((IfBroken("("), Indent(inner), Line(""), IfBroken(")"))), suffix)
    return _printed(parts, indent, indent)


def _laid(text: str, indent: int) -> str:
    tokens = tokens_of(text)
    suffix = ":" if tokens[-1] == ":" else ""
    tokens = tokens[: len(tokens) - len(suffix)]
    if tokens[0] in ("def", "@"):
        start = f"{tokens[0]} " if tokens[0] == "def" else "@"
        return _value(_whole(tokens[1:]), start, suffix, indent)
    if tokens[0] in _KEYWORDS and len(tokens) > 1:
        return _value(_whole(tokens[1:]), f"{tokens[0]} ", suffix, indent)
    target, sign, value = _split(tokens)
    prefix = ", ".join(flat(part) for part in target)
    return _value(_whole(value), f"{prefix} {sign} " if sign else "", suffix, indent)


def _whole(tokens: Sequence[str]) -> Expression:
    parser = Parser(tokens)
    node = parser.expression()
    if parser.ahead:
        raise UnknownSyntaxError(parser.ahead)
    return node


def _split(tokens: Sequence[str]) -> tuple[list[Expression], str, Sequence[str]]:
    """Return the targets of an assignment, its sign and what is assigned."""
    depth = 0
    for place, token in enumerate(tokens):
        depth += (token in _CLOSING) - (token in _CLOSING.values())
        if token == "=" and depth == 0:
            augmented = tokens[place - 1] in ("+", "-", "*", "/", "//", "%", "@", "**", "&", "|", "^")
            before, sign = tokens[: place - augmented], "".join(tokens[place - augmented : place + 1])
            parser = Parser(before)
            targets = [parser.expression()]
            while parser.ahead:
                parser.take(",")
                if parser.ahead:
                    targets.append(parser.expression())
                elif len(targets) == 1:
                    targets = [Brackets("(", (targets[0],), True)]
            return targets, sign, tokens[place + 1 :]
    return [], "", tokens


def laid_out(line: str, indent: int = 0) -> list[str]:
    """Break a statement that stands on one line into lines of at most `WIDTH` characters, as far as that goes.

    Args:
        line: A statement or the head of one, indented.
        indent: The further indentation that it will get.

    Returns:
        Its lines, indented as `line` is. What is none of the statements that symback writes stays as it is.

    Example:
        >>> laid_out("total = first_of_all_the_long_names + np.dot(another_long_name, a_very_long_name_at_the_end)")
        ['total = first_of_all_the_long_names + np.dot(', '    another_long_name, a_very_long_name_at_the_end', ')']
    """
    text = line.lstrip(" ")
    own = len(line) - len(text)
    short = len(line) + indent <= WIDTH
    if not text or (short and "**" not in text and ", =" not in text and not (":" in text and "[" in text)):
        return [line]
    try:
        laid = _laid(text, own + indent)
    except UnknownSyntaxError:
        return [line]
    first, *rest = laid.split("\n")
    return [" " * own + first, *(row[indent:] for row in rest)]
