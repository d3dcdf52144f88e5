"""Pieces of LaTeX that know how tightly they bind, so that parentheses stand where they are needed and nowhere else.

Each piece carries what it says (`symback.latex.meaning`): whoever puts texts together puts their meanings together.
"""

import math
import re
from collections.abc import Iterable
from fractions import Fraction
from itertools import accumulate
from typing import Any, NamedTuple

import sympy

from symback.latex.meaning import Meaning
from symback.nodes.leaves import ExactValue
from symback.nodes.looks import latex_size
from symback.nodes.shapes import SizeExpr

RELATION, SUM, HADAMARD, PRODUCT, POSTFIX, ATOM = range(6)
"""How tightly a piece binds: ``a > b``, ``a + b``, ``a \\odot b``, ``A x``, ``x^2`` or ``f(x)``, ``x``."""


class Flipped(NamedTuple):
    """The transpose of a piece, where that is no more than turning factors round; the sign is that of the piece."""

    text: str
    level: int
    meaning: Meaning | None = None


class Term(NamedTuple):
    """A piece of LaTeX.

    Attributes:
        text: The text, without the sign.
        level: How tightly it binds.
        negative: Is the sign a minus?
        flipped: The text of its transpose, where that is no more than turning factors round.
        meaning: What the text says, without the sign; None where it cannot be evaluated.
    """

    text: str
    level: int
    negative: bool = False
    flipped: Flipped | None = None
    meaning: Meaning | None = None

    def bare(self) -> "Term":
        """Return the term with the sign plus."""
        return self._replace(negative=False)

    def symmetric(self) -> "Term":
        """Return the term as one that is its own transpose."""
        return self._replace(flipped=Flipped(self.text, self.level, self.meaning))

    def is_symmetric(self) -> bool:
        """Is this written as its own transpose?"""
        return self.flipped is not None and self.flipped.text == self.text and not self.negative

    def says(self) -> Meaning | None:
        """Return what the text with its sign says."""
        return Meaning("negative", (self.meaning,)) if self.negative and self.meaning else self.meaning

    def signed(self) -> str:
        """Return the text with its sign, which is that of the whole: a sum is enclosed."""
        if not self.negative:
            return self.text
        return f"-{self.text}" if self.level > SUM else rf"-\left({self.text}\right)"

    def side(self) -> str:
        """Return the text as a side of an equation: a relation in brackets, as in ``t = [a = b]``."""
        return self.within(SUM) if self.level == RELATION else self.signed()

    def within(self, level: int) -> str:
        """Return the text as part of something that binds at `level`; a relation becomes an Iverson bracket."""
        if (min(self.level, SUM) if self.negative else self.level) >= level:
            return self.signed()
        if self.level == RELATION:
            return rf"\left[{self.signed()}\right]"
        return rf"\left({self.signed()}\right)"


def said(op: str, *parts: Term, data: Any = None) -> Meaning | None:
    """Return an operation on what terms say, signs included; None if one of them says nothing."""
    meanings = tuple(meaning for part in parts if (meaning := part.says()) is not None)
    return Meaning(op, meanings, data) if len(meanings) == len(parts) else None


DOTS = Term(r"\cdots", ATOM)
_LONG_NUMBER = 1000
_TOP = r"\top"
_RECIPROCAL = r"\frac{1}{"
_FENCES = re.compile(r"\\(left|right)(?![A-Za-z])")
_SHARE = re.compile(r"\\frac\{1\}\{(\d+)\}")
_OVER_NAME = re.compile(r"\\frac\{(.+)\}\{((?:[A-Za-z]|\\[A-Za-z]+)(?:_\{\w+\})?)\}")


def nesting(text: str) -> int:
    r"""Return how many parentheses stand one in another.

    Example:
        >>> nesting(r"f\left(g\left(x\right)\right) \left(y\right)")
        2
    """
    return max(accumulate((1 if found == "left" else -1 for found in _FENCES.findall(text)), initial=0))


def ones(size: SizeExpr) -> Term:
    """Return a column of ones."""
    return Term(r"\mathbf{1}", ATOM, meaning=Meaning("ones", data=(size,)))


def transposed(term: Term) -> Term:
    """Return the transpose: factors turned round if that needs no more transposes than parentheses would."""
    most = term.text.count(_TOP) + (term.level == POSTFIX)  # an exponent takes in the sign: A to the -1, to the -T
    if term.flipped and not term.negative and term.flipped.text.count(_TOP) <= most:
        text, level, meaning = term.flipped
        return Term(text, level, flipped=Flipped(term.text, term.level, term.meaning), meaning=meaning)
    back = Flipped(term.signed(), SUM if term.negative else term.level, term.says())
    return Term(f"{term.within(ATOM)}^{{{_TOP}}}", POSTFIX, flipped=back, meaning=said("transpose", term))


def juxtaposed(*terms: Term) -> Term:
    """Return a product of matrices and vectors."""
    if len(terms) == 1:
        return terms[0]
    made, back = _side_by_side(terms), _side_by_side([transposed(term) for term in reversed(terms)])
    return made._replace(flipped=Flipped(back.text, back.level, back.meaning))


def _side_by_side(terms: Iterable[Term]) -> Term:
    terms = list(terms)
    return Term(joined([term.within(PRODUCT) for term in terms]), PRODUCT, meaning=said("product", *terms))


def joined(factors: Iterable[str]) -> str:
    """Write factors side by side; a dot keeps a number off what stands before it."""
    text = ""
    for factor in factors:
        gap = "" if not text else r" \cdot " if factor[:1].isdigit() or factor[:1] == "-" else " "
        text += gap + factor
    return text


def applied(function: str, *arguments: Term, op: str = "", data: Any = None) -> Term:
    """Return a function applied to arguments in parentheses; it says the operation `op`, if that is given."""
    inside = ", ".join(argument.signed() for argument in arguments)
    meaning = said(op, *arguments, data=data) if op else None
    return Term(rf"{function}\left({inside}\right)", POSTFIX, meaning=meaning)


def norm_squared(term: Term, rank: int) -> Term:
    """Return the sum of the squares of all entries: of a vector the Euclidean norm, else that of Frobenius."""
    text = rf"\lVert {term.signed()} \rVert{'_F' if rank > 1 else ''}^{{2}}"
    return Term(text, POSTFIX, meaning=said("norm_squared", term))


def added(terms: Iterable[Term]) -> Term:
    """Return a sum; a term without a minus comes first, if there is one."""
    ordered = list(terms)
    first = next((place for place, term in enumerate(ordered) if not term.negative), 0)
    ordered.insert(0, ordered.pop(first))
    made, back = _in_a_row(ordered), _in_a_row([_transposed_with_sign(term) for term in ordered])
    return made._replace(flipped=Flipped(back.text, back.level, back.meaning))


def _in_a_row(terms: list[Term]) -> Term:
    text = terms[0].within(SUM)
    for term in terms[1:]:
        text += f" - {term.bare().within(HADAMARD)}" if term.negative else f" + {term.within(SUM)}"
    return Term(text, SUM, meaning=said("sum", *terms))


def _transposed_with_sign(term: Term) -> Term:
    return transposed(term.bare())._replace(negative=term.negative)


def scaled(coefficient: ExactValue, term: Term) -> Term:
    """Put an exact factor before a term."""
    number = number_term(coefficient)
    number, term = number._replace(negative=number.negative is not term.negative), term.bare()
    if number.text == "1" and not number.negative:
        return term
    made = _scaled(number, term, is_whole=isinstance(coefficient, int))
    if term.flipped is None:
        return made
    text, level, meaning = term.flipped
    back = _scaled(number, Term(text, level, meaning=meaning), is_whole=isinstance(coefficient, int))
    return made._replace(flipped=Flipped(back.text, back.level, back.meaning))


def cleared(top: Term, bottom: Term) -> tuple[Term, Term]:
    """Bring a fraction above a line below it: a half over s is 1 over 2 s."""
    number = top.meaning.data if top.meaning and top.meaning.op == "number" else None
    if not isinstance(number, Fraction) or top.level != POSTFIX or bottom.negative:
        return top, bottom
    return number_term(number.numerator), scaled(number.denominator, bottom)


def _scaled(number: Term, term: Term, *, is_whole: bool) -> Term:
    body = term.within(HADAMARD)
    if number.text == "1":
        return Term(body, max(term.level, HADAMARD), True, meaning=term.meaning)
    meaning = said("product", number.bare(), term)
    if quotient := _with_larger_divisor(number.bare(), term):
        return quotient._replace(negative=number.negative)
    if is_whole and body.startswith(_RECIPROCAL):
        text = rf"\frac{{{number.text}}}{{{body.removeprefix(_RECIPROCAL)}"
        return Term(text, term.level, number.negative, meaning=meaning)
    level = term.level if term.level == HADAMARD else PRODUCT
    return Term(joined([number.bare().within(PRODUCT), body]), level, number.negative, meaning=meaning)


def _with_larger_divisor(number: Term, term: Term) -> Term | None:
    """Write a fraction with the top 1 times A/N, where N is a name, as a quotient."""
    share, quotient, says = _SHARE.fullmatch(number.text), _OVER_NAME.fullmatch(term.text), term.meaning
    if not (share and quotient and says and says.op == "apply" and says.data.operation.name == "divide"):
        return None
    top, bottom = quotient.groups()
    depths = list(accumulate((sign == "{") - (sign == "}") for sign in top))
    if depths[-1] != 0 or min(depths) < 0 or not number.meaning:
        return None
    divisor = Meaning("product", (Meaning("number", data=1 / number.meaning.data), says.parts[1]))
    text = rf"\frac{{{top}}}{{{share[1]} {bottom}}}"
    return Term(text, POSTFIX, meaning=says._replace(parts=(says.parts[0], divisor)))


def number_term(value: ExactValue) -> Term:
    """Write an exact number: 1/3 as a fraction, a float by its shortest decimal, a SymPy constant as SymPy does."""
    term = _digits(value)
    return term._replace(meaning=Meaning("number", data=-value if term.negative else value)).symmetric()


def _digits(value: ExactValue) -> Term:
    if isinstance(value, sympy.Expr):
        sign, size = value.is_negative, abs(value)
        return Term(sympy.latex(size), SUM if size.is_Add else POSTFIX, bool(sign))
    if isinstance(value, float) and not math.isfinite(value):
        return Term(r"\mathrm{NaN}" if math.isnan(value) else r"\infty", ATOM, value < 0)
    negative = math.copysign(1, value) < 0 if isinstance(value, float) else value < 0
    if isinstance(value, Fraction) and not _is_decimal(value):
        top, bottom = abs(value.numerator), value.denominator
        if top >= _LONG_NUMBER and _is_decimal(1 / value):
            return Term(rf"\frac{{1}}{{{_digits(abs(1 / value)).text}}}", POSTFIX, negative)
        return (
            Term(str(top), ATOM, negative) if bottom == 1 else Term(rf"\frac{{{top}}}{{{bottom}}}", POSTFIX, negative)
        )
    text, _, exponent = (str(abs(value)) if isinstance(value, int) else repr(float(abs(value)))).partition("e")
    if exponent:
        power = rf"10^{{{int(exponent)}}}"
        return Term(power, POSTFIX, negative) if text == "1" else Term(rf"{text} \cdot {power}", PRODUCT, negative)
    return Term(text, ATOM, negative)


def _is_decimal(value: Fraction) -> bool:
    """Was this a float: a denominator that nobody writes, and the exact value of a float?"""
    return value.denominator >= _LONG_NUMBER and value.numerator.bit_length() < 1000 and Fraction(float(value)) == value


def size_term(size: SizeExpr) -> Term:
    """Write a size, with the looks that names have."""
    level = ATOM if isinstance(size, int) or size.is_Symbol else SUM
    return Term(latex_size(size), level, meaning=Meaning("size", data=size)).symmetric()


def look_term(look: str, meaning: Meaning | None = None) -> Term:
    """Return a name in print; one with an exponent, a prime or a fraction is enclosed before it is transposed."""
    outside, depth = "", 0
    for character in look:
        depth += (character == "{") - (character == "}")
        outside += character if depth == 0 else ""
    if any(sign in outside for sign in "+-=<>"):
        return Term(look, SUM, meaning=meaning)
    level = POSTFIX if "^" in outside or "'" in outside or r"\frac" in outside else ATOM
    return Term(look, level, meaning=meaning)
