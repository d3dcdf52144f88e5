"""Pieces of LaTeX that know how tightly they bind, so that parentheses stand where they are needed and nowhere else."""

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

import sympy

from symback.nodes.leaves import ExactValue
from symback.nodes.looks import latex_size
from symback.nodes.shapes import SizeExpr

RELATION, SUM, HADAMARD, PRODUCT, POSTFIX, ATOM = range(6)
"""How tightly a piece binds: ``a > b``, ``a + b``, ``a \\odot b``, ``A x``, ``x^2`` or ``f(x)``, ``x``."""


class Term(NamedTuple):
    """A piece of LaTeX.

    Attributes:
        text: The text, without the sign.
        level: How tightly it binds.
        negative: Is the sign a minus?
        flipped: The text and the level of its transpose, where that is no more than turning factors round.
    """

    text: str
    level: int
    negative: bool = False
    flipped: tuple[str, int] | None = None

    def bare(self) -> "Term":
        """Return the term with the sign plus."""
        return self._replace(negative=False)

    def signed(self) -> str:
        """Return the text with its sign."""
        return f"-{self.text}" if self.negative else self.text

    def within(self, level: int) -> str:
        """Return the text as part of something that binds at `level`; a relation becomes an Iverson bracket."""
        if (min(self.level, SUM) if self.negative else self.level) >= level:
            return self.signed()
        if self.level == RELATION:
            return rf"\left[{self.signed()}\right]"
        return rf"\left({self.signed()}\right)"


ONES = Term(r"\mathbf{1}", ATOM)
ZERO = Term(r"\mathbf{0}", ATOM)
DOTS = Term(r"\cdots", ATOM)
_TOP = r"\top"
_RECIPROCAL = r"\frac{1}{"


def transposed(term: Term) -> Term:
    """Return the transpose: factors turned round if that needs no more transposes than parentheses would."""
    if term.flipped and not term.negative and term.flipped[0].count(_TOP) <= term.text.count(_TOP):
        text, level = term.flipped
        return Term(text, level, flipped=(term.text, term.level))
    return Term(
        f"{term.within(ATOM)}^{{{_TOP}}}", POSTFIX, flipped=(term.signed(), SUM if term.negative else term.level)
    )


def juxtaposed(*terms: Term) -> Term:
    """Return a product of matrices and vectors."""
    if len(terms) == 1:
        return terms[0]
    flipped = joined([transposed(term).within(PRODUCT) for term in reversed(terms)])
    return Term(joined([term.within(PRODUCT) for term in terms]), PRODUCT, flipped=(flipped, PRODUCT))


def joined(factors: Iterable[str]) -> str:
    """Write factors side by side; a dot keeps a number off what stands before it."""
    text = ""
    for factor in factors:
        gap = "" if not text else r" \cdot " if factor[:1].isdigit() or factor[:1] == "-" else " "
        text += gap + factor
    return text


def applied(function: str, *arguments: Term) -> Term:
    """Return a function applied to arguments in parentheses."""
    inside = ", ".join(argument.signed() for argument in arguments)
    return Term(rf"{function}\left({inside}\right)", POSTFIX)


def norm_squared(term: Term, rank: int) -> Term:
    """Return the sum of the squares of all entries: of a vector the Euclidean norm, else that of Frobenius."""
    return Term(rf"\lVert {term.signed()} \rVert{'_F' if rank > 1 else ''}^{{2}}", POSTFIX)


def scaled(coefficient: ExactValue, term: Term) -> Term:
    """Put an exact factor before a term."""
    number = number_term(coefficient)
    number, term = number._replace(negative=number.negative is not term.negative), term.bare()
    if number.text == "1":
        body = term.within(HADAMARD) if number.negative else term.signed()
        return Term(body, max(term.level, HADAMARD), True) if number.negative else term
    body = term.within(HADAMARD)
    if isinstance(coefficient, int) and body.startswith(_RECIPROCAL):
        return Term(rf"\frac{{{number.text}}}{{{body.removeprefix(_RECIPROCAL)}", term.level, number.negative)
    level = term.level if term.level == HADAMARD else PRODUCT
    return Term(joined([number.within(PRODUCT) if not number.negative else number.text, body]), level, number.negative)


def number_term(value: ExactValue) -> Term:
    """Write an exact number: 1/3 as a fraction, a float by its shortest decimal, a SymPy constant as SymPy does."""
    if isinstance(value, sympy.Expr):
        sign, size = value.is_negative, abs(value)
        return Term(sympy.latex(size), SUM if size.is_Add else POSTFIX, bool(sign))
    if isinstance(value, float) and not math.isfinite(value):
        return Term(r"\mathrm{NaN}" if math.isnan(value) else r"\infty", ATOM, value < 0)
    negative = math.copysign(1, value) < 0 if isinstance(value, float) else value < 0
    if isinstance(value, Fraction) and not _is_decimal(value):
        top, bottom = abs(value.numerator), value.denominator
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
    return value.denominator >= 1000 and value.numerator.bit_length() < 1000 and Fraction(float(value)) == value


def size_term(size: SizeExpr) -> Term:
    """Write a size, with the looks that names have."""
    return Term(latex_size(size), ATOM if isinstance(size, int) or size.is_Symbol else SUM)


def look_term(look: str) -> Term:
    """Return a name in print; one with an exponent, a prime or a fraction is enclosed before it is transposed."""
    outside, depth = "", 0
    for character in look:
        depth += (character == "{") - (character == "}")
        outside += character if depth == 0 else ""
    if any(sign in outside for sign in "+-=<>"):
        return Term(look, SUM)
    return Term(look, POSTFIX if "^" in outside or "'" in outside or r"\frac" in outside else ATOM)
