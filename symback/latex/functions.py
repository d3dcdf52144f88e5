"""Functions in LaTeX, by the look that each primitive declares: a name, a template, or a function of its own."""

import re
from collections.abc import Sequence
from functools import lru_cache

from symback.latex.products import spread
from symback.latex.terms import ATOM, HADAMARD, POSTFIX, PRODUCT, RELATION, SUM, Term, applied
from symback.nodes.apply import Apply, Map
from symback.nodes.shapes import Shape
from symback.op.table import Primitive, primitive_of

_PLACE = re.compile(r"(?<!\{)(?:\{\{)*\{(\d+)\}")
_ENCLOSED = re.compile(r"(\{\{|[(,|&]|\\\\|\\l(floor|ceil)|\\begin\{\{\w+\}\})$")
_PRODUCT_SIGN = re.compile(r"\} (\*|\\times|\\otimes) \{")
_ENCLOSING = re.compile(r"(\}\}|[,&]|\\right|\\\\|\\end)")


class Operand(str):
    """The text of an operand, as a `latex` function of a primitive gets it.

    Attributes:
        shape: The operand's shape.
        factor: Its text among factors: a sum in parentheses.
        atom: Its text before an exponent or beside a sign of another product: whatever is no name in parentheses.
    """

    shape: Shape
    factor: str
    atom: str

    @classmethod
    def of(cls, term: Term, shape: Shape) -> "Operand":
        """Return the text, which knows the shape."""
        made = cls(term.signed())
        made.shape, made.factor, made.atom = shape, term.within(PRODUCT), term.within(ATOM)
        return made


def function_term(node: Apply, operands: Sequence[Term]) -> Term:
    """Write a primitive applied to operands that are already text."""
    declared = primitive_of(node)
    if isinstance(node, Map):
        pairs = zip(operands, node.operands, strict=True)
        operands = [spread(term, operand.shape, node.shape) for term, operand in pairs]
    if callable(declared.latex):
        texts = [Operand.of(term, operand.shape) for term, operand in zip(operands, node.operands, strict=True)]
        text = declared.latex(texts, node.operation.parameters)
        return operands[0] if texts and text == texts[0] else Term(text, POSTFIX)
    template = declared.latex
    if node.operation.name == "power" and node.shape:
        template = r"{0}^{{\odot {1}}}"  # without the sign it would be a power of matrices
    if not _PLACE.search(template):
        return applied(_plain(template), *operands)
    if node.operation.name == "divide" and operands[0].negative:
        return _filled(template, [operands[0].bare(), *operands[1:]])._replace(negative=True)
    return _filled(template, operands)


def derivative_term(declared: Primitive, argument: Term) -> Term | None:
    r"""Write the derivative of a function that has a name: ``\sigma'\left(z\right)``."""
    if declared.kind != "elementwise" or declared.arity != 1 or callable(declared.latex):
        return None
    return None if _PLACE.search(declared.latex) else applied(f"{_plain(declared.latex)}'", argument)


def _plain(name: str) -> str:
    """Undo the doubling of braces, which a template needs and a name may have."""
    return name.replace("{{", "{").replace("}}", "}")


def _filled(template: str, operands: Sequence[Term]) -> Term:
    levels, own = _levels(template)
    texts = list(operands)
    filled = [
        term.within(max((level for place, level in levels if place == number), default=RELATION))
        for number, term in enumerate(texts)
    ]
    return Term(template.format(*filled), own)


@lru_cache(maxsize=1024)
def _levels(template: str) -> tuple[tuple[tuple[int, int], ...], int]:
    """Return how tightly each operand of a template has to bind, and how tightly the whole binds."""
    levels = []
    own = SUM if r"\begin" in template else POSTFIX
    for match in _PLACE.finditer(template):
        before, after = template[: match.start(1) - 1].rstrip(), template[match.end() :].lstrip()
        if _PRODUCT_SIGN.search(template):
            level, own = ATOM, SUM
        elif after.startswith("^"):
            level = ATOM
        elif before.endswith(("+", "-")) or after.startswith(("+", "-")):
            level = HADAMARD
        elif (not before or _ENCLOSED.search(before)) and (not after or _ENCLOSING.match(after)):
            level = RELATION
        else:
            level = SUM
            own = own if r"\begin" in template else RELATION
        levels.append((int(match.group(1)), level))
    return tuple(levels), own
