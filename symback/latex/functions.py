"""Functions in LaTeX, by the look that each primitive declares: a name, a template, or a function of its own."""

import re
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from symback.latex.broadcasting import spread
from symback.latex.meaning import Meaning
from symback.latex.terms import ATOM, HADAMARD, POSTFIX, PRODUCT, RELATION, SUM, Flipped, Term, applied, cleared, said
from symback.nodes.apply import Apply, Map
from symback.nodes.node import Node
from symback.nodes.shapes import Shape
from symback.op.table import Primitive, primitive_of
from symback.ops.undefined import Partial

_PLACE = re.compile(r"(?<!\{)(?:\{\{)*\{(\d+)\}")
_ENCLOSED = re.compile(r"(\{\{|[(,|&]|\\\\|\\l(floor|ceil)|\\begin\{\{\w+\}\})$")
_TRANSPOSE = r"^{\top}"
_PRODUCT_SIGN = re.compile(r"\} (\*|\\times|\\otimes) \{")
_BRACKET = re.compile(r"(\{\{|\}\}|\\left(?![a-z])|\\right(?![a-z]))")
_ENTRYWISE = r"\odot"
_EULER = "e"
_ENCLOSING = re.compile(r"(\}\}|[,&]|\\right|\\\\|\\end)")


class Operand(str):
    r"""The text of an operand, as a `latex` function of a primitive gets it.

    Attributes:
        shape: The operand's shape.
        dtype: Its dtype.
        factor: Its text among factors: a sum in parentheses.
        atom: Its text before an exponent or beside a sign of another product: whatever is no name in parentheses.
        inverse: The text of its inverse: of a transpose, ``A^{-\top}``.
        coinverse: The text of the transpose of its inverse.
    """

    shape: Shape
    dtype: np.dtype[Any]
    factor: str
    atom: str
    inverse: str
    coinverse: str

    @classmethod
    def of(cls, term: Term, node: Node) -> "Operand":
        """Return the text of a node, which knows its shape."""
        made = cls(term.signed())
        made.shape, made.dtype = node.shape, node.dtype
        made.factor, made.atom = term.within(PRODUCT), term.within(ATOM)
        turned = term.meaning is not None and term.meaning.op == "transpose" and term.text.endswith(_TRANSPOSE)
        base = term.text.removesuffix(_TRANSPOSE) if turned and not term.negative else made.atom
        looks = [f"{base}^{{-1}}", rf"{base}^{{-\top}}"]
        made.inverse, made.coinverse = looks[::-1] if base != made.atom else looks
        return made


def function_term(node: Apply, operands: Sequence[Term], taken: Collection[str] = ()) -> Term:
    """Write a primitive applied to operands that are already text.

    Args:
        node: The application.
        operands: What it is applied to.
        taken: The looks of names; where one of them is an e, the exponential function is written by its own name.
    """
    declared = primitive_of(node)
    if declared.name == "exp" and _EULER in taken:
        return applied(r"\exp", *operands)._replace(meaning=_application(node, operands))
    if isinstance(node, Map):
        pairs = zip(operands, node.operands, strict=True)
        operands = [spread(term, operand.shape, node.shape) for term, operand in pairs]
    if callable(declared.latex):
        texts = [Operand.of(term, operand) for term, operand in zip(operands, node.operands, strict=True)]
        text = declared.latex(texts, node.operation.parameters)
        if texts and text == texts[0]:
            return operands[0]
        made = Term(text, POSTFIX, meaning=_application(node, operands))
        if not texts or text != texts[0].inverse:
            return made
        return made.symmetric() if operands[0].is_symmetric() else _with_transpose(made, texts[0].coinverse)
    template = declared.latex
    if not _PLACE.search(template):
        return applied(_plain(template), *operands)._replace(meaning=_application(node, operands))
    negative = node.operation.name == "divide" and operands[0].negative
    if node.operation.name == "divide":
        operands = cleared(operands[0].bare(), operands[1])
    filled = _filled(template, operands, entrywise=bool(node.shape))
    return filled._replace(negative=negative, meaning=_application(node, operands))


def _with_transpose(term: Term, text: str) -> Term:
    return term._replace(flipped=Flipped(text, POSTFIX, said("transpose", term)))


def _application(node: Apply, operands: Sequence[Term]) -> Meaning | None:
    return said("apply", *operands, data=node)


def derivative_term(declared: Primitive, argument: Term, node: Map | None = None) -> Term | None:
    r"""Write the derivative of a function that has a name: ``\sigma'\left(z\right)``.

    Args:
        declared: The function.
        argument: What it is differentiated at.
        node: Where the function is applied, to an argument of that value; without it nobody can check the text.
    """
    if declared.kind != "elementwise" or declared.arity != 1 or callable(declared.latex):
        return None
    if isinstance(declared.numpy, Partial) and not declared.numpy.has_rule:
        return None  # its derivative is a function without a declaration too, and has that look already
    if _PLACE.search(declared.latex):
        return None
    made = applied(f"{_plain(declared.latex)}'", argument)
    return made if node is None else made._replace(meaning=said("slope", argument, data=node))


def _plain(name: str) -> str:
    """Undo the doubling of braces, which a template needs and a name may have."""
    return name.replace("{{", "{").replace("}}", "}")


def _filled(template: str, operands: Sequence[Term], *, entrywise: bool) -> Term:
    """Put operands in their places; a number has no products entry by entry."""
    places, own = _levels(template, entrywise)
    text, end = "", 0
    for start, stop, number, level in places:
        text += _literal(template[end:start], entrywise) + operands[number].within(level)
        end = stop
    return Term(text + _literal(template[end:], entrywise), own)


def _literal(piece: str, entrywise: bool) -> str:
    return _plain(piece) if entrywise else _plain(piece).replace(_ENTRYWISE + " ", "")


@lru_cache(maxsize=1024)
def _levels(template: str, entrywise: bool) -> tuple[tuple[tuple[int, int, int, int], ...], int]:
    """Return each place of a template with its operand and how tightly that has to bind, and how tightly the whole."""
    places = []
    own = SUM if r"\begin" in template else POSTFIX
    if _ENTRYWISE in _outside(template):
        own = HADAMARD if entrywise else PRODUCT
    for match in _PLACE.finditer(template):
        start, stop = match.start(1) - 1, match.end()
        before, after = template[:start].rstrip(), template[stop:].lstrip()
        if _PRODUCT_SIGN.search(template):
            level, own = POSTFIX, SUM
        elif after.startswith("^"):
            level = ATOM
        elif before.endswith("^{{" + _ENTRYWISE):
            level = RELATION
        elif before.endswith(_ENTRYWISE) or after.startswith(_ENTRYWISE):
            level = POSTFIX if entrywise else PRODUCT
        elif before.endswith(("+", "-")) or after.startswith(("+", "-")):
            level = HADAMARD
        elif (not before or _ENCLOSED.search(before)) and (not after or _ENCLOSING.match(after)):
            level = RELATION
        else:
            level = POSTFIX if before.endswith(r"\neg") else SUM
            own = own if r"\begin" in template else RELATION
        places.append((start, stop, int(match.group(1)), level))
    return tuple(places), own


def _outside(template: str) -> str:
    """Return what of a template stands in no braces and no parentheses."""
    kept, depth = "", 0
    for piece in _BRACKET.split(template):
        depth += piece in ("{{", r"\left") and 1
        kept += piece if depth == 0 else ""
        depth -= piece in ("}}", r"\right") and 1
    return kept
