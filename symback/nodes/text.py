"""Short text for a node: one let-line for each name, cut off where it grows long."""

from fractions import Fraction

import sympy

from symback.nodes.add import Plus
from symback.nodes.apply import Apply, Named
from symback.nodes.classify import classify
from symback.nodes.contract import Contract, Labels
from symback.nodes.leaves import Constant, Exact, ExactValue, Ones, Size, Variable
from symback.nodes.node import HOOKS, Node

_MOST_CHARACTERS = 1200
_DEPTH = 6


def exact_text(value: ExactValue) -> str:
    """Write an exact number: 1/3 as it is, a float by its shortest decimal."""
    if isinstance(value, Fraction):
        near = float(value) if abs(value.numerator).bit_length() < 1000 else 0.0
        return str(value) if value.denominator < 1000 or Fraction(near) != value else repr(near)
    return str(value)


class _Writer:
    """Writes expressions until a budget of characters is spent; names stand for what they name."""

    def __init__(self) -> None:
        self.left = _MOST_CHARACTERS
        self.pending: list[Named] = []
        self.seen: set[Node] = set()

    def write(self, node: Node, depth: int = _DEPTH) -> str:
        """Return the text of an expression."""
        text = self._leaf(node)
        if text is None:
            text = self._operation(node, depth - 1) if depth > 0 and self.left > 0 else "…"
        return text

    def _leaf(self, node: Node) -> str | None:
        if isinstance(node, Named) and node not in self.seen:
            self.seen.add(node)
            self.pending.append(node)
        if isinstance(node, (Named, Variable)):
            text = node.name
        elif isinstance(node, Exact):
            text = exact_text(node.value)
        elif isinstance(node, Size):
            text = f"({node.size})" if isinstance(node.size, sympy.Add) else str(node.size)
        elif isinstance(node, (Constant, Ones)):
            text = f"{type(node).__name__.lower()}{node.shape}"
        else:
            return None
        self.left -= len(text)
        return text

    def _operation(self, node: Node, depth: int) -> str:
        self.left -= 4
        if isinstance(node, Contract):
            return self._product(node, depth)
        operands = [self.write(operand, depth) for operand in node.operands[:8]]
        if len(node.operands) > 8:
            operands.append("…")
        if isinstance(node, Plus):
            return "(" + " + ".join(operands).replace("+ -", "- ") + ")"
        assert isinstance(node, Apply)
        operands += [str(parameter) for parameter in node.operation.parameters]
        return f"{node.operation.name}({', '.join(operands)})"

    def _product(self, node: Contract, depth: int) -> str:
        p = classify(node)
        factor = "" if p.coefficient == 1 else "-" if p.coefficient == -1 else exact_text(p.coefficient) + "*"
        texts = [self.write(core, depth) for core, _ in p.cores[:8]]
        if p.kind == "scale":
            return factor + texts[0]
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
    """Write an operand; a product in parentheses, unless it is of a kind that stands there as it is."""
    kind = classify(core).kind if isinstance(core, Contract) and text != "…" else ""
    return f"({text}){suffix}" if kind in _INFIX and (suffix or kind not in plain) else text + suffix


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
    if isinstance(node, (Named, Variable)):
        return node.name
    text = _Writer().write(node, depth=2)
    return text if len(text) <= 60 else text[:57] + "…"


def text(node: Node) -> str:
    """Return the node in let-form: the names it is made of, then itself."""
    writer = _Writer()
    root = node.operands[0] if isinstance(node, Named) else node
    lines = [writer.write(root)]
    if isinstance(node, Named):
        lines[0] = f"{node.name} = {lines[0]}"
    while writer.pending and writer.left > 0:
        named = writer.pending.pop()
        lines.append(f"{named.name} = {writer.write(named.operands[0])}")
    if writer.pending:
        lines.append("…")
    return "\n".join(reversed(lines))[:1900]


HOOKS["short"], HOOKS["text"] = short, text
