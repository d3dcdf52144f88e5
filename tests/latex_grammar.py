r"""The structure of a printed formula, as a mathematician reads it: a recursive descent with the usual precedences.

Nothing is shared with the printer. Sums bind least, then the signs between arrays (products entry by entry, Kronecker
products, convolutions; two different ones side by side are refused, as their order is anybody's guess), then factors
side by side, then exponents and indices. A sum over indices reaches to the next plus or minus. A node is a tuple: its
kind, and what belongs to it.
"""

import re


class UnreadableError(Exception):
    """There is a sign or a construct that the reader does not know; the argument names it."""


class AmbiguousError(Exception):
    """Mathematicians would not agree on what this says."""


_RELATIONS = {
    ">": "greater", "<": "less", "=": "equal", r"\leq": "less_equal", r"\geq": "greater_equal", r"\neq": "not_equal",
}  # fmt: skip
_BETWEEN = {r"\odot": "entrywise", r"\circ": "entrywise", r"\otimes": "kronecker", "*": "convolved"}
_STOPS = (r"\right", r"\rVert", r"\rangle", r"\end", r"\text", r"\wedge", r"\vee", "\\\\", *_RELATIONS, *_BETWEEN)
_COMMAND = re.compile(r"\\[A-Za-z]+|\\\\|.", re.DOTALL)
_NUMBER = re.compile(r"\d+(\.\d+)?")
_HEAD = re.compile(r"\\mathop\{\\mathrm\{[^{}]*\}\}|\\operatorname\{[^{}]*\}|\\[A-Za-z]+|[A-Za-z]")
_OPEN = re.compile(r"\\(left|[bB]igl|[bB]iggl)(?![A-Za-z])")
_BARE = (r"\log", r"\det", r"\operatorname{sign}", r"\mathop{\mathrm{sign}}")
_TERM = re.compile(r"([+-]?)(\d*)((?:\\[A-Za-z]+|[A-Za-z])(?:_\{\w+\})?)?")


def grammar(text, looks):
    """Return the structure of a formula in which `looks` are names."""
    reader = _Grammar(text, looks)
    found = reader.relation()
    if reader.peek():
        raise UnreadableError(f"what follows at {reader.rest()[:40]!r}")
    return found


def indices(text):
    """Return each index as a sum of terms: (sign times number, letter or size or nothing)."""
    pieces = text.split(",") if "," in text else list(text) if re.fullmatch(r"\w+", text) else [text]
    found = []
    for piece in pieces:
        terms = [match for match in _TERM.finditer(piece) if match.group()]
        if "".join(match.group() for match in terms) != piece:
            raise UnreadableError(f"the index {piece!r}")
        found.append(tuple((int(f"{m[1]}{m[2] or 1}"), m[3]) for m in terms))
    return tuple(found)


class _Grammar:
    def __init__(self, text, looks):
        self.text, self.place, self.looks = text, 0, looks
        self.sorted_looks = sorted(looks, key=len, reverse=True)

    # -- signs ----------------------------------------------------------------------------------

    def rest(self):
        return self.text[self.place :]

    def peek(self):
        while self.rest()[:1].isspace():
            self.place += 1
        found = _COMMAND.match(self.text, self.place)
        return found.group() if found else ""

    def tight(self, sign):
        """Does this follow without a gap?"""
        return self.text.startswith(sign, self.place)

    def take(self, *wanted):
        token = self.peek()
        if wanted and token not in wanted:
            raise UnreadableError(f"{token!r} where {wanted} is wanted, in {self.text!r}")
        self.place += len(token)
        return token

    def braces(self):
        """Return the text of a group."""
        self.take("{")
        start, level = self.place, 1
        while level:
            token = _COMMAND.match(self.text, self.place).group()
            level += (token == "{") - (token == "}")
            self.place += len(token)
        return self.text[start : self.place - 1]

    def inside(self, text):
        return grammar(text, self.looks)

    # -- what binds least comes first -----------------------------------------------------------

    def relation(self):
        found = self.compared()
        while self.peek() in (r"\wedge", r"\vee"):
            found = (self.take()[1:], found, self.compared())
        return found

    def compared(self):
        if self.peek() == r"\neg":
            self.take()
            return ("not", self.postfix())
        found = self.sum()
        while self.peek() in _RELATIONS:
            found = ("compare", _RELATIONS[self.take()], found, self.sum())
        return found

    def sum(self):
        terms = []
        while not terms or self.peek() in ("+", "-"):
            negative = self.take() == "-" if self.peek() in ("+", "-") else False
            term = self.between()
            terms.append(("negative", term) if negative else term)
        return ("sum", terms) if len(terms) > 1 else terms[0]

    def between(self):
        parts, signs = [self.product()], set()
        while self.peek() in _BETWEEN:
            signs.add(_BETWEEN[self.take()])
            parts.append(self.product())
        if len(signs) > 1 or ("convolved" in signs and len(parts) > 2):
            raise AmbiguousError(f"{sorted(signs)} side by side in {self.text!r}")
        return (signs.pop(), parts) if signs else parts[0]

    def product(self):
        factors = [self.factor()]
        while (token := self.peek()) and token not in _STOPS and token not in ")],+-&}|":
            if token == r"\cdot":
                self.take()
                negative = self.peek() == "-" and bool(self.take())
                factor = self.factor()
                factors.append(("negative", factor) if negative else factor)
                continue
            if token.isdigit():
                raise AmbiguousError(f"a number behind another factor in {self.text!r}")
            factors.append(self.factor())
        return ("product", factors) if len(factors) > 1 else factors[0]

    def factor(self):
        if self.peek() == r"\sum":
            self.take(), self.take("_")
            letters = tuple(self.braces().split(","))
            return ("over", letters, self.between())
        return self.postfix()

    # -- exponents and indices ------------------------------------------------------------------

    def postfix(self):
        found, raised = self.atom(), False
        while self.tight("^") or self.tight("_"):
            if self.take() == "_":
                below = self.braces()
                found = ("slice", found, below) if ":" in below else ("entry", found, indices(below))
                continue
            if raised or (found[0] == "name" and "^" in re.sub(r"\{[^{}]*\}", "", found[1])):
                raise AmbiguousError(f"two exponents in {self.text!r}")
            if found[0] == "fraction":
                raise AmbiguousError(f"the exponent of a fraction without parentheses in {self.text!r}")
            found, raised = self.raised(found, self.braces()), True
        return found

    def raised(self, base, exponent):
        if exponent == r"\top":
            return ("transpose", base)
        if exponent == "-1":
            return ("inverse", base)
        if exponent == r"-\top":
            return ("transpose", ("inverse", base))
        for sign in (r"\odot", r"\circ"):
            if exponent.startswith(sign):
                return ("power", base, self.inside(exponent.removeprefix(sign)), True)
        return ("power", base, self.inside(exponent), False)

    # -- atoms ----------------------------------------------------------------------------------

    def atom(self):
        token = self.peek()
        name = next((look for look in self.sorted_looks if self.is_name(look)), None)
        if name is not None:
            self.place += len(name)
            return ("name", name)
        if number := _NUMBER.match(self.text, self.place):
            self.place = number.end()
            return ("number", float(number.group()))
        if fence := _OPEN.match(self.text, self.place):
            self.place = fence.end()
            return self.fenced()
        known = _ATOMS.get(token)
        if known and (token != r"\delta" or self.text.startswith(r"\delta_", self.place)):
            return known(self)
        for sign, kind in ((r"\mathbf{1}", "ones"), (r"\mathbf{0}", "zeros"), (r"\mathbf{K}", "commutation")):
            if self.tight(sign):
                self.place += len(sign)
                return (kind, self.place)
        return self.function()

    def is_name(self, look):
        if not self.text.startswith(look, self.place):
            return False
        after = self.text[self.place + len(look) :]
        if re.search(r"\\[A-Za-z]+$", look) and after[:1].isalpha():
            return False
        return not (after.startswith((r"\left(", r"'\left(")))  # a function and its argument have no gap

    def fenced(self):
        sign = self.take()
        if sign == "(":
            found = self.relation()
            self.closed(")")
            return ("group", found)
        if sign == "|":
            found = self.relation()
            self.closed("|")
            return ("function", r"\left|", None, [found])
        if sign == ".":
            found = self.fraction()
            self.closed("|")
            self.take("_")
            if self.braces() != r"\text{direct}" or found[0] != "derivative":
                raise UnreadableError("a bar with an index")
            return ("direct", *found[1:])
        if sign == "[":
            found = self.relation()
            self.closed("]")
            if not self.tight("_"):
                return ("condition", found)
            self.take("_")
            return ("array", found, indices(self.braces()))
        if sign == r"\lfloor":
            raise UnreadableError("floor")
        raise UnreadableError(f"the fence {sign!r}")

    def closed(self, sign):
        token = self.take()
        if token not in (r"\right", r"\bigr", r"\Bigr", r"\biggr", r"\Biggr"):
            raise UnreadableError(f"{token!r} where a fence has to close, in {self.text!r}")
        self.take(sign)

    def plain_parentheses(self):
        self.take("(")
        found = self.relation()
        self.take(")")
        return ("group", found)

    def fraction(self):
        self.take()
        top, bottom = self.braces(), self.braces()
        if top == r"\partial":
            return ("differentiated", bottom.removeprefix(r"\partial "), self.postfix())
        if top.startswith(r"\partial^{2} "):
            return ("second", bottom)
        if top.startswith(r"\partial "):
            return ("derivative", top.removeprefix(r"\partial "), bottom.removeprefix(r"\partial "))
        return ("fraction", self.inside(top), self.inside(bottom))

    def root(self):
        self.take()
        degree = ("number", 2.0)
        if self.tight("["):
            end = self.text.index("]", self.place)
            degree, self.place = self.inside(self.text[self.place + 1 : end]), end + 1
        return ("root", degree, self.inside(self.braces()))

    def norm(self):
        self.take()
        found = self.sum()
        self.take(r"\rVert")
        frobenius = self.tight("_F")
        self.place += 2 * frobenius
        if self.tight("_"):
            raise UnreadableError("a norm with an index")
        return ("norm", found, frobenius)

    def inner(self):
        self.take()
        left = self.sum()
        self.take(",")
        right = self.sum()
        self.take(r"\rangle"), self.take("_"), self.take("F")
        return ("inner", left, right)

    def delta(self):
        self.take(), self.take("_")
        return ("delta", indices(self.braces()))

    def euler(self):
        self.take()
        return ("number", 2.718281828459045)

    def identity(self):
        if re.match(r"I(_\{\w\})?\\left\(", self.rest()):
            return self.function()
        self.take()
        return ("identity", self.place)

    def table(self):
        self.take()
        name = self.braces()
        start, end = self.place, self.text.rindex(rf"\end{{{name}}}")
        depth = 0
        for match in re.finditer(r"\\(begin|end)\{\w+\}", self.text[start:]):
            depth += 1 if match[1] == "begin" else -1
            if depth < 0:
                end = start + match.start()
                break
        body, self.place = self.text[start:end], end + len(rf"\end{{{name}}}")
        rows = [_split(row, "&") for row in _split(body, r"\\")]
        if name == "cases":
            (value, condition), (other, otherwise) = rows
            if otherwise.strip() != r"\text{otherwise}":
                raise UnreadableError("cases of another form")
            return ("cases", *(self.inside(part) for part in (value, condition, other)))
        if name != "bmatrix":
            raise UnreadableError(rf"\begin{{{name}}}")
        return ("table", [[self.inside(cell) for cell in row] for row in rows])

    def function(self):
        """Read the name of a function, what stands at it, and its arguments."""
        head = _HEAD.match(self.text, self.place)
        if not head:
            raise UnreadableError(f"{self.rest()[:30]!r}")
        self.place = head.end()
        name, below = re.sub(r"\\mathop\{\\mathrm\{(.*)\}\}", r"\\operatorname{\1}", head.group()), None
        while self.tight("_{") or self.tight("^{") or self.tight("'"):
            if self.take() == "_":
                below = self.braces()
            elif self.text[self.place - 1] == "'":
                name += "'"
            else:
                name += f"^{{{self.braces()}}}"
        if self.tight(r"\left("):
            self.place += len(r"\left(")
            return ("function", name, below, self.arguments())
        if name in (r"\infty", r"\pi"):
            return ("number", float("inf") if name == r"\infty" else 3.141592653589793)
        if head.group() in _BARE and below is None:
            return ("function", name, None, [self.postfix()])
        raise UnreadableError(f"the sign {head.group()}")

    def arguments(self):
        found = [self.relation()]
        while self.peek() == ",":
            self.take()
            found.append(self.relation())
        self.closed(")")
        return found


def _split(text, sign):
    """Split at a sign that stands in no braces and no table of its own."""
    parts, depth, start, place = [], 0, 0, 0
    while place < len(text):
        token = _COMMAND.match(text, place).group()
        depth += (token in ("{", r"\begin")) - (token in ("}", r"\end"))
        if token == sign and depth == 0:
            parts.append(text[start:place])
            start = place + len(token)
        place += len(token)
    return [*parts, text[start:]]


_ATOMS = {
    "(": _Grammar.plain_parentheses,
    r"\frac": _Grammar.fraction,
    r"\sqrt": _Grammar.root,
    r"\lVert": _Grammar.norm,
    r"\langle": _Grammar.inner,
    r"\delta": _Grammar.delta,
    r"\begin": _Grammar.table,
    "e": _Grammar.euler,
    "I": _Grammar.identity,
}
