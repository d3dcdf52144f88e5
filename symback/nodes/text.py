"""Text for a node: one let-line for each name, shared parts named, cut off where it grows long."""

from collections import Counter, deque
from collections.abc import Callable
from fractions import Fraction

import sympy

from symback.graph import toposort
from symback.nodes.add import Plus
from symback.nodes.apply import Apply, Named
from symback.nodes.classify import classify
from symback.nodes.contract import Contract, Labels
from symback.nodes.leaves import Constant, Exact, ExactValue, Ones, Size, Variable
from symback.nodes.node import HOOKS, Node

_MOST_CHARACTERS = 1800
_MOST_NODES = 240
_LONGEST_LINE = 100
_LONGEST_SHARED = 16
_MOST_OPERANDS = 8
_LONGEST_SHORT = 60
_DEPTH_OF_SHORT = 2
_CUT = "…"


def exact_text(value: ExactValue) -> str:
    """Write an exact number: 1/3 as it is, a float by its shortest decimal."""
    if isinstance(value, Fraction):
        near = float(value) if abs(value.numerator).bit_length() < 1000 else 0.0
        return str(value) if value.denominator < 1000 or Fraction(near) != value else repr(near)
    return str(value)


def _leaf(node: Node) -> str | None:
    """Write what has a name, or no operands; None for an operation."""
    if isinstance(node, (Named, Variable)):
        return node.name
    if isinstance(node, Exact):
        return exact_text(node.value)
    if isinstance(node, Size):
        return f"({node.size})" if isinstance(node.size, sympy.Add) else str(node.size)
    if isinstance(node, (Constant, Ones)):
        return f"{type(node).__name__.lower()}{node.shape}"
    return None


def _operation(node: Node, write: Callable[[Node], str]) -> str:
    """Write an operation from the texts of its operands."""
    if isinstance(node, Contract):
        return _product(node, write)
    operands = [write(operand) for operand in node.operands[:_MOST_OPERANDS]]
    if isinstance(node, Plus):
        pairs = zip(node.operands, operands, strict=False)
        operands = [f"({text})" if isinstance(operand, Plus) and _is_open(text) else text for operand, text in pairs]
    if len(node.operands) > _MOST_OPERANDS:
        operands.append(_CUT)
    if isinstance(node, Plus):
        return " + ".join(operands).replace("+ -", "- ")
    assert isinstance(node, Apply)
    title, parameters = node.operation.text
    return f"{title}({', '.join([*operands, *map(str, parameters)])})"


def _product(node: Contract, write: Callable[[Node], str]) -> str:
    p = classify(node)
    factor = "" if p.coefficient == 1 else "-" if p.coefficient == -1 else exact_text(p.coefficient) + "*"
    texts = [write(core) for core, _ in p.cores[:_MOST_OPERANDS]]
    if p.kind == "scale":
        return factor + _operand(texts[0], p.cores[0][0], "", _INFIX)
    terms = [(text, core, labels) for text, (core, labels) in zip(texts, p.cores, strict=False)]
    if p.kind == "hadamard" and (placed := _hadamard_text(terms, p.out)):
        return factor + placed
    if p.kind in _MATRIX_PRODUCTS:
        return f"{factor}{_product_text(terms, p.out)}"
    return f"{factor}{p.kind}({', '.join([repr(str(node.subscripts)), *texts])})"


_Term = tuple[str, Node, Labels]
_MATRIX_PRODUCTS = ("matvec", "vecmat", "matmul", "inner")
_INFIX = ("scale", "hadamard", *_MATRIX_PRODUCTS)


def _operand(text: str, core: Node, suffix: str, plain: tuple[str, ...]) -> str:
    """Write an operand; a sum or a product in parentheses, unless it is of a kind that stands there as it is."""
    if isinstance(core, Plus) and _is_open(text):
        return f"({text}){suffix}"
    kind = classify(core).kind if isinstance(core, Contract) and _is_open(text) else ""
    return f"({text}){suffix}" if kind in _INFIX and (suffix or kind not in plain) else text + suffix


def _is_open(text: str) -> bool:
    """Is this more than a name, or dots?"""
    return text != _CUT and not text.isidentifier()


def _hadamard_text(terms: list[_Term], out: Labels) -> str | None:
    """Write factors so that NumPy broadcasts them to the axes of the product; None if that needs more than a word."""
    factors = []
    for place, (text, core, labels) in enumerate(terms):
        if all(label == axis or label not in out for label, axis in zip(labels[::-1], out[::-1], strict=False)):
            suffix = ""
        elif len(out) == 2 and labels in (out[::-1], out[:1]):
            suffix = ".T" if len(labels) == 2 else "[:, None]"
        else:
            return None
        factors.append(_operand(text, core, suffix, _INFIX if place == 0 else ("hadamard",)))
    return "*".join(factors)


def _product_text(terms: list[_Term], out: Labels) -> str:
    """Write a product with @ and .T, as NumPy has it."""
    first, second = terms
    if len(out) == 2 and out[0] not in first[2]:
        first, second = second, first
    left = _operand(*first[:2], ".T" if len(first[2]) == 2 and first[2][1] in out else "", _MATRIX_PRODUCTS)
    right = _operand(*second[:2], ".T" if len(second[2]) == 2 and second[2][0] in out else "", ())
    return f"{left} @ {right}"


def short(node: Node) -> str:
    """Return a few words for a message: a name, or the start of the expression."""
    written = _to_depth(node, _DEPTH_OF_SHORT)
    return written if len(written) <= _LONGEST_SHORT else written[: _LONGEST_SHORT - 3] + _CUT


def _to_depth(node: Node, depth: int) -> str:
    found = _leaf(node)
    if found is None:
        found = _operation(node, lambda operand: _to_depth(operand, depth - 1)) if depth else _CUT
    return found


def text(node: Node) -> str:
    """Return the node in let-form: a line for each name that it is made of, in order, then itself.

    Unnamed parts that are shared, or too long for a line, are named too (``t1``), so that the text is as long as the
    graph is large, however often its parts are used. Of a large graph it shows what is nearest to the node.
    """
    lines = _Lines(node).lines
    left, kept = _MOST_CHARACTERS, list[str]()
    for line in reversed(lines):
        if kept and len(line) > left:
            kept.append(_CUT)
            break
        kept.append(line if len(line) <= _MOST_CHARACTERS else line[:_MOST_CHARACTERS] + _CUT)
        left -= len(line) + 1
    return "\n".join(reversed(kept))


class _Lines:
    """Writes the nodes nearest to a root, operands first; what lies beyond is dots."""

    def __init__(self, root: Node) -> None:
        self.lines: list[str] = []
        self._reached = _nearest(root)
        order = toposort([root], stops=self)
        users = Counter(operand for node in order if node in self._reached for operand in set(node.operands))
        self._names: dict[Node, Named] = {}
        for node in order:
            if isinstance(node, Named) and node.operands[0].operands and node in self._reached:
                self._names.setdefault(node.operands[0], node)
        self._taken = {node.name for node in order if isinstance(node, (Named, Variable))}
        self._texts: dict[Node, str] = {}
        for node in order:
            self._texts[node] = self._write(node, node is root, users[node])

    def __contains__(self, node: object) -> bool:
        return node not in self._reached

    def _write(self, node: Node, is_root: bool, users: int) -> str:
        """Return the text by which users know a node, behind the line that says what it is."""
        leaf = _leaf(node)
        if leaf is not None:
            if isinstance(node, Named) and node in self._reached and self._texts[node.operands[0]] != leaf:
                self.lines.append(f"{leaf} = {self._texts[node.operands[0]]}")
            elif is_root:
                self.lines.append(leaf)
            return leaf
        if node not in self._reached:
            return _CUT
        written = _operation(node, self._texts.__getitem__)
        if is_root:
            self.lines.append(written)
            return written
        name = self._names[node].name if node in self._names else None
        if (users > 1 and (name or len(written) > _LONGEST_SHARED)) or (len(written) > _LONGEST_LINE and not name):
            name = name or self._fresh()
            self.lines.append(f"{name} = {written}")
            return name
        return written

    def _fresh(self) -> str:
        number = 1
        while f"t{number}" in self._taken:
            number += 1
        self._taken.add(f"t{number}")
        return f"t{number}"


def _nearest(root: Node) -> set[Node]:
    """Return the nodes nearest to a root, as many as a text shows."""
    found: set[Node] = set()
    queue = deque([root])
    while queue and len(found) < _MOST_NODES:
        node = queue.popleft()
        if node not in found:
            found.add(node)
            queue.extend(node.operands)
    return found


class Beginnings:
    """How the texts of nodes begin, written in full and not in let-form: each node once, for many that share parts."""

    def __init__(self, most: int) -> None:
        """Take the number of characters that are asked for; what is longer is cut, and ends in dots."""
        self._most = most
        self._known: dict[Node, str] = {}

    def __call__(self, node: Node) -> str:
        """Return the text of a node; a named one is an assignment."""
        inner = node.operands[0] if isinstance(node, Named) else node
        written = f"{node.name} = {self._text(inner)}" if isinstance(node, Named) else self._text(inner)
        return written if len(written) <= self._most else written[: self._most - 1] + _CUT

    def __contains__(self, node: object) -> bool:
        return node in self._known or isinstance(node, Named)

    def _text(self, node: Node) -> str:
        """Return more of a text than is asked for: what stands before an operand shows no more of it."""
        for part in toposort([node], stops=self):
            if part not in self._known:
                leaf = _leaf(part)
                written = _operation(part, self._known.__getitem__) if leaf is None else leaf
                self._known[part] = written[: self._most + 1]
        return self._known[node]


HOOKS["short"], HOOKS["text"] = short, text
