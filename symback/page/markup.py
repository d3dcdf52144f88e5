r"""A parser of the LaTeX that symback prints, to a small tree that other forms are made from.

It reads formulas: rows of signs, scripts, fractions, roots, fences, accents, alphabets, text, and tables (matrices,
cases, aligned lines). It is total: an unknown command is shown by its name, a brace that is missing is taken as read,
and what is nested deeper than TeX itself allows is shown as dots. `strict=True` refuses the first two, for tests.
"""

import re
from functools import lru_cache

from symback.errors.page import unknown_markup
from symback.page import signs
from symback.page.tree import Accent, Fence, Fraction, Part, Root, Row, Scripts, Sign, Table

_DEEPEST = 80
_TOKEN = re.compile(
    r"\\begin\{(?P<begin>[a-z*]+)\}|\\end\{(?P<end>[a-z*]+)\}|\\(?P<command>[A-Za-z]+)|\\(?P<escape>.)"
    r"|(?P<blank>\s+)|(?P<structure>[{}^_&'])|(?P<number>\d)|(?P<other>.)",
    re.DOTALL,
)
_PLAIN_RELATIONS = {"=": "=", "<": "<", ">": ">", ":": ":"}
_PLAIN_OPERATORS = {"+": "+", "-": "\u2212", "*": "∗", "/": "/"}
_OPEN, _CLOSE = {"(": "(", "[": "["}, {")": ")", "]": "]"}
_DELIMITERS = {".": "", "|": "|", "/": "/", "<": "⟨", ">": "⟩", **_OPEN, **_CLOSE}
_ENDS_OPERAND = frozenset({"letter", "word", "number", "ordinary", "close", "text", "bar"})


@lru_cache(maxsize=4096)
def parse(latex: str, *, strict: bool = False) -> Row:
    r"""Return the tree of a formula.

    Args:
        latex: A formula without dollar signs.
        strict: Refuse what is not known instead of showing it.

    Raises:
        SymbackError: If `strict`, and there is a command that is not known, or braces that do not balance.

    Example:
        >>> parse(r"W_{2}^{\top}").parts[0].above.parts
        (Sign(kind='ordinary', text='⊤', alphabet=''),)
    """
    return _Reader(latex, strict=strict).formula()


class _Reader:
    """Reads tokens from left to right; recursion is bounded by `_DEEPEST`."""

    def __init__(self, latex: str, *, strict: bool) -> None:
        self.latex = latex
        self.strict = strict
        self.tokens = list(_TOKEN.finditer(latex))
        self.texts = [*(token.group() for token in self.tokens), ""]
        self.place = 0
        self.depth = 0

    def formula(self) -> Row:
        rows = [self.row("")]
        while self.place < len(self.tokens):  # a closing brace that nothing opened
            self.unknown(self.tokens[self.place].group())
            self.place += 1
            rows.append(self.row(""))
        parts = tuple(part for row in rows for part in row.parts)
        return Row(parts, tuple(span for row in rows for span in row.spans))

    def unknown(self, text: str) -> None:
        if self.strict:
            raise unknown_markup(text, self.latex)

    def peek(self) -> str:
        """Return the next token, nothing at the end."""
        return self.texts[self.place]

    def ends(self, stop: str) -> bool:
        token = self.peek()
        if token in ("", "}", r"\right") or token.startswith(r"\end{"):
            return True
        return stop == "cell" and token in ("&", r"\\")

    def row(self, stop: str, alphabet: str = "") -> Row:
        """Read parts up to the end of a group, which stays unread."""
        parts: list[Part] = []
        spans: list[tuple[int, int]] = []
        self.depth += 1
        while not self.ends(stop):
            start = self.tokens[self.place].start()
            if self.peek() in ("^", "_", "'"):
                while parts and _is_blank(parts[-1]):
                    del parts[-1], spans[-1]
                base = parts.pop() if parts else Row(())
                start = spans.pop()[0] if spans else start
                part: Part | None = self.scripts(base)
            else:
                part = self.part(alphabet, next((part for part in reversed(parts) if not _is_blank(part)), None))
            if part is None:
                continue
            end = self.tokens[self.place - 1].end()
            joined = _joined(parts[-1], part) if parts else None
            if joined and spans[-1][1] == start:
                parts[-1], spans[-1] = joined, (spans[-1][0], end)
            else:
                parts.append(part)
                spans.append((start, end))
        self.depth -= 1
        return Row(tuple(parts), tuple(spans))

    def part(self, alphabet: str, before: Part | None) -> Part | None:
        match = self.tokens[self.place]
        self.place += 1
        if match["begin"]:
            return self.table(match["begin"])
        if match["command"]:
            return self.command(match["command"], alphabet, before)
        if match["escape"]:
            return self.escaped(match["escape"], alphabet)
        if match["blank"]:
            return Sign("gap", "")
        if match["number"]:
            in_word = isinstance(before, Sign) and before.kind == "word" and before.alphabet == alphabet
            return Sign("word" if in_word and alphabet else "number", match["number"], alphabet)
        if match["structure"] == "{":
            self.place -= 1
            return _alone(self.argument(alphabet))
        return self.plain(match.group(), alphabet, before)

    def escaped(self, sign: str, alphabet: str) -> Part | None:
        if sign in signs.SPACES:
            return Sign("space", sign)
        if sign == "|":
            return Sign("bar", "‖")
        if sign in "{}":
            return Sign("open" if sign == "{" else "close", sign)
        if sign in "%&#_$":
            return Sign("word" if alphabet in ("mathrm", "operatorname", "mathop") else "ordinary", sign, alphabet)
        self.unknown(f"\\{sign}")
        return Sign("space", " ")

    def plain(self, sign: str, alphabet: str, before: Part | None) -> Part:
        if sign in _PLAIN_RELATIONS:
            return Sign("relation", _PLAIN_RELATIONS[sign])
        if sign in _PLAIN_OPERATORS:
            return _operator(_PLAIN_OPERATORS[sign], before)
        if sign in _OPEN or sign in _CLOSE:
            return Sign("open" if sign in _OPEN else "close", sign)
        if sign == "|":
            return Sign("bar", sign)
        if sign in ",;":
            return Sign("comma", sign)
        if sign.isalpha():
            upright = alphabet in ("mathrm", "operatorname", "mathop")
            return Sign("word" if upright else "letter", sign, alphabet)
        if sign in "^_&}":
            self.unknown(sign)
        return Sign("ordinary", sign, alphabet)

    def command(self, name: str, alphabet: str, before: Part | None) -> Part | None:
        if name == "frac":
            return Fraction(self.argument(), self.argument())
        if name == "sqrt":
            degree = self.degree()
            return Root(self.argument(), degree)
        if name == "left":
            return self.fence()
        if name in signs.SIZES:
            return Sign("close" if name.endswith("r") else "open", self.delimiter())
        if name in signs.ACCENTS:
            return Accent(name, self.argument())
        if name in signs.TEXTS:
            return Sign("text", self.words())
        if name in signs.ALPHABETS:
            return self.styled(name)
        if name in signs.SPACES:
            return Sign("space", name)
        if name in signs.SWITCHES:
            return None
        return self.named(name, alphabet, before)

    def named(self, name: str, alphabet: str, before: Part | None) -> Sign:
        for kind, table in _NAMED:
            if name in table:
                return Sign(kind, table[name], alphabet if kind == "letter" else "")
        if name in signs.OPERATORS:
            return _operator(signs.OPERATORS[name], before)
        if name in signs.FUNCTIONS:
            return Sign("word", name, "limits" if name in signs.LIMITS else "operatorname")
        self.unknown(f"\\{name}")
        return Sign("unknown", f"\\{name}")

    def styled(self, alphabet: str) -> Part:
        return _alone(self.argument(alphabet))

    def argument(self, alphabet: str = "") -> Row:
        """Read a group, or the one sign that stands for it."""
        while self.tokens[self.place : self.place + 1] and self.tokens[self.place]["blank"]:
            self.place += 1
        if self.peek() != "{":
            if self.ends("cell") or self.depth >= _DEEPEST:
                self.unknown("nothing")
                return Row(())
            self.depth += 1
            part = self.part(alphabet, None)
            self.depth -= 1
            return Row((part,) if part else ())
        self.place += 1
        if self.depth >= _DEEPEST:
            return self.skipped()
        row = self.row("", alphabet)
        if self.peek() == "}":
            self.place += 1
        else:
            self.unknown("a brace that is not closed")
        return row

    def skipped(self) -> Row:
        """Pass over a group that lies too deep."""
        level = 1
        while level and self.place < len(self.tokens):
            level += {"{": 1, "}": -1}.get(self.peek(), 0)
            self.place += 1
        return Row((Sign("ordinary", "…"),))

    def words(self) -> str:
        """Read the argument of a command for text as it is written, braces left out."""
        if self.peek() != "{":
            return ""
        self.place += 1
        text, level = "", 1
        while level and self.place < len(self.tokens):
            token = self.peek()
            level += {"{": 1, "}": -1}.get(token, 0)
            text += "" if token in "{}" else token.removeprefix("\\")
            self.place += 1
        return text

    def degree(self) -> Row | None:
        if self.peek() != "[":
            return None
        self.place += 1
        start = self.place
        while self.peek() not in ("]", ""):
            self.place += 1
        inside = "".join(self.texts[start : self.place])
        self.place += self.peek() == "]"
        return parse(inside, strict=self.strict) if r"\sqrt" not in inside else Row((Sign("ordinary", "…"),))

    def delimiter(self) -> str:
        if self.place >= len(self.tokens):
            return ""
        match = self.tokens[self.place]
        self.place += 1
        command, escape = match["command"], match["escape"]
        if command:
            return (
                signs.OPENING.get(command) or signs.CLOSING.get(command) or signs.UPRIGHT.get(command, f"\\{command}")
            )
        return {"|": "‖"}.get(escape, escape) if escape else _DELIMITERS.get(match.group(), match.group())

    def fence(self) -> Part:
        left = self.delimiter()
        if self.depth >= _DEEPEST:
            level = 1
            while level and self.place < len(self.tokens):
                level += {r"\left": 1, r"\right": -1}.get(self.peek(), 0)
                self.place += 1
            self.delimiter()
            return Sign("ordinary", "…")
        body = self.row("")
        if self.peek() != r"\right":
            self.unknown(r"a \left without its \right")
            return Fence(left, body, "")
        self.place += 1
        return Fence(left, body, self.delimiter())

    def table(self, name: str) -> Part:
        if self.depth >= _DEEPEST:
            while not self.peek().startswith(r"\end{") and self.place < len(self.tokens):
                self.place += 1
            self.place = min(self.place + 1, len(self.tokens))
            return Sign("ordinary", "…")
        rows: list[tuple[Row, ...]] = []
        cells: list[Row] = []
        while True:
            cells.append(self.row("cell"))
            token = self.peek()
            if token != "&":
                rows.append(tuple(cells))
                cells = []
            if token not in ("&", r"\\"):
                break
            self.place += 1
        if token.startswith(r"\end{"):
            self.place += 1
        else:
            self.unknown(rf"\begin{{{name}}} without its \end")
        return Table(name, tuple(rows))

    def scripts(self, base: Part) -> Part:
        """Read exponents, indices and primes behind a base."""
        below: list[Row] = []
        above: list[Row] = []
        while (sign := self.peek()) in ("^", "_", "'") and sign:
            self.place += 1
            prime = Row((Sign("ordinary", "′"),))
            (below if sign == "_" else above).append(prime if sign == "'" else self.argument())
        return Scripts(base, _together(below), _together(above))


def _together(rows: list[Row]) -> Row | None:
    if len(rows) < 2:
        return rows[0] if rows else None
    return Row(tuple(part for row in rows for part in row.parts))


_NAMED = (
    ("letter", signs.LETTERS),
    ("ordinary", signs.UPRIGHT),
    ("prefix", signs.PREFIXES),
    ("large", signs.LARGE),
    ("relation", signs.RELATIONS),
    ("open", signs.OPENING),
    ("close", signs.CLOSING),
)


def _is_blank(part: Part) -> bool:
    return isinstance(part, Sign) and part.kind in ("gap", "space")


def _alone(row: Row) -> Part:
    """Return a group; one part alone is that part."""
    return row.parts[0] if len(row.parts) == 1 else row


def _operator(text: str, before: Part | None) -> Sign:
    """Return the sign of an operation; one without an operand before it belongs to what follows."""
    alone = before is None or (isinstance(before, Sign) and before.kind not in _ENDS_OPERAND)
    return Sign("prefix" if alone else "operator", text)


def _joined(before: Part, part: Part) -> Part | None:
    """Join the digits of a number and the letters of a word."""
    if not isinstance(before, Sign) or not isinstance(part, Sign) or before.alphabet != part.alphabet:
        return None
    if before.kind == "number" and (part.kind == "number" or part == Sign("ordinary", ".")):
        return Sign("number", before.text + part.text, part.alphabet)
    if before.kind == part.kind == "word" and part.alphabet in ("mathrm", "operatorname", "mathop"):
        return Sign("word", before.text + part.text, part.alphabet)
    return None
